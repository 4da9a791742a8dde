"""The gradient check: right ones pass, wrong ones do not, whatever stands beside them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import assert_gradients, gradcheck
from tensorgrad.testing.engines import pair
from tensorgrad.testing.strategies import arrays

X = np.random.default_rng(0).standard_normal((3, 4))
MANY = np.random.default_rng(1).standard_normal((100, 100))


def wrong(factor):
    """The square, with a derivative that is wrong by a factor."""

    @tg.op
    def square(x):
        return x * x

    @square.vjp("x")
    def _(g, x):
        return 2 * factor * g * x

    return square


class TestWrongOnes:
    @pytest.mark.parametrize("factor", [1.5, 0.5, -1.0, 0.0, 1.001, 1 + 1e-5, 1 - 1e-6])
    @pytest.mark.parametrize(
        "around",
        [
            lambda y: y,
            lambda y: y.sum() * 1e-6,
            lambda y: y.sum() * 1e6,
            lambda y: y.sum() + 100.0,
        ],
    )
    def test_a_factor_is_found(self, factor, around):
        report = gradcheck(lambda x: around(wrong(factor)(x)), [1.0, 2.0])
        assert not report
        assert report.ratio == pytest.approx(factor, rel=1e-6)

    def test_beside_a_much_larger_gradient(self):
        assert not gradcheck(lambda x, y: (wrong(1.5)(x) * 1e-4).sum() + (y**2).sum(), [1.0, 2.0], [30.0, 20.0])

    def test_a_missing_second_derivative(self):
        @tg.op
        def cube(x):
            return x**3

        @cube.vjp("x")
        def _(g, x):
            return tg.Tensor(3 * x.data**2) * g if isinstance(x, tg.Tensor) else 3 * x**2 * g

        assert gradcheck(cube, [1.0, 2.0])
        report = gradcheck(cube, [1.0, 2.0], order=2)
        assert not report
        assert (report.order, report.name, report.analytic) == (2, "input 0", 0.0)

    def test_a_wrong_third_derivative(self):
        @tg.op
        def quartic(x):
            return x**4

        @quartic.vjp("x")
        def _(g, x):
            return 4 * g * cubic(x)

        @tg.op
        def cubic(x):
            return x**3

        @cubic.vjp("x")
        def _(g, x):
            return 3 * g * squared(x)

        squared = wrong(2.0)
        assert gradcheck(quartic, [1.0, 2.0], order=2)
        report = gradcheck(quartic, [1.0, 2.0], order=3)
        assert (bool(report), report.order) == (False, 3)

    def test_a_function_without_a_graph(self):
        assert gradcheck(tg.floor, [1.5, 2.5], order=2)
        assert not gradcheck(lambda x: tg.tensor(x.detach().numpy() * 2), [1.5])

    def test_one_of_ten_thousand_entries(self):
        factor = np.ones((100, 100))
        factor[77, 12] += 1e-5
        report = gradcheck((np.sin, lambda g, x: g * np.cos(x) * factor), MANY)
        assert not report
        assert (report.name, report.index) == ("input 0", (77, 12))
        assert report.ratio == pytest.approx(1 + 1e-5, abs=1e-8)
        assert "of a Jacobian of 10000 x 10000" in report.compared

    def test_one_of_many_entries_of_a_sum(self):
        factor = np.ones((30, 30))
        factor[3, 28] = 0.0
        report = gradcheck((lambda x: (x**3).sum(), lambda g, x: 3 * g * x**2 * factor), MANY[:30, :30])
        assert (bool(report), report.index, report.analytic) == (False, (3, 28), 0.0)

    @pytest.mark.parametrize("seed", range(10))
    def test_in_one_of_several_outputs_of_other_scales(self, seed):
        def backward(g, x):
            return 1e10 * g[0] + 1.001e-10 * g[1] * np.cos(x)

        report = gradcheck((lambda x: (1e10 * x, 1e-10 * np.sin(x)), backward), X, seed=seed)
        assert not report
        assert report.output.startswith("output 1")

    def test_in_a_module(self):
        class Scaled(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(4, 2)
                self.scale = nn.Parameter([2.0])

            def forward(self, x):
                return self.linear(x) * wrong(0.5)(self.scale)

        report = gradcheck(Scaled(), X.astype("float32"))
        assert (bool(report), report.name, report.index) == (False, "parameter scale", (0,))

    def test_in_a_container(self):
        def f(batch):
            return (batch["x"] * wrong(2.0)(batch["more"][1])).sum()

        report = gradcheck(f, {"x": X, "more": [1.5, X]})
        assert (bool(report), report.name) == (False, "input 0['more'][1]")


class TestHiddenOnes:
    """Found by somebody who did not know the checker."""

    @pytest.mark.parametrize("factor", [1.001, 1.1])
    def test_in_a_large_smooth_function_there_are_no_kinks(self, factor):
        def backward(g, x):
            gradient = np.exp(x - x.max())
            gradient /= gradient.sum()
            gradient[62] *= factor
            return g * gradient

        for seed in range(3):
            x = np.random.default_rng(seed).normal(size=500)
            assert not gradcheck((lambda x: np.log(np.exp(x).sum()), backward), x, seed=seed)

    def test_near_the_end_of_a_domain_a_slope_is_finite(self):
        for factor in (-1, 2, 0):
            assert not gradcheck((np.sqrt, lambda g, x, k=factor: k * g / np.sqrt(x) / 2), np.array([1e-30]))
            rule = (np.arcsin, lambda g, x, k=factor: k * g / np.sqrt((1 - x) * (1 + x)))
            assert not gradcheck(rule, np.array([1 - 1e-12]))

    @pytest.mark.parametrize("factor", [0, 2, -1])
    def test_beside_another_scale(self, factor):
        weights, x = np.array([1e12, 1, 1e-12]), np.array([1e-12, 1, 1e12])
        assert gradcheck((lambda x: (x * weights).sum(), lambda g, x: g * weights), x)
        assert not gradcheck((lambda x: (x * weights).sum(), lambda g, x: g * weights * [1, 1, factor]), x)

    def test_in_single_precision_inside_the_rule(self):
        x = np.array([0.3, -1.2, 0.7, 2.1])
        assert not gradcheck((np.exp, lambda g, x: g * np.exp(x).astype("float32")), x)
        assert not gradcheck((lambda x: (x**3).sum(), lambda g, x: 3 * g * x.astype("float32") ** 2), x)

    def test_near_the_largest_numbers(self):
        assert not gradcheck((np.log, lambda g, x: 2 * g / x), np.array([1e-305]))


class TestCotangents:
    """A rule is linear in what comes from above, wherever that is."""

    @pytest.mark.parametrize(
        "bent",
        [
            lambda g: np.clip(g, -10, 10),
            lambda g: np.clip(g, -1000, 1000),
            lambda g: g / max(1.0, np.linalg.norm(g) / 100),
            lambda g: np.where(np.abs(g) < 1e-6, 0.0, g),
            lambda g: np.where(np.abs(g) > 0.1 * np.abs(g).max(initial=0.0), g, 0.0),
        ],
        ids=["clipped at 10", "clipped at 1000", "norm clipped", "small ones dropped", "relatively small ones dropped"],
    )
    def test_what_is_not(self, bent):
        x = np.linspace(-1.0, 1.0, 6)
        report = gradcheck((np.tanh, lambda g, x: bent(g) * (1 - np.tanh(x) ** 2)), x)
        assert not report
        assert report.status == "wrong" or "not linear in the gradient that comes from above" in report.faults[0]

    @pytest.mark.parametrize("size", [1e-150, 1e-30, 1e30, 1e150])
    def test_what_is_of_any_size(self, size):
        assert gradcheck((lambda x: size * np.sin(x), lambda g, x: g * size * np.cos(x)), np.linspace(-1.0, 1.0, 6))

    @pytest.mark.parametrize("seed", [7, 11, 19, 32])
    def test_what_cancels(self, seed):
        # p - 1 is a few hundred units in the last place: so are its products with any cotangent.
        assert gradcheck(lambda z: tg.cross_entropy(z, tg.tensor(np.array([0]))), np.array([[30.0, 0.0]]), seed=seed)

    def test_what_rounds(self):
        matrix = np.vander(np.linspace(0, 1, 8), 8)

        def solve(b):
            return np.linalg.solve(matrix, b)

        assert gradcheck((solve, lambda g, b: np.linalg.solve(matrix.T, g)), np.ones(8))


class TestPeriods:
    """No period of a function fits all steps."""

    @pytest.mark.parametrize("waves", [64, 256, 512, 1024, 4096])
    def test_waves_that_fit_into_simple_steps(self, waves):
        turn = 2 * np.pi * waves

        def f(x):
            return np.sin(x) + 1e-3 * np.sin(turn * x)

        x = np.array([0.3, 0.7])
        assert gradcheck((f, lambda g, x: g * (np.cos(x) + 1e-3 * turn * np.cos(turn * x))), x)
        assert not gradcheck((f, lambda g, x: g * np.cos(x)), x)

    def test_hours_of_a_late_day(self):
        def f(t):
            return np.sin(2 * np.pi * t / 24) + 0.01 * t

        t = np.array([49152.0])
        assert not gradcheck((f, lambda g, t: 0.01 * g), t)

    @pytest.mark.parametrize("fast", [1e3, 1e5, 1e7])
    def test_ripples_are_no_rounding(self, fast):
        def f(x):
            return x + np.sin(fast * x) / fast

        x = np.array([0.3, 0.71])
        assert gradcheck((f, lambda g, x: g * (1 + np.cos(fast * x))), x)
        assert not gradcheck((f, lambda g, x: g), x)


class TestCoarseOnes:
    """Functions that compute in single precision inside."""

    @pytest.mark.parametrize("seed", range(3))
    def test_slopes_that_the_rounding_hides_are_not_called_wrong(self, seed):
        x = np.random.default_rng(seed).normal(0, 4, 50)

        def f(x):
            return np.float64(np.tanh(x.astype(np.float32)).sum())

        report = gradcheck((f, lambda g, x: g * (1 - np.tanh(x) ** 2)), x, seed=seed)
        assert report, str(report)

    def test_a_gradient_of_zero_does_not_go_with_values_that_move(self):
        def f(x):
            return np.tanh(x.astype(np.float32)).astype(np.float64)

        x = np.array([0.3, 1.0, 2.0])
        assert gradcheck((f, lambda g, x: g * (1 - np.tanh(x) ** 2)), x)
        assert not gradcheck((f, lambda g, x: 0 * g), x)

    def test_a_gradient_of_zero_goes_with_values_in_steps(self):
        for f in (np.floor, lambda x: np.round(256 * x) / 256):
            assert gradcheck((f, lambda g, x: 0 * g), np.array([0.3, 1.1, 2.7]))


def test_a_tail_that_is_left_out_where_values_hardly_move():
    def f(x):
        return np.log(1 + np.exp(x))

    x = np.array([-3.0, -8.5, 3.0])
    assert gradcheck((f, lambda g, x: g / (1 + np.exp(-x))), x)
    assert not gradcheck((f, lambda g, x: g * np.where(x < -8, 0.0, 1 / (1 + np.exp(-x)))), x)


def test_close_to_the_end_of_a_domain_there_is_a_slope():
    assert gradcheck((np.arccos, lambda g, x: -g / np.sqrt((1 - x) * (1 + x))), 1 - 1e-14)
    assert not gradcheck((np.arccos, lambda g, x: g / np.sqrt((1 - x) * (1 + x))), 1 - 1e-14)


def test_beside_the_end_of_a_domain_there_is_a_slope():
    x = np.array([1 - 1e-12, 0.2])

    def f(x):
        return np.log(1 - x)

    assert gradcheck((f, lambda g, x: -g / (1 - x)), x)
    assert not gradcheck((f, lambda g, x: -2 * g / (1 - x)), x)


def test_sizes_that_nothing_is_smaller_than():
    x = np.array([1e-200, -1e-200, 5e-324, -1e-310])
    assert gradcheck((lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0)), x)


def test_second_derivatives_where_little_is_left_of_large_terms():
    logits = np.array([[30.0, 0.0, -30.0], [0.0, 25.0, 1.0]])
    report = gradcheck(lambda x: tg.cross_entropy(x, np.array([0, 1])), logits, order=2)
    assert report, str(report)


class TestRightOnes:
    def test_pass(self):
        assert gradcheck(wrong(1.0), [1.0, 2.0], order=3)
        assert gradcheck(lambda x: tg.exp(x) * 1e8, [1.0, 2.0], order=2)
        assert gradcheck(lambda x: (x * 1e-8) ** 2, [1.0, 2.0], order=2)
        assert gradcheck(lambda x: x.sum() + 1e9, [1.0, 2.0])

    @pytest.mark.parametrize("seed", range(30))
    def test_for_any_seed(self, seed):
        assert gradcheck(lambda x, w: tg.tanh(x @ w) ** 2, X, X.T, seed=seed)
        assert not gradcheck(lambda x: wrong(1 + 1e-5)(x).sum() + x**3, X, seed=seed)

    @pytest.mark.parametrize(
        ("forward", "slope", "x"),
        [
            (np.log, lambda x: 1 / x, [1e-12, 1e-3, 1.0, 1e12]),
            (lambda x: 1 / x, lambda x: -1 / x**2, [-1e-6, 3.0, 1e6]),
            (lambda x: np.sin(1e4 * x), lambda x: 1e4 * np.cos(1e4 * x), [0.1, 2.0]),
            (lambda x: np.exp(-(x**2) / 1e-4), lambda x: -2e4 * x * np.exp(-(x**2) / 1e-4), [0.01, -0.02, 3.0]),
            (lambda x: (1e8 + x**2) - 1e8, lambda x: 2 * x, [1.0, 2.0]),
            (lambda x: 1 - np.cos(x), np.sin, [1e-6, 1e-3, 1.0]),
            (lambda x: x**30, lambda x: 30 * x**29, [0.1, 1.0, 10.0]),
            (lambda x: 1e200 * np.sin(x), lambda x: 1e200 * np.cos(x), [1.0, 2.0]),
            (lambda x: 1e-200 * np.sin(x), lambda x: 1e-200 * np.cos(x), [1.0, 2.0]),
            (np.sqrt, lambda x: 0.5 / np.sqrt(x), [1e-9, 1.0]),
            (lambda x: np.tanh(1e5 * x), lambda x: 1e5 / np.cosh(np.minimum(1e5 * abs(x), 300)) ** 2, [0.0, 1e-6, 1.0]),
            (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, [-30.0, 0.0, 36.0]),
        ],
    )
    def test_though_badly_scaled_or_cancelled(self, forward, slope, x):
        for seed in range(3):
            report = gradcheck((forward, lambda g, x: g * slope(x)), np.array(x), seed=seed)
            assert report, str(report)

    @pytest.mark.parametrize(
        "x",
        [
            [[1, 1.67, 2.35, -2.97], [-2.3, -1.62, -0.95, 0.32]],
            [[-1.4, 0.23, -0.34, 2.59], [-2.76, 1.39, 0.69, -2.83]],
            [[-0.56, 2.46, -2.74, 1.94], [-0.51, 1.98, -2.94, -0.81]],
            [[2.27, -2.48, 1.25, 1.73], [1.8, -1.07, 1.78, -1.65]],
        ],
    )
    def test_though_steps_of_rounding_have_a_slope_of_their_own(self, x):
        # Two numbers, standardised, are 1 and -1 but for eps: what is left of the slopes is a 1e-6th of its terms.
        def f(x):
            y = tg.group_norm(x, 2)
            return y * (1 + 0.5 * y)

        report = gradcheck(f, np.array(x), order=2)
        assert report, str(report)

    def test_of_many_entries(self):
        report = gradcheck(lambda x: tg.softmax(x, axis=1), MANY[:, :20])
        assert report
        assert "of a Jacobian of 2000 x 2000" in report.compared

    def test_of_modules_and_containers(self):
        net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
        report = gradcheck(net, X.astype("float32"), order=2)
        assert report
        assert "of a Jacobian of 35 x 41" in report.compared
        assert net[0].weight.dtype == "float32"
        assert_gradients(lambda pair, scale: (pair[0] * pair[1]["w"], scale["s"] ** 2), (X, {"w": X}), {"s": [1.0]})

    def test_with_dropout_and_other_inputs(self):
        assert_gradients(lambda x: tg.dropout(x, 0.5, training=True), X)
        assert_gradients(lambda x, i: x[i], [1.0, 2.0, 3.0], [0, 2])
        assert_gradients(lambda x, axis, keepdims: x.sum(axis=axis, keepdims=keepdims), X, 1, True)

    def test_of_nothing(self):
        assert gradcheck(lambda x: x * 2, np.zeros((0, 3)))
        assert gradcheck(lambda x, y: y * 2, np.zeros((0, 3)), [1.0])


class TestOracles:
    def test_central_differences(self):
        report = gradcheck(lambda x: tg.sin(x), [1.0, 2.0])
        assert (report.oracle, report.status) == ("central differences", "agrees")
        assert report.difference <= report.tolerance <= 1e-8

    def test_the_complex_step_where_differences_cancel(self):
        report = gradcheck((lambda x: np.sin(x) + 1e8, lambda g, x: g * np.cos(x)), np.array([1.0, 2.0]))
        assert report
        assert report.oracle == "complex step"
        assert report.tolerance < 1e-8

    def test_extended_precision(self):
        # No complex step, for the modulus is not analytic.
        report = gradcheck((lambda x: np.abs(np.sin(x)) + 1e8, lambda g, x: g * np.cos(x)), np.array([1.0, 2.0]))
        assert report
        assert report.oracle == "differences in extended precision"

    def test_one_side_at_the_edge_of_a_domain(self):
        report = gradcheck((lambda x: x**1.5, lambda g, x: g * 1.5 * np.sqrt(x)), np.array([0.0, 1.0]))
        assert report, str(report)
        with np.errstate(invalid="ignore"):
            edge = gradcheck((np.arcsin, lambda g, x: g / np.sqrt(1 - x**2)), np.array([0.5, 0.999999]))
        assert edge, str(edge)

    def test_an_infinite_slope(self):
        with np.errstate(all="ignore"):
            report = gradcheck(tg.sqrt, [0.0, 1.0])
            assert report
            assert any("slope is infinite" in note for note in report.notes)
            assert not gradcheck((np.sqrt, lambda g, x: g * 0.5 / np.sqrt(np.where(x == 1, 2, x))), [0.0, 1.0])

    def test_functions_in_float32(self):
        def forward(x):
            return np.sin(x.astype("float32"))

        report = gradcheck((forward, lambda g, x: g * np.cos(x)), X)
        assert report, str(report)
        assert report.tolerance < 1e-2
        assert any("float32" in note for note in report.notes)
        assert not gradcheck((forward, lambda g, x: 1.1 * g * np.cos(x)), X)

    def test_functions_that_refuse_float64(self):
        def only_float32(x):
            if x.dtype != "float32":
                raise TypeError("float32 only, please")
            return tg.exp(x)

        report = gradcheck(only_float32, tg.tensor([0.5, 1.0], dtype="float32"))
        assert report
        assert any("float32 only, please" in note for note in report.notes)

    def test_the_dot_product_identity(self):
        @tg.op
        def sine(x, *, xp):
            return xp.sin(x)

        @sine.vjp("x")
        def _(g, x, *, xp):
            return g * xp.cos(x) * (1.5 if isinstance(x, tg.Tensor) else 1.0)

        assert gradcheck(sine, [0.5, 1.0])
        report = gradcheck(sine, [0.5, 1.0], order=2)
        assert not report
        assert any("dot-product identity" in fault for fault in report.faults)


class TestStrategies:
    def test_the_smallest_failing_input_is_shown(self):
        def backward(g, x):
            return g * np.where(np.abs(x) > 3, 1.0, 2 * x)

        report = gradcheck((lambda x: x**2, backward), st.floats(-100, 100, width=16))
        assert not report
        assert float(report.inputs) == pytest.approx(4.0, abs=1.0)
        assert report.inputs in str(report)

    def test_of_arrays(self):
        def f(x):
            return tg.where(tg.tensor(x.numpy() > 1), x * x.detach(), x * x).sum()

        report = gradcheck(f, arrays((2,), (-4, 4)), max_examples=10)
        assert not report
        assert np.abs(eval(report.inputs, {"array": np.array})).max() == pytest.approx(2, abs=1)

    def test_right_ones_pass(self):
        report = gradcheck(lambda x, y: x * tg.exp(y), st.floats(-3, 3), [1.0, 2.0], max_examples=20)
        assert report
        assert "20 inputs drawn" in report.compared


class TestCalls:
    def test_nothing_to_check(self):
        with pytest.raises(ValueError, match="nothing to check"):
            gradcheck(lambda i: i * 2, [1, 2])
        with pytest.raises(ValueError, match="order 1 and up"):
            gradcheck(lambda x: x, [1.0], order=0)
        with pytest.raises(ValueError, match="no finite value"):
            gradcheck((lambda x: x * np.nan, lambda g, x: g), [1.0])

    def test_what_the_function_raises_is_raised(self):
        def refuses(x):
            raise RuntimeError("not today")

        with pytest.raises(RuntimeError, match="not today") as raised:
            gradcheck(refuses, [1.0])
        assert "calling the function" in raised.value.__notes__[0]

    @pytest.mark.parametrize(
        "options", [{"rtol": np.nan}, {"rtol": -1}, {"atol": np.inf}, {"order": "2"}, {"order": 0}]
    )
    def test_nonsense(self, options):
        with pytest.raises(ValueError, match=r"gradcheck\(\) "):
            gradcheck(tg.exp, [1.0], **options)

    def test_inputs_that_are_not_finite(self):
        with pytest.raises(ValueError, match=r"input 0 is nan in entry \[1\]: give finite numbers"):
            gradcheck(tg.exp, [1.0, np.nan])

    def test_assertions_know_that_pairs_have_one_order(self):
        assert_gradients((np.tanh, lambda g, x: g * (1 - np.tanh(x) ** 2)), np.array([0.5, 1.0]))

    def test_a_pair_has_one_order(self):
        square = pair(np.square, lambda g, x: 2 * g * x)
        assert gradcheck(square, [1.0, 2.0])
        with pytest.raises(ValueError, match="order 1 only"):
            gradcheck(square, [1.0, 2.0], order=2)

    def test_assert_gradients_raises_the_report(self):
        with pytest.raises(AssertionError, match="DISAGREE") as raised:
            assert_gradients(wrong(2.0), [1.0, 2.0])
        assert str(raised.value) == str(gradcheck(wrong(2.0), [1.0, 2.0], order=2))

    def test_tolerances_are_let_pass(self):
        assert not gradcheck(wrong(1.001), [1.0, 2.0])
        assert gradcheck(wrong(1.001), [1.0, 2.0], rtol=1e-2)
        assert gradcheck(wrong(1.001), [1.0, 2.0], atol=1e-2)

    def test_nothing_given_is_changed(self):
        x, state = X.copy(), np.random.get_state()[1].copy()
        weight = tg.tensor(X, requires_grad=True)
        assert gradcheck(lambda x, w: (x * w).sum(), x, weight, order=2)
        np.testing.assert_array_equal(x, X)
        np.testing.assert_array_equal(np.random.get_state()[1], state)
        assert weight.grad is None
