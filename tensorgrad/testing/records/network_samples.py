"""What the records of losses and of normalisation draw: scores, targets and weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.testing.strategies import (
    POSITIVE,
    PROBABILITIES,
    REAL,
    Domain,
    Sample,
    Shape,
    Strategy,
    filled,
    integer_arrays,
    shapes,
)

NEAR_OR_FAR = Domain(((0.0, 0.2), (2.0, 2.2)))
BETWEEN = Domain(((0.4, 0.6),))
"""From here it is less than 0.6 or more than 1.4 to NEAR_OR_FAR."""
REDUCTIONS = ("mean", "sum", "none")


@st.composite
def _broadcasting_to(draw: st.DrawFn, shape: Shape) -> Shape:
    """A shape that broadcasts to another."""
    return tuple(n if draw(st.booleans()) else 1 for n in shape[draw(st.integers(0, len(shape))) :])


@st.composite
def pairs(
    draw: st.DrawFn,
    domain: Domain = REAL,
    target: Domain = REAL,
    weights: Sequence[str] = (),
    reductions: Sequence[str] = REDUCTIONS,
    **options: Strategy[Any],
) -> Sample:
    """Outputs and targets of one shape and, of the weights that are named, some, which broadcast to it."""
    shape = draw(shapes())
    names = [name for name in weights if draw(st.booleans())]
    own = [shape if draw(st.booleans()) else draw(_broadcasting_to(shape)) for _ in names]
    drawn = {name: draw(option) for name, option in options.items()}
    drawn["reduction"] = draw(st.sampled_from(reductions))
    if weights:
        drawn["names"] = tuple(names)
    arrays = draw(filled([shape, shape, *own], [domain, target, *[POSITIVE] * len(names)]))
    return Sample(arrays, drawn)


@st.composite
def classified(draw: st.DrawFn, soft: bool = False, **options: Strategy[Any]) -> Sample:
    """Scores (N, C, ...), their classes (or the probabilities of these) and perhaps a weight for each class."""
    count = draw(st.integers(1, 4))
    lead, rest = draw(st.sampled_from([((), ()), ((2,), ()), ((3,), ()), ((2,), (2,)), ((1,), (2, 1)), ((0,), ())]))
    shape = (*lead, count, *rest)
    scores, *weight = draw(filled([shape, (count,)] if draw(st.booleans()) else [shape], POSITIVE))
    drawn = {name: draw(option) for name, option in options.items()}
    drawn["reduction"] = draw(st.sampled_from(REDUCTIONS))
    if soft:
        (target,) = draw(filled([shape], PROBABILITIES))
        return Sample((scores, target, *weight), drawn)
    target = draw(integer_arrays((*lead, *rest), 0, count - 1))
    ignored = draw(st.sampled_from([None, -100, -1, 0]))
    if ignored is not None and count > 1 and target.size > 1:
        drawn["ignore_index"] = target.flat[0] = ignored
        # One is left: the mean over nothing is NaN.
        target.flat[-1] = 1
    return Sample((scores, target, *weight), drawn)


@st.composite
def classes(draw: st.DrawFn) -> Sample:
    """Integers from 0, and how many classes there are, if not one more than the largest."""
    numbers = draw(integer_arrays(draw(shapes()), 0, 3))
    return Sample((numbers,), {"num_classes": draw(st.sampled_from([None, 4, 5] if numbers.size else [4, 5]))})


@st.composite
def normalized(
    draw: st.DrawFn, given: Sequence[Shape], channels: int | None = 1, statistics: int = 0, **options: Strategy[Any]
) -> Sample:
    """Values to normalise, and perhaps weights and biases.

    Args:
        draw: Hypothesis'.
        given: shapes of the values.
        channels: the axis along which there is a weight for each element; None: the last two axes, or the last.
        statistics: 2, if a mean and a variance are given.
        options: others.
    """
    shape = draw(st.sampled_from(given))
    drawn = {name: draw(option) for name, option in options.items()}
    if channels is None:
        own = shape[-draw(st.integers(1, min(2, len(shape)))) :]
        drawn["normalized_shape"] = own[0] if len(own) == 1 and draw(st.booleans()) else own
    else:
        own = shape[channels : channels + 1]
    names = [name for name in ("weight", "bias") if draw(st.booleans())]
    more = statistics + len(names)
    arrays = draw(filled([shape, *[own] * more], [REAL, *[POSITIVE] * more]))
    return Sample(arrays, {**drawn, "names": (*("running_mean", "running_var")[:statistics], *names)})


@st.composite
def signed(draw: st.DrawFn, count: int = 1, vectors: bool = False, **options: Strategy[Any]) -> Sample:
    """Arrays of one shape, and a target of -1 and 1: one for each element, or for each vector along the last axis."""
    shape = draw(st.sampled_from([(2, 3), (3,), (1, 2), (0, 2)])) if vectors else draw(shapes())
    signs = np.asarray(2 * draw(integer_arrays(shape[:-1] if vectors else shape, 0, 1)) - 1)
    drawn = {name: draw(option) for name, option in options.items()}
    drawn["reduction"] = draw(st.sampled_from(REDUCTIONS))
    return Sample((*draw(filled([shape] * (2 if vectors else count), REAL)), signs), drawn)


@st.composite
def triplets(draw: st.DrawFn, **options: Strategy[Any]) -> Sample:
    """Three arrays of one shape: the second is half way from the first to the third, as far as margins can tell."""
    shape = draw(st.sampled_from([(2, 3), (3,), (1, 2), (0, 2)]))
    drawn = {name: draw(option) for name, option in options.items()}
    drawn |= {"margin": draw(st.sampled_from([4.123, -4.123])), "swap": draw(st.booleans())}
    drawn["reduction"] = draw(st.sampled_from(REDUCTIONS))
    return Sample(draw(filled([shape] * 3, [Domain(((n, n + 0.2),)) for n in (-2.0, 0.0, 2.0)])), drawn)


@st.composite
def labelled(draw: st.DrawFn, several: bool = False, shares: bool = False, **options: Strategy[Any]) -> Sample:
    """Scores (N, C) or (C), and for each sample one class, several, or shares of all; perhaps weights (C)."""
    shape = draw(st.sampled_from([(2, 3), (3,), (1, 4), (2, 1), (0, 2)]))
    drawn = {name: draw(option) for name, option in options.items()}
    drawn["reduction"] = draw(st.sampled_from(REDUCTIONS))
    if several:
        return Sample((*draw(filled([shape], NEAR_OR_FAR)), draw(integer_arrays(shape, -1, shape[-1] - 1))), drawn)
    given = draw(st.booleans())
    drawn["names"] = ("weight",) * given
    scores, *weight = draw(filled([shape, shape[-1:]][: 1 + given], [REAL, POSITIVE][: 1 + given]))
    if shares:
        (target,) = draw(filled([shape], PROBABILITIES))
    else:
        target = draw(integer_arrays(shape[:-1], 0, shape[-1] - 1))
    return Sample((scores, target, *weight), drawn)


@st.composite
def samples(draw: st.DrawFn, **options: Strategy[Any]) -> Sample:
    """Probabilities and what they should be, of several samples."""
    shape = draw(shapes(min_dims=1))
    drawn = {name: draw(option) for name, option in options.items()}
    drawn["reduction"] = draw(st.sampled_from(REDUCTIONS))
    return Sample(draw(filled([shape, shape], PROBABILITIES)), drawn)


@st.composite
def observed(draw: st.DrawFn) -> Sample:
    """Means, what was observed, and variances: one for each, or one for all of the last or of the first axis."""
    shape = draw(shapes())
    own = draw(st.sampled_from([shape, (*shape[:-1], 1), (1, *shape[1:]), shape[:-1]])) if shape else shape
    seen = draw(st.sampled_from([shape, (*shape[:-1], 1)])) if shape else shape
    arrays = draw(filled([shape, seen, own], [REAL, REAL, POSITIVE]))
    return Sample(arrays, {"full": draw(st.booleans()), "reduction": draw(st.sampled_from(REDUCTIONS))})


@st.composite
def rows(draw: st.DrawFn) -> Sample:
    """A table, and integers of any shape that pick rows of it."""
    (table,) = draw(filled([draw(st.sampled_from([(3, 2), (1, 1), (2, 3)]))], REAL))
    return Sample((table, draw(integer_arrays(draw(shapes()), 0, len(table) - 1))))


@st.composite
def bags(draw: st.DrawFn) -> Sample:
    """A table, integers that pick rows of it, where bags begin if they are in a row, and perhaps weights for sums."""
    apart = draw(st.booleans())
    shape = draw(st.sampled_from([(2, 3), (1, 1), (2, 0), (0, 2)] if apart else [(4,), (1,), (0,)]))
    options: dict[str, Any] = {"mode": draw(st.sampled_from(["mean", "sum", "max"]))}
    if not apart:
        options["offsets"] = [0, *sorted(draw(st.lists(st.integers(0, shape[0]), max_size=2)))]
    weighted = options["mode"] == "sum" and draw(st.booleans())
    table, *weights = draw(filled([(3, 2), shape][: 1 + weighted], REAL))
    options["names"] = ("per_sample_weights",) * weighted
    return Sample((table, draw(integer_arrays(shape, 0, 2)), *weights), options)
