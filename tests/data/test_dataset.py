"""Datasets, subsets, and splits."""

from __future__ import annotations

import numpy as np
import pytest

from tensorgrad.autograd.tensor import Tensor
from tensorgrad.data import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from tensorgrad.random import Generator


def arrays(n=7):
    return np.arange(n * 6, dtype=np.float32).reshape(n, 2, 3), np.arange(n)


def test_tensor_dataset_gives_rows():
    images, labels = arrays()
    dataset = TensorDataset(images, Tensor(labels))
    assert len(dataset) == 7
    image, label = dataset[3]
    assert isinstance(image, Tensor)
    assert image.dtype == np.float32
    assert np.array_equal(image.numpy(), images[3])
    assert int(label) == 3
    assert dataset[-1][1].item() == 6
    assert dataset[2:5][0].shape == (3, 2, 3)
    assert [t.shape for t in dataset.tensors] == [(7, 2, 3), (7,)]
    assert repr(dataset) == "TensorDataset(float32[7, 2, 3], int64[7])"


def test_tensor_dataset_takes_lists():
    image, label = TensorDataset([[0.5, 1.5], [2.5, 3.5]], [0, 1])[1]
    assert (image.dtype, label.dtype) == (np.float32, np.int64)


def test_tensor_dataset_is_a_sequence():
    assert len(list(TensorDataset(*arrays()))) == 7
    with pytest.raises(IndexError):
        TensorDataset(*arrays())[7]


def test_batches_share_no_memory():
    images, labels = arrays()
    batch, _ = TensorDataset(images, labels).batch(np.array([0, 1, 2]))
    assert not np.shares_memory(batch.data, images)
    assert np.array_equal(batch.numpy(), images[:3])


def test_tensor_dataset_wants_equal_lengths():
    images, labels = arrays()
    with pytest.raises(ValueError, match=r"same length along the first axis, got shapes \(7, 2, 3\), \(6,\)"):
        TensorDataset(images, labels[:6])
    with pytest.raises(ValueError, match=r"got shapes \(\)"):
        TensorDataset(np.float32(3))
    with pytest.raises(ValueError, match="at least one array"):
        TensorDataset()


def test_the_base_class_says_what_is_missing():
    class Half(Dataset):
        pass

    with pytest.raises(NotImplementedError, match=r"Half defines no __getitem__\(index\)"):
        Half()[0]
    with pytest.raises(NotImplementedError, match=r"Half defines no __len__\(\)"):
        len(Half())


def test_subset():
    images, labels = arrays()
    subset = Subset(TensorDataset(images, labels), [5, 0, 5])
    assert [int(label) for _, label in subset] == [5, 0, 5]
    assert subset.batch(np.array([2, 1]))[1].tolist() == [5, 0]
    nested = Subset(subset, [1])
    assert nested.batch(np.array([0]))[1].tolist() == [0]
    assert len(Subset(images, [])) == 0


def test_subset_of_a_dataset_without_batches_has_none():
    subset = Subset("abc", [2, 1])
    assert list(subset) == ["c", "b"]
    assert not hasattr(subset, "batch")


@pytest.mark.parametrize("index", [-1, 3])
def test_subset_wants_samples_that_are_there(index):
    with pytest.raises(IndexError, match=f"no sample {index} in a dataset of 3"):
        Subset("abc", [0, index])


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([6, 4], [6, 4]),
        ([10, 0], [10, 0]),
        ([0.5, 0.5], [5, 5]),
        ([0.25, 0.75], [3, 7]),
        ([1 / 3, 1 / 3, 1 / 3], [4, 3, 3]),
        ([0.7, 0.2, 0.1], [7, 2, 1]),
        (np.array([3, 7]), [3, 7]),
    ],
)
def test_random_split_deals_everything_out(lengths, expected):
    parts = random_split(range(10), lengths, seed=0)
    assert [len(part) for part in parts] == expected
    assert sorted(sample for part in parts for sample in part) == list(range(10))


def test_fractions_are_not_undone_by_rounding():
    assert [len(part) for part in random_split(range(100), [0.29, 0.71], seed=0)] == [29, 71]


def test_random_split_follows_its_seed():
    first, again = random_split(range(50), [25, 25], seed=1), random_split(range(50), [25, 25], seed=1)
    assert list(first[0]) == list(again[0])
    assert list(first[0]) != list(random_split(range(50), [25, 25], seed=2)[0])
    assert list(first[0]) == list(random_split(range(50), [25, 25], seed=Generator(1))[0])
    assert list(first[0]) != sorted(first[0])


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([5, 4], "add up to 9, not to the 10 samples"),
        ([0.5, 0.4], "add up to 0.9, not to 1"),
        ([11, -1], "not negative"),
    ],
)
def test_random_split_wants_lengths_that_add_up(lengths, words):
    with pytest.raises(ValueError, match=words):
        random_split(range(10), lengths)


def test_one_dataset_and_then_another():
    both = TensorDataset(np.arange(3)) + TensorDataset(np.arange(3, 5))
    assert isinstance(both, ConcatDataset)
    assert [x.item() for (x,) in both] == [0, 1, 2, 3, 4]


def test_subsets_by_masks():
    assert [*Subset("abc", np.array([True, False, True]))] == ["a", "c"]
    assert [*Subset("abc", [])] == []
    for wrong in ([True, False], [0.0, 1.0], ["a"]):
        with pytest.raises(TypeError, match="Subset takes integers, or a boolean for each of the 3 samples"):
            Subset("abc", wrong)
