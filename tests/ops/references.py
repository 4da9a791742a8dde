"""What ops should give, in NumPy and by definition, where NumPy has no function for it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray

# -- elementwise and reductions --------------------------------------------------------------------------------


def clip(x: Array, *bounds: Array, names: tuple[str, ...]) -> Array:
    """``x`` between bounds of which there are those that ``names`` names."""
    given = dict(zip(names, bounds, strict=True))
    x = np.maximum(x, given["min"]) if "min" in given else x
    return np.minimum(x, given["max"]) if "max" in given else x


def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """The logarithm of a sum of exponentials, -inf for a sum of nothing."""
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def variance(function: Callable[..., Array]) -> Callable[..., Array]:
    """``np.var`` or ``np.std`` with the standard's name for ``ddof``."""
    return lambda x, correction, **options: function(x, ddof=correction, **options)


def running(function: Callable[..., Array]) -> Callable[..., Array]:
    """``np.cumsum`` or ``np.cumprod``, for which no axis means the only one."""
    return lambda x, axis=0: function(x, axis=axis)


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
    return np.argsort(-x if descending else x, axis=axis, kind="stable")


def sort(x: Array, axis: int = -1, descending: bool = False) -> Array:
    """The elements in order."""
    return np.flip(np.sort(x, axis=axis), axis=axis) if descending else np.sort(x, axis=axis)


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


# -- windows ---------------------------------------------------------------------------------------------------


def per_axis(option: Any, d: int) -> tuple[Any, ...]:
    """A number for all axes, or one for each."""
    return tuple(option) if isinstance(option, (tuple, list)) else (option,) * d


def per_side(padding: Any, d: int) -> list[tuple[int, int]]:
    """Padding as a pair for each axis."""
    return [side if isinstance(side, tuple) else (side, side) for side in per_axis(padding, d)]


def windows(x: Array, kernel: Any, stride: Any, dilation: Any) -> Array:
    """All windows over the last axes: shape (..., *out, *kernel)."""
    d = len(kernel)
    extent = [(k - 1) * e + 1 for k, e in zip(kernel, dilation, strict=True)]
    every = sliding_window_view(x, extent, axis=tuple(range(-d, 0)))
    steps = [slice(None, None, n) for n in (*stride, *dilation)]
    return every[(..., *steps)]


def convolution(
    x: Array, weight: Array, bias: Array | None = None, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    """Every output as the sum over its window; the kernel is not flipped."""
    d = weight.ndim - 2
    stride, dilation = per_axis(stride, d), per_axis(dilation, d)
    if padding == "valid":
        padding = 0
    elif padding == "same":
        total = [e * (k - 1) for k, e in zip(weight.shape[2:], dilation, strict=True)]
        padding = tuple((n // 2, n - n // 2) for n in total)
    padded = np.pad(x, [(0, 0)] * (x.ndim - d) + per_side(padding, d))
    seen = windows(padded, weight.shape[2:], stride, dilation)
    channels, letters = -2 * d - 1, "uvw"[:d]
    out = np.concatenate(
        [
            np.einsum(f"...c{'xyz'[:d]}{letters},oc{letters}->...o{'xyz'[:d]}", part, kernels)
            for part, kernels in zip(np.split(seen, groups, channels), np.split(weight, groups), strict=True)
        ],
        axis=-d - 1,
    )
    return out if bias is None else out + bias.reshape(-1, *[1] * d)


def pooling(reduce: str, d: int) -> Callable[..., Array]:
    """Pooling by definition: what is outside of the image is NaN, and left out.

    Args:
        reduce: ``"max"``, ``"min"``, ``"sum"``, ``"median"`` or ``"mean"``.
        d: the number of spatial axes.
    """

    def pool(
        x: Array,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> Array:
        kernel = per_axis(kernel_size, d)
        step = kernel if stride is None else per_axis(stride, d)
        spread = per_axis(dilation, d)
        sides = per_side(padding, d)
        more = [_room_for_last(*each) if ceil_mode else 0 for each in zip(x.shape[-d:], kernel, step, sides, spread)]
        around = [(lo, hi + extra) for (lo, hi), extra in zip(sides, more, strict=True)]
        padded = np.pad(
            x.astype(np.result_type(x, np.float16)), [(0, 0)] * (x.ndim - d) + around, constant_values=np.nan
        )
        seen = windows(padded, kernel, step, spread)
        axes = tuple(range(-d, 0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if count_include_pad:
                counted = np.pad(np.pad(np.ones(x.shape[-d:]), sides, constant_values=1), [(0, n) for n in more])
                return np.nansum(seen, axis=axes) / windows(counted, kernel, step, spread).sum(axis=axes)
            return getattr(np, f"nan{reduce}")(seen, axis=axes).astype(x.dtype if reduce != "mean" else None)

    return pool


def _room_for_last(n: int, k: int, step: int, sides: tuple[int, int], spread: int) -> int:
    """How many positions are missing for one more window, if it starts inside the image or the padding before it."""
    extent = (k - 1) * spread + 1
    room = n + sum(sides) - extent
    start = (room // step + 1) * step
    return start - room if room % step and start < n + sides[0] else 0


def adaptive(function: Callable[..., Array]) -> Callable[..., Array]:
    """The windows that PyTorch cuts: from ``floor(i n / count)`` to ``ceil((i + 1) n / count)``."""

    def pool(x: Array, output_size: Any = 1) -> Array:
        counts = [n if m is None else m for n, m in zip(x.shape[-2:], per_axis(output_size, 2), strict=True)]
        out = np.zeros((*x.shape[:-2], *counts))
        for i, j in np.ndindex(*counts):
            rows, columns = (
                slice(at * n // m, math.ceil((at + 1) * n / m))
                for at, n, m in zip((i, j), x.shape[-2:], counts, strict=True)
            )
            out[..., i, j] = function(x[..., rows, columns], axis=(-2, -1))
        return out

    return pool
