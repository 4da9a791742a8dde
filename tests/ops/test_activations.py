"""Activation functions where formulas break first: at extreme scores, at NaN, in half precision."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import assert_gradients

# What each gives at -1e4 and at 1e4, and its derivative there.
LIMITS = {
    "relu": ((0, 1e4), (0, 1)),
    "relu6": ((0, 6), (0, 0)),
    "hardtanh": ((-1, 1), (0, 0)),
    "hardsigmoid": ((0, 1), (0, 0)),
    "hardswish": ((0, 1e4), (0, 1)),
    "leaky_relu": ((-100, 1e4), (0.01, 1)),
    "sigmoid": ((0, 1), (0, 0)),
    "log_sigmoid": ((-1e4, 0), (1, 0)),
    "softplus": ((0, 1e4), (0, 1)),
    "silu": ((0, 1e4), (0, 1)),
    "mish": ((0, 1e4), (0, 1)),
    "softsign": ((-1, 1), (0, 0)),
    "tanhshrink": ((-9999, 9999), (1, 1)),
    "hardshrink": ((-1e4, 1e4), (1, 1)),
    "softshrink": ((-1e4, 1e4), (1, 1)),
    "rrelu": ((-2291.7, 1e4), (0.22917, 1)),
    "elu": ((-1, 1e4), (0, 1)),
    "selu": ((-1.7581, 10507), (0, 1.0507)),
    "celu": ((-1, 1e4), (0, 1)),
    "gelu": ((0, 1e4), (0, 1)),
    "erf": ((-1, 1), (0, 0)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("name", LIMITS)
def test_extreme_scores(name: str, dtype: str, device: str) -> None:
    x = tg.tensor([-1e4, 1e4], dtype=dtype, device=device, requires_grad=True)
    y = getattr(tg, name)(x)
    (slope,) = tg.grad(y.sum(), x, create_graph=True)
    (curvature,) = tg.grad(slope.sum(), x, allow_unused=True) if slope.requires_grad else (None,)
    values, slopes = LIMITS[name]
    np.testing.assert_allclose(y.numpy().astype("float64"), values, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(slope.numpy().astype("float64"), slopes, rtol=1e-3, atol=2e-4)
    assert curvature is None or np.isfinite(curvature.numpy()).all()
    assert y.dtype == slope.dtype == dtype


@pytest.mark.parametrize("name", LIMITS)
def test_not_a_number_passes_through(name: str) -> None:
    assert np.isnan(getattr(tg, name)(tg.tensor([math.nan, 1.0])).numpy()).tolist() == [True, False]


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_far_out(approximate: str) -> None:
    x = tg.tensor([-200.0, -50.0, 50.0, 200.0], dtype="float16", requires_grad=True)
    y = tg.gelu(x, approximate)
    y.sum().backward()
    assert y.tolist() == [0, 0, 50, 200]
    assert x.grad.tolist() == [0, 0, 1, 1]


def test_sigmoid_keeps_its_digits_on_both_sides() -> None:
    x = np.linspace(-80, 80, 1001)
    expected = [math.exp(v) / (1 + math.exp(v)) for v in x]
    np.testing.assert_allclose(tg.sigmoid(tg.tensor(x)).numpy(), expected, rtol=1e-15)
    np.testing.assert_allclose(tg.sigmoid(tg.tensor(x.astype("float32"))).numpy(), expected, rtol=1e-5)


@given(st.floats(-7, 7, allow_subnormal=False))
def test_erf_to_the_last_digits(x: float) -> None:
    assert tg.erf(tg.tensor(x, dtype="float64")).item() == pytest.approx(math.erf(x), rel=2e-15, abs=0)
    single = np.float32(x)
    if abs(single) > 1e-30:
        assert tg.erf(tg.tensor(single)).item() == pytest.approx(math.erf(float(single)), rel=5e-7, abs=0)


@given(st.floats(-0.999, 0.999, allow_subnormal=False))
def test_erfinv_undoes_erf(x: float) -> None:
    assert math.erf(tg.erfinv(tg.tensor(x, dtype="float64")).item()) == pytest.approx(x, rel=1e-13, abs=1e-300)


def test_erfinv_at_its_ends() -> None:
    assert tg.erfinv(tg.tensor([-1.0, 0.0, 1.0])).tolist() == [-math.inf, 0, math.inf]
    assert math.isnan(tg.erfinv(tg.tensor(1.5)).item())


def test_a_row_without_a_score_has_no_probabilities(device: str) -> None:
    x = tg.tensor([[-math.inf, -math.inf], [0.0, 0.0]], device=device)
    with np.errstate(invalid="ignore"):
        both = tg.softmax(x).numpy(), tg.log_softmax(x).numpy()
    for out in both:
        assert np.isnan(out[0]).all()
        assert np.isfinite(out[1]).all()


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_sums_to_one_along_its_axis(axis: int) -> None:
    x = tg.tensor(np.random.default_rng(0).normal(size=(3, 4), scale=1e4))
    out = tg.softmax(x, axis)
    assert (out >= 0).all()
    np.testing.assert_allclose(out.sum(axis).numpy(), 1, rtol=1e-12)
    np.testing.assert_allclose(tg.softmin(-x, axis).numpy(), out.numpy())


def test_pytorch_calls_the_axis_dim() -> None:
    x = tg.tensor(np.arange(6.0).reshape(2, 3))
    for function in (tg.nn.functional.softmax, tg.nn.functional.log_softmax, tg.nn.functional.softmin):
        np.testing.assert_array_equal(function(x, dim=0).numpy(), function(x, 0).numpy())
        np.testing.assert_array_equal(function(x).numpy(), function(x, axis=-1).numpy())


INPLACE = {
    "relu": [],
    "relu6": [],
    "selu": [],
    "silu": [],
    "mish": [],
    "hardsigmoid": [],
    "hardswish": [],
    "leaky_relu": [0.2],
    "elu": [2.0],
    "celu": [2.0],
    "hardtanh": [-0.5, 0.5],
    "rrelu": [0.1, 0.3, False],
    "threshold": [0.5, -1.0],
    "dropout": [1.0, True],
    "dropout1d": [1.0, True],
    "dropout2d": [1.0, True],
    "dropout3d": [1.0, True],
}


@pytest.mark.parametrize("name", INPLACE)
def test_pytorchs_inplace_is_taken_and_changes_nothing(name: str) -> None:
    function, options = getattr(tg.nn.functional, name), INPLACE[name]
    shape = (1, 2, *[2] * int(name[-2])) if name[-2:] in ("1d", "2d", "3d") else (4,)
    x = tg.tensor(np.linspace(-2, 2, int(np.prod(shape))).reshape(shape))
    given, wanted = x.tolist(), function(x, *options).tolist()
    assert function(x, *options, inplace=True).tolist() == wanted
    assert function(x, *options, True).tolist() == wanted
    assert x.tolist() == given
    assert "inplace" in str(inspect.signature(function))
    assert "``inplace``" in function.__doc__
    with pytest.raises(TypeError):
        function(x, *options, True, True)


def test_third_derivatives() -> None:
    x = [-2.1, -0.6, 0.4, 1.7]
    for name in ("sigmoid", "log_sigmoid", "softplus", "silu", "mish", "elu", "gelu", "softmax", "log_softmax", "erf"):
        assert_gradients(getattr(tg, name), x, order=3)


def test_prelu_has_a_slope_for_each_channel() -> None:
    x, slopes = tg.tensor(-np.ones((2, 3, 2))), tg.tensor([0.1, 0.2, 0.3], dtype="float64")
    np.testing.assert_allclose(tg.prelu(x, slopes).numpy()[0, :, 0], [-0.1, -0.2, -0.3])
    with pytest.raises(
        ValueError, match=r"one slope, or one for each of the channels .* \(2,\) for x of shape \(2, 3, 2\)"
    ):
        tg.prelu(x, tg.ones(2))


def test_random_slopes_are_drawn_for_each_element_in_training(device: str) -> None:
    x = tg.full((1000,), -2.0, device=device, requires_grad=True)
    tg.manual_seed(0)
    out = tg.rrelu(x, 0.25, 0.5, training=True)
    out.sum().backward()
    slopes = x.grad.numpy()
    np.testing.assert_allclose(out.numpy(), -2 * slopes, rtol=1e-6)
    assert 0.25 <= slopes.min() < 0.26
    assert 0.49 < slopes.max() < 0.5
    assert slopes.mean() == pytest.approx(0.375, abs=0.01)
    tg.manual_seed(0)
    assert tg.rrelu(x, 0.25, 0.5, training=True).tolist() == out.tolist()
    layer = tg.nn.RReLU(0.25, 0.5)
    assert len(set(layer(x).tolist())) > 900
    assert set(layer.eval()(x).tolist()) == {-0.75}


def test_a_threshold_lets_pass_what_is_no_number() -> None:
    assert np.isnan(tg.threshold(tg.tensor([math.nan]), 0.5, 2.0).numpy()).all()


def test_softmax_of_channels() -> None:
    x = tg.tensor(np.random.default_rng(0).normal(size=(2, 3, 4, 5)))
    layer = tg.nn.Softmax2d()
    np.testing.assert_array_equal(layer(x).numpy(), tg.softmax(x, axis=1).numpy())
    np.testing.assert_array_equal(layer(x[0]).numpy(), tg.softmax(x, axis=1).numpy()[0])
    with pytest.raises(ValueError, match=r"\(N, C, H, W\), or \(C, H, W\) for one, got shape \(3, 4\)"):
        layer(tg.ones((3, 4)))


def test_options_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="'none' and 'tanh', not 'erf'"):
        tg.gelu(tg.ones(2), approximate="erf")
    with pytest.raises(ValueError, match="min_val <= max_val, got 1 and 0"):
        tg.hardtanh(tg.ones(2), 1, 0)


@pytest.mark.parametrize("name", [*LIMITS, "softmax", "log_softmax", "softmin", "prelu"])
def test_lists_and_bare_numbers(name: str) -> None:
    function = getattr(tg, name)
    options = [[0.5]] if name == "prelu" else []
    for x in ([-1.0, 0.5, 4.0], [[-1, 2]], 0.5):
        got, wanted = function(x, *options), function(tg.tensor(x), *options)
        assert (got.tolist(), got.dtype) == (wanted.tolist(), wanted.dtype)


def test_softplus_is_the_identity_above_a_negative_threshold() -> None:
    x = tg.tensor([-40.0, -60.0], dtype="float64", requires_grad=True)
    y = tg.softplus(x, beta=2.0, threshold=-100.0)
    y.sum().backward()
    assert y.numpy().round(9).tolist() == [-40, 0]
    assert x.grad.numpy().round(9).tolist() == [1, 0]


def test_softmax_computes_in_another_dtype_where_asked_to() -> None:
    x = tg.tensor([[1.0, 2.0]], requires_grad=True)
    for function in (nn.functional.softmax, nn.functional.log_softmax, nn.functional.softmin):
        wide = function(x, dim=-1, dtype=tg.float64)
        assert wide.dtype == "float64"
        np.testing.assert_allclose(wide.numpy(), function(x.to("float64"), dim=-1).numpy(), rtol=1e-15)
        wide.sum().backward()
        assert x.grad.dtype == "float32"


# -- a random choice -------------------------------------------------------------------------------------------


def test_hard_choices_are_as_frequent_as_softmax_says(device: str) -> None:
    tg.manual_seed(0)
    logits = tg.tensor([0.5, -1.0, 2.0, 0.0], device=device)
    chosen = tg.gumbel_softmax(tg.broadcast_to(logits, (20000, 4)), tau=0.3, hard=True)
    assert {*np.unique(chosen.numpy())} == {0, 1}
    assert (chosen.numpy().sum(axis=1) == 1).all()
    np.testing.assert_allclose(chosen.numpy().mean(axis=0), tg.softmax(logits).numpy(), atol=0.01)


@pytest.mark.parametrize(("shape", "axis"), [((3, 4), 0), ((2, 3, 2), 1), ((), -1), ((0, 3), 1)])
def test_a_hard_choice_has_the_gradient_of_the_soft_one(shape: tuple, axis: int) -> None:
    found = []
    for hard in (False, True):
        tg.manual_seed(0)
        x = tg.tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)
        y = tg.gumbel_softmax(x, 0.5, hard, axis=axis)
        (y * tg.arange(y.size, dtype="float64").reshape(shape)).sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    (soft, slopes), (choice, same) = found
    np.testing.assert_array_equal(slopes, same)
    if soft.ndim:
        np.testing.assert_array_equal(choice, soft == soft.max(axis=axis, keepdims=True, initial=0))
