"""Convolution and its two transposes: at each tap of the kernel, a matrix product over the channels.

The convolution ``y`` of ``x`` and ``weight`` is linear in each of them. With one held fast, the map from the other to
``y`` has a transpose: :func:`convolution_input` and :func:`convolution_weight`. For all arrays of fitting shapes ::

    <convolution(x, weight), y> = <x, convolution_input(y, weight)> = <weight, convolution_weight(x, y)>

and so the derivatives of each of the three are the other two.
"""

from __future__ import annotations

import math

from tensorgrad.backend import Array, namespace
from tensorgrad.kernels.dtypes import promote
from tensorgrad.kernels.geometry import Pairs, Sizes, channels_per_group, convolution_shape, expect_shape, taps


def convolution(x: Array, weight: Array, *, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Array:
    """``y[n, o, p] = sum over channels c and taps t of weight[o, c, t] * x[n, c, p * stride + t * dilation - lo]``.

    That is the cross-correlation that deep learning calls convolution. Outside of ``x`` are zeros.

    Args:
        x: ``(N, C, *spatial)``.
        weight: ``(O, C / groups, *kernel)``.
        stride: from one output to the next, per spatial axis.
        padding: zeros ``(before, after)``, per spatial axis.
        dilation: from one tap of the kernel to the next, per spatial axis.
        groups: how many equal parts the channels are cut into. Each part of the outputs sees the same part of the
            inputs alone.

    Returns:
        ``(N, O, *out)``, of the dtype that ``x`` and ``weight`` promote to.

    Raises:
        ValueError: if shapes and options do not go together.

    >>> import numpy as np
    >>> x, weight = np.asarray([[[1, 2, 3, 4]]]), np.asarray([[[10, 1]]])
    >>> convolution(x, weight, stride=(1,), padding=((0, 1),), dilation=(1,), groups=1)
    array([[[12, 23, 34, 40]]])
    """
    xp = namespace(x)
    y_shape = convolution_shape(x.shape, weight.shape, stride, padding, dilation, groups)
    x, weight, dtype = promote(xp, x, weight)
    y = xp.zeros(y_shape, dtype=x.dtype)
    for tap in taps(x.shape[2:], weight.shape[2:], stride, padding, dilation):
        y[tap.outputs] += mix(by_group(weight[tap.kernel], groups), x[tap.inputs])
    return y.astype(dtype, copy=False)


def convolution_input(
    y: Array, weight: Array, *, spatial: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Array:
    """The transpose of :func:`convolution` in ``x``: each output is handed back to the inputs that it was made of.

    Args:
        y: ``(N, O, *out)``.
        weight: ``(O, C / groups, *kernel)``.
        spatial: the spatial shape of ``x``.
        stride: from one window to the next, per axis.
        padding: ``(before, after)`` per axis.
        dilation: from one tap to the next, per axis.
        groups: how many parts the channels are cut into.

    Returns:
        ``(N, C, *spatial)``.

    Raises:
        ValueError: if shapes and options do not go together.

    >>> import numpy as np
    >>> y, weight = np.asarray([[[1, 2, 3]]]), np.asarray([[[10, 1]]])
    >>> convolution_input(y, weight, spatial=(4,), stride=(1,), padding=((0, 0),), dilation=(1,), groups=1)
    array([[[10, 21, 32,  3]]])
    """
    xp = namespace(y)
    x_shape = (y.shape[0], weight.shape[1] * groups, *spatial)
    expect_shape("y", y.shape, convolution_shape(x_shape, weight.shape, stride, padding, dilation, groups))
    y, weight, dtype = promote(xp, y, weight)
    x = xp.zeros(x_shape, dtype=y.dtype)
    for tap in taps(spatial, weight.shape[2:], stride, padding, dilation):
        x[tap.inputs] += mix(by_group(weight[tap.kernel], groups).mT, y[tap.outputs])
    return x.astype(dtype, copy=False)


def convolution_weight(
    x: Array, y: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Array:
    """The transpose of :func:`convolution` in ``weight``: for each tap, the products of inputs and outputs it joined.

    Args:
        x: ``(N, C, *spatial)``.
        y: ``(N, O, *out)``.
        kernel: the spatial shape of the weight.
        stride: from one window to the next, per axis.
        padding: ``(before, after)`` per axis.
        dilation: from one tap to the next, per axis.
        groups: how many parts the channels are cut into.

    Returns:
        ``(O, C / groups, *kernel)``.

    Raises:
        ValueError: if shapes and options do not go together.

    >>> import numpy as np
    >>> x, y = np.asarray([[[1, 2, 3, 4]]]), np.asarray([[[0, 1, 10]]])
    >>> convolution_weight(x, y, kernel=(2,), stride=(1,), padding=((0, 0),), dilation=(1,), groups=1)
    array([[[32, 43]]])
    """
    xp = namespace(x)
    weight_shape = (y.shape[1], channels_per_group(x.shape[1], groups), *kernel)
    expect_shape("y", y.shape, convolution_shape(x.shape, weight_shape, stride, padding, dilation, groups))
    x, y, dtype = promote(xp, x, y)
    weight = xp.zeros(weight_shape, dtype=x.dtype)
    for tap in taps(x.shape[2:], kernel, stride, padding, dilation):
        products = _rows(y[tap.outputs], groups) @ _rows(x[tap.inputs], groups).mT
        weight[tap.kernel] = products.sum(axis=0).reshape(weight_shape[:2])
    return weight.astype(dtype, copy=False)


def by_group(matrix: Array, groups: int) -> Array:
    """(O, C / groups) as one matrix per group: (groups, O / groups, C / groups)."""
    return matrix.reshape(groups, matrix.shape[0] // groups, matrix.shape[1])


def _rows(x: Array, groups: int) -> Array:
    """(N, C, *spatial) with a row per channel: (N, groups, C / groups, positions)."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, math.prod(x.shape[2:]))


def mix(matrices: Array, x: Array) -> Array:
    """Each group's matrix applied to the channels of ``x`` (N, C, *spatial) at every position."""
    mixed = matrices @ _rows(x, len(matrices))
    return mixed.reshape(x.shape[0], mixed.shape[1] * mixed.shape[2], *x.shape[2:])
