"""In-place changes, counted: what turns a silently wrong gradient into an error.

Nodes and changes take numbers from one clock. A value that a rule kept is stale if its memory was changed
after the node was made, so a node needs no version of its own, and a backward pass through nodes that are
younger than the latest change need not look at all.
"""

from __future__ import annotations

import itertools
import linecache
import os
import sys
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tensorgrad import backend
from tensorgrad.errors import GradientError

tick = itertools.count(1).__next__
"""The clock: the number of the next node or change, ever larger."""

PACKAGE = str(Path(__file__).parents[1]) + os.sep


class Place(NamedTuple):
    """A line of the caller's, as a message shows it."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.line).strip()
        return f"{self.file}:{self.line}, in {self.function}" + (f": {text}" if text else "")


class Change(NamedTuple):
    """The latest change of one piece of memory."""

    when: int
    by: str
    where: Place
    times: int
    memory: weakref.ref[Any]


_changes: dict[int, Change] = {}
latest = 0
"""When the latest change of anything happened."""


def caller() -> Place:
    """The line that called into tensorgrad."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def mark(array: Any, by: str) -> None:
    """Counts a change of ``array``'s memory, made by the op or optimizer named ``by``."""
    global latest
    memory = backend.owner(array)
    key = id(memory)
    before = _changes.get(key)
    if before is None:
        reference = weakref.ref(memory, lambda _, key=key: _changes.pop(key, None))  # type: ignore[misc]
        times = 0
    else:
        reference, times = before.memory, before.times
    latest = tick()
    _changes[key] = Change(latest, by, caller(), times + 1, reference)


def count(array: Any) -> int:
    """How often ``array``'s memory was changed in place."""
    change = _changes.get(id(backend.owner(array)))
    return 0 if change is None else change.times


def check(kept: Iterable[Any], since: int, needed_by: str) -> None:
    """Raises if an array of ``kept`` was changed after the time ``since``."""
    for value in kept:
        if isinstance(value, (tuple, list)):
            check(value, since, needed_by)
        elif hasattr(value, "base"):
            change = _changes.get(id(backend.owner(value)))
            if change is not None and change.when > since:
                raise GradientError(
                    f"an array of shape {tuple(value.shape)} that {needed_by!r} kept for its gradient was changed in "
                    f"place afterwards, by {change.by!r} at {change.where}. Change a copy instead (x = x + y, "
                    f"tg.where, tg.index_put), or run backward() before the change."
                )
