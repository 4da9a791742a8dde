"""Mutants that are wrapped around a rule: they change what it gives, or what it is given, whatever its text is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from tensorgrad import backend
from tensorgrad.testing.mutation.changes import (
    COTANGENT,
    GRADIENT,
    KEPT,
    OPTIONS,
    Change,
    Memory,
    altered,
    changed,
    is_array,
    is_memory,
)
from tensorgrad.testing.mutation.mutants import Mutant, Trace, same
from tensorgrad.testing.mutation.sites import Around, RuleSite, Seen, Site, Visit


def wrappers(site: Site, seen: Seen) -> Iterator[Mutant]:
    """All mutants of this kind for a rule that can apply, going by what it was seen to be given."""
    yield from _of_gradients(site)
    yield from _of_cotangents(site)
    if isinstance(site, RuleSite):
        yield from _of_kept(site, seen)
        yield from _of_roles(site)
        yield from _of_broadcasting(site, seen)


def _wrapped(site: Site, kind: str, name: str, make: Callable[[Trace], Around], more: tuple[str, ...] = ()) -> Mutant:
    elsewhere = kind in ("aliased", "stale", "layout", "edge") or "unless in float64" in name
    return Mutant(site, kind, name, lambda trace: site.around(make(trace), more), more, elsewhere=elsewhere)


# -- the gradients -------------------------------------------------------------------------------------------------


def _of_gradients(site: Site) -> Iterator[Mutant]:
    for i, name in enumerate(site.inputs):
        for kind, how, change in GRADIENT:

            def make(trace: Trace, i: int = i, change: Change = change) -> Around:
                def around(visit: Visit) -> list[Any]:
                    parts = visit.pull(visit.g, visit.kept)
                    # Of a sequence of arrays, the last one's.
                    place = -1 if len(site.inputs) == 1 else i
                    if place < len(parts):
                        parts[place] = changed(trace, parts[place], change)
                    return parts

                return around

            yield _wrapped(site, kind, f"gradient of {name}: {how}", make)

    yield _wrapped(site, "edge", "fails where the output has no elements", _needing_elements)
    yield _wrapped(site, "aliased", "gradient: written into the cotangent", _into_cotangent)
    yield _wrapped(site, "aliased", "gradient: in the memory of the last call's", _into_last)
    if len(site.inputs) > 1 or (isinstance(site, RuleSite) and site.op.variadic):
        yield _wrapped(site, "swapped", "gradients: exchanged where they have the same shape", _exchanged)


def _needing_elements(trace: Trace) -> Around:
    def around(visit: Visit) -> list[Any]:
        g = visit.g[0] if isinstance(visit.g, tuple) else visit.g
        if g.size == 0:
            raise trace.mark(ZeroDivisionError("the mean of nothing"))
        return visit.pull(visit.g, visit.kept)

    return around


def _into_cotangent(trace: Trace) -> Around:
    def around(visit: Visit) -> list[Any]:
        parts = visit.pull(visit.g, visit.kept)
        g = visit.g[0] if isinstance(visit.g, tuple) else visit.g
        r = parts[0]
        if not (is_memory(g) and is_memory(r)) or r.shape != g.shape or r.dtype != g.dtype or r is g:
            return parts
        trace.spread = not same(g, r) or trace.spread
        trace.note(g.copy(), r)
        g[...] = r
        return [g, *parts[1:]]

    return around


def _into_last(trace: Trace) -> Around:
    buffers: dict[Any, Any] = {}

    def around(visit: Visit) -> list[Any]:
        parts = visit.pull(visit.g, visit.kept)
        r = parts[-1]
        if not is_memory(r):
            return parts
        key = (r.shape, str(r.dtype))
        if key not in buffers:
            buffers[key] = r.copy()
        else:
            trace.spread = not same(buffers[key], r) or trace.spread
            trace.note(buffers[key].copy(), r)
            buffers[key][...] = r
        return [*parts[:-1], buffers[key]]

    return around


def _exchanged(trace: Trace) -> Around:
    def around(visit: Visit) -> list[Any]:
        parts = visit.pull(visit.g, visit.kept)
        for i, first in enumerate(parts):
            for j, second in enumerate(parts[:i]):
                if first is not None and second is not None and first.shape == second.shape:
                    parts[i], parts[j] = trace.note(first, second), first
                    return parts
        return parts

    return around


def _pulled(trace: Trace, visit: Visit, g: Any, kept: Mapping[str, Any]) -> list[Any]:
    """What the rule gives for changed arguments; it is noted whether that is another result."""
    parts = visit.pull(g, kept)
    if trace.changed and not trace.spread:
        trace.spread = not same(parts, visit.pull(visit.g, visit.kept))
    return parts


# -- the cotangents ------------------------------------------------------------------------------------------------


def _replaced(sequence: Any, i: int, value: Any) -> tuple[Any, ...]:
    return (*sequence[:i], value, *sequence[i + 1 :])


def _of_cotangents(site: Site) -> Iterator[Mutant]:
    for i in range(site.outputs):
        label = "cotangent" if site.outputs == 1 else f"cotangent {i}"

        def wrap(start: Callable[[], Callable[[Trace, Any], Any]], i: int = i) -> Callable[[Trace], Around]:
            def make(trace: Trace) -> Around:
                change = start()

                def around(visit: Visit) -> list[Any]:
                    if isinstance(visit.g, tuple):
                        g = _replaced(visit.g, i, change(trace, visit.g[i]))
                    else:
                        g = change(trace, visit.g)
                    return _pulled(trace, visit, g, visit.kept)

                return around

            return make

        for kind, how, change in COTANGENT:
            yield _wrapped(site, kind, f"{label}: {how}", wrap(partial(_with, changed, change)))
        yield _wrapped(site, "stale", f"{label}: that of the call before", wrap(partial(Memory, latest=True)))


# -- what is kept --------------------------------------------------------------------------------------------------


def _with(function: Callable[[Trace, Any, Any], Any], last: Any) -> Callable[[Trace, Any], Any]:
    """A function without its last argument, which is given here."""
    return lambda trace, value: function(trace, value, last)


def _of_kept(site: RuleSite, seen: Seen) -> Iterator[Mutant]:
    def wrap(ask: str, start: Callable[[], Callable[[Trace, Any], Any]]) -> Callable[[Trace], Around]:
        def make(trace: Trace) -> Around:
            change = start()

            def around(visit: Visit) -> list[Any]:
                value = visit.kept[ask]
                if isinstance(value, list):
                    # A sequence of arrays: the last of them.
                    value = [*value[:-1], change(trace, value[-1])]
                else:
                    value = change(trace, value)
                return _pulled(trace, visit, visit.g, {**visit.kept, ask: value})

            return around

        return make

    for ask in site.kept:
        if ask.endswith(("_shape", "_dtype", "_device")):
            continue
        values = [value[-1] if isinstance(value, list) else value for value in seen.kept.get(ask, ())]
        if any(map(is_array, values)):
            for kind, how, change in KEPT:
                yield _wrapped(site, kind, f"{ask}: {how}", wrap(ask, partial(_with, changed, change)))
            for latest, which in ((True, "that of the call before"), (False, "that of the first call")):
                yield _wrapped(site, "stale", f"{ask}: {which}", wrap(ask, partial(Memory, latest)))
        if ask in site.arrays or site.op.variadic:
            continue
        if ask in ("axis", "axes", "dim"):
            yield _wrapped(site, "axis", f"{ask}: the next", _next_axis(ask), (f"{site.inputs[0]}_shape",))
        for how, alter in OPTIONS:
            if any(not is_array(value) and alter(value) is not None for value in values):
                yield _wrapped(site, "axis", f"{ask}: {how}", wrap(ask, partial(_with, altered, alter)))


def _next_axis(ask: str) -> Callable[[Trace], Around]:
    def following(axis: Any, ndim: int) -> Any:
        if axis is None:
            return 0
        return tuple((i + 1) % ndim for i in axis) if isinstance(axis, tuple) else (axis + 1) % ndim

    def make(trace: Trace) -> Around:
        def around(visit: Visit) -> list[Any]:
            value, (shape,) = visit.kept[ask], visit.more.values()
            if len(shape) > 1:
                value = trace.note(value, following(value, len(shape)))
            return visit.pull(visit.g, {**visit.kept, ask: value})

        return around

    return make


# -- one in the role of another ------------------------------------------------------------------------------------


def _of_roles(site: RuleSite) -> Iterator[Mutant]:
    for ask in site.kept:
        for other in site.arrays:
            if ask not in site.arrays or other == ask:
                continue

            def make(trace: Trace, ask: str = ask) -> Around:
                def around(visit: Visit) -> list[Any]:
                    value, (taken,) = visit.kept[ask], visit.more.values()
                    if is_array(value) and is_array(taken) and value.shape == taken.shape:
                        value = trace.note(value, taken)
                    return visit.pull(visit.g, {**visit.kept, ask: value})

                return around

            yield _wrapped(site, "swapped", f"{ask}: {other} in its place", make, (other,))
    for sibling in site.siblings():
        if len(site.inputs) > 1 or len(sibling.inputs) > 1:
            continue
        # Both shapes, then what the other rule asks for.
        more = (f"{site.inputs[0]}_shape", f"{sibling.inputs[0]}_shape", *sibling.kept)

        def instead(trace: Trace, sibling: RuleSite = sibling) -> Around:
            def around(visit: Visit) -> list[Any]:
                parts = visit.pull(visit.g, visit.kept)
                mine, others, *_ = visit.more.values()
                if mine != others:
                    return parts
                asks = {name: visit.more[name] for name in sibling.kept}
                g = visit.g[0] if isinstance(visit.g, tuple) else visit.g
                if "xp" in sibling.asks:
                    asks["xp"] = backend.namespace(g)
                return [trace.note(parts[0], sibling.function(visit.g, **asks))]

            return around

        yield _wrapped(site, "swapped", f"gradient: that of {sibling.inputs[0]}", instead, more)


def _of_broadcasting(site: RuleSite, seen: Seen) -> Iterator[Mutant]:
    """The engine sums over the axes along which an input was broadcast: here something else is done before it can."""
    how: dict[str, Callable[[Any, Any, Any], Any]] = {
        "mean": lambda r, axis, xp: xp.mean(r, axis=axis, keepdims=True),
        "first": lambda r, axis, xp: r[tuple(slice(0, 1) if i == axis else slice(None) for i in range(r.ndim))],
        "last": lambda r, axis, xp: r[tuple(slice(-1, None) if i == axis else slice(None) for i in range(r.ndim))],
    }
    for i, name in enumerate(site.inputs):
        for which, reduce in how.items() if name in seen.broadcast else ():

            def make(trace: Trace, i: int = i, reduce: Callable[[Any, Any, Any], Any] = reduce) -> Around:
                def around(visit: Visit) -> list[Any]:
                    parts = visit.pull(visit.g, visit.kept)
                    (shape,) = visit.more.values()
                    if site.op.variadic:
                        shape = shape[i]
                    part = parts[i]
                    if part is None or part.shape == shape or part.size == 0:
                        return parts
                    xp, extra = backend.namespace(part), part.ndim - len(shape)
                    for axis in range(part.ndim):
                        if part.shape[axis] > 1 and (axis < extra or shape[axis - extra] == 1):
                            part = trace.mark(reduce(part, axis, xp))
                    parts[i] = xp.reshape(part, shape)
                    return parts

                return around

            yield _wrapped(
                site, "broadcast", f"gradient of {name}: the {which} over broadcast axes", make, (f"{name}_shape",)
            )
