"""Twenty steps of every optimizer, and thirty of every schedule, are PyTorch's; its figures are in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import backend
from tensorgrad.optim import lr_scheduler

RECORD: dict[str, Any] = json.loads((Path(__file__).parent / "trajectories.json").read_text())


def called(case: dict[str, Any]) -> str:
    return case["name"] + "".join(f"-{key}={value}" for key, value in case["options"].items())


def tensor(flat: list[float], shape: list[int], dtype: str, device: str) -> tg.Tensor:
    return tg.Tensor(np.array(flat, dtype).reshape(shape), device=device)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", RECORD["optimizers"], ids=called)
def test_twenty_steps_are_pytorchs(case: dict[str, Any], dtype: str, device: str) -> None:
    pairs = list(zip(RECORD["start"], RECORD["shapes"], strict=True))
    params = [tensor(flat, shape, dtype, device).requires_grad_() for flat, shape in pairs]
    arrays = [param.data for param in params]
    options = {key: np.float64(value) if isinstance(value, float) else value for key, value in case["options"].items()}
    optimizer = getattr(tg.optim, case["name"])(params, **options)
    kept = []
    for step, row in enumerate(RECORD["gradients"], start=1):
        grads = [None if flat is None else tensor(flat, p.shape, dtype, device) for p, flat in zip(params, row)]
        before = [None if grad is None else grad.numpy().copy() for grad in grads]
        for param, grad in zip(params, grads):
            param.grad = grad
        optimizer.step()
        for grad, old in zip(grads, before):
            assert grad is None or np.array_equal(grad.numpy(), old)
        if step in RECORD["kept"]:
            kept.append(np.concatenate([param.numpy().reshape(-1) for param in params]))
    tolerance = 2e-12 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(kept, case[dtype], rtol=tolerance, atol=tolerance)
    for param, array in zip(params, arrays):
        assert param.data is array
        for value in optimizer.state.get(param, {}).values():
            if not isinstance(value, (int, float)):
                assert type(value) is type(array)
                assert (value.shape, value.dtype) == (array.shape, array.dtype)
                assert backend.device_of(value) == device


@pytest.mark.parametrize("case", RECORD["schedules"], ids=called)
def test_schedules_are_pytorchs(case: dict[str, Any]) -> None:
    groups = [{"params": tg.Tensor([0.0], requires_grad=True), "lr": lr} for lr in (0.5, 0.05)]
    adam = case["momentum"] is not None and case["options"].get("anneal_strategy") == "linear"
    optimizer = tg.optim.Adam(groups) if adam else tg.optim.SGD(groups, momentum=0.9)
    function = {"lr_lambda": lambda epoch: 1 / (1 + epoch)}

    def make(name: str, options: dict[str, Any]) -> lr_scheduler.LRScheduler:
        parts = [make(part, of_part) for part, of_part in options.items() if isinstance(of_part, dict)]
        if name == "SequentialLR":
            return lr_scheduler.SequentialLR(optimizer, parts, options["milestones"])
        if name == "ChainedScheduler":
            return lr_scheduler.ChainedScheduler(parts, optimizer)
        given = function if name in ("LambdaLR", "MultiplicativeLR") else {}
        room = tg.optim.swa_utils if name == "SWALR" else lr_scheduler
        return getattr(room, name)(optimizer, **options, **given)

    whole, options = case["name"], case["options"]
    schedules = [make(name, options[name] if "+" in whole else options) for name in whole.split("+")]
    rates, momenta = [], []
    for metric in RECORD["metrics"]:
        rates.append([group["lr"] for group in optimizer.param_groups])
        momenta.append([group["betas"][0] if adam else group["momentum"] for group in optimizer.param_groups])
        assert schedules[-1].get_last_lr() == rates[-1]
        optimizer.step()
        for schedule in schedules:
            schedule.step(metric) if case["name"] == "ReduceLROnPlateau" else schedule.step()
    np.testing.assert_allclose(rates, case["lr"], rtol=1e-12, atol=1e-16)
    if case["momentum"] is not None:
        np.testing.assert_allclose(momenta, case["momentum"], rtol=1e-12)
