"""Indexing, transposed: values put back where they were picked from."""

from __future__ import annotations

from typing import Any

from tensorgrad import backend
from tensorgrad.backend import Array, namespace
from tensorgrad.kernels.geometry import Sizes


def scatter(values: Array, key: Any, *, shape: Sizes) -> Array:
    """Zeros of ``shape`` with ``values`` added at ``key``; what meets at one place is added up.

    Args:
        values: as ``x[key]`` of an array of that shape.
        key: an index, as NumPy takes it.
        shape: of the result.

    Returns:
        The dtype of ``values``.

    >>> import numpy as np
    >>> scatter(np.asarray([1.0, 10.0, 100.0]), np.asarray([2, 0, 2]), shape=(4,))
    array([ 10.,   0., 101.,   0.])
    """
    x = backend.zeros(shape, values.dtype, values)
    namespace(values).add.at(x, key, values)
    return x
