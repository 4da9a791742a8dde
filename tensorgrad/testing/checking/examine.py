"""The verdict: every claimed derivative against what differences say, and what explains it where they disagree.

Most derivatives agree at once with a few differences of a moderate step. Those that do not are looked at closely, and
only one that nothing excuses is called wrong: two independent series of steps agree with each other and not with the
claim, they are much more exact than what they disagree about, and the claim is no mean of the gradients close by.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tensorgrad.testing.checking.behaviour import Curve, falling
from tensorgrad.testing.checking.differences import RATIO, STEP, Line, Rows, Slopes
from tensorgrad.testing.checking.entries import Entry, Examination
from tensorgrad.testing.checking.kinks import Neighbourhood, look_around
from tensorgrad.testing.checking.problem import Problem
from tensorgrad.testing.checking.sampling import choose_columns, choose_rows, signed, unit

Vector = np.ndarray

QUICK = np.array([1.0, 0.5, 0.25])
"""The first steps, relative to the largest of them."""

SAFETY = 3.0
"""How many times the estimated error of a difference is let pass."""

EXACT = 1e-6
"""An oracle that is less exact than this, relative to the derivative, is helped by others."""

STEADY = 1e-3
"""A slope that is known as exactly as this has a bound."""

SLOPPY = 1e-8
"""So much, relative to the derivative, a formula may lose whose function loses nothing; float32 loses more."""

NOISY = 100.0
"""A function whose values scatter by more units in the last place than this is computed from terms that cancel."""

HULL = "hull of the gradients close by"

APART = 2
"""So many inputs with kinks are looked at one by one for each combination of outputs, where there are many inputs."""

ACROSS = 2
"""Along so many directions all inputs are moved at once, besides one by one."""

LOOKED_AT = 8
"""So many combinations of outputs that do not agree there are looked at."""

KINKED = 4
"""Into so many further inputs with kinks the hull reaches, where there are many inputs."""


def examine(problem: Problem, rtol: float, atol: float, rng: np.random.Generator) -> Examination:
    """Compares the claimed derivatives of a function at its point with differences.

    Args:
        problem: the function and its claims.
        rtol: the relative difference that is let pass, whatever the oracle.
        atol: the absolute one.
        rng: for what is drawn.

    Raises:
        ValueError: if no output is finite there.
    """
    return _Examiner(problem, rtol, atol, rng).run()


class _Examiner:
    def __init__(self, problem: Problem, rtol: float, atol: float, rng: np.random.Generator) -> None:
        self.problem, self.rng, self.atol = problem, rng, atol
        self.x = problem.x
        self.center = problem.value(self.x)
        self.epsilon = float(np.finfo(problem.low_precision or np.float64).eps)
        self.rtol = max(rtol, 32 * self.epsilon)
        self.finite = np.isfinite(self.center)
        if len(self.finite) and not self.finite.any():
            raise ValueError(f"the function has no finite value at these inputs: {self.center[:4]}. Give it others.")
        self.rows, self.all_rows = choose_rows(problem.outputs, self.finite, rng)
        self.claimed = self._pulled()
        if np.isnan(self.claimed).any():
            # One output at a time, an infinite slope meets cotangents of zero, and 0 * inf is NaN.
            single, claimed = self.rows, self.claimed
            self.rows = Rows(np.zeros(0, int), np.zeros(0), signed(rng, (4, len(self.finite))) * self.finite)
            self.claimed = self._pulled()
            if np.isnan(self.claimed).any(axis=0).sum() >= np.isnan(claimed).any(axis=0).sum():
                self.rows, self.claimed = single, claimed
        self.columns, self.all_columns = choose_columns(problem.inputs, self.x, self.claimed, rng)
        self._hulls: dict[int, Neighbourhood] = {}
        self._apart_at: dict[int, int] = {}
        self._kinks: dict[int, Vector] = {}

    def _pulled(self) -> Vector:
        """The claimed gradient of each combination of outputs."""
        pulled = [self.problem.pull(self.x, self.rows.cotangent(i)) for i in range(len(self.rows))]
        return np.array(pulled).reshape(len(self.rows), len(self.x))

    def _line(self, direction: Vector, rows: Rows | None = None) -> Line:
        low = self.problem.low_precision
        return Line(self.problem.value, rows or self.rows, self.x, self.center, direction, self.epsilon, low)

    def _scale(self, direction: Vector) -> float:
        """How far to move along a direction so that an entry of it changes by its size (1 at least)."""
        moving = direction != 0
        return float((np.maximum(np.abs(self.x[moving]), 1.0) / np.abs(direction[moving])).min())

    def _nothing(self, direction: Vector) -> Vector:
        """Slopes so small that they are rounding: beside the function's value, or beside the rest of the gradient."""
        value = self.rows.sizes(np.nan_to_num(self.center))
        # What an entry of the gradient does to the value when the input changes by its size.
        finite = np.where(np.isfinite(self.claimed), np.abs(self.claimed), 0.0) * np.maximum(np.abs(self.x), 1.0)
        largest = finite.max(axis=1, initial=0.0)
        if self.problem.order > 1:
            # The outputs are parts of one gradient: a part that is nothing beside the others is rounded like them.
            largest = np.full(len(finite), finite.max(initial=0.0))
            value = np.full(len(value), value.max(initial=0.0))
        return np.asarray(self.epsilon * (64 * value + 8 * largest) / self._scale(direction))

    def _claims(self, direction: Vector) -> tuple[Vector, Vector]:
        """The claimed slopes along a direction, and the sizes that they are to be judged by."""
        moving = np.flatnonzero(direction)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = self.claimed[:, moving] * direction[moving]
            return parts.sum(axis=1), np.sqrt((parts**2).sum(axis=1)) if len(moving) > 1 else np.abs(parts[:, 0])

    # -- the verdict -------------------------------------------------------------------------------------------

    def run(self) -> Examination:
        quick = np.zeros((len(self.rows), len(self.columns)))
        result = Examination(
            self.rows,
            self.columns,
            self.claimed,
            quick,
            np.zeros(quick.shape, bool),
            whole=self.all_rows and self.all_columns,
            skipped=int((~self.finite).sum()),
        )
        suspects: list[tuple[float, int, Vector]] = []
        for c, direction in enumerate(self.columns):
            line = self._line(direction)
            slopes = line.estimates(self._scale(direction) * STEP * QUICK).choose()
            quick[:, c] = slopes.values
            result.kinked[:, c] = line.bends(self._scale(direction) * STEP)
            allowed, doubt = self._at_once(direction, slopes)
            self._note_worst(result, direction, self._claims(direction)[0], slopes.values, allowed)
            if doubt.any():
                suspects.append((float(doubt.max()), c, np.flatnonzero(doubt)))
        for _, c, places in sorted(suspects, key=lambda suspect: -suspect[0]):
            for entry in self._closely(self.columns[c], places):
                result.entries.append(entry)
                if entry.status == "wrong":
                    result.worst = entry
                    if entry.column is None:
                        result.entries.append(self._where(entry))
                        result.worst = result.entries[-1]
                    return result
        for entry in self._across() if result.whole else ():
            result.entries.append(entry)
            if entry.status == "wrong":
                result.worst = entry
                return result
        if result.entries:
            result.worst = max(result.entries, key=lambda entry: min(entry.excess, 1.0))
        return result

    def _at_once(self, direction: Vector, slopes: Slopes) -> tuple[Vector, Vector]:
        """What differences of a moderate step say of one direction.

        Returns:
            How far from them each claim may be, and how many times as far it is; 0 for all that agree.
        """
        claimed, reference = self._claims(direction)
        with np.errstate(invalid="ignore"):
            gap = np.abs(claimed - slopes.values)
            allowed = self.atol + self.rtol * np.maximum(reference, np.abs(slopes.values))
            nothing = self._nothing(direction)
            small = (np.abs(claimed) <= nothing) & (np.abs(slopes.values) <= nothing + slopes.errors)
            fine = np.isfinite(claimed) & ((gap <= allowed) | small)
            doubt = np.where(fine, 0.0, np.nan_to_num(gap / (allowed + slopes.errors), nan=np.inf, posinf=np.inf))
        return np.maximum(allowed, nothing), np.where(fine, 0.0, np.maximum(doubt, 1e-300))

    def _across(self) -> Iterator[Entry]:
        """Entries along all inputs at once: what is right along each of them alone may be no gradient.

        At a kink the claim may be the mean of the slopes of both sides for each input, and in no hull.
        """
        sizes = np.abs(self.x)
        usual = float(np.median(sizes[sizes > 0])) if sizes.any() else 1.0
        sizes = np.where(sizes > 0, sizes, usual)
        for _ in range(ACROSS if len(self.x) > 1 else 0):
            direction = signed(self.rng, self.x.shape) * sizes / sizes.max()
            line = self._line(direction)
            _, doubt = self._at_once(direction, line.estimates(self._scale(direction) * STEP * QUICK).choose())
            places = [int(i) for i in np.argsort(-doubt) if doubt[i] and int(i) not in self._hulls][:LOOKED_AT]
            if places:
                claimed, reference = self._claims(direction)
                slopes = self._series(line, 1.0)
                for i in places:
                    entry = self._judge(line, i, float(claimed[i]), float(reference[i]), slopes, adds_up=False)
                    if entry.oracle == HULL:
                        yield entry

    def _note_worst(
        self, result: Examination, direction: Vector, claimed: Vector, found: Vector, allowed: Vector
    ) -> None:
        for row in range(len(claimed)):
            entry = Entry(row, direction, float(claimed[row]), float(found[row]), float(allowed[row]))
            if np.isfinite(entry.excess) and (result.worst is None or entry.excess > result.worst.excess):
                result.worst = entry

    def _closely(self, direction: Vector, places: Vector) -> Iterator[Entry]:
        """The entries of one column that did not agree at once, looked at with steps of all sizes."""
        line = self._line(direction)
        claimed, reference = self._claims(direction)
        slopes = self._series(line, 1.0)
        for i in sorted(places, key=lambda i: -abs(np.nan_to_num(claimed[i] - slopes.values[i], nan=np.inf))):
            if np.count_nonzero(direction) > 1:
                kinked = self._kinked(int(i))
                if kinked[direction != 0].any():
                    yield from self._apart(direction, int(i), kinked)
                    continue
            yield self._judge(line, int(i), float(claimed[i]), float(reference[i]), slopes)

    def _apart(self, direction: Vector, i: int, kinked: Vector) -> Iterator[Entry]:
        """A direction along which there are kinks: the smooth part of it, and some inputs with kinks one by one."""
        some = np.flatnonzero(kinked & (direction != 0))
        # A few for each combination of outputs will do: each is a search for a hull.
        left = max(APART - self._apart_at.get(i, 0), 0)
        if len(some) > left:
            some = self.rng.choice(some, left, replace=False)
        self._apart_at[i] = self._apart_at.get(i, 0) + len(some)
        for part in (np.where(kinked, 0.0, direction), *(unit(len(self.x), int(j)) for j in some)):
            if part.any():
                line = self._line(part)
                claimed, reference = self._claims(part)
                yield self._judge(line, i, float(claimed[i]), float(reference[i]), self._series(line, 1.0))

    def _steps(self, direction: Vector, shift: float) -> list[Vector]:
        """Series of steps: from several times the size of the entries down to where only rounding is left.

        Where entries are tiny themselves there is a second series, around their own size.
        """
        low, scale = self.problem.low_precision, self._scale(direction)
        series = [falling(4 * scale * shift, scale * (1e-4 if low else 1e-14))]
        moving = direction != 0
        own = np.abs(self.x[moving] / direction[moving])
        least = float(own[own > 0].min()) if (own > 0).any() else scale
        if least < 1e-6 * scale:
            series.append(falling(0.3 * least * shift, 1e-6 * least))
        return series

    def _series(self, line: Line, shift: float) -> Slopes:
        """Central differences, and those of one side where the other has no values."""
        series = self._steps(line.direction, shift)

        def slopes(side: int) -> Slopes:
            first, *finer = [line.estimates(steps, side) for steps in series]
            for more in finer:
                first = first.then(more)
            return first.choose(side != 0)

        best = slopes(0)
        for side in (1, -1):
            if np.isfinite(best.errors).all():
                break
            one = slopes(side)
            lacking = ~np.isfinite(best.errors) & np.isfinite(one.errors)
            best = Slopes(*(np.where(lacking, getattr(one, part), getattr(best, part)) for part in vars(best)))
        return best

    def _judge(
        self, line: Line, i: int, claimed: float, reference: float, slopes: Slopes, adds_up: bool = True
    ) -> Entry:
        """The verdict on one entry, with all that may explain why it differs from the differences.

        Where slopes do not add up to that along the whole direction there is a kink, be it to be seen or not.
        """
        direction = line.direction

        def entry(found: float, error: float, status: str = "agrees", oracle: str = "") -> Entry:
            size = max(reference, abs(found)) if np.isfinite(found) else reference
            tolerance = self.atol + self.rtol * size + SAFETY * error
            return Entry(i, direction, claimed, found, tolerance, status, oracle or kind)

        found, error, step = float(slopes.values[i]), float(slopes.errors[i]), float(slopes.steps[i])
        kind = "one-sided differences" if slopes.one_sided[i] else "central differences"
        curve = Curve(line, i, self._scale(direction), self.rng)
        if not np.isfinite(claimed):
            grows = curve.grows_like(claimed, self._steps(direction, 1.0)[-1][-8:])
            return entry(found, error, "singular" if grows else "wrong")
        if not np.isfinite(error):
            return entry(found, np.inf, "unverified")
        nothing = float(self._nothing(direction)[i])
        if abs(claimed) <= nothing and abs(found) <= nothing:
            return Entry(i, direction, claimed, found, nothing, "agrees", kind)
        first = entry(found, error)
        close = first.excess <= 1
        if close and error <= EXACT * max(abs(found), abs(claimed)):
            return first

        bent = not close and bool(line.bends(STEP * curve.scale)[i])
        if bent:
            # The kink is seen from so far, however small the step is that the difference was best with.
            step = max(step, STEP * curve.scale)
            seen, _ = self._around(curve, step)
            if seen is not None and seen.inside and seen.varies:
                return entry(found, abs(claimed - found), "kink", HULL)

        # Agreement that tells little, or none: what do sharper oracles say?
        stepped = self._complex_step(line, i)
        if stepped is not None:
            sharp = entry(*stepped, "agrees", "complex step")
            if sharp.excess <= 1 and (close or abs(stepped[0] - found) <= SAFETY * error):
                return sharp
        again = self._series(line, 0.61)
        extended = self._extended(line, 1.0)
        if (
            extended is not None
            and extended.errors[i] < error
            and abs(extended.values[i] - found) <= SAFETY * (error + extended.errors[i])
        ):
            kind = "differences in extended precision"
            found, error, step = (float(part[i]) for part in (extended.values, extended.errors, extended.steps))
            again = self._extended(line, 0.61) or again
            first = entry(found, error)
            close = first.excess <= 1
        natural = float(self.rows.sizes(np.nan_to_num(self.center))[i]) / curve.scale
        if close and error <= max(1e-3 * max(abs(found), abs(claimed)), EXACT * natural):
            return first

        # They differ. Is it the function's rounding, or the rule's?
        rounded = None if close else curve.rounded_slope(found, step)
        if rounded is not None:
            kind = "differences over many steps of rounding"
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
        slight = gap <= 1e-4 * float(np.abs(np.nan_to_num(self.claimed, posinf=0.0, neginf=0.0)).max())
        if not close and slight and not bent:
            doubt = self._doubt(curve, step, (gap - SAFETY * error) / SAFETY)
            if gap <= SAFETY * (error + doubt):
                return entry(found, error + doubt, "ill-conditioned")

        # Or is there no derivative here?
        (seen, column), jump = (None, direction), curve.jumps()
        if jump or not adds_up or not self._is_smooth(line, curve, found, error, gap):
            seen, column = self._around(curve, step)
        if seen is not None and seen.inside and (seen.varies_along(line.direction) or jump):
            return entry(found, gap, "jump" if jump else "kink", HULL)
        if not error <= STEADY * abs(found) and curve.is_vertical():
            return entry(found, np.inf, "singular")
        if seen is not None and not seen.inside and (jump or seen.varies):
            direction, claimed = column, float(self.claimed[i] @ column)
            return entry(seen.nearest, seen.tolerance * abs(seen.nearest), "wrong", HULL)
        if close:
            return entry(found, error, "unverified")
        doubt = self._doubt(curve, step, (gap - SAFETY * error) / SAFETY)
        if gap <= SAFETY * (error + doubt):
            return entry(found, error + doubt, "ill-conditioned")
        return entry(found, error, "wrong")

    # -- sharper oracles ---------------------------------------------------------------------------------------

    def _complex_step(self, line: Line, i: int) -> tuple[float, float] | None:
        """Im f(x + ih) / h: no difference is taken, so nothing cancels; for analytic functions only."""
        h = 1e-30
        outputs = self.problem.value_complex(self.x + 1j * h * line.direction)
        if outputs is None or not np.iscomplexobj(outputs):
            return None
        with np.errstate(all="ignore"):
            slope = float((line.rows(outputs)[i]).imag / h)
        return (slope, 8 * self.epsilon * abs(slope)) if np.isfinite(slope) else None

    def _extended(self, line: Line, shift: float) -> Slopes | None:
        """The same differences in extended precision; None where the function does not compute in it."""
        x = self.x.astype(np.longdouble)
        center = self.problem.value_extended(x)
        if center is None:
            return None

        def value(y: Vector) -> Vector:
            outputs = self.problem.value_extended(y)
            return np.full(len(self.center), np.nan) if outputs is None else outputs

        epsilon = float(np.finfo(np.longdouble).eps)
        return self._series(Line(value, line.rows, x, center, line.direction, epsilon), shift)

    # -- explanations ------------------------------------------------------------------------------------------

    def _doubt(self, curve: Curve, step: float, enough: float) -> float:
        """How much the claim itself scatters from place to place close by, beside what is smooth in its error.

        A formula whose terms cancel gives noise, though it is right; a wrong one is wrong in the same way everywhere.
        But where the function's own values have no noise, there is little to cancel in its gradient.
        """
        line, i = curve.line, curve.i
        natural = float(self.rows.sizes(np.nan_to_num(self.center))[i])
        quiet = curve.noise() <= NOISY * self.epsilon * natural
        claimed = abs(float(self.claimed[i] @ line.direction))
        if quiet and SAFETY * enough > max(SLOPPY * claimed, 3e-11 * natural / curve.scale):
            return 0.0
        u = self.rows.cotangent(i)
        reach = np.minimum(2.0**-8 * np.abs(self.x), 0.25 * step * np.abs(line.direction).max())
        steps = step * RATIO ** np.arange(5)
        worst, narrow = 0.0, self.problem.low_precision is None
        for part in (1.0, 2.0**-10, 2.0**-20):
            change = part * reach * signed(self.rng, reach.shape) / 1.5
            places = np.linspace(-1, 1, 16)
            claims, slopes = [], []
            for t in places:
                near = self.x + t * change
                with np.errstate(all="ignore"):
                    pulled = self.problem.pull(near, u)
                    claims.append(float(pulled @ line.direction))
                    narrow &= np.array_equal(pulled, pulled.astype(np.float32))
                there = Line(line.value, line.rows, near, line.value(near), line.direction, line.epsilon, line.dtype)
                slopes.append(float(there.estimates(steps).choose().values[i]))
            if narrow or not np.isfinite([*claims, *slopes]).all():
                # Rounded to float32 on the way back: that is no noise.
                continue
            size = max(np.abs(claims).max(), np.abs(slopes).max(), 1e-300)
            seen = np.array(claims) / size
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
        halves = [self._series(self._line(half), 1.0) for half in (part, line.direction - part)]
        total = sum(float(half.values[curve.i]) for half in halves)
        errors = sum(float(half.errors[curve.i]) for half in halves)
        return abs(found - total) <= 0.1 * gap + SAFETY * (error + errors)

    def _around(self, curve: Curve, step: float) -> tuple[Neighbourhood | None, Vector]:
        """Whether what a rule gives for a combination is in the hull of the gradients close by.

        Returns:
            What was seen, and the direction along which the rule is furthest from the hull.
        """
        i, direction = curve.i, curve.line.direction
        known = self._hulls.get(i)
        if known is not None and known.radius <= step * np.abs(direction).max():
            return known, direction
        noise, u = curve.noise(), self.rows.cotangent(i)
        within = step * float(np.abs(direction).max())
        groups = [part.slice for part in self.problem.inputs]

        def look(columns: Vector) -> Neighbourhood | None:
            with np.errstate(invalid="ignore"):
                claims = columns @ self.claimed[i]
            if not np.isfinite(claims).all():
                return None

            def value(y: Vector) -> float:
                return curve.of(self.problem.value(y))

            def pull(y: Vector) -> Vector:
                with np.errstate(all="ignore"):
                    return columns @ self.problem.pull(y, u)

            return look_around(value, pull, self.x, columns, claims, noise, within, groups, self.rng)

        # What is outside along one direction is outside; what is inside along one may be outside in another.
        seen = look(direction[None])
        if seen is None or not (seen.inside and seen.varies):
            return seen, direction
        others = np.arange(len(self.x)) if self.all_columns else np.flatnonzero(self._kinked(i))
        if len(others) > KINKED and not self.all_columns:
            others = self.rng.choice(others, KINKED, replace=False)
        alone = np.count_nonzero(direction) == 1
        columns = [direction, *(unit(len(self.x), int(j)) for j in others if not (alone and direction[j]))]
        if len(columns) > 1:
            seen = look(np.array(columns))
        if seen is None:
            return None, direction
        if seen.inside and self.all_columns:
            self._hulls[i] = seen
        return seen, columns[seen.column]

    def _kinked(self, i: int) -> Vector:
        """Which inputs have a kink at the point, to judge from the rule's own gradients close by."""
        if i not in self._kinks:
            u, near = self.rows.cotangent(i), []
            for _ in range(4):
                change = 1e-7 * signed(self.rng, self.x.shape) * np.maximum(np.abs(self.x), 1e-3)
                with np.errstate(all="ignore"):
                    # Both sides of everything.
                    near += [self.problem.pull(self.x + change, u), self.problem.pull(self.x - change, u)]
            finite = np.nan_to_num(np.array(near), posinf=0.0, neginf=0.0)
            self._kinks[i] = np.ptp(finite, axis=0) > 1e-4 * np.abs(finite).max()
        return self._kinks[i]

    def _where(self, entry: Entry) -> Entry:
        """The single input that is most to blame for a wrong combination of many: found by halving."""
        direction = entry.direction
        rows = Rows(np.zeros(0, int), np.zeros(0), self.rows.cotangent(entry.row)[None])
        while np.count_nonzero(direction) > 1:
            moving = np.flatnonzero(direction)
            halves = []
            for part in (moving[: len(moving) // 2], moving[len(moving) // 2 :]):
                half = np.zeros_like(direction)
                half[part] = direction[part]
                line = self._line(half, rows)
                seen = self._series(line, 1.0)
                gap = abs(float(self.claimed[entry.row] @ half) - float(seen.values[0]))
                halves.append((gap - SAFETY * float(seen.errors[0]), half, seen))
            _, direction, slopes = max(halves, key=lambda half: half[0])
        j = int(np.flatnonzero(direction)[0])
        factor = float(direction[j])
        claimed, found = float(self.claimed[entry.row, j]), float(slopes.values[0]) / factor
        size = max(abs(claimed), abs(found))
        tolerance = self.atol + self.rtol * size + SAFETY * float(slopes.errors[0]) / abs(factor)
        status = "wrong" if abs(claimed - found) > tolerance else "agrees"
        return Entry(entry.row, unit(len(self.x), j), claimed, found, tolerance, status, entry.oracle)
