"""What a case is: a function, a gradient that is right or wrong, and the inputs at which it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """A pair of plain NumPy functions, and whether the second is the gradient of the first.

    Right means: what real arithmetic gives, to within ``precision``. At a kink anything in Clarke's generalised
    gradient is right (the convex hull of the gradients close by); at a jump the gradient of either side; where the
    function is only defined on one side, the derivative on that side. Complex gradients are dL/da + i dL/db.

    Attributes:
        name: of the case, unique among the right ones or the planted ones.
        about: what it is, in one sentence.
        forward: ``forward(*inputs)`` gives an array or a tuple of arrays.
        backward: ``backward(cotangent, *inputs)`` gives the gradient, or a tuple with one per input (None for an
            integer one); for several outputs the cotangent is a tuple.
        inputs: arrays; integer ones have no gradient.
        right: whether the gradient is.
        mended: the right gradient, where ``backward`` is wrong.
        exact: the function that ``forward`` stands for, where that rounds on purpose, and has to be told apart from it.
        size: how wrong a wrong gradient is at least: relative to the entry where it is relatively worst.
        precision: how far a right gradient may be from real arithmetic's, relative to its largest entry.
        stateful: ``backward`` is a function without arguments that makes a new one, as its results depend on the past.
    """

    name: str
    about: str
    forward: Function
    backward: Function
    inputs: tuple[np.ndarray, ...]
    right: bool
    mended: Function | None = None
    exact: Function | None = None
    size: float = 1e-5
    precision: float = 1e-9
    stateful: bool = False

    def pair(self) -> tuple[Function, Function]:
        """The function and its gradient, for one check."""
        return self.forward, self.backward() if self.stateful else self.backward

    def copies(self) -> list[np.ndarray]:
        """The inputs, for one check: whatever it does to them is done to copies."""
        return [value.copy() for value in self.inputs]

    def mend(self) -> Case:
        """The same case with the right gradient."""
        if self.mended is None:
            raise ValueError(f"the case {self.name!r} has no right gradient to put in the wrong one's place.")
        return replace(self, name=f"{self.name}, mended", backward=self.mended, right=True, mended=None, stateful=False)


def planted(
    name: str, about: str, forward: Function, mended: Function | None, wrong: Function, *inputs: Any, **options: Any
) -> Case:
    """A case with a planted error: the right gradient (None where the function itself is at fault), the wrong one."""
    return Case(name, about, forward, wrong, tuple(map(np.asarray, inputs)), False, mended, **options)


def right(name: str, about: str, forward: Function, backward: Function, *inputs: Any, **options: Any) -> Case:
    """A case with a right gradient."""
    return Case(name, about, forward, backward, tuple(map(np.asarray, inputs)), True, **options)


def planted_slope(
    name: str, about: str, forward: Function, slope: Function, wrong: Function, x: Any, **options: Any
) -> Case:
    """A case with a planted error in the derivative of an elementwise function of one array."""
    return planted(name, about, forward, lambda g, x: g * slope(x), lambda g, x: g * wrong(x), x, **options)


def right_slope(name: str, about: str, forward: Function, slope: Function, x: Any, **options: Any) -> Case:
    """A case with the right derivative of an elementwise function of one array."""
    return right(name, about, forward, lambda g, x: g * slope(x), np.asarray(x, dtype=float), **options)


def planted_factor(
    name: str,
    about: str,
    forward: Function,
    backward: Function,
    factor: float,
    at: Any,
    *inputs: Any,
    only: int = 0,
    **options: Any,
) -> Case:
    """A case in which the gradient of one input, or some of its entries, has a factor."""
    return planted(name, about, forward, backward, times(backward, factor, only, at), *inputs, **options)


def normal(*shape: int, seed: int = 0, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """Normally distributed values, the same for the same seed."""
    return shift + scale * np.random.default_rng(seed).standard_normal(shape)


def uniform(low: float, high: float, *shape: int, seed: int = 0) -> np.ndarray:
    """Evenly distributed values, the same for the same seed."""
    return np.random.default_rng(seed).uniform(low, high, shape)


def times(backward: Function, factor: float, only: int | None = None, at: Any = ...) -> Function:
    """The gradient with a factor: on all of it, on that of one input, or on some entries of that."""

    def wrong(g: Any, *inputs: np.ndarray) -> Any:
        result = backward(g, *inputs)
        gradients = list(result) if isinstance(result, tuple) else [result]
        for i, gradient in enumerate(gradients):
            if gradient is not None and only in (None, i):
                gradients[i] = np.array(gradient)
                gradients[i][at] *= factor
        return tuple(gradients) if isinstance(result, tuple) else gradients[0]

    return wrong
