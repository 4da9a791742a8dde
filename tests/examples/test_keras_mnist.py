"""``examples/keras_mnist.py``, on the digits that come with the package."""

from __future__ import annotations

import json

import keras_mnist
import numpy as np
import pytest

from tensorgrad import keras


def test_it_learns_and_leaves_a_picture_and_a_model(tmp_path, capsys):
    assert keras_mnist.main(["--data", "digits", "--epochs", "5", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["test accuracy, %"] > 75
    assert found["the saved model's outputs differ by"] < 1e-5
    assert (tmp_path / "learned.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert "Total params: 28,426" in said
    assert [text for text in said.splitlines() if text.startswith("Epoch ")] == [f"Epoch {n}/5" for n in range(1, 6)]
    model = keras.models.load_model(tmp_path / "model.keras", {"certainty": keras_mnist.certainty})
    assert model.predict(np.zeros((2, 64))).shape == (2, 10)


def test_where_there_is_no_mnist_it_says_so(tmp_path, capsys, monkeypatch):
    def nowhere(split, folder, download, flatten):
        assert (split, folder, flatten) == ("train", None, True)
        raise FileNotFoundError("MNIST is nowhere.")

    monkeypatch.setattr(keras_mnist, "load_mnist", nowhere)
    options = ["--epochs", "1", "--no-plots", "--out", str(tmp_path)]
    assert keras_mnist.main(options) == 0
    assert "MNIST is not on this machine (--download fetches it)" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="MNIST is nowhere"):
        keras_mnist.main([*options, "--download"])


def test_the_network_of_the_lecture():
    model = keras_mnist.make_model(28)
    assert model.input_shape == (None, 784)
    assert model.output_shape == (None, 10)
    assert model.layers[0].output_shape == (None, 28, 28, 1)
    assert model.count_params() == 315_146
