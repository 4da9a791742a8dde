"""CIFAR-10 and CIFAR-100: found where other libraries keep them, or downloaded, and always checked.

Their pickles, which are what other libraries keep, are read without anything of theirs being called; archives are
read where they lie and never unpacked.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    md5_of,
    missing,
    named_places,
    pixels,
    usual_places,
)

MIRRORS = ("https://www.cs.toronto.edu/~kriz/",)
PIXELS = 3 * 32 * 32
MOST_BYTES = 256 << 20
"""No file is as large as this; a download that is, is something else."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CIFAR10_CLASSES = _names("airplane automobile bird cat deer dog frog horse ship truck")
"""What the labels 0 to 9 of CIFAR-10 stand for."""
CIFAR100_CLASSES = _names(
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle "
    "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant "
    "flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man "
    "maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree "
    "plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper "
    "snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train "
    "trout tulip turtle wardrobe whale willow_tree wolf woman worm"
)
"""What the fine labels 0 to 99 of CIFAR-100 stand for."""
CIFAR100_COARSE_CLASSES = _names(
    "aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices "
    "household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes "
    "large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees "
    "vehicles_1 vehicles_2"
)
"""What the coarse labels 0 to 19 of CIFAR-100 stand for."""


@dataclass(frozen=True)
class Form:
    """A way in which a CIFAR set is published: an archive of one folder with some files."""

    archives: Mapping[str, str]
    """The names of the archive, those that Keras gives it included, and the MD5 that it has."""
    folders: tuple[str, ...]
    """The folder, and where in a place for data sets it may be besides."""
    files: Mapping[str, Mapping[str, str]]
    """The files of each split, and their MD5."""
    read: Callable[[bytes], tuple[np.ndarray, np.ndarray]]
    """The pixels (N, 3072) and the labels (N, kinds of label) in such a file; ValueError if it is none."""


@dataclass(frozen=True)
class Cifar:
    """One of the two sets."""

    name: str
    forms: tuple[Form, ...]
    """The first is the one that is downloaded."""


def _read_binary(labels: int) -> Callable[[bytes], tuple[np.ndarray, np.ndarray]]:
    def read(data: bytes) -> tuple[np.ndarray, np.ndarray]:
        if not data or len(data) % (labels + PIXELS):
            raise ValueError(f"it has {len(data)} bytes, which are no images of {labels + PIXELS} each")
        records = np.frombuffer(data, np.uint8).reshape(-1, labels + PIXELS)
        return records[:, labels:], records[:, :labels]

    return read


class _Stored:
    """Stands for an array or a dtype in a pickle: keeps what it is told, and does nothing."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments, self.state = arguments, ()

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype"):
            return _Stored
        raise pickle.UnpicklingError(f"it wants {module}.{name}, which no CIFAR file does")


def _read_python(*keys: bytes) -> Callable[[bytes], tuple[np.ndarray, np.ndarray]]:
    def read(data: bytes) -> tuple[np.ndarray, np.ndarray]:
        try:
            batch = _Unpickler(io.BytesIO(data), encoding="bytes").load()
            _, shape, dtype, by_columns, values = batch[b"data"].state
            labels = [np.array(batch[key], np.uint8) for key in keys]
            if dtype.arguments[0] not in (b"u1", "u1") or any(len(row) != shape[0] for row in labels):
                raise ValueError("its arrays are not CIFAR's")
            images = np.frombuffer(values, np.uint8).reshape((shape[0], PIXELS), order="F" if by_columns else "C")
            return images, np.stack(labels, axis=1)
        except Exception as error:
            # Whatever can go wrong in a pickle that somebody made to go wrong.
            raise ValueError(f"{type(error).__name__}: {error}") from error

    return read


CIFAR10 = Cifar(
    "CIFAR-10",
    (
        Form(
            {"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"},
            ("cifar-10-batches-bin",),
            {
                "train": {
                    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
                    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
                    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
                    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
                    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
                },
                "test": {"test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d"},
            },
            _read_binary(1),
        ),
        Form(
            dict.fromkeys(
                (
                    "cifar-10-python.tar.gz",
                    "cifar-10-batches-py.tar.gz",
                    "cifar-10-batches-py-target.tar.gz",
                    "cifar-10-batches-py-target_archive",
                ),
                "c58f30108f718f92721af3b95e74349a",
            ),
            ("cifar-10-batches-py", "cifar-10-batches-py-target/cifar-10-batches-py"),
            {
                "train": {
                    "data_batch_1": "c99cafc152244af753f735de768cd75f",
                    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
                    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
                    "data_batch_4": "634d18415352ddfa80567beed471001a",
                    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
                },
                "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
            },
            _read_python(b"labels"),
        ),
    ),
)
CIFAR100 = Cifar(
    "CIFAR-100",
    (
        Form(
            {"cifar-100-binary.tar.gz": "03b5dce01913d631647c71ecec9e9cb8"},
            ("cifar-100-binary",),
            {
                "train": {"train.bin": "6172c7755cfe09b2fe270c85cebc1b15"},
                "test": {"test.bin": "4499cfba6c016c1be1438163640a0898"},
            },
            _read_binary(2),
        ),
        Form(
            dict.fromkeys(
                (
                    "cifar-100-python.tar.gz",
                    "cifar-100-python-target.tar.gz",
                    "cifar-100-python-target_archive",
                ),
                "eb9058c3a382ffc7106e4002c42a8d85",
            ),
            ("cifar-100-python", "cifar-100-python-target/cifar-100-python"),
            {
                "train": {"train": "16019d7e3df5f24257cddd939b257f8d"},
                "test": {"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
            },
            _read_python(b"coarse_labels", b"fine_labels"),
        ),
    ),
)


def load_cifar10(
    split: str = "train",
    root: str | os.PathLike[str] | None = None,
    download: bool = True,
    dtype: Any = np.float32,
    *,
    mirrors: Sequence[str] = MIRRORS,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The small photographs of CIFAR-10, in ten classes; their names are in ``CIFAR10_CLASSES``.

    They are looked for in ``root``, ``$TENSORGRAD_DATA``, ``data`` in the current folder, the places of torchvision,
    Keras and Debian, and tensorgrad's cache, as folders or archives, binary or of pickles; if they are nowhere, the
    binary archive is downloaded. The MD5 is checked, wherever they come from. What is damaged where other libraries
    keep it does not count.

    Args:
        split: ``"train"`` (50,000 images) or ``"test"`` (10,000).
        root: the folder to look in first, and to download into; by default ``$XDG_CACHE_HOME/tensorgrad`` or
            ``~/.cache/tensorgrad``.
        download: whether to download (170 MB) what is not found.
        dtype: of the images: one of floating point numbers (float32 takes 614 MB for 50,000), or uint8 for pixels from
            0 to 255.
        mirrors: the addresses to download from, tried in this order.
        timeout: seconds without a byte after which the next mirror is tried.
        progress: called with the file's name, the bytes so far, and the bytes in all (0 if unknown).

    Returns:
        Images, float32 of shape (N, 3, 32, 32), red, green and blue from 0 to 1; labels, int64 of shape (N,), from 0 to
        9.

    Raises:
        FileNotFoundError: if they are not found and not to be downloaded, or no mirror has them; lists what was tried.
        ValueError: if a file in ``root`` or ``$TENSORGRAD_DATA`` is damaged or not CIFAR-10's; says which.
    """
    images, labels = _load(CIFAR10, split, root, download, dtype, mirrors, timeout, progress)
    return images, labels[:, 0]


def load_cifar100(
    split: str = "train",
    root: str | os.PathLike[str] | None = None,
    download: bool = True,
    dtype: Any = np.float32,
    labels: str = "fine",
    *,
    mirrors: Sequence[str] = MIRRORS,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The small photographs of CIFAR-100, in a hundred classes or twenty coarse ones.

    Their names are in ``CIFAR100_CLASSES`` and ``CIFAR100_COARSE_CLASSES``; all else is as of :func:`load_cifar10`.

    Args:
        split: ``"train"`` (50,000 images) or ``"test"`` (10,000).
        root: the folder to look in first, and to download into.
        download: whether to download (170 MB) what is not found.
        dtype: of the images: one of floating point numbers, or uint8 for pixels from 0 to 255.
        labels: ``"fine"`` or ``"coarse"``.
        mirrors: the addresses to download from, tried in this order.
        timeout: seconds without a byte after which the next mirror is tried.
        progress: called with the file's name, the bytes so far, and the bytes in all (0 if unknown).

    Returns:
        Images, float32 of shape (N, 3, 32, 32), red, green and blue from 0 to 1; labels, int64 of shape (N,), from 0 to
        99 or 19.

    Raises:
        FileNotFoundError: if they are not found and not to be downloaded, or no mirror has them; lists what was tried.
        ValueError: if a file in ``root`` or ``$TENSORGRAD_DATA`` is damaged or not CIFAR-100's; says which.
    """
    if labels not in ("fine", "coarse"):
        raise ValueError(f"the labels are 'fine' or 'coarse', not {labels!r}.")
    images, both = _load(CIFAR100, split, root, download, dtype, mirrors, timeout, progress)
    return images, both[:, 0 if labels == "coarse" else 1]


def _load(
    cifar: Cifar,
    split: str,
    root: str | os.PathLike[str] | None,
    may_download: bool,
    dtype: Any,
    mirrors: Sequence[str],
    timeout: float,
    progress: Progress | None,
) -> tuple[np.ndarray, np.ndarray]:
    check_split(split)
    pixels(np.zeros(0, np.uint8), dtype)
    named, usual = (_found(cifar, split, places) for places in (named_places(root), usual_places()))
    parts = first_whole(named, usual, lambda found: _read(cifar, *found, split))
    if parts is None:
        form, folder = cifar.forms[0], home_of(root)
        ((archive, expected),) = form.archives.items()
        by_hand = (
            f"{archive} into {folder}, or into any folder that TENSORGRAD_DATA names; it is at {' and '.join(MIRRORS)}."
        )
        if not may_download:
            places = [*named_places(root), *usual_places()]
            raise missing(f"{cifar.name}'s {split} files were not found", places, by_hand)

        def flaw(part: Path) -> str | None:
            found = md5_of(part)
            return None if found == expected else f"the MD5 of what came is {found}, expected {expected}"

        urls = [f"{mirror.rstrip('/')}/{archive}" for mirror in mirrors]
        what = f"{cifar.name}'s {archive}"
        path = download(what, urls, folder / archive, flaw, by_hand, MOST_BYTES, timeout, progress)
        parts = _read(cifar, form, path, split)
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return pixels(images.reshape(-1, 3, 32, 32), dtype), labels.astype(np.int64)


def _found(cifar: Cifar, split: str, places: Sequence[Path]) -> Iterator[tuple[Form, Path]]:
    """The folders and archives that may have a split."""
    for place in places:
        for form in cifar.forms:
            for folder in (place / part for part in form.folders):
                if all((folder / name).is_file() for name in form.files[split]):
                    yield form, folder
        for form in cifar.forms:
            for archive in (place / name for name in form.archives):
                if archive.is_file():
                    yield form, archive


def _read(cifar: Cifar, form: Form, path: Path, split: str) -> list[tuple[np.ndarray, np.ndarray]]:
    wanted = form.files[split]
    if path.is_dir():
        trusted, files = False, {name: (path / name).read_bytes() for name in wanted}
    else:
        trusted = md5_of(path) == form.archives[path.name]
        files = _members(path, form.folders[0], wanted)
    parts = []
    for name, expected in wanted.items():
        if name not in files:
            raise ValueError(_wrong(path, cifar, f"there is no {form.folders[0]}/{name} in it"))
        found = hashlib.md5(files[name], usedforsecurity=False).hexdigest()
        if not trusted and found != expected:
            raise ValueError(_wrong(path, cifar, f"the MD5 of {name} is {found}, expected {expected}"))
        try:
            parts.append(form.read(files[name]))
        except ValueError as error:
            raise ValueError(_wrong(path, cifar, f"{name}: {error}")) from error
    return parts


def _members(path: Path, folder: str, wanted: Mapping[str, str]) -> dict[str, bytes]:
    """The files of an archive with these names in that folder."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                parent, _, name = member.name.removeprefix("./").rpartition("/")
                if parent == folder and name in wanted and member.isreg() and member.size <= MOST_BYTES:
                    content = archive.extractfile(member)
                    files[name] = b"" if content is None else content.read()
                if len(files) == len(wanted):
                    break
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ValueError(f"{path} is damaged or no archive: {error}. Delete it or move it.") from error
    return files


def _wrong(path: Path, cifar: Cifar, flaw: str) -> str:
    return f"{path} is not {cifar.name}: {flaw}. Delete or move it, to have it looked for elsewhere."
