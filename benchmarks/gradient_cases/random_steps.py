"""The steps that random functions are made of: each a function and its gradient, for arrays of any shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.gradient_cases.formulas import logsumexp, positions, sigmoid, softmax, standardise, standardise_gradient

Forward = Callable[..., np.ndarray]
Backward = Callable[..., tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Step:
    """``forward(x, *parameters)``, and ``backward(g, x, *parameters)``, which gives the gradients of all of these."""

    name: str
    forward: Forward
    backward: Backward
    parameters: tuple[np.ndarray, ...] = ()


SMOOTH: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(np.clip(x, -300, 300)) ** 2),
    "exp": (lambda x: np.exp(np.sin(x)), lambda x: np.cos(x) * np.exp(np.sin(x))),
    "softplus": (lambda x: np.log1p(np.exp(-np.abs(x))) + (np.abs(x) + x) / 2, sigmoid),
    "SiLU": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * sigmoid(-x))),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "arctan": (np.arctan, lambda x: 1 / (1 + x * x)),
    "square": (lambda x: x * x, lambda x: 2 * x),
    "cube": (lambda x: x**3, lambda x: 3 * x * x),
    "hypotenuse": (lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x)),
    "log": (lambda x: np.log(1 + x * x), lambda x: 2 * x / (1 + x * x)),
    "Gaussian": (lambda x: np.exp(-x * x / 2), lambda x: -x * np.exp(-x * x / 2)),
    "arcsinh": (np.arcsinh, lambda x: 1 / np.sqrt(1 + x * x)),
    "Lorentzian": (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "x sin x": (lambda x: x * np.sin(x), lambda x: np.sin(x) + x * np.cos(x)),
}
"""Smooth functions of one number, and their derivatives."""


def fitted(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A gradient summed over the axes that broadcasting had added or stretched."""
    g = g.sum(tuple(range(g.ndim - len(shape))))
    return g.sum(tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1), keepdims=True).reshape(shape)


def elementwise(rng: np.random.Generator, x: np.ndarray) -> Step:
    """A smooth function of x times a factor."""
    name = str(rng.choice(list(SMOOTH)))
    f, slope = SMOOTH[name]
    size = float(np.sqrt((x * x).mean())) or 1.0
    factor = 10.0 ** rng.uniform(-1, 0.5) / size
    return Step(name, lambda x: f(factor * x), lambda g, x: (g * factor * slope(factor * x),))


def scaled(rng: np.random.Generator, x: np.ndarray) -> Step:
    """A factor of 1e-3 to 1e3, and an offset of its size or none."""
    factor = float(rng.choice([-1, 1])) * 10.0 ** rng.uniform(-3, 3)
    offset = factor * float(rng.choice([0.0, rng.normal()]))
    return Step("scale", lambda x: factor * x + offset, lambda g, x: (factor * g,))


def broadcast(rng: np.random.Generator, x: np.ndarray) -> Step:
    """A sum or a product with a parameter that is broadcast."""
    shape = [n if rng.random() < 0.5 else 1 for n in x.shape][int(rng.integers(0, x.ndim + 1)) :]
    p = rng.standard_normal(shape) * 10.0 ** rng.uniform(-1, 1)
    if rng.random() < 0.5:
        return Step("add", lambda x, p: x + p, lambda g, x, p: (g, fitted(g, p.shape)), (p,))
    return Step("multiply", lambda x, p: x * p, lambda g, x, p: (g * p, fitted(g * x, p.shape)), (p,))


def product(rng: np.random.Generator, x: np.ndarray) -> Step:
    """A product with a matrix."""
    w = rng.standard_normal((x.shape[-1], int(rng.integers(1, 5))))
    return Step(
        "matmul",
        lambda x, w: x @ w,
        lambda g, x, w: (g @ w.T, x.reshape(-1, len(w)).T @ g.reshape(-1, w.shape[1])),
        (w,),
    )


def reduction(rng: np.random.Generator, x: np.ndarray) -> Step:
    """A sum, mean, logsumexp, variance or norm along one axis."""
    axis = int(rng.integers(0, x.ndim))
    n = x.shape[axis]
    size = float(np.sqrt((x * x).mean())) or 1.0

    def spread(g):
        return np.expand_dims(g, axis)

    def norm(x):
        return np.sqrt((x * x).sum(axis) + size**2)

    def centred(x):
        return x - x.mean(axis, keepdims=True)

    choices: list[tuple[str, Forward, Backward]] = [
        ("sum", lambda x: x.sum(axis), lambda g, x: (spread(g) + 0 * x,)),
        ("mean", lambda x: x.mean(axis), lambda g, x: (spread(g) / n + 0 * x,)),
        ("logsumexp", lambda x: logsumexp(x / size, axis), lambda g, x: (spread(g) * softmax(x / size, axis) / size,)),
        ("variance", lambda x: (centred(x) ** 2).mean(axis), lambda g, x: (spread(g) * 2 * centred(x) / n,)),
        ("norm", norm, lambda g, x: (spread(g / norm(x)) * x,)),
    ]
    return Step(*choices[int(rng.integers(len(choices)))])


def normalised(rng: np.random.Generator, x: np.ndarray) -> Step:
    """Softmax, its logarithm, or standardisation along one axis."""
    axis = int(rng.integers(0, x.ndim))
    size = float(np.sqrt((x * x).mean())) or 1.0
    eps = 1e-2 * size**2

    def log_softmax(x):
        return x / size - np.expand_dims(logsumexp(x / size, axis), axis)

    def softmax_gradient(g, x):
        s = softmax(x / size, axis)
        return (s * (g - (g * s).sum(axis, keepdims=True)) / size,)

    choices: list[tuple[str, Forward, Backward]] = [
        ("softmax", lambda x: softmax(x / size, axis), softmax_gradient),
        ("log-softmax", log_softmax, lambda g, x: ((g - softmax(x / size, axis) * g.sum(axis, keepdims=True)) / size,)),
        ("standardise", lambda x: standardise(x, axis, eps)[0], lambda g, x: (standardise_gradient(g, x, axis, eps),)),
    ]
    return Step(*choices[int(rng.integers(len(choices)))])


def convolution(rng: np.random.Generator, x: np.ndarray) -> Step:
    """A convolution along the last axis, with a stride of 1 or 2."""
    w = rng.standard_normal(int(rng.integers(1, min(3, x.shape[-1]) + 1)))
    stride = int(rng.integers(1, 3))
    where = positions(x.shape[-1], len(w), stride)

    def backward(g, x, w):
        gx = np.zeros_like(x)
        np.add.at(gx, (..., where), g[..., None] * w)
        return gx, (g[..., None] * x[..., where]).reshape(-1, len(w)).sum(0)

    return Step("convolution", lambda x, w: x[..., where] @ w, backward, (w,))


def convolution2d(rng: np.random.Generator, x: np.ndarray) -> Step:
    """A convolution along the last two axes."""
    w = rng.standard_normal(tuple(int(rng.integers(1, min(3, n) + 1)) for n in x.shape[-2:]))
    rows, columns = (positions(n, k) for n, k in zip(x.shape[-2:], w.shape, strict=True))
    index = (..., rows[:, None, :, None], columns[None, :, None, :])

    def backward(g, x, w):
        gx = np.zeros_like(x)
        np.add.at(gx, index, g[..., None, None] * w)
        return gx, (g[..., None, None] * x[index]).reshape(-1, *w.shape).sum(0)

    return Step("2-D convolution", lambda x, w: (x[index] * w).sum((-2, -1)), backward, (w,))


def rearranged(rng: np.random.Generator, x: np.ndarray) -> Step:
    """The same entries in another order."""
    axes = rng.permutation(x.ndim)
    shape = x.shape
    choices: list[tuple[str, Forward, Backward]] = [
        ("transpose", lambda x: x.transpose(axes), lambda g, x: (g.transpose(np.argsort(axes)),)),
        ("flip", lambda x: x[::-1], lambda g, x: (g[::-1],)),
        ("reshape", lambda x: x.reshape(shape[0], -1), lambda g, x: (g.reshape(shape),)),
    ]
    return Step(*choices[int(rng.integers(len(choices)))])


def twice(rng: np.random.Generator, x: np.ndarray) -> Step:
    """A sum of two paths: x times a factor, and a smooth function of it."""
    inner = elementwise(rng, x)
    factor = rng.normal()
    return Step(
        f"x + {inner.name}",
        lambda x: factor * x + inner.forward(x) * x,
        lambda g, x: (factor * g + inner.forward(x) * g + inner.backward(g * x, x)[0],),
    )


ANY = [
    elementwise,
    elementwise,
    elementwise,
    scaled,
    broadcast,
    product,
    reduction,
    normalised,
    convolution,
    rearranged,
    twice,
]
"""Makers of steps for arrays of one axis or more."""
