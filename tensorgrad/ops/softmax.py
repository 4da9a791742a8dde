"""Softmax and its kin, along an axis, each beside its derivative."""

from __future__ import annotations

import string

from tensorgrad.autograd import op
from tensorgrad.ops.arguments import with_aliases
from tensorgrad.ops.elementwise import negative
from tensorgrad.ops.geometry import reduced_axes, reduced_shape

__all__ = ["log_softmax", "softmax", "softmin"]


def _axis(x, axis):
    """The axis as reductions take it: a 0-d array has none."""
    return axis if x.ndim else ()


def _shifted(x, axis, xp):
    """``x`` less its largest, so that exponentials do not overflow."""
    return x - xp.max(x, axis=_axis(x, axis), keepdims=True) if x.size else x


@op
def softmax(x, /, axis=-1, *, xp):
    """``exp(x) / sum(exp(x))`` along an axis: positive numbers that sum to 1. Of any scores, without overflow.

    Args:
        x: scores, an array of any shape.
        axis: along which they compete. Where all are -inf the result is NaN.

    Example:
        >>> tg.softmax(tg.tensor([1e4, 1e4, -1e4]))
        Tensor([0.5, 0.5, 0. ], dtype=float32, device='cpu')
    """
    e = xp.exp(_shifted(x, axis, xp))
    e /= xp.sum(e, axis=_axis(x, axis), keepdims=True)
    return e


@softmax.vjp("x")
def _(g, out, axis, xp):
    return through_softmax(g, out, axis, xp)


def through_softmax(g, out, axis, xp):
    """The gradient with respect to scores, from that with respect to what softmax made of them, ``out``."""
    axes, letters = reduced_axes(axis, out.ndim), string.ascii_letters[: out.ndim]
    rest = "".join(letter for i, letter in enumerate(letters) if i not in axes)
    # NumPy's einsum sums products without an array for them, in a third of the time.
    along = xp.einsum(f"{letters},{letters}->{rest}", g, out)
    pulled = g - xp.reshape(along, reduced_shape(out.shape, axis))
    pulled *= out
    return pulled


@op
def log_softmax(x, /, axis=-1, *, xp):
    """``log(softmax(x))`` along an axis, without overflow, and where softmax is 0 too.

    Args:
        x: scores, an array of any shape.
        axis: along which they compete.

    Example:
        >>> tg.log_softmax(tg.tensor([0.0, -1e4]))
        Tensor([     0., -10000.], dtype=float32, device='cpu')
    """
    shifted = _shifted(x, axis, xp)
    if not x.size:
        return xp.exp(shifted)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=_axis(x, axis), keepdims=True))


@log_softmax.vjp("x")
def _(g, out, axis, xp):
    return g - xp.exp(out) * xp.sum(g, axis=_axis(out, axis), keepdims=True)


@with_aliases
def softmin(x, axis=-1):
    """``softmax(-x)`` along an axis: the smallest score wins.

    Example:
        >>> tg.softmin(tg.tensor([0.0, 0.0, 1e4]))
        Tensor([0.5, 0.5, 0. ], dtype=float32, device='cpu')
    """
    return softmax(negative(x), axis)
