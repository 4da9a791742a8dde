"""Attention as a layer."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd import Tensor
from tensorgrad.nn import init
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops.creation import empty
from tensorgrad.ops.multi_head_attention import multi_head_attention_forward


class MultiheadAttention(Module):
    """Attention by several heads: queries, keys and values are made of the inputs, for each head others.

    Each head does :func:`tensorgrad.scaled_dot_product_attention` with its share of the features; a linear layer puts
    the results together. A query that may look at nothing gets zeros from its heads.

    Source: Vaswani et al., *Attention is all you need*, 2017.

    Shape: query (L, N, E), key (S, N, kdim), value (S, N, vdim), or without N; with ``batch_first`` (N, L, E),
    (N, S, kdim), (N, S, vdim). Output: the shape of the query; and weights (N, L, S), or (N, H, L, S) of each head,
    or None.

    Args:
        embed_dim: how many features a query has, E.
        num_heads: among how many heads they are divided, H.
        dropout: this share of the weights is set to 0 in training.
        bias: whether the linear layers add one.
        add_bias_kv: whether there is one more key, with its value, that is learned.
        add_zero_attn: whether there is one more key, with its value, of zeros.
        kdim: how many features a key has; as many as a query, if it is not given.
        vdim: how many a value has; likewise.
        batch_first: whether the batch is the first axis.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        in_proj_weight: what makes queries, keys and values, shape (3 E, E), at first Xavier-uniform; None where keys or
            values have other features than queries: then there are ``q_proj_weight``, ``k_proj_weight``,
            ``v_proj_weight``, shapes (E, E), (E, kdim), (E, vdim).
        in_proj_bias: shape (3 E,), at first 0; or None.
        out_proj: a :class:`Linear` layer from E to E features; its bias is 0 at first.
        bias_k: the further key, shape (1, 1, E), at first Xavier-normal; or None.
        bias_v: its value, likewise.

    Raises:
        ValueError: if ``num_heads`` does not divide ``embed_dim``; when called, for shapes that do not go together.

    Example:
        >>> layer = tg.nn.MultiheadAttention(8, num_heads=2, batch_first=True)
        >>> x = tg.randn((5, 4, 8))
        >>> out, weights = layer(x, x, x, is_causal=True)
        >>> out.shape, weights.shape, weights[0, 0].tolist()
        ((5, 4, 8), (5, 4, 4), [1.0, 0.0, 0.0, 0.0])
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    out_proj: Linear
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if min(embed_dim, num_heads) < 1 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention divides embed_dim among its heads, got embed_dim={embed_dim} and "
                f"num_heads={num_heads}."
            )
        if not 0 <= dropout <= 1:
            raise ValueError(f"MultiheadAttention needs a probability dropout from 0 to 1, got {dropout}.")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.add_zero_attn = add_zero_attn
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first = batch_first

        def make(*shape: int) -> Parameter:
            return Parameter(empty(shape, dtype=dtype, device=device))

        e = embed_dim
        packed = self.kdim == self.vdim == e
        self.register_parameter("in_proj_weight", make(3 * e, e) if packed else None)
        for name, features in (("q", e), ("k", self.kdim), ("v", self.vdim)):
            self.register_parameter(f"{name}_proj_weight", None if packed else make(e, features))
        self.register_parameter("in_proj_bias", make(3 * e) if bias else None)
        self.out_proj = Linear(e, e, bias=bias, device=device, dtype=dtype)
        self.register_parameter("bias_k", make(1, 1, e) if add_bias_kv else None)
        self.register_parameter("bias_v", make(1, 1, e) if add_bias_kv else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values for all weights; biases become 0."""
        self.out_proj.reset_parameters()
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for one in (self.bias_k, self.bias_v):
            if one is not None:
                init.xavier_normal_(one)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attends.

        Args:
            query: what asks.
            key: what it is compared with.
            value: what it gets.
            key_padding_mask: True for keys that nobody may look at, shape (N, S) or (S,); or numbers that are added to
                all scores of a key.
            need_weights: whether to return the weights too (in training, after dropout).
            attn_mask: True where a query may *not* look at a key, shape (L, S) or, for each sample and head,
                (N * H, L, S); or numbers that are added to the scores.
            average_attn_weights: whether these weights are the mean of all heads'.
            is_causal: whether query i may look at the keys 0 to i only; where there is an ``attn_mask``, that says so.
        """
        return multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=self.in_proj_weight is None,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            batch_first=self.batch_first,
        )

    def extra_repr(self) -> str:
        batch_first = ", batch_first=True" if self.batch_first else ""
        return f"{self.embed_dim}, num_heads={self.num_heads}, dropout={self.dropout}{batch_first}"
