"""The judge's own judge: gradients of the cases' functions in 120 digits, so that no rounding can blur them.

The functions are evaluated on arrays of mpmath's numbers, where a difference quotient with a step of 1e-45 is right to
some 40 digits. What a gradient must be at a kink comes from points 1e-20 away from it, in many directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

import mpmath
import numpy as np
from scipy.optimize import nnls

from benchmarks.gradient_cases.case import Case, Function

DIGITS = 120
STEP = mpmath.mpf(10) ** -45
NEARBY = mpmath.mpf(10) ** -20


def _binary(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def method(self: Number, other: Any) -> Any:
        value = other.value if isinstance(other, Number) else other
        if isinstance(value, np.generic):
            value = value.item()
        if not isinstance(value, (int, float, complex, mpmath.mpf, mpmath.mpc)):
            return NotImplemented
        result = operation(self.value, value)
        return result if isinstance(result, bool) else Number(result)

    return method


def _function(function: Callable[[Any], Any]) -> Callable[[Number], Number]:
    return lambda self: Number(function(self.value))


class Number:
    """A number of 120 digits, with the methods that NumPy's functions call on the entries of object arrays."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value if isinstance(value, (mpmath.mpf, mpmath.mpc)) else mpmath.mpmathify(value)

    __add__ = __radd__ = _binary(lambda a, b: a + b)
    __sub__ = _binary(lambda a, b: a - b)
    __rsub__ = _binary(lambda a, b: b - a)
    __mul__ = __rmul__ = _binary(lambda a, b: a * b)
    __truediv__ = _binary(lambda a, b: a / b)
    __rtruediv__ = _binary(lambda a, b: b / a)
    __pow__ = _binary(lambda a, b: a**b)
    __rpow__ = _binary(lambda a, b: b**a)
    __lt__ = _binary(lambda a, b: bool(a < b))
    __le__ = _binary(lambda a, b: bool(a <= b))
    __gt__ = _binary(lambda a, b: bool(a > b))
    __ge__ = _binary(lambda a, b: bool(a >= b))
    __eq__ = _binary(lambda a, b: bool(a == b))  # type: ignore[assignment]
    __ne__ = _binary(lambda a, b: bool(a != b))  # type: ignore[assignment]
    __neg__ = _function(lambda a: -a)
    __pos__ = _function(lambda a: a)
    __abs__ = _function(abs)
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return bool(self.value != 0)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __floor__(self) -> Number:
        return Number(mpmath.floor(self.value))

    def __ceil__(self) -> Number:
        return Number(mpmath.ceil(self.value))

    def __trunc__(self) -> Number:
        return Number(mpmath.floor(self.value) if self.value > 0 else mpmath.ceil(self.value))

    rint = _function(mpmath.nint)
    conjugate = _function(mpmath.conj)
    sqrt = _function(mpmath.sqrt)
    cbrt = _function(lambda a: mpmath.sign(a) * mpmath.cbrt(abs(a)))
    exp = _function(mpmath.exp)
    exp2 = _function(lambda a: mpmath.mpf(2) ** a)
    expm1 = _function(mpmath.expm1)
    log = _function(mpmath.log)
    log2 = _function(lambda a: mpmath.log(a, 2))
    log10 = _function(mpmath.log10)
    log1p = _function(mpmath.log1p)
    sin = _function(mpmath.sin)
    cos = _function(mpmath.cos)
    tan = _function(mpmath.tan)
    arcsin = _function(mpmath.asin)
    arccos = _function(mpmath.acos)
    arctan = _function(mpmath.atan)
    sinh = _function(mpmath.sinh)
    cosh = _function(mpmath.cosh)
    tanh = _function(mpmath.tanh)
    arcsinh = _function(mpmath.asinh)
    arccosh = _function(mpmath.acosh)
    arctanh = _function(mpmath.atanh)
    erf = _function(mpmath.erf)

    def arctan2(self, other: Any) -> Number:
        """The angle of the point (other, self)."""
        return Number(mpmath.atan2(self.value, Number(getattr(other, "value", other)).value))

    def hypot(self, other: Any) -> Number:
        """The length of the vector (self, other)."""
        return Number(mpmath.hypot(self.value, Number(getattr(other, "value", other)).value))


_numbers = np.frompyfunc(lambda value: value if isinstance(value, Number) else Number(value), 1, 1)


def numbers(x: Any) -> np.ndarray:
    """An array of these numbers."""
    return np.asarray(_numbers(x), dtype=object)


def _eliminate(a: np.ndarray, b: np.ndarray) -> tuple[Any, np.ndarray]:
    """The determinant of a matrix, and the solution of a linear system."""
    a, b = a.copy(), b.copy()
    determinant: Any = Number(1)
    for i in range(len(a)):
        pivot = i + int(np.argmax(np.abs(a[i:, i])))
        if pivot != i:
            a[[i, pivot]], b[[i, pivot]] = a[[pivot, i]], b[[pivot, i]]
            determinant = -determinant
        determinant = determinant * a[i, i]
        for j in range(len(a)):
            if j != i:
                factor = a[j, i] / a[i, i]
                a[j] = a[j] - factor * a[i]
                b[j] = b[j] - factor * b[i]
    return determinant, b / (np.diagonal(a) if b.ndim == 1 else np.diagonal(a)[:, None])


def _solve(a: Any, b: Any) -> Any:
    return _eliminate(numbers(a), numbers(b))[1]


def _elementwise(function: Callable[[Any], Any]) -> Callable[[Any], np.ndarray]:
    apply = np.frompyfunc(lambda a: Number(function(a.value)), 1, 1)
    return lambda x: np.asarray(apply(x), dtype=object)


_SUBSTITUTES: dict[Any, Function] = {
    np.linalg.solve: _solve,
    np.linalg.inv: lambda a: _solve(a, np.eye(len(a))),
    np.linalg.det: lambda a: _eliminate(numbers(a), numbers(np.eye(len(a))))[0],
    np.real: _elementwise(mpmath.re),
    np.imag: _elementwise(mpmath.im),
    np.angle: _elementwise(mpmath.arg),
}
"""What stands for NumPy's functions that do not take arrays of objects."""


@contextmanager
def _substituted() -> Iterator[None]:
    linear = {name: _SUBSTITUTES[getattr(np.linalg, name)] for name in ("solve", "inv", "det")}
    plain = {name: _SUBSTITUTES[getattr(np, name)] for name in ("real", "imag", "angle")}
    with patch.multiple(np.linalg, **linear), patch.multiple(np, **plain):
        yield


class Outside(ArithmeticError):
    """The function is not defined at a point."""


class Exact:
    """The function of a case in 120 digits: its inputs' real and imaginary parts in one vector."""

    def __init__(self, case: Case) -> None:
        self.case = case
        function = case.exact or case.forward
        self.function = _SUBSTITUTES.get(function, function)
        self.checked = [i for i, value in enumerate(case.inputs) if value.dtype.kind in "fc"]
        self.start = numbers(self.flat(case.inputs))
        sizes = [abs(entry.value) for entry in self.start if entry]
        ends = np.cumsum([0] + [case.inputs[i].size * (1 + (case.inputs[i].dtype.kind == "c")) for i in self.checked])
        self.blocks = [slice(a, b) for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
        self.largest = max(sizes, default=mpmath.mpf(1))
        mpmath.mp.dps = DIGITS + (int(mpmath.log10(max(sizes) / min(sizes))) if sizes else 0)

    def flat(self, values: Sequence[Any]) -> np.ndarray:
        """What belongs to the inputs, in one real vector."""
        parts = [np.zeros(0)]
        for i in self.checked:
            like = self.case.inputs[i]
            value = np.zeros_like(like) if values[i] is None else np.asarray(values[i])
            if value.shape != like.shape:
                raise ValueError(f"a gradient of shape {value.shape} for an input of shape {like.shape}")
            parts += [value.real.ravel(), value.imag.ravel()] if like.dtype.kind == "c" else [value.ravel()]
        return np.concatenate(parts).astype(float)

    def value(self, x: np.ndarray, cotangent: Any) -> mpmath.mpf:
        """The sum of the outputs, weighted by a cotangent."""
        inputs: list[Any] = list(self.case.inputs)
        for i in self.checked:
            like, size = inputs[i], inputs[i].size
            entries, x = x[:size], x[size:]
            if like.dtype.kind == "c":
                imaginary, x = x[:size], x[size:]
                joined = [Number(mpmath.mpc(a.value, b.value)) for a, b in zip(entries, imaginary, strict=True)]
                entries = np.array(joined, dtype=object)
            inputs[i] = entries.copy().reshape(like.shape)
        with _substituted():
            result = self.function(*inputs)
        outputs, cotangents = (result, cotangent) if isinstance(result, tuple) else ((result,), (cotangent,))
        total = mpmath.mpf(0)
        for output, weights in zip(outputs, cotangents, strict=True):
            for entry, weight in zip(numbers(output).ravel(), np.ravel(weights), strict=True):
                total += entry.value * mpmath.conj(mpmath.mpmathify(weight.item()))
        if isinstance(total, mpmath.mpc):
            if not np.iscomplexobj(cotangents[0]) and total.imag and not any(map(np.iscomplexobj, self.case.inputs)):
                raise Outside("the value is complex")
            total = total.real
        if not mpmath.isfinite(total):
            raise Outside("the value is not finite")
        return total

    def scale(self, i: int) -> mpmath.mpf:
        """The size of an entry, or of the others where it is 0."""
        return abs(self.start[i].value) or self.largest

    def gradient(self, x: np.ndarray, cotangent: Any, entries: Sequence[int]) -> np.ndarray:
        """The derivatives with respect to some entries."""
        found = []
        for i in entries:
            h = STEP * self.scale(i)
            ends = []
            for step in (h, -h):
                moved = x.copy()
                moved[i] = moved[i] + step
                ends.append(self.value(moved, cotangent))
            found.append(float((ends[0] - ends[1]) / (2 * h)))
        return np.array(found)

    def nearby(self, direction: np.ndarray) -> np.ndarray:
        """A point close by, in a direction."""
        moved = [v + NEARBY * self.scale(i) * step for i, (v, step) in enumerate(zip(self.start, direction.tolist()))]
        return np.array([*moved, None], dtype=object)[:-1]

    def gradients_nearby(
        self, cotangent: Any, entries: Sequence[int], points: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """The gradients at points close by (one row if they agree, else one for each), and the directions to them."""
        found: list[np.ndarray] = []
        directions: list[np.ndarray] = []
        for attempt in range(15 * points):
            direction = rng.standard_normal(len(self.start))
            if attempt % 3 == 2:  # an input as a whole outweighs the others
                direction[self.blocks[attempt // 3 % len(self.blocks)]] += 100
            for each in (direction, -direction):  # a kink is seen from both sides at once
                with suppress(ArithmeticError, ValueError):  # where the function is not defined
                    found.append(self.gradient(self.nearby(each), cotangent, entries))
                    directions.append(each)
            if 4 <= len(found) < 6 and _agree(found):
                return np.array(found[:1]), directions[:1]
            if len(found) >= points:
                break
        return np.array(found), directions

    def distance(
        self, claimed: np.ndarray, cotangent: Any, entries: Sequence[int], per_entry: bool, rng: np.random.Generator
    ) -> float:
        """How wrong a gradient is: relative to each entry, or to the largest of all."""
        points = 120 if len(self.start) <= 200 else 6
        found, directions = self.gradients_nearby(cotangent, entries, points, rng)
        if len(found) == 0:
            raise Outside("the function is not defined anywhere near")
        if np.isnan(claimed).any():
            return np.inf
        for i in np.flatnonzero(np.isinf(claimed)):  # an infinite slope at the end of a domain
            steep = np.abs(found[:, i]).min() > 1e8 * np.median(np.abs(found)) and np.sign(found[0, i] * claimed[i]) > 0
            if not steep and np.abs(found[:, i]).min() < 1e8:
                return np.inf
            claimed, found = np.delete(claimed, i), np.delete(found, i, 1)
        if len(found) == 1:
            errors = np.abs(claimed - found[0])
            scale = np.abs(found[0]) if per_entry else np.abs(found[0]).max(initial=0.0)
            return float(
                np.divide(errors, scale, out=np.full_like(errors, np.inf), where=scale != 0)[errors > 0].max(
                    initial=0.0
                )
            )
        distance, residual = distance_to_hull(found, claimed, per_entry)
        for _ in range(0 if per_entry or len(self.start) > 60 else 200):  # a corner may have been overlooked
            if distance < 1e-12:
                break
            best = directions[int((found @ residual).argmax())]
            direction = best / np.linalg.norm(best) + 0.3 ** rng.integers(1, 18) * rng.standard_normal(len(best))
            with suppress(ArithmeticError, ValueError):
                found = np.vstack([found, self.gradient(self.nearby(direction), cotangent, entries)])
                directions.append(direction)
                distance, residual = distance_to_hull(found, claimed, per_entry)
        return distance


def _agree(gradients: Sequence[np.ndarray]) -> bool:
    largest = np.abs(gradients[0]).max(initial=0.0)
    return all(np.allclose(other, gradients[0], rtol=1e-11, atol=1e-13 * largest) for other in gradients)


def distance_to_hull(points: np.ndarray, point: np.ndarray, per_entry: bool) -> tuple[float, np.ndarray]:
    """How far a point is from the convex hull of others (rows), relative to the size of each coordinate or of all.

    Returns:
        The distance, and the vector from the nearest point of the hull.
    """
    size = np.maximum(np.abs(points).max(0), np.abs(point))
    size = np.where(size == 0, 1, size) if per_entry else np.full_like(size, size.max() or 1.0)
    weight = 100.0
    shares, distance = nnls(
        np.vstack([(points / size).T, np.full(len(points), weight)]), np.append(point / size, weight), maxiter=10000
    )
    return float(distance), (point - shares @ points) / size


def _cotangents(case: Case, rng: np.random.Generator) -> list[Any]:
    """Random cotangents: two for all outputs, and one for each output alone."""
    with np.errstate(all="ignore"):
        result = case.forward(*case.copies())
    outputs = result if isinstance(result, tuple) else (result,)

    def draw(output: Any) -> Any:
        weights = rng.standard_normal(np.shape(output))
        return weights + 1j * rng.standard_normal(np.shape(output)) if np.iscomplexobj(output) else weights

    found = [tuple(map(draw, outputs)) for _ in range(2)]
    if len(outputs) > 1:
        found += [tuple(draw(o) * (i == k) for i, o in enumerate(outputs)) for k in range(len(outputs))]
    return found if isinstance(result, tuple) else [cotangents[0] for cotangents in found]


def judge(case: Case, seed: int = 2026) -> str | None:
    """What is the matter with a case: a right gradient that is wrong, a wrong one that is right; None if nothing is.

    Args:
        case: the case.
        seed: of cotangents, directions and (for many inputs) of the entries that are looked at.
    """
    rng = np.random.default_rng(seed)
    exact = Exact(case)
    count = len(exact.start)
    _, backward = case.pair()
    errors = []
    for cotangent in _cotangents(case, rng):
        copy = tuple(c.copy() for c in cotangent) if isinstance(cotangent, tuple) else np.copy(cotangent)
        with np.errstate(all="ignore"):
            result = backward(copy, *case.copies())
        result = result if isinstance(result, tuple) else (result,)
        try:
            claimed = exact.flat(result)
        except ValueError as error:
            return None if not case.right else str(error)
        entries = list(range(count))
        if count > 200:
            entries = rng.choice(count, 2, replace=False).tolist()
            if case.mended is not None:
                mended = case.mended(cotangent, *case.copies())
                difference = exact.flat(mended if isinstance(mended, tuple) else (mended,)) - claimed
                entries = [int(np.abs(difference).argmax())]
        errors.append(exact.distance(claimed[entries], cotangent, entries, not case.right, rng))
    if case.right:
        return None if max(errors) <= case.precision else f"a right gradient is {max(errors):.3g} wrong"
    return None if max(errors) >= case.size else f"a wrong gradient is {max(errors):.3g} wrong only"
