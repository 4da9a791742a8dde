"""What a Tensor can do: its operators and methods, all of them functions of this room, given to it here.

One table for each kind. A name of NumPy's and the one that PyTorch has for the same thing stand side by side where
they do not clash.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops import (
    activations,
    arrangement,
    casting,
    elementwise,
    indexing,
    inplace,
    linalg,
    logic,
    numpy_protocol,
    powers,
    reductions,
    shape,
    softmax,
    trigonometry,
)
from tensorgrad.ops.arguments import as_operand, with_aliases
from tensorgrad.ops.geometry import normalize_axis


def _divmod(x1: Any, x2: Any) -> tuple[Any, Any]:
    return elementwise.floor_divide(x1, x2), elementwise.remainder(x1, x2)


BINARY = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.remainder,
    "divmod": _divmod,
    "pow": powers.pow,
    "matmul": linalg.matmul,
    "and": logic.bitwise_and,
    "or": logic.bitwise_or,
    "xor": logic.bitwise_xor,
    "lshift": logic.bitwise_left_shift,
    "rshift": logic.bitwise_right_shift,
}
"""``x + y`` and ``y + x``, by the name between the underscores."""

COMPARISONS = {
    "eq": logic.equal,
    "ne": logic.not_equal,
    "lt": logic.less,
    "le": logic.less_equal,
    "gt": logic.greater,
    "ge": logic.greater_equal,
}

UNARY = {
    "neg": elementwise.negative,
    "pos": elementwise.positive,
    "abs": elementwise.abs,
    "invert": logic.bitwise_invert,
}

OPERANDS = (Tensor, int, float, complex, list, tuple, range)
"""What an operator takes beside arrays; all else may know itself what to do with a Tensor."""

IN_PLACE = {
    "add": ("+", "add", elementwise.add),
    "sub": ("-", "subtract", elementwise.subtract),
    "mul": ("*", "multiply", elementwise.multiply),
    "truediv": ("/", "divide", elementwise.divide),
    "floordiv": ("//", "floor_divide", elementwise.floor_divide),
    "mod": ("%", "remainder", elementwise.remainder),
    "pow": ("**", "power", powers.pow),
    "and": ("&", "bitwise_and", logic.bitwise_and),
    "or": ("|", "bitwise_or", logic.bitwise_or),
    "xor": ("^", "bitwise_xor", logic.bitwise_xor),
    "lshift": ("<<", "left_shift", logic.bitwise_left_shift),
    "rshift": (">>", "right_shift", logic.bitwise_right_shift),
}
"""``x += y``: its symbol, the ufunc that does it in place, and the op that does it out of place."""

METHODS: dict[str, Callable[..., Any]] = {
    # elementwise
    "abs": elementwise.abs,
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "subtract": elementwise.subtract,
    "mul": elementwise.multiply,
    "multiply": elementwise.multiply,
    "div": elementwise.divide,
    "divide": elementwise.divide,
    "floor_divide": elementwise.floor_divide,
    "remainder": elementwise.remainder,
    "neg": elementwise.negative,
    "square": powers.square,
    "sqrt": powers.sqrt,
    "reciprocal": powers.reciprocal,
    "exp": powers.exp,
    "exp2": powers.exp2,
    "log": powers.log,
    "log2": powers.log2,
    "log10": powers.log10,
    "log1p": powers.log1p,
    "expm1": powers.expm1,
    "pow": powers.pow,
    "sign": elementwise.sign,
    "floor": elementwise.floor,
    "ceil": elementwise.ceil,
    "round": elementwise.round,
    "clip": elementwise.clip,
    "clamp": elementwise.clip,
    "maximum": elementwise.maximum,
    "minimum": elementwise.minimum,
    "sin": trigonometry.sin,
    "cos": trigonometry.cos,
    "tan": trigonometry.tan,
    "asin": trigonometry.asin,
    "acos": trigonometry.acos,
    "atan": trigonometry.atan,
    "sinh": trigonometry.sinh,
    "cosh": trigonometry.cosh,
    "tanh": trigonometry.tanh,
    "asinh": trigonometry.asinh,
    "acosh": trigonometry.acosh,
    "atanh": trigonometry.atanh,
    **COMPARISONS,
    "logical_and": logic.logical_and,
    "logical_or": logic.logical_or,
    "logical_xor": logic.logical_xor,
    "logical_not": logic.logical_not,
    "isnan": logic.isnan,
    "isinf": logic.isinf,
    "isfinite": logic.isfinite,
    "relu": activations.relu,
    "sigmoid": activations.sigmoid,
    "softmax": softmax.softmax,
    "log_softmax": softmax.log_softmax,
    # reductions
    "sum": reductions.sum,
    "mean": reductions.mean,
    "max": reductions.max,
    "amax": reductions.max,
    "min": reductions.min,
    "amin": reductions.min,
    "prod": reductions.prod,
    "var": reductions.var,
    "std": reductions.std,
    "logsumexp": reductions.logsumexp,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "all": reductions.all,
    "any": reductions.any,
    "count_nonzero": reductions.count_nonzero,
    # indexing
    "nonzero": indexing.nonzero,
    # shape
    "flatten": shape.flatten,
    "ravel": shape.flatten,
    "expand_dims": shape.expand_dims,
    "unsqueeze": shape.expand_dims,
    "squeeze": shape.squeeze,
    "swapaxes": shape.swapaxes,
    "moveaxis": shape.moveaxis,
    "broadcast_to": shape.broadcast_to,
    "repeat": arrangement.repeat,
    "split": shape.split,
    "tile": arrangement.tile,
    "tril": arrangement.tril,
    "triu": arrangement.triu,
    # products
    "matmul": linalg.matmul,
    "dot": linalg.matmul,
    "mm": linalg.matmul,
    "bmm": linalg.matmul,
    "outer": linalg.outer,
    # dtype, device, memory
    "astype": casting.astype,
    "to": casting.to,
    "type_as": casting.to,
    "clone": casting.clone,
    "copy": casting.clone,
    "add_": inplace.add_,
    "sub_": inplace.sub_,
    "mul_": inplace.mul_,
    "div_": inplace.div_,
    "clamp_": inplace.clamp_,
    "fill_": inplace.fill_,
    "zero_": inplace.zero_,
    "copy_": inplace.copy_,
}

ALONG_AN_AXIS = {
    "argsort": indexing.argsort,
    "cumprod": reductions.cumulative_prod,
    "cumsum": reductions.cumulative_sum,
    "cumulative_prod": reductions.cumulative_prod,
    "cumulative_sum": reductions.cumulative_sum,
    "flip": arrangement.flip,
    "roll": arrangement.roll,
    "sort": indexing.sort,
    "take": indexing.take,
    "take_along_axis": indexing.take_along_axis,
    "unbind": shape.unstack,
    "unstack": shape.unstack,
}
"""Functions whose axis has a name only, as in the standard; of a method it may be the last argument, as in NumPy.

Not of ``repeat`` and ``split``, by which PyTorch means something else.
"""

CASTS = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "int": "int32",
    "long": "int64",
    "bool": "bool",
}
"""PyTorch's ``x.float()`` and the like."""


def _numbers(args: tuple[Any, ...]) -> Any:
    """``x.reshape(2, 3)`` as well as ``x.reshape((2, 3))``."""
    return args[0] if len(args) == 1 else args


def reshape(self: Tensor, *new: Any, copy: bool | None = None) -> Tensor:
    """:func:`tensorgrad.reshape`, with the lengths as a tuple or one by one."""
    return shape.reshape(self, _numbers(new), copy=copy)


def permute(self: Tensor, *axes: Any) -> Tensor:
    """:func:`tensorgrad.permute_dims`, with the axes as a tuple or one by one."""
    return shape.permute_dims(self, _numbers(axes))


def transpose(self: Tensor, *axes: Any) -> Tensor:
    """The axes reversed or, as NumPy does, in the order given as a tuple or one by one."""
    return shape.transpose(self, _numbers(axes) if axes else None)


def expand(self: Tensor, *lengths: Any) -> Tensor:
    """:func:`tensorgrad.broadcast_to`, as a tuple or one by one; -1 leaves an axis as long as it is."""
    new = _numbers(lengths) if isinstance(lengths[0], (tuple, list)) else lengths
    own = (1,) * (len(new) - self.ndim) + self.shape
    return shape.broadcast_to(self, tuple(old if n == -1 else n for n, old in zip(new, own, strict=False)))


def masked_fill(self: Tensor, mask: Any, value: Any) -> Tensor:
    """``value`` where ``mask`` is true, the elements of this tensor elsewhere."""
    return logic.where(mask, value, self)


def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """The elements in the shape of ``other``."""
    return shape.reshape(self, other.shape)


def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """The elements, repeated to the shape of ``other``."""
    return shape.broadcast_to(self, other.shape)


@with_aliases
def norm(
    self: Tensor, p: float | str = 2, axis: Any = None, keepdims: bool = False, *, ord: float | None = None
) -> Tensor:
    """:func:`tensorgrad.linalg.vector_norm`, with PyTorch's order of arguments; ``"fro"`` is 2."""
    order = p if ord is None else ord
    return linalg.vector_norm(self, axis=axis, keepdims=keepdims, ord=2 if order == "fro" else order)


@with_aliases
def gather(self: Tensor, axis: int, index: Any) -> Tensor:
    """Elements along an axis at ``index``, which may be shorter along the others: it has the shape of what is given."""
    (axis,) = normalize_axis(axis, self.ndim)
    index = as_operand(index)
    lengths = tuple(index.shape)
    if len(lengths) != self.ndim or any(n > own for i, (n, own) in enumerate(zip(lengths, self.shape)) if i != axis):
        raise ValueError(
            f"gather() along axis {axis} of shape {self.shape} takes an index with as many axes, none but that one "
            f"longer; got {lengths}."
        )
    part = self[tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(lengths))]
    return indexing.take_along_axis(part, index, axis=axis)


@with_aliases
def index_select(self: Tensor, axis: int, index: Any) -> Tensor:
    """The parts of an axis with the numbers in ``index``, one-dimensional."""
    return indexing.take(self, index, axis=axis)


class TopK(NamedTuple):
    """The largest elements along an axis, and where they were."""

    values: Tensor
    indices: Tensor


@with_aliases
def topk(self: Tensor, k: int, axis: int = -1, largest: bool = True, sorted: bool = True) -> TopK:
    """The ``k`` largest (or smallest) elements along an axis, in order, and their indices; of equal ones the first."""
    (axis,) = normalize_axis(axis, self.ndim)
    if not 0 <= k <= self.shape[axis]:
        raise ValueError(f"topk() takes 0 to {self.shape[axis]} elements along axis {axis} of {self.shape}, not {k}.")
    order = indexing.argsort(self, axis=axis, descending=largest)
    indices = order[(slice(None),) * axis + (slice(k),)]
    return TopK(indexing.take_along_axis(self, indices, axis=axis), indices)


def t(self: Tensor) -> Tensor:
    """The transpose of a matrix; a vector stays as it is."""
    if self.ndim > 2:
        raise ValueError(f"t() is for up to 2 axes, this has shape {self.shape}: use x.mT or x.permute(axes).")
    return shape.transpose(self)


def contiguous(self: Tensor) -> Tensor:
    """The tensor itself if its elements lie in order in memory, else a copy of which they do."""
    return self if self.data.flags.c_contiguous else casting.clone(self)


def cuda(self: Tensor, index: int = 0) -> Tensor:
    """The tensor on the GPU numbered ``index``."""
    return casting.to(self, device=f"cuda:{index}")


def cpu(self: Tensor) -> Tensor:
    """The tensor on the CPU."""
    return casting.to(self, device="cpu")


def to_device(self: Tensor, device: str, /, *, stream: None = None) -> Tensor:
    """The tensor on a device, under the standard's name; copies go over the current stream of the device."""
    if stream is not None:
        raise ValueError(f"to_device() copies over the device's current stream: stream is None, not {stream!r}.")
    return casting.to(self, device=device)


def _namespace(self: Tensor, /, *, api_version: str | None = None) -> Any:
    return sys.modules["tensorgrad"]


def _reflected(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)


def _with_axis(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose axis has a name only, with the axis as its last positional argument too."""
    kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    before = len(kinds) - kinds.count(inspect.Parameter.KEYWORD_ONLY)

    @functools.wraps(function)
    def method(*args: Any, **options: Any) -> Any:
        if len(args) == before + 1:
            *args, options["axis"] = args  # type: ignore[assignment]
        return function(*args, **options)

    return method


def _rounded(self: Tensor, decimals: int | None = None) -> Tensor:
    return elementwise.round(self, decimals or 0)


def _guarded(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """An operator that leaves what it does not know to the other operand."""
    record = getattr(function, "op", None)
    if record is not None and record.plain:
        apply = record.apply

        def operator(self: Tensor, other: Any) -> Any:
            # Straight to the op: its arguments need no sorting.
            if isinstance(other, OPERANDS) or _is_operand(other):
                return apply([self, other])
            return NotImplemented

        return operator

    def method(self: Tensor, other: Any) -> Any:
        return function(self, other) if isinstance(other, OPERANDS) or _is_operand(other) else NotImplemented

    return method


def _is_operand(value: Any) -> bool:
    return hasattr(value, "__array__") or backend.of(value) is not None


OTHERS: dict[str, Any] = {
    "view": reshape,
    "view_as": reshape_as,
    "permute_dims": permute,
    "T": property(shape.transpose, doc="The axes reversed."),
    "mT": property(shape.matrix_transpose, doc="The last two axes exchanged."),
    "__round__": _rounded,
    "__getitem__": indexing.getitem,
    "__setitem__": inplace.setitem,
    "__array_namespace__": _namespace,
    "__array_ufunc__": numpy_protocol.array_ufunc,
    "__array_function__": numpy_protocol.array_function,
}
"""Second names, properties, and what Python and NumPy ask for."""


NAMED: tuple[Callable[..., Any], ...] = (
    reshape,
    permute,
    transpose,
    expand,
    expand_as,
    masked_fill,
    reshape_as,
    norm,
    gather,
    index_select,
    topk,
    t,
    contiguous,
    cuda,
    cpu,
    to_device,
)
"""The functions above that are methods under their own names."""


def _install() -> None:
    for name, function in BINARY.items():
        setattr(Tensor, f"__{name}__", _guarded(function))
        setattr(Tensor, f"__r{name}__", _guarded(_reflected(function)))
    for name, function in COMPARISONS.items():
        setattr(Tensor, f"__{name}__", _guarded(function))
    for name, function in UNARY.items():
        setattr(Tensor, f"__{name}__", lambda self, function=function: function(self))
    for name, (symbol, ufunc, function) in IN_PLACE.items():
        setattr(Tensor, f"__i{name}__", _guarded(inplace.update(symbol, ufunc, function)))
    for name, function in METHODS.items():
        setattr(Tensor, name, function)
    for name, function in ALONG_AN_AXIS.items():
        setattr(Tensor, name, _with_axis(function))
    for name, dtype in CASTS.items():
        setattr(Tensor, name, functools.partialmethod(casting.to, dtype=dtype))
    for method in NAMED:
        setattr(Tensor, method.__name__, method)
    for name, member in OTHERS.items():
        setattr(Tensor, name, member)


_install()
