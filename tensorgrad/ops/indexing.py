"""Elements picked by position, put back in their places, and sorted."""

from __future__ import annotations

import math
import operator

import numpy as np

from tensorgrad import backend, kernels
from tensorgrad.autograd import Tensor, op
from tensorgrad.errors import DeviceError
from tensorgrad.ops.arguments import as_operand, with_aliases
from tensorgrad.ops.casting import clone
from tensorgrad.ops.geometry import normalize_axis, reduced_axes

__all__ = [
    "argsort",
    "getitem",
    "index_put",
    "nonzero",
    "sort",
    "take",
    "take_along_axis",
]


@op
def _getitem(x, /, key):
    return x[key]


@_getitem.vjp("x")
def _(g, key, x_shape):
    return _scatter(g, key, x_shape)


@op
def _scatter(g, /, key, shape):
    """Zeros of ``shape`` with ``g`` added at ``key``: the transpose of indexing."""
    if _may_repeat(key):
        return kernels.of(g).scatter(g, key, shape=shape)
    out = backend.zeros(shape, g.dtype, g)
    out[key] = g
    return out


@_scatter.vjp("g")
def _(h, key):
    return getitem(h, key)


def getitem(x, key, /):
    """``x[key]``, as NumPy: slices, integers, integer arrays, boolean masks, None, ``...``, and mixtures of them.

    Repeated indices add up their gradients.

    Args:
        x: an array of any shape.
        key: the index, a tuple for several axes. Tensors and lists in it are fine.

    Example:
        >>> x = tg.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> x[[0, 0, 2]].sum().backward()
        >>> x.grad
        Tensor([2., 0., 1.], dtype=float32, device='cpu')
    """
    return _getitem(x, plain_key(key, x))


@op
def _index_put(x, values, /, key, *, xp):
    if _may_repeat(key) and getattr(values, "size", 1) > 1:
        # On a GPU any of the values put at one place might stay: so each place fetches its own.
        places, _, last = _lasting(key, x.shape)
        if places.size:
            values = xp.broadcast_to(values, places.shape).reshape(-1).astype(x.dtype, copy=False)
            return xp.where(last >= 0, values[last], x.reshape(-1)).reshape(x.shape)
    out = x.copy()
    out[key] = values
    return out


@_index_put.vjp("x")
def _(g, key):
    return index_put(g, key, 0)


@_index_put.vjp("values")
def _(g, key, x_shape):
    picked = getitem(g, key)
    if not _may_repeat(key):
        return picked
    places, numbers, last = _lasting(key, x_shape)
    return picked * (last[places] == numbers)


def _lasting(key, shape):
    """Of values put at a key that may name a place twice: which of them stay.

    Returns:
        The place of each value in the flattened array, its number, and for each place the number of the value that
        was put there last, or -1.
    """
    xp = backend.namespace(next(index for index in (key if isinstance(key, tuple) else (key,)) if _is_array(index)))
    size = math.prod(shape)
    places = xp.arange(size).reshape(shape)[key]
    numbers = xp.arange(places.size).reshape(places.shape)
    last = xp.full(size, -1)
    xp.maximum.at(last, places, numbers)
    return places, numbers, last


def index_put(x, key, values, /):
    """A copy of ``x`` with ``values`` at ``key``: ``x[key] = values`` that leaves ``x`` as it was.

    Where an index is repeated the last value stays, and it alone has a gradient.

    Args:
        x: an array of any shape.
        key: an index as for ``x[key]``.
        values: an array or number that broadcasts to ``x[key]``; it is converted to the dtype of ``x``.

    Example:
        >>> tg.index_put(tg.zeros(3), 1, 5.0)
        Tensor([0., 5., 0.], dtype=float32, device='cpu')
    """
    key = plain_key(key, x)
    if getattr(values, "shape", ())[:1] == (1,):
        # Axes of length 1 in front mean nothing: NumPy puts values with more of them than there is room for, too.
        spare = values.ndim - len(_picked_shape(x, key))
        if spare > 0 and values.shape[:spare] == (1,) * spare:
            values = values.reshape(values.shape[spare:])
    return _index_put(x, values, key)


def _picked_shape(x, key):
    """The shape of ``x[key]``, without touching the elements."""
    bare = x.data if isinstance(x, Tensor) else x
    shadow = backend.namespace(bare).broadcast_to(backend.zeros((), "bool", bare), bare.shape)
    return shadow[key].shape


@with_aliases
def take(x, indices, /, *, axis=None):
    """Elements along an axis at integer ``indices``; of None, in the flattened array.

    Example:
        >>> tg.take(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), [1], axis=1)
        Tensor([[2.],
                [4.]], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    if axis is None:
        return getitem(x.reshape(-1), indices)
    (axis,) = normalize_axis(axis, x.ndim)
    return getitem(x, (slice(None),) * axis + (indices,))


@with_aliases
def take_along_axis(x, indices, /, *, axis=-1):
    """Elements along an axis at ``indices``, which has the shape of ``x`` but for that axis.

    Args:
        x: an array of any shape.
        indices: integers; the other axes broadcast against those of ``x``.
        axis: which axis.

    Example:
        >>> x = tg.tensor([[3.0, 1.0, 2.0]])
        >>> tg.take_along_axis(x, tg.argsort(x), axis=-1)
        Tensor([[1., 2., 3.]], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    bare = _plain_index(indices, _device(x))
    shape = getattr(bare, "shape", ())
    if len(shape) != x.ndim:
        raise ValueError(f"take_along_axis() of shape {x.shape} needs indices with {x.ndim} axes, got {shape}.")
    (axis,) = normalize_axis(axis, x.ndim)
    xp = backend.namespace(bare)
    key = []
    for i, n in enumerate(x.shape):
        if i == axis:
            key.append(bare)
        else:
            key.append(xp.arange(n).reshape((1,) * i + (n,) + (1,) * (x.ndim - i - 1)))
    return getitem(x, tuple(key))


@op(differentiable=False)
def argsort(x, /, *, axis=-1, descending=False, stable=True, xp):
    """The indices that sort ``x`` along an axis; equal elements keep their order.

    Example:
        >>> tg.argsort(tg.tensor([3.0, 1.0, 2.0])).tolist()
        [1, 2, 0]
    """
    if x.ndim == 0:
        reduced_axes(axis, 0)
        return xp.zeros_like(x, dtype="int64")
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    # The last of equal elements must come last again: sort the reversed array, and count from its end.
    order = xp.flip(xp.argsort(xp.flip(x, axis=axis), axis=axis, kind="stable"), axis=axis)
    return x.shape[axis] - 1 - order


@with_aliases
def sort(x, /, *, axis=-1, descending=False, stable=True):
    """``x`` sorted along an axis.

    Example:
        >>> tg.sort(tg.tensor([3.0, 1.0, 2.0]), descending=True)
        Tensor([3., 2., 1.], dtype=float32, device='cpu')
    """
    x = as_operand(x)
    order = argsort(x, axis=axis, descending=descending, stable=stable)
    return take_along_axis(x, order, axis=axis) if x.ndim else clone(x)


@op(differentiable=False)
def _nonzero(x, /, *, xp):
    return tuple(xp.nonzero(x))


def nonzero(x, /):
    """The indices of the elements that are not zero: a tuple with an integer array for each axis.

    Example:
        >>> tg.nonzero(tg.tensor([0.0, 5.0, 7.0]))[0].tolist()
        [1, 2]
    """
    return _nonzero(x)


# -- keys ------------------------------------------------------------------------------------------------------


def plain_key(key, x):
    """A key that the array library of ``x`` takes: Tensors unwrapped, lists made arrays."""
    device = _device(x)
    if isinstance(key, tuple):
        return tuple(_plain_index(index, device) for index in key)
    return _plain_index(key, device)


def _device(x):
    return x.device if isinstance(x, Tensor) else "cpu" if backend.of(x) is None else backend.device_of(x)


def _plain_index(index, device):
    if index is None or index is Ellipsis or isinstance(index, (slice, bool, int)):
        return index
    if isinstance(index, np.bool_):
        return bool(index)
    if isinstance(index, (float, str)):
        raise IndexError(
            f"an index is an integer, a slice, None, ... or an array of integers or booleans, not {index!r}."
        )
    if isinstance(index, (list, tuple, range)):
        array = np.asarray(index) if len(index) else np.zeros(0, dtype=np.intp)
        index = backend.transfer(array, device)
    elif isinstance(index, Tensor):
        index = index.data
    elif isinstance(index, np.ndarray):
        # Ours from here on: the caller may change the array before backward needs it.
        index = index.copy()
    elif backend.of(index) is None or isinstance(index, np.generic):
        return operator.index(index)
    if index.dtype.kind not in "iub":
        raise IndexError(f"an index array must hold integers or booleans, not {index.dtype}.")
    there = backend.device_of(index)
    if there != device:
        raise DeviceError(
            f"an index array on {there!r} for a tensor on {device!r}: move it, as in index.to({device!r})."
        )
    return index


def _may_repeat(key):
    """Whether a place may be named twice: only integer arrays do that."""
    return any(_is_array(index) and index.dtype.kind != "b" for index in (key if isinstance(key, tuple) else (key,)))


def _is_array(index):
    return hasattr(index, "dtype")
