"""What the examples share: options, data, evaluation, progress."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import math
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, Dataset, TensorDataset, random_split
from tensorgrad.nn import functional as F

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as shells know it."""


# -- options ---------------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """The options that all examples have, each with its default in ``--help``, and errors in one line."""

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (--help explains the options)\n")

    def add_common(self, *, epochs: Any, batch_size: Any, lr: Any, out: Any) -> None:
        """Adds them.

        Args:
            epochs, batch_size, lr, out: their defaults; or in words, where they depend on other options: then the
                option is None unless it is given.
        """
        self.add("--epochs", _positive, epochs, "N", "how often every training image is seen")
        self.add("--batch-size", _positive, batch_size, "N", "how many images make a batch")
        self.add("--lr", _rate, lr, "X", "the highest learning rate")
        self.add("--seed", _seed, 0, "N", "the seed of all random numbers: the same seed gives the same network")
        self.add("--device", str, "cpu", "NAME", "where to compute: cpu, cuda (the first GPU), cuda:1, ...")
        self.add("--validation", _fraction, 0.0, "X", VALIDATION_HELP)
        self.add("--out", Path, out, "FOLDER", "where the pictures and the checkpoint go")
        self.add_argument("--no-plots", action="store_true", help="draw no pictures; matplotlib is then not needed")

    def add(self, name: str, kind: Callable[[str], Any], default: Any, metavar: str, explained: str) -> None:
        """Adds one option; a ``default`` in words, where a number or path is expected, is for ``--help`` only."""
        in_words = isinstance(default, str) and kind is not str
        explained = f"{explained} (default: {default})".replace("%", "%%")
        self.add_argument(name, type=kind, default=None if in_words else default, metavar=metavar, help=explained)

    def require_usable(self, args: argparse.Namespace) -> None:
        """Ends the program unless the packages and the device that the options ask for are there."""
        wanted = ["tqdm"] if args.no_plots else ["tqdm", "matplotlib"]
        missing = [name for name in wanted if importlib.util.find_spec(name) is None]
        if missing:
            self.exit(1, f"{self.prog}: {' and '.join(missing)} not installed: {INSTALL}\n")
        try:
            tg.zeros(1, device=args.device)
        except tg.DeviceError as error:
            self.error(f"argument --device: {error}")


INSTALL = 'run  pip install -e ".[examples]"  in the folder of the project.'
VALIDATION_HELP = (
    "part of the training images, such as 0.2, to set aside and to report on in place of the test images: for "
    "choosing among settings, which the test images are not for"
)


def _number(text: str, kind: type, wanted: str, fits: Any) -> Any:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not fits(value):
        raise argparse.ArgumentTypeError(f"expected {wanted}, got {text!r}")
    return value


def _positive(text: str) -> int:
    return _number(text, int, "a whole number from 1 on", lambda n: n >= 1)


def _seed(text: str) -> int:
    return _number(text, int, "a whole number from 0 on", lambda n: n >= 0)


def _rate(text: str) -> float:
    return _number(text, float, "a number above 0", lambda x: 0 < x < math.inf)


def _fraction(text: str) -> float:
    return _number(text, float, "a number from 0 to below 1", lambda x: 0 <= x < 1)


def end_on_interrupt(main: Callable[[], int]) -> int:
    """Runs a program to its exit code; Ctrl-C, where the program does not see to it itself, ends it with one line."""
    try:
        return main()
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C.", file=sys.stderr)
        return INTERRUPTED


# -- the folder for the results --------------------------------------------------------------------------------


@contextlib.contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Ends the program with one line if a file cannot be written within the block."""
    try:
        yield
    except OSError as error:
        program = Path(sys.argv[0]).name
        sys.exit(f"{program}: error: argument --out: cannot write into {str(folder)!r}: {error.strerror or error}")


def prepare_folder(folder: Path) -> None:
    """Makes a folder, and ends the program if it cannot be written into: better before the training than after it."""
    with writing_into(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


# -- data ------------------------------------------------------------------------------------------------------


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


# -- evaluation ------------------------------------------------------------------------------------------------


class Results:
    """What a network said about a set of images.

    Args:
        probabilities: of each of the 10 digits, shape (N, 10).
        labels: the true digits, shape (N,).
    """

    def __init__(self, probabilities: np.ndarray, labels: np.ndarray) -> None:
        self.probabilities = probabilities
        self.labels = labels
        self.predicted = probabilities.argmax(axis=1)
        self.confidence = probabilities.max(axis=1)

    @property
    def correct(self) -> int:
        """How many were read correctly."""
        return int((self.predicted == self.labels).sum())

    @property
    def accuracy(self) -> float:
        """Which part was read correctly, from 0 to 1."""
        return self.correct / len(self.labels)

    @property
    def loss(self) -> float:
        """The mean cross-entropy, in nats."""
        true = self.probabilities[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(true, 1e-30)).mean())

    def confusion(self) -> np.ndarray:
        """How often the true digit (row) was taken for each digit (column): shape (10, 10)."""
        counts = np.zeros((10, 10), dtype=np.int64)
        np.add.at(counts, (self.labels, self.predicted), 1)
        return counts

    def table(self) -> str:
        """Precision, recall and F1 of every digit, and the accuracy.

        Precision: of the images read as a 3, which part were threes. Recall: of the threes, which part was read as a
        3. F1: the harmonic mean of the two.
        """
        counts = self.confusion()
        right, said, true = counts.diagonal(), counts.sum(axis=0), counts.sum(axis=1)
        columns = (right / np.maximum(said, 1), right / np.maximum(true, 1), 2 * right / np.maximum(said + true, 1))
        lines = ["digit   precision    recall        F1   images"]
        for digit, (precision, recall, f1) in enumerate(zip(*columns, strict=True)):
            lines.append(f"{digit:5}   {precision:9.2%} {recall:9.2%} {f1:9.2%} {true[digit]:8,}")
        rule = "-" * len(lines[0])
        total = f"accuracy {self.accuracy:.2%}: {self.correct:,} of {len(self.labels):,} images read correctly"
        return "\n".join([lines[0], rule, *lines[1:], rule, total])


@tg.no_grad()
def evaluate(model: nn.Module, dataset: Dataset, batch_size: int = 500) -> Results:
    """Shows every image of a data set to the network, and learns nothing from it."""
    was_training = model.training
    model.eval()
    batches = [
        (F.softmax(model(images), dim=1).numpy(), labels.numpy()) for images, labels in DataLoader(dataset, batch_size)
    ]
    model.train(was_training)
    probabilities, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return Results(probabilities, labels)


# -- progress --------------------------------------------------------------------------------------------------


class Epoch(NamedTuple):
    """The figures of one epoch."""

    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    images: int
    """How many were trained on."""
    seconds: float
    """For training alone, without the evaluation."""


class Progress(AbstractContextManager["Progress"]):
    """Shows how training goes, keeps its figures, and ends it after the batch in which Ctrl-C is pressed.

    Each epoch leaves a line; on a terminal it has a progress bar before. Both fit into 80 columns. Used so::

        with progress:
            for epoch in progress.epochs():
                for images, labels in progress.batches(loader):
                    ...  # the step
                    progress.count(loss, logits, labels)
                progress.finish_epoch(evaluate(model, test_set))

    Args:
        args: the options: how many ``epochs`` there are to be, and which images they are evaluated with.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.began = time.perf_counter()
        self.wanted: int = args.epochs
        self.name = "validation" if args.validation else "test"
        self.history: list[Epoch] = []
        self.stopped = False
        """Whether Ctrl-C was pressed."""
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        self._handles = threading.current_thread() is threading.main_thread()
        if self._handles:
            self._before = signal.signal(signal.SIGINT, self._stop)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._handles:
            signal.signal(signal.SIGINT, self._before)

    def _stop(self, *_: Any) -> None:
        self.stopped = True
        # Pressed again, it ends the program at once.
        signal.signal(signal.SIGINT, self._before)

    def epochs(self) -> Iterator[int]:
        """The numbers of the epochs, from 1 on."""
        for epoch in range(1, self.wanted + 1):
            yield epoch
            if self.stopped:
                print(f"Stopped by Ctrl-C in epoch {epoch} of {self.wanted}. Here is what there is.", flush=True)
                break

    def batches(self, loader: DataLoader) -> Iterator[Any]:
        """The batches of one epoch, with a bar."""
        self._total = len(loader.dataset)
        self._images, self._loss, self._correct = 0, 0.0, 0
        self._bar = self._new_bar() if self._terminal else None
        self._start = time.perf_counter()
        for batch in loader:
            yield batch
            if self.stopped:
                break
        # Reading the figures waits until a GPU is done, and belongs to the time.
        self._loss, self._correct = float(self._loss), int(self._correct)
        self._seconds = time.perf_counter() - self._start

    def _new_bar(self) -> Any:
        from tqdm import tqdm

        form = "{desc} {bar:8} {percentage:3.0f} %{postfix}"
        return tqdm(total=self._total, desc=self._title(), bar_format=form, dynamic_ncols=True, leave=False)

    def _title(self) -> str:
        return f"epoch {len(self.history) + 1:{len(str(self.wanted))}}/{self.wanted}"

    def count(self, loss: tg.Tensor, logits: tg.Tensor, labels: tg.Tensor) -> None:
        """Adds the figures of a batch."""
        # Sums stay where they are computed: fetching each from a GPU would halt it.
        self._images += len(labels)
        self._loss += loss.detach() * len(labels)
        self._correct += (logits.detach().argmax(axis=1) == labels).sum()
        if self._bar is not None and self._bar.update(len(labels)):
            self._bar.set_postfix_str(self._figures(time.perf_counter() - self._start))

    def _figures(self, seconds: float, evaluated: str = "") -> str:
        loss, accuracy = float(self._loss) / self._images, int(self._correct) / self._images
        return f"loss {loss:.4f}, accuracy {accuracy:6.2%}, {evaluated}{self._images / seconds:,.0f} images/s"

    def finish_epoch(self, results: Results) -> None:
        """Puts a line with the figures, also those of the evaluation, in the place of the bar."""
        if self._bar is not None:
            self._bar.close()
        figures = self._figures(self._seconds, f"{self.name} {results.accuracy:6.2%}, ")
        print(f"{self._title()}: {figures}", file=sys.stderr, flush=True)
        train = self._loss / self._images, self._correct / self._images
        self.history.append(Epoch(*train, results.loss, results.accuracy, self._images, self._seconds))

    @property
    def completed(self) -> int:
        """How many epochs were gone through wholly, none of them cut short by Ctrl-C."""
        return sum(epoch.images == self._total for epoch in self.history)

    def summary(self) -> str:
        """One line about the time."""
        count = len(self.history)
        seconds = sum(epoch.seconds for epoch in self.history)
        images = sum(epoch.images for epoch in self.history)
        return (
            f"{count} epoch{'s' if count > 1 else ''} in {seconds:.1f} s of training: "
            f"{seconds / count:.2f} s an epoch, {images / seconds:,.0f} images/s"
        )
