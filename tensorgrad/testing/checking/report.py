"""What the checker says."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tensorgrad.testing.engines import Pair

WIDTH = 94
"""Lines are wrapped at so many columns."""

LONG = 200
"""Calls of more characters are not shown; the report has them."""

SHORT = 64
"""Arrays of more entries are not written out."""

EXPLAINED = {
    "kink": "at a kink: what the rule gives is in the convex hull of the gradients close by",
    "jump": "at a jump: what the rule gives is a gradient of one of the sides, or between them",
    "singular": "where the slope is infinite: any convention goes",
    "ill-conditioned": "where the rule's own rounding explains the difference: its terms cancel",
    "rounded": "of a function that rounds inside (to float32, or where terms cancel): compared over many of its steps",
    "unverified": "where no oracle is exact enough to tell",
}
"""What can be said of an entry that neither agrees nor is wrong."""


LABELS = {
    "wrong": "worst",
    "kink": "at a kink",
    "jump": "at a jump",
    "singular": "where the slope is infinite",
    "unverified": "not verified",
}
"""What is said of the entry that is shown; of others, that it is the least exact."""


@dataclass(frozen=True)
class GradientReport:
    """The verdict of a check: true if the gradients are right; its text says where they agree least, or what is wrong.

    Attributes:
        ok: the verdict.
        order: of the derivative.
        input: the number of the input (of the arrays among the inputs, in order) where they agree least.
        name: its name, such as ``"input 0"`` or ``"parameter weight"``.
        index: the entry of that input.
        output: which output, such as ``"output 0[2]"``.
        analytic: what backpropagation gave there.
        numerical: what the oracle gave there.
        difference: how far the two are apart.
        ratio: ``analytic / numerical``; NaN where the latter is zero.
        tolerance: how much they may differ there: what the oracle is uncertain by, and what is let pass.
        error: what the oracle itself takes its error to be; NaN: it did not say.
        oracle: who was asked: ``"central differences"``, ``"complex step"``, ...
        status: of that entry: "agrees", "wrong", or what explains it: "kink", "jump", "singular", "ill-conditioned",
            "rounded", "unverified".
        cause: a guess at what is wrong; empty if there is none.
        faults: what else is wrong: non-determinism, changed inputs, wrong shapes and dtypes.
        notes: what should be known about the verdict.
        compared: how much of the Jacobian was looked at.
        inputs: the inputs that failed, as text, where they were searched for.
        again: a call that fails in the same way, to paste; empty where the gradients are right, or an input is too
            large to be written out.
        seed: of the check.
        verified: whether at least one derivative could be told; if not, and nothing else is wrong, the verdict is true,
            for want of evidence.
    """

    ok: bool
    order: int
    input: int
    name: str
    index: tuple[int, ...]
    output: str
    analytic: float
    numerical: float
    tolerance: float
    oracle: str
    status: str
    error: float = float("nan")
    cause: str = ""
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    compared: str = ""
    inputs: str = ""
    again: str = ""
    seed: int = field(default=0, compare=False)
    verified: bool = True

    def __bool__(self) -> bool:
        return self.ok

    @property
    def difference(self) -> float:
        """How far the two numbers are apart."""
        return abs(self.analytic - self.numerical)

    @property
    def ratio(self) -> float:
        """The number of backpropagation over that of the oracle; NaN where the latter is zero."""
        return self.analytic / self.numerical if self.numerical else float("nan")

    def __str__(self) -> str:
        """The verdict, where, both numbers, how exact they are, the cause, and what else should be known."""
        if self.ok:
            verdict = "agree" if self.verified else "CANNOT BE TOLD here, none of them: give other inputs"
        else:
            verdict = "DISAGREE" if self.status == "wrong" else "are NOT RIGHT, though the numbers agree"
        compared = f" ({self.compared})" if self.compared else ""
        lines = [_wrapped("", f"derivatives of order {self.order} {verdict}{compared}", indent="")]
        lines += [_wrapped("fault: ", fault) for fault in self.faults]
        lines += self._numbers() if self.name else []
        lines += [_wrapped("cause: ", self.cause)] if self.cause else []
        lines += [_wrapped("fails for the inputs: ", self.inputs)] if self.inputs else []
        lines += [_wrapped("note: ", note) for note in self.notes]
        lines += [f"  again: {self.again}"] if self.again and not self.ok and len(self.again) <= LONG else []
        return "\n".join(lines)

    def _numbers(self) -> list[str]:
        """Where, and the two numbers."""
        entry = f", entry {list(self.index)}" if self.index else ""
        width = max(len(self.oracle), len("backpropagation"))
        known = f"  (known to {_order(self.error):.0e})" if np.isfinite(self.error) else ""
        lines = [
            _wrapped(
                f"{LABELS.get(self.status, 'least exact')}: ", f"{self.output} with respect to {self.name}{entry}"
            ),
            f"    {'backpropagation':<{width}}  {self.analytic:.12g}",
            f"    {self.oracle:<{width}}  {self.numerical:.12g}{known}",
        ]
        if np.isfinite(self.tolerance) and self.status in ("wrong", "agrees", "rounded", "ill-conditioned"):
            ratio = f"ratio {self.ratio:.8g}, " if self.status == "wrong" and self.numerical else ""
            lines.append(f"    {ratio}difference {self.difference:.3g}, tolerance {self.tolerance:.3g}")
        return lines


def _order(error: float) -> float:
    """The power of ten above an error: of an estimate, more would be made up."""
    return float(10 ** np.ceil(np.log10(error))) if error else 0.0


def _wrapped(label: str, text: str, indent: str = "  ") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=indent + label, subsequent_indent=indent + "  ", break_long_words=False
    )


def call(f: Any, inputs: Sequence[Any], options: Mapping[str, Any]) -> str:
    """The call of ``gradcheck`` with these arguments, to paste.

    Args:
        f: what is checked.
        inputs: its inputs.
        options: others that are not as by default.

    Returns:
        The text; empty if an input is a large array, or nothing that text gives again. Functions without a name are f.

    Example:
        >>> call(np.exp, [np.array([1.0, 0.1])], {"order": 2, "seed": 7})
        'gradcheck(exp, [1.0, 0.1], order=2, seed=7)'
    """
    values = [_written(value) for value in inputs]
    if not all(values):
        return ""
    return f"gradcheck({', '.join([_function(f), *values, *(f'{name}={value!r}' for name, value in options.items())])})"


def _function(f: Any) -> str:
    if isinstance(f, (tuple, list)):
        return f"({', '.join(map(_function, f))})"
    if isinstance(f, Pair):
        takes = f", takes={f.takes!r}" if f.takes != "inputs" else ""
        return f"pair({_function(f.forward)}, {_function(f.backward)}{takes})"
    name = getattr(f, "__name__", "")
    return name if name.isidentifier() else "f"


def _written(value: Any) -> str:
    """A value as text that gives it again; empty where that would be long or is not to be had."""
    if isinstance(value, (bool, int, float, complex, str, type(None))):
        return repr(value)
    if isinstance(value, np.ndarray) and 0 < value.size <= SHORT and value.dtype.kind in "biufc":
        # Lists of floats are arrays to gradcheck, lists of integers are not.
        text = repr(value.tolist())
        return text if value.dtype.kind in "fc" else f"np.array({text})"
    if isinstance(value, (tuple, list)) and all(isinstance(item, (int, float, list)) for item in value):
        return repr(value) if len(repr(value)) <= 20 * SHORT else ""
    return ""
