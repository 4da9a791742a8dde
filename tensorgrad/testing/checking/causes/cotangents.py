"""What a backward pass does with the gradient that it is given, and what it keeps from elsewhere."""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.checking.causes.evidence import Block, Evidence, Vector

LINEAR = 1e-7
"""By how much, relative to its size, a linear backward pass may seem not to be."""

FROM_ABOVE = "the gradient that comes from above (the cotangent)"


def _equal(a: Vector, b: Vector, close: float) -> bool:
    size = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    return bool((np.abs(a - b) <= close * size).all())


def not_linear(evidence: Evidence, block: Block) -> str:
    """It ignores the cotangent, adds to it, or bends it."""
    x, u, rng = evidence.samples[0].x, evidence.cotangent, evidence.prober.rng
    other = u * rng.uniform(0.3, 2.0, u.shape) * rng.choice([-1.0, 1.0], u.shape)
    pulled = [evidence.pull(x, v)[block.slice] for v in (u, 0 * u, -3 * u, other, u + other)]
    if not np.isfinite(pulled).all():
        return ""
    once, nothing, thrice, second, both = pulled
    close = max(LINEAR, 100 * evidence.prober.epsilon)
    if nothing.any() and _equal(once, second, close):
        what = "it is the same whatever that is. Multiply by it."
    elif nothing.any():
        what = "there is a part in it that is there even when that is zero. A term that is not multiplied by it?"
    elif not _equal(thrice, -3 * once, close):
        what = "-3 times that does not give -3 times as much. Clipped, squared, or its sign lost?"
    elif not _equal(both, once + second, close):
        what = "that of a sum is not the sum of those of its terms."
    else:
        return ""
    return f"the gradient of {{}} is not linear in {FROM_ABOVE}: {what}"


def summed(evidence: Evidence, block: Block) -> str:
    """It takes the sum, or the mean, of the cotangent, for the cotangent itself."""
    x, rng, outputs = evidence.samples[0].x, evidence.prober.rng, evidence.problem.outputs
    for part in outputs:
        size = part.slice.stop - part.slice.start
        u, change = np.zeros(len(evidence.cotangent)), rng.uniform(-1, 1, size)
        u[part.slice] = rng.uniform(0.5, 1.5, size)
        once = evidence.pull(x, u)[block.slice]
        u[part.slice] += change - change.mean()
        if size > 1 and once.any() and _equal(evidence.pull(x, u)[block.slice], once, LINEAR):
            name = "" if len(outputs) == 1 else f" for {part.name}"
            return f"the gradient of {{}} depends on the sum of {FROM_ABOVE}{name} alone: multiply first, and sum then."
    if len(outputs) > 1 and len({(part.shape, part.complex) for part in outputs}) == 1:
        u = rng.uniform(0.5, 1.5, len(evidence.cotangent))
        once, turned = (evidence.pull(x, v)[block.slice] for v in (u, np.roll(u, outputs[0].slice.stop)))
        if once.any() and _equal(turned, once, LINEAR):
            return "the gradient of {} is the same when the outputs' gradients are exchanged: they are added too early."
    return ""


def rounded(evidence: Evidence, block: Block) -> str:
    """A dtype is lost on the way, and found again at the end."""
    if evidence.problem.low_precision or block.gap > 0.05:
        return ""
    x, u, tiny = evidence.samples[0].x, evidence.cotangent, 1 + 1e-11
    moved_to = x * tiny
    once, other, *more = [
        evidence.pull(z, v)[block.slice] for z, v in ((x, u), (x * 1.001, u), (x, u * tiny), (moved_to, u))
    ]
    for moved, what, matters in zip(more, ("the gradient from above", "an input"), (once, other - once), strict=True):
        if what == "an input" and np.array_equal(evidence.prober.value(moved_to), evidence.samples[0].y):
            # The function does not change either.
            continue
        use = (once != 0) & (np.abs(matters) > 1e-6 * np.abs(once))
        if use.any() and (moved == once)[use].mean() > 0.5:
            bits = 32 if block.gap < 1e-5 else 16
            return (
                f"a dtype is lost: the gradient of {{}} passes through float{bits}. (It does not change when {what} "
                f"changes by 1e-11 of itself.)"
            )
    return ""


def fixed(evidence: Evidence, block: Block) -> str:
    """It does not depend on where the inputs are, though the slope does."""
    first, prober = evidence.samples[0], evidence.prober
    elsewhere = prober.beside(0.1)
    here, there = (evidence.pull(x, evidence.cotangent)[block.slice] for x in (first.x, elsewhere))
    if not here.any() or not _equal(here, there, 1e-14):
        return ""
    y = prober.value(elsewhere)
    for c, found, errors in zip(block.which, block.found[0].T, block.errors[0].T, strict=True):
        moved, more = prober.slopes(elsewhere, y, evidence.columns[c])
        if (np.abs(moved - found) > 10 * (errors + more) + 1e-3 * np.abs(moved)).any():
            return (
                "the gradient of {} is the same wherever the inputs are, but the slope is not. Values kept from "
                "another call (a global, a closure, a default argument), a factor left out, or a "
                "function taken for linear?"
            )
    return ""


def stale(evidence: Evidence) -> str:
    """It depends on the call before."""
    x, u = evidence.problem.x, evidence.cotangent
    elsewhere = evidence.prober.beside(0.1)
    before = evidence.pull(x, u)
    evidence.prober.value(elsewhere)
    after_forward = evidence.pull(x, u)
    evidence.pull(elsewhere, u)
    after_backward = evidence.pull(x, u)
    seen = np.isfinite([before, after_forward, after_backward]).all()
    if not seen or (_equal(after_forward, before, 1e-9) and _equal(after_backward, before, 1e-9)):
        return ""
    return (
        "a stale value: the gradient depends on the call before, so something is kept from one call to the next (a "
        "global, a closure, a default argument)."
    )
