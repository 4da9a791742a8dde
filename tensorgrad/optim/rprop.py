"""Rprop."""

from __future__ import annotations

from typing import Any

from tensorgrad.backend import Array
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import descent, require_not_negative
from tensorgrad.optim.parameters import Parameters


class Rprop(Optimizer):
    """Resilient backpropagation: each element has a step of its own, and of the gradient only the sign counts.

    An element's step grows by a factor while the gradient keeps its sign. When the sign changes, the step shrinks by
    another, and the element stays where it is for once. For gradients of the whole data set, not of batches.

    Source: Riedmiller and Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm"
    (1993).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or groups of them; see :class:`Optimizer`.
        lr: the first steps.
        etas: what steps shrink and grow by: one number in (0, 1), one above 1.
        step_sizes: the smallest and the largest step.
        maximize: go up, not down.

    Raises:
        ValueError: for options out of range.

    Example:
        >>> import tensorgrad as tg
        >>> w = tg.tensor([1.0, 1000.0], dtype="float64", requires_grad=True)
        >>> optimizer = tg.optim.Rprop([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.tolist()
        [0.5, 999.5]
    """

    required_state = frozenset({"step", "prev", "step_size"})

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})

    def check(self, lr: float, etas: Any, step_sizes: Any, maximize: bool) -> None:
        require_not_negative(lr=lr)
        if not isinstance(etas, tuple) or len(etas) != 2 or not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"etas are two numbers, one in (0, 1) and one above 1, got {etas!r}.")
        if not isinstance(step_sizes, tuple) or len(step_sizes) != 2 or not 0 <= step_sizes[0] <= step_sizes[1]:
            raise ValueError(f"step_sizes are two numbers, the smaller first, got {step_sizes!r}.")

    def update(
        self,
        xp: Any,
        param: Array,
        grad: Array,
        state: dict[str, Any],
        lr: float,
        etas: tuple[float, float],
        step_sizes: tuple[float, float],
        maximize: bool,
    ) -> None:
        if not state:
            state.update(step=0, prev=xp.zeros_like(param), step_size=xp.full_like(param, lr))
        state["step"] += 1
        before, size = state["prev"], state["step_size"]
        grad = descent(xp, param, grad, 0.0, maximize)
        product = grad * before
        turned, same = product < 0, product > 0
        size *= xp.where(turned, etas[0], xp.where(same, etas[1], 1.0)).astype(size.dtype)
        xp.clip(size, *step_sizes, out=size)
        before[...] = xp.where(turned, 0.0, grad)
        param -= xp.sign(before) * size
