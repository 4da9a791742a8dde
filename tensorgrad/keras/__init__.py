"""Keras's way of working: its own code runs with the import changed.

``from tensorgrad import keras``; then ``keras.Sequential``, ``keras.layers.Dense``, ``model.compile``, ``model.fit``.
Names, defaults and shapes are those of Keras 3 (channels come last); everything is a face on :mod:`tensorgrad.nn`,
:mod:`tensorgrad.optim` and :mod:`tensorgrad.training`.
"""

from tensorgrad.keras import (
    activations,
    backend,
    callbacks,
    config,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    regularizers,
    saving,
    utils,
)
from tensorgrad.keras.inputs import Input
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.models import Model, Sequential

__all__ = [
    "Input",
    "Layer",
    "Model",
    "Sequential",
    "activations",
    "backend",
    "callbacks",
    "config",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "regularizers",
    "saving",
    "utils",
]
