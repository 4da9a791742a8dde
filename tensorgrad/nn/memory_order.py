"""Layers of what has channels, which come before the axes of space or after them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.autograd import Tensor
from tensorgrad.nn.module import Module
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.geometry import Shape
from tensorgrad.ops.memory_order import CHANNELS_FIRST, channels_are_last


class EitherOrder(Module):
    """What takes ``data_format``, and gives it to its function.

    Attributes:
        data_format: ``"channels_first"`` or ``"channels_last"``: where the input and the output have their channels.
            Parameters and buffers are the same in both.
    """

    data_format: str = CHANNELS_FIRST

    def _set_order(self, data_format: str) -> None:
        channels_are_last(data_format, type(self).__name__)
        self.data_format = data_format

    def _expected(self, x: Any, *shapes: tuple[int | str, ...]) -> Tensor:
        """The input as a Tensor, if it has one of these shapes.

        Args:
            x: the input.
            shapes: with channels first, after the ``"N"`` if there is one; strings are axes of any length, and
                ``"..."`` any number of them.
        """
        x = asarray(x)
        if channels_are_last(self.data_format, type(self).__name__):
            shapes = tuple(map(_with_channels_last, shapes))
        if not any(_fits(x.shape, shape) for shape in shapes):
            self._refuse(x, " or ".join(f"({', '.join(map(str, shape))})" for shape in shapes))
        return x

    def _channel_axis(self, count: int) -> int:
        """Where the channels are, besides ``count`` axes of space."""
        return -1 if channels_are_last(self.data_format, type(self).__name__) else -count - 1

    def _spatial(self, shape: Sequence[int], count: int) -> Shape:
        """The lengths of the ``count`` axes of space in the shape of an input or output."""
        return tuple(shape[-count - 1 : -1] if self._channel_axis(count) == -1 else shape[-count:])

    def _settings(self) -> str:
        told = "" if self.data_format == CHANNELS_FIRST else f"data_format={self.data_format!r}"
        return ", ".join(filter(None, [super()._settings(), told]))


def _with_channels_last(shape: tuple[int | str, ...]) -> tuple[int | str, ...]:
    place = 1 if shape[0] == "N" else 0
    return (*shape[:place], *shape[place + 1 :], shape[place])


def _fits(shape: tuple[int, ...], wanted: tuple[int | str, ...]) -> bool:
    if "..." in wanted:
        place, more = wanted.index("..."), len(shape) - len(wanted) + 1
        wanted = (*wanted[:place], *[""] * more, *wanted[place + 1 :])
    return len(shape) == len(wanted) and all(isinstance(m, str) or n == m for n, m in zip(shape, wanted, strict=True))
