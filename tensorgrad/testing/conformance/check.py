"""Checks and levels: what is asked of an engine, by name."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Check:
    """One thing asked of an engine.

    Attributes:
        name: of the check, unique in the kit.
        level: its number.
        function: ``function(m, *inputs)`` returns what is to be differentiated; a probe, ``function(m)``, returns
            nothing, and raises :class:`~tensorgrad.testing.conformance.errors.Fault`.
        inputs: by name.
        probe: whether the function is a probe.
        judge: ``judge(gradients, *inputs)`` raises a fault of gradients at a kink, where several are right.
        expected: ``expected(*inputs)`` gives the gradients in closed form, where finite differences are too slow;
            otherwise they are taken of the function.
        values: other functions that an engine may have computed by mistake, by cause.
        hints: ``hint(*inputs)`` gives gradients that an engine may have computed by mistake, by cause.
        raised: the likely cause if shapes do not fit in the backward pass.
        patience: how many times the usual time limit.
        late: the likely cause if the time runs out.
    """

    name: str
    level: int
    function: Callable[..., Any]
    inputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    probe: bool = False
    judge: Callable[..., None] | None = None
    expected: Callable[..., Sequence[Any]] | None = None
    values: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    hints: Mapping[str, Callable[..., Sequence[Any]]] = field(default_factory=dict)
    raised: str = ""
    patience: float = 1.0
    late: str = "an endless loop, work that grows much faster than the graph, or a slow engine"

    @property
    def what(self) -> str:
        """What is asked, in one line."""
        return inspect.getdoc(self.function).split("\n\n")[0].replace("\n", " ").rstrip(".")  # type: ignore[union-attr]

    @property
    def why(self) -> str:
        """Why engines fail at it."""
        return " ".join(inspect.getdoc(self.function).split()[len(self.what.split()) :])  # type: ignore[union-attr]

    @property
    def arrays(self) -> bool:
        """Whether it needs an engine of arrays."""
        return any(array.ndim for array in self.inputs.values())


class Level:
    """A group of checks.

    Args:
        number: from 1.
        title: what it is about.
    """

    def __init__(self, number: int, title: str) -> None:
        self.number, self.title = number, title
        self.checks: list[Check] = []

    def __iter__(self):
        return iter(self.checks)

    def check(self, **inputs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Makes a check of a function; the options of :class:`Check` stand among the inputs.

        Args:
            inputs: a number is itself; a tuple of integers is the shape of an array of well-separated values of both
                signs, between 0.3 and 2 in size; a list or an array is itself.
        """
        options = {key: inputs.pop(key) for key in list(inputs) if key in Check.__dataclass_fields__}

        def make(function: Callable[..., Any]) -> Callable[..., Any]:
            arrays = {key: _input(value, f"{function.__name__}.{key}") for key, value in inputs.items()}
            self.checks.append(Check(function.__name__, self.number, function, arrays, **options))
            return function

        return make

    def probe(self, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Makes a probe of a function."""

        def make(function: Callable[..., Any]) -> Callable[..., Any]:
            self.checks.append(Check(function.__name__, self.number, function, probe=True, **options))
            return function

        return make


class Positive(tuple):
    """A shape whose values are all positive."""


def _input(value: Any, key: str) -> np.ndarray:
    if not isinstance(value, tuple):
        return np.asarray(value, None if np.asarray(value).dtype.kind != "f" else np.float64)
    return separated(value, key, isinstance(value, Positive))


def separated(shape: tuple[int, ...], key: str, positive: bool = False) -> np.ndarray:
    """Values between 0.3 and 2 in size, no two of them near each other; the same for the same key.

    Args:
        shape: of the array.
        key: what they are for.
        positive: whether all are positive.
    """
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    count = int(np.prod(shape))
    sizes = rng.permutation(np.linspace(0.3, 2.0, max(count, 2)))[:count]
    signs = 1.0 if positive else rng.permutation(np.resize([1.0, -1.0], count))
    return (sizes * signs).reshape(shape)


def weights(shape: tuple[int, ...]) -> np.ndarray:
    """The weights of the sum of a result of this shape: all different, of both signs; 1 for a single value."""
    return separated(shape, f"weights {shape}") if shape else np.ones(())
