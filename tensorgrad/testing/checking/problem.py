"""A function of anybody's, at its inputs, as a function from R^n to R^m whose gradient somebody claims to know."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tensorgrad.testing import engines
from tensorgrad.testing.checking import hygiene
from tensorgrad.testing.checking.call import Call
from tensorgrad.testing.checking.containers import Slot
from tensorgrad.testing.checking.hygiene import Fault
from tensorgrad.testing.checking.inputs import Leaf, read
from tensorgrad.testing.checking.parts import Part, flat, join, parts_of, random_signs
from tensorgrad.testing.engines import Engine
from tensorgrad.testing.engines.base import Function

__all__ = ["Fault", "Part", "Problem"]


MIXED = 0x7072
"""Goes into the seed, so that nobody's inputs, made from the same seed, are cotangents too."""


class Problem:
    """``f`` at its inputs as a function from R^n to R^m, with the gradient that is claimed for it.

    All entries of what is differentiable among the inputs (floating point and complex arrays, Tensors, numbers, nested
    lists of numbers, parameters of modules; in containers too) make one vector, those of the outputs another. Complex
    entries are pairs (real, imaginary). What ``f`` is given is new each time, what it returns is copied at once, and
    random numbers are the same at each call.

    Args:
        f: a function, a Module of tensorgrad's or PyTorch's, or a pair ``(forward, backward)``.
        inputs: its arguments; what is not differentiable is passed on.
        engine: the library that ``f`` is written for, by name, or an :class:`Engine`; by default found from the types.
        seed: of the random cotangents that hygiene is checked with.

    Attributes:
        x: the inputs, of shape (n,), in float64.
        inputs: the parts of ``x``.
        outputs: the parts of the value.
        low_precision: float32 or float16, if ``f`` could not be run in float64; else None.
        notes: words for the report.
        faults: what is wrong besides the numbers.
        order: of the derivative that pulling back gives.
        engine: the library.

    Raises:
        ValueError: if no input, or no output, is floating point; and for complex numbers if the engine has no gradients
            of them.
        Exception: what ``f`` or its gradient raises, with a note that says what was called.

    Example:
        >>> problem = Problem(lambda x: x * x, [[1.0, 2.0]])
        >>> problem.value(problem.x), problem.pull(problem.x, np.ones(2))
        (array([1., 4.]), array([2., 4.]))
    """

    x: np.ndarray
    inputs: list[Part]
    outputs: list[Part]
    low_precision: np.dtype | None
    notes: list[str]
    faults: list[Fault]
    order: int
    engine: Engine

    def __init__(self, f: Any, inputs: Sequence[Any], engine: str | Engine | None = None, seed: int = 0) -> None:
        f = engines.function(f)
        self.engine = engines.find(f, inputs, engine)
        given = read(self.engine, f, inputs)
        if not any(leaf.wanted for leaf in given.leaves):
            kinds = ", ".join(map(_kind, inputs)) or "no inputs at all"
            raise ValueError(
                f"nothing to check: no input is floating point or complex. Given: {kinds}. (Integers are passed on as "
                f"they are: write 1.0 for 1.)"
            )
        for leaf in given.leaves:
            if leaf.wanted and not np.isfinite(leaf.value).all():
                place = tuple(map(int, np.argwhere(~np.isfinite(leaf.value))[0]))
                raise ValueError(f"{leaf.name} is {leaf.value[place]} in entry {list(place)}: give finite numbers.")
        self.order = 1
        refusal = None
        try:
            self._start(Call(*given.in_double(self.engine)), given.leaves, seed, wide=True)
        except Exception as error:
            if all(leaf.value.dtype.itemsize >= leaf.wide.itemsize for leaf in given.leaves if leaf.wanted):
                raise
            refusal = error
        if refusal is not None:
            self._start(Call(given.function, given.template), given.leaves, seed, wide=False)
            reason = f"{type(refusal).__name__}: {str(refusal).partition(chr(10))[0]}"
            self.notes.append(f"computed in {self.low_precision}, because with float64 it raised {reason}")
        self.notes += given.notes

    # -- what is asked -------------------------------------------------------------------------------------

    def value(self, x: np.ndarray) -> np.ndarray:
        """The outputs at ``x``.

        Args:
            x: of shape (n,), float64.

        Returns:
            Of shape (m,), float64; NaN where the function raised for what is outside its domain, other than at the
            given point.
        """
        if np.array_equal(x, self.x):
            return self._value(x)
        try:
            with _silence():
                return self._value(x)
        except self.engine.domain_errors:
            return np.full(self.outputs[-1].slice.stop, np.nan)

    def pull(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The gradient that is claimed for the sum of ``u`` times the outputs, at ``x``.

        Args:
            x: of shape (n,), float64.
            u: of shape (m,), float64.

        Returns:
            Of shape (n,), float64; NaN as of :meth:`value`, and for gradients of a shape that fits in no way.
        """
        if np.array_equal(x, self.x):
            return self._pull(x, u)
        try:
            with _silence():
                return self._pull(x, u)
        except self.engine.domain_errors:
            return np.full(self.x.shape, np.nan)

    def value_complex(self, z: np.ndarray) -> np.ndarray | None:
        """The outputs at complex inputs, for the complex step.

        Args:
            z: of shape (n,), complex128.

        Returns:
            Of shape (m,), complex128; or None where inputs are complex anyway, or the function does not take complex
            numbers, or gives real ones for them.
        """
        if self.low_precision or any(part.complex for part in (*self.inputs, *self.outputs)):
            return None
        # A gradient with conjugates in it is not analytic, whatever the function is.
        if self.order > 1 and not self.engine.conjugate:
            return None
        return self._extend(z, np.dtype(np.complex128))

    def value_extended(self, x: np.ndarray) -> np.ndarray | None:
        """The outputs in ``np.longdouble``.

        Args:
            x: of shape (n,), float64 or longdouble.

        Returns:
            Of shape (m,), longdouble; or None where the function does not take long doubles or gives others for them,
            or where a long double is a float64.
        """
        wide = np.dtype(np.longdouble)
        if not self.engine.extended or self.low_precision or np.finfo(wide).eps >= np.finfo(np.float64).eps:
            return None
        return self._extend(x.astype(wide), wide)

    def derivative(self, seed: int) -> Problem:
        """The function (x, u) -> the gradient at x of the sum of u times the outputs, at a random u.

        Raises:
            ValueError: if the engine's gradients cannot be differentiated.
        """
        weights = random_signs(np.random.default_rng((seed, MIXED)), self.outputs[-1].slice.stop)
        leaves = list(self._leaves)
        for part, like in zip(self.outputs, self._likes, strict=True):
            name = "cotangent " + part.name.removeprefix("output ") if self.order == 1 else f"cotangent of {part.name}"
            leaves.append(Leaf(name, part.array(weights).astype(part.dtype), like, True))
        problem = object.__new__(Problem)
        problem.engine, problem.order = self.engine, self.order + 1
        names = [f"gradient of {part.name}" for part in self.inputs]
        call = Call(self._gradient(), [Slot(i) for i in range(len(leaves))])
        problem._start(call, leaves, seed, wide=self._wide, names=names)
        return problem

    def _gradient(self) -> Function:
        """The engine's derivative; by any engine's convention, of and to gradients dL/da + i dL/db."""
        n = len(self._leaves)
        function = self.engine.derivative(self._call, self._wanted, n)
        if not self.engine.conjugate or not any(part.complex for part in (*self.inputs, *self.outputs)):
            return function

        def conj(parts: Sequence[Part], natives: Sequence[Any]) -> list[Any]:
            pairs = zip(parts, natives, strict=True)
            return [self.engine.conj(native) if part.complex else native for part, native in pairs]

        return lambda *natives: tuple(conj(self.inputs, function(*natives[:n], *conj(self.outputs, natives[n:]))))

    # -- settling what there is ----------------------------------------------------------------------------

    def _start(self, call: Call, leaves: list[Leaf], seed: int, wide: bool, names: Sequence[str] | None = None) -> None:
        """Settles everything by running the function twice, and back twice, in double precision if ``wide``."""
        self._call, self._leaves, self._wide = call, leaves, wide
        self._wanted = [i for i, leaf in enumerate(leaves) if leaf.wanted]
        self.notes, self.faults = [], []
        checked = [leaf for leaf in leaves if leaf.wanted]
        self.x = join([leaf.value.astype(leaf.wide) for leaf in checked])
        self.inputs = parts_of([(leaf.name, leaf.value.shape, leaf.dtype(wide)) for leaf in checked])
        self._require_real(self.inputs, "with respect to")
        self._sources = [(source, source.get()) for source in self.engine.sources()]
        drawn = self._try_forward(names) | self._try_backward(np.random.default_rng((seed, MIXED)))
        if drawn:
            self.notes.append("random numbers are drawn: the function was given the same random numbers at each call")
        # To hold a generator still takes time: only those that the function draws from are held.
        self._sources = [self._sources[i] for i in sorted(drawn)]

    def _try_forward(self, names: Sequence[str] | None) -> set[int]:
        """Finds the outputs, and what is wrong with them; returns the numbers of the generators drawn from."""
        with self._told("calling the function"), self._held():
            natives = self._natives(self.x)
            result = self._call.result(natives)
            outputs = self._call.choose(result, self._is_checked)
            first = [self._numpy(output) for output in outputs]
            drawn = self._drawn()
            self._likes = [self.engine.array(np.zeros(()), output) for output in outputs]
        if not outputs:
            kind = type(result).__name__
            raise ValueError(f"no output is floating point or complex: the function returned {kind}.")
        named = zip(names or self._call.names, first, strict=True)
        self.outputs = parts_of([(name, array.shape, array.dtype) for name, array in named])
        self._require_real(self.outputs, "of")
        self.low_precision = self._precision()
        for part, output in zip(self.outputs, outputs, strict=True):
            if not self.engine.attached(output):
                self.notes.append(f"{part.name} is of type {type(output).__name__}: no gradient flows through it")
        self._look_for_changes(natives, "the function")
        self._compare(join(first), self._value(self.x), self.outputs, "the function")
        return drawn

    def _try_backward(self, rng: np.random.Generator) -> set[int]:
        """Finds what is wrong with the gradients; returns the numbers of the generators drawn from."""
        u = random_signs(rng, self.outputs[-1].slice.stop)
        with self._told(f"going back through the function, with engine {self.engine.name!r}"), self._held():
            natives, cotangents = self._natives(self.x), self._cotangents(u)
            raw = self.engine.pull(self._call, natives, self._wanted, cotangents)
            drawn = self._drawn()
            gradients = self._join_gradients(raw)
        for part, native in zip(self.inputs, raw, strict=True):
            if native is not None:
                self.faults += hygiene.misfits(part.name, part.shape, part.dtype, self._numpy(native))
        if self.engine.owned:
            self.faults += hygiene.shared([part.name for part in self.inputs], raw)
        if not any(fault.kind == "input changed" for fault in self.faults):
            self._look_for_changes(natives, "the backward pass")
        for part, native in zip(self.outputs, cotangents, strict=True):
            if not hygiene.equal(self._numpy(native), self._cotangent(part, u)):
                text = f"the backward pass changed the gradient of {part.name}, which it was given, in place."
                self.faults.append(Fault("cotangent changed", text, part.name))
        self._compare(gradients, self._pull(self.x, u), self.inputs, "the backward pass")
        return drawn

    def _look_for_changes(self, natives: Sequence[Any], who: str) -> None:
        for leaf, native, value in zip(self._leaves, natives, self._values(self.x), strict=True):
            if not hygiene.equal(self._numpy(native), value):
                self.faults.append(Fault("input changed", f"{who} changed {leaf.name} in place.", leaf.name))

    def _compare(self, first: np.ndarray, second: np.ndarray, parts: Sequence[Part], who: str) -> None:
        """Notes where two runs differ."""
        allowed = hygiene.DETERMINED if self.low_precision is None else 100 * np.finfo(self.low_precision).eps
        for part in parts:
            difference = hygiene.distance(first[part.slice], second[part.slice])
            if difference > allowed:
                text = (
                    f"{who} gave two results at the same inputs, for {part.name}: relative difference {difference:.2g}."
                )
                self.faults.append(Fault("non-deterministic", text, part.name))
            elif difference:
                self.notes.append(f"{who} differs from run to run, for {part.name}, by a relative {difference:.1g}")

    def _precision(self) -> np.dtype | None:
        """The coarsest dtype of all, if that is coarser than float64."""
        real = [np.zeros(0, part.dtype).real.dtype for part in (*self.inputs, *self.outputs)]
        worst = max(real, key=lambda dtype: np.finfo(dtype).eps)
        if np.finfo(worst).eps <= np.finfo(np.float64).eps:
            return None
        if self._wide:
            names = [part.name for part in self.outputs if part.dtype.itemsize < (16 if part.complex else 8)]
            self.notes.append(f"{', '.join(names)} came out as {worst} although all inputs were float64")
        return worst

    def _require_real(self, parts: Sequence[Part], what: str) -> None:
        names = [part.name for part in parts if part.complex]
        if names and not self.engine.complex:
            raise ValueError(
                f"{self.engine.name} has no gradients {what} complex numbers, and {', '.join(names)} is complex: check "
                f"the real and the imaginary part as two real arrays."
            )

    # -- calls ---------------------------------------------------------------------------------------------

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The engine's settings, and random numbers that are the same each time; all as it was before afterwards."""
        before = [source.get() for source, _ in self._sources]
        try:
            for source, state in self._sources:
                source.put(state)
            with self.engine.active():
                yield
        finally:
            for (source, _), state in zip(self._sources, before, strict=True):
                source.put(state)

    def _drawn(self) -> set[int]:
        return {i for i, (source, state) in enumerate(self._sources) if source.moved(state)}

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Adds to an error what was going on."""
        try:
            yield
        except Exception as error:
            given = ", ".join(f"{part.name}: {part.dtype} of shape {part.shape}" for part in self.inputs)
            error.add_note(f"This was raised while tensorgrad.testing was {what} at {given}.")
            raise

    def _value(self, x: np.ndarray) -> np.ndarray:
        with self._held():
            arrays = [self._numpy(output) for output in self._call(*self._natives(x))]
        return flat(self.outputs, arrays, np.dtype(np.float64))

    def _pull(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        with self._held():
            raw = self.engine.pull(self._call, self._natives(x), self._wanted, self._cotangents(u))
            return self._join_gradients(raw)

    def _extend(self, x: np.ndarray, dtype: np.dtype) -> np.ndarray | None:
        """The outputs at inputs of another dtype; None if they do not have that dtype, too."""
        make = self.engine.variable if dtype.kind == "f" else self.engine.array
        values = iter([part.array(x) for part in self.inputs])
        try:
            with _silence(), self._held():
                natives = [
                    make(next(values), leaf.like) if leaf.wanted else self.engine.constant(leaf.value, leaf.like)
                    for leaf in self._leaves
                ]
                arrays = [self._numpy(output) for output in self._call(*natives)]
        except Exception:
            # Whatever a function does not take this dtype for: the other oracles remain.
            return None
        for part, array in zip(self.outputs, arrays, strict=True):
            if array.dtype != (np.result_type(dtype, np.complex64) if part.complex else dtype):
                return None
        return flat(self.outputs, arrays, dtype)

    def _values(self, x: np.ndarray) -> list[np.ndarray]:
        """What the leaves are at ``x``."""
        pieces = iter([part.array(x).astype(part.dtype) for part in self.inputs])
        return [next(pieces) if leaf.wanted else leaf.value for leaf in self._leaves]

    def _natives(self, x: np.ndarray) -> list[Any]:
        return [
            self.engine.variable(value, leaf.like) if leaf.wanted else self.engine.constant(value, leaf.like)
            for value, leaf in zip(self._values(x), self._leaves, strict=True)
        ]

    def _cotangent(self, part: Part, u: np.ndarray) -> np.ndarray:
        array = part.array(u)
        return (array.conj() if self.engine.conjugate else array).astype(part.dtype)

    def _cotangents(self, u: np.ndarray) -> list[Any]:
        pairs = zip(self.outputs, self._likes, strict=True)
        return [self.engine.array(self._cotangent(part, u), like) for part, like in pairs]

    def _join_gradients(self, raw: Sequence[Any | None]) -> np.ndarray:
        """Gradients as the library gave them, in one real vector."""
        pieces = []
        for part, native in zip(self.inputs, raw, strict=True):
            if native is None:
                pieces.append(np.zeros(part.shape, part.dtype))
                continue
            gradient = hygiene.fit(self._numpy(native), part.shape)
            gradient = gradient.conj() if self.engine.conjugate else gradient
            pieces.append(gradient.astype(np.complex128) if part.complex else gradient.real.astype(np.float64))
        return join(pieces)

    def _numpy(self, native: Any) -> np.ndarray:
        array = self.engine.numpy(native)
        if array is None:
            raise TypeError(f"expected an array or a number, got {type(native).__name__}: {native!r}.")
        return array

    def _is_checked(self, output: Any) -> bool:
        array = self.engine.numpy(output)
        return array is not None and array.dtype.kind in "fc" and not (type(output) is list and not output)


@contextmanager
def _silence() -> Iterator[None]:
    """No warnings of functions at points that nobody gave; that an imaginary part is dropped is an error."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", "(?i).*discards the imaginary part")
        yield


def _kind(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    return type(value).__name__ + (f" of {dtype}" if dtype is not None else "")
