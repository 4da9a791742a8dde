"""The gradients of a function at a distance from a point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

Vector = np.ndarray

INNER = 2e-3
"""The step of the differences, relative to the radius."""

SCATTERED = 150
"""How many places anywhere around the point are looked at in the end."""

HALVED = 4
"""How many of the gradients are compared with those at half of the distance."""

SLIGHT = 1e-3
"""Derivatives that are smaller than this, relative to the largest, are not told from that one's curvature."""

COARSE = 1e-2
"""What is less exact than this, relative to the gradients, tells nothing."""


class Around:
    """The gradients of a function at a distance from a point: by differences, or as the rule gives them."""

    def __init__(
        self,
        phi: Callable[[Vector], float],
        pull: Callable[[Vector], Vector],
        x: Vector,
        columns: Vector,
        reach: Vector,
        noise: float,
        rng: np.random.Generator,
    ) -> None:
        self.phi, self.pull, self.x, self.columns, self.reach, self.rng = phi, pull, x, columns, reach, rng
        self.unit = np.eye(len(columns))
        self.steps = np.array([INNER * float(reach[column != 0].min() / np.abs(column).max()) for column in columns])
        self.noise = noise / self.steps

    def at(self, part: float) -> Around:
        """The same at a part of the distance."""
        noise = float((self.noise * self.steps).max())
        return Around(self.phi, self.pull, self.x, self.columns, part * self.reach, noise, self.rng)

    def point(self) -> Vector:
        """A random place around the point, as an offset in units of the reach; no entry is close to zero."""
        return self.rng.uniform(0.4, 1.0, self.x.shape) * self.rng.choice([-1.0, 1.0], self.x.shape)

    def measured(self, z: Vector, w: Vector) -> float:
        """The derivative at ``z`` along the combination ``w`` of the columns, by differences; NaN if there is none."""
        direction = w @ self.columns
        size = np.abs(direction).max()
        if not size:
            return 0.0
        y = self.x + self.reach * z
        t = float(INNER * self.reach[direction != 0].min() / size)
        wide, narrow = (self._quotient(y, direction, step) for step in (t, t / 3))
        if not abs(wide - narrow) <= 1e-2 * (abs(wide) + abs(narrow)) + 20 * float(np.abs(w) @ self.noise):
            return float("nan")
        return wide

    def _quotient(self, y: Vector, direction: Vector, t: float) -> float:
        with np.errstate(all="ignore"):
            return float((self.phi(y + t * direction) - self.phi(y - t * direction)) / (2 * t))

    def slope(self, z: Vector, w: Vector, trust: bool) -> float:
        """The derivative at ``z`` along ``w``, by the rule if it is trusted; -inf if there is none."""
        slope = float(w @ self.pull(self.x + self.reach * z)) if trust else self.measured(z, w)
        return slope if np.isfinite(slope) else -np.inf

    def gradient(self, z: Vector, trust: bool) -> Vector | None:
        """The derivatives along all columns, by the rule if it is trusted; None if there are not all of them."""
        if trust:
            found = self.pull(self.x + self.reach * z)
        else:
            found = np.array([self.measured(z, w) for w in self.unit])
            # Where there is a kink, slopes do not add up.
            w = self.rng.uniform(0.5, 1.0, len(found)) * np.where(found < 0, -1.0, 1.0)
            allowed = 1e-2 * float(np.abs(w * found).sum()) + 20 * float(np.abs(w) @ self.noise)
            if len(found) > 1 and not abs(self.measured(z, w) - float(w @ found)) <= allowed:
                return None
        return found if np.isfinite(found).all() else None

    def gradients(self, places: Iterable[Vector], trust: bool) -> tuple[list[Vector], list[Vector]]:
        """The places where there are gradients, and these."""
        found = [(z, corner) for z in places if (corner := self.gradient(z, trust)) is not None]
        return [z for z, _ in found], [corner for _, corner in found]

    def drowns(self, claimed: Vector) -> bool:
        """Whether gradients are rounding and no more at this distance, to go by what the rule takes them for."""
        sizes = np.abs([claimed, *(self.pull(self.x + self.reach * self.point()) for _ in range(3))])
        return bool(0 < 10 * COARSE * np.nanmax(sizes[:, 0]) < 8 * self.noise[0])

    def anywhere(self) -> Iterator[Vector]:
        """Many places around the point, in all directions and no further away than others."""
        places = self.rng.standard_normal((SCATTERED, len(self.x)))
        return iter(places / np.abs(places).max(axis=1, keepdims=True) * self.rng.uniform(0.4, 1.0, (SCATTERED, 1)))

    def curvature(self, places: list[Vector], gradients: list[Vector], trust: bool) -> Vector | None:
        """How much gradients change up to half of the distance; None where most of them change much.

        Along a ray from a kink the gradient stays the same. Where it does not there is no kink, or it is seen from too
        far away.
        """
        most, uneven = np.zeros(len(self.columns)), 0
        for z, whole in zip(places[:HALVED], gradients[:HALVED], strict=False):
            half = self.gradient(z / 2, trust)
            if half is None:
                continue
            change = np.abs(whole - half)
            size = np.maximum(np.abs(whole), np.abs(half))
            near = change <= np.maximum(1e-2 * size, SLIGHT * size.max())
            most = np.maximum(most, np.where(near, change, 0.0))
            uneven += bool((change[~near] > 10 * self.noise[~near]).any())
        return None if uneven > HALVED // 2 else most
