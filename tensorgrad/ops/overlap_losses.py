"""Losses for what is rare: few pixels of an object among many of the background."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor
from tensorgrad.ops.activations import sigmoid
from tensorgrad.ops.elementwise import negative
from tensorgrad.ops.losses import binary_cross_entropy_with_logits, paired, reduce
from tensorgrad.ops.powers import pow
from tensorgrad.ops.reductions import sum

__all__ = ["dice_loss", "sigmoid_focal_loss"]


def sigmoid_focal_loss(
    input: Any, target: Any, alpha: float = 0.25, gamma: float = 2.0, reduction: str = "none"
) -> Tensor:
    """Binary cross-entropy times ``(1 - p)**gamma``, where p is the probability of what is right: the easy count less.

    Source: Lin et al., *Focal loss for dense object detection* (2017). The name, and that nothing is reduced by
    default, are torchvision's.

    Args:
        input: scores, an array of any shape.
        target: 1 or 0, in the same shape.
        alpha: what the class 1 counts; the class 0 counts ``1 - alpha``. Negative: both count 1.
        gamma: how much less the easy ones count, 0 or more.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes differ, or ``gamma`` is negative.

    Example:
        >>> tg.sigmoid_focal_loss(tg.tensor([0.0]), tg.tensor([1.0]), alpha=-1.0).numpy().round(4)
        array([0.1733], dtype=float32)
    """
    name = "sigmoid_focal_loss"
    if not gamma >= 0:
        raise ValueError(f"{name}() needs a gamma of 0 or more, got {gamma}.")
    input, target = paired(name, input, target)
    # The probability of what is wrong, without the digits that 1 - p would lose.
    wrong = (1 - target) * sigmoid(input) + target * sigmoid(negative(input))
    losses = binary_cross_entropy_with_logits(input, target, reduction="none") * pow(wrong, gamma)
    if alpha >= 0:
        losses = losses * (alpha * target + (1 - alpha) * (1 - target))
    return reduce(name, losses, reduction)


def dice_loss(input: Any, target: Any, smooth: float = 1.0, reduction: str = "mean") -> Tensor:
    """``1 - (2 * sum(input * target) + smooth) / (sum(input) + sum(target) + smooth)``, one for each sample.

    Without ``smooth`` it is 1 less the coefficient of Dice (1945) of two sets: how much of both is in common.

    Sources: Milletari et al., *V-Net* (2016); Sudre et al., *Generalised Dice overlap* (2017).

    Args:
        input: probabilities, shape (N, ...): the sums are over all axes but the first.
        target: what they should be, in the same shape.
        smooth: what makes the loss of two empty sets 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes differ, or there is no axis of samples.

    Example:
        >>> tg.dice_loss(tg.tensor([[1.0, 1.0, 0.0]]), tg.tensor([[0.0, 1.0, 1.0]]), smooth=0.0).item()
        0.5
    """
    name = "dice_loss"
    input, target = paired(name, input, target)
    if not input.ndim:
        raise ValueError(f"{name}() takes samples, shape (N, ...), got one number.")
    rest = tuple(range(1, input.ndim))
    both, all_ = sum(input * target, axis=rest), sum(input, axis=rest) + sum(target, axis=rest)
    least = smooth or float(np.finfo(input.dtype).tiny)
    return reduce(name, 1 - (2 * both + smooth) / (all_ + least), reduction)
