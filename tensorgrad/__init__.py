"""tensorgrad: reverse-mode automatic differentiation from scratch, over NumPy and CuPy.

Functions of arrays are here, under the names of the Python array API standard and NumPy; layers are in
:mod:`tensorgrad.nn`, optimizers in :mod:`tensorgrad.optim`, data in :mod:`tensorgrad.data`, gradient checks in
:mod:`tensorgrad.testing`.
"""

from __future__ import annotations

import math as _math
from typing import Any as _Any

import numpy as _np

from tensorgrad import backend, data, errors, kernels, optim, random, testing
from tensorgrad.autograd import (
    Function,
    Tensor,
    detect_anomaly,
    enable_grad,
    grad,
    is_grad_enabled,
    no_grad,
    op,
    set_grad_enabled,
)
from tensorgrad.backend import cuda_is_available
from tensorgrad.errors import CheckpointError, DeviceError, GradientError
from tensorgrad.ops import (
    activations as _activations,
    casting as _casting,
    convolution as _convolution,
    creation as _creation,
    dropout as _dropout,
    elementwise as _elementwise,
    indexing as _indexing,
    linalg,
    linalg as _linalg,
    logic as _logic,
    losses as _losses,
    methods as _methods,
    normalization as _normalization,
    pooling as _pooling,
    reductions as _reductions,
    shape as _shape,
    trigonometry as _trigonometry,
)
from tensorgrad.ops.activations import *
from tensorgrad.ops.casting import *
from tensorgrad.ops.convolution import *
from tensorgrad.ops.creation import *
from tensorgrad.ops.dropout import *
from tensorgrad.ops.elementwise import *
from tensorgrad.ops.indexing import *
from tensorgrad.ops.linalg import *
from tensorgrad.ops.logic import *
from tensorgrad.ops.losses import *
from tensorgrad.ops.normalization import *
from tensorgrad.ops.pooling import *
from tensorgrad.ops.reductions import *
from tensorgrad.ops.shape import *
from tensorgrad.ops.trigonometry import *
from tensorgrad.random import *
from tensorgrad.serialization import load, save

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

__all__ = [
    "backend",
    "bool",
    "CheckpointError",
    "complex128",
    "complex64",
    "cuda_is_available",
    "data",
    "detect_anomaly",
    "DeviceError",
    "e",
    "enable_grad",
    "errors",
    "float16",
    "float32",
    "float64",
    "Function",
    "grad",
    "GradientError",
    "inf",
    "int16",
    "int32",
    "int64",
    "int8",
    "is_grad_enabled",
    "kernels",
    "linalg",
    "load",
    "nan",
    "newaxis",
    "no_grad",
    "op",
    "optim",
    "pi",
    "random",
    "save",
    "set_grad_enabled",
    "Tensor",
    "testing",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
]
__all__ += _activations.__all__
__all__ += _casting.__all__
__all__ += _convolution.__all__
__all__ += _creation.__all__
__all__ += _dropout.__all__
__all__ += _elementwise.__all__
__all__ += _indexing.__all__
__all__ += _linalg.__all__
__all__ += _logic.__all__
__all__ += _losses.__all__
__all__ += _normalization.__all__
__all__ += _pooling.__all__
__all__ += _reductions.__all__
__all__ += _shape.__all__
__all__ += _trigonometry.__all__
__all__ += random.__all__


def __getattr__(name: str) -> _Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("tensorgrad")
    raise AttributeError(f"module 'tensorgrad' has no attribute {name!r}")
