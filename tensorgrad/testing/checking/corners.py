"""Where the gradients close to a point are looked at, to find corners of their hull."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tensorgrad.testing.checking.around import Around, Vector

ASIDE = 0.05
"""How far entries move, relative to the others, that are to move little."""

SAMPLES = 10
FLIPPED = 64
"""How many entries are moved one by one in the search for a corner."""

CLIMBED = 400
"""How many steps anywhere are tried after that."""

STRIDES = (1.0, 0.3, 0.1)
"""How far they go, in turn."""


def first_places(around: Around, claimed: Vector, groups: Sequence[slice]) -> list[Vector]:
    """Where to begin."""
    starts = [around.point() for _ in range(SAMPLES)]
    # Where conventions come from: all of one sign, the first largest, the last largest.
    n = len(around.x)
    size = np.linspace(0.3, 1.0, n) + 0.1 / n * around.rng.uniform(-1, 1, n)
    starts += [z for ramp in (size, size[::-1]) for z in (ramp, -ramp)]
    # And where the function rises fastest, if the gradient is this one.
    steepest = np.linalg.lstsq(around.columns, claimed, rcond=None)[0]
    if np.abs(steepest).max(initial=0.0) > 0:
        ends = [sign * steepest / np.abs(steepest).max() for sign in (1.0, -1.0)]
        starts += [z for z in ends if around.gradient(z, trust=False) is not None]
    for column in around.columns[:SAMPLES]:
        # Of many pieces that meet, a random place rarely sees the one that lies along a column.
        starts += [sign * np.sign(column) + 0.2 * around.point() for sign in (1.0, -1.0)]
    if len(groups) > 1:
        # Nor where one input, a bias say, moves more than the others.
        for group in groups:
            for sign in (1.0, -1.0, 0.0):
                z = ASIDE * around.point()
                z[group] = sign * np.abs(around.point()[group]) if sign else around.point()[group]
                starts.append(z)
    return starts


def further_place(around: Around, w: Vector, beyond: float, places: list[Vector], trust: bool) -> Vector | None:
    """A place whose gradient reaches further along ``w`` than ``beyond``; None if none was found."""
    pull = w @ around.columns
    top, z = -np.inf, places[-1]
    for candidates in _candidates(around, pull, places, trust):
        heights = [around.slope(candidate, w, trust) for candidate in candidates]
        best = int(np.argmax(heights))
        if heights[best] > top:
            z, top = candidates[best].copy(), heights[best]
        if top > beyond:
            return z
    # Entry by entry, to the other side.
    moving = np.flatnonzero(np.abs(around.columns).sum(axis=0))[:FLIPPED]
    for _ in range(3):
        before = top
        if top > beyond:
            break
        for j in moving:
            flipped, moved = z.copy(), z.copy()
            flipped[j] = -z[j]
            moved[j] += around.rng.standard_normal()
            for trial in (flipped, moved):
                reached = around.slope(trial, w, trust)
                if reached > top + 1e-9 * abs(top):
                    z, top = trial, reached
        if top == before:
            break
    # And anywhere, step by step: pieces may be narrow, and lie side by side.
    for k in range(CLIMBED if trust else 0):
        if top > beyond:
            break
        trial = z + STRIDES[k % len(STRIDES)] * around.rng.standard_normal(len(z))
        # Not away from the point, where the function curves: pieces that meet there are found at any distance.
        trial /= max(1.0, np.abs(trial).max() / 2)
        reached = around.slope(trial, w, trust)
        if reached >= top:
            z, top = trial, reached
    return z if top > beyond else None


def _candidates(around: Around, pull: Vector, places: list[Vector], trust: bool) -> Iterator[list[Vector]]:
    """Places that may lie far out in a direction, the likely ones first."""
    size = np.abs(pull).max()
    if size:
        yield [
            place
            for sign in (1.0, -1.0)
            for place in (
                *(sign * pull / size + part * around.point() for part in (0.1, 0.3, 0.5)),
                sign * np.sign(pull) * np.abs(around.point()) + (pull == 0) * around.point(),
            )
        ]
    yield places[-SAMPLES:]
    # The rule is quick to ask, and the differences are not.
    for _ in range(4 if trust else 1):
        count = SAMPLES if trust else 3
        yield [around.point() for _ in range(count)] + [around.rng.standard_normal(len(pull)) for _ in range(count)]
