"""How far to go along a direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

LOWER, FLATTER = 1e-4, 0.9
"""How much of the fall that the slope promises there has to be, and how much of the slope may be left."""

NARROW = 1e-9
"""An interval in which no parameter changes by more than this is not divided further."""


class Place(NamedTuple):
    """A place on the line.

    Attributes:
        t: how far along the direction.
        value: the function's value.
        slope: its derivative along the direction.
        gradient: its gradient, whatever that is made of.
    """

    t: float
    value: float
    slope: float
    gradient: Any


def strong_wolfe(at: Callable[[float], Place], start: Place, t: float, reach: float, most: int) -> tuple[Place, int]:
    """Finds a place that is lower than the start, as its slope promises, and flatter: Wolfe's strong conditions.

    Steps grow until a place that is low enough lies between two others; then the interval is made smaller. Both go by
    the cubic through the values and slopes of two places.

    Source: Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6.

    Args:
        at: the function along the line.
        start: the place at 0, from where the function falls.
        t: the first to try.
        reach: the largest entry of the direction.
        most: how many places are tried at most, after the first.

    Returns:
        The place, the lowest found if none is low and flat enough, and how often the function was evaluated.
    """

    def too_high(place: Place) -> bool:
        return place.value > start.value + LOWER * place.t * start.slope

    def flat(place: Place) -> bool:
        return abs(place.slope) <= -FLATTER * start.slope

    before, here, tried = start, at(t), 0
    while tried < most:
        if too_high(here) or (tried > 1 and here.value >= before.value):
            break
        if flat(here):
            return here, tried + 1
        if here.slope >= 0:
            break
        further = _lowest(before, here, here.t + 0.01 * (here.t - before.t), 10 * here.t)
        before, here = here, at(further)
        tried += 1
    else:
        before = start

    # A place that is low and flat enough lies between these two.
    low, high = (before, here) if before.value <= here.value else (here, before)
    stuck = False
    while tried < most and abs(high.t - low.t) * reach >= NARROW:
        nearest, furthest = sorted((low.t, high.t))
        t = _lowest(low, high, nearest, furthest)
        margin = 0.1 * (furthest - nearest)
        close = min(furthest - t, t - nearest) < margin
        if close and (stuck or not nearest < t < furthest):
            # The other end would hardly come nearer.
            t = furthest - margin if furthest - t < t - nearest else nearest + margin
            close = False
        stuck = close
        here = at(t)
        tried += 1
        if too_high(here) or here.value >= low.value:
            low, high = (low, here) if low.value <= here.value else (here, low)
            continue
        if flat(here):
            return here, tried + 1
        if here.slope * (high.t - low.t) >= 0:
            high = low
        low = here
    return low, tried + 1


def _lowest(a: Place, b: Place, least: float, most: float) -> float:
    """Where the cubic through two places is lowest, within bounds; their middle where it has no lowest point."""
    d = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d * d - a.slope * b.slope
    if square < 0:
        return (least + most) / 2
    first, second = (a, b) if a.t <= b.t else (b, a)
    root = square**0.5
    part = (second.slope + root - d) / (second.slope - first.slope + 2 * root)
    return min(max(second.t - (second.t - first.t) * part, least), most)
