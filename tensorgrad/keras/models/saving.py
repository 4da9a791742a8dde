"""Models from files and from configurations."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from tensorgrad.errors import CheckpointError
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.models.content import all_layers
from tensorgrad.keras.models.model import Model
from tensorgrad.keras.optimizers import get as optimizer_of
from tensorgrad.keras.registry import custom_object_scope, deserialize
from tensorgrad.serialization import load


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Reads what ``model.save`` wrote: the same outputs, and training goes on where it was.

    Nothing in the file is executed: classes and functions of one's own are looked up by their names.

    Args:
        filepath: the file.
        custom_objects: one's own layers, losses, metrics and functions, by name.
        compile: whether to compile it as it was.
        safe_mode: accepted: files are always safe.

    Raises:
        CheckpointError: if it is no such file, or damaged.
        ValueError: for a name that is not known; says how it is made known.

    Example:
        >>> from tensorgrad import keras
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> model.save("model.keras")
        >>> again = keras.models.load_model("model.keras")
        >>> bool((again(tg.ones((1, 3))) == model(tg.ones((1, 3)))).all())
        True
    """
    content = load(filepath)
    if not isinstance(content, dict) or "tensorgrad.keras" not in content:
        raise CheckpointError(
            f"{os.fspath(filepath)!r} is no model that model.save() wrote. Weights alone are read by load_weights(); "
            f"Keras's own files are not read."
        )
    if content["tensorgrad.keras"] > 1:
        raise CheckpointError(f"{os.fspath(filepath)!r} is of a newer version of tensorgrad: upgrade it.")
    with custom_object_scope(custom_objects):
        model: Model = deserialize(content, "model", Layer.known)
        if content["input_shape"] is not None and not model.built:
            model.build_for(tuple(content["input_shape"]))
        model.load_state_dict(content["weights"])
        for layer, trainable in zip(all_layers(model), content["trainable"], strict=True):
            if layer.trainable != trainable:
                layer.trainable = trainable
        compilation = content["compilation"]
        if compile and compilation is not None:
            state = compilation.pop("state")
            optimizer = optimizer_of(compilation.pop("optimizer"))
            model.compile(optimizer, **compilation)
            named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
            optimizer.load_state_dict(state, named)
    return model


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model of the architecture that ``to_json`` gave, with new weights.

    Keras's own JSON of a Sequential is understood, where all its layers are there.
    """
    return model_from_config(json.loads(json_string), custom_objects)


def model_from_config(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model of ``{"class_name": ..., "config": ...}``, with new weights."""
    with custom_object_scope(custom_objects):
        return deserialize(config, "model", Layer.known)


def clone_model(model: Model) -> Any:
    """A model of the same architecture, with new weights."""
    return type(model).from_config(model.get_config())


def save_model(model: Model, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
    """``model.save(filepath)``."""
    model.save(filepath, overwrite)
