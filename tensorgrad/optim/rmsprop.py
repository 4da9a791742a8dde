"""RMSprop."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import descent, require_not_negative
from tensorgrad.optim.parameters import Parameters


class RMSprop(Optimizer):
    """RMSprop: the gradient, divided by the root of the average of its square.

    With the gradient g (plus ``weight_decay`` times the parameter p)::

        s = alpha * s + (1 - alpha) * g * g
        p = p - lr * g / (sqrt(s) + eps)

    Centered, s minus the square of the average gradient takes the place of s, so the gradient is divided by its
    standard deviation (where rounding makes the variance negative, it is 0 here). With momentum, p goes by ``lr * b``,
    where ``b = momentum * b + g / (sqrt(s) + eps)``.

    Sources: Hinton, "Neural Networks for Machine Learning", lecture 6e (2012); the centered form: Graves, "Generating
    Sequences With Recurrent Neural Networks" (2013).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the learning rate.
        alpha: what is kept of the averages (Keras's rho).
        eps: added to the denominator, after the root.
        weight_decay: the factor of the penalty ``weight_decay / 2 * sum(p * p)``.
        momentum: the part of the last step that is kept.
        centered: divide by the standard deviation.
        maximize: go up, not down.
        eps_in_root: add ``eps`` under the root, as Keras 3 does, and not to it.
        lr_in_velocity: take the learning rate into b, as Keras 3 does; it matters where that changes.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 1000.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.RMSprop([w], lr=0.01)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> [round(x, 6) for x in w.tolist()]
        [0.9, 999.9]
    """

    required_state = frozenset({"square_avg"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        eps_in_root: bool = False,
        lr_in_velocity: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "alpha": alpha,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "centered": centered,
            "maximize": maximize,
        }
        # No options of a group: what is loaded from another optimizer's state must not change what this one is.
        self.eps_in_root, self.lr_in_velocity = eps_in_root, lr_in_velocity
        super().__init__(params, defaults)

    def check(self, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float, **others: Any) -> None:
        require_not_negative(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)

    def update(
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        alpha: float,
        eps: float,
        weight_decay: float,
        momentum: float,
        centered: bool,
        maximize: bool,
    ) -> None:
        for name in ("square_avg",) + ("momentum_buffer",) * (momentum > 0) + ("grad_avg",) * centered:
            if name not in state:
                state[name] = xp.zeros_like(param)
        grad = descent(xp, param, grad, weight_decay, maximize)

        square = state["square_avg"]
        scratch = xp.multiply(grad, grad, out=xp.empty_like(param))
        scratch *= 1 - alpha
        square *= alpha
        square += scratch
        if centered:
            mean = state["grad_avg"]
            xp.subtract(grad, mean, out=scratch)
            scratch *= 1 - alpha
            mean += scratch
            xp.multiply(mean, mean, out=scratch)
            xp.subtract(square, scratch, out=scratch)
            square = xp.maximum(scratch, 0.0, out=scratch)
        if self.eps_in_root:
            xp.sqrt(xp.add(square, eps, out=scratch), out=scratch)
        else:
            xp.sqrt(square, out=scratch)
            scratch += eps
        xp.divide(grad, scratch, out=scratch)
        if self.lr_in_velocity:
            scratch *= lr
            lr = 1.0
        if momentum > 0:
            velocity = state["momentum_buffer"]
            velocity *= momentum
            velocity += scratch
            xp.multiply(velocity, lr, out=scratch)
        else:
            scratch *= lr
        param -= scratch
