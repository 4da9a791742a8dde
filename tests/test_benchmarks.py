"""The benchmarks run, and measure what they say. Nothing is timed here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import cpu, libraries, shapes, workloads
from benchmarks.libraries.base import Library, NotOffered

ROOT = Path(__file__).parents[1]
SMALL = ["mlp", "chain-16x16", "conv-1-32"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.cpu", *arguments, "--turns", "1", "--seconds", "0"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)


def test_a_table_of_ours_alone():
    outcome = run("--only", *SMALL, "--against")
    assert outcome.returncode == 0, outcome.stderr
    rows = re.findall(r"^\| .* \| ([\d.]+) \|  \| [\d.]+ \| [^|]* \|  \|$", outcome.stdout, flags=re.M)
    assert len(rows) == len(SMALL)
    assert f"{cpu.os.cpu_count()} threads" in outcome.stdout


def test_wrong_names():
    outcome = run("--only", "lenet-65", "--against")
    assert outcome.returncode == 2
    assert "there is no workload lenet-65: there are lenet-64" in outcome.stderr
    assert "invalid choice: 'pytorch'" in run("--against", "pytorch").stderr


@pytest.mark.parametrize("name", ["jax", "tinygrad"])
def test_a_library_that_is_missing(name):
    try:
        __import__(name)
    except ImportError:
        outcome = run("--only", "mlp", "--against", name)
        assert outcome.returncode == 1
        assert f"{name} cannot be imported here" in outcome.stderr
    else:
        pytest.skip(f"{name} is installed")


def test_what_a_library_does_not_have_is_told():
    class Bare(Library):
        pass

    with pytest.raises(NotOffered, match="Bare has no gradients"):
        workloads.WORKLOADS["conv-1x1"].build(Bare())
    with pytest.raises(NotOffered, match="Bare has no max_pool"):
        Bare().max_pool(np.ones((1, 1, 2, 2)), 2, 2)


@pytest.mark.parametrize("name", ["lenet-64", "mlp", "resnet20"])
def test_the_losses_fall(name):
    step = workloads.WORKLOADS[name].build(libraries.load("tensorgrad"))
    losses = [step().item() for _ in range(4)]
    assert losses[-1] < losses[0]


def test_as_many_operations_as_are_counted():
    # 2 for each product and sum, and three such convolutions: one forwards and two backwards.
    assert workloads.WORKLOADS["conv-1x1"].flops == 3 * 2 * 32 * 128 * 128 * 28 * 28
    # He et al. count 40.8 million multiplications for an image; the first convolution has no gradient of its input.
    assert pytest.approx(40.8e6, rel=0.01) == workloads.RESNET_FLOPS / 2 / 32 / 3
    assert cpu.Limits(2e9, 1e9).seconds(workloads.WORKLOADS["batch-norm"]) > 0


def test_every_workload_of_the_table_has_a_target():
    assert {workload.target for workload in workloads.WORKLOADS.values()} <= {0.5, 0.7, 0.8, 0.9, 1.0}
    assert all(workload.name == name for name, workload in workloads.WORKLOADS.items())


def test_a_picture_of_the_table(tmp_path):
    rows = [
        cpu.Row("one", [1.0, 2.0, 4.0], 0.7),
        cpu.Row("two", [3.0, 2.0, None], 1.0),
        cpu.Row("not there", [3.0, None, 1.0], 1.0),
    ]
    cpu.draw(tmp_path / "picture.svg", rows, ["tensorgrad", "torch", "jax"])
    text = (tmp_path / "picture.svg").read_text()
    for shown in ("one", "two", "tensorgrad", "jax", "times torch's"):
        assert f"{shown}" in text
    assert "not there" not in text
    assert [row.ratio for row in rows] == [0.5, 1.5, None]


def test_cores_are_busy_while_it_is_wanted(monkeypatch):
    begun: list[subprocess.Popen[bytes]] = []

    def popen(*arguments, **options):
        begun.append(start(*arguments, **options))
        return begun[-1]

    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)
    with cpu.busy(2):
        assert [process.poll() for process in begun] == [None, None]
    assert None not in [process.poll() for process in begun]


def test_busy_cores_are_told():
    assert "1 of the cores busy" in run("--only", "mlp", "--against", "--busy", "1").stdout


def test_shapes_that_are_drawn_fit_and_differ():
    drawn = [workloads.find(f"scaling:shape:{number}") for number in range(100)]
    assert len({workload.title for workload in drawn}) > 95
    assert [workloads.find("scaling:shape:7").title] * 2 == [drawn[7].title, workloads.find("scaling:shape:7").title]
    library = libraries.load("tensorgrad")
    for workload in sorted(drawn, key=lambda workload: workload.flops)[:3]:
        assert all(np.isfinite(library.to_numpy(array)).all() for array in workload.build(library)())


def test_a_table_of_shapes():
    rows = [["first", 1.4, None], ["second", 2.6, 3.0]]
    assert shapes.table(["what", "a", "b"], rows)[2:] == ["| first | 1 |  |", "| second | 3 | 3 |"]
