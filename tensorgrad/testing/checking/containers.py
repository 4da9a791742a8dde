"""Nested containers, and modules in them, taken apart into leaves and put together again.

A template is the container with a :class:`Slot` in the place of each leaf, and a :class:`Copied` in the place of each
module. What is put together is new every time: lists, dicts and modules that a function changes are its own.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Slot:
    """The place of the leaf with this number."""

    number: int


@dataclass(frozen=True)
class Copied:
    """A module, copied anew each time, with leaves in the places of its parameters."""

    module: Any
    parameters: tuple[tuple[Any, Slot], ...]


def walk(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The things in tuples, lists and dicts, however nested, that are none of these, with their names."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from walk(item, f"{name}[{key!r}]")
    elif isinstance(value, (tuple, list)) and not is_array(value):
        for i, item in enumerate(value):
            yield from walk(item, f"{name}[{i}]")
    else:
        yield name, value


def is_array(value: Any) -> bool:
    """Whether ``value`` is a list of numbers, or lists of lists of them, all of one length: one array, that is."""
    if type(value) is not list:
        return False
    if not all(type(item) is list or isinstance(item, (int, float, complex, np.number, np.bool_)) for item in value):
        return False
    if not any(type(item) is list for item in value):
        return True
    return all(map(is_array, value)) and len({np.shape(item) for item in value}) == 1


def take_apart(value: Any, name: str, replace: Callable[[str, Any], Any]) -> Any:
    """The template of ``value``.

    Args:
        value: a container, however nested, or a leaf.
        name: of ``value``; what is in it is called ``name[0]``, ``name['key']``, ...
        replace: takes the name and the value of each leaf and gives what stands for it in the template.
    """
    if isinstance(value, Mapping):
        return _with(value, [take_apart(item, f"{name}[{key!r}]", replace) for key, item in value.items()])
    if isinstance(value, (tuple, list)) and not is_array(value):
        return _with(value, [take_apart(item, f"{name}[{i}]", replace) for i, item in enumerate(value)])
    return replace(name, value)


def put_together(template: Any, leaves: Sequence[Any], memo: dict[int, Any] | None = None) -> Any:
    """The container with ``leaves`` in their slots; what is neither slot nor container is in it as it was."""
    memo = {} if memo is None else memo
    if isinstance(template, Slot):
        return leaves[template.number]
    if isinstance(template, Copied):
        # deepcopy takes what the memo has for the parameters, wherever they are, and copies all the rest.
        memo.update({id(parameter): leaves[slot.number] for parameter, slot in template.parameters})
        return copy.deepcopy(template.module, memo)
    if isinstance(template, Mapping):
        return _with(template, [put_together(item, leaves, memo) for item in template.values()])
    if isinstance(template, (tuple, list)):
        return _with(template, [put_together(item, leaves, memo) for item in template])
    return template


def _with(container: Any, items: list[Any]) -> Any:
    """A container like this one with other items."""
    old = list(container.values() if isinstance(container, Mapping) else container)
    if type(container) not in (dict, list, tuple) and all(a is b for a, b in zip(items, old, strict=True)):
        return container
    if isinstance(container, Mapping):
        if type(container) is dict:
            return dict(zip(container, items, strict=True))
        changed: Any = copy.copy(container)
        for key, item in zip(container, items, strict=True):
            changed[key] = item
        return changed
    if hasattr(container, "_make"):
        return container._make(items)
    return type(container)(items)
