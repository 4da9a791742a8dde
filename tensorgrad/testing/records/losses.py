"""The records of losses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import classification, likelihoods, losses, overlap_losses
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink, OpSpec
from tensorgrad.testing.records import network_references as ref
from tensorgrad.testing.records.kinds import flat, named, record
from tensorgrad.testing.records.network_samples import (
    BETWEEN,
    NEAR_OR_FAR,
    REDUCTIONS,
    classes,
    classified,
    observed,
    pairs,
    samples,
)
from tensorgrad.testing.strategies import POSITIVE, PROBABILITIES, REAL

SCORES = np.ones((3, 4))
CLASSES = np.array([0, 3, 1])
NOT_ONE = POSITIVE.without([1])
"""At 1 Stirling's approximation comes in."""
NAMED_WEIGHT = {"names": ("weight",)}
SMOOTHING: dict[str, Any] = {"label_smoothing": st.sampled_from([0.0, 0.2])}


def pair(function: Callable[..., Any], each: Callable[..., Any], draw: Any = None, **more: Any) -> OpSpec:
    """The record of a loss of an input and a target of one shape, from what each element contributes."""
    name = function.__name__
    return record(
        function,
        ref.loss(each),
        shapes=pairs() if draw is None else draw,
        contract="input, target: one shape",
        errors=[
            bad_call(rf"{name}\(\) needs .* one shape, got \(3, 1\) and \(3,\)", np.ones((3, 1)), np.ones(3)),
            bad_call("'mean', 'sum' or 'none', not 'average'", np.ones(3), np.ones(3), reduction="average"),
            *more.pop("errors", []),
        ],
        **more,
    )


LOSSES = [
    pair(
        losses.binary_cross_entropy,
        ref.bernoulli,
        pairs(PROBABILITIES, PROBABILITIES, ["weight"]),
        call=named(losses.binary_cross_entropy, 2),
        domain=PROBABILITIES,
        kinks=[
            Kink((0.0, 1.0, 1.0), (-1e12, 100, None), NAMED_WEIGHT),
            Kink((1.0, 0.0, 1.0), (1e12, -100, None), NAMED_WEIGHT),
            Kink((1e-60, 1.0, 1.0), (-1e12, 100, None), NAMED_WEIGHT),
        ],
        errors=[bad_call("probabilities, from 0 to 1", np.array([1.5]), np.ones(1))],
    ),
    pair(
        losses.binary_cross_entropy_with_logits,
        ref.logistic,
        pairs(REAL, PROBABILITIES, ["weight", "pos_weight"]),
        call=named(losses.binary_cross_entropy_with_logits, 2),
        domain=[REAL, PROBABILITIES],
        errors=[
            bad_call(r"pos_weight of shape \(2,\) does not broadcast", SCORES, SCORES, pos_weight=np.ones(2)),
            bad_call(r"weight of shape \(2,\) does not broadcast", SCORES, SCORES, weight=np.ones(2)),
        ],
    ),
    record(
        overlap_losses.dice_loss,
        ref.dice,
        shapes=samples(smooth=st.sampled_from([1.0, 0.5])),
        contract="input, target (N, ...)",
        domain=PROBABILITIES,
        errors=[
            bad_call(r"one shape, got \(3, 4\) and \(4,\)", SCORES, np.ones(4)),
            bad_call("got one number", np.array(1.0), np.array(1.0)),
        ],
    ),
    record(
        likelihoods.gaussian_nll_loss,
        ref.gaussian_nll,
        shapes=observed(),
        contract="one shape; target, var: also 1 on some axes; var: also without the last",
        domain=[REAL, REAL, POSITIVE],
        kinks=[Kink(([0.0], [1.0], [0.0]), ([-1e6], [1e6], [0.0]), words="0 for var below eps")],
        errors=[
            bad_call(r"shape \(3, 4\) takes no variances of shape \(4,\)", SCORES, SCORES, np.ones(4)),
            bad_call("eps above 0, got 0", SCORES, SCORES, SCORES, eps=0),
            bad_call("variances of 0 or more, got -1", SCORES, SCORES, -SCORES),
        ],
    ),
    pair(losses.half_squared_error, lambda x, target: (x - target) ** 2 / 2),
    pair(
        losses.huber_loss,
        ref.huber,
        pairs(NEAR_OR_FAR, BETWEEN, delta=st.sampled_from([1.0, 0.7])),
        errors=[bad_call("above 0", np.ones(3), np.ones(3), delta=0)],
    ),
    pair(
        likelihoods.kl_div,
        ref.kl_div,
        pairs(REAL, POSITIVE, reductions=(*REDUCTIONS, "batchmean"), log_target=st.booleans()),
        domain=[REAL, POSITIVE],
    ),
    pair(
        losses.l1_loss,
        lambda x, target: np.abs(x - target),
        kinks=[Kink(([1.0], [1.0]), ([0], [0]), words="0 where both are equal")],
    ),
    pair(
        likelihoods.poisson_nll_loss,
        ref.poisson_nll,
        pairs(REAL, NOT_ONE, log_input=st.just(True), full=st.booleans()),
        domain=[REAL, NOT_ONE],
    ),
    pair(
        likelihoods.poisson_nll_loss,
        ref.poisson_nll,
        pairs(POSITIVE, POSITIVE, log_input=st.just(False)),
        domain=POSITIVE,
        variant="rates",
    ),
    pair(
        overlap_losses.sigmoid_focal_loss,
        ref.focal,
        pairs(REAL, PROBABILITIES, alpha=st.sampled_from([0.25, -1.0]), gamma=st.sampled_from([2.0, 0.0, 1.5])),
        domain=[REAL, PROBABILITIES],
        errors=[bad_call("gamma of 0 or more, got -1", SCORES, SCORES, gamma=-1)],
    ),
    pair(losses.mse_loss, lambda x, target: (x - target) ** 2),
    pair(
        losses.smooth_l1_loss,
        lambda x, target, beta: ref.huber(x, target, beta) / beta,
        pairs(NEAR_OR_FAR, BETWEEN, beta=st.sampled_from([1.0, 0.7])),
        kinks=[Kink(([1.0], [1.0]), ([0], [0]), {"beta": 0.0}, words="0 where both are equal and beta = 0")],
        errors=[bad_call("0 or more", np.ones(3), np.ones(3), beta=-1)],
    ),
    record(
        classification.cross_entropy,
        ref.cross_entropy,
        shapes=classified(**SMOOTHING),
        contract="input (N, C, ...), target (N, ...) of classes or (N, C, ...) of probabilities",
        kinks=[Kink(([[1e4, -1e4]],), ([[1, -1]],), {"target": np.array([1])})],
        errors=[
            bad_call(r"input of shape \(3, 4\) and a target of shape \(2,\)", SCORES, np.zeros(2, int)),
            bad_call("takes classes as integers, got a target .* dtype float64", SCORES, np.zeros(3), error=TypeError),
            bad_call("a weight for each of the 4 classes", SCORES, CLASSES, weight=np.ones(3)),
            bad_call("label_smoothing from 0 to 1, got 1.5", SCORES, CLASSES, label_smoothing=1.5),
            bad_call("not 'all'", SCORES, CLASSES, reduction="all"),
            bad_call(r"holds the class 4, but .* 4 classes", SCORES, np.array([0, 4, 1]), error=IndexError),
        ],
    ),
    record(
        classification.cross_entropy,
        ref.cross_entropy,
        shapes=classified(soft=True, **SMOOTHING),
        variant="probabilities",
    ),
    record(
        classification.nll_loss,
        functools.partial(ref.cross_entropy, logs=True),
        shapes=classified(),
        contract="input (N, C, ...), target (N, ...) of classes",
        errors=[
            bad_call("target of shape", SCORES, np.zeros(2, int)),
            bad_call(r"holds the class 4, but .* 4 classes", SCORES, np.array([0, 4, 1]), error=IndexError),
        ],
    ),
    flat(
        classification.one_hot,
        ref.one_hot,
        ("int64",),
        shapes=classes(),
        contract="any, of classes",
        host="the largest of them is looked at",
        errors=[
            bad_call("3 classes takes integers from 0 to 2, got 3 to 3", np.array([3]), 3),
            bad_call("needs to be told num_classes", np.zeros(0, int), None),
            bad_call("takes integers, got dtype float64", np.ones(1), 3, error=TypeError),
        ],
    ),
]
