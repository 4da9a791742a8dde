"""Attention with several heads: each attends to other features of the same inputs."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.autograd import Tensor
from tensorgrad.ops.arguments import as_floating, beside
from tensorgrad.ops.arrangement import pad
from tensorgrad.ops.attention import as_mask, attend, causal_mask
from tensorgrad.ops.creation import zeros
from tensorgrad.ops.linalg import linear
from tensorgrad.ops.logic import logical_not, logical_or, where
from tensorgrad.ops.reductions import mean
from tensorgrad.ops.shape import broadcast_to, concat, expand_dims, permute_dims, reshape, split, squeeze

NAME = "multi_head_attention"


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    *,
    batch_first: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """What :class:`tensorgrad.nn.MultiheadAttention` computes, which explains it: its parameters are arguments here.

    Args:
        query: shape (L, N, E), or (L, E) without a batch; in any case (N, L, E) with ``batch_first``.
        key: shape (S, N, K), likewise.
        value: shape (S, N, V), likewise.
        embed_dim_to_check: E.
        num_heads: H, a divisor of E.
        in_proj_weight: the weights by which queries, keys and values are made of the three, shape (3 E, E).
        in_proj_bias: shape (3 E,), or None.
        bias_k: one more key for all, shape (1, 1, E), or None.
        bias_v: its value.
        add_zero_attn: whether there is one more key, and value, of zeros.
        dropout_p: this share of the weights is set to 0 in training.
        out_proj_weight: what is done to the result of all heads, shape (E, E).
        out_proj_bias: shape (E,), or None.
        training: whether there is dropout.
        key_padding_mask: which keys nobody may look at, or numbers to add to all scores of a key: shape (N, S) or (S,).
        need_weights: whether to return the weights.
        attn_mask: which keys a query may *not* look at, or numbers to add to the scores: shape (L, S) or (N * H, L, S).
        use_separate_proj_weight: whether the weights are the following three instead of ``in_proj_weight``.
        q_proj_weight: shape (E, E).
        k_proj_weight: shape (E, K).
        v_proj_weight: shape (E, V).
        static_k: keys instead of those made of ``key``, shape (N * H, S, E / H).
        static_v: values, likewise.
        average_attn_weights: whether the weights returned are the mean of the heads'.
        is_causal: whether query i may look at the keys 0 to i only; where there is an ``attn_mask``, that says so.
        batch_first: whether the batch is the first axis.

    Returns:
        The result, in the shape of ``query``; and the weights, of shape (N, L, S) or, of each head, (N, H, L, S)
        (without N where there is no batch), or None.

    Raises:
        ValueError: if the shapes do not go together.
        TypeError: for a query that is not floating point, or a mask that is neither that nor booleans.
    """
    same = query is key and key is value
    query = as_floating(NAME, query)
    key, value = beside(query, key), beside(query, value)
    single = query.ndim == 2
    if single:
        query, key, value = (expand_dims(x, 0 if batch_first else 1) for x in (query, key, value))
    _require_shapes(query, key, value, embed_dim_to_check, num_heads, batch_first)
    if same and not use_separate_proj_weight:
        projected = split(linear(query, in_proj_weight, in_proj_bias), 3, axis=-1)
    else:
        separate = [q_proj_weight, k_proj_weight, v_proj_weight]
        projections = separate if use_separate_proj_weight else split(in_proj_weight, 3)
        biases = [None] * 3 if in_proj_bias is None else split(in_proj_bias, 3)
        projected = [linear(x, w, b) for x, w, b in zip((query, key, value), projections, biases, strict=True)]
    # From here on (N, H, length, E / H).
    order = (0, 2, 1, 3) if batch_first else (1, 2, 0, 3)
    q, k, v = (_heads(x, num_heads, order) for x in projected)
    batch, _, length, width = q.shape
    if static_k is not None:
        k = reshape(beside(query, static_k), (batch, num_heads, -1, width))
    if static_v is not None:
        v = reshape(beside(query, static_v), (batch, num_heads, -1, width))
    mask = _combined(attn_mask, key_padding_mask, is_causal, (batch, num_heads, length, k.shape[2]), query, single)
    more = [] if bias_k is None else [(_heads(bias_k, num_heads, order), _heads(bias_v, num_heads, order))]
    if add_zero_attn:
        more += [(zeros((1, num_heads, 1, width), dtype=k.dtype, device=k.device),) * 2]
    for pair in more:
        k, v = (concat([x, broadcast_to(one, (batch, num_heads, 1, width))], axis=2) for x, one in zip((k, v), pair))
    if more and mask is not None:
        mask = pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, len(more))], constant_values=mask.dtype.kind == "b")
    out, weights = attend(q, k, v, mask, dropout_p if training else 0.0)
    joined = permute_dims(out, (0, 2, 1, 3) if batch_first else (2, 0, 1, 3))
    result = linear(reshape(joined, query.shape), out_proj_weight, out_proj_bias)
    if single:
        result, weights = squeeze(result, 0 if batch_first else 1), squeeze(weights, 0)
    if not need_weights:
        return result, None
    return result, mean(weights, axis=-3) if average_attn_weights else weights


def _require_shapes(query: Tensor, key: Tensor, value: Tensor, features: int, heads: int, batch_first: bool) -> None:
    if heads < 1 or features % heads:
        raise ValueError(f"{NAME}: the {features} features of a query are not to be divided among {heads} heads.")
    batch = 0 if batch_first else 1
    shapes = [x.shape for x in (query, key, value)]
    fit = all(len(shape) == 3 for shape in shapes) and query.shape[2] == features
    if not fit or key.shape[:2] != value.shape[:2] or query.shape[batch] != key.shape[batch]:
        form = "(N, {0}, {1})" if batch_first else "({0}, N, {1})"
        wanted = ", ".join(form.format(*pair) for pair in (("L", features), ("S", "K"), ("S", "V")))
        raise ValueError(
            f"{NAME} takes query, key and value of shapes {wanted}, all with N or all without, got "
            f"{', '.join(map(str, shapes))}."
        )


def _heads(x: Any, heads: int, order: tuple[int, ...]) -> Tensor:
    """The features of each head on the last axis; then the axes in another order."""
    split_up: Tensor = reshape(x, (*x.shape[:-1], heads, x.shape[-1] // heads))
    ordered: Tensor = permute_dims(split_up, order)
    return ordered


def _combined(
    attn_mask: Any, padding: Any, is_causal: bool, shape: tuple[int, ...], like: Tensor, single: bool
) -> Tensor | None:
    """One mask for all of it, which broadcasts to (N, H, L, S): what may be seen, or what is added to the scores."""
    batch, heads, length, source = shape
    masks = []
    if attn_mask is not None:
        mask = _as_mask("attn_mask", attn_mask, [(length, source), (batch * heads, length, source)], like)
        masks.append(mask if mask.ndim == 2 else reshape(mask, shape))
    elif is_causal:
        masks.append(logical_not(causal_mask(length, source, like.device)))
    if padding is not None:
        mask = _as_mask("key_padding_mask", padding, [(source,)] if single else [(batch, source)], like)
        masks.append(reshape(mask, (batch, 1, 1, source)))
    if not masks:
        return None
    if all(mask.dtype.kind == "b" for mask in masks):
        hidden: Tensor = masks[0] if len(masks) == 1 else logical_or(*masks)
        return logical_not(hidden)
    zero = zeros((), dtype=like.dtype, device=like.device)
    numbers = [where(mask, -math.inf, zero) if mask.dtype.kind == "b" else mask for mask in masks]
    return numbers[0] if len(numbers) == 1 else numbers[0] + numbers[1]


def _as_mask(what: str, mask: Any, shapes: list[tuple[int, ...]], like: Tensor) -> Tensor:
    mask = as_mask(f"{NAME}: {what}", mask, like)
    if mask.shape not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ValueError(f"{NAME}: {what} has the shape {wanted}, not {mask.shape}.")
    return mask
