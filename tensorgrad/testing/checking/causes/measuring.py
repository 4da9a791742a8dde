"""What is asked of a function once more, to see what is wrong with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tensorgrad.testing.checking.differences import RATIO, STEP, Line, Rows
from tensorgrad.testing.checking.entries import Examination
from tensorgrad.testing.checking.problem import Problem
from tensorgrad.testing.checking.sampling import signed, unit

Vector = np.ndarray

STEPS = STEP * RATIO ** np.arange(14)
"""Those of the differences, for inputs of size 1."""

ALONG = 6
"""How many entries beside a wrong one are looked at, along each axis."""


@dataclass
class Sample:
    """A point.

    Attributes:
        x: (n,) the inputs.
        y: (m,) the outputs.
        claimed: (r, n) what the rule gives for each combination of outputs.
        found: (r, c) the slopes along each direction, by differences; NaN: at a kink.
        errors: (r, c) how uncertain they are.
    """

    x: Vector
    y: Vector
    claimed: Vector
    found: Vector
    errors: Vector


class Prober:
    """Asks a function and its rule; raises nothing, for nobody gave it the points that it asks at.

    Args:
        problem: the function.
        rows: the combinations of outputs.
        columns: (c, n) the directions.
        coarse: whether the function rounds inside, to float32 most likely.
    """

    def __init__(self, problem: Problem, rows: Rows, columns: Vector, coarse: bool = False) -> None:
        self.problem, self.rows, self.columns = problem, rows, columns
        self.epsilon = float(np.finfo(problem.low_precision or (np.float32 if coarse else np.float64)).eps)
        self.rng = np.random.default_rng(0)

    def pull(self, x: Vector, u: Vector) -> Vector:
        """What the rule gives; NaN where it raises."""
        try:
            return self.problem.pull(x, u)
        except Exception:
            return np.full(self.problem.x.shape, np.nan)

    def value(self, x: Vector) -> Vector:
        """The outputs; NaN where the function raises."""
        try:
            return self.problem.value(x)
        except Exception:
            return np.full(self.problem.outputs[-1].slice.stop, np.nan)

    def line(self, x: Vector, y: Vector, direction: Vector, rows: Rows) -> tuple[Line, float, float]:
        """A line through a point, the step that changes an entry by its size (1 at least), and by its own size."""
        moving = direction != 0
        sizes = np.abs(x[moving])
        steps = [float((size / np.abs(direction[moving])).min()) for size in (np.maximum(sizes, 1.0), sizes)]
        return Line(self.value, rows, x, y, direction, self.epsilon, self.problem.low_precision), steps[0], steps[1]

    def slopes(self, x: Vector, y: Vector, direction: Vector, rows: Rows | None = None) -> tuple[Vector, Vector]:
        """(r,) slopes along a direction, and their errors; NaN at kinks."""
        line, scale, own = self.line(x, y, direction, rows or self.rows)
        best = line.estimates(scale * STEPS)
        if 0 < own < 0.05 * scale:
            best = best.then(line.estimates(own * STEPS))
        found = best.choose()
        if not np.isfinite(found.errors).all():
            for side in (1, -1):
                one = line.estimates(min(scale, own or scale) * STEPS, side).choose(one_sided=True)
                lacking = ~np.isfinite(found.errors) & np.isfinite(one.errors)
                found.values, found.errors = (
                    np.where(lacking, a, b) for a, b in ((one.values, found.values), (one.errors, found.errors))
                )
        kinked = line.bends(scale * STEPS[4]) & line.bends(scale * STEPS[7])
        return np.where(kinked, np.nan, found.values), np.where(kinked, np.inf, found.errors)

    def sample(self, x: Vector, examination: Examination | None = None) -> Sample:
        """A point; of one that was examined, only what did not agree is measured again."""
        y = self.value(x)
        claimed = np.array([self.pull(x, self.rows.cotangent(i)) for i in range(len(self.rows))])
        claimed = claimed.reshape(len(self.rows), len(x))
        given = claimed @ self.columns.T
        found, errors = np.full(given.shape, np.nan), np.full(given.shape, np.inf)
        for c, direction in enumerate(self.columns):
            quick = given[:, c] if examination is None else examination.quick[:, c]
            gap = np.abs(given[:, c] - quick)
            if examination is not None and (gap <= 1e-8 * np.abs(quick)).all():
                found[:, c], errors[:, c] = quick, gap
            else:
                found[:, c], errors[:, c] = self.slopes(x, y, direction)
        if not np.isfinite(y).all():
            # Outside of the domain a rule may give anything.
            found[~np.isfinite(given)] = np.nan
        return Sample(x, y, claimed, found, errors)

    def beside(self, size: float) -> Vector:
        """Another point, close enough to be as good."""
        x = self.problem.x
        sizes = np.abs(x)
        usual = min(1.0, float(np.median(sizes[sizes > 0]))) if sizes.any() else 1.0
        return np.asarray(x + size * self.rng.uniform(0.6, 1.4, x.shape) * np.where(x != 0, x, usual))

    def kink(self, u: Vector, direction: Vector) -> str:
        """Whether a combination ``u`` of the outputs has a "kink" or a "jump" along a direction, or neither ("")."""
        x = self.problem.x
        rows = Rows(np.zeros(0, int), np.zeros(0), u[None])
        line, scale, _ = self.line(x, self.value(x), direction, rows)
        steps = 1e-3 * scale * 0.1 ** np.arange(5)
        rises = np.array([rows(line.at(h)[0])[0] - rows(line.at(-h)[0])[0] for h in steps])
        size = max(float(np.abs(rises).max()), float(rows.sizes(line.center)[0]))
        if (np.abs(np.diff(rises)) < 0.2 * np.abs(rises[-1])).all() and abs(rises[-1]) > 1e6 * self.epsilon * size:
            return "jump"
        return "kink" if all(line.bends(h)[0] for h in steps[1:4]) else ""


def move_closer(problem: Problem, examination: Examination) -> tuple[Rows, Vector]:
    """Of a large Jacobian, rows and columns that meet where it is wrong, beside random directions."""
    rows, columns, n = examination.rows, examination.columns, len(problem.x)
    prober = Prober(problem, rows, columns)
    single = np.flatnonzero(np.count_nonzero(columns, axis=1) == 1)
    gaps = np.abs(examination.claimed @ columns.T - examination.quick) / (np.abs(examination.quick) + 1e-300)
    gaps = np.nan_to_num(gaps).max(axis=0, initial=0.0)
    wrong = [int(columns[c].argmax()) for c in single[np.argsort(-gaps[single], kind="stable")] if gaps[c] > 1e-8]
    worst = examination.worst.column if examination.worst is not None else None
    wrong = ([] if worst is None else [worst]) + wrong[:8]
    if len(single) < n:
        chosen = {*wrong, *(j for j in wrong[:1] for j in _along(problem, j))}
        claimed = np.abs(np.nan_to_num(examination.claimed[: len(rows.picked)]))
        for part in problem.inputs:
            for row in claimed[:, part.slice]:
                chosen |= {part.slice.start + int(j) for j in np.argsort(-row)[:2] if row[j] > 0}
        units = np.array([unit(n, j) for j in sorted(chosen)]).reshape(-1, n)
        columns = np.concatenate([units, np.delete(columns, single, axis=0)])
    y = prober.value(problem.x)
    every = Rows(np.arange(len(y)), np.ones(len(y)), np.zeros((0, len(y))))
    moved: set[int] = set()
    for j in wrong[:4]:
        slopes = np.nan_to_num(np.abs(prober.slopes(problem.x, y, unit(n, j), every)[0]))
        where = np.flatnonzero(slopes)
        # Those that move most, and some from the first to the last: one of these may be the only one that counts.
        moved |= {*where[np.argsort(-slopes[where])[:2]].tolist(), *where[:1].tolist(), *where[-2:].tolist()}
    more = np.setdiff1d(sorted(moved), rows.picked).astype(int)
    weights = np.concatenate([rows.weights, signed(prober.rng, more.shape)])
    return Rows(np.concatenate([rows.picked, more]), weights, rows.dense[:6]), columns


def _along(problem: Problem, place: int) -> list[int]:
    """Entries that differ from one in a single axis."""
    part = next(part for part in problem.inputs if place < part.slice.stop)
    index, word = part.entry(place)
    found: list[int] = []
    for axis, n in enumerate(part.shape):
        for i in np.unique(np.linspace(0, n - 1, ALONG).round().astype(int)):
            number = int(np.ravel_multi_index((*index[:axis], i, *index[axis + 1 :]), part.shape))
            found.append(part.slice.start + (2 * number + (word == "imaginary") if part.complex else number))
    return found


Asked = Callable[[Sample, int], Vector]
"""What a rule would give for a sample and a combination, if a guess were right."""
