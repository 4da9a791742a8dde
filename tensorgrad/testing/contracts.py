"""Shapes contracts: what shapes, and which options along with them, a kind of op takes, each under a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.testing.strategies import (
    Config,
    Strategy,
    along_axis,
    broadcastable_shapes,
    reductions,
    shapes,
)
from tensorgrad.testing.strategies.sample import code


@dataclass(frozen=True, repr=False)
class BadCall:
    """A call that must be refused.

    Attributes:
        args: positional arguments; NumPy arrays among them are given as Tensors, all else as it is.
        words: what the message must say: a regular expression that is searched for, as by ``pytest.raises``.
        error: the exception, or several of them.
        options: by keyword.
    """

    args: tuple[Any, ...]
    words: str
    error: type[Exception] | tuple[type[Exception], ...] = ValueError
    options: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        errors = self.error if isinstance(self.error, tuple) else (self.error,)
        names = ", ".join(error.__name__ for error in errors)
        return f"BadCall({code(self.args)}, {self.words!r}, ({names},), {code(self.options)})"


def bad_call(
    words: str, *args: Any, error: type[Exception] | tuple[type[Exception], ...] = ValueError, **options: Any
) -> BadCall:
    """A call that must be refused, written as one.

    Args:
        words: what the message must say: a regular expression that is searched for in it.
        args: positional arguments of the call.
        error: the exception that is to be raised, or several of them.
        options: arguments by keyword.

    Raises:
        TypeError: for words that are none, or an error that is no class of exceptions.

    Example:
        >>> bad_call("axis", np.ones(3), axis=1, error=IndexError).options
        {'axis': 1}
    """
    errors = error if isinstance(error, tuple) else (error,)
    if not isinstance(words, str) or not words:
        raise TypeError(f"bad_call() takes first what the message must say, a regular expression, not {words!r}.")
    if not all(isinstance(each, type) and issubclass(each, BaseException) for each in errors):
        raise TypeError(f"bad_call() takes for error a class of exceptions, or several, not {error!r}.")
    return BadCall(args, words, error, options)


@dataclass(frozen=True)
class Contract:
    """A shapes contract.

    Attributes:
        words: how a reader is told of it; ``{n}`` is the number of arrays.
        configs: draws shapes and options for so many arrays.
        errors: calls with so many arrays that break it.
        scalars: whether there are arrays without axes.
    """

    words: str
    configs: Callable[[int], Strategy[Config]]
    errors: Callable[[int], list[BadCall]] = lambda n: []
    scalars: bool = False


ABOUT_SHAPES = "shape|broadcast|mismatch|axis|axes|dim|size|length|long|square"
ABOUT_AXES = "axis|axes|dim"


def _configs(shapes_of: Callable[[int], Strategy[Any]]) -> Callable[[int], Strategy[Config]]:
    return lambda n: shapes_of(n).map(Config)


def _axis_errors(n: int) -> list[BadCall]:
    x = np.ones((2, 3))
    return [bad_call(ABOUT_AXES, x, axis=axis, error=(IndexError, ValueError)) for axis in (2, -3)]


def _shape_errors(*shapes: tuple[int, ...]) -> Callable[[int], list[BadCall]]:
    """A call with arrays of these shapes, or with the last of them again for further arrays."""

    def errors(n: int) -> list[BadCall]:
        if n < len(shapes):
            return []
        given = [*shapes, *shapes[-1:] * (n - len(shapes))]
        return [bad_call(ABOUT_SHAPES, *map(np.ones, given), error=(ValueError, TypeError))]

    return errors


@st.composite
def _products(draw: st.DrawFn, n: int) -> list[tuple[int, ...]]:
    """Shapes of matrices, stacks of them and vectors that can be multiplied one after the other."""
    lead = draw(broadcastable_shapes(n, shapes(max_dims=2, max_side=2)))
    side = st.sampled_from([2, 3, 1, 3, 2, 0])
    sides = [draw(side) for _ in range(n + 1)]
    vectors = [draw(st.integers(0, 3)) == 3 for _ in range(2)]
    result = [(*each, *sides[i : i + 2]) for i, each in enumerate(lead)]
    if vectors[0]:
        result[0] = (sides[1],)
    if vectors[1]:
        result[-1] = (sides[-2],)
    return result


CONTRACTS: dict[str, Contract] = {
    "any": Contract("any", _configs(lambda n: st.tuples(*[shapes()] * n)), scalars=True),
    "same": Contract("one shape", _configs(lambda n: shapes().map(lambda shape: (shape,) * n)), scalars=True),
    "broadcast": Contract("broadcast", _configs(broadcastable_shapes), _shape_errors((2, 3), (4,)), scalars=True),
    "matrix": Contract("(..., M, N)", _configs(lambda n: st.tuples(*[shapes(min_dims=2)] * n))),
    "square": Contract(
        "(..., N, N)",
        _configs(lambda n: st.tuples(shapes(max_dims=1), st.integers(0, 3)).map(lambda s: ((*s[0], s[1], s[1]),) * n)),
        _shape_errors((2, 3)),
    ),
    "matmul": Contract("(..., M, K), (..., K, N)", _configs(_products), _shape_errors((2, 3), (2, 3))),
    "axis": Contract("any, along an axis", lambda n: along_axis(), _axis_errors),
    "reduction": Contract("any, over axes", lambda n: reductions(), _axis_errors, scalars=True),
}
"""What the ``shapes`` of an :class:`OpSpec` may be called."""
