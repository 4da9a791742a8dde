"""How an op treats rounding, and gradients, at its values."""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.blaming.local import EXACT, Arrays, Local, finite, host

CONDITION = {8: 1e8, 4: 1e5, 2: 1e3}
"""From which condition number on an op is ill-conditioned, by the bytes of its dtype: few digits, or none, are left."""

STEEP = 1e8
"""From which slope on an op is too steep, if the slope has no bound close by."""

FLAT = 1e-12
"""Below which slope an op is saturated: absolute, and relative to its values."""


def ill_conditioned(local: Local, slopes: Arrays, weights: Arrays) -> str | None:
    """Why the op is ill-conditioned at its values, if it is.

    The condition number is that of Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 1.6: the
    relative change of the output for a relative change of the inputs, sizes being sums of absolute values.

    Args:
        local: the op.
        slopes: its gradients, in float64.
        weights: the cotangents that they are for, of size 1.
    """
    inputs, outputs = ([finite(host(array)) for array in arrays] for arrays in (local.given, local.outputs))
    size = sum(float(np.abs(y).sum()) for y in outputs)
    if not size or not any(x.any() for x in inputs):
        return None
    condition = sum(float(np.abs(x * slope).sum()) for x, slope in zip(inputs, slopes, strict=True)) / size
    if condition > CONDITION[min(array.dtype.itemsize for array in local.given)]:
        return (
            f"its condition number is {condition:.2g}: relative errors of its inputs, such as their rounding, are that "
            f"many times larger in its output."
        )

    def steepest_at(scale: float) -> float:
        return largest(local.backward(weights, *(scale * value for value in local.values(EXACT))))

    steepest = largest(slopes)
    if steepest > STEEP * max(1.0, largest(outputs)) and steepest_at(0.25) > 1.5 * steepest:
        return f"its slope is {steepest:.2g}, and has no bound close by: gradients grow so many times on their way."
    if steepest < FLAT and condition < FLAT:
        # Where it is exactly 0 it has either run out (closer to the origin it is tiny), or is 0 by design (a ReLU's).
        rays = [steepest_at(2 ** (-k / 2)) for k in range(1, 21)] if steepest == 0 else []
        if steepest > 0 or any(0 < slope < 1e-9 * max(rays) for slope in rays):
            return f"it is saturated: its slope is {steepest:.2g}, so that hardly anything of a gradient passes."
    return None


def slope_near(local: Local, i: int, mask: np.ndarray) -> float | None:
    """How steep the op is close to its values, along the first entry of ``mask`` in input ``i``.

    Returns:
        The larger of the two one-sided slopes that can be computed; None if a slope grows as the step shrinks.
    """
    index = tuple(int(place) for place in np.argwhere(mask)[0])

    def value(change: float) -> np.ndarray:
        inputs = local.values(EXACT)
        inputs[i][index] += change * max(1.0, abs(float(inputs[i][index])))
        return np.concatenate([y.ravel() for y in local.forward(*inputs)])

    here = value(0.0)
    rounding = 1e-6 * largest([here])
    slopes = []
    for sign in (1.0, -1.0):
        wide, narrow = (largest([value(sign * h) - here]) / h for h in (1e-4, 1e-8))
        # Outside of its domain the op gives NaN: then the other side counts alone.
        if np.isfinite(wide) and np.isfinite(narrow):
            slopes.append(wide if narrow <= 2 * wide + rounding else np.inf)
    steepest = max(slopes, default=np.inf)
    return steepest if np.isfinite(steepest) else None


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """How far two arrays are apart, relative to the largest value of the second."""
    scale = largest([expected])
    return largest([found - expected]) / scale if scale else 0.0


def largest(arrays: Arrays) -> float:
    """The largest absolute value of all."""
    return max(float(np.max(np.abs(array), initial=0.0)) for array in arrays)
