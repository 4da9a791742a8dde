"""The records of indexing, sorting and putting."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import indexing
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.records import references as ref
from tensorgrad.testing.records.configs import indexed, put, taken, taken_along
from tensorgrad.testing.records.kinds import ALL, NUMBERS, flat, record
from tensorgrad.testing.strategies import FEW, Config, along_axis, shapes

X = np.ones((2, 3))
MASK = "the result's shape depends on the values of the mask"
ORDER = {"shapes": along_axis(scalars=True), "options": {"descending": st.booleans()}, "contract": "any, along an axis"}
NO_AXIS = [bad_call("axis", X, axis=2, error=(IndexError, ValueError))]


def _getitem(mask: bool, **more: Any) -> OpSpec:
    return record(
        indexing.getitem, lambda x, key: x[key], ALL, shapes=indexed(mask), call=lambda x, key: x[key], **more
    )


def _index_put(mask: bool, **more: Any) -> OpSpec:
    return record(
        indexing.index_put,
        ref.index_put,
        ALL,
        shapes=put(mask),
        call=lambda x, values, key: indexing.index_put(x, key, values),
        **more,
    )


INDEXING = [
    flat(indexing.argsort, ref.argsort, **ORDER, errors=NO_AXIS),
    flat(indexing.argsort, ref.argsort, shapes="axis", domain=FEW, variant="ties"),
    _getitem(
        mask=False,
        contract="any, and an index for it",
        errors=[
            bad_call("bounds", X, 5, error=IndexError),
            bad_call("bounds", X, [0, 9], error=IndexError),
            bad_call("index", X, 1.0, error=IndexError),
            bad_call("index", X, "a", error=IndexError),
        ],
    ),
    _getitem(mask=True, variant="mask", host=MASK),
    _index_put(
        mask=False,
        contract="any, an index for it, values for what is there",
        errors=[bad_call("bounds", X, 5, 1.0, error=IndexError), bad_call("shape|broadcast", X, 0, np.ones(2))],
    ),
    _index_put(mask=True, variant="mask", host=MASK),
    flat(
        indexing.nonzero,
        np.nonzero,
        ALL,
        shapes=shapes(min_dims=1).map(lambda one: Config((one,))),
        domain=FEW,
        contract="any with axes",
        host="how many there are",
    ),
    record(indexing.sort, ref.sort, NUMBERS, **ORDER, errors=NO_AXIS),
    record(
        indexing.take,
        np.take,
        ALL,
        shapes=taken(),
        call=lambda x, indices, axis: indexing.take(x, indices, axis=axis),
        contract="any, and indices",
        errors=[
            bad_call("bounds", X, [3], axis=0, error=IndexError),
            bad_call("axis", X, [0], axis=2, error=(IndexError, ValueError)),
        ],
    ),
    record(
        indexing.take_along_axis,
        ref.take_along_axis,
        ALL,
        shapes=taken_along(),
        contract="any, and indices that broadcast but for the axis",
        errors=[bad_call("axis|axes|dim", X, np.zeros(3, int), axis=0, error=(IndexError, ValueError))],
    ),
]
