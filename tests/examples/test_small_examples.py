"""The small examples: each at a small size, with what it claims to show; with three more seeds where ``--thorough``."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import pytest

from tests.examples.conftest import EXAMPLES


def linear_regression(found):
    assert found["distance from the exact solution"] < 0.01
    assert found["loss at the end"] < 0.1 * found["loss at the start"]


def softmax_regression(found):
    assert found["test accuracy, %"] > 85
    assert found["the ten probabilities add up to 1, but for"] < 1e-6


def two_moons(found):
    assert found["test accuracy of the softmax regression, %"] < 92
    assert found["test accuracy of the multilayer perceptron, %"] > 96


def kernels(found):
    assert found["identity changes a pixel by, at most"] == 0
    assert found["edge detection gives nothing (less than 0.001) on, % of the picture"] > 60
    contrast = [found[f"contrast {what}"] for what in CONTRASTS]
    assert contrast[0] < contrast[1] < contrast[2]
    sizes = [value for what, value in found.items() if "pixels a side" in what]
    assert sizes == [6, 8, 10, 4]


CONTRASTS = ("after the blur", "(standard deviation) of the picture", "after sharpening")


def text(found):
    assert found["test accuracy of the bag of words, %"] < 65
    assert found["test accuracy of the convolution over words, %"] > 95
    assert found["filters of the six strongest that fire on a negation"] >= 1


def autoencoder(found):
    error = "mean squared error "
    assert found[error + "of the autoencoder"] < 0.95 * found[error + "with two principal components"]
    nearest = "nearest other code is of the same digit, "
    assert found[nearest + "by the autoencoder, %"] > found[nearest + "by components, %"]


def regularization(found):
    neither = found["test accuracy with neither, %"]
    assert found["test accuracy with dropout, %"] > neither
    assert found["test accuracy with augmentation, %"] > neither + 1
    assert found["test accuracy with both, %"] > neither + 1


def vanishing_gradient(found):
    ratio = {name: found[f"{name}: gradient of the first of 32 layers, over the last"] for name in ACTIVATIONS}
    assert ratio["sigmoid"] < 1e-12
    assert 0.05 < ratio["relu"] < 20
    assert 0.05 < ratio["tanh"] < 500
    accuracy = {name: found[f"{name}: test accuracy with 8 layers, %"] for name in ACTIVATIONS}
    assert accuracy["sigmoid"] < 30
    assert accuracy["tanh"] > 80
    assert accuracy["relu"] > 60


ACTIVATIONS = ("sigmoid", "tanh", "relu")


def shift_invariance(found):
    perceptron, connected, pooled = (
        [found[f"{name}: test accuracy, shifted by {shift}, %"] for shift in (0, 1, 2, 4, 9)]
        for name in ("perceptron", "convolutions, then fully connected", "convolutions, then global pooling")
    )
    assert min(perceptron[0], connected[0], pooled[0]) > 75
    assert max(perceptron[3], connected[3]) < 50
    # Shifted by one pixel it is another image to pooling in steps of two; by two, it is the same one.
    assert pooled[2] == pytest.approx(pooled[0], abs=2)
    assert pooled[3] == pytest.approx(pooled[0], abs=2)
    assert pooled[1] < pooled[0]
    assert pooled[4] < 60


def tiny_objects(found):
    assert found["average pooling, objects of 1x1 pixels: test accuracy, %"] < 65
    assert found["maximum pooling, objects of 1x1 pixels: test accuracy, %"] > 90


def biased_data(found):
    accuracy = {
        (trained, tested): found[f"trained on {trained} images: accuracy on {tested} test images, %"]
        for trained in ("biased", "fair")
        for tested in ("biased", "fair")
    }
    assert accuracy["biased", "biased"] > 90
    assert accuracy["biased", "fair"] < 60
    assert min(accuracy["fair", "biased"], accuracy["fair", "fair"]) > 80
    assert found["trained on biased images: mistakes that name the digit of the colour, %"] > 50


def transformer(found):
    assert found["characters of them right, %"] > 90
    by_chance = found["so many there would be by chance, %"]
    assert found["of the looks while it writes the year, at the year, %"] > 1.7 * by_chance


def sequence(found):
    guess = found["error of whoever always says the mean"]
    assert found["error of the GRU"] < 0.3 * guess
    assert found["error of the simple RNN"] > 0.8 * guess
    assert found["error of the LSTM"] < 1.3 * guess


CLAIMS = {
    linear_regression: ["--epochs", "200"],
    softmax_regression: ["--epochs", "15"],
    two_moons: ["--epochs", "25"],
    kernels: [],
    text: ["--epochs", "4"],
    autoencoder: ["--epochs", "30"],
    regularization: ["--epochs", "60"],
    vanishing_gradient: ["--epochs", "10"],
    shift_invariance: ["--epochs", "5"],
    tiny_objects: ["--epochs", "8"],
    biased_data: ["--epochs", "6"],
    transformer: ["--epochs", "2"],
    sequence: ["--epochs", "2"],
}
"""What is asserted of the figures of each example, and the options that make it small."""

SMALL = {
    "sequence": {"STEPS": 30},
    "shift_invariance": {"SHIFTS": (0, 1, 2, 4, 6, 9)},
    "text": {"TRAIN": 1200, "TEST": 300},
    "tiny_objects": {"SIZES": (1,), "TEST": 300},
}
"""And the constants that make it smaller still."""

NAMES = [claim.__name__ for claim in CLAIMS]
QUICKEST = ["linear_regression", "--epochs", "3"]


def run(name, folder, *options):
    return importlib.import_module(name).main([*options, "--out", str(folder)])


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(4 if metafunc.config.getoption("thorough") else 1))


@pytest.mark.parametrize(("claim", "options"), CLAIMS.items(), ids=NAMES)
def test_it_shows_what_it_claims_and_leaves_pictures(claim, options, seed, tmp_path, capsys, monkeypatch):
    for constant, value in SMALL.get(claim.__name__, {}).items():
        monkeypatch.setattr(importlib.import_module(claim.__name__), constant, value)
    assert run(claim.__name__, tmp_path / "new" / "folder", *options, "--seed", f"{seed}") == 0
    said = capsys.readouterr()
    assert said.err == ""
    out = tmp_path / "new" / "folder"
    claim(json.loads((out / "found.json").read_text(encoding="utf-8")))
    pictures = [path for path in out.iterdir() if path.name != "found.json"]
    assert pictures
    for path in pictures:
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert len(data) > 10_000
        assert f"wrote {path}" in said.out
    assert re.search(r"^All in all [\d.]+ s\.$", said.out, re.MULTILINE)


def test_every_example_has_a_test_and_a_row_in_the_readme():
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    examples = [path.stem for path in EXAMPLES.glob("*.py") if "def main(" in path.read_text(encoding="utf-8")]
    assert {"digits", "mnist", *NAMES} <= set(examples)
    for name in examples:
        assert re.search(rf"\b{name}\b", tests), f"{name}.py has no test"
        assert f"| `python examples/{name}.py" in readme, f"{name}.py is not in examples/README.md"


@pytest.mark.parametrize(
    ("name", "options"), [("kernels", []), ("two_moons", ["--epochs", "2"]), ("regularization", ["--epochs", "1"])]
)
def test_another_array_library_finds_the_same(name, options, tmp_path):
    found = []
    for device in ("cpu", "strict"):
        assert run(name, tmp_path, *options, "--no-plots", "--device", device) == 0
        found.append(json.loads((tmp_path / "found.json").read_text(encoding="utf-8")))
    assert found[0] == pytest.approx(found[1], abs=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_option_is_answered_in_one_line(name, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run(name, tmp_path / "out", "--seed", "-1")
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "error: argument --seed: expected a whole number from 0 on, got '-1'" in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", NAMES)
def test_help_tells_what_it_shows(name, capsys):
    with pytest.raises(SystemExit) as end:
        run(name, "unused", "--help")
    assert end.value.code == 0
    assert f"runs/{name})" in capsys.readouterr().out.replace("\\", "/").replace("\n", "").replace(" ", "")


def test_without_plots_matplotlib_and_tqdm_are_not_needed(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("matplotlib", "plots", "tqdm")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("matplotlib", "tqdm"):
        monkeypatch.setitem(sys.modules, name, None)
    assert run(*QUICKEST[:1], tmp_path, *QUICKEST[1:], "--no-plots") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]


def test_the_seed_decides_and_a_second_run_overwrites(tmp_path):
    found = []
    for seed in "565":
        assert run(QUICKEST[0], tmp_path, *QUICKEST[1:], "--no-plots", "--seed", seed) == 0
        found.append((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found[0] == found[2] != found[1]
