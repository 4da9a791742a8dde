"""Keras's settings, said with these optimizers, against Keras's published formulas, written out here in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.optim.lr_scheduler import InverseTimeLR

STEPS = 20
RNG = np.random.default_rng(3)
START = RNG.normal(size=(2, 3))
GRADS = RNG.normal(size=(STEPS, 2, 3)) * 3.0 ** RNG.integers(-5, 3, size=(STEPS, 2, 3))
# Large, so that it matters where it stands.
EPSILON = 0.01

Steps = Generator[np.ndarray, None, None]


def rates(lr: float, decay: float) -> list[float]:
    return [lr * (1 / (1 + decay * t)) for t in range(STEPS)]


def sgd(lr: float = 0.01, momentum: float = 0.0, decay: float = 0.0, nesterov: bool = False) -> Steps:
    p, m = START, np.zeros_like(START)
    for rate, g in zip(rates(lr, decay), GRADS):
        m = momentum * m - rate * g
        p = p + momentum * m - rate * g if nesterov else p + m
        yield p


def rmsprop(lr: float = 0.001, rho: float = 0.9, epsilon: float = EPSILON, decay: float = 0.0) -> Steps:
    p, a = START, np.zeros_like(START)
    for rate, g in zip(rates(lr, decay), GRADS):
        a = rho * a + (1 - rho) * g**2
        p = p - rate * g / (np.sqrt(a) + epsilon)
        yield p


def rmsprop3(lr: float, rho: float, momentum: float, centered: bool, decay: float) -> Steps:
    p, v, a, m = START, *np.zeros((3, *START.shape))
    for rate, g in zip(rates(lr, decay), GRADS):
        v = rho * v + (1 - rho) * g**2
        a = rho * a + (1 - rho) * g
        m = momentum * m + rate * g / np.sqrt(v - a**2 * centered + EPSILON)
        p = p - m
        yield p


def adagrad(lr: float = 0.01, epsilon: float = EPSILON, decay: float = 0.0) -> Steps:
    p, a = START, np.zeros_like(START)
    for rate, g in zip(rates(lr, decay), GRADS):
        a = a + g**2
        p = p - rate * g / (np.sqrt(a) + epsilon)
        yield p


def adagrad3(lr: float, initial: float) -> Steps:
    p, a = START, np.full_like(START, initial)
    for g in GRADS:
        a = a + g**2
        p = p - lr * g / np.sqrt(a + EPSILON)
        yield p


def adadelta(lr: float = 1.0, rho: float = 0.95, epsilon: float = EPSILON, decay: float = 0.0) -> Steps:
    p, a, d = START, *np.zeros((2, *START.shape))
    for rate, g in zip(rates(lr, decay), GRADS):
        a = rho * a + (1 - rho) * g**2
        update = g * np.sqrt(d + epsilon) / np.sqrt(a + epsilon)
        p = p - rate * update
        d = rho * d + (1 - rho) * update**2
        yield p


def adam(
    lr: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, decay: float = 0.0, amsgrad: bool = False
) -> Steps:
    p, m, v, most = START, *np.zeros((3, *START.shape))
    for t, (rate, g) in enumerate(zip(rates(lr, decay), GRADS), start=1):
        rate = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        most = np.maximum(most, v)
        p = p - rate * m / (np.sqrt(most if amsgrad else v) + EPSILON)
        yield p


def adamax(lr: float = 0.002, beta_1: float = 0.9, beta_2: float = 0.999, decay: float = 0.0) -> Steps:
    p, m, u = START, *np.zeros((2, *START.shape))
    for t, (rate, g) in enumerate(zip(rates(lr, decay), GRADS), start=1):
        m = beta_1 * m + (1 - beta_1) * g
        u = np.maximum(beta_2 * u, np.abs(g))
        p = p - rate / (1 - beta_1**t) * m / (u + EPSILON)
        yield p


def nadam(lr: float = 0.002, beta_1: float = 0.9, beta_2: float = 0.999, schedule_decay: float = 0.004) -> Steps:
    p, m, v, product = START, np.zeros_like(START), np.zeros_like(START), 1.0
    for t, g in enumerate(GRADS, start=1):
        now, then = (beta_1 * (1 - 0.5 * 0.96 ** (i * schedule_decay)) for i in (t, t + 1))
        product = product * now
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_bar = (1 - now) * g / (1 - product) + then * m / (1 - product * then)
        p = p - lr * m_bar / (np.sqrt(v / (1 - beta_2**t)) + EPSILON)
        yield p


E = EPSILON
CASES: list[tuple[Steps, Callable[[Any], optim.Optimizer], float]] = [
    (sgd(0.1), lambda p: optim.SGD(p, 0.1), 0),
    (sgd(0.1, decay=0.3), lambda p: optim.SGD(p, 0.1), 0.3),
    (sgd(0.1, 0.9), lambda p: optim.SGD(p, 0.1, 0.9), 0),
    (sgd(0.1, 0.9, 0.3), lambda p: optim.SGD(p, 0.1, 0.9, lr_in_velocity=True), 0.3),
    (sgd(0.1, 0.9, 1e-2, True), lambda p: optim.SGD(p, 0.1, 0.9, nesterov=True, lr_in_velocity=True), 1e-2),
    (rmsprop(0.1), lambda p: optim.RMSprop(p, 0.1, alpha=0.9, eps=E), 0),
    (rmsprop(0.1, 0.7, decay=0.2), lambda p: optim.RMSprop(p, 0.1, alpha=0.7, eps=E), 0.2),
    (adagrad(0.1), lambda p: optim.Adagrad(p, 0.1, eps=E), 0),
    (adagrad(0.1, decay=0.2), lambda p: optim.Adagrad(p, 0.1, eps=E), 0.2),
    (adagrad(0.1, decay=0.2), lambda p: optim.Adagrad(p, 0.1, lr_decay=0.2, eps=E), 0),
    (adadelta(), lambda p: optim.Adadelta(p, 1.0, 0.95, eps=E), 0),
    (adadelta(0.5, 0.6, decay=0.2), lambda p: optim.Adadelta(p, 0.5, 0.6, eps=E), 0.2),
    (adam(0.1), lambda p: optim.Adam(p, 0.1, eps=E, eps_hat=True), 0),
    (adam(0.1, 0.5, 0.6, 0.2, True), lambda p: optim.Adam(p, 0.1, (0.5, 0.6), E, amsgrad=True, eps_hat=True), 0.2),
    (adam(0.1), lambda p: optim.AdamW(p, 0.1, eps=E, weight_decay=0, eps_hat=True), 0),
    (adamax(0.1), lambda p: optim.Adamax(p, 0.1, eps=E, eps_in_max=False), 0),
    (adamax(0.1, 0.5, 0.6, 0.2), lambda p: optim.Adamax(p, 0.1, (0.5, 0.6), E, eps_in_max=False), 0.2),
    (nadam(), lambda p: optim.NAdam(p, 0.002, eps=E), 0),
    (nadam(0.1, 0.8, 0.9, 0.3), lambda p: optim.NAdam(p, 0.1, (0.8, 0.9), E, momentum_decay=0.3), 0),
    # Keras 3.
    (rmsprop3(0.1, 0.9, 0, False, 0), lambda p: optim.RMSprop(p, 0.1, 0.9, E, eps_in_root=True), 0),
    (
        rmsprop3(0.1, 0.9, 0.8, True, 0.2),
        lambda p: optim.RMSprop(p, 0.1, 0.9, E, momentum=0.8, centered=True, eps_in_root=True, lr_in_velocity=True),
        0.2,
    ),
    (adagrad3(0.1, 0.3), lambda p: optim.Adagrad(p, 0.1, initial_accumulator_value=0.3 + E, eps=0.0), 0),
    (nadam(0.1, schedule_decay=1.0), lambda p: optim.NAdam(p, 0.1, eps=E, momentum_decay=1.0), 0),
]


@pytest.mark.parametrize(
    ("wanted", "make", "decay"),
    [pytest.param(list(steps), make, decay, id=steps.__name__) for steps, make, decay in CASES],
)
def test_twenty_steps_are_keras(wanted: list[np.ndarray], make: Any, decay: float, device: str) -> None:
    p = tg.tensor(START, device=device, requires_grad=True)
    optimizer = make([p])
    schedule = InverseTimeLR(optimizer, decay)
    for g, after in zip(GRADS, wanted, strict=True):
        p.grad = tg.tensor(g, device=device)
        optimizer.step()
        schedule.step()
        np.testing.assert_allclose(p.numpy(), after, rtol=1e-12, atol=1e-14)


def test_what_a_keras_form_is_does_not_come_from_a_state() -> None:
    p = tg.tensor(START, requires_grad=True)
    for plain, keras in (
        (optim.SGD([p], 0.1, 0.9), optim.SGD([p], 0.1, 0.9, lr_in_velocity=True)),
        (optim.Adam([p]), optim.Adam([p], eps_hat=True)),
        (optim.Adamax([p]), optim.Adamax([p], eps_in_max=False)),
        (optim.RMSprop([p]), optim.RMSprop([p], eps_in_root=True, lr_in_velocity=True)),
    ):
        forms = vars(keras).keys() & {"lr_in_velocity", "eps_hat", "eps_in_max", "eps_in_root"}
        before = {form: getattr(keras, form) for form in forms}
        keras.load_state_dict(plain.state_dict())
        assert before == {form: getattr(keras, form) for form in forms}
        assert before != {form: getattr(plain, form) for form in forms}


def test_a_negative_decay_is_refused() -> None:
    with pytest.raises(ValueError, match="decay must be 0 or greater"):
        InverseTimeLR(optim.SGD([tg.tensor(START, requires_grad=True)]), -0.1)
