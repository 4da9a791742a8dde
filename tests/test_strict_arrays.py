"""The arrays of the strict stand-in behave like CuPy's, its names are CuPy's, and tensorgrad takes it as a library."""

from __future__ import annotations

import copy
import inspect
import itertools
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

from tensorgrad import backend
from tests import strict
from tests.strict.api import API, parameters
from tests.strict.backend import StrictBackend
from tests.strict.parameters import BY_FUNCTION, SYNCHRONIZING
from tests.strict.ufuncs import UFUNCS


def test_host_data_is_copied() -> None:
    source = np.arange(3.0)
    for convert in (strict.asarray, strict.array, strict.asanyarray, strict.ascontiguousarray):
        device = convert(source)
        device += 1
        np.testing.assert_array_equal(source, [0, 1, 2])
    device.get()[0] = 9
    assert float(device[0]) == 1


def test_device_data_is_copied_where_cupy_copies_it() -> None:
    x = strict.arange(6.0).reshape(2, 3)
    assert strict.asarray(x) is x
    assert strict.ascontiguousarray(x) is x
    assert x.astype(x.dtype, copy=False) is x
    assert strict.array(x, copy=None) is x
    assert strict.array(x) is not x
    assert strict.array(x).base is None
    assert strict.asarray(x.T, order="C").strides == (16, 8)
    with pytest.raises(ValueError, match="copy"):
        strict.array(x, dtype=np.float32, copy=False)


def test_views_share_memory_and_name_its_owner() -> None:
    owner = strict.arange(12.0)
    views = [
        owner[2:],
        owner[3],
        owner.reshape(3, 4),
        owner.reshape(3, 4).T[1:][0],
        strict.expand_dims(owner, 0),
        strict.broadcast_to(owner, (2, 12)),
        strict.split(owner, 3)[1],
        strict.moveaxis(owner.reshape(3, 4), 0, 1),
        owner.view(np.int64),
        owner.reshape(3, 4).mT,
        strict.einsum("ij->ji", owner.reshape(3, 4)),
    ]
    assert owner.base is None
    assert owner.flags.owndata
    for view in views:
        assert view.base is owner
        assert not view.flags.owndata
        assert strict.shares_memory(view, owner)
        assert backend.owner(view) is owner
    owner.fill(7)
    assert float(views[1]) == 7
    views[2][0, 0] = 8
    assert float(owner[0]) == 8


def test_fresh_arrays_have_no_base() -> None:
    x = strict.arange(12.0).reshape(3, 4)
    i = strict.asarray([0, 1])
    for fresh in (
        x + 1,
        x[i],
        x[i[0]],
        x[x > 2],
        x.copy(),
        x.T.reshape(12),
        strict.tile(x, 2),
        strict.take(x, i, axis=0),
    ):
        assert fresh.base is None
        assert not strict.shares_memory(fresh, x)


def test_strided_windows_have_no_base_as_in_cupy() -> None:
    x = strict.arange(6.0)
    windows = strict.lib.stride_tricks.as_strided(x, (5, 2), (8, 8))
    assert windows.base is None
    assert strict.shares_memory(windows, x)
    x += 1
    assert windows.tolist() == [[1, 2], [2, 3], [3, 4], [4, 5], [5, 6]]


def test_no_scalars() -> None:
    x = strict.arange(6.0)
    for result in (
        x[0],
        x.sum(),
        strict.max(x),
        x[0] + x[1],
        strict.exp(x[0]),
        -x[0],
        strict.argmax(x),
        x[0] < 1,
        x @ x,
    ):
        assert type(result) is strict.ndarray
        assert result.shape == ()
    assert type(strict.exp(2.0)) is strict.ndarray
    assert type(strict.linalg.norm(x)) is strict.ndarray


def test_numbers_are_weak_and_numpy_scalars_are_not() -> None:
    x = strict.ones(2, dtype=np.float32)
    assert (x * 2.5).dtype == (x**2).dtype == strict.where(x > 0, x, 0.0).dtype == np.float32
    assert (x * np.float64(2.5)).dtype == np.float64
    assert (strict.ones(2, dtype=np.int8) * 2).dtype == np.int8
    assert (strict.ones(2, dtype=np.int8) * 2.0).dtype == np.float64
    x *= np.float64(2)
    assert x.dtype == np.float32


def test_results_are_in_c_order() -> None:
    x = strict.arange(6.0).reshape(2, 3).T
    assert x.flags.f_contiguous
    assert not x.flags.c_contiguous
    for result in (x + 1, strict.exp(x), -x, x[strict.asarray([0, 2])], strict.where(x > 2, x, 0.0)):
        assert result.flags.c_contiguous
    assert x.copy().flags["C_CONTIGUOUS"]
    assert x.astype(np.float32).flags.f_contiguous


def test_fresh_memory_holds_rubbish() -> None:
    assert strict.isnan(strict.empty(3)).all()
    assert strict.isnan(strict.empty_like(strict.ones(3, dtype=np.complex64))).all()
    assert strict.empty(2, dtype=np.int8).all()
    assert strict.ndarray((2, 3), np.float32).shape == (2, 3)


def test_integer_indices_wrap_around() -> None:
    x = strict.arange(3.0)
    far = strict.asarray([3, -4, 7])
    assert x[far].tolist() == x.take(far).tolist() == strict.take(x, far).tolist() == [0, 2, 1]
    assert strict.take_along_axis(x, far, axis=0).tolist() == [0, 2, 1]
    y = strict.zeros((2, 3))
    y[:, far] = 1.0
    strict.add.at(y, (0, far), 1.0)
    assert y.tolist() == [[2, 2, 2], [1, 1, 1]]


def test_quirks_of_cupy() -> None:
    x = strict.ones((2, 3))
    assert strict.zeros_like(x, shape=()).shape == (2, 3)
    assert strict.ascontiguousarray(2.0).shape == (1,)
    assert type(strict.linalg.slogdet(x[:, :2])) is tuple
    assert hasattr(strict.unique_counts(x), "counts")


def test_assignment() -> None:
    x = strict.zeros((2, 3))
    x[0] = 1
    x[:, 1] = strict.asarray([5.0, 6.0])
    x[x > 5] = 7
    x[..., 2] += np.float32(2)
    x[1, strict.asarray([0, 0])] = 4.0
    assert x.tolist() == [[1, 5, 3], [4, 7, 2]]
    x[...] = strict.ones((1, 1, 2, 3), dtype=np.int32)
    assert x.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_in_place_operators_and_out() -> None:
    x = strict.ones((2, 2), dtype=np.float32)
    view, original = x[0], x
    x += 1
    x *= x
    x -= strict.ones(2)
    x /= 2
    x **= 2
    assert x is original
    assert view.tolist() == [2.25, 2.25]
    assert strict.add(x, 1, out=x) is x
    assert strict.add(x, 1, x) is x
    assert strict.sum(x, axis=0, out=view) is view
    assert view.dtype == np.float32
    whole, rest = strict.divmod(strict.asarray([7, 8]), 3)
    assert (whole.tolist(), rest.tolist()) == ([2, 2], [1, 2])


def test_functions_in_place() -> None:
    x = strict.zeros((2, 2))
    strict.copyto(x, 3.0)
    strict.fill_diagonal(x, 1.0)
    assert x.tolist() == [[1, 3], [3, 1]]
    strict.put(x, strict.asarray([5]), 9.0)
    strict.put_along_axis(x, strict.asarray([[0], [0]]), 4.0, axis=1)
    strict.putmask(x, x > 8, 2.0)
    assert x.tolist() == [[4, 2], [4, 1]]
    strict.place(x, x > 3, strict.asarray([0.0]))
    x[1].sort()
    assert x.tolist() == [[0, 2], [0, 1]]


def test_ufunc_methods() -> None:
    x = strict.asarray([[1.0, 2.0], [3.0, 4.0]])
    assert strict.add.reduce(x).tolist() == [4, 6]
    assert strict.multiply.reduce(x, axis=1, keepdims=True).tolist() == [[2], [12]]
    assert strict.add.accumulate(x, axis=1).tolist() == [[1, 3], [3, 7]]
    assert strict.subtract.outer(x[0], x[1]).tolist() == [[-2, -3], [-1, -2]]
    strict.add.at(x, strict.asarray([0, 0]), strict.asarray([10.0, 20.0]))
    strict.maximum.at(x, (1, strict.asarray([1])), 9.0)
    strict.minimum.at(x, 0, 30.0)
    assert x.tolist() == [[21, 30], [3, 9]]
    assert (strict.add.nin, strict.add.name) == (2, "add")


def test_a_foreign_object_may_take_over_an_operator() -> None:
    class Foreign:
        def __radd__(self, other: Any) -> str:
            return "taken over"

    assert strict.ones(2) + Foreign() == "taken over"


def test_arrays_can_be_referred_to_weakly_copied_and_pickled() -> None:
    x = strict.arange(3.0)
    reference = weakref.ref(x)
    for other in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other is not x
        assert other.tolist() == x.tolist()
    del x
    assert reference() is None


def test_device() -> None:
    assert strict.ones(2).device.id == 0
    assert strict.ones(2).device == strict.zeros(3).device


def test_no_warnings_where_cupy_gives_none(recwarn: pytest.WarningsRecorder) -> None:
    x = strict.asarray([0.0, -1.0, np.inf])
    assert not strict.isfinite(1 / x)[0]
    strict.log(x), x / 0, x - x, strict.sqrt(x), strict.linalg.norm(x), strict.var(x), strict.asarray([1]) // 0
    assert not recwarn.list


# The record


def test_the_names_are_cupys() -> None:
    extras = {"Transfers", "count_transfers", "transfers", "backend"}
    assert {name for name in vars(strict) if not name.startswith("_")} - extras <= set(API["cupy"])
    for names in (strict.fft, strict.lib.stride_tricks, strict.linalg, strict.exceptions):
        assert {member for member in vars(names) if not member.startswith("_")} <= set(API[names.__name__])
    own = {"__getattr__", "__module__", "__annotations__", "__doc__", "__slots__", "__weakref__"}
    attributes = {name for name in vars(strict.ndarray) if name.startswith("__") or not name.startswith("_")}
    assert attributes - own - {"__firstlineno__", "__static_attributes__"} <= set(API["cupy.ndarray"])
    assert not hasattr(strict.ndarray, "__index__")


def test_the_functions_written_here_have_cupys_parameters() -> None:
    for name in ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asnumpy"):
        recorded = [parameter.name for parameter in parameters(API["cupy"][name]["signature"])]
        assert list(inspect.signature(getattr(strict, name)).parameters) == recorded


def test_the_tables_name_functions_and_parameters_of_cupys() -> None:
    signatures = {
        name: {parameter.name for parameter in parameters(entry["signature"])}
        for section in API.values()
        for name, entry in section.items()
        if "signature" in entry and section is not API["cupy.ndarray"]
    }
    assert set(SYNCHRONIZING) <= set(signatures)
    methods = {("put", "values")}
    assert {(name, key) for name, key in BY_FUNCTION if key not in signatures[name]} == methods


def test_ufuncs_have_cupys_loops() -> None:
    """Wherever both have a loop, its result's dtype is CuPy's; where CuPy has none, the call is refused."""
    dtypes = "?bhilBHILefd"
    arrays = {char: np.ones(1, char) for char in dtypes}
    for name in ("add", "multiply", "true_divide", "maximum", "power", "exp", "sqrt", "sign", "floor", "isnan", "sinc"):
        function, count = UFUNCS[name], UFUNCS[name].nin
        loops = [loop.split("->") for loop in API["cupy"][name]["loops"].split()]
        for chars in itertools.product(dtypes, repeat=count):
            first = next((o for i, o in loops if all(map(np.can_cast, map(np.dtype, chars), i))), None)
            try:
                result = function(*(strict.asarray(arrays[char]) for char in chars))
            except TypeError:
                # One of the two has no such function: NumPy has no sign of a boolean.
                assert first is None or chars == ("?",)
            else:
                assert result.dtype == np.dtype(first)


# As a library of tensorgrad's


def test_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_backends", dict(backend._backends))
    monkeypatch.setattr(backend, "_by_type", dict(backend._by_type))
    library = StrictBackend()
    backend.register(library)
    source = np.arange(6, dtype=np.float32).reshape(2, 3)
    array = backend.transfer(source, "strict")
    assert isinstance(array, strict.ndarray)
    assert backend.of(array) is library
    assert backend.namespace(array) is strict
    assert backend.device_of(array) == "strict"
    assert backend.transfer(array, "strict") is array
    back = backend.transfer(array, "cpu")
    assert type(back) is np.ndarray
    np.testing.assert_array_equal(back, source)
    assert backend.owner(array[0]) is array
