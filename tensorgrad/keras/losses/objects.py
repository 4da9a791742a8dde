"""Losses as objects: one number of a loss for each sample, their mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.keras.config import epsilon
from tensorgrad.keras.losses.functions import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    line_up,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from tensorgrad.keras.registry import Configured, snake_case
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import maximum
from tensorgrad.ops.reductions import sum
from tensorgrad.ops.shape import expand_dims

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


class Loss(Configured):
    """The base class: a loss for each sample (``call``), and one number of them.

    A loss of one's own defines ``call(y_true, y_pred)``; a function of these two does as well.

    Args:
        name: in messages.
        reduction: ``"sum_over_batch_size"`` (the mean), ``"sum"``, ``"mean_with_sample_weight"`` (over the sum of
            the weights) or ``"none"``.

    Raises:
        ValueError: for another reduction.
    """

    known: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        if cls.__module__ == __name__ and not cls.__name__.startswith("_"):
            cls.known[cls.__name__] = cls

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None):
        if reduction not in REDUCTIONS:
            raise ValueError(f"a loss has the reductions {', '.join(map(repr, REDUCTIONS))}, not {reduction!r}.")
        self.name = name or snake_case(type(self).__name__)
        self.reduction = reduction

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """A loss for each sample."""
        raise NotImplementedError(f"{type(self).__name__} defines no call(y_true, y_pred).")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss.

        Args:
            y_true: what is right.
            y_pred: what the model gave.
            sample_weight: what each sample counts.
        """
        output = asarray(y_pred)
        losses = asarray(self.call(asarray(y_true), output))
        weight = None
        if sample_weight is not None:
            weight = astype(asarray(sample_weight), losses.dtype, copy=False)
            weight, losses = line_up(weight, losses)
            while weight.ndim < losses.ndim:
                weight = expand_dims(weight, -1)
            losses = losses * weight
        if self.reduction in ("none", None) or not losses.ndim:
            return losses
        total = sum(losses)
        if self.reduction == "sum":
            return total
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            return total / maximum(sum(weight), epsilon())
        return total / (losses.size or 1)


class _OfFunction(Loss):
    """A loss whose function is known by name.

    Args:
        reduction: ``"sum_over_batch_size"``, ``"sum"``, ``"mean_with_sample_weight"`` or ``"none"``.
        name: in messages.
        dtype: accepted, and not needed.
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(name, reduction)
        self.options = options

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return type(self).function(y_true, y_pred, **self.options)


class CustomLoss(Loss):
    """A function of ``(y_true, y_pred)`` as a loss.

    Args:
        function: gives a loss for each sample, or one for all.
        reduction: as of :class:`Loss`.
        name: in messages.
    """

    def __init__(
        self, function: Callable[..., Any], reduction: str | None = "sum_over_batch_size", name: str | None = None
    ) -> None:
        super().__init__(name or getattr(function, "__name__", None), reduction)
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred)


class BinaryCrossentropy(_OfFunction):
    """The mean of :func:`binary_crossentropy`, with the same options.

    Example:
        >>> round(BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]]).item(), 4)
        0.6931
    """

    function = staticmethod(binary_crossentropy)

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}


class CategoricalCrossentropy(BinaryCrossentropy):
    """The mean of :func:`categorical_crossentropy`, with the same options.

    Example:
        >>> round(CategoricalCrossentropy(from_logits=True)([[0.0, 1.0]], [[3.0, 3.0]]).item(), 4)
        0.6931
    """

    function = staticmethod(categorical_crossentropy)


class SparseCategoricalCrossentropy(_OfFunction):
    """The mean of :func:`sparse_categorical_crossentropy`, with the same options."""

    function = staticmethod(sparse_categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        **options: Any,
    ) -> None:
        super().__init__(reduction, **options)
        self.options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}


class MeanSquaredError(_OfFunction):
    """The mean of :func:`mean_squared_error`."""

    function = staticmethod(mean_squared_error)


class MeanAbsoluteError(_OfFunction):
    """The mean of :func:`mean_absolute_error`."""

    function = staticmethod(mean_absolute_error)


class MeanAbsolutePercentageError(_OfFunction):
    """The mean of :func:`mean_absolute_percentage_error`."""

    function = staticmethod(mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_OfFunction):
    """The mean of :func:`mean_squared_logarithmic_error`."""

    function = staticmethod(mean_squared_logarithmic_error)


class Huber(_OfFunction):
    """The mean of :func:`huber`.

    Args:
        delta: where the line begins.
        options: as of other losses.
    """

    function = staticmethod(huber)

    def __init__(self, delta: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.options = {"delta": delta}


class LogCosh(_OfFunction):
    """The mean of :func:`log_cosh`."""

    function = staticmethod(log_cosh)


class Poisson(_OfFunction):
    """The mean of :func:`poisson`."""

    function = staticmethod(poisson)


class KLDivergence(_OfFunction):
    """The mean of :func:`kl_divergence`."""

    function = staticmethod(kl_divergence)


class CosineSimilarity(_OfFunction):
    """The mean of :func:`cosine_similarity`.

    Args:
        axis: that of the vectors.
        options: as of other losses.
    """

    function = staticmethod(cosine_similarity)

    def __init__(self, axis: int = -1, **options: Any) -> None:
        super().__init__(**options)
        self.options = {"axis": axis}


class Hinge(_OfFunction):
    """The mean of :func:`hinge`."""

    function = staticmethod(hinge)


class SquaredHinge(_OfFunction):
    """The mean of :func:`squared_hinge`."""

    function = staticmethod(squared_hinge)


class CategoricalHinge(_OfFunction):
    """The mean of :func:`categorical_hinge`."""

    function = staticmethod(categorical_hinge)
