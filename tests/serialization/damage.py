"""What happens to files: they are cut short, and their bits flip."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tensorgrad as tg


def loaded(data: bytes) -> Any:
    return tg.load(io.BytesIO(data))


def flips(whole: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """Files with a bit flipped at ``count`` random places."""
    generator = np.random.default_rng(seed)
    for place in generator.choice(8 * len(whole), count, replace=False):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << (place % 8)
        yield bytes(damaged)


def pieces(whole: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """Files with a random piece overwritten, left out or inserted."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        start, length = generator.integers(0, len(whole)), generator.integers(1, 60)
        noise = generator.bytes(length)
        yield whole[:start] + noise + whole[start + length :]
        yield whole[:start] + whole[start + length :]
        yield whole[:start] + noise + whole[start:]


def told(damaged: Iterator[bytes], check: Callable[[Any], None]) -> int:
    """How many files are told to be damaged; what the others hold is checked. Any other error comes through."""
    count = 0
    for data in damaged:
        try:
            result = loaded(data)
        except tg.CheckpointError:
            count += 1
        else:
            check(result)
    return count
