"""The schedule that looks at how training goes."""

from __future__ import annotations

import math
from typing import Any, Literal

from tensorgrad.optim.lr_scheduler.base import LRScheduler, for_groups, require_optimizer
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import plain


class ReduceLROnPlateau(LRScheduler):
    """Multiplies the learning rate by ``factor`` when a figure has not become better for ``patience`` epochs.

    Args:
        optimizer: whose learning rates are set.
        mode: ``"min"`` if less is better, ``"max"`` if more is.
        factor: below 1.
        patience: how many epochs without improvement are endured.
        threshold: by how much a figure must be better to count as better.
        threshold_mode: ``"rel"``: by a part of the best so far; ``"abs"``: by an amount.
        cooldown: how many epochs after a reduction do not count.
        min_lr: no learning rate goes below this; or a list with one for each group.
        eps: a reduction by no more than this is left out.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> optimizer = tg.optim.SGD([tg.tensor([1.0], requires_grad=True)], lr=1.0)
        >>> schedule = tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
        >>> for loss in (5.0, 4.0, 4.0, 4.0):
        ...     schedule.step(loss)
        >>> schedule.get_last_lr()
        [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise ValueError(f"factor must be below 1, got {factor}.")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"mode is 'min' or 'max', and threshold_mode 'rel' or 'abs'; got {mode!r}, {threshold_mode!r}."
            )
        self.optimizer = require_optimizer(optimizer)
        self.mode, self.factor, self.patience = mode, plain(factor), patience
        self.threshold, self.threshold_mode = plain(threshold), threshold_mode
        self.cooldown, self.eps = cooldown, plain(eps)
        for_groups("min_lr", optimizer, min_lr)
        self.min_lr = plain(min_lr)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self._current()

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Looks at the figure of one more epoch.

        Args:
            metrics: the figure: a number, or a tensor with one element.
        """
        value = float(metrics)
        self.last_epoch += 1
        if self._is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        rates = self._current()
        if self.num_bad_epochs > self.patience:
            least = for_groups("min_lr", self.optimizer, self.min_lr)
            lower = [max(lr * self.factor, least) for lr, least in zip(rates, least, strict=True)]
            rates = [new if lr - new > self.eps else lr for lr, new in zip(rates, lower, strict=True)]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set(rates)

    def _is_better(self, value: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * value > sign * self.best * (1 + sign * self.threshold)
        return sign * value > sign * self.best + self.threshold
