"""Adagrad."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import descent, require_not_negative
from tensorgrad.optim.parameters import Parameters


class Adagrad(Optimizer):
    """Adagrad: the gradient, divided by the root of the sum of all its squares so far.

    With the gradient g (plus ``weight_decay`` times the parameter p), in step t::

        s = s + g * g
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization"
    (2011).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the learning rate.
        lr_decay: what the learning rate falls by in each step.
        weight_decay: the factor of the penalty ``weight_decay / 2 * sum(p * p)``.
        initial_accumulator_value: what s is before the first step.
        eps: added to the denominator, after the root.
        maximize: go up, not down.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 1000.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.Adagrad([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 6) for x in w.tolist()]
        [0.5, 999.5]
    """

    required_state = frozenset({"step", "sum"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "eps": eps,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, maximize: bool, **options: float) -> None:
        require_not_negative(**options)

    def update(
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        lr_decay: float,
        weight_decay: float,
        initial_accumulator_value: float,
        eps: float,
        maximize: bool,
    ) -> None:
        if not state:
            state.update(step=0, sum=xp.full_like(param, initial_accumulator_value))
        state["step"] += 1
        grad = descent(xp, param, grad, weight_decay, maximize)

        scratch = xp.multiply(grad, grad, out=xp.empty_like(param))
        state["sum"] += scratch
        xp.sqrt(state["sum"], out=scratch)
        scratch += eps
        xp.divide(grad, scratch, out=scratch)
        scratch *= lr / (1 + (state["step"] - 1) * lr_decay)
        param -= scratch
