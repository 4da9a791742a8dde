"""The steps of Keras's optimizers where they are not PyTorch's: where epsilon stands, and what momentum remembers."""

from __future__ import annotations

from typing import Any

from tensorgrad import optim
from tensorgrad.backend import Array


class Momentum(optim.SGD):
    """Gradient descent whose velocity has the learning rate in it, which matters where that changes.

    ``v = momentum * v - lr * g``; ``p = p + v`` or, with Nesterov's, ``p = p + momentum * v - lr * g``.
    """

    def update(  # type: ignore[override]
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        momentum: float,
        nesterov: bool,
        **others: Any,
    ) -> None:
        step = lr * grad
        if momentum:
            if not state:
                state["momentum_buffer"] = xp.zeros_like(param)
            velocity = state["momentum_buffer"]
            velocity *= momentum
            velocity -= step
            step = step - momentum * velocity if nesterov else -velocity
        param -= step


class RMSprop(optim.RMSprop):
    """RMSprop with epsilon under the root, and momentum that has the learning rate in it.

    ``m = momentum * m + lr * g / sqrt(s + epsilon)``, ``p = p - m``; centered, s is less the squared mean gradient.
    """

    def update(  # type: ignore[override]
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        alpha: float,
        eps: float,
        momentum: float,
        centered: bool,
        **others: Any,
    ) -> None:
        for name in ("square_avg",) + ("momentum_buffer",) * (momentum > 0) + ("grad_avg",) * centered:
            if name not in state:
                state[name] = xp.zeros_like(param)
        square = state["square_avg"]
        square *= alpha
        square += (1 - alpha) * grad * grad
        spread = square + eps
        if centered:
            mean = state["grad_avg"]
            mean *= alpha
            mean += (1 - alpha) * grad
            spread -= mean * mean
        step = lr * grad / xp.sqrt(spread)
        if momentum > 0:
            velocity = state["momentum_buffer"]
            velocity *= momentum
            velocity += step
            step = velocity
        param -= step


class Adam(optim.Adam):
    """Adam with epsilon beside the root that is not corrected yet.

    ``p = p - lr * sqrt(1 - beta2**t) / (1 - beta1**t) * m / (sqrt(v) + epsilon)``.
    """

    def update(  # type: ignore[override]
        self, xp: Any, param: Array, grad: Array, state: dict[str, Any], *, eps: float, betas: Any, **options: Any
    ) -> None:
        step = state.get("step", 0) + 1
        super().update(xp, param, grad, state, eps=eps / (1 - betas[1] ** step) ** 0.5, betas=betas, **options)


class Adamax(optim.Adamax):
    """Adamax with epsilon beside the largest gradient, and not in it.

    ``u = max(beta2 * u, abs(g))``, ``p = p - lr / (1 - beta1**t) * m / (u + epsilon)``.
    """

    def update(  # type: ignore[override]
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        betas: tuple[float, float],
        eps: float,
        **others: Any,
    ) -> None:
        if not state:
            state.update(step=0, exp_avg=xp.zeros_like(param), exp_inf=xp.zeros_like(param))
        state["step"] += 1
        mean, largest = state["exp_avg"], state["exp_inf"]
        mean += (1 - betas[0]) * (grad - mean)
        largest *= betas[1]
        xp.maximum(largest, xp.abs(grad), out=largest)
        param -= lr / (1 - betas[0] ** state["step"]) * mean / (largest + eps)
