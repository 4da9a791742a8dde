"""Index expressions."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.testing.strategies.shapes import Shape, Strategy


@st.composite
def indices(draw: st.DrawFn, shape: Shape, arrays: bool = True, mask: bool = False) -> Any:
    """What may stand in the brackets of ``x[...]``: slices, integers, None, ``...``, arrays of integers, a mask.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        shape: of the array ``x``.
        arrays: whether there may be integer arrays and lists, which broadcast against each other.
        mask: whether there is a boolean array among them.

    Returns:
        A strategy of indices, all in bounds; the simplest is ``()``.

    Example:
        >>> from hypothesis import find
        >>> x = np.arange(12).reshape(3, 4)
        >>> x[find(indices((3, 4)), lambda key: x[key].ndim == 0)].shape
        ()
    """
    ndim = len(shape)
    stop = draw(st.integers(0, ndim))
    common: Shape = draw(st.sampled_from([(2,), (), (1,), (2, 2), (3,), (0,)]))
    masked, wide, chosen = None, 1, np.ones((), bool)
    if mask:
        masked = draw(st.integers(0, max(stop - 1, 0)))
        wide = min(draw(st.integers(1, 2)), ndim - masked)
        chosen = draw(_masks(shape[masked : masked + wide]))
        common, stop = (int(chosen.sum()),), max(stop, masked + wide)
    key: list[Any] = []
    axis = 0
    while axis < stop or (axis == masked == ndim):
        if draw(st.integers(0, 5)) == 5:
            key.append(None)
        if axis == masked:
            key.append(chosen)
            masked = None
            axis += wide
        else:
            key.append(draw(_along(shape[axis], common if arrays else None)))
            axis += 1
    if axis <= ndim and draw(st.booleans()):
        key.append(Ellipsis)
        if axis < ndim and shape[-1] > 0 and draw(st.booleans()):
            key.append(draw(st.integers(-shape[-1], shape[-1] - 1)))
    return tuple(key) if len(key) != 1 or draw(st.booleans()) else key[0]


@st.composite
def _along(draw: st.DrawFn, n: int, common: Shape | None) -> Any:
    """An index of one axis; of arrays, one that broadcasts to the shape ``common``."""
    kind = draw(st.sampled_from(["integer", "slice", "slice", "array"][: 3 if common is None else 4])) if n else "slice"
    if kind == "integer":
        return draw(st.integers(-n, n - 1))
    if kind == "slice":
        bound = st.none() | st.integers(-n - 1, n + 1)
        return slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2])))
    assert common is not None
    size = draw(st.sampled_from([common, common[1:], (1,) * len(common)]))
    index = draw(integer_arrays(size, -n, n - 1))
    return index.tolist() if index.size and index.ndim and draw(st.booleans()) else index


@st.composite
def integer_arrays(draw: st.DrawFn, shape: Shape, low: int, high: int) -> np.ndarray:
    """Arrays of int64 from ``low`` to ``high``, both included: indices, classes.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        shape: of the array.
        low: the smallest integer; the simplest is 0, if it is not below or above all.
        high: the largest integer.

    Example:
        >>> from hypothesis import find
        >>> find(integer_arrays((3,), -4, 4), lambda index: True)
        array([0, 0, 0])
    """
    n = int(np.prod(shape))
    codes = np.frombuffer(draw(st.binary(min_size=n, max_size=n)), np.uint8).astype(np.int64)
    simplest = min(max(low, 0), high)
    return ((codes + simplest - low) % (high - low + 1) + low).reshape(shape)


def _masks(shape: Shape) -> Strategy[np.ndarray]:
    return integer_arrays(shape, 0, 2).map(lambda drawn: drawn > 0)
