"""Arithmetic of shapes and axes, without arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

Shape = tuple[int, ...]
Axes = int | Sequence[int] | None


def integers(value: Any) -> int | tuple[int, ...]:
    """An integer, or a tuple of them from a sequence or an array.

    Raises:
        TypeError: for other numbers.
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    return tuple(map(operator.index, value)) if isinstance(value, (tuple, list, range)) else operator.index(value)


def normalize_axis(axis: Axes, ndim: int) -> Shape:
    """Axes counted from the front, each once; None means all of them.

    Raises:
        IndexError: for an axis that the array does not have.
        ValueError: for an axis that is named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    result = []
    for given in axes:
        i = operator.index(given)
        if not -ndim <= i < ndim:
            raise IndexError(f"axis {i} is out of bounds for an array with {ndim} axes.")
        result.append(i % ndim)
    if len(set(result)) < len(result):
        raise ValueError(f"an axis is named twice in {axes}.")
    return tuple(result)


def reduced_axes(axis: Axes, ndim: int) -> Shape:
    """The axes that a reduction takes, counted from the front; for an array with none, 0 and -1 may stand for that."""
    if (
        ndim == 0
        and axis is not None
        and all(i in (0, -1) for i in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    ):
        return ()
    return normalize_axis(axis, ndim)


def reduced_shape(shape: Shape, axis: Axes) -> Shape:
    """``shape`` with the reduced axes at length 1."""
    reduced = reduced_axes(axis, len(shape))
    return tuple(1 if i in reduced else n for i, n in enumerate(shape))


Pairs = tuple[tuple[int, int], ...]


def sizes(value: Any, count: int, what: str, default: Sequence[int] | None = None) -> Shape:
    """A number for each of ``count`` axes, from one for all or one for each.

    Args:
        value: the number or numbers.
        count: how many axes there are.
        what: which option that is.
        default: what None stands for on each axis; without it, None is no number.

    Raises:
        ValueError: for another count of numbers; ``what`` says of which option.
    """
    numbers = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    numbers = numbers * count if len(numbers) == 1 else numbers
    if len(numbers) != count:
        raise ValueError(f"{what}: expected a number or {count} of them, got {numbers}.")
    if default is not None:
        numbers = tuple(own if n is None else n for n, own in zip(numbers, default, strict=True))
    return tuple(map(operator.index, numbers))


def same_padding(
    size: int | Sequence[int], kernel_size: int | Sequence[int], stride: Any = 1, dilation: Any = 1
) -> Pairs:
    """The padding by which windows make ``ceil(n / stride)`` of each length ``n``: Keras's ``padding="same"``.

    It is for :func:`tensorgrad.conv2d` and all poolings of an input of this size, and for
    :func:`tensorgrad.conv_transpose2d` if the *output* is to have it. Where it is odd there is one more at the end.

    Args:
        size: the lengths of the input's axes of space.
        kernel_size: of the windows: a number, or one for each axis.
        stride: from one window to the next.
        dilation: how far apart the elements of a window are.

    Returns:
        A pair (before, after) for each axis.

    Raises:
        ValueError: for another count of numbers than ``size`` has, or one below 1 (of ``size``, below 0).

    Example:
        >>> same_padding((7, 8), 3, stride=2)
        ((1, 1), (0, 1))
    """
    lengths = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    given = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
    kernel, steps, spread = (sizes(value, len(lengths), f"same_padding() {what}") for what, value in given.items())
    if min(*kernel, *steps, *spread) < 1 or min(lengths) < 0:
        raise ValueError(
            f"same_padding() takes lengths of 0 or more, and {', '.join(given)} of 1 or more; got {given}."
        )
    totals = [
        max((-(-n // s) - 1) * s + e * (k - 1) + 1 - n, 0)
        for n, k, s, e in zip(lengths, kernel, steps, spread, strict=True)
    ]
    return tuple((total // 2, total - total // 2) for total in totals)


def pairs(value: int | Sequence[int] | Sequence[Sequence[int]], count: int, what: str) -> Pairs:
    """A pair (before, after) for each of ``count`` axes, from a number, one for each axis, or the pairs.

    Raises:
        ValueError: for another count, or a negative number; ``what`` says of which option.
    """
    if isinstance(value, (tuple, list)) and any(isinstance(item, (tuple, list)) for item in value):
        if len(value) != count or any(len(item) != 2 for item in value):
            raise ValueError(f"{what}: expected {count} pairs (before, after), got {value}.")
        result = tuple((operator.index(a), operator.index(b)) for a, b in value)
    else:
        result = tuple((n, n) for n in sizes(value, count, what))
    if any(n < 0 for pair in result for n in pair):
        raise ValueError(f"{what}: expected numbers of 0 or more, got {value}.")
    return result
