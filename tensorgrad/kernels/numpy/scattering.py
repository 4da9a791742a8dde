"""Rows put back where they were picked from: what is added to different rows is added in one step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import threads
from tensorgrad.backend import Array
from tensorgrad.kernels import reference
from tensorgrad.kernels.geometry import Sizes

ROW = 16
"""Elements from which on a row is worth it."""
PART = 1 << 19
"""Elements that are worked on at a time."""
ROUNDS = 32
"""As often as that a row may be met; if it is met more often, what is left is added one by one."""


def scatter(values: Array, key: Any, *, shape: Sizes) -> Array:
    """Zeros of ``shape`` with ``values`` added at ``key`` (:func:`tensorgrad.kernels.reference.scatter`).

    Where whole rows are picked, a round adds the first value of each row, the next one the second of each, and so on:
    the sums are those of the reference, to the bit.
    """
    rows = key[0] if isinstance(key, tuple) and len(key) == 1 else key
    whole = isinstance(rows, np.ndarray) and rows.ndim > 0 and rows.dtype.kind in "iu"
    if not whole or math.prod(shape[1:]) < ROW or not rows.size:
        return reference.scatter(values, key, shape=shape)
    x = np.empty(shape, dtype=values.dtype)
    _in_parts(lambda some: x[some].fill(0), len(x), math.prod(shape[1:]))
    rows = rows.reshape(-1) % shape[0]
    values = values.reshape(rows.size, *shape[1:])
    # NumPy sorts numbers of 16 bits by their digits, and others by comparing them.
    order = np.argsort(rows.astype(np.uint16) if shape[0] <= 1 << 16 else rows, kind="stable")
    in_order = rows[order]
    starts = np.flatnonzero(np.concatenate([[True], in_order[1:] != in_order[:-1]]))
    counts = np.diff(starts, append=rows.size)
    # How often the row has been met before.
    met = np.arange(rows.size) - np.repeat(starts, counts)
    for number in range(min(ROUNDS, counts.max())):
        these = order[met == number]

        def add(some: slice, these: Array = these, first: bool = not number) -> None:
            part = values[these[some]]
            if not first:
                part += x[rows[these[some]]]
            elif part.dtype.kind in "fc":
                part += 0  # there are zeros: with one of them, -0 is 0
            x[rows[these[some]]] = part

        _in_parts(add, len(these), math.prod(shape[1:]))
    if counts.max() > ROUNDS:
        left = np.sort(order[met >= ROUNDS])
        np.add.at(x, rows[left], values[left])
    return x


def _in_parts(work: Callable[[slice], object], length: int, row: int) -> None:
    """Does some work on parts of so many rows, side by side."""
    step = max(1, PART // row)
    threads.each(work, [slice(start, start + step) for start in range(0, length, step)])
