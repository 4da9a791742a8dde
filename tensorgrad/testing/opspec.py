"""The record of an op, from which all its tests and its line in the documentation are made."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tensorgrad.random import Generator, use_generator
from tensorgrad.testing.contracts import CONTRACTS, BadCall, Contract, bad_call
from tensorgrad.testing.strategies import REAL, Config, Domain, Sample, Shape, Strategy, filled
from tensorgrad.testing.strategies.domains import is_interval
from tensorgrad.testing.strategies.sample import code

FLOATS = ("float64", "float32")


@dataclass(frozen=True, repr=False)
class Kink:
    """A point where a function has no derivative, and the gradient that it gives there by convention.

    Attributes:
        arrays: the inputs.
        gradients: with respect to each of them, of the sum of the outputs; exact. None: not looked at.
        options: by keyword.
        words: the convention, for the documentation.
    """

    arrays: Sequence[Any]
    gradients: Sequence[Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""

    def __repr__(self) -> str:
        return f"Kink({code(tuple(self.arrays))}, {code(tuple(self.gradients))}, {code(dict(self.options))})"


@dataclass(frozen=True, eq=False)
class OpSpec:
    """An op and how to try it: :func:`check_op` tests it, and :meth:`line` documents it.

    The op is any function of Tensors. For one that works elementwise, its name, itself and the same in NumPy will do.

    Attributes:
        name: what it is called.
        function: the op.
        reference: gives the result for NumPy arrays; called like the op. None: values are not compared, but everything
            else is tested.
        shapes: the shapes contract. A name of :data:`tensorgrad.testing.contracts.CONTRACTS` (``"any"``, ``"same"``,
            ``"broadcast"``, ``"matrix"``, ``"square"``, ``"matmul"``, ``"axis"``, ``"reduction"``); or a list of calls,
            each a list of the arrays' shapes; or a strategy of such lists as a :class:`Config` (which has options too),
            of a :class:`Sample` (which has everything), of an array or of a tuple of arrays. By default arrays that
            broadcast against each other, as many as the function needs.
        domain: where values are drawn from: an interval ``(low, high)``, a :class:`Domain`, or a list with one of these
            for each array. No two values are close, so that there are no ties.
        kinks: where the function has no derivative. For an elementwise function of one array, a dictionary from points
            to the derivative that it gives there (samples keep away from these points); otherwise a list of
            :class:`Kink`.
        options: by keyword: a value, or a strategy of values.
        errors: calls that must be refused; see :func:`bad_call`. Calls that break the shapes contract are tried too.
        dtypes: those that the op takes.
        order: of the highest derivative to compare with finite differences; 0 for an op that rounds.
        differentiable: whether results have gradients.
        call: calls the op with the arrays one by one and the options by keyword, where it is not called so itself.
        arity: the number of arrays, if it is not that of the function's positional parameters without a default.
        variant: tells several records of an op apart.
        contract: words for the shapes, if they are not those of the contract.
        numbers: whether operands may be Python's numbers, which must not widen a dtype.
        creates: whether it makes arrays on a ``device`` that is an option.
        devices: the device types that it works on; None: all.
        slack: how much less exact it is than others.
        host: why the host must wait for the device; empty, if it must not.
        nonempty: why it takes no arrays without elements; empty, if it does.

    Raises:
        TypeError: for what is no function, domain or kink.
        ValueError: for a record that contradicts itself; says how.

    Example:
        >>> def cube(x):
        ...     return x * x * x
        >>> spec = OpSpec("cube", cube, lambda x: x**3, domain=(-2, 2))
        >>> print(spec.line())
        | `cube(x)` |  | any | [-2, 2] |  | 1, 2 |
    """

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any] | None = None
    _: KW_ONLY
    shapes: str | Sequence[Sequence[Shape]] | Strategy[Any] = ""
    domain: Any = REAL
    kinks: Mapping[float, float] | Sequence[Kink] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    errors: Sequence[BadCall] = ()
    dtypes: Sequence[str] = FLOATS
    order: int = 2
    differentiable: bool = True
    call: Callable[..., Any] | None = None
    arity: int | None = None
    variant: str = ""
    contract: str = ""
    numbers: bool = False
    creates: bool = False
    devices: Sequence[str] | None = None
    slack: float = 1.0
    host: str = ""
    nonempty: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not callable(self.function):
            raise TypeError(f"OpSpec takes a name and a function, got {self.name!r} and {self.function!r}.")
        if not (self.reference is None or callable(self.reference)):
            raise TypeError(f"the reference of {self.name!r} is a function of NumPy arrays, not {self.reference!r}.")
        for domain in self.domain if _one_each(self.domain) else [self.domain]:
            Domain.of(domain)
        if not isinstance(self.kinks, Mapping) and not all(isinstance(kink, Kink) for kink in self.kinks):
            raise TypeError(f"the kinks of {self.name!r} are a dictionary or a list of Kink, not {self.kinks!r}.")
        if isinstance(self.shapes, str) and self.shapes and self.shapes not in CONTRACTS:
            raise ValueError(
                f"the record of {self.name!r} has shapes={self.shapes!r}; the contracts are {', '.join(CONTRACTS)}. "
                f"Otherwise give a list of shapes, or a strategy."
            )
        if isinstance(self.kinks, Mapping) and self.count != 1:
            raise ValueError(
                f"the record of {self.name!r} has a dictionary of kinks, which is for functions of one array, but "
                f"there are {self.count}: give a list of Kink."
            )

    def __str__(self) -> str:
        return f"{self.name}-{self.variant}".strip("-").replace(" ", "-")

    def __call__(self, *arrays: Any, **options: Any) -> Any:
        """Calls the op with arrays one by one and options by keyword; random numbers are those of the seed 0."""
        with use_generator(Generator(0)):
            return (self.call or self.function)(*arrays, **options)

    @functools.cached_property
    def count(self) -> int:
        """How many arrays the contract is asked for."""
        if self.arity is not None:
            return self.arity
        parameters = parameters_of(self.function)
        needed = [p for p in parameters if p.kind < p.KEYWORD_ONLY and p.default is p.empty]
        return max(1, sum(p.kind is not p.VAR_POSITIONAL and p.name not in self.options for p in needed))

    @functools.cached_property
    def _contract(self) -> Contract | None:
        name = self.shapes if isinstance(self.shapes, str) else None
        return None if name is None else CONTRACTS[name or ("any" if self.count == 1 else "broadcast")]

    def samples(self, accept: Callable[[Sequence[Shape]], bool] | None = None) -> Strategy[Sample]:
        """A strategy of samples: arrays and options for one call, away from kinks and ties.

        Args:
            accept: tells by the arrays' shapes which samples to draw; by default all.

        Example:
            >>> from hypothesis import find
            >>> spec = OpSpec("hypot", lambda x, y: (x * x + y * y) ** 0.5, np.hypot)
            >>> find(spec.samples(lambda shapes: all(len(shape) == 1 for shape in shapes)), lambda sample: True)
            Sample((np.array([1.0]), np.array([-2.3])))
        """
        configs: Strategy[Any]
        if self._contract is not None:
            configs = self._contract.configs(self.count)
        elif isinstance(self.shapes, st.SearchStrategy):
            configs = self.shapes
        else:
            several: Any = self.shapes
            configs = st.sampled_from([Config([tuple(shape) for shape in shapes]) for shapes in several])
        drawn = {k: v if isinstance(v, st.SearchStrategy) else st.just(v) for k, v in self.options.items()}
        domain = self.domain
        if isinstance(self.kinks, Mapping):
            domain = Domain.of(domain[0] if _one_each(domain) else domain).without(self.kinks)
        # Before they are filled with values, which takes longer.
        return _samples(configs if accept is None else configs.filter(lambda c: accept(_shapes(c))), domain, drawn)

    def at_kinks(self) -> list[Kink]:
        """The points of :attr:`kinks`, those of a dictionary one by one and all together.

        Example:
            >>> [kink.gradients for kink in OpSpec("abs", abs, kinks={0: 0}).at_kinks()]
            [(array([0.]),), (array(0.),)]
        """
        if not isinstance(self.kinks, Mapping):
            return [*self.kinks]
        points, slopes = np.array([*self.kinks], "float64"), np.array([*self.kinks.values()], "float64")
        pairs = [(points, slopes), *zip(map(np.asarray, points), map(np.asarray, slopes), strict=True)]
        return [Kink((point,), (slope,)) for point, slope in pairs if point.size]

    def bad_calls(self) -> list[BadCall]:
        """The calls of :attr:`errors`, those that break the shapes contract, and one with an unknown option.

        Example:
            >>> [bad.words for bad in OpSpec("add", lambda x, y: x + y).bad_calls()]
            ['shape|broadcast|mismatch|axis|axes|dim|size|length|long|square', 'sideways|keyword']
        """
        result = [*self.errors]
        if self._contract is not None and self.call is None and not self.variant:
            # Their arrays in a dtype that is not refused for itself.
            broken = self._contract.errors(self.count)
            result += [replace(bad, args=tuple(map(self._taken, bad.args))) for bad in broken]
        if all(p.kind is not p.VAR_KEYWORD for p in parameters_of(self.function)) and not self.variant:
            result.append(bad_call("sideways|keyword", *[np.ones(())] * self.count, error=TypeError, sideways=1))
        return result

    def _taken(self, argument: Any) -> Any:
        return argument.astype(self.dtypes[0]) if isinstance(argument, np.ndarray) else argument

    @property
    def takes_scalars(self) -> bool:
        """Whether the contract names arrays without axes (a strategy may draw them all the same)."""
        return self._contract is not None and self._contract.scalars

    def line(self) -> str:
        """The op's line in a table: signature, what it computes, shapes, domain, kinks, orders of derivatives."""
        summary = re.sub(r":\w+:(`[^`]*`)", r"\1", (inspect.getdoc(self.function) or "").split("\n\n")[0])
        summary = summary.replace("``", "`").replace("\n", " ").replace("|", "\\|")
        words = self.contract or (self._contract.words if self._contract else "")
        domains = [Domain.of(each) for each in (self.domain if _one_each(self.domain) else [self.domain])]
        domain = "; ".join(dict.fromkeys(map(str, domains)))
        if isinstance(self.kinks, Mapping):
            slopes = {slope: [x for x in self.kinks if self.kinks[x] == slope] for slope in self.kinks.values()}
            kinks = "; ".join(f"{k:g} at x = {', '.join(f'{x:g}' for x in at)}" for k, at in slopes.items())
        else:
            kinks = "; ".join(dict.fromkeys(kink.words for kink in self.kinks if kink.words))
        orders = ", ".join(map(str, range(1, self.order + 1))) or "not compared"
        cells = [f"`{self.name}{signature_of(self.function)}`", summary, words, domain, kinks]
        return f"| {' | '.join(cells)} | {orders if self.differentiable else 'none'} |"


@st.composite
def _samples(draw: st.DrawFn, configs: Strategy[Any], domain: Any, options: dict[str, Strategy[Any]]) -> Sample:
    """Samples from whatever stands for shapes."""
    given = draw(configs)
    drawn = {name: draw(option) for name, option in options.items()}
    if isinstance(given, Config):
        return Sample(draw(filled(given.shapes, domain)), {**given.options, **drawn})
    if isinstance(given, Sample):
        return Sample(given.arrays, {**given.options, **drawn}) if drawn else given
    if isinstance(given, np.ndarray):
        given = (given,)
    if not isinstance(given, (tuple, list)) or not all(isinstance(array, np.ndarray) for array in given):
        raise InvalidArgument(f"shapes are drawn as a Config, a Sample, an array or a tuple of them, not as {given!r}.")
    return Sample(tuple(given), drawn)


def _shapes(given: Any) -> Sequence[Shape]:
    """The shapes of what a strategy of shapes drew."""
    if isinstance(given, Config):
        return given.shapes
    arrays = given.arrays if isinstance(given, Sample) else given if isinstance(given, (tuple, list)) else (given,)
    return [np.shape(array) for array in arrays]


def _one_each(domain: Any) -> bool:
    return isinstance(domain, (list, tuple)) and not is_interval(domain)


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function; of one that does not tell them, a single array."""
    try:
        return [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        return [inspect.Parameter("x", inspect.Parameter.POSITIONAL_ONLY)]


def signature_of(function: Callable[..., Any]) -> str:
    """The signature as one would type it: without annotations, and without the slash after the arrays."""
    parts, starred = [], False
    for p in parameters_of(function):
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
        starred = starred or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        star = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
        parts.append(f"{star}{p.name}" + ("" if p.default is p.empty else f"={p.default!r}"))
    return f"({', '.join(parts)})"
