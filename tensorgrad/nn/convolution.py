"""Convolutional layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.autograd import Tensor
from tensorgrad.nn.linear import reset_uniform
from tensorgrad.nn.memory_order import EitherOrder
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.convolution import Size, conv1d, conv2d, conv3d, conv_padding
from tensorgrad.ops.creation import empty
from tensorgrad.ops.geometry import Shape, pairs, sizes
from tensorgrad.ops.memory_order import CHANNELS_FIRST
from tensorgrad.ops.padding import pad_last_axes
from tensorgrad.ops.transposed_convolution import (
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    fold,
    unfold,
)


def positive_sizes(value: Size, count: int, layer: str, option: str) -> Shape:
    """A number for each of ``count`` axes. Raises ValueError for one below 1."""
    numbers = sizes(value, count, f"{layer} {option}")
    if min(numbers) < 1:
        raise ValueError(f"{layer}: {option} is 1 or more, got {numbers}.")
    return numbers


class _Sliding(EitherOrder):
    """A kernel that slides over images: what convolutions and transposed ones have in common."""

    axes: ClassVar[str]
    function: ClassVar[Callable[..., Any]]

    weight: Parameter
    bias: Parameter | None

    usual: ClassVar[dict[str, Any]]
    """Options that are told of where they are not as usual; those of axes are so on all of them."""

    def _set_sizes(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size, dilation: Size, groups: int
    ) -> None:
        name, count = type(self).__name__, len(self.axes)
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name}: groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}."
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = positive_sizes(kernel_size, count, name, "kernel_size")
        self.stride = positive_sizes(stride, count, name, "stride")
        self.dilation = positive_sizes(dilation, count, name, "dilation")
        self.groups = groups

    def _add_weights(self, shape: Shape, bias: bool, device: str | None, dtype: Any) -> None:
        self.weight = Parameter(empty(shape, dtype=dtype, device=device))
        made = Parameter(empty(self.out_channels, dtype=dtype, device=device)) if bias else None
        self.register_parameter("bias", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values for weight and bias."""
        reset_uniform(self.weight, self.bias)

    def _checked(self, x: Any) -> Tensor:
        shape = (self.in_channels, *self.axes)
        return self._expected(x, ("N", *shape), shape)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, value in self.usual.items():
            own = getattr(self, name)
            if own not in (value, (value,) * len(self.axes)):
                parts.append(f"{name}={own!r}")
        return ", ".join(parts + ["bias=False"] * (self.bias is None))


class _Conv(_Sliding):
    usual: ClassVar = {"padding": 0, "dilation": 1, "groups": 1, "padding_mode": "zeros"}

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Any = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: Any = None,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__()
        self._set_order(data_format)
        name, count = type(self).__name__, len(self.axes)
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(f"{name} pads with 'zeros', 'reflect', 'replicate' or 'circular', not {padding_mode!r}.")
        self._set_sizes(in_channels, out_channels, kernel_size, stride, dilation, groups)
        # Refused here, and not at the first call.
        around = conv_padding(padding, self.kernel_size, self.stride, self.dilation, name)
        self._widths = [n for pair in reversed(around) for n in pair]
        self.padding = (padding,) * count if isinstance(padding, int) else padding
        self.padding_mode = padding_mode
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self._add_weights(shape, bias, device, dtype)

    def forward(self, x: Any) -> Any:
        x = self._checked(x)
        padding, order = self.padding, self.data_format
        if self.padding_mode != "zeros":
            x, padding = pad_last_axes(x, self._widths, self.padding_mode, data_format=order), 0
        options = (self.stride, padding, self.dilation, self.groups)
        return type(self).function(x, self.weight, self.bias, *options, data_format=order)


class Conv1d(_Conv):
    """Convolution over one axis, of text or sound: (N, C, L). Arguments as of :class:`Conv2d`.

    Example:
        >>> tg.nn.Conv1d(4, 8, kernel_size=3)(tg.ones((2, 4, 10))).shape
        (2, 8, 8)
    """

    axes = "L"
    function = staticmethod(conv1d)


class Conv2d(_Conv):
    """Convolution over two axes, of images: each output channel is the input seen through a kernel of its own.

    Shape: input (N, in_channels, H, W), output (N, out_channels, H', W'), see :func:`tensorgrad.conv2d`; without N for
    one image.

    Args:
        in_channels: how many channels come in.
        out_channels: how many go out: the number of kernels.
        kernel_size: a number, or one for each axis.
        stride: by how many pixels the kernel moves.
        padding: zeros around the image: numbers, ``"same"`` (with stride 1) or ``"valid"``.
        dilation: how far apart the kernel's elements are.
        groups: into how many groups the channels are split, each with kernels of its own.
        bias: whether to add one.
        padding_mode: what is around the image: ``"zeros"``, its mirror image (``"reflect"``), its outermost pixels
            (``"replicate"``) or its other end (``"circular"``).
        device: where the parameters are.
        dtype: of the parameters, float32 by default.
        data_format: ``"channels_last"`` for (N, H, W, C); the parameters are the same.

    Attributes:
        weight: shape (out_channels, in_channels / groups, kH, kW), at first uniform within 1 / sqrt(fan_in), fan_in
            being the number of weights of each kernel.
        bias: shape (out_channels,), at first uniform within the same bounds; or None.

    Raises:
        ValueError: for options that do not go together; when called, for an input of another shape.

    Example:
        >>> layer = tg.nn.Conv2d(3, 2, kernel_size=3, stride=2, padding=1)
        >>> layer
        Conv2d(3, 2, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
        >>> layer(tg.ones((1, 3, 5, 5))).shape
        (1, 2, 3, 3)
    """

    axes = "HW"
    function = staticmethod(conv2d)


class Conv3d(_Conv):
    """Convolution over three axes, of volumes or videos: (N, C, D, H, W). Arguments as of :class:`Conv2d`.

    Example:
        >>> tg.nn.Conv3d(1, 2, kernel_size=2)(tg.ones((1, 1, 3, 3, 3))).shape
        (1, 2, 2, 2, 2)
    """

    axes = "DHW"
    function = staticmethod(conv3d)


class _ConvTranspose(_Sliding):
    usual: ClassVar = {"padding": 0, "output_padding": 0, "groups": 1, "dilation": 1}

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Any = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        device: str | None = None,
        dtype: Any = None,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__()
        self._set_order(data_format)
        self._set_sizes(in_channels, out_channels, kernel_size, stride, dilation, groups)
        name, count = type(self).__name__, len(self.axes)
        self._cut = pairs(padding, count, f"{name} padding")
        even = all(before == after for before, after in self._cut)
        self.padding = tuple(before for before, _ in self._cut) if even else self._cut
        self.output_padding = sizes(output_padding, count, f"{name} output_padding")
        shape = (in_channels, out_channels // groups, *self.kernel_size)
        self._add_weights(shape, bias, device, dtype)

    def forward(self, x: Any, output_size: Size | None = None) -> Any:
        x = self._checked(x)
        more, count = self.output_padding, len(self.axes)
        if output_size is not None:
            whole = isinstance(output_size, (tuple, list)) and len(output_size) == x.ndim
            wanted = self._spatial(output_size, count) if whole else output_size  # type: ignore[arg-type]
            more = self._more(self._spatial(x.shape, count), wanted)
        options = (self.stride, self.padding, more, self.groups, self.dilation)
        return type(self).function(x, self.weight, self.bias, *options, data_format=self.data_format)

    def _more(self, spatial: Shape, output_size: Size) -> Shape:
        """What is to be added so that the output has this size."""
        name = type(self).__name__
        wanted = sizes(output_size, len(self.axes), f"{name} output_size")
        rows = zip(spatial, self.kernel_size, self.stride, self._cut, self.dilation, strict=True)
        least = tuple((n - 1) * s - sum(cut) + e * (k - 1) + 1 for n, k, s, cut, e in rows)
        most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=True))
        if any(not a <= n <= b for a, n, b in zip(least, wanted, most, strict=True)):
            raise ValueError(f"{name} makes outputs from {least} to {most} of {spatial}, not {wanted}.")
        return tuple(n - a for n, a in zip(wanted, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution over one axis: (N, C, L). Arguments as of :class:`ConvTranspose2d`.

    Example:
        >>> tg.nn.ConvTranspose1d(4, 8, kernel_size=2, stride=2)(tg.ones((2, 4, 5))).shape
        (2, 8, 10)
    """

    axes = "L"
    function = staticmethod(conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution over two axes, which makes images larger, :func:`tensorgrad.conv_transpose2d`.

    Args:
        in_channels: how many channels come in.
        out_channels: how many go out.
        kernel_size: a number, or one for each axis.
        stride: how far apart the kernels are painted.
        padding: how many pixels are cut off on all sides: numbers, or pairs (before, after).
        output_padding: how many are added at the end; when called, ``output_size`` says what they are to come to, as
            H' and W' or as a whole shape.
        groups: into how many groups the channels are split, each with kernels of its own.
        bias: whether to add one.
        dilation: how far apart the kernel's elements are.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.
        data_format: ``"channels_last"`` for (N, H, W, C); the parameters are the same.

    Attributes:
        weight: shape (in_channels, out_channels / groups, kH, kW).
        bias: shape (out_channels,); or None.

    Raises:
        ValueError: for options that do not go together; when called, for an input or output of another shape.

    Example:
        >>> down = tg.nn.Conv2d(3, 8, 3, stride=2, padding=1)
        >>> up = tg.nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1)
        >>> x = tg.ones((1, 3, 12, 12))
        >>> up(down(x), output_size=(12, 12)).shape
        (1, 3, 12, 12)
    """

    axes = "HW"
    function = staticmethod(conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution over three axes: (N, C, D, H, W). Arguments as of :class:`ConvTranspose2d`.

    Example:
        >>> tg.nn.ConvTranspose3d(1, 2, kernel_size=2)(tg.ones((1, 1, 3, 3, 3))).shape
        (1, 2, 4, 4, 4)
    """

    axes = "DHW"
    function = staticmethod(conv_transpose3d)


class Unfold(Module):
    """The patches of images, each as a column, :func:`tensorgrad.unfold`.

    Args:
        kernel_size: the height and the width of a patch.
        dilation: how far apart its pixels are.
        padding: zeros around the image.
        stride: how far apart the patches are.
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, x: Any) -> Any:
        return unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in ("kernel_size", "dilation", "padding", "stride"))


class Fold(Unfold):
    """Images from their patches, which are added where they overlap, :func:`tensorgrad.fold`.

    Args:
        output_size: the height and the width of the images.
        kernel_size, dilation, padding, stride: as of :class:`Unfold`.
    """

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        return fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"
