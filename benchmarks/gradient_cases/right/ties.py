"""Right gradients at ties, and at kinks of several numbers together."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, right
from benchmarks.gradient_cases.formulas import length, max_pool1d, max_pool1d_gradient, positions, relu, step

WITH_ZERO = np.array([0.8, 0.0, -1.3, 0.4])
ZEROS = np.zeros(3)
TWENTY = np.full(20, 0.7)
LINE = np.array([0.5, 0.5, 0.1, 0.5, 0.2, 0.2, 0.2])
IMAGE = np.array([[1.0, 1.0, 0.0, 2.0], [1.0, 0.5, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 3.0]])


def _shares(left, right):
    return lambda g, x, y: (g * np.where(x == y, left, x > y), g * np.where(x == y, right, y > x))


def _weights(weights):
    return lambda g, x: g * np.asarray(weights, dtype=float)


def _at(index):
    def backward(g, x):
        gradient = np.zeros_like(x)
        gradient[index] = g
        return gradient

    return backward


def _middle(x):
    middle = np.sort(x)
    return (middle[(len(x) - 1) // 2] + middle[len(x) // 2]) / 2


def _sorted_back(g, x):
    gradient = np.empty_like(x)
    gradient[np.argsort(x, kind="stable")] = g
    return gradient


def _max_pool_2d(stride):
    def forward(x):
        rows = positions(len(x), 2, stride)
        return x[rows[:, None, :, None], rows[None, :, None, :]].max((2, 3))

    return forward


def _max_pool_2d_gradient(stride, share):
    def backward(g, x):
        rows = positions(len(x), 2, stride)
        index = rows[:, None, :, None], rows[None, :, None, :]
        windows = x[index]
        equal = (windows == windows.max((2, 3), keepdims=True)).astype(float)
        first = np.eye(4)[windows.reshape(*windows.shape[:2], 4).argmax(-1)].reshape(windows.shape)
        gradient = np.zeros_like(x)
        np.add.at(gradient, index, g[..., None, None] * (equal / equal.sum((2, 3), keepdims=True) if share else first))
        return gradient

    return backward


def _network(x, w1, b1, w2, b2):
    return relu(relu(x @ w1 + b1) @ w2 + b2)


def _network_gradients(at_zero):
    slope = step(at_zero)

    def backward(g, x, w1, b1, w2, b2):
        first = x @ w1 + b1
        hidden = relu(first)
        inner = g * slope(hidden @ w2 + b2)
        outer = inner @ w2.T * slope(first)
        return outer @ w1.T, x.T @ outer, outer.sum(0), hidden.T @ inner, inner.sum(0)

    return backward


NETWORK = normal(3, 4), np.zeros(4), normal(4, 2, seed=1), np.zeros(2)


def _total_variation(x):
    return np.abs(x[1:] - x[:-1]).sum()


def _total_variation_gradient(g, x):
    signs = g * np.sign(np.diff(x))
    return np.append(0.0, signs) - np.append(signs, 0.0)


def _pairs(x):
    return np.abs(x[:, None] - x).sum() / 2


def _nearest(x, y):
    return ((x - y) ** 2).sum(1).min()


def _nearest_gradients(g, x, y):
    distances = ((x - y) ** 2).sum(1)
    chosen = distances == distances.min()
    difference = 2 * g * (chosen / chosen.sum())[:, None] * (x - y)
    return difference.sum(0), -difference


def _tropical(a, b):
    return (a[:, :, None] + b[None]).max(1)


def _tropical_gradients(g, a, b):
    chosen = np.eye(a.shape[1])[(a[:, :, None] + b[None]).argmax(1)]
    return np.einsum("ik,ikj->ij", g, chosen), np.einsum("ik,ikj->jk", g, chosen)


def _hinges(scores):
    return relu(1 + scores[1:] - scores[0]).sum()


def _hinges_gradient(g, scores):
    active = (1 + scores[1:] - scores[0] > 0).astype(float)
    return g * np.append(-active.sum(), active)


def _lasso(x, w):
    return ((x @ w - 1) ** 2).sum() + 0.1 * np.abs(w).sum()


def _lasso_gradients(g, x, w):
    residual = 2 * g * (x @ w - 1)
    return np.outer(residual, w), x.T @ residual + 0.1 * g * np.sign(w)


def _dead(x, w):
    return relu(x @ w - 100).sum()


CASES = [
    right(
        "max of two: half each", "where they are equal", np.maximum, _shares(0.5, 0.5), [1.0, 2.0, 0.3], [1.0, 1.5, 0.3]
    ),
    right(
        "max of two: the first", "where they are equal", np.maximum, _shares(1.0, 0.0), [1.0, 2.0, 0.3], [1.0, 1.5, 0.3]
    ),
    right(
        "min of two: the second",
        "where they are equal",
        np.minimum,
        lambda g, x, y: (g * (x < y), g * (y <= x)),
        [1.0, 2.0, 0.3],
        [1.0, 1.5, 0.3],
    ),
    right(
        "max of two, 1e-11 apart",
        "the larger",
        np.maximum,
        _shares(0.5, 0.5),
        [1.0, 2.0, 0.3],
        [1 + 1e-11, 2 - 1e-11, 0.3],
    ),
    right("max of twenty: the first", "all twenty are equal", np.max, _at(0), TWENTY),
    right("max of twenty: equal shares", "all twenty are equal", np.max, _weights(np.full(20, 0.05)), TWENTY),
    right("max of twenty: uneven shares", "all twenty are equal", np.max, _weights(np.arange(20) / 190), TWENTY),
    right(
        "min of a row",
        "rows with two and three equal smallest entries",
        lambda x: x.min(1),
        lambda g, x: g[:, None] * np.array([[0.5, 0, 0.5], [1 / 3, 1 / 3, 1 / 3], [0, 1, 0]]),
        [[0.1, 0.7, 0.1], [2.0, 2.0, 2.0], [1.0, -1.0, 3.0]],
    ),
    right("median of ties", "three of five are equal", _middle, _at(2), [0.1, 0.9, 0.4, 0.4, 0.4]),
    right(
        "median of an even count", "the middle two are equal", _middle, _weights([0, 0.5, 0.5, 0]), [0.1, 0.4, 0.4, 0.9]
    ),
    right("sort with ties", "in the order in which they stood", np.sort, _sorted_back, [0.4, 0.1, 0.4, 0.9, 0.4]),
    right(
        "range",
        "max - min, each a tie",
        lambda x: x.max() - x.min(),
        _weights([0.5, 0.5, -1.0, 0.0]),
        [2.0, 2.0, -1.0, -1.0],
    ),
    right(
        "infinity norm",
        "with ties of both signs",
        lambda x: np.abs(x).max(),
        _weights([0.5, -0.5, 0.0]),
        [3.0, -3.0, 1.0],
    ),
    right("infinity norm at zero", "a vector of zeros", lambda x: np.abs(x).max(), lambda g, x: 0 * x, ZEROS),
    right(
        "max pooling: the first",
        "ties in every window",
        lambda x: max_pool1d(x[:6], 3, 3),
        lambda g, x: np.append(max_pool1d_gradient(g, x[:6], 3, 3), 0.0),
        LINE,
    ),
    right(
        "overlapping max pooling: the first",
        "ties in every window",
        lambda x: max_pool1d(x, 3, 1),
        lambda g, x: max_pool1d_gradient(g, x, 3, 1),
        LINE,
    ),
    right(
        "overlapping max pooling: the last",
        "ties in every window",
        lambda x: max_pool1d(x, 3, 1),
        lambda g, x: max_pool1d_gradient(g[::-1], x[::-1], 3, 1)[::-1],
        LINE,
    ),
    right(
        "2-D max pooling: the first", "ties in every window", _max_pool_2d(2), _max_pool_2d_gradient(2, False), IMAGE
    ),
    right(
        "overlapping 2-D max pooling: the first",
        "ties in most windows",
        _max_pool_2d(1),
        _max_pool_2d_gradient(1, False),
        IMAGE,
    ),
    right("2-D max pooling: shared", "ties in every window", _max_pool_2d(2), _max_pool_2d_gradient(2, True), IMAGE),
    right(
        "|x| - |y| at 0",
        "kinks of both signs meet",
        lambda x, y: np.abs(x) - np.abs(y),
        lambda g, x, y: (g * np.sign(x), -g * np.sign(y)),
        [0.0],
        [0.0],
    ),
    right(
        "|x| - |y| at 0: 1 and 1",
        "a corner of the square",
        lambda x, y: np.abs(x) - np.abs(y),
        lambda g, x, y: (g * 1.0, g * 1.0),
        [0.0],
        [0.0],
    ),
    right(
        "|x + y| - |x - y| at 0",
        "kinks of both signs, not along the axes",
        lambda x, y: np.abs(x + y) - np.abs(x - y),
        lambda g, x, y: (g * 1.0, g * 1.0),
        [0.0],
        [0.0],
    ),
    right(
        "max(x, y) - max(x, -y) at 0",
        "kinks of both signs meet",
        lambda x, y: np.maximum(x, y) - np.maximum(x, -y),
        lambda g, x, y: (0 * g, 1.0 * g),
        [0.0],
        [0.0],
    ),
    right(
        "max(x, y) - max(x, z)",
        "where all three are equal",
        lambda x, y, z: np.maximum(x, y) - np.maximum(x, z),
        lambda g, x, y, z: (0 * g, 0.5 * g, -0.5 * g),
        [0.4],
        [0.4],
        [0.4],
    ),
    right(
        "difference of norms at 0",
        "kinks of both signs meet",
        lambda x, y: length(x) - length(y),
        lambda g, x, y: (0 * x, 0 * y),
        ZEROS,
        ZEROS,
    ),
    right(
        "min of maxima",
        "where all four are equal",
        lambda x: np.minimum(np.maximum(x[0], x[1]), np.maximum(x[2], x[3])),
        _weights([1.0, 0.0, 0.0, 0.0]),
        np.full(4, -0.2),
    ),
    right("norm at 0: 0", "the middle of the ball", length, lambda g, x: 0 * x, ZEROS),
    right(
        "norm at 0: nearly a unit vector",
        "just inside the ball",
        length,
        lambda g, x: 0.9 * g * np.array([0.6, 0.0, -0.8]),
        ZEROS,
    ),
    right("norm at 0: inside", "in the ball", length, lambda g, x: g * np.array([0.3, -0.2, 0.4]), ZEROS),
    right("norm at 1e-12", "of a tiny vector: a unit vector", length, lambda g, x: g * x / length(x), [3e-12, -4e-12]),
    right("hypot at 0", "of two zeros", np.hypot, lambda g, x, y: (0 * g, 0 * g), [0.0], [0.0]),
    right("L1 norm of zeros", "0 everywhere", lambda x: np.abs(x).sum(), lambda g, x: g * np.sign(x), np.zeros(6)),
    right(
        "L1 norm of zeros: any",
        "values of [-1, 1]",
        lambda x: np.abs(x).sum(),
        _weights([1.0, -1.0, 0.2, 0.0, -0.7]),
        np.zeros(5),
    ),
    right("lasso", "two of four weights are 0", _lasso, _lasso_gradients, normal(3, 4), [0.5, 0.0, -0.2, 0.0]),
    right(
        "group lasso",
        "one of two groups is 0",
        lambda w: np.sqrt((w * w).sum(1)).sum(),
        lambda g, w: g * np.array([[0.6, -0.8], [0.0, 0.0]]),
        [[3.0, -4.0], [0.0, 0.0]],
    ),
    right(
        "total variation",
        "equal neighbours",
        _total_variation,
        _total_variation_gradient,
        [0.3, 0.3, 0.8, 0.8, 0.8, -0.1],
    ),
    right(
        "sum of all distances",
        "of points of which some coincide",
        _pairs,
        lambda g, x: g * np.sign(x[:, None] - x).sum(1),
        [0.5, 0.5, -1.0, 2.0, 2.0],
    ),
    right(
        "nearest point",
        "two at the same distance",
        _nearest,
        _nearest_gradients,
        [0.0, 0.0],
        [[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]],
    ),
    right(
        "hinge at its corner",
        "a margin of exactly 1",
        lambda x: relu(1 - x),
        lambda g, x: -g * (x < 1),
        [1.0, 0.2, 3.0],
    ),
    right(
        "multi-class hinge at its corners", "two margins of exactly 1", _hinges, _hinges_gradient, [2.0, 1.0, 1.0, 1.7]
    ),
    right(
        "tropical product",
        "max-plus, with ties everywhere",
        _tropical,
        _tropical_gradients,
        [[0.0, 1.0], [1.0, 1.0]],
        [[1.0, 0.5], [0.0, 0.5]],
    ),
    right(
        "ReLU network, zero inputs",
        "every hidden unit at its kink: 0",
        _network,
        _network_gradients(0.0),
        np.zeros((1, 3)),
        *NETWORK,
    ),
    right(
        "ReLU network, zero inputs: 1",
        "every hidden unit at its kink: 1",
        _network,
        _network_gradients(1.0),
        np.zeros((1, 3)),
        *NETWORK,
    ),
    right(
        "ReLU network, one zero input",
        "in a batch of two",
        _network,
        _network_gradients(0.0),
        [[0.5, -1.0, 0.3], [0.0, 0.0, 0.0]],
        normal(3, 4),
        np.zeros(4),
        normal(4, 2, seed=1),
        np.array([0.1, 0.2]),
    ),
    right(
        "fifty ReLUs, some within 1e-7 of 0",
        "the slopes of the sides they lie on",
        relu,
        lambda g, x: g * (x > 0),
        normal(50) * np.where(np.arange(50) % 3, 1.0, 1e-7),
    ),
    right(
        "fifty ReLUs in a sum, some within 1e-7 of 0",
        "the slopes of the sides they lie on",
        lambda x: (relu(x) * np.cos(np.arange(50))).sum(),
        lambda g, x: g * np.cos(np.arange(50)) * (x > 0),
        normal(50) * np.where(np.arange(50) % 3, 1.0, 1e-7),
    ),
    right("dead units", "0 everywhere near", _dead, lambda g, x, w: (0 * x, 0 * w), normal(3, 4), normal(4, 2, seed=1)),
    right(
        "max(x, 0) max(-x, 0)",
        "0 everywhere, by the product of two kinks",
        lambda x: relu(x) * relu(-x),
        lambda g, x: 0 * g,
        WITH_ZERO,
    ),
    right(
        "a kink times zero",
        "|x| y at y = 0: no kink for x, none for y",
        lambda x, y: np.abs(x) * y,
        lambda g, x, y: (g * np.sign(x) * y, g * np.abs(x)),
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 2.0],
    ),
]
