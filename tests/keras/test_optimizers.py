"""Steps of optimizers equal Keras's published formulas, which are written here in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import optim
from tensorgrad.keras import optimizers
from tensorgrad.keras.optimizers import schedules

GRADIENTS = np.random.default_rng(0).standard_normal((20, 5)) * np.array([1.0, 0.1, 1e-3, 10.0, 1.0])
FIRST = np.array([1.0, -2.0, 0.5, 3.0, 0.0])


def trajectory(optimizer, gradients=GRADIENTS):
    w = tg.tensor(FIRST, dtype="float64", requires_grad=True)
    optimizer.build([("w", w)])
    for gradient in gradients:
        w.grad = tg.tensor(gradient)
        optimizer.prepare_step()
        optimizer.inner.step()
    return w.numpy()


def sgd(rates, momentum=0.0, nesterov=False):
    w, v = FIRST.copy(), 0.0
    for lr, g in zip(rates, GRADIENTS, strict=True):
        v = momentum * v - lr * g
        w = w + (momentum * v - lr * g if nesterov else v)
    return w


def rmsprop(rates, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    w, s, a, m = FIRST.copy(), 0.0, 0.0, 0.0
    for lr, g in zip(rates, GRADIENTS, strict=True):
        s = rho * s + (1 - rho) * g**2
        a = rho * a + (1 - rho) * g
        m = momentum * m + lr * g / np.sqrt(s - (a**2 if centered else 0) + epsilon)
        w = w - m
    return w


def adagrad(rates, begin=0.1, epsilon=1e-7):
    w, s = FIRST.copy(), begin
    for lr, g in zip(rates, GRADIENTS, strict=True):
        s = s + g**2
        w = w - lr * g / np.sqrt(s + epsilon)
    return w


def adadelta(rates, rho=0.95, epsilon=1e-7):
    w, s, a = FIRST.copy(), 0.0, 0.0
    for lr, g in zip(rates, GRADIENTS, strict=True):
        s = rho * s + (1 - rho) * g**2
        step = np.sqrt(a + epsilon) / np.sqrt(s + epsilon) * g
        a = rho * a + (1 - rho) * step**2
        w = w - lr * step
    return w


def adam(rates, b1=0.9, b2=0.999, epsilon=1e-7, amsgrad=False, weight_decay=0.0):
    w, m, v, most = FIRST.copy(), 0.0, 0.0, np.zeros(5)
    for t, (lr, g) in enumerate(zip(rates, GRADIENTS, strict=True), start=1):
        w = w * (1 - lr * weight_decay)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        most = np.maximum(most, v)
        w = w - lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(most if amsgrad else v) + epsilon)
    return w


def adamax(rates, b1=0.9, b2=0.999, epsilon=1e-7):
    w, m, u = FIRST.copy(), 0.0, np.zeros(5)
    for t, (lr, g) in enumerate(zip(rates, GRADIENTS, strict=True), start=1):
        m, u = b1 * m + (1 - b1) * g, np.maximum(b2 * u, abs(g))
        w = w - lr / (1 - b1**t) * m / (u + epsilon)
    return w


def nadam(rates, b1=0.9, b2=0.999, epsilon=1e-7, schedule_decay=1.0):
    def mu(t):
        return b1 * (1 - 0.5 * 0.96 ** (t * schedule_decay))

    w, m, v, product = FIRST.copy(), 0.0, 0.0, 1.0
    for t, (lr, g) in enumerate(zip(rates, GRADIENTS, strict=True), start=1):
        product *= mu(t)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        ahead = (1 - mu(t)) * g / (1 - product) + mu(t + 1) * m / (1 - product * mu(t + 1))
        w = w - lr * ahead / (np.sqrt(v / (1 - b2**t)) + epsilon)
    return w


def constant(lr):
    return [lr] * 20


def decayed(lr, decay):
    return [lr / (1 + decay * t) for t in range(20)]


@pytest.mark.parametrize(
    ("optimizer", "wanted"),
    [
        (optimizers.SGD(), sgd(constant(0.01))),
        (optimizers.SGD(0.1, momentum=0.9), sgd(constant(0.1), 0.9)),
        (optimizers.SGD(lr=0.1, decay=0.5, momentum=0.9), sgd(decayed(0.1, 0.5), 0.9)),
        (optimizers.SGD(lr=0.01, decay=1e-2, momentum=0.9, nesterov=True), sgd(decayed(0.01, 1e-2), 0.9, True)),
        (optimizers.RMSprop(), rmsprop(constant(0.001))),
        (optimizers.RMSprop(lr=0.01, rho=0.8, epsilon=1e-2, decay=0.1), rmsprop(decayed(0.01, 0.1), 0.8, 0.0, 1e-2)),
        (optimizers.RMSprop(0.01, momentum=0.9, centered=True), rmsprop(constant(0.01), 0.9, 0.9, 1e-7, True)),
        (optimizers.RMSprop(0.01, momentum=0.9, decay=0.3), rmsprop(decayed(0.01, 0.3), 0.9, 0.9)),
        (optimizers.Adagrad(), adagrad(constant(0.001))),
        (optimizers.Adagrad(lr=0.1, initial_accumulator_value=0.0, epsilon=1e-2), adagrad(constant(0.1), 0.0, 1e-2)),
        (optimizers.Adadelta(), adadelta(constant(0.001))),
        (optimizers.Adadelta(lr=1.0, rho=0.9, epsilon=1e-3, decay=0.1), adadelta(decayed(1.0, 0.1), 0.9, 1e-3)),
        (optimizers.Adam(), adam(constant(0.001))),
        (optimizers.Adam(0.1, 0.8, 0.9, 1e-2, amsgrad=True), adam(constant(0.1), 0.8, 0.9, 1e-2, True)),
        (optimizers.Adam(lr=0.01, decay=0.2, epsilon=None), adam(decayed(0.01, 0.2))),
        (optimizers.AdamW(0.1, 0.3), adam(constant(0.1), weight_decay=0.3)),
        (optimizers.Adamax(), adamax(constant(0.001))),
        (optimizers.Adamax(lr=0.002, epsilon=1e-1, decay=0.1), adamax(decayed(0.002, 0.1), epsilon=1e-1)),
        (optimizers.Nadam(), nadam(constant(0.001))),
        (optimizers.Nadam(lr=0.002, epsilon=1e-8, schedule_decay=4e-3), nadam(constant(0.002), 0.9, 0.999, 1e-8, 4e-3)),
        (optimizers.SGD(schedules.ExponentialDecay(0.1, 5, 0.5)), sgd([0.1 * 2 ** (-t / 5) for t in range(20)])),
        (optimizers.SGD(lambda step: 0.1 / (step + 1)), sgd([0.1 / (t + 1) for t in range(20)])),
    ],
    ids=lambda part: getattr(part, "name", ""),
)  # fmt: skip
def test_formulas(optimizer, wanted):
    assert np.allclose(trajectory(optimizer), wanted, rtol=1e-12, atol=1e-12)


def test_float32_stays_float32():
    for kind in {kind for kind in optimizers.KNOWN.values() if isinstance(kind, type)}:
        w = tg.tensor(FIRST, dtype="float32", requires_grad=True)
        optimizer = kind(0.1)
        optimizer.build([("w", w)])
        for gradient in GRADIENTS[:3]:
            w.grad = tg.tensor(gradient, dtype="float32")
            optimizer.prepare_step()
            optimizer.inner.step()
        arrays = [value for value in optimizer.inner.state[w].values() if hasattr(value, "dtype")]
        assert {w.dtype, *(array.dtype for array in arrays)} == {np.dtype("float32")}


def test_gradients_are_clipped():
    g = np.array([3.0, 4.0, 0.0, 0.0, 0.0])
    for option, limited in (
        ({"clipnorm": 1.0}, g / 5),
        ({"global_clipnorm": 2.5}, g / 2),
        ({"clipvalue": 3.5}, np.minimum(g, 3.5)),
    ):
        found = trajectory(optimizers.SGD(1.0, **option), [g])
        assert np.allclose(found, FIRST - limited, atol=1e-6)
    assert np.allclose(trajectory(optimizers.SGD(0.5, weight_decay=0.2), [np.zeros(5)]), FIRST * 0.9)


def test_schedules():
    assert [schedules.PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.1])(t) for t in range(6)] == [1, 1, 1, 0.5, 0.5, 0.1]
    assert schedules.ExponentialDecay(1.0, 4, 0.5, staircase=True)(7) == 0.5
    assert schedules.InverseTimeDecay(1.0, 2, 0.5)(4) == 0.5
    assert [schedules.PolynomialDecay(1.0, 4, 0.0)(t) for t in (0, 1, 4, 9)] == [1, 0.75, 0, 0]
    assert schedules.PolynomialDecay(1.0, 4, 0.0, cycle=True)(5) == pytest.approx(3 / 8)
    cosine = schedules.CosineDecay(0.0, 10, alpha=0.1, warmup_target=1.0, warmup_steps=4)
    assert [cosine(t) for t in (0, 2, 4, 9, 14, 99)] == pytest.approx([0, 0.5, 1, 0.55, 0.1, 0.1])


def test_the_learning_rate_can_be_set():
    optimizer = optimizers.SGD(0.5, decay=1.0)
    trajectory(optimizer, GRADIENTS[:1])
    assert (optimizer.learning_rate, optimizer.rate_now(), optimizer.iterations) == (0.5, 0.25, 1)
    optimizer.learning_rate = 0.1
    assert (optimizer.lr, optimizer.rate_now()) == (0.1, 0.05)
    scheduled = optimizers.SGD(schedules.ExponentialDecay(0.1, 5, 0.5))
    with pytest.raises(TypeError, match="by a schedule"):
        scheduled.learning_rate = 0.1


def test_configurations():
    for name in ("sgd", "rmsprop", "adagrad", "adadelta", "adam", "adamw", "adamax", "nadam"):
        optimizer = optimizers.get(name)
        again = optimizers.get({"class_name": type(optimizer).__name__, "config": optimizer.get_config()})
        assert (type(again), again.options(), again.learning_rate) == (
            type(optimizer),
            optimizer.options(),
            optimizer.learning_rate,
        )
    scheduled = optimizers.Adam(schedules.CosineDecay(0.1, 5), decay=0)
    again = optimizers.Adam.from_config(scheduled.get_config())
    assert again._rate(3) == scheduled._rate(3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: optimizers.get("adm"), "Do you mean 'adam'"),
        (lambda: optimizers.get(3), "a name"),
        (lambda: optimizers.get(lambda: 3), "by its name"),
        (lambda: optimizers.get(optim.SGD([tg.ones(1, requires_grad=True)])), "tensorgrad.keras.optimizers"),
        (lambda: optimizers.SGD(-1.0), "learning_rate of 0 or more"),
        (lambda: optimizers.SGD(momentum=2.0), "from 0 to 1"),
        (lambda: optimizers.SGD(nesterv=True), "takes no nesterv"),
        (lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), "only one"),
        (lambda: optimizers.SGD(decay=-1.0), "decay"),
        (lambda: optimizers.SGD(schedules.CosineDecay(0.1, 5), decay=0.1), "beside a schedule"),
        (lambda: schedules.PiecewiseConstantDecay([1], [1.0]), "one value more"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        call()
