"""How host data becomes a device array."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import checked_dtype, ndarray, wrap
from .counting import note_from_host


def array(
    obj: Any,
    dtype: Any = None,
    copy: bool | None = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: int = 0,
    *,
    blocking: bool = False,
) -> ndarray:
    """A device array of anything: a device array, numbers, a NumPy array, or a list of any one of these."""
    return _array("array", obj, dtype, copy, order, ndmin)


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, copy: bool | None = None, blocking: bool = False
) -> ndarray:
    """``a`` itself where it is such an array already, a device array of it otherwise."""
    return _array("asarray", a, dtype, copy, order)


asanyarray = asarray


def ascontiguousarray(a: Any, dtype: Any = None) -> ndarray:
    """:func:`asarray` in C order; of shape (1,) for a number, as in CuPy."""
    return _array("ascontiguousarray", a, dtype, None, "C", 1)


def asfortranarray(a: Any, dtype: Any = None) -> ndarray:
    """:func:`asarray` in Fortran order."""
    return _array("asfortranarray", a, dtype, None, "F")


def asnumpy(a: Any, stream: Any = None, order: Any = "C", out: Any = None, *, blocking: bool = True) -> np.ndarray:
    """A host array of ``a``."""
    return a.get(stream, order, out) if type(a) is ndarray else np.asarray(a)


def _array(call: str, obj: Any, dtype: Any, copy: bool | None, order: Any, ndmin: int = 0) -> ndarray:
    dtype = None if dtype is None else checked_dtype(dtype, f"cupy.{call}")
    if type(obj) is ndarray:
        return wrap(np.array(obj._array, dtype, copy=copy, order=order, ndmin=ndmin), obj)
    if isinstance(obj, (list, tuple)) and any(type(part) is ndarray for part in obj):
        # CuPy concatenates on the device what it can, and otherwise asks NumPy, which is refused.
        alike = {(part.shape, part.dtype) if type(part) is ndarray else None for part in obj}
        if len(alike) > 1:
            raise TypeError(f"cupy.{call}: a list of device arrays must be of one shape and dtype; use xp.stack.")
        return wrap(np.array([part._array for part in obj], dtype, order=order, ndmin=ndmin))
    result = wrap(np.array(obj, dtype, order=order, ndmin=ndmin))
    if np.ndim(obj):
        # A number goes with the launch of the kernel that fills the array.
        note_from_host(f"cupy.{call}")
    return result
