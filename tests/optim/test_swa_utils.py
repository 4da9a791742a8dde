"""Averages of weights."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.optim.swa_utils import (
    SWALR,
    AveragedModel,
    get_ema_avg_fn,
    get_ema_multi_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)

VALUES = st.lists(st.floats(-10, 10), min_size=1, max_size=6)


def scalar() -> nn.Linear:
    return nn.Linear(1, 1, bias=False, dtype="float64")


def taken(model: nn.Module, averaged: AveragedModel, values: list[float]) -> float:
    for value in values:
        nn.init.constant_(model.weight, value)
        averaged.update_parameters(model)
    return averaged.module.weight.item()


@given(VALUES)
def test_the_mean_of_all(values: list[float]) -> None:
    model = scalar()
    averaged = AveragedModel(model)
    assert taken(model, averaged, values) == pytest.approx(np.mean(values), abs=1e-12)
    assert averaged.n_averaged.item() == len(values)


@given(VALUES, st.floats(0, 1))
def test_the_moving_average(values: list[float], decay: float) -> None:
    model, wanted = scalar(), values[0]
    for value in values[1:]:
        wanted = decay * wanted + (1 - decay) * value
    for given_function in ({"avg_fn": get_ema_avg_fn(decay)}, {"multi_avg_fn": get_ema_multi_avg_fn(decay)}):
        averaged = AveragedModel(model, **given_function)
        assert taken(model, averaged, values) == pytest.approx(wanted, abs=1e-12)


def test_an_average_of_ones_own() -> None:
    model, calls = scalar(), []

    def largest(averaged, now, count):
        calls.append(count)
        for array, value in zip(averaged, now):
            array[...] = np.maximum(array, value)

    assert taken(model, AveragedModel(model, multi_avg_fn=largest), [1.0, 3.0, 2.0]) == 3
    assert calls == [1, 2]
    assert taken(model, AveragedModel(model, multi_avg_fn=get_swa_multi_avg_fn()), [1.0, 3.0, 2.0]) == 2
    with pytest.raises(ValueError, match="avg_fn or multi_avg_fn, not both"):
        AveragedModel(model, avg_fn=get_ema_avg_fn(), multi_avg_fn=largest)


def test_the_copy_may_be_elsewhere() -> None:
    model = nn.Linear(2, 1)
    averaged = AveragedModel(model, "strict")
    averaged.update_parameters(model)
    averaged.update_parameters(model)
    assert {tensor.device for tensor in [*averaged.parameters(), *averaged.buffers()]} == {"strict"}
    np.testing.assert_allclose(averaged.module.weight.numpy(), model.weight.numpy())


def test_the_model_is_not_touched_and_the_average_is_saved_with_pytorchs_names(device: str) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).to(device)
    averaged = AveragedModel(model)
    averaged.update_parameters(model)
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    for parameter in model.parameters():
        parameter.data[...] += 1
    averaged.update_parameters(model)
    for name, value in before.items():
        shift = 0.5 if "weight" in name or "bias" in name else 0
        np.testing.assert_allclose(averaged.state_dict()[f"module.{name}"].numpy(), value + shift, rtol=1e-6)
    assert {"n_averaged", "module.0.weight", "module.1.running_mean"} <= set(averaged.state_dict())
    file = io.BytesIO()
    tg.save(averaged.state_dict(), file)
    file.seek(0)
    other = AveragedModel(model)
    other.load_state_dict(tg.load(file))
    for one in (averaged, other):
        one.update_parameters(model)
    for mine, theirs in zip(averaged.parameters(), other.parameters(), strict=True):
        assert np.array_equal(mine.numpy(), theirs.numpy())


def test_buffers_are_copied_or_averaged() -> None:
    model = nn.BatchNorm1d(1)
    copied, averaged = AveragedModel(model), AveragedModel(model, use_buffers=True)
    for mean in (1.0, 3.0):
        model.running_mean.data[...] = mean
        for each in (copied, averaged):
            each.update_parameters(model)
    assert copied.module.running_mean.item() == 3.0
    assert averaged.module.running_mean.item() == 2.0
    assert averaged.module.num_batches_tracked.dtype == "int64"


def test_float32_stays_and_gradients_are_not_averaged() -> None:
    model = nn.Linear(2, 2)
    averaged = AveragedModel(model, avg_fn=get_ema_avg_fn())
    for _ in range(2):
        averaged.update_parameters(model)
    assert averaged.module.weight.dtype == "float32"
    assert averaged(tg.ones((1, 2))).requires_grad
    assert averaged.module.weight.grad is None


def test_models_of_another_make_are_refused() -> None:
    averaged = AveragedModel(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="other parameters"):
        averaged.update_parameters(nn.Linear(2, 3))
    with pytest.raises(ValueError, match="decay is in"):
        get_ema_avg_fn(1.5)


def test_statistics_anew() -> None:
    rng = np.random.default_rng(0)
    batches = [tg.tensor(rng.normal(3, 2, size=(8, 4)).astype("float32")) for _ in range(5)]
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5)).eval()
    model[0].running_mean.data[...] = 100
    update_bn([(batch, None) for batch in batches], model)
    np.testing.assert_allclose(
        model[0].running_mean.numpy(), np.mean([batch.numpy().mean(0) for batch in batches], axis=0), rtol=1e-5
    )
    assert model[0].momentum == 0.1
    assert model[0].num_batches_tracked.item() == 5
    assert not model.training


def test_wrong_options_of_the_schedule() -> None:
    optimizer = tg.optim.SGD(scalar().parameters(), lr=1.0)
    with pytest.raises(ValueError, match="anneal_strategy"):
        SWALR(optimizer, 0.1, anneal_strategy="steps")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="anneal_epochs"):
        SWALR(optimizer, 0.1, anneal_epochs=-1)
    with pytest.raises(ValueError, match="swa_lr has 2 entries"):
        SWALR(optimizer, [0.1, 0.2])
