"""Losses with a margin and likelihoods: extreme scores, what a target may be, conventions, layers."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

RNG = np.random.default_rng(0)
X, Y, Z = (RNG.normal(size=(4, 3)) for _ in range(3))
SIGNS = np.array([[1, -1, 1], [-1, -1, 1], [1, 1, 1], [-1, 1, -1]])
CLASSES = np.array([0, 2, 1, 1])
COUNTS = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [0.0, 0.0, 1.0], [7.0, 1.0, 2.0]])

LAYERS = [
    (nn.HingeLoss(0.5), tg.hinge_loss, (X, SIGNS), {"margin": 0.5}),
    (nn.SoftMarginLoss(), tg.soft_margin_loss, (X, SIGNS), {}),
    (nn.HingeEmbeddingLoss(0.5), tg.hinge_embedding_loss, (X, SIGNS), {"margin": 0.5}),
    (nn.MarginRankingLoss(0.5), tg.margin_ranking_loss, (X, Y, SIGNS), {"margin": 0.5}),
    (nn.CosineEmbeddingLoss(0.2), tg.cosine_embedding_loss, (X, Y, SIGNS[:, 0]), {"margin": 0.2}),
    (
        nn.TripletMarginLoss(2.0, 1.0, swap=True),
        tg.triplet_margin_loss,
        (X, Y, Z),
        {"margin": 2.0, "p": 1.0, "swap": True},
    ),
    (
        nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: abs(a - b).sum(axis=1), margin=2.0),
        tg.triplet_margin_loss,
        (X, Y, Z),
        {"margin": 2.0, "p": 1.0, "eps": 0.0},
    ),
    (
        nn.MultiMarginLoss(2, 0.5, [1.0, 2.0, 3.0]),
        tg.multi_margin_loss,
        (X, CLASSES),
        {"p": 2, "margin": 0.5, "weight": [1, 2, 3]},
    ),
    (nn.MultiLabelMarginLoss(), tg.multilabel_margin_loss, (X, np.array([[2, -1, 0]] * 4)), {}),
    (
        nn.MultiLabelSoftMarginLoss([1.0, 2.0, 3.0]),
        tg.multilabel_soft_margin_loss,
        (X, SIGNS > 0),
        {"weight": [1, 2, 3]},
    ),
    (nn.GaussianNLLLoss(full=True), tg.gaussian_nll_loss, (X, Y, Z**2), {"full": True}),
    (nn.PoissonNLLLoss(False, True), tg.poisson_nll_loss, (X**2, COUNTS), {"log_input": False, "full": True}),
    (
        nn.SigmoidFocalLoss(0.5, 1.0),
        tg.sigmoid_focal_loss,
        (X, SIGNS > 0),
        {"alpha": 0.5, "gamma": 1.0, "reduction": "mean"},
    ),
    (nn.DiceLoss(0.5), tg.dice_loss, (X**2, SIGNS > 0), {"smooth": 0.5}),
    (nn.CosineSimilarity(-1), tg.cosine_similarity, (X, Y), {"dim": -1}),
    (nn.PairwiseDistance(1.0, keepdim=True), tg.pairwise_distance, (X, Y), {"p": 1.0, "keepdim": True}),
]

NAMES = [type(row[0]).__name__ for row in LAYERS]


@pytest.mark.parametrize(("layer", "function", "arrays", "options"), LAYERS, ids=NAMES)
def test_layers_are_their_functions(layer, function, arrays, options):
    tensors = [tg.tensor(x) for x in arrays]
    np.testing.assert_allclose(layer(*tensors).numpy(), function(*tensors, **options).numpy(), rtol=1e-9)
    assert layer(*arrays).dtype == "float64"


@pytest.mark.parametrize(("layer", "function", "arrays", "options"), LAYERS, ids=NAMES)
def test_the_dtype_is_the_inputs(layer, function, arrays, options):
    first = tg.tensor(arrays[0].astype("float32"), requires_grad=True)
    others = [x.astype("float32") if x.dtype.kind == "f" and i else x for i, x in enumerate(arrays)][1:]
    out = layer(first, *others)
    out.sum().backward()
    assert out.dtype == first.grad.dtype == "float32"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_extreme_scores(dtype: str, device: str) -> None:
    x = tg.tensor([-1e4, -1e4, 1e4, 1e4], dtype=dtype, device=device, requires_grad=True)
    signs = tg.tensor([-1, 1, -1, 1], device=device)
    right = (signs + 1) / 2
    for loss, values, slopes in (
        (tg.soft_margin_loss(x, signs, "none"), [0, 1e4, 1e4, 0], [0, -1, 1, 0]),
        (tg.hinge_loss(x, signs, reduction="none"), [0, 1e4, 1e4, 0], [0, -1, 1, 0]),
        (tg.multilabel_soft_margin_loss(x, right, reduction="sum") * 4, 2e4, [0, -1, 1, 0]),
        (tg.sigmoid_focal_loss(x, right, alpha=-1.0, gamma=2.0), [0, 1e4, 1e4, 0], [0, -1, 1, 0]),
    ):
        x.grad = None
        loss.sum().backward()
        np.testing.assert_allclose(loss.numpy().astype("float64"), values, rtol=1e-3)
        np.testing.assert_allclose(x.grad.numpy().astype("float64"), slopes, atol=1e-3)


def test_equal_and_empty_vectors_have_gradients() -> None:
    x = tg.zeros((1, 2), requires_grad=True)
    tg.pairwise_distance(x, tg.zeros((1, 2))).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0.5**0.5, 0.5**0.5]], rtol=1e-5)
    for dtype in ("float64", "float32", "float16"):
        x = tg.zeros((1, 2), dtype=dtype, requires_grad=True)
        out = tg.cosine_similarity(x, tg.tensor([[3.0, 4.0]], dtype=dtype))
        out.sum().backward()
        assert out.tolist() == [0]
        assert np.isfinite(x.grad.numpy()).all()


def test_no_variance_is_the_least_one() -> None:
    x = tg.tensor([1.0, 1.0], dtype="float64", requires_grad=True)
    var = tg.tensor([0.0, 1.0], dtype="float64", requires_grad=True)
    tg.gaussian_nll_loss(x, tg.ones(2), var, eps=1e-2, reduction="sum").backward()
    assert x.grad.tolist() == [0, 0]
    assert var.grad.tolist() == [0, 0.5]


def test_two_empty_sets_are_the_same() -> None:
    nothing = tg.zeros((2, 3))
    assert tg.dice_loss(nothing, nothing).item() == 0
    assert tg.dice_loss(nothing, nothing, smooth=0.0).item() == 1
    assert tg.dice_loss(tg.ones((2, 3)), tg.ones((2, 3)), smooth=0.0).item() == 0


def test_labels_end_at_the_first_negative_one() -> None:
    x = tg.tensor([[0.1, 0.2, 0.4, 0.8]], dtype="float64")
    expected = (1 - (0.8 - 0.2)) + (1 - (0.8 - 0.4)) + (1 - (0.1 - 0.2)) + (1 - (0.1 - 0.4))
    for target in ([[3, 0, -1, 1]], [[0, 3, -1, -1]], [[3, 0, -7, 2]]):
        assert tg.multilabel_margin_loss(x, tg.tensor(target)).item() == pytest.approx(expected / 4)
    assert tg.multilabel_margin_loss(x, tg.tensor([[-1, 1, 2, 3]])).item() == 0


def test_the_mean_of_nothing_is_not_a_number() -> None:
    for loss in (tg.hinge_loss, tg.soft_margin_loss, tg.poisson_nll_loss):
        assert math.isnan(loss(tg.ones((0, 3)), tg.ones((0, 3))).item())
