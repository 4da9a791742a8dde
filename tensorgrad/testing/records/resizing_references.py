"""Images in another size, and rows of tables, in NumPy and after their definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray


def _triangle(t: Array) -> Array:
    return np.maximum(1 - np.abs(t), 0)


def _keys(t: Array, a: float = -0.75) -> Array:
    t = np.abs(t)
    near, far = (a + 2) * t**3 - (a + 3) * t**2 + 1, a * (t**3 - 5 * t**2 + 8 * t - 4)
    return np.where(t <= 1, near, np.where(t < 2, far, 0))


def _matrix(n: int, m: int, scale: float, mode: str, align_corners: bool) -> Array:
    """What each of n old places counts at each of m new ones."""
    weights = np.zeros((m, n))
    for i in range(m):
        if mode == "area":
            first, end = i * n // m, math.ceil((i + 1) * n / m)
            weights[i, first:end] = 1 / (end - first)
        elif mode.startswith("nearest"):
            weights[i, min(math.floor((i + (mode == "nearest-exact") / 2) * scale), n - 1)] = 1
        else:
            place = i * (n - 1) / max(m - 1, 1) if align_corners else (i + 0.5) * scale - 0.5
            if mode == "bicubic":
                for j in range(-3, n + 3):
                    weights[i, min(max(j, 0), n - 1)] += _keys(np.array(place - j))
            else:
                weights[i] = _triangle(min(max(place, 0), n - 1) - np.arange(n))
    return weights


def interpolate(
    x: Array, mode: str, size: int | None = None, scale_factor: float = 1.0, align_corners: bool = False
) -> Array:
    """Along each axis a matrix."""
    for axis in range(2, x.ndim):
        n = x.shape[axis]
        m = math.floor(n * scale_factor) if size is None else size
        scale = 1 / scale_factor if size is None else n / m
        x = np.moveaxis(np.tensordot(x, _matrix(n, m, scale, mode, align_corners), (axis, 1)), -1, axis)
    return x


def pixel_shuffle(x: Array, upscale_factor: int) -> Array:
    """Pixel by pixel."""
    r = upscale_factor
    out = np.zeros((*x.shape[:-3], x.shape[-3] // r**2, x.shape[-2] * r, x.shape[-1] * r))
    for i in range(r):
        for j in range(r):
            out[..., i::r, j::r] = x[..., i * r + j :: r * r, :, :]
    return out


def pixel_unshuffle(x: Array, downscale_factor: int) -> Array:
    """Pixel by pixel."""
    r = downscale_factor
    out = np.zeros((*x.shape[:-3], x.shape[-3] * r**2, x.shape[-2] // r, x.shape[-1] // r))
    for i in range(r):
        for j in range(r):
            out[..., i * r + j :: r * r, :, :] = x[..., i::r, j::r]
    return out


def channel_shuffle(x: Array, groups: int) -> Array:
    """The first of each group, the second of each, ..."""
    each = x.shape[1] // groups
    return x[:, [group * each + i for i in range(each) for group in range(groups)]]


def embedding(weight: Array, input: Array) -> Array:
    """Rows."""
    return weight[input]


def embedding_bag(
    weight: Array, input: Array, *more: Array, names: tuple[str, ...] = (), offsets: Any = None, mode: str = "mean"
) -> Array:
    """Bag by bag."""
    weights = np.broadcast_to(1.0, input.shape) if not names else more[0]
    if offsets is not None:
        pairs = zip(np.split(input, offsets[1:]), np.split(weights, offsets[1:]), strict=True)
    else:
        pairs = zip(input, weights, strict=True)

    def one(places: Array, own: Array) -> Array:
        if not len(places):
            return np.zeros(weight.shape[1])
        return getattr(np, mode)(weight[places] * own[:, None], axis=0)

    return np.array([one(*bag) for bag in pairs]).reshape(-1, weight.shape[1])


def bilinear(x1: Array, x2: Array, weight: Array, bias: Any = 0) -> Array:
    """Output by output."""
    return np.stack([((x1 @ w) * x2).sum(axis=-1) for w in weight], axis=-1) + bias
