"""The softmax over very many classes, against its definition."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import assert_gradients

RNG = np.random.default_rng(0)
CUTOFFS = [3, 5, 9]
TARGET = np.array([0, 8, 3, 11, 2, 5, 4])


def make(**options):
    tg.manual_seed(0)
    return nn.AdaptiveLogSoftmaxWithLoss(8, 12, CUTOFFS, div_value=2.0, **options, dtype="float64")


def log_probabilities(layer, x):
    """Of all classes: those of the head, and for each in a cluster its own there times that of the cluster."""

    def log_softmax(scores):
        return scores - np.log(np.exp(scores).sum(-1, keepdims=True))

    bias = 0 if layer.head.bias is None else layer.head.bias.numpy()
    head = log_softmax(x @ layer.head.weight.numpy().T + bias)
    parts = [head[:, :3]]
    for i, (first, second) in enumerate(layer.tail):
        within = log_softmax(x @ first.weight.numpy().T @ second.weight.numpy().T)
        parts.append(within + head[:, 3 + i, None])
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("head_bias", [False, True])
def test_probabilities_and_loss(head_bias: bool, device: str) -> None:
    layer, x = make(head_bias=head_bias), RNG.normal(size=(7, 8))
    expected = log_probabilities(layer, x)
    np.testing.assert_allclose(np.exp(expected).sum(1), 1)
    layer.to(device)
    given = tg.tensor(x, device=device)
    np.testing.assert_allclose(layer.log_prob(given).detach().numpy(), expected)
    output, loss = layer(given, tg.tensor(TARGET, device=device))
    np.testing.assert_allclose(output.detach().numpy(), expected[np.arange(7), TARGET])
    assert loss.item() == pytest.approx(-expected[np.arange(7), TARGET].mean())
    many = RNG.normal(size=(100, 8)) * 5
    predicted = layer.predict(tg.tensor(many, device=device))
    assert predicted.tolist() == layer.log_prob(tg.tensor(many, device=device)).argmax(axis=1).tolist()
    assert {*predicted.tolist()} & {*range(3)}
    assert {*predicted.tolist()} & {*range(3, 12)}


def test_a_single_sample() -> None:
    layer, x = make(), RNG.normal(size=8)
    for target in (1, 10):
        output, loss = layer(x, target)
        assert output.shape == loss.shape == ()
        assert output.item() == -loss.item() == layer(x[None], [target]).output.item()
    assert layer.log_prob(x).shape == (12,)
    assert layer.predict(x).item() == layer.log_prob(x).argmax().item()


def test_gradients() -> None:
    layer = make(head_bias=True)
    assert_gradients(lambda x: layer(x, TARGET[:4]).loss, RNG.normal(size=(4, 8)), order=1)
    assert_gradients(layer.log_prob, RNG.normal(size=(2, 8)), order=1)


def test_only_clusters_that_are_needed_are_computed() -> None:
    layer, x = make(), RNG.normal(size=(2, 8))
    seen = []
    for i, cluster in enumerate(layer.tail):
        cluster.register_forward_hook(lambda module, args, output, i=i: seen.append((i, len(output))))
    layer(x, [0, 2])
    assert seen == []
    layer(x, [9, 4])
    assert seen == [(0, 1), (2, 1)]


def test_names_and_first_values() -> None:
    layer = make(head_bias=True)
    assert {name: tuple(value.shape) for name, value in layer.state_dict().items()} == {
        "head.weight": (6, 8),
        "head.bias": (6,),
        "tail.0.0.weight": (4, 8),
        "tail.0.1.weight": (2, 4),
        "tail.1.0.weight": (2, 8),
        "tail.1.1.weight": (4, 2),
        "tail.2.0.weight": (1, 8),
        "tail.2.1.weight": (3, 1),
    }
    before = {name: value.tolist() for name, value in layer.state_dict().items()}
    layer.reset_parameters()
    assert all(value.tolist() != before[name] for name, value in layer.state_dict().items())


@pytest.mark.parametrize("cutoffs", [[], [0, 3], [5, 3], [3, 3], [12], [2.5]])
def test_cutoffs_that_do_not_rise(cutoffs: list) -> None:
    with pytest.raises(ValueError, match="rise from 1 on to below n_classes=12, got"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs)


@pytest.mark.parametrize(
    ("x", "target", "error", "words"),
    [
        (np.ones((2, 7)), [0, 1], ValueError, r"takes an input of shape \(N, 8\) or \(8,\), got \(2, 7\)"),
        (np.ones((2, 8)), [0, 1, 2], ValueError, r"a class for each sample: \(2, 8\), \(3,\)"),
        (np.ones((2, 8)), [0.0, 1.0], TypeError, "classes as integers, got dtype float32"),
        (np.ones((2, 8)), [0, 12], IndexError, "has the classes 0 to 11, got 0 to 12"),
        (np.ones((2, 8)), [-1, 3], IndexError, "got -1 to 3"),
    ],
)
def test_what_does_not_go_together(x, target, error, words: str) -> None:
    with pytest.raises(error, match=words):
        make()(x, target)
