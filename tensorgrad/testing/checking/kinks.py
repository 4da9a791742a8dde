"""Kinks: what gradients there are close by, and whether one is a mean of them.

Where a function is not differentiable its generalised gradient (F. H. Clarke, Optimization and Nonsmooth Analysis,
1983) is the convex hull of the limits of the gradients at points close by. A gradient that a rule gives at a kink is
right if it is in there. The hull is never listed, it may have too many corners: corners are looked for in the direction
in which the gradient stands out, until it is inside or nothing is found that far out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Vector = np.ndarray

RADII = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14)
"""How far around the point gradients are looked at."""

FAR = (1e-2, 0.1)
"""How far, if those cannot be told from rounding."""

INNER = 2e-3
"""The step of the differences, relative to the radius."""

ASIDE = 0.05
"""How far entries move, relative to the others, that are to move little."""

SAMPLES = 10
ROUNDS = 150

FLIPPED = 64
"""How many entries are moved one by one in the search for a corner."""

CLIMBED = 400
"""How many steps anywhere are tried after that."""

STRIDES = (1.0, 0.3, 0.1)
"""How far they go, in turn."""

SCATTERED = 150
"""How many places anywhere around the point are looked at in the end."""

DOUBTS = 5
"""How often corners are given up that differences do not confirm."""

TRIES = 3
"""How often a further corner is looked for before there is said to be none."""

HALVED = 4
"""How many of the gradients are compared with those at half of the distance."""

SLIGHT = 1e-3
"""Derivatives that are smaller than this, relative to the largest, are not told from that one's curvature."""

CLOSER = (1e-2, 1e-1)
"""A gradient that is a mean of others is to be one at this part of their distance, too: the first that tells."""

CLEAR = 1e-4
"""What is as exact as this, relative to the gradients, needs no second look."""

COARSE = 1e-2
"""What is less exact than this, relative to the gradients, tells nothing."""


@dataclass
class Neighbourhood:
    """What the gradients around a point told.

    Attributes:
        inside: whether the gradient is in the hull of theirs.
        distance: how far it is from the hull, relative to the gradients' size; inf, if that is not known.
        varies: whether they differ from each other by more than the function's curvature explains.
        tolerance: the distance, relative to the gradients' size, that is let pass.
        column: the number of the column along which the gradient is furthest from the hull.
        nearest: what the point of the hull that is nearest to the gradient has there.
        radius: how far away the gradients were, in the entry that was moved most.
        places: where the corners of the hull are that the gradient is a mean of, in units of the reach.
        bent: (k, n) the columns along which the gradients vary.
    """

    inside: bool
    distance: float
    varies: bool
    tolerance: float
    column: int
    nearest: float
    radius: float
    places: list[Vector]
    bent: Vector

    def varies_along(self, direction: Vector) -> bool:
        """Whether the gradients vary along one of the columns; others have nothing to do with the kink."""
        return bool((self.bent == direction).all(axis=1).any())


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def look_around(
    phi: Callable[[Vector], float],
    pull: Callable[[Vector], Vector],
    x: Vector,
    columns: Vector,
    claimed: Vector,
    noise: float,
    within: float,
    groups: Sequence[slice],
    rng: np.random.Generator,
) -> Neighbourhood | None:
    """Whether a gradient is in the convex hull of the gradients close by.

    Args:
        phi: the function.
        pull: its derivatives along the columns, as the rule in question gives them: quick, but not to be trusted.
        x: (n,) the point.
        columns: (k, n) the directions in which derivatives are compared.
        claimed: (k,) the derivatives that are in question.
        noise: how much values of the function are rounded.
        within: no point is further away than this (in any entry): beyond, the function is known to be another.
        groups: of entries that belong together.
        rng: for the points.

    Returns:
        What was found, at the radius that told most; None if the function has no gradients around there.
    """
    for radii in (RADII, FAR):
        arounds = [_Around(phi, pull, x, columns, reach, noise, rng) for reach in _reaches(x, within, radii)]
        seen = _look(arounds, claimed, groups)
        if seen is not None:
            return seen
    return None


def _look(arounds: list[_Around], claimed: Vector, groups: Sequence[slice]) -> Neighbourhood | None:
    """What is seen at some distances: at the first that shows the gradient to be a mean, or else at the clearest."""
    best, outside = None, np.inf
    # What the rule says of the corners is quick to ask, and believed when differences confirm those that matter.
    for trust in (True, False):
        settled = []
        for around in arounds:
            if not trust and around.drowns(claimed):
                continue
            seen = _search(around, claimed, _starts(around, claimed, groups), trust)
            told = seen is not None and seen.inside and seen.varies
            if told:
                settled.append(around)
            if seen is None or seen.tolerance > COARSE or (told and outside < 4 * seen.tolerance):
                # What is as near to the hull as that is inside to whoever does not look closely.
                continue
            if not seen.inside:
                outside = min(outside, seen.distance)
            closer = [around.at(part) for part in CLOSER]
            if told and _holds(closer, claimed, seen):
                return seen
            if (told or not trust) and (best is None or seen.tolerance < best.tolerance or best.varies > seen.varies):
                best = seen
            if not seen.varies and seen.tolerance < CLEAR:
                # A kink would be seen at any distance.
                break
        arounds = [around for around in arounds if around not in settled]
    return best


def _reaches(x: Vector, within: float, radii: Sequence[float]) -> Iterator[Vector]:
    """How far to go, entry by entry: parts of 1, and of the entries' own size where that is smaller."""
    sizes = np.minimum(np.abs(x), 1.0)
    usual = float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 1.0
    own = np.where(sizes > 0, sizes, usual)
    for scale in (np.ones(x.shape), own) if (own < 0.1).any() else (np.ones(x.shape),):
        for radius in radii:
            if radius * scale.max() <= within:
                yield radius * scale
    if within < radii[0] and radii is RADII:
        yield np.full(x.shape, 0.5 * within)


class _Around:
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

    def at(self, part: float) -> _Around:
        """The same at a part of the distance."""
        noise = float((self.noise * self.steps).max())
        return _Around(self.phi, self.pull, self.x, self.columns, part * self.reach, noise, self.rng)

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


def _starts(around: _Around, claimed: Vector, groups: Sequence[slice]) -> list[Vector]:
    """Places to begin with."""
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


def _search(around: _Around, claimed: Vector, starts: list[Vector], trust: bool) -> Neighbourhood | None:
    """Looks for corners of the hull until the claimed gradient is inside.

    Args:
        around: the gradients.
        claimed: the gradient.
        starts: where to begin.
        trust: whether gradients are as the rule gives them, and not by differences.
    """
    places, corners = around.gradients(starts, trust)
    if len(places) < 2:
        return None
    scattered = False
    if len(around.columns) == 1 and np.ptp(corners) <= SLIGHT * np.abs(corners).max():
        # So few may all have missed a piece.
        scattered = True
        for part, more in zip((places, corners), around.gradients(around.anywhere(), trust), strict=True):
            part.extend(more)
    curvature = around.curvature(places, corners, trust)
    sizes = np.maximum(np.abs(corners).max(axis=0), np.abs(claimed))
    if not sizes.any():
        # Nothing moves anything: or is it that steps are too small for the function's values?
        given = [around.pull(around.x + around.reach * z) for z in places]
        size = float(np.nanmax(np.abs(given))) or max(abs(around.phi(around.x + around.reach * z)) for z in places)
        tolerance = 8 * float(around.noise.max()) / size if size else 0.0
        return Neighbourhood(True, 0.0, False, tolerance, 0, 0.0, float(around.reach.max()), [], around.columns[:0])
    if curvature is None:
        return None
    # As exact as along the first column; what is slight beside the others, or noisy, is compared with that.
    doubt = 4 * curvature + 8 * around.noise
    if not np.isfinite([*doubt, *sizes]).all():
        return None
    sizes = np.maximum(sizes, SLIGHT * sizes.max())
    tolerance = float(doubt[0] / sizes[0]) + 1e-7
    sizes = np.maximum(sizes, doubt / tolerance)
    target, points = claimed / sizes, [corner / sizes for corner in corners]
    varies, inside, unconfirmed = bool((np.ptp(points, axis=0) > 4 * tolerance).any()), False, False
    doubts = DOUBTS
    for _ in range(ROUNDS if varies else 1):
        nearest, weights = nearest_in_hull(np.array(points), target)
        away, used = target - nearest, np.flatnonzero(weights)
        mean_of = [(places[k], points[k] * sizes) for k in used[np.argsort(-weights[used])]]
        if np.abs(away).max() <= 2 * tolerance:
            held = [around.gradient(places[k], trust=False) for k in used] if trust else []
            lost = [int(k) for k, corner in zip(used, held, strict=False) if corner is None]
            if lost and varies and len(points) - len(lost) > 1 and doubts:
                # No gradients, says who looks closely: without these, then.
                doubts -= 1
                places, points = ([each for k, each in enumerate(some) if k not in lost] for some in (places, points))
                continue
            inside = not lost
            if held and inside:
                nearest, _ = nearest_in_hull(
                    np.array([corner / sizes for corner in held if corner is not None]), target
                )
                inside = bool(np.abs(target - nearest).max() <= 4 * tolerance)
            unconfirmed = not inside
            break
        if not varies:
            break
        beyond = float(away @ nearest) + 0.5 * tolerance * float(np.abs(away).sum())
        for _ in range(TRIES):
            further = _further(around, away / sizes, beyond, places, trust)
            corner = None if further is None else around.gradient(further, trust)
            if further is not None and corner is not None:
                places.append(further)
                points.append(corner / sizes)
                break
        else:
            if scattered or not trust:
                break
            # The last resort, before it is said to be outside.
            scattered = True
            more_places, more_corners = around.gradients(around.anywhere(), trust)
            places += more_places
            points += [corner / sizes for corner in more_corners]
    column, distance = int(np.abs(target - nearest).argmax()), float(np.abs(target - nearest).max())
    if varies and not inside and not unconfirmed:
        # Curvature was told from a few places: those that matter may curve more.
        bent = around.curvature([z for z, _ in mean_of], [corner for _, corner in mean_of], trust)
        if bent is not None and distance <= 8 * float((bent / sizes).max()):
            tolerance = 4 * float((bent / sizes).max())
            inside, unconfirmed = not trust, trust
    return Neighbourhood(
        inside,
        np.inf if unconfirmed else distance,
        varies,
        tolerance,
        column,
        float(nearest[column] * sizes[column]),
        float(around.reach.max()),
        [z for z, _ in mean_of],
        around.columns[np.ptp(points, axis=0) > 4 * tolerance],
    )


def _holds(closer: list[_Around], claimed: Vector, seen: Neighbourhood) -> bool:
    """Whether a gradient is a mean of the same corners close by, too, where curvature does less to them.

    Args:
        closer: the gradients at parts of the distance.
        claimed: the gradient.
        seen: what was found at the whole distance.
    """
    for part, around in zip(CLOSER, closer, strict=True):
        corners = [around.gradient(z, trust=False) for z in seen.places]
        found = np.array([corner for corner in corners if corner is not None])
        if len(found) < len(corners):
            continue
        sizes = np.maximum(np.abs(found).max(axis=0), np.abs(claimed))
        if not sizes.any():
            return True
        sizes = np.maximum(sizes, SLIGHT * sizes.max())
        tolerance = max(5 * part * seen.tolerance, float((8 * around.noise / sizes).max()) + 1e-7)
        if tolerance < seen.tolerance:
            target = claimed / sizes
            nearest, _ = nearest_in_hull(found / sizes, target)
            return bool(np.abs(target - nearest).max() <= 4 * tolerance)
    return True


def _further(around: _Around, w: Vector, beyond: float, places: list[Vector], trust: bool) -> Vector | None:
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


def _candidates(around: _Around, pull: Vector, places: list[Vector], trust: bool) -> Iterator[list[Vector]]:
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


def nearest_in_hull(points: Vector, target: Vector) -> tuple[Vector, Vector]:
    """The point of the convex hull of ``points`` (k, d) that is nearest to ``target`` (d,), and the weights (k,) of it.

    The weights are those of the least squares problem with weights that are not negative and add up to 1, solved by
    active sets (C. L. Lawson and R. J. Hanson, Solving Least Squares Problems, 1974).

    Example:
        >>> nearest_in_hull(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]), np.array([1.0, -1.0]))
        (array([1., 0.]), array([0.5, 0.5, 0. ]))
    """
    shifted = points - target
    heavy, size = 1e3, float(np.abs(shifted).max()) or 1.0
    a = np.concatenate([shifted.T / size, np.full((1, len(points)), heavy)])
    b = np.concatenate([np.zeros(len(target)), [heavy]])
    weights = np.zeros(len(points))
    active = np.zeros(len(points), bool)
    for _ in range(10 * len(points)):
        gain = a.T @ (b - a @ weights)
        gain[active] = -np.inf
        j = int(gain.argmax())
        if gain[j] <= 1e-14 * heavy * heavy or active.all():
            break
        active[j] = True
        while True:
            trial = np.zeros(len(points))
            trial[active] = np.linalg.lstsq(a[:, active], b, rcond=None)[0]
            if trial[active].min() > 0:
                break
            falling = active & (trial <= 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                steps = weights[falling] / (weights[falling] - trial[falling])
            step = float(np.nanmin(steps)) if steps.size else 0.0
            weights = weights + step * (trial - weights)
            active &= weights > 1e-14
            if not active.any():
                break
        if not active.any():
            break
        weights = trial
    total = weights.sum()
    weights = weights / total if total else np.eye(len(points))[0]
    return weights @ points, weights
