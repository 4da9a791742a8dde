"""Losses that are content with a margin: hinges, rankings, triplets. PyTorch's names and meanings.

``reduction`` is ``"mean"``, ``"sum"`` or ``"none"``. The derivative where a margin is just reached is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops.activations import log_sigmoid, relu, softplus
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.distances import cosine_similarity, pairwise_distance
from tensorgrad.ops.elementwise import minimum, multiply, negative, subtract
from tensorgrad.ops.indexing import take_along_axis
from tensorgrad.ops.logic import where
from tensorgrad.ops.losses import fitting, paired, reduce
from tensorgrad.ops.powers import square
from tensorgrad.ops.reductions import mean, sum
from tensorgrad.ops.shape import expand_dims, squeeze

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "hinge_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

# -- of two classes, -1 and 1 ----------------------------------------------------------------------------------


def hinge_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """``max(margin - target * input, 0)``: the loss of a support vector machine (Cortes and Vapnik, 1995).

    Args:
        input: scores, an array of any shape.
        target: 1 or -1, in the same shape.
        margin: how far on the right side of 0 a score is to be.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> tg.hinge_loss(tg.tensor([2.0, 0.5, 1.0]), tg.tensor([1, 1, -1]), reduction="none")
        Tensor([0. , 0.5, 2. ], dtype=float32, device='cpu')
    """
    input, target = paired("hinge_loss", input, target)
    return reduce("hinge_loss", relu(margin - multiply(target, input)), reduction)


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """``log(1 + exp(-target * input))``, without overflow. Arguments as of :func:`hinge_loss`.

    Example:
        >>> tg.soft_margin_loss(tg.tensor([1e4, 1e4]), tg.tensor([1, -1])).item()
        5000.0
    """
    input, target = paired("soft_margin_loss", input, target)
    return reduce("soft_margin_loss", softplus(negative(multiply(target, input)), threshold=math.inf), reduction)


def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """A distance itself where the target is 1, and what it lacks to a margin where the target is -1.

    Args:
        input: distances, an array of any shape.
        target: 1 where they are to be small, -1 where they are to be ``margin`` at least; the same shape.
        margin: the margin.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> tg.hinge_embedding_loss(tg.tensor([0.25, 0.25, 2.0]), tg.tensor([1, -1, -1]), reduction="none")
        Tensor([0.25, 0.75, 0.  ], dtype=float32, device='cpu')
    """
    name = "hinge_embedding_loss"
    input, target = paired(name, input, target)
    return reduce(name, where(target == 1, input, relu(margin - input)), reduction)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Tensor:
    """``max(margin - target * (input1 - input2), 0)``: which of two is to be ranked higher.

    Args:
        input1: scores, an array of any shape.
        input2: others, in the same shape.
        target: 1 where the first is to be higher, -1 where the second is; the same shape.
        margin: by how much.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> tg.margin_ranking_loss(tg.tensor([3.0, 3.0]), tg.tensor([1.0, 1.0]), tg.tensor([1, -1]), reduction="none")
        Tensor([0., 2.], dtype=float32, device='cpu')
    """
    name = "margin_ranking_loss"
    input1, input2 = paired(name, input1, input2)
    _, target = paired(name, input1, target)
    return reduce(name, relu(margin - multiply(target, subtract(input1, input2))), reduction)


# -- of vectors ------------------------------------------------------------------------------------------------


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """``1 - cos`` of the angle between two vectors where the target is 1, ``max(cos - margin, 0)`` where it is -1.

    Args:
        input1: vectors, shape (N, D), or (D,) for one.
        input2: others, in the same shape.
        target: 1 where both are to point in one direction, -1 where they are not to; shape (N,) or ().
        margin: the cosine that is let pass, from -1 to 1.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes do not go together.

    Example:
        >>> x = tg.tensor([[1.0, 0.0], [1.0, 0.0]])
        >>> tg.cosine_embedding_loss(x, x, tg.tensor([1, -1]), reduction="none")
        Tensor([0., 1.], dtype=float32, device='cpu')
    """
    name = "cosine_embedding_loss"
    input1, input2 = paired(name, input1, input2)
    target = asarray(target)
    if input1.ndim not in (1, 2) or target.shape != input1.shape[:-1]:
        raise ValueError(
            f"{name}() takes vectors (N, D) and a target (N,), or (D,) and (), got {input1.shape} and {target.shape}."
        )
    cosine = cosine_similarity(input1, input2, axis=-1)
    return reduce(name, where(target == 1, 1 - cosine, relu(cosine - margin)), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``max(d(anchor, positive) - d(anchor, negative) + margin, 0)``, with the distance of the p-norm.

    Sources: Balntas et al., *Learning local feature descriptors with triplets and shallow convolutional neural
    networks* (2016); Schroff et al., *FaceNet* (2015).

    Args:
        anchor: vectors, shape (N, D) or (D,).
        positive: others, which are to be near, in the same shape.
        negative: others, which are to be further away by the margin, in the same shape.
        margin: the margin.
        p: the order of the norm.
        eps: added to each difference; see :func:`pairwise_distance`.
        swap: whether the distance of positive and negative counts where it is the smaller one.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> near, far = tg.tensor([[0.0, 1.0]]), tg.tensor([[0.0, 3.0]])
        >>> round(tg.triplet_margin_loss(tg.zeros((1, 2)), near, far, margin=4.0).item(), 3)
        2.0
    """

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return pairwise_distance(x, y, p, eps)

    return _triplet("triplet_margin_loss", anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """:func:`triplet_margin_loss` with a distance of one's own.

    Args:
        anchor, positive, negative: as there, of any shape that the distance takes.
        distance_function: takes two of them; :func:`pairwise_distance` by default.
        margin, swap, reduction: as there.

    Example:
        >>> x = tg.tensor([[1.0, 2.0]])
        >>> city = lambda a, b: abs(a - b).sum(axis=1)
        >>> tg.triplet_margin_with_distance_loss(x, x, x + 1, distance_function=city, margin=5.0).item()
        3.0
    """
    name, distance = "triplet_margin_with_distance_loss", distance_function or pairwise_distance
    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(
    name: str,
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    anchor, positive = paired(name, anchor, positive)
    _, negative = paired(name, anchor, negative)
    apart = distance(anchor, negative)
    if swap:
        apart = minimum(apart, distance(positive, negative))
    return reduce(name, relu(distance(anchor, positive) - apart + margin), reduction)


# -- of many classes -------------------------------------------------------------------------------------------


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """``sum(max(margin - input[y] + input[i], 0)**p) / C`` over all classes i but the right one, y.

    Source: Crammer and Singer, *On the algorithmic implementation of multiclass kernel-based vector machines* (2001).

    Args:
        input: scores, shape (N, C), or (C,) for one sample.
        target: the right classes, integers below C, shape (N,); for one sample () or (1,).
        p: 1 or 2.
        margin: by how much the right class is to be ahead.
        weight: what each class counts, where it is the right one, shape (C,).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes do not go together, or ``p`` is another number.
        TypeError: if classes are not integers.
        IndexError: for a class that is not there (not noticed on a GPU).

    Example:
        >>> tg.multi_margin_loss(tg.tensor([[2.0, 1.5, 0.0, 0.0]]), tg.tensor([0])).item()
        0.125
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{name}() has p = 1 or 2, got {p}.")
    scores, target = asarray(input), asarray(target)
    if scores.ndim == 1 and target.shape == (1,):
        target = squeeze(target, 0)
    if scores.ndim not in (1, 2) or target.shape != scores.shape[:-1]:
        raise ValueError(
            f"{name}() takes an input (N, C) and classes (N,), or (C,) and (), got {scores.shape} and {target.shape}."
        )
    classes = scores.shape[-1]
    places = _classes(name, target, classes)
    xp = backend.namespace(places)
    right = Tensor((places[..., None] == xp.arange(classes)).astype(scores.dtype))
    gaps = relu(margin - sum(scores * right, axis=-1, keepdims=True) + scores)
    losses = (gaps if p == 1 else square(gaps)) * (1 - right)
    if weight is not None:
        weight = asarray(weight)
        if weight.shape != (classes,):
            raise ValueError(f"{name}() needs a weight for each of the {classes} classes, got shape {weight.shape}.")
        losses = losses * sum(astype(weight, scores.dtype, copy=False) * right, axis=-1, keepdims=True)
    return reduce(name, sum(losses, axis=-1) / (classes or math.nan), reduction)


def _classes(name: str, target: Tensor, count: int) -> Any:
    """Classes as a bare array, checked where it can be looked at without waiting for a GPU."""
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}() takes classes as integers, got dtype {target.dtype}: convert it with .to('int64').")
    given = target.data
    if backend.can_look(given) and given.size and not (given.min() >= 0 and given.max() < count):
        bad = given.min() if given.min() < 0 else given.max()
        raise IndexError(f"{name}(): the target holds the class {bad}, but there are {count}, from 0 to {count - 1}.")
    return given


def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """``sum(max(1 - input[y] + input[i], 0)) / C`` over all right classes y and all wrong classes i.

    Args:
        input: scores, shape (N, C), or (C,) for one sample.
        target: the right classes of each sample, integers below C, and -1 after the last of them; the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes differ.
        TypeError: if classes are not integers.
        IndexError: for a class that is not there (not noticed on a GPU).

    Example:
        >>> scores = tg.tensor([0.0, 0.25, 0.5, 0.75])
        >>> tg.multilabel_margin_loss(scores, tg.tensor([3, 0, -1, 1])).item()  # (0.5 + 0.75 + 1.25 + 1.5) / 4
        1.0
    """
    name = "multilabel_margin_loss"
    scores, target = asarray(input), asarray(target)
    if scores.ndim not in (1, 2) or target.shape != scores.shape:
        raise ValueError(f"{name}() takes two arrays (N, C) or (C,), got {scores.shape} and {target.shape}.")
    classes, xp = scores.shape[-1], backend.namespace(target.data)
    used = xp.cumprod(target.data >= 0, axis=-1).astype(bool)
    labels = _classes(name, Tensor(xp.where(used, target.data, 0)), classes)
    right = ((labels[..., None] == xp.arange(classes)) & used[..., None]).any(axis=-2)
    chosen = take_along_axis(scores, Tensor(labels), axis=-1)
    gaps = relu(1 - expand_dims(chosen, -1) + expand_dims(scores, -2))
    counted = Tensor((used[..., :, None] & ~right[..., None, :]).astype(scores.dtype))
    return reduce(name, sum(gaps * counted, axis=(-2, -1)) / (classes or math.nan), reduction)


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Tensor:
    """The mean over all classes of ``-(target * log(sigmoid(input)) + (1 - target) * log(sigmoid(-input)))``.

    Args:
        input: scores, shape (..., C).
        target: 1 for each class that is there, else 0; the same shape.
        weight: what each class counts; broadcasts to the input.
        reduction: over all but the last axis: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: if the shapes differ, or there is no axis of classes.

    Example:
        >>> tg.multilabel_soft_margin_loss(tg.tensor([[1e4, -1e4]]), tg.tensor([[0, 0]])).item()
        5000.0
    """
    name = "multilabel_soft_margin_loss"
    input, target = paired(name, input, target)
    if not input.ndim:
        raise ValueError(f"{name}() takes scores of classes, shape (..., C), got one number.")
    losses = negative(target * log_sigmoid(input) + (1 - target) * log_sigmoid(negative(input)))
    if weight is not None:
        losses = losses * fitting(name, "weight", weight, losses)
    return reduce(name, mean(losses, axis=-1), reduction)
