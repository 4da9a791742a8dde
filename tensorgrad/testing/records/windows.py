"""The records of convolution and pooling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import adaptive_pooling, convolution, max_pooling, pooling
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink, OpSpec
from tensorgrad.testing.records import network_references as ref
from tensorgrad.testing.records.kinds import NUMBERS, record
from tensorgrad.testing.strategies import (
    POSITIVE,
    REAL,
    Config,
    Sample,
    Strategy,
    conv_configs,
    filled,
    integer_arrays,
    pool_configs,
)

FIRST = "of equal ones the first has the gradient"
AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


def convolution_of(d: int) -> OpSpec:
    """The record of the convolution over ``d`` axes."""
    x, weight = np.ones((1, 2, *[3] * d)), np.ones((4, 2, *[2] * d))
    return record(
        getattr(convolution, f"conv{d}d"),
        ref.convolution,
        shapes=conv_configs(d),
        contract=f"x (N, C, {AXES[d]}), weight (O, C / groups, *kernel), bias (O)",
        errors=[
            bad_call("channels", x[:, :1], weight),
            bad_call("groups", x, weight, groups=3),
            bad_call("same", x, weight, padding="some"),
            bad_call("stride", x, weight, padding="same", stride=2),
            bad_call("kernel|window|fit", x[..., :1], weight),
            bad_call("bias", x, weight, np.ones(3)),
        ],
    )


def pooling_of(kind: str, d: int, reduce: str, dilated: bool = False, room: Any = pooling, **more: Any) -> OpSpec:
    """The record of a kind of pooling over ``d`` axes."""
    x = np.ones((1, 1, *[3] * d))
    return record(
        getattr(room, f"{kind}_pool{d}d"),
        ref.pooling(reduce, d),
        NUMBERS,
        shapes=pool_configs(d, dilated),
        contract=f"(N, C, {AXES[d]})",
        errors=[
            bad_call("half", x, 2, padding=2),
            bad_call("kernel|window|fit", x, 5),
            bad_call("axes|shape", np.ones(()), 2),
            bad_call("stride", x, 2, stride=0),
            *more.pop("errors", []),
        ],
        **more,
    )


def averages_of(d: int) -> OpSpec:
    """The record of average pooling over ``d`` axes."""
    options: dict[str, Any] = {"count_include_pad": st.booleans()}
    if d == 1:
        return pooling_of("avg", d, "mean", options=options)
    options["divisor_override"] = st.sampled_from([None, 3, -2])
    by_zero = bad_call("a number other than 0", np.ones((1, 1, *[3] * d)), 2, divisor_override=0)
    return pooling_of("avg", d, "mean", options=options, errors=[by_zero])


def first_of_equal_ones(d: int) -> list[Kink]:
    """The convention at ties: the first element of a window in reading order."""
    x, gradient = np.ones((1, *[1] * (d - 1), 4)), np.zeros((1, *[1] * (d - 1), 4))
    gradient[..., ::2] = 1
    return [Kink((x,), (gradient,), {"kernel_size": (*[1] * (d - 1), 2)}, words=FIRST)]


CONVOLUTION = [convolution_of(d) for d in (1, 2, 3)]


@st.composite
def powers(draw: st.DrawFn, d: int) -> Config:
    """Shapes and options of poolings by norms, which have no padding."""
    config = draw(pool_configs(d))
    options = {name: value for name, value in config.options.items() if name != "padding"}
    return Config(config.shapes, {**options, "norm_type": draw(st.sampled_from([2, 3, 1, 1.5, math.inf]))})


@st.composite
def unpooled(draw: st.DrawFn, d: int) -> Sample:
    """Values, and where they go: several perhaps to one place."""
    shape = (*draw(st.sampled_from([(1, 2), (2,), (0, 1)])), *(draw(st.integers(1, 2)) for _ in range(d)))
    size = tuple(n * 2 + draw(st.integers(0, 1)) for n in shape[-d:])
    (values,) = draw(filled([shape], REAL))
    return Sample(
        (values, draw(integer_arrays(shape, 0, math.prod(size) - 1))), {"kernel_size": 2, "output_size": size}
    )


def unpooling_of(d: int) -> OpSpec:
    """The record of the way back from a maximum over windows, over ``d`` axes."""
    x = np.ones((1, 1, *[2] * d))
    indices = np.zeros(x.shape, dtype="int64")
    return record(
        getattr(max_pooling, f"max_unpool{d}d"),
        ref.max_unpool,
        shapes=unpooled(d),
        contract=f"(N, C, {AXES[d]}) and integers of that shape",
        errors=[
            bad_call("indices of their shape", x, indices[0], 2),
            bad_call("indices of their shape", np.ones(()), np.zeros((), dtype="int64"), 2),
            bad_call("that pooling returned, integers, got dtype float64", x, x, 2, error=TypeError),
            bad_call(f"the index {4**d}, but .* 0 to {4**d - 1}", x, indices + 4**d, 2, error=IndexError),
            bad_call("the index -1", x, indices - 1, 2, error=IndexError),
            bad_call("differ by less than", x, indices, 2, output_size=(6,) * d),
            bad_call("output_size: expected", x, indices, 2, output_size=(2,) * (d + 3)),
        ],
    )


def power_pooling_of(d: int) -> OpSpec:
    """The record of pooling by norms over ``d`` axes."""
    x, zeros = np.ones((1, 1, *[3] * d)), np.zeros((1, *[2] * d))
    return record(
        getattr(pooling, f"lp_pool{d}d"),
        ref.power_pooling(d),
        shapes=powers(d),
        domain=POSITIVE,
        contract=f"(N, C, {AXES[d]})",
        kinks=[Kink((zeros,), (zeros,), {"norm_type": 2, "kernel_size": 2}, words="0 where the sum of powers is 0")],
        errors=[
            bad_call("no norm_type 0", x, 0, 2),
            bad_call("kernel|window|fit", x, 2, 5),
            bad_call("axes|shape", np.ones(()), 2, 2),
            bad_call("stride", x, 2, 2, stride=0),
        ],
    )


LEADS = [(1, 2), (2, 1), (2,), (2, 2), (0, 1)]
WHOLE_IMAGE = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


def images(d: int) -> Strategy[Config]:
    """Images of ``d`` axes."""
    lengths = [st.integers(1, {1: 5, 2: 4, 3: 2}[d])] * d
    return st.tuples(st.sampled_from(LEADS if d < 3 else [(1,), (1, 2), (0, 1)]), *lengths).map(
        lambda drawn: Config(((*drawn[0], *drawn[1:]),))
    )


def whole(d: int) -> list[OpSpec]:
    """The records of the poolings that cover an image of ``d`` axes."""
    count = st.integers(1, 4 if d < 3 else 3)
    each = st.tuples(*[count | st.none()] * d)
    sizes = {"output_size": st.one_of(count, each)}
    image, ones, corner = np.ones((1, *[2] * d)), np.ones((1, *[2] * d)), np.zeros((1, *[2] * d))
    corner[(0,) * (d + 1)] = 1
    wrong = [bad_call("axes|shape", np.ones(()), 2)]
    counts = [*wrong, bad_call(f"{d} of them", image, (1,) * (d + 1)), bad_call("cannot make", image, 0)]
    kept: Any = {"shapes": images(d), "contract": WHOLE_IMAGE[d]}
    axes = tuple(range(-d, 0))

    def of(name: str, reference: Any, **more: Any) -> OpSpec:
        return record(getattr(adaptive_pooling, f"{name}_pool{d}d"), reference, NUMBERS, **kept, **more)

    return [
        of("adaptive_avg", ref.adaptive(np.mean, d), options=sizes, errors=counts),
        of(
            "adaptive_max",
            ref.adaptive(np.max, d),
            options=sizes,
            kinks=[Kink((ones,), (corner,), {"output_size": 1}, words=FIRST)],
            errors=counts,
        ),
        of("global_avg", lambda x: x.mean(axes, keepdims=True), errors=[bad_call("axes|shape", np.ones(()))]),
        of(
            "global_max",
            lambda x: x.max(axes, keepdims=True),
            kinks=[Kink((ones,), (corner,), words=FIRST)],
            errors=[bad_call("axes|shape", np.ones(()))],
        ),
    ]


DIMENSIONS = (1, 2, 3)

POOLING = [
    # Beyond the second derivative there are none but of the ops that the first two are made of.
    *(
        pooling_of("max", d, "max", True, kinks=first_of_equal_ones(d), order=3 if d == 1 else 2, room=max_pooling)
        for d in DIMENSIONS
    ),
    *(averages_of(d) for d in DIMENSIONS),
    *(pooling_of("median", d, "median") for d in DIMENSIONS),
    *(pooling_of("min", d, "min", dilated=True, kinks=first_of_equal_ones(d), room=max_pooling) for d in DIMENSIONS),
    *(pooling_of("sum", d, "sum") for d in DIMENSIONS),
    *(power_pooling_of(d) for d in DIMENSIONS),
    *(unpooling_of(d) for d in DIMENSIONS),
    *(spec for d in DIMENSIONS for spec in whole(d)),
]
