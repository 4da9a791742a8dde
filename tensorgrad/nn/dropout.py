"""Dropout layers: at work while training, and the identity in evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.nn.memory_order import EitherOrder
from tensorgrad.nn.module import Module
from tensorgrad.ops import dropout
from tensorgrad.ops.memory_order import CHANNELS_FIRST


class _Dropout(Module):
    function: ClassVar[Callable[..., Any]]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__} needs a probability p from 0 to 1, got {p}.")
        self.p = p

    def forward(self, x: Any) -> Any:
        return type(self).function(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout(_Dropout):
    """Each element set to 0 with probability ``p``, and otherwise divided by ``1 - p``.

    Args:
        p: the probability.
        inplace: accepted, and changes nothing.

    Example:
        >>> layer = tg.nn.Dropout(0.5).eval()
        >>> layer(tg.ones(3))
        Tensor([1., 1., 1.], dtype=float32, device='cpu')
    """

    function = staticmethod(dropout.dropout)


class _ChannelDropout(_Dropout, EitherOrder):
    def __init__(self, p: float = 0.5, inplace: bool = False, *, data_format: str = CHANNELS_FIRST) -> None:
        super().__init__(p, inplace)
        self._set_order(data_format)

    def forward(self, x: Any) -> Any:
        return type(self).function(x, self.p, self.training, data_format=self.data_format)


class Dropout1d(_ChannelDropout):
    """:class:`Dropout` of whole channels of (N, C, L) or (C, L)."""

    function = staticmethod(dropout.dropout1d)


class Dropout2d(_ChannelDropout):
    """:class:`Dropout` of whole channels of images, (N, C, H, W) or (C, H, W)."""

    function = staticmethod(dropout.dropout2d)


class Dropout3d(_ChannelDropout):
    """:class:`Dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(dropout.dropout3d)


class AlphaDropout(_Dropout):
    """Dropout for SELU, :func:`tensorgrad.alpha_dropout`."""

    function = staticmethod(dropout.alpha_dropout)


class FeatureAlphaDropout(_ChannelDropout):
    """:class:`AlphaDropout` of whole channels of (N, C, ...)."""

    function = staticmethod(dropout.feature_alpha_dropout)
