"""DataLoader: a dataset as batches of Tensors, shuffled from a seed, made ready in the background."""

from __future__ import annotations

import operator
import queue
import threading
from collections.abc import Callable, Iterator
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
        dataset: what has a length and can be indexed.
        batch_size: how many samples there are in a batch.
        shuffle: whether to draw a new order for every loop.
        drop_last: whether to leave out the last batch where it is smaller.
        seed: what the orders depend on: an integer, or a :class:`~tensorgrad.random.Generator`, which is advanced by
            every loop. By default the default generator, which ``tg.manual_seed`` sets.
        collate_fn: makes a batch of a list of samples; :func:`~tensorgrad.data.collate` by default.
        prefetch: how many batches a thread makes in advance; 0 for none, and no thread. By default 2 where samples are
            taken one by one, and 0 where the dataset gives whole batches: taking rows of an array is quicker than
            passing them from thread to thread.
        device: where the Tensors are to be; by default where the dataset's arrays are.

    Raises:
        ValueError: if ``batch_size`` is not positive, or ``prefetch`` negative.
        TypeError: if the dataset has no length or cannot be indexed.
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
        drop_last: bool = False,
        seed: int | Generator | None = None,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        prefetch: int | None = None,
        device: str | None = None,
    ) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(f"a dataset has a length and can be indexed; {type(dataset).__name__} does not, or cannot.")
        if operator.index(batch_size) < 1:
            raise ValueError(f"batch_size is 1 or greater, got {batch_size}.")
        if prefetch is None:
            prefetch = 0 if collate_fn is None and batch_of(dataset) else 2
        if operator.index(prefetch) < 0:
            raise ValueError(f"prefetch is 0 or greater, got {prefetch}.")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = choose_generator(seed)
        self.collate_fn = collate_fn
        self.prefetch = prefetch
        self.device = None if device is None else backend.canonical_device(device)

    def __len__(self) -> int:
        """The number of batches."""
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        # The order is drawn here and not at the first batch: loops that run side by side each have their own.
        count = len(self.dataset)
        order = self.generator.permutation(count) if self.shuffle else np.arange(count)
        parts = [order[i * self.batch_size : (i + 1) * self.batch_size] for i in range(len(self))]
        whole = batch_of(self.dataset) if self.collate_fn is None else None
        return self._tensors(whole or self._collated(), parts)

    def _tensors(self, make: Callable[[np.ndarray], Any], parts: list[np.ndarray]) -> Iterator[Any]:
        if self.prefetch:
            batches = _in_background(make, parts, self.prefetch)
        else:
            batches = (make(part) for part in parts)
        # In this thread, because CuPy orders its work by the streams of a thread.
        for batch in batches:
            yield to_tensors(batch, self.device)

    def _collated(self) -> Callable[[np.ndarray], Any]:
        """A function that takes samples one by one, for one loop.

        It has random numbers of its own, for augmentation: which ones a sample gets must not depend on what the
        training draws meanwhile.
        """
        generator = Generator(int(self.generator.integers(0, 2**63)))

        def make(indices: np.ndarray) -> Any:
            with use_generator(generator):
                return (self.collate_fn or collate)([self.dataset[index] for index in indices.tolist()])

        return make


def _in_background(make: Callable[[np.ndarray], Any], parts: list[np.ndarray], ahead: int) -> Iterator[Any]:
    """``map(make, parts)``, by a thread that works up to ``ahead`` results in advance.

    An exception in ``make`` is raised here, with its traceback. The thread ends when all is done, or when this
    generator is closed or dropped, as a loop does that is left early.
    """
    results: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(ahead)
    left = threading.Event()

    def work() -> None:
        for part in parts:
            if left.is_set():
                return
            try:
                result = make(part), None
            except BaseException as error:
                results.put((None, error))
                return
            results.put(result)

    thread = threading.Thread(target=work, name="tensorgrad-loader", daemon=True)
    thread.start()
    try:
        for _ in parts:
            result, error = results.get()
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
