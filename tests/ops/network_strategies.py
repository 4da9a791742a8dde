"""What the records of network functions draw: images and windows, scores and targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.ops.strategies import (
    POSITIVE,
    REAL,
    SEEDS,
    SHAPES,
    Domain,
    Sample,
    Shape,
    Strategy,
    values,
)

PROBABILITIES: Domain = ((0.25, 0.75),)
HINGES: Domain = ((-4.0, -3.1), (-2.9, -1.1), (-0.9, -0.1), (0.1, 0.9), (1.1, 2.9), (3.1, 5.9), (6.1, 7.0))
"""Away from -3, -1, 0, 1, 3 and 6, where activations of straight lines bend."""
NEAR_OR_FAR: Domain = ((0.0, 0.2), (2.0, 2.2))
BETWEEN: Domain = ((0.4, 0.6),)
"""From here it is less than 0.6 or more than 1.4 to NEAR_OR_FAR."""

# -- windows ---------------------------------------------------------------------------------------------------


@st.composite
def convolutions(draw: st.DrawFn, d: int) -> Sample:
    """An input, kernels, perhaps a bias, and options that fit."""
    small = st.integers(1, 2)

    def for_each_axis(numbers: Strategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(numbers) for _ in range(d))

    kernel, stride, dilation = (
        for_each_axis(st.integers(1, 3 if d < 3 else 2)),
        for_each_axis(small),
        for_each_axis(small),
    )
    form = draw(st.sampled_from(["number", "numbers", "pairs", "same", "valid"]))
    padding: Any
    if form == "number":
        padding = draw(st.integers(0, 2))
        added = [2 * padding] * d
    elif form == "numbers":
        padding = for_each_axis(st.integers(0, 2))
        added = [2 * n for n in padding]
    elif form == "pairs":
        padding = for_each_axis(st.tuples(st.integers(0, 2), st.integers(0, 2)))
        added = [sum(pair) for pair in padding]
    else:
        padding, added = form, [0] * d
        stride = (1,) * d if form == "same" else stride
    spatial = [
        max((k - 1) * e + 1 - a, 1) + draw(st.integers(0, 2 if d < 3 else 1))
        for k, e, a in zip(kernel, dilation, added, strict=True)
    ]
    groups = draw(small)
    batch = draw(st.sampled_from([(2,), (1,), (), (2,), (0,)]))
    x_shape = (*batch, groups * draw(small), *spatial)
    outputs = groups * draw(small)
    shapes = [x_shape, (outputs, x_shape[len(batch)] // groups, *kernel), (outputs,)]
    one = draw(st.booleans()) and len(set(stride)) == 1
    return Sample(
        tuple(values(draw(SEEDS), shapes[: draw(st.integers(2, 3))], REAL)),
        {"stride": stride[0] if one else stride, "padding": padding, "dilation": dilation, "groups": groups},
    )


@st.composite
def pools(draw: st.DrawFn, d: int, dilated: bool = False, **options: Strategy[Any]) -> Sample:
    """Images and windows that fit: overlapping, padded, rounded up."""
    kernel = tuple(draw(st.integers(1, 3 if d < 3 else 2)) for _ in range(d))
    stride = draw(st.one_of(st.none(), st.integers(1, 3), st.tuples(*[st.integers(1, 3)] * d)))
    padding = draw(
        st.one_of(
            st.integers(0, min(kernel) // 2),
            st.tuples(*(st.integers(0, k // 2) for k in kernel)),
            st.tuples(*(st.tuples(*[st.integers(0, k // 2)] * 2) for k in kernel)),
        )
    )
    drawn: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "padding": padding}
    dilation = (1,) * d
    if dilated:
        drawn["dilation"] = dilation = tuple(draw(st.integers(1, 2)) for _ in range(d))
    spatial = [(k - 1) * e + 1 + draw(st.integers(0, 3 if d < 3 else 1)) for k, e in zip(kernel, dilation, strict=True)]
    if len(set(kernel)) == 1 and draw(st.booleans()):
        drawn["kernel_size"] = kernel[0]
    drawn["ceil_mode"] = draw(st.booleans())
    drawn |= {name: draw(option) for name, option in options.items()}
    lead = draw(st.sampled_from([(1, 2), (2, 1), (2,), (2, 2), (0, 1)] if d < 3 else [(1, 1), (1,), (2, 1), (0, 2)]))
    return Sample(tuple(values(draw(SEEDS), [(*lead, *spatial)], REAL)), drawn)


@st.composite
def images(draw: st.DrawFn, adaptive: bool = False) -> Sample:
    """Images, and for adaptive pooling how many windows to cut them into."""
    spatial = draw(st.tuples(st.integers(1, 5), st.integers(1, 4)))
    lead = draw(st.sampled_from([(1, 2), (2, 1), (2,), (2, 2), (0, 1)]))
    size = st.one_of(st.integers(1, 4), st.none())
    options = {"output_size": draw(st.one_of(st.integers(1, 4), st.tuples(size, size)))} if adaptive else {}
    return Sample(tuple(values(draw(SEEDS), [(*lead, *spatial)], REAL)), options)


# -- losses and layers -----------------------------------------------------------------------------------------

REDUCTIONS = ("mean", "sum", "none")


@st.composite
def losses(
    draw: st.DrawFn,
    domain: Domain = REAL,
    target: Domain = REAL,
    weights: Sequence[str] = (),
    reductions: Sequence[str] = REDUCTIONS,
    **options: Strategy[Any],
) -> Sample:
    """Outputs and targets of one shape and, of the weights that are named, some, which broadcast to it."""
    shape = draw(st.sampled_from(SHAPES))
    names = [name for name in weights if draw(st.booleans())]
    shapes = [tuple(n if draw(st.booleans()) else 1 for n in shape[draw(st.integers(0, len(shape))) :]) for _ in names]
    seed = draw(SEEDS)
    if target is domain:
        arrays = values(seed, [shape, shape], domain)
    else:
        arrays = [*values(seed, [shape], domain), *values(seed + 1, [shape], target)]
    if names:
        arrays += values(seed + 2, shapes, POSITIVE)
        options["names"] = st.just(tuple(names))
    options["reduction"] = st.sampled_from(reductions)
    return Sample(tuple(arrays), {name: draw(option) for name, option in options.items()})


@st.composite
def classified(draw: st.DrawFn, soft: bool = False, **options: Strategy[Any]) -> Sample:
    """Scores (N, C, ...), their classes (or the probabilities of these) and perhaps a weight for each class."""
    count = draw(st.integers(1, 4))
    lead, rest = draw(st.sampled_from([((2,), ()), ((3,), ()), ((), ()), ((2,), (2,)), ((1,), (2, 1)), ((0,), ())]))
    shape = (*lead, count, *rest)
    seed = draw(SEEDS)
    shapes = [shape, (count,)] if draw(st.booleans()) else [shape]
    scores, *weight = values(seed, shapes, POSITIVE)
    drawn = {name: draw(option) for name, option in options.items()}
    drawn["reduction"] = draw(st.sampled_from(REDUCTIONS))
    rng = np.random.default_rng(seed)
    if soft:
        (target,) = values(seed + 1, [shape], PROBABILITIES)
    else:
        target = rng.integers(0, count, (*lead, *rest))
        ignored = draw(st.sampled_from([None, -100, -1, 0]))
        if ignored is not None and count > 1 and target.size > 1:
            drawn["ignore_index"] = target.flat[0] = ignored
            # One is left: the mean over nothing is NaN.
            target.flat[-1] = 1
    return Sample((scores, target, *weight), drawn)


@st.composite
def normalized(
    draw: st.DrawFn, shapes: Sequence[Shape], channels: int | None = 1, statistics: int = 0, **options: Strategy[Any]
) -> Sample:
    """Values to normalise, and perhaps weights and biases.

    Args:
        draw: Hypothesis'.
        shapes: of the values.
        channels: the axis along which there is a weight for each element; None: the last two axes, or the last.
        statistics: 2, if a mean and a variance are given.
        options: others.
    """
    shape = draw(st.sampled_from(shapes))
    drawn = {name: draw(option) for name, option in options.items()}
    if channels is None:
        own = shape[-draw(st.integers(1, min(2, len(shape)))) :]
        drawn["normalized_shape"] = own[0] if len(own) == 1 and draw(st.booleans()) else own
    else:
        own = shape[channels : channels + 1]
    names = [name for name in ("weight", "bias") if draw(st.booleans())]
    seed = draw(SEEDS)
    arrays = values(seed, [shape], REAL) + values(seed + 1, [own] * (statistics + len(names)), POSITIVE)
    return Sample(tuple(arrays), {**drawn, "names": (*("running_mean", "running_var")[:statistics], *names)})


@st.composite
def classes(draw: st.DrawFn) -> Sample:
    """Integers from 0, and how many classes there are, if not one more than the largest."""
    shape = draw(st.sampled_from(SHAPES))
    numbers = np.asarray(np.random.default_rng(draw(SEEDS)).integers(0, 4, shape))
    return Sample((numbers,), {"num_classes": draw(st.sampled_from([4, 5] if 0 in shape else [None, 4, 5]))})
