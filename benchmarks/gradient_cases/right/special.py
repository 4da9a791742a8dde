"""Right gradients of special functions, projections and further awkward formulas."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.gradient_cases.case import normal, right, right_slope, uniform
from benchmarks.gradient_cases.formulas import erf, relu, sigmoid, softmax

X = normal(6)
MASK = np.array([True, True, False, True, False, True])


def _guarded(f, at_zero):
    """A function with a removable singularity at 0."""
    return lambda x: np.where(x == 0, at_zero + 0 * x, f(np.where(x == 0, 1 + 0 * x, x)))


_sinc = _guarded(lambda x: np.sin(x) / x, 1.0)
_sinc_slope = _guarded(lambda x: (x * np.cos(x) - np.sin(x)) / (x * x), 0.0)
_bernoulli = _guarded(lambda x: x / np.expm1(x), 1.0)
_bernoulli_slope = _guarded(lambda x: (np.expm1(x) - x * np.exp(x)) / np.expm1(x) ** 2, -0.5)


def _series(coefficient, terms):
    """A power series in x**2 / 4, and its derivative."""
    c = [coefficient(k) for k in range(terms)]
    return (
        lambda x: sum(a * (x * x / 4) ** k for k, a in enumerate(c)),
        lambda x: sum(a * k * (x * x / 4) ** (k - 1) * x / 2 for k, a in enumerate(c) if k),
    )


_bessel, _bessel_slope = _series(lambda k: (-1.0) ** k / math.factorial(k) ** 2, 25)


def _normal_cdf(x):
    return (1 + erf(x / math.sqrt(2))) / 2


def _log1mexp(x):
    return np.where(x > -0.7, np.log(-np.expm1(x)), np.log1p(-np.exp(x)))


def _project(x):
    """The nearest point of the probability simplex."""
    ordered = np.sort(x)[::-1]
    sums = ordered.cumsum() - 1
    count = int((ordered - sums / np.arange(1, len(x) + 1) > 0).sum())
    return relu(x - sums[count - 1] / count)


def _project_gradient(g, x):
    inside = _project(x) > 0
    return np.where(inside, g - g[inside].mean(), 0.0)


def _top_two(x):
    return np.sort(x)[-2:].sum()


def _eigenvalue(a):
    """The larger eigenvalue of [[a0, a1], [a1, a2]]."""
    return (a[0] + a[2]) / 2 + np.hypot((a[0] - a[2]) / 2, a[1])


def _eigenvalue_gradient(g, a):
    r = np.hypot((a[0] - a[2]) / 2, a[1])
    c, s = ((a[0] - a[2]) / (2 * r), a[1] / r) if r > 0 else (0.0, 0.0)
    return g * np.array([(1 + c) / 2, s, (1 - c) / 2])


def _haversine(x):
    h = np.sin((x[0] - x[2]) / 2) ** 2 + np.cos(x[0]) * np.cos(x[2]) * np.sin((x[1] - x[3]) / 2) ** 2
    return 2 * np.arcsin(np.sqrt(h))


def _haversine_gradient(g, x):
    s, t = np.sin((x[0] - x[2]) / 2), np.sin((x[1] - x[3]) / 2)
    c, d = np.cos(x[0]), np.cos(x[2])
    h = s * s + c * d * t * t
    along = s * np.cos((x[0] - x[2]) / 2)
    across = c * d * t * np.cos((x[1] - x[3]) / 2)
    inner = np.array([along - np.sin(x[0]) * d * t * t, across, -along - c * np.sin(x[2]) * t * t, -across])
    return g * inner / np.sqrt(h * (1 - h))


def _call(s):
    """Black and Scholes' price of a call: price, strike 1, volatility, no interest, a year."""
    d = (np.log(s[0]) + s[1] * s[1] / 2) / s[1]
    return s[0] * _normal_cdf(d) - _normal_cdf(d - s[1])


def _call_gradient(g, s):
    d = (np.log(s[0]) + s[1] * s[1] / 2) / s[1]
    return g * np.array([_normal_cdf(d), s[0] * np.exp(-d * d / 2) / math.sqrt(2 * math.pi)])


def _viterbi(x):
    """The best path through a trellis, with ties."""
    best = x[0]
    for row in x[1:]:
        best = row + np.max(best)
    return np.max(best)


def _viterbi_gradient(g, x):
    gradient = np.zeros_like(x)
    gradient[np.arange(len(x)), x.argmax(1)] = g
    return gradient


def _interpolate(x):
    nodes, values = np.arange(4.0), np.array([0.0, 1.0, -1.0, 0.5])
    i = np.clip(np.floor(x.astype(float)).astype(int), 0, 2)
    return values[i] + (x - nodes[i]) * np.diff(values)[i]


def _masked(x):
    return softmax(np.where(MASK, x, -1e30 + 0 * x))


def _masked_gradient(g, x):
    s = softmax(np.where(MASK, x, -1e30))
    return s * (g - (g * s).sum())


def _power_iteration(a):
    """The largest eigenvalue of a symmetric matrix, to 1e-12."""
    v = np.ones(len(a))
    for _ in range(500):
        v = a @ v
        v = v / np.sqrt((v * v).sum())
    return v @ a @ v


def _power_iteration_gradient(g, a):
    v = np.linalg.eigh((a + a.T) / 2)[1][:, -1]
    return g * np.outer(v, v)


def _adaptive(x):
    """exp(x) by squaring, with as many halvings as the size of x asks for."""
    halvings = np.maximum(0, np.ceil(np.log2(np.maximum(np.abs(x).astype(float), 1e-300))).astype(int) + 3)
    small = x / 2.0**halvings
    y = 1 + small * (
        1 + small / 2 * (1 + small / 3 * (1 + small / 4 * (1 + small / 5 * (1 + small / 6 * (1 + small / 7)))))
    )
    for k in range(int(halvings.max(initial=0))):
        y = np.where(k < halvings, y * y, y)
    return y


def _compensated(x):
    """A sum of 2,000 terms, with compensation."""
    total, lost = 0 * x, 0 * x
    for k in range(2000):
        term = np.sin(0.001 * k * x) - lost
        new = total + term
        total, lost = new, (new - total) - term
    return total


def _compensated_slope(x):
    return sum(0.001 * k * np.cos(0.001 * k * x) for k in range(2000))


def _float_returned(x):
    return float(np.sin(x).sum())


_KEPT: dict[bytes, np.ndarray] = {}


def _remembered(x):
    return _KEPT.setdefault(x.tobytes(), x * x).copy()


CASES = [
    right_slope("sin x / x, guarded at 0", "0 at 0", _sinc, _sinc_slope, [0.0, 0.5, -2.0]),
    right_slope("x / (exp(x) - 1), guarded at 0", "-1/2 at 0", _bernoulli, _bernoulli_slope, [0.0, 0.7, -3.0]),
    right_slope("Bessel's J0", "by its power series", _bessel, _bessel_slope, [0.0, 1.0, 7.5]),
    right_slope(
        "normal distribution's tail",
        "at -8",
        _normal_cdf,
        lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
        [-8.0, -2.0, 5.0],
    ),
    right_slope(
        "log(1 - exp(x))",
        "near 0 and at its branch",
        _log1mexp,
        lambda x: -np.exp(x) / -np.expm1(x),
        [-1e-8, -0.7, -3.0, -40.0],
    ),
    right_slope(
        "logarithm of a sigmoid",
        "at -800 and 40",
        lambda x: -np.where(x > 0, np.log1p(np.exp(-np.abs(x))), -x + np.log1p(np.exp(-np.abs(x)))),
        lambda x: np.where(x > 0, np.exp(-np.abs(x)), 1.0) / (1 + np.exp(-np.abs(x))),
        [-800.0, 40.0, 0.3],
    ),
    right_slope(
        "cube root at 0",
        "infinite",
        np.cbrt,
        lambda x: np.where(x == 0, np.inf, np.cbrt(x) / (3 * np.where(x == 0, 1, x))),
        [0.0, 1.0, -8.0],
    ),
    right_slope(
        "|x|**0.5 at 1e-10",
        "steep beside a cusp",
        lambda x: np.sqrt(np.abs(x)),
        lambda x: 0.5 * np.sign(x) / np.sqrt(np.abs(x)),
        [1e-10, -1e-8, 0.5],
    ),
    right_slope(
        "|sin x| at pi",
        "a kink that floating point misses by 1e-16",
        lambda x: np.abs(np.sin(x)),
        lambda x: np.sign(np.sin(x)) * np.cos(x),
        [math.pi, 0.0, 1.0],
    ),
    right_slope(
        "arcsin(sin x)",
        "at its kink, and beyond",
        lambda x: np.arcsin(np.sin(x)),
        lambda x: np.sign(np.cos(x)),
        [2.0, 1.5, -4.0],
    ),
    right_slope(
        "Tukey's biweight",
        "at its threshold: smooth",
        lambda x: np.where(np.abs(x) < 1, 1 - (1 - x * x) ** 3, 1 + 0 * x),
        lambda x: np.where(np.abs(x) < 1, 6 * x * (1 - x * x) ** 2, 0.0),
        [1.0, -1.0, 0.5, 3.0],
    ),
    right_slope(
        "SELU at 0",
        "a kink",
        lambda x: 1.0507 * np.where(x > 0, x, 1.67326 * np.expm1(x - relu(x))),
        lambda x: 1.0507 * np.where(x > 0, 1.0, 1.67326 * np.exp(np.minimum(x, 0))),
        [0.0, -1.0, 2.0],
    ),
    right_slope(
        "interpolation at its nodes",
        "the right side's slope",
        _interpolate,
        lambda x: np.array([1.0, -2.0, 1.5])[np.clip(np.floor(x).astype(int), 0, 2)],
        [1.0, 2.0, 0.5, 2.3],
    ),
    right_slope(
        "exp by squaring",
        "with more steps for larger numbers: jumps of 1e-16",
        _adaptive,
        np.exp,
        [1.0, 0.125, -2.0, 3.3],
        precision=1e-7,
    ),
    right_slope("a compensated sum", "Kahan's", _compensated, _compensated_slope, [0.3, 2.0]),
    right(
        "PReLU at 0",
        "with respect to input and slope",
        lambda x, a: np.where(x > 0, x, a * x),
        lambda g, x, a: (g * np.where(x > 0, 1, a), np.asarray((g * np.where(x > 0, 0, x)).sum())),
        [0.0, 1.0, -2.0],
        np.array(0.25),
    ),
    right("projection on the simplex", "two of five stay", _project, _project_gradient, [0.9, 0.7, -0.5, 0.1, -1.0]),
    right(
        "projection on the simplex, at a corner",
        "where a third is about to join",
        _project,
        _project_gradient,
        [0.75, 0.5, 0.125],
    ),
    right(
        "sum of the two largest, ties",
        "three are second",
        _top_two,
        lambda g, x: g * np.array([1.0, 0.25, 0.25, 0.5, 0.0]),
        [2.0, 1.0, 1.0, 1.0, 0.5],
    ),
    right("eigenvalue", "of a symmetric matrix", _eigenvalue, _eigenvalue_gradient, [1.0, 0.5, -2.0]),
    right("eigenvalue, twofold", "a cone's tip: the middle", _eigenvalue, _eigenvalue_gradient, [1.0, 0.0, 1.0]),
    right(
        "eigenvalue, nearly twofold", "1e-9 beside a cone's tip", _eigenvalue, _eigenvalue_gradient, [1.0, 1e-9, 1.0]
    ),
    right(
        "distance on a sphere",
        "nearly at the antipode",
        _haversine,
        _haversine_gradient,
        [0.3, 0.1, -0.301, 0.1 + math.pi - 1e-3],
        precision=1e-8,
    ),
    right(
        "distance on a sphere, near",
        "1e-6 apart",
        _haversine,
        _haversine_gradient,
        [0.3, 0.1, 0.3 + 1e-6, 0.1 - 1e-6],
        precision=1e-8,
    ),
    right("option's price", "near its strike, of small volatility", _call, _call_gradient, [1.001, 0.01]),
    right(
        "best path",
        "ties in every step",
        _viterbi,
        _viterbi_gradient,
        [[0.0, 1.0, 1.0], [2.0, 2.0, 2.0], [0.5, -1.0, 0.5]],
    ),
    right(
        "softmax with a mask of -1e30",
        "0 for what is masked",
        _masked,
        _masked_gradient,
        X,
        exact=lambda x: softmax(np.where(MASK, x, -1e4 + 0 * x)),
    ),
    right(
        "power iteration",
        "to 1e-12, with the eigenvector's gradient",
        _power_iteration,
        _power_iteration_gradient,
        np.diag([1.0, 2.0, 4.0]) + 0.1,
        precision=1e-8,
    ),
    right(
        "a float returned",
        "not an array",
        _float_returned,
        lambda g, x: g * np.cos(x),
        X,
        exact=lambda x: np.sin(x).sum(),
    ),
    right(
        "a large Jacobian of zeros",
        "of 3,000 by 3,000, one entry of which is not 0",
        lambda x: np.where(np.arange(3000) == 7, x[11] ** 2, 0 * x),
        lambda g, x: 2 * g[7] * x * (np.arange(3000) == 11),
        normal(3000),
    ),
    right(
        "sigmoid and its inverse",
        "x again, through 1e-12",
        lambda x: -np.log(1 / sigmoid(x) - 1),
        lambda g, x: g + 0 * x,
        [-20.0, 1.0, 12.0],
        exact=lambda x: 1 * x,
    ),
    right(
        "an integral by 2,000 points",
        "with a kink at one of them",
        lambda x: np.abs(np.linspace(0, 1, 2001) - x).mean(),
        lambda g, x: g * np.sign(x - np.linspace(0, 1, 2001)).mean(),
        np.array(0.5),
    ),
    right(
        "Lipschitz and no more",
        "|x| sin(log |x|) near 0",
        lambda x: np.abs(x) * np.sin(np.log(np.abs(x))),
        lambda g, x: g * np.sign(x) * (np.sin(np.log(np.abs(x))) + np.cos(np.log(np.abs(x)))),
        [1e-6, -1e-3, 0.4],
    ),
    right(
        "uneven grid",
        "a finite-difference derivative of exp, with steps of 1e-5",
        lambda x: (np.exp(x + 1e-5) - np.exp(x - 1e-5)) / 2e-5,
        lambda g, x: g * np.exp(x) * math.sinh(1e-5) / 1e-5,
        uniform(-1, 1, 4),
    ),
    right(
        "a memory of past calls",
        "values kept by input: the same each time",
        _remembered,
        lambda g, x: 2 * g * x,
        X,
        exact=np.square,
    ),
]
