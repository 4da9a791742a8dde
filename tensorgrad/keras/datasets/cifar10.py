"""CIFAR-10, 60,000 small photographs in ten classes."""

from __future__ import annotations

from tensorgrad.data import load_cifar10
from tensorgrad.keras.datasets.splits import Split, both


def load_data() -> tuple[Split, Split]:
    """The images and labels of CIFAR-10, as Keras gives them.

    They are found or downloaded by :func:`tensorgrad.data.load_cifar10`.

    Returns:
        Images (N, 32, 32, 3) of uint8, from 0 to 255, and labels (N, 1) of uint8; those to train with, and those to
        test with.
    """
    pair: tuple[Split, Split] = both(load_cifar10, (32, 32, 3), (1,))
    return pair
