"""Kinks and jumps: conventions are right, whatever is no mean of the gradients close by is not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import gradcheck
from tensorgrad.testing.checking.hull import nearest_in_hull

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


def at_ties(rule, otherwise):
    """A rule for a point where all inputs are equal, and another one for all others."""
    return lambda g, x: rule(g, x) if np.ptp(x) == 0 else otherwise(g, x)


def sort_gradient(g, x):
    gradient = np.empty_like(g)
    gradient[np.argsort(x, kind="stable")] = g
    return gradient


class TestSharply:
    """What is a little outside of a hull is outside, however many hulls are looked at."""

    @pytest.mark.parametrize("slope", [1.001, 1.0001, -1.00001])
    def test_a_slope_that_is_a_little_too_large(self, slope):
        x = np.array([0.0, 1.0, -2.0, 0.0])
        assert not check(lambda x: np.abs(x).sum(), lambda g, x: g * np.where(x == 0, slope, np.sign(x)), x)

    def test_shares_that_add_up_to_a_little_too_much(self):
        assert not check(np.max, lambda g, x: g * np.array([0.5, 0.5001, 0.0]), np.array([2.0, 2.0, 1.0]))

    @pytest.mark.parametrize("slope", [0.9991, 1.0, 1.0009])
    def test_slopes_that_differ_little(self, slope):
        def f(x):
            return x + 1e-3 * np.abs(x)

        assert check(f, lambda g, x: slope * g, 0.0)
        assert not check(f, lambda g, x: 1.0011 * g, 0.0)

    def test_slopes_that_differ_less_than_a_hull_can_tell(self):
        def f(x):
            return x + 1e-7 * np.abs(x)

        assert check(f, lambda g, x: g * (1 + 9e-8), 0.0)
        assert not check(f, lambda g, x: g * (1 + 3e-7), 0.0)

    @pytest.mark.parametrize("large", [1e4, 1e6])
    def test_kinks_of_small_terms_beside_large_ones(self, large):
        def f(x):
            return np.maximum(x[0], 0) + large * x[1]

        for slope, right in ((0.0, True), (0.5, True), (1.0, True), (1.5, False), (-0.5, False)):
            gradient = np.array([slope, large])
            assert bool(check(f, lambda g, x, gradient=gradient: g * gradient, np.array([0.0, 1.0]))) == right

    @pytest.mark.parametrize("beside", [1e-6, 1e-9, -1e-10])
    def test_beside_a_kink_there_is_one_slope(self, beside):
        x = np.array([beside, 1.0])
        assert check(np.abs, lambda g, x: g * np.sign(x), x)
        assert not check(np.abs, lambda g, x: np.where(np.abs(x) < 1e-5, 0.3, np.sign(x)) * g, x)

    def test_a_corner_that_is_round_from_close_by(self):
        def f(x):
            return np.sqrt(x**2 + 1e-16)

        x = np.array([5e-9, 1.0])
        assert check(f, lambda g, x: g * x / f(x), x)
        assert not check(f, lambda g, x: g * np.sign(x), x)


class TestConventions:
    """Conventions are the limits of gradients at places that are not hard to guess."""

    @pytest.mark.parametrize("n", [4, 10, 24])
    def test_permutations_of_equal_entries(self, n):
        for rule in (sort_gradient, at_ties(lambda g, x: g[::-1], sort_gradient)):
            report = check(np.sort, rule, np.ones(n))
            assert report, str(report)

    @pytest.mark.parametrize("n", [4, 8])
    def test_the_mean_of_all_permutations(self, n):
        report = check(np.sort, at_ties(lambda g, x: np.full(n, g.mean()), sort_gradient), np.ones(n))
        assert report, str(report)

    def test_the_first_of_each_of_many_groups(self):
        x = np.random.default_rng(19).integers(0, 4, 300) * 1.0
        report = check(
            lambda x: x.reshape(-1, 10).max(axis=1),
            lambda g, x: (np.eye(10)[x.reshape(-1, 10).argmax(axis=1)] * g[:, None]).ravel(),
            x,
        )
        assert report, str(report)

    def test_permutations_have_one_entry_in_each_column(self):
        assert not check(np.sort, at_ties(lambda g, x: g.sum() * np.eye(4)[0], sort_gradient), np.ones(4))

    @pytest.mark.parametrize("seed", range(3))
    def test_a_norm_at_zero_may_have_any_gradient_up_to_a_unit_vector(self, seed):
        for vector in (np.full(20, 20**-0.5), np.eye(20)[7], np.zeros(20)):
            unit = at_ties(lambda g, x, vector=vector: g * vector, lambda g, x: g * x / np.linalg.norm(x))
            assert check(np.linalg.norm, unit, np.zeros(20), seed=seed)
        longer = at_ties(lambda g, x: g * 1.01 * np.eye(20)[7], lambda g, x: g * x / np.linalg.norm(x))
        assert not check(np.linalg.norm, longer, np.zeros(20), seed=seed)

    def test_pooling_of_an_image_of_zeros_and_ones(self):
        image = (np.random.default_rng(0).random((1, 1, 7, 7)) < 0.3).astype(float)
        report = gradcheck(lambda x: tg.max_pool2d(x, 3, stride=1), image)
        assert report, str(report)

    @pytest.mark.parametrize("slope", [0.0, 1.0])
    def test_many_zeros(self, slope):
        rule = np.vectorize(lambda x: slope if x == 0 else float(x > 0))
        assert check(lambda x: np.maximum(x, 0), lambda g, x: g * rule(x), np.zeros(40))


class TestTogether:
    """Rows that are right one by one, and no Jacobian together."""

    @pytest.mark.parametrize("seed", range(4))
    def test_two_outputs_with_one_kink(self, seed):
        def both(x):
            return np.concatenate([np.abs(x), np.abs(x)])

        def rule(first, second):
            return lambda g, x: g[:1] * first + g[1:] * second

        assert check(both, rule(1.0, 1.0), np.zeros(1), seed=seed)
        assert check(both, rule(0.3, 0.3), np.zeros(1), seed=seed)
        assert not check(both, rule(1.0, -1.0), np.zeros(1), seed=seed)

    @pytest.mark.parametrize("seed", range(10))
    def test_both_halves_of_a_line(self, seed):
        def both(x):
            return np.maximum(x, 0), np.maximum(-x, 0)

        def rule(first, second):
            return lambda g, x: g[0] * first + g[1] * second

        for slopes, right in (((1.0, 0.0), True), ((0.0, -1.0), True), ((0.25, -0.75), True), ((1.0, -1.0), False)):
            assert bool(check(both, rule(*slopes), np.zeros(1), seed=seed)) == right

    @pytest.mark.parametrize("seed", range(4))
    def test_largest_and_smallest_are_not_the_same_entry(self, seed):
        def both(x):
            return np.array([x.max(), x.min()])

        for rule, right in (
            (np.eye(2), True),
            (np.eye(2)[::-1], True),
            (np.full((2, 2), 0.5), True),
            (np.eye(2)[[0, 0]], False),
        ):
            assert bool(check(both, lambda g, x, rule=rule: g @ rule, np.ones(2), seed=seed)) == right


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


def test_nearest_point_of_points_that_lie_close_together():
    nearest, weights = nearest_in_hull(np.array([[0.999], [1.001]]), np.array([1.0009]))
    assert nearest == pytest.approx([1.0009], abs=1e-12)
    assert weights == pytest.approx([0.05, 0.95])
