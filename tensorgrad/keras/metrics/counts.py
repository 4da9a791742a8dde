"""Figures of all samples together: hits and false alarms, areas, what is explained."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.keras.losses.functions import line_up
from tensorgrad.keras.metrics.base import Metric
from tensorgrad.ops.creation import asarray
from tensorgrad.training import metrics
from tensorgrad.training.metrics.base import as_array


class _Counts(Metric):
    """True and false positives and negatives.

    Args:
        thresholds: what is above it is positive.
        class_id: the column that is looked at; None: all.
        name: in logs.
        dtype: accepted, and not needed.
    """

    def __init__(
        self, thresholds: float = 0.5, class_id: int | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(dtype, name)
        self.threshold, self.class_id = 0.5 if thresholds is None else float(thresholds), class_id
        self.reset_state()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self.hits = self.false_alarms = self.misses = self.rejections = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        target, output = (as_array(part) for part in line_up(asarray(y_true), asarray(y_pred)))
        if target.shape != output.shape:
            raise ValueError(f"{self.name} takes two arrays of one shape, got {target.shape} and {output.shape}.")
        if self.class_id is not None:
            target, output = target[..., self.class_id], output[..., self.class_id]
        true, positive = target > 0.5, output > self.threshold
        weight = np.ones(true.shape)
        if sample_weight is not None:
            given = as_array(sample_weight)
            weight = np.broadcast_to(given.reshape(given.shape + (1,) * (true.ndim - given.ndim)), true.shape)
        self.hits += float(weight[true & positive].sum())
        self.false_alarms += float(weight[~true & positive].sum())
        self.misses += float(weight[true & ~positive].sum())
        self.rejections += float(weight[~true & ~positive].sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


class Precision(_Counts):
    """Of those predicted positive, the share that are. Over all classes together, unless there is a ``class_id``.

    Args:
        thresholds: what is above it is positive.
        class_id: the column that is looked at; None: all.
        name: in logs.
        dtype: accepted, and not needed.

    Example:
        >>> metric = Precision()
        >>> metric.update_state([0, 1, 1, 1], [0.6, 0.2, 0.9, 0.8])
        >>> round(metric.result(), 3)
        0.667
    """

    def result(self) -> float:
        """The share."""
        return _ratio(self.hits, self.hits + self.false_alarms)


class Recall(_Counts):
    """Of those that are positive, the share that are predicted so. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The share."""
        return _ratio(self.hits, self.hits + self.misses)


class TruePositives(_Counts):
    """How many are predicted positive, and are. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The count."""
        return self.hits


class FalsePositives(_Counts):
    """How many are predicted positive, and are not. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The count."""
        return self.false_alarms


class TrueNegatives(_Counts):
    """How many are predicted negative, and are. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The count."""
        return self.rejections


class FalseNegatives(_Counts):
    """How many are predicted negative, and are not. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The count."""
        return self.misses


class AUC(Metric):
    """The area under the receiver operating characteristic, :class:`tensorgrad.training.metrics.AUC`: exact.

    (Keras goes by 200 thresholds, and comes near it.)

    Args:
        from_logits: accepted: only the order of predictions counts.
        name: in logs.
        dtype: accepted, and not needed.
    """

    def __init__(self, from_logits: bool = False, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._auc = metrics.AUC()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        if sample_weight is not None:
            raise NotImplementedError("AUC takes no sample_weight.")
        target, output = line_up(asarray(y_true), asarray(y_pred))
        self._auc.update(output, target)

    def result(self) -> float:
        """The area."""
        return self._auc.compute()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self._auc.reset()


class R2Score(Metric):
    """The coefficient of determination, :class:`tensorgrad.training.metrics.R2Score`.

    Args:
        name: in logs.
        dtype: accepted, and not needed.
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._score = metrics.R2Score()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        if sample_weight is not None:
            raise NotImplementedError("R2Score takes no sample_weight.")
        target, output = line_up(asarray(y_true), asarray(y_pred))
        self._score.update(output, target)

    def result(self) -> float:
        """The coefficient."""
        return self._score.compute()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self._score.reset()
