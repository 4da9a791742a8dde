"""What is written is true: every example in a docstring, and every code block of the README and of docs/, is run."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
import types
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing.properties import DEFAULTS, Defaults

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = [name for _, name, _ in pkgutil.walk_packages(tg.__path__, "tensorgrad.") if "._" not in name]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def documented(module: types.ModuleType):
    """The docstrings of a module: its own, its functions' (ops too), its classes' and their methods'."""
    yield module.__name__, module.__doc__
    for name, member in vars(module).items():
        if getattr(member, "__module__", None) != module.__name__:
            continue
        yield f"{module.__name__}.{name}", getattr(member, "__doc__", None)
        if isinstance(member, type):
            for key, method in vars(member).items():
                if isinstance(method, (types.FunctionType, property, staticmethod, classmethod)):
                    yield f"{module.__name__}.{name}.{key}", method.__doc__


@pytest.mark.parametrize("name", ["tensorgrad", *MODULES])
def test_docstrings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    output = io.StringIO()
    for place, text in documented(module):
        names = {**vars(module), "tg": tg, "np": np, "nn": tg.nn}
        example = doctest.DocTestParser().get_doctest(text or "", names, place, module.__file__, 0)
        tg.manual_seed(0)
        runner.run(example, out=output.write)
    assert runner.failures == 0, output.getvalue()


@pytest.mark.parametrize("name", tg.__all__)
def test_public_functions_are_documented_with_an_example(name):
    member = getattr(tg, name)
    if isinstance(member, (types.ModuleType, np.dtype, float, type(None), type)):
        return
    assert member.__doc__, f"tg.{name} has no docstring"
    if hasattr(member, "op") and not member.op.differentiable:
        return
    assert ">>>" in member.__doc__, f"tg.{name} has no example"


def blocks(page: Path):
    """The Python blocks of a page, each with the text that it should print (None: anything)."""
    found = re.findall(r"```(\w+)\n(.*?)```", page.read_text(), flags=re.DOTALL)
    for (language, code), following in zip(found, [*found[1:], ("", "")], strict=True):
        if language == "python":
            yield pytest.param(code, following[1] if following[0] == "text" else None, id=code.splitlines()[-1][:40])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # What is printed of a failure depends on the samples.
    monkeypatch.setattr(DEFAULTS, "seed", Defaults.seed)
    monkeypatch.setattr(DEFAULTS, "examples", Defaults.examples)
    for block in blocks(page):
        code, expected = block.values
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, f"{page.name}: {block.id}", "exec"), {"__name__": "__main__"})
        if expected is not None:
            assert printed.getvalue() == expected, f"in {page.name}:\n{code}"


def test_the_commands_of_the_readme_are_what_ci_runs():
    readme, ci = (ROOT / "README.md").read_text(), (ROOT / ".ci" / "run").read_text()
    install, run = re.search(r"^(pip install -e \"\.\[test\]\") && (pytest)$", readme, flags=re.MULTILINE).groups()
    assert install.replace("install", "install --quiet") in ci
    assert re.search(rf"^{run}$", ci, flags=re.MULTILINE)


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
