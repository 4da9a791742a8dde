"""Kinks: what gradients there are close by, and whether one is a mean of them.

Where a function is not differentiable its generalised gradient (F. H. Clarke, Optimization and Nonsmooth Analysis,
1983) is the convex hull of the limits of the gradients at points close by. A gradient that a rule gives at a kink is
right if it is in there. The hull is never listed, it may have too many corners: corners are looked for in the direction
in which the gradient stands out, until it is inside or nothing is found that far out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tensorgrad.testing.checking.around import COARSE, SLIGHT, Around, Vector
from tensorgrad.testing.checking.corners import first_places, further_place
from tensorgrad.testing.checking.hull import nearest_in_hull

RADII = (1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14)
"""How far around the point gradients are looked at."""

FAR = (1e-2, 0.1)
"""How far, if those cannot be told from rounding."""

ROUNDS = 150

DOUBTS = 5
"""How often corners are given up that differences do not confirm."""

TRIES = 3
"""How often a further corner is looked for before there is said to be none."""

CLOSER = (1e-2, 1e-1)
"""A gradient that is a mean of others is to be one at this part of their distance, too: the first that tells."""

CLEAR = 1e-4
"""What is as exact as this, relative to the gradients, needs no second look."""


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
        arounds = [Around(phi, pull, x, columns, reach, noise, rng) for reach in _reaches(x, within, radii)]
        seen = _look(arounds, claimed, groups)
        if seen is not None:
            return seen
    return None


def _look(arounds: list[Around], claimed: Vector, groups: Sequence[slice]) -> Neighbourhood | None:
    """What is seen at some distances: at the first that shows the gradient to be a mean, or else at the clearest."""
    best, outside = None, np.inf
    # What the rule says of the corners is quick to ask, and believed when differences confirm those that matter.
    for trust in (True, False):
        settled = []
        for around in arounds:
            if not trust and around.drowns(claimed):
                continue
            seen = _search(around, claimed, first_places(around, claimed, groups), trust)
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


def _search(around: Around, claimed: Vector, starts: list[Vector], trust: bool) -> Neighbourhood | None:
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
        return _still(around, places)
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
                nearest, _ = nearest_in_hull(np.array(held) / sizes, target)
                inside = bool(np.abs(target - nearest).max() <= 4 * tolerance)
            unconfirmed = not inside
            break
        if not varies:
            break
        beyond = float(away @ nearest) + 0.5 * tolerance * float(np.abs(away).sum())
        for _ in range(TRIES):
            further = further_place(around, away / sizes, beyond, places, trust)
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


def _still(around: Around, places: list[Vector]) -> Neighbourhood:
    """What is told where nothing moves anything: or is it that steps are too small for the function's values?"""
    given = [around.pull(around.x + around.reach * z) for z in places]
    size = float(np.nanmax(np.abs(given))) or max(abs(around.phi(around.x + around.reach * z)) for z in places)
    tolerance = 8 * float(around.noise.max()) / size if size else 0.0
    return Neighbourhood(True, 0.0, False, tolerance, 0, 0.0, float(around.reach.max()), [], around.columns[:0])


def _holds(closer: list[Around], claimed: Vector, seen: Neighbourhood) -> bool:
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
