"""What the kernels need to know of number types."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array


def accumulator(xp: Any, dtype: Any) -> Any:
    """The dtype in which sums are taken: float32 for float16, which has 11 bits only, else ``dtype`` itself."""
    return xp.dtype(xp.float32) if dtype == xp.float16 else dtype


def promote(xp: Any, a: Array, b: Array) -> tuple[Array, Array, Any]:
    """Both arrays in the dtype in which to take sums of their products, and the dtype that the result should have."""
    dtype = xp.result_type(a.dtype, b.dtype)
    wide = accumulator(xp, dtype)
    return a.astype(wide, copy=False), b.astype(wide, copy=False), dtype


def lowest(xp: Any, dtype: Any) -> Any:
    """The value below all others: -inf, or the smallest integer."""
    if dtype.kind == "f":
        return -xp.inf
    return False if dtype.kind == "b" else int(xp.iinfo(dtype).min)
