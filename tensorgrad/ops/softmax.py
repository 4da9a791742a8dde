"""Softmax and its kin, along an axis, each beside its derivative."""

from __future__ import annotations

import math
import string

from tensorgrad import backend
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.arguments import as_floating, with_aliases
from tensorgrad.ops.casting import astype
from tensorgrad.ops.creation import arange
from tensorgrad.ops.elementwise import negative
from tensorgrad.ops.geometry import reduced_axes, reduced_shape
from tensorgrad.ops.reductions import argmax
from tensorgrad.ops.shape import reshape
from tensorgrad.random import current_generator

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


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


@with_aliases
def gumbel_softmax(logits, tau=1.0, hard=False, eps=1e-10, axis=-1):
    """A random choice along an axis that has a gradient: ``softmax((logits + noise) / tau)``, the noise Gumbel's.

    The largest element is number i with probability ``softmax(logits)[i]``.

    Source: Jang, Gu and Poole, *Categorical reparameterization with Gumbel-softmax*; Maddison, Mnih and Teh, *The
    concrete distribution*; both 2017.

    Args:
        logits: scores, log-probabilities up to a constant, an array of any shape.
        tau: the temperature, above 0: the lower, the closer to a choice of one.
        hard: whether to return the choice itself, a 1 and zeros; the gradient is that of the soft one.
        eps: accepted, as in PyTorch, and changes nothing.
        axis: along which is chosen.

    Returns:
        The shape and dtype of ``logits``.

    Raises:
        ValueError: if ``tau`` is not above 0.
        TypeError: if the scores are not floating point.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> tg.gumbel_softmax(tg.zeros((2, 3)), hard=True).sum(axis=-1)
        Tensor([1., 1.], dtype=float32, device='cpu')
    """
    logits = as_floating("gumbel_softmax", logits)
    if not tau > 0:
        raise ValueError(f"gumbel_softmax() needs a temperature tau above 0, got {tau}.")
    # The same noise in every dtype; and a 0 among the uniform numbers would be infinite.
    uniform = current_generator().uniform(logits.shape, "float64", logits.device, 1e-300, 1.0)
    xp = backend.namespace(uniform)
    noise = Tensor(-xp.log(-xp.log(uniform)))
    soft = softmax((logits + astype(noise, logits.dtype, copy=False)) / tau, axis)
    if not hard or not soft.size:
        return soft
    shape = reduced_shape(soft.shape, [i for i in range(soft.ndim) if i not in reduced_axes(axis, soft.ndim)])
    places = reshape(arange(math.prod(shape), device=soft.device), shape)
    choice = argmax(soft, axis=axis, keepdims=True) == places
    # What is added is 0, and has the gradient.
    return astype(choice, soft.dtype) + (soft - soft.detach())
