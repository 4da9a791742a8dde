"""Reductions and running totals, each beside its derivative.

``axis`` is an integer, a tuple of them, or None for all axes; with ``keepdims`` the reduced axes stay, with
length 1.
"""

from __future__ import annotations

import builtins
import math

from tensorgrad.autograd import op
from tensorgrad.ops.arguments import as_operand, with_aliases
from tensorgrad.ops.arrangement import pad
from tensorgrad.ops.geometry import normalize_axis, reduced_axes, reduced_shape

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def _axis(x, axis):
    """The axis as array libraries take it: a 0-d array has none, though 0 and -1 may stand for that."""
    if x.ndim:
        return tuple(axis) if isinstance(axis, list) else axis
    reduced_axes(axis, 0)
    return None


def _restore(g, shape, axis, xp):
    """A cotangent with the reduced axes back, at length 1."""
    return xp.reshape(g, reduced_shape(shape, axis))


def _count(shape, axis):
    """How many elements of an array of ``shape`` fall into one of the result."""
    return math.prod(shape[i] for i in reduced_axes(axis, len(shape)))


@op
def sum(x, /, axis=None, dtype=None, keepdims=False, *, xp):
    """Sum. Booleans and small integers are added up as int64, floats in their own dtype.

    Args:
        x: an array of any shape.
        axis: what to sum over.
        dtype: the dtype of the result.
        keepdims: whether the reduced axes stay.

    Example:
        >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        Tensor([4., 6.], dtype=float32, device='cpu')
    """
    return xp.sum(x, axis=_axis(x, axis), dtype=dtype, keepdims=keepdims)


@sum.vjp("x")
def _(g, x_shape, axis, xp):
    return xp.broadcast_to(_restore(g, x_shape, axis, xp), x_shape)


@op
def mean(x, /, axis=None, keepdims=False, *, xp):
    """Arithmetic mean.

    Example:
        >>> tg.mean(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        Tensor([2., 3.], dtype=float32, device='cpu')
    """
    return xp.mean(x, axis=_axis(x, axis), keepdims=keepdims)


@mean.vjp("x")
def _(g, x_shape, axis, xp):
    return xp.broadcast_to(_restore(g, x_shape, axis, xp) / builtins.max(_count(x_shape, axis), 1), x_shape)


@op
def max(x, /, axis=None, keepdims=False, *, xp):
    """The largest; NaN if there is one. Several equal ones share the gradient equally.

    Raises:
        ValueError: if there is nothing to choose from.

    Example:
        >>> tg.max(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        Tensor([3., 4.], dtype=float32, device='cpu')
    """
    return xp.max(x, axis=_axis(x, axis), keepdims=keepdims)


@op
def min(x, /, axis=None, keepdims=False, *, xp):
    """The smallest; NaN if there is one. Several equal ones share the gradient equally.

    Raises:
        ValueError: if there is nothing to choose from.

    Example:
        >>> tg.min(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        Tensor([1., 2.], dtype=float32, device='cpu')
    """
    return xp.min(x, axis=_axis(x, axis), keepdims=keepdims)


def _share(g, x, out, x_shape, axis, xp):
    chosen = x == _restore(out, x_shape, axis, xp)
    return chosen * (_restore(g, x_shape, axis, xp) / xp.sum(chosen, axis=_axis(x, axis), dtype=g.dtype, keepdims=True))


max.vjp("x")(_share)
min.vjp("x")(_share)


@op
def prod(x, /, axis=None, dtype=None, keepdims=False, *, xp):
    """Product. The gradient is exact where factors are 0, too.

    Example:
        >>> tg.prod(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
        Tensor([3., 8.], dtype=float32, device='cpu')
    """
    return xp.prod(x, axis=_axis(x, axis), dtype=dtype, keepdims=keepdims)


@prod.vjp("x")
def _(g, x, x_shape, axis, xp):
    # The derivative by a factor is the product of those before and those after it.
    reduced = reduced_axes(axis, len(x_shape))
    if not reduced:
        return g
    rest = tuple(i for i in range(len(x_shape)) if i not in reduced)
    order = rest + reduced
    lined_up = xp.permute_dims(x, order)
    flat = xp.reshape(lined_up, (*(x_shape[i] for i in rest), _count(x_shape, axis)))
    one = xp.ones_like(flat[..., :1])
    before = cumulative_prod(xp.concat([one, flat[..., :-1]], axis=-1), axis=-1)
    after = xp.flip(cumulative_prod(xp.concat([one, xp.flip(flat, axis=-1)[..., :-1]], axis=-1), axis=-1), axis=-1)
    others = xp.reshape(before * after, tuple(x_shape[i] for i in order))
    back = tuple(order.index(i) for i in range(len(order)))
    return _restore(g, x_shape, axis, xp) * xp.permute_dims(others, back)


@op
def var(x, /, axis=None, correction=0, keepdims=False, *, xp):
    """Variance: the mean squared distance from the mean.

    Args:
        x: an array of any shape.
        axis: what to reduce.
        correction: what is taken off the count of elements before dividing by it: 0 for the variance of a whole
            population, 1 for an unbiased estimate from a sample (PyTorch's default; the standard's and NumPy's is 0).
        keepdims: whether the reduced axes stay.

    Example:
        >>> tg.var(tg.tensor([1.0, 3.0, 5.0, 7.0]))
        Tensor(5., dtype=float32, device='cpu')
    """
    return xp.var(x, axis=_axis(x, axis), ddof=correction, keepdims=keepdims)


def _slope_of_var(x, axis, correction, xp):
    if not x.size:
        return x
    deviation = x - xp.mean(x, axis=_axis(x, axis), keepdims=True)
    return deviation / builtins.max(_count(x.shape, axis) - correction, 0)


@var.vjp("x")
def _(g, x, x_shape, axis, correction, xp):
    return _restore(g, x_shape, axis, xp) * (2 * _slope_of_var(x, axis, correction, xp))


@op
def std(x, /, axis=None, correction=0, keepdims=False, *, xp):
    """Standard deviation: the square root of :func:`var`. The derivative where it is 0 is 0.

    Example:
        >>> tg.std(tg.tensor([1.0, 1.0, 5.0, 5.0]))
        Tensor(2., dtype=float32, device='cpu')
    """
    return xp.std(x, axis=_axis(x, axis), ddof=correction, keepdims=keepdims)


@std.vjp("x")
def _(g, x, out, x_shape, axis, correction, xp):
    # Where it is 0 all are equal, and their slopes are 0 whatever they are divided by.
    g = g / xp.where(out == 0, 1, out)
    return _restore(g, x_shape, axis, xp) * _slope_of_var(x, axis, correction, xp)


@op
def logsumexp(x, /, axis=None, keepdims=False, *, xp):
    """``log(sum(exp(x)))`` without overflow; -inf for a sum of nothing.

    Example:
        >>> tg.logsumexp(tg.tensor([1000.0, 1000.0])).numpy().round(3)
        np.float32(1000.693)
    """
    shape = reduced_shape(x.shape, axis)
    if x.size == 0:
        total = xp.full(shape, -math.inf, dtype=x.dtype)
    else:
        top = xp.max(x, axis=_axis(x, axis), keepdims=True)
        top = xp.where(xp.isfinite(top), top, 0)
        total = xp.sum(xp.exp(x - top), axis=_axis(x, axis), keepdims=True)
        # log(0) is right for a row of -inf, and no reason for a warning.
        total = xp.where(total == 0, -math.inf, xp.log(xp.where(total == 0, 1, total)) + top)
    gone = reduced_axes(axis, x.ndim)
    return total if keepdims else xp.reshape(total, tuple(n for i, n in enumerate(shape) if i not in gone))


@logsumexp.vjp("x")
def _(g, x, out, x_shape, axis, xp):
    out = xp.where(out == -math.inf, 0, out)
    return _restore(g, x_shape, axis, xp) * xp.exp(x - _restore(out, x_shape, axis, xp))


# -- running totals --------------------------------------------------------------------------------------------


@op
def _cumulative_sum(x, /, axis, dtype=None, *, xp):
    return xp.cumsum(x, axis=axis, dtype=dtype)


@_cumulative_sum.vjp("x")
def _(g, axis, xp):
    return xp.flip(_cumulative_sum(xp.flip(g, axis=axis), axis=axis), axis=axis)


@op
def _cumulative_prod(x, /, axis, dtype=None, *, xp):
    return xp.cumprod(x, axis=axis, dtype=dtype)


@_cumulative_prod.vjp("x")
def _(g, x, axis, xp):
    # With s[i] = g[i] + x[i + 1] s[i + 1] the derivative by x[i] is s[i] times the product of all before it:
    # nothing is divided by x, which may be 0.
    g, x = xp.moveaxis(g, axis, 0), xp.moveaxis(x, axis, 0)
    if x.shape[0] == 0:
        return xp.moveaxis(g, 0, axis)
    before = cumulative_prod(xp.concat([xp.ones_like(x[:1]), x[:-1]]), axis=0)
    totals = [g[-1]]
    for i in range(x.shape[0] - 2, -1, -1):
        totals.append(g[i] + x[i + 1] * totals[-1])
    return xp.moveaxis(before * xp.stack(totals[::-1]), 0, axis)


@with_aliases
def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    """The running sum along an axis.

    Args:
        x: an array of any shape.
        axis: which axis; it may be left out for a 1-d array.
        dtype: the dtype of the result.
        include_initial: whether to start with the sum of nothing, 0: one element more.

    Example:
        >>> tg.cumulative_sum(tg.tensor([1.0, 2.0, 3.0]))
        Tensor([1., 3., 6.], dtype=float32, device='cpu')
    """
    return _running(_cumulative_sum, sum, 0, x, axis, dtype, include_initial)


@with_aliases
def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    """The running product along an axis.

    Args:
        x: an array of any shape.
        axis: which axis; it may be left out for a 1-d array.
        dtype: the dtype of the result.
        include_initial: whether to start with the product of nothing, 1: one element more.

    Example:
        >>> tg.cumulative_prod(tg.tensor([1.0, 2.0, 3.0]), include_initial=True)
        Tensor([1., 1., 2., 6.], dtype=float32, device='cpu')
    """
    return _running(_cumulative_prod, prod, 1, x, axis, dtype, include_initial)


def _running(running, total, initial, x, axis, dtype, include_initial):
    x = as_operand(x)
    name = running.op.name
    if x.ndim == 0:
        if include_initial:
            raise ValueError(f"{name}(include_initial=True) needs an axis to be one longer: x has none.")
        return total(x, axis=axis, dtype=dtype)
    if axis is None and x.ndim > 1:
        raise ValueError(f"{name}() of an array of shape {tuple(x.shape)} needs to be told the axis.")
    (axis,) = normalize_axis(0 if axis is None else axis, x.ndim)
    result = running(x, axis, dtype)
    if not include_initial:
        return result
    return pad(result, [(int(i == axis), 0) for i in range(x.ndim)], constant_values=initial)


# -- without a gradient ----------------------------------------------------------------------------------------


@op(differentiable=False)
def argmax(x, /, axis=None, keepdims=False, *, xp):
    """The index of the first largest along ``axis``, or in the flattened array.

    Example:
        >>> tg.argmax(tg.tensor([1.0, 5.0, 2.0])).item()
        1
    """
    return _keep(xp.argmax(x, axis=_axis(x, axis)), x, axis, keepdims, xp)


@op(differentiable=False)
def argmin(x, /, axis=None, keepdims=False, *, xp):
    """The index of the first smallest along ``axis``, or in the flattened array.

    Example:
        >>> tg.argmin(tg.tensor([1.0, 5.0, 2.0])).item()
        0
    """
    return _keep(xp.argmin(x, axis=_axis(x, axis)), x, axis, keepdims, xp)


def _keep(index, x, axis, keepdims, xp):
    return xp.reshape(index, reduced_shape(x.shape, axis)) if keepdims else index


@op(differentiable=False)
def all(x, /, axis=None, keepdims=False, *, xp):
    """Whether all are true (not zero).

    Example:
        >>> bool(tg.all(tg.tensor([1.0, 0.0])))
        False
    """
    return xp.all(x, axis=_axis(x, axis), keepdims=keepdims)


@op(differentiable=False)
def any(x, /, axis=None, keepdims=False, *, xp):
    """Whether any is true (not zero).

    Example:
        >>> bool(tg.any(tg.tensor([1.0, 0.0])))
        True
    """
    return xp.any(x, axis=_axis(x, axis), keepdims=keepdims)


@op(differentiable=False)
def count_nonzero(x, /, axis=None, keepdims=False, *, xp):
    """How many are not zero.

    Example:
        >>> tg.count_nonzero(tg.tensor([1.0, 0.0, 2.0])).item()
        2
    """
    return xp.sum(x != 0, axis=_axis(x, axis), keepdims=keepdims)
