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

    @property
    def text(self) -> str:
        """What is written there; empty, if that cannot be told."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{self.file}:{self.line}, in {self.function}" + (f": {self.text}" if self.text else "")


class Change(NamedTuple):
    """The latest change of some bytes."""

    when: int
    by: str
    where: Place


class Memory:
    """What is known of one piece of memory: how often it was changed, and which of its bytes, when."""

    __slots__ = ("changes", "reference", "times")

    RANGES = 64
    """How many ranges of bytes are told apart."""

    def __init__(self, reference: weakref.ref[Any]) -> None:
        self.reference = reference
        self.times = 0
        self.changes: dict[tuple[float, float], Change] = {}

    def mark(self, span: tuple[float, float], change: Change) -> None:
        """Enters a change of the bytes of ``span``."""
        self.times += 1
        if len(self.changes) == self.RANGES and span not in self.changes:
            spans = [span, *self.changes]
            self.changes.clear()
            span = min(lo for lo, _ in spans), max(hi for _, hi in spans)
        self.changes[span] = change

    def latest(self, span: tuple[float, float]) -> Change | None:
        """The latest change that may have touched ``span``."""
        lo, hi = span
        found = [change for (start, stop), change in self.changes.items() if start < hi and lo < stop]
        return max(found, default=None)


_memories: dict[int, Memory] = {}
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
    owner = backend.owner(array)
    key = id(owner)
    memory = _memories.get(key)
    if memory is None:
        memory = _memories[key] = Memory(weakref.ref(owner, lambda _, key=key: _memories.pop(key, None)))  # type: ignore[misc]
    latest = tick()
    memory.mark(backend.span(array), Change(latest, by, caller()))


def count(array: Any) -> int:
    """How often ``array``'s memory was changed in place."""
    memory = _memories.get(id(backend.owner(array)))
    return 0 if memory is None else memory.times


def check(kept: Iterable[Any], since: int, needed_by: str) -> None:
    """Raises if an array of ``kept`` was changed after the time ``since``."""
    for value in kept:
        if isinstance(value, (tuple, list)):
            check(value, since, needed_by)
        elif hasattr(value, "base"):
            memory = _memories.get(id(backend.owner(value)))
            change = None if memory is None else memory.latest(backend.span(value))
            if change is not None and change.when > since:
                raise GradientError(
                    f"an array of shape {tuple(value.shape)} that {needed_by!r} kept for its gradient was changed in "
                    f"place afterwards, by {change.by!r} at {change.where}. Change a copy instead (x = x + y, "
                    f"tg.where, tg.index_put), or run backward() before the change."
                )
