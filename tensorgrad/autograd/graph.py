"""The graph and the walk back through it.

The graph is made of nodes only: an op's result points to its node, a node to the nodes of its inputs, nothing
points forward, so a graph that nobody holds is gone at once. Cotangents are bare arrays here, or Tensors when
the gradient is itself to be differentiated; this file does not tell them apart.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple, Protocol

from tensorgrad import backend
from tensorgrad.autograd import versions
from tensorgrad.autograd.modes import state
from tensorgrad.autograd.ownership import add
from tensorgrad.autograd.versions import tick
from tensorgrad.errors import GradientError

LARGE = 1 << 14
"""Elements from which on it pays to find out whose memory a cotangent is."""

Cotangent = Any
Shape = tuple[int, ...]


class Pullback(Protocol):
    """What a node needs of the op that made it: a plan of its rules, or what a Function leaves."""

    name: str

    def pull(
        self, node: Node, cotangent: Cotangent, create_graph: bool, useful: set[Vertex] | None
    ) -> Iterable[tuple[Vertex | None, Cotangent, str]]:
        """The parents and their cotangents, with the names of the inputs, for messages.

        Parents that are not in ``useful`` (if given) may be left out.
        """


class Vertex:
    """What a cotangent can be handed to: the shape and dtype it must have, and its place in the order of creation."""

    __slots__ = ("__weakref__", "dtype", "hooks", "order", "retained", "shape")

    shape: Any
    dtype: Any
    order: int
    hooks: dict[int, Callable[[Cotangent], Cotangent]] | None
    retained: weakref.ref[Any] | None

    def parents_of(self) -> Sequence[Vertex | None]:
        """The vertices that this one hands cotangents to."""
        return ()


class Leaf(Vertex):
    """Where gradients end: the place of a tensor that requires a gradient and was made by no op.

    It knows its tensor weakly, so a gradient that has a graph of its own makes no reference cycle; a leaf whose
    tensor is gone has nobody to tell.
    """

    __slots__ = ("after", "replaced", "tensor")

    def __init__(self, tensor: Any, shape: Shape, dtype: Any) -> None:
        self.tensor = weakref.ref(tensor)
        self.shape = shape
        self.dtype = dtype
        self.order = tick()
        self.hooks = None
        self.retained = None
        self.after: dict[int, Callable[[Any], None]] | None = None
        self.replaced = False

    def successor(self, tensor: Any, shape: Shape, dtype: Any) -> Leaf:
        """The leaf for new data of another kind; graphs that were made with the old data lead to nobody now."""
        leaf = Leaf(tensor, shape, dtype)
        leaf.hooks, leaf.after = self.hooks, self.after
        self.replaced = True
        return leaf

    def receiver(self) -> Any:
        """The tensor that waits for the gradient; None if it is gone, or frozen."""
        if self.replaced:
            raise GradientError(
                f"the data of a leaf of shape {self.shape} and dtype {self.dtype} was replaced by data of another "
                f"shape or dtype after the forward pass: compute the forward pass again."
            )
        tensor = self.tensor()
        return tensor if tensor is not None and tensor._node is self else None


class Call(NamedTuple):
    """What ``tg.detect_anomaly()`` remembers of a call: its line, and all that it takes to call the op again.

    Attributes:
        where: the line that called it.
        again: calls the op with such items and options.
        items: what the op was given, one for each parent of the node; bare, or Tensors outside the graph.
        options: the other arguments.
        names: of the items.
        outputs: what the op gave, bare.
        randomness: where random numbers came from, as ``modes.randomness`` told it before the call.
    """

    where: versions.Place
    again: Callable[[Sequence[Any], dict[str, Any]], Any]
    items: tuple[Any, ...]
    options: dict[str, Any]
    names: tuple[str, ...]
    outputs: tuple[Any, ...]
    randomness: Any


class Node(Vertex):
    """One application of an op: whom its cotangents go to, and what its rules kept."""

    __slots__ = ("call", "kept", "op", "parents")

    def __init__(self, op: Pullback, parents: tuple[Vertex | None, ...], kept: Any, shape: Any, dtype: Any) -> None:
        self.op = op
        self.parents: tuple[Vertex | None, ...] | None = parents
        self.kept = kept
        self.shape = shape
        self.dtype = dtype
        self.order = tick()
        self.hooks = None
        self.retained = None
        # Whoever makes a node under detect_anomaly() sets it.
        self.call: Call | None = None

    def parents_of(self) -> Sequence[Vertex | None]:
        return self.parents or ()

    @property
    def where(self) -> versions.Place | None:
        """The line that called the op, if that is remembered."""
        return None if self.call is None else self.call.where

    def release(self) -> None:
        """Lets go of what was kept, and of the graph below."""
        self.kept = self.parents = self.call = None


class Bundle(Node):
    """The node of an op with several outputs: ``shape`` and ``dtype`` are tuples, one entry an output."""

    __slots__ = ("outputs",)

    def __init__(self, op: Pullback, parents: tuple[Vertex | None, ...], kept: Any, shape: Any, dtype: Any) -> None:
        super().__init__(op, parents, kept, shape, dtype)
        # Weakly, for outputs hold their bundle, and nothing is to hold itself.
        self.outputs: weakref.WeakValueDictionary[int, Output] = weakref.WeakValueDictionary()

    def output(self, index: int) -> Output:
        """The vertex of one output: the same for all who hold it, so that their cotangents meet there."""
        vertex = self.outputs.get(index)
        if vertex is None:
            vertex = self.outputs[index] = Output(self, index)
        return vertex


class Output(Vertex):
    """One output of an op with several."""

    __slots__ = ("bundle", "index")

    def __init__(self, bundle: Bundle, index: int) -> None:
        self.bundle = bundle
        self.index = index
        self.shape = bundle.shape[index]
        self.dtype = bundle.dtype[index]
        self.order = tick()
        self.hooks = None
        self.retained = None

    def parents_of(self) -> Sequence[Vertex | None]:
        return (self.bundle,)


def unbroadcast(cotangent: Cotangent, vertex: Vertex, source: str) -> Cotangent:
    """``cotangent`` in the shape and dtype of its vertex: broadcasting undone, for all ops, here.

    Args:
        cotangent: what a rule gave.
        vertex: whom it is for.
        source: the rule, for the message.
    """
    shape = vertex.shape
    if cotangent.dtype.kind not in "fiub":
        raise GradientError(f"{source} gave a gradient of dtype {cotangent.dtype} for an input of {vertex.dtype}.")
    if cotangent.shape != shape:
        xp = backend.namespace(cotangent)
        extra = cotangent.ndim - len(shape)
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, cotangent.shape[extra:], strict=True)):
            raise GradientError(
                f"{source} gave a gradient of shape {tuple(cotangent.shape)} for an input of shape {shape}: it must "
                f"have the input's shape, or one that the input broadcasts to."
            )
        axes = tuple(range(extra)) + tuple(
            extra + i for i, n in enumerate(shape) if n == 1 and cotangent.shape[extra + i] != 1
        )
        cotangent = xp.reshape(xp.sum(cotangent, axis=axes), shape)
    if cotangent.dtype != vertex.dtype:
        cotangent = cotangent.astype(vertex.dtype)
    return cotangent


def propagate(
    seeds: Iterable[tuple[Vertex, Cotangent]],
    *,
    retain_graph: bool,
    create_graph: bool,
    targets: set[Vertex] | None = None,
    fill_retained: bool = False,
) -> dict[Vertex, Cotangent]:
    """Walks back from ``seeds`` in the order of creation, youngest first, so every vertex is visited once.

    Args:
        seeds: vertices to start from, with their cotangents.
        retain_graph: whether nodes hold on to what they kept.
        create_graph: whether rules run on Tensors, so that the result can be differentiated.
        targets: the vertices whose cotangents are wanted; only paths that lead to them are walked. None means all
            leaves.
        fill_retained: whether tensors that retain their gradient get it (unless they are targets: those are the
            caller's to fill).

    Returns:
        The cotangents of the targets (or leaves) that were reached. They may share memory.
    """
    seeds = list(seeds)
    useful = None if targets is None else _leading_to(targets, [vertex for vertex, _ in seeds])
    pending: dict[Vertex, Any] = {}
    owned: set[Vertex] = set()
    found: dict[Vertex, Cotangent] = {}
    heap: list[tuple[int, Vertex]] = []

    def deliver(vertex: Vertex, cotangent: Cotangent) -> None:
        held = pending.get(vertex)
        if held is None:
            pending[vertex] = cotangent
            heappush(heap, (-vertex.order, vertex))
        elif vertex in owned:
            held += cotangent
            pending[vertex] = held
        else:
            # The first one may be held by others too (a rule may hand on what it was given). It is worth a look if the
            # sum would need much memory.
            if held.size < LARGE:
                pending[vertex] = held + cotangent
            else:
                del held
                pending[vertex] = add([pending.pop(vertex)], cotangent)
            if not create_graph:
                owned.add(vertex)

    for vertex, cotangent in seeds:
        if useful is None or vertex in useful:
            deliver(vertex, cotangent)

    anomaly = state.anomaly
    while heap:
        vertex = heappop(heap)[1]
        cotangent = pending.pop(vertex)
        if vertex.hooks is not None:
            for hook in tuple(vertex.hooks.values()):
                cotangent = hook(cotangent)
            if anomaly:
                _check_finite(cotangent, f"a hook of a tensor of shape {vertex.shape}")
        if isinstance(vertex, Leaf) if targets is None else vertex in targets:
            found[vertex] = cotangent
        elif fill_retained and vertex.retained is not None:
            tensor = vertex.retained()
            if tensor is not None:
                tensor._accumulate([cotangent])
        if useful is not None and not any(parent in useful for parent in vertex.parents_of()):
            continue
        if isinstance(vertex, Output):
            bundle = vertex.bundle
            slots = pending.get(bundle)
            if slots is None:
                slots = pending[bundle] = [None] * len(bundle.shape)
                heappush(heap, (-bundle.order, bundle))
            slots[vertex.index] = cotangent
            continue
        if not isinstance(vertex, Node):
            continue
        node = vertex
        if node.parents is None:
            raise _freed(node)
        if node.order < versions.latest:
            versions.check(node.kept, node.order, node.op.name)
        for parent, part, name in node.op.pull(node, cotangent, create_graph, useful):
            if parent is None or part is None or (useful is not None and parent not in useful):
                continue
            if part.shape != parent.shape or part.dtype is not parent.dtype:
                part = unbroadcast(part, parent, f"the vjp rule of {node.op.name!r} for {name!r}")
            if anomaly or node.call is not None:
                where = node.where or "a line outside detect_anomaly()"
                _check_finite(part, f"the vjp rule of {node.op.name!r} for {name!r}", f" The forward call: {where}")
            deliver(parent, part)
        if not retain_graph:
            node.release()
    return found


def _leading_to(targets: set[Vertex], roots: list[Vertex]) -> set[Vertex]:
    """The vertices from which a target can be reached, among those that the roots reach."""
    seen: set[Vertex] = set(roots)
    stack = list(seen)
    while stack:
        for parent in stack.pop().parents_of():
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    if not targets <= seen:
        # The way to what was not found may have led through a node that was let go of.
        for vertex in seen:
            if isinstance(vertex, Node) and vertex.parents is None:
                raise _freed(vertex)
    useful: set[Vertex] = set()
    # Parents are older than children, so in this order every parent is settled before its children.
    for vertex in sorted(seen, key=lambda vertex: vertex.order):
        if vertex in targets or any(parent in useful for parent in vertex.parents_of()):
            useful.add(vertex)
    return useful


def _freed(node: Node) -> GradientError:
    return GradientError(
        f"backward through {node.op.name!r} a second time: its graph was freed by the first. Give retain_graph=True to "
        f"the first backward() or grad() to keep it, or compute the forward pass again."
    )


def _check_finite(cotangent: Cotangent, source: str, where: str = "") -> None:
    xp = backend.namespace(cotangent)
    bad = {"NaN": int(xp.sum(xp.isnan(cotangent))), "infinite": int(xp.sum(xp.isinf(cotangent)))}
    if any(bad.values()):
        counts = " and ".join(f"{count} {kind}" for kind, count in bad.items() if count)
        raise GradientError(
            f"{source} gave a gradient with {counts} value(s), of shape {tuple(cotangent.shape)}.{where}"
        )
