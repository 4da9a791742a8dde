"""Layers that make one of several inputs, for models that are written as subclasses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.keras.layers.base import Layer
from tensorgrad.ops import elementwise
from tensorgrad.ops.shape import concat


class _Merging(Layer):
    takes_several = True
    function: ClassVar[Callable[[Any, Any], Any]]

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, list) or len(inputs) < 2:
            raise ValueError(f"{self.name} takes a list of two inputs or more.")
        return functools.reduce(type(self).function, inputs)


class Add(_Merging):
    """The sum of several inputs.

    Example:
        >>> Add()([tg.ones((1, 2)), tg.ones((1, 2))]).tolist()
        [[2.0, 2.0]]
    """

    function = staticmethod(elementwise.add)


class Subtract(_Merging):
    """The first input less the second."""

    function = staticmethod(elementwise.subtract)


class Multiply(_Merging):
    """The product of several inputs."""

    function = staticmethod(elementwise.multiply)


class Maximum(_Merging):
    """The larger of several inputs."""

    function = staticmethod(elementwise.maximum)


class Minimum(_Merging):
    """The smaller of several inputs."""

    function = staticmethod(elementwise.minimum)


class Average(_Merging):
    """The mean of several inputs."""

    function = staticmethod(elementwise.add)

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) / len(inputs)


class Concatenate(_Merging):
    """Several inputs one behind the other.

    Args:
        axis: along which.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Concatenate()([tg.ones((1, 2)), tg.ones((1, 3))]).shape
        (1, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return concat(inputs, axis=self.axis)
