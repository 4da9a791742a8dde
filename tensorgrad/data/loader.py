"""DataLoader: a dataset as batches of Tensors, shuffled from a seed, made ready in the background."""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.data.collate import to_tensors
from tensorgrad.data.dataset import batch_of, may_draw
from tensorgrad.data.workers import END, Maker, Pool, Processes, Threads, context_of, in_order
from tensorgrad.errors import whole
from tensorgrad.random import Generator, choose_generator


class DataLoader:
    """Goes through a dataset in batches, once for each ``for`` loop.

    With a seed, the first loop has the same order on every run, and so has the second, which is another one. Samples
    that draw random numbers with tensorgrad's functions, as augmentation does, draw from a generator of their batch,
    which depends on the seed, the loop and the number of the batch: a run repeats, whatever ``prefetch``,
    ``num_workers`` and ``worker`` are. A dataset with a ``batch(indices)`` method (a
    :class:`~tensorgrad.data.TensorDataset`) is asked for whole batches; from any other, and from a subclass with a
    ``__getitem__`` of its own, samples are taken one by one and collated.

    Workers make several batches at the same time; they come in the order in which they would come without. Processes
    pay where samples are made by Python's own code, threads where that is left to NumPy or Pillow, or is waiting. What
    goes wrong in a worker is raised in the loop. A stream has one worker, whatever ``num_workers`` is.

    A process has its own copy of the dataset, made by pickle unless the way of starting is ``"fork"``; a program that
    starts processes has ``if __name__ == "__main__":`` in front of what it does. In a process the global generators of
    NumPy and of ``random`` are seeded for each batch; elsewhere they are left alone. Generators that a dataset keeps
    for itself are copied with it: all workers draw the same from them.

    Args:
        dataset: what has a length and can be indexed; or what can only be gone through from the beginning, as a stream
            can, sample by sample.
        batch_size: how many samples there are in a batch.
        shuffle: whether to draw a new order for every loop.
        sampler: gives the indices of a loop, in order, in the place of ``shuffle``; see
            :class:`~tensorgrad.data.WeightedRandomSampler` and others.
        batch_sampler: gives the indices of whole batches, in the place of ``batch_size``, ``shuffle``, ``sampler`` and
            ``drop_last``.
        drop_last: whether to leave out the last batch where it is smaller.
        seed: what the orders depend on: an integer, or a :class:`~tensorgrad.random.Generator`, which is advanced by
            every loop. By default the default generator, which ``tg.manual_seed`` sets.
        collate_fn: makes a batch of a list of samples; :func:`~tensorgrad.data.collate` by default.
        prefetch: how many batches are made in advance. By default 2 for each worker. Without workers one thread makes
            them, by default 2 where samples are taken one by one, and 0, without a thread, where the dataset gives
            whole batches: taking rows of an array is quicker than passing them from thread to thread.
        device: where the Tensors are to be; by default where the dataset's arrays are.
        num_workers: how many workers make batches.
        worker: what they are, ``"process"`` or ``"thread"``.
        prefetch_factor: the same as ``prefetch``, for each worker.
        persistent_workers: whether processes are kept for the next loop, with their copies of the dataset as they are,
            until the loader is no more.
        worker_init_fn: called in each worker, with its number, when it begins; see :func:`get_worker_info`.
        timeout: seconds to wait for a batch; 0 for ever.
        multiprocessing_context: how processes are started: ``"forkserver"``, ``"spawn"``, ``"fork"`` or a context of
            :mod:`multiprocessing`. By default a fork server, or where there is none ``"spawn"``.
        pin_memory: whether batches for a GPU are copied through page-locked memory while it computes, one batch in
            advance. On the CPU nothing changes.

    Raises:
        ValueError: if ``batch_size`` is not positive, or ``prefetch`` negative, or options exclude each other.
        TypeError: if the dataset can neither be indexed nor gone through; when a loop begins, if processes need what
            cannot be pickled.
        DeviceError: if there is no such device.
        RuntimeError: in a loop, if a worker process was killed.
        TimeoutError: in a loop, if a batch took too long.

    Example:
        >>> from tensorgrad.data import TensorDataset
        >>> dataset = TensorDataset(np.arange(10, dtype=np.float32), np.arange(10))
        >>> for x, y in DataLoader(dataset, batch_size=4, shuffle=True, seed=0):
        ...     print(y)
        Tensor([0, 8, 9, 3], dtype=int64, device='cpu')
        Tensor([7, 5, 1, 2], dtype=int64, device='cpu')
        Tensor([6, 4], dtype=int64, device='cpu')
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        drop_last: bool = False,
        seed: int | Generator | None = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        prefetch: int | None = None,
        device: str | None = None,
        num_workers: int = 0,
        worker: str = "process",
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        worker_init_fn: Callable[[int], Any] | None = None,
        timeout: float = 0.0,
        multiprocessing_context: Any = None,
        pin_memory: bool = False,
    ) -> None:
        self.streamed = not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__"))
        if self.streamed and (not hasattr(dataset, "__iter__") or hasattr(dataset, "__next__")):
            raise TypeError(
                f"a dataset has a length and can be indexed, or can be gone through as often as one likes; "
                f"{type(dataset).__name__} does not, or cannot."
            )
        if whole("batch_size", batch_size) < 1:
            raise ValueError(f"batch_size is 1 or greater, got {batch_size}.")
        if self.streamed and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError(
                f"{type(dataset).__name__} cannot be indexed, only gone through: shuffle, sampler and batch_sampler "
                f"are of no use. Shuffle where its samples come from."
            )
        if sampler is not None and shuffle:
            raise ValueError("the sampler says in which order samples come: shuffle=True does not go with it.")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "the batch_sampler says what is in each batch: batch_size, shuffle, sampler and drop_last do not go "
                "with it."
            )
        if whole("num_workers", num_workers) < 0:
            raise ValueError(f"num_workers is 0 or greater, got {num_workers}.")
        if worker not in ("process", "thread"):
            raise ValueError(f"a worker is a 'process' or a 'thread', not {worker!r}.")
        if not timeout >= 0:
            raise ValueError(f"timeout is 0 (for ever) or more seconds, got {timeout}.")
        needs = {
            "prefetch_factor": prefetch_factor is not None,
            "persistent_workers": persistent_workers,
            "timeout": timeout > 0,
            "multiprocessing_context": multiprocessing_context is not None,
        }
        for name in (name for name, given in needs.items() if given and not num_workers):
            raise ValueError(f"{name} is about workers, and there are none: give num_workers, too.")
        if prefetch is not None and prefetch_factor is not None:
            raise ValueError("prefetch is about all batches in advance, prefetch_factor about each worker's: give one.")
        if prefetch_factor is not None and whole("prefetch_factor", prefetch_factor) < 1:
            raise ValueError(f"prefetch_factor is 1 or greater, got {prefetch_factor}.")
        if prefetch is None and num_workers:
            prefetch = num_workers * (prefetch_factor or 2)
        if prefetch is None:
            prefetch = 0 if collate_fn is None and batch_of(dataset) else 2
        if whole("prefetch", prefetch) < 0:
            raise ValueError(f"prefetch is 0 or greater, got {prefetch}.")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.drop_last = drop_last
        self.generator = choose_generator(seed)
        self.collate_fn = collate_fn
        self.prefetch = prefetch
        self.device = None if device is None else backend.canonical_device(device)
        self.num_workers, self.worker = num_workers, worker
        self.persistent_workers, self.worker_init_fn = persistent_workers, worker_init_fn
        self.timeout, self.pin_memory = timeout, pin_memory
        self.context = context_of(multiprocessing_context) if num_workers and worker == "process" else None
        self._kept: Processes | None = None

    def __len__(self) -> int:
        """The number of batches; a stream may have none that is known."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        whole, rest = divmod(len(self.dataset if self.sampler is None else self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        return self.batches()

    def batches(self, start: int = 0) -> Iterator[Any]:
        """The batches of a loop from some number on, as they are in a whole one; those before are not made.

        Of a stream they are made, and let go.

        Args:
            start: how many batches are left out.

        Example:
            >>> loader = DataLoader(np.arange(6), batch_size=2, shuffle=True, seed=0)
            >>> again = DataLoader(np.arange(6), batch_size=2, shuffle=True, seed=0)
            >>> [batch.tolist() for batch in loader.batches(2)] == [batch.tolist() for batch in again][2:]
            True
        """
        if whole("start", start) < 0:
            raise ValueError(f"a loop starts at batch 0 or a later one, got {start}.")
        # Drawn here and not at the first batch: loops that run side by side each have their own.
        parts = None if self.streamed else self._parts()
        drawing = self.worker_init_fn is not None or self.collate_fn is not None or may_draw(self.dataset)
        # Random numbers for augmentation: those of a sample must not depend on what training draws meanwhile.
        seed = int(self.generator.integers(0, 2**63)) if drawing else None
        maker = Maker(self.dataset, self.collate_fn, self.batch_size, self.drop_last)
        maker.begin(seed, parts)
        if parts is None:
            return self._tensors(itertools.islice(self._made(maker, itertools.count()), start, None))
        return self._tensors(self._made(maker, range(start, len(parts))))

    def _parts(self) -> list[np.ndarray]:
        """The indices of each batch of one loop."""
        if self.batch_sampler is not None:
            return [np.asarray(part, dtype=np.int64) for part in self.batch_sampler]
        if self.sampler is not None:
            order = np.fromiter(self.sampler, dtype=np.int64)
        else:
            count = len(self.dataset)
            order = self.generator.permutation(count) if self.shuffle else np.arange(count)
        whole, rest = divmod(len(order), self.batch_size)
        count = whole + (rest > 0 and not self.drop_last)
        return [order[i * self.batch_size : (i + 1) * self.batch_size] for i in range(count)]

    def _made(self, maker: Maker, numbers: Iterable[int]) -> Iterator[Any]:
        # A stream is one row of samples: more than one worker would have to know of each other.
        workers = min(self.num_workers, 1) if self.streamed else self.num_workers
        if not workers and not self.prefetch:
            return itertools.takewhile(lambda batch: batch is not END, (maker.make(number) for number in numbers))

        def open_pool() -> Pool:
            if not workers:
                return Threads(maker, 1, None, named=False)
            if self.worker == "thread":
                return Threads(maker, workers, self.worker_init_fn, named=True)
            return self._processes(maker, workers)

        return in_order(open_pool, numbers, self.prefetch, self.timeout)

    def _processes(self, maker: Maker, count: int) -> Processes:
        kept, self._kept = self._kept, None
        if kept is not None:
            # If one of them ended since the last loop, or does not, that is none of this one's business.
            with contextlib.suppress(RuntimeError, TimeoutError):
                kept.begin(maker, self.timeout or None)
                return kept
            kept.release(broken=True)
        keep = weakref.WeakMethod(self._keep) if self.persistent_workers else None
        pool = Processes(self.context, maker, count, self.worker_init_fn, keep)
        try:
            pool.begin(maker, None)
        except BaseException:
            pool.release(broken=True)
            raise
        return pool

    def _keep(self, pool: Processes) -> bool:
        """Has processes wait for the next loop; says whether they do."""
        if self._kept is not None:
            return False
        self._kept = pool
        return True

    def _tensors(self, batches: Iterator[Any]) -> Iterator[Any]:
        # In this thread, because CuPy orders its work by the streams of a thread.
        if not (self.pin_memory and self.device is not None and backend.for_device(self.device).overlaps):
            for batch in batches:
                yield to_tensors(batch, self.device)
            return
        # The next batch is on its way before this one is used.
        on_its_way: list[Any] = []
        for batch in batches:
            on_its_way.append(to_tensors(batch, self.device, backend.stage))
            if len(on_its_way) > 1:
                yield on_its_way.pop(0)
        yield from on_its_way
