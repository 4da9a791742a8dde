"""What becomes of one mutant: the op's generated tests are run on it, and what they do not notice is looked into."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tensorgrad.testing.checking.gradcheck import gradcheck
from tensorgrad.testing.mutation.mutants import Mutant, Trace
from tensorgrad.testing.mutation.samples import difference, draw, gradients, lower, special
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.properties import PROPERTIES, check_op
from tensorgrad.testing.strategies import Sample

Check = Callable[[OpSpec], None]
"""The tests of a record: raises if they notice something."""

NO_RULES = ("forward", "numbers", "errors")
"""Properties of forwards alone."""
ROUNDING = 64
"""Gradients that differ by no more than so many units in the last place of the largest are the same."""
SAMPLES = 24
"""At how many samples of a record, besides special ones, the gradients of what no test notices are compared."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        verdict: ``"killed"``: a test failed. ``"equivalent"``: gradients are what they were, in first and second
            order, at many samples and special values, although the mutant changes values inside the rule.
            ``"idle"``: there was nothing to change. ``"survived"``: none of these.
        detail: which test failed and how, or what is known of a survivor.
        seconds: how long it took.
    """

    verdict: str
    detail: str
    seconds: float


def judge(mutant: Mutant, specs: Sequence[OpSpec], check: Check | None = None) -> Outcome:
    """Runs the tests of an op's records on a mutant; afterwards the rule is what it was.

    Args:
        mutant: what to try.
        specs: the records.
        check: the tests; None for those that are made from the records.
    """
    start = time.perf_counter()
    trace = Trace()
    with warnings.catch_warnings():
        # Broken rules divide by zero and the like: to warn of it is not to notice.
        warnings.simplefilter("ignore")
        function = mutant.build(trace)
        verdict = detail = ""
        stages = [_quick_tests, _other_tests, _slow_tests] if check is None else [partial(_given_tests, check)]
        for stage in stages:
            with mutant.site.replaced(function, mutant.more):
                noticed = _first_failure(stage(specs))
            if noticed is not None:
                verdict, detail = "killed", noticed
                break
            if not verdict or stage is _other_tests:
                # Further tests could not tell an equivalent mutant from the sound rule.
                verdict, detail = _compared(mutant, function, trace, specs)
            if verdict == "equivalent" or (verdict == "idle" and stage is _other_tests):
                break
    return Outcome(verdict, detail, time.perf_counter() - start)


# -- tests -------------------------------------------------------------------------------------------------------------

Test = tuple[OpSpec, Callable[[], None]]


def _given_tests(check: Check, specs: Sequence[OpSpec]) -> Iterator[Test]:
    for spec in specs:
        yield spec, partial(check, spec)


QUICK = ("kinks", "slopes", "together")
"""The properties that notice most in the least time."""


def _quick_tests(specs: Sequence[OpSpec]) -> Iterator[Test]:
    for examples in (4, None):
        for spec in specs:
            yield spec, partial(check_op, spec, only=QUICK, examples=examples, shrink=False)


def _other_tests(specs: Sequence[OpSpec]) -> Iterator[Test]:
    names = [name for name in PROPERTIES if name not in (*QUICK, "derivatives", *NO_RULES)]
    for spec in specs:
        yield spec, partial(check_op, spec, only=names, shrink=False)


def _slow_tests(specs: Sequence[OpSpec]) -> Iterator[Test]:
    for spec in specs:
        yield spec, partial(check_op, spec, only="derivatives", shrink=False)


def _first_failure(tests: Iterator[Test]) -> str | None:
    """How the first test that fails does; None if none does."""
    for spec, run in tests:
        try:
            run()
        except Exception as error:
            return f"{spec}: {_first_line(error)}"
    return None


def _first_line(error: BaseException) -> str:
    cause = error.__cause__ or error
    text = " ".join(str(cause).split())
    kind = "" if isinstance(cause, AssertionError) else f"{type(cause).__name__}: "
    return (kind + text)[:160]


# -- what no test noticed ----------------------------------------------------------------------------------------------


def _compared(
    mutant: Mutant, function: Callable[..., object], trace: Trace, specs: Sequence[OpSpec]
) -> tuple[str, str]:
    """The verdict on a mutant that no test has noticed so far, and what is known of it."""

    def apart(spec: OpSpec, sample: Sample) -> float:
        with mutant.site.replaced(function, mutant.more):
            found = gradients(spec, sample)
        return difference(found, gradients(spec, sample)) / float(ROUNDING * np.finfo(sample.dtype).eps)

    samples = [(spec, sample) for spec in specs for sample in draw(spec, SAMPLES)]
    usual = max((apart(spec, sample) for spec, sample in samples), default=0.0)
    reached = trace.reached
    rare = max((apart(spec, other) for spec, sample in samples[::2] for other in special(sample)), default=0.0)
    low = [(spec, lowered) for spec, sample in samples[1::4] for lowered in lower(spec, sample)]
    coarse = max((apart(spec, lowered) for spec, lowered in low), default=0.0)
    if usual > 1:
        usual *= ROUNDING * np.finfo("float64").eps
        how = f"by {usual:.2g}, relative to the largest" if usual < math.inf else "in shape, or one is an error or zero"
        return "survived", f"gradients differ {how}"
    if rare > 1:
        return "survived", "gradients differ at zeros, ties or whole numbers only"
    if coarse > 1:
        return "survived", "gradients differ in low precision only"
    if trace.changed and not (mutant.elsewhere and trace.spread):
        return "equivalent", "values differ in the rule, gradients do not"
    if trace.changed:
        return "survived", "no difference in the gradients of single calls in float64"
    if not mutant.everywhere:
        return "idle", "there was nothing to change"
    return "survived", "makes no difference at any value that was tried" if reached else "never reached"


def warm_up() -> None:
    """Lets a check fail, so that what it needs for that is loaded once and not by every copy of this process."""
    wrong = gradcheck((lambda x: x * x, lambda g, x: g * x), 1.5, order=1)
    assert not wrong


def sound(specs: Sequence[OpSpec], check: Check | None = None) -> str | None:
    """How the tests fail although nothing is broken, so that no verdict means anything; None if they pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if check is not None:
            return _first_failure(_given_tests(check, specs))
        return _first_failure(_quick_tests(specs)) or _first_failure(_other_tests(specs))
