"""Guesses at the cause of a wrong gradient, and of an exception."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Evidence:
    """What is known about one wrong gradient."""

    got: np.ndarray | None
    expected: np.ndarray
    position: int
    all_expected: Sequence[np.ndarray]
    value_shape: tuple[int, ...]
    rtol: float
    uses: Sequence[Sequence[np.ndarray]] = ()
    hints: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
    inputs: Sequence[np.ndarray] = ()
    weights: np.ndarray = field(default_factory=lambda: np.ones(()))

    def is_close(self, wanted: np.ndarray) -> bool:
        """Whether the gradient that was got is this one."""
        return self.got is not None and close(self.got, wanted, self.rtol)


def close(got: np.ndarray, wanted: np.ndarray, rtol: float) -> bool:
    """Whether two arrays have one shape and are equal, up to rtol of the largest value."""
    if np.shape(got) != np.shape(wanted):
        return False
    scale = max(0.1, float(np.abs(wanted).max(initial=0.0)))
    return bool(np.all(np.abs(np.asarray(got, float) - wanted) <= rtol * scale))


def unbroadcast(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The sum over all axes along which this shape would have been broadcast; None if it does not broadcast."""
    if array.ndim < len(shape):
        return None
    padded = (1,) * (array.ndim - len(shape)) + shape
    axes = tuple(k for k, (n, m) in enumerate(zip(array.shape, padded, strict=True)) if m == 1 and n != 1)
    if any(n != m for k, (n, m) in enumerate(zip(array.shape, padded, strict=True)) if k not in axes):
        return None
    return array.sum(axis=axes).reshape(shape)


def guess(evidence: Evidence) -> str:
    """The likely cause in words; empty if there is none.

    Args:
        evidence: the wrong gradient, and what it could be instead.

    Example:
        >>> got, expected = np.array([1.0, 2.0]), np.array([2.0, 4.0])
        >>> guess(Evidence(got, expected, 0, [expected], (2,), 1e-6))
        'a factor of 1/2 too much'
    """
    return next(_guesses(evidence), "")


def _guesses(e: Evidence) -> Iterator[str]:
    got, expected = e.got, e.expected
    if got is None:
        yield "no gradient: this input is not connected to the result"
        return
    if got.shape != expected.shape:
        yield from _wrong_shapes(got, e)
        return
    for cause, gradients in e.hints.items():
        if e.is_close(gradients[e.position]):
            yield cause
    if not np.all(np.isfinite(got)) and np.all(np.isfinite(expected)):
        yield "not finite: 0/0, an overflow, or the logarithm or a power of something not positive in the rule"
        return
    if np.any(expected) and not np.any(got):
        yield "gradient zero: nothing is passed on to this input"
        return
    yield from _shared(e)
    yield from _proportional(got, e)
    if expected.ndim == 2 and e.is_close(expected.T):
        yield "transposed"
    for other, gradient in enumerate(e.all_expected):
        if other != e.position and e.is_close(gradient):
            yield f"the gradients of inputs {e.position} and {other} are swapped"
    if np.all(got == 1) or e.is_close(np.broadcast_to(np.sum(e.weights), got.shape)):
        yield "the local derivative is left out"
    for array in e.inputs:
        with np.errstate(all="ignore"):
            if array.shape == expected.shape and e.is_close(expected * array) and not e.is_close(expected):
                yield "one factor of the input too many"
    right = np.abs(got - expected) <= e.rtol * np.abs(expected).max()
    if np.any(right & (expected != 0)) and not np.any(got[~right]):
        yield "gradient dropped for some entries: they are zero"
    error = np.abs(got - expected).max() / np.abs(expected).max() if np.any(expected) else np.inf
    if error < 3e-3:
        yield "nearly right: computed in lower precision, or by finite differences"


def _wrong_shapes(got: np.ndarray, e: Evidence) -> Iterator[str]:
    summed = unbroadcast(got, e.expected.shape)
    where = f"the gradient has shape {got.shape}, the input {e.expected.shape}"
    if summed is not None and close(summed, e.expected, e.rtol):
        yield f"broadcasting not undone: {where}; sum over the axes that were broadcast"
    elif got.shape == e.value_shape and got.size > e.expected.size:
        yield f"broadcasting or a reduction not undone: {where}"
    elif got.size == e.expected.size and close(got.reshape(e.expected.shape), e.expected, e.rtol):
        yield f"the right numbers in another shape: {where}"
    elif got.T.shape == e.expected.shape and close(got.T, e.expected, e.rtol):
        yield f"transposed: {where}"
    else:
        yield where


def _shared(e: Evidence) -> Iterator[str]:
    """Values that are used several times: which sums of their uses are what was got?"""
    parts = [np.asarray(gradients[e.position]) for gradients in e.uses]
    if len(parts) < 2:
        return
    for k, part in enumerate(parts):
        if e.is_close(part) and not close(part, e.expected, e.rtol):
            yield (
                f"the gradient of a value used several times is overwritten instead of added (only use {k + 1} of "
                f"{len(parts)} counts)"
            )
    if len(parts) > 3:
        return
    for numbers in itertools.product(range(4), repeat=len(parts)):
        if e.is_close(sum((n * part for n, part in zip(numbers, parts, strict=True)), np.zeros(e.expected.shape))):
            if min(numbers) == 0:
                yield "a use of a value that is used several times is lost"
            else:
                yield "a value is passed on before all of its gradient has arrived: no topological order"


def _proportional(got: np.ndarray, e: Evidence) -> Iterator[str]:
    largest = np.unravel_index(int(np.abs(e.expected).argmax()), e.expected.shape) if e.expected.size else ()
    if not e.expected.size or e.expected[largest] == 0 or got[largest] == 0:
        return
    ratio = float(got[largest] / e.expected[largest])
    if ratio == 1 or not close(got, ratio * e.expected, e.rtol):
        return
    if abs(ratio + 1) < e.rtol:
        yield "the sign"
        return
    # One number is always proportional to another: only plain factors say something.
    for n in range(2, 65 if got.size > 1 else 5):
        for number, words in ((n, f"{n}"), (-n, f"-{n}"), (1 / n, f"1/{n}"), (-1 / n, f"-1/{n}")):
            if abs(ratio / number - 1) < e.rtol * 10:
                entries = n > 2 and any(array.size == n for array in e.inputs)
                yield f"a factor of {words} too much{' (as many as the input has entries)' if entries else ''}"
                return
    if got.size > 1 and abs(ratio - 1) > 0.01:
        yield f"a factor of {ratio:.4g} too much"


def of_exception(error: BaseException) -> str:
    """The likely cause of an exception of an engine, in words; empty if nothing can be said."""
    text = str(error).lower()
    if isinstance(error, RecursionError):
        return "recursion limit: the graph is walked (or built, or compared) by a recursive function"
    if isinstance(error, MemoryError):
        return "out of memory: far more is kept than the graph needs"
    if isinstance(error, NameError):
        return "a misspelt or missing name in the engine or the adapter"
    if isinstance(error, ValueError) and ("broadcast" in text or "shape" in text or "aligned" in text):
        return "shapes do not fit: broadcasting or a reduction not undone in a rule"
    if isinstance(error, TypeError) and ("0-dimensional" in text or "length-1" in text or "size-1" in text):
        return "an engine of single numbers, which the adapter does not say (scalars = True, or --scalars)"
    if isinstance(error, AttributeError) and text.startswith(("'int' object", "'float' object")):
        return "a Python number is used as if it were a tensor"
    if isinstance(error, TypeError) and "nonetype" in text:
        return "a gradient that is None is used: not initialised, or dropped on the way"
    return ""


def of_signal(number: int, words: str) -> str:
    """The likely cause of the death of the engine's process by a signal."""
    if number in (11, 10, 7):
        return "recursion in C or in destructors that overran the stack, or invalid memory"
    if number == 9:
        return "killed, probably for the memory it took"
    return words
