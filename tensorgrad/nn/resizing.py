"""Layers that change the size of images. What they compute is told at the functions of their names."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd import Tensor
from tensorgrad.nn.memory_order import EitherOrder
from tensorgrad.ops import resizing
from tensorgrad.ops.memory_order import CHANNELS_FIRST


class Upsample(EitherOrder):
    """Images in another size, :func:`tensorgrad.interpolate`.

    Args:
        size: the new lengths of the axes after the second.
        scale_factor: or how many times as long they are to be.
        mode: ``"nearest"``, ``"linear"``, ``"bilinear"``, ``"bicubic"`` or ``"trilinear"``.
        align_corners: whether the centres of the outermost pixels stay where they are.
        recompute_scale_factor: whether the factor is what the new lengths are of the old ones.
        data_format: ``"channels_last"`` for (N, H, W, C).

    Example:
        >>> tg.nn.Upsample(scale_factor=2)(tg.ones((1, 3, 4, 4))).shape
        (1, 3, 8, 8)
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool = False,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__()
        self._set_order(data_format)
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, bool(recompute_scale_factor)

    def forward(self, x: Any) -> Tensor:
        options = (self.mode, self.align_corners, self.recompute_scale_factor)
        return resizing.interpolate(x, self.size, self.scale_factor, *options, data_format=self.data_format)

    def extra_repr(self) -> str:
        size = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{size}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """:class:`Upsample` of images to the nearest pixel.

    Args:
        size: the new height and width.
        scale_factor: or how many times as high and wide they are to be.
        data_format: ``"channels_last"`` for (N, H, W, C).
    """

    def __init__(self, size: Any = None, scale_factor: Any = None, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__(size, scale_factor, mode="nearest", data_format=data_format)


class UpsamplingBilinear2d(Upsample):
    """:class:`Upsample` of images between their pixels, with the corners where they are.

    Args:
        size: the new height and width.
        scale_factor: or how many times as high and wide they are to be.
        data_format: ``"channels_last"`` for (N, H, W, C).
    """

    def __init__(self, size: Any = None, scale_factor: Any = None, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True, data_format=data_format)


class PixelShuffle(EitherOrder):
    """Channels as pixels, :func:`tensorgrad.pixel_shuffle`.

    Args:
        upscale_factor: how many times as high and wide images become.
        data_format: ``"channels_last"`` for (N, H, W, C).
    """

    def __init__(self, upscale_factor: int, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__()
        self._set_order(data_format)
        self.upscale_factor = upscale_factor

    def forward(self, x: Any) -> Tensor:
        return resizing.pixel_shuffle(x, self.upscale_factor, data_format=self.data_format)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(EitherOrder):
    """Pixels as channels, :func:`tensorgrad.pixel_unshuffle`.

    Args:
        downscale_factor: by how much images become lower and narrower.
        data_format: ``"channels_last"`` for (N, H, W, C).
    """

    def __init__(self, downscale_factor: int, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__()
        self._set_order(data_format)
        self.downscale_factor = downscale_factor

    def forward(self, x: Any) -> Tensor:
        return resizing.pixel_unshuffle(x, self.downscale_factor, data_format=self.data_format)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(EitherOrder):
    """The channels of all groups by turns, :func:`tensorgrad.channel_shuffle`.

    Args:
        groups: how many.
        data_format: ``"channels_last"`` for (N, H, W, C).
    """

    def __init__(self, groups: int, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__()
        self._set_order(data_format)
        self.groups = groups

    def forward(self, x: Any) -> Tensor:
        return resizing.channel_shuffle(x, self.groups, data_format=self.data_format)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
