"""What the report says, and how it reads."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.testing import GradientReport, engines, gradcheck
from tensorgrad.testing.checking.oracles import SAFETY
from tensorgrad.testing.checking.report import WIDTH, call
from tensorgrad.testing.strategies import arrays

X = np.arange(1.0, 7.0).reshape(2, 3)

WRONG = GradientReport(
    ok=False,
    order=1,
    input=0,
    name="input 0",
    index=(1, 2),
    output="output 0[3]",
    analytic=1.5,
    numerical=2.0,
    tolerance=2e-8,
    oracle="central differences",
    status="wrong",
    error=3e-12,
    cause="the gradient of input 0 is wrong by a constant factor of 3/4 = 0.75.",
    faults=("the function changed input 0 in place. " + 12 * "Words of a fault. ",),
    notes=("computed in float32",),
    compared="all 4 x 6 entries of the Jacobian",
    again="gradcheck(f, [1.0, 2.0], seed=7)",
    seed=7,
)


def test_a_wrong_one():
    text = str(dataclasses.replace(WRONG, faults=()))
    assert text == (
        "derivatives of order 1 DISAGREE (all 4 x 6 entries of the Jacobian)\n"
        "  worst: output 0[3] with respect to input 0, entry [1, 2]\n"
        "    backpropagation      1.5\n"
        "    central differences  2  (known to 1e-11)\n"
        "    ratio 0.75, difference 0.5, tolerance 2e-08\n"
        "  cause: the gradient of input 0 is wrong by a constant factor of 3/4 = 0.75.\n"
        "  note: computed in float32\n"
        "  again: gradcheck(f, [1.0, 2.0], seed=7)"
    )
    assert not WRONG
    assert (WRONG.difference, WRONG.ratio) == (0.5, 0.75)
    assert math.isnan(dataclasses.replace(WRONG, numerical=0.0).ratio)


def test_lines_are_wrapped_and_begin_with_the_verdict():
    lines = str(WRONG).splitlines()
    assert lines[0].startswith("derivatives of order 1 DISAGREE")
    assert lines[1].startswith("  fault: the function changed input 0 in place.")
    assert max(map(len, lines)) <= WIDTH
    assert all(line.startswith("  ") for line in lines[1:])


def test_a_right_one():
    report = gradcheck(lambda x: tg.sin(x), [1.0, 2.0], order=2)
    lines = str(report).splitlines()
    assert lines[0] == "derivatives of order 2 agree (all 2 x 4 entries of the Jacobian)"
    assert lines[1].startswith("  least exact: gradient of input 0[")
    assert "DISAGREE" not in str(report)
    assert "again" not in str(report)


def test_faults_alone_are_enough():
    def forward(x):
        x *= 2
        return x

    report = gradcheck((forward, lambda g, x: 2 * g), X.copy())
    assert not report
    assert str(report).startswith("derivatives of order 1 are NOT RIGHT, though the numbers agree")


def test_kinks_are_said_to_be_kinks():
    report = gradcheck(tg.relu, [0.0, 1.0, -1.0])
    assert report.status == "kink"
    assert "at a kink: output 0[0] with respect to input 0, entry [0]" in str(report)
    assert "note: 1 entry at a kink" in str(report)
    assert "tolerance" not in str(report)


@pytest.mark.parametrize("factor", [1.0, 1.001])
@pytest.mark.parametrize("x", [1e-3, 0.7, 40.0])
def test_the_report_says_how_well_the_oracle_knows_and_the_tolerance_follows(x, factor):
    report = gradcheck((np.sin, lambda g, x: factor * g * np.cos(x)), np.array([x]))
    assert bool(report) == (factor == 1.0)
    assert abs(report.numerical - np.cos(x)) <= SAFETY * report.error <= 1e-9
    assert report.tolerance == pytest.approx(1e-8 * abs(np.cos(x)) + SAFETY * report.error, rel=1e-2)
    assert "(known to 1e-" in str(report)


def test_the_report_says_where():
    @tg.op
    def broken(x):
        return x * 2

    @broken.vjp("x")
    def _(g):
        g = np.array(2 * g)
        g[1, 0] += 0.25 * g[1, 0]
        return g

    report = gradcheck(lambda y, x: broken(x), [1.0], np.ones((2, 2)))
    assert (report.input, report.name, report.index, report.order) == (1, "input 1", (1, 0), 1)
    assert (report.analytic, report.status) == (2.5, "wrong")
    assert report.numerical == pytest.approx(2.0)
    assert report.ratio == pytest.approx(1.25)
    assert "worst: output 0[1, 0] with respect to input 1, entry [1, 0]" in str(report)


def test_parts_of_complex_entries():
    z = np.array([1 + 2j, 3 - 1j])
    report = gradcheck((lambda z: (np.abs(z) ** 2).sum(), lambda g, z: 2 * g * z.real + 1j * g * z.imag), z)
    assert report.name == "imaginary part of input 0"
    assert "with respect to imaginary part of input 0, entry [" in str(report)


def test_equal_reports_are_equal_whatever_the_seed():
    assert gradcheck(tg.square, [1.0]) == gradcheck(tg.square, [1.0])
    assert dataclasses.replace(WRONG, seed=8) == WRONG


class TestCalls:
    @pytest.mark.parametrize(
        ("f", "inputs", "options", "text"),
        [
            (np.exp, [[1.0, 2.0]], {}, "gradcheck(exp, [1.0, 2.0])"),
            (np.exp, [np.float64(1) * X], {"seed": 3}, "gradcheck(exp, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], seed=3)"),
            (lambda x: x, [1.5, None, "max", True], {"order": 2}, "gradcheck(f, 1.5, None, 'max', True, order=2)"),
            ((np.sin, np.cos), [np.array(0.1)], {}, "gradcheck((sin, cos), 0.1)"),
            (engines.pair(np.sin, np.cos, takes="cache"), [], {}, "gradcheck(pair(sin, cos, takes='cache'))"),
            (np.take, [np.ones(2), np.array([0, 1])], {}, "gradcheck(take, [1.0, 1.0], np.array([0, 1]))"),
            (np.exp, [1.0, np.ones(1000)], {}, ""),
            (np.exp, [{"a": X}], {}, ""),
            (np.exp, [np.zeros((0, 2))], {}, ""),
            (np.exp, [1 + 2j], {"rtol": 1e-6}, "gradcheck(exp, (1+2j), rtol=1e-06)"),
        ],
    )
    def test_can_be_pasted(self, f, inputs, options, text):
        assert call(f, inputs, options) == text

    def test_values_are_exact(self):
        x = np.random.default_rng(0).standard_normal(5)
        text = call(np.exp, [x], {})
        np.testing.assert_array_equal(eval(text.removeprefix("gradcheck(exp, ").removesuffix(")")), x)


def test_a_verdict_for_want_of_evidence_says_so():
    lonely = gradcheck((lambda x: np.where(x == 1.0, 2.0, np.nan), lambda g, x: 5 * g), 1.0)
    assert lonely
    assert not lonely.verified
    assert str(lonely).startswith("derivatives of order 1 CANNOT BE TOLD here, none of them: give other inputs")
    assert "note: 1 entry where no oracle is exact enough to tell" in str(lonely)
    in_part = gradcheck((lambda x: np.where((x == 1.0) | (x > 2), x, np.nan), lambda g, x: g), np.array([1.0, 3.0]))
    assert in_part
    assert in_part.verified


@pytest.mark.parametrize("power", [1.5, 2.0, 2.5])
def test_a_slope_of_zero_is_told_beside_those_close_by(power):
    report = gradcheck((lambda x: np.abs(x) ** power, lambda g, x: g * power * np.abs(x) ** (power - 1)), 0.0)
    assert report
    assert report.status == "agrees"


class TestAgain:
    """A failing report has the call that fails in the same way."""

    def test_of_inputs_that_nobody_wrote_down(self):
        x = np.random.default_rng().standard_normal(3)
        report = gradcheck((np.sin, lambda g, x: g), x, rtol=1e-6, seed=3)
        assert report.again == f"gradcheck((sin, f), {x.tolist()}, rtol=1e-06, seed=3)"
        assert str(report).endswith(f"again: {report.again}")
        assert eval(report.again, {"gradcheck": gradcheck, "sin": np.sin, "f": lambda g, x: g}) == report

    def test_of_what_was_drawn(self):
        report = gradcheck((np.abs, lambda g, x: g), arrays(shape=st.just((1,)), domain=(-2, 2)))
        assert "again: gradcheck((absolute, f), [" in str(report)
        assert not eval(report.again, {"gradcheck": gradcheck, "absolute": np.abs, "f": lambda g, x: g})

    def test_of_many_numbers_it_is_not_shown(self):
        report = gradcheck((np.sin, lambda g, x: g), np.linspace(0.1, 1.0, 60))
        assert report.again
        assert "again" not in str(report)

    def test_of_what_is_right(self):
        assert not gradcheck(tg.sin, [1.0]).again
