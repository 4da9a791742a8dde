"""tensorgrad: reverse-mode automatic differentiation from scratch, over NumPy and CuPy.

Functions of arrays are here, under the names of the Python array API standard and NumPy; layers are in
:mod:`tensorgrad.nn`, optimizers in :mod:`tensorgrad.optim`, data in :mod:`tensorgrad.data`, Keras's way of working in
:mod:`tensorgrad.keras`, gradient checks in :mod:`tensorgrad.testing`.
"""

from __future__ import annotations

import math as _math
from importlib import import_module as _import_module
from types import ModuleType as _ModuleType
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

import numpy as _np

from tensorgrad import backend, errors, kernels, memory, nn, optim, random, testing
from tensorgrad.autograd import *
from tensorgrad.backend import cuda_is_available as cuda_is_available
from tensorgrad.errors import CheckpointError as CheckpointError
from tensorgrad.errors import DeviceError as DeviceError
from tensorgrad.errors import GradientError as GradientError
from tensorgrad.kernels.settings import get_float32_precision as get_float32_precision
from tensorgrad.kernels.settings import set_float32_precision as set_float32_precision
from tensorgrad.ops import linalg as linalg
from tensorgrad.ops import methods as _methods
from tensorgrad.ops.activations import *
from tensorgrad.ops.adaptive_pooling import *
from tensorgrad.ops.arrangement import *
from tensorgrad.ops.attention import *
from tensorgrad.ops.casting import *
from tensorgrad.ops.classification import *
from tensorgrad.ops.convolution import *
from tensorgrad.ops.creation import *
from tensorgrad.ops.distances import *
from tensorgrad.ops.dropout import *
from tensorgrad.ops.elementwise import *
from tensorgrad.ops.embedding import *
from tensorgrad.ops.indexing import *
from tensorgrad.ops.likelihoods import *
from tensorgrad.ops.linalg import *
from tensorgrad.ops.logic import *
from tensorgrad.ops.losses import *
from tensorgrad.ops.margin_losses import *
from tensorgrad.ops.max_pooling import *
from tensorgrad.ops.normalization import *
from tensorgrad.ops.overlap_losses import *
from tensorgrad.ops.pooling import *
from tensorgrad.ops.powers import *
from tensorgrad.ops.recurrent import *
from tensorgrad.ops.reductions import *
from tensorgrad.ops.resizing import *
from tensorgrad.ops.shape import *
from tensorgrad.ops.shrinkage import *
from tensorgrad.ops.softmax import *
from tensorgrad.ops.special import *
from tensorgrad.ops.transposed_convolution import *
from tensorgrad.ops.trigonometry import *
from tensorgrad.random import *
from tensorgrad.threads import get_num_threads as get_num_threads
from tensorgrad.threads import set_num_threads as set_num_threads

bool = _np.dtype("bool")
uint8 = _np.dtype("uint8")
uint16 = _np.dtype("uint16")
uint32 = _np.dtype("uint32")
uint64 = _np.dtype("uint64")
int8 = _np.dtype("int8")
int16 = _np.dtype("int16")
int32 = _np.dtype("int32")
int64 = _np.dtype("int64")
float16 = _np.dtype("float16")
float32 = _np.dtype("float32")
float64 = _np.dtype("float64")
complex64 = _np.dtype("complex64")
complex128 = _np.dtype("complex128")

e = _math.e
inf = _math.inf
nan = _math.nan
newaxis = None
pi = _math.pi

if _TYPE_CHECKING:
    from tensorgrad import data as data
    from tensorgrad import keras as keras
    from tensorgrad import training as training
    from tensorgrad.serialization import load as load
    from tensorgrad.serialization import save as save

memory.keep_freed_memory(memory.from_environment())

_LATER = {name: name for name in ("data", "keras", "training")} | dict.fromkeys(("load", "save"), "serialization")
"""Imported when they are asked for, from these modules: whoever does not use them does not wait for them."""
_ROOMS = {"linalg", "nn", "optim", "random", "testing"}
__all__ = [*_LATER]
__all__ += [
    name
    for name, member in globals().items()
    if not (name.startswith("_") or name == "annotations") and (not isinstance(member, _ModuleType) or name in _ROOMS)
]


def __getattr__(name: str) -> _Any:
    if name in _LATER.values():
        return _import_module(f"tensorgrad.{name}")
    if name in _LATER:
        return getattr(_import_module(f"tensorgrad.{_LATER[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("tensorgrad")
    raise AttributeError(f"module 'tensorgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
