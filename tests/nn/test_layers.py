"""Layers: shapes, first values, messages; running statistics. What they compute is tested with the ops."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import assert_gradients

RNG = np.random.default_rng(0)

# A layer, the shape of an input, the shape of its output.
SHAPES = [
    (lambda: nn.Linear(3, 2), (3,), (2,)),
    (lambda: nn.Linear(3, 2), (5, 4, 3), (5, 4, 2)),
    (lambda: nn.Linear(3, 2), (0, 3), (0, 2)),
    (lambda: nn.Conv1d(2, 4, 3), (5, 2, 10), (5, 4, 8)),
    (lambda: nn.Conv2d(3, 2, 3, stride=2, padding=1), (1, 3, 5, 5), (1, 2, 3, 3)),
    (lambda: nn.Conv2d(1, 32, 5, padding="same"), (2, 1, 28, 28), (2, 32, 28, 28)),
    (lambda: nn.Conv2d(1, 1, 3, padding="valid"), (1, 4, 4), (1, 2, 2)),
    (lambda: nn.Conv2d(4, 8, (1, 3), groups=4, dilation=(1, 2)), (2, 4, 6, 6), (2, 8, 6, 2)),
    (lambda: nn.Conv3d(1, 2, 2), (1, 1, 3, 3, 3), (1, 2, 2, 2, 2)),
    (lambda: nn.MaxPool1d(2), (2, 3, 8), (2, 3, 4)),
    (lambda: nn.MaxPool2d(2), (2, 3, 8, 8), (2, 3, 4, 4)),
    (lambda: nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), (3, 8, 8), (3, 5, 5)),
    (lambda: nn.MaxPool3d(2), (2, 3, 4, 4, 4), (2, 3, 2, 2, 2)),
    (lambda: nn.AvgPool1d(2), (2, 3, 8), (2, 3, 4)),
    (lambda: nn.AvgPool2d(3, 1), (2, 3, 8, 8), (2, 3, 6, 6)),
    (lambda: nn.AvgPool3d(2), (2, 3, 4, 4, 4), (2, 3, 2, 2, 2)),
    (lambda: nn.MinPool2d(2), (2, 3, 8, 8), (2, 3, 4, 4)),
    (lambda: nn.MedianPool2d(3, 1), (2, 3, 8, 8), (2, 3, 6, 6)),
    (lambda: nn.SumPool2d(2), (3, 8, 8), (3, 4, 4)),
    (lambda: nn.AdaptiveAvgPool2d((2, None)), (2, 3, 8, 7), (2, 3, 2, 7)),
    (lambda: nn.AdaptiveMaxPool2d(3), (2, 3, 8, 7), (2, 3, 3, 3)),
    (lambda: nn.AdaptiveConcatPool2d(), (2, 3, 8, 7), (2, 6, 1, 1)),
    (lambda: nn.AdaptiveConcatPool2d(2), (3, 8, 7), (6, 2, 2)),
    (lambda: nn.GlobalAvgPool2d(), (2, 3, 8, 7), (2, 3, 1, 1)),
    (lambda: nn.GlobalMaxPool2d(), (2, 3, 8, 7), (2, 3, 1, 1)),
    (lambda: nn.Flatten(), (2, 3, 4, 5), (2, 60)),
    (lambda: nn.Flatten(0, 1), (2, 3, 4), (6, 4)),
    (lambda: nn.Flatten(), (0, 3, 4), (0, 12)),
    (lambda: nn.Unflatten(-1, (3, -1)), (2, 12), (2, 3, 4)),
    (lambda: nn.Reshape((3, 4)), (5, 12), (5, 3, 4)),
    (lambda: nn.Reshape(2, -1), (5, 3, 4), (5, 2, 6)),
    (lambda: nn.Reshape(3, 4), (0, 12), (0, 3, 4)),
    (lambda: nn.BatchNorm1d(3), (4, 3), (4, 3)),
    (lambda: nn.BatchNorm1d(3), (4, 3, 5), (4, 3, 5)),
    (lambda: nn.BatchNorm2d(3), (4, 3, 5, 5), (4, 3, 5, 5)),
    (lambda: nn.BatchNorm3d(3), (4, 3, 2, 2, 2), (4, 3, 2, 2, 2)),
    (lambda: nn.LayerNorm((3, 4)), (2, 3, 4), (2, 3, 4)),
    (lambda: nn.GroupNorm(2, 4), (2, 4, 3, 3), (2, 4, 3, 3)),
    (lambda: nn.InstanceNorm1d(3), (2, 3, 4), (2, 3, 4)),
    (lambda: nn.InstanceNorm2d(3, affine=True), (2, 3, 4, 4), (2, 3, 4, 4)),
    (lambda: nn.InstanceNorm2d(3, 1e-5, 0.1, True, True), (2, 3, 4, 4), (2, 3, 4, 4)),
    (lambda: nn.InstanceNorm2d(3, track_running_stats=True), (3, 4, 4), (3, 4, 4)),
    (lambda: nn.InstanceNorm3d(3), (2, 3, 2, 2, 2), (2, 3, 2, 2, 2)),
    (lambda: nn.Dropout(), (2, 3), (2, 3)),
    (lambda: nn.Dropout1d(), (2, 3, 4), (2, 3, 4)),
    (lambda: nn.Dropout2d(), (2, 3, 4, 4), (2, 3, 4, 4)),
    (lambda: nn.Dropout3d(), (2, 3, 4, 4, 4), (2, 3, 4, 4, 4)),
    (lambda: nn.Softmax(dim=1), (2, 3), (2, 3)),
    (lambda: nn.PReLU(3), (2, 3, 4), (2, 3, 4)),
    (lambda: nn.Identity(54, unused=True), (2, 3), (2, 3)),
]


def ids(value):
    return value().__class__.__name__ if callable(value) else None


@pytest.mark.parametrize(("make", "given", "wanted"), SHAPES, ids=ids)
def test_shapes_dtypes_and_devices(make, given: tuple, wanted: tuple, device: str) -> None:
    layer = make().to(device)
    for dtype in ("float32", "float64"):
        x = tg.tensor(RNG.normal(size=given), dtype=dtype, device=device, requires_grad=True)
        y = layer.to(dtype)(x)
        assert y.shape == wanted
        assert y.dtype == dtype
        assert y.device == device
        y.sum().backward()
        assert x.grad.dtype == dtype
        assert all(p.grad.dtype == dtype and p.grad.shape == p.shape for p in layer.parameters())


@pytest.mark.parametrize(("make", "given", "wanted"), SHAPES, ids=ids)
def test_bare_arrays_go_in_too(make, given: tuple, wanted: tuple) -> None:
    y = make()(np.ones(given, "float32"))
    assert y.shape == wanted


@pytest.mark.parametrize(("make", "given", "wanted"), SHAPES, ids=ids)
def test_lists_go_in_too(make, given: tuple, wanted: tuple) -> None:
    if 0 in given:
        pytest.skip("lists do not tell all lengths of nothing")
    y = make()(tg.ones(given).tolist())
    assert tg.asarray(y).shape == wanted


# What is said to an input that does not fit.
REFUSED = [
    (nn.Linear(3, 2), (5, 4), r"Linear\(in_features=3, out_features=2, bias=True\) takes .* \(..., 3\), got \(5, 4\)"),
    (nn.Linear(3, 2), (), r"\(..., 3\), got \(\)"),
    (nn.Conv1d(2, 4, 3), (2, 3, 9), r"Conv1d\(2, 4, kernel_size=\(3,\), .*\(N, 2, L\) or \(2, L\), got \(2, 3, 9\)"),
    (nn.Conv2d(1, 4, 3), (2, 3, 9, 9), r"\(N, 1, H, W\) or \(1, H, W\), got \(2, 3, 9, 9\)"),
    (nn.Conv2d(1, 4, 3), (9, 9), r"Conv2d\(1, 4, .*got \(9, 9\)"),
    (nn.Conv3d(1, 4, 3), (9, 9), r"\(N, 1, D, H, W\)"),
    (nn.MaxPool2d(2), (4, 4), r"MaxPool2d\(kernel_size=2, .* takes .*\(N, C, H, W\) or \(C, H, W\), got \(4, 4\)"),
    (nn.AdaptiveAvgPool2d(1), (4, 4), r"AdaptiveAvgPool2d\(output_size=1\) takes .*got \(4, 4\)"),
    (nn.GlobalMaxPool2d(), (4, 4), r"GlobalMaxPool2d\(\) takes .*got \(4, 4\)"),
    (nn.BatchNorm2d(3), (2, 4, 5, 5), r"BatchNorm2d\(3, .* takes .*\(N, 3, H, W\), got \(2, 4, 5, 5\)"),
    (nn.BatchNorm1d(3), (2, 3, 5, 5), r"\(N, 3\) or \(N, 3, L\), got"),
    (nn.LayerNorm((3, 4)), (2, 4), r"LayerNorm\(\(3, 4\), .* takes .*\(..., 3, 4\), got \(2, 4\)"),
    (nn.GroupNorm(2, 4), (2, 3), r"GroupNorm\(2, 4, .* takes .*\(N, 4, ...\), got \(2, 3\)"),
    (nn.InstanceNorm2d(3), (2, 3, 4), r"InstanceNorm2d\(3, .* takes .*\(N, 3, H, W\) or \(3, H, W\), got \(2, 3, 4\)"),
    (nn.Reshape(3, 4), (5, 13), r"Reshape\(\(3, 4\)\) takes .* 12 elements in each sample, got \(5, 13\)"),
    (nn.Reshape(2, -1), (5, 13), r"a multiple of 2 elements in each sample, got \(5, 13\)"),
    (nn.Reshape(3, 4), (), r"got \(\)"),
    (nn.Unflatten(3, (1,)), (2, 3), r"with an axis 3, got \(2, 3\)"),
    (nn.Reshape(0, -1), (5, 0), r"got \(5, 0\)"),
    (nn.Unflatten(1, (5, 4)), (2, 3), r"Unflatten\(dim=1, .* with 20 elements on axis 1, got \(2, 3\)"),
    (nn.Unflatten(-1, (2, -1)), (2, 3), r"with a multiple of 2 elements on axis -1, got \(2, 3\)"),
    (nn.Dropout2d(), (2, 3), r"dropout2d\(\) takes 4 axes"),
]


@pytest.mark.parametrize(("layer", "given", "words"), REFUSED, ids=lambda value: str(value)[:20])
def test_inputs_of_the_wrong_shape(layer: nn.Module, given: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        layer(tg.ones(given))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups=2 must divide in_channels=3 and out_channels=4"),
        (
            lambda: nn.Conv2d(2, 4, 3, padding_mode="mirror"),
            "'zeros', 'reflect', 'replicate' or 'circular', not 'mirror'",
        ),
        (lambda: nn.Conv2d(2, 4, 3, padding="full"), "padding is 'same', 'valid' or numbers, not 'full'"),
        (lambda: nn.Conv2d(2, 4, 3, stride=2, padding="same"), "'same' goes with stride 1 only"),
        (lambda: nn.Conv2d(2, 4, (3, 3, 3)), "Conv2d kernel_size: expected a number or 2 of them"),
        (lambda: nn.Conv2d(1, 1, 0), r"Conv2d: kernel_size is 1 or more, got \(0, 0\)"),
        (lambda: nn.Conv1d(1, 1, 1, stride=0), r"Conv1d: stride is 1 or more, got \(0,\)"),
        (lambda: nn.Conv2d(1, 1, 1, dilation=(1, -1)), r"Conv2d: dilation is 1 or more, got \(1, -1\)"),
        (lambda: nn.MaxPool2d(0), r"MaxPool2d: kernel_size is 1 or more, got \(0, 0\)"),
        (lambda: nn.AvgPool2d(2, stride=(1, 0)), r"AvgPool2d: stride is 1 or more, got \(1, 0\)"),
        (lambda: nn.MaxPool2d(2, dilation=0), r"MaxPool2d: dilation is 1 or more, got \(0, 0\)"),
        (lambda: nn.MaxPool2d(2, padding=2), r"MaxPool2d: padding 2 is more than half of the kernel \(2, 2\)"),
        (lambda: nn.MaxPool2d(2, padding=-1), "MaxPool2d padding: expected numbers of 0 or more"),
        (lambda: nn.AvgPool1d(2, padding=(1, 1)), "AvgPool1d padding: expected a number or 1 of them"),
        (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), "AdaptiveAvgPool2d output_size: expected a number or 2 of them"),
        (lambda: nn.AdaptiveMaxPool2d((1, 0)), r"AdaptiveMaxPool2d: output_size is 1 or more, or None, got \(1, 0\)"),
        (lambda: nn.Linear(-1, 2), "in_features=-1 and out_features=2 are 0 or more"),
        (lambda: nn.GroupNorm(3, 4), "num_groups=3 must divide num_channels=4"),
        (lambda: nn.MSELoss("average"), "MSELoss has reduction 'mean', 'sum' or 'none', not 'average'"),
        (lambda: nn.MSELoss("batchmean"), "MSELoss has reduction 'mean', 'sum' or 'none', not 'batchmean'"),
        (
            lambda: nn.KLDivLoss("average"),
            "KLDivLoss has reduction 'mean', 'sum', 'none' or 'batchmean', not 'average'",
        ),
    ],
)
def test_options_that_do_not_go_together(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("layer", [nn.MinPool2d, nn.MedianPool2d, nn.SumPool2d, nn.AvgPool2d])
def test_options_that_a_pooling_does_not_have(layer) -> None:
    with pytest.raises(TypeError, match="argument 'foo'"):
        layer(2, foo=1)
    if layer is not nn.MinPool2d:
        with pytest.raises(TypeError, match="argument 'dilation'"):
            layer(2, dilation=2)


# -- lines of the tree -----------------------------------------------------------------------------------------

LINES = {
    "Linear(in_features=2, out_features=3, bias=False)": lambda: nn.Linear(2, 3, bias=False),
    "Conv2d(1, 2, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=False)": lambda: nn.Conv2d(
        1, 2, 3, stride=2, padding=1, bias=False
    ),
    "Conv1d(2, 2, kernel_size=(3,), stride=(1,), padding='same', dilation=(2,), groups=2)": lambda: nn.Conv1d(
        2, 2, 3, padding="same", dilation=2, groups=2
    ),
    "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)": lambda: nn.BatchNorm2d(3),
    "LayerNorm((3,), eps=1e-05, elementwise_affine=True)": lambda: nn.LayerNorm(3),
    "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)": lambda: nn.MaxPool2d(2),
    "LeakyReLU(negative_slope=0.2)": lambda: nn.LeakyReLU(0.2),
    "GELU(approximate='tanh')": lambda: nn.GELU("tanh"),
    "Softmax(dim=-1)": lambda: nn.Softmax(),
    "ReLU()": lambda: nn.ReLU(inplace=True),
    "Unflatten(dim=1, unflattened_size=(3, 4))": lambda: nn.Unflatten(1, (3, 4)),
    "CrossEntropyLoss()": lambda: nn.CrossEntropyLoss(),
    "CrossEntropyLoss(ignore_index=0)": lambda: nn.CrossEntropyLoss(ignore_index=0),
    "CrossEntropyLoss(reduction='sum', label_smoothing=0.1)": lambda: nn.CrossEntropyLoss(
        reduction="sum", label_smoothing=0.1
    ),
    "CrossEntropyLoss(weight=float32[2])": lambda: nn.CrossEntropyLoss(tg.tensor([1.0, 2.0])),
    "NLLLoss(ignore_index=3)": lambda: nn.NLLLoss(ignore_index=3),
    "BCEWithLogitsLoss(pos_weight=float32[])": lambda: nn.BCEWithLogitsLoss(pos_weight=2.0),
    "MSELoss(reduction='sum')": lambda: nn.MSELoss(reduction="sum"),
    "HalfSquaredErrorLoss()": lambda: nn.HalfSquaredErrorLoss(),
    "HalfSquaredErrorLoss(reduction='mean')": lambda: nn.HalfSquaredErrorLoss("mean"),
    "HuberLoss(delta=2.0)": lambda: nn.HuberLoss(delta=2.0),
    "SmoothL1Loss(reduction='sum', beta=0.5)": lambda: nn.SmoothL1Loss("sum", 0.5),
    "KLDivLoss(reduction='batchmean', log_target=True)": lambda: nn.KLDivLoss("batchmean", log_target=True),
    "InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False)": lambda: nn.InstanceNorm2d(3),
}


@pytest.mark.parametrize("line", LINES)
def test_lines(line: str) -> None:
    assert repr(LINES[line]()) == line


# -- first values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "fan_in"), [(lambda: nn.Linear(50, 40), 50), (lambda: nn.Conv2d(4, 32, 3, groups=2), 18)]
)
def test_first_values_are_pytorchs(make, fan_in: int) -> None:
    layer = make()
    bound = 1 / math.sqrt(fan_in)
    for parameter in layer.parameters():
        values = parameter.numpy()
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.8 * bound
        assert parameter.dtype == "float32"
    assert layer.weight.numpy().std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_one_seed_gives_one_model_on_every_device() -> None:
    weights = []
    for device in ("cpu", "strict"):
        tg.manual_seed(3)
        weights.append(nn.Conv2d(2, 3, 3, device=device, dtype="float64").weight.tolist())
    assert weights[0] == weights[1]


def test_a_layer_can_be_drawn_anew() -> None:
    layer = nn.Linear(3, 2)
    weight, before = layer.weight, layer.weight.tolist()
    layer.reset_parameters()
    assert layer.weight is weight
    assert layer.weight.tolist() != before


def test_a_layer_without_inputs() -> None:
    assert nn.Linear(0, 2, bias=False)(tg.ones((3, 0))).tolist() == [[0, 0]] * 3


# -- batch normalisation ---------------------------------------------------------------------------------------


def test_running_statistics_in_training_and_evaluation() -> None:
    layer = nn.BatchNorm1d(1)
    x = tg.tensor([[0.0], [4.0]])
    np.testing.assert_allclose(layer(x).numpy(), [[-1], [1]], rtol=1e-5)
    assert layer.running_mean.item() == pytest.approx(0.2)
    assert layer.running_var.item() == pytest.approx(0.9 + 0.8)
    assert layer.num_batches_tracked.item() == 1
    y = layer.eval()(tg.tensor([[0.2]]))
    assert y.item() == pytest.approx(0, abs=1e-6)
    assert layer.num_batches_tracked.item() == 1


def test_an_average_of_all_batches() -> None:
    layer = nn.BatchNorm1d(1, momentum=None)
    means = []
    for _ in range(4):
        x = RNG.normal(size=(5, 1))
        means.append(x.mean())
        layer(tg.tensor(x))
        assert layer.running_mean.item() == pytest.approx(np.mean(means), abs=1e-6)


def test_without_running_statistics() -> None:
    layer = nn.BatchNorm1d(1, affine=False, track_running_stats=False).eval()
    assert layer.state_dict() == {}
    np.testing.assert_allclose(layer(tg.tensor([[0.0], [4.0]])).numpy(), [[-1], [1]], rtol=1e-5)


def test_instance_normalisation_with_running_statistics() -> None:
    layer = nn.InstanceNorm1d(2, momentum=0.25, track_running_stats=True)
    x = tg.tensor(RNG.normal(3, 5, (4, 2, 5)), dtype="float32")
    np.testing.assert_array_equal(layer(x).numpy(), tg.instance_norm(x).numpy())
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.25 * x.numpy().mean((0, 2)), rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.numpy(), 0.75 + 0.25 * x.numpy().var(2, ddof=1).mean(0), rtol=1e-5)
    by_running = tg.batch_norm(x, layer.running_mean, layer.running_var).numpy()
    np.testing.assert_array_equal(layer.eval()(x).numpy(), by_running)
    assert list(layer.state_dict()) == ["running_mean", "running_var", "num_batches_tracked"]
    layer.reset_parameters()
    assert (layer.running_mean.tolist(), layer.running_var.tolist()) == ([0, 0], [1, 1])
    assert not nn.InstanceNorm1d(2).state_dict()


def test_a_batch_that_is_refused_is_not_counted() -> None:
    layer = nn.BatchNorm1d(2)
    with pytest.raises(ValueError, match="one value per channel"):
        layer(tg.ones((1, 2)))
    assert layer.num_batches_tracked.item() == 0
    assert layer.eval()(tg.ones((1, 2))).shape == (1, 2)


def test_evaluation_has_gradients() -> None:
    layer = nn.BatchNorm2d(2).double()
    layer(tg.tensor(RNG.normal(2, 3, (4, 2, 3, 3))))
    layer.eval()
    assert_gradients(layer, RNG.normal(size=(1, 2, 2, 2)))


# -- losses ----------------------------------------------------------------------------------------------------

X, T = RNG.normal(size=(3, 4)), RNG.uniform(0.1, 0.9, (3, 4))
CLASSES, WEIGHT = np.array([0, 3, 1]), np.array([0.5, 1.0, 2.0, 4.0])

LOSSES = [
    (nn.MSELoss("sum"), "mse_loss", (X, T), {"reduction": "sum"}),
    (nn.HalfSquaredErrorLoss(), "half_squared_error", (X, T), {}),
    (nn.L1Loss("none"), "l1_loss", (X, T), {"reduction": "none"}),
    (nn.SmoothL1Loss(beta=0.5), "smooth_l1_loss", (X, T), {"beta": 0.5}),
    (nn.HuberLoss(delta=0.5), "huber_loss", (X, T), {"delta": 0.5}),
    (nn.KLDivLoss("batchmean", log_target=True), "kl_div", (X, X), {"reduction": "batchmean", "log_target": True}),
    (nn.BCELoss(WEIGHT), "binary_cross_entropy", (T, T), {"weight": WEIGHT}),
    (
        nn.BCEWithLogitsLoss(WEIGHT, pos_weight=WEIGHT[::-1].copy()),
        "binary_cross_entropy_with_logits",
        (X, T),
        {"weight": WEIGHT, "pos_weight": WEIGHT[::-1].copy()},
    ),
    (nn.NLLLoss(WEIGHT, ignore_index=3), "nll_loss", (X, CLASSES), {"weight": WEIGHT, "ignore_index": 3}),
    (
        nn.CrossEntropyLoss(WEIGHT, label_smoothing=0.1),
        "cross_entropy",
        (X, CLASSES),
        {"weight": WEIGHT, "label_smoothing": 0.1},
    ),
]


@pytest.mark.parametrize(("layer", "name", "arrays", "options"), LOSSES, ids=lambda value: str(value)[:20])
def test_losses_are_their_functions(layer: nn.Module, name: str, arrays: tuple, options: dict) -> None:
    found = layer(*map(tg.tensor, arrays))
    expected = getattr(nn.functional, name)(*map(tg.tensor, arrays), **options)
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_weights_of_losses_are_buffers() -> None:
    loss = nn.CrossEntropyLoss(np.ones(3, "float32")).to("strict")
    assert loss.weight.device == "strict"
    assert list(loss.state_dict()) == ["weight"]


def test_public_names() -> None:
    for room in (nn, nn.functional, nn.init, nn.utils):
        assert sorted(set(room.__all__)) == sorted(room.__all__)
        assert all(hasattr(room, name) for name in room.__all__)


def test_a_loss_called_as_if_it_were_made() -> None:
    with pytest.raises(TypeError, match=r"nn\.CrossEntropyLoss\(\)\(scores, classes\)"):
        nn.CrossEntropyLoss(tg.ones((2, 3)), tg.tensor([0, 1]))


# -- some smaller ones -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [nn.AlphaDropout, nn.FeatureAlphaDropout])
def test_dropout_for_selu_keeps_mean_and_variance(make) -> None:
    tg.manual_seed(0)
    x = tg.randn((400, 500))
    layer = make(0.3)
    out = layer(x).numpy()
    assert out.mean() == pytest.approx(0, abs=0.02)
    assert out.std() == pytest.approx(1, abs=0.02)
    assert layer.eval()(x) is x


def test_root_mean_square() -> None:
    layer = nn.RMSNorm((2, 2))
    x = tg.tensor([[[1.0, -1.0], [3.0, 5.0]]])
    np.testing.assert_allclose(layer(x).numpy(), x.numpy() / 3, rtol=1e-6)
    assert list(layer.state_dict()) == ["weight"]
    assert list(nn.RMSNorm(2, elementwise_affine=False).state_dict()) == []
    huge = tg.tensor([[60000.0, 60000.0]], dtype="float16")
    assert nn.RMSNorm(2, dtype="float16")(huge).tolist() == [[1, 1]]


def test_local_response() -> None:
    x = tg.tensor([[[1.0], [2.0], [3.0]]])
    layer = nn.LocalResponseNorm(3, alpha=3.0, beta=1.0, k=2.0)
    np.testing.assert_allclose(layer(x).flatten().numpy(), [1 / 7, 2 / 16, 3 / 15], rtol=1e-6)
    assert repr(layer) == "LocalResponseNorm(3, alpha=3.0, beta=1.0, k=2.0)"


def test_products_of_two_inputs() -> None:
    tg.manual_seed(0)
    layer = nn.Bilinear(3, 4, 2)
    assert {name: tuple(value.shape) for name, value in layer.state_dict().items()} == {
        "weight": (2, 3, 4),
        "bias": (2,),
    }
    assert np.abs(layer.weight.numpy()).max() <= 3**-0.5
    x1, x2 = tg.randn((5, 3)), tg.randn((5, 4))
    expected = [
        [a @ w @ b + c for w, c in zip(layer.weight.numpy(), layer.bias.numpy())]
        for a, b in zip(x1.numpy(), x2.numpy())
    ]
    np.testing.assert_allclose(layer(x1, x2).detach().numpy(), expected, rtol=1e-4, atol=1e-6)
    assert (
        repr(nn.Bilinear(1, 2, 3, bias=False)) == "Bilinear(in1_features=1, in2_features=2, out_features=3, bias=False)"
    )
    with pytest.raises(ValueError, match="sizes of 1 or more, got 0, 1, 1"):
        nn.Bilinear(0, 1, 1)


# -- backwards -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_transposed_convolution_is_the_derivative_of_a_convolution(rank: int) -> None:
    tg.manual_seed(0)
    down = getattr(nn, f"Conv{rank}d")(2, 4, 3, stride=2, padding=1, groups=2, bias=False)
    up = getattr(nn, f"ConvTranspose{rank}d")(4, 2, 3, stride=2, padding=1, groups=2, bias=False)
    up.load_state_dict(down.state_dict())
    x = tg.randn((2, 2, *(6, 5, 4)[:rank]), requires_grad=True)
    y = down(x)
    g = tg.randn(y.shape)
    (expected,) = tg.grad(y, x, g)
    np.testing.assert_allclose(up(g, output_size=x.shape[2:]).detach().numpy(), expected.numpy(), rtol=1e-4, atol=1e-6)
    assert up(g[0]).shape == up(g).shape[1:]


def test_sizes_of_transposed_convolutions() -> None:
    up = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)
    x = tg.ones((1, 1, 5, 5))
    assert up(x).shape == (1, 1, 9, 9)
    assert up(x, output_size=(10, 9)).shape == (1, 1, 10, 9)
    with pytest.raises(ValueError, match=r"makes outputs from \(9, 9\) to \(10, 10\) of \(5, 5\), not \(11, 9\)"):
        up(x, output_size=(11, 9))
    with pytest.raises(ValueError, match="groups=2 must divide"):
        nn.ConvTranspose2d(2, 3, 3, groups=2)
    line = "ConvTranspose2d(1, 1, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))"
    assert repr(up) == line
    assert list(up.state_dict()) == ["weight", "bias"]


def test_patches_put_together_again() -> None:
    x = tg.tensor(np.random.default_rng(0).normal(size=(2, 3, 5, 6)))
    options = {"kernel_size": (2, 3), "stride": (1, 2), "padding": 1}
    patches = nn.Unfold(**options)(x)
    assert patches.shape == (2, 18, 6 * 3)
    counts = nn.Fold((5, 6), **options)(nn.Unfold(**options)(tg.ones((1, 3, 5, 6))))
    np.testing.assert_allclose(nn.Fold((5, 6), **options)(patches).numpy(), (x * counts).numpy(), rtol=1e-6)
    layer = nn.Conv2d(3, 4, (2, 3), stride=(1, 2), padding=1, bias=False, dtype="float64")
    by_hand = layer.weight.reshape((4, 18)) @ patches
    np.testing.assert_allclose(layer(x).detach().numpy().reshape(2, 4, -1), by_hand.detach().numpy(), rtol=1e-10)
    assert repr(nn.Fold(4, 2)) == "Fold(output_size=4, kernel_size=2, dilation=1, padding=0, stride=1)"


@pytest.mark.parametrize(("mode", "numpy_mode"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_what_is_around_an_image(mode: str, numpy_mode: str) -> None:
    layer = nn.Conv2d(1, 1, 3, padding=(1, 2), padding_mode=mode, bias=False, dtype="float64")
    x = np.random.default_rng(0).normal(size=(1, 1, 4, 5))
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2)), mode=numpy_mode)
    np.testing.assert_allclose(layer(x).detach().numpy(), tg.conv2d(padded, layer.weight).detach().numpy())
    assert repr(layer).endswith(f"padding=(1, 2), padding_mode={mode!r}, bias=False)")
