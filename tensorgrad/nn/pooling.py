"""Pooling layers: images made smaller, without parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.nn.convolution import positive_sizes
from tensorgrad.nn.memory_order import EitherOrder
from tensorgrad.ops import adaptive_pooling, pooling
from tensorgrad.ops.convolution import Size
from tensorgrad.ops.geometry import sizes
from tensorgrad.ops.memory_order import CHANNELS_FIRST, either_order
from tensorgrad.ops.shape import concat


class _Pool(EitherOrder):
    """A pooling over windows: its options are attributes, named as the function's arguments."""

    function: ClassVar[Callable[..., Any]]
    axes: ClassVar[str] = "HW"

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None,
        padding: Any,
        data_format: str,
        **options: Any,
    ) -> None:
        super().__init__()
        self._set_order(data_format)
        stride = kernel_size if stride is None else stride
        # Refused here, and not at the first call.
        name, count = type(self).__name__, len(self.axes)
        kernel = positive_sizes(kernel_size, count, name, "kernel_size")
        positive_sizes(stride, count, name, "stride")
        positive_sizes(options.get("dilation", 1), count, name, "dilation")
        pooling.pool_padding(padding, kernel, name)
        self._options = {"kernel_size": kernel_size, "stride": stride, "padding": padding, **options}
        for name, value in self._options.items():
            setattr(self, name, value)

    def forward(self, x: Any) -> Any:
        x = self._expected(x, ("N", "C", *self.axes), ("C", *self.axes))
        options = {name: getattr(self, name) for name in self._options}
        return type(self).function(x, **options, data_format=self.data_format)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._options)


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Any = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        options = {"dilation": dilation, "return_indices": return_indices, "ceil_mode": ceil_mode}
        super().__init__(kernel_size, stride, padding, data_format, **options)

    def extra_repr(self) -> str:
        return ", ".join(
            f"{name}={getattr(self, name)}" for name in ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        )


class MaxPool1d(_MaxPool):
    """The largest of each window of (N, C, L). Arguments as of :class:`MaxPool2d`."""

    axes = "L"
    function = staticmethod(pooling.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest of each window.

    Shape: input (N, C, H, W), output (N, C, H', W'), see :func:`tensorgrad.max_pool2d`; without N for one image.

    Args:
        kernel_size: of the window: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: around the image, counted as -inf.
        dilation: how far apart the elements of a window are.
        return_indices: whether to return also where each stood in the flattened image.
        ceil_mode: whether a last window that does not fit counts.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Raises:
        ValueError: for options out of range or more padding than half of the kernel; when called, for an input of
            another number of axes or that the kernel does not fit into.

    Example:
        >>> tg.nn.MaxPool2d(2)(tg.ones((1, 3, 8, 8))).shape
        (1, 3, 4, 4)
    """

    function = staticmethod(pooling.max_pool2d)


class MaxPool3d(_MaxPool):
    """The largest of each window of (N, C, D, H, W). Arguments as of :class:`MaxPool2d`."""

    axes = "DHW"
    function = staticmethod(pooling.max_pool3d)


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        options = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
        super().__init__(kernel_size, stride, padding, data_format, **options)


class AvgPool1d(_AvgPool):
    """The average of each window of (N, C, L). Arguments as of :class:`AvgPool2d`."""

    axes = "L"
    function = staticmethod(pooling.avg_pool1d)


class AvgPool2d(_AvgPool):
    """The average of each window.

    Shape: input (N, C, H, W), output (N, C, H', W'), see :func:`tensorgrad.avg_pool2d`; without N for one image.

    Args:
        kernel_size: of the window: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: zeros around the image.
        ceil_mode: whether a last window that does not fit counts.
        count_include_pad: whether the padding counts as elements.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.AvgPool2d(2)(tg.ones((1, 3, 8, 8))).shape
        (1, 3, 4, 4)
    """

    function = staticmethod(pooling.avg_pool2d)


class AvgPool3d(_AvgPool):
    """The average of each window of (N, C, D, H, W). Arguments as of :class:`AvgPool2d`."""

    axes = "DHW"
    function = staticmethod(pooling.avg_pool3d)


class MinPool2d(_Pool):
    """The smallest of each window; padding counts as +inf.

    Args:
        kernel_size: of the window: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: around the image.
        dilation: how far apart the elements of a window are.
        ceil_mode: whether a last window that does not fit counts.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.MinPool2d(2)(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]])).item()
        1.0
    """

    function = staticmethod(pooling.min_pool2d)

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Any = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__(kernel_size, stride, padding, data_format, dilation=dilation, ceil_mode=ceil_mode)


class _DensePool(_Pool):
    """A pooling whose windows have no gaps."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__(kernel_size, stride, padding, data_format, ceil_mode=ceil_mode)


class MedianPool2d(_DensePool):
    """The median of each window, the mean of the middle two of an even number; padding does not count.

    Arguments as of :class:`MinPool2d`, without ``dilation``.

    Example:
        >>> tg.nn.MedianPool2d(2)(tg.tensor([[[1.0, 2.0], [5.0, 4.0]]])).item()
        3.0
    """

    function = staticmethod(pooling.median_pool2d)


class SumPool2d(_DensePool):
    """The sum of each window; padding counts as 0. Arguments as of :class:`MinPool2d`, without ``dilation``.

    Example:
        >>> tg.nn.SumPool2d(2)(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]])).item()
        11.0
    """

    function = staticmethod(pooling.sum_pool2d)


class _AdaptivePool(EitherOrder):
    function: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: Any = 1, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__()
        self._set_order(data_format)
        windows = sizes(output_size, 2, f"{type(self).__name__} output_size", default=(1, 1))
        if min(windows) < 1:
            raise ValueError(f"{type(self).__name__}: output_size is 1 or more, or None, got {output_size}.")
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        x = self._expected(x, ("N", "C", "H", "W"), ("C", "H", "W"))
        return type(self).function(x, self.output_size, data_format=self.data_format)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(_AdaptivePool):
    """The averages of as many windows as are asked for, whatever the size of the image.

    Args:
        output_size: H' and W': a number or a pair; None keeps that axis as it is.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.AdaptiveAvgPool2d((2, 3))(tg.ones((1, 4, 5, 7))).shape
        (1, 4, 2, 3)
    """

    function = staticmethod(adaptive_pooling.adaptive_avg_pool2d)


class AdaptiveMaxPool2d(_AdaptivePool):
    """The largest of as many windows as are asked for. Argument as of :class:`AdaptiveAvgPool2d`."""

    function = staticmethod(adaptive_pooling.adaptive_max_pool2d)


class AdaptiveConcatPool2d(_AdaptivePool):
    """Maximum and average pooling side by side: twice as many channels, the maxima first, as in fastai.

    Argument as of :class:`AdaptiveAvgPool2d`.

    Example:
        >>> tg.nn.AdaptiveConcatPool2d()(tg.ones((1, 4, 5, 7))).shape
        (1, 8, 1, 1)
    """

    @staticmethod
    @either_order(channels=-3)
    def function(x: Any, output_size: Any) -> Any:
        """Both poolings, joined along the channels."""
        both = [
            adaptive_pooling.adaptive_max_pool2d(x, output_size),
            adaptive_pooling.adaptive_avg_pool2d(x, output_size),
        ]
        return concat(both, axis=-3)


class _GlobalPool(EitherOrder):
    """One number for each channel.

    Args:
        data_format: ``"channels_last"`` for (N, H, W, C).
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(self, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__()
        self._set_order(data_format)

    def forward(self, x: Any) -> Any:
        x = self._expected(x, ("N", "C", "H", "W"), ("C", "H", "W"))
        return type(self).function(x, data_format=self.data_format)


class GlobalAvgPool2d(_GlobalPool):
    """The average of each channel: (N, C, H, W) becomes (N, C, 1, 1).

    Source: Lin, Chen and Yan, *Network in network*, 2013.

    Example:
        >>> tg.nn.GlobalAvgPool2d()(tg.ones((1, 4, 5, 7))).shape
        (1, 4, 1, 1)
    """

    function = staticmethod(adaptive_pooling.global_avg_pool2d)


class GlobalMaxPool2d(_GlobalPool):
    """The largest of each channel: (N, C, H, W) becomes (N, C, 1, 1).

    Example:
        >>> tg.nn.GlobalMaxPool2d()(tg.ones((1, 4, 5, 7))).shape
        (1, 4, 1, 1)
    """

    function = staticmethod(adaptive_pooling.global_max_pool2d)
