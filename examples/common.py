"""What the examples share: options, progress, evaluation, the table, the checkpoint."""

from __future__ import annotations

import argparse
import importlib.util
import math
import signal
import sys
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
    """Options with their defaults in ``--help``, and errors in one line."""

    def __init__(self, description: str | None, epilog: str | None = None) -> None:
        super().__init__(
            description=description,
            epilog=epilog,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (--help explains the options)\n")

    def add_common(self, *, batch_size: int, lr: float, out: str) -> None:
        """The options of all examples."""
        self.add_argument("--batch-size", type=_positive, default=batch_size, metavar="N", help="images in a batch")
        self.add_argument("--lr", type=_rate, default=lr, metavar="X", help="highest learning rate")
        self.add_argument("--seed", type=_seed, default=0, metavar="N", help="of all random numbers")
        self.add_argument("--device", default="cpu", help="where to compute: cpu, cuda (a GPU), or cuda:N (GPU N)")
        self.add_argument("--validation", type=_fraction, default=0.0, metavar="X", help=VALIDATION_HELP)
        self.add_argument("--out", type=Path, default=Path(out), metavar="FOLDER", help="where the files go")
        self.add_argument("--no-plots", action="store_true", help="draw no pictures (and need no matplotlib)")

    def add_epochs(self, default: int | None, explained: str) -> None:
        """``--epochs``, whose default some examples choose later."""
        self.add_argument("--epochs", type=_positive, default=default, metavar="N", help=explained)

    def parse(self, argv: Sequence[str] | None) -> argparse.Namespace:
        """The options, once they are known to be usable: packages, device and folder are there."""
        args = self.parse_args(argv)
        require("tqdm", *([] if args.no_plots else ["matplotlib"]))
        try:
            tg.zeros(1, device=args.device)
        except tg.DeviceError as error:
            self.error(f"argument --device: {error}")
        try:
            args.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.error(f"argument --out: {str(args.out)!r} cannot be made a folder: {error.strerror}")
        return args


VALIDATION_HELP = (
    "part of the training images, such as 0.2, to set aside and to report on in place of the test images: for "
    "choosing among settings, which the test images are not for"
)


def require(*packages: str) -> None:
    """Ends the program, and says what to install, if a package is missing."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f'{" and ".join(missing)} not installed: run  pip install -e ".[examples]"  in the project\'s folder.')


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


# -- data ------------------------------------------------------------------------------------------------------


def load_splits(load: Callable[[str], Sequence[np.ndarray]], args: argparse.Namespace) -> tuple[Dataset, Dataset, str]:
    """The images to train on, those to report on, and what the latter are called.

    Args:
        load: gives images and labels, for ``"train"`` and for ``"test"``.
        args: the options: ``device``, and ``validation`` with ``seed`` for the split.
    """
    train = _on_device(load("train"), args.device)
    if not args.validation:
        return train, _on_device(load("test"), args.device), "test"
    aside = min(max(round(args.validation * len(train)), 1), len(train) - 1)
    train, validation = random_split(train, [len(train) - aside, aside], seed=args.seed)
    return train, validation, "validation"


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
        """How many were read rightly."""
        return int((self.predicted == self.labels).sum())

    @property
    def accuracy(self) -> float:
        """Which part was read rightly, from 0 to 1."""
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
        total = f"accuracy {self.accuracy:.2%}: {self.correct:,} of {len(self.labels):,} images read rightly"
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

    On a terminal each epoch has a progress bar; where the output goes elsewhere, a line. Used so::

        with Progress(epochs) as progress:
            for epoch in progress.epochs():
                for images, labels in progress.batches(loader):
                    ...  # the step
                    progress.count(loss, logits, labels)
                progress.finish_epoch(evaluate(model, test_set))

    Args:
        epochs: how many there are to be.
        name: what the images of the evaluation are called.
    """

    def __init__(self, epochs: int, name: str = "test") -> None:
        self.wanted = epochs
        self.name = name
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
                print(f"Stopped by Ctrl-C in epoch {epoch} of {self.wanted}: here is what there is.")
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

        form = "{desc} {bar:20} {percentage:3.0f} %{postfix}"
        return tqdm(total=self._total, desc=self._title(), bar_format=form, dynamic_ncols=True)

    def _title(self) -> str:
        return f"epoch {len(self.history) + 1:{len(str(self.wanted))}}/{self.wanted}"

    def count(self, loss: tg.Tensor, logits: tg.Tensor, labels: tg.Tensor) -> None:
        """Adds the figures of a batch."""
        # Sums stay where they are computed: fetching each from a GPU would halt it.
        self._images += len(labels)
        self._loss += loss.detach() * len(labels)
        self._correct += (logits.detach().argmax(axis=1) == labels).sum()
        if self._bar is not None and self._bar.update(len(labels)):
            self._bar.set_postfix_str(self._figures(time.perf_counter() - self._start), refresh=False)

    def _figures(self, seconds: float) -> str:
        loss, accuracy = float(self._loss) / self._images, int(self._correct) / self._images
        return f"loss {loss:.4f}, accuracy {accuracy:7.2%}, {self._images / seconds:7,.0f} images/s"

    def finish_epoch(self, results: Results) -> None:
        """Closes the bar, or prints the line, with the figures of the evaluation."""
        line = f"{self._figures(self._seconds)}, {self._seconds:.2f} s, {self.name} accuracy {results.accuracy:.2%}"
        if self._bar is not None:
            self._bar.set_postfix_str(line)
            self._bar.close()
        else:
            print(f"{self._title()}: {line}", file=sys.stderr, flush=True)
        train = self._loss / self._images, self._correct / self._images
        self.history.append(Epoch(*train, results.loss, results.accuracy, self._images, self._seconds))

    @property
    def completed(self) -> int:
        """How many epochs were gone through wholly, none of them cut short by Ctrl-C."""
        return sum(epoch.images == self._total for epoch in self.history)

    def summary(self) -> str:
        """One line about the time."""
        seconds = sum(epoch.seconds for epoch in self.history)
        images = sum(epoch.images for epoch in self.history)
        return (
            f"{len(self.history)} epochs in {seconds:.1f} s of training: {seconds / len(self.history):.2f} s an epoch, "
            f"{images / seconds:,.0f} images/s"
        )


# -- checkpoint ------------------------------------------------------------------------------------------------


def save_checkpoint(
    path: Path, model: nn.Module, optimizer: tg.optim.Optimizer, epoch: int, accuracy: float, args: argparse.Namespace
) -> None:
    """Writes all that is needed to use the network, or to go on training it.

    Args:
        path: the ``.npz`` file to write.
        model: the network.
        optimizer: what trained it.
        epoch: how many epochs it was trained.
        accuracy: what part of the test (or validation) images it reads rightly.
        args: the options that it was trained with.
    """
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": epoch,
        "accuracy": accuracy,
        "arguments": {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()},
    }
    tg.save(content, path)


def verify_checkpoint(path: Path, model: nn.Module, dataset: Dataset) -> None:
    """Loads a checkpoint, and ends the program if the network in it does not read as well as the one that was saved.

    Args:
        path: the checkpoint.
        model: a new network of the same kind.
        dataset: the images that the accuracy in the checkpoint was measured on.
    """
    saved = tg.load(path)
    model.load_state_dict(saved["model"])
    accuracy = evaluate(model, dataset).accuracy
    if accuracy != saved["accuracy"]:
        sys.exit(f"{path}: loaded back, the network reads {accuracy:.2%} rightly, not {saved['accuracy']:.2%}.")


def all_images(dataset: Dataset) -> np.ndarray:
    """The images of a data set of pairs (image, label), as one array of shape (N, H, W)."""
    images, _ = next(iter(DataLoader(dataset, len(dataset))))
    return images.numpy()[:, 0]
