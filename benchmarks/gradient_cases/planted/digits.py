"""Planted errors that hide in large inputs, or in few digits."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, planted_factor, planted_slope, times, uniform

X = normal(6)
MANY = normal(100, 100)


def _rounded(dtype):
    return lambda g, x: (g * np.cos(x)).astype(dtype).astype(float)


def _tail_dropped(g, x):
    gradient = 2 * g * x
    gradient.reshape(-1)[8192:] = 0
    return gradient


def _first_chunk_twice(g, x):
    gradient = 2 * g * x
    gradient[:64] *= 2
    return gradient


def _mean_tanh(x):
    return np.tanh(x).mean()


def _mean_tanh_gradient(g, x):
    return g * (1 - np.tanh(x) ** 2) / x.size


def _float32(x):
    return np.tanh(x.astype(np.float32)) * np.float32(3)


def _float16(x):
    return np.sin(x.astype(np.float16)).astype(np.float64)


CASES = [
    planted(
        "ten thousand entries",
        "all 1e-5 too large",
        np.tanh,
        lambda g, x: g * (1 - np.tanh(x) ** 2),
        times(lambda g, x: g * (1 - np.tanh(x) ** 2), 1 + 1.01e-5),
        MANY,
    ),
    planted_factor(
        "one of ten thousand, 1 %",
        "one entry is 1 % too large",
        np.tanh,
        lambda g, x: g * (1 - np.tanh(x) ** 2),
        1.01,
        (57, 31),
        MANY,
        size=9e-3,
    ),
    planted_factor(
        "one of ten thousand, 1e-5",
        "one entry is 1e-5 too large, the others are right",
        np.tanh,
        lambda g, x: g * (1 - np.tanh(x) ** 2),
        1 + 1.01e-5,
        (13, 77),
        MANY,
    ),
    planted_factor(
        "one of ten thousand, in a sum",
        "one entry is 10 % too small",
        lambda x: np.tanh(x).sum(),
        lambda g, x: g * (1 - np.tanh(x) ** 2),
        0.9,
        (99, 99),
        MANY,
        size=9e-2,
    ),
    planted(
        "mean of ten thousand",
        "divided by 9,999",
        _mean_tanh,
        _mean_tanh_gradient,
        times(_mean_tanh_gradient, 10000 / 9999),
        MANY,
    ),
    planted(
        "ten thousand, the rest dropped",
        "in blocks of 4096: nothing is done for what is left over",
        np.square,
        lambda g, x: 2 * g * x,
        _tail_dropped,
        MANY,
    ),
    planted(
        "a long line, its start",
        "the first 64 of 20,000 entries count twice",
        lambda x: (x * x).sum(),
        lambda g, x: 2 * g * x,
        _first_chunk_twice,
        normal(20000),
    ),
    planted(
        "ten thousand, row sums",
        "the gradient of column sums",
        lambda x: np.square(x).sum(0),
        lambda g, x: 2 * g * x,
        lambda g, x: 2 * g[:, None] * x,
        MANY,
    ),
    planted(
        "rounded to float16",
        "the gradient passed through half precision",
        np.sin,
        lambda g, x: g * np.cos(x),
        _rounded(np.float16),
        X,
    ),
    planted(
        "rounded to float32",
        "the gradient passed through single precision",
        np.sin,
        lambda g, x: g * np.cos(x),
        _rounded(np.float32),
        X,
        size=1e-8,
    ),
    planted_slope(
        "cancellation",
        "(1e8 + x**2) - 1e8, half its gradient",
        lambda x: (1e8 + x * x) - 1e8,
        lambda x: 2 * x,
        lambda x: x,
        X,
        exact=np.square,
    ),
    planted_slope(
        "cancellation in 1 - cos x",
        "sin x with a wrong sign, at 1e-3",
        lambda x: 1 - np.cos(x),
        np.sin,
        lambda x: -np.sin(x),
        np.array([1e-3, -2e-3]),
    ),
    planted(
        "rounded to 1e-12",
        "0.1 % too large, values rounded to twelve places",
        lambda x: np.round(np.sin(x), 12),
        lambda g, x: g * np.cos(x),
        times(lambda g, x: g * np.cos(x), 1.001),
        X,
        exact=np.sin,
        size=9e-4,
    ),
    planted(
        "float32 inside",
        "1 % too large, computed in single precision",
        _float32,
        lambda g, x: 3 * g * (1 - np.tanh(x) ** 2),
        times(lambda g, x: 3 * g * (1 - np.tanh(x) ** 2), 1.01),
        X,
        exact=lambda x: 3 * np.tanh(x),
        size=9e-3,
    ),
    planted(
        "float32 inside, sign",
        "a wrong sign, computed in single precision",
        lambda x: np.exp(x.astype(np.float32)).sum(),
        lambda g, x: g * np.exp(x),
        lambda g, x: -g * np.exp(x),
        X,
        exact=lambda x: np.exp(x).sum(),
    ),
    planted(
        "float16 inside",
        "half the gradient, computed in half precision",
        _float16,
        lambda g, x: g * np.cos(x),
        times(lambda g, x: g * np.cos(x), 0.5),
        X,
        exact=np.sin,
    ),
    planted(
        "a power of 30",
        "30 x**29 with 29 for 30",
        lambda x: x**30,
        lambda g, x: 30 * g * x**29,
        lambda g, x: 29 * g * x**29,
        uniform(0.5, 2.0, 5),
    ),
    planted(
        "a vanishing term",
        "a term 0.1 * mean(x) too many, nearly 0 for inputs that are normalised",
        lambda x: np.sin(x).sum(),
        lambda g, x: g * np.cos(x),
        lambda g, x: g * (np.cos(x) + 0.1 * x.mean()),
        X - X.mean() + 1e-3,
        size=9e-5,
    ),
]
