"""When two structures are the same."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorgrad as tg


def assert_same(one: Any, other: Any) -> None:
    """Same types, same values to the bit, same order."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert [*map(repr, one)] == [*map(repr, other)]
        for a, b in zip(one.values(), other.values(), strict=True):
            assert_same(a, b)
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, tg.Tensor):
        assert_same(one.numpy(), other.numpy())
    elif isinstance(one, (np.ndarray, np.generic)):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.tobytes() == other.tobytes()
    else:
        assert repr(one) == repr(other)
