"""Where values are drawn from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

MARGIN = 0.1
"""How far samples keep away from a kink."""


@dataclass(frozen=True)
class Domain:
    """Where values are drawn from: intervals, or single values.

    Attributes:
        intervals: pairs ``(low, high)``, rising, that do not overlap.
        values: single values. Where there are intervals too, one value in four is one of these.
        words: how a reader is told of the domain; by default its intervals or values.
        dtype: of the arrays. Arrays of another dtype than float64, such as masks and indices, are no values that one
            could differentiate by, and keep their dtype.

    Example:
        >>> print(Domain(((-1, 1), (2, 3))))
        [-1, 1] or [2, 3]
    """

    intervals: tuple[tuple[float, float], ...] = ()
    values: tuple[float, ...] = ()
    words: str = ""
    dtype: str = "float64"

    def __post_init__(self) -> None:
        if not self.intervals and not self.values:
            raise ValueError("a Domain needs intervals, such as ((-1, 1),), or values.")
        ends = [end for interval in self.intervals for end in interval]
        if any(len(interval) != 2 for interval in self.intervals) or sorted(set(ends)) != ends:
            raise ValueError(f"the intervals of a Domain are pairs (low, high) that rise, got {self.intervals}.")

    @classmethod
    def of(cls, given: Domain | tuple[float, float]) -> Domain:
        """A domain from a pair ``(low, high)``, or as it is.

        Example:
            >>> print(Domain.of((-2, 2)))
            [-2, 2]
        """
        if isinstance(given, Domain):
            return given
        if not is_interval(given):
            raise TypeError(f"expected a Domain or a pair of numbers (low, high), not {given!r}.")
        low, high = given
        return cls(((low, high),))

    @property
    def length(self) -> float:
        """Of all intervals together."""
        return sum(high - low for low, high in self.intervals)

    def without(self, points: Iterable[float], margin: float = MARGIN) -> Domain:
        """The domain less what is closer than ``margin`` to any of the points.

        Example:
            >>> print(Domain.of((-2, 2)).without([0, 2], margin=0.5))
            [-2, -0.5] or [0.5, 1.5]
        """
        intervals = self.intervals
        for point in points:
            pieces = [((low, min(high, point - margin)), (max(low, point + margin), high)) for low, high in intervals]
            intervals = tuple((low, high) for pair in pieces for low, high in pair if low < high)
        values = tuple(value for value in self.values if all(abs(value - point) >= margin for point in points))
        return replace(self, intervals=intervals, values=values)

    def at(self, positions: np.ndarray) -> np.ndarray:
        """The values at positions from 0 to 1 of a walk through all intervals, which begins at the one closest to 1."""
        starts = np.cumsum([0.0, *(high - low for low, high in self.intervals)])
        lows, highs = np.array(self.intervals).T
        closest = np.clip(1.0, lows, highs)
        first = int(np.argmin(np.abs(closest - 1)))
        walked = (positions * self.length + starts[first] + closest[first] - lows[first]) % self.length
        piece = np.searchsorted(starts[1:-1], walked, side="right")
        return np.clip(lows[piece] + walked - starts[piece], lows[piece], highs[piece])

    def rounded(self, values: np.ndarray, unit: float) -> np.ndarray:
        """Values as multiples of ``unit``, a power of ten, where that leaves them in their interval."""
        digits = -round(math.log10(unit))
        short = np.round(values, digits)
        inside = np.zeros(values.shape, bool)
        for low, high in self.intervals:
            inside |= (low <= values) & (values <= high) & (low <= short) & (short <= high)
        return np.where(inside, short, values)

    def __str__(self) -> str:
        if self.words:
            return self.words
        if self.intervals:
            return " or ".join(f"[{low:g}, {high:g}]" for low, high in self.intervals)
        return "one of " + ", ".join(f"{value:g}" for value in self.values)


def is_interval(given: Any) -> bool:
    """Whether something is a pair of numbers."""
    return (
        isinstance(given, Sequence)
        and len(given) == 2
        and all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in given)
    )


REAL = Domain(((-3.0, -0.3), (0.3, 3.0)), words="real numbers")
"""Of both signs, and not close to 0."""
POSITIVE = Domain(((0.3, 3.0),), words="x > 0")
UNIT = Domain(((-0.75, -0.1), (0.1, 0.75)), words="-1 < x < 1")
ABOVE_ONE = Domain(((1.3, 3.0),), words="x > 1")
ABOVE_MINUS_ONE = Domain(((-0.7, -0.1), (0.1, 3.0)), words="x > -1")
PROBABILITIES = Domain(((0.25, 0.75),), words="probabilities")
INTERESTING = Domain(((-3.0, 3.0),), (0.0, 1.0, -1.0, 0.5, 2.0, 1e-3, -1e3), words="real numbers")
"""Zeros, ones, and small and large numbers among others."""
FEW = Domain(values=(1.0, 0.0, -1.0, 2.0, -2.0), words="real numbers")
"""So few that many are equal."""
SPECIAL = Domain(values=(1.0, 0.0, -0.0, -2.5, math.inf, -math.inf, math.nan), words="all numbers")
"""Among them infinities, not a number, and the zero below zero."""
MASK = Domain(values=(1.0, 0.0), dtype="bool", words="booleans")
