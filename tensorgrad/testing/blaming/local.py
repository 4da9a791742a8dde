"""The op of one node as a function, to be called again at the values that it had."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, grad
from tensorgrad.autograd.graph import Call, Node
from tensorgrad.random import Generator, use_generator
from tensorgrad.testing.checking.gradcheck import gradcheck
from tensorgrad.testing.checking.report import GradientReport

EXACT = np.dtype("float64")

Arrays = list[np.ndarray]


class Local:
    """The op of a node as a function of those of its inputs that required a gradient; the others keep their values.

    In and out go NumPy arrays. If those that go in are float64, everything else that is floating point is cast to it,
    and the op is computed in float64 throughout. Entries that are not finite, of inputs and of outputs, are left out:
    they are held as they are, or replaced by 0, and no gradient goes through them.

    Attributes:
        call: what is remembered of the call.
        names: of the inputs.
        given: their values in the forward pass, bare.
        outputs: the floating point outputs of the forward pass, bare.
    """

    def __init__(self, node: Node) -> None:
        assert node.call is not None
        assert node.parents is not None
        self.call: Call = node.call
        self._places = [i for i, parent in enumerate(node.parents) if parent is not None]
        self.names = tuple(self.call.names[i] for i in self._places)
        self.given = [_bare(self.call.items[i]) for i in self._places]
        self.outputs = [array for array in self.call.outputs if array.dtype.kind == "f"]
        self._finite = [np.isfinite(host(array)) for array in self.given]
        self._usable = [np.isfinite(host(array)) for array in self.outputs]
        self._generator = Generator(0)

    @property
    def arrays(self) -> list[Any]:
        """All bare arrays that the op was called with."""
        return [array for value in (self.call.items, self.call.options) for array in _arrays(value)]

    @property
    def is_finite(self) -> bool:
        """Whether all numbers that the op was called with are finite."""
        return all(map(_is_finite, (*self.call.items, *self.call.options.values())))

    def values(self, dtype: Any = None) -> Arrays:
        """Copies of the inputs, in their own dtypes or in another, with 0 in place of what is not finite."""
        return [
            np.where(usable, host(array), 0).astype(dtype or array.dtype)
            for array, usable in zip(self.given, self._finite, strict=True)
        ]

    def forward(self, *inputs: np.ndarray) -> Arrays:
        """The floating point outputs."""
        return self._leave_out([host(y.data) for y in self._run(inputs)[1]])

    def backward(self, cotangents: Arrays, *inputs: np.ndarray) -> Arrays:
        """The gradients of the inputs from the cotangents of the outputs."""
        leaves, outputs = self._run(inputs)
        given = self._leave_out(cotangents)
        pairs = [
            (y, Tensor(cotangent.astype(y.dtype), device=y.device))
            for y, cotangent in zip(outputs, given, strict=True)
            if y.requires_grad
        ]
        found: Sequence[Tensor | None] = [None] * len(leaves)
        if pairs:
            found = grad([y for y, _ in pairs], leaves, [cotangent for _, cotangent in pairs], allow_unused=True)
        return [
            np.where(usable, 0 if part is None else host(part.data), 0).astype(leaf.dtype)
            for part, leaf, usable in zip(found, leaves, self._finite, strict=True)
        ]

    def _leave_out(self, arrays: Arrays) -> Arrays:
        return [np.where(usable, array, 0) for array, usable in zip(arrays, self._usable, strict=True)]

    def _run(self, inputs: Sequence[np.ndarray]) -> tuple[list[Tensor], list[Tensor]]:
        """The inputs as leaves, and the floating point outputs of the op on them."""
        exact = any(array.dtype.itemsize >= EXACT.itemsize for array in inputs)
        items = [_prepared(item, exact) for item in self.call.items]
        leaves = []
        for place, array, given, usable in zip(self._places, inputs, self.given, self._finite, strict=True):
            if not usable.all():
                array = np.where(usable, array, host(given)).astype(array.dtype)
            # Complex numbers, which the complex step comes with, require no gradient.
            leaf = Tensor(backend.transfer(array, backend.device_of(given)), requires_grad=array.dtype.kind == "f")
            items[place] = leaf
            leaves.append(leaf)
        options = {name: _prepared(value, exact, name) for name, value in self.call.options.items()}
        # The random numbers of the forward pass, each time.
        if self._generator.get_state() != self.call.randomness:
            self._generator.set_state(self.call.randomness)
        with use_generator(self._generator):
            result = self.call.again(items, options)
        results = [result] if isinstance(result, Tensor) else result
        return leaves, [y for y in results if y.dtype.kind in "fc"]


class Entries:
    """The op as a function of some entries of some inputs, each a vector; all else keeps its value.

    Args:
        local: the op.
        chosen: flat places in the inputs, by the input's number; None for all, in the shape of the input.
    """

    def __init__(self, local: Local, chosen: dict[int, np.ndarray | None]) -> None:
        self.local, self.chosen = local, chosen

    def values(self) -> Arrays:
        """The entries, in their own dtypes."""
        values = self.local.values()
        return [values[i] if places is None else values[i].ravel()[places] for i, places in self.chosen.items()]

    def _whole(self, parts: Sequence[np.ndarray]) -> Arrays:
        dtype = np.result_type(*parts)
        whole = self.local.values(dtype if dtype.itemsize >= EXACT.itemsize else None)
        for part, (i, places) in zip(parts, self.chosen.items(), strict=True):
            if places is None:
                whole[i] = part
            else:
                whole[i].reshape(-1)[places] = part
        return whole

    def forward(self, *parts: np.ndarray) -> Arrays:
        """The floating point outputs of the op."""
        return self.local.forward(*self._whole(parts))

    def backward(self, cotangents: Arrays, *parts: np.ndarray) -> Arrays:
        """The gradients of the entries."""
        gradients = self.local.backward(cotangents, *self._whole(parts))
        return [gradients[i] if places is None else gradients[i].ravel()[places] for i, places in self.chosen.items()]

    def check(self, seed: int) -> GradientReport:
        """The gradient check of these entries; its text has the names that the op has for them."""
        report = gradcheck((self.forward, self.backward), *self.values(), seed=seed)
        names = [self.local.names[i] for i in self.chosen]

        def named(text: str) -> str:
            return re.sub(r"\binput (\d+)\b", lambda match: repr(names[int(match[1])]), text)

        i, index, notes = list(self.chosen)[report.input], report.index, [*map(named, report.notes)]
        places = self.chosen[i]
        if places is not None:
            notes.append("many entries of this large input are at kinks: some were looked at that are not")
        if index and places is not None:
            index = tuple(int(k) for k in np.unravel_index(places[index[0]], self.local.given[i].shape))
        return replace(
            report,
            input=i,
            name=named(report.name),
            index=index,
            cause=named(report.cause),
            faults=tuple(map(named, report.faults)),
            notes=tuple(notes),
        )


def host(array: Any) -> np.ndarray:
    """A bare array as a NumPy array."""
    library = backend.of(array)
    assert library is not None
    return library.to_numpy(array)


def finite(array: np.ndarray) -> np.ndarray:
    """The values in float64, with 0 in place of what is not finite."""
    return np.where(np.isfinite(array), array, 0).astype(EXACT)


def _bare(item: Any) -> Any:
    return item.data if isinstance(item, Tensor) else item


def _is_finite(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_finite, value))
    if isinstance(value, float):
        return math.isfinite(value)
    value = _bare(value)
    return backend.of(value) is None or value.dtype.kind != "f" or bool(np.isfinite(host(value)).all())


def _arrays(value: Any) -> list[Any]:
    """The bare arrays in an argument."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return [array for item in value for array in _arrays(item)]
    value = _bare(value)
    return [value] if hasattr(value, "base") and backend.of(value) is not None else []


def _prepared(value: Any, exact: bool, name: str = "") -> Any:
    """An argument of the op's, for another call of it: in float64 if that is to be exact.

    Generators are copied, so that every call finds them in the same state.
    """
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(_prepared(item, exact) for item in value)
    if isinstance(value, (Generator, np.random.Generator)):
        return copy.deepcopy(value)
    if not exact:
        return value
    if isinstance(value, Tensor):
        return Tensor(_prepared(value.data, exact))
    if isinstance(value, np.dtype) or name == "dtype":
        floating = value is not None and np.dtype(value).kind == "f"
        return EXACT if floating and np.dtype(value).itemsize < EXACT.itemsize else value
    if backend.of(value) is not None and value.dtype.kind == "f" and value.dtype.itemsize < EXACT.itemsize:
        return value.astype(EXACT)
    return value
