"""The records of convolution and pooling."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import adaptive_pooling, convolution, pooling
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink, OpSpec
from tensorgrad.testing.records import network_references as ref
from tensorgrad.testing.records.kinds import NUMBERS, record
from tensorgrad.testing.strategies import Config, Strategy, conv_configs, pool_configs

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


def pooling_of(kind: str, d: int, reduce: str, dilated: bool = False, **more: Any) -> OpSpec:
    """The record of a kind of pooling over ``d`` axes."""
    x = np.ones((1, 1, *[3] * d))
    return record(
        getattr(pooling, f"{kind}_pool{d}d"),
        ref.pooling(reduce, d),
        NUMBERS,
        shapes=pool_configs(d, dilated),
        contract=f"(N, C, {AXES[d]})",
        errors=[
            bad_call("half", x, 2, padding=2),
            bad_call("kernel|window|fit", x, 5),
            bad_call("axes|shape", np.ones(()), 2),
            bad_call("stride", x, 2, stride=0),
        ],
        **more,
    )


def first_of_equal_ones(d: int, extreme: bool = True) -> list[Kink]:
    """The convention at ties: the first element of a window in reading order."""
    x, gradient = np.ones((1, *[1] * (d - 1), 4)), np.zeros((1, *[1] * (d - 1), 4))
    gradient[..., ::2] = 1
    return [Kink((x,), (gradient,), {"kernel_size": (*[1] * (d - 1), 2)}, words=FIRST)] if extreme else []


CONVOLUTION = [convolution_of(d) for d in (1, 2, 3)]

ADAPTIVE: Strategy[Config] = st.tuples(
    st.sampled_from([(1, 2), (2, 1), (2,), (2, 2), (0, 1)]), st.integers(1, 5), st.integers(1, 4)
).map(lambda drawn: Config(((*drawn[0], *drawn[1:]),)))
COUNT = st.integers(1, 4)
OUTPUT_SIZE = st.one_of(COUNT, st.tuples(COUNT | st.none(), COUNT | st.none()))
IMAGE = np.ones((1, 2, 3))
ONES = np.ones((1, 2, 2))
CORNER = np.array([[[1.0, 0.0], [0.0, 0.0]]])
IMAGES = "(N, C, H, W)"
COUNTS = [bad_call("2 of them", IMAGE, (1, 2, 3)), bad_call("axes|shape", np.ones(3), 2)]

POOLING = [
    # Beyond the second derivative there are none but of the ops that the first two are made of.
    *(pooling_of("max", d, "max", True, kinks=first_of_equal_ones(d), order=3 if d == 1 else 2) for d in (1, 2, 3)),
    *(pooling_of("avg", d, "mean", options={"count_include_pad": st.booleans()}) for d in (1, 2, 3)),
    pooling_of("median", 2, "median"),
    pooling_of("min", 2, "min", dilated=True, kinks=first_of_equal_ones(2)),
    pooling_of("sum", 2, "sum"),
    record(
        adaptive_pooling.adaptive_avg_pool2d,
        ref.adaptive(np.mean),
        NUMBERS,
        shapes=ADAPTIVE,
        options={"output_size": OUTPUT_SIZE},
        contract=IMAGES,
        errors=COUNTS,
    ),
    record(
        adaptive_pooling.adaptive_max_pool2d,
        ref.adaptive(np.max),
        NUMBERS,
        shapes=ADAPTIVE,
        options={"output_size": OUTPUT_SIZE},
        contract=IMAGES,
        kinks=[Kink((ONES,), (CORNER,), {"output_size": 1}, words=FIRST)],
        errors=COUNTS,
    ),
    record(
        adaptive_pooling.global_avg_pool2d,
        lambda x: x.mean((-2, -1), keepdims=True),
        NUMBERS,
        shapes=ADAPTIVE,
        contract=IMAGES,
        errors=[bad_call("axis|axes|shape", np.ones(3))],
    ),
    record(
        adaptive_pooling.global_max_pool2d,
        lambda x: x.max((-2, -1), keepdims=True),
        NUMBERS,
        shapes=ADAPTIVE,
        contract=IMAGES,
        kinks=[Kink((ONES,), (CORNER,), words=FIRST)],
        errors=[bad_call("axis|axes|shape", np.ones(3))],
    ),
]
