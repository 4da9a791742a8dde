"""Shows how a training goes, keeps its figures, and ends it in good order when Ctrl-C is pressed."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from evaluation import Results

import tensorgrad as tg
from tensorgrad.data import DataLoader


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
