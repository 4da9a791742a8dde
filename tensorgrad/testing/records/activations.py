"""The records of activation functions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import activations, shrinkage, softmax
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import Kink
from tensorgrad.testing.records import network_references as ref
from tensorgrad.testing.records.kinds import NUMBERS, record
from tensorgrad.testing.strategies import Config, Domain, along_axis

WIDE = Domain(((-4.0, 7.0),), words="real numbers")
ALONG = {"shapes": along_axis(scalars=True), "contract": "any, along an axis"}
SELU_SLOPE = 1.0507009873554805 * 1.6732632423543772
AWAY_FROM_THRESHOLD = WIDE.without([-2, 1, 2, 4])
NO_AXIS = [bad_call("axis", np.ones((2, 3)), axis=2, error=(IndexError, ValueError))]

ACTIVATIONS = [
    record(activations.celu, ref.celu, options={"alpha": st.sampled_from([1.0, 0.5, 2.0])}),
    record(
        activations.elu,
        ref.elu,
        options={"alpha": st.sampled_from([1.0, 0.5])},
        kinks=[Kink(([0.0],), ([0.25],), {"alpha": 0.25}, words="alpha at 0")],
    ),
    record(
        activations.gelu,
        ref.gelu,
        options={"approximate": st.sampled_from(["none", "tanh"])},
        kinks=[Kink(([-1e200, 1e200],), ([0, 1],), {"approximate": name}) for name in ("none", "tanh")],
        errors=[bad_call("'none' and 'tanh', not 'erf'", np.ones(2), approximate="erf")],
    ),
    record(
        activations.glu,
        ref.glu,
        shapes=st.sampled_from(
            [
                Config(((4,),), {}),
                Config(((2, 3),), {"axis": 0}),
                Config(((2, 1, 6),), {"axis": -1}),
                Config(((0, 2),), {"axis": 0}),
            ]
        ),
        contract="any, even along an axis",
        errors=[bad_call(r"even length, got shape \(3, 2\) and axis 0", np.ones((3, 2)), axis=0)],
    ),
    record(
        shrinkage.hardshrink,
        lambda x, lambd=0.5: np.where(np.abs(x) > lambd, x, 0),
        domain=WIDE.without([-2, -0.5, 0.5, 2]),
        options={"lambd": st.sampled_from([0.5, 2.0])},
        kinks={-0.5: 0, 0.5: 0},
    ),
    record(
        softmax.gumbel_softmax,
        ref.gumbel_softmax,
        **ALONG,
        options={"tau": st.sampled_from([1.0, 0.5])},
        errors=[
            *NO_AXIS,
            bad_call("temperature tau above 0, got 0", np.ones(3), 0),
            bad_call("takes floating point numbers, got dtype int64", np.ones(3, int), error=TypeError),
        ],
    ),
    record(activations.hardsigmoid, lambda x: np.clip(x / 6 + 0.5, 0, 1), domain=WIDE, kinks={-3: 0, 3: 0}),
    record(activations.hardswish, lambda x: x * np.clip(x / 6 + 0.5, 0, 1), domain=WIDE, kinks={-3: 0, 3: 1}),
    record(
        activations.hardtanh,
        lambda x: np.clip(x, -1, 1),
        domain=WIDE,
        kinks={-1: 0, 1: 0},
        errors=[bad_call("min_val <= max_val, got 1 and 0", np.ones(2), 1, 0)],
    ),
    record(
        activations.hardtanh,
        lambda x, min_val, max_val: np.clip(x, min_val, max_val),
        domain=WIDE.without([-3, 6]),
        options={"min_val": -3.0, "max_val": 6},
        variant="bounds",
    ),
    record(
        activations.leaky_relu,
        lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
        options={"negative_slope": st.sampled_from([0.01, 0.5])},
        kinks=[Kink(([0.0],), ([0.25],), {"negative_slope": 0.25}, words="negative_slope at 0")],
    ),
    record(activations.log_sigmoid, lambda x: np.log(ref.sigmoid(x))),
    record(softmax.log_softmax, ref.log_softmax, **ALONG, errors=NO_AXIS),
    record(activations.mish, lambda x: x * np.tanh(ref.softplus(x))),
    record(
        activations.prelu,
        ref.prelu,
        shapes=[[(2, 3), (3,)], [(2, 2, 2), (2,)], [(2, 3), (1,)], [(), ()], [(0,), (1,)]],
        contract="x (N, C, ...), weight (C) or (1)",
        kinks=[Kink(([[0.0]], [0.25]), ([[0.25]], [0]), words="the slope at 0")],
        errors=[bad_call(r"one slope, .* \(2,\) for x of shape \(2, 3, 2\)", np.ones((2, 3, 2)), np.ones(2))],
    ),
    record(activations.relu, lambda x: np.maximum(x, 0), NUMBERS, kinks={0: 0}),
    record(activations.relu6, lambda x: np.clip(x, 0, 6), domain=WIDE, kinks={0: 0, 6: 0}),
    record(
        activations.rrelu,
        lambda x, lower, upper, training: np.where(x > 0, x, x / 4),
        options={"lower": 0.25, "upper": 0.25, "training": st.booleans()},
        kinks=[Kink(([0.0],), ([0.25],), {"lower": 0.0, "upper": 0.5}, words="the slope at 0")],
        errors=[bad_call("lower <= upper, got 1 and 0", np.ones(2), 1, 0)],
    ),
    record(activations.selu, lambda x: 1.0507009873554805 * ref.elu(x, 1.6732632423543772), kinks={0: SELU_SLOPE}),
    record(activations.sigmoid, ref.sigmoid),
    record(activations.silu, lambda x: x * ref.sigmoid(x)),
    record(softmax.softmax, ref.softmax, **ALONG, errors=NO_AXIS),
    record(softmax.softmin, lambda x, axis=-1: ref.softmax(-x, axis), **ALONG, errors=NO_AXIS),
    # It jumps at the threshold, by very little where that is 20.
    record(
        activations.softplus,
        ref.softplus,
        domain=AWAY_FROM_THRESHOLD,
        options={"beta": st.sampled_from([1.0, 0.5, 2.0]), "threshold": st.sampled_from([20.0, 2.0])},
        order=0,
        variant="threshold",
    ),
    record(
        activations.softplus,
        ref.softplus,
        options={"beta": st.sampled_from([1.0, 0.5, 2.0])},
        kinks=[Kink(([0.0],), ([0.5],), {"threshold": 0.0})],
    ),
    record(
        shrinkage.softshrink,
        lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
        domain=WIDE.without([-2, -0.5, 0.5, 2]),
        options={"lambd": st.sampled_from([0.5, 2.0])},
        kinks={-0.5: 0, 0.5: 0},
        errors=[bad_call("lambd of 0 or more, got -1", np.ones(2), -1)],
    ),
    record(activations.softsign, lambda x: x / (1 + np.abs(x))),
    record(shrinkage.tanhshrink, lambda x: x - np.tanh(x)),
    record(
        shrinkage.threshold,
        lambda x, threshold, value: np.where(x > threshold, x, value),
        domain=WIDE.without([1]),
        options={"threshold": 1.0, "value": st.sampled_from([-3.0, 0.0])},
        kinks=[Kink(([1.0],), ([0.0],), {"threshold": 1.0, "value": 1.0}, words="0 at the threshold")],
    ),
]
