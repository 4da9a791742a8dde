"""Gradients in another order, in another's place, or of a rule that takes one thing for another.

Each guess is a way to undo the mistake: what comes out is right if that was it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from tensorgrad.testing.checking.causes.evidence import ENOUGH, Block, Evidence, Vector, agree
from tensorgrad.testing.checking.causes.measuring import Asked, Sample
from tensorgrad.testing.checking.parts import Part
from tensorgrad.testing.checking.sampling import unit

Turn = Callable[[Vector], Vector]
Changed = list[tuple[Part, Vector]]

MOST_AXES = 4
"""Arrays of more axes are not tried in all orders."""

SHIFTS = (1, -1, 2, -2, 3, -3, 4, -4)


def swapped(evidence: Evidence) -> str:
    """Two inputs are given each other's gradients, or several in a circle."""
    wrong = evidence.wrong
    for a, b in itertools.combinations(wrong, 2):
        if a.shape == b.shape and _fits(a, b) and _fits(b, a):
            return f"the gradients of {a.name} and {b.name} are swapped."
    if not 3 <= len(wrong) <= 4 or len({block.shape for block in wrong}) > 1:
        return ""
    for order in itertools.permutations(wrong):
        if all(_fits(block, giver) for block, giver in zip(wrong, order, strict=True)):
            each = [f"{giver.name} is given that of {block.name}" for block, giver in zip(wrong, order, strict=True)]
            return f"the gradients are mixed up: {', '.join(each)}."
    return ""


def _fits(block: Block, giver: Block) -> bool:
    """Whether what one input is given is right for the other."""
    return block.is_explained(lambda sample, i: sample.claimed[i, giver.slice])


def aliased(evidence: Evidence, block: Block) -> str:
    """One array for several inputs."""
    for fault in evidence.problem.faults:
        sharing = [other for other in evidence.blocks if other.name in fault.text] if fault.kind == "aliased" else []
        for other in sharing if block in sharing else ():
            # A view of another shape, such as one row of the cotangent, is another mistake.
            if other is not block and other.shape == block.shape:
                return (
                    f"an aliased gradient: those of {{}} and {other.name} share memory, so that what is written to one "
                    f"is written to the other. Return new arrays."
                )
    return ""


def given_to_both(evidence: Evidence, block: Block) -> str:
    """The same gradient as that of another input, where they should differ."""
    for other in evidence.blocks:
        alike = other is not block and other.shape == block.shape and block.claims.any()
        if alike and np.array_equal(block.claims, other.claims):
            return f"the gradient of {{}} is the very same as that of {other.name}: one array for both?"
    return ""


def conjugated(evidence: Evidence, block: Block) -> str:
    """Of the other convention for complex numbers, or with a factor of i."""
    if not block.part.complex:
        return ""

    def turned(turn: Turn) -> Asked:
        return lambda sample, i: turn(sample.claimed[i, block.slice].view(np.complex128)).view(np.float64)

    if block.is_explained(turned(np.conj)):
        return (
            "the gradient of {} is the conjugate of what is expected here, dL/da + i dL/db for z = a + ib (as PyTorch "
            "has it; JAX and autograd have the other one)."
        )
    for factor in (1j, -1j):
        if block.is_explained(turned(lambda g, factor=factor: g / factor)):
            return f"the gradient of {{}} is wrong by a factor of {'i' if factor == 1j else '-i'}."
    return ""


def reordered(evidence: Evidence, block: Block) -> str:
    """The right numbers at the wrong places."""
    shape, e = block.part.shape, block.entries
    if (e.known & ~e.zero)[: e.first].sum() < ENOUGH:
        # One number is turned to any place by something.
        return ""

    def undone(turn: Turn) -> Asked:
        return lambda sample, i: turn(sample.claimed[i, block.slice].reshape(block.shape)).ravel()

    for order in _orders(len(shape)):
        turned = tuple(shape[i] for i in order)

        def turn_back(g: Vector, turned: tuple[int, ...] = turned, order: tuple[int, ...] = order) -> Vector:
            return g.reshape(turned + g.shape[len(turned) :]).transpose(*np.argsort(order), *range(len(order), g.ndim))

        if block.is_explained(undone(turn_back)):
            if turned == shape:
                return f"the gradient of {{}} is transposed: its axes are in the order {order}."
            return (
                "the gradient of {} is in another order. Reshaped where it should be transposed, or in Fortran's order?"
            )
    for turn, words in _turns(shape):
        if block.is_explained(undone(turn)):
            return f"the gradient of {{}} is {words}."
    return ""


def _orders(ndim: int) -> Iterator[tuple[int, ...]]:
    """All orders of the axes but their own."""
    if 2 <= ndim <= MOST_AXES:
        yield from itertools.islice(itertools.permutations(range(ndim)), 1, None)


def _turns(shape: tuple[int, ...]) -> Iterator[tuple[Turn, str]]:
    """Reversals and shifts."""
    long = [axis for axis, n in enumerate(shape) if n > 1]
    for axis in long:
        yield (lambda g, axis=axis: np.flip(g, axis)), f"reversed along axis {axis}"
    if len(long) > 1:
        yield (lambda g, axes=tuple(long[-2:]): np.flip(g, axes)), f"reversed along the axes {tuple(long[-2:])}"
    for axis, shift in itertools.product(long, SHIFTS):
        if 2 * abs(shift) <= shape[axis] and shape[axis] > 2:
            words = f"shifted by {abs(shift)} along axis {axis}" + ": an index off by one" * (abs(shift) == 1)
            yield (lambda g, axis=axis, shift=shift: np.roll(g, shift, axis)), words


def taken_for_another(evidence: Evidence, block: Block) -> str:
    """The rule would be right if something that it is given were transposed, reversed, exchanged, ..."""
    e = block.entries
    if (e.known & ~e.zero)[: e.first].sum() < 2:
        return ""
    for change, words in _others(evidence, block):

        def undone(sample: Sample, i: int, change: Callable[..., tuple[Changed, Changed]] = change) -> Vector:
            u = evidence.rows.cotangent(i)
            inputs, outputs = change(sample, u)
            return evidence.pull(_replaced(sample.x, inputs), _replaced(u, outputs))[block.slice]

        if block.is_explained(undone):
            return f"the rule for the gradient of {{}} takes {words}"
        if "transposed" in words and "above" not in words:
            for scale, missing in (
                (0.5, "is for symmetric matrices only: the mean over"),
                (1.0, "lacks the term with"),
            ):
                if block.is_explained(lambda s, i, f=undone, c=scale: c * (s.claimed[i, block.slice] + f(s, i))):
                    what = words.partition(" transposed")[0]
                    return (
                        f"the rule for the gradient of {{}} {missing} {what} and its transpose would be right.".replace(
                            "lacks the term with", "has only one of two terms: the sum over"
                        )
                    )
    return ""


def _others(
    evidence: Evidence, block: Block
) -> Iterator[tuple[Callable[[Sample, Vector], tuple[Changed, Changed]], str]]:
    """What to call the rule with instead, and what it does wrong if it is right then."""
    inputs, outputs = evidence.problem.inputs, evidence.problem.outputs
    for a, b in itertools.combinations(inputs, 2):
        if (a.shape, a.complex) == (b.shape, b.complex):
            yield (
                lambda s, u, a=a, b=b: ([(a, b.array(s.x)), (b, a.array(s.x))], []),
                f"{a.name} for {b.name}, or the other way round.",
            )
    for a, b in itertools.combinations(outputs, 2):
        if (a.shape, a.complex) == (b.shape, b.complex):
            yield (
                lambda s, u, a=a, b=b: ([], [(a, b.array(u)), (b, a.array(u))]),
                f"the gradient of {a.name}, from above, for that of {b.name}, and the other way round.",
            )
    if block.only_output is not None:
        yield (
            lambda s, u, output=block.only_output: ([(block.part, output.array(s.y))], []),
            f"{block.name} for the output: it would be right with the output in its place.",
        )
    # What is right for some entries takes no sign wrongly: those of the others lead into another branch.
    branches = block.entries.elementwise and bool((block.entries.right & ~block.entries.zero).any())
    for part in inputs:
        if not branches:
            yield lambda s, u, part=part: ([(part, -part.array(s.x))], []), f"{part.name} with the wrong sign."
        for turn, words in _all_turns(part):
            yield (
                lambda s, u, part=part, turn=turn: ([(part, turn(part.array(s.x)))], []),
                f"{part.name} {words}, or does not where it should.",
            )
    for part in outputs:
        for turn, words in _all_turns(part):
            yield (
                lambda s, u, part=part, turn=turn: ([], [(part, turn(part.array(u)))]),
                f"the gradient of {part.name}, from above, {words}, or does not where it should.",
            )


def _all_turns(part: Part) -> Iterator[tuple[Turn, str]]:
    if part.complex:
        yield np.conj, "as its conjugate"
    for order in _orders(len(part.shape)):
        if tuple(part.shape[i] for i in order) == part.shape:
            yield (
                (lambda a, order=order: a.transpose(order)),
                "transposed" if len(order) == 2 else (f"transposed (axes in the order {order})"),
            )
    for turn, words in _turns(part.shape):
        yield turn, words.partition(":")[0]


def _replaced(vector: Vector, parts: Changed) -> Vector:
    changed = vector.copy()
    for part, array in parts:
        flat = np.ascontiguousarray(array).ravel()
        changed[part.slice] = flat.view(np.float64) if part.complex else flat
    return changed


def along_another_axis(evidence: Evidence, block: Block) -> str:
    """The rule would be right if all square arrays were transposed: axes are mixed up, or the order of a product."""
    inputs, outputs = evidence.problem.inputs, evidence.problem.outputs

    def turned(vector: Vector, parts: list[Part]) -> Vector:
        return _replaced(vector, [(part, part.array(vector).swapaxes(-1, -2)) for part in parts if _is_square(part)])

    if not any(map(_is_square, inputs)):
        return ""
    if block.is_explained(
        lambda sample, i: turned(
            evidence.pull(turned(sample.x, inputs), turned(evidence.rows.cotangent(i), outputs)), inputs
        )[block.slice]
    ):
        return (
            "the rule for the gradient of {} would be right for transposed arrays: it goes along the wrong axis, or "
            "multiplies in the wrong order."
        )
    return ""


def _is_square(part: Part) -> bool:
    return len(part.shape) > 1 and part.shape[-1] == part.shape[-2]


def not_transposed(evidence: Evidence, block: Block) -> str:
    """The Jacobian for its transpose: what the function does is done again, where it should be undone."""
    outputs = evidence.problem.outputs
    size = block.slice.stop - block.slice.start
    if len(outputs) != 1 or outputs[0].slice.stop != size or size < 2:
        return ""
    for sample, found, errors in zip(evidence.samples, block.found, block.errors, strict=True):
        for c, direction in enumerate(block.columns):
            forward = evidence.rows(evidence.pull(sample.x, direction)[block.slice])
            if not agree(forward, found[:, c], errors[:, c], block.close).all():
                return ""
    return (
        "the gradient of {} is multiplied with the Jacobian where it should be with its transpose: the backward pass "
        "does what the forward pass does (a permutation, a shift, a rotation, a cumulative sum) once more, where it "
        "should go the other way."
    )


def output_for_input(evidence: Evidence, block: Block) -> str:
    """The slope at the output for that at the input."""
    sample, e = evidence.samples[0], block.entries
    if block.only_output is None or not e.elementwise or block.part.complex:
        return ""
    x = _replaced(sample.x, [(block.part, block.only_output.array(sample.y))])
    y = evidence.prober.value(x)
    told = 0
    for row, column in np.argwhere(e.wrong[: e.first])[:6]:
        direction = unit(len(x), block.slice.start + int(e.places[column]))
        found, errors = (slopes[[row]] for slopes in evidence.prober.slopes(x, y, direction))
        weight = evidence.rows.weights[row]
        if not agree(e.claimed[row, [column]], found / weight, errors / abs(weight), block.close).all():
            return ""
        told += int(errors[0] < 1e-3 * abs(found[0]))
    return "the rule for the gradient of {} takes the output for {}: this is the slope there." if told > 2 else ""
