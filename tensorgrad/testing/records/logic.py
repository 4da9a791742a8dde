"""The records of comparisons, logic and choice."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import logic
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.records.kinds import ALL, FLOATS, WHOLE, flat, record
from tensorgrad.testing.strategies import FEW, MASK, POSITIVE, REAL, SPECIAL, Domain

X = np.ones((2, 3))
NO_FLOATS = "not supported for the input types"
FLOATING = [bad_call(NO_FLOATS, X, X, error=TypeError)]
INTEGERS = Domain(values=FEW.values, words="integers, booleans")
SHIFTS = Domain(POSITIVE.intervals, words="integers, x2 >= 0")
WHOLE_OR_BOOL = (*WHOLE, "bool")

LOGIC = [
    record(logic.where, np.where, ALL, domain=[MASK, REAL, REAL]),
    record(
        logic.where,
        lambda x1, x2, condition: np.where(condition, x1, x2),
        ALL,
        arity=2,
        options={"condition": st.booleans()},
        call=lambda x1, x2, condition: logic.where(condition, x1, x2),
        variant="a single condition",
    ),
    *(
        flat(getattr(logic, name), getattr(np, name), ALL, domain=FEW, numbers=True)
        for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
    ),
    *(
        flat(getattr(logic, name), getattr(np, name), ALL, domain=FEW)
        for name in ("logical_and", "logical_or", "logical_xor", "logical_not")
    ),
    *(
        flat(getattr(logic, name), getattr(np, name), WHOLE_OR_BOOL, domain=INTEGERS, errors=FLOATING)
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
    ),
    flat(
        logic.bitwise_invert,
        np.invert,
        WHOLE_OR_BOOL,
        domain=INTEGERS,
        errors=[bad_call(NO_FLOATS, X, error=TypeError)],
    ),
    flat(logic.bitwise_left_shift, np.left_shift, WHOLE, domain=SHIFTS, errors=FLOATING),
    flat(logic.bitwise_right_shift, np.right_shift, WHOLE, domain=SHIFTS, errors=FLOATING),
    *(
        flat(getattr(logic, name), getattr(np, name), FLOATS, domain=SPECIAL)
        for name in ("isfinite", "isinf", "isnan", "signbit")
    ),
]
