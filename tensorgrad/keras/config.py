"""What holds for all layers and losses: the dtype, the small number, the memory order; and the seed."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

from tensorgrad.random import manual_seed

FLOATS = ("float16", "float32", "float64")
FORMATS = ("channels_last", "channels_first")

_settings: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def floatx() -> str:
    """The dtype that parameters and inputs have."""
    return str(_settings["floatx"])


def set_floatx(value: str) -> None:
    """Sets the dtype of layers that are made from now on.

    Raises:
        ValueError: for a dtype that is none of ``"float16"``, ``"float32"``, ``"float64"``.
    """
    if value not in FLOATS:
        raise ValueError(f"floatx is one of {', '.join(FLOATS)}, not {value!r}.")
    _settings["floatx"] = value


def epsilon() -> float:
    """The small number by which probabilities are kept from 0 and 1, 1e-7."""
    return float(_settings["epsilon"])


def set_epsilon(value: float) -> None:
    """Sets that number."""
    if not 0 < value < 0.5:
        raise ValueError(f"epsilon is a small number above 0, not {value!r}.")
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """The memory order of images where a layer is not told: ``"channels_last"``."""
    return str(_settings["image_data_format"])


def set_image_data_format(data_format: str) -> None:
    """Sets the memory order of layers that are made from now on."""
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """The memory order that is meant; None: the usual one.

    Raises:
        ValueError: for another than ``"channels_last"`` and ``"channels_first"``.
    """
    if data_format is None:
        return image_data_format()
    if data_format not in FORMATS:
        raise ValueError(f"data_format is 'channels_last' or 'channels_first', not {data_format!r}.")
    return data_format


def set_random_seed(seed: int) -> None:
    """Seeds tensorgrad's random numbers, and NumPy's and Python's, too.

    Example:
        >>> set_random_seed(1)
        >>> x, y = tg.rand(2), np.random.rand()
        >>> set_random_seed(1)
        >>> bool((tg.rand(2) == x).all()), np.random.rand() == y
        (True, True)
    """
    manual_seed(seed)
    np.random.seed(seed)
    python_random.seed(seed)
