"""The engine as checks see it: its functions by name, and one call that gives values and gradients."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.testing.conformance.adapters import Adapter, Functional, Tape
from tensorgrad.testing.conformance.errors import Fault, NotOffered

BARE = (float, int, np.ndarray)
HERE = str(Path(__file__).parent)


@dataclass
class Answer:
    """What an engine gave: the value of a function, and its gradients (None: it gave none)."""

    value: np.ndarray
    gradients: list[np.ndarray | None] = field(default_factory=list)


class Engine:
    """The functions of an engine as attributes; checks call it ``m``.

    ``m.exp(x)`` is the engine's ``exp``, called as NumPy's. What it lacks raises :class:`NotOffered`.

    Args:
        adapter: of the engine.
    """

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.dtype = np.dtype(adapter.dtype)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        function = self.adapter.function(name)
        if function is None:
            raise NotOffered(f"no {name}")
        return function

    # Functions that are operators unless the adapter says otherwise.

    def _own(self, name: str) -> tuple[bool, Any]:
        return hasattr(self.adapter, name), getattr(self.adapter, name, None)

    def _operator(self, name: str, operator: Callable[..., Any], *arguments: Any) -> Any:
        given, own = self._own(name)
        if given and own is None:
            raise NotOffered(f"no {name}")
        return own(*arguments) if given else operator(*arguments)

    def power(self, x: Any, y: Any) -> Any:
        """``x ** y``, where the exponent is differentiable too; many engines allow numbers only."""
        try:
            return self._operator("power", lambda x, y: x**y, x, y)
        except (TypeError, AttributeError, AssertionError, NotImplementedError) as error:
            raise NotOffered(f"exponents that are tensors are refused: {error}") from error

    def matmul(self, x: Any, y: Any) -> Any:
        """``x @ y``."""
        return self._operator("matmul", lambda x, y: x @ y, x, y)

    def getitem(self, x: Any, key: Any) -> Any:
        """``x[key]``."""
        return self._operator("getitem", lambda x, key: x[key], x, key)

    def repeat_step(self, step: Callable[[Any], Any], x: Any, count: int) -> Any:
        """``step`` applied so many times; engines with a loop of their own may use it."""

        def loop(step: Callable[[Any], Any], x: Any, count: int) -> Any:
            for _ in range(count):
                x = step(x)
            return x

        return self._operator("repeat_step", loop, step, x, count)

    def uses(self, x: Any, count: int) -> tuple[Any, ...]:
        """The same value for several uses. (The reference knows them apart.)"""
        return (x,) * count

    # Tensors in and out.

    @property
    def tape(self) -> Tape:
        """The adapter of a tape; functional engines have nothing of the kind."""
        if not isinstance(self.adapter, Tape):
            raise NotOffered("gradients are the values of functions: nothing is stored with tensors")
        return self.adapter

    def native(self, array: Any, copy: bool = True) -> Any:
        """What an input is given to the engine as: a float for an engine of scalars, an array of its own otherwise."""
        dtype = self.dtype if np.asarray(array).dtype.kind == "f" else None
        array = np.array(array, dtype) if copy else np.asarray(array, dtype)
        if not self.adapter.scalars:
            return array
        if array.ndim:
            raise NotOffered("the engine computes with single numbers")
        return array.item()

    def variable(self, array: Any) -> Any:
        """A tensor of a tape, with a gradient."""
        return self.tape.variable(self.native(array))

    def constant(self, array: Any) -> Any:
        """A tensor without gradient."""
        return self.adapter.constant(self.native(array))

    def numpy(self, native: Any) -> np.ndarray:
        """The values of what the engine returned, as a NumPy array."""
        plain = isinstance(native, (np.ndarray, np.generic, int, float))
        return np.asarray(native if plain else self.adapter.value(native))

    def gradient_of(self, native: Any) -> np.ndarray | None:
        """The gradient that a tape left with a tensor."""
        found = self.tape.gradient(native)
        return None if found is None else self.numpy(found)

    # Derivatives.

    def call(self, f: Callable[..., Any], *natives: Any) -> Any:
        """``f(m, *natives)``; what the engine refuses at the call itself, it does not offer."""
        try:
            return f(self, *natives)
        except NotImplementedError as error:
            raise NotOffered(str(error) or "not implemented") from error
        except (TypeError, AttributeError) as error:
            if _raised_here(error):
                raise NotOffered(f"refused: {error}") from error
            raise

    def loss(self, output: Any, weights: np.ndarray) -> Any:
        """The output's sum with these weights: one value, whose gradient shows the whole Jacobian."""
        return output if np.shape(weights) == () else self.call(lambda m: m.sum(output * m.constant(weights)))

    def differentiate(
        self, f: Callable[..., Any], arrays: Sequence[Any], weights: np.ndarray, copy: bool = True
    ) -> Answer:
        """The value of ``f(m, *arrays)``, and the gradients of its sum with the weights.

        Args:
            f: the function, of this object and of tensors.
            arrays: its inputs.
            weights: of the shape of its value.
            copy: whether the engine is given copies of the arrays.
        """
        natives = [self.native(array, copy) for array in arrays]
        adapter = self.adapter
        if isinstance(adapter, Functional):
            return self._differentiate_function(adapter, f, natives, weights)
        tensors = [self.tape.variable(native) for native in natives]
        output = self.call(f, *tensors)
        if type(output) in BARE or isinstance(output, np.generic):
            raise Fault(f"the result is a bare {type(output).__name__}, no tensor", "an operation left the graph")
        try:
            self.backward(output, weights)
        except Exception:
            value = self.numpy(output)
            if value.shape == np.shape(weights):
                raise
            return Answer(value, [None for _ in tensors])
        # Lazy engines forget how a value was made when it is looked at: it is read after the backward pass.
        return Answer(self.numpy(output), [self.gradient_of(tensor) for tensor in tensors])

    def backward(self, output: Any, weights: np.ndarray) -> None:
        """A tape's backward pass from an output, by way of a weighted sum where it has many values."""
        try:
            loss = self.loss(output, weights)
        except NotOffered:
            if not takes_cotangent(self.tape):
                raise
            self.tape.backward(output, weights)  # type: ignore[call-arg]
        else:
            self.tape.backward(loss)

    def _differentiate_function(
        self, adapter: Functional, f: Callable[..., Any], natives: list[Any], weights: np.ndarray
    ) -> Answer:
        value = self.numpy(self.call(f, *[adapter.constant(native) for native in natives])).copy()
        if value.shape != np.shape(weights):
            return Answer(value, [None for _ in natives])
        constants = tuple(adapter.constant(native) for native in natives)
        found = adapter.gradient(lambda *xs: self.loss(self.call(f, *xs), weights), constants)
        return Answer(value, [None if part is None else self.numpy(part) for part in found])

    def gradient(self, f: Callable[..., Any], *tensors: Any) -> tuple[Any, ...]:
        """The gradients of a function of one value, differentiable in turn."""
        adapter = self.adapter
        if isinstance(adapter, Functional):
            return adapter.gradient(f, tensors)
        return self.tape.gradients(f(*tensors), tensors)


def takes_cotangent(tape: Tape) -> bool:
    """Whether ``backward`` of this adapter has a second parameter."""
    try:
        return len(inspect.signature(tape.backward).parameters) > 1
    except (TypeError, ValueError):
        return False


def _raised_here(error: BaseException) -> bool:
    """Whether the error came from the call itself, and not from inside the engine."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(HERE)
