"""The well-known data sets under torchvision's names, with arrays in the place of what they load."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import CIFAR10, CIFAR100, MNIST, DataLoader, FashionMNIST, transforms

SHAPES = {MNIST: (1, 28, 28), FashionMNIST: (1, 28, 28), CIFAR10: (3, 32, 32), CIFAR100: (3, 32, 32)}
asked = []


@pytest.fixture(params=SHAPES, ids=lambda kind: kind.__name__)
def kind(request, monkeypatch):
    def load(split, root, download, dtype):
        asked[:] = [(split, root, download)]
        images = np.random.default_rng(0).integers(0, 256, (10, *SHAPES[request.param]), dtype)
        return images, np.arange(10)

    monkeypatch.setattr(request.param, "load", staticmethod(load))
    return request.param


def test_samples_and_batches(kind):
    dataset = kind("somewhere", train=False, download=False)
    assert asked == [("test", "somewhere", False)]
    assert len(dataset) == 10
    assert len(dataset.classes) in (10, 100)
    image, label = dataset[3]
    assert (image.dtype, image.shape, label, type(label)) == (np.float32, SHAPES[kind], 3, int)
    assert np.array_equal(image * 255, dataset.data[3])
    loader = DataLoader(dataset, 4, shuffle=True, seed=0)
    assert loader.prefetch == 0
    for x, y in loader:
        assert (x.dtype, y.dtype) == (np.float32, np.int64)
        assert np.array_equal(x.numpy(), np.stack([dataset[i][0] for i in y.tolist()]))
    assert "10 images" in repr(dataset)


def test_what_is_done_to_samples(kind):
    change = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.Normalize(0.5, 0.5)])
    dataset = kind(transform=change, target_transform=lambda label: -label)
    assert asked == [("train", None, True)]
    tg.manual_seed(0)
    (x, y), *_ = DataLoader(dataset, 10)
    assert y.tolist() == [-label for label in range(10)]
    assert x.numpy().min() < -0.9
    assert x.shape == (10, *SHAPES[kind])
