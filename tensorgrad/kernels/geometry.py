"""Where windows lie: the shape arithmetic of convolution and pooling, without any array.

Along each axis a window of ``kernel`` *taps*, ``dilation`` apart, moves in steps of ``stride`` over an input that
is padded by ``(lo, hi)``. One line holds everything together: in the window of output ``o``, tap ``t`` lies on the
input's position ::

    o * stride + t * dilation - lo

A convolution, a pooling and their derivatives all walk over the same :func:`taps`; what differs is what they do there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from types import EllipsisType
from typing import NamedTuple

Sizes = tuple[int, ...]
"""One number per spatial axis."""
Pairs = tuple[tuple[int, int], ...]
"""Padding: ``(before, after)`` per spatial axis."""
Index = tuple[slice | int | EllipsisType, ...]


class Tap(NamedTuple):
    """One tap of the window, and where it meets the input (where it falls into the padding is left out)."""

    number: int
    """Its place in the window, row-major."""
    kernel: Index
    """Index of this tap in an array ``(..., *kernel)``."""
    outputs: Index
    """Index of those windows, in an array ``(..., *out)``, whose tap lies on the input."""
    inputs: Index
    """Index of what they see there, in an array ``(..., *spatial)``. Each position is seen once."""


def extent(kernel: int, dilation: int) -> int:
    """How many positions a dilated kernel spans: ``dilation * (kernel - 1) + 1``."""
    return dilation * (kernel - 1) + 1


def output_size(size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """The number of windows along one axis: ``(lo + size + hi - extent) // stride + 1``.

    Args:
        size: the input's length.
        kernel: the number of taps.
        stride: from one window to the next.
        padding: positions added before and after.
        dilation: from one tap to the next.

    Raises:
        ValueError: if the dilated kernel is longer than the padded input, or an option is out of range.

    >>> output_size(28, kernel=5, stride=1, padding=(0, 0), dilation=1)
    24
    >>> output_size(5, kernel=3, stride=1, padding=(0, 0), dilation=2)
    1
    """
    lo, hi = padding
    if min(kernel, stride, dilation) < 1 or min(lo, hi) < 0:
        raise ValueError(
            "expected kernel size, stride and dilation of at least 1 and padding of at least 0, got "
            f"kernel size {kernel}, stride {stride}, dilation {dilation}, padding {padding}."
        )
    room = lo + size + hi - extent(kernel, dilation)
    if room < 0:
        spans = "" if dilation == 1 else f", which spans {extent(kernel, dilation)} with dilation {dilation},"
        padded = f" (size {size} with padding {lo} and {hi})" if lo or hi else ""
        raise ValueError(
            f"a kernel of size {kernel}{spans} does not fit into an input of size {lo + size + hi}{padded}: "
            "use a smaller kernel or dilation, more padding, or a larger input."
        )
    return room // stride + 1


def output_shape(spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Sizes:
    """The number of windows along each axis (:func:`output_size`)."""
    options = {"kernel size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    for name, option in options.items():
        if len(option) != len(spatial):
            raise ValueError(
                f"an input with {len(spatial)} spatial axes {tuple(spatial)} needs as many numbers for {name}, "
                f"got {len(option)}: {option}."
            )
    return tuple(map(output_size, spatial, kernel, stride, padding, dilation))


def channels_per_group(channels: int, groups: int) -> int:
    """``channels / groups``. Raises ValueError if the channels cannot be divided so."""
    if groups < 1 or channels % groups:
        raise ValueError(f"{channels} channels cannot be divided into {groups} groups of equal size.")
    return channels // groups


def convolution_shape(x: Sizes, weight: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Sizes:
    """The shape ``(N, O, *out)`` of the convolution of two shapes.

    Args:
        x: ``(N, C, *spatial)``.
        weight: ``(O, C / groups, *kernel)``.
        stride: from one window to the next, per axis.
        padding: ``(before, after)`` per axis.
        dilation: from one tap to the next, per axis.
        groups: how many parts the channels are cut into.

    Raises:
        ValueError: if axes, channels or groups do not go together, or the kernel does not fit.
    """
    if len(x) < 3 or len(x) != len(weight):
        raise ValueError(
            "expected an input (N, C, *spatial) and a weight (O, C / groups, *kernel) with the same number of axes, "
            f"at least 3, got shapes {tuple(x)} and {tuple(weight)}."
        )
    channels_per_group(weight[0], groups)
    if x[1] != weight[1] * groups:
        raise ValueError(
            f"a weight of shape {tuple(weight)} with groups={groups} takes {weight[1] * groups} input channels, "
            f"got an input of shape {tuple(x)}, which has {x[1]}."
        )
    return (x[0], weight[0], *output_shape(x[2:], weight[2:], stride, padding, dilation))


def expect_shape(name: str, given: Sizes, wanted: Sizes) -> None:
    """Raises ValueError if the shape of what is called ``name`` is not the one that the options lead to."""
    if tuple(given) != tuple(wanted):
        raise ValueError(f"{name} has shape {tuple(given)}, but these options lead to {tuple(wanted)}.")


def taps(spatial: Sizes, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Iterator[Tap]:
    """The taps of a window, in row-major order, with the outputs and inputs at which each meets the input.

    For a tap that sees nothing but padding both are empty.

    >>> for tap in taps((4,), kernel=(3,), stride=(1,), padding=((1, 1),), dilation=(1,)):
    ...     print(tap.number, tap.outputs, tap.inputs)
    0 (Ellipsis, slice(1, 4, None)) (Ellipsis, slice(0, 3, 1))
    1 (Ellipsis, slice(0, 4, None)) (Ellipsis, slice(0, 4, 1))
    2 (Ellipsis, slice(0, 3, None)) (Ellipsis, slice(1, 4, 1))
    """
    axes = [list(_axis_taps(*axis)) for axis in zip(spatial, kernel, stride, padding, dilation, strict=True)]
    for combination in product(*axes):
        tap, outputs, inputs = zip(*combination, strict=True)
        yield Tap(ravel(tap, kernel), (..., *tap), (..., *outputs), (..., *inputs))


def _axis_taps(
    size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int
) -> Iterator[tuple[int, slice, slice]]:
    out = output_size(size, kernel, stride, padding, dilation)
    for tap in range(kernel):
        shift = tap * dilation - padding[0]  # output o looks at input o * stride + shift
        first = max(0, -(shift // stride))
        count = max(0, min(out, (size - 1 - shift) // stride + 1) - first)
        start = first * stride + shift
        yield tap, slice(first, first + count), slice(start, start + count * stride, stride)


def ravel(index: Sizes, shape: Sizes) -> int:
    """The row-major number of an index.

    >>> ravel((1, 2), shape=(3, 4))
    6
    """
    number = 0
    for i, size in zip(index, shape, strict=True):
        number = number * size + i
    return number


def position_dtype(kernel: Sizes) -> str:
    """The smallest unsigned integer dtype that counts the taps of a window, and one more for "none of them"."""
    return next(name for name, top in _UNSIGNED.items() if math.prod(kernel) <= top)


_UNSIGNED = {"uint8": 2**8 - 1, "uint16": 2**16 - 1, "uint32": 2**32 - 1}
