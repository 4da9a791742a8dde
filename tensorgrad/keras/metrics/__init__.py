"""Metrics under Keras's names: they are those of :mod:`tensorgrad.training.metrics` or made like them.

A metric is updated batch by batch with ``update_state(y_true, y_pred)``; ``result()`` is exact for all samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorgrad.keras.metrics.accuracies import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from tensorgrad.keras.metrics.base import Mean, MeanMetricWrapper, Metric, Sum
from tensorgrad.keras.metrics.counts import (
    AUC,
    FalseNegatives,
    FalsePositives,
    Precision,
    R2Score,
    Recall,
    TrueNegatives,
    TruePositives,
)
from tensorgrad.keras.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
)
from tensorgrad.keras.registry import custom_object, made, snake_case
from tensorgrad.ops.creation import asarray
from tensorgrad.training import metrics

__all__ = [
    "accuracy",
    "Accuracy",
    "AUC",
    "binary_accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "categorical_accuracy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CosineSimilarity",
    "FalseNegatives",
    "FalsePositives",
    "get",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Sum",
    "top_k_categorical_accuracy",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
]


class _ByShape(Metric):
    """``"accuracy"`` and ``"crossentropy"``: which one is meant is seen from the shapes of the first batch."""

    def __init__(self, name: str, binary: Any, sparse: Any, categorical: Any) -> None:
        super().__init__(name=name)
        self._kinds = (binary, sparse, categorical)
        self._chosen: Metric | None = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        target, output = asarray(y_true), asarray(y_pred)
        if self._chosen is None:
            binary = output.ndim < 1 or output.shape[-1] == 1
            sparse = target.ndim < output.ndim or (target.shape[-1] == 1 and output.shape[-1] > 1)
            self._chosen = self._kinds[0 if binary else 1 if sparse else 2](name=self.name)
        self._chosen.update_state(target, output, sample_weight)

    def result(self) -> float:
        """The figure."""
        return 0.0 if self._chosen is None else float(self._chosen.result())

    def reset_state(self) -> None:
        """Forgets all batches."""
        if self._chosen is not None:
            self._chosen.reset_state()


BY_SHAPE: Mapping[str, tuple[Any, Any, Any]] = {
    **dict.fromkeys(("accuracy", "acc"), (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)),
    **dict.fromkeys(
        ("crossentropy", "ce"), (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)
    ),
}
KINDS: dict[str, type] = {
    **Metric.known,
    **{snake_case(name): kind for name, kind in Metric.known.items()},
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "MAPE": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "MSLE": MeanSquaredLogarithmicError,
    "rmse": RootMeanSquaredError,
    "RMSE": RootMeanSquaredError,
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "kld": KLDivergence,
    "KLD": KLDivergence,
    "auc": AUC,
}
for _name in ("MeanMetricWrapper", "mean_metric_wrapper", "OfFunction", "of_function", "accuracy"):
    KINDS.pop(_name, None)


def get(identifier: Any) -> Any:
    """The metric that a name or a configuration stands for; metrics and functions stand for themselves.

    Raises:
        ValueError: for an unknown name; lists the known ones, and ``"accuracy"`` and ``"crossentropy"``.
    """
    return made("metric", identifier, {**KINDS, **BY_SHAPE})


def as_metric(identifier: Any) -> Metric:
    """A :class:`Metric` of a name, a function or a metric; one of a name has that name."""
    if isinstance(identifier, str) and custom_object(identifier) is None:
        if identifier in BY_SHAPE:
            return _ByShape(identifier, *BY_SHAPE[identifier])
        metric: Metric = get(identifier)
        metric.name = identifier
        return metric
    if isinstance(identifier, metrics.Metric) and not isinstance(identifier, Metric):
        return _OfTraining(identifier)
    found = get(identifier)
    if isinstance(found, Metric):
        return found
    return MeanMetricWrapper(found)


class _OfTraining(Metric):
    """A metric of :mod:`tensorgrad.training` that Keras does not have."""

    def __init__(self, metric: metrics.Metric) -> None:
        super().__init__(name=metric.name)
        self.metric = metric

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.metric.update(y_pred, y_true)

    def result(self) -> Any:
        return self.metric.compute()

    def reset_state(self) -> None:
        self.metric.reset()
