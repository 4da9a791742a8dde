"""How fast it is on the CPU, beside other libraries: ``python -m benchmarks.cpu --against torch``.

Each library works in a process of its own (:mod:`benchmarks.worker`), and they take turns, a moment each, so that what
disturbs one disturbs the other; the figures are medians. All use as many threads. The limit is the time that the
products of a step would take at the speed of ``numpy.matmul``, or its bytes at that of copying, whichever is longer;
the difference is that of the results, by the largest value. ``--busy 1`` keeps a core busy with something else.
``--save`` writes the table to ``benchmarks/results/``, and a picture of it to ``docs/images/``.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from benchmarks.libraries import NAMES
from benchmarks.workloads import WORKLOADS, Workload, find

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
MEMORY = ("lenet-64", "resnet20")
"""Whose peak memory is compared."""
IMPORT_TARGET = 0.1
BLAS = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS", "ATEN_CPU_CAPABILITY"}
"""Variables that make products slower than the machine is."""


class Worker:
    """A library at work in a process of its own."""

    def __init__(self, library: str, threads: int) -> None:
        count = str(threads)
        environment = os.environ | {
            "OMP_NUM_THREADS": count,
            "OPENBLAS_NUM_THREADS": count,
            "MKL_NUM_THREADS": count,
            "TENSORGRAD_NUM_THREADS": count,
        }
        self.library = library
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", library, count],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[1],
        )
        answer = self._answer()
        if "missing" in answer:
            raise SystemExit(f"{library} cannot be imported here ({answer['missing']}): install it.")
        self.version = answer["version"]

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, **order: Any) -> dict[str, Any]:
        """Gives an order and waits for its answer."""
        assert self.process.stdin is not None
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.library} ended with code {self.process.wait()}.")
        answer: dict[str, Any] = json.loads(line)
        return answer


def measure(workload: Workload, workers: Sequence[Worker], turns: int, seconds: float) -> list[list[float] | None]:
    """The times of each worker's steps; None for those that do not offer it."""
    ready = [("ready" in worker.ask(prepare=workload.name)) for worker in workers]
    times: list[list[float] | None] = [[] if offered else None for offered in ready]
    for turn in range(turns):
        for worker, found in zip(workers, times, strict=True):
            if found is not None:
                # What the one before has left running (threads that wait actively) ends first.
                time.sleep(0.02)
                run = worker.ask(run=seconds)["times"]
                # In its first turn a library may still be choosing how to do it.
                found[:] = [*(found if turn > 1 else []), *run]
    return times


class Limits(NamedTuple):
    """What the machine can do: floating-point operations, and bytes, in a second."""

    flops: float
    nbytes: float

    def seconds(self, workload: Workload) -> float | None:
        """The least time for a step: of its products at full speed, or of its bytes; None if that is unknown."""
        return max(workload.flops / self.flops, workload.nbytes / self.nbytes) or None


def find_limits(threads: int) -> Limits:
    """How fast NumPy multiplies 1024x1024 matrices in float32, and copies 256 MiB, read and written."""
    product, copy = find("scaling:product:1024"), find("scaling:copy:256")
    with Worker("tensorgrad", threads) as worker:
        best = [min(measure(workload, [worker], 2, 0.5)[0] or [math.nan]) for workload in (product, copy)]
    return Limits(product.flops / best[0], copy.nbytes / best[1])


def deviation(workers: Sequence[Worker]) -> float:
    """How far the results of two workers are apart: the largest difference, by the largest value of each array."""
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for number, worker in enumerate(workers):
            path = str(Path(folder, f"{number}.npz"))
            worker.ask(check=path)
            with np.load(path) as arrays:
                found.append([arrays[name] for name in arrays.files])
    for ours, theirs in zip(*found, strict=True):
        worst = max(worst, float(np.max(np.abs(ours - theirs)) / max(np.max(np.abs(theirs)), 1e-30)))
    return worst


def seconds_to_import(module: str, times: int = 7) -> float:
    """The time a new process takes to import something, less that of one that imports nothing."""
    # With the compiled files that a user has after the first time.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1], env=environment)
        return time.perf_counter() - start

    run(f"import {module}")
    return statistics.median(run(f"import {module}") for _ in range(times)) - statistics.median(
        run("pass") for _ in range(times)
    )


def machine(threads: int) -> Iterator[str]:
    """What it was measured on."""
    yield f"{_processor()}, {os.cpu_count()} cores; {threads} threads; load {os.getloadavg()[0]:.1f}"
    yield f"{platform.python_implementation()} {platform.python_version()}, NumPy {np.__version__}, {_blas()}"
    slow = sorted(BLAS & {*os.environ})
    if slow:
        yield f"WARNING: products may run below the machine's best: env -u {' -u '.join(slow)} unsets what makes them."


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _blas() -> str:
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "BLAS unknown (pip install threadpoolctl tells)"
    np.ones((2, 2)) @ np.ones((2, 2))
    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(f"{pool['internal_api']} {pool['version']} ({pool.get('architecture')})" for pool in blas)


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """So many cores have something else to do."""
    # They end when whoever began them has ended, however that was.
    spin = "import os; begun = os.getppid()\nwhile os.getppid() == begun: sum(range(10**5))"
    others = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(cores)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def table_row(cells: Sequence[str]) -> str:
    """A line of a table in Markdown."""
    return f"| {' | '.join(cells)} |"


class Row(NamedTuple):
    """What was found out about a piece of work: milliseconds, or MiB, of each library; None if it does not offer it."""

    title: str
    values: Sequence[float | None]
    target: float
    limit: str = ""
    difference: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours to that of the first of the others."""
        return self.relative(0)

    def relative(self, library: int) -> float | None:
        """That of a library to that of the first of the others."""
        ours, theirs = self.values[library], self.values[1] if len(self.values) > 1 else None
        return None if ours is None or not theirs else ours / theirs

    def __str__(self) -> str:
        shown = ["not offered" if value is None else f"{value:.3g}" for value in self.values]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return table_row([self.title, *shown, ratio, str(self.target), self.limit, self.difference])


def draw(path: Path, rows: Sequence[Row], names: Sequence[str]) -> None:
    """The picture of a table: how much of the time, or memory, of the first of the others each library needs."""
    # Here, because matplotlib need not be there.
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    rows = [row for row in rows if row.ratio is not None][::-1]
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "cpu", "font.size": 8}):
        figure = Figure((8, 1 + 0.22 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for number, row in enumerate(rows):
            axes.plot([row.target] * 2, [number - 0.3, number + 0.3], color="grey", linewidth=1)
        for library, name in enumerate(names):
            if library != 1:
                found = [(value, n) for n, row in enumerate(rows) if (value := row.relative(library)) is not None]
                style = {"color": f"C{library}", "marker": "o" if not library else "x", "linestyle": "none"}
                axes.plot(*zip(*found, strict=True), label=name, markersize=5, **style)
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(range(len(rows)), [row.title for row in rows])
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_xlabel(f"times {names[1]}'s; left of 1 is less, a grey mark is what we want to reach")
        axes.grid(axis="x", color="0.9")
        axes.legend(frameon=False)
        figure.savefig(path, facecolor="white", metadata={"Date": None})


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cpu", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--against", nargs="*", default=["torch"], choices=NAMES[1:], help="the other libraries")
    parser.add_argument("--only", nargs="*", metavar="NAME", help=f"of {', '.join(WORKLOADS)}, memory, import")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for all of them")
    parser.add_argument("--turns", type=int, default=7, help="of each library, the first not counted")
    parser.add_argument("--seconds", type=float, default=0.3, help="that a turn takes")
    parser.add_argument("--highest", action="store_true", help="without algorithms of larger rounding errors")
    parser.add_argument("--busy", type=int, default=0, metavar="CORES", help="keep so many busy with something else")
    parser.add_argument(
        "--save",
        nargs="?",
        const="cpu",
        metavar="NAME",
        help=f"write the table to {RESULTS.name}/NAME.md, and a picture",
    )
    options = parser.parse_args(argv)
    chosen = options.only or [*WORKLOADS, "memory", "import"]
    unknown = {*chosen} - {*WORKLOADS, "memory", "import"}
    if unknown:
        parser.error(f"there is no workload {', '.join(sorted(unknown))}: there are {', '.join(WORKLOADS)}.")

    if options.save and options.against and importlib.util.find_spec("matplotlib") is None:
        parser.error('the picture needs matplotlib: pip install -e ".[benchmarks]", or leave out --save for the table.')
    if options.highest:
        os.environ["BENCHMARKS_FLOAT32_PRECISION"] = "highest"
    lines: list[str] = []
    rows: list[Row] = []

    def say(line: str = "") -> None:
        print(line, flush=True)
        lines.append(line)

    def tell(row: Row) -> None:
        rows.append(row)
        say(str(row))

    names = ["tensorgrad", *options.against]
    for line in machine(options.threads):
        say(line)
    if options.busy:
        say(f"{options.busy} of the cores busy with something else")
    limits = find_limits(options.threads)
    say(f"numpy.matmul: {limits.flops / 1e9:.0f} GFLOP/s; copying: {limits.nbytes / 1e9:.1f} GB/s, read and written")
    say()
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(name, options.threads)) for name in names]
        stack.enter_context(busy(options.busy))
        say(f"{datetime.date.today()}; " + ", ".join(f"{worker.library} {worker.version}" for worker in workers))
        say()
        say(table_row(["work", *(f"{name}, ms" for name in names), "ratio", "target", "limit, ms", "difference"]))
        say(table_row(["---", *["---:"] * (len(names) + 4)]))
        for name in chosen:
            if name in WORKLOADS:
                tell(_measured(WORKLOADS[name], workers, limits, options.turns, options.seconds))
        if "memory" in chosen:
            for name in MEMORY:
                tell(_memory(WORKLOADS[name], names, options.threads))
        if "import" in chosen:
            tell(_import(names))
    if options.save:
        if len(names) > 1:
            draw(IMAGES / f"{options.save}.svg", rows, names)
        (RESULTS / f"{options.save}.md").write_text("\n".join(["# On the CPU", "", *lines, ""]))


def _measured(workload: Workload, workers: Sequence[Worker], limits: Limits, turns: int, seconds: float) -> Row:
    times = measure(workload, workers, turns, seconds)
    medians = [None if found is None else statistics.median(found) for found in times]
    apart = ""
    if len(workers) > 1 and None not in medians[:2] and not workload.trains:
        apart = f"{deviation(workers[:2]):.0e}"
    least = limits.seconds(workload)
    limit = "" if least is None else f"{1e3 * least:.2g}"
    return Row(workload.title, [None if m is None else 1e3 * m for m in medians], workload.target, limit, apart)


def _memory(workload: Workload, names: Sequence[str], threads: int) -> Row:
    megabytes: list[float | None] = []
    for name in names:
        with Worker(name, threads) as worker:
            most = worker.ask(memory=workload.name)["memory"]
            megabytes.append(None if most is None else most / 2**20)
    return Row(f"peak memory of a {workload.title}, MiB", megabytes, 1.0)


def _import(names: Sequence[str]) -> Row:
    bare = seconds_to_import("numpy")
    times: list[float | None] = [1e3 * seconds_to_import(name) for name in names]
    return Row(f"import (of NumPy alone: {1e3 * bare:.0f} ms)", times, IMPORT_TARGET)


if __name__ == "__main__":
    main()
