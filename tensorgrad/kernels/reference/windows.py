"""All windows of an array side by side, and back."""

from __future__ import annotations

from tensorgrad.backend import Array, namespace
from tensorgrad.kernels.dtypes import accumulator
from tensorgrad.kernels.geometry import Pairs, Sizes, expect_shape, output_shape, taps


def unfold(x: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """All windows: ``(N, C, *spatial)`` -> ``(N, C, *out, *kernel)``, with zeros in the padding. Always a fresh array.

    Raises:
        ValueError: if the kernel does not fit.

    >>> import numpy as np
    >>> unfold(np.asarray([[[1, 2, 3]]]), kernel=(2,), stride=(1,), padding=((0, 1),), dilation=(1,)).tolist()
    [[[[1, 2], [2, 3], [3, 0]]]]
    """
    xp = namespace(x)
    out = output_shape(x.shape[2:], kernel, stride, padding, dilation)
    windows = xp.zeros((*x.shape[:2], *out, *kernel), dtype=x.dtype)
    for tap in taps(x.shape[2:], kernel, stride, padding, dilation):
        windows[tap.outputs + tap.kernel[1:]] = x[tap.inputs]
    return windows


def fold(windows: Array, *, spatial: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """The transpose of :func:`unfold`: ``(N, C, *out, *kernel)`` -> ``(N, C, *spatial)``; what overlaps is added up.

    Raises:
        ValueError: if the windows are not those of an input of this shape.

    >>> import numpy as np
    >>> fold(np.asarray([[[[1, 2], [2, 3]]]]), spatial=(3,), stride=(1,), padding=((0, 0),), dilation=(1,))
    array([[[1, 4, 3]]])
    """
    xp = namespace(windows)
    leading, kernel = windows.shape[:2], windows.shape[2 + len(spatial) :]
    out = output_shape(spatial, kernel, stride, padding, dilation)
    expect_shape("windows", windows.shape, (*leading, *out, *kernel))
    x = xp.zeros((*leading, *spatial), dtype=accumulator(xp, windows.dtype))
    for tap in taps(spatial, kernel, stride, padding, dilation):
        x[tap.inputs] += windows[tap.outputs + tap.kernel[1:]]
    return x.astype(windows.dtype, copy=False)
