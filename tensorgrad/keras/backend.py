"""Old Keras's ``backend``: functions for losses and metrics of one's own, and settings. See :mod:`.ops`."""

from __future__ import annotations

from typing import Any

import numpy as np

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


def get_value(x: Any) -> Any:
    """The number, or NumPy's array, that something holds."""
    return x if isinstance(x, (int, float)) else np.asarray(x.numpy())


def set_value(x: Any, value: Any) -> None:
    """Sets the numbers of a weight."""
    x.assign(value)


def backend() -> str:
    """What computes: ``"tensorgrad"``."""
    return "tensorgrad"
