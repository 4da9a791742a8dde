"""Tables of vectors, from which rows are picked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, no_grad, versions
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.indexing import take
from tensorgrad.ops.linalg import vector_norm
from tensorgrad.ops.logic import where
from tensorgrad.ops.reductions import max, sum
from tensorgrad.ops.shape import expand_dims

__all__ = ["embedding", "embedding_bag"]

RENORMALIZED = 1e-7
"""Added to norms before dividing by them, as in PyTorch."""


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
) -> Tensor:
    """Rows of a table: ``weight[input]``.

    Args:
        input: integers from 0 to V - 1, an array of any shape (...).
        weight: the table, shape (V, D).
        padding_idx: a row that gets no gradient; negative: counted from the end.
        max_norm: rows that are used and longer than this are first made so long, in place.
        norm_type: the order of that norm.

    Returns:
        Shape (..., D).

    Raises:
        TypeError: if ``input`` is not integers.
        ValueError: if the table has not two axes, or has no row ``padding_idx``.
        IndexError: for a row that is not there.

    Example:
        >>> table = tg.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
        >>> tg.embedding(tg.tensor([2, 0, 2]), table)
        Tensor([[3., 4.],
                [0., 0.],
                [3., 4.]], dtype=float32, device='cpu')
    """
    input, weight = _checked("embedding", input, weight)
    padding_idx = _row("embedding", padding_idx, weight)
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    return _rows(input, weight, padding_idx)


def _checked(name: str, input: Any, weight: Any) -> tuple[Tensor, Tensor]:
    input, weight = asarray(input), asarray(weight)
    if input.dtype.kind not in "iu":
        raise TypeError(f"{name}() picks rows by integers, got dtype {input.dtype}: convert them with .to('int64').")
    if weight.ndim != 2:
        raise ValueError(f"{name}() needs a table of shape (V, D), got shape {weight.shape}.")
    given, count = input.data, weight.shape[0]
    if backend.can_look(given) and given.size and not (given.min() >= 0 and given.max() < count):
        bad = given.min() if given.min() < 0 else given.max()
        raise IndexError(f"{name}() was asked for row {bad}, but a table of shape {weight.shape} has 0 to {count - 1}.")
    return input, weight


def _row(name: str, padding_idx: int | None, weight: Tensor) -> int | None:
    if padding_idx is None:
        return None
    count = weight.shape[0]
    if not -count <= padding_idx < count:
        raise ValueError(f"{name}() has padding_idx={padding_idx}, but its table has {count} rows.")
    return padding_idx % count


def _rows(input: Tensor, weight: Tensor, padding_idx: int | None) -> Tensor:
    rows = take(weight, input, axis=0)
    return rows if padding_idx is None else where(expand_dims(input == padding_idx, -1), rows.detach(), rows)


def _renormalize(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    xp = backend.namespace(weight.data)
    used = xp.unique(input.data)
    with no_grad():
        rows = weight.data[used]
        norms = vector_norm(Tensor(rows), axis=1, keepdims=True, ord=norm_type).data
        weight.data[used] = xp.where(norms > max_norm, rows * (max_norm / (norms + RENORMALIZED)), rows)
    versions.mark(weight.data, "embedding(max_norm=...)")


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    mode: str = "mean",
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of rows of a table: one vector for each bag of rows.

    Args:
        input: integers from 0 to V - 1: shape (B, L), B bags of L rows each; or (N,), all bags in a row.
        weight: the table, shape (V, D).
        offsets: for an input of one axis, where each bag begins, shape (B,).
        max_norm: rows that are used and longer than this are first made so long, in place.
        norm_type: the order of that norm.
        mode: ``"sum"``, ``"mean"`` or ``"max"``; of an empty bag it is 0.
        per_sample_weights: what each row counts, in the shape of the input; for sums only.
        include_last_offset: whether ``offsets`` has the end of the last bag, too.
        padding_idx: a row that does not count.

    Returns:
        Shape (B, D).

    Raises:
        TypeError: if ``input`` is not integers.
        ValueError: if the shapes do not go together, or for another mode.
        IndexError: for a row that is not there.

    Example:
        >>> table = tg.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
        >>> tg.embedding_bag(tg.tensor([1, 2, 2]), table, offsets=tg.tensor([0, 2]), mode="sum")
        Tensor([[4., 6.],
                [3., 4.]], dtype=float32, device='cpu')
    """
    name = "embedding_bag"
    input, weight = _checked(name, input, weight)
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"{name}() has the modes 'sum', 'mean' and 'max', not {mode!r}.")
    if per_sample_weights is not None:
        per_sample_weights = asarray(per_sample_weights)
        if mode != "sum" or per_sample_weights.shape != input.shape:
            raise ValueError(
                f"{name}() takes per_sample_weights for sums, in the shape of the input, {input.shape}; got "
                f"mode={mode!r} and shape {per_sample_weights.shape}."
            )
    padding_idx = _row(name, padding_idx, weight)
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    places, there = _bags(name, input, offsets, include_last_offset)
    if not places.shape[1]:
        return sum(take(weight, places, axis=0), axis=1)
    bags = take(input, places) if input.ndim == 1 else input
    counted = there if padding_idx is None else there & (bags.data != padding_idx)
    mask = Tensor(counted[..., None])
    rows = where(mask, take(weight, bags, axis=0), 0 if mode != "max" else -math.inf)
    if mode == "max":
        return where(Tensor(counted.any(axis=1)[:, None]), max(rows, axis=1), 0)
    if per_sample_weights is not None:
        own = take(per_sample_weights, places) if input.ndim == 1 else per_sample_weights
        rows = rows * expand_dims(own, -1)
    total = sum(rows, axis=1)
    if mode == "sum":
        return total
    xp = backend.namespace(counted)
    return total / Tensor(xp.maximum(counted.sum(axis=1), 1)[:, None].astype(weight.dtype))


def _bags(name: str, input: Tensor, offsets: Any, include_last_offset: bool) -> tuple[Any, Any]:
    """The places (B, L) in the input of what is in each bag, and where there is something."""
    xp = backend.namespace(input.data)
    if input.ndim == 2 and offsets is None:
        shape = input.shape
        return xp.arange(shape[0] * shape[1]).reshape(shape), xp.ones(shape, bool)
    if input.ndim != 1 or offsets is None:
        raise ValueError(f"{name}() takes an input (B, L), or (N,) with offsets; got {input.shape} and {offsets!r}.")
    # Where bags begin says how long they are: that has to be looked at.
    begins = asarray(offsets).numpy()
    count = input.shape[0]
    ends = begins[1:] if include_last_offset else np.append(begins[1:], count)
    begins = begins[: len(ends)]
    if begins.ndim != 1 or (np.diff(begins) < 0).any() or (len(begins) and (begins[0] != 0 or ends[-1] > count)):
        raise ValueError(f"{name}() needs offsets that begin with 0 and do not fall, up to {count}; got {offsets!r}.")
    lengths = ends - begins
    steps = np.arange(int(lengths.max(initial=0)))
    there = steps < lengths[:, None]
    return xp.asarray(np.where(there, begins[:, None] + steps, 0)), xp.asarray(there)
