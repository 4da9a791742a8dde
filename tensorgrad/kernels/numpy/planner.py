"""Which algorithm a convolution takes on the CPU.

Each has a price, in nanoseconds of one core, that is reckoned from shapes alone: so that the same shapes take the same
algorithm, and give the same bits, each time. The prices were measured on one machine (AVX-512, OpenBLAS 0.3.31); what
counts is how they compare. ``tg.kernels.use(convolution="measured")`` measures instead, when shapes are new.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.backend import Array
from tensorgrad.kernels import settings
from tensorgrad.kernels.geometry import Pairs, Sizes, convolution_shape
from tensorgrad.kernels.numpy import columns, winograd
from tensorgrad.kernels.settings import Settings

PRODUCTS, PRODUCTS_OF_PLACES = 200.0, 220.0
"""Floating-point operations in a nanosecond; and those between Winograd's transforms."""
UNROLL, ROLL_UP, STORE = 0.1, 0.25, 0.1
"""To copy an element of the columns, to add one up, and to store one of the outputs."""
RUN = 6.0
"""To begin with the next run of elements that lie together."""
ACROSS, PLACE = 0.3, 0.25
"""To transform an element of a tile along a row, and along a column, or back."""
KERNEL, FAR_KERNEL, NEAR = (0.35, 0.05), (0.7, 0.3), 1 << 19
"""To transform an element of a kernel, and to use it once more, or to add to it; the same where there are so many that
they do not stay in the cache."""
CHUNK = 25000.0
"""To begin with the next tiles."""
MARGIN = 0.9
"""How much cheaper than columns, which is exact, others have to be."""
REMEMBERED = 1024
"""Shapes whose measured plan is remembered."""

Run = Callable[[], Array]


class Plan(NamedTuple):
    """The algorithms of a convolution and its two transposes."""

    convolution: str
    convolution_input: str
    convolution_weight: str


class Shapes(NamedTuple):
    """A convolution without its arrays: all that a price depends on."""

    x: Sizes
    weight: Sizes
    y: Sizes
    stride: Sizes
    padding: Pairs
    dilation: Sizes
    groups: int
    dtype: str

    @property
    def pointwise(self) -> bool:
        """Whether every output sees one input alone, and none of them the padding."""
        return max(self.weight[2:]) == 1 and not any(map(any, self.padding))

    def turned(self) -> Shapes | None:
        """The convolution of ``y`` with turned kernels that gives the transpose in ``x``, if there is one."""
        if max(self.stride) > 1:
            return None
        padding = turned_padding(self.weight[2:], self.padding, self.dilation)
        if min(min(pair) for pair in padding) < 0:
            return None
        weight = (self.x[1], self.weight[0] // self.groups, *self.weight[2:])
        return self._replace(x=self.y, y=self.x, weight=weight, padding=padding)


def turned_padding(kernel: Sizes, padding: Pairs, dilation: Sizes) -> Pairs:
    """What ``y`` is padded with, so that its convolution with turned kernels is the transpose in ``x``; stride is 1."""
    reach = [(taps - 1) * d for taps, d in zip(kernel, dilation, strict=True)]
    return tuple((r - lo, r - hi) for r, (lo, hi) in zip(reach, padding, strict=True))


def plan(
    x: Sizes,
    weight: Sizes,
    *,
    stride: int | Sizes = 1,
    padding: int | Sequence[Any] = 0,
    dilation: int | Sizes = 1,
    groups: int = 1,
    dtype: Any = "float32",
) -> Plan:
    """The algorithms that a convolution of such arrays, and its two gradients, take on the CPU.

    Args:
        x: the shape (N, C, *spatial).
        weight: the shape (O, C / groups, *kernel).
        stride: a number, or one for each axis.
        padding: a number, one for each axis, or a pair for each.
        dilation: a number, or one for each axis.
        groups: into how many groups the channels are split.
        dtype: of both.

    Returns:
        The names of the algorithms, as ``convolution``, ``convolution_input`` and ``convolution_weight``.

    Raises:
        ValueError: for shapes and options that do not go together.

    Example:
        >>> tg.kernels.plan((32, 64, 56, 56), (64, 64, 3, 3), padding=1).convolution
        'winograd'
        >>> tg.kernels.plan((32, 64, 56, 56), (64, 64, 3, 3), padding=1, dtype="float64").convolution
        'columns'
    """
    d = len(x) - 2
    stride, dilation = ((value,) * d if isinstance(value, int) else tuple(value) for value in (stride, dilation))
    ends = (padding,) * d if isinstance(padding, int) else padding
    around = tuple((end, end) if isinstance(end, int) else tuple(end) for end in ends)
    y = convolution_shape(x, weight, stride, around, dilation, groups)
    shapes = Shapes(tuple(x), tuple(weight), y, stride, around, dilation, groups, np.dtype(dtype).name)
    return Plan(*(choose(what, shapes) for what in Plan._fields))


def choose(what: str, shapes: Shapes, candidates: Callable[[], Mapping[str, Run]] | None = None) -> str:
    """The algorithm for a convolution or one of its transposes.

    Args:
        what: which of the three.
        shapes: what is convolved.
        candidates: does it with each algorithm, if they are to be measured.
    """
    now = settings.current()
    if now.convolution == "measured" and candidates is not None:
        return _quickest(what, shapes, now, candidates)
    return _measured.get((what, shapes, now)) or _planned(what, shapes, now)


@lru_cache(maxsize=REMEMBERED)
def _planned(what: str, shapes: Shapes, now: Settings) -> str:
    if shapes.pointwise and what != "convolution_weight":
        return "pointwise"
    price = prices(what, shapes, now.precision)
    if now.convolution in price:
        return now.convolution
    return "winograd" if price.get("winograd", math.inf) < MARGIN * price["columns"] else "columns"


_measured: OrderedDict[tuple[str, Shapes, Settings], str] = OrderedDict()


def _quickest(what: str, shapes: Shapes, now: Settings, candidates: Callable[[], Mapping[str, Run]]) -> str:
    """The algorithm that took the least time when such shapes were new."""

    def seconds(run: Run) -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    key = (what, shapes, now)
    if key not in _measured:
        usable = prices(what, shapes, now.precision)
        runs = {name: run for name, run in candidates().items() if name in usable}
        if shapes.pointwise or len(runs) < 2:
            return _planned(what, shapes, now)
        # Twice: the first time pays for fresh memory.
        _measured[key] = min(runs, key=lambda name: min(seconds(runs[name]) for _ in range(2)))
        if len(_measured) > REMEMBERED:
            _measured.popitem(last=False)
    return _measured[key]


def prices(what: str, shapes: Shapes, precision: str) -> dict[str, float]:
    """What each algorithm that can be used costs, in nanoseconds of one core."""
    turned = shapes.turned() if what == "convolution_input" else None
    kernel = shapes.weight[2:]
    by_taps = columns.outputs_at_once(shapes.x, shapes.y, kernel, shapes.stride, shapes.groups)
    price = {"columns": _columns(shapes, unrolled=what != "convolution_weight" or not by_taps)}
    if what == "convolution_input":
        price["columns"] = min(_columns(shapes) + _rolling(shapes), math.inf if turned is None else _columns(turned))
    if (
        shapes.dtype == "float32"
        and precision == "high"
        and math.prod(shapes.x) * math.prod(shapes.weight)
        and len(kernel) == 2
        and shapes.groups == max(shapes.stride) == max(shapes.dilation) == 1
        and all(2 <= taps <= winograd.TAPS for taps in kernel)
        and max(shapes.x[1], shapes.y[1]) <= winograd.SUM
    ):
        if what == "convolution_input" and not winograd.small(shapes.y[2:], kernel):
            if turned is not None:
                price["winograd"] = _winograd("convolution", turned)
        else:
            price["winograd"] = _winograd(what, shapes)
    return price


@lru_cache(maxsize=REMEMBERED)
def rolls_up(shapes: Shapes) -> bool:
    """Whether the transpose in ``x`` is cheaper by adding up columns than as a convolution with turned kernels."""
    turned = shapes.turned()
    return turned is None or _columns(shapes) + _rolling(shapes) < _columns(turned)


def _columns(shapes: Shapes, unrolled: bool = True) -> float:
    taps, outputs = math.prod(shapes.weight[1:]), shapes.weight[0]
    layout = shapes.y[2:], shapes.weight[2:], shapes.stride, shapes.dilation
    of_an_element = 2 * outputs * taps / PRODUCTS + STORE * outputs
    runs = outputs * math.prod(shapes.y[2:-1])
    if unrolled:
        of_an_element += UNROLL * taps * shapes.groups
        runs += taps * shapes.groups * columns.runs(*layout)
    return shapes.x[0] * (columns.met(*layout) * of_an_element + RUN * runs)


def _rolling(shapes: Shapes) -> float:
    columns_of_image = math.prod(shapes.y[2:]) * math.prod(shapes.weight[1:]) * shapes.groups
    return (ROLL_UP - UNROLL) * shapes.x[0] * columns_of_image


def _winograd(what: str, shapes: Shapes) -> float:
    kernel, channels, outputs = shapes.weight[2:], shapes.x[1], shapes.y[1]
    places, of_row = math.prod(map(winograd.places, kernel)), winograd.places(kernel[1])
    chunks = winograd.chunks(what, shapes.x, shapes.y, kernel, shapes.padding)
    tiles = sum(chunk.tiles for chunk in chunks)
    across = of_row * sum(
        chunk.tiles // chunk.rows * (channels * chunk.inputs.height + outputs * chunk.outputs.height)
        for chunk in chunks
    )
    products = 2 * places * tiles * channels * outputs / PRODUCTS_OF_PLACES
    transforms = ACROSS * across + PLACE * places * tiles * (channels + outputs)
    kernels = places * channels * outputs
    once, each = KERNEL if kernels <= NEAR else FAR_KERNEL
    return products + transforms + (once + each * len(chunks)) * kernels + CHUNK * len(chunks)
