"""Right gradients of curved, oscillating, saturated and rounded functions."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.gradient_cases.case import normal, right, right_slope
from benchmarks.gradient_cases.formulas import logsumexp, sigmoid, softmax

X = normal(6)


def _newton_sqrt(steps):
    def forward(x):
        y = 1 + 0 * x
        for _ in range(steps):
            y = (y + x / y) / 2
        return y

    return forward


def _kepler(m, e):
    """The eccentric anomaly E of E - e sin E = m, by fixed-point iteration to 1e-10."""
    value = m + 0 * e
    for _ in range(200):
        new = m + e * np.sin(value)
        done = np.abs(new - value).max() < 1e-10
        value = new
        if done:
            break
    return value


def _kepler_exact(m, e):
    value = m + e * np.sin(m)
    for _ in range(9):
        value = value - (value - e * np.sin(value) - m) / (1 - e * np.cos(value))
    return value


def _kepler_gradients(g, m, e):
    value = _kepler_exact(m, e)
    return g / (1 - e * np.cos(value)), g * np.sin(value) / (1 - e * np.cos(value))


def _bisected(x):
    """The cube root by bisection: a step function at 1e-12."""
    low, high = np.zeros_like(x), np.full_like(x, 4.0)
    for _ in range(42):
        middle = (low + high) / 2
        low, high = np.where(middle**3 < x, middle, low), np.where(middle**3 < x, high, middle)
    return (low + high) / 2


def _horner_erf(x):
    """An approximation of erf by a rational function of degree 4."""
    return 1 - (1 + 0.278393 * x + 0.230389 * x**2 + 0.000972 * x**3 + 0.078108 * x**4) ** -4.0


def _horner_erf_slope(x):
    base = 1 + 0.278393 * x + 0.230389 * x**2 + 0.000972 * x**3 + 0.078108 * x**4
    return 4 * (0.278393 + 0.460778 * x + 0.002916 * x**2 + 0.312432 * x**3) * base**-5.0


def _log_gamma(x):
    """Stirling's series, after shifting by 6."""
    y = x + 6
    series = (y - 0.5) * np.log(y) - y + 0.5 * math.log(2 * math.pi) + 1 / (12 * y) - 1 / (360 * y**3)
    return series - sum(np.log(x + k) for k in range(6))


def _log_gamma_slope(x):
    y = x + 6
    return np.log(y) - 0.5 / y - 1 / (12 * y * y) + 1 / (120 * y**4) - sum(1 / (x + k) for k in range(6))


def _long_sum(x):
    return (np.tile(x, 20000) * np.cos(np.arange(20000 * len(x)))).sum()


_LONG = np.cos(np.arange(100000)).reshape(20000, 5).sum(0)

_HALF = np.float32(0.5)


def _as(dtype, f):
    """A function that is computed in another precision and returned in it."""
    return lambda x: f(x.astype(dtype))


def _inside(dtype, f):
    """A function that is computed in another precision inside."""
    return lambda x: f(x.astype(dtype)).astype(x.dtype)


def _strictly_float32(x):
    if x.dtype != np.float32:
        raise TypeError(f"only float32 is supported, not {x.dtype}")
    return np.tanh(x) * _HALF


def _float32_table(x):
    table = np.sin(np.linspace(0, 8, 4097)).astype(np.float32)
    position = x * 512
    i = np.floor(position).astype(int)
    return table[i] + (position - i) * (table[i + 1] - table[i])


def _float32_table_slope(x):
    table = np.sin(np.linspace(0, 8, 4097)).astype(np.float32).astype(float)
    i = np.floor(x * 512).astype(int)
    return (table[i + 1] - table[i]) * 512


def _float32_table_exact(x):
    table = np.sin(np.linspace(0, 8, 4097)).astype(np.float32).astype(float)
    i = np.floor(x.astype(float) * 512).astype(int)
    return table[i] + (x * 512 - i) * (table[i + 1] - table[i])


def _sine_slope_float32(g, x):
    return (g * np.cos(x)).astype(x.dtype)


def _logistic(x):
    for _ in range(10):
        x = 3.9 * x * (1 - x)
    return x


def _logistic_slope(x):
    slope = np.ones_like(x)
    for _ in range(10):
        slope = slope * 3.9 * (1 - 2 * x)
        x = 3.9 * x * (1 - x)
    return slope


CASES = [
    right_slope("rapid oscillation", "sin(1e4 x)", lambda x: np.sin(1e4 * x), lambda x: 1e4 * np.cos(1e4 * x), X),
    right_slope(
        "very rapid oscillation",
        "sin(1e8 x)",
        lambda x: np.sin(1e8 * x),
        lambda x: 1e8 * np.cos(1e8 * x),
        [0.3, 0.7, 1.1],
        precision=1e-6,
    ),
    right_slope(
        "ripple on a slope",
        "x + 1e-3 sin(1e3 x)",
        lambda x: x + 1e-3 * np.sin(1e3 * x),
        lambda x: 1 + np.cos(1e3 * x),
        X,
    ),
    right_slope(
        "fine ripple",
        "x + 1e-9 sin(1e5 x)",
        lambda x: x + 1e-9 * np.sin(1e5 * x),
        lambda x: 1 + 1e-4 * np.cos(1e5 * x),
        X,
    ),
    right_slope(
        "steep tanh",
        "tanh(1e6 x)",
        lambda x: np.tanh(1e6 * x),
        lambda x: 1e6 / np.cosh(1e6 * x) ** 2,
        [2e-7, -5e-7, 1.5e-6, 0.0],
    ),
    right_slope(
        "steep sigmoid, from afar",
        "0 or 1 at 0.1",
        lambda x: sigmoid(1e3 * np.clip(x, -0.5, 0.5)),
        lambda x: 1e3 * sigmoid(1e3 * x) * sigmoid(-1e3 * x),
        [0.1, -0.1, 0.02],
    ),
    right_slope(
        "narrow peak",
        "a Gaussian of width 1e-6, at 1",
        lambda x: np.exp(-(((x - 1) * 1e6) ** 2) / 2),
        lambda x: -(x - 1) * 1e12 * np.exp(-(((x - 1) * 1e6) ** 2) / 2),
        [1 + 5e-7, 1 - 1e-6, 1.0, 0.9],
    ),
    right_slope(
        "Runge's function",
        "1 / (1 + 25e4 x**2)",
        lambda x: 1 / (1 + 25e4 * x * x),
        lambda x: -50e4 * x / (1 + 25e4 * x * x) ** 2,
        [1e-3, -4e-3, 0.3],
    ),
    right_slope("a power of 101", "at 0.9 and 1.1", lambda x: x**101, lambda x: 101 * x**100, [0.9, 1.1, -1.0]),
    right_slope("exp of exp", "at 3", lambda x: np.exp(np.exp(x)), lambda x: np.exp(x + np.exp(x)), [3.0, -1.0, 2.0]),
    right_slope(
        "smoothed abs",
        "sqrt(x**2 + 1e-12)",
        lambda x: np.sqrt(x * x + 1e-12),
        lambda x: x / np.sqrt(x * x + 1e-12),
        [0.0, 1e-6, -3e-7, 0.5],
    ),
    right_slope(
        "softplus with beta 1e5",
        "near its corner",
        lambda x: np.logaddexp(0, 1e5 * x) / 1e5,
        lambda x: sigmoid(np.clip(1e5 * x, -700, 700)),
        [1e-6, -2e-5, 0.0, 0.3],
        exact=lambda x: np.log1p(np.exp(1e5 * x)) / 1e5,
    ),
    right_slope(
        "chirp", "sin(x**3) at 20", lambda x: np.sin(x**3), lambda x: 3 * x * x * np.cos(x**3), [20.0, -13.0, 0.3]
    ),
    right_slope("logistic map, ten times", "chaos", _logistic, _logistic_slope, [0.3, 0.123, 0.77]),
    right_slope(
        "Weierstrass' sum",
        "of eight terms",
        lambda x: sum(0.5**k * np.cos(7.0**k * x) for k in range(8)),
        lambda x: -sum(3.5**k * np.sin(7.0**k * x) for k in range(8)),
        [0.3, 1.1, -0.4],
    ),
    right_slope(
        "sigmoid, saturated",
        "at 40, -40, 700",
        lambda x: sigmoid(x),
        lambda x: sigmoid(x) * np.exp(-x) / (1 + np.exp(-x)),
        [40.0, -40.0, 700.0, 10.0],
    ),
    right_slope("tanh, saturated", "at 20 and -400", np.tanh, lambda x: 1 / np.cosh(x) ** 2, [20.0, -400.0, 5.0]),
    right_slope("constant", "no slope at all", lambda x: 3.0 + 0 * x, np.zeros_like, X),
    right_slope(
        "flat Gaussian tail",
        "exp(-x**2) at 20: 1e-174",
        lambda x: np.exp(-x * x),
        lambda x: -2 * x * np.exp(-x * x),
        [20.0, 5.0, 30.0],
    ),
    right(
        "softmax at 1000",
        "one-hot to the last digit",
        softmax,
        lambda g, x: softmax(x) * (g - (g * softmax(x)).sum()),
        [1000.0, -1000.0, 0.0, 990.0],
    ),
    right(
        "softmax of equal huge scores",
        "1e8 each",
        softmax,
        lambda g, x: softmax(x) * (g - (g * softmax(x)).sum()),
        [1e8, 1e8, 1e8],
    ),
    right("logsumexp at 1e5", "huge scores", logsumexp, lambda g, x: g * softmax(x), [1e5, 1e5 + 1, 1e5 - 3]),
    right(
        "log-softmax at 1e4",
        "huge negative values",
        lambda x: x - logsumexp(x),
        lambda g, x: g - softmax(x) * g.sum(),
        [1e4, -1e4, 0.0],
    ),
    right("softmax over one class", "1 whatever the score", softmax, lambda g, x: 0 * x, [[0.3], [2.0]]),
    right(
        "long sum", "of 100,000 terms", _long_sum, lambda g, x: g * _LONG, normal(5), exact=lambda x: (x * _LONG).sum()
    ),
    right(
        "sum of sines",
        "of 3,000 frequencies",
        lambda x: np.sin(np.outer(np.arange(3000), x)).sum(),
        lambda g, x: g * (np.arange(3000)[:, None] * np.cos(np.outer(np.arange(3000), x))).sum(0),
        [0.3, 1.1],
    ),
    right_slope(
        "rounded to 1e-12", "a staircase of 1e-12 on sin", lambda x: np.round(np.sin(x), 12), np.cos, X, exact=np.sin
    ),
    right_slope(
        "rounded to 1e-8", "a staircase of 1e-8 on exp", lambda x: np.round(np.exp(x), 8), np.exp, X, exact=np.exp
    ),
    right_slope(
        "bisection",
        "the cube root by 42 halvings",
        _bisected,
        lambda x: np.cbrt(x) / (3 * x),
        [0.5, 2.0, 7.0],
        exact=np.cbrt,
    ),
    right_slope(
        "Newton's iteration",
        "a square root by seven steps",
        _newton_sqrt(7),
        lambda x: 0.5 / np.sqrt(x),
        [0.5, 2.0, 3.0],
        exact=np.sqrt,
    ),
    right(
        "Kepler's equation",
        "iterated to 1e-10, with the implicit gradient",
        _kepler,
        _kepler_gradients,
        [0.5, 1.7, 3.0],
        [0.3, 0.6, 0.1],
        exact=_kepler_exact,
    ),
    right_slope(
        "erf by a rational function", "and that function's derivative", _horner_erf, _horner_erf_slope, [0.1, 0.7, 1.9]
    ),
    right_slope(
        "log-gamma by a series", "and that series' derivative", _log_gamma, _log_gamma_slope, [0.3, 1.5, 4.2, 40.0]
    ),
    right_slope(
        "float32 inside",
        "tanh in single precision",
        _inside(np.float32, np.tanh),
        lambda x: 1 / np.cosh(x) ** 2,
        X,
        exact=np.tanh,
    ),
    right_slope("float16 inside", "sin in half precision", _inside(np.float16, np.sin), np.cos, X, exact=np.sin),
    right_slope("float32 returned", "exp in single precision", _as(np.float32, np.exp), np.exp, X, exact=np.exp),
    right(
        "float32 inputs",
        "sin of single-precision inputs",
        np.sin,
        _sine_slope_float32,
        X.astype(np.float32),
        precision=1e-6,
    ),
    right(
        "float32 only",
        "TypeError for all else",
        _strictly_float32,
        lambda g, x: (g * _HALF * (1 - np.tanh(x) ** 2)).astype(np.float32),
        X.astype(np.float32),
        exact=lambda x: np.tanh(x) * 0.5,
        precision=1e-6,
    ),
    right_slope(
        "float32 inside a sum",
        "100 squares in single precision",
        lambda x: np.sum(x.astype(np.float32) ** 2, dtype=np.float32),
        lambda x: 2 * x,
        normal(100),
        exact=lambda x: (x * x).sum(),
    ),
    right_slope(
        "table of sines",
        "linear between 4,097 entries in single precision: its own slope",
        _float32_table,
        _float32_table_slope,
        [0.3001, 1.7003, 5.5507],
        exact=_float32_table_exact,
    ),
    right_slope(
        "dithered by its bits",
        "sin plus 1e-10 sin(1e15 x): noise that repeats",
        lambda x: np.sin(x) + 1e-10 * np.sin(1e15 * x),
        np.cos,
        X,
        exact=np.sin,
    ),
]
