"""What all formats share: files that are replaced in one go, archives that claim no more than they hold."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tensorgrad.errors import CheckpointError

File = str | os.PathLike[str] | IO[bytes]

DEEPEST = 100
"""Levels of nesting; far below what Python's recursion allows."""


def require_binary(file: Any, method: str) -> None:
    """Raises TypeError for what is no file that is open in binary mode."""
    if not hasattr(file, method) or isinstance(file, io.TextIOBase):
        raise TypeError(f"expected a path (str or Path) or a file that is open in binary mode, got {file!r}.")


@contextlib.contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A temporary file that takes the place of ``path`` if the block ends well, and is gone otherwise."""
    # Through a link to the file that it stands for, as open() would.
    path = Path(os.path.realpath(path))
    mode = None
    if path.exists():
        if path.is_dir():
            raise IsADirectoryError(f"{str(path)!r} is a folder: give the name of a file in it.")
        mode = stat.S_IMODE(path.stat().st_mode)
        if not path.is_file():
            raise OSError(f"{str(path)!r} is no ordinary file: give save() an open file to write to it.")
    elif not path.parent.is_dir():
        raise FileNotFoundError(f"cannot save {str(path)!r}: there is no folder {str(path.parent)!r}.")
    temporary = path.with_name(f".tensorgrad-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def opened(path: File) -> Iterator[tuple[IO[bytes], str]]:
    """A file to read from, at its beginning and seekable, and how messages call it."""
    if not isinstance(path, (str, os.PathLike)):
        require_binary(path, "read")
        yield (path if path.seekable() else io.BytesIO(path.read())), "the file object"
        return
    called = repr(os.fspath(path))
    try:
        stream = open(path, "rb")  # noqa: SIM115
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no checkpoint {called}.") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{called} is a folder: give the name of a file in it.") from None
    with stream:
        yield stream, called


@contextlib.contextmanager
def archive(stream: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose entries take no more memory than the file is long.

    Raises:
        CheckpointError: for one that would take more, or has two entries of one name.
    """
    size = stream.seek(0, os.SEEK_END)
    with zipfile.ZipFile(stream) as zipped:
        entries = zipped.infolist()
        if any(entry.compress_type for entry in entries):
            raise CheckpointError(
                "its entries are compressed, or damaged: those of checkpoints never are, but of TorchScript's archives "
                "and of numpy.savez_compressed"
            )
        if len({entry.filename for entry in entries}) < len(entries):
            raise CheckpointError("two of its entries have the same name")
        claimed = sum(entry.file_size for entry in entries)
        if claimed > size:
            raise CheckpointError(f"its entries claim {claimed:,} bytes, the file has {size:,}")
        yield zipped
