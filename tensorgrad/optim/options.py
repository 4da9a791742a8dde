"""Options of optimizers and schedules, and what several optimizers do with them."""

from __future__ import annotations

from typing import Any

from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array


def plain(value: Any) -> Any:
    """``value`` with Python's own numbers in place of NumPy's and of tensors with one element."""
    if isinstance(value, Tensor) or backend.of(value) is not None:
        return value.item()
    if isinstance(value, (tuple, list)):
        return tuple(map(plain, value))
    return value


def require_not_negative(**options: float) -> None:
    """Raises for an option that is no number, negative or NaN."""
    for name, value in options.items():
        if not isinstance(value, (int, float)):
            raise TypeError(f"{name} is a number, got {value!r}.")
        if not value >= 0:
            raise ValueError(f"{name} must be 0 or greater, got {value}.")


def require_betas(betas: Any) -> None:
    """Raises unless these are two numbers that averages may be kept with."""
    if not isinstance(betas, tuple) or len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"betas are two numbers in [0, 1), got {betas!r}.")


def shrink(param: Array, lr: float, weight_decay: float) -> float:
    """Decays a parameter apart from its gradient, in place; the weight decay that is left to the gradient is 0."""
    if weight_decay:
        param *= 1 - lr * weight_decay
    return 0.0


def descent(xp: Any, param: Array, grad: Array, weight_decay: float, maximize: bool) -> Array:
    """The gradient of what is to fall: negated to maximize, with the penalty's gradient ``weight_decay * param``.

    Is ``grad`` itself if there is nothing to do, so it must not be changed.
    """
    if maximize:
        grad = xp.negative(grad)
    return grad + weight_decay * param if weight_decay else grad


def average(xp: Any, grad: Array, state: dict[str, Any], betas: tuple[float, float]) -> Array:
    """Takes a gradient into ``exp_avg``, and its square into ``exp_avg_sq``, in place.

    Returns:
        An array of their shape to work in: fresh memory costs more than the arithmetic.
    """
    mean, square = state["exp_avg"], state["exp_avg_sq"]
    scratch = xp.subtract(grad, mean, out=xp.empty_like(mean))
    scratch *= 1 - betas[0]
    mean += scratch
    xp.multiply(grad, grad, out=scratch)
    scratch *= 1 - betas[1]
    square *= betas[1]
    square += scratch
    return scratch
