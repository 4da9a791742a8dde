"""How long things take."""

from __future__ import annotations

import time
from collections.abc import Callable


def seconds(work: Callable[[], object], repeats: int = 2) -> float:
    """The shortest time of a few runs, in seconds of the processor: other work on the machine does not count.

    Args:
        work: to be timed.
        repeats: how often.
    """
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)
