"""Losses as metrics: their means."""

from __future__ import annotations

from typing import Any

from tensorgrad.keras import losses
from tensorgrad.keras.metrics.base import OfFunction


class MeanSquaredError(OfFunction):
    """The mean squared difference."""

    function = staticmethod(losses.mean_squared_error)


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared difference."""

    def result(self) -> float:
        """The figure."""
        return float(super().result() ** 0.5)


class MeanAbsoluteError(OfFunction):
    """The mean absolute difference."""

    function = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(OfFunction):
    """The mean absolute difference in per cent of the target."""

    function = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(OfFunction):
    """The mean squared difference of logarithms."""

    function = staticmethod(losses.mean_squared_logarithmic_error)


class LogCoshError(OfFunction):
    """The mean logarithm of the hyperbolic cosine of the difference."""

    function = staticmethod(losses.log_cosh)

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)


class KLDivergence(OfFunction):
    """The mean Kullback-Leibler divergence."""

    function = staticmethod(losses.kl_divergence)


class Poisson(OfFunction):
    """The mean Poisson loss."""

    function = staticmethod(losses.poisson)


class BinaryCrossentropy(OfFunction):
    """The mean binary cross-entropy; options as of :func:`~tensorgrad.keras.losses.binary_crossentropy`."""

    function = staticmethod(losses.binary_crossentropy)


class CategoricalCrossentropy(OfFunction):
    """The mean cross-entropy; options as of :func:`~tensorgrad.keras.losses.categorical_crossentropy`."""

    function = staticmethod(losses.categorical_crossentropy)


class SparseCategoricalCrossentropy(OfFunction):
    """The mean cross-entropy of classes that are integers."""

    function = staticmethod(losses.sparse_categorical_crossentropy)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(OfFunction):
    """The mean cosine between targets and predictions (as a metric it is not negated)."""

    function = staticmethod(_cosine)


class Hinge(OfFunction):
    """The mean hinge loss."""

    function = staticmethod(losses.hinge)
