"""Who makes batches: threads or processes, in any order, given back in the right one.

A batch depends on the seed of the loop and on its number alone, and not on who makes it, nor when.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pickle
import queue
import random
import signal
import threading
import time
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np

from tensorgrad.data.collate import collate
from tensorgrad.data.dataset import batch_of
from tensorgrad.data.messages import Packed, receive, send
from tensorgrad.random import Generator, default_generator, use_generator

GRACE = 1.0
"""Seconds that workers have to end what they are doing when a loop is left."""

Init = Callable[[int], Any] | None


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker of a loader knows of itself.

    Attributes:
        id: its number, from 0 on.
        num_workers: how many there are.
        seed: a number that no other worker of the loop has.
        dataset: the dataset: its own copy, if it is a process.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _State(threading.local):
    info: WorkerInfo | None = None


_state = _State()


def get_worker_info() -> WorkerInfo | None:
    """Which worker of a :class:`~tensorgrad.data.DataLoader` this is; None in the main thread.

    A stream, which cannot be indexed, has one worker whatever ``num_workers`` is. A stream that divides itself by what
    is said here, as PyTorch's must, therefore comes whole, and in its own order.

    Example:
        >>> get_worker_info() is None
        True
    """
    return _state.info


class END:
    """Stands for the batch after the last of a stream."""


class Maker:
    """Makes the batches of a loop, each by its number.

    Args:
        dataset: what has a length and can be indexed, or a stream.
        collate_fn: makes a batch of a list of samples; None: as :func:`~tensorgrad.data.collate` does.
        batch_size: of the batches of a stream.
        drop_last: whether a stream's last batch is left out where it is smaller.
    """

    def __init__(
        self, dataset: Any, collate_fn: Callable[[list[Any]], Any] | None, batch_size: int, drop_last: bool
    ) -> None:
        self.dataset, self.collate_fn = dataset, collate_fn
        self.batch_size, self.drop_last = batch_size, drop_last

    def begin(self, seed: int | None, parts: Sequence[np.ndarray] | None) -> None:
        """A new loop.

        Args:
            seed: what the random numbers of its batches depend on; None: there are none.
            parts: the indices of each batch; None for a stream.
        """
        self.seed, self.parts = seed, parts
        self.samples: Iterator[Any] | None = None

    def entropy(self, number: int) -> int | None:
        """The seed of a batch."""
        return None if self.seed is None else self.seed + (number << 64)

    def make(self, number: int) -> Any:
        """The batch of that number; of a stream the next one, or END."""
        entropy = self.entropy(number)
        with nullcontext() if entropy is None else use_generator(Generator(entropy)):
            if self.parts is not None:
                whole = batch_of(self.dataset) if self.collate_fn is None else None
                if whole is not None:
                    return whole(self.parts[number])
                samples = [self.dataset[index] for index in self.parts[number].tolist()]
            else:
                self.samples = iter(self.dataset) if self.samples is None else self.samples
                samples = list(itertools.islice(self.samples, self.batch_size))
                if not samples or (self.drop_last and len(samples) < self.batch_size):
                    return END
            return (self.collate_fn or collate)(samples)


@dataclass
class Failure:
    """An exception in the place of a batch."""

    error: BaseException


def in_order(open_pool: Callable[[], Pool], numbers: Iterable[int], ahead: int, timeout: float) -> Iterator[Any]:
    """The batches of these numbers, made by a pool that works up to ``ahead`` of them in advance.

    An exception in a worker is raised here, in the place of the batch. The pool is let go when all is done, or when
    this generator is closed or dropped, as a loop does that is left early.
    """
    pool: Pool | None = None
    left = iter(numbers)
    asked: deque[int] = deque()
    made: dict[int, Any] = {}
    broken = True
    try:
        while True:
            for number in itertools.islice(left, max(1 + ahead - len(asked), 0)):
                pool = open_pool() if pool is None else pool
                pool.submit(number)
                asked.append(number)
            if pool is None or not asked:
                break
            number = asked.popleft()
            while number not in made:
                place, result = pool.receive(timeout or None)
                made[number if place is None else place] = result
            result = made.pop(number)
            if isinstance(result, Failure):
                try:
                    raise result.error
                finally:
                    # Its traceback holds this frame: without this the two would keep each other alive.
                    del result
            if result is END:
                break
            yield result
        broken = False
    except GeneratorExit:
        broken = False
    finally:
        made.clear()
        if pool is not None:
            pool.release(broken)


class Pool:
    """Workers that make the batches of a loop."""

    def submit(self, number: int) -> None:
        """Has a batch made."""
        raise NotImplementedError

    def receive(self, timeout: float | None) -> tuple[int | None, Any]:
        """A batch that was made, or a Failure, and its number; None for a worker that could not begin."""
        raise NotImplementedError

    def release(self, broken: bool) -> None:
        """Ends the loop, after an error if ``broken``."""
        raise NotImplementedError


def _too_late(timeout: float | None) -> TimeoutError:
    return TimeoutError(f"no worker of the DataLoader has made a batch for {timeout} seconds (timeout={timeout}).")


# -- threads -------------------------------------------------------------------------------------------------


class Threads(Pool):
    """Threads: they see the dataset itself, and compute at the same time as far as NumPy and Pillow let them.

    Args:
        maker: makes batches.
        count: how many threads.
        init: called in each, with its number.
        named: whether the threads are workers that ``get_worker_info`` knows of.
    """

    def __init__(self, maker: Maker, count: int, init: Init, named: bool) -> None:
        self._tasks: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._made: queue.SimpleQueue[tuple[int | None, Any]] = queue.SimpleQueue()
        self._threads = []
        for number in range(count):
            info = WorkerInfo(number, count, (maker.seed or 0) + number, maker.dataset) if named else None
            arguments = (self._tasks, self._made, maker, number, init, info)
            self._threads.append(threading.Thread(target=_work, args=arguments, name="tensorgrad-loader", daemon=True))
            self._threads[-1].start()

    def submit(self, number: int) -> None:
        self._tasks.put(number)

    def receive(self, timeout: float | None) -> tuple[int | None, Any]:
        try:
            return self._made.get(timeout=timeout)
        except queue.Empty:
            raise _too_late(timeout) from None

    def release(self, broken: bool) -> None:
        with suppress(queue.Empty):
            while not self._tasks.empty():
                self._tasks.get_nowait()
        for _ in self._threads:
            self._tasks.put(None)
        # Whoever uses the dataset next is not to meet them there; but nobody waits for a sample that takes ages.
        deadline = time.monotonic() + GRACE
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(deadline - time.monotonic(), 0))


def _work(tasks: Any, made: Any, maker: Maker, number: int, init: Init, info: WorkerInfo | None) -> None:
    _state.info = info
    try:
        if init is not None:
            init(number)
    except BaseException as error:
        made.put((None, Failure(error)))
        return
    while (task := tasks.get()) is not None:
        made.put((task, _made(maker, task)))


def _made(maker: Maker, number: int) -> Any:
    try:
        return maker.make(number)
    except BaseException as error:
        return Failure(error)


# -- processes -----------------------------------------------------------------------------------------------


def context_of(given: Any) -> Any:
    """The way in which processes are started: what is given, or a safe one.

    A fork copies the locks of threads and the state of a GPU, of which a program with arrays has both: so a server
    forks that has neither, where there is such a thing. What ``multiprocessing.set_start_method`` was told cannot be
    told from what :mod:`multiprocessing` chose for itself.
    """
    if given is not None:
        return multiprocessing.get_context(given) if isinstance(given, str) else given
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # So that not every worker imports NumPy for itself.
    context.set_forkserver_preload(["__main__", __name__])
    return context


class Processes(Pool):
    """Processes: each has a copy of the dataset, and all compute at the same time.

    Args:
        context: how they are started.
        maker: makes batches.
        count: how many processes.
        init: called in each, with its number.
        keep: a weak reference to what is called with the pool when a loop ended well, to use it again; None to end the
            processes then.

    Raises:
        TypeError: if what they need cannot be pickled.
        RuntimeError: if one of them does not start.
    """

    def __init__(
        self, context: Any, maker: Maker, count: int, init: Init, keep: weakref.WeakMethod[Any] | None
    ) -> None:
        inherited = context.get_start_method() == "fork"
        cargo = (maker, init)
        packed = None if inherited else _packed(cargo, maker.dataset)
        self._keep = keep
        self._processes: list[Any] = []
        self._connections: list[Connection] = []
        self._busy: list[set[int]] = [set() for _ in range(count)]
        self._began = False
        self._close = weakref.finalize(self, _end, os.getpid(), self._processes, self._connections)
        try:
            for number in range(count):
                mine, theirs = context.Pipe()
                arguments = (theirs, number, count, *((cargo, [*self._connections, mine]) if inherited else (None, [])))
                process = context.Process(
                    target=_serve, args=arguments, name=f"tensorgrad-loader-{number}", daemon=True
                )
                self._connections.append(mine)
                process.start()
                theirs.close()
                self._processes.append(process)
            if packed is not None:
                packed.send(*self._connections)
        except BaseException as error:
            dead = self._dead(0) if isinstance(error, (OSError, EOFError)) else error
            self._close()
            raise dead from None

    def begin(self, maker: Maker, timeout: float | None) -> None:
        """A new loop, that of this maker; what the last one left is waited for and let go.

        Raises:
            RuntimeError: if one of them has ended.
            TimeoutError: if one of them is still busy.
        """
        while any(self._busy):
            self.receive(timeout)
        if wait(self._sentinels(), 0):
            raise self._dead(0)
        # All numbers of a loop are told before it begins: to a worker that is reading, however many they are.
        try:
            Packed((maker.seed, maker.parts)).send(*self._connections)
        except OSError:
            raise self._dead(0) from None

    def submit(self, number: int) -> None:
        worker = min(range(len(self._busy)), key=lambda worker: len(self._busy[worker]))
        self._busy[worker].add(number)
        try:
            send(self._connections[worker], number)
        except OSError:
            raise self._dead(worker) from None

    def receive(self, timeout: float | None) -> tuple[int | None, Any]:
        ready = wait([*self._connections, *self._sentinels()], timeout)
        if not ready:
            raise _too_late(timeout)
        for worker, connection in enumerate(self._connections):
            if connection in ready:
                try:
                    number, result = receive(connection)
                except (EOFError, OSError):
                    raise self._dead(worker) from None
                self._busy[worker].discard(number)
                self._began = True
                return number, result
        raise self._dead(0)

    def release(self, broken: bool) -> None:
        if broken:
            for process in self._processes:
                process.terminate()
        keep = None if broken or self._keep is None else self._keep()
        if keep is None or not keep(self):
            self._close()

    def _dead(self, worker: int) -> RuntimeError:
        """The error for a worker that ended by itself."""
        wait(self._sentinels(), GRACE)
        ended = [(number, process.exitcode) for number, process in enumerate(self._processes) if process.exitcode]
        worker, code = ended[0] if ended else (worker, None)
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = " Is memory short?" if name == "SIGKILL" else ""
            return RuntimeError(f"worker process {worker} of the DataLoader was killed by {name}.{hint}")
        text = f"worker process {worker} of the DataLoader ended (exit code {code}); what it said is above."
        if not self._began:
            text += (
                " Workers import the program's main module: what starts a loop belongs under "
                "`if __name__ == '__main__':` there. worker='thread' does without."
            )
        return RuntimeError(text)

    def _sentinels(self) -> list[Any]:
        return [process.sentinel for process in self._processes]


def _packed(cargo: Any, dataset: Any) -> Packed:
    try:
        return Packed(cargo)
    except (TypeError, AttributeError, ValueError, pickle.PicklingError) as error:
        raise TypeError(
            f"worker processes get copies of the dataset ({type(dataset).__name__}), collate_fn and worker_init_fn by "
            f"pickle, but: {error}. Define classes and functions in a module, and not inside of functions; or use "
            "worker='thread', or multiprocessing_context='fork', for which nothing is pickled."
        ) from error


def _end(owner: int, processes: list[Any], connections: list[Connection]) -> None:
    if os.getpid() != owner:
        # A fork of the program: they are not its own.
        return
    for connection in connections:
        with suppress(OSError, ValueError):
            send(connection, None)
        connection.close()
    deadline = time.monotonic() + GRACE
    for end in (None, "terminate", "kill"):
        for process in processes:
            if end is not None and process.is_alive():
                getattr(process, end)()
            process.join(None if end == "kill" else max(deadline - time.monotonic(), 0))
        deadline += GRACE


def _serve(connection: Connection, number: int, count: int, cargo: Any, strangers: list[Connection]) -> None:
    """What a worker process does, until it is told to end, or the main process has ended."""
    # Ctrl-C is for the main process, which ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for stranger in strangers:
        stranger.close()
    began = False
    try:
        try:
            maker, init = receive(connection, keep_shared=True) if cargo is None else cargo
        except Exception as error:
            failure = _sendable(error, number)
            failure.error.add_note(
                "Worker processes import the classes and functions of what they get from its modules; what a notebook "
                "or the shell defines is in none: use worker='thread' there, or multiprocessing_context='fork'."
            )
            send(connection, (None, failure))
            return
        for message in _messages(connection):
            if not isinstance(message, int):
                maker.begin(*message)
                if not began:
                    began = True
                    _state.info = WorkerInfo(number, count, (maker.seed or 0) + number, maker.dataset)
                    try:
                        if init is not None:
                            init(number)
                    except BaseException as error:
                        send(connection, (None, _sendable(error, number)))
                        return
                continue
            _seed_all(maker.entropy(message))
            made = _made(maker, message)
            _sendable_result(message, made, number).send(connection)
    except (EOFError, ConnectionError):
        # There is nobody any more to make batches for.
        return


def _messages(connection: Connection) -> Iterator[Any]:
    parent = multiprocessing.parent_process()
    ends: list[Any] = [connection] if parent is None else [connection, parent.sentinel]
    while connection in wait(ends):
        message = receive(connection)
        if message is None:
            return
        yield message


def _seed_all(entropy: int | None) -> None:
    """The generators of random numbers that belong to this process alone: for each batch anew."""
    if entropy is None:
        return
    default_generator.manual_seed(entropy)
    words = np.random.SeedSequence(entropy, spawn_key=(1,)).generate_state(4)
    np.random.seed(words)
    random.seed(words.tobytes())


def _sendable_result(task: int, made: Any, worker: int) -> Packed:
    if isinstance(made, Failure):
        return Packed((task, _sendable(made.error, worker)))
    try:
        return Packed((task, made))
    except Exception as error:
        wrong = TypeError(
            f"a batch of type {type(made).__name__} cannot be sent from a worker process: {error}. Let collate_fn give "
            "arrays, numbers, strings, or tuples, lists and dicts of them."
        )
        return Packed((task, _sendable(wrong, worker)))


def _sendable(error: BaseException, worker: int) -> Failure:
    """An exception that can be pickled and says where it comes from."""
    where = "".join(traceback.format_exception(error)).rstrip()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.__traceback__ = None
    error.add_note(f"In worker process {worker} (pid {os.getpid()}) of the DataLoader:\n{where}")
    return Failure(error)
