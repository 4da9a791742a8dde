"""Averages of a model's weights over the course of training."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, Literal

from tensorgrad import backend
from tensorgrad.autograd import no_grad, versions
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.backend import Array
from tensorgrad.nn.module import Module
from tensorgrad.nn.normalization import BatchNorm1d, BatchNorm2d, BatchNorm3d
from tensorgrad.optim.lr_scheduler.base import LRScheduler, for_groups
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.options import plain

Average = Callable[[Array, Array, int], Array]
"""From the average so far, the weights now and the number of those averaged: the new average."""
AverageOfAll = Callable[[list[Array], list[Array], int], None]
"""As :data:`Average`, of all weights at once, in place."""


def get_swa_avg_fn() -> Average:
    """The mean of all: each counts alike."""

    def average(averaged: Array, now: Array, count: int) -> Array:
        return averaged + (now - averaged) / (count + 1)

    return average


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average: what was averaged before counts ``decay`` times as much with each update.

    Raises:
        ValueError: unless ``decay`` is in [0, 1].
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"decay is in [0, 1], got {decay}.")

    def average(averaged: Array, now: Array, count: int) -> Array:
        return decay * averaged + (1 - decay) * now

    return average


def get_swa_multi_avg_fn() -> AverageOfAll:
    """:func:`get_swa_avg_fn` of all weights at once."""
    return _of_all(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageOfAll:
    """:func:`get_ema_avg_fn` of all weights at once."""
    return _of_all(get_ema_avg_fn(decay))


def _of_all(average: Average) -> AverageOfAll:
    def averages(averaged: list[Array], now: list[Array], count: int) -> None:
        for array, value in zip(averaged, now, strict=True):
            array[...] = average(array, value, count)

    return averages


class AveragedModel(Module):
    """A copy of a model whose weights are an average of the model's in the course of training.

    Source: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization" (2018); the moving
    average: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992).

    Args:
        model: the model.
        device: where the copy is; where the model is, if not given.
        avg_fn: how to average, a function of arrays: (average, weight now, how many were averaged) to the new average;
            the mean of all, if not given.
        multi_avg_fn: in the place of it, a function that changes all averages at once: (averages, weights now, how
            many were averaged), the first two lists of arrays.
        use_buffers: whether buffers (running means and variances) are averaged, too; they are copied otherwise.

    Raises:
        ValueError: if both ``avg_fn`` and ``multi_avg_fn`` are given.

    Attributes:
        module: the copy.
        n_averaged: how many were averaged.

    Example:
        >>> import tensorgrad as tg
        >>> model = tg.nn.Linear(1, 1, bias=False)
        >>> averaged = tg.optim.swa_utils.AveragedModel(model, avg_fn=tg.optim.swa_utils.get_ema_avg_fn(0.5))
        >>> for value in (4.0, 2.0, 0.0):
        ...     _ = tg.nn.init.constant_(model.weight, value)
        ...     averaged.update_parameters(model)
        >>> averaged.module.weight.item()
        1.5
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: str | None = None,
        avg_fn: Average | None = None,
        multi_avg_fn: AverageOfAll | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel takes avg_fn or multi_avg_fn, not both.")
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", Tensor(0, dtype="int64"))
        self.multi_avg_fn = multi_avg_fn or _of_all(get_swa_avg_fn() if avg_fn is None else avg_fn)
        self.use_buffers = use_buffers
        if device is not None:
            self.to(device)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the weights of ``model`` as they are now into the average; the first time, as they are.

        Raises:
            ValueError: if it has other parameters than the one this was made of.
        """
        mine, theirs = dict(self.module.named_parameters()), dict(model.named_parameters())
        if mine.keys() != theirs.keys() or any(mine[name].shape != theirs[name].shape for name in mine):
            raise ValueError("the model has other parameters than the one that this is the average of.")
        buffers = zip(self.module.buffers(), model.buffers(), strict=True)
        pairs: list[tuple[Tensor, Tensor, bool]] = [(mine[name], theirs[name], True) for name in mine]
        pairs += [(average, now, self.use_buffers) for average, now in buffers]
        count = int(self.n_averaged.item())
        averaged: list[tuple[Array, Array]] = []
        copied: list[tuple[Array, Array]] = []
        for average, now, wanted in pairs:
            counts = wanted and count and average.dtype.kind == "f"
            (averaged if counts else copied).append((average.data, backend.transfer(now.data, average.device)))
        if averaged:
            arrays, values = map(list, zip(*averaged, strict=True))
            self.multi_avg_fn(arrays, values, count)
        for array, value in copied:
            array[...] = value
        for average, _, _ in pairs:
            versions.mark(average.data, "AveragedModel.update_parameters")
        self.n_averaged = Tensor(count + 1, dtype="int64", device=self.n_averaged.device)


@no_grad()
def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Computes the running means and variances of batch normalisation anew, as the mean over all batches.

    They were those of other weights, if the model's are an average.

    Args:
        loader: batches; of those that are tuples or lists, the first entry is given to the model.
        model: the model; it is in the mode (training or evaluation) afterwards that it is in now.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, (BatchNorm1d, BatchNorm2d, BatchNorm3d))]
    layers = [layer for layer in layers if layer.running_mean is not None]
    if not layers:
        return
    before, training = [layer.momentum for layer in layers], model.training
    for layer in layers:
        layer.reset_running_stats()
        # None: the mean of all.
        layer.momentum = None
    model.train()
    try:
        for batch in loader:
            model(batch[0] if isinstance(batch, (tuple, list)) else batch)
    finally:
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum
        model.train(training)


class SWALR(LRScheduler):
    """From the learning rate that there is to ``swa_lr``, at which weights are averaged, and no further.

    Args:
        optimizer: whose learning rates are set.
        swa_lr: the last learning rate, or a list with one for each group.
        anneal_epochs: how many epochs it takes.
        anneal_strategy: ``"cos"`` or ``"linear"``.
        last_epoch: see :class:`~tensorgrad.optim.lr_scheduler.LRScheduler`.

    Raises:
        ValueError: for options out of range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is 'cos' or 'linear', got {anneal_strategy!r}.")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs is 0 or a positive integer, got {anneal_epochs!r}.")
        self.swa_lrs = list(map(plain, for_groups("swa_lr", optimizer, swa_lr)))
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        epoch = self.last_epoch if self.anneal_epochs else max(self.last_epoch, 1)
        before, now = self._part(epoch - 1), self._part(epoch)
        return [
            last if now == 1 else (lr - before * last) / (1 - before) * (1 - now) + now * last
            for lr, last in zip(self._current(), self.swa_lrs, strict=True)
        ]

    def _part(self, epoch: int) -> float:
        part = min(max(epoch, 0) / max(1, self.anneal_epochs), 1.0)
        return part if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2
