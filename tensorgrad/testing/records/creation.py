"""The records of what makes new arrays: from data, from options, in other dtypes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.errors import DeviceError
from tensorgrad.ops import casting, creation
from tensorgrad.testing.contracts import BadCall, bad_call
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.records.kinds import ALL, NUMBERS, WHOLE, flat, record
from tensorgrad.testing.strategies import Config, Sample, Strategy, shapes

X = np.ones(2)
DTYPES = st.sampled_from(["float64", "float32", "float16", "int32", "bool"])
IN_FLOAT64 = ("float64", *WHOLE, "bool")
DTYPE = st.sampled_from([None, "float64", "float16", "int64", "bool"])
DEFAULT = "float32"


def _cast(x: Any, dtype: Any, device: Any = None) -> Any:
    return x.astype(dtype)


def _astype(x: Any, dtype: Any, device: Any = None) -> Any:
    return casting.astype(x, dtype, device=device)


CASTING = [
    record(
        casting.astype,
        _cast,
        IN_FLOAT64,
        shapes="any",
        options={"dtype": DTYPES},
        call=_astype,
        variant="any dtype",
        order=0,
    ),
    record(
        casting.astype,
        _cast,
        IN_FLOAT64,
        shapes="any",
        options={"dtype": "float64"},
        call=_astype,
        errors=[bad_call("float33", X, "float33", error=TypeError)],
    ),
    record(
        casting.astype,
        _cast,
        IN_FLOAT64,
        shapes="any",
        options={"dtype": DTYPES, "device": "cpu"},
        call=_astype,
        variant="device",
        order=0,
        devices=("cpu",),
    ),
    record(casting.clone, np.copy, ALL),
    record(casting.to, _cast, IN_FLOAT64, options={"dtype": DTYPES}, variant="any dtype", order=0),
    record(
        casting.to,
        _cast,
        IN_FLOAT64,
        options={"dtype": "float64"},
        errors=[bad_call("'gpu' is neither a dtype nor a device", X, "gpu", error=DeviceError)],
    ),
    # What moves an array is no public op, and stays away where nothing is to be moved.
    record(casting.to, np.asarray, ALL, call=lambda x: casting._to_device(x, x.device), variant="device"),
]


def new(
    function: Callable[..., Any],
    reference: Callable[..., Any],
    errors: list[BadCall],
    after: Callable[[Any], Any] = lambda result: result,
    **options: Strategy[Any],
) -> OpSpec:
    """The record of an op that makes an array from options alone; ``after`` is what is done with it before a look."""
    by_keyword = {p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY}
    positional = [option for option in options if option == "shape" or option not in by_keyword]

    def call(device: str, **drawn: Any) -> Any:
        leading = [drawn.pop(option) for option in positional]
        return after(function(*leading, **drawn, device=device))

    samples = st.fixed_dictionaries(options).map(lambda drawn: Sample((), drawn))
    return flat(
        function,
        reference,
        ("float64",),
        shapes=samples,
        call=call,
        creates=True,
        contract="none",
        domain=[],
        errors=errors,
    )


def like(function: Callable[..., Any], reference: Callable[..., Any], **more: Any) -> OpSpec:
    """The record of an op that makes an array like another."""
    options = {"dtype": DTYPE, **more.pop("options", {})}
    errors = [bad_call("float33", X, *more.pop("given", ()), dtype="float33", error=TypeError)]
    return flat(function, reference, ALL, shapes="any", options=options, errors=errors, **more)


NEGATIVE = bad_call("negative", (-1, 2))
UNKNOWN = bad_call("float33", 2, dtype="float33", error=TypeError)

CREATION = [
    new(
        creation.arange,
        lambda start, stop, step: np.arange(start, stop, step),
        [bad_call("zero|step", 0, 5, 0, error=(ValueError, ZeroDivisionError))],
        start=st.integers(-2, 2),
        stop=st.integers(-2, 5),
        step=st.sampled_from([1, 2, -1]),
    ),
    new(
        creation.empty,
        lambda shape, dtype: np.zeros(shape, dtype or DEFAULT),
        [NEGATIVE, UNKNOWN],
        shape=shapes(),
        dtype=DTYPE,
        after=creation.zeros_like,
    ),
    new(
        creation.eye,
        lambda n, m, k, dtype: np.eye(n, m, k, dtype=dtype or DEFAULT),
        [UNKNOWN],
        n=st.integers(0, 3),
        m=st.none() | st.integers(0, 3),
        k=st.integers(-2, 2),
        dtype=DTYPE,
    ),
    new(
        creation.full,
        lambda shape, value, dtype: np.full(shape, value, dtype or {float: DEFAULT}.get(type(value))),
        [bad_call("negative", (-1,), 2.0)],
        shape=shapes(),
        value=st.sampled_from([2, -1.5, True]),
        dtype=DTYPE,
    ),
    new(
        creation.linspace,
        lambda start, stop, num, dtype, endpoint: np.linspace(
            start, stop, num, endpoint=endpoint, dtype=dtype or DEFAULT
        ),
        [bad_call("-1", 0, 1, -1)],
        start=st.integers(-2, 2),
        stop=st.integers(-2, 5),
        num=st.integers(0, 5),
        dtype=st.sampled_from([None, "float64"]),
        endpoint=st.booleans(),
    ),
    new(
        creation.ones,
        lambda shape, dtype: np.ones(shape, dtype or DEFAULT),
        [NEGATIVE, UNKNOWN],
        shape=shapes(),
        dtype=DTYPE,
    ),
    new(
        creation.zeros,
        lambda shape, dtype: np.zeros(shape, dtype or DEFAULT),
        [NEGATIVE, UNKNOWN],
        shape=shapes(),
        dtype=DTYPE,
    ),
    like(
        creation.empty_like,
        np.zeros_like,
        call=lambda x, dtype: creation.zeros_like(creation.empty_like(x, dtype=dtype)),
    ),
    like(creation.full_like, np.full_like, given=(1,), options={"fill_value": st.sampled_from([0, 1, 2])}),
    like(creation.ones_like, np.ones_like),
    like(creation.zeros_like, np.zeros_like),
    record(creation.asarray, np.asarray, ALL, errors=[bad_call("numbers", "abc", error=TypeError)]),
    # A copy, because NumPy before 2.1 does not hand on arrays that are read-only, as some of the samples are.
    flat(
        creation.from_dlpack,
        np.asarray,
        NUMBERS,
        call=lambda x: creation.from_dlpack(casting.clone(x)),
        devices=("cpu", "cuda"),
        errors=[bad_call("dlpack", [1.0], error=(TypeError, AttributeError))],
    ),
    flat(
        creation.from_numpy,
        np.asarray,
        ALL,
        call=lambda x: creation.from_numpy(x.data),
        devices=("cpu",),
        errors=[bad_call("NumPy|ndarray", [1.0], error=TypeError)],
    ),
    flat(
        creation.tensor,
        np.asarray,
        ALL,
        errors=[bad_call("numbers", "abc", error=TypeError), bad_call("rows of the same length", [[1.0], [1.0, 2.0]])],
    ),
    record(
        creation.meshgrid,
        np.meshgrid,
        ALL,
        shapes=st.one_of(
            st.sampled_from(["xy", "ij"]).map(lambda kind: Config(((3,), (2,)), {"indexing": kind})),
            st.sampled_from([Config(((3,),)), Config(((2,), (0,), (3,)))]),
        ),
        contract="(N1,), (N2,), ...",
        errors=[bad_call("indexing", X, X, indexing="yx")],
    ),
]
