"""What training asks of its data: where they draw random numbers from, and their batches one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tensorgrad.data.dataset import Dataset
from tensorgrad.data.loader import DataLoader
from tensorgrad.errors import CheckpointError
from tensorgrad.random import Generator, default_generator

Data = Iterable[Any]


def generators_of(data: Any) -> list[Generator]:
    """The generators of random numbers that data have for themselves."""
    batches = getattr(data, "batch_sampler", None)
    found: list[Generator] = []
    for source in (data, getattr(data, "sampler", None), batches, getattr(batches, "sampler", None)):
        generator = getattr(source, "generator", None)
        if isinstance(generator, Generator) and generator is not default_generator and generator not in found:
            found.append(generator)
    return found


def check_generators(states: Sequence[Any] | None, generators: Sequence[Generator]) -> None:
    """Raises if these are not the states of that many generators; None are those of no training at all."""
    if states is not None and len(states) != len(generators):
        raise CheckpointError(
            f"this is the state of a training whose data had {len(states)} generators of random numbers of their own "
            f"(seed=...), these have {len(generators)}."
        )


def batches_from(data: Data, start: int = 0) -> Iterator[Any]:
    """The batches of a loop without the first ones; what they draw before the first batch has been drawn.

    Raises:
        TypeError: for a dataset, which gives samples.
    """
    if isinstance(data, Dataset) and not hasattr(data, "__iter__"):
        raise TypeError(
            f"a {type(data).__name__} gives samples one by one: put it into a DataLoader(dataset, batch_size)."
        )
    if isinstance(data, DataLoader) and type(data).__iter__ is DataLoader.__iter__:
        return data.batches(start)
    batches = iter(data)
    for _ in itertools.islice(batches, start):
        pass
    return batches


def with_last(batches: Data) -> Iterator[tuple[Any, bool]]:
    """Each batch, and whether it is the last."""
    nothing = object()
    before: Any = nothing
    for batch in batches:
        if before is not nothing:
            yield before, False
        before = batch
    if before is not nothing:
        yield before, True


def length_of(data: Data) -> int | None:
    """How many batches there are; None if nobody knows."""
    try:
        return len(data)  # type: ignore[arg-type]
    except TypeError:
        return None


def count_of(x: Any) -> int:
    """How many samples a batch has."""
    return int(x.shape[0]) if getattr(x, "shape", ()) else 1
