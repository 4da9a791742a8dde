"""Finding, checking and downloading CIFAR-10 and CIFAR-100, with small files in their forms; nothing leaves this
machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from tensorgrad.data import (
    CIFAR10_CLASSES,
    CIFAR100_CLASSES,
    CIFAR100_COARSE_CLASSES,
    cifar,
    load_cifar10,
    load_cifar100,
)

RNG = np.random.default_rng(0)
COUNTS = {"train": 4, "test": 3}


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def batch(kind, count):
    """Random images, and their labels in rows: one kind of them, or the coarse and the fine ones."""
    labels = RNG.integers(0, 10, (count, 1)) if kind == 10 else RNG.integers(0, (20, 100), (count, 2))
    return RNG.integers(0, 256, (count, 3072), np.uint8), labels.astype(np.uint8)


class AsPython2(pickle._Pickler):
    """Pickles as Python 2 did, whose text was bytes."""

    def save_bytes(self, data):
        self.write(pickle.BINSTRING + len(data).to_bytes(4, "little") + data)
        self.memoize(data)


AsPython2.dispatch = {**pickle._Pickler.dispatch, bytes: AsPython2.save_bytes}


def as_pickle(kind, images, labels):
    names = [b"labels"] if kind == 10 else [b"coarse_labels", b"fine_labels"]
    columns = {name: [int(label) for label in column] for name, column in zip(names, labels.T, strict=True)}
    file = io.BytesIO()
    AsPython2(file, 2).dump({b"batch_label": b"some of them", b"data": images, **columns})
    return file.getvalue()


def as_binary(kind, images, labels):
    return np.concatenate([labels, images], axis=1).tobytes()


def archive(folder, files, compressed=True, prefix=""):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz" if compressed else "w") as tar:
        for name, content in {"readme.html": b"<html>", **files}.items():
            member = tarfile.TarInfo(f"{prefix}{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


SETS, FILES, ARCHIVES, WHOLE = {}, {}, {}, {}
for _kind, _set in ((10, cifar.CIFAR10), (100, cifar.CIFAR100)):
    _batches = {name: batch(_kind, COUNTS[split]) for split in COUNTS for name in _set.forms[1].files[split]}
    WHOLE[_kind] = {
        split: [np.concatenate([_batches[name][part] for name in _set.forms[1].files[split]]) for part in (0, 1)]
        for split in COUNTS
    }
    _forms = []
    for _form, _write in zip(_set.forms, (as_binary, as_pickle), strict=True):
        _names = [name for split in COUNTS for name in _form.files[split]]
        _content = dict(zip(_names, (_write(_kind, *_batch) for _batch in _batches.values()), strict=True))
        FILES[_kind, len(_forms)] = _content
        ARCHIVES[_kind, len(_forms)] = archive(_form.folders[0], _content)
        _sums = {split: {name: md5(_content[name]) for name in _form.files[split]} for split in COUNTS}
        _sum = md5(ARCHIVES[_kind, len(_forms)])
        _forms.append(replace(_form, files=_sums, archives=dict.fromkeys(_form.archives, _sum)))
    SETS[_kind] = replace(_set, forms=tuple(_forms))

LOAD = {10: load_cifar10, 100: load_cifar100}
FORMS = pytest.mark.parametrize("form", [0, 1], ids=["binary", "pickles"])
KINDS = pytest.mark.parametrize("kind", [10, 100])


@pytest.fixture(autouse=True)
def small_files(machine, monkeypatch):
    """The sums of the small files."""
    monkeypatch.setattr(cifar, "CIFAR10", SETS[10])
    monkeypatch.setattr(cifar, "CIFAR100", SETS[100])


def put(place, kind, form, folder=0):
    folder = place / SETS[kind].forms[form].folders[folder]
    folder.mkdir(parents=True)
    for name, content in FILES[kind, form].items():
        (folder / name).write_bytes(content)
    return folder


def put_archive(place, kind, form, which=0):
    place.mkdir(parents=True, exist_ok=True)
    path = place / [*SETS[kind].forms[form].archives][which]
    path.write_bytes(ARCHIVES[kind, form])
    return path


def check(kind, found, split="train"):
    images, labels = found
    expected, both = WHOLE[kind][split]
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    assert np.array_equal((images * 255).round(), expected.reshape(-1, 3, 32, 32))
    assert 0 <= images.min() < images.max() <= 1
    assert labels.tolist() == both[:, -1].tolist()


# -- found --------------------------------------------------------------------------------------------------


@KINDS
@FORMS
@pytest.mark.parametrize("place", ["root", "own", "work/data", "home/.keras/datasets", "home/.cache/tensorgrad"])
def test_found_as_folder_or_archive(tmp_path, monkeypatch, kind, form, place):
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path / "own"))
    root = tmp_path / "root" if place == "root" else None
    with pytest.raises(FileNotFoundError, match="were not found"):
        LOAD[kind](root=root, download=False)
    path = put_archive(tmp_path / place, kind, form)
    for split in COUNTS:
        check(kind, LOAD[kind](split, root, download=False), split)
    path.unlink()
    put(tmp_path / place, kind, form)
    for split in COUNTS:
        check(kind, LOAD[kind](split, root, download=False), split)
    assert not [entry for entry in (tmp_path / place).rglob("*") if entry.name == "readme.html"]


@KINDS
def test_the_names_that_keras_gives(tmp_path, kind):
    place = tmp_path / "home/.keras/datasets"
    for which in range(len(SETS[kind].forms[1].archives)):
        path = put_archive(place, kind, 1, which)
        check(kind, LOAD[kind](download=False))
        path.unlink()
    put(place, kind, 1, folder=1)
    check(kind, LOAD[kind](download=False))


def test_other_archives_of_the_same_files(tmp_path):
    path = put_archive(tmp_path / "root", 10, 0)
    for other in (
        archive("cifar-10-batches-bin", FILES[10, 0], compressed=False),
        archive("cifar-10-batches-bin", FILES[10, 0], prefix="./"),
    ):
        path.write_bytes(other)
        check(10, load_cifar10(root=tmp_path / "root"))


def test_labels_and_pixels(tmp_path):
    put(tmp_path / "root", 100, 0)
    _, coarse = load_cifar100(root=tmp_path / "root", labels="coarse")
    images, fine = load_cifar100(root=tmp_path / "root", dtype=np.uint8)
    assert coarse.tolist() == WHOLE[100]["train"][1][:, 0].tolist()
    assert fine.tolist() == WHOLE[100]["train"][1][:, 1].tolist()
    assert np.array_equal(images.reshape(-1, 3072), WHOLE[100]["train"][0])
    for options, words in (
        ({"labels": "rough"}, "'fine' or 'coarse', not 'rough'"),
        ({"split": "valid"}, "got 'valid'"),
        ({"dtype": np.int32}, "not int32"),
    ):
        with pytest.raises(ValueError, match=words):
            load_cifar100(root=tmp_path / "root", **options)


def test_the_names_of_classes():
    assert [len(names) for names in (CIFAR10_CLASSES, CIFAR100_CLASSES, CIFAR100_COARSE_CLASSES)] == [10, 100, 20]
    for names in (CIFAR10_CLASSES, CIFAR100_CLASSES, CIFAR100_COARSE_CLASSES):
        assert list(names) == sorted(names)


# -- checked ------------------------------------------------------------------------------------------------


@KINDS
@FORMS
def test_damaged_files_are_named(tmp_path, kind, form):
    folder = put(tmp_path / "root", kind, form)
    name = next(iter(SETS[kind].forms[form].files["train"]))
    whole = (folder / name).read_bytes()
    for data in (b"", whole[:-1], whole + b"!", bytes([whole[0] ^ 1]) + whole[1:]):
        (folder / name).write_bytes(data)
        with pytest.raises(ValueError, match=f"is not CIFAR-{kind}: the MD5 of {name} is {md5(data)}, expected"):
            LOAD[kind](root=tmp_path / "root")
    # Elsewhere it does not count.
    put_archive(tmp_path / "home/.keras/datasets", kind, form)
    (tmp_path / "root").rename(tmp_path / "work/data")
    check(kind, LOAD[kind](download=False))
    check(kind, LOAD[kind]("test", download=False), "test")


@FORMS
def test_damaged_archives_are_named(tmp_path, form):
    path = put_archive(tmp_path / "root", 10, form)
    whole, name = ARCHIVES[10, form], next(iter(FILES[10, form]))
    folder = SETS[10].forms[form].folders[0]
    for data, words in (
        (b"", "is damaged or no archive"),
        (whole[: len(whole) // 2], "is damaged or no archive"),
        (b"<html>", "is damaged or no archive"),
        (archive("elsewhere", FILES[10, form]), f"there is no {folder}/{name} in it"),
        (archive(folder, {**FILES[10, form], name: b"other"}), f"the MD5 of {name} is {md5(b'other')}"),
        (archive(f"../{folder}", FILES[10, form]), f"there is no {folder}/{name} in it"),
    ):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=words):
            load_cifar10(root=tmp_path / "root")
        assert [entry.name for entry in (tmp_path / "root").iterdir()] == [path.name]


class Evil:
    def __init__(self, *what):
        self.what = what

    def __reduce__(self):
        return self.what


@pytest.mark.parametrize(
    "hostile",
    [
        pickle.dumps(Evil(os.system, ("touch harmed",))),
        pickle.dumps({b"data": Evil(eval, ("open('harmed', 'w')",)), b"labels": []}),
        b"cnumpy.testing._private.utils\nruncommand\n(S'touch harmed'\ntR.",
        pickle.dumps({b"data": np.zeros((2, 3072)), b"labels": [1, 2]}, 2),
        pickle.dumps({b"data": np.zeros((2, 3071), np.uint8), b"labels": [1, 2]}, 2),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]}, 2),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, 1000]}, 2),
        pickle.dumps({b"data": 7, b"labels": [1, 2]}, 2),
        pickle.dumps([1, 2], 2),
        b"",
        b"\x80\x02}q",
        b"no pickle at all",
    ],
)
def test_hostile_pickles_do_nothing(tmp_path, monkeypatch, hostile):
    # As if somebody had found another file with the sum that is looked for.
    names = SETS[10].forms[1].files["test"]
    form = replace(SETS[10].forms[1], files={"test": dict.fromkeys(names, md5(hostile))})
    monkeypatch.setattr(cifar, "CIFAR10", replace(SETS[10], forms=(form,)))
    folder = tmp_path / "root" / form.folders[0]
    folder.mkdir(parents=True)
    (folder / next(iter(names))).write_bytes(hostile)
    with pytest.raises(ValueError, match="is not CIFAR-10: test_batch: "):
        load_cifar10("test", tmp_path / "root")
    assert not [path for path in tmp_path.rglob("*") if path.name == "harmed"]


def test_archives_may_hold_anything(tmp_path):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name in ("cifar-10-batches-bin/test_batch.bin", "/cifar-10-batches-bin", "../../harmed"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
    path = put_archive(tmp_path / "root", 10, 0)
    path.write_bytes(data.getvalue())
    with pytest.raises(ValueError, match=r"there is no cifar-10-batches-bin/test_batch\.bin in it"):
        load_cifar10("test", tmp_path / "root")


# -- downloaded ---------------------------------------------------------------------------------------------


def answer(mirror, kind):
    (name,) = SETS[kind].forms[0].archives
    mirror.answers[f"/kriz/{name}"] = ARCHIVES[kind, 0]
    return name


@KINDS
def test_downloaded_once(tmp_path, mirror, kind):
    name, seen = answer(mirror, kind), []
    options = {"mirrors": ["http://127.0.0.1:1", f"{mirror.url}/kriz/"], "progress": lambda *told: seen.append(told)}
    for split in COUNTS:
        check(kind, LOAD[kind](split, **options), split)
    assert mirror.asked == [f"/kriz/{name}"]
    assert seen[-1] == (name, len(ARCHIVES[kind, 0]), len(ARCHIVES[kind, 0]))
    cache = tmp_path / "home/.cache/tensorgrad"
    assert [path.name for path in cache.iterdir()] == [name]
    check(kind, LOAD[kind](root=tmp_path / "root", mirrors=[f"{mirror.url}/kriz"]))
    assert len(mirror.asked) == 1


@pytest.mark.parametrize(
    ("data", "length", "words"),
    [
        (None, None, "404"),
        (ARCHIVES[10, 0][:-9], len(ARCHIVES[10, 0]), "ended after|IncompleteRead"),
        (ARCHIVES[10, 0][:-9], None, "the MD5 of what came is"),
        (gzip.compress(b"something else"), None, "the MD5 of what came is"),
        (bytes(3000), None, "more than 2000 bytes"),
    ],
    ids=["missing", "cut short", "cut short unnoticed", "another", "too long"],
)
def test_a_bad_download_leaves_nothing_behind(tmp_path, mirror, monkeypatch, data, length, words):
    name = answer(mirror, 10)
    if "more than" in words:
        monkeypatch.setattr(cifar, "MOST_BYTES", 2000)
    mirror.answers[f"/kriz/{name}"] = data
    if length is not None:
        mirror.lengths[f"/kriz/{name}"] = length
    with pytest.raises(FileNotFoundError, match=words) as caught:
        load_cifar10(root=tmp_path / "root", mirrors=[f"{mirror.url}/kriz"])
    assert "To get them by hand, put cifar-10-binary.tar.gz into" in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_interrupted_download_leaves_nothing_behind(tmp_path, mirror):
    answer(mirror, 10)

    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_cifar10(mirrors=[f"{mirror.url}/kriz"], progress=interrupt)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    check(10, load_cifar10(mirrors=[f"{mirror.url}/kriz"]))


TOGETHER = """
import sys
from tensorgrad.data import download
download.download("it", [sys.argv[1]], download.Path(sys.argv[2]), lambda part: None, "", 10**6)
"""


def test_two_processes_at_once(tmp_path, mirror):
    name = answer(mirror, 10)
    target = tmp_path / "both" / name
    command = [sys.executable, "-c", TOGETHER, f"{mirror.url}/kriz/{name}", str(target)]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert target.read_bytes() == ARCHIVES[10, 0]
    assert [path.name for path in target.parent.iterdir()] == [name]
