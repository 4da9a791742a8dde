"""The records of normalisation and dropout."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import dropout, normalization
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.records import network_references as ref
from tensorgrad.testing.records.kinds import named, record
from tensorgrad.testing.records.network_samples import normalized
from tensorgrad.testing.strategies import POSITIVE

CHANNELS = [(3, 2), (2, 2), (2, 2, 3), (2, 1, 2, 2), (4, 3)]
PLANES = [(2, 3, 3), (1, 2, 2), (1, 2, 2, 2), (2, 2, 3), (0, 2, 2)]
GROUPS = [(2, 6), (2, 4), (2, 2, 3), (1, 4, 3), (1, 2, 2, 2), (0, 2)]
FEATURES = [(3,), (2,), (2, 3), (2, 1, 3), (2, 2, 3), (0, 3)]
X = np.ones((2, 3))
DIVISION = 20
"""Values are divided by how far they are apart, which may be as little as 1/300."""
WITH_CHANNELS = "x (N, C, ...), weight (C), bias (C)"

FLOATING = "takes floating point numbers, got dtype int64"
INTEGERS = bad_call(FLOATING, np.ones((2, 2, 2), int), error=TypeError)

NORMALIZATION = [
    record(
        normalization.batch_norm,
        ref.batch_norm,
        shapes=normalized(CHANNELS),
        options={"training": True},
        call=named(normalization.batch_norm),
        slack=DIVISION,
        nonempty="there is no variance of nothing",
        contract=WITH_CHANNELS,
        errors=[
            INTEGERS,
            bad_call(r"\(N, C, ...\), got shape \(3,\)", np.ones(3), training=True),
            bad_call("more than one value per channel", np.ones((1, 3)), training=True),
            bad_call("needs running_mean and running_var, or training=True", X),
            bad_call(r"3 channels .* running_mean of shape \(3,\), got \(2,\)", X, np.ones(2)),
        ],
    ),
    record(
        normalization.batch_norm,
        ref.batch_norm,
        shapes=normalized([*CHANNELS, (0, 2)], statistics=2),
        options={"training": False},
        call=named(normalization.batch_norm),
        slack=DIVISION,
        variant="evaluation",
    ),
    record(
        normalization.group_norm,
        ref.group_norm,
        shapes=normalized(GROUPS, num_groups=st.sampled_from([1, 2])),
        call=named(normalization.group_norm),
        slack=DIVISION,
        contract=WITH_CHANNELS,
        errors=[
            bad_call(r"C a multiple of 2; got shape \(2, 3\)", X, 2),
            bad_call(r"weight of shape \(4,\), got \(2,\)", np.ones((2, 4)), 2, np.ones(2)),
        ],
    ),
    record(
        normalization.instance_norm,
        ref.instance_norm,
        shapes=normalized(PLANES),
        call=named(normalization.instance_norm),
        slack=DIVISION,
        contract=WITH_CHANNELS,
        errors=[INTEGERS, bad_call("more than one value per channel", np.ones((2, 3, 1)))],
    ),
    record(
        normalization.layer_norm,
        ref.layer_norm,
        shapes=normalized(FEATURES, channels=None),
        call=named(normalization.layer_norm),
        slack=DIVISION,
        contract="x (..., *normalized_shape), weight and bias (*normalized_shape)",
        errors=[
            bad_call(r"over \(2,\) does not go with a input of shape \(2, 3\)", X, 2),
            bad_call(r"a weight of shape \(2,\)", X, 3, np.ones(2)),
        ],
    ),
    record(
        normalization.local_response_norm,
        ref.local_response_norm,
        shapes=[[(2, 4, 3)], [(1, 1, 2)], [(2, 3, 2, 2)], [(0, 2, 1)]],
        options={"size": st.sampled_from([1, 2, 3, 5]), "alpha": 0.1, "beta": 0.75, "k": st.sampled_from([1.0, 2.0])},
        contract="x (N, C, ...)",
        errors=[
            bad_call(r"a size of 1 or more, got \(2, 3\), 2", X, 2),
            bad_call(FLOATING, np.ones((2, 2, 2), int), 2, error=TypeError),
        ],
    ),
    record(
        normalization.rms_norm,
        lambda x, *weight: x / np.sqrt((x**2).mean(axis=-1, keepdims=True)) * (weight[0] if weight else 1),
        shapes=[[(2, 3), (3,)], [(4,)], [(2, 1, 2), (2,)], [(0, 3), (3,)]],
        call=lambda x, *weight: normalization.rms_norm(x, x.shape[-1], *weight),
        domain=POSITIVE,
        contract="x (..., *normalized_shape), weight (*normalized_shape)",
        errors=[
            bad_call(r"rms_norm\(\) over \(2,\) does not go with a input of shape \(2, 3\)", X, 2),
            bad_call(r"a weight of shape \(2,\)", X, 3, np.ones(2)),
        ],
    ),
]

DROPPED = {"p": st.sampled_from([0.5, 0.3, 0.0, 1.0]), "training": st.sampled_from([True, True, False])}
NO_PROBABILITY = [
    bad_call(f"needs a probability p from 0 to 1, got {p}", np.ones((2, 2, 2)), p) for p in (-0.1, 1.1, float("nan"))
]
DROPOUT = [
    record(
        dropout.alpha_dropout,
        ref.alpha_dropout(lambda shape: shape),
        shapes="any",
        options=DROPPED,
        errors=NO_PROBABILITY,
    ),
    record(
        dropout.feature_alpha_dropout,
        ref.alpha_dropout(lambda shape: shape[:2] + (1,) * len(shape[2:])),
        shapes=[[(2, 3, 2)], [(2, 1)], [(1, 2, 2, 2)], [(0, 2, 1)]],
        options=DROPPED,
        contract="(N, C, ...)",
        errors=[*NO_PROBABILITY, bad_call(r"\(N, C, ...\), got shape \(3,\)", np.ones(3))],
    ),
    record(
        dropout.dropout,
        ref.dropout(),
        shapes="any",
        options=DROPPED,
        errors=NO_PROBABILITY,
    ),
    *(
        record(
            getattr(dropout, f"dropout{d}d"),
            ref.dropout(d),
            shapes=[[(2, 2, *(2, 3, 1)[:d])], [(3, *(2, 2, 2)[:d])], [(0, 2, *(1, 1, 1)[:d])]],
            options=DROPPED,
            contract="(N, C, ...)",
            errors=[bad_call(f"dropout{d}d.* takes {d + 2} axes .* or {d + 1}, got shape", np.ones((2,) * d))],
        )
        for d in (1, 2, 3)
    ),
]
