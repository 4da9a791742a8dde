"""Planted errors in broadcasting, shapes and indexing."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted

X = normal(3, 4)
SQUARE = normal(4, 4)
LINE = normal(7)
ROWS = np.array([0, 2, 2, 1, 2, 0])
STEPS = np.array([0.0, 0.4, 1.1, 1.5, 2.2])


def _sorted_gradient(g, x):
    gradient = np.empty_like(x)
    gradient[np.argsort(x)] = g
    return gradient


def _scatter(shape, index, g):
    gradient = np.zeros(shape)
    np.add.at(gradient, index, g)
    return gradient


def _assigned(shape, index, g):
    gradient = np.zeros(shape)
    gradient[index] = g
    return gradient


def _bias(g, x, b):
    return g * (1 - np.tanh(x + b) ** 2), (g * (1 - np.tanh(x + b) ** 2)).sum(0)


def _biased(wrong):
    def backward(g, x, b):
        inner = g * (1 - np.tanh(x + b) ** 2)
        return inner, wrong(inner)

    return backward


def _outer_gradients(g, x, y):
    return (g * y).sum(1, keepdims=True), (g * x).sum(0, keepdims=True)


def _scaled_gradients(g, x, s):
    return g * s, (g * x).sum()


def _interpolate(x):
    values = np.array([1.0, -0.5, 2.0, 0.3, 1.7])
    i = np.searchsorted(STEPS, x.astype(float)) - 1
    return values[i] + (x - STEPS[i]) * ((np.roll(values, -1) - values)[:4] / np.diff(STEPS))[i]


def _interpolate_gradient(shift):
    slope = np.diff(np.array([1.0, -0.5, 2.0, 0.3, 1.7])) / np.diff(STEPS)
    return lambda g, x: g * slope[(np.searchsorted(STEPS, x) - 1 + shift) % 4]


def _collect(x):
    total = np.zeros(3, x.dtype)
    np.add.at(total, ROWS, np.sin(x))
    return total


def _wrap(x):
    return np.concatenate([x[-1:], x, x[:1]])


CASES = [
    planted(
        "bias, not summed",
        "its gradient has the output's shape",
        lambda x, b: np.tanh(x + b),
        _bias,
        _biased(lambda inner: inner),
        X,
        LINE[:4],
        size=0.0,
    ),
    planted(
        "bias, the mean",
        "the mean over the batch for the sum",
        lambda x, b: np.tanh(x + b),
        _bias,
        _biased(lambda inner: inner.mean(0)),
        X,
        LINE[:4],
    ),
    planted(
        "bias, the other axis",
        "summed over the wrong axis of a square array",
        lambda x, b: np.tanh(x + b),
        _bias,
        _biased(lambda inner: inner.sum(1)),
        SQUARE,
        LINE[:4],
    ),
    planted(
        "bias, the first row",
        "the first row for the sum of all",
        lambda x, b: np.tanh(x + b),
        _bias,
        _biased(lambda inner: inner[0]),
        X,
        LINE[:4],
    ),
    planted(
        "column times row",
        "the sums over the wrong axes, of a square array",
        lambda x, y: x * y,
        _outer_gradients,
        lambda g, x, y: ((g * y).sum(0, keepdims=True).T, (g * x).sum(1, keepdims=True).T),
        LINE[:4, None],
        normal(1, 4, seed=3),
    ),
    planted(
        "a scalar factor, the mean",
        "the mean over its uses for their sum",
        lambda x, s: x * s,
        _scaled_gradients,
        lambda g, x, s: (g * s, (g * x).mean()),
        X,
        np.array(0.8),
    ),
    planted(
        "a scalar factor, one use",
        "one of its uses only",
        lambda x, s: x * s,
        _scaled_gradients,
        lambda g, x, s: (g * s, g[0, 0] * x[0, 0]),
        X,
        np.array(0.8),
    ),
    planted(
        "batch of matrices times one",
        "the gradient of the shared matrix from the first of the batch",
        lambda x, w: x @ w,
        lambda g, x, w: (g @ w.T, np.einsum("bij,bik->jk", x, g)),
        lambda g, x, w: (g @ w.T, x[0].T @ g[0]),
        normal(2, 3, 4),
        normal(4, 2, seed=1),
    ),
    planted(
        "transpose, not undone",
        "of a square array",
        lambda x: np.sin(x).T,
        lambda g, x: g.T * np.cos(x),
        lambda g, x: g * np.cos(x),
        SQUARE,
    ),
    planted(
        "axes, the same permutation",
        "for its inverse, of a cube",
        lambda x: np.sin(x).transpose(1, 2, 0),
        lambda g, x: g.transpose(2, 0, 1) * np.cos(x),
        lambda g, x: g.transpose(1, 2, 0) * np.cos(x),
        normal(3, 3, 3),
    ),
    planted(
        "reshape, column by column",
        "in Fortran's order",
        lambda x: np.sin(x).reshape(-1),
        lambda g, x: g.reshape(3, 4) * np.cos(x),
        lambda g, x: g.reshape(3, 4, order="F") * np.cos(x),
        X,
    ),
    planted(
        "flip, not undone",
        "in reverse order",
        lambda x: np.sin(x)[::-1],
        lambda g, x: g[::-1] * np.cos(x),
        lambda g, x: g * np.cos(x),
        LINE,
    ),
    planted(
        "roll, the same way",
        "rolled on for back",
        lambda x: np.roll(np.sin(x), 2),
        lambda g, x: np.roll(g, -2) * np.cos(x),
        lambda g, x: np.roll(g, 2) * np.cos(x),
        LINE,
    ),
    planted(
        "concatenation, swapped",
        "each part is given the other's gradient",
        lambda x, y: np.concatenate([x, y]),
        lambda g, x, y: (g[:3].copy(), g[3:].copy()),
        lambda g, x, y: (g[3:].copy(), g[:3].copy()),
        LINE[:3],
        LINE[4:],
    ),
    planted(
        "concatenation, off by one",
        "cut one entry too late",
        lambda x, y: np.concatenate([x, y]),
        lambda g, x, y: (g[:3].copy(), g[3:].copy()),
        lambda g, x, y: (g[1:4].copy(), g[3:].copy()),
        LINE[:3],
        LINE[4:],
    ),
    planted(
        "diagonal",
        "everywhere for on the diagonal",
        lambda x: np.diagonal(x) ** 2,
        lambda g, x: np.diag(2 * g * np.diagonal(x)),
        lambda g, x: 2 * g * x,
        SQUARE,
    ),
    planted(
        "trace",
        "ones everywhere for the identity",
        np.trace,
        lambda g, x: g * np.eye(4),
        lambda g, x: np.full_like(x, g),
        SQUARE,
    ),
    planted(
        "upper triangle",
        "not masked",
        lambda x: np.triu(x) ** 2,
        lambda g, x: 2 * g * np.triu(x),
        lambda g, x: 2 * g * x,
        SQUARE,
    ),
    planted(
        "upper triangle, strictly",
        "the diagonal is masked too",
        lambda x: np.triu(x) ** 2,
        lambda g, x: 2 * g * np.triu(x),
        lambda g, x: 2 * g * np.triu(x, 1),
        SQUARE,
    ),
    planted(
        "rows taken twice",
        "assigned for added",
        lambda x: x[ROWS] ** 2,
        lambda g, x: _scatter(x.shape, ROWS, 2 * g * x[ROWS]),
        lambda g, x: _assigned(x.shape, ROWS, 2 * g * x[ROWS]),
        X,
    ),
    planted(
        "embedding",
        "words that occur twice count once",
        lambda table, words: table[words].sum(0),
        lambda g, table, words: (_scatter(table.shape, words, g), None),
        lambda g, table, words: (_assigned(table.shape, words, g), None),
        normal(5, 3),
        np.array([4, 1, 4, 0]),
    ),
    planted(
        "scatter",
        "the gradient is spread where it should be collected",
        lambda x: _collect(x),
        lambda g, x: g[ROWS] * np.cos(x),
        lambda g, x: g[np.arange(6) % 3] * np.cos(x),
        LINE[:6],
    ),
    planted(
        "slice, off by one",
        "one entry further",
        lambda x: x[1:5] ** 2,
        lambda g, x: _assigned(x.shape, slice(1, 5), 2 * g * x[1:5]),
        lambda g, x: _assigned(x.shape, slice(2, 6), 2 * g * x[1:5]),
        LINE,
    ),
    planted(
        "slice, its step",
        "forgotten",
        lambda x: x[::2] ** 2,
        lambda g, x: _assigned(x.shape, slice(None, None, 2), 2 * g * x[::2]),
        lambda g, x: _assigned(x.shape, slice(4), 2 * g * x[::2]),
        LINE,
    ),
    planted(
        "take along the other axis",
        "of a square array",
        lambda x: x[:, [2, 0]],
        lambda g, x: _assigned(x.shape, (slice(None), [2, 0]), g),
        lambda g, x: _assigned(x.shape, [2, 0], g.T),
        SQUARE,
    ),
    planted(
        "padding",
        "the border is cut off on one side only",
        lambda x: np.pad(np.sin(x), 1),
        lambda g, x: g[1:-1] * np.cos(x),
        lambda g, x: g[:-2] * np.cos(x),
        LINE,
    ),
    planted(
        "wrapped border",
        "its two ends are not added",
        lambda x: _wrap(np.sin(x)),
        lambda g, x: np.cos(x) * (g[1:-1] + np.append(g[-1], np.zeros(6)) + np.append(np.zeros(6), g[0])),
        lambda g, x: np.cos(x) * g[1:-1],
        LINE,
    ),
    planted(
        "where, swapped",
        "each branch is given the other's gradient",
        lambda c, x, y: np.where(c > 0, x, y),
        lambda g, c, x, y: (None, np.where(c > 0, g, 0), np.where(c > 0, 0, g)),
        lambda g, c, x, y: (None, np.where(c > 0, 0, g), np.where(c > 0, g, 0)),
        np.array([1, 0, 1, 1]),
        LINE[:4],
        LINE[3:],
    ),
    planted(
        "where, no mask",
        "both branches are given all of it",
        lambda c, x, y: np.where(c > 0, x, y),
        lambda g, c, x, y: (None, np.where(c > 0, g, 0), np.where(c > 0, 0, g)),
        lambda g, c, x, y: (None, g.copy(), g.copy()),
        np.array([1, 0, 1, 1]),
        LINE[:4],
        LINE[3:],
    ),
    planted(
        "sort, the permutation",
        "for its inverse",
        np.sort,
        _sorted_gradient,
        lambda g, x: g[np.argsort(x)],
        np.array([2.2, -1.2, 0.3, 1.4, 0.9]),
    ),
    planted(
        "repeat",
        "the first of each group for their sum",
        lambda x: np.repeat(np.sin(x), 3),
        lambda g, x: g.reshape(-1, 3).sum(1) * np.cos(x),
        lambda g, x: g[::3] * np.cos(x),
        LINE,
    ),
    planted(
        "tile as repeat",
        "summed in groups that lie side by side",
        lambda x: np.tile(np.sin(x), 3),
        lambda g, x: g.reshape(3, -1).sum(0) * np.cos(x),
        lambda g, x: g.reshape(-1, 3).sum(1) * np.cos(x),
        LINE,
    ),
    planted(
        "interpolation's interval",
        "the slope of the next",
        _interpolate,
        _interpolate_gradient(0),
        _interpolate_gradient(1),
        np.array([0.2, 0.9, 1.3, 1.9]),
    ),
]
