"""The child process in which an engine is examined: whatever it does there, the report goes on.

It reads the names of checks from its standard input, one JSON object a line, and answers with a result each.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

from tensorgrad.testing.conformance.adapters import load
from tensorgrad.testing.conformance.engine import Engine
from tensorgrad.testing.conformance.errors import AdapterError
from tensorgrad.testing.conformance.examine import examine
from tensorgrad.testing.conformance.levels import CHECKS

GRACE = 10
"""Seconds after the last limit after which the process ends itself, if nobody has ended it."""


def main() -> None:
    """Answers until its input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # What the engine prints is no answer.
    faulthandler.enable()
    setting = json.loads(sys.stdin.readline())
    try:
        adapter = load(setting["where"], **setting["options"])
    except AdapterError as error:
        _say(answers, {"error": str(error)})
        return
    limited = _limit_memory(setting["memory"])
    engine = Engine(adapter)
    facts = {key: str(getattr(adapter, key)) for key in ("name", "version", "dtype", "notes")}
    _say(answers, {"engine": {**facts, "scalars": bool(adapter.scalars)}, "memory": limited})
    for line in _lines():
        question = json.loads(line)
        _set_timers(question["seconds"], question["wall"] + GRACE)
        result = examine(CHECKS[question["check"]], engine)
        _set_timers(0, 0)
        _say(answers, result.record())


def _set_timers(seconds: float, wall: float) -> None:
    """Ends the process after so many seconds of the processor (in all threads), or of the clock; 0 is never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, wall)


def _lines() -> Any:
    """The lines of the standard input. When it ends, the parent is gone, and so is this process, whatever it does."""
    lines: list[str] = []
    arrived = threading.Semaphore(0)

    def read() -> None:
        for line in sys.stdin:
            lines.append(line)
            arrived.release()
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        arrived.acquire()
        yield lines.pop(0)


def _say(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _limit_memory(gigabytes: float) -> bool:
    """Allows so much more address space than is in use now, where the system can limit it."""
    if resource is None or gigabytes <= 0:
        return False
    used = 0
    if Path("/proc/self/statm").exists():
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + int(gigabytes * 2**30)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    except (ValueError, OSError):
        return False
    return True


if __name__ == "__main__":
    main()
