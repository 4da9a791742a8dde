"""The pytest plugin, as somebody meets it who has installed tensorgrad: in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SPECS = """
import sys

import pytest
import tensorgrad as tg
from hypothesis import given, settings, strategies as st
from tensorgrad.testing import OpSpec

def cube(x):
    return x * x * x

CUBE = OpSpec("cube", cube, lambda x: x**3, domain=(-2, 2))
"""

TESTS = (
    SPECS
    + """
@pytest.mark.op_spec(CUBE)
def test_cube(op_property):
    op_property()
"""
)


def run_pytest(folder: Path, code: str, *arguments: str) -> tuple[int, str]:
    """The exit status and the output of pytest on one file."""
    (folder / "test_it.py").write_text(code)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    # The name that the entry point has where the package is installed: it is registered once.
    command = [sys.executable, "-m", "pytest", "-p", "pytest_tensorgrad", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_one_test_for_each_property(tmp_path: Path) -> None:
    status, text = run_pytest(tmp_path, TESTS, "-v")
    assert status == 0, text
    for name in ("forward", "empty", "scalars", "derivatives", "dtypes", "layouts", "unchanged", "aliasing", "errors"):
        assert f"test_it.py::test_cube[cube-{name}-cpu] PASSED" in text
    assert "parity" not in text
    assert "tensorgrad:" not in text


def test_several_specs_and_some_properties(tmp_path: Path) -> None:
    marked = TESTS.replace("op_spec(CUBE)", "op_spec(CUBE, OpSpec('abs', abs, kinks={0: 0}), only=['kinks', 'errors'])")
    status, text = run_pytest(tmp_path, marked, "-v", "-n2")
    assert status == 0, text
    assert "3 passed" in text
    assert "PASSED test_it.py::test_cube[abs-kinks-cpu]" in text


def test_a_failure_prints_a_line_to_paste(tmp_path: Path) -> None:
    status, text = run_pytest(tmp_path, TESTS.replace("x**3", "x**2"))
    assert status == 1
    assert "2 failed" in text or "3 failed" in text, text
    assert "cube does not have the property 'forward' on cpu." in text
    assert "to see it again: check_op(spec, only='forward', device='cpu', sample=Sample((np.array(" in text


def test_a_device_that_is_missing_is_skipped(tmp_path: Path) -> None:
    status, text = run_pytest(
        tmp_path, TESTS.replace("op_spec(CUBE", "op_spec(CUBE, devices=['cpu', 'cuda:99']"), "-rs"
    )
    assert status == 0, text
    assert "1 skipped" in text


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("op_spec(CUBE, devices='tpu')", "'tpu' is no device"),
        ("op_spec(CUBE, device='cpu')", "op_spec takes OpSpecs"),
        ("op_spec('cube')", "it was given 'cube'"),
        ("op_spec()", "it was given nothing"),
        ("op_spec(CUBE, only=['derivativs'])", "there is no property 'derivativs': they are forward"),
    ],
)
def test_a_marker_that_says_nothing_of_use(tmp_path: Path, marker: str, words: str) -> None:
    status, text = run_pytest(tmp_path, TESTS.replace("op_spec(CUBE)", marker))
    assert status != 0
    assert words in text


def test_a_marked_test_without_the_fixture(tmp_path: Path) -> None:
    status, text = run_pytest(tmp_path, TESTS.replace("(op_property)", "()").replace("op_property()", "pass"))
    assert status != 0
    assert "give it the parameter op_property" in text


def test_a_test_without_the_marker(tmp_path: Path) -> None:
    status, text = run_pytest(tmp_path, TESTS.replace("@pytest.mark.op_spec(CUBE)", ""))
    assert status != 0
    assert "is not marked with @pytest.mark.op_spec(spec, ...)" in text


COUNTING = (
    SPECS
    + """
CALLS = []

@pytest.mark.op_spec(OpSpec("counted", lambda x: CALLS.append(x.tolist()) or x * 2, lambda x: x * 2), only=["forward"])
def test_op(op_property):
    op_property()
    print("calls", len(CALLS), hash(str(CALLS)), end=";")

@given(st.integers())
def test_integers(n):
    CALLS.append(n)

def test_count():
    print("in all", len(CALLS), end=";")
"""
)


def test_thorough_tries_more_and_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "0")

    def calls(*arguments: str) -> tuple[str, str]:
        status, text = run_pytest(tmp_path, COUNTING, "-s", *arguments)
        assert status == 0, text
        return text, text.partition("calls ")[2].partition(";")[0]

    usual, thorough, again = calls(), calls("--thorough", "--hypothesis-seed=5"), calls("--hypothesis-seed=5")
    assert usual[1].startswith("20 ")
    assert thorough[1].startswith("300 ")
    assert "tensorgrad: 300 examples, seed 5 (again: --thorough --hypothesis-seed=5)" in thorough[0]
    assert "in all 1800;" in thorough[0]
    assert usual[1] != again[1] == calls("--hypothesis-seed=5")[1]
    assert again[1].startswith("20 ")
    assert thorough[1] != calls("--thorough")[1]


def test_all_workers_have_one_seed(tmp_path: Path) -> None:
    seeds = """
import pytest

@pytest.mark.parametrize("n", range(8))
def test_seed(n):
    from tensorgrad.testing.properties import DEFAULTS
    with open("seeds.txt", "a") as file:
        print(DEFAULTS.seed, file=file)
"""
    status, text = run_pytest(tmp_path, seeds, "--thorough", "-n2")
    assert status == 0, text
    written = (tmp_path / "seeds.txt").read_text().split()
    assert len(written) == 8
    assert len({*written}) == 1
    assert f"seed {written[0]} " in text


def test_nothing_is_imported_where_it_is_not_used(tmp_path: Path) -> None:
    code = "import sys\ndef test():\n    assert not {'tensorgrad', 'numpy', 'hypothesis'} & {*sys.modules}\n"
    status, text = run_pytest(tmp_path, code)
    assert status == 0, text
