"""Learning rates that depend on how many steps were taken."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from typing import Any, ClassVar

from tensorgrad.keras.registry import Configured


class LearningRateSchedule(Configured):
    """The base class: called with the number of steps that were taken, it gives the learning rate."""

    known: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        if cls.__module__ == __name__ and not cls.__name__.startswith("_"):
            cls.known[cls.__name__] = cls

    def __call__(self, step: int) -> float:
        raise NotImplementedError(f"{type(self).__name__} defines no __call__(step).")


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate * decay_rate**(step / decay_steps)``.

    Args:
        initial_learning_rate: that of the first step.
        decay_steps: after how many steps it has fallen by the rate.
        decay_rate: the factor.
        staircase: whether it falls only every ``decay_steps``.
        name: accepted, and not needed.

    Example:
        >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.decay_rate, self.staircase = decay_rate, staircase

    def _passed(self, step: int) -> float:
        passed = step / self.decay_steps
        return math.floor(passed) if self.staircase else passed

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate * self.decay_rate ** self._passed(step)


class InverseTimeDecay(ExponentialDecay):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``. Arguments as of :class:`ExponentialDecay`."""

    def __call__(self, step: int) -> float:
        return self.initial_learning_rate / (1 + self.decay_rate * self._passed(step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """One value after the other.

    Args:
        boundaries: the last step of each value but the last.
        values: one more of them.
        name: accepted, and not needed.
    """

    def __init__(self, boundaries: Sequence[int], values: Sequence[float], name: str | None = None) -> None:
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                f"PiecewiseConstantDecay takes one value more than boundaries, got {boundaries}, {values}."
            )
        self.boundaries, self.values = list(boundaries), list(values)

    def __call__(self, step: int) -> float:
        return self.values[bisect.bisect_left(self.boundaries, step)]


class PolynomialDecay(LearningRateSchedule):
    """From one learning rate to another, along a power.

    Args:
        initial_learning_rate: that of the first step.
        decay_steps: how many steps it takes.
        end_learning_rate: that of the end.
        power: 1 for a straight line.
        cycle: whether it begins anew, with longer ways, instead of staying at the end.
        name: accepted, and not needed.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle = end_learning_rate, power, cycle

    def __call__(self, step: int) -> float:
        length = self.decay_steps * (max(math.ceil(step / self.decay_steps), 1) if self.cycle else 1)
        left = 1 - min(step, length) / length
        return (self.initial_learning_rate - self.end_learning_rate) * left**self.power + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Down along half a cosine, after a rise if there is one (Loshchilov and Hutter, 2017).

    Args:
        initial_learning_rate: where it begins.
        decay_steps: how many steps the way down takes.
        alpha: where it ends, as a part of the highest.
        name: accepted, and not needed.
        warmup_target: the highest, which it rises to; None: there is no rise.
        warmup_steps: how many steps the rise takes.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str | None = None,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.alpha = initial_learning_rate, decay_steps, alpha
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def __call__(self, step: int) -> float:
        highest = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return highest + (self.warmup_target - highest) * step / self.warmup_steps
            highest, step = self.warmup_target, step - self.warmup_steps
        part = min(step, self.decay_steps) / self.decay_steps
        return highest * ((1 - self.alpha) * 0.5 * (1 + math.cos(math.pi * part)) + self.alpha)
