"""The functions of the stand-in: CuPy's signatures in front of NumPy's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .api import Parameter, parameters
from .arrays import checked_dtype, describe, ndarray, operand, wrap
from .counting import note_to_host
from .parameters import SYNCHRONIZING, kind_of

OPTIONS = {
    "einsum": ("dtype", "optimize"),
    "meshgrid": ("copy", "indexing", "sparse"),
    "pad": ("constant_values", "end_values", "reflect_type", "stat_length"),
}
"""What CuPy's functions of keywords without names (``**kwargs``) take."""

WITHOUT_BASE = ("as_strided", "sliding_window_view")
"""The functions whose views do not say in CuPy what they are views of."""


class Function:
    """A function that takes what CuPy's takes, and nothing else.

    Args:
        name: as errors call it, ``"cupy.sum"``.
        signature: CuPy's, as text.
        implementation: works on NumPy arrays; the parameters that must be given come by position, the others by
            keyword, and an option given as None is left out.
    """

    def __init__(self, name: str, signature: str, implementation: Callable[..., Any]) -> None:
        self.name = name
        self.__name__ = name.rpartition(".")[2]
        self._implementation = implementation
        found = parameters(signature)
        self._parameters = {p.name: p for p in found if p.kind != "rest"}
        self._parameters |= {name: Parameter(name, "keyword", False) for name in OPTIONS.get(self.__name__, ())}
        self._positional = [p.name for p in found if p.kind in ("positional", "either")]
        self._required = [p.name for p in found if p.required]
        self._rest = next((p.name for p in found if p.kind == "rest"), None)
        self._kinds = {p.name: kind_of(self.__name__, p.name) for p in found}
        self._kinds |= dict.fromkeys(OPTIONS.get(self.__name__, ()), "host")
        self._synchronizes = SYNCHRONIZING.get(self.__name__)

    def __repr__(self) -> str:
        return f"<function {self.name} of the stand-in>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given, rest = self._bind(args, kwargs)
        sources: list[ndarray] = []
        leading = [self._raw(name, given[name], sources) for name in self._required]
        leading += [self._raw(self._rest, value, sources) for value in rest]  # type: ignore[arg-type]
        options = {
            name: self._raw(name, value, sources)
            for name, value in given.items()
            if value is not None and name not in self._required
        }
        if self._synchronizes is not None and (times := self._synchronizes(given)):
            note_to_host(self.name, times)
        with np.errstate(all="ignore"):
            result = self._implementation(*leading, **options)
        return deliver(result, [] if self.__name__ in WITHOUT_BASE else sources)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], tuple[Any, ...]]:
        """The arguments by name, and those that a ``*rest`` takes."""
        count = len(self._positional)
        if len(args) > count and self._rest is None:
            raise TypeError(f"{self.name} takes at most {count} positional arguments, got {len(args)}.")
        given = dict(zip(self._positional, args, strict=False))
        for name, value in kwargs.items():
            parameter = self._parameters.get(name)
            if parameter is None:
                raise TypeError(f"{self.name} has no parameter {name!r}: it has {', '.join(self._parameters)}.")
            if parameter.kind == "positional" or name in given:
                raise TypeError(f"{self.name}: {name!r} is given by position only, and once.")
            given[name] = value
        for name in self._required:
            if name not in given:
                raise TypeError(f"{self.name} needs {name!r}.")
        return given, args[count:]

    def _raw(self, name: str, value: Any, sources: list[ndarray]) -> Any:
        """One argument for NumPy, after a check that CuPy would take it."""
        kind = self._kinds[name]
        label = f"{self.name}: {name!r}"
        if type(value) is ndarray:
            if kind in ("host", "dtype"):
                raise TypeError(f"{label} is not taken from the device, got {describe(value)}.")
            if kind == "arrays":
                raise TypeError(f"{label} must be a list or tuple of device arrays, got {describe(value)}.")
            sources.append(value)
            return value._array
        if kind == "host":
            return _host(value, label)
        if kind == "dtype":
            return checked_dtype(value, self.name)
        if kind == "operand":
            return None if value is None else operand(value, label)
        if kind == "arrays" and isinstance(value, (list, tuple)):
            return type(value)([self._array(part, label, sources) for part in value])
        if kind == "either" and not isinstance(value, np.ndarray):
            return value
        return self._array(value, label, sources)

    def _array(self, value: Any, label: str, sources: list[ndarray]) -> np.ndarray:
        if type(value) is not ndarray:
            raise TypeError(f"{label} must be a device array, got {describe(value)}.")
        sources.append(value)
        return value._array


def _host(value: Any, label: str) -> Any:
    """``value`` itself, if there is no array in it."""
    if isinstance(value, np.ndarray):
        raise TypeError(f"{label} is given as numbers, got {describe(value)}.")
    if isinstance(value, (list, tuple)):
        for part in value:
            if type(part) is ndarray:
                raise TypeError(f"{label} is not taken from the device, got {describe(part)} in it.")
            _host(part, label)
    return value


def deliver(result: Any, sources: list[ndarray]) -> Any:
    """A result of NumPy's with device arrays for its arrays and its scalars."""
    if isinstance(result, (np.ndarray, np.generic)):
        return wrap(result, *sources)
    if isinstance(result, (tuple, list)):
        parts = [deliver(part, sources) for part in result]
        # CuPy has names for the results of the `unique_` functions only, and none for those of linear algebra.
        named = type(result).__name__.startswith("Unique")
        return type(result)(*parts) if named else list(parts) if isinstance(result, list) else tuple(parts)
    return result


def method(function: Function) -> Callable[..., Any]:
    """``function`` as a method of its first parameter."""

    def call(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    call.__name__ = function.__name__
    return call
