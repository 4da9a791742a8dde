"""Planted errors in reductions."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, times, uniform
from benchmarks.gradient_cases.formulas import length, logsumexp, softmax

X = normal(3, 4)
SQUARE = normal(4, 4)
LINE = normal(7)
POSITIVE = uniform(0.4, 2.0, 3, 4)


def _line(name, about, f, right, wrong, x=LINE, **options):
    return planted(name, about, f, right, wrong, x, **options)


def _variance(x):
    return ((x - x.mean()) ** 2).mean()


def _deviation(x):
    return np.sqrt(((x - x.mean(0)) ** 2).mean(0))


def _deviation_gradient(g, x):
    return g * (x - x.mean(0)) / (len(x) * _deviation(x))


def _ones_at(x, index, g):
    gradient = np.zeros_like(x)
    gradient[index] = g
    return gradient


def _max_rows(g, x):
    gradient = np.zeros_like(x)
    gradient[np.arange(len(x)), x.argmax(1)] = g
    return gradient


def _max_columns(g, x):
    gradient = np.zeros_like(x)
    gradient[x.argmax(0), np.arange(len(x))] = g
    return gradient


def _prod_gradient(g, x):
    return g * np.array([np.delete(x, i).prod() for i in range(len(x))])


def _cumprod_gradient(g, x):
    return np.array([sum(g[j] * np.delete(x[: j + 1], i).prod() for j in range(i, len(x))) for i in range(len(x))])


def _suffix(g):
    return g[::-1].cumsum()[::-1]


def _entropy(p):
    return -(p * np.log(p)).sum(1)


CASES = [
    _line(
        "mean as sum",
        "1 / n forgotten",
        np.mean,
        lambda g, x: np.full_like(x, g / x.size),
        lambda g, x: np.full_like(x, g),
    ),
    _line(
        "sum as mean",
        "1 / n too many",
        lambda x: (x * x).sum(),
        lambda g, x: 2 * g * x,
        lambda g, x: 2 * g * x / x.size,
    ),
    _line(
        "mean, n - 1",
        "divided by one fewer",
        np.mean,
        lambda g, x: np.full_like(x, g / x.size),
        lambda g, x: np.full_like(x, g / (x.size - 1)),
    ),
    _line(
        "mean, the other axis",
        "divided by the length of the other axis",
        lambda x: x.mean(0),
        lambda g, x: np.broadcast_to(g / 3, x.shape).copy(),
        lambda g, x: np.broadcast_to(g / 4, x.shape).copy(),
        X,
    ),
    _line(
        "sum over rows as over columns",
        "of a square array",
        lambda x: (x * x).sum(1),
        lambda g, x: 2 * g[:, None] * x,
        lambda g, x: 2 * g * x,
        SQUARE,
    ),
    _line(
        "variance, n - 1",
        "the unbiased one's gradient",
        _variance,
        lambda g, x: 2 * g * (x - x.mean()) / x.size,
        lambda g, x: 2 * g * (x - x.mean()) / (x.size - 1),
    ),
    _line(
        "variance, not centred",
        "2 x / n",
        _variance,
        lambda g, x: 2 * g * (x - x.mean()) / x.size,
        lambda g, x: 2 * g * x / x.size,
    ),
    _line(
        "deviation as variance",
        "not divided by the deviation",
        _deviation,
        _deviation_gradient,
        lambda g, x: g * (x - x.mean(0)) / len(x),
        X,
    ),
    _line("norm, not divided", "x for x / |x|", length, lambda g, x: g * x / length(x), lambda g, x: g * x),
    _line("norm as square", "2 x for x / |x|", length, lambda g, x: g * x / length(x), lambda g, x: 2 * g * x),
    _line(
        "3-norm",
        "without the sign of the entries",
        lambda x: (np.abs(x) ** 3).sum() ** (1 / 3),
        lambda g, x: g * x * np.abs(x) * (np.abs(x) ** 3).sum() ** (-2 / 3),
        lambda g, x: g * x * x * (np.abs(x) ** 3).sum() ** (-2 / 3),
    ),
    _line(
        "maximum as minimum",
        "the gradient goes to the smallest entry",
        np.max,
        lambda g, x: _ones_at(x, x.argmax(), g),
        lambda g, x: _ones_at(x, x.argmin(), g),
    ),
    _line(
        "maximum to all",
        "the gradient is shared by all entries",
        np.max,
        lambda g, x: _ones_at(x, x.argmax(), g),
        lambda g, x: np.full_like(x, g / x.size),
    ),
    _line(
        "maximum of rows, the columns'",
        "the gradient goes to the largest of each column",
        lambda x: x.max(1),
        _max_rows,
        _max_columns,
        SQUARE,
    ),
    _line(
        "median to the middle",
        "of the unsorted line",
        np.median,
        lambda g, x: _ones_at(x, np.argsort(x)[3], g),
        lambda g, x: _ones_at(x, 3, g),
        np.array([0.3, -1.2, 2.2, 1.4, 0.9, -0.4, 0.6]),
    ),
    _line(
        "product with itself",
        "the whole product for that of the others",
        np.prod,
        _prod_gradient,
        lambda g, x: g * np.prod(x) * np.ones_like(x),
    ),
    _line(
        "product with a zero",
        "NaN, as product / x is 0 / 0",
        np.prod,
        _prod_gradient,
        lambda g, x: g * np.divide(np.prod(x), x, out=np.full_like(x, np.nan), where=x != 0),
        np.array([1.5, 0.0, -0.7, 2.0]),
    ),
    _line(
        "product with a zero, zeros",
        "0 where product / x is 0 / 0",
        np.prod,
        _prod_gradient,
        lambda g, x: np.zeros_like(x),
        np.array([1.5, 0.0, -0.7, 2.0]),
    ),
    _line("cumulative sum", "summed from the front again", np.cumsum, lambda g, x: _suffix(g), lambda g, x: g.cumsum()),
    _line(
        "cumulative sum, off by one",
        "without its own entry",
        np.cumsum,
        lambda g, x: _suffix(g),
        lambda g, x: np.append(_suffix(g)[1:], 0.0),
    ),
    _line(
        "cumulative product",
        "of the last product alone",
        np.cumprod,
        _cumprod_gradient,
        lambda g, x: g[-1] * np.prod(x) / x,
    ),
    _line(
        "differences",
        "the sign of one end",
        np.diff,
        lambda g, x: np.append(0.0, g) - np.append(g, 0.0),
        lambda g, x: np.append(0.0, g) + np.append(g, 0.0),
    ),
    _line(
        "differences, the ends",
        "the last entry's gradient forgotten",
        np.diff,
        lambda g, x: np.append(0.0, g) - np.append(g, 0.0),
        lambda g, x: np.append(np.append(0.0, g[:-1]) - g, 0.0),
    ),
    _line(
        "logsumexp, the other axis",
        "weights that sum to 1 along the wrong axis",
        lambda x: logsumexp(x, 1),
        lambda g, x: g[:, None] * softmax(x, 1),
        lambda g, x: g[:, None] * softmax(x, 0),
        SQUARE,
    ),
    _line(
        "logsumexp, at the maximum",
        "all to the largest entry",
        logsumexp,
        lambda g, x: g * softmax(x),
        lambda g, x: _ones_at(x, x.argmax(), g),
    ),
    _line(
        "geometric mean",
        "n times too large",
        lambda x: np.exp(np.log(x).mean()),
        lambda g, x: g * np.exp(np.log(x).mean()) / (x * x.size),
        lambda g, x: g * np.exp(np.log(x).mean()) / x,
        POSITIVE,
    ),
    _line(
        "harmonic mean",
        "not squared",
        lambda x: x.size / (1 / x).sum(),
        lambda g, x: g * x.size / ((1 / x).sum() * x) ** 2,
        lambda g, x: g * x.size / ((1 / x).sum() * x),
        POSITIVE,
    ),
    _line(
        "entropy",
        "log p for log p + 1",
        _entropy,
        lambda g, p: -g[:, None] * (np.log(p) + 1),
        lambda g, p: -g[:, None] * np.log(p),
        POSITIVE,
    ),
    _line(
        "weighted mean",
        "the weights' sum is taken for a constant",
        lambda w: (w * np.arange(7)).sum() / w.sum(),
        *[lambda g, w, c=c: g * (np.arange(7) - c * (w * np.arange(7)).sum() / w.sum()) / w.sum() for c in (1, 0)],
        uniform(0.2, 1.0, 7),
    ),
    _line(
        "all but one entry",
        "one entry of a sum is left out of its gradient",
        lambda x: np.sin(x).sum(),
        lambda g, x: g * np.cos(x),
        times(lambda g, x: g * np.cos(x), 0.0, at=6),
    ),
]
