"""Pooling: the maximum or the sum of every window, and the transposes of taking and of summing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tensorgrad.backend import Array, namespace
from tensorgrad.kernels.dtypes import accumulator, lowest
from tensorgrad.kernels.geometry import Index, Pairs, Sizes, expect_shape, output_shape, position_dtype, taps


def max_pool(x: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> tuple[Array, Array]:
    """The maximum of every window, and where in the window it was found.

    Padding never wins, whatever the values: a window sees only the input. NaN wins over everything, as in ``max``.

    Args:
        x: ``(N, C, *spatial)``, integers and booleans too.
        kernel: taps per axis.
        stride: from one window to the next, per axis.
        padding: ``(before, after)`` per axis.
        dilation: from one tap to the next, per axis.

    Returns:
        ``values`` and ``positions``, both ``(N, C, *out)``. A position is the row-major number, in the window, of the
        first maximum or the first NaN, in the smallest unsigned dtype that serves. A window that lies wholly in the
        padding has the lowest value of the dtype (-inf) and the position ``prod(kernel)``, which is no tap's.

    Raises:
        ValueError: if the kernel does not fit.

    >>> import numpy as np
    >>> x = np.asarray([[[3, 7, 7, 2]]])
    >>> max_pool(x, kernel=(2,), stride=(1,), padding=((0, 0),), dilation=(1,))
    (array([[[7, 7, 7]]]), array([[[1, 0, 0]]], dtype=uint8))
    """
    xp = namespace(x)
    nowhere = math.prod(kernel)
    shape = (*x.shape[:2], *output_shape(x.shape[2:], kernel, stride, padding, dilation))
    values = xp.full(shape, lowest(xp, x.dtype), dtype=x.dtype)
    positions = xp.full(shape, nowhere, dtype=position_dtype(kernel))
    for tap in taps(x.shape[2:], kernel, stride, padding, dilation):
        new, best, position = x[tap.inputs], values[tap.outputs], positions[tap.outputs]
        first_nan = (new != new) & (best == best)
        better = (new > best) | first_nan | (position == nowhere)
        values[tap.outputs] = xp.where(better, new, best)
        positions[tap.outputs] = xp.where(better, tap.number, position)
    return values, positions


def pick(x: Array, positions: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """From every window of ``x`` the element at a given position: what :func:`max_pool` took, if it gave the positions.

    Args:
        x: ``(N, C, *spatial)``.
        positions: ``(N, C, *out)``, as :func:`max_pool` gives them for an array of this shape. From a window that
            lies wholly in the padding, zero is picked.
        kernel: taps per axis.
        stride: from one window to the next, per axis.
        padding: ``(before, after)`` per axis.
        dilation: from one tap to the next, per axis.

    Returns:
        ``(N, C, *out)``.

    Raises:
        ValueError: if the kernel does not fit, or the positions are not one for each window.

    >>> import numpy as np
    >>> x, positions = np.asarray([[[10, 20, 30, 40]]]), np.asarray([[[1, 0, 0]]])
    >>> pick(x, positions, kernel=(2,), stride=(1,), padding=((0, 0),), dilation=(1,))
    array([[[20, 20, 30]]])
    """
    xp = namespace(x)
    out = output_shape(x.shape[2:], kernel, stride, padding, dilation)
    expect_shape("positions", positions.shape, (*x.shape[:2], *out))
    picked = xp.zeros(positions.shape, dtype=x.dtype)
    for tap in taps(x.shape[2:], kernel, stride, padding, dilation):
        here = positions[tap.outputs] == tap.number
        picked[tap.outputs] = xp.where(here, x[tap.inputs], picked[tap.outputs])
    return picked


def place(
    y: Array, positions: Array, *, spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> Array:
    """The transpose of :func:`pick` in ``x``: each element of ``y`` is added to the place that it was picked from.

    Args:
        y: ``(N, C, *out)``.
        positions: of the same shape, as in :func:`pick`.
        spatial: the spatial shape of ``x``.
        kernel: taps per axis.
        stride: from one window to the next, per axis.
        padding: ``(before, after)`` per axis.
        dilation: from one tap to the next, per axis.

    Returns:
        ``(N, C, *spatial)``.

    Raises:
        ValueError: if the kernel does not fit, or ``y`` or the positions are not one for each window.

    >>> import numpy as np
    >>> y, positions = np.asarray([[[1, 10, 100]]]), np.asarray([[[1, 0, 0]]])
    >>> place(y, positions, spatial=(4,), kernel=(2,), stride=(1,), padding=((0, 0),), dilation=(1,))
    array([[[  0,  11, 100,   0]]])
    """
    xp = namespace(y)
    out = output_shape(spatial, kernel, stride, padding, dilation)
    expect_shape("y", y.shape, (*y.shape[:2], *out))
    expect_shape("positions", positions.shape, y.shape)
    x = xp.zeros((*y.shape[:2], *spatial), dtype=accumulator(xp, y.dtype))
    zero = xp.zeros_like(y)
    for tap in taps(spatial, kernel, stride, padding, dilation):
        here = positions[tap.outputs] == tap.number
        x[tap.inputs] += xp.where(here, y[tap.outputs], zero[tap.outputs])
    return x.astype(y.dtype, copy=False)


def sum_pool(x: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """The sum of every window, with zeros in the padding: one axis after the other, ``sum(kernel)`` additions in all.

    The dtype is kept, so that small integers can overflow: convert them first.

    Args:
        x: ``(N, C, *spatial)``.
        kernel: taps per axis.
        stride: from one window to the next, per axis.
        padding: ``(before, after)`` per axis.
        dilation: from one tap to the next, per axis.

    Returns:
        ``(N, C, *out)``.

    Raises:
        ValueError: if the kernel does not fit.

    >>> import numpy as np
    >>> sum_pool(np.asarray([[[1, 2, 3, 4]]]), kernel=(2,), stride=(2,), padding=((0, 0),), dilation=(1,))
    array([[[3, 7]]])
    """
    xp = namespace(x)
    out = output_shape(x.shape[2:], kernel, stride, padding, dilation)
    total = x.astype(accumulator(xp, x.dtype), copy=False)
    for axis, meetings in _axis_by_axis(x.shape[2:], kernel, stride, padding, dilation):
        summed = xp.zeros((*total.shape[:axis], out[axis - 2], *total.shape[axis + 1 :]), dtype=total.dtype)
        for outputs, inputs in meetings:
            summed[outputs] += total[inputs]
        total = summed
    return total.astype(x.dtype, copy=False)


def spread(y: Array, *, spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """The transpose of :func:`sum_pool`: each element of ``y`` is added to all places of its window.

    Args:
        y: ``(N, C, *out)``.
        spatial: the spatial shape of ``x``.
        kernel: taps per axis.
        stride: from one window to the next, per axis.
        padding: ``(before, after)`` per axis.
        dilation: from one tap to the next, per axis.

    Returns:
        ``(N, C, *spatial)``.

    Raises:
        ValueError: if the kernel does not fit, or ``y`` has not one element for each window.

    >>> import numpy as np
    >>> spread(np.asarray([[[1, 10]]]), spatial=(4,), kernel=(2,), stride=(2,), padding=((0, 0),), dilation=(1,))
    array([[[ 1,  1, 10, 10]]])
    """
    xp = namespace(y)
    expect_shape("y", y.shape, (*y.shape[:2], *output_shape(spatial, kernel, stride, padding, dilation)))
    x = y.astype(accumulator(xp, y.dtype), copy=False)
    for axis, meetings in _axis_by_axis(spatial, kernel, stride, padding, dilation):
        spread_out = xp.zeros((*x.shape[:axis], spatial[axis - 2], *x.shape[axis + 1 :]), dtype=x.dtype)
        for outputs, inputs in meetings:
            spread_out[inputs] += x[outputs]
        x = spread_out
    return x.astype(y.dtype, copy=False)


def _axis_by_axis(
    spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> Iterator[tuple[int, list[tuple[Index, Index]]]]:
    """For each spatial axis of an array ``(N, C, *spatial)``: its number, and the taps along it alone."""
    for i in range(len(spatial)):
        one = slice(i, i + 1)
        behind = (slice(None),) * (len(spatial) - 1 - i)
        along = taps(spatial[one], kernel[one], stride[one], padding[one], dilation[one])
        yield i + 2, [(tap.outputs + behind, tap.inputs + behind) for tap in along]
