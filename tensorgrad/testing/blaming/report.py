"""What is said of a whole graph."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tensorgrad.autograd.versions import Place
from tensorgrad.testing.blaming.finding import KINDS, Finding
from tensorgrad.testing.checking.report import WIDTH as REPORT_WIDTH

INDENT = 6
"""Reasons stand at most so far from the margin."""

WIDTH = REPORT_WIDTH + INDENT
"""What a check of one node says has its lines already, and is not to be wrapped anew."""


@dataclass(frozen=True)
class Blame:
    """The verdict of :func:`blame`: true if nothing is amiss. Its text names the culprit, and lists what else there is.

    Attributes:
        findings: all that is to be said of single nodes, the worst first, and in the order of the forward pass.
        nodes: how many nodes the graph has.
        checked: how many of them were looked at.
        hooks: how many tensors of the graph have hooks, which are not run.
    """

    findings: tuple[Finding, ...]
    nodes: int
    checked: int
    hooks: int = 0

    @property
    def culprit(self) -> Finding | None:
        """The first op of the forward pass that is wrong; if none is, the first that is ill-conditioned."""
        first = next(iter(self.findings), None)
        return None if first is None or first.kind == "not checked" else first

    def of(self, kind: str) -> tuple[Finding, ...]:
        """The findings of one kind: ``"wrong"``, ``"not finite"``, ``"ill-conditioned"`` or ``"not checked"``."""
        if kind not in KINDS:
            raise ValueError(f"findings are {', '.join(map(repr, KINDS))}, not {kind!r}.")
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def __bool__(self) -> bool:
        return self.culprit is None

    def __str__(self) -> str:
        culprit = self.culprit
        groups = _grouped(self.findings)
        lines = []
        if culprit is not None:
            lines += _told(culprit, self.nodes)
            others = [group for group in groups if group[0] is not culprit and group[0].kind != "not checked"]
            same = next(group for group in groups if group[0] is culprit)
            if len(same) > 1:
                lines.append(f"The same at {_counted(len(same) - 1, 'more node')} of this line: {_numbers(same[1:])}.")
            if others:
                lines += ["", "Also:", *(line for group in others for line in _listed(group))]
        unchecked = [group for group in groups if group[0].kind == "not checked"]
        if unchecked:
            lines += ["", "Not checked:", *(line for group in unchecked for line in _listed(group))]
        return "\n".join([*lines, *([""] if lines else []), *_wrapped(self._summary())])

    def _summary(self) -> str:
        done = self.checked - len(self.of("not checked"))
        many = f"{done} of {_counted(self.nodes, 'node')}"
        text = f"blame: {many} checked, each alone, at the values it had"
        text += "." if self.culprit else "; nothing is wrong or ill-conditioned."
        if self.checked < self.nodes:
            text += f" {self.nodes - self.checked} were left out by max_nodes={self.checked}."
        if self.hooks:
            text += f" There are hooks on {_counted(self.hooks, 'tensor')}: they were not run, nor checked."
        return text


def _told(finding: Finding, nodes: int) -> list[str]:
    """The culprit in full."""
    of = f" for {', '.join(map(repr, finding.inputs))}" if finding.inputs else ""
    what = {
        "wrong": f"the gradient of {finding.op!r}{of} is wrong",
        "not finite": f"{finding.op!r} leaves the finite numbers",
        "ill-conditioned": f"{finding.op!r} is ill-conditioned{of}",
    }[finding.kind]
    rows = [*finding.shapes]
    wide = max(len(name) for name, _ in [*rows, ("called", "")])
    lines = [f"blame: {what}, node {finding.number} of {nodes} in the forward pass."]
    lines.append(f"  {'called':<{wide}}  {_short(finding.where)}")
    if finding.where is not None and finding.where.text:
        room, text = WIDTH - wide - 8, finding.where.text
        lines.append(" " * (wide + 8) + (text if len(text) <= room else text[: room - 4] + " ..."))
    lines += [f"  {name:<{wide}}  {text}" for name, text in rows]
    return lines + [line for text in finding.why.splitlines() for line in _wrapped(text, "  ")]


def _listed(group: list[Finding]) -> list[str]:
    """A line and the reason, for findings of one kind about one op at one line."""
    first = group[0]
    times = f" ({len(group)} nodes: {_numbers(group)})" if len(group) > 1 else f" (node {first.number})"
    of = f" for {', '.join(map(repr, first.inputs))}" if first.inputs else ""
    kind = "" if first.kind == "not checked" else f"{first.kind}: "
    head = _wrapped(f"{kind}{first.op}{of}{times}, {_short(first.where)}", "  ")
    return [*head, *(line for text in first.why.splitlines() for line in _wrapped(text, " " * INDENT))]


def _grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        reason = finding.why if finding.kind == "not checked" else ""
        groups.setdefault((finding.kind, finding.op, finding.inputs, finding.where, reason), []).append(finding)
    return list(groups.values())


def _numbers(group: list[Finding]) -> str:
    shown = ", ".join(str(finding.number) for finding in group[:6])
    return shown + (", ..." if len(group) > 6 else "")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _short(where: Place | None) -> str:
    """A line of the forward pass; its file relative to the working directory, if it is below that."""
    if where is None:
        return "outside detect_anomaly()"
    here = os.getcwd() + os.sep
    return f"{where.file.removeprefix(here)}:{where.line}, in {where.function}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    """A line of text, indented as it is and more, in as many lines as it takes."""
    indent += " " * (len(text) - len(text.lstrip()))
    options: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False, "drop_whitespace": True}
    return textwrap.wrap(text.strip(), WIDTH, initial_indent=indent, subsequent_indent=indent, **options)
