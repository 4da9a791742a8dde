"""The hard set: every planted error is found, and no right gradient is accused, however awkward.

All of it is looked at with ``--thorough``, else a part.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from benchmarks.gradient_cases import planted, right
from benchmarks.gradient_cases.case import Case
from benchmarks.gradient_cases.random_cases import random_cases
from tensorgrad.testing import GradientReport, gradcheck

MENDED = [case.mend() for case in planted.CASES if case.mended is not None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    whole = metafunc.config.getoption("thorough", default=False)
    sets = {
        "wrong": planted.CASES if whole else planted.CASES[::6],
        "awkward": right.CASES if whole else right.CASES[::4],
        "mended": MENDED if whole else MENDED[1::12],
    }
    for name, cases in sets.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, cases, ids=lambda case: case.name)


def _report(case: Case) -> GradientReport:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return gradcheck(case.pair(), *case.copies())


def test_planted_errors_are_found(wrong: Case) -> None:
    report = _report(wrong)
    assert not report, f"{wrong.about}\n{report}"


def test_right_gradients_are_not_accused(awkward: Case) -> None:
    report = _report(awkward)
    assert report, f"{awkward.about}\n{report}"


def test_errors_put_right_are_not_accused(mended: Case) -> None:
    report = _report(mended)
    assert report, f"{mended.about}\n{report}"


def test_random_functions() -> None:
    for good, bad in random_cases(seed=0, count=10):
        assert _report(good), f"{good.name}: {good.about}"
        assert not _report(bad), f"{bad.name}: {bad.about}"


def test_names_tell_the_cases_apart() -> None:
    for cases in (planted.CASES, right.CASES):
        names = [case.name for case in cases]
        assert len(set(names)) == len(names)
