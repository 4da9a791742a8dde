"""Large arrays with ties: where an op has no kink, so that differences tell what its gradient is.

A direction that moves many entries at once, of which thousands are at kinks, tells nothing of a gradient, and to look
at each of them would take forever. So some entries are taken that are at none.
"""

from __future__ import annotations

import math

import numpy as np

from tensorgrad.testing.blaming.local import EXACT, Arrays, Local

LARGE = 256
"""Up to so many inputs all of them are checked, at kinks or not."""

SAMPLE = 12
"""How many corners of an array are taken, and how many other entries."""

STEP = 1e-6
"""Of the differences that tell a kink, relative to the input, or 1 if that is smaller."""

BEND = 1e-4
"""From which relative difference of the slopes on two sides on there is a kink between them."""


def entries(local: Local, weights: Arrays, seed: int) -> dict[int, np.ndarray | None]:
    """What to check of an op: everything, or, if it is large and at kinks, of each input some entries that are not.

    Args:
        local: the op.
        weights: cotangents of its outputs, of size 1.
        seed: of what is random in the choice.

    Returns:
        Flat places in each input, by its number; None for all.
    """
    rng = np.random.default_rng(seed)
    inputs = local.values()
    moving = [rng.choice([-1.0, 1.0], array.shape) for array in inputs]
    if sum(array.size for array in inputs) <= LARGE or not has_kink(local, moving, weights):
        return dict.fromkeys(range(len(inputs)))
    chosen: dict[int, np.ndarray | None] = {}
    for i, array in enumerate(inputs):
        smooth = [place for place in _some(array.shape, rng) if not has_kink(local, _one(inputs, i, place), weights)]
        if smooth:
            chosen[i] = np.array(smooth)
    return chosen


def has_kink(local: Local, direction: Arrays, weights: Arrays) -> bool:
    """Whether the op bends at its values along a direction: whether the slopes of the two sides differ."""
    x = local.values(EXACT)

    def outputs(step: float) -> Arrays:
        return local.forward(
            *(part + step * along * np.maximum(1.0, abs(part)) for part, along in zip(x, direction, strict=True))
        )

    def slope(high: Arrays, low: Arrays) -> float:
        return sum(float((weight * (a - b)).sum()) for weight, a, b in zip(weights, high, low, strict=True))

    here = outputs(0.0)
    right, left = slope(outputs(STEP), here), slope(here, outputs(-STEP))
    return not abs(right - left) <= BEND * max(abs(right), abs(left))


def _some(shape: tuple[int, ...], rng: np.random.Generator) -> list[int]:
    """Flat places of corners, and of others."""
    places = np.arange(math.prod(shape)).reshape(shape)
    corners = places[np.ix_(*([0, -1] for _ in shape))].ravel()
    return [int(place) for place in {*rng.permutation(corners)[:SAMPLE], *rng.choice(places.ravel(), SAMPLE)}]


def _one(inputs: Arrays, i: int, place: int) -> Arrays:
    """The direction of one entry."""
    direction = [np.zeros(array.shape) for array in inputs]
    direction[i].reshape(-1)[place] = 1.0
    return direction
