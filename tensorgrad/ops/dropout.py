"""Dropout: some of the values at random set to 0, and the others made larger, so that the expectation stays.

Source: Srivastava et al., *Dropout*, 2014.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.activations import SELU_ALPHA, SELU_SCALE
from tensorgrad.ops.arguments import as_floating
from tensorgrad.ops.logic import where
from tensorgrad.ops.memory_order import either_order
from tensorgrad.random import current_generator

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]

SELU_LIMIT = -SELU_ALPHA * SELU_SCALE
"""What SELU gives far out on the negative side."""


@op
def _keep(x, mask, /, scale):
    # A mask of booleans takes a quarter of the memory that floats would.
    y = x * mask
    y *= scale
    return y


@_keep.vjp("x")
def _(g, mask, scale):
    return g * mask * scale


def _kept(name: str, x: Tensor, shape: tuple[int, ...], p: float, training: bool) -> Any:
    """What is kept, a mask of this shape; None for everything."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name}() needs a probability p from 0 to 1, got {p}.")
    return current_generator().bernoulli(1 - p, shape, x.device) if training and p else None


def _drop(name: str, x: Tensor, shape: tuple[int, ...], p: float, training: bool) -> Tensor:
    mask = _kept(name, x, shape, p, training)
    result: Tensor = x if mask is None else _keep(x, mask, 0.0 if p == 1 else 1 / (1 - p))
    return result


def dropout(x: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """Each element with probability ``p`` set to 0, and otherwise divided by ``1 - p``.

    Args:
        x: floating point numbers, an array of any shape.
        p: the probability, from 0 to 1.
        training: where it is False ``x`` itself is returned.

    Raises:
        ValueError: if ``p`` is no probability.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> tg.dropout(tg.ones(6), p=0.5)
        Tensor([2., 2., 0., 2., 2., 2.], dtype=float32, device='cpu')
    """
    x = as_floating("dropout", x)
    return _drop("dropout", x, x.shape, p, training)


def _drop_channels(d: int, x: Any, p: float, training: bool) -> Tensor:
    x = as_floating(f"dropout{d}d", x)
    if x.ndim not in (d + 1, d + 2):
        raise ValueError(f"dropout{d}d() takes {d + 2} axes (N, C, *spatial) or {d + 1}, got shape {x.shape}.")
    return _drop(f"dropout{d}d", x, x.shape[:-d] + (1,) * d, p, training)


@either_order(channels=-2)
def dropout1d(x: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """As :func:`dropout2d`, for (N, C, L) or (C, L).

    Example:
        >>> tg.dropout1d(tg.ones((3, 2)), p=1.0).sum().item()
        0.0
    """
    return _drop_channels(1, x, p, training)


@either_order(channels=-3)
def dropout2d(x: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """:func:`dropout` of whole channels (Tompson et al., 2015).

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        p: the probability that a channel is set to 0.
        training: where it is False ``x`` itself is returned.

    Raises:
        ValueError: if ``p`` is no probability, or ``x`` has another number of axes.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> tg.dropout2d(tg.ones((3, 1, 2))).squeeze(1)
        Tensor([[2., 2.],
                [2., 2.],
                [0., 0.]], dtype=float32, device='cpu')
    """
    return _drop_channels(2, x, p, training)


@either_order(channels=-4)
def dropout3d(x: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """As :func:`dropout2d`, for (N, C, D, H, W) or (C, D, H, W).

    Example:
        >>> tg.dropout3d(tg.ones((3, 2, 2, 2)), p=1.0).sum().item()
        0.0
    """
    return _drop_channels(3, x, p, training)


def _alpha_drop(name: str, x: Tensor, shape: tuple[int, ...], p: float, training: bool) -> Tensor:
    mask = _kept(name, x, shape, p, training)
    if mask is None:
        return x
    if p == 1:
        return x * 0
    keep = 1 - p
    scale = (keep + SELU_LIMIT**2 * keep * p) ** -0.5
    return where(mask, x, SELU_LIMIT) * scale - scale * SELU_LIMIT * p


def alpha_dropout(x: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """Dropout for SELU: elements are set to SELU's limit, and all are moved so that mean 0 and variance 1 stay.

    Source: Klambauer et al., *Self-normalizing neural networks*, 2017.

    Args:
        x: floating point numbers, an array of any shape.
        p: the probability, from 0 to 1.
        training: where it is False ``x`` itself is returned.

    Raises:
        ValueError: if ``p`` is no probability.
        TypeError: if ``x`` is not floating point.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> tg.alpha_dropout(tg.zeros(4)).numpy().round(3)
        array([ 0.779,  0.779, -0.779,  0.779], dtype=float32)
    """
    x = as_floating("alpha_dropout", x)
    return _alpha_drop("alpha_dropout", x, x.shape, p, training)


@either_order(channels=1)
def feature_alpha_dropout(x: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """:func:`alpha_dropout` of whole channels, for (N, C, ...).

    Example:
        >>> tg.feature_alpha_dropout(tg.ones((3, 2, 2)), p=1.0).sum().item()
        0.0
    """
    x = as_floating("feature_alpha_dropout", x)
    if x.ndim < 2:
        raise ValueError(f"feature_alpha_dropout() takes an input (N, C, ...), got shape {x.shape}.")
    return _alpha_drop("feature_alpha_dropout", x, x.shape[:2] + (1,) * (x.ndim - 2), p, training)
