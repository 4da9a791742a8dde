"""The libraries whose gradients can be checked: found where they are in use, never required."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.testing.checking.containers import walk
from tensorgrad.testing.engines.autograd import AutogradEngine
from tensorgrad.testing.engines.base import Engine
from tensorgrad.testing.engines.finding import mentioned
from tensorgrad.testing.engines.jax import JAXEngine
from tensorgrad.testing.engines.mygrad import MyGradEngine
from tensorgrad.testing.engines.pair import Pair, PairEngine, pair
from tensorgrad.testing.engines.pytorch import PyTorchEngine
from tensorgrad.testing.engines.tensorgrad import TensorgradEngine

__all__ = ["Engine", "Pair", "find", "pair"]

ENGINES: dict[str, type[Engine]] = {
    engine.name: engine for engine in (TensorgradEngine, PyTorchEngine, JAXEngine, AutogradEngine, MyGradEngine)
}
ALIASES = {"torch": "pytorch"}


def find(f: Any, inputs: Sequence[Any], engine: str | Engine | None = None) -> Engine:
    """The engine for a function at its inputs.

    A pair has its own. For the rest, arrays and modules tell by their types; where there are plain arrays and numbers
    only, the libraries tell that the function's code mentions; and where that tells nothing, it is tensorgrad.

    Args:
        f: the function, a Module, or a pair.
        inputs: its arguments, as they are given.
        engine: the name of an engine, or an engine, if it is known.

    Raises:
        ValueError: for a name that no engine has, and for inputs of several libraries.
        ImportError: for an engine whose library is not installed; says how to install it.

    Example:
        >>> find(lambda x: x * x, [np.ones(3)]).name
        'tensorgrad'
    """
    if isinstance(engine, Engine):
        return engine
    if isinstance(f, Pair):
        return PairEngine(f, _native(f, inputs, None if engine == "pair" else engine))
    if engine is None:
        return _native(f, inputs) or ENGINES[_mentioned(f)]()
    return _named(engine)


def function(f: Any) -> Any:
    """``f`` itself; a tuple of two functions as their :func:`pair`. TypeError for what cannot be called."""
    if isinstance(f, (tuple, list)):
        if len(f) != 2:
            raise TypeError(f"a pair is two functions, (forward, backward); got {len(f)}.")
        return pair(*f)
    if not callable(f):
        kind = type(f).__name__
        raise TypeError(f"expected a function, a Module, or a pair (forward, backward), got {kind}.")
    return f


def _named(name: Any) -> Engine:
    engine = ENGINES.get(ALIASES.get(name, name)) if isinstance(name, str) else None
    if engine is not None:
        return engine()
    if name == "pair":
        raise ValueError("engine='pair' takes two functions, (forward, backward), in the place of one.")
    names = ", ".join(map(repr, (*ENGINES, "pair")))
    raise ValueError(f"there is no engine {name!r}: expected one of {names}, or an Engine.")


def _native(f: Any, inputs: Sequence[Any], name: str | None = None) -> Engine | None:
    """The engine whose arrays or modules are among these; None if there are none."""
    if name is not None:
        return _named(name)
    found = {
        engine
        for value in (f, *inputs)
        for _, leaf in walk(value, "")
        for engine in ENGINES.values()
        if engine.owns(leaf)
    }
    if len(found) > 1:
        names = " and ".join(sorted(engine.name for engine in found))
        raise ValueError(
            f"the inputs are of several libraries, {names}: say which one the function is for, by engine=."
        )
    return found.pop()() if found else None


def _mentioned(f: Any) -> str:
    """The name of the one engine that the function's code mentions; tensorgrad if it is none or several."""
    found = mentioned(f, ("tensorgrad", *[engine.package for engine in ENGINES.values() if engine.package]))
    names = [name for name, engine in ENGINES.items() if engine.package in found]
    return names[0] if len(names) == 1 and "tensorgrad" not in found else "tensorgrad"
