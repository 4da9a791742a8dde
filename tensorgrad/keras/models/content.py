"""What is written of a model when it is saved."""

from __future__ import annotations

from typing import Any

from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.registry import serialize


def content_of(model: Any, with_compilation: bool) -> dict[str, Any]:
    """What is written of a model."""
    compilation = None
    if with_compilation and model._compiled is not None:
        given = {name: _named(value) for name, value in model._compiled.items()}
        compilation = {"optimizer": serialize(model.optimizer), **given, "state": model.optimizer.state_dict()}
    return {
        "tensorgrad.keras": 1,
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "input_shape": None if model._shapes is None else serialize(model._shapes[0]),
        "trainable": [layer.trainable for layer in all_layers(model)],
        "weights": model.state_dict(),
        "compilation": compilation,
    }


def all_layers(model: Layer) -> list[Layer]:
    """The model, and all layers in it, however deep."""
    return [module for module in model.modules() if isinstance(module, Layer)]


def _named(value: Any) -> Any:
    """What was given to ``compile``, by name."""
    return [serialize(item) for item in value] if isinstance(value, (list, tuple)) else serialize(value)
