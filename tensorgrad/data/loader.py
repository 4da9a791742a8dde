"""DataLoader: a dataset as batches of Tensors, shuffled from a seed, made ready in the background."""

from __future__ import annotations

import itertools
import operator
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.data.collate import collate, to_tensors
from tensorgrad.data.dataset import batch_of
from tensorgrad.random import Generator, choose_generator, use_generator


class DataLoader:
    """Goes through a dataset in batches, once for each ``for`` loop.

    With a seed, the first loop has the same order on every run, and so has the second, which is another one. Samples
    that draw random numbers, as augmentation does, draw from a generator of the loop's own, whichever thread makes
    them: a run repeats, whatever ``prefetch`` is. A
    dataset with a ``batch(indices)`` method (a :class:`~tensorgrad.data.TensorDataset`) is asked for whole batches;
    from any other, and from a subclass with a ``__getitem__`` of its own, samples are taken one by one and collated.

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
        prefetch: how many batches a thread makes in advance; 0 for none, and no thread. By default 2 where samples are
            taken one by one, and 0 where the dataset gives whole batches: taking rows of an array is quicker than
            passing them from thread to thread.
        device: where the Tensors are to be; by default where the dataset's arrays are.

    Raises:
        ValueError: if ``batch_size`` is not positive, or ``prefetch`` negative, or options exclude each other.
        TypeError: if the dataset can neither be indexed nor gone through.
        DeviceError: if there is no such device.

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
    ) -> None:
        self.streamed = not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__"))
        if self.streamed and (not hasattr(dataset, "__iter__") or hasattr(dataset, "__next__")):
            raise TypeError(
                f"a dataset has a length and can be indexed, or can be gone through as often as one likes; "
                f"{type(dataset).__name__} does not, or cannot."
            )
        if operator.index(batch_size) < 1:
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
        if prefetch is None:
            prefetch = 0 if collate_fn is None and batch_of(dataset) else 2
        if operator.index(prefetch) < 0:
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

    def __len__(self) -> int:
        """The number of batches; a stream may have none that is known."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        whole, rest = divmod(len(self.dataset if self.sampler is None else self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        if self.streamed:
            return self._tensors(self._stream(self._own_generator()))
        # The order is drawn here and not at the first batch: loops that run side by side each have their own.
        parts = self._parts()
        whole = batch_of(self.dataset) if self.collate_fn is None else None
        make = whole or self._collated(self._own_generator())
        return self._tensors(make(part) for part in parts)

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

    def _tensors(self, batches: Iterator[Any]) -> Iterator[Any]:
        # In this thread, because CuPy orders its work by the streams of a thread.
        for batch in _in_background(batches, self.prefetch) if self.prefetch else batches:
            yield to_tensors(batch, self.device)

    def _own_generator(self) -> Generator:
        """Random numbers for augmentation: those of a sample must not depend on what training draws meanwhile."""
        return Generator(int(self.generator.integers(0, 2**63)))

    def _collated(self, generator: Generator) -> Callable[[np.ndarray], Any]:
        """A function that takes samples one by one, for one loop."""

        def make(indices: np.ndarray) -> Any:
            with use_generator(generator):
                return (self.collate_fn or collate)([self.dataset[index] for index in indices.tolist()])

        return make

    def _stream(self, generator: Generator) -> Iterator[Any]:
        """The batches of one loop through what cannot be indexed."""
        samples = None
        while True:
            with use_generator(generator):
                samples = iter(self.dataset) if samples is None else samples
                batch = list(itertools.islice(samples, self.batch_size))
                if not batch or (self.drop_last and len(batch) < self.batch_size):
                    return
                collated = (self.collate_fn or collate)(batch)
            yield collated


def _in_background(batches: Iterator[Any], ahead: int) -> Iterator[Any]:
    """The same batches, made by a thread that works up to ``ahead`` of them in advance.

    An exception there is raised here, with its traceback. The thread ends when all is done, or when this
    generator is closed or dropped, as a loop does that is left early.
    """
    results: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(ahead)
    left = threading.Event()

    def work() -> None:
        while not left.is_set():
            try:
                result = next(batches), None
            except BaseException as error:
                results.put((None, error))
                return
            results.put(result)

    thread = threading.Thread(target=work, name="tensorgrad-loader", daemon=True)
    thread.start()
    try:
        while True:
            result, error = results.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                try:
                    raise error
                finally:
                    # Its traceback holds this frame: without this the two would keep each other alive.
                    del error
            yield result
    finally:
        left.set()
        # The thread may be waiting for room: one free place is enough for it to see that the loop was left.
        while not results.empty():
            results.get_nowait()
        # Whoever uses the dataset next is not to meet the thread there; but nobody waits for a sample that takes ages.
        if thread is not threading.current_thread():
            thread.join(timeout=1.0)
