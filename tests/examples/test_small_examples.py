"""The small examples: each at a small size, with what it claims to show."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import pytest

from tests.examples.conftest import EXAMPLES


def linear_regression(found):
    assert found["distance from the exact solution"] < 1e-3
    assert found["loss at the end"] < 0.1 * found["loss at the start"]


def softmax_regression(found):
    assert found["test accuracy, %"] > 85
    assert found["the ten probabilities add up to 1, but for"] < 1e-6


def two_moons(found):
    assert found["test accuracy of the softmax regression, %"] < 92
    assert found["test accuracy of the multilayer perceptron, %"] > 96


def transformer(found):
    assert found["characters of them right, %"] > 90
    by_chance = found["so many there would be by chance, %"]
    assert found["of the looks while it writes the year, at the year, %"] > 1.7 * by_chance


CLAIMS = {
    linear_regression: ["--epochs", "200"],
    softmax_regression: ["--epochs", "15"],
    two_moons: ["--epochs", "25"],
    transformer: ["--epochs", "2"],
}
"""What is asserted of the figures of each example, and the options that make it small."""

NAMES = [claim.__name__ for claim in CLAIMS]
QUICKEST = ["linear_regression", "--epochs", "3"]


def run(name, folder, *options):
    return importlib.import_module(name).main([*options, "--out", str(folder)])


@pytest.mark.parametrize(("claim", "options"), CLAIMS.items(), ids=NAMES)
def test_it_shows_what_it_claims_and_leaves_pictures(claim, options, tmp_path, capsys):
    assert run(claim.__name__, tmp_path / "new" / "folder", *options) == 0
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
