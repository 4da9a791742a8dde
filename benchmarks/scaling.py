"""How time and memory grow with size: ``python -m benchmarks.scaling --against torch``.

For each curve a piece of work is done in many sizes, by tensorgrad and by another library, taking turns, each in a new
process for each size: what one size has left behind would count as memory of the next. The peak is what the process had
at most beyond what it had after a few tiny steps, for which a library loads its code. An exponent is the slope of the
logarithm of time or memory against that of the size, over the upper half of the sizes. Where none is above that of the
work, nothing grows faster than it must.

The limit of the machine is the time that a step's products would take at the speed of ``numpy.matmul``, or its bytes at
that of copying, whichever is longer. Fewer products (Winograd's algorithm), or bytes in the cache, may take less.

``--save`` writes the tables to ``benchmarks/results/``, and a picture of each curve to ``docs/images/``.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import math
import os
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.cpu import IMAGES, RESULTS, Limits, Worker, find_limits, machine, measure, table_row
from benchmarks.libraries import NAMES
from benchmarks.workloads import TINY, find

LIMIT = "the machine's limit"


class Curve(NamedTuple):
    """A piece of work in many sizes.

    Attributes:
        name: what the command line, the picture, and :data:`benchmarks.workloads.SIZED` call it.
        title: what is done.
        axis: what the size is.
        sizes: from small to large.
        once: from this size on a step takes so long that one turn has to do.
    """

    name: str
    title: str
    axis: str
    sizes: Sequence[int]
    once: float = math.inf


class Point(NamedTuple):
    """What was found at a size: seconds and bytes of each library, None where it is not offered, and the limit."""

    size: int
    seconds: Sequence[float | None]
    nbytes: Sequence[float | None]
    limit: float | None


def _doubled(first: int, last: int) -> list[int]:
    return [first * 2**n for n in range((last // first).bit_length())]


CURVES = {
    curve.name: curve
    for curve in [
        Curve("batch", "LeNet training step", "images in the batch", _doubled(1, 512)),
        Curve(
            "channels", "3x3 convolution of 8xCx28x28 to C channels, and both gradients", "channels C", _doubled(8, 256)
        ),
        Curve("image", "3x3 convolution of 4x32xSxS, and both gradients", "height and width S", _doubled(14, 224)),
        Curve(
            "graph",
            "Chain of multiplications of a 0-d number, forwards and backwards",
            "multiplications",
            [10**n for n in range(2, 7)],
            once=100_000,
        ),
        Curve(
            "parameters",
            "Training step with momentum of a linear layer D to D, batch 32",
            "features D",
            _doubled(64, 2048),
        ),
    ]
}

# -- measuring -----------------------------------------------------------------------------------------------------


def find_point(
    curve: Curve, size: int, libraries: Sequence[str], threads: int, turns: int, seconds: float, limits: Limits
) -> Point:
    """One size of a curve, by libraries that take turns."""
    workload = find(f"scaling:{curve.name}:{size}")
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(library, threads)) for library in libraries]
        for worker in workers:
            for name in TINY:
                worker.ask(prepare=name)
        before = [worker.ask(resident="now")["bytes"] for worker in workers]
        times = measure(workload, workers, 1 if size >= curve.once else turns, seconds)
        most = [worker.ask(resident="most")["bytes"] for worker in workers]
    medians = [None if found is None else statistics.median(found) for found in times]
    # No less than a page, which has a logarithm.
    peaks = [
        None if None in (median, start, end) else max(end - start, 4096)
        for median, start, end in zip(medians, before, most, strict=True)
    ]
    return Point(size, medians, peaks, limits.seconds(workload))


def exponent(sizes: Sequence[float], values: Sequence[float | None]) -> float | None:
    """The slope of the logarithm of the values over the upper half of the sizes; None where that cannot be told."""
    half = len(sizes) // 2
    pairs = [(size, value) for size, value in zip(sizes[half:], values[half:], strict=True) if value is not None]
    if len(pairs) < 2:
        return None
    x, y = np.log(pairs).T
    slope, _ = np.polyfit(x, y, 1)
    return float(slope)


class Line(NamedTuple):
    """What is drawn as one line: the limit, or what a library needs."""

    label: str
    sizes: Sequence[int]
    values: Sequence[float | None]

    @property
    def exponent(self) -> float | None:
        """How it grows."""
        return exponent(self.sizes, self.values)


def time_lines(points: Sequence[Point], names: Sequence[str]) -> list[Line]:
    """In milliseconds: each library, then the limit if there is one."""
    sizes = [point.size for point in points]
    lines = [Line(name, sizes, _scaled((p.seconds[n] for p in points), 1e3)) for n, name in enumerate(names)]
    limit = Line(LIMIT, sizes, _scaled((point.limit for point in points), 1e3))
    return lines if None in limit.values else [*lines, limit]


def memory_lines(points: Sequence[Point], names: Sequence[str]) -> list[Line]:
    """In MiB: each library."""
    sizes = [point.size for point in points]
    return [Line(name, sizes, _scaled((p.nbytes[n] for p in points), 2**-20)) for n, name in enumerate(names)]


def _scaled(values: Any, factor: float) -> list[float | None]:
    return [None if value is None else factor * value for value in values]


# -- telling -------------------------------------------------------------------------------------------------------


def draw(path: Path, curve: Curve, points: Sequence[Point], names: Sequence[str]) -> None:
    """The picture of a curve: time on the left, memory on the right."""
    # Here, because matplotlib need not be there.
    import matplotlib
    from matplotlib.figure import Figure

    # Letters as letters make a small file; the same figures make the same one.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": curve.name, "font.size": 8}):
        figure = Figure((8, 3.4), layout="constrained")
        figure.suptitle(curve.title)
        left, right = figure.subplots(1, 2)
        _draw_panel(left, curve, time_lines(points, names), "time of a step, ms")
        _draw_panel(right, curve, memory_lines(points, names), "peak memory, MiB")
        figure.savefig(path, facecolor="white", metadata={"Date": None})


def _draw_panel(axes: Any, curve: Curve, lines: Sequence[Line], label: str) -> None:
    from matplotlib.ticker import LogFormatter, NullLocator, StrMethodFormatter

    for number, line in enumerate(lines):
        known = [(x, y) for x, y in zip(line.sizes, line.values, strict=True) if y is not None]
        style: dict[str, Any] = {"color": f"C{number}", "marker": "os"[number % 2], "markersize": 4}
        if line.label == LIMIT:
            style = {"color": "grey", "linestyle": "--", "linewidth": 1}
        grows = "" if line.exponent is None else f", exponent {line.exponent:.2f}"
        axes.plot([x for x, _ in known], [y for _, y in known], label=f"{line.label}{grows}", **style)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(lines[0].sizes, [f"{size:,}" for size in lines[0].sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(LogFormatter())
    axes.set_xlabel(curve.axis)
    axes.set_ylabel(label)
    axes.grid(color="0.9")
    axes.legend(frameon=False)


def table(curve: Curve, points: Sequence[Point], names: Sequence[str]) -> list[str]:
    """All sizes of a curve, in Markdown."""
    lines = [*time_lines(points, names), *memory_lines(points, names)]
    units = ["ms"] * (len(lines) - len(names)) + ["MiB"] * len(names)
    titles = [curve.axis, *(f"{line.label}, {unit}" for line, unit in zip(lines, units, strict=True))]
    rows = [[f"{point.size:,}", *(_shown(line.values[n]) for line in lines)] for n, point in enumerate(points)]
    return [table_row(titles), table_row(["---:"] * len(titles)), *map(table_row, rows)]


def summary(found: dict[str, Sequence[Point]], names: Sequence[str]) -> list[str]:
    """The exponents of all curves, in Markdown."""
    titles = ["exponent of", "work", *(f"{name}, {what}" for what in ("time", "memory") for name in names)]
    lines = [table_row(titles), table_row(["---"] + ["---:"] * (len(titles) - 1))]
    for name, points in found.items():
        times = time_lines(points, names)
        # Without a limit, the work is what the size counts.
        work = times[len(names)].exponent if len(times) > len(names) else 1.0
        measured = [line.exponent for line in (*times[: len(names)], *memory_lines(points, names))]
        lines.append(
            table_row([f"{name}: {CURVES[name].axis}", *(_shown(value, ".2f") for value in (work, *measured))])
        )
    return lines


def _shown(value: float | None, form: str = ".3g") -> str:
    return "" if value is None else f"{value:{form}}" if value < 1000 else f"{value:.0f}"


# -- the command line ----------------------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> None:
    options = _options(argv)
    names = ["tensorgrad", options.against]
    versions = ", ".join(_versions(names, options.threads))
    limits = find_limits(options.threads)
    heading = [
        *machine(options.threads),
        f"numpy.matmul: {limits.flops / 1e9:.0f} GFLOP/s; copying: {limits.nbytes / 1e9:.1f} GB/s, read and written",
        "",
        f"{datetime.date.today()}; {versions}",
        "",
    ]
    print("\n".join(heading))
    found: dict[str, Sequence[Point]] = {}
    tables: list[str] = []
    for name in options.only or CURVES:
        curve = CURVES[name]
        sizes = curve.sizes[: options.first]
        print(f"{curve.title}: {len(sizes)} sizes", flush=True)
        found[name] = [
            find_point(curve, size, names, options.threads, options.turns, options.seconds, limits) for size in sizes
        ]
        lines = table(curve, found[name], names)
        print("\n".join(["", *lines, ""]), flush=True)
        tables += [f"## {curve.title}", "", f"![{curve.title}](../../docs/images/{_picture(name)})", "", *lines, ""]
    exponents = summary(found, names)
    print("\n".join(exponents))
    if options.save:
        _save(names, found, [*heading, *exponents, "", _explained(), "", *tables])


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--against", default="torch", choices=NAMES[1:], help="the other library")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=CURVES, help=f"of {', '.join(CURVES)}")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for both of them")
    parser.add_argument("--first", type=int, metavar="N", help="only the N smallest sizes, to try it out")
    parser.add_argument("--turns", type=int, default=3, help="of each library at each size, the first not counted")
    parser.add_argument("--seconds", type=float, default=0.1, help="that a turn takes")
    parser.add_argument("--save", action="store_true", help="write scaling.md, and the pictures")
    options = parser.parse_args(argv)
    if options.save and importlib.util.find_spec("matplotlib") is None:
        parser.error('pictures need matplotlib: pip install -e ".[benchmarks]", or leave out --save for the tables.')
    return options


def _versions(names: Sequence[str], threads: int) -> list[str]:
    versions = []
    for name in names:
        with Worker(name, threads) as worker:
            versions.append(f"{name} {worker.version}")
    return versions


def _explained() -> str:
    """What was done, and what exponents and limits are: the middle of what the beginning of this file says."""
    return "\n\n".join((__doc__ or "").split("\n\n")[1:-1])


def _picture(name: str) -> str:
    return f"scaling-{name}.svg"


def _save(names: Sequence[str], found: dict[str, Sequence[Point]], lines: Sequence[str]) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, points in found.items():
        draw(IMAGES / _picture(name), CURVES[name], points, names)
    (RESULTS / "scaling.md").write_text("\n".join(["# How time and memory grow", "", *lines]))


if __name__ == "__main__":
    main()
