"""Convolutions of many shapes in one process: ``python -m benchmarks.shapes --against torch``.

Each shape is made ready (its data is drawn, and it is done twice forwards and once backwards), and then again, which
tells what the first time costs more; then it is done again and again, forwards with both gradients. Told are the sums
over all shapes, how the times compare, how much more memory the processes had at most, and how far the results of the
two libraries are apart.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from benchmarks.cpu import RESULTS, Worker, deviation, machine, table_row
from benchmarks.libraries import NAMES
from benchmarks.workloads import TINY, find


class Found(NamedTuple):
    """What a library needed for a shape, in seconds: to make it ready, again, and for a step."""

    first: float
    again: float
    step: float


def measure(worker: Worker, name: str, seconds: float) -> Found | None:
    """One shape by one library; None if it does not offer it, but ours has to."""
    first, again = (worker.ask(prepare=name) for _ in range(2))
    if "not offered" in again:
        if worker.library == "tensorgrad":
            raise SystemExit(f"{name} failed: {again['not offered']}")
        return None
    return Found(first["ready"], again["ready"], statistics.median(worker.ask(run=seconds)["times"]))


def table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """In Markdown, whole numbers."""
    cells = [[cell if isinstance(cell, str) else "" if cell is None else f"{cell:.0f}" for cell in row] for row in rows]
    return [table_row(row) for row in (titles, ["---", *["---:"] * (len(titles) - 1)], *cells)]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shapes", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--against", default="torch", choices=NAMES[1:], help="the other library")
    parser.add_argument("--shapes", type=int, default=100, help="how many")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for both of them")
    parser.add_argument("--seconds", type=float, default=0.02, help="to do a shape again and again")
    parser.add_argument("--save", action="store_true", help=f"write it to {RESULTS.name}/shapes.md")
    options = parser.parse_args(argv)
    names = ["tensorgrad", options.against]
    shapes = [find(f"scaling:shape:{number}") for number in range(options.shapes)]
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(name, options.threads)) for name in names]
        for worker in workers:
            for tiny in TINY:
                worker.ask(prepare=tiny)
        before = [worker.ask(resident="now")["bytes"] for worker in workers]
        all_found = [[measure(worker, shape.name, options.seconds) for worker in workers] for shape in shapes]
        shapes = [shape for shape, row in zip(shapes, all_found, strict=True) if None not in row]
        found = [[one for one in row if one is not None] for row in all_found if None not in row]
        if not found:
            raise SystemExit(f"{options.against} offers none of these shapes.")
        most = [worker.ask(resident="most")["bytes"] for worker in workers]
        differences = []
        for shape in shapes:
            for worker in workers:
                worker.ask(prepare=shape.name)
            differences.append(deviation(workers))
        versions = ", ".join(f"{worker.library} {worker.version}" for worker in workers)
    ratios = [ours.step / theirs.step for ours, theirs in found]
    slowest = max(range(len(shapes)), key=lambda number: ratios[number])
    more = [None if None in pair else (pair[1] - pair[0]) / 2**20 for pair in zip(before, most, strict=True)]

    def total(field: str) -> list[float]:
        return [1e3 * sum(getattr(row[n], field) for row in found) for n in range(len(names))]

    lines = [
        *machine(options.threads),
        "",
        f"{datetime.date.today()}; {versions}; {len(shapes)} shapes",
        "",
        *table(
            ["all shapes together", *names],
            [
                ["made ready for the first time, ms", *total("first")],
                ["made ready again, ms", *total("again")],
                ["a step of each, ms", *total("step")],
                ["more memory, MiB", *more],
            ],
        ),
        "",
        f"A step takes {statistics.median(ratios):.2f} times that of {names[1]} (median of the shapes), at worst "
        f"{ratios[slowest]:.2f} times: {shapes[slowest].title}.",
        "",
        f"The results differ by {max(differences):.0e} of the largest value at most.",
    ]
    print("\n".join(lines))
    if options.save:
        (RESULTS / "shapes.md").write_text("\n".join(["# Convolutions of many shapes", "", *lines, ""]))


if __name__ == "__main__":
    main()
