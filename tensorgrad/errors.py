"""The exceptions that tensorgrad raises where Python has no fitting one of its own."""

from __future__ import annotations


class GradientError(RuntimeError):
    """Backpropagation cannot give a right answer: a freed graph, a value changed in place, a wrong cotangent."""


class DeviceError(RuntimeError):
    """A device or its library is missing, or arrays of two devices met."""


class CheckpointError(RuntimeError):
    """A saved file does not hold what was expected of it."""
