"""The table of a model."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


def model() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(144, 10)
    )


def test_the_table() -> None:
    net = model()
    net[0].requires_grad_(False)
    assert str(nn.summary(net, (1, 8, 8), batch_size=2)) == (
        "layer    kind         output shape  parameters\n"
        "----------------------------------------------\n"
        "(model)  Sequential   (2, 10)                -\n"
        "0        Conv2d       (2, 4, 6, 6)          40\n"
        "1        BatchNorm2d  (2, 4, 6, 6)           8\n"
        "2        ReLU         (2, 4, 6, 6)           -\n"
        "3        Dropout      (2, 4, 6, 6)           -\n"
        "4        Flatten      (2, 144)               -\n"
        "5        Linear       (2, 10)            1,450\n"
        "----------------------------------------------\n"
        "1,498 parameters, 1,458 trainable, 40 frozen; 6.0 kB"
    )


def test_the_model_is_left_as_it_was() -> None:
    net = model()
    net[1].eval()
    before = {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}
    state = tg.random.get_rng_state()
    nn.summary(net, (1, 8, 8))
    assert net.training
    assert not net[1].training
    assert tg.random.get_rng_state() == state
    assert not net[0]._forward_hooks
    assert not net[0]._forward_pre_hooks
    for name, tensor in net.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), before[name])


def test_a_model_that_fails_is_left_as_it_was() -> None:
    net = model()
    with pytest.raises(ValueError, match="Conv2d"):
        nn.summary(net, (3, 8, 8))
    assert net.training
    assert not net[0]._forward_hooks


def test_several_inputs_shared_and_unused_modules() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared = nn.Linear(2, 2)
            self.unused = nn.Linear(3, 3)

        def forward(self, x, y):
            return {"x": self.shared(x), "y": self.shared(y)}

    found = nn.summary(Net(), [(2,), (5, 2)])
    assert [(row.path, row.shape, row.parameters) for row in found.rows] == [
        ("", None, 0),
        ("shared", (1, 5, 2), 6),
        ("unused", None, 12),
    ]
    assert (found.total, found.trainable, found.nbytes) == (18, 18, 72)


def test_where_and_of_what_the_input_is() -> None:
    seen = []
    net = nn.Sequential(nn.Linear(2, 2, device="strict", dtype="float64"), nn.Lambda(lambda x: seen.append(x) or x))
    nn.summary(net, 2, dtype="float64")
    assert seen[0].device == "strict"
    assert seen[0].dtype == "float64"
    assert not seen[0].requires_grad
    assert nn.summary(nn.Identity(), ()).rows[0].shape == (1,)


def test_bytes_are_readable() -> None:
    assert "; 12 bytes" in str(nn.summary(nn.Linear(2, 1), 2))
    assert "; 4.0 MB" in str(nn.summary(nn.Linear(1000, 1000, bias=False), 1000))


def test_of_several_outputs_the_first_is_shown() -> None:
    assert [row.shape for row in nn.summary(nn.LSTM(3, 4, batch_first=True), (5, 3)).rows] == [(1, 5, 4)]
