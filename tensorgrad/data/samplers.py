"""Samplers: which samples a loader takes, in which order. Each ``for`` loop over one is another draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tensorgrad.errors import whole
from tensorgrad.random import Generator, choose_generator


class Sampler:
    """The base class of samplers: what gives indices when it is iterated over, and has a length.

    Example:
        >>> class Backwards(Sampler):
        ...     def __init__(self, count):
        ...         self.count = count
        ...
        ...     def __iter__(self):
        ...         return iter(range(self.count - 1, -1, -1))
        ...
        ...     def __len__(self):
        ...         return self.count
        >>> [*Backwards(3)]
        [2, 1, 0]
    """

    def __iter__(self) -> Iterator[int]:
        """The indices of one loop."""
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__().")

    def __len__(self) -> int:
        """How many there are."""
        raise NotImplementedError(f"{type(self).__name__} defines no __len__().")


class SequentialSampler(Sampler):
    """All samples, from the first to the last.

    Args:
        data_source: the dataset, or anything with a length.

    Example:
        >>> [*SequentialSampler("abc")]
        [0, 1, 2]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """All samples in random order, or so many, drawn anew each time.

    Args:
        data_source: the dataset, or anything with a length.
        replacement: whether a sample may come several times.
        num_samples: how many; by default as many as there are. Without replacement one order is followed by another
            when all have come.
        seed: what the orders depend on: an integer, or a generator, which is advanced by every loop. By default the
            default generator.

    Raises:
        ValueError: for a negative number, or if there is nothing to draw from.

    Example:
        >>> [*RandomSampler(range(5), seed=0)]
        [0, 3, 1, 2, 4]
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        seed: int | Generator | None = None,
    ) -> None:
        if num_samples is not None and whole("RandomSampler: num_samples", num_samples) < 0:
            raise ValueError(f"RandomSampler: num_samples is 0 or more, got {num_samples}.")
        if num_samples and not len(data_source):
            raise ValueError(f"RandomSampler: there is nothing to draw {num_samples} samples from.")
        self.data_source = data_source
        self.replacement = replacement
        self.num_samples = num_samples
        self.generator = choose_generator(seed)

    def __iter__(self) -> Iterator[int]:
        count, wanted = len(self.data_source), len(self)
        if self.replacement:
            return iter(self.generator.integers(0, count, (wanted,)).tolist() if wanted else [])
        rounds = [self.generator.permutation(count) for _ in range(-(-wanted // count) if wanted else 0)]
        return iter(np.concatenate([np.zeros(0, int), *rounds])[:wanted].tolist())

    def __len__(self) -> int:
        return len(self.data_source) if self.num_samples is None else self.num_samples


class SubsetRandomSampler(Sampler):
    """Some samples, in random order.

    Args:
        indices: which.
        seed: as of :class:`RandomSampler`.

    Example:
        >>> sorted(SubsetRandomSampler([3, 5, 7]))
        [3, 5, 7]
    """

    def __init__(self, indices: Sequence[int] | np.ndarray, seed: int | Generator | None = None) -> None:
        self.indices = np.asarray(indices, dtype=np.int64).reshape(-1)
        self.generator = choose_generator(seed)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices[self.generator.permutation(len(self.indices))].tolist())

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Samples drawn with given probabilities, such as rare classes more often.

    Args:
        weights: one for each sample, 0 or more; they need not add up to 1.
        num_samples: how many are drawn.
        replacement: whether a sample may come several times. Without it they are drawn one after the other, each
            from those that are left.
        seed: as of :class:`RandomSampler`.

    Raises:
        ValueError: for weights that are negative, not finite or all 0, or fewer of them than are drawn without
            replacement.

    Example:
        >>> [*WeightedRandomSampler([0.0, 1.0], 3, seed=0)]
        [1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float] | np.ndarray,
        num_samples: int,
        replacement: bool = True,
        seed: int | Generator | None = None,
    ) -> None:
        self.weights = np.asarray(weights, dtype=np.float64).reshape(-1)
        if not (np.isfinite(self.weights).all() and (self.weights >= 0).all() and self.weights.any()):
            raise ValueError("WeightedRandomSampler: weights are finite, 0 or more, and not all 0.")
        if whole("WeightedRandomSampler: num_samples", num_samples) < 0:
            raise ValueError(f"WeightedRandomSampler: num_samples is 0 or more, got {num_samples}.")
        most = int(np.count_nonzero(self.weights))
        if not replacement and num_samples > most:
            raise ValueError(
                f"WeightedRandomSampler: {num_samples} of {most} samples with a weight cannot be drawn without "
                f"replacement."
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = choose_generator(seed)

    def __iter__(self) -> Iterator[int]:
        if self.replacement:
            ends = np.cumsum(self.weights)
            drawn = self.generator.uniform((self.num_samples,), np.float64) * ends[-1]
            # A weight of 0 has no length: the first end above the number is another's.
            last = int(np.flatnonzero(self.weights)[-1])
            return iter(np.minimum(np.searchsorted(ends, drawn, side="right"), last).tolist())
        # The first of exponential clocks with these rates to ring are drawn in the order of their times (Efraimidis and
        # Spirakis, 2006).
        with np.errstate(divide="ignore"):
            times = -np.log1p(-self.generator.uniform(self.weights.shape, np.float64)) / self.weights
        times[self.weights == 0] = np.inf
        return iter(np.argsort(times, kind="stable")[: self.num_samples].tolist())

    def __len__(self) -> int:
        return self.num_samples


class StratifiedSampler(Sampler):
    """All samples in a random order in which every stretch has about the same shares of all classes.

    Args:
        labels: the class of each sample.
        seed: as of :class:`RandomSampler`.

    Example:
        >>> labels = np.array([0] * 6 + [1] * 3)
        >>> order = [*StratifiedSampler(labels, seed=0)]
        >>> [int(labels[order[i : i + 3]].sum()) for i in (0, 3, 6)]
        [1, 1, 1]
    """

    def __init__(self, labels: Sequence[Any] | np.ndarray, seed: int | Generator | None = None) -> None:
        _, self.labels = np.unique(np.asarray(labels).reshape(-1), return_inverse=True)
        self.generator = choose_generator(seed)

    def __iter__(self) -> Iterator[int]:
        places = np.zeros(len(self.labels))
        for label in range(self.labels.max(initial=-1) + 1):
            own = np.flatnonzero(self.labels == label)
            start = float(self.generator.uniform((), np.float64))
            # Those of a class are as far from each other as can be, in a random order.
            places[own[self.generator.permutation(len(own))]] = (np.arange(len(own)) + start) / len(own)
        return iter(np.argsort(places, kind="stable").tolist())

    def __len__(self) -> int:
        return len(self.labels)


class BatchSampler(Sampler):
    """Indices of whole batches.

    Args:
        sampler: gives the indices one by one.
        batch_size: how many there are in a batch.
        drop_last: whether to leave out the last batch where it is smaller.

    Raises:
        ValueError: if ``batch_size`` is not positive.

    Example:
        >>> [*BatchSampler(range(5), 2)]
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool = False) -> None:
        if whole("batch_size", batch_size) < 1:
            raise ValueError(f"batch_size is 1 or greater, got {batch_size}.")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[Any]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + (rest > 0 and not self.drop_last)
