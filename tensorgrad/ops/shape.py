"""The same elements in another shape or order, each op beside its derivative."""

from __future__ import annotations

import itertools
import math

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.arguments import as_operand, as_operands, with_aliases
from tensorgrad.ops.casting import clone
from tensorgrad.ops.geometry import integers, normalize_axis
from tensorgrad.ops.indexing import getitem

__all__ = [
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flatten",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "reshape",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "transpose",
    "unstack",
]


@op
def _reshape(x, /, shape, *, xp):
    return xp.reshape(x, shape)


@_reshape.vjp("x")
def _(g, x_shape, xp):
    return xp.reshape(g, x_shape)


def reshape(x, /, shape, *, copy=None):
    """The same elements, in the same order (the last axis runs fastest), in another shape.

    Args:
        x: an array of any shape.
        shape: an integer or a tuple of them; one may be -1, which is then what is left.
        copy: True for memory of its own, False for that of ``x``, None for that of ``x`` where it can be.

    Raises:
        ValueError: if the number of elements differs, or ``copy`` is False and the memory order needs a copy.

    Example:
        >>> tg.reshape(tg.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
        Tensor([[1., 2.],
                [3., 4.]], dtype=float32, device='cpu')
    """
    if copy is None:
        return _reshaped(x, shape)
    x = clone(x) if copy else as_operand(x)
    out = _reshaped(x, shape)
    if out.size and not _may_share_memory(out, x):
        raise ValueError(f"reshape(copy=False) of shape {tuple(x.shape)} to {shape}: its memory order needs a copy.")
    return out


def _reshaped(x, shape):
    try:
        return _reshape(x, shape)
    except ValueError:
        x = as_operand(x)
        raise ValueError(
            f"reshape() of shape {tuple(x.shape)}, {math.prod(x.shape)} elements, to {shape}: that is another number "
            "of elements, or there is more than one -1."
        ) from None


def _may_share_memory(*arrays):
    bare = [x.data if isinstance(x, Tensor) else x for x in arrays]
    return backend.namespace(bare[0]).may_share_memory(*bare)


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


@with_aliases
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


@with_aliases
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


@with_aliases
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


@with_aliases
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


@with_aliases
def unstack(x, /, *, axis=0):
    """The slices along an axis, as a tuple of arrays without it.

    Example:
        >>> tg.unstack(tg.tensor([[1.0, 2.0], [3.0, 4.0]]))[1]
        Tensor([3., 4.], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    (axis,) = normalize_axis(axis, x.ndim)
    return tuple(getitem(x, (slice(None),) * axis + (i,)) for i in range(x.shape[axis]))


@with_aliases
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
