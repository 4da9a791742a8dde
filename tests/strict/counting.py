"""Counts what crosses between host and device, by what made it cross."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Transfers:
    """How often each call moved data, or made the host wait for the device.

    ``assert count.to_host == {}`` shows the guilty calls when it fails.
    """

    to_host: Counter[str] = field(default_factory=Counter)
    """Copies to the host, and calls that wait for the device because they need a value from it."""
    from_host: Counter[str] = field(default_factory=Counter)
    """Copies of host arrays and lists to the device."""


transfers = Transfers()
"""Everything since the import."""
_counting = [transfers]


def note_to_host(call: str, times: int = 1) -> None:
    """Counts ``times`` waits of the host for the device."""
    for count in _counting:
        count.to_host[call] += times


def note_from_host(call: str) -> None:
    """Counts one copy of host data to the device."""
    for count in _counting:
        count.from_host[call] += 1


@contextmanager
def count_transfers() -> Iterator[Transfers]:
    """Counts the transfers of the block.

    >>> with count_transfers() as count:
    ...     note_to_host("ndarray.item")
    >>> count.to_host
    Counter({'ndarray.item': 1})
    """
    count = Transfers()
    _counting.append(count)
    try:
        yield count
    finally:
        # By identity: two counts of nothing are equal.
        _counting[:] = [other for other in _counting if other is not count]
