"""The gradient check: right ones pass, wrong ones do not, whatever stands beside them."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import assert_gradients, gradcheck


def wrong(factor):
    """The square, with a derivative that is wrong by a factor."""

    @tg.op
    def square(x):
        return x * x

    @square.vjp("x")
    def _(g, x):
        return 2 * factor * g * x

    return square


@pytest.mark.parametrize("factor", [1.5, 0.5, -1.0, 0.0, 1.001, 1 + 1e-5])
@pytest.mark.parametrize(
    "around",
    [
        lambda y: y,
        lambda y: y.sum() * 1e-6,
        lambda y: y.sum() * 1e6,
        lambda y: y.sum() + 100.0,
    ],
)
def test_a_wrong_factor_is_found(factor, around):
    report = gradcheck(lambda x: around(wrong(factor)(x)), [1.0, 2.0])
    assert not report
    assert f"{factor:.4g}"[:5] in f"ratio {report.analytic / report.numerical:.4g}"


def test_beside_a_much_larger_gradient():
    assert not gradcheck(lambda x, y: (wrong(1.5)(x) * 1e-4).sum() + (y**2).sum(), [1.0, 2.0], [30.0, 20.0])


def test_right_ones_pass():
    assert gradcheck(wrong(1.0), [1.0, 2.0], order=3)
    assert gradcheck(lambda x: tg.exp(x) * 1e8, [1.0, 2.0], order=2)
    assert gradcheck(lambda x: (x * 1e-8) ** 2, [1.0, 2.0], order=2)
    assert gradcheck(lambda x: x.sum() + 1e9, [1.0, 2.0])


def test_a_missing_second_derivative_is_found():
    @tg.op
    def cube(x):
        return x**3

    @cube.vjp("x")
    def _(g, x):
        return tg.Tensor(3 * x.data**2) * g if isinstance(x, tg.Tensor) else 3 * x**2 * g

    assert gradcheck(cube, [1.0, 2.0])
    report = gradcheck(cube, [1.0, 2.0], order=2)
    assert not report
    assert report.order == 2


def test_the_report_says_where():
    @tg.op
    def broken(x):
        return x * 2

    @broken.vjp("x")
    def _(g):
        g = np.array(2 * g)
        g[1, 0] += 0.25
        return g

    report = gradcheck(lambda y, x: broken(x), [1.0], np.ones((2, 2)))
    assert (report.input, report.index, report.order) == (1, (1, 0), 1)
    assert "DISAGREE; at worst, in input 1, entry [1, 0]" in str(report)
    with pytest.raises(AssertionError, match="DISAGREE"):
        assert_gradients(broken, np.ones((2, 2)))


def test_other_inputs_are_passed_on():
    assert_gradients(lambda x, i: x[i], [1.0, 2.0, 3.0], [0, 2])
    with pytest.raises(ValueError, match="nothing to check"):
        gradcheck(lambda i: i * 2, [1, 2])
    with pytest.raises(ValueError, match="order 1 and up"):
        gradcheck(lambda x: x, [1.0], order=0)


def test_a_function_without_a_gradient_has_a_zero_one():
    assert gradcheck(lambda x: tg.floor(x), [1.5, 2.5], order=2)
    assert not gradcheck(lambda x: tg.tensor(x.detach().numpy() * 2), [1.5])
