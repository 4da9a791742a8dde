"""Attention: weighted means of values, the weights by how well keys go with a query."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.arguments import as_floating, beside
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import arange, asarray
from tensorgrad.ops.dropout import dropout
from tensorgrad.ops.linalg import matmul
from tensorgrad.ops.shape import broadcast_shapes, expand_dims, reshape
from tensorgrad.ops.softmax import through_softmax

__all__ = ["scaled_dot_product_attention"]


@op
def _attention_weights(query, key, mask=None, /, scale=1.0, *, xp):
    """The softmax of ``scale * query @ key.mT + mask``; of a row of -inf, zeros.

    One array of the size of the scores is all there ever is.
    """
    weights = matmul(query * scale, xp.matrix_transpose(key))
    if mask is not None:
        number = weights.dtype.type
        weights += xp.where(mask, number(0), number(-math.inf)) if mask.dtype == bool else mask
    if weights.size:
        largest = xp.max(weights, axis=-1, keepdims=True)
        weights -= xp.where(largest == -math.inf, 0, largest)
        xp.exp(weights, out=weights)
        total = xp.sum(weights, axis=-1, keepdims=True)
        weights /= xp.where(total == 0, 1, total)
    return weights


@_attention_weights.vjp("query", "key", "mask")
def _(g, query, key, out, scale, needs, xp):
    by_scores = through_softmax(g, out, -1, xp)
    by_query = matmul(by_scores, key) * scale if needs[0] else None
    by_key = matmul(xp.matrix_transpose(by_scores), query * scale) if needs[1] else None
    return by_query, by_key, by_scores


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ key.mT * scale + mask) @ value``: for each query, a mean of the values, weighted by its keys.

    A query that may look at nothing gets zeros.

    Source: Vaswani et al., *Attention is all you need*, 2017; several queries for one key: Ainslie et al., *GQA*, 2023.

    Args:
        query: shape (..., L, E).
        key: shape (..., S, E).
        value: shape (..., S, V).
        attn_mask: which keys each query may look at: booleans, or numbers that are added to the scores (-inf for a key
            it may not look at); a shape that broadcasts to (..., L, S).
        dropout_p: this share of the weights is set to 0 (:func:`tensorgrad.dropout`), in evaluation too.
        is_causal: whether query i may look at the keys 0 to i only.
        scale: what scores are multiplied by; ``1 / sqrt(E)``, if it is not given.
        enable_gqa: whether there may be several queries, on the axis before L, for each key and value there, such as
            (..., 8, L, E) for (..., 2, S, E): the first four have the first key.

    Returns:
        Shape (..., L, V), and the dtype of ``query``.

    Raises:
        ValueError: if the shapes do not go together, there is a mask beside ``is_causal``, or ``dropout_p`` is no
            probability.
        TypeError: if the query is not floating point, or the mask neither that nor booleans.

    Example:
        >>> query, key = tg.tensor([[0.0, 0.0], [100.0, 0.0]]), tg.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> tg.scaled_dot_product_attention(query, key, tg.tensor([[1.0], [3.0]]))
        Tensor([[2.],
                [1.]], dtype=float32, device='cpu')
    """
    name = "scaled_dot_product_attention"
    query = as_floating(name, query)
    key, value = beside(query, key), beside(query, value)
    _require_shapes(name, query, key, value, enable_gqa)
    if is_causal and attn_mask is not None:
        raise ValueError(f"{name}() takes attn_mask or is_causal=True, not both.")
    batch = broadcast_shapes(query.shape[:-2], () if enable_gqa else key.shape[:-2])
    shape = (*batch, query.shape[-2], key.shape[-2])
    mask = causal_mask(query.shape[-2], key.shape[-2], query.device) if is_causal else None
    if attn_mask is not None:
        mask = as_mask(name, attn_mask, query)
        _require_broadcasting(name, mask, shape)
    if enable_gqa:
        # Queries in groups, and every key there once for the whole group.
        groups = key.shape[-3]
        query = _grouped(query, groups)
        key, value = expand_dims(key, -3), expand_dims(value, -3)
        if mask is not None and mask.ndim > 2:
            mask = _grouped(mask, groups) if mask.shape[-3] > 1 else expand_dims(mask, -3)
    out, _ = attend(query, key, value, mask, dropout_p, scale)
    return reshape(out, (*batch, *out.shape[-2:])) if enable_gqa else out


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout_p: float = 0.0, scale: float | None = None
) -> tuple[Tensor, Tensor]:
    """The weighted means, and the weights."""
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    weights = dropout(_attention_weights(query, key, mask, scale), dropout_p)
    return matmul(weights, value), weights


def causal_mask(length: int, source: int, device: str) -> Tensor:
    """Booleans (length, source): whether the key is not later than the query."""
    return expand_dims(arange(length, device=device), -1) >= arange(source, device=device)


def _require_shapes(name: str, query: Tensor, key: Tensor, value: Tensor, grouped: bool) -> None:
    axes = 3 if grouped else 2
    fit = min(query.ndim, key.ndim, value.ndim) >= axes
    fit = fit and query.shape[-1] == key.shape[-1] and key.shape[-2] == value.shape[-2]
    if fit and grouped:
        heads, groups = query.shape[-3], key.shape[-3]
        fit = value.shape[-3] == groups and (heads % groups == 0 if groups else heads == 0)
        fit = fit and query.shape[:-3] == key.shape[:-3] == value.shape[:-3]
    elif fit:
        try:
            broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
        except ValueError:
            fit = False
    if not fit:
        wanted = "(..., L, E), (..., S, E) and (..., S, V), where ... broadcast"
        if grouped:
            wanted = "(..., H, L, E), (..., G, S, E) and (..., G, S, V), with H a multiple of G"
        raise ValueError(
            f"{name}() takes query, key and value of shapes {wanted}, got {query.shape}, {key.shape} and {value.shape}."
        )


def as_mask(name: str, mask: Any, like: Tensor) -> Tensor:
    """A mask as a Tensor: booleans, or numbers of the dtype of ``like``."""
    if not isinstance(mask, Tensor) and backend.of(mask) is None:
        mask = asarray(mask, device=like.device)
    mask = asarray(mask)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{name}: a mask is of booleans or of floating point numbers, got dtype {mask.dtype}.")
    return mask if mask.dtype.kind == "b" else astype(mask, like.dtype, copy=False)


def _require_broadcasting(name: str, mask: Tensor, shape: tuple[int, ...]) -> None:
    own = mask.shape
    if len(own) > len(shape) or any(n not in (1, wanted) for n, wanted in zip(own[::-1], shape[::-1], strict=False)):
        raise ValueError(f"{name}() takes a mask that broadcasts to {shape}, got shape {own}.")


def _grouped(x: Tensor, groups: int) -> Tensor:
    heads = x.shape[-3]
    return reshape(x, (*x.shape[:-3], groups, heads // max(groups, 1), *x.shape[-2:]))
