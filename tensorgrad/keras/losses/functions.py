"""Losses as functions of ``(y_true, y_pred)``, which give one for each sample: the mean over the last axis.

Probabilities are kept ``epsilon()`` away from 0 and 1, as Keras does; for scores say
``from_logits=True``, which is exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor
from tensorgrad.keras.config import epsilon
from tensorgrad.nn import functional as F
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import abs, clip, maximum
from tensorgrad.ops.powers import log, square
from tensorgrad.ops.reductions import max, mean, sum
from tensorgrad.ops.shape import expand_dims, moveaxis, squeeze


def as_pair(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Target and prediction as Tensors of one dtype and shape; a last axis of length 1 that one of them lacks is added.

    Raises:
        ValueError: if their shapes differ.
    """
    target, output = line_up(asarray(y_true), asarray(y_pred))
    if target.shape != output.shape:
        raise ValueError(
            f"a loss compares y_true and y_pred of one shape, got {target.shape} and {output.shape}. Are classes given "
            f"as integers? They go with sparse_categorical_crossentropy, one-hot ones (see utils.to_categorical) with "
            f"categorical_crossentropy."
        )
    return astype(target, output.dtype, copy=False), output


def line_up(target: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the same number of axes, where one of them has a last axis of length 1 more."""
    if target.ndim + 1 == output.ndim and output.shape[-1] == 1:
        target = expand_dims(target, -1)
    elif target.ndim == output.ndim + 1 and target.shape[-1] == 1:
        target = squeeze(target, -1)
    return target, output


def _each(losses: Tensor) -> Any:
    """The mean over the last axis."""
    return mean(losses, axis=-1) if losses.ndim else losses


# -- distances -------------------------------------------------------------------------------------------------


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """``mean((y_true - y_pred)**2)`` over the last axis.

    Example:
        >>> tg.keras.losses.mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
        [2.0]
    """
    target, output = as_pair(y_true, y_pred)
    return _each(F.mse_loss(output, target, "none"))


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """``mean(abs(y_true - y_pred))`` over the last axis."""
    target, output = as_pair(y_true, y_pred)
    return _each(F.l1_loss(output, target, "none"))


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """``100 * mean(abs((y_true - y_pred) / y_true))`` over the last axis."""
    target, output = as_pair(y_true, y_pred)
    return 100 * _each(abs((target - output) / maximum(abs(target), epsilon())))


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """``mean((log(y_true + 1) - log(y_pred + 1))**2)`` over the last axis."""
    target, output = as_pair(y_true, y_pred)
    first, second = (log(maximum(x, epsilon()) + 1) for x in (target, output))
    return _each(square(first - second))


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the squared difference where it is below ``delta``, and a straight line beyond; over the last axis."""
    target, output = as_pair(y_true, y_pred)
    return _each(F.huber_loss(output, target, "none", delta))


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """``mean(log(cosh(y_pred - y_true)))`` over the last axis."""
    target, output = as_pair(y_true, y_pred)
    gap = output - target
    return _each(gap + F.softplus(-2 * gap) - math.log(2))


def poisson(y_true: Any, y_pred: Any) -> Any:
    """``mean(y_pred - y_true * log(y_pred))`` over the last axis."""
    target, output = as_pair(y_true, y_pred)
    return _each(F.poisson_nll_loss(output, target, log_input=False, eps=epsilon(), reduction="none"))


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """``sum(y_true * log(y_true / y_pred))`` over the last axis."""
    target, output = (clip(x, epsilon(), 1.0) for x in as_pair(y_true, y_pred))
    return sum(F.kl_div(log(output), target, reduction="none"), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine between the two, negated: -1 for the same direction."""
    target, output = as_pair(y_true, y_pred)
    return -F.cosine_similarity(target, output, axis, epsilon())


# -- margins ---------------------------------------------------------------------------------------------------


def _signs(target: Tensor) -> Tensor:
    """Labels 0 and 1 as -1 and 1; those that are -1 and 1 stay."""
    binary = bool(np.isin(target.numpy(), (0, 1)).all())
    return 2 * target - 1 if binary else target


def hinge(y_true: Any, y_pred: Any) -> Any:
    """``mean(max(1 - y_true * y_pred, 0))`` over the last axis; labels are -1 and 1, or 0 and 1."""
    target, output = as_pair(y_true, y_pred)
    return _each(F.relu(1 - _signs(target) * output))


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """The squares of :func:`hinge`'s terms, ``mean(max(1 - y_true * y_pred, 0)**2)``."""
    target, output = as_pair(y_true, y_pred)
    return _each(square(F.relu(1 - _signs(target) * output)))


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """``max(1 - p + n, 0)``: p is the score of the right class, n the best of the others."""
    target, output = as_pair(y_true, y_pred)
    return F.relu(1 - sum(target * output, axis=-1) + max((1 - target) * output, axis=-1))


# -- classes ---------------------------------------------------------------------------------------------------


def _smoothed(target: Tensor, label_smoothing: float, classes: int) -> Tensor:
    return target * (1 - label_smoothing) + label_smoothing / classes if label_smoothing else target


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """``-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))`` over an axis.

    Args:
        y_true: 0, 1 or between.
        y_pred: probabilities of the class 1.
        from_logits: whether ``y_pred`` is scores, of which the sigmoid is to be taken.
        label_smoothing: how far labels go from 0 and 1 towards 1/2.
        axis: over which axis the mean is taken.
    """
    target, output = as_pair(y_true, y_pred)
    target = _smoothed(target, label_smoothing, 2)
    if from_logits:
        losses = F.binary_cross_entropy_with_logits(output, target, reduction="none")
    else:
        losses = F.binary_cross_entropy(_kept_away(output), target, reduction="none")
    return mean(losses, axis=axis)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """``-sum(y_true * log(y_pred))`` over the classes.

    Args:
        y_true: one-hot, or a probability for each class.
        y_pred: probabilities; they are divided by their sum.
        from_logits: whether ``y_pred`` is scores, of which the softmax is to be taken.
        label_smoothing: this share of each target is spread over all classes.
        axis: that of the classes.

    Example:
        >>> tg.keras.losses.categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    target, output = as_pair(y_true, y_pred)
    target = _smoothed(target, label_smoothing, output.shape[axis])
    logs = F.log_softmax(output, axis=axis) if from_logits else _log_probabilities(output, axis)
    return -sum(target * logs, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """:func:`categorical_crossentropy` of classes that are given as integers.

    Args:
        y_true: the classes, with one axis less than ``y_pred``, or a last one of length 1.
        y_pred: probabilities, or scores.
        from_logits: whether it is scores.
        ignore_class: a class whose loss is 0.
        axis: that of the classes.
    """
    target, output = asarray(y_true), asarray(y_pred)
    if target.ndim == output.ndim and target.shape[axis] == 1:
        target = squeeze(target, axis)
    if target.shape != output.shape[: axis % output.ndim] + output.shape[axis % output.ndim + 1 :]:
        raise ValueError(
            f"sparse_categorical_crossentropy takes classes as integers, one for each row of y_pred; got the shapes "
            f"{target.shape} and {output.shape}. For one-hot targets there is categorical_crossentropy."
        )
    target = astype(target, "int64", copy=False)
    options: dict[str, Any] = {"ignore_index": -100 if ignore_class is None else ignore_class, "reduction": "none"}
    scores = output if from_logits else _log_probabilities(output, axis)
    scores = moveaxis(scores, axis, 1) if scores.ndim > 1 else scores
    return (F.cross_entropy if from_logits else F.nll_loss)(scores, target, **options)


def _kept_away(probabilities: Tensor) -> Any:
    return clip(probabilities, epsilon(), 1 - epsilon())


def _log_probabilities(output: Tensor, axis: int) -> Any:
    return log(_kept_away(output / sum(output, axis=axis, keepdims=True)))
