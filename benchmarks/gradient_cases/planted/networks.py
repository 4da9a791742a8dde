"""Planted errors in softmax, losses and normalisation."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, uniform
from benchmarks.gradient_cases.formulas import (
    sigmoid,
    softmax,
    softmax_gradient,
    standardise,
    standardise_gradient,
)

LOGITS = normal(4, 5)
LABELS = np.array([3, 0, 4, 1])
TARGETS = uniform(0.0, 0.2, 4, 5)
LINE = normal(9)
X = normal(6, 4)


def _softmax(name, about, wrong):
    return planted(name, about, softmax, softmax_gradient, wrong, LOGITS)


def _log_softmax(x):
    return np.log(softmax(x))


def _cross_entropy(x, labels):
    return -_log_softmax(x)[np.arange(len(x)), labels].mean()


def _cross_entropy_gradient(shift: int = 0, divisor: int = 4):
    def backward(g, x, labels):
        return g * (softmax(x) - np.eye(5)[(labels + shift) % 5]) / divisor, None

    return backward


def _soft_cross_entropy(x):
    return -(TARGETS * _log_softmax(x)).sum()


def _binary_cross_entropy(x, t):
    return (np.log1p(np.exp(x)) - t * x).mean()


def _norm(name, about, wrong, x=X, axis=0, eps=1e-3, **options):
    def mended(g, x):
        return standardise_gradient(g, x, axis, eps)

    return planted(name, about, lambda x: standardise(x, axis, eps)[0], mended, wrong, x, **options)


def _without_mean(g, x):
    normed, inverse = standardise(x, 0, 1e-3)
    return inverse * (g - normed * (g * normed).mean(0))


def _without_deviation(g, x):
    inverse = standardise(x, 0, 1e-3)[1]
    return inverse * (g - g.mean(0))


def _without_either(g, x):
    return g * standardise(x, 0, 1e-3)[1]


def _summed(g, x):
    normed, inverse = standardise(x, 0, 1e-3)
    return inverse * (g - g.sum(0) - normed * (g * normed).sum(0))


def _affine(x, gamma, beta):
    return gamma * standardise(x, 1, 1e-5)[0] + beta


def _affine_gradients(g, x, gamma, beta):
    return standardise_gradient(g * gamma, x, 1, 1e-5), (g * standardise(x, 1, 1e-5)[0]).sum(0), g.sum(0)


def _affine_raw(g, x, gamma, beta):
    return standardise_gradient(g * gamma, x, 1, 1e-5), (g * x).sum(0), g.sum(0)


def _affine_late(g, x, gamma, beta):
    return gamma * standardise_gradient(g, x, 1, 1e-5), (g * standardise(x, 1, 1e-5)[0]).sum(0), g.sum(0)


def _rms(x):
    return x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-6)


def _rms_gradient(centred: float):
    def backward(g, x):
        inverse = 1 / np.sqrt((x * x).mean(1, keepdims=True) + 1e-6)
        return inverse * (g - centred * g.mean(1, keepdims=True) - x * inverse**2 * (g * x).mean(1, keepdims=True))

    return backward


def _cosine_gradients(g, x, y, c):
    a, b = np.sqrt((x * x).sum()), np.sqrt((y * y).sum())
    cosine = (x * y).sum() / (a * b)
    return g * (y / (a * b) - c * cosine * x / a**2), g * (x / (a * b) - cosine * y / b**2)


CASES = [
    _softmax("softmax, the diagonal", "s (1 - s) alone", lambda g, x: g * softmax(x) * (1 - softmax(x))),
    _softmax("softmax, not summed", "s (g - g s)", lambda g, x: softmax(x) * (g - g * softmax(x))),
    _softmax(
        "softmax, the other axis",
        "the inner sum over the batch",
        lambda g, x: softmax(x) * (g - (g * softmax(x)).sum(0)),
    ),
    _softmax(
        "softmax, the whole sum", "over batch and classes", lambda g, x: softmax(x) * (g - (g * softmax(x)).sum())
    ),
    _softmax(
        "softmax, the mean", "for the sum", lambda g, x: softmax(x) * (g - (g * softmax(x)).mean(-1, keepdims=True))
    ),
    planted(
        "log-softmax, not summed",
        "g - s g for g - s sum(g): right for one example per row",
        _log_softmax,
        lambda g, x: g - softmax(x) * g.sum(-1, keepdims=True),
        lambda g, x: g - softmax(x) * g,
        LOGITS,
    ),
    planted(
        "log-softmax, one too many",
        "g - s, right where the cotangent sums to 1",
        _log_softmax,
        lambda g, x: g - softmax(x) * g.sum(-1, keepdims=True),
        lambda g, x: g - softmax(x),
        LOGITS,
    ),
    planted(
        "cross-entropy, not averaged",
        "1 / n forgotten",
        _cross_entropy,
        _cross_entropy_gradient(),
        _cross_entropy_gradient(divisor=1),
        LOGITS,
        LABELS,
    ),
    planted(
        "cross-entropy, by classes",
        "divided by the number of classes",
        _cross_entropy,
        _cross_entropy_gradient(),
        _cross_entropy_gradient(divisor=5),
        LOGITS,
        LABELS,
    ),
    planted(
        "cross-entropy, off by one",
        "the next label",
        _cross_entropy,
        _cross_entropy_gradient(),
        _cross_entropy_gradient(shift=1),
        LOGITS,
        LABELS,
    ),
    planted(
        "cross-entropy, targets' sum",
        "s - t, right for targets that sum to 1",
        _soft_cross_entropy,
        lambda g, x: g * (softmax(x) * TARGETS.sum(1, keepdims=True) - TARGETS),
        lambda g, x: g * (softmax(x) - TARGETS),
        LOGITS,
    ),
    planted(
        "binary cross-entropy",
        "the derivative with respect to the probability",
        _binary_cross_entropy,
        *[
            lambda g, x, t, c=c: (
                g * (sigmoid(x) - t) / (1 if c else sigmoid(x) * (1 - sigmoid(x))) / x.size,
                -g * x / x.size,
            )
            for c in (1, 0)
        ],
        LINE,
        uniform(0, 1, 9),
    ),
    planted(
        "squared error, the target",
        "the target is given the prediction's gradient",
        lambda x, t: ((x - t) ** 2).mean(),
        lambda g, x, t: (2 * g * (x - t) / x.size, -2 * g * (x - t) / x.size),
        lambda g, x, t: (2 * g * (x - t) / x.size, 2 * g * (x - t) / x.size),
        LINE,
        normal(9, seed=1),
    ),
    planted(
        "KL divergence",
        "log(p / q) for log(p / q) + 1",
        lambda p, q: (p * np.log(p / q)).sum(),
        *[lambda g, p, q, c=c: (g * (np.log(p / q) + c), -g * p / q) for c in (1, 0)],
        uniform(0.1, 1, 5),
        uniform(0.1, 1, 5, seed=1),
    ),
    planted(
        "Gaussian likelihood",
        "the log of the scale has no gradient of its own",
        lambda x, s: (0.5 * (x * np.exp(-s)) ** 2 + s).sum(),
        *[lambda g, x, s, c=c: (g * x * np.exp(-2 * s), g * (c - (x * np.exp(-s)) ** 2)) for c in (1, 0)],
        LINE,
        normal(9, seed=1),
    ),
    planted(
        "cosine similarity",
        "the length of the first is taken for a constant",
        lambda x, y: (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()),
        *[lambda g, x, y, c=c: _cosine_gradients(g, x, y, c) for c in (1, 0)],
        LINE,
        normal(9, seed=1),
    ),
    planted(
        "perplexity",
        "the exponential's derivative forgotten",
        lambda x: np.exp((x * x).mean()),
        lambda g, x: 2 * g * x * np.exp((x * x).mean()) / x.size,
        lambda g, x: 2 * g * x / x.size,
        LINE,
    ),
    _norm("batch norm, the mean", "the mean is taken for a constant", _without_mean),
    _norm("batch norm, the deviation", "the deviation is taken for a constant", _without_deviation),
    _norm("batch norm, both", "both are taken for constants", _without_either),
    _norm("batch norm, sums", "for means", _summed),
    _norm("batch norm, eps", "forgotten in the gradient", lambda g, x: standardise_gradient(g, x, 0, 0.0)),
    _norm("batch norm, another eps", "1e-5 for 1e-3", lambda g, x: standardise_gradient(g, x, 0, 1e-5)),
    _norm("batch norm, the other axis", "of a square array", lambda g, x: standardise_gradient(g, x, 1, 1e-3), X[:4]),
    _norm("layer norm as batch norm", "of a square array", lambda g, x: standardise_gradient(g, x, 0, 1e-3), X[:4], 1),
    planted(
        "layer norm, gamma",
        "the values before normalisation",
        _affine,
        _affine_gradients,
        _affine_raw,
        X,
        uniform(0.5, 2, 4),
        normal(4),
    ),
    planted(
        "layer norm, gamma afterwards",
        "gamma is applied after the projection",
        _affine,
        _affine_gradients,
        _affine_late,
        X,
        uniform(0.5, 2, 4),
        normal(4),
    ),
    planted("RMS norm, centred", "as if the mean had been subtracted", _rms, _rms_gradient(0.0), _rms_gradient(1.0), X),
]
