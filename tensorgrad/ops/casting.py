"""The same values in another dtype, on another device, or in memory of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op
from tensorgrad.autograd.conversion import as_dtype
from tensorgrad.errors import DeviceError

__all__ = [
    "astype",
    "clone",
    "to",
]


@op
def _astype(x, /, dtype):
    return x.astype(dtype)


@_astype.vjp("x")
def _(g):
    # The engine brings every gradient to the dtype of its input.
    return g


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: str | None = None) -> Any:
    """``x`` in another dtype.

    Args:
        x: an array of any shape.
        dtype: the dtype wanted.
        copy: whether to copy where ``x`` has that dtype already.
        device: the device wanted; None leaves it where it is.

    Example:
        >>> tg.astype(tg.tensor([1.7, -1.7]), tg.int64)
        Tensor([ 1, -1], dtype=int64, device='cpu')
    """
    dtype = as_dtype(dtype)
    if dtype is None:
        raise TypeError("astype() needs a dtype.")
    if copy or x.dtype != dtype:
        x = _astype(x, dtype)
    return x if device is None else to(x, device=device)


@op
def _to_device(x, /, device):
    return backend.transfer(x, device)


@_to_device.vjp("x")
def _(g, x_device):
    return _to_device(g, x_device)


@op
def clone(x, *, xp):
    """A copy, on the graph.

    Example:
        >>> tg.clone(tg.tensor([1.0]))
        Tensor([1.], dtype=float32, device='cpu')
    """
    return xp.array(x, copy=True, order="C")


@clone.vjp("x")
def _(g):
    return g


def to(x: Tensor, *targets: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """``x`` in a dtype and on a device; itself, where it is so already. Gradients flow back.

    Args:
        x: a Tensor.
        targets: devices (``"cpu"``, ``"cuda:1"``), dtypes (``"float64"``, ``tg.float64``), or a Tensor to be like, in
            any order.
        dtype: a dtype, by name.
        device: a device, by name.

    Raises:
        DeviceError: for a device that is not there, or a name that is neither.
        TypeError: for what is neither.

    Example:
        >>> tg.tensor([1.0]).to("cpu", "float64")
        Tensor([1.], dtype=float64, device='cpu')
    """
    dtype, device = destination(targets, dtype, device)
    if dtype is not None and dtype != x.dtype:
        x = _astype(x, dtype)
    return x if device is None or device == x.device else _to_device(x, device)


def destination(
    targets: Sequence[Any], dtype: Any = None, device: str | None = None
) -> tuple[np.dtype[Any] | None, str | None]:
    """The dtype and the device that the arguments of a ``to()`` name; None for what they leave as it is."""
    for target in targets:
        if isinstance(target, Tensor):
            dtype, device = target.dtype, target.device
        elif isinstance(target, str) and not _names_dtype(target):
            if not backend.names_device(target):
                raise DeviceError(f"{target!r} is neither a dtype nor a device: write 'float32', say, or 'cpu'.")
            device = target
        elif target is not None:
            dtype = target
    return as_dtype(dtype), None if device is None else backend.canonical_device(device)


def _names_dtype(name: str) -> bool:
    try:
        np.dtype(name)
    except TypeError:
        return False
    return True
