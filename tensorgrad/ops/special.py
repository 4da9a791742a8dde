"""Special functions, elementwise."""

from __future__ import annotations

import math

from tensorgrad.autograd import op

__all__ = ["erf", "erfinv"]

# x P(x^2) / Q(x^2), lowest power first: minimax fits of the relative error, which is 1.9e-8 up to 3.92 and 2.9e-17 up
# to 5.92. Beyond, erf is 1 to rounding. All coefficients are positive, so nothing cancels.
_ERF_SINGLE = (
    3.92,
    (1.1283791461, 0.19040400257, 0.052748363259, 0.0037654995654, 0.00028487808294, 2.0500813924e-6),
    (1.0, 0.50207389563, 0.11410806128, 0.014968986491, 0.0011625031154, 3.8091407988e-5),
)
_ERF_DOUBLE = (
    5.92,
    (
        1.1283791670955126,
        0.21998822794739104,
        0.06608927025617028,
        0.00687957524270904,
        0.0008547695678284699,
        5.6832068063806585e-05,
        3.894506717276648e-06,
        1.6909663057093057e-07,
        6.74931187494643e-09,
        1.7165455623622708e-10,
        3.338709065959509e-12,
        2.235385182198178e-14,
        1.5810043912187525e-17,
    ),
    (
        1.0,
        0.5282928242229479,
        0.1346676988588892,
        0.021966339155795492,
        0.0025616339196731456,
        0.00022575959359795046,
        1.5471959556868375e-05,
        8.334430859056873e-07,
        3.5087199710036766e-08,
        1.122622999841021e-09,
        2.546849227664443e-11,
        3.327012420650798e-13,
        8.895856839283696e-16,
    ),
)


def _polynomial(coefficients, t):
    value = coefficients[-1] * t
    for coefficient in coefficients[-2:0:-1]:
        value += coefficient
        value *= t
    value += coefficients[0]
    return value


@op(elementwise=True)
def erf(x, *, xp):
    """The error function ``2 / sqrt(pi) * integral of exp(-t**2) from 0 to x``, elementwise.

    Right to a few units in the last place.

    Example:
        >>> tg.erf(tg.tensor([0.0, 1.0])).numpy().round(4)
        array([0.    , 0.8427], dtype=float32)
    """
    if x.dtype == xp.float16:
        return erf(x.astype(xp.float32)).astype(xp.float16)
    bound, above, below = _ERF_SINGLE if x.dtype == xp.float32 else _ERF_DOUBLE
    x = xp.clip(x, -bound, bound)
    t = x * x
    value = x * _polynomial(above, t)
    value /= _polynomial(below, t)
    return xp.where(xp.abs(x) < bound, xp.clip(value, -1.0, 1.0), xp.sign(x))


@erf.vjp("x")
def _(g, x, xp):
    return g * (2 / math.sqrt(math.pi) * bell(x, 1.0, xp))


@op(elementwise=True)
def erfinv(x, *, xp):
    """The number whose :func:`erf` is ``x``, elementwise; infinite at -1 and 1, NaN beyond.

    Source: the first guess is Winitzki's (2008); two steps of Halley's method follow.

    Example:
        >>> tg.erfinv(tg.tensor([0.0, 0.5])).numpy().round(4)
        array([0.    , 0.4769], dtype=float32)
    """
    y = x.astype(xp.float64)
    size = xp.abs(y)
    inside = xp.where(size < 1, y, 0)
    half = xp.log1p(-inside * inside) / 2
    shift = 2 / (math.pi * 0.147) + half
    z = xp.sign(y) * xp.sqrt(xp.sqrt(shift * shift - 2 * half / 0.147) - shift)
    for _ in range(2):
        step = (erf(z) - inside) * (math.sqrt(math.pi) / 2 * xp.exp(z * z))
        z = z - step / (1 + z * step)
    z = xp.where(size < 1, z, xp.where(size == 1, xp.where(y > 0, math.inf, -math.inf), math.nan))
    return z.astype(x.dtype if x.dtype.kind == "f" else xp.float64)


@erfinv.vjp("x")
def _(g, out, xp):
    return g * (math.sqrt(math.pi) / 2 * xp.exp(out * out))


def bell(x, rate, xp):
    """``exp(-rate * x**2)``; squares of what is beyond 40 might overflow, and it is 0 there."""
    return xp.exp(-rate * xp.square(xp.clip(x, -40.0, 40.0)))
