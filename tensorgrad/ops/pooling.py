"""Pooling: one number for each window of an image. Overlapping windows and padding are fine everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import backend, kernels
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.arguments import integers_to_float64
from tensorgrad.ops.arrangement import pad
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.geometry import Pairs, Shape, pairs, sizes
from tensorgrad.ops.indexing import argsort, take_along_axis
from tensorgrad.ops.memory_order import either_order
from tensorgrad.ops.reductions import mean
from tensorgrad.ops.shape import reshape

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "median_pool2d",
    "min_pool2d",
    "sum_pool2d",
]

Size = int | Sequence[int]

# -- the ops: each of the pairs is the derivative of the other -------------------------------------------------


@op(outputs=("values", "positions"))
def _max_pool(x, *, kernel, stride, padding, dilation):
    return kernels.of(x).max_pool(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@_max_pool.vjp("x")
def _(gs, positions, x_shape, kernel, stride, padding, dilation):
    return _place(
        gs[0], positions, spatial=x_shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )


@op
def _pick(x, positions, /, kernel, stride, padding, dilation):
    return kernels.of(x).pick(x, positions, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@_pick.vjp("x")
def _(g, positions, x_shape, kernel, stride, padding, dilation):
    return _place(g, positions, spatial=x_shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def _place(y, positions, /, spatial, kernel, stride, padding, dilation):
    return kernels.of(y).place(
        y, positions, spatial=spatial, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )


@_place.vjp("y")
def _(g, positions, kernel, stride, padding, dilation):
    return _pick(g, positions, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def _sum_pool(x, /, kernel, stride, padding, dilation):
    return kernels.of(x).sum_pool(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@_sum_pool.vjp("x")
def _(g, x_shape, kernel, stride, padding, dilation):
    return _spread(g, spatial=x_shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def _spread(y, /, spatial, kernel, stride, padding, dilation):
    return kernels.of(y).spread(y, spatial=spatial, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@_spread.vjp("y")
def _(g, kernel, stride, padding, dilation):
    return _sum_pool(g, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def _unfold(x, /, kernel, stride, padding, dilation):
    return kernels.of(x).unfold(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@_unfold.vjp("x")
def _(g, x_shape, stride, padding, dilation):
    return _fold(g, spatial=x_shape[2:], stride=stride, padding=padding, dilation=dilation)


@op
def _fold(windows, /, spatial, stride, padding, dilation):
    return kernels.of(windows).fold(windows, spatial=spatial, stride=stride, padding=padding, dilation=dilation)


@_fold.vjp("windows")
def _(g, windows_shape, spatial, stride, padding, dilation):
    return _unfold(g, kernel=windows_shape[-len(spatial) :], stride=stride, padding=padding, dilation=dilation)


# -- windows ---------------------------------------------------------------------------------------------------


def pool_padding(padding: Any, kernel: Shape, name: str) -> Pairs:
    """A pooling's padding as a pair (before, after) for each axis.

    Raises:
        ValueError: for another count, or more than half of the kernel; ``name`` says whose.
    """
    given = pairs(padding, len(kernel), f"{name} padding")
    if any(max(pair) > k // 2 for k, pair in zip(kernel, given, strict=True)):
        raise ValueError(
            f"{name}: padding {padding} is more than half of the kernel {kernel}: some windows would lie in the "
            f"padding alone."
        )
    return given


class _Windows:
    """The windows of one pooling: its options, checked, and the padding that rounding up needs."""

    def __init__(
        self,
        name: str,
        d: int,
        x: Any,
        kernel_size: Size,
        stride: Size | None,
        padding: Any = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        x = asarray(x)
        if x.ndim not in (d + 1, d + 2):
            raise ValueError(f"{name}() needs an input with {d + 2} axes (N, C, *spatial) or {d + 1}, got {x.shape}.")
        self.batched = x.ndim == d + 2
        self.x = x if self.batched else x.expand_dims(0)
        self.spatial = self.x.shape[2:]
        self.kernel = sizes(kernel_size, d, f"{name}() kernel_size")
        self.stride = self.kernel if stride is None else sizes(stride, d, f"{name}() stride")
        self.dilation = sizes(dilation, d, f"{name}() dilation")
        self.asked = pool_padding(padding, self.kernel, f"{name}()")
        self.padding: Pairs = self.asked
        if ceil_mode:
            self.padding = tuple(map(self._rounded_up, range(d)))

    def _rounded_up(self, axis: int) -> tuple[int, int]:
        """The padding with which a last, incomplete window counts, if it starts inside the input or left padding."""
        (lo, hi), n, step = self.asked[axis], self.spatial[axis], self.stride[axis]
        extent = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        count = -(-(n + lo + hi - extent) // step) + 1
        if (count - 1) * step >= n + lo:
            count -= 1
        return lo, max(hi, (count - 1) * step + extent - n - lo)

    @property
    def options(self) -> dict[str, Any]:
        return {"kernel": self.kernel, "stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def counts(self, include_padding: bool) -> np.ndarray:
        """How many elements each window has, shape (*out,); the padding of rounding up never counts."""
        total = np.ones((), dtype=np.int64)
        for n, k, step, (lo, hi), (low, high) in zip(
            self.spatial, self.kernel, self.stride, self.asked, self.padding, strict=True
        ):
            starts = np.arange((n + low + high - k) // step + 1) * step - lo
            first, last = (-lo, n + hi) if include_padding else (0, n)
            along = np.minimum(starts + k, last) - np.maximum(starts, first)
            total = total[..., None] * along
        return total

    def result(self, y: Tensor) -> Tensor:
        return y if self.batched else y.squeeze(0)


# -- maximum, minimum, sum, average, median --------------------------------------------------------------------


def _max(windows: _Windows, return_indices: bool = False) -> Any:
    values, positions = _max_pool(windows.x, **windows.options)
    if not return_indices:
        return windows.result(values)
    return windows.result(values), windows.result(_flat_indices(windows, positions))


def _flat_indices(windows: _Windows, positions: Tensor) -> Tensor:
    """Positions inside windows as positions in the flattened input plane, as PyTorch counts them."""
    bare = positions.data
    xp = backend.namespace(bare)
    rest, flat, place = bare.astype("int64"), 0, 1
    d = len(windows.kernel)
    for axis in reversed(range(d)):
        k, (lo, _) = windows.kernel[axis], windows.padding[axis]
        starts = xp.arange(bare.shape[2 + axis]).reshape((-1,) + (1,) * (d - 1 - axis)) * windows.stride[axis] - lo
        flat = flat + (starts + rest % k * windows.dilation[axis]) * place
        rest, place = rest // k, place * windows.spatial[axis]
    return Tensor(flat)


@either_order(channels=-2)
def max_pool1d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window of (N, C, L). As :func:`max_pool2d`.

    Example:
        >>> tg.max_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
        Tensor([[[3., 2.]]], dtype=float32, device='cpu')
    """
    return _max(_Windows("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode), return_indices)


@either_order(channels=-3)
def max_pool2d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window. Of several equal ones, the first has the gradient.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        kernel_size: of the window, in pixels: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: around the image, counted as -inf: a number, one for each axis, or a pair for each axis.
        dilation: how far apart the elements of a window are.
        ceil_mode: whether a last window that does not fit counts.
        return_indices: whether to return also where each stood in the flattened image.

    Returns:
        Shape (N, C, H', W'); with ``return_indices`` a pair of such.

    Raises:
        ValueError: for shapes or options that do not fit, naming them.

    Example:
        >>> tg.max_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]]), 2)
        Tensor([[[5.]]], dtype=float32, device='cpu')
    """
    return _max(_Windows("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode), return_indices)


@either_order(channels=-4)
def max_pool3d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window of (N, C, D, H, W). As :func:`max_pool2d`.

    Example:
        >>> tg.max_pool3d(tg.ones((1, 1, 4, 4, 4)), 2).shape
        (1, 1, 2, 2, 2)
    """
    return _max(_Windows("max_pool3d", 3, x, kernel_size, stride, padding, dilation, ceil_mode), return_indices)


@either_order(channels=-3)
def min_pool2d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The smallest of each window; padding counts as +inf. As :func:`max_pool2d`.

    Example:
        >>> tg.min_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]]), 2)
        Tensor([[[1.]]], dtype=float32, device='cpu')
    """
    x = asarray(x)
    # Of integers ~x turns the order round, unsigned ones too; -x does not.
    turned = -x if x.dtype.kind == "f" else ~x
    largest = _max(_Windows("min_pool2d", 2, turned, kernel_size, stride, padding, dilation, ceil_mode))
    return -largest if x.dtype.kind == "f" else ~largest


@either_order(channels=-3)
def sum_pool2d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Any = 0, ceil_mode: bool = False
) -> Tensor:
    """The sum of each window; padding counts as 0, and integers are added up in 64 bits. As :func:`max_pool2d`.

    Example:
        >>> tg.sum_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]]), 2)
        Tensor([[[11.]]], dtype=float32, device='cpu')
    """
    windows = _Windows("sum_pool2d", 2, x, kernel_size, stride, padding, 1, ceil_mode)
    x = windows.x
    if x.dtype.kind != "f":
        x = x.astype("uint64" if x.dtype.kind == "u" else "int64", copy=False)
    return windows.result(_sum_pool(x, **windows.options))


def _average(windows: _Windows, count_include_pad: bool) -> Tensor:
    x = integers_to_float64(windows.x)
    # A sum of float16 may overflow where the mean does not.
    total = _sum_pool(x.astype("float32") if x.dtype == "float16" else x, **windows.options)
    counts = windows.counts(count_include_pad)
    whole: Any = math.prod(windows.kernel)
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
    return _average(_Windows("avg_pool1d", 1, x, kernel_size, stride, padding, 1, ceil_mode), count_include_pad)


@either_order(channels=-3)
def avg_pool2d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The average of each window.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        kernel_size: of the window, in pixels: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: zeros around the image: a number, one for each axis, or a pair for each axis.
        ceil_mode: whether a last window that does not fit counts; it is divided by what is inside.
        count_include_pad: whether the zeros of the padding count as elements of their windows.

    Returns:
        Shape (N, C, H', W').

    Example:
        >>> tg.avg_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 4.0]]]), 2)
        Tensor([[[3.]]], dtype=float32, device='cpu')
    """
    return _average(_Windows("avg_pool2d", 2, x, kernel_size, stride, padding, 1, ceil_mode), count_include_pad)


@either_order(channels=-4)
def avg_pool3d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The average of each window of (N, C, D, H, W). As :func:`avg_pool2d`.

    Example:
        >>> tg.avg_pool3d(tg.ones((1, 1, 4, 4, 4)), 2).shape
        (1, 1, 2, 2, 2)
    """
    return _average(_Windows("avg_pool3d", 3, x, kernel_size, stride, padding, 1, ceil_mode), count_include_pad)


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
    windows = _Windows("median_pool2d", 2, x, kernel_size, stride, padding, 1, ceil_mode)
    x = integers_to_float64(windows.x)
    # Padded with inf, which sorts behind everything else and is left out by counting.
    padded = pad(x, ((0, 0), (0, 0), *windows.padding), constant_values=math.inf)
    unfolded = _unfold(padded, **{**windows.options, "padding": ((0, 0), (0, 0))})
    flat = reshape(unfolded, (*unfolded.shape[:4], math.prod(windows.kernel)))
    counts = windows.counts(include_padding=False)
    middle = np.stack([(counts - 1) // 2, counts // 2], axis=-1)
    order = argsort(flat)
    bare = backend.transfer(np.broadcast_to(middle, (*flat.shape[:4], 2)).copy(), x.device)
    chosen = take_along_axis(order, bare, axis=-1)
    return windows.result(mean(take_along_axis(flat, chosen, axis=-1), axis=-1))
