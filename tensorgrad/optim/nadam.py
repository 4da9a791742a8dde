"""NAdam."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import average, descent, require_betas, require_not_negative, shrink
from tensorgrad.optim.parameters import Parameters

FADING = 0.96
"""What the momentum of early steps grows by; Dozat's figure."""


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, which grows to its final value in the course of the steps.

    With the gradient g (plus ``weight_decay`` times the parameter p), in step t::

        mu(t) = beta1 * (1 - 0.96**(t * momentum_decay) / 2)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        n = (1 - mu(t)) / (1 - mu(1) ... mu(t)) * g + mu(t + 1) / (1 - mu(1) ... mu(t + 1)) * m
        p = p - lr * n / (sqrt(v / (1 - beta2**t)) + eps)

    Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the learning rate.
        betas: what is kept of the two averages, in [0, 1).
        eps: added to the denominator.
        weight_decay: the factor of the penalty ``weight_decay / 2 * sum(p * p)``.
        momentum_decay: how fast the momentum grows (Keras 2's schedule_decay; in Keras 3 it is 1).
        decoupled_weight_decay: shrink the parameters by ``lr * weight_decay`` instead of adding to the gradient.
        maximize: go up, not down.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 1000.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.NAdam([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 3) for x in w.tolist()]
        [0.472, 999.472]
    """

    required_state = frozenset({"step", "mu_product", "exp_avg", "exp_avg_sq"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(
        self, lr: float, betas: Any, eps: float, weight_decay: float, momentum_decay: float, **others: Any
    ) -> None:
        require_not_negative(lr=lr, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
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
        momentum_decay: float,
        decoupled_weight_decay: bool,
        maximize: bool,
    ) -> None:
        if not state:
            state.update(step=0, mu_product=1.0, exp_avg=xp.zeros_like(param), exp_avg_sq=xp.zeros_like(param))
        state["step"] += 1
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        (beta1, beta2), step = betas, state["step"]
        if decoupled_weight_decay:
            weight_decay = shrink(param, lr, weight_decay)
        grad = descent(xp, param, grad, weight_decay, maximize)
        mu, following = (beta1 * (1 - 0.5 * FADING ** (t * momentum_decay)) for t in (step, step + 1))
        state["mu_product"] *= mu

        scratch = average(xp, grad, state, betas)
        denominator = xp.sqrt(square)
        denominator /= (1 - beta2**step) ** 0.5
        denominator += eps
        xp.divide(grad, denominator, out=scratch)
        scratch *= lr * (1 - mu) / (1 - state["mu_product"])
        param -= scratch
        xp.divide(mean, denominator, out=scratch)
        scratch *= lr * following / (1 - state["mu_product"] * following)
        param -= scratch
