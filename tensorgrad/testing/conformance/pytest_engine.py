"""``pytest --engine=my_engine:adapter``: every check of the conformance kit as a test of its own.

The options are those of ``pytest_tensorgrad``, which brings this module in when they are used.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tensorgrad.testing.conformance.check import Check
from tensorgrad.testing.conformance.cli import levels_of
from tensorgrad.testing.conformance.errors import AdapterError
from tensorgrad.testing.conformance.levels import LEVELS
from tensorgrad.testing.conformance.runner import Limits, Runner

RUNNER = pytest.StashKey[Runner]()


class CheckFailed(Exception):
    """A check of the engine failed; the text says how."""


class CheckItem(pytest.Item):
    """One check, put to the engine in a child process."""

    check: Check

    def runtest(self) -> None:
        result = self.config.stash[RUNNER].run(self.check)
        if result.status == "not offered":
            pytest.skip(f"not offered: {result.finding}")
        if result.status == "failed":
            raise CheckFailed(str(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, self.nodeid


class LevelNode(pytest.Collector):
    """One level."""

    checks: list[Check]

    def collect(self) -> Iterator[CheckItem]:
        for check in self.checks:
            item = CheckItem.from_parent(self, name=check.name)
            item.check = check
            yield item


class EngineNode(pytest.Collector):
    """The engine."""

    levels: list[int]

    def collect(self) -> Iterator[LevelNode]:
        for level in LEVELS:
            if level.number in self.levels:
                node = LevelNode.from_parent(self, name=f"level {level.number}, {level.title}")
                node.checks = level.checks
                yield node


def pytest_configure(config: pytest.Config) -> None:
    """Finds the engine, so that a wrong name is a wrong argument."""
    where = config.getoption("engine")
    if not where:
        return
    try:
        _levels(config)
    except argparse.ArgumentTypeError as error:
        raise pytest.UsageError(f"--engine-levels: {error}") from error
    seconds = config.getoption("engine_seconds")
    if seconds is not None and not seconds > 0:
        raise pytest.UsageError(f"--engine-seconds: {seconds} is no time limit, which must be positive")
    runner = Runner(where, Limits() if seconds is None else Limits(seconds))
    config.stash[RUNNER] = runner
    if hasattr(config, "workerinput"):
        return  # The controller of pytest-xdist has tried it.
    try:
        runner.start()
    except AdapterError as error:
        raise pytest.UsageError(f"--engine={where}: {error}") from error


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the checks to whatever else was collected; first, so that ``-k`` chooses among them."""
    where = config.getoption("engine")
    if not where:
        return
    node = EngineNode.from_parent(session, name=where, nodeid=where)
    node.levels = _levels(config)
    items.extend(session.genitems(node))


def _levels(config: pytest.Config) -> list[int]:
    text = config.getoption("engine_levels")
    return [level.number for level in LEVELS] if text is None else levels_of(text)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the engine's process."""
    runner = config.stash.get(RUNNER, None)
    if runner is not None:
        runner.stop()
