"""The records of functions of arrays: mathematics, logic, shapes, indices, products."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

import tensorgrad as tg
from tests.ops import references as ref
from tests.ops.shape_strategies import (
    broadcasts,
    contractions,
    einsums,
    indexed,
    joined,
    layers,
    matrices,
    pads,
    put,
    repeats,
    reshapes,
    rolls,
    splits,
    taken,
    taken_along,
    with_axes,
)
from tests.ops.spec import ALL, FLOATS, NUMBERS, WHOLE, Spec, flat, named, of_list
from tests.ops.strategies import (
    ABOVE_MINUS_ONE,
    ABOVE_ONE,
    BOOLEAN,
    FEW,
    FRACTIONS,
    NEAR_ONE,
    POSITIVE,
    REAL,
    SHAPES,
    SPECIAL,
    STEPS,
    UNIT,
    along,
    binary,
    broadcasting,
    of_shapes,
    reduction,
    unary,
)

FLOAT64 = st.just("float64")
MASK = "the result's shape depends on the values of the mask"

ELEMENTWISE = [
    Spec("abs", unary(), np.abs, NUMBERS),
    Spec("add", binary(), np.add, NUMBERS, numbers=True),
    Spec("cbrt", unary(), np.cbrt, NUMBERS),
    Spec("ceil", unary(STEPS), np.ceil),
    Spec(
        "clip",
        broadcasting(REAL, REAL, REAL, names=st.just(("min", "max"))),
        ref.clip,
        NUMBERS,
        call=named(tg.clip),
        numbers=True,
    ),
    Spec(
        "clip",
        broadcasting(REAL, REAL, names=st.just(("min",))),
        ref.clip,
        NUMBERS,
        call=named(tg.clip),
        numbers=True,
        variant="from below",
    ),
    Spec(
        "clip",
        broadcasting(REAL, REAL, names=st.just(("max",))),
        ref.clip,
        NUMBERS,
        call=named(tg.clip),
        numbers=True,
        variant="from above",
    ),
    Spec("copysign", binary(), np.copysign, numbers=True),
    Spec("divide", binary(), np.divide, NUMBERS, numbers=True),
    Spec("exp", unary(), np.exp, NUMBERS),
    Spec("exp2", unary(), np.exp2, NUMBERS),
    Spec("expm1", unary(), np.expm1, NUMBERS),
    Spec("floor", unary(STEPS), np.floor),
    flat("floor_divide", binary(FRACTIONS, NEAR_ONE), np.floor_divide, NUMBERS, numbers=True),
    Spec("hypot", binary(), np.hypot, numbers=True),
    Spec("log", unary(POSITIVE), np.log, NUMBERS),
    Spec("log10", unary(POSITIVE), np.log10, NUMBERS),
    Spec("log1p", unary(ABOVE_MINUS_ONE), np.log1p),
    Spec("log2", unary(POSITIVE), np.log2, NUMBERS),
    Spec("logaddexp", binary(), np.logaddexp, numbers=True),
    Spec("maximum", binary(), np.maximum, NUMBERS, numbers=True),
    Spec("minimum", binary(), np.minimum, NUMBERS, numbers=True),
    Spec("multiply", binary(), np.multiply, NUMBERS, numbers=True),
    Spec("negative", unary(), np.negative, NUMBERS),
    Spec("positive", unary(), np.positive, NUMBERS),
    Spec("pow", binary(POSITIVE, REAL), np.power, numbers=True),
    Spec("pow", binary(POSITIVE), np.power, NUMBERS, variant="positive"),
    Spec(
        "pow",
        unary(exponent=st.sampled_from([0, 1, 2, 3, -1, -2, 2.0])),
        lambda x, exponent: x**exponent,
        call=lambda x, exponent: x**exponent,
        variant="whole exponent",
    ),
    Spec(
        "pow",
        unary(POSITIVE, exponent=st.sampled_from([0.5, -0.5, 1.5, 0.0])),
        lambda x, exponent: x**exponent,
        call=lambda x, exponent: x**exponent,
        variant="broken exponent",
    ),
    Spec("reciprocal", unary(), lambda x: 1 / x, NUMBERS),
    Spec("remainder", binary(FRACTIONS, NEAR_ONE), np.remainder, NUMBERS, numbers=True),
    Spec("round", unary(STEPS, decimals=st.integers(0, 1)), np.round),
    Spec("sign", unary(), np.sign, NUMBERS),
    Spec("sqrt", unary(POSITIVE), np.sqrt, NUMBERS),
    Spec("square", unary(), np.square, NUMBERS),
    Spec("subtract", binary(), np.subtract, NUMBERS, numbers=True),
    Spec("trunc", unary(STEPS), np.trunc),
]

TRIGONOMETRY = [
    Spec("acos", unary(UNIT), np.arccos),
    Spec("acosh", unary(ABOVE_ONE), np.arccosh),
    Spec("asin", unary(UNIT), np.arcsin),
    Spec("asinh", unary(), np.arcsinh, NUMBERS),
    Spec("atan", unary(), np.arctan, NUMBERS),
    Spec("atan2", binary(), np.arctan2, numbers=True),
    Spec("atanh", unary(UNIT), np.arctanh),
    Spec("cos", unary(), np.cos, NUMBERS),
    Spec("cosh", unary(), np.cosh, NUMBERS),
    Spec("sin", unary(), np.sin, NUMBERS),
    Spec("sinh", unary(), np.sinh, NUMBERS),
    Spec("tan", unary(UNIT), np.tan),
    Spec("tanh", unary(), np.tanh, NUMBERS),
]

LOGIC = [
    Spec("where", broadcasting(REAL, REAL, REAL, masks=1), np.where, ALL),
    *(flat(name, binary(FEW), getattr(np, name), ALL, numbers=True) for name in ("equal", "not_equal", "less")),
    *(flat(name, binary(FEW), getattr(np, name), ALL) for name in ("less_equal", "greater", "greater_equal")),
    *(flat(name, binary(FEW), getattr(np, name), ALL) for name in ("logical_and", "logical_or", "logical_xor")),
    *(
        flat(name, binary(FEW), getattr(np, name), (*WHOLE, "bool"))
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
    ),
    flat("logical_not", unary(FEW), np.logical_not, ALL),
    flat("bitwise_invert", unary(FEW), np.invert, (*WHOLE, "bool")),
    flat("bitwise_left_shift", binary(POSITIVE), np.left_shift, WHOLE),
    flat("bitwise_right_shift", binary(POSITIVE), np.right_shift, WHOLE),
    *(flat(name, unary(SPECIAL), getattr(np, name), FLOATS) for name in ("isfinite", "isinf", "isnan", "signbit")),
]

REDUCTIONS = [
    flat("all", reduction(BOOLEAN), np.all, ALL),
    flat("any", reduction(BOOLEAN), np.any, ALL),
    flat("argmax", reduction(one_axis=True, empty=False), np.argmax),
    flat("argmin", reduction(one_axis=True, empty=False), np.argmin),
    flat("count_nonzero", reduction(FEW), np.count_nonzero, ALL),
    Spec("cumulative_prod", along(scalars=True), ref.running(np.cumprod), NUMBERS),
    Spec("cumulative_prod", along(FEW), ref.running(np.cumprod), variant="zeros"),
    Spec("cumulative_prod", along(include_initial=st.booleans()), ref.running(np.cumprod), variant="initial"),
    Spec("cumulative_prod", along(dtype=FLOAT64), ref.running(np.cumprod), ("float64", *WHOLE), variant="dtype"),
    Spec("cumulative_sum", along(scalars=True), ref.running(np.cumsum), ALL),
    Spec("cumulative_sum", along(include_initial=st.booleans()), ref.running(np.cumsum), ALL, variant="initial"),
    Spec("cumulative_sum", along(dtype=FLOAT64), ref.running(np.cumsum), ("float64", *WHOLE), variant="dtype"),
    Spec("logsumexp", reduction(), ref.logsumexp),
    Spec("max", reduction(empty=False), np.max, ALL),
    Spec("mean", reduction(empty=False), np.mean, ALL),
    Spec("min", reduction(empty=False), np.min, ALL),
    Spec("prod", reduction(), np.prod, ALL),
    Spec("prod", reduction(FEW), np.prod, variant="zeros"),
    Spec("prod", reduction(dtype=st.just("float64")), np.prod, ("float64", *WHOLE), variant="dtype"),
    Spec("std", reduction(empty=False, correction=True), ref.variance(np.std), NUMBERS),
    Spec("sum", reduction(), np.sum, ALL),
    Spec("sum", reduction(dtype=st.just("float64")), np.sum, ("float64", *WHOLE), variant="dtype"),
    Spec("var", reduction(empty=False, correction=True), ref.variance(np.var), NUMBERS),
]

SHAPE = [
    Spec("broadcast_arrays", binary(), np.broadcast_arrays, ALL),
    Spec("broadcast_to", broadcasts(), np.broadcast_to, ALL),
    Spec("concat", joined(), of_list(np.concatenate), ALL, call=of_list(tg.concat)),
    Spec("expand_dims", with_axes(axis="new"), np.expand_dims, ALL),
    Spec(
        "flatten",
        st.one_of(
            unary(start_dim=st.just(0), end_dim=st.just(-1)),
            of_shapes((2, 1, 3), start_dim=st.sampled_from([0, 1, -2]), end_dim=st.sampled_from([1, 2, -1])),
        ),
        ref.flatten,
        ALL,
    ),
    Spec("flip", with_axes(axis="many"), np.flip, ALL),
    Spec("matrix_transpose", unary(shapes=[shape for shape in SHAPES if len(shape) > 1]), np.matrix_transpose, ALL),
    Spec(
        "moveaxis",
        with_axes(source="many", destination="many"),
        np.moveaxis,
        ALL,
        call=lambda x, source, destination: tg.moveaxis(x, source, destination),
    ),
    Spec("pad", pads(constant=True), np.pad, NUMBERS),
    Spec("pad", pads(constant=False), np.pad, NUMBERS, variant="mode", nonempty="nothing to repeat"),
    Spec("permute_dims", with_axes(axes="all"), np.transpose, ALL),
    Spec("repeat", repeats(), np.repeat, ALL, call=lambda x, repeats, axis: tg.repeat(x, repeats, axis=axis)),
    Spec("reshape", reshapes(), lambda x, shape: x.reshape(shape), ALL),
    Spec("reshape", reshapes(copy=True), lambda x, shape, copy: x.reshape(shape), ALL, variant="copy"),
    Spec("roll", rolls(), np.roll, ALL),
    Spec("split", splits(), np.split, ALL),
    Spec("squeeze", with_axes(axis="ones"), np.squeeze, ALL),
    Spec("stack", joined(new_axis=True), of_list(np.stack), ALL, call=of_list(tg.stack)),
    Spec(
        "swapaxes",
        with_axes(axis1="one", axis2="one"),
        np.swapaxes,
        ALL,
        call=lambda x, axis1, axis2: tg.swapaxes(x, axis1, axis2),
    ),
    Spec(
        "tile",
        unary(reps=st.one_of(st.integers(0, 2), st.lists(st.integers(0, 2), max_size=3).map(tuple))),
        np.tile,
        ALL,
        call=lambda x, reps: tg.tile(x, reps),
    ),
    Spec("transpose", with_axes(axes="all"), np.transpose, ALL),
    Spec("transpose", unary(), np.transpose, ALL, variant="reversed"),
    *(
        Spec(
            name,
            unary(shapes=[shape for shape in SHAPES if len(shape) > 1], k=st.integers(-2, 2)),
            getattr(np, name),
            ALL,
        )
        for name in ("tril", "triu")
    ),
    Spec("unstack", along(), ref.unstack, ALL),
]

INDEXING = [
    flat("argsort", along(scalars=True, descending=st.booleans()), ref.argsort),
    flat("argsort", along(FEW), ref.argsort, variant="ties"),
    Spec("getitem", indexed(), lambda x, key: x[key], ALL, call=lambda x, key: x[key]),
    Spec(
        "getitem",
        indexed(masks=True),
        lambda x, key: x[key],
        ALL,
        call=lambda x, key: x[key],
        variant="mask",
        host=MASK,
    ),
    Spec("index_put", put(), ref.index_put, ALL, call=lambda x, values, key: tg.index_put(x, key, values)),
    Spec(
        "index_put",
        put(masks=True),
        ref.index_put,
        ALL,
        call=lambda x, values, key: tg.index_put(x, key, values),
        variant="mask",
        host=MASK,
    ),
    flat(
        "nonzero", unary(FEW, shapes=[shape for shape in SHAPES if shape]), np.nonzero, ALL, host="how many there are"
    ),
    Spec("sort", along(scalars=True, descending=st.booleans()), ref.sort, NUMBERS),
    Spec("take", taken(), np.take, ALL, call=lambda x, indices, axis: tg.take(x, indices, axis=axis)),
    Spec("take_along_axis", taken_along(), ref.take_along_axis, ALL),
]

LINALG = [
    Spec(
        "diagonal",
        unary(shapes=[shape for shape in SHAPES if len(shape) > 1], offset=st.integers(-3, 3)),
        lambda x, offset: np.diagonal(x, offset, -2, -1),
        ALL,
    ),
    Spec(
        "einsum",
        einsums(),
        lambda *operands, subscripts: np.einsum(subscripts, *operands),
        NUMBERS,
        call=lambda *operands, subscripts: tg.einsum(subscripts, *operands),
    ),
    Spec("linear", layers(), lambda x, weight, bias=0: x @ weight.T + np.asarray(bias, x.dtype)),
    Spec("matmul", matrices(), np.matmul, NUMBERS),
    Spec("outer", of_shapes((3,), (2,)) | of_shapes((0,), (2,)), np.outer, NUMBERS),
    Spec("tensordot", contractions(), np.tensordot),
    Spec(
        "trace",
        unary(shapes=[shape for shape in SHAPES if len(shape) > 1], offset=st.integers(-1, 1)),
        lambda x, offset: np.trace(x, offset, -2, -1),
    ),
    Spec(
        "trace",
        unary(shapes=[shape for shape in SHAPES if len(shape) > 1], dtype=FLOAT64),
        lambda x, dtype: np.trace(x, 0, -2, -1, dtype=dtype),
        ("float64", *WHOLE),
        variant="dtype",
    ),
    Spec(
        "vecdot",
        of_shapes((2, 3), (2, 3), axis=st.sampled_from([0, -1])) | of_shapes((3,), (2, 1, 3)) | of_shapes((0,), (2, 0)),
        lambda x1, x2, axis=-1: (x1 * x2).sum(axis),
    ),
    Spec("vector_norm", reduction(ord=st.just(2)), ref.vector_norm),
    Spec(
        "vector_norm",
        reduction(empty=False, ord=st.sampled_from([1, 0.5, 2.5, 3, -2, math.inf, -math.inf])),
        ref.vector_norm,
        variant="ord",
    ),
    Spec("vector_norm", reduction(ord=st.just(0)), ref.vector_norm, variant="ord 0"),
]

ARRAY_SPECS = [
    *ELEMENTWISE,
    *TRIGONOMETRY,
    *LOGIC,
    *REDUCTIONS,
    *SHAPE,
    *INDEXING,
    *LINALG,
]
