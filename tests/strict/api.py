"""What the real CuPy has: its names and signatures, as ``scripts/record_cupy_api.py`` wrote them down."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

_RECORD: dict[str, Any] = json.loads((Path(__file__).parent / "cupy_api.json").read_text())
VERSION: str = _RECORD.pop("version")
API: dict[str, dict[str, dict[str, Any]]] = _RECORD
"""Name of a namespace of CuPy, then a name in it, to what is known of it."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function of CuPy's."""

    name: str
    kind: Literal["positional", "either", "keyword", "rest"]
    required: bool
    """Whether a call must give it."""


def parameters(signature: str) -> list[Parameter]:
    """The parameters in a recorded signature.

    >>> [p.name for p in parameters("(a, axis=None, *, keepdims=False)")]
    ['a', 'axis', 'keepdims']
    """
    definition = ast.parse(f"def f{signature}: ...").body[0]
    assert isinstance(definition, ast.FunctionDef)
    found = definition.args
    leading = [(arg.arg, "positional") for arg in found.posonlyargs] + [(arg.arg, "either") for arg in found.args]
    required = len(leading) - len(found.defaults)
    result = [Parameter(name, kind, index < required) for index, (name, kind) in enumerate(leading)]  # type: ignore[arg-type]
    if found.vararg:
        result.append(Parameter(found.vararg.arg, "rest", False))
    keywords = zip(found.kwonlyargs, found.kw_defaults, strict=True)
    return result + [Parameter(arg.arg, "keyword", default is None) for arg, default in keywords]
