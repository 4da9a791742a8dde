"""The matrix product on the CPU, on our threads and not on those of BLAS.

Those of BLAS wait for the next product by turning in circles, on the cores that other kernels' threads need then.
"""

from __future__ import annotations

import math

import numpy as np

from tensorgrad import threads
from tensorgrad.backend import Array

ALONE = 1 << 18
"""Products of so many multiplications OpenBLAS does on one thread anyway."""
LARGE = 1 << 25
"""Multiplications from which on a product is cut into parts."""
PARTS = 8
"""How many parts there are at most; and so narrow, at least:"""
NARROW = 32


def matmul(a: Array, b: Array) -> Array:
    """The matrix product over the last two axes (:func:`tensorgrad.kernels.reference.matmul`)."""
    # Multiplications, if the one with more axes is the larger batch.
    size = max(a.size * b.shape[-1], b.size * a.shape[-2]) if min(a.ndim, b.ndim) > 1 else max(a.size, b.size)
    if size <= ALONE:
        return np.matmul(a, b)
    if size < LARGE or min(a.ndim, b.ndim) < 2:
        with threads.OneBlasThread():
            return np.matmul(a, b)
    if a.shape[-1] != b.shape[-2]:
        return np.matmul(a, b)
    if b.ndim == 2 and a.ndim > 2:
        rows = a.reshape(-1, a.shape[-1])
        return matmul(rows, b).reshape(*a.shape[:-1], b.shape[-1])
    if a.ndim == 2 and b.ndim == 2:
        along, length = (0, len(a)) if len(a) >= b.shape[1] else (1, b.shape[1])
        parts = min(PARTS, 1 << (size // max(1, LARGE)).bit_length(), length // NARROW)
    else:
        leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        along, length = 0, leading[0]
        a, b = (np.broadcast_to(x, (*leading, *x.shape[-2:])) for x in (a, b))
        parts = min(PARTS, length)
    if parts < 2:
        with threads.OneBlasThread():
            return np.matmul(a, b)
    out = np.empty((*a.shape[:-1], b.shape[-1]), dtype=np.result_type(a, b))
    step = math.ceil(length / parts)

    def multiply(start: int) -> None:
        some = slice(start, start + step)
        if a.ndim > 2:
            np.matmul(a[some], b[some], out=out[some])
        elif along:
            np.matmul(a, b[:, some], out=out[:, some])
        else:
            np.matmul(a[some], b, out=out[some])

    threads.each(multiply, range(0, length, step))
    return out
