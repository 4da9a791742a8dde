"""Losses that are negative logarithms of a probability, and divergences between two. PyTorch's names and meanings.

``reduction`` is ``"mean"``, ``"sum"`` or ``"none"``. Those of classes are in classification.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import maximum, subtract
from tensorgrad.ops.logic import where
from tensorgrad.ops.losses import paired, reduce
from tensorgrad.ops.powers import exp, log, square
from tensorgrad.ops.reductions import sum
from tensorgrad.ops.shape import expand_dims

__all__ = ["gaussian_nll_loss", "kl_div", "poisson_nll_loss"]


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """``(log(var) + (input - target)**2 / var) / 2``: of a normal distribution whose mean and variance are predicted.

    Source: Nix and Weigend, *Estimating the mean and variance of the target probability distribution* (1994).

    Args:
        input: means, an array of any shape.
        target: what was observed, in the same shape; of both, one may have length 1 where it goes for all of an axis.
        var: variances, 0 or more: in the same shape; or with length 1 on some axes, or without the last axis, where
            one goes for all of it.
        full: whether ``log(2 * pi) / 2`` is added.
        eps: variances below it are taken to be it, with a derivative of 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes do not go together, or (not noticed on a GPU) a variance is negative.

    Example:
        >>> tg.gaussian_nll_loss(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0]), tg.tensor([1.0, 1.0])).item()
        1.0
    """
    name = "gaussian_nll_loss"
    input = asarray(input)
    target, var = (astype(asarray(x), input.dtype, copy=False) for x in (target, var))
    if input.ndim and var.shape == input.shape[:-1]:
        var = expand_dims(var, -1)
    shape = input.shape
    for what, x in (("target", target), ("variances", var)):
        if x.ndim != len(shape) or any(n != m and 1 not in (n, m) for n, m in zip(x.shape, shape, strict=True)):
            raise ValueError(f"{name}() of an input of shape {shape} takes no {what} of shape {x.shape}.")
        shape = np.broadcast_shapes(shape, x.shape)
    if not eps > 0:
        raise ValueError(f"{name}() needs an eps above 0, got {eps}.")
    if backend.can_look(var.data) and (var.data < 0).any():
        raise ValueError(f"{name}() takes variances of 0 or more, got {var.data.min()}.")
    var = maximum(var, eps)
    losses = 0.5 * (log(var) + square(subtract(input, target)) / var)
    return reduce(name, losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Tensor:
    """``exp(input) - target * input``: of a Poisson distribution, the logarithm of whose rate is predicted.

    Args:
        input: logarithms of rates, or, without ``log_input``, rates; an array of any shape.
        target: counts, in the same shape.
        log_input: whether the input is logarithms; otherwise the loss is ``input - target * log(input + eps)``.
        full: whether Stirling's approximation of ``log(target!)`` is added where the target is above 1.
        eps: added to a rate, so that its logarithm is finite at 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> tg.poisson_nll_loss(tg.tensor([0.0, 0.0]), tg.tensor([3.0, 0.0]), reduction="none")
        Tensor([1., 1.], dtype=float32, device='cpu')
    """
    name = "poisson_nll_loss"
    input, target = paired(name, input, target)
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        many = where(target > 1, target, 1)
        stirling = many * log(many) - many + 0.5 * log(2 * math.pi * many)
        losses = losses + where(target > 1, stirling, 0)
    return reduce(name, losses, reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """Kullback-Leibler divergence: ``target * (log(target) - input)``, and 0 where the target is 0.

    Args:
        input: log-probabilities, an array of any shape.
        target: probabilities, an array of that shape.
        reduction: ``"batchmean"`` (the divergence itself: the sum divided by the length of the first axis),
            ``"mean"``, ``"sum"`` or ``"none"``.
        log_target: whether the target, too, is given as log-probabilities.

    Example:
        >>> p = tg.tensor([[0.5, 0.5]])
        >>> tg.kl_div(tg.log(p), p, reduction="batchmean").item()
        0.0
    """
    input, target = paired("kl_div", input, target)
    if log_target:
        losses = exp(target) * (target - input)
    else:
        some = target != 0
        losses = target * where(some, log(where(some, target, 1)) - input, 0)
    if reduction == "batchmean":
        return sum(losses) / ((losses.shape[0] or math.nan) if losses.ndim else 1)
    return reduce("kl_div", losses, reduction)
