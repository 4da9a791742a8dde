"""Workers: the same batches whoever makes them, and what happens when one goes wrong, dies or is in the way."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import traceback

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import ConcatDataset, DataLoader, MapDataset, Subset, TensorDataset, get_worker_info, messages
from tensorgrad.data.messages import receive, send
from tests.data import samples

WAYS = {
    "main": {"prefetch": 0},
    "background": {"prefetch": 2},
    "a thread": {"num_workers": 1, "worker": "thread"},
    "threads": {"num_workers": 3, "worker": "thread"},
    "a process": {"num_workers": 1},
    "processes": {"num_workers": 3},
    "processes that stay": {"num_workers": 2, "persistent_workers": True, "prefetch_factor": 1},
}
WORKERS = pytest.mark.parametrize("worker", ["thread", "process"])


def workers():
    return [process for process in multiprocessing.active_children() if process.name.startswith("tensorgrad-loader")]


@pytest.fixture(autouse=True)
def nobody_is_left():
    yield
    gc.collect()
    assert not workers()
    for thread in threading.enumerate():
        if thread.name == "tensorgrad-loader":
            # One that was let go may need a moment.
            thread.join(10)
            assert not thread.is_alive()


def seen(batches):
    return [[part.tolist() if hasattr(part, "tolist") else part for part in batch] for batch in batches]


# -- the same batches ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("size", [1, 3000])
def test_a_run_repeats_whoever_makes_the_batches(ways, size):
    def run(**ways):
        loader = DataLoader(samples.Noisy(size=size), 4, shuffle=True, seed=3, **ways)
        return [seen(loader), seen(loader)]

    expected = run(prefetch=0)
    assert run(**ways) == expected
    assert len(expected[0]) == 6
    # Other numbers for every sample, and in every loop.
    assert len({row[0] % 1 for batch in expected[0] + expected[1] for row in batch[1]}) == 46


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("drop_last", [False, True])
def test_a_stream_comes_whole_and_in_order(ways, drop_last):
    def run(**ways):
        loader = DataLoader(samples.Stream(), 4, seed=3, drop_last=drop_last, **ways)
        return [seen(loader), seen(loader)]

    assert run(**ways) == run(prefetch=0)
    assert [index for batch in run(**ways)[1] for index in batch[0]] == list(range(20 if drop_last else 23))


@WORKERS
def test_all_kinds_of_datasets(worker):
    arrays = TensorDataset(np.arange(20_000.0).reshape(20, 1000), np.arange(20))
    for dataset in (
        arrays,
        Subset(arrays, [5, 3, 19]),
        ConcatDataset([arrays, Subset(arrays, [2, 1])]),
        MapDataset(arrays, samples.doubled, at=0),
        [(1, "a"), (2, "b"), (3, "c")],
        np.arange(6.0).reshape(3, 2),
        [],
    ):
        expected = seen(DataLoader(dataset, 2, shuffle=True, seed=1, prefetch=0))
        assert seen(DataLoader(dataset, 2, shuffle=True, seed=1, num_workers=2, worker=worker)) == expected


@WORKERS
def test_batches_are_the_loops_own(worker):
    arrays = TensorDataset(np.zeros((40, 1000), np.float32))
    (first,), *others = DataLoader(arrays, 20, num_workers=2, worker=worker)
    first.data[...] = 1
    assert not any(batch.data.any() for (batch,) in others)
    assert not arrays.tensors[0].data.any()


@WORKERS
def test_taking_rows_of_arrays_draws_no_numbers(worker):
    generator = tg.random.Generator(5)
    list(DataLoader(TensorDataset(np.arange(10)), seed=generator, num_workers=1, worker=worker))
    assert generator.get_state()["offset"] == 0


def test_a_batch_that_draws_repeats_too():
    def run(**ways):
        tg.manual_seed(0)
        return [(seen(batch), tg.rand(1).item()) for batch in DataLoader(samples.NoisyBatches(), 4, **ways)]

    assert run(prefetch=3) == run(num_workers=2) == run()


def test_generators_of_numpy_and_python_are_seeded_in_processes():
    def run(count):
        loader = DataLoader(samples.Foreign(), 4, seed=3, num_workers=count)
        return seen(loader), seen(loader)

    first, second = run(1)
    assert run(3) == (first, second)
    assert len({value for batch in first + second for values in batch[1:] for value in values}) == 4 * 23
    before = np.random.get_state()[1].tolist()
    run(2)
    assert np.random.get_state()[1].tolist() == before


def test_other_ways_of_starting_processes():
    expected = seen(DataLoader(samples.Noisy(), 4, seed=3))
    context = multiprocessing.get_context("spawn")
    assert seen(DataLoader(samples.Noisy(), 4, seed=3, num_workers=1, multiprocessing_context=context)) == expected


FORKED = """
from tensorgrad.data import DataLoader

class Squares:
    def __init__(self):
        self.function = lambda index: index**2
    def __len__(self):
        return 5
    def __getitem__(self, index):
        return self.function(index)

loader = DataLoader(Squares(), 2, num_workers=2, multiprocessing_context="fork")
print([batch.tolist() for _ in range(2) for batch in loader])
for batch in loader:
    break
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
def test_a_fork_needs_no_pickle_and_no_main_module():
    # By itself: this process may have threads.
    result = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "[[0, 1], [4, 9], [16], [0, 1], [4, 9], [16]]\n"
    assert result.stderr == ""


# -- what workers know ---------------------------------------------------------------------------------------


@WORKERS
def test_workers_know_who_they_are(worker):
    (numbers, counts, seeds), *_ = seen(DataLoader(samples.Who(), 4, seed=1, num_workers=2, worker=worker))
    assert set(counts) == {2}
    assert set(numbers) <= {0, 1}
    assert len(set(seeds)) == 1
    assert get_worker_info() is None
    assert seen(DataLoader(samples.Who(), 4, prefetch=2))[0][0] == [-1] * 4


@WORKERS
def test_worker_init_fn(worker, tmp_path):
    init = samples.Note(str(tmp_path))
    loader = DataLoader(samples.Noisy(), 4, num_workers=2, worker=worker, worker_init_fn=init)
    seen(loader)
    notes = sorted(path.name.partition("-")[0] for path in tmp_path.iterdir())
    assert notes == ["0", "1"]
    assert len({path.read_text() for path in tmp_path.iterdir()}) == 2


def test_processes_that_stay_are_the_same(tmp_path):
    init = samples.Note(str(tmp_path))
    loader = DataLoader(samples.Noisy(), 4, num_workers=2, persistent_workers=True, worker_init_fn=init)
    seen(loader)
    first = {process.pid for process in workers()}
    for _ in loader:
        break
    assert len(seen(loader)) == 6
    assert {process.pid for process in workers()} == first
    assert len(first) == 2
    assert sorted(path.name.partition("-")[0] for path in tmp_path.iterdir()) == ["0", "1"]
    # Two loops at once: those of the second are not kept.
    assert len([*zip(loader, loader, strict=True)]) == 6
    assert {process.pid for process in workers()} == first
    # One that was killed meanwhile is none of the next loop's business.
    victim = workers()[0]
    victim.kill()
    victim.join()
    assert len(seen(loader)) == 6
    assert len(workers()) == 2
    del loader


def test_processes_that_stay_end_after_an_error():
    loader = DataLoader(samples.Failing(samples.look_up), 2, num_workers=2, persistent_workers=True)
    for _ in range(2):
        with pytest.raises(KeyError):
            seen([batch] for batch in loader)
        assert not workers()


# -- what goes wrong -----------------------------------------------------------------------------------------

ERRORS = {
    "an error": (samples.look_up, KeyError, "lost"),
    "one that cannot be pickled": (samples.be_hostile, (RuntimeError, samples.Hostile), "1 and 2"),
    "StopIteration": (samples.stop, RuntimeError, "StopIteration"),
    "SystemExit": (samples.leave, SystemExit, "3"),
}


@WORKERS
@pytest.mark.parametrize(("how", "kind", "words"), ERRORS.values(), ids=ERRORS)
def test_errors_arrive_in_the_place_of_their_batch(worker, how, kind, words):
    batches = []
    with pytest.raises(kind, match=words) as caught:
        batches.extend(DataLoader(samples.Failing(how), 2, num_workers=2, worker=worker))
    assert [batch.tolist() for batch in batches] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    text = "".join(traceback.format_exception(caught.value))
    assert f", in {how.__name__}" in text
    if worker == "process" and kind is not RuntimeError:
        assert "In worker process 0 (pid " in text


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (samples.be_killed, r"worker process [01] of the DataLoader was killed by SIGKILL\. Is memory short\?"),
        (samples.end_itself, r"worker process [01] of the DataLoader ended \(exit code 7\)"),
    ],
)
def test_a_worker_that_dies_is_no_hang(how, words):
    with pytest.raises(RuntimeError, match=words):
        list(DataLoader(samples.Failing(how), 2, num_workers=2))


@WORKERS
def test_a_batch_that_takes_too_long(worker):
    samples.release.clear()
    loader = DataLoader(samples.Failing(samples.wait_long, at=0), 2, num_workers=1, worker=worker, timeout=0.5)
    with pytest.raises(TimeoutError, match=r"no worker of the DataLoader has made a batch for 0\.5 seconds"):
        list(loader)
    samples.release.set()


@WORKERS
def test_a_worker_that_cannot_begin(worker):
    with pytest.raises(ValueError, match=r"worker [01] does not want to"):
        list(DataLoader(samples.Noisy(), 2, num_workers=2, worker=worker, worker_init_fn=samples.refuse))


def test_what_cannot_be_pickled_is_said():
    with pytest.raises(TypeError, match=r"copies of the dataset \(Failing\).*lambda.*worker='thread'"):
        list(DataLoader(samples.Failing(lambda index: index), num_workers=2))
    assert len(list(DataLoader(samples.Failing(lambda index: index), num_workers=2, worker="thread"))) == 23
    with pytest.raises(KeyError, match="lost") as caught:
        list(DataLoader(samples.OnlyHere(), num_workers=2))
    assert any("use worker='thread'" in note for note in caught.value.__notes__)
    with pytest.raises(TypeError, match="a batch of type dict cannot be sent from a worker process"):
        list(DataLoader(samples.Noisy(), num_workers=2, collate_fn=samples.no_batch))


def test_batches_of_a_collate_fn_may_be_anything():
    batches = list(DataLoader(samples.Noisy(3), 2, num_workers=1, collate_fn=samples.listed))
    assert [len(batch) for batch in batches] == [2, 1]
    assert batches[0][1][2] == {"name": "1"}


@WORKERS
def test_a_loop_that_is_left(worker):
    loader = DataLoader(samples.Noisy(1000), 2, num_workers=2, worker=worker)
    for _ in loader:
        break
    with pytest.raises(ZeroDivisionError):
        for _ in loader:
            1 / 0  # noqa: B018
    iterator = iter(loader)
    next(iterator)
    assert len(workers()) == (2 if worker == "process" else 0)
    del iterator
    assert not workers()


def test_a_worker_that_is_busy_when_the_loop_is_left_is_ended():
    iterator = iter(DataLoader(samples.Failing(samples.sleep_for_ages), 1, num_workers=2))
    assert next(iterator).tolist() == [0]
    started = time.monotonic()
    del iterator
    assert time.monotonic() - started < 30
    assert not workers()


PROGRAM = """
import os, sys, time
from tensorgrad.data import DataLoader
from tests.data import samples

if __name__ == "__main__":
    loader = DataLoader(samples.Slow(), 1, num_workers=2)
    for batch in loader:
        print(*(process.pid for process in __import__("multiprocessing").active_children()), flush=True)
        if sys.argv[1] == "end":
            break
        if sys.argv[1] == "leave":
            iterator = iter(loader)
            next(iterator)
            break
"""


def gone(pids):
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}") for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(os.path.exists(f"/proc/{pid}") for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", ["end", "leave", "SIGINT", "SIGKILL"])
def test_workers_end_with_the_program(how, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, str(path), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    pids = process.stdout.readline().split()
    assert len(pids) == 2
    if how.startswith("SIG"):
        # As a terminal does: to all of the group.
        number = getattr(signal, how)
        (os.killpg if how == "SIGINT" else os.kill)(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert gone(pids)
    if how == "SIGINT":
        assert errors.count("Traceback") == 1
        assert errors.strip().endswith("KeyboardInterrupt")
    elif how != "SIGKILL":
        assert (process.returncode, errors) == (0, "")


def test_a_program_without_a_guard_is_told(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("from tensorgrad.data import DataLoader\nprint(list(DataLoader([1, 2], num_workers=1)))\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    result = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert result.returncode == 1
    assert "what starts a loop belongs under `if __name__ == '__main__':`" in result.stderr


# -- how things travel ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("keep", [True, False])
def test_messages(shares, keep, monkeypatch):
    monkeypatch.setattr(messages, "CAN_SHARE", shares and messages.CAN_SHARE)
    large = np.arange(30_000.0)
    things = [
        None,
        {"a": [1, "two", b"three"]},
        np.zeros((0, 3)),
        (np.ones(3, np.uint8), large, np.arange(1001, dtype=np.int16), large[::2], large.reshape(3, 100, 100).T),
        np.array(["a", None], dtype=object),
    ]
    mine, theirs = multiprocessing.Pipe()
    with mine, theirs:
        for thing in things:
            # Something else has to read, where memory is not shared.
            thread = threading.Thread(target=send, args=(theirs, thing))
            thread.start()
            found = receive(mine, keep_shared=keep)
            thread.join()
            if isinstance(thing, tuple):
                for one, other in zip(thing, found, strict=True):
                    assert np.array_equal(one, other)
                    assert one.dtype == other.dtype
                    assert other.flags.writeable
                    assert other.flags.aligned
                    other[...] = 1
                assert thing[1][-1] == 29_999
            elif isinstance(thing, np.ndarray):
                assert found.tolist() == thing.tolist()
                assert found.shape == thing.shape
            else:
                assert found == thing


# -- options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"num_workers": -1}, ValueError, "num_workers is 0 or greater, got -1"),
        ({"num_workers": 1.5}, TypeError, "num_workers is a whole number, got 1.5"),
        ({"num_workers": 1, "worker": "fiber"}, ValueError, "a 'process' or a 'thread', not 'fiber'"),
        ({"num_workers": 1, "timeout": -1}, ValueError, "timeout is 0"),
        ({"timeout": 3}, ValueError, "timeout is about workers, and there are none"),
        ({"persistent_workers": True}, ValueError, "persistent_workers is about workers"),
        ({"prefetch_factor": 2}, ValueError, "prefetch_factor is about workers"),
        ({"multiprocessing_context": "fork"}, ValueError, "multiprocessing_context is about workers"),
        ({"num_workers": 1, "prefetch_factor": 0}, ValueError, "prefetch_factor is 1 or greater, got 0"),
        ({"num_workers": 1, "prefetch_factor": 1, "prefetch": 1}, ValueError, "give one"),
        ({"num_workers": 1, "multiprocessing_context": "spoon"}, ValueError, "spoon"),
    ],
)
def test_wrong_options(options, error, words):
    with pytest.raises(error, match=words):
        DataLoader([1, 2, 3], **options)


def test_how_many_are_made_in_advance():
    assert DataLoader([1], num_workers=3).prefetch == 6
    assert DataLoader([1], num_workers=3, prefetch_factor=4).prefetch == 12
    assert DataLoader([1], num_workers=3, prefetch=1).prefetch == 1
    asked = []

    class Counting(samples.Noisy):
        def __getitem__(self, index):
            asked.append(index)
            return index

    iterator = iter(DataLoader(Counting(), 1, num_workers=2, worker="thread"))
    next(iterator)
    deadline = time.monotonic() + 10
    while len(asked) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    assert sorted(asked) == list(range(5))
    del iterator
