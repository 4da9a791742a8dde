"""The exceptions that tensorgrad raises where Python has no fitting one of its own, and a check that many need."""

from __future__ import annotations

import operator
from typing import Any


class GradientError(RuntimeError):
    """Backpropagation cannot give a right answer: a freed graph, a value changed in place, a wrong cotangent."""


class DeviceError(RuntimeError):
    """A device or its library is missing, or arrays of two devices met."""


class CheckpointError(RuntimeError):
    """A saved file does not hold what was expected of it."""


def whole(name: str, value: Any) -> int:
    """``value`` as an integer.

    Raises:
        TypeError: if it is none, in which it is called ``name``.
    """
    try:
        return operator.index(value)
    except TypeError:
        given = repr(value) if isinstance(value, (float, str)) else type(value).__name__
        raise TypeError(f"{name} is a whole number, got {given}.") from None
