"""Normalisation: statistics, running averages, derivatives of every order, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import GradientError
from tensorgrad.testing import assert_gradients

RNG = np.random.default_rng(0)


def test_channels_have_mean_0_and_variance_1(device: str) -> None:
    x = tg.tensor(RNG.normal(3, 5, (8, 3, 4, 4)), device=device)
    y = tg.batch_norm(x, training=True, eps=0).numpy()
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var((0, 2, 3)), 1)


def test_running_statistics_follow_the_batch(device: str) -> None:
    data = RNG.normal(3, 5, (4, 2, 3))
    mean, var = tg.zeros(2, dtype="float64", device=device), tg.ones(2, dtype="float64", device=device)
    tg.batch_norm(tg.tensor(data, device=device), mean, var, training=True, momentum=0.25)
    np.testing.assert_allclose(mean.numpy(), 0.25 * data.mean((0, 2)))
    np.testing.assert_allclose(var.numpy(), 0.75 + 0.25 * data.var((0, 2), ddof=1))
    assert mean.version == var.version == 1
    tg.batch_norm(tg.tensor(data, device=device), mean, var, training=False)
    assert mean.version == 1


def test_evaluation_uses_the_running_statistics_and_has_gradients() -> None:
    mean, var = np.array([1.0, -2.0]), np.array([4.0, 0.25])
    x = RNG.normal(size=(3, 2))
    y = tg.batch_norm(tg.tensor(x), tg.tensor(mean), tg.tensor(var), eps=0)
    np.testing.assert_allclose(y.numpy(), (x - mean) / np.sqrt(var))
    assert_gradients(lambda x, w, b: tg.batch_norm(x, tg.tensor(mean), tg.tensor(var), w, b), x, mean, var)
    assert_gradients(lambda x, m, v: tg.batch_norm(x, m, v), x, mean, var)


@given(
    shape=st.lists(st.integers(1, 3), max_size=2).map(tuple),
    channels=st.integers(1, 3),
    count=st.integers(2, 3),
    affine=st.booleans(),
)
def test_derivatives_of_batch_normalisation(shape: tuple, channels: int, count: int, affine: bool) -> None:
    rng = np.random.default_rng(1)
    x = rng.permutation(count * channels * int(np.prod(shape))).reshape(count, channels, *shape) * 0.3
    extra = [rng.uniform(0.5, 1.5, channels) for _ in range(2 * affine)]
    assert_gradients(lambda x, *affine: tg.batch_norm(x, None, None, *affine, training=True), x, *extra)


def test_third_derivatives() -> None:
    x = RNG.normal(size=(2, 2, 3))
    assert_gradients(lambda x: tg.batch_norm(x, training=True), x, order=3)
    assert_gradients(lambda x: tg.layer_norm(x, 3), x, order=3)
    assert_gradients(lambda x: tg.group_norm(x, 1), x, order=3)


def test_statistics_of_values_far_from_zero() -> None:
    x = RNG.normal(1000, 1, (64, 2)).astype("float32")
    y = tg.batch_norm(tg.tensor(x), training=True).numpy()
    exact = (x - x.mean(0, dtype="float64")) / np.sqrt(x.var(0, dtype="float64") + 1e-5)
    np.testing.assert_allclose(y, exact, atol=2e-3)


def test_half_precision_has_single_precision_statistics(device: str) -> None:
    x = tg.tensor(RNG.normal(0, 200, (16, 2, 8, 8)).astype("float16"), device=device, requires_grad=True)
    mean, var = tg.zeros(2, device=device), tg.ones(2, device=device)
    y = tg.batch_norm(x, mean, var, training=True)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == "float16"
    assert np.isfinite(y.numpy()).all()
    np.testing.assert_allclose(var.numpy(), 0.9 + 0.1 * x.numpy().astype("float64").var((0, 2, 3), ddof=1), rtol=1e-3)
    assert tg.batch_norm(x, mean, var).dtype == "float16"
    assert tg.layer_norm(x, (8, 8)).dtype == "float16"


def test_a_channel_that_does_not_vary() -> None:
    x = tg.tensor(np.full((4, 1), 7.0), requires_grad=True)
    y = tg.batch_norm(x, training=True)
    y.backward(tg.tensor(np.arange(4.0).reshape(4, 1)))
    assert y.tolist() == [[0]] * 4
    assert np.isfinite(x.grad.numpy()).all()


def test_a_weight_that_changes_before_backward() -> None:
    x, weight = tg.tensor(RNG.normal(size=(3, 2)), requires_grad=True), tg.ones(2, dtype="float64")
    loss = tg.batch_norm(x, None, None, weight, training=True).sum()
    weight += 1
    with pytest.raises(GradientError, match="changed in place"):
        loss.backward()


def test_samples_and_groups_are_normalised_by_themselves() -> None:
    x = RNG.normal(size=(2, 4, 3))
    by_layer = tg.layer_norm(tg.tensor(x), (4, 3), eps=0).numpy()
    np.testing.assert_allclose(by_layer, (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True))
    np.testing.assert_allclose(tg.group_norm(tg.tensor(x), 1, eps=0).numpy(), by_layer)
    by_channel = (x - x.mean(2, keepdims=True)) / x.std(2, keepdims=True)
    np.testing.assert_allclose(tg.group_norm(tg.tensor(x), 4, eps=0).numpy(), by_channel)
    np.testing.assert_allclose(tg.instance_norm(tg.tensor(x), eps=0).numpy(), by_channel)


def test_nothing_to_normalise() -> None:
    assert tg.layer_norm(tg.ones((0, 3)), 3).shape == (0, 3)
    assert tg.group_norm(tg.ones((0, 4)), 2).shape == (0, 4)
    assert tg.batch_norm(tg.ones((0, 4)), tg.zeros(4), tg.ones(4)).shape == (0, 4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tg.batch_norm(tg.ones(3), training=True), r"\(N, C, ...\), got shape \(3,\)"),
        (lambda: tg.batch_norm(tg.ones((1, 3)), training=True), "more than one value per channel"),
        (lambda: tg.batch_norm(tg.ones((2, 3))), "needs running_mean and running_var, or training=True"),
        (lambda: tg.batch_norm(tg.ones((2, 3)), tg.ones(2)), r"3 channels .* running_mean of shape \(3,\), got \(2,\)"),
        (lambda: tg.layer_norm(tg.ones((2, 3)), 2), r"over \(2,\) does not go with a input of shape \(2, 3\)"),
        (lambda: tg.layer_norm(tg.ones((2, 3)), 3, tg.ones(2)), r"a weight of shape \(2,\)"),
        (lambda: tg.group_norm(tg.ones((2, 3)), 2), r"C a multiple of 2; got shape \(2, 3\)"),
        (lambda: tg.group_norm(tg.ones((2, 4)), 2, tg.ones(2)), r"weight of shape \(4,\), got \(2,\)"),
        (lambda: tg.instance_norm(tg.ones((2, 3, 1))), "more than one value per channel"),
    ],
)
def test_what_is_refused(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: tg.batch_norm(x, training=True),
        lambda x: tg.batch_norm(x, tg.zeros(2), tg.ones(2)),
        lambda x: tg.layer_norm(x, 2),
        lambda x: tg.group_norm(x, 2),
        lambda x: tg.instance_norm(x),
        lambda x: tg.instance_norm(x, tg.zeros(2), tg.ones(2), use_input_stats=False),
    ],
)
def test_integers_are_refused(call) -> None:
    x = tg.arange(8).reshape(2, 2, 2)
    with pytest.raises(TypeError, match=r"_norm\(\) takes floating point numbers, got dtype int64: .*to\('float32'\)"):
        call(x)
    assert call(x.to("float32")).dtype == "float32"


def test_lists_are_taken() -> None:
    x = [[1.0, 5.0], [3.0, 7.0]]
    assert tg.batch_norm(x, None, None, [2.0, 1.0], [0.0, 1.0], training=True, eps=0).tolist() == [[-2, 0], [2, 2]]
    assert tg.batch_norm(x, [1.0, 5.0], [1.0, 4.0], eps=0).tolist() == [[0, 0], [2, 1]]
    assert tg.layer_norm(x, 2, [1.0, 2.0], [0.0, 1.0], eps=0).tolist() == [[-1, 3], [-1, 3]]
    assert tg.group_norm(x, 1, [1.0, 2.0], [0.0, 1.0], eps=0).tolist() == [[-1, 3], [-1, 3]]
    assert tg.instance_norm([x], weight=[1.0, 2.0], bias=[0.0, 1.0], eps=0).tolist() == [[[-1, 1], [-1, 3]]]
    with pytest.raises(TypeError, match="running_mean is changed in place: give a Tensor or an array, not list"):
        tg.batch_norm(x, [0.0, 0.0], training=True)


def test_lists_take_dtype_and_device(device: str) -> None:
    x = tg.ones((2, 2, 3), dtype="float64", device=device)
    for y in (
        tg.batch_norm(x, [1.0, 1.0], [1.0, 1.0], [0.1, 0.1], [0.1, 0.1]),
        tg.layer_norm(x, 3, [0.1] * 3, [0.1] * 3),
        tg.group_norm(x, 1, [0.1, 0.1], [0.1, 0.1]),
        tg.instance_norm(x, weight=[0.1, 0.1], bias=[0.1, 0.1]),
        tg.prelu(-x, [0.1, 0.1]) + 0.2,
    ):
        assert (y.dtype, y.device) == ("float64", device)
        np.testing.assert_allclose(y.numpy(), 0.1, rtol=1e-15)


@pytest.mark.parametrize("function", [tg.batch_norm, tg.instance_norm])
def test_training_between_evaluation_and_its_backward(function) -> None:
    x = tg.tensor(RNG.normal(size=(4, 2, 3)))
    mean, var = tg.tensor([1.0, 2.0], dtype="float64"), tg.ones(2, dtype="float64")
    weight = tg.ones(2, dtype="float64", requires_grad=True)
    mode = "training" if function is tg.batch_norm else "use_input_stats"
    y = function(x, mean, var, weight, [0.0, 0.0], eps=0, **{mode: False})
    wanted = (x.numpy() - mean.numpy().reshape(2, 1)).sum((0, 2))
    function(x, mean, var, weight, **{mode: True})
    y.sum().backward()
    np.testing.assert_allclose(weight.grad.numpy(), wanted)


def test_running_statistics_of_samples(device: str) -> None:
    data = RNG.normal(3, 5, (4, 2, 3))
    x = tg.tensor(data, device=device)
    mean, var = tg.zeros(2, dtype="float64", device=device), tg.ones(2, dtype="float64", device=device)
    y = tg.instance_norm(x, mean, var, momentum=0.25)
    np.testing.assert_array_equal(y.numpy(), tg.instance_norm(x).numpy())
    np.testing.assert_allclose(mean.numpy(), 0.25 * data.mean((0, 2)))
    np.testing.assert_allclose(var.numpy(), 0.75 + 0.25 * data.var(2, ddof=1).mean(0))
    assert mean.version == var.version == 1
    by_running = tg.instance_norm(x, mean, var, use_input_stats=False)
    np.testing.assert_array_equal(by_running.numpy(), tg.batch_norm(x, mean, var).numpy())
    with pytest.raises(ValueError, match="needs running_mean and running_var, or use_input_stats=True"):
        tg.instance_norm(x, mean, use_input_stats=False)
    with pytest.raises(ValueError, match=r"needs a running_var of shape \(2,\), got \(3,\)"):
        tg.instance_norm(x, mean, tg.ones(3))


def test_bad_input_changes_no_statistics() -> None:
    mean, var = tg.zeros(3), tg.ones(3)
    with pytest.raises(ValueError, match="one value per channel"):
        tg.batch_norm(tg.ones((1, 3)), mean, var, training=True)
    assert mean.version == var.version == 0


def test_an_empty_batch_changes_no_statistics():
    layer = tg.nn.BatchNorm2d(3)
    x = tg.zeros((0, 3, 2, 2), requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == (0, 3, 2, 2)
    assert layer.weight.grad.tolist() == [0, 0, 0]
    assert layer.running_mean.tolist() == [0, 0, 0]
    assert layer.running_var.tolist() == [1, 1, 1]
    assert tg.nn.BatchNorm1d(3)(tg.ones((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "layer",
    [
        tg.nn.BatchNorm2d(4, bias=False),
        tg.nn.InstanceNorm2d(4, affine=True, bias=False),
        tg.nn.GroupNorm(2, 4, bias=False),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_bias_can_be_left_out(layer):
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer.bias is None
    assert not layer(tg.ones((3, 4, 2, 2))).numpy().any()


def test_the_running_variance_is_unbiased_unless_it_is_asked_to_be_biased():
    x = tg.tensor([[1.0], [3.0]])
    for correction, wanted in ((1, 2.0), (0, 1.0)):
        variance = tg.zeros(1)
        tg.batch_norm(x, tg.zeros(1), variance, training=True, momentum=1.0, correction=correction)
        assert variance.item() == wanted
    variance = tg.ones(1)
    tg.batch_norm(x[:1], None, None, training=True, correction=0)
    tg.batch_norm(x[:1], tg.zeros(1), variance, training=True, momentum=1.0, correction=0)
    assert variance.item() == 0
