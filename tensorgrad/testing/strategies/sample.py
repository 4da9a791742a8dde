"""What is drawn for one call of an op."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.testing.strategies.shapes import Shape


@dataclass(frozen=True, repr=False)
class Sample:
    """Arrays and options for one call of an op.

    Arrays of float64 stand for values: they take the dtype that is being tried, and may have gradients. Others
    (indices, masks), and all arrays among the options, stay what they are. A Python number among the arrays is given
    as it is.

    Attributes:
        arrays: the arrays, in their order.
        options: by keyword.
        dtype: that the values take.
        layout: how they lie in memory; see :data:`tensorgrad.testing.trial.LAYOUTS`.

    Example:
        >>> Sample((np.array([1.0, 2.0]),), {"axis": 0})
        Sample((np.array([1.0, 2.0]),), {'axis': 0})
    """

    arrays: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float64"
    layout: str = "plain"

    def __repr__(self) -> str:
        parts = [code(self.arrays)]
        if self.options:
            parts.append(code(self.options))
        parts += [
            f"{name}={getattr(self, name)!r}"
            for name, usual in (("dtype", "float64"), ("layout", "plain"))
            if getattr(self, name) != usual
        ]
        return f"Sample({', '.join(parts)})"


class Config(NamedTuple):
    """The shapes of the arrays of one call, and its options: a :class:`Sample` that lacks values.

    Example:
        >>> Config(((2, 3),), {"axis": 0}).shapes
        ((2, 3),)
    """

    shapes: Sequence[Shape]
    options: Mapping[str, Any] = MappingProxyType({})


def code(value: Any) -> str:
    """Python code for arrays, numbers, and containers of them, to paste where NumPy is ``np``.

    Example:
        >>> print(code({"x": np.array([1.0, np.inf]), "n": np.int64(2)}))
        {'x': np.array([1.0, np.inf]), 'n': np.int64(2)}
    """
    if isinstance(value, np.ndarray):
        if not value.size:
            return f"np.zeros({value.shape}{_dtype(value)})"
        return f"np.array({code(value.tolist())}{_dtype(value)})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {code(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(code, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(code, value)) + "]"
    if type(value) is float and not math.isfinite(value):
        return f"{'-' if value < 0 else ''}np.{'nan' if math.isnan(value) else 'inf'}"
    return repr(value)


def _dtype(array: np.ndarray) -> str:
    told = array.dtype == np.float64 or (array.size and array.dtype in (np.int64, np.bool_))
    return "" if told else f", dtype={str(array.dtype)!r}"
