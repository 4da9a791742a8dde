"""Right gradients of functions of unusual form: sizes, shapes, several outputs."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, right
from benchmarks.gradient_cases.formulas import (
    convolve2d,
    convolve2d_gradients,
    relu,
    softmax,
    standardise,
    standardise_gradient,
)

X = normal(3, 4)


def _batch_norm(x, gamma, beta):
    return gamma * standardise(x, 0, 1e-5)[0] + beta


def _batch_norm_gradients(g, x, gamma, beta):
    return standardise_gradient(g * gamma, x, 0, 1e-5), (g * standardise(x, 0, 1e-5)[0]).sum(0), g.sum(0)


def _deep(x):
    for _ in range(200):
        x = x + 0.05 * np.sin(x)
    return x


def _deep_gradient(g, x):
    values = [x]
    for _ in range(199):
        values.append(values[-1] + 0.05 * np.sin(values[-1]))
    for value in reversed(values):
        g = g * (1 + 0.05 * np.cos(value))
    return g


def _euler(x):
    """A pendulum, 50 steps of 0.05."""
    angle, speed = x
    for _ in range(50):
        angle, speed = angle + 0.05 * speed, speed - 0.05 * np.sin(angle)
    return np.stack([angle, speed])


def _euler_gradient(g, x):
    angles = []
    angle, speed = x
    for _ in range(50):
        angles.append(angle)
        angle, speed = angle + 0.05 * speed, speed - 0.05 * np.sin(angle)
    ga, gs = g
    for angle in reversed(angles):
        ga, gs = ga - 0.05 * np.cos(angle) * gs, gs + 0.05 * ga
    return np.stack([ga, gs])


def _power_spectrum(x):
    k = np.arange(len(x))
    angles = 2 * np.pi * np.outer(k, k) / len(x)
    return (np.cos(angles) @ x) ** 2 + (np.sin(angles) @ x) ** 2


def _power_spectrum_gradient(g, x):
    k = np.arange(len(x))
    angles = 2 * np.pi * np.outer(k, k) / len(x)
    return 2 * np.cos(angles).T @ (g * (np.cos(angles) @ x)) + 2 * np.sin(angles).T @ (g * (np.sin(angles) @ x))


def _gathered(g, x, i):
    gradient = np.zeros_like(x)
    np.add.at(gradient, i, 2 * g * x[i])
    return gradient


CASES = [
    right("no entries", "an empty array", lambda x: 2 * x, lambda g, x: 2 * g, np.zeros((0, 3))),
    right("no entries, a sum", "0 of nothing", np.sum, lambda g, x: np.full_like(x, g), np.zeros(0)),
    right(
        "no entries beside some",
        "one of two inputs is empty",
        lambda x, y: np.concatenate([x, np.sin(y)]),
        lambda g, x, y: (g[:0].copy(), g * np.cos(y)),
        np.zeros(0),
        normal(3),
    ),
    right(
        "a number",
        "0-d in, 0-d out",
        lambda x: np.asarray(np.exp(x)),
        lambda g, x: np.asarray(g * np.exp(x)),
        np.array(0.7),
    ),
    right(
        "a number to an array",
        "0-d in, (4,) out",
        lambda x: x * np.arange(1, 5),
        lambda g, x: np.asarray((g * np.arange(1, 5)).sum()),
        np.array(0.7),
    ),
    right(
        "one entry in three dimensions",
        "(1, 1, 1)",
        np.tanh,
        lambda g, x: g * (1 - np.tanh(x) ** 2),
        np.array([[[0.4]]]),
    ),
    right(
        "indices beside",
        "rows taken, some twice",
        lambda x, i: x[i] ** 2,
        lambda g, x, i: (_gathered(g, x, i), None),
        X,
        np.array([2, 0, 2]),
    ),
    right(
        "a mask beside",
        "of booleans",
        lambda x, m: np.where(m, np.sin(x), 0 * x),
        lambda g, x, m: (np.where(m, g * np.cos(x), 0), None),
        normal(5),
        np.array([True, False, True, True, False]),
    ),
    right(
        "exponents beside",
        "integers",
        lambda x, n: x**n,
        lambda g, x, n: (g * n * x ** np.maximum(n - 1, 0), None),
        [1.5, -0.5, 0.0, 2.0],
        np.array([0, 1, 2, 3]),
    ),
    right(
        "no effect",
        "of the second input: None",
        lambda x, y: np.sin(x),
        lambda g, x, y: (g * np.cos(x), None),
        normal(3),
        normal(2),
    ),
    right(
        "no effect: zeros",
        "of the second input",
        lambda x, y: np.sin(x) + 0 * y.sum(),
        lambda g, x, y: (g * np.cos(x), np.zeros_like(y)),
        normal(3),
        normal(2),
    ),
    right("identity", "the cotangent itself", lambda x: 1 * x, lambda g, x: g, X),
    right(
        "two outputs", "of different shapes", lambda x: (x.sum(0), np.sin(x)), lambda g, x: g[0] + g[1] * np.cos(x), X
    ),
    right(
        "an output twice",
        "the same in two places",
        lambda x: (np.exp(x), np.exp(x)),
        lambda g, x: (g[0] + g[1]) * np.exp(x),
        normal(3),
    ),
    right(
        "three outputs, one constant",
        "one does not depend on the input",
        lambda x: (np.sin(x), np.ones(2), x.sum()),
        lambda g, x: g[0] * np.cos(x) + g[2],
        normal(3),
    ),
    right(
        "the largest and all",
        "two outputs, one of them a kink's neighbour",
        lambda x: (x.max(), x * 2.0),
        lambda g, x: g[0] * (x == x.max()) + 2 * g[1],
        normal(5),
    ),
    right("columns in memory", "not contiguous", np.sin, lambda g, x: g * np.cos(x), np.asfortranarray(X)),
    right(
        "ten thousand entries", "tanh, elementwise", np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2), normal(100, 100)
    ),
    right(
        "ten thousand entries to one",
        "the logarithm of a sum of squares",
        lambda x: np.log((x * x).sum()),
        lambda g, x: 2 * g * x / (x * x).sum(),
        normal(100, 100),
    ),
    right(
        "ten thousand entries with zeros",
        "ReLU: a tenth of them are 0",
        relu,
        lambda g, x: g * (x > 0),
        normal(100, 100) * (np.arange(10000).reshape(100, 100) % 10 > 0),
    ),
    right(
        "one entry to ten thousand",
        "all its powers",
        lambda x: x ** np.arange(10000.0),
        lambda g, x: np.asarray((g[1:] * np.arange(1.0, 10000) * x ** np.arange(9999.0)).sum()),
        np.array(0.99),
    ),
    right("depth 200", "sin and a skip, again and again", _deep, _deep_gradient, [0.3, -0.2, 1.0]),
    right("pendulum", "50 steps of Euler's method", _euler, _euler_gradient, [[0.5, 2.0], [0.0, -1.0]]),
    right(
        "softmax of a row of ties",
        "all scores equal",
        softmax,
        lambda g, x: softmax(x) * (g - (g * softmax(x)).sum(-1, keepdims=True)),
        np.zeros((2, 4)),
    ),
    right(
        "batch norm, a constant column",
        "variance 0: slopes of 300",
        _batch_norm,
        _batch_norm_gradients,
        np.array([[1.0, 0.2], [1.0, -0.4], [1.0, 1.3]]),
        np.array([1.0, 2.0]),
        np.zeros(2),
    ),
    right(
        "batch norm of two",
        "values that are nearly 1 and -1: slopes of 1e-5",
        _batch_norm,
        _batch_norm_gradients,
        [[1.0], [3.0]],
        [1.0],
        [0.5],
    ),
    right(
        "layer norm of values of 1e4",
        "eps does not matter",
        lambda x: standardise(x, 1, 1e-5)[0],
        lambda g, x: standardise_gradient(g, x, 1, 1e-5),
        1e4 * X,
    ),
    right(
        "convolution and ReLU",
        "of an image with zeros",
        lambda x, w, b: relu(convolve2d(x, w, b, 1, 1)),
        lambda g, x, w, b: convolve2d_gradients(g * (convolve2d(x, w, b, 1, 1) > 0), x, w, b, 1, 1),
        np.zeros((1, 4, 4)),
        normal(2, 1, 3, 3),
        np.zeros(2),
    ),
    right(
        "integral of a function",
        "the midpoint rule, upper end an input",
        lambda x: x * np.exp(-(((np.arange(400) + 0.5) / 400 * x) ** 2)).mean(),
        lambda g, x: (
            g
            * (
                np.exp(-(((np.arange(400) + 0.5) / 400 * x) ** 2)) * (1 - 2 * ((np.arange(400) + 0.5) / 400 * x) ** 2)
            ).mean()
        ),
        np.array(1.3),
    ),
    right("power spectrum", "of a real line", _power_spectrum, _power_spectrum_gradient, normal(6)),
]
