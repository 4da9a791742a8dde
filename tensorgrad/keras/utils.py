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
    "pad_sequences",
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


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as rows of one array.

    Args:
        sequences: lists of numbers.
        maxlen: the length of the rows; by default that of the longest.
        dtype: of the array.
        padding: whether short ones are filled up at their beginning, ``"pre"``, or at their end, ``"post"``.
        truncating: whether long ones lose their beginning, ``"pre"``, or their end, ``"post"``.
        value: what they are filled up with.

    Example:
        >>> pad_sequences([[1], [2, 3, 4]], maxlen=2)
        array([[0, 1],
               [3, 4]], dtype=int32)
    """
    for name, place in (("padding", padding), ("truncating", truncating)):
        if place not in ("pre", "post"):
            raise ValueError(f"{name} is 'pre' or 'post', not {place!r}.")
    rows = [np.asarray(row) for row in sequences]
    length = max(map(len, rows), default=0) if maxlen is None else maxlen
    inner = next((row.shape[1:] for row in rows if len(row)), ())
    result = np.full((len(rows), length, *inner), value, dtype)
    for place, row in zip(result, rows, strict=True):
        kept = row[max(len(row) - length, 0) :] if truncating == "pre" else row[:length]
        start = length - len(kept) if padding == "pre" else 0
        if len(kept):
            place[start : start + len(kept)] = kept
    return result


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """``x`` divided by its norms along an axis; zeros stay.

    Example:
        >>> normalize([[3.0, 4.0]]).round(3)
        array([[0.6, 0.8]])
    """
    array = np.asarray(asarray(x).numpy() if not isinstance(x, (list, np.ndarray)) else x)
    norms = np.linalg.norm(array, order, axis, keepdims=True)
    return np.asarray(array / np.where(norms == 0, 1, norms))
