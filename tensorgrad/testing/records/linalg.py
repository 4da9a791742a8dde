"""The records of products and norms."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import linalg
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink
from tensorgrad.testing.records import references as ref
from tensorgrad.testing.records.configs import contractions, einsums, layers
from tensorgrad.testing.records.kinds import ALL, NUMBERS, WHOLE, record
from tensorgrad.testing.strategies import Config, Domain, Sample
from tensorgrad.testing.strategies import reductions as over_axes

X = np.ones((2, 3))
DOTS = st.sampled_from(
    [
        Config(((3,), (2, 1, 3))),
        Config(((2, 3), (2, 3)), {"axis": 0}),
        Config(((2, 3), (2, 3)), {"axis": -1}),
        Config(((0,), (2, 0))),
    ]
)
NO_TWO_SIZES = Domain(((-3.0, -1.6), (0.3, 1.5)))
"""No two numbers have almost the same absolute value either."""
ORDERS = st.sampled_from([1, 0.5, 2.5, 3, -2, math.inf, -math.inf])
NO_AXIS = [bad_call("axis", X, axis=2, error=(IndexError, ValueError))]
VECTOR = [bad_call("2", np.ones(3))]

LINALG = [
    record(
        linalg.diagonal,
        lambda x, offset: np.diagonal(x, offset, -2, -1),
        ALL,
        shapes="matrix",
        options={"offset": st.integers(-3, 3)},
        errors=VECTOR,
    ),
    record(
        linalg.einsum,
        lambda *operands, subscripts: np.einsum(subscripts, *operands),
        NUMBERS,
        shapes=einsums(),
        call=lambda *operands, subscripts: linalg.einsum(subscripts, *operands),
        contract="as the subscripts say",
        errors=[
            bad_call("operands", "ij,jk", X),
            bad_call("subscripts", X, error=TypeError),
            bad_call("k", "ij->ik", X),
        ],
    ),
    record(
        linalg.linear,
        lambda x, weight, bias=0: x @ weight.T + np.asarray(bias, x.dtype),
        shapes=layers(),
        contract="x (..., in_features), weight (out_features, in_features), bias (out_features)",
        errors=[
            bad_call(r"\(2, 3\).*\(2, 2\).*in_features", X, X[:, :2]),
            bad_call(r"bias \(3,\).*out_features", X, X, np.ones(3)),
        ],
    ),
    record(
        linalg.matmul,
        np.matmul,
        NUMBERS,
        shapes="matmul",
        errors=[
            bad_call(r"\(2, 3\) and \(2, 3\).* 3 .* 2 ", X, X),
            bad_call("one axis or more", X, 2.0),
            bad_call("do not broadcast", np.ones((3, 1, 3)), np.ones((2, 3, 1))),
        ],
    ),
    record(linalg.outer, np.outer, NUMBERS, shapes=[[(3,), (2,)], [(0,), (2,)]], contract="(M,), (N,)"),
    record(
        linalg.tensordot,
        np.tensordot,
        shapes=contractions(),
        contract="equal along the axes",
        errors=[bad_call("shape|axes|dim|mismatch", X, X, axes=1)],
    ),
    record(
        linalg.trace,
        lambda x, offset: np.trace(x, offset, -2, -1),
        shapes="matrix",
        options={"offset": st.integers(-1, 1)},
        errors=VECTOR,
    ),
    record(
        linalg.trace,
        lambda x, dtype: np.trace(x, 0, -2, -1, dtype=dtype),
        ("float64", *WHOLE),
        shapes="matrix",
        options={"dtype": "float64"},
        variant="dtype",
    ),
    record(
        linalg.vecdot,
        lambda x1, x2, axis=-1: (x1 * x2).sum(axis),
        shapes=DOTS,
        contract="(..., N), (..., N)",
        errors=[bad_call("shape|broadcast|mismatch", X, np.ones(2))],
    ),
    record(
        linalg.vector_norm,
        ref.vector_norm,
        shapes="reduction",
        options={"ord": 2},
        kinks=[
            Kink(([0.0, 0.0],), ([0, 0],), words="0 at 0"),
            Kink(([0.0],), ([0],), {"ord": 1}),
            Kink(([2.0, -2.0],), ([0.5, -0.5],), {"ord": math.inf}, words="equal ones share the gradient equally"),
        ],
        errors=NO_AXIS,
    ),
    record(
        linalg.vector_norm,
        ref.vector_norm,
        shapes=over_axes(empty=False),
        domain=NO_TWO_SIZES,
        options={"ord": ORDERS},
        variant="ord",
    ),
    record(linalg.vector_norm, ref.vector_norm, shapes="reduction", options={"ord": 0}, variant="ord 0"),
    record(
        linalg.vector_norm,
        ref.vector_norm,
        shapes=st.sampled_from([Sample((X[0] - [1, 0, 3],), {"ord": 2}), Sample((X[0] - [0, 3, 4],), {"ord": 3})]),
        options={"axis": None, "keepdims": False},
        kinks=[Kink(([0.0, 2.0],), ([0, 1],), {"ord": 3}), Kink(([0.0, 1.0, 1.0],), ([0, 2, 2],), {"ord": 0.5})],
        variant="zeros and ones",
        nonempty="some are zeros and ones",
    ),
]
