"""The records of arithmetic, exponentials, powers and trigonometry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import elementwise, powers, special, trigonometry
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink
from tensorgrad.testing.records import network_references as ref
from tensorgrad.testing.records.kinds import NUMBERS, flat, record
from tensorgrad.testing.strategies import ABOVE_MINUS_ONE, ABOVE_ONE, POSITIVE, REAL, UNIT, Domain

INF = math.inf

STEPS = Domain(
    tuple((k + low, k + low + 0.03) for k in range(-2, 2) for low in (0.21, 0.26, 0.71, 0.76)), words="real numbers"
)
"""Away from the multiples of 0.5 and of 0.05, where functions jump that round."""
NOT_ZERO = Domain(REAL.intervals, words="x2 != 0")
NEAR_ONE = Domain(((-1.05, -0.95), (0.95, 1.05)), words="x2 != 0")
FRACTIONS = Domain(((-1.8, -1.2), (-0.8, -0.2), (0.2, 0.8), (1.2, 1.8)), words="real numbers")
"""Divided by a number of NEAR_ONE they are not close to an integer."""

EQUAL = "of equal ones each has half of the gradient"
INFINITE = "1/2 at equal infinities"
AT_BOUNDS = "1 at the bounds"
ROUNDED = {0: 0.0, 1: 0.0}


def whole_power(x: Any, exponent: float) -> Any:
    """A power whose exponent is no array."""
    return x**exponent


ELEMENTWISE = [
    record(elementwise.abs, np.abs, NUMBERS, kinks={0: 0}),
    record(elementwise.add, np.add, NUMBERS, numbers=True),
    record(elementwise.ceil, np.ceil, domain=STEPS, kinks=ROUNDED),
    record(
        elementwise.clip,
        np.clip,
        NUMBERS,
        arity=3,
        numbers=True,
        kinks=[
            Kink(([1.0, 2.0], 1.0, 2.0), ([1, 1], 0, 0), words=AT_BOUNDS),
            Kink(([1.0, 2.0, 3.0], 2.0, 2.0), ([0, 1, 0], 1, 1)),
            Kink(([0.0, 1.0], [2.0, 2.0], [1.0, 1.0]), ([0, 0], [0, 0], [1, 1])),
        ],
    ),
    record(elementwise.clip, np.maximum, NUMBERS, arity=2, numbers=True, variant="from below"),
    record(
        elementwise.clip,
        np.minimum,
        NUMBERS,
        arity=2,
        call=lambda x, high: elementwise.clip(x, None, high),
        numbers=True,
        variant="from above",
        kinks=[Kink(([1.0, 2.0], 1.0), ([1, 0], None))],
    ),
    record(
        elementwise.copysign,
        np.copysign,
        numbers=True,
        kinks=[
            Kink((0.0, 1.0), (0, 0), words="0 at x1 = 0"),
            Kink(([2.0, 2.0, -2.0], [0.0, -0.0, 0.0]), ([1, -1, -1], [0, 0, 0])),
        ],
    ),
    record(elementwise.divide, np.divide, NUMBERS, numbers=True, domain=[REAL, NOT_ZERO]),
    record(elementwise.floor, np.floor, domain=STEPS, kinks=ROUNDED),
    flat(elementwise.floor_divide, np.floor_divide, NUMBERS, domain=[FRACTIONS, NEAR_ONE], numbers=True),
    record(
        elementwise.maximum,
        np.maximum,
        NUMBERS,
        numbers=True,
        kinks=[Kink(([1.0, 2.0], [1.0, 0.0]), ([0.5, 1], [0.5, 0]), words=EQUAL)],
    ),
    record(
        elementwise.minimum,
        np.minimum,
        NUMBERS,
        numbers=True,
        kinks=[Kink(([1.0, 2.0], [1.0, 0.0]), ([0.5, 0], [0.5, 1]), words=EQUAL)],
    ),
    record(elementwise.multiply, np.multiply, NUMBERS, numbers=True),
    record(elementwise.negative, np.negative, NUMBERS),
    record(elementwise.positive, np.positive, NUMBERS),
    record(elementwise.remainder, np.remainder, NUMBERS, domain=[FRACTIONS, NEAR_ONE], numbers=True),
    record(
        elementwise.round,
        np.round,
        domain=STEPS,
        options={"decimals": st.integers(0, 1)},
        kinks={0.5: 0, 1: 0},
        errors=[bad_call("integer", np.ones(2), 1.5, error=TypeError)],
    ),
    record(elementwise.sign, np.sign, NUMBERS, kinks={0: 0}),
    record(elementwise.subtract, np.subtract, NUMBERS, numbers=True),
    record(elementwise.trunc, np.trunc, domain=STEPS, kinks=ROUNDED),
]

POWERS = [
    record(powers.cbrt, np.cbrt, NUMBERS, kinks={0: INF}),
    record(powers.exp, np.exp, NUMBERS),
    record(powers.exp2, np.exp2, NUMBERS),
    record(powers.expm1, np.expm1, NUMBERS),
    record(
        powers.hypot,
        np.hypot,
        numbers=True,
        kinks=[Kink(([0.0, 0.0], [0.0, 2.0]), ([0, 0], [0, 1]), words="0 at (0, 0)")],
    ),
    record(powers.log, np.log, NUMBERS, domain=POSITIVE, kinks={0: INF}),
    record(powers.log10, np.log10, NUMBERS, domain=POSITIVE, kinks={0: INF}),
    record(powers.log1p, np.log1p, domain=ABOVE_MINUS_ONE, kinks={-1: INF}),
    record(powers.log2, np.log2, NUMBERS, domain=POSITIVE, kinks={0: INF}),
    record(
        powers.logaddexp,
        np.logaddexp,
        numbers=True,
        kinks=[
            Kink(([-INF, 0.0, INF], [-INF, -INF, INF]), ([0.5, 1, 0.5], [0.5, 0, 0.5]), words=INFINITE),
            Kink(([INF, 1e5], [0.0, 0.0]), ([1, 1], [0, 0])),
            Kink(([0.0, 0.0], [INF, 1e5]), ([0, 0], [1, 1])),
        ],
    ),
    record(
        powers.logaddexp,
        np.logaddexp,
        shapes=st.just((np.array([1.0, -2.0]), np.array([1.0, -2.0]))),
        variant="equal",
        nonempty="they are equal",
    ),
    record(
        powers.pow,
        np.power,
        numbers=True,
        domain=[Domain(POSITIVE.intervals, words="x1 > 0"), REAL],
        kinks=[
            Kink(([0.0, 0.0, 0.0], [1.0, 2.0, 0.5]), ([1, 0, INF], [0, 0, 0]), words="by x2: 0 at x1 = 0"),
            Kink((0.0, 0.0), (0, 0), words="0 at 0**0"),
            Kink(([0.0, 0.0, 0.0], [-1.0, 1.0, 2.0]), ([-INF, 1, 0], [-INF, 0, 0])),
        ],
    ),
    record(powers.pow, np.power, NUMBERS, domain=POSITIVE, variant="positive"),
    record(
        powers.pow,
        np.power,
        shapes=st.just((np.array([0.5, 2.0]), np.zeros(2))),
        variant="exponent zero",
        nonempty="there are two",
    ),
    record(
        powers.pow,
        whole_power,
        arity=1,
        options={"exponent": st.sampled_from([0, 1, 2, 3, -1, -2, 2.0])},
        call=whole_power,
        variant="whole exponent",
        kinks=[Kink(([0.0, -2.0],), (g,), {"exponent": n}) for n, g in ((0, [0, 0]), (1, [1, 1]), (2, [0, -4]))],
    ),
    record(
        powers.pow,
        whole_power,
        arity=1,
        domain=POSITIVE,
        options={"exponent": st.sampled_from([0.5, -0.5, 1.5, 0.0])},
        call=whole_power,
        variant="broken exponent",
    ),
    record(powers.reciprocal, lambda x: 1 / x, NUMBERS, domain=Domain(REAL.intervals, words="x != 0")),
    record(powers.sqrt, np.sqrt, NUMBERS, domain=POSITIVE, kinks={0: INF}),
    record(powers.square, np.square, NUMBERS),
    record(special.erf, ref.erf, kinks=[Kink(([INF, -INF],), ([0, 0],))]),
    record(special.erfinv, ref.erfinv, domain=UNIT, kinks={-1: INF, 1: INF}),
]

TRIGONOMETRY = [
    record(trigonometry.acos, np.arccos, domain=UNIT, kinks={-1: -INF, 1: -INF}),
    record(trigonometry.acosh, np.arccosh, domain=ABOVE_ONE, kinks={1: INF}),
    record(trigonometry.asin, np.arcsin, domain=UNIT, kinks={-1: INF, 1: INF}),
    record(trigonometry.asinh, np.arcsinh, NUMBERS),
    record(trigonometry.atan, np.arctan, NUMBERS),
    record(trigonometry.atan2, np.arctan2, numbers=True),
    record(trigonometry.atanh, np.arctanh, domain=UNIT, kinks={-1: INF, 1: INF}),
    record(trigonometry.cos, np.cos, NUMBERS),
    record(trigonometry.cosh, np.cosh, NUMBERS),
    record(trigonometry.sin, np.sin, NUMBERS),
    record(trigonometry.sinh, np.sinh, NUMBERS),
    record(trigonometry.tan, np.tan, domain=Domain(UNIT.intervals, words="-pi/2 < x < pi/2")),
    record(trigonometry.tanh, np.tanh, NUMBERS),
]
