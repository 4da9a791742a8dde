"""Array code on large NumPy arrays piece by piece: what is written for the whole runs on several cores.

NumPy computes one function after the other, each on one core and through the whole arrays, which for large ones means
through memory. Here a function of several steps is called with a piece of its arrays at a time, and the pieces are
worked on side by side (:mod:`tensorgrad.threads`). They are cut by shapes alone, so that the results do not depend on
how many threads there are.

An array of another library, or a Tensor, is not cut: then the function is called as it is.
"""

from __future__ import annotations

import functools
import inspect
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tensorgrad import backend, threads

PIECE = 1 << 17
"""Elements of a piece at least, so that what it costs to call a function once more does not count."""
LARGE = 4 * PIECE
"""Elements from which on an array is cut for a costly function of each of them."""
LARGER = 2 * LARGE
"""The same for other functions, of fewer steps for each element."""
PIECES = 8
"""How many pieces there are at most: they are long, for threads get in each other's way between NumPy's calls."""
ALL = slice(None)
HALF, LONG = 8, 1 << 16
"""How many things are in a half at least, and elements in all steps of something, for halves to be worth it."""

Axes = int | tuple[int | None, ...]


def each_element(function: Callable[..., Any], values: Sequence[Any], **options: Any) -> Any:
    """``function(*values, **options)``, for a function that works on each element of its arrays by itself.

    Arrays of one shape are cut as they lie in memory, and those that are broadcast along their first axis.
    """
    arrays = [value for value in values if type(value) is np.ndarray and value.ndim]
    shape: tuple[int, ...] = max((array.shape for array in arrays), key=lambda s: (len(s), math.prod(s)), default=())
    if (
        threads.get_num_threads() == 1
        or math.prod(shape) < LARGE
        or not all(array.flags.c_contiguous or 0 in array.strides for array in arrays)
    ):
        return function(*values, **options)
    if all(array.shape == shape and array.flags.c_contiguous for array in arrays):
        flat = [value.reshape(-1) if type(value) is np.ndarray and value.ndim else value for value in values]
        axes = [0 if _is_array(value) else None for value in values]
        return _in_pieces(function, flat, axes, (0,), math.prod(shape), options).reshape(shape)
    axes = [
        0 if _is_array(value) and value.ndim == len(shape) and value.shape[0] == shape[0] > 1 else None
        for value in values
    ]
    if np.broadcast_shapes(*(array.shape for array in arrays)) != shape or shape[0] < 2:
        return function(*values, **options)
    return _in_pieces(function, values, axes, (0,), math.prod(shape), options)


def in_pieces(*, gives: Sequence[int | str], **takes: Axes) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for a function whose large arrays can be cut.

    Args:
        gives: the axis along which each result is put together, or ``"sum"`` if it is the sum of the pieces'. More than
            one: the function returns a tuple (in which entries may be None).
        takes: for each parameter that is cut, the axis along which; a tuple of axes for a tuple of arrays, None for
            those that are not cut. Parameters that are None or 0-d are not cut.

    The first of these parameters decides: it is large, or nothing is cut.

    If the function has a parameter ``into``, it is given what belongs to its piece of each result, or None where that
    is not to be had: what it computes there and returns need not be copied. Where it is None, memory in C order must
    be taken, or sums over it would be rounded in another way (:func:`multiply` and :func:`subtract` do so).
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)
        names = [*signature.parameters]
        places = {names.index(name): axes for name, axes in takes.items()}
        first, along = next(iter(places.items()))

        @functools.wraps(function)
        def call(*values: Any, **options: Any) -> Any:
            whole, axis = (values[first], along) if isinstance(along, int) else (values[first][0], along[0])
            if type(whole) is not np.ndarray or whole.size < LARGER or whole.shape[axis] < 2:
                return function(*values, **options)
            axes = [places.get(place) for place in range(len(values))]
            return _in_pieces(function, values, axes, gives, whole.size, options, "into" in names)

        shown = [parameter for name, parameter in signature.parameters.items() if name != "into"]
        call.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
        return call

    return decorate


def in_halves(run: Callable[[slice], Any], like: Any, count: int) -> list[Any]:
    """What ``run`` returns for all of ``count`` things; or for halves of them, side by side on two threads.

    For work in many steps that follow each other, each of them too short to be shared. It is divided if ``like``, an
    array of all steps, is large.
    """
    parts = [ALL]
    if type(like) is np.ndarray and threads.get_num_threads() > 1 and count >= 2 * HALF and like.size >= LONG:
        half = -(-count // 2)
        parts = [slice(half), slice(half, None)]
    return threads.each(run, parts)


def of_each(steps: list[Any], some: slice) -> list[Any]:
    """What each step has of some of the things that :func:`in_halves` divides."""
    return steps if some == ALL else [step[some] for step in steps]


def together(parts: Sequence[Any], xp: Any) -> Any:
    """The results of :func:`in_halves` as one."""
    return parts[0] if len(parts) == 1 else xp.concat(parts)


def multiply(a: Any, b: Any, into: Any = None) -> Any:
    """``a * b``, of Tensors too; of arrays in C order, and where ``into`` is not None, there."""
    return np.multiply(a, b, out=into, order="C") if type(a) is np.ndarray else _in_c_order(a * b)


def subtract(a: Any, b: Any, into: Any = None) -> Any:
    """``a - b``, likewise."""
    return np.subtract(a, b, out=into, order="C") if type(a) is np.ndarray else _in_c_order(a - b)


def _in_c_order(value: Any) -> Any:
    return value if backend.of(value) is None else backend.namespace(value).ascontiguousarray(value)


def _is_array(value: Any) -> bool:
    return type(value) is np.ndarray and value.ndim > 0


def _in_pieces(
    function: Callable[..., Any],
    values: Sequence[Any],
    axes: Sequence[Axes | None],
    gives: Sequence[int | str],
    size: int,
    options: dict[str, Any],
    takes_into: bool = False,
) -> Any:
    length = next(size for value, axis in zip(values, axes, strict=True) for size in _lengths(value, axis))
    step = -(-length // min(PIECES, size // PIECE, length))
    slices = [slice(start, min(start + step, length)) for start in range(0, length, step)]

    known: list[list[np.ndarray | None]] = []
    one_at_a_time = threading.Lock()

    def fill(piece: slice) -> list[Any]:
        into = {"into": _room(known[0] if known else None, gives, piece)} if takes_into else {}
        cut = (_cut(value, axis, piece) for value, axis in zip(values, axes, strict=True))
        parts = function(*cut, **options, **into)
        parts = parts if isinstance(parts, tuple) else (parts,)
        with one_at_a_time:
            # Whoever is done first knows what the results are like.
            if not known:
                known.append([_whole(part, axis, length) for part, axis in zip(parts, gives, strict=True)])
        sums = []
        for whole, part, axis in zip(known[0], parts, gives, strict=True):
            if isinstance(axis, str):
                sums.append(part)
            elif whole is not None and not np.may_share_memory(part, place := _at(whole, axis, piece)):
                place[...] = part
        return sums

    totals = iter([*zip(*threads.each(fill, slices), strict=True)])
    results: list[Any] = []
    for whole, axis in zip(known[0], gives, strict=True):
        if isinstance(axis, str):
            first, *others = next(totals)
            results.append(None if first is None else sum(others, first))
        else:
            results.append(whole)
    return results[0] if len(gives) == 1 else tuple(results)


def _whole(part: np.ndarray | None, axis: int | str, length: int) -> np.ndarray | None:
    """Memory for all of a result, of which a piece is there."""
    if part is None or isinstance(axis, str):
        return None
    return np.empty((*part.shape[:axis], length, *part.shape[axis + 1 :]), dtype=part.dtype)


def _room(
    wholes: Sequence[np.ndarray | None] | None, gives: Sequence[int | str], piece: slice
) -> list[np.ndarray | None]:
    """Where in the results to compute those of a piece: in memory that lies together, and not in float16."""
    if wholes is None:
        return [None] * len(gives)
    return [
        None if whole is None or axis != 0 or whole.dtype == np.float16 else whole[piece]
        for whole, axis in zip(wholes, gives, strict=True)
    ]


def _lengths(value: Any, axis: Axes | None) -> list[int]:
    if isinstance(axis, tuple):
        return [size for one, along in zip(value, axis, strict=True) for size in _lengths(one, along)]
    return [] if axis is None or not _is_array(value) else [value.shape[axis]]


def _cut(value: Any, axis: Axes | None, piece: slice) -> Any:
    if isinstance(axis, tuple):
        return tuple(_cut(one, along, piece) for one, along in zip(value, axis, strict=True))
    return value if axis is None or not _is_array(value) else _at(value, axis, piece)


def _at(array: np.ndarray, axis: int, piece: slice) -> np.ndarray:
    return array[(slice(None),) * axis + (piece,)]
