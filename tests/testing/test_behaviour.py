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


def test_what_is_rounded_when_a_step_is_added_is_no_noise_of_the_function():
    steep = Curve(along(lambda x: 1e12 * (x - 1.3), 1.3), 0, 1.37, np.random.default_rng(0))
    assert steep.noise() < 1e-6


def a_wide_pole(x):
    return 1 / (x - 1.3)


def test_what_dies_away_from_a_pole_is_no_rounding():
    x = 1.3 + 1e-6
    true = -1 / (x - 1.3) ** 2
    assert curve(a_wide_pole, x).rounded_slope(true * (1 + 1e-6), 1e-11) is None


def rounded_on_one_side(x):
    return 1e6 * np.where(x > 1.3, np.round(x * 1e12) / 1e12, x)


def test_a_function_may_round_on_one_side_only():
    found, _, _ = curve(rounded_on_one_side).rounded_slope(1e6 * (1 + 1e-3), 1e-10)
    assert found == pytest.approx(1e6, rel=1e-6)
