"""CIFAR-100, 60,000 small photographs in a hundred classes."""

from __future__ import annotations

from tensorgrad.data import load_cifar100
from tensorgrad.keras.datasets.splits import Split, both


def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """The images and labels of CIFAR-100, as Keras gives them.

    They are found or downloaded by :func:`tensorgrad.data.load_cifar100`.

    Args:
        label_mode: ``"fine"`` for a hundred classes, ``"coarse"`` for twenty.

    Returns:
        Images (N, 32, 32, 3) of uint8, from 0 to 255, and labels (N, 1) of uint8; those to train with, and those to
        test with.
    """
    pair: tuple[Split, Split] = both(load_cifar100, (32, 32, 3), (1,), labels=label_mode)
    return pair
