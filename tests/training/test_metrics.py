"""Metrics: whatever the batches, the figure is that of all samples; and what that is, told in another way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.training import metrics as M

RNG = np.random.default_rng(0)
SCORES, CLASSES = RNG.normal(size=(50, 4)), RNG.integers(0, 4, 50)
NUMBERS, TARGETS = RNG.normal(size=50), RNG.normal(size=50) + 100
CASES = {
    "accuracy": (M.Accuracy, SCORES, CLASSES),
    "binary accuracy": (lambda: M.BinaryAccuracy(0.0), NUMBERS, CLASSES % 2),
    "top 2": (lambda: M.TopKAccuracy(2), SCORES, CLASSES),
    "confusion matrix": (lambda: M.ConfusionMatrix(4), SCORES, CLASSES),
    **{
        f"{kind.__name__} {average}": (lambda kind=kind, average=average: kind(5, average), SCORES, CLASSES)
        for kind in (M.Precision, M.Recall, M.F1Score)
        for average in ("macro", "micro", "weighted", None)
    },
    "area": (M.AUC, NUMBERS.round(1), CLASSES % 2),
    "squared error": (M.MeanSquaredError, NUMBERS, TARGETS),
    "absolute error": (M.MeanAbsoluteError, NUMBERS, TARGETS),
    "determination": (M.R2Score, TARGETS + NUMBERS, TARGETS),
    "determination of several": (M.R2Score, SCORES, SCORES[::-1]),
}


@pytest.mark.parametrize("name", CASES)
@given(cuts=st.lists(st.integers(0, 50), max_size=5))
def test_batches_of_any_sizes(name: str, cuts: list[int]) -> None:
    make, output, target = CASES[name]
    whole, parts = make(), make()
    whole.update(output, target)
    for one, other in zip(np.split(output, sorted(cuts)), np.split(target, sorted(cuts)), strict=True):
        parts.update(tg.tensor(one), tg.tensor(other))
    np.testing.assert_allclose(parts.compute(), whole.compute(), rtol=1e-10)
    parts.reset()
    parts.update(output, target)
    np.testing.assert_array_equal(parts.compute(), whole.compute())


def test_what_is_right_and_what_is_not() -> None:
    predicted = SCORES.argmax(axis=1)
    for output, target in (
        (SCORES, CLASSES),
        (predicted, CLASSES),
        (SCORES, np.eye(4)[CLASSES]),
        (SCORES.reshape(5, 10, 4).transpose(0, 2, 1), CLASSES.reshape(5, 10)),
        (tg.tensor(SCORES.astype("float32")), tg.tensor(CLASSES)),
    ):
        metric = M.Accuracy()
        metric.update(output, target)
        assert metric.compute() == (predicted == CLASSES).mean()
    metric = M.TopKAccuracy(3)
    metric.update(SCORES, CLASSES)
    assert metric.compute() == np.mean([y in np.argsort(-row)[:3] for row, y in zip(SCORES, CLASSES, strict=True)])
    metric = M.TopKAccuracy(1)
    metric.update(np.zeros((3, 2)), [0, 0, 1])
    assert metric.compute() == pytest.approx(2 / 3)


def test_class_by_class() -> None:
    predicted = SCORES.argmax(axis=1)
    matrix = M.ConfusionMatrix(4)
    matrix.update(SCORES, CLASSES)
    assert matrix.compute().tolist() == [
        [int(((i == CLASSES) & (predicted == j)).sum()) for j in range(4)] for i in range(4)
    ]
    figures = {}
    for kind in (M.Precision, M.Recall, M.F1Score):
        metric = kind(4, average=None)
        metric.update(SCORES, CLASSES)
        figures[kind.__name__] = metric.compute()
    for c in range(4):
        hits = ((c == CLASSES) & (predicted == c)).sum()
        precision, recall = hits / (predicted == c).sum(), hits / (c == CLASSES).sum()
        expected = {"Precision": precision, "Recall": recall, "F1Score": 2 / (1 / precision + 1 / recall)}
        assert {name: values[c] for name, values in figures.items()} == pytest.approx(expected)


@pytest.mark.parametrize("kind", [M.Precision, M.Recall, M.F1Score])
def test_averages(kind) -> None:
    each = kind(6, average=None)
    each.update(SCORES, CLASSES)
    alone = each.compute()
    assert alone[4:].tolist() == [0, 0]
    counts = np.bincount(CLASSES, minlength=6)
    for average, expected in (
        ("macro", alone[:4].mean()),
        ("weighted", alone @ counts / 50),
        ("micro", (SCORES.argmax(axis=1) == CLASSES).mean()),
    ):
        metric = kind(6, average)
        assert math.isnan(metric.compute())
        metric.update(SCORES, CLASSES)
        assert metric.compute() == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=30))
def test_the_area_is_a_probability(samples: list[tuple[int, bool]]) -> None:
    metric = M.AUC()
    metric.update([float(score) for score, _ in samples], [label for _, label in samples])
    ones, zeros = ([score for score, label in samples if label == kind] for kind in (True, False))
    wins = [(one > zero) + (one == zero) / 2 for one in ones for zero in zeros]
    assert metric.compute() == pytest.approx(np.mean(wins)) if wins else math.isnan(metric.compute())


def test_determination() -> None:
    metric = M.R2Score()
    assert math.isnan(metric.compute())
    metric.update(TARGETS + NUMBERS + 1e8, TARGETS + 1e8)
    expected = 1 - (NUMBERS**2).sum() / ((TARGETS - TARGETS.mean()) ** 2).sum()
    assert metric.compute() == pytest.approx(expected, rel=1e-5)
    for output, score in (([2.0, 2.0], 1.0), ([2.0, 3.0], 0.0)):
        metric.reset()
        metric.update(output, [2.0, 2.0])
        assert metric.compute() == score


def test_means_count_as_often_as_their_batch_is_large() -> None:
    loss = M.Mean()
    assert math.isnan(loss.compute())
    for start in range(0, 50, 16):
        batch = NUMBERS[start : start + 16]
        loss.update(tg.tensor(batch.mean()), len(batch))
    assert loss.compute() == pytest.approx(NUMBERS.mean())


def test_names_and_lines() -> None:
    assert [make().name for make, _, _ in list(CASES.values())[:3]] == ["accuracy", "binary_accuracy", "top_k_accuracy"]
    assert (M.R2Score().name, M.AUC().name, M.F1Score(2).name) == ("r2_score", "auc", "f1_score")
    metric = M.Accuracy()
    metric.update([1, 1], [1, 0])
    assert repr(metric) == "Accuracy(0.5)"


@pytest.mark.parametrize(
    ("metric", "output", "target", "words"),
    [
        (M.Accuracy(), np.ones((3, 4)), np.ones(3), r"classes \(N, ...\), got float64\[3, 4\] and float64\[3\]"),
        (M.Accuracy(), np.ones((3, 4)), np.ones(2, int), r"got float64\[3, 4\] and int64\[2\]"),
        (M.BinaryAccuracy(), np.ones(3), np.ones(2), "two arrays of one shape"),
        (M.TopKAccuracy(), np.ones(3), np.ones(3, int), r"scores \(N, C\) and classes \(N,\)"),
        (M.ConfusionMatrix(2), np.array([0, 2]), np.array([0, 1]), "of 2 classes got the class 2"),
        (M.Recall(2), np.array([0, 1]), np.array([0, -1]), "of 2 classes got the class -1"),
        (M.AUC(), np.ones(3), np.ones(2), "scores and labels of one shape"),
        (M.MeanSquaredError(), np.ones((3, 1)), np.ones(3), "an output and a target of one shape"),
        (M.R2Score(), np.ones((1, 1, 1)), np.ones((1, 1, 1)), r"\(N,\) or \(N, D\)"),
    ],
)
def test_what_is_refused(metric, output, target, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        metric.update(output, target)


def test_options_that_make_no_sense() -> None:
    for make, words in (
        (lambda: M.TopKAccuracy(0), "k of 1 or more"),
        (lambda: M.ConfusionMatrix(0), "1 class or more"),
        (lambda: M.Precision(3, "mean"), "'macro', 'micro', 'weighted', None, not 'mean'"),
    ):
        with pytest.raises(ValueError, match=words):
            make()
