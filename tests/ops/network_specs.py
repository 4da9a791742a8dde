"""The records of network functions: convolution, pooling, activations, losses, normalisation, dropout."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.ops import network_references as ref
from tests.ops.network_strategies import (
    BETWEEN,
    HINGES,
    NEAR_OR_FAR,
    PROBABILITIES,
    REDUCTIONS,
    classes,
    classified,
    convolutions,
    images,
    losses,
    normalized,
    pools,
)
from tests.ops.spec import FUNCTIONS, NUMBERS, Spec, flat, named
from tests.ops.strategies import POSITIVE, REAL, UNIT, along, of_shapes, unary

CONVOLUTION = [Spec(f"conv{d}d", convolutions(d), ref.convolution) for d in (1, 2, 3)]

POOLING = [
    *(Spec(f"max_pool{d}d", pools(d, dilated=True), ref.pooling("max", d), NUMBERS) for d in (1, 2, 3)),
    *(
        Spec(f"avg_pool{d}d", pools(d, count_include_pad=st.booleans()), ref.pooling("mean", d), NUMBERS)
        for d in (1, 2, 3)
    ),
    Spec("median_pool2d", pools(2), ref.pooling("median", 2), NUMBERS),
    Spec("min_pool2d", pools(2, dilated=True), ref.pooling("min", 2), NUMBERS),
    Spec("sum_pool2d", pools(2), ref.pooling("sum", 2), NUMBERS),
    Spec("adaptive_avg_pool2d", images(adaptive=True), ref.adaptive(np.mean), NUMBERS),
    Spec("adaptive_max_pool2d", images(adaptive=True), ref.adaptive(np.max), NUMBERS),
    Spec("global_avg_pool2d", images(), lambda x: x.mean((-2, -1), keepdims=True), NUMBERS),
    Spec("global_max_pool2d", images(), lambda x: x.max((-2, -1), keepdims=True), NUMBERS),
]

ACTIVATIONS = [
    Spec("celu", unary(alpha=st.sampled_from([1.0, 0.5, 2.0])), ref.celu),
    Spec("elu", unary(alpha=st.sampled_from([1.0, 0.5])), ref.elu),
    Spec("erf", unary(), ref.erf),
    Spec("erfinv", unary(UNIT), ref.erfinv),
    Spec("gelu", unary(approximate=st.sampled_from(["none", "tanh"])), ref.gelu),
    Spec("hardsigmoid", unary(HINGES), lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    Spec("hardswish", unary(HINGES), lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    Spec("hardtanh", unary(HINGES), lambda x: np.clip(x, -1, 1)),
    Spec(
        "hardtanh",
        unary(HINGES, min_val=st.just(-3.0), max_val=st.just(6)),
        lambda x, min_val, max_val: np.clip(x, min_val, max_val),
        variant="bounds",
    ),
    Spec(
        "leaky_relu",
        unary(negative_slope=st.sampled_from([0.01, 0.5])),
        lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
    ),
    Spec("log_sigmoid", unary(), lambda x: np.log(ref.sigmoid(x))),
    Spec("log_softmax", along(scalars=True), ref.log_softmax),
    Spec("mish", unary(), lambda x: x * np.tanh(ref.softplus(x))),
    Spec(
        "prelu",
        of_shapes((2, 3), (3,))
        | of_shapes((2, 2, 2), (2,))
        | of_shapes((2, 3), (1,))
        | of_shapes((), ())
        | of_shapes((0,), (1,)),
        ref.prelu,
    ),
    Spec("relu", unary(), lambda x: np.maximum(x, 0), NUMBERS),
    Spec("relu6", unary(HINGES), lambda x: np.clip(x, 0, 6)),
    Spec("selu", unary(), lambda x: 1.0507009873554805 * ref.elu(x, 1.6732632423543772)),
    Spec("sigmoid", unary(), ref.sigmoid),
    Spec("silu", unary(), lambda x: x * ref.sigmoid(x)),
    Spec("softmax", along(scalars=True), ref.softmax),
    Spec("softmin", along(scalars=True), lambda x, axis=-1: ref.softmax(-x, axis)),
    Spec(
        "softplus",
        unary(HINGES, beta=st.sampled_from([1.0, 0.5, 2.0]), threshold=st.sampled_from([20.0, 2.0])),
        ref.softplus,
        order=0,
    ),
    Spec("softplus", unary(beta=st.sampled_from([1.0, 0.5, 2.0])), ref.softplus, variant="smooth"),
    Spec("softsign", unary(), lambda x: x / (1 + np.abs(x))),
    Spec("tanhshrink", unary(), lambda x: x - np.tanh(x)),
]

LOSSES = [
    Spec(
        "binary_cross_entropy",
        losses(PROBABILITIES, PROBABILITIES, ["weight"]),
        ref.loss(ref.bernoulli),
        call=named(FUNCTIONS["binary_cross_entropy"], 2),
    ),
    Spec(
        "binary_cross_entropy_with_logits",
        losses(REAL, PROBABILITIES, ["weight", "pos_weight"]),
        ref.loss(ref.logistic),
        call=named(FUNCTIONS["binary_cross_entropy_with_logits"], 2),
    ),
    Spec("half_squared_error", losses(), ref.loss(lambda x, target: (x - target) ** 2 / 2)),
    Spec("huber_loss", losses(NEAR_OR_FAR, BETWEEN, delta=st.sampled_from([1.0, 0.7])), ref.loss(ref.huber)),
    Spec(
        "kl_div",
        losses(REAL, POSITIVE, reductions=(*REDUCTIONS, "batchmean"), log_target=st.booleans()),
        ref.loss(ref.kl_div),
    ),
    Spec("l1_loss", losses(), ref.loss(lambda x, target: np.abs(x - target))),
    Spec("mse_loss", losses(), ref.loss(lambda x, target: (x - target) ** 2)),
    Spec(
        "smooth_l1_loss",
        losses(NEAR_OR_FAR, BETWEEN, beta=st.sampled_from([1.0, 0.7])),
        ref.loss(lambda x, target, beta: ref.huber(x, target, beta) / beta),
    ),
    Spec("cross_entropy", classified(label_smoothing=st.sampled_from([0.0, 0.2])), ref.cross_entropy),
    Spec(
        "cross_entropy",
        classified(soft=True, label_smoothing=st.sampled_from([0.0, 0.2])),
        ref.cross_entropy,
        variant="probabilities",
    ),
    Spec("nll_loss", classified(), lambda *arrays, **options: ref.cross_entropy(*arrays, **options, logs=True)),
    flat("one_hot", classes(), ref.one_hot, ("int64",), host="the largest of them is looked at"),
]

CHANNELS = [(2, 3), (2, 2, 3), (2, 1, 2, 2), (3, 2)]
PLANES = [(2, 3, 2), (1, 2, 2, 2), (2, 2, 3), (0, 2, 2)]

DIVISION = 20
"""Values are divided by how far they are apart, which may be as little as 1/300."""

NORMALIZATION = [
    Spec(
        "batch_norm",
        normalized(CHANNELS, training=st.just(True)),
        ref.batch_norm,
        call=named(FUNCTIONS["batch_norm"]),
        slack=DIVISION,
        nonempty="there is no variance of nothing",
    ),
    Spec(
        "batch_norm",
        normalized([*CHANNELS, (0, 2)], statistics=2, training=st.just(False)),
        ref.batch_norm,
        call=named(FUNCTIONS["batch_norm"]),
        slack=DIVISION,
        variant="evaluation",
    ),
    Spec(
        "group_norm",
        normalized([(2, 4), (2, 2, 3), (1, 4, 2, 1), (0, 2)], num_groups=st.sampled_from([1, 2])),
        ref.group_norm,
        call=named(FUNCTIONS["group_norm"]),
        slack=DIVISION,
    ),
    Spec(
        "instance_norm", normalized(PLANES), ref.instance_norm, call=named(FUNCTIONS["instance_norm"]), slack=DIVISION
    ),
    Spec(
        "layer_norm",
        normalized([(3,), (2, 3), (2, 1, 3), (2, 2, 2), (0, 2)], channels=None),
        ref.layer_norm,
        call=named(FUNCTIONS["layer_norm"]),
        slack=DIVISION,
    ),
]

DROPPED = {"p": st.sampled_from([0.5, 0.3, 0.0, 1.0]), "training": st.sampled_from([True, True, False])}
DROPOUT = [
    Spec("dropout", unary(**DROPPED), ref.dropout(), call=ref.after_seeding(FUNCTIONS["dropout"])),
    *(
        Spec(
            f"dropout{d}d",
            unary(shapes=[(2, 2, *(2, 3, 1)[:d]), (3, *(2, 2, 2)[:d]), (0, 2, *(1, 1, 1)[:d])], **DROPPED),
            ref.dropout(d),
            call=ref.after_seeding(FUNCTIONS[f"dropout{d}d"]),
        )
        for d in (1, 2, 3)
    ),
]

NETWORK_SPECS = [*CONVOLUTION, *POOLING, *ACTIVATIONS, *LOSSES, *NORMALIZATION, *DROPOUT]
