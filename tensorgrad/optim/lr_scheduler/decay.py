"""Schedules that follow a formula: steps, powers, lines, the cosine, or a function of one's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from tensorgrad.optim.lr_scheduler.base import LRScheduler, for_groups, require_positive
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import plain, require_not_negative


class LambdaLR(LRScheduler):
    """The initial learning rate times a function of the epoch.

    Args:
        optimizer: whose learning rates are set.
        lr_lambda: takes the epoch and returns the factor; or a list of such functions, one for each group.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: if there are not as many functions as groups.
    """

    from_base = True

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = for_groups("lr_lambda", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr * factor(self.last_epoch) for lr, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def _not_saved(self) -> set[str]:
        return {"optimizer", "lr_lambdas"}


class MultiplicativeLR(LRScheduler):
    """Multiplies the learning rate by a function of the epoch, every epoch.

    After another schedule, in a :class:`SequentialLR`, it goes on from the learning rate that this one ends with.

    Args:
        optimizer: whose learning rates are set.
        lr_lambda: takes the epoch and returns the factor; or a list of such functions, one for each group.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: if there are not as many functions as groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = for_groups("lr_lambda", optimizer, lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._current() if self.last_epoch == 0 else self._multiplied()

    def follow(self) -> None:
        self.last_epoch = 0
        self._set(self._multiplied())

    def _multiplied(self) -> list[float]:
        return [lr * factor(self.last_epoch) for lr, factor in zip(self._current(), self.lr_lambdas, strict=True)]

    def _not_saved(self) -> set[str]:
        return {"optimizer", "lr_lambdas"}


class StepLR(LRScheduler):
    """Multiplies the learning rate by ``gamma`` every ``step_size`` epochs.

    Args:
        optimizer: whose learning rates are set.
        step_size: a number of epochs.
        gamma: the factor.
        last_epoch: see :class:`LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = require_positive("step_size", step_size)
        self.gamma = plain(gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        due = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return self._scaled(self.gamma) if due else self._current()


class MultiStepLR(LRScheduler):
    """Multiplies the learning rate by ``gamma`` at each of the ``milestones``.

    Args:
        optimizer: whose learning rates are set.
        milestones: numbers of epochs; one that is there twice counts twice.
        gamma: the factor.
        last_epoch: see :class:`LRScheduler`.
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = sorted(map(plain, milestones))
        self.gamma = plain(gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        times = self.milestones.count(self.last_epoch)
        return self._scaled(self.gamma**times) if times else self._current()


class ExponentialLR(LRScheduler):
    """Multiplies the learning rate by ``gamma`` every epoch.

    Args:
        optimizer: whose learning rates are set.
        gamma: the factor.
        last_epoch: see :class:`LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = plain(gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma) if self.last_epoch > 0 else self._current()


class ConstantLR(LRScheduler):
    """Multiplies the learning rate by ``factor`` for the first ``total_iters`` epochs.

    Args:
        optimizer: whose learning rates are set.
        factor: the factor, in (0, 1].
        total_iters: a number of epochs.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: for a factor out of range.
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"factor must be above 0 and at most 1, got {factor}.")
        self.factor, self.total_iters = plain(factor), require_positive("total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._scaled(1 / self.factor) if self.last_epoch == self.total_iters else self._current()


class LinearLR(LRScheduler):
    """Multiplies the learning rate by a factor that goes from ``start_factor`` to ``end_factor``: a warm-up.

    Args:
        optimizer: whose learning rates are set.
        start_factor: the factor at the beginning, in (0, 1].
        end_factor: the factor after ``total_iters`` epochs, in [0, 1].
        total_iters: a number of epochs.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: for factors out of range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"start_factor must be above 0 and at most 1, got {start_factor}.")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"end_factor must be between 0 and 1, got {end_factor}.")
        self.start_factor, self.end_factor = plain(start_factor), plain(end_factor)
        self.total_iters = require_positive("total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_iters:
            return self._current()
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return self._scaled(1.0 + rise / before)


class InverseTimeLR(LRScheduler):
    """The initial learning rate over ``1 + decay * t`` at step t: stepped after every update, Keras's ``decay``.

    Args:
        optimizer: whose learning rates are set.
        decay: 0 or greater.
        last_epoch: see :class:`LRScheduler`.

    Raises:
        ValueError: if ``decay`` is negative.

    Example:
        >>> import tensorgrad as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> schedule = tg.optim.lr_scheduler.InverseTimeLR(optimizer, decay=0.5)
        >>> rates = []
        >>> for step in range(3):
        ...     rates += schedule.get_last_lr()
        ...     _ = optimizer.step()
        ...     schedule.step()
        >>> [round(rate, 3) for rate in rates]
        [1.0, 0.667, 0.5]
    """

    from_base = True

    def __init__(self, optimizer: Optimizer, decay: float, last_epoch: int = -1) -> None:
        require_not_negative(decay=plain(decay))
        self.decay = plain(decay)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr / (1 + self.decay * self.last_epoch) for lr in self.base_lrs]


class PolynomialLR(LRScheduler):
    """Down to zero in ``total_iters`` epochs, as a power of what is left of them.

    The learning rate at epoch t, unless something else changes it too::

        initial * (1 - t / total_iters) ** power

    Args:
        optimizer: whose learning rates are set.
        total_iters: a number of epochs.
        power: 1 is a line.
        last_epoch: see :class:`LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = require_positive("total_iters", total_iters), plain(power)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        left = self.total_iters - self.last_epoch
        if self.last_epoch == 0 or left < 0:
            return self._current()
        return self._scaled((left / (left + 1)) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """Half a wave of the cosine, from the initial learning rate to ``eta_min`` in ``T_max`` epochs, and back.

    The learning rate at epoch t, unless something else changes it too::

        eta_min + (initial - eta_min) * (1 + cos(pi * t / T_max)) / 2

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), without restarts.

    Args:
        optimizer: whose learning rates are set.
        T_max: a number of epochs.
        eta_min: the least learning rate.
        last_epoch: see :class:`LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = require_positive("T_max", T_max)
        self.eta_min = plain(eta_min)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._current()
        now, before = self._height(self.last_epoch), self._height(self.last_epoch - 1)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # From the bottom nothing can be scaled: up again from the initial learning rate.
            pairs = zip(self._current(), self.base_lrs, strict=True)
            return [lr + (base - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2 for lr, base in pairs]
        return [now / before * (lr - self.eta_min) + self.eta_min for lr in self._current()]

    def _height(self, epoch: int) -> float:
        return 1 + math.cos(math.pi * epoch / self.T_max)
