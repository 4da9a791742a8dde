"""Names for objects and objects for names; what an object was made with, to be made again."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Self

import numpy as np

_registered: dict[str, Any] = {}
_custom: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects")
_counts: dict[str, int] = {}


# -- names -----------------------------------------------------------------------------------------------------


def snake_case(name: str) -> str:
    """``"MaxPooling2D"`` as ``"max_pooling2d"``.

    Example:
        >>> snake_case("MaxPooling2D"), snake_case("LSTM"), snake_case("ReLU")
        ('max_pooling2d', 'lstm', 're_lu')
    """
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(kind: str) -> str:
    """A name that no layer has had: ``"dense"``, ``"dense_1"``, ..."""
    name = snake_case(kind)
    count = _counts.get(name, 0)
    _counts[name] = count + 1
    return f"{name}_{count}" if count else name


def clear_session(free_memory: bool = True) -> None:
    """Numbers the names of layers from the beginning again."""
    _counts.clear()


# -- custom objects --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Within the block these names stand for these classes and functions, wherever a name is looked up."""
    token = _custom.set({**_custom.get({}), **(custom_objects or {})})
    try:
        yield
    finally:
        _custom.reset(token)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """A decorator: the class or function is known by its name from now on, as to :func:`load_model`.

    Args:
        package: accepted as in Keras, and not needed.
        name: another name.
    """

    def register(target: Any) -> Any:
        _registered[name or target.__name__] = target
        return target

    return register


def custom_object(name: str) -> Any:
    """What a name stands for in a scope of custom objects or among registered ones; None if nothing."""
    return _custom.get({}).get(name, _registered.get(name))


# -- what an object was made with ------------------------------------------------------------------------------


class Configured:
    """What remembers the arguments that it was made with, and so can be made again from its configuration."""

    _arguments: dict[str, Any]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        # Wrong arguments are refused by the constructor.
        with contextlib.suppress(TypeError):
            signature = inspect.signature(cls.__init__)
            arguments = dict(signature.bind(self, *args, **kwargs).arguments)
            first, *others = signature.parameters.values()
            del arguments[first.name]
            for parameter in others:
                if parameter.kind is parameter.VAR_KEYWORD:
                    arguments |= arguments.pop(parameter.name, {})
                elif parameter.kind is parameter.VAR_POSITIONAL:
                    arguments.pop(parameter.name, None)
            object.__setattr__(self, "_arguments", arguments)
        return self

    def get_config(self) -> dict[str, Any]:
        """The arguments that it was made with, as plain values."""
        return {name: serialize(value) for name, value in self._arguments.items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """One more of that configuration. What Keras has besides is left out where it is None or False."""
        names = inspect.signature(cls.__init__).parameters
        return cls(**{name: value for name, value in config.items() if name in names or value not in (None, False)})


def serialize(value: Any) -> Any:
    """A value as None, numbers, strings, lists and dicts; objects by their class and configuration.

    Raises:
        TypeError: for what has neither.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, np.dtype):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [serialize(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): serialize(item) for key, item in value.items()}
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if inspect.isfunction(value) or isinstance(value, type):
        return {"class_name": "function", "config": value.__name__}
    raise TypeError(
        f"{value!r} is no plain value and has no get_config(): a class of your own can define get_config() and leave "
        f"it out."
    )


def deserialize(config: Any, what: str, known: Mapping[str, Any]) -> Any:
    """The object of ``{"class_name": ..., "config": ...}``."""
    name, settings = config["class_name"], config.get("config")
    if name == "function":
        return look_up(what, settings if isinstance(settings, str) else settings["name"], known)
    kind = look_up(what, name, known)
    return kind.from_config(settings) if hasattr(kind, "from_config") else kind(**settings)


def look_up(what: str, name: str, known: Mapping[str, Any]) -> Any:
    """What a name stands for.

    Raises:
        ValueError: if it is unknown; lists those that are known.
    """
    own = custom_object(name)
    if own is not None:
        return own
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    hint = f" Do you mean {near[0]!r}?" if near else ""
    # Classes have a second name in small letters.
    listed = [other for other in known if other.islower()] or [*known]
    raise ValueError(
        f"there is no {what} {name!r}.{hint} Known are: {', '.join(sorted(listed, key=str.lower))}. One of your own is "
        f"given as it is, or in custom_objects={{{name!r}: ...}} when it is loaded."
    )


def made(what: str, identifier: Any, known: Mapping[str, Any]) -> Any:
    """The object that a name, a configuration, a class or the object itself stands for."""
    if isinstance(identifier, Mapping):
        return made(what, deserialize(identifier, what, known), known)
    if isinstance(identifier, str):
        return made(what, look_up(what, identifier, known), known)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier) or isinstance(identifier, Configured):
        return identifier
    raise TypeError(f"{what}: a name, an object or a configuration is expected, not {identifier!r}.")
