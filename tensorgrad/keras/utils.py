"""Helpers: one-hot targets, the seed, names of one's own classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tensorgrad.keras.config import floatx, set_random_seed
from tensorgrad.keras.registry import clear_session, custom_object_scope, register_keras_serializable
from tensorgrad.nn.functional import one_hot
from tensorgrad.ops.creation import asarray

__all__ = [
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "normalize",
    "register_keras_serializable",
    "set_random_seed",
    "to_categorical",
]


class PyDataset:
    """The base class of what gives batches by their numbers, for ``fit`` and others.

    A subclass defines ``__len__``, how many batches there are, and ``__getitem__(index)``, which gives one: ``(x, y)``.

    Args:
        options: accepted, and not needed: batches are made one after the other.
    """

    def __init__(self, **options: Any) -> None:
        pass

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} defines no __len__().")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__(index).")

    def on_epoch_end(self) -> None:
        """After the last batch."""

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]
        self.on_epoch_end()


Sequence = PyDataset


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Classes as one-hot rows.

    Args:
        x: integers from 0, an array of any shape; a last axis of length 1 is dropped.
        num_classes: how long the rows are; by default one more than the largest.

    Returns:
        An array of floatx.

    Raises:
        ValueError: for a class that is negative or not below ``num_classes``.

    Example:
        >>> to_categorical([0, 2, 1])
        array([[1., 0., 0.],
               [0., 0., 1.],
               [0., 1., 0.]], dtype=float32)
    """
    classes = asarray(x).numpy().astype(np.int64)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    return np.asarray(one_hot(classes, num_classes).numpy(), floatx())


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """``x`` divided by its norms along an axis; zeros stay.

    Example:
        >>> normalize([[3.0, 4.0]]).round(3)
        array([[0.6, 0.8]])
    """
    array = np.asarray(asarray(x).numpy() if not isinstance(x, (list, np.ndarray)) else x)
    norms = np.linalg.norm(array, order, axis, keepdims=True)
    return np.asarray(array / np.where(norms == 0, 1, norms))
