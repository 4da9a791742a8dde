"""Layers that normalise: over the batch, over each sample, over groups of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tensorgrad.autograd import versions
from tensorgrad.nn import init
from tensorgrad.nn.memory_order import EitherOrder
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.creation import asarray, empty, ones, zeros
from tensorgrad.ops.memory_order import CHANNELS_FIRST
from tensorgrad.ops.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    rms_norm,
)


class _Affine(Module):
    """What has a weight and a bias for each channel or element, or neither."""

    weight: Parameter | None
    bias: Parameter | None

    def _set_affine(self, shape: Any, weight: bool, bias: bool, device: str | None, dtype: Any) -> None:
        for name, wanted in (("weight", weight), ("bias", bias)):
            self.register_parameter(name, Parameter(empty(shape, dtype=dtype, device=device)) if wanted else None)

    def reset_parameters(self) -> None:
        """Sets the weight to 1 and the bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class _Tracking(_Affine, EitherOrder):
    """What keeps running statistics of each channel, or does not."""

    # PyTorch has counted the batches since 0.4.1 (2018); torchvision's first weights are older.
    _later_buffers: ClassVar[dict[str, str]] = {"num_batches_tracked": "running_mean"}

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__()
        self._set_order(data_format)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._set_affine(num_features, affine, affine and bias, device, dtype)
        track = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, dtype=dtype, device=device) if track else None)
        self.register_buffer("running_var", ones(num_features, dtype=dtype, device=device) if track else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype="int64", device=device) if track else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets the weight to 1, the bias to 0, and forgets the running statistics."""
        super().reset_parameters()
        self.reset_running_stats()

    def reset_running_stats(self) -> None:
        """Forgets the running statistics, if it keeps any."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.zeros_(self.num_batches_tracked)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Tracking):
    axes: ClassVar[tuple[str, ...]]
    """Those of space, for each number of them that there may be."""

    def forward(self, x: Any) -> Any:
        x = self._expected(x, *(("N", self.num_features, *axes) for axes in self.axes))
        training = self.training or self.running_mean is None
        follow = self.training and self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        if follow and self.momentum is None:
            momentum = 1 / (int(self.num_batches_tracked) + 1)
        mean, var = (self.running_mean, self.running_var) if follow or not training else (None, None)
        options = (training, momentum, self.eps)
        y = batch_norm(x, mean, var, self.weight, self.bias, *options, data_format=self.data_format)
        if follow:
            count = self.num_batches_tracked.data
            count += 1
            versions.mark(count, "batch_norm")
        return y


class BatchNorm1d(_BatchNorm):
    """:class:`BatchNorm2d` for (N, C) or (N, C, L)."""

    axes = ("", "L")


class BatchNorm2d(_BatchNorm):
    """Each channel of images normalised over the batch, then scaled and shifted.

    While training the mean and variance are the batch's own, and running averages of them are kept, which are used in
    evaluation. Source: Ioffe and Szegedy, *Batch normalization*, 2015.

    Shape: input and output (N, C, H, W).

    Args:
        num_features: C, the number of channels.
        eps: added to the variance, so that nothing is divided by 0.
        momentum: how far the running statistics go towards the batch's; None averages all batches equally.
        affine: whether there are a weight and a bias to learn.
        track_running_stats: whether to keep running statistics; without them the batch's own are always used.
        device: where parameters and buffers are.
        dtype: of parameters and buffers, float32 by default.
        bias: whether an affine one has a bias.
        data_format: ``"channels_last"`` for (N, H, W, C); parameters and buffers are the same.

    Attributes:
        weight: shape (C,), at first 1; or None.
        bias: shape (C,), at first 0; or None.
        running_mean: a buffer, shape (C,), at first 0; or None.
        running_var: a buffer, shape (C,), at first 1, of the unbiased variance; or None.
        num_batches_tracked: a buffer, how many batches there have been; or None.

    Raises:
        ValueError: when called, for an input of another shape, or to train with one value per channel.

    Example:
        >>> layer = tg.nn.BatchNorm2d(3)
        >>> layer(tg.randn(8, 3, 4, 4)).shape
        (8, 3, 4, 4)
    """

    axes = ("HW",)


class BatchNorm3d(_BatchNorm):
    """:class:`BatchNorm2d` for (N, C, D, H, W)."""

    axes = ("DHW",)


class _OverLastAxes(_Affine):
    """What normalises over its last axes, and has a weight for each place of these."""

    def _set_shape(
        self, normalized_shape: int | Sequence[int], eps: Any, affine: bool, bias: bool, device: str | None, dtype: Any
    ) -> None:
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape = shape
        self.eps = eps
        self.elementwise_affine = affine
        self._set_affine(shape, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class LayerNorm(_OverLastAxes):
    """Each sample normalised over its last axes, then scaled and shifted.

    Source: Ba, Kiros and Hinton, *Layer normalization*, 2016.

    Args:
        normalized_shape: the lengths of the last axes.
        eps: added to the variance, so that nothing is divided by 0.
        elementwise_affine: whether there is a weight to learn.
        bias: whether there is a bias too.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Example:
        >>> tg.nn.LayerNorm(4)(tg.randn(2, 3, 4)).shape
        (2, 3, 4)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._set_shape(normalized_shape, eps, elementwise_affine, bias, device, dtype)

    def forward(self, x: Any) -> Any:
        x = asarray(x)
        if x.shape[-len(self.normalized_shape) :] != self.normalized_shape:
            self._refuse(x, f"(..., {', '.join(map(str, self.normalized_shape))})")
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(_OverLastAxes):
    """Each sample divided by the root of the mean of its squares over its last axes, then scaled.

    Source: Zhang and Sennrich, *Root mean square layer normalization*, 2019.

    Args:
        normalized_shape: the lengths of the last axes.
        eps: added to the mean; by default the distance from 1 to the next number of the dtype.
        elementwise_affine: whether there is a weight to learn.
        device: where the parameter is.
        dtype: of the parameter, float32 by default.

    Example:
        >>> tg.nn.RMSNorm(4)(tg.randn(2, 3, 4)).shape
        (2, 3, 4)
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._set_shape(normalized_shape, eps, elementwise_affine, False, device, dtype)

    def forward(self, x: Any) -> Any:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)


class LocalResponseNorm(EitherOrder):
    """Each value divided by a power of what its neighbour channels have, :func:`tensorgrad.local_response_norm`.

    Args:
        size: over how many channels.
        alpha: what the mean of their squares counts.
        beta: the exponent.
        k: what there is without it.
        data_format: ``"channels_last"`` for (N, ..., C).
    """

    def __init__(
        self,
        size: int,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        *,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__()
        self._set_order(data_format)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Any) -> Any:
        options = (self.size, self.alpha, self.beta, self.k)
        return local_response_norm(x, *options, data_format=self.data_format)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class GroupNorm(_Affine, EitherOrder):
    """Each sample normalised over groups of its channels, then scaled and shifted.

    Source: Wu and He, *Group normalization*, 2018.

    Args:
        num_groups: into how many groups the channels are split.
        num_channels: how many there are, a multiple of it.
        eps: added to the variance, so that nothing is divided by 0.
        affine: whether there are a weight and a bias to learn.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.
        bias: whether an affine one has a bias.
        data_format: ``"channels_last"`` for (N, ..., C); the parameters are the same.

    Example:
        >>> tg.nn.GroupNorm(2, 4)(tg.randn(2, 4, 3, 3)).shape
        (2, 4, 3, 3)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        super().__init__()
        self._set_order(data_format)
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_groups={num_groups} must divide num_channels={num_channels}.")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._set_affine(num_channels, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, x: Any) -> Any:
        x = self._expected(x, ("N", self.num_channels, "..."))
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps, data_format=self.data_format)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class _InstanceNorm(_Tracking):
    axes: ClassVar[str]

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: str | None = None,
        dtype: Any = None,
        *,
        bias: bool = True,
        data_format: str = CHANNELS_FIRST,
    ) -> None:
        options = (affine, track_running_stats, device, dtype)
        super().__init__(num_features, eps, momentum, *options, bias=bias, data_format=data_format)

    def forward(self, x: Any) -> Any:
        shape = (self.num_features, *self.axes)
        x = self._expected(x, ("N", *shape), shape)
        batched = x if x.ndim == len(shape) + 1 else x.expand_dims(0)
        own, momentum = self.training or not self.track_running_stats, self.momentum or 0.0
        options = (self.weight, self.bias, own, momentum, self.eps)
        y = instance_norm(batched, self.running_mean, self.running_var, *options, data_format=self.data_format)
        return y if batched is x else y.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """:class:`InstanceNorm2d` for (N, C, L)."""

    axes = "L"


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each image normalised by itself.

    Shape: input and output (N, C, H, W), or (C, H, W) for one image.

    Source: Ulyanov, Vedaldi and Lempitsky, *Instance normalization*, 2016.

    Args:
        num_features: C, the number of channels.
        eps: added to the variance, so that nothing is divided by 0.
        momentum: how far the running statistics, if there are any, go towards those of the images; None is 0.
        affine: whether there are a weight and a bias to learn.
        track_running_stats: whether to keep running statistics while training, and to use them in evaluation.
        device: where parameters and buffers are.
        dtype: of parameters and buffers, float32 by default.
        bias: whether an affine one has a bias.
        data_format: ``"channels_last"`` for (N, H, W, C); parameters and buffers are the same.

    Example:
        >>> tg.nn.InstanceNorm2d(3)(tg.randn(2, 3, 4, 4)).shape
        (2, 3, 4, 4)
    """

    axes = "HW"


class InstanceNorm3d(_InstanceNorm):
    """:class:`InstanceNorm2d` for (N, C, D, H, W)."""

    axes = "DHW"
