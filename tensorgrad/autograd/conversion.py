"""From what people type to bare arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.modes import state
from tensorgrad.backend import Array
from tensorgrad.errors import GradientError

DEFAULT_FLOAT = np.dtype("float32")
DEFAULT_COMPLEX = np.dtype("complex64")


def as_dtype(dtype: Any) -> np.dtype[Any] | None:
    """``dtype`` (a dtype, its name, a Python or NumPy type) as a dtype object; None stays None."""
    if dtype is None:
        return None
    try:
        result = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"expected a dtype such as 'float32' or tg.float32, got {dtype!r}.") from None
    _require_numbers(result, dtype)
    return result.newbyteorder("=")


def to_array(data: Any, dtype: Any = None, device: str | None = None, copy: bool = False) -> Array:
    """A bare array of ``data``'s values.

    Args:
        data: an array (its dtype and device are kept unless others are asked for), a number, or a nested
            sequence of numbers (Python's floats become float32, ints int64, bools bool).
        dtype: the dtype wanted, or None.
        device: the device wanted, or None.
        copy: whether the result must have memory of its own.
    """
    dtype = as_dtype(dtype)
    library = backend.of(data)
    if library is None or isinstance(data, np.generic):
        array, fresh = _from_python(data, dtype), not hasattr(data, "__array__")
    else:
        # A subclass (a memory map, a matrix) is looked at as a plain array.
        array, fresh = (np.asarray(data) if library is backend.NUMPY else data), False
    wanted = array.dtype.newbyteorder("=") if dtype is None else dtype
    _require_numbers(array.dtype, data)
    if array.dtype != wanted:
        array, fresh = array.astype(wanted), True
    if device is not None:
        moved = backend.transfer(array, device)
        array, fresh = moved, fresh or moved is not array
    return array.copy() if copy and not fresh else array


def _from_python(data: Any, dtype: np.dtype[Any] | None) -> np.ndarray:
    if (
        isinstance(data, (list, tuple))
        and state.grad
        and any(getattr(x, "requires_grad", False) for x in _leaves(data))
    ):
        raise GradientError(
            "a tensor made of a list of tensors that require a gradient would lose it: use tg.stack([...]), or "
            "detach() them."
        )
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(f"cannot make one array of these values, are all rows of the same length? {error}") from None
    if dtype is not None or array.dtype.kind not in "fc" or hasattr(data, "__array__"):
        return array
    # NumPy reads Python's floats as float64; here they are float32, unless NumPy's own numbers are among them.
    if all(isinstance(leaf, (int, float, complex)) and not isinstance(leaf, np.generic) for leaf in _leaves(data)):
        return array.astype(DEFAULT_FLOAT if array.dtype.kind == "f" else DEFAULT_COMPLEX)
    return array


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, (list, tuple)):
        for item in data:
            yield from _leaves(item)
    else:
        yield data


def _require_numbers(dtype: np.dtype[Any], given: Any) -> None:
    if dtype.kind not in "biufc":
        kind = type(given).__name__
        hint = about_names(given)
        raise TypeError(f"expected numbers or booleans, got {kind} which NumPy reads as dtype {dtype}.{hint}")


def about_names(given: Any) -> str:
    """For an error: what to do with text, if that is what was given in the place of numbers."""
    if any(isinstance(value, (str, bytes)) for value in np.asarray(given, dtype=object).ravel()):
        return " Names become numbers with np.unique(names, return_inverse=True)."
    return ""
