"""The training loop."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import no_grad
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.data.collate import to_tensors
from tensorgrad.data.dataset import TensorDataset
from tensorgrad.data.loader import DataLoader
from tensorgrad.errors import CheckpointError, whole
from tensorgrad.nn.module import Module
from tensorgrad.nn.utils import clip_grad_norm_, clip_grad_value_
from tensorgrad.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.random import Generator, get_rng_state, set_rng_state
from tensorgrad.serialization import format_of, load, save
from tensorgrad.training.batches import (
    Data,
    batches_from,
    check_generators,
    count_of,
    generators_of,
    length_of,
    with_last,
)
from tensorgrad.training.callbacks import Callback, unknown_figure
from tensorgrad.training.checks import require_loss, require_own_optimizer, why_no_number
from tensorgrad.training.history import History
from tensorgrad.training.metrics import Mean, Metric


class Trainer:
    """Trains a model, epoch by epoch, and can be interrupted at any moment.

    With a ``checkpoint``, everything that training depends on is saved: parameters, buffers, optimizer, schedule,
    tensorgrad's random numbers, the place in the data, callbacks and the history. A run that was killed and begun again
    with ``fit(..., resume=True)`` ends with the same bits as one that was not, if its data are a DataLoader (or draw no
    random numbers). Ctrl-C ends the step, saves, says so, and is raised then; a second one is raised at once.

    Args:
        model: called with the input, or inputs, of a batch.
        optimizer: of its parameters.
        criterion: the loss, called with the model's output and the target.
        metrics: figures besides the loss, each a :class:`~tensorgrad.training.metrics.Metric`; a dict gives them other
            names.
        scheduler: of the optimizer's learning rate.
        schedule_by: ``"epoch"`` or ``"batch"``: when the schedule takes a step. One that reduces on plateaus looks at
            ``monitor``.
        monitor: the figure that it looks at.
        callbacks: what else is to happen; see :class:`~tensorgrad.training.Callback`.
        accumulate: over how many batches gradients are summed for a step, as if they were one.
        clip_norm: the largest norm of all gradients together.
        clip_value: the largest absolute value in a gradient.
        scaler: makes losses larger before their gradients are computed, and gradients small again, for mixed precision:
            what has the methods of PyTorch's ``GradScaler``, ``scale``, ``unscale_``, ``step``, ``update`` and those
            for its state. In which precision a loss is computed a subclass says, by ``compute_loss``.
        device: where batches are put; by default where the model's parameters are.
        checkpoint: the file for all of that.
        checkpoint_every: after how many steps it is written, besides after each epoch.

    Attributes:
        epoch: how many epochs were finished.
        batch: how many batches of the next one were.
        step: how many steps the optimizer has taken.
        history: a row of figures for each epoch: ``epoch``, ``loss``, the metrics, both with ``valid_`` before them,
            ``lr`` and ``seconds``.
        stopped: why training ended before the last epoch; empty, if it did not.
        interrupted: whether Ctrl-C was pressed.

    Example:
        >>> from tensorgrad.data import DataLoader, TensorDataset, load_digits
        >>> from tensorgrad.training.metrics import Accuracy
        >>> _ = tg.manual_seed(0)
        >>> model = tg.nn.Sequential(tg.nn.Flatten(), tg.nn.Linear(64, 10))
        >>> trainer = Trainer(
        ...     model, tg.optim.Adam(model.parameters(), lr=0.01), tg.nn.CrossEntropyLoss(), metrics=[Accuracy()]
        ... )
        >>> digits = DataLoader(TensorDataset(*load_digits("train")), batch_size=64, shuffle=True)
        >>> history = trainer.fit(digits, epochs=5)
        >>> history["loss"][0] > history["loss"][-1], history[-1]["accuracy"] > 0.9
        (True, True)
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        criterion: Callable[..., Tensor],
        *,
        metrics: Sequence[Metric] | Mapping[str, Metric] = (),
        scheduler: LRScheduler | ReduceLROnPlateau | None = None,
        schedule_by: str = "epoch",
        monitor: str = "valid_loss",
        callbacks: Sequence[Callback] = (),
        accumulate: int = 1,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        scaler: Any = None,
        device: str | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
    ) -> None:
        if schedule_by not in ("epoch", "batch"):
            raise ValueError(f"the schedule goes by 'epoch' or by 'batch', not by {schedule_by!r}.")
        for name, count in (("accumulate", accumulate), ("checkpoint_every", checkpoint_every)):
            if count is not None and count < 1:
                raise ValueError(f"{name} is 1 or more, got {count}.")
        if checkpoint_every is not None and checkpoint is None:
            raise ValueError("checkpoint_every needs to know where to: give checkpoint, too.")
        if checkpoint is not None and format_of(checkpoint) != ".npz":
            raise ValueError(
                f"the checkpoint of a training is nested, {str(checkpoint)!r} cannot hold it: name it .npz."
            )
        given = metrics.values() if isinstance(metrics, Mapping) else metrics
        for what, kind, objects in (("metrics", Metric, given), ("callbacks", Callback, callbacks)):
            if not isinstance(objects, Iterable) or not all(isinstance(thing, kind) for thing in objects):
                raise TypeError(f"{what} are a list of objects of {kind.__name__}'s subclasses, got {objects!r}.")
        if not callable(criterion):
            raise TypeError(f"a criterion is called with outputs and targets, as nn.MSELoss(); got {criterion!r}.")
        self.model, self.optimizer, self.criterion = model, optimizer, criterion
        self.metrics = dict(metrics) if isinstance(metrics, Mapping) else {metric.name: metric for metric in metrics}
        if len(self.metrics) < len(metrics):
            raise ValueError("two metrics have one name: give a dict, with names of your own.")
        self.scheduler, self.schedule_by, self.monitor = scheduler, schedule_by, monitor
        self.callbacks = list(callbacks)
        self.accumulate, self.clip_norm, self.clip_value = accumulate, clip_norm, clip_value
        self.scaler = scaler
        self.device = device
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        self.checkpoint_every = checkpoint_every
        self.epoch = self.batch = self.step = 0
        self.history, self.stopped = History(), ""
        self._loss, self._began = Mean(), 0.0
        self._generators: list[Generator] = []
        self._at_start: dict[str, Any] = {"rng": get_rng_state(), "data": []}
        self._data_now: list[Any] | None = None
        self.interrupted = False

    # -- training ------------------------------------------------------------------------------------------

    def fit(self, train: Data, epochs: int, valid: Data | None = None, resume: bool = False) -> History:
        """Trains until so many epochs were finished.

        Args:
            train: batches, each an input (or several) and a target: a DataLoader, or anything that can be gone through
                in each epoch.
            epochs: how many there are to be in the end, those before included.
            valid: batches to look at after each epoch.
            resume: whether to go on from ``checkpoint``, where there is such a file.

        Returns:
            The history.

        Raises:
            ValueError: if there are no batches, or fewer than 0 epochs.
            TypeError: if data give samples one by one and no batches.
            FloatingPointError: if the loss is no number.
            CheckpointError: if the file is no checkpoint of such a training.
        """
        if whole("fit(batches, epochs): epochs", epochs) < 0:
            raise ValueError(f"epochs are 0 or more, got {epochs}.")
        require_own_optimizer(self.optimizer, self.model, self.criterion)
        if self.checkpoint is not None:
            # That there can be no such folder is better known now than after an epoch.
            self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        if resume:
            if self.checkpoint is None:
                raise ValueError("fit(resume=True) needs to know from where: give the Trainer a checkpoint.")
            if self.checkpoint.exists():
                state_dict = load(self.checkpoint)
                check_generators(state_dict.get("data"), [*generators_of(train), *generators_of(valid)])
                self.load_state_dict(state_dict)
        else:
            self.stopped = ""
        self._generators = [*generators_of(train), *generators_of(valid)]
        if self._data_now is not None:
            self._set_data(self._data_now)
            self._data_now = None
        with self._finishing_on_ctrl_c():
            self._tell("on_fit_begin")
            try:
                while self.epoch < epochs and not self.stopped:
                    self._train_epoch(train)
                    self._end_epoch(valid)
            finally:
                self._tell("on_fit_end")
        return self.history

    def stop(self, reason: str = "asked to") -> None:
        """Ends training after this epoch; for callbacks."""
        self.stopped = reason

    def compute_loss(self, inputs: Sequence[Any], target: Any) -> tuple[Tensor, Any]:
        """The loss of a batch, and the model's output; a subclass may do it in another way."""
        output = self.model(*inputs)
        return self.criterion(output, target), output

    def _loss_of(self, inputs: Sequence[Any], target: Any) -> tuple[Tensor, Any]:
        loss, output = self.compute_loss(inputs, target)
        require_loss(loss)
        return loss, output

    def _train_epoch(self, train: Data) -> None:
        self.model.train()
        skipped, rng_now = self.batch, get_rng_state()
        if skipped:
            # The rest of the batches is that of the epoch as it began.
            set_rng_state(self._at_start["rng"])
            self._set_data(self._at_start["data"])
        else:
            self._at_start = {"rng": rng_now, "data": self._data_state()}
            self._loss.reset()
            for metric in self.metrics.values():
                metric.reset()
        self._began = time.perf_counter()
        self._tell("on_epoch_begin", length_of(train))
        self.optimizer.zero_grad()
        samples, number, batches = 0, skipped, batches_from(train, skipped)
        if skipped:
            set_rng_state(rng_now)
        for number, (batch, last) in enumerate(with_last(batches), start=skipped + 1):
            inputs, target = self._parts(batch)
            loss, output = self._loss_of(inputs, target)
            count, value = count_of(inputs[0]), loss.item()
            if not np.isfinite(value):
                raise FloatingPointError(
                    f"the loss is {value} in epoch {self.epoch + 1}, batch {number}: {why_no_number(inputs, target)}"
                )
            weighted = loss if self.accumulate == 1 else loss * count
            (weighted if self.scaler is None else self.scaler.scale(weighted)).backward()
            samples += count
            self._loss.update(value, count)
            for metric in self.metrics.values():
                metric.update(output.detach() if isinstance(output, Tensor) else output, target)
            stepped = last or number % self.accumulate == 0
            if stepped:
                self._take_step(samples)
                samples, self.batch = 0, number
            self._tell("on_batch_end", value)
            if stepped:
                self._between_steps(last)
        if not number:
            raise ValueError("fit() got no batches. Was an iterator used up? Give a list or a DataLoader.")

    def _take_step(self, samples: int) -> None:
        parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        if self.accumulate > 1:
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad = parameter.grad / samples
        if self.clip_value is not None:
            clip_grad_value_(parameters, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm_(parameters, self.clip_norm)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.optimizer.zero_grad()
        self.step += 1
        if self.scheduler is not None and self.schedule_by == "batch":
            self._schedule({"loss": self._loss.compute()})

    def _between_steps(self, last: bool) -> None:
        """Saves now and then, and where Ctrl-C was pressed; after the last step that is done with the epoch."""
        due = self.checkpoint_every and self.step % self.checkpoint_every == 0 and not last
        if self.checkpoint is not None and (due or self.interrupted):
            self.save(self.checkpoint)
        self._leave_if_interrupted()

    def _leave_if_interrupted(self) -> None:
        if self.interrupted:
            saved = "" if self.checkpoint is None else f", saved in {str(self.checkpoint)!r} (go on with resume=True)"
            inside = f"in epoch {self.epoch + 1}, after batch {self.batch}"
            print(f"interrupted {inside if self.batch else f'after epoch {self.epoch}'}{saved}.", file=sys.stderr)
            raise KeyboardInterrupt

    def _end_epoch(self, valid: Data | None) -> None:
        row: dict[str, Any] = {"epoch": self.epoch + 1, "loss": self._loss.compute()}
        row |= {name: _plain(metric.compute()) for name, metric in self.metrics.items()}
        row["lr"] = self.optimizer.param_groups[0]["lr"]
        if valid is not None:
            row |= {f"valid_{name}": value for name, value in self.evaluate(valid).items()}
        row["seconds"] = round(time.perf_counter() - self._began, 3)
        if self.scheduler is not None and self.schedule_by == "epoch":
            self._schedule(row)
        self.epoch, self.batch = self.epoch + 1, 0
        self.history.append(row)
        self._tell("on_epoch_end", row)
        if self.checkpoint is not None:
            self.save(self.checkpoint)
        self._leave_if_interrupted()

    def _schedule(self, row: Mapping[str, Any]) -> None:
        if isinstance(self.scheduler, ReduceLROnPlateau):
            if self.monitor not in row:
                raise KeyError(unknown_figure("the schedule looks at", self.monitor, row))
            self.scheduler.step(row[self.monitor])
        elif self.scheduler is not None:
            self.scheduler.step()

    # -- looking -------------------------------------------------------------------------------------------

    def evaluate(self, data: Data) -> dict[str, Any]:
        """The loss and the metrics of batches, of all samples together, in evaluation mode and without gradients.

        Args:
            data: batches, each an input (or several) and a target.

        Returns:
            ``{"loss": ..., metric: ...}``.

        Raises:
            ValueError: if there are no batches.
        """
        loss, kept = Mean(), {name: metric.state_dict() for name, metric in self.metrics.items()}
        try:
            for metric in self.metrics.values():
                metric.reset()
            with self._evaluating():
                for batch in batches_from(data):
                    inputs, target = self._parts(batch)
                    value, output = self._loss_of(inputs, target)
                    loss.update(value.item(), count_of(inputs[0]))
                    for metric in self.metrics.values():
                        metric.update(output, target)
            if not loss.count:
                raise ValueError("evaluate() got no batches. Was an iterator used up? Give a list or a DataLoader.")
            return {"loss": loss.compute(), **{name: _plain(m.compute()) for name, m in self.metrics.items()}}
        finally:
            # The training's own figures go on.
            for name, metric in self.metrics.items():
                metric.load_state_dict(kept[name])

    def predict(self, data: Any, batch_size: int = 256) -> Tensor:
        """The model's outputs, in evaluation mode and without gradients.

        Args:
            data: an array or Tensor of inputs; or batches, of inputs alone or as :meth:`fit` takes them: of a tuple of
                several parts the last is the target, and is left out.
            batch_size: of an array.

        Returns:
            The outputs of all samples, one below the other.
        """
        if isinstance(data, Tensor) or backend.of(data) is not None:
            data = DataLoader(TensorDataset(data), batch_size)
        outputs = []
        with self._evaluating():
            for batch in batches_from(data):
                inputs = batch[: max(1, len(batch) - 1)] if isinstance(batch, (tuple, list)) else (batch,)
                outputs.append(self.model(*(to_tensors(x, self._device()) for x in inputs)).data)
        if not outputs:
            raise ValueError("predict() got no batches.")
        return Tensor(backend.namespace(outputs[0]).concatenate(outputs))

    @contextlib.contextmanager
    def _evaluating(self) -> Iterator[None]:
        training = self.model.training
        self.model.eval()
        try:
            with no_grad():
                yield
        finally:
            self.model.train(training)

    def _parts(self, batch: Any) -> tuple[list[Any], Any]:
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            alone = " of 1" if isinstance(batch, (tuple, list)) else ""
            raise ValueError(
                f"a batch is an input (or several) and a target, got {type(batch).__name__}{alone}. Arrays go into a "
                "DataLoader(TensorDataset(x, y), batch_size)."
            )
        *inputs, target = (to_tensors(part, self._device()) for part in batch)
        return inputs, target

    def _device(self) -> str | None:
        if self.device is not None:
            return self.device
        return next((parameter.device for parameter in self.model.parameters()), None)

    # -- going on ------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str] | None = None) -> None:
        """Writes everything that training goes on from, wholly or not at all; by default to ``checkpoint``."""
        where = path or self.checkpoint
        if where is None:
            raise ValueError("save() needs a path, or the Trainer a checkpoint.")
        save(self.state_dict(), where)

    def state_dict(self) -> dict[str, Any]:
        """All that training depends on, functions and data aside."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
            "metrics": {name: metric.state_dict() for name, metric in self.metrics.items()},
            "loss": self._loss.state_dict(),
            "epoch": self.epoch,
            "batch": self.batch,
            "step": self.step,
            "stepped": self.optimizer.stepped,
            "history": list(self.history),
            "stopped": self.stopped,
            "rng": get_rng_state(),
            "data": self._data_state(),
            "at_start": self._at_start,
            **({} if self.scaler is None else {"scaler": self.scaler.state_dict()}),
        }

    def _data_state(self) -> list[Any]:
        return [generator.get_state() for generator in self._generators]

    def _set_data(self, states: Sequence[Any]) -> None:
        check_generators(states, self._generators)
        for generator, state in zip(self._generators, states, strict=True):
            generator.set_state(state)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes back, or on, to what :meth:`state_dict` gave.

        Raises:
            CheckpointError: if it is not the state of such a training; nothing is changed then.
        """
        before = copy.deepcopy(self.state_dict())
        try:
            self._load(state_dict)
        except Exception as error:
            self._load(before)
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(
                f"this is not the state of such a training, and nothing was loaded: {error}"
            ) from error

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        missing = sorted({*self.state_dict()} - {*state_dict})
        if missing:
            raise CheckpointError(f"this is not the state of a training: {missing} missing.")
        mine, theirs = len(self.callbacks), len(state_dict["callbacks"])
        if mine != theirs or (self.scheduler is None) != (state_dict["scheduler"] is None):
            raise CheckpointError(
                f"this is the state of another training: it had {theirs} callbacks and "
                f"{'a' if state_dict['scheduler'] else 'no'} schedule, this one has {mine} and "
                f"{'no' if self.scheduler is None else 'a'} schedule."
            )
        strangers = sorted({*self.metrics} - {*state_dict["metrics"]})
        if strangers:
            raise CheckpointError(
                f"this is the state of another training: it had the metrics {sorted(state_dict['metrics'])}, and not "
                f"{strangers}."
            )
        self.model.load_state_dict(state_dict["model"])
        self.optimizer.load_state_dict(state_dict["optimizer"])
        self.optimizer.stepped = state_dict["stepped"]
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state_dict["scheduler"])
        if self.scaler is not None:
            self.scaler.load_state_dict(state_dict["scaler"])
        for callback, state in zip(self.callbacks, state_dict["callbacks"], strict=True):
            callback.load_state_dict(state)
        for name, metric in self.metrics.items():
            metric.load_state_dict(state_dict["metrics"][name])
        self._loss.load_state_dict(state_dict["loss"])
        self.epoch, self.batch, self.step, self.stopped = (
            state_dict[name] for name in ("epoch", "batch", "step", "stopped")
        )
        self._data_now = list(state_dict["data"])
        self.history, self._at_start = History(state_dict["history"]), dict(state_dict["at_start"])
        set_rng_state(state_dict["rng"])

    @contextlib.contextmanager
    def _finishing_on_ctrl_c(self) -> Iterator[None]:
        """Ctrl-C waits for the end of the step; a second one does not."""
        self.interrupted = False
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(number: int, frame: Any) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        before = signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _tell(self, moment: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, moment)(self, *arguments)


def _plain(value: Any) -> Any:
    """An array of figures as a list."""
    return value.tolist() if isinstance(value, np.ndarray) else value
