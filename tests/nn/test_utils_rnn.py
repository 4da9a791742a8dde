"""Sequences of several lengths: padded, packed, and back."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)
from tensorgrad.testing import assert_gradients

LENGTHS = (2, 5, 1, 5)
SEQUENCES = [tg.tensor(np.random.default_rng(n).normal(size=(length, 3))) for n, length in enumerate(LENGTHS)]


@pytest.mark.parametrize("batch_first", [False, True])
def test_padded_and_back(batch_first: bool) -> None:
    padded = pad_sequence(SEQUENCES, batch_first, padding_value=7.0)
    assert padded.shape == ((4, 5, 3) if batch_first else (5, 4, 3))
    rows = padded if batch_first else padded.swapaxes(0, 1)
    for row, sequence in zip(rows, SEQUENCES, strict=True):
        assert row[: len(sequence)].tolist() == sequence.tolist()
        assert (row[len(sequence) :].numpy() == 7).all()
    for found, sequence in zip(unpad_sequence(padded, LENGTHS, batch_first), SEQUENCES, strict=True):
        assert found.tolist() == sequence.tolist()


def test_padded_before() -> None:
    padded = pad_sequence([tg.tensor([1, 2, 3]), tg.tensor([4])], batch_first=True, padding_side="left")
    assert padded.tolist() == [[1, 2, 3], [0, 0, 4]]
    assert padded.dtype == np.int64


@pytest.mark.parametrize("batch_first", [False, True])
def test_packed_and_back(batch_first: bool) -> None:
    padded = pad_sequence(SEQUENCES, batch_first)
    packed = pack_padded_sequence(padded, tg.tensor(LENGTHS), batch_first, enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [4, 3, 2, 2, 2]
    # Of two that are equally long the first comes first.
    assert packed.sorted_indices.tolist() == [1, 3, 0, 2]
    assert packed.unsorted_indices.tolist() == [2, 0, 3, 1]
    assert packed.data[:4].tolist() == [SEQUENCES[n][0].tolist() for n in (1, 3, 0, 2)]
    again, lengths = pad_packed_sequence(packed, batch_first)
    assert (again.tolist(), lengths.tolist()) == (padded.tolist(), [*LENGTHS])
    longer, _ = pad_packed_sequence(packed, True, padding_value=7.0, total_length=6)
    assert longer.shape == (4, 6, 3)
    assert (longer[2, 1:].numpy() == 7).all()
    for found, sequence in zip(unpack_sequence(packed), SEQUENCES, strict=True):
        assert found.tolist() == sequence.tolist()


def test_sequences_in_order_need_no_indices() -> None:
    packed = pack_sequence(SEQUENCES[1:3])
    assert packed.sorted_indices is packed.unsorted_indices is None
    padded, lengths = pad_packed_sequence(packed)
    assert lengths.tolist() == [5, 1]
    assert padded[:, 0].tolist() == SEQUENCES[1].tolist()


def test_padding_that_is_longer_than_all_sequences() -> None:
    packed = pack_padded_sequence(tg.arange(8).reshape((2, 4)), [2, 1], batch_first=True)
    assert (packed.data.tolist(), packed.batch_sizes.tolist()) == ([0, 4, 1], [2, 1])


def test_gradients() -> None:
    def there_and_back(*sequences: tg.Tensor) -> tg.Tensor:
        packed = pack_sequence(sequences, enforce_sorted=False)
        padded, _ = pad_packed_sequence(PackedSequence(packed.data * packed.data, *packed[1:]), padding_value=3.0)
        return padded

    assert_gradients(there_and_back, *SEQUENCES[:3])


def test_a_packed_sequence_moves() -> None:
    packed = pack_sequence(SEQUENCES, enforce_sorted=False)
    single = packed.to("float32")
    assert isinstance(single, PackedSequence)
    assert (single.data.dtype, single.batch_sizes.dtype) == (np.float32, np.int64)
    assert single.sorted_indices.tolist() == packed.sorted_indices.tolist()
    assert PackedSequence(packed.data, packed.batch_sizes, packed.sorted_indices).unsorted_indices.tolist() == [
        2,
        0,
        3,
        1,
    ]
    assert invert_permutation(None) is None


def test_what_is_refused() -> None:
    padded = pad_sequence(SEQUENCES)
    for call, words in [
        (lambda: pad_sequence([]), "at least one; got"),
        (lambda: pad_sequence([tg.ones((2, 3)), tg.ones((2, 4))]), r"differ in L only.*\(2, 3\), \(2, 4\)"),
        (lambda: pad_sequence([tg.ones(2)], padding_side="up"), "'right' or 'left', not 'up'"),
        (lambda: pack_padded_sequence(padded, LENGTHS), r"the longest sequence first, got lengths \[2, 5, 1, 5\]"),
        (lambda: pack_padded_sequence(padded, [4, 3, 2]), "of 4 sequences of 5 steps takes as many lengths"),
        (lambda: pack_padded_sequence(padded, [4, 3, 2, 0]), r"integers from 1 to 5; got \[4, 3, 2, 0\]"),
        (lambda: pack_padded_sequence(padded, [6, 3, 2, 1]), "integers from 1 to 5; got"),
        (lambda: pack_padded_sequence(padded, [4.0, 3.0, 2.0, 1.0]), "integers from 1 to 5; got"),
        (lambda: pack_padded_sequence(tg.ones(3), [1]), r"takes padded sequences \(T, N, ...\), got shape \(3,\)"),
        (lambda: unpad_sequence(padded, [4, 3, 2, -1]), "integers from 0 to 5; got"),
        (lambda: pad_packed_sequence(pack_sequence(SEQUENCES[1:2]), total_length=3), "has 5 steps, not 3"),
    ]:
        with pytest.raises(ValueError, match=words):
            call()
