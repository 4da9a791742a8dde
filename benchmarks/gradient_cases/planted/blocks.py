"""Planted errors in further building blocks: losses, gates, signal processing, geometry."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, uniform
from benchmarks.gradient_cases.formulas import (
    relu,
    sigmoid,
    softmax,
    softmax_gradient,
    standardise,
    standardise_gradient,
)

X = normal(4, 6)
LINE = normal(7)
OTHER = normal(7, seed=1)
LABELS = np.array([2, -1, 0, 5])
MASK = np.array([True, True, False, True, False, True])


def _glu(x):
    return x[:, :3] * sigmoid(x[:, 3:])


def _glu_gradient(swapped):
    def backward(g, x):
        gate = sigmoid(x[:, 3:])
        parts = [g * gate, g * x[:, :3] * gate * (1 - gate)]
        return np.concatenate(parts[::-1] if swapped else parts, 1)

    return backward


def _prelu_gradients(sign):
    return lambda g, x, a: (g * np.where(x > 0, 1, a), sign * (g * np.where(x > 0, 0, x)).sum())


def _ignoring(x, labels):
    kept = labels >= 0
    return -np.log(softmax(x))[np.arange(len(x)), labels][kept].sum() / kept.sum()


def _ignoring_gradient(masked, divisor):
    def backward(g, x, labels):
        rows = (softmax(x) - np.eye(6)[labels]) * ((labels >= 0)[:, None] if masked else 1)
        return g * rows / divisor, None

    return backward


def _group_norm(x):
    return standardise(x.reshape(4, 2, 3), 2, 1e-5)[0].reshape(4, 6)


def _group_gradient(groups):
    def backward(g, x):
        shape = (4, groups, 6 // groups)
        return standardise_gradient(g.reshape(shape), x.reshape(shape), 2, 1e-5).reshape(4, 6)

    return backward


def _masked_softmax(x):
    e = np.exp(x) * MASK
    return e / e.sum(-1, keepdims=True)


def _masked_gradient(leaky):
    def backward(g, x):
        s = softmax(x) if leaky else _masked_softmax(x)
        return s * (g - (g * s).sum(-1, keepdims=True))

    return backward


def _upsample(x):
    return np.repeat(np.repeat(x, 2, 0), 2, 1)


def _shuffle(x):
    return x.reshape(2, 2, 2, 3).transpose(2, 0, 3, 1).reshape(4, 6)


def _shuffled_back(axes):
    return lambda g, x: g.reshape(2, 2, 3, 2).transpose(axes).reshape(4, 6)


def _moving_average(x):
    return np.convolve(x, np.ones(3) / 3, "same") if x.dtype != object else _moved(x)


def _moved(x):
    x = np.concatenate([[0], x, [0]])
    return (x[:-2] + x[1:-1] + x[2:]) / 3


def _moving_gradient(valid):
    def backward(g, x):
        g = np.where((np.arange(7) == 0) | (np.arange(7) == 6), 0.0, g) if valid else g
        return _moved(g)

    return backward


def _trapezoid(weights):
    return lambda g, y: g * np.array(weights) / 6


def _polynomial(c, x):
    return sum(c[k] * x**k for k in range(4))


def _polynomial_gradients(reverse):
    def backward(g, c, x):
        powers = np.array([(g * x**k).sum() for k in range(4)])
        return powers[::-1] if reverse else powers, g * (c[1] + 2 * c[2] * x + 3 * c[3] * x * x)

    return backward


def _quaternion(p, q):
    a, b, c, d = p
    e, f, g, h = q
    return np.stack(
        [
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        ]
    )


def _conjugate(p):
    return p * np.array([1, -1, -1, -1])


def _quaternion_gradients(swapped):
    def backward(g, p, q):
        first, second = _quaternion(g, _conjugate(q)), _quaternion(_conjugate(p), g)
        return (_quaternion(_conjugate(q), g) if swapped else first), second

    return backward


def _toeplitz_gradient(direction):
    def backward(g, c):
        i, j = np.indices((4, 4))
        gradient = np.zeros(7)
        np.add.at(gradient, 3 + direction * (i - j), g)
        return gradient

    return backward


def _toeplitz(c):
    i, j = np.indices((4, 4))
    return c[3 + i - j]


def _log_cumulative(x):
    return np.log(np.exp(x).cumsum())


def _log_cumulative_gradient(forwards):
    def backward(g, x):
        inner = g / np.exp(x).cumsum()
        return np.exp(x) * (inner.cumsum() if forwards else inner[::-1].cumsum()[::-1])

    return backward


def _weight_norm(v, s):
    return s * v / np.sqrt((v * v).sum())


def _weight_norm_gradients(whole):
    def backward(g, v, s):
        r = np.sqrt((v * v).sum())
        return s / r * (g - whole * v * (g * v).sum() / r**2), (g * v).sum() / r

    return backward


def _rotary(x, sign=1):
    c, s = np.cos(np.arange(3.0)), sign * np.sin(np.arange(3.0))
    return np.concatenate([x[:, :3] * c - x[:, 3:] * s, x[:, :3] * s + x[:, 3:] * c], 1)


def _triplet(a, p, n):
    return relu(((a - p) ** 2).sum() - ((a - n) ** 2).sum() + 20)


def _softmax_chain(g, x, both):
    inner = softmax(x)
    if both:
        g = softmax_gradient(g, inner)
    return softmax_gradient(g, x)


def _focal(x):
    return -((1 - sigmoid(x)) ** 2) * np.log(sigmoid(x))


def _focal_gradient(modulated):
    def backward(g, x):
        p = sigmoid(x)
        return g * (modulated * 2 * p * (1 - p) ** 2 * np.log(p) - (1 - p) ** 3)

    return backward


def _gru(h, z, c):
    return (1 - sigmoid(z)) * h + sigmoid(z) * np.tanh(c)


def _gru_gradients(sign):
    def backward(g, h, z, c):
        u = sigmoid(z)
        return g * (1 - u), g * u * (1 - u) * (np.tanh(c) + sign * h), g * u * (1 - np.tanh(c) ** 2)

    return backward


def _newton(x):
    y = 1 + 0 * x
    for _ in range(3):
        y = (y + x / y) / 2
    return y


def _newton_gradient(unrolled):
    def backward(g, x):
        y, dy = 1 + 0 * x, 0 * x
        for _ in range(3):
            y, dy = (y + x / y) / 2, (unrolled * dy * (1 - x / y**2) + 1 / y) / 2
        return g * dy

    return backward


def _two(name, about, f, make, good, bad, *inputs, **options):
    return planted(name, about, f, make(good), make(bad), *inputs, **options)


CASES = [
    _two("gated linear unit", "the halves are swapped", _glu, _glu_gradient, False, True, X),
    _two(
        "PReLU's slope",
        "its sign",
        lambda x, a: np.where(x > 0, x, a * x),
        _prelu_gradients,
        1,
        -1,
        LINE,
        np.array(0.25),
    ),
    planted(
        "cross-entropy with ignored rows",
        "they count in the mean's divisor",
        _ignoring,
        _ignoring_gradient(True, 3),
        _ignoring_gradient(True, 4),
        X,
        LABELS,
    ),
    planted(
        "cross-entropy with ignored rows, leaking",
        "they have gradients",
        _ignoring,
        _ignoring_gradient(True, 3),
        _ignoring_gradient(False, 3),
        X,
        LABELS,
    ),
    _two("group norm", "as layer norm", _group_norm, _group_gradient, 2, 1, X),
    _two("masked softmax", "the mask is forgotten", _masked_softmax, _masked_gradient, False, True, X),
    planted(
        "upsampling",
        "the mean over each block",
        _upsample,
        lambda g, x: g.reshape(4, 2, 6, 2).sum((1, 3)),
        lambda g, x: g.reshape(4, 2, 6, 2).mean((1, 3)),
        X,
    ),
    _two(
        "pixel shuffle", "the same permutation for its inverse", _shuffle, _shuffled_back, (1, 3, 0, 2), (2, 0, 1, 3), X
    ),
    _two("moving average", "the ends do not count", _moving_average, _moving_gradient, False, True, LINE),
    _two(
        "trapezoidal rule",
        "the ends count whole",
        lambda y: (y[1:] + y[:-1]).sum() / 12,
        _trapezoid,
        [0.5, 1, 1, 1, 1, 1, 0.5],
        [1] * 7,
        LINE,
    ),
    _two(
        "polynomial's coefficients",
        "in reverse order",
        _polynomial,
        _polynomial_gradients,
        False,
        True,
        LINE[:4],
        OTHER,
    ),
    _two("quaternions", "the order of a product", _quaternion, _quaternion_gradients, False, True, LINE[:4], OTHER[:4]),
    _two("Toeplitz matrix", "transposed", _toeplitz, _toeplitz_gradient, 1, -1, LINE),
    _two(
        "cumulative logsumexp",
        "summed from the front again",
        _log_cumulative,
        _log_cumulative_gradient,
        False,
        True,
        LINE,
    ),
    _two(
        "weight normalisation",
        "the length is taken for a constant",
        _weight_norm,
        _weight_norm_gradients,
        1,
        0,
        LINE,
        np.array(1.4),
    ),
    planted("rotary embedding", "turned on for back", _rotary, lambda g, x: _rotary(g, -1), lambda g, x: _rotary(g), X),
    planted(
        "triplet loss",
        "the anchor is drawn to the positive alone",
        _triplet,
        lambda g, a, p, n: (2 * g * (n - p), -2 * g * (a - p), 2 * g * (a - n)),
        lambda g, a, p, n: (2 * g * (a - p), -2 * g * (a - p), 2 * g * (a - n)),
        LINE,
        OTHER,
        normal(7, seed=2),
    ),
    _two("focal loss", "the factor is taken for a constant", _focal, _focal_gradient, 1, 0, LINE),
    _two("GRU", "the sign of the old state", _gru, _gru_gradients, -1, 1, LINE, OTHER, normal(7, seed=2)),
    _two("Newton's iteration", "the last step alone", _newton, _newton_gradient, 1, 0, uniform(2, 9, 4)),
    planted(
        "Huber's threshold",
        "1 for 0.5 in the gradient",
        lambda x: np.where(np.abs(x) < 0.5, x * x / 2, 0.5 * (np.abs(x) - 0.25)),
        lambda g, x: g * np.clip(x, -0.5, 0.5),
        lambda g, x: g * np.clip(x, -1, 1),
        LINE,
    ),
    planted(
        "pinball loss",
        "the two slopes are swapped",
        lambda x: np.where(x > 0, 0.9 * x, -0.1 * x),
        lambda g, x: g * np.where(x > 0, 0.9, -0.1),
        lambda g, x: g * np.where(x > 0, 0.1, -0.9),
        LINE,
    ),
    planted(
        "Dice's coefficient",
        "its denominator is taken for a constant",
        lambda p, t: 2 * (p * t).sum() / (p + t).sum(),
        *[
            lambda g, p, t, c=c: tuple(
                2 * g * (o / (p + t).sum() - c * (p * t).sum() / (p + t).sum() ** 2) for o in (t, p)
            )
            for c in (1, 0)
        ],
        uniform(0, 1, 5),
        uniform(0, 1, 5, seed=1),
    ),
    planted(
        "softmax twice",
        "the inner one's gradient alone",
        lambda x: softmax(softmax(x)),
        *[lambda g, x, c=c: _softmax_chain(g, x, c) for c in (True, False)],
        X,
    ),
    planted(
        "inputs used twice",
        "f(x, x): the two gradients are not added",
        lambda x: np.sin(x) * x[::-1],
        *[lambda g, x, c=c: g * np.cos(x) * x[::-1] + c * (g * np.sin(x))[::-1] for c in (1, 0)],
        LINE,
    ),
]
