"""Max pooling on the CPU: strided maximums and comparisons, and flat indices to pick and place."""

from __future__ import annotations

import math

import numpy as np

from tensorgrad import threads
from tensorgrad.backend import Array
from tensorgrad.kernels import reference
from tensorgrad.kernels.dtypes import accumulator, lowest
from tensorgrad.kernels.geometry import Pairs, Sizes, Tap, expect_shape, output_shape, position_dtype, taps

CHUNK = 1 << 17
"""Elements of the input that are pooled at a time: they stay in the cache from tap to tap."""


def max_pool(x: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> tuple[Array, Array]:
    """The maximum of every window and its position (:func:`tensorgrad.kernels.reference.max_pool`)."""
    shape = _pooled_shape(x.shape, kernel, stride, padding, dilation)
    values = np.empty(shape, dtype=x.dtype)
    positions = np.empty(shape, dtype=position_dtype(kernel))
    every_tap = list(taps(x.shape[2:], kernel, stride, padding, dilation))

    def fill(images: slice) -> None:
        _max_pool(x[images], values[images], positions[images], every_tap)
        if np.isnan(values[images]).any():  # NaN equals no element, not even itself
            values[images], positions[images] = reference.max_pool(
                x[images], kernel=kernel, stride=stride, padding=padding, dilation=dilation
            )

    step = max(1, CHUNK // max(1, math.prod(x.shape[1:])))
    threads.each(fill, [slice(start, start + step) for start in range(0, len(x), step)])
    return values, positions


def _max_pool(x: Array, values: Array, positions: Array, every_tap: list[Tap]) -> None:
    """Fills in the maximums, then their positions: how many taps come before the first that equals the maximum."""
    values.fill(lowest(np, x.dtype))
    for tap in every_tap:
        best = values[tap.outputs]
        np.maximum(best, x[tap.inputs], out=best)
    missing = np.ones(values.shape, dtype=np.bool_)
    positions.fill(0)
    for tap in every_tap:
        missing[tap.outputs] &= x[tap.inputs] != values[tap.outputs]
        positions += missing


def pick(x: Array, positions: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """From every window the element at a given position (:func:`tensorgrad.kernels.reference.pick`)."""
    expect_shape("positions", positions.shape, _pooled_shape(x.shape, kernel, stride, padding, dilation))
    if _some_are_nowhere(positions, kernel):
        return reference.pick(x, positions, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    return x.reshape(-1)[_flat(positions, x.shape[2:], kernel, stride, padding, dilation)]


def place(
    y: Array, positions: Array, *, spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> Array:
    """Each element of ``y`` added to the place it was picked from (:func:`tensorgrad.kernels.reference.place`)."""
    shape = (*y.shape[:2], *spatial)
    expect_shape("y", y.shape, _pooled_shape(shape, kernel, stride, padding, dilation))
    expect_shape("positions", positions.shape, y.shape)
    if _some_are_nowhere(positions, kernel):
        return reference.place(
            y, positions, spatial=spatial, kernel=kernel, stride=stride, padding=padding, dilation=dilation
        )
    wide = y.astype(accumulator(np, y.dtype), copy=False)
    x = np.zeros(math.prod(shape), dtype=wide.dtype)
    np.add.at(x, _flat(positions, spatial, kernel, stride, padding, dilation).reshape(-1), wide.reshape(-1))
    return x.reshape(shape).astype(y.dtype, copy=False)


def _pooled_shape(shape: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Sizes:
    return (*shape[:2], *output_shape(shape[2:], kernel, stride, padding, dilation))


def _some_are_nowhere(positions: Array, kernel: Sizes) -> bool:
    return bool((positions == math.prod(kernel)).any())


def _flat(positions: Array, spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """Positions in windows as indices into the flattened ``x``: image + corner of the window + tap in the window."""
    image = np.arange(math.prod(positions.shape[:2])).reshape(*positions.shape[:2], *(1 for _ in spatial))
    corner, tap = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.intp)
    for size, out, k, s, (lo, _), d in zip(
        spatial, positions.shape[2:], kernel, stride, padding, dilation, strict=True
    ):
        corner = np.add.outer(corner * size, np.arange(out) * s - lo)
        tap = np.add.outer(tap * size, np.arange(k) * d)
    index = tap.reshape(-1)[positions]
    index += corner.reshape(positions.shape[2:])
    index += image * math.prod(spatial)
    return index
