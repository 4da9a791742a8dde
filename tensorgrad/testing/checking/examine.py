"""All claims of a rule at one point, against what differences say.

Most derivatives agree at once with a few differences of a moderate step. Those that do not are looked at closely.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from tensorgrad.testing.checking.claims import Claims
from tensorgrad.testing.checking.differences import STEP, Line, Rows, Slopes
from tensorgrad.testing.checking.entries import HULL, Entry, Examination
from tensorgrad.testing.checking.oracles import SAFETY, differences
from tensorgrad.testing.checking.problem import Problem
from tensorgrad.testing.checking.sampling import choose_columns, signed, unit
from tensorgrad.testing.checking.verdict import Judge

Vector = np.ndarray

QUICK = np.array([1.0, 0.5, 0.25])
"""The first steps, relative to the largest of them."""

APART = 2
"""So many inputs with kinks are looked at one by one for each combination of outputs, where there are many inputs."""

ACROSS = 2
"""Along so many directions all inputs are moved at once, besides one by one."""

LOOKED_AT = 8
"""So many combinations of outputs that do not agree there are looked at."""


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
        self.rng, self.atol = rng, atol
        self.claims = Claims(problem, rng)
        self.rtol = max(rtol, 32 * self.claims.epsilon)
        self.columns, self.all_columns = choose_columns(problem.inputs, problem.x, self.claims.gradients, rng)
        self.judge = Judge(self.claims, self.rtol, atol, rng, self.all_columns)
        self._apart_at: dict[int, int] = {}

    def run(self) -> Examination:
        quick = np.zeros((len(self.claims.rows), len(self.columns)))
        result = Examination(
            self.claims.rows,
            self.columns,
            self.claims.gradients,
            quick,
            np.zeros(quick.shape, bool),
            whole=self.claims.all_rows and self.all_columns,
            skipped=int((~self.claims.finite).sum()),
        )
        suspects: list[tuple[float, int, Vector]] = []
        for c, direction in enumerate(self.columns):
            line = self.claims.line(direction)
            slopes = self._quick(line)
            quick[:, c] = slopes.values
            result.kinked[:, c] = line.bends(self.claims.scale(direction) * STEP)
            allowed, doubt = self._at_once(direction, slopes)
            self._note_worst(result, direction, slopes, allowed)
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
        for entry in chain(self._across(), self._together(result)) if result.whole else ():
            result.entries.append(entry)
            if entry.status == "wrong":
                result.worst = entry
                return result
        if result.entries:
            result.worst = max(result.entries, key=lambda entry: min(entry.excess, 1.0))
        elif result.worst is not None:
            result.worst = self._sharpened(result.worst)
        return result

    def _quick(self, line: Line) -> Slopes:
        """A few differences of a moderate step; of no simple size, so that no period of a function fits them all."""
        step = self.rng.uniform(0.7, 1.0) * STEP
        return line.estimates(self.claims.scale(line.direction) * step * QUICK).choose()

    def _at_once(self, direction: Vector, slopes: Slopes) -> tuple[Vector, Vector]:
        """What differences of a moderate step say of one direction.

        Returns:
            How far from them each claim may be, and how many times as far it is; 0 for all that agree.
        """
        claimed, reference = self.claims.along(direction)
        with np.errstate(invalid="ignore"):
            gap = np.abs(claimed - slopes.values)
            allowed = self.atol + self.rtol * np.maximum(reference, np.abs(slopes.values))
            nothing = self.claims.nothing(direction)
            small = (np.abs(claimed) <= nothing) & (np.abs(slopes.values) <= nothing + slopes.errors)
            fine = np.isfinite(claimed) & ((gap <= allowed) | small)
            doubt = np.where(fine, 0.0, np.nan_to_num(gap / (allowed + slopes.errors), nan=np.inf, posinf=np.inf))
        return np.maximum(allowed, nothing), np.where(fine, 0.0, np.maximum(doubt, 1e-300))

    def _across(self) -> Iterator[Entry]:
        """Entries along all inputs at once: what is right along each of them alone may be no gradient.

        At a kink the claim may be the mean of the slopes of both sides for each input, and in no hull.
        """
        sizes = np.abs(self.claims.x)
        usual = float(np.median(sizes[sizes > 0])) if sizes.any() else 1.0
        sizes = np.where(sizes > 0, sizes, usual)
        for _ in range(ACROSS if len(self.claims.x) > 1 else 0):
            direction = signed(self.rng, self.claims.x.shape) * sizes / sizes.max()
            line = self.claims.line(direction)
            _, doubt = self._at_once(direction, self._quick(line))
            places = [int(i) for i in np.argsort(-doubt) if doubt[i] and int(i) not in self.judge.hulls][:LOOKED_AT]
            if places:
                claimed, reference = self.claims.along(direction)
                slopes = differences(self.claims, line, 1.0)
                for i in places:
                    entry = self.judge(line, i, float(claimed[i]), float(reference[i]), slopes, adds_up=False)
                    if entry.oracle == HULL:
                        yield entry

    def _together(self, result: Examination) -> Iterator[Entry]:
        """Entries of outputs with kinks, several at once: rows that are right one by one may be of no one Jacobian."""
        bent = np.asarray(result.kinked.any(axis=1))
        bent[[entry.row for entry in result.entries if entry.status in ("kink", "jump")]] = True
        outputs, first = self.claims.rows.picked[bent[: len(self.claims.rows.picked)]], len(self.claims.rows)
        if len(outputs) < 2:
            return
        # Outputs with one and the same kink are told by their sum or by their difference: each two get both.
        k, number = len(outputs), np.arange(len(outputs))
        halves = [(-1.0) ** (number >> bit & 1) for bit in range((k - 1).bit_length())]
        signs = np.array([np.ones(k), *halves, self.rng.choice([-1.0, 1.0], k)])
        dense = np.zeros((len(signs), len(self.claims.center)))
        # Of sizes so near to each other that any two add up to more than a third.
        dense[:, outputs] = signs * self.rng.uniform(0.75, 1.25, signs.shape)
        self.claims.combine(dense)
        result.extend(self.claims.rows, self.claims.gradients)
        for direction in self.columns:
            line = self.claims.line(direction)
            _, doubt = self._at_once(direction, self._quick(line))
            places = [i for i in range(first, len(doubt)) if doubt[i] and i not in self.judge.hulls]
            if places:
                claimed, reference = self.claims.along(direction)
                slopes = differences(self.claims, line, 1.0)
                for i in places:
                    entry = self.judge(line, i, float(claimed[i]), float(reference[i]), slopes)
                    if entry.oracle == HULL or entry.status == "wrong":
                        yield entry

    def _note_worst(self, result: Examination, direction: Vector, slopes: Slopes, allowed: Vector) -> None:
        claimed, _ = self.claims.along(direction)
        for row in range(len(claimed)):
            given, found, tolerance, error = (
                float(each[row]) for each in (claimed, slopes.values, allowed, slopes.errors)
            )
            entry = Entry(row, direction, given, found, tolerance, error=error)
            if np.isfinite(entry.excess) and (result.worst is None or entry.excess > result.worst.excess):
                result.worst = entry

    def _sharpened(self, entry: Entry) -> Entry:
        """An entry that agreed at once, with what steps of all sizes say: they tell how well a slope is known."""
        found = differences(self.claims, self.claims.line(entry.direction), 1.0)
        value, error = float(found.values[entry.row]), float(found.errors[entry.row])
        tolerance = self.atol + self.rtol * max(abs(entry.claimed), abs(value)) + SAFETY * error
        sharp = Entry(entry.row, entry.direction, entry.claimed, value, tolerance, error=error)
        return sharp if error < entry.error and sharp.excess <= 1 else entry

    def _closely(self, direction: Vector, places: Vector) -> Iterator[Entry]:
        """The entries of one column that did not agree at once, looked at with steps of all sizes."""
        line = self.claims.line(direction)
        claimed, reference = self.claims.along(direction)
        slopes = differences(self.claims, line, 1.0)
        for i in sorted(places, key=lambda i: -abs(np.nan_to_num(claimed[i] - slopes.values[i], nan=np.inf))):
            if np.count_nonzero(direction) > 1:
                kinked = self.judge.kinked(int(i))
                if kinked[direction != 0].any():
                    yield from self._apart(direction, int(i), kinked)
                    continue
            yield self.judge(line, int(i), float(claimed[i]), float(reference[i]), slopes)

    def _apart(self, direction: Vector, i: int, kinked: Vector) -> Iterator[Entry]:
        """A direction along which there are kinks: the smooth part of it, and some inputs with kinks one by one."""
        some = np.flatnonzero(kinked & (direction != 0))
        # A few for each combination of outputs will do: each is a search for a hull.
        left = max(APART - self._apart_at.get(i, 0), 0)
        if len(some) > left:
            some = self.rng.choice(some, left, replace=False)
        self._apart_at[i] = self._apart_at.get(i, 0) + len(some)
        for part in (np.where(kinked, 0.0, direction), *(unit(len(self.claims.x), int(j)) for j in some)):
            if part.any():
                line = self.claims.line(part)
                claimed, reference = self.claims.along(part)
                yield self.judge(line, i, float(claimed[i]), float(reference[i]), differences(self.claims, line, 1.0))

    def _where(self, entry: Entry) -> Entry:
        """The single input that is most to blame for a wrong combination of many: found by halving."""
        direction = entry.direction
        rows = Rows(np.zeros(0, int), np.zeros(0), self.claims.rows.cotangent(entry.row)[None])
        while np.count_nonzero(direction) > 1:
            moving = np.flatnonzero(direction)
            halves = []
            for part in (moving[: len(moving) // 2], moving[len(moving) // 2 :]):
                half = np.zeros_like(direction)
                half[part] = direction[part]
                line = self.claims.line(half, rows)
                seen = differences(self.claims, line, 1.0)
                gap = abs(float(self.claims.gradients[entry.row] @ half) - float(seen.values[0]))
                halves.append((gap - SAFETY * float(seen.errors[0]), half, seen))
            _, direction, slopes = max(halves, key=lambda half: half[0])
        j = int(np.flatnonzero(direction)[0])
        factor = float(direction[j])
        claimed, found = float(self.claims.gradients[entry.row, j]), float(slopes.values[0]) / factor
        size = max(abs(claimed), abs(found))
        error = float(slopes.errors[0]) / abs(factor)
        tolerance = self.atol + self.rtol * size + SAFETY * error
        status = "wrong" if abs(claimed - found) > tolerance else "agrees"
        return Entry(entry.row, unit(len(self.claims.x), j), claimed, found, tolerance, status, entry.oracle, error)
