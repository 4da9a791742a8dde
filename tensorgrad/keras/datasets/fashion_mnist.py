"""Fashion-MNIST, 70,000 articles of clothing."""

from __future__ import annotations

from tensorgrad.data import load_fashion_mnist
from tensorgrad.keras.datasets.splits import Split, both


def load_data() -> tuple[Split, Split]:
    """The images and labels of Fashion-MNIST, as Keras gives them.

    They are found or downloaded by :func:`tensorgrad.data.load_fashion_mnist`.

    Returns:
        Images (N, 28, 28) of uint8, from 0 to 255, and labels (N,) of uint8; those to train with, and those to test
        with.
    """
    pair: tuple[Split, Split] = both(load_fashion_mnist, (28, 28), ())
    return pair
