"""A machine that reads pickles and can make containers, plain values and what it is given names for; nothing else.

Python's own unpickler calls whatever a pickle names, and sets attributes of whatever it finds. This one is written for
what may come from anybody: a name is looked up in a table, never imported; what can be called is in that table; only
containers that it made itself are changed; and a small file cannot become large in memory, or take long.

The opcodes are those that Python's pickler writes in protocols 1 to 5, without the ones for objects of other classes.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

import numpy as np

from tensorgrad.errors import CheckpointError
from tensorgrad.serialization.files import DEEPEST

SCALARS = (type(None), bool, int, float, complex, str, bytes)
PLAIN = (*SCALARS, bytearray, np.ndarray, np.generic, np.dtype)
CONTAINERS = (dict, list, tuple, set, frozenset)


class Name:
    """What a pickle may name, and, if ``call`` is given, may call."""

    __slots__ = ("call", "name")

    def __init__(self, name: str, call: Callable[..., Any] | None = None) -> None:
        self.name = name
        self.call = call


class Machine:
    """Runs one pickle.

    Args:
        names: what may be named, by module and name with a space between.
        persistent: gives the object for a persistent id.
        plain: the types of values that the result may have inside, besides NumPy's and Python's.
        size: the bytes of the file. All that is copied while loading is together not longer.
    """

    def __init__(
        self, names: Mapping[str, Any], persistent: Callable[[Any], Any], plain: tuple[type, ...], size: int
    ) -> None:
        self.names = names
        self.persistent = persistent
        self.plain = (*PLAIN, *plain)
        self.size = size
        self.copied = 0
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, stream: IO[bytes]) -> Any:
        """What the pickle is of; the stream stands behind it then.

        Raises:
            CheckpointError: for a name that is not in the table, and for what no container or tensor would need.
            Exception: of some kind for a pickle that is damaged or cut short.
        """
        for opcode, argument, _ in pickletools.genops(stream):
            name = opcode.name
            if name in LITERALS:
                self.stack.append(argument)
            elif name in MADE:
                self.stack.append(MADE[name]())
            elif name in STEPS:
                STEPS[name](self, argument)
            elif name not in IGNORED:
                raise CheckpointError(f"its pickle has the opcode {name}, which no tensor and no container needs")
        (result,) = self.stack
        self._require_plain(result)
        return result

    def _require_plain(self, result: Any) -> None:
        # Level by level, each container once in each: neither a cycle nor endless sharing takes long.
        level = {id(result): result}
        for _ in range(DEEPEST + 1):
            containers = {}
            for value in level.values():
                if type(value) in CONTAINERS:
                    containers[id(value)] = value
                elif not isinstance(value, self.plain):
                    what = getattr(value, "name", type(value).__name__)
                    raise CheckpointError(f"it has {what!r} as a value, which is no tensor, container or plain value")
            if not containers:
                return
            level = {
                id(item): item
                for container in containers.values()
                for item in (container.values() if type(container) is dict else container)
            }
        raise CheckpointError(f"it is nested deeper than {DEEPEST} levels, or contains itself")

    # -- opcodes -------------------------------------------------------------------------------------------

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def marked(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def collect(self, kind: Callable[[list[Any]], Any]) -> None:
        items = self.marked()
        self.stack.append(kind(items))

    def short_tuple(self, length: int) -> None:
        items = [self.stack.pop() for _ in range(length)]
        self.stack.append(tuple(reversed(items)))

    def append(self, items: list[Any]) -> None:
        require(self.stack[-1], list).extend(items)

    def add(self, items: list[Any]) -> None:
        require(self.stack[-1], set).update(map(key, items))

    def set_items(self, items: list[Any]) -> None:
        target = require(self.stack[-1], dict)
        for index in range(0, len(items), 2):
            target[key(items[index])] = items[index + 1]

    def set_item(self, _: Any) -> None:
        value, name = self.stack.pop(), self.stack.pop()
        self.set_items([name, value])

    def text(self, latin: str) -> None:
        # What Python 2 wrote, whose text was bytes.
        self.stack.append(latin.encode("latin-1").decode("utf-8"))

    def memoize(self, index: int | None) -> None:
        self.memo[len(self.memo) if index is None else index] = self.stack[-1]

    def recall(self, index: int) -> None:
        self.stack.append(self.memo[index])

    def named(self, path: str) -> None:
        if path not in self.names:
            raise CheckpointError(
                f"it needs {path.replace(' ', '.')[:200]!r}, which is none of the tensors, containers and plain "
                "values that are read; nothing of it was executed. If it holds a whole model, or objects of a library, "
                "save in PyTorch what is of tensors only, as torch.save(model.state_dict(), path)"
            )
        self.stack.append(self.names[path])

    def named_on_stack(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.named(f"{require(module, str)} {require(name, str)}")

    def reduce(self, _: Any) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if type(function) is not Name or function.call is None:
            raise CheckpointError("its pickle calls what is no function")
        self.count(require(arguments, tuple))
        self.stack.append(function.call(*arguments))

    def build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is np.ndarray:
            self.count(require(state, tuple))
            _fill_array(target, *state)
        elif isinstance(target, np.dtype):
            _require_ordinary(*require(state, tuple))
        elif type(target) is not dict:
            # Attributes of a dict, such as the _metadata of a state dict, are left out.
            raise CheckpointError(f"its pickle sets attributes of a {type(target).__name__}")

    def count(self, arguments: tuple[Any, ...]) -> None:
        """Counts what a call copies: of an honest pickle, everything comes once."""
        sized = (dict, list, tuple, set, frozenset, str, bytes, bytearray)
        self.copied += sum(len(argument) for argument in arguments if isinstance(argument, sized))
        if self.copied > self.size:
            raise CheckpointError("its pickle copies the same values again and again")


def require(value: Any, kind: type) -> Any:
    """``value``, if it is of exactly this type."""
    if type(value) is not kind:
        raise CheckpointError(f"its pickle has a {type(value).__name__} where a {kind.__name__} must be")
    return value


def key(value: Any) -> Any:
    """``value``, if it can be the key of a dict: one whose hash is quickly made and not easily another's."""
    parts = value if type(value) is tuple else (value,)
    if len(parts) > 32:
        raise CheckpointError(f"its pickle has a tuple of {len(parts)} as a key")
    for part in parts:
        if type(part) not in SCALARS or (type(part) is int and part.bit_length() > 64):
            raise CheckpointError(f"its pickle has a {type(part).__name__}, or a huge number, as a key")
    return value


LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
MADE: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}
IGNORED = {"PROTO", "FRAME", "STOP"}
STEPS: dict[str, Callable[[Machine, Any], Any]] = {
    "MARK": Machine.mark,
    "TUPLE": lambda machine, _: machine.collect(tuple),
    "TUPLE1": lambda machine, _: machine.short_tuple(1),
    "TUPLE2": lambda machine, _: machine.short_tuple(2),
    "TUPLE3": lambda machine, _: machine.short_tuple(3),
    "FROZENSET": lambda machine, _: machine.collect(_frozenset),
    "APPEND": lambda machine, _: machine.append([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.marked()),
    "ADDITEMS": lambda machine, _: machine.add(machine.marked()),
    "SETITEM": Machine.set_item,
    "SETITEMS": lambda machine, _: machine.set_items(machine.marked()),
    "BINSTRING": Machine.text,
    "SHORT_BINSTRING": Machine.text,
    "BINPUT": Machine.memoize,
    "LONG_BINPUT": Machine.memoize,
    "MEMOIZE": Machine.memoize,
    "BINGET": Machine.recall,
    "LONG_BINGET": Machine.recall,
    "GLOBAL": Machine.named,
    "STACK_GLOBAL": Machine.named_on_stack,
    "REDUCE": Machine.reduce,
    "BUILD": Machine.build,
    "BINPERSID": lambda machine, _: machine.stack.append(machine.persistent(machine.stack.pop())),
}


# -- what can be called, of Python's and NumPy's -------------------------------------------------------------


def _dict(items: Any = ()) -> dict[Any, Any]:
    return {key(name): value for name, value in (items.items() if type(items) is dict else items)}


def _default_dict(factory: Any = None) -> dict[Any, Any]:
    return {}


def _set(items: Iterable[Any] = ()) -> set[Any]:
    return set(map(key, items))


def _frozenset(items: Iterable[Any] = ()) -> frozenset[Any]:
    return frozenset(map(key, items))


def _complex(real: float, imag: float) -> complex:
    return complex(require(real, float), require(imag, float))


def _bytes(text: Any = "", encoding: str = "latin1") -> bytes:
    """What Python 3 writes for bytes where the protocol has none."""
    if type(text) is bytes:
        return text
    if encoding not in ("latin1", "latin-1"):
        raise CheckpointError("its pickle has bytes as text in another encoding than Latin-1")
    data: bytes = require(text, str).encode("latin-1")
    return data


def _bytearray(text: Any = "", encoding: str = "latin1") -> bytearray:
    return bytearray(_bytes(text, encoding))


def _dtype(code: str, align: bool = False, copy: bool = False) -> np.dtype:
    if not re.fullmatch(r"[biufc]\d{1,2}|[SU]\d{1,9}", require(code, str)):
        raise CheckpointError("it has an array of objects, records or dates of NumPy's")
    return np.dtype(code)


def _require_ordinary(version: int, order: str, *rest: Any) -> None:
    """Raises for the state of a dtype that says more than its name."""
    if version != 3 or order not in ("<", "|") or any(part is not None for part in rest[:3]):
        raise CheckpointError("it has an array of NumPy's with a dtype that is not little-endian, or has fields")


def _scalar(dtype: np.dtype, data: bytes) -> Any:
    return np.frombuffer(require(data, bytes), _ordinary(dtype)).reshape(())[()]


def _empty_array(kind: Any, shape: Any, code: Any) -> np.ndarray:
    if type(kind) is not Name or kind.name != "numpy.ndarray":
        raise CheckpointError("its pickle makes an array of another kind than NumPy's")
    return np.empty(0, np.int8)


def _fill_array(target: np.ndarray, version: int, shape: Any, dtype: Any, fortran: bool, data: Any) -> None:
    # A copy: the array would share the memory of the bytes.
    data = bytes(bytearray(require(data, bytes)))
    target.__setstate__((1, require(shape, tuple), _ordinary(dtype), bool(fortran), data))  # type: ignore[arg-type]


def _array_of_buffer(data: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    if type(data) not in (bytes, bytearray) or order not in ("C", "F"):
        raise CheckpointError("its pickle makes an array of what is no buffer")
    return np.frombuffer(bytearray(data), _ordinary(dtype)).reshape(require(shape, tuple), order=order)  # type: ignore[call-overload]


def _ordinary(dtype: Any) -> np.dtype:
    if not isinstance(dtype, np.dtype) or dtype.kind not in "biufcSU":
        raise CheckpointError("it has an array of NumPy's of no ordinary dtype")
    return dtype


def _names() -> dict[str, Name]:
    calls: dict[str, Callable[..., Any] | None] = {
        "collections OrderedDict": _dict,
        "collections Counter": _dict,
        "collections defaultdict": _default_dict,
        "_codecs encode": _bytes,
        "numpy dtype": _dtype,
        "numpy ndarray": None,
    }
    for core in ("numpy.core", "numpy._core"):
        calls[f"{core}.multiarray scalar"] = _scalar
        calls[f"{core}.multiarray _reconstruct"] = _empty_array
        calls[f"{core}.numeric _frombuffer"] = _array_of_buffer
    for builtins in ("builtins", "__builtin__"):
        calls[f"{builtins} set"] = _set
        calls[f"{builtins} frozenset"] = _frozenset
        calls[f"{builtins} complex"] = _complex
        calls[f"{builtins} bytes"] = _bytes
        calls[f"{builtins} bytearray"] = _bytearray
        # What a defaultdict makes.
        calls.update({f"{builtins} {kind}": None for kind in ("list", "dict", "int", "long", "float")})
    return {path: Name(path.replace(" ", "."), call) for path, call in calls.items()}


NAMES = _names()
"""Of Python and NumPy, what checkpoints have as values. Subclasses of dict become dicts."""
