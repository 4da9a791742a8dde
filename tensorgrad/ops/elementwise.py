"""Elementwise arithmetic, each function beside its derivative.

Arrays broadcast against each other; the engine undoes it for the gradients. Python numbers are weak: they never
widen an array's dtype.
"""

from __future__ import annotations

from tensorgrad.autograd import op

__all__ = [
    "abs",
    "add",
    "ceil",
    "clip",
    "copysign",
    "divide",
    "floor",
    "floor_divide",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "positive",
    "remainder",
    "round",
    "sign",
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
    if min is None and max is None:
        return xp.array(x, copy=True)
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
copysign.vjp("x2")(_flat)
