"""What a library must offer to be measured: functions under one name, gradients, and a training step.

A workload (:mod:`benchmarks.workloads`) is written once, in terms of these. An adapter leaves out what its library does
not have: workloads that need it are then "not offered".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray
Step = Callable[[], Any]
"""Does a piece of work once, to the end; returns what of it can be looked at."""


def cotangent(shape: Sequence[int]) -> Array:
    """What a backward pass starts from: the same random numbers for all libraries."""
    return np.random.default_rng(5).standard_normal(tuple(shape), dtype=np.float32)


class NotOffered(Exception):
    """A library does not have what a workload needs."""


class Library:
    """An adapter. All arrays are float32, or int64 where they are labels or indices, and channels come first."""

    name: str
    version: str

    def set_threads(self, count: int) -> None:
        """Says on how many threads to compute, where that can be said after the import."""

    # -- functions of the library's own arrays ------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotOffered(f"{type(self).__name__} has no {name}")

    tanh: Callable[[Any], Any]
    exp: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    relu: Callable[[Any], Any]
    linear: Callable[..., Any]
    """``(x, weight, bias)``, with the weight (out, in)."""
    convolution: Callable[..., Any]
    """``(x, weight, bias=None, stride=1, padding=0, groups=1)``, in one or two dimensions, told by the weight."""
    max_pool: Callable[..., Any]
    """``(x, size, stride)``, in two dimensions."""
    average_pool: Callable[..., Any]
    """``(x, size, stride)``, in two dimensions."""
    batch_norm: Callable[..., Any]
    """``(x, weight, bias)``, in training; running statistics are kept where the library keeps them."""
    layer_norm: Callable[..., Any]
    """``(x, weight, bias)``, over the last axis."""
    flatten: Callable[[Any], Any]
    """All axes but the first in one."""
    mean_over_space: Callable[[Any], Any]
    """(N, C, H, W) to (N, C)."""
    cross_entropy: Callable[..., Any]
    """``(logits, labels)``, the mean over the batch."""
    embedding: Callable[..., Any]
    """``(indices, weight)``."""
    lstm: Callable[..., Any]
    """``(x, w_ih, w_hh, b_ih, b_hh)``: (time, batch, features) to (time, batch, hidden), from zeros."""

    # -- what is done with them ---------------------------------------------------------------------------

    def gradients(self, function: Callable[..., Any], arrays: Sequence[Array], constants: Sequence[Array]) -> Step:
        """``function(*arrays, *constants)`` and its gradients with respect to the arrays, from a :func:`cotangent`.

        The step returns the value and the gradients, as the library's own arrays.
        """
        raise NotOffered(f"{type(self).__name__} has no gradients")

    def training(
        self,
        loss: Callable[..., Any],
        parameters: Mapping[str, Array],
        data: Sequence[Array],
        optimizer: str,
    ) -> Step:
        """One step of training: ``loss(parameters, *data)``, all gradients, and the update.

        Args:
            loss: takes the parameters as a dict of the library's arrays, and the data as those.
            parameters: where they start.
            data: the same batch for each step.
            optimizer: ``"sgd"`` (lr 0.01, momentum 0.9) or ``"adam"`` (lr 0.001).

        The step returns the loss.
        """
        raise NotOffered(f"{type(self).__name__} has no training")

    def to_numpy(self, value: Any) -> Array:
        """One of the library's arrays on the host."""
        return np.asarray(value)
