"""Guesses at what is wrong with a gradient, from how its entries differ from those that they should be.

Each guess is a function of the evidence that gives a sentence, or nothing. They are tried in order, from those that
explain everything to those that explain little, and the first that fits is told. What is guessed explains all that was
measured of that input, at the point and, where that tells little, at others close by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tensorgrad.testing.checking.causes import cotangents, factors, rearranged, structure, terms
from tensorgrad.testing.checking.causes.evidence import Block, Evidence, broadcasts
from tensorgrad.testing.checking.entries import Examination
from tensorgrad.testing.checking.problem import Fault, Problem

__all__ = ["guess", "of_faults"]

ENOUGH = {"non-deterministic", "input changed", "cotangent changed"}
"""Faults that make numbers wrong whatever the rule is."""


NOT_FINITE = (
    "Often that is 0 * inf, from a branch that was not taken (numpy.where evaluates both), or a division by zero."
)


def guess(problem: Problem, examination: Examination) -> str:
    """What the mistake looks like.

    Args:
        problem: the function, of which a derivative was found to be wrong.
        examination: what was found.

    Returns:
        One sentence or several; empty if it looks like nothing that is known.
    """
    if any(fault.kind in ENOUGH for fault in problem.faults):
        return ""
    known = {(fault.kind, fault.part) for fault in problem.faults}
    with np.errstate(all="ignore"):
        evidence = Evidence(problem, examination)
        if evidence.blind:
            return ""
        special = at_this_point(evidence)
        if evidence.only_here or not evidence.wrong:
            return special
        joint = cotangents.stale(evidence) or rearranged.swapped(evidence)
        told: dict[str, list[str]] = {}
        for block in [] if joint else evidence.wrong:
            rounded = ("dtype lost", block.name) in known and cotangents.rounded(evidence, block)
            if ("shape", block.name) not in known and not rounded:
                told.setdefault(_first(evidence, block), []).append(block.name)
    each = [_named(sentence, names) for sentence, names in told.items()]
    first, *more = [sentence for sentence in (special, joint, *each) if sentence] or [""]
    return " ".join([first, *(sentence[0].upper() + sentence[1:] for sentence in more)])


def _first(evidence: Evidence, block: Block) -> str:
    return next((sentence for pattern in PATTERNS if (sentence := pattern(evidence, block))), "")


def _named(sentence: str, names: Sequence[str]) -> str:
    """A sentence about one input, about several."""
    if len(names) > 1:
        # Of each of them: the words that follow are about one.
        sentence = sentence.replace("gradient of {}", "gradient of each of {}", 1)
    return sentence.replace("{}", _join(names), 1).replace("{}", "it" if len(names) == 1 else "them")


def _join(names: Sequence[str]) -> str:
    """Names in a sentence."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def at_this_point(evidence: Evidence) -> str:
    """Wrong at a kink, or at one point only."""
    close_by = " Close by it is right." if evidence.only_here else " Close by it is wrong, too:" * bool(evidence.wrong)
    if not np.isfinite(evidence.here.claimed).all():
        bad = [
            part.name for part in evidence.problem.inputs if not np.isfinite(evidence.here.claimed[:, part.slice]).all()
        ]
        where = f", where the function has a {evidence.kink}" if evidence.kink else ""
        if evidence.only_here or evidence.kink:
            return f"the gradient of {_join(bad)} is not finite at this very point{where}. {NOT_FINITE}{close_by}"
    if evidence.kink == "jump":
        return f"the function jumps here, and this is the slope of neither side.{close_by}"
    if evidence.kink:
        return (
            "the function has a kink here, and no mean of the gradients close by is this one. (Conventions that are "
            "right one by one, such as relu'(0) = 0, can add up to such a gradient: move the inputs off the kink to "
            f"check the rest.){close_by}"
        )
    if evidence.only_here and evidence.wrong:
        return (
            f"the gradient of {_join([block.name for block in evidence.wrong])} is wrong at this very point and right "
            f"close by: a special case for this value, or conventions at kinks (relu'(0) = 0) that do not add up?"
        )
    return ""


def not_finite(evidence: Evidence, block: Block) -> str:
    """NaN or infinite, and not because the function is, a bit further on."""
    samples = zip(evidence.samples, block.found, strict=True)
    if all(
        np.isfinite(sample.claimed[:, block.slice] @ block.columns.T)[np.isfinite(f)].all() for sample, f in samples
    ):
        return ""
    return f"the gradient of {{}} is not finite where the slope is. {NOT_FINITE}"


def zero(evidence: Evidence, block: Block) -> str:
    """Nothing at all."""
    if block.claims.any():
        return ""
    if not any(sample.claimed.any() for sample in evidence.samples):
        return "a zero gradient: no path leads from the output to {} (detached, or the rule is missing)."
    return "the gradient of {} is zero: it is dropped, or this input was detached."


PATTERNS: list[Callable[[Evidence, Block], str]] = [
    not_finite,
    zero,
    rearranged.aliased,
    cotangents.rounded,
    cotangents.not_linear,
    factors.number,
    cotangents.summed,
    rearranged.conjugated,
    rearranged.reordered,
    structure.dropped,
    factors.quantity,
    factors.slope,
    structure.region,
    rearranged.taken_for_another,
    rearranged.along_another_axis,
    rearranged.output_for_input,
    rearranged.not_transposed,
    factors.activation,
    structure.misplaced,
    structure.some_outputs,
    terms.term,
    structure.some_entries,
    cotangents.fixed,
    rearranged.given_to_both,
    terms.nearly,
]
"""What is wrong with one input, from what explains all to what explains little."""


def of_faults(problem: Problem) -> Iterator[str]:
    """What the faults of a function mean, in words."""
    means = {
        "input changed": "Work on a copy: who calls the function still needs its inputs.",
        "cotangent changed": "Work on a copy: others may hold the same gradient.",
        "non-deterministic": "Fix the seed inside the function, or take the randomness out of it.",
        "dtype lost": "A dtype is lost on the way back: a float32 array or constant among float64 ones?",
    }
    for fault in problem.faults:
        if fault.kind == "shape":
            yield f"{fault.text} {_about_shape(problem, fault)}"
        elif fault.kind in means:
            yield f"{fault.text} {means[fault.kind]}"


def _about_shape(problem: Problem, fault: Fault) -> str:
    """What a gradient of a wrong shape may be."""
    shape = next(part.shape for part in problem.inputs if part.name == fault.part)
    given = fault.text.partition("has shape ")[2].partition(", but")[0]
    if given == str(shape[::-1]):
        return "It is transposed."
    axes = [int(n) for n in given.strip("(),").split(",") if n.strip()]
    if broadcasts(shape, tuple(axes)):
        return "A sum over a broadcast axis is missing: sum over the axes that were added or stretched."
    return "It is to have the shape of the input."
