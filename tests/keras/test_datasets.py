"""Data sets in Keras's shapes; what is read is that of ``tensorgrad.data``, which has tests of its own."""

from __future__ import annotations

import numpy as np
import pytest

from tensorgrad.keras import datasets
from tensorgrad.keras.datasets.splits import both


def test_splits():
    def load(split, dtype, **options):
        count = 3 if split == "train" else 2
        images = np.arange(count * 12).reshape(count, 3, 2, 2)
        assert options == {"labels": "fine"}
        return images.astype(dtype), np.arange(count)

    (x, y), (x_test, y_test) = both(load, (2, 2, 3), (1,), labels="fine")
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((3, 2, 2, 3), (3, 1), (2, 2, 2, 3), (2, 1))
    assert x.dtype == y.dtype == np.uint8
    assert x[0, 0, 0].tolist() == [0, 4, 8]


@pytest.mark.parametrize(
    ("name", "shape", "labels"),
    [
        ("mnist", (1, 28, 28), (1,)),
        ("fashion_mnist", (1, 28, 28), (1,)),
        ("cifar10", (3, 32, 32), (1, 1)),
        ("cifar100", (3, 32, 32), (1, 1)),
    ],
)
def test_each(name, shape, labels, monkeypatch):
    module = getattr(datasets, name)
    monkeypatch.setattr(
        module, f"load_{name}", lambda split, **options: (np.ones((1, *shape), np.uint8), np.ones(1, np.int64))
    )
    (x, y), _ = module.load_data()
    assert x.shape == ((1, 28, 28) if "mnist" in name else (1, 32, 32, 3))
    assert y.shape == labels
