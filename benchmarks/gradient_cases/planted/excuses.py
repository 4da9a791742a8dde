"""Planted errors that look like something else: like a kink close by, like rounding, like steepness."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, planted_slope, times
from benchmarks.gradient_cases.formulas import max_pool1d, max_pool1d_gradient, relu, sigmoid, softmax, standardise

X = normal(6)
NEAR = np.array([0.5, 0.501, -0.3, 0.2])


def _pick(index):
    def backward(g, x):
        gradient = np.zeros_like(x)
        gradient[index] = g
        return gradient

    return backward


def _order(permutation):
    def backward(g, x):
        gradient = np.empty_like(x)
        gradient[permutation] = g
        return gradient

    return backward


def _swapped_pool(g, x):
    return max_pool1d_gradient(g, x[[1, 0, 2, 3]], 3, 1)


def _standardise_float32(g, x):
    x, g = x.astype(np.float32), g.astype(np.float32)
    centred = x - x.mean()
    inverse = 1 / np.sqrt((centred * centred).mean() + np.float32(1e-5))
    normed = centred * inverse
    return (inverse * (g - g.mean() - normed * (g * normed).mean())).astype(float)


def _standardise_gradient(g, x):
    normed, inverse = standardise(x, 0, 1e-5)
    return inverse * (g - g.mean() - normed * (g * normed).mean())


def _soft_maximum(x):
    return 1e-2 * np.log(np.exp((x - x.max()) / 1e-2).sum()) + x.max()


def _float32_only(x):
    if x.dtype != np.float32:
        raise TypeError("float32 is wanted")
    return np.tanh(x)


def _float32_gradient(factor):
    def backward(g, x):
        gradient = g * (1 - np.tanh(x) ** 2)
        gradient[2] *= np.float32(factor)
        return gradient

    return backward


def _masked(threshold):
    def backward(g, x, w):
        inner = g * (x @ w > threshold)
        return inner @ w.T, x.T @ inner

    return backward


def _inside(x):
    if not ((x >= 0) & (x <= 1)).all():
        raise ValueError("all entries must be in [0, 1]")
    return x * (1 - x)


def _solved(g, a, b):
    x, adjoint = np.linalg.solve(a, b), np.linalg.solve(a.T, g)
    return -np.outer(adjoint, x), adjoint


CASES = [
    planted_slope(
        "abs at 1e-3, the other side's",
        "-1 for 1",
        np.abs,
        np.sign,
        lambda x: np.where(np.abs(x) < 2e-3, -np.sign(x), np.sign(x)),
        np.array([1e-3, 0.4]),
    ),
    planted_slope(
        "abs at 1e-4, 0",
        "0 for 1",
        np.abs,
        np.sign,
        lambda x: np.where(np.abs(x) < 2e-4, 0.0, np.sign(x)),
        np.array([1e-4, 0.4]),
    ),
    planted_slope(
        "ReLU at 1e-3, 0.5",
        "0.5 for 1",
        relu,
        lambda x: (x > 0).astype(float),
        lambda x: np.where(np.abs(x) < 2e-3, 0.5, x > 0),
        np.array([1e-3, -0.4]),
    ),
    planted(
        "max of two 1e-3 apart",
        "all to the smaller",
        np.maximum,
        lambda g, x, y: (g * (x > y), g * (y > x)),
        lambda g, x, y: (g * (x < y), g * (y < x)),
        np.array([0.5, 0.2]),
        np.array([0.501, 0.199]),
    ),
    planted(
        "max of entries 1e-3 apart",
        "shared by the largest two",
        np.max,
        _pick(1),
        lambda g, x: (_pick(0)(g, x) + _pick(1)(g, x)) / 2,
        NEAR,
    ),
    planted(
        "max pooling, entries 1e-3 apart",
        "the two are swapped",
        lambda x: max_pool1d(x, 3, 1),
        lambda g, x: max_pool1d_gradient(g, x, 3, 1),
        _swapped_pool,
        NEAR,
    ),
    planted(
        "sort, entries 1e-3 apart", "the two are swapped", np.sort, _order([2, 3, 0, 1]), _order([2, 3, 1, 0]), NEAR
    ),
    planted(
        "median, entries 1e-3 apart",
        "the neighbour's",
        lambda x: np.sort(x)[2],
        _pick(0),
        _pick(1),
        np.array([0.5, 0.501, -0.3, 0.2, 0.9]),
    ),
    planted_slope(
        "sawtooth at 1e-3 from a jump",
        "half its slope",
        lambda x: x - np.floor(x),
        np.ones_like,
        lambda x: np.full_like(x, 0.5),
        np.array([1.001, 1.999]),
    ),
    planted_slope(
        "tanh(1e3 x) at 0",
        "half its slope",
        lambda x: np.tanh(1e3 * x),
        lambda x: 1e3 / np.cosh(1e3 * x) ** 2,
        lambda x: 500 / np.cosh(1e3 * x) ** 2,
        np.array([0.0, 1e-4]),
    ),
    planted_slope(
        "tanh(1e3 x) at 0, 1e-5",
        "1e-5 too large",
        lambda x: np.tanh(1e3 * x),
        lambda x: 1e3 / np.cosh(1e3 * x) ** 2,
        lambda x: 1000.0101 / np.cosh(1e3 * x) ** 2,
        np.array([0.0, 1e-4]),
    ),
    planted_slope(
        "smoothed abs as abs",
        "1 for x / sqrt(x**2 + 1e-6), at 1e-4",
        lambda x: np.sqrt(x * x + 1e-6),
        lambda x: x / np.sqrt(x * x + 1e-6),
        np.sign,
        np.array([1e-4, -3e-4]),
    ),
    planted_slope(
        "soft ReLU as ReLU",
        "softplus(1e4 x) / 1e4 at 1e-5",
        lambda x: np.log1p(np.exp(1e4 * x)) / 1e4,
        lambda x: sigmoid(1e4 * x),
        lambda x: (x > 0).astype(float),
        np.array([1e-5, -2e-5]),
    ),
    planted(
        "soft maximum as maximum",
        "with a temperature of 0.01",
        _soft_maximum,
        lambda g, x: g * softmax(x / 1e-2),
        _pick(1),
        NEAR,
    ),
    planted_slope(
        "oscillation, within its slopes",
        "3e3 where the slopes lie between -1e4 and 1e4",
        lambda x: np.sin(1e4 * x),
        lambda x: 1e4 * np.cos(1e4 * x),
        lambda x: np.full_like(x, 3e3),
        X,
    ),
    planted_slope(
        "rough gradient",
        "1e-4 of it flickers with x",
        np.sin,
        np.cos,
        lambda x: np.cos(x) * (1 + 1e-4 * np.sin(1e9 * x)),
        X,
        size=2e-5,
    ),
    planted_slope(
        "rough gradient, 1 %",
        "1 % of it flickers with the last digits of x",
        np.exp,
        np.exp,
        lambda x: np.exp(x) * (1 + 1e-2 * np.sin(1e15 * x)),
        X,
        size=1e-3,
    ),
    planted(
        "standardised in float32",
        "the gradient alone, of values beside 1e3",
        lambda x: standardise(x, 0, 1e-5)[0],
        _standardise_gradient,
        _standardise_float32,
        normal(6, shift=1e3),
    ),
    planted_slope(
        "noise of 1e-10, 1e-3",
        "sin plus 1e-10 sin(1e15 x), 0.1 % too large",
        lambda x: np.sin(x) + 1e-10 * np.sin(1e15 * x),
        np.cos,
        lambda x: 1.001 * np.cos(x),
        X,
        exact=np.sin,
        size=9e-4,
    ),
    planted_slope(
        "steps of 1e-4, sign",
        "(1e12 + sin x) - 1e12 with a wrong sign",
        lambda x: (1e12 + np.sin(x)) - 1e12,
        np.cos,
        lambda x: -np.cos(x),
        X,
        exact=np.sin,
    ),
    planted_slope(
        "exp(x) - 1 - x at 1e-4",
        "twice its slope",
        lambda x: np.exp(x) - 1 - x,
        np.expm1,
        lambda x: 2 * np.expm1(x),
        np.array([1e-4, -3e-4]),
    ),
    planted_slope(
        "(1 - cos x) / x**2 at 1e-3",
        "with a wrong sign",
        lambda x: (1 - np.cos(x)) / x**2,
        lambda x: -x / 12 + x**3 / 180,
        lambda x: x / 12 - x**3 / 180,
        np.array([1e-3, -2e-3]),
    ),
    planted(
        "float32 only, 5 % in one entry",
        "TypeError for all else",
        _float32_only,
        _float32_gradient(1.0),
        _float32_gradient(1.05),
        X.astype(np.float32),
        exact=np.tanh,
        size=4e-2,
        precision=1e-6,
    ),
    planted(
        "float32 only, 0.1 % in one entry",
        "TypeError for all else",
        _float32_only,
        _float32_gradient(1.0),
        _float32_gradient(1.001),
        X.astype(np.float32),
        exact=np.tanh,
        size=9e-4,
        precision=1e-6,
    ),
    planted(
        "ReLU layer, threshold",
        "the mask's threshold is 0.3",
        lambda x, w: relu(x @ w),
        _masked(0.0),
        _masked(0.3),
        normal(4, 3),
        normal(3, 5, seed=1),
    ),
    planted_slope(
        "at the end of a domain",
        "sqrt(x)**3 at 0, with 1 for 0",
        lambda x: np.sqrt(x) ** 3,
        lambda x: 1.5 * np.sqrt(x),
        lambda x: np.where(x == 0, 1.0, 1.5 * np.sqrt(x)),
        np.array([0.0, 0.5]),
    ),
    planted_slope(
        "near the end of a domain",
        "arcsin at 1 - 1e-6, 1e-4 too large",
        np.arcsin,
        lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
        lambda x: (1 + 1e-4) / np.sqrt((1 - x) * (1 + x)),
        np.array([1 - 1e-6, 0.3]),
    ),
    planted_slope(
        "raising outside",
        "on [0, 1], at 0 and 1: 0.9 for the slope 1 at 0",
        _inside,
        lambda x: 1 - 2 * x,
        lambda x: np.where(x == 0, 0.9, 1 - 2 * x),
        np.array([0.0, 0.4, 1.0]),
    ),
    planted(
        "ill-conditioned, 1 %",
        "a solution with a matrix of condition 1e6, 1 % too large",
        np.linalg.solve,
        _solved,
        times(_solved, 1.01),
        np.array([[1.0, 1.0], [1.0, 1.000004]]),
        np.array([2.0, 3.0]),
        size=9e-3,
    ),
    planted(
        "at a minimum",
        "0.01 where all slopes are 0",
        lambda x: (x * x).sum(),
        lambda g, x: 2 * g * x,
        lambda g, x: 2 * g * x + 0.01 * g,
        np.zeros(3),
    ),
    planted(
        "of a constant function",
        "1e-3 where all slopes are 0",
        lambda x: np.cosh(x) ** 2 - np.sinh(x) ** 2,
        lambda g, x: 0 * x,
        lambda g, x: 1e-3 * g,
        X,
    ),
]
