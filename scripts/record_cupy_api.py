"""Records CuPy's public names and signatures in ``tests/strict/cupy_api.json``.

The strict stand-in of the tests is built from that file, so that it has CuPy's functions and parameters and no
others. Run it after a new release of CuPy, in an environment that has CuPy; no GPU is needed::

    python scripts/record_cupy_api.py
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import types
from pathlib import Path
from typing import Any

import cupy
import numpy as np

TARGET = Path(__file__).parent.parent / "tests" / "strict" / "cupy_api.json"
NAMESPACES = ("cupy", "cupy.exceptions", "cupy.fft", "cupy.lib", "cupy.lib.stride_tricks", "cupy.linalg")
MISSING = object()


def default_text(value: Any) -> str:
    """A default as Python text that can be read without CuPy."""
    if isinstance(value, type):
        return value.__name__
    plain = value is None or isinstance(value, (bool, int, float, str, tuple))
    return repr(value) if plain else "..."


def python_signature(signature: inspect.Signature) -> str:
    """The text of ``signature`` without annotations and without ``self``."""
    parameters = [
        p.replace(annotation=p.empty, default=p.empty if p.default is p.empty else Verbatim(default_text(p.default)))
        for p in signature.parameters.values()
        if p.name != "self"
    ]
    return str(inspect.Signature(parameters))


class Verbatim(str):
    """A text whose repr is itself."""

    __repr__ = str.__str__


def cython_signature(docstring: str) -> str:
    """The signature on the first line of a docstring, as Cython writes it, without C types and without ``self``."""
    found = re.match(r"[\w.]+\((.*)\)", docstring.strip().splitlines()[0])
    if found is None:
        raise ValueError(f"no signature in {docstring.splitlines()[0]!r}")
    parameters = [text.strip() for text in found[1].split(",") if text.strip() not in ("", "self")]
    return "(" + ", ".join(re.sub(r"^\w+ (?=\w)", "", text) for text in parameters) + ")"


def signature_text(function: Any) -> str:
    """The signature of a Python or Cython function."""
    try:
        return python_signature(inspect.signature(function))
    except ValueError:
        return cython_signature(function.__doc__ or "")


def gufunc_signature(function: Any) -> str:
    """The signature of ``cupy.matmul``: its operands, then the options of a generalised ufunc's call."""
    options = python_signature(inspect.signature(type(function).__call__)).removeprefix("(*args, ")
    options = options.removesuffix(", out=None)")
    return f"(x1, x2, /, out=None, *, {options})"


def describe(value: Any, numpys: Any) -> dict[str, Any]:
    """What the stand-in must know of one name; ``numpys`` is what NumPy has under it."""
    if value is numpys:
        return {"kind": "numpy"}
    if isinstance(value, cupy.ufunc):
        entry = {"kind": "ufunc", "nin": value.nin, "loops": " ".join(value.types)}
        return entry | ({"at": value._scatter_op} if value._scatter_op else {})
    if type(value).__name__ == "_GUFunc":
        return {"kind": "function", "signature": gufunc_signature(value)}
    if isinstance(value, types.ModuleType) or type(value).__name__ == "_LazyModule":
        return {"kind": "module"}
    if isinstance(value, type):
        return {"kind": "type"}
    if callable(value) and not isinstance(value, (str, float)):
        try:
            return {"kind": "function", "signature": signature_text(value)}
        except (TypeError, ValueError, IndexError):
            return {"kind": "function", "signature": "(*args, **kwargs)"}
    return {"kind": "constant"}


def is_cupys(module: Any) -> bool:
    """Whether a module, or CuPy's stand-in for one that it loads late, belongs to CuPy."""
    return not isinstance(module, types.ModuleType) or module.__name__.startswith("cupy")


def public_names(module: str) -> dict[str, dict[str, Any]]:
    """Every public name of a module of CuPy, described."""
    value = importlib.import_module(module)
    numpys: Any = np
    for part in module.split(".")[1:]:
        numpys = getattr(numpys, part)
    names = sorted(name for name in dir(value) if not name.startswith("_") and name != "annotations")
    entries = {name: describe(getattr(value, name), getattr(numpys, name, MISSING)) for name in names}
    # A module that is not CuPy's is there only because one of CuPy's files imports it.
    foreign = {name for name in names if entries[name]["kind"] == "module" and not is_cupys(getattr(value, name))}
    return {name: entry for name, entry in entries.items() if name not in foreign}


def array_attributes() -> dict[str, dict[str, Any]]:
    """Every public name of ``cupy.ndarray``, and the special methods that CuPy defines itself."""
    special = {name for cls in cupy.ndarray.__mro__[:-1] for name in vars(cls)}
    names = {name for name in dir(cupy.ndarray) if not name.startswith("_")}
    names |= {name for name in special if name.startswith("__") and name.endswith("__")}
    entries = {}
    for name in sorted(names - {"__doc__", "__module__", "__slots__", "__pyx_vtable__"}):
        value = getattr(cupy.ndarray, name)
        if name.startswith("__"):
            entries[name] = {"kind": "special"}
        elif callable(value):
            entries[name] = {"kind": "method", "signature": signature_text(value)}
        else:
            entries[name] = {"kind": "attribute"}
    return entries


def main() -> None:
    sections: dict[str, dict[str, Any]] = {name: public_names(name) for name in NAMESPACES}
    sections["cupy.ndarray"] = array_attributes()
    # One name on a line, so that the difference between two releases of CuPy can be read.
    lines = [f'{{\n"version": {json.dumps(cupy.__version__)}']
    for section, names in sections.items():
        rows = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in names.items())
        lines.append(f"{json.dumps(section)}: {{\n{rows}\n}}")
    TARGET.write_text(",\n".join(lines) + "\n}\n")
    print(f"{TARGET}: CuPy {cupy.__version__}, {sum(map(len, sections.values()))} names")


if __name__ == "__main__":
    main()
