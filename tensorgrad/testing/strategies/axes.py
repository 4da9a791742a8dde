"""Axes: what options such as ``axis`` take, and shapes together with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.testing.strategies.sample import Config
from tensorgrad.testing.strategies.shapes import Shape, Strategy, shapes


def an_axis(ndim: int) -> Strategy[int]:
    """One axis of an array with ``ndim``, counted from the front or from the back.

    Example:
        >>> from hypothesis import find
        >>> find(an_axis(3), lambda axis: axis < 0)
        -1
    """
    return st.integers(-ndim, ndim - 1)


@st.composite
def axes(draw: st.DrawFn, ndim: int, min_size: int = 0, max_size: int | None = None) -> tuple[int, ...]:
    """Different axes in any order, each counted from the front or from the back.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        ndim: how many axes there are.
        min_size: how many to draw at least; ``ndim`` for a permutation of all.
        max_size: how many to draw at most; ``ndim`` by default.

    Example:
        >>> from hypothesis import find
        >>> order = find(axes(3, min_size=3), lambda order: order[0] < 0)
        >>> sorted(axis % 3 for axis in order)
        [0, 1, 2]
    """
    count = draw(st.integers(min_size, ndim if max_size is None else max_size))
    chosen = draw(st.permutations(range(ndim)))[:count]
    return tuple(axis - ndim if draw(st.booleans()) else axis for axis in chosen)


def any_axes(ndim: int) -> Strategy[int | tuple[int, ...] | None]:
    """What a reduction takes: None, one axis, or a tuple of different ones.

    Example:
        >>> from hypothesis import find
        >>> find(any_axes(2), lambda axis: axis == ())
        ()
    """
    return st.one_of(st.none(), *([an_axis(ndim)] if ndim else []), axes(ndim))


@st.composite
def reductions(
    draw: st.DrawFn, one_axis: bool = False, empty: bool = True, shape: Strategy[Shape] | None = None
) -> Config:
    """The shape of an array to reduce, with ``axis`` and ``keepdims``.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        one_axis: whether ``axis`` is one axis or None; otherwise it may be a tuple too.
        empty: whether there are reductions of nothing (which a sum has, and a maximum has not).
        shape: a strategy of shapes; :func:`shapes` by default.

    Example:
        >>> from hypothesis import find
        >>> find(reductions(), lambda config: config.options["keepdims"])
        Config(shapes=((),), options={'axis': None, 'keepdims': True})
    """
    found = draw(shapes() if shape is None else shape)
    ndim = len(found)
    axis = draw(st.one_of(st.none(), *([an_axis(ndim)] if ndim else [])) if one_axis else any_axes(ndim))
    if not empty and count_along(found, axis) == 0:
        reduced = range(ndim) if axis is None else np.atleast_1d(axis) % ndim
        found = tuple(n or (2 if i in reduced else 0) for i, n in enumerate(found))
    return Config((found,), {"axis": axis, "keepdims": draw(st.booleans())})


@st.composite
def along_axis(draw: st.DrawFn, scalars: bool = False, shape: Strategy[Shape] | None = None) -> Config:
    """The shape of an array and one ``axis`` of it, which is left out now and then where there is just one.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        scalars: whether there are arrays without axes, for which ``axis`` is 0 or -1.
        shape: a strategy of shapes; :func:`shapes` by default.

    Example:
        >>> from hypothesis import find
        >>> find(along_axis(), lambda config: config.options.get("axis") == -1).options
        {'axis': -1}
    """
    found = draw(shapes(min_dims=0 if scalars else 1) if shape is None else shape)
    axis = draw(an_axis(max(len(found), 1)))
    return Config((found,), {} if len(found) <= 1 and draw(st.booleans()) else {"axis": axis})


def count_along(shape: Shape, axis: Any) -> int:
    """How many elements of an array of this shape are reduced into one along these axes.

    Example:
        >>> count_along((2, 3, 4), (0, -1))
        8
    """
    chosen = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    count = 1
    for i in chosen:
        count *= shape[i]
    return count
