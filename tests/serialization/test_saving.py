"""Which format a file has, and that it is written whole or not at all."""

from __future__ import annotations

import io
import os
import pickle
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.serialization.comparing import assert_same

FILES = Path(__file__).parent / "files"
STATE = {"weight": tg.Tensor(np.arange(6, dtype="float32").reshape(2, 3)), "bias": tg.Tensor(np.ones(2, "float32"))}
FORMATS = ["x.npz", "x.safetensors"]


# -- which format ---------------------------------------------------------------------------------------------


def test_the_suffix_chooses_on_saving_and_the_content_on_loading(tmp_path: Path) -> None:
    for name, beginning in {
        "a.npz": b"PK",
        "b": b"PK",
        "c.ckpt": b"PK",
        "d.safetensors": None,
        "e.SafeTensors": None,
    }.items():
        tg.save(STATE, tmp_path / name)
        content = (tmp_path / name).read_bytes()
        assert content[8:9] == b"{" if beginning is None else content.startswith(beginning)
        for other in ("x.npz", "x.safetensors", "x.pt", "x"):
            (tmp_path / other).write_bytes(content)
            loaded = tg.load(tmp_path / other)
            assert_same(dict(sorted(loaded.items())), dict(sorted(STATE.items())))
    (tmp_path / "x.npz").write_bytes((FILES / "views.pt").read_bytes())
    assert tg.load(tmp_path / "x.npz")["scalar"].item() == 3.5


@pytest.mark.parametrize("name", ["model.pt", "model.PTH"])
def test_pytorchs_files_are_not_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.pth? files are PyTorch's, .*not written: save as .safetensors"):
        tg.save(STATE, tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_metadata_is_safetensors(tmp_path: Path) -> None:
    for target in (tmp_path / "x.npz", io.BytesIO()):
        with pytest.raises(ValueError, match="part of the structure"):
            tg.save(STATE, target, metadata={})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"\0", "no checkpoint"),
        (b"text", "no checkpoint"),
        (pickle.dumps({"a": 1}), "a pickle that torch.save() did not write, and was not opened"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
        (b"\x93NUMPY\1\0", "numpy.load"),
        (b"PK\5\6" + bytes(18), "did not write"),
    ],
    ids=str,
)
def test_files_of_other_kinds_are_told(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(tg.CheckpointError) as caught:
        tg.load(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"cannot load {str(path)!r}: ")


def test_archives_of_numpys_are_told() -> None:
    for write, words in ((np.savez, "did not write"), (np.savez_compressed, "are compressed")):
        file = io.BytesIO()
        write(file, a=np.ones(100))
        with pytest.raises(tg.CheckpointError, match=words):
            tg.load(file)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no checkpoint 'nowhere/x.npz'"):
        tg.load("nowhere/x.npz")
    with pytest.raises(IsADirectoryError, match="is a folder: give the name of a file"):
        tg.load(tmp_path)


# -- whole or not at all --------------------------------------------------------------------------------------


def test_paths_and_file_objects(tmp_path: Path) -> None:
    tg.save({"a": 1}, tmp_path / "a.npz")
    tg.save({"a": 2}, str(tmp_path / "b.any"))
    with open(tmp_path / "c", "wb") as file:
        tg.save({"a": 3}, file)
    assert sorted(os.listdir(tmp_path)) == ["a.npz", "b.any", "c"]
    assert [tg.load(tmp_path / name)["a"] for name in ("a.npz", "b.any", "c")] == [1, 2, 3]


class OneWay(io.RawIOBase):
    """A pipe: written and read once, with no way back."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: Any) -> int:
        self.content += data
        return len(data)

    def readinto(self, buffer: Any) -> int:
        piece = self.content[: len(buffer)]
        del self.content[: len(piece)]
        buffer[: len(piece)] = piece
        return len(piece)


def test_pipes() -> None:
    pipe = OneWay()
    tg.save(STATE, pipe)  # type: ignore[arg-type]
    assert_same(tg.load(OneWay(bytes(pipe.content))), STATE)  # type: ignore[arg-type]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_the_file_has_the_permissions_of_any_file(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        tg.save(1, tmp_path / "new")
        (tmp_path / "ordinary").touch()
    finally:
        os.umask(old)
    mode = stat.S_IMODE((tmp_path / "ordinary").stat().st_mode)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == mode == 0o640
    (tmp_path / "new").chmod(0o600)
    tg.save(2, tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX's")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    link = tmp_path / "latest.npz"
    link.symlink_to(tmp_path / "run" / "1.npz")
    for value in (1, 2):
        tg.save(value, link)
        assert link.is_symlink()
        assert tg.load(tmp_path / "run" / "1.npz") == value


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="is a folder"):
        tg.save(1, tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        tg.save(1, tmp_path / "missing" / "x.npz")
    if os.path.exists(os.devnull) and os.name == "posix":
        with pytest.raises(OSError, match="no ordinary file"):
            tg.save(1, os.devnull)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("x.npz", "os.fsync"),
        ("x.npz", "os.replace"),
        ("x.npz", "numpy.lib.format.write_array"),
        ("x.npz", "zipfile.ZipFile.writestr"),
        ("x.safetensors", "os.fsync"),
        ("x.safetensors", "os.replace"),
        ("x.safetensors", "safetensors.numpy.save"),
    ],
)
def test_an_interrupted_save_leaves_the_old_file(
    name: str, where: str, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    tg.save({"old": tg.ones(1)}, path)
    before = path.read_bytes()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(where, fail)
    for target in (path, tmp_path / f"new-{name}"):
        with pytest.raises(type(error)):
            tg.save(STATE, target)
        assert os.listdir(tmp_path) == [name]
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("room", [0, 100, 40_000])
def test_a_full_disk(name: str, room: int, tmp_path: Path) -> None:
    import resource
    import signal

    path = tmp_path / name
    tg.save(STATE, path)
    before = path.read_bytes()
    old, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, old[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            tg.save({"a": tg.ones(100_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert os.listdir(tmp_path) == [name]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", FORMATS)
def test_a_second_save_replaces_the_first(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    tg.save({"a": tg.ones(1000)}, path)
    tg.save(STATE, path)
    assert_same(dict(sorted(tg.load(path).items())), dict(sorted(STATE.items())))
    assert os.listdir(tmp_path) == [name]
