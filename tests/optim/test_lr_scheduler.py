"""Schedules: what is not in the figures that were recorded from PyTorch."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.optim import lr_scheduler
from tensorgrad.optim.lr_scheduler import LRScheduler

Schedule = Callable[..., LRScheduler]

KINDS: dict[str, Schedule] = {
    "step": lambda optimizer, **k: lr_scheduler.StepLR(optimizer, 3, **k),
    "multistep": lambda optimizer, **k: lr_scheduler.MultiStepLR(optimizer, [2, 5, 9], **k),
    "exponential": lambda optimizer, **k: lr_scheduler.ExponentialLR(optimizer, 0.9, **k),
    "linear": lambda optimizer, **k: lr_scheduler.LinearLR(optimizer, total_iters=8, **k),
    "cosine": lambda optimizer, **k: lr_scheduler.CosineAnnealingLR(optimizer, 10, eta_min=0.01, **k),
    "onecycle": lambda optimizer, **k: lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=20, **k),
    "lambda": lambda optimizer, **k: lr_scheduler.LambdaLR(optimizer, [lambda e: 0.5**e, lambda e: 1 / (1 + e)], **k),
    "multiplicative": lambda optimizer, **k: lr_scheduler.MultiplicativeLR(optimizer, lambda e: 1 - 0.01 * e, **k),
    "constant": lambda optimizer, **k: lr_scheduler.ConstantLR(optimizer, 0.5, total_iters=8, **k),
    "polynomial": lambda optimizer, **k: lr_scheduler.PolynomialLR(optimizer, 12, power=2.0, **k),
    "restarts": lambda optimizer, **k: lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 4, T_mult=2, **k),
    "cyclic": lambda optimizer, **k: lr_scheduler.CyclicLR(optimizer, 0.1, 1.0, 3, 2, mode="triangular2", **k),
}


def in_turn(optimizer: tg.optim.Optimizer) -> LRScheduler:
    parts = [KINDS[kind](optimizer) for kind in ("linear", "restarts", "exponential")]
    return lr_scheduler.SequentialLR(optimizer, parts, [4, 9])


def at_once(optimizer: tg.optim.Optimizer) -> LRScheduler:
    return lr_scheduler.ChainedScheduler([KINDS[kind](optimizer) for kind in ("constant", "cosine")])


ALL: dict[str, Schedule] = {**KINDS, "sequential": in_turn, "chained": at_once}


def sgd(*rates: float) -> tg.optim.SGD:
    groups = [{"params": [tg.Tensor([0.0], requires_grad=True)], "lr": lr} for lr in rates or (0.5, 0.05)]
    return tg.optim.SGD(groups, momentum=0.9)


def rates(optimizer: tg.optim.Optimizer, schedule: LRScheduler, steps: int) -> list[list[float]]:
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize("kind", ALL)
def test_going_on_from_a_checkpoint_is_exact(kind: str) -> None:
    optimizer = sgd()
    schedule = ALL[kind](optimizer)
    rates(optimizer, schedule, 6)
    file = io.BytesIO()
    tg.save({"optimizer": optimizer.state_dict(), "schedule": schedule.state_dict()}, file)
    straight = rates(optimizer, schedule, 10)

    saved = tg.load(file)
    other = sgd()
    resumed = ALL[kind](other)
    other.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["schedule"])
    assert resumed.get_last_lr() == straight[0]
    assert rates(other, resumed, 10) == straight


@pytest.mark.parametrize("kind", KINDS)
def test_going_on_by_the_number_of_the_last_epoch(kind: str) -> None:
    optimizer = sgd()
    schedule = KINDS[kind](optimizer)
    rates(optimizer, schedule, 6)
    other = sgd()
    other.load_state_dict(optimizer.state_dict())
    resumed = KINDS[kind](other, last_epoch=5)
    assert resumed.last_epoch == schedule.last_epoch
    np.testing.assert_allclose(rates(other, resumed, 10), rates(optimizer, schedule, 10), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_learning_rates_are_pythons_floats(kind: str) -> None:
    optimizer = sgd(np.float64(0.5), np.float32(0.25))  # type: ignore[arg-type]
    for row in rates(optimizer, KINDS[kind](optimizer), 8):
        assert [type(lr) for lr in row] == [float, float]
    assert all(type(group["momentum"]) is float for group in optimizer.param_groups)


def test_a_function_may_return_numpys_floats() -> None:
    optimizer = sgd(0.5)
    lr_scheduler.LambdaLR(optimizer, lambda epoch: np.cos(epoch))
    assert type(optimizer.param_groups[0]["lr"]) is float


def test_beginning_in_the_middle_needs_the_beginning() -> None:
    with pytest.raises(KeyError, match="load the optimizer's state first"):
        lr_scheduler.StepLR(sgd(), 3, last_epoch=4)


def test_a_whole_number_may_be_a_float() -> None:
    optimizer = sgd(1.0)
    schedule = lr_scheduler.StepLR(optimizer, 2.0, gamma=0.5)  # type: ignore[arg-type]
    assert [row[0] for row in rates(optimizer, schedule, 4)] == [1.0, 1.0, 0.5, 0.5]


def test_changes_by_hand_stay() -> None:
    optimizer = sgd(1.0)
    schedule = lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    rates(optimizer, schedule, 2)
    optimizer.param_groups[0]["lr"] = 10.0
    assert [row[0] for row in rates(optimizer, schedule, 4)] == [10.0, 10.0, 5.0, 5.0]


@given(st.integers(1, 30), st.integers(0, 70), st.floats(0, 0.4))
def test_cosine_is_the_cosine(period: int, epoch: int, least: float) -> None:
    optimizer = sgd(0.5)
    schedule = lr_scheduler.CosineAnnealingLR(optimizer, period, eta_min=least)
    for _ in range(epoch):
        optimizer.step()
        schedule.step()
    wanted = least + (0.5 - least) * (1 + np.cos(np.pi * epoch / period)) / 2
    assert optimizer.param_groups[0]["lr"] == pytest.approx(wanted, abs=1e-9)


@given(st.integers(1, 40), st.floats(0, 1), st.booleans(), st.sampled_from(["cos", "linear"]))
def test_one_cycle_stays_within_its_bounds(steps: int, up: float, three: bool, strategy: Any) -> None:
    optimizer = sgd(0.5)
    schedule = lr_scheduler.OneCycleLR(
        optimizer, 2.0, total_steps=steps, pct_start=min(up, 0.5) if three else up, three_phase=three,
        anneal_strategy=strategy,
    )  # fmt: skip
    for _ in range(steps):
        (lr,) = schedule.get_last_lr()
        assert 2 / 25 / 1e4 * (1 - 1e-9) <= lr <= 2 * (1 + 1e-9)
        assert 0.85 - 1e-9 <= optimizer.param_groups[0]["momentum"] <= 0.95 + 1e-9
        optimizer.step()
        schedule.step()
    assert schedule.get_last_lr() == pytest.approx([2 / 25 / 1e4])
    with pytest.raises(ValueError, match=f"made for {steps} steps"):
        schedule.step()


def test_a_schedule_before_the_first_step_is_told() -> None:
    optimizer = sgd()
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    with pytest.warns(UserWarning, match=r"ExponentialLR.step\(\) was called before optimizer.step\(\)"):
        schedule.step()
    optimizer = sgd()
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
        schedule.step()


def test_a_new_group_needs_a_new_schedule() -> None:
    optimizer = sgd()
    schedule = lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    optimizer.add_param_group({"params": tg.Tensor([0.0], requires_grad=True)})
    optimizer.step()
    with pytest.raises(ValueError, match="made for 2 parameter groups, the optimizer has 3"):
        schedule.step()


def test_a_state_of_another_kind_is_refused() -> None:
    schedule = lr_scheduler.StepLR(sgd(), 3)
    before = schedule.state_dict()
    with pytest.raises(ValueError, match=r"of a StepLR: missing \['step_size'\], unexpected \[\]"):
        schedule.load_state_dict(lr_scheduler.ExponentialLR(sgd(), 0.5).state_dict())
    assert schedule.state_dict() == before


def test_a_plateaus_state_goes_through_a_file() -> None:
    optimizer = sgd()
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, min_lr=[0.01, 0.02], cooldown=1)
    for loss in (3.0, 2.0, 2.0):
        schedule.step(tg.Tensor(loss))
    file = io.BytesIO()
    tg.save(schedule.state_dict(), file)
    other = sgd()
    resumed = lr_scheduler.ReduceLROnPlateau(other)
    resumed.load_state_dict(tg.load(file))
    for _ in range(6):
        schedule.step(2.0)
        resumed.step(2.0)
        assert other.param_groups[1]["lr"] == optimizer.param_groups[1]["lr"]
    assert schedule.get_last_lr() == [0.01, 0.02]


def test_a_plateau_takes_nan_for_no_improvement() -> None:
    optimizer = sgd(1.0)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    for loss in (float("nan"), 1.0, float("nan")):
        schedule.step(loss)
    assert schedule.get_last_lr() == [0.25]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda o: lr_scheduler.StepLR(o, 0), "step_size is a positive integer, got 0"),
        (lambda o: lr_scheduler.StepLR(o, 2.5), "step_size is a positive integer"),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 0), "T_max"),
        (lambda o: lr_scheduler.LinearLR(o, start_factor=0.0), "start_factor"),
        (lambda o: lr_scheduler.LinearLR(o, end_factor=1.5), "end_factor"),
        (lambda o: lr_scheduler.LinearLR(o, total_iters=0), "total_iters"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0), "total_steps, or both"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=-1), "total_steps"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=5, pct_start=1.5), "pct_start"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=5, anneal_strategy="sine"), "anneal_strategy"),
        (lambda o: lr_scheduler.OneCycleLR(o, [1.0], total_steps=5), "max_lr has 1 entries for 2"),
        (lambda o: lr_scheduler.LambdaLR(o, [abs]), "lr_lambda has 1 entries for 2"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1.0), "factor must be below 1"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, mode="least"), "'least'"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, min_lr=[0.1]), "min_lr has 1 entries"),
    ],
)
def test_options_out_of_range_change_nothing(make: Schedule, words: str) -> None:
    optimizer = sgd()
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=words):
        make(optimizer)
    assert optimizer.state_dict() == before


@pytest.mark.parametrize("kind", KINDS)
def test_only_optimizers_have_schedules(kind: str) -> None:
    with pytest.raises(TypeError, match="takes an optimizer, got Tensor"):
        KINDS[kind](tg.Tensor([1.0]))


def test_one_cycle_without_momentum_to_set() -> None:
    class Plain(tg.optim.Optimizer):
        def update(self, xp: Any, param: Any, grad: Any, state: Any, lr: float) -> None:
            param -= lr * grad

    optimizer = Plain([tg.Tensor([0.0], requires_grad=True)], {"lr": 0.1})
    with pytest.raises(ValueError, match="cycle_momentum=False"):
        lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=5)
    lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=5, cycle_momentum=False)


def test_repr() -> None:
    assert repr(lr_scheduler.StepLR(sgd(), 3)) == "StepLR(epoch=0, lr=0.5, 0.05)"


def test_sequences_begin_each_schedule_anew() -> None:
    optimizer = sgd(1.0)
    parts = [lr_scheduler.ExponentialLR(optimizer, 0.5), lr_scheduler.StepLR(optimizer, 2, gamma=0.1)]
    schedule = lr_scheduler.SequentialLR(optimizer, parts, milestones=[3])
    assert [row[0] for row in rates(optimizer, schedule, 6)] == [1.0, 0.5, 0.25, 1.0, 1.0, 0.1]


@pytest.mark.parametrize(
    ("milestones", "words"),
    [([], "2 schedules need 1 milestones"), ([0], "epochs above 0 that rise"), ([2, 3], "need 1 milestones")],
)
def test_sequences_need_a_milestone_for_each_change(milestones: list[int], words: str) -> None:
    optimizer = sgd(1.0)
    parts = [KINDS["exponential"](optimizer), KINDS["step"](optimizer)]
    with pytest.raises(ValueError, match=words):
        lr_scheduler.SequentialLR(optimizer, parts, milestones)


def test_several_schedules_are_of_one_optimizer_and_need_no_figure() -> None:
    one, other = sgd(1.0), sgd(1.0)
    with pytest.raises(ValueError, match="of several optimizers"):
        lr_scheduler.ChainedScheduler([KINDS["step"](one), KINDS["step"](other)])
    with pytest.raises(ValueError, match="needs a figure"):
        lr_scheduler.ChainedScheduler([lr_scheduler.ReduceLROnPlateau(one)])
    with pytest.raises(ValueError, match="no schedules"):
        lr_scheduler.ChainedScheduler([])
    with pytest.raises(TypeError, match="takes schedules, got SGD"):
        lr_scheduler.ChainedScheduler([one])  # type: ignore[list-item]


def test_a_state_of_another_make_up_changes_nothing() -> None:
    optimizer = sgd(1.0)
    schedule = in_turn(optimizer)
    rates(optimizer, schedule, 5)
    before = schedule.state_dict()
    broken = schedule.state_dict()
    broken["schedulers"][2] = {}
    for state in (broken, {**before, "schedulers": []}, {"schedulers": before["schedulers"]}):
        with pytest.raises(ValueError):
            schedule.load_state_dict(state)
        assert schedule.state_dict() == before


@given(st.integers(1, 9), st.integers(1, 3), st.integers(0, 60))
def test_restarts_may_be_asked_for_any_place(first: int, times: int, epoch: int) -> None:
    optimizer = sgd(1.0)
    schedule = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, first, T_mult=times)
    for _ in range(epoch):
        optimizer.step()
        schedule.step()
    asked = lr_scheduler.CosineAnnealingWarmRestarts(sgd(1.0), first, T_mult=times)
    asked.step(epoch)
    assert asked.get_last_lr() == schedule.get_last_lr()
    assert asked.last_epoch == schedule.last_epoch == epoch


def test_restarts_within_an_epoch() -> None:
    schedule = lr_scheduler.CosineAnnealingWarmRestarts(sgd(1.0), 2)
    schedule.step(2.5)
    assert schedule.get_last_lr() == [pytest.approx((1 + np.cos(np.pi / 4)) / 2)]
    with pytest.raises(ValueError, match="0 or greater"):
        schedule.step(-1)


def test_cycles_of_a_height_of_ones_own() -> None:
    optimizer = sgd(0.3)
    by_cycle = lr_scheduler.CyclicLR(optimizer, 0.0, 1.0, 2, scale_fn=lambda cycle: 1 / cycle)
    assert [round(row[0], 6) for row in rates(optimizer, by_cycle, 8)] == [0, 0.5, 1, 0.5, 0, 0.25, 0.5, 0.25]
    by_step = lr_scheduler.CyclicLR(
        optimizer, 0.0, 1.0, 1, scale_fn=lambda step: 1 / step if step else 0, scale_mode="iterations"
    )
    assert [round(row[0], 6) for row in rates(optimizer, by_step, 4)] == [0, 1, 0, round(1 / 3, 6)]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, mode="round"), "mode is 'triangular'"),
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, scale_mode="round"), "scale_mode is"),
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, step_size_up=0), "step_size_up"),
        (lambda o: lr_scheduler.CyclicLR(o, [0.1], 1.0), "base_lr has 1 entries"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), "T_0"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3, T_mult=1.5), "T_mult"),
        (lambda o: lr_scheduler.ConstantLR(o, factor=0), "factor must be"),
        (lambda o: lr_scheduler.PolynomialLR(o, total_iters=0), "total_iters"),
        (lambda o: lr_scheduler.MultiplicativeLR(o, [lambda e: 1.0]), "lr_lambda has 1 entries"),
    ],
)
def test_options_out_of_range_of_the_later_ones(make: Schedule, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(sgd())


def test_cycles_of_momentum_need_a_momentum() -> None:
    optimizer = tg.optim.Adagrad([tg.Tensor([0.0], requires_grad=True)])
    with pytest.raises(ValueError, match="neither momentum nor betas"):
        lr_scheduler.CyclicLR(optimizer, 0.1, 1.0)
    lr_scheduler.CyclicLR(optimizer, 0.1, 1.0, cycle_momentum=False)
