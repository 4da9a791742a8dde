"""Sequences of several lengths: padded to one length, or packed so that there is nothing between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops.creation import asarray, full
from tensorgrad.ops.indexing import argsort, index_put, take
from tensorgrad.ops.shape import concat, swapaxes


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of several lengths without padding: all first steps, all second steps, and so on.

    The longest sequence comes first in each step. :func:`pack_sequence` and :func:`pack_padded_sequence` make them;
    recurrent layers take them, and give them back.

    Attributes:
        data: all steps, shape (S, ...), S the sum of the lengths.
        batch_sizes: how many sequences have a first step, a second step, ...: shape (T,), integers on the CPU.
        sorted_indices: which of the given sequences is the longest, the second, ...: shape (N,); None if they were
            given in that order.
        unsorted_indices: where in this order each of the given sequences is, shape (N,); or None.

    Example:
        >>> packed = tg.nn.utils.rnn.pack_sequence([tg.tensor([1.0, 2.0, 3.0]), tg.tensor([4.0, 5.0])])
        >>> packed.data.tolist(), packed.batch_sizes.tolist()
        ([1.0, 4.0, 2.0, 5.0, 3.0], [2, 2, 1])
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if sorted_indices is not None and unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, asarray(data), asarray(batch_sizes), sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same in another dtype, or on another device; arguments as of :meth:`Tensor.to`."""
        data = self.data.to(*args, **kwargs)
        places = [None if each is None else each.to(device=data.device) for each in self[2:]]
        return type(self)(data, self.batch_sizes, *places)


def invert_permutation(permutation: Any) -> Tensor | None:
    """The permutation that undoes another; None of None.

    Example:
        >>> tg.nn.utils.rnn.invert_permutation(tg.tensor([2, 0, 1])).tolist()
        [1, 2, 0]
    """
    return None if permutation is None else argsort(asarray(permutation))


def pad_sequence(
    sequences: Iterable[Any], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences side by side, the shorter ones filled up to the length of the longest.

    Args:
        sequences: arrays of shapes (L, ...), each with an L of its own.
        batch_first: whether the first axis of the result counts the sequences, not the steps.
        padding_value: what they are filled up with.
        padding_side: ``"right"`` (behind them) or ``"left"`` (before them).

    Returns:
        Shape (T, N, ...) or, with ``batch_first``, (N, T, ...), for N sequences of at most T steps.

    Raises:
        ValueError: if there are no sequences, or their other axes differ, or for another side.

    Example:
        >>> tg.nn.utils.rnn.pad_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])], batch_first=True)
        Tensor([[1., 2.],
                [3., 0.]], dtype=float32, device='cpu')
    """
    arrays = [asarray(each) for each in sequences]
    shapes = [each.shape for each in arrays]
    if not arrays or any(not shape or shape[1:] != shapes[0][1:] for shape in shapes):
        raise ValueError(f"pad_sequence() takes sequences (L, ...) that differ in L only, at least one; got {shapes}.")
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence() pads on the side 'right' or 'left', not {padding_side!r}.")
    there = _there(np.array([shape[0] for shape in shapes]))
    padded = _spread(concat(arrays), there if padding_side == "right" else there[:, ::-1], padding_value)
    return padded if batch_first else swapaxes(padded, 0, 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences that :func:`pad_sequence` put side by side, each in its own length.

    Args:
        padded_sequences: shape (T, N, ...) or, with ``batch_first``, (N, T, ...).
        lengths: of the N sequences.
        batch_first: whether the first axis counts the sequences.

    Raises:
        ValueError: if there is not one length, from 0 to T, for each sequence.

    Example:
        >>> padded = tg.tensor([[1.0, 2.0], [3.0, 0.0]])
        >>> [each.tolist() for each in tg.nn.utils.rnn.unpad_sequence(padded, [2, 1], batch_first=True)]
        [[1.0, 2.0], [3.0]]
    """
    padded = _sequences_first("unpad_sequence", padded_sequences, batch_first)
    counts = _lengths("unpad_sequence", padded, lengths, 0)
    return [padded[i, :count] for i, count in enumerate(counts.tolist())]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Sequences that have been padded, without their padding.

    Args:
        input: shape (T, N, ...) or, with ``batch_first``, (N, T, ...).
        lengths: of the N sequences, 1 or more each.
        batch_first: whether the first axis counts the sequences.
        enforce_sorted: whether to insist that they are given with the longest first; otherwise they are sorted.

    Raises:
        ValueError: if there is not one length, from 1 to T, for each sequence, or they rise and should not.

    Example:
        >>> padded = tg.tensor([[1.0, 0.0], [2.0, 3.0]])
        >>> packed = tg.nn.utils.rnn.pack_padded_sequence(padded, [1, 2], batch_first=True, enforce_sorted=False)
        >>> packed.data.tolist(), packed.batch_sizes.tolist(), packed.sorted_indices.tolist()
        ([2.0, 1.0, 3.0], [2, 1], [1, 0])
    """
    padded = _sequences_first("pack_padded_sequence", input, batch_first)
    counts = _lengths("pack_padded_sequence", padded, lengths, 1)
    indices = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts, indices = counts[order], asarray(order, device=padded.device)
        padded = take(padded, indices, axis=0)
    elif (np.diff(counts) > 0).any():
        raise ValueError(
            f"pack_padded_sequence() takes the longest sequence first, got lengths {counts.tolist()}: sort them, or "
            f"give enforce_sorted=False."
        )
    there = _there(counts).T
    steps = swapaxes(padded, 0, 1)[: len(there)]
    data = steps[backend.transfer(there, padded.device)]
    return PackedSequence(data, there.sum(axis=1), indices)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """What :func:`pack_padded_sequence` packed, padded again and in the order that it had.

    Args:
        sequence: packed sequences.
        batch_first: whether the first axis of the result counts the sequences, not the steps.
        padding_value: what is put where there is nothing.
        total_length: the number of steps of the result, if not that of the longest sequence.

    Returns:
        Shape (T, N, ...) or, with ``batch_first``, (N, T, ...); and the lengths, shape (N,), integers on the CPU.

    Raises:
        ValueError: if ``total_length`` is less than the longest sequence has.

    Example:
        >>> packed = tg.nn.utils.rnn.pack_sequence([tg.tensor([1.0, 2.0, 3.0]), tg.tensor([4.0])])
        >>> padded, lengths = tg.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
        >>> padded.tolist(), lengths.tolist()
        ([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], [3, 1])
    """
    there = np.arange(int(sequence.batch_sizes[0].item())) < sequence.batch_sizes.numpy()[:, None]
    lengths = there.sum(axis=0)
    if total_length is not None:
        if total_length < len(there):
            raise ValueError(f"pad_packed_sequence(): the longest sequence has {len(there)} steps, not {total_length}.")
        there = np.pad(there, ((0, total_length - len(there)), (0, 0)))
    padded = _spread(sequence.data, there, padding_value)
    if sequence.unsorted_indices is not None:
        padded = take(padded, sequence.unsorted_indices, axis=1)
        lengths = lengths[sequence.unsorted_indices.numpy()]
    return swapaxes(padded, 0, 1) if batch_first else padded, asarray(lengths)


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences of several lengths, packed.

    Args:
        sequences: arrays of shapes (L, ...), each with an L of its own, 1 or more.
        enforce_sorted: whether to insist that they are given with the longest first; otherwise they are sorted.

    Raises:
        ValueError: as of :func:`pad_sequence` and :func:`pack_padded_sequence`.

    Example:
        >>> tg.nn.utils.rnn.pack_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])]).data.tolist()
        [1.0, 3.0, 2.0]
    """
    arrays = [asarray(each) for each in sequences]
    padded = pad_sequence(arrays)
    return pack_padded_sequence(padded, [each.shape[0] for each in arrays], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that :func:`pack_sequence` packed.

    Example:
        >>> packed = tg.nn.utils.rnn.pack_sequence([tg.tensor([1.0, 2.0]), tg.tensor([3.0])])
        >>> [each.tolist() for each in tg.nn.utils.rnn.unpack_sequence(packed)]
        [[1.0, 2.0], [3.0]]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences))


def _there(lengths: np.ndarray) -> np.ndarray:
    """Where there is something, shape (N, T)."""
    return np.asarray(np.arange(int(lengths.max(initial=0))) < lengths[:, None])


def _spread(values: Tensor, there: np.ndarray, padding_value: float) -> Tensor:
    """Values one after the other at the places where something is to be."""
    shape = there.shape + values.shape[1:]
    empty = full(shape, padding_value, dtype=values.dtype, device=values.device)
    spread: Tensor = index_put(empty, backend.transfer(there, values.device), values)
    return spread


def _sequences_first(name: str, padded: Any, batch_first: bool) -> Tensor:
    padded = asarray(padded)
    if padded.ndim < 2:
        axes = "(N, T, ...)" if batch_first else "(T, N, ...)"
        raise ValueError(f"{name}() takes padded sequences {axes}, got shape {padded.shape}.")
    return padded if batch_first else swapaxes(padded, 0, 1)


def _lengths(name: str, padded: Tensor, lengths: Any, least: int) -> np.ndarray:
    counts = asarray(lengths).numpy()
    sequences, steps = padded.shape[:2]
    fitting = counts.dtype.kind in "iu" and counts.shape == (sequences,)
    if not fitting or (counts < least).any() or (counts > steps).any():
        raise ValueError(
            f"{name}() of {sequences} sequences of {steps} steps takes as many lengths, integers from {least} to "
            f"{steps}; got {counts.tolist()}."
        )
    return counts
