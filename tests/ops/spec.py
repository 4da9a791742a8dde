"""What is recorded of an op, for the tests that are made from it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.ops.strategies import Sample, Strategy

FLOATS = ("float64", "float32", "float16")
NUMBERS = (*FLOATS, "int64", "uint8")
WHOLE = ("int64", "uint8", "int16")
ALL = (*NUMBERS, "bool")

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(module, name)
    for module in (
        importlib.import_module(f"tensorgrad.ops.{found.name}")
        for found in pkgutil.iter_modules(importlib.import_module("tensorgrad.ops").__path__)
    )
    for name in getattr(module, "__all__", ())
}
"""Every public op by its name."""


@dataclass(frozen=True)
class Spec:
    """An op and how to try it.

    Attributes:
        name: the op's, a key of :data:`FUNCTIONS`.
        samples: draws the arrays and options of a call, away from kinks and ties.
        reference: gives the result for NumPy arrays; called like the op.
        dtypes: those that the op takes.
        call: calls the op, where it is not called with the arrays one by one and the options by keyword.
        variant: tells several records of an op apart.
        differentiable: whether results have gradients.
        order: of the highest derivative to check; 0 for an op that rounds.
        numbers: whether operands may be Python's numbers, which are then weak.
        creates: whether it makes arrays on a ``device``.
        devices: the device types that it works on.
        slack: how much less exact it is than others.
        host: why the host must wait for the device; empty, if it must not.
        nonempty: why it takes no arrays without elements; empty, if it does.
    """

    name: str
    samples: Strategy[Sample]
    reference: Callable[..., Any]
    dtypes: tuple[str, ...] = FLOATS
    call: Callable[..., Any] | None = None
    variant: str = ""
    differentiable: bool = True
    order: int = 2
    numbers: bool = False
    creates: bool = False
    devices: tuple[str, ...] = ("cpu", "strict", "cuda")
    slack: float = 1.0
    host: str = ""
    nonempty: str = ""

    @property
    def function(self) -> Callable[..., Any]:
        """What to call with the arrays, and the options by keyword."""
        return self.call or FUNCTIONS[self.name]

    def __str__(self) -> str:
        return f"{self.name}-{self.variant}".strip("-").replace(" ", "-")


def of_list(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a sequence of arrays, as one that takes them one by one."""
    return lambda *arrays, **options: function(arrays, **options)


def flat(name: str, samples: Strategy[Sample], reference: Any, dtypes: Any = NUMBERS, **more: Any) -> Spec:
    """The record of an op without gradients."""
    return Spec(name, samples, reference, dtypes, differentiable=False, **more)


def named(function: Callable[..., Any], positional: int = 1) -> Callable[..., Any]:
    """A function with arrays by keyword, as one that takes them by position, and the ``names`` of those given."""

    def call(*arrays: Any, names: tuple[str, ...] = (), **options: Any) -> Any:
        leading, others = arrays[:positional], arrays[positional:]
        return function(*leading, **dict(zip(names, others, strict=True)), **options)

    return call
