"""The rooms of the house: imports point down, there are no circles, and none hides inside a function."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tensorgrad as tg

PACKAGE = Path(tg.__file__).parent

ROOMS = [
    "errors",
    "memory",
    "backend",
    "threads",
    "pieces",
    "philox",
    "autograd",
    "kernels",
    "random",
    "ops",
    "serialization",
    "nn",
    "optim",
    "data",
    "training",
    "keras",
    "testing",
]
"""From the ground up."""

FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def imported(node: ast.AST) -> list[str]:
    """What an import statement brings from tensorgrad, as dotted names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.startswith("tensorgrad")]
    if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tensorgrad"):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def room(dotted: str) -> str:
    return dotted.split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    mine = path.relative_to(PACKAGE).with_suffix("").parts[0]
    for node in ast.walk(ast.parse(path.read_text())):
        for name in imported(node):
            assert ROOMS.index(room(name)) <= ROOMS.index(mine), f"{mine} imports {name}, which is above it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_import_of_our_own_hides_in_a_function(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert not [name for inner in ast.walk(node) for name in imported(inner)]


def test_every_room_is_in_the_contributors_list():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text()
    places = [text.index(f"`{name}`") for name in ROOMS]
    assert places == sorted(places)


def test_what_is_imported_later_is_listed_and_found():
    assert {"data", "keras", "load", "save", "training", "zeros"} <= {*dir(tg)}
    assert tg.serialization.load is tg.load


def test_what_is_not_used_is_not_imported():
    code = (
        "import sys, numpy\n"
        "before = {*sys.modules}\n"
        "import tensorgrad as tg\n"
        "print(*{'numpy.random', 'zipfile', 'concurrent.futures', 'secrets'} & ({*sys.modules} - before))\n"
        "for name in ('data', 'training', 'keras'):\n"
        "    print(f'tensorgrad.{name}' in sys.modules, getattr(tg, name).__name__)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [
        "False",
        "tensorgrad.data",
        "False",
        "tensorgrad.training",
        "False",
        "tensorgrad.keras",
    ]
