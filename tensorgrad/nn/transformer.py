"""Transformers: attention and fully connected layers in turn, each added to what came in.

Source: Vaswani et al., *Attention is all you need*, 2017; normalisation first: Xiong et al., *On layer normalization in
the transformer architecture*, 2020.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, ClassVar

from tensorgrad.autograd import Tensor
from tensorgrad.nn import init
from tensorgrad.nn.attention import MultiheadAttention
from tensorgrad.nn.containers import ModuleList
from tensorgrad.nn.dropout import Dropout
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import Module
from tensorgrad.nn.normalization import LayerNorm
from tensorgrad.ops.activations import gelu, relu
from tensorgrad.ops.arrangement import triu
from tensorgrad.ops.creation import asarray, full

ACTIVATIONS: dict[str, Callable[..., Any]] = {"relu": relu, "gelu": gelu}


class _Layer(Module):
    """Some attentions, and then two linear layers with an activation between them: each of these is a block."""

    _attentions: ClassVar[tuple[str, ...]]
    linear1: Linear
    dropout: Dropout
    linear2: Linear

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(activation, str) and activation not in ACTIVATIONS:
            known = " or ".join(map(repr, ACTIVATIONS))
            raise ValueError(f"{type(self).__name__}: activation is {known} or a function, not {activation!r}.")
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        for name in self._attentions:
            attention = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **where)
            self.register_module(name, attention)
        self.linear1 = Linear(d_model, dim_feedforward, bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **where)
        blocks = range(1, len(self._attentions) + 2)
        for i in blocks:
            self.register_module(f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, **where))
        for i in blocks:
            self.register_module(f"dropout{i}", Dropout(dropout))
        self.norm_first = norm_first
        self.activation = ACTIVATIONS[activation] if isinstance(activation, str) else activation

    def _add(self, i: int, x: Any, block: Callable[[Any], Any]) -> Any:
        """``x``, and what block number ``i`` makes of it."""
        norm, dropout = getattr(self, f"norm{i}"), getattr(self, f"dropout{i}")
        return x + dropout(block(norm(x))) if self.norm_first else norm(x + dropout(block(x)))

    def _feed_forward(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Attention of every place in a sequence to all others; then, at each place, two linear layers.

    Shape: (L, N, d_model), with ``batch_first`` (N, L, d_model), or (L, d_model) without a batch; the output the same.

    Args:
        d_model: how many features each place has.
        nhead: among how many heads of the attention they are divided.
        dim_feedforward: how many features there are between the two linear layers.
        dropout: the share that is set to 0 in training: of weights of attention, after the activation, and of what each
            block adds.
        activation: ``"relu"``, ``"gelu"`` or any function or module.
        layer_norm_eps: what is added to variances.
        batch_first: whether the batch is the first axis.
        norm_first: whether a block gets what is normalised, and not its result.
        bias: whether linear layers and normalisations add one.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Raises:
        ValueError: for options that do not go together; when called, for shapes.

    Example:
        >>> layer = tg.nn.TransformerEncoderLayer(d_model=8, nhead=2, batch_first=True)
        >>> layer(tg.randn((5, 4, 8))).shape
        (5, 4, 8)
    """

    _attentions = ("self_attn",)
    self_attn: MultiheadAttention

    def forward(
        self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False
    ) -> Tensor:
        """Computes the output.

        Args:
            src: the sequences.
            src_mask: which places a place may *not* look at, or numbers to add to the scores: shape (L, L) or
                (N * nhead, L, L).
            src_key_padding_mask: which places nobody may look at: shape (N, L) or (L,).
            is_causal: whether a place may look at those before it and itself only, where there is no ``src_mask``.
        """

        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal)[0]

        x = self._add(1, asarray(src), attend)
        result: Tensor = self._add(2, x, self._feed_forward)
        return result


class TransformerDecoderLayer(_Layer):
    """Attention of every place in a sequence to the others, then to a memory; then, at each place, two linear layers.

    Shape: sequence (L, N, d_model) and memory (S, N, d_model), the batch first or without one as in
    :class:`TransformerEncoderLayer`; output: that of the sequence.

    Arguments as of :class:`TransformerEncoderLayer`.

    Example:
        >>> layer = tg.nn.TransformerDecoderLayer(d_model=8, nhead=2, batch_first=True)
        >>> layer(tg.randn((5, 4, 8)), memory=tg.randn((5, 6, 8)), tgt_is_causal=True).shape
        (5, 4, 8)
    """

    _attentions = ("self_attn", "multihead_attn")
    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Computes the output.

        Args:
            tgt: the sequences.
            memory: what they look at, such as what an encoder made.
            tgt_mask: which places a place may *not* look at, or numbers to add to the scores: shape (L, L) or
                (N * nhead, L, L).
            memory_mask: the same for places of the memory: shape (L, S) or (N * nhead, L, S).
            tgt_key_padding_mask: which places nobody may look at: shape (N, L) or (L,).
            memory_key_padding_mask: the same for places of the memory: shape (N, S) or (S,).
            tgt_is_causal: whether a place may look at those before it and itself only, where there is no ``tgt_mask``.
            memory_is_causal: whether place i may look at places 0 to i of the memory only, where there is no
                ``memory_mask``.
        """

        def attend(x: Any) -> Any:
            return self.self_attn(x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal)[0]

        def recall(x: Any) -> Any:
            return self.multihead_attn(
                x, memory, memory, memory_key_padding_mask, False, memory_mask, is_causal=memory_is_causal
            )[0]

        x = self._add(1, asarray(tgt), attend)
        x = self._add(2, x, recall)
        result: Tensor = self._add(3, x, self._feed_forward)
        return result


class _Stack(Module):
    """Copies of a layer, one after the other, each with parameters of its own."""

    layers: ModuleList
    norm: Module | None

    def __init__(self, layer: Module, num_layers: int, norm: Module | None) -> None:
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.register_module("norm", norm)

    def _through(self, x: Any, *args: Any, **options: Any) -> Any:
        for layer in self.layers:
            x = layer(x, *args, **options)
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """A stack of encoder layers: copies of one, which begin with equal parameters.

    Args:
        encoder_layer: a :class:`TransformerEncoderLayer`, or what is called like one.
        num_layers: how many copies.
        norm: what the last one's output goes through, such as a :class:`LayerNorm`.
        enable_nested_tensor: accepted, and changes nothing.
        mask_check: likewise.

    Example:
        >>> layer = tg.nn.TransformerEncoderLayer(d_model=8, nhead=2, batch_first=True)
        >>> encoder = tg.nn.TransformerEncoder(layer, num_layers=3)
        >>> encoder(tg.randn((5, 4, 8)), is_causal=True).shape
        (5, 4, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__(encoder_layer, num_layers, norm)

    def forward(
        self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None
    ) -> Tensor:
        """Computes the output; arguments as of :class:`TransformerEncoderLayer`, ``mask`` its ``src_mask``."""
        result: Tensor = self._through(
            src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal)
        )
        return result


class TransformerDecoder(_Stack):
    """A stack of decoder layers: copies of one, which begin with equal parameters.

    Args:
        decoder_layer: a :class:`TransformerDecoderLayer`, or what is called like one.
        num_layers: how many copies.
        norm: what the last one's output goes through, such as a :class:`LayerNorm`.

    Example:
        >>> layer = tg.nn.TransformerDecoderLayer(d_model=8, nhead=2, batch_first=True)
        >>> decoder = tg.nn.TransformerDecoder(layer, num_layers=3)
        >>> decoder(tg.randn((5, 4, 8)), tg.randn((5, 6, 8)), tgt_is_causal=True).shape
        (5, 4, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__(decoder_layer, num_layers, norm)

    def forward(
        self,
        tgt: Any,
        memory: Any,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Computes the output; arguments as of :class:`TransformerDecoderLayer`."""
        result: Tensor = self._through(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=bool(tgt_is_causal),
            memory_is_causal=memory_is_causal,
        )
        return result


class Transformer(Module):
    """An encoder of one sequence, and a decoder of another that looks at what the encoder made.

    Shape: source (S, N, d_model) and target (L, N, d_model), the batch first or without one as in
    :class:`TransformerEncoderLayer`; output: that of the target.

    Args:
        d_model: how many features each place has.
        nhead: among how many heads of the attention they are divided.
        num_encoder_layers: how many layers the encoder has.
        num_decoder_layers: how many the decoder has.
        dim_feedforward: how many features there are between the two linear layers of each.
        dropout: the share that is set to 0 in training.
        activation: ``"relu"``, ``"gelu"`` or any function or module.
        custom_encoder: an encoder instead of a :class:`TransformerEncoder` with a :class:`LayerNorm` at its end.
        custom_decoder: a decoder, likewise.
        layer_norm_eps: what is added to variances.
        batch_first: whether the batch is the first axis.
        norm_first: whether a block gets what is normalised, and not its result.
        bias: whether linear layers and normalisations add one.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        encoder: the encoder. All weights with two axes are Xavier-uniform at first.
        decoder: the decoder.

    Example:
        >>> model = tg.nn.Transformer(8, 2, 1, 1, dim_feedforward=16, batch_first=True)
        >>> source, target = tg.randn((5, 6, 8)), tg.randn((5, 4, 8))
        >>> model(source, target, tgt_is_causal=True).shape
        (5, 4, 8)
    """

    encoder: Module
    decoder: Module

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        where: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        options: Any = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first)
        if custom_encoder is None:
            norm = LayerNorm(d_model, layer_norm_eps, **where)
            custom_encoder = TransformerEncoder(TransformerEncoderLayer(*options, **where), num_encoder_layers, norm)
        if custom_decoder is None:
            norm = LayerNorm(d_model, layer_norm_eps, **where)
            custom_decoder = TransformerDecoder(TransformerDecoderLayer(*options, **where), num_decoder_layers, norm)
        self.encoder = custom_encoder
        self.decoder = custom_decoder
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values for all parameters that have two axes or more."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Any,
        tgt: Any,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Computes the output; masks as of :class:`TransformerEncoderLayer` and :class:`TransformerDecoderLayer`."""
        src, tgt = asarray(src), asarray(tgt)
        for what, x in (("src", src), ("tgt", tgt)):
            if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
                form = "(N, L, {0})" if self.batch_first else "(L, N, {0})"
                wanted = f"{form} or (L, {{0}})".format(self.d_model)
                raise ValueError(f"Transformer takes {what} of shape {wanted}, got {x.shape}.")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        result: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return result

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: str | None = None, dtype: Any = None) -> Tensor:
        """A mask to add to scores: -inf where a key is later than the query, else 0.

        Args:
            sz: how long the sequence is.
            device: where the mask is.
            dtype: of the mask, float32 by default.

        Example:
            >>> tg.nn.Transformer.generate_square_subsequent_mask(2)
            Tensor([[  0., -inf],
                    [  0.,   0.]], dtype=float32, device='cpu')
        """
        return triu(full((sz, sz), -math.inf, dtype=dtype, device=device), k=1)
