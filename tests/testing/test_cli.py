"""``python -m tensorgrad.testing check``: what it prints, and how it ends."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tensorgrad.testing.cli import find, main, separated

MODULE = """
import numpy as np
import tensorgrad as tg
from tensorgrad.testing.engines import pair

def loss(x, y):
    return (np.sin(x) @ y) ** 2

def cube(x):
    return x**3

def forward(x, w):
    return x @ w, (x, w)

def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout

def wrong(dout, cache):
    x, w = cache
    return dout @ w.T, 2 * x.T @ dout

affine = pair(forward, backward, takes="cache")
model = tg.nn.Linear(4, 2)
number = 3

def fails(x):
    raise RuntimeError("no\\nmore")

def interrupted(x):
    raise KeyboardInterrupt

def kinds(x):
    assert x.dtype == np.float64
    return x * 2

class Net:
    def method(self, x):
        return x * 2

net = Net()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with modules, from which the command is called."""
    (tmp_path / "cli_example.py").write_text(MODULE)
    (tmp_path / "cli_broken.py").write_text("import there_is_no_such_module")
    (tmp_path / "cli_syntax.py").write_text("def f(:")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("cli_example", "cli_broken", "cli_syntax"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def run(command):
    """The exit status of a command line."""
    try:
        return main(shlex.split(command))
    except SystemExit as stop:
        return stop.code


def test_the_page_tells_what_is_printed(folder, capsys):
    page = (Path(__file__).parents[2] / "docs" / "gradcheck.md").read_text()
    section = page.partition("## From the shell\n")[2]
    code, command, printed = re.findall(r"```\w+\n(.*?)```", section, flags=re.DOTALL)[:3]
    (folder / "course.py").write_text(code)
    assert run(command.partition("python -m tensorgrad.testing ")[2]) == 1
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    "arguments",
    [
        "loss --shape 3,4 --shape 4 --order 2",
        "cube --shape scalar --low 1 --high 2",
        "cube --shape ''",
        "cube --shape '(2, 3)' --dtype float32",
        "cube --shape 5, --engine tensorgrad --rtol 1e-6 --atol 1e-9",
        "forward --backward backward --takes cache --shape 5,3 --shape 3,2",
        "forward --backward cli_example:backward --takes cache --shape 5,3 --shape 3,2 --dtype float64 --seed 7",
        "affine --shape 5,3 --shape 3,2",
        "model --shape 3,4",
        "net.method --shape 2",
        "kinds --shape 2",
        "cube --shape 0",
    ],
)
def test_right_gradients(arguments, capsys):
    assert run(f"check cli_example:{arguments}") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith(f"cli_example:{arguments.split()[0]}: derivatives of order")
    assert "agree" in captured.out.splitlines()[0]


def test_wrong_ones(capsys):
    assert run("check cli_example:forward --backward wrong --takes cache --shape 5,3 --shape 3,2") == 1
    out = capsys.readouterr().out
    assert "DISAGREE" in out
    assert "input 1" in out


def test_the_line_to_paste(capsys):
    command = "check cli_example:loss --shape 2,3 --shape 3 --order 2 --low -2.0 --high 0.5 --seed 3 --rtol 1e-07"
    assert run(command) == 0
    first = capsys.readouterr().out
    line = first.splitlines()[-1]
    assert line == f"again: python -m tensorgrad.testing {command}"
    assert run(line.partition("testing ")[2]) == 0
    assert capsys.readouterr().out == first
    assert run("check cli_example:cube --shape scalar --shape '' --shape 0") == 2
    assert run("check cli_example:cube --shape scalar") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("check cli_example:cube --shape scalar --seed 0")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("cli_missing:f", "there is no module 'cli_missing' in"),
        ("cli_example.py:loss", "without .py it is 'cli_example'"),
        ("cli_broken:f", "module 'cli_broken' needs 'there_is_no_such_module', which is not installed"),
        ("cli_syntax:f", "module 'cli_syntax' cannot be imported: SyntaxError"),
        ("cli_example", "write it as module:function"),
        ("cli_example:", "write it as module:function"),
        ("cli_example:nothing", "cli_example has no 'nothing'; it has pair, loss, cube, forward"),
        ("cli_example:net.nothing", "Net has no 'nothing'"),
        ("cli_example:number.nothing", "int has no 'nothing'"),
        ("cli_example:number", "no function, but of type int"),
        ("cli_example:Net", "is a class"),
        ("cli_example:forward --backward nothing", "cli_example has no 'nothing'"),
        ("cli_example:forward --takes cache", "--takes belongs to --backward"),
        ("cli_example:cube --shape 3,x", "'3,x' is no shape: give lengths with commas between them"),
        ("cli_example:cube --shape=-3", "'-3' is no shape"),
        ("cli_example:cube", "nothing to check"),
        ("cli_example:cube --shape 2 --low 2", "--low must be below --high"),
        ("cli_example:cube --shape 2 --high inf", "both finite"),
        ("cli_example:cube --shape 2 --seed -1", "--seed must be 0 or greater"),
        ("cli_example:cube --shape 2 --order 0", "order 1 and up, not 0"),
        ("cli_example:cube --shape 2 --engine numpy", "there is no engine 'numpy'"),
        ("cli_example:cube --shape 2 --dtype int64", "invalid choice: 'int64'"),
        ("cli_example:affine --shape 2,2 --shape 2,2 --order 2", "order 1 only"),
        ("cli_example:fails --shape 2", "RuntimeError: no, in"),
        ("cli_example:loss --shape 2,3 --shape 2", "cli_example.py, line 7"),
        ("", "the following arguments are required: MODULE:FUNCTION"),
    ],
)
def test_wrong_arguments(arguments, words, capsys):
    assert run(f"check {arguments}") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert words in captured.err.splitlines()[0]
    assert "Traceback" not in captured.err


def test_an_engine_that_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jax", None)
    assert run("check cli_example:cube --shape 2 --engine jax") == 2
    assert "pip install jax" in capsys.readouterr().err


def test_interrupted(capsys):
    assert run("check cli_example:interrupted --shape 2") == 130
    assert capsys.readouterr() == ("", "interrupted: nothing was found wrong so far, and nothing right.\n")


def test_no_command(capsys):
    assert run("") == 2
    assert run("measure") == 2
    assert "invalid choice: 'measure'" in capsys.readouterr().err


def test_help(capsys):
    assert run("--help") == 0
    assert run("check --help") == 0
    out = capsys.readouterr().out
    for words in ("--shape N,M,...", "examples:", "exit status: 0 if the gradients are right", "(default: -1)"):
        assert words in out


def test_as_a_process(folder: Path):
    command = [
        sys.executable,
        "-m",
        "tensorgrad.testing",
        "check",
        "cli_example:loss",
        "--shape",
        "3,4",
        "--shape",
        "4",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "agree" in done.stdout


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_inputs_are_apart(dtype):
    arrays = separated([(20, 10), (), (0, 3), (50,)], -3.0, 1.0, dtype, np.random.default_rng(0))
    assert [array.shape for array in arrays] == [(20, 10), (), (0, 3), (50,)]
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    values = np.concatenate([array.ravel() for array in arrays])
    for part in (values.real, values.imag) if dtype == "complex128" else (values,):
        assert part.min() > -3
        assert part.max() < 1
        assert np.diff(np.sort(part)).min() > 0.39 * 4 / values.size


def test_the_current_folder_is_looked_in(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in ("", str(folder))])
    assert find("cli_example:number.__add__")(4) == 7
