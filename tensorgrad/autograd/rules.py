"""The vjp rules of an op: what they ask for, what is kept for them, and how they are run.

A rule's parameters say what it needs, and just that is kept, and only if the rule's gradient is wanted:

======================  ====================================================================================
the first               the cotangent of the output (a tuple of them, where the op has several outputs)
a parameter of the op   the value it was called with
``out``                 the output; an output's own name, where the op has several and names them
``x_shape``,            only the shape, dtype or device of the parameter ``x``: its values are not kept
``x_dtype``,
``x_device``
``xp``                  the namespace of the cotangent: NumPy's, CuPy's, or tensorgrad itself
``needs``               in a rule for several inputs: which of their gradients are wanted, a tuple of booleans
``used``                where the op has several outputs: which of them have a cotangent other than zeros, likewise
======================  ====================================================================================

In an ordinary backward pass all of these are bare arrays. When the gradient is itself to be differentiated the
same text runs on Tensors, and what it does is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd.graph import Bundle, Cotangent, Node, Vertex
from tensorgrad.autograd.tensor import Tensor
from tensorgrad.errors import GradientError
from tensorgrad.pieces import LARGE, each_element

DERIVED: dict[str, Callable[[Any], Any]] = {
    "_shape": lambda value: getattr(value, "shape", ()),
    "_dtype": lambda value: getattr(value, "dtype", None),
    "_device": lambda value: "cpu" if backend.of(value) is None else backend.device_of(value),
}
"""What a rule may ask of a parameter instead of its values, by the ending of the name."""

OPTIONS = frozenset({"xp", "needs", "used"})
"""What a rule is told by name."""

OUT = -1
"""The place of the output among an op's values: after them."""


class Rule(NamedTuple):
    """One vjp rule: its text, the inputs it is for, and what it asks for besides the cotangent."""

    function: Callable[..., Any]
    inputs: tuple[str, ...]
    asks: tuple[str, ...]


class Step(NamedTuple):
    """A rule, made ready to run: where in the kept values its arguments are, and which parents it serves."""

    rule: Rule
    take: Callable[[Sequence[Any]], Sequence[Any]]
    places: tuple[int, ...]
    wants: frozenset[str]
    """What of ``xp``, ``needs`` and ``used`` it asks for."""


class Plan:
    """What an op keeps and which of its rules run, for one choice of inputs that need a gradient.

    Args:
        name: the op's name, for messages.
        index: where each of the op's parameters is among its values.
        outputs: the names of the outputs, where there are several and they are named.
        rules: the rules whose gradients are needed.
        variadic: whether the first parameter is a sequence of arrays, each with a gradient.
        elementwise: whether the rules work on each element by itself.
    """

    def __init__(
        self,
        name: str,
        index: dict[str, int],
        outputs: Sequence[str],
        rules: Sequence[Rule],
        variadic: bool,
        elementwise: bool = False,
    ) -> None:
        self.name = name
        self.elementwise = elementwise
        self.variadic = variadic
        self.count = len(index)
        self.steps: list[Step] = []
        sources: list[str] = []
        for rule in rules:
            asks = [ask for ask in rule.asks if ask not in OPTIONS]
            sources += [ask for ask in asks if ask not in sources]
            take = _taker([sources.index(ask) for ask in asks])
            places = tuple(index[name] for name in rule.inputs)
            self.steps.append(Step(rule, take, places, OPTIONS.intersection(rule.asks)))
        self.asks_used = any("used" in step.wants for step in self.steps)
        # Rules for one input each that are called with what was kept and nothing else: the usual case, made quick.
        self.quick = None
        if not variadic and all(len(step.places) == 1 and not step.wants for step in self.steps):
            self.quick = [(step.rule.function, step.take, step.places[0], step.rule.inputs[0]) for step in self.steps]
        known = {**index, **{name: len(index) + i for i, name in enumerate(outputs)}, "out": OUT}
        self.sources = [known.get(source) for source in sources]
        if None in self.sources:
            self.keep = _keeper([_getter(source, known) for source in sources], variadic)
        else:
            self.keep = _taker([known[source] for source in sources])

    def pull(
        self, node: Node, cotangent: Cotangent, create_graph: bool, useful: set[Vertex] | None
    ) -> list[tuple[Vertex | None, Cotangent, str]]:
        """Runs the rules: the parents of ``node``, their cotangents, and the names of the inputs."""
        parents, kept = node.parents, node.kept
        assert parents is not None
        pulled: list[tuple[Vertex | None, Cotangent, str]] = []
        if self.quick is not None and useful is None and not create_graph and type(node) is Node:
            for function, take, place, name in self.quick:
                try:
                    if self.elementwise and cotangent.size >= LARGE:
                        part = _each(function, (cotangent, *take(kept)))
                    else:
                        part = function(cotangent, *take(kept))
                except Exception as error:
                    self._add_note(error, node, (name,))
                    raise
                pulled.append((parents[place], part if type(part) is np.ndarray else self._part(part, name), name))
            return pulled
        if create_graph:
            kept = self._linked(node, kept)
        used: tuple[bool, ...] = (True,)
        if isinstance(node, Bundle):
            used = tuple(part is not None for part in cotangent)
            # Whoever asks which are used need not look at the others.
            cotangent = fill(cotangent, node, readable=self.asks_used)
        for rule, take, places, wants in self.steps:
            if self.variadic:
                places = tuple(range(len(parents)))
            if useful is not None and not any(parents[place] in useful for place in places):
                continue
            options: dict[str, Any] = {}
            if "xp" in wants:
                options["xp"] = backend.namespace(cotangent[0] if isinstance(node, Bundle) else cotangent)
            if "used" in wants:
                options["used"] = used
            if "needs" in wants:
                wanted = parents if useful is None else [parent if parent in useful else None for parent in parents]
                options["needs"] = tuple(wanted[place] is not None for place in places)
            run = _each if self.elementwise and not create_graph else _call
            try:
                result = run(rule.function, (cotangent, *take(kept)), **options)
            except Exception as error:
                self._add_note(error, node, rule.inputs)
                raise
            names = rule.inputs * len(places) if self.variadic else rule.inputs
            if len(names) == 1 and not self.variadic:
                result = (result,)
            elif not isinstance(result, (tuple, list)) or len(result) != len(names):
                raise GradientError(
                    f"the vjp rule of {self.name!r} for {', '.join(map(repr, rule.inputs))} returned "
                    f"{len(result) if isinstance(result, (tuple, list)) else result} gradients for {len(names)} inputs."
                )
            for place, part, name in zip(places, result, names, strict=True):
                parent = parents[place]
                if parent is None or (useful is not None and parent not in useful):
                    continue
                pulled.append(
                    (parent, part if type(part) is np.ndarray else self._part(part, name, create_graph), name)
                )
        return pulled

    def _part(self, part: Any, name: str, create_graph: bool = False) -> Cotangent:
        """What a rule gave, if it is an array: bare, or a Tensor if it is to be differentiated."""
        if isinstance(part, Tensor):
            return part if create_graph else part._data
        if not isinstance(part, np.generic) and backend.of(part) is None:
            raise GradientError(
                f"the vjp rule of {self.name!r} for {name!r} returned "
                f"{'None' if part is None else type(part).__name__}, not the gradient with respect to it: an array."
            )
        return part

    def _add_note(self, error: Exception, node: Node, inputs: Sequence[str]) -> None:
        line = f"called at {node.where}" if node.where else "tg.detect_anomaly() tells where it was called"
        error.add_note(f"in the vjp rule of {self.name!r} for {', '.join(map(repr, inputs))}; {line}")

    def _linked(self, node: Node, kept: Sequence[Any]) -> list[Any]:
        """What was kept, as Tensors at their places in the graph, for a backward pass that is recorded."""
        parents = node.parents
        assert parents is not None

        def link(value: Any, vertex: Vertex | None) -> Any:
            return value if backend.of(value) is None else Tensor._wrap(value, vertex)

        linked = []
        for value, source in zip(kept, self.sources, strict=True):
            if source == OUT:
                value = outputs(value, node) if isinstance(node, Bundle) else Tensor._wrap(value, node)
            elif source is not None and source >= self.count:
                assert isinstance(node, Bundle)
                value = Tensor._wrap(value, node.output(source - self.count) if value.dtype.kind == "f" else None)
            elif self.variadic and source == 0:
                value = [link(item, parent) for item, parent in zip(value, parents, strict=True)]
            elif source is not None and source < len(parents):
                # Options stay as they are: an index array is no input of the graph.
                value = link(value, parents[source])
            linked.append(value)
        return linked


def outputs(arrays: Sequence[Any], bundle: Bundle) -> tuple[Tensor, ...]:
    """Tensors around the outputs of an op with several; only floating point ones have a gradient."""
    return tuple(
        Tensor._wrap(array, bundle.output(i) if array.dtype.kind == "f" else None) for i, array in enumerate(arrays)
    )


def fill(cotangents: list[Cotangent], bundle: Bundle, readable: bool = False) -> tuple[Cotangent, ...]:
    """The cotangents of all outputs: zeros for those that nobody used, or one zero that is read as if it were many."""
    like = next(cotangent for cotangent in cotangents if cotangent is not None)
    bare = like._data if isinstance(like, Tensor) else like
    filled = []
    for cotangent, shape, dtype in zip(cotangents, bundle.shape, bundle.dtype, strict=True):
        if cotangent is None:
            if readable:
                zeros = backend.namespace(bare).broadcast_to(backend.zeros((), dtype, bare), shape)
            else:
                zeros = backend.zeros(shape, dtype, bare)
            cotangent = Tensor._wrap(zeros) if isinstance(like, Tensor) else zeros
        filled.append(cotangent)
    return tuple(filled)


def _each(function: Callable[..., Any], values: Sequence[Any], **options: Any) -> Any:
    """The rule of an elementwise op on bare arrays; one that only hands on the cotangent has nothing to compute."""
    return each_element(function, values, **options) if len(values) > 1 else function(*values, **options)


def _call(function: Callable[..., Any], values: Sequence[Any], **options: Any) -> Any:
    return function(*values, **options)


def _taker(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A quick function that picks the values at some places of a sequence."""
    if len(places) > 1:
        return itemgetter(*places)
    if not places:
        return lambda values: ()
    place = places[0]
    return itemgetter(slice(place, place + 1 or None))


def _getter(source: str, places: dict[str, int]) -> tuple[int, Callable[[Any], Any] | None]:
    if source in places:
        return places[source], None
    suffix = next(suffix for suffix in DERIVED if source.endswith(suffix))
    return places[source.removesuffix(suffix)], DERIVED[suffix]


def _keeper(
    getters: list[tuple[int, Callable[[Any], Any] | None]], variadic: bool
) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """Like :func:`_taker`, for rules that ask for shapes and the like."""

    def keep(values: Sequence[Any]) -> Sequence[Any]:
        kept = []
        for place, derive in getters:
            value = values[place]
            if derive is not None:
                value = [derive(item) for item in value] if variadic and place == 0 else derive(value)
            kept.append(value)
        return tuple(kept)

    return keep
