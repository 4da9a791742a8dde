"""The weights of a layer as Keras shows them: faces on parameters and buffers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, no_grad, versions
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.shape import permute_dims, reshape

View = Callable[[Any], Any]


def permuted(*axes: int) -> View:
    """The axes in another order."""
    return lambda array: permute_dims(array, axes)


def depthwise(channels: int) -> View:
    """A kernel (channels * multiplier, 1, *lengths) as (*lengths, channels, multiplier)."""

    def view(array: Any) -> Any:
        lengths = array.shape[2:]
        parts = reshape(array, (channels, array.shape[0] // channels, *lengths))
        return permute_dims(parts, (*range(2, 2 + len(lengths)), 0, 1))

    return view


class Variable:
    """A weight of a layer, in Keras's shape.

    It is a face: the numbers are those of the layer's parameter, which may have its axes in another order.

    Args:
        name: such as ``"kernel"``.
        tensor: the parameter or buffer.
        view: makes Keras's order of its array without copying it.
        trainable: whether it is learned, if its layer is.
        layer: the name of the layer.
    """

    def __init__(
        self, name: str, tensor: Tensor, view: View | None = None, trainable: bool = True, layer: str = ""
    ) -> None:
        self.name, self.tensor, self.trainable, self.layer = name, tensor, trainable, layer
        self._view = view or (lambda array: array)

    @property
    def path(self) -> str:
        """The name of the layer, and its own."""
        return f"{self.layer}/{self.name}"

    @property
    def value(self) -> Tensor:
        """A Tensor in Keras's shape; gradients flow through it to the parameter."""
        result: Tensor = self._view(self.tensor)
        return result

    @property
    def _array(self) -> Any:
        return self._view(self.tensor.data)

    @property
    def shape(self) -> tuple[int, ...]:
        """Keras's shape."""
        return tuple(self._array.shape)

    @property
    def dtype(self) -> str:
        """The name of the dtype."""
        return str(self.tensor.dtype)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return int(self.tensor.size)

    def numpy(self) -> np.ndarray:
        """A copy as NumPy's array."""
        return np.array(Tensor(self._array).numpy())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype)

    def assign(self, value: Any) -> None:
        """Sets the numbers.

        Raises:
            ValueError: for another shape; nothing is changed then.
        """
        array = asarray(value).data
        if tuple(array.shape) != self.shape:
            raise ValueError(f"{self.path} has shape {self.shape}, not {tuple(array.shape)}.")
        self._array[...] = backend.transfer(array, self.tensor.device)
        versions.mark(self.tensor.data, "assign")

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"


class Weight(Parameter):
    """What ``add_weight`` gives: a parameter that can be assigned to."""

    __slots__ = ()

    def assign(self, value: Any) -> Weight:
        """Sets the numbers; returns the weight."""
        with no_grad():
            self[...] = asarray(value)
        return self

    def assign_add(self, value: Any) -> Weight:
        """Adds to the numbers."""
        return self.assign(self.detach() + value)

    def assign_sub(self, value: Any) -> Weight:
        """Takes from the numbers."""
        return self.assign(self.detach() - value)
