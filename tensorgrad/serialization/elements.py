"""How the elements of other libraries' tensors are stored, and what they are in NumPy.

NumPy has no bfloat16, no 8-bit floating point and no 32-bit complex numbers: these are widened to float32 and
complex64, which hold every one of their values exactly.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Element(NamedTuple):
    """One type of element."""

    dtype: np.dtype
    """What it becomes."""
    stored: np.dtype
    """What it is read as."""
    unit: int = 1
    """How many bytes belong together where the order of bytes differs."""
    widen: Callable[[np.ndarray], np.ndarray] | None = None
    """From a flat array as read to one of ``dtype``; None if they are the same."""

    def decode(self, flat: np.ndarray, swapped: bool = False) -> np.ndarray:
        """The values of a flat, contiguous array of ``stored``; ``swapped``: of a machine with the other byte order."""
        if swapped and self.unit > 1:
            flat = flat.view(f"u{self.unit}").byteswap().view(self.stored)
        return flat if self.widen is None else self.widen(flat)


def _bfloat16(flat: np.ndarray) -> np.ndarray:
    return (flat.astype(np.uint32) << 16).view(np.float32)


def _complex32(flat: np.ndarray) -> np.ndarray:
    return flat.view(np.float16).astype(np.float32).view(np.complex64)


@functools.cache
def _eight_bits(exponent_bits: int, finite: bool, unsigned_zero: bool) -> np.ndarray:
    """The values of the 256 codes of an 8-bit floating point format.

    Args:
        exponent_bits: how many there are, after the sign.
        finite: whether there is no infinity.
        unsigned_zero: whether what would be -0 is NaN instead, the only one, and exponents are one lower.

    Source: Micikevicius et al., *FP8 formats for deep learning*, 2022; Noune et al., *8-bit numerical formats for deep
    neural networks*, 2022 (with the unsigned zero).
    """
    bits = 7 - exponent_bits
    bias = 2 ** (exponent_bits - 1) - 1 + unsigned_zero
    code = np.arange(256)
    exponent, fraction = (code & 127) >> bits, code & (2**bits - 1)
    # At exponent 0 there is no leading 1, and the exponent is that of 1.
    significand = np.where(exponent > 0, fraction + 2**bits, fraction).astype(np.float32)
    values = np.ldexp(significand, np.maximum(exponent, 1) - bias - bits)
    if unsigned_zero:
        values[128] = np.nan
    elif finite:
        values[127] = values[255] = np.nan
    else:
        values[exponent == 2**exponent_bits - 1] = np.nan
        values[(code & 127) == (2**exponent_bits - 1) << bits] = np.inf
    return np.where(code < 128, values, -values)


@functools.cache
def _powers_of_two() -> np.ndarray:
    """The values of float8_e8m0: the 8 bits of the exponent of a float32, and NaN.

    Source: Open Compute Project, *OCP microscaling formats (MX) specification*, 2023.
    """
    return np.append(np.ldexp(np.float32(1), np.arange(255) - 127), np.float32(np.nan))


def _plain(name: str) -> Element:
    dtype = np.dtype(name)
    return Element(dtype, dtype, dtype.itemsize // (2 if dtype.kind == "c" else 1))


def _wide(dtype: str, stored: str, unit: int, widen: Callable[[np.ndarray], np.ndarray]) -> Element:
    return Element(np.dtype(dtype), np.dtype(stored), unit, widen)


ELEMENTS = {
    **{f"{kind}{bits}": _plain(f"{kind}{bits}") for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    **{name: _plain(name) for name in ("float16", "float32", "float64", "complex64", "complex128")},
    # Whatever byte stands for true: it must be 1 for NumPy.
    "bool": _wide("bool", "uint8", 1, lambda flat: flat != 0),
    "bfloat16": _wide("float32", "uint16", 2, _bfloat16),
    "complex32": _wide("complex64", "uint32", 2, _complex32),
    "float8_e4m3fn": _wide("float32", "uint8", 1, lambda flat: _eight_bits(4, True, False)[flat]),
    "float8_e5m2": _wide("float32", "uint8", 1, lambda flat: _eight_bits(5, False, False)[flat]),
    "float8_e4m3fnuz": _wide("float32", "uint8", 1, lambda flat: _eight_bits(4, True, True)[flat]),
    "float8_e5m2fnuz": _wide("float32", "uint8", 1, lambda flat: _eight_bits(5, True, True)[flat]),
    "float8_e8m0fnu": _wide("float32", "uint8", 1, lambda flat: _powers_of_two()[flat]),
}
"""By the names that PyTorch gives them."""
