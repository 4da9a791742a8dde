"""What a mutant is, and how it tells that it made a difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.testing.mutation.sites import Site

KINDS = {
    "sign": "a minus too many or too few, a sum for a difference",
    "factor": "times 2, times 1.00001, divided by the number of elements, a factor left out, another power",
    "dropped": "a term, an assignment or a call left out",
    "zero": "no gradient, or none for the last entry",
    "broadcast": "broadcasting undone by a mean, or by picking the first or the last, instead of a sum",
    "swapped": "an input, an output or a gradient taken for another of the same shape",
    "transposed": "rows for columns, the other way round",
    "axis": "another axis, an option's entries for one another, an option changed",
    "stale": "the value that was kept by an earlier call",
    "aliased": "the gradient written into memory that others hold",
    "cotangent": "the cotangent ignored, turned round, or cut off",
    "branch": "another comparison, the other branch, a condition that always or never holds",
    "constant": "another number, another function",
    "second order": "right on arrays; on Tensors cut off from the graph, or wrong",
    "dtype": "computed in a lower precision, or wrong in a low one only",
    "layout": "elements read in the order of memory; wrong for arrays that are not contiguous",
    "edge": "an error for arrays without elements, or without axes",
}
"""The kinds of mutants, and what they do."""


class Trace:
    """What came of a mutant while tests ran.

    Attributes:
        reached: whether its place was.
        changed: whether it changed a value there.
        spread: whether the rule gave something else than it should, in consequence.
    """

    def __init__(self) -> None:
        self.reached = self.changed = self.spread = False

    def note(self, before: Any, after: Any) -> Any:
        """Gives ``after``, and remembers whether it is another value than ``before``."""
        self.reached = True
        if not self.changed:
            self.changed = not same(before, after)
        return after

    def mark(self, after: Any) -> Any:
        """Gives ``after``, which differs for a reason that values do not show."""
        self.reached = self.changed = self.spread = True
        return after


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal to the bit; NaN equals NaN."""
    if a is b:
        return True
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    a, b = (value._data if isinstance(value, Tensor) else value for value in (a, b))
    if backend.of(a) is None or backend.of(b) is None:
        return type(a) is type(b) and bool(a == b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


@dataclass(frozen=True, eq=False)
class Mutant:
    """A rule, broken in one way.

    Attributes:
        site: the rule.
        kind: a key of :data:`KINDS`.
        name: what is broken, the same in every run.
        build: makes the broken rule, given the trace to report to.
        more: what it asks for besides what the sound rule does.
        everywhere: whether a mutant that changes nothing means that tests are lacking (it stands in the rule's text),
            and not that there is nothing to break.
        elsewhere: whether it may be wrong where gradients of single calls, in float64 and in the usual order of memory,
            are right; then equal gradients do not mean that it is equivalent.
    """

    site: Site
    kind: str
    name: str
    build: Callable[[Trace], Callable[..., Any]]
    more: tuple[str, ...] = ()
    everywhere: bool = False
    elsewhere: bool = False

    def __str__(self) -> str:
        return f"{self.site.name}: {self.name}"
