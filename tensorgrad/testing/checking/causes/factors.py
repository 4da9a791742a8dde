"""Gradients that are wrong by a factor: a number, or something that the rule knows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from tensorgrad.testing.checking.causes.evidence import ENOUGH, Block, Evidence, Vector, agree, broadcasts
from tensorgrad.testing.checking.parts import Part

CONSTANTS = {
    "ln 2": math.log(2),
    "ln 10": math.log(10),
    "pi": math.pi,
    "2 pi": 2 * math.pi,
    "sqrt(2)": math.sqrt(2),
    "sqrt(pi)": math.sqrt(math.pi),
    "sqrt(2 pi)": math.sqrt(2 * math.pi),
    "180 / pi": 180 / math.pi,
}

POWERS = {1: "{}", -1: "1 / {}", 2: "{}**2", -2: "1 / {}**2", 0.5: "sqrt({})", -0.5: "1 / sqrt({})"}


def number(evidence: Evidence, block: Block) -> str:
    """One number for all entries."""
    ratio = usual_ratio(block)
    if not ratio or not block.is_explained(lambda sample, i: sample.claimed[i, block.slice] / ratio):
        return ""
    if abs(ratio + 1) <= 2 * block.close:
        return "the gradient of {} has the wrong sign."
    sign = "has the wrong sign, and " if ratio < 0 else ""
    return f"the gradient of {{}} {sign}is {_words(abs(ratio), evidence, block)}"


def usual_ratio(block: Block) -> float:
    """The median of claimed over measured slopes; 0 if there are too few of them."""
    ratios = []
    for sample, found, errors in zip(block.evidence.samples, block.found, block.errors, strict=True):
        claimed = sample.claimed[:, block.slice] @ block.columns.T
        size = np.nan_to_num(np.abs(found)).max(axis=1, keepdims=True, initial=0.0)
        big = (np.abs(found) > 1e-3 * size) & (errors < block.close * np.abs(found))
        ratios.append((claimed / found)[big])
    ratio = np.concatenate(ratios) if ratios else np.zeros(0)
    return float(np.median(ratio)) if len(ratio) > 1 else 0.0


def _words(size: float, evidence: Evidence, block: Block) -> str:
    def close(value: float) -> bool:
        return abs(size - value) <= 2 * block.close * value

    if close(2.0):
        return "wrong by a factor of 2: it is twice too large."
    if close(0.5):
        return (
            "wrong by a factor of 1/2: it is half of what it should be. Is one of two equal paths lost (as in x * x), "
            "or the 2 of a square?"
        )
    for n, words in [] if block.entries.elementwise else _lengths(evidence, block):
        for value, name, why in (
            (1 / n, "1/n", "A mean in the place of a sum?"),
            (n, "n", "Is the 1/n of a mean missing?"),
        ):
            if close(value):
                return f"wrong by a factor of {name}, n = {n}, {words}. {why}"
    for name, value in CONSTANTS.items():
        if close(value):
            return f"wrong by a factor of {name} = {value:.8g}."
        if close(1 / value):
            return f"wrong by a factor of 1 / ({name}) = {1 / value:.8g}."
    for n, words in [] if block.entries.elementwise else _lengths(evidence, block):
        for value, name, why in (
            (n / (n - 1), "n / (n - 1)", "Divided by n - 1 for n?"),
            ((n - 1) / n, "(n - 1) / n", "Divided by n for n - 1?"),
            (math.sqrt(n), "sqrt(n)", "Is a scale of 1 / sqrt(n) missing?"),
            (1 / math.sqrt(n), "1 / sqrt(n)", "A scale of 1 / sqrt(n) too many?"),
        ):
            # The root of 9 is more likely to be a 3.
            if close(value) and (math.isqrt(n) ** 2 != n or "sqrt" not in name):
                return f"wrong by a factor of {name}, n = {n}, {words}. {why}{_other_axis(size, evidence, block)}"
    near = Fraction(size).limit_denominator(12)
    if near and close(float(near)):
        decimal = f" = {float(near):.8g}" if near.denominator > 1 else ""
        return f"wrong by a constant factor of {near}{decimal}.{_other_axis(size, evidence, block)}"
    few = " A number with too few digits?" if abs(size - 1) < 1e-3 else ""
    return f"wrong by a constant factor of {size:.8g}.{few}"


def _lengths(evidence: Evidence, block: Block) -> Iterator[tuple[int, str]]:
    """Numbers that a mean may divide by."""
    for part in (block.part, *evidence.problem.outputs, *evidence.problem.inputs):
        ndim = len(part.shape)
        for count in (ndim, *range(1, ndim)):
            for axes in itertools.combinations(range(ndim), count) if ndim < 6 else ():
                n = math.prod(part.shape[axis] for axis in axes)
                if n > 2:
                    yield n, _length(part, axes)


def _length(part: Part, axes: tuple[int, ...]) -> str:
    if len(axes) == len(part.shape):
        return f"the number of entries of {part.name}"
    if len(axes) == 1:
        return f"the length of axis {axes[0]} of {part.name}"
    return f"the lengths of the axes {axes} of {part.name}, multiplied"


def _other_axis(size: float, evidence: Evidence, block: Block) -> str:
    """Whether a factor is the length of one axis over that of another."""
    for part in (*evidence.problem.inputs, *evidence.problem.outputs):
        for (a, n), (b, m) in itertools.permutations(enumerate(part.shape), 2):
            if n > 1 and m > 1 and n != m and abs(size - n / m) <= 2 * block.close * size:
                return f" Or divided by {m}, the length of axis {b} of {part.name}, for {n}, that of axis {a}?"
    return ""


def quantity(evidence: Evidence, block: Block) -> str:
    """A power of an input, of the output, or of the slope itself: an inner derivative, an exponent, a division."""
    return _power_of(_quantities(evidence, block), block)


def activation(evidence: Evidence, block: Block) -> str:
    """The derivative of a function of the input that is often the inner one."""
    x = block.entries.x
    sigmoid, tanh = 1 / (1 + np.exp(-x)), np.tanh(x)
    known = ((np.exp(x), "exp"), (sigmoid, "sigmoid"), (1 - tanh**2, "tanh'"), (sigmoid * (1 - sigmoid), "sigmoid'"))
    return _power_of(((q, f"{name}({block.name})") for q, name in known), block)


def _power_of(quantities: Iterator[tuple[Vector, str]], block: Block) -> str:
    e = block.entries
    use = e.known & ~e.zero & (e.claimed != 0)
    if use.sum() <= ENOUGH or (e.wrong & ~use).any():
        return ""
    ratio, errors = (e.claimed / e.found)[use], (e.errors / np.abs(e.found))[use]
    for q, words in quantities:
        if not np.isfinite(q[use]).all() or not q[use].all() or not _varies(q[use], block.close):
            continue
        for power, form in POWERS.items():
            scaled = ratio / (q[use] ** int(power) if abs(power) >= 1 else np.abs(q[use]) ** power)
            c = float(np.median(scaled))
            if c and agree(scaled / c, np.ones_like(scaled), 2 * errors, 4 * block.close).all():
                return f"the gradient of {{}} is wrong by a factor of {_text(c, form, words)}: {_reason(power)}"
    return ""


def slope(evidence: Evidence, block: Block) -> str:
    """A power of the slope itself."""
    e = block.entries
    use = e.known & ~e.zero & (e.claimed != 0)
    if use.sum() <= ENOUGH or not _varies(e.found[use], block.close):
        return ""
    for power, words in ((-1, "1 / that"), (0.5, "the square root of that"), (2, "the square of that")):
        scaled = np.abs(e.claimed[use]) / np.abs(e.found[use]) ** power
        c = float(np.median(scaled))
        if agree(scaled / c, np.ones_like(scaled), 2 * (e.errors / np.abs(e.found))[use], 4 * block.close).all():
            times = "" if abs(c - 1) < 1e-5 else f"{c:.6g} times "
            return f"the gradient of {{}} is not the slope, but {times}{words}."
    return ""


def _text(c: float, form: str, words: str) -> str:
    """``c`` times a power of what the words say."""
    text = form.format(words)
    if abs(abs(c) - 1) < 1e-5:
        return text if c > 0 else f"-{text}"
    return f"{c:.6g} * {text}".replace("* 1 /", "/")


def _reason(power: float) -> str:
    if power < 0:
        return "an inner derivative (chain rule) that is missing, or a division too many?"
    return "an exponent that is one too high, or a division that is missing?"


def _varies(q: Vector, close: float) -> bool:
    """Whether there are three different numbers at least: a constant is explained by anything."""
    sizes = np.sort(np.abs(q))
    apart = np.diff(sizes) > 1e3 * close * sizes[1:]
    return int(apart.sum()) >= 2


def _quantities(evidence: Evidence, block: Block) -> Iterator[tuple[Vector, str]]:
    """What a gradient may be multiplied with, for each entry of the Jacobian, and its name."""
    e = block.entries
    yield e.x, block.name
    for part in evidence.problem.inputs:
        if not part.complex and not block.part.complex and part is not block.part:
            yield from _of_input(evidence, block, part)
    yield e.y, "the output"
    yield 1 - e.y, "(1 - the output)"
    yield 1 - e.y**2, "(1 - output**2)"
    yield e.y * (1 - e.y), "(output * (1 - output))"


def _of_input(evidence: Evidence, block: Block, part: Part) -> Iterator[tuple[Vector, str]]:
    """Another input, by the places of the input in question, and by those of the output."""
    e, outputs = block.entries, evidence.problem.outputs
    values = [part.array(sample.x) for sample in evidence.samples]
    if broadcasts(part.shape, block.part.shape):
        columns = [np.broadcast_to(value, block.part.shape).ravel()[e.places] for value in values]
        yield np.repeat(columns, e.first, axis=0), part.name
    if len(outputs) == 1 and broadcasts(part.shape, outputs[0].shape):
        rows = [np.broadcast_to(value, outputs[0].shape).ravel()[e.outputs[: e.first]] for value in values]
        yield np.broadcast_to(np.concatenate(rows)[:, None], e.found.shape), part.name
