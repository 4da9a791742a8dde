"""The tests of tests: what is broken on purpose is noticed, and what cannot be noticed is told."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import OpSpec, check_op, mutation
from tensorgrad.testing.mutation.explained import EXPLAINED
from tensorgrad.testing.mutation.mutants import KINDS, Trace, same
from tensorgrad.testing.mutation.pool import FORKS, each
from tensorgrad.testing.mutation.samples import difference, records_of, special
from tensorgrad.testing.mutation.scoring import Result, Score, library, mutants_of
from tensorgrad.testing.mutation.sites import sites_of
from tensorgrad.testing.mutation.source import text_mutants
from tensorgrad.testing.records import SPECS
from tensorgrad.testing.strategies import Sample

COMMAND = [sys.executable, "-m", "tensorgrad.testing.mutation"]
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}

needs_fork = pytest.mark.skipif(not FORKS, reason="processes cannot be copied here")


def record(name: str) -> OpSpec:
    return next(spec for spec in SPECS if spec.name == name and not spec.variant)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=ENVIRONMENT, check=False)


# -- the score ---------------------------------------------------------------------------------------------------------


def test_a_sample_of_the_library_is_noticed():
    result = run("--sample", "40", "--seed", "0", "--jobs", "2")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_check_that_always_says_yes_has_a_score_of_0():
    score = mutation.score(tg.multiply, record("multiply"), check=lambda spec: None, sample=12)
    assert not score
    assert score.killed == 0
    assert score.ratio == 0.0
    assert len(score.survivors) >= 10


def test_a_check_that_always_says_no_is_found_out():
    def no(spec: OpSpec) -> None:
        raise AssertionError("no")

    with pytest.raises(AssertionError, match="fail although nothing is broken: multiply: no"):
        mutation.score(tg.multiply, record("multiply"), check=no)


def test_tests_of_values_alone_notice_no_broken_rule():
    def forward(spec: OpSpec) -> None:
        check_op(spec, only="forward", examples=2)

    assert mutation.score(tg.sin, record("sin"), check=forward, sample=10).killed == 0


def test_a_score_is_the_same_each_time():
    scores = [mutation.score(tg.exp, record("exp"), sample=6, seed=3, jobs=2) for _ in range(2)]
    first, second = ({(r.mutant, r.verdict) for r in score.results} for score in scores)
    assert first == second
    assert {r.mutant for r in mutation.score(tg.exp, record("exp"), sample=6, seed=4).results} != {
        r.mutant for r in scores[0].results
    }


def test_the_rules_are_what_they_were_afterwards():
    rules = dict(tg.multiply.op.rules)
    mutation.score(tg.multiply, record("multiply"), sample=5)
    assert tg.multiply.op.rules == rules
    x = tg.tensor([2.0, 3.0], requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.tolist() == [4.0, 6.0]


# -- an op of one's own ------------------------------------------------------------------------------------------------


@tg.op
def cube(x):
    return x * x * x


@cube.vjp("x")
def _(g, x):
    return g * (3 * x * x)


class Cube(tg.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * (3 * x * x)


def cubes(function=cube) -> OpSpec:
    like = record("square")
    return OpSpec("cube", function, lambda x: x**3, shapes=like.shapes)


def test_an_op_of_ones_own():
    score = mutation.score(cube, cubes(), jobs=2)
    assert score, score
    assert score.killed > 30


def test_a_function_of_ones_own():
    score = mutation.score(Cube, cubes(Cube.apply), kinds=["sign", "factor", "zero", "constant", "cotangent"])
    assert score, score
    assert {result.rule for result in score.results} == {"test_mutation.Cube.backward"}
    assert any("3 * x" in result.mutant for result in score.results)


def test_a_test_that_is_weak_is_told_what_it_lets_pass():
    def sign_only(spec: OpSpec) -> None:
        x = tg.tensor([1.5, -2.0], dtype="float64", requires_grad=True)
        spec(x).sum().backward()
        assert (x.grad.numpy() > 0).all()

    score = mutation.score(cube, cubes(), check=sign_only, kinds=["sign", "factor"])
    assert "gradient of x: negated" not in {survivor.mutant for survivor in score.survivors}
    assert "gradient of x: doubled" in {survivor.mutant for survivor in score.survivors}
    assert "gradients differ by 1, relative to the largest" in str(score)


def test_what_has_no_rules_is_refused():
    with pytest.raises(TypeError, match="there is no vjp rule to break in 'argsort'"):
        mutation.score(tg.argsort, record("argsort"))


def test_a_kind_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match=r"no mutants of the kind \['signs'\]: there are sign, factor"):
        mutation.score(cube, cubes(), kinds=["signs"])


# -- the mutants -------------------------------------------------------------------------------------------------------


def test_every_rule_of_the_library_can_be_broken_in_eight_ways():
    sites = library()
    assert len(sites) >= 130
    for site in sites:
        kinds = {mutant.kind for mutant in mutants_of(site, [])}
        assert len(kinds) >= 8, (site.name, kinds)


def test_all_kinds_of_mutants_occur():
    sites = [site for name in ("matmul", "batch_norm", "sum", "clip") for site in library() if f".{name}(" in site.name]
    records = records_of(sites, SPECS)
    assert {mutant.kind for site in sites for mutant in mutants_of(site, records[site.name])} == {*KINDS}


def test_names_of_mutants_are_unique():
    for site in library():
        names = [mutant.name for mutant in mutants_of(site, [])]
        assert len(set(names)) == len(names), site.name


def test_what_is_explained_still_exists():
    rules = {site.name: site for site in library()}
    for rule in {rule for rule, _ in EXPLAINED}:
        site = rules[rule]
        names = {mutant.name for mutant in mutants_of(site, records_of([site], SPECS)[rule])}
        outdated = {mutant for other, mutant in EXPLAINED if other == rule} - names
        assert not outdated, f"explained.py explains mutants of {rule} that there are no more: {outdated}"


def _helper(g, power):
    if power > 3:
        return g - g
    return g**power


def test_mutants_of_a_wrapped_rule_are_of_the_rule_itself():
    """They were once made with the names of the wrapper's module, and all were noticed: by a NameError."""
    wrapped = [site for site in library() if hasattr(site.function, "__wrapped__")]
    assert len(wrapped) >= 4
    for site in wrapped:
        mutants = [*text_mutants(site)]
        assert mutants
        for mutant in mutants:
            assert mutant.build(Trace()).__globals__["__name__"] == inspect.unwrap(site.function).__module__


def test_mutants_of_the_text_keep_closures_and_defaults():
    (site,) = sites_of(_of_one_output())
    texts = {mutant.name: mutant for mutant in text_mutants(site)}
    assert "_helper(g, 1) * scale -> _helper(g, 1) / scale" in texts
    assert "in _helper: power > 3 -> power >= 3" in texts
    g = np.array([2.0, 5.0])
    assert site.function(g).tolist() == [20.0, 50.0]
    for name, wanted, changed in (
        ("_helper(g, 1) * scale -> _helper(g, 1) / scale", [0.2, 0.5], True),
        ("in _helper: power > 3 -> power < 3", [0.0, 0.0], True),
        ("in _helper: power > 3 -> power >= 3", [20.0, 50.0], False),
        ("in _helper: g - g -> g + g", [20.0, 50.0], False),
    ):
        trace = Trace()
        assert texts[name].build(trace)(g).tolist() == wanted
        assert trace.changed == changed
        assert trace.reached == ("g - g" not in name)
    assert _helper(g, 1).tolist() == g.tolist()


def _of_one_output():
    scale = 10.0

    @tg.op
    def scaled(x):
        return x * scale

    @scaled.vjp("x")
    def _(g):
        return _helper(g, 1) * scale

    return scaled


# -- tools -------------------------------------------------------------------------------------------------------------


def test_equal_values():
    assert same(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    assert not same(np.array([1.0]), np.array([1.0], "float32"))
    assert not same(np.array([1.0]), np.array([[1.0]]))
    assert same((1, None, "a"), (1, None, "a"))
    assert not same(1, True)
    assert same(tg.tensor([1.0]), tg.tensor([1.0]))


def test_differences():
    one, two = np.array([1.0, 2.0]), np.array([1.0, 2.5])
    assert difference([one], [one.copy()]) == 0.0
    assert difference([two], [one]) == 0.25
    assert difference([None], [np.zeros(2)]) == 0.0
    assert difference([None], [one]) == np.inf
    assert difference([np.array([np.inf, 1.0])], [np.array([np.inf, 1.0])]) == 0.0
    assert difference([np.array([np.nan, 1.0])], [one]) == np.inf
    assert difference(["an error"], ["an error"]) == 0.0
    assert difference(["an error"], [one]) == np.inf


def test_special_samples_have_ties_and_zeros():
    whole, few = special(Sample((np.array([0.4, 1.6, -2.9]), np.array([1, 2]))))
    assert whole.arrays[0].tolist() == [0.0, 2.0, -3.0]
    assert few.arrays[0].tolist() == [0.0, 1.0, -1.0]
    assert whole.arrays[1].dtype == np.int64


def test_a_table():
    score = Score(
        [Result("a.b(x)", "sign", "m", "killed", "", 0.0), Result("a.c(x)", "sign", "n", "survived", "why", 0.0)]
    )
    assert "| sign |     2 |       2 |      1 |          0 |         0 |        1 |" in str(score)
    assert "noticed: 1 of 2 (50.00%)" in str(score)
    assert "a.c(x): n: why" in str(score)
    assert not score


# -- processes ---------------------------------------------------------------------------------------------------------


@needs_fork
def test_what_does_not_come_to_an_end_is_ended():
    def work(task: int) -> int:
        while task == 1:
            time.sleep(0.01)
        return task

    found = dict(each([0, 1, 2], work, lambda seconds: "late", jobs=2, limit=0.5))
    assert found == {0: 0, 1: "late", 2: 2}


@needs_fork
def test_what_kills_its_process_is_told():
    def work(task: int) -> int:
        if task:
            os.kill(os.getpid(), signal.SIGKILL)
        return task

    assert dict(each([0, 1], work, lambda seconds: "late", jobs=1, limit=5.0)) == {0: 0, 1: "late"}


@needs_fork
def test_an_interrupt_shows_what_was_done_and_leaves_no_process():
    with subprocess.Popen(
        [*COMMAND, "--op", "multiply", "--verbose"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT | {"PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert first.startswith("killed")
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "| all" in rest
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_lists_mutants():
    result = run("--op", "multiply", "--list")
    assert result.returncode == 0, result.stderr
    assert "sign         elementwise.multiply(x1): gradient of x1: negated" in result.stdout
    assert result.stdout.splitlines()[-1].endswith("mutants of 2 rules")


def test_the_command_writes_a_report(tmp_path):
    path = tmp_path / "report.md"
    result = run("--op", "elementwise.negative", "--kinds", "sign", "zero", "--report", str(path))
    assert result.returncode == 0, result.stdout + result.stderr
    text = path.read_text()
    assert "| `elementwise.negative(x)` | 5 | 5 | 0 | 0 | 0 |" in text
    assert "(100.00%)" in text


def test_the_command_knows_what_is_nearly_right():
    result = run("--op", "mutliply")
    assert result.returncode == 2
    assert "no op with vjp rules is called 'mutliply': perhaps multiply" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--jobs", "0"], "number above 0"),
        (["--limit", "-1"], "number above 0"),
        (["--sample", "0"], "number above 0"),
        (["--report", "/no/such/folder/score.md"], "there is no folder"),
    ],
)
def test_the_command_refuses_nonsense(arguments, words):
    result = run("--op", "clip", *arguments)
    assert result.returncode == 2
    assert words in result.stderr


def test_a_record_that_never_runs_a_rule_has_no_score():
    with pytest.raises(ValueError, match="runs in the samples of other"):
        mutation.score(cube, OpSpec("other", lambda x: x * 2, lambda x: x * 2), kinds="sign")
    with pytest.raises(TypeError, match="takes an OpSpec"):
        mutation.score(cube, "cube")
