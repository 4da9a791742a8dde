"""What a rule claims at a point: the gradients of single outputs, and of combinations of them."""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.checking.differences import Line, Rows
from tensorgrad.testing.checking.problem import Problem
from tensorgrad.testing.checking.sampling import choose_rows, signed

Vector = np.ndarray


class Claims:
    """A function at its point, and the gradients that its rule gives there.

    Args:
        problem: the function and its rule.
        rng: for what is drawn.

    Attributes:
        x: (n,) the point.
        center: (m,) the function's value there.
        finite: (m,) whether it is finite.
        epsilon: how much values are rounded, relative to their size.
        rows: the combinations of outputs.
        all_rows: whether they are all outputs.
        gradients: (r, n) the claimed gradient of each combination.

    Raises:
        ValueError: if no output is finite there.
    """

    def __init__(self, problem: Problem, rng: np.random.Generator) -> None:
        self.problem, self.x = problem, problem.x
        self.center = problem.value(self.x)
        self.epsilon = float(np.finfo(problem.low_precision or np.float64).eps)
        self.finite = np.isfinite(self.center)
        if len(self.finite) and not self.finite.any():
            raise ValueError(f"the function has no finite value at these inputs: {self.center[:4]}. Give it others.")
        self.rows, self.all_rows = choose_rows(problem.outputs, self.finite, rng)
        self.gradients = self._pulled()
        if np.isnan(self.gradients).any():
            # One output at a time, an infinite slope meets cotangents of zero, and 0 * inf is NaN.
            single, gradients = self.rows, self.gradients
            self.rows = Rows(np.zeros(0, int), np.zeros(0), signed(rng, (4, len(self.finite))) * self.finite)
            self.gradients = self._pulled()
            if np.isnan(self.gradients).any(axis=0).sum() >= np.isnan(gradients).any(axis=0).sum():
                self.rows, self.gradients = single, gradients

    def combine(self, dense: Vector) -> None:
        """Adds combinations (l, m) of outputs to the rows, and their gradients."""
        self.rows = Rows(self.rows.picked, self.rows.weights, np.concatenate([self.rows.dense, dense]))
        self.gradients = self._pulled()

    def _pulled(self) -> Vector:
        pulled = [self.problem.pull(self.x, self.rows.cotangent(i)) for i in range(len(self.rows))]
        return np.array(pulled).reshape(len(self.rows), len(self.x))

    def line(self, direction: Vector, rows: Rows | None = None) -> Line:
        """The function along a direction, and the combinations of its outputs, or others."""
        low = self.problem.low_precision
        return Line(self.problem.value, rows or self.rows, self.x, self.center, direction, self.epsilon, low)

    def scale(self, direction: Vector) -> float:
        """How far to move along a direction so that an entry of it changes by its size (1 at least)."""
        moving = direction != 0
        return float((np.maximum(np.abs(self.x[moving]), 1.0) / np.abs(direction[moving])).min())

    def nothing(self, direction: Vector) -> Vector:
        """Slopes so small that they are rounding: beside the function's value, or beside the rest of the gradient."""
        value = self.rows.sizes(np.nan_to_num(self.center))
        # What an entry of the gradient does to the value when the input changes by its size.
        finite = np.where(np.isfinite(self.gradients), np.abs(self.gradients), 0.0) * np.maximum(np.abs(self.x), 1.0)
        largest = finite.max(axis=1, initial=0.0)
        if self.problem.order > 1:
            # The outputs are parts of one gradient: a part that is nothing beside the others is rounded like them.
            largest = np.full(len(finite), finite.max(initial=0.0))
            value = np.full(len(value), value.max(initial=0.0))
        return np.asarray(self.epsilon * (64 * value + 8 * largest) / self.scale(direction))

    def along(self, direction: Vector) -> tuple[Vector, Vector]:
        """The claimed slopes along a direction, and the sizes that they are to be judged by."""
        moving = np.flatnonzero(direction)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = self.gradients[:, moving] * direction[moving]
            return parts.sum(axis=1), np.sqrt((parts**2).sum(axis=1)) if len(moving) > 1 else np.abs(parts[:, 0])
