"""Planted errors at and near jumps."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted, planted_slope


def _sawtooth(x):
    return x - np.floor(x)


CASES = [
    planted_slope(
        "round, straight through",
        "1 where the slope is 0",
        np.round,
        np.zeros_like,
        np.ones_like,
        np.array([0.2, 1.8, -0.7]),
    ),
    planted_slope(
        "sign, straight through",
        "1 within [-1, 1]",
        np.sign,
        np.zeros_like,
        lambda x: (np.abs(x) < 1).astype(float),
        np.array([0.3, -0.6, 1.8]),
    ),
    planted_slope(
        "sign, by tanh",
        "the slope of a soft sign",
        np.sign,
        np.zeros_like,
        lambda x: 1 - np.tanh(x) ** 2,
        np.array([0.3, -0.6, 1.8]),
    ),
    planted_slope(
        "quantised, straight through",
        "rounded to 1/256, with the slope of the identity",
        lambda x: np.round(x * 256) / 256,
        np.zeros_like,
        np.ones_like,
        np.array([0.2005, 1.801, -0.7004]),
    ),
    planted_slope(
        "sawtooth, 0", "the slope of floor", _sawtooth, np.ones_like, np.zeros_like, np.array([0.3, 1.7, -0.4])
    ),
    planted_slope(
        "sawtooth at a jump, 0",
        "1 on either side",
        _sawtooth,
        np.ones_like,
        lambda x: (x != np.floor(x)).astype(float),
        np.array([0.3, 2.0]),
    ),
    planted_slope(
        "jump, wrong beside it",
        "x**2 above 1, of which the slope is 1e-4 too large",
        lambda x: np.where(x > 1, x * x, 0.0),
        lambda x: np.where(x > 1, 2 * x, 0.0),
        lambda x: np.where(x > 1, 2.0002 * x, 0.0),
        np.array([1.0, 1.5, 0.5]),
    ),
    planted_slope(
        "jump, a sign",
        "-x above 0.5, with the slope 1",
        lambda x: np.where(x > 0.5, -x, x),
        lambda x: np.where(x > 0.5, -1.0, 1.0),
        np.ones_like,
        np.array([0.52, 0.2]),
    ),
    planted_slope(
        "at a jump, neither side's",
        "5 where the sides have 1 and 2",
        lambda x: np.where(x > 1, 2 * x, x),
        lambda x: np.where(x > 1, 2.0, 1.0),
        lambda x: np.where(x == 1, 5.0, np.where(x > 1, 2.0, 1.0)),
        np.array([1.0, 0.2]),
    ),
    planted(
        "counting",
        "a slope where a count has none",
        lambda x: (x > 0).sum() * 1.0,
        lambda g, x: 0 * x,
        lambda g, x: g * np.exp(-x * x),
        normal(4),
    ),
    planted(
        "argmax selects",
        "the selector is given the selected values as its gradient",
        lambda x, y: y[x.argmax()] ** 2,
        *[lambda g, x, y, c=c: (c * g * y, 2 * g * y * (np.arange(3) == x.argmax())) for c in (0, 1)],
        np.array([0.2, 0.9, 0.5]),
        normal(3),
    ),
]
