"""``python -m tensorgrad.testing.mutation``: the mutation score of tensorgrad's own rules."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.testing.leaving import leave_with
from tensorgrad.testing.mutation.explained import EXPLAINED
from tensorgrad.testing.mutation.judge import SAMPLES
from tensorgrad.testing.mutation.mutants import KINDS, Mutant
from tensorgrad.testing.mutation.scoring import Result, Score, chosen, library, results
from tensorgrad.testing.mutation.sites import Site
from tensorgrad.testing.records import SPECS

try:
    from tqdm import tqdm
except ModuleNotFoundError:
    tqdm = None


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tensorgrad.testing.mutation",
        description="Breaks every vjp rule of tensorgrad on purpose, one way at a time, and runs the tests of its op: "
        "they must fail. The exit status is 1 if some do not.",
    )
    parser.add_argument("--op", action="append", metavar="NAME", help="only the rules of this op (may be repeated)")
    parser.add_argument(
        "--kinds", nargs="+", metavar="KIND", choices=list(KINDS), help=f"only these: {', '.join(KINDS)}"
    )
    parser.add_argument(
        "--sample", type=positive(int), metavar="N", help="only so many mutants, of as many rules as possible"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: %(default)s)")
    parser.add_argument(
        "--jobs", type=positive(int), default=min(2, os.cpu_count() or 1), help="processes (default: %(default)s)"
    )
    parser.add_argument(
        "--limit", type=positive(float), default=60.0, help="seconds for each mutant (default: %(default)s)"
    )
    parser.add_argument("--list", action="store_true", help="print the mutants, and try none")
    parser.add_argument("--verbose", action="store_true", help="print what became of each mutant")
    parser.add_argument("--report", type=Path, metavar="FILE.md", help="write a report in Markdown")
    options = parser.parse_args(arguments)
    if options.report is not None and not options.report.resolve().parent.is_dir():
        parser.error(f"there is no folder {options.report.parent} to write {options.report.name} to.")
    return options


def positive(kind: type) -> Callable[[str], Any]:
    """The type of an argument: a number above 0."""

    def number(text: str) -> Any:
        value = kind(text)
        if not value > 0:
            raise ValueError
        return value

    number.__name__ = f"number above 0 ({kind.__name__})"
    return number


def named(sites: Sequence[Site], names: Iterable[str]) -> list[Site]:
    """The rules of some ops, which may be named with their module and without.

    Raises:
        SystemExit: for a name that no op has; says so.
    """
    found: dict[str, Site] = {}
    for name in names:
        mine = [site for site in sites if name in _names(site)]
        if not mine:
            near = difflib.get_close_matches(name, sorted({each for site in sites for each in _names(site)}), 3)
            hint = f": perhaps {' or '.join(near)}" if near else ""
            print(f"no op with vjp rules is called {name!r}{hint}.", file=sys.stderr)
            raise SystemExit(2)
        found.update({site.name: site for site in mine})
    return list(found.values())


def _names(site: Site) -> set[str]:
    whole = site.name.partition("(")[0]
    return {site.name, whole, whole.rpartition(".")[2]}


def shown(found: Iterator[Result], total: int, verbose: bool) -> Iterator[Result]:
    """Results as they come, with a bar of progress, or a line from time to time."""
    bar: Any = tqdm(total=total, unit="mutant", smoothing=0) if tqdm is not None and sys.stderr.isatty() else None
    survived, last = 0, time.monotonic()
    for done, result in enumerate(found, 1):
        survived += result.verdict == "survived"
        if verbose or result.verdict == "survived":
            line = f"{result.verdict:10} {result}"
            print(line) if bar is None else bar.write(line)
        if bar is not None:
            bar.update()
            bar.set_postfix(survived=survived)
        elif time.monotonic() - last > 10 or done == total:
            last = time.monotonic()
            print(f"{done} of {total} mutants, {survived} survived", file=sys.stderr, flush=True)
        yield result
    if bar is not None:
        bar.close()


@contextlib.contextmanager
def remembered_interrupt() -> Iterator[threading.Event]:
    """A block in which Ctrl-C sets an event, too: what it raises in a callback of the garbage collector's is lost."""
    pressed = threading.Event()

    def press(*_: object) -> None:
        pressed.set()
        raise KeyboardInterrupt

    def lost(unraisable: Any) -> None:
        if unraisable.exc_type is not KeyboardInterrupt:
            hook(unraisable)

    hook, sys.unraisablehook = sys.unraisablehook, lost
    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook


def report(score: Score, mutants: Sequence[Mutant], seconds: float, command: str) -> str:
    """The whole of a run, in Markdown."""
    lines = [
        "# Mutation score",
        "",
        f"`{command}`: {len(score.results)} of {len(mutants)} mutants in {seconds / 60:.1f} minutes; "
        f"NumPy {np.__version__}, Python {sys.version.split()[0]}.",
        "",
        f"**{score.killed} of {score.killed + len(score.survivors)} mutants that can be noticed were noticed "
        f"({score.ratio:.2%}).** Besides, {score.count('equivalent')} are equivalent: they change values in a rule, "
        f"but gradients of first and second order are the same at {SAMPLES} samples of each record and at zeros and "
        f"ties; {score.count('explained')} are explained below.",
        "",
        score.table(),
        "",
        "## By rule",
        "",
        "| rule | mutants | killed | equivalent | explained | survived |",
        "| ---- | ------: | -----: | ---------: | --------: | -------: |",
    ]
    for rule in dict.fromkeys(mutant.site.name for mutant in mutants):
        verdicts = [result.verdict for result in score.results if result.rule == rule and result.verdict != "idle"]
        counts = [len(verdicts), *(verdicts.count(v) for v in ("killed", "equivalent", "explained", "survived"))]
        lines.append(f"| `{rule}` | {' | '.join(map(str, counts))} |")
    for verdict, title in (("survived", "Survivors"), ("explained", "Explained"), ("equivalent", "Equivalent")):
        found = score.of(verdict)
        lines += ["", f"## {title}", ""]
        if not found:
            lines.append("None.")
        for rule in dict.fromkeys(result.rule for result in found):
            lines.append(f"- `{rule}`")
            for result in found:
                if result.rule == rule:
                    why = "" if verdict == "equivalent" else f": {result.detail}"
                    lines.append(f"  - {result.kind}: `{result.mutant}`{why}")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status."""
    options = parsed(arguments)
    sites = named(library(), options.op) if options.op else library()
    score, mutants, start = Score(), list[Mutant](), time.monotonic()
    with remembered_interrupt() as interrupted, contextlib.suppress(KeyboardInterrupt):
        print(f"looking at {len(sites)} rules", file=sys.stderr, flush=True)
        mutants, records = chosen(sites, SPECS, options.kinds, options.sample, options.seed)
        if options.list:
            for mutant in mutants:
                print(f"{mutant.kind:12} {mutant}")
            print(f"{len(mutants)} mutants of {len({mutant.site.name for mutant in mutants})} rules")
            return 0
        found = results(mutants, records, explained=EXPLAINED, jobs=options.jobs, limit=options.limit)
        with contextlib.closing(found):
            for result in shown(found, len(mutants), options.verbose):
                score.results.append(result)
                if interrupted.is_set():
                    break
    seconds = time.monotonic() - start
    print(score.table() if options.verbose else score)
    print(f"{len(score.results)} of {len(mutants)} mutants, {seconds:.0f} s")
    for result in score.results:
        if result.verdict != "explained" and (result.rule, result.mutant) in EXPLAINED:
            print(f"explained.py explains a mutant that is {result.verdict} now: {result.rule}: {result.mutant}")
    if options.report:
        command = " ".join(["python -m tensorgrad.testing.mutation", *(arguments or sys.argv[1:])])
        options.report.write_text(report(score, mutants, seconds, command))
    if interrupted.is_set():
        return 130
    return 0 if score else 1


if __name__ == "__main__":
    leave_with(main)
