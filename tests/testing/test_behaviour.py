"""What a function does along a line, told from how its values go."""

from __future__ import annotations

import numpy as np
import pytest

from tensorgrad.testing.checking.behaviour import Curve
from tests.testing.test_differences import along

STEP = 1e-9


def curve(f, x=1.3):
    return Curve(along(f, x), 0, 1.0, np.random.default_rng(0))


def slope_at_small_steps(f, x=1.3):
    return ((f(np.array([x + STEP])) - f(np.array([x - STEP]))) / (2 * STEP)).item()


def in_float32(x):
    return np.sin(x.astype(np.float32)).astype(np.float64)


def in_steps_of_their_own(x):
    # Between the steps it has a slope, too, as what is rounded before it is added has.
    return 0.3 * x + 1e-11 * np.round(0.7 * np.sin(x) * 1e11 / 97) * 97


@pytest.mark.parametrize(("f", "slope"), [(in_float32, np.cos(1.3)), (in_steps_of_their_own, 0.3 + 0.7 * np.cos(1.3))])
def test_over_many_steps_of_rounding_a_function_has_its_slope(f, slope):
    fine = slope_at_small_steps(f)
    assert abs(fine - slope) > 0.1
    found, error, _ = curve(f).rounded_slope(fine, STEP)
    assert abs(found - slope) <= 3 * error < 1e-3


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sin(x) + 1e-9 * np.sin(1e8 * x),
        lambda x: np.sin(x) + 1e-6 * np.sin(1e6 * x),
        lambda x: np.sin(x) + 1e-8 * np.tanh((x - 1.3) * 1e8),
        lambda x: np.sin(x) + np.clip(x - 1.3, -1e-8, 1e-8),
        np.sin,
    ],
    ids=["small waves", "waves", "a steep place", "a short ramp", "smooth"],
)
def test_what_is_smooth_or_bent_is_no_rounding(f):
    assert curve(f).rounded_slope(slope_at_small_steps(f), STEP) is None
