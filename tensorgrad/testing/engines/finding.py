"""Which library a function is written for."""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Iterable, Iterator
from typing import Any

DEPTH = 4
"""How far functions that a function calls are looked into."""

OPAQUE = {"numpy", "scipy"}
"""Packages whose functions are not looked into: they call none of the libraries."""


def mentioned(f: Any, packages: Iterable[str]) -> set[str]:
    """Those of ``packages`` that the code of ``f`` mentions, or functions that it mentions, or that it belongs to."""
    wanted, found = set(packages), set()
    seen: dict[int, Any] = {}
    queue = [(f, 0)]
    while queue:
        thing, depth = queue.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        homes = {home.partition(".")[0] for home in _homes(thing)}
        found |= homes & wanted
        # What belongs to a library need not be looked into: how it is made is no matter.
        if depth < DEPTH and not homes & (wanted | OPAQUE):
            queue += [(part, depth + 1) for part in _parts(thing)]
    return found


def _homes(thing: Any) -> Iterator[str]:
    """The modules that a thing, or its type, is from."""
    if isinstance(thing, types.ModuleType):
        yield thing.__name__
    if isinstance(thing, types.FunctionType):
        yield thing.__globals__.get("__name__") or ""
    for kind in type(thing).__mro__:
        yield kind.__module__.replace("jaxlib", "jax")
    home = getattr(thing, "__module__", None)
    if isinstance(home, str):
        yield home


def _parts(thing: Any) -> Iterator[Any]:
    """What a function mentions by name, wraps, or is bound to."""
    if isinstance(thing, functools.partial):
        yield thing.func
    elif isinstance(thing, types.MethodType):
        yield thing.__func__
    elif isinstance(thing, types.FunctionType):
        yield from _names(thing.__code__, thing.__globals__)
        for cell in thing.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:
                continue
    elif callable(thing) and isinstance(getattr(type(thing), "__call__", None), types.FunctionType):  # noqa: B004
        yield type(thing).__call__
    if callable(thing) and hasattr(thing, "__wrapped__"):
        yield thing.__wrapped__


def _names(code: types.CodeType, names: dict[str, Any]) -> Iterator[Any]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and instruction.argval in names:
            yield names[instruction.argval]
        elif instruction.opname == "IMPORT_NAME":
            yield types.ModuleType(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant, names)
