"""Special functions, elementwise."""

from __future__ import annotations

import math

from tensorgrad.autograd import op

__all__ = ["erf", "erfinv"]

# x P(x^2) / Q(x^2), lowest power first: minimax fits of the relative error, which is 1.9e-8 up to 3.92 and 2.9e-17 up
# to 5.92. Beyond, erf is 1 to rounding. All coefficients are positive, so nothing cancels.
_ERF_SINGLE = (
    3.92,
    (1.12837914534, 0.190473548526, 0.0527571678776, 0.00376829911894, 0.000284910031622, 2.04918972829e-6),
    (1.0, 0.502135523802, 0.114136429022, 0.0149747163506, 0.00116311809197, 3.80837302951e-5),
)
_ERF_DOUBLE = (
    5.92,
    (
        1.12837916709551254,
        0.220005841890315593,
        0.066092487224534415,
        0.00688055623309958883,
        0.000854862379554613749,
        5.68435677104424461e-5,
        3.89516768370565847e-6,
        1.69139670313308125e-7,
        6.75070325188962543e-9,
        1.71700169423848818e-10,
        3.33890222820619163e-12,
        2.23491932002534739e-14,
        1.58038731120086322e-17,
    ),
    (
        1.0,
        0.528308434173430918,
        0.134675753139700077,
        0.0219683323011130086,
        0.00256194679110811735,
        0.000225794261134502488,
        1.54748072075912676e-5,
        8.33619495419214364e-7,
        3.50953479401216911e-8,
        1.12288660122665894e-9,
        2.54735828663610179e-11,
        3.32672262508933117e-13,
        8.89312266428955547e-16,
    ),
)


def _polynomial(coefficients, t):
    value = coefficients[-1] * t
    for coefficient in coefficients[-2:0:-1]:
        value += coefficient
        value *= t
    value += coefficients[0]
    return value


@op
def erf(x, *, xp):
    """The error function ``2 / sqrt(pi) * integral of exp(-t**2) from 0 to x``, elementwise, to rounding.

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
    return value


@erf.vjp("x")
def _(g, x, xp):
    return g * (2 / math.sqrt(math.pi) * bell(x, 1.0, xp))


@op
def erfinv(x, *, xp):
    """The number whose :func:`erf` is ``x``, elementwise; infinite at -1 and 1, NaN beyond.

    Source: the first guess is Winitzki's (2008); two steps of Halley's method make it exact to rounding.

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
    z = xp.where(size < 1, z, xp.where(size == 1, y / xp.where(size == 1, 0, 1), math.nan))
    return z.astype(x.dtype if x.dtype.kind == "f" else xp.float64)


@erfinv.vjp("x")
def _(g, out, xp):
    return g * (math.sqrt(math.pi) / 2 * xp.exp(out * out))


def bell(x, rate, xp):
    """``exp(-rate * x**2)``; squares of what is beyond 40 might overflow, and it is 0 there."""
    return xp.exp(-rate * xp.square(xp.clip(x, -40.0, 40.0)))
