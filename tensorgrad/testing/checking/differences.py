"""Directional derivatives by differences, each with an estimate of its own error.

The slope of a function along a direction is estimated from steps of many sizes, from large to tiny. Where steps are
large, differences are wrong by the function's curvature, and Richardson's extrapolation takes most of that away; where
they are tiny they are wrong by the rounding of the function's values, divided by the step. In between lies the best
estimate: the one whose neighbours differ least from it. How much they differ, and how much the values scatter at
still smaller steps, is how uncertain it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Vector = np.ndarray

STEP = 2.0**-8
"""The first step that is tried, for entries of size up to 1; larger entries take larger steps."""

RATIO = 1 / 3.1
"""Between one step of a long series and the next; no simple fraction, so that no period of a function fits them all."""

LEVELS = 3
"""How many terms of the error are extrapolated away."""

ROUNDING = 4.0
"""How many units in the last place a function's value is taken to be wrong by, at least."""


class Rows:
    """Linear combinations of a function's outputs: single ones, each times a weight, and dense ones.

    Weights are never 1, so that a rule that forgets the cotangent is seen.

    Args:
        picked: (k,) which outputs stand alone.
        weights: (k,) their weights.
        dense: (l, m) the weights of all m outputs in each of the others.
    """

    def __init__(self, picked: Vector, weights: Vector, dense: Vector) -> None:
        self.picked, self.weights, self.dense = picked, weights, dense

    def __len__(self) -> int:
        return len(self.picked) + len(self.dense)

    def __call__(self, outputs: Vector) -> Vector:
        return np.concatenate([self.weights * outputs[self.picked], self.dense @ outputs])

    def sizes(self, outputs: Vector) -> Vector:
        """What the combinations are sums of, in absolute value: their rounding is relative to that."""
        outputs = np.abs(outputs)
        return np.concatenate([np.abs(self.weights) * outputs[self.picked], np.abs(self.dense) @ outputs])

    def cotangent(self, i: int) -> Vector:
        """The weights of combination ``i``, of all outputs."""
        if i >= len(self.picked):
            return self.dense[i - len(self.picked)]
        cotangent = np.zeros(self.dense.shape[1])
        cotangent[self.picked[i]] = self.weights[i]
        return cotangent


@dataclass
class Slopes:
    """Estimated slopes of r functions along one direction.

    Attributes:
        values: (r,) the slopes.
        errors: (r,) how uncertain they are; inf: there is no estimate.
        steps: (r,) the largest steps that the estimates were made from.
        one_sided: (r,) whether they are of one side only.
    """

    values: Vector
    errors: Vector
    steps: Vector
    one_sided: Vector


@dataclass
class Estimates:
    """Slopes of r functions by each of k steps, from the largest step to the smallest.

    Attributes:
        values: (k, r) the slopes.
        errors: (k, r) how uncertain they are; inf: there is no estimate.
        steps: (k,) the steps.
    """

    values: Vector
    errors: Vector
    steps: Vector

    def then(self, finer: Estimates) -> Estimates:
        """These, and those of smaller steps."""
        return Estimates(*(np.concatenate([getattr(self, part), getattr(finer, part)]) for part in vars(self)))

    def choose(self, one_sided: bool = False) -> Slopes:
        """The most exact estimate of each slope; but a finer one goes before all that it contradicts.

        What a function does over large steps may look like a slope that it does not have: a period that fits, a kink
        or a pole that is jumped over.
        """
        values, errors, steps = (
            self.values[0].copy(),
            self.errors[0].copy(),
            np.full(self.values.shape[1], self.steps[0]),
        )
        with np.errstate(all="ignore"):
            for value, error, step in zip(self.values[1:], self.errors[1:], self.steps[1:], strict=True):
                apart = np.abs(value - values)
                finer = (apart > 3 * (error + errors)) & (error < 0.1 * np.maximum(np.abs(value), np.abs(values)))
                known = (error < 0.1 * np.abs(value)) | (errors > 0.1 * np.abs(values))
                take = np.isfinite(error) & (finer | (known & (error < errors)) | ~np.isfinite(errors))
                values, errors = np.where(take, value, values), np.where(take, error, errors)
                steps = np.where(take, step, steps)
        return Slopes(values, errors, steps, np.full(len(values), one_sided))


class Line:
    """A function along a line through a point, and the combinations of its outputs.

    Args:
        value: the function, of a vector of n entries; NaN where it is not defined.
        rows: the combinations.
        x: (n,) the point.
        center: (m,) the function's value there.
        direction: (n,).
        epsilon: the relative rounding of the function's values.
        dtype: what the function's inputs are rounded to; None, if to nothing.
    """

    def __init__(
        self,
        value: Callable[[Vector], Vector],
        rows: Rows,
        x: Vector,
        center: Vector,
        direction: Vector,
        epsilon: float,
        dtype: np.dtype | None = None,
    ) -> None:
        self.value, self.rows, self.x, self.center, self.direction = value, rows, x, center, direction
        self.epsilon, self.dtype = epsilon, dtype
        moving = np.flatnonzero(direction)
        self.single = int(moving[0]) if len(moving) == 1 else None
        self._known: dict[float, tuple[Vector, float]] = {}

    def at(self, t: float) -> tuple[Vector, float]:
        """The function at ``x + t * direction``, and how far that really is: a step is rounded when it is added."""
        if t == 0:
            return self.center, 0.0
        if t not in self._known:
            moved = self.x + t * self.direction
            if self.dtype is not None:
                moved = moved.astype(self.dtype).astype(np.float64)
            if self.single is not None:
                j = self.single
                t_exact = float((moved[j] - self.x[j]) / self.direction[j])
            else:
                t_exact = t
            self._known[t] = self.value(moved), t_exact
        return self._known[t]

    def quotient(self, right: float, left: float) -> tuple[Vector, Vector]:
        """The difference quotients between two places, and what rounding can have done to them."""
        (after, t_after), (before, t_before) = self.at(right), self.at(left)
        width = t_after - t_before
        count = len(self.rows)
        if not width:
            return np.full(count, np.nan), np.full(count, np.inf)
        with np.errstate(all="ignore"):
            slope = self.rows(after - before) / width
            size = np.maximum(self.rows.sizes(after), self.rows.sizes(before))
            noise = ROUNDING * self.epsilon * size / abs(width)
            if self.single is None:
                # The point itself is rounded, too.
                lost = np.abs(self.x[self.direction != 0]).max() / np.abs(self.direction).max()
                noise += self.epsilon * lost * np.abs(slope) / abs(width)
            return np.asarray(slope, np.float64), np.asarray(noise, np.float64)

    def bends(self, t: float) -> Vector:
        """Whether the function has a kink here: the slopes of the two sides differ as much for ever smaller steps."""
        wide, narrow = (self._bend(h) for h in (t, t / 4))
        bent = _alike(narrow, wide) & (narrow > self._bend_noise(t / 4))
        if bent.any():
            # Or is there a kink close by, that the steps jump over?
            tiny = t * 2.0**-14
            bent &= _alike(self._bend(tiny), narrow) & (narrow > self._bend_noise(tiny))
        return np.asarray(bent)

    def straightens(self, t: float, closer: float) -> Vector:
        """Whether the bend that is seen from a distance ``t`` is not there from closer by: it is beside the point."""
        wide, narrow = self._bend(t / 4), self._bend(closer)
        with np.errstate(invalid="ignore"):
            return np.asarray((narrow < 0.1 * wide) & (self._bend_noise(closer) < 0.1 * wide))

    def turns(self, largest: float) -> Vector:
        """Whether there may be a kink or a jump here or close by: the slopes of the two sides do not come together."""
        may = np.zeros(len(self.rows), bool)
        for t in largest * 4.0 ** -np.arange(15):
            wide, narrow = self._bend(t), self._bend(t / 4)
            with np.errstate(invalid="ignore"):
                may |= ~(narrow <= 0.7 * wide) & ~(narrow <= self._bend_noise(t / 4))
        return may

    def _bend(self, t: float) -> Vector:
        with np.errstate(invalid="ignore"):
            return np.abs(self.quotient(t, 0.0)[0] - self.quotient(0.0, -t)[0])

    def _bend_noise(self, t: float) -> Vector:
        return 100 * (self.quotient(t, 0.0)[1] + self.quotient(0.0, -t)[1])

    def estimates(self, steps: Vector, side: int = 0) -> Estimates:
        """The slopes from a series of steps, each a fixed part of the one before.

        Args:
            steps: from the largest to the smallest.
            side: 0 for central differences, 1 or -1 for those of one side.
        """
        pairs = [(h, -h) if side == 0 else (h, 0.0) if side > 0 else (0.0, -h) for h in map(float, steps)]
        quotients, noise = map(np.array, zip(*(self.quotient(*pair) for pair in pairs), strict=True))
        powers = range(2, 2 * LEVELS + 1, 2) if side == 0 else range(1, LEVELS + 1)
        return extrapolate(quotients, noise, steps, powers)


def extrapolate(quotients: Vector, noise: Vector, steps: Vector, powers: Sequence[int]) -> Estimates:
    """The best extrapolation to a step of zero that begins at each step.

    Args:
        quotients: (k, r) difference quotients of r functions for k steps, from the largest to the smallest.
        noise: (k, r) what rounding does to them at least.
        steps: (k,) each a fixed part of the one before.
        powers: those of the step that the error is a series of.
    """
    ratio = steps[1] / steps[0]
    noise = np.maximum(noise, _scatter(quotients, steps))
    best = Estimates(np.full(quotients.shape, np.nan), np.full(quotients.shape, np.inf), steps)
    previous = quotients
    with np.errstate(all="ignore"):
        for level, power in enumerate(powers, 1):
            if len(previous) < 2:
                break
            shrink = ratio**power
            table = (previous[1:] - shrink * previous[:-1]) / (1 - shrink)
            # What the extrapolation changed is much more than the error that it left.
            error = np.abs(table - previous[1:])
            if len(table) > 1:
                # The last one has no neighbour below: it is judged by the one above.
                change = np.abs(np.diff(table, axis=0))
                error = np.maximum(error, np.concatenate([change, change[-1:]]))
            error += 2 * noise[level:]
            error = np.where(np.isfinite(table) & np.isfinite(error), error, np.inf)
            count = len(table)
            better = error < best.errors[:count]
            best.values[:count] = np.where(better, table, best.values[:count])
            best.errors[:count] = np.where(better, error, best.errors[:count])
            previous = table
    if len(steps) > 8:
        # Nothing is known of how the last ones scatter.
        best = Estimates(best.values[:-3], best.errors[:-3], steps[:-3])
    return best


def _alike(a: Vector, b: Vector) -> Vector:
    with np.errstate(invalid="ignore"):
        return np.asarray((a > 0.7 * b) & (a < 1.4 * b) & np.isfinite(b))


def _scatter(quotients: Vector, steps: Vector) -> Vector:
    """What the noise of the function's values does at each step, as seen from how quotients scatter at smaller ones."""
    with np.errstate(all="ignore"):
        jumps = np.abs(np.diff(quotients, axis=0)) * steps[1:, None]
    jumps = np.where(np.isfinite(jumps), jumps, 0.0)
    largest_below = np.maximum.accumulate(jumps[::-1], axis=0)[::-1]
    # Three steps down curvature has died away, and what is left is noise.
    places = np.minimum(np.arange(len(steps)) + 3, len(jumps) - 1)
    few = np.arange(len(steps)) + 3 > len(jumps) - 1
    scatter = largest_below[places] / steps[:, None]
    return np.where(few[:, None], 0.0, scatter) if len(steps) < 6 else scatter
