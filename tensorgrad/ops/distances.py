"""How near vectors are to each other, and vectors of length 1, under PyTorch's names."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor
from tensorgrad.ops.arguments import as_floating, with_aliases
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import maximum, multiply, subtract
from tensorgrad.ops.linalg import vector_norm
from tensorgrad.ops.reductions import sum
from tensorgrad.ops.shape import broadcast_arrays

__all__ = ["cosine_similarity", "normalize", "pairwise_distance"]


def _length(x: Tensor, axis: Any, eps: float, **options: Any) -> Tensor:
    """The norm, no smaller than ``eps``."""
    # A bound that rounds to 0 in half precision would be none.
    least = builtins.max(eps, float(np.finfo(x.dtype).tiny))
    length: Tensor = maximum(vector_norm(x, axis=axis, **options), least)
    return length


@with_aliases
def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors: ``sum(x1 * x2) / (norm(x1) * norm(x2))``.

    Args:
        x1: vectors that lie along an axis.
        x2: others; both broadcast against each other.
        axis: the axis.
        eps: no norm is taken to be smaller than this, so that a vector of zeros is at right angles to all.

    Returns:
        A Tensor without the axis.

    Example:
        >>> tg.cosine_similarity(tg.tensor([[1.0, 0.0], [3.0, 4.0]]), tg.tensor([[0.0, 2.0], [6.0, 8.0]]))
        Tensor([0., 1.], dtype=float32, device='cpu')
    """
    x1, x2 = broadcast_arrays(asarray(x1), asarray(x2))
    product = sum(multiply(x1, x2), axis=axis)
    for x in (x1, x2):
        product = product / _length(x, axis, eps)
    return product


@with_aliases
def normalize(x: Any, p: float = 2.0, axis: Any = 1, eps: float = 1e-12) -> Tensor:
    """Vectors divided by their norms: ``x / max(norm(x), eps)``.

    Args:
        x: vectors that lie along an axis.
        p: the order of the norm; see :func:`vector_norm`.
        axis: the axis, or several.
        eps: no norm is taken to be smaller than this, so that a vector of zeros stays one.

    Returns:
        The shape and dtype of ``x``.

    Raises:
        TypeError: if ``x`` is not floating point.

    Example:
        >>> tg.normalize(tg.tensor([[3.0, 4.0], [0.0, 0.0]]))
        Tensor([[0.6, 0.8],
                [0. , 0. ]], dtype=float32, device='cpu')
    """
    x = as_floating("normalize", x)
    return x / _length(x, axis, eps, ord=p, keepdims=True)


@with_aliases
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> Tensor:
    """The distance of vectors that lie along the last axis: the p-norm of ``x1 - x2 + eps``.

    Args:
        x1: vectors, shape (..., D).
        x2: others; both broadcast against each other.
        p: the order of the norm; see :func:`vector_norm`.
        eps: added to each difference, so that the distance of equal vectors has a derivative.
        keepdims: whether the last axis stays, with length 1.

    Example:
        >>> tg.pairwise_distance(tg.tensor([[3.0, 4.0]]), tg.tensor([[0.0, 0.0]]), eps=0.0)
        Tensor([5.], dtype=float32, device='cpu')
    """
    return vector_norm(subtract(asarray(x1), asarray(x2)) + eps, axis=-1, keepdims=keepdims, ord=p)
