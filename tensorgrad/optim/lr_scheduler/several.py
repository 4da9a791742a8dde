"""Several schedules of one optimizer: one after the other, or all at once."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tensorgrad.optim.lr_scheduler.base import LRScheduler, require_optimizer
from tensorgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import plain


class _Several(LRScheduler):
    """Schedules that are stepped together."""

    schedulers: list[LRScheduler]

    def _take(self, schedulers: Iterable[LRScheduler], optimizer: Optimizer | None) -> None:
        self.schedulers = list(schedulers)
        if not self.schedulers:
            raise ValueError(f"{type(self).__name__} got no schedules.")
        for schedule in self.schedulers:
            if not isinstance(schedule, LRScheduler):
                raise TypeError(f"{type(self).__name__} takes schedules, got {type(schedule).__name__}.")
            if isinstance(schedule, ReduceLROnPlateau):
                raise ValueError(f"ReduceLROnPlateau.step needs a figure, which {type(self).__name__} has not.")
        self.optimizer = require_optimizer(self.schedulers[0].optimizer if optimizer is None else optimizer)
        if any(schedule.optimizer is not self.optimizer for schedule in self.schedulers):
            raise ValueError(f"the schedules of {type(self).__name__} are of several optimizers, and must be of one.")

    def state_dict(self) -> dict[str, Any]:
        """The numbers of this schedule, and of each of those that it is made of."""
        return {**super().state_dict(), "schedulers": [schedule.state_dict() for schedule in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes back, or on, to what :meth:`state_dict` gave. The learning rates are in the optimizer's state.

        Raises:
            ValueError: if it is not the state of a schedule of this kind; nothing is changed then.
        """
        saved = state_dict.get("schedulers", [])
        if len(saved) != len(self.schedulers):
            raise ValueError(f"{len(saved)} schedules were saved, this {type(self).__name__} has {self._count()}.")
        before = [schedule.state_dict() for schedule in self.schedulers]
        try:
            for schedule, state in zip(self.schedulers, saved, strict=True):
                schedule.load_state_dict(state)
            super().load_state_dict({key: value for key, value in state_dict.items() if key != "schedulers"})
        except ValueError:
            for schedule, state in zip(self.schedulers, before, strict=True):
                schedule.load_state_dict(state)
            raise

    def begin(self) -> None:
        self.restart()

    def _count(self) -> int:
        return len(self.schedulers)

    def _not_saved(self) -> set[str]:
        return {"optimizer", "schedulers"}


class SequentialLR(_Several):
    """One schedule after the other, each from its own beginning.

    Args:
        optimizer: whose learning rates are set.
        schedulers: the schedules, of this optimizer, made with its initial learning rates.
        milestones: the epochs at which the second, third, ... begin.

    Raises:
        ValueError: if there is not one milestone less than schedules, or they do not rise.

    Example:
        >>> import tensorgrad as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> warm_up = tg.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
        >>> fall = tg.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> schedule = tg.optim.lr_scheduler.SequentialLR(optimizer, [warm_up, fall], milestones=[2])
        >>> rates = []
        >>> for epoch in range(5):
        ...     rates += schedule.get_last_lr()
        ...     _ = optimizer.step()
        ...     schedule.step()
        >>> rates
        [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Iterable[int]) -> None:
        self._take(schedulers, require_optimizer(optimizer))
        self.milestones = list(map(plain, milestones))
        if len(self.milestones) != len(self.schedulers) - 1:
            raise ValueError(
                f"{len(self.schedulers)} schedules need {len(self.schedulers) - 1} milestones, got {self.milestones}."
            )
        if sorted(set(self.milestones)) != self.milestones or any(not epoch > 0 for epoch in self.milestones):
            raise ValueError(f"milestones are epochs above 0 that rise, got {self.milestones}.")
        self.last_epoch = 0
        # Each schedule has taken its first step when it was made; that of the last one counts otherwise.
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        self.schedulers[0].begin()
        self._last_lr = self._current()

    def step(self) -> None:
        """Sets the learning rates of the next epoch."""
        self.last_epoch += 1
        schedule = self.schedulers[bisect.bisect_right(self.milestones, self.last_epoch)]
        if self.last_epoch in self.milestones:
            schedule.follow()
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()

    def restart(self) -> None:
        self.last_epoch = 0
        self.schedulers[0].restart()
        self._last_lr = self._current()


class ChainedScheduler(_Several):
    """Several schedules at once: each goes on from the learning rates that the one before has set.

    Args:
        schedulers: the schedules, of one optimizer.
        optimizer: that one; the schedules', if not given.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self.last_epoch = self.schedulers[0].last_epoch
        self._last_lr = self._current()

    def step(self) -> None:
        """Steps each schedule in turn."""
        self.last_epoch += 1
        for schedule in self.schedulers:
            schedule.step()
        self._last_lr = self._current()

    def restart(self) -> None:
        self.last_epoch = 0
        for schedule in self.schedulers:
            schedule.restart()
        self._last_lr = self._current()
