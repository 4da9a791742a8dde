"""What functions that are not ops themselves make of their arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.autograd.operation import ALIASES, weak
from tensorgrad.ops.creation import asarray


def with_aliases(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator: the function takes PyTorch's names for its options too, as every op does.

    Raises:
        TypeError: when called with both names of one option.
    """
    aliases = {alias: name for alias, name in ALIASES.items() if name in inspect.signature(function).parameters}

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        for alias in aliases.keys() & options.keys():
            name = aliases[alias]
            if name in options:
                raise TypeError(f"{function.__name__}() was given {name!r} and {alias!r}, which are the same.")
            options[name] = options.pop(alias)
        return function(*args, **options)

    return call


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


def beside(x: Tensor, value: Any) -> Tensor:
    """``value`` as a Tensor; a list or a number takes the dtype and the device of ``x``."""
    if isinstance(value, Tensor) or backend.of(value) is not None:
        return asarray(value)
    return asarray(value, dtype=x.dtype, device=x.device)


def as_floating(name: str, x: Any) -> Tensor:
    """``x`` as a Tensor, for the function called ``name``.

    Raises:
        TypeError: if it has no floating point dtype.
    """
    x = asarray(x)
    if x.dtype.kind != "f":
        raise TypeError(f"{name}() takes floating point numbers, got dtype {x.dtype}: convert it with .to('float32').")
    return x


def integers_to_float64(x: Tensor) -> Tensor:
    """``x`` with its integers as float64, as for a mean: their sums need not fit into their dtype."""
    return x if x.dtype.kind == "f" else x.astype("float64")
