"""What the records draw: samples, which are arrays and options for one call of an op.

Hypothesis draws shapes and options, and a seed for the values: those are spread evenly over a domain and shuffled, so
that no two are close (no ties) and none is close to a kink, since domains keep away from them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

Shape = tuple[int, ...]
Strategy = st.SearchStrategy
Domain = tuple[tuple[float, float], ...] | list[float]
"""Intervals to draw different values from, or a list of values that may be drawn again and again."""

REAL: Domain = ((-3.0, -0.3), (0.3, 3.0))
POSITIVE: Domain = ((0.3, 3.0),)
UNIT: Domain = ((-0.75, -0.1), (0.1, 0.75))
ABOVE_ONE: Domain = ((1.3, 3.0),)
ABOVE_MINUS_ONE: Domain = ((-0.7, -0.1), (0.1, 3.0))
"""Not close to where functions grow without bound, for there differences tell little of derivatives."""
STEPS: Domain = tuple((k + low, k + low + 0.03) for k in range(-2, 2) for low in (0.21, 0.26, 0.71, 0.76))
"""Away from the multiples of 0.5 and of 0.05, where functions jump that round."""
NEAR_ONE: Domain = ((-1.05, -0.95), (0.95, 1.05))
FRACTIONS: Domain = ((-1.8, -1.2), (-0.8, -0.2), (0.2, 0.8), (1.2, 1.8))
"""Divided by a number of NEAR_ONE they are not close to an integer."""
FEW: Domain = [-2.0, -1.0, 0.0, 1.0, 2.0]
SPECIAL: Domain = [-math.inf, -2.5, -0.0, 0.0, 1.0, math.inf, math.nan]
BOOLEAN: Domain = [0.0, 1.0]

SHAPES: list[Shape] = [(), (3,), (2, 3), (1,), (2, 1, 3), (0,), (2, 2), (1, 3), (3, 0), (2, 1), (2, 3, 2)]


@dataclass(frozen=True)
class Sample:
    """Arrays and options for one call.

    Arrays of float64 stand for values: they take the dtype that is being tried, and may have gradients. Others
    (indices, masks), and all arrays among the options, stay what they are.
    """

    arrays: tuple[np.ndarray, ...]
    options: dict[str, Any] = field(default_factory=dict)


def values(seed: int, shapes: Sequence[Shape], domain: Domain) -> list[np.ndarray]:
    """Arrays of these shapes, of different values of the domain."""
    rng = np.random.default_rng(seed)
    sizes = [math.prod(shape) for shape in shapes]
    n = sum(sizes)
    if isinstance(domain, list):
        flat = rng.choice(domain, n)
    else:
        # Even steps with a little jitter, on a circle that is turned at random.
        t = ((rng.permutation(n) + rng.uniform(-0.3, 0.3, n)) / max(n, 1) + rng.uniform()) % 1
        lengths = np.array([high - low for low, high in domain])
        starts = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
        t *= lengths.sum()
        piece = np.searchsorted(starts, t, side="right") - 1
        flat = np.array([low for low, _ in domain])[piece] + t - starts[piece]
    ends = np.cumsum(sizes)
    return [flat[end - size : end].reshape(shape) for end, size, shape in zip(ends, sizes, shapes, strict=True)]


SEEDS = st.integers(0, 2**16)
SIZE = st.sampled_from([2, 3, 1, 3, 2, 0])


@st.composite
def of_shapes(draw: st.DrawFn, *shapes: Shape, domain: Domain = REAL, **options: Strategy[Any]) -> Sample:
    """Arrays of these very shapes."""
    arrays = values(draw(SEEDS), shapes, domain)
    return Sample(tuple(arrays), {name: draw(option) for name, option in options.items()})


@st.composite
def unary(draw: st.DrawFn, domain: Domain = REAL, shapes: Sequence[Shape] = SHAPES, **options: Strategy[Any]) -> Sample:
    """One array of any shape."""
    arrays = values(draw(SEEDS), [draw(st.sampled_from(shapes))], domain)
    return Sample(tuple(arrays), {name: draw(option) for name, option in options.items()})


@st.composite
def broadcast_shapes(draw: st.DrawFn, count: int, shapes: Sequence[Shape] = SHAPES) -> list[Shape]:
    """Shapes that broadcast against each other."""
    whole = draw(st.sampled_from(shapes))
    result = []
    for _ in range(count):
        kept = whole[draw(st.integers(0, len(whole))) :] if draw(st.integers(0, 3)) == 3 else whole
        result.append(tuple(1 if n != 1 and draw(st.integers(0, 3)) == 3 else n for n in kept))
    return result


@st.composite
def broadcasting(draw: st.DrawFn, *domains: Domain, masks: int = 0, **options: Strategy[Any]) -> Sample:
    """Arrays that broadcast against each other, one for each domain; the first ``masks`` of them are boolean."""
    shapes = draw(broadcast_shapes(len(domains)))
    seed = draw(SEEDS)
    if all(domain is domains[0] for domain in domains):
        arrays = values(seed, shapes, domains[0])
    else:
        arrays = [values(seed + i, [shape], domains[i])[0] for i, shape in enumerate(shapes)]
    arrays[:masks] = [array > 0 for array in arrays[:masks]]
    return Sample(tuple(arrays), {name: draw(option) for name, option in options.items()})


def binary(domain: Domain = REAL, other: Domain | None = None) -> Strategy[Sample]:
    """Two arrays that broadcast against each other."""
    return broadcasting(domain, domain if other is None else other)


# -- axes ------------------------------------------------------------------------------------------------------


def an_axis(ndim: int) -> Strategy[int]:
    """An axis of an array with so many, counted from the front or the back."""
    return st.integers(-ndim, ndim - 1)


@st.composite
def axes(draw: st.DrawFn, ndim: int, least: int = 0) -> tuple[int, ...]:
    """Different axes in any order, counted from the front or the back."""
    chosen = draw(st.permutations(range(ndim)))[: draw(st.integers(least, ndim))]
    return tuple(axis - ndim if draw(st.booleans()) else axis for axis in chosen)


def any_axis(ndim: int) -> Strategy[Any]:
    """What a reduction takes: None, an axis, or several."""
    return st.one_of(st.none(), *([an_axis(ndim)] if ndim else []), axes(ndim))


def count_along(shape: Shape, axis: Any) -> int:
    """How many elements are reduced into one."""
    if axis is None:
        return math.prod(shape)
    return math.prod(shape[i] for i in (axis if isinstance(axis, tuple) else (axis,)))


@st.composite
def reduction(
    draw: st.DrawFn,
    domain: Domain = REAL,
    empty: bool = True,
    one_axis: bool = False,
    correction: bool = False,
    **options: Strategy[Any],
) -> Sample:
    """An array with ``axis`` and ``keepdims``.

    Args:
        draw: Hypothesis'.
        domain: of the values.
        empty: whether there is a reduction of nothing.
        one_axis: whether ``axis`` is a single one (or None).
        correction: whether to draw this option of the variance, smaller than the number of elements.
        options: others.
    """
    shape = draw(st.sampled_from(SHAPES))
    choice = st.one_of(st.none(), *([an_axis(len(shape))] if shape else [])) if one_axis else any_axis(len(shape))
    axis = draw(choice)
    if not empty and count_along(shape, axis) == 0:
        shape = tuple(n or 2 for n in shape)
    drawn = {"axis": axis, "keepdims": draw(st.booleans())}
    if correction:
        drawn["correction"] = draw(st.sampled_from([0, 1, 0.5] if count_along(shape, axis) > 1 else [0]))
    drawn |= {name: draw(option) for name, option in options.items()}
    return Sample(tuple(values(draw(SEEDS), [shape], domain)), drawn)


@st.composite
def along(
    draw: st.DrawFn, domain: Domain = REAL, name: str = "axis", scalars: bool = False, **options: Strategy[Any]
) -> Sample:
    """An array with an axis of its, which may be left out where it has just one."""
    shape = draw(st.sampled_from([shape for shape in SHAPES if shape or scalars]))
    drawn = {name: draw(an_axis(max(len(shape), 1)))}
    if len(shape) <= 1 and draw(st.booleans()):
        drawn = {}
    drawn |= {name: draw(option) for name, option in options.items()}
    return Sample(tuple(values(draw(SEEDS), [shape], domain)), drawn)
