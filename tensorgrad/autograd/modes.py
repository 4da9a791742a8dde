"""What is switched on in this thread: recording of the graph, and anomaly detection.

The switches of a thread form a stack. A block that ends takes *its own* entry off the stack, wherever it is,
so blocks may end in any order (suspended generators do that) and the rest stays as it was meant.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

randomness: Callable[[], Any] = dict
"""Tells where the random numbers of this thread come from now; :mod:`tensorgrad.random` gives it, from above."""

watched = False
"""Whether any thread has asked for anomaly detection yet: until then no op has to look up whether its own did."""


class _Entry:
    """A switch that is open in one thread."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: bool) -> None:
        self.name, self.value = name, value


class _State(threading.local):
    """One thread's switches; ``grad`` and ``anomaly`` mirror the topmost entries, for quick reading."""

    grad = True
    anomaly = False

    def __init__(self) -> None:
        self.default = {"grad": True, "anomaly": False}
        self.stack: list[_Entry] = []

    def refresh(self) -> None:
        values = dict(self.default)
        for entry in self.stack:
            values[entry.name] = entry.value
        self.grad, self.anomaly = values["grad"], values["anomaly"]


state = _State()


class Switch:
    """A mode for the length of a ``with`` block, or of each call of a decorated function.

    A decorated generator or coroutine is in the mode while it runs, and not while it waits; a ``with`` block in one
    lasts while it waits, too.

    One instance may be used many times, nested in itself too, and by several threads.
    """

    name: str

    def __init__(self, value: bool) -> None:
        self.value = bool(value)
        self._entries = threading.local()

    def __enter__(self) -> None:
        entry = _Entry(self.name, self.value)
        try:
            self._mine().append(entry)
            state.stack.append(entry)
            state.refresh()
        except BaseException:
            # Ctrl-C in here: the block is never entered, so nobody else takes the entry away.
            self._close(entry)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(self._mine()[-1])

    def _close(self, entry: _Entry) -> None:
        """Takes an entry away, wherever it has got to, whatever interrupts."""
        try:
            if entry in (mine := self._mine()):
                mine.remove(entry)
        finally:
            try:
                if entry in state.stack:
                    state.stack.remove(entry)
            finally:
                state.refresh()

    def _mine(self) -> list[_Entry]:
        if not hasattr(self._entries, "open"):
            self._entries.open = []
        opened: list[_Entry] = self._entries.open
        return opened

    def __call__(self, function: F) -> F:
        """Runs ``function`` in this mode; a generator function, each time that it is resumed."""
        if inspect.isasyncgenfunction(function):
            raise TypeError(
                f"an asynchronous generator cannot be decorated ({function.__qualname__}): decorate what it calls."
            )
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def resumed(*args: Any, **kwargs: Any) -> Any:
                return (yield from self._drive(function(*args, **kwargs)))

            return resumed  # type: ignore[return-value]
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                return await _Awaitable(self._drive(function(*args, **kwargs)))

            return awaited  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    def _drive(self, steps: Any) -> Any:
        """Goes through a generator or coroutine, in this mode while it runs and not while it waits."""
        advance, value = steps.send, None
        while True:
            try:
                with self:
                    item = advance(value)
            except StopIteration as stop:
                return stop.value
            try:
                advance, value = steps.send, (yield item)
            except GeneratorExit:
                with self:
                    steps.close()
                raise
            except BaseException as error:
                advance, value = steps.throw, error


class _Awaitable:
    """A generator, as what ``await`` takes."""

    def __init__(self, steps: Any) -> None:
        self.steps = steps

    def __await__(self) -> Any:
        return self.steps


class _GradSwitch(Switch):
    name = "grad"
    fixed: bool

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__(self.fixed)

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        # ``@no_grad`` without parentheses is what many people type.
        if function is None:
            return super().__new__(cls)
        if not callable(function):
            raise TypeError(
                f"{cls.__name__} takes no arguments but a function to decorate, not {type(function).__name__}: for a "
                f"mode by value there is set_grad_enabled()."
            )
        return cls()(function)


class no_grad(_GradSwitch):
    """Nothing is recorded: results do not require a gradient. A context manager and a decorator.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([1.0, 2.0], requires_grad=True)
        >>> with tg.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    fixed = False


class enable_grad(_GradSwitch):
    """Operations are recorded again, inside a :class:`no_grad` block. A context manager and a decorator."""

    fixed = True


class set_grad_enabled(Switch):
    """Recording on or off by a value: at once when called, until the block's end when used as one, or as a decorator.

    Args:
        mode: whether to record.

    Example:
        >>> import tensorgrad as tg
        >>> training = False
        >>> with tg.set_grad_enabled(training):
        ...     tg.is_grad_enabled()
        False
    """

    name = "grad"

    def __init__(self, mode: bool) -> None:
        super().__init__(mode)
        self._before: tuple[bool, _Entry | None] | None = None
        self._set(self.value)

    def _set(self, value: bool) -> None:
        """Sets the mode of the innermost open block, or the thread's own."""
        block = next((entry for entry in reversed(state.stack) if entry.name == "grad"), None)
        self._before = (state.grad, block)
        if block is None:
            state.default["grad"] = value
        else:
            block.value = value
        state.refresh()

    def _undo(self) -> None:
        """Takes back what the constructor set, once it is known to be a block or a decorator."""
        if self._before is not None:
            value, block = self._before
            self._before = None
            if block is None:
                state.default["grad"] = value
            else:
                block.value = value

    def __enter__(self) -> None:
        self._undo()
        super().__enter__()

    def __call__(self, function: F) -> F:
        self._undo()
        state.refresh()
        return super().__call__(function)


class detect_anomaly(Switch):
    """Remembers where each op was called, and stops backward at the first NaN, infinity or failing rule.

    The error shows the *forward* line that made the op. What the op was called with is kept, too, for as long as the
    graph, so that :func:`tensorgrad.testing.blame` can check each op at the values that it really had. Slows everything
    down, and takes memory; for debugging.

    Example:
        >>> import tensorgrad as tg
        >>> x = tg.tensor([0.0, 1.0], requires_grad=True)
        >>> with tg.detect_anomaly(), np.errstate(divide="ignore"):
        ...     tg.sqrt(x).sum().backward()
        Traceback (most recent call last):
        tensorgrad.errors.GradientError: the vjp rule of 'sqrt' for 'x' gave a gradient with 1 infinite value(s)...
    """

    name = "anomaly"

    def __init__(self, mode: bool = True) -> None:
        super().__init__(mode)
        global watched
        watched = watched or self.value


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread.

    Example:
        >>> import tensorgrad as tg
        >>> tg.is_grad_enabled()
        True
    """
    return state.grad
