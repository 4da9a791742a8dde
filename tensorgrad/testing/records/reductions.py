"""The records of reductions and running totals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import reductions
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink, OpSpec
from tensorgrad.testing.records import references as ref
from tensorgrad.testing.records.kinds import ALL, NUMBERS, WHOLE, flat, record
from tensorgrad.testing.strategies import FEW, MASK, Config, along_axis
from tensorgrad.testing.strategies import reductions as over_axes
from tensorgrad.testing.strategies.axes import count_along

INF = math.inf
FLOAT64 = {"dtype": "float64"}
INITIAL = {"include_initial": st.booleans()}
IN_FLOAT64 = ("float64", *WHOLE)
SHARED = "equal ones share the gradient equally"
NOT_EMPTY = {"shapes": over_axes(empty=False), "contract": "any, over axes with elements"}
ONE_AXIS = {"shapes": over_axes(one_axis=True, empty=False), "contract": "any, over one axis or all, with elements"}

OF_NONE = Kink((np.zeros((0, 3)),), (np.zeros((0, 3)),), {"axis": 0})

NO_AXIS = [bad_call("axis", np.ones((2, 3)), axis=axis, error=(IndexError, ValueError)) for axis in (2, -3)]
TWICE = [*NO_AXIS, bad_call("axis", np.ones((2, 3)), axis=(0, 0))]
OF_NOTHING = [*TWICE, bad_call("zero-size|empty", np.ones((0, 3)))]


def over_list(function: Any, reference: Any, **more: Any) -> OpSpec:
    """The record of a reduction over axes that are given as a list."""
    return record(
        function,
        lambda x, axis: reference(x, tuple(axis)),
        shapes=[[(2, 3, 2, 2)]],
        options={"axis": [0, -1]},
        variant="axes in a list",
        nonempty="it has two axes to reduce",
        **more,
    )


@st.composite
def with_correction(draw: st.DrawFn) -> Config:
    """A reduction with a ``correction`` that is smaller than the number of elements."""
    (shape,), options = draw(over_axes(empty=False))
    corrections = [0, 1, 0.5] if count_along(shape, options["axis"]) > 1 else [0]
    return Config((shape,), {**options, "correction": draw(st.sampled_from(corrections))})


REDUCTIONS = [
    flat(reductions.all, np.all, ALL, shapes="reduction", domain=MASK),
    flat(reductions.any, np.any, ALL, shapes="reduction", domain=MASK),
    flat(reductions.argmax, np.argmax, **ONE_AXIS, errors=NO_AXIS),
    flat(reductions.argmin, np.argmin, **ONE_AXIS, errors=NO_AXIS),
    flat(reductions.count_nonzero, np.count_nonzero, ALL, shapes="reduction", domain=FEW),
    *(
        spec
        for function, running, dtypes in (
            (reductions.cumulative_prod, ref.running(np.cumprod), NUMBERS),
            (reductions.cumulative_sum, ref.running(np.cumsum), ALL),
        )
        for spec in (
            record(
                function,
                running,
                dtypes,
                shapes=along_axis(scalars=True),
                contract="any, along an axis",
                errors=[
                    *NO_AXIS,
                    bad_call("axis", np.ones((2, 3))),
                    bad_call("include_initial", np.ones(()), include_initial=True),
                ],
            ),
            record(function, running, domain=FEW, shapes="axis", variant="zeros"),
            record(function, running, dtypes, shapes="axis", options=INITIAL, variant="initial"),
            record(function, running, IN_FLOAT64, shapes="axis", options=FLOAT64, variant="dtype"),
        )
    ),
    record(
        reductions.logsumexp,
        ref.logsumexp,
        shapes="reduction",
        kinks=[Kink(([-INF, -INF],), ([0, 0],), words="0 where all are -inf")],
        errors=TWICE,
    ),
    record(
        reductions.max,
        np.max,
        ALL,
        **NOT_EMPTY,
        kinks=[
            Kink(([3.0, 1.0, 3.0],), ([0.5, 0, 0.5],), words=SHARED),
            Kink(([[2.0, 2.0], [1.0, 2.0]],), ([[0.5, 0.5], [0, 1]],), {"axis": 1}),
        ],
        errors=OF_NOTHING,
    ),
    record(reductions.mean, np.mean, ALL, **NOT_EMPTY, kinks=[OF_NONE], errors=TWICE),
    record(
        reductions.min,
        np.min,
        ALL,
        **NOT_EMPTY,
        kinks=[Kink(([3.0, 1.0, 1.0, 1.0],), ([0, 1 / 3, 1 / 3, 1 / 3],), words=SHARED)],
        errors=OF_NOTHING,
    ),
    record(reductions.prod, np.prod, ALL, shapes="reduction", errors=TWICE),
    record(reductions.prod, np.prod, shapes="reduction", domain=FEW, variant="zeros"),
    record(reductions.prod, np.prod, IN_FLOAT64, shapes="reduction", options=FLOAT64, variant="dtype"),
    record(
        reductions.std,
        ref.variance(np.std),
        NUMBERS,
        shapes=with_correction(),
        contract="any, over axes with elements",
        kinks=[
            Kink(([2.0, 2.0, 2.0],), ([0, 0, 0],), words="0 where all are equal"),
            Kink(([1.0, 2.0],), ([math.nan, math.nan],), {"correction": 3}),
            OF_NONE,
        ],
        errors=TWICE,
    ),
    record(reductions.sum, np.sum, ALL, shapes="reduction", errors=TWICE),
    record(reductions.sum, np.sum, IN_FLOAT64, shapes="reduction", options=FLOAT64, variant="dtype"),
    record(
        reductions.var,
        ref.variance(np.var),
        NUMBERS,
        shapes=with_correction(),
        contract="any, over axes with elements",
        kinks=[Kink(([1.0, 2.0],), ([-INF, INF],), {"correction": 3}), OF_NONE],
        errors=TWICE,
    ),
    *map(over_list, (reductions.max, reductions.min, reductions.std, reductions.var), (np.max, np.min, np.std, np.var)),
]
