"""Penalties on weights, which are added to the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd import Tensor
from tensorgrad.keras.registry import Configured, made
from tensorgrad.ops.elementwise import abs
from tensorgrad.ops.powers import square
from tensorgrad.ops.reductions import sum


class Regularizer(Configured):
    """The base class: called with a weight, it gives the penalty."""

    def __call__(self, x: Tensor) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no __call__(x).")


class L1L2(Regularizer):
    """``l1 * sum(abs(x)) + l2 * sum(x**2)``.

    Args:
        l1: what the sizes count.
        l2: what the squares count.

    Example:
        >>> L1L2(l1=0.1, l2=0.01)(tg.tensor([3.0, -4.0])).item()
        0.949999988079071
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        for name, value in (("l1", l1), ("l2", l2)):
            if value is not None and not value >= 0:
                raise ValueError(f"{type(self).__name__} takes {name} of 0 or more, got {value}.")
        self.l1, self.l2 = l1 or 0.0, l2 or 0.0

    def __call__(self, x: Tensor) -> Any:
        penalty: Any = 0.0
        if self.l1:
            penalty = penalty + self.l1 * sum(abs(x))
        if self.l2:
            penalty = penalty + self.l2 * sum(square(x))
        return penalty


class L1(L1L2):
    """``l1 * sum(abs(x))``.

    Args:
        l1: the factor.
    """

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """``l2 * sum(x**2)``.

    Args:
        l2: the factor.
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


l1, l2, l1_l2 = L1, L2, L1L2

KNOWN: dict[str, type] = {"L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": L1L2}


def get(identifier: Any) -> Callable[[Tensor], Any] | None:
    """The regularizer that a name, a configuration or a class stands for; None for None.

    Raises:
        ValueError: for an unknown name; lists the known ones.
    """
    regularizer: Callable[[Tensor], Any] | None
    regularizer = None if identifier is None else made("regularizer", identifier, KNOWN)
    return regularizer
