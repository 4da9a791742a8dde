"""What functions that are not ops themselves make of their arguments."""

from __future__ import annotations

from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops.creation import asarray


def as_floating(name: str, x: Any) -> Tensor:
    """``x`` as a Tensor, for the function called ``name``.

    Raises:
        TypeError: if it has no floating point dtype.
    """
    x = asarray(x)
    if x.dtype.kind != "f":
        raise TypeError(f"{name}() takes floating point numbers, got dtype {x.dtype}: convert it with .to('float32').")
    return x


def beside(x: Tensor, value: Any) -> Tensor:
    """``value`` as a Tensor; a list or a number takes the dtype and the device of ``x``."""
    if isinstance(value, Tensor) or backend.of(value) is not None:
        return asarray(value)
    return asarray(value, dtype=x.dtype, device=x.device)
