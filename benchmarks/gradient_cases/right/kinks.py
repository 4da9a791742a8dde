"""Right gradients at kinks of functions of one number, exactly there and nearly."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import right_slope
from benchmarks.gradient_cases.formulas import relu, step

WITH_ZERO = np.array([0.8, 0.0, -1.3, 0.4])
TINY = np.array([1e-9, -1e-9, 1e-12, -1e-12, 0.3])


def _sign(at_zero):
    return lambda x: np.where(x == 0, at_zero, np.sign(x))


def _leaky(at_zero):
    return lambda x: np.where(x == 0, at_zero, np.where(x > 0, 1.0, 0.1))


def _clip(at_border):
    return lambda x: np.where(np.abs(x) == 1, at_border, np.abs(x) < 1)


def _triangle(x):
    return np.abs(x - 2 * np.floor(x / 2 + 0.5))


def _maxout(x):
    return np.max([x, 2 * x - 1, 0.5 * x + 0.5, 0 * x + 1], axis=0)


def _hard_swish(x):
    return x * np.clip(x + 3, 0.0, 6.0) / 6


CASES = [
    right_slope("ReLU at 0: 0", "the usual choice", relu, step(0.0), WITH_ZERO),
    right_slope("ReLU at 0: 1", "the other side's", relu, step(1.0), WITH_ZERO),
    right_slope("ReLU at 0: 0.5", "the mean of both sides", relu, step(0.5), WITH_ZERO),
    right_slope("ReLU at 0: 0.123", "any value of [0, 1]", relu, step(0.123), WITH_ZERO),
    right_slope("ReLU at 1e-9 and 1e-12", "the slope of the side it lies on", relu, step(0.0), TINY),
    right_slope(
        "ReLU at 1e-6, 1e-5, 1e-4", "the slope of the side it lies on", relu, step(0.0), [1e-6, -1e-5, 1e-4, -1e-3]
    ),
    right_slope("ReLU at 1e-300", "the slope of the side it lies on", relu, step(0.0), [1e-300, -1e-300, 1.0]),
    right_slope("ReLU at -0.0", "negative zero", relu, step(0.0), [-0.0, 1.0]),
    right_slope("abs at 0: 0", "the usual choice", np.abs, np.sign, WITH_ZERO),
    right_slope("abs at 0: 1", "one side's", np.abs, _sign(1.0), WITH_ZERO),
    right_slope("abs at 0: -0.3", "any value of [-1, 1]", np.abs, _sign(-0.3), WITH_ZERO),
    right_slope("abs at 1e-10", "the slope of the side it lies on", np.abs, np.sign, [1e-10, -1e-10, 2.0]),
    right_slope("leaky ReLU at 0: 0.1", "the left side's", lambda x: np.maximum(x, 0.1 * x), _leaky(0.1), WITH_ZERO),
    right_slope("leaky ReLU at 0: 1", "the right side's", lambda x: np.maximum(x, 0.1 * x), _leaky(1.0), WITH_ZERO),
    right_slope(
        "leaky ReLU at 0: 0.4", "between both sides'", lambda x: np.maximum(x, 0.1 * x), _leaky(0.4), WITH_ZERO
    ),
    right_slope(
        "ELU at 0",
        "with alpha = 2 it has a kink",
        lambda x: np.where(x > 0, x, 2 * np.expm1(x - relu(x))),
        lambda x: np.where(x > 0, 1.0, 2 * np.exp(np.minimum(x, 0))),
        WITH_ZERO,
    ),
    right_slope(
        "clip at its borders: 1", "inside's", lambda x: np.clip(x, -1.0, 1.0), _clip(1.0), [1.0, 0.3, -1.0, 1.7]
    ),
    right_slope(
        "clip at its borders: 0", "outside's", lambda x: np.clip(x, -1.0, 1.0), _clip(0.0), [1.0, 0.3, -1.0, 1.7]
    ),
    right_slope(
        "hard swish at its corners",
        "-3 and 3",
        _hard_swish,
        lambda x: np.where(x < -3, 0.0, np.where(x <= 3, x / 3 + 0.5, 1.0)),
        [-3.0, 3.0, 0.0, 1.0],
    ),
    right_slope(
        "soft threshold at its corners",
        "0 within [-0.5, 0.5]",
        lambda x: np.sign(x) * relu(np.abs(x) - 0.5),
        lambda x: (np.abs(x) > 0.5).astype(float),
        [0.5, -0.5, 0.1, 0.9],
    ),
    right_slope(
        "Huber at its threshold",
        "the slope is continuous, the curvature is not",
        lambda x: np.where(np.abs(x) < 1, x * x / 2, np.abs(x) - 0.5),
        lambda x: np.clip(x, -1, 1),
        [1.0, -1.0, 0.2, 3.0],
    ),
    right_slope(
        "squared ReLU at 0",
        "the slope is continuous, the curvature is not",
        lambda x: relu(x) ** 2,
        lambda x: 2 * relu(x),
        WITH_ZERO,
    ),
    right_slope(
        "x |x| at 0",
        "the slope is continuous, the curvature is not",
        lambda x: x * np.abs(x),
        lambda x: 2 * np.abs(x),
        WITH_ZERO,
    ),
    right_slope(
        "|x|**1.5 at 0",
        "the slope is continuous, but rises like a root",
        lambda x: np.abs(x) ** 1.5,
        lambda x: 1.5 * np.sign(x) * np.sqrt(np.abs(x)),
        WITH_ZERO,
    ),
    right_slope(
        "triangular wave",
        "at its tops and bottoms",
        _triangle,
        lambda x: np.where(x == np.round(x), 0.0, np.sign(x - 2 * np.floor(x / 2 + 0.5))),
        [0.0, 1.0, 2.0, 0.3, 1.6],
    ),
    right_slope(
        "| |x| - 1 |",
        "at all of its three kinks",
        lambda x: np.abs(np.abs(x) - 1),
        lambda x: np.sign(np.abs(x) - 1) * np.sign(x),
        [0.0, 1.0, -1.0, 0.4],
    ),
    right_slope(
        "sin and abs",
        "a kink of size 1e-3 on a slope of 5",
        lambda x: 5 * np.sin(x) + 1e-3 * np.abs(x),
        lambda x: 5 * np.cos(x) + 1e-3 * np.sign(x),
        WITH_ZERO,
    ),
    right_slope(
        "a kink of 1e-6", "on a slope of 1", lambda x: x + 1e-6 * np.abs(x), lambda x: 1 + 1e-6 * np.sign(x), WITH_ZERO
    ),
    right_slope(
        "a kink of 1e6", "on a slope of 1", lambda x: x + 1e6 * np.abs(x), lambda x: 1 + 1e6 * np.sign(x), WITH_ZERO
    ),
    right_slope(
        "five kinks at one place",
        "of abs, ReLU, clip, leaky ReLU and max",
        lambda x: np.abs(x) + 2 * relu(x) + np.clip(x, 0.0, 1.0) + np.maximum(x, 0.1 * x) + np.maximum(x, -x),
        lambda x: np.where(x == 0, 0.1, np.where(x > 0, 5.0 + (x < 1), -1.9)),
        WITH_ZERO,
    ),
    right_slope(
        "kinks 1e-8 apart",
        "a staircase of ReLUs close to 0",
        lambda x: relu(x) + relu(x - 1e-8) + relu(x - 2e-8),
        lambda x: (x > 0) * 1.0 + (x > 1e-8) + (x > 2e-8),
        [1.5e-8, 0.5e-8, 1.0],
    ),
    right_slope("sqrt of a square at 0", "|x| in disguise", lambda x: np.sqrt(x * x), np.sign, WITH_ZERO),
    right_slope(
        "maxout", "where three of its lines meet", _maxout, lambda x: np.where(x > 1, 2.0, 0.0), [1.0, 0.5, 1.5]
    ),
]
