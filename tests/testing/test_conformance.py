"""The conformance kit: right engines pass, planted bugs are named, and what is not offered is no failure."""

from __future__ import annotations

import re
import types
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing.conformance import CHECKS, LEVELS, AdapterError, Functional, Tape, grade, load
from tensorgrad.testing.conformance.adapters import adapt
from tensorgrad.testing.conformance.card import grade_of
from tensorgrad.testing.conformance.causes import Evidence, guess
from tensorgrad.testing.conformance.cli import main
from tensorgrad.testing.conformance.reference import Reference, differences, truth
from tests.testing import small_engines

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "conformance"
ENGINES = str(Path(small_engines.__file__))
HEAVY = ("hundred_thousand", "million", "long_chain", "time_grows", "ten_thousand", "mixed_chain")
LIGHT = [name for name in CHECKS if not any(word in name for word in HEAVY)]


def failures(engine, levels=None, names=LIGHT):
    return {result.name: result for result in grade(engine, levels, names).failures}


# Right engines.


def test_a_small_engine_that_is_right_passes_all_that_it_offers():
    card = grade(small_engines.right, names=LIGHT)
    assert card, str(card)
    assert [card.counts(level)[0] for level in range(1, 9)] == [18, 14, 22, 5, 0, 0, 0, 14]


def test_tensorgrad_passes_everything():
    card = grade(load(str(EXAMPLES / "tensorgrad_engine.py")), names=[*LIGHT, "ten_thousand"])
    assert card, str(card)
    assert all(result.status == "passed" for result in card.results)


def test_the_truth_is_true():
    x, w = np.arange(1.0, 7.0).reshape(2, 3), np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
    assert np.allclose(differences(lambda t: float(np.sum(np.exp(t) * w)), [x])[0], np.exp(x) * w, rtol=1e-11)
    value, weights, (gradient,), uses = truth(
        lambda m, t: (lambda a, b: a * b)(*m.uses(t, 2)), [x], lambda shape: w if shape else np.ones(())
    )
    assert np.allclose(value, x * x)
    assert weights is w
    assert np.allclose(gradient, 2 * x * w)
    assert [np.allclose(part, x * w) for (part,) in uses] == [True, True]
    image = np.array(tg.random.randn(2, 2, 5, 4).numpy(), np.float64)
    kernel = np.array(tg.random.randn(4, 1, 2, 3).numpy(), np.float64)
    options = {"stride": 2, "padding": 1, "groups": 2}
    expected = tg.conv2d(image, kernel, **options).numpy()
    assert np.allclose(Reference().conv2d(image, kernel, **options), expected)
    assert np.allclose(Reference().max_pool2d(image, 3, 2, 1), tg.max_pool2d(image, 3, 2, 1).numpy())


def test_names_are_unique_and_each_check_says_what_it_asks():
    assert sum(len(level.checks) for level in LEVELS) == len(CHECKS)
    assert [level.number for level in LEVELS] == list(range(1, 9))
    assert all(len(level.checks) >= 12 for level in LEVELS)
    for check in CHECKS.values():
        assert check.what
        assert "\n" not in check.what


# Planted bugs.

PLANTED = [
    ("overwrites", "product_with_itself", "overwritten instead of added"),
    ("overwrites", "used_ten_times", "overwritten instead of added"),
    ("not_unbroadcast", "both_broadcast", "broadcasting not undone"),
    ("not_unbroadcast", "missing_leading_axes", "broadcasting not undone"),
    ("breadth_first", "diamond", "no topological order"),
    ("recursive", "chain_of_a_thousand", "recursion limit"),
    ("every_path", "doubling_sixty_times", "one walk for every path"),
    ("aliases", "gradients_are_not_one_array", "aliased"),
    ("aliases", "second_pass_leaves_other_gradients_alone", "aliased"),
    ("widens", "float32_with_python_numbers", "float64 creeps in"),
    ("searches_a_list", "time_grows_with_the_graph", "square of the graph"),
    ("keeps_graphs", "no_graph_is_kept_for_ever", "holds on to every graph"),
    ("cycles", "no_reference_cycles", "reference cycles"),
    ("shares", "array_changed_after_the_forward_pass", "shares the caller's array"),
]


@pytest.mark.parametrize(("name", "check", "cause"), PLANTED, ids=lambda value: str(value)[:30])
def test_a_planted_bug_is_named(name, check, cause):
    # What grows too fast is told from times, which a busy machine may blur once.
    tries = (grade(getattr(small_engines, name), names=[check]).failures for _ in range(3 if "time" in check else 1))
    failure = next(failures[0] for failures in tries if failures)
    assert failure.name == check
    assert cause in failure.cause


def test_planted_bugs_leave_other_checks_alone():
    assert not failures(small_engines.not_unbroadcast, levels=[1])
    assert not failures(small_engines.recursive, levels=[1, 2, 8])
    assert not failures(small_engines.every_path, levels=[1, 2, 8])
    assert set(failures(small_engines.aliases, levels=[1, 2, 8])) == {name for e, name, _ in PLANTED if e == "aliases"}


def test_a_failure_says_what_was_computed_got_expected_and_why():
    card = grade(small_engines.overwrites, names=["sum_with_itself"])
    assert str(card.failures[0]) == (
        "sum_with_itself: x + x: gradient of x at x = 3: got 1, expected 2. Likely cause: the gradient of a value used "
        "several times is overwritten instead of added (only use 1 of 2 counts)."
    )


A = np.array([[1.0, 2.0], [3.0, 5.0]])
B = np.array([[7.0, -1.0], [0.5, 2.0]])


@pytest.mark.parametrize(
    ("got", "cause"),
    [
        (None, "not connected"),
        (np.zeros((2, 2)), "gradient zero"),
        (-A, "the sign"),
        (2 * A, "a factor of 2 too much"),
        (A / 4, "a factor of 1/4 too much (as many as the input has entries)"),
        (A * 1.37, "a factor of 1.37 too much"),
        (A.T, "transposed"),
        (B, "swapped"),
        (A * np.nan, "not finite"),
        (A * np.array([[1, 0], [1, 0]]), "dropped for some entries"),
        (A + 1e-3, "lower precision"),
        (np.ones((2, 2)), "local derivative is left out"),
        (np.broadcast_to(A, (3, 2, 2)) / 3, "broadcasting not undone"),
        (A.ravel(), "the right numbers in another shape"),
        (np.ones((7,)), "has shape (7,)"),
    ],
)
def test_causes_are_guessed_from_the_numbers(got, cause):
    assert cause in guess(Evidence(got, A, 0, [A, B], (2, 2), 1e-7, inputs=[np.ones((2, 2)), B]))


# What is not offered is no failure.


class Bare:
    """It can multiply by numbers, and raises for what it has not got."""

    def __init__(self, data, parent=None, factor=1.0):
        self.data, self.parent, self.factor, self.grad = data, parent, factor, None

    def __mul__(self, other):
        return Bare(self.data * other, self, other)

    def exp(self):
        raise NotImplementedError("to come")

    def tanh(self):
        return self.data.no_such_thing()

    def relu(self):
        raise ValueError("broken")

    def backward(self, g=1.0):
        self.grad = g
        if self.parent is not None:
            self.parent.backward(g * self.factor)


def test_not_offered_is_told_from_broken():
    results = {result.name: result for result in grade(Tape(Bare, scalars=True), levels=[1, 2, 7]).results}
    assert results["sum_of_two"].finding == "refused: unsupported operand type(s) for +: 'Bare' and 'Bare'"
    assert results["exponential"].finding == "to come"
    assert results["logarithm"].finding == "no function log"
    assert results["sum_of_all"].finding == "the engine computes with single numbers"
    assert results["second_derivative_of_a_cube"].status == "not offered"
    assert {results[name].status for name in ("sum_of_two", "exponential", "logarithm", "sum_of_all")} == {
        "not offered"
    }
    assert results["hyperbolic_tangent"].status == results["relu_at_zero"].status == "failed"
    assert "raised ValueError: broken (test_conformance.py, line" in results["relu_at_zero"].finding


def test_a_result_that_left_the_graph_is_named():
    class Leaves(small_engines.Array):
        def exp(self):
            return np.exp(self.data)

    assert (
        failures(Tape(Leaves), names=["exponential"])["exponential"].finding
        == "the result is a bare float64, no tensor"
    )


# Adapters.


def test_a_module_a_class_and_a_tensor_class_are_adapters():
    module = types.ModuleType("mine")
    module.variable, module.exp = small_engines.Array, lambda x: x.exp()  # type: ignore[attr-defined]
    assert grade(module, names=["exponential"])
    assert grade(small_engines.Array, names=["exponential"])
    assert load(f"{ENGINES}:right").name == "small_engines"
    assert load(f"{ENGINES}:Array", scalars=True).scalars


def test_pytorch_like_tensors_need_no_adapter():
    class Flagged(small_engines.Array):
        def __init__(self, data, parents=(), requires_grad=False):
            super().__init__(data, parents)
            self.wanted = requires_grad

        def sum(self, dim=None, keepdim=False):
            shape = self.data.shape

            def spread(g):
                return np.broadcast_to(g if keepdim or dim is None else np.expand_dims(g, dim), shape)

            return self.make(self.data.sum(axis=dim, keepdims=keepdim), (self, spread))

    assert Tape(Flagged).variable(1.0).wanted
    assert not Tape(Flagged).constant(1.0).wanted
    card = grade(Flagged, names=["sum_along", "sum_that"])
    assert [result.status for result in card.results] == ["passed"] * 5, str(card)


def test_a_functional_engine_needs_one_method():
    class Differences(Functional):
        functions = np
        dtype = "float64"

        def gradient(self, f, arrays):
            return differences(lambda *xs: float(f(*xs)), arrays)

    card = grade(Differences(), levels=[1, 2])
    assert card, str(card)
    results = {result.name: result.status for result in grade(Differences(), names=["aliased", "one_array"]).results}
    assert results == {"one_array_along_two_axes": "passed", "gradients_are_not_one_array": "not offered"}


def test_names_that_an_engine_imported_are_not_its_functions(tmp_path):
    file = tmp_path / "imports_math.py"
    file.write_text("from math import exp\nclass Tensor:\n    def backward(self):\n        pass\n")
    assert load(f"{file}:Tensor").functions.__dict__.keys() == {"Tensor"}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("no_such_module:adapter", "There is no module 'no_such_module'"),
        ("no_such_file.py:adapter", "There is no file no_such_file.py"),
        (f"{ENGINES}:wrong_name", "has no 'wrong_name'. It has:"),
        (f"{ENGINES}:nothing", "is no adapter"),
    ],
)
def test_a_missing_adapter_is_told(where, words, capsys):
    with pytest.raises(AdapterError, match=words.replace("(", r"\(")):
        load(where)
    assert main([where]) == 2
    assert words in capsys.readouterr().err


def test_an_engine_that_cannot_be_imported_is_told(tmp_path, capsys):
    (tmp_path / "broken.py").write_text("1 / 0")
    assert main([str(tmp_path / "broken.py")]) == 2
    assert "cannot be imported: ZeroDivisionError" in capsys.readouterr().err
    with pytest.raises(AdapterError, match="3 is no adapter"):
        adapt(3)


def test_grades():
    assert grade_of(5, 0, 0) == "complete"
    assert grade_of(5, 0, 1) == "right in all it offers"
    assert grade_of(8, 2, 0) == "good, with gaps"
    assert grade_of(5, 5, 0) == "shaky"
    assert grade_of(1, 5, 0) == "not to be relied on"
    assert grade_of(0, 5, 0) == "nothing right"


# The examples.


def test_every_example_has_a_card():
    cards = {file.stem for file in (EXAMPLES / "cards").glob("*.md")}
    engines = {file.stem.removesuffix("_engine") for file in EXAMPLES.glob("*.py")}
    assert cards == engines
    assert len(engines) >= 8


def test_the_page_and_the_cards_count_the_checks_as_they_are():
    page = (ROOT / "docs" / "conformance.md").read_text()
    for level in LEVELS:
        assert f"| {level.number} {level.title} | {len(level.checks)} |" in page
    for card in (EXAMPLES / "cards").glob("*.md"):
        counts = re.search(r"(\d+) passed, (\d+) failed, (\d+) not offered", card.read_text()).groups()
        assert sum(map(int, counts)) == len(CHECKS)
        assert f"cards/{card.name}) |" in page
        assert f"| {' / '.join(counts)} |" in page


def test_the_toy_has_the_mistakes_that_it_says():
    found = failures(load(str(EXAMPLES / "toy.py") + ":Tensor"), levels=[1, 2, 3, 5])
    assert not [result for result in found.values() if result.level == 1]
    assert "broadcasting not undone" in found["both_broadcast"].cause
    assert "missing_leading_axes" not in found
    assert "whole gradient each" in found["largest_of_equals"].cause
    assert "repeated indices overwrite" in found["rows_picked_more_than_once"].cause
    assert "two matrices" in found["vector_times_vector"].cause
    assert "first pass" in found["backward_twice_on_one_graph"].cause
