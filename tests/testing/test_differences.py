"""Differences that know how exact they are."""

from __future__ import annotations

import numpy as np
import pytest

from tensorgrad.testing.checking.differences import RATIO, STEP, Line, Rows

STEPS = 4 * RATIO ** np.arange(25)
EPSILON = float(np.finfo(float).eps)


def along(value, x, direction=None, rows=None, epsilon=EPSILON):
    x = np.atleast_1d(np.asarray(x, float))
    center = value(x)
    rows = rows or Rows(np.arange(len(center)), np.ones(len(center)), np.zeros((0, len(center))))
    direction = np.eye(len(x))[0] if direction is None else np.asarray(direction, float)
    return Line(value, rows, x, center, direction, epsilon)


FUNCTIONS = [
    (np.sin, np.cos, 1.0),
    (np.sin, np.cos, 1e3),
    (np.exp, np.exp, -20.0),
    (np.exp, np.exp, 20.0),
    (lambda x: x**30, lambda x: 30 * x**29, 1.3),
    (lambda x: np.sin(300 * x), lambda x: 300 * np.cos(300 * x), 0.7),
    (lambda x: 1 / x, lambda x: -1 / x**2, 0.05),
    (lambda x: np.sin(x) + 1e6, np.cos, 1.0),
    (lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1), 1.0),
    (lambda x: np.exp(-1e4 * x**2), lambda x: -2e4 * x * np.exp(-1e4 * x**2), 0.01),
]


@pytest.mark.parametrize(("f", "df", "x"), FUNCTIONS)
def test_the_error_is_known(f, df, x):
    with np.errstate(all="ignore"):
        found = along(f, x).estimates(STEPS).choose()
    error = abs(found.values[0] - df(x))
    assert error <= 3 * found.errors[0]
    assert found.errors[0] <= 1e-4 * max(abs(df(x)), 1e-6 * abs(f(x)), 1e-6)


@pytest.mark.parametrize(("f", "df", "x"), FUNCTIONS[:4])
@pytest.mark.parametrize("side", [1, -1])
def test_of_one_side(f, df, x, side):
    found = along(f, x).estimates(STEPS, side).choose(one_sided=True)
    assert abs(found.values[0] - df(x)) <= 3 * found.errors[0] <= 1e-4 * max(abs(df(x)), 1)
    assert found.one_sided.all()


def test_a_few_steps_are_exact_for_smooth_functions():
    found = along(np.tanh, 0.3).estimates(STEP * np.array([1.0, 0.5, 0.25])).choose()
    assert found.values[0] == pytest.approx(1 / np.cosh(0.3) ** 2, rel=1e-12)


def test_where_there_is_no_value_there_is_no_estimate():
    with np.errstate(all="ignore"):
        line = along(np.sqrt, 0.0)
        assert not np.isfinite(line.estimates(STEPS).choose().errors[0])
        edge = along(lambda x: x**1.5, 0.0).estimates(STEPS, 1).choose(one_sided=True)
    assert abs(edge.values[0]) <= 3 * edge.errors[0] < 1e-3


def test_directions_and_steps_as_they_were_rounded():
    # What is divided by is the step that was really made, a multiple of 1.5e-8 here.
    line = along(lambda x: x[:1], 1e8)
    assert line.quotient(1e-7, -1e-7)[0][0] == 1
    assert np.isinf(line.quotient(1e-9, -1e-9)[1][0])
    skew = along(lambda x: np.array([x @ x]), [1.0, 2.0], [1.0, -0.5]).estimates(STEPS).choose()
    assert abs(skew.values[0]) <= 3 * skew.errors[0] + 1e-12


def test_rows_are_weighted_outputs():
    rows = Rows(np.array([2, 0]), np.array([2.0, -1.0]), np.array([[1.0, 1.0, -1.0]]))
    outputs = np.array([1.0, 10.0, 100.0])
    assert len(rows) == 3
    np.testing.assert_array_equal(rows(outputs), [200, -1, -89])
    np.testing.assert_array_equal(rows.sizes(outputs), [200, 1, 111])
    np.testing.assert_array_equal([rows.cotangent(i) @ outputs for i in range(3)], rows(outputs))


def test_kinks_bend():
    def value(x):
        return np.array([abs(x[0]), np.sin(x[0]), max(x[0], 0.0) ** 2, abs(x[0] - 1.0)])

    np.testing.assert_array_equal(along(value, 0.0).bends(1e-3), [True, False, False, False])


@pytest.mark.parametrize("noise", [1e-12, 1e-9, 1e-6])
def test_noise_makes_estimates_less_exact(noise):
    # Far too fast for any step: as good as chance.
    found = along(lambda x: np.sin(x) + noise * np.sin(1e15 * x), 1.0).estimates(STEPS).choose()
    assert abs(found.values[0] - np.cos(1.0)) <= 3 * found.errors[0]
    assert 0.1 * noise < found.errors[0] < 1e4 * noise
