"""The same values in another dtype, on another device, or in memory of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op
from tensorgrad.autograd.conversion import as_dtype
from tensorgrad.autograd.operation import weak
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


def astype(x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
    """``x`` in another dtype.

    Args:
        x: an array of any shape.
        dtype: the dtype wanted.
        copy: whether to copy where ``x`` has that dtype already.

    Example:
        >>> tg.astype(tg.tensor([1.7, -1.7]), tg.int64)
        Tensor([ 1, -1], dtype=int64, device='cpu')
    """
    dtype = as_dtype(dtype)
    if dtype is None:
        raise TypeError("astype() needs a dtype.")
    return x if not copy and x.dtype == dtype else _astype(x, dtype)


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


def as_operand(x: Any) -> Any:
    """``x`` itself, if it is an array or a Tensor; a Tensor of it, if it is a list or a number."""
    return x if isinstance(x, Tensor) or backend.of(x) is not None else Tensor(x)


def as_operands(values: Iterable[Any]) -> list[Any]:
    """The same of several; a list or a number beside arrays is weak, as it is for every op."""
    values = [*values]
    bare = [x.data if isinstance(x, Tensor) else x for x in values]
    like = next((x for x in bare if backend.of(x) is not None), None)
    if like is None:
        return [Tensor(x) for x in values]
    return [x if backend.of(b) is not None else Tensor(weak([b], like)[0]) for x, b in zip(values, bare, strict=True)]


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
