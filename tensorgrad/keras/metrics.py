"""Metrics under Keras's names: they are those of :mod:`tensorgrad.training.metrics` or made like them.

A metric is updated batch by batch with ``update_state(y_true, y_pred)``; ``result()`` is exact for all samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from tensorgrad.autograd import Tensor
from tensorgrad.keras import initializers, losses
from tensorgrad.keras.config import floatx
from tensorgrad.keras.losses import line_up
from tensorgrad.keras.registry import Configured, custom_object, made, snake_case
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
        if cls.__module__ == __name__ and not cls.__name__.startswith("_"):
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


# -- accuracies ------------------------------------------------------------------------------------------------


def _same(first: np.ndarray, second: np.ndarray) -> Tensor:
    return Tensor((first == second).astype(floatx()))


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the two are equal."""
    target, output = line_up(asarray(y_true), asarray(y_pred))
    return _same(as_array(target), as_array(output))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """The share of those on the right side of the threshold, over the last axis."""
    target, output = line_up(asarray(y_true), asarray(y_pred))
    right = _same(as_array(target), as_array(output) > threshold)
    return right.mean(axis=-1) if right.ndim else right


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the place of the largest target, over the last axis.

    Example:
        >>> categorical_accuracy([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]]).tolist()
        [1.0, 0.0]
    """
    return _same(as_array(y_true).argmax(axis=-1), as_array(y_pred).argmax(axis=-1))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is at the place that the target names."""
    target, output = as_array(y_true), as_array(y_pred)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    return _same(target, output.argmax(axis=-1))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the largest target is at one of the places of the k largest predictions."""
    return sparse_top_k_categorical_accuracy(as_array(y_true).argmax(axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the target names one of the places of the k largest predictions."""
    target, output = as_array(y_true), as_array(y_pred)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    score = np.take_along_axis(output, target[..., None].astype(np.int64), axis=-1)
    return Tensor(((output > score).sum(axis=-1) < k).astype(floatx()))


class _OfFunction(MeanMetricWrapper):
    """A metric whose function is known by name.

    Args:
        name: in logs.
        dtype: accepted, and not needed.
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(self, name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(type(self).function, name or snake_case(type(self).__name__), dtype, **options)


class Accuracy(_OfFunction):
    """How often predictions are equal to targets."""

    function = staticmethod(accuracy)


class BinaryAccuracy(_OfFunction):
    """How often probabilities are on the right side of a threshold.

    Args:
        name: in logs.
        dtype: accepted, and not needed.
        threshold: what is above it is 1.
    """

    function = staticmethod(binary_accuracy)

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype, threshold=threshold)


class CategoricalAccuracy(_OfFunction):
    """How often the right class is the likeliest; targets are one-hot."""

    function = staticmethod(categorical_accuracy)


class SparseCategoricalAccuracy(_OfFunction):
    """How often the right class is the likeliest; targets are integers.

    Example:
        >>> metric = SparseCategoricalAccuracy()
        >>> metric.update_state([1, 0], [[0.1, 0.9], [0.2, 0.8]])
        >>> metric.result()
        0.5
    """

    function = staticmethod(sparse_categorical_accuracy)


class TopKCategoricalAccuracy(_OfFunction):
    """How often the right class is among the k likeliest; targets are one-hot.

    Args:
        k: among how many.
        name: in logs.
        dtype: accepted, and not needed.
    """

    function = staticmethod(top_k_categorical_accuracy)

    def __init__(self, k: int = 5, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype, k=k)


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """:class:`TopKCategoricalAccuracy` of targets that are integers."""

    function = staticmethod(sparse_top_k_categorical_accuracy)


# -- losses as metrics -----------------------------------------------------------------------------------------


class MeanSquaredError(_OfFunction):
    """The mean squared difference."""

    function = staticmethod(losses.mean_squared_error)


class RootMeanSquaredError(MeanSquaredError):
    """The root of the mean squared difference."""

    def result(self) -> float:
        """The figure."""
        return float(super().result() ** 0.5)


class MeanAbsoluteError(_OfFunction):
    """The mean absolute difference."""

    function = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(_OfFunction):
    """The mean absolute difference in per cent of the target."""

    function = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(_OfFunction):
    """The mean squared difference of logarithms."""

    function = staticmethod(losses.mean_squared_logarithmic_error)


class LogCoshError(_OfFunction):
    """The mean logarithm of the hyperbolic cosine of the difference."""

    function = staticmethod(losses.log_cosh)

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)


class KLDivergence(_OfFunction):
    """The mean Kullback-Leibler divergence."""

    function = staticmethod(losses.kl_divergence)


class Poisson(_OfFunction):
    """The mean Poisson loss."""

    function = staticmethod(losses.poisson)


class BinaryCrossentropy(_OfFunction):
    """The mean binary cross-entropy; options as of :func:`~tensorgrad.keras.losses.binary_crossentropy`."""

    function = staticmethod(losses.binary_crossentropy)


class CategoricalCrossentropy(_OfFunction):
    """The mean cross-entropy; options as of :func:`~tensorgrad.keras.losses.categorical_crossentropy`."""

    function = staticmethod(losses.categorical_crossentropy)


class SparseCategoricalCrossentropy(_OfFunction):
    """The mean cross-entropy of classes that are integers."""

    function = staticmethod(losses.sparse_categorical_crossentropy)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(_OfFunction):
    """The mean cosine between targets and predictions (as a metric it is not negated)."""

    function = staticmethod(_cosine)


class Hinge(_OfFunction):
    """The mean hinge loss."""

    function = staticmethod(losses.hinge)


# -- of all samples together -----------------------------------------------------------------------------------


class _Counts(Metric):
    """True and false positives and negatives.

    Args:
        thresholds: what is above it is positive.
        class_id: the column that is looked at; None: all.
        name: in logs.
        dtype: accepted, and not needed.
    """

    def __init__(
        self, thresholds: float = 0.5, class_id: int | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(dtype, name)
        self.threshold, self.class_id = 0.5 if thresholds is None else float(thresholds), class_id
        self.reset_state()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self.hits = self.false_alarms = self.misses = self.rejections = 0.0

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        target, output = (as_array(part) for part in line_up(asarray(y_true), asarray(y_pred)))
        if target.shape != output.shape:
            raise ValueError(f"{self.name} takes two arrays of one shape, got {target.shape} and {output.shape}.")
        if self.class_id is not None:
            target, output = target[..., self.class_id], output[..., self.class_id]
        true, positive = target > 0.5, output > self.threshold
        weight = np.ones(true.shape)
        if sample_weight is not None:
            given = as_array(sample_weight)
            weight = np.broadcast_to(given.reshape(given.shape + (1,) * (true.ndim - given.ndim)), true.shape)
        self.hits += float(weight[true & positive].sum())
        self.false_alarms += float(weight[~true & positive].sum())
        self.misses += float(weight[true & ~positive].sum())
        self.rejections += float(weight[~true & ~positive].sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


class Precision(_Counts):
    """Of those predicted positive, the share that are. Over all classes together, unless there is a ``class_id``.

    Args:
        thresholds: what is above it is positive.
        class_id: the column that is looked at; None: all.
        name: in logs.
        dtype: accepted, and not needed.

    Example:
        >>> metric = Precision()
        >>> metric.update_state([0, 1, 1, 1], [0.6, 0.2, 0.9, 0.8])
        >>> round(metric.result(), 3)
        0.667
    """

    def result(self) -> float:
        """The share."""
        return _ratio(self.hits, self.hits + self.false_alarms)


class Recall(_Counts):
    """Of those that are positive, the share that are predicted so. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The share."""
        return _ratio(self.hits, self.hits + self.misses)


class TruePositives(_Counts):
    """How many are predicted positive, and are. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The count."""
        return self.hits


class FalsePositives(_Counts):
    """How many are predicted positive, and are not. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The count."""
        return self.false_alarms


class TrueNegatives(_Counts):
    """How many are predicted negative, and are. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The count."""
        return self.rejections


class FalseNegatives(_Counts):
    """How many are predicted negative, and are not. Arguments as of :class:`Precision`."""

    def result(self) -> float:
        """The count."""
        return self.misses


class AUC(Metric):
    """The area under the receiver operating characteristic, :class:`tensorgrad.training.metrics.AUC`: exact.

    (Keras goes by 200 thresholds, and comes near it.)

    Args:
        from_logits: accepted: only the order of predictions counts.
        name: in logs.
        dtype: accepted, and not needed.
    """

    def __init__(self, from_logits: bool = False, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._auc = metrics.AUC()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        if sample_weight is not None:
            raise NotImplementedError("AUC takes no sample_weight.")
        target, output = line_up(asarray(y_true), asarray(y_pred))
        self._auc.update(output, target)

    def result(self) -> float:
        """The area."""
        return self._auc.compute()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self._auc.reset()


class R2Score(Metric):
    """The coefficient of determination, :class:`tensorgrad.training.metrics.R2Score`.

    Args:
        name: in logs.
        dtype: accepted, and not needed.
    """

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self._score = metrics.R2Score()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        if sample_weight is not None:
            raise NotImplementedError("R2Score takes no sample_weight.")
        target, output = line_up(asarray(y_true), asarray(y_pred))
        self._score.update(output, target)

    def result(self) -> float:
        """The coefficient."""
        return self._score.compute()

    def reset_state(self) -> None:
        """Forgets all batches."""
        self._score.reset()


# -- names -----------------------------------------------------------------------------------------------------


class _ByShape(Metric):
    """``"accuracy"`` and ``"crossentropy"``: which one is meant is seen from the shapes of the first batch."""

    def __init__(self, name: str, binary: Any, sparse: Any, categorical: Any) -> None:
        super().__init__(name=name)
        self._kinds = (binary, sparse, categorical)
        self._chosen: Metric | None = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes in a batch."""
        target, output = asarray(y_true), asarray(y_pred)
        if self._chosen is None:
            binary = output.ndim < 1 or output.shape[-1] == 1
            sparse = target.ndim < output.ndim or (target.shape[-1] == 1 and output.shape[-1] > 1)
            self._chosen = self._kinds[0 if binary else 1 if sparse else 2](name=self.name)
        self._chosen.update_state(target, output, sample_weight)

    def result(self) -> float:
        """The figure."""
        return 0.0 if self._chosen is None else float(self._chosen.result())

    def reset_state(self) -> None:
        """Forgets all batches."""
        if self._chosen is not None:
            self._chosen.reset_state()


BY_SHAPE: Mapping[str, tuple[Any, Any, Any]] = {
    **dict.fromkeys(("accuracy", "acc"), (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)),
    **dict.fromkeys(
        ("crossentropy", "ce"), (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)
    ),
}
KINDS: dict[str, type] = {
    **Metric.known,
    **{snake_case(name): kind for name, kind in Metric.known.items()},
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "MAPE": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "MSLE": MeanSquaredLogarithmicError,
    "rmse": RootMeanSquaredError,
    "RMSE": RootMeanSquaredError,
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "kld": KLDivergence,
    "KLD": KLDivergence,
    "auc": AUC,
}
for _name in ("MeanMetricWrapper", "mean_metric_wrapper", "accuracy"):
    KINDS.pop(_name, None)


def get(identifier: Any) -> Any:
    """The metric that a name or a configuration stands for; metrics and functions stand for themselves.

    Raises:
        ValueError: for an unknown name; lists the known ones, and ``"accuracy"`` and ``"crossentropy"``.
    """
    return made("metric", identifier, {**KINDS, **BY_SHAPE})


def as_metric(identifier: Any) -> Metric:
    """A :class:`Metric` of a name, a function or a metric; one of a name has that name."""
    if isinstance(identifier, str) and custom_object(identifier) is None:
        if identifier in BY_SHAPE:
            return _ByShape(identifier, *BY_SHAPE[identifier])
        metric: Metric = get(identifier)
        metric.name = identifier
        return metric
    if isinstance(identifier, metrics.Metric) and not isinstance(identifier, Metric):
        return _OfTraining(identifier)
    found = get(identifier)
    if isinstance(found, Metric):
        return found
    return MeanMetricWrapper(found)


class _OfTraining(Metric):
    """A metric of :mod:`tensorgrad.training` that Keras does not have."""

    def __init__(self, metric: metrics.Metric) -> None:
        super().__init__(name=metric.name)
        self.metric = metric

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.metric.update(y_pred, y_true)

    def result(self) -> Any:
        return self.metric.compute()

    def reset_state(self) -> None:
        self.metric.reset()
