"""What can be wrong with a function or its gradient besides the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tensorgrad import backend

DETERMINED = 1e-9
"""By how much two runs may differ, relative to the largest entry: parallel sums differ in their last digits."""


@dataclass(frozen=True)
class Fault:
    """Something wrong that is not a matter of numbers.

    Attributes:
        kind: ``"input changed"``, ``"cotangent changed"``, ``"non-deterministic"``, ``"dtype lost"``, ``"shape"`` or
            ``"aliased"``.
        text: a sentence that says what happened, and to which input.
        part: the name of that input (or cotangent, or output); empty where it is none in particular.
    """

    kind: str
    text: str
    part: str = ""


def equal(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have the same shape and values, NaN being NaN."""
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference of two arrays of one shape, relative to the largest entry; infinite for other NaNs."""
    if equal(a, b):
        return 0.0
    finite = np.isfinite(a) & np.isfinite(b)
    if not equal(a[~finite], b[~finite]):
        return np.inf
    size = max(np.abs(a[finite]).max(initial=0.0), np.abs(b[finite]).max(initial=0.0))
    return float(np.abs(a[finite] / size - b[finite] / size).max())


def misfits(name: str, shape: tuple[int, ...], dtype: np.dtype, gradient: np.ndarray) -> Iterable[Fault]:
    """Faults for the gradient of an array of another shape, or of a lesser dtype."""
    if gradient.shape != shape:
        yield Fault("shape", f"the gradient of {name} has shape {gradient.shape}, but {name} has shape {shape}.", name)
    kinds = gradient.dtype.kind + dtype.kind
    if kinds == "cf" or (gradient.dtype.kind in "fc" and _precision(gradient.dtype) > _precision(dtype)):
        yield Fault("dtype lost", f"the gradient of {name} is {gradient.dtype}, but {name} is {dtype}.", name)


def _precision(dtype: np.dtype) -> float:
    return float(np.finfo(dtype).eps)


def shared(names: Sequence[str], arrays: Sequence[Any]) -> Iterable[Fault]:
    """Faults for arrays that have memory in common, where this can be told."""
    known = [(name, array) for name, array in zip(names, arrays, strict=True) if _has_memory(array)]
    for (name, array), (other, second) in combinations(known, 2):
        if _overlap(array, second):
            yield Fault(
                "aliased",
                f"the gradients of {name} and {other} share memory: who changes one in place changes both.",
                other,
            )


def _has_memory(array: Any) -> bool:
    return backend.of(array) is not None and not isinstance(array, np.generic) and array.size > 0


def _overlap(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.shares_memory(a, b)
    spans = [backend.span(array) for array in (a, b)]
    return max(start for start, _ in spans) < min(end for _, end in spans) and all(np.isfinite(spans).ravel())


def fit(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A gradient of a wrong shape in the right one, as what was most likely meant; NaN where nobody can tell."""
    if gradient.shape == shape:
        return gradient
    if gradient.shape == shape[::-1]:
        return gradient.T
    if gradient.size == np.prod(shape, dtype=int):
        return gradient.reshape(shape)
    full = (1,) * (gradient.ndim - len(shape)) + shape
    if len(full) == gradient.ndim and all(n in (1, m) for n, m in zip(full, gradient.shape, strict=True)):
        axes = tuple(i for i, (n, m) in enumerate(zip(full, gradient.shape, strict=True)) if n != m)
        return gradient.sum(axis=axes, keepdims=True).reshape(shape)
    try:
        return np.broadcast_to(gradient, shape)
    except ValueError:
        return np.full(shape, np.nan)
