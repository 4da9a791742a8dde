"""How far the gradient checker can be trusted: wrong gradients that it misses, right ones that it accuses.

``python -m benchmarks.gradient_checks`` puts random functions and a hard set, made by hand, before ``gradcheck``, and
the hard set before PyTorch's too where that is installed. It takes some minutes on one core, prints a table, and writes
it to ``benchmarks/results/gradient_checks.md``. ``--judge`` instead examines the hard set itself, in 120 digits.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import tensorgrad as tg
from benchmarks.gradient_cases import planted, right
from benchmarks.gradient_cases.case import Case
from benchmarks.gradient_cases.random_cases import random_cases
from tensorgrad.testing import gradcheck

RESULTS = Path(__file__).parent / "results" / "gradient_checks.md"

Verdict = Callable[[Case], bool | None]


@dataclass
class Tally:
    """What came of a set of cases under one checker."""

    title: str
    checker: str
    planted: int = 0
    right: int = 0
    left_out: int = 0
    missed: list[str] = field(default_factory=list)
    accused: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def run(self, cases: Iterable[Case], verdict: Verdict) -> None:
        """Puts cases before the checker, and counts."""
        for case in cases:
            start = time.perf_counter()
            found = verdict(case)
            self.seconds.append(time.perf_counter() - start)
            if found is None:
                self.left_out += 1
            elif case.right:
                self.right += 1
                self.accused += [] if found else [case.name]
            else:
                self.planted += 1
                self.missed += [case.name] if found else []

    def row(self) -> str:
        """Its line in the table."""
        median = f"{1000 * float(np.median(self.seconds)):.1f} ms" if self.seconds else "-"
        counts = (self.planted, len(self.missed), self.right, len(self.accused))
        return f"| {self.title} | {self.checker} | " + " | ".join(f"{n:,}" for n in counts) + f" | {median} |"

    def names(self) -> Iterator[str]:
        """What went wrong, by name, and what was left out."""
        for what, cases in (("missed", self.missed), ("accused", self.accused)):
            if cases:
                yield f"{self.title}, {self.checker}, {what}: {'; '.join(cases)}."
        if self.left_out:
            yield f"{self.title}, {self.checker}: {self.left_out} cases with a Jacobian of 10^8 entries were left out."


HEAD = """\
| cases | checker | planted | missed | right | accused | median time |
| --- | --- | ---: | ---: | ---: | ---: | ---: |"""


def tensorgrad_verdict(case: Case) -> bool:
    """Whether tensorgrad finds the gradient right; an exception says that it does not."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return bool(gradcheck(case.pair(), *case.copies()))
        except Exception:
            return False


def pytorch_verdict() -> tuple[Verdict, str] | None:
    """PyTorch's verdict and its version, or None where it is not installed."""
    try:
        import torch

        from benchmarks.gradient_cases.pytorch import verdict
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return None
    torch.set_num_threads(1)
    return verdict, torch.__version__


def mended() -> list[Case]:
    """The planted errors of the hard set, each put right."""
    return [case.mend() for case in planted.CASES if case.mended is not None]


def judge() -> int:
    """Examines the hard set in 120 digits; gives the number of cases that are not what they say."""
    from benchmarks.gradient_cases.exact import judge

    wrong = 0
    for case in [*planted.CASES, *mended(), *right.CASES]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            complaint = judge(case)
        if complaint:
            wrong += 1
            print(f"{case.name}: {complaint}", flush=True)
    print(f"{len(planted.CASES) + len(mended()) + len(right.CASES)} cases, {wrong} not what they say")
    return wrong


def report(tallies: Sequence[Tally], versions: str, seed: int) -> str:
    """The figures as a page."""
    rows = "\n".join(tally.row() for tally in tallies)
    names = "\n".join(f"- {line}" for tally in tallies for line in tally.names()) or "Nothing was missed or accused."
    return f"""\
# Gradient checks: what is missed, what is accused

{datetime.date.today().isoformat()}; {versions}; seed {seed}. Made by `python -m benchmarks.gradient_checks`.

{HEAD}
{rows}

*Random*: functions of one to six steps (smooth functions, products, broadcasting, reductions, softmax, normalisation,
convolution) with values of 1e-3 to 1e3. Each is checked with its right gradient, and with one in which at least one
entry is off by at least 1e-5 of that entry: a factor on everything, on one input, on one entry, or in one step's rule.
Errors that no oracle could see in float64 are not counted: those below 1e-10 of the outputs, or below 100 times the
rounding of the right gradient.

*Hard set*: made by hand, and judged in 120 digits (`python -m benchmarks.gradient_checks --judge`). *Mended*: the
planted errors put right. PyTorch's checker is `torch.autograd.gradcheck` at its defaults; each case is wrapped as a
`torch.autograd.Function`. An exception counts as finding fault. PyTorch's autograd itself sums a gradient to its
input's shape and casts it to its dtype before the checker sees it: the planted errors of that kind are none to it.

{names}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradient_checks", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the random functions (default 0)")
    parser.add_argument("--cases", type=int, default=2000, help="random functions of each kind (default 2000)")
    parser.add_argument("--hard-only", action="store_true", help="the hard set alone")
    parser.add_argument("--judge", action="store_true", help="examine the hard set itself (needs mpmath and scipy)")
    options = parser.parse_args(arguments)
    if options.cases < 1:
        parser.error(f"--cases must be 1 or more, not {options.cases}.")
    if options.judge:
        return min(judge(), 1)
    versions = f"tensorgrad {tg.__version__}, NumPy {np.__version__}, Python {platform.python_version()}"
    runs: list[tuple[Tally, Iterable[Case], Verdict]] = []
    sets = [("hard set", [*planted.CASES, *right.CASES]), ("hard set, mended", mended())]
    for title, cases in sets:
        runs.append((Tally(title, "tensorgrad"), cases, tensorgrad_verdict))
    if (found := pytorch_verdict()) is None:
        print("PyTorch is not installed, so it is left out: pip install torch brings it in.")
    else:
        versions += f", PyTorch {found[1]}"
        runs += [(Tally(title, "PyTorch"), cases, found[0]) for title, cases in sets]
    if not options.hard_only:
        both = (case for pair in random_cases(options.seed, options.cases) for case in pair)
        runs.append((Tally("random", "tensorgrad"), both, tensorgrad_verdict))
    done: list[Tally] = []
    print(HEAD)
    try:
        for tally, cases, verdict in runs:
            done.append(tally)
            tally.run(cases, verdict)
            print(tally.row(), flush=True)
    except KeyboardInterrupt:
        print(done[-1].row())
        print("Interrupted: the last line is of what was done of its cases; nothing was written.")
        return 130
    text = report(done, versions, options.seed)
    if options.hard_only:
        print("\n".join(line for tally in done for line in tally.names()))
        return 0
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text, encoding="utf-8")
    print(f"\nwritten: {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
