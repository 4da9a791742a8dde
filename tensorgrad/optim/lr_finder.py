"""A learning rate, found by trying: small ones first, larger and larger, until the loss goes up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad.autograd.tensor import Tensor
from tensorgrad.nn.module import Module
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import plain
from tensorgrad.random import get_rng_state, set_rng_state

FEWEST = 4
"""With fewer losses there is no curve."""


@dataclass(frozen=True)
class LRCurve:
    """The loss against the learning rate.

    Attributes:
        lrs: the learning rates of the first parameter group, one for each step.
        losses: the loss of each batch, before the step with that rate.
        smoothed: their moving average.
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]

    @property
    def steepest(self) -> float:
        """Where the loss falls fastest, per factor of the learning rate; a good one to train with.

        The slope is that of the line through a fifth of the losses on both sides, for those of single batches scatter.

        Raises:
            ValueError: if the loss falls nowhere.
        """
        low = self.smoothed.index(min(self.smoothed))
        reach = max(1, len(self.lrs) // 5)
        slopes = [self._slope(i - reach, i + reach + 1) for i in range(reach, low + 1)]
        if not slopes or not min(slopes) < 0:
            raise ValueError(
                f"the loss does not fall at any learning rate from {self.lrs[0]:.3g} to {self.lrs[-1]:.3g}: try "
                f"others, or more steps."
            )
        return self.lrs[reach + slopes.index(min(slopes))]

    def __repr__(self) -> str:
        ends = f"{len(self.lrs)} steps from {self.lrs[0]:.3g} to {self.lrs[-1]:.3g}"
        try:
            return f"LRCurve({ends}, steepest at {self.steepest:.3g}, least at {self.at_minimum:.3g})"
        except ValueError:
            return f"LRCurve({ends}, falling nowhere)"

    def _slope(self, first: int, end: int) -> float:
        """Of the line through some of the losses, against the logarithm of the learning rate."""
        logs, losses = np.log(self.lrs[first:end]), np.array(self.losses[first:end])
        logs -= logs.mean()
        return float(logs @ losses / (logs @ logs))

    @property
    def at_minimum(self) -> float:
        """Where the smoothed loss is least: with this one training is about to become unstable; take a tenth of it."""
        return self.lrs[self.smoothed.index(min(self.smoothed))]

    def plot(self, ax: Any = None) -> Any:
        """Draws the curve, with the steepest place marked.

        Args:
            ax: Matplotlib's axes to draw into; new ones by default.

        Returns:
            The axes.

        Raises:
            ImportError: if Matplotlib is missing.
        """
        if ax is None:
            try:
                from matplotlib.figure import Figure
            except ImportError:
                raise ImportError("LRCurve.plot() draws with Matplotlib: pip install matplotlib.") from None
            ax = Figure(figsize=(6.4, 4.0), layout="constrained").add_subplot()
        ax.plot(self.lrs, self.losses, color="#B0B7BF", linewidth=0.8, label="each batch")
        ax.plot(self.lrs, self.smoothed, color="#0072B2", label="smoothed")
        try:
            best = self.steepest
        except ValueError:
            pass
        else:
            ax.plot(best, self.smoothed[self.lrs.index(best)], "o", color="#D55E00", label=f"steepest: {best:.2g}")
        ax.set_xscale("log")
        low, high = min(self.losses), max(self.smoothed[0], self.smoothed[-1])
        margin = 0.1 * (high - low) or 1.0
        ax.set_ylim(low - margin, high + margin)
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss")
        ax.legend(frameon=False)
        return ax


def find_lr(
    model: Module,
    optimizer: Optimizer,
    criterion: Callable[..., Tensor],
    batches: Iterable[Sequence[Any]],
    *,
    start_lr: float = 1e-7,
    end_lr: float = 10.0,
    num_iter: int = 100,
    smoothing: float = 0.95,
    diverged: float = 4.0,
) -> LRCurve:
    """Trains with learning rates that grow by a constant factor from step to step, and looks at the loss.

    The parameters, the buffers, the optimizer and tensorgrad's random numbers are afterwards what they were before, and
    there are no gradients.

    Source: Smith, *Cyclical learning rates for training neural networks* (2017), section 3.3.

    Args:
        model: in the mode, training or evaluation, that it is to be tried in.
        optimizer: of the model's parameters; where it has several groups, their rates keep their ratios.
        criterion: the loss, called with the model's output and the target.
        batches: pairs of an input and a target, such as a DataLoader; begun anew when they come to an end.
        start_lr: the first learning rate, of the first group.
        end_lr: the last.
        num_iter: how many steps.
        smoothing: what is kept of the moving average in each step, in [0, 1).
        diverged: the search ends where the smoothed loss is so many times as large as the smallest was, or no number.

    Raises:
        ValueError: for arguments out of range, or without any batches, or where the loss is no number at once.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> x = tg.randn((64, 3))
        >>> model = tg.nn.Linear(3, 1)
        >>> optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
        >>> curve = find_lr(model, optimizer, tg.nn.MSELoss(), [(x, x.sum(axis=1, keepdims=True))], num_iter=50)
        >>> 1e-3 < curve.steepest < curve.at_minimum < 10
        True
    """
    _require(start_lr, end_lr, num_iter, smoothing, diverged)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state, stepped, random = optimizer.state_dict(), optimizer.stepped, get_rng_state()
    parts = _ratios(optimizer)
    lrs: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    average = 0.0
    try:
        for step, (x, target) in enumerate(itertools.islice(_again_and_again(batches), num_iter)):
            lr = start_lr * (end_lr / start_lr) ** (step / (num_iter - 1))
            for group, part in zip(optimizer.param_groups, parts, strict=True):
                group["lr"] = lr * part
            optimizer.zero_grad()
            loss = criterion(model(x), target)
            value = loss.item()
            average = smoothing * average + (1 - smoothing) * value
            unbiased = average / (1 - smoothing ** (step + 1))
            least = min([unbiased, *smoothed])
            if not math.isfinite(unbiased) or unbiased > least + (diverged - 1) * abs(least):
                break
            lrs.append(lr)
            losses.append(value)
            smoothed.append(unbiased)
            loss.backward()
            optimizer.step()
    finally:
        optimizer.zero_grad()
        model.zero_grad()
        optimizer.load_state_dict(state)
        optimizer.stepped = stepped
        model.load_state_dict(weights)
        set_rng_state(random)
    if len(lrs) < FEWEST:
        raise ValueError(
            f"find_lr() saw only {len(lrs)} losses that are numbers and do not diverge, from the learning rate "
            f"{start_lr:.3g} on: begin with a smaller start_lr, or look at the loss."
        )
    return LRCurve(tuple(lrs), tuple(losses), tuple(smoothed))


def _require(start_lr: float, end_lr: float, num_iter: int, smoothing: float, diverged: float) -> None:
    if not 0 < start_lr < end_lr < math.inf:
        raise ValueError(f"find_lr() needs 0 < start_lr < end_lr, got {start_lr} and {end_lr}.")
    if not num_iter >= FEWEST:
        raise ValueError(f"find_lr() needs {FEWEST} steps or more, got num_iter={num_iter}.")
    if not 0 <= smoothing < 1:
        raise ValueError(f"find_lr() needs a smoothing in [0, 1), got {smoothing}.")
    if not diverged > 1:
        raise ValueError(f"find_lr() needs diverged above 1, got {diverged}.")


def _ratios(optimizer: Optimizer) -> list[float]:
    """The learning rates of the groups, relative to the first."""
    rates = [plain(group["lr"]) for group in optimizer.param_groups]
    return [rate / rates[0] if rates[0] else 1.0 for rate in rates]


def _again_and_again(batches: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    while True:
        batch = None
        for batch in batches:
            yield batch
        if batch is None:
            raise ValueError("find_lr() got no batches. Was an iterator used up? Give a list or a DataLoader.")
