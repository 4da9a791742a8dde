"""NumPy's functions on Tensors: ``np.sum(x, axis=0)`` and ``array * x`` are tensorgrad's functions of that name.

Arguments are as NumPy has them. What tensorgrad has no counterpart for, or none that takes these arguments, NumPy
itself does on the bare arrays, where no gradient is lost by that. It only reads them: a change would not be counted.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor, is_grad_enabled
from tensorgrad.ops import elementwise, indexing, linalg, logic, reductions, shape
from tensorgrad.ops.arguments import as_operand
from tensorgrad.ops.geometry import normalize_axis

NAMES = {
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
    "around": "round",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "power": "pow",
    "ravel": "flatten",
    "right_shift": "bitwise_right_shift",
    "true_divide": "divide",
}
"""NumPy's names for functions that the standard, and tensorgrad, call otherwise."""

OPTIONS = {"ddof": "correction", "a_min": "min", "a_max": "max"}
"""NumPy's names for options, likewise."""

IMMATERIAL = {"kind", "optimize", "stable", "subok"}
"""NumPy's options that say how, and not what, to compute."""

UNLIKE_NUMPY = {"diagonal", "trace"}
"""Functions that are of the last two axes here, as in the standard and ``np.linalg``, and of the first two in NumPy."""

WITHOUT_GRADIENTS = {
    np.allclose,
    np.argpartition,
    np.argwhere,
    np.array2string,
    np.array_equal,
    np.array_equiv,
    np.array_repr,
    np.array_str,
    np.bincount,
    np.can_cast,
    np.digitize,
    np.flatnonzero,
    np.histogram,
    np.isclose,
    np.iscomplexobj,
    np.isin,
    np.isrealobj,
    np.may_share_memory,
    np.result_type,
    np.save,
    np.savetxt,
    np.savez,
    np.searchsorted,
    np.shares_memory,
    np.unique,
}
"""NumPy's functions whose results nobody differentiates: they may have the bare arrays of any Tensor."""


def _along(function: Callable[..., Any], default: int | None = None) -> Callable[..., Any]:
    """A function along an axis that NumPy has along none, too: in the flattened array."""

    def call(a: Any, axis: int | None = default) -> Any:
        return function(shape.reshape(a, -1), axis=0) if axis is None else function(a, axis=axis)

    return call


def _concatenate(arrays: Any, axis: int | None = 0) -> Any:
    return shape.concat(arrays, axis=axis)


def _vstack(tup: Any) -> Any:
    arrays = map(as_operand, tup)
    return shape.concat([x if x.ndim > 1 else shape.reshape(x, (1, -1)) for x in arrays], axis=0)


def _hstack(tup: Any) -> Any:
    arrays = [x if x.ndim else shape.reshape(x, -1) for x in map(as_operand, tup)]
    return shape.concat(arrays, axis=min(arrays[0].ndim - 1, 1))


def _where(condition: Any, x: Any = None, y: Any = None) -> Any:
    return indexing.nonzero(condition) if x is None and y is None else logic.where(condition, x, y)


def _dot(a: Any, b: Any) -> Any:
    axes = _ndim(a), _ndim(b)
    if 0 in axes:
        return elementwise.multiply(a, b)
    return linalg.matmul(a, b) if max(axes) <= 2 else NotImplemented


def _shape(a: Any) -> Any:
    return as_operand(a).shape


def _ndim(a: Any) -> int:
    return len(_shape(a))


def _size(a: Any, axis: Any = None) -> int:
    return math.prod(_shape(a)[i] for i in normalize_axis(axis, _ndim(a)))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord is None or isinstance(axis, (int, np.integer)) or (axis is None and x.ndim == 1):
        return linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=2 if ord is None else ord)
    return NotImplemented


COUNTERPARTS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.argsort: _along(indexing.argsort, -1),
    np.concatenate: _concatenate,
    np.cumprod: _along(reductions.cumulative_prod),
    np.cumsum: _along(reductions.cumulative_sum),
    np.dot: _dot,
    np.hstack: _hstack,
    np.linalg.norm: _norm,
    np.ndim: _ndim,
    np.shape: _shape,
    np.size: _size,
    np.sort: _along(indexing.sort, -1),
    np.vstack: _vstack,
    np.where: _where,
}
"""Functions that differ from tensorgrad's by more than names. NotImplemented leaves a call to NumPy."""


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """``np.sin(tensor)`` and ``array * tensor`` are tensorgrad's functions of that name."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if method == "at":
        # NumPy lets this one write into a read-only array, too.
        _refuse_writing(inputs[:1], name)
    ours = None if method != "__call__" or options else _ours(ufunc.__name__, sys.modules["tensorgrad"])
    return _by_numpy(getattr(ufunc, method), name, inputs, options) if ours is None else ours(*inputs)


def array_function(
    self: Tensor, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """``np.sum(tensor, axis=0)`` is tensorgrad's function of that name."""
    ours = _counterpart(function)
    call = None if ours is None else _translated(function, ours, args, kwargs)
    result = NotImplemented if ours is None or call is None else ours(*call.args, **call.kwargs)
    return _by_numpy(function, function.__name__, args, kwargs) if result is NotImplemented else result


@functools.cache
def _counterpart(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """What does here, if anything does, what a function of NumPy's does."""
    if function in COUNTERPARTS:
        return COUNTERPARTS[function]
    if function.__module__ == "numpy.linalg":
        return getattr(linalg, function.__name__) if function.__name__ in linalg.__all__ else None
    if function.__module__ != "numpy" or function.__name__ in UNLIKE_NUMPY:
        return None
    return _ours(function.__name__, sys.modules["tensorgrad"])


def _ours(name: str, namespace: Any) -> Callable[..., Any] | None:
    """The op of that name of NumPy's."""
    function = getattr(namespace, NAMES.get(name, name), None)
    return function if getattr(function, "__module__", "").startswith("tensorgrad.ops.") else None


@functools.cache
def _signatures(function: Callable[..., Any], ours: Callable[..., Any]) -> tuple[inspect.Signature, inspect.Signature]:
    """The parameters of NumPy's function and of ours."""
    mine = inspect.signature(ours)
    try:
        return inspect.signature(function), mine
    except ValueError:
        # Functions written in C tell theirs since NumPy 2.4; those that differ are in the table of counterparts.
        return mine, mine


def _translated(
    function: Callable[..., Any], ours: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> inspect.BoundArguments | None:
    """Arguments for NumPy's function as those of ours; None where ours does not take them.

    What NumPy requires is handed on by position, what may be left out by name.
    """
    theirs, mine = _signatures(function, ours)
    places = sum(parameter.kind is not parameter.KEYWORD_ONLY for parameter in mine.parameters.values())
    given: list[Any] = []
    options: dict[str, Any] = {}
    try:
        bound = theirs.bind(*args, **kwargs)
    except TypeError:
        return None
    for name, value in bound.arguments.items():
        parameter, ours_name = theirs.parameters[name], OPTIONS.get(name, name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            given += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            options |= value
        elif parameter.default is parameter.empty and len(given) < places:
            given.append(value)
        elif ours_name in mine.parameters:
            options[ours_name] = value
        elif name not in IMMATERIAL and value is not parameter.default:
            return None
    try:
        return mine.bind(*given, **options)
    except TypeError:
        return None


def _by_numpy(function: Callable[..., Any], name: str, args: Any, options: Any) -> Any:
    """NumPy's own function on the bare arrays, where that loses no gradient."""

    def bare(value: Any) -> Any:
        if isinstance(value, Tensor):
            if value.requires_grad and is_grad_enabled() and function not in WITHOUT_GRADIENTS:
                raise TypeError(
                    f"NumPy's {name}() has no counterpart here, for these arguments, that gradients could flow "
                    f"through: give it x.detach(), or look for another function in tensorgrad."
                )
            array = np.asarray(value).view()
            array.flags.writeable = False
            return array
        if isinstance(value, (tuple, list)):
            return type(value)(map(bare, value))
        return value

    out = options.get("out")
    _refuse_writing(out if isinstance(out, tuple) else (out,), name)
    return function(*map(bare, args), **{key: bare(value) for key, value in options.items()})


def _refuse_writing(targets: tuple[Any, ...], name: str) -> None:
    if any(isinstance(target, Tensor) for target in targets):
        raise TypeError(
            f"NumPy's {name}() does not write into a Tensor, since that would not be counted as a change: write "
            f"x[...] = values."
        )
