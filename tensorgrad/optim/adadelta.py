"""Adadelta."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import descent, require_not_negative
from tensorgrad.optim.parameters import Parameters


class Adadelta(Optimizer):
    """Adadelta: steps as large as those before, over gradients as large as those before.

    With the gradient g (plus ``weight_decay`` times the parameter p)::

        s = rho * s + (1 - rho) * g * g
        d = sqrt(a + eps) / sqrt(s + eps) * g
        a = rho * a + (1 - rho) * d * d
        p = p - lr * d

    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012), which has no learning rate (1 here).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the learning rate.
        rho: what is kept of the averages, in [0, 1].
        eps: added to the averages, under the roots.
        weight_decay: the factor of the penalty ``weight_decay / 2 * sum(p * p)``.
        maximize: go up, not down.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 1000.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.Adadelta([w], rho=0.0, eps=1e-4)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 3) for x in w.tolist()]
        [0.99, 999.99]
    """

    required_state = frozenset({"square_avg", "acc_delta"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, defaults)

    def check(self, lr: float, rho: float, eps: float, weight_decay: float, maximize: bool) -> None:
        require_not_negative(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        if rho > 1:
            raise ValueError(f"rho is in [0, 1], got {rho}.")

    def update(
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
        maximize: bool,
    ) -> None:
        if not state:
            state.update(square_avg=xp.zeros_like(param), acc_delta=xp.zeros_like(param))
        square, steps = state["square_avg"], state["acc_delta"]
        grad = descent(xp, param, grad, weight_decay, maximize)

        scratch = xp.multiply(grad, grad, out=xp.empty_like(param))
        scratch *= 1 - rho
        square *= rho
        square += scratch
        delta = xp.sqrt(steps + eps)
        xp.add(square, eps, out=scratch)
        xp.sqrt(scratch, out=scratch)
        delta /= scratch
        delta *= grad
        xp.multiply(delta, delta, out=scratch)
        scratch *= 1 - rho
        steps *= rho
        steps += scratch
        delta *= lr
        param -= delta
