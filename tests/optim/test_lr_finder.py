"""The learning-rate finder: what it finds, that it leaves no trace, and what it refuses."""

from __future__ import annotations

import builtins
import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.optim import LRCurve, find_lr


@pytest.fixture
def work():
    """A network with running means and dropout, an optimizer that has stepped, and batches in random order."""
    tg.manual_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 8)).astype("float32")
    y = (x @ rng.normal(size=(8, 1)).astype("float32")) ** 2
    model = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
    first, last = [*model[0].parameters()], [*model[4].parameters()]
    optimizer = tg.optim.SGD([{"params": first}, {"params": last, "lr": 0.5}], lr=1.0, momentum=0.9)
    batches = tg.data.DataLoader(tg.data.TensorDataset(x, y), batch_size=32, shuffle=True)
    return model, optimizer, batches


def everything(model, optimizer):
    arrays = {name: tensor.numpy().tolist() for name, tensor in model.state_dict().items()}
    state = optimizer.state_dict()
    kept = {name: {k: np.asarray(v).tolist() for k, v in own.items()} for name, own in state["state"].items()}
    return arrays, kept, state["param_groups"], optimizer.stepped, tg.random.get_rng_state()


def test_a_curve_is_shown_in_a_line() -> None:
    rates = (1e-3, 1e-2, 1e-1, 1.0)
    falling, flat = (2.0, 1.5, 1.0, 4.0), (1.0,) * 4
    assert repr(LRCurve(rates, falling, falling)) == "LRCurve(4 steps from 0.001 to 1, steepest at 0.01, least at 0.1)"
    assert repr(LRCurve(rates, flat, flat)) == "LRCurve(4 steps from 0.001 to 1, falling nowhere)"


def test_it_finds_rates_that_train(work) -> None:
    model, optimizer, batches = work
    curve = find_lr(model, optimizer, nn.MSELoss(), batches)
    assert 1e-4 < curve.steepest < curve.at_minimum < 1
    assert len(curve.lrs) == len(curve.losses) == len(curve.smoothed) < 100
    assert curve.lrs[0] == 1e-7
    np.testing.assert_allclose(np.diff(np.log(curve.lrs)), math.log(1e8) / 99, rtol=1e-9)


@pytest.mark.parametrize("stepped", [False, True])
def test_everything_is_as_it_was(work, stepped: bool) -> None:
    model, optimizer, batches = work
    if stepped:
        nn.functional.mse_loss(model(tg.ones((4, 8))), tg.ones((4, 1))).backward()
        optimizer.step()
    before = everything(model, optimizer)
    curve = find_lr(model, optimizer, nn.MSELoss(), batches, num_iter=30)
    assert everything(model, optimizer) == before
    assert all(parameter.grad is None for parameter in model.parameters())
    assert find_lr(model, optimizer, nn.MSELoss(), batches, num_iter=30) == curve


def test_everything_is_as_it_was_after_an_error(work) -> None:
    model, optimizer, batches = work
    before, count = everything(model, optimizer), 0

    def criterion(output, target):
        nonlocal count
        count += 1
        if count > 5:
            raise KeyboardInterrupt
        return nn.functional.mse_loss(output, target)

    with pytest.raises(KeyboardInterrupt):
        find_lr(model, optimizer, criterion, batches)
    assert everything(model, optimizer) == before


def test_groups_keep_their_ratio(work) -> None:
    model, optimizer, batches = work
    rates = []

    def criterion(output, target):
        rates.append([group["lr"] for group in optimizer.param_groups])
        return nn.functional.mse_loss(output, target)

    curve = find_lr(model, optimizer, criterion, batches, num_iter=10, end_lr=1e-3)
    np.testing.assert_allclose(rates, np.array(curve.lrs)[:, None] * [1.0, 0.5])


def test_a_loss_below_zero_is_no_divergence() -> None:
    model = nn.Linear(1, 1)
    x = tg.ones((4, 1))
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    curve = find_lr(model, optimizer, lambda y, t: ((y - t) ** 2).mean() - 5, [(x, x)], start_lr=1e-3, end_lr=0.3)
    assert len(curve.lrs) == 100
    assert min(curve.smoothed) < -4


def test_the_steepest_place() -> None:
    lrs = tuple(10.0**k for k in range(-6, 2))
    curve = LRCurve(lrs, (8.0, 7.9, 7.0, 4.0, 2.0, 1.5, 3.0, 9.0), (8.0, 7.9, 7.0, 4.0, 2.0, 1.5, 3.0, 9.0))
    assert curve.steepest == 10.0**-3
    assert curve.at_minimum == 10.0**-1
    with pytest.raises(ValueError, match="does not fall at any learning rate from 1e-06 to 10"):
        LRCurve(lrs, lrs, lrs).steepest  # noqa: B018


def test_the_plot(tmp_path, monkeypatch) -> None:
    pytest.importorskip("matplotlib")
    lrs = tuple(10.0**k for k in range(-6, 2))
    for losses in ((8.0, 7.9, 7.0, 4.0, 2.0, 1.5, 3.0, 9.0), lrs):
        axes = LRCurve(lrs, losses, losses).plot()
        axes.figure.savefig(tmp_path / "curve.png")
        assert (axes.get_xscale(), axes.get_xlabel(), axes.get_ylabel()) == ("log", "learning rate", "loss")
        assert LRCurve(lrs, losses, losses).plot(axes) is axes


def test_the_plot_without_matplotlib(monkeypatch) -> None:
    imported = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        LRCurve((1.0, 2.0), (1.0, 2.0), (1.0, 2.0)).plot()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start_lr": 1.0, "end_lr": 0.1}, "0 < start_lr < end_lr, got 1.0 and 0.1"),
        ({"start_lr": 0.0}, "0 < start_lr < end_lr, got 0.0"),
        ({"num_iter": 3}, "4 steps or more, got num_iter=3"),
        ({"smoothing": 1.0}, r"a smoothing in \[0, 1\), got 1.0"),
        ({"diverged": 1.0}, "diverged above 1"),
        ({"start_lr": 1e6, "end_lr": 1e9}, "saw only . losses that are numbers and do not diverge, from .* 1e[+]06 on"),
    ],
)
def test_what_is_refused(work, options: dict, words: str) -> None:
    model, optimizer, batches = work
    with pytest.raises(ValueError, match=words), np.errstate(all="ignore"):
        find_lr(model, optimizer, nn.MSELoss(), batches, **options)


def test_batches_that_are_used_up(work) -> None:
    model, optimizer, batches = work
    with pytest.raises(ValueError, match=r"got no batches\. Was an iterator used up"):
        find_lr(model, optimizer, nn.MSELoss(), iter(batches))
