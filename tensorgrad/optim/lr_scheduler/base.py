"""What all schedules share."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import plain


class LRScheduler:
    """The base of all schedules; a subclass says in :meth:`get_lr` what the learning rates are at ``last_epoch``.

    Args:
        optimizer: whose learning rates are set.
        last_epoch: -1 to begin; otherwise the number of the last epoch that was finished, for an optimizer whose
            groups have ``initial_lr``, and the ``lr`` of the epoch to come (as after its ``load_state_dict``).

    Attributes:
        last_epoch: how many steps there were.
        base_lrs: the learning rates to begin with, one for each group.

    Example:
        >>> import tensorgrad as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> schedule = tg.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
        >>> rates = []
        >>> for epoch in range(5):
        ...     rates += schedule.get_last_lr()
        ...     _ = optimizer.step()
        ...     schedule.step()
        >>> rates
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    from_base = False
    """Whether :meth:`get_lr` goes by ``base_lrs`` alone, and can be entered anywhere."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = require_optimizer(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", plain(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param_groups[{i}] has no 'initial_lr', which is needed to go on after epoch {last_epoch}: load "
                    f"the optimizer's state first, or begin with last_epoch=-1."
                )
        self.base_lrs = [plain(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._last_lr = self._current()
        if self.last_epoch == 0 or self.from_base:
            self._set(self.get_lr())

    def get_lr(self) -> list[float]:
        """The learning rates at ``last_epoch``, one for each group, from those that the groups have now.

        For :meth:`step`; what it set last is in :meth:`get_last_lr`.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method get_lr().")

    def get_last_lr(self) -> list[float]:
        """The learning rates that were set last, one for each group."""
        return list(self._last_lr)

    def step(self) -> None:
        """Sets the learning rates of the next epoch."""
        if self.last_epoch == 0 and not self.optimizer.stepped:
            warnings.warn(
                f"{type(self).__name__}.step() was called before optimizer.step(), so the first learning rate is never "
                f"used: call optimizer.step() first.",
                stacklevel=2,
            )
        self.last_epoch += 1
        self._set(self.get_lr())

    def restart(self) -> None:
        """Begins anew, from the learning rates that there were at the beginning."""
        self._set(self.base_lrs)
        self.begin()

    def begin(self) -> None:
        """Begins anew, from the learning rates that the groups have now."""
        self.last_epoch = 0
        self._set(self.get_lr())

    def follow(self) -> None:
        """Begins after another schedule, at a milestone of a :class:`SequentialLR`."""
        self.restart()

    def _current(self) -> list[float]:
        return [plain(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[float]:
        return [lr * factor for lr in self._current()]

    def _set(self, rates: list[float]) -> None:
        if len(rates) != len(self.optimizer.param_groups):
            raise ValueError(
                f"{type(self).__name__} was made for {len(rates)} parameter groups, the optimizer has "
                f"{len(self.optimizer.param_groups)} now: make a new schedule after add_param_group()."
            )
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = plain(lr)
        self._last_lr = self._current()

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on, functions aside: the schedule's numbers. The optimizer is saved by itself."""
        return {
            name: list(value) if isinstance(value, list) else value
            for name, value in vars(self).items()
            if name not in self._not_saved()
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes back, or on, to what :meth:`state_dict` gave. The learning rates are in the optimizer's state.

        Raises:
            ValueError: if it is not the state of a schedule of this kind; nothing is changed then.
        """
        mine, theirs = set(vars(self)) - self._not_saved(), set(state_dict)
        if mine != theirs:
            raise ValueError(
                f"this is not the state of a {type(self).__name__}: missing {sorted(mine - theirs)}, unexpected "
                f"{sorted(theirs - mine)}."
            )
        vars(self).update({k: list(v) if isinstance(v, list) else v for k, v in state_dict.items()})

    def _not_saved(self) -> set[str]:
        return {"optimizer"}

    def __repr__(self) -> str:
        rates = ", ".join(f"{lr:.6g}" for lr in self._last_lr)
        return f"{type(self).__name__}(epoch={self.last_epoch}, lr={rates})"


def require_optimizer(optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"a schedule takes an optimizer, got {type(optimizer).__name__}.")
    return optimizer


def require_momentum(optimizer: Optimizer) -> None:
    """Raises unless the optimizer has a momentum, or betas, to set."""
    if not {"momentum", "betas"} & set(optimizer.defaults):
        raise ValueError(f"{type(optimizer).__name__} has neither momentum nor betas: choose cycle_momentum=False.")


def set_momentum(group: dict[str, Any], momentum: float) -> None:
    """Sets the momentum of a group, or the first of its betas."""
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def require_positive(name: str, value: Any) -> int:
    """``value`` as an integer, which 2.0 is, too: many programs write so."""
    value = plain(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} is a positive integer, got {value!r}.")
    return value


def for_groups(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group, from one for all or a list of them."""
    groups = len(require_optimizer(optimizer).param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{name} has {len(value)} entries for {groups} parameter groups.")
    return list(value)
