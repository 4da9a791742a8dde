"""The one-cycle policy."""

from __future__ import annotations

import math
from typing import Literal

from tensorgrad.optim.lr_scheduler.base import (
    LRScheduler,
    for_groups,
    require_momentum,
    require_optimizer,
    require_positive,
    set_momentum,
)
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import plain


class OneCycleLR(LRScheduler):
    """Up from ``max_lr / div_factor`` to ``max_lr``, and down far below where it began; the momentum the other way.

    For a step after every batch, and no more than ``total_steps`` of them.

    Source: Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
    (2018); with two phases, as fastai does it, unless ``three_phase``.

    Args:
        optimizer: whose learning rates, and momenta (``momentum``, or the first of ``betas``), are set.
        max_lr: the highest learning rate, or a list with one for each group.
        total_steps: the number of steps, or else ``epochs`` and ``steps_per_epoch``.
        epochs: a number of epochs.
        steps_per_epoch: a number of steps.
        pct_start: the part of the steps that goes up, in [0, 1].
        anneal_strategy: ``"cos"`` or ``"linear"``.
        cycle_momentum: whether the momentum is set too.
        base_momentum: the lowest momentum, at the highest learning rate; or a list.
        max_momentum: the highest momentum; or a list.
        div_factor: the learning rate begins at ``max_lr / div_factor``,
        final_div_factor: and ends at that over ``final_div_factor``.
        three_phase: go down to where it began first, as fast as up, and then to the end.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: for options out of range, or an optimizer without momentum if that is to be set.
    """

    from_base = True

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or both epochs and steps_per_epoch.")
            total_steps = require_positive("epochs", epochs) * require_positive("steps_per_epoch", steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"pct_start is a part of the steps, between 0 and 1, got {pct_start}.")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is 'cos' or 'linear', got {anneal_strategy!r}.")
        if cycle_momentum:
            require_momentum(optimizer)
        self.total_steps = require_positive("total_steps", total_steps)
        self.pct_start, self.three_phase = plain(pct_start), three_phase
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        highest, least, most = (
            for_groups(name, optimizer, value)
            for name, value in (("max_lr", max_lr), ("base_momentum", base_momentum), ("max_momentum", max_momentum))
        )
        if last_epoch == -1:
            for i, group in enumerate(optimizer.param_groups):
                group["max_lr"] = plain(highest[i])
                group["initial_lr"] = group["max_lr"] / div_factor
                group["min_lr"] = group["initial_lr"] / final_div_factor
                if cycle_momentum:
                    group["max_momentum"], group["base_momentum"] = plain(most[i]), plain(least[i])
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ValueError(f"OneCycleLR was made for {self.total_steps} steps, this is step {self.last_epoch}.")
        start, stop, phase = self._phase()
        part = 1.0 if stop == start else min((self.last_epoch - start) / (stop - start), 1.0)
        ends = ("initial_lr", "max_lr", *(["initial_lr"] if self.three_phase else []), "min_lr")
        momenta = ("max_momentum", "base_momentum", "max_momentum", "max_momentum")
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            set_momentum(group, self._between(group[momenta[phase]], group[momenta[phase + 1]], part))
        return [
            self._between(group[ends[phase]], group[ends[phase + 1]], part) for group in self.optimizer.param_groups
        ]

    def _phase(self) -> tuple[float, float, int]:
        """Where the present phase starts and stops, and its number."""
        up = self.pct_start * self.total_steps
        stops = [up - 1, 2 * up - 2, self.total_steps - 1] if self.three_phase else [up - 1, self.total_steps - 1]
        phase = next((i for i, stop in enumerate(stops) if self.last_epoch <= stop), len(stops) - 1)
        return stops[phase - 1] if phase else 0.0, stops[phase], phase

    def _between(self, start: float, end: float, part: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * part
        return end + (start - end) / 2 * (1 + math.cos(math.pi * part))
