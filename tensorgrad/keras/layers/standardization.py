"""Inputs brought to mean 0 and variance 1, by figures of the data that are taken once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor
from tensorgrad.keras.config import epsilon
from tensorgrad.keras.layers.base import Layer
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray, ones, zeros
from tensorgrad.ops.elementwise import maximum
from tensorgrad.ops.powers import sqrt
from tensorgrad.ops.shape import reshape


class Normalization(Layer):
    """``(inputs - mean) / sqrt(variance)``, with the figures that :meth:`adapt` takes from data; nothing is learned.

    Args:
        axis: the axis or axes that have figures of their own, such as that of the features; None: there is one mean
            and one variance for all.
        mean, variance: the figures, where they are known; both or none.
        invert: whether to go the other way, from normalised values back.
        kwargs: as of :class:`Layer`.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt([[0.0, 10.0], [2.0, 30.0]])
        >>> layer([[1.0, 40.0]]).tolist()
        [[0.0, 2.0]]
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError("Normalization takes mean and variance, or none of them and adapt().")
        self.axis, self.invert, self.fixed = axis, invert, mean is not None
        if self.fixed:
            self.mean, self.variance = mean, variance

    def _axes(self, rank: int) -> tuple[int, ...]:
        """The axes with figures of their own, counted from the front."""
        given = () if self.axis is None else self.axis if isinstance(self.axis, (tuple, list)) else (self.axis,)
        if any(not -rank <= axis < rank or axis % rank == 0 for axis in given):
            raise ValueError(
                f"{self.name} has axis={self.axis}, and is given {rank} axes, of which the first are the samples."
            )
        return tuple(sorted(axis % rank for axis in given))

    def build(self, input_shape: Any) -> None:
        lengths = tuple(input_shape[axis] for axis in self._axes(len(input_shape)))
        if None in lengths:
            raise ValueError(f"{self.name} needs to know the lengths of axis={self.axis}, got the shape {input_shape}.")
        if self.fixed:
            return
        first = {
            "mean": zeros(lengths, dtype=self.dtype),
            "variance": ones(lengths, dtype=self.dtype),
            "count": zeros((), dtype="int32"),
        }
        for name, tensor in first.items():
            self.register_buffer(f"adapted_{name}", tensor)
            self.track(name, tensor, trainable=False)

    def adapt(self, data: Any) -> None:
        """Takes mean and variance from data, in the place of those before.

        Args:
            data: an array (samples, ...), or batches, of which those that are tuples begin with the inputs.

        Raises:
            ValueError: if there are no data, or the figures were given at the beginning.
        """
        if self.fixed:
            raise ValueError(f"{self.name} was given mean and variance: there is nothing to adapt.")
        array = _all_of(data)
        if not array.size:
            raise ValueError(f"{self.name}.adapt() needs data, got an array of shape {array.shape}.")
        if not self.built:
            self.build((None, *array.shape[1:]))
            self.built = True
        others = tuple(sorted({*range(array.ndim)} - {*self._axes(array.ndim)}))
        self.mean.assign(array.mean(axis=others))
        self.variance.assign(array.var(axis=others))
        self.count.assign(array.size // max(1, self.mean.tensor.size))

    def call(self, inputs: Any) -> Any:
        x = inputs if inputs.dtype.kind == "f" else astype(inputs, self.dtype)
        axes = self._axes(x.ndim)
        mean, variance = (self._beside(x, values, axes) for values in (self.mean, self.variance))
        deviation = maximum(sqrt(variance), epsilon())
        return x * deviation + mean if self.invert else (x - mean) / deviation

    def _beside(self, x: Tensor, values: Any, axes: tuple[int, ...]) -> Tensor:
        """Figures in the shape in which they broadcast."""
        tensor = asarray(values, dtype=x.dtype, device=x.device) if self.fixed else astype(values.tensor, x.dtype)
        return tensor if tensor.size == 1 else reshape(tensor, [n if i in axes else 1 for i, n in enumerate(x.shape)])


def _all_of(data: Any) -> np.ndarray:
    """An array of all samples, in double precision."""
    if isinstance(data, Iterable) and not (hasattr(data, "__array__") or isinstance(data, (list, tuple))):
        parts = [_all_of(batch[0] if isinstance(batch, (tuple, list)) else batch) for batch in data]
        return np.concatenate(parts) if parts else np.zeros(0)
    return asarray(data).numpy().astype(np.float64)
