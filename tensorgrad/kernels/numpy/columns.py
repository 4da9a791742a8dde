"""Convolution by matrix products over unrolled windows, a cache's worth at a time: any shapes, any options.

What the kernel meets is unrolled into the columns of a matrix, with a row per channel and tap, so that one matrix
product does the work ("im2col"). What makes it quick:

- *Chunks.* Only as many columns are unrolled at a time as stay in the cache until the product reads them: those of some
  images, or of some rows of one image. This bounds the memory, too.
- *Products as they come.* Few channels make a small gradient of the weights: a small product for each tap, of outputs
  and of what it sees of the image where it lies, without unrolling.
- *Long runs.* A padded image is laid out flat. One output further is then one element further for every tap, beyond the
  end of a row too, where a few columns follow that belong to no output. So a row of the matrix is one run of memory
  and not many short ones, and these idle columns are left out of the result. With strides, the image is first cut into
  its phases (every ``stride``-th element), where neighbouring outputs are neighbours again.

In the transposes, the idle columns hold zeros and change nothing, except that where an infinity or NaN meets them, NaN
comes out: an array that is not finite may then turn more elements of its gradients into NaN than it has to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, product
from typing import Any, NamedTuple

import numpy as np

from tensorgrad import threads
from tensorgrad.backend import Array
from tensorgrad.kernels import settings
from tensorgrad.kernels.geometry import Index, Pairs, Sizes, channels_per_group, convolution_shape
from tensorgrad.kernels.numpy.products import FACE, SMALL
from tensorgrad.kernels.reference.convolution import by_group

COLUMNS = 1 << 10
"""Columns to unroll at least: a narrower product would mostly wait for the weights."""
NARROW, LOW = 32, 64
"""Matrices of less than LOW rows are quicker to multiply without being packed, if as many columns as NARROW, or better
twice as many, are multiplied at a time."""
MANY = 64
"""A product that sums over positions is quick like that if there are so many of them."""
FEW, LONG = 8, 256
"""A larger result is divided into products of so many outputs, if there are so many positions."""
FAR, CHANNELS = 1 << 19, 8
"""From so many elements on, a gradient of the weights is not added up by threads, but divided between them by channels
of the inputs, into so many parts."""
GAP, PERIOD = 16, 128
"""Elements between rows of a matrix that would lie badly: a multiple of so many apart."""
IDLE = 2
"""Up to how many columns per output a flat layout is worth it."""


def convolution(x: Array, weight: Array, *, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Array:
    """The convolution of two arrays of one dtype (:func:`tensorgrad.kernels.reference.convolution`)."""
    y_shape = convolution_shape(x.shape, weight.shape, stride, padding, dilation, groups)
    matrices = _by_group(weight, groups)
    y = np.empty(y_shape, dtype=x.dtype)

    def fill(chunk: _Chunk) -> None:
        plane = chunk.plane(x)
        outputs = chunk.new(len(weight), x.dtype)
        for some in chunk.parts:
            count = chunk.columns(some)
            columns = chunk.unroll(plane, some).reshape(groups, matrices.shape[2], count)
            _multiply(matrices, columns, out=outputs[:, some].reshape(*matrices.shape[:2], count))
        y[chunk.outputs] = chunk.drop_idle(outputs)

    threads.each(fill, [*chain(*_chunks(x.shape, y_shape, weight.shape[2:], stride, padding, dilation))])
    return y


def convolution_input(
    y: Array, weight: Array, *, spatial: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Array:
    """The transpose of the convolution in ``x`` (:func:`tensorgrad.kernels.reference.convolution_input`)."""
    x_shape = (len(y), weight.shape[1] * groups, *spatial)
    matrices = _by_group(weight, groups).mT
    # BLAS is slow where the inner dimension of the product is 1, as it is with a group per channel.
    multiply = np.multiply if matrices.shape[2] == 1 else np.matmul
    x = np.zeros(x_shape, dtype=y.dtype)

    def add(chunks: list[_Chunk]) -> None:
        for chunk in chunks:
            outputs = chunk.add_idle(y)
            plane = chunk.new_plane(x_shape[1], y.dtype)
            for some in chunk.parts:
                rows = outputs[:, some].reshape(groups, matrices.shape[2], chunk.columns(some))
                chunk.roll_up(multiply(matrices, rows), plane, some)
            x[chunk.inputs] += chunk.inner(plane)

    threads.each(add, _chunks(x_shape, y.shape, weight.shape[2:], stride, padding, dilation))
    return x


def convolution_weight(
    x: Array, y: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Array:
    """The transpose of the convolution in ``weight`` (:func:`tensorgrad.kernels.reference.convolution_weight`)."""
    weight_shape = (y.shape[1], channels_per_group(x.shape[1], groups), *kernel)
    if some := outputs_at_once(x.shape, y.shape, kernel, stride, groups):
        matrices = _by_taps(x, y, kernel, padding, dilation, some)
        if matrices is not None:
            return matrices
    if groups == 1 and math.prod(weight_shape) > FAR:
        return _by_channels(x, y, weight_shape, stride, padding, dilation)
    shape = groups, math.prod(weight_shape[1:]), weight_shape[0] // groups

    def total(chunks: Sequence[_Chunk]) -> Array:
        matrices = np.zeros(shape, dtype=y.dtype)
        for chunk in chunks:
            plane, outputs = chunk.plane(x), chunk.add_idle(y)
            for some in chunk.parts:
                count = chunk.columns(some)
                columns = chunk.unroll(plane, some).reshape(groups, shape[1], count)
                # BLAS is slow at products with a transposed right side: slower than to turn the outputs around.
                matrices += columns @ np.ascontiguousarray(outputs[:, some].reshape(groups, shape[2], count).mT)
        return matrices

    chunks = [*chain(*_chunks(x.shape, y.shape, kernel, stride, padding, dilation))]
    matrices = threads.summed(total, chunks, math.prod(shape))
    return np.ascontiguousarray(matrices.mT).reshape(weight_shape)


def outputs_at_once(x: Sizes, y: Sizes, kernel: Sizes, stride: Sizes, groups: int) -> int:
    """How many channels of the outputs a product for each tap is to have; 0 where it is no gain."""
    channels, outputs, length = x[1], y[1], math.prod(y[2:])
    if max(stride) > 1 or groups > 1 or channels < 2 or length < max(MANY, math.prod(kernel)):
        return 0
    if outputs * channels <= FACE:
        return outputs
    return FEW if not outputs % FEW and channels <= FACE // FEW // 2 and length >= LONG else 0


def _by_taps(x: Array, y: Array, kernel: Sizes, padding: Pairs, dilation: Sizes, at_once: int) -> Array | None:
    """The transpose in ``weight``, a product for each tap; None where images cannot be laid out flat."""
    ones, shape = (1,) * len(kernel), (y.shape[1] // at_once, *kernel, at_once, x.shape[1])

    def total(chunks: Sequence[_Chunk]) -> Array:
        matrices = np.zeros(shape, dtype=y.dtype)
        for chunk in chunks:
            seen = chunk.look(chunk.plane(x), slice(0, chunk.images), chunk.layout.looks[0])
            seen = np.moveaxis(seen.reshape(len(seen), *kernel, *seen.shape[-2:]), (-2, 0), (0, -1))
            outputs = chunk.add_idle(y).reshape(shape[0], at_once, chunk.images, *ones, seen.shape[-2])
            products = np.matmul(outputs.transpose(2, 0, *range(3, outputs.ndim - 1), 1, -1), seen[:, None])
            matrices += np.add.reduce(products, axis=0)
        return matrices

    most = min(SMALL // (at_once * shape[-1]), max(COLUMNS, settings.current().elements // max(x.shape[1], y.shape[1])))
    chunks = _cut_up(max(1, most), 1, x.shape, y.shape, kernel, ones, padding, dilation)
    if not all(chunk.layout.flat for some in chunks for chunk in some):
        return None
    matrices = threads.summed(total, [*chain(*chunks)], math.prod(shape))
    kernels = np.moveaxis(matrices, (-2, -1), (1, 2)).reshape(y.shape[1], x.shape[1], *kernel)
    return np.ascontiguousarray(kernels)


def _by_channels(x: Array, y: Array, weight_shape: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Array:
    """The transpose in ``weight``, if that is large: some channels of the inputs at a time, for to add up is dear."""
    weight = np.zeros((*weight_shape[:2], math.prod(weight_shape[2:])), dtype=y.dtype)
    step = -(-x.shape[1] // CHANNELS)

    def fill(start: int) -> None:
        part = x[:, start : start + step]
        matrix = weight[:, start : start + step].reshape(len(weight), -1)
        begun = False
        for chunk in chain(*_chunks(part.shape, y.shape, weight_shape[2:], stride, padding, dilation)):
            plane, outputs = chunk.plane(part), chunk.add_idle(y)
            for some in chunk.parts:
                count = chunk.columns(some)
                columns = chunk.unroll(plane, some).reshape(matrix.shape[1], count)
                rows = outputs[:, some].reshape(len(matrix), count)
                if begun:
                    matrix += rows @ columns.T
                else:
                    np.matmul(rows, columns.T, out=matrix)
                begun = True

    threads.each(fill, range(0, x.shape[1], step))
    return weight.reshape(weight_shape)


def _by_group(weight: Array, groups: int) -> Array:
    """One matrix per group, in a memory order that BLAS takes."""
    return np.ascontiguousarray(by_group(weight.reshape(len(weight), math.prod(weight.shape[1:])), groups))


def _multiply(matrices: Array, columns: Array, out: Array) -> None:
    """``matrices @ columns``; where the matrices are low, block by block of the columns, which BLAS is better at."""
    (_, rows, inner), length = matrices.shape, columns.shape[2]
    block = SMALL // max(1, rows * inner)
    block -= block % (2 * NARROW if block >= 2 * NARROW else NARROW)
    if rows >= LOW or not 0 < block < length:
        np.matmul(matrices, columns, out=out)
        return
    whole = length // block * block

    def blocks(array: Array) -> Array:
        return array[..., :whole].reshape(*array.shape[:2], whole // block, block).swapaxes(1, 2)

    np.matmul(matrices[:, None], blocks(columns), out=blocks(out))
    if whole < length:
        np.matmul(matrices, columns[..., whole:], out=out[..., whole:])


def matrix(rows: int, length: int, dtype: np.dtype[Any]) -> Array:
    """Room for a matrix. Rows a power of two apart would share few lines of the cache, so these are a little longer."""
    gap = 0 if length % PERIOD else GAP
    return np.empty((rows, length + gap), dtype=dtype)[:, :length]


class _Span(NamedTuple):
    """Taps along one axis that are evenly spaced: some positions, each with taps that follow in the next phases."""

    taps: slice
    positions: int
    apart: int
    """How far one position is from the next, in elements of a phase."""
    phases: int


def _spans(taps: int, stride: int, dilation: int) -> list[_Span]:
    """All taps along an axis."""
    if dilation > 1:
        apart = stride // math.gcd(stride, dilation)
        return [
            _Span(slice(tap, None, apart), len(range(tap, taps, apart)), apart * dilation // stride, 1)
            for tap in range(min(taps, apart))
        ]
    whole = taps // stride * stride
    spans = [_Span(slice(0, whole), taps // stride, 1, stride), _Span(slice(whole, taps), 1, 1, taps - whole)]
    return [span for span in spans if span.positions * span.phases]


class _Look(NamedTuple):
    """A span along each axis, so that one view shows what its taps see."""

    taps: Index
    """Where they are in columns ``(C, *kernel, ...)``."""
    first: int
    """Where in a plane the first one begins."""
    counts: Sizes
    """How many there are along each axis: positions, and phases."""
    steps: Sizes
    """How many elements it is from one to the next."""
    along: Sizes
    """How many elements it is from one that a tap sees to the next."""


class _Layout(NamedTuple):
    """How padded images lie in memory while the columns are unrolled, and what of them each tap sees."""

    padded: Sizes
    """The shape of a padded image."""
    phases: Sizes
    """``(*stride, *lengths)``: the same, cut into its phases."""
    plane: Sizes
    """``phases``, or the same all flat."""
    looks: tuple[_Look, ...]
    """What the taps see of the plane."""
    kernel: Sizes
    """The shape of the kernel."""
    seen: Sizes
    """The shape of what a tap sees: ``grid``, or the same all flat."""
    grid: Sizes
    """The shape of the columns, idle ones included."""
    outputs: Index
    """Those columns of the grid that are not idle."""

    @property
    def flat(self) -> bool:
        """Whether what a tap sees is one run of memory."""
        return len(self.seen) == 1


@lru_cache(maxsize=1024)
def _layout(out: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> _Layout:
    """The layout for the windows of ``out`` outputs."""
    reach = [(k - 1) * d // s for k, s, d in zip(kernel, stride, dilation, strict=True)]
    lengths = [o + r for o, r in zip(out, reach, strict=True)]
    rows = (out[0], *lengths[1:])
    flat = math.prod(rows) <= IDLE * math.prod(out)
    if flat:
        lengths[0] += 1  # the last idle columns look beyond the last row
    phases = (*stride, *lengths)

    strides = [math.prod(phases[i + 1 :]) for i in range(len(phases))]
    by_phase, along = strides[: len(out)], strides[len(out) :]
    looks: list[_Look] = []
    for spans in product(*map(_spans, kernel, stride, dilation)):
        first = [divmod(span.taps.start * d, s) for span, d, s in zip(spans, dilation, stride, strict=True)]
        looks.append(
            _Look(
                taps=(slice(None), *(span.taps for span in spans)),
                first=sum(i * n + phase * m for (i, phase), n, m in zip(first, along, by_phase, strict=True)),
                counts=tuple(n for span in spans for n in (span.positions, span.phases)),
                steps=tuple(
                    n for span, at, m in zip(spans, along, by_phase, strict=True) for n in (span.apart * at, m)
                ),
                along=(1,) if flat else tuple(along),
            )
        )
    return _Layout(
        padded=tuple(n * s for n, s in zip(lengths, stride, strict=True)),
        phases=phases,
        plane=(math.prod(phases),) if flat else phases,
        looks=tuple(looks),
        kernel=kernel,
        seen=(math.prod(rows),) if flat else out,
        grid=rows if flat else out,
        outputs=(..., *map(slice, out)),
    )


def met(out: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> int:
    """How many columns there are for so many outputs, idle ones included."""
    return math.prod(_layout(out, kernel, stride, dilation).grid)


def runs(out: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> int:
    """In how many runs of memory lies what a tap sees of an image."""
    return 1 if _layout(out, kernel, stride, dilation).flat else math.prod(out[:-1])


class _Chunk(NamedTuple):
    """Some images, and some rows of outputs in them."""

    layout: _Layout
    images: int
    parts: tuple[slice, ...]
    """Which of its images are unrolled at a time."""
    outputs: Index
    """Where its outputs are in ``y``."""
    inputs: Index
    """Where its inputs are in ``x``."""
    inside: Index
    """Where its inputs are in the padded images."""

    def columns(self, some: slice) -> int:
        """How many columns some images have, idle ones included."""
        return (some.stop - some.start) * math.prod(self.layout.grid)

    def plane(self, x: Array) -> Array:
        """Its inputs, padded, as the taps index them: ``(C, images, *plane)``."""
        padded = np.zeros((x.shape[1], self.images, *self.layout.padded), dtype=x.dtype)
        padded[self.inside] = x[self.inputs].swapaxes(0, 1)
        return self._cut(padded)

    def look(self, plane: Array, some: slice, look: _Look) -> Array:
        """What some taps see of some images, as a view: ``(C, *counts, images, *seen)``."""
        (channel, image), item = plane.strides[:2], plane.itemsize
        shape = (len(plane), *look.counts, some.stop - some.start, *self.layout.seen)
        strides = (channel, *(item * n for n in look.steps), image, *(item * n for n in look.along))
        if not plane.size:
            return np.empty(shape, dtype=plane.dtype)
        return np.ndarray(shape, plane.dtype, plane, some.start * image + item * look.first, strides)

    def unroll(self, plane: Array, some: slice) -> Array:
        """What each tap sees of some images: ``(C, *kernel, images, *seen)``."""
        rows = len(plane) * math.prod(self.layout.kernel)
        columns = self._by_tap(matrix(rows, self.columns(some), plane.dtype), plane, some)
        for look in self.layout.looks:
            self._taps(columns, look)[...] = self.look(plane, some, look)
        return columns

    def roll_up(self, columns: Array, plane: Array, some: slice) -> None:
        """The transpose of :meth:`unroll`: adds to the planes of some images."""
        columns = self._by_tap(columns, plane, some)
        for look in self.layout.looks:
            seen, taps = self.look(plane, some, look), self._taps(columns, look)
            # What taps in other phases see does not overlap.
            for positions in product(*map(range, look.counts[::2])):
                these = (slice(None), *chain(*((position, slice(None)) for position in positions)))
                seen[these] += taps[these]

    def _by_tap(self, columns: Array, plane: Array, some: slice) -> Array:
        """A matrix of columns as ``(C, *kernel, images, *seen)``."""
        return columns.reshape(len(plane), *self.layout.kernel, some.stop - some.start, *self.layout.seen)

    def _taps(self, columns: Array, look: _Look) -> Array:
        """Those of some taps, like what they see."""
        return columns[look.taps].reshape(len(columns), *look.counts, *columns.shape[len(self.layout.kernel) + 1 :])

    def new_plane(self, channels: int, dtype: np.dtype[Any]) -> Array:
        """Zeros, to add columns to."""
        return np.zeros((channels, self.images, *self.layout.plane), dtype=dtype)

    def inner(self, plane: Array) -> Array:
        """The transpose of :meth:`plane`: an array like ``x[chunk.inputs]``."""
        return self._join(plane)[self.inside].swapaxes(0, 1)

    def new(self, channels: int, dtype: np.dtype[Any]) -> Array:
        """Room for its columns, idle ones included: ``(channels, images, *grid)``."""
        room = matrix(channels, self.images * math.prod(self.layout.grid), dtype)
        return room.reshape(channels, self.images, *self.layout.grid)

    def drop_idle(self, columns: Array) -> Array:
        """Columns as they come from a product, as an array like ``y[chunk.outputs]``."""
        return columns[self.layout.outputs].swapaxes(0, 1)

    def add_idle(self, y: Array) -> Array:
        """The transpose of :meth:`drop_idle`, with zeros in the idle columns."""
        grid = self.new(y.shape[1], y.dtype)
        grid[...] = 0
        grid[self.layout.outputs] = y[self.outputs].swapaxes(0, 1)
        return grid

    def _cut(self, padded: Array) -> Array:
        """``(C, images, *padded)`` -> ``(C, images, *plane)``."""
        d = len(self.layout.padded)
        pairs = [n for pair in zip(self.layout.phases[d:], self.layout.phases[:d], strict=True) for n in pair]
        phases_first = (0, 1, *range(3, 2 * d + 2, 2), *range(2, 2 * d + 2, 2))
        cut = padded.reshape(*padded.shape[:2], *pairs).transpose(phases_first)
        return np.ascontiguousarray(cut.reshape(*padded.shape[:2], *self.layout.plane))

    def _join(self, plane: Array) -> Array:
        """The inverse of :meth:`_cut`."""
        d = len(self.layout.padded)
        in_pairs = (0, 1, *(axis for i in range(2, d + 2) for axis in (i + d, i)))
        cut = plane.reshape(*plane.shape[:2], *self.layout.phases).transpose(in_pairs)
        return cut.reshape(*plane.shape[:2], *self.layout.padded)


def _chunks(
    x_shape: Sizes, y_shape: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> list[list[_Chunk]]:
    """Cuts the outputs into chunks of some images, or some rows of one, and these into parts: about as many elements as
    the workspace allows.

    Those of the same images are in one list: they overlap in ``x``.
    """
    rows = max(x_shape[1] * math.prod(kernel), y_shape[1], 1)
    columns = max(COLUMNS, settings.current().elements // rows)
    # A chunk's inputs and outputs may take as much again.
    together = max(1, rows // (x_shape[1] * math.prod(stride) + y_shape[1] or 1))
    return _cut_up(columns, together, x_shape, y_shape, kernel, stride, padding, dilation)


@lru_cache(maxsize=256)
def _cut_up(
    columns: int,
    together: int,
    x_shape: Sizes,
    y_shape: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Pairs,
    dilation: Sizes,
) -> list[list[_Chunk]]:
    """Chunks whose parts have about so many columns, and that have so many parts together, if there is enough."""
    images, _, *out = y_shape
    row = math.prod(_layout(tuple(out), kernel, stride, dilation).grid[1:])
    rows_at_once = min(out[0], max(1, columns // row))
    unrolled = max(1, columns // (row * rows_at_once))
    images_at_once = threads.fair(images, unrolled * together if rows_at_once == out[0] else 1)
    chunks: list[list[_Chunk]] = []
    for image in range(0, images, images_at_once):
        some = slice(image, min(image + images_at_once, images))
        count = some.stop - image
        part = -(-count // -(-count // unrolled))
        chunks.append([])
        for first in range(0, out[0], rows_at_once):
            rows = slice(first, min(first + rows_at_once, out[0]))
            layout = _layout((rows.stop - first, *out[1:]), kernel, stride, dilation)
            starts = [-lo for lo, _ in padding]
            starts[0] += first * stride[0]
            met = [_overlap(*axis) for axis in zip(starts, layout.padded, x_shape[2:], strict=True)]
            chunks[-1].append(
                _Chunk(
                    layout,
                    images=count,
                    parts=tuple(slice(start, min(start + part, count)) for start in range(0, count, part)),
                    outputs=(some, slice(None), rows),
                    inputs=(some, slice(None), *(inputs for inputs, _ in met)),
                    inside=(..., *(inside for _, inside in met)),
                )
            )
    return chunks


def _overlap(start: int, length: int, size: int) -> tuple[slice, slice]:
    """What ``start .. start + length`` shares with ``0 .. size``: counted from 0, and counted from ``start``."""
    first = max(0, start)
    last = max(first, min(start + length, size))
    return slice(first, last), slice(first - start, last - start)
