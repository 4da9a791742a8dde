"""Elements in another order, repeated, or with others around them, each op beside its derivative."""

from __future__ import annotations

import operator

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.arguments import as_operand, with_aliases
from tensorgrad.ops.casting import clone
from tensorgrad.ops.geometry import integers, normalize_axis
from tensorgrad.ops.indexing import take
from tensorgrad.ops.logic import where
from tensorgrad.ops.shape import broadcast_to, expand_dims, reshape

__all__ = [
    "flip",
    "pad",
    "repeat",
    "roll",
    "tile",
    "tril",
    "triu",
]


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


@with_aliases
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
