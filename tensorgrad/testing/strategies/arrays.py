"""Arrays: of interesting values, of values that are all apart, and several that broadcast against each other.

All bytes of an array are drawn at once, two or three for each element, and the zero bytes that Hypothesis shrinks to
stand for simple values: 1 where the domain has it, and even steps from there where no two may be close.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tensorgrad.testing.strategies.domains import INTERESTING, REAL, Domain, is_interval
from tensorgrad.testing.strategies.shapes import Shape, Strategy, broadcastable_shapes, shapes

AnyDomain = Domain | tuple[float, float]
AnyShape = Shape | Strategy[Shape]


@st.composite
def arrays(draw: st.DrawFn, shape: AnyShape | None = None, domain: AnyDomain = INTERESTING) -> np.ndarray:
    """Arrays of float64, of values that are drawn one by one, so that some are equal now and then.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        shape: a shape, or a strategy of shapes; :func:`shapes` by default.
        domain: an interval ``(low, high)`` or a :class:`Domain`. By default from -3 to 3, with zeros, ones, and small
            and large numbers among them.

    Example:
        >>> from hypothesis import find
        >>> find(arrays((2, 2), (-4, 4)), lambda x: True)
        array([[1., 1.],
               [1., 1.]])
    """
    whole = Domain.of(domain)
    given = _shape(draw, shape)
    codes = _words(draw(_bytes(2 * math.prod(given))))
    if not whole.intervals:
        flat = np.array(whole.values)[codes % len(whole.values)]
    else:
        # Small numbers, which Hypothesis prefers, stand for halves and quarters of the domain.
        flat = whole.rounded(whole.at(_reversed(codes) / 2**16), _power_of_ten(whole.length / 1000))
        if whole.values:
            single = np.array(whole.values)[codes // 4 % len(whole.values)]
            flat = np.where(codes % 4 == 3, single, flat)
    return flat.astype(whole.dtype).reshape(given)


@st.composite
def separated_arrays(
    draw: st.DrawFn, shapes: Sequence[Shape] | Strategy[Sequence[Shape]], gap: float | None = None, domain: Any = REAL
) -> tuple[np.ndarray, ...]:
    """Several arrays of float64, no two values of which are close, neither in one array nor in two.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        shapes: of the arrays, or a strategy that gives as much.
        gap: the smallest distance of two values; by default 0.4 times the even step of so many values.
        domain: an interval ``(low, high)`` or a :class:`Domain` with intervals.

    Raises:
        InvalidArgument: if so many values do not fit into the domain.

    Example:
        >>> from hypothesis import find
        >>> find(separated_arrays([(2,), (1,)], domain=(1, 4)), lambda pair: True)
        (array([1., 2.]), array([3.]))
    """
    whole = Domain.of(domain)
    given = draw(shapes) if isinstance(shapes, Strategy) else shapes
    sizes = [math.prod(shape) for shape in given]
    n = sum(sizes)
    step = whole.length / max(n, 1)
    least = 0.4 * step if gap is None else gap
    if not whole.intervals or (n > 1 and least > step):
        raise InvalidArgument(f"{n} values, each {least:g} or more from the others, do not fit into {whole}.")
    data = draw(_bytes(3 * n + 2 if n else 0))
    order, turn, jitter = _words(data[: 2 * n]), _words(data[2 * n : 2 * n + 2]), np.frombuffer(data[2 * n + 2 :], "i1")
    # Even steps on a circle, of which each may move by as much as leaves the gap, in a random order, all turned.
    unit = _power_of_ten(step / 20)
    room = max(step - least - unit, 0.0) / 2
    ranks = np.argsort(np.argsort(order, kind="stable"))
    flat = whole.at(((ranks * step + jitter / 128 * room) / whole.length + _reversed(turn) / 2**16) % 1) if n else order
    if n and (n == 1 or step - least >= unit):
        flat = whole.rounded(flat, unit)
    ends = np.cumsum(sizes)
    pieces = [flat[end - size : end].reshape(shape) for end, size, shape in zip(ends, sizes, given, strict=True)]
    return tuple(piece.astype(whole.dtype) for piece in pieces)


def separated(
    shape: AnyShape | None = None, gap: float | None = None, domain: AnyDomain = REAL
) -> Strategy[np.ndarray]:
    """Arrays of float64, no two values of which are close: for maxima, sorting, and whatever else has kinks at ties.

    Args:
        shape: a shape, or a strategy of shapes; :func:`shapes` by default.
        gap: the smallest distance of two values; by default 0.4 times the even step of so many values.
        domain: an interval ``(low, high)`` or a :class:`Domain` with intervals; by default from -3 to -0.3 and from
            0.3 to 3.

    Raises:
        InvalidArgument: if so many values do not fit into the domain.

    Example:
        >>> from hypothesis import find
        >>> find(separated((3,), gap=0.5, domain=(1, 4)), lambda x: True)
        array([1., 2., 3.])
    """
    whole = shapes() if shape is None else shape if isinstance(shape, Strategy) else st.just(shape)
    return separated_arrays(whole.map(lambda one: (one,)), gap, domain).map(lambda pieces: pieces[0])


@st.composite
def filled(draw: st.DrawFn, shapes: Sequence[Shape], domain: Any = REAL) -> tuple[np.ndarray, ...]:
    """Arrays of given shapes. Those that share a domain of intervals have no two close values.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        shapes: of the arrays.
        domain: one for all arrays, or a sequence with one for each (if there are more than arrays: the first ones).

    Example:
        >>> from hypothesis import find
        >>> find(filled([(1,), (1,)], [(5, 6), (1, 2)]), lambda pair: True)
        (array([5.]), array([1.]))
    """
    if isinstance(domain, Domain) or is_interval(domain):
        own = [Domain.of(domain)] * len(shapes)
    else:
        own = [Domain.of(each) for each in domain[: len(shapes)]]
    result: dict[int, np.ndarray] = {}
    for each in dict.fromkeys(own):
        places = [i for i, other in enumerate(own) if other == each]
        wanted = [shapes[i] for i in places]
        if each.intervals and not each.values:
            result |= zip(places, draw(separated_arrays(wanted, domain=each)), strict=True)
        else:
            result |= {i: draw(arrays(shapes[i], each)) for i in places}
    return tuple(result[i] for i in range(len(shapes)))


@st.composite
def broadcastable_arrays(draw: st.DrawFn, n: int, domain: Any = REAL) -> tuple[np.ndarray, ...]:
    """Arrays whose shapes broadcast against each other, and no two values of which are close.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        n: how many arrays.
        domain: one for all arrays, or a sequence with one for each.

    Example:
        >>> from hypothesis import find
        >>> x, y = find(broadcastable_arrays(2), lambda pair: pair[0].ndim > pair[1].ndim > 0)
        >>> (x + y).ndim > y.ndim
        True
    """
    return draw(filled(draw(broadcastable_shapes(n)), domain))


def _shape(draw: st.DrawFn, shape: AnyShape | None) -> Shape:
    if shape is None:
        return draw(shapes())
    return draw(shape) if isinstance(shape, Strategy) else shape


def _bytes(n: int) -> Strategy[bytes]:
    return st.binary(min_size=n, max_size=n)


def _words(data: bytes) -> np.ndarray:
    return np.frombuffer(data, ">u2").astype(np.int64)


def _reversed(words: np.ndarray) -> np.ndarray:
    """16-bit numbers with their bits in reverse: 1 is the half of 65536, 2 a quarter, 3 three quarters."""
    result = np.zeros_like(words)
    for bit in range(16):
        result |= (words >> bit & 1) << (15 - bit)
    return result


def _power_of_ten(size: float) -> float:
    """The largest that is not above ``size``."""
    return 10.0 ** math.floor(math.log10(size))
