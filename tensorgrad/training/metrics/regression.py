"""How far numbers are from what they should be."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.training.metrics.base import Metric, pair


class _MeanOf(Metric):
    def reset(self) -> None:
        """Forgets all batches."""
        self.total, self.count = 0.0, 0

    def each(self, gap: np.ndarray) -> np.ndarray:
        """What each difference counts."""
        raise NotImplementedError

    def update(self, output: Any, target: Any) -> None:
        """Takes in a batch: two arrays of one shape."""
        one, other = pair(type(self).__name__, output, target)
        self.total += float(self.each(one - other).sum())
        self.count += one.size

    def compute(self) -> float:
        """The mean over all numbers."""
        return self.total / self.count if self.count else float("nan")


class MeanSquaredError(_MeanOf):
    """The mean of squared differences.

    Example:
        >>> metric = MeanSquaredError()
        >>> metric.update([1.0, 3.0], [1.0, 1.0])
        >>> metric.compute()
        2.0
    """

    def each(self, gap: np.ndarray) -> np.ndarray:
        """Its square."""
        return gap * gap


class MeanAbsoluteError(_MeanOf):
    """The mean of absolute differences.

    Example:
        >>> metric = MeanAbsoluteError()
        >>> metric.update([1.0, 3.0], [1.0, 1.0])
        >>> metric.compute()
        1.0
    """

    def each(self, gap: np.ndarray) -> np.ndarray:
        """Its size."""
        return np.abs(gap)


class R2Score(Metric):
    """The coefficient of determination: 1 less the squared differences over those of the targets from their mean.

    ``update`` takes two arrays (N,), or (N, D): then it is the mean over D.

    Example:
        >>> metric = R2Score()
        >>> metric.update([1.0, 2.0], [1.0, 2.0])
        >>> metric.update([3.0, 5.0], [3.0, 4.0])
        >>> metric.compute()
        0.8
    """

    def reset(self) -> None:
        """Forgets all batches."""
        self.count, self.rest = 0, np.zeros(())
        self.mean, self.spread = np.zeros(()), np.zeros(())

    def update(self, output: Any, target: Any) -> None:
        """Takes in a batch."""
        one, other = pair("R2Score", output, target)
        if one.ndim not in (1, 2):
            raise ValueError(f"R2Score takes arrays (N,) or (N, D), got {one.shape}.")
        if not len(one):
            return
        # Variances of parts as one (Chan, Golub and LeVeque, 1979): sums of squares would cancel.
        n, mean = len(other), other.mean(axis=0)
        apart, total = mean - self.mean, self.count + n
        self.spread = self.spread + ((other - mean) ** 2).sum(axis=0) + apart**2 * (self.count * n / total)
        self.mean = self.mean + apart * (n / total)
        self.rest = self.rest + ((one - other) ** 2).sum(axis=0)
        self.count = total

    def compute(self) -> float:
        """The coefficient; NaN for fewer than two samples. Of targets that are all the same: 1 if met, else 0."""
        if self.count < 2:
            return float("nan")
        same = self.spread == 0
        scores = np.where(same, self.rest == 0, 1 - self.rest / np.where(same, 1, self.spread))
        return float(scores.mean())
