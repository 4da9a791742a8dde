"""What ops should give, in NumPy and by definition, where NumPy has no function for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray

# -- elementwise and reductions --------------------------------------------------------------------------------


def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The logarithm of a sum of exponentials, -inf for a sum of nothing."""
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def variance(function: Callable[..., Array]) -> Callable[..., Array]:
    """``np.var`` or ``np.std`` with the standard's name for ``ddof``."""
    return lambda x, correction, **options: function(x, ddof=correction, **options)


def running(function: Callable[..., Array]) -> Callable[..., Array]:
    """``np.cumsum`` or ``np.cumprod``, for which no axis means the only one, perhaps after the total of nothing."""
    start = 1 if function is np.cumprod else 0

    def totals(x: Array, axis: int = 0, dtype: Any = None, include_initial: bool = False) -> Array:
        result = function(x, axis=axis, dtype=dtype).reshape(x.shape)
        return np.insert(result, 0, start, axis=axis) if include_initial else result

    return totals


# -- shapes, indices -------------------------------------------------------------------------------------------


def flatten(x: Array, start_dim: int, end_dim: int) -> Array:
    """The axes from one to another as one."""
    if x.ndim == 0:
        return x.reshape(1)
    start, end = start_dim % x.ndim, end_dim % x.ndim
    return x.reshape(*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])


def unstack(x: Array, axis: int = 0) -> tuple[Array, ...]:
    """The slices along an axis."""
    return tuple(np.moveaxis(x, axis, 0))


def index_put(x: Array, values: Array, key: Any) -> Array:
    """A copy with other values at a key."""
    out = x.copy()
    out[key] = values
    return out


def argsort(x: Array, axis: int = -1, descending: bool = False) -> Array:
    """The order of the elements, equal ones in theirs."""
    order = np.argsort(-np.atleast_1d(x) if descending else np.atleast_1d(x), axis=axis, kind="stable")
    return order.reshape(x.shape)


def sort(x: Array, axis: int = -1, descending: bool = False) -> Array:
    """The elements in order."""
    ordered = np.sort(np.atleast_1d(x), axis=axis)
    return (np.flip(ordered, axis=axis) if descending else ordered).reshape(x.shape)


def take_along_axis(x: Array, indices: Array, axis: int = -1) -> Array:
    """``np.take_along_axis``, which wants the other axes broadcast beforehand."""
    axis %= x.ndim
    shape = list(np.broadcast_shapes(*([*s[:axis], 1, *s[axis + 1 :]] for s in (x.shape, indices.shape))))
    whole, wanted = shape.copy(), shape.copy()
    whole[axis], wanted[axis] = x.shape[axis], indices.shape[axis]
    return np.take_along_axis(np.broadcast_to(x, whole), np.broadcast_to(indices, wanted), axis)


def vector_norm(x: Array, axis: Any, keepdims: bool, ord: float) -> Array:
    """``sum(abs(x)**p)**(1/p)`` and its limits."""
    size = np.abs(x)
    if ord in (math.inf, -math.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(size != 0, axis=axis, keepdims=keepdims).astype(x.dtype)
    return np.sum(size**ord, axis=axis, keepdims=keepdims) ** (1 / ord)
