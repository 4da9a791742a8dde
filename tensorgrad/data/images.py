"""The well-known data sets of images as datasets, under the names and with the arguments of torchvision."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.data.cifar import CIFAR10_CLASSES, CIFAR100_CLASSES, load_cifar10, load_cifar100
from tensorgrad.data.dataset import Dataset
from tensorgrad.data.download import pixels
from tensorgrad.data.mnist import FASHION_MNIST_CLASSES, load_fashion_mnist, load_mnist

Function = Callable[[Any], Any] | None


class _Images(Dataset):
    classes: tuple[str, ...] = ()
    load: Callable[..., tuple[np.ndarray, np.ndarray]]

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Function = None,
        target_transform: Function = None,
        download: bool = True,
    ) -> None:
        split = "train" if train else "test"
        self.data, self.targets = type(self).load(split, root, download, dtype=np.uint8)
        self.train, self.transform, self.target_transform = train, transform, target_transform

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: Any = pixels(self.data[index], np.float32)
        label: Any = int(self.targets[index])
        image = image if self.transform is None else self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def batch(self) -> Callable[[np.ndarray], Any]:
        """Whole batches at once, where nothing is done to the samples."""
        if self.transform is not None or self.target_transform is not None:
            raise AttributeError("samples that are transformed are taken one by one.")
        return lambda indices: (pixels(self.data[indices], np.float32), self.targets[indices])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} images of {len(self.classes)} classes)"


class MNIST(_Images):
    """The handwritten digits of MNIST: samples of an image, float32 of shape (1, 28, 28) from 0 to 1, and its digit.

    Args:
        root: the folder to look in first, and to download into; see :func:`~tensorgrad.data.load_mnist`.
        train: whether they are the 60,000 images to train with, or the 10,000 to test with.
        transform: called with the image; see :mod:`tensorgrad.data.transforms`.
        target_transform: called with the label.
        download: whether to download what is not found.

    Attributes:
        data: the images, uint8 from 0 to 255.
        targets: the labels, int64.
        classes: what they stand for.

    Raises:
        FileNotFoundError: if they are nowhere, or not to be downloaded.
        ValueError: if a file is damaged.
    """

    classes = tuple("0123456789")
    load = staticmethod(load_mnist)


class FashionMNIST(_Images):
    """The articles of clothing of Fashion-MNIST; the arguments and all else are as of :class:`MNIST`."""

    classes = FASHION_MNIST_CLASSES
    load = staticmethod(load_fashion_mnist)


class CIFAR10(_Images):
    """The photographs of CIFAR-10, of shape (3, 32, 32); the arguments and all else are as of :class:`MNIST`."""

    classes = CIFAR10_CLASSES
    load = staticmethod(load_cifar10)


class CIFAR100(_Images):
    """The photographs of CIFAR-100, of shape (3, 32, 32), with their fine labels; all else is as of :class:`MNIST`."""

    classes = CIFAR100_CLASSES
    load = staticmethod(load_cifar100)
