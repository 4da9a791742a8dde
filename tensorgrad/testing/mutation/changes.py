"""Changes of one array or option, from which mutants are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.testing.mutation.mutants import Trace

Change = Callable[[Any, Any], Any]
"""Another array for an array, given the namespace; None where there is nothing to change."""


def _masked(array: Any, xp: Any, index: int) -> Any:
    """Zero in place of the first or last entry."""
    if array.size == 0:
        return None
    mask = [1.0] * array.size
    mask[index] = 0.0
    return array * xp.reshape(xp.asarray(mask, dtype=array.dtype), array.shape)


def _through(array: Any, dtype: str) -> Any:
    """Rounded to a lower precision and back."""
    return array.astype(dtype).astype(array.dtype) if array.dtype.itemsize > int(dtype[5:]) // 8 else None


def _flipped(array: Any, xp: Any) -> Any:
    if array.ndim == 0 or array.shape[-1] < 2:
        return None
    return xp.flip(array, axis=-1)


def _transposed(array: Any, xp: Any) -> Any:
    if array.ndim < 2 or array.shape[-1] != array.shape[-2] or array.shape[-1] < 2:
        return None
    return xp.matrix_transpose(array)


def _in_memory_order(array: Any, xp: Any) -> Any:
    """The elements as they lie in memory, for the same shape; right where that is the usual order."""
    if isinstance(array, (Tensor, np.generic)) or array.flags.c_contiguous or 0 in array.strides:
        return None
    forward = array[tuple(slice(None, None, -1 if stride < 0 else 1) for stride in array.strides)]
    return xp.reshape(forward.ravel(order="K"), array.shape)


def _low_precision(array: Any, xp: Any) -> Any:
    return array * 1.05 if array.dtype != "float64" else None


def _detached(array: Any, xp: Any) -> Any:
    return array.detach() if isinstance(array, Tensor) and array.requires_grad else None


def _when_recorded(array: Any, xp: Any) -> Any:
    return array * 2 if isinstance(array, Tensor) else None


GRADIENT: list[tuple[str, str, Change]] = [
    ("sign", "negated", lambda r, xp: -r),
    ("factor", "doubled", lambda r, xp: r * 2),
    ("factor", "too large by a factor of 1.00001", lambda r, xp: r * (1 + 1e-5)),
    ("factor", "divided by its number of elements", lambda r, xp: r / r.size if r.size > 1 else None),
    ("zero", "zero", lambda r, xp: r * 0),
    ("zero", "zero in the last entry", lambda r, xp: _masked(r, xp, -1)),
    ("zero", "zero in the first entry", lambda r, xp: _masked(r, xp, 0)),
    ("transposed", "transposed where it is square", _transposed),
    ("axis", "turned round along the last axis", _flipped),
    ("second order", "detached when recorded", _detached),
    ("second order", "doubled when recorded", _when_recorded),
    ("dtype", "rounded to float32", lambda r, xp: _through(r, "float32")),
    ("dtype", "rounded to float16", lambda r, xp: _through(r, "float16")),
    ("dtype", "wrong by 5 % unless in float64", _low_precision),
]
COTANGENT: list[tuple[str, str, Change]] = [
    ("cotangent", "taken to be ones", lambda g, xp: xp.ones_like(g)),
    ("cotangent", "turned round along the last axis", _flipped),
    ("cotangent", "without its last entry", lambda g, xp: _masked(g, xp, -1)),
    ("second order", "detached", _detached),
    ("layout", "read in the order of memory", _in_memory_order),
]
KEPT: list[tuple[str, str, Change]] = [
    ("swapped", "turned round along the last axis", _flipped),
    ("second order", "detached", _detached),
    ("layout", "read in the order of memory", _in_memory_order),
    ("dtype", "rounded to float16", lambda x, xp: _through(x, "float16") if x.dtype.kind == "f" else None),
]


def is_array(value: Any) -> bool:
    return isinstance(value, Tensor) or backend.of(value) is not None


def is_memory(value: Any) -> bool:
    """Whether a value is an array that can be written to: no Tensor, and no number as NumPy makes of 0-d arrays."""
    return not isinstance(value, (Tensor, np.generic)) and backend.of(value) is not None


def changed(trace: Trace, value: Any, change: Change) -> Any:
    """``value`` after a change, noted, if it is an array to which the change applies."""
    if not is_array(value):
        return value
    after = change(value, backend.namespace(value))
    if after is None:
        return value
    return trace.mark(after) if change in (_detached, _when_recorded) else trace.note(value, after)


class Memory:
    """Gives values of earlier calls: the one before, or the first, for each shape and dtype."""

    def __init__(self, latest: bool) -> None:
        self.latest = latest
        self.held: dict[Any, Any] = {}

    def __call__(self, trace: Trace, value: Any) -> Any:
        if not is_array(value):
            return value
        key = (type(value), tuple(value.shape), str(value.dtype))
        earlier = self.held.get(key, value)
        if self.latest or key not in self.held:
            self.held[key] = value if isinstance(value, Tensor) else value.copy()
        return trace.note(value, earlier)


def _pairs_reversed(value: Any) -> Any:
    """Each pair in a tuple the other way round, as padding before and after."""
    if isinstance(value, tuple) and value and all(isinstance(item, tuple) for item in value):
        return tuple(item[::-1] for item in value)
    return None


OPTIONS: list[tuple[str, Callable[[Any], Any]]] = [
    ("reversed", lambda value: value[::-1] if isinstance(value, tuple) and len(value) > 1 else None),
    ("each pair reversed", _pairs_reversed),
    ("1 more", lambda value: value + 1 if isinstance(value, int) and not isinstance(value, bool) else None),
    ("1 % more", lambda value: value * 1.01 if isinstance(value, float) else None),
    ("the opposite", lambda value: not value if isinstance(value, bool) else None),
]


def altered(trace: Trace, value: Any, alter: Callable[[Any], Any]) -> Any:
    after = None if is_array(value) else alter(value)
    return value if after is None else trace.note(value, after)
