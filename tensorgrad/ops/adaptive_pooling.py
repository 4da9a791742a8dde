"""Pooling into a given number of windows, whatever the size of the image, and into one."""

from __future__ import annotations

import math
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
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "global_avg_pool1d",
    "global_avg_pool2d",
    "global_avg_pool3d",
    "global_max_pool1d",
    "global_max_pool2d",
    "global_max_pool3d",
]

AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


def _require_axes(name: str, d: int, x: Any) -> Tensor:
    x = asarray(x)
    if x.ndim not in (d + 1, d + 2):
        raise ValueError(f"{name}() needs an input of shape (N, C, {AXES[d]}) or (C, {AXES[d]}), got {x.shape}.")
    return x


def _adaptive(name: str, d: int, x: Any, output_size: Any) -> tuple[Tensor, Shape]:
    x = _require_axes(name, d, x)
    wanted = sizes(output_size, d, f"{name}() output_size", default=x.shape[-d:])
    if min(wanted) < 1 or 0 in x.shape[-d:]:
        raise ValueError(f"{name}() cannot make {wanted} windows of an image of shape {x.shape[-d:]}.")
    return x, wanted


def _bounds(n: int, count: int) -> list[tuple[int, int]]:
    """The ``count`` windows that cover an axis of length ``n``, as PyTorch cuts it."""
    return [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


# -- averages --------------------------------------------------------------------------------------------------


def _averages(name: str, d: int, x: Any, output_size: Any) -> Tensor:
    x, wanted = _adaptive(name, d, x, output_size)
    x = integers_to_float64(x)
    for axis, count in enumerate(wanted, start=x.ndim - d):
        n = x.shape[axis]
        averages = np.zeros((n, count))
        for i, (start, stop) in enumerate(_bounds(n, count)):
            averages[start:stop, i] = 1 / (stop - start)
        x = moveaxis(matmul(moveaxis(x, axis, -1), backend.transfer(averages.astype(x.dtype), x.device)), -1, axis)
    return x


@either_order(channels=-2)
def adaptive_avg_pool1d(x: Any, output_size: Any) -> Tensor:
    """The averages of so many windows of (N, C, L). As :func:`adaptive_avg_pool2d`.

    Example:
        >>> tg.adaptive_avg_pool1d(tg.ones((1, 2, 7)), 3).shape
        (1, 2, 3)
    """
    return _averages("adaptive_avg_pool1d", 1, x, output_size)


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
    return _averages("adaptive_avg_pool2d", 2, x, output_size)


@either_order(channels=-4)
def adaptive_avg_pool3d(x: Any, output_size: Any) -> Tensor:
    """The averages of so many windows of (N, C, D, H, W). As :func:`adaptive_avg_pool2d`.

    Example:
        >>> tg.adaptive_avg_pool3d(tg.ones((1, 2, 5, 7, 4)), (2, 3, 4)).shape
        (1, 2, 2, 3, 4)
    """
    return _averages("adaptive_avg_pool3d", 3, x, output_size)


# -- the largest -----------------------------------------------------------------------------------------------


def _largest(name: str, d: int, x: Any, output_size: Any, return_indices: bool) -> Any:
    x, wanted = _adaptive(name, d, x, output_size)
    spatial, lead = x.shape[-d:], x.shape[:-d]
    # Where the elements of each window stand in the flattened image: shape (*wanted, *longest).
    places = np.zeros((1,) * 2 * d, dtype=np.int64)
    for axis, (n, count) in enumerate(zip(spatial, wanted, strict=True)):
        along = [1] * 2 * d
        index = _window_indices(n, count)
        along[axis], along[d + axis] = index.shape
        places = places * n + index.reshape(along)
    places = backend.transfer(places.reshape(math.prod(wanted), -1), x.device)
    seen = getitem(reshape(x, (*lead, math.prod(spatial))), (..., places))
    best = argmax(seen, axis=-1, keepdims=True)
    values = reshape(take_along_axis(seen, best, axis=-1), (*lead, *wanted))
    if not return_indices:
        return values
    xp = backend.namespace(places)
    return values, Tensor(places[xp.arange(len(places)), best.data[..., 0]].reshape((*lead, *wanted)))


def _window_indices(n: int, count: int) -> np.ndarray:
    """The elements of each window, shape (count, longest): shorter ones name their last element again."""
    bounds = _bounds(n, count)
    longest = max(stop - start for start, stop in bounds)
    return np.array([[min(start + i, stop - 1) for i in range(longest)] for start, stop in bounds])


@either_order(channels=-2)
def adaptive_max_pool1d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest of so many windows of (N, C, L). As :func:`adaptive_max_pool2d`.

    Example:
        >>> tg.adaptive_max_pool1d(tg.ones((1, 2, 7)), 3).shape
        (1, 2, 3)
    """
    return _largest("adaptive_max_pool1d", 1, x, output_size, return_indices)


@either_order(channels=-3)
def adaptive_max_pool2d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest of as many windows as are asked for, whatever the size of the image.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        output_size: H' and W': a number or a pair; None keeps that axis as it is.
        return_indices: whether to return also where each stood in the flattened image.

    Returns:
        Shape (N, C, H', W'); with ``return_indices`` a pair of such.

    Example:
        >>> tg.adaptive_max_pool2d(tg.ones((1, 2, 5, 7)), (2, 3)).shape
        (1, 2, 2, 3)
    """
    return _largest("adaptive_max_pool2d", 2, x, output_size, return_indices)


@either_order(channels=-4)
def adaptive_max_pool3d(x: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest of so many windows of (N, C, D, H, W). As :func:`adaptive_max_pool2d`.

    Example:
        >>> tg.adaptive_max_pool3d(tg.ones((1, 2, 5, 7, 4)), (2, 3, 4)).shape
        (1, 2, 2, 3, 4)
    """
    return _largest("adaptive_max_pool3d", 3, x, output_size, return_indices)


# -- one for each channel --------------------------------------------------------------------------------------


@either_order(channels=-2)
def global_avg_pool1d(x: Any) -> Tensor:
    """The average of each channel: (N, C, L) becomes (N, C, 1).

    Example:
        >>> tg.global_avg_pool1d(tg.ones((1, 2, 7))).shape
        (1, 2, 1)
    """
    return mean(_require_axes("global_avg_pool1d", 1, x), axis=(-1,), keepdims=True)


@either_order(channels=-3)
def global_avg_pool2d(x: Any) -> Tensor:
    """The average of each channel: (N, C, H, W) becomes (N, C, 1, 1).

    Source: Lin, Chen and Yan, "Network In Network", 2013.

    Example:
        >>> tg.global_avg_pool2d(tg.ones((1, 2, 5, 7))).shape
        (1, 2, 1, 1)
    """
    return mean(_require_axes("global_avg_pool2d", 2, x), axis=(-2, -1), keepdims=True)


@either_order(channels=-4)
def global_avg_pool3d(x: Any) -> Tensor:
    """The average of each channel: (N, C, D, H, W) becomes (N, C, 1, 1, 1).

    Example:
        >>> tg.global_avg_pool3d(tg.ones((1, 2, 5, 7, 4))).shape
        (1, 2, 1, 1, 1)
    """
    return mean(_require_axes("global_avg_pool3d", 3, x), axis=(-3, -2, -1), keepdims=True)


@either_order(channels=-2)
def global_max_pool1d(x: Any) -> Tensor:
    """The largest of each channel: (N, C, L) becomes (N, C, 1). As :func:`global_max_pool2d`.

    Example:
        >>> tg.global_max_pool1d(tg.ones((1, 2, 7))).shape
        (1, 2, 1)
    """
    return _largest("global_max_pool1d", 1, x, 1, False)


@either_order(channels=-3)
def global_max_pool2d(x: Any) -> Tensor:
    """The largest of each channel: (N, C, H, W) becomes (N, C, 1, 1). Of equal ones the first has the gradient.

    Example:
        >>> tg.global_max_pool2d(tg.ones((1, 2, 5, 7))).shape
        (1, 2, 1, 1)
    """
    return _largest("global_max_pool2d", 2, x, 1, False)


@either_order(channels=-4)
def global_max_pool3d(x: Any) -> Tensor:
    """The largest of each channel: (N, C, D, H, W) becomes (N, C, 1, 1, 1). As :func:`global_max_pool2d`.

    Example:
        >>> tg.global_max_pool3d(tg.ones((1, 2, 5, 7, 4))).shape
        (1, 2, 1, 1, 1)
    """
    return _largest("global_max_pool3d", 3, x, 1, False)
