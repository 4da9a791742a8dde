"""MNIST, 70,000 handwritten digits."""

from __future__ import annotations

import os

from tensorgrad.data import load_mnist
from tensorgrad.keras.datasets.splits import Split, both


def load_data(path: str | os.PathLike[str] = "mnist.npz") -> tuple[Split, Split]:
    """The images and labels of MNIST, as Keras gives them.

    They are found or downloaded by :func:`tensorgrad.data.load_mnist`.

    Args:
        path: a folder to look in first; a file's name, as Keras has it here, says nothing.

    Returns:
        Images (N, 28, 28) of uint8, from 0 to 255, and labels (N,) of uint8; those to train with, and those to test
        with.
    """
    root = path if os.path.isdir(path) else None
    pair: tuple[Split, Split] = both(load_mnist, (28, 28), (), root=root)
    return pair
