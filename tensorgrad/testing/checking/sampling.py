"""What of a Jacobian is compared: all of it, or, of a large one, entries and combinations drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tensorgrad.testing.checking.differences import Rows
from tensorgrad.testing.checking.problem import Part

Vector = np.ndarray

ALL_COLUMNS, ALL_ROWS = 64, 24
"""Up to so many inputs and outputs every entry of the Jacobian is compared."""

DIRECTIONS = 6
"""How many random directions move all entries of an input at once."""


def signed(rng: np.random.Generator, shape: tuple[int, ...]) -> Vector:
    """Weights of sizes from 0.5 to 1.5 and random signs."""
    return rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)


def unit(n: int, j: int) -> Vector:
    """The direction of one entry."""
    direction = np.zeros(n)
    direction[j] = 1.0
    return direction


def choose_rows(outputs: Sequence[Part], finite: Vector, rng: np.random.Generator) -> tuple[Rows, bool]:
    """All finite outputs one by one; of many, some of each part and some combinations of the part.

    Returns:
        The combinations, and whether they are all outputs.
    """
    m, usable = len(finite), np.flatnonzero(finite)
    if m <= ALL_ROWS:
        return Rows(usable, signed(rng, usable.shape), np.zeros((0, m))), True
    parts = [usable[(usable >= part.slice.start) & (usable < part.slice.stop)] for part in outputs]
    parts = [part for part in parts if len(part)]
    few = max(1, ALL_ROWS // (3 * len(parts)))
    picked, dense = [], []
    for part in parts:
        if len(part) <= few:
            picked.append(part)
            continue
        picked.append(rng.choice(part, few, replace=False))
        for _ in range(few):
            weights = np.zeros(m)
            weights[part] = signed(rng, part.shape)
            dense.append(weights)
    chosen = np.concatenate(picked)
    return Rows(chosen, signed(rng, chosen.shape), np.array(dense).reshape(-1, m)), False


def choose_columns(inputs: Sequence[Part], x: Vector, claimed: Vector, rng: np.random.Generator) -> tuple[Vector, bool]:
    """All inputs one by one; of many, some of each part and some directions that move the whole part.

    Args:
        inputs: the parts.
        x: (n,) the point.
        claimed: (r, n) the gradients that are to be compared: large entries and small ones are looked at.
        rng: for the choice.

    Returns:
        The directions (c, n), and whether they are all entries.
    """
    n = len(x)
    if n <= ALL_COLUMNS:
        return np.eye(n), True
    columns: list[Vector] = []
    size = np.abs(np.nan_to_num(claimed)).max(axis=0, initial=0.0)
    few = max(2, ALL_COLUMNS // (4 * len(inputs)))
    for part in inputs:
        inside = np.arange(part.slice.start, part.slice.stop)
        if not len(inside):
            continue
        single = rng.choice(inside, min(few, len(inside)), replace=False)
        single = np.union1d(single, inside[[size[inside].argmax(), size[inside].argmin()]])
        columns += [unit(n, int(j)) for j in single]
        if len(single) == len(inside):
            continue
        reach = np.maximum(np.abs(x[inside]), 1.0)
        usual = np.median(size[inside]) or 1.0
        even = np.clip(usual / np.maximum(size[inside], 1e-300), 1e-3, 1e3)
        for k in range(DIRECTIONS):
            direction = np.zeros(n)
            # Half of them give every entry the same weight in the sum, so that a small one is not drowned.
            direction[inside] = signed(rng, inside.shape) * (even if k % 2 else reach)
            columns.append(direction / np.abs(direction).max())
    return np.array(columns), False
