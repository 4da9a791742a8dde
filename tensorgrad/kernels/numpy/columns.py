"""Convolution by matrix products over unrolled windows, a cache's worth at a time: any shapes, any options.

What the kernel meets is unrolled into the columns of a matrix, with a row per channel and tap, so that one matrix
product does the work ("im2col"). Three things make it quick:

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
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from tensorgrad import threads
from tensorgrad.backend import Array
from tensorgrad.kernels import settings
from tensorgrad.kernels.geometry import Index, Pairs, Sizes, channels_per_group, convolution_shape, ravel
from tensorgrad.kernels.reference.convolution import by_group

COLUMNS = 1 << 10
"""Columns to unroll at least: a narrower product would mostly wait for the weights."""
SMALL, NARROW, LOW = 10**6, 64, 64
"""Products of up to so many multiplications OpenBLAS does at once, without packing the matrices first; which is quicker
for matrices of less than LOW rows, if as many columns as NARROW can be multiplied at a time."""
FACE, FEW, LONG = 1200, 8, 256
"""How many elements the result of such a product may have, if it sums over rows; into products of how many outputs a
larger one is divided, if that many positions are summed over."""
IDLE = 2
"""Up to how many columns per output a flat layout is worth it."""


def convolution(x: Array, weight: Array, *, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Array:
    """The convolution of two arrays of one dtype (:func:`tensorgrad.kernels.reference.convolution`)."""
    y_shape = convolution_shape(x.shape, weight.shape, stride, padding, dilation, groups)
    matrices = _by_group(weight, groups)
    y = np.empty(y_shape, dtype=x.dtype)

    def fill(chunk: _Chunk) -> None:
        columns = chunk.unroll(x).reshape(groups, matrices.shape[2], chunk.columns)
        y[chunk.outputs] = chunk.drop_idle(_multiply(matrices, columns), len(weight))

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
            columns = multiply(matrices, chunk.add_idle(y).reshape(groups, matrices.shape[2], chunk.columns))
            x[chunk.inputs] += chunk.roll_up(columns, x_shape[1])

    threads.each(add, _chunks(x_shape, y.shape, weight.shape[2:], stride, padding, dilation))
    return x


def convolution_weight(
    x: Array, y: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Array:
    """The transpose of the convolution in ``weight`` (:func:`tensorgrad.kernels.reference.convolution_weight`)."""
    weight_shape = (y.shape[1], channels_per_group(x.shape[1], groups), *kernel)
    if groups == max(stride) == 1 and (some := _outputs_at_once(x.shape[1], y.shape)):
        matrices = _by_taps(x, y, kernel, padding, dilation, some)
        if matrices is not None:
            return matrices
    shape = groups, math.prod(weight_shape[1:]), weight_shape[0] // groups

    def total(chunks: Sequence[_Chunk]) -> Array:
        matrices = np.zeros(shape, dtype=y.dtype)
        for chunk in chunks:
            columns = chunk.unroll(x).reshape(groups, shape[1], chunk.columns)
            # BLAS is slow at products with a transposed right side: much slower than to turn the outputs around.
            outputs = np.ascontiguousarray(chunk.add_idle(y).reshape(groups, shape[2], chunk.columns).mT)
            matrices += columns @ outputs
        return matrices

    chunks = [*chain(*_chunks(x.shape, y.shape, kernel, stride, padding, dilation))]
    matrices = threads.summed(total, chunks, math.prod(shape))
    return np.ascontiguousarray(matrices.mT).reshape(weight_shape)


def _outputs_at_once(channels: int, y_shape: Sizes) -> int:
    """Of how many channels of the outputs a product for each tap is to be; 0 where it is no gain."""
    outputs, length = y_shape[1], math.prod(y_shape[2:])
    if channels > 1 and 0 < outputs * channels <= FACE:
        return outputs
    return FEW if not outputs % FEW and 1 < channels <= FACE // FEW // 2 and length >= LONG else 0


def _by_taps(x: Array, y: Array, kernel: Sizes, padding: Pairs, dilation: Sizes, at_once: int) -> Array | None:
    """The transpose in ``weight``, a product for each tap; None where images cannot be laid out flat."""
    ones, shape = (1,) * len(kernel), (y.shape[1] // at_once, *kernel, at_once, x.shape[1])

    def total(chunks: Sequence[_Chunk]) -> Array:
        matrices = np.zeros(shape, dtype=y.dtype)
        for chunk in chunks:
            seen = np.moveaxis(chunk.look(x), (-2, 0), (0, -1))
            outputs = chunk.add_idle(y).reshape(shape[0], at_once, chunk.images, *ones, seen.shape[-2])
            products = np.matmul(outputs.transpose(2, 0, *range(3, outputs.ndim - 1), 1, -1), seen[:, None])
            matrices += np.add.reduce(products, axis=0)
        return matrices

    chunks = _cut_up(max(1, SMALL // (at_once * shape[-1])), x.shape, y.shape, kernel, ones, padding, dilation)
    if not all(chunk.layout.flat for some in chunks for chunk in some):
        return None
    matrices = threads.summed(total, [*chain(*chunks)], math.prod(shape))
    kernels = np.moveaxis(matrices, (-2, -1), (1, 2)).reshape(y.shape[1], x.shape[1], *kernel)
    return np.ascontiguousarray(kernels)


def _by_group(weight: Array, groups: int) -> Array:
    """One matrix per group, in a memory order that BLAS takes."""
    return np.ascontiguousarray(by_group(weight.reshape(len(weight), math.prod(weight.shape[1:])), groups))


def _multiply(matrices: Array, columns: Array) -> Array:
    """``matrices @ columns``; where the matrices are low, block by block of the columns, which BLAS is better at."""
    (_, rows, inner), length = matrices.shape, columns.shape[2]
    block = SMALL // max(1, rows * inner) // NARROW * NARROW
    if rows >= LOW or not 0 < block < length:
        return matrices @ columns
    product = np.empty((len(matrices), rows, length), dtype=columns.dtype)
    whole = length // block * block

    def blocks(array: Array) -> Array:
        return array[..., :whole].reshape(*array.shape[:2], whole // block, block).swapaxes(1, 2)

    np.matmul(matrices[:, None], blocks(columns), out=blocks(product))
    np.matmul(matrices, columns[..., whole:], out=product[..., whole:])
    return product


class _Layout(NamedTuple):
    """How padded images lie in memory while the columns are unrolled, and what of them each tap sees."""

    padded: Sizes
    """The shape of a padded image."""
    phases: Sizes
    """``(*stride, *lengths)``: the same, cut into its phases."""
    plane: Sizes
    """``phases``, or the same all flat: what the taps index."""
    taps: tuple[Index, ...]
    """What each tap sees of the plane."""
    steps: tuple[int, ...] | None
    """How many elements it is from one tap to the next, along each axis of the kernel; None with strides."""
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
    taps: list[Index] = []
    for tap in product(*map(range, kernel)):
        steps = [divmod(t * d, s) for t, d, s in zip(tap, dilation, stride, strict=True)]
        start, phase = zip(*steps, strict=True)
        if flat:
            first = ravel((*phase, *start), phases)
            taps.append((..., slice(first, first + math.prod(rows))))
        else:
            taps.append((..., *phase, *(slice(i, i + o) for i, o in zip(start, out, strict=True))))
    return _Layout(
        padded=tuple(n * s for n, s in zip(lengths, stride, strict=True)),
        phases=phases,
        plane=(math.prod(phases),) if flat else phases,
        taps=tuple(taps),
        steps=tuple(d * math.prod(lengths[i + 1 :]) for i, d in enumerate(dilation)) if max(stride) == 1 else None,
        kernel=kernel,
        seen=(math.prod(rows),) if flat else out,
        grid=rows if flat else out,
        outputs=(..., *map(slice, out)),
    )


def met(out: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> int:
    """How many columns there are for so many outputs, idle ones included."""
    return math.prod(_layout(out, kernel, stride, dilation).grid)


class _Chunk(NamedTuple):
    """Some images, and some rows of outputs in them."""

    layout: _Layout
    images: int
    outputs: Index
    """Where its outputs are in ``y``."""
    inputs: Index
    """Where its inputs are in ``x``."""
    inside: Index
    """Where its inputs are in the padded images."""

    @property
    def columns(self) -> int:
        """How many columns its matrices have, idle ones included."""
        return self.images * math.prod(self.layout.grid)

    def unroll(self, x: Array) -> Array:
        """What each tap sees of ``x``: ``(C, taps, images, *seen)``."""
        shape = (x.shape[1], len(self.layout.taps), self.images, *self.layout.seen)
        if self.layout.steps is not None:
            return self.look(x).reshape(shape)  # all taps in one copy
        plane = self._plane(x)
        columns = np.empty(shape, dtype=x.dtype)
        for number, tap in enumerate(self.layout.taps):
            columns[:, number] = plane[tap]
        return columns

    def look(self, x: Array) -> Array:
        """The same as a view, without strides: ``(C, *kernel, images, *seen)``."""
        assert self.layout.steps is not None
        plane = self._plane(x)
        (channel, image), along = plane.strides[:2], plane.strides[-len(self.layout.seen) :]
        steps = (step * plane.itemsize for step in self.layout.steps)
        shape = (len(plane), *self.layout.kernel, self.images, *self.layout.seen)
        return as_strided(plane, shape, (channel, *steps, image, *along))

    def _plane(self, x: Array) -> Array:
        """Its inputs, padded: ``(C, images, *plane)``."""
        padded = np.zeros((x.shape[1], self.images, *self.layout.padded), dtype=x.dtype)
        padded[self.inside] = x[self.inputs].swapaxes(0, 1)
        return self._cut(padded)

    def roll_up(self, columns: Array, channels: int) -> Array:
        """The transpose of :meth:`unroll`: an array like ``x[chunk.inputs]``."""
        columns = columns.reshape(channels, len(self.layout.taps), self.images, *self.layout.seen)
        plane = np.zeros((channels, self.images, *self.layout.plane), dtype=columns.dtype)
        for number, tap in enumerate(self.layout.taps):
            plane[tap] += columns[:, number]
        return self._join(plane)[self.inside].swapaxes(0, 1)

    def drop_idle(self, columns: Array, channels: int) -> Array:
        """Columns as they come from a product, as an array like ``y[chunk.outputs]``."""
        grid = columns.reshape(channels, self.images, *self.layout.grid)
        return grid[self.layout.outputs].swapaxes(0, 1)

    def add_idle(self, y: Array) -> Array:
        """The transpose of :meth:`drop_idle`, with zeros in the idle columns."""
        grid = np.zeros((y.shape[1], self.images, *self.layout.grid), dtype=y.dtype)
        grid[self.layout.outputs] = y[self.outputs].swapaxes(0, 1)
        return grid

    def _cut(self, padded: Array) -> Array:
        """``(C, images, *padded)`` -> ``(C, images, *plane)``."""
        d = len(self.layout.padded)
        pairs = [n for pair in zip(self.layout.phases[d:], self.layout.phases[:d], strict=True) for n in pair]
        phases_first = (0, 1, *range(3, 2 * d + 2, 2), *range(2, 2 * d + 2, 2))
        cut = padded.reshape(*padded.shape[:2], *pairs).transpose(phases_first)
        return cut.reshape(*padded.shape[:2], *self.layout.plane)

    def _join(self, plane: Array) -> Array:
        """The inverse of :meth:`_cut`."""
        d = len(self.layout.padded)
        in_pairs = (0, 1, *(axis for i in range(2, d + 2) for axis in (i + d, i)))
        cut = plane.reshape(*plane.shape[:2], *self.layout.phases).transpose(in_pairs)
        return cut.reshape(*plane.shape[:2], *self.layout.padded)


def _chunks(
    x_shape: Sizes, y_shape: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> list[list[_Chunk]]:
    """Cuts the outputs into chunks of about as many elements as the workspace allows: some images, or some rows of one.

    Those of the same images are in one list: they overlap in ``x``.
    """
    rows = max(x_shape[1] * math.prod(kernel), y_shape[1], 1)
    columns = max(COLUMNS, settings.current().elements // rows)
    return _cut_up(columns, x_shape, y_shape, kernel, stride, padding, dilation)


@lru_cache(maxsize=256)
def _cut_up(
    columns: int, x_shape: Sizes, y_shape: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes
) -> list[list[_Chunk]]:
    images, _, *out = y_shape
    row = math.prod(_layout(tuple(out), kernel, stride, dilation).grid[1:])
    rows_at_once = min(out[0], max(1, columns // row))
    images_at_once = threads.fair(images, max(1, columns // (row * rows_at_once)))
    chunks: list[list[_Chunk]] = []
    for image in range(0, images, images_at_once):
        some = slice(image, min(image + images_at_once, images))
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
                    images=some.stop - image,
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
