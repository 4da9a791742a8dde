"""What the records of shapes, indices and products draw: shapes, with the options that go with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.testing.strategies import (
    REAL,
    Config,
    Sample,
    Shape,
    Strategy,
    an_axis,
    any_axes,
    axes,
    broadcastable_shapes,
    filled,
    indices,
    integer_arrays,
    shapes,
)

SIZE = st.sampled_from([2, 3, 1, 3, 2, 0])
LEAD = st.sampled_from([(), (2,), (2, 2), (3,), (0,)])

# -- shapes ----------------------------------------------------------------------------------------------------


@st.composite
def reshapes(draw: st.DrawFn) -> Config:
    """A shape and another for as many elements, with or without a -1."""
    shape = draw(shapes())
    n = math.prod(shape)
    targets: list[Any] = [(n,), n, -1, (1, n, 1), (1, -1)]
    targets += [(2, n // 2), (-1, 2), (n // 2, 1, 2)] if n and n % 2 == 0 else []
    targets += [(), (1, 1)] if n == 1 else []
    targets += [(0, 5), (4, 0)] if n == 0 else []
    return Config((shape,), {"shape": draw(st.sampled_from(targets))})


@st.composite
def with_axes(draw: st.DrawFn, **names: str) -> Config:
    """A shape and axes, an option for each name: ``"one"``, ``"many"``, ``"all"``, ``"ones"`` or ``"new"``.

    ``"all"`` is a permutation; ``"ones"`` are axes of length 1; ``"new"`` are as many as fit into an array with one or
    two axes more.
    """
    shape = draw(shapes(min_dims=1 if "one" in names.values() else 0))
    ndim = len(shape)
    options: dict[str, Any] = {}
    for name, kind in names.items():
        if kind == "all":
            options[name] = draw(axes(ndim, min_size=ndim))
        elif kind == "one":
            options[name] = draw(an_axis(ndim))
        elif kind == "many":
            count = len(next(iter(options.values()))) if options else draw(st.integers(0, ndim))
            options[name] = draw(axes(ndim, count, count))
        elif kind == "new":
            more = draw(st.integers(1, 2))
            options[name] = draw(st.one_of(an_axis(ndim + 1), axes(ndim + more, more, more)))
        else:
            ones = [i - ndim if draw(st.booleans()) else i for i in range(ndim) if shape[i] == 1]
            options[name] = draw(st.sampled_from([None, tuple(ones), *ones]))
    return Config((shape,), options)


@st.composite
def broadcasts(draw: st.DrawFn) -> Config:
    """A shape and one that it broadcasts to."""
    shape, whole = draw(broadcastable_shapes(2))
    return Config((shape,), {"shape": np.broadcast_shapes(shape, whole)})


@st.composite
def joined(draw: st.DrawFn, new_axis: bool = False) -> Config:
    """Shapes to be joined along an axis: a new one, or one whose lengths may differ (None: all are flattened)."""
    shape = draw(shapes(min_dims=0 if new_axis else 1))
    count = draw(st.integers(1, 3))
    if new_axis:
        return Config([shape] * count, {"axis": draw(an_axis(len(shape) + 1))})
    if draw(st.integers(0, 4)) == 4:
        return Config([draw(shapes(max_dims=2)) for _ in range(count)], {"axis": None})
    axis = draw(an_axis(len(shape)))
    several = [list(shape) for _ in range(count)]
    for each in several:
        each[axis] = draw(SIZE)
    return Config([tuple(each) for each in several], {"axis": axis})


@st.composite
def splits(draw: st.DrawFn) -> Config:
    """A shape, an axis, and where to cut it."""
    shape = draw(shapes(min_dims=1))
    axis = draw(an_axis(len(shape)))
    n = shape[axis]
    equal = [k for k in range(1, n + 2) if n % k == 0]
    where = draw(st.one_of(st.sampled_from(equal), st.lists(st.integers(0, n + 1), max_size=2).map(sorted)))
    return Config((shape,), {"indices_or_sections": where, "axis": axis})


@st.composite
def rolls(draw: st.DrawFn) -> Config:
    """A shape, and by how much to roll it along which axes."""
    shape = draw(shapes(min_dims=1))
    axis = draw(any_axes(len(shape)))
    shifts = st.integers(-4, 4)
    shift = draw(st.tuples(*[shifts] * len(axis)) if isinstance(axis, tuple) else shifts | shifts.map(np.int64))
    return Config((shape,), {"shift": shift, "axis": axis})


@st.composite
def pads(draw: st.DrawFn, constant: bool) -> Config:
    """A shape, and how much to pad it by in which mode."""
    shape = draw(shapes(max_dims=2, min_side=0 if constant else 1))
    width = st.integers(0, 3)
    pair = st.tuples(width, width)
    options: dict[str, Any] = {"pad_width": draw(st.one_of(width, pair, st.tuples(*[pair] * len(shape))))}
    if options["pad_width"] == ():
        options["pad_width"] = 0
    if constant:
        options["constant_values"] = draw(st.sampled_from([0, 2, -1.5]))
    else:
        options["mode"] = draw(st.sampled_from(["edge", "reflect", "symmetric", "wrap"]))
    return Config((shape,), options)


@st.composite
def repeats(draw: st.DrawFn) -> Config:
    """A shape, an axis, and how often to repeat each element along it."""
    shape = draw(shapes(max_dims=2))
    axis = draw(_axis_or_none(shape))
    n = math.prod(shape) if axis is None else shape[axis]
    times = st.integers(0, 2)
    return Config((shape,), {"repeats": draw(times | st.lists(times, min_size=n, max_size=n)), "axis": axis})


def _axis_or_none(shape: Shape) -> Strategy[int | None]:
    return st.one_of(st.none(), *([an_axis(len(shape))] if shape else []))


# -- indices ---------------------------------------------------------------------------------------------------


@st.composite
def indexed(draw: st.DrawFn, mask: bool = False) -> Config:
    """A shape and an index for it."""
    shape = draw(shapes())
    return Config((shape,), {"key": draw(indices(shape, mask=mask))})


@st.composite
def put(draw: st.DrawFn, mask: bool = False) -> Config:
    """A shape, an index for it, and the shape of what to put there."""
    shape = draw(shapes())
    key = draw(indices(shape, mask=mask))
    picked = np.empty(shape)[key].shape
    given = draw(st.sampled_from([picked, picked, picked[1:], (1,) * len(picked)]))
    return Config((shape, given), {"key": key})


@st.composite
def taken(draw: st.DrawFn) -> Config:
    """A shape, an axis (or None) and integer indices."""
    shape = draw(shapes())
    axis = draw(_axis_or_none(shape))
    n = math.prod(shape) if axis is None else shape[axis]
    size = draw(st.sampled_from([(3,), (), (2, 2), (0,)])) if n else (0,)
    return Config((shape,), {"indices": draw(integer_arrays(size, -n, max(n, 1) - 1)), "axis": axis})


@st.composite
def taken_along(draw: st.DrawFn) -> Sample:
    """An array, an axis, and indices of its shape but for that axis, or that broadcast to it."""
    shape = draw(shapes(min_dims=1))
    axis = draw(an_axis(len(shape)))
    wanted = [1 if n and draw(st.integers(0, 4)) == 4 else n for n in shape]
    wanted[axis] = draw(st.integers(0, 3)) if shape[axis] else 0
    index = draw(integer_arrays(tuple(wanted), 0, max(shape[axis], 1) - 1))
    return Sample((*draw(filled([shape], REAL)), index), {"axis": axis})


# -- products --------------------------------------------------------------------------------------------------


@st.composite
def layers(draw: st.DrawFn) -> Config:
    """The shapes of an input, a weight and perhaps a bias for a fully connected layer."""
    features, outputs = draw(SIZE), draw(SIZE)
    given = [(*draw(LEAD), features), (outputs, features), (outputs,)]
    return Config(given[: draw(st.integers(2, 3))])


@st.composite
def contractions(draw: st.DrawFn) -> Config:
    """Two shapes and axes to sum over."""
    common = [draw(SIZE) for _ in range(draw(st.integers(0, 2)))]
    left, right = ([draw(SIZE) for _ in range(draw(st.integers(0, 2)))] for _ in range(2))
    if draw(st.booleans()):
        return Config([(*left, *common), (*common, *right)], {"axes": len(common)})
    order1, order2 = (draw(st.permutations(range(len(common) + len(rest)))) for rest in (left, right))
    mixed1, mixed2 = [*left, *common], [*right, *common]
    places = range(len(common))
    named = ([order1.index(len(left) + i) for i in places], [order2.index(len(right) + i) for i in places])
    return Config([tuple(mixed1[i] for i in order1), tuple(mixed2[i] for i in order2)], {"axes": named})


LETTERS = (
    "i->i i-> i ij->ji ij->i ij->j ij ba ii ii->i iji->j iij->ij ij,jk->ik ij,jk ij,kj->ik ij,ij-> ij,j->i i,j->ij"
)
MORE = "ij,j i,i bij,bjk->bik bij,jk,b->ik i,i,i->i ij,kl-> ii,j->j iij,j->i ,ij->ij ij,jk,kl->il ijk,ilm,njm->kl"
DOTS = "...->... i...->... ...ij->...ji ...ij,...jk->...ik ...i,...i ...i,i->... ...,... i...,ij->j... ij...->j..."
SUBSCRIPTS = [*LETTERS.split(), *MORE.split(), *DOTS.split()]


@st.composite
def einsums(draw: st.DrawFn) -> Config:
    """Subscripts, and shapes for them; axes under an ellipsis broadcast."""
    subscripts = draw(st.sampled_from(SUBSCRIPTS))
    terms = subscripts.partition("->")[0].split(",")
    lengths = {letter: draw(SIZE) for letter in sorted({*subscripts} - {*",.->"})}
    dots = draw(broadcastable_shapes(len(terms), st.sampled_from([(), (2,), (2, 2)])))
    given = []
    for term, lead in zip(terms, dots, strict=True):
        before, ellipsis, after = term.partition("...")
        given.append((*(lengths[i] for i in before), *(lead if ellipsis else ()), *(lengths[i] for i in after)))
    return Config(given, {"subscripts": subscripts})
