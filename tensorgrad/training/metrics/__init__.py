"""Metrics: figures of all samples, whatever the sizes of the batches that they come in."""

from tensorgrad.training.metrics.base import Mean, Metric
from tensorgrad.training.metrics.classification import (
    AUC,
    Accuracy,
    BinaryAccuracy,
    ConfusionMatrix,
    F1Score,
    Precision,
    Recall,
    TopKAccuracy,
)
from tensorgrad.training.metrics.regression import MeanAbsoluteError, MeanSquaredError, R2Score

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "ConfusionMatrix",
    "F1Score",
    "Mean",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "R2Score",
    "Recall",
    "TopKAccuracy",
]
