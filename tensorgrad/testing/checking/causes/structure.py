"""Gradients of which some entries or contributions are wrong, and the others are right."""

from __future__ import annotations

import math

import numpy as np

from tensorgrad.testing.checking.causes.evidence import Block, Entries, Evidence, Vector, agree, broadcasts

UNLIKELY, VERY_UNLIKELY = 10, 40
"""What happens by chance in no more than one of so many cases is no chance; if much is tried, there is more of that."""


def dropped(evidence: Evidence, block: Block) -> str:
    """What is not right is zero: some contributions do not count."""
    e = block.entries
    gone, kept = e.lost, e.right & ~e.zero
    if not gone.any() or (e.wrong & ~gone).any() or not kept.any():
        return ""
    return _diagonal(block, gone, kept) or _outputs(evidence, block, gone, kept) or _uses(block, gone, kept)


def _diagonal(block: Block, gone: Vector, kept: Vector) -> str:
    """Whether entries of the output's shape count where they meet themselves only, or everywhere else."""
    output, e = block.only_output, block.entries
    if output is None:
        return ""
    own = e.outputs[:, None] == e.places
    if not (kept & ~own).any() and not (gone & own).any():
        return (
            "the gradient of {} is that of the diagonal of the Jacobian only: each output depends on other entries, "
            "too (as in a softmax)."
        )
    if not (kept & own).any() and not (gone & ~own).any():
        return "the gradient of {} lacks the diagonal of the Jacobian: an index off by one?"
    return ""


def _outputs(evidence: Evidence, block: Block, gone: Vector, kept: Vector) -> str:
    """Whether some outputs count, and others do not."""
    outputs, e = evidence.problem.outputs, block.entries
    if (gone.any(axis=1) & kept.any(axis=1)).any():
        return ""
    for output in outputs:
        inside = (e.outputs >= output.slice.start) & (e.outputs < output.slice.stop)
        if gone[inside].any() and not kept[inside].any() and not gone[~inside].any():
            return f"the gradient of {{}} is dropped on one path: that from {output.name} does not count."
        if gone[inside].any() and block.part.shape != output.shape and broadcasts(block.part.shape, output.shape):
            return (
                f"a sum over a broadcast axis is missing: {{}}, of shape {block.part.shape}, is used all over "
                f"{output.name}, of shape {output.shape}, and only some of its uses count."
            )
    return ""


def _uses(block: Block, gone: Vector, kept: Vector) -> str:
    """Whether each entry has uses that count."""
    e = block.entries
    columns = np.asarray(gone.any(axis=0))
    if (columns <= kept.any(axis=0)).all():
        return (
            "the gradient of {} is dropped on some paths: an entry is used in several places, and not all of them "
            "count. Assigned where it should be added (= for +=; numpy.add.at for indices that occur twice)?"
        )
    if not (columns & kept.any(axis=0)).any():
        where = _which(block.entries, columns) or (
            "for some of its entries, the first of them " + _first(e, columns),
            "",
        )
        return f"the gradient of {{}} is dropped on one path: it is zero {where[0]}.{where[1]}"
    return "the gradient of {} is dropped on one path: some contributions are right, others are zero."


def misplaced(evidence: Evidence, block: Block) -> str:
    """There is a gradient where there is no slope, and maybe none where there is one."""
    e = block.entries
    extra = e.wrong & e.zero
    if not extra.any() or (e.wrong & ~extra & ~e.lost).any():
        return ""
    if (e.wrong & e.lost & ~extra).any():
        return (
            "the gradient of {} goes to other entries than it should: an index, a mask or an order that is not that of "
            "the forward pass?"
        )
    if not any(np.nan_to_num(found).any() for found in block.found):
        return "the gradient of {} is not zero, but the slope is: " + _why_flat(evidence, block)
    columns = extra.any(axis=0)
    where = _which(e, columns) if not (columns & (e.right & ~e.zero).any(axis=0)).any() else None
    place, hint = where or ("where there is no slope", "")
    return f"the gradient of {{}} is not zero {place}, and should be: a mask or an index left out?{hint}"


def _why_flat(evidence: Evidence, block: Block) -> str:
    x, prober = evidence.here.x, evidence.prober
    moved = np.array([x, x])
    far = prober.rng.uniform(1, 3, x[block.slice].shape) * (1 + np.abs(x[block.slice]))
    moved[:, block.slice] += np.array([[1.0], [-1.0]]) * far
    if all(np.array_equal(prober.value(other), evidence.here.y) for other in moved):
        return "the output does not change with {} at all."
    return "here the output does not change with {}. Is it masked, clipped, rounded, compared?"


def some_outputs(evidence: Evidence, block: Block) -> str:
    """Wrong for one of several outputs."""
    e = block.entries
    rows = np.tile(np.arange(e.first), len(evidence.samples))
    bad = np.isin(rows, rows[e.wrong.any(axis=1)])
    good = (e.right & ~e.zero).any(axis=1) & ~bad
    for output in evidence.problem.outputs:
        inside = (e.outputs >= output.slice.start) & (e.outputs < output.slice.stop)
        apart = bad.any() and good.any() and not (bad & ~inside).any() and not (good & inside).any()
        if len(evidence.problem.outputs) > 1 and apart:
            return f"the gradient of {{}} {_how(e)} as far as it comes from {output.name}; the rest is right."
    return ""


def region(evidence: Evidence, block: Block) -> str:
    """Of an elementwise function: wrong on one side of a threshold, or at certain places."""
    e, manner = block.entries, _how(block.entries)
    if not e.elementwise or (e.wrong & e.zero).any() or (manner == "is wrong" and block.distance < 1e-2):
        return ""
    which = _which(e, np.asarray(e.wrong.any(axis=0)))
    return f"the gradient of {{}} {manner} {which[0]}; the rest is right.{which[1]}" if which else ""


def some_entries(evidence: Evidence, block: Block) -> str:
    """Which are wrong, if not all."""
    e = block.entries
    seen = (e.known & ~(e.right & e.zero & (e.claimed == 0))).any(axis=0)
    bad = np.asarray(e.wrong.any(axis=0))
    if not bad.any() or not (seen & ~bad).any():
        return ""
    which, manner = _which(e, bad, seen), _how(e)
    if 2 * bad.sum() > seen.sum() and manner == "is wrong" and block.distance < 1e-2:
        return ""
    if which:
        return f"the gradient of {{}} {manner} {which[0]}; the rest is right.{which[1]}"
    if 2 * bad.sum() > seen.sum() and manner == "is wrong":
        return ""
    count = "one entry" if bad.sum() == 1 else f"{int(bad.sum())} of the {int(seen.sum())} entries that were compared"
    first = f", {_first(e, bad)}" if bad.sum() == 1 else f", the first of them {_first(e, bad)}"
    return f"the gradient of {{}} {manner} for {count}{first}; the rest is right."


def _first(e: Entries, columns: Vector) -> str:
    part = e.block.part
    entry, word = part.entry(int(e.places[columns][0]) + part.slice.start)
    return f"[{', '.join(map(str, entry))}]{f' ({word} part)' if word else ''}"


def _which(e: Entries, bad: Vector, seen: Vector | None = None) -> tuple[str, str] | None:
    """Where certain entries of an input are, and no others, in words, and what that hints at."""
    part = e.block.part
    seen = np.asarray(e.known.any(axis=0)) if seen is None else seen
    good = seen & ~bad
    if not part.shape or min(bad.sum(), good.sum()) < 2:
        return None
    if part.complex:
        odd = e.places % 2
        words = {(1, 0): "in the imaginary parts", (0, 1): "in the real parts"}.get((odd[bad].mean(), odd[good].mean()))
        return (words, "") if words else None
    # One of how many choices of as many entries it is.
    choices = math.comb(int(bad.sum() + good.sum()), int(bad.sum()))
    index = np.array(np.unravel_index(e.places, part.shape))
    for axis, line in enumerate(index if len(index) > 1 else ()):
        if len(set(line[bad])) == 1 and line[bad][0] not in line[good] and choices > UNLIKELY:
            return f"at index {line[bad][0]} of axis {axis}", ""
    if len(index) == 2 and part.shape[0] == part.shape[1] and choices > UNLIKELY:
        own = index[0] == index[1]
        for on, words in ((own, "on"), (~own, "off")):
            if on[bad].all() and not on[good].any():
                return f"{words} the diagonal", ""
    for values, words in ((e.x[0], "{}"), (np.abs(e.x[0]), "the absolute value of {}")):
        for side, flip in (("below", 1), ("above", -1)):
            low, high = float((flip * values[bad]).max()), float((flip * values[good]).min())
            edge = _between(*sorted((flip * low, flip * high)))
            if low < high and choices > (UNLIKELY if edge == "0" else VERY_UNLIKELY):
                return f"where {words} is {side} {edge}", " One branch of a where, or a clip?"
    for words, first, last in (("up to", bad, good), ("from", good, bad)):
        if e.places[first].max() < e.places[last].min() and choices > VERY_UNLIKELY:
            edge = e.places[bad].max() if words == "up to" else e.places[bad].min()
            return f"{words} entry {list(map(int, np.unravel_index(edge, part.shape)))}{' on' * (words == 'from')}", ""
    return None


def _between(a: float, b: float) -> str:
    """The shortest number between two."""
    if a <= 0 <= b:
        return "0"
    texts = (f"{(a + b) / 2:.{digits}g}" for digits in range(1, 17))
    return next((text for text in texts if a <= float(text) <= b), repr(b))


def _how(e: Entries) -> str:
    """What is wrong with entries, if it is simple."""
    if e.lost.any() and not (e.wrong & ~e.lost).any():
        return "is zero"
    ratio = (e.claimed / e.found)[e.wrong & ~e.zero]
    usual = float(np.median(ratio)) if len(ratio) else 0.0
    if (e.wrong & e.zero).any() or not usual:
        return "is wrong"
    if not agree(ratio, np.full(ratio.shape, usual), 0 * ratio, 10 * e.block.close).all():
        return "is wrong"
    return "has the wrong sign" if abs(usual + 1) < 1e-5 else f"is wrong by a factor of {usual:.6g}"
