"""A network trained from end to end: the same on every device, repeatable, resumable, and better than at the start."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tests import strict


def network() -> nn.Sequential:
    tg.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


OPTIMIZERS = {
    "SGD": lambda model: tg.optim.SGD(model.named_parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4),
    "Adam": lambda model: tg.optim.Adam(model.named_parameters(), lr=1e-2, amsgrad=True),
    "AdamW": lambda model: tg.optim.AdamW(model.named_parameters(), lr=1e-2),
    "RMSprop": lambda model: tg.optim.RMSprop(model.named_parameters(), lr=1e-3, momentum=0.5, centered=True),
}


def batches(device: str = "cpu", count: int = 4) -> list[tuple[tg.Tensor, tg.Tensor]]:
    images, labels = tg.data.load_digits("train")
    dataset = tg.data.TensorDataset(images[: 32 * count], labels[: 32 * count])
    return list(tg.data.DataLoader(dataset, batch_size=32, shuffle=True, seed=0, device=device))


def train(model: nn.Module, optimizer: tg.optim.Optimizer, data: list[tuple[tg.Tensor, tg.Tensor]]) -> list[float]:
    losses = []
    for x, y in data:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_on_every_device(name, device):
    expected = network()
    losses = train(expected, OPTIMIZERS[name](expected), batches())
    model = network().to(device)
    found = train(model, OPTIMIZERS[name](model), batches(device))
    np.testing.assert_allclose(found, losses, rtol=2e-4)
    assert all(parameter.device == device and parameter.dtype == "float32" for parameter in model.parameters())
    for (key, a), b in zip(expected.state_dict().items(), model.state_dict().values(), strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-3, atol=1e-4, err_msg=key)


def test_a_training_step_does_not_wait_for_the_host():
    model = network().to("strict")
    optimizer = OPTIMIZERS["SGD"](model)
    ((x, y),) = batches("strict", count=1)
    with strict.count_transfers() as count:
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert dict(count.to_host) == {}


def test_the_same_twice():
    runs = []
    for _ in range(2):
        model = network()
        runs.append(train(model, OPTIMIZERS["Adam"](model), batches()))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_goes_on_exactly_from_a_checkpoint(name, tmp_path):
    model = network()
    optimizer = OPTIMIZERS[name](model)
    data = batches()
    train(model, optimizer, data[:2])
    tg.save(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "random": tg.get_rng_state()},
        tmp_path / "checkpoint.npz",
    )
    expected = train(model, optimizer, data[2:])

    again = network()
    optimizer = OPTIMIZERS[name](again)
    saved = tg.load(tmp_path / "checkpoint.npz")
    again.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    tg.set_rng_state(saved["random"])
    assert train(again, optimizer, data[2:]) == expected
    for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
        assert np.array_equal(a.numpy(), b.numpy())


def test_learns():
    model = network()
    optimizer = OPTIMIZERS["Adam"](model)
    data = batches(count=10)
    losses = [np.mean(train(model, optimizer, data)) for _ in range(5)]
    assert losses[-1] < 0.3 * losses[0]


def test_gradient_descent_on_one_image_lowers_the_error_as_in_the_document():
    tg.manual_seed(0)
    target = tg.tensor([0.0, 0.0, 1.0, 0.0])
    scores = tg.log(tg.tensor([0.2, 0.4, 0.1, 0.3])).requires_grad_()
    optimizer = tg.optim.SGD([scores], lr=1.0)
    errors = []
    for _ in range(50):
        optimizer.zero_grad()
        error = nn.functional.half_squared_error(tg.softmax(scores), target)
        errors.append(error.item())
        error.backward()
        optimizer.step()
    assert errors[0] == pytest.approx(0.55)
    assert all(after < before for before, after in itertools.pairwise(errors))
    assert errors[-1] < 0.06
