"""Convolution with fewer products: Winograd's minimal filtering, for kernels of 2 to 5 taps and stride 1.

An output tile of ``m`` elements under a kernel of ``r`` taps is made of ``t = m + r - 1`` inputs. Multiplied out, that
takes ``m * r`` products. Seen as polynomials, the tile and the kernel are determined by their values at ``t`` points,
and their product by the ``t`` products of these values. With ``t = 6`` and in two dimensions, that is 36 products for
what takes 144 with a kernel of 3x3, or 100 with one of 5x5. To evaluate and to interpolate are small fixed matrices::

    y = a.T @ ((g @ w) * (b.T @ x))        along each axis

and over two axes at once their Kronecker products: three matrix products, around one for each of the 36 places, which
sums over the channels.

The transpose in ``weight`` is a convolution of the same kind, with tiles of ``r`` outputs under ``m`` taps: the places
of all tiles are summed up before the last transform.

The points 0, 1, -1, 2, -2 and infinity make the matrices small numbers, yet what comes out has larger rounding errors
than sums of products in their order: about 1e-5 of the largest value in float32.

Sources: Winograd, *Arithmetic complexity of computations*, 1980; Lavin and Gray, *Fast algorithms for convolutional
neural networks*, 2016.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, reduce
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorgrad import threads
from tensorgrad.backend import Array
from tensorgrad.kernels import settings
from tensorgrad.kernels.geometry import Index, Pairs, Sizes, output_shape

POINTS = (0, 1, -1, 2, -2)
"""And infinity."""
TILE = len(POINTS) + 1
TILES = 64
"""Tiles to transform at a time at least, or the products are too narrow."""


class Transforms(NamedTuple):
    """The matrices for tiles of some outputs under a kernel of some taps, along all axes at once."""

    kernel: Array
    """``(places, taps)``"""
    tile: Array
    """``(places, places)``"""
    outputs: Array
    """``(outputs, places)``"""


@cache
def transforms(kernel: Sizes) -> Transforms:
    """The transforms for kernels of this shape, in float32; computed in float64.

    Along an axis with ``r`` taps, and the finite points ``p``: the kernel's row for a point is its powers up to
    ``r - 1``, divided by the product of its differences to the other points; the outputs' column is its powers up to
    ``m - 1``; the tile's row is the coefficients of the polynomial whose roots are the other points. Infinity stands
    for the leading coefficient.
    """
    axes = [_along_axis(r) for r in kernel]
    together = [reduce(np.kron, matrices).astype(np.float32) for matrices in zip(*axes, strict=True)]
    return Transforms(*together)


def _along_axis(taps: int) -> tuple[Array, Array, Array]:
    outputs = TILE + 1 - taps
    points = np.array(POINTS, dtype=np.float64)
    kernel, tile = np.zeros((TILE, taps)), np.zeros((TILE, TILE))
    products = np.zeros((outputs, TILE))
    for row, point in enumerate(points):
        others = np.delete(points, row)
        kernel[row] = point ** np.arange(taps) / np.prod(point - others)
        tile[row, :-1] = np.poly(others)[::-1]
        products[:, row] = point ** np.arange(outputs)
    kernel[-1, -1] = products[-1, -1] = 1
    tile[-1] = np.poly(points)[::-1]
    return kernel, tile, products


def convolution(x: Array, weight: Array, *, padding: Pairs) -> Array:
    """The convolution of float32 arrays with stride 1 (:func:`tensorgrad.kernels.reference.convolution`)."""
    kernel, out = weight.shape[2:], _outputs(x, weight.shape[2:], padding)
    matrices = transforms(kernel)
    y = np.empty((len(x), len(weight), *out), dtype=np.float32)
    taps = weight.reshape(-1, math.prod(kernel)).T
    by_place = (matrices.kernel @ taps).reshape(-1, *weight.shape[:2])

    def fill(chunk: _Chunk) -> None:
        tiles = matrices.tile @ chunk.gather(x, kernel)
        sums = by_place @ tiles.reshape(len(tiles), x.shape[1], -1)
        chunk.scatter(matrices.outputs @ sums.reshape(len(sums), -1), y, kernel)

    threads.each(fill, chunks(x.shape, len(weight), out, kernel, padding))
    return y


def convolution_weight(x: Array, y: Array, *, kernel: Sizes, padding: Pairs) -> Array:
    """The transpose in ``weight``: tiles as large as the kernel, with the outputs for taps."""
    outputs = tuple(TILE + 1 - taps for taps in kernel)
    matrices = transforms(outputs)
    places = len(matrices.tile)

    def total(pieces: Sequence[_Chunk]) -> Array:
        def product(chunk: _Chunk) -> Array:
            tiles = (matrices.tile @ chunk.gather(x, kernel)).reshape(places, x.shape[1], -1)
            taps = (matrices.kernel @ chunk.gather_outputs(y, kernel)).reshape(places, -1, y.shape[1])
            return tiles @ taps

        if not pieces:
            return np.zeros((places, x.shape[1], y.shape[1]), dtype=np.float32)
        sums = product(pieces[0])
        for chunk in pieces[1:]:
            sums += product(chunk)
        return sums

    pieces = chunks(x.shape, y.shape[1], y.shape[2:], kernel, padding)
    sums = threads.summed(total, pieces, places * x.shape[1] * y.shape[1])
    weight = (matrices.outputs @ sums.reshape(places, -1)).reshape(*kernel, x.shape[1], y.shape[1])
    return np.ascontiguousarray(np.moveaxis(weight, (-1, -2), (0, 1)))


def _outputs(x: Array, kernel: Sizes, padding: Pairs) -> Sizes:
    ones = (1,) * len(kernel)
    return output_shape(x.shape[2:], kernel, ones, padding, ones)


class _Chunk(NamedTuple):
    """Some images, and some rows of tiles in them."""

    images: slice
    tiles: Sizes
    """How many tiles along each axis."""
    start: Sizes
    """The first output, along each axis."""
    lead: Sizes
    """The first input: less than 0 where it is padding."""

    def gather(self, x: Array, kernel: Sizes) -> Array:
        """All tiles of the inputs, ``(places, C * images * tiles)``, with zeros for the padding."""
        steps = [TILE + 1 - taps for taps in kernel]
        lengths = [n * step + TILE - step for n, step in zip(self.tiles, steps, strict=True)]
        return self._tiles(self._area(x, self.lead, lengths), [TILE] * len(kernel), steps)

    def gather_outputs(self, y: Array, kernel: Sizes) -> Array:
        """All tiles of the outputs, ``(outputs, images * tiles * O)``, with zeros beyond the last."""
        steps = [TILE + 1 - taps for taps in kernel]
        lengths = [n * step for n, step in zip(self.tiles, steps, strict=True)]
        # A column more than is looked at: channels a power of two apart in memory would share one line of the cache.
        area = self._area(y, self.start, [*lengths[:-1], lengths[-1] + 1])
        return self._tiles(area, steps, steps, channels_last=True)

    def scatter(self, tiles: Array, y: Array, kernel: Sizes) -> None:
        """The inverse of :meth:`gather_outputs`: puts tiles where they belong."""
        steps = [TILE + 1 - taps for taps in kernel]
        d, images = len(kernel), self.images.stop - self.images.start
        lengths = [n * step for n, step in zip(self.tiles, steps, strict=True)]
        ends = [min(n, s + length) for n, s, length in zip(y.shape[2:], self.start, lengths, strict=True)]
        inside = y[(self.images, slice(None), *map(slice, self.start, ends))]
        whole = [end - s for end, s in zip(ends, self.start, strict=True)] == lengths
        plane = inside if whole else np.empty((images, y.shape[1], *lengths), dtype=y.dtype)
        pairs = [n for pair in zip(self.tiles, steps, strict=True) for n in pair]
        # Splitting axes of a view keeps it one.
        split = plane.reshape(*plane.shape[:2], *pairs)
        order = (*range(3, 2 * d + 2, 2), 1, 0, *range(2, 2 * d + 2, 2))
        split.transpose(order)[...] = tiles.reshape(*steps, y.shape[1], images, *self.tiles)
        if not whole:
            there: Index = (..., *(slice(n) for n in inside.shape[2:]))
            inside[...] = plane[there]

    def _area(self, x: Array, start: Sizes, lengths: list[int]) -> Array:
        """A part of the images, ``(C, images, *lengths)``, with zeros around it."""
        images = self.images.stop - self.images.start
        met = [(max(0, s), min(n, s + length)) for s, length, n in zip(start, lengths, x.shape[2:], strict=True)]
        inputs: Index = (self.images, slice(None), *(slice(*ends) for ends in met))
        inside = x[inputs].swapaxes(0, 1)
        if list(inside.shape[2:]) == lengths:
            return inside
        area = np.zeros((x.shape[1], images, *lengths), dtype=x.dtype)
        middle: Index = (..., *(slice(lo - s, hi - s) for (lo, hi), s in zip(met, start, strict=True)))
        area[middle] = inside
        return area

    def _tiles(self, area: Array, size: list[int], steps: list[int], channels_last: bool = False) -> Array:
        """Tiles of this size, so many steps apart, as rows with a place each."""
        (channel, image), along = area.strides[:2], area.strides[2:]
        shape = (area.shape[1], *self.tiles)
        strides = (image, *(step * stride for step, stride in zip(steps, along, strict=True)))
        if channels_last:
            shape, strides = (*shape, area.shape[0]), (*strides, channel)
        else:
            shape, strides = (area.shape[0], *shape), (channel, *strides)
        return as_strided(area, (*size, *shape), (*along, *strides)).reshape(math.prod(size), -1)


def chunks(shape: Sizes, channels: int, out: Sizes, kernel: Sizes, padding: Pairs) -> list[_Chunk]:
    """Cuts the tiles into chunks that fit into the workspace: those of some images, or of some rows of one."""
    steps = [TILE + 1 - taps for taps in kernel]
    tiles = [-(-o // step) for o, step in zip(out, steps, strict=True)]
    row = math.prod(tiles[1:])
    at_once = max(TILES, settings.current().elements // (TILE ** len(kernel) * max(shape[1], channels, 1)))
    rows = min(tiles[0], max(1, at_once // row))
    images = threads.fair(shape[0], max(1, at_once // (row * tiles[0])) if rows == tiles[0] else 1)
    found: list[_Chunk] = []
    for image in range(0, shape[0], images):
        for first in range(0, tiles[0], rows):
            start = (first * steps[0], *(0 for _ in steps[1:]))
            found.append(
                _Chunk(
                    slice(image, min(image + images, shape[0])),
                    (min(rows, tiles[0] - first), *tiles[1:]),
                    start,
                    tuple(s - lo for s, (lo, _) in zip(start, padding, strict=True)),
                )
            )
    return found
