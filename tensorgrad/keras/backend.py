"""Old Keras's ``backend``: functions for losses and metrics of one's own, and settings. See :mod:`.ops`."""

from __future__ import annotations

from tensorgrad.keras.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from tensorgrad.keras.ops import *
from tensorgrad.keras.ops import cast, concatenate, convert_to_numpy, convert_to_tensor, shape
from tensorgrad.keras.registry import clear_session


def backend() -> str:
    """What computes: ``"tensorgrad"``."""
    return "tensorgrad"
