"""Elementwise arithmetic, powers, exponentials and logarithms, each beside its derivative.

Arrays broadcast against each other; the engine undoes it for the gradients. Python numbers are weak: they never
widen an array's dtype.
"""

from __future__ import annotations

import math

from tensorgrad.autograd import op

__all__ = [
    "abs",
    "add",
    "cbrt",
    "ceil",
    "clip",
    "copysign",
    "divide",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "floor_divide",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "positive",
    "pow",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "sqrt",
    "square",
    "subtract",
    "trunc",
]

# -- arithmetic ------------------------------------------------------------------------------------------------


@op
def add(x1, x2, *, xp):
    """Sum, elementwise.

    Example:
        >>> tg.add(tg.tensor([1.0, 2.0]), 1)
        Tensor([2., 3.], dtype=float32, device='cpu')
    """
    return xp.add(x1, x2)


@add.vjp("x1")
def _(g):
    return g


@add.vjp("x2")
def _(g):
    return g


@op
def subtract(x1, x2, *, xp):
    """Difference, elementwise.

    Example:
        >>> tg.subtract(tg.tensor([1.0, 2.0]), 1)
        Tensor([0., 1.], dtype=float32, device='cpu')
    """
    return xp.subtract(x1, x2)


@subtract.vjp("x1")
def _(g):
    return g


@subtract.vjp("x2")
def _(g):
    return -g


@op
def multiply(x1, x2, *, xp):
    """Product, elementwise.

    Example:
        >>> tg.multiply(tg.tensor([1.0, 2.0]), 3)
        Tensor([3., 6.], dtype=float32, device='cpu')
    """
    return xp.multiply(x1, x2)


@multiply.vjp("x1")
def _(g, x2):
    return g * x2


@multiply.vjp("x2")
def _(g, x1):
    return g * x1


@op
def divide(x1, x2, *, xp):
    """Quotient, elementwise; of integers too it is floating point.

    Example:
        >>> tg.divide(tg.tensor([1.0, 2.0]), 2)
        Tensor([0.5, 1. ], dtype=float32, device='cpu')
    """
    return xp.divide(x1, x2)


@divide.vjp("x1")
def _(g, x2):
    return g / x2


@divide.vjp("x2")
def _(g, x2, out):
    return -g * out / x2


@op(differentiable=False)
def floor_divide(x1, x2, *, xp):
    """The largest integer not above the quotient, elementwise. Without a gradient: it is zero where it exists.

    Example:
        >>> tg.floor_divide(tg.tensor([5.0, -5.0]), 2)
        Tensor([ 2., -3.], dtype=float32, device='cpu')
    """
    return xp.floor_divide(x1, x2)


@op
def remainder(x1, x2, *, xp):
    """What :func:`floor_divide` leaves, elementwise, with the sign of the divisor, as Python's ``%``.

    Example:
        >>> tg.remainder(tg.tensor([5.0, -5.0]), 3)
        Tensor([2., 1.], dtype=float32, device='cpu')
    """
    return xp.remainder(x1, x2)


@remainder.vjp("x1")
def _(g):
    return g


@remainder.vjp("x2")
def _(g, x1, x2, xp):
    return -g * xp.floor_divide(x1, x2)


@op
def negative(x, *, xp):
    """``-x``, elementwise.

    Example:
        >>> tg.negative(tg.tensor([1.0, -2.0]))
        Tensor([-1.,  2.], dtype=float32, device='cpu')
    """
    return xp.negative(x)


@negative.vjp("x")
def _(g):
    return -g


@op
def positive(x, *, xp):
    """``+x``, elementwise: a copy.

    Example:
        >>> tg.positive(tg.tensor([1.0, -2.0]))
        Tensor([ 1., -2.], dtype=float32, device='cpu')
    """
    return xp.positive(x)


@positive.vjp("x")
def _(g):
    return g


@op
def abs(x, *, xp):
    """Absolute value, elementwise. The derivative at 0 is 0.

    Example:
        >>> tg.abs(tg.tensor([-1.5, 2.0]))
        Tensor([1.5, 2. ], dtype=float32, device='cpu')
    """
    return xp.abs(x)


@abs.vjp("x")
def _(g, x, xp):
    return g * xp.sign(x)


@op
def maximum(x1, x2, *, xp):
    """The larger of two, elementwise; NaN if either is. Where they are equal, each gets half of the gradient.

    Example:
        >>> tg.maximum(tg.tensor([1.0, 5.0]), 2)
        Tensor([2., 5.], dtype=float32, device='cpu')
    """
    return xp.maximum(x1, x2)


@maximum.vjp("x1")
def _(g, x1, x2, xp):
    return xp.where(x1 == x2, g / 2, xp.where(x1 > x2, g, 0))


@maximum.vjp("x2")
def _(g, x1, x2, xp):
    return xp.where(x1 == x2, g / 2, xp.where(x2 > x1, g, 0))


@op
def minimum(x1, x2, *, xp):
    """The smaller of two, elementwise; NaN if either is. Where they are equal, each gets half of the gradient.

    Example:
        >>> tg.minimum(tg.tensor([1.0, 5.0]), 2)
        Tensor([1., 2.], dtype=float32, device='cpu')
    """
    return xp.minimum(x1, x2)


@minimum.vjp("x1")
def _(g, x1, x2, xp):
    return xp.where(x1 == x2, g / 2, xp.where(x1 < x2, g, 0))


@minimum.vjp("x2")
def _(g, x1, x2, xp):
    return xp.where(x1 == x2, g / 2, xp.where(x2 < x1, g, 0))


@op
def clip(x, min=None, max=None, *, xp):
    """``x`` kept between ``min`` and ``max``, elementwise; None is no bound.

    The gradient goes to ``x`` where it is inside, the bounds included, and to the bound that was taken elsewhere.

    Example:
        >>> tg.clip(tg.tensor([-1.0, 0.5, 2.0]), 0, 1)
        Tensor([0. , 0.5, 1. ], dtype=float32, device='cpu')
    """
    if min is not None:
        x = xp.maximum(x, min)
    return x if max is None else xp.minimum(x, max)


@clip.vjp("x")
def _(g, x, min, max, xp):
    if min is not None:
        g = xp.where(x >= min, g, 0)
    return g if max is None else xp.where(x <= max, g, 0)


@clip.vjp("min")
def _(g, x, min, max, xp):
    g = xp.where(x < min, g, 0)
    return g if max is None else xp.where(min <= max, g, 0)


@clip.vjp("max")
def _(g, x, min, max, xp):
    return xp.where((x if min is None else xp.maximum(x, min)) > max, g, 0)


@op
def copysign(x1, x2, *, xp):
    """The magnitude of ``x1`` with the sign of ``x2``, elementwise. The derivative where ``x1`` is 0 is 0.

    Example:
        >>> tg.copysign(tg.tensor([1.0, 2.0]), -1.0)
        Tensor([-1., -2.], dtype=float32, device='cpu')
    """
    return xp.copysign(x1, x2)


@copysign.vjp("x1")
def _(g, x1, out, xp):
    return g * xp.sign(x1) * xp.sign(out)


@copysign.vjp("x2")
def _(g, xp):
    return xp.zeros_like(g)


# -- steps: their derivative is zero wherever they have one ----------------------------------------------------


@op
def sign(x, *, xp):
    """-1, 0 or 1, elementwise. The derivative is 0.

    Example:
        >>> tg.sign(tg.tensor([-3.0, 0.0, 2.0]))
        Tensor([-1.,  0.,  1.], dtype=float32, device='cpu')
    """
    return xp.sign(x)


@op
def floor(x, *, xp):
    """The largest integer not above, elementwise. The derivative is 0.

    Example:
        >>> tg.floor(tg.tensor([-1.5, 1.5]))
        Tensor([-2.,  1.], dtype=float32, device='cpu')
    """
    return xp.floor(x)


@op
def ceil(x, *, xp):
    """The smallest integer not below, elementwise. The derivative is 0.

    Example:
        >>> tg.ceil(tg.tensor([-1.5, 1.5]))
        Tensor([-1.,  2.], dtype=float32, device='cpu')
    """
    return xp.ceil(x)


@op
def trunc(x, *, xp):
    """The nearest integer towards 0, elementwise. The derivative is 0.

    Example:
        >>> tg.trunc(tg.tensor([-1.5, 1.5]))
        Tensor([-1.,  1.], dtype=float32, device='cpu')
    """
    return xp.trunc(x)


@op
def round(x, /, decimals=0, *, xp):
    """The nearest number with so many decimals, halves to the even one, elementwise. The derivative is 0.

    Example:
        >>> tg.round(tg.tensor([0.5, 1.5, 2.6]))
        Tensor([0., 2., 3.], dtype=float32, device='cpu')
    """
    return xp.round(x, decimals)


def _flat(g, xp):
    return xp.zeros_like(g)


for _step in (sign, floor, ceil, trunc, round):
    _step.vjp("x")(_flat)


# -- powers ----------------------------------------------------------------------------------------------------


@op
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
        lowered = xp.where(x2 == 0, 0, x2 - 1)
    return g * (x2 * x1**lowered)


@pow.vjp("x2")
def _(g, x1, x2, out, xp):
    settled = (x1 == 0) & (x2 >= 0)
    return g * xp.where(settled, 0, out * xp.log(xp.where(settled, 1, x1)))


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
def reciprocal(x, *, xp):
    """``1 / x``, elementwise.

    Example:
        >>> tg.reciprocal(tg.tensor([2.0, 4.0]))
        Tensor([0.5 , 0.25], dtype=float32, device='cpu')
    """
    return xp.reciprocal(x)


@reciprocal.vjp("x")
def _(g, out):
    return -g * out * out


@op
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


@op
def logaddexp(x1, x2, *, xp):
    """``log(exp(x1) + exp(x2))`` without overflow, elementwise.

    Example:
        >>> tg.logaddexp(tg.tensor([0.0, 1000.0]), 0.0).numpy().tolist()
        [0.6931471824645996, 1000.0]
    """
    return xp.logaddexp(x1, x2)


@logaddexp.vjp("x1")
def _(g, x1, x2, xp):
    return g / (1 + xp.exp(xp.where(x1 == x2, 0, x2 - x1)))


@logaddexp.vjp("x2")
def _(g, x1, x2, xp):
    return g / (1 + xp.exp(xp.where(x1 == x2, 0, x1 - x2)))
