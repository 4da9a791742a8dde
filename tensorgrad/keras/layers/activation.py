"""Activations with settings, as layers."""

from __future__ import annotations

from typing import Any

from tensorgrad.keras import activations
from tensorgrad.keras.layers.base import Layer
from tensorgrad.nn import functional as F


class ReLU(Layer):
    """``max(x, 0)``, or with other corners: :func:`tensorgrad.keras.activations.relu`.

    Args:
        max_value: the most that comes out; None: without limit.
        negative_slope: of what is below the threshold.
        threshold: what is below it counts as negative.
        kwargs: as of :class:`Layer`.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """``x`` where it is positive, ``negative_slope * x`` elsewhere.

    Args:
        negative_slope: the slope; old Keras's name for it, ``alpha``, is understood.
        kwargs: as of :class:`Layer`.

    Example:
        >>> LeakyReLU()(tg.tensor([[-1.0, 2.0]])).numpy().round(3)
        array([[-0.3,  2. ]], dtype=float32)
    """

    def __init__(self, negative_slope: float = 0.3, *, alpha: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = negative_slope if alpha is None else alpha

    def call(self, inputs: Any) -> Any:
        return F.leaky_relu(inputs, self.negative_slope)


class PReLU(Layer):
    """``x`` where it is positive, ``alpha * x`` elsewhere, with an alpha that is learned for each place.

    Args:
        alpha_initializer: of alpha.
        alpha_regularizer: a penalty on alpha.
        shared_axes: axes, counted from 1, along which alpha is one.
        kwargs: as of :class:`Layer`.
    """

    def __init__(
        self, alpha_initializer: Any = "zeros", alpha_regularizer: Any = None, shared_axes: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer, self.alpha_regularizer = alpha_initializer, alpha_regularizer
        self.shared_axes = (shared_axes,) if isinstance(shared_axes, int) else tuple(shared_axes or ())

    def build(self, input_shape: Any) -> None:
        shape = [1 if axis in self.shared_axes else n for axis, n in enumerate(input_shape) if axis]
        options = {"initializer": self.alpha_initializer, "regularizer": self.alpha_regularizer}
        self.alpha = self.add_weight(shape, name="alpha", **options)

    def call(self, inputs: Any) -> Any:
        return F.relu(inputs) - self.alpha * F.relu(-inputs)


class ELU(Layer):
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Args:
        alpha: the factor.
        kwargs: as of :class:`Layer`.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return F.elu(inputs, self.alpha)


class Softmax(Layer):
    """Probabilities from scores: positive, with the sum 1 along an axis.

    Args:
        axis: which.
        kwargs: as of :class:`Layer`.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        return F.softmax(inputs, axis=self.axis)


activations.LAYERS |= {kind.__name__: kind for kind in (ELU, LeakyReLU, PReLU, ReLU, Softmax)}
