"""Losses under Keras's names and with its meanings: functions, objects, and both by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.keras.losses.functions import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from tensorgrad.keras.losses.objects import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    CustomLoss,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    Loss,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from tensorgrad.keras.registry import made

__all__ = [
    "binary_crossentropy",
    "BinaryCrossentropy",
    "categorical_crossentropy",
    "categorical_hinge",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "cosine_similarity",
    "CosineSimilarity",
    "CustomLoss",
    "get",
    "hinge",
    "Hinge",
    "huber",
    "Huber",
    "kl_divergence",
    "kld",
    "KLDivergence",
    "log_cosh",
    "LogCosh",
    "Loss",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "mse",
    "msle",
    "poisson",
    "Poisson",
    "sparse_categorical_crossentropy",
    "SparseCategoricalCrossentropy",
    "squared_hinge",
    "SquaredHinge",
]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{kind.function.__name__: kind.function for kind in Loss.known.values() if hasattr(kind, "function")},
    "mse": mean_squared_error,
    "MSE": mean_squared_error,
    "mae": mean_absolute_error,
    "MAE": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "MAPE": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "MSLE": mean_squared_logarithmic_error,
    "bce": binary_crossentropy,
    "BCE": binary_crossentropy,
    "kld": kl_divergence,
    "KLD": kl_divergence,
    "kullback_leibler_divergence": kl_divergence,
    "logcosh": log_cosh,
    "cosine_proximity": cosine_similarity,
}
"""The functions by name."""

mse, mae, mape, msle, kld = (FUNCTIONS[name] for name in ("mse", "mae", "mape", "msle", "kld"))
KNOWN: dict[str, Any] = {**Loss.known, **FUNCTIONS}
del KNOWN["CustomLoss"]


def get(identifier: Any) -> Any:
    """The function or the loss that a name or a configuration stands for; others stand for themselves.

    Raises:
        ValueError: for an unknown name; lists the known ones.
    """
    return made("loss", identifier, KNOWN)


def as_loss(identifier: Any) -> Loss:
    """A :class:`Loss` of a name, a configuration, a function or a loss."""
    found = get(identifier)
    if isinstance(found, Loss):
        return found
    kind = next((kind for kind in Loss.known.values() if getattr(kind, "function", None) is found), None)
    return kind() if kind else CustomLoss(found)
