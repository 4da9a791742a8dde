"""Planted errors in the formulas of functions of one number."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.gradient_cases.case import normal, planted_slope, uniform
from benchmarks.gradient_cases.formulas import erf, relu, sigmoid

X = normal(3, 4)
POSITIVE = uniform(0.3, 3.0, 3, 4)
INSIDE = uniform(-0.8, 0.8, 3, 4)
SIGNS = np.array([-2.3, -0.7, -0.2, 0.4, 1.1, 2.6])
ROOT_OF_2_OVER_PI = math.sqrt(2 / math.pi)


def gelu(x):
    """The Gaussian error linear unit, by the error function."""
    return x * (1 + erf(x / math.sqrt(2))) / 2


def gelu_slope(x):
    """Its derivative."""
    return (1 + erf(x / math.sqrt(2))) / 2 + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def gelu_tanh_slope(x):
    """The derivative of its approximation by tanh."""
    t = np.tanh(ROOT_OF_2_OVER_PI * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x * (1 - t * t) / 2 * ROOT_OF_2_OVER_PI * (1 + 3 * 0.044715 * x * x)


def huber(x):
    """The Huber loss with a threshold of 1."""
    size = np.abs(x)
    return np.where(size < 1, x * x / 2, size - 0.5)


def smoothstep(x):
    """0 below 0, 1 above 1, and 3 x**2 - 2 x**3 between."""
    t = np.clip(x, 0.0, 1.0)
    return t * t * (3 - 2 * t)


def polynomial(x):
    """A polynomial of degree 4, by Horner's rule."""
    return (((0.5 * x - 1.25) * x + 0.75) * x + 2) * x - 1


def stirling(x):
    """Stirling's series for the logarithm of the gamma function."""
    return (x - 0.5) * np.log(x) - x + 1 / (12 * x) - 1 / (360 * x**3)


def stirling_slope(x):
    """Its derivative."""
    return np.log(x) - 1 / (2 * x) - 1 / (12 * x * x) + 1 / (120 * x**4)


CASES = [
    planted_slope(
        "sine, 1e-5 more", "all entries are 1e-5 too large", np.sin, np.cos, lambda x: np.cos(x) * (1 + 1e-5), X
    ),
    planted_slope(
        "exponential, 1e-5 less", "all entries are 1e-5 too small", np.exp, np.exp, lambda x: np.exp(x) * (1 - 1e-5), X
    ),
    planted_slope("cosine's sign", "the derivative of cos without its sign", np.cos, lambda x: -np.sin(x), np.sin, X),
    planted_slope("square, half", "the factor 2 of x**2 forgotten", np.square, lambda x: 2 * x, lambda x: x, X),
    planted_slope(
        "half the square, twice", "a factor 2 too many", lambda x: x * x / 2, lambda x: x, lambda x: 2 * x, X
    ),
    planted_slope(
        "tanh of the input",
        "1 - x**2, with the input for the output",
        np.tanh,
        lambda x: 1 - np.tanh(x) ** 2,
        lambda x: 1 - x * x,
        X,
    ),
    planted_slope(
        "sigmoid of the input",
        "x (1 - x), with the input for the output",
        sigmoid,
        lambda x: sigmoid(x) * sigmoid(-x),
        lambda x: x * (1 - x),
        X,
    ),
    planted_slope(
        "arctan as arcsinh",
        "a root too many",
        np.arctan,
        lambda x: 1 / (1 + x * x),
        lambda x: 1 / np.sqrt(1 + x * x),
        X,
    ),
    planted_slope(
        "arcsin as arcsinh",
        "the sign under the root",
        np.arcsin,
        lambda x: 1 / np.sqrt(1 - x * x),
        lambda x: 1 / np.sqrt(1 + x * x),
        INSIDE,
    ),
    planted_slope(
        "arccos without sign",
        "the derivative of arcsin",
        np.arccos,
        lambda x: -1 / np.sqrt(1 - x * x),
        lambda x: 1 / np.sqrt(1 - x * x),
        INSIDE,
    ),
    planted_slope(
        "log2 as log", "1 / ln 2 forgotten", np.log2, lambda x: 1 / (x * math.log(2)), lambda x: 1 / x, POSITIVE
    ),
    planted_slope(
        "log10 as log2",
        "ln 2 for ln 10",
        np.log10,
        lambda x: 1 / (x * math.log(10)),
        lambda x: 1 / (x * math.log(2)),
        POSITIVE,
    ),
    planted_slope("exp2 as exp", "ln 2 forgotten", np.exp2, lambda x: np.exp2(x) * math.log(2), np.exp2, X),
    planted_slope(
        "cube, exponent kept", "3 x**3 for 3 x**2", lambda x: x**3, lambda x: 3 * x * x, lambda x: 3 * x**3, X
    ),
    planted_slope("cube, factor forgotten", "x**2 for 3 x**2", lambda x: x**3, lambda x: 3 * x * x, lambda x: x * x, X),
    planted_slope(
        "softplus, mirrored",
        "sigmoid(-x) for sigmoid(x)",
        lambda x: np.log1p(np.exp(x)),
        sigmoid,
        lambda x: sigmoid(-x),
        X,
    ),
    planted_slope(
        "SiLU, one term",
        "x sigmoid'(x) forgotten",
        lambda x: x * sigmoid(x),
        lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
        sigmoid,
        X,
    ),
    planted_slope("GELU by tanh", "the derivative of its approximation", gelu, gelu_slope, gelu_tanh_slope, X),
    planted_slope(
        "sine of a square",
        "the chain rule forgotten",
        lambda x: np.sin(x * x),
        lambda x: 2 * x * np.cos(x * x),
        lambda x: np.cos(x * x),
        X,
    ),
    planted_slope(
        "Gaussian",
        "the inner derivative -x forgotten",
        lambda x: np.exp(-x * x / 2),
        lambda x: -x * np.exp(-x * x / 2),
        lambda x: np.exp(-x * x / 2),
        X,
    ),
    planted_slope("log cosh", "coth for tanh", lambda x: np.log(np.cosh(x)), np.tanh, lambda x: 1 / np.tanh(x), X),
    planted_slope(
        "sinh for cosh", "where the two differ by 1e-4 only", np.sinh, np.cosh, np.sinh, uniform(4.5, 5.0, 6)
    ),
    planted_slope(
        "reciprocal root",
        "x**-0.5 for x**-1.5",
        lambda x: 1 / np.sqrt(x),
        lambda x: -0.5 * x**-1.5,
        lambda x: -0.5 * x**-0.5,
        POSITIVE,
    ),
    planted_slope(
        "cube root",
        "x**(2/3) for x**(-2/3)",
        np.cbrt,
        lambda x: np.cbrt(x) / (3 * x),
        lambda x: x / (3 * np.cbrt(x)),
        POSITIVE,
    ),
    planted_slope(
        "signed square",
        "2 x for 2 |x|: wrong at negative inputs only",
        lambda x: x * np.abs(x),
        lambda x: 2 * np.abs(x),
        lambda x: 2 * x,
        SIGNS,
    ),
    planted_slope(
        "ELU's alpha",
        "forgotten, at negative inputs",
        lambda x: np.where(x > 0, x, 0.5 * np.expm1(x - relu(x))),
        lambda x: np.where(x > 0, 1.0, 0.5 * np.exp(np.minimum(x, 0))),
        lambda x: np.where(x > 0, 1.0, np.exp(np.minimum(x, 0))),
        SIGNS,
    ),
    planted_slope(
        "leaky slope",
        "0.02 for 0.01 at negative inputs",
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x: np.where(x > 0, 1.0, 0.01),
        lambda x: np.where(x > 0, 1.0, 0.02),
        SIGNS,
    ),
    planted_slope(
        "Huber, not clipped", "x also beyond the threshold", huber, lambda x: np.clip(x, -1, 1), lambda x: x, SIGNS
    ),
    planted_slope(
        "smoothstep, outside",
        "the polynomial's derivative beyond 0 and 1 too",
        smoothstep,
        lambda x: np.where((x > 0) & (x < 1), 6 * x * (1 - x), 0.0),
        lambda x: 6 * x * (1 - x),
        SIGNS,
    ),
    planted_slope(
        "clipped slope",
        "the gradient clipped to [-1, 1]",
        lambda x: x**3,
        lambda x: 3 * x * x,
        lambda x: np.clip(3 * x * x, -1, 1),
        SIGNS,
    ),
    planted_slope("expm1 of its output", "the output for the output + 1", np.expm1, np.exp, np.expm1, X),
    planted_slope(
        "tangent", "1 + tan for 1 + tan**2", np.tan, lambda x: 1 + np.tan(x) ** 2, lambda x: 1 + np.tan(x), INSIDE
    ),
    planted_slope(
        "reciprocal's sign",
        "1 / x**2 for -1 / x**2",
        lambda x: 1 / x,
        lambda x: -1 / (x * x),
        lambda x: 1 / (x * x),
        POSITIVE,
    ),
    planted_slope(
        "sin x / x",
        "divided by x once, not twice",
        lambda x: np.sin(x) / x,
        lambda x: (x * np.cos(x) - np.sin(x)) / (x * x),
        lambda x: (x * np.cos(x) - np.sin(x)) / x,
        POSITIVE,
    ),
    planted_slope(
        "arctanh as arctan",
        "1 + x**2 for 1 - x**2",
        np.arctanh,
        lambda x: 1 / (1 - x * x),
        lambda x: 1 / (1 + x * x),
        INSIDE,
    ),
    planted_slope(
        "logit",
        "1 / x - 1 / (1 - x), a sign",
        lambda x: np.log(x / (1 - x)),
        lambda x: 1 / (x * (1 - x)),
        lambda x: 1 / x - 1 / (1 - x),
        uniform(0.1, 0.9, 6),
    ),
    planted_slope(
        "softsign",
        "the square forgotten",
        lambda x: x / (1 + np.abs(x)),
        lambda x: (1 + np.abs(x)) ** -2.0,
        lambda x: 1 / (1 + np.abs(x)),
        X,
    ),
    planted_slope(
        "hard sigmoid",
        "the slope 0.2 of one library for the 1/6 of another",
        lambda x: np.clip(x / 6 + 0.5, 0.0, 1.0),
        lambda x: np.where(np.abs(x) < 3, 1 / 6, 0.0),
        lambda x: np.where(np.abs(x) < 2.5, 0.2, 0.0),
        X,
    ),
    planted_slope(
        "polynomial's coefficient",
        "3.751 for 3.75 in one of its coefficients",
        polynomial,
        lambda x: ((2 * x - 3.75) * x + 1.5) * x + 2,
        lambda x: ((2 * x - 3.751) * x + 1.5) * x + 2,
        X,
    ),
    planted_slope(
        "sine by a short series",
        "its derivative's series ends a term too early",
        np.sin,
        np.cos,
        lambda x: 1 - x**2 / 2 + x**4 / 24 - x**6 / 720,
        uniform(1.0, 1.5, 5),
    ),
    planted_slope(
        "Stirling's series",
        "the derivative without -1 / (2 x)",
        stirling,
        stirling_slope,
        lambda x: stirling_slope(x) + 1 / (2 * x),
        uniform(2, 9, 5),
    ),
    planted_slope(
        "three terms, two derivatives",
        "the derivative of x dropped",
        lambda x: x + np.sin(x) + x * x,
        lambda x: 1 + np.cos(x) + 2 * x,
        lambda x: np.cos(x) + 2 * x,
        X,
    ),
    planted_slope(
        "degrees",
        "the gradient in radians",
        lambda x: np.sin(x * (math.pi / 180)),
        lambda x: np.cos(x * (math.pi / 180)) * (math.pi / 180),
        lambda x: np.cos(x * (math.pi / 180)),
        uniform(0, 90, 5),
    ),
    planted_slope(
        "probit",
        "the density with sigma**2 = 1/2",
        lambda x: (1 + erf(x / math.sqrt(2))) / 2,
        lambda x: np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
        lambda x: np.exp(-x * x) / math.sqrt(math.pi),
        X,
    ),
]
