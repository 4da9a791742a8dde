"""Convolutions: those of :mod:`tensorgrad.nn`, with Keras's kernels (*lengths, in, out) and memory order."""

from __future__ import annotations

from typing import Any, ClassVar

from tensorgrad import nn
from tensorgrad.keras import activations
from tensorgrad.keras.config import standardize_data_format
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.variables import depthwise, permuted
from tensorgrad.nn import functional as F
from tensorgrad.ops.geometry import sizes


def spatial(x: Any, count: int, data_format: str) -> tuple[int, ...]:
    """The lengths of the axes of space."""
    return tuple(x.shape[1 : 1 + count] if data_format == "channels_last" else x.shape[2:])


def channels(layer: Layer, input_shape: Any, count: int, data_format: str) -> int:
    """The number of channels of an input.

    Raises:
        ValueError: for another number of axes, or if it is not known.
    """
    axes = "length" if count == 1 else ", ".join(("depth", "height", "width")[-count:])
    wanted = f"(N, {axes}, channels)" if data_format == "channels_last" else f"(N, channels, {axes})"
    found = None
    if len(input_shape) == count + 2:
        found = input_shape[-1 if data_format == "channels_last" else 1]
    if found is None:
        raise ValueError(
            f"{layer.name} takes an input {wanted} with a known number of channels, got the shape {input_shape}. Is "
            f"the axis of channels missing?"
        )
    return int(found)


def padding_of(layer: str, padding: str, *others: str) -> str:
    """The name of a padding in small letters.

    Raises:
        ValueError: for another.
    """
    known = ("valid", "same", *others)
    if not isinstance(padding, str) or padding.lower() not in known:
        raise ValueError(f"{layer} has the paddings {', '.join(map(repr, known))}, not {padding!r}.")
    return padding.lower()


class _Conv(Layer):
    """What all convolutions share: their options and their weights."""

    axes: ClassVar[int]
    kind: ClassVar[Any]
    paddings: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        name = type(self).__name__
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"{name} takes filters, a number of 1 or more, got {filters!r}.")
        self.filters, self.groups, self.use_bias = filters, groups, use_bias
        self.kernel_size, self.strides, self.dilation_rate = (
            sizes(value, self.axes, f"{name} {what}")
            for what, value in (("kernel_size", kernel_size), ("strides", strides), ("dilation_rate", dilation_rate))
        )
        self.padding = padding_of(name, padding, *self.paddings)
        self.data_format = standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer

    def _track(self, module: Any, view: Any, initializer: Any, regularizer: Any, name: str = "kernel") -> None:
        self.track(name, module.weight, view, initializer=initializer, regularizer=regularizer)
        self.track("bias", module.bias, initializer=self.bias_initializer, regularizer=self.bias_regularizer)

    def _view(self) -> Any:
        return permuted(*range(2, 2 + self.axes), 1, 0)

    def build(self, input_shape: Any) -> None:
        count = channels(self, input_shape, self.axes, self.data_format)
        self.module = self.kind(
            count,
            self.filters,
            self.kernel_size,
            self.strides,
            dilation=self.dilation_rate,
            groups=self.groups,
            bias=self.use_bias,
            dtype=self.dtype,
            data_format=self.data_format,
        )
        self._track(self.module, self._view(), self.kernel_initializer, self.kernel_regularizer)

    def _padding(self, x: Any) -> Any:
        if self.padding == "causal":
            return ((self.dilation_rate[0] * (self.kernel_size[0] - 1), 0),)
        if self.padding == "valid":
            return 0
        lengths = spatial(x, self.axes, self.data_format)
        return F.same_padding(lengths, self.kernel_size, self.strides, self.dilation_rate)

    def call(self, inputs: Any) -> Any:
        self.module.padding = self._padding(inputs)
        return self.activation(self.module(inputs))


class Conv1D(_Conv):
    """Convolution over one axis: (N, length, channels). Arguments as of :class:`Conv2D`; also ``padding="causal"``.

    Example:
        >>> Conv1D(8, 3, padding="causal")(tg.ones((2, 10, 4))).shape
        (2, 10, 8)
    """

    axes = 1
    kind = nn.Conv1d
    paddings = ("causal",)


class Conv2D(_Conv):
    """Convolution over the two axes of images, :class:`tensorgrad.nn.Conv2d`.

    Shape: input (N, height, width, channels), output (N, height', width', filters); for ``"channels_first"`` the
    channels come second.

    Args:
        filters: how many channels go out.
        kernel_size: a number, or one for each axis.
        strides: by how many pixels the kernel moves.
        padding: ``"valid"`` for none; ``"same"`` for so many zeros that the output has the lengths of the input
            divided by the strides, rounded up.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        dilation_rate: how far apart the kernel's elements are.
        groups: into how many groups the channels are split.
        activation: a name, a function or a layer; None for none.
        use_bias: whether to add a bias.
        kernel_initializer: of the kernel, shape (height, width, channels / groups, filters).
        bias_initializer: of the bias, shape (filters,).
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        activity_regularizer: a penalty on the output.
        kwargs: as of :class:`Layer`.

    Raises:
        ValueError: for options that do not go together, or an input of another shape.

    Example:
        >>> layer = Conv2D(32, (3, 3), padding="same", activation="relu")
        >>> layer(tg.ones((1, 28, 28, 1))).shape, layer.weights[0].shape
        ((1, 28, 28, 32), (3, 3, 1, 32))
    """

    axes = 2
    kind = nn.Conv2d


class Conv3D(_Conv):
    """Convolution over three axes: (N, depth, height, width, channels). Arguments as of :class:`Conv2D`."""

    axes = 3
    kind = nn.Conv3d


class _ConvTranspose(_Conv):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        if output_padding is not None:
            raise NotImplementedError(f"{type(self).__name__} has no output_padding: use padding 'same' or 'valid'.")
        super().__init__(filters, kernel_size, strides, padding, data_format, **options)

    def call(self, inputs: Any) -> Any:
        # The lengths times the strides, and for "valid" what the kernel reaches beyond a stride.
        module, rows = self.module, list(zip(self.kernel_size, self.dilation_rate, self.strides, strict=True))
        lengths = [n * s for n, s in zip(spatial(inputs, self.axes, self.data_format), self.strides, strict=True)]
        if self.padding == "same":
            cut = F.same_padding(lengths, self.kernel_size, self.strides, self.dilation_rate)
        else:
            cut = ((0, 0),) * self.axes
        # What a stride leaves behind the last kernel, where it is longer than that.
        more = [max(s - (d * (k - 1) + 1), 0) for k, d, s in rows]
        options = (self.strides, cut, more, self.groups, self.dilation_rate)
        y = self.kind.function(inputs, module.weight, module.bias, *options, data_format=self.data_format)
        return self.activation(y)


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over one axis. Arguments as of :class:`Conv2DTranspose`."""

    axes = 1
    kind = nn.ConvTranspose1d


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution, which makes images larger, :class:`tensorgrad.nn.ConvTranspose2d`.

    The output has ``strides`` times the lengths of the input; with ``padding="valid"``, ``max(kernel - strides, 0)``
    more.

    Args:
        filters: how many channels go out.
        kernel_size, strides, padding, data_format: as of :class:`Conv2D`.
        output_padding: must be None.
        kernel_initializer: of the kernel, shape (height, width, filters, channels).
        bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer: as of :class:`Conv2D`.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Conv2DTranspose(8, 3, strides=2, padding="same")(tg.ones((1, 7, 7, 4))).shape
        (1, 14, 14, 8)
    """

    axes = 2
    kind = nn.ConvTranspose2d


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over three axes. Arguments as of :class:`Conv2DTranspose`."""

    axes = 3
    kind = nn.ConvTranspose3d


class _Depthwise(_Conv):
    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        *,
        depthwise_initializer: Any = "glorot_uniform",
        depthwise_regularizer: Any = None,
        **options: Any,
    ) -> None:
        first = {"kernel_initializer": depthwise_initializer, "kernel_regularizer": depthwise_regularizer}
        super().__init__(1, kernel_size, strides, padding, data_format, **first, **options)
        self.depth_multiplier = depth_multiplier

    def build(self, input_shape: Any) -> None:
        self.groups = channels(self, input_shape, self.axes, self.data_format)
        self.filters = self.groups * self.depth_multiplier
        super().build(input_shape)

    def _view(self) -> Any:
        return depthwise(self.groups)


class DepthwiseConv1D(_Depthwise):
    """:class:`DepthwiseConv2D` over one axis."""

    axes = 1
    kind = nn.Conv1d


class DepthwiseConv2D(_Depthwise):
    """Convolution of each channel by itself: a grouped one, with as many groups as channels.

    Args:
        kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias: as of :class:`Conv2D`.
        depth_multiplier: how many channels are made of each.
        depthwise_initializer: of the kernel, shape (height, width, channels, depth_multiplier).
        bias_initializer, depthwise_regularizer, bias_regularizer, activity_regularizer: as of :class:`Conv2D`.
        kwargs: as of :class:`Layer`.

    Example:
        >>> DepthwiseConv2D(3)(tg.ones((1, 8, 8, 4))).shape
        (1, 6, 6, 4)
    """

    axes = 2
    kind = nn.Conv2d


class _Separable(_Conv):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        *,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, **options)
        self.depth_multiplier = depth_multiplier
        self.initializers = (depthwise_initializer, pointwise_initializer)
        self.regularizers = (depthwise_regularizer, pointwise_regularizer)

    def build(self, input_shape: Any) -> None:
        count = channels(self, input_shape, self.axes, self.data_format)
        self.module = self.kind(
            count,
            self.filters,
            self.kernel_size,
            self.strides,
            dilation=self.dilation_rate,
            depth_multiplier=self.depth_multiplier,
            bias=self.use_bias,
            dtype=self.dtype,
            data_format=self.data_format,
        )
        first, second = self.module.depthwise, self.module.pointwise
        (one, other), (penalty, second_penalty) = self.initializers, self.regularizers
        self.track("depthwise_kernel", first.weight, depthwise(count), initializer=one, regularizer=penalty)
        self._track(second, self._view(), other, second_penalty, "pointwise_kernel")

    def call(self, inputs: Any) -> Any:
        self.module.depthwise.padding = self._padding(inputs)
        return self.activation(self.module(inputs))


class SeparableConv1D(_Separable):
    """:class:`SeparableConv2D` over one axis."""

    axes = 1
    kind = nn.SeparableConv1d


class SeparableConv2D(_Separable):
    """A depthwise convolution, and after it one over 1x1 pixels that mixes the channels (Chollet, *Xception*, 2017).

    Args:
        filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias: as of :class:`Conv2D`.
        depth_multiplier: how many channels the first makes of each.
        depthwise_initializer: of the first kernel, shape (height, width, channels, depth_multiplier).
        pointwise_initializer: of the second, shape (1, 1, channels * depth_multiplier, filters).
        bias_initializer, depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer: as of
            :class:`Conv2D`.
        kwargs: as of :class:`Layer`.

    Example:
        >>> SeparableConv2D(8, 3)(tg.ones((1, 8, 8, 4))).shape
        (1, 6, 6, 8)
    """

    axes = 2
    kind = nn.SeparableConv2d


Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution2DTranspose = Conv2DTranspose
