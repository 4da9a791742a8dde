"""A step of an optimizer, for adapters of libraries that have none of their own."""

from __future__ import annotations

from typing import Any

STATES = {"sgd": 1, "adam": 2}
"""How many arrays, zeros at first, an optimizer keeps for each parameter."""


def update(optimizer: str, value: Any, gradient: Any, states: tuple[Any, ...], count: Any) -> tuple[Any, Any]:
    """The new value of a parameter and its new states; ``count`` is 1 in the first step."""
    if optimizer == "adam":
        mean = 0.9 * states[0] + 0.1 * gradient
        square = 0.999 * states[1] + 0.001 * (gradient * gradient)
        scale = (square / (1 - 0.999**count)) ** 0.5 + 1e-8
        return value - 0.001 / (1 - 0.9**count) * mean / scale, (mean, square)
    velocity = 0.9 * states[0] + gradient
    return value - 0.01 * velocity, (velocity,)
