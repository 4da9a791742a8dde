"""Random functions with right gradients, and the same with errors of 1e-5 planted in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.gradient_cases.case import Case
from benchmarks.gradient_cases.random_steps import ANY, Step, convolution2d

SIZE = 1e-5
"""How wrong an entry of a wrong gradient is at least, relative to that entry."""

VISIBLE = 1e-10
"""What the error of that entry would add to the outputs if the input doubled, at least, relative to their size."""

ROUNDING = 100.0
"""How many times the largest rounding of the right gradient the error is at least. Where a gradient is 0 but for
rounding, as that of the sum of a standardised row, 1e-5 of it is nothing."""


class Chain:
    """Steps one after the other, as a function of the first's input and all parameters, and its gradient.

    Args:
        steps: what is done in turn.
        total: whether all outputs are added up in the end.
        wrong: a step's number and a factor for the gradient of its input, or the array of factors, one for each entry.
    """

    def __init__(self, steps: Sequence[Step], total: bool, wrong: tuple[int, float | np.ndarray] | None = None) -> None:
        self.steps, self.total, self.wrong = list(steps), total, wrong
        ends = np.cumsum([0] + [len(step.parameters) for step in steps])
        self.places = [slice(a, b) for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]

    def forward(self, x: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        """The output."""
        for step, place in zip(self.steps, self.places, strict=True):
            x = step.forward(x, *parameters[place])
        return np.asarray(x).sum() if self.total else x

    def backward(self, g: np.ndarray, x: np.ndarray, *parameters: np.ndarray) -> tuple[np.ndarray, ...]:
        """The gradients of the input and of the parameters."""
        values = [x]
        for step, place in zip(self.steps, self.places, strict=True):
            values.append(step.forward(values[-1], *parameters[place]))
        last = values.pop()
        g = g + np.zeros_like(last) if self.total else g
        gradients: list[np.ndarray] = []
        for number in reversed(range(len(self.steps))):
            g, *rest = self.steps[number].backward(g, values[number], *parameters[self.places[number]])
            if self.wrong is not None and self.wrong[0] == number:
                g = g * self.wrong[1]
            gradients = rest + gradients
        return (np.array(g), *gradients)


def _chain(rng: np.random.Generator) -> tuple[Chain, tuple[np.ndarray, ...]]:
    shape = tuple(rng.integers(1, 6, size=int(rng.integers(1, 4))).tolist())
    start = x = rng.standard_normal(shape) * 10.0 ** rng.uniform(-3, 3)
    steps: list[Step] = []
    for _ in range(int(rng.integers(1, 7))):
        makers = ANY + [convolution2d] * (x.ndim > 1)
        step = makers[int(rng.integers(len(makers)))](rng, x)
        steps.append(step)
        x = step.forward(x, *step.parameters)
        if x.ndim == 0:
            break
    parameters = tuple(p for step in steps for p in step.parameters)
    return Chain(steps, bool(rng.random() < 0.3)), (start, *parameters)


def _is_sound(chain: Chain, inputs: tuple[np.ndarray, ...]) -> bool:
    """Whether values and gradients are of sizes that can be worked with."""
    with np.errstate(all="ignore"):
        y = chain.forward(*inputs)
        gradients = chain.backward(np.ones_like(y), *inputs)
    return all(np.isfinite(a).all() and np.abs(a).max(initial=0.0) < 1e12 for a in (y, *gradients))


def _rounding(
    chain: Chain, cotangent: np.ndarray, inputs: tuple[np.ndarray, ...], gradients: tuple[np.ndarray, ...]
) -> list[float]:
    """How far each gradient is from that in extended precision, and from those of multiples of the cotangent."""
    wide = [value.astype(np.longdouble) for value in (cotangent, *inputs)]
    same = [chain.backward(*wide)]
    # With one cotangent nothing may be rounded, by luck.
    same += [[each / factor for each in chain.backward(factor * cotangent, *inputs)] for factor in (0.7, 1.1, 1.3)]
    return [
        max(float(np.abs(gradient - other).max(initial=0.0)) for other in others)
        for gradient, *others in zip(gradients, *same, strict=True)
    ]


def _wrongly(rng: np.random.Generator, chain: Chain, inputs: tuple[np.ndarray, ...]) -> tuple[str, Case | None]:
    """The chain with an error planted: what it is, and the case (None if the error could not be seen by anybody)."""
    kind = ["all inputs", "one input", "one entry", "one step", "entries of one step"][int(rng.integers(5))]
    y = chain.forward(*inputs)
    cotangent = rng.standard_normal(y.shape)
    right = chain.backward(cotangent, *inputs)
    rounding = _rounding(chain, cotangent, inputs, right)
    size = np.abs(cotangent * y).sum()
    number = int(rng.integers(len(right)))
    entry = tuple(int(rng.integers(n)) for n in right[number].shape)
    step = int(rng.integers(len(chain.steps)))
    sign = float(rng.choice([-1, 1]))
    before = inputs[0]
    for each, place in zip(chain.steps[:step], chain.places[:step], strict=True):
        before = each.forward(before, *inputs[1:][place])
    half = (rng.random(before.shape) < 0.5).astype(float)

    def backward(error: float):
        factor = 1 + sign * error

        def changed(g, *inputs):
            gradients = list(chain.backward(g, *inputs))
            if kind == "all inputs":
                return tuple(gradient * factor for gradient in gradients)
            gradients[number] = np.array(gradients[number])
            gradients[number][entry if kind == "one entry" else ...] *= factor
            return tuple(gradients)

        if kind == "one step":
            return Chain(chain.steps, chain.total, (step, factor)).backward
        if kind == "entries of one step":
            return Chain(chain.steps, chain.total, (step, 1 + sign * error * half)).backward
        return changed

    for error in SIZE * 1.001 * 2.0 ** np.arange(5):
        wrong = backward(float(error))
        for value, true, rounded, found in zip(inputs, right, rounding, wrong(cotangent, *inputs), strict=True):
            off = np.abs(found - true)
            seen = (off * np.abs(value) >= VISIBLE * size) & (off > ROUNDING * rounded)
            if (seen & (off >= SIZE * np.abs(true)) & (off > 0)).any():
                return kind, Case("", "", chain.forward, wrong, inputs, False, chain.backward)
    return kind, None


def random_cases(seed: int, count: int) -> Iterator[tuple[Case, Case]]:
    """Pairs of a random function with its right gradient, and with a wrong one.

    Args:
        seed: the same seed, the same cases.
        count: how many pairs.
    """
    rng = np.random.default_rng(seed)
    for i in range(count):
        while True:
            chain, inputs = _chain(rng)
            if not _is_sound(chain, inputs):
                continue
            kind, wrong = _wrongly(rng, chain, inputs)
            if wrong is not None:
                break
        steps = ", ".join(step.name for step in chain.steps) + (", total" if chain.total else "")
        sizes = " ".join(str(value.shape) for value in inputs)
        yield (
            Case(f"random {seed}-{i}", f"{steps} of {sizes}", chain.forward, chain.backward, inputs, True),
            Case(f"random {seed}-{i}, {kind}", f"{steps} of {sizes}", chain.forward, wrong.backward, inputs, False),
        )
