"""Training: the loop, what happens beside it, and figures that say how good a model is."""

from tensorgrad.training import metrics
from tensorgrad.training.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    JSONLogger,
    LambdaCallback,
    ModelCheckpoint,
    ProgressBar,
    TensorBoardLogger,
)
from tensorgrad.training.history import History
from tensorgrad.training.trainer import Trainer

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "JSONLogger",
    "LambdaCallback",
    "ModelCheckpoint",
    "ProgressBar",
    "TensorBoardLogger",
    "Trainer",
    "metrics",
]
