"""What is differentiable among the inputs of a function, and what is passed on."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tensorgrad.testing.checking.containers import Copied, Slot, take_apart, walk
from tensorgrad.testing.engines.base import Engine


@dataclass(frozen=True)
class Leaf:
    """An array that a function is given.

    Attributes:
        name: such as ``"input 1['w']"``.
        value: as it was given.
        like: what was given, or something on the same device: new ones are made of its kind.
        wanted: whether gradients with respect to it are checked.
    """

    name: str
    value: np.ndarray
    like: Any
    wanted: bool

    @property
    def wide(self) -> np.dtype:
        """The dtype of double precision that it is checked in."""
        return np.dtype("complex128" if self.value.dtype.kind == "c" else "float64")

    def dtype(self, wide: bool) -> np.dtype:
        """The dtype that it is given in: of double precision if ``wide``, else its own."""
        return self.wide if wide else self.value.dtype


@dataclass
class Inputs:
    """A function and its inputs, read.

    Attributes:
        leaves: the arrays.
        function: the template of the function.
        template: the templates of its inputs.
        notes: words for the report.
    """

    leaves: list[Leaf] = field(default_factory=list)
    function: Any = None
    template: tuple[Any, ...] = ()
    notes: list[str] = field(default_factory=list)

    def in_double(self, engine: Engine) -> tuple[Any, tuple[Any, ...]]:
        """The templates of the function and its inputs with all modules in double precision."""
        memo: dict[int, Any] = {}

        def double(name: str, leaf: Any) -> Any:
            if not isinstance(leaf, Copied):
                return leaf
            module = engine.double(copy.deepcopy(leaf.module, memo))
            slots = [slot for _, slot in leaf.parameters]
            trained = [parameter for _, parameter, trained in engine.parameters(module) or () if trained]
            return Copied(module, tuple(zip(trained, slots, strict=True)))

        doubled: tuple[Any, tuple[Any, ...]] = take_apart((self.function, self.template), "", double)
        return doubled


def read(engine: Engine, f: Any, inputs: Sequence[Any]) -> Inputs:
    """Finds the arrays in the inputs of ``f`` and, if it is a module, in itself.

    Args:
        engine: the library that ``f`` is written for.
        f: the function.
        inputs: its arguments.
    """
    read = Inputs()
    everything = [leaf for i, value in enumerate((f, *inputs)) for leaf in walk(value, f"input {i - 1}")]
    modules = {id(value) for _, value in everything if engine.parameters(value) is not None}
    slots: dict[int, Slot] = {}

    def add(name: str, value: np.ndarray, like: Any, wanted: bool) -> Slot:
        read.leaves.append(Leaf(name, value, like, wanted))
        return Slot(len(read.leaves) - 1)

    def replace(name: str, value: Any) -> Any:
        parameters = engine.parameters(value)
        if parameters is not None:
            of = f" of {name}" if len(modules) > 1 else ""
            return Copied(value, add_parameters(parameters, of))
        array = engine.numpy(value)
        if array is None or array.dtype.kind not in "biufc":
            return value
        if array.dtype.kind in "fc":
            return add(name, array, value, wanted=True)
        # An array of integers is new each time, too; numbers and lists of them are passed on as they are.
        return value if isinstance(value, (int, list, np.generic)) else add(name, array, value, wanted=False)

    def add_parameters(parameters: list[tuple[str, Any, bool]], of: str) -> tuple[tuple[Any, Slot], ...]:
        frozen = [path for path, _, trained in parameters if not trained]
        if frozen:
            read.notes.append(f"frozen, and not checked: parameter {', '.join(frozen)}{of}")
        for path, parameter, trained in parameters:
            if trained and id(parameter) not in slots:
                array = engine.numpy(parameter)
                assert array is not None
                slots[id(parameter)] = add(f"parameter {path}{of}", array, parameter, wanted=True)
        return tuple((parameter, slots[id(parameter)]) for _, parameter, trained in parameters if trained)

    read.function = f if engine.parameters(f) is None else replace("the function", f)
    read.template = tuple(take_apart(value, f"input {i}", replace) for i, value in enumerate(inputs))
    return read
