"""Lazy layers: what they are before their first input, and that they are the ordinary ones afterwards."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.nn.utils.parametrizations import spectral_norm, weight_norm
from tensorgrad.training import Trainer

# A lazy layer, the ordinary one, the shape of an input.
PAIRS: list[tuple[Callable[[], nn.Module], Callable[[], nn.Module], tuple[int, ...]]] = [
    (lambda: nn.LazyLinear(3), lambda: nn.Linear(4, 3), (2, 5, 4)),
    (lambda: nn.LazyLinear(3, bias=False), lambda: nn.Linear(4, 3, False), (4,)),
    (lambda: nn.LazyConv1d(6, 2, padding=1), lambda: nn.Conv1d(4, 6, 2, padding=1), (2, 4, 5)),
    (lambda: nn.LazyConv2d(6, 2, groups=2), lambda: nn.Conv2d(4, 6, 2, groups=2), (2, 4, 5, 5)),
    (lambda: nn.LazyConv2d(6, 2, bias=False), lambda: nn.Conv2d(4, 6, 2, bias=False), (4, 5, 5)),
    (
        lambda: nn.LazyConv2d(6, 2, data_format="channels_last"),
        lambda: nn.Conv2d(4, 6, 2, data_format="channels_last"),
        (2, 5, 5, 4),
    ),
    (lambda: nn.LazyConv3d(2, 2), lambda: nn.Conv3d(3, 2, 2), (1, 3, 3, 3, 3)),
    (lambda: nn.LazyConvTranspose1d(6, 2), lambda: nn.ConvTranspose1d(4, 6, 2), (2, 4, 5)),
    (lambda: nn.LazyConvTranspose2d(6, 2, groups=2), lambda: nn.ConvTranspose2d(4, 6, 2, groups=2), (2, 4, 5, 5)),
    (lambda: nn.LazyConvTranspose3d(2, 2), lambda: nn.ConvTranspose3d(3, 2, 2), (1, 3, 3, 3, 3)),
    (lambda: nn.LazyBatchNorm1d(), lambda: nn.BatchNorm1d(4), (3, 4)),
    (lambda: nn.LazyBatchNorm2d(affine=False), lambda: nn.BatchNorm2d(4, affine=False), (3, 4, 2, 2)),
    (
        lambda: nn.LazyBatchNorm3d(track_running_stats=False),
        lambda: nn.BatchNorm3d(4, track_running_stats=False),
        (3, 4, 2, 2, 2),
    ),
    (lambda: nn.LazyInstanceNorm1d(), lambda: nn.InstanceNorm1d(4, 1e-5, 0.1, True, True), (3, 4, 5)),
    (lambda: nn.LazyInstanceNorm2d(affine=False), lambda: nn.InstanceNorm2d(4, 1e-5, 0.1, False, True), (3, 4, 2, 2)),
    (lambda: nn.LazyInstanceNorm3d(), lambda: nn.InstanceNorm3d(4, 1e-5, 0.1, True, True), (3, 4, 2, 2, 2)),
]


def ids(value: Any) -> str | None:
    return type(value()).__name__ if callable(value) else None


def numbers(shape: tuple[int, ...], **options: Any) -> tg.Tensor:
    return tg.tensor(np.sin(np.arange(np.prod(shape)) ** 1.5).reshape(shape), dtype="float32", **options)


def same(one: nn.Module, other: nn.Module) -> None:
    assert type(one) is type(other)
    assert repr(one) == repr(other)
    assert list(one.state_dict()) == list(other.state_dict())
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert vars(one).keys() == vars(other).keys()


@pytest.mark.parametrize(("lazy", "ordinary", "shape"), PAIRS, ids=ids)
def test_the_first_input_makes_it_the_ordinary_layer(lazy, ordinary, shape: tuple, device: str) -> None:
    layer = lazy().to(device)
    assert type(layer).__name__.startswith("Lazy")
    assert "None" in repr(layer)
    before = [*layer.named_parameters(), *layer.named_buffers()]
    x = numbers(shape, device=device)
    tg.manual_seed(5)
    y = layer(x)
    tg.manual_seed(5)
    twin = ordinary().to(device)
    np.testing.assert_array_equal(y.numpy(), twin(x).numpy())
    same(layer, twin)
    for (name, tensor), (other, now) in zip(before, [*layer.named_parameters(), *layer.named_buffers()], strict=True):
        assert name == other
        assert tensor is now
        assert type(tensor) in (tg.Tensor, nn.Parameter)
    for parameter in layer.parameters():
        assert parameter.requires_grad
        assert parameter.device == device
    (layer(x) + numbers(shape[:1], device=device, requires_grad=True).sum()).sum().backward()
    assert all(parameter.grad.shape == parameter.shape for parameter in layer.parameters())


@pytest.mark.parametrize(("lazy", "ordinary", "shape"), PAIRS, ids=ids)
def test_a_state_makes_it_the_ordinary_layer(lazy, ordinary, shape: tuple) -> None:
    layer, twin = lazy(), ordinary()
    twin(numbers(shape))
    if not twin.state_dict():
        return
    layer.load_state_dict(twin.state_dict())
    same(layer, twin)
    model = nn.Sequential(nn.Identity(), lazy())
    model.load_state_dict({f"1.{name}": tensor.numpy() for name, tensor in twin.state_dict().items()})
    same(model[1], twin)


def test_the_signature_is_the_ordinary_one_without_the_size() -> None:
    assert list(inspect.signature(nn.LazyLinear).parameters) == ["out_features", "bias", "device", "dtype"]
    assert inspect.signature(nn.LazyInstanceNorm1d).parameters["affine"].default is True
    with pytest.raises(TypeError, match="out_features"):
        nn.LazyLinear()
    with pytest.raises(TypeError, match="in_features"):
        nn.LazyLinear(3, in_features=4)
    with pytest.raises(ValueError, match="LazyConv2d: kernel_size is 1 or more"):
        nn.LazyConv2d(3, 0)


def test_nothing_is_drawn_before_the_first_input() -> None:
    state = tg.random.get_rng_state()
    layer = nn.LazyLinear(3)
    layer.reset_parameters()
    assert tg.random.get_rng_state() == state


@pytest.mark.parametrize(
    "use",
    [
        lambda layer: tg.save(layer.state_dict(), io.BytesIO()),
        lambda layer: nn.LazyLinear(3).load_state_dict(layer.state_dict()),
        lambda layer: layer.weight + 1,
        lambda layer: layer.weight.sum(),
        lambda layer: layer.weight.shape,
        lambda layer: layer.weight.numpy(),
        lambda layer: layer.weight.data,
        lambda layer: nn.init.zeros_(layer.weight),
        lambda layer: nn.utils.parameters_to_vector(layer.parameters()),
        lambda layer: nn.utils.parametrizations.weight_norm(layer),
        lambda layer: nn.utils.parametrizations.spectral_norm(layer),
        lambda layer: sum((p * p).sum() for p in layer.parameters()),
        lambda layer: tg.optim.swa_utils.AveragedModel(layer).update_parameters(layer),
    ],
)
def test_used_too_early(use) -> None:
    layer = nn.LazyLinear(3)
    with pytest.raises(ValueError, match=r"no shape and no values yet.* call the model once with a batch"):
        use(layer)
    assert repr(layer.weight) == "UninitializedParameter(dtype=float32, device='cpu', requires_grad=True)"


def test_what_can_be_done_before() -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d(), nn.LazyLinear(1)).double()
    model[0].bias.requires_grad_(False)
    optimizer = tg.optim.Adam(model.named_parameters(), lr=0.1)
    assert "6 parameters, 0 values" in repr(optimizer)
    seen: list[str] = []
    model[0].weight.register_hook(lambda grad: seen.append("weight"))
    model[0].register_forward_hook(lambda *_: seen.append("forward"))
    model.zero_grad()
    optimizer.step()
    x = numbers((4, 2)).double()
    with tg.no_grad():
        model.eval()(x)
    assert not model[0].training
    assert [type(layer).__name__ for layer in model] == ["Linear", "BatchNorm1d", "Linear"]
    assert {str(p.dtype) for p in model.parameters()} == {"float64"}
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    model.train()(x).sum().backward()
    assert seen == ["forward", "forward", "weight"]
    optimizer.step()
    moved = [name for name, p in model.named_parameters() if (p.numpy() != before[name]).any()]
    assert "0.weight" in moved
    assert "0.bias" not in moved
    assert next(iter(optimizer.state_dict()["state"])) == "0.weight"


def test_copies_are_apart() -> None:
    layer = nn.LazyConv2d(2, 3)
    layer.weight.requires_grad_(False)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert type(twin) is nn.LazyConv2d
        assert twin(tg.ones((1, 5, 4, 4))).shape == (1, 2, 2, 2)
        assert not twin.weight.requires_grad
        assert type(layer) is nn.LazyConv2d


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (lambda: nn.LazyConv2d(2, 3), (5, 5), r"takes an input with 3 axes or more, got shape \(5, 5\)"),
        (lambda: nn.LazyConv2d(2, 3, groups=2), (3, 5, 5), "groups=2 must divide in_channels=3"),
        (lambda: nn.LazyConv2d(2, 3), (1, 1, 3, 5, 5), r"\(N, 3, H, W\)"),
        (lambda: nn.LazyBatchNorm2d(), (2, 3, 4), "takes an input of shape"),
        (lambda: nn.LazyLinear(2), (), "takes an input with 1 axes or more"),
    ],
)
def test_a_wrong_first_input_changes_nothing(layer, shape: tuple, words: str) -> None:
    layer = layer()
    kind, text = type(layer), repr(layer)
    for _ in range(2):
        with pytest.raises(ValueError, match=words):
            layer(tg.ones(shape))
        assert type(layer) is kind
        assert repr(layer) == text
        assert all(type(p) is nn.UninitializedParameter for p in layer.parameters())
    right = {"LazyConv2d": (2, 4, 5, 5), "LazyBatchNorm2d": (2, 4, 2, 2), "LazyLinear": (2, 4)}[kind.__name__]
    layer(tg.ones(right)).sum().backward()
    assert type(layer).__name__ == kind.__name__.removeprefix("Lazy")


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyLinear(2))
    state = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)).state_dict()
    with pytest.raises(tg.CheckpointError, match=r"1.bias of shape \(7,\), here \(2,\)"):
        model.load_state_dict({**state, "1.bias": tg.ones(7)})
    with pytest.raises(tg.CheckpointError, match=r"missing: 1.weight\n.*not fitting: 1.bias .* here of none so far"):
        model.load_state_dict({name: value for name, value in state.items() if name != "1.weight"})
    assert [type(layer) for layer in model] == [nn.LazyLinear] * 2
    model.load_state_dict({name: value for name, value in state.items() if name[0] == "0"}, strict=False)
    assert [type(layer) for layer in model] == [nn.Linear, nn.LazyLinear]
    assert model(tg.ones((5, 4))).shape == (5, 2)


def test_one_layer_in_two_places() -> None:
    layer = nn.LazyLinear(4)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    state = nn.Linear(4, 4).state_dict()
    model.load_state_dict({f"{i}.{name}": value for i in (0, 2) for name, value in state.items()})
    assert model[0] is model[2]
    np.testing.assert_array_equal(layer.weight.numpy(), state["weight"].numpy())


def test_a_summary_tells_the_sizes() -> None:
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))
    rows = nn.summary(model, (1, 5, 5)).rows
    assert [(row.kind, row.parameters) for row in rows[1:]] == [("Conv2d", 40), ("Flatten", 0), ("Linear", 74)]
    file = io.BytesIO()
    tg.save(model.state_dict(), file)


def test_training_goes_on_with_a_model_that_is_lazy_again(tmp_path: Path) -> None:
    x = numbers((24, 5)).numpy()
    data = DataLoader(TensorDataset(x, x.sum(axis=1, keepdims=True)), batch_size=8)

    def trainer(path: str) -> Trainer:
        tg.manual_seed(1)
        model = nn.Sequential(
            nn.LazyLinear(4), nn.LazyBatchNorm1d(), spectral_norm(weight_norm(nn.Linear(4, 1)), "bias")
        )
        optimizer = tg.optim.Adam(model.named_parameters(), lr=0.01)
        return Trainer(model, optimizer, nn.MSELoss(), checkpoint=tmp_path / path)

    straight = trainer("a.npz")
    straight.fit(data, epochs=3)
    trainer("b.npz").fit(data, epochs=1)
    second = trainer("b.npz")
    assert [type(layer).__name__ for layer in second.model][:2] == ["LazyLinear", "LazyBatchNorm1d"]
    second.fit(data, epochs=3, resume=True)
    assert second.history["epoch"] == [1, 2, 3]
    same(straight.model[0], second.model[0])
    same(straight.model[1], second.model[1])
    for a, b in zip(straight.model.parameters(), second.model.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_lazy_layer_of_ones_own() -> None:
    class Scale(nn.Module):
        def __init__(self, width: int, start: float = 1.0) -> None:
            super().__init__()
            self.width = width
            self.weight = nn.Parameter(np.full(width, start, "float32"))

        def forward(self, x: Any) -> Any:
            return x * self.weight

    class LazyScale(nn.lazy.Lazy, Scale):
        size = "width"

    layer = LazyScale(start=3.0)
    assert layer(tg.ones((2, 5))).tolist() == [[3] * 5] * 2
    assert type(layer) is Scale
    assert layer.width == 5
