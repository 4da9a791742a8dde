"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import average, descent, require_betas, require_not_negative, shrink
from tensorgrad.optim.parameters import Parameters


class Adam(Optimizer):
    """Adam: steps of a size that hardly depends on that of the gradient.

    With the gradient g (plus ``weight_decay`` times the parameter p), in step t::

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        p = p - lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)

    Sources: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015); AMSGrad: Reddi, Kale and Kumar, "On
    the Convergence of Adam and Beyond" (2018).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the learning rate.
        betas: what is kept of the two averages, in [0, 1).
        eps: added to the denominator.
        weight_decay: the factor of the penalty ``weight_decay / 2 * sum(p * p)``.
        amsgrad: divide by the root of the largest v so far.
        maximize: go up, not down.
        decoupled_weight_decay: shrink the parameters by ``lr * weight_decay`` instead of adding to the gradient; see
            :class:`AdamW`.
        eps_hat: add ``eps`` to the root of v as it is, before that is divided by ``1 - beta2**t``, as Keras does (the
            paper's epsilon with a hat).

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 1000.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.Adam([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 6) for x in w.tolist()]
        [0.5, 999.5]
    """

    required_state = frozenset({"step", "exp_avg", "exp_avg_sq"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        eps_hat: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
        }
        # No options of a group: what is loaded from another optimizer's state must not change what this one is.
        self.decoupled_weight_decay, self.eps_hat = decoupled_weight_decay, eps_hat
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
        amsgrad: bool,
        maximize: bool,
    ) -> None:
        if not state:
            state.update(step=0, exp_avg=xp.zeros_like(param), exp_avg_sq=xp.zeros_like(param))
        state["step"] += 1
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        (beta1, beta2), step = betas, state["step"]
        if self.decoupled_weight_decay:
            weight_decay = shrink(param, lr, weight_decay)
        grad = descent(xp, param, grad, weight_decay, maximize)

        scratch = average(xp, grad, state, betas)
        if amsgrad:
            if "max_exp_avg_sq" not in state:
                state["max_exp_avg_sq"] = xp.zeros_like(param)
            square = xp.maximum(state["max_exp_avg_sq"], square, out=state["max_exp_avg_sq"])
        xp.sqrt(square, out=scratch)
        # What both averages are divided by, as they begin at zero, goes into numbers: that is fewer passes.
        correction = (1 - beta2**step) ** 0.5
        scratch += eps if self.eps_hat else eps * correction
        xp.divide(mean, scratch, out=scratch)
        scratch *= lr * correction / (1 - beta1**step)
        param -= scratch


class AdamW(Adam):
    """Adam with weight decay apart from the gradient.

    Each step first multiplies the parameter by ``1 - lr * weight_decay`` and is then one of :class:`Adam` without
    weight decay, so that the shrinking is not divided by the root of the squared gradients.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019).

    Args:
        params, lr, betas, eps, amsgrad, maximize, eps_hat: as for :class:`Adam`.
        weight_decay: what is taken off a parameter in each step, as a part of it, over the learning rate.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> tg.optim.AdamW([w]).defaults["weight_decay"]
        0.01
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        eps_hat: bool = False,
    ) -> None:
        options = {"maximize": maximize, "decoupled_weight_decay": True, "eps_hat": eps_hat}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **options)
