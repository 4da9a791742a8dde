"""What happens at certain moments of ``fit``, with Keras's methods; the work is done by :mod:`tensorgrad.training`."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tensorgrad import training
from tensorgrad.optim import lr_scheduler

Logs = dict[str, Any]
HIGH_IS_GOOD = re.compile(r"acc|auc|precision|recall|f1|r2|positives$|negatives$|similarity")


class Callback:
    """The base class of callbacks: methods that ``fit``, ``evaluate`` and ``predict`` call; all do nothing here.

    ``logs`` has the figures so far. Setting ``self.model.stop_training = True`` ends training after the epoch.

    Attributes:
        model: the model.
        params: how many ``epochs`` and ``steps`` there are, and ``verbose``.

    Example:
        >>> class Print(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, sorted(logs))
    """

    model: Any = None
    params: Mapping[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Is told the model."""
        self.model = model

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Is told how long it will be."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch; the first is 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch, with the figures of it and of validation."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of training; the first of an epoch is 0."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of training, with the figures of the epoch so far."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of training."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of training."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before evaluation, also that of validation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After prediction."""


class LambdaCallback(Callback):
    """Functions as callbacks.

    Args:
        functions: by the names of the methods of :class:`Callback`, called with their arguments.

    Example:
        >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch)).on_epoch_end(0, {})
        0
    """

    def __init__(self, **functions: Callable[..., Any] | None) -> None:
        for name, function in functions.items():
            if not name.startswith("on_") or not hasattr(Callback, name):
                known = ", ".join(name for name in vars(Callback) if name.startswith("on_"))
                raise TypeError(f"LambdaCallback knows {known}, not {name!r}.")
            if function is not None:
                setattr(self, name, function)


class History(Callback):
    """What ``fit`` returns: the figures of each epoch.

    Attributes:
        history: a list for each figure, by its name: ``loss``, those of the metrics, both with ``val_`` before them.
        epoch: the numbers of the epochs, from 0.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


# -- what looks at a figure --------------------------------------------------------------------------------------


def direction(monitor: str, mode: str) -> str:
    """``"min"`` or ``"max"``; of ``"auto"``, by what the figure is called.

    Raises:
        ValueError: for another mode.
    """
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"the modes are 'auto', 'min' and 'max', not {mode!r}.")
    if mode != "auto":
        return mode
    return "max" if HIGH_IS_GOOD.search(monitor) and "loss" not in monitor else "min"


class _Trained:
    """What callbacks of :mod:`tensorgrad.training` need of a trainer, with a model of Keras's."""

    interrupted = False

    def __init__(self, model: Any) -> None:
        self.model = model

    def stop(self, reason: str = "") -> None:
        self.model.stop_training = True


class EarlyStopping(Callback):
    """Ends training when a figure has not become better for some epochs, :class:`tensorgrad.training.EarlyStopping`.

    Args:
        monitor: the figure.
        min_delta: a smaller change is none.
        patience: for how many epochs.
        verbose: 1 to say so.
        mode: ``"min"`` if small is good, ``"max"``, or ``"auto"``: by the name of the figure.
        baseline: what has to be bettered first.
        restore_best_weights: whether the model is given back, at the end, the weights that were best.
        start_from_epoch: epochs before this one do not count.

    Example:
        >>> callback = EarlyStopping(monitor="val_accuracy", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        self.monitor, self.min_delta, self.patience, self.verbose = monitor, abs(min_delta), patience, verbose
        self.mode, self.baseline = direction(monitor, mode), baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.stopped_epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begins to count."""
        patience, keep = max(self.patience, 1), self.restore_best_weights
        self._stopping = training.EarlyStopping(self.monitor, patience, self.min_delta, self.mode, keep)
        self._trainer = _Trained(self.model)
        self.stopped_epoch = 0

    @property
    def best(self) -> float:
        """The best figure so far."""
        return float(self._stopping.best)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the figure."""
        if epoch < self.start_from_epoch:
            return
        waited, row = self._stopping.waited, dict(logs or {})
        self._stopping.on_epoch_end(self._trainer, row)
        if self.baseline is not None and self._stopping.waited == 0 and not self._beats(row[self.monitor]):
            # A figure that is the best but does not beat the baseline does not count.
            self._stopping.waited = waited + 1
            if self._stopping.waited >= max(self.patience, 1):
                self._trainer.stop()
        if self.model.stop_training:
            self.stopped_epoch = epoch
            if self.verbose:
                print(f"Epoch {epoch + 1}: early stopping")

    def _beats(self, value: float) -> bool:
        assert self.baseline is not None
        if self.mode == "min":
            return bool(value < self.baseline - self.min_delta)
        return bool(value > self.baseline + self.min_delta)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Gives the model its best weights."""
        self._stopping.on_fit_end(self._trainer)


class ModelCheckpoint(Callback):
    """Saves the model after epochs, or when a figure is better than ever.

    Args:
        filepath: the file, such as ``"model.keras"``; with places for the number of the epoch, from 1, and figures:
            ``"{epoch:02d}-{val_loss:.2f}.keras"``.
        monitor: the figure.
        verbose: 1 to say so.
        save_best_only: whether to save only where the figure is better than ever.
        save_weights_only: whether to save the weights alone.
        mode: ``"min"`` if small is good, ``"max"``, or ``"auto"``: by the name of the figure.
        save_freq: ``"epoch"``, or after how many batches.
        initial_value_threshold: what has to be bettered first.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(f"ModelCheckpoint saves every 'epoch' or every so many batches, not {save_freq!r}.")
        self.filepath, self.monitor, self.verbose = os.fspath(filepath), monitor, verbose
        self.save_best_only, self.save_weights_only, self.save_freq = save_best_only, save_weights_only, save_freq
        self.mode, self.best = direction(monitor, mode), initial_value_threshold
        self._batches = self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note of the number."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Saves, if it is time."""
        self._batches += 1
        if self.save_freq != "epoch" and self._batches % int(self.save_freq) == 0:
            self._save(self._epoch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Saves, if it is time."""
        if self.save_freq == "epoch":
            self._save(epoch, logs or {})

    def _save(self, epoch: int, logs: Logs) -> None:
        if self.save_best_only:
            if self.monitor not in logs:
                raise KeyError(f"ModelCheckpoint watches {self.monitor!r}, but an epoch has {', '.join(logs)}.")
            value = logs[self.monitor]
            if self.best is not None and not (value < self.best if self.mode == "min" else value > self.best):
                return
            self.best = value
        try:
            path = self.filepath.format(epoch=epoch + 1, **logs)
        except KeyError as error:
            raise KeyError(
                f"there is no figure {error} for the name {self.filepath!r}; there are {list(logs)}."
            ) from None
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if self.verbose:
            print(f"Epoch {epoch + 1}: saved {path}")


class ReduceLROnPlateau(Callback):
    """Lowers the learning rate when a figure has not become better for some epochs.

    The work is done by :class:`tensorgrad.optim.lr_scheduler.ReduceLROnPlateau`.

    Args:
        monitor: the figure.
        factor: what the learning rate is multiplied by.
        patience: for how many epochs.
        verbose: 1 to say so.
        mode: ``"min"`` if small is good, ``"max"``, or ``"auto"``: by the name of the figure.
        min_delta: a smaller change is none.
        cooldown: how many epochs after it do not count.
        min_lr: it goes no lower.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if not factor < 1:
            raise ValueError(f"ReduceLROnPlateau takes a factor below 1, got {factor}.")
        self.monitor, self.factor, self.patience, self.verbose = monitor, factor, patience, verbose
        self.mode, self.min_delta = direction(monitor, mode), min_delta
        self.cooldown, self.min_lr = cooldown, min_lr
        self._schedule: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begins to count."""
        # PyTorch counts one epoch of patience, and one of cooldown, more.
        self._schedule = lr_scheduler.ReduceLROnPlateau(
            self.model.optimizer.inner,
            "max" if self.mode == "max" else "min",
            self.factor,
            max(self.patience, 1) - 1,
            self.min_delta,
            "abs",
            max(self.cooldown, 1) - 1,
            self.min_lr,
            eps=0.0,
        )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Looks at the figure."""
        logs = {} if logs is None else logs
        optimizer = self.model.optimizer
        before = logs["learning_rate"] = optimizer.learning_rate
        if self.monitor not in logs:
            raise KeyError(f"ReduceLROnPlateau watches {self.monitor!r}, but an epoch has {', '.join(logs)}.")
        for group in optimizer.inner.param_groups:
            group["lr"] = before
        self._schedule.step(logs[self.monitor])
        rate = optimizer.inner.param_groups[0]["lr"]
        if rate < before:
            optimizer.learning_rate = rate
            if self.verbose:
                print(f"Epoch {epoch + 1}: learning rate {before:.6g} -> {rate:.6g}")


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch.

    Args:
        schedule: a function of the number of the epoch, from 0, and of the learning rate (or of the first alone).
        verbose: 1 to say so.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Sets it."""
        optimizer = self.model.optimizer
        try:
            rate = self.schedule(epoch, optimizer.learning_rate)
        except TypeError:
            rate = self.schedule(epoch)
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate {optimizer.learning_rate:.6g}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note of it."""
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


class CSVLogger(Callback):
    """Writes the figures as a table, one line for each epoch.

    Args:
        filename: the file.
        separator: between figures.
        append: whether to go on with a file that is there.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = Path(filename), separator, append
        self._columns: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begins the file."""
        self._columns = []
        if self.append and self.filename.is_file():
            with self.filename.open(newline="") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator), [])
        else:
            self.filename.write_text("")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes a line."""
        row = {"epoch": epoch, **(logs or {})}
        new = not self._columns
        self._columns = self._columns or list(row)
        with self.filename.open("a", newline="") as file:
            options: dict[str, Any] = {"delimiter": self.separator, "lineterminator": "\n", "extrasaction": "ignore"}
            table = csv.DictWriter(file, self._columns, **options)
            if new:
                table.writeheader()
            table.writerow(row)


class TensorBoard(Callback):
    """Writes the figures for TensorBoard, :class:`tensorgrad.training.TensorBoardLogger`.

    Args:
        log_dir: the folder.
    """

    def __init__(self, log_dir: str | os.PathLike[str] = "logs") -> None:
        self._logger = training.TensorBoardLogger(log_dir)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes a point for each figure."""
        self._logger.on_epoch_end(None, {"epoch": epoch, **(logs or {})})
