"""Layers that normalise: those of :mod:`tensorgrad.nn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from tensorgrad import nn
from tensorgrad.keras.layers.base import Layer
from tensorgrad.nn import functional as F
from tensorgrad.ops.shape import moveaxis


class _Scaled(Layer):
    """What scales and shifts when it has normalised, or does not."""

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self.beta_initializer, self.gamma_initializer = beta_initializer, gamma_initializer
        self.beta_regularizer, self.gamma_regularizer = beta_regularizer, gamma_regularizer

    def _take(self, module: Any) -> None:
        """Keeps a module of tensorgrad.nn, and of its weight and bias what is wanted."""
        for name, wanted in (("weight", self.scale), ("bias", self.center)):
            if not wanted:
                setattr(module, name, None)
        self.module = module
        self.track("gamma", module.weight, initializer=self.gamma_initializer, regularizer=self.gamma_regularizer)
        self.track("beta", module.bias, initializer=self.beta_initializer, regularizer=self.beta_regularizer)

    def call(self, inputs: Any) -> Any:
        return self.module(inputs)


class BatchNormalization(_Scaled):
    """Each channel normalised over the batch, then scaled and shifted (Ioffe and Szegedy, 2015).

    While training the mean and the variance are the batch's own, and ``moving_mean`` and ``moving_variance`` follow
    them (the variance as it is, not Bessel's); otherwise these are used, as they are in training while the layer is
    frozen.

    Args:
        axis: that of the channels.
        momentum: what is kept of the moving figures at each batch: one minus what PyTorch calls so.
        epsilon: added to the variance.
        center: whether to shift by ``beta``.
        scale: whether to scale by ``gamma``.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: of these.
        beta_regularizer, gamma_regularizer: penalties.
        kwargs: as of :class:`Layer`.

    Example:
        >>> layer = BatchNormalization()
        >>> layer(tg.ones((2, 4, 4, 3))).shape, [w.name for w in layer.weights]
        ((2, 4, 4, 3), ['gamma', 'beta', 'moving_mean', 'moving_variance'])
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        affine = (beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer)
        super().__init__(epsilon, center, scale, *affine, **kwargs)
        self.axis, self.momentum = axis, momentum
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not rank >= 2 or not -rank <= self.axis < rank or input_shape[self.axis] is None:
            raise ValueError(
                f"{self.name} normalises the channels on axis {self.axis}, and is given the shape {input_shape}."
            )
        kind = {4: nn.BatchNorm2d, 5: nn.BatchNorm3d}.get(rank, nn.BatchNorm1d)
        module = kind(input_shape[self.axis], self.epsilon, 1 - self.momentum, dtype=self.dtype)
        self._take(module)
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        self.track("moving_mean", module.running_mean, initializer=mean, trainable=False)
        self.track("moving_variance", module.running_var, initializer=variance, trainable=False)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """One more of that configuration."""
        return super().from_config({name: value for name, value in config.items() if name != "renorm_momentum"})

    def train(self, mode: bool = True) -> Self:
        """Switches to training, unless it is frozen."""
        return super().train(mode and self.trainable)

    def call(self, inputs: Any) -> Any:
        first = self.axis in (1, 1 - len(inputs.shape))
        x = inputs if first else moveaxis(inputs, self.axis, -1)
        module, order = self.module, "channels_first" if first else "channels_last"
        statistics = (module.running_mean, module.running_var, module.weight, module.bias)
        options = (self.training, 1 - self.momentum, self.epsilon)
        y = F.batch_norm(x, *statistics, *options, correction=0, data_format=order)
        return y if first else moveaxis(y, -1, self.axis)


class LayerNormalization(_Scaled):
    """Each sample normalised over its last axes, :class:`tensorgrad.nn.LayerNorm` (Ba, Kiros and Hinton, 2016).

    Args:
        axis: over which axis, or axes: the last ones.
        epsilon: added to the variance.
        center: whether to shift by ``beta``.
        scale: whether to scale by ``gamma``.
        beta_initializer, gamma_initializer: of these.
        beta_regularizer, gamma_regularizer: penalties.
        kwargs: as of :class:`Layer`.

    Example:
        >>> LayerNormalization()(tg.randn(2, 3, 4)).shape
        (2, 3, 4)
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        affine = (beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer)
        super().__init__(epsilon, center, scale, *affine, **kwargs)
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)

    def build(self, input_shape: Any) -> None:
        rank, count = len(input_shape), len(self.axis)
        shape = input_shape[rank - count :]
        if sorted(axis % rank for axis in self.axis) != list(range(rank - count, rank)) or None in shape:
            raise ValueError(
                f"{self.name} normalises over last axes of known length, not over {self.axis} of {input_shape}."
            )
        self._take(nn.LayerNorm(shape, self.epsilon, dtype=self.dtype))


class GroupNormalization(_Scaled):
    """Each sample normalised over groups of its channels, :class:`tensorgrad.nn.GroupNorm` (Wu and He, 2018).

    Args:
        groups: how many; -1: as many as channels.
        axis: that of the channels: the last, or 1.
        epsilon: added to the variance.
        center: whether to shift by ``beta``.
        scale: whether to scale by ``gamma``.
        beta_initializer, gamma_initializer: of these.
        beta_regularizer, gamma_regularizer: penalties.
        kwargs: as of :class:`Layer`.

    Example:
        >>> GroupNormalization(groups=2)(tg.randn(2, 3, 3, 4)).shape
        (2, 3, 3, 4)
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        affine = (beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer)
        super().__init__(epsilon, center, scale, *affine, **kwargs)
        self.groups, self.axis = groups, axis

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        axis = self.axis % rank
        if axis not in (1, rank - 1) or input_shape[axis] is None:
            raise ValueError(f"{self.name} takes channels on axis 1 or -1, not {self.axis} of {input_shape}.")
        count = input_shape[axis]
        groups = count if self.groups == -1 else self.groups
        order = "channels_last" if axis == rank - 1 else "channels_first"
        self._take(nn.GroupNorm(groups, count, self.epsilon, dtype=self.dtype, data_format=order))
