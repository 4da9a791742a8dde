"""The handwritten digits that come with the package: real images, and nothing to download.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, licence CC BY 4.0; of it the test part, as scikit-learn's ``load_digits`` holds it.
``DIGITS.md``, beside this file, tells more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tensorgrad.random import Generator

FILE = Path(__file__).with_name("digits.npz")
SPLIT_SEED = 1797
TEST_PER_CLASS = 45


def load_digits(split: str | None = "train", flatten: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Handwritten digits of 8x8 pixels.

    The split never changes: 45 images of each digit, drawn once with a fixed seed, are the test set (450 images), the
    other 1,347 the training set. Both keep the order of the file.

    Args:
        split: ``"train"``, ``"test"``, or None for all 1,797 images.
        flatten: whether an image is a row of 64 values instead of an array of shape (1, 8, 8).

    Returns:
        Images, float32 of shape (N, 1, 8, 8) or (N, 64), from 0 (paper) to 1 (ink); labels, int64 of shape (N,),
        from 0 to 9.

    Raises:
        ValueError: for another split.

    Example:
        >>> images, labels = load_digits("test")
        >>> images.shape, images.dtype, labels.dtype
        ((450, 1, 8, 8), dtype('float32'), dtype('int64'))
    """
    if split not in ("train", "test", None):
        raise ValueError(f"expected split 'train', 'test' or None (all), got {split!r}.")
    with np.load(FILE, allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"].astype(np.int64)
    images = images.reshape((-1, 64) if flatten else (-1, 1, 8, 8)).astype(np.float32)
    images /= 16
    if split is None:
        return images, labels
    chosen = _is_test(labels) == (split == "test")
    return images[chosen], labels[chosen]


def _is_test(labels: np.ndarray) -> np.ndarray:
    """Which images are in the test set."""
    order = Generator(SPLIT_SEED).permutation(len(labels))
    mask = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        mask[order[labels[order] == digit][:TEST_PER_CLASS]] = True
    return mask
