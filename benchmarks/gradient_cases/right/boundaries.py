"""Right gradients at and near jumps, and at the ends of domains."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.gradient_cases.case import normal, right, right_slope
from benchmarks.gradient_cases.formulas import relu

TABLE = np.array([0.5, -1.0, 2.0, 0.25, 1.5])


def _checked(f, low, high):
    """A function that refuses what is outside its domain."""

    def forward(x):
        if not ((x >= low) & (x <= high)).all():
            raise ValueError(f"all entries must be in [{low}, {high}]")
        return f(x)

    return forward


def _table(x):
    return TABLE[np.floor(x).astype(int) % 5]


def _sloped_table(x):
    return TABLE[np.floor(x).astype(int) % 5] * x


def _entropy(p):
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1 + 0 * p)), 0.0).sum()


def _simplex(p):
    if not ((p >= 0).all() and abs(p.sum() - 1) < 0.5):
        return np.full(3, np.nan)
    return p**2 / p.sum()


def _simplex_gradient(g, p):
    return 2 * g * p / p.sum() - (g * p**2).sum() / p.sum() ** 2


def _nothing(x):
    return np.zeros_like(x)


CASES = [
    right_slope("floor, between jumps", "0", np.floor, _nothing, [0.5, 1.3, -0.7]),
    right_slope("floor, at jumps", "0 on either side", np.floor, _nothing, [1.0, -2.0, 0.0]),
    right_slope("floor, near jumps", "0, 1e-10 away", np.floor, _nothing, [1 + 1e-10, 1 - 1e-10, 3.5]),
    right_slope("sign at 0", "0 on either side", np.sign, _nothing, [0.0, 1.0, -1e-9]),
    right_slope("round at halves", "0 on either side", np.round, _nothing, [0.5, 1.5, -0.5, 0.2]),
    right_slope("ceil of large numbers", "0", np.ceil, _nothing, [1e6 + 0.5, -1e9 + 0.25]),
    right_slope("step", "0 on either side", lambda x: np.where(x > 0, 1.0, 0.0) + 0 * x, _nothing, [0.0, 0.7, -0.1]),
    right_slope(
        "x above 1, at 1: 0",
        "the left side's slope",
        lambda x: np.where(x > 1, x, 0.0),
        lambda x: (x > 1).astype(float),
        [1.0, 1.5, 0.5],
    ),
    right_slope(
        "x above 1, at 1: 1",
        "the right side's slope",
        lambda x: np.where(x > 1, x, 0.0),
        lambda x: (x >= 1).astype(float),
        [1.0, 1.5, 0.5],
    ),
    right_slope(
        "two parabolas",
        "a jump of 3 at 1, between slopes 2 and 4",
        lambda x: np.where(x > 1, 2 * x * x + 2, x * x),
        lambda x: np.where(x > 1, 4 * x, 2 * x),
        [1.0, 1 + 1e-9, 1 - 1e-9, 0.2],
    ),
    right_slope("a tiny jump", "of 1e-9", lambda x: np.where(x > 1, x + 1e-9, x), np.ones_like, [1.0, 1 + 1e-10, 0.3]),
    right_slope(
        "a huge jump",
        "of 1e12, 1e-5 away",
        lambda x: np.where(x > 1, np.sin(x) + 1e12, np.sin(x)),
        np.cos,
        [1 - 1e-5, 0.3],
    ),
    right_slope(
        "sawtooth", "1, at and between its jumps", lambda x: x - np.floor(x), np.ones_like, [0.3, 1.0, 2 + 1e-8, -0.4]
    ),
    right_slope(
        "remainder",
        "1, at and between its jumps",
        lambda x: x - 0.1 * np.floor(x / 0.1),
        np.ones_like,
        [0.05, 0.31, 1.234],
    ),
    right_slope(
        "square wave times sine",
        "the wave's sign times cos",
        lambda x: np.sign(np.sin(50 * x)) * np.sin(x),
        lambda x: np.sign(np.sin(50 * x)) * np.cos(x),
        [0.1, 0.03, 1.0],
    ),
    right_slope("table", "0: values looked up", _table, _nothing, [0.5, 1.9, 3.2]),
    right_slope("table of slopes", "the slopes looked up", _sloped_table, _table, [0.5, 1.9, 3.2, 4.0]),
    right_slope(
        "many steps", "quantised to 1/256: 0", lambda x: np.round(x * 256) / 256, _nothing, [0.2005, 1.801, -0.7004]
    ),
    right_slope(
        "steps on a slope",
        "x plus a staircase of 1/256: 1",
        lambda x: x + np.floor(x * 256) / 256,
        np.ones_like,
        [0.2005, 1.801, -0.7004],
    ),
    right(
        "argmax selects",
        "the value at the largest; ties of the selector are jumps",
        lambda x, y: y[x.argmax()] * x.sum(),
        lambda g, x, y: (np.full(3, g * y[x.argmax()]), g * x.sum() * (np.arange(3) == x.argmax())),
        [0.9, 0.2, 0.9],
        [2.0, -1.0, 0.5],
    ),
    right(
        "counting", "0: how many are positive", lambda x: (x > 0).sum() * 1.0, lambda g, x: 0 * x, [0.3, -0.2, 0.0, 1.0]
    ),
    right(
        "rank",
        "0: the order of the entries, with ties",
        lambda x: np.argsort(x) * 1.0,
        lambda g, x: 0 * x,
        [0.3, -0.2, 0.3, 1.0],
    ),
    right(
        "branch on a sum",
        "x**2 if the sum is positive, else -x**3; far from the jump",
        lambda x: x**2 if x.sum() > 0 else -(x**3),
        lambda g, x: g * (2 * x if x.sum() > 0 else -3 * x**2),
        normal(4) + 1,
    ),
    right(
        "branch on a sum, near",
        "1e-7 from the jump",
        lambda x: x**2 if x.sum() > 0 else -(x**3),
        lambda g, x: g * (2 * x if x.sum() > 0 else -3 * x**2),
        [0.5, -0.3, -0.2 + 1e-7],
    ),
    right_slope(
        "sqrt at 0",
        "infinite",
        np.sqrt,
        lambda x: np.divide(0.5, np.sqrt(x), out=np.full_like(x, np.inf), where=x > 0),
        [0.0, 1.0],
    ),
    right_slope("sqrt near 0", "1e-12 and 1e-16", np.sqrt, lambda x: 0.5 / np.sqrt(x), [1e-12, 1e-16, 0.5]),
    right_slope(
        "x**1.5 at 0", "0, defined on one side", lambda x: x**1.5, lambda x: 1.5 * np.sqrt(x), [0.0, 1e-10, 1.0]
    ),
    right_slope(
        "x**2.5 at 0",
        "0, defined on one side",
        lambda x: x * x * np.sqrt(x),
        lambda x: 2.5 * x * np.sqrt(x),
        [0.0, 0.3],
    ),
    right_slope("log near 0", "1e-10, 1e-100 and 1e-300", np.log, lambda x: 1 / x, [1e-10, 1e-100, 1e-300]),
    right_slope("log1p near -1", "1e-9 from it", np.log1p, lambda x: 1 / (1 + x), [-1 + 1e-9, 0.0]),
    right_slope(
        "arccos near 1",
        "1e-6 and 1e-10 from it",
        np.arccos,
        lambda x: -1 / np.sqrt((1 - x) * (1 + x)),
        [1 - 1e-6, -1 + 1e-10, 0.2],
    ),
    right_slope(
        "arcsin near 1", "1e-12 from it", np.arcsin, lambda x: 1 / np.sqrt((1 - x) * (1 + x)), [1 - 1e-12, 0.5]
    ),
    right_slope("arctanh near 1", "1e-8 from it", np.arctanh, lambda x: 1 / ((1 - x) * (1 + x)), [1 - 1e-8, -0.5]),
    right_slope(
        "arccosh near 1", "1e-8 from it", np.arccosh, lambda x: 1 / np.sqrt((x - 1) * (x + 1)), [1 + 1e-8, 2.0]
    ),
    right_slope("1 / x near 0", "1e-6 and -1e-9", lambda x: 1 / x, lambda x: -1 / (x * x), [1e-6, -1e-9, 1.0]),
    right_slope("1 / x**2 near 0", "1e-4", lambda x: x**-2.0, lambda x: -2 * x**-3.0, [1e-4, -1e-5, 1.0]),
    right_slope(
        "tan near its pole",
        "1e-5 from it",
        np.tan,
        lambda x: 1 / np.cos(x) ** 2,
        [math.pi / 2 - 1e-5, 0.4],
        precision=1e-8,
    ),
    right_slope("x log x near 0", "1e-12", lambda x: x * np.log(x), lambda x: np.log(x) + 1, [1e-12, 1e-5, 1.0]),
    right_slope(
        "x sin(1 / x)",
        "wild near 0",
        lambda x: x * np.sin(1 / x),
        lambda x: np.sin(1 / x) - np.cos(1 / x) / x,
        [1e-3, 0.013, 1.0],
    ),
    right_slope(
        "x**2 sin(1 / x)",
        "wild near 0, but flat",
        lambda x: x * x * np.sin(1 / x),
        lambda x: 2 * x * np.sin(1 / x) - np.cos(1 / x),
        [1e-3, -0.02],
    ),
    right_slope(
        "exp(-1 / x) beside 0",
        "0 to the left, all derivatives 0 at 0",
        lambda x: np.where(x > 0, np.exp(-1 / np.where(x > 0, x, 1 + 0 * x)), 0.0),
        lambda x: np.where(x > 0, np.exp(-1 / np.where(x > 0, x, 1 + 0 * x)) / np.where(x > 0, x, 1 + 0 * x) ** 2, 0.0),
        [0.0, 0.05, 0.5, -0.2],
    ),
    right_slope(
        "defined on [0, 1]",
        "raises ValueError outside; at both ends",
        _checked(lambda x: x * (1 - x), 0, 1),
        lambda x: 1 - 2 * x,
        [0.0, 0.3, 1.0],
    ),
    right_slope(
        "defined on [0, 1], near its ends",
        "raises ValueError outside; 1e-9 inside",
        _checked(lambda x: np.sin(x) * x, 0, 1),
        lambda x: np.cos(x) * x + np.sin(x),
        [1e-9, 1 - 1e-9],
    ),
    right_slope(
        "arcsin at 1e-3 from its end, raising",
        "raises ValueError outside",
        _checked(np.arcsin, -1, 1),
        lambda x: 1 / np.sqrt((1 - x) * (1 + x)),
        [0.999, -0.9],
    ),
    right_slope(
        "NaN outside", "log(x - 1) at 1e-4 from its end", lambda x: np.log(x - 1), lambda x: 1 / (x - 1), [1.0001, 2.0]
    ),
    right_slope("infinite beyond", "exp just below overflow", np.exp, np.exp, [709.0, 700.0, -745.0]),
    right(
        "entropy with a zero",
        "0 log 0 = 0; the others",
        lambda p: _entropy(np.append(p, 0 * p[0])),
        lambda g, p: -g * (np.log(p) + 1),
        [0.2, 0.3, 0.5],
    ),
    right(
        "defined on the simplex",
        "NaN where an entry is negative or the sum is far from 1",
        _simplex,
        _simplex_gradient,
        [0.0, 0.4, 0.6],
    ),
    right(
        "power near 0",
        "x**y, x = 1e-8",
        lambda x, y: x**y,
        lambda g, x, y: (g * y * x ** (y - 1), g * x**y * np.log(x)),
        [1e-8, 1e-3],
        [0.3, 1.7],
    ),
    right("power of 0", "0**2.5, of the base alone", lambda x: x**2.5, lambda g, x: g * 2.5 * x**1.5, [0.0, 1.0]),
    right(
        "root and ReLU",
        "sqrt(1 + relu(x)) at 0",
        lambda x: np.sqrt(1 + relu(x)),
        lambda g, x: g * 0.5 * (x > 0) / np.sqrt(1 + relu(x)),
        [0.0, 1.0],
    ),
    right(
        "arctan2 across its cut",
        "just above and below the negative axis",
        np.arctan2,
        lambda g, y, x: (g * x / (x * x + y * y), -g * y / (x * x + y * y)),
        [1e-9, -1e-9],
        [-1.0, -2.0],
    ),
    right(
        "arctan2 on its cut",
        "0 and -1: a jump",
        np.arctan2,
        lambda g, y, x: (g * x / (x * x + y * y), -g * y / (x * x + y * y)),
        [0.0],
        [-1.0],
    ),
    right(
        "logarithm of a determinant",
        "nearly singular, condition 1e8",
        lambda a: np.log(np.abs(np.linalg.det(a))),
        lambda g, a: g * np.array([[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]]) / (a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]),
        [[1.0, 1.0], [1.0, 1.0 + 2.0**-26]],
    ),
]
