"""Right gradients under cancellation and at awkward scales."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, right, right_slope, uniform
from benchmarks.gradient_cases.formulas import softmax

X = normal(6)


def _by_series(f, coefficients):
    """A derivative by its series near 0 (coefficients of x, x**3, ...), where its formula cancels."""

    def slope(x):
        series = sum(c * x ** (2 * k + 1) for k, c in enumerate(coefficients))
        return np.where(np.abs(x) < 0.1, series, f(np.where(np.abs(x) < 0.1, 1.0, x)))

    return slope


_versine_slope = _by_series(
    lambda x: np.sin(x) / x**2 - 2 * (1 - np.cos(x)) / x**3, [-1 / 12, 1 / 180, -1 / 6720, 1 / 453600]
)


def _expm1_over_x_slope(x):
    return 0.5 + x / 3 + x * x / 8 + x**3 / 30 + x**4 / 144


def _log1p_rest(x):
    return np.log1p(x) - x


def _two_pass(x):
    return ((x - x.mean()) ** 2).mean()


def _one_pass(x):
    return (x * x).mean() - x.mean() ** 2


def _variance_gradient(g, x):
    return 2 * g * (x - x.mean()) / x.size


def _quadratic_root(b, c):
    return -b + np.sqrt(b * b - c)


def _quadratic_root_gradients(g, b, c):
    root = np.sqrt(b * b - c)
    return g * c / (root * (root + b)), -g / (2 * root)


CASES = [
    right_slope(
        "(1 - cos x) / x**2 at 1e-4",
        "the value has 8 digits",
        lambda x: (1 - np.cos(x)) / x**2,
        _versine_slope,
        [1e-4, -2e-4, 0.7],
    ),
    right_slope(
        "(1 - cos x) / x**2 at 1e-5",
        "the value has 6 digits",
        lambda x: (1 - np.cos(x)) / x**2,
        _versine_slope,
        [1e-5, 3e-5],
    ),
    right_slope(
        "(1 - cos x) / x**2 at 1e-6",
        "the value has 4 digits",
        lambda x: (1 - np.cos(x)) / x**2,
        _versine_slope,
        [1e-6, -1.7e-6],
    ),
    right_slope(
        "(exp(x) - 1) / x at 1e-5",
        "the value has 11 digits",
        lambda x: (np.exp(x) - 1) / x,
        _expm1_over_x_slope,
        [1e-5, -2e-4],
    ),
    right_slope(
        "exp(x) - 1 - x at 1e-5", "the value has 6 digits", lambda x: np.exp(x) - 1 - x, np.expm1, [1e-5, -3e-5]
    ),
    right_slope("log1p(x) - x at 1e-5", "the value has 6 digits", _log1p_rest, lambda x: -x / (1 + x), [1e-5, -1e-4]),
    right_slope("1 - cos x at 1e-3", "the value has 10 digits", lambda x: 1 - np.cos(x), np.sin, [1e-3, 2e-3]),
    right_slope(
        "(1e8 + x) - 1e8", "steps of 1.5e-8", lambda x: (1e8 + x) - 1e8, np.ones_like, X, exact=lambda x: 1 * x
    ),
    right_slope(
        "(1e12 + sin x) - 1e12", "steps of 1.2e-4", lambda x: (1e12 + np.sin(x)) - 1e12, np.cos, X, exact=np.sin
    ),
    right_slope(
        "tan - sin at 1e-3",
        "x**3 / 2 and more",
        lambda x: np.tan(x) - np.sin(x),
        lambda x: np.sin(x) ** 2 * (1 + np.cos(x) + np.cos(x) ** 2) / (np.cos(x) ** 2 * (1 + np.cos(x))),
        [1e-3, 2e-3],
    ),
    right_slope(
        "difference of roots",
        "sqrt(x + 1) - sqrt(x) at 1e8",
        lambda x: np.sqrt(x + 1) - np.sqrt(x),
        lambda x: -0.5 / (np.sqrt(x) * np.sqrt(x + 1) * (np.sqrt(x) + np.sqrt(x + 1))),
        [1e8, 1e6],
    ),
    right_slope(
        "(x - 1)**5, expanded",
        "its Horner form at 1.01",
        lambda x: ((((x - 5) * x + 10) * x - 10) * x + 5) * x - 1,
        lambda x: 5 * (x - 1) ** 4,
        [1.01, 0.98, 1.5],
    ),
    right_slope(
        "(x - 1)**7, expanded",
        "its Horner form at 1.05, with a slope of 1e-7",
        lambda x: ((((((x - 7) * x + 21) * x - 35) * x + 35) * x - 21) * x + 7) * x - 1,
        lambda x: 7 * (x - 1) ** 6,
        [1.05, 0.93],
    ),
    right(
        "variance, one pass",
        "mean of squares less square of the mean, beside 1e4",
        _one_pass,
        _variance_gradient,
        normal(8, shift=1e4),
    ),
    right("variance, two passes", "beside 1e8", _two_pass, _variance_gradient, normal(8, shift=1e8), precision=1e-7),
    right(
        "quadratic root",
        "-b + sqrt(b**2 - c) for c much smaller",
        _quadratic_root,
        _quadratic_root_gradients,
        [1e3, 50.0],
        [1e-2, 0.3],
    ),
    right(
        "sum of large numbers of both signs",
        "1e10 x - 1e10 x + sin(x)",
        lambda x: (1e10 * x + np.sin(x)) - 1e10 * x,
        lambda g, x: g * np.cos(x),
        X,
        exact=np.sin,
    ),
    right_slope(
        "cosh**2 - sinh**2",
        "1 everywhere: no gradient",
        lambda x: np.cosh(5 * x) ** 2 - np.sinh(5 * x) ** 2,
        np.zeros_like,
        X,
        exact=lambda x: 1 + 0 * x,
    ),
    right(
        "log of a sum of tiny numbers",
        "all exp(-700)",
        lambda x: np.log(np.exp(x).sum()),
        lambda g, x: g * softmax(x),
        normal(5, shift=-700),
    ),
    right_slope("inputs of 1e-8", "sin(1e8 x)", lambda x: np.sin(1e8 * x), lambda x: 1e8 * np.cos(1e8 * x), 1e-8 * X),
    right_slope("inputs of 1e-8, nearly linear", "sin x", np.sin, np.cos, 1e-8 * X),
    right_slope(
        "inputs of 1e8", "cos(1e-8 x)", lambda x: np.cos(1e-8 * x), lambda x: -1e-8 * np.sin(1e-8 * x), 1e8 * X
    ),
    right_slope("inputs of 1e8, periodic", "sin x", np.sin, np.cos, 1e8 + X),
    right_slope(
        "inputs of 1e150",
        "x / (1e150 + x)",
        lambda x: x / (1e150 + x),
        lambda x: 1e150 / (1e150 + x) / (1e150 + x),
        1e150 * uniform(1, 2, 4),
    ),
    right_slope("inputs of 1e-150", "sqrt", np.sqrt, lambda x: 0.5 / np.sqrt(x), 1e-150 * uniform(1, 2, 4)),
    right_slope("outputs of 1e-200", "1e-200 sin x", lambda x: 1e-200 * np.sin(x), lambda x: 1e-200 * np.cos(x), X),
    right_slope("outputs of 1e200", "1e200 sin x", lambda x: 1e200 * np.sin(x), lambda x: 1e200 * np.cos(x), X),
    right_slope(
        "outputs of 1e-300",
        "close to the smallest numbers",
        lambda x: 1e-300 * np.sin(x),
        lambda x: 1e-300 * np.cos(x),
        X,
    ),
    right_slope("outputs of 1e12", "1e12 cosh x", lambda x: 1e12 * np.cosh(x), lambda x: 1e12 * np.sinh(x), X),
    right_slope("scales in one array", "x**2 at 1e-6 ... 1e6", np.square, lambda x: 2 * x, 10.0 ** np.arange(-6, 7, 3)),
    right_slope(
        "scales in one array, log", "at 1e-100 ... 1e100", np.log, lambda x: 1 / x, 10.0 ** np.arange(-100, 101, 50)
    ),
    right_slope("offset of 1e9", "sin x + 1e9", lambda x: np.sin(x) + 1e9, np.cos, X),
    right_slope(
        "offset of 1e15",
        "sin x + 1e15: the value has nearly no digits",
        lambda x: np.sin(x) + 1e15,
        np.cos,
        X,
        exact=np.sin,
    ),
    right(
        "offset of 1e9 in one output of three",
        "beside sin",
        lambda x: np.sin(x) + np.array([0.0, 1e9, 0.0]),
        lambda g, x: g * np.cos(x),
        X[:3],
    ),
    right(
        "weights of 1e-8 to 1e8",
        "a sum of sines",
        lambda x: (10.0 ** np.arange(-8, 9, 4) * np.sin(x)).sum(),
        lambda g, x: g * 10.0 ** np.arange(-8, 9, 4) * np.cos(x),
        normal(5),
    ),
    right(
        "outputs of 1e-10 and 1e10",
        "a tuple",
        lambda x: (1e-10 * np.sin(x), 1e10 * np.cos(x)),
        lambda g, x: 1e-10 * g[0] * np.cos(x) - 1e10 * g[1] * np.sin(x),
        X,
    ),
    right(
        "inputs of 1e-6 and 1e6",
        "sin(1e6 x) cos(1e-6 y)",
        lambda x, y: np.sin(1e6 * x) * np.cos(1e-6 * y),
        lambda g, x, y: (1e6 * g * np.cos(1e6 * x) * np.cos(1e-6 * y), -1e-6 * g * np.sin(1e6 * x) * np.sin(1e-6 * y)),
        1e-6 * X,
        1e6 * X,
    ),
    right(
        "one input of 1e-20 beside 1",
        "their sum, squared",
        lambda x, y: (x + y) ** 2,
        lambda g, x, y: (2 * g * (x + y), 2 * g * (x + y)),
        [1e-20, 2e-20],
        [1.0, -2.0],
    ),
    right(
        "Rosenbrock's function",
        "a narrow valley, far from it",
        lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(),
        lambda g, x: (
            g
            * (
                np.append(0.0, 200 * (x[1:] - x[:-1] ** 2))
                - np.append(400 * x[:-1] * (x[1:] - x[:-1] ** 2) + 2 * (1 - x[:-1]), 0.0)
            )
        ),
        normal(4, scale=30),
    ),
    right(
        "at a minimum",
        "Rosenbrock's: all slopes are 0",
        lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
        lambda g, x: 0 * x,
        [1.0, 1.0],
    ),
    right(
        "at a minimum, offset", "1e6 + |x|**2 at 0", lambda x: 1e6 + (x * x).sum(), lambda g, x: 2 * g * x, np.zeros(3)
    ),
]
