"""From samples to batches."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

from tensorgrad.autograd.tensor import Tensor
from tensorgrad.data.collate import collate, to_tensors

Pair = namedtuple("Pair", ["image", "label"])


@pytest.mark.parametrize(
    ("samples", "dtype"),
    [
        ([1.5, 2.5], np.float32),
        ([1, 2], np.int64),
        ([True, False], np.bool_),
        ([1, 2.5], np.float32),
        ([True, 2], np.int64),
        ([np.float64(1.5), np.float64(2.5)], np.float64),
        ([np.uint8(1), np.uint8(2)], np.uint8),
        ([np.zeros(3, np.float16), np.ones(3, np.float16)], np.float16),
        ([Tensor(np.zeros(3, np.float32)), Tensor(np.ones(3, np.float32))], np.float32),
    ],
)
def test_dtypes(samples, dtype):
    batch = collate(samples)
    assert batch.dtype == dtype
    assert batch.shape[0] == 2
    assert np.array_equal(batch[1], np.asarray(samples[1], dtype=dtype))


def test_structures():
    samples = [{"x": (np.full(2, i), i), "name": f"n{i}", "pair": Pair(i / 2, [i])} for i in range(3)]
    batch = collate(samples)
    assert np.array_equal(batch["x"][0], [[0, 0], [1, 1], [2, 2]])
    assert batch["x"][1].dtype == np.int64
    assert batch["name"] == ["n0", "n1", "n2"]
    assert isinstance(batch["pair"], Pair)
    assert batch["pair"].image.dtype == np.float32
    assert np.array_equal(batch["pair"].label[0], [0, 1, 2])


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([np.zeros(2), np.zeros(3)], r"different shapes: \(2,\) and \(3,\)"),
        ([(1, 2), (1, 2, 3)], "different lengths: 2 and 3"),
        ([{"a": 1}, {"b": 1}], r"different keys: \['a'\] and \['b'\]"),
        ([1, "a"], "different types: float and str"),
        ([(1,), [1]], "different types: tuple and list"),
    ],
)
def test_samples_that_differ(samples, words):
    with pytest.raises(ValueError, match=words):
        collate(samples)


@pytest.mark.parametrize("sample", [None, object(), {1, 2}])
def test_samples_of_no_use(sample):
    with pytest.raises(TypeError, match=f"samples of type {type(sample).__name__}.*collate_fn"):
        collate([sample, sample])


def test_to_tensors_goes_through_structures():
    batch = to_tensors(OrderedDict(x=[np.zeros(2)], pair=Pair(np.ones(1), "name"), n=3), "cpu")
    assert isinstance(batch["x"][0], Tensor)
    assert isinstance(batch["pair"], Pair)
    assert isinstance(batch["pair"].image, Tensor)
    assert batch["pair"].label == "name"
    assert batch["n"] == 3


def test_to_tensors_copies_nothing_needlessly():
    array = np.zeros(2)
    tensor = Tensor(array)
    assert to_tensors(array, None).data is array
    assert to_tensors(tensor, "cpu") is tensor


def test_no_samples():
    with pytest.raises(ValueError, match="a batch has at least one sample"):
        collate([])
