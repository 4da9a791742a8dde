"""Function: forward and backward as two methods, for those who think that way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tensorgrad.autograd import modes, versions
from tensorgrad.autograd.graph import Bundle, Call, Cotangent, Node, Vertex
from tensorgrad.autograd.modes import no_grad, set_grad_enabled, state
from tensorgrad.autograd.rules import fill, outputs
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.errors import GradientError


class Context:
    """What :meth:`Function.forward` leaves for :meth:`Function.backward`. Any attribute may be set on it.

    Attributes:
        needs_input_grad: which arguments require a gradient, a tuple of booleans.
    """

    needs_input_grad: tuple[bool, ...]

    def __init__(self) -> None:
        self._to_save: tuple[Any, ...] = ()
        self._saved: tuple[Tensor | None, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps inputs, outputs or other Tensors; :attr:`saved_tensors` gives them back."""
        for tensor in tensors:
            if not (tensor is None or isinstance(tensor, Tensor)):
                raise TypeError(
                    f"ctx.save_for_backward() keeps Tensors, not {type(tensor).__name__}: make it an attribute of ctx."
                )
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What :meth:`save_for_backward` kept, at its place in the graph."""
        return self._saved


class Function:
    """An op as two static methods on Tensors, called by :meth:`apply`. The rule-by-rule form is :func:`op`.

    ``forward(ctx, *args)`` returns a Tensor or a tuple of them; ``backward(ctx, *grads)`` takes a gradient for each
    output (zeros for those not used) and returns one for each argument, None where there is none. The backward is
    differentiable in turn if it is written in Tensor operations.

    Example:
        >>> import tensorgrad as tg
        >>> class Cube(tg.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x * x
        ...
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         (x,) = ctx.saved_tensors
        ...         return 3 * grad * x * x
        >>> x = tg.tensor(2.0, requires_grad=True)
        >>> Cube.apply(x).backward()
        >>> x.grad.item()
        12.0
    """

    @staticmethod
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        """Computes the output; nothing in here is recorded."""
        raise NotImplementedError("a Function needs a static method forward(ctx, *args).")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """The gradients of the arguments from those of the outputs."""
        raise NotImplementedError("a Function needs a static method backward(ctx, *grads).")

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Runs :meth:`forward` and records it."""
        for value in (*kwargs.values(), *(item for arg in args if isinstance(arg, (list, tuple)) for item in arg)):
            if isinstance(value, Tensor) and value.requires_grad and state.grad:
                raise GradientError(
                    f"{cls.__name__}.apply() has gradients for Tensors that are given by position, one by one; this "
                    f"one, of shape {value.shape}, would lose its gradient."
                )
        ctx = Context()
        vertices = [arg._node if isinstance(arg, Tensor) and state.grad else None for arg in args]
        ctx.needs_input_grad = tuple(vertex is not None for vertex in vertices)
        randomness = modes.randomness() if state.anomaly and any(ctx.needs_input_grad) else None
        with no_grad():
            result = cls.forward(ctx, *args, **kwargs)
        several = isinstance(result, (tuple, list))
        outs = list(result) if several else [result]
        for out in outs:
            if not isinstance(out, Tensor):
                raise TypeError(f"{cls.__name__}.forward() must return Tensors, it returned {type(out).__name__}.")
        arrays = tuple(out._data for out in outs)
        if not any(ctx.needs_input_grad):
            wrapped = tuple(map(Tensor._wrap, arrays))
            return wrapped if several else wrapped[0]
        # Where in the graph each saved tensor stands: an argument, an output (an index), or neither.
        places: list[Any] = []
        for tensor in ctx._to_save:
            argument = next((i for i, arg in enumerate(args) if arg is tensor), None)
            output = next((i for i, out in enumerate(outs) if out is tensor), None)
            places.append(vertices[argument] if argument is not None and tensor is not None else output)
        kept = [None if tensor is None else tensor._data for tensor in ctx._to_save]
        ctx._to_save = ()
        pullback = _Pullback(cls, ctx, places)
        shapes, dtypes = tuple(array.shape for array in arrays), tuple(array.dtype for array in arrays)
        bundle = Bundle(pullback, tuple(vertices), kept, shapes, dtypes)
        if randomness is not None:
            items = tuple(arg.detach() if isinstance(arg, Tensor) else arg for arg in args)
            names = tuple(f"argument {i}" for i in range(len(args)))
            bundle.call = Call(versions.caller(), cls._again, items, kwargs, names, arrays, randomness)
        wrapped = outputs(arrays, bundle)
        return wrapped if several else wrapped[0]

    @classmethod
    def _again(cls, items: Sequence[Any], options: dict[str, Any]) -> Any:
        """As :meth:`apply`, on the arguments of an earlier call, or on others in their place."""
        return cls.apply(*items, **options)


class _Pullback:
    """What a node of a Function's does when its cotangents arrive."""

    def __init__(self, function: type[Function], ctx: Context, places: list[Any]) -> None:
        self.name = function.__name__
        self.function = function
        self.ctx = ctx
        self.places = places

    def pull(
        self, node: Node, cotangent: Any, create_graph: bool, useful: set[Vertex] | None
    ) -> Iterable[tuple[Vertex | None, Cotangent, str]]:
        assert isinstance(node, Bundle)
        assert node.parents is not None
        saved: list[Tensor | None] = []
        for array, place in zip(node.kept, self.places, strict=True):
            vertex = node.output(place) if isinstance(place, int) else place
            saved.append(None if array is None else Tensor._wrap(array, vertex if create_graph else None))
        self.ctx._saved = tuple(saved)
        grads = [grad if isinstance(grad, Tensor) else Tensor(grad) for grad in fill(cotangent, node)]
        try:
            with set_grad_enabled(create_graph):
                result = self.function.backward(self.ctx, *grads)
        except Exception as error:
            line = f"called at {node.where}" if node.where else "tg.detect_anomaly() tells where it was called"
            error.add_note(f"in {self.name}.backward(); {line}")
            raise
        finally:
            self.ctx._saved = ()
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(parts) != len(node.parents):
            raise TypeError(
                f"{self.name}.backward() returned {len(parts)} gradients for {len(node.parents)} arguments of forward."
            )
        if not create_graph:
            parts = [part._data if isinstance(part, Tensor) else part for part in parts]
        names = [f"argument {i}" for i in range(len(parts))]
        return list(zip(node.parents, parts, names, strict=True))
