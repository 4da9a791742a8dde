"""How much Python an op costs: calls are counted, not timed, so that the lean path cannot grow fat unnoticed.

Counted are the functions of Python and of C that are called for each op of a chain, forwards and backwards. Who makes
them fewer lowers the bounds; who needs more has to say what for.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

import tensorgrad as tg

OPS = 100


def calls_per_op(work: Callable[[], object]) -> dict[str, float]:
    """How many functions of Python, and of C, are called for each of the ops."""
    counts: Counter[str] = Counter()

    def count(frame: object, event: str, argument: object) -> None:
        counts[event] += 1

    work()  # what is done once is done
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return {"Python": counts["call"] / OPS, "C": counts["c_call"] / OPS}


def additions(x: tg.Tensor) -> tg.Tensor:
    for _ in range(OPS):
        x = x + 0.001
    return x


def products(x: tg.Tensor) -> tg.Tensor:
    y = x
    for _ in range(OPS):
        y = y * x
    return y


def tangents(x: tg.Tensor) -> tg.Tensor:
    for _ in range(OPS):
        x = tg.tanh(x)
    return x


@pytest.mark.parametrize("shape", [(), (16, 16)], ids=["0-d", "16x16"])
@pytest.mark.parametrize(
    ("chain", "forward", "backward"),
    [(additions, (8, 9), (5, 8)), (products, (7, 9), (8, 14)), (tangents, (6, 7), (5, 10))],
)
def test_calls(chain, forward, backward, shape):
    x = tg.tensor(np.full(shape, 0.5, dtype="float32"), requires_grad=True)
    seed = tg.ones(shape)
    there = calls_per_op(lambda: chain(x))
    graphs = [chain(x) for _ in range(2)]
    back = calls_per_op(lambda: graphs.pop().backward(seed))
    for found, bounds, way in ((there, forward, "forwards"), (back, backward, "backwards")):
        for (kind, number), bound in zip(found.items(), bounds, strict=True):
            assert number < bound + 0.5, f"{number:.1f} calls of {kind} {way} for each op, {bound} are allowed"


@pytest.mark.parametrize("name", ["inspect", "functools", "contextlib"])
def test_nothing_is_inspected_or_wrapped_on_the_way(name):
    x = tg.tensor(np.float32(0.5).reshape(()), requires_grad=True)
    files = set()

    def note(frame, event, argument):
        files.add(frame.f_code.co_filename.rsplit("/", 1)[-1].removesuffix(".py"))

    products(x).backward()
    sys.setprofile(note)
    try:
        products(x).backward()
    finally:
        sys.setprofile(None)
    assert name not in files
