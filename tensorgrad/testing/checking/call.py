"""A function of anybody's as a function of arrays: containers are put together before it and taken apart behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tensorgrad.testing.checking.containers import Slot, is_array, put_together, take_apart, walk


class Call:
    """``f`` as a function of leaves that gives the tuple of those outputs that are checked.

    Args:
        f: what the user calls, or a template of it.
        inputs: templates of its inputs.
    """

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.f, self.inputs = f, tuple(inputs)
        self.names: list[str] = []
        self._template: Any = None
        self._chosen: list[int] = []
        self._count = 0

    def __call__(self, *leaves: Any) -> tuple[Any, ...]:
        return self.select(self.result(leaves))

    def result(self, leaves: Sequence[Any]) -> Any:
        """What ``f`` returns."""
        function, arguments = put_together((self.f, self.inputs), leaves)
        return function(*arguments)

    def arguments(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """What ``f`` is called with."""
        arguments: tuple[Any, ...] = put_together(self.inputs, leaves)
        return arguments

    def choose(self, result: Any, accept: Callable[[Any], bool]) -> list[Any]:
        """Settles from a first result which outputs are checked, those that are accepted; returns them."""
        parts = enumerate(result) if isinstance(result, (tuple, list)) and not is_array(result) else None
        everything = (
            list(walk(result, "output" if isinstance(result, Mapping) else "output 0"))
            if parts is None
            else [leaf for i, part in parts for leaf in walk(part, f"output {i}")]
        )
        self._count = len(everything)
        self._chosen = [i for i, (_, leaf) in enumerate(everything) if accept(leaf)]
        self.names = [everything[i][0] for i in self._chosen]
        slots = iter(range(self._count))
        positions = {place: Slot(number) for number, place in enumerate(self._chosen)}
        self._template = take_apart(result, "", lambda *_: positions.get(next(slots)))
        return [everything[i][1] for i in self._chosen]

    def select(self, result: Any) -> tuple[Any, ...]:
        """The outputs that are checked."""
        everything = [leaf for _, leaf in walk(result, "")]
        if len(everything) != self._count:
            raise ValueError(f"the function returned {self._count} things the first time and {len(everything)} now.")
        return tuple(everything[i] for i in self._chosen)

    def like_output(self, values: Sequence[Any]) -> Any:
        """``values`` built like what ``f`` returns, with None for what is not checked."""
        return put_together(self._template, values)
