"""Finding, checking and downloading MNIST and Fashion-MNIST, with small files under their names; nothing leaves this
machine."""

from __future__ import annotations

import gzip
import socket
import struct
from dataclasses import replace

import numpy as np
import pytest

from tensorgrad.data import find_mnist, load_fashion_mnist, load_mnist, mnist
from tensorgrad.data.idx import idx_md5

ARRAYS = {}
for _names, _count in ((mnist.FILES["train"], 12), (mnist.FILES["test"], 5)):
    ARRAYS[_names[0]] = (np.arange(_count * 784) % 256).astype(np.uint8).reshape(_count, 28, 28)
    ARRAYS[_names[1]] = (np.arange(_count) % 10).astype(np.uint8)


def idx_bytes(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


FASHION = {name: (array + 3) % 251 for name, array in ARRAYS.items()}
SUMS = {name: idx_md5(array) for name, array in ARRAYS.items()}
PLAIN = {name: idx_bytes(array) for name, array in ARRAYS.items()}
PACKED = {f"/{name}.gz": gzip.compress(data) for name, data in PLAIN.items()}


@pytest.fixture(autouse=True)
def small_files(machine, monkeypatch):
    """The sums of the small files."""
    # Should a test ask for the usual mirrors after all, it finds nobody there.
    nobody = ("http://127.0.0.1:1/",)
    monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, md5=dict(SUMS), mirrors=nobody))
    sums = {name: idx_md5(array) for name, array in FASHION.items()}
    monkeypatch.setattr(mnist, "FASHION_MNIST", replace(mnist.FASHION_MNIST, md5=sums, mirrors=nobody))


def put(folder, form="gz", names=tuple(ARRAYS), arrays=ARRAYS):
    """Lays the files into a folder: ``gz``, ``raw``, ``dots`` (raw, with a dot in the name) or ``npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    if form == "npz":
        keys = dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays.values(), strict=True))
        np.savez_compressed(folder / "mnist.npz", **keys)
        return
    for name in names:
        file = folder / (f"{name}.gz" if form == "gz" else name.replace("-idx", ".idx") if form == "dots" else name)
        data = idx_bytes(arrays[name])
        file.write_bytes(gzip.compress(data) if form == "gz" else data)


@pytest.fixture
def server(mirror):
    mirror.answers.update(PACKED)
    return mirror


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# -- found --------------------------------------------------------------------------------------------------

PLACES = {
    "root": "root",
    "root, torchvision": "root/MNIST/raw",
    "TENSORGRAD_DATA": "own",
    "TENSORGRAD_DATA, torchvision": "own/MNIST/raw",
    "current folder": "work/data/MNIST/raw",
    "torch": "home/.cache/torch/MNIST/raw",
    "torch datasets": "home/.cache/torch/datasets/MNIST/raw",
    "keras": "home/.keras/datasets",
    "Debian": "system/mnist",
    "cache": "home/.cache/tensorgrad/MNIST/raw",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("form", ["gz", "raw", "dots", "npz"])
def test_found_in_the_usual_places(tmp_path, monkeypatch, place, form):
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path / "own"))
    root = tmp_path / "root" if place.startswith("root") else None
    put(tmp_path / place, form)
    for split, count in (("train", 12), ("test", 5)):
        found = find_mnist(split, root)
        assert all(path.resolve().parent == tmp_path / place for path in found)
        images, labels = load_mnist(split, root, download=False)
        assert (images.shape, images.dtype) == ((count, 1, 28, 28), np.float32)
        assert (labels.shape, labels.dtype) == ((count,), np.int64)
        assert np.array_equal((images * 255).round(), ARRAYS[mnist.FILES[split][0]][:, None])
        assert (images.min(), images.max()) == (0, 1)
        assert np.array_equal(labels, ARRAYS[mnist.FILES[split][1]])


def test_the_first_place_wins(tmp_path, monkeypatch):
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path / "own"))
    put(tmp_path / "own")
    put(tmp_path / "root", "raw")
    put(tmp_path / "home/.keras/datasets", "npz")
    assert find_mnist("train", tmp_path / "root")[0].parent == tmp_path / "root"
    assert find_mnist("train")[0].parent == tmp_path / "own"


def test_the_cache_follows_xdg(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    put(tmp_path / "xdg/tensorgrad/MNIST/raw")
    assert find_mnist() is not None


def test_half_of_the_files_is_not_enough(tmp_path):
    put(tmp_path / "root", names=mnist.FILES["train"][:1])
    assert find_mnist("train", tmp_path / "root") is None
    put(tmp_path / "root", names=mnist.FILES["train"])
    assert find_mnist("train", tmp_path / "root") is not None
    assert find_mnist("test", tmp_path / "root") is None


def test_flat_images(tmp_path):
    put(tmp_path / "root")
    flat, _ = load_mnist("test", tmp_path / "root", flatten=True)
    images, _ = load_mnist("test", tmp_path / "root")
    assert flat.shape == (5, 784)
    assert np.array_equal(flat, images.reshape(5, 784))


def test_an_unknown_split():
    for function in (find_mnist, load_mnist):
        with pytest.raises(ValueError, match="'train' or 'test', got 'valid'"):
            function("valid")


def test_not_found_and_not_to_be_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path / "own"))
    with pytest.raises(FileNotFoundError) as caught:
        load_mnist(root=tmp_path / "root", download=False)
    text = str(caught.value)
    for words in (
        tmp_path / "root" / "MNIST" / "raw",
        tmp_path / "own",
        ".keras",
        "by hand",
        "t10k-labels-idx1-ubyte.gz",
    ):
        assert str(words) in text


# -- checked ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["gz", "raw", "npz"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_wrong_file_is_named(tmp_path, monkeypatch, form, which):
    put(tmp_path / "root", form)
    name = mnist.FILES["test"][which]
    true_sum = SUMS[name]
    monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, md5={**SUMS, name: "0" * 32}))
    with pytest.raises(ValueError, match=f"is {true_sum}, expected {'0' * 32}") as caught:
        load_mnist("test", tmp_path / "root")
    assert f"is not MNIST's {name}" in str(caught.value)
    assert str(find_mnist("test", tmp_path / "root")[which]) in str(caught.value)


def test_an_archive_that_is_not_keras(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    np.savez(folder / "mnist.npz", something=np.zeros(3))
    with pytest.raises(ValueError, match=r"mnist\.npz is not Keras's MNIST archive"):
        load_mnist(root=folder)
    (folder / "mnist.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"mnist\.npz is not Keras's MNIST archive"):
        load_mnist(root=folder)


def test_what_is_damaged_elsewhere_does_not_count(tmp_path, server):
    # A download of another library's that broke off, twice, and then a whole one.
    put(tmp_path / "work/data/MNIST/raw")
    put(tmp_path / "home/.cache/torch/MNIST/raw", "raw")
    names = mnist.FILES["test"]
    (tmp_path / f"work/data/MNIST/raw/{names[0]}.gz").write_bytes(b"")
    (tmp_path / f"home/.cache/torch/MNIST/raw/{names[1]}").write_bytes(PLAIN[names[1]][:-1])
    assert len(load_mnist("test", mirrors=[server.url])[0]) == 5
    assert len(server.asked) == 2
    put(tmp_path / "home/.keras/datasets", "npz")
    server.asked.clear()
    (tmp_path / f"home/.cache/tensorgrad/MNIST/raw/{names[0]}.gz").unlink()
    assert len(load_mnist("test", mirrors=[server.url])[0]) == 5
    assert server.asked == []


def test_what_is_damaged_where_it_was_said_to_be_is_told(tmp_path):
    put(tmp_path / "root/MNIST/raw")
    name = mnist.FILES["test"][0]
    (tmp_path / f"root/MNIST/raw/{name}.gz").write_bytes(b"")
    with pytest.raises(ValueError, match=f"{name}.gz is no IDX file"):
        load_mnist("test", tmp_path / "root")
    put(tmp_path / "root/mnist")
    assert len(load_mnist("test", tmp_path / "root")[0]) == 5


# -- Fashion-MNIST ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "root/FashionMNIST/raw",
        "root/fashion-mnist",
        "root",
        "work/data/FashionMNIST/raw",
        "home/.keras/datasets/fashion-mnist",
        "system/fashion-mnist",
    ],
)
def test_fashion_is_found_and_not_mistaken(tmp_path, place):
    root = tmp_path / "root" if place.startswith("root") else None
    put(tmp_path / place, arrays=FASHION)
    images, labels = load_fashion_mnist("test", root, download=False)
    assert np.array_equal((images * 255).round(), FASHION[mnist.FILES["test"][0]][:, None])
    assert labels.tolist() == FASHION[mnist.FILES["test"][1]].tolist()
    # Files of the same names, in the same folder.
    with pytest.raises(FileNotFoundError, match="MNIST's test files were not found"):
        load_mnist("test", root, download=False)
    put(tmp_path / "work/data")
    assert load_mnist("test", root, download=False)[1].tolist() == ARRAYS[mnist.FILES["test"][1]].tolist()
    assert load_fashion_mnist("test", root, download=False)[1].tolist() == labels.tolist()


def test_fashion_is_downloaded(tmp_path, server):
    server.answers.update({f"/{name}.gz": gzip.compress(idx_bytes(array)) for name, array in FASHION.items()})
    images, _ = load_fashion_mnist("train", dtype=np.uint8, mirrors=[server.url])
    assert images.dtype == np.uint8
    assert np.array_equal(images[:, 0], FASHION[mnist.FILES["train"][0]])
    cache = tmp_path / "home/.cache/tensorgrad/FashionMNIST/raw"
    assert files_in(cache) == sorted(f"{name}.gz" for name in mnist.FILES["train"])
    with pytest.raises(FileNotFoundError, match="Fashion-MNIST's t10k-images-idx3-ubyte could not be") as caught:
        load_fashion_mnist("test", mirrors=[])
    assert str(cache) in str(caught.value)


def test_dtypes_of_pixels(tmp_path):
    put(tmp_path / "root")
    images, _ = load_mnist("test", tmp_path / "root", dtype="float64")
    assert images.dtype == np.float64
    with pytest.raises(ValueError, match=r"floating point numbers from 0 to 1 or uint8 from 0 to 255, not int64"):
        load_mnist("test", tmp_path / "root", dtype=int)


# -- downloaded ---------------------------------------------------------------------------------------------


def test_download_into_the_cache_once(tmp_path, server):
    seen = []
    options = {"mirrors": [server.url], "progress": lambda *report: seen.append(report)}
    images, labels = load_mnist("train", **options)
    assert np.array_equal(labels, ARRAYS[mnist.FILES["train"][1]])
    cache = tmp_path / "home/.cache/tensorgrad/MNIST/raw"
    assert files_in(tmp_path / "home") == sorted(f"{name}.gz" for name in mnist.FILES["train"])
    assert (cache / f"{mnist.FILES['train'][0]}.gz").read_bytes() == PACKED[f"/{mnist.FILES['train'][0]}.gz"]
    asked = len(server.asked)
    again, _ = load_mnist("train", **options)
    assert np.array_equal(images, again)
    assert len(server.asked) == asked == 2
    size = len(PACKED[f"/{mnist.FILES['train'][0]}.gz"])
    assert (f"{mnist.FILES['train'][0]}.gz", size, size) in seen


def test_download_into_a_root(tmp_path, server):
    load_mnist("test", tmp_path / "root", mirrors=[server.url + "/"])
    assert files_in(tmp_path / "root/MNIST/raw") == sorted(f"{name}.gz" for name in mnist.FILES["test"])
    assert find_mnist("test", tmp_path / "root") is not None


def test_the_second_mirror_helps(tmp_path, server):
    dead = "http://127.0.0.1:1"
    _, labels = load_mnist("test", mirrors=[dead, server.url + "/nothing/here", server.url])
    assert len(labels) == 5


NAME = mnist.FILES["test"][0]
BAD = {
    "missing": (None, None, "404"),
    "cut short": (PACKED[f"/{NAME}.gz"][:-20], len(PACKED[f"/{NAME}.gz"]), "ended after|IncompleteRead"),
    "cut short in silence": (PACKED[f"/{NAME}.gz"][:-20], None, "damaged or cut short"),
    "a page of a hotel": (b"<html>Please log in</html>", None, "what came is no IDX file"),
    "other data": (PACKED[f"/{mnist.FILES['train'][0]}.gz"], None, "the MD5 of the uncompressed bytes is"),
    "nothing": (b"", None, "no IDX file"),
}


@pytest.mark.parametrize(("data", "length", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_download_leaves_nothing_behind(tmp_path, server, data, length, words):
    server.answers[f"/{NAME}.gz"] = data
    if length is not None:
        server.lengths[f"/{NAME}.gz"] = length
    with pytest.raises(FileNotFoundError, match=words) as caught:
        load_mnist("test", mirrors=[server.url])
    text = str(caught.value)
    assert f"{server.url}/{NAME}.gz: " in text
    assert "by hand" in text
    assert files_in(tmp_path / "home") == []
    assert find_mnist("test") is None
    server.answers.update(PACKED)
    server.lengths.clear()
    assert len(load_mnist("test", mirrors=[server.url])[0]) == 5


def test_a_flood_is_stopped(server, monkeypatch):
    monkeypatch.setattr(mnist, "MOST_BYTES", 10_000)
    server.answers[f"/{NAME}.gz"] = bytes(200_000)
    with pytest.raises(FileNotFoundError, match="more than 10000 bytes came"):
        load_mnist("test", mirrors=[server.url])


def test_an_interrupted_download_leaves_nothing_behind(tmp_path, server):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_mnist("test", mirrors=[server.url], progress=interrupt)
    assert files_in(tmp_path / "home") == []


def test_a_mirror_that_says_nothing(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(FileNotFoundError, match="timed out"):
            load_mnist("test", mirrors=[url], timeout=0.2)


def test_no_mirror_answers(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"MNIST's t10k-images-idx3-ubyte could not be downloaded"):
        load_mnist("test", tmp_path / "typo", mirrors=["http://127.0.0.1:1", "nonsense"])
    assert not (tmp_path / "typo").exists()


def test_a_folder_that_cannot_be_made(tmp_path, server):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileNotFoundError, match="could not be downloaded") as caught:
        load_mnist("test", tmp_path / "file", mirrors=[server.url])
    assert str(tmp_path / "file" / "MNIST") in str(caught.value)
