"""Grading: an engine in, a report card out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tensorgrad.testing.conformance.adapters import adapt
from tensorgrad.testing.conformance.card import Card
from tensorgrad.testing.conformance.check import Check
from tensorgrad.testing.conformance.engine import Engine
from tensorgrad.testing.conformance.examine import Result, examine
from tensorgrad.testing.conformance.levels import CHECKS, LEVELS
from tensorgrad.testing.conformance.runner import Limits, Runner


def chosen(levels: Iterable[int] | None = None, names: Sequence[str] = ()) -> list[Check]:
    """The checks of some levels (None: all) that have one of the given names, or a name with that word in it."""
    if isinstance(levels, (str, int)) or isinstance(names, str):
        raise TypeError(f"levels and names are sequences, such as [1, 2] and ['sum'], not {levels!r} and {names!r}.")
    exact = {name for name in names if name in CHECKS}
    words = [name for name in names if name not in CHECKS]
    numbers = None if levels is None else set(levels)
    return [
        check
        for level in LEVELS
        if numbers is None or level.number in numbers
        for check in level
        if not names or check.name in exact or any(word in check.name for word in words)
    ]


def grade(
    engine: Any,
    levels: Iterable[int] | None = None,
    names: Sequence[str] = (),
    limits: Limits | None = None,
    options: Mapping[str, Any] | None = None,
    watch: Callable[[Check, Result | None], None] | None = None,
) -> Card:
    """Grades an engine.

    Args:
        engine: ``"module:adapter"`` or ``"path/to/file.py:adapter"``, which is examined in child processes with limits;
            or an adapter (see :func:`~tensorgrad.testing.conformance.adapters.adapt`), which is examined in this
            process, with no protection from crashes and endless loops.
        levels: numbers of levels; all, if not given.
        names: only checks of these names, or with these words in their names.
        limits: of time and memory for each check.
        options: attributes to set on an adapter that is given by name, such as ``scalars=True``.
        watch: called with each check before it is put (with None), and after (with its result).

    Returns:
        The card: true if something was offered and nothing failed. After Ctrl-C it has the results up to there.

    Raises:
        AdapterError: if the adapter cannot be found, or is none.
        ValueError: if there are no such checks.

    Example:
        >>> from tensorgrad.testing.conformance import Functional, grade
        >>> import tensorgrad as tg
        >>> class Mine(Functional):
        ...     functions = tg
        ...
        ...     def gradient(self, f, arrays):
        ...         tensors = [tg.tensor(array, requires_grad=True) for array in arrays]
        ...         return tuple(g.numpy() for g in tg.grad(f(*tensors), tensors))
        ...
        ...     def value(self, native):
        ...         return native.numpy()
        >>> bool(grade(Mine(), levels=[2]))
        True
    """
    watch = watch or (lambda check, result: None)
    checks = chosen(levels, names)
    if not checks:
        raise ValueError(
            f"there are no checks of levels {levels!r} and names {names!r}: levels are 1 to {len(LEVELS)}."
        )
    if not isinstance(engine, str):
        adapter = adapt(engine)
        facts = {key: getattr(adapter, key) for key in ("name", "version", "dtype", "notes", "scalars")}
        return _collect(Card(facts), checks, lambda check: examine(check, Engine(adapter)), watch)
    limits = limits or Limits()
    with Runner(engine, limits, options or {}) as runner:
        words = f"in a process of its own, where a check may take {limits.seconds:g} s of processor time"
        slow = sorted({check.patience for check in checks if check.patience != 1})
        if slow:
            words += f" ({', '.join(f'{limits.seconds * times:g}' for times in slow)} s for the largest graphs)"
        if runner.memory_limited:
            words += f" and {limits.gigabytes:g} GiB"
        return _collect(Card(runner.facts, limits=words), checks, runner.run, watch)


def _collect(
    card: Card,
    checks: Iterable[Check],
    put: Callable[[Check], Result],
    watch: Callable[[Check, Result | None], None],
) -> Card:
    try:
        for check in checks:
            watch(check, None)
            card.results.append(put(check))
            watch(check, card.results[-1])
    except KeyboardInterrupt:
        card.complete = False
    return card
