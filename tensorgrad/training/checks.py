"""What a Trainer refuses before anything is changed, and why a loss is no number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.autograd.tensor import Tensor
from tensorgrad.nn.module import Module
from tensorgrad.ops.logic import isfinite


def require_own_optimizer(optimizer: Any, model: Module, criterion: Any) -> None:
    """Raises unless this is an optimizer of the model's: training with another one would go on and change nothing."""
    if not (hasattr(optimizer, "param_groups") and hasattr(optimizer, "step")):
        raise TypeError(f"an optimizer is made first, as tg.optim.Adam(model.parameters()); got {optimizer!r}.")
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    modules = [module for module in (model, criterion) if isinstance(module, Module)]
    own = [parameter for module in modules for parameter in module.parameters()]
    if own and not any(id(parameter) in trained for parameter in own):
        raise ValueError(
            f"none of the optimizer's parameters is one of {type(model).__name__}'s: make the optimizer from this "
            "model's parameters(), and after layers were replaced."
        )


def require_loss(loss: Any) -> None:
    """Raises unless this is one number that gradients can be computed of."""
    if not isinstance(loss, Tensor):
        raise TypeError(f"the criterion gives the loss as a Tensor, for gradients; got {type(loss).__name__}.")
    if loss.size != 1:
        raise ValueError(
            f"the criterion gives one number for a batch, got a loss of shape {loss.shape}: take its mean, as "
            "reduction='mean' does."
        )


def why_no_number(inputs: Sequence[Any], target: Any) -> str:
    """Where a loss that is NaN or infinite may come from."""
    for name, values in (("input", inputs), ("target", [target])):
        if any(isinstance(value, Tensor) and not isfinite(value).all() for value in values):
            return f"the batch's {name} holds NaN or infinity already."
    return "is the learning rate too large?"
