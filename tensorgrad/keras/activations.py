"""Activation functions under Keras's names and with its defaults: those of :mod:`tensorgrad.nn.functional`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.keras.registry import made
from tensorgrad.nn import functional as F
from tensorgrad.nn.functional import (
    celu,
    elu,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.elementwise import clip
from tensorgrad.ops.logic import where
from tensorgrad.ops.powers import exp

__all__ = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

Activation = Callable[..., Any]


def linear(x: Any) -> Any:
    """The input itself."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """``max(x, 0)``, or with other corners.

    Args:
        x: numbers of any shape.
        negative_slope: what is below ``threshold`` is ``negative_slope * (x - threshold)``.
        max_value: the most that comes out; None: without limit.
        threshold: what is below it counts as negative.

    Example:
        >>> relu(tg.tensor([-2.0, 1.0, 9.0]), negative_slope=0.5, max_value=6.0).tolist()
        [-1.0, 1.0, 6.0]
    """
    x = asarray(x)
    if threshold:
        y = where(x < threshold, negative_slope * (x - threshold), x)
    else:
        y = F.leaky_relu(x, negative_slope) if negative_slope else F.relu(x)
    return y if max_value is None else clip(y, None, max_value)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """``x`` where it is positive, ``negative_slope * x`` elsewhere."""
    return F.leaky_relu(x, negative_slope)


def gelu(x: Any, approximate: bool = False) -> Any:
    """``x`` times the normal distribution at it, or an approximation by tanh."""
    return F.gelu(x, "tanh" if approximate else "none")


def exponential(x: Any) -> Any:
    """The exponential function."""
    return exp(x)


hard_sigmoid = F.hardsigmoid
hard_silu = F.hardswish
hard_tanh = F.hardtanh
log_sigmoid = F.logsigmoid

KNOWN: dict[str, Activation] = {
    "celu": celu,
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": hard_silu,
    "hard_swish": hard_silu,
    "hard_tanh": hard_tanh,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_sigmoid": log_sigmoid,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "swish": silu,
    "tanh": tanh,
}


LAYERS: dict[str, Any] = {}
"""Those that are layers, with settings; they are put in where they are."""


def get(identifier: Any) -> Activation:
    """The function that a name, or None for :func:`linear`, stands for; functions and layers stand for themselves.

    Raises:
        ValueError: for an unknown name; lists the known ones.

    Example:
        >>> get("relu")(tg.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """
    function: Activation = linear if identifier is None else made("activation", identifier, KNOWN | LAYERS)
    return function
