"""Distances as layers. What they compute is told at the functions of their names."""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd import Tensor
from tensorgrad.nn.module import Module
from tensorgrad.ops import distances


class CosineSimilarity(Module):
    """The cosine of the angle between vectors, :func:`tensorgrad.cosine_similarity`.

    Args:
        dim: the axis along which the vectors lie.
        eps: the least that a norm is taken to be.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return distances.cosine_similarity(x1, x2, self.dim, self.eps)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, eps={self.eps}"


class PairwiseDistance(Module):
    """The distance of vectors along the last axis, :func:`tensorgrad.pairwise_distance`.

    Args:
        p: the order of the norm.
        eps: added to each difference.
        keepdim: whether the last axis stays, with length 1.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return distances.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)

    def extra_repr(self) -> str:
        return f"p={self.norm}, eps={self.eps}, keepdim={self.keepdim}"
