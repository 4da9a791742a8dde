"""Whose memory an array is. One that nobody else holds may be written to, or handed on without a copy.

Who holds an array is told by the count of references to it: views of an array refer to it, too.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.backend import Array


def own(array: Array) -> Array:
    """A copy that shares no memory with anybody, as an array (a rule may have made a scalar of a 0-d one)."""
    return backend.namespace(array).array(array, copy=True, order="C")


def claim(held: list[Array]) -> Array:
    """The array in the list, if its memory is nobody else's, or a copy; either in C order."""
    array = held.pop()
    if type(array) is np.ndarray and sys.getrefcount(array) <= _UNSHARED:
        flags = array.flags
        if flags.c_contiguous and flags.writeable and (flags.owndata or _is_all_of_its_base(array)):
            return array
    return own(array)


def add(held: list[Any], other: Any) -> Any:
    """The sum of the array (or Tensor) in the list and another: in its place, if its memory is nobody else's."""
    array = held.pop()
    if type(array) is np.ndarray and sys.getrefcount(array) <= _UNSHARED:
        flags = array.flags
        if flags.c_contiguous and flags.writeable and flags.owndata:
            array += other
            return array
    return array + other


def _is_all_of_its_base(array: Array) -> bool:
    """Whether a view shows all of an array that nobody else holds or sees."""
    held = [array.base]
    whole = type(held[0]) is np.ndarray and held[0].flags.owndata and held[0].size == array.size
    return whole and _references(held) <= _UNSHARED + 1


def _references(held: list[Array]) -> int:
    array = held.pop()
    return sys.getrefcount(array)


_UNSHARED = _references([np.zeros(1)])
"""The count of references to an array that only such a function holds; versions of Python count differently."""
