"""From samples to a batch, and from the arrays of a batch to Tensors on a device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor

NUMBERS = (bool, int, float)


def collate(samples: Sequence[Any]) -> Any:
    """One batch from samples of the same structure.

    Arrays and Tensors are stacked along a new first axis; numbers become a 1-d array (Python's floats float32, its
    ints int64, its bools bool; NumPy's numbers keep their dtype); tuples, lists and dicts are gone through; strings
    and bytes stay in a list.

    Args:
        samples: the samples, at least one.

    Returns:
        The batch: arrays in the structure of one sample.

    Raises:
        ValueError: if there are none, or they differ in type, shape, length or keys.
        TypeError: for anything else.

    Example:
        >>> collate([(np.zeros(2), 3), (np.ones(2), 4)])
        (array([[0., 0.],
               [1., 1.]]), array([3, 4]))
    """
    if not len(samples):
        raise ValueError("a batch has at least one sample: this one has none.")
    first = samples[0]
    _same("types", (_kind(sample).__name__ for sample in samples))
    if isinstance(first, (str, bytes)):
        return list(samples)
    if isinstance(first, Tensor):
        return collate([sample.data for sample in samples])
    if backend.of(first) is not None:
        _same("shapes", (tuple(sample.shape) for sample in samples))
        return backend.namespace(first).stack(list(samples))
    if isinstance(first, NUMBERS):
        widest = max(map(type, samples), key=NUMBERS.index)
        return np.array(samples, dtype={bool: np.bool_, int: np.int64, float: np.float32}[widest])
    if isinstance(first, Mapping):
        _same("keys", (sorted(map(str, sample)) for sample in samples))
        return {key: collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        _same("lengths", map(len, samples))
        return _rebuilt(first, [collate(parts) for parts in zip(*samples, strict=True)])
    raise TypeError(
        f"cannot make a batch of samples of type {type(first).__name__}: expected arrays, numbers, strings, or tuples, "
        "lists or dicts of them. Give the DataLoader a collate_fn that can."
    )


def _kind(sample: Any) -> type:
    """The type, with one answer for all kinds of number."""
    return float if type(sample) in NUMBERS else type(sample)


def _same(what: str, values: Iterable[Any]) -> None:
    first, *others = values
    for other in others:
        if other != first:
            raise ValueError(
                f"the samples of one batch have different {what}: {first} and {other}. Make them alike in the dataset, "
                "or give the DataLoader a collate_fn."
            )


def _rebuilt(like: Any, parts: list[Any]) -> Any:
    """``parts`` in a list, tuple or named tuple like this one."""
    return type(like)(*parts) if hasattr(like, "_fields") else type(like)(parts)


def to_tensors(batch: Any, device: str | None, move: Callable[[Any, str], Any] = backend.transfer) -> Any:
    """``batch`` with all arrays in it as Tensors on ``device`` (None: where they are); what is no array stays.

    Args:
        batch: arrays, Tensors and other things, in tuples, lists and dicts.
        device: where to.
        move: brings an array to a device.
    """
    if isinstance(batch, Tensor):
        moved = batch.data if device is None else move(batch.data, device)
        return batch if moved is batch.data else Tensor(moved)
    if isinstance(batch, np.generic):
        return batch
    if backend.of(batch) is not None:
        return Tensor(batch if device is None else move(batch, device))
    if isinstance(batch, Mapping):
        return {key: to_tensors(value, device, move) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return _rebuilt(batch, [to_tensors(value, device, move) for value in batch])
    return batch
