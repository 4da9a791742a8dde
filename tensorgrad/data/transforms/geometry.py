"""Transforms of where things are: pads, crops, flips, rotations and other affine maps."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.backend import Array
from tensorgrad.data.transforms.images import Transform, between, draw, pick, require_float, require_probability
from tensorgrad.ops.resizing import interpolate
from tensorgrad.random import current_generator

MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


def _pair(name: str, size: Any) -> tuple[int, int]:
    try:
        height, width = map(operator.index, size if isinstance(size, (tuple, list)) else (size, size))
    except (TypeError, ValueError):
        raise TypeError(f"{name} takes a size, an integer or a pair of integers, got {size!r}.") from None
    if min(height, width) < 1:
        raise ValueError(f"{name} needs a height and a width of 1 or more, got {size}.")
    return height, width


class Pad(Transform):
    """Images with more pixels around them.

    Args:
        padding: a number for all sides, a pair (left and right, top and bottom), or left, top, right, bottom.
        fill: the number to pad with, for "constant".
        padding_mode: ``"constant"``, ``"edge"``, ``"reflect"`` or ``"symmetric"``, as of :func:`tensorgrad.pad`.

    Example:
        >>> Pad((1, 0))(np.ones((1, 1, 2)))
        array([[[0., 1., 1., 0.]]])
    """

    def __init__(self, padding: int | Sequence[int], fill: float = 0.0, padding_mode: str = "constant") -> None:
        sides = (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        sides = sides * 2 if len(sides) == 2 else sides
        if len(sides) != 4 or min(sides) < 0:
            raise ValueError(f"Pad takes a number, two or four, none negative, got {padding}.")
        if padding_mode not in MODES:
            raise ValueError(f"Pad has no mode {padding_mode!r}: use {', '.join(MODES)}.")
        self.padding, self.fill, self.padding_mode = sides, fill, padding_mode

    def apply(self, x: Array, xp: Any) -> Array:
        left, top, right, bottom = self.padding
        options = {"constant_values": self.fill} if self.padding_mode == "constant" else {}
        return xp.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode=self.padding_mode, **options)


class CenterCrop(Transform):
    """The middle of images; those that are too small are padded with zeros.

    Args:
        size: the height and the width, or one number for both.

    Example:
        >>> CenterCrop(2)(np.arange(16.0).reshape(1, 4, 4))
        array([[[ 5.,  6.],
                [ 9., 10.]]])
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = _pair("CenterCrop", size)

    def apply(self, x: Array, xp: Any) -> Array:
        h, w = self.size
        missing = [max(wanted - n, 0) for n, wanted in zip(x.shape[2:], self.size, strict=True)]
        x = xp.pad(x, [(0, 0), (0, 0), *((n // 2, (n + 1) // 2) for n in missing)])
        top, left = round((x.shape[2] - h) / 2), round((x.shape[3] - w) / 2)
        return x[:, :, top : top + h, left : left + w]


class RandomCrop(Transform):
    """A part of each image, at a random place.

    Args:
        size: the height and the width, or one number for both.
        padding: how much is added around images first; see :class:`Pad`.
        fill: the number to pad with, for "constant".
        padding_mode: as of :class:`Pad`.

    Raises:
        ValueError: for images that are smaller than that.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> RandomCrop(2)(np.arange(16.0).reshape(1, 4, 4)).shape
        (1, 2, 2)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] = 0,
        fill: float = 0.0,
        padding_mode: str = "constant",
    ) -> None:
        self.size = _pair("RandomCrop", size)
        self.pad = Pad(padding, fill, padding_mode)

    def apply(self, x: Array, xp: Any) -> Array:
        x = self.pad.apply(x, xp)
        (height, width), (h, w), n = x.shape[2:], self.size, len(x)
        if height < h or width < w:
            raise ValueError(f"RandomCrop takes no {h} x {w} pixels of images of {height} x {width}.")
        generator = current_generator()
        tops, lefts = (generator.integers(0, most + 1, (n,)) for most in (height - h, width - w))
        rows = xp.asarray(tops[:, None] + np.arange(h))
        columns = xp.asarray(lefts[:, None] + np.arange(w))
        images, channels = xp.arange(n)[:, None, None, None], xp.arange(x.shape[1])[None, :, None, None]
        return x[images, channels, rows[:, None, :, None], columns[:, None, None, :]]


class _RandomFlip(Transform):
    axis = 0

    def __init__(self, p: float = 0.5) -> None:
        self.p = require_probability(type(self).__name__, p)

    def apply(self, x: Array, xp: Any) -> Array:
        return pick(draw(len(x)) < self.p, xp.flip(x, axis=self.axis), x, xp)


class RandomHorizontalFlip(_RandomFlip):
    """Left and right exchanged, for some images.

    Args:
        p: the probability.

    Example:
        >>> RandomHorizontalFlip(1.0)(np.array([[[1.0, 2.0]]]))
        array([[[2., 1.]]])
    """

    axis = 3


class RandomVerticalFlip(_RandomFlip):
    """Top and bottom exchanged, for some images.

    Args:
        p: the probability.

    Example:
        >>> RandomVerticalFlip(1.0)(np.array([[[1.0], [2.0]]])).tolist()
        [[[2.0], [1.0]]]
    """

    axis = 2


class RandomAffine(Transform):
    """Images rotated, shifted, scaled and sheared about their centre, by random amounts.

    Pixels are interpolated between the four around each place.

    Args:
        degrees: rotations from ``-degrees`` to ``degrees``, or from a pair; counter-clockwise.
        translate: the largest shifts, across and down, as parts of the width and the height; None for none.
        scale: a pair of factors; None for none.
        shear: shears along x from ``-shear`` to ``shear`` degrees, or from a pair; None for none.
        fill: the number for what is outside of the image.

    Raises:
        ValueError: for ranges that make no sense.
        TypeError: when called with integers.

    Example:
        >>> turn = RandomAffine((90, 90))
        >>> turn(np.array([[[1.0, 2.0], [3.0, 4.0]]])).round(6)
        array([[[2., 4.],
                [1., 3.]]])
    """

    def __init__(
        self,
        degrees: float | Sequence[float] = 0.0,
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        fill: float = 0.0,
    ) -> None:
        self.degrees = between("degrees", degrees)
        self.translate = (0.0, 0.0) if translate is None else tuple(map(float, translate))
        self.scale = (1.0, 1.0) if scale is None else between("scale", tuple(scale))
        self.shear = (0.0, 0.0) if shear is None else between("shear", shear)
        self.fill = fill
        if len(self.translate) != 2 or not all(0 <= part <= 1 for part in self.translate):
            raise ValueError(f"translate is a pair of parts from 0 to 1, got {translate}.")
        if not self.scale[0] > 0:
            raise ValueError(f"scale is a pair of factors above 0, got {scale}.")

    def apply(self, x: Array, xp: Any) -> Array:
        require_float(type(self).__name__, x)
        n, (height, width) = len(x), x.shape[2:]
        angle, shear = np.radians(draw(n, *self.degrees)), np.tan(np.radians(draw(n, *self.shear)))
        scale = draw(n, *self.scale)
        parts = zip(self.translate, (width, height), strict=True)
        shifts = [np.round(draw(n, -part, part) * length) for part, length in parts]
        return sample(x, _inverse(angle, scale, shear), shifts, self.fill, xp)


def _inverse(angle: np.ndarray, scale: np.ndarray, shear: np.ndarray) -> np.ndarray:
    """(N, 2, 2) maps from where a pixel is to where it was, of (x, y) with y downwards."""
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.array([[cos, sin], [-sin, cos]]).transpose(2, 0, 1)
    shearing = np.array([[np.ones_like(shear), shear], [np.zeros_like(shear), np.ones_like(shear)]]).transpose(2, 0, 1)
    return np.linalg.inv(scale[:, None, None] * rotation @ shearing)


def sample(x: Array, maps: np.ndarray, shifts: list[np.ndarray], fill: float, xp: Any) -> Array:
    """Images at the places that affine maps about their centres lead to, interpolated.

    Args:
        x: (N, C, H, W) the images.
        maps: (N, 2, 2) from places (x, y), relative to the centre, to places in the image.
        shifts: (N,) across and (N,) down: by how much places are moved before.
        fill: the number for what is outside.
        xp: the namespace of ``x``.
    """
    n, _, height, width = x.shape
    across = np.arange(width)[None, None, :] - (width - 1) / 2 - shifts[0][:, None, None]
    down = np.arange(height)[None, :, None] - (height - 1) / 2 - shifts[1][:, None, None]
    m = maps[:, :, :, None, None]
    columns = m[:, 0, 0] * across + m[:, 0, 1] * down + (width - 1) / 2
    rows = m[:, 1, 0] * across + m[:, 1, 1] * down + (height - 1) / 2
    left, top = np.floor(columns + 1e-9), np.floor(rows + 1e-9)
    right_part, lower_part = np.maximum(columns - left, 0), np.maximum(rows - top, 0)
    images = xp.arange(n)[:, None, None]
    total: Any = 0
    for i, vertical in ((0, 1 - lower_part), (1, lower_part)):
        for j, horizontal in ((0, 1 - right_part), (1, right_part)):
            row, column = (top + i).astype(int), (left + j).astype(int)
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            row, column = (np.clip(place, 0, length - 1) for place, length in ((row, height), (column, width)))
            # (N, H, W, C): the axes of indices that are apart come first.
            values = x[images, :, xp.asarray(row), xp.asarray(column)].transpose(0, 3, 1, 2)
            values = xp.where(xp.asarray(inside)[:, None], values, x.dtype.type(fill))
            total = total + values * xp.asarray((vertical * horizontal).astype(x.dtype))[:, None]
    return total


class RandomRotation(RandomAffine):
    """Images rotated about their centre, counter-clockwise.

    Args:
        degrees: rotations from ``-degrees`` to ``degrees``, or from a pair.
        fill: the number for what is outside of the image.

    Example:
        >>> RandomRotation((180, 180))(np.array([[[1.0, 2.0], [3.0, 4.0]]])).round(6)
        array([[[4., 3.],
                [2., 1.]]])
    """

    def __init__(self, degrees: float | Sequence[float], fill: float = 0.0) -> None:
        super().__init__(degrees, fill=fill)


class RandomShift(RandomAffine):
    """Images shifted across and down, by whole pixels.

    Args:
        width: the largest shift across, as a part of the width.
        height: and down, as a part of the height.
        fill: the number for what is outside of the image.

    Example:
        >>> RandomShift(0.0, 0.0)(np.ones((1, 2, 2))).tolist()
        [[[1.0, 1.0], [1.0, 1.0]]]
    """

    def __init__(self, width: float, height: float, fill: float = 0.0) -> None:
        super().__init__(translate=(width, height), fill=fill)


class Resize(Transform):
    """Images in another size, interpolated between their pixels.

    Args:
        size: the height and the width; one number: of the shorter side, and the other in proportion.

    Raises:
        TypeError: when called with integers.

    Example:
        >>> Resize(2)(np.ones((3, 4, 6))).shape
        (3, 2, 3)
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        pair = _pair("Resize", size)
        self.size = pair if isinstance(size, (tuple, list)) else pair[0]

    def apply(self, x: Array, xp: Any) -> Array:
        from_height, from_width = x.shape[2:]
        if isinstance(self.size, int):
            part = self.size / min(from_height, from_width)
            size = tuple(max(1, math.floor(length * part)) for length in (from_height, from_width))
        else:
            size = self.size
        require_float("Resize", x)
        with no_grad():
            return interpolate(Tensor(x), size, mode="bilinear").data
