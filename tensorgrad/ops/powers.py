"""Powers, exponentials and logarithms, elementwise, each beside its derivative."""

from __future__ import annotations

import math

from tensorgrad.autograd import op

__all__ = [
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "pow",
    "reciprocal",
    "sqrt",
    "square",
]


@op(elementwise=True)
def pow(x1, x2):
    """``x1`` to the power of ``x2``, elementwise.

    The derivative of x**0 is 0 everywhere; the derivative with respect to the exponent is 0 where the base is 0
    and the exponent is not negative.

    Example:
        >>> tg.pow(tg.tensor([2.0, 3.0]), 2)
        Tensor([4., 9.], dtype=float32, device='cpu')
    """
    return x1**x2


@pow.vjp("x1")
def _(g, x1, x2, xp):
    if isinstance(x2, (int, float)):
        lowered = x2 - 1 if x2 else x2
    else:
        # Not 0 * 0**-1, which is no number.
        lowered = xp.where((x1 == 0) & (x2 == 0), 0, x2 - 1)
    return g * (x2 * x1**lowered)


@pow.vjp("x2")
def _(g, x1, x2, out, xp):
    settled = (x1 == 0) & (x2 >= 0)
    return g * (out * xp.log(xp.where(settled, 1, x1)))


@op
def square(x, *, xp):
    """``x * x``, elementwise.

    Example:
        >>> tg.square(tg.tensor([2.0, 3.0]))
        Tensor([4., 9.], dtype=float32, device='cpu')
    """
    return xp.square(x)


@square.vjp("x")
def _(g, x):
    return g * (2 * x)


@op
def sqrt(x, *, xp):
    """Square root, elementwise. The derivative at 0 is infinite.

    Example:
        >>> tg.sqrt(tg.tensor([4.0, 9.0]))
        Tensor([2., 3.], dtype=float32, device='cpu')
    """
    return xp.sqrt(x)


@sqrt.vjp("x")
def _(g, out):
    return g / (2 * out)


@op
def cbrt(x, *, xp):
    """Cube root, elementwise, of negative numbers too. The derivative at 0 is infinite.

    Example:
        >>> tg.cbrt(tg.tensor([8.0, -27.0])).numpy().round(3)
        array([ 2., -3.], dtype=float32)
    """
    return xp.cbrt(x)


@cbrt.vjp("x")
def _(g, out):
    return g / (3 * out * out)


@op
def reciprocal(x):
    """``1 / x``, elementwise; of integers too it is floating point.

    Example:
        >>> tg.reciprocal(tg.tensor([2.0, 4.0]))
        Tensor([0.5 , 0.25], dtype=float32, device='cpu')
    """
    return 1 / x


@reciprocal.vjp("x")
def _(g, out):
    return -g * out * out


@op(elementwise=True)
def hypot(x1, x2, *, xp):
    """``sqrt(x1**2 + x2**2)`` without overflow, elementwise. The derivative where both are 0 is 0.

    Example:
        >>> tg.hypot(tg.tensor([3.0, 0.0]), 4.0)
        Tensor([5., 4.], dtype=float32, device='cpu')
    """
    return xp.hypot(x1, x2)


def _slope_of_hypot(g, x, out, xp):
    return g * (x / xp.where(out == 0, 1, out))


@hypot.vjp("x1")
def _(g, x1, out, xp):
    return _slope_of_hypot(g, x1, out, xp)


@hypot.vjp("x2")
def _(g, x2, out, xp):
    return _slope_of_hypot(g, x2, out, xp)


# -- exponentials and logarithms -------------------------------------------------------------------------------


@op
def exp(x, *, xp):
    """Euler's number to the power of ``x``, elementwise.

    Example:
        >>> tg.exp(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([1.   , 2.718], dtype=float32)
    """
    return xp.exp(x)


@exp.vjp("x")
def _(g, out):
    return g * out


@op
def exp2(x, *, xp):
    """2 to the power of ``x``, elementwise.

    Example:
        >>> tg.exp2(tg.tensor([0.0, 3.0]))
        Tensor([1., 8.], dtype=float32, device='cpu')
    """
    return xp.exp2(x)


@exp2.vjp("x")
def _(g, out):
    return g * (out * math.log(2))


@op
def expm1(x, *, xp):
    """``exp(x) - 1``, exact near 0, elementwise.

    Example:
        >>> tg.expm1(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 1.718], dtype=float32)
    """
    return xp.expm1(x)


@expm1.vjp("x")
def _(g, out):
    return g * (out + 1)


@op
def log(x, *, xp):
    """Natural logarithm, elementwise.

    Example:
        >>> tg.log(tg.tensor([1.0, 10.0])).numpy().round(3)
        array([0.   , 2.303], dtype=float32)
    """
    return xp.log(x)


@log.vjp("x")
def _(g, x):
    return g / x


@op
def log1p(x, *, xp):
    """``log(1 + x)``, exact near 0, elementwise.

    Example:
        >>> tg.log1p(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 0.693], dtype=float32)
    """
    return xp.log1p(x)


@log1p.vjp("x")
def _(g, x):
    return g / (1 + x)


@op
def log2(x, *, xp):
    """Logarithm to base 2, elementwise.

    Example:
        >>> tg.log2(tg.tensor([1.0, 8.0]))
        Tensor([0., 3.], dtype=float32, device='cpu')
    """
    return xp.log2(x)


@log2.vjp("x")
def _(g, x):
    return g / (x * math.log(2))


@op
def log10(x, *, xp):
    """Logarithm to base 10, elementwise.

    Example:
        >>> tg.log10(tg.tensor([1.0, 100.0])).numpy().round(3)
        array([0., 2.], dtype=float32)
    """
    return xp.log10(x)


@log10.vjp("x")
def _(g, x):
    return g / (x * math.log(10))


@op(elementwise=True)
def logaddexp(x1, x2, *, xp):
    """``log(exp(x1) + exp(x2))`` without overflow, elementwise.

    Example:
        >>> tg.logaddexp(tg.tensor([0.0, 1000.0]), 0.0).numpy().tolist()
        [0.6931471824645996, 1000.0]
    """
    return xp.logaddexp(x1, x2)


def logistic(x, xp):
    """``1 / (1 + exp(-x))`` of an array: the text of :func:`tensorgrad.sigmoid`, for the rules of others."""
    e = xp.exp(xp.clip(x, -math.inf, logistic_bound(x)))
    return e / (1 + e)


def logistic_bound(x):
    """Beyond this bound the logistic function is 1 in any case; up to it, exp does not overflow."""
    return 11.0 if x.dtype == "float16" else 40.0


def _share_of_sum(g, x, other, out, xp):
    """The derivative by ``x``: the logistic function of ``x - other``, and 1/2 where both are the same infinity."""
    same = xp.isinf(out) & (x == other)
    difference = xp.where(same, 0, x) - xp.where(same, 0, other)
    return g * logistic(difference, xp)


@logaddexp.vjp("x1")
def _(g, x1, x2, out, xp):
    return _share_of_sum(g, x1, x2, out, xp)


@logaddexp.vjp("x2")
def _(g, x1, x2, out, xp):
    return _share_of_sum(g, x2, x1, out, xp)
