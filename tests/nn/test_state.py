"""The state of a module: what it holds, and loading it whole or not at all."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import CheckpointError, nn


def model() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2))


def values(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in module.state_dict().items()}


def assert_same(a: dict, b: dict) -> None:
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_names_are_pytorchs() -> None:
    assert list(model().state_dict()) == [
        *("0.weight", "0.bias"),
        *("1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"),
        *("3.weight", "3.bias"),
    ]
    assert list(nn.Linear(1, 1).state_dict("head.")) == ["head.weight", "head.bias"]


def test_the_state_shares_memory_and_has_no_graph() -> None:
    layer = nn.Linear(2, 1)
    state = layer.state_dict()
    assert state["weight"].data is layer.weight.data
    assert not state["weight"].requires_grad
    assert type(state["weight"]) is tg.Tensor


@pytest.mark.parametrize("kind", ["tensors", "arrays"])
def test_what_was_saved_is_loaded(kind: str) -> None:
    source, target = model(), model()
    source(tg.randn(4, 1, 4, 4))
    state = source.state_dict() if kind == "tensors" else values(source)
    parameters, arrays = list(target.parameters()), [p.data for p in target.parameters()]
    result = target.load_state_dict(state)
    assert result == ([], [])
    assert result.missing_keys == result.unexpected_keys == []
    assert_same(values(source), values(target))
    assert target[1].num_batches_tracked.item() == 1
    for parameter, before, array in zip(target.parameters(), parameters, arrays, strict=True):
        assert parameter is before
        assert parameter.data is array
        assert parameter.version == 1 or parameter.version == before.version


def test_loading_is_an_in_place_change() -> None:
    layer = nn.Linear(2, 1)
    x = tg.ones((1, 2), requires_grad=True)
    loss = layer(x).sum()
    layer.load_state_dict(nn.Linear(2, 1).state_dict())
    with pytest.raises(tg.GradientError, match="changed in place afterwards, by 'load_state_dict'"):
        loss.backward()


def test_the_module_keeps_its_dtype_and_device() -> None:
    layer = nn.Linear(2, 1, device="strict")
    layer.load_state_dict({"weight": np.array([[1.5, 2.5]]), "bias": [3]})
    assert layer.weight.dtype == layer.bias.dtype == "float32"
    assert layer.weight.device == "strict"
    assert layer.weight.tolist() == [[1.5, 2.5]]
    assert layer.bias.tolist() == [3]


def test_all_that_does_not_fit_is_listed_and_nothing_is_changed() -> None:
    target = model()
    before = values(target)
    state = {name: np.full_like(value, 7) for name, value in before.items()}
    del state["0.bias"], state["1.running_var"]
    state["3.weight"] = np.zeros((2, 9))
    state["1.weight"] = np.zeros((2, 1))
    state["4.weight"] = np.zeros(1)
    state["head"] = np.zeros(1)
    with pytest.raises(CheckpointError) as caught:
        target.load_state_dict(state)
    assert str(caught.value).splitlines() == [
        "the state does not fit Sequential, and nothing was loaded:",
        "  missing: 0.bias, 1.running_var",
        "  unexpected: 4.weight, head",
        "  not fitting: 1.weight of shape (2, 1), here (2,), 3.weight of shape (2, 9), here (2, 8)",
    ]
    assert_same(values(target), before)


def test_a_part_can_be_loaded_if_asked_for() -> None:
    target = model()
    before = values(target)
    result = target.load_state_dict({"3.bias": np.ones(2), "head": np.ones(2)}, strict=False)
    assert result.missing_keys == [name for name in before if name != "3.bias"]
    assert result.unexpected_keys == ["head"]
    assert target[3].bias.tolist() == [1, 1]
    np.testing.assert_array_equal(target[0].weight.numpy(), before["0.weight"])
    with pytest.raises(CheckpointError, match=r"3.bias of shape \(3,\), here \(2,\)"):
        target.load_state_dict({"3.bias": np.ones(3)}, strict=False)


def test_values_that_are_no_numbers() -> None:
    layer = nn.Linear(2, 1)
    with pytest.raises(CheckpointError, match="bias of dtype complex128, here float32"):
        layer.load_state_dict({"weight": np.ones((1, 2)), "bias": np.ones(1, complex)})
    with pytest.raises(TypeError, match="expected numbers"):
        layer.load_state_dict({"weight": np.ones((1, 2)), "bias": "yes"})


def test_a_state_from_before_batches_were_counted() -> None:
    target, state = model(), values(model())
    target[1].num_batches_tracked.fill_(5)
    assert state.pop("1.num_batches_tracked") == 0
    assert target.load_state_dict(state) == ([], [])
    assert target[1].num_batches_tracked.item() == 5
    np.testing.assert_array_equal(target[1].running_mean.numpy(), state["1.running_mean"])
    del state["1.running_mean"]
    with pytest.raises(CheckpointError, match=r"missing: 1.running_mean, 1.num_batches_tracked"):
        target.load_state_dict(state)


def test_what_may_be_meant_is_told() -> None:
    target = model()
    whole = {"epoch": 3, "model": target.state_dict(), 5: None}
    with pytest.raises(CheckpointError, match=r"unexpected: epoch, model, 5\n  its entry 'model' is a state"):
        target.load_state_dict(whole)
    parallel = {f"module.{name}": tensor for name, tensor in target.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"  without 'module.', with which all its names begin"):
        target.load_state_dict(parallel)
    for other in ({}, {"module.head": np.zeros(1)}):
        with pytest.raises(CheckpointError) as caught:
            target.load_state_dict(other)
        assert "begin" not in str(caught.value)


def test_values_are_converted_before_anything_is_changed() -> None:
    target = model()
    before = values(target)
    state = {name: np.full_like(value, 7) for name, value in before.items()}
    state["3.bias"] = np.full(2, 1e300)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        target.load_state_dict(state)
    assert_same(values(target), before)


def test_shared_parameters_are_in_the_state_twice() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(2, 2)
            self.second = nn.Linear(2, 2)
            self.second.weight = self.first.weight

    source, target = Tied(), Tied()
    assert set(source.state_dict()) == {"first.weight", "first.bias", "second.weight", "second.bias"}
    target.load_state_dict(source.state_dict())
    assert target.first.weight is target.second.weight
    np.testing.assert_array_equal(target.first.weight.numpy(), source.first.weight.numpy())


def test_scratch_buffers_are_not_in_the_state() -> None:
    module = nn.Module()
    module.register_buffer("table", tg.ones(3), persistent=False)
    module.register_buffer("nothing", None)
    assert module.state_dict() == {}
    assert [name for name, _ in module.named_buffers()] == ["table"]


@pytest.mark.parametrize("given", [None, [], tg.ones(2), "model.npz"])
def test_what_is_no_state(given) -> None:
    with pytest.raises(TypeError, match=r"takes a dict of Tensors .* got (NoneType|list|Tensor|str)"):
        tg.nn.Linear(2, 1).load_state_dict(given)


def test_a_module_is_no_state() -> None:
    with pytest.raises(TypeError, match=r"got Linear: give its state_dict\(\)"):
        tg.nn.Linear(2, 1).load_state_dict(tg.nn.Linear(2, 1))
