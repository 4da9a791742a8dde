"""Adapters: how the kit calls an engine. Two small bases, and how an adapter is found from its name."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from tensorgrad.testing.conformance.errors import AdapterError, NotOffered

ALIASES = {
    "abs": ("absolute", "__abs__"),
    "concat": ("concatenate", "cat"),
    "max": ("amax",),
    "min": ("amin",),
    "permute_dims": ("transpose", "permute"),
    "power": ("pow",),
}
"""Functions that go by several names."""

KEYWORDS = {"axis": "dim", "keepdims": "keepdim"}
"""Arguments that methods may know by PyTorch's names."""


class Adapter:
    """What tapes and functional engines have in common.

    Functions (``exp``, ``sum``, ``conv2d``, ...) are looked up by name: on the adapter itself, in ``functions``, and at
    last as a method of the engine's tensor. They are called as NumPy's are (``sum(x, axis=0, keepdims=True)``), those
    of networks as PyTorch's (``conv2d(x, w, stride=2, padding=1)``). What is ``None``, or nowhere, is not offered.

    Attributes:
        name: of the engine.
        version: of the engine.
        dtype: what it computes in: inputs have this dtype, and tolerances follow from it.
        scalars: true for an engine of single numbers: it is given floats, and asked for no arrays.
        functions: a namespace, or several, in which functions are looked up.
        notes: words for the report card, such as a setting that was made.
    """

    name: str = ""
    version: str = ""
    dtype: str = "float64"
    scalars: bool = False
    functions: Any = ()
    notes: str = ""

    def function(self, name: str) -> Callable[..., Any] | None:
        """The engine's function of this name, or None where it has none.

        Args:
            name: NumPy's or PyTorch's name of the function.
        """
        places = [self, *(self.functions if isinstance(self.functions, (tuple, list)) else [self.functions])]
        for place in places:
            for alias in (name, *ALIASES.get(name, ())):
                if hasattr(place, alias):
                    found = getattr(place, alias)
                    return found if callable(found) else None
        return self.method(name)

    def method(self, name: str) -> Callable[..., Any] | None:
        """The function that calls a method of the engine's tensor, where that is known."""
        return None

    def constant(self, array: np.ndarray) -> Any:
        """A value of the engine for which no gradient is wanted."""
        return array

    def value(self, native: Any) -> Any:
        """The values of an engine's tensor, as something that NumPy understands."""
        return native


class Tape(Adapter):
    """An engine whose tensors remember how they were made: ``backward`` fills in gradients.

    As it stands, it fits an engine whose tensors have ``.data`` (or ``.value``), ``.grad`` and ``.backward()``.
    Subclasses say what is different by defining the methods below.

    Args:
        tensor: the engine's tensor class, or a function that makes a tensor of an array (or of a float).
        functions: where the engine's functions are, besides methods of its tensor: a module, or several.
        scalars: whether the engine computes with single numbers.
        options: other attributes: ``name``, ``version``, ``dtype``, ``notes``, or functions by their name.

    Example:
        >>> class Number:
        ...     "An engine that can add, and no more."
        ...
        ...     def __init__(self, data, parents=()):
        ...         self.data, self.parents, self.grad = data, parents, 0.0
        ...
        ...     def __add__(self, other):
        ...         return Number(self.data + other.data, (self, other))
        ...
        ...     def backward(self, g=1.0):
        ...         self.grad += g
        ...         for parent in self.parents:
        ...             parent.backward(g)
        >>> from tensorgrad.testing.conformance import grade
        >>> card = grade(Tape(Number, scalars=True), levels=[1])
        >>> [result.name for result in card.results if result.status == "passed"]
        ['sum_of_two']
    """

    mark = "variable"

    def __init__(self, tensor: Any = None, functions: Any = None, scalars: bool | None = None, **options: Any) -> None:
        self.tensor = tensor
        if functions is not None:
            self.functions = functions
        if scalars is not None:
            self.scalars = scalars
        for key, option in options.items():
            setattr(self, key, option)
        self.name = self.name or getattr(tensor, "__module__", None) or type(self).__name__

    def method(self, name: str) -> Callable[..., Any] | None:
        def call(x: Any, *arguments: Any, **keywords: Any) -> Any:
            for alias in (name, *ALIASES.get(name, ())):
                if hasattr(x, alias):
                    return _call(getattr(x, alias), *arguments, **keywords)
            raise NotOffered(f"no function {name}")

        return call

    def variable(self, array: Any) -> Any:
        """A tensor with these values, for which a gradient is wanted."""
        if self.tensor is None:
            raise AdapterError("a Tape is made of the engine's tensor class, or defines variable(array).")
        return self.tensor(array, requires_grad=True) if self._has_flag() else self.tensor(array)

    def _has_flag(self) -> bool:
        """Whether the tensor class has to be told that a gradient is wanted."""
        try:
            return "requires_grad" in inspect.signature(self.tensor).parameters
        except (TypeError, ValueError):
            return False

    def constant(self, array: Any) -> Any:
        return self.variable(array) if self.tensor is None else self.tensor(array)

    def value(self, native: Any) -> Any:
        return native.data if hasattr(native, "data") else native.value

    def backward(self, native: Any) -> None:
        """Differentiates this tensor, of one value, with respect to all that it was made of.

        It may take a second argument, the gradient with respect to the tensor (an array), which is then used where the
        tensor has many values.
        """
        native.backward()

    def gradient(self, native: Any) -> Any:
        """The gradient that ``backward`` left with this tensor: an array or a tensor; None where it left none."""
        return native.grad

    def gradients(self, output: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of an output of one value, as tensors that can be differentiated in turn."""
        raise NotOffered("gradients cannot be differentiated again: no gradients(output, inputs)")


class Functional(Adapter):
    """An engine that differentiates functions of arrays.

    Subclasses define ``gradient``. Functions inside of it receive whatever the engine traces with.
    """

    mark = "gradient"

    def __init__(self, **options: Any) -> None:
        for key, option in options.items():
            setattr(self, key, option)
        self.name = self.name or type(self).__name__

    def gradient(self, f: Callable[..., Any], arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of a function of these arrays that returns one value, with respect to each of them.

        Where second derivatives are offered, it is called inside of functions that are being differentiated.
        """
        raise AdapterError("a Functional adapter defines gradient(f, arrays).")


def load(where: str, **options: Any) -> Adapter:
    """The adapter that is meant by ``module:attribute``, ``path/to/file.py:attribute``, or either alone.

    Args:
        where: the attribute is an adapter, a class of one, a module with an adapter's functions, or the tensor class of
            an engine that needs none. Without an attribute, it is the module's ``adapter``, or the module itself.
        options: attributes to set, such as ``scalars=True``.

    Raises:
        AdapterError: if there is nothing of that name, or if it is no adapter.
    """
    place, attribute = where, ""
    if ":" in where and not (len(where.split(":")[-1]) > 0 and where.split(":")[-1][0] in "\\/"):
        place, attribute = where.rsplit(":", 1)
    module = _module(place)
    if attribute:
        thing: Any = module
        for part in attribute.split("."):
            if not hasattr(thing, part):
                raise AdapterError(f"{place} has no {attribute!r}. It has: {_names(thing)}.")
            thing = getattr(thing, part)
    else:
        thing = getattr(module, "adapter", module)
    adapter = adapt(thing, where)
    for key, option in options.items():
        setattr(adapter, key, option)
    return _usable(adapter, where)


def adapt(thing: Any, where: str = "") -> Adapter:
    """Makes an adapter of what is nearly one: a class of them, a module or object with its functions, a tensor class.

    Raises:
        AdapterError: if it is nothing of the kind.
    """
    if isinstance(thing, type) and issubclass(thing, Adapter):
        thing = thing()
    if isinstance(thing, Adapter):
        return _usable(thing, where)
    if isinstance(thing, type) and not hasattr(thing, "variable") and hasattr(thing, "backward"):
        # What the module imported from elsewhere (math.exp) is not the engine's.
        mine = {key: f for key, f in vars(sys.modules[thing.__module__]).items() if _home(f) == thing.__module__}
        return Tape(thing, functions=SimpleNamespace(**mine), name=thing.__module__)
    for base in (Tape, Functional):
        if callable(getattr(thing, base.mark, None)):
            thing = thing() if isinstance(thing, type) else thing
            adapter = base()
            # Its own names come before those of the base, exactly as if it were a subclass.
            vars(adapter).update({key: getattr(thing, key) for key in dir(thing) if not key.startswith("_")})
            adapter.name = getattr(thing, "name", "") or getattr(thing, "__name__", "") or type(thing).__name__
            return adapter
    raise AdapterError(
        f"{where or repr(thing)} is no adapter. An adapter is a Tape or a Functional of "
        "tensorgrad.testing.conformance; or a module or object with variable(array), or with gradient(f, arrays); or a "
        "tensor class with backward()."
    )


def _usable(adapter: Adapter, where: str) -> Adapter:
    """The adapter.

    Raises:
        AdapterError: if no check could be put to it, which would be no fault of the engine's.
    """
    name = where or f"the {type(adapter).__name__} of {adapter.name}"
    if isinstance(adapter, Tape):
        own = "variable" in vars(adapter) or type(adapter).variable is not Tape.variable
        if not own and not callable(adapter.tensor):
            given = "nothing" if adapter.tensor is None else repr(adapter.tensor)
            raise AdapterError(
                f"{name}: a Tape is made of the engine's tensor class, or defines variable(array); it has {given}."
            )
        _takes(adapter, name, "variable", "array")
    elif isinstance(adapter, Functional):
        if "gradient" not in vars(adapter) and type(adapter).gradient is Functional.gradient:
            raise AdapterError(f"{name}: a Functional adapter defines gradient(f, arrays).")
        _takes(adapter, name, "gradient", "f", "arrays")
    try:
        floating = np.dtype(adapter.dtype).kind == "f"
    except TypeError:
        floating = False
    if not floating:
        raise AdapterError(f"{name}: dtype is 'float64', 'float32' or 'float16', not {adapter.dtype!r}.")
    if isinstance(adapter.functions, str):
        raise AdapterError(f"{name}: functions is a module (or several), not its name {adapter.functions!r}.")
    return adapter


def _takes(adapter: Adapter, name: str, method: str, *parameters: str) -> None:
    function = getattr(adapter, method)
    try:
        inspect.signature(function).bind(*parameters)
    except TypeError as error:
        raise AdapterError(f"{name}: {method}({', '.join(parameters)}) cannot be called so: {error}.") from None
    except ValueError:
        # Of a function that does not tell.
        return


def _module(place: str) -> ModuleType:
    path = Path(place)
    try:
        if path.suffix == ".py":
            if not path.exists():
                raise AdapterError(f"There is no file {place}.")
            sys.path.insert(0, str(path.resolve().parent))
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules.setdefault(path.stem, module)
            spec.loader.exec_module(module)
            return module
        sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(place)
    except AdapterError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (place == error.name or place.startswith(error.name + ".")):
            raise AdapterError(
                f"There is no module {place!r}, neither in this folder nor among what is installed. Give "
                "module:adapter, or path/to/file.py:adapter."
            ) from error
        raise AdapterError(f"{place} cannot be imported: {error}.") from error
    except Exception as error:
        raise AdapterError(f"{place} cannot be imported: {type(error).__name__}: {error}") from error


def _call(method: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Calls a method with NumPy's keywords, or with PyTorch's if it knows those."""
    try:
        known = inspect.signature(method).parameters
    except (TypeError, ValueError):
        known = {}  # type: ignore[assignment]
    renamed = {KEYWORDS[key] if KEYWORDS.get(key) in known else key: value for key, value in keywords.items()}
    return method(*arguments, **renamed)


def _home(thing: Any) -> str | None:
    return getattr(thing, "__module__", None)


def _names(thing: Any) -> str:
    names = [name for name in vars(thing) if not name.startswith("_") and not inspect.ismodule(getattr(thing, name))]
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "nothing"
