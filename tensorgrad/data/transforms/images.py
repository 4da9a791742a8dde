"""What all transforms share: arrays seen as batches of images, and random numbers for each image."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array
from tensorgrad.random import current_generator


class Transform:
    """The base class of transforms: callables of an image (C, H, W), or of a batch of images (N, C, H, W).

    NumPy's and CuPy's arrays and Tensors (which leave the graph) come back as what they were. Random transforms draw
    for each image of a batch by itself, with tensorgrad's random numbers: a loader's seed is theirs, too. A subclass
    defines ``apply(x, xp)`` of a batch (N, C, H, W), which it must not change.
    """

    def __call__(self, x: Any) -> Any:
        array = x.data if isinstance(x, Tensor) else x
        if backend.of(array) is None:
            array = np.asarray(array)
        if array.ndim not in (3, 4):
            raise ValueError(
                f"{type(self).__name__} takes an image (C, H, W), or a batch (N, C, H, W), got shape "
                f"{tuple(array.shape)}."
            )
        batch = array if array.ndim == 4 else array[None]
        out = self.apply(batch, backend.namespace(batch))
        out = out if array.ndim == 4 else out[0]
        return Tensor(out) if isinstance(x, Tensor) else out

    def apply(self, x: Array, xp: Any) -> Array:
        """The batch, transformed."""
        raise NotImplementedError(f"{type(self).__name__} defines no apply(x, xp).")

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({options})"


class Compose:
    """Transforms, one after the other.

    Args:
        transforms: callables of one argument.

    Example:
        >>> both = Compose([lambda x: x + 1, lambda x: x * 2])
        >>> both(3)
        8
    """

    def __init__(self, transforms: Any) -> None:
        self.transforms = [*transforms]

    def __call__(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform(x)
        return x

    def __repr__(self) -> str:
        return f"Compose([{', '.join(map(repr, self.transforms))}])"


def require_float(name: str, x: Array) -> None:
    """Raises for an array of integers: its values would be cut off."""
    if x.dtype.kind != "f":
        raise TypeError(f"{name} takes floating point numbers, got dtype {x.dtype}: put ToFloat() before it.")


def draw(count: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Uniform numbers, one for each image."""
    return np.asarray(current_generator().uniform((count,), np.float64, low=low, high=high))


def each(values: np.ndarray, x: Array, xp: Any) -> Array:
    """A number for each image, in the dtype of these, to compute with."""
    return xp.asarray(values.astype(x.dtype)).reshape((-1, 1, 1, 1))


def pick(chosen: np.ndarray, one: Array, other: Array, xp: Any) -> Array:
    """Images of the one batch where they are chosen, and of the other elsewhere."""
    return xp.where(xp.asarray(chosen).reshape((-1, 1, 1, 1)), one, other)


def between(name: str, value: Any, around: float = 0.0, least: float = -np.inf) -> tuple[float, float]:
    """A range: ``around`` plus and minus a number, or a pair."""
    low, high = (around - value, around + value) if isinstance(value, (int, float)) else value
    low = max(float(low), least) if isinstance(value, (int, float)) else float(low)
    if not least <= low <= high:
        raise ValueError(f"{name} is a number of 0 or more, or a pair (low, high) from {least:g} on, got {value!r}.")
    return low, float(high)


def require_probability(name: str, p: float) -> float:
    """``p``, if it is one."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name} needs a probability p from 0 to 1, got {p}.")
    return p
