"""Planted errors in the formulas of elementwise functions of several inputs."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, times, uniform
from benchmarks.gradient_cases.formulas import sigmoid

X = normal(3, 4)
Y = normal(3, 4, seed=1)
POSITIVE = uniform(0.3, 3.0, 3, 4)

CASES = [
    planted(
        "power, the exponent",
        "log of the exponent for log of the base",
        lambda x, y: x**y,
        lambda g, x, y: (g * y * x ** (y - 1), g * x**y * np.log(x)),
        lambda g, x, y: (g * y * x ** (y - 1), g * x**y * np.log(y)),
        POSITIVE,
        POSITIVE[::-1],
    ),
    planted(
        "power, the base",
        "the exponent not lowered",
        lambda x, y: x**y,
        lambda g, x, y: (g * y * x ** (y - 1), g * x**y * np.log(x)),
        lambda g, x, y: (g * y * x**y, g * x**y * np.log(x)),
        POSITIVE,
        Y,
    ),
    planted(
        "quotient, the divisor",
        "-x / y for -x / y**2",
        lambda x, y: x / y,
        lambda g, x, y: (g / y, -g * x / (y * y)),
        lambda g, x, y: (g / y, -g * x / y),
        X,
        POSITIVE,
    ),
    planted(
        "quotient, the dividend",
        "wrong by 1e-5 in one entry of the first input alone",
        lambda x, y: x / y,
        lambda g, x, y: (g / y, -g * x / (y * y)),
        times(lambda g, x, y: (g / y, -g * x / (y * y)), 1 + 1.01e-5, 0, (1, 2)),
        X,
        POSITIVE,
    ),
    planted(
        "arctan2, swapped",
        "the gradients of the two inputs swapped",
        np.arctan2,
        lambda g, y, x: (g * x / (x * x + y * y), -g * y / (x * x + y * y)),
        lambda g, y, x: (-g * y / (x * x + y * y), g * x / (x * x + y * y)),
        X,
        Y,
    ),
    planted(
        "hypot, swapped",
        "the gradients of the two inputs swapped",
        np.hypot,
        lambda g, x, y: (g * x / np.hypot(x, y), g * y / np.hypot(x, y)),
        lambda g, x, y: (g * y / np.hypot(x, y), g * x / np.hypot(x, y)),
        X,
        Y,
    ),
    planted(
        "logaddexp, swapped",
        "the weights of the two inputs swapped",
        lambda x, y: np.log(np.exp(x) + np.exp(y)),
        lambda g, x, y: (g * sigmoid(x - y), g * sigmoid(y - x)),
        lambda g, x, y: (g * sigmoid(y - x), g * sigmoid(x - y)),
        X,
        Y,
    ),
    planted(
        "difference",
        "the second input's sign forgotten",
        lambda x, y: x - y,
        lambda g, x, y: (g.copy(), -g),
        lambda g, x, y: (g.copy(), g.copy()),
        X,
        Y,
    ),
    planted(
        "product, each its own",
        "x for y and y for x",
        lambda x, y: x * y,
        lambda g, x, y: (g * y, g * x),
        lambda g, x, y: (g * x, g * y),
        X,
        Y,
    ),
    planted(
        "interpolation",
        "1 for 1 - t in the gradient of the start",
        lambda a, b, t: a + (b - a) * t,
        lambda g, a, b, t: (g * (1 - t), g * t, g * (b - a)),
        lambda g, a, b, t: (g.copy(), g * t, g * (b - a)),
        X,
        Y,
        uniform(0, 1, 3, 4),
    ),
    planted(
        "x log y",
        "log x for log y",
        lambda x, y: x * np.log(y),
        lambda g, x, y: (g * np.log(y), g * x / y),
        lambda g, x, y: (g * np.log(x), g * x / y),
        POSITIVE,
        POSITIVE[::-1],
    ),
    planted(
        "remainder",
        "the divisor's gradient is -floor(x / y), not its negative",
        lambda x, y: x - y * np.floor(x / y),
        lambda g, x, y: (g.copy(), -g * np.floor(x / y)),
        lambda g, x, y: (g.copy(), g * np.floor(x / y)),
        np.array([5.3, -2.2, 7.7]),
        np.array([2.0, 1.5, -3.1]),
    ),
    planted(
        "three inputs, rotated",
        "each input is given the gradient of the next",
        lambda x, y, z: np.sin(x) * np.exp(y) + z * z,
        lambda g, x, y, z: (g * np.cos(x) * np.exp(y), g * np.sin(x) * np.exp(y), 2 * g * z),
        lambda g, x, y, z: (g * np.sin(x) * np.exp(y), 2 * g * z, g * np.cos(x) * np.exp(y)),
        X,
        Y,
        normal(3, 4, seed=2),
    ),
]
