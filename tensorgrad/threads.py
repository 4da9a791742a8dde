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
from typing import Any, TypeVar

Piece = TypeVar("Piece")

SHARES = 8
"""Into how many sums an array is divided that all pieces of some work add to, each with pieces of its own."""
SUMS = 1 << 25
"""Elements that these sums may have together, if there is more than one."""
ADDED = 1 << 19
"""Elements of which sums are added up at a time."""
SMALL_PRODUCTS = "SkylakeX", "Cooperlake", "SapphireRapids"
"""Processors for which OpenBLAS has kernels for small products."""
FAIR = 4
"""Into how many parts work is divided at least, where it can be."""

_lock = threading.Lock()
_count: int | None = None
_idle: deque[_Helper] = deque()
"""Threads that wait for work,"""
_made = 0
"""and how many there are in all."""
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
    """Says how many threads the kernels on the CPU run on.

    What they compute does not depend on it, to the bit; but for recurrent layers, of which two threads share the
    sequences, so that their products may be rounded in another way.

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
    global _count
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"set_num_threads() takes a whole number from 1 on, got {count!r}.")
    _count = count


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
    count = min(get_num_threads(), len(pieces)) - 1
    if count < 1:
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
        jobs = [helper.begin(take) for helper in _borrow(count)]
        try:
            take()
        finally:
            left.clear()  # after an exception, nothing more is begun
            errors = [job.end() for job in jobs]
        for error in errors:
            if error is not None:
                raise error
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


class _Helper:
    """A thread that waits for work, and does it for whoever has borrowed it.

    To hand work to a pool of the standard library, and to learn of its end, takes twice as long.
    """

    def __init__(self) -> None:
        self.jobs: deque[_Job] = deque()
        self._called = threading.Lock()
        self._called.acquire()
        threading.Thread(target=self._wait, name=f"tensorgrad-kernels-{id(self)}", daemon=True).start()

    def begin(self, work: Callable[[], None]) -> _Job:
        """Calls it to work."""
        job = _Job(self, work)
        self.jobs.append(job)
        # It may not have come since it was last called.
        with contextlib.suppress(RuntimeError):
            self._called.release()
        return job

    def _wait(self) -> None:
        while True:
            self._called.acquire()
            with contextlib.suppress(IndexError):  # the work was taken back
                self.jobs.pop().do()


class _Job:
    """Some work that a helper is to do."""

    def __init__(self, helper: _Helper, work: Callable[[], None]) -> None:
        self._helper, self._work = helper, work
        self._done = threading.Lock()
        self._done.acquire()
        self._error: BaseException | None = None

    def do(self) -> None:
        """In the helper's thread."""
        try:
            self._work()
        except BaseException as error:
            self._error = error
        _idle.append(self._helper)
        self._done.release()

    def end(self) -> BaseException | None:
        """Waits until it is done, and says what went wrong. Takes it back if it was not begun: other cores are busy."""
        try:
            self._helper.jobs.pop()
        except IndexError:
            self._done.acquire()
        else:
            _idle.append(self._helper)
        return self._error


def _borrow(count: int) -> list[_Helper]:
    """Up to so many helpers that have nothing to do."""
    global _made
    helpers: list[_Helper] = []
    while len(helpers) < count:
        try:
            helpers.append(_idle.pop())
        except IndexError:
            with _lock:
                if _made >= get_num_threads() - 1:
                    break
                _made += 1
            helpers.append(_Helper())
    return helpers


def _forget() -> None:
    """In a forked child: none of the parent's threads are there, and a lock may be held by one that is not."""
    global _lock, _made, _holders
    _lock, _made, _holders = threading.Lock(), 0, 0
    _idle.clear()


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
def _library() -> ctypes.CDLL | None:
    """NumPy's own library, which answers for the BLAS that it is linked with."""
    try:
        return ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    except (ImportError, OSError):
        return None


def _function(name: str) -> Any:
    """A function of NumPy's OpenBLAS; None where it is another BLAS."""
    for before, after in (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", "")):
        with contextlib.suppress(AttributeError):
            return getattr(_library(), f"{before}openblas_{name}{after}")
    return None


@cache
def _blas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """How many threads NumPy's OpenBLAS has, and how to set that; None where it is another BLAS."""
    get, put = _function("get_num_threads"), _function("set_num_threads")
    return None if get is None or put is None else (get, put)


@cache
def small_products() -> bool:
    """Whether NumPy's BLAS is an OpenBLAS with quick ways for small products, as it has for AVX-512."""
    core = _function("get_corename")
    if core is None:
        return False
    core.restype = ctypes.c_char_p
    return core().decode() in SMALL_PRODUCTS
