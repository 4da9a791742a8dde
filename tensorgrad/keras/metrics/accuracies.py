"""How often predictions are right."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor
from tensorgrad.keras.config import floatx
from tensorgrad.keras.losses.functions import line_up
from tensorgrad.keras.metrics.base import OfFunction
from tensorgrad.ops.creation import asarray
from tensorgrad.training.metrics.base import as_array


def _same(first: np.ndarray, second: np.ndarray) -> Tensor:
    return Tensor((first == second).astype(floatx()))


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the two are equal."""
    target, output = line_up(asarray(y_true), asarray(y_pred))
    return _same(as_array(target), as_array(output))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """The share of those on the right side of the threshold, over the last axis."""
    target, output = line_up(asarray(y_true), asarray(y_pred))
    right = _same(as_array(target), as_array(output) > threshold)
    return right.mean(axis=-1) if right.ndim else right


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the place of the largest target, over the last axis.

    Example:
        >>> categorical_accuracy([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]]).tolist()
        [1.0, 0.0]
    """
    return _same(as_array(y_true).argmax(axis=-1), as_array(y_pred).argmax(axis=-1))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the place that the target names."""
    target, output = as_array(y_true), as_array(y_pred)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    return _same(target, output.argmax(axis=-1))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the largest target is at one of the places of the k largest predictions."""
    return sparse_top_k_categorical_accuracy(as_array(y_true).argmax(axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the target names one of the places of the k largest predictions."""
    target, output = as_array(y_true), as_array(y_pred)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    score = np.take_along_axis(output, target[..., None].astype(np.int64), axis=-1)
    return Tensor(((output > score).sum(axis=-1) < k).astype(floatx()))


class Accuracy(OfFunction):
    """How often predictions are equal to targets."""

    function = staticmethod(accuracy)


class BinaryAccuracy(OfFunction):
    """How often probabilities are on the right side of a threshold.

    Args:
        name: in logs.
        dtype: accepted, and not needed.
        threshold: what is above it is 1.
    """

    function = staticmethod(binary_accuracy)

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(OfFunction):
    """How often the right class is the likeliest; targets are one-hot."""

    function = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(OfFunction):
    """How often the right class is the likeliest; targets are integers.

    Example:
        >>> metric = SparseCategoricalAccuracy()
        >>> metric.update_state([1, 0], [[0.1, 0.9], [0.2, 0.8]])
        >>> metric.result()
        0.5
    """

    function = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(OfFunction):
    """How often the right class is among the k likeliest; targets are one-hot.

    Args:
        k: among how many.
        name: in logs.
        dtype: accepted, and not needed.
    """

    function = staticmethod(top_k_categorical_accuracy)

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype, k=k)


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """:class:`TopKCategoricalAccuracy` of targets that are integers."""

    function = staticmethod(sparse_top_k_categorical_accuracy)
