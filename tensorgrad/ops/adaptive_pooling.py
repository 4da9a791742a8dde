"""Pooling into a given number of windows, whatever the size of the image, and into one."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops.arguments import integers_to_float64
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.geometry import Shape, sizes
from tensorgrad.ops.indexing import getitem, take_along_axis
from tensorgrad.ops.linalg import matmul
from tensorgrad.ops.memory_order import either_order
from tensorgrad.ops.reductions import argmax, mean
from tensorgrad.ops.shape import moveaxis, reshape

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "global_avg_pool2d",
    "global_max_pool2d",
]


def _bounds(n: int, count: int) -> list[tuple[int, int]]:
    """The ``count`` windows that cover an axis of length ``n``, as PyTorch cuts it."""
    return [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


def _adaptive(name: str, x: Any, output_size: Any) -> tuple[Tensor, Shape, bool]:
    x = asarray(x)
    if x.ndim not in (3, 4):
        raise ValueError(f"{name}() needs an input of shape (N, C, H, W) or (C, H, W), got {x.shape}.")
    wanted = sizes(output_size, 2, f"{name}() output_size", default=x.shape[-2:])
    if min(wanted) < 1 or 0 in x.shape[-2:]:
        raise ValueError(f"{name}() cannot make {wanted} windows of an image of shape {x.shape[-2:]}.")
    return (x if x.ndim == 4 else x.expand_dims(0)), wanted, x.ndim == 4


@either_order(channels=-3)
def adaptive_avg_pool2d(x: Any, output_size: Any) -> Tensor:
    """The averages of as many windows as are asked for, whatever the size of the image.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        output_size: H' and W': a number or a pair; None keeps that axis as it is.

    Returns:
        Shape (N, C, H', W').

    Example:
        >>> tg.adaptive_avg_pool2d(tg.ones((1, 2, 5, 7)), (2, 3)).shape
        (1, 2, 2, 3)
    """
    x, wanted, batched = _adaptive("adaptive_avg_pool2d", x, output_size)
    x = integers_to_float64(x)
    for axis, count in zip((2, 3), wanted, strict=True):
        n = x.shape[axis]
        averages = np.zeros((n, count))
        for i, (start, stop) in enumerate(_bounds(n, count)):
            averages[start:stop, i] = 1 / (stop - start)
        x = moveaxis(matmul(moveaxis(x, axis, -1), backend.transfer(averages.astype(x.dtype), x.device)), -1, axis)
    return x if batched else x.squeeze(0)


@either_order(channels=-3)
def adaptive_max_pool2d(x: Any, output_size: Any) -> Tensor:
    """The largest of as many windows as are asked for, whatever the size of the image.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        output_size: H' and W': a number or a pair; None keeps that axis as it is.

    Returns:
        Shape (N, C, H', W').

    Example:
        >>> tg.adaptive_max_pool2d(tg.ones((1, 2, 5, 7)), (2, 3)).shape
        (1, 2, 2, 3)
    """
    x, wanted, batched = _adaptive("adaptive_max_pool2d", x, output_size)
    rows, columns = (_window_indices(n, count) for n, count in zip(x.shape[2:], wanted, strict=True))
    flat = getitem(
        x,
        (
            slice(None),
            slice(None),
            *(backend.transfer(index, x.device) for index in (rows[:, None, :, None], columns[None, :, None, :])),
        ),
    )
    flat = reshape(flat, (*flat.shape[:4], flat.shape[4] * flat.shape[5]))
    chosen = take_along_axis(flat, argmax(flat, axis=-1, keepdims=True), axis=-1).squeeze(-1)
    return chosen if batched else chosen.squeeze(0)


def _window_indices(n: int, count: int) -> np.ndarray:
    """The elements of each window, shape (count, longest): shorter ones name their last element again."""
    bounds = _bounds(n, count)
    longest = max(stop - start for start, stop in bounds)
    return np.array([[min(start + i, stop - 1) for i in range(longest)] for start, stop in bounds])


@either_order(channels=-3)
def global_avg_pool2d(x: Any) -> Tensor:
    """The average of each channel: (N, C, H, W) becomes (N, C, 1, 1).

    Source: Lin, Chen and Yan, "Network In Network", 2013.

    Example:
        >>> tg.global_avg_pool2d(tg.ones((1, 2, 5, 7))).shape
        (1, 2, 1, 1)
    """
    return mean(asarray(x), axis=(-2, -1), keepdims=True)


@either_order(channels=-3)
def global_max_pool2d(x: Any) -> Tensor:
    """The largest of each channel: (N, C, H, W) becomes (N, C, 1, 1). Of equal ones the first has the gradient.

    Example:
        >>> tg.global_max_pool2d(tg.ones((1, 2, 5, 7))).shape
        (1, 2, 1, 1)
    """
    return adaptive_max_pool2d(x, 1)
