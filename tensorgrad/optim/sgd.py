"""Gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import descent, require_not_negative
from tensorgrad.optim.parameters import Parameters


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov's momentum and weight decay.

    With the gradient g (plus ``weight_decay`` times the parameter p), momentum m and dampening d::

        v = g                     in the first step
        v = m * v + (1 - d) * g   afterwards
        p = p - lr * v            or, with Nesterov's, p - lr * (g + m * v)

    Sources: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964); Sutskever et al., "On
    the importance of initialization and momentum in deep learning" (2013). Here, as in PyTorch, the learning rate
    multiplies the velocity and is no part of it, unless ``lr_in_velocity``, as there and in Keras; it is the same as
    long as the learning rate stays the same.

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the learning rate.
        momentum: the part m of the velocity that is kept.
        dampening: the part d of the gradient that is not added to the velocity.
        weight_decay: the factor of the penalty ``weight_decay / 2 * sum(p * p)``.
        nesterov: whether to look ahead; needs momentum, and no dampening.
        maximize: go up, not down.
        lr_in_velocity: take ``lr * g`` in the place of g, and p goes by the velocity as it is.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> optimizer = tg.optim.SGD([w], lr=0.25)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.tolist()
        [0.5, 1.0]
    """

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        lr_in_velocity: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        # No option of a group: what is loaded from another optimizer's state must not change what this one is.
        self.lr_in_velocity = lr_in_velocity
        super().__init__(params, defaults)

    def check(
        self, lr: float, momentum: float, dampening: float, weight_decay: float, nesterov: bool, maximize: bool
    ) -> None:
        require_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError(
                f"Nesterov's momentum needs a momentum and no dampening, got momentum={momentum} and "
                f"dampening={dampening}."
            )

    def update(
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
    ) -> None:
        grad = descent(xp, param, grad, weight_decay, maximize)
        if self.lr_in_velocity:
            grad, lr = lr * grad, 1.0
        if momentum:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                velocity = state["momentum_buffer"] = xp.array(grad)
            else:
                velocity *= momentum
                velocity += grad if dampening == 0 else (1 - dampening) * grad
            grad = grad + momentum * velocity if nesterov else velocity
        param -= lr * grad
