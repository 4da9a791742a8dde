"""How one function behaves along one line through a point: does it round, jump, rise without bound?"""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.checking.differences import RATIO, Line, extrapolate

Vector = np.ndarray

COARSEST = 2e-3
"""Steps of a function that are larger than this, relative to its values, are no rounding, not even to float16."""

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

    def noise(self) -> float:
        """How much the values scatter around the point, beside their slope."""
        outputs = np.nan_to_num(self.line.center[self.places])
        found = [ROUNDED * self.line.epsilon * float(np.abs(self.weights) @ np.abs(outputs))]
        for _ in range(3):
            # Next to the point and not there, for a kink is no noise.
            places = np.linspace(0.0, 1e-10, 9)
            start = 1e-7 * self.rng.uniform(0.5, 1.5)
            values = np.array([self((start + place) * self.scale) for place in places])
            if np.isfinite(values).all():
                found.append(float(np.abs(values - np.polyval(np.polyfit(places, values, 1), places)).max()))
        return float(np.median(found)) if len(found) > 2 else found[0]

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

    def rounded_slope(self) -> tuple[float, float, float] | None:
        """The slope of a function whose values go in tiny steps, because it rounds inside; None if they do not.

        Within one of the steps such a function is flat, or has another slope; over many of them it has its true one.

        Returns:
            The slope, how uncertain it is, and the step of the differences that it was found with.
        """
        for width in self.scale * 10.0 ** np.arange(-13.0, 0.0, 0.5):
            places = width * np.sort(self.rng.uniform(-1, 1, 33))
            values = np.array([self(t) for t in places])
            size = float(np.abs(values).max())
            if not np.isfinite(size):
                continue
            overall, offset = np.polyfit(places / width, values, 1)
            overall /= width
            uneven = float(np.abs(values - offset - overall * places).max())
            # A small value may be what is left of terms around 1, and is then rounded like these.
            if not 64 * self.line.epsilon * size < uneven < max(COARSEST * size, 16 * self.line.epsilon):
                continue
            inner = 1e-4 * width
            local = np.array([self(t + inner) - self(t - inner) for t in places]) / (2 * inner)
            fine = float(np.median(local))
            apart = abs(overall - fine)
            if not uneven < 0.3 * apart * width:
                continue
            even = np.abs(local - fine) <= 0.1 * apart
            risen = np.abs(np.diff(values) - fine * np.diff(places)) > 0.01 * apart * width
            if even.mean() > 0.6 and risen.mean() > 0.2:
                steps = falling(4 * self.scale, width)
                quotients, noise = map(np.array, zip(*(self.line.quotient(h, -h) for h in steps), strict=True))
                noise = noise[:, [self.i]] + 2 * uneven / steps[:, None]
                coarse = extrapolate(quotients[:, [self.i]], noise, steps, range(2, 7, 2)).choose()
                return float(coarse.values[0]), float(coarse.errors[0]), float(coarse.steps[0])
        return None


def falling(top: float, bottom: float) -> Vector:
    """Steps from one size down to another, eight at least."""
    count = int(np.ceil(np.log(bottom / top) / np.log(RATIO)))
    return np.asarray(top * RATIO ** np.arange(max(count, 8)))
