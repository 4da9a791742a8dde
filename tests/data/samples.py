"""Datasets and functions for worker processes, which import them: of a module that is quick to import."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import numpy as np

import tensorgrad as tg
from tensorgrad.data import Dataset, IterableDataset, get_worker_info


class Noisy(Dataset):
    """Samples with random numbers of tensorgrad's, big enough to go by shared memory when a few are together."""

    def __init__(self, length=23, size=1):
        self.length, self.size = length, size

    def __getitem__(self, index):
        return index, tg.rand(self.size).numpy() + index, {"name": str(index)}

    def __len__(self):
        return self.length


class NoisyBatches(Noisy):
    """Whole batches with random numbers."""

    def batch(self, indices):
        return indices, tg.rand(len(indices)).numpy()


class Slow(Noisy):
    """Samples that take their time."""

    def __getitem__(self, index):
        time.sleep(0.05)
        return index


class Foreign(Noisy):
    """Samples with the numbers of NumPy's and Python's own generators."""

    def __getitem__(self, index):
        return index, np.random.random(), random.random()


class Who(Noisy):
    """Samples that say who made them."""

    def __getitem__(self, index):
        info = get_worker_info()
        return (-1, 0, 0) if info is None else (info.id, info.num_workers, info.seed)


class Stream(IterableDataset):
    """A stream with random numbers, that divides itself as PyTorch's do."""

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        for index in range(first, 23, step):
            yield index, tg.rand(1).item()


class Failing(Noisy):
    """One sample that goes wrong, in one way or another."""

    def __init__(self, how, at=9):
        super().__init__()
        self.how, self.at = how, at

    def __getitem__(self, index):
        if index == self.at:
            self.how(index)
        return index


class Hostile(Exception):
    """An exception that cannot be made again from a pickle."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def look_up(index):
    raise KeyError("lost")


def be_hostile(index):
    raise Hostile(1, 2)


def stop(index):
    raise StopIteration


def leave(index):
    raise SystemExit(3)


def be_killed(index):
    os.kill(os.getpid(), signal.SIGKILL)


def end_itself(index):
    os._exit(7)


release = threading.Event()
"""Lets threads go that wait for long."""


def wait_long(index):
    release.wait(60)


def noisy(x):
    return x + 0.1 * tg.randn(x.shape)


def doubled(x):
    return 2 * x


def sleep_for_ages(index):
    time.sleep(600)


def no_batch(samples):
    return {"function": lambda: samples}


def listed(samples):
    return list(samples)


class OnlyHere:
    """What can be pickled, but not be made again."""

    def __reduce__(self):
        return look_up, (0,)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return index


class Note:
    """A worker_init_fn that writes down that a worker began."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, number):
        info = get_worker_info()
        assert info.id == number
        with open(os.path.join(self.folder, f"{number}-{os.getpid()}-{threading.get_ident()}"), "a") as file:
            file.write(f"{info.seed}\n")


def refuse(number):
    raise ValueError(f"worker {number} does not want to")
