"""The kernels for NumPy arrays: own ones where that is worth it, the plain ones where those are as quick.

Summing, spreading, unfolding and folding are a few passes over the array per axis or tap, at the speed of memory.
"""

from __future__ import annotations

from tensorgrad.kernels.numpy.convolution import convolution, convolution_input, convolution_weight
from tensorgrad.kernels.numpy.pooling import max_pool, pick, place
from tensorgrad.kernels.numpy.products import matmul
from tensorgrad.kernels.numpy.scattering import scatter
from tensorgrad.kernels.reference import fold, spread, sum_pool, unfold

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
