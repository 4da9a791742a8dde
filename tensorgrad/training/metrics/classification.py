"""How often classes are right, and how they are mixed up."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.training.metrics.base import Metric, as_array

AVERAGES = ("macro", "micro", "weighted", None)


def _classes(name: str, output: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """The predicted and the right classes, flat.

    Args:
        name: of the metric.
        output: scores (N, C, ...), or predicted classes (N, ...) as integers.
        target: classes (N, ...) as integers, or the share of each class in the shape of the scores.
    """
    scores, right = as_array(output), as_array(target)
    if scores.ndim > 1 and right.shape == scores.shape and scores.dtype.kind == "f":
        right = right.argmax(axis=1)
    if scores.ndim > 1 and right.shape == scores.shape[:1] + scores.shape[2:]:
        scores = scores.argmax(axis=1)
    if scores.shape != right.shape or scores.dtype.kind not in "iub" or right.dtype.kind not in "iub":
        raise ValueError(
            f"{name} takes scores (N, C, ...) or classes (N, ...) as integers, and classes (N, ...), got "
            f"{as_array(output).dtype}{list(as_array(output).shape)} and {as_array(target).dtype}"
            f"{list(as_array(target).shape)}."
        )
    return scores.reshape(-1).astype(np.int64), right.reshape(-1).astype(np.int64)


class _Share(Metric):
    """A share of samples that are right."""

    def reset(self) -> None:
        """Forgets all batches."""
        self.right, self.count = 0, 0

    def _take(self, right: np.ndarray) -> None:
        self.right += int(right.sum())
        self.count += right.size

    def compute(self) -> float:
        """The share."""
        return self.right / self.count if self.count else float("nan")


class Accuracy(_Share):
    """The share of samples whose class is right.

    ``update`` takes scores (N, C, ...), or predicted classes (N, ...); and classes (N, ...), or the share of each class
    in the shape of the scores.

    Example:
        >>> metric = Accuracy()
        >>> metric.update([[2.0, 1.0], [0.0, 3.0]], [0, 0])
        >>> metric.update([[2.0, 1.0]], [0])
        >>> round(metric.compute(), 3)
        0.667
    """

    def update(self, output: Any, target: Any) -> None:
        """Takes in a batch."""
        predicted, right = _classes("Accuracy", output, target)
        self._take(predicted == right)


class BinaryAccuracy(_Share):
    """The share of samples that are on the right side of a threshold.

    ``update`` takes numbers, and 0 or 1 in the same shape.

    Args:
        threshold: what is above it is 1: 0.5 for probabilities, 0 for scores.

    Example:
        >>> metric = BinaryAccuracy()
        >>> metric.update([0.9, 0.4, 0.6], [1, 0, 0])
        >>> round(metric.compute(), 3)
        0.667
    """

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold
        super().__init__()

    def update(self, output: Any, target: Any) -> None:
        """Takes in a batch."""
        scores, right = as_array(output), as_array(target)
        if scores.shape != right.shape:
            raise ValueError(f"BinaryAccuracy takes two arrays of one shape, got {scores.shape} and {right.shape}.")
        self._take((scores > self.threshold) == (right > 0.5))


class TopKAccuracy(_Share):
    """The share of samples whose class is among those with the highest scores.

    ``update`` takes scores (N, C) and classes (N,). Of equal scores those of the first classes count as higher.

    Args:
        k: among how many.

    Example:
        >>> metric = TopKAccuracy(2)
        >>> metric.update([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]], [1, 2])
        >>> metric.compute()
        0.5
    """

    def __init__(self, k: int = 5) -> None:
        if k < 1:
            raise ValueError(f"TopKAccuracy needs a k of 1 or more, got {k}.")
        self.k = k
        super().__init__()

    def update(self, output: Any, target: Any) -> None:
        """Takes in a batch."""
        scores, right = as_array(output), as_array(target)
        if scores.ndim != 2 or right.shape != scores.shape[:1]:
            raise ValueError(f"TopKAccuracy takes scores (N, C) and classes (N,), got {scores.shape}, {right.shape}.")
        best = np.argsort(-scores.astype(np.float64), axis=1, kind="stable")[:, : self.k]
        self._take((best == right[:, None]).any(axis=1))


class ConfusionMatrix(Metric):
    """How many samples of each class are taken for each class: rows are what is right, columns what was predicted.

    ``update`` takes what that of :class:`Accuracy` takes.

    Args:
        num_classes: how many classes there are.

    Example:
        >>> metric = ConfusionMatrix(2)
        >>> metric.update([0, 1, 1], [0, 0, 1])
        >>> metric.compute()
        array([[1, 1],
               [0, 1]])
    """

    def __init__(self, num_classes: int) -> None:
        if num_classes < 1:
            raise ValueError(f"{type(self).__name__} needs 1 class or more, got {num_classes}.")
        self.num_classes = num_classes
        super().__init__()

    def reset(self) -> None:
        """Forgets all batches."""
        self.counts = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update(self, output: Any, target: Any) -> None:
        """Takes in a batch.

        Raises:
            ValueError: for a class that is not there.
        """
        predicted, right = _classes(type(self).__name__, output, target)
        for classes in (predicted, right):
            if classes.size and not (classes.min() >= 0 and classes.max() < self.num_classes):
                bad = classes.min() if classes.min() < 0 else classes.max()
                raise ValueError(f"{type(self).__name__} of {self.num_classes} classes got the class {bad}.")
        flat = np.bincount(right * self.num_classes + predicted, minlength=self.num_classes**2)
        self.counts += flat.reshape(self.counts.shape)

    def compute(self) -> Any:
        """(classes, classes) the counts."""
        return self.counts.copy()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_classes})"


class _PerClass(ConfusionMatrix):
    """A figure of each class, and their mean.

    Args:
        num_classes: how many classes there are.
        average: ``"macro"``: the mean over the classes that occur; ``"weighted"``: by how often each is right;
            ``"micro"``: of all samples, whatever their class; None: an array with one figure for each class.
    """

    def __init__(self, num_classes: int, average: str | None = "macro") -> None:
        if average not in AVERAGES:
            raise ValueError(f"{type(self).__name__} averages {', '.join(map(repr, AVERAGES))}, not {average!r}.")
        self.average = average
        super().__init__(num_classes)

    def figure(self, hits: np.ndarray, predicted: np.ndarray, right: np.ndarray) -> np.ndarray:
        """From how many are right, how many were predicted, and how many there are."""
        raise NotImplementedError

    def compute(self) -> Any:
        """The figure; 0 where it is 0 / 0, NaN without any samples."""
        hits, predicted, right = np.diag(self.counts), self.counts.sum(axis=0), self.counts.sum(axis=1)
        if self.average == "micro":
            hits, predicted, right = (np.atleast_1d(part.sum()) for part in (hits, predicted, right))
        figures = self.figure(hits, predicted, right)
        if self.average is None:
            return figures
        weights = right if self.average == "weighted" else (predicted + right > 0).astype(np.int64)
        return float(figures @ weights / weights.sum()) if weights.sum() else float("nan")


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return part / np.where(whole > 0, whole, 1)


class Precision(_PerClass):
    """Of the samples that are taken for a class, the share that are of it.

    ``update`` takes what that of :class:`Accuracy` takes.

    Args:
        num_classes: how many classes there are.
        average: ``"macro"``: the mean over the classes that occur; ``"weighted"``: by how often each is right;
            ``"micro"``: of all samples, whatever their class; None: an array with one figure for each class.

    Example:
        >>> metric = Precision(2, average=None)
        >>> metric.update([0, 1, 1, 1], [0, 0, 1, 1])
        >>> metric.compute().round(3)
        array([1.   , 0.667])
    """

    def figure(self, hits: np.ndarray, predicted: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Hits / predicted."""
        return _ratio(hits, predicted)


class Recall(_PerClass):
    """Of the samples of a class, the share that are taken for it. Arguments as of :class:`Precision`.

    Example:
        >>> metric = Recall(2, average=None)
        >>> metric.update([0, 1, 1, 1], [0, 0, 1, 1])
        >>> metric.compute()
        array([0.5, 1. ])
    """

    def figure(self, hits: np.ndarray, predicted: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Hits / right."""
        return _ratio(hits, right)


class F1Score(_PerClass):
    """The harmonic mean of :class:`Precision` and :class:`Recall`. Arguments as of :class:`Precision`.

    Example:
        >>> metric = F1Score(2, average=None)
        >>> metric.update([0, 1, 1, 1], [0, 0, 1, 1])
        >>> metric.compute().round(3)
        array([0.667, 0.8  ])
    """

    def figure(self, hits: np.ndarray, predicted: np.ndarray, right: np.ndarray) -> np.ndarray:
        """2 * hits / (predicted + right)."""
        return _ratio(2 * hits, predicted + right)


class AUC(Metric):
    """The area under the receiver operating characteristic: how likely a sample of class 1 scores above one of class 0.

    Equal scores count half. It is exact: all scores are kept. (Hanley and McNeil, 1982.)

    ``update`` takes scores, and 0 or 1 in the same shape.

    Example:
        >>> metric = AUC()
        >>> metric.update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        >>> metric.compute()
        0.75
    """

    def reset(self) -> None:
        """Forgets all batches."""
        self.scores: list[np.ndarray] = []
        self.labels: list[np.ndarray] = []

    def update(self, output: Any, target: Any) -> None:
        """Takes in a batch."""
        scores, labels = as_array(output), as_array(target)
        if scores.shape != labels.shape:
            raise ValueError(f"AUC takes scores and labels of one shape, got {scores.shape} and {labels.shape}.")
        self.scores.append(scores.reshape(-1).astype(np.float64))
        self.labels.append(labels.reshape(-1) > 0.5)

    def compute(self) -> float:
        """The area; NaN unless there are samples of both classes."""
        scores, labels = (np.concatenate([np.zeros(0), *parts]) for parts in (self.scores, self.labels))
        ones, zeros = int(labels.sum()), int(labels.size - labels.sum())
        if not ones or not zeros or np.isnan(scores).any():
            return float("nan")
        _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
        # The mean rank of those with equal scores.
        ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]
        return float((ranks[labels > 0].sum() - ones * (ones + 1) / 2) / (ones * zeros))
