"""Separable convolution: first within each channel, then across them."""

from __future__ import annotations

from typing import Any, ClassVar

from tensorgrad.nn.convolution import Conv1d, Conv2d
from tensorgrad.nn.module import Module
from tensorgrad.ops.convolution import Size
from tensorgrad.ops.memory_order import CHANNELS_FIRST


class _SeparableConv(Module):
    convolution: ClassVar[Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Any = 0,
        dilation: Size = 1,
        depth_multiplier: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | None = None,
        dtype: Any = None,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__()
        if depth_multiplier < 1:
            raise ValueError(f"{type(self).__name__}: depth_multiplier is 1 or more, got {depth_multiplier}.")
        between = in_channels * depth_multiplier
        common: dict[str, Any] = {"device": device, "dtype": dtype, "data_format": data_format}
        self.depthwise = self.convolution(
            in_channels,
            between,
            kernel_size,
            stride,
            padding,
            dilation,
            groups=in_channels,
            bias=False,
            padding_mode=padding_mode,
            **common,
        )
        self.pointwise = self.convolution(between, out_channels, 1, bias=bias, **common)

    def forward(self, x: Any) -> Any:
        return self.pointwise(self.depthwise(x))


class SeparableConv1d(_SeparableConv):
    """Separable convolution over one axis: (N, C, L). Arguments as of :class:`SeparableConv2d`.

    Example:
        >>> tg.nn.SeparableConv1d(4, 8, kernel_size=3)(tg.ones((2, 4, 10))).shape
        (2, 8, 8)
    """

    convolution = Conv1d


class SeparableConv2d(_SeparableConv):
    """Two convolutions with fewer weights than one: a kernel for each channel, then 1 x 1 kernels across channels.

    For a depthwise convolution alone, give :class:`Conv2d` as many ``groups`` as it has channels.

    Source: Chollet, *Xception: deep learning with depthwise separable convolutions*, 2017.

    Shape: input (N, in_channels, H, W), output (N, out_channels, H', W') as of :class:`Conv2d`; or without N.

    Args:
        in_channels: how many channels come in.
        out_channels: how many go out.
        kernel_size: of the depthwise convolution, as are stride, padding, dilation and padding_mode.
        stride: by how many pixels its kernels move.
        padding: zeros around the image: numbers, ``"same"`` (with stride 1) or ``"valid"``.
        dilation: how far apart the kernels' elements are.
        depth_multiplier: how many kernels each channel has.
        bias: whether the pointwise convolution adds one.
        padding_mode: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.
        data_format: ``"channels_last"`` for (N, H, W, C); the parameters are the same.

    Attributes:
        depthwise: the first, a Conv2d with ``groups=in_channels``, without a bias.
        pointwise: the second, a Conv2d with kernels of one pixel.

    Raises:
        ValueError: for options that do not go together; when called, for an input of another shape.

    Example:
        >>> layer = tg.nn.SeparableConv2d(3, 8, kernel_size=3, padding=1, depth_multiplier=2)
        >>> layer
        SeparableConv2d(
          (depthwise): Conv2d(3, 6, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=3, bias=False)
          (pointwise): Conv2d(6, 8, kernel_size=(1, 1), stride=(1, 1))
        )
        >>> layer(tg.ones((1, 3, 5, 5))).shape
        (1, 8, 5, 5)
    """

    convolution = Conv2d
