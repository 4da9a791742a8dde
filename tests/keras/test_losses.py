"""Losses and metrics give what Keras's formulas say, which are written here in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import training
from tensorgrad.keras import losses, metrics, ops

RNG = np.random.default_rng(1)
P = RNG.random((6, 4)) + 0.05
P /= P.sum(1, keepdims=True)
ONE_HOT = np.eye(4)[[0, 3, 1, 1, 2, 0]]
CLASSES = ONE_HOT.argmax(1)
SCORES = RNG.standard_normal((6, 4)) * 3
GAP = SCORES - ONE_HOT
LABELS = np.array([[1.0], [0.0], [1.0], [1.0], [0.0], [0.0]])
Q = RNG.random((6, 1))
EPS = 1e-7


def kept(p):
    return np.clip(p, EPS, 1 - EPS)


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


FORMULAS = [
    (losses.mean_squared_error, ONE_HOT, P, ((ONE_HOT - P) ** 2).mean(-1)),
    (losses.mean_absolute_error, ONE_HOT, P, np.abs(ONE_HOT - P).mean(-1)),
    (losses.mean_absolute_percentage_error, P, SCORES, 100 * np.abs((P - SCORES) / P).mean(-1)),
    (losses.mean_squared_logarithmic_error, P, Q * P, ((np.log1p(P) - np.log1p(Q * P)) ** 2).mean(-1)),
    (losses.binary_crossentropy, LABELS, Q, -np.log(np.where(LABELS == 1, Q, 1 - Q))[:, 0]),
    (losses.categorical_crossentropy, ONE_HOT, 2 * P, -(ONE_HOT * np.log(P)).sum(-1)),
    (losses.sparse_categorical_crossentropy, CLASSES, P, -np.log(P[np.arange(6), CLASSES])),
    (losses.sparse_categorical_crossentropy, CLASSES[:, None], P, -np.log(P[np.arange(6), CLASSES])),
    (losses.huber, ONE_HOT, SCORES, np.where(abs(GAP) < 1, GAP**2 / 2, abs(GAP) - 0.5).mean(-1)),
    (losses.log_cosh, ONE_HOT, SCORES, np.log(np.cosh(GAP)).mean(-1)),
    (losses.poisson, ONE_HOT, P, (P - ONE_HOT * np.log(P + EPS)).mean(-1)),
    (losses.kl_divergence, P[::-1], P, (P[::-1] * np.log(P[::-1] / P)).sum(-1)),
    (losses.hinge, ONE_HOT, SCORES, np.maximum(1 - (2 * ONE_HOT - 1) * SCORES, 0).mean(-1)),
    (losses.squared_hinge, 2 * ONE_HOT - 1, SCORES, (np.maximum(1 - (2 * ONE_HOT - 1) * SCORES, 0) ** 2).mean(-1)),
    (losses.categorical_hinge, ONE_HOT, P, np.maximum(1 - (ONE_HOT * P).sum(-1) + ((1 - ONE_HOT) * P).max(-1), 0)),
    (losses.cosine_similarity, P, SCORES, -(P * SCORES).sum(-1) / np.sqrt((P**2).sum(-1) * (SCORES**2).sum(-1))),
]  # fmt: skip


@pytest.mark.parametrize(("function", "y", "p", "wanted"), FORMULAS, ids=lambda part: getattr(part, "__name__", ""))
def test_formulas(function, y, p, wanted):
    assert np.allclose(function(y, p).numpy(), wanted, rtol=1e-5, atol=1e-6)
    loss = losses.as_loss(function.__name__)
    assert loss(y, p).item() == pytest.approx(wanted.mean(), rel=1e-5)
    assert loss.name == function.__name__ or type(loss).__name__ == "KLDivergence"


def test_scores():
    wanted = -(ONE_HOT * log_softmax(SCORES)).sum(-1)
    for y, loss in ((ONE_HOT, losses.CategoricalCrossentropy), (CLASSES, losses.SparseCategoricalCrossentropy)):
        assert loss(from_logits=True, reduction="none")(y, SCORES).numpy() == pytest.approx(wanted)
        assert loss(from_logits=True)(y[:1], [[-1e4, 0.0, 1e4, 5.0]]).item() > 1e4
    binary = losses.BinaryCrossentropy(from_logits=True)
    assert binary([[1.0]], [[-1e4]]).item() == 1e4
    smooth = losses.CategoricalCrossentropy(label_smoothing=0.2)
    targets = ONE_HOT * 0.8 + 0.05
    assert smooth(ONE_HOT, P).item() == pytest.approx(-(targets * np.log(P)).sum(-1).mean())
    assert losses.BinaryCrossentropy(label_smoothing=0.2)(LABELS, Q).item() == pytest.approx(
        -((LABELS * 0.8 + 0.1) * np.log(Q) + (0.9 - LABELS * 0.8) * np.log(1 - Q)).mean()
    )


def test_certain_mistakes_cost_what_epsilon_says():
    for loss in (losses.CategoricalCrossentropy(), losses.BinaryCrossentropy()):
        p = tg.tensor([[1.0, 0.0]], dtype="float64", requires_grad=True)
        value = loss([[0.0, 1.0]], p)
        assert value.item() == pytest.approx(-np.log(EPS), rel=1e-6)
        value.backward()
        assert np.isfinite(p.grad.numpy()).all()


def test_weights_and_reductions():
    y, p, weight = np.array([[0.0], [1.0], [2.0]]), np.zeros((3, 1)), [1.0, 0.0, 3.0]
    for reduction, plain, weighted in (
        ("sum_over_batch_size", 5 / 3, 12 / 3),
        ("mean", 5 / 3, 12 / 3),
        ("sum", 5, 12),
        ("mean_with_sample_weight", 5 / 3, 12 / 4),
    ):
        loss = losses.MeanSquaredError(reduction=reduction)
        assert (loss(y, p).item(), loss(y, p, weight).item()) == pytest.approx((plain, weighted))
    assert losses.MeanSquaredError(reduction=None)(y, p, weight).tolist() == [0, 0, 12]
    assert losses.MeanSquaredError()(np.zeros((0, 1)), np.zeros((0, 1))).item() == 0


def test_a_row_of_targets_meets_a_column_of_outputs():
    y, p = np.array([0.0, 2.0]), np.array([[1.0], [2.0]])
    assert losses.MeanSquaredError()(y, p).item() == 0.5
    assert losses.BinaryCrossentropy()([1, 0], [[0.5], [0.5]]).item() == pytest.approx(np.log(2))
    assert metrics.BinaryAccuracy()([1, 0], [[0.9], [0.1]]) == 1


def test_losses_of_ones_own():
    def cubic(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)

    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return cubic(y_true, y_pred)

    for given in (cubic, Cubic(), Cubic):
        assert losses.as_loss(given)([[0.0], [0.0]], [[1.0], [2.0]]).item() == 4.5
    assert losses.as_loss(lambda y, p: tg.mean(p))([0.0], [3.0]).item() == 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: losses.get("mean_squared_eror"), "Do you mean 'mean_squared_error'"),
        (lambda: losses.get(3), "a name"),
        (lambda: losses.MeanSquaredError(reduction="average"), "'sum'"),
        (lambda: losses.categorical_crossentropy(CLASSES, P), "to_categorical"),
        (lambda: losses.sparse_categorical_crossentropy(ONE_HOT, P), "categorical_crossentropy"),
        (lambda: losses.mean_squared_error(np.zeros((2, 3)), np.zeros((2, 4))), r"\(2, 3\)"),
        (lambda: losses.Loss()([1.0], [1.0]), "no call"),
        (lambda: metrics.get("accurracy"), "Do you mean"),
        (lambda: metrics.Metric().update_state(1, 2), "no update_state"),
        (lambda: metrics.Precision()([1, 0], [[0.5, 0.2]]), "one shape"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=words):
        call()


# -- metrics ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "y", "p", "wanted"),
    [
        (metrics.Accuracy(), CLASSES, CLASSES, 1.0),
        (metrics.BinaryAccuracy(threshold=0.3), LABELS, Q, ((Q > 0.3) == LABELS).mean()),
        (metrics.CategoricalAccuracy(), ONE_HOT, P, (P.argmax(1) == CLASSES).mean()),
        (metrics.SparseCategoricalAccuracy(), CLASSES, P, (P.argmax(1) == CLASSES).mean()),
        (metrics.TopKCategoricalAccuracy(2), ONE_HOT, P, (P.argsort(1)[:, -2:] == CLASSES[:, None]).any(1).mean()),
        (metrics.SparseTopKCategoricalAccuracy(4), CLASSES, P, 1.0),
        (metrics.MeanSquaredError(), ONE_HOT, P, ((P - ONE_HOT) ** 2).mean()),
        (metrics.RootMeanSquaredError(), ONE_HOT, P, ((P - ONE_HOT) ** 2).mean() ** 0.5),
        (metrics.CategoricalCrossentropy(), ONE_HOT, P, -np.log(P[np.arange(6), CLASSES]).mean()),
        (metrics.Precision(), LABELS, Q, LABELS[Q > 0.5].mean()),
        (metrics.Recall(0.2), LABELS, Q, (Q[LABELS == 1] > 0.2).mean()),
        (metrics.Recall(class_id=1), ONE_HOT, ONE_HOT, 1.0),
        (metrics.TruePositives(), LABELS, Q, ((Q > 0.5) & (LABELS == 1)).sum()),
        (metrics.FalseNegatives(), LABELS, Q, ((Q <= 0.5) & (LABELS == 1)).sum()),
        (metrics.FalsePositives(), LABELS, Q, ((Q > 0.5) & (LABELS == 0)).sum()),
        (metrics.TrueNegatives(), LABELS, Q, ((Q <= 0.5) & (LABELS == 0)).sum()),
        (metrics.AUC(), LABELS, Q, (Q[LABELS == 1][:, None] > Q[LABELS == 0]).mean()),
        (metrics.R2Score(), LABELS, Q, 1 - ((Q - LABELS) ** 2).sum() / ((LABELS - 0.5) ** 2).sum()),
    ],
    ids=lambda part: getattr(part, "name", ""),
)
def test_metrics_are_exact_whatever_the_batches(metric, y, p, wanted):
    for cut in (1, 4, 6):
        metric.reset_state()
        metric.update_state(y[:cut], p[:cut])
        if cut < 6:
            metric.update_state(y[cut:], p[cut:])
        assert float(metric.result()) == pytest.approx(float(wanted), abs=1e-6)


def test_samples_may_count_more_or_less():
    metric = metrics.BinaryAccuracy()
    metric.update_state([[1.0], [1.0]], [[0.9], [0.1]], sample_weight=[3.0, 1.0])
    assert metric.result() == 0.75
    precision = metrics.Precision()
    precision.update_state([[1.0, 0.0], [0.0, 1.0]], [[0.9, 0.9], [0.9, 0.1]], sample_weight=[2.0, 0.0])
    assert precision.result() == 0.5
    mean = metrics.Mean()
    mean.update_state([[1.0, 2.0], [5.0, 5.0]], sample_weight=[1.0, 0.0])
    assert mean.result() == 1.5
    assert metrics.Sum()([1.0, 2.0]) == 3
    assert metrics.Mean().result() == 0


def test_accuracy_goes_by_the_shapes():
    for y, p, kind in (
        (LABELS, Q, metrics.BinaryAccuracy),
        (CLASSES, P, metrics.SparseCategoricalAccuracy),
        (CLASSES[:, None], P, metrics.SparseCategoricalAccuracy),
        (ONE_HOT, P, metrics.CategoricalAccuracy),
    ):
        for name in ("accuracy", "acc"):
            metric = metrics.as_metric(name)
            assert metric.name == name
            assert metric(y, p) == pytest.approx(float(kind()(y, p)))


def test_metrics_of_ones_own():
    class Largest(metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.value = self.add_variable(shape=(), initializer="zeros", name="value")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.value.assign(ops.maximum(self.value, ops.max(y_pred)))

        def result(self):
            return self.value

    metric = Largest()
    metric.update_state(None, tg.tensor([1.0, 3.0]))
    assert metric.compute() == 3
    metric.reset_state()
    assert metric.compute() == 0
    trained = metrics.as_metric(training.metrics.F1Score(2))
    assert trained([0, 1], np.array([[0.9, 0.1], [0.2, 0.8]])) == 1
    function = metrics.as_metric(lambda y_true, y_pred: ops.mean(y_pred))
    function.update_state(np.zeros(4), np.ones(4))
    function.update_state(np.zeros(1), np.full(1, 6.0))
    assert function.result() == 2


def test_losses_on_every_device(device):
    y, p = (tg.tensor(part, dtype="float32", device=device) for part in (ONE_HOT, P))
    for name, function in losses.FUNCTIONS.items():
        target = tg.tensor(CLASSES, device=device) if "sparse" in name else y
        found = function(target, p)
        assert (found.device, found.dtype) == (device, np.float32)
        assert np.allclose(found.numpy(), function(target.to("cpu"), p.to("cpu")).numpy(), atol=1e-5)
    for name in ("accuracy", "mse", "auc", "Precision", "cosine_similarity", "r2_score"):
        assert 0 <= metrics.as_metric(name)(y, p) <= 1 or name == "r2_score"
