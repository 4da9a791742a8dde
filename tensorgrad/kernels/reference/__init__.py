"""The kernels in plain array code, for the arrays of any library: the text to read first.

Everything is one loop over the taps of the window (:func:`tensorgrad.kernels.geometry.taps`): what each window sees at
this tap is a strided slice of the input. The quick kernels are tested against these.
"""

from __future__ import annotations

from tensorgrad.kernels.reference.convolution import convolution, convolution_input, convolution_weight
from tensorgrad.kernels.reference.pooling import max_pool, pick, place, spread, sum_pool
from tensorgrad.kernels.reference.products import matmul
from tensorgrad.kernels.reference.scattering import scatter
from tensorgrad.kernels.reference.windows import fold, unfold

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
