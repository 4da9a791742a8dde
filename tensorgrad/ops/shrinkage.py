"""Activation functions that take something off their input, or cut it off, elementwise."""

from __future__ import annotations

from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import abs, clip, multiply, subtract
from tensorgrad.ops.logic import logical_not, where
from tensorgrad.ops.trigonometry import tanh

__all__ = ["hardshrink", "softshrink", "tanhshrink", "threshold"]


def hardshrink(x, lambd=0.5):
    """``x`` where its absolute value is above ``lambd``, else 0, elementwise. It jumps at ``lambd`` and ``-lambd``.

    Args:
        x: an array of any shape.
        lambd: how large a number may be that is dropped.

    Example:
        >>> tg.hardshrink(tg.tensor([-1.0, 0.5, 0.75]))
        Tensor([-1.  ,  0.  ,  0.75], dtype=float32, device='cpu')
    """
    x = asarray(x)
    return multiply(x, logical_not(abs(x) <= lambd))


def softshrink(x, lambd=0.5):
    """``sign(x) * max(abs(x) - lambd, 0)``, elementwise: moved towards 0, and 0 where there is no more to take.

    It is the proximal operator of ``lambd * abs(x)``. The derivative at the bends is 0.

    Source: Donoho, *De-noising by soft-thresholding*, 1995.

    Args:
        x: an array of any shape.
        lambd: what is taken off, 0 or more.

    Raises:
        ValueError: if ``lambd`` is negative.

    Example:
        >>> tg.softshrink(tg.tensor([-1.0, 0.5, 0.75]))
        Tensor([-0.5 ,  0.  ,  0.25], dtype=float32, device='cpu')
    """
    if not lambd >= 0:
        raise ValueError(f"softshrink() needs a lambd of 0 or more, got {lambd}.")
    x = asarray(x)
    return subtract(x, clip(x, -lambd, lambd))


def tanhshrink(x):
    """``x - tanh(x)``, elementwise.

    Example:
        >>> tg.tanhshrink(tg.tensor([0.0, 1.0])).numpy().round(3)
        array([0.   , 0.238], dtype=float32)
    """
    return subtract(x, tanh(x))


def threshold(x, threshold, value):
    """``x`` where it is above ``threshold``, else ``value``, elementwise. The derivative at the threshold is 0.

    Args:
        x: an array of any shape.
        threshold: a number.
        value: what stands for all that is not above it, a number.

    Example:
        >>> tg.threshold(tg.tensor([0.0, 1.0, 2.0]), 1.0, -3.0)
        Tensor([-3., -3.,  2.], dtype=float32, device='cpu')
    """
    x = asarray(x)
    return where(x <= threshold, value, x)
