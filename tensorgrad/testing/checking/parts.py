"""Arrays in one vector, and which is where in it."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """One array among the inputs or outputs.

    Attributes:
        name: such as ``"input 0"``, ``"input 1['w']"``, ``"parameter conv1.weight"``, ``"output 0"``.
        shape: of the array.
        dtype: that it is computed in.
        slice: its place in the vector of all inputs or outputs.
        complex: whether each entry takes two places in the vector, for its real and its imaginary part.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    slice: builtins.slice
    complex: bool

    def entry(self, place: int) -> tuple[tuple[int, ...], str]:
        """The index in the array of a place in the vector, and ``"real"``, ``"imaginary"`` or, for reals, ``""``."""
        offset = place - self.slice.start
        number, word = (offset // 2, ("real", "imaginary")[offset % 2]) if self.complex else (offset, "")
        return tuple(int(i) for i in np.unravel_index(number, self.shape)), word

    def array(self, vector: np.ndarray) -> np.ndarray:
        """This part of a vector, in its shape; of a complex part, the complex numbers."""
        piece = np.ascontiguousarray(vector[self.slice])
        if self.complex:
            piece = piece.view(np.result_type(piece.dtype, np.complex64))
        return piece.reshape(self.shape)


def parts_of(arrays: Iterable[tuple[str, tuple[int, ...], np.dtype]]) -> list[Part]:
    """The parts for arrays of these names, shapes and dtypes, one behind the other."""
    parts, start = [], 0
    for name, shape, dtype in arrays:
        stop = start + math.prod(shape) * (2 if dtype.kind == "c" else 1)
        parts.append(Part(name, shape, dtype, slice(start, stop), dtype.kind == "c"))
        start = stop
    return parts


def join(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays in one float64 vector, complex ones as pairs."""
    wide = [array.astype(np.complex128 if array.dtype.kind == "c" else np.float64) for array in arrays]
    return np.concatenate([array.ravel().view(np.float64) for array in wide])


def flat(parts: Sequence[Part], arrays: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Arrays that are these parts in one vector of ``dtype``, complex ones as pairs.

    Raises:
        ValueError: if one does not have the shape of its part.
    """
    pieces = []
    for part, array in zip(parts, arrays, strict=True):
        if array.shape != part.shape:
            raise ValueError(f"{part.name} has shape {array.shape} here, and {part.shape} at the given inputs.")
        wide = array.astype(np.result_type(dtype, np.complex64) if part.complex else dtype).ravel()
        pieces.append(wide.view(dtype) if part.complex else wide)
    return np.concatenate(pieces)


def random_signs(rng: np.random.Generator, size: int) -> np.ndarray:
    """Random numbers that are neither small nor large."""
    return rng.uniform(0.5, 1.5, size) * rng.choice([-1.0, 1.0], size)
