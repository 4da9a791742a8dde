"""What guesses at a cause are made from: claimed and measured derivatives, input by input, at the point and beside it.

Where few numbers tell little, two more points are looked at, for a cause holds everywhere. What lies at a kink is not
known, nor what differences cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tensorgrad.testing.checking.causes.measuring import Asked, Prober, Sample, move_closer
from tensorgrad.testing.checking.entries import HULL, ROUNDING, Entry, Examination
from tensorgrad.testing.checking.parts import Part
from tensorgrad.testing.checking.problem import Problem

Vector = np.ndarray

CLOSE = 1e-6
"""What agrees to this, relative to its size, is the same."""

ROUGH = 1e5
"""The same for functions of lesser precision, in units of their rounding."""

EXACT = (1e-4, 1e-2)
"""How exact differences are to be, relative to what they are asked about; if none is, the second will do."""

ENOUGH = 3
"""Fewer numbers than this are explained by anything."""

FEW = 8
"""With fewer wrong entries than this, other points are looked at."""


class Evidence:
    """What guesses are made from.

    Attributes:
        problem: the function.
        prober: asks it for more.
        here: the point that was examined.
        samples: the points; the first is the one that was examined, if that tells anything.
        blocks: one for each input of which something was measured.
        close: what agrees to this, relative to its size, is the same.
        exact: how exact differences are to be.
        worst: the number of the input entry that was found to be wrong, if it is a single one.
        kink: whether that is at a "kink" or a "jump" and all that is smooth is right here; else "".
        only_here: whether the gradient is right at all points close by.
        blind: whether steps are too small here to see what was found wrong: then nothing is to be guessed.
    """

    blocks: list[Block]
    samples: list[Sample]

    def __init__(self, problem: Problem, examination: Examination) -> None:
        self.problem = problem
        rows, columns = examination.rows, examination.columns
        if not examination.whole:
            rows, columns = move_closer(problem, examination)
        coarse = any(entry.oracle == ROUNDING for entry in examination.entries)
        self.prober = Prober(problem, rows, columns, coarse)
        self.rows, self.columns = rows, columns
        low = problem.low_precision
        self.close = CLOSE if low is None else min(ROUGH * self.prober.epsilon, 0.1)
        entry = examination.worst
        self.worst = None if entry is None else entry.column
        self.here = self.prober.sample(problem.x, examination if examination.whole else None)
        here = [self.here]
        self.blind = examination.whole and entry is not None and entry.oracle != HULL and self._misses(entry)
        for self.exact in EXACT:
            self._look_at(here)
            if self.wrong:
                break
        told = sum(int(block.entries.wrong.sum()) for block in self.wrong)
        kink = "" if entry is None else self.prober.kink(examination.rows.cotangent(entry.row), entry.direction)
        self.kink = "" if self.wrong else kink
        self.only_here = False
        if told < FEW or len(rows) == 1:
            beside = [self.prober.sample(self.prober.beside(size)) for size in (0.1, -0.07)]
            beside = [sample for sample in beside if np.isfinite(sample.found).any()]
            names = [block.name for block in self.wrong]
            self._look_at(beside)
            slopes = [block.entries for block in self.blocks if block.name in names or not names]
            self.only_here = not self.wrong and any((e.known & ~e.zero).any() for e in slopes)
            # What is right beside a point is no rule's mistake, and what is only wrong beside it tells of another.
            if self.only_here or not beside:
                self._look_at(here)
            elif names:
                self._look_at([*here, *beside])
                self.blocks = [block for block in self.blocks if block.name in names or not block.wrong]

    def _misses(self, entry: Entry) -> bool:
        """Whether nothing moves here where a slope was found; where another one is measured, what was found counts."""
        c = int((self.columns == entry.direction).all(axis=1).argmax())
        if entry.row < len(self.here.found):
            measured = self.here.found[entry.row, c]
            if abs(measured - entry.found) > 0.5 * abs(entry.claimed - entry.found):
                self.here.found[entry.row, c], self.here.errors[entry.row, c] = entry.found, entry.tolerance
                return bool(measured == 0)
        return False

    def _look_at(self, samples: list[Sample]) -> None:
        self.samples, self.blocks = samples, []
        for part in self.problem.inputs:
            inside = np.flatnonzero(self.columns[:, part.slice].any(axis=1))
            if len(inside):
                self.blocks.append(Block(self, part, inside))

    @property
    def wrong(self) -> list[Block]:
        """The inputs whose gradients are wrong."""
        return [block for block in self.blocks if block.wrong]

    def pull(self, x: Vector, u: Vector) -> Vector:
        """What the rule gives."""
        return self.prober.pull(x, u)

    @cached_property
    def cotangent(self) -> Vector:
        """Weights for all outputs that are compared."""
        return np.asarray(sum(self.rows.cotangent(i) for i in range(len(self.rows))))


class Block:
    """What belongs to one input.

    Attributes:
        part: the input.
        slice: its place in the vector of all inputs.
        which: the numbers of the directions that move it.
        columns: (c, k) these directions.
        found: (r, c) slopes along these, for each sample; NaN: not known.
        errors: (r, c) of these.
        gap: the largest difference, relative to the numbers, that errors do not explain.
        wrong: whether the gradient is.
        close: what agrees to this, relative to its size, is the same.
    """

    def __init__(self, evidence: Evidence, part: Part, which: Vector) -> None:
        self.evidence, self.part, self.slice, self.which = evidence, part, part.slice, which
        self.columns = evidence.columns[which, part.slice]
        self.found, self.errors = [], []
        self.gap, doubts = 0.0, [0.0]
        for sample in evidence.samples:
            found, errors = sample.found[:, which], sample.errors[:, which]
            given = sample.claimed[:, self.slice] @ self.columns.T
            gap, size = np.abs(given - found), np.maximum(np.abs(given), np.abs(found))
            rows = np.nan_to_num(size, posinf=0.0).max(axis=1, keepdims=True, initial=0.0)
            known = errors <= np.maximum(evidence.exact * np.fmax(np.abs(found), gap), 1e-7 * rows)
            known |= np.isfinite(found) & ~np.isfinite(given) & np.isfinite(errors)
            self.found.append(np.where(known, found, np.nan))
            self.errors.append(np.where(known, errors, np.inf))
            relative = np.where(known & (gap > noise(given, found, errors)), gap / size, 0.0)
            relative[known & ~np.isfinite(given)] = np.inf
            self.gap = max(self.gap, float(relative.max(initial=0.0)))
            doubts += (errors / size)[relative > 0].tolist()
        asked = evidence.worst in range(self.slice.start, self.slice.stop)
        self.wrong = self.gap > (1e-9 if asked else evidence.close)
        self.close = min(evidence.close, 0.1 * self.gap) if self.wrong else evidence.close
        self.close = max(self.close, min(10 * float(np.median(doubts)), 0.03, 0.1 * self.gap))

    @property
    def name(self) -> str:
        """Of the input."""
        return self.part.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the input; complex entries count twice, along a last axis of their own."""
        return (*self.part.shape, 2) if self.part.complex else self.part.shape

    @property
    def claims(self) -> Vector:
        """(s, r, k) what the rule gives, for each sample."""
        return np.array([sample.claimed[:, self.slice] for sample in self.evidence.samples])

    @cached_property
    def distance(self) -> float:
        """The largest difference, relative to the largest slope."""
        gap = size = 0.0
        for sample, found in zip(self.evidence.samples, self.found, strict=True):
            given = sample.claimed[:, self.slice] @ self.columns.T
            gap = max(gap, float(np.nan_to_num(np.abs(given - found)).max(initial=0.0)))
            size = max(size, float(np.nan_to_num(np.abs(found)).max(initial=0.0)))
        return gap / size if size else np.inf

    @property
    def only_output(self) -> Part | None:
        """The output, if there is one only, and it has the shape of the input."""
        outputs = self.evidence.problem.outputs
        alike = len(outputs) == 1 and (outputs[0].shape, outputs[0].complex) == (self.part.shape, self.part.complex)
        return outputs[0] if alike else None

    def is_explained(self, gradient: Asked) -> bool:
        """Whether the gradient (k,) that ``gradient`` gives for each sample and combination is what was measured."""
        told = 0
        for sample, found, errors in zip(self.evidence.samples, self.found, self.errors, strict=True):
            given = sample.claimed[:, self.slice] @ self.columns.T
            gaps = np.nan_to_num(np.abs(given - found))
            # What is most wrong is the first to tell that this is no explanation, either.
            for i in np.argsort(-gaps.max(axis=1)):
                if not agree(self.columns @ gradient(sample, int(i)), found[i], errors[i], self.close).all():
                    return False
            told += int((~agree(given, found, errors, self.close)).sum())
        return told >= ENOUGH

    @cached_property
    def entries(self) -> Entries:
        """Single entries of the Jacobian: of all samples, one below the other."""
        rows, samples = self.evidence.rows, self.evidence.samples
        units = np.flatnonzero(np.count_nonzero(self.columns, axis=1) == 1)
        units = units[np.argsort(self.columns[units].argmax(axis=1))]
        places = self.columns[units].argmax(axis=1)
        k, weights = len(rows.picked), rows.weights[:, None]

        def stacked(pick: Callable[[int, Sample], Vector]) -> Vector:
            pieces = [np.broadcast_to(pick(i, sample), (k, len(places))) for i, sample in enumerate(samples)]
            return np.concatenate(pieces) if pieces else np.zeros((0, len(places)))

        return Entries(
            block=self,
            places=places,
            outputs=np.tile(rows.picked, len(samples)),
            claimed=stacked(lambda i, s: s.claimed[:k, self.slice][:, places] / weights),
            found=stacked(lambda i, s: self.found[i][:k, units] / weights),
            errors=stacked(lambda i, s: self.errors[i][:k, units] / np.abs(weights)),
            x=stacked(lambda i, s: s.x[self.slice][places]),
            y=stacked(lambda i, s: s.y[rows.picked][:, None]),
        )


@dataclass
class Entries:
    """Single entries of the Jacobian of one input.

    Attributes:
        block: of the input.
        places: (c,) which entries of the input.
        outputs: (r,) which outputs.
        claimed: (r, c) what the rule gives.
        found: (r, c) what differences give; NaN: not known.
        errors: (r, c) of these.
        x: (r, c) the input's value.
        y: (r, c) the output's value.
    """

    block: Block
    places: Vector
    outputs: Vector
    claimed: Vector
    found: Vector
    errors: Vector
    x: Vector
    y: Vector

    @cached_property
    def known(self) -> Vector:
        """(r, c) where differences tell."""
        return np.isfinite(self.found)

    @cached_property
    def right(self) -> Vector:
        """(r, c) where the two agree."""
        return self.known & agree(self.claimed, self.found, self.errors, self.block.close)

    @cached_property
    def wrong(self) -> Vector:
        """(r, c) where they do not."""
        return self.known & ~self.right

    @cached_property
    def zero(self) -> Vector:
        """(r, c) where there is no slope."""
        return self.known & agree(np.zeros_like(self.found), self.found, self.errors, self.block.close)

    @cached_property
    def lost(self) -> Vector:
        """(r, c) where the rule gives zero (or next to nothing) for a slope that there is."""
        return self.wrong & (np.abs(self.claimed) <= 1e-12 * np.abs(self.found))

    @cached_property
    def elementwise(self) -> bool:
        """Whether each output depends on one entry, and each entry moves one output, as far as is seen."""
        slopes = (self.known & ~self.zero)[: self.first]
        return bool(slopes.sum() > 1 and (slopes.sum(axis=0) <= 1).all() and (slopes.sum(axis=1) <= 1).all())

    @property
    def first(self) -> int:
        """How many rows belong to each sample."""
        return len(self.outputs) // max(len(self.block.evidence.samples), 1)


def noise(a: Vector, b: Vector, errors: Vector) -> Vector:
    """How far numbers may be apart by rounding, and by the errors of differences."""
    sizes = np.maximum(np.abs(np.nan_to_num(a)), np.abs(np.nan_to_num(b)))
    return np.asarray(4 * errors + 1e-13 * sizes.max(axis=-1, keepdims=True, initial=0.0))


def agree(a: Vector, b: Vector, errors: Vector, close: float) -> Vector:
    """Where numbers agree with those that were measured, entry by entry; true where nothing is known."""
    return np.asarray((np.abs(a - b) <= close * np.abs(b) + noise(a, b, errors)) | ~np.isfinite(b))


def broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether an array of one shape can be stretched to another."""
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False
