"""The report card: per level what passed, failed and is not offered, a grade in words, and every failure."""

from __future__ import annotations

import json
import platform
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from typing import Any

import numpy as np

from tensorgrad.testing.conformance.check import Level
from tensorgrad.testing.conformance.examine import Result
from tensorgrad.testing.conformance.levels import LEVELS


def grade_of(passed: int, failed: int, absent: int) -> str:
    """A grade in words for one level.

    Args:
        passed: how many checks passed.
        failed: how many failed.
        absent: how many were not offered.

    Example:
        >>> grade_of(10, 0, 2), grade_of(9, 1, 0), grade_of(0, 0, 12)
        ('right in all it offers', 'good, with a gap', 'not offered')
    """
    offered = passed + failed
    if not offered:
        return "not offered" if absent else "not asked"
    if not failed:
        return "right in all it offers" if absent else "complete"
    share = passed / offered
    if share >= 0.8:
        return "good, with a gap" if failed == 1 else "good, with gaps"
    return "shaky" if share >= 0.5 else "not to be relied on" if passed else "nothing right"


@dataclass
class Card:
    """The results of an engine.

    Attributes:
        engine: its name, version, dtype, notes.
        results: one for each check that was put to it.
        limits: words about the limits of time and memory.
        complete: false if it was interrupted.
    """

    engine: dict[str, Any]
    results: list[Result] = field(default_factory=list)
    limits: str = "no limits: run in one process"
    complete: bool = True
    day: date = field(default_factory=date.today)

    @property
    def failures(self) -> list[Result]:
        """What failed."""
        return [result for result in self.results if result.status == "failed"]

    @property
    def ok(self) -> bool:
        """Whether something was offered and nothing failed."""
        return not self.failures and any(result.status == "passed" for result in self.results)

    def __bool__(self) -> bool:
        return self.ok

    def counts(self, level: int) -> tuple[int, int, int]:
        """How many checks of a level passed, failed, were not offered."""
        found = [result.status for result in self.results if result.level == level]
        passed, failed, absent = (found.count(status) for status in ("passed", "failed", "not offered"))
        return passed, failed, absent

    def levels(self) -> list[Level]:
        """The levels that were asked."""
        asked = {result.level for result in self.results}
        return [level for level in LEVELS if level.number in asked]

    @property
    def title(self) -> str:
        """Engine, version and dtype."""
        name = " ".join(filter(None, [self.engine.get("name", ""), self.engine.get("version", "")]))
        return f"{name}, computing in {'Python floats' if self.engine.get('scalars') else self.engine.get('dtype')}"

    def verdict(self) -> str:
        """All levels in one sentence."""
        passed, failed, absent = (
            sum(n) for n in zip(*(self.counts(level.number) for level in self.levels()), strict=True)
        )
        words = f"{passed} passed, {failed} failed, {absent} not offered"
        return f"{words}{'' if self.complete else '; interrupted'}"

    def causes(self) -> list[str]:
        """The likely causes, the most frequent first, each with the number of checks that it failed."""
        causes = Counter(re.split(r": | \(", result.cause)[0] for result in self.failures)
        return [f"{count} x {cause or 'without a guess'}" for cause, count in causes.most_common()]

    def __str__(self) -> str:
        lines = [f"Report card: {self.title}", f"({self._circumstances()})"]
        if self.engine.get("notes"):
            lines.append(f"({self.engine['notes']})")
        lines += ["", *_aligned([self._heads(), *self._rows()]), "", self.verdict()]
        if self.failures:
            lines += ["", "In short:", *(f"  {line}" for line in self.causes())]
            lines += ["", "What failed:"]
            lines += [f"  {result.level}  {result}" for result in self.failures]
        absent = list(self._absent())
        if absent:
            lines += ["", "Not offered:", *(f"  {number}  {reason}: {names}" for number, reason, names in absent)]
        return "\n".join(lines)

    def markdown(self) -> str:
        """The card as a page of Markdown."""
        rows = [self._heads(), tuple("---" for _ in self._heads()), *self._rows()]
        lines = [f"# {self.title}", "", f"{self._circumstances()}."]
        if self.engine.get("notes"):
            lines += ["", f"{self.engine['notes']}."]
        lines += ["", *("| " + " | ".join(row) + " |" for row in rows), "", f"{self.verdict()}."]
        if self.failures:
            lines += ["", "## In short", "", *(f"- {line}" for line in self.causes())]
            lines += ["", "## What failed", ""]
            for result in self.failures:
                cause = f" *{result.cause}.*" if result.cause else ""
                lines.append(f"- {result.level} `{result.name}`: {result.what}: {result.finding}.{cause}")
        absent = list(self._absent())
        if absent:
            lines += ["", "## Not offered", ""]
            lines += [f"- {number}, {reason}: {names}" for number, reason, names in absent]
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """The card as JSON, with all results."""
        levels = {
            level.number: {
                "title": level.title,
                **dict(zip(("passed", "failed", "not offered"), self.counts(level.number), strict=True)),
                "grade": grade_of(*self.counts(level.number)),
            }
            for level in self.levels()
        }
        card = {
            "engine": self.engine,
            "date": self.day.isoformat(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "tensorgrad": version("tensorgrad"),
            "limits": self.limits,
            "complete": self.complete,
            "ok": self.ok,
            "levels": levels,
            "results": [result.record() for result in self.results],
        }
        return json.dumps(card, indent=2) + "\n"

    def _circumstances(self) -> str:
        return f"{self.day.isoformat()}, Python {platform.python_version()}, NumPy {np.__version__}; {self.limits}"

    def _heads(self) -> tuple[str, ...]:
        return ("level", "passed", "failed", "not offered", "time", "grade")

    def _rows(self) -> Iterable[tuple[str, ...]]:
        for level in self.levels():
            counts = self.counts(level.number)
            seconds = sum(result.seconds for result in self.results if result.level == level.number)
            yield (
                f"{level.number} {level.title}",
                *(str(count) for count in counts),
                f"{seconds:.1f} s",
                grade_of(*counts),
            )

    def _absent(self) -> Iterable[tuple[int, str, str]]:
        """What is not offered, by level and reason."""
        for level in self.levels():
            reasons: dict[str, list[str]] = {}
            for result in self.results:
                if result.level == level.number and result.status == "not offered":
                    reasons.setdefault(result.finding, []).append(result.name)
            for reason, names in reasons.items():
                yield level.number, reason, "all" if len(names) == len(level.checks) else ", ".join(names)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
