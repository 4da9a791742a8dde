"""Models from files, and the names of one's own classes in them."""

from tensorgrad.keras.models import load_model, save_model
from tensorgrad.keras.registry import custom_object_scope, register_keras_serializable

__all__ = ["custom_object_scope", "load_model", "register_keras_serializable", "save_model"]
