"""Records what PyTorch's optimizers and schedules do, for ``tests/optim`` to compare with.

Run by hand: ``python scripts/record_optimizer_trajectories.py`` (needs torch). Each optimizer, with each set of
options, takes twenty steps with given gradients on two parameters, the second of which has a gradient in every third
step only; each schedule runs beside an optimizer with two groups.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

TARGET = Path(__file__).resolve().parents[1] / "tests" / "optim" / "trajectories.json"
STEPS = 20
KEPT = (1, 2, 3, 7, 20)
"""The steps after which the parameters are written down."""
SHAPES = ((2, 3), ())

OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "maximize": True, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True, "weight_decay": 0.05}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.05}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.05, "decoupled_weight_decay": True}),
    ("Adam", {"lr": 0.1, "betas": [0.5, 0.6], "amsgrad": True}),
    ("Adam", {"lr": 0.1, "maximize": True, "weight_decay": 0.05}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1, "betas": [0.5, 0.6], "amsgrad": True, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.9, "eps": 1e-3}),
    ("RMSprop", {"lr": 0.1, "weight_decay": 0.05}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.1, "centered": True}),
    ("RMSprop", {"lr": 0.1, "centered": True, "momentum": 0.5, "weight_decay": 0.05, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": [0.5, 0.6], "eps": 1e-3, "weight_decay": 0.05}),
    ("Adamax", {"lr": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "betas": [0.5, 0.6], "eps": 1e-3, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.05, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.05, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": [0.5, 0.6], "eps": 1e-3}),
    ("RAdam", {"lr": 0.1, "betas": [0.8, 0.9], "weight_decay": 0.05, "maximize": True}),
    ("RAdam", {"lr": 0.1, "betas": [0.8, 0.9], "weight_decay": 0.05, "decoupled_weight_decay": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "weight_decay": 0.05, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 1e-3}),
    ("Adadelta", {"weight_decay": 0.05, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": [0.3, 2.0], "step_sizes": [0.05, 0.3]}),
    ("Rprop", {"lr": 0.1, "maximize": True}),
]

LBFGS: list[dict[str, Any]] = [
    {"max_iter": 1},
    {"lr": 0.1, "max_iter": 2},
    {"lr": 0.3, "max_iter": 2, "history_size": 2},
    {"max_iter": 1, "line_search_fn": "strong_wolfe"},
    {"max_iter": 4, "line_search_fn": "strong_wolfe"},
    {"max_iter": 3, "max_eval": 5, "history_size": 3, "line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-3, "tolerance_change": 1e-5},
]

SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 4}),
    ("StepLR", {"step_size": 1, "gamma": 0.7}),
    ("MultiStepLR", {"milestones": [3, 8, 8, 15], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 10}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.8, "total_iters": 7}),
    ("CosineAnnealingLR", {"T_max": 20}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 30}),
    ("OneCycleLR", {"max_lr": [1.0, 3.0], "epochs": 6, "steps_per_epoch": 5, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 30, "three_phase": True, "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 30, "cycle_momentum": False, "div_factor": 5.0}),
    ("LambdaLR", {}),
    ("ReduceLROnPlateau", {"patience": 2, "factor": 0.5}),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 0, "cooldown": 2, "min_lr": 0.03}),
    ("ReduceLROnPlateau", {"patience": 1, "threshold": 0.3, "threshold_mode": "abs", "min_lr": [0.2, 0.0]}),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 1, "threshold": 0.5, "threshold_mode": "abs"}),
    ("LinearLR+ExponentialLR", {"LinearLR": {"total_iters": 4}, "ExponentialLR": {"gamma": 0.9}}),
    ("StepLR+CosineAnnealingLR", {"StepLR": {"step_size": 7}, "CosineAnnealingLR": {"T_max": 9, "eta_min": 0.001}}),
    ("MultiplicativeLR", {}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 3}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 20, "power": 2.5}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 4}),
    (
        "CyclicLR",
        {"base_lr": [0.1, 0.2], "max_lr": [1, 3], "step_size_up": 3, "step_size_down": 5, "mode": "triangular2"},
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 4, "mode": "exp_range", "gamma": 0.9}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 4, "cycle_momentum": False}),
    (
        "SequentialLR",
        {
            "LinearLR": {"total_iters": 4},
            "ExponentialLR": {"gamma": 0.9},
            "StepLR": {"step_size": 3},
            "milestones": [5, 14],
        },
    ),
    (
        "SequentialLR",
        {
            "CosineAnnealingWarmRestarts": {"T_0": 3},
            "ConstantLR": {},
            "PolynomialLR": {"total_iters": 8},
            "milestones": [7, 15],
        },
    ),
    ("SequentialLR", {"LambdaLR": {}, "MultiStepLR": {"milestones": [0, 3]}, "milestones": [10]}),
    ("SWALR", {"swa_lr": 0.02}),
    ("SWALR", {"swa_lr": [0.02, 0.4], "anneal_epochs": 7, "anneal_strategy": "linear"}),
    ("SWALR", {"swa_lr": 0.02, "anneal_epochs": 0}),
    ("ChainedScheduler", {"ConstantLR": {"total_iters": 4}, "ExponentialLR": {"gamma": 0.9}, "LambdaLR": {}}),
    ("SequentialLR", {"ExponentialLR": {"gamma": 0.9}, "MultiplicativeLR": {}, "milestones": [6]}),
    (
        "SequentialLR",
        {"LinearLR": {"total_iters": 4}, "OneCycleLR": {"max_lr": [0.3, 0.6], "total_steps": 40}, "milestones": [5]},
    ),
    (
        "SequentialLR",
        {
            "CyclicLR": {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "base_momentum": 0.7},
            "OneCycleLR": {"max_lr": 0.3, "total_steps": 40},
            "milestones": [9],
        },
    ),
    ("ChainedScheduler", {"LambdaLR": {}, "CyclicLR": {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3}}),
    (
        "ChainedScheduler",
        {
            "SequentialLR": {
                "LinearLR": {"total_iters": 3},
                "CosineAnnealingWarmRestarts": {"T_0": 2, "T_mult": 2},
                "milestones": [4],
            },
            "ExponentialLR": {"gamma": 0.95},
        },
    ),
]
"""Two names joined by + are two schedules of one optimizer; those among the options are what a schedule is made of."""


WITH_FUNCTION = ("LambdaLR", "MultiplicativeLR")


def gradients() -> list[list[list[float] | None]]:
    """For each step a gradient for each parameter, flat, or None."""
    generator = np.random.default_rng(2026)
    result: list[list[list[float] | None]] = []
    for step in range(STEPS):
        first = (generator.normal(size=6) * 3.0 ** generator.integers(-4, 3, size=6)).round(6).tolist()
        second = generator.normal(size=1).round(6).tolist()
        result.append([first, second if step % 3 == 1 else None])
    return result


def trajectory(name: str, options: dict[str, Any], dtype: torch.dtype, grads: Any, start: Any) -> list[list[float]]:
    """The elements of both parameters after each of the steps that are kept."""
    pairs = list(zip(start, SHAPES, strict=True))
    params = [torch.tensor(flat, dtype=dtype).reshape(shape).requires_grad_() for flat, shape in pairs]
    optimizer = getattr(torch.optim, name)(params, **options, foreach=False)
    kept = []
    for step, row in enumerate(grads, start=1):
        for param, flat in zip(params, row, strict=True):
            param.grad = None if flat is None else torch.tensor(flat, dtype=dtype).reshape(param.shape)
        optimizer.step()
        if step in KEPT:
            kept.append([value for param in params for value in param.detach().double().reshape(-1).tolist()])
    return kept


def iterations(options: dict[str, Any], start: Any) -> dict[str, Any]:
    """Losses, parameters and evaluations of twenty steps of L-BFGS down a valley that bends."""
    p, q = (torch.tensor(flat).reshape(shape).requires_grad_() for flat, shape in zip(start, SHAPES, strict=True))
    optimizer, count, rows = torch.optim.LBFGS([p, q], **options), 0, []

    def closure() -> torch.Tensor:
        nonlocal count
        count += 1
        optimizer.zero_grad()
        bend = ((p[:, 1:] - p[:, :-1] ** 2) ** 2).sum()
        loss = 10 * bend + ((1 - p) ** 2).sum() + (q * p).sum() ** 2 + (q - 1) ** 4
        loss.backward()
        return loss

    for step in range(1, STEPS + 1):
        loss = optimizer.step(closure)
        if step in KEPT:
            rows.append([loss.item(), *p.flatten().tolist(), q.item(), count])
    return {"options": options, "rows": rows}


def schedule(name: str, options: dict[str, Any], metrics: list[float], steps: int) -> dict[str, Any]:
    """The learning rates and momenta of both groups before each step."""
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in (0.5, 0.05)]
    adam = "OneCycleLR" in name and options.get("anneal_strategy") == "linear"
    optimizer = torch.optim.Adam(groups) if adam else torch.optim.SGD(groups, momentum=0.9)
    schedules: Any = torch.optim.swa_utils if name == "SWALR" else torch.optim.lr_scheduler
    function: dict[str, Callable[[int], float]] = {"lr_lambda": lambda epoch: 1 / (1 + epoch)}

    def make(one: str, arguments: dict[str, Any]) -> Any:
        parts = [make(part, of_part) for part, of_part in arguments.items() if isinstance(of_part, dict)]
        if one == "SequentialLR":
            return schedules.SequentialLR(optimizer, parts, arguments["milestones"])
        if one == "ChainedScheduler":
            return schedules.ChainedScheduler(parts, optimizer)
        return getattr(schedules, one)(optimizer, **arguments, **(function if one in WITH_FUNCTION else {}))

    made = [make(one, options[one] if "+" in name else options) for one in name.split("+")]
    rates, momenta = [], []
    for metric in metrics[:steps]:
        rates.append([group["lr"] for group in optimizer.param_groups])
        momenta.append([group["betas"][0] if adam else group["momentum"] for group in optimizer.param_groups])
        optimizer.step()
        for one in made:
            one.step(metric) if name == "ReduceLROnPlateau" else one.step()
    sets_momentum = {"OneCycleLR", "CyclicLR"} & {name, *options}
    return {"lr": rates, "momentum": momenta if sets_momentum else None}


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description="Record the steps of PyTorch's optimizers and schedules.")
    parser.add_argument("--output", type=Path, default=TARGET, help="the file to write (default: %(default)s)")
    output = parser.parse_args().output
    # NAdam keeps a number of its own in the default dtype, which would be known to seven digits only.
    torch.set_default_dtype(torch.float64)
    grads, start = gradients(), [[1.0, -2.0, 0.5, 3.0, -0.25, 0.0], [0.75]]
    generator = np.random.default_rng(7)
    metrics = (4 * 0.8 ** np.arange(30) + generator.normal(size=30) * 0.3 + 2).round(4).tolist()
    record = {
        "torch": torch.__version__.partition("+")[0],
        "kept": KEPT,
        "shapes": SHAPES,
        "start": start,
        "gradients": grads,
        "optimizers": [
            {
                "name": name,
                "options": options,
                "float64": trajectory(name, options, torch.float64, grads, start),
                "float32": trajectory(name, options, torch.float32, grads, start),
            }
            for name, options in OPTIMIZERS
        ],
        "lbfgs": [iterations(options, start) for options in LBFGS],
        "metrics": metrics,
        "schedules": [
            {"name": name, "options": options, **schedule(name, options, metrics, steps=30)}
            for name, options in SCHEDULES
        ],
    }
    text = json.dumps(record)
    output.write_text(text.replace('{"name"', '\n{"name"').replace('"metrics"', '\n"metrics"') + "\n")
    print(f"{output}: {len(OPTIMIZERS)} optimizers, {len(SCHEDULES)} schedules, {output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
