"""Images in another size: between their pixels, and by exchanging channels for pixels. PyTorch's names and meanings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor
from tensorgrad.ops.arguments import as_floating
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.geometry import Shape, sizes
from tensorgrad.ops.indexing import take
from tensorgrad.ops.memory_order import either_order
from tensorgrad.ops.shape import permute_dims, reshape

__all__ = ["channel_shuffle", "interpolate", "pixel_shuffle", "pixel_unshuffle"]

RANKS = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}
CUBIC = -0.75
"""The parameter of the cubic kernel of Keys, *Cubic convolution interpolation for digital image processing* (1981)."""


@either_order(channels=1)
def interpolate(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool = False,
) -> Tensor:
    """Images, sequences or volumes in another size.

    Args:
        x: floating point numbers, shape (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the new lengths of the axes after the second: a number for all, or one for each.
        scale_factor: or how many times as long they are to be, rounded down.
        mode: ``"nearest"``, ``"nearest-exact"`` (which looks from the pixels' centres), ``"linear"`` for sequences,
            ``"bilinear"`` and ``"bicubic"`` for images, ``"trilinear"`` for volumes, or ``"area"`` (means).
        align_corners: whether the centres of the outermost pixels stay where they are; False, if not given. Not for
            "nearest" and "area".
        recompute_scale_factor: whether the factor is what the new lengths, rounded down, are of the old ones.

    Returns:
        Shape (N, C, ...), with the new lengths.

    Raises:
        ValueError: if the mode does not go with the shape, or not just one of ``size`` and ``scale_factor`` is given.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> x = tg.tensor([[[0.0, 4.0]]])
        >>> tg.interpolate(x, scale_factor=2, mode="linear")
        Tensor([[[0., 1., 3., 4.]]], dtype=float32, device='cpu')
        >>> tg.interpolate(x, 3).tolist()
        [[[0.0, 0.0, 4.0]]]
    """
    x = as_floating("interpolate", x)
    _require_mode(x, mode, align_corners)
    lengths = x.shape[2:]
    if (size is None) == (scale_factor is None):
        raise ValueError(f"interpolate() needs a size or a scale_factor, got {size} and {scale_factor}.")
    if size is not None:
        wanted = sizes(size, len(lengths), "interpolate() size")
        scales = [n / m if m else 0.0 for n, m in zip(lengths, wanted, strict=True)]
    else:
        factors = [*scale_factor] if isinstance(scale_factor, (tuple, list)) else [scale_factor] * len(lengths)
        if len(factors) != len(lengths) or not all(factor > 0 for factor in factors):
            raise ValueError(f"interpolate() of shape {x.shape} takes no scale_factor {scale_factor}.")
        wanted = tuple(math.floor(n * factor) for n, factor in zip(lengths, factors, strict=True))
        exact = [1 / factor for factor in factors]
        scales = [n / m for n, m in zip(lengths, wanted, strict=True) if m] if recompute_scale_factor else exact
    if 0 in wanted or 0 in lengths or min(wanted) < 0:
        raise ValueError(f"interpolate() makes no {wanted} of {lengths}: all lengths are above 0.")
    for axis, (n, m, scale) in enumerate(zip(lengths, wanted, scales, strict=True), start=2):
        x = _along(x, axis, n, m, scale, mode, bool(align_corners))
    return x


def _require_mode(x: Tensor, mode: str, align_corners: bool | None) -> None:
    ranks = RANKS.get(mode, (3, 4, 5))
    if mode not in (*RANKS, "nearest", "nearest-exact", "area"):
        raise ValueError(f"interpolate() has no mode {mode!r}: use nearest, nearest-exact, area, {', '.join(RANKS)}.")
    if x.ndim not in ranks:
        raise ValueError(
            f"interpolate() in the mode {mode!r} takes {' or '.join(map(str, ranks))} axes (N, C, ...), got {x.shape}."
        )
    if align_corners is not None and mode not in RANKS:
        raise ValueError(f"interpolate() in the mode {mode!r} has no align_corners.")


def _along(x: Tensor, axis: int, n: int, m: int, scale: float, mode: str, align_corners: bool) -> Tensor:
    """One axis in another length: a sum of taps, each an index for each new place, and a weight."""
    places = np.arange(m)
    if mode in ("nearest", "nearest-exact"):
        source = np.floor((places + 0.5 * (mode == "nearest-exact")) * scale)
        return take(x, np.minimum(source, n - 1).astype(int).tolist(), axis=axis)
    if mode == "area":
        first, end = places * n // m, -(-(places + 1) * n // m)
        width = end - first
        taps = [(np.minimum(first + k, n - 1), (k < width) / width) for k in range(int(width.max()))]
    else:
        if align_corners:
            source = places * ((n - 1) / (m - 1) if m > 1 else 0.0)
        else:
            source = (places + 0.5) * scale - 0.5
        if mode != "bicubic":
            source = np.maximum(source, 0)
        low = np.floor(source)
        part = source - low
        weights = _cubic(part) if mode == "bicubic" else {0: 1 - part, 1: part}
        taps = [(np.clip(low + k, 0, n - 1).astype(int), weight) for k, weight in weights.items()]
    shape = (m,) + (1,) * (x.ndim - axis - 1)
    total: Any = None
    for index, weight in taps:
        factor = asarray(weight.reshape(shape), dtype=x.dtype, device=x.device)
        term = take(x, index.tolist(), axis=axis) * factor
        total = term if total is None else total + term
    return total


def _cubic(part: np.ndarray) -> dict[int, np.ndarray]:
    """What the two pixels on both sides count, at a part of the way between the inner ones."""

    def near(t: np.ndarray) -> np.ndarray:
        return ((CUBIC + 2) * t - (CUBIC + 3)) * t * t + 1

    def far(t: np.ndarray) -> np.ndarray:
        return ((CUBIC * t - 5 * CUBIC) * t + 8 * CUBIC) * t - 4 * CUBIC

    return {-1: far(part + 1), 0: near(part), 1: near(1 - part), 2: far(2 - part)}


# -- channels and pixels ---------------------------------------------------------------------------------------


def _split(name: str, x: Any, parts: int, what: str) -> tuple[Tensor, Shape]:
    x = asarray(x)
    if x.ndim < 3 or parts < 1:
        raise ValueError(f"{name}() takes images (..., C, H, W) and {what} of 1 or more, got {x.shape} and {parts}.")
    return x, x.shape[:-3]


@either_order(channels=-3)
def pixel_shuffle(x: Any, upscale_factor: int) -> Tensor:
    """Channels as pixels: each r x r of them as a square of one channel.

    Source: Shi et al., *Real-time single image and video super-resolution using an efficient sub-pixel convolutional
    neural network* (2016).

    Args:
        x: shape (..., C * r * r, H, W).
        upscale_factor: r.

    Returns:
        Shape (..., C, H * r, W * r).

    Raises:
        ValueError: if the channels are no multiple of r * r.

    Example:
        >>> tg.pixel_shuffle(tg.tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]), 2)
        Tensor([[[1., 2.],
                 [3., 4.]]], dtype=float32, device='cpu')
    """
    r = upscale_factor
    x, lead = _split("pixel_shuffle", x, r, "an upscale_factor")
    channels, height, width = x.shape[-3:]
    if channels % (r * r):
        raise ValueError(f"pixel_shuffle() by {r} needs a multiple of {r * r} channels, got shape {x.shape}.")
    k, n = channels // (r * r), len(lead)
    x = reshape(x, (*lead, k, r, r, height, width))
    x = permute_dims(x, (*range(n + 1), n + 3, n + 1, n + 4, n + 2))
    return reshape(x, (*lead, k, height * r, width * r))


@either_order(channels=-3)
def pixel_unshuffle(x: Any, downscale_factor: int) -> Tensor:
    """Pixels as channels: undoes :func:`pixel_shuffle`.

    Args:
        x: shape (..., C, H * r, W * r).
        downscale_factor: r.

    Returns:
        Shape (..., C * r * r, H, W).

    Raises:
        ValueError: if the height or the width is no multiple of r.

    Example:
        >>> tg.pixel_unshuffle(tg.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2).squeeze()
        Tensor([1., 2., 3., 4.], dtype=float32, device='cpu')
    """
    r = downscale_factor
    x, lead = _split("pixel_unshuffle", x, r, "a downscale_factor")
    channels, height, width = x.shape[-3:]
    if height % r or width % r:
        raise ValueError(f"pixel_unshuffle() by {r} needs a height and a width that are multiples, got {x.shape}.")
    n = len(lead)
    x = reshape(x, (*lead, channels, height // r, r, width // r, r))
    x = permute_dims(x, (*range(n + 1), n + 2, n + 4, n + 1, n + 3))
    return reshape(x, (*lead, channels * r * r, height // r, width // r))


@either_order(channels=1)
def channel_shuffle(x: Any, groups: int) -> Tensor:
    """The channels of all groups by turns: the first of each, the second of each, ...

    Source: Zhang et al., *ShuffleNet* (2018).

    Args:
        x: shape (N, C, ...).
        groups: how many, a divisor of C.

    Raises:
        ValueError: if the channels are no multiple of the groups.

    Example:
        >>> tg.channel_shuffle(tg.tensor([[[1.0], [2.0], [3.0], [4.0]]]), 2).squeeze()
        Tensor([1., 3., 2., 4.], dtype=float32, device='cpu')
    """
    x = asarray(x)
    if x.ndim < 3 or groups < 1 or x.shape[1] % groups:
        raise ValueError(f"channel_shuffle() takes an input (N, C, ...), C a multiple of {groups}; got {x.shape}.")
    n, channels, *rest = x.shape
    x = reshape(x, (n, groups, channels // groups, *rest))
    return reshape(permute_dims(x, (0, 2, 1, *range(3, x.ndim))), (n, channels, *rest))
