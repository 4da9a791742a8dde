"""Losses as layers. What they compute is told at the functions of their names in :mod:`tensorgrad.nn.functional`."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from tensorgrad.autograd import Tensor
from tensorgrad.nn.module import Module
from tensorgrad.ops import classification, losses
from tensorgrad.ops.creation import asarray


class _Loss(Module):
    """A loss of an input and a target.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in self.reductions:
            *others, last = map(repr, self.reductions)
            raise ValueError(f"{type(self).__name__} has reduction {', '.join(others)} or {last}, not {reduction!r}.")
        self.reduction = reduction

    def extra_repr(self) -> str:
        options = inspect.signature(type(self)).parameters.values()
        given = [(option.name, getattr(self, option.name, option.default), option.default) for option in options]
        return ", ".join(
            f"{name}={_described(value)}" for name, value, usual in given if isinstance(value, Tensor) or value != usual
        )


def _described(value: Any) -> str:
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, Tensor) else repr(value)


class _WeightedLoss(_Loss):
    """A loss with weights, a buffer."""

    weight: Tensor | None

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else asarray(weight))


class MSELoss(_Loss):
    """Mean squared error, :func:`tensorgrad.mse_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> tg.nn.MSELoss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0])).item()
        2.0
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.mse_loss(input, target, self.reduction)


class HalfSquaredErrorLoss(_Loss):
    """Half the sum of squares, :func:`tensorgrad.half_squared_error`.

    Args:
        reduction: ``"sum"``, ``"mean"`` or ``"none"``.

    Example:
        >>> total = tg.nn.HalfSquaredErrorLoss()(tg.tensor([0.2, 0.4, 0.1, 0.3]), tg.tensor([0.0, 0.0, 1.0, 0.0]))
        >>> round(total.item(), 4)
        0.55
    """

    def __init__(self, reduction: str = "sum") -> None:
        super().__init__(reduction)

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.half_squared_error(input, target, self.reduction)


class L1Loss(_Loss):
    """Mean absolute error, :func:`tensorgrad.l1_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.l1_loss(input, target, self.reduction)


class SmoothL1Loss(_Loss):
    """A parabola near 0, a line beyond ``beta``, :func:`tensorgrad.smooth_l1_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the line begins.
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.smooth_l1_loss(input, target, self.reduction, self.beta)


class HuberLoss(_Loss):
    """A parabola near 0, a line beyond ``delta``, :func:`tensorgrad.huber_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the line begins.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.huber_loss(input, target, self.reduction, self.delta)


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence, :func:`tensorgrad.kl_div`.

    Args:
        reduction: ``"batchmean"``, ``"mean"``, ``"sum"`` or ``"none"``.
        log_target: whether the target, too, is given as log-probabilities.
    """

    reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.kl_div(input, target, self.reduction, self.log_target)


class BCELoss(_WeightedLoss):
    """Binary cross-entropy of probabilities, :func:`tensorgrad.binary_cross_entropy`.

    Args:
        weight: what each element counts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """Binary cross-entropy of scores, :func:`tensorgrad.binary_cross_entropy_with_logits`.

    Args:
        weight: what each element counts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: what the class 1 counts.
    """

    pos_weight: Tensor | None

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight, reduction)
        self.register_buffer("pos_weight", None if pos_weight is None else asarray(pos_weight))

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.binary_cross_entropy_with_logits(input, target, self.weight, self.reduction, self.pos_weight)


class NLLLoss(_WeightedLoss):
    """The negative log-probability of the right class, :func:`tensorgrad.nll_loss`.

    Args:
        weight: what each class counts, shape (C,).
        ignore_index: a class in the target that does not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Tensor:
        return classification.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class CrossEntropyLoss(_WeightedLoss):
    """The cross-entropy of scores and classes, :func:`tensorgrad.cross_entropy`. No softmax is wanted before it.

    Args:
        weight: what each class counts, shape (C,).
        ignore_index: a class in the target that does not count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        label_smoothing: which share of each target is spread over all classes.

    Example:
        >>> loss = tg.nn.CrossEntropyLoss()
        >>> round(loss(tg.tensor([[0.0, 0.0]]), tg.tensor([1])).item(), 3)
        0.693
    """

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        if not isinstance(ignore_index, int):
            raise TypeError(
                f"ignore_index is a class, an integer, not {type(ignore_index).__name__}. (The loss is made first and "
                f"called then: nn.CrossEntropyLoss()(scores, classes).)"
            )
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any) -> Tensor:
        return classification.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )
