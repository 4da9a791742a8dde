"""MNIST, 70,000 handwritten digits."""

from __future__ import annotations

import os

import numpy as np

from tensorgrad.data import load_mnist

Split = tuple[np.ndarray, np.ndarray]


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """The images and labels to train with, and those to test with, as Keras gives them.

    They are found or downloaded by :func:`tensorgrad.data.load_mnist`.

    Args:
        path: a folder to look in first; Keras's ``"mnist.npz"`` is understood as none.

    Returns:
        Images (N, 28, 28) of uint8, from 0 to 255; labels (N,) of uint8.
    """
    root = None if path is None or os.fspath(path) == "mnist.npz" else path
    return _split("train", root), _split("test", root)


def _split(name: str, root: str | os.PathLike[str] | None) -> Split:
    images, labels = load_mnist(name, root)
    pixels = np.rint(images * 255).astype(np.uint8)
    return pixels.reshape(-1, 28, 28), labels.astype(np.uint8)
