"""Right gradients of linear algebra."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, right, uniform
from benchmarks.gradient_cases.formulas import (
    swap,
)

HILBERT = 1.0 / (np.arange(5)[:, None] + np.arange(5) + 1)
ROTATION = np.linalg.qr(normal(4, 4))[0]
BAD = ROTATION @ np.diag([1.0, 1e-2, 1e-5, 1e-8]) @ ROTATION.T


def _solve_gradients(g, a, b):
    x, adjoint = np.linalg.solve(a, b), np.linalg.solve(a.T, g)
    return -np.outer(adjoint, x), adjoint


def _inverse_gradient(g, a):
    inverse = np.linalg.inv(a)
    return -inverse.T @ g @ inverse.T


def _cofactors(a):
    n = len(a)
    minors = [[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)]
    return np.array(minors) * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))


def _products_without(x):
    return np.array([np.delete(x, i).prod() for i in range(len(x))])


def _cumprod_gradient(g, x):
    return np.array([sum(g[j] * np.delete(x[: j + 1], i).prod() for j in range(i, len(x))) for i in range(len(x))])


def _least_squares(a, b):
    return np.linalg.solve(a.T @ a, a.T @ b)


def _least_squares_gradients(g, a, b):
    x = _least_squares(a, b)
    adjoint = np.linalg.solve(a.T @ a, g)
    residual = b - a @ x
    return np.outer(residual, adjoint) - np.outer(a @ adjoint, x), a @ adjoint


def _sinkhorn(x):
    for _ in range(3):
        x = x / x.sum(1, keepdims=True)
        x = x / x.sum(0, keepdims=True)
    return x


def _sinkhorn_gradient(g, x):
    steps = []
    for _ in range(3):
        for axis in (1, 0):
            steps.append((x, axis))
            x = x / x.sum(axis, keepdims=True)
    for value, axis in reversed(steps):
        total = value.sum(axis, keepdims=True)
        g = g / total - (g * value).sum(axis, keepdims=True) / total**2
    return g


CASES = [
    right(
        "solve, Hilbert matrix", "condition 5e5", np.linalg.solve, _solve_gradients, HILBERT, normal(5), precision=1e-8
    ),
    right(
        "solve, condition 1e8",
        "the formula is right, its digits are few",
        np.linalg.solve,
        _solve_gradients,
        BAD,
        normal(4),
        precision=1e-6,
    ),
    right(
        "inverse, condition 1e8",
        "the formula is right, its digits are few",
        np.linalg.inv,
        _inverse_gradient,
        BAD,
        precision=1e-6,
    ),
    right(
        "inverse of 1e-6 I + ones",
        "condition 3e6",
        np.linalg.inv,
        _inverse_gradient,
        1e-6 * np.eye(3) + 1,
        precision=1e-6,
    ),
    right(
        "least squares",
        "by the normal equations",
        _least_squares,
        _least_squares_gradients,
        normal(5, 2),
        normal(5, seed=1),
    ),
    right("determinant", "of 4x4", np.linalg.det, lambda g, a: g * _cofactors(a), normal(4, 4)),
    right(
        "determinant, singular",
        "rank 2 of 3: cofactors",
        np.linalg.det,
        lambda g, a: g * _cofactors(a),
        [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]],
    ),
    right("determinant of zeros", "all cofactors are 0 too", np.linalg.det, lambda g, a: 0 * a, np.zeros((3, 3))),
    right(
        "determinant of 1e-100",
        "a tiny matrix",
        lambda a: a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0],
        lambda g, a: g * np.array([[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]]),
        1e-100 * normal(2, 2),
    ),
    right(
        "product with one zero", "of all others", np.prod, lambda g, x: g * _products_without(x), [1.5, 0.0, -0.7, 2.0]
    ),
    right(
        "product with two zeros", "0 everywhere", np.prod, lambda g, x: g * _products_without(x), [1.5, 0.0, -0.7, 0.0]
    ),
    right(
        "product of 60 numbers",
        "from 1e-30 to 1e30 on the way",
        np.prod,
        lambda g, x: g * np.prod(x) / x,
        np.repeat([0.1, 10.0], 30) * uniform(0.9, 1.1, 60),
    ),
    right("cumulative product with zeros", "two of them", np.cumprod, _cumprod_gradient, [1.5, 0.0, -0.7, 0.0, 2.0]),
    right(
        "matrix product, batched and broadcast",
        "(2, 1, 3, 4) by (5, 4, 2)",
        np.matmul,
        lambda g, a, b: ((g @ swap(b)).sum(1, keepdims=True), (swap(a) @ g).sum(0)),
        normal(2, 1, 3, 4),
        normal(5, 4, 2, seed=1),
    ),
    right("quadratic form at 0", "all slopes are 0", lambda x: x @ BAD @ x, lambda g, x: 2 * g * BAD @ x, np.zeros(4)),
    right(
        "trace of a power",
        "of a nilpotent matrix",
        lambda a: np.trace(a @ a @ a),
        lambda g, a: 3 * g * (a @ a).T,
        np.diag([1.0, 2.0], 1),
    ),
    right("Sinkhorn", "rows and columns normalised in turn", _sinkhorn, _sinkhorn_gradient, uniform(0.1, 1, 3, 3)),
]
