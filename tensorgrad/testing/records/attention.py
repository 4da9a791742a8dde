"""The records of attention."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import attention
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.records import network_references as ref
from tensorgrad.testing.records.kinds import named, record
from tensorgrad.testing.strategies import REAL, Sample, filled, integer_arrays

# Axes before the last two, of queries, and of keys and values; whether several queries have one key.
BATCHES = [((), (), False), ((2,), (2,), False), ((2, 1), (1, 2), False), ((2,), (), False), ((0,), (0,), False)]
GROUPS = [((2,), (1,), True), ((2, 4), (2, 2), True), ((1, 2), (1, 2), True), ((0,), (0,), True)]
LENGTHS = [(2, 3, 2, 1), (3, 2, 1, 2), (1, 1, 2, 2), (2, 2, 3, 1), (1, 3, 2, 2), (3, 3, 1, 1), (2, 4, 1, 1)]
EMPTY = [(2, 0, 2, 2), (0, 2, 2, 2), (1, 2, 0, 1)]


@st.composite
def attended(draw: st.DrawFn, numbers: bool = False) -> Sample:
    """Queries, keys and values; a mask of numbers or, perhaps, of booleans."""
    lead, behind, grouped = draw(st.sampled_from([*BATCHES, *GROUPS]))
    length, source, features, out = draw(st.sampled_from([*LENGTHS, *EMPTY]))
    shapes = [(*lead, length, features), (*behind, source, features), (*behind, source, out)]
    kind = "numbers" if numbers else draw(st.sampled_from(["none", "causal", "booleans"]))
    options = {"is_causal": kind == "causal", "enable_gqa": grouped, "names": ()}
    options["scale"] = draw(st.sampled_from([None, 0.75]))
    options["dropout_p"] = draw(st.sampled_from([0.0, 0.0, 0.5]))
    if kind in ("none", "causal"):
        return Sample(draw(filled(shapes, REAL)), options)
    options["names"] = ("attn_mask",)
    own = (*(lead if grouped else np.broadcast_shapes(lead, behind)), length, source)
    if draw(st.integers(0, 2)) == 0:
        own = tuple(n if draw(st.booleans()) else 1 for n in own)[draw(st.integers(0, len(own) - 2)) :]
    if numbers:
        return Sample(draw(filled([*shapes, own], REAL)), options)
    return Sample((*draw(filled(shapes, REAL)), np.asarray(draw(integer_arrays(own, 0, 1)) == 1)), options)


Q, K, V = np.ones((2, 3)), np.ones((4, 3)), np.ones((4, 5))

ATTENTION = [
    record(
        attention.scaled_dot_product_attention,
        ref.attention,
        shapes=attended(),
        call=named(attention.scaled_dot_product_attention, 3),
        contract="query (..., L, E), key (..., S, E), value (..., S, V), attn_mask: what broadcasts to (..., L, S)",
        slack=4,
        errors=[
            bad_call(r"\(..., S, V\), .* got \(2, 3\), \(4, 3\) and \(3, 5\)", Q, K, V[:3]),
            bad_call(r"where ... broadcast, got \(2, 2, 3\), \(3, 4, 3\)", np.ones((2, 2, 3)), np.ones((3, 4, 3)), V),
            bad_call(r"got \(2, 3\), \(4, 5\) and \(4, 5\)", Q, V, V),
            bad_call(r"got \(3,\), \(4, 3\) and \(4, 5\)", np.ones(3), K, V),
            bad_call("attn_mask or is_causal=True, not both", Q, K, V, np.ones((2, 4)), is_causal=True),
            bad_call(r"a mask that broadcasts to \(2, 4\), got shape \(1, 2, 4\)", Q, K, V, np.ones((1, 2, 4))),
            bad_call(r"a mask that broadcasts to \(2, 4\), got shape \(4, 2\)", Q, K, V, np.ones((4, 2))),
            bad_call("a mask is of booleans or of .* int64", Q, K, V, np.ones((2, 4), int), error=TypeError),
            bad_call("takes floating point numbers, got dtype int64", Q.astype(int), K, V, error=TypeError),
            bad_call("needs a probability p from 0 to 1, got 1.5", Q, K, V, dropout_p=1.5),
            bad_call(r"with H a multiple of G, got \(2, 3\)", Q, K, V, enable_gqa=True),
            *(
                bad_call("with H a multiple of G", *map(np.ones, shapes), enable_gqa=True)
                for shapes in (
                    [(3, 2, 3), (2, 4, 3), (2, 4, 5)],
                    [(4, 2, 3), (2, 4, 3), (1, 4, 5)],
                    [(2, 4, 2, 3), (1, 2, 4, 3), (1, 2, 4, 5)],
                )
            ),
        ],
    ),
    record(
        attention.scaled_dot_product_attention,
        ref.attention,
        shapes=attended(numbers=True),
        call=named(attention.scaled_dot_product_attention, 3),
        slack=4,
        variant="numbers as a mask",
    ),
]
