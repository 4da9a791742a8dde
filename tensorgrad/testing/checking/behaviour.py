"""How one function behaves along one line through a point: does it round, jump, rise without bound?"""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.checking.differences import RATIO, Line, extrapolate

Vector = np.ndarray

COARSEST = 2e-3
"""Steps of a function that are larger than this, relative to its values, are no rounding, not even to float16."""

HIDDEN = 20.0
"""How many times the unevenness of a function's values hides what its slope does at small steps."""

SMOOTH = 5
"""The degree of a polynomial that all that is smooth is taken to be over a few steps of rounding."""

STEADY_OVER = 4
"""Over so many widths, each a third of the one before, the steps of a function's values are to be of one size."""

GRAINS = 8.0
"""An error that changes the value by so many of the steps in which it goes cannot be told."""

ATTEMPTS = 3
"""How often steps of rounding are looked for."""

ROUNDED = 2.0
"""Units in the last place that values are taken to be wrong by, where slopes around a kink are made from them."""


class Curve:
    """One combination of a function's outputs along a line, as a function of the step.

    Args:
        line: the line.
        i: the number of the combination.
        scale: the step that changes an entry of the point by its size (1 at least).
        rng: for the places that are looked at.
    """

    def __init__(self, line: Line, i: int, scale: float, rng: np.random.Generator) -> None:
        self.line, self.i, self.scale, self.rng = line, i, scale, rng
        k = len(line.rows.picked)
        if i < k:
            self.places, self.weights = line.rows.picked[[i]], line.rows.weights[[i]]
        else:
            dense = line.rows.dense[i - k]
            self.places = np.flatnonzero(dense)
            self.weights = dense[self.places]

    def of(self, outputs: Vector) -> float:
        """The combination of given outputs."""
        return float(self.weights @ outputs[self.places])

    def __call__(self, t: float) -> float:
        return self.of(self.line.at(t)[0])

    def along(self, places: Vector) -> tuple[Vector, Vector]:
        """Where these places really are, for a step is rounded when it is added, and the values there."""
        found = [self.line.at(float(t)) for t in places]
        return np.array([t for _, t in found]), np.array([self.of(outputs) for outputs, _ in found])

    def noise(self) -> float:
        """How much the values scatter around the point, beside their slope."""
        outputs = np.nan_to_num(self.line.center[self.places])
        least = ROUNDED * self.line.epsilon * float(np.abs(self.weights) @ np.abs(outputs))
        places = np.linspace(0.0, 1e-10, 9)
        sides = []
        for side in (1.0, -1.0):
            found = []
            for _ in range(3):
                # Next to the point and not there, for a kink is no noise.
                start = 1e-7 * self.rng.uniform(0.5, 1.5)
                really, values = self.along(side * (start + places) * self.scale)
                if np.isfinite(values).all():
                    found.append(_unevenness(really, values, 1))
            sides.append(float(np.median(found)) if found else 0.0)
        return max(least, *sides)

    def grain(self) -> float:
        """How large the steps are in which the values go, whatever rounds; 0 if there are none to be seen."""
        uneven = []
        for width in self.scale * 10.0 ** -np.arange(1.0, 9.0, 0.5):
            sides = [self.along(side * width * self.rng.uniform(1, 3, 20)) for side in (1, -1)]
            values = np.concatenate([there for _, there in sides])
            seen = min(_unevenness(*side, SMOOTH) for side in sides) if np.isfinite(values).all() else np.inf
            uneven.append(seen if seen < COARSEST * np.abs(values).max() else np.inf)
        # Steps are as large from far away as from close by; what is smooth is not.
        steady = [min(some) for some in zip(*(uneven[k:] for k in range(STEADY_OVER))) if max(some) < 3 * min(some)]
        return max((each for each in steady if np.isfinite(each)), default=0.0)

    def is_single(self) -> bool:
        """Whether the values are numbers in single precision, and as close together as these are."""
        places = 1e-5 * self.scale * self.rng.uniform(-1, 1, 100)
        values = np.array([self.line.at(float(t))[0][self.places] for t in places])
        if not np.isfinite(values).all() or not (values == values.astype(np.float32)).all():
            return False
        gaps = np.diff(np.unique(values))
        return bool(len(gaps) and gaps.min() <= 4 * np.spacing(np.float32(np.abs(values).max())))

    def hides(self, found: float, gap: float, grain: float, step: float) -> bool:
        """Whether the steps in which the values go are so large that an error of the slope cannot be told.

        Args:
            found: the slope.
            gap: the error.
            grain: how large the steps are.
            step: of the differences that the slope was found with.
        """
        for h in self.scale * 2.0 ** -np.arange(40):
            if abs((self(h) - self(-h)) / 2 - found * h) <= 4 * grain:
                places = h * self.rng.uniform(-1, 1, 40)
                return gap * h <= GRAINS * grain and not self._is_wave(places, np.zeros(40), step, gap)
        return False

    def jumps(self) -> bool:
        """Whether the value jumps at the point: the two sides are apart, each is even by itself."""
        places = 1e-9 * self.scale * self.rng.uniform(0.1, 1.0, 8)
        right, left = (np.array([self(sign * t) for t in places]) for sign in (1.0, -1.0))
        everywhere = np.array([*right, *left, self(0.0)])
        if not np.isfinite(everywhere).all():
            return False
        gap = abs(np.median(right) - np.median(left))
        return bool(gap > 10 * (np.ptp(right) + np.ptp(left)) + 1e3 * self.line.epsilon * np.abs(everywhere).max())

    def is_vertical(self) -> bool:
        """Whether the slope of a side grows without bound although the value does not jump."""
        steps = self.scale * np.array([1e-6, 1e-8, 1e-10, 1e-12])
        for side in (1.0, -1.0):
            with np.errstate(all="ignore"):
                slopes = np.abs([(self(side * t) - self(0.0)) / t for t in steps])
                growth = slopes[1:] / slopes[:-1]
            # A jump grows by 100 each time.
            if ((growth > 3) & (growth < 80)).all():
                return True
        return False

    def grows_like(self, slope: float, steps: Vector) -> bool:
        """Whether the difference quotients grow without bound, as an infinite slope says that they do."""
        if np.isnan(slope):
            return False
        for side in (1.0, -1.0):
            pairs = [(max(side * h, 0.0), min(side * h, 0.0)) for h in map(float, steps)]
            growing = np.sign(slope) * np.array([self.line.quotient(*pair)[0][self.i] for pair in pairs])
            if np.isfinite(growing).all() and (np.diff(growing) > 0.02 * np.abs(growing[:-1])).all():
                return True
        return False

    def rounded_slope(self, found: float, step: float, attempts: int = ATTEMPTS) -> tuple[float, float, float] | None:
        """The slope of a function whose values go in tiny steps, because it rounds inside; None if they do not.

        Within one of the steps such a function is flat, or has another slope; over many of them it has its true one.

        Args:
            found: the slope at small steps of differences.
            step: the step that it was found with.
            attempts: how often steps are looked for, each time at other places.

        Returns:
            The slope, how uncertain it is, and the step of the differences that it was found with.
        """
        for _ in range(attempts):
            slope = self._slope_over_steps(found, step)
            if slope is not None:
                return slope
        return None

    def _slope_over_steps(self, found: float, step: float) -> tuple[float, float, float] | None:
        before, size = np.nan, abs(self(0.0))
        narrower = [(step, found)]
        for width in step * 10.0 ** np.arange(0.5, 10.0, 0.5):
            if width > self.scale:
                break
            sides = [self.along(side * width * self.rng.uniform(1, 3, 20)) for side in (1, -1)]
            places, values = np.concatenate(sides, axis=1)
            if not np.isfinite(values).all():
                break
            # What there is only at the point is no rounding: that is everywhere.
            uneven = max(_unevenness(*side, SMOOTH) for side in sides)
            if not uneven:
                continue
            # Rounding does not grow with the width, as all that is smooth does, and kinks do, nor does it die away.
            steady, before = before < 2.5 * uneven < 10 * before, uneven
            slope = np.polyder(np.polyfit(places / width, values, SMOOTH)) / width
            narrower.append((width, float(slope[-1])))
            # A small value may be what is left of larger terms, and is then rounded like these.
            coarsest = COARSEST * min(size, float(np.abs(values).max()))
            if not steady or not 64 * self.line.epsilon * size < uneven < max(coarsest, self._inner_rounding()):
                continue
            apart = abs(float(slope[-1]) - found)
            # How far the function goes another way within a step of its rounding, at most, is what that rounds.
            strays = max(abs(float(slope[-1]) - other) * part for part, other in narrower)
            if strays > HIDDEN * uneven or uneven > 0.3 * apart * width:
                continue
            if self._is_wave(places, np.polyval(slope, places / width), step, apart):
                continue
            # The last ones are for telling how the others scatter.
            steps = falling(4 * self.scale, 1e-2 * width)
            quotients, noise = map(np.array, zip(*(self.line.quotient(h, -h) for h in steps), strict=True))
            noise = noise[:, [self.i]] + 2 * uneven / steps[:, None]
            coarse = extrapolate(quotients[:, [self.i]], noise, steps, range(2, 7, 2)).choose()
            if abs(float(coarse.values[0]) - float(slope[-1])) < 0.5 * apart:
                return float(coarse.values[0]), float(coarse.errors[0]), float(coarse.steps[0])
        return None

    def _inner_rounding(self) -> float:
        """What rounding may do to terms of the size of the point, of all outputs, or of 1."""
        outputs = np.nan_to_num(self.line.center)
        return (
            64 * self.line.epsilon * max(1.0, *(float(np.abs(each).max(initial=0)) for each in (self.line.x, outputs)))
        )

    def _is_wave(self, places: Vector, trend: Vector, step: float, apart: float) -> bool:
        """Whether the slope goes smoothly up and down from place to place, beside a trend: a wave, and no rounding."""
        slopes = np.array([[(self(t + h) - self(t - h)) / (2 * h) for t in places] for h in (step, step / 3, step / 9)])
        slopes -= trend
        settled = np.ptp(slopes, axis=0) < 0.1 * apart
        alike = np.abs(slopes[0] - np.median(slopes[0, settled])) < 0.1 * apart if settled.any() else settled
        return bool(settled.mean() > 0.8 and alike.mean() < 0.5)


def _unevenness(places: Vector, values: Vector, degree: int) -> float:
    """How far values are from a straight line, or from a polynomial of a higher degree."""
    if len(np.unique(places)) <= degree + 1:
        return 0.0
    near = (places - places.mean()) / np.abs(places - places.mean()).max()
    return float(np.abs(values - np.polyval(np.polyfit(near, values, degree), near)).max())


def falling(top: float, bottom: float) -> Vector:
    """Steps from one size down to another, eight at least."""
    count = int(np.ceil(np.log(bottom / top) / np.log(RATIO)))
    return np.asarray(top * RATIO ** np.arange(max(count, 8)))
