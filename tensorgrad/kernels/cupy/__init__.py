"""The kernels for CuPy arrays: the plain ones of :mod:`tensorgrad.kernels.reference`.

They take their namespace from the arrays they are given, so this module imports without CuPy.
"""

from __future__ import annotations

from tensorgrad.kernels.reference import (
    convolution,
    convolution_input,
    convolution_weight,
    fold,
    matmul,
    max_pool,
    pick,
    place,
    scatter,
    spread,
    sum_pool,
    unfold,
)

__all__ = [
    "convolution",
    "convolution_input",
    "convolution_weight",
    "fold",
    "matmul",
    "max_pool",
    "pick",
    "place",
    "scatter",
    "spread",
    "sum_pool",
    "unfold",
]
