"""Gradients against oracles that know nothing of them."""

from __future__ import annotations

import inspect
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from tensorgrad.testing.checking import causes
from tensorgrad.testing.checking.entries import Entry, Examination
from tensorgrad.testing.checking.examine import examine
from tensorgrad.testing.checking.identities import dot_product, linearity
from tensorgrad.testing.checking.problem import Part, Problem
from tensorgrad.testing.checking.report import EXPLAINED, GradientReport, call
from tensorgrad.testing.engines import Engine
from tensorgrad.testing.engines.pair import Pair

MIXED = 0x6772
"""Goes into the seed, so that nobody's inputs, made from the same seed, are the weights that they are checked with."""


def gradcheck(
    f: Any,
    *inputs: Any,
    order: int = 1,
    engine: str | Engine | None = None,
    rtol: float = 1e-8,
    atol: float = 0.0,
    seed: int = 0,
    max_examples: int = 100,
) -> GradientReport:
    """Compares the gradients of a function with what differences of its values say.

    Every entry of the Jacobian is compared, or, where there are many, entries and combinations drawn at random. Central
    differences with Richardson's extrapolation come first; where they do not agree with the gradient to ``rtol``, steps
    of all sizes are tried, and the complex step and extended precision where the function takes such numbers. All of
    these estimate their own errors, and the tolerance follows from those. A gradient at a kink is right if it is in the
    convex hull of the gradients close by. With ``order`` above 1 the gradients of gradients are compared in the same
    way, and the dot-product identity <Ju, v> = <u, J'v> is checked between the rule and its derivative.

    Args:
        f: a function of the inputs that gives an array, or several; a Module of tensorgrad's or PyTorch's, whose
            parameters are checked too; or a pair ``(forward, backward)`` of functions of NumPy arrays,
            ``forward(*inputs)`` and ``backward(gradient_of_output, *inputs)``.
        inputs: Tensors, arrays, numbers, nested lists, Modules, and tuples, lists and dicts of these. Floating point
            and complex ones are checked, in float64 if the function allows it; others are passed on. Where a hypothesis
            strategy is given, inputs are drawn from it, and the smallest that fail are reported.
        order: 1 checks the gradient; 2 the gradient, and then the gradient of the gradient; and so on.
        engine: the library that ``f`` is written for: "tensorgrad", "pytorch", "jax", "autograd", "mygrad", or an
            :class:`~tensorgrad.testing.engines.Engine`. It is found from the types of ``f`` and the inputs if those
            tell.
        rtol: the relative difference that is let pass, however exact the oracle is.
        atol: the absolute difference that is let pass.
        seed: of all that is random in the check.
        max_examples: how many inputs are drawn from strategies.

    Returns:
        A report that is true if the gradients are right, and says in words where they agree least or what is wrong: of
        the highest order, or of the first that fails.

    Raises:
        ValueError: if there is nothing to check, the function has no finite value, or the order is not to be had.

    Example:
        >>> import tensorgrad as tg
        >>> bool(gradcheck(lambda x: (x**3).sum(), [1.0, 2.0], order=2))
        True
        >>> forward = lambda x, y: x * y
        >>> backward = lambda g, x, y: (g * x, g * y)
        >>> print(gradcheck((forward, backward), [1.0, 2.0], [3.0, 4.0]).cause)
        the gradients of input 0 and input 1 are swapped.
    """
    _refuse_nonsense(order, rtol, atol)
    options: dict[str, Any] = {"order": order, "engine": engine, "rtol": rtol, "atol": atol, "seed": seed}
    hypothesis = sys.modules.get("hypothesis")
    if hypothesis is not None and any(isinstance(value, hypothesis.strategies.SearchStrategy) for value in inputs):
        return _search(hypothesis, f, inputs, max_examples, options)
    problem = Problem(f, inputs, engine, seed)
    report = _check(problem, 1, rtol, atol, seed)
    for n in range(2, order + 1):
        if not report:
            break
        problem, before = problem.derivative(seed + n - 1), problem
        report = _check(problem, n, rtol, atol, seed, before)
    usual = {name: parameter.default for name, parameter in inspect.signature(gradcheck).parameters.items()}
    given = {name: value for name, value in options.items() if value != usual[name]}
    return report if report else replace(report, again=call(f, inputs, given))


def _refuse_nonsense(order: Any, rtol: Any, atol: Any) -> None:
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"gradcheck() checks derivatives of order 1 and up, not {order!r}.")
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not isinstance(tolerance, (int, float)) or not 0 <= tolerance < np.inf:
            raise ValueError(f"gradcheck() takes for {name} a number that is 0 or more and finite, not {tolerance!r}.")


def assert_gradients(f: Any, *inputs: Any, order: int | None = None, **options: Any) -> None:
    """Raises AssertionError with the report of :func:`gradcheck` unless the gradients are right.

    Args:
        f: as for gradcheck.
        inputs: as for gradcheck.
        order: the highest that is checked; by default 2, and 1 for a pair ``(forward, backward)``, which has no other.
        options: others of gradcheck.

    Raises:
        AssertionError: with the report's text.

    Example:
        >>> assert_gradients(lambda x, y: x * y, [1.0, 2.0], [3.0, 4.0])
    """
    __tracebackhide__ = True
    if order is None:
        order = 1 if isinstance(f, (tuple, list, Pair)) else 2
    report = gradcheck(f, *inputs, order=order, **options)
    if not report:
        raise AssertionError(str(report))


def _check(
    problem: Problem, order: int, rtol: float, atol: float, seed: int, before: Problem | None = None
) -> GradientReport:
    examination = examine(problem, rtol, atol, np.random.default_rng((seed, MIXED)))
    faults = list(causes.of_faults(problem))
    faults += linearity(problem, np.random.default_rng((seed, MIXED)))
    if before is not None:
        faults += dot_product(problem, before, np.random.default_rng((seed, MIXED)))
    wrong = examination.wrong is not None
    cause = causes.guess(problem, examination) if wrong else ""
    where = _where(problem, examination, examination.worst)
    return GradientReport(
        ok=not wrong and not faults,
        order=order,
        cause=cause,
        faults=tuple(faults),
        notes=(*problem.notes, *_notes(problem, examination)),
        compared=_compared(problem, examination),
        seed=seed,
        verified=examination.verified,
        **where,
    )


def _where(problem: Problem, examination: Examination, entry: Entry | None) -> dict[str, Any]:
    """The numbers of an entry and the words for it, without the weights that it was compared with."""
    if entry is None:
        nothing = {"input": 0, "name": "", "index": (), "output": "", "oracle": "", "status": "agrees"}
        return {**nothing, "analytic": 0.0, "numerical": 0.0, "tolerance": 0.0}
    rows, weight = examination.rows, 1.0
    output = "a random combination of the outputs"
    if entry.row < len(rows.picked):
        weight = float(rows.weights[entry.row])
        output = _named(problem.outputs, int(rows.picked[entry.row]))
    if entry.column is None:
        number, name = 0, "a random direction"
        index: tuple[int, ...] = ()
    else:
        number = next(i for i, part in enumerate(problem.inputs) if entry.column < part.slice.stop)
        part = problem.inputs[number]
        index, word = part.entry(entry.column)
        name = f"{word} part of {part.name}".strip() if word else part.name
    return {
        "input": number,
        "name": name,
        "index": index,
        "output": output,
        "analytic": entry.claimed / weight,
        "numerical": entry.found / weight,
        "tolerance": float(entry.tolerance / abs(weight)),
        "error": entry.error / abs(weight),
        "oracle": entry.oracle,
        "status": entry.status,
    }


def _named(parts: list[Part], place: int) -> str:
    part = next(part for part in parts if place < part.slice.stop)
    index, word = part.entry(place)
    return f"{word} part of " * bool(word) + part.name + (str(list(index)) if index else "")


def _compared(problem: Problem, examination: Examination) -> str:
    n, m = len(problem.x), problem.outputs[-1].slice.stop
    if examination.whole:
        return f"all {m} x {n} entries of the Jacobian"
    directions, combinations = len(examination.columns), len(examination.rows)
    return f"{directions} directions and {combinations} combinations of outputs, of a Jacobian of {m} x {n}"


def _notes(problem: Problem, examination: Examination) -> list[str]:
    notes = []
    if examination.skipped:
        notes.append(f"{examination.skipped} outputs are not finite at these inputs, and were left out")
    silent = int(examination.kinked.sum()) - examination.count("kink") - examination.count("jump")
    for status, words in EXPLAINED.items():
        count = examination.count(status) + (max(silent, 0) if status == "kink" else 0)
        if count:
            notes.append(f"{count} {'entry' if count == 1 else 'entries'} {words}")
    if problem.low_precision and not any(str(problem.low_precision) in note for note in problem.notes):
        notes.append(f"the function computes in {problem.low_precision}: only large errors can be told")
    if any(fault.kind == "aliased" for fault in problem.faults):
        notes += [fault.text for fault in problem.faults if fault.kind == "aliased"]
    return notes


def _search(
    hypothesis: Any, f: Any, inputs: tuple[Any, ...], max_examples: int, options: dict[str, Any]
) -> GradientReport:
    """Draws inputs from the strategies among them; the report is of the smallest that fail, or of the last."""
    st = hypothesis.strategies
    drawn = [value if isinstance(value, st.SearchStrategy) else st.just(value) for value in inputs]
    reports: list[tuple[GradientReport, tuple[Any, ...]]] = []

    class Refused(Exception):
        pass

    @hypothesis.seed(options["seed"])
    @hypothesis.settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.tuples(*drawn))
    def attempt(values: tuple[Any, ...]) -> None:
        reports[:] = [(gradcheck(f, *values, **options), values)]
        if not reports[0][0]:
            raise Refused

    try:
        attempt()
    except Refused:
        report, values = reports[0]
        text = ", ".join(map(repr, values))
        return replace(report, inputs=text if len(text) < 1000 else text[:1000] + " ...")
    if not reports:
        raise ValueError("the strategies gave no inputs to check.")
    return replace(reports[0][0], compared=f"{max_examples} inputs drawn; the last: {reports[0][0].compared}")
