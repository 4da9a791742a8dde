"""Functions of Tensors under Keras's names, for losses, metrics and layers of one's own: those of tensorgrad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor
from tensorgrad.ops.activations import *
from tensorgrad.ops.arrangement import *
from tensorgrad.ops.casting import astype
from tensorgrad.ops.classification import one_hot as one_hot
from tensorgrad.ops.creation import *
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import *
from tensorgrad.ops.indexing import *
from tensorgrad.ops.linalg import *
from tensorgrad.ops.logic import *
from tensorgrad.ops.powers import *
from tensorgrad.ops.reductions import *
from tensorgrad.ops.shape import *
from tensorgrad.ops.shape import concat
from tensorgrad.ops.softmax import *
from tensorgrad.ops.trigonometry import *


def cast(x: Any, dtype: Any) -> Tensor:
    """``x`` in another dtype.

    Example:
        >>> cast(tg.tensor([1, 2]), "float32").dtype
        dtype('float32')
    """
    result: Tensor = astype(asarray(x), np.dtype(dtype), copy=False)
    return result


def convert_to_tensor(x: Any, dtype: Any = None) -> Tensor:
    """A Tensor of an array or numbers."""
    return asarray(x) if dtype is None else cast(x, dtype)


def convert_to_numpy(x: Any) -> np.ndarray:
    """NumPy's array of a Tensor."""
    return asarray(x).numpy()


def shape(x: Any) -> tuple[int, ...]:
    """The lengths of the axes."""
    return tuple(asarray(x).shape)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Arrays one behind the other."""
    result: Tensor = concat(list(xs), axis=axis)
    return result
