"""Planted errors at kinks, and smooth errors that hide beside them."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, planted_slope
from benchmarks.gradient_cases.formulas import length, max_pool1d, max_pool1d_gradient, relu

ZERO = np.array([0.0])
WITH_ZERO = np.array([0.8, 0.0, -1.3, 0.4])


def _step(x):
    return (x > 0).astype(float)


def _tie(name, about, weights, x=(0.7, -0.4, 0.7)):
    """The gradient of a maximum with a tie, by weights for all entries."""
    weights = np.array(weights)
    return planted(
        name, about, np.max, lambda g, x: g * np.eye(x.size)[x.argmax()], lambda g, x: g * weights, np.array(x)
    )


def _maximum(left, right):
    """The gradient of max(x, y) where x = y, by the shares of the two."""
    return lambda g, x, y: (
        g * np.where(x == y, left, x > y),
        g * np.where(x == y, right, y > x),
    )


def _pooled_twice(g, x):
    where = np.arange(3)[:, None] + np.arange(3)
    windows = x[where]
    gx = np.zeros_like(x)
    np.add.at(gx, where, g[:, None] * (windows == windows.max(1, keepdims=True)))
    return gx


def _network(x, w1, b1, w2):
    return relu(x @ w1 + b1) @ w2


def _network_gradients(factor: float):
    def backward(g, x, w1, b1, w2):
        pre = x @ w1 + b1
        inner = (g @ w2.T) * (pre > 0)
        return inner @ w1.T, x.T @ inner, inner.sum(0), factor * relu(pre).T @ g

    return backward


def _hinge(slope):
    return lambda g, x: g * np.where(x < 1, -1.0, np.where(x == 1, slope, 0.0))


def _lasso(x, w):
    return ((x @ w - 1) ** 2).sum() + 0.1 * np.abs(w).sum()


def _lasso_gradients(sign):
    def backward(g, x, w):
        residual = 2 * g * (x @ w - 1)
        return np.outer(residual, w), x.T @ residual + 0.1 * g * sign(w)

    return backward


def _sorted_gradient(g, x, order):
    gradient = np.empty_like(x)
    gradient[order] = g
    return gradient


def _both(x):
    return relu(x) - relu(-x)


CASES = [
    planted_slope("ReLU, 2 at 0", "outside [0, 1]", relu, _step, lambda x: np.where(x == 0, 2.0, x > 0), WITH_ZERO),
    planted_slope("ReLU, -0.5 at 0", "outside [0, 1]", relu, _step, lambda x: np.where(x == 0, -0.5, x > 0), WITH_ZERO),
    planted_slope(
        "ReLU, 1.001 at 0", "just outside [0, 1]", relu, _step, lambda x: np.where(x == 0, 1.001, x > 0), WITH_ZERO
    ),
    planted_slope("ReLU, NaN at 0", "x / |x| there", relu, _step, lambda x: np.where(x == 0, np.nan, x > 0), WITH_ZERO),
    planted_slope(
        "abs, 2 at 0", "outside [-1, 1]", np.abs, np.sign, lambda x: np.where(x == 0, 2.0, np.sign(x)), WITH_ZERO
    ),
    planted_slope(
        "abs, -1.1 at 0", "outside [-1, 1]", np.abs, np.sign, lambda x: np.where(x == 0, -1.1, np.sign(x)), WITH_ZERO
    ),
    planted_slope(
        "leaky ReLU, 0 at 0",
        "outside [0.1, 1]",
        lambda x: np.maximum(x, 0.1 * x),
        lambda x: np.where(x > 0, 1.0, 0.1),
        lambda x: np.where(x == 0, 0.0, np.where(x > 0, 1.0, 0.1)),
        WITH_ZERO,
    ),
    _tie("tie, each the whole", "two equal entries are given 1 each", [1.0, 0.0, 1.0]),
    _tie("tie, half too little", "two equal entries are given a quarter each", [0.25, 0.0, 0.25]),
    _tie("tie, the loser", "the smallest entry is given a tenth", [0.45, 0.1, 0.45]),
    _tie("tie, 2 and -1", "they sum to 1, but one is negative", [2.0, 0.0, -1.0]),
    _tie("tie of five, divided by four", "five equal entries are given a quarter each", [0.25] * 5, [0.3] * 5),
    planted(
        "max of two, both",
        "1 for either where they are equal",
        np.maximum,
        _maximum(0.5, 0.5),
        _maximum(1.0, 1.0),
        np.array([1.0, 2.0, 0.3]),
        np.array([1.0, 1.5, 0.3]),
    ),
    planted(
        "max of two, neither",
        "0 for either where they are equal",
        np.maximum,
        _maximum(0.5, 0.5),
        _maximum(0.0, 0.0),
        np.array([1.0, 2.0, 0.3]),
        np.array([1.0, 1.5, 0.3]),
    ),
    planted(
        "max pooling, all ties",
        "every largest entry of a window is given all of it",
        lambda x: max_pool1d(x, 3, 1),
        lambda g, x: max_pool1d_gradient(g, x, 3, 1),
        _pooled_twice,
        np.array([0.5, 0.5, 0.1, 0.5, 0.2]),
    ),
    planted_slope(
        "clip, 1.5 at its border",
        "outside [0, 1]",
        lambda x: np.clip(x, -1.0, 1.0),
        lambda x: np.where(np.abs(x) <= 1, 1.0, 0.0),
        lambda x: np.where(np.abs(x) == 1, 1.5, np.abs(x) < 1),
        np.array([1.0, 0.3, -1.0]),
    ),
    planted(
        "hinge, positive at its corner",
        "outside [-1, 0]",
        lambda x: relu(1 - x),
        _hinge(0.0),
        _hinge(0.5),
        np.array([1.0, 0.2, 3.0]),
    ),
    planted(
        "norm at zero, too long",
        "a vector of length 1.7",
        length,
        lambda g, x: 0 * x,
        lambda g, x: g * np.ones_like(x),
        np.zeros(3),
    ),
    planted(
        "lasso at zero weights, 1.5",
        "outside [-1, 1]",
        _lasso,
        _lasso_gradients(np.sign),
        _lasso_gradients(lambda w: np.where(w == 0, 1.5, np.sign(w))),
        normal(3, 4),
        np.array([0.5, 0.0, -0.2, 0.0]),
    ),
    planted(
        "sort, ties",
        "equal entries are given the sum of their gradients each",
        np.sort,
        lambda g, x: _sorted_gradient(g, x, np.argsort(x, kind="stable")),
        lambda g, x: np.array([g[0], g[1] + g[2], g[1] + g[2], g[3]]),
        np.array([0.1, 0.4, 0.4, 0.9]),
    ),
    planted_slope(
        "the identity by two ReLUs, 0 at 0",
        "each kink has 0 there, but together they have none",
        _both,
        np.ones_like,
        lambda x: (x != 0).astype(float),
        WITH_ZERO,
    ),
    planted_slope(
        "the square of a ReLU, 1 at 0",
        "where it is smooth",
        lambda x: relu(x) ** 2,
        lambda x: 2 * relu(x),
        lambda x: np.where(x == 0, 1.0, 2 * relu(x)),
        WITH_ZERO,
    ),
    planted_slope(
        "a square by abs, 0.5 at 0",
        "where it is smooth",
        lambda x: np.abs(x) * x,
        lambda x: 2 * np.abs(x),
        lambda x: np.where(x == 0, 0.5, 2 * np.abs(x)),
        WITH_ZERO,
    ),
    planted(
        "sqrt of a sum of squares, NaN",
        "0 / 0 at zero",
        length,
        lambda g, x: 0 * x,
        lambda g, x: g * np.full_like(x, np.nan),
        np.zeros(3),
    ),
    planted(
        "sqrt squared, NaN",
        "inf * 0 at the end of its domain",
        lambda x: np.sqrt(x) ** 2,
        lambda g, x: g.copy(),
        lambda g, x: g * np.where(x == 0, np.nan, 1.0),
        np.array([0.0, 0.5]),
    ),
    planted_slope(
        "max of slopes 1 and 3, 0",
        "outside [1, 3]",
        lambda x: np.maximum(x, 3 * x),
        lambda x: np.where(x > 0, 3.0, 1.0),
        lambda x: np.where(x == 0, 0.0, np.where(x > 0, 3.0, 1.0)),
        WITH_ZERO,
    ),
    planted(
        "|x| - |y|, outside",
        "2 for x, at zero",
        lambda x, y: np.abs(x) - np.abs(y),
        lambda g, x, y: (0 * g, 0 * g),
        lambda g, x, y: (2 * g, 0 * g),
        ZERO,
        ZERO,
    ),
    planted_slope(
        "ReLU, beside 0",
        "one entry is 0, another has twice its slope",
        relu,
        _step,
        lambda x: np.where(x > 0.5, 2.0, x > 0),
        WITH_ZERO,
    ),
    planted_slope(
        "ReLU, 1e-5 beside 0",
        "one entry is 0, another is 1e-5 wrong",
        relu,
        _step,
        lambda x: np.where(x > 0.5, 1 + 1.01e-5, x > 0),
        WITH_ZERO,
    ),
    planted_slope(
        "ReLU, dead within 0.01",
        "0 up to x = 0.01",
        relu,
        _step,
        lambda x: (x > 0.01).astype(float),
        np.array([0.008, 0.3, -0.2]),
    ),
    planted_slope(
        "ReLU, alive within 0.01",
        "1 from x = -0.01",
        relu,
        _step,
        lambda x: (x > -0.01).astype(float),
        np.array([-0.008, 0.3, -0.2]),
    ),
    planted_slope(
        "ReLU, dead within 1e-3",
        "0 up to x = 1e-3",
        relu,
        _step,
        lambda x: (x > 1e-3).astype(float),
        np.array([9e-4, 0.3, -0.2]),
    ),
    planted_slope(
        "abs, smoothed",
        "x / (|x| + 1e-3) beside a kink",
        np.abs,
        np.sign,
        lambda x: x / (np.abs(x) + 1e-3),
        np.array([0.2, 0.0, -0.1]),
    ),
    planted_slope(
        "abs as the identity", "1 at negative inputs, beside a zero", np.abs, np.sign, np.ones_like, WITH_ZERO
    ),
    planted(
        "ReLU network with a zero input",
        "the last weights' gradient is 1e-5 wrong, beside zero activations",
        _network,
        _network_gradients(1.0),
        _network_gradients(1 + 1.01e-5),
        np.array([[0.5, -1.0, 0.3], [0.0, 0.0, 0.0]]),
        normal(3, 4),
        np.zeros(4),
        normal(4, 2, seed=1),
    ),
    planted(
        "ReLU network with a zero input, transposed",
        "and a transposed gradient",
        _network,
        _network_gradients(1.0),
        lambda g, x, w1, b1, w2: (*_network_gradients(1.0)(g, x, w1, b1, w2)[:3], (relu(x @ w1 + b1).T @ g).T),
        np.array([[0.5, -1.0, 0.3], [0.0, 0.0, 0.0]]),
        normal(3, 3),
        np.zeros(3),
        normal(3, 3, seed=1),
    ),
    planted(
        "lasso, a factor beside zero weights",
        "the smooth part is 1e-4 too large",
        _lasso,
        _lasso_gradients(np.sign),
        lambda g, x, w: (_lasso_gradients(np.sign)(g, x, w)[0] * (1 + 1e-4), _lasso_gradients(np.sign)(g, x, w)[1]),
        normal(3, 4),
        np.array([0.5, 0.0, -0.2, 0.0]),
    ),
    planted(
        "a tie beside an error",
        "the tie is right; the other function's sign is wrong",
        lambda x, y: np.max(x) + np.sin(y).sum(),
        *[lambda g, x, y, c=c: (g * np.array([0.5, 0.5, 0.0]), c * g * np.cos(y)) for c in (1, -1)],
        np.array([0.4, 0.4, 0.1]),
        normal(3),
    ),
    planted(
        "smooth and kinked at once",
        "sin(x) + |x| at 0, with 0 for cos(0)",
        lambda x: 5 * np.sin(x) + np.abs(x),
        lambda g, x: g * (5 * np.cos(x) + np.sign(x)),
        lambda g, x: g * np.sign(x),
        np.array([0.0, 0.0]),
    ),
    planted(
        "a kink beside a constant",
        "1e-3 is added everywhere, at a kink of |x| + x",
        lambda x: np.abs(x) + x,
        lambda g, x: g * (np.sign(x) + 1),
        lambda g, x: g * (np.sign(x) + 1 + 1e-3),
        np.array([0.0, 0.7, -0.4]),
    ),
]
