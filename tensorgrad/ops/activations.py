"""Activation functions, elementwise, each beside its derivative.

The derivative at a kink is that of the flat side: relu'(0) = 0. Masks are multiplied with, not chosen by: NumPy's
``where`` takes twenty times as long on values in random order.
"""

from __future__ import annotations

import math

from tensorgrad.autograd import op
from tensorgrad.ops.arguments import beside, with_aliases
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import clip, divide, multiply
from tensorgrad.ops.geometry import normalize_axis
from tensorgrad.ops.powers import logistic
from tensorgrad.ops.shape import split
from tensorgrad.ops.special import bell, erf
from tensorgrad.random import current_generator

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "rrelu",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

# -- made of straight lines ------------------------------------------------------------------------------------


def _positive_part(x, xp):
    # NumPy's clip with two bounds is three times as fast as its maximum.
    return xp.clip(x, 0, math.inf) if x.dtype.kind == "f" else xp.maximum(x, 0)


def _negative_part(x, xp):
    return xp.clip(x, -math.inf, 0) if x.dtype.kind == "f" else xp.minimum(x, 0)


@op
def relu(x, *, xp):
    """``max(x, 0)``, elementwise: the rectified linear unit. The derivative at 0 is 0.

    Example:
        >>> tg.relu(tg.tensor([-1.0, 2.0]))
        Tensor([0., 2.], dtype=float32, device='cpu')
    """
    return _positive_part(x, xp)


@relu.vjp("x")
def _(g, out):
    return g * (out > 0)


@op
def hardtanh(x, /, min_val=-1.0, max_val=1.0, *, xp):
    """``x`` between two bounds, which are taken beyond them, elementwise. The derivative at the bounds is 0.

    Example:
        >>> tg.hardtanh(tg.tensor([-2.0, 0.5, 2.0]))
        Tensor([-1. ,  0.5,  1. ], dtype=float32, device='cpu')
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh() needs min_val <= max_val, got {min_val} and {max_val}.")
    return xp.clip(x, min_val, max_val)


@hardtanh.vjp("x")
def _(g, out, min_val, max_val):
    return g * ((out > min_val) & (out < max_val))


def relu6(x):
    """``min(max(x, 0), 6)``, elementwise (Krizhevsky, 2010).

    Example:
        >>> tg.relu6(tg.tensor([-1.0, 2.0, 8.0]))
        Tensor([0., 2., 6.], dtype=float32, device='cpu')
    """
    return hardtanh(x, 0.0, 6.0)


def hardsigmoid(x):
    """``relu6(x + 3) / 6``, elementwise: a sigmoid of straight lines.

    Example:
        >>> tg.hardsigmoid(tg.tensor([-4.0, 0.0, 4.0]))
        Tensor([0. , 0.5, 1. ], dtype=float32, device='cpu')
    """
    return (hardtanh(x, -3.0, 3.0) + 3) / 6


def hardswish(x):
    """``x * hardsigmoid(x)``, elementwise (Howard et al., *Searching for MobileNetV3*, 2019).

    Example:
        >>> tg.hardswish(tg.tensor([-4.0, 3.0, 4.0]))
        Tensor([-0.,  3.,  4.], dtype=float32, device='cpu')
    """
    return multiply(x, hardsigmoid(x))


@op
def leaky_relu(x, /, negative_slope=0.01, *, xp):
    """``x`` where it is positive, else ``negative_slope * x``, elementwise (Maas et al., 2013).

    The derivative at 0 is the slope.

    Example:
        >>> tg.leaky_relu(tg.tensor([-1.0, 2.0]), negative_slope=0.5)
        Tensor([-0.5,  2. ], dtype=float32, device='cpu')
    """
    return _positive_part(x, xp) + negative_slope * _negative_part(x, xp)


@leaky_relu.vjp("x")
def _(g, x, negative_slope):
    passed = g * (x > 0)
    return passed + negative_slope * (g - passed)


def prelu(x, weight):
    """``x`` where it is positive, else ``weight * x``, elementwise: a leaky ReLU whose slope is learned.

    The derivative at 0 is the slope.

    Source: He et al., *Delving deep into rectifiers*, 2015.

    Args:
        x: shape (N, C, ...), or any shape for one slope.
        weight: the slopes: shape (1,), or (C,) for one per channel.

    Example:
        >>> tg.prelu(tg.tensor([-1.0, 2.0]), tg.tensor([0.5]))
        Tensor([-0.5,  2. ], dtype=float32, device='cpu')
    """
    x = asarray(x)
    weight = beside(x, weight)
    if weight.size > 1:
        channels = x.shape[1] if x.ndim > 1 else None
        if weight.shape != (channels,):
            raise ValueError(
                f"prelu() needs one slope, or one for each of the channels on axis 1; got weight of shape "
                f"{weight.shape} for x of shape {x.shape}."
            )
        weight = weight.reshape((channels,) + (1,) * (x.ndim - 2))
    elif x.ndim == 0:
        weight = weight.reshape(())
    return relu(x) + weight * clip(x, max=0)


def rrelu(x, lower=1 / 8, upper=1 / 3, training=False):
    """A leaky ReLU whose slopes are random, one for each element; the derivative at 0 is the slope.

    Source: Xu et al., *Empirical evaluation of rectified activations in convolutional network*, 2015.

    Args:
        x: an array of any shape.
        lower: the least slope.
        upper: the largest.
        training: where it is False, the slope is the mean of both.

    Raises:
        ValueError: if ``lower`` is above ``upper``.

    Example:
        >>> tg.rrelu(tg.tensor([-1.0, 2.0]), 0.25, 0.75)
        Tensor([-0.5,  2. ], dtype=float32, device='cpu')
    """
    if not lower <= upper:
        raise ValueError(f"rrelu() needs lower <= upper, got {lower} and {upper}.")
    x = asarray(x)
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    slopes = current_generator().uniform(x.shape, x.dtype, x.device, lower, upper)
    return relu(x) + slopes * clip(x, max=0)


# -- sigmoids --------------------------------------------------------------------------------------------------


@op
def sigmoid(x, *, xp):
    """``1 / (1 + exp(-x))``, elementwise: the logistic function. Exact to rounding for all x, large and small.

    Example:
        >>> tg.sigmoid(tg.tensor([-1e4, 0.0, 1e4]))
        Tensor([0. , 0.5, 1. ], dtype=float32, device='cpu')
    """
    return logistic(x, xp)


@sigmoid.vjp("x")
def _(g, out):
    return g * (out * (1 - out))


@op(elementwise=True)
def log_sigmoid(x, *, xp):
    """``log(sigmoid(x))`` without overflow, elementwise.

    Example:
        >>> tg.log_sigmoid(tg.tensor([-1e4, 1e4])).tolist()
        [-10000.0, 0.0]
    """
    return _negative_part(x, xp) - xp.log1p(xp.exp(-xp.abs(x)))


@log_sigmoid.vjp("x")
def _(g, out, xp):
    return -g * xp.expm1(out)


@op(elementwise=True)
def softplus(x, /, beta=1.0, threshold=20.0, *, xp):
    """``log(1 + exp(beta * x)) / beta`` without overflow, elementwise: a smooth ReLU.

    Args:
        x: an array of any shape.
        beta: how sharp the bend is, not 0.
        threshold: where ``beta * x`` is above it the result is ``x``, as in PyTorch.

    Example:
        >>> tg.softplus(tg.tensor([0.0, 100.0])).numpy().round(3)
        array([  0.693, 100.   ], dtype=float32)
    """
    scaled = beta * x
    soft = (_positive_part(scaled, xp) + xp.log1p(xp.exp(-xp.abs(scaled)))) / beta
    return xp.where(scaled > threshold, x, soft)


@softplus.vjp("x")
def _(g, x, beta, threshold, xp):
    scaled = beta * x
    slope = logistic(scaled, xp)
    return g * (slope + (1 - slope) * (scaled > threshold))


@op(elementwise=True)
def silu(x):
    """``x * sigmoid(x)``, elementwise, also called swish.

    Source: Elfwing et al., 2017; Ramachandran et al., 2017.

    Example:
        >>> tg.silu(tg.tensor([-1e4, 0.0, 1e4]))
        Tensor([   -0.,     0., 10000.], dtype=float32, device='cpu')
    """
    return x * sigmoid(x)


@silu.vjp("x")
def _(g, x):
    s = sigmoid(x)
    return g * (s * (1 + x * (1 - s)))


@with_aliases
def glu(x, axis=-1):
    """The first half of ``x`` along an axis, each element times the sigmoid of its counterpart in the second half.

    Source: Dauphin et al., *Language modeling with gated convolutional networks*, 2017.

    Args:
        x: an array with an even length along the axis.
        axis: the axis.

    Returns:
        An array of half that length.

    Raises:
        ValueError: if the length is odd.

    Example:
        >>> tg.glu(tg.tensor([1.0, 2.0, 0.0, 1e4]))
        Tensor([0.5, 2. ], dtype=float32, device='cpu')
    """
    x = asarray(x)
    (axis,) = normalize_axis(axis, x.ndim)
    if x.shape[axis] % 2:
        raise ValueError(f"glu() halves an axis of even length, got shape {x.shape} and axis {axis}.")
    values, gates = split(x, 2, axis=axis)
    return multiply(values, sigmoid(gates))


@op(elementwise=True)
def mish(x, *, xp):
    """``x * tanh(softplus(x))``, elementwise (Misra, 2019).

    Example:
        >>> tg.mish(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 0.865], dtype=float32)
    """
    return x * xp.tanh(softplus(x))


@mish.vjp("x")
def _(g, x, xp):
    t = xp.tanh(softplus(x))
    return g * (t + x * (1 - t * t) * sigmoid(x))


@op
def softsign(x, *, xp):
    """``x / (1 + abs(x))``, elementwise.

    Example:
        >>> tg.softsign(tg.tensor([-1.0, 3.0]))
        Tensor([-0.5 ,  0.75], dtype=float32, device='cpu')
    """
    return x / (1 + xp.abs(x))


@softsign.vjp("x")
def _(g, x, xp):
    size = 1 + xp.abs(x)
    return g / size / size


# -- exponential on the negative side --------------------------------------------------------------------------


@op(elementwise=True)
def elu(x, /, alpha=1.0, *, xp):
    """``x`` where it is positive, else ``alpha * (exp(x) - 1)``, elementwise (Clevert et al., 2015).

    The derivative at 0 is ``alpha``.

    Example:
        >>> tg.elu(tg.tensor([-1e4, 2.0]))
        Tensor([-1.,  2.], dtype=float32, device='cpu')
    """
    return _positive_part(x, xp) + alpha * xp.expm1(_negative_part(x, xp))


@elu.vjp("x")
def _(g, x, alpha, xp):
    passed = g * (x > 0)
    return passed + (g - passed) * (alpha * xp.exp(xp.clip(x, -math.inf, 0)))


def selu(x):
    """``scale * elu(x, alpha)``, elementwise, with the constants that keep mean 0 and variance 1 from layer to layer.

    Source: Klambauer et al., *Self-normalizing neural networks*, 2017.

    Example:
        >>> tg.selu(tg.tensor([-1e4, 1.0])).numpy().round(4)
        array([-1.7581,  1.0507], dtype=float32)
    """
    return elu(x, SELU_ALPHA) * SELU_SCALE


def celu(x, alpha=1.0):
    """``x`` where it is positive, else ``alpha * (exp(x / alpha) - 1)``, elementwise (Barron, 2017): smooth at 0.

    Example:
        >>> tg.celu(tg.tensor([-1e4, 2.0]), alpha=2.0)
        Tensor([-2.,  2.], dtype=float32, device='cpu')
    """
    return elu(divide(x, alpha)) * alpha


# -- Gaussian --------------------------------------------------------------------------------------------------


@op(elementwise=True)
def gelu(x, /, approximate="none", *, xp):
    """``x * Phi(x)``, elementwise, where Phi is the distribution function of the normal distribution.

    Source: Hendrycks and Gimpel, *Gaussian error linear units*, 2016.

    Args:
        x: an array of any shape.
        approximate: ``"none"``, or ``"tanh"`` for ``0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3)))``.

    Example:
        >>> tg.gelu(tg.tensor([0.0, 1.0])).numpy().round(4)
        array([0.    , 0.8413], dtype=float32)
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu() knows approximate='none' and 'tanh', not {approximate!r}.")
    return x * _gaussian(x, approximate, xp)


@gelu.vjp("x")
def _(g, x, approximate, xp):
    if approximate == "none":
        density = bell(x, 0.5, xp) / math.sqrt(2 * math.pi)
    else:
        inner = xp.clip(x, -10.0, 10.0)
        t = xp.tanh(_cubic(inner))
        density = (1 - t * t) * (math.sqrt(0.5 / math.pi) * (1 + 3 * 0.044715 * inner * inner))
    return g * (_gaussian(x, approximate, xp) + x * density)


def _gaussian(x, approximate, xp):
    if approximate == "none":
        return 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return 0.5 * (1 + xp.tanh(_cubic(xp.clip(x, -10.0, 10.0))))


def _cubic(x):
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)
