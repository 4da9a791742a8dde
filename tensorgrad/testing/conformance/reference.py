"""The truth: the same functions on NumPy arrays, and their gradients by finite differences. No engine is involved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.testing.conformance import reference_nn

STEP = 2.0**-8
"""Of the differences: inputs lie further than 3 steps from every kink."""

STENCIL = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))
"""Central differences of sixth order (B. Fornberg, Math. Comp. 51, 1988): (offset in steps, weight)."""


class Reference:
    """NumPy under the names that checks use; what they call ``m``.

    Besides, it tells the uses of a value apart: with ``only = k``, all uses but the k-th of every value that is used
    several times stand still. The gradient is then what an engine finds that loses the others.
    """

    def __init__(self) -> None:
        self.only: int | None = None
        self.count = 0
        self._seen: list[Any] = []
        self._turn = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(reference_nn, name, None) or getattr(np, name)

    def getitem(self, x: Any, key: Any) -> Any:
        """``x[key]``."""
        return x[key]

    def constant(self, array: Any) -> Any:
        """The array itself."""
        return array

    def repeat_step(self, step: Callable[[Any], Any], x: Any, count: int) -> Any:
        """``step`` applied so many times."""
        for _ in range(count):
            x = step(x)
        return x

    def uses(self, x: Any, count: int) -> tuple[Any, ...]:
        """The value for each of its uses."""
        if self.only is None:
            self._seen.append(x)
            self.count = max(self.count, count)
            return (x,) * count
        still = self._seen[self._turn]
        self._turn += 1
        return tuple(x if k == self.only else still for k in range(count))

    def gradient(self, f: Callable[..., Any], *arrays: Any) -> tuple[np.ndarray, ...]:
        """The gradients of a function of one value."""
        return tuple(differences(lambda *xs: float(f(*xs)), list(arrays)))

    def run(self, f: Callable[..., Any], arrays: Sequence[Any], only: int | None = None) -> np.ndarray:
        """``f(m, *arrays)``; with ``only``, at arrays that may differ from those of the run before without."""
        self.only, self._turn = only, 0
        if only is None:
            self._seen.clear()
        return np.asarray(f(self, *arrays), np.float64)


def differences(f: Callable[..., float], arrays: Sequence[Any]) -> list[np.ndarray]:
    """The gradients of a function of one value with respect to each floating point array, by central differences.

    Args:
        f: the function, smooth within three steps of the arrays.
        arrays: float64 arrays; gradients of integers are zero.

    Example:
        >>> (gradient,) = differences(lambda x: float(np.sum(x**3)), [np.array([1.0, 2.0])])
        >>> gradient.round(9).tolist()
        [3.0, 12.0]
    """
    arrays = [np.asarray(array) for array in arrays]
    gradients = []
    for k, array in enumerate(arrays):
        gradient = np.zeros(array.shape)
        for index in np.ndindex(array.shape) if array.dtype.kind == "f" else ():

            def at(steps: float, k: int = k, array: np.ndarray = array, index: tuple[int, ...] = index) -> float:
                moved = array.copy()
                moved[index] += steps * STEP
                return f(*arrays[:k], moved, *arrays[k + 1 :])

            gradient[index] = sum(weight * (at(n) - at(-n)) for n, weight in STENCIL) / STEP
        gradients.append(gradient)
    return gradients


def truth(
    f: Callable[..., Any], arrays: Sequence[np.ndarray], weights: Callable[[tuple[int, ...]], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], list[list[np.ndarray]]]:
    """What an engine should give for ``f(m, *arrays)``.

    Args:
        f: the function, of a namespace and arrays.
        arrays: its inputs.
        weights: gives the weights of the sum that is differentiated, for a shape.

    Returns:
        The value, the weights, the gradients, and, if values are used several times, the gradients through the first
        use alone, through the second alone, and so on.
    """
    reference = Reference()
    value = reference.run(f, arrays)
    w = weights(value.shape)
    count = reference.count

    def gradients(only: int | None) -> list[np.ndarray]:
        return differences(lambda *xs: float(np.sum(reference.run(f, xs, only) * w)), arrays)

    uses = [gradients(only) for only in range(count)]
    return value, w, gradients(None), uses
