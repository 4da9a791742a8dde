"""Guesses at causes: each bug, in code as it is written, gives its own sentence, about the right input."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import gradcheck

RNG = np.random.default_rng(0)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


X, SQUARE, W = normal(3, 4), normal(4, 4, seed=1), normal(4, 2, seed=2)
BATCH, LARGE = normal(6, 3, seed=3), normal(10, 8, seed=4)
LINE = np.array([-1.3, 0.4, 2.2, -0.6, 0.9])
POSITIVE = np.random.default_rng(5).uniform(0.4, 2.0, (3, 4))
ROWS = np.array([0, 2, 2, 1, 2])
LABELS = np.array([1, 0, 3])

KINDS = {
    "sign": "has the wrong sign[.]",
    "twice": "by a factor of 2: it is twice too large",
    "half": "by a factor of 1/2",
    "1/n": r"by a factor of 1/n, n = \d+, the",
    "n": r"by a factor of n, n = \d+, the",
    "n - 1": r"by a factor of (n / \(n - 1\)|\(n - 1\) / n), n = ",
    "sqrt(n)": r"by a factor of (1 / )?sqrt\(n\), n = ",
    "constant": "by a constant factor of",
    "named constant": r"by a factor of (ln|1 / \(ln|180 / pi|sqrt\(2 pi\))",
    "quantity": "(an inner derivative|an exponent that)",
    "slope": "is not the slope, but",
    "swapped": "are swapped",
    "mixed up": "are mixed up",
    "sum missing": "a sum over a broadcast axis is missing|A sum over a broadcast axis is missing",
    "transposed": "is transposed",
    "order": "is in another order",
    "reversed": "is reversed along",
    "shifted": "is shifted by",
    "taken": "the rule for the gradient of .* takes ",
    "two terms": "has only one of two terms|for symmetric matrices only",
    "axis": "would be right for transposed arrays",
    "not transposed": "where it should be with its transpose",
    "product rule": "only one of the two terms of the product rule",
    "constant term": "what is missing is .* everywhere",
    "mean": "what is missing is the same for all entries",
    "norm": "what is missing is proportional to (it|them)",
    "softmax": "what is missing is proportional to the output",
    "mean and variance": r"what is missing is a \+ b \*",
    "path": "it is zero (at|for|in|on|off|where|up|from)",
    "output dropped": "that from output . does not count",
    "assigned": "Assigned where it should be added",
    "diagonal": "of the diagonal of the Jacobian only",
    "no diagonal": "lacks the diagonal",
    "zero": "is zero: it is dropped|a zero gradient",
    "aliased": "an aliased gradient",
    "dtype": "dtype is lost",
    "random": "Fix the seed",
    "input changed": "who calls the function still needs its inputs",
    "cotangent changed": "others may hold the same gradient",
    "ignored": "it is the same whatever that is",
    "added": "even when that is zero",
    "not linear": "-3 times that does not give",
    "summed": "depends on the sum of the gradient that comes from above",
    "fixed": "is the same wherever the inputs are",
    "conjugate": "is the conjugate of",
    "i": "by a factor of -?i[.]",
    "other entries": "goes to other entries",
    "mask": "is not zero .* and should be",
    "flat": "is not zero, but the slope is",
    "nearly": "is nearly right",
    "region": r"where (it|the absolute value of it) is (below|above) \S+; the rest is right",
    "place": r"(at index|on the diagonal|off the diagonal|up to entry|from entry).*; the rest is right",
    "entries": r"(for one entry|of the \d+ entries that were compared).*; the rest is right",
    "output": "as far as it comes from output",
    "finite": "is not finite",
    "kink": "has a kink here, and no mean",
    "jump": "jumps here",
    "here only": "at this very point and right close by",
}
"""What tells a cause from all others."""

BUGS: list[tuple[str, str, object, tuple, int, str]] = []


def bug(name, kind, *inputs, about="", order=1):
    """Adds a bug: a pair (forward, backward), or a function, that is made by what is decorated."""

    def add(make):
        BUGS.append((name, kind, make, inputs, order, about))
        return make

    return add


def simple(name, kind, forward, backward, *inputs, about=""):
    bug(name, kind, *inputs, about=about)(lambda: (forward, backward))


def check(make, inputs, order=1):
    return gradcheck(make(), *[x.copy() if isinstance(x, np.ndarray) else x for x in inputs], order=order)


def quiet(f):
    """Without warnings: tests take those for errors."""

    def silent(*args):
        with np.errstate(all="ignore"):
            return f(*args)

    return silent


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


# -- factors ---------------------------------------------------------------------------------------------------

simple("cosine", "sign", np.cos, lambda g, x: g * np.sin(x), X, about="input 0")
simple("difference", "sign", lambda x, y: x - y, lambda g, x, y: (g, 1 * g), X, X + 1, about="input 1")
simple(
    "difference, scalar",
    "sign",
    lambda x, y: ((x - y) ** 2).sum(),
    lambda g, x, y: (2 * g * (x - y),) * 1 + (2 * g * (x - y) + 0,),
    LINE,
    LINE**2,
    about="input 1",
)
simple("scalars", "sign", lambda x, y: x / y, lambda g, x, y: (g / y, g * x / y**2), 1.5, 2.5, about="input 1")
simple("negated, large", "sign", np.sinh, lambda g, x: -g * np.cosh(x), LARGE, about="input 0")
simple("square", "half", np.square, lambda g, x: g * x, X)
simple("squared error", "half", lambda x: ((x - 1) ** 2).sum(), lambda g, x: g * (x - 1), LINE)
simple("half the squares", "twice", lambda x: (x**2).sum() / 2, lambda g, x: 2 * g * x, LINE)
simple("half the squares, large", "twice", lambda x: (x**2).sum() / 2, lambda g, x: 2 * g * x, LARGE)
simple("mean as sum", "n", lambda x: x.mean(), lambda g, x: g * np.ones_like(x), LINE, about="n = 5")
simple("mean as sum, large", "n", lambda x: (x**2).mean(), lambda g, x: 2 * g * x, LARGE, about="n = 80")
simple("sum as mean", "1/n", lambda x: (x**2).sum(0), lambda g, x: 2 * g * x / len(x), X, about="n = 3")
simple("bias, averaged", "1/n", lambda x, b: x + b, lambda g, x, b: (g, g.mean(0)), X, X[0], about="input 1")
simple("deviation's n", "n - 1", lambda x: x.var(), lambda g, x: 2 * g * (x - x.mean()) / (x.size - 1), LINE)
simple("variance's n - 1", "n - 1", lambda x: x.var(ddof=1), lambda g, x: 2 * g * (x - x.mean()) / x.size, LINE)
simple(
    "scores' scale",
    "sqrt(n)",
    lambda q, k: q @ k.T / np.sqrt(q.shape[1]),
    lambda g, q, k: (g @ k, g.T @ q / np.sqrt(5)),
    normal(2, 5),
    normal(3, 5, seed=1),
    about="input 0",
)
simple("cube without its 3", "constant", lambda x: x**3, lambda g, x: g * x**2, X, about="1/3")
simple("temperature", "constant", lambda x: np.tanh(0.7 * x), lambda g, x: g / np.cosh(0.7 * x) ** 2, X, about="10/7")
simple("log2", "named constant", np.log2, lambda g, x: g / x, POSITIVE, about="ln 2")
simple(
    "degrees",
    "named constant",
    lambda x: np.sin(np.deg2rad(x)),
    lambda g, x: g * np.cos(np.deg2rad(x)),
    50 * X,
    about="180 / pi",
)
simple(
    "pi by hand",
    "constant",
    lambda x: np.sin(np.pi * x),
    lambda g, x: 3.14159 * g * np.cos(np.pi * x),
    X,
    about="too few digits",
)


@bug("op: cube", "constant", LINE, about="2/3")
def _():
    @tg.op
    def cube(x):
        return x**3

    @cube.vjp("x")
    def _(g, x):
        return 2 * g * x**2

    return cube


@bug("op: second derivative's sign", "sign", LINE, order=2, about="input 0")
def _():
    @tg.op
    def sine(x, *, xp):
        return xp.sin(x)

    @sine.vjp("x")
    def _(g, x, *, xp):
        return wrong_cosine(x) * g

    @tg.op
    def wrong_cosine(x, *, xp):
        return xp.cos(x)

    @wrong_cosine.vjp("x")
    def _(g, x, *, xp):
        return g * xp.sin(x)

    return sine


# -- factors that are no numbers -------------------------------------------------------------------------------

simple("exponent kept", "quantity", lambda x: x**3, lambda g, x: 3 * g * x**3, X, about="a factor of input 0")
simple("inner derivative", "quantity", lambda x: np.sin(x**2), lambda g, x: g * np.cos(x**2), X, about="0.5 / input 0")
simple("sigmoid without 1 - s", "quantity", sigmoid, lambda g, x: g * sigmoid(x), X, about=r"1 / \(1 - the output\)")
simple(
    "norm, not divided",
    "quantity",
    lambda x: np.sqrt((x**2).sum()),
    lambda g, x: g * x,
    LINE,
    about="a factor of the output",
)
simple(
    "deviation, large",
    "quantity",
    lambda x: x.std(),
    lambda g, x: g * (x - x.mean()) / x.size,
    LARGE,
    about="the output",
)
simple(
    "weights' inner derivative",
    "quantity",
    lambda x, w: np.tanh(x * w),
    lambda g, x, w: (g / np.cosh(x * w) ** 2, g * x / np.cosh(x * w) ** 2),
    X,
    POSITIVE,
    about="1 / input 1",
)
simple(
    "scale of all rows",
    "quantity",
    lambda x, w: np.sin(x) * w,
    lambda g, x, w: (g * np.cos(x), (g * np.sin(x)).sum(0)),
    X,
    POSITIVE[0],
    about="1 / input 1",
)
simple(
    "logits", "quantity", lambda x: np.log(sigmoid(x)).sum(), lambda g, x: g / sigmoid(x), LINE, about="1 / sigmoid'"
)
simple("a root too many", "slope", np.arctan, lambda g, x: g / np.sqrt(1 + x**2), X, about="square root")
simple("upside down", "slope", lambda x: np.log(np.cosh(x)), lambda g, x: g / np.tanh(x), X, about="but 1 / that")

# -- exchanged -------------------------------------------------------------------------------------------------

simple("product", "swapped", lambda x, y: x * y, lambda g, x, y: (g * x, g * y), X, X + 1)
simple(
    "product of scalars",
    "swapped",
    lambda x, y: np.sin(x) * y,
    lambda g, x, y: (g * np.sin(x), g * y * np.cos(x)),
    0.3,
    0.8,
)
simple("product of matrices", "swapped", lambda a, b: a @ b, lambda g, a, b: (a.T @ g, g @ b.T), SQUARE, SQUARE + 1)
simple(
    "product, large",
    "swapped",
    lambda x, y: (x * np.sin(y)).sum(0),
    lambda g, x, y: (g * x * np.cos(y), g * np.sin(y)),
    LARGE,
    LARGE * 0.3,
)
simple(
    "three in a circle",
    "mixed up",
    lambda a, b, c: a * b**2 * c**3,
    lambda g, a, b, c: (2 * g * a * b * c**3, 3 * g * a * b**2 * c**2, g * b**2 * c**3),
    POSITIVE,
    POSITIVE + 1,
    POSITIVE * 2,
)
simple(
    "one of two",
    "taken",
    lambda x, y: x * np.log(y),
    lambda g, x, y: (g * np.log(x), g * x / y),
    POSITIVE,
    POSITIVE[::-1] + 0.3,
    about="of input 0 takes input 0 for input 1",
)
simple(
    "outputs' gradients",
    "taken",
    lambda x: (np.sin(x), np.cos(x)),
    lambda g, x: g[1] * np.cos(x) - g[0] * np.sin(x),
    LINE,
    about="output 0, from above, for that of output 1",
)
simple("tanh of the input", "taken", np.tanh, lambda g, x: g * (1 - x**2), X, about="with the output in its place")
simple(
    "log of the output",
    "taken",
    np.log,
    lambda g, x: g / np.log(x),
    POSITIVE + 1,
    about="the output for it: this is the slope there",
)
simple(
    "softplus, mirrored",
    "taken",
    lambda x: np.log1p(np.exp(x)),
    lambda g, x: g * sigmoid(-x),
    X,
    about="input 0 with the wrong sign",
)
simple(
    "linear layer, input",
    "taken",
    lambda x, w: x @ w,
    lambda g, x, w: (g @ w, x.T @ g),
    X,
    SQUARE,
    about="input 0 takes input 1 transposed",
)
simple(
    "inverse",
    "taken",
    np.linalg.inv,
    lambda g, a: -np.linalg.inv(a) @ g @ np.linalg.inv(a),
    SQUARE,
    about="input 0 transposed",
)
simple(
    "convolution, not flipped",
    "taken",
    lambda x, w: np.convolve(x, w, "valid"),
    lambda g, x, w: (np.convolve(g, w), np.convolve(x[::-1], g, "valid")),
    normal(9),
    normal(3, seed=1),
    about="input 0 takes input 1 reversed along axis 0",
)
simple(
    "transposed cotangent",
    "taken",
    np.sin,
    lambda g, x: g.T * np.cos(x),
    SQUARE,
    about="gradient of output 0, from above, transposed",
)
simple(
    "quadratic form",
    "two terms",
    lambda x, a: x @ a @ x,
    lambda g, x, a: (g * a @ x, g * np.outer(x, x)),
    LINE[:4],
    SQUARE,
    about="input 1 and its transpose",
)
simple(
    "matrix product, order",
    "axis",
    lambda a, b: a @ b,
    lambda g, a, b: (g @ b.T, g @ a.T),
    SQUARE,
    SQUARE + 1,
    about="of input 1",
)
simple("sums of rows", "axis", lambda x: (x**2).sum(1), lambda g, x: 2 * x * g, SQUARE)
simple(
    "softmax, axis",
    "axis",
    lambda x: softmax(x) * SQUARE.sum(),
    lambda g, x: SQUARE.sum() * softmax(x, 0) * (g - (g * softmax(x, 0)).sum(0)),
    SQUARE,
)
simple("cumulative sum", "not transposed", np.cumsum, lambda g, x: np.cumsum(g), LINE)
simple("sort", "not transposed", np.sort, lambda g, x: g[np.argsort(x)], np.array([2.0, 0.5, 1.5, 4.0, 3.0]))
simple(
    "permutation of channels",
    "not transposed",
    lambda x: x[[2, 0, 4, 1, 3]],
    lambda g, x: g[[2, 0, 4, 1, 3]],
    normal(5, 2),
)

# -- places ----------------------------------------------------------------------------------------------------

simple(
    "weights of a layer",
    "transposed",
    lambda x, w: x @ w,
    lambda g, x, w: (g @ w.T, g.T @ x),
    SQUARE + 1,
    SQUARE,
    about=r"input 1 .*\(1, 0\)",
)
simple(
    "weights, another shape",
    "transposed",
    lambda x, w: x @ w,
    lambda g, x, w: (g @ w.T, g.T @ x),
    X,
    W,
    about=r"of input 1 has shape \(2, 4\)",
)
simple(
    "weights, large",
    "transposed",
    lambda x, w: np.tanh(x @ w),
    lambda g, x, w: ((g / np.cosh(x @ w) ** 2) @ w.T, (g / np.cosh(x @ w) ** 2).T @ x),
    LARGE,
    normal(8, 8),
    about="input 1",
)
simple(
    "kernels",
    "transposed",
    lambda w: (w**2).sum(1),
    lambda g, w: 2 * (g[:, None] * w).transpose(0, 1, 3, 2),
    normal(2, 3, 2, 2),
    about=r"\(0, 1, 3, 2\)",
)
simple(
    "Fortran's order",
    "order",
    lambda x: (x**2 * np.arange(12.0).reshape(3, 4)).sum(),
    lambda g, x: (2 * g * x * np.arange(12.0).reshape(3, 4)).T.reshape(3, 4),
    X,
)
simple(
    "kernel's gradient",
    "reversed",
    lambda x, w: np.convolve(x, w, "valid"),
    lambda g, x, w: (np.convolve(g, w[::-1]), np.convolve(x[::-1], g, "valid")[::-1]),
    normal(9),
    normal(3, seed=1),
    about="input 1",
)
simple(
    "slice",
    "shifted",
    lambda x: x[1:5] ** 2,
    lambda g, x: np.pad(2 * g * x[1:5], (2, 1)),
    normal(7),
    about="by 1 along axis 0",
)
simple("padding", "shifted", lambda x: np.pad(x**2, 1)[2:-2], lambda g, x: np.pad(2 * g * x[1:-1], (0, 2)), normal(7))
simple("softmax, diagonal", "diagonal", softmax, lambda g, x: g * softmax(x) * (1 - softmax(x)), X)
simple("softmax, large", "diagonal", softmax, lambda g, x: g * softmax(x) * (1 - softmax(x)), normal(20, 6))
simple("sum of earlier ones", "no diagonal", np.cumsum, lambda g, x: np.cumsum(g[::-1])[::-1] - g, LINE)
simple("max, the first", "other entries", lambda x: x.max(1), lambda g, x: g[:, None] * (np.arange(4) == 0), X)
simple(
    "gather, scattered",
    "other entries",
    lambda x: x[[3, 1, 4]] ** 2,
    lambda g, x: np.pad(2 * g * x[[3, 1, 4]], (0, 2)),
    LINE,
)
simple("ReLU, no mask", "mask", lambda x: np.maximum(x, 0), lambda g, x: g, X)
simple("upper triangle", "mask", lambda x: np.triu(x), lambda g, x: g, SQUARE)
simple("trace", "mask", np.trace, lambda g, x: g * np.ones_like(x), SQUARE, about="off the diagonal")
simple("padding mask", "mask", lambda x: (x[:4] ** 2).sum(0), lambda g, x: 2 * g * x, normal(6, 3), about="input 0")
simple(
    "leaky ReLU",
    "region",
    lambda x: np.where(x > 0, x, 0.01 * x),
    lambda g, x: g * np.where(x > 0, 1, 0.1),
    X,
    about="by a factor of 10 where it is below 0",
)
simple("abs as identity", "region", np.abs, lambda g, x: g, X, about="has the wrong sign where it is below 0")
simple(
    "Huber's loss",
    "region",
    lambda x: np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5).sum(),
    lambda g, x: g * x,
    normal(12) * 2,
    about="where the absolute value of it is above 0.9",
)
simple(
    "one row",
    "place",
    lambda x: np.tanh(x),
    lambda g, x: g / np.cosh(x) ** 2 * (1 + (np.arange(3) == 1))[:, None],
    X,
    about="by a factor of 2 at index 1 of axis 0",
)
simple(
    "symmetric",
    "place",
    lambda a: np.log(np.linalg.det(a @ a.T + np.eye(4))),
    lambda g, a: 2 * g * np.linalg.solve(a @ a.T + np.eye(4), a) * (2 - np.eye(4)),
    SQUARE,
    about="by a factor of 2 off the diagonal",
)
simple(
    "one entry",
    "entries",
    np.sin,
    lambda g, x: g * np.cos(x) * (1 + 0.1 * (np.arange(12) == 7).reshape(3, 4)),
    X,
    about=r"1.1 for one entry, \[1, 3\]",
)


@bug("one of ten thousand", "entries", normal(100, 100, seed=7), about=r"for one entry, \[12, 34\]")
def _():
    wrong = np.ones((100, 100))
    wrong[12, 34] += 1e-3
    return np.sin, lambda g, x: g * np.cos(x) * wrong


# -- what is missing -------------------------------------------------------------------------------------------

simple(
    "bias, first row",
    "sum missing",
    lambda x, b: x + b,
    lambda g, x, b: (g, g[0].copy()),
    X,
    X[0],
    about="input 1, of shape",
)
simple(
    "bias, not summed",
    "sum missing",
    lambda x, b: x + b,
    lambda g, x, b: (g, g.copy()),
    X,
    X[0],
    about="input 1 has shape",
)
simple(
    "scalar weight",
    "sum missing",
    lambda x, w: x * w,
    lambda g, x, w: (g * w, (g * x)[0, 0]),
    X,
    0.7,
    about=r"input 1, of shape \(\)",
)
simple(
    "column", "sum missing", lambda x, c: x * c, lambda g, x, c: (g * c, (g * x)[:, :1]), X, X[:, :1], about="input 1"
)
simple(
    "bias, large",
    "sum missing",
    lambda x, b: np.tanh(x + b),
    lambda g, x, b: (g / np.cosh(x + b) ** 2, (g / np.cosh(x + b) ** 2)[-1]),
    LARGE,
    LARGE[0],
    about="input 1",
)
simple(
    "second output",
    "output dropped",
    lambda x: (np.sin(x), x**2),
    lambda g, x: g[0] * np.cos(x),
    LINE,
    about="output 1",
)
simple("first output", "output dropped", lambda x: (x.sum(), x**2), lambda g, x: 2 * g[1] * x, LINE, about="output 0")


@bug("embedding", "assigned", normal(4, 3))
def _():
    def backward(g, table):
        gradient = np.zeros_like(table)
        gradient[ROWS] = g
        return gradient

    return lambda table: table[ROWS], backward


@bug("windows", "assigned", normal(8))
def _():
    def backward(g, x):
        gradient = np.zeros_like(x)
        for i in range(len(g)):
            gradient[i : i + 3] = g[i] / 3
        return gradient

    return lambda x: np.lib.stride_tricks.sliding_window_view(x, 3).mean(1), backward


@bug("convolution of an image", "assigned", normal(5, 5), normal(3, 3, seed=1), about="input 0")
def _():
    def windows(x):
        return np.lib.stride_tricks.sliding_window_view(x, (3, 3))

    def backward(g, x, w):
        gradient = np.zeros_like(x)
        for i, j in np.ndindex(*g.shape):
            gradient[i : i + 3, j : j + 3] = g[i, j] * w
        return gradient, np.einsum("ij,ijkl->kl", g, windows(x))

    return lambda x, w: np.einsum("ijkl,kl->ij", windows(x), w), backward


simple(
    "half of the channels",
    "path",
    lambda x: np.sin(x),
    lambda g, x: g * np.cos(x) * (np.arange(4) < 3),
    normal(5, 4),
    about="at index 3 of axis 1",
)
simple(
    "dying ReLU",
    "path",
    lambda x: np.where(x > 0, x, 0.1 * x),
    lambda g, x: g * (x > 0),
    X,
    about="where it is below 0",
)
simple(
    "the last few",
    "path",
    lambda x: np.exp(x),
    lambda g, x: g * np.exp(x) * (np.arange(14) // 4 < 3),
    normal(14),
    about=r"from entry \[12\]",
)
simple("zero", "zero", np.exp, lambda g, x: 0 * g, X)
simple(
    "zero, large",
    "zero",
    lambda x, y: np.exp(x) * y,
    lambda g, x, y: (g * y * np.exp(x), 0 * g),
    LARGE,
    LARGE,
    about="input 1",
)
simple("None", "zero", lambda x, w: x * w, lambda g, x, w: (g * w, None), X, X + 1, about="input 1")


@bug("detached", "zero", LINE, LINE + 2, about="input 1")
def _():
    return lambda x, y: x * tg.exp(y.detach())


@bug("all detached", "zero", LINE)
def _():
    return lambda x: tg.tensor(np.exp(x.numpy()))


@bug("rule on bare arrays", "zero", LINE, order=2, about="input 0")
def _():
    @tg.op
    def cube(x):
        return x**3

    @cube.vjp("x")
    def _(g, x):
        return tg.Tensor(3 * x.data**2) * g if isinstance(x, tg.Tensor) else 3 * x**2 * g

    return cube


@bug("square, one factor detached", "half", LINE)
def _():
    return lambda x: x * x.detach()


@bug("residual, detached", "constant term", X, about="1 everywhere")
def _():
    return lambda x: tg.tanh(x) + x.detach()


@bug("penalty, detached", "norm", LINE)
def _():
    return lambda x: tg.sum(tg.sin(x)) + 0.1 * tg.sum(x.detach() * x)


@bug("product, one factor detached", "product rule", X)
def _():
    return lambda x: x.detach() * tg.sin(x)


@bug("batch norm, mean detached", "mean", BATCH, about="along axis 0")
def _():
    def norm(x):
        centred = x - tg.mean(x, axis=0, keepdims=True).detach()
        return centred / tg.sqrt(tg.mean((x - tg.mean(x, axis=0, keepdims=True)) ** 2, axis=0, keepdims=True))

    return norm


@bug("batch norm, both detached", "mean and variance", BATCH, about="along axis 0")
def _():
    def norm(x):
        centred = x - tg.mean(x, axis=0, keepdims=True).detach()
        return centred / tg.sqrt(tg.mean(centred**2, axis=0, keepdims=True) + 1e-5).detach()

    return norm


@bug("layer norm, both detached, large", "mean and variance", normal(24, 8), about="along axis 1")
def _():
    def norm(x):
        centred = x - tg.mean(x, axis=1, keepdims=True).detach()
        return centred / tg.sqrt(tg.mean(centred**2, axis=1, keepdims=True) + 1e-5).detach()

    return norm


@bug("unit vectors, length detached", "norm", X, about="along axis 1")
def _():
    return lambda x: x / tg.sqrt(tg.sum(x**2, axis=1, keepdims=True)).detach()


@bug("softmax, sum detached", "softmax", X, about="along axis 1")
def _():
    return lambda x: tg.exp(x) / tg.sum(tg.exp(x), axis=1, keepdims=True).detach()


simple(
    "centred, mean forgotten",
    "mean",
    lambda x: ((x - x.mean(0)) ** 2).sum(),
    lambda g, x: 2 * g * x,
    X,
    about="along axis 0",
)
simple("entropy, + 1", "mean", lambda p: (p * np.log(p)).sum(), lambda g, p: g * np.log(p), POSITIVE)
simple("two terms", "constant term", lambda x: np.sin(x) + 2 * x, lambda g, x: g * np.cos(x), X, about="2 everywhere")
simple("SiLU", "product rule", lambda x: x * sigmoid(x), lambda g, x: g * sigmoid(x), X)

# -- the cotangent ---------------------------------------------------------------------------------------------

simple("loss", "ignored", lambda x: (x**2).mean(), lambda g, x: 2 * x / x.size, X)
simple("layer", "ignored", lambda x, w: x @ w, lambda g, x, w: (np.ones((3, 2)) @ w.T, x.T @ g), X, W, about="input 0")
simple("penalty", "added", lambda x: np.sin(x), lambda g, x: g * np.cos(x) + 0.01 * x, X)
simple("log-softmax", "added", lambda x: np.log(softmax(x)), lambda g, x: g - softmax(x), X)
simple("clipped", "not linear", np.sin, lambda g, x: np.clip(g * np.cos(x), -0.5, 0.5), X)
simple("guided", "not linear", lambda x: np.maximum(x, 0), lambda g, x: np.maximum(g, 0) * (x > 0), X)
simple("modulus", "not linear", np.sin, lambda g, x: np.abs(g) * np.cos(x), X)
simple("multiplied too late", "summed", np.sin, lambda g, x: g.sum() * np.cos(x), X)
simple("mean of a vector", "summed", lambda x: np.exp(x), lambda g, x: g.mean() * np.exp(x), LINE)

# -- state, memory, dtype --------------------------------------------------------------------------------------

simple("other data", "fixed", np.sin, lambda g, x: g * np.cos(X), X + 0.3)
simple("taken for linear", "fixed", lambda a: np.linalg.inv(a), lambda g, a: -g, SQUARE, about="input 0")
simple(
    "float32 inside",
    "dtype",
    np.exp,
    lambda g, x: (g.astype("f") * np.exp(x)).astype("f").astype(float),
    X,
    about="passes through float32",
)
simple(
    "float16 weights",
    "dtype",
    np.exp,
    lambda g, x: g * np.exp(x.astype("float16")).astype(float),
    X,
    about="passes through float16",
)
simple(
    "float16 inside",
    "dtype",
    np.exp,
    lambda g, x: (g * np.exp(x)).astype("float16").astype(float),
    X,
    about="passes through float16",
)
simple("float32 returned", "dtype", np.sin, lambda g, x: (g * np.cos(x)).astype("f"), X, about="input 0 is float32")
simple("random", "random", np.sin, lambda g, x: g * np.cos(x) * RNG.uniform(0.9, 1.1), X)
simple("dropout in backward", "random", lambda x: x * 1.0, lambda g, x: g * (RNG.random(g.shape) < 0.5) * 2, X)


@bug("function of chance", "random", X)
def _():
    return lambda x: x * RNG.uniform(0.5, 1.5), lambda g, x: g


@bug("input overwritten", "input changed", X, about="input 0")
def _():
    def forward(x):
        x *= 2
        return x

    return forward, lambda g, x: 2 * g


@bug("input overwritten backwards", "input changed", X, X + 1, about="input 1")
def _():
    def backward(g, x, y):
        gradient = g * y
        y *= g
        return gradient, g * x

    return lambda x, y: x * y, backward


@bug("cotangent overwritten", "cotangent changed", X)
def _():
    def backward(g, x):
        g *= np.cos(x)
        return g

    return np.sin, backward


@bug("cache of the call before", "random", X)
def _():
    kept = [np.zeros_like(X)]

    def backward(g, x):
        kept.append(x.copy())
        return g * np.exp(kept[-2])

    return np.exp, backward


@bug("one buffer", "aliased", X, X + 1, about="input 0 and input 1")
def _():
    def backward(g, x, y):
        dx = dy = np.zeros_like(g)
        dx += g * y
        dy += g * x
        return dx, dy

    return lambda x, y: x * y, backward


@bug("one array", "aliased", LINE, LINE + 2)
def _():
    def backward(g, x, y):
        return g, g

    return lambda x, y: x - 2 * y, backward


# -- complex numbers -------------------------------------------------------------------------------------------

Z = normal(5) + 1j * normal(5, seed=1)
simple("other convention", "conjugate", lambda z: (np.abs(z) ** 2).sum(), lambda g, z: 2 * g * np.conj(z), Z)
simple("imaginary part", "i", lambda z: z.imag.copy(), lambda g, z: g + 0j, Z)
simple("square", "taken", lambda z: z**2, lambda g, z: g * 2 * z, Z, about="as its conjugate")
simple(
    "real part only",
    "path",
    lambda z: (np.abs(z) ** 2).sum(),
    lambda g, z: 2 * g * z.real + 0j,
    Z,
    about="imaginary parts",
)

# -- the rest --------------------------------------------------------------------------------------------------

simple(
    "eps",
    "nearly",
    lambda x: x / np.sqrt((x**2).mean() + 1e-3),
    lambda g, x: (g - x * (g * x).mean() / (x**2).mean()) / np.sqrt((x**2).mean()),
    LINE,
)
simple("series", "nearly", np.sin, lambda g, x: g * (1 - x**2 / 2 + x**4 / 24), X / 2)
simple(
    "one output",
    "output",
    lambda x: (np.sin(x), x**2),
    lambda g, x: g[0] * np.cos(x) + 2.2 * g[1] * x,
    LINE,
    about="by a factor of 1.1 as far as it comes from output 1",
)
simple("straight through", "flat", np.round, lambda g, x: g, 3 * X, about="does not change with it. Is it masked")
simple(
    "unused",
    "flat",
    lambda x, y: x**2,
    lambda g, x, y: (2 * g * x, g),
    X,
    X + 1,
    about="input 1 .* does not change with it at all",
)
simple("division by zero", "finite", lambda x: x**2, quiet(lambda g, x: g * 2 * x / (x != 2.2)), LINE)
simple("where", "finite", quiet(lambda x: np.where(x > 0, x**1.5, 0.0)), quiet(lambda g, x: g * 1.5 * np.sqrt(x)), LINE)
simple(
    "zero norm",
    "finite",
    lambda x: (x**2).sum(),
    quiet(lambda g, x: g * 2 * x * (x / x)),
    np.array([0.0, 1.0, 2.0]),
    about="at this very point",
)
simple(
    "ReLU at 0",
    "kink",
    lambda x: np.maximum(x, 0),
    lambda g, x: g * np.where(x == 0, 2, x > 0),
    np.array([-1.0, 0.0, 1.0]),
    about="Close by it is right",
)
simple("abs at 0", "kink", np.abs, lambda g, x: g * np.where(x == 0, -1.5, np.sign(x)), np.array([0.0, 1.0]))
simple("ties", "kink", lambda x: x.max(), lambda g, x: g * (x == x.max()), np.array([2.0, 1.0, 2.0]))
simple(
    "special value", "here only", lambda x: x**2, lambda g, x: g * np.where(x == 1, 1, 2 * x), np.array([0.5, 1.0, 3.0])
)
simple("step", "jump", lambda x: x + (x > 1), lambda g, x: g * np.where(x == 1, 3, 1), np.array([1.0, 2.0]))


@bug("two ReLUs", "here only", np.array([0.0, 1.0, -2.0]), about=re.escape("relu'(0) = 0"))
def _():
    return lambda x: tg.relu(x) - tg.relu(-x)


@bug("max pooling, ties to all", "kink", np.array([[1.0, 1.0], [0.5, 0.25]]))
def _():
    def backward(g, x):
        return g * (x == x.max())

    return lambda x: x.max(), backward


NAMES = [f"{kind}: {name}" for name, kind, *_ in BUGS]


@pytest.mark.parametrize(("name", "kind", "make", "inputs", "order", "about"), BUGS, ids=NAMES)
def test_a_bug_is_told_by_its_sentence(name, kind, make, inputs, order, about):
    report = check(make, inputs, order)
    assert not report
    said = f"{' '.join(report.faults)} {report.cause}"
    assert [other for other, words in KINDS.items() if re.search(words, said)] == [kind], said
    assert re.search(about, said), said
    assert "{" not in said


def bisected(y):
    """The root of t**3 + t = y, to 2**-34."""
    low, high = np.full(y.shape, -4.0), np.full(y.shape, 4.0)
    while high[0] - low[0] > 2.0**-34:
        middle = (low + high) / 2
        above = middle**3 + middle > y
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return low


@pytest.mark.parametrize(
    ("forward", "backward", "x", "said", "not_said"),
    [
        (
            lambda x: np.sqrt(1 - x**2),
            quiet(lambda g, x: -1.01 * g * x / np.sqrt(1 - x**2)),
            np.array([1 - 1e-12, 0.5, 0.2]),
            "constant factor of 1.01",
            "not finite",
        ),
        (
            np.tan,
            lambda g, x: g * (1 + np.tan(x) ** 2) * np.where(x > 1.5, 1.001, 1),
            np.array([1.57, 0.3, 1.0]),
            r"for one entry, \[0\]",
            "wrong sign",
        ),
        (
            bisected,
            lambda g, y: 1.001 * g / (1 + 3 * bisected(y) ** 2),
            np.array([0.5, 1.0, 2.0]),
            "",
            "float16|dtype",
        ),
        (
            lambda x: np.tanh(x.astype(np.float32)).astype(float).sum(),
            lambda g, x: g * (1 - np.tanh(x) ** 2) * np.where(np.arange(9) == 4, 2, 1),
            np.linspace(-0.8, 0.9, 9),
            "",
            "does not change|no slope|not zero",
        ),
        (
            lambda x, w: (x.astype(np.float32) @ w.astype(np.float32)).astype(float),
            lambda g, x, w: (g @ w.T, 0 * w),
            (normal(4, 3), normal(3, 2, seed=1)),
            "the gradient of input 1 is zero",
            "input 0",
        ),
    ],
    ids=["beside the end of a domain", "one entry", "bisection", "float32 inside", "float32 inside, one input"],
)
def test_what_is_not_to_be_said(forward, backward, x, said, not_said):
    report = gradcheck((forward, backward), *(x if isinstance(x, tuple) else (x,)))
    assert not report
    assert re.search(said, report.cause), report.cause
    assert not re.search(not_said, report.cause), report.cause
