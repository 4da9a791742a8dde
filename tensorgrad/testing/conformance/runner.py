"""Puts checks to an engine in child processes, which may crash, hang, or run out of memory."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tensorgrad.testing.conformance.causes import of_signal
from tensorgrad.testing.conformance.check import Check
from tensorgrad.testing.conformance.errors import AdapterError
from tensorgrad.testing.conformance.examine import Result

START = 300.0
"""Seconds that an engine may take to be imported."""

TIMES_UP = getattr(signal, "SIGPROF", 0)
OUTSIDE = {-getattr(signal, name, 0) for name in ("SIGTERM", "SIGINT", "SIGHUP")} - {0}
"""Return codes of processes that were ended from outside: no fault of the engine."""
WALL = 5
"""How many times its processor time a check may last: it may wait for others, but not for ever."""


@dataclass(frozen=True)
class Limits:
    """What one check may take.

    Attributes:
        seconds: of processor time; a few checks of level 4 are given a multiple, which they say.
        gigabytes: of memory, besides what the process takes after the engine was imported; 0 means no limit.
    """

    seconds: float = 10.0
    gigabytes: float = 8.0


@dataclass
class Runner:
    """One engine, and the process that it lives in.

    Args:
        where: the adapter, as in :func:`~tensorgrad.testing.conformance.adapters.load`.
        limits: of each check.
        options: attributes to set on the adapter.

    Attributes:
        facts: the engine's name, version, dtype and notes; known after :meth:`start`.
    """

    where: str
    limits: Limits = field(default_factory=Limits)
    options: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict, init=False)
    memory_limited: bool = field(default=False, init=False)
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _answers: queue.Queue[str | None] = field(default_factory=queue.Queue, init=False)
    _words: Any = field(default=None, init=False)

    def __enter__(self) -> Runner:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the process and imports the engine, unless it runs already.

        Raises:
            AdapterError: if there is no such adapter, or if it cannot be imported.
        """
        if self._process is not None:
            return
        self._words = tempfile.TemporaryFile()  # noqa: SIM115
        package = str(Path(__file__).parents[3])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tensorgrad.testing.conformance.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is for the report, not for the engine.
        )
        self._answers = queue.Queue()
        threading.Thread(target=_read, args=(self._process, self._answers), daemon=True).start()
        self._ask({"where": self.where, "options": dict(self.options), "memory": self.limits.gigabytes})
        try:
            hello = self._answer(START)
            words = hello.get("error") if hello else f"{self.where} cannot be imported: {self._ended()[0]}."
        except queue.Empty:
            words = f"{self.where} cannot be imported: no answer after {START:g} s."
        if words or not hello:
            self.stop()
            raise AdapterError(words)
        self.facts, self.memory_limited = hello["engine"], hello["memory"]

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self._process is None:
            return
        process, self._process = self._process, None
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, self._words):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def run(self, check: Check) -> Result:
        """The result of one check, which may be that the engine's process died of it.

        Args:
            check: to be put to the engine.
        """
        result = self._put(check)
        if result is None:  # Somebody else ended the process: once more.
            result = self._put(check)
        return result or Result(
            check.name, check.level, "failed", 0.0, check.what, "the process of the engine is ended each time"
        )

    def _put(self, check: Check) -> Result | None:
        """The result; None if the process was ended by a signal that comes from outside."""
        if self._process is not None and self._process.poll() is not None:
            self.stop()  # It died after its last answer.
        self.start()
        assert self._process is not None
        seconds, start = self.limits.seconds * check.patience, time.monotonic()
        self._ask({"check": check.name, "seconds": seconds, "wall": WALL * seconds})
        try:
            answer = self._answer(WALL * seconds)
        except queue.Empty:
            finding, cause = f"no answer after {WALL * seconds:g} s", check.late
        else:
            if answer is not None:
                return Result(**answer)
            finding, cause = self._ended()
        code = self._process.returncode
        self.stop()
        if code in OUTSIDE:
            return None
        if code == -TIMES_UP:
            finding, cause = f"not done after {seconds:g} s", check.late
        return Result(check.name, check.level, "failed", time.monotonic() - start, check.what, finding, cause)

    def _ask(self, question: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        """What the process says next; None if it ended."""
        line = self._answers.get(timeout=seconds)
        return None if line is None else json.loads(line)

    def _ended(self) -> tuple[str, str]:
        """How the process ended: in words, and the likely cause."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        code = self._process.returncode
        if code is None:
            return "the process of the engine closed its output", ""
        self._words.seek(0)
        said = self._words.read().decode("utf-8", "replace").strip().splitlines()
        fatal = next((line for line in said if line.startswith("Fatal")), "")
        start = next((k for k, line in enumerate(said) if line.startswith("Current thread")), len(said))
        place = next((line.strip() for line in said[start:] if line.strip().startswith("File ")), "")
        if code >= 0:
            last = f" ({said[-1].strip()[:160]})" if said else ""
            return (
                f"the process of the engine ended itself with status {code}{last}",
                "the engine calls exit() or os._exit()",
            )
        name = signal.Signals(-code).name
        return f"the process of the engine died of {name}{f' ({place})' if place else ''}", of_signal(-code, fatal)


def _read(process: subprocess.Popen[str], answers: queue.Queue[str | None]) -> None:
    """Passes lines on; None is the end."""
    assert process.stdout is not None
    with contextlib.suppress(ValueError, OSError):
        for line in process.stdout:
            answers.put(line)
    answers.put(None)
