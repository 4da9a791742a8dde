"""The point of a convex hull that is nearest to another."""

from __future__ import annotations

import numpy as np

Vector = np.ndarray


def nearest_in_hull(points: Vector, target: Vector) -> tuple[Vector, Vector]:
    """The point of the convex hull of ``points`` (k, d) that is nearest to ``target`` (d,), and the weights (k,) of it.

    The weights are those of the least squares problem with weights that are not negative and add up to 1, solved by
    active sets (C. L. Lawson and R. J. Hanson, Solving Least Squares Problems, 1974).

    Example:
        >>> nearest_in_hull(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]), np.array([1.0, -1.0]))
        (array([1., 0.]), array([0.5, 0.5, 0. ]))
    """
    shifted = points - target
    heavy, size = 1e3, float(np.abs(shifted).max()) or 1.0
    a = np.concatenate([shifted.T / size, np.full((1, len(points)), heavy)])
    b = np.concatenate([np.zeros(len(target)), [heavy]])
    weights = np.zeros(len(points))
    active = np.zeros(len(points), bool)
    for _ in range(10 * len(points)):
        gain = a.T @ (b - a @ weights)
        gain[active] = -np.inf
        j = int(gain.argmax())
        if gain[j] <= 1e-14 * heavy * heavy or active.all():
            break
        active[j] = True
        while True:
            trial = np.zeros(len(points))
            trial[active] = np.linalg.lstsq(a[:, active], b, rcond=None)[0]
            if trial[active].min() > 0:
                break
            falling = active & (trial <= 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                steps = weights[falling] / (weights[falling] - trial[falling])
            step = float(np.nanmin(steps)) if steps.size else 0.0
            weights = weights + step * (trial - weights)
            active &= weights > 1e-14
            if not active.any():
                break
        if not active.any():
            break
        weights = trial
    total = weights.sum()
    weights = weights / total if total else np.eye(len(points))[0]
    return weights @ points, weights
