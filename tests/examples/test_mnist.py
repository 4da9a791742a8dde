"""``examples/mnist.py``, with small images in the place of MNIST's."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from functools import partial

import mnist
import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import load_digits
from tensorgrad.data import mnist as source
from tensorgrad.data.idx import idx_md5

PICTURES = ["confusion_matrix.png", "filters.png", "learning_curves.png", "mistakes.png"]


@pytest.fixture(autouse=True)
def a_machine_without_mnist(tmp_path, monkeypatch):
    """Nothing is found in the usual places, and nobody answers."""
    for name in ("TENSORGRAD_DATA", "XDG_CACHE_HOME", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    for name in ("MNIST", "FASHION"):
        images = getattr(mnist, name)
        nobody = partial(images.load, mirrors=("http://127.0.0.1:1/",))
        monkeypatch.setattr(mnist, name, images._replace(load=nobody))


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A folder with the bundled digits, enlarged to 28x28, in files like MNIST's; mirrored, in Fashion-MNIST's."""
    for attribute, folder, step in (("MNIST", "MNIST", 1), ("FASHION_MNIST", "FashionMNIST", -1)):
        (tmp_path / "data" / folder / "raw").mkdir(parents=True)
        sums = {}
        for split, count in (("train", 1000), ("test", 300)):
            images, labels = (array[:count][::step] for array in load_digits(split))
            large = np.kron(images[:, 0, :, ::step], np.ones((3, 3))) * 255
            large = np.pad(large, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
            for name, array in zip(source.FILES[split], (large, labels.astype(np.uint8)), strict=True):
                header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
                (tmp_path / "data" / folder / "raw" / name).write_bytes(header + array.tobytes())
                sums[name] = idx_md5(np.ascontiguousarray(array))
        monkeypatch.setattr(source, attribute, replace(getattr(source, attribute), md5=sums))
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("model", "epochs", "least"), [("softmax", 2, 0.6), ("mlp", 2, 0.6), ("cnn", 2, 0.6), ("deep", 1, 0.3)]
)
def test_every_model_learns_and_leaves_its_files(model, epochs, least, root, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TENSORGRAD_DATA", str(root))
    assert mnist.main(["--model", model, "--epochs", str(epochs), "--batch-size", "25"]) == 0
    said = capsys.readouterr()
    out = tmp_path / "work" / "runs" / "mnist" / model
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.npz", *PICTURES]
    for name in PICTURES:
        assert (out / name).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    saved = tg.load(out / "checkpoint.npz")
    assert saved["arguments"]["lr"] == mnist.RECIPES[model].lr
    assert saved["accuracy"] > least
    assert f"{saved['accuracy']:.2%}" in said.out
    assert re.search(rf"{epochs} epochs? in [\d.]+ s of training: [\d.]+ s an epoch", said.out)
    model = mnist.RECIPES[model].make()
    model.load_state_dict(saved["model"])


def test_another_data_set_has_other_names(root, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TENSORGRAD_DATA", str(root))
    assert mnist.main(["--fashion", "--model", "softmax", "--epochs", "1"]) == 0
    assert re.search(r"^ Ankle boot +[\d.]+%", capsys.readouterr().out, flags=re.MULTILINE)
    out = tmp_path / "work" / "runs" / "fashion" / "softmax"
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.npz", *PICTURES]


def test_the_data_option_comes_first(root, tmp_path, capsys):
    options = ["--model", "softmax", "--epochs", "1", "--no-plots", "--out", str(tmp_path / "out")]
    assert mnist.main([*options, "--data", str(root)]) == 0
    assert "of 300 images recognised" in capsys.readouterr().out


def test_without_the_data_it_says_how_to_get_it(tmp_path):
    with pytest.raises(SystemExit) as end:
        mnist.main(["--data", str(tmp_path / "nowhere")])
    message = end.value.code
    assert message.startswith("mnist.py: error: MNIST's train-images-idx3-ubyte could not be downloaded")
    assert "http://127.0.0.1:1/" in message
    assert "To get them by hand, put the four files" in message
    assert str(tmp_path / "nowhere") in message
    assert not (tmp_path / "nowhere").exists()
    assert list((tmp_path / "work").iterdir()) == []


def test_a_damaged_file_is_named(root):
    file = root / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SystemExit, match="train-labels-idx1-ubyte"):
        mnist.main(["--data", str(root)])


def test_the_networks_have_the_sizes_that_they_are_known_for():
    sizes = {name: tg.nn.summary(recipe.make(), (1, 28, 28)).total for name, recipe in mnist.RECIPES.items()}
    assert sizes == {"softmax": 7_850, "mlp": 269_322, "cnn": 317_066, "deep": 141_418}
