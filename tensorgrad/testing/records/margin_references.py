"""Distances and losses with a margin in NumPy, after their definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray


def reduced(each: Callable[..., Any]) -> Callable[..., Any]:
    """A loss from what it is for each sample: its mean, its sum, or itself."""

    def loss(*arrays: Array, reduction: str, **options: Any) -> Any:
        losses = each(*arrays, **options)
        return losses if reduction == "none" else getattr(np, reduction)(losses)

    return loss


def cosine(x1: Array, x2: Array, axis: int = 1) -> Array:
    """Of the angle between vectors."""
    x1, x2 = np.broadcast_arrays(x1, x2)
    return (x1 * x2).sum(axis) / (np.linalg.norm(x1, axis=axis) * np.linalg.norm(x2, axis=axis))


@reduced
def hinge(x: Array, target: Array, margin: float) -> Array:
    """Of a support vector machine."""
    return np.maximum(margin - target * x, 0)


@reduced
def soft_margin(x: Array, target: Array) -> Array:
    """A hinge without a kink."""
    return np.log(1 + np.exp(-target * x))


@reduced
def hinge_embedding(x: Array, target: Array, margin: float) -> Array:
    """A distance, or what it lacks."""
    return np.where(target == 1, x, np.maximum(margin - x, 0))


@reduced
def margin_ranking(x1: Array, x2: Array, target: Array, margin: float) -> Array:
    """Which is higher."""
    return np.maximum(-target * (x1 - x2) + margin, 0)


@reduced
def cosine_embedding(x1: Array, x2: Array, target: Array, margin: float) -> Array:
    """Vectors in one direction, or not."""
    angle = cosine(x1, x2, axis=-1)
    return np.where(target == 1, 1 - angle, np.maximum(angle - margin, 0))


@reduced
def triplet(anchor: Array, positive: Array, negative: Array, margin: float, swap: bool, p: float = 2.0) -> Array:
    """Nearer to one than to another."""

    def distance(a: Array, b: Array) -> Array:
        return (np.abs(a - b + 1e-6) ** p).sum(axis=-1) ** (1 / p)

    apart = distance(anchor, negative)
    if swap:
        apart = np.minimum(apart, distance(positive, negative))
    return np.maximum(distance(anchor, positive) - apart + margin, 0)


@reduced
def multi_margin(
    x: Array, target: Array, weight: Array | None = None, *, p: int, margin: float, names: tuple[str, ...] = ()
) -> Array:
    """The right class ahead of each other one."""

    def one(scores: Array, y: int) -> Any:
        others = np.delete(scores, y)
        factor = 1 if weight is None else weight[y]
        return factor * (np.maximum(margin - scores[y] + others, 0) ** p).sum() / len(scores)

    return np.array([one(*pair) for pair in zip(x, target, strict=True)]) if x.ndim > 1 else one(x, int(target))


@reduced
def multilabel_margin(x: Array, target: Array) -> Array:
    """Each right class ahead of each other one."""

    def one(scores: Array, labels: Array) -> Any:
        right = [int(y) for y in labels[: [*labels, -1].index(-1)]]
        wrong = [i for i in range(len(scores)) if i not in right]
        return sum(max(0.0, 1 - scores[y] + scores[i]) for y in right for i in wrong) / len(scores)

    return np.array([one(*pair) for pair in zip(x, target, strict=True)]) if x.ndim > 1 else np.array(one(x, target))


@reduced
def multilabel_soft_margin(x: Array, target: Array, weight: Any = 1, names: tuple[str, ...] = ()) -> Array:
    """Each class there or not."""
    losses = target * np.log(1 + np.exp(-x)) + (1 - target) * np.log(1 + np.exp(x))
    return (weight * losses).mean(axis=-1)
