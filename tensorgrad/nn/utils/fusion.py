"""Batch normalisation taken into the layer before it: in evaluation it is a scale and a shift."""

from __future__ import annotations

import copy

from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.nn.convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import Module
from tensorgrad.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.creation import zeros_like
from tensorgrad.ops.powers import sqrt
from tensorgrad.ops.shape import reshape

__all__ = ["fuse_conv_bn_eval", "fuse_linear_bn_eval"]

TRANSPOSED = (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
CONVOLUTIONS = (Conv1d, Conv2d, Conv3d, *TRANSPOSED)
NORMALISATIONS = (BatchNorm1d, BatchNorm2d, BatchNorm3d)


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """A convolution that does what ``conv`` and ``bn`` after it do in evaluation, in one pass instead of two.

    Args:
        conv: a convolution or transposed convolution; it is left as it is.
        bn: a batch normalisation with running statistics, of as many features as the convolution has output channels.
        transpose: whether it is a transposed one, as PyTorch wants to be told; it is seen here.

    Returns:
        A copy of ``conv``, with a bias.

    Raises:
        TypeError: for layers of another kind.
        ValueError: if one of them is in training, the statistics are missing, or they do not go together.

    Example:
        >>> conv, bn = tg.nn.Conv2d(3, 4, 3, bias=False).eval(), tg.nn.BatchNorm2d(4).eval()
        >>> x = tg.randn(1, 3, 5, 5)
        >>> float(abs(tg.nn.utils.fuse_conv_bn_eval(conv, bn)(x) - bn(conv(x))).max()) < 1e-5
        True
    """
    return _fused(conv, bn, CONVOLUTIONS, "fuse_conv_bn_eval() takes a convolution")


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Module:
    """A :class:`Linear` that does what ``linear`` and ``bn`` after it do; as :func:`fuse_conv_bn_eval`."""
    return _fused(linear, bn, (Linear,), "fuse_linear_bn_eval() takes a Linear")


def _fused(layer: Module, bn: Module, kinds: tuple[type[Module], ...], wanted: str) -> Module:
    if not (isinstance(layer, kinds) and isinstance(bn, NORMALISATIONS)):
        raise TypeError(f"{wanted} and a batch normalisation, got {type(layer).__name__} and {type(bn).__name__}.")
    if layer.training or bn.training:
        raise ValueError("what is fused is what is computed in evaluation: call eval() on both layers first.")
    if bn.running_mean is None:
        raise ValueError("the batch normalisation has no running statistics, so it cannot be a part of the weights.")
    transposed = isinstance(layer, TRANSPOSED)
    outputs = layer.out_features if isinstance(layer, Linear) else layer.out_channels
    if bn.num_features != outputs:
        raise ValueError(f"the batch normalisation is of {bn.num_features} features, the layer makes {outputs}.")
    with no_grad():
        mean, weight = bn.running_mean, layer.weight
        scale = 1 / sqrt(bn.running_var + bn.eps)
        scale = scale if bn.weight is None else scale * bn.weight
        bias = -mean if layer.bias is None else layer.bias - mean
        bias = bias * scale + (zeros_like(mean) if bn.bias is None else bn.bias)
        if transposed:
            # (in, out / groups, ...): the inputs of each group have the outputs of this group in their rows.
            groups, each = layer.groups, weight.shape[1]
            split = reshape(weight, (groups, -1, each, *weight.shape[2:]))
            scaled = split * reshape(scale, (groups, 1, each) + (1,) * (weight.ndim - 2))
        else:
            scaled = weight * reshape(scale, (-1,) + (1,) * (weight.ndim - 1))
    fused = copy.deepcopy(layer)
    fused.weight = _like(layer.weight, reshape(scaled, weight.shape))
    fused.bias = _like(layer.weight, bias)
    return fused


def _like(parameter: Tensor, value: Tensor) -> Parameter:
    return Parameter(value.data.astype(parameter.dtype, copy=False), parameter.requires_grad)
