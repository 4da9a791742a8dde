"""Planted errors in what is done with the gradient from above, in what is kept between calls, and in housekeeping."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.gradient_cases.case import Function, normal, planted, times

X = normal(3, 4)
Y = normal(3, 4, seed=1)


def _square(g, x):
    return 2 * g * x


def _sine(name: str, about: str, wrong: Function, x: np.ndarray = X, **options):
    return planted(name, about, np.sin, lambda g, x: g * np.cos(x), wrong, x, **options)


def _two(x, y):
    return np.sin(x) * y, np.exp(x / 2).sum(0)


def _two_gradients(g, x, y):
    return g[0] * np.cos(x) * y + g[1] * np.exp(x / 2) / 2, g[0] * np.sin(x)


def _first_only(g, x, y):
    return g[0] * np.cos(x) * y, g[0] * np.sin(x)


def _second_wrong(g, x, y):
    return g[0] * np.cos(x) * y + g[1] * np.exp(x / 2) / 2 * (1 + 2e-5), g[0] * np.sin(x)


def _polar(x, y):
    return np.hypot(x, y), np.arctan2(y, x)


def _polar_gradients(g, x, y):
    r = np.hypot(x, y)
    return g[0] * x / r - g[1] * y / r**2, g[0] * y / r + g[1] * x / r**2


def _polar_last(g, x, y):
    r = np.hypot(x, y)
    return -g[1] * y / r**2, g[1] * x / r**2


def _normalised(g, x):
    return g / (1e-12 + np.sqrt((g * g).sum())) * np.cos(x)


def _thrice(g, x, w, parts):
    first = np.tanh(w * x)
    second = np.tanh(w * first)
    last, middle = g * w * (1 - second**2), g * w * w * (1 - second**2) * (1 - first**2)
    return middle * w, (parts[0] * g * second + parts[1] * last * first + parts[2] * middle * x).sum()


def _stale() -> Function:
    kept = normal(3, 4, seed=7)
    return lambda g, x: g * np.cos(kept)


def _previous_input() -> Function:
    kept = [np.zeros((3, 4))]

    def backward(g, x):
        previous, kept[0] = kept[0], x.copy()
        return g * np.cos(previous)

    return backward


def _accumulating() -> Function:
    total = np.zeros((3, 4))

    def backward(g, x):
        nonlocal total
        total = total + g * np.cos(x)
        return total.copy()

    return backward


def _noisy() -> Function:
    rng = np.random.default_rng(3)
    return lambda g, x: g * np.cos(x) * (1 + 1e-3 * rng.standard_normal(x.shape))


def _every_other() -> Function:
    calls = [0]

    def backward(g, x):
        calls[0] += 1
        return g * np.cos(x) * (1 if calls[0] % 2 else 1.5)

    return backward


def _writes_cotangent(g, x):
    g *= np.cos(x)
    return g.copy()


def _writes_input(g, x):
    np.cos(x, out=x)
    return g * x


def _forward_writes(x):
    x -= x.mean()
    return np.sin(x)


def _forward_writes_gradient(g, x):
    inner = g * np.cos(x - x.mean())
    return inner - inner.mean()


def _with_nan(g, x):
    gradient = g * np.cos(x)
    gradient[2, 1] = np.nan
    return gradient


def _with_inf(g, x):
    gradient = g * np.cos(x)
    gradient[0, 3] = np.inf
    return gradient


def _all(change: Callable[[np.ndarray], np.ndarray]) -> Function:
    return lambda g, x: change(g) * np.cos(x)


CASES = [
    _sine("cotangent ignored", "right for a cotangent of ones only", lambda g, x: np.cos(x)),
    _sine("cotangent's sum", "the sum of the cotangent for each of its entries", _all(lambda g: g.sum())),
    _sine("cotangent's mean", "the mean of the cotangent for each of its entries", _all(lambda g: g.mean())),
    _sine("cotangent squared", "not linear in the cotangent; right for ones and zeros", _all(lambda g: g * g)),
    _sine("cotangent's size", "its sign is lost", _all(np.abs)),
    _sine("cotangent's sign", "its size is lost", _all(np.sign)),
    _sine("cotangent clipped", "to [-0.5, 0.5]", _all(lambda g: np.clip(g, -0.5, 0.5))),
    _sine(
        "cotangent's positive part",
        "guided backpropagation: what is negative is dropped",
        _all(lambda g: np.maximum(g, 0)),
    ),
    _sine("cotangent normalised", "to a length of 1", _normalised),
    _sine("cotangent and a constant", "1e-3 is added whatever the cotangent", lambda g, x: g * np.cos(x) + 1e-3),
    _sine("cotangent transposed", "of a square array", lambda g, x: g.T * np.cos(x), normal(4, 4)),
    _sine("cotangent flipped", "in reverse order", _all(lambda g: g[::-1])),
    _sine("cotangent's first entry", "for all of them", _all(lambda g: g.flat[0])),
    _sine("cotangent's mean added", "right where the cotangent's mean is 0", _all(lambda g: g + 0.01 * g.mean())),
    _sine(
        "cotangent to the power 1.0001", "nearly linear", _all(lambda g: np.sign(g) * np.abs(g) ** 1.0001), size=1e-6
    ),
    planted("first output only", "the second output's cotangent is ignored", _two, _two_gradients, _first_only, X, Y),
    planted("second output 2e-5 wrong", "right for the first", _two, _two_gradients, _second_wrong, X, Y, size=0.0),
    planted("last output only", "the first output's cotangent is ignored", _polar, _polar_gradients, _polar_last, X, Y),
    planted(
        "cotangents swapped",
        "of two outputs of one shape",
        _polar,
        _polar_gradients,
        lambda g, x, y: _polar_gradients(g[::-1], x, y),
        X,
        Y,
    ),
    planted(
        "cotangents added",
        "their sum, for both outputs",
        _polar,
        _polar_gradients,
        lambda g, x, y: _polar_gradients((g[0] + g[1], g[0] + g[1]), x, y),
        X,
        Y,
    ),
    planted("zero", "no gradient at all", np.square, _square, lambda g, x: np.zeros_like(x), X),
    planted(
        "zero for one input",
        "of two",
        lambda x, y: x * np.exp(y),
        lambda g, x, y: (g * np.exp(y), g * x * np.exp(y)),
        lambda g, x, y: (g * np.exp(y), np.zeros_like(y)),
        X,
        Y,
    ),
    planted(
        "None for one input",
        "that has a gradient",
        lambda x, y: x * np.exp(y),
        lambda g, x, y: (g * np.exp(y), g * x * np.exp(y)),
        lambda g, x, y: (g * np.exp(y), None),
        X,
        Y,
    ),
    planted(
        "one path of two",
        "x * sin(x) with x detached on one of its paths",
        lambda x: x * np.sin(x),
        lambda g, x: g * (np.sin(x) + x * np.cos(x)),
        lambda g, x: g * np.sin(x),
        X,
    ),
    planted("detached square", "x * detach(x) for x * x", np.square, _square, lambda g, x: g * x, X),
    planted(
        "skip connection",
        "forgotten in x + tanh(x)",
        lambda x: x + np.tanh(x),
        lambda g, x: g * (2 - np.tanh(x) ** 2),
        lambda g, x: g * (1 - np.tanh(x) ** 2),
        X,
    ),
    planted(
        "skip connection alone",
        "only x is seen in x + 1e-3 sin(x)",
        lambda x: x + 1e-3 * np.sin(x),
        lambda g, x: g * (1 + 1e-3 * np.cos(x)),
        lambda g, x: g.copy(),
        X,
    ),
    planted(
        "the last use counts",
        "a weight used three times, the last use only",
        lambda x, w: w * np.tanh(w * np.tanh(w * x)),
        *[lambda g, x, w, parts=parts: _thrice(g, x, w, parts) for parts in ((1, 1, 1), (1, 0, 0))],
        X,
        np.array(0.7),
    ),
    _sine("stale", "the values kept are those of other data", _stale, stateful=True),
    _sine("the previous call's", "the values kept are those of the call before", _previous_input, stateful=True),
    _sine("accumulates", "each call adds to what earlier calls gave", _accumulating, stateful=True),
    _sine("random", "0.1 % of noise, other noise each time", _noisy, stateful=True, size=1e-4),
    _sine(
        "every other call",
        "right the first time, 1.5 times as large the second, ...",
        _every_other,
        stateful=True,
        size=0.0,
    ),
    _sine("NaN", "one entry is NaN", _with_nan),
    _sine("infinity", "one entry is infinite", _with_inf),
    _sine("float32 returned", "for float64 inputs", lambda g, x: (g * np.cos(x)).astype(np.float32), size=1e-8),
    _sine(
        "cotangent overwritten",
        "the gradient is right, but it is computed in the cotangent's place",
        _writes_cotangent,
        size=0.0,
    ),
    _sine(
        "input overwritten", "the gradient is right, but it is computed in the input's place", _writes_input, size=0.0
    ),
    planted(
        "forward overwrites",
        "the function changes its input in place",
        _forward_writes,
        None,
        _forward_writes_gradient,
        X,
        size=0.0,
        exact=lambda x: np.sin(x - x.mean()),
    ),
    _sine("transposed, another shape", "(4, 3) for an input of (3, 4)", lambda g, x: (g * np.cos(x)).T, size=0.0),
    planted(
        "one gradient too many",
        "1e-4 of the other input's gradient leaks into it",
        lambda x, y: np.sin(x) + np.exp(y),
        lambda g, x, y: (g * np.cos(x), g * np.exp(y)),
        lambda g, x, y: (g * np.cos(x) + 1e-4 * g * np.exp(y), g * np.exp(y)),
        X,
        Y,
    ),
    planted(
        "ones for a constant",
        "a gradient where the input has no effect",
        lambda x, y: np.sin(x) + 0 * y,
        lambda g, x, y: (g * np.cos(x), 0 * y),
        lambda g, x, y: (g * np.cos(x), g.copy()),
        X,
        Y,
    ),
    planted(
        "1e-6 for a constant",
        "a tiny gradient where the input has no effect",
        lambda x, y: np.sin(x) + 0 * y,
        lambda g, x, y: (g * np.cos(x), 0 * y),
        lambda g, x, y: (g * np.cos(x), 1e-6 * g),
        X,
        Y,
    ),
    planted(
        "fixed gate",
        "the gate of a gated unit is taken for a constant",
        lambda a, b: a * (1 / (1 + np.exp(-b))),
        *[lambda g, a, b, c=c: (g / (1 + np.exp(-b)), c * g * a * np.exp(-b) / (1 + np.exp(-b)) ** 2) for c in (1, 0)],
        X,
        Y,
    ),
    planted(
        "second input 1e-5",
        "too large, of three",
        lambda x, y, z: x * y + y * z,
        lambda g, x, y, z: (g * y, g * (x + z), g * y),
        times(lambda g, x, y, z: (g * y, g * (x + z), g * y), 1 + 1.01e-5, 1),
        X,
        Y,
        normal(3, 4, seed=2),
    ),
    planted(
        "a scalar among arrays",
        "the gradient of the scalar is 1e-5 too large",
        lambda x, a: np.tanh(a * x),
        *[
            lambda g, x, a, c=c: (g * a * (1 - np.tanh(a * x) ** 2), c * (g * x * (1 - np.tanh(a * x) ** 2)).sum())
            for c in (1.0, 1 + 1.01e-5)
        ],
        X,
        np.array(1.3),
    ),
]
