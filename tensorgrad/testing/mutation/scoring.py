"""How many mutants the tests notice: for an op of one's own, or for all of the library."""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tensorgrad.ops
from tensorgrad.testing.mutation.judge import Check, Outcome, judge, sound, warm_up
from tensorgrad.testing.mutation.mutants import KINDS, Mutant
from tensorgrad.testing.mutation.pool import each
from tensorgrad.testing.mutation.samples import records_of, seen_at
from tensorgrad.testing.mutation.sites import Site, sites_of
from tensorgrad.testing.mutation.source import text_mutants
from tensorgrad.testing.mutation.wrappers import wrappers
from tensorgrad.testing.opspec import OpSpec

VERDICTS = ("killed", "equivalent", "explained", "survived")


@dataclass(frozen=True)
class Result:
    """What became of one mutant.

    Attributes:
        rule: the rule that was broken, such as ``"elementwise.multiply(x2)"``.
        kind: of the mutant, a key of :data:`~tensorgrad.testing.mutation.KINDS`.
        mutant: what was broken.
        verdict: ``"killed"``, ``"equivalent"``, ``"explained"`` or ``"survived"``; ``"idle"`` if there was nothing to
            break.
        detail: which test noticed what; or what is known of a mutant that none noticed.
        seconds: how long it took.
    """

    rule: str
    kind: str
    mutant: str
    verdict: str
    detail: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.rule}: {self.mutant}: {self.detail}"


@dataclass
class Score:
    """How many mutants were noticed. True if all were, but for those that are equivalent or explained.

    Attributes:
        results: what became of each mutant.
    """

    results: list[Result] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.survivors

    def count(self, verdict: str, kind: str | None = None) -> int:
        """How many have a verdict, of one kind or of all."""
        return sum(result.verdict == verdict and kind in (None, result.kind) for result in self.results)

    def of(self, verdict: str) -> list[Result]:
        """Those that have a verdict."""
        return [result for result in self.results if result.verdict == verdict]

    @property
    def killed(self) -> int:
        """How many the tests noticed."""
        return self.count("killed")

    @property
    def survivors(self) -> list[Result]:
        """Those that no test noticed, which are not equivalent and not explained."""
        return self.of("survived")

    @property
    def ratio(self) -> float:
        """How many of the mutants that can be noticed were: from 0 to 1."""
        total = self.killed + len(self.survivors)
        return self.killed / total if total else 1.0

    def table(self) -> str:
        """How many mutants of each kind had which verdict, as a table in Markdown."""
        head = ("kind", "rules", "mutants", *VERDICTS)
        kinds = [k for k in KINDS if any(r.kind == k and r.verdict in VERDICTS for r in self.results)]
        rows = [self._row(kind, [result for result in self.results if result.kind == kind]) for kind in kinds]
        cells = [head, *rows, self._row("all", self.results)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        rule = tuple("-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths))
        lines = [head, rule, *cells[1:]]
        return "\n".join(
            "| "
            + " | ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            + " |"
            for row in lines
        )

    def _row(self, name: str, results: Sequence[Result]) -> tuple[str, ...]:
        counts = [sum(result.verdict == verdict for result in results) for verdict in VERDICTS]
        rules = {result.rule for result in results if result.verdict in VERDICTS}
        return (name, *map(str, (len(rules), sum(counts), *counts)))

    def __str__(self) -> str:
        lines = [self.table(), "", f"noticed: {self.killed} of {self.killed + len(self.survivors)} ({self.ratio:.2%})"]
        if self.survivors:
            lines += ["", "survived:", *(f"  {result}" for result in self.survivors)]
        return "\n".join(lines)


def library() -> list[Site]:
    """All rules of tensorgrad's own ops."""
    modules = [
        importlib.import_module(f"tensorgrad.ops.{found.name}")
        for found in pkgutil.iter_modules(tensorgrad.ops.__path__)
    ]
    sites: dict[str, Site] = {}
    for module in modules:
        sites.update({site.name: site for site in sites_of(module, empty=True)})
    return [sites[name] for name in sorted(sites)]


def mutants_of(site: Site, specs: Sequence[OpSpec], kinds: Iterable[str] | None = None) -> list[Mutant]:
    """All mutants of a rule that can apply at the samples of its records.

    Args:
        site: the rule.
        specs: its records.
        kinds: which kinds; None for all.

    Raises:
        ValueError: for a kind that there is not.
    """
    wanted = set(KINDS if kinds is None else kinds)
    if unknown := wanted - {*KINDS}:
        raise ValueError(f"there are no mutants of the kind {sorted(unknown)}: there are {', '.join(KINDS)}.")
    found = [*wrappers(site, seen_at(site, specs)), *text_mutants(site)]
    return [mutant for mutant in found if mutant.kind in wanted]


def chosen(
    sites: Sequence[Site], specs: Sequence[OpSpec], kinds: Iterable[str] | None, sample: int | None, seed: int
) -> tuple[list[Mutant], dict[str, list[OpSpec]]]:
    """The mutants to try, all or a sample from as many rules as possible, and the records of each rule."""
    if sample is None:
        records = records_of(sites, specs)
        return [mutant for site in sites for mutant in mutants_of(site, records[site.name], kinds)], records
    rng = random.Random(seed)
    some = rng.sample(list(sites), min(sample, len(sites)))
    records = records_of(some, specs)
    shuffled = [rng.sample(all_, len(all_)) for all_ in (mutants_of(site, records[site.name], kinds) for site in some)]
    mutants: list[Mutant] = []
    while any(shuffled) and len(mutants) < sample:
        mutants += [rest.pop() for rest in shuffled if rest]
    return mutants[:sample], records


def results(
    mutants: Sequence[Mutant],
    records: Mapping[str, Sequence[OpSpec]],
    *,
    check: Check | None = None,
    explained: Mapping[tuple[str, str], str] | None = None,
    jobs: int = 1,
    limit: float = 60.0,
) -> Generator[Result, None, None]:
    """What becomes of mutants, in the order in which that is known.

    Raises:
        AssertionError: if tests fail although nothing is broken.
    """
    reasons = explained or {}
    # The name of a rule stands for its tests without any mutant.
    tasks: list[str | Mutant] = []
    tested: set[tuple[str, ...]] = set()
    for mutant in mutants:
        names = tuple(map(str, records[mutant.site.name]))
        tasks += [mutant] if names in tested else [mutant.site.name, mutant]
        tested.add(names)

    def work(task: str | Mutant) -> Any:
        if isinstance(task, str):
            return sound(records[task], check)
        return judge(task, records[task.site.name], check)

    def late(seconds: float) -> Outcome:
        return Outcome("killed", "does not come to an end", seconds)

    warm_up()
    for task, outcome in each(tasks, work, late, jobs, limit):
        if isinstance(task, str):
            if outcome is not None:
                raise AssertionError(f"the tests for {task} fail although nothing is broken: {outcome}")
            continue
        verdict, detail = outcome.verdict, outcome.detail
        if not records[task.site.name]:
            verdict, detail = "survived", "no record makes this rule run"
        if verdict == "survived" and (task.site.name, task.name) in reasons:
            verdict, detail = "explained", reasons[task.site.name, task.name]
        yield Result(task.site.name, task.kind, task.name, verdict, detail, outcome.seconds)


def score(
    function: Any,
    spec: OpSpec | Sequence[OpSpec],
    *,
    kinds: Iterable[str] | None = None,
    sample: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    limit: float = 60.0,
    check: Check | None = None,
) -> Score:
    """Breaks the vjp rules of an op on purpose, one way at a time, and counts how many of these mutants tests notice.

    Args:
        function: an op (made by ``@tg.op``), a subclass of ``tg.Function``, a module, or a function beside such.
        spec: the record from which the op's tests are made, or several.
        kinds: which kinds of mutants, from :data:`~tensorgrad.testing.mutation.KINDS`; None for all.
        sample: how many mutants to try, drawn at random; None for all.
        seed: of the sample.
        jobs: how many processes work at a time.
        limit: of each mutant, in seconds: one that does not come to an end counts as noticed.
        check: other tests, which are given a record and raise what they like if they notice something; None for those
            that :func:`~tensorgrad.testing.check_op` makes.

    Returns:
        The score, true if every mutant was noticed. Each survivor stands for a mistake that one could make in this rule
        without a test failing.

    Raises:
        TypeError: if there are no rules to break, and for arguments of other types.
        ValueError: if no sample of the records makes any of the rules run.
        AssertionError: if the tests fail although nothing is broken.

    Example:
        >>> import numpy as np
        >>> from tensorgrad.testing import mutation
        >>> from tensorgrad.testing.records import SPECS
        >>> (record,) = [spec for spec in SPECS if spec.name == "square"]
        >>> mutation.score(tg.square, record, kinds=["sign", "factor"]).ratio
        1.0
    """
    specs = [spec] if isinstance(spec, OpSpec) else list(spec)
    if not specs or not all(isinstance(each, OpSpec) for each in specs):
        raise TypeError(f"score() takes an OpSpec, or several, from which the op's tests are made, not {spec!r}.")
    if check is not None and not callable(check):
        raise TypeError(f"score() takes for check a function of an OpSpec that raises, not {check!r}.")
    if isinstance(kinds, str):
        kinds = [kinds]
    mutants, records = chosen(sites_of(function), specs, kinds, sample, seed)
    unseen = [name for name, found in records.items() if not found]
    if len(unseen) == len(records):
        raise ValueError(f"no rule of {unseen[0]} and the like runs in the samples of {', '.join(map(str, specs))}.")
    return Score(list(results(mutants, records, check=check, jobs=jobs, limit=limit)))
