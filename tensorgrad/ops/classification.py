"""Losses of many classes, and one-hot vectors. PyTorch's names and meanings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, is_grad_enabled, op
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import negative
from tensorgrad.ops.indexing import take
from tensorgrad.ops.logic import where
from tensorgrad.ops.losses import reduce
from tensorgrad.ops.reductions import sum
from tensorgrad.ops.shape import expand_dims, reshape, squeeze
from tensorgrad.ops.softmax import log_softmax
from tensorgrad.pieces import in_pieces, multiply, subtract

__all__ = ["cross_entropy", "nll_loss", "one_hot"]


# -- two ops on scores (N, C, ...), classes (N, ...) that are -1 where they do not count, and the numbers of all
#    classes (C, ...) -------------------------------------------------------------------------------------------


@op
def _pick(x, target, classes, /, *, xp):
    return xp.where(target >= 0, _at(x, target, xp), 0)


@_pick.vjp("x")
def _(g, target, classes, xp):
    return xp.expand_dims(g, axis=1) * (xp.expand_dims(target, axis=1) == classes)


@op(outputs=("loss", "powers"))
@in_pieces(x=0, target=0, gives=(0, 0))
def _softmax_loss(x, target, classes, /, keep=True, *, xp, into=(None, None)):
    """The losses; and exp(x - c), where c is the largest score of each sample, unless that is not to be kept."""
    powers = subtract(x, xp.max(x, axis=1, keepdims=True), into[1] if keep else None)
    picked = _at(powers, target, xp)
    powers = xp.exp(powers, out=powers if powers.dtype.kind == "f" else None)
    return xp.where(target >= 0, xp.log(_total(powers, xp)) - picked, 0), powers if keep else powers[:, :0]


@_softmax_loss.vjp("x")
@in_pieces(powers=0, gs=(0, 0), target=0, gives=(0,))
def _(gs, powers, target, classes, used, xp, into=(None,)):
    g = gs[0] * (target >= 0)
    by_x = multiply(powers, xp.expand_dims(g / _total(powers, xp), axis=1), into[0])
    if used[1]:
        slopes = gs[1] * powers
        largest = xp.expand_dims(xp.argmax(powers, axis=1), axis=1) == classes
        by_x += slopes - xp.sum(slopes, axis=1, keepdims=True) * largest
    if isinstance(by_x, Tensor):
        return by_x - xp.expand_dims(g, axis=1) * (xp.expand_dims(target, axis=1) == classes)
    # The same, without comparing each class with the right one.
    lined_up, place = _lined_up(by_x, target, xp)
    lined_up[place] -= g.reshape(place[1].shape)
    return by_x


def _total(powers, xp):
    # Of what NumPy has, this sums along a row in half the time.
    return xp.einsum("nc...->n...", powers)


def _at(x, target, xp):
    lined_up, place = _lined_up(x, target, xp)
    picked = lined_up[place].reshape(target.shape)
    # Where to look is to wait, as on a GPU, nobody has looked yet whether there is such a class.
    return picked if backend.can_look(x) else xp.where(target < x.shape[1], picked, math.nan)


def _lined_up(x, target, xp):
    """``x`` as (N, C, L), and the index of the right classes in it."""
    n, length = x.shape[0], math.prod(x.shape[2:])
    return x.reshape((n, x.shape[1], length)), (xp.arange(n)[:, None], target.reshape((n, length)), xp.arange(length))


# -- losses ----------------------------------------------------------------------------------------------------


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``-log(softmax(input))`` of the class that is right, in one stable step.

    Args:
        input: scores (logits), shape (N, C), (N, C, d1, ...) or, for one sample, (C,).
        target: the right classes as integers below C, shape (N,), (N, d1, ...) or (); or the probability of each class
            (one-hot, smoothed, ...), in the shape of the input.
        weight: what each class counts, shape (C,).
        ignore_index: a class in the target that does not count.
        reduction: ``"mean"`` (by the weights of the right classes; over all samples, where the target is
            probabilities), ``"sum"`` or ``"none"``.
        label_smoothing: this share, from 0 to 1, of each target is spread evenly over all classes (Szegedy et al.,
            2015).

    Returns:
        A 0-d Tensor, or for ``"none"`` one with a loss for each sample. The mean is NaN if all targets are ignored,
        and the gradient 0.

    Raises:
        ValueError: if the shapes do not go together.
        TypeError: if classes are not integers.
        IndexError: for a class that is not there (on a GPU, where looking would mean waiting, the loss is NaN).

    Example:
        >>> scores = tg.tensor([[2.0, 0.0], [1e4, -1e4]])
        >>> tg.cross_entropy(scores, tg.tensor([0, 1]), reduction="none").numpy().round(3)
        array([1.27e-01, 2.00e+04], dtype=float32)
    """
    name = "cross_entropy"
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{name}() needs a label_smoothing from 0 to 1, got {label_smoothing}.")
    scores, target = asarray(input), asarray(target)
    soft = target.shape == scores.shape and scores.ndim > 0
    _require_shapes(name, scores, target, soft)
    single = scores.ndim == 1
    if single:
        scores, target = expand_dims(scores, 0), expand_dims(target, 0)
    weight, count = _class_weight(name, weight, scores), scores.shape[1]
    if soft:
        target = astype(target, scores.dtype, copy=False)
        if label_smoothing:
            target = target * (1 - label_smoothing) + label_smoothing / count
        return _reduce(name, _expected(scores, target, weight), None, reduction, single)
    right, all_count = _classes(name, scores, target, ignore_index)
    losses, _ = _softmax_loss(scores, right, _numbers(scores), scores.requires_grad and is_grad_enabled())
    counts = None if all_count and weight is None else _counts(right, weight, losses.dtype)
    if weight is not None:
        losses = losses * counts
    if label_smoothing:
        spread = where(right >= 0, _expected(scores, 1 / count, weight), 0)
        losses = losses * (1 - label_smoothing) + spread * label_smoothing
    return _reduce(name, losses, counts, reduction, single)


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """The negative of the log-probability of the class that is right.

    :func:`cross_entropy` is this of ``log_softmax(input)``; its arguments have the same meaning, but that the target
    is classes.

    Example:
        >>> logs = tg.tensor([[-0.5, -1.0], [-2.0, -0.1]])
        >>> tg.nll_loss(logs, tg.tensor([0, 0])).item()
        1.25
    """
    name = "nll_loss"
    logs, target = asarray(input), asarray(target)
    _require_shapes(name, logs, target, False)
    single = logs.ndim == 1
    if single:
        logs, target = expand_dims(logs, 0), expand_dims(target, 0)
    weight = _class_weight(name, weight, logs)
    right, all_count = _classes(name, logs, target, ignore_index)
    losses = negative(_pick(logs, right, _numbers(logs)))
    counts = None if all_count and weight is None else _counts(right, weight, logs.dtype)
    return _reduce(name, losses if weight is None else losses * counts, counts, reduction, single)


def _require_shapes(name: str, scores: Tensor, target: Tensor, soft: bool) -> None:
    if not soft and (scores.ndim == 0 or target.shape != scores.shape[:1] * (scores.ndim > 1) + scores.shape[2:]):
        raise ValueError(
            f"{name}() takes an input (N, C, ...) and classes (N, ...), or (C,) and (); cross_entropy() also a target "
            f"of the input's shape. Got an input of shape {scores.shape} and a target of shape {target.shape}."
        )


def _class_weight(name: str, weight: Any, scores: Tensor) -> Tensor | None:
    if weight is None:
        return None
    weight = asarray(weight)
    if weight.shape != scores.shape[1:2]:
        raise ValueError(
            f"{name}() needs a weight for each of the {scores.shape[1]} classes, got shape {weight.shape}."
        )
    return astype(weight, scores.dtype, copy=False)


def _classes(name: str, scores: Tensor, target: Tensor, ignore_index: int) -> tuple[Any, bool]:
    """The target as a bare array of int64, -1 where it is to be ignored; and whether that is known to be nowhere.

    It is checked where it can be looked at without waiting for a GPU.
    """
    if target.dtype.kind not in "iu":
        raise TypeError(
            f"{name}() takes classes as integers, got a target of shape {target.shape} and dtype {target.dtype}: "
            f"convert it with .to('int64'), or give probabilities in the shape of the input, {scores.shape}."
        )
    given, count = target.data.astype(np.int64), scores.shape[1]
    xp, look = backend.namespace(given), backend.can_look(given)
    usual = look and not 0 <= ignore_index < count
    if usual and (not given.size or (given.min() >= 0 and given.max() < count)):
        return given, True
    kept = given != ignore_index
    wrong = kept & ((given < 0) | (given >= count))
    if look and wrong.any():
        raise IndexError(
            f"{name}(): the target holds the class {given[wrong][0]}, but an input of shape {scores.shape} has {count} "
            f"classes, from 0 to {count - 1}; and ignore_index is {ignore_index}."
        )
    return xp.where(kept, xp.where(wrong, count, given), -1), False


def _numbers(scores: Tensor) -> Any:
    """The numbers of all classes, to compare targets with."""
    xp = backend.namespace(scores.data)
    return xp.arange(scores.shape[1]).reshape((-1,) + (1,) * (scores.ndim - 2))


def _counts(right: Any, weight: Tensor | None, dtype: Any) -> Tensor:
    """What each target counts: 1 or the weight of its class, and 0 where it is ignored."""
    if weight is None:
        return Tensor((right >= 0).astype(dtype))
    xp = backend.namespace(right)
    return where(right >= 0, take(weight, xp.clip(right, 0, weight.size - 1)), 0)


def _expected(scores: Tensor, probabilities: Any, weight: Tensor | None) -> Tensor:
    """The loss of each sample, expected where its class has these probabilities."""
    losses = probabilities * log_softmax(scores, axis=1)
    if weight is not None:
        losses = losses * reshape(weight, (-1,) + (1,) * (scores.ndim - 2))
    return negative(sum(losses, axis=1))


def _reduce(name: str, losses: Tensor, counts: Tensor | None, reduction: str, single: bool) -> Tensor:
    if reduction == "mean" and counts is not None:
        # Sums of float16 may overflow where the mean does not.
        wide = "float32" if losses.dtype == "float16" else losses.dtype
        total, count = sum(astype(losses, wide, copy=False)), sum(astype(counts, wide, copy=False))
        # 0 / 0 is NaN too, but NumPy warns of it, and the gradient would not be 0.
        nothing = count == 0
        return astype(where(nothing, math.nan, total / where(nothing, 1, count)), losses.dtype, copy=False)
    losses = reduce(name, losses, reduction)
    return squeeze(losses, 0) if single and reduction == "none" else losses


def one_hot(x: Any, num_classes: int | None = None) -> Tensor:
    """Vectors of zeros with a 1 at the place that each integer names.

    Args:
        x: integers from 0, an array of any shape.
        num_classes: the length of the vectors; None or -1: one more than the largest of them.

    Returns:
        An int64 Tensor of the shape of ``x`` and one more axis.

    Raises:
        TypeError: if ``x`` is not integers.
        ValueError: for an integer that is negative or not below ``num_classes``.

    Example:
        >>> tg.one_hot(tg.tensor([2, 0]), 3)
        Tensor([[0, 0, 1],
                [1, 0, 0]], dtype=int64, device='cpu')
    """
    x = asarray(x)
    if x.dtype.kind not in "iu":
        raise TypeError(f"one_hot() takes integers, got dtype {x.dtype}.")
    low, high = (int(x.data.min()), int(x.data.max())) if x.size else (0, -1)
    count = high + 1 if num_classes is None or num_classes == -1 else num_classes
    if not count:
        raise ValueError("one_hot() of nothing needs to be told num_classes.")
    if low < 0 or high >= count:
        raise ValueError(f"one_hot() of {count} classes takes integers from 0 to {count - 1}, got {low} to {high}.")
    xp = backend.namespace(x.data)
    return Tensor((x.data[..., None] == xp.arange(count)).astype(np.int64))
