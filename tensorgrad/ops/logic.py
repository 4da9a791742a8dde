"""Comparisons, logic, bits, and the choice between values."""

from __future__ import annotations

from tensorgrad.autograd import op
from tensorgrad.autograd.conversion import to_array

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "signbit",
    "where",
]


@op
def where(condition, x1, x2, *, xp):
    """``x1`` where ``condition`` is true, else ``x2``, elementwise.

    Args:
        condition: booleans.
        x1: values where it is true.
        x2: values where it is false. The three broadcast against each other.

    Example:
        >>> x = tg.tensor([-1.0, 2.0])
        >>> tg.where(x > 0, x, 0)
        Tensor([0., 2.], dtype=float32, device='cpu')
    """
    if not (hasattr(x1, "dtype") or hasattr(x2, "dtype")):
        x1, x2 = (xp.asarray(value) for value in to_array([x1, x2]))
    return xp.where(_mask(condition, x1 if hasattr(x1, "dtype") else x2, xp), x1, x2)


@where.vjp("x1")
def _(g, condition, xp):
    return xp.where(_mask(condition, g, xp), g, 0)


@where.vjp("x2")
def _(g, condition, xp):
    return xp.where(_mask(condition, g, xp), 0, g)


def _mask(condition, like, xp):
    """The condition as an array: CuPy takes no number for it."""
    return condition if hasattr(condition, "dtype") else xp.full_like(like, condition, dtype="bool")


@op(differentiable=False)
def equal(x1, x2):
    """Whether ``x1 == x2``, elementwise."""
    return x1 == x2


@op(differentiable=False)
def not_equal(x1, x2):
    """Whether ``x1 != x2``, elementwise."""
    return x1 != x2


@op(differentiable=False)
def less(x1, x2):
    """Whether ``x1 < x2``, elementwise."""
    return x1 < x2


@op(differentiable=False)
def less_equal(x1, x2):
    """Whether ``x1 <= x2``, elementwise."""
    return x1 <= x2


@op(differentiable=False)
def greater(x1, x2):
    """Whether ``x1 > x2``, elementwise."""
    return x1 > x2


@op(differentiable=False)
def greater_equal(x1, x2):
    """Whether ``x1 >= x2``, elementwise."""
    return x1 >= x2


@op(differentiable=False)
def logical_and(x1, x2, *, xp):
    """Whether both are true (not zero), elementwise."""
    return xp.logical_and(x1, x2)


@op(differentiable=False)
def logical_or(x1, x2, *, xp):
    """Whether either is true (not zero), elementwise."""
    return xp.logical_or(x1, x2)


@op(differentiable=False)
def logical_xor(x1, x2, *, xp):
    """Whether just one is true (not zero), elementwise."""
    return xp.logical_xor(x1, x2)


@op(differentiable=False)
def logical_not(x, *, xp):
    """Whether it is false (zero), elementwise."""
    return xp.logical_not(x)


@op(differentiable=False)
def bitwise_and(x1, x2):
    """``x1 & x2``, elementwise, of integers or booleans."""
    return x1 & x2


@op(differentiable=False)
def bitwise_or(x1, x2):
    """``x1 | x2``, elementwise, of integers or booleans."""
    return x1 | x2


@op(differentiable=False)
def bitwise_xor(x1, x2):
    """``x1 ^ x2``, elementwise, of integers or booleans."""
    return x1 ^ x2


@op(differentiable=False)
def bitwise_invert(x):
    """``~x``, elementwise, of integers or booleans."""
    return ~x


@op(differentiable=False)
def bitwise_left_shift(x1, x2):
    """``x1 << x2``, elementwise, of integers."""
    return x1 << x2


@op(differentiable=False)
def bitwise_right_shift(x1, x2):
    """``x1 >> x2``, elementwise, of integers."""
    return x1 >> x2


@op(differentiable=False)
def isfinite(x, *, xp):
    """Whether it is neither infinite nor NaN, elementwise."""
    return xp.isfinite(x)


@op(differentiable=False)
def isinf(x, *, xp):
    """Whether it is infinite, elementwise."""
    return xp.isinf(x)


@op(differentiable=False)
def isnan(x, *, xp):
    """Whether it is NaN, elementwise."""
    return xp.isnan(x)


@op(differentiable=False)
def signbit(x, *, xp):
    """Whether the sign bit is set, elementwise: also for -0.0."""
    return xp.signbit(x)
