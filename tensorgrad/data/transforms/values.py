"""Transforms of what pixels are worth: scales, colours, noise, erased patches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad.backend import Array
from tensorgrad.data.transforms.images import Transform, between, draw, each, require_float, require_probability
from tensorgrad.random import current_generator

GREY = (0.299, 0.587, 0.114)
"""What red, green and blue count in brightness (ITU-R BT.601)."""


class ToFloat(Transform):
    """Integers as float32, those of 8 bits from 0 to 1; floating point numbers stay.

    Example:
        >>> ToFloat()(np.array([[[0, 255]]], np.uint8))
        array([[[0., 1.]]], dtype=float32)
    """

    def apply(self, x: Array, xp: Any) -> Array:
        if x.dtype.kind == "f":
            return x
        most = np.iinfo(x.dtype).max if x.dtype.kind in "iu" else 1
        return x.astype(np.float32) / np.float32(most)


class Normalize(Transform):
    """Each channel less its mean, divided by its standard deviation.

    Args:
        mean: a number, or one for each channel.
        std: a number, or one for each channel; not 0.

    Raises:
        TypeError: when called with integers.

    Example:
        >>> Normalize([1.0, 2.0], [2.0, 4.0])(np.full((2, 1, 1), 4.0)).flatten()
        array([1.5, 0.5])
    """

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        self.mean = np.atleast_1d(np.asarray(mean, np.float64)).tolist()
        self.std = np.atleast_1d(np.asarray(std, np.float64)).tolist()
        if 0 in self.std:
            raise ValueError(f"Normalize divides by std, got {std}.")

    def apply(self, x: Array, xp: Any) -> Array:
        require_float("Normalize", x)
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, x.shape[1]):
                raise ValueError(f"Normalize has {len(values)} numbers as {name}, for {x.shape[1]} channels.")
        mean, std = (xp.asarray(np.array(v, x.dtype)).reshape((-1, 1, 1)) for v in (self.mean, self.std))
        return (x - mean) / std


class GaussianNoise(Transform):
    """Pixels with normal noise added to each.

    Args:
        sigma: the standard deviation.
        clip: whether the sum is kept between 0 and 1.

    Raises:
        TypeError: when called with integers.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> bool(np.abs(GaussianNoise(0.1)(np.zeros((1, 9, 9)))).max() < 0.5)
        True
    """

    def __init__(self, sigma: float = 0.1, clip: bool = False) -> None:
        if not sigma >= 0:
            raise ValueError(f"GaussianNoise needs a sigma of 0 or more, got {sigma}.")
        self.sigma, self.clip = sigma, clip

    def apply(self, x: Array, xp: Any) -> Array:
        require_float("GaussianNoise", x)
        noise = current_generator().normal(x.shape, np.float32, std=self.sigma)
        out = x + xp.asarray(np.asarray(noise).astype(x.dtype))
        return xp.clip(out, 0, 1) if self.clip else out


class RandomErasing(Transform):
    """A rectangle of some images replaced.

    Source: Zhong et al., *Random erasing data augmentation* (2020).

    Args:
        p: the probability.
        scale: the least and the largest part of the area that is erased.
        ratio: the least and the largest height of the rectangle over its width.
        value: the number that is put there, or ``"random"`` for normal noise.

    Raises:
        TypeError: when called with integers, for noise.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> int((RandomErasing(1.0, scale=(0.25, 0.25), ratio=(1.0, 1.0))(np.ones((1, 8, 8))) == 0).sum())
        16
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | str = 0.0,
    ) -> None:
        self.p = require_probability("RandomErasing", p)
        self.scale, self.ratio = between("scale", tuple(scale), least=0.0), between("ratio", tuple(ratio), least=0.0)
        if self.scale[1] > 1 or not self.ratio[0] > 0 or (isinstance(value, str) and value != "random"):
            raise ValueError(
                f"RandomErasing takes a scale from 0 to 1, a ratio above 0 and a number or 'random', got {scale}, "
                f"{ratio} and {value!r}."
            )
        self.value = value

    def apply(self, x: Array, xp: Any) -> Array:
        if self.value == "random":
            require_float("RandomErasing", x)
        n, channels, height, width = x.shape
        chosen = draw(n) < self.p
        areas = height * width * draw(n, *self.scale)
        ratios = np.exp(draw(n, *np.log(self.ratio).tolist()))
        places = np.stack([draw(n), draw(n)])
        out = x.copy()
        for i in np.flatnonzero(chosen):
            h = min(max(1, round(math.sqrt(areas[i] * ratios[i]))), height)
            w = min(max(1, round(math.sqrt(areas[i] / ratios[i]))), width)
            top, left = int(places[0, i] * (height - h + 1)), int(places[1, i] * (width - w + 1))
            value: Any = self.value
            if value == "random":
                value = xp.asarray(np.asarray(current_generator().normal((channels, h, w))).astype(x.dtype))
            out[i, :, top : top + h, left : left + w] = value
        return out


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed by random amounts, in a random order.

    Pixels are floating point numbers from 0 to 1, and stay there.

    Args:
        brightness: factors from ``1 - brightness`` to ``1 + brightness``, or from a pair.
        contrast: the same, for the distance from the image's mean grey.
        saturation: the same, for the distance of each pixel from its grey; needs 3 channels.
        hue: shifts from ``-hue`` to ``hue``, or from a pair, as parts of the colour circle, at most 0.5; needs 3
            channels.

    Raises:
        ValueError: for ranges that make no sense; when called, for images without colours.
        TypeError: when called with integers.

    Example:
        >>> ColorJitter(brightness=(0.5, 0.5))(np.ones((1, 1, 2)))
        array([[[0.5, 0.5]]])
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0.0,
        contrast: float | Sequence[float] = 0.0,
        saturation: float | Sequence[float] = 0.0,
        hue: float | Sequence[float] = 0.0,
    ) -> None:
        self.brightness = between("brightness", brightness, 1.0, 0.0)
        self.contrast = between("contrast", contrast, 1.0, 0.0)
        self.saturation = between("saturation", saturation, 1.0, 0.0)
        self.hue = between("hue", hue)
        if max(map(abs, self.hue)) > 0.5:
            raise ValueError(f"hue is at most 0.5, half of the colour circle, got {hue}.")

    def apply(self, x: Array, xp: Any) -> Array:
        require_float("ColorJitter", x)
        changes: list[tuple[Callable[..., Array], tuple[float, float], float]] = [
            (_brighten, self.brightness, 1.0),
            (_contrast, self.contrast, 1.0),
            (_saturate, self.saturation, 1.0),
            (_turn_hue, self.hue, 0.0),
        ]
        for k in current_generator().permutation(len(changes)).tolist():
            change, (low, high), nothing = changes[k]
            if (low, high) != (nothing, nothing):
                x = change(x, each(draw(len(x), low, high), x, xp), xp)
        return x


def _brighten(x: Array, factor: Array, xp: Any) -> Array:
    return xp.clip(x * factor, 0, 1)


def _grey(x: Array, xp: Any) -> Array:
    """(N, 1, H, W) how bright pixels are."""
    if x.shape[1] != 3:
        return x.mean(axis=1, keepdims=True)
    return (x * xp.asarray(np.array(GREY, x.dtype)).reshape((3, 1, 1))).sum(axis=1, keepdims=True)


def _contrast(x: Array, factor: Array, xp: Any) -> Array:
    mean = _grey(x, xp).mean(axis=(2, 3), keepdims=True)
    return xp.clip(mean + (x - mean) * factor, 0, 1)


def _require_colours(x: Array) -> None:
    if x.shape[1] != 3:
        raise ValueError(f"saturation and hue are of images with 3 channels, got {x.shape[1]}.")


def _saturate(x: Array, factor: Array, xp: Any) -> Array:
    _require_colours(x)
    grey = _grey(x, xp)
    return xp.clip(grey + (x - grey) * factor, 0, 1)


def _turn_hue(x: Array, shift: Array, xp: Any) -> Array:
    """By way of hue, saturation and value (A. R. Smith, *Color gamut transform pairs*, 1978)."""
    _require_colours(x)
    red, green, blue = x[:, 0], x[:, 1], x[:, 2]
    value, least = x.max(axis=1), x.min(axis=1)
    spread = value - least
    safe = xp.where(spread > 0, spread, 1)
    hue = xp.where(
        value == red,
        (green - blue) / safe,
        xp.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = (hue / 6 + shift[:, 0]) % 1.0 * 6

    def channel(offset: int) -> Array:
        place = (hue + offset) % 6
        return value - spread * xp.clip(xp.minimum(place, 4 - place), 0, 1)

    return xp.stack([channel(5), channel(3), channel(1)], axis=1).astype(x.dtype)
