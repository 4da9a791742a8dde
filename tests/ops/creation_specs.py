"""The records of what makes new arrays: from data, from options, in other dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import tensorgrad as tg
from tests.ops.spec import ALL, FUNCTIONS, NUMBERS, WHOLE, Spec, flat
from tests.ops.strategies import SHAPES, Sample, Strategy, of_shapes, unary

DTYPES = st.sampled_from(["float64", "float32", "float16", "int32", "bool"])

CASTING = [
    Spec(
        "astype",
        unary(dtype=DTYPES),
        lambda x, dtype: x.astype(dtype),
        ("float64", *WHOLE, "bool"),
        call=lambda x, dtype: tg.astype(x, dtype),
        order=0,
    ),
    Spec(
        "astype",
        unary(dtype=st.just("float64")),
        lambda x, dtype: x.astype(dtype),
        ("float64", *WHOLE, "bool"),
        call=lambda x, dtype: tg.astype(x, dtype),
        variant="float64",
    ),
    Spec(
        "astype",
        unary(dtype=DTYPES, device=st.just("cpu")),
        lambda x, dtype, device: x.astype(dtype),
        ("float64", *WHOLE, "bool"),
        call=lambda x, dtype, device: tg.astype(x, dtype, device=device),
        variant="device",
        order=0,
        devices=("cpu",),
    ),
    Spec("clone", unary(), np.copy, ALL),
    Spec("to", unary(dtype=DTYPES), lambda x, dtype: x.astype(dtype), ("float64", *WHOLE, "bool"), order=0),
]

LENGTHS = st.sampled_from(SHAPES)
DTYPE = st.sampled_from([None, "float64", "float16", "int64", "bool"])
DEFAULT = "float32"


def new(
    name: str,
    reference: Callable[..., Any],
    after: Callable[[Any], Any] = lambda result: result,
    **options: Strategy[Any],
) -> Spec:
    """The record of an op that makes an array from options alone; ``after`` is what is done with it before a look."""
    samples = st.fixed_dictionaries(options).map(lambda drawn: Sample((), drawn))
    positional = [option for option in options if option not in ("dtype", "k", "endpoint", "indexing")]

    def call(device: str, **drawn: Any) -> Any:
        leading = [drawn.pop(option) for option in positional]
        return after(FUNCTIONS[name](*leading, **drawn, device=device))

    return flat(name, samples, reference, ("float64",), call=call, creates=True)


def like(name: str, reference: Callable[..., Any], **options: Strategy[Any]) -> Spec:
    """The record of an op that makes an array like another."""
    return flat(name, unary(dtype=DTYPE, **options), reference, ALL)


CREATION = [
    new(
        "arange",
        lambda start, stop, step: np.arange(start, stop, step),
        start=st.integers(-2, 2),
        stop=st.integers(-2, 5),
        step=st.sampled_from([1, 2, -1]),
    ),
    new(
        "empty", lambda shape, dtype: np.zeros(shape, dtype or DEFAULT), shape=LENGTHS, dtype=DTYPE, after=tg.zeros_like
    ),
    new(
        "eye",
        lambda n, m, k, dtype: np.eye(n, m, k, dtype=dtype or DEFAULT),
        n=st.integers(0, 3),
        m=st.none() | st.integers(0, 3),
        k=st.integers(-2, 2),
        dtype=DTYPE,
    ),
    new(
        "full",
        lambda shape, value, dtype: np.full(shape, value, dtype or {float: DEFAULT}.get(type(value))),
        shape=LENGTHS,
        value=st.sampled_from([2, -1.5, True]),
        dtype=DTYPE,
    ),
    new(
        "linspace",
        lambda start, stop, num, dtype, endpoint: np.linspace(
            start, stop, num, endpoint=endpoint, dtype=dtype or DEFAULT
        ),
        start=st.integers(-2, 2),
        stop=st.integers(-2, 5),
        num=st.integers(0, 5),
        dtype=st.sampled_from([None, "float64"]),
        endpoint=st.booleans(),
    ),
    new("ones", lambda shape, dtype: np.ones(shape, dtype or DEFAULT), shape=LENGTHS, dtype=DTYPE),
    new("zeros", lambda shape, dtype: np.zeros(shape, dtype or DEFAULT), shape=LENGTHS, dtype=DTYPE),
    flat(
        "empty_like",
        unary(dtype=DTYPE),
        np.zeros_like,
        ALL,
        call=lambda x, dtype: tg.zeros_like(tg.empty_like(x, dtype=dtype)),
    ),
    like("full_like", np.full_like, fill_value=st.sampled_from([0, 1, 2])),
    like("ones_like", np.ones_like),
    like("zeros_like", np.zeros_like),
    Spec("asarray", unary(), np.asarray, ALL),
    # A copy, because NumPy before 2.1 does not hand on arrays that are read-only, as some of the samples are.
    flat(
        "from_dlpack",
        unary(),
        np.asarray,
        NUMBERS,
        call=lambda x: tg.from_dlpack(tg.clone(x)),
        devices=("cpu", "cuda"),
    ),
    flat("from_numpy", unary(), np.asarray, ALL, call=lambda x: tg.from_numpy(x.data), devices=("cpu",)),
    flat("tensor", unary(), np.asarray, ALL),
    Spec(
        "meshgrid",
        of_shapes((3,), (2,), indexing=st.sampled_from(["xy", "ij"])) | of_shapes((2,), (0,), (3,)) | of_shapes((3,)),
        np.meshgrid,
        ALL,
    ),
]

CREATION_SPECS = [*CASTING, *CREATION]
