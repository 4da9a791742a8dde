"""Schedules that go up and down again and again."""

from __future__ import annotations

import math
from collections.abc import Callable
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


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a wave of the cosine, from the initial learning rate to ``eta_min``, and at once from the top again.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017).

    Args:
        optimizer: whose learning rates are set.
        T_0: how many epochs the first wave takes.
        T_mult: how many times as long each wave is as the one before; an integer.
        eta_min: the least learning rate.
        last_epoch: see :class:`LRScheduler`.

    Example:
        >>> import tensorgrad as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> schedule = tg.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
        >>> rates = []
        >>> for epoch in range(7):
        ...     rates += schedule.get_last_lr()
        ...     _ = optimizer.step()
        ...     schedule.step()
        >>> [round(rate, 3) for rate in rates]
        [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    from_base = True

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_0, self.T_mult = require_positive("T_0", T_0), require_positive("T_mult", T_mult)
        self.eta_min = plain(eta_min)
        self.T_cur: float = 0.0
        self.T_i = self.T_0
        self._find(last_epoch + 1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        part = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * part for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Sets the learning rates of the next epoch, or of a place that may lie within one.

        Args:
            epoch: the place, such as ``epoch + batch / batches``; the next epoch, if not given.

        Raises:
            ValueError: if it is negative.
        """
        if epoch is None:
            self._find(self.last_epoch + 1)
            super().step()
            return
        if not epoch >= 0:
            raise ValueError(f"epoch is 0 or greater, got {epoch}.")
        self._find(plain(epoch))
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def begin(self) -> None:
        self._find(0)
        super().begin()

    def _find(self, epoch: float) -> None:
        """Which wave a place is in."""
        self.T_cur, self.T_i = epoch, self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
            if self.T_mult == 1:
                self.T_cur %= self.T_i


class CyclicLR(LRScheduler):
    """In lines from ``base_lr`` up to ``max_lr`` and down again; the momentum the other way. For a step every batch.

    Source: Smith, "Cyclical Learning Rates for Training Neural Networks" (2017).

    Args:
        optimizer: whose learning rates, and momenta (``momentum``, or the first of ``betas``), are set.
        base_lr: the lowest learning rate, or a list with one for each group.
        max_lr: the highest learning rate of the first cycle, or a list.
        step_size_up: how many steps up.
        step_size_down: how many steps down; as many as up, if not given.
        mode: how high later cycles are: ``"triangular"``: as the first; ``"triangular2"``: half as high each time;
            ``"exp_range"``: times ``gamma`` to the number of the step.
        gamma: the base of ``"exp_range"``.
        scale_fn: a function of one's own for how high cycles are, as a part of the first; ``mode`` is not looked at.
        scale_mode: whether ``scale_fn`` takes the number of the ``"cycle"`` (from 1) or the steps so far
            (``"iterations"``).
        cycle_momentum: whether the momentum is set too.
        base_momentum: the lowest momentum, at the highest learning rate; or a list.
        max_momentum: the highest momentum; or a list.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: for options out of range, or an optimizer without momentum if that is to be set.
    """

    from_base = True

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer(optimizer)
        if mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"mode is 'triangular', 'triangular2' or 'exp_range', got {mode!r}.")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"scale_mode is 'cycle' or 'iterations', got {scale_mode!r}.")
        if cycle_momentum:
            require_momentum(optimizer)
        self.up = require_positive("step_size_up", step_size_up)
        self.down = self.up if step_size_down is None else require_positive("step_size_down", step_size_down)
        self.mode, self.gamma, self.scale_mode = mode, plain(gamma), scale_mode
        self.scale_fn, self.cycle_momentum = scale_fn, cycle_momentum
        lowest, self.max_lrs, least, most = (
            list(map(plain, for_groups(name, optimizer, value)))
            for name, value in (
                ("base_lr", base_lr),
                ("max_lr", max_lr),
                ("base_momentum", base_momentum),
                ("max_momentum", max_momentum),
            )
        )
        if last_epoch == -1:
            for i, group in enumerate(optimizer.param_groups):
                group["lr"] = lowest[i]
                if cycle_momentum:
                    group["max_momentum"], group["base_momentum"] = most[i], least[i]
        # Of its own: another schedule of the optimizer may write others into the groups.
        self.max_momenta = [group["max_momentum"] for group in optimizer.param_groups] if cycle_momentum else []
        self.base_momenta = [group["base_momentum"] for group in optimizer.param_groups] if cycle_momentum else []
        # The very first learning rate is, as in PyTorch, that of a schedule made before, if there is one.
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lowest

    def get_lr(self) -> list[float]:
        total = self.up + self.down
        cycle, place = divmod(self.last_epoch, total)
        part = place / self.up if place <= self.up else (total - place) / self.down
        height = part * self._scale(cycle + 1)
        # Nothing, if it does not set the momentum.
        for group, most, least in zip(self.optimizer.param_groups, self.max_momenta, self.base_momenta, strict=False):
            set_momentum(group, most - (most - least) * height)
        return [base + (top - base) * height for base, top in zip(self.base_lrs, self.max_lrs, strict=True)]

    def _scale(self, cycle: int) -> float:
        if self.scale_fn is not None:
            return plain(self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch))
        if self.mode == "triangular2":
            return 0.5 ** (cycle - 1)
        return self.gamma**self.last_epoch if self.mode == "exp_range" else 1.0

    def _not_saved(self) -> set[str]:
        return {"optimizer", "scale_fn"}
