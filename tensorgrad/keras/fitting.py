"""From what Keras's fit is given to what a Trainer takes: batches, and callbacks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tensorgrad import backend, training
from tensorgrad.autograd import Tensor
from tensorgrad.autograd.conversion import about_names
from tensorgrad.data import DataLoader, Dataset
from tensorgrad.keras.callbacks import Callback, Logs
from tensorgrad.keras.config import floatx
from tensorgrad.keras.losses import Loss
from tensorgrad.keras.metrics import Metric
from tensorgrad.ops.creation import asarray
from tensorgrad.training import Trainer

# -- data ------------------------------------------------------------------------------------------------------


def as_array(name: str, data: Any) -> Any:
    """An array of samples, of floatx where it is wider.

    Raises:
        TypeError: for what is no array of numbers.
    """
    array = data.data if isinstance(data, Tensor) else data
    if backend.of(array) is None:
        array = np.asarray(array)
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise TypeError(
            f"{name} is an array of numbers with a sample in each row, got dtype {array.dtype} and shape "
            f"{array.shape}.{about_names(array) or ' Are the rows of different lengths?'}"
        )
    return array.astype(floatx()) if array.dtype == np.float64 and floatx() != "float64" else array


class Samples(Dataset):
    """Rows of arrays, as Keras's fit takes them.

    Args:
        x: inputs.
        y: targets, or None.
        weight: what each sample counts, or None.

    Raises:
        ValueError: if they have different numbers of rows.
    """

    def __init__(self, x: Any, y: Any = None, weight: Any = None) -> None:
        self.parts = {"x": as_array("x", x)}
        if y is not None:
            self.parts["y"] = as_array("y", y)
        if weight is not None:
            self.parts["sample_weight"] = as_array("sample_weight", weight)
        counts = {name: len(part) for name, part in self.parts.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
            raise ValueError(f"there must be as many targets as samples: {listed}.")

    def __len__(self) -> int:
        return len(self.parts["x"])

    def __getitem__(self, index: Any) -> Any:
        return self.batch(np.asarray([index]))

    def batch(self, indices: np.ndarray) -> Any:
        """The samples of these indices: x, and y with what they count."""
        rows = {name: _rows(part, indices) for name, part in self.parts.items()}
        return rows["x"], (rows.get("y"), rows.get("sample_weight"))

    def weigh(self, class_weight: Mapping[int, float] | None) -> None:
        """Lets samples count by their class; 1, where it is not said.

        Args:
            class_weight: what those of each class count; the targets are integers, (N,) or (N, 1), or one-hot, (N, C).

        Raises:
            ValueError: if there are no targets to go by.
        """
        if class_weight is None:
            return
        if "y" not in self.parts:
            raise ValueError("class_weight needs targets to go by: give y.")
        target = asarray(self.parts["y"]).numpy()
        labels = target.argmax(axis=-1) if target.ndim > 1 and target.shape[-1] > 1 else target.reshape(len(target))
        weight = np.array([class_weight.get(int(label), 1.0) for label in labels], floatx())
        self.parts["sample_weight"] = weight * self.parts.get("sample_weight", 1)

    def split(self, fraction: float) -> tuple[Samples, Samples]:
        """The first samples, and the last ones: this fraction of all.

        Raises:
            ValueError: if it is not between 0 and 1, or one of the two has no samples.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"validation_split is between 0 and 1, got {fraction}.")
        at = math.floor(len(self) * (1 - fraction))
        if not 0 < at < len(self):
            raise ValueError(f"a validation_split of {fraction} leaves one part of {len(self)} samples empty.")
        parts = [self.parts.get(name) for name in ("x", "y", "sample_weight")]
        first, last = (
            [None if part is None else part[place] for part in parts] for place in (slice(at), slice(at, None))
        )
        return Samples(*first), Samples(*last)


def _rows(array: Any, indices: np.ndarray) -> Any:
    return array.take(backend.transfer(indices, backend.device_of(array)), axis=0)


class Batches:
    """Batches of others as x, and y with what its samples count.

    Args:
        batches: each ``(x, y)``, ``(x, y, sample_weight)`` or, where there are no targets, ``x``.
        steps: how many make an epoch; None: all. What is left is for the next epoch.
    """

    def __init__(self, batches: Iterable[Any], steps: int | None = None) -> None:
        self.batches, self.steps = batches, steps
        self._left: Iterator[Any] | None = None

    def __len__(self) -> int:
        return self.steps if self.steps is not None else len(self.batches)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        return map(_standard, self.batches if self.steps is None else itertools.islice(self._endless(), self.steps))

    def _endless(self) -> Iterator[Any]:
        """One batch after the other, from the beginning again where there are no more, if there is a beginning."""
        began = False
        while True:
            if self._left is None:
                self._left, began = iter(self.batches), True
            batch = next(self._left, None)
            if batch is not None:
                began = False
                yield batch
            elif began or self._left is self.batches:
                return
            else:
                self._left = None

    def first(self) -> Any:
        """The first batch; it comes again."""
        batch = next(iter(self.batches), None)
        if batch is None:
            raise ValueError("there are no batches. Was an iterator used up?")
        if iter(self.batches) is self.batches:
            self.batches = itertools.chain([batch], self.batches)
        return _standard(batch)


def _standard(batch: Any) -> Any:
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if len(parts) == 2 and isinstance(parts[1], tuple):
        return parts
    if len(parts) > 3:
        raise ValueError(f"a batch is (x, y) or (x, y, sample_weight), got {len(parts)} parts.")
    x, y, weight = (*parts, None, None)[:3]
    named = (("x", x), ("y", y), ("sample_weight", weight))
    x, y, weight = (None if part is None else as_array(name, part) for name, part in named)
    return x, (y, weight)


def as_samples(x: Any, y: Any = None, weight: Any = None) -> Any:
    """Arrays as :class:`Samples`; what gives batches, or is a dataset, as it is.

    Raises:
        ValueError: for no data, or targets beside what has them.
    """
    if x is None:
        raise ValueError("there are no data: give x.")
    arrays = isinstance(x, (Tensor, np.ndarray, list, tuple)) or backend.of(x) is not None or hasattr(x, "__array__")
    if arrays or not (isinstance(x, Dataset) or hasattr(x, "__iter__")):
        return Samples(x, y, weight)
    if y is not None or weight is not None:
        raise ValueError(f"{type(x).__name__} has its targets with it: y and sample_weight are not given.")
    return x


def batches_of(data: Any, batch_size: int | None, shuffle: bool = False, steps: int | None = None) -> Batches:
    """Batches for a Trainer of what :func:`as_samples` gave.

    Raises:
        ValueError: for a ``batch_size`` below 1.
    """
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size is 1 or more, got {batch_size}.")
    if isinstance(data, Dataset):
        data = DataLoader(data, batch_size or 32, shuffle=shuffle)
    return Batches(data, steps)


def first_input(batches: Batches) -> Any:
    """An input to build a model with. No random numbers are drawn for it, where there is another way."""
    dataset = getattr(batches.batches, "dataset", None)
    if isinstance(dataset, Samples) and len(dataset):
        return dataset.parts["x"][:1]
    return batches.first()[0]


# -- the trainer ------------------------------------------------------------------------------------------------


class Tracked(training.metrics.Metric):
    """A metric of Keras's as a Trainer updates it; the target is ``(y, sample_weight)``."""

    def __init__(self, metric: Metric, weighted: bool) -> None:
        self.name, self.metric, self.weighted = metric.name, metric, weighted

    def reset(self) -> None:
        self.metric.reset_state()

    def update(self, output: Any, target: Any) -> None:
        y, weight = target
        # Metrics of other people's need not know of weights.
        self.metric.update_state(y, output, **({"sample_weight": weight} if self.weighted else {}))

    def compute(self) -> Any:
        return self.metric.compute()

    def state_dict(self) -> dict[str, Any]:
        return self.metric.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        self.metric.load_state_dict(state_dict)


class KerasTrainer(Trainer):
    """A Trainer of a compiled model: it adds penalties to the loss, and tells callbacks what Keras tells them."""

    def __init__(self, model: Any, callbacks: Sequence[Callback], params: Mapping[str, Any]) -> None:
        self.keras_callbacks = [*callbacks]
        self.loss: Loss = model.compiled_loss
        self._tests = 0
        self._wants_figures = any(
            getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
            for callback in callbacks
            for name in ("on_train_batch_end", "on_batch_end")
        )
        for callback in callbacks:
            callback.set_model(model)
            callback.set_params(params)
        super().__init__(model, model.optimizer.inner, self.loss, metrics=model.tracked, callbacks=[_Bridge()])

    def tell(self, moment: str, *arguments: Any) -> None:
        """Calls a method of all callbacks."""
        for callback in self.keras_callbacks:
            getattr(callback, moment)(*arguments)

    def figures(self) -> Logs:
        """Those of the epoch so far."""
        values = {name: metric.compute() for name, metric in self.metrics.items()}
        return {"loss": self._loss.compute(), **values} if self._wants_figures else {}

    def compute_loss(self, inputs: Sequence[Any], target: Any) -> tuple[Tensor, Any]:
        """The loss of a batch with the penalties, and the model's output."""
        training_now = self.model.training
        if training_now:
            self.tell("on_train_batch_begin", self.batch, {})
        else:
            self.tell("on_test_batch_begin", self._tests, {})
        y, weight = target
        if y is None:
            raise ValueError("there are no targets to compare the outputs with: give y, or batches (x, y).")
        output = self.model(*inputs)
        loss = self.loss(y, output, weight)
        if loss.ndim:
            loss = loss.mean()
        for penalty in self.model.losses:
            loss = loss + penalty
        if not training_now:
            self.tell("on_test_batch_end", self._tests, {"loss": loss.item()})
            self._tests += 1
        return loss, output

    def evaluate(self, data: Any) -> dict[str, Any]:
        """The loss and the metrics of batches."""
        self._tests = 0
        self.tell("on_test_begin", {})
        figures = super().evaluate(data)
        self.tell("on_test_end", dict(figures))
        return figures

    def _take_step(self, samples: int) -> None:
        self.model.optimizer.prepare_step()
        super()._take_step(samples)


class _Bridge(training.Callback):
    """Passes on to Keras's callbacks what a Trainer tells its own."""

    def on_fit_begin(self, trainer: Any) -> None:
        trainer.tell("on_train_begin", {})

    def on_epoch_begin(self, trainer: Any, batches: int | None) -> None:
        trainer.tell("on_epoch_begin", trainer.epoch, {})

    def on_batch_end(self, trainer: Any, loss: float) -> None:
        trainer.tell("on_train_batch_end", trainer.batch - 1, trainer.figures())

    def on_epoch_end(self, trainer: Any, row: dict[str, Any]) -> None:
        logs = figures_of(row)
        trainer.tell("on_epoch_end", trainer.epoch - 1, logs)
        if trainer.model.stop_training:
            trainer.stop()

    def on_fit_end(self, trainer: Any) -> None:
        trainer.tell("on_train_end", figures_of(trainer.history[-1]) if trainer.history else {})


def figures_of(row: Mapping[str, Any]) -> Logs:
    """A row of a Trainer's history as Keras's logs."""
    renamed = {
        f"val_{name.removeprefix('valid_')}" if name.startswith("valid_") else name: v for name, v in row.items()
    }
    return {name: value for name, value in renamed.items() if name not in ("epoch", "lr", "seconds")}
