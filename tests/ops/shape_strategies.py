"""What the records of shapes, indices and products draw."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.ops.strategies import (
    REAL,
    SEEDS,
    SHAPES,
    SIZE,
    Sample,
    Shape,
    an_axis,
    any_axis,
    axes,
    broadcast_shapes,
    values,
)


@st.composite
def reshapes(draw: st.DrawFn, **options: Any) -> Sample:
    """An array and another shape for it, with or without a -1; the options as they are."""
    shape = draw(st.sampled_from(SHAPES))
    (x,) = values(draw(SEEDS), [shape], REAL)
    n = x.size
    targets: list[Any] = [(n,), n, -1, (1, n, 1), (1, -1)]
    targets += [(2, n // 2), (-1, 2), (n // 2, 1, 2)] if n and n % 2 == 0 else []
    targets += [(), (1, 1)] if n == 1 else []
    targets += [(0, 5), (4, 0)] if n == 0 else []
    return Sample((x,), {"shape": draw(st.sampled_from(targets)), **options})


@st.composite
def with_axes(draw: st.DrawFn, **names: str) -> Sample:
    """An array and axes: an option for each name, ``"all"`` (a permutation), ``"one"``, ``"many"`` or ``"ones"``.

    ``"ones"`` are axes of length 1; ``"new"`` is as many as fit into an array with one or two axes more.
    """
    shape = draw(st.sampled_from([shape for shape in SHAPES if shape or "one" not in names.values()]))
    ndim = len(shape)
    options: dict[str, Any] = {}
    for name, kind in names.items():
        if kind == "all":
            options[name] = draw(axes(ndim, least=ndim))
        elif kind == "one":
            options[name] = draw(an_axis(ndim))
        elif kind == "many":
            count = len(next(iter(options.values()))) if options else draw(st.integers(0, ndim))
            options[name] = draw(axes(ndim, least=ndim))[:count]
        elif kind == "new":
            more = draw(st.integers(1, 2))
            options[name] = draw(st.one_of(an_axis(ndim + 1), axes(ndim + more, least=more).map(lambda a: a)))
            if isinstance(options[name], tuple):
                options[name] = options[name][:more]
        else:
            ones = [i - ndim if draw(st.booleans()) else i for i in range(ndim) if shape[i] == 1]
            options[name] = draw(st.sampled_from([None, tuple(ones), *ones]))
    return Sample(tuple(values(draw(SEEDS), [shape], REAL)), options)


@st.composite
def broadcasts(draw: st.DrawFn) -> Sample:
    """An array and a shape that it broadcasts to."""
    shape, whole = draw(broadcast_shapes(2))
    return Sample(tuple(values(draw(SEEDS), [shape], REAL)), {"shape": np.broadcast_shapes(shape, whole)})


@st.composite
def joined(draw: st.DrawFn, new_axis: bool = False) -> Sample:
    """Arrays to be joined along an axis: a new one, or one whose lengths may differ (None: all are flattened)."""
    shape = draw(st.sampled_from([shape for shape in SHAPES if shape or new_axis]))
    count = draw(st.integers(1, 3))
    if new_axis:
        axis, shapes = draw(an_axis(len(shape) + 1)), [shape] * count
    elif draw(st.integers(0, 4)) == 4:
        axis, shapes = None, draw(st.lists(st.sampled_from(SHAPES), min_size=count, max_size=count))
    else:
        axis = draw(an_axis(len(shape)))
        shapes = [list(shape) for _ in range(count)]
        for each in shapes:
            each[axis] = draw(SIZE)
        shapes = list(map(tuple, shapes))
    return Sample(tuple(values(draw(SEEDS), shapes, REAL)), {"axis": axis})


@st.composite
def splits(draw: st.DrawFn) -> Sample:
    """An array, an axis, and where to cut it."""
    shape = draw(st.sampled_from([shape for shape in SHAPES if shape]))
    axis = draw(an_axis(len(shape)))
    n = shape[axis]
    equal = [k for k in range(1, n + 2) if n % k == 0]
    where = draw(st.one_of(st.sampled_from(equal), st.lists(st.integers(0, n + 1), max_size=2).map(sorted)))
    return Sample(tuple(values(draw(SEEDS), [shape], REAL)), {"indices_or_sections": where, "axis": axis})


@st.composite
def rolls(draw: st.DrawFn) -> Sample:
    """An array, and by how much to roll it along which axes."""
    shape = draw(st.sampled_from([shape for shape in SHAPES if shape]))
    axis = draw(any_axis(len(shape)))
    shifts = st.integers(-4, 4)
    shift: Any = draw(shifts)
    if isinstance(axis, tuple):
        shift = tuple(draw(shifts) for _ in axis)
    return Sample(tuple(values(draw(SEEDS), [shape], REAL)), {"shift": shift, "axis": axis})


@st.composite
def pads(draw: st.DrawFn, constant: bool) -> Sample:
    """An array, and how much to pad it by in which mode."""
    shape = draw(st.sampled_from([shape for shape in SHAPES if constant or 0 not in shape]))
    width = st.integers(0, 3)
    pair = st.tuples(width, width)
    choices = [width, pair, *([st.tuples(*[pair] * len(shape))] if shape else [])]
    options: dict[str, Any] = {"pad_width": draw(st.one_of(*choices))}
    if constant:
        options["constant_values"] = draw(st.sampled_from([0, 2, -1.5]))
    else:
        options["mode"] = draw(st.sampled_from(["edge", "reflect", "symmetric", "wrap"]))
    return Sample(tuple(values(draw(SEEDS), [shape], REAL)), options)


@st.composite
def repeats(draw: st.DrawFn) -> Sample:
    """An array, an axis, and how often to repeat each element along it."""
    shape = draw(st.sampled_from(SHAPES))
    axis = draw(st.one_of(st.none(), *([an_axis(len(shape))] if shape else [])))
    n = math.prod(shape) if axis is None else shape[axis]
    times = st.integers(0, 2)
    return Sample(
        tuple(values(draw(SEEDS), [shape], REAL)),
        {"repeats": draw(st.one_of(times, st.lists(times, min_size=n, max_size=n))), "axis": axis},
    )


# -- indices ---------------------------------------------------------------------------------------------------


@st.composite
def keys(draw: st.DrawFn, shape: Shape, masks: bool = False) -> Any:
    """An index: slices, integers, None, ``...`` and, mixed with these, integer arrays or a boolean mask.

    Args:
        draw: Hypothesis'.
        shape: of the array that is indexed.
        masks: whether there is a mask; without one there may be integer arrays.
    """
    ndim = len(shape)
    key: list[Any] = []
    axis = 0
    common: Shape = draw(st.sampled_from([(2,), (), (1,), (2, 2), (3,), (0,)]))
    stop = draw(st.integers(0, ndim))
    masked = draw(st.integers(0, max(stop - 1, 0))) if masks else None
    if masked is not None:
        wide = draw(st.integers(1, min(2, ndim - masked))) if ndim else 0
        rng = np.random.default_rng(draw(SEEDS))
        mask = np.asarray(rng.random(shape[masked : masked + wide]) < 0.6)
        common = (int(mask.sum()),)
    while axis < max(stop, 1 if masks else 0):
        if draw(st.integers(0, 5)) == 5:
            key.append(None)
        if axis == masked:
            key.append(mask)
            axis += wide
            if not ndim:
                break
            continue
        n = shape[axis]
        kind = draw(st.sampled_from(["slice", "slice", "integer", "array"]))
        if n == 0 or kind == "slice":
            bound = st.one_of(st.none(), st.integers(-n - 1, n + 1))
            key.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2]))))
        elif kind == "integer":
            key.append(draw(st.integers(-n, n - 1)))
        else:
            size = draw(st.sampled_from([common, common[1:], (1,) * len(common)]))
            index = np.random.default_rng(draw(SEEDS)).integers(-n, n, size)
            key.append(index.tolist() if index.size and index.ndim and draw(st.booleans()) else index)
        axis += 1
    if axis <= ndim and draw(st.booleans()):
        key.append(Ellipsis)
        if axis < ndim and shape[-1] > 0 and draw(st.booleans()):
            key.append(draw(st.integers(-shape[-1], shape[-1] - 1)))
    return tuple(key) if len(key) != 1 or draw(st.booleans()) else key[0]


@st.composite
def indexed(draw: st.DrawFn, masks: bool = False) -> Sample:
    """An array and an index for it."""
    shape = draw(st.sampled_from(SHAPES))
    return Sample(tuple(values(draw(SEEDS), [shape], REAL)), {"key": draw(keys(shape, masks))})


@st.composite
def put(draw: st.DrawFn, masks: bool = False) -> Sample:
    """An array, an index for it, and what to put there."""
    shape = draw(st.sampled_from(SHAPES))
    key = draw(keys(shape, masks))
    picked = np.empty(shape)[key].shape
    given = draw(st.sampled_from([picked, picked, picked[1:], (1,) * len(picked)]))
    return Sample(tuple(values(draw(SEEDS), [shape, given], REAL)), {"key": key})


@st.composite
def taken(draw: st.DrawFn) -> Sample:
    """An array, an axis (or None) and integer indices."""
    shape = draw(st.sampled_from(SHAPES))
    axis = draw(st.one_of(st.none(), *([an_axis(len(shape))] if shape else [])))
    n = math.prod(shape) if axis is None else shape[axis]
    size = draw(st.sampled_from([(3,), (), (2, 2), (0,)])) if n else (0,)
    index = np.random.default_rng(draw(SEEDS)).integers(-n, max(n, 1), size)
    return Sample(tuple(values(draw(SEEDS), [shape], REAL)), {"indices": index, "axis": axis})


@st.composite
def taken_along(draw: st.DrawFn) -> Sample:
    """An array, an axis, and indices of its shape but for that axis, or that broadcast to it."""
    shape = draw(st.sampled_from([shape for shape in SHAPES if shape]))
    axis = draw(an_axis(len(shape)))
    wanted = [1 if draw(st.integers(0, 4)) == 4 and n else n for n in shape]
    wanted[axis] = draw(st.integers(0, 3)) if shape[axis] else 0
    index = np.random.default_rng(draw(SEEDS)).integers(0, max(shape[axis], 1), wanted)
    return Sample((*values(draw(SEEDS), [shape], REAL), index), {"axis": axis})


# -- products --------------------------------------------------------------------------------------------------


@st.composite
def matrices(draw: st.DrawFn) -> Sample:
    """Two arrays for a matrix product, of any ranks, whose leading axes broadcast."""
    n, k, m = draw(SIZE), draw(SIZE), draw(SIZE)
    lead1, lead2 = draw(broadcast_shapes(2, [(), (2,), (2, 2), (3,), (0,)]))
    shape1 = (k,) if draw(st.integers(0, 3)) == 3 else (*lead1, n, k)
    shape2 = (k,) if draw(st.integers(0, 3)) == 3 else (*lead2, k, m)
    return Sample(tuple(values(draw(SEEDS), [shape1, shape2], REAL)))


@st.composite
def layers(draw: st.DrawFn) -> Sample:
    """An input, a weight and perhaps a bias for a fully connected layer."""
    features, outputs = draw(SIZE), draw(SIZE)
    shapes = [(*draw(st.sampled_from([(), (2,), (2, 2), (3,), (0,)])), features), (outputs, features), (outputs,)]
    return Sample(tuple(values(draw(SEEDS), shapes[: draw(st.integers(2, 3))], REAL)))


@st.composite
def contractions(draw: st.DrawFn) -> Sample:
    """Two arrays and axes to sum over."""
    common = [draw(SIZE) for _ in range(draw(st.integers(0, 2)))]
    left, right = ([draw(SIZE) for _ in range(draw(st.integers(0, 2)))] for _ in range(2))
    if draw(st.booleans()):
        shapes, named = [(*left, *common), (*common, *right)], len(common)
    else:
        order1, order2 = (draw(st.permutations(range(len(common) + len(rest)))) for rest in (left, right))
        mixed1, mixed2 = [*left, *common], [*right, *common]
        shapes = [tuple(mixed1[i] for i in order1), tuple(mixed2[i] for i in order2)]
        places = range(len(common))
        named = ([order1.index(len(left) + i) for i in places], [order2.index(len(right) + i) for i in places])
    return Sample(tuple(values(draw(SEEDS), shapes, REAL)), {"axes": named})


LETTERS = (
    "i->i i-> i ij->ji ij->i ij->j ij ba ii ii->i iji->j iij->ij ij,jk->ik ij,jk ij,kj->ik ij,ij-> ij,j->i i,j->ij"
)
MORE = "ij,j i,i bij,bjk->bik bij,jk,b->ik i,i,i->i ij,kl-> ii,j->j iij,j->i ,ij->ij ij,jk,kl->il ijk,ilm,njm->kl"
DOTS = "...->... i...->... ...ij->...ji ...ij,...jk->...ik ...i,...i ...i,i->... ...,... i...,ij->j... ij...->j..."
SUBSCRIPTS = [*LETTERS.split(), *MORE.split(), *DOTS.split()]


@st.composite
def einsums(draw: st.DrawFn) -> Sample:
    """Operands and subscripts; axes under an ellipsis, and now and then under a letter, broadcast."""
    subscripts = draw(st.sampled_from(SUBSCRIPTS))
    terms = subscripts.partition("->")[0].split(",")
    lengths = {letter: draw(SIZE) for letter in sorted({*subscripts} - {*",.->"})}
    dots = draw(broadcast_shapes(len(terms), [(), (2,), (2, 2)]))
    shapes = []
    for term, lead in zip(terms, dots, strict=True):
        before, ellipsis, after = term.partition("...")
        shapes.append((*(lengths[i] for i in before), *(lead if ellipsis else ()), *(lengths[i] for i in after)))
    return Sample(tuple(values(draw(SEEDS), shapes, REAL)), {"subscripts": subscripts})
