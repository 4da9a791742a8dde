"""Data sets that others publish: where they already are, and how they are brought here, wholly or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import secrets
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

TIMEOUT = 30.0
"""Seconds without a byte after which a mirror is given up."""
SYSTEM = Path("/usr/share/datasets")
"""Where Debian's packages of data sets have them."""
CHUNK = 1 << 18

Progress = Callable[[str, int, int], None]
Place = TypeVar("Place")
Read = TypeVar("Read")


def cache() -> Path:
    """Where what is downloaded is kept: ``$XDG_CACHE_HOME/tensorgrad``, or ``~/.cache/tensorgrad``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "tensorgrad"


def named_places(root: str | os.PathLike[str] | None) -> list[Path]:
    """The folders that were named for data sets: ``root``, and ``$TENSORGRAD_DATA``."""
    named = [root, os.environ.get("TENSORGRAD_DATA") or None]
    return [Path(place).expanduser() for place in named if place is not None]


def usual_places() -> list[Path]:
    """The folders in which other libraries keep data sets, and tensorgrad itself."""
    usual = ("data", "~/.cache/torch", "~/.cache/torch/datasets", "~/.keras/datasets", SYSTEM, cache())
    return [Path(place).expanduser() for place in usual]


def home_of(root: str | os.PathLike[str] | None) -> Path:
    """The folder to download into."""
    return cache() if root is None else Path(root).expanduser()


def check_split(split: str) -> None:
    """Raises for a part of a data set that there is not."""
    if split not in ("train", "test"):
        raise ValueError(f"expected split 'train' or 'test', got {split!r}.")


def pixels(images: np.ndarray, dtype: object) -> np.ndarray:
    """uint8 from 0 to 255 as they are, or as floating point numbers from 0 to 1.

    Raises:
        ValueError: for another dtype.
    """
    wanted = np.dtype(dtype)  # type: ignore[call-overload]
    if wanted == np.uint8:
        return images
    if wanted.kind != "f":
        raise ValueError(f"pixels are floating point numbers from 0 to 1 or uint8 from 0 to 255, not {wanted}.")
    scaled = images.astype(wanted)
    scaled /= 255
    return scaled


def first_whole(named: Iterable[Place], usual: Iterable[Place], read: Callable[[Place], Read]) -> Read | None:
    """The first of what was found that can be read; None if there is none.

    Args:
        named: what was found where somebody said that it is.
        usual: what was found elsewhere; if it is damaged it does not count.
        read: reads one; raises ValueError or OSError for what is damaged.

    Raises:
        ValueError: or OSError, for the first of ``named``, if they are all damaged.
    """
    damaged = []
    for place in named:
        try:
            return read(place)
        except (ValueError, OSError) as error:
            damaged.append(error)
    if damaged:
        raise damaged[0]
    for place in usual:
        with contextlib.suppress(ValueError, OSError):
            return read(place)
    return None


def md5_of(path: Path) -> str:
    """The MD5 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def missing(problem: str, tried: Sequence[object], by_hand: str) -> FileNotFoundError:
    """The error for a data set that is nowhere: what was tried, and how to get it otherwise."""
    listed = "\n".join(f"  {place}" for place in tried)
    return FileNotFoundError(f"{problem}. Tried:\n{listed}\nTo get them by hand, put {by_hand}")


def download(
    what: str,
    urls: Sequence[str],
    target: Path,
    flaw: Callable[[Path], str | None],
    by_hand: str,
    most: int,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> Path:
    """Downloads a file from the first address that has it, checks it, and only then gives it its name.

    Whoever is interrupted leaves nothing that counts; two that do it at once do not meet.

    Args:
        what: the file, for messages.
        urls: the addresses.
        target: the file; its folder is not made before something has come.
        flaw: says what is wrong with a file, if anything is; may raise ValueError instead.
        by_hand: how to get it otherwise.
        most: bytes; a file that is larger is something else.
        timeout: seconds without a byte after which the next address is tried.
        progress: called with the file's name, the bytes so far, and the bytes in all (0 if unknown).

    Returns:
        ``target``.

    Raises:
        FileNotFoundError: if no address has it; says what went wrong at each.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    failures = []
    for url in urls:
        try:
            _fetch(url, part, most, timeout, lambda done, total: progress and progress(target.name, done, total))
            if wrong := flaw(part):
                raise ValueError(wrong)
            os.replace(part, target)
            return target
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{url}: {str(error).replace(str(part), 'what came')}")
        finally:
            if part.parent.is_dir():
                part.unlink(missing_ok=True)
    raise missing(f"{what} could not be downloaded", failures, by_hand)


def _fetch(url: str, part: Path, most: int, timeout: float, progress: Callable[[int, int], object]) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "tensorgrad"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        total, done = int(response.headers.get("Content-Length") or 0), 0
        chunk = response.read1(CHUNK)
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            while chunk:
                done += file.write(chunk)
                if done > most:
                    raise ValueError(f"more than {most} bytes came, which is no file of this data set.")
                progress(done, total)
                chunk = response.read1(CHUNK)
        if done < total:
            raise OSError(f"the connection ended after {done} of {total} bytes.")
