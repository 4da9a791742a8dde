"""Losses as layers. What they compute is told at the functions of their names in :mod:`tensorgrad.nn.functional`."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from tensorgrad.autograd import Tensor
from tensorgrad.nn.module import Module
from tensorgrad.ops import classification, likelihoods, losses, overlap_losses
from tensorgrad.ops.creation import asarray


class Loss(Module):
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


class WeightedLoss(Loss):
    """A loss with weights, a buffer."""

    weight: Tensor | None

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", None if weight is None else asarray(weight))


class MSELoss(Loss):
    """Mean squared error, :func:`tensorgrad.mse_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Example:
        >>> tg.nn.MSELoss()(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 4.0])).item()
        2.0
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.mse_loss(input, target, self.reduction)


class HalfSquaredErrorLoss(Loss):
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


class L1Loss(Loss):
    """Mean absolute error, :func:`tensorgrad.l1_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.l1_loss(input, target, self.reduction)


class SmoothL1Loss(Loss):
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


class HuberLoss(Loss):
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


class KLDivLoss(Loss):
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
        return likelihoods.kl_div(input, target, self.reduction, self.log_target)


class BCELoss(WeightedLoss):
    """Binary cross-entropy of probabilities, :func:`tensorgrad.binary_cross_entropy`.

    Args:
        weight: what each element counts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return losses.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(WeightedLoss):
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


class NLLLoss(WeightedLoss):
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


class CrossEntropyLoss(WeightedLoss):
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


class GaussianNLLLoss(Loss):
    """The negative log-likelihood of a normal distribution, :func:`tensorgrad.gaussian_nll_loss`.

    Args:
        full: whether the constant term is added.
        eps: the least variance.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Tensor:
        return likelihoods.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class PoissonNLLLoss(Loss):
    """The negative log-likelihood of a Poisson distribution, :func:`tensorgrad.poisson_nll_loss`.

    Args:
        log_input: whether the input is logarithms of rates.
        full: whether Stirling's approximation of ``log(target!)`` is added.
        eps: added to rates, so that their logarithms are finite.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: Any, target: Any) -> Tensor:
        return likelihoods.poisson_nll_loss(input, target, self.log_input, self.full, self.eps, self.reduction)


class SigmoidFocalLoss(Loss):
    """Binary cross-entropy in which the easy ones count less, :func:`tensorgrad.sigmoid_focal_loss`.

    Args:
        alpha: what the class 1 counts, from 0 to 1; negative: both classes count 1.
        gamma: how much less the easy ones count.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.alpha, self.gamma = alpha, gamma

    def forward(self, input: Any, target: Any) -> Tensor:
        return overlap_losses.sigmoid_focal_loss(input, target, self.alpha, self.gamma, self.reduction)


class DiceLoss(Loss):
    """How little probabilities and their target have in common, :func:`tensorgrad.dice_loss`.

    Args:
        smooth: what makes the loss of two empty sets 0.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, smooth: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.smooth = smooth

    def forward(self, input: Any, target: Any) -> Tensor:
        return overlap_losses.dice_loss(input, target, self.smooth, self.reduction)
