"""Transforms of whole batches, images and labels together: each is mixed with the one before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array
from tensorgrad.random import current_generator


class _Mixing:
    """The base of mixtures: called with a batch of images and their labels, it gives both back mixed.

    Args:
        num_classes: how many there are; needed for labels that are integers.
        alpha: the parameter of the beta distribution that the share of each is drawn from.
    """

    def __init__(self, num_classes: int | None = None, alpha: float = 1.0) -> None:
        if not alpha > 0:
            raise ValueError(f"{type(self).__name__} needs an alpha above 0, got {alpha}.")
        self.num_classes, self.alpha = num_classes, alpha

    def __call__(self, x: Any, target: Any) -> tuple[Any, Any]:
        """The batch (N, C, H, W) and its labels: (N,) integers or (N, classes) shares; shares come back.

        Raises:
            ValueError: if the shapes do not go together, the number of classes is not known, or a label is none.
        """
        images, labels = _array(x), _array(target)
        if images.ndim != 4 or labels.shape[:1] != images.shape[:1] or labels.ndim not in (1, 2):
            raise ValueError(
                f"{type(self).__name__} takes a batch (N, C, H, W) with labels (N,) or (N, classes), got "
                f"{tuple(images.shape)} and {tuple(labels.shape)}."
            )
        shares = self._shares(labels, images)
        # The distribution is NumPy's, seeded by a number of tensorgrad's.
        rng = np.random.default_rng(int(current_generator().integers(0, 2**63)))
        mixed, kept = self.mix(images, backend.namespace(images).roll(images, 1, axis=0), rng)
        out = kept * shares + (1 - kept) * backend.namespace(shares).roll(shares, 1, axis=0)
        out = out.astype(shares.dtype)
        return (Tensor(mixed) if isinstance(x, Tensor) else mixed, Tensor(out) if isinstance(target, Tensor) else out)

    def _shares(self, labels: Array, images: Array) -> Array:
        if labels.ndim == 2:
            return labels
        if self.num_classes is None:
            raise ValueError(f"{type(self).__name__} of labels that are integers needs num_classes.")
        name = type(self).__name__
        if labels.dtype.kind not in "iu":
            raise ValueError(f"{name} takes labels that are integers, or (N, classes), got {labels.dtype}.")
        if backend.can_look(labels) and labels.size and not 0 <= labels.min() <= labels.max() < self.num_classes:
            raise ValueError(
                f"{name} has {self.num_classes} classes, and labels from {labels.min()} to {labels.max()}."
            )
        xp = backend.namespace(labels)
        dtype = images.dtype if images.dtype.kind == "f" else np.float32
        return (labels[:, None] == xp.arange(self.num_classes)).astype(dtype)

    def mix(self, one: Array, other: Array, rng: np.random.Generator) -> tuple[Array, float]:
        """Both batches as one, and how much of the first is in it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_classes={self.num_classes}, alpha={self.alpha})"


def _array(value: Any) -> Array:
    value = value.data if isinstance(value, Tensor) else value
    return np.asarray(value) if backend.of(value) is None else value


class MixUp(_Mixing):
    """Each image of a batch, and its label, mixed with those of another: ``a * one + (1 - a) * other``.

    Source: Zhang et al., *mixup: beyond empirical risk minimization* (2018).

    Args:
        num_classes: how many there are; needed for labels that are integers.
        alpha: a is drawn from the beta distribution Beta(alpha, alpha), once for each batch.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> x, shares = MixUp(2)(np.array([[[[0.0]]], [[[1.0]]]]), np.array([0, 1]))
        >>> bool(np.allclose(x[:, 0, 0, 0], shares[:, 1])), shares.sum(axis=1).tolist()
        (True, [1.0, 1.0])
    """

    def mix(self, one: Array, other: Array, rng: np.random.Generator) -> tuple[Array, float]:
        kept = float(rng.beta(self.alpha, self.alpha))
        if one.dtype.kind != "f":
            raise TypeError(f"MixUp takes floating point numbers, got dtype {one.dtype}: put ToFloat() before it.")
        return (kept * one + (1 - kept) * other).astype(one.dtype), kept


class CutMix(_Mixing):
    """A rectangle of each image of a batch replaced by that of another, and labels mixed by the areas.

    Source: Yun et al., *CutMix* (2019).

    Args:
        num_classes: how many there are; needed for labels that are integers.
        alpha: the part of the area that stays is drawn from Beta(alpha, alpha), once for each batch.

    Example:
        >>> _ = tg.manual_seed(0)
        >>> x, shares = CutMix(2)(np.repeat([[[[0.0]]], [[[1.0]]]], 16, axis=3), np.array([0, 1]))
        >>> bool(np.allclose(x.mean(axis=(1, 2, 3)), shares[:, 1]))
        True
    """

    def mix(self, one: Array, other: Array, rng: np.random.Generator) -> tuple[Array, float]:
        height, width = one.shape[2:]
        side = np.sqrt(1 - rng.beta(self.alpha, self.alpha))
        (top, bottom), (left, right) = (
            np.clip(np.round(rng.uniform(0, n) + np.array([-0.5, 0.5]) * side * n), 0, n).astype(int)
            for n in (height, width)
        )
        mixed = one.copy()
        mixed[:, :, top:bottom, left:right] = other[:, :, top:bottom, left:right]
        return mixed, 1 - float((bottom - top) * (right - left) / (height * width))
