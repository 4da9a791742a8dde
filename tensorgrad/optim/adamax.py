"""Adamax."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import descent, require_betas, require_not_negative
from tensorgrad.optim.parameters import Parameters


class Adamax(Optimizer):
    """Adam with the largest gradient so far, which fades, in the place of the root of the mean square.

    With the gradient g (plus ``weight_decay`` times the parameter p), in step t::

        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, abs(g) + eps)
        p = p - lr / (1 - beta1**t) * m / u

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), section 7.1.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the learning rate.
        betas: what is kept of the average and of the largest gradient, in [0, 1).
        eps: added to the size of the gradient.
        weight_decay: the factor of the penalty ``weight_decay / 2 * sum(p * p)``.
        maximize: go up, not down.
        eps_in_max: as above; if False, ``u = max(beta2 * u, abs(g))`` and p is divided by ``u + eps``, as in Keras.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 1000.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.Adamax([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 6) for x in w.tolist()]
        [0.5, 999.5]
    """

    required_state = frozenset({"step", "exp_avg", "exp_inf"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        eps_in_max: bool = True,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        # No option of a group: what is loaded from another optimizer's state must not change what this one is.
        self.eps_in_max = eps_in_max
        super().__init__(params, defaults)

    def check(self, lr: float, betas: Any, eps: float, weight_decay: float, maximize: bool) -> None:
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
        maximize: bool,
    ) -> None:
        if not state:
            state.update(step=0, exp_avg=xp.zeros_like(param), exp_inf=xp.zeros_like(param))
        state["step"] += 1
        mean, largest = state["exp_avg"], state["exp_inf"]
        (beta1, beta2), step = betas, state["step"]
        grad = descent(xp, param, grad, weight_decay, maximize)

        scratch = xp.subtract(grad, mean, out=xp.empty_like(param))
        scratch *= 1 - beta1
        mean += scratch
        xp.abs(grad, out=scratch)
        if self.eps_in_max:
            scratch += eps
            eps = 0.0
        largest *= beta2
        xp.maximum(largest, scratch, out=largest)
        xp.add(largest, eps, out=scratch)
        xp.divide(mean, scratch, out=scratch)
        scratch *= lr / (1 - beta1**step)
        param -= scratch
