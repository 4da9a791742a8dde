"""Models: Sequential, those of one's own, and models from files."""

from tensorgrad.keras.models.model import Model
from tensorgrad.keras.models.saving import clone_model, load_model, model_from_config, model_from_json, save_model
from tensorgrad.keras.models.sequential import Sequential

__all__ = [
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_config",
    "model_from_json",
    "save_model",
]
