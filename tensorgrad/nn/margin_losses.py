"""Losses with a margin as layers. What they compute is told at the functions of their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd import Tensor
from tensorgrad.nn.losses import Loss, WeightedLoss
from tensorgrad.ops import margin_losses


class _MarginLoss(Loss):
    """A loss with a margin.

    Args:
        margin: the margin.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin


class HingeLoss(_MarginLoss):
    """The loss of a support vector machine, :func:`tensorgrad.hinge_loss`.

    Args:
        margin: how far on the right side of 0 a score is to be.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return margin_losses.hinge_loss(input, target, self.margin, self.reduction)


class SoftMarginLoss(Loss):
    """A hinge without a kink, :func:`tensorgrad.soft_margin_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return margin_losses.soft_margin_loss(input, target, self.reduction)


class HingeEmbeddingLoss(_MarginLoss):
    """Small distances where the target is 1, large ones where it is -1, :func:`tensorgrad.hinge_embedding_loss`.

    Args:
        margin: how large.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return margin_losses.hinge_embedding_loss(input, target, self.margin, self.reduction)


class MarginRankingLoss(_MarginLoss):
    """Which of two scores is to be higher, :func:`tensorgrad.margin_ranking_loss`.

    Args:
        margin: by how much.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        return margin_losses.margin_ranking_loss(input1, input2, target, self.margin, self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    """Vectors in one direction where the target is 1, :func:`tensorgrad.cosine_embedding_loss`.

    Args:
        margin: the cosine that is let pass where the target is -1.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:
        return margin_losses.cosine_embedding_loss(input1, input2, target, self.margin, self.reduction)


class TripletMarginLoss(_MarginLoss):
    """An anchor nearer to one vector than to another, :func:`tensorgrad.triplet_margin_loss`.

    Args:
        margin: by how much.
        p: the order of the norm.
        eps: added to each difference.
        swap: whether the distance of positive and negative counts where it is the smaller one.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"
    ) -> None:
        super().__init__(margin, reduction)
        self.p, self.eps, self.swap = p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return margin_losses.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, self.reduction
        )


class TripletMarginWithDistanceLoss(_MarginLoss):
    """The same with a distance of one's own, :func:`tensorgrad.triplet_margin_with_distance_loss`.

    Args:
        distance_function: takes two arrays; :func:`tensorgrad.pairwise_distance` by default.
        margin: by how much.
        swap: whether the distance of positive and negative counts where it is the smaller one.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, reduction)
        self.distance_function, self.swap = distance_function, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return margin_losses.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class MultiMarginLoss(WeightedLoss):
    """The right class ahead of all others, :func:`tensorgrad.multi_margin_loss`.

    Args:
        p: 1 or 2.
        margin: by how much.
        weight: what each class counts, where it is the right one, shape (C,).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(weight, reduction)
        self.p, self.margin = p, margin

    def forward(self, input: Any, target: Any) -> Tensor:
        return margin_losses.multi_margin_loss(input, target, self.p, self.margin, self.weight, self.reduction)


class MultiLabelMarginLoss(Loss):
    """All right classes ahead of all others, :func:`tensorgrad.multilabel_margin_loss`.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return margin_losses.multilabel_margin_loss(input, target, self.reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """Each class there or not, :func:`tensorgrad.multilabel_soft_margin_loss`.

    Args:
        weight: what each class counts.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """

    def forward(self, input: Any, target: Any) -> Tensor:
        return margin_losses.multilabel_soft_margin_loss(input, target, self.weight, self.reduction)
