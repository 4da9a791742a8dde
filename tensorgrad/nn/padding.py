"""Layers that pad images. The widths are those on the last axis first: left, right, top, bottom, front, back.

With ``data_format="channels_last"`` they are those of the last axis but one first: (N, H, W, C).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tensorgrad.autograd import Tensor
from tensorgrad.nn.memory_order import EitherOrder
from tensorgrad.ops.memory_order import CHANNELS_FIRST
from tensorgrad.ops.padding import pad_last_axes


class _Pad(EitherOrder):
    """Pads the last axes.

    Args:
        padding: a number for all sides, or one for each: left, right, top, bottom, front, back.
        data_format: ``"channels_last"`` for (N, ..., C).
    """

    rank: ClassVar[int]
    mode: ClassVar[str]
    value: float | None = None

    def __init__(self, padding: int | Sequence[int], *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__()
        self._set_order(data_format)
        widths = (padding,) * 2 * self.rank if isinstance(padding, int) else tuple(padding)
        if len(widths) != 2 * self.rank:
            raise ValueError(f"{type(self).__name__} takes one number or {2 * self.rank}, got {padding}.")
        self.padding = widths

    def forward(self, x: Any) -> Tensor:
        shape = ("C", *"DHW"[-self.rank :]) if self.rank > 1 else ("C", "L")
        x = self._expected(x, ("N", *shape), shape)
        return pad_last_axes(x, self.padding, self.mode, self.value, data_format=self.data_format)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__(padding, data_format=data_format)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Pads sequences (N, C, L) with a number.

    Args:
        padding: a number for all sides, or 2: left and right. Negative ones take away.
        value: the number.
    """

    rank = 1


class ConstantPad2d(_ConstantPad):
    """Pads images (N, C, H, W) with a number.

    Args:
        padding: a number for all sides, or 4: left, right, top, bottom. Negative ones take away.
        value: the number.
    """

    rank = 2


class ConstantPad3d(_ConstantPad):
    """Pads volumes (N, C, D, H, W) with a number.

    Args:
        padding: a number for all sides, or 6: left, right, top, bottom, front, back. Negative ones take away.
        value: the number.
    """

    rank = 3


class ZeroPad1d(_Pad):
    """Pads sequences (N, C, L) with zeros.

    Args:
        padding: a number for all sides, or 2: left and right.
    """

    rank, mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Pads images (N, C, H, W) with zeros.

    Args:
        padding: a number for all sides, or 4: left, right, top, bottom.
    """

    rank, mode = 2, "constant"


class ZeroPad3d(_Pad):
    """Pads volumes (N, C, D, H, W) with zeros.

    Args:
        padding: a number for all sides, or 6: left, right, top, bottom, front, back.
    """

    rank, mode = 3, "constant"


class ReflectionPad1d(_Pad):
    """Pads sequences (N, C, L) with their mirror image, the outermost once.

    Args:
        padding: a number for all sides, or 2: left and right.

    Example:
        >>> tg.nn.ReflectionPad1d(2)(tg.tensor([[1.0, 2.0, 3.0]]))
        Tensor([[3., 2., 1., 2., 3., 2., 1.]], dtype=float32, device='cpu')
    """

    rank, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Pads images (N, C, H, W) with their mirror image, the outermost once.

    Args:
        padding: a number for all sides, or 4: left, right, top, bottom.
    """

    rank, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Pads volumes (N, C, D, H, W) with their mirror image, the outermost once.

    Args:
        padding: a number for all sides, or 6: left, right, top, bottom, front, back.
    """

    rank, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Pads sequences (N, C, L) by repeating the outermost.

    Args:
        padding: a number for all sides, or 2: left and right.
    """

    rank, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Pads images (N, C, H, W) by repeating the outermost.

    Args:
        padding: a number for all sides, or 4: left, right, top, bottom.
    """

    rank, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Pads volumes (N, C, D, H, W) by repeating the outermost.

    Args:
        padding: a number for all sides, or 6: left, right, top, bottom, front, back.
    """

    rank, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Pads sequences (N, C, L) from their other end.

    Args:
        padding: a number for all sides, or 2: left and right.
    """

    rank, mode = 1, "circular"


class CircularPad2d(_Pad):
    """Pads images (N, C, H, W) from their other end.

    Args:
        padding: a number for all sides, or 4: left, right, top, bottom.
    """

    rank, mode = 2, "circular"


class CircularPad3d(_Pad):
    """Pads volumes (N, C, D, H, W) from their other end.

    Args:
        padding: a number for all sides, or 6: left, right, top, bottom, front, back.
    """

    rank, mode = 3, "circular"
