"""Trigonometric and hyperbolic functions, elementwise, each beside its derivative. Angles are in radians."""

from __future__ import annotations

from tensorgrad.autograd import op

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


@op
def sin(x, *, xp):
    """Sine.

    Example:
        >>> tg.sin(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 0.841], dtype=float32)
    """
    return xp.sin(x)


@sin.vjp("x")
def _(g, x, xp):
    return g * xp.cos(x)


@op
def cos(x, *, xp):
    """Cosine.

    Example:
        >>> tg.cos(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([1.  , 0.54], dtype=float32)
    """
    return xp.cos(x)


@cos.vjp("x")
def _(g, x, xp):
    return -g * xp.sin(x)


@op
def tan(x, *, xp):
    """Tangent.

    Example:
        >>> tg.tan(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 1.557], dtype=float32)
    """
    return xp.tan(x)


@tan.vjp("x")
def _(g, out):
    return g * (1 + out * out)


@op
def asin(x, *, xp):
    """Inverse sine, for -1 to 1.

    Example:
        >>> tg.asin(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 1.571], dtype=float32)
    """
    return xp.asin(x)


@asin.vjp("x")
def _(g, x, xp):
    return g / xp.sqrt((1 - x) * (1 + x))


@op
def acos(x, *, xp):
    """Inverse cosine, for -1 to 1.

    Example:
        >>> tg.acos(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([1.571, 0.   ], dtype=float32)
    """
    return xp.acos(x)


@acos.vjp("x")
def _(g, x, xp):
    return -g / xp.sqrt((1 - x) * (1 + x))


@op
def atan(x, *, xp):
    """Inverse tangent.

    Example:
        >>> tg.atan(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 0.785], dtype=float32)
    """
    return xp.atan(x)


@atan.vjp("x")
def _(g, x):
    return g / (1 + x * x)


@op
def atan2(x1, x2, *, xp):
    """The angle of the point with ordinate ``x1`` and abscissa ``x2``, from -pi to pi.

    Example:
        >>> tg.atan2(tg.tensor([1.0, 0.0]), -1.0).numpy().round(3)
        array([2.356, 3.142], dtype=float32)
    """
    return xp.atan2(x1, x2)


@atan2.vjp("x1")
def _(g, x1, x2):
    return g * (x2 / (x1 * x1 + x2 * x2))


@atan2.vjp("x2")
def _(g, x1, x2):
    return g * (-x1 / (x1 * x1 + x2 * x2))


@op
def sinh(x, *, xp):
    """Hyperbolic sine.

    Example:
        >>> tg.sinh(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 1.175], dtype=float32)
    """
    return xp.sinh(x)


@sinh.vjp("x")
def _(g, x, xp):
    return g * xp.cosh(x)


@op
def cosh(x, *, xp):
    """Hyperbolic cosine.

    Example:
        >>> tg.cosh(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([1.   , 1.543], dtype=float32)
    """
    return xp.cosh(x)


@cosh.vjp("x")
def _(g, x, xp):
    return g * xp.sinh(x)


@op
def tanh(x, *, xp):
    """Hyperbolic tangent.

    Example:
        >>> tg.tanh(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 0.762], dtype=float32)
    """
    return xp.tanh(x)


@tanh.vjp("x")
def _(g, out):
    return g * (1 - out * out)


@op(elementwise=True)
def asinh(x, *, xp):
    """Inverse hyperbolic sine.

    Example:
        >>> tg.asinh(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 0.881], dtype=float32)
    """
    return xp.asinh(x)


@asinh.vjp("x")
def _(g, x, xp):
    return g / xp.hypot(x, 1)


@op
def acosh(x, *, xp):
    """Inverse hyperbolic cosine, from 1 on.

    Example:
        >>> tg.acosh(tg.tensor([1.0, 2.0])).numpy().round(3)
        array([0.   , 1.317], dtype=float32)
    """
    return xp.acosh(x)


@acosh.vjp("x")
def _(g, x, xp):
    return g / (xp.sqrt(x - 1) * xp.sqrt(x + 1))


@op
def atanh(x, *, xp):
    """Inverse hyperbolic tangent, between -1 and 1.

    Example:
        >>> tg.atanh(tg.tensor([0.0, 0.5])).numpy().round(3)
        array([0.   , 0.549], dtype=float32)
    """
    return xp.atanh(x)


@atanh.vjp("x")
def _(g, x):
    return g / ((1 - x) * (1 + x))
