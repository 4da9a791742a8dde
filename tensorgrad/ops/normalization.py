"""Normalisation: values less their mean, divided by their standard deviation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op, versions
from tensorgrad.ops.arguments import as_floating, beside
from tensorgrad.ops.arrangement import pad
from tensorgrad.ops.casting import astype, clone
from tensorgrad.ops.creation import zeros
from tensorgrad.ops.memory_order import either_order
from tensorgrad.ops.powers import sqrt, square
from tensorgrad.ops.reductions import mean, var
from tensorgrad.ops.shape import reshape
from tensorgrad.pieces import in_pieces, multiply, subtract

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


# -- over the batch --------------------------------------------------------------------------------------------


def _lined_up(x, xp):
    """``x`` of shape (N, C, ...) as (N, C, L), in float32 if it was float16: statistics need its digits."""
    x = xp.reshape(x, (*x.shape[:2], math.prod(x.shape[2:])))
    return x.astype("float32") if x.dtype == "float16" else x


# NumPy's einsum sums three times as fast as its sum, and sums of products without an array for the products.
_SUM, _SUM_OF_PRODUCTS = "ncl->c", "ncl,ncl->c"


@op(outputs=("y", "mean", "variance"))
@in_pieces(x=1, weight=0, bias=0, gives=(1, 0, 0))
def _batch_norm(x, weight=None, bias=None, /, eps=1e-5, *, xp):
    y = _lined_up(x, xp)
    count = y.shape[0] * y.shape[2]
    mean = xp.einsum(_SUM, y) / count
    y = y - mean[:, None]
    variance = xp.einsum(_SUM_OF_PRODUCTS, y, y) / count
    scale = 1 / xp.sqrt(variance + eps)
    y *= (scale if weight is None else weight * scale)[:, None]
    if bias is not None:
        y += bias[:, None]
    return xp.reshape(y, x.shape).astype(x.dtype, copy=False), mean, variance


@_batch_norm.vjp("x", "weight", "bias")
@in_pieces(gs=(1, 0, 0), x=1, weight=0, mean=0, variance=0, gives=(1, 0, 0))
def _(gs, x, weight, mean, variance, eps, needs, xp):
    g, deviation = _lined_up(gs[0], xp), _lined_up(x, xp) - mean[:, None]
    count = g.shape[0] * g.shape[2]
    scale = 1 / xp.sqrt(variance + eps)
    # y = weight * scale * deviation + bias
    by_bias = xp.einsum(_SUM, g)
    by_weight = xp.einsum(_SUM_OF_PRODUCTS, g, deviation) * scale
    if not needs[0]:
        return None, by_weight, by_bias
    slope = scale if weight is None else weight * scale
    by_x = g * slope[:, None]
    deviation *= ((2 * gs[2] - slope * scale * by_weight) / count)[:, None]
    by_x += deviation
    by_x += ((gs[1] - slope * by_bias) / count)[:, None]
    return xp.reshape(by_x, x.shape), by_weight, by_bias


@either_order(channels=1)
def batch_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    correction: int = 1,
) -> Tensor:
    """Each channel normalised over the batch: ``(x - mean) / sqrt(variance + eps) * weight + bias``.

    Source: Ioffe and Szegedy, *Batch normalization*, 2015.

    Args:
        x: shape (N, C, ...).
        running_mean: shape (C,): the mean to use. While training, it is brought closer to that of the batch, in place.
        running_var: shape (C,): the same for the variance (of the batch, the unbiased one; see ``correction``).
        weight: shape (C,), or None for 1.
        bias: shape (C,), or None for 0.
        training: whether to use the batch's own mean and variance (the biased one).
        momentum: how far the running statistics go towards those of the batch, from 0 to 1.
        eps: keeps from dividing by 0.
        correction: what is taken off the number of values for the running variance: 1 for the unbiased one; 0 for the
            biased one, which there is of a single value, too (Keras's).

    Returns:
        The shape and dtype of ``x``.

    Raises:
        ValueError: if the shapes do not go together, there is only one value per channel to train with, or there are
            no running statistics to use. An empty batch is taken, and changes no statistics.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> x = tg.tensor([[1.0, 5.0], [3.0, 5.0]])
        >>> tg.batch_norm(x, training=True).numpy().round(3)
        array([[-1.,  0.],
               [ 1.,  0.]], dtype=float32)
    """
    x = as_floating("batch_norm", x)
    if x.ndim < 2:
        raise ValueError(f"batch_norm() takes an input (N, C, ...), got shape {x.shape}.")
    if training:
        _require_arrays("batch_norm", running_mean=running_mean, running_var=running_var)
    running_mean, running_var, weight, bias = _per_channel(
        "batch_norm", x, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm() needs running_mean and running_var, or training=True.")
        return _by_running(x, running_mean, running_var, weight, bias, eps)
    count = x.size // x.shape[1] if x.size else 0
    if not count:  # an empty batch has no statistics
        nothing = zeros(x.shape[1], dtype=x.dtype, device=x.device)
        return _by_running(x, nothing, nothing, weight, bias, eps)
    if count <= correction:
        raise ValueError(f"batch_norm() needs more than one value per channel to train with, got input {x.shape}.")
    y, center, variance = _batch_norm(x, weight, bias, eps)
    _follow("batch_norm", running_mean, center, momentum)
    _follow("batch_norm", running_var, variance, momentum, count / (count - correction))
    return y


def _per_channel(name: str, x: Tensor, **values: Any) -> list[Tensor | None]:
    """``values`` as Tensors of shape (C,)."""
    tensors = []
    for what, value in values.items():
        tensor = None if value is None else beside(x, value)
        if tensor is not None and tensor.shape != x.shape[1:2]:
            raise ValueError(
                f"{name}() of {x.shape[1]} channels (input {x.shape}) needs a {what} of shape {x.shape[1:2]}, got "
                f"{tensor.shape}."
            )
        tensors.append(tensor)
    return tensors


def _require_arrays(name: str, **statistics: Any) -> None:
    for what, value in statistics.items():
        if value is not None and not isinstance(value, Tensor) and backend.of(value) is None:
            raise TypeError(
                f"{name}(): {what} is changed in place: give a Tensor or an array, not {type(value).__name__}."
            )


def _by_running(x: Tensor, mean: Tensor, variance: Tensor, weight: Any, bias: Any, eps: float) -> Tensor:
    # A copy for the product to keep: training changes the statistics in place, perhaps before this one's backward.
    mean = clone(mean)
    scale = 1 / sqrt(variance + eps) if weight is None else weight / sqrt(variance + eps)
    shift = -mean * scale if bias is None else bias - mean * scale
    column = (-1,) + (1,) * (x.ndim - 2)
    # Two passes over x.
    return astype(x * reshape(scale, column) + reshape(shift, column), x.dtype, copy=False)


def _follow(name: str, running: Tensor | None, current: Tensor, momentum: float, factor: float = 1.0) -> None:
    """Brings running statistics closer to those of the batch, in place."""
    if running is not None:
        array = running.data
        array *= 1 - momentum
        array += (momentum * factor) * current.data
        versions.mark(array, name)


# -- over each sample ------------------------------------------------------------------------------------------


@op(outputs=("y", "mean", "scale"))
@in_pieces(x=0, gives=(0, 0, 0))
def _layer_norm(x, weight=None, bias=None, /, eps=1e-5, *, xp, into=(None,) * 3):
    """The rows of ``x`` (R, L) less their means, divided by their standard deviations; and 1 / these."""
    y = x.astype("float32") if x.dtype == "float16" else x
    count = y.shape[1]
    # Products with ones are the quickest sums of rows and columns that NumPy has.
    mean = xp.matmul(y, xp.ones_like(y[0])) / count
    y = subtract(y, mean[:, None], into[0])
    scale = 1 / xp.sqrt(xp.einsum("rl,rl->r", y, y) / count + eps)
    y *= scale[:, None]
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias
    return y.astype(x.dtype, copy=False), mean, scale


@_layer_norm.vjp("x", "weight", "bias")
@in_pieces(gs=(0, 0, 0), x=0, mean=0, scale=0, gives=(0, "sum", "sum"))
def _(gs, x, weight, mean, scale, needs, xp, into=(None,) * 3):
    g, by_mean, by_scale = gs
    g, count = g.astype(mean.dtype, copy=False), x.shape[1]
    deviation = x.astype(mean.dtype, copy=False) - mean[:, None]
    product = g * deviation
    by_weight, by_bias = xp.matmul(scale, product), xp.matmul(xp.ones_like(scale), g)
    if not needs[0]:
        return None, by_weight, by_bias
    if weight is None:
        weight = xp.ones_like(deviation[0])
    # y = scale * deviation * weight + bias, and scale changes by -scale**3 * deviation / count.
    slope = (xp.matmul(product, weight) + by_scale) * scale**3 / count
    by_x = multiply(g, weight, into[0])
    by_x *= scale[:, None]
    deviation *= slope[:, None]
    by_x -= deviation
    by_x -= ((xp.matmul(g, weight) * scale - by_mean) / count)[:, None]
    return by_x, by_weight, by_bias


@op(outputs=("y", "scale"))
@in_pieces(x=0, gives=(0, 0))
def _standardize(x, /, axes, eps, *, xp, into=(None, None)):
    """``x`` less its mean over the axes, divided by its standard deviation; and 1 / that."""
    y = x.astype("float32") if x.dtype == "float16" else x
    y = subtract(y, xp.mean(y, axis=axes, keepdims=True), into[0])
    scale = 1 / xp.sqrt(xp.mean(xp.square(y), axis=axes, keepdims=True) + eps)
    y *= scale
    return y.astype(x.dtype, copy=False), scale


@_standardize.vjp("x")
@in_pieces(gs=(0, 0), y=0, scale=0, gives=(0,))
def _(gs, y, scale, axes, xp):
    g, by_scale = gs
    count = math.prod(y.shape[axis] for axis in axes)
    along = xp.mean(g * y, axis=axes, keepdims=True) + by_scale * scale / count
    return scale * (g - xp.mean(g, axis=axes, keepdims=True) - y * along)


def _affine(y: Tensor, weight: Any, bias: Any) -> Tensor:
    out = y if weight is None else y * weight
    return astype(out if bias is None else out + bias, y.dtype, copy=False)


def layer_norm(
    x: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Tensor:
    """Each sample normalised over its last axes (Ba, Kiros and Hinton, *Layer normalization*, 2016).

    Args:
        x: an array whose last axes have the lengths ``normalized_shape``.
        normalized_shape: a length or several.
        weight: that shape, or None for 1.
        bias: that shape, or None for 0.
        eps: keeps from dividing by 0.

    Returns:
        The shape and dtype of ``x``.

    Raises:
        ValueError: if the shapes do not go together.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> tg.layer_norm(tg.tensor([[1.0, 3.0], [0.0, 10.0]]), 2).numpy().round(3)
        array([[-1.,  1.],
               [-1.,  1.]], dtype=float32)
    """
    x, axes, weight, bias = _over_last_axes("layer_norm", x, normalized_shape, weight, bias)
    if not x.size:
        return _affine(x, weight, bias)
    length = math.prod(x.shape[axes[0] :])
    weight, bias = (None if value is None else reshape(value, (length,)) for value in (weight, bias))
    return reshape(_layer_norm(reshape(x, (-1, length)), weight, bias, eps)[0], x.shape)


def _over_last_axes(
    name: str, x: Any, normalized_shape: int | Sequence[int], weight: Any, bias: Any = None
) -> tuple[Tensor, tuple[int, ...], Tensor | None, Tensor | None]:
    """What is normalised over its last axes, which these are, and what belongs to them."""
    x = as_floating(name, x)
    weight, bias = (None if value is None else beside(x, value) for value in (weight, bias))
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    for what, given in (("input", x), ("weight", weight), ("bias", bias)):
        end = shape if given is None else tuple(given.shape)[-len(shape) :] if what == "input" else tuple(given.shape)
        if not shape or end != shape:
            raise ValueError(f"{name}() over {shape} does not go with a {what} of shape {tuple(given.shape)}.")
    return x, tuple(range(x.ndim - len(shape), x.ndim)), weight, bias


def rms_norm(x: Any, normalized_shape: int | Sequence[int], weight: Any = None, eps: float | None = None) -> Tensor:
    """Each sample divided by the root of the mean of its squares (Zhang and Sennrich, *RMSNorm*, 2019).

    Args:
        x: shape (..., *normalized_shape).
        normalized_shape: the lengths of the last axes, over which the mean goes.
        weight: shape normalized_shape, or None for 1.
        eps: added to the mean; by default the distance from 1 to the next number of the dtype.

    Returns:
        The shape and dtype of ``x``.

    Raises:
        ValueError: if the shapes do not go together.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> tg.rms_norm(tg.tensor([[3.0, 4.0]]), 2).numpy().round(3)
        array([[0.849, 1.131]], dtype=float32)
    """
    x, axes, weight, _ = _over_last_axes("rms_norm", x, normalized_shape, weight)
    wide = "float32" if x.dtype == "float16" else x.dtype
    eps = float(np.finfo(wide).eps) if eps is None else eps
    y = astype(x, wide, copy=False)
    y = y / sqrt(mean(square(y), axis=axes, keepdims=True) + eps) if x.size else y
    return _affine(astype(y, x.dtype, copy=False), weight, None)


@either_order(channels=1)
def local_response_norm(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """``x / (k + alpha * m)**beta``, where m is the mean of the squares over ``size`` channels around each.

    Beyond the first and the last channel the squares are taken to be 0.

    Source: Krizhevsky, Sutskever and Hinton, *ImageNet classification with deep convolutional neural networks* (2012),
    who take the sum and not the mean.

    Args:
        x: shape (N, C, ...).
        size: over how many channels.
        alpha: what the mean counts.
        beta: the exponent.
        k: what there is without it.

    Returns:
        The shape and dtype of ``x``.

    Raises:
        ValueError: if there is no axis of channels, or ``size`` is below 1.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> tg.local_response_norm(tg.tensor([[[1.0], [2.0]]]), 2, alpha=2.0, beta=1.0).squeeze()
        Tensor([0.5       , 0.33333334], dtype=float32, device='cpu')
    """
    x = as_floating("local_response_norm", x)
    if x.ndim < 3 or size < 1:
        raise ValueError(f"local_response_norm() takes x (N, C, ...) and a size of 1 or more, got {x.shape}, {size}.")
    widths = [(0, 0), (size // 2, (size - 1) // 2)] + [(0, 0)] * (x.ndim - 2)
    squares = pad(square(x), widths)
    channels = x.shape[1]
    total = squares[:, :channels]
    for shift in range(1, size):
        total = total + squares[:, shift : shift + channels]
    return x / (k + total * (alpha / size)) ** beta


@either_order(channels=1)
def group_norm(x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Tensor:
    """Each sample normalised over groups of its channels (Wu and He, *Group normalization*, 2018).

    Args:
        x: shape (N, C, ...).
        num_groups: into how many groups the channels are split.
        weight: shape (C,), or None for 1.
        bias: shape (C,), or None for 0.
        eps: keeps from dividing by 0.

    Returns:
        The shape and dtype of ``x``.

    Raises:
        ValueError: if the shapes do not go together, or the channels do not split.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> x = tg.tensor([[[1.0], [3.0], [0.0], [10.0]]])
        >>> tg.group_norm(x, 2).squeeze().numpy().round(3)
        array([-1.,  1., -1.,  1.], dtype=float32)
    """
    x = as_floating("group_norm", x)
    if x.ndim < 2 or num_groups < 1 or x.shape[1] % num_groups:
        raise ValueError(f"group_norm() takes an input (N, C, ...), C a multiple of {num_groups}; got shape {x.shape}.")
    return _by_group("group_norm", x, num_groups, weight, bias, eps)


@either_order(channels=1)
def instance_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample normalised by itself (Ulyanov et al., *Instance normalization*, 2016).

    Args:
        x: shape (N, C, ...), with more than one value per channel.
        running_mean: shape (C,), or None: brought closer to the mean of the samples' means, in place.
        running_var: shape (C,), or None: the same for the mean of their variances (the unbiased ones).
        weight: shape (C,), or None for 1.
        bias: shape (C,), or None for 0.
        use_input_stats: whether to use each sample's own mean and variance; if not, the running statistics are used
            and left as they are.
        momentum: how far the running statistics go towards those of the samples, from 0 to 1.
        eps: keeps from dividing by 0.

    Returns:
        The shape and dtype of ``x``.

    Raises:
        ValueError: if the shapes do not go together, or there are no running statistics to use.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> tg.instance_norm(tg.tensor([[[1.0, 3.0], [0.0, 10.0]]])).numpy().round(3)
        array([[[-1.,  1.],
                [-1.,  1.]]], dtype=float32)
    """
    x = as_floating("instance_norm", x)
    if x.ndim < 3 or (use_input_stats and math.prod(x.shape[2:]) == 1):
        raise ValueError(
            f"instance_norm() takes (N, C, ...) with more than one value per channel, got shape {x.shape}."
        )
    if use_input_stats:
        _require_arrays("instance_norm", running_mean=running_mean, running_var=running_var)
    running_mean, running_var = _per_channel("instance_norm", x, running_mean=running_mean, running_var=running_var)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError("instance_norm() needs running_mean and running_var, or use_input_stats=True.")
        weight, bias = _per_channel("instance_norm", x, weight=weight, bias=bias)
        return _by_running(x, running_mean, running_var, weight, bias, eps)
    y = _by_group("instance_norm", x, x.shape[1], weight, bias, eps)
    if x.size and not (running_mean is None and running_var is None):
        given = astype(x.detach(), "float32", copy=False) if x.dtype == "float16" else x.detach()
        axes = tuple(range(2, x.ndim))
        _follow("instance_norm", running_mean, mean(given, axis=(0, *axes)), momentum)
        _follow("instance_norm", running_var, mean(var(given, axis=axes, correction=1), axis=0), momentum)
    return y


def _by_group(name: str, x: Tensor, groups: int, weight: Any, bias: Any, eps: float) -> Tensor:
    column = (-1,) + (1,) * (x.ndim - 2)
    weight, bias = (
        None if value is None else reshape(value, column) for value in _per_channel(name, x, weight=weight, bias=bias)
    )
    if x.size:
        y, _ = _standardize(reshape(x, (x.shape[0], groups, -1)), (2,), eps)
        x = reshape(y, x.shape)
    return _affine(x, weight, bias)
