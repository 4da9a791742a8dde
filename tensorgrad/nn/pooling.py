"""Pooling layers: images made smaller, without parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.autograd import Tensor
from tensorgrad.nn.convolution import positive_sizes
from tensorgrad.nn.memory_order import EitherOrder
from tensorgrad.ops import max_pooling, pooling
from tensorgrad.ops.convolution import Size
from tensorgrad.ops.memory_order import CHANNELS_FIRST
from tensorgrad.ops.windows import pool_padding


class _Windowed(EitherOrder):
    """What has windows: its options are attributes, named as its function's arguments."""

    function: ClassVar[Callable[..., Any]]
    axes: ClassVar[str] = "HW"

    def __init__(self, data_format: str, kernel_size: Size, stride: Size | None, **options: Any) -> None:
        super().__init__()
        self._set_order(data_format)
        stride = kernel_size if stride is None else stride
        # Refused here, and not at the first call.
        name, count = type(self).__name__, len(self.axes)
        kernel = positive_sizes(kernel_size, count, name, "kernel_size")
        positive_sizes(stride, count, name, "stride")
        positive_sizes(options.get("dilation", 1), count, name, "dilation")
        pool_padding(options.get("padding", 0), kernel, name)
        self._options = {"kernel_size": kernel_size, "stride": stride, **options}
        for name, value in self._options.items():
            setattr(self, name, value)

    def _checked(self, x: Any) -> Tensor:
        return self._expected(x, ("N", "C", *self.axes), ("C", *self.axes))

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._options)


class _Pool(_Windowed):
    """A pooling."""

    def forward(self, x: Any) -> Any:
        options = {name: getattr(self, name) for name in self._options}
        return type(self).function(self._checked(x), **options, data_format=self.data_format)


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
        super().__init__(data_format, kernel_size, stride, padding=padding, **options)

    def extra_repr(self) -> str:
        return ", ".join(
            f"{name}={getattr(self, name)}" for name in ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        )


class MaxPool1d(_MaxPool):
    """The largest of each window of (N, C, L). Arguments as of :class:`MaxPool2d`."""

    axes = "L"
    function = staticmethod(max_pooling.max_pool1d)


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

    function = staticmethod(max_pooling.max_pool2d)


class MaxPool3d(_MaxPool):
    """The largest of each window of (N, C, D, H, W). Arguments as of :class:`MaxPool2d`."""

    axes = "DHW"
    function = staticmethod(max_pooling.max_pool3d)


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        options: dict[str, Any] = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
        if divisor_override is not None:
            options["divisor_override"] = divisor_override
        super().__init__(data_format, kernel_size, stride, padding=padding, **options)


class AvgPool1d(_AvgPool):
    """The average of each window of (N, C, L). Arguments as of :class:`AvgPool2d`, without ``divisor_override``."""

    axes = "L"
    function = staticmethod(pooling.avg_pool1d)

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
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad, data_format=data_format)


class AvgPool2d(_AvgPool):
    """The average of each window.

    Shape: input (N, C, H, W), output (N, C, H', W'), see :func:`tensorgrad.avg_pool2d`; without N for one image.

    Args:
        kernel_size: of the window: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: zeros around the image.
        ceil_mode: whether a last window that does not fit counts.
        count_include_pad: whether the padding counts as elements.
        divisor_override: what sums are divided by in the place of the number of elements; not 0.
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


class _MinPool(_Pool):
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
        super().__init__(data_format, kernel_size, stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)


class MinPool1d(_MinPool):
    """The smallest of each window of (N, C, L). Arguments as of :class:`MinPool2d`."""

    axes = "L"
    function = staticmethod(max_pooling.min_pool1d)


class MinPool2d(_MinPool):
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

    function = staticmethod(max_pooling.min_pool2d)


class MinPool3d(_MinPool):
    """The smallest of each window of (N, C, D, H, W). Arguments as of :class:`MinPool2d`."""

    axes = "DHW"
    function = staticmethod(max_pooling.min_pool3d)


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
        super().__init__(data_format, kernel_size, stride, padding=padding, ceil_mode=ceil_mode)


class MedianPool1d(_DensePool):
    """The median of each window of (N, C, L). Arguments as of :class:`MedianPool2d`."""

    axes = "L"
    function = staticmethod(pooling.median_pool1d)


class MedianPool2d(_DensePool):
    """The median of each window, the mean of the middle two of an even number; padding does not count.

    Arguments as of :class:`MinPool2d`, without ``dilation``.

    Example:
        >>> tg.nn.MedianPool2d(2)(tg.tensor([[[1.0, 2.0], [5.0, 4.0]]])).item()
        3.0
    """

    function = staticmethod(pooling.median_pool2d)


class MedianPool3d(_DensePool):
    """The median of each window of (N, C, D, H, W). Arguments as of :class:`MedianPool2d`."""

    axes = "DHW"
    function = staticmethod(pooling.median_pool3d)


class SumPool1d(_DensePool):
    """The sum of each window of (N, C, L). Arguments as of :class:`SumPool2d`."""

    axes = "L"
    function = staticmethod(pooling.sum_pool1d)


class SumPool2d(_DensePool):
    """The sum of each window; padding counts as 0. Arguments as of :class:`MinPool2d`, without ``dilation``.

    Example:
        >>> tg.nn.SumPool2d(2)(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]])).item()
        11.0
    """

    function = staticmethod(pooling.sum_pool2d)


class SumPool3d(_DensePool):
    """The sum of each window of (N, C, D, H, W). Arguments as of :class:`SumPool2d`."""

    axes = "DHW"
    function = staticmethod(pooling.sum_pool3d)


class _PowerPool(_Pool):
    def __init__(
        self,
        norm_type: float,
        kernel_size: Size,
        stride: Size | None = None,
        ceil_mode: bool = False,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        if not norm_type:
            raise ValueError(f"{type(self).__name__} has no norm_type 0: it divides by it.")
        super().__init__(data_format, kernel_size, stride, ceil_mode=ceil_mode, norm_type=norm_type)

    def extra_repr(self) -> str:
        return ", ".join(
            f"{name}={getattr(self, name)}" for name in ("norm_type", "kernel_size", "stride", "ceil_mode")
        )


class LPPool1d(_PowerPool):
    """Norms of the windows of (N, C, L). Arguments as of :class:`LPPool2d`."""

    axes = "L"
    function = staticmethod(pooling.lp_pool1d)


class LPPool2d(_PowerPool):
    """The sum of the powers of each window, and of that the root, :func:`tensorgrad.lp_pool2d`.

    Args:
        norm_type: the exponent, not 0.
        kernel_size: of the window: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        ceil_mode: whether a last window that does not fit counts.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.LPPool2d(2, 2)(tg.tensor([[[1.0, 1.0], [1.0, 1.0]]])).item()
        2.0
    """

    function = staticmethod(pooling.lp_pool2d)


class LPPool3d(_PowerPool):
    """Norms of the windows of (N, C, D, H, W). Arguments as of :class:`LPPool2d`."""

    axes = "DHW"
    function = staticmethod(pooling.lp_pool3d)


class _MaxUnpool(_Windowed):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__(data_format, kernel_size, stride, padding=padding)

    def forward(self, x: Any, indices: Any, output_size: Size | None = None) -> Any:
        options = {name: getattr(self, name) for name in self._options}
        return type(self).function(
            self._checked(x), indices, **options, output_size=output_size, data_format=self.data_format
        )


class MaxUnpool1d(_MaxUnpool):
    """The largest of each window back where they stood, (N, C, L). As :class:`MaxUnpool2d`."""

    axes = "L"
    function = staticmethod(max_pooling.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """The largest of each window back where they stood, with zeros around them, :func:`tensorgrad.max_unpool2d`.

    It is called with what :class:`MaxPool2d` with ``return_indices`` gives and perhaps with ``output_size``.

    Args:
        kernel_size: of the window: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: what the pooling had around the image.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> values, indices = tg.nn.MaxPool2d(2, return_indices=True)(tg.ones((1, 1, 5, 4)))
        >>> tg.nn.MaxUnpool2d(2)(values, indices, output_size=(5, 4)).shape
        (1, 1, 5, 4)
    """

    function = staticmethod(max_pooling.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """The largest of each window back where they stood, (N, C, D, H, W). As :class:`MaxUnpool2d`."""

    axes = "DHW"
    function = staticmethod(max_pooling.max_unpool3d)
