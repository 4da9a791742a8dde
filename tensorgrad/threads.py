"""Threads for the kernels on the CPU: independent pieces of work, on as many cores as there are.

NumPy lets go of Python's lock in copies, ufuncs and products, so threads run side by side. What they compute does not
depend on how many there are: the pieces are cut by shapes alone, and whoever is free takes the next one. Meanwhile
NumPy's BLAS, which would bring threads of its own into every product, is held to one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Piece = TypeVar("Piece")

SHARES = 8
"""Into how many sums an array is divided that all pieces of some work add to, each with pieces of its own."""
SUMS = 1 << 25
"""Elements that these sums may have together, if there is more than one."""
ADDED = 1 << 19
"""Elements of which sums are added up at a time."""
FAIR = 4
"""Into how many parts work is divided at least, where it can be."""

_lock = threading.Lock()
_count: int | None = None
_pool: ThreadPoolExecutor | None = None
_holders = 0
"""How many are inside of :class:`OneBlasThread`."""
_blas_threads = 1
"""What BLAS had before the first of them."""


def get_num_threads() -> int:
    """How many threads the kernels on the CPU run on.

    At first ``$TENSORGRAD_NUM_THREADS``, or ``$OMP_NUM_THREADS``, or as many as there are cores for this process.

    Example:
        >>> tg.get_num_threads() >= 1
        True
    """
    global _count
    if _count is None:
        _count = _from_environment() or _cores()
    return _count


def set_num_threads(count: int) -> None:
    """Says how many threads the kernels on the CPU run on. What they compute does not depend on it.

    Args:
        count: 1 or more.

    Raises:
        ValueError: for less than 1.

    Example:
        >>> before = tg.get_num_threads()
        >>> tg.set_num_threads(1)
        >>> tg.get_num_threads()
        1
        >>> tg.set_num_threads(before)
    """
    global _count, _pool
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"set_num_threads() takes a whole number from 1 on, got {count!r}.")
    with _lock:
        _count, _pool = count, None


def _from_environment() -> int | None:
    for name in ("TENSORGRAD_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "")
        if text.isdecimal() and int(text):
            return int(text)
    return None


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fair(count: int, most: int) -> int:
    """How many of ``count`` things to do at a time, ``most`` at most, so that some threads have about as much to do.

    That is the same for any number of threads, or what comes out would depend on it.
    """
    parts = max(-(-count // most), min(FAIR, count))
    parts = min(count, -(-parts // 2) * 2)
    return -(-count // max(1, parts)) if count else 1


def each(work: Callable[[Piece], Any], pieces: Sequence[Piece]) -> list[Any]:
    """What ``work`` returns for each of the pieces, in their order; they are worked on side by side.

    An exception that is raised by one of them is raised here, when nobody works any more.
    """
    helpers = min(get_num_threads(), len(pieces)) - 1
    if helpers < 1:
        with OneBlasThread():
            return [work(piece) for piece in pieces]
    results: list[Any] = [None] * len(pieces)
    left = deque(enumerate(pieces))

    def take() -> None:
        while left:
            try:
                number, piece = left.popleft()
            except IndexError:  # somebody else was quicker
                return
            results[number] = work(piece)

    with OneBlasThread():
        futures = [_executor().submit(take) for _ in range(helpers)]
        try:
            take()
        finally:
            # After an exception, nothing more is begun; and who has not begun by now, because other cores are busy, is
            # not waited for.
            left.clear()
            begun = [future for future in futures if not future.cancel()]
            for future in begun:
                future.exception()
        for future in begun:
            future.result()
    return results


def summed(total: Callable[[Sequence[Piece]], Any], pieces: Sequence[Piece], size: int) -> Any:
    """The sum of what ``total`` returns for shares of the pieces: arrays of ``size`` elements in C order, its own."""
    shares = max(1, min(SHARES, SUMS // max(1, size), len(pieces)))
    totals = each(total, [pieces[i::shares] for i in range(shares)])
    whole, *others = (array.reshape(-1) for array in totals)

    def add(some: slice) -> None:
        for other in others:
            whole[some] += other[some]

    each(add, [slice(start, start + ADDED) for start in range(0, size, ADDED)] if others else [])
    return totals[0]


def _executor() -> ThreadPoolExecutor:
    # Who never gets here does not wait for it to be loaded.
    from concurrent.futures import ThreadPoolExecutor

    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(1, get_num_threads() - 1), thread_name_prefix="tensorgrad-kernels")
        return _pool


def _forget() -> None:
    """In a forked child: none of the parent's threads are there, and a lock may be held by one that is not."""
    global _lock, _pool, _holders
    _lock, _pool, _holders = threading.Lock(), None, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class OneBlasThread(contextlib.ContextDecorator):
    """Holds BLAS to one thread, until the last of those who want it so has left."""

    def __enter__(self) -> None:
        global _holders, _blas_threads
        blas = _blas()
        if blas is not None:
            with _lock:
                _holders += 1
                if _holders == 1:
                    _blas_threads = blas[0]()
                    if _blas_threads != 1:
                        blas[1](1)

    def __exit__(self, *raised: object) -> None:
        global _holders
        blas = _blas()
        if blas is not None:
            with _lock:
                _holders -= 1
                if not _holders and _blas_threads != 1:
                    blas[1](_blas_threads)


@cache
def _blas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How many threads NumPy's OpenBLAS has, and how to set that; None where it is another BLAS."""
    try:
        # A library answers for those that it is linked with.
        library = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    except (ImportError, OSError):
        return None
    for before, after in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
        with contextlib.suppress(AttributeError):
            get = getattr(library, f"{before}openblas_get_num_threads{after}")
            put = getattr(library, f"{before}openblas_set_num_threads{after}")
            return get, put
    return None
