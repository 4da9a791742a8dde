"""A softmax over very many classes that looks closely at the likely ones only."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.nn.containers import ModuleList, Sequential
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import Module
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.indexing import getitem, index_put
from tensorgrad.ops.reductions import argmax, mean
from tensorgrad.ops.shape import concat, expand_dims, squeeze
from tensorgrad.ops.softmax import log_softmax


class AdaptiveOutput(NamedTuple):
    """What :class:`AdaptiveLogSoftmaxWithLoss` gives."""

    output: Tensor
    """The log-probability of the right class of each sample."""
    loss: Tensor
    """The mean of their negatives."""


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of very many classes, the frequent ones first: rare ones are looked at in clusters.

    A first layer scores the frequent classes and each cluster. Only for samples whose class is in a cluster a second
    one, which is the smaller the rarer the classes are, scores the classes there.

    Source: Grave et al., *Efficient softmax approximation for GPUs*, 2017.

    Shape: input (N, in_features) and target (N,), or (in_features,) and (); output: that of the target, and a loss ().

    Args:
        in_features: how many numbers come in.
        n_classes: how many classes there are, numbered by falling frequency.
        cutoffs: the first class of each cluster, rising: ``[10, 100]`` makes a head of classes 0 to 9, a cluster from
            10 to 99 and one from 100 on.
        div_value: cluster number i (from 0) has ``in_features / div_value**(i + 1)`` features.
        head_bias: whether the first layer adds a bias.
        device: where the parameters are.
        dtype: of the parameters, float32 by default.

    Attributes:
        head: a :class:`Linear` layer, from in_features to the frequent classes and the clusters.
        tail: for each cluster two linear layers without bias.

    Raises:
        ValueError: for cutoffs that do not rise from 1 to below n_classes; when called, for shapes.
        IndexError: when called, for a class that is not there.

    Example:
        >>> layer = tg.nn.AdaptiveLogSoftmaxWithLoss(8, 1000, cutoffs=[10, 100])
        >>> x = tg.randn((5, 8))
        >>> layer(x, tg.tensor([0, 3, 50, 999, 1])).output.shape, layer.log_prob(x).shape, layer.predict(x).shape
        ((5,), (5, 1000), (5,))
    """

    head: Linear
    tail: ModuleList

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        bounds = [0, *cutoffs, n_classes]
        if not cutoffs or any(not isinstance(n, int) or n <= last for last, n in itertools.pairwise(bounds)):
            raise ValueError(
                f"AdaptiveLogSoftmaxWithLoss needs cutoffs that rise from 1 on to below n_classes={n_classes}, got "
                f"{list(cutoffs)}."
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = bounds[1:]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = bounds[1]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, head_bias, **where)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            hidden, classes = int(in_features // div_value ** (i + 1)), bounds[i + 2] - bounds[i + 1]
            layers = (Linear(in_features, hidden, False, **where), Linear(hidden, classes, False, **where))
            self.tail.append(Sequential(*layers))

    def reset_parameters(self) -> None:
        """Draws new values for all weights."""
        for module in (self.head, *(layer for cluster in self.tail for layer in cluster)):
            module.reset_parameters()

    def forward(self, input: Any, target: Any) -> AdaptiveOutput:
        """The log-probability of the class ``target`` of each sample, and the loss.

        Args:
            input: shape (N, in_features) or (in_features,).
            target: integers below n_classes, shape (N,) or ().
        """
        x, target = self._checked(input), asarray(target)
        single = x.ndim == 1
        if target.shape != x.shape[:-1]:
            raise ValueError(f"AdaptiveLogSoftmaxWithLoss takes a class for each sample: {x.shape}, {target.shape}.")
        if target.dtype.kind not in "iu":
            raise TypeError(f"AdaptiveLogSoftmaxWithLoss takes classes as integers, got dtype {target.dtype}.")
        x, classes = expand_dims(x, 0) if single else x, target.data.reshape(-1).astype(np.int64)
        if classes.size and not (classes.min() >= 0 and classes.max() < self.n_classes):
            raise IndexError(
                f"AdaptiveLogSoftmaxWithLoss has the classes 0 to {self.n_classes - 1}, got {classes.min()} to "
                f"{classes.max()}."
            )
        xp = backend.namespace(classes)
        # Which cluster: 0 for the head.
        cluster = sum((classes >= cutoff).astype(np.int64) for cutoff in self.cutoffs[:-1])
        place = xp.where(cluster > 0, self.shortlist_size - 1 + cluster, classes)
        output = getitem(log_softmax(self.head(x), axis=-1), (xp.arange(len(classes)), place))
        for i, layers in enumerate(self.tail):
            (rows,) = xp.nonzero(cluster == i + 1)
            if rows.size:
                within = log_softmax(layers(x[rows]), axis=-1)
                within = getitem(within, (xp.arange(len(rows)), classes[rows] - self.cutoffs[i]))
                output = index_put(output, rows, output[rows] + within)
        loss = -mean(output)
        return AdaptiveOutput(squeeze(output, 0) if single else output, loss)

    def log_prob(self, input: Any) -> Tensor:
        """The log-probabilities of all classes.

        Args:
            input: shape (N, in_features) or (in_features,).

        Returns:
            Shape (N, n_classes) or (n_classes,).
        """
        x = self._checked(input)
        head = log_softmax(self.head(x), axis=-1)
        parts = [head[..., : self.shortlist_size]]
        for i, layers in enumerate(self.tail):
            first = self.shortlist_size + i
            parts.append(log_softmax(layers(x), axis=-1) + head[..., first : first + 1])
        result: Tensor = concat(parts, axis=-1)
        return result

    @no_grad()
    def predict(self, input: Any) -> Tensor:
        """The most probable class of each sample, by :meth:`log_prob`; clusters are looked at only where need be.

        Args:
            input: shape (N, in_features) or (in_features,).

        Returns:
            Integers, shape (N,) or ().
        """
        x = self._checked(input)
        rows = expand_dims(x, 0) if x.ndim == 1 else x
        # No class of a cluster is as likely as the cluster, nor as a frequent class that is likelier than that.
        best = argmax(self.head(rows), axis=-1)
        rare = best >= self.shortlist_size
        if rare.any():
            best[rare] = argmax(self.log_prob(rows[rare]), axis=-1)
        result: Tensor = squeeze(best, 0) if x.ndim == 1 else best
        return result

    def _checked(self, x: Any) -> Tensor:
        x = asarray(x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.in_features:
            self._refuse(x, f"(N, {self.in_features}) or ({self.in_features},)")
        return x

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.n_classes}, cutoffs={self.cutoffs[:-1]}, div_value={self.div_value}"
