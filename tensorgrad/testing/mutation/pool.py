"""Work in processes of its own: what is broken in one is gone with it, and what does not come to an end is ended."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, cast

FORKS = hasattr(os, "fork") and sys.platform != "darwin"
"""Whether a process can be copied with all that is in it. (On macOS system libraries do not survive it.)"""


def each(
    tasks: Sequence[Any], work: Callable[[Any], Any], late: Callable[[float], Any], jobs: int, limit: float
) -> Iterator[tuple[Any, Any]]:
    """Each task with what ``work`` gives for it, in the order in which they are done.

    Args:
        tasks: what to work on.
        work: gives a result that can be sent from one process to another.
        late: gives the result for a task that took longer than so many seconds, or whose process died.
        jobs: how many processes there are at a time.
        limit: of each task, in seconds. Where processes cannot be copied the tasks run here, without a limit.
    """
    if not FORKS:
        for task in tasks:
            yield task, work(task)
        return
    context = multiprocessing.get_context("fork")
    left = list(reversed(tasks))
    # What is there already is not to be looked through, and so copied, by every child's garbage collector.
    gc.freeze()
    running: dict[Any, tuple[Any, Any, float]] = {}
    try:
        while left or running:
            while left and len(running) < jobs:
                task = left.pop()
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_child, args=(work, task, sender, limit), daemon=True)
                with warnings.catch_warnings(), _uninterrupted():
                    # That other threads are not copied is meant to be.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    process.start()
                sender.close()
                running[receiver] = (process, task, time.monotonic())
            for done in wait(list(running), timeout=1.0):
                process, task, start = running.pop(done)
                with contextlib.closing(cast(Connection, done)) as connection:
                    try:
                        result = connection.recv()
                    except EOFError:
                        result = late(time.monotonic() - start)
                process.join()
                yield task, result
    finally:
        gc.unfreeze()
        for process, _, _ in running.values():
            process.kill()
            process.join()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A block in which Ctrl-C waits: what it raises where a process is being copied is lost."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _child(work: Callable[[Any], Any], task: Any, sender: Any, limit: float) -> None:
    # Ctrl-C is for the parent, who ends its children; the alarm ends this one even if nobody is left to do so.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limit)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        sender.send(work(task))
