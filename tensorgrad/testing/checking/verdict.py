"""The verdict on one derivative: is it wrong, or does something excuse it?

Only what nothing excuses is called wrong: two independent series of steps agree with each other and not with the claim,
they are much more exact than what they disagree about, and the claim is no mean of the gradients close by.
"""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.checking.behaviour import Curve
from tensorgrad.testing.checking.claims import Claims
from tensorgrad.testing.checking.differences import RATIO, STEP, Line, Slopes
from tensorgrad.testing.checking.entries import HULL, ROUNDING, Entry
from tensorgrad.testing.checking.kinks import Neighbourhood, look_around
from tensorgrad.testing.checking.oracles import (
    SAFETY,
    complex_step,
    differences,
    extended_differences,
    one_sided,
    steps_of_all_sizes,
)
from tensorgrad.testing.checking.sampling import signed, unit

Vector = np.ndarray

EXACT = 1e-6
"""An oracle that is less exact than this, relative to the derivative, is helped by others."""

STEADY = 1e-3
"""A slope that is known as exactly as this has a bound."""

SLOPPY = 1e-8
"""So much, relative to the derivative, a formula may lose whose function loses nothing; float32 loses more."""

NOISY = 100.0
"""A function whose values scatter by more units in the last place than this is computed from terms that cancel."""

SLIGHT_KINK = 1e-6
"""Slopes of both sides that differ by less than this, relative to them, look like one slope to a hull."""

KINKED = 4
"""Into so many further inputs with kinks the hull reaches, where there are many inputs."""


class Judge:
    """Says what each claim is worth.

    Args:
        claims: the claims.
        rtol: the relative difference that is let pass, whatever the oracle.
        atol: the absolute one.
        rng: for what is drawn.
        all_columns: whether the gradients are compared in all inputs.

    Attributes:
        hulls: what was seen around the point, by the number of the combination of outputs.
    """

    def __init__(self, claims: Claims, rtol: float, atol: float, rng: np.random.Generator, all_columns: bool) -> None:
        self.claims, self.rtol, self.atol, self.rng, self.all_columns = claims, rtol, atol, rng, all_columns
        self.hulls: dict[int, Neighbourhood] = {}
        self._kinks: dict[int, Vector] = {}
        self._grains: dict[int, float] = {}

    def __call__(
        self, line: Line, i: int, claimed: float, reference: float, slopes: Slopes, adds_up: bool = True
    ) -> Entry:
        """The verdict on one entry, with all that may explain why it differs from the differences.

        Where slopes do not add up to that along the whole direction there is a kink, be it to be seen or not.
        """
        direction = line.direction

        def entry(found: float, error: float, status: str = "agrees", oracle: str = "") -> Entry:
            size = max(reference, abs(found)) if np.isfinite(found) else reference
            tolerance = self.atol + self.rtol * size + SAFETY * error
            known = error if status not in ("kink", "jump") else float("nan")
            return Entry(i, direction, claimed, found, tolerance, status, oracle or kind, known)

        found, error, step = float(slopes.values[i]), float(slopes.errors[i]), float(slopes.steps[i])
        kind = "one-sided differences" if slopes.one_sided[i] else "central differences"
        curve = Curve(line, i, self.claims.scale(direction), self.rng)
        if not np.isfinite(claimed):
            grows = curve.grows_like(claimed, steps_of_all_sizes(self.claims, direction, 1.0)[-1][-8:])
            return entry(found, error, "singular" if grows else "wrong")
        if not np.isfinite(error):
            return entry(found, np.inf, "unverified")
        nothing = float(self.claims.nothing(direction)[i])
        if abs(claimed) <= nothing and abs(found) <= nothing:
            # From farther away there was a slope: is this one of the steps in which the function goes?
            rounded = curve.rounded_slope(found, step, 1) if curve.is_single() else None
            if rounded is not None and entry(*rounded[:2]).excess > 1:
                return entry(*rounded[:2], "wrong", ROUNDING)
            return Entry(i, direction, claimed, found, nothing, "agrees", kind, error)
        first = entry(found, error)
        close = first.excess <= 1
        if close and error <= EXACT * max(abs(found), abs(claimed)):
            return first

        first_step = STEP * curve.scale
        bent = not close and bool(line.bends(first_step)[i] and not line.straightens(first_step, step)[i])
        if bent:
            # The kink is seen from so far, however small the step is that the difference was best with.
            step = max(step, first_step)
            seen, _ = self._around(curve, step)
            if seen is not None and seen.inside and seen.varies:
                return entry(found, abs(claimed - found), "kink", HULL)
            if self._is_between(line, i, claimed):
                return entry(found, abs(claimed - found), "kink", "one-sided differences")

        # Agreement that tells little, or none: what do sharper oracles say?
        stepped = complex_step(self.claims, line, i)
        if stepped is not None:
            sharp = entry(*stepped, "agrees", "complex step")
            if sharp.excess <= 1 and (close or abs(stepped[0] - found) <= SAFETY * error):
                return sharp
        again = differences(self.claims, line, 0.61)
        extended = extended_differences(self.claims, line, 1.0)
        if (
            extended is not None
            and extended.errors[i] < error
            and abs(extended.values[i] - found) <= SAFETY * (error + extended.errors[i])
        ):
            kind = "differences in extended precision"
            found, error, step = (float(part[i]) for part in (extended.values, extended.errors, extended.steps))
            again = extended_differences(self.claims, line, 0.61) or again
            first = entry(found, error)
            close = first.excess <= 1
        natural = float(self.claims.rows.sizes(np.nan_to_num(self.claims.center))[i]) / curve.scale
        if close and error <= max(1e-3 * max(abs(found), abs(claimed)), EXACT * natural):
            return first

        # They differ. Is it the function's rounding, or the rule's?
        rounded = None if close else curve.rounded_slope(found, step)
        if rounded is not None:
            kind = ROUNDING
            found, error, step = rounded
            if entry(found, error).excess <= 1:
                return entry(found, error, "rounded")
        gap = abs(claimed - found)
        if not close and rounded is None:
            # Two series of steps have to agree on what the slope is.
            apart = abs(float(again.values[i]) - found)
            if not apart <= 0.1 * gap:
                error = max(error, apart)
                close = not gap > SAFETY * error
        slight = gap <= 1e-4 * float(np.abs(np.nan_to_num(self.claims.gradients, posinf=0.0, neginf=0.0)).max())
        if not close and slight and not bent:
            doubt = self._scatter(curve, step, (gap - SAFETY * error) / SAFETY)
            if gap <= SAFETY * (error + doubt):
                return entry(found, error + doubt, "ill-conditioned")

        # Or is there no derivative here?
        (seen, column), jump = (None, direction), curve.jumps()
        if jump or not adds_up or not self._is_smooth(line, curve, found, error, gap):
            seen, column = self._around(curve, step)
        if seen is not None and seen.inside and (seen.varies_along(line.direction) or jump):
            return entry(found, gap, "jump" if jump else "kink", HULL)
        told = gap > 10 * error and error < 0.05 * abs(found)
        if not told and not error <= STEADY * abs(found) and curve.is_vertical():
            return entry(found, np.inf, "singular")
        if seen is not None and not seen.inside and (jump or seen.varies):
            direction, claimed = column, float(self.claims.gradients[i] @ column)
            return entry(seen.nearest, seen.tolerance * abs(seen.nearest), "wrong", HULL)
        if close:
            # A slope of zero is known well if it is beside those close by.
            h = STEP * curve.scale
            nearby = max(abs(float(line.quotient(*pair)[0][i])) for pair in ((h, 0.0), (0.0, -h)))
            return entry(found, error, "agrees" if error <= STEADY * nearby else "unverified")
        doubt = self._scatter(curve, step, (gap - SAFETY * error) / SAFETY)
        if gap <= SAFETY * (error + doubt):
            return entry(found, error + doubt, "ill-conditioned")
        grain = self._grain(i)
        coarse = rounded is None and grain > NOISY * self.claims.epsilon * natural * curve.scale
        if coarse and curve.hides(found, gap, grain, step):
            return entry(found, gap, "unverified")
        return entry(found, error, "wrong")

    def _is_between(self, line: Line, i: int, claimed: float) -> bool:
        """Whether a kink is so slight that no hull would show it, and the claim between the slopes of both sides."""
        sides = [one_sided(self.claims, line, side) for side in (1, -1)]
        slopes, errors = (np.array([getattr(side, part)[i] for side in sides]) for part in ("values", "errors"))
        slight = np.ptp(slopes) <= SLIGHT_KINK * np.abs(slopes).max()
        return bool(slight and slopes.min() - errors.max() <= claimed <= slopes.max() + errors.max())

    def _grain(self, i: int) -> float:
        """In what steps the values of a combination of outputs go, where all inputs move."""
        if i not in self._grains:
            direction = signed(self.rng, self.claims.x.shape) * np.maximum(np.abs(self.claims.x), 1.0)
            direction /= np.abs(direction).max()
            line = self.claims.line(direction)
            self._grains[i] = Curve(line, i, self.claims.scale(direction), self.rng).grain()
        return self._grains[i]

    def _scatter(self, curve: Curve, step: float, enough: float) -> float:
        """How much the claim itself scatters from place to place close by, beside what is smooth in its error.

        A formula whose terms cancel gives noise, though it is right; a wrong one is wrong in the same way everywhere.
        But where the function's own values have no noise, there is little to cancel in its gradient.
        """
        line, i = curve.line, curve.i
        natural = float(self.claims.rows.sizes(np.nan_to_num(self.claims.center))[i])
        quiet = curve.noise() <= NOISY * self.claims.epsilon * natural
        claimed = abs(float(self.claims.gradients[i] @ line.direction))
        if quiet and SAFETY * enough > max(SLOPPY * claimed, 3e-11 * natural / curve.scale):
            return 0.0
        u = self.claims.rows.cotangent(i)
        reach = np.minimum(2.0**-8 * np.abs(self.claims.x), 0.25 * step * np.abs(line.direction).max())
        steps = step * RATIO ** np.arange(5)
        worst, narrow = 0.0, self.claims.problem.low_precision is None
        for part in (1.0, 2.0**-10, 2.0**-20):
            change = part * reach * signed(self.rng, reach.shape) / 1.5
            places = np.linspace(-1, 1, 16)
            given, slopes = [], []
            for t in places:
                near = self.claims.x + t * change
                with np.errstate(all="ignore"):
                    pulled = self.claims.problem.pull(near, u)
                    given.append(float(pulled @ line.direction))
                    narrow &= np.array_equal(pulled, pulled.astype(np.float32))
                there = Line(line.value, line.rows, near, line.value(near), line.direction, line.epsilon, line.dtype)
                slopes.append(float(there.estimates(steps).choose().values[i]))
            if narrow or not np.isfinite([*given, *slopes]).all():
                # Rounded to float32 on the way back: that is no noise.
                continue
            size = max(np.abs(given).max(), np.abs(slopes).max(), 1e-300)
            seen = np.array(given) / size
            terms = np.stack([np.ones_like(places), places, places**2, np.array(slopes) / size], axis=1)
            smooth = terms @ np.linalg.lstsq(terms, seen, rcond=1e-12)[0]
            worst = max(worst, size * float(np.sqrt(np.mean((seen - smooth) ** 2) * 16 / 12)))
            if worst >= enough:
                break
        return worst

    def _is_smooth(self, line: Line, curve: Curve, found: float, error: float, gap: float) -> bool:
        """Whether there is no kink at or near the point, for all that a direction tells that moves many inputs.

        One input alone may move along a kink, or see two that cancel each other.
        """
        moving = np.flatnonzero(line.direction)
        if len(moving) == 1 or line.turns(0.1 * curve.scale)[curve.i]:
            return False
        # The slope of both sides may be the same, as a median's is; but a gradient adds up.
        part = np.zeros_like(line.direction)
        some = self.rng.choice(moving, len(moving) // 2, replace=False)
        part[some] = line.direction[some]
        halves = [differences(self.claims, self.claims.line(half), 1.0) for half in (part, line.direction - part)]
        total = sum(float(half.values[curve.i]) for half in halves)
        errors = sum(float(half.errors[curve.i]) for half in halves)
        return abs(found - total) <= 0.1 * gap + SAFETY * (error + errors)

    def _around(self, curve: Curve, step: float) -> tuple[Neighbourhood | None, Vector]:
        """Whether what a rule gives for a combination is in the hull of the gradients close by.

        Returns:
            What was seen, and the direction along which the rule is furthest from the hull.
        """
        i, direction = curve.i, curve.line.direction
        known = self.hulls.get(i)
        if known is not None and known.radius <= step * np.abs(direction).max():
            return known, direction
        x, u = self.claims.x, self.claims.rows.cotangent(i)
        # Places are rounded, too: that does to values what the gradient makes of it.
        slope = float(np.nan_to_num(curve.line.quotient(STEP * curve.scale, 0.0)[0][i], posinf=0.0, neginf=0.0))
        gradient = [*np.nan_to_num(self.claims.gradients[i] * x, posinf=0.0, neginf=0.0), slope * curve.scale]
        noise = curve.noise() + self.claims.epsilon * float(np.linalg.norm(gradient))
        within = step * float(np.abs(direction).max())
        groups = [part.slice for part in self.claims.problem.inputs]

        def look(columns: Vector) -> Neighbourhood | None:
            with np.errstate(invalid="ignore"):
                claimed = columns @ self.claims.gradients[i]
            if not np.isfinite(claimed).all():
                return None

            def value(y: Vector) -> float:
                return curve.of(self.claims.problem.value(y))

            def pull(y: Vector) -> Vector:
                with np.errstate(all="ignore"):
                    return columns @ self.claims.problem.pull(y, u)

            return look_around(value, pull, x, columns, claimed, noise, within, groups, self.rng)

        # What is outside along one direction is outside; what is inside along one may be outside in another.
        seen = look(direction[None])
        if seen is None or not (seen.inside and seen.varies):
            return seen, direction
        others = np.arange(len(x)) if self.all_columns else np.flatnonzero(self.kinked(i))
        if len(others) > KINKED and not self.all_columns:
            others = self.rng.choice(others, KINKED, replace=False)
        alone = np.count_nonzero(direction) == 1
        columns = [direction, *(unit(len(x), int(j)) for j in others if not (alone and direction[j]))]
        if len(columns) > 1:
            seen = look(np.array(columns))
        if seen is None:
            return None, direction
        if seen.inside and self.all_columns:
            self.hulls[i] = seen
        return seen, columns[seen.column]

    def kinked(self, i: int) -> Vector:
        """Which inputs have a kink at the point, to judge from the rule's own gradients close by."""
        if i not in self._kinks:
            x, u, near = self.claims.x, self.claims.rows.cotangent(i), []
            for _ in range(4):
                change = 1e-7 * signed(self.rng, x.shape) * np.maximum(np.abs(x), 1e-3)
                with np.errstate(all="ignore"):
                    # Both sides of everything.
                    near += [self.claims.problem.pull(y, u) for y in (x + change, x - change)]
            finite = np.nan_to_num(np.array(near), posinf=0.0, neginf=0.0)
            self._kinks[i] = np.ptp(finite, axis=0) > 1e-4 * np.abs(finite).max()
        return self._kinks[i]
