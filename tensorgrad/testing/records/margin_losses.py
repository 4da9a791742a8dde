"""The records of distances, and of losses with a margin."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import distances, margin_losses
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink
from tensorgrad.testing.records import margin_references as ref
from tensorgrad.testing.records.kinds import named, record
from tensorgrad.testing.records.network_samples import labelled, signed, triplets
from tensorgrad.testing.strategies import POSITIVE, Config

ONES, VECTORS, CLASSES = np.ones(3), np.ones((3, 4)), np.array([0, 3, 1])
MARGIN: dict[str, Any] = {"margin": st.sampled_from([1.0123, 0.3123])}
"""Drawn numbers do not differ by so much."""
SHAPES = [
    bad_call(r"needs .* one shape, got \(3, 1\) and \(3,\)", np.ones((3, 1)), ONES),
    bad_call("'mean', 'sum' or 'none', not 'average'", ONES, ONES, reduction="average"),
]
NO_CLASSES = [
    bad_call(r"input \(N, C\) and classes \(N,\), .* got \(3, 4\) and \(2,\)", VECTORS, np.zeros(2, int)),
    bad_call("takes classes as integers, got dtype float64", VECTORS, np.zeros(3), error=TypeError),
    bad_call("holds the class 4, but there are 4, from 0 to 3", VECTORS, np.array([0, 4, 1]), error=IndexError),
]
TRIPLETS = [bad_call(r"one shape, got \(3, 4\) and \(4,\)", VECTORS, VECTORS, np.ones(4))]

DISTANCES = [
    record(
        distances.cosine_similarity,
        ref.cosine,
        shapes=st.sampled_from(
            [
                Config(((2, 3), (2, 3)), {}),
                Config(((2, 3), (1, 3)), {"axis": -1}),
                Config(((3,), (3,)), {"axis": 0}),
                Config(((1, 2, 2), (1, 2, 2)), {"axis": 1}),
                Config(((2, 2), (1, 2)), {"axis": 0}),
                Config(((0, 2), (0, 2)), {}),
            ]
        ),
        contract="broadcast, along an axis",
        kinks=[
            Kink(([[0.0, 0.0]], [[3.0, 4.0]]), ([[0.6e8, 0.8e8]], [[0.0, 0.0]]), words="of zeros: as if of norm eps")
        ],
        errors=[bad_call("broadcast", np.ones((2, 3)), np.ones((2, 4)))],
    ),
    record(
        distances.normalize,
        lambda x, p=2.0, axis=1: x / (np.abs(x) ** p).sum(axis, keepdims=True) ** (1 / p),
        shapes=st.sampled_from(
            [
                Config(((2, 3),), {}),
                Config(((3,),), {"axis": 0}),
                Config(((2, 3),), {"axis": -1, "p": 3.0}),
                Config(((2, 2, 2),), {"axis": (0, 2)}),
                Config(((2, 3, 2),), {"axis": 1, "p": 1.0}),
                Config(((0, 2),), {}),
            ]
        ),
        domain=POSITIVE,
        contract="any, along an axis",
        kinks=[Kink(([[0.0, 0.0]],), ([[1e12, 1e12]],), words="of zeros: as if of norm eps")],
        errors=[
            bad_call("takes floating point numbers, got dtype int64", np.ones((2, 3), int), error=TypeError),
            bad_call("axis", np.ones(3), error=(IndexError, ValueError)),
        ],
    ),
    record(
        distances.pairwise_distance,
        lambda x1, x2, p=2.0, keepdims=False: np.linalg.norm(x1 - x2 + 1e-6, p, -1, keepdims),
        shapes=[[(2, 3), (2, 3)], [(3,), (3,)], [(2, 1, 2), (3, 2)], [(0, 2), (0, 2)]],
        options={"p": st.sampled_from([2.0, 1.0, 3.0]), "keepdims": st.booleans()},
        contract="broadcast, along the last axis",
        errors=[bad_call("broadcast", np.ones((2, 3)), np.ones((2, 4)))],
    ),
]

MARGIN_LOSSES = [
    record(
        margin_losses.cosine_embedding_loss,
        ref.cosine_embedding,
        shapes=signed(vectors=True, margin=st.sampled_from([0.1234, -0.2345])),
        contract="input1, input2 (N, D), target (N)",
        errors=[bad_call(r"target \(N,\), .* got \(3, 4\) and \(2,\)", VECTORS, VECTORS, np.ones(2))],
    ),
    record(
        margin_losses.hinge_embedding_loss,
        ref.hinge_embedding,
        shapes=signed(**MARGIN),
        contract="input, target: one shape",
        kinks=[Kink(([1.0], [-1]), ([0.0], None), words="0 where the margin is just reached")],
        errors=SHAPES,
    ),
    record(
        margin_losses.hinge_loss,
        ref.hinge,
        shapes=signed(**MARGIN),
        contract="input, target: one shape",
        kinks=[Kink(([1.0], [1]), ([0.0], None), words="0 where the margin is just reached")],
        errors=SHAPES,
    ),
    record(
        margin_losses.margin_ranking_loss,
        ref.margin_ranking,
        shapes=signed(2, margin=st.sampled_from([0.0, 0.3123])),
        contract="input1, input2, target: one shape",
        kinks=[Kink(([1.0], [1.0], [1]), ([0.0], [0.0], None), words="0 where the margin is just reached")],
        errors=[bad_call(r"one shape, got \(3,\) and \(2,\)", ONES, ONES, np.ones(2))],
    ),
    record(
        margin_losses.multi_margin_loss,
        ref.multi_margin,
        shapes=labelled(p=st.sampled_from([1, 2]), **MARGIN),
        call=named(margin_losses.multi_margin_loss, 2),
        contract="input (N, C), target (N) of classes, weight (C)",
        errors=[
            *NO_CLASSES,
            bad_call("p = 1 or 2, got 3", VECTORS, CLASSES, p=3),
            bad_call("a weight for each of the 4 classes", VECTORS, CLASSES, weight=ONES),
        ],
    ),
    record(
        margin_losses.multilabel_margin_loss,
        ref.multilabel_margin,
        shapes=labelled(several=True),
        contract="input, target (N, C)",
        errors=[
            bad_call(r"two arrays \(N, C\) or \(C,\), got \(3, 4\) and \(3,\)", VECTORS, CLASSES),
            bad_call("takes classes as integers, got dtype float64", VECTORS, VECTORS, error=TypeError),
            bad_call("holds the class 4, but there are 4", VECTORS, 4 * VECTORS.astype(int), error=IndexError),
        ],
    ),
    record(
        margin_losses.multilabel_soft_margin_loss,
        ref.multilabel_soft_margin,
        shapes=labelled(shares=True),
        call=named(margin_losses.multilabel_soft_margin_loss, 2),
        contract="input, target (..., C), weight",
        errors=[*SHAPES, bad_call("got one number", np.array(1.0), np.array(1.0))],
    ),
    record(
        margin_losses.soft_margin_loss,
        ref.soft_margin,
        shapes=signed(),
        contract="input, target: one shape",
        errors=SHAPES,
    ),
    record(
        margin_losses.triplet_margin_loss,
        ref.triplet,
        shapes=triplets(p=st.sampled_from([2.0, 1.0])),
        contract="anchor, positive, negative (N, D)",
        errors=TRIPLETS,
    ),
    record(
        margin_losses.triplet_margin_with_distance_loss,
        ref.triplet,
        shapes=triplets(),
        contract="anchor, positive, negative: one shape",
        errors=TRIPLETS,
    ),
]
