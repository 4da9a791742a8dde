"""Losses: how far an output is from its target, under PyTorch's names. Those of classes are in classification.py.

``reduction`` is ``"mean"``, ``"sum"`` or ``"none"``. Input and target have the same shape: nothing is broadcast here,
for that hides mistakes. The target is brought to the dtype of the input; gradients flow to it where it requires them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.activations import softplus
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import abs, multiply, subtract
from tensorgrad.ops.powers import logistic, square
from tensorgrad.ops.reductions import mean, sum

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "half_squared_error",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "smooth_l1_loss",
]

# -- what all of them need -------------------------------------------------------------------------------------


def paired(name: str, input: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Both as Tensors of one shape and dtype."""
    input, target = asarray(input), asarray(target)
    if input.shape != target.shape:
        raise ValueError(
            f"{name}() needs an input and a target of one shape, got {input.shape} and {target.shape}: reshape one, or "
            f"broadcast it yourself."
        )
    return input, astype(target, input.dtype, copy=False)


def reduce(name: str, losses: Tensor, reduction: str, weight: Any = None) -> Tensor:
    """The mean or the sum of losses, or all of them, multiplied by their weights."""
    if weight is not None:
        losses = multiply(losses, fitting(name, "weight", weight, losses))
    if reduction == "none":
        return losses
    if reduction == "sum":
        return sum(losses)
    if reduction == "mean":
        return mean(losses) if losses.size else sum(losses) / math.nan
    raise ValueError(f"{name}() has reduction 'mean', 'sum' or 'none', not {reduction!r}.")


def fitting(name: str, what: str, value: Any, x: Tensor) -> Tensor:
    """``value`` in the dtype of ``x``, if it broadcasts to its shape."""
    value = asarray(value)
    shape = (1,) * (x.ndim - value.ndim) + value.shape
    if len(shape) != x.ndim or any(n not in (1, m) for n, m in zip(shape, x.shape, strict=True)):
        raise ValueError(f"{name}(): {what} of shape {value.shape} does not broadcast to the input's {x.shape}.")
    return astype(value, x.dtype, copy=False)


# -- distances -------------------------------------------------------------------------------------------------


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Mean squared error: ``(input - target)**2``.

    Args:
        input: an array of any shape.
        target: an array of that shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Returns:
        A 0-d Tensor, or for ``"none"`` one of the shape of the input.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> tg.mse_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0])).item()
        2.0
    """
    input, target = paired("mse_loss", input, target)
    return reduce("mse_loss", square(subtract(input, target)), reduction)


def half_squared_error(input: Any, target: Any, reduction: str = "sum") -> Tensor:
    """Half the sum of squares: ``0.5 * sum((input - target)**2)``. Its gradient is the difference itself.

    Args:
        input: an array of any shape.
        target: an array of that shape.
        reduction: ``"sum"``, ``"mean"`` (half of :func:`mse_loss`) or ``"none"``.

    Example:
        >>> output, target = tg.tensor([0.2, 0.4, 0.1, 0.3]), tg.tensor([0.0, 0.0, 1.0, 0.0])
        >>> round(tg.half_squared_error(output, target).item(), 4)
        0.55
    """
    input, target = paired("half_squared_error", input, target)
    return reduce("half_squared_error", 0.5 * square(subtract(input, target)), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Mean absolute error: ``abs(input - target)``, whose derivative at 0 is 0. Arguments as of :func:`mse_loss`.

    Example:
        >>> tg.l1_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0])).item()
        1.0
    """
    input, target = paired("l1_loss", input, target)
    return reduce("l1_loss", abs(subtract(input, target)), reduction)


@op
def _huber(x, /, delta, *, xp):
    size = xp.abs(x)
    near = xp.clip(size, 0, delta)
    return near * (size - near / 2)


@_huber.vjp("x")
def _(g, x, delta, xp):
    return g * xp.clip(x, -delta, delta)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Half the squared difference where it is below ``delta``, and beyond it a straight line (Huber, 1964).

    Args:
        input: an array of any shape.
        target: an array of that shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the line begins, above 0.

    Example:
        >>> tg.huber_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 5.0]), reduction="none")
        Tensor([0. , 2.5], dtype=float32, device='cpu')
    """
    if not delta > 0:
        raise ValueError(f"huber_loss() needs a delta above 0, got {delta}.")
    input, target = paired("huber_loss", input, target)
    return reduce("huber_loss", _huber(subtract(input, target), delta), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """:func:`huber_loss` divided by ``beta``; with ``beta=0`` it is :func:`l1_loss` (Girshick, *Fast R-CNN*, 2015).

    Example:
        >>> tg.smooth_l1_loss(tg.tensor([1.0]), tg.tensor([5.0]), beta=2.0).item()
        3.0
    """
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss() needs a beta of 0 or more, got {beta}.")
    if beta == 0:
        return l1_loss(input, target, reduction)
    input, target = paired("smooth_l1_loss", input, target)
    return reduce("smooth_l1_loss", _huber(subtract(input, target), beta) / beta, reduction)


# -- two classes -----------------------------------------------------------------------------------------------


def _clamped_log(x, xp):
    positive = x > 0
    return xp.where(positive, xp.maximum(xp.log(xp.where(positive, x, 1)), -100), -100)


@op
def _bernoulli_loss(input, target, *, xp):
    # Where to look is to wait nobody looks; the logarithm of a negative number is NaN in any case.
    if backend.can_look(input) and not ((input >= 0) & (input <= 1)).all():
        raise ValueError(
            "binary_cross_entropy() takes probabilities, from 0 to 1; for scores there is ..._with_logits()."
        )
    return -(target * _clamped_log(input, xp) + (1 - target) * _clamped_log(1 - input, xp))


@_bernoulli_loss.vjp("input")
def _(g, input, target, xp):
    # As PyTorch: without the bound a probability of 0 or 1 would give 0 / 0.
    least = max(1e-12, float(np.finfo(input.dtype).tiny))
    return g * ((input - target) / xp.maximum(input * (1 - input), least))


@_bernoulli_loss.vjp("target")
def _(g, input, xp):
    return g * (_clamped_log(1 - input, xp) - _clamped_log(input, xp))


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Tensor:
    """``-(target * log(input) + (1 - target) * log(1 - input))``, the logarithms not below -100.

    :func:`binary_cross_entropy_with_logits` is exact where this one is not: take it for scores.

    Args:
        input: probabilities of the class 1, an array of any shape.
        target: what they should be, in the same shape: 0, 1, or between.
        weight: what each counts; broadcasts to the input.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes differ, or (not noticed on a GPU) the input is no probability.

    Example:
        >>> round(tg.binary_cross_entropy(tg.tensor([0.5]), tg.tensor([1.0])).item(), 3)
        0.693
    """
    input, target = paired("binary_cross_entropy", input, target)
    return reduce("binary_cross_entropy", _bernoulli_loss(input, target), reduction, weight)


def _surprise(x):
    """-log of the probability of the class 0; of ``-x``, that of the class 1."""
    return softplus(x, threshold=math.inf)


@op
def _logistic_loss(x, target, pos_weight=None):
    hit = target * _surprise(-x)
    return (1 - target) * _surprise(x) + (hit if pos_weight is None else pos_weight * hit)


@_logistic_loss.vjp("x")
def _(g, x, target, pos_weight, xp):
    if pos_weight is None:
        return g * (logistic(x, xp) - target)
    return g * ((1 - target) * logistic(x, xp) - pos_weight * target * logistic(-x, xp))


@_logistic_loss.vjp("target")
def _(g, x, pos_weight):
    return g * (-x if pos_weight is None else pos_weight * _surprise(-x) - _surprise(x))


@_logistic_loss.vjp("pos_weight")
def _(g, x, target):
    return g * (target * _surprise(-x))


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, without overflow and without loss of digits.

    Args:
        input: scores, an array of any shape.
        target: probabilities of the class 1 in the same shape: 0, 1, or between.
        weight: what each counts; broadcasts to the input.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: what the class 1 counts; broadcasts to the input.

    Raises:
        ValueError: if the shapes differ, or a weight does not broadcast to them.

    Example:
        >>> tg.binary_cross_entropy_with_logits(tg.tensor([-1e4, 1e4]), tg.tensor([0.0, 0.0])).item()
        5000.0
    """
    name = "binary_cross_entropy_with_logits"
    input, target = paired(name, input, target)
    if pos_weight is not None:
        pos_weight = fitting(name, "pos_weight", pos_weight, input)
    return reduce(name, _logistic_loss(input, target, pos_weight), reduction, weight)
