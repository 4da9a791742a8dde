"""DataLoader: order, batches, and the thread."""

from __future__ import annotations

import contextlib
import gc
import signal
import subprocess
import sys
import threading
import time
import traceback
import types
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import backend
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.data import DataLoader, Dataset, Subset, TensorDataset
from tensorgrad.errors import DeviceError
from tensorgrad.random import Generator, default_generator
from tests import strict
from tests.data import samples
from tests.strict.backend import StrictBackend


class Numbers(Dataset):
    """Samples (index, its half); does something first, and notes who asked for what."""

    def __init__(self, length, before=lambda index: None):
        self.length = length
        self.before = before
        self.asked = []

    def __getitem__(self, index):
        self.asked.append(index)
        self.before(index)
        return index, index / 2

    def __len__(self):
        return self.length


def array_backed(n):
    return TensorDataset(np.arange(n), np.arange(n, dtype=np.float32) / 2)


def order(loader):
    return [index for batch, _ in loader for index in batch.tolist()]


def loader_threads():
    return [thread for thread in threading.enumerate() if thread.name == "tensorgrad-loader"]


def wait_for(condition):
    """True as soon as it holds; False if it does not within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def threads_end():
    return wait_for(lambda: not loader_threads())


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert threads_end()


DATASETS = pytest.mark.parametrize("dataset", [Numbers, array_backed])
PREFETCH = pytest.mark.parametrize("prefetch", [None, 0, 1, 2, 50])


# -- batches ------------------------------------------------------------------------------------------------


@DATASETS
@PREFETCH
@pytest.mark.parametrize("n", [0, 1, 9, 10, 11])
@pytest.mark.parametrize("drop_last", [False, True])
def test_every_sample_once(dataset, prefetch, n, drop_last):
    loader = DataLoader(dataset(n), batch_size=5, drop_last=drop_last, prefetch=prefetch)
    batches = list(loader)
    assert len(batches) == len(loader) == (n // 5 if drop_last else -(-n // 5))
    assert order(loader) == list(range(n - n % 5 if drop_last else n))
    for indices, halves in batches:
        assert isinstance(indices, Tensor)
        assert indices.dtype == np.int64
        assert halves.dtype == np.float32
        assert np.array_equal(halves.numpy(), indices.numpy() / 2)


def test_both_ways_give_the_same_batches():
    one_by_one, at_once = (DataLoader(d, 4, shuffle=True, seed=3) for d in (Numbers(11), array_backed(11)))
    assert order(one_by_one) == order(at_once)


class Augmented(TensorDataset):
    """A __getitem__ of its own, in front of the batch that it inherits."""

    def __getitem__(self, index):
        (x,) = super().__getitem__(index)
        return (x + 100,)


class Delegating:
    """Has what another dataset has, its batch too, but samples of its own."""

    def __init__(self, inner):
        self.inner = inner

    def __getitem__(self, index):
        return tuple(x + 100 for x in self.inner[index])

    def __len__(self):
        return len(self.inner)

    def __getattr__(self, name):
        return getattr(self.inner, name)


class Numbered(TensorDataset):
    """An attribute that happens to be called batch."""

    batch = 32

    def __getitem__(self, index):
        (x,) = super().__getitem__(index)
        return (x + 100,)


@pytest.mark.parametrize("kind", [Augmented, lambda x: Delegating(TensorDataset(x)), Numbered])
@pytest.mark.parametrize("wrapped", [lambda dataset: dataset, lambda dataset: Subset(dataset, [0, 1, 2])])
def test_samples_are_those_of_getitem(kind, wrapped):
    loader = DataLoader(wrapped(kind(np.arange(3))), batch_size=3)
    assert [x.tolist() for (x,) in loader] == [[100, 101, 102]]
    assert loader.prefetch == 2


def test_a_batch_attribute_of_an_object():
    dataset = TensorDataset(np.arange(3))
    dataset.batch = 32
    assert [x.tolist() for (x,) in DataLoader(dataset, batch_size=3)] == [[0, 1, 2]]


def test_a_batch_that_goes_with_getitem_is_used():
    class Both(Augmented):
        def batch(self, indices):
            return (Tensor(indices + 200),)

    assert [x.tolist() for (x,) in DataLoader(Both(np.arange(3)), batch_size=3)] == [[200, 201, 202]]


def test_dtypes_and_shapes_are_the_datasets():
    dataset = TensorDataset(np.zeros((5, 1, 8, 8), np.float64), np.zeros(5, np.uint8))
    images, labels = next(iter(DataLoader(dataset, 3)))
    assert (images.shape, images.dtype) == ((3, 1, 8, 8), np.float64)
    assert (labels.shape, labels.dtype) == ((3,), np.uint8)


def test_changing_a_batch_leaves_the_dataset_alone():
    values = np.zeros((4, 2), np.float32)
    for (batch,) in DataLoader(TensorDataset(values), 2):
        batch.data[...] = 1
    assert not values.any()


def test_lists_subsets_and_arrays_are_datasets():
    assert next(iter(DataLoader([(1, 2.0), (3, 4.0)], 2)))[0].tolist() == [1, 3]
    assert order(DataLoader(Subset(array_backed(10), [7, 3, 5]), 2)) == [7, 3, 5]
    assert next(iter(DataLoader(np.ones((4, 3)), 2))).shape == (2, 3)


@PREFETCH
@pytest.mark.parametrize("dataset", [Numbers, array_backed])
def test_batches_go_to_the_device(dataset, prefetch):
    backend.register(StrictBackend())
    with strict.count_transfers() as count:
        batches = list(DataLoader(dataset(10), 4, prefetch=prefetch, device="strict"))
    assert all(part.device == "strict" for batch in batches for part in batch)
    assert [index for batch, _ in batches for index in batch.numpy().tolist()] == list(range(10))
    assert count.to_host == {}


def test_a_dataset_on_a_device_stays_there():
    backend.register(StrictBackend())
    dataset = TensorDataset(strict.arange(10), strict.ones((10, 2)))
    with strict.count_transfers() as count:
        batches = list(DataLoader(dataset, 4, shuffle=True, seed=1))
    assert [batch[1].shape for batch in batches] == [(4, 2), (4, 2), (2, 2)]
    assert all(part.device == "strict" for batch in batches for part in batch)
    assert count.to_host == {}
    samples = [strict.ones(2), strict.zeros(2)]
    assert next(iter(DataLoader(samples, 2))).device == "strict"


def test_collate_fn():
    loader = DataLoader(array_backed(4), 2, collate_fn=lambda samples: {"n": len(samples), "x": np.zeros(3)})
    batch = next(iter(loader))
    assert batch["n"] == 2
    assert isinstance(batch["x"], Tensor)


# -- order --------------------------------------------------------------------------------------------------


@DATASETS
@PREFETCH
def test_epochs_of_a_seed(dataset, prefetch):
    first, second = (DataLoader(dataset(40), 7, shuffle=True, seed=5, prefetch=prefetch) for _ in range(2))
    epochs = [order(first) for _ in range(3)]
    assert epochs == [order(second) for _ in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert all(sorted(epoch) == list(range(40)) for epoch in epochs)
    assert epochs[0] != order(DataLoader(dataset(40), 7, shuffle=True, seed=6))


def test_an_epoch_left_early_does_not_change_the_next():
    whole, left = (DataLoader(Numbers(40), 7, shuffle=True, seed=5) for _ in range(2))
    order(whole)
    for _ in left:
        break
    assert order(left) == order(whole)


def test_without_a_seed_the_default_generator_decides():
    state = default_generator.get_state()
    try:
        default_generator.manual_seed(1)
        first = order(DataLoader(Numbers(40), shuffle=True))
        assert order(DataLoader(Numbers(40), shuffle=True)) != first
        default_generator.manual_seed(1)
        assert order(DataLoader(Numbers(40), shuffle=True)) == first
    finally:
        default_generator.set_state(state)


def test_a_generator_is_advanced_by_shuffling_and_by_what_augmentation_may_need():
    generator = Generator(5)
    arrays = TensorDataset(np.arange(10))
    list(DataLoader(arrays, seed=generator))
    assert generator.get_state()["offset"] == 0
    list(DataLoader(arrays, shuffle=True, seed=generator))
    shuffled = generator.get_state()["offset"]
    assert shuffled > 0
    list(DataLoader(Numbers(10), seed=generator))
    assert generator.get_state()["offset"] > shuffled


def test_a_loader_can_go_on_where_another_was():
    loader = DataLoader(Numbers(20), shuffle=True, seed=5)
    order(loader)
    other = DataLoader(Numbers(20), shuffle=True)
    other.generator = Generator()
    other.generator.set_state(loader.generator.get_state())
    assert order(other) == order(loader)


@DATASETS
@PREFETCH
def test_two_iterators_at_once(dataset, prefetch):
    loader = DataLoader(dataset(20), 3, shuffle=True, seed=5, prefetch=prefetch)
    again = DataLoader(dataset(20), 3, shuffle=True, seed=5)
    expected = order(again), order(again)
    pairs = list(zip(loader, loader, strict=True))
    assert tuple([i for pair in pairs for i in pair[side][0].tolist()] for side in (0, 1)) == expected


# -- the thread ---------------------------------------------------------------------------------------------


def fail_at(wrong, error):
    def before(index):
        if index == wrong:
            raise error

    return before


@PREFETCH
@pytest.mark.parametrize("error", [KeyError("lost"), SystemExit(3), KeyboardInterrupt()])
def test_exceptions_of_the_dataset_arrive(prefetch, error):
    loader = DataLoader(Numbers(10, fail_at(5, error)), 2, prefetch=prefetch)
    seen = []
    with pytest.raises(type(error)) as caught:
        for indices, _ in loader:
            seen += indices.tolist()
    assert caught.value is error
    assert seen == [0, 1, 2, 3]
    assert "before" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


@PREFETCH
def test_stop_iteration_of_the_dataset_is_no_end(prefetch):
    loader = DataLoader(Numbers(10, fail_at(5, StopIteration())), 2, prefetch=prefetch)
    with pytest.raises(RuntimeError, match="StopIteration"):
        list(loader)


def test_batches_are_made_in_advance():
    loader = DataLoader(Numbers(20), 1, prefetch=3)
    iterator = iter(loader)
    next(iterator)
    # One was taken, three wait.
    assert wait_for(lambda: len(loader.dataset.asked) == 4)
    time.sleep(0.05)
    assert loader.dataset.asked == list(range(4))
    assert len(loader_threads()) == 1
    assert loader_threads()[0].daemon


def test_no_thread_without_prefetch():
    for dataset, prefetch in ((Numbers(4), 0), (array_backed(4), None)):
        iterator = iter(DataLoader(dataset, prefetch=prefetch))
        next(iterator)
        assert not loader_threads()


def test_no_thread_before_the_first_batch():
    iterator = iter(DataLoader(Numbers(4)))
    assert not loader_threads()
    del iterator


@pytest.mark.parametrize("prefetch", [1, 2])
def test_leaving_the_loop_stops_the_thread(prefetch):
    dataset = Numbers(1000, lambda index: time.sleep(0.001))
    for _ in DataLoader(dataset, 1, prefetch=prefetch):
        break
    assert threads_end()
    assert len(dataset.asked) < 100


def test_an_exception_in_the_loop_stops_the_thread():
    with pytest.raises(ZeroDivisionError):
        for _ in DataLoader(Numbers(1000), 1):
            1 / 0  # noqa: B018
    assert threads_end()


def test_a_dropped_iterator_stops_the_thread():
    iterator = iter(DataLoader(Numbers(1000)))
    next(iterator)
    assert len(loader_threads()) == 1
    del iterator
    assert threads_end()


def test_a_sample_that_hangs_is_not_waited_for():
    release = threading.Event()
    iterator = iter(DataLoader(Numbers(10, lambda index: index and release.wait(20)), prefetch=1))
    next(iterator)
    started = time.monotonic()
    del iterator
    assert time.monotonic() - started < 10
    release.set()


INTERRUPTED = """
import time
from tensorgrad.data import DataLoader

class Slow:
    def __len__(self):
        return 10_000
    def __getitem__(self, index):
        time.sleep(0.01)
        return index

for batch in DataLoader(Slow(), 2):
    print(batch, flush=True)
"""
LEFT = """
from tensorgrad.data import DataLoader

iterator = iter(DataLoader(range(100), prefetch=2))
next(iterator)
print("end")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_the_program():
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert errors.count("Traceback") == 1
    assert errors.strip().endswith("KeyboardInterrupt")


def test_a_program_ends_though_a_loop_was_left():
    result = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True, timeout=30, check=True)
    assert result.stdout == "end\n"
    assert result.stderr == ""


def test_a_finished_loop_keeps_nothing_alive():
    class Value:
        pass

    gc.disable()
    try:
        value = Value()
        loader = DataLoader([value] * 3, 1, collate_fn=lambda samples: samples)
        list(loader)
        value = weakref.ref(value)
        del loader
        assert value() is None
    finally:
        gc.enable()


def test_many_loops_leave_no_threads():
    loader = DataLoader(Numbers(6), 2)
    for _ in range(50):
        list(loader)
        for _ in loader:
            break
    assert threads_end()


# -- arguments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"batch_size": 0}, ValueError, "batch_size is 1 or greater, got 0"),
        ({"batch_size": 2.5}, TypeError, r"batch_size is a whole number, got 2\.5"),
        ({"num_workers": "2"}, TypeError, "num_workers is a whole number, got '2'"),
        ({"prefetch": -1}, ValueError, "prefetch is 0 or greater, got -1"),
        ({"device": "tpu"}, DeviceError, "unknown device 'tpu'"),
        ({"seed": -1}, ValueError, "a seed is 0 or greater, got -1"),
        ({"dataset": iter(range(3))}, TypeError, "range_iterator does not"),
    ],
)
def test_wrong_arguments(options, error, words):
    with pytest.raises(error, match=words):
        DataLoader(**{"dataset": Numbers(3), **options})


class Noisy(Dataset):
    """A dataset with random augmentation."""

    def __len__(self):
        return 12

    def __getitem__(self, index):
        return tg.rand(1).item() + index


@pytest.mark.parametrize("prefetch", [0, 1, 3])
def test_random_augmentation_repeats_whatever_else_draws_and_however_it_is_made(prefetch):
    def run(prefetch):
        tg.manual_seed(0)
        loader = DataLoader(Noisy(), batch_size=5, shuffle=True, prefetch=prefetch)
        return [(batch.tolist(), tg.rand(1).item()) for _ in range(2) for batch in loader]

    assert run(prefetch) == run(prefetch) == run(0)
    first, second = run(prefetch)[:3], run(prefetch)[3:]
    assert first != second, "another epoch, other noise"


def test_a_loop_left_early_leaves_the_generator_where_it_always_does():
    def run():
        tg.manual_seed(0)
        for _ in DataLoader(Noisy(), batch_size=1, prefetch=3):
            break
        return tg.rand(1).item()

    assert len({run() for _ in range(5)}) == 1


@pytest.mark.parametrize("prefetch", [0, 2])
def test_the_rest_of_a_loop(prefetch):
    class Asked(Noisy):
        def __getitem__(self, index):
            asked.append(index)
            return super().__getitem__(index)

    def loader():
        return DataLoader(Asked(), batch_size=5, shuffle=True, seed=1, prefetch=prefetch)

    asked = []
    whole, part = loader(), loader()
    expected = [batch.tolist() for batch in whole]
    for start in (1, 3, 7):
        asked.clear()
        assert [batch.tolist() for batch in part.batches(start)] == expected[start:]
        assert len(asked) == max(12 - 5 * start, 0)
        expected = [batch.tolist() for batch in whole]
    with pytest.raises(ValueError, match="starts at batch 0 or a later one, got -1"):
        loader().batches(-1)


def test_the_rest_of_a_stream():
    expected = [[part.tolist() for part in batch] for batch in DataLoader(samples.Stream(), 4, seed=1)]
    found = [[part.tolist() for part in batch] for batch in DataLoader(samples.Stream(), 4, seed=1).batches(2)]
    assert found == expected[2:]


# -- pinned memory ------------------------------------------------------------------------------------------


class Overlapping(StrictBackend):
    """Copies as if beside computations, and notes which batches were on their way when."""

    overlaps = True

    def __init__(self):
        self.staged = []

    def stage(self, array, device):
        self.staged.append(array.tolist())
        return super().stage(array, device)


def test_pinned_batches_are_on_their_way_one_in_advance():
    overlapping = Overlapping()
    backend.register(overlapping)
    try:
        iterator = iter(DataLoader(np.arange(5), 2, device="strict", pin_memory=True))
        first = next(iterator)
        assert (first.device, first.numpy().tolist()) == ("strict", [0, 1])
        assert overlapping.staged == [[0, 1], [2, 3]]
        assert [batch.numpy().tolist() for batch in iterator] == [[2, 3], [4]]
        assert list(DataLoader([], 2, device="strict", pin_memory=True)) == []
    finally:
        backend.register(StrictBackend())


@pytest.mark.parametrize("device", [None, "cpu", "strict"])
def test_pinned_memory_changes_nothing_elsewhere(device):
    loader = DataLoader(array_backed(5), 2, device=device, pin_memory=True)
    assert [index for batch, _ in loader for index in batch.numpy().tolist()] == [0, 1, 2, 3, 4]


class FakeCuPy:
    """The few functions of CuPy's that copies by pinned memory need; notes what the streams are told."""

    ndarray = type("ndarray", (), {})

    def __init__(self):
        self.told = []
        fake = self

        class Stream:
            def __init__(self, name="copying", non_blocking=False):
                self.name = name

            def record(self):
                fake.told.append((self.name, "record"))
                return types.SimpleNamespace(done=False, of=self.name)

            def wait_event(self, event):
                fake.told.append((self.name, "wait", event.of))

        class Array:
            def __init__(self, shape, dtype):
                self.values = np.empty(shape, dtype)

            def set(self, values, stream):
                fake.told.append((stream.name, "copy"))
                self.values[...] = values

        def alloc_pinned_memory(size):
            return bytearray(size + 8)

        computing = Stream("computing")
        self.empty = Array
        self.asarray = np.asarray
        self.cuda = types.SimpleNamespace(
            Device=lambda index: contextlib.nullcontext(),
            Stream=Stream,
            get_current_stream=lambda: computing,
            alloc_pinned_memory=alloc_pinned_memory,
        )


@pytest.mark.parametrize("array", [np.arange(6, dtype=np.int16).reshape(2, 3).T, np.float64(3.0) * np.ones(())])
def test_what_streams_wait_for(array):
    fake = FakeCuPy()
    library = backend.CuPyBackend(fake)
    assert library.stage(array, "cuda").values.tolist() == array.tolist()
    assert fake.told == [
        ("computing", "record"),
        ("copying", "wait", "computing"),
        ("copying", "copy"),
        ("copying", "record"),
        ("computing", "wait", "copying"),
    ]
    # What is on its way is held, until it has come.
    ((event, held),) = library._on_their_way
    assert held.tolist() == array.tolist()
    library.stage(array, "cuda")
    assert len(library._on_their_way) == 2
    event.done = True
    library.stage(array, "cuda")
    assert len(library._on_their_way) == 2
    assert library.stage(np.zeros((0, 2)), "cuda").shape == (0, 2)


@pytest.mark.gpu
def test_pinned_batches_on_a_gpu():
    values = np.random.default_rng(0).normal(size=(64, 100_000)).astype(np.float32)
    expected = values.sum(axis=1, dtype=np.float64)
    for _ in range(3):
        loader = DataLoader(TensorDataset(values, np.arange(64)), 4, device="cuda", pin_memory=True)
        found = [(batch, numbers) for batch, numbers in loader]
        assert all(part.device == "cuda" for batch in found for part in batch)
        sums = [x.data.sum(axis=1, dtype="float64").get() for x, _ in found]
        assert np.allclose(np.concatenate(sums), expected)
        # Memory is used again by other batches: those that are let go while they are computed with.
        totals = [(x * 2).sum(axis=1).numpy() for x, _ in loader]
        assert np.allclose(np.concatenate(totals), 2 * expected, rtol=1e-3, atol=1.0)
