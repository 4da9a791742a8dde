"""MNIST and Fashion-MNIST: found where other libraries keep them, or downloaded, and always checked.

Sources: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998;
H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
2017.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.data.download import (
    TIMEOUT,
    Progress,
    check_split,
    download,
    first_whole,
    home_of,
    missing,
    named_places,
    pixels,
    usual_places,
)
from tensorgrad.data.idx import idx_md5, read_idx

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
KERAS_ARRAYS = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")}
MOST_BYTES = 64 << 20
"""No file is as large as this; a download that is, is something else."""

FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""What the labels 0 to 9 of Fashion-MNIST stand for."""


@dataclass(frozen=True)
class IdxSet:
    """A data set of 28 x 28 images in four IDX files, which all such sets call the same."""

    name: str
    folders: tuple[str, ...]
    """Where in a place for data sets it may be."""
    md5: Mapping[str, str]
    """Of the uncompressed files: the same images are compressed in more than one way."""
    mirrors: tuple[str, ...]
    archive: str | None = None
    """Keras's archive of all."""


MNIST = IdxSet(
    "MNIST",
    ("MNIST/raw", "mnist", "."),
    {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    "mnist.npz",
)
FASHION_MNIST = IdxSet(
    "Fashion-MNIST",
    ("FashionMNIST/raw", "fashion-mnist", "."),
    {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
)


def load_mnist(
    split: str = "train",
    root: str | os.PathLike[str] | None = None,
    download: bool = True,
    flatten: bool = False,
    dtype: Any = np.float32,
    *,
    mirrors: Sequence[str] | None = None,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The handwritten digits of MNIST.

    They are looked for where :func:`find_mnist` says, and if they are nowhere, downloaded. The MD5 of the
    uncompressed bytes is checked, wherever they come from. What is damaged where other libraries keep it does not
    count.

    Args:
        split: ``"train"`` (60,000 images) or ``"test"`` (10,000).
        root: the folder to look in first, and to download into (its ``MNIST/raw``, as torchvision does); by default
            ``$XDG_CACHE_HOME/tensorgrad`` or ``~/.cache/tensorgrad``.
        download: whether to download what is not found.
        flatten: whether an image is a row of 784 values instead of an array of shape (1, 28, 28).
        dtype: of the images: one of floating point numbers, or uint8 for pixels from 0 to 255.
        mirrors: the addresses to download from, tried in this order.
        timeout: seconds without a byte after which the next mirror is tried.
        progress: called with the file's name, the bytes so far, and the bytes in all (0 if unknown).

    Returns:
        Images, float32 of shape (N, 1, 28, 28) or (N, 784), from 0 (paper) to 1 (ink); labels, int64 of shape (N,),
        from 0 to 9.

    Raises:
        FileNotFoundError: if they are not found and not to be downloaded, or no mirror has them; lists what was tried.
        ValueError: if a file in ``root`` or ``$TENSORGRAD_DATA`` is damaged or not MNIST's; says which, and the MD5
            expected and found.
    """
    return _load(MNIST, split, root, download, flatten, dtype, mirrors, timeout, progress)


def load_fashion_mnist(
    split: str = "train",
    root: str | os.PathLike[str] | None = None,
    download: bool = True,
    flatten: bool = False,
    dtype: Any = np.float32,
    *,
    mirrors: Sequence[str] | None = None,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The articles of clothing of Fashion-MNIST; their names are in ``FASHION_MNIST_CLASSES``.

    All is as of :func:`load_mnist`; the folders are ``FashionMNIST/raw``, as of torchvision, and ``fashion-mnist``, as
    of Keras and Debian.

    Args:
        split: ``"train"`` (60,000 images) or ``"test"`` (10,000).
        root: the folder to look in first, and to download into.
        download: whether to download what is not found.
        flatten: whether an image is a row of 784 values instead of an array of shape (1, 28, 28).
        dtype: of the images: one of floating point numbers, or uint8 for pixels from 0 to 255.
        mirrors: the addresses to download from, tried in this order.
        timeout: seconds without a byte after which the next mirror is tried.
        progress: called with the file's name, the bytes so far, and the bytes in all (0 if unknown).

    Returns:
        Images, float32 of shape (N, 1, 28, 28) or (N, 784), from 0 (background) to 1; labels, int64 of shape (N,), from
        0 to 9.

    Raises:
        FileNotFoundError: if they are not found and not to be downloaded, or no mirror has them; lists what was tried.
        ValueError: if a file in ``root`` or ``$TENSORGRAD_DATA`` is damaged or not Fashion-MNIST's.
    """
    return _load(FASHION_MNIST, split, root, download, flatten, dtype, mirrors, timeout, progress)


def find_mnist(split: str = "train", root: str | os.PathLike[str] | None = None) -> tuple[Path, Path] | None:
    """Where MNIST already is on this machine; whether it is whole is not looked at.

    These folders are looked in, each also in its ``MNIST/raw`` and ``mnist``, for IDX files (raw or ``.gz``) and for
    Keras's ``mnist.npz``: ``root``; ``$TENSORGRAD_DATA``; torchvision's usual places, ``data`` in the current folder
    and ``~/.cache/torch``; ``~/.keras/datasets``; Debian's ``/usr/share/datasets``; and tensorgrad's cache,
    ``~/.cache/tensorgrad`` (or where ``$XDG_CACHE_HOME`` says).

    Args:
        split: ``"train"`` or ``"test"``.
        root: the folder to look in first.

    Returns:
        The file of the images and the file of the labels (for Keras's archive the same one twice), or None.
    """
    check_split(split)
    return next(iter(_found(MNIST, split, [*named_places(root), *usual_places()])), None)


def _load(
    images: IdxSet,
    split: str,
    root: str | os.PathLike[str] | None,
    may_download: bool,
    flatten: bool,
    dtype: Any,
    mirrors: Sequence[str] | None,
    timeout: float,
    progress: Progress | None,
) -> tuple[np.ndarray, np.ndarray]:
    check_split(split)
    pixels(np.zeros(0, np.uint8), dtype)
    named, usual = (_found(images, split, places) for places in (named_places(root), usual_places()))
    arrays = first_whole(named, usual, lambda pair: _read(images, split, *pair))
    if arrays is None:
        folder = home_of(root) / images.folders[0]
        mirrors = images.mirrors if mirrors is None else mirrors
        by_hand = (
            f"the four files {' '.join(f'{name}.gz' for pair in FILES.values() for name in pair)} (raw or .gz) into "
            f"{folder}, or into any folder that TENSORGRAD_DATA names; they are at {' and '.join(images.mirrors)}."
        )
        if not may_download:
            places = [place / part for place in [*named_places(root), *usual_places()] for part in images.folders]
            raise missing(f"{images.name}'s {split} files were not found", places, by_hand)
        paths = []
        for name in FILES[split]:

            def flaw(part: Path, name: str = name) -> str | None:
                return _flaw(images, read_idx(part), name)

            urls, target = [f"{mirror.rstrip('/')}/{name}.gz" for mirror in mirrors], folder / f"{name}.gz"
            what = f"{images.name}'s {name}"
            paths.append(download(what, urls, target, flaw, by_hand, MOST_BYTES, timeout, progress))
        arrays = _read(images, split, paths[0], paths[1])
    pictures, labels = arrays
    shaped = pictures.reshape((-1, 784) if flatten else (-1, 1, 28, 28))
    return pixels(shaped, dtype), labels.astype(np.int64)


def _found(images: IdxSet, split: str, places: Sequence[Path]) -> list[tuple[Path, Path]]:
    found = []
    for folder in (place / part for place in places for part in images.folders):
        paths = [_idx_file(folder, name) for name in FILES[split]]
        if paths[0] is not None and paths[1] is not None and not _is_of_another(images, paths[1], split):
            found.append((paths[0], paths[1]))
        elif images.archive is not None and (archive := folder / images.archive).is_file():
            found.append((archive, archive))
    return found


def _idx_file(folder: Path, name: str) -> Path | None:
    """The file of that name, also under the name with a dot that some archives give it, raw or compressed."""
    for stem in (name, name.replace("-idx", ".idx")):
        for candidate in (folder / stem, folder / f"{stem}.gz"):
            if candidate.is_file():
                return candidate
    return None


def _is_of_another(images: IdxSet, labels: Path, split: str) -> bool:
    """Whether these are the labels of another set, whose files have the same names."""
    try:
        found = idx_md5(read_idx(labels))
    except (ValueError, OSError, StopIteration):
        return False
    return found in {other.md5[FILES[split][1]] for other in (MNIST, FASHION_MNIST) if other is not images}


def _read(images: IdxSet, split: str, images_file: Path, labels_file: Path) -> tuple[np.ndarray, np.ndarray]:
    if images_file.suffix == ".npz":
        arrays = _read_keras(images_file, split)
    else:
        arrays = read_idx(images_file), read_idx(labels_file)
    for array, name, path in zip(arrays, FILES[split], (images_file, labels_file), strict=True):
        if flaw := _flaw(images, array, name):
            raise ValueError(
                f"{path} is not {images.name}'s {name}: {flaw}. Delete or move it, to have it looked for elsewhere."
            )
    return arrays


def _read_keras(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, labels = (archive[name] for name in KERAS_ARRAYS[split])
    except (KeyError, EOFError, zipfile.BadZipFile, ValueError) as error:
        raise ValueError(
            f"{path} is not Keras's MNIST archive, or is damaged: {error}. Delete it or move it."
        ) from error
    return images, labels


def _flaw(images: IdxSet, array: np.ndarray, name: str) -> str | None:
    """What is wrong with an array that should be that of the file ``name``; None if nothing."""
    found = idx_md5(array) if array.dtype == np.uint8 else f"none, for its dtype is {array.dtype}"
    expected = images.md5[name]
    return None if found == expected else f"the MD5 of the uncompressed bytes is {found}, expected {expected}"
