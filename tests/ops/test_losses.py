"""Losses: worked examples, extreme scores, all that a target can be, and what is refused."""

from __future__ import annotations

import math
import tracemalloc
import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import assert_gradients
from tests.strict import count_transfers

PAIRS = [
    "mse_loss",
    "half_squared_error",
    "l1_loss",
    "huber_loss",
    "smooth_l1_loss",
    "kl_div",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
]
SCORES = np.random.default_rng(0).normal(size=(3, 4))
CLASSES = np.array([0, 3, 1])
WEIGHT = np.array([0.5, 1.0, 2.0, 4.0])


def log_softmax(x: np.ndarray) -> np.ndarray:
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


# -- pairs of one shape ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIRS)
def test_shapes_are_not_broadcast(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}\(\) needs .* one shape, got \(3, 1\) and \(3,\)"):
        getattr(tg, name)(tg.ones((3, 1)), tg.ones(3))


@pytest.mark.parametrize("name", PAIRS)
def test_an_unknown_reduction(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}\(\) has reduction 'mean', 'sum' or 'none', not 'average'"):
        getattr(tg, name)(tg.ones(3), tg.ones(3), reduction="average")


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_a_target_does_not_widen(name: str, dtype: str) -> None:
    x = tg.tensor([0.2, 0.7], requires_grad=True)
    loss = getattr(tg, name)(x, np.array([1, 0], dtype=dtype))
    loss.backward()
    assert loss.dtype == x.grad.dtype == "float32"


@pytest.mark.parametrize("name", PAIRS)
def test_the_mean_of_nothing(name: str) -> None:
    x = tg.ones((0, 3), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss = getattr(tg, name)(x, tg.ones((0, 3)), reduction="mean")
        loss.backward()
    assert math.isnan(loss.item())
    assert x.grad.shape == (0, 3)


def test_squared_errors() -> None:
    output, target = tg.tensor([0.2, 0.4, 0.1, 0.3], requires_grad=True), tg.tensor([0.0, 0.0, 1.0, 0.0])
    total = tg.half_squared_error(output, target)
    assert total.item() == pytest.approx(0.55)
    assert tg.mse_loss(output, target).item() == pytest.approx(1.1 / 4)
    assert tg.half_squared_error(tg.tensor([0.1, 0.1, 0.7, 0.1]), target).item() == pytest.approx(0.06)
    total.backward()
    np.testing.assert_allclose(output.grad.numpy(), [0.2, 0.4, -0.9, 0.3], rtol=1e-6)


def test_a_parabola_and_a_line() -> None:
    x, zero = tg.tensor([-3.0, -1.0, 0.5, 2.0], requires_grad=True), tg.zeros(4)
    assert tg.huber_loss(x, zero, "none", delta=1.0).tolist() == [2.5, 0.5, 0.125, 1.5]
    assert tg.smooth_l1_loss(x, zero, "none", beta=2.0).tolist() == [2, 0.25, 0.0625, 1]
    assert tg.smooth_l1_loss(x, zero, "none", beta=0).tolist() == [3, 1, 0.5, 2]
    tg.huber_loss(x, zero, "sum").backward()
    assert x.grad.tolist() == [-1, -1, 0.5, 1]
    for bad, words in (
        (lambda: tg.huber_loss(x, zero, delta=0), "above 0"),
        (lambda: tg.smooth_l1_loss(x, zero, beta=-1), "0 or more"),
    ):
        with pytest.raises(ValueError, match=words):
            bad()


def test_divergence_where_a_target_is_zero() -> None:
    q = tg.tensor([[0.5, 0.5]], requires_grad=True)
    loss = tg.kl_div(tg.log(q), tg.tensor([[0.0, 1.0]]), reduction="batchmean")
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert q.grad.tolist() == [[0, -2]]


# -- two classes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_binary_cross_entropy_of_certainties(dtype: str, device: str) -> None:
    x = tg.tensor([0.0, 0.0, 1.0, 1.0], dtype=dtype, device=device, requires_grad=True)
    loss = tg.binary_cross_entropy(x, tg.tensor([0.0, 1.0, 0.0, 1.0], device=device), reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [0, 100, 100, 0]
    assert not np.isnan(x.grad.numpy()).any()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_binary_cross_entropy_of_extreme_scores(dtype: str, device: str) -> None:
    x = tg.tensor([-1e4, -1e4, 1e4, 1e4, 0.0], dtype=dtype, device=device, requires_grad=True)
    target = tg.tensor([0.0, 1.0, 0.0, 1.0, 0.5], device=device)
    for pos_weight in (None, tg.tensor(1.0, device=device)):
        x.grad = None
        loss = tg.binary_cross_entropy_with_logits(x, target, reduction="none", pos_weight=pos_weight)
        loss.sum().backward()
        np.testing.assert_allclose(loss.numpy().astype("float64"), [0, 1e4, 1e4, 0, math.log(2)], rtol=1e-3)
        assert x.grad.tolist() == [0, -1, 1, 0, 0]


def test_binary_cross_entropy_of_scores_and_of_probabilities_agree() -> None:
    x, target = tg.tensor(SCORES), tg.tensor(np.random.default_rng(1).uniform(size=SCORES.shape))
    for options in ({}, {"weight": tg.tensor(WEIGHT)}, {"reduction": "sum"}, {"reduction": "none"}):
        by_scores = tg.binary_cross_entropy_with_logits(x, target, **options)
        by_probabilities = tg.binary_cross_entropy(tg.sigmoid(x), target, **options)
        np.testing.assert_allclose(by_scores.numpy(), by_probabilities.numpy(), rtol=1e-12)


def test_binary_cross_entropy_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="takes probabilities, from 0 to 1"):
        tg.binary_cross_entropy(tg.tensor([1.5]), tg.ones(1))
    for name in ("weight", "pos_weight"):
        with pytest.raises(ValueError, match=rf"{name} of shape \(2,\) does not broadcast to the input's \(3, 4\)"):
            tg.binary_cross_entropy_with_logits(tg.tensor(SCORES), tg.tensor(SCORES), **{name: tg.ones(2)})


# -- many classes ----------------------------------------------------------------------------------------------


def test_cross_entropy_is_the_log_probability_of_the_right_class() -> None:
    expected = -log_softmax(SCORES)[np.arange(3), CLASSES]
    for reduction, value in (("none", expected), ("sum", expected.sum()), ("mean", expected.mean())):
        found = tg.cross_entropy(tg.tensor(SCORES), tg.tensor(CLASSES), reduction=reduction)
        np.testing.assert_allclose(found.numpy(), value)
        again = tg.nll_loss(tg.log_softmax(tg.tensor(SCORES)), tg.tensor(CLASSES), reduction=reduction)
        np.testing.assert_allclose(again.numpy(), value)


def test_scores_and_classes_in_another_memory_order(device: str) -> None:
    scores = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) % 7 / 7
    classes = np.arange(2 * 4 * 5).reshape(2, 4, 5) % 3
    x = tg.tensor(scores, requires_grad=True, device=device)
    tg.cross_entropy(x, tg.tensor(classes, device=device)).backward()
    turned = tg.tensor(scores, requires_grad=True, device=device)
    target = tg.permute_dims(tg.tensor(classes, device=device), (0, 2, 1))
    tg.cross_entropy(tg.permute_dims(turned, (0, 1, 3, 2)), target).backward()
    np.testing.assert_allclose(turned.grad.numpy(), x.grad.numpy(), rtol=1e-12)


def test_scores_that_are_whole_numbers() -> None:
    loss = tg.cross_entropy(tg.tensor([[1, 2], [3, 4]]), tg.tensor([0, 1]))
    assert loss.dtype == "float64"
    assert loss.item() == pytest.approx((math.log(1 + math.e) + math.log(1 + 1 / math.e)) / 2)


def test_without_gradients_the_exponentials_are_not_kept() -> None:
    x, target = tg.zeros((2000, 1000), requires_grad=True), tg.zeros(2000, dtype="int64")
    before = tg.get_num_threads()
    tg.set_num_threads(1)
    try:
        with tg.no_grad():
            tg.cross_entropy(x, target)
            tracemalloc.start()
            tg.cross_entropy(x, target)
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        tg.set_num_threads(before)
    assert peak < x.data.nbytes / 2


def test_the_mean_is_by_the_weights_of_the_classes() -> None:
    losses = -log_softmax(SCORES)[np.arange(3), CLASSES] * WEIGHT[CLASSES]
    found = tg.cross_entropy(tg.tensor(SCORES), tg.tensor(CLASSES), tg.tensor(WEIGHT))
    assert found.item() == pytest.approx(losses.sum() / WEIGHT[CLASSES].sum())


@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])
def test_classes_of_any_integer_dtype(dtype: str) -> None:
    found = tg.cross_entropy(tg.tensor(SCORES), tg.tensor(CLASSES.astype(dtype)))
    assert found.item() == tg.cross_entropy(tg.tensor(SCORES), tg.tensor(CLASSES)).item()


@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_classes_and_one_hot_vectors_agree(smoothing: float, weight: np.ndarray | None) -> None:
    x, weight = tg.tensor(SCORES), None if weight is None else tg.tensor(weight)
    one_hot = tg.one_hot(tg.tensor(CLASSES), 4)
    by_class, by_vector = (
        tg.cross_entropy(x, target, weight, reduction="none", label_smoothing=smoothing)
        for target in (tg.tensor(CLASSES), one_hot)
    )
    np.testing.assert_allclose(by_class.numpy(), by_vector.numpy())


def test_images_and_single_samples() -> None:
    image = np.random.default_rng(0).normal(size=(2, 4, 3, 5))
    classes = np.random.default_rng(1).integers(0, 4, (2, 3, 5))
    rows = np.moveaxis(image, 1, -1).reshape(-1, 4)
    found = tg.cross_entropy(tg.tensor(image), tg.tensor(classes), reduction="none")
    expected = tg.cross_entropy(tg.tensor(rows), tg.tensor(classes.reshape(-1)), reduction="none")
    np.testing.assert_allclose(found.numpy(), expected.numpy().reshape(classes.shape))
    single = tg.cross_entropy(tg.tensor(SCORES[0]), tg.tensor(2), reduction="none")
    assert single.shape == ()
    assert single.item() == pytest.approx(-log_softmax(SCORES)[0, 2])
    soft = tg.cross_entropy(tg.tensor(SCORES[0]), tg.tensor([0.0, 0.0, 1.0, 0.0]))
    assert soft.item() == pytest.approx(single.item())


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_cross_entropy_of_extreme_scores(dtype: str, device: str) -> None:
    scores = [[1e4, -1e4, 0.0], [1e4, 1e4, -1e4], [-1e4, -1e4, -1e4]]
    x = tg.tensor(scores, dtype=dtype, device=device, requires_grad=True)
    loss = tg.cross_entropy(x, tg.tensor([2, 1, 0], device=device), reduction="none")
    loss.sum().backward()
    np.testing.assert_allclose(loss.numpy().astype("float64"), [1e4, math.log(2), math.log(3)], rtol=1e-3)
    np.testing.assert_allclose(
        x.grad.numpy().astype("float64"), [[1, 0, -1], [0.5, -0.5, 0], [-2 / 3, 1 / 3, 1 / 3]], atol=1e-3
    )


def test_close_scores_far_from_zero_keep_their_digits() -> None:
    x = tg.tensor([[10000.0, 9999.0]])
    assert tg.cross_entropy(x, tg.tensor([0])).item() == pytest.approx(math.log1p(math.exp(-1)), rel=1e-6)


@pytest.mark.parametrize("ignored", [-100, -1, 3, 255])
@pytest.mark.parametrize("function", [tg.cross_entropy, tg.nll_loss])
def test_ignored_classes_do_not_count(function, ignored: int, device: str) -> None:
    x = tg.tensor(SCORES, device=device, requires_grad=True)
    target = tg.tensor([0, ignored, 1], device=device)
    loss = function(x, target, ignore_index=ignored)
    loss.backward()
    rest = function(tg.tensor(SCORES[[0, 2]], device=device), tg.tensor([0, 1], device=device))
    assert loss.item() == pytest.approx(rest.item())
    assert x.grad.tolist()[1] == [0] * 4
    assert function(x, target, ignore_index=ignored, reduction="none").tolist()[1] == 0


def test_all_targets_ignored_have_no_gradient() -> None:
    for options in ({}, {"label_smoothing": 0.1}, {"weight": tg.ones(3)}):
        x = tg.zeros((2, 3), requires_grad=True)
        loss = tg.cross_entropy(x, tg.tensor([1, 1]), ignore_index=1, **options)
        loss.backward()
        assert np.isnan(loss.item())
        assert x.grad.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_probabilities_below_zero_have_no_divergence() -> None:
    with np.errstate(invalid="ignore"):
        assert np.isnan(tg.kl_div(tg.tensor([-1.0]), tg.tensor([-0.5])).item())


def test_all_targets_ignored() -> None:
    with np.errstate(invalid="ignore"):
        assert math.isnan(tg.cross_entropy(tg.tensor(SCORES), tg.tensor([-100] * 3)).item())
    assert tg.cross_entropy(tg.tensor(SCORES), tg.tensor([-100] * 3), reduction="sum").item() == 0


@pytest.mark.parametrize("wrong", [4, -1, 70])
def test_a_class_that_is_not_there(wrong: int) -> None:
    for function in (tg.cross_entropy, tg.nll_loss):
        with pytest.raises(IndexError, match=rf"the target holds the class {wrong}, but .* \(3, 4\) has 4 classes"):
            function(tg.tensor(SCORES), tg.tensor([0, wrong, 1]))
        # Elsewhere looking would mean waiting for the device.
        there = function(
            tg.tensor(SCORES, device="strict"), tg.tensor([0, wrong, 1], device="strict"), reduction="none"
        )
        assert np.isnan(there.numpy()).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("scores", "target", "options", "error", "words"),
    [
        ((3, 4), np.zeros(2, int), {}, ValueError, r"input of shape \(3, 4\) and a target of shape \(2,\)"),
        ((), np.zeros((), int), {}, ValueError, r"input of shape \(\)"),
        ((3, 4), np.zeros(3), {}, TypeError, "takes classes as integers, got a target .* dtype float64"),
        ((3, 4), np.zeros((3, 5)), {}, ValueError, r"target of shape \(3, 5\)"),
        ((3, 4), CLASSES, {"weight": np.ones(3)}, ValueError, r"a weight for each of the 4 classes, got shape \(3,\)"),
        ((3, 4), CLASSES, {"label_smoothing": 1.5}, ValueError, "label_smoothing from 0 to 1, got 1.5"),
        ((3, 4), CLASSES, {"reduction": "all"}, ValueError, "not 'all'"),
    ],
)
def test_what_cross_entropy_refuses(scores, target, options, error, words) -> None:
    with pytest.raises(error, match=words):
        tg.cross_entropy(tg.ones(scores), target, **options)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_gradients_by_targets_and_weights(reduction: str) -> None:
    options = {"reduction": reduction, "label_smoothing": 0.2}
    soft, some = np.random.default_rng(2).uniform(size=SCORES.shape), np.array([0, -100, 3])
    assert_gradients(lambda x, t, w: tg.cross_entropy(x, t, w, **options), SCORES, soft, WEIGHT)
    assert_gradients(lambda x, w: tg.cross_entropy(x, CLASSES, w, **options), SCORES, WEIGHT)
    assert_gradients(lambda x, w: tg.nll_loss(x, some, w, reduction=reduction), SCORES, WEIGHT)
    assert_gradients(lambda x: tg.cross_entropy(x, CLASSES, reduction=reduction), SCORES, order=3)


def test_one_hot_vectors() -> None:
    assert tg.one_hot(tg.tensor([[2], [0]])).tolist() == [[[0, 0, 1]], [[1, 0, 0]]]
    assert tg.one_hot(tg.tensor(1), 3).tolist() == [0, 1, 0]
    assert tg.one_hot(np.zeros(0, "int32"), 5).shape == (0, 5)
    for x, count, error, words in (
        ([3], 3, ValueError, "3 classes takes integers from 0 to 2, got 3 to 3"),
        ([-1, 1], None, ValueError, "got -1 to 1"),
        (np.zeros(0, int), None, ValueError, "needs to be told num_classes"),
        ([1.0], 3, TypeError, "takes integers, got dtype float32"),
    ):
        with pytest.raises(error, match=words):
            tg.one_hot(x, count)


@pytest.mark.parametrize("name", PAIRS[:-2])
def test_losses_on_a_device_do_not_wait_for_it(name: str) -> None:
    x, target = (tg.tensor(np.full((2, 3), 0.5), device="strict", requires_grad=rg) for rg in (True, False))
    with count_transfers() as count:
        getattr(tg, name)(x, target).backward()
    assert count.to_host == {}
