"""The strict stand-in for CuPy does what CuPy does, and refuses what CuPy refuses."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import strict
from tests.strict.api import API
from tests.strict.functions import Function

NAMESPACES = {
    "cupy": strict,
    "cupy.fft": strict.fft,
    "cupy.lib.stride_tricks": strict.lib.stride_tricks,
    "cupy.linalg": strict.linalg,
}


def inputs(asarray: Callable[[np.ndarray], Any]) -> dict[str, Any]:
    """One of each kind of array, as the calls below name them."""
    random = np.random.default_rng(0)
    square = random.normal(size=(3, 3))
    arrays = {
        "x": random.normal(size=(2, 3)).astype(np.float32),
        "y": random.uniform(1, 2, size=(2, 3)).astype(np.float32),
        "v": np.asarray([3.0, 1.0, 2.0]),
        "s": square,
        "p": square @ square.T + np.eye(3),
        "b": np.asarray([[True, False, True], [False, True, True]]),
        "i": np.asarray([2, 0, 1]),
        "j": np.asarray([[1], [2]]),
        "n": np.asarray([[4, 1, 4], [2, 7, 1]], dtype=np.int32),
        "c": (random.normal(size=(2, 3)) + 1j * random.normal(size=(2, 3))).astype(np.complex64),
        "w": np.asarray([1.0, np.nan, 3.0]),
        "u": np.asarray([5, 3], dtype=np.uint8),
    }
    return {name: asarray(array) for name, array in arrays.items()}


CALLS = [line for line in (Path(__file__).parent / "strict" / "calls.txt").read_text().splitlines() if line]
CALLS = [line for line in CALLS if not line.startswith("#")]


def evaluate(call: str, namespace: Any, asarray: Callable[[np.ndarray], Any]) -> Any:
    """The value of ``call`` with the functions of ``namespace``; functions that NumPy lacks in this version skip."""
    root = re.match(r"((?:linalg|fft|lib\.stride_tricks)\.)?(\w+)\(", call)
    if root and root[2] not in ("abs", "divmod", "len", "float", "int", "bool", "complex", "str", "repr"):
        call = f"xp.{call}"
    names = {name: getattr(np, name) for name in ("float32", "float64", "int32")}
    return eval(call, {"xp": namespace, "np": np} | names | inputs(asarray))


def host(value: Any) -> Any:
    """``value`` with NumPy arrays in place of the device's."""
    if isinstance(value, (tuple, list)):
        return [host(part) for part in value]
    return value.get() if hasattr(value, "get") else value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS)
def test_the_answers_are_numpys(call: str) -> None:
    match = re.match(r"(\w+)\(", call)
    if match and API["cupy"].get(match[1], {}).get("kind") == "function" and not hasattr(np, match[1]):
        pytest.skip(f"NumPy {np.__version__} has no {match[1]}")
    expected = evaluate(call, np, lambda array: array)
    result = evaluate(call, strict, strict.asarray)
    if "view" in call and "window" not in call:
        assert result.base is not None
    same(host(result), expected)


def same(result: Any, expected: Any) -> None:
    """Asserts equal shapes, dtypes and values."""
    if isinstance(expected, (tuple, list)) and isinstance(result, list):
        assert len(result) == len(expected)
        for part, other in zip(result, expected, strict=True):
            same(part, other)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert isinstance(result, (np.ndarray, int, float, complex)), type(result)
        assert (np.shape(result), np.asarray(result).dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(result, expected)
    else:
        assert np.all(result == expected)


def test_every_function_is_called() -> None:
    called = set(re.findall(r"\w+", " ".join(CALLS)))
    in_place = {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"}
    functions = {name for names in NAMESPACES.values() for name, v in vars(names).items() if isinstance(v, Function)}
    assert functions - called == in_place


def difference(mine: Any, real: Any) -> str:
    """What distinguishes an answer of the stand-in's from CuPy's; empty if nothing does."""
    if isinstance(mine, strict.ndarray):
        if (mine.shape, mine.dtype) != (real.shape, real.dtype):
            return f"{mine.shape} {mine.dtype}, not {real.shape} {real.dtype}"
        return (
            "" if np.allclose(mine.get(), real.get(), rtol=1e-4, atol=1e-5, equal_nan=True) else f"{mine}, not {real}"
        )
    if isinstance(mine, (tuple, list)) and isinstance(real, (tuple, list)):
        if len(mine) != len(real):
            return f"{len(mine)} results, not {len(real)}"
        return "; ".join(filter(None, map(difference, mine, real)))
    return "" if mine == real else f"{mine}, not {real}"


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore")
def test_the_real_cupy_agrees() -> None:
    cupy = pytest.importorskip("cupy")
    if not cupy.is_available():
        pytest.skip("CuPy finds no GPU")
    differences = {}
    for call in CALLS:
        if call.startswith(("linalg.eig(", "linalg.eigvals(")):
            # Only the libraries of CUDA 12.6 and later have it.
            continue
        try:
            found = difference(evaluate(call, strict, strict.asarray), evaluate(call, cupy, cupy.asarray))
        except Exception as error:
            found = repr(error)
        if found:
            differences[call] = found
    assert differences == {}


REFUSED = [
    # Host arrays
    ("x + h", TypeError, "cupy.add: expected a device array or a number, got a NumPy array of shape"),
    ("h + x", TypeError, "cupy.add: expected a device array"),
    ("x + [1, 2, 3]", TypeError, "unsupported operand"),
    ("x == h", TypeError, "cupy.equal: expected a device array"),
    ("x @ h.T", TypeError, "cupy.matmul: 'x2' must be a device array, got a NumPy array"),
    ("x.__iadd__(h)", TypeError, "cupy.add"),
    ("xp.exp(h)", TypeError, "cupy.exp: expected a device array or a number"),
    ("xp.exp(x, out=h)", TypeError, "'out' must be a device array"),
    ("xp.sum(h)", TypeError, "cupy.sum: 'a' must be a device array, got a NumPy array of shape"),
    ("xp.sum([1, 2])", TypeError, "cupy.sum: 'a' must be a device array, got list"),
    ("xp.sum(2.0)", TypeError, "cupy.sum: 'a' must be a device array, got float 2.0"),
    ("xp.concatenate([x, h])", TypeError, "cupy.concatenate: 'tup' must be a device array"),
    ("xp.where(h > 0, x, 0.0)", TypeError, "cupy.where: 'condition' must be a device array"),
    ("xp.where(True, x, 0.0)", TypeError, "cupy.where: 'condition' must be a device array, got bool"),
    ("xp.where(x > 0, x, h)", TypeError, "cupy.where: 'y'"),
    ("xp.repeat(x, np.asarray([1, 2]), axis=0)", TypeError, "cupy.repeat: 'repeats' must be a device array"),
    ("xp.asarray([x, h])", TypeError, "list of device arrays"),
    ("xp.einsum('ij,ij', x, h)", TypeError, "cupy.einsum: 'operands'"),
    ("x[np.asarray([0])]", TypeError, "an index is made of numbers, slices and device arrays, not of a NumPy array"),
    ("x.__setitem__(0, h[0])", TypeError, "expected a device array or a number, got a NumPy array"),
    ("x.__setitem__(0, [1.0, 2.0, 3.0])", TypeError, "expected a device array or a number, got list"),
    ("x.fill(h)", TypeError, "ndarray.fill"),
    ("xp.add.at(x, 0, h[0])", TypeError, "cupy.add.at"),
    ("xp.add.at(h, 0, x[0])", TypeError, "cupy.add.at changes a device array, got a NumPy array"),
    # NumPy's functions
    ("np.asarray(x)", TypeError, "Implicit conversion .* not allowed"),
    ("np.asarray([x, x])", TypeError, "Implicit conversion .* not allowed"),
    ("np.sin(x)", TypeError, "does not support ufuncs"),
    ("np.add(h, x)", TypeError, "does not support ufuncs"),
    ("np.add.reduce(x)", TypeError, "does not support ufuncs"),
    ("np.sum(x)", TypeError, "numpy.sum was called with a device array"),
    ("np.concatenate([h, x])", TypeError, "numpy.concatenate was called with a device array"),
    ("h.__setitem__(0, x[0])", TypeError, "Implicit conversion"),
    ("h[x > 0]", TypeError, "Implicit conversion"),
    # Device arrays where numbers of the host are wanted
    ("xp.reshape(x, (xp.asarray(3), 2))", TypeError, "cupy.reshape: 'newshape' is not taken from the device"),
    ("xp.zeros(xp.asarray(3))", TypeError, "cupy.zeros: 'shape' is not taken from the device"),
    ("xp.sum(x, axis=xp.asarray(0))", TypeError, "cupy.sum: 'axis' is not taken from the device"),
    ("range(xp.asarray(3))", TypeError, "cannot be interpreted as an integer"),
    ("x[: xp.asarray(1)]", TypeError, "slice indices must be integers"),
    ("x.reshape(xp.asarray(6))", TypeError, "integer"),
    # Names and parameters that CuPy lacks
    ("xp.unstack", AttributeError, "CuPy 14.* has no cupy.unstack: use functions that NumPy and CuPy both have"),
    ("xp.vecdot", AttributeError, "has no cupy.vecdot"),
    ("xp.float128", AttributeError, "has no cupy.float128"),
    ("xp.errstate", AttributeError, "has no cupy.errstate"),
    ("xp.linalg.vector_norm", AttributeError, "has no cupy.linalg.vector_norm"),
    ("xp.random", AttributeError, "CuPy has cupy.random, but the stand-in does not imitate it"),
    ("xp.lib.array_utils", AttributeError, "has no cupy.lib.array_utils"),
    ("x.ctypes", AttributeError, "'ctypes', which CuPy's arrays lack"),
    ("x.setflags", AttributeError, "'setflags', which CuPy's arrays lack"),
    ("x.to_device", AttributeError, "'to_device', which CuPy's arrays lack"),
    ("x.flags.writeable", AttributeError, "writeable"),
    ("x.byteswap", AttributeError, "'byteswap', which the stand-in does not imitate"),
    ("xp.sum(x, where=x > 0)", TypeError, "cupy.sum has no parameter 'where': it has a, axis, dtype, out, keepdims"),
    ("x.sum(where=x > 0)", TypeError, "ndarray.sum has no parameter 'where'"),
    ("xp.max(x, initial=0.0)", TypeError, "cupy.max has no parameter 'initial'"),
    ("xp.var(x, correction=1)", TypeError, "cupy.var has no parameter 'correction'"),
    ("xp.clip(x, min=0.0)", TypeError, "cupy.clip has no parameter 'min'"),
    ("xp.zeros(3, device='cpu')", TypeError, "cupy.zeros has no parameter 'device'"),
    ("xp.asarray(h, like=x)", TypeError, "like"),
    ("xp.take(x, i, axis=1, mode='clip')", TypeError, "cupy.take has no parameter 'mode'"),
    ("xp.einsum('ij', x, out=x)", TypeError, "cupy.einsum has no parameter 'out'"),
    ("xp.pad(x, 1, fill=2)", TypeError, "cupy.pad has no parameter 'fill'"),
    ("xp.add(x, x, where=x > 0)", TypeError, "cupy.add has no parameter 'where'"),
    ("xp.sort(x, stable=True)", TypeError, "cupy.sort has no parameter 'stable'"),
    ("xp.take_along_axis(x, i)", TypeError, "cupy.take_along_axis needs 'axis'"),
    ("xp.matrix_transpose(x, 1)", TypeError, "takes at most 1 positional"),
    ("xp.matrix_transpose(x=x)", TypeError, "'x' is given by position only"),
    ("xp.add(x)", TypeError, "cupy.add takes 2 inputs, got 1"),
    ("xp.argsort(x, kind='quicksort')", ValueError, "kind can only be None or 'stable'"),
    ("xp.where(x > 0, x)", ValueError, "needs both"),
    ("xp.zeros_like(x, subok=True)", TypeError, "subok"),
    ("xp.lib.stride_tricks.sliding_window_view(x, 2, axis=1, writeable=True)", NotImplementedError, "Writeable"),
    # What CuPy's ufuncs cannot do
    ("xp.maximum.reduce(x)", NotImplementedError, "cupy.maximum.reduce is not supported"),
    ("xp.maximum.accumulate(x)", NotImplementedError, "cupy.maximum.accumulate is not supported"),
    ("xp.multiply.at(x, i, 2.0)", NotImplementedError, "cupy.multiply.at is not supported"),
    ("xp.subtract.at(v, i, 1.0)", TypeError, "cupy.subtract.at works on 'iI' .*, not on float64"),
    ("xp.add.at(c, (0, i), 1.0)", TypeError, "cupy.add.at .* not on complex64"),
    ("xp.logical_not(c)", TypeError, "cupy.logical_not has no loop for complex64"),
    ("xp.clip(c, 0, 1)", TypeError, "no loop for complex"),
    ("xp.subtract(b, b)", TypeError, "boolean subtract"),
    # dtypes, casts, shapes
    ("xp.zeros(3, dtype=object)", TypeError, "no arrays of dtype object"),
    ("xp.asarray(['a'])", TypeError, "no arrays of dtype <U1"),
    ("xp.asarray([None])", TypeError, "no arrays of dtype object"),
    ("x.astype('f8').astype(np.longdouble)", TypeError, "no arrays of dtype"),
    ("x * np.longdouble(2)", TypeError, "expected a device array or a number, got longdouble"),
    ("x.view('S4')", TypeError, "no arrays of dtype"),
    ("i.__iadd__(1.5)", TypeError, "Cannot cast"),
    ("xp.add(x, c, out=x)", TypeError, "Cannot cast"),
    ("x.__setitem__((0, xp.asarray([0, 0])), v[:2])", ValueError, "repeated indices"),
    ("x[v]", IndexError, "arrays used as indices must be of integer or boolean type"),
    ("x[2]", IndexError, "out of bounds"),
    ("bool(x)", ValueError, "ambiguous"),
    ("x.item()", ValueError, "size 1"),
    ("iter(x[0, 0])", TypeError, "0-d"),
    ("v.mT", ValueError, "ndim < 2"),
    ("x.T.reshape(6, copy=False)", ValueError, "Unable to avoid"),
    ("hash(x)", TypeError, "unhashable"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED, ids=[call for call, _, _ in REFUSED])
def test_refused(call: str, error: type[Exception], words: str) -> None:
    arrays = inputs(strict.asarray)
    before = {name: array.get() for name, array in arrays.items()}
    with pytest.raises(error, match=words):
        eval(call, {"xp": strict, "np": np, "h": np.ones((2, 3), np.float32)} | arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array.get(), before[name])


WAITS = {
    "x.get()": 1,
    "x[0, 0].item()": 1,
    "x.tolist()": 1,
    "float(x[0, 0])": 1,
    "int(i[0])": 1,
    "bool(b[0, 0])": 1,
    "complex(v[0])": 1,
    "str(x)": 1,
    "xp.asnumpy(x)": 1,
    "pickle.dumps(x)": 1,
    "x[b]": 1,
    "x.__setitem__(b, 0.0)": 1,
    "xp.add.at(x, b, 1.0)": 1,
    "x[True]": 1,
    "xp.nonzero(b)": 1,
    "b.nonzero()": 1,
    "xp.argwhere(b)": 1,
    "xp.flatnonzero(b)": 1,
    "xp.where(b)": 1,
    "xp.unique(n)": 1,
    "xp.unique_counts(n)": 1,
    "xp.bincount(i)": 1,
    "xp.repeat(v, i)": 1,
    "xp.average(v, weights=v)": 1,
    "xp.linspace(0.0, v, 3)": 1,
    "1.0 in v": 2,
    "xp.lib.stride_tricks.sliding_window_view(x, (2, 2))": 2,
    # Nothing of the following waits.
    "xp.where(b, x, 0.0)": 0,
    "x[i[1:] - 1]": 0,
    "x.__setitem__(0, 1.0)": 0,
    "xp.add.at(x, (slice(None), i), 1.0)": 0,
    "xp.sum(x, axis=0) / x.shape[0]": 0,
    "xp.repeat(x, 2, axis=0)": 0,
    "x[0][0]": 0,
    "list(x)": 0,
    "xp.asarray(x), x.astype(x.dtype, copy=False), x.copy(), copy.deepcopy(x)": 0,
    "xp.einsum('ij,ij->', x, x)": 0,
    "xp.average(v)": 0,
}


@pytest.mark.parametrize(("call", "times"), WAITS.items(), ids=list(WAITS))
def test_waits_for_the_device_are_counted(call: str, times: int) -> None:
    arrays = inputs(strict.asarray)
    total = strict.transfers.to_host.total()
    with strict.count_transfers() as count, strict.count_transfers() as inner:
        eval(call, {"xp": strict, "pickle": pickle, "copy": copy} | arrays)
    assert count.to_host.total() == inner.to_host.total() == times
    assert not count.from_host
    assert strict.transfers.to_host.total() == total + times
    strict.asnumpy(arrays["x"])
    assert count.to_host.total() == times


@pytest.mark.parametrize(
    ("call", "times"),
    {
        "xp.asarray(h)": 1,
        "xp.array(h)": 1,
        "xp.asanyarray(h)": 1,
        "xp.ascontiguousarray(h)": 1,
        "xp.asarray([1.0, 2.0])": 1,
        "x[[0, 1]]": 1,
        "x.set(h)": 1,
        "pickle.loads(pickle.dumps(x))": 1,
        "xp.asarray(2.0)": 0,
        "xp.full((2,), 3.0)": 0,
        "xp.asarray([x, x])": 0,
        "xp.asarray(x)": 0,
    }.items(),
)
def test_copies_from_the_host_are_counted(call: str, times: int) -> None:
    x = strict.ones((2, 3))
    with strict.count_transfers() as count:
        eval(call, {"xp": strict, "x": x, "h": np.ones((2, 3)), "pickle": pickle})
    assert count.from_host.total() == times


def test_the_count_names_the_calls() -> None:
    with strict.count_transfers() as count:
        strict.ones(1).item()
        strict.unique(strict.ones(3))
        strict.asarray(np.ones(2))
    assert count.to_host == {"ndarray.item": 1, "cupy.unique": 1}
    assert count.from_host == {"cupy.asarray": 1}
