"""MNIST: found where other libraries keep it, or downloaded, and always checked.

Source: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
"""

from __future__ import annotations

import http.client
import os
import secrets
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tensorgrad.data.idx import idx_md5, read_idx

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
KERAS_ARRAYS = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")}
MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""Of the uncompressed files: the same images are compressed in more than one way."""
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
TIMEOUT = 30.0
"""Seconds without a byte after which a mirror is given up."""
MOST_BYTES = 64 << 20
"""No file of MNIST is as large as this; a download that is, is something else."""

Progress = Callable[[str, int, int], None]


def load_mnist(
    split: str = "train",
    root: str | os.PathLike[str] | None = None,
    download: bool = True,
    flatten: bool = False,
    *,
    mirrors: Sequence[str] = MIRRORS,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The handwritten digits of MNIST.

    They are looked for where :func:`find_mnist` says, and if they are nowhere, downloaded. The MD5 of the
    uncompressed bytes is checked, wherever they come from.

    Args:
        split: ``"train"`` (60,000 images) or ``"test"`` (10,000).
        root: the folder to look in first, and to download into (its ``MNIST/raw``, as torchvision does); by default
            ``$XDG_CACHE_HOME/tensorgrad`` or ``~/.cache/tensorgrad``.
        download: whether to download what is not found.
        flatten: whether an image is a row of 784 values instead of an array of shape (1, 28, 28).
        mirrors: the addresses to download from, tried in this order.
        timeout: seconds without a byte after which the next mirror is tried.
        progress: called with the file's name, the bytes so far, and the bytes in all (0 if unknown).

    Returns:
        Images, float32 of shape (N, 1, 28, 28) or (N, 784), from 0 (paper) to 1 (ink); labels, int64 of shape (N,),
        from 0 to 9.

    Raises:
        FileNotFoundError: if they are not found and not to be downloaded, or no mirror has them; lists what was tried.
        ValueError: if a file is damaged or not MNIST's; says which, and the MD5 expected and found.
    """
    _check_split(split)
    found = find_mnist(split, root)
    if found is None:
        folder = (_cache() if root is None else Path(root).expanduser()) / "MNIST" / "raw"
        if not download:
            raise FileNotFoundError(_advice(f"MNIST's {split} files were not found", _folders(root), folder))
        images_file, labels_file = (_download(name, folder, mirrors, timeout, progress) for name in FILES[split])
    else:
        images_file, labels_file = found
    if images_file.suffix == ".npz":
        images, labels = _read_keras(images_file, split)
    else:
        images, labels = read_idx(images_file), read_idx(labels_file)
    for array, name, path in zip((images, labels), FILES[split], (images_file, labels_file), strict=True):
        if flaw := _flaw(array, name):
            raise ValueError(
                f"{path} is not MNIST's {name}: {flaw}. Delete or move it, to have it looked for elsewhere."
            )
    pixels = images.reshape((-1, 784) if flatten else (-1, 1, 28, 28)).astype(np.float32)
    pixels /= 255
    return pixels, labels.astype(np.int64)


def find_mnist(split: str = "train", root: str | os.PathLike[str] | None = None) -> tuple[Path, Path] | None:
    """Where MNIST already is on this machine; the files are not opened.

    These folders are looked in, each also in its ``MNIST/raw``, for IDX files (raw or ``.gz``) and for Keras's
    ``mnist.npz``: ``root``; ``$TENSORGRAD_DATA``; torchvision's usual places, ``data`` in the current folder and
    ``~/.cache/torch``; ``~/.keras/datasets``; and tensorgrad's cache, ``~/.cache/tensorgrad`` (or where
    ``$XDG_CACHE_HOME`` says).

    Args:
        split: ``"train"`` or ``"test"``.
        root: the folder to look in first.

    Returns:
        The file of the images and the file of the labels (for Keras's archive the same one twice), or None.
    """
    _check_split(split)
    for folder in _folders(root):
        paths = [_idx_file(folder, name) for name in FILES[split]]
        if paths[0] is not None and paths[1] is not None:
            return paths[0], paths[1]
        archive = folder / "mnist.npz"
        if archive.is_file():
            return archive, archive
    return None


def _check_split(split: str) -> None:
    if split not in FILES:
        raise ValueError(f"expected split 'train' or 'test', got {split!r}.")


def _folders(root: str | os.PathLike[str] | None) -> list[Path]:
    def roots() -> Iterator[Path]:
        if root is not None:
            yield Path(root)
        if os.environ.get("TENSORGRAD_DATA"):
            yield Path(os.environ["TENSORGRAD_DATA"])
        yield Path("data")
        yield Path("~/.cache/torch")
        yield Path("~/.cache/torch/datasets")
        yield Path("~/.keras/datasets")
        yield _cache()

    return [folder for place in roots() for folder in (place.expanduser() / "MNIST" / "raw", place.expanduser())]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tensorgrad"


def _idx_file(folder: Path, name: str) -> Path | None:
    """The file of that name, also under the name with a dot that some archives give it, raw or compressed."""
    for stem in (name, name.replace("-idx", ".idx")):
        for candidate in (folder / stem, folder / f"{stem}.gz"):
            if candidate.is_file():
                return candidate
    return None


def _read_keras(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, labels = (archive[name] for name in KERAS_ARRAYS[split])
    except (KeyError, EOFError, zipfile.BadZipFile, ValueError) as error:
        raise ValueError(
            f"{path} is not Keras's MNIST archive, or is damaged: {error}. Delete it or move it."
        ) from error
    return images, labels


def _flaw(array: np.ndarray, name: str) -> str | None:
    """What is wrong with an array that should be that of the file ``name``; None if nothing."""
    found = idx_md5(array) if array.dtype == np.uint8 else f"none, for its dtype is {array.dtype}"
    return None if found == MD5[name] else f"the MD5 of the uncompressed bytes is {found}, expected {MD5[name]}"


def _download(name: str, folder: Path, mirrors: Sequence[str], timeout: float, progress: Progress | None) -> Path:
    """Downloads one file; the folder is not made before something has come."""
    part = folder / f".{name}.{secrets.token_hex(4)}.part"
    failures = []
    for mirror in mirrors:
        url = f"{mirror.rstrip('/')}/{name}.gz"
        try:
            return _keep(b"".join(_fetch(url, name, timeout, progress)), part, name)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{url}: {str(error).replace(str(part), 'what came')}")
    raise FileNotFoundError(_advice(f"MNIST's {name} could not be downloaded", failures, folder))


def _keep(data: bytes, part: Path, name: str) -> Path:
    """Writes a file, checks it, and only then gives it its name."""
    target = part.with_name(f"{name}.gz")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        part.write_bytes(data)
        if flaw := _flaw(read_idx(part), name):
            raise ValueError(flaw)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _fetch(url: str, name: str, timeout: float, progress: Progress | None) -> Iterator[bytes]:
    request = urllib.request.Request(url, headers={"User-Agent": "tensorgrad"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        total, done = int(response.headers.get("Content-Length") or 0), 0
        while chunk := response.read(1 << 16):
            done += len(chunk)
            if done > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes came, which is no file of MNIST.")
            yield chunk
            if progress is not None:
                progress(name, done, total)
        if done < total:
            raise OSError(f"the connection ended after {done} of {total} bytes.")


def _advice(problem: str, tried: Sequence[object], folder: Path) -> str:
    listed = "\n".join(f"  {place}" for place in tried)
    names = " ".join(f"{name}.gz" for pair in FILES.values() for name in pair)
    return (
        f"{problem}. Tried:\n{listed}\nTo get them by hand, put the four files {names} (raw or .gz) into {folder}, or "
        f"into any folder that TENSORGRAD_DATA names; they are at {' and '.join(MIRRORS)}."
    )
