"""Poolings: those of :mod:`tensorgrad.nn`, in Keras's memory order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad import nn
from tensorgrad.keras.config import standardize_data_format
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.layers.convolution import padding_of, spatial
from tensorgrad.nn import functional as F
from tensorgrad.ops.geometry import sizes
from tensorgrad.ops.reductions import max, mean


class _Pooling(Layer):
    axes: ClassVar[int]
    kind: ClassVar[Any]
    options: ClassVar[dict[str, Any]] = {}

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid", data_format: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        name = type(self).__name__
        self.pool_size = sizes(pool_size, self.axes, f"{name} pool_size")
        self.strides = self.pool_size if strides is None else sizes(strides, self.axes, f"{name} strides")
        self.padding = padding_of(name, padding)
        self.data_format = standardize_data_format(data_format)
        self.module = self.kind(self.pool_size, self.strides, **self.options, data_format=self.data_format)

    def call(self, inputs: Any) -> Any:
        if self.padding == "same":
            lengths = spatial(inputs, self.axes, self.data_format)
            self.module.padding = F.same_padding(lengths, self.pool_size, self.strides)
        return self.module(inputs)


class MaxPooling1D(_Pooling):
    """The largest of each window of (N, length, channels). Arguments as of :class:`MaxPooling2D`."""

    axes = 1
    kind = nn.MaxPool1d


class MaxPooling2D(_Pooling):
    """The largest of each window, :class:`tensorgrad.nn.MaxPool2d`.

    Shape: input (N, height, width, channels), output (N, height', width', channels).

    Args:
        pool_size: of the window: a number, or one for each axis.
        strides: from one window to the next; the pool size, if None.
        padding: ``"valid"`` for none; ``"same"`` for so much that the output has the lengths of the input divided by
            the strides, rounded up. It does not count.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        kwargs: as of :class:`Layer`.

    Example:
        >>> MaxPooling2D((2, 2))(tg.ones((1, 28, 28, 3))).shape
        (1, 14, 14, 3)
    """

    axes = 2
    kind = nn.MaxPool2d


class MaxPooling3D(_Pooling):
    """The largest of each window of (N, depth, height, width, channels). Arguments as of :class:`MaxPooling2D`."""

    axes = 3
    kind = nn.MaxPool3d


class AveragePooling1D(_Pooling):
    """The average of each window of (N, length, channels). Arguments as of :class:`MaxPooling2D`."""

    axes = 1
    kind = nn.AvgPool1d
    options: ClassVar = {"count_include_pad": False}


class AveragePooling2D(_Pooling):
    """The average of each window, :class:`tensorgrad.nn.AvgPool2d`. Arguments as of :class:`MaxPooling2D`.

    Example:
        >>> AveragePooling2D(2, padding="same")(tg.ones((1, 5, 5, 3))).mean().item()
        1.0
    """

    axes = 2
    kind = nn.AvgPool2d
    options: ClassVar = {"count_include_pad": False}


class AveragePooling3D(_Pooling):
    """The average of each window of (N, depth, height, width, channels). Arguments as of :class:`MaxPooling2D`."""

    axes = 3
    kind = nn.AvgPool3d
    options: ClassVar = {"count_include_pad": False}


class _GlobalPooling(Layer):
    axes: ClassVar[int]
    function: ClassVar[Callable[..., Any]]

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format, self.keepdims = standardize_data_format(data_format), keepdims

    def call(self, inputs: Any) -> Any:
        if len(inputs.shape) != self.axes + 2:
            raise ValueError(f"{self.name} takes {self.axes + 2} axes, got the shape {inputs.shape}.")
        first = 1 if self.data_format == "channels_last" else 2
        return type(self).function(inputs, axis=tuple(range(first, first + self.axes)), keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling):
    """The average of each channel of (N, length, channels). Arguments as of :class:`GlobalAveragePooling2D`."""

    axes = 1
    function = staticmethod(mean)


class GlobalAveragePooling2D(_GlobalPooling):
    """The average of each channel: (N, height, width, channels) becomes (N, channels).

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``.
        keepdims: whether the axes of space stay, with the length 1.
        kwargs: as of :class:`Layer`.

    Example:
        >>> GlobalAveragePooling2D()(tg.ones((1, 5, 7, 4))).shape
        (1, 4)
    """

    axes = 2
    function = staticmethod(mean)


class GlobalAveragePooling3D(_GlobalPooling):
    """The average of each channel of volumes. Arguments as of :class:`GlobalAveragePooling2D`."""

    axes = 3
    function = staticmethod(mean)


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest of each channel of (N, length, channels). Arguments as of :class:`GlobalAveragePooling2D`."""

    axes = 1
    function = staticmethod(max)


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest of each channel: (N, height, width, channels) becomes (N, channels).

    Arguments as of :class:`GlobalAveragePooling2D`.
    """

    axes = 2
    function = staticmethod(max)


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest of each channel of volumes. Arguments as of :class:`GlobalAveragePooling2D`."""

    axes = 3
    function = staticmethod(max)


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
)
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
