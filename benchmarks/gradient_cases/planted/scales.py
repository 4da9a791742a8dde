"""Planted errors where sizes make them hard to see: small beside large, steep, far away."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, planted_factor, planted_slope, times, uniform
from benchmarks.gradient_cases.formulas import sigmoid

X = normal(6)
WEIGHTS = 10.0 ** np.arange(-8, 9, 2)


def _unary(name, about, f, slope, factor, x, **options):
    right, wrong = (lambda g, x: g * slope(x)), times(lambda g, x: g * slope(x), factor)
    return planted(name, about, f, right, wrong, x, **options)


def _added(g, x):
    gradient = g * np.cos(x)
    return gradient + 1e-6 * np.abs(gradient).max(initial=0.0)


def _nearly_flat(x):
    return 1e-6 * np.sin(x)


def _mixed(x, y):
    return np.sin(x * 1e6) * np.cos(y / 1e6)


def _mixed_gradients(g, x, y):
    return g * np.cos(x * 1e6) * 1e6 * np.cos(y / 1e6), -g * np.sin(x * 1e6) * np.sin(y / 1e6) / 1e6


CASES = [
    planted_factor(
        "one entry of twelve",
        "1e-5 too large in one entry",
        np.exp,
        lambda g, x: g * np.exp(x),
        1 + 1.01e-5,
        (1, 2),
        normal(3, 4),
    ),
    planted_factor(
        "smallest entry, elementwise",
        "1e-5 too large where the slope is 1e-8 beside 1e8",
        lambda x: WEIGHTS * np.sin(x),
        lambda g, x: g * WEIGHTS * np.cos(x),
        1 + 1.01e-5,
        0,
        normal(9),
    ),
    planted_factor(
        "smallest entry, in a sum",
        "1e-5 too large where the slope is 1 beside 1e4",
        lambda x: (10.0 ** np.arange(5) * np.sin(x)).sum(),
        lambda g, x: g * 10.0 ** np.arange(5) * np.cos(x),
        1 + 1.01e-5,
        0,
        uniform(-1, 1, 5),
    ),
    planted_factor(
        "smallest entry is zero",
        "0 where the slope is 1e-4 beside 1e4",
        lambda x: (np.array([1e-4, 1.0, 1e4]) * np.sin(x)).sum(),
        lambda g, x: g * np.array([1e-4, 1.0, 1e4]) * np.cos(x),
        0.0,
        0,
        uniform(-1, 1, 3),
    ),
    planted(
        "a constant is added",
        "1e-6 of the largest entry is added to each",
        np.sin,
        lambda g, x: g * np.cos(x),
        _added,
        np.array([0.1, 1.55, -0.7, 1.5]),
    ),
    _unary("offset of 1e9", "1 % too large, beside 1e9", lambda x: np.sin(x) + 1e9, np.cos, 1.01, X, size=1e-2),
    _unary("offset of 1e6", "1e-5 too large, beside 1e6", lambda x: np.sin(x) + 1e6, np.cos, 1 + 1.01e-5, X),
    planted(
        "offset of 1e9 in one output",
        "1e-4 too large, in the output without the offset",
        lambda x: np.array([1e9, 0.0, 0.0]) + np.sin(x),
        lambda g, x: g * np.cos(x),
        times(lambda g, x: g * np.cos(x), 1 + 1e-4, at=2),
        X[:3],
        size=9e-5,
    ),
    _unary("slope of 1e-6", "1e-5 too large, all tiny", _nearly_flat, lambda x: 1e-6 * np.cos(x), 1 + 1.01e-5, X),
    _unary(
        "slope of 1e-12",
        "1e-5 too large, all tiny",
        lambda x: 1e-12 * np.sin(x),
        lambda x: 1e-12 * np.cos(x),
        1 + 1.01e-5,
        X,
    ),
    _unary(
        "slope of 1e-12, zero given",
        "no gradient where it is tiny",
        lambda x: 1e-12 * np.sin(x),
        lambda x: 1e-12 * np.cos(x),
        0.0,
        X,
    ),
    _unary(
        "slope of 1e-100",
        "twice as large as it should be",
        lambda x: 1e-100 * np.sin(x),
        lambda x: 1e-100 * np.cos(x),
        2.0,
        X,
    ),
    _unary(
        "outputs of 1e12",
        "1e-5 too large, all huge",
        lambda x: 1e12 * np.sin(x),
        lambda x: 1e12 * np.cos(x),
        1 + 1.01e-5,
        X,
    ),
    _unary(
        "outputs of 1e200",
        "1e-5 too small, all huge",
        lambda x: 1e200 * np.cosh(x),
        lambda x: 1e200 * np.sinh(x),
        1 - 1.01e-5,
        X,
    ),
    _unary("exp at 300", "1e-5 too large, about 1e130", np.exp, np.exp, 1 + 1.01e-5, uniform(290, 305, 5)),
    _unary(
        "rapid oscillation",
        "sin(1e4 x), 1e-5 too large",
        lambda x: np.sin(1e4 * x),
        lambda x: 1e4 * np.cos(1e4 * x),
        1 + 1.01e-5,
        X,
    ),
    planted_slope(
        "rapid oscillation, inner factor",
        "sin(1e3 x) without the 1e3",
        lambda x: np.sin(1e3 * x),
        lambda x: 1e3 * np.cos(1e3 * x),
        lambda x: np.cos(1e3 * x),
        X,
    ),
    _unary(
        "small ripple on a slope",
        "the gradient of x + 1e-3 sin(1e3 x), of the ripple 1 % too small",
        lambda x: x + 1e-3 * np.sin(1e3 * x),
        lambda x: 1 + np.cos(1e3 * x),
        0.99,
        X,
        size=1e-2,
    ),
    _unary(
        "inputs of 1e-8",
        "1e-5 too large",
        lambda x: np.sin(1e8 * x),
        lambda x: 1e8 * np.cos(1e8 * x),
        1 + 1.01e-5,
        1e-8 * X,
    ),
    _unary(
        "inputs of 1e8",
        "1e-5 too large",
        lambda x: np.cos(1e-8 * x),
        lambda x: -1e-8 * np.sin(1e-8 * x),
        1 + 1.01e-5,
        1e8 * X,
    ),
    _unary("inputs of 1e150", "log, 1e-5 too large", np.log, lambda x: 1 / x, 1 + 1.01e-5, 1e150 * uniform(1, 3, 4)),
    _unary("inputs of 1e-150", "log, 1e-5 too large", np.log, lambda x: 1 / x, 1 + 1.01e-5, 1e-150 * uniform(1, 3, 4)),
    _unary("log at 1e-10", "1e-5 too large", np.log, lambda x: 1 / x, 1 + 1.01e-5, np.array([1e-10, 3e-10])),
    _unary(
        "1 / x at 1e-6", "1e-5 too large", lambda x: 1 / x, lambda x: -1 / (x * x), 1 + 1.01e-5, np.array([1e-6, -2e-6])
    ),
    planted_slope(
        "1 / x at 1e-6, eps",
        "1 / (x**2 + 1e-16) for 1 / x**2",
        lambda x: 1 / x,
        lambda x: -1 / (x * x),
        lambda x: -1 / (x * x + 1e-16),
        np.array([1e-6, -2e-6]),
    ),
    _unary("sqrt at 1e-9", "1e-5 too large", np.sqrt, lambda x: 0.5 / np.sqrt(x), 1 + 1.01e-5, np.array([1e-9, 2e-9])),
    planted_slope(
        "sqrt with eps",
        "1e-8 under the root of the gradient only",
        np.sqrt,
        lambda x: 0.5 / np.sqrt(x),
        lambda x: 0.5 / np.sqrt(x + 1e-8),
        np.array([1e-4, 3e-4, 1e-3]),
    ),
    planted_factor(
        "scales in one array",
        "log, half of it at the smallest of 1e-8, 1, 1e8",
        np.log,
        lambda g, x: g / x,
        0.5,
        0,
        np.array([1e-8, 1.0, 1e8]),
    ),
    planted_factor(
        "scales in one array, the largest",
        "log, 1e-5 too large at the largest of 1e-8, 1, 1e8",
        np.log,
        lambda g, x: g / x,
        1 + 1.01e-5,
        2,
        np.array([1e-8, 1.0, 1e8]),
    ),
    planted_factor(
        "two inputs, two scales",
        "1e-5 too large for the input of scale 1e-6",
        _mixed,
        _mixed_gradients,
        1 + 1.01e-5,
        ...,
        1e-6 * X,
        1e6 * X[::-1],
    ),
    planted_factor(
        "two inputs, two scales, the other",
        "1e-5 too large for the input of scale 1e6",
        _mixed,
        _mixed_gradients,
        1 + 1.01e-5,
        ...,
        1e-6 * X,
        1e6 * X[::-1],
        only=1,
    ),
    planted(
        "two outputs, two scales",
        "1e-3 too large for the output of size 1e-10, right for that of 1e10",
        lambda x: (1e-10 * np.sin(x), 1e10 * np.cos(x)),
        lambda g, x: 1e-10 * g[0] * np.cos(x) - 1e10 * g[1] * np.sin(x),
        lambda g, x: 1.001e-10 * g[0] * np.cos(x) - 1e10 * g[1] * np.sin(x),
        X,
        size=0.0,
    ),
    planted_slope(
        "sigmoid's tail",
        "s for s (1 - s), right far to the left but not here",
        sigmoid,
        lambda x: sigmoid(x) * sigmoid(-x),
        sigmoid,
        np.array([-3.0, -6.0, -9.0]),
    ),
    planted_slope(
        "sigmoid's other tail",
        "twice as large at 15, where sigmoid is 1 - 3e-7",
        sigmoid,
        lambda x: sigmoid(x) * sigmoid(-x),
        lambda x: 2 * sigmoid(-x),
        np.array([15.0, 16.0]),
    ),
    planted_slope(
        "steep tanh",
        "tanh(1e6 x) with 0 for its slope within 1e-6",
        lambda x: np.tanh(1e6 * x),
        lambda x: 1e6 * (1 - np.tanh(1e6 * x) ** 2),
        lambda x: np.where(np.abs(x) < 1e-6, 0.0, 1e6 * (1 - np.tanh(1e6 * x) ** 2)),
        np.array([2e-7, -5e-7, 1.5e-6]),
    ),
    _unary(
        "narrow peak",
        "1e-5 too large on the side of a Gaussian of width 1e-6",
        lambda x: np.exp(-(((x - 1) * 1e6) ** 2) / 2),
        lambda x: -(x - 1) * 1e12 * np.exp(-(((x - 1) * 1e6) ** 2) / 2),
        1 + 1e-3,
        np.array([1 + 5e-7, 1 - 1e-6]),
        size=9e-4,
    ),
]
