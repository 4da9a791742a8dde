"""The stand-in as an array library of tensorgrad's: ``device="strict"``."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

from tensorgrad.backend import Backend, register

from .arrays import ndarray
from .creation import asarray


class StrictBackend(Backend):
    """The stand-in for CuPy."""

    name = "strict"
    device_type = "strict"
    xp = sys.modules[__package__]
    array_type = ndarray

    def from_numpy(self, array: np.ndarray, device: str) -> Any:
        return asarray(array)

    def to_numpy(self, array: Any) -> np.ndarray:
        return array.get()


def register_strict() -> StrictBackend:
    """Makes ``device="strict"`` known to tensorgrad, with the kernels that CuPy's arrays get."""
    backend = StrictBackend()
    register(backend)
    kernels = importlib.import_module("tensorgrad.kernels")
    kernels.register(backend.name, importlib.import_module("tensorgrad.kernels.cupy"))
    return backend
