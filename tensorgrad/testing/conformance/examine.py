"""One check of one engine: what was got, what was expected, and what is likely to be wrong."""

from __future__ import annotations

import inspect
import time
import traceback
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.testing.conformance.causes import Evidence, close, guess, of_exception
from tensorgrad.testing.conformance.check import Check, weights
from tensorgrad.testing.conformance.engine import HERE, Answer, Engine
from tensorgrad.testing.conformance.errors import AdapterError, Fault, NotOffered
from tensorgrad.testing.conformance.reference import Reference, truth

TOLERANCES = {"float16": 2e-2, "float32": 1e-4, "float64": 1e-7}
"""Relative to the largest entry: far more than rounding, far less than any mistake in a rule."""


@dataclass(frozen=True)
class Result:
    """The outcome of one check.

    Attributes:
        name: of the check.
        level: its number.
        status: ``"passed"``, ``"failed"`` or ``"not offered"``.
        seconds: of processor time that the engine took.
        what: what was asked, in words.
        finding: what was got and what was expected; or why it is not offered.
        cause: the likely cause of a failure, where one could be guessed.
    """

    name: str
    level: int
    status: str
    seconds: float = 0.0
    what: str = ""
    finding: str = ""
    cause: str = ""

    def __str__(self) -> str:
        """One line that says it all."""
        if self.status == "passed":
            return f"{self.name}: passed"
        if self.status == "not offered":
            return f"{self.name}: not offered ({self.finding})"
        cause = f" Likely cause: {self.cause}." if self.cause else ""
        return f"{self.name}: {self.what}: {self.finding}.{cause}"

    def record(self) -> dict[str, Any]:
        """As a dictionary of plain values."""
        return asdict(self)


def examine(check: Check, engine: Engine) -> Result:
    """Puts one check to an engine, in this process.

    Args:
        check: what is asked.
        engine: whom.
    """
    started = time.process_time()

    def result(status: str, finding: str = "", cause: str = "") -> Result:
        seconds = time.process_time() - started
        return Result(check.name, check.level, status, round(seconds, 4), check.what, finding, cause)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            if check.arrays and engine.adapter.scalars:
                raise NotOffered("the engine computes with single numbers")
            if check.probe:
                started = time.process_time()
                check.function(engine)
                return result("passed")
            inputs = [_rounded(array, engine.dtype) for array in check.inputs.values()]
            value, w, gradients, uses = _truth(check, inputs)
            w = _rounded(w, engine.dtype)
            given = [array.copy() for array in inputs]
            started = time.process_time()
            answer = engine.differentiate(check.function, given, w)
            found = result("passed")
            for name, before, after in zip(check.inputs, inputs, given, strict=True):
                if not np.array_equal(before, after):
                    raise Fault(f"the caller's array {name} was changed", "the engine works in place on its input")
            _judge(check, engine, inputs, answer, value, w, gradients, uses)
            return found
        except NotOffered as absent:
            return result("not offered", str(absent))
        except Fault as fault:
            return result("failed", fault.finding, fault.cause)
        except AdapterError as error:
            return result("failed", str(error), "the adapter")
        except Exception as error:
            cause = check.raised if check.raised and isinstance(error, ValueError) else of_exception(error)
            return result("failed", f"raised {_said(error)}", cause)


def _rounded(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The array as the engine will see it, in float64: its dtype's rounding is not its fault."""
    return array.astype(dtype).astype(np.float64) if array.dtype.kind == "f" else array


def _truth(check: Check, inputs: list[np.ndarray]) -> Any:
    if check.expected is None and check.judge is None:
        return truth(check.function, inputs, weights)
    value = Reference().run(check.function, inputs) if check.judge else None
    w = np.ones(() if value is None else value.shape)
    gradients = [] if check.expected is None else [np.asarray(g, np.float64) for g in check.expected(*inputs)]
    return value, w, gradients, []


def _judge(
    check: Check,
    engine: Engine,
    inputs: list[np.ndarray],
    answer: Answer,
    value: np.ndarray | None,
    w: np.ndarray,
    gradients: list[np.ndarray],
    uses: list[list[np.ndarray]],
) -> None:
    rtol = TOLERANCES[engine.dtype.name]
    at = _at(check, inputs)
    if value is not None:
        _judge_value(check, inputs, answer.value, value, rtol, at)
    elif answer.value.shape != np.shape(w):
        raise Fault(
            f"the value{at} has shape {answer.value.shape}, expected {np.shape(w)}", "the forward pass is wrong"
        )
    names = list(check.inputs)
    floats = [np.zeros_like(x) if g is None else np.asarray(g, np.float64) for g, x in zip(answer.gradients, inputs)]
    if check.judge is not None:
        for name, array, gradient in zip(names, inputs, floats, strict=True):
            if gradient.shape != array.shape:
                raise Fault(f"the gradient of {name} has shape {gradient.shape}, {name} has {array.shape}")
        check.judge(floats, *inputs)
        return
    for k, (name, found, wanted) in enumerate(zip(names, answer.gradients, gradients, strict=True)):
        got = None if found is None else np.asarray(found, np.float64)
        if (got is None and not np.any(wanted)) or (got is not None and close(got, wanted, rtol)):
            continue
        hints = {cause: [np.asarray(g, np.float64) for g in hint(*inputs)] for cause, hint in check.hints.items()}
        shape = answer.value.shape
        evidence = Evidence(got, wanted, k, gradients, shape, rtol, uses, hints, inputs, w)
        raise Fault(f"gradient of {name}{at}: {_difference(got, wanted)}", guess(evidence))


def _judge_value(
    check: Check, inputs: list[np.ndarray], got: np.ndarray, wanted: np.ndarray, rtol: float, at: str
) -> None:
    if close(got, wanted, rtol):
        return
    cause = "the forward pass is wrong"
    for words, function in check.values.items():
        if close(got, Reference().run(function, inputs), rtol):
            cause = words
    raise Fault(f"value{at}: {_difference(got, wanted)}", cause)


def _at(check: Check, inputs: list[np.ndarray]) -> str:
    small = [f"{name} = {_show(array)}" for name, array in zip(check.inputs, inputs, strict=True) if array.size < 4]
    return f" at {', '.join(small)}" if small and len(small) == len(inputs) else ""


def _show(array: Any) -> str:
    array = np.asarray(array)
    if array.ndim == 0:
        return f"{array.item():.6g}"
    return "[" + ", ".join(_show(part) for part in array) + "]"


def _difference(got: np.ndarray | None, wanted: np.ndarray) -> str:
    """What was got and what was expected; of large arrays, the entry that is worst."""
    if got is None:
        return "got none, expected " + (_show(wanted) if wanted.size < 9 else f"an array of shape {wanted.shape}")
    if got.shape != wanted.shape:
        return f"got shape {got.shape}, expected {wanted.shape}"
    if got.size < 5:
        return f"got {_show(got)}, expected {_show(wanted)}"
    error = np.abs(got - wanted)
    worst = np.unravel_index(int(np.where(np.isnan(error), np.inf, error).argmax()), got.shape)
    where = ", ".join(str(int(i)) for i in worst)
    return f"entry [{where}]: got {got[worst]:.6g}, expected {wanted[worst]:.6g}"


def _said(error: BaseException) -> str:
    """The exception, and the engine's line that raised it."""
    words = " ".join(str(error).split())
    words = (
        f"{type(error).__name__}: {words[:160]}{'...' if len(words) > 160 else ''}" if words else type(error).__name__
    )
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(HERE)]
    if frames:
        words += f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})"
    return words


def describe(check: Check) -> str:
    """The check's text: what is asked, why engines fail there, and its source.

    Args:
        check: to be described.
    """
    return f"{check.name} (level {check.level})\n{inspect.getsource(check.function)}"
