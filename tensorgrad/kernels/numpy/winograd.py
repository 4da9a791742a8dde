"""Convolution of images with fewer products: Winograd's minimal filtering, for 2 to 7 taps along an axis and stride 1.

An output tile of ``m`` elements under a kernel of ``r`` taps is made of ``t = m + r - 1`` inputs. Multiplied out, that
takes ``m * r`` products. Seen as polynomials, the tile and the kernel are determined by their values at ``t`` points,
and their product by the ``t`` products of these values. In two dimensions and with ``t = 6``, that is 36 products for
what takes 144 with a kernel of 3x3; with ``t = 8``, 64 for what takes 400 with one of 5x5. To evaluate and to
interpolate are small fixed matrices::

    y = outputs @ ((kernel @ w) * (tile @ x))        along each axis

What makes it quick is that nothing is copied. A row of pixels has several tiles, that overlap; one matrix with a band
of ``tile`` cuts them out, fills up with zeros at the edge and transforms them, all at once, and as BLAS takes its
operands transposed, it also puts the channels last: where the products need them, which sum over the channels. Columns
are next, the products, and the same way back.

The transposes in ``x`` and in ``weight`` are those of each matrix.

The points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity make the matrices small numbers, yet what comes out has larger
rounding errors than sums of products in their order: about 1e-5 of the largest value in float32. An infinity or NaN
makes NaN of all that is computed together with it, which is some rows of its image.

Sources: Winograd, *Arithmetic complexity of computations*, 1980; Lavin and Gray, *Fast algorithms for convolutional
neural networks*, 2016.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorgrad import threads
from tensorgrad.backend import Array
from tensorgrad.kernels import settings
from tensorgrad.kernels.geometry import Pairs, Sizes, output_shape
from tensorgrad.kernels.numpy import columns

POINTS = (0, 1, -1, 2, -2, 1 / 2, -1 / 2)
"""And infinity. In pairs: with 2 alone, or 1/2, errors are thrice as large."""
TAPS, SUM = 7, 1024
"""The longest kernel; and the most channels to sum over, as errors grow with their root."""
ALONG, ODD = 4, 0.03
"""Tiles to cut out of a row at a time: a longer band would have more zeros, and a shorter one make narrow products; and
what share of the work one more or less is worth."""
TILES, SUMMED = 64, 256
"""Tiles at a time at least, or the products are too narrow; and where products sum over tiles."""
ELEMENTS = 1 << 18
"""Elements of a transformed array at a time, so that they stay in the cache."""
WIDE = 256
"""Channels of some images to transform at a time, if not all tiles of an image are."""
CHANNELS = 64
"""Channels whose kernels are transformed at a time."""


class Transforms(NamedTuple):
    """The matrices along one axis."""

    kernel: Array
    """``(places, taps)``"""
    tile: Array
    """``(places, places)``"""
    outputs: Array
    """``(outputs, places)``"""


def places(taps: int) -> int:
    """How many elements a tile has, under a kernel of so many taps, and as many places where it is multiplied."""
    return 6 if taps < 5 else 8


def made(taps: int) -> int:
    """How many outputs a tile makes, along an axis with so many taps."""
    return places(taps) + 1 - taps


@cache
def transforms(taps: int) -> Transforms:
    """The transforms under a kernel of so many taps, in float64.

    With the finite points ``p``: the kernel's row for a point is its powers up to ``r - 1``, divided by the product of
    its differences to the other points; the outputs' column is its powers up to ``m - 1``; the tile's row is the
    coefficients of the polynomial whose roots are the other points. Infinity stands for the leading coefficient.
    """
    size, outputs = places(taps), made(taps)
    points = np.array(POINTS[: size - 1], dtype=np.float64)
    kernel, tile, products = np.zeros((size, taps)), np.zeros((size, size)), np.zeros((outputs, size))
    for row, point in enumerate(points):
        others = np.delete(points, row)
        kernel[row] = point ** np.arange(taps) / np.prod(point - others)
        tile[row, :-1] = np.poly(others)[::-1]
        products[:, row] = point ** np.arange(outputs)
    kernel[-1, -1] = products[-1, -1] = 1
    tile[-1] = np.poly(points)[::-1]
    return Transforms(kernel, tile, products)


def convolution(x: Array, weight: Array, *, padding: Pairs) -> Array:
    """The convolution of float32 arrays with stride 1 (:func:`tensorgrad.kernels.reference.convolution`)."""
    kernel, ones = weight.shape[2:], (1, 1)
    y = np.empty((len(x), len(weight), *output_shape(x.shape[2:], kernel, ones, padding, ones)), dtype=np.float32)
    x, kernels = np.ascontiguousarray(x), _to_places(weight.swapaxes(0, 1))

    def fill(chunk: _Chunk) -> None:
        chunk.from_places(chunk.to_places(x, chunk.inputs) @ kernels, y, chunk.outputs)

    threads.each(fill, chunks("convolution", x.shape, y.shape, kernel, padding))
    return y


def convolution_input(y: Array, weight: Array, *, spatial: Sizes, padding: Pairs) -> Array:
    """The transpose in ``x``, of images that are :func:`small`."""
    x = np.empty((len(y), weight.shape[1], *spatial), dtype=np.float32)
    y, kernels = np.ascontiguousarray(y), _to_places(weight)

    def fill(chunk: _Chunk) -> None:
        chunk.from_places(chunk.to_places(y, chunk.outputs) @ kernels, x, chunk.inputs)

    threads.each(fill, chunks("convolution_input", x.shape, y.shape, weight.shape[2:], padding))
    return x


def convolution_weight(x: Array, y: Array, *, kernel: Sizes, padding: Pairs) -> Array:
    """The transpose in ``weight``."""
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    matrix = _kernel_matrix(kernel)
    shape = len(matrix), x.shape[1], y.shape[1]

    def total(pieces: Sequence[_Chunk]) -> Array:
        def product(chunk: _Chunk) -> Array:
            return chunk.to_places(x, chunk.inputs).mT @ chunk.to_places(y, chunk.outputs)

        if not pieces:
            return np.zeros(shape, dtype=np.float32)
        sums = product(pieces[0])
        for chunk in pieces[1:]:
            sums += product(chunk)
        return sums

    pieces = chunks("convolution_weight", x.shape, y.shape, kernel, padding)
    sums = threads.summed(total, pieces, math.prod(shape))
    taps = matrix.T @ sums.reshape(len(matrix), -1)
    return np.ascontiguousarray(taps.reshape(-1, *shape[1:]).T).reshape(shape[2], shape[1], *kernel)


@lru_cache(maxsize=64)
def _kernel_matrix(kernel: Sizes) -> Array:
    """``(places, taps)``, along both axes at once."""
    return np.kron(*(transforms(taps).kernel for taps in kernel)).astype(np.float32)


def _to_places(kernels: Array) -> Array:
    """(A, B, *kernel) as ``(places, A, B)``."""
    matrix = _kernel_matrix(kernels.shape[2:])
    at_places = np.empty((len(matrix), *kernels.shape[:2]), dtype=np.float32)

    def fill(some: slice) -> None:
        taps = np.ascontiguousarray(np.moveaxis(kernels[some], (0, 1), (-2, -1)))
        np.matmul(matrix, taps.reshape(matrix.shape[1], -1), out=at_places[:, some].reshape(len(matrix), -1))

    threads.each(fill, [slice(start, start + CHANNELS) for start in range(0, len(kernels), CHANNELS)])
    return at_places


class _Side(NamedTuple):
    """What some tiles have to do with the inputs, or with the outputs."""

    column: Array
    """Transforms a column of a tile: ``(places, elements)``."""
    row: Array
    """Transforms rows of tiles, as far as they are not padding: ``(places * along, elements)``."""
    where: tuple[slice, slice]
    """Their elements, in planes (H, W), without padding."""
    lines: slice
    """Which of their rows these are,"""
    height: int
    """of how many;"""
    inside: slice
    """and which of their columns,"""
    width: int
    """of how many: those that the rows see."""


class _Chunk(NamedTuple):
    """Some images, and some tiles in them."""

    images: slice
    rows: int
    """Of tiles."""
    stretches: int
    """How many parts a row is cut into,"""
    along: int
    """with how many tiles each."""
    size: Sizes
    """How many places a tile has, along both axes."""
    step: Sizes
    """How many outputs."""
    inputs: _Side
    outputs: _Side

    @property
    def tiles(self) -> int:
        """How many there are, of all images."""
        return (self.images.stop - self.images.start) * self.rows * self.stretches * self.along

    def to_places(self, planes: Array, side: _Side) -> Array:
        """Its part of the inputs or outputs (N, C, H, W), as ``(places, tiles, C)``."""
        there, room = self._room(planes, side)
        if room is not there:
            if room.size > there.size:
                room[...] = 0
            room[..., side.inside] = there
        across = self._across(len(room), side)
        across[: side.lines.start] = across[side.lines.stop :] = 0
        np.matmul(side.row, self._stretches(room, side), out=across[side.lines])
        held = np.empty((math.prod(self.size), self.tiles, planes.shape[1]), dtype=np.float32)
        np.matmul(side.column, self._columns(across, 0, side.column.shape[1]), out=self._tiles(held))
        return held

    def from_places(self, held: Array, planes: Array, side: _Side) -> None:
        """The transpose of :meth:`to_places`, put where its part belongs; inputs that tiles share are added up."""
        there, room = self._room(planes, side)
        across, tiles, step = self._across(len(room), side), self._tiles(held), self.step[0]
        np.matmul(side.column[:, :step].T, tiles, out=self._columns(across, 0, step))
        across[self.rows * step :] = 0
        for start in range(step, side.column.shape[1], step):
            shared = side.column[:, start : start + step].T
            columns = self._columns(across, start, len(shared))
            columns += shared @ tiles
        np.matmul(across[side.lines].mT, side.row, out=self._stretches(room, side).mT)
        if room is not there:
            there[...] = room[..., side.inside]

    def _room(self, planes: Array, side: _Side) -> tuple[Array, Array]:
        """Its part of the planes, as (images * C, h, w), and room for what the rows see; the same if that will do."""
        there = planes[(self.images, slice(None), *side.where)]
        there = there.reshape(there.shape[0] * there.shape[1], *there.shape[2:])
        channels, height, width = there.shape
        if width == side.width and there.strides[0] // there.itemsize % columns.PERIOD:
            return there, there
        return there, columns.matrix(channels, height * side.width, there.dtype).reshape(channels, height, side.width)

    def _across(self, channels: int, side: _Side) -> Array:
        """Room for transformed rows, ``(height, stretches, places * along, images * C)``."""
        return np.empty((side.height, self.stretches, len(side.row), channels), dtype=np.float32)

    def _stretches(self, room: Array, side: _Side) -> Array:
        """What is transformed at a time, ``(h, stretches, elements, images * C)``, as a view."""
        if self.stretches == 1:
            return room.transpose(1, 2, 0)[:, None]
        plane, line, item = room.strides
        shape = room.shape[1], self.stretches, side.row.shape[1], len(room)
        return as_strided(room, shape, (line, self.along * self.step[1] * item, item, plane))

    def _columns(self, across: Array, start: int, length: int) -> Array:
        """The columns of tiles, or a part: ``(rows, stretches, places, length, along * images * C)``, as a view."""
        line, stretch, place, item = across.strides
        shape = self.rows, self.stretches, self.size[1], length, self.along * across.shape[3]
        strides = self.step[0] * line, stretch, self.along * place, line, item
        return np.ndarray(shape, across.dtype, across, start * line, strides)

    def _tiles(self, held: Array) -> Array:
        """The same of what is multiplied: ``(rows, stretches, places, places, along * images * C)``."""
        together = held[0].size // (self.rows * self.stretches)
        return held.reshape(*self.size, self.rows, self.stretches, together).transpose(2, 3, 1, 0, 4)


def chunks(what: str, x: Sizes, y: Sizes, kernel: Sizes, padding: Pairs) -> tuple[_Chunk, ...]:
    """Cuts the tiles of a convolution, or one of its transposes, into chunks that stay in the cache."""
    least = SUMMED if what == "convolution_weight" else TILES
    room = min(ELEMENTS, settings.current().elements) // (math.prod(map(places, kernel)) * max(x[1], y[1], 1))
    before = tuple(before for before, _ in padding)
    return _chunks(x, y, kernel, before, _along(y[3], kernel[1]), max(least, room), what == "convolution_input")


@lru_cache(maxsize=256)
def _chunks(x: Sizes, y: Sizes, kernel: Sizes, before: Sizes, along: int, most: int, whole: bool) -> tuple[_Chunk, ...]:
    """The same, of so many tiles at most, or whole images."""
    size, step = tuple(map(places, kernel)), tuple(map(made, kernel))
    rows, stretches = -(-y[2] // step[0]), -(-y[3] // (along * step[1]))
    high, wide = rows, stretches
    images = threads.fair(x[0], max(1, most // (rows * stretches * along)))
    if not whole and rows * stretches * along > most:
        images = threads.fair(x[0], max(1, WIDE // max(x[1], y[1], 1)))
        high, wide = max(1, most // (stretches * along * images)), max(1, most // (along * images))
    of_inputs, of_outputs = _bands(kernel, along)
    found = []
    for top in range(0, rows, high):
        for left in range(0, stretches, wide):
            tiles = min(high, rows - top), min(wide, stretches - left)
            starts: Sizes = top * step[0], left * along * step[1]
            lengths: Sizes = tiles[0] * step[0], tiles[1] * along * step[1]
            outputs = _side(of_outputs, y[2:], starts, lengths, tiles[1] == 1)
            starts = tuple(start - zeros for start, zeros in zip(starts, before, strict=True))
            lengths = tuple(length + taps - 1 for length, taps in zip(lengths, kernel, strict=True))
            inputs = _side(of_inputs, x[2:], starts, lengths, tiles[1] == 1)
            chunk = _Chunk(slice(0), *tiles, along, size, step, inputs, outputs)
            ends = ((image, min(image + images, x[0])) for image in range(0, x[0], images))
            found += [chunk._replace(images=slice(*each)) for each in ends]
    return tuple(found)


def _side(band: tuple[Array, Array], planes: Sizes, starts: Sizes, lengths: Sizes, at_once: bool) -> _Side:
    """The side of tiles that meet so many elements from ``starts`` on, which may be padding; with rows as a whole?"""
    (column, row), (height, width) = band, lengths
    met = [
        (min(max(0, start), size), min(max(0, start + length), size))
        for start, length, size in zip(starts, lengths, planes, strict=True)
    ]
    lines, inside = (slice(first - start, last - start) for (first, last), start in zip(met, starts, strict=True))
    if at_once:
        # Then the band begins and ends where the row does, and needs no zeros around it.
        row, width = row[:, inside], inside.stop - inside.start
        inside = slice(width)
    return _Side(column, row, (slice(*met[0]), slice(*met[1])), lines, height, inside, width)


@lru_cache(maxsize=64)
def _bands(kernel: Sizes, along: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The transforms of columns, and of rows with so many tiles: those of the inputs, and those of the outputs."""
    for_columns, for_rows = map(transforms, kernel)

    def band(row: Array) -> Array:
        (size, length), step = row.shape, made(kernel[1])
        tiles = np.zeros((size, along, (along - 1) * step + length), dtype=np.float32)
        for number in range(along):
            tiles[:, number, number * step : number * step + length] = row
        return tiles.reshape(size * along, -1)

    return (
        (for_columns.tile.astype(np.float32), band(for_rows.tile)),
        (for_columns.outputs.T.astype(np.float32), band(for_rows.outputs.T)),
    )


def _along(outputs: int, taps: int) -> int:
    """How many tiles of a row to cut out at a time: a number that leaves few over, near to ALONG."""
    tiles = -(-outputs // made(taps))
    return min(range(1, 2 * ALONG), key=lambda along: -tiles % along / tiles + ODD * abs(along - ALONG))


def small(out: Sizes, kernel: Sizes) -> bool:
    """Whether all tiles of a row are cut out at once, in an image of so many outputs."""
    return _along(out[1], kernel[1]) * made(kernel[1]) >= out[1]
