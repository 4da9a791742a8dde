"""Planted errors in products of matrices and linear algebra."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, times
from benchmarks.gradient_cases.formulas import swap

A = normal(3, 3) + 3 * np.eye(3)
B = normal(3, 3, seed=1)
U = normal(3, seed=2)
V = normal(3, seed=3)
SPD = B @ B.T + 2 * np.eye(3)


def _matmul_gradients(g, a, b):
    return g @ b.T, a.T @ g


def _inverse(a):
    return np.linalg.inv(a)


def _inverse_gradient(g, a):
    inverse = np.linalg.inv(a)
    return -inverse.T @ g @ inverse.T


def _solve_gradients(g, a, b):
    x, adjoint = np.linalg.solve(a, b), np.linalg.solve(a.T, g)
    return -np.outer(adjoint, x), adjoint


def _solve_untransposed(g, a, b):
    x, adjoint = np.linalg.solve(a, b), np.linalg.solve(a, g)
    return -np.outer(adjoint, x), adjoint


def _solve_swapped(g, a, b):
    x, adjoint = np.linalg.solve(a, b), np.linalg.solve(a.T, g)
    return -np.outer(x, adjoint), adjoint


def _solve_detached(g, a, b):
    return np.zeros_like(a), np.linalg.solve(a.T, g)


def _cholesky(a):
    lower = np.zeros_like(a)
    for i in range(len(a)):
        for j in range(i + 1):
            rest = a[i, j] - (lower[i, :j] * lower[j, :j]).sum()
            lower[i, j] = np.sqrt(rest) if i == j else rest / lower[j, j]
    return lower


def _factor(b):
    return _cholesky(b @ b.T + 2 * np.eye(3))


def _factor_gradient(half: float):
    def backward(g, b):
        lower = _cholesky(b @ b.T + 2 * np.eye(3))
        inner = np.tril(lower.T @ g)
        inner[np.diag_indices(3)] *= half
        inverse = np.linalg.inv(lower)
        inner = inverse.T @ inner @ inverse
        return (inner + inner.T) @ b

    return backward


def _bilinear_gradients(g, u, a, v):
    return g * (a @ v), g * np.outer(u, v), g * (u @ a)


def _cross_gradients(g, u, v):
    return np.cross(v, g), np.cross(g, u)


def _cross(u, v):
    i, j = [1, 2, 0], [2, 0, 1]
    return u[i] * v[j] - u[j] * v[i]


def _power_gradient(g, a):
    return g @ a.T @ a.T + a.T @ g @ a.T + a.T @ a.T @ g


def _kron_gradients(g, a, b):
    blocks = g.reshape(3, 3, 3, 3)
    return np.einsum("ikjl,kl->ij", blocks, b), np.einsum("ikjl,ij->kl", blocks, a)


def _distance(x, y):
    return ((x[:, None] - y) ** 2).sum(-1)


def _distance_gradients(g, x, y):
    difference = 2 * g[..., None] * (x[:, None] - y)
    return difference.sum(1), -difference.sum(0)


def _whiten(x):
    return x / np.sqrt((x * x).sum(1, keepdims=True))


def _whiten_gradient(g, x):
    r = np.sqrt((x * x).sum(1, keepdims=True))
    return g / r - x * (g * x).sum(1, keepdims=True) / r**3


def _rotate(x, angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * x[0] - s * x[1], s * x[0] + c * x[1]])


def _rotate_gradients(sign: int):
    def backward(g, x, angle):
        c, s = np.cos(angle), np.sin(angle)
        gx = np.stack([c * g[0] + sign * s * g[1], c * g[1] - sign * s * g[0]])
        return gx, (g[0] * (-s * x[0] - c * x[1]) + g[1] * (c * x[0] - s * x[1])).sum()

    return backward


CASES = [
    planted(
        "matmul, not transposed",
        "g @ b for g @ b.T, of square matrices",
        np.matmul,
        _matmul_gradients,
        lambda g, a, b: (g @ b, a.T @ g),
        A,
        B,
    ),
    planted(
        "matmul, the other factor's",
        "swapped, of square matrices",
        np.matmul,
        _matmul_gradients,
        lambda g, a, b: (a.T @ g, g @ b.T),
        A,
        B,
    ),
    planted(
        "matmul, transposed result",
        "the gradient of the first factor is transposed",
        np.matmul,
        _matmul_gradients,
        lambda g, a, b: ((g @ b.T).T, a.T @ g),
        A,
        B,
    ),
    planted(
        "matmul, wrong order",
        "g @ a.T for a.T @ g",
        np.matmul,
        _matmul_gradients,
        lambda g, a, b: (g @ b.T, g @ a.T),
        A,
        B,
    ),
    planted(
        "matmul, 1e-5 in one entry",
        "of the second factor",
        np.matmul,
        _matmul_gradients,
        times(_matmul_gradients, 1 + 1.01e-5, 1, (2, 0)),
        A,
        B,
    ),
    planted(
        "batched matmul, all axes reversed",
        ".T for the last two axes swapped, of a cube",
        np.matmul,
        lambda g, a, b: (g @ swap(b), swap(a) @ g),
        lambda g, a, b: (g @ b.T, swap(a) @ g),
        normal(3, 3, 3),
        normal(3, 3, 3, seed=1),
    ),
    planted(
        "outer product, swapped",
        "g @ u for the gradient of u",
        np.outer,
        lambda g, u, v: (g @ v, g.T @ u),
        lambda g, u, v: (g @ u, g.T @ v),
        U,
        V,
    ),
    planted(
        "quadratic form, half",
        "A x for (A + A') x",
        lambda x, a: x @ a @ x,
        lambda g, x, a: (g * (a + a.T) @ x, g * np.outer(x, x)),
        lambda g, x, a: (g * a @ x, g * np.outer(x, x)),
        U,
        A,
    ),
    planted(
        "quadratic form, taken for symmetric",
        "2 A x for (A + A') x",
        lambda x, a: x @ a @ x,
        lambda g, x, a: (g * (a + a.T) @ x, g * np.outer(x, x)),
        lambda g, x, a: (2 * g * a @ x, g * np.outer(x, x)),
        U,
        A,
    ),
    planted(
        "bilinear form, transposed",
        "v u' for u v'",
        lambda u, a, v: u @ a @ v,
        _bilinear_gradients,
        lambda g, u, a, v: (g * (a @ v), g * np.outer(v, u), g * (u @ a)),
        U,
        A,
        V,
    ),
    planted(
        "cross product, order",
        "its sign",
        _cross,
        _cross_gradients,
        lambda g, u, v: (np.cross(g, v), np.cross(u, g)),
        U,
        V,
    ),
    planted(
        "cross product, one",
        "the sign of the second gradient",
        _cross,
        _cross_gradients,
        times(_cross_gradients, -1.0, 1),
        U,
        V,
    ),
    planted(
        "Kronecker product",
        "the first factor's gradient transposed",
        np.kron,
        _kron_gradients,
        lambda g, a, b: (_kron_gradients(g, a, b)[0].T, _kron_gradients(g, a, b)[1]),
        A,
        B,
    ),
    planted(
        "third power",
        "3 A A for its three terms",
        lambda a: a @ a @ a,
        _power_gradient,
        lambda g, a: 3 * g @ a.T @ a.T,
        A,
    ),
    planted(
        "trace of a square",
        "2 A for 2 A'",
        lambda a: np.trace(a @ a),
        lambda g, a: 2 * g * a.T,
        lambda g, a: 2 * g * a,
        A,
    ),
    planted("inverse, its sign", "forgotten", _inverse, _inverse_gradient, lambda g, a: -_inverse_gradient(g, a), A),
    planted(
        "inverse, not transposed",
        "-inv g inv",
        _inverse,
        _inverse_gradient,
        lambda g, a: -np.linalg.inv(a) @ g @ np.linalg.inv(a),
        A,
    ),
    planted(
        "solve, not transposed",
        "the adjoint is solved with a for a'",
        np.linalg.solve,
        _solve_gradients,
        _solve_untransposed,
        A,
        U,
    ),
    planted(
        "solve, outer product swapped",
        "the gradient of the matrix is transposed",
        np.linalg.solve,
        _solve_gradients,
        _solve_swapped,
        A,
        U,
    ),
    planted(
        "solve, matrix detached",
        "only the right-hand side has a gradient",
        np.linalg.solve,
        _solve_gradients,
        _solve_detached,
        A,
        U,
    ),
    planted(
        "determinant, not transposed",
        "det inv for det inv'",
        np.linalg.det,
        lambda g, a: g * np.linalg.det(a) * np.linalg.inv(a).T,
        lambda g, a: g * np.linalg.det(a) * np.linalg.inv(a),
        A,
    ),
    planted(
        "determinant as its logarithm",
        "det forgotten",
        np.linalg.det,
        lambda g, a: g * np.linalg.det(a) * np.linalg.inv(a).T,
        lambda g, a: g * np.linalg.inv(a).T,
        A,
    ),
    planted(
        "log determinant, diagonal halved",
        "of a symmetric matrix, by the rule for its half",
        lambda a: np.log(np.linalg.det(a)),
        lambda g, a: g * np.linalg.inv(a).T,
        lambda g, a: g * (2 * np.linalg.inv(a) - np.diag(np.diag(np.linalg.inv(a)))),
        SPD,
    ),
    planted("Cholesky, the diagonal", "not halved", _factor, _factor_gradient(0.5), _factor_gradient(1.0), B),
    planted(
        "squared distances",
        "the second set's sign",
        _distance,
        _distance_gradients,
        times(_distance_gradients, -1.0, 1),
        normal(3, 2),
        normal(4, 2, seed=1),
    ),
    planted(
        "unit rows",
        "the change of length is forgotten",
        _whiten,
        _whiten_gradient,
        lambda g, x: g / np.sqrt((x * x).sum(1, keepdims=True)),
        normal(3, 4),
    ),
    planted(
        "unit rows, the whole",
        "the projection is on the whole array, not on its row",
        _whiten,
        _whiten_gradient,
        lambda g, x: (
            g / np.sqrt((x * x).sum(1, keepdims=True)) - x * (g * x).sum() / (x * x).sum(1, keepdims=True) ** 1.5
        ),
        normal(3, 4),
    ),
    planted(
        "rotation",
        "turned on for back",
        _rotate,
        _rotate_gradients(1),
        _rotate_gradients(-1),
        normal(2, 4),
        np.array(0.6),
    ),
    planted(
        "einsum",
        "two letters swapped, of a cube",
        lambda x, y: np.einsum("ijk,kj->i", x, y),
        lambda g, x, y: (np.einsum("i,kj->ijk", g, y), np.einsum("ijk,i->kj", x, g)),
        lambda g, x, y: (np.einsum("i,jk->ijk", g, y), np.einsum("ijk,i->kj", x, g)),
        normal(3, 3, 3),
        B,
    ),
]
