"""What a Tensor can do: its operators and methods, all of them functions of this room, given to it here.

One table for each kind. A name of NumPy's and the one that PyTorch has for the same thing stand side by side where
they do not clash.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor, is_grad_enabled
from tensorgrad.ops import (
    activations,
    casting,
    elementwise,
    indexing,
    inplace,
    linalg,
    logic,
    powers,
    reductions,
    shape,
    trigonometry,
)

BINARY = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.remainder,
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
    "square": powers.square,
    "sqrt": powers.sqrt,
    "reciprocal": powers.reciprocal,
    "exp": powers.exp,
    "log": powers.log,
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
    "tanh": trigonometry.tanh,
    "isnan": logic.isnan,
    "isinf": logic.isinf,
    "isfinite": logic.isfinite,
    "relu": activations.relu,
    "sigmoid": activations.sigmoid,
    "softmax": activations.softmax,
    "log_softmax": activations.log_softmax,
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
    "norm": linalg.vector_norm,
    # sorting and indexing
    "sort": indexing.sort,
    "argsort": indexing.argsort,
    "nonzero": indexing.nonzero,
    "take": indexing.take,
    # shape
    "flatten": shape.flatten,
    "ravel": shape.flatten,
    "expand_dims": shape.expand_dims,
    "unsqueeze": shape.expand_dims,
    "squeeze": shape.squeeze,
    "swapaxes": shape.swapaxes,
    "moveaxis": shape.moveaxis,
    "broadcast_to": shape.broadcast_to,
    "repeat": shape.repeat,
    "tile": shape.tile,
    "flip": shape.flip,
    "roll": shape.roll,
    "unstack": shape.unstack,
    "split": shape.split,
    # products
    "matmul": linalg.matmul,
    "dot": linalg.matmul,
    # dtype, device, memory
    "astype": casting.astype,
    "to": casting.to,
    "clone": casting.clone,
    "copy": casting.clone,
    "fill_": inplace.fill_,
    "zero_": inplace.zero_,
    "copy_": inplace.copy_,
}

CASTS = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "int": "int32",
    "long": "int64",
    "bool": "bool",
}
"""PyTorch's ``x.float()`` and the like."""

NUMPY_NAMES = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "amax": "max",
    "amin": "min",
    "concatenate": "concat",
    "cumsum": "cumulative_sum",
    "cumprod": "cumulative_prod",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "power": "pow",
    "right_shift": "bitwise_right_shift",
    "true_divide": "divide",
}
"""NumPy's names for functions that the standard, and tensorgrad, call otherwise."""

UNLIKE_NUMPY = {"diagonal", "trace"}
"""Functions that are of the last two axes here, as in the standard, and of the first two in NumPy."""


def _numbers(args: tuple[Any, ...]) -> Any:
    """``x.reshape(2, 3)`` as well as ``x.reshape((2, 3))``."""
    return args[0] if len(args) == 1 else args


def reshape(self: Tensor, *new: Any) -> Tensor:
    """:func:`tensorgrad.reshape`, with the lengths as a tuple or one by one."""
    return shape.reshape(self, _numbers(new))


def permute(self: Tensor, *axes: Any) -> Tensor:
    """:func:`tensorgrad.permute_dims`, with the axes as a tuple or one by one."""
    return shape.permute_dims(self, _numbers(axes))


def transpose(self: Tensor, *axes: Any) -> Tensor:
    """The axes reversed or, as NumPy does, in the order given as a tuple or one by one."""
    return shape.transpose(self, _numbers(axes) if axes else None)


def cuda(self: Tensor, index: int = 0) -> Tensor:
    """The tensor on the GPU numbered ``index``."""
    return casting.to(self, device=f"cuda:{index}")


def cpu(self: Tensor) -> Tensor:
    """The tensor on the CPU."""
    return casting.to(self, device="cpu")


def _namespace(self: Tensor, /, *, api_version: str | None = None) -> Any:
    return sys.modules["tensorgrad"]


def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """``np.sin(tensor)`` and ``array * tensor`` are tensorgrad's functions of that name."""
    ours = None if method != "__call__" or options else _op(ufunc.__name__)
    return _on_arrays(getattr(ufunc, method), inputs, options) if ours is None else ours(*inputs)


def _array_function(
    self: Tensor, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """``np.sum(tensor, axis=0)`` is tensorgrad's function of that name."""
    ours = _op(function.__name__)
    return _on_arrays(function, args, kwargs) if ours is None else ours(*args, **kwargs)


def _op(name: str) -> Callable[..., Any] | None:
    """The op that does what NumPy's function of that name does."""
    function = getattr(sys.modules["tensorgrad"], NUMPY_NAMES.get(name, name), None)
    is_op = getattr(function, "__module__", "").startswith("tensorgrad.ops.") and name not in UNLIKE_NUMPY
    return function if is_op else None


def _on_arrays(function: Callable[..., Any], args: Any, options: Any) -> Any:
    """NumPy's own function on the bare arrays, where that loses no gradient."""

    def bare(value: Any) -> Any:
        if isinstance(value, Tensor):
            if value.requires_grad and is_grad_enabled():
                raise TypeError(
                    f"NumPy's {function.__name__}() has no counterpart here that gradients could flow through: give it "
                    f"x.detach(), or look for another function in tensorgrad."
                )
            return np.asarray(value)
        if isinstance(value, (tuple, list)):
            return type(value)(map(bare, value))
        return value

    return function(*map(bare, args), **{name: bare(value) for name, value in options.items()})


def _reflected(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: function(other, self)


def _guarded(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """An operator that leaves what it does not know to the other operand."""

    def method(self: Tensor, other: Any) -> Any:
        return function(self, other) if _is_operand(other) else NotImplemented

    return method


def _is_operand(value: Any) -> bool:
    return not (value is None or isinstance(value, (str, bytes, dict, set)))


def _install() -> None:
    for name, function in BINARY.items():
        setattr(Tensor, f"__{name}__", _guarded(function))
        setattr(Tensor, f"__r{name}__", _guarded(_reflected(function)))
    for name, function in COMPARISONS.items():
        setattr(Tensor, f"__{name}__", _guarded(function))
    for name, function in UNARY.items():
        setattr(Tensor, f"__{name}__", lambda self, function=function: function(self))
    for name, (symbol, ufunc, function) in IN_PLACE.items():
        setattr(Tensor, f"__i{name}__", inplace.update(symbol, ufunc, function))
    for name, function in METHODS.items():
        setattr(Tensor, name, function)
    for name, dtype in CASTS.items():
        setattr(Tensor, name, functools.partialmethod(casting.to, dtype=dtype))
    for method in (reshape, permute, transpose, cuda, cpu):
        setattr(Tensor, method.__name__, method)
    Tensor.view = reshape  # type: ignore[attr-defined]
    Tensor.permute_dims = permute  # type: ignore[attr-defined]
    Tensor.T = property(shape.transpose, doc="The axes reversed.")  # type: ignore[attr-defined]
    Tensor.mT = property(shape.matrix_transpose, doc="The last two axes exchanged.")  # type: ignore[attr-defined]
    Tensor.__getitem__ = indexing.getitem
    Tensor.__setitem__ = inplace.setitem
    Tensor.__array_namespace__ = _namespace  # type: ignore[attr-defined]
    Tensor.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = _array_function  # type: ignore[attr-defined]


_install()
