"""Dropout and noise: at work while training, and the identity otherwise."""

from __future__ import annotations

from typing import Any, ClassVar

from tensorgrad import nn
from tensorgrad.keras.config import standardize_data_format
from tensorgrad.keras.layers.base import Layer
from tensorgrad.random import randn


class _Dropout(Layer):
    """What sets things to 0 at random.

    Args:
        rate: the probability, from 0 to 1.
        seed: accepted, and not needed: all random numbers are those of ``keras.utils.set_random_seed``.
        kwargs: as of :class:`Layer`.
    """

    kind: ClassVar[Any] = nn.Dropout

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.module = self._make()
        self.train(False)

    def _make(self) -> Any:
        return self.kind(self.rate)

    def call(self, inputs: Any) -> Any:
        return self.module(inputs)


class Dropout(_Dropout):
    """Each element set to 0 with probability ``rate`` while training, and otherwise divided by ``1 - rate``.

    Args:
        rate: the probability, from 0 to 1.
        noise_shape: must be None.
        seed: accepted, and not needed: all random numbers are those of ``keras.utils.set_random_seed``.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Dropout(0.5)(tg.ones((1, 3))).tolist()
        [[1.0, 1.0, 1.0]]
        >>> bool((Dropout(0.5)(tg.ones((1, 99)), training=True) == 0).any())
        True
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        if noise_shape is not None:
            raise NotImplementedError("Dropout takes no noise_shape; SpatialDropout2D drops whole channels.")
        super().__init__(rate, seed, **kwargs)


class AlphaDropout(_Dropout):
    """Dropout for SELU, :class:`tensorgrad.nn.AlphaDropout`. Arguments as of :class:`Dropout`."""

    kind = nn.AlphaDropout


class SpatialDropout1D(_Dropout):
    """:class:`Dropout` of whole channels of (N, length, channels). Arguments as of :class:`SpatialDropout2D`."""

    kind = nn.Dropout1d

    def _make(self) -> Any:
        return self.kind(self.rate, data_format="channels_last")


class SpatialDropout2D(_Dropout):
    """:class:`Dropout` of whole channels of images (N, height, width, channels).

    Args:
        rate: the probability, from 0 to 1.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        seed: accepted, and not needed.
        kwargs: as of :class:`Layer`.
    """

    kind: ClassVar[Any] = nn.Dropout2d

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        self._format = standardize_data_format(data_format)
        super().__init__(rate, seed, **kwargs)

    def _make(self) -> Any:
        return self.kind(self.rate, data_format=self._format)


class SpatialDropout3D(SpatialDropout2D):
    """:class:`SpatialDropout2D` for volumes."""

    kind = nn.Dropout3d


class GaussianNoise(Layer):
    """Normal numbers added while training.

    Args:
        stddev: their standard deviation.
        seed: accepted, and not needed.
        kwargs: as of :class:`Layer`.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, inputs: Any) -> Any:
        return inputs + self.stddev * self._noise(inputs) if self.training and self.stddev else inputs

    @staticmethod
    def _noise(inputs: Any) -> Any:
        return randn(*inputs.shape, dtype=inputs.dtype, device=inputs.device)


class GaussianDropout(Layer):
    """Multiplication by normal numbers around 1 while training, with the variance that dropout would have.

    Args:
        rate: that of the dropout.
        seed: accepted, and not needed.
        kwargs: as of :class:`Layer`.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"GaussianDropout takes a rate from 0 to below 1, got {rate}.")
        self.rate = rate

    def call(self, inputs: Any) -> Any:
        if not (self.training and self.rate):
            return inputs
        spread = (self.rate / (1 - self.rate)) ** 0.5
        return inputs * (1 + spread * GaussianNoise._noise(inputs))
