"""What happens at certain moments of training, besides training: stopping, saving, logging."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorgrad.serialization import format_of, save
from tensorgrad.training.history import short


class Callback:
    """The base class of callbacks: methods that a :class:`~tensorgrad.training.Trainer` calls; all do nothing here.

    ``trainer`` has ``model``, ``optimizer``, ``epoch`` (how many were finished), ``batch`` (of this epoch),
    ``history`` and ``stop(reason)``.
    """

    def on_fit_begin(self, trainer: Any) -> None:
        """Before the first epoch."""

    def on_epoch_begin(self, trainer: Any, batches: int | None) -> None:
        """Before an epoch of so many batches; None: nobody knows."""

    def on_batch_end(self, trainer: Any, loss: float) -> None:
        """After a batch with this loss."""

    def on_epoch_end(self, trainer: Any, row: dict[str, Any]) -> None:
        """After an epoch with these figures, which are in the history."""

    def on_fit_end(self, trainer: Any) -> None:
        """After the last epoch, or after an error."""

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on after an interruption."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state_dict` gave."""


class LambdaCallback(Callback):
    """Functions as callbacks.

    Args:
        functions: by the names of the methods of :class:`Callback`, called with their arguments.

    Example:
        >>> LambdaCallback(on_epoch_end=lambda trainer, row: print(row)).on_epoch_end(None, {"loss": 1.0})
        {'loss': 1.0}
    """

    def __init__(self, **functions: Any) -> None:
        for name, function in functions.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                names = ", ".join(name for name in vars(Callback) if name.startswith("on_"))
                raise TypeError(f"LambdaCallback knows {names}, not {name!r}.")
            setattr(self, name, function)


def unknown_figure(who: str, monitor: str, row: Mapping[str, Any]) -> str:
    """The error for a figure that an epoch has not."""
    hint = " Give fit() valid=..., or look at another." if monitor.startswith("valid_") else ""
    return f"{who} {monitor!r}, but an epoch has {', '.join(row)}.{hint}"


class _Watching(Callback):
    """What looks at whether a figure gets better."""

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"{type(self).__name__} has the modes 'min' and 'max', not {mode!r}.")
        if not min_delta >= 0:
            raise ValueError(f"{type(self).__name__} needs a min_delta of 0 or more, got {min_delta}.")
        self.monitor, self.mode, self.min_delta = monitor, mode, min_delta
        self.best = math.inf if mode == "min" else -math.inf

    def improves(self, row: Mapping[str, Any]) -> bool:
        """Whether the figure is better than ever; remembers it then."""
        if self.monitor not in row:
            raise KeyError(unknown_figure(f"{type(self).__name__} watches", self.monitor, row))
        value = row[self.monitor]
        better = value < self.best - self.min_delta if self.mode == "min" else value > self.best + self.min_delta
        if better:
            self.best = value
        return bool(better)

    def state_dict(self) -> dict[str, Any]:
        """The best figure so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on from there."""
        self.best = state_dict["best"]


class EarlyStopping(_Watching):
    """Ends training when a figure has not become better for some epochs.

    Args:
        monitor: the figure.
        patience: for how many epochs.
        min_delta: a smaller change is none.
        mode: ``"min"`` if small is good, or ``"max"``.
        restore_best: whether the model is given back the weights that were best.
    """

    def __init__(
        self,
        monitor: str = "valid_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = False,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if patience < 1:
            raise ValueError(f"EarlyStopping needs a patience of 1 or more, got {patience}.")
        self.patience, self.restore_best = patience, restore_best
        self.waited = 0
        self.weights: dict[str, Any] | None = None

    def on_epoch_end(self, trainer: Any, row: dict[str, Any]) -> None:
        """Looks at the figure."""
        if self.improves(row):
            self.waited = 0
            if self.restore_best:
                self.weights = {name: value.clone() for name, value in trainer.model.state_dict().items()}
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(f"{self.monitor} did not become better than {self.best:.6g} for {self.patience} epochs")

    def on_fit_end(self, trainer: Any) -> None:
        """Gives the model its best weights, unless it was left in the middle."""
        if self.restore_best and self.weights is not None and not trainer.interrupted:
            trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """The best figure and weights so far, and for how many epochs there was no better one."""
        return {**super().state_dict(), "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on from there."""
        super().load_state_dict(state_dict)
        self.waited, self.weights = state_dict["waited"], state_dict["weights"]


class ModelCheckpoint(_Watching):
    """Saves the model's weights: when a figure is better than ever, or every so many epochs.

    Args:
        path: the file; ``{epoch}`` in it stands for the number of the epoch. Its folder is made.
        monitor: the figure; None to save whatever it is.
        mode: ``"min"`` if small is good, or ``"max"``.
        every: how many epochs lie between two looks.
    """

    def __init__(
        self, path: str | os.PathLike[str], monitor: str | None = "valid_loss", mode: str = "min", every: int = 1
    ) -> None:
        super().__init__(monitor or "", mode)
        if every < 1:
            raise ValueError(f"ModelCheckpoint saves every 1 epoch or more, got {every}.")
        format_of(path)
        self.path, self.every = os.fspath(path), every

    def on_fit_begin(self, trainer: Any) -> None:
        """Makes the folder: that it cannot be is better known now than after an epoch."""
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, trainer: Any, row: dict[str, Any]) -> None:
        """Saves, if it is time."""
        if row["epoch"] % self.every == 0 and (not self.monitor or self.improves(row)):
            save(trainer.model.state_dict(), self.path.replace("{epoch}", str(row["epoch"])))


class _File(Callback):
    """What writes the history to a file.

    Args:
        path: the file; its folder is made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_fit_begin(self, trainer: Any) -> None:
        """Makes the folder: that it cannot be is better known now than after an epoch."""
        self.path.parent.mkdir(parents=True, exist_ok=True)


class CSVLogger(_File):
    """Writes the history as a table, one line for each epoch.

    After an interruption the file is that of the history that training goes on from.

    Args:
        path: the file; its folder is made.
    """

    def on_epoch_end(self, trainer: Any, row: dict[str, Any]) -> None:
        """Writes all of it: a table may get a column late."""
        text = io.StringIO()
        table = csv.DictWriter(text, trainer.history.columns, lineterminator="\n")
        table.writeheader()
        table.writerows(trainer.history)
        _write(self.path, text.getvalue())


class JSONLogger(_File):
    """Writes the history as JSON, an object in a line for each epoch.

    Args:
        path: the file; its folder is made.
    """

    def on_epoch_end(self, trainer: Any, row: dict[str, Any]) -> None:
        """Writes all of it."""
        _write(self.path, "".join(json.dumps(row) + "\n" for row in trainer.history))


def _write(path: Path, text: str) -> None:
    """Wholly or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text)
    beside.replace(path)


class TensorBoardLogger(Callback):
    """Writes the figures for TensorBoard.

    Args:
        folder: where to.

    Raises:
        ImportError: if tensorboardX is missing.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ImportError("TensorBoardLogger writes with tensorboardX: pip install tensorboardX.") from None
        self.writer = SummaryWriter(os.fspath(folder))

    def on_epoch_end(self, trainer: Any, row: dict[str, Any]) -> None:
        """Writes a point for each figure."""
        for name, value in row.items():
            if isinstance(value, (int, float)) and name != "epoch":
                self.writer.add_scalar(name, value, row["epoch"])
        self.writer.flush()


class ProgressBar(Callback):
    """Shows how far an epoch is: a bar of tqdm's in a terminal or a notebook, and a line for each epoch in any case.

    The line has all figures that are numbers, and no tables.

    Args:
        bar: whether there is to be a bar; by default, if standard error is a terminal or this is a notebook, and tqdm
            is installed.
    """

    def __init__(self, bar: bool | None = None) -> None:
        self.wanted = bar
        self.bar: Any = None

    def on_epoch_begin(self, trainer: Any, batches: int | None) -> None:
        """Begins a bar."""
        if self.wanted is False or (self.wanted is None and not (sys.stderr.isatty() or _in_notebook())):
            return
        try:
            with warnings.catch_warnings():
                # A notebook without widgets gets a bar of text, which is good enough not to be warned about.
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm
        except ImportError:
            if self.wanted:
                raise ImportError("ProgressBar draws with tqdm: pip install tqdm.") from None
            return
        self.bar = tqdm(total=batches, initial=trainer.batch, desc=f"epoch {trainer.epoch + 1}", leave=False)

    def on_batch_end(self, trainer: Any, loss: float) -> None:
        """Moves it on."""
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            self.bar.update()

    def on_epoch_end(self, trainer: Any, row: dict[str, Any]) -> None:
        """Writes a line."""
        self.on_fit_end(trainer)
        figures = (f"{name} {short(v)}" for name, v in row.items() if name != "epoch" and not isinstance(v, list))
        print(f"epoch {row['epoch']}: {', '.join(figures)}", file=sys.stderr, flush=True)

    def on_fit_end(self, trainer: Any) -> None:
        """Takes the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"
