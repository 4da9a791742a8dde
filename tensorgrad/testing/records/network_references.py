"""What network functions should give, in NumPy and by definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tensorgrad.random import Generator

Array = np.ndarray

# -- windows ---------------------------------------------------------------------------------------------------


def per_axis(option: Any, d: int) -> tuple[Any, ...]:
    """A number for all axes, or one for each."""
    return tuple(option) if isinstance(option, (tuple, list)) else (option,) * d


def per_side(padding: Any, d: int) -> list[tuple[int, int]]:
    """Padding as a pair for each axis."""
    return [side if isinstance(side, tuple) else (side, side) for side in per_axis(padding, d)]


def windows(x: Array, kernel: Any, stride: Any, dilation: Any) -> Array:
    """All windows over the last axes: shape (..., *out, *kernel)."""
    d = len(kernel)
    extent = [(k - 1) * e + 1 for k, e in zip(kernel, dilation, strict=True)]
    every = sliding_window_view(x, extent, axis=tuple(range(-d, 0)))
    steps: list[Any] = [slice(None, None, n) for n in (*stride, *dilation)]
    return every[(..., *steps)]


def convolution(
    x: Array, weight: Array, bias: Array | None = None, *, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    """Every output as the sum over its window; the kernel is not flipped."""
    d = weight.ndim - 2
    stride, dilation = per_axis(stride, d), per_axis(dilation, d)
    if padding == "valid":
        padding = 0
    elif padding == "same":
        total = [e * (k - 1) for k, e in zip(weight.shape[2:], dilation, strict=True)]
        padding = tuple((n // 2, n - n // 2) for n in total)
    padded = np.pad(x, [(0, 0)] * (x.ndim - d) + per_side(padding, d))
    seen = windows(padded, weight.shape[2:], stride, dilation)
    channels, letters = -2 * d - 1, "uvw"[:d]
    out = np.concatenate(
        [
            np.einsum(f"...c{'xyz'[:d]}{letters},oc{letters}->...o{'xyz'[:d]}", part, kernels)
            for part, kernels in zip(np.split(seen, groups, channels), np.split(weight, groups), strict=True)
        ],
        axis=-d - 1,
    )
    return out if bias is None else out + bias.reshape(-1, *[1] * d)


def pooling(reduce: str, d: int) -> Callable[..., Array]:
    """Pooling by definition: what is outside of the image is NaN, and left out.

    Args:
        reduce: ``"max"``, ``"min"``, ``"sum"``, ``"median"`` or ``"mean"``.
        d: the number of spatial axes.
    """

    def pool(
        x: Array,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
        divisor_override: int | None = None,
    ) -> Array:
        kernel = per_axis(kernel_size, d)
        step = kernel if stride is None else per_axis(stride, d)
        spread = per_axis(dilation, d)
        sides = per_side(padding, d)
        more = [_room_for_last(*each) if ceil_mode else 0 for each in zip(x.shape[-d:], kernel, step, sides, spread)]
        around = [(lo, hi + extra) for (lo, hi), extra in zip(sides, more, strict=True)]
        padded = np.pad(x.astype("float64"), [(0, 0)] * (x.ndim - d) + around, constant_values=np.nan)
        seen = windows(padded, kernel, step, spread)
        axes = tuple(range(-d, 0))
        if divisor_override is not None:
            return np.nansum(seen, axis=axes) / divisor_override
        if count_include_pad:
            counted = np.pad(np.pad(np.ones(x.shape[-d:]), sides, constant_values=1), [(0, n) for n in more])
            return np.nansum(seen, axis=axes) / windows(counted, kernel, step, spread).sum(axis=axes)
        # The dtype is the one that the reduction gives.
        return getattr(np, f"nan{reduce}")(seen, axis=axes).astype(getattr(np, reduce)(np.ones(1, x.dtype)).dtype)

    return pool


def _room_for_last(n: int, k: int, step: int, sides: tuple[int, int], spread: int) -> int:
    """How many positions are missing for one more window, if it starts inside the image or the padding before it."""
    extent = (k - 1) * spread + 1
    room = n + sum(sides) - extent
    start = (room // step + 1) * step
    return start - room if room % step and start < n + sides[0] else 0


def adaptive(function: Callable[..., Array], d: int) -> Callable[..., Array]:
    """The windows that PyTorch cuts: from ``floor(i n / count)`` to ``ceil((i + 1) n / count)``."""

    def pool(x: Array, output_size: Any = 1) -> Array:
        counts = [n if m is None else m for n, m in zip(x.shape[-d:], per_axis(output_size, d), strict=True)]
        out = np.zeros((*x.shape[:-d], *counts), function(np.ones(1, x.dtype)).dtype)
        for place in np.ndindex(*counts):
            window: list[Any] = [
                slice(at * n // m, math.ceil((at + 1) * n / m))
                for at, n, m in zip(place, x.shape[-d:], counts, strict=True)
            ]
            out[(..., *place)] = function(x[(..., *window)], axis=tuple(range(-d, 0)))
        return out

    return pool


def power_pooling(d: int) -> Callable[..., Array]:
    """Sums of powers, and their roots; a window that is not full counts as if it were."""
    mean, largest = pooling("mean", d), pooling("max", d)

    def pool(x: Array, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Array:
        if norm_type == math.inf:
            return largest(np.abs(x), kernel_size, stride, ceil_mode=ceil_mode)
        total = mean(x**norm_type, kernel_size, stride, ceil_mode=ceil_mode) * math.prod(per_axis(kernel_size, d))
        return total ** (1 / norm_type)

    return pool


def max_unpool(x: Array, indices: Array, kernel_size: Any, output_size: Any) -> Array:
    """Number by number; where an index is repeated, the last one stays."""
    d = len(output_size)
    out = np.zeros((*x.shape[:-d], math.prod(output_size)))
    for place in np.ndindex(x.shape):
        out[(*place[:-d], indices[place])] = x[place]
    return out.reshape(*x.shape[:-d], *output_size)


# -- activations -----------------------------------------------------------------------------------------------

erf = np.vectorize(math.erf, otypes=[float])
erfinv = np.vectorize(lambda x: NormalDist().inv_cdf((x + 1) / 2) / math.sqrt(2), otypes=[float])


def sigmoid(x: Array) -> Array:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def glu(x: Array, axis: int = -1) -> Array:
    """One half along an axis, gated by the other."""
    values, gates = np.split(x, 2, axis)
    return values * sigmoid(gates)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """Exponential where it is negative."""
    return np.where(x > 0, x, alpha * np.expm1(x))


def celu(x: Array, alpha: float) -> Array:
    """The same, smooth at 0."""
    return np.where(x > 0, x, alpha * np.expm1(x / alpha))


def gelu(x: Array, approximate: str) -> Array:
    """``x`` times the normal distribution function."""
    if approximate == "tanh":
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + erf(x / np.sqrt(2)))


def softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """``log(1 + exp(beta x)) / beta``, or ``x`` beyond the threshold."""
    return np.where(beta * x > threshold, x, np.log1p(np.exp(beta * x)) / beta)


def prelu(x: Array, weight: Array) -> Array:
    """A slope for each channel where it is negative."""
    if weight.size > 1:
        weight = weight.reshape(-1, *[1] * (x.ndim - 2))
    return np.where(x > 0, x, weight * x)


def softmax(x: Array, axis: int = -1) -> Array:
    """Exponentials divided by their sum."""
    e = np.exp(x)
    return e / e.sum(axis=axis if x.ndim else None, keepdims=True)


def log_softmax(x: Array, axis: int = -1) -> Array:
    """Its logarithm."""
    return np.log(softmax(x, axis))


# -- losses ----------------------------------------------------------------------------------------------------


def loss(each: Callable[..., Array]) -> Callable[..., Array]:
    """A loss from what each element contributes: its mean, its sum, or itself, multiplied by a weight."""

    def reduced(
        x: Array, target: Array, *weights: Array, names: tuple[str, ...] = (), reduction: str, **options: Any
    ) -> Array:
        given = dict(zip(names, weights, strict=True))
        weight = given.pop("weight", 1)
        losses = weight * each(x, target, **given, **options)
        if reduction == "batchmean":
            return losses.sum() / (x.shape[0] if x.ndim else 1)
        return losses if reduction == "none" else getattr(np, reduction)(losses)

    return reduced


def huber(x: Array, target: Array, delta: float) -> Array:
    """Half a square, and beyond ``delta`` the tangent."""
    d = np.abs(x - target)
    return np.where(d < delta, d**2 / 2, delta * (d - delta / 2))


def kl_div(x: Array, target: Array, log_target: bool) -> Array:
    """What each probability contributes to the divergence."""
    return np.exp(target) * (target - x) if log_target else target * (np.log(target) - x)


def bernoulli(x: Array, target: Array) -> Array:
    """Cross-entropy of two classes."""
    return -(target * np.log(x) + (1 - target) * np.log(1 - x))


def logistic(x: Array, target: Array, pos_weight: Any = 1) -> Array:
    """The same, of scores."""
    p = sigmoid(x)
    return -(pos_weight * target * np.log(p) + (1 - target) * np.log(1 - p))


def cross_entropy(
    x: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    logs: bool = False,
) -> Array:
    """Sample by sample; ``logs`` says that ``x`` is log-probabilities already."""
    axis = 0 if x.ndim == 1 else 1
    lines = np.moveaxis(x, axis, -1)
    count = x.shape[axis]
    weight = np.ones(count) if weight is None else weight
    soft = target.dtype.kind == "f"
    target = np.moveaxis(target, axis, -1) if soft else target
    losses, counts = np.zeros(lines.shape[:-1]), np.zeros(lines.shape[:-1])
    for i in np.ndindex(losses.shape):
        if not soft and target[i] == ignore_index:
            continue
        p = target[i] if soft else np.eye(count)[target[i]]
        counts[i] = 1 if soft else weight[target[i]]
        p = p * (1 - label_smoothing) + label_smoothing / count
        losses[i] = -(weight * p * (lines[i] if logs else log_softmax(lines[i]))).sum()
    if reduction == "mean":
        return losses.sum() / counts.sum()
    return losses.sum() if reduction == "sum" else losses


def one_hot(x: Array, num_classes: int | None) -> Array:
    """Rows of the identity."""
    return np.eye(x.max() + 1 if num_classes is None else num_classes, dtype="int64")[x]


# -- normalisation ---------------------------------------------------------------------------------------------


def standardized(x: Array, axes: tuple[int, ...]) -> Array:
    """Less the mean, divided by the standard deviation."""
    if not x.size:
        return x
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)


def affine(x: Array, arrays: tuple[Array, ...], names: tuple[str, ...], axis: int | None = 1) -> Array:
    """Multiplied by a weight and with a bias added, those of them that are given."""
    given = dict(zip(names, arrays, strict=True))
    if axis is not None:
        given = {name: array.reshape(-1, *[1] * (x.ndim - 1 - axis)) for name, array in given.items()}
    if "running_mean" in given:
        x = (x - given["running_mean"]) / np.sqrt(given["running_var"] + 1e-5)
    return x * given.get("weight", 1) + given.get("bias", 0)


def batch_norm(x: Array, *arrays: Array, names: tuple[str, ...], training: bool) -> Array:
    """Over all axes but the channels'."""
    return affine(standardized(x, (0, *range(2, x.ndim))) if training else x, arrays, names)


def layer_norm(x: Array, *arrays: Array, names: tuple[str, ...], normalized_shape: Any) -> Array:
    """Over the last axes."""
    axes = tuple(range(-np.size(normalized_shape), 0))
    return affine(standardized(x, axes), arrays, names, None)


def group_norm(x: Array, *arrays: Array, names: tuple[str, ...], num_groups: int) -> Array:
    """Over groups of channels."""
    grouped = x.reshape(x.shape[0], num_groups, x.shape[1] // num_groups, *x.shape[2:])
    return affine(standardized(grouped, tuple(range(2, grouped.ndim))).reshape(x.shape), arrays, names)


def instance_norm(x: Array, *arrays: Array, names: tuple[str, ...]) -> Array:
    """Each channel by itself."""
    return affine(standardized(x, tuple(range(2, x.ndim))), arrays, names)


def gumbel_softmax(logits: Array, tau: float, axis: int = -1) -> Array:
    """The noise that a generator of the seed 0 gives, added."""
    noise = -np.log(-np.log(Generator(0).uniform(logits.shape, "float64", "cpu", 1e-300)))
    return softmax((logits + noise) / tau, axis)


def dropout(d: int = 0) -> Callable[..., Array]:
    """The mask that a generator of the seed 0 gives, alike for all of the last ``d`` axes, times what makes up."""

    def dropped(x: Array, p: float, training: bool) -> Array:
        if not training:
            return x
        shape = x.shape[: x.ndim - d] + (1,) * d
        return x * Generator(0).bernoulli(1 - p, shape) / (1 - p if p < 1 else 1)

    return dropped


def alpha_dropout(masked: Callable[[tuple[int, ...]], tuple[int, ...]]) -> Callable[..., Array]:
    """What a generator of the seed 0 drops is SELU's limit; then all is moved, so that mean and variance stay."""

    def dropped(x: Array, p: float, training: bool) -> Array:
        if not training or p == 0:
            return x
        limit, keep = -1.0507009873554805 * 1.6732632423543772, 1 - p
        if not keep:
            return 0 * x
        mask = Generator(0).bernoulli(keep, masked(x.shape))
        a = (keep + limit**2 * keep * p) ** -0.5
        return a * np.where(mask, x, limit) - a * limit * p

    return dropped


def local_response_norm(x: Array, size: int, alpha: float, beta: float, k: float) -> Array:
    """Channel by channel."""
    out = np.zeros_like(x)
    for c in range(x.shape[1]):
        around = x[:, max(c - size // 2, 0) : c + (size - 1) // 2 + 1]
        out[:, c] = x[:, c] / (k + alpha / size * (around**2).sum(axis=1)) ** beta
    return out


def poisson_nll(x: Array, target: Array, log_input: bool, full: bool = False) -> Array:
    """Of a Poisson distribution."""
    losses = np.exp(x) - target * x if log_input else x - target * np.log(x + 1e-8)
    many = np.maximum(target, 1)
    stirling = many * np.log(many) - many + np.log(2 * np.pi * many) / 2
    return losses + full * np.where(target > 1, stirling, 0)


def gaussian_nll(x: Array, target: Array, var: Array, full: bool, reduction: str) -> Array:
    """Of a normal distribution."""
    var = var[..., None] if var.ndim < x.ndim else var
    losses = (np.log(var) + (x - target) ** 2 / var + full * np.log(2 * np.pi)) / 2
    return losses if reduction == "none" else getattr(np, reduction)(losses)


def focal(x: Array, target: Array, alpha: float, gamma: float) -> Array:
    """A cross-entropy that counts less where it is small."""
    p = sigmoid(x)
    right = p * target + (1 - p) * (1 - target)
    losses = -(target * np.log(p) + (1 - target) * np.log(1 - p)) * (1 - right) ** gamma
    return losses if alpha < 0 else losses * (alpha * target + (1 - alpha) * (1 - target))


def dice(x: Array, target: Array, smooth: float, reduction: str) -> Array:
    """What two sets do not have in common."""
    axes = tuple(range(1, x.ndim))
    losses = 1 - (2 * (x * target).sum(axes) + smooth) / (x.sum(axes) + target.sum(axes) + smooth)
    return losses if reduction == "none" else getattr(np, reduction)(losses)


# -- attention -------------------------------------------------------------------------------------------------


def attention(
    query: Array,
    key: Array,
    value: Array,
    mask: Array | None = None,
    *,
    is_causal: bool,
    enable_gqa: bool,
    scale: float | None,
    dropout_p: float,
    names: tuple[str, ...],
) -> Array:
    """Every key repeated for its group; a softmax of each row by itself, over the keys that may be seen."""
    if enable_gqa and key.shape[-3]:
        key, value = (np.repeat(x, query.shape[-3] // x.shape[-3], axis=-3) for x in (key, value))
    scale = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale
    scores = np.einsum("...le,...se->...ls", query, key) * scale
    seen = np.tril(np.ones(scores.shape[-2:], bool)) if is_causal else np.True_
    if mask is not None and mask.dtype == bool:
        seen = mask
    elif mask is not None:
        scores = scores + mask
    weights = np.exp(scores) * seen
    total = weights.sum(axis=-1, keepdims=True)
    weights = dropout()(weights / np.where(total == 0, 1, total), dropout_p, dropout_p > 0)
    return np.einsum("...ls,...sv->...lv", weights, value)
