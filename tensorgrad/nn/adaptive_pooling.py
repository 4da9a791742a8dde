"""Pooling layers for images of any size: into a given number of windows, or into one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.nn.memory_order import EitherOrder
from tensorgrad.ops import adaptive_pooling
from tensorgrad.ops.geometry import sizes
from tensorgrad.ops.memory_order import CHANNELS_FIRST
from tensorgrad.ops.shape import concat


class _WholePool(EitherOrder):
    """A pooling over windows that cover the image together."""

    axes: ClassVar[str]
    function: ClassVar[Callable[..., Any]]

    def __init__(self, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__()
        self._set_order(data_format)

    def _pool(self, x: Any, *options: Any) -> Any:
        x = self._expected(x, ("N", "C", *self.axes), ("C", *self.axes))
        return type(self).function(x, *options, data_format=self.data_format)


class _AdaptivePool(_WholePool):
    def __init__(self, output_size: Any = 1, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__(data_format=data_format)
        count = len(self.axes)
        windows = sizes(output_size, count, f"{type(self).__name__} output_size", default=(1,) * count)
        if min(windows) < 1:
            raise ValueError(f"{type(self).__name__}: output_size is 1 or more, or None, got {output_size}.")
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        return self._pool(x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """The averages of so many windows of (N, C, L). Arguments as of :class:`AdaptiveAvgPool2d`."""

    axes = "L"
    function = staticmethod(adaptive_pooling.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptivePool):
    """The averages of as many windows as are asked for, whatever the size of the image.

    Args:
        output_size: H' and W': a number or a pair; None keeps that axis as it is. One window, if it is not given.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.AdaptiveAvgPool2d((2, 3))(tg.ones((1, 4, 5, 7))).shape
        (1, 4, 2, 3)
    """

    axes = "HW"
    function = staticmethod(adaptive_pooling.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptivePool):
    """The averages of so many windows of (N, C, D, H, W). Arguments as of :class:`AdaptiveAvgPool2d`."""

    axes = "DHW"
    function = staticmethod(adaptive_pooling.adaptive_avg_pool3d)


class _AdaptiveMaxPool(_AdaptivePool):
    def __init__(
        self, output_size: Any = 1, return_indices: bool = False, *, data_format: str = CHANNELS_FIRST
    ) -> None:
        super().__init__(output_size, data_format=data_format)
        self.return_indices = return_indices

    def forward(self, x: Any) -> Any:
        return self._pool(x, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest of so many windows of (N, C, L). Arguments as of :class:`AdaptiveMaxPool2d`."""

    axes = "L"
    function = staticmethod(adaptive_pooling.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest of as many windows as are asked for, whatever the size of the image.

    Args:
        output_size: H' and W': a number or a pair; None keeps that axis as it is. One window, if it is not given.
        return_indices: whether to return also where each stood in the flattened image.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.AdaptiveMaxPool2d((2, None))(tg.ones((1, 4, 5, 7))).shape
        (1, 4, 2, 7)
    """

    axes = "HW"
    function = staticmethod(adaptive_pooling.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest of so many windows of (N, C, D, H, W). Arguments as of :class:`AdaptiveMaxPool2d`."""

    axes = "DHW"
    function = staticmethod(adaptive_pooling.adaptive_max_pool3d)


class _AdaptiveConcatPool(_AdaptivePool):
    largest: ClassVar[type[_AdaptiveMaxPool]]
    average: ClassVar[type[_AdaptivePool]]

    def forward(self, x: Any) -> Any:
        x = self._expected(x, ("N", "C", *self.axes), ("C", *self.axes))
        both = [
            kind.function(x, self.output_size, data_format=self.data_format) for kind in (self.largest, self.average)
        ]
        return concat(both, axis=self._channel_axis(len(self.axes)))


class AdaptiveConcatPool1d(_AdaptiveConcatPool):
    """:class:`AdaptiveConcatPool2d` of (N, C, L)."""

    axes = "L"
    largest, average = AdaptiveMaxPool1d, AdaptiveAvgPool1d


class AdaptiveConcatPool2d(_AdaptiveConcatPool):
    """Maximum and average pooling side by side: twice as many channels, the maxima first, as in fastai.

    Arguments as of :class:`AdaptiveAvgPool2d`.

    Example:
        >>> tg.nn.AdaptiveConcatPool2d()(tg.ones((1, 4, 5, 7))).shape
        (1, 8, 1, 1)
    """

    axes = "HW"
    largest, average = AdaptiveMaxPool2d, AdaptiveAvgPool2d


class AdaptiveConcatPool3d(_AdaptiveConcatPool):
    """:class:`AdaptiveConcatPool2d` of (N, C, D, H, W)."""

    axes = "DHW"
    largest, average = AdaptiveMaxPool3d, AdaptiveAvgPool3d


class _GlobalPool(_WholePool):
    def forward(self, x: Any) -> Any:
        return self._pool(x)


class GlobalAvgPool1d(_GlobalPool):
    """The average of each channel: (N, C, L) becomes (N, C, 1). As :class:`GlobalAvgPool2d`."""

    axes = "L"
    function = staticmethod(adaptive_pooling.global_avg_pool1d)


class GlobalAvgPool2d(_GlobalPool):
    """The average of each channel: (N, C, H, W) becomes (N, C, 1, 1).

    Source: Lin, Chen and Yan, *Network in network*, 2013.

    Args:
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.GlobalAvgPool2d()(tg.ones((1, 4, 5, 7))).shape
        (1, 4, 1, 1)
    """

    axes = "HW"
    function = staticmethod(adaptive_pooling.global_avg_pool2d)


class GlobalAvgPool3d(_GlobalPool):
    """The average of each channel: (N, C, D, H, W) becomes (N, C, 1, 1, 1). As :class:`GlobalAvgPool2d`."""

    axes = "DHW"
    function = staticmethod(adaptive_pooling.global_avg_pool3d)


class GlobalMaxPool1d(_GlobalPool):
    """The largest of each channel: (N, C, L) becomes (N, C, 1). As :class:`GlobalMaxPool2d`."""

    axes = "L"
    function = staticmethod(adaptive_pooling.global_max_pool1d)


class GlobalMaxPool2d(_GlobalPool):
    """The largest of each channel: (N, C, H, W) becomes (N, C, 1, 1).

    Args:
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.GlobalMaxPool2d()(tg.ones((1, 4, 5, 7))).shape
        (1, 4, 1, 1)
    """

    axes = "HW"
    function = staticmethod(adaptive_pooling.global_max_pool2d)


class GlobalMaxPool3d(_GlobalPool):
    """The largest of each channel: (N, C, D, H, W) becomes (N, C, 1, 1, 1). As :class:`GlobalMaxPool2d`."""

    axes = "DHW"
    function = staticmethod(adaptive_pooling.global_max_pool3d)
