"""The matrix product."""

from __future__ import annotations

from tensorgrad.backend import Array, namespace


def matmul(a: Array, b: Array) -> Array:
    """The matrix product over the last two axes, as NumPy's.

    Args:
        a: ``(..., n, k)`` or ``(k,)``.
        b: ``(..., k, m)`` or ``(k,)``.

    Returns:
        ``(..., n, m)``; n or m is missing where that argument has one axis.

    Raises:
        ValueError: if the shapes do not go together.

    >>> import numpy as np
    >>> matmul(np.asarray([[1, 2], [3, 4]]), np.asarray([1, 1]))
    array([3, 7])
    """
    return namespace(a).matmul(a, b)
