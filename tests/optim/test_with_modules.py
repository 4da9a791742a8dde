"""Optimizers and the parameters of a model: names, freezing, moving, checkpoints of both."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter


class Layer(Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        values = np.linspace(-1, 1, inputs * outputs, dtype="float32").reshape(inputs, outputs)
        self.weight = Parameter(values)
        self.bias = Parameter(np.zeros(outputs, "float32"))

    def forward(self, x: tg.Tensor) -> Any:
        return tg.tanh(x @ self.weight + self.bias)


class Net(Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Layer(3, 4), Layer(4, 2)

    def forward(self, x: tg.Tensor) -> Any:
        return self.second(self.first(x))


def train(net: Net, optimizer: tg.optim.Optimizer, steps: int, device: str = "cpu") -> list[float]:
    x = tg.Tensor(np.sin(np.arange(15, dtype="float32")).reshape(5, 3), device=device)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = ((net(x) - 0.5) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_training_lowers_the_loss_and_state_has_the_parameters_names(device: str) -> None:
    net = Net().to(device)
    optimizer = tg.optim.Adam(net.named_parameters(), lr=0.05)
    losses = train(net, optimizer, 30, device)
    assert losses[-1] < losses[0] / 20
    assert list(optimizer.state_dict()["state"]) == ["first.weight", "first.bias", "second.weight", "second.bias"]
    assert all(param.dtype == "float32" and param.device == device for param in net.parameters())


def test_going_on_from_a_file_is_exact(device: str) -> None:
    def fresh() -> tuple[Net, tg.optim.Optimizer, tg.optim.lr_scheduler.LRScheduler]:
        net = Net().to(device)
        optimizer = tg.optim.AdamW(net.named_parameters(), lr=0.05, amsgrad=True)
        return net, optimizer, tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)

    parts = net, optimizer, schedule = fresh()
    train(net, optimizer, 4, device)
    schedule.step()
    file = io.BytesIO()
    tg.save([part.state_dict() for part in parts], file)
    straight = train(net, optimizer, 5, device)

    others = fresh()
    for part, state in zip(others, tg.load(file, device), strict=True):
        part.load_state_dict(state)
    assert train(others[0], others[1], 5, device) == straight


def test_a_model_that_moves_takes_the_state_along() -> None:
    net, twin = Net(), Net()
    optimizer = tg.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    other = tg.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9)
    train(net, optimizer, 3)
    train(twin, other, 3)
    net.to("strict")
    np.testing.assert_allclose(train(net, optimizer, 3, "strict"), train(twin, other, 3), rtol=1e-5)


def test_frozen_parameters_stay_and_may_be_thawed() -> None:
    net = Net()
    net.first.requires_grad_(False)
    before = net.first.weight.numpy().copy()
    optimizer = tg.optim.Adam(net.named_parameters(), lr=0.05)
    train(net, optimizer, 2)
    np.testing.assert_array_equal(net.first.weight.numpy(), before)
    assert list(optimizer.state_dict()["state"]) == ["second.weight", "second.bias"]
    net.first.requires_grad_(True)
    train(net, optimizer, 1)
    assert (net.first.weight.numpy() != before).all()


def test_a_model_is_saved_by_its_state() -> None:
    with pytest.raises(TypeError, match=r"checkpoint is a Net, .* save\(model.state_dict\(\), ...\)"):
        tg.save(Net(), io.BytesIO())
    with pytest.raises(TypeError, match="got Net"):
        tg.optim.SGD(Net())  # type: ignore[arg-type]


def test_parameters_come_back_as_tensors() -> None:
    file = io.BytesIO()
    tg.save(dict(Net().named_parameters()), file)
    loaded = tg.load(file)
    assert {type(value) for value in loaded.values()} == {tg.Tensor}
    assert not any(value.requires_grad for value in loaded.values())
