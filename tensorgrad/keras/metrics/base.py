"""What metrics share: they are updated batch by batch, and exact for all samples together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tensorgrad.keras import initializers
from tensorgrad.keras.config import floatx
from tensorgrad.keras.registry import Configured, snake_case
from tensorgrad.keras.variables import Weight
from tensorgrad.ops.creation import asarray
from tensorgrad.training import metrics
from tensorgrad.training.metrics.base import as_array


class Metric(Configured, metrics.Metric):
    """The base class of metrics. It is one of :mod:`tensorgrad.training.metrics` too, with Keras's methods.

    A metric of one's own makes variables by :meth:`add_variable`, changes them in ``update_state``, and computes
    ``result`` of them.

    Args:
        dtype: of its variables.
        name: in logs.
    """

    known: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        if cls.__module__.startswith("tensorgrad.keras.") and not cls.__name__.startswith("_"):
            cls.known[cls.__name__] = cls

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        # What there is to be reset is made after this.
        self.name = name or snake_case(type(self).__name__)
        self.dtype = str(dtype or floatx())
        self._variables: list[tuple[Weight, Any]] = []

    def add_variable(
        self, shape: Any = (), initializer: Any = "zeros", dtype: Any = None, name: str | None = None
    ) -> Weight:
        """A number or an array that is kept from batch to batch, and begins anew in ``reset_state``."""
        first = initializers.get(initializer)
        lengths = (shape,) if isinstance(shape, int) else tuple(shape)
        weight = Weight(first(lengths, dtype=dtype or self.dtype), requires_grad=False)
        self._variables.append((weight, first))
        return weight

    add_weight = add_variable

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        raise NotImplementedError(f"{type(self).__name__} defines no update_state(y_true, y_pred).")

    def result(self) -> Any:
        """The figure of all samples since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} defines no result().")

    def reset_state(self) -> None:
        """Forgets all batches."""
        for weight, first in self._variables:
            weight.assign(first(weight.shape, dtype=weight.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()

    def reset(self) -> None:
        """``reset_state()``."""
        self.reset_state()

    def update(self, output: Any, target: Any) -> None:
        """``update_state(target, output)``."""
        self.update_state(target, output)

    def compute(self) -> Any:
        """``result()`` as a number."""
        value = self.result()
        array = as_array(value)
        return float(array) if not array.ndim else array

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class Mean(Metric):
    """The mean of numbers, each of which may count more or less.

    Args:
        name: in logs.
        dtype: accepted, and not needed.

    Example:
        >>> metric = Mean()
        >>> metric.update_state([1.0, 3.0])
        >>> metric.update_state([8.0], sample_weight=[2.0])
        >>> metric.result()
        5.0
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._mean = metrics.Mean()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Takes in numbers."""
        array = as_array(values).astype(np.float64)
        weight = np.ones(array.shape) if sample_weight is None else as_array(sample_weight).astype(np.float64)
        if array.ndim and sample_weight is not None:
            weight = weight.reshape(weight.shape + (1,) * (array.ndim - weight.ndim))
        weight = np.broadcast_to(weight, array.shape)
        if weight.sum():
            self._mean.update(float((array * weight).sum() / weight.sum()), float(weight.sum()))

    def result(self) -> float:
        """The mean; 0 of nothing, as in Keras."""
        return self._mean.compute() if self._mean.count else 0.0

    def reset_state(self) -> None:
        """Forgets all numbers."""
        self._mean.reset()


class Sum(Mean):
    """The sum of numbers. Arguments as of :class:`Mean`."""

    def result(self) -> float:
        """The sum."""
        return float(self._mean.total)


class MeanMetricWrapper(Mean):
    """A function of ``(y_true, y_pred)`` as a metric: the mean of what it gives.

    Args:
        fn: gives a number for each sample, or one for the batch, which counts as often as there are samples.
        name: in logs; by default that of the function.
        dtype: accepted, and not needed.
        options: of the function.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self.fn, self.options = fn, options

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Takes in a batch."""
        target, output = asarray(y_true), asarray(y_pred)
        values = as_array(self.fn(target, output, **self.options))
        if not values.ndim and sample_weight is None:
            sample_weight = float(output.shape[0]) if output.ndim else None
        super().update_state(values, sample_weight)


class OfFunction(MeanMetricWrapper):
    """A metric whose function is known by name.

    Args:
        name: in logs.
        dtype: accepted, and not needed.
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(self, name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(type(self).function, name or snake_case(type(self).__name__), dtype, **options)
