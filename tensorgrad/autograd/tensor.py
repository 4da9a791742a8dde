"""Tensor: an array that remembers where it came from."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import versions
from tensorgrad.autograd.conversion import to_array
from tensorgrad.autograd.graph import Cotangent, Leaf, Node, Output, Vertex, propagate
from tensorgrad.autograd.hooks import Hook
from tensorgrad.autograd.modes import enable_grad
from tensorgrad.autograd.ownership import add, claim, own
from tensorgrad.backend import Array
from tensorgrad.errors import DeviceError, GradientError

_new = object.__new__


class Tensor:
    """An array, and its place in the graph.

    Its operators and methods are tensorgrad's functions, given to it by :mod:`tensorgrad.ops.methods`.

    Args:
        data: an array of NumPy or CuPy (shared, not copied, if dtype and device fit), a number, a nested sequence
            of numbers, or a Tensor. Python floats become float32; arrays keep their dtype.
        dtype: the dtype wanted.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ...; by default where the data is.
        requires_grad: whether gradients with respect to this tensor are wanted.

    Raises:
        TypeError: for data that is not numbers.
        GradientError: for ``requires_grad`` on integers, booleans or complex numbers.
        DeviceError: for a device that is not there.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        Tensor([2., 4.], dtype=float32, device='cpu')
    """

    __slots__ = ("__weakref__", "_data", "_grad", "_leaf", "_node")

    # NumPy's arrays leave binary operators with a Tensor to the Tensor.
    __array_priority__ = 1000

    _data: Array
    # The leaf, once it was one: it waits here while the tensor is frozen, with its hooks.
    _leaf: Leaf
    _node: Vertex | None
    _grad: Tensor | None

    def __init__(self, data: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> None:
        if isinstance(data, Tensor):
            data = data._data
        self._data = to_array(data, dtype, device)
        self._node = None
        self._grad = None
        if requires_grad:
            self.requires_grad_()

    @staticmethod
    def _wrap(array: Array, node: Vertex | None = None) -> Tensor:
        """A Tensor around an array as it is, at ``node`` of the graph."""
        tensor = _new(Tensor)
        tensor._data = array
        tensor._node = node
        tensor._grad = None
        return tensor

    # -- the array -----------------------------------------------------------------------------------------

    @property
    def data(self) -> Array:
        """The bare array, shared. Changes made through it are not counted: do not change what a graph needs."""
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        array = to_array(value._data if isinstance(value, Tensor) else value)
        if isinstance(self._node, Leaf):
            _require_real_float(array.dtype)
            if array.shape != self._data.shape or array.dtype != self._data.dtype:
                self._node = self._leaf = self._node.successor(self, array.shape, array.dtype)
        elif self._node is not None:
            raise GradientError(
                f"the data of a tensor made by {self._made_by()!r} cannot be replaced: detach() it first."
            )
        self._data = array

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        shape: tuple[int, ...] = self._data.shape
        return shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._data.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self._data.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        dtype: np.dtype[Any] = self._data.dtype
        return dtype

    @property
    def device(self) -> str:
        """``"cpu"``, ``"cuda"``, ``"cuda:1"``, ..."""
        return backend.device_of(self._data)

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return int(self._data.itemsize)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return int(self._data.nbytes)

    def numel(self) -> int:
        """The number of elements."""
        return self.size

    def dim(self) -> int:
        """The number of axes."""
        return self.ndim

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array: on the CPU the very memory of this tensor, else a copy. Leaves the graph."""
        library = backend.of(self._data)
        assert library is not None
        return library.to_numpy(self._data)

    def item(self) -> Any:
        """The value of a tensor with one element, as a Python number."""
        if self._data.size != 1:
            raise ValueError(f"item() takes a tensor with one element, this has shape {self.shape}: index it first.")
        return self._data.item()

    def tolist(self) -> Any:
        """The values as (nested lists of) Python numbers."""
        return self._data.tolist()

    def __len__(self) -> int:
        if not self._data.shape:
            raise TypeError("a 0-d tensor has no length.")
        return int(self._data.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if not self._data.shape:
            raise TypeError("a 0-d tensor cannot be iterated over; item() gives its value.")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ValueError(
                f"the truth value of a tensor of shape {self.shape} is ambiguous: use tg.any(x) or tg.all(x)."
            )
        return bool(self._data.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iu" or self._data.ndim:
            raise TypeError(f"only a 0-d integer tensor is an index, not one of shape {self.shape} and {self.dtype}.")
        return int(self._data.item())

    def __format__(self, spec: str) -> str:
        return format(self.item() if spec and not self._data.shape else str(self), spec)

    # Equality is elementwise, identity is what a set or a dict goes by.
    __hash__ = object.__hash__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.device != "cpu":
            raise DeviceError(
                f"a tensor on {self.device!r} is not turned into a NumPy array silently: call .numpy() or .cpu()."
            )
        if dtype is None or dtype == self._data.dtype:
            return self._data.copy() if copy else self._data
        if copy is False:
            raise ValueError(f"a {self.dtype} tensor cannot be seen as {dtype} without a copy.")
        return self._data.astype(dtype)

    def __dlpack__(self, **options: Any) -> Any:
        return self._data.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._data.__dlpack_device__()

    def __copy__(self) -> Tensor:
        return self._same_kind(self._data, self.requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        self._require_leaf("copied with its history by deepcopy")
        copy = self._same_kind(self._data.copy(), self.requires_grad)
        memo[id(self)] = copy
        if self._grad is not None:
            copy._grad = self._grad.__deepcopy__(memo)
        return copy

    def __reduce__(self) -> Any:
        self._require_leaf("pickled")
        return type(self), (self.numpy(), None, self.device, self.requires_grad)

    def _same_kind(self, array: Array, requires_grad: bool) -> Tensor:
        copy = _new(type(self))
        copy._data, copy._node, copy._grad = array, None, None
        return copy.requires_grad_(requires_grad)

    def _require_leaf(self, what: str) -> None:
        if not self.is_leaf:
            raise GradientError(f"a tensor made by {self._made_by()!r} cannot be {what}: detach() it first.")

    # -- the graph -----------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor or through it. Settable on leaves."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Asks for gradients with respect to this tensor, or stops asking; returns the tensor itself.

        Raises:
            GradientError: if the dtype has no gradients, or the tensor was made by an op and cannot stop.
        """
        if not requires_grad:
            self._require_leaf("told to stop requiring a gradient")
            self._node = None
        elif self._node is None:
            _require_real_float(self._data.dtype)
            leaf = getattr(self, "_leaf", None)
            if leaf is None or leaf.shape != self._data.shape or leaf.dtype != self._data.dtype:
                leaf = Leaf(self, self._data.shape, self._data.dtype)
            self._node = self._leaf = leaf
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return self._node is None or isinstance(self._node, Leaf)

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated by :meth:`backward`: a Tensor of this shape, dtype and device, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = value if isinstance(value, Tensor) else Tensor(value)
            self._require_alike(value._data, "a gradient")
        self._grad = value

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        return Tensor._wrap(self._data)

    def retain_grad(self) -> None:
        """Asks that :meth:`backward` fills :attr:`grad` although an op made this tensor."""
        if self._node is None:
            raise GradientError("retain_grad() on a tensor that does not require a gradient.")
        if not isinstance(self._node, Leaf):
            self._node.retained = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Hook:
        """Calls ``hook(gradient)`` when the gradient of this tensor has been computed, before it goes further.

        Args:
            hook: takes the gradient; returns None, or a Tensor to go on with in its place.

        Returns:
            A handle with ``remove()``.
        """
        node = self._node
        if node is None:
            raise GradientError("register_hook() on a tensor that does not require a gradient.")
        if not callable(hook):
            raise TypeError(f"a hook is a function, not {type(hook).__name__}.")

        def apply(cotangent: Cotangent) -> Cotangent:
            recorded = isinstance(cotangent, Tensor)
            given = cotangent if recorded else Tensor._wrap(own(cotangent))
            result = hook(given)
            if result is None:
                return cotangent
            if not isinstance(result, Tensor):
                raise GradientError(f"a hook must return a Tensor or None, not {type(result).__name__}.")
            if (result.shape, result.dtype, result.device) != (given.shape, given.dtype, given.device):
                raise GradientError(
                    f"a hook returned a gradient of shape {result.shape} and dtype {result.dtype} on "
                    f"{result.device!r}; expected {given.shape} and {given.dtype} on {given.device!r}."
                )
            return result if recorded else result._data

        if node.hooks is None:
            node.hooks = {}
        return Hook(node.hooks, apply)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Hook:
        """Calls ``hook(tensor)`` each time that :meth:`backward` has added to this leaf's :attr:`grad`."""
        if not isinstance(self._node, Leaf):
            raise GradientError("register_post_accumulate_grad_hook() takes a leaf that requires a gradient.")
        if self._node.after is None:
            self._node.after = {}
        return Hook(self._node.after, hook)

    def backward(
        self,
        grad: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Adds the gradient of this tensor with respect to the leaves of its graph to their :attr:`grad`.

        Args:
            grad: the gradient with respect to this tensor: its shape, dtype and device. May be left out if the
                tensor has one element, and is then 1.
            retain_graph: keep what the rules kept, so that backward can be called again. Default: ``create_graph``.
            create_graph: record the backward pass, so that the gradients can be differentiated.
            inputs: fill the gradients of these tensors only.

        Raises:
            GradientError: if there is no graph, it was freed, ``grad`` does not fit, or a value that a rule needs
                was changed in place.
        """
        targets = None if inputs is None else as_tensors(inputs, "inputs")
        found = pull([self], [grad], retain_graph, create_graph, targets, accumulate=True)
        if targets is None:
            receivers: list[tuple[Any, Vertex]] = [(leaf.receiver(), leaf) for leaf in found if isinstance(leaf, Leaf)]
        else:
            receivers = [(tensor, tensor._node) for tensor in dict.fromkeys(targets) if tensor._node in found]
        for tensor, node in receivers:
            if tensor is not None:
                tensor._accumulate([found.pop(node)])

    def _accumulate(self, held: list[Cotangent]) -> None:
        """Adds to the gradient, which is never shared with anybody: neither the sum nor the first of them.

        Args:
            held: the cotangent. It is taken from the list, so that where nobody else holds it, nobody does.
        """
        if isinstance(held[0], Tensor):
            with enable_grad():
                self._grad = held[0].clone() if self._grad is None else self._grad + held[0]
        elif self._grad is None:
            self._grad = Tensor._wrap(claim(held))
        else:
            self._grad = Tensor._wrap(_as_array(add(held, self._grad._data)))
        if isinstance(self._node, Leaf) and self._node.after is not None:
            for hook in tuple(self._node.after.values()):
                hook(self)

    def _require_alike(self, array: Array, what: str, source: str = "the tensor") -> None:
        """Raises unless ``array`` has this tensor's shape, dtype and device."""
        for kind, given, wanted, mend in (
            ("shape", tuple(array.shape), self.shape, "reshape or broadcast it"),
            ("dtype", array.dtype, self.dtype, f"convert it with .to('{self.dtype}')"),
            ("device", backend.device_of(array), self.device, f"move it with .to('{self.device}')"),
        ):
            if given != wanted:
                raise GradientError(f"{what} has {kind} {given}, but {source} has {kind} {wanted}: {mend}.")

    # -- debugging -----------------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """How often the memory of this tensor was changed in place by tensorgrad."""
        return versions.count(self._data)

    def _made_by(self) -> str | None:
        node = self._node.bundle if isinstance(self._node, Output) else self._node
        return node.op.name if isinstance(node, Node) else None

    def __repr__(self) -> str:
        name = type(self).__name__
        values = np.array2string(self.numpy(), separator=", ", prefix=name + "(")
        if self._data.size == 0:
            values = f"[], shape={self.shape}"
        made_by = self._made_by()
        origin = f", op={made_by}" if made_by else ", requires_grad=True" if self.requires_grad else ""
        return f"{name}({values}, dtype={self.dtype}, device={self.device!r}{origin})"

    if TYPE_CHECKING:
        # Given by tensorgrad.ops.methods.
        def __getattr__(self, name: str) -> Any: ...

        __add__: Any
        __radd__: Any
        __sub__: Any
        __rsub__: Any
        __mul__: Any
        __rmul__: Any
        __truediv__: Any
        __rtruediv__: Any
        __floordiv__: Any
        __rfloordiv__: Any
        __mod__: Any
        __rmod__: Any
        __pow__: Any
        __rpow__: Any
        __matmul__: Any
        __rmatmul__: Any
        __neg__: Any
        __pos__: Any
        __abs__: Any
        __invert__: Any
        __and__: Any
        __or__: Any
        __xor__: Any
        __lt__: Any
        __le__: Any
        __gt__: Any
        __ge__: Any
        __getitem__: Any
        __setitem__: Any


def pull(
    roots: list[Tensor],
    cotangents: list[Any],
    retain_graph: bool | None,
    create_graph: bool,
    targets: list[Tensor] | None,
    accumulate: bool = False,
) -> dict[Vertex, Cotangent]:
    """Walks back from ``roots``, whose cotangents may be None for 1, after checking them."""
    seeds = [
        (_vertex(root), _seed(root, cotangent, create_graph)) for root, cotangent in zip(roots, cotangents, strict=True)
    ]
    if targets is not None:
        for i, target in enumerate(targets):
            if target._node is None:
                raise GradientError(f"inputs[{i}], of shape {target.shape}, does not require a gradient.")
    options: dict[str, Any] = {
        "retain_graph": create_graph if retain_graph is None else retain_graph,
        "create_graph": create_graph,
        "targets": None if targets is None else {target._node for target in targets},
        "fill_retained": accumulate,
    }
    if create_graph:
        with enable_grad():
            return propagate(seeds, **options)
    return propagate(seeds, **options)


def _vertex(root: Tensor) -> Vertex:
    if root._node is None:
        raise GradientError(
            f"there is nothing to go back through: a tensor of shape {root.shape} and dtype {root.dtype} was not "
            f"computed from one with requires_grad=True, and does not require a gradient."
        )
    return root._node


def _seed(root: Tensor, cotangent: Any, create_graph: bool) -> Cotangent:
    """The cotangent to start with: what was given, checked, or 1."""
    if cotangent is None:
        if root.size != 1:
            raise GradientError(
                f"backward() from a tensor of shape {root.shape} needs the gradient with respect to it, of the same "
                f"shape: only a tensor with one element can do without. Did you mean loss.sum() or loss.mean()?"
            )
        cotangent = backend.namespace(root._data).ones_like(root._data)
    elif isinstance(cotangent, (int, float)) and not isinstance(cotangent, np.generic) and root.size == 1:
        cotangent = backend.namespace(root._data).full_like(root._data, cotangent)
    else:
        if isinstance(cotangent, (list, tuple)):
            cotangent = to_array(cotangent, root.dtype, root.device)
        given = cotangent if isinstance(cotangent, Tensor) else Tensor(cotangent)
        root._require_alike(given._data, "the gradient given to backward()")
        if create_graph:
            return given
        cotangent = given._data
    return Tensor._wrap(cotangent) if create_graph else cotangent


def _as_array(value: Array) -> Array:
    return np.asarray(value) if isinstance(value, np.generic) else value


def _require_real_float(dtype: np.dtype[Any]) -> None:
    if dtype.kind != "f":
        why = "complex gradients are not supported yet" if dtype.kind == "c" else "only floating point has gradients"
        raise GradientError(
            f"requires_grad=True on a tensor of dtype {dtype}: {why}. Make it a float, as in .to('float32')."
        )


def as_tensors(value: Tensor | Sequence[Tensor], name: str) -> list[Tensor]:
    """One tensor or several, as a list; ``name`` is for the message if they are something else."""
    if not isinstance(value, (Tensor, Iterable)):
        raise TypeError(f"{name} must be a Tensor or a sequence of Tensors, not {type(value).__name__}.")
    tensors = [value] if isinstance(value, Tensor) else list(value)
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}[{i}] is no Tensor but {type(tensor).__name__}.")
    return tensors
