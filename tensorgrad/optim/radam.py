"""RAdam."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import average, descent, require_betas, require_not_negative, shrink
from tensorgrad.optim.parameters import Parameters

ENOUGH = 5.0
"""Of fewer squared gradients, to count those that fade as less, the mean is too uncertain to divide by."""


class RAdam(Optimizer):
    """Rectified Adam: its first steps, where the mean square is not known well, are shorter or plain momentum.

    With the gradient g (plus ``weight_decay`` times the parameter p), in step t::

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        r = rho - 2 * t * beta2**t / (1 - beta2**t)    with rho = 2 / (1 - beta2) - 1
        f = sqrt((r - 4) * (r - 2) * rho / ((rho - 4) * (rho - 2) * r))
        p = p - lr * m / (1 - beta1**t) * f * sqrt(1 - beta2**t) / (sqrt(v) + eps)    for r > 5
        p = p - lr * m / (1 - beta1**t)                                               before

    Source: Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond" (2020).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the learning rate.
        betas: what is kept of the two averages, in [0, 1).
        eps: added to the denominator.
        weight_decay: the factor of the penalty ``weight_decay / 2 * sum(p * p)``.
        decoupled_weight_decay: shrink the parameters by ``lr * weight_decay`` instead of adding to the gradient.
        maximize: go up, not down.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 10.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.RAdam([w], lr=0.125)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 6) for x in w.tolist()]
        [0.75, 7.5]
    """

    required_state = frozenset({"step", "exp_avg", "exp_avg_sq"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, lr: float, betas: Any, eps: float, weight_decay: float, **others: Any) -> None:
        require_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        require_betas(betas)

    def update(
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
        decoupled_weight_decay: bool,
        maximize: bool,
    ) -> None:
        if not state:
            state.update(step=0, exp_avg=xp.zeros_like(param), exp_avg_sq=xp.zeros_like(param))
        state["step"] += 1
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        (beta1, beta2), step = betas, state["step"]
        if decoupled_weight_decay:
            weight_decay = shrink(param, lr, weight_decay)
        grad = descent(xp, param, grad, weight_decay, maximize)

        scratch = average(xp, grad, state, betas)
        rate = lr / (1 - beta1**step)
        rho = 2 / (1 - beta2) - 1
        r = rho - 2 * step * beta2**step / (1 - beta2**step)
        if r > ENOUGH:
            rate *= ((r - 4) * (r - 2) * rho / ((rho - 4) * (rho - 2) * r)) ** 0.5 * (1 - beta2**step) ** 0.5
            xp.sqrt(square, out=scratch)
            scratch += eps
            xp.divide(mean, scratch, out=scratch)
            scratch *= rate
        else:
            xp.multiply(mean, rate, out=scratch)
        param -= scratch
