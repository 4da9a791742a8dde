"""Everything that is tested from the records of the ops, and the records themselves."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tensorgrad.testing import OpSpec, Sample
from tensorgrad.testing.opspec import parameters_of
from tensorgrad.testing.records import FUNCTIONS, SPECS, WITHOUT_RECORD
from tensorgrad.testing.trial import LAYOUTS, Trial
from tests.strict import count_transfers

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.op_spec(*SPECS, devices=("cpu", "strict", "cuda"))
def test_op(op_property: Callable[[], None]) -> None:
    op_property()


def test_every_public_op_has_a_record() -> None:
    recorded = {spec.name for spec in SPECS} | {*WITHOUT_RECORD}
    missing, unknown = {*FUNCTIONS} - recorded, recorded - {*FUNCTIONS}
    assert not missing, f"give these a record in tensorgrad/testing/records: {missing}"
    assert not unknown, f"these records are of no public op: {unknown}"


def test_no_two_records_have_one_name() -> None:
    names = [str(spec) for spec in SPECS]
    assert len(names) == len({*names})


@pytest.mark.parametrize("spec", [spec for spec in SPECS if not spec.creates], ids=str)
def test_samples_have_elements(spec: OpSpec) -> None:
    def full(sample: Sample) -> bool:
        return all(array.size > 1 for array in sample.arrays)

    hypothesis.find(spec.samples(), full, settings=settings(phases=[Phase.generate], max_examples=1000))


TAKES_ANYTHING = {"celu", "elu", "hardshrink", "leaky_relu", "softplus", "threshold"} | {"outer"}
"""Numbers of any size as options, arrays of any shapes."""


@pytest.mark.parametrize("name", sorted({*FUNCTIONS} - {*WITHOUT_RECORD} - TAKES_ANYTHING))
def test_whoever_takes_more_than_one_array_has_a_bad_call(name: str) -> None:
    # Besides one with an unknown option, which is tried for every op.
    specs = [spec for spec in SPECS if spec.name == name]
    assert len(parameters_of(FUNCTIONS[name])) == 1 or any(len(spec.bad_calls()) > 1 for spec in specs)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if not spec.host and spec.devices is None], ids=str)
def test_the_host_does_not_wait_for_the_device(spec: OpSpec) -> None:
    @settings(max_examples=max(1, settings.default.max_examples // 2))
    @given(spec.samples(), st.sampled_from(spec.dtypes), st.sampled_from(LAYOUTS))
    def check(sample: Sample, dtype: str, layout: str) -> None:
        gradients = spec.differentiable and dtype.startswith("float")
        trial = Trial(spec, replace(sample, dtype=dtype, layout=layout), "strict", gradients=gradients)
        with count_transfers() as forward:
            trial.run()
        cotangents: list[Any] = trial.cotangents_like()
        with count_transfers() as backward:
            trial.pull(cotangents)
        assert (forward.to_host, backward.to_host) == ({}, {})

    check()


def test_the_reference_is_what_the_records_say() -> None:
    script = runpy.run_path(str(SCRIPTS / "make_reference.py"))
    assert script["PAGE"].read_text() == script["reference"](), "run python scripts/make_reference.py"
