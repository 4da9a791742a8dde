"""One library in a process of its own: takes orders on its standard input, answers on its standard output, in JSON.

``{"prepare": workload}`` answers ``{"ready": seconds}`` or ``{"not offered": why}``; ``{"run": seconds}`` does the
step again and again for about so long, and answers ``{"times": [...]}``; ``{"memory": workload}`` answers with the
bytes that the process needed at most beyond what it had before, ``{"memory": bytes}``; ``{"resident": "now"}`` answers
``{"bytes": bytes}`` with what the process has, and ``{"resident": "most"}`` with the most that it has had since then;
``{"check": path}`` saves the results there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import numpy as np

from benchmarks import libraries
from benchmarks.libraries.base import Library, NotOffered, Step
from benchmarks.workloads import TINY, find


def main() -> None:
    orders, answers = sys.stdin, os.fdopen(os.dup(1), "w")
    # What a library prints must not be taken for an answer.
    os.dup2(2, 1)

    def answer(**what: Any) -> None:
        print(json.dumps(what), file=answers, flush=True)

    name, threads = sys.argv[1], int(sys.argv[2])
    try:
        library = libraries.load(name)
    except ImportError as error:
        answer(missing=str(error))
        return
    library.set_threads(threads)
    answer(version=library.version)
    steps: dict[str, Step] = {}
    for line in orders:
        ((order, value),) = json.loads(line).items()
        if order == "prepare":
            answer(**_prepare(library, value, steps))
        elif order == "run":
            answer(times=_run(steps["step"], value))
        elif order == "memory":
            answer(memory=_memory(library, value))
        elif order == "resident":
            answer(bytes=_resident(value))
        elif order == "check":
            result = steps["step"]()
            values = result if isinstance(result, (list, tuple)) else [result]
            np.savez(value, *map(library.to_numpy, values))
            answer(saved=len(values))


def _prepare(library: Library, name: str, steps: dict[str, Step]) -> dict[str, Any]:
    steps.clear()
    start = time.perf_counter()
    try:
        steps["step"] = find(name).build(library)
        steps["step"]()
    except NotOffered as error:
        return {"not offered": str(error)}
    except Exception as error:
        return {"not offered": f"{type(error).__name__}: {error}"[:200]}
    return {"ready": time.perf_counter() - start}


def _run(step: Step, seconds: float) -> list[float]:
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times


def _memory(library: Library, name: str) -> int | None:
    """How many bytes more the process had at most during ten steps than before; None where the system does not tell."""
    for tiny in TINY:
        find(tiny).build(library)()
    before = _resident("now")
    step = find(name).build(library)
    for _ in range(10):
        step()
    most = _resident("most")
    return None if before is None or most is None else most - before


def _resident(which: str) -> int | None:
    """The bytes that the process has "now", or has had at "most" since that was asked; None where nobody tells."""
    try:
        if which == "now":
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # forgets how much it has been
        return _status({"now": "VmRSS", "most": "VmHWM"}[which])
    except (OSError, KeyError):
        return None


def _status(field: str) -> int:
    with open("/proc/self/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return 1024 * int(fields[field].split()[0])


if __name__ == "__main__":
    main()
