"""What can be said of one node of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tensorgrad.autograd.graph import Call, Node
from tensorgrad.autograd.versions import Place
from tensorgrad.testing.checking.report import GradientReport

KINDS = ("wrong", "not finite", "ill-conditioned", "not checked")
"""The kinds of findings, the worst first."""

SHOWN = 6
"""How many of the arrays of a call are shown."""


@dataclass(frozen=True)
class Finding:
    """Something that is to be said of one node of a graph.

    Attributes:
        kind: ``"wrong"``, ``"not finite"``, ``"ill-conditioned"`` or ``"not checked"``.
        op: the op's name.
        inputs: the inputs that it is said of; empty where it is of none in particular.
        where: the line of the forward pass that called the op; None if that was not remembered.
        number: the node's place in the forward pass, counted from 1.
        shapes: what the op was given, and what it gave: names, and dtypes with shapes.
        why: what is amiss.
        report: of the gradient check, if that is what found it.
    """

    kind: str
    op: str
    inputs: tuple[str, ...]
    where: Place | None
    number: int
    shapes: tuple[tuple[str, str], ...]
    why: str
    report: GradientReport | None = None

    @classmethod
    def of(
        cls,
        node: Node,
        number: int,
        kind: str,
        why: str,
        inputs: Sequence[str] = (),
        report: GradientReport | None = None,
    ) -> Finding:
        """A finding about ``node``."""
        return cls(kind, node.op.name, tuple(inputs), node.where, number, _shapes(node.call), why, report)


def _shapes(call: Call | None) -> tuple[tuple[str, str], ...]:
    if call is None:
        return ()
    given = [(name, _described(item)) for name, item in zip(call.names, call.items, strict=True)]
    if len(given) > SHOWN + 1:
        given = [*given[:SHOWN], ("...", f"and {len(given) - SHOWN} more")]
    several = len(call.outputs) > 1
    return (*given, *((f"output {i}" * several or "output", _described(y)) for i, y in enumerate(call.outputs)))


def _described(value: Any) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if hasattr(value, "shape") else repr(value)
