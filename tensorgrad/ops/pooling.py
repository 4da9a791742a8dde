"""What each window comes to: its average, sum, median or norm. Windows may overlap, and stand over the edge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops.arguments import integers_to_float64
from tensorgrad.ops.arrangement import pad
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.indexing import argsort, take_along_axis
from tensorgrad.ops.logic import where
from tensorgrad.ops.max_pooling import largest, smallest
from tensorgrad.ops.memory_order import either_order
from tensorgrad.ops.reductions import mean
from tensorgrad.ops.shape import reshape
from tensorgrad.ops.windows import Size, Windows, sum_pool, unfold

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "median_pool1d",
    "median_pool2d",
    "median_pool3d",
    "sum_pool1d",
    "sum_pool2d",
    "sum_pool3d",
]


def _average(windows: Windows, count_include_pad: bool, divisor: int | None = None) -> Tensor:
    if divisor == 0:
        raise ValueError(f"{windows.name}(): divisor_override is a number other than 0, or None.")
    x = integers_to_float64(windows.x)
    # A sum of float16 may overflow where the mean does not.
    total = sum_pool(x.astype("float32") if x.dtype == "float16" else x, **windows.options)
    whole: Any = divisor
    if divisor is None:
        counts, whole = windows.counts(count_include_pad), math.prod(windows.kernel)
        if not (counts == whole).all():
            whole = backend.transfer(counts.astype(total.dtype), total.device)
    return windows.result((total / whole).astype(x.dtype, copy=False))


@either_order(channels=-2)
def avg_pool1d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The average of each window of (N, C, L). As :func:`avg_pool2d`.

    Example:
        >>> tg.avg_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
        Tensor([[[2., 1.]]], dtype=float32, device='cpu')
    """
    return _average(Windows("avg_pool1d", 1, x, kernel_size, stride, padding, 1, ceil_mode), count_include_pad)


@either_order(channels=-3)
def avg_pool2d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The average of each window.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        kernel_size: of the window, in pixels: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: zeros around the image: a number, one for each axis, or a pair for each axis.
        ceil_mode: whether a last window that does not fit counts; it is divided by what is inside.
        count_include_pad: whether the zeros of the padding count as elements of their windows.
        divisor_override: what sums are divided by in the place of the number of elements; not 0.

    Returns:
        Shape (N, C, H', W').

    Example:
        >>> tg.avg_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 4.0]]]), 2)
        Tensor([[[3.]]], dtype=float32, device='cpu')
    """
    windows = Windows("avg_pool2d", 2, x, kernel_size, stride, padding, 1, ceil_mode)
    return _average(windows, count_include_pad, divisor_override)


@either_order(channels=-4)
def avg_pool3d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The average of each window of (N, C, D, H, W). As :func:`avg_pool2d`.

    Example:
        >>> tg.avg_pool3d(tg.ones((1, 1, 4, 4, 4)), 2).shape
        (1, 1, 2, 2, 2)
    """
    windows = Windows("avg_pool3d", 3, x, kernel_size, stride, padding, 1, ceil_mode)
    return _average(windows, count_include_pad, divisor_override)


def _sum(windows: Windows) -> Tensor:
    x = windows.x
    if x.dtype.kind != "f":
        x = x.astype("uint64" if x.dtype.kind == "u" else "int64", copy=False)
    return windows.result(sum_pool(x, **windows.options))


@either_order(channels=-2)
def sum_pool1d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Any = 0, ceil_mode: bool = False
) -> Tensor:
    """The sum of each window of (N, C, L). As :func:`sum_pool2d`.

    Example:
        >>> tg.sum_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
        Tensor([[[4., 2.]]], dtype=float32, device='cpu')
    """
    return _sum(Windows("sum_pool1d", 1, x, kernel_size, stride, padding, 1, ceil_mode))


@either_order(channels=-3)
def sum_pool2d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Any = 0, ceil_mode: bool = False
) -> Tensor:
    """The sum of each window; padding counts as 0, and integers are added up in 64 bits. As :func:`max_pool2d`.

    Example:
        >>> tg.sum_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]]), 2)
        Tensor([[[11.]]], dtype=float32, device='cpu')
    """
    return _sum(Windows("sum_pool2d", 2, x, kernel_size, stride, padding, 1, ceil_mode))


@either_order(channels=-4)
def sum_pool3d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Any = 0, ceil_mode: bool = False
) -> Tensor:
    """The sum of each window of (N, C, D, H, W). As :func:`sum_pool2d`.

    Example:
        >>> tg.sum_pool3d(tg.ones((1, 1, 2, 2, 2)), 2).item()
        8.0
    """
    return _sum(Windows("sum_pool3d", 3, x, kernel_size, stride, padding, 1, ceil_mode))


def _power_average(
    name: str, d: int, x: Any, norm_type: float, kernel_size: Size, stride: Size | None, ceil_mode: bool
) -> Tensor:
    if not norm_type:
        raise ValueError(f"{name}() has no norm_type 0: it divides by it.")
    x, options = integers_to_float64(asarray(x)), (kernel_size, stride, 0, 1, ceil_mode)
    if math.isinf(norm_type):
        return largest(Windows(name, d, abs(x), *options)) if norm_type > 0 else smallest(name, d, abs(x), *options)
    powers = Windows(name, d, x**norm_type, *options)
    total = _average(powers, True) * math.prod(powers.kernel)
    # A root has no slope at 0.
    nothing = total == 0
    return where(nothing, 0, where(nothing, 1, total) ** (1 / norm_type))


@either_order(channels=-2)
def lp_pool1d(
    x: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """Norms of the windows of (N, C, L). As :func:`lp_pool2d`.

    Example:
        >>> tg.lp_pool1d(tg.tensor([[[3.0, 4.0, 0.0, 5.0]]]), 2, 2)
        Tensor([[[5., 5.]]], dtype=float32, device='cpu')
    """
    return _power_average("lp_pool1d", 1, x, norm_type, kernel_size, stride, ceil_mode)


@either_order(channels=-3)
def lp_pool2d(
    x: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """The sum of the powers of each window, and of that the root: ``(sum of x**p)**(1 / p)``.

    Where that sum is 0 the gradient is 0. No absolute values are taken: where p is not even, ``x`` should not be
    negative (there is no root of a negative sum; p = 1 gives sums). A last window that ``ceil_mode`` adds counts as
    if it were full of its mean, as in PyTorch.

    Source: Sermanet, Chintala and LeCun, *Convolutional neural networks applied to house numbers digit classification*
    (2012).

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        norm_type: the exponent p, not 0; with infinity it is the largest magnitude, with -infinity the smallest.
        kernel_size: of the window, in pixels: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        ceil_mode: whether a last window that does not fit counts.

    Returns:
        Shape (N, C, H', W').

    Raises:
        ValueError: for shapes or options that do not fit, naming them.

    Example:
        >>> tg.lp_pool2d(tg.tensor([[[1.0, 1.0], [1.0, 1.0]]]), 2, 2)
        Tensor([[[2.]]], dtype=float32, device='cpu')
    """
    return _power_average("lp_pool2d", 2, x, norm_type, kernel_size, stride, ceil_mode)


@either_order(channels=-4)
def lp_pool3d(
    x: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """Norms of the windows of (N, C, D, H, W). As :func:`lp_pool2d`.

    Example:
        >>> tg.lp_pool3d(tg.ones((1, 1, 2, 2, 2)), 3, 2).item()
        2.0
    """
    return _power_average("lp_pool3d", 3, x, norm_type, kernel_size, stride, ceil_mode)


def _median(windows: Windows) -> Tensor:
    x = integers_to_float64(windows.x)
    # Padded with inf, which sorts behind everything else and is left out by counting.
    padded = pad(x, ((0, 0), (0, 0), *windows.padding), constant_values=math.inf)
    unfolded = unfold(padded, **{**windows.options, "padding": ((0, 0),) * len(windows.kernel)})
    outer = unfolded.shape[: x.ndim]
    flat = reshape(unfolded, (*outer, math.prod(windows.kernel)))
    counts = windows.counts(include_padding=False)
    middle = np.stack([(counts - 1) // 2, counts // 2], axis=-1)
    order = argsort(flat)
    bare = backend.transfer(np.broadcast_to(middle, (*outer, 2)).copy(), x.device)
    chosen = take_along_axis(order, bare, axis=-1)
    return windows.result(mean(take_along_axis(flat, chosen, axis=-1), axis=-1))


@either_order(channels=-2)
def median_pool1d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Any = 0, ceil_mode: bool = False
) -> Tensor:
    """The median of each window of (N, C, L). As :func:`median_pool2d`.

    Example:
        >>> tg.median_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 3, stride=1)
        Tensor([[[2., 2.]]], dtype=float32, device='cpu')
    """
    return _median(Windows("median_pool1d", 1, x, kernel_size, stride, padding, 1, ceil_mode))


@either_order(channels=-3)
def median_pool2d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Any = 0, ceil_mode: bool = False
) -> Tensor:
    """The median of each window; padding does not count. As :func:`max_pool2d`.

    Of an even number of elements it is the mean of the middle two, which share the gradient.

    Example:
        >>> tg.median_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 4.0]]]), 2)
        Tensor([[[3.]]], dtype=float32, device='cpu')
    """
    return _median(Windows("median_pool2d", 2, x, kernel_size, stride, padding, 1, ceil_mode))


@either_order(channels=-4)
def median_pool3d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Any = 0, ceil_mode: bool = False
) -> Tensor:
    """The median of each window of (N, C, D, H, W). As :func:`median_pool2d`.

    Example:
        >>> tg.median_pool3d(tg.ones((1, 1, 4, 4, 4)), 2).shape
        (1, 1, 2, 2, 2)
    """
    return _median(Windows("median_pool3d", 3, x, kernel_size, stride, padding, 1, ceil_mode))
