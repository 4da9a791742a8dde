"""The matrix product on the CPU, on our threads and not on those of BLAS.

Those of BLAS wait for the next product by turning in circles, on the cores that other kernels' threads need then.
"""

from __future__ import annotations

import math

import numpy as np

from tensorgrad import threads
from tensorgrad.backend import Array

FEW, ALONE = 1 << 17, 1 << 18
"""Products of so many multiplications are quick anyway; and those OpenBLAS does on one thread anyway."""
LARGE = 1 << 24
"""Multiplications from which on a product is cut into parts."""
PARTS = 8
"""How many parts there are at most; and so narrow, at least:"""
NARROW = 32
SMALL, FACE = 10**6, 1200
"""OpenBLAS has quick ways for products of up to SMALL multiplications, with results of up to FACE elements where the
right side is transposed. They do not pack the matrices, which is dear for a few rows: so these products are cut up."""
ROWS, WIDE = 64, 128
"""How many rows are a few, if the right side is transposed; and how many columns are taken at a time at most."""
LOW, BLOCKS = 16, (64, 32)
"""The same if it is not transposed: other numbers of columns are slow."""


def matmul(a: Array, b: Array) -> Array:
    """The matrix product over the last two axes (:func:`tensorgrad.kernels.reference.matmul`)."""
    # Multiplications, if the one with more axes is the larger batch.
    size = max(a.size * b.shape[-1], b.size * a.shape[-2]) if min(a.ndim, b.ndim) > 1 else max(a.size, b.size)
    if size <= FEW:
        return np.matmul(a, b)
    if b.ndim == 2 and a.ndim > 2 and a.flags.c_contiguous and a.shape[-1] == len(b):
        # Else NumPy would multiply one matrix after the other.
        return matmul(a.reshape(-1, len(b)), b).reshape(*a.shape[:-1], b.shape[1])
    if size < LARGE or min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
        return _alone(a, b, size)
    if a.ndim == 2 and b.ndim == 2:
        along, length = (0, len(a)) if len(a) >= b.shape[1] else (1, b.shape[1])
        parts = min(PARTS, 1 << (size // max(1, LARGE)).bit_length(), length // NARROW)
    else:
        leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        along, length = 0, leading[0]
        a, b = (np.broadcast_to(x, (*leading, *x.shape[-2:])) for x in (a, b))
        parts = min(PARTS, length)
    if parts < 2:
        return _alone(a, b, size)
    out = np.empty((*a.shape[:-1], b.shape[-1]), dtype=np.result_type(a, b))
    step = math.ceil(length / parts)

    def multiply(start: int) -> None:
        some = slice(start, start + step)
        if a.ndim > 2:
            np.matmul(a[some], b[some], out=out[some])
        elif along:
            _product(a, b[:, some], out[:, some])
        else:
            np.matmul(a[some], b, out=out[some])

    threads.each(multiply, range(0, length, step))
    return out


def _alone(a: Array, b: Array, size: int) -> Array:
    """A product that is not divided between threads."""
    if a.ndim == b.ndim == 2 and 1 < len(a) <= ROWS and a.shape[1] == len(b) and a.dtype == b.dtype:
        return _product(a, b, np.empty((len(a), b.shape[1]), dtype=a.dtype))
    if size <= ALONE:
        return np.matmul(a, b)
    with threads.OneBlasThread():
        return np.matmul(a, b)


def _product(a: Array, b: Array, out: Array) -> Array:
    """The product of two matrices; of a few rows, block by block of the columns, which BLAS is better at."""
    block = _block(a, b)
    if not block:
        with threads.OneBlasThread():
            return np.matmul(a, b, out=out)
    whole = b.shape[1] // block * block

    def blocks(matrix: Array) -> Array:
        return matrix[:, :whole].reshape(len(matrix), whole // block, block).swapaxes(0, 1)

    np.matmul(a, blocks(b), out=blocks(out))
    if whole < b.shape[1]:
        np.matmul(a, b[:, whole:], out=out[:, whole:])
    return out


def _block(a: Array, b: Array) -> int:
    """How many columns of ``b`` to take at a time; 0 for all."""
    (rows, inner), columns, item = a.shape, b.shape[1], a.itemsize
    if not 1 < rows <= ROWS or a.dtype.char not in "fd" or a.strides[1] != item or not threads.small_products():
        return 0
    if b.strides[0] == item:
        most = min(WIDE, FACE // rows, SMALL // max(1, rows * inner)) // 8 * 8
        return most if rows * columns > FACE and (rows <= ROWS // 2 or a.dtype.char == "f") else 0
    if b.strides[1] != item or rows > LOW or rows * inner * columns <= SMALL:
        return 0
    return next((block for block in BLOCKS if rows * inner * block <= SMALL), 0)
