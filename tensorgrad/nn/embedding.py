"""Tables of vectors that are learned. What they compute is told at the functions of their names."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.ops import embedding
from tensorgrad.ops.creation import asarray, empty


class _Table(Module):
    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        max_norm: float | None,
        norm_type: float,
        device: str | None,
        dtype: Any,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(f"{type(self).__name__} has no row {padding_idx} for padding, of {num_embeddings}.")
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.weight = Parameter(empty((num_embeddings, embedding_dim), dtype=dtype, device=device))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new values from the normal distribution, and sets the row for padding to 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, **options: Any) -> Any:
        """A layer with a given table.

        Args:
            embeddings: the table, shape (V, D); it is copied.
            freeze: whether it is not to be trained.
            options: others of the layer.
        """
        table = asarray(embeddings)
        if table.ndim != 2:
            raise ValueError(f"{cls.__name__}.from_pretrained() takes a table (V, D), got shape {table.shape}.")
        make: Any = cls
        layer = make(*table.shape, device=table.device, dtype=table.dtype, **options)
        with no_grad():
            layer.weight[...] = table
        layer.weight.requires_grad = not freeze
        return layer

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        norm = "" if self.max_norm is None else f", max_norm={self.max_norm}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}{norm}"


class Embedding(_Table):
    """Rows of a table that is learned, :func:`tensorgrad.embedding`.

    Shape: input (...) of integers, output (..., embedding_dim).

    Args:
        num_embeddings: how many rows.
        embedding_dim: how long each is.
        padding_idx: a row of zeros that is not trained.
        max_norm: rows that are used and longer than this are first made so long, in place.
        norm_type: the order of that norm.
        device: where the table is.
        dtype: of the table, float32 by default.

    Attributes:
        weight: shape (num_embeddings, embedding_dim), at first from the normal distribution.

    Example:
        >>> layer = tg.nn.Embedding(10, 3, padding_idx=0)
        >>> layer(tg.tensor([[1, 2], [0, 9]])).shape
        (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, device, dtype)

    def forward(self, input: Any) -> Tensor:
        return embedding.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type)


class EmbeddingBag(_Table):
    """Sums, means or maxima of rows of a table that is learned, :func:`tensorgrad.embedding_bag`.

    Shape: input (B, L) of integers, or (N,) and offsets (B,); output (B, embedding_dim).

    Args:
        num_embeddings: how many rows.
        embedding_dim: how long each is.
        max_norm: rows that are used and longer than this are first made so long, in place.
        norm_type: the order of that norm.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        include_last_offset: whether offsets have the end of the last bag, too.
        padding_idx: a row of zeros that does not count.
        device: where the table is.
        dtype: of the table, float32 by default.

    Example:
        >>> layer = tg.nn.EmbeddingBag(10, 3, mode="sum")
        >>> layer(tg.tensor([1, 2, 4, 5]), tg.tensor([0, 3])).shape
        (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, device, dtype)
        self.mode = mode
        self.include_last_offset = include_last_offset

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        return embedding.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.mode,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, mode={self.mode!r}"
