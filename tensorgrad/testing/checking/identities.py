"""What a rule has to be, whatever its numbers: linear in the cotangent, and the same in both directions."""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.checking.problem import Problem
from tensorgrad.testing.checking.sampling import signed

FAR = 2.0**40
"""How many times as large and as small a cotangent is given to a rule; a power of two, so that nothing is rounded."""

ADDED = 1e-5
"""By how much the gradient of a sum may differ from the sum of gradients, relative to the largest entry."""

SCALED = (0.7131, 0.9277, 1.1173, 1.3391)
"""What a cotangent is multiplied by to see how much a rule rounds: short decimals may multiply exactly."""

SIGNS = 12
"""At so many places close by an identity has to fail in the same way."""

TINY = 1e-280
"""Gradients below this may vanish when they are divided by that."""

IDENTITY = 1e-9
"""By how much <Ju, v> and <u, J'v> may differ, relative to the sizes of the vectors: rounding alone."""


@np.errstate(all="ignore")
def linearity(problem: Problem, rng: np.random.Generator) -> list[str]:
    """Whether a rule is linear in what comes from above: for much larger and smaller ones, and for sums."""
    finite = np.isfinite(problem.value(problem.x))
    u = rng.standard_normal(len(finite)) * finite
    v = signed(rng, u.shape) * 10 ** rng.uniform(-4, 0, u.shape) * finite

    def pull(cotangent: np.ndarray) -> np.ndarray:
        return problem.pull(problem.x, cotangent)

    def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        # What may have overflowed, or vanished, tells nothing.
        told = np.isfinite(one) & np.isfinite(other) & (np.abs(one) > TINY)
        one, other = np.where(told, one, 0.0), np.where(told, other, 0.0)
        return np.array(
            [
                np.abs(one - other)[part.slice].max(initial=0.0) / (np.abs(one)[part.slice].max(initial=0.0) or 1.0)
                for part in problem.inputs
            ]
        )

    try:
        gradient = pull(u)
        worst = apart(gradient, -pull(-u))
        if problem.low_precision is None:
            for factor in (FAR, 1 / FAR):
                worst = np.maximum(worst, apart(gradient, pull(factor * u) / factor))
            # The rule may round, where its terms cancel.
            together = pull(u + v)
            share = np.array([np.abs(np.nan_to_num(together[part.slice])).max(initial=0.0) for part in problem.inputs])
            # What is nothing beside the other inputs' gradients may be rounding and no more.
            share = share / (share.max(initial=0.0) or 1.0)
            rounding = np.max([apart(gradient, pull(factor * u) / factor) for factor in SCALED], axis=0)
            alone = apart(together, gradient + pull(v)) * share
            worst = np.maximum(worst, np.where(alone > np.maximum(ADDED, 100 * rounding), alone, 0.0))
    except problem.engine.domain_errors:
        return []
    epsilon = float(np.finfo(problem.low_precision or np.float64).eps)
    return [
        f"the gradient of {part.name} is not linear in the gradient that comes from above (the cotangent): to "
        f"larger or smaller ones, or to sums of them, belong others than it gives. Is something clipped, normalised "
        f"or left out?"
        for part, gap in zip(problem.inputs, worst, strict=True)
        if gap > 1e4 * epsilon
    ][:1]


def dot_product(problem: Problem, before: Problem, rng: np.random.Generator) -> list[str]:
    """The dot-product identity between a rule and its derivative with respect to the cotangent."""
    n = len(before.x)
    u, v = rng.standard_normal(before.outputs[-1].slice.stop), rng.standard_normal(n)

    def both(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pushed = problem.pull(np.concatenate([x, problem.x[n:]]), v)[n:]
        return pushed * u, before.pull(x, u) * v

    pushed, pulled = both(before.x)
    one, other = float(pushed.sum()), float(pulled.sum())
    size = max(float(np.abs(pushed).sum()), float(np.abs(pulled).sum()))
    epsilon = np.finfo(before.low_precision or np.float64).eps
    # A slope of zero is rounded like the value that it is the slope of.
    natural = float(np.abs(before.value(before.x)) @ np.abs(u)) * float(np.abs(v).max(initial=0.0))
    allowed = max(IDENTITY, 100 * float(epsilon)) * size + 64 * float(epsilon) * natural
    if not np.isfinite(size) or abs(one - other) <= allowed:
        return []
    # Where terms cancel, what is left of them differs by rounding: now one is larger, now the other.
    signs = set()
    for _ in range(SIGNS):
        pushed, pulled = both(before.x * (1 + 0.03 * rng.uniform(-1, 1, n)))
        signs.add(np.sign(pushed.sum() - pulled.sum()))
    if {-1.0, 1.0} <= signs:
        return []
    return [
        f"the dot-product identity fails: <Ju, v> = {one:.10g}, <u, J'v> = {other:.10g}. The rule is another one when "
        f"it is recorded itself."
    ]
