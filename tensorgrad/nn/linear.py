"""Fully connected layers, and layers that only change the shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.creation import asarray, empty
from tensorgrad.ops.linalg import linear
from tensorgrad.ops.shape import flatten, reshape


def reset_uniform(weight: Parameter, bias: Parameter | None) -> None:
    """PyTorch's first values of linear and convolutional layers: uniform within 1 / sqrt(fan_in)."""
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        bound = 1 / math.sqrt(max(init.fans(weight)[0], 1))
        init.uniform_(bias, -bound, bound)


class Linear(Module):
    """A fully connected layer: ``x @ weight.T + bias``. Keras calls it Dense.

    Shape: input (..., in_features), output (..., out_features).

    Args:
        in_features: how many numbers come in.
        out_features: how many go out.
        bias: whether to add one.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        weight: shape (out_features, in_features), at first uniform within 1 / sqrt(in_features).
        bias: shape (out_features,), at first uniform within the same bounds; or None.

    Example:
        >>> layer = tg.nn.Linear(3, 2)
        >>> layer(tg.ones((5, 3))).shape
        (5, 2)
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values for weight and bias."""
        reset_uniform(self.weight, self.bias)

    def forward(self, x: Any) -> Any:
        x = asarray(x)
        if not x.shape or x.shape[-1] != self.in_features:
            self._refuse(x, f"(..., {self.in_features})")
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


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
        return reshape(x, x.shape[:dim] + self.unflattened_size + x.shape[dim + 1 :])

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
        given, wanted = math.prod(x.shape[1:]), math.prod(self.shape)
        if not x.shape or (given != wanted if wanted >= 0 else wanted == 0 or given % wanted):
            free = -1 in self.shape
            self._refuse(x, f"(N, ...) with {'a multiple of ' * free}{abs(wanted)} elements in each sample")
        lengths = tuple(given // -wanted if n == -1 else n for n in self.shape)
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
