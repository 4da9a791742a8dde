"""Kinks and jumps: conventions are right, whatever is no mean of the gradients close by is not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import gradcheck
from tensorgrad.testing.checking.kinks import nearest_in_hull

ZEROS = np.array([-1.0, 0.0, 2.0, 0.0])


def check(forward, backward, *inputs, **options):
    return gradcheck((forward, backward), *map(np.asarray, inputs), **options)


def pooled(x, size, step=1):
    return np.array([x[i : i + size].max() for i in range(0, len(x) - size + 1, step)])


def pooled_gradient(share):
    """The gradient of overlapping max pooling by 2, in which ties are shared somehow."""

    def backward(g, x):
        gradient = np.zeros_like(x)
        for i in range(len(x) - 1):
            tied = x[i : i + 2] == x[i : i + 2].max()
            gradient[i : i + 2] += g[i] * share(tied)
        return gradient

    return backward


class TestOneKink:
    @pytest.mark.parametrize("at_zero", [0.0, 0.3, 0.5, 1.0])
    def test_relu_may_have_any_slope_between(self, at_zero):
        report = check(lambda x: np.maximum(x, 0), lambda g, x: g * np.where(x == 0, at_zero, x > 0), ZEROS)
        assert report, str(report)
        if at_zero not in (0.5,):
            assert any("kink" in note for note in report.notes)

    @pytest.mark.parametrize("at_zero", [-0.01, 1.01, 2.0, -1.0])
    def test_but_none_beyond(self, at_zero):
        report = check(lambda x: np.maximum(x, 0), lambda g, x: g * np.where(x == 0, at_zero, x > 0), ZEROS)
        assert not report
        assert "kink" in report.cause
        assert report.index in ((1,), (3,))

    @pytest.mark.parametrize(
        ("forward", "low", "high"),
        [
            (np.abs, -1.0, 1.0),
            (lambda x: np.where(x > 0, x, 0.1 * x), 0.1, 1.0),
            (lambda x: np.where(x > 0, np.sin(x), 0.5 * np.expm1(x)), 0.5, 1.0),
            (lambda x: np.clip(x, 0.0, 1.0), 0.0, 1.0),
            (lambda x: np.abs(x) + 3 * x, 2.0, 4.0),
            (lambda x: 1e6 * np.maximum(x, -2 * x), -2e6, 1e6),
        ],
    )
    def test_of_other_functions(self, forward, low, high):
        x = np.array([0.0])
        for inside in (low, high, 0.3 * low + 0.7 * high):
            report = check(forward, lambda g, x, slope=inside: g * slope, x)
            assert report, str(report)
        for outside in (low - 0.1 * (high - low), high + 0.1 * (high - low)):
            assert not check(forward, lambda g, x, slope=outside: g * slope, x)

    def test_beside_a_kink_is_not_at_it(self):
        def near(width):
            return check(lambda x: np.maximum(x, 0), lambda g, x: g * (x > width), np.array([1e-3, 1.0]))

        assert near(0)
        assert not near(0.01)

    def test_no_kink_is_no_excuse(self):
        # Smooth at zero, though made of two kinks.
        report = gradcheck(lambda x: tg.relu(x) - tg.relu(-x), [0.0, 1.0])
        assert not report
        assert "relu'(0) = 0" in report.cause
        assert not check(
            lambda x: np.maximum(x, 0) ** 2, lambda g, x: g * np.where(x == 0, 1, 2 * np.maximum(x, 0)), [0.0]
        )


class TestTies:
    @pytest.mark.parametrize("weights", [(1, 0, 0), (0.5, 0.5, 0), (0, 1, 0), (0.2, 0.8, 0)])
    def test_maxima_may_share(self, weights):
        report = check(lambda x: x.max(), lambda g, x: g * np.array(weights, float), [2.0, 2.0, 1.0])
        assert report, str(report)

    @pytest.mark.parametrize("weights", [(1, 1, 0), (0.5, 0.4, 0), (0.5, 0.4, 0.1), (1.5, -0.5, 0), (0, 0, 0)])
    def test_but_what_they_share_is_one(self, weights):
        assert not check(lambda x: x.max(), lambda g, x: g * np.array(weights, float), [2.0, 2.0, 1.0])

    def test_the_librarys_own(self):
        tied = [[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]]
        for f in (
            lambda x: tg.max(x, axis=1),
            lambda x: tg.min(x),
            lambda x: tg.maximum(x, 1.0),
            lambda x: tg.abs(x - 1),
        ):
            report = gradcheck(f, tied)
            assert report, str(report)

    @pytest.mark.parametrize("kernel", [2, 3])
    def test_overlapping_pools(self, kernel):
        image = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
        report = gradcheck(nn.MaxPool2d(kernel, stride=1), image[None, None])
        assert report, str(report)

    def test_overlapping_pools_by_hand(self):
        x = np.array([1.0, 1.0, 1.0, 0.5, 0.5])
        first = pooled_gradient(lambda tied: np.arange(2) == tied.argmax())
        shared = pooled_gradient(lambda tied: tied / tied.sum())
        everywhere = pooled_gradient(lambda tied: tied)
        assert check(lambda x: pooled(x, 2), first, x)
        assert check(lambda x: pooled(x, 2), shared, x)
        assert not check(lambda x: pooled(x, 2), everywhere, x)

    def test_kinks_of_both_signs(self):
        # Along (1, 1) the slope is 0 on both sides, yet (1, -1) is a gradient close by.
        def forward(x):
            return np.abs(x[0]) - np.abs(x[1])

        for gradient in ((0, 0), (1, -1), (0.5, 0.5), (-1, 0.2)):
            assert check(forward, lambda g, x, given=gradient: g * np.array(given, float), [0.0, 0.0])
        for gradient in ((2, 0), (0, 1.5), (1.2, -1.2)):
            assert not check(forward, lambda g, x, given=gradient: g * np.array(given, float), [0.0, 0.0])

    def test_sorted_and_medians(self):
        x = [3.0, 1.0, 3.0, 1.0, 2.0]
        order = np.argsort(x, kind="stable")

        def backward(g, x):
            gradient = np.zeros_like(x)
            gradient[order] = g
            return gradient

        report = check(np.sort, backward, x)
        assert report, str(report)
        assert not check(np.sort, lambda g, x: backward(np.array([g[0] + g[1], 0, g[2], g[3], g[3]]), x), x)


class TestManyTies:
    @pytest.mark.parametrize("n", [3, 4, 7])
    def test_shares_that_are_right_one_by_one_add_up_to_one(self, n):
        x = np.ones(n)
        assert check(np.max, lambda g, x: g * (x == x.max()) / (x == x.max()).sum(), x)
        assert not check(np.max, lambda g, x: g * (x == x.max()) * (0.5 if (x == x.max()).sum() > 1 else 1.0), x)

    @pytest.mark.parametrize("n", [3, 5, 7])
    def test_a_median_goes_with_its_inputs_when_they_go_together(self, n):
        def rule(at_ties):
            return lambda g, x: g * (at_ties if np.ptp(x) == 0 else 1.0 * (x == np.median(x)))

        for seed in range(3):
            assert check(np.median, rule(np.full(n, 1 / n)), np.ones(n), seed=seed)
            assert not check(np.median, rule(np.zeros(n)), np.ones(n), seed=seed)


class TestNetworks:
    @pytest.mark.parametrize("seed", range(3))
    def test_relu_networks_with_units_at_zero(self, seed):
        rng = np.random.default_rng(seed)
        x, w, v = (
            rng.integers(-1, 2, (2, 3)).astype(float),
            rng.integers(-1, 2, (3, 4)).astype(float),
            rng.normal(size=(4, 2)),
        )
        report = gradcheck(lambda w, v: tg.relu(tg.tensor(x) @ w) @ v, w, v)
        assert report, str(report)

    @pytest.mark.parametrize("seed", range(6))
    def test_pieces_that_are_narrow(self, seed):
        # Four planes meet at zero; the piece where no unit is on, which gives the gradient 0, is a narrow one.
        w1 = np.array(
            [
                [0.1, 0.5, 0.3, 1.4, 0.3, -0.2],
                [-0.5, -0.1, -1.2, -1.1, 0.6, -0.9],
                [0.5, 0.3, -0.5, -1.3, -1.5, 1.1],
                [-0.2, -0.8, 0.9, -0.5, 0.0, -0.2],
            ]
        )
        w2 = np.array([-1.5, 2.0, -0.1, 0.9])
        report = check(
            lambda x: w2 @ np.maximum(w1 @ x, 0), lambda g, x: g * (w1.T @ (w2 * (w1 @ x > 0))), np.zeros(6), seed=seed
        )
        assert report, str(report)

    @pytest.mark.parametrize("seed", range(6))
    def test_a_small_factor_beside_kinks(self, seed):
        # The function curves there, and close by its gradients differ by more than that.
        x = np.random.default_rng(0).normal(size=(3, 4))

        def forward(w):
            return ((x @ w - 1) ** 2).sum() + 0.1 * np.abs(w).sum()

        def backward(factor):
            return lambda g, w: g * (2 * factor * x.T @ (x @ w - 1) + 0.1 * np.sign(w))

        w = np.array([0.5, 0.0, -0.2, 0.0])
        assert check(forward, backward(1.0), w, seed=seed)
        assert not check(forward, backward(1 + 1e-4), w, seed=seed)

    def test_many_inputs_with_zeros(self):
        x = np.random.default_rng(0).normal(size=(12, 12)) * (np.arange(144).reshape(12, 12) % 7 > 0)
        assert gradcheck(tg.relu, x)
        assert not check(lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0) * np.where(x > 2, 1.01, 1), x)

    def test_second_derivatives_beside_kinks(self):
        assert gradcheck(lambda x: tg.relu(x) * x, [-1.0, 0.5, 2.0], order=3)


class TestJumps:
    def test_either_side_is_right(self):
        def forward(x):
            return np.where(x < 1, x, x**2 + 1)

        assert "jump" in str(check(forward, lambda g, x: g * np.where(x == 1, 1.0, 2 * x), [1.0, 3.0]).notes)
        for slope in (1.0, 2.0):
            report = check(forward, lambda g, x, slope=slope: g * np.where(x == 1, slope, 2 * x), [1.0, 3.0])
            assert report, str(report)
        report = check(forward, lambda g, x: g * np.where(x == 1, 5.0, 2 * x), [1.0, 3.0])
        assert not report
        assert report.cause.startswith("the function jumps here")

    def test_steps_have_no_slope(self):
        assert check(np.floor, lambda g, x: 0 * g, [0.5, 1.7])
        assert gradcheck(tg.sign, [-1.0, 0.5])
        assert not check(np.round, lambda g, x: g, [0.2, 1.7])

    def test_beside_a_jump(self):
        assert check(lambda x: x + (x > 1), lambda g, x: g, [0.999, 1.001])
        assert not check(lambda x: x + (x > 1), lambda g, x: g * np.where(x > 1, 1.0001, 1), [0.999, 1.001])


class TestHulls:
    @pytest.mark.parametrize("seed", range(10))
    def test_the_nearest_point(self, seed):
        rng = np.random.default_rng(seed)
        points, target = rng.normal(size=(5, 3)), 2 * rng.normal(size=3)
        nearest, weights = nearest_in_hull(points, target)
        np.testing.assert_allclose(weights @ points, nearest, atol=1e-9)
        assert weights.min() > -1e-9
        assert weights.sum() == pytest.approx(1)
        # No point of the hull lies further in the direction of the target.
        assert ((points - nearest) @ (target - nearest)).max() < 1e-6

    def test_what_is_inside_is_its_own_nearest(self):
        corners = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
        for inside in ([0, 0, 0], [0.9, -0.9, 0.3], [1, 1, 1]):
            np.testing.assert_allclose(nearest_in_hull(corners, np.array(inside, float))[0], inside, atol=1e-9)
