"""The nodes of a graph, and the gradient that flows through each."""

from __future__ import annotations

from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor, versions
from tensorgrad.autograd.graph import Bundle, Leaf, Node, Output, Vertex, unbroadcast
from tensorgrad.errors import GradientError


def vertices_of(loss: Tensor) -> list[Vertex]:
    """All vertices of the graph of ``loss``, the oldest first, which is the order of the forward pass.

    Raises:
        GradientError: if there is no graph, or a part of it was freed.
    """
    root = loss._node
    if root is None or isinstance(root, Leaf):
        what = "was computed by no op" if root else "was not computed from tensors that require a gradient"
        raise GradientError(
            f"there is no graph to look at: the tensor of shape {loss.shape} that blame() was given {what}. Give it "
            f"the loss of a forward pass that was computed with gradients enabled."
        )
    seen, stack = {root}, [root]
    while stack:
        vertex = stack.pop()
        if isinstance(vertex, Node) and vertex.parents is None:
            raise GradientError(
                f"the graph was freed by a backward pass (at the node of {vertex.op.name!r}): call blame() before "
                f"backward(), or give retain_graph=True to it, or compute the forward pass again."
            )
        for parent in vertex.parents_of():
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return sorted(seen, key=lambda vertex: vertex.order)


def pulled(node: Node, given: Any) -> list[tuple[Vertex, Any, str]]:
    """The parents of a node, the gradients that its rules give them, fitted to them, and the inputs' names.

    Raises:
        Exception: whatever a rule raises.
    """
    found = []
    for parent, part, name in node.op.pull(node, given, False, None):
        if parent is not None and part is not None:
            part = part.data if isinstance(part, Tensor) else part
            found.append((parent, unbroadcast(part, parent, f"the vjp rule for {name!r}"), name))
    return found


def flow(loss: Tensor, vertices: list[Vertex]) -> dict[Node, str]:
    """Goes back through a graph without freeing it, and without running hooks.

    Returns:
        For each node whose gradient ceases to be finite there, what it gave; for one whose rule fails nothing, since
        it is found when that node is examined.
    """
    found: dict[Node, str] = {}
    pending: dict[Vertex, Any] = {vertices[-1]: backend.namespace(loss.data).ones_like(loss.data)}
    for vertex in reversed(vertices):
        cotangent = pending.pop(vertex, None)
        if cotangent is None:
            continue
        if isinstance(vertex, Output):
            slots = pending.setdefault(vertex.bundle, [None] * len(vertex.bundle.shape))
            slots[vertex.index] = cotangent
        elif isinstance(vertex, Node):
            try:
                versions.check(vertex.kept, vertex.order, vertex.op.name)
                parts = pulled(vertex, cotangent)
            except Exception:
                continue
            finite = all(amiss(array) is None for array in (cotangent if isinstance(vertex, Bundle) else [cotangent]))
            for parent, part, name in parts:
                if finite and (text := amiss(part)) is not None:
                    found.setdefault(vertex, f"the gradient with respect to {name!r} has {text}")
                pending[parent] = part if parent not in pending else pending[parent] + part
    return found


def amiss(array: Any) -> str | None:
    """How many values are not finite, in words; None if all are."""
    if array is None:
        return None
    xp = backend.namespace(array)
    counts = {"NaN": int(xp.isnan(array).sum()), "infinite": int(xp.isinf(array).sum())}
    text = " and ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    return f"{text} value{'s' if sum(counts.values()) > 1 else ''} of {array.size}" if text else None
