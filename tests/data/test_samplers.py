"""Samplers, and loaders that are given one or a stream."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    MapDataset,
    RandomSampler,
    SequentialSampler,
    StratifiedSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from tensorgrad.random import Generator

DRAWING = {
    "random": lambda seed: RandomSampler(range(20), seed=seed),
    "with replacement": lambda seed: RandomSampler(range(20), replacement=True, seed=seed),
    "a subset": lambda seed: SubsetRandomSampler(range(20), seed=seed),
    "weighted": lambda seed: WeightedRandomSampler(np.arange(20.0), 20, seed=seed),
    "weighted, without replacement": lambda seed: WeightedRandomSampler(np.ones(20), 20, replacement=False, seed=seed),
    "stratified": lambda seed: StratifiedSampler(np.arange(20) % 2, seed=seed),
}


@pytest.mark.parametrize("name", DRAWING)
def test_orders_follow_from_the_seed(name: str) -> None:
    first, second = DRAWING[name](3), DRAWING[name](3)
    loops = [[*first] for _ in range(3)]
    assert loops == [[*second] for _ in range(3)]
    assert loops[0] != loops[1] != loops[2]
    assert all(len(loop) == len(first) == 20 for loop in loops)
    assert all(isinstance(index, int) for index in loops[0])
    tg.manual_seed(5)
    drawn = [*DRAWING[name](None)]
    tg.manual_seed(5)
    assert [*DRAWING[name](None)] == drawn
    generator = Generator(3)
    assert [*DRAWING[name](generator)] == loops[0]


def test_orders_of_all() -> None:
    assert [*SequentialSampler("abc")] == [0, 1, 2]
    assert sorted(RandomSampler(range(9), seed=0)) == [*range(9)]
    assert Counter(RandomSampler(range(3), num_samples=7, seed=0)) in [
        Counter({a: 3, b: 2, c: 2}) for a, b, c in ((0, 1, 2), (1, 0, 2), (2, 0, 1))
    ]
    assert [*RandomSampler([])] == [*RandomSampler(range(3), num_samples=0)] == []
    counts = np.bincount([*RandomSampler(range(4), replacement=True, num_samples=8000, seed=0)])
    np.testing.assert_allclose(counts, 2000, atol=200)


def test_weights() -> None:
    weights = [0.0, 1.0, 3.0, 0.0]
    counts = np.bincount([*WeightedRandomSampler(weights, 8000, seed=0)], minlength=4)
    assert counts[0] == counts[3] == 0
    np.testing.assert_allclose(counts[1:3], [2000, 6000], atol=200)
    firsts = Counter(next(iter(WeightedRandomSampler(weights, 2, replacement=False, seed=k))) for k in range(2000))
    assert set(firsts) == {1, 2}
    assert firsts[2] == pytest.approx(1500, abs=100)
    assert sorted(WeightedRandomSampler(weights, 2, replacement=False, seed=0)) == [1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_every_stretch_has_its_share(seed: int) -> None:
    labels = np.array(["a"] * 60 + ["b"] * 30 + ["c"] * 10)
    order = [*StratifiedSampler(labels, seed=seed)]
    assert sorted(order) == [*range(100)]
    for start in range(0, 100, 20):
        counts = Counter(labels[order[start : start + 20]].tolist())
        assert all(abs(counts[label] - share) <= 2 for label, share in {"a": 12, "b": 6, "c": 2}.items())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RandomSampler(range(3), num_samples=-1), "num_samples is 0 or more, got -1"),
        (lambda: RandomSampler([], num_samples=2), "nothing to draw 2 samples from"),
        (lambda: WeightedRandomSampler([1.0, -1.0], 1), "finite, 0 or more, and not all 0"),
        (lambda: WeightedRandomSampler([0.0], 1), "finite, 0 or more, and not all 0"),
        (lambda: WeightedRandomSampler([1.0, 0.0], 2, replacement=False), "2 of 1 samples with a weight"),
        (lambda: WeightedRandomSampler([1.0], -2), "num_samples is 0 or more, got -2"),
        (lambda: BatchSampler(range(3), 0), "batch_size is 1 or greater, got 0"),
        (lambda: DataLoader("abc", sampler=[0], shuffle=True), "shuffle=True does not go with it"),
        (lambda: DataLoader("abc", 2, batch_sampler=[[0]]), "the batch_sampler says what is in each batch"),
        (lambda: DataLoader(Stream(), shuffle=True), "Stream cannot be indexed, only gone through"),
        (lambda: ConcatDataset([]), "at least one dataset"),
    ],
)
def test_what_is_refused(make, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


# -- in a loader -----------------------------------------------------------------------------------------------


class Stream:
    """Samples that cannot be indexed; two random numbers each."""

    def __init__(self, count=7, fails_at=None):
        self.count, self.fails_at = count, fails_at

    def __iter__(self):
        for i in range(self.count):
            if i == self.fails_at:
                raise OSError("the line is dead")
            yield i, tg.rand(2).numpy()


def test_a_sampler_says_the_order() -> None:
    numbers = TensorDataset(np.arange(10))
    loader = DataLoader(numbers, 2, sampler=[3, 1, 4, 1, 5])
    assert [batch.tolist() for (batch,) in loader] == [[3, 1], [4, 1], [5]]
    assert len(loader) == 3
    assert len(DataLoader(numbers, 2, sampler=[3, 1, 4], drop_last=True)) == 1
    batches = DataLoader(numbers, batch_sampler=BatchSampler(range(5), 3))
    assert [batch.tolist() for (batch,) in batches] == [[0, 1, 2], [3, 4]]
    assert len(batches) == 2


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_stream(prefetch: int) -> None:
    loader = DataLoader(Stream(), 3, seed=0, prefetch=prefetch)
    first, second = [*loader], [*loader]
    assert [x.tolist() for x, _ in first] == [x.tolist() for x, _ in second] == [[0, 1, 2], [3, 4, 5], [6]]
    assert not np.array_equal(first[0][1].numpy(), second[0][1].numpy())
    again = [*DataLoader(Stream(), 3, seed=0, prefetch=2 - prefetch)]
    assert all(np.array_equal(a.numpy(), b.numpy()) for (_, a), (_, b) in zip(first, again, strict=True))
    assert [x.tolist() for x, _ in DataLoader(Stream(), 3, drop_last=True, prefetch=prefetch)] == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(TypeError):
        len(loader)


@pytest.mark.parametrize("prefetch", [0, 2])
def test_a_stream_that_fails_or_is_left(prefetch: int) -> None:
    loop = iter(DataLoader(Stream(fails_at=4), 2, prefetch=prefetch))
    assert [x.tolist() for x, _ in (next(loop), next(loop))] == [[0, 1], [2, 3]]
    with pytest.raises(OSError, match="the line is dead"):
        next(loop)
    loop = iter(DataLoader(Stream(10**9), 2, prefetch=prefetch))
    next(loop)
    loop.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "tensorgrad-loader"]


def test_what_a_stream_draws_is_its_own() -> None:
    tg.manual_seed(0)
    loop = iter(DataLoader(Stream(), 2, seed=1, prefetch=0))
    next(loop)
    drawn = tg.rand(3).tolist()
    tg.manual_seed(0)
    assert tg.rand(3).tolist() == drawn


# -- datasets of datasets --------------------------------------------------------------------------------------


def test_one_after_the_other() -> None:
    both = ConcatDataset([[1, 2], [], Subset([7, 8, 9], [2, 0])])
    assert len(both) == 4
    assert [both[i] for i in range(-4, 4)] == [1, 2, 9, 7, 1, 2, 9, 7]
    for index in (4, -5):
        with pytest.raises(IndexError, match=f"no sample {index} in datasets of 4 together"):
            both[index]


def test_a_function_of_each_sample() -> None:
    pairs = MapDataset([(1.0, "a"), (2.0, "b")], lambda x: x + tg.rand(()).item(), at=0)
    assert len(pairs) == 2
    first, again = ([x.tolist() for x, _ in DataLoader(pairs, 2, seed=0, prefetch=n)] for n in (0, 1))
    assert first == again
    assert 1 < first[0][0] < 2 < first[0][1] < 3
    assert MapDataset([[1, 2]], sum)[0] == 3
    assert MapDataset([[1, 2]], str, at=1)[0] == [1, "2"]
