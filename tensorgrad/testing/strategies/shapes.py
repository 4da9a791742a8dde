"""Shapes: of one array, and of several that broadcast against each other."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

Shape = tuple[int, ...]
Strategy = st.SearchStrategy


@st.composite
def shapes(draw: st.DrawFn, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 3) -> Shape:
    """Shapes of small arrays: with no axes, with axes of length 1 and, one in five, of length 0.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        min_dims: the smallest number of axes.
        max_dims: the largest number of axes.
        min_side: the smallest length of an axis; 1, for arrays that all have elements.
        max_side: the largest length of an axis.

    Returns:
        A strategy of tuples, which shrinks to ``()``, or to few axes of length 1.

    Example:
        >>> from hypothesis import find
        >>> find(shapes(), lambda shape: len(shape) == 2)
        (1, 1)
    """
    if not (0 <= min_dims <= max_dims and 0 <= min_side <= max_side):
        raise InvalidArgument(
            f"shapes() needs 0 <= min_dims <= max_dims and 0 <= min_side <= max_side, got min_dims={min_dims}, "
            f"max_dims={max_dims}, min_side={min_side}, max_side={max_side}."
        )
    ndim = draw(st.integers(min_dims, max_dims))
    side = st.integers(min(max(min_side, 1), max_side), max_side)
    shape = [draw(side) for _ in range(ndim)]
    if ndim and min_side == 0 and draw(st.integers(0, 4)) == 4:
        shape[draw(st.integers(0, ndim - 1))] = 0
    return tuple(shape)


@st.composite
def broadcastable_shapes(draw: st.DrawFn, n: int, whole: Strategy[Shape] | None = None) -> tuple[Shape, ...]:
    """Shapes that broadcast against each other: equal ones, and some with leading axes less, or of length 1.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        n: how many shapes.
        whole: a strategy of the shape that they broadcast to; :func:`shapes` by default.

    Returns:
        A strategy of tuples of ``n`` shapes.

    Example:
        >>> from hypothesis import find
        >>> x, y = find(broadcastable_shapes(2), lambda pair: len(pair[0]) == 2 and len(pair[1]) == 1)
        >>> len(np.broadcast_shapes(x, y))
        2
    """
    shape = draw(shapes() if whole is None else whole)
    result = []
    for _ in range(n):
        kept = shape[draw(st.integers(0, len(shape))) :] if shape and draw(st.integers(0, 3)) == 3 else shape
        result.append(tuple(1 if side != 1 and draw(st.integers(0, 3)) == 3 else side for side in kept))
    return tuple(result)
