"""Datasets: what has a length and can be indexed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.conversion import to_array
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array
from tensorgrad.random import Generator, choose_generator


class Dataset:
    """Samples that are numbered from 0 on: the base class of datasets.

    A subclass defines ``__getitem__`` and ``__len__``. Where many samples at once are cheaper than one by one, it may
    also define ``batch(indices)``, which gets a 1-d NumPy array of int64 and returns what collating those samples
    would give; :class:`~tensorgrad.data.DataLoader` then calls that. A ``batch`` that was inherited is not used by a
    class with a ``__getitem__`` of its own.

    Example:
        >>> class Squares(Dataset):
        ...     def __getitem__(self, index):
        ...         return index, index**2
        ...
        ...     def __len__(self):
        ...         return 10
        >>> Squares()[3]
        (3, 9)
    """

    def __getitem__(self, index: int) -> Any:
        """The sample numbered ``index``."""
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__(index).")

    def __len__(self) -> int:
        """The number of samples."""
        raise NotImplementedError(f"{type(self).__name__} defines no __len__().")

    def __add__(self, other: Any) -> ConcatDataset:
        """This one, and then another."""
        return ConcatDataset([self, other])


def batch_of(dataset: Any) -> Callable[[np.ndarray], Any] | None:
    """The dataset's ``batch``, if it has one and no class in front of it says by ``__getitem__`` what samples are."""
    for kind in type(dataset).__mro__:
        if "batch" in vars(kind):
            batch = getattr(dataset, "batch", None)
            return batch if callable(batch) else None
        if "__getitem__" in vars(kind):
            break
    return None


class IterableDataset:
    """Samples that come one after the other and cannot be indexed, as those of a stream: the base class of such.

    A subclass defines ``__iter__``, which begins anew each time. It need not be a subclass of this one.

    Example:
        >>> class Lines(IterableDataset):
        ...     def __iter__(self):
        ...         return iter("one two three".split())
        >>> [*Lines()]
        ['one', 'two', 'three']
    """

    def __iter__(self) -> Iterator[Any]:
        """All samples, from the first on."""
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__().")


class TensorDataset(Dataset):
    """Arrays side by side: sample ``i`` is the tuple of their rows ``i``.

    Args:
        arrays: arrays or Tensors of the same length along the first axis. They are shared, not copied.

    Raises:
        ValueError: if there are none, one has no first axis, or their lengths differ.

    Example:
        >>> images, labels = np.zeros((5, 1, 8, 8), np.float32), np.arange(5)
        >>> dataset = TensorDataset(images, labels)
        >>> len(dataset), dataset[2][1]
        (5, Tensor(2, dtype=int64, device='cpu'))
    """

    def __init__(self, *arrays: Any) -> None:
        bare = tuple(array.data if isinstance(array, Tensor) else to_array(array) for array in arrays)
        if not bare:
            raise ValueError("TensorDataset needs at least one array.")
        shapes = [tuple(array.shape) for array in bare]
        if any(shape[:1] != shapes[0][:1] or not shape for shape in shapes):
            listed = ", ".join(map(str, shapes))
            raise ValueError(
                f"TensorDataset needs arrays of the same length along the first axis, got shapes {listed}."
            )
        self._arrays = bare

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The arrays, as Tensors that share their memory."""
        return tuple(map(Tensor, self._arrays))

    def __getitem__(self, index: int | slice) -> tuple[Tensor, ...]:
        return tuple(Tensor(array[index]) for array in self._arrays)

    def __len__(self) -> int:
        return len(self._arrays[0])

    def batch(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        """The samples of these indices, as one Tensor for each array."""
        return tuple(Tensor(_take(array, indices)) for array in self._arrays)

    def __repr__(self) -> str:
        parts = ", ".join(f"{array.dtype}{list(array.shape)}" for array in self._arrays)
        return f"TensorDataset({parts})"


def may_draw(dataset: Any) -> bool:
    """Whether taking batches may draw random numbers: only of arrays that are nothing but taken it is known not to."""
    while type(dataset) is Subset:
        dataset = dataset.dataset
    return getattr(batch_of(dataset), "__func__", None) is not TensorDataset.batch


def _take(array: Array, indices: np.ndarray) -> Array:
    return array.take(backend.transfer(indices, backend.device_of(array)), axis=0)


class Subset(Dataset):
    """Some samples of another dataset.

    Args:
        dataset: the other one.
        indices: which samples, in which order, each from 0 to ``len(dataset) - 1``; or for each sample a boolean,
            whether it is one of them.

    Raises:
        IndexError: if there is no such sample.
        TypeError: if they are no integers.

    Example:
        >>> evens = Subset([10, 11, 12, 13], [0, 2])
        >>> len(evens), evens[1]
        (2, 12)
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | np.ndarray) -> None:
        chosen = np.asarray(indices).reshape(-1)
        if chosen.dtype == bool and len(chosen) == len(dataset):
            chosen = np.flatnonzero(chosen)
        if chosen.size and chosen.dtype.kind not in "iu":
            raise TypeError(
                f"Subset takes integers, or a boolean for each of the {len(dataset)} samples, got {len(chosen)} of "
                f"{chosen.dtype}."
            )
        chosen = chosen.astype(np.int64)
        wrong = chosen[(chosen < 0) | (chosen >= len(dataset))]
        if wrong.size:
            raise IndexError(f"Subset: no sample {wrong[0]} in a dataset of {len(dataset)}.")
        self.dataset = dataset
        self.indices = chosen

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def batch(self) -> Callable[[np.ndarray], Any]:
        """The other dataset's ``batch``, for the samples chosen; there is none where that has none."""
        take = batch_of(self.dataset)
        if take is None:
            raise AttributeError(f"{type(self.dataset).__name__} has no batch() that goes with its samples.")
        return lambda indices: take(self.indices[indices])


class ConcatDataset(Dataset):
    """Several datasets, one after the other.

    Args:
        datasets: at least one.

    Raises:
        ValueError: if there are none.
        IndexError: for a sample that is not there.

    Example:
        >>> both = ConcatDataset(["ab", "cde"])
        >>> len(both), both[1], both[2], both[-1]
        (5, 'b', 'c', 'e')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = [*datasets]
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one dataset.")

    def __getitem__(self, index: int) -> Any:
        ends = np.cumsum([len(dataset) for dataset in self.datasets])
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"ConcatDataset: no sample {index} in datasets of {len(self)} together.")
        which = int(np.searchsorted(ends, place, side="right"))
        return self.datasets[which][int(place - (ends[which - 1] if which else 0))]

    def __len__(self) -> int:
        return sum(map(len, self.datasets))


class MapDataset(Dataset):
    """Another dataset, with a function of each sample; for augmentation.

    Random numbers that the function draws with tensorgrad's functions are those of the loader's loop.

    Args:
        dataset: the other one.
        function: called with the sample, or, where ``at`` says so, with a part of it.
        at: the part of each sample, a tuple or a list, that the function changes; None: all of it.

    Example:
        >>> doubled = MapDataset([(1, "a"), (2, "b")], lambda x: 2 * x, at=0)
        >>> doubled[1]
        (4, 'b')
    """

    def __init__(self, dataset: Any, function: Callable[[Any], Any], at: int | None = None) -> None:
        self.dataset = dataset
        self.function = function
        self.at = at

    def __getitem__(self, index: int) -> Any:
        sample = self.dataset[index]
        if self.at is None:
            return self.function(sample)
        parts = list(sample)
        parts[self.at] = self.function(parts[self.at])
        return type(sample)(*parts) if hasattr(sample, "_fields") else type(sample)(parts)

    def __len__(self) -> int:
        return len(self.dataset)


def random_split(
    dataset: Any, lengths: Sequence[int] | Sequence[float], seed: int | Generator | None = None
) -> list[Subset]:
    """Deals a dataset out into parts that share no sample, at random.

    Args:
        dataset: what has a length and can be indexed.
        lengths: the numbers of samples, with the dataset's length as their sum; or fractions with the sum 1, which are
            rounded down and the samples left over dealt out one by one from the first part on.
        seed: a seed, for the same parts every time; or a generator; by default the default generator.

    Returns:
        The parts, in the order of ``lengths``.

    Raises:
        ValueError: if the lengths do not add up.

    Example:
        >>> train, valid = random_split(range(10), [0.8, 0.2], seed=0)
        >>> len(train), len(valid), sorted([*train, *valid])
        (8, 2, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    total = len(dataset)
    counts = _counts(lengths, total)
    order = choose_generator(seed).permutation(total)
    ends = np.cumsum(counts)
    return [Subset(dataset, order[end - count : end]) for count, end in zip(counts, ends, strict=True)]


def _counts(lengths: Sequence[int] | Sequence[float], total: int) -> list[int]:
    if any(n < 0 for n in lengths):
        raise ValueError(f"random_split: lengths are not negative, got {list(lengths)}.")
    if all(isinstance(n, (int, np.integer)) for n in lengths):
        counts = [int(n) for n in lengths]
        if sum(counts) != total:
            raise ValueError(f"random_split: the lengths {counts} add up to {sum(counts)}, not to the {total} samples.")
        return counts
    if not math.isclose(sum(lengths), 1.0, abs_tol=1e-9):
        raise ValueError(f"random_split: the fractions {list(lengths)} add up to {sum(lengths)}, not to 1.")
    # The small addition: 0.29 * 100 is 28.999999999999996, and 29 is meant.
    counts = [math.floor(n * total + 1e-9) for n in lengths]
    for i in range(total - sum(counts)):
        counts[i % len(counts)] += 1
    return counts
