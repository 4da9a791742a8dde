"""Where rules are: what can be broken, and how a broken rule is put in the place of a sound one."""

from __future__ import annotations

import contextlib
import inspect
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tensorgrad.autograd import Function
from tensorgrad.autograd.operation import Op
from tensorgrad.autograd.rules import OPTIONS, Rule


class Visit(NamedTuple):
    """One run of a rule, as a mutant sees it.

    Attributes:
        pull: the sound rule: takes a cotangent and what was kept, gives a list of gradients, one for each input.
        g: the cotangent; a tuple of them, where the op has several outputs.
        kept: what the rule asks for, by name.
        more: what the mutant asks for besides, by name.
    """

    pull: Callable[[Any, Mapping[str, Any]], list[Any]]
    g: Any
    kept: dict[str, Any]
    more: dict[str, Any]


@dataclass
class Seen:
    """What a rule was given, and gave.

    Attributes:
        runs: how often it ran.
        kept: the values of what it asks for, a few of each.
        broadcast: the inputs whose gradients were of another shape, so that the engine had to sum over axes.
    """

    runs: int = 0
    kept: dict[str, list[Any]] = field(default_factory=dict)
    broadcast: set[str] = field(default_factory=set)


Around = Callable[[Visit], list[Any]]
"""A mutant that is wrapped around a rule: gives the gradients instead of it."""


class Site(ABC):
    """A rule that can be broken.

    Attributes:
        name: of the op and the inputs, such as ``"elementwise.multiply(x2)"``.
        module: where the op is defined.
        inputs: whose gradients the rule gives, in this order.
        asks: what the rule asks for besides the cotangent.
        function: its text.
        outputs: how many cotangents it is given.
    """

    name: str
    module: str
    inputs: tuple[str, ...]
    asks: tuple[str, ...]
    function: Callable[..., Any]
    outputs: int

    @abstractmethod
    def around(self, mutant: Around, more: tuple[str, ...] = ()) -> Callable[..., Any]:
        """The rule with a mutant around it, for :meth:`replaced`; ``more`` is what the mutant asks for."""

    @abstractmethod
    def replaced(
        self, function: Callable[..., Any], more: tuple[str, ...] = ()
    ) -> contextlib.AbstractContextManager[None]:
        """A block in which ``function`` is the rule; afterwards all is as it was."""


class RuleSite(Site):
    """A vjp rule of an op."""

    def __init__(self, op: Op, rule: Rule) -> None:
        self.op, self.rule = op, rule
        self.module = op.forward.__module__
        self.name = f"{self.module.rpartition('.')[2]}.{op.name}({', '.join(rule.inputs)})"
        self.inputs, self.asks, self.function = rule.inputs, rule.asks, rule.function
        self.outputs = max(1, len(op.outputs))

    @property
    def kept(self) -> tuple[str, ...]:
        """What the rule asks for of the call: all but what it is told by name, which comes with the cotangent."""
        return tuple(ask for ask in self.asks if ask not in OPTIONS)

    @property
    def arrays(self) -> tuple[str, ...]:
        """The op's array parameters, and its outputs, as a rule may ask for them."""
        if self.op.variadic:
            return ()
        return (*list(self.op.index)[: self.op.arrays], *(self.op.outputs or ("out",)))

    def siblings(self) -> list[RuleSite]:
        """The op's other rules."""
        rules = {id(rule): rule for rule in self.op.rules.values() if rule.function is not self.function}
        return [RuleSite(self.op, rule) for rule in rules.values()]

    def around(self, mutant: Around, more: tuple[str, ...] = ()) -> Callable[..., Any]:
        rule, names = self.rule, self.kept
        joined = self.op.variadic or len(rule.inputs) > 1

        def mutated(g: Any, *values: Any, **options: Any) -> Any:
            def pull(g: Any, kept: Mapping[str, Any]) -> list[Any]:
                result = rule.function(g, *[kept[name] for name in names], **{name: kept[name] for name in options})
                return list(result) if joined else [result]

            kept = dict(zip(names, values, strict=False)) | options
            extra = dict(zip(more, values[len(names) :], strict=True))
            parts = mutant(Visit(pull, g, kept, extra))
            return parts if joined else parts[0]

        return mutated

    @contextlib.contextmanager
    def replaced(self, function: Callable[..., Any], more: tuple[str, ...] = ()) -> Iterator[None]:
        before = dict(self.op.rules)
        rule = Rule(function, self.inputs, self.asks + more)
        try:
            self.op.rules.update(dict.fromkeys(self.inputs, rule))
            self.op._plans.clear()
            yield
        finally:
            self.op.rules.clear()
            self.op.rules.update(before)
            self.op._plans.clear()


class FunctionSite(Site):
    """The backward of a :class:`tensorgrad.Function`."""

    def __init__(self, cls: type[Function]) -> None:
        self.cls = cls
        self.module = cls.__module__
        self.name = f"{self.module.rpartition('.')[2]}.{cls.__qualname__}.backward"
        # What is kept stands in the context.
        self.inputs, self.asks = tuple(inspect.signature(cls.forward).parameters)[1:], ()
        self.function = cls.backward
        self.outputs = 1

    def around(self, mutant: Around, more: tuple[str, ...] = ()) -> Callable[..., Any]:
        backward = self.function

        def mutated(ctx: Any, *grads: Any) -> Any:
            several: list[bool] = []

            def pull(g: Any, kept: Mapping[str, Any]) -> list[Any]:
                result = backward(ctx, g, *grads[1:])
                several.append(isinstance(result, (tuple, list)))
                return list(result) if several[-1] else [result]

            parts = mutant(Visit(pull, grads[0], {}, {}))
            return tuple(parts) if several[-1] else parts[0]

        return mutated

    @contextlib.contextmanager
    def replaced(self, function: Callable[..., Any], more: tuple[str, ...] = ()) -> Iterator[None]:
        before = vars(self.cls).get("backward")
        try:
            self.cls.backward = staticmethod(function)  # type: ignore[method-assign]
            yield
        finally:
            if before is None:
                del self.cls.backward
            else:
                self.cls.backward = before  # type: ignore[method-assign]


def sites_of(thing: Any, empty: bool = False) -> list[Site]:
    """The rules of an op, of a Function, or of all of those that a module or a function's module defines.

    Args:
        thing: one of these.
        empty: whether there need not be any.

    Raises:
        TypeError: if there is no rule to be found.
    """
    if isinstance(thing, Op) or isinstance(getattr(thing, "op", None), Op):
        record = thing if isinstance(thing, Op) else thing.op
        rules = {id(rule): rule for rule in record.rules.values()}
        found: list[Site] = [RuleSite(record, rule) for rule in rules.values()]
    elif isinstance(thing, type) and issubclass(thing, Function):
        found = [FunctionSite(thing)]
    else:
        module = thing if isinstance(thing, types.ModuleType) else inspect.getmodule(thing)
        # One op may have several names there, and may have come from elsewhere.
        named = {} if module is None else vars(module)
        own = [value for value in named.values() if getattr(value, "__module__", None) == named["__name__"]]
        found = [site for value in own if _has_rules(value) for site in sites_of(value)]
        found = list({site.name: site for site in found}.values())
    if not found and not empty:
        raise TypeError(
            f"there is no vjp rule to break in {getattr(thing, '__name__', thing)!r}: give an op (made by @tg.op, with "
            f"rules by .vjp), a subclass of tg.Function, or a function beside which such are defined."
        )
    return found


def _has_rules(value: Any) -> bool:
    if isinstance(value, type):
        return issubclass(value, Function) and value is not Function
    return isinstance(getattr(value, "op", None), Op) and bool(value.op.rules)


@contextlib.contextmanager
def watched(sites: Iterable[Site]) -> Iterator[dict[str, Seen]]:
    """A block in which it is collected what rules are given and give, by their names."""
    seen = {site.name: Seen() for site in sites}

    def watcher(site: Site) -> Around:
        record = seen[site.name]

        def watch(visit: Visit) -> list[Any]:
            record.runs += 1
            for name, value in visit.kept.items():
                values = record.kept.setdefault(name, [])
                if len(values) < 50:
                    values.append(value)
            parts = visit.pull(visit.g, visit.kept)
            for name, part, shape in zip(site.inputs, parts, visit.more.values(), strict=False):
                shape = shape[0] if isinstance(shape, list) else shape
                if part is not None and part.shape != shape:
                    record.broadcast.add(name)
            return parts

        return watch

    with contextlib.ExitStack() as stack:
        for site in sites:
            more = tuple(f"{name}_shape" for name in site.inputs) if isinstance(site, RuleSite) else ()
            stack.enter_context(site.replaced(site.around(watcher(site), more), more))
        yield seen
