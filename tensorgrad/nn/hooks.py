"""Backward hooks of modules: what catches the gradients that pass a module's outputs and inputs."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tensorgrad.autograd import Function, Tensor

Gradients = tuple[Tensor | None, ...]


class Passage:
    """One call of a module that has backward hooks.

    The inputs that require gradients and the outputs go through identities, whose backward tells this object. The
    graph holds it, so it holds no graph itself: not that of a gradient, nor, once the hooks were called, the module,
    whose parameters may then have gradients with graphs that lead back to here.

    Args:
        module: whose hooks are called once the gradients of outputs and inputs are known.
    """

    def __init__(self, module: Any) -> None:
        self.module: Callable[[], Any] = lambda: module
        self.came: list[Callable[[], Tensor]] = []
        self.places: list[int] = []
        self.count = 0

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those Tensors that require gradients seen through an identity."""
        values = list(args)
        self.count = len(values)
        self.places = [i for i, arg in enumerate(values) if isinstance(arg, Tensor) and arg.requires_grad]
        if self.places:
            seen = _Identity.apply(self.entered, *(values[i] for i in self.places))
            for i, tensor in zip(self.places, seen, strict=True):
                values[i] = tensor
        return tuple(values)

    def leave(self, result: Any) -> Any:
        """The module's result, the Tensors in it seen through an identity."""
        tensors = list(_tensors(result))
        if not tensors:
            raise TypeError(
                f"backward hooks need a module that returns Tensors, one or several in tuples, lists or dicts; "
                f"{type(self.module()).__name__} returned {type(result).__name__}."
            )
        return _with_tensors(result, iter(_Identity.apply(self.left, *tensors)))

    def left(self, grads: Gradients) -> Gradients:
        """The gradients of the outputs have come."""
        self.came = [_without_graph(grad) for grad in grads if grad is not None]
        if not self.places:
            self._call((None,) * self.count)
        return grads

    def entered(self, grads: Gradients) -> Gradients:
        """The gradients of the inputs have come."""
        grad_input: list[Tensor | None] = [None] * self.count
        for i, grad in zip(self.places, grads, strict=True):
            grad_input[i] = grad
        result = self._call(tuple(grad_input))
        return tuple(result[i] for i in self.places)

    def _call(self, grad_input: Gradients) -> Gradients:
        grad_output, self.came = tuple(grad() for grad in self.came), []
        module = self.module()
        if module is None:
            return grad_input
        self.module = weakref.ref(module)
        for hook in tuple(module._backward_hooks.values()):
            result = hook(module, grad_input, grad_output)
            if result is not None:
                changed = result if isinstance(result, tuple) else (result,)
                if len(changed) != len(grad_input):
                    raise ValueError(f"a backward hook returned {len(changed)} gradients for {len(grad_input)} inputs.")
                grad_input = changed
        return grad_input


def _without_graph(grad: Tensor) -> Callable[[], Tensor]:
    """What gives ``grad`` back, on its graph if that is still there: the gradients of the inputs keep it."""
    array, vertex = grad.data, None if grad._node is None else weakref.ref(grad._node)
    return lambda: Tensor._wrap(array, None if vertex is None else vertex())


def _tensors(value: Any) -> Iterator[Tensor]:
    """The Tensors in tuples, lists and dicts, from first to last."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(item)


def _with_tensors(value: Any, tensors: Iterator[Tensor]) -> Any:
    """``value`` with these in the place of the Tensors that :func:`_tensors` finds in it."""
    if isinstance(value, Tensor):
        return next(tensors)
    if isinstance(value, Mapping):
        changed: Any = copy.copy(value)
        changed.update({key: _with_tensors(item, tensors) for key, item in value.items()})
        return changed
    if isinstance(value, (tuple, list)):
        items = [_with_tensors(item, tensors) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


class _Identity(Function):
    """Its arguments as they are; backward, what ``told`` makes of their gradients."""

    @staticmethod
    def forward(ctx: Any, told: Callable[[Gradients], Gradients], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.told = told
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return None, *ctx.told(grads)
