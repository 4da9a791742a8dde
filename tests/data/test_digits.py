"""The digits that come with the package."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import tensorgrad.data
from tensorgrad.data import load_digits

FOLDER = Path(tensorgrad.data.__file__).parent


def test_the_file():
    with np.load(FOLDER / "digits.npz", allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    assert images.dtype == labels.dtype == np.uint8
    assert images.shape == (1797, 8, 8)
    assert (images.min(), images.max()) == (0, 16)
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # Of scikit-learn's load_digits: every pixel and label.
    assert hashlib.md5(images.tobytes() + labels.tobytes()).hexdigest() == "7696c07daa6d85010f8268703ab8b067"
    assert (FOLDER / "digits.npz").stat().st_size < 60_000
    assert "CC BY" in (FOLDER / "DIGITS.md").read_text(encoding="utf-8")


def test_all_of_them_in_their_order():
    images, labels = load_digits(None)
    assert (images.shape, images.dtype) == ((1797, 1, 8, 8), np.float32)
    assert (labels.shape, labels.dtype) == ((1797,), np.int64)
    assert (images.min(), images.max()) == (0, 1)
    assert labels[:10].tolist() == list(range(10))
    assert (images[0, 0, 0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_the_split():
    everything, train, test = (load_digits(split) for split in (None, "train", "test"))
    assert (len(train[0]), len(test[0])) == (1347, 450)
    assert np.bincount(test[1]).tolist() == [45] * 10
    rows = [
        {(*image.ravel().tolist(), int(label)) for image, label in zip(*part, strict=True)}
        for part in (everything, train, test)
    ]
    assert rows[0] == rows[1] | rows[2]
    assert not rows[1] & rows[2]


def test_the_split_never_changes():
    _, labels = load_digits("test")
    assert hashlib.md5(labels.tobytes()).hexdigest() == "cb84d0ea2203c4cef34c118e7e879d10"


def test_flat_images():
    flat, labels = load_digits("test", flatten=True)
    images, same = load_digits("test")
    assert flat.shape == (450, 64)
    assert np.array_equal(flat, images.reshape(450, 64))
    assert np.array_equal(labels, same)
    assert flat.flags.c_contiguous


def test_an_unknown_split():
    with pytest.raises(ValueError, match=r"'train', 'test' or None \(all\), got 'valid'"):
        load_digits("valid")
