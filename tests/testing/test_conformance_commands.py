"""The conformance kit's children and its commands: nothing that an engine does ends the report."""

from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tensorgrad.testing.conformance import CHECKS
from tensorgrad.testing.conformance.cli import main
from tensorgrad.testing.conformance.runner import Limits, Runner
from tests.testing import small_engines

ROOT = Path(__file__).parents[2]
ENGINES = str(Path(small_engines.__file__))


# Child processes.


@pytest.mark.parametrize(
    ("name", "seconds", "wall", "finding", "cause"),
    [
        ("exits", 10, 5, "ended itself with status 3", "os._exit()"),
        ("crashes", 10, 5, "died of SIGSEGV", "recursion in C"),
        ("hangs", 0.3, 500, "not done after 0.3 s", "endless loop"),
        ("sleeps", 0.3, 5, "no answer after 1.5 s", "endless loop"),
        ("hoards", 10, 5, "raised MemoryError", "out of memory"),
    ],
)
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="limits and signals are those of Unix")
def test_nothing_that_an_engine_does_ends_the_report(name, seconds, wall, finding, cause, monkeypatch):
    monkeypatch.setattr("tensorgrad.testing.conformance.runner.WALL", wall)
    with Runner(f"{ENGINES}:{name}", Limits(seconds, gigabytes=1)) as runner:
        result = runner.run(CHECKS["sum_of_two"])
        assert result.status == "failed"
        assert finding in result.finding
        assert cause in result.cause
        assert result.what == "x + y"
        assert result.seconds != seconds, "what it took, and not what it might have taken"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals are those of Unix")
def test_a_process_that_others_end_is_not_held_against_the_engine(tmp_path, monkeypatch):
    monkeypatch.setenv("ENDED_ONCE", str(tmp_path / "ended"))
    with Runner(f"{ENGINES}:ended_once") as runner:
        assert runner.run(CHECKS["sum_of_two"]).status == "passed"
    assert (tmp_path / "ended").exists()


def test_what_an_engine_prints_is_no_answer_and_the_next_check_is_put():
    with Runner(f"{ENGINES}:prints") as runner:
        assert [runner.run(CHECKS[name]).status for name in ("sum_of_two", "product_of_two")] == ["passed"] * 2


# The command line.


def test_exit_statuses_and_files(tmp_path, capsys):
    files = ["--json", str(tmp_path / "card.json"), "--markdown", str(tmp_path / "card.md")]
    assert main([f"{ENGINES}:right", "--level", "1", "--only", "of_two", *files]) == 0
    assert "4 passed, 0 failed, 0 not offered" in capsys.readouterr().out
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["ok"]
    assert card["levels"]["1"] == {"title": "scalars", "passed": 4, "failed": 0, "not offered": 0, "grade": "complete"}
    assert {result["status"] for result in card["results"]} == {"passed"}
    assert "| 1 scalars | 4 | 0 | 0 |" in (tmp_path / "card.md").read_text()
    assert main([f"{ENGINES}:overwrites", "--only", "with_itself"]) == 1
    out = capsys.readouterr().out
    assert "4 x the gradient of a value used several times is overwritten instead of added" in out
    assert "where a check may take 10 s of processor time and 8 GiB" in out
    assert main([f"{ENGINES}:right", "--only", "convolution_by_hand"]) == 1  # Nothing is offered.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Which engine?"),
        (["x:y", "--only", "nonsense"], "No check has that in its name"),
        (["x:y", "--json", "no/such/folder/card.json"], "There is no folder"),
        (["x:y", "--seconds", "0"], "--seconds must be positive"),
        (["--explain", "nonsense"], "There is no check 'nonsense'"),
    ],
)
def test_wrong_arguments(arguments, words, capsys):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_wrong_levels(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["x:y", "--level", "9"])
    assert "levels are 1 to 8" in capsys.readouterr().err


def test_list_and_explain(capsys):
    assert main(["--list", "--level", "3"]) == 0
    assert "3  product_with_itself: x * x\n" in capsys.readouterr().out
    assert main(["--explain", "product_with_itself"]) == 0
    assert "A gradient that is assigned, and not added to" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals are those of Unix")
def test_ctrl_c_gives_the_card_so_far(tmp_path):
    command = [sys.executable, "-m", "tensorgrad.testing.conformance", f"{ENGINES}:hangs_later", "--only", "of_two"]
    environment = {**os.environ, "HANGS_NOW": str(tmp_path / "now"), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, "--seconds", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    while not (tmp_path / "now").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "1 passed, 0 failed, 0 not offered; interrupted" in out
    assert "Traceback" not in err


# pytest.


def run_pytest(folder, *arguments):
    plugin = "pytest_tensorgrad"
    there = any(point.value == plugin for point in importlib.metadata.entry_points(group="pytest11"))
    command = [sys.executable, "-m", "pytest", *([] if there else ["-p", plugin]), "-p", "no:cacheprovider", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_one_test_for_each_check_in_an_empty_folder_with_xdist(tmp_path):
    status, out = run_pytest(tmp_path, f"--engine={ENGINES}:overwrites", "--engine-levels=1,3", "-k", "itself", "-n1")
    assert status == 1, out
    assert "4 failed" in out
    assert "sum_with_itself: x + x: gradient of x at x = 3: got 1, expected 2. Likely cause:" in out
    assert "level 3, shared values and graphs::sum_with_itself" in out


def test_pytest_skips_what_is_not_offered_and_refuses_wrong_names(tmp_path):
    (tmp_path / "test_mine.py").write_text("def test_of_my_own(): pass")
    status, out = run_pytest(
        tmp_path, f"--engine={ENGINES}:right", "-k", "of_my_own or sine or square_at", "-rs", "-n0"
    )
    assert status == 0, out
    assert "2 passed, 2 skipped" in out
    assert "not offered: no function sin" in out
    status, out = run_pytest(tmp_path, "--engine=no_such_module:adapter", "-n0")
    assert status == 4
    assert "There is no module 'no_such_module'" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--engine-levels=1"], "go with --engine"),
        (["--engine-seconds=3"], "go with --engine"),
        ([f"--engine={ENGINES}:right", "--engine-seconds=-3"], "-3.0 is no time limit"),
        ([f"--engine={ENGINES}:right", "--engine-levels=9"], "levels are 1 to 8"),
    ],
)
def test_pytest_refuses_options_that_do_nothing(tmp_path, arguments, words):
    status, out = run_pytest(tmp_path, *arguments, "-n0")
    assert status == 4, out
    assert words in out


@pytest.mark.parametrize("command", ["conformance", "mutation"])
def test_a_list_may_be_read_in_part(command):
    options = ["--list", "--op", "tanh"] if command == "mutation" else ["--list"]
    process = subprocess.Popen(
        [sys.executable, "-m", f"tensorgrad.testing.{command}", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    process.stdout.close()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 141
    assert b"Error" not in err
