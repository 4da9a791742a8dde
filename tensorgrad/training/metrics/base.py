"""What all metrics share: they are updated batch by batch, and are exact for all samples together."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tensorgrad.autograd.tensor import Tensor


class Metric:
    """The base class of metrics.

    A subclass defines ``reset()``, ``update(output, target)`` of a batch, and ``compute()``. Batches may be of any
    sizes: what comes out is the figure of all samples, not a mean of batches.

    Attributes:
        name: what it is called in logs, such as ``"top_k_accuracy"``.

    Example:
        >>> class Largest(Metric):
        ...     def reset(self):
        ...         self.value = float("-inf")
        ...
        ...     def update(self, output, target):
        ...         self.value = max(self.value, as_array(output).max())
        ...
        ...     def compute(self):
        ...         return float(self.value)
        >>> metric = Largest()
        >>> metric.update([1.0, 3.0], None)
        >>> metric.name, metric.compute()
        ('largest', 3.0)
    """

    def __init__(self) -> None:
        self.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(self).__name__).lower()
        self.reset()

    def reset(self) -> None:
        """Forgets all batches."""
        raise NotImplementedError(f"{type(self).__name__} defines no reset().")

    def update(self, output: Any, target: Any) -> None:
        """Takes in a batch: what the model gave, and what is right."""
        raise NotImplementedError(f"{type(self).__name__} defines no update(output, target).")

    def compute(self) -> Any:
        """The figure of all samples since the last reset; NaN if there were none."""
        raise NotImplementedError(f"{type(self).__name__} defines no compute().")

    def state_dict(self) -> dict[str, Any]:
        """What was taken in so far."""
        return copy.deepcopy(vars(self))

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state_dict` gave.

        Raises:
            ValueError: if it is the state of another metric.
        """
        missing = sorted({*vars(self)} - {*state_dict})
        if missing:
            raise ValueError(f"this is not the state of a metric {type(self).__name__}: {missing} missing.")
        vars(self).update(copy.deepcopy(dict(state_dict)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.compute()})"


class Mean(Metric):
    """The mean of numbers, such as the losses of batches, each of which counts as often as it says.

    Example:
        >>> loss = Mean()
        >>> loss.update(2.0, 64)
        >>> loss.update(5.0, 32)
        >>> loss.compute()
        3.0
    """

    def reset(self) -> None:
        """Forgets all numbers."""
        self.total, self.count = 0.0, 0.0

    def update(self, output: Any, target: Any = 1) -> None:
        """Takes in a number, which counts ``target`` times: the size of its batch, if it is a mean."""
        self.total += float(output) * float(target)
        self.count += float(target)

    def compute(self) -> float:
        """The mean."""
        return self.total / self.count if self.count else float("nan")


def as_array(value: Any) -> np.ndarray:
    """A Tensor, an array of any library, or a list as NumPy's array."""
    return value.numpy() if isinstance(value, Tensor) else Tensor(value).numpy()


def pair(name: str, output: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 arrays of one shape."""
    one, other = as_array(output), as_array(target)
    if one.shape != other.shape:
        raise ValueError(f"{name} takes an output and a target of one shape, got {one.shape} and {other.shape}.")
    return one.astype(np.float64), other.astype(np.float64)
