"""What Keras's optimizers share: they are made without parameters, and get them when a model is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from tensorgrad import optim
from tensorgrad.autograd import Tensor, no_grad
from tensorgrad.keras.config import epsilon as usual_epsilon
from tensorgrad.keras.optimizers.schedules import InverseTimeDecay, LearningRateSchedule
from tensorgrad.keras.registry import Configured, deserialize, snake_case
from tensorgrad.nn.utils import clip_grad_norm_, clip_grad_value_

COMMON = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "name", "lr", "decay")
Rate = float | LearningRateSchedule | Callable[[int], float]


class Optimizer(Configured):
    """The base class of optimizers: a face on one of :mod:`tensorgrad.optim`.

    Args:
        learning_rate: a number, or a schedule: a function of the number of steps that were taken.
        weight_decay: in each step the weights are first shrunk by ``learning_rate * weight_decay``.
        clipnorm: the largest norm of the gradient of one weight.
        clipvalue: the largest absolute value in a gradient.
        global_clipnorm: the largest norm of all gradients together.
        name: of the optimizer.
        lr: old Keras's name for ``learning_rate``.
        decay: as in old Keras: the learning rate is ``learning_rate / (1 + decay * steps)``.

    Raises:
        ValueError: for options out of range or that exclude each other.
        TypeError: for unknown ones.
    """

    known: ClassVar[dict[str, Any]] = {}
    rule: ClassVar[Callable[..., optim.Optimizer]]

    def __init_subclass__(cls) -> None:
        if cls.__module__.startswith("tensorgrad.keras.") and not cls.__name__.startswith("_"):
            cls.known[cls.__name__] = cls

    def __init__(
        self,
        learning_rate: Any,
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        lr: float | None = None,
        decay: float = 0.0,
        **unknown: Any,
    ) -> None:
        kind = type(self).__name__
        if unknown:
            raise TypeError(f"{kind} takes no {', '.join(unknown)}. Common options are: {', '.join(COMMON)}.")
        if sum(clip is not None for clip in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(f"{kind} takes only one of clipnorm, clipvalue and global_clipnorm.")
        rate = learning_rate if lr is None else lr
        if isinstance(rate, Mapping):
            rate = deserialize(rate, "schedule", LearningRateSchedule.known)
        if not callable(rate) and not rate >= 0:
            raise ValueError(f"{kind} takes a learning_rate of 0 or more, or a schedule, got {rate!r}.")
        if not (decay or 0.0) >= 0 or (decay and callable(rate)):
            raise ValueError(f"{kind} takes a decay of 0 or more, and none beside a schedule, got {decay!r}.")
        self.name = name or snake_case(kind)
        self.weight_decay, self.clipnorm = weight_decay, clipnorm
        self.clipvalue, self.global_clipnorm = clipvalue, global_clipnorm
        self.decay = decay or 0.0
        self._rate: Any = rate
        self.inner: Any = None
        """The optimizer of tensorgrad.optim that does the work, once there are parameters."""
        self.iterations = 0

    def options(self) -> dict[str, Any]:
        """The settings of the rule, besides the learning rate."""
        return {}

    # -- the learning rate -----------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> float:
        """The learning rate, that of the next step where a schedule says; ``decay`` is not in it."""
        return float(self._rate(self.iterations) if callable(self._rate) else self._rate)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(self._rate) and not callable(value):
            raise TypeError(f"the learning rate of {self.name} is set by a schedule and cannot be set besides.")
        self._rate = value if callable(value) else float(value)

    lr = learning_rate

    def rate_now(self) -> float:
        """The learning rate of the next step."""
        if self.decay:
            return InverseTimeDecay(self._rate, 1, self.decay)(self.iterations)
        return self.learning_rate

    # -- parameters ------------------------------------------------------------------------------------------

    def build(self, parameters: Iterable[tuple[str, Tensor]]) -> None:
        """Takes parameters, with their names; those that it has keep what is remembered of them."""
        named = list(parameters)
        if self.inner is None:
            self.inner = type(self).rule(named, lr=self.rate_now(), **self.options())
            return
        mine = {parameter for group in self.inner.param_groups for parameter in group["params"]}
        new = [(name, parameter) for name, parameter in named if parameter not in mine]
        if new:
            self.inner.add_param_group({"params": new})

    def prepare_step(self) -> None:
        """Before a step: the learning rate is set, gradients are clipped, weights shrunk."""
        rate = self.rate_now()
        for group in self.inner.param_groups:
            group["lr"] = rate
        parameters = [parameter for group in self.inner.param_groups for parameter in group["params"]]
        parameters = [parameter for parameter in parameters if parameter.grad is not None]
        if self.clipnorm is not None:
            for parameter in parameters:
                clip_grad_norm_([parameter], self.clipnorm)
        if self.clipvalue is not None:
            clip_grad_value_(parameters, self.clipvalue)
        if self.global_clipnorm is not None:
            clip_grad_norm_(parameters, self.global_clipnorm)
        if self.weight_decay:
            with no_grad():
                for parameter in parameters:
                    parameter *= 1 - rate * self.weight_decay
        self.iterations += 1

    # -- saving ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that it was made with, and the learning rate of now."""
        config = super().get_config()
        config.pop("lr", None)
        if not callable(self._rate):
            config["learning_rate"] = self._rate
        return config

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on."""
        state = None if self.inner is None else self.inner.state_dict()
        return {"iterations": self.iterations, "inner": state}

    def load_state_dict(self, state_dict: Mapping[str, Any], parameters: Iterable[tuple[str, Tensor]]) -> None:
        """Goes on from there, with these parameters."""
        if state_dict["inner"] is not None:
            self.build(parameters)
            self.inner.load_state_dict(state_dict["inner"])
        self.iterations = state_dict["iterations"]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.options().items())
        return f"{type(self).__name__}(learning_rate={self._rate!r}{', ' if settings else ''}{settings})"


def small(value: float | None) -> float:
    """An epsilon; None is the usual one."""
    return usual_epsilon() if value is None else float(value)
