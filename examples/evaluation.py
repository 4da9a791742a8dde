"""The images that a network is evaluated with, and what it says about them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import numpy as np

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, Dataset, TensorDataset, random_split
from tensorgrad.nn import functional as F


def load_splits(load: Callable[[str], Sequence[np.ndarray]], args: argparse.Namespace) -> tuple[Dataset, Dataset]:
    """The images to train on, and those to report on.

    Args:
        load: gives images and labels, for ``"train"`` and for ``"test"``.
        args: the options: ``device``, and ``validation`` with ``seed`` for the split.
    """
    train = _on_device(load("train"), args.device)
    if not args.validation:
        return train, _on_device(load("test"), args.device)
    aside = min(max(round(args.validation * len(train)), 1), len(train) - 1)
    train, validation = random_split(train, [len(train) - aside, aside], seed=args.seed)
    return train, validation


def _on_device(arrays: Sequence[np.ndarray], device: str) -> Dataset:
    return TensorDataset(*(tg.tensor(array, device=device) for array in arrays))


DIGITS = tuple("0123456789")


class Results:
    """What a network said about a set of images.

    Args:
        probabilities: of each of the classes, shape (N, C).
        labels: the true classes, shape (N,).
        names: of the classes.
    """

    def __init__(self, probabilities: np.ndarray, labels: np.ndarray, names: Sequence[str] = DIGITS) -> None:
        self.probabilities = probabilities
        self.labels = labels
        self.names = names
        self.predicted = probabilities.argmax(axis=1)
        self.confidence = probabilities.max(axis=1)

    @property
    def correct(self) -> int:
        """How many were recognised."""
        return int((self.predicted == self.labels).sum())

    @property
    def accuracy(self) -> float:
        """Which part was recognised, from 0 to 1."""
        return self.correct / len(self.labels)

    @property
    def loss(self) -> float:
        """The mean cross-entropy, in nats."""
        true = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(true, 1e-30)).mean())

    def confusion(self) -> np.ndarray:
        """How often the true class (row) was taken for each class (column): shape (C, C)."""
        counts = np.zeros((len(self.names),) * 2, dtype=np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts

    def table(self) -> str:
        """Precision, recall and F1 of every class, and the accuracy.

        Precision: of the images taken for a 3, which part were threes. Recall: of the threes, which part was taken for
        a 3. F1: the harmonic mean of the two.
        """
        counts = self.confusion()
        right, said, true = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
        columns = (right / np.maximum(said, 1), right / np.maximum(true, 1), 2 * right / np.maximum(said + true, 1))
        width = max(5, *map(len, self.names))
        lines = [f"{'class':{width}}   precision    recall        F1   images"]
        for name, count, (precision, recall, f1) in zip(self.names, true, zip(*columns, strict=True), strict=True):
            lines.append(f"{name:>{width}}   {precision:9.2%} {recall:9.2%} {f1:9.2%} {count:8,}")
        rule = "-" * len(lines[0])
        total = f"accuracy {self.accuracy:.2%}: {self.correct:,} of {len(self.labels):,} images recognised"
        return "\n".join([lines[0], rule, *lines[1:], rule, total])


@tg.no_grad()
def evaluate(model: nn.Module, dataset: Dataset, batch_size: int = 500, names: Sequence[str] = DIGITS) -> Results:
    """Shows every image of a data set to the network, and learns nothing from it."""
    was_training = model.training
    model.eval()
    batches = [
        (F.softmax(model(images), dim=1).numpy(), labels.numpy()) for images, labels in DataLoader(dataset, batch_size)
    ]
    model.train(was_training)
    probabilities, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return Results(probabilities, labels, names)
