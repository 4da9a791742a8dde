"""How the library's own records are written: dtypes, and what spares repetition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.testing.opspec import OpSpec

FLOATS = ("float64", "float32", "float16")
NUMBERS = (*FLOATS, "int64", "uint8")
WHOLE = ("int64", "uint8", "int16")
ALL = (*NUMBERS, "bool")


def record(function: Callable[..., Any], reference: Callable[..., Any], dtypes: Any = FLOATS, **more: Any) -> OpSpec:
    """The record of an op under its own name; half precision is one of the usual dtypes."""
    return OpSpec(function.__name__, function, reference, dtypes=dtypes, **more)


def flat(function: Callable[..., Any], reference: Callable[..., Any], dtypes: Any = NUMBERS, **more: Any) -> OpSpec:
    """The record of an op without gradients."""
    return record(function, reference, dtypes, differentiable=False, **more)


def of_list(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a sequence of arrays, as one that takes them one by one."""
    return lambda *arrays, **options: function(arrays, **options)


def named(function: Callable[..., Any], positional: int = 1) -> Callable[..., Any]:
    """A function with arrays by keyword, as one that takes them by position, and the ``names`` of those given."""

    def call(*arrays: Any, names: tuple[str, ...] = (), **options: Any) -> Any:
        leading, others = arrays[:positional], arrays[positional:]
        return function(*leading, **dict(zip(names, others, strict=True)), **options)

    return call
