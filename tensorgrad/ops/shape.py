"""The same elements in another shape or order, each op beside its derivative."""

from __future__ import annotations

import itertools
import math
import operator

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.casting import as_operand, as_operands, clone
from tensorgrad.ops.geometry import integers, normalize_axis
from tensorgrad.ops.indexing import getitem, take
from tensorgrad.ops.logic import where

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flatten",
    "flip",
    "matrix_transpose",
    "moveaxis",
    "pad",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "tril",
    "triu",
    "unstack",
]


@op
def reshape(x, /, shape, *, xp):
    """The same elements, in the same order (the last axis runs fastest), in another shape.

    Args:
        x: an array of any shape.
        shape: an integer or a tuple of them; one may be -1, which is then what is left.

    Raises:
        ValueError: if the number of elements differs.

    Example:
        >>> tg.reshape(tg.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
        Tensor([[1., 2.],
                [3., 4.]], dtype=float32, device='cpu')
    """
    return xp.reshape(x, shape)


@reshape.vjp("x")
def _(g, x_shape, xp):
    return xp.reshape(g, x_shape)


def flatten(x, /, start_dim=0, end_dim=-1):
    """The axes from ``start_dim`` to ``end_dim`` (both included) as one.

    Example:
        >>> tg.flatten(tg.zeros((2, 3, 4)), start_dim=1).shape
        (2, 12)
    """
    x = as_operand(x)
    if x.ndim == 0:
        return reshape(x, (1,))
    (start,), (end,) = normalize_axis(start_dim, x.ndim), normalize_axis(end_dim, x.ndim)
    if start > end:
        raise ValueError(f"flatten() from axis {start_dim} to {end_dim}: the first lies behind the last.")
    return reshape(x, (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))


@op
def permute_dims(x, /, axes, *, xp):
    """The axes in another order: axis ``i`` of the result is axis ``axes[i]`` of ``x``.

    Example:
        >>> tg.permute_dims(tg.zeros((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    return xp.permute_dims(x, axes)


@permute_dims.vjp("x")
def _(g, axes, x_shape, xp):
    axes = normalize_axis(axes, len(x_shape))
    return xp.permute_dims(g, tuple(sorted(range(len(axes)), key=axes.__getitem__)))


def moveaxis(x, source, destination, /):
    """Axes moved to other places; the others keep their order.

    Example:
        >>> tg.moveaxis(tg.zeros((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    x = as_operand(x)
    sources, destinations = normalize_axis(source, x.ndim), normalize_axis(destination, x.ndim)
    if len(sources) != len(destinations):
        raise ValueError(f"moveaxis() got {len(sources)} axes to move and {len(destinations)} places for them.")
    order = [i for i in range(x.ndim) if i not in sources]
    for place, axis in sorted(zip(destinations, sources, strict=True)):
        order.insert(place, axis)
    return permute_dims(x, tuple(order))


def swapaxes(x, axis1, axis2, /):
    """Two axes exchanged.

    Example:
        >>> tg.swapaxes(tg.zeros((2, 3, 4)), 0, 2).shape
        (4, 3, 2)
    """
    x = as_operand(x)
    order = list(range(x.ndim))
    (first,), (second,) = normalize_axis(axis1, x.ndim), normalize_axis(axis2, x.ndim)
    order[first], order[second] = second, first
    return permute_dims(x, tuple(order))


def matrix_transpose(x, /):
    """The last two axes exchanged.

    Example:
        >>> tg.matrix_transpose(tg.zeros((2, 3, 4))).shape
        (2, 4, 3)
    """
    x = as_operand(x)
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose() needs at least 2 axes, got shape {tuple(x.shape)}.")
    return swapaxes(x, -1, -2)


def transpose(x, /, axes=None):
    """The axes in the order ``axes``, or reversed.

    Example:
        >>> tg.transpose(tg.zeros((2, 3, 4))).shape
        (4, 3, 2)
    """
    x = as_operand(x)
    return permute_dims(x, tuple(range(x.ndim))[::-1] if axes is None else tuple(axes))


def expand_dims(x, /, axis=0):
    """New axes of length 1 at the places ``axis`` of the result.

    Example:
        >>> tg.expand_dims(tg.zeros((2, 3)), -1).shape
        (2, 3, 1)
    """
    x = as_operand(x)
    count = x.ndim + (len(axis) if isinstance(axis, (tuple, list)) else 1)
    new = normalize_axis(axis, count)
    lengths = iter(x.shape)
    return reshape(x, tuple(1 if i in new else next(lengths) for i in range(count)))


def squeeze(x, /, axis=None):
    """Without the axes of length 1 named by ``axis``, or without all of them.

    Raises:
        ValueError: if an axis that is named has another length.

    Example:
        >>> tg.squeeze(tg.zeros((1, 3, 1)), 0).shape
        (3, 1)
    """
    x = as_operand(x)
    gone = [i for i in normalize_axis(axis, x.ndim) if axis is not None or x.shape[i] == 1]
    for i in gone:
        if x.shape[i] != 1:
            raise ValueError(f"squeeze() of axis {i}, whose length is {x.shape[i]} and not 1, in shape {x.shape}.")
    return reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in gone))


@op
def broadcast_to(x, /, shape, *, xp):
    """``x`` repeated along new axes and along those of length 1. Uses no memory: a read-only view.

    Example:
        >>> tg.broadcast_to(tg.tensor([1.0, 2.0]), (2, 2))
        Tensor([[1., 2.],
                [1., 2.]], dtype=float32, device='cpu')
    """
    return xp.broadcast_to(x, shape)


@broadcast_to.vjp("x")
def _(g):
    return g


def broadcast_arrays(*arrays):
    """The arrays in the shape that they have together.

    Example:
        >>> [x.shape for x in tg.broadcast_arrays(tg.zeros((3, 1)), tg.zeros(2))]
        [(3, 2), (3, 2)]
    """
    tensors = as_operands(arrays)
    shape = broadcast_shapes(*(x.shape for x in tensors))
    return [broadcast_to(x, shape) for x in tensors]


def broadcast_shapes(*shapes):
    """The shape that arrays of these shapes have together.

    Example:
        >>> tg.broadcast_shapes((3, 1), (2,))
        (3, 2)
    """
    return backend.NUMPY.xp.broadcast_shapes(*shapes)


# -- joining and splitting -------------------------------------------------------------------------------------


@op
def _concat(*arrays, axis, xp):
    return xp.concatenate(arrays, axis=axis)


@_concat.vjp("arrays")
def _(g, arrays_shape, axis):
    pieces, start = [], 0
    before = (slice(None),) * (axis % g.ndim)
    for shape in arrays_shape:
        stop = start + shape[axis]
        pieces.append(g[(*before, slice(start, stop))])
        start = stop
    return pieces


def concat(arrays, /, *, axis=0):
    """Arrays joined along an axis; of None, flattened first.

    Args:
        arrays: a sequence of arrays whose other axes agree.
        axis: which axis.

    Example:
        >>> tg.concat([tg.tensor([1.0, 2.0]), tg.tensor([3.0])])
        Tensor([1., 2., 3.], dtype=float32, device='cpu')
    """
    arrays = as_operands(arrays)
    if not arrays:
        raise ValueError("concat() needs at least one array.")
    if axis is None:
        arrays, axis = [reshape(x, -1) for x in arrays], 0
    return _concat(*arrays, axis=axis)


def stack(arrays, /, *, axis=0):
    """Arrays of one shape joined along a new axis.

    Example:
        >>> tg.stack([tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0])])
        Tensor([[1., 2.],
                [3., 4.]], dtype=float32, device='cpu')
    """
    arrays = as_operands(arrays)
    if not arrays:
        raise ValueError("stack() needs at least one array.")
    if len({tuple(x.shape) for x in arrays}) > 1:
        raise ValueError(f"stack() needs arrays of one shape, got {[tuple(x.shape) for x in arrays]}.")
    return _concat(*(expand_dims(x, axis) for x in arrays), axis=axis)


def unstack(x, /, *, axis=0):
    """The slices along an axis, as a tuple of arrays without it.

    Example:
        >>> tg.unstack(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))[1]
        Tensor([3., 4.], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    (axis,) = normalize_axis(axis, x.ndim)
    return tuple(getitem(x, (slice(None),) * axis + (i,)) for i in range(x.shape[axis]))


def split(x, /, indices_or_sections, *, axis=0):
    """Pieces along an axis, as NumPy's ``split``: so many equal ones, or cut before the indices given.

    Example:
        >>> [piece.shape for piece in tg.split(tg.zeros(7), [2, 5])]
        [(2,), (3,), (2,)]
    """
    x = as_operand(x)
    (axis,) = normalize_axis(axis, x.ndim)
    length = x.shape[axis]
    sections = integers(indices_or_sections)
    if isinstance(sections, tuple):
        cuts = [0, *sections, length]
    else:
        if sections < 1 or length % sections:
            raise ValueError(f"split() of an axis of length {length} into {sections} equal pieces is not possible.")
        cuts = list(range(0, length + 1, length // sections)) if length else [0] * (sections + 1)
    before = (slice(None),) * axis
    return [getitem(x, (*before, slice(start, stop))) for start, stop in itertools.pairwise(cuts)]


# -- order and repetition --------------------------------------------------------------------------------------


@op
def flip(x, /, *, axis=None, xp):
    """The order of elements reversed along an axis, several, or all of them.

    Example:
        >>> tg.flip(tg.tensor([1.0, 2.0, 3.0]))
        Tensor([3., 2., 1.], dtype=float32, device='cpu')
    """
    return xp.flip(x, axis=axis)


@flip.vjp("x")
def _(g, axis, xp):
    return xp.flip(g, axis=axis)


@op
def roll(x, /, shift, *, axis=None, xp):
    """Elements moved along an axis by ``shift`` places; what falls off the end comes in at the front.

    Example:
        >>> tg.roll(tg.tensor([1.0, 2.0, 3.0]), 1)
        Tensor([3., 1., 2.], dtype=float32, device='cpu')
    """
    return xp.roll(x, integers(shift), axis=axis)


@roll.vjp("x")
def _(g, shift, axis, xp):
    shift = integers(shift)
    return xp.roll(g, -shift if isinstance(shift, int) else tuple(-n for n in shift), axis=axis)


@op
def _pad_constant(x, /, pad_width, value, *, xp):
    return xp.pad(x, pad_width, mode="constant", constant_values=value)


@_pad_constant.vjp("x")
def _(g, x_shape, pad_width):
    return g[tuple(slice(before, before + n) for (before, _), n in zip(pad_width, x_shape, strict=True))]


def pad(x, /, pad_width, mode="constant", constant_values=0):
    """``x`` with more elements around it.

    Args:
        x: an array of any shape.
        pad_width: how many before and after: a number for all axes, a pair for all axes, or a pair for each axis.
        mode: ``"constant"``, ``"edge"`` (repeats the outermost), ``"reflect"`` (mirrors, the outermost once),
            ``"symmetric"`` (mirrors, the outermost twice) or ``"wrap"`` (goes round).
        constant_values: the number to pad with, for ``"constant"``.

    Example:
        >>> tg.pad(tg.tensor([1.0, 2.0]), (1, 2))
        Tensor([0., 1., 2., 0., 0.], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    widths = _pad_widths(pad_width, x.ndim)
    if mode == "constant" and widths:
        return _pad_constant(x, widths, constant_values)
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad() has no mode {mode!r}: use constant, edge, reflect, symmetric or wrap.")
    if not any(map(any, widths)):
        return clone(x)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            positions = backend.NUMPY.xp.pad(backend.NUMPY.xp.arange(x.shape[axis]), (before, after), mode=mode)
            x = take(x, positions.tolist(), axis=axis)
    return x


def _pad_widths(pad_width, ndim):
    if not isinstance(pad_width, (tuple, list)):
        pad_width = (pad_width, pad_width)
    if not any(isinstance(width, (tuple, list)) for width in pad_width):
        pad_width = [pad_width] * ndim
    widths = [tuple(map(operator.index, width)) for width in pad_width]
    if len(widths) != ndim or any(len(width) != 2 or min(width) < 0 for width in widths):
        raise ValueError(
            f"pad() needs a pair of numbers, none negative, for each of the {ndim} axes; got {pad_width!r}."
        )
    return tuple(widths)


def repeat(x, repeats, /, *, axis=None):
    """Each element so many times in a row, along an axis or in the flattened array.

    Args:
        x: an array of any shape.
        repeats: a number, or one for each element along the axis.
        axis: which axis; None flattens.

    Example:
        >>> tg.repeat(tg.tensor([1.0, 2.0]), 2)
        Tensor([1., 1., 2., 2.], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    if axis is None:
        x, axis = reshape(x, -1), 0
    (axis,) = normalize_axis(axis, x.ndim)
    counts = _counts(repeats, "repeat")
    if counts == 1:
        return clone(x)
    if isinstance(counts, int):
        shape = x.shape
        x = broadcast_to(expand_dims(x, axis + 1), (*shape[: axis + 1], counts, *shape[axis + 1 :]))
        return reshape(x, (*shape[:axis], shape[axis] * counts, *shape[axis + 1 :]))
    counts = counts * x.shape[axis] if len(counts) == 1 else counts
    if len(counts) != x.shape[axis]:
        raise ValueError(f"repeat() got {len(counts)} counts for the {x.shape[axis]} elements along axis {axis}.")
    return take(x, [i for i, count in enumerate(counts) for _ in range(count)], axis=axis)


def _counts(value, name):
    counts = integers(value)
    if min((counts,) if isinstance(counts, int) else counts, default=0) < 0:
        raise ValueError(f"{name}() takes numbers of 0 or more, got {value}.")
    return counts


def tile(x, repetitions, /):
    """The whole of ``x``, side by side so many times along each axis.

    Example:
        >>> tg.tile(tg.tensor([1.0, 2.0]), (2,))
        Tensor([1., 2., 1., 2.], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    repetitions = _counts(repetitions, "tile")
    repetitions = (repetitions,) if isinstance(repetitions, int) else repetitions
    count = max(x.ndim, len(repetitions))
    shape = (1,) * (count - x.ndim) + tuple(x.shape)
    repetitions = (1,) * (count - len(repetitions)) + repetitions
    if set(repetitions) <= {1}:
        return clone(reshape(x, shape))
    x = reshape(x, tuple(length for n in shape for length in (1, n)))
    x = broadcast_to(x, tuple(length for pair in zip(repetitions, shape, strict=True) for length in pair))
    return reshape(x, tuple(times * n for times, n in zip(repetitions, shape, strict=True)))


def tril(x, /, *, k=0):
    """The lower triangle of the last two axes: zero above the ``k``-th diagonal.

    Example:
        >>> tg.tril(tg.ones((2, 2)))
        Tensor([[1., 0.],
                [1., 1.]], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    return where(_triangle(x, k), x, False)


def triu(x, /, *, k=0):
    """The upper triangle of the last two axes: zero below the ``k``-th diagonal.

    Example:
        >>> tg.triu(tg.ones((2, 2)))
        Tensor([[1., 1.],
                [0., 1.]], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    return where(_triangle(x, k - 1), False, x)


def _triangle(x, k):
    if x.ndim < 2:
        raise ValueError(f"a triangle needs at least 2 axes, got shape {tuple(x.shape)}.")
    array = x.data if isinstance(x, Tensor) else x
    return backend.namespace(array).tri(*x.shape[-2:], k=k, dtype=bool)
