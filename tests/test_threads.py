"""The kernels' threads: the same bits on any number of them, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib import import_module

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import kernels, threads


@pytest.fixture(autouse=True)
def as_many_as_before():
    before = tg.get_num_threads()
    yield
    tg.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_order(count):
    tg.set_num_threads(count)
    assert threads.each(lambda piece: piece * 10, range(20)) == [10 * i for i in range(20)]
    assert threads.each(lambda piece: piece, []) == []


def test_several_threads_work():
    tg.set_num_threads(3)
    together = threading.Barrier(3, timeout=30)
    # Each waits for the two others: one thread alone would never come to an end.
    names = threads.each(lambda _: (together.wait(), threading.current_thread().name)[1], range(3))
    assert len(set(names)) == 3


def test_helpers_are_lent_again_and_again():
    """To several who ask at the same time, for work so short that it is often done before a helper wakes up."""
    tg.set_num_threads(3)
    wrong = []

    def ask(number):
        for turn in range(300):
            found = threads.each(lambda piece, turn=turn: (number, turn, piece), range(4))
            if found != [(number, turn, piece) for piece in range(4)]:
                wrong.append(found)

    users = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert not wrong
    assert len(threads._idle) == threads._made <= 4


@pytest.mark.parametrize("count", [1, 3])
def test_an_exception_is_raised_here_and_nothing_more_is_begun(count):
    tg.set_num_threads(count)
    begun = []

    def fail(piece):
        begun.append(piece)
        raise ZeroDivisionError(piece)

    with pytest.raises(ZeroDivisionError):
        threads.each(fail, range(1000))
    assert len(begun) < 1000
    assert threads.each(lambda piece: piece, range(3)) == [0, 1, 2]


def test_blas_has_its_threads_back():
    blas = threads._blas()
    if blas is None:
        pytest.skip("NumPy has another BLAS than OpenBLAS here")
    get, put = blas
    before = get()
    tg.set_num_threads(2)
    try:
        put(2)
        assert set(threads.each(lambda _: get(), range(4))) == {1}
        assert get() == 2
        with pytest.raises(ZeroDivisionError):
            threads.each(lambda _: 1 / 0, range(4))
        assert get() == 2
        others = [threading.Thread(target=threads.each, args=(lambda _: get(), range(50))) for _ in range(4)]
        for other in others:
            other.start()
        for other in others:
            other.join()
        assert get() == 2
    finally:
        put(before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_bits_on_any_number_of_threads(dtype, monkeypatch):
    # Small chunks, so that there are many of them.
    for room, constant, size in (("columns", "COLUMNS", 16), ("winograd", "TILES", 2), ("pooling", "CHUNK", 256)):
        monkeypatch.setattr(import_module(f"tensorgrad.kernels.numpy.{room}"), constant, size)
    draw = np.random.default_rng(0).standard_normal
    x, weight = draw((7, 4, 9, 8)).astype(dtype), draw((6, 2, 3, 3)).astype(dtype)
    options = {"stride": (2, 1), "padding": ((1, 1), (2, 0)), "dilation": (1, 2)}

    def everything():
        family = kernels.of(x)
        plain = {"stride": (1, 1), "padding": ((1, 1), (2, 0)), "dilation": (1, 1), "groups": 1}
        with kernels.use(convolution="winograd", workspace=4096):
            y = family.convolution(x[:, :2], weight, **plain)
            yield y
            yield family.convolution_input(y, weight, spatial=(9, 8), **plain)
            yield family.convolution_weight(x[:, :2], y, kernel=(3, 3), **plain)
        with kernels.use(workspace=4096):
            y = family.convolution(x, weight, groups=2, **options)
            yield y
            yield family.convolution_input(y, weight, spatial=(9, 8), groups=2, **options)
            yield family.convolution_weight(x, y, kernel=(3, 3), groups=2, **options)
        yield from family.max_pool(x, kernel=(2, 3), stride=(1, 2), padding=((1, 0), (0, 1)), dilation=(1, 1))

    tg.set_num_threads(1)
    expected = list(everything())
    for count in (2, 3):
        tg.set_num_threads(count)
        for one, other in zip(everything(), expected, strict=True):
            assert one.tobytes() == other.tobytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_threads_of_its_own():
    code = """
import os, threading
from tensorgrad import threads
threads.set_num_threads(2)
both = threading.Barrier(2, timeout=30)
threads.each(lambda _: both.wait(), range(2))
child = os.fork()
if child == 0:
    both = threading.Barrier(2, timeout=30)
    threads.each(lambda _: both.wait(), range(2))
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == "7\n"


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({"TENSORGRAD_NUM_THREADS": "3", "OMP_NUM_THREADS": "2"}, 3),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"TENSORGRAD_NUM_THREADS": "0", "OMP_NUM_THREADS": "many"}, threads._cores()),
        ({}, threads._cores()),
    ],
)
def test_the_environment_says_how_many(variables, count, monkeypatch):
    for name in ("TENSORGRAD_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(threads, "_count", None)
    assert tg.get_num_threads() == count


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"])
def test_what_is_no_number_of_threads_is_refused(count):
    with pytest.raises(ValueError, match=r"set_num_threads\(\) takes a whole number from 1 on, got"):
        tg.set_num_threads(count)


def test_sums_are_as_many_as_memory_allows(monkeypatch):
    def total(pieces):
        shares.append(len(pieces))
        return np.full(3, float(sum(pieces)))

    for room, expected in ((1 << 25, [2, 2, 2, 2, 1, 1, 1, 1]), (9, [4, 4, 4]), (2, [12])):
        monkeypatch.setattr(threads, "SUMS", room)
        shares = []
        assert threads.summed(total, range(12), 3).tolist() == [66.0] * 3
        assert sorted(shares, reverse=True) == expected
    assert threads.summed(total, [], 3).tolist() == [0.0] * 3
