"""Which op of a graph gives a wrong gradient: each one checked alone, at the values that it really had."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.autograd import Tensor, detect_anomaly, enable_grad
from tensorgrad.autograd.graph import Node
from tensorgrad.errors import GradientError
from tensorgrad.nn.module import Module
from tensorgrad.testing.blaming.examine import Examination
from tensorgrad.testing.blaming.finding import KINDS, Finding
from tensorgrad.testing.blaming.flow import flow, vertices_of
from tensorgrad.testing.blaming.report import Blame

__all__ = ["Blame", "Finding", "blame"]


def blame(loss: Tensor | Callable[[], Tensor], *, max_nodes: int = 200, seed: int = 0) -> Blame:
    """Checks a live graph, node by node, and names the first op whose rule is wrong, or which is ill-conditioned.

    Every op of the graph is called again, alone, with what it was given in the forward pass, and its gradients are
    compared with differences, by :func:`tensorgrad.testing.gradcheck` in float64. So it does not matter what other ops
    do: all that are wrong are found, and the first of them in the forward pass is the culprit. What a node gives on
    its way back is then compared with what the op gives when it is called afresh. An op is ill-conditioned at its
    values if its output is the small difference of large numbers; if its slope is enormous and has no bound close by,
    or so small that no gradient passes; or if its gradient in its own dtype is far from that in float64.

    The graph is neither freed nor changed, hooks are not run, and no tensor's ``grad`` is touched; ops, and the methods
    of a :class:`tensorgrad.Function`, are called many times over.

    Args:
        loss: a tensor whose graph was made under :class:`tensorgrad.detect_anomaly`; or a function without arguments
            that returns one, which is called under it.
        max_nodes: how many nodes to look at, at most. Different ops and lines come first.
        seed: of the random numbers that the check uses.

    Returns:
        A report, true if nothing is amiss, which prints the op, the line of the forward pass that called it, what it
        was given, both numbers, and what may be the cause.

    Raises:
        TypeError: if it is given neither a Tensor nor such a function.
        GradientError: if there is no graph, it was freed, or it was made without ``detect_anomaly()``.

    Example:
        >>> import tensorgrad as tg
        >>> @tg.op
        ... def cube(x):
        ...     return x**3
        >>> @cube.vjp("x")
        ... def _(g, x):
        ...     return 2 * g * x**2
        >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> with tg.detect_anomaly():
        ...     loss = tg.sum(cube(tg.exp(x)))
        >>> report = blame(loss)
        >>> bool(report), report.culprit.op, report.culprit.inputs, report.culprit.where.line
        (False, 'cube', ('x',), 2)
    """
    if isinstance(max_nodes, bool) or not isinstance(max_nodes, int) or max_nodes < 1:
        raise ValueError(f"max_nodes is how many nodes to look at, 1 or more, not {max_nodes!r}.")
    loss = _tensor(loss)
    vertices = vertices_of(loss)
    nodes = [vertex for vertex in vertices if isinstance(vertex, Node)]
    if all(node.call is None for node in nodes):
        raise GradientError(
            "the ops of this graph cannot be called again: it was made without detect_anomaly(), which keeps what they "
            "were given. Write 'with tg.detect_anomaly(): loss = ...' around the forward pass, or give blame() a "
            "function that computes the loss, as in blame(lambda: loss_of(model, x))."
        )
    findings: list[Finding] = []
    # Numbers that leave the finite ones are what is looked for: no warnings of them.
    with detect_anomaly(False), enable_grad(), np.errstate(all="ignore"):
        flowing = flow(loss, vertices)
        chosen = _chosen(nodes)[:max_nodes]
        # All nodes are asked for their gradients before any op is called again, which may change what others rely on.
        examined = [(n, node, Examination(node, flowing.get(node), seed)) for n, node in chosen if node.call]
        for number, node, examination in examined:
            said = examination.verdict()
            if said is not None:
                findings.append(Finding.of(node, number, *said))
    why = "it was made outside detect_anomaly(), so what it was given is not known."
    findings += [Finding.of(node, number, "not checked", why) for number, node in chosen if node.call is None]
    findings.sort(key=lambda finding: (KINDS.index(finding.kind), finding.number))
    hooks = sum(bool(vertex.hooks) for vertex in vertices)
    return Blame(tuple(findings), len(nodes), len(chosen), hooks)


def _tensor(loss: Any) -> Tensor:
    """The loss, computed if it is a function."""
    wanted = "a loss, a Tensor, or a function without arguments that returns one"
    if callable(loss) and not isinstance(loss, Tensor):
        if not _takes_nothing(loss):
            raise TypeError(
                f"blame() takes {wanted}; this {type(loss).__name__} needs arguments: write "
                f"blame(lambda: loss_of(model, x))."
            )
        with detect_anomaly(), enable_grad():
            loss = loss()
        wanted = "a function that returns the loss, a Tensor"
    if not isinstance(loss, Tensor):
        raise TypeError(f"blame() takes {wanted}, not {type(loss).__name__}.")
    return loss


def _takes_nothing(function: Callable[..., Any]) -> bool:
    try:
        # The signature of a module says nothing, that of its forward does.
        inspect.signature(function.forward if isinstance(function, Module) else function).bind()
    except TypeError:
        return False
    return True


def _chosen(nodes: list[Node]) -> list[tuple[int, Node]]:
    """The nodes with their numbers, in the order of examination: of each op at each line the first, then the second."""
    seen: Counter[Any] = Counter()
    ranked = []
    for number, node in enumerate(nodes, 1):
        key = (node.op.name, node.where)
        ranked.append((seen[key], number, node))
        seen[key] += 1
    return [(number, node) for _, number, node in sorted(ranked, key=lambda entry: entry[:2])]
