"""Layers without parameters that change the shape, or nothing, or whatever a function does."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.nn.module import Module
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.shape import flatten, reshape


class Identity(Module):
    """Returns what it is given; for a place where no layer is wanted. Any arguments are accepted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        return x


class Flatten(Module):
    """The axes from ``start_dim`` to ``end_dim`` as one: by default, each sample as one row.

    Args:
        start_dim: the first axis.
        end_dim: the last, included.

    Example:
        >>> tg.nn.Flatten()(tg.zeros((5, 64, 32, 32))).shape
        (5, 65536)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Any:
        return flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


def _fitted(lengths: tuple[int, ...], count: int) -> tuple[int, ...] | None:
    """The lengths, of which one may be -1, for so many elements; None if they do not fit."""
    product = math.prod(lengths)
    if (product >= 0 or count % product) if -1 in lengths else product != count:
        return None
    return tuple(count // -product if n == -1 else n for n in lengths)


def _wanted(lengths: tuple[int, ...]) -> str:
    return f"{'a multiple of ' * (-1 in lengths)}{abs(math.prod(lengths))}"


class Unflatten(Module):
    """One axis as several.

    Args:
        dim: which axis.
        unflattened_size: the lengths of the new axes; one may be -1.

    Example:
        >>> tg.nn.Unflatten(1, (3, 4))(tg.zeros((5, 12))).shape
        (5, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.dim = dim
        self.unflattened_size = tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        x = asarray(x)
        if not -x.ndim <= self.dim < x.ndim:
            self._refuse(x, f"with an axis {self.dim}")
        dim = self.dim % x.ndim
        lengths = _fitted(self.unflattened_size, x.shape[dim])
        if lengths is None:
            self._refuse(x, f"with {_wanted(self.unflattened_size)} elements on axis {self.dim}")
        return reshape(x, x.shape[:dim] + lengths + x.shape[dim + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Reshape(Module):
    """Each sample in another shape, the batch axis aside: Keras's Reshape.

    Args:
        shape: the lengths of a sample's axes, as a tuple or one by one; one may be -1.

    Raises:
        ValueError: when called with samples of another number of elements.

    Example:
        >>> tg.nn.Reshape((3, 4))(tg.zeros((5, 12))).shape
        (5, 3, 4)
    """

    def __init__(self, *shape: Any) -> None:
        super().__init__()
        self.shape = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape

    def forward(self, x: Any) -> Any:
        x = asarray(x)
        lengths = _fitted(self.shape, math.prod(x.shape[1:])) if x.shape else None
        if lengths is None:
            self._refuse(x, f"(N, ...) with {_wanted(self.shape)} elements in each sample")
        return reshape(x, (x.shape[0], *lengths))

    def extra_repr(self) -> str:
        return str(self.shape)


class Lambda(Module):
    """A function as a module.

    Args:
        function: any function; what the module is called with goes to it.

    Example:
        >>> tg.nn.Sequential(tg.nn.Lambda(lambda x: x / 255), tg.nn.Flatten())(tg.zeros((2, 4, 4))).shape
        (2, 16)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def extra_repr(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))
