"""The oracles: what the slopes along a line really are, each with an estimate of its own error."""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.checking.behaviour import falling
from tensorgrad.testing.checking.claims import Claims
from tensorgrad.testing.checking.differences import Line, Slopes

Vector = np.ndarray

BOTTOM, LAST = 1e-14, 1e-16
"""The smallest steps, relative to the size of the entries, usually and where all others leave the domain."""

SAFETY = 3.0
"""How many times the estimated error of a difference is let pass."""


def steps_of_all_sizes(claims: Claims, direction: Vector, shift: float, bottom: float = BOTTOM) -> list[Vector]:
    """Series of steps: from several times the size of the entries down to a tiny part of it, where rounding is left.

    Where entries are tiny themselves there is a second series, around their own size.
    """
    low, scale = claims.problem.low_precision, claims.scale(direction)
    series = [falling(4 * scale * shift, scale * (1e-4 if low else bottom))]
    moving = direction != 0
    own = np.abs(claims.x[moving] / direction[moving])
    least = float(own[own > 0].min()) if (own > 0).any() else scale
    if np.finfo(np.float64).tiny < 1e-6 * least < 1e-12 * scale:
        series.append(falling(0.3 * least * shift, 1e-6 * least))
    return series


def differences(claims: Claims, line: Line, shift: float) -> Slopes:
    """Central differences, and those of one side where the other has no values."""
    best = one_sided(claims, line, 0, shift)
    for side, bottom in ((0, LAST), (1, BOTTOM), (-1, BOTTOM)):
        if np.isfinite(best.errors).all():
            break
        # So close to the end of a domain there are only the last digits to move.
        one = one_sided(claims, line, side, shift, bottom)
        lacking = ~np.isfinite(best.errors) & np.isfinite(one.errors)
        best = Slopes(*(np.where(lacking, getattr(one, part), getattr(best, part)) for part in vars(best)))
    return best


def one_sided(claims: Claims, line: Line, side: int, shift: float = 1.0, bottom: float = BOTTOM) -> Slopes:
    """Differences of one side, 1 or -1; central ones for 0."""
    series = steps_of_all_sizes(claims, line.direction, shift, bottom)
    first, *finer = [line.estimates(steps, side) for steps in series]
    for more in finer:
        first = first.then(more)
    return first.choose(side != 0)


def complex_step(claims: Claims, line: Line, i: int) -> tuple[float, float] | None:
    """Im f(x + ih) / h: no difference is taken, so nothing cancels; for analytic functions only."""
    h = 1e-30
    outputs = claims.problem.value_complex(claims.x + 1j * h * line.direction)
    if outputs is None or not np.iscomplexobj(outputs):
        return None
    with np.errstate(all="ignore"):
        slope = float((line.rows(outputs)[i]).imag / h)
    return (slope, 8 * claims.epsilon * abs(slope)) if np.isfinite(slope) else None


def extended_differences(claims: Claims, line: Line, shift: float) -> Slopes | None:
    """The same differences in extended precision; None where the function does not compute in it."""
    x = claims.x.astype(np.longdouble)
    center = claims.problem.value_extended(x)
    if center is None:
        return None

    def value(y: Vector) -> Vector:
        outputs = claims.problem.value_extended(y)
        return np.full(len(claims.center), np.nan) if outputs is None else outputs

    epsilon = float(np.finfo(np.longdouble).eps)
    return differences(claims, Line(value, line.rows, x, center, line.direction, epsilon), shift)
