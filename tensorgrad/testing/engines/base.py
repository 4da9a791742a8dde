"""What the checker must know of a library whose gradients it checks."""

from __future__ import annotations

import importlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import numpy as np

from tensorgrad import backend
from tensorgrad.random import current_generator
from tensorgrad.testing.checking.containers import is_array

Native = Any
"""An array, tensor or number of the library in question, for annotations."""

Function = Callable[..., tuple[Native, ...]]
"""A function of native arrays (the leaves, each a parameter of its own) that gives a tuple of native outputs."""


class Engine(ABC):
    """One library: how arrays become its own, how its gradients are asked for, and what they mean.

    An engine for another library is an instance of a subclass, given to the checker as ``engine=``.
    """

    name: ClassVar[str]
    """What ``engine=`` calls it."""
    package: ClassVar[str] = ""
    """What ``import`` calls the library."""
    distribution: ClassVar[str] = ""
    """What pip calls it, if not by that name."""
    complex: ClassVar[bool] = True
    """Whether it differentiates with respect to complex numbers."""
    conjugate: bool = False
    """For a real L of z = a + ib, a gradient is dL/da + i dL/db (False: PyTorch) or dL/da - i dL/db (True: JAX)."""
    owned: ClassVar[bool] = False
    """Whether each gradient is to be the caller's alone, so that two in one memory are a fault."""
    extended: ClassVar[bool] = False
    """Whether arrays of long doubles may be given to functions."""

    domain_errors: tuple[type[Exception], ...] = (ValueError, ArithmeticError, IndexError)
    """What functions raise for arguments that are outside their domain."""

    def __init__(self) -> None:
        self.library: Any = self._import() if self.package else None

    def _import(self) -> Any:
        try:
            return importlib.import_module(self.package)
        except ImportError as error:
            raise ImportError(
                f"engine={self.name!r} needs {self.package}, which is not installed here: "
                f"pip install {self.distribution or self.package}."
            ) from error

    @classmethod
    def loaded(cls) -> Any:
        """The library if somebody has imported it already, else None."""
        return sys.modules.get(cls.package)

    @classmethod
    def owns(cls, value: Any) -> bool:
        """Whether ``value`` (an input, or the function) is of this library, as far as its type tells."""
        return False

    # -- modules -------------------------------------------------------------------------------------------

    def parameters(self, value: Any) -> list[tuple[str, Native, bool]] | None:
        """Names, values and whether they are trained, each once, of a module's parameters; None if it is none."""
        return None

    def double(self, module: Any) -> Any:
        """A module, brought to double precision in place."""
        return module

    # -- arrays --------------------------------------------------------------------------------------------

    def array(self, value: np.ndarray, like: Any) -> Native:
        """A new native constant with this value and dtype, on the device of ``like`` if that is an array."""
        return _array(value, like)

    def constant(self, value: np.ndarray, like: Any) -> Any:
        """A new array of the very kind of ``like``, for inputs that are not checked."""
        return self.array(value, like) if self.owns(like) else _array(value, like)

    def variable(self, value: np.ndarray, like: Any) -> Native:
        """As :meth:`array`, but such that gradients with respect to it may be asked for."""
        return self.array(value, like)

    def numpy(self, native: Any) -> np.ndarray | None:
        """A copy of a native array or number on the host; None if it is none."""
        return _numpy(native)

    def attached(self, output: Native) -> bool:
        """Whether an output is something through which this library can go back."""
        return True

    # -- calls ---------------------------------------------------------------------------------------------

    def active(self) -> AbstractContextManager[Any]:
        """The settings that functions are called under."""
        return nullcontext()

    @abstractmethod
    def pull(
        self, call: Function, leaves: Sequence[Native], wanted: Sequence[int], cotangents: Sequence[Native]
    ) -> Sequence[Native | None]:
        """Calls and goes back.

        Args:
            call: the function, of all leaves.
            leaves: its arguments; those wanted are variables.
            wanted: the numbers of the leaves whose gradients are asked for.
            cotangents: one for each output, of its shape and dtype.

        Returns:
            For each leaf wanted its gradient, as the library gave it, or None for no dependence.
        """

    def derivative(self, call: Function, wanted: Sequence[int], leaves: int) -> Function:
        """:meth:`pull` as a function that can be differentiated.

        Args:
            call: the function, of all leaves.
            wanted: as of :meth:`pull`.
            leaves: how many there are.

        Returns:
            The function of ``(*leaves, *cotangents)`` that gives the tuple of gradients, none of them None.

        Raises:
            ValueError: if this library's gradients cannot be differentiated; says what to do.
        """
        raise ValueError(f"the gradients of {self.name} cannot be differentiated again: check order=1.")

    def conj(self, native: Native) -> Native:
        """The complex conjugate, as an operation that can be differentiated."""
        return self.library.numpy.conj(native)

    # -- chance --------------------------------------------------------------------------------------------

    def sources(self) -> list[Source]:
        """The library's own generators of random numbers: the same numbers are drawn from them at each call.

        NumPy's and Python's are not among them: a function that draws from those gives other values each time.
        """
        return [TENSORGRAD_NUMBERS]


class VJPEngine(Engine):
    """Of a library that gives the gradients of a function as a function, which it can differentiate again."""

    @abstractmethod
    def vjp(
        self, call: Function, leaves: Sequence[Native], wanted: Sequence[int], cotangents: Sequence[Native]
    ) -> tuple[Native, ...]:
        """The gradients of :meth:`pull`, none of them None, also while they are being differentiated."""

    def pull(
        self, call: Function, leaves: Sequence[Native], wanted: Sequence[int], cotangents: Sequence[Native]
    ) -> Sequence[Native | None]:
        return self.vjp(call, leaves, wanted, cotangents)

    def derivative(self, call: Function, wanted: Sequence[int], leaves: int) -> Function:
        return lambda *natives: self.vjp(call, natives[:leaves], wanted, natives[leaves:])


def too_coarse(native: Any) -> TypeError:
    """The error for dtypes that NumPy does not know: bfloat16 and those with still fewer bits."""
    return TypeError(
        f"an array of {native.dtype} has too few bits to check a gradient with: give inputs and parameters in float32 "
        f"or float64, and let the function return such."
    )


class Source:
    """A generator of random numbers that everybody shares: how to look at its state, and to set it."""

    def __init__(self, get: Callable[[], Any], put: Callable[[Any], None]) -> None:
        self.get, self.put = get, put

    def moved(self, since: Any) -> bool:
        """Whether numbers have been drawn since the state was ``since``."""
        return not _same(since, self.get())


TENSORGRAD_NUMBERS = Source(lambda: current_generator().get_state(), lambda state: current_generator().set_state(state))


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping):
        return all(_same(value, b[key]) for key, value in a.items())
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a == b)


def _array(value: np.ndarray, like: Any) -> Any:
    device = None if isinstance(like, np.ndarray) or backend.of(like) is None else backend.device_of(like)
    copy = np.array(value, order="C")
    return copy if device in (None, "cpu") else backend.transfer(copy, device)


def _numpy(native: Any) -> np.ndarray | None:
    if is_array(native) or isinstance(native, (bool, int, float, complex, np.ndarray, np.generic)):
        return np.array(native)
    library = backend.of(native)
    return None if library is None else np.array(library.to_numpy(native))
