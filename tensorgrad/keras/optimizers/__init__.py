"""Optimizers under Keras's names, with its defaults and its formulas, and the old spelling of its arguments."""

from __future__ import annotations

from functools import partial
from typing import Any

from tensorgrad import optim
from tensorgrad.keras.optimizers import schedules
from tensorgrad.keras.optimizers.optimizer import Optimizer, small
from tensorgrad.keras.registry import made

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "get",
    "schedules",
]


class SGD(Optimizer):
    """Gradient descent: ``v = momentum * v - learning_rate * g``, ``w = w + v``.

    Args:
        learning_rate: a number or a schedule.
        momentum: what is kept of the velocity.
        nesterov: whether to look ahead: ``w = w + momentum * v - learning_rate * g``.
        options: of all optimizers, see :class:`Optimizer`; ``lr`` and ``decay`` among them.

    Example:
        >>> SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True)
        SGD(learning_rate=0.01, momentum=0.9, nesterov=True)
    """

    rule = partial(optim.SGD, lr_in_velocity=True)

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        if not 0 <= momentum <= 1:
            raise ValueError(f"SGD takes a momentum from 0 to 1, got {momentum}.")
        self.momentum, self.nesterov = momentum, nesterov

    def options(self) -> dict[str, Any]:
        """The settings of the rule."""
        return {"momentum": self.momentum, "nesterov": bool(self.nesterov and self.momentum)}


class RMSprop(Optimizer):
    """The gradient divided by the root of the average of its square.

    ``s = rho * s + (1 - rho) * g**2``, ``w = w - learning_rate * g / sqrt(s + epsilon)``. (Hinton, 2012.)

    Args:
        learning_rate: a number or a schedule.
        rho: what is kept of the average.
        momentum: what is kept of the last step.
        epsilon: under the root.
        centered: whether the square of the average gradient is taken off under the root.
        options: of all optimizers, see :class:`Optimizer`.
    """

    rule = partial(optim.RMSprop, eps_in_root=True, lr_in_velocity=True)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float | None = 1e-7,
        centered: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, small(epsilon), centered

    def options(self) -> dict[str, Any]:
        """The settings of the rule."""
        return {"alpha": self.rho, "momentum": self.momentum, "eps": self.epsilon, "centered": self.centered}


class Adagrad(Optimizer):
    """The gradient divided by the root of the sum of all its squares.

    ``s = s + g**2``, ``w = w - learning_rate * g / sqrt(s + epsilon)``. (Duchi, Hazan and Singer, 2011.)

    Args:
        learning_rate: a number or a schedule.
        initial_accumulator_value: what s begins with.
        epsilon: under the root.
        options: of all optimizers, see :class:`Optimizer`.
    """

    rule = optim.Adagrad

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float | None = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, small(epsilon)

    def options(self) -> dict[str, Any]:
        """The settings of the rule."""
        # s only grows: what is added under the root can be there from the beginning.
        return {"initial_accumulator_value": self.initial_accumulator_value + self.epsilon, "eps": 0.0}


class Adadelta(Optimizer):
    """Steps as large as those before, over gradients as large as those before, :class:`tensorgrad.optim.Adadelta`.

    (Zeiler, 2012.)

    Args:
        learning_rate: a number or a schedule.
        rho: what is kept of the averages.
        epsilon: under the roots.
        options: of all optimizers, see :class:`Optimizer`.
    """

    rule = optim.Adadelta

    def __init__(
        self, learning_rate: Any = 0.001, rho: float = 0.95, epsilon: float | None = 1e-7, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho, self.epsilon = rho, small(epsilon)

    def options(self) -> dict[str, Any]:
        """The settings of the rule."""
        return {"rho": self.rho, "eps": self.epsilon}


class _Betas(Optimizer):
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, small(epsilon)

    def options(self) -> dict[str, Any]:
        """The settings of the rule."""
        return {"betas": (self.beta_1, self.beta_2), "eps": self.epsilon}


class Adam(_Betas):
    """Averages of the gradient and of its square, both corrected for their beginning (Kingma and Ba, 2015).

    ``w = w - learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)``.

    Args:
        learning_rate: a number or a schedule.
        beta_1: what is kept of the average of gradients.
        beta_2: what is kept of the average of their squares.
        epsilon: beside the root.
        amsgrad: whether to divide by the root of the largest v so far.
        options: of all optimizers, see :class:`Optimizer`.
    """

    rule = partial(optim.Adam, eps_hat=True)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.amsgrad = amsgrad

    def options(self) -> dict[str, Any]:
        """The settings of the rule."""
        return {**super().options(), "amsgrad": self.amsgrad}


class AdamW(Adam):
    """:class:`Adam` with weight decay apart from the gradient (Loshchilov and Hutter, 2019).

    Args:
        learning_rate: a number or a schedule.
        weight_decay: in each step the weights are first shrunk by ``learning_rate * weight_decay``.
        beta_1, beta_2, epsilon, amsgrad, options: as of :class:`Adam`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options)


class Adamax(_Betas):
    """:class:`Adam` with the largest gradient, which fades, in the place of the root of the mean square.

    ``w = w - learning_rate / (1 - beta_1**t) * m / (u + epsilon)``. (Kingma and Ba, 2015, section 7.)

    Args:
        learning_rate: a number or a schedule.
        beta_1: what is kept of the average of gradients.
        beta_2: what is kept of the largest.
        epsilon: beside it.
        options: of all optimizers, see :class:`Optimizer`.
    """

    rule = partial(optim.Adamax, eps_in_max=False)


class Nadam(_Betas):
    """:class:`Adam` with Nesterov's momentum, :class:`tensorgrad.optim.NAdam` (Dozat, 2016).

    Args:
        learning_rate: a number or a schedule.
        beta_1: what is kept of the average of gradients.
        beta_2: what is kept of the average of their squares.
        epsilon: beside the root.
        schedule_decay: how fast the momentum grows to ``beta_1``: in step t it is ``beta_1 * (1 - 0.96**(t *
            schedule_decay) / 2)``. Keras 3 has 1; old Keras had 0.004.
        options: of all optimizers, see :class:`Optimizer`.
    """

    rule = optim.NAdam

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = 1e-7,
        schedule_decay: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **options)
        self.schedule_decay = schedule_decay

    def options(self) -> dict[str, Any]:
        """The settings of the rule."""
        return {**super().options(), "momentum_decay": self.schedule_decay}


sgd, rmsprop, adagrad, adadelta = SGD, RMSprop, Adagrad, Adadelta
adam, adamax, nadam = Adam, Adamax, Nadam
"""As they are called in old Keras."""

KNOWN: dict[str, Any] = {
    **{name: kind for name, kind in Optimizer.known.items() if name != "Optimizer"},
    **{name.lower(): kind for name, kind in Optimizer.known.items() if name != "Optimizer"},
}


def get(identifier: Any) -> Optimizer:
    """The optimizer that a name, a configuration or a class stands for.

    Raises:
        ValueError: for an unknown name; lists the known ones.
        TypeError: for what is no optimizer of Keras's kind.

    Example:
        >>> get("adam")
        Adam(learning_rate=0.001, betas=(0.9, 0.999), eps=1e-07, amsgrad=False)
    """
    if isinstance(identifier, optim.Optimizer):
        raise TypeError(
            f"a model is compiled with an optimizer of tensorgrad.keras.optimizers, which gets its parameters from the "
            f"model, not with tensorgrad.optim.{type(identifier).__name__}."
        )
    optimizer = identifier if isinstance(identifier, Optimizer) else made("optimizer", identifier, KNOWN)
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"an optimizer is given by its name or as an object, not as {identifier!r}.")
    return optimizer
