"""What may stand beside a tensor: numbers, lists, NumPy's arrays and functions; and what is refused, in which words."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import backend
from tensorgrad.testing.records import FUNCTIONS


def leaf(data: Any, dtype: str = "float64", device: str = "cpu") -> tg.Tensor:
    return tg.tensor(data, dtype=dtype, device=device, requires_grad=True)


SCALARS = [2, 2.0, True, np.float64(2), np.float32(2), np.int64(2), np.bool_(True)]


@pytest.mark.parametrize("number", SCALARS, ids=lambda number: f"{type(number).__name__}")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_do_not_widen(number: Any, dtype: str, device: str) -> None:
    x = leaf([1.0, 2.0], dtype, device)
    results = [x + number, number + x, x * number, number * x, x / number, number / x, x**number, number**x]
    results += [x - number, number - x, tg.maximum(x, number), tg.where(x > 1, x, number), tg.clip(x, max=number)]
    results += [tg.hypot(number, x), tg.atan2(x, number)]
    for result in results:
        assert isinstance(result, tg.Tensor)
        assert result.dtype == dtype
    (gradient,) = tg.grad(results, x, [tg.ones_like(result) for result in results])
    assert gradient.dtype == dtype
    assert (x + number).tolist() == (number + x).tolist() == [1 + float(number), 2 + float(number)]
    assert (number - x).tolist() == [float(number) - 1, float(number) - 2]


def test_numbers_of_a_higher_kind_do_widen() -> None:
    assert (tg.tensor([1, 2]) + 0.5).dtype == np.float64
    assert (tg.tensor([True]) + 1).dtype == np.int64
    assert (tg.tensor([1], dtype="int8") + 1).dtype == np.int8
    with pytest.raises(OverflowError):
        tg.tensor([1], dtype="uint8") + 300


def test_gradients_have_the_dtype_of_their_data_where_dtypes_mix(device: str) -> None:
    x, y = leaf([1.0, 2.0], "float32", device), leaf([3.0, 4.0], "float64", device)
    whole = tg.tensor([1, 2], dtype="int16", device=device)
    functions = [tg.add, tg.multiply, tg.maximum, tg.hypot, tg.matmul, lambda x, y: tg.concat([x, y])]
    functions += [lambda x, y: tg.einsum("i,j->ij", x, y), lambda x, y: tg.where(x > y, x, y), tg.logaddexp]
    for function in functions:
        out = function(x, y)
        assert out.dtype == np.float64
        gradients = tg.grad(out.sum(), [x, y])
        assert [gradient.dtype for gradient in gradients] == [np.float32, np.float64]
    for function in (tg.add, tg.multiply, tg.maximum):
        assert function(x, whole).dtype == np.float32
        assert tg.grad(function(x, whole).sum(), x)[0].dtype == np.float32


def test_arrays_on_the_left_of_an_operator() -> None:
    array, x = np.array([1.0, 2.0]), leaf([3.0, 4.0])
    for result, expected in [
        (array + x, [4, 6]),
        (array - x, [-2, -2]),
        (array * x, [3, 8]),
        (array / x, [1 / 3, 1 / 2]),
        (array**x, [1, 16]),
        (array @ x, 11),
        (array // x, [0, 0]),
        (array % x, [1, 2]),
    ]:
        assert isinstance(result, tg.Tensor)
        assert result.tolist() == pytest.approx(expected)
    for result, expected in [
        (array < x, [True, True]),
        (array >= x, [False, False]),
        (array == x, [False, False]),
        (array != x, [True, True]),
    ]:
        assert isinstance(result, tg.Tensor)
        assert result.tolist() == expected
    (array * x).sum().backward()
    assert x.grad.tolist() == [1, 2]


def test_in_place_on_an_array_by_a_tensor_keeps_the_gradient_or_is_refused() -> None:
    array, x = np.array([1.0, 2.0]), leaf([3.0, 4.0])
    try:
        array += x
    except TypeError:
        assert array.tolist() == [1, 2]
    else:
        assert isinstance(array, tg.Tensor)
        array.sum().backward()
        assert x.grad.tolist() == [1, 1]


def test_lists_are_operands(device: str) -> None:
    x = leaf([1.0, 2.0], "float32", device)
    for result in (x - [1, 2], [1, 2] - x, x * [1.0, 2.0], tg.add([1, 2], x), tg.maximum(x, [0.0, 5.0])):
        assert isinstance(result, tg.Tensor)
        assert result.dtype == np.float32
    assert (x - [1, 3]).tolist() == [0, -1]
    assert ([1, 3] - x).tolist() == [0, 1]
    assert tg.add([1, 2], [3, 4]).tolist() == [4, 6]
    assert tg.exp([0.0]).dtype == np.float32
    assert tg.sum([[1, 2], [3, 4]], axis=0).tolist() == [4, 6]
    for result in (tg.concat([[1, 2], x]), tg.stack([x, [1, 2]]), tg.outer(x, [1, 2]), tg.tensordot([1, 2], x, axes=1)):
        assert (result.dtype, result.device) == (np.float32, device)
    assert tg.concat([[1], x]).tolist() == [1, 1, 2]
    assert tg.stack([x[0], 5]).tolist() == [1, 5]
    assert tg.einsum("i,i", x, [1, 2]).dtype == np.float32
    assert tg.conv1d(x.reshape(1, 1, 2), tg.ones((1, 1, 1), device=device), [1]).tolist() == [[[2, 3]]]


def test_numpy_functions_of_tensors() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    results = [np.sin(x), np.sum(x, axis=0), np.exp(x), np.add(x, 1), np.multiply(np.ones(2), x), np.mean(x)]
    results += [np.concatenate([x, x]), np.stack([x, x]), np.reshape(x, (4,)), np.transpose(x), np.maximum(x, 2)]
    results += [np.max(x, axis=1), np.einsum("ij->i", x), np.where(x.data > 1, x, 0), np.matmul(x, x), np.flip(x)]
    results += [np.cumsum(x, axis=0), np.power(x, 2), np.arctan2(x, 1.0), np.clip(x, 1, 2), np.squeeze(x[None])]
    for result in results:
        assert isinstance(result, tg.Tensor)
        assert result.requires_grad
    assert np.sum(x, axis=0).tolist() == [4, 6]
    assert np.argmax(x).item() == 3
    assert np.asarray(x) is x.data
    (gradient,) = tg.grad(np.sum(np.sin(x)), x)
    np.testing.assert_allclose(gradient.numpy(), np.cos(x.data), rtol=1e-14)


def test_comparison_with_what_is_no_number() -> None:
    x = tg.tensor([1.0])
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert (x == "x") is False
    assert x is not None
    assert x in [None, x]
    with pytest.raises(TypeError):
        _ = x < None
    with pytest.raises(TypeError):
        _ = x + "x"
    with pytest.raises(TypeError):
        _ = None * x


def test_results_without_axes_are_tensors(device: str) -> None:
    x = leaf([1.0, 2.0], "float32", device)
    scalar = leaf(2.0, "float32", device)
    results = [x.sum(), tg.max(x), x[0], x @ x, tg.vector_norm(x), tg.mean(x), x.std(), tg.prod(x), tg.einsum("i->", x)]
    results += [
        scalar * scalar,
        -scalar,
        scalar**2,
        scalar + 1,
        tg.exp(scalar),
        scalar.reshape(()),
        tg.where(True, scalar, 0),
    ]
    for result in results:
        assert isinstance(result, tg.Tensor)
        assert result.shape == ()
        assert result.dtype == np.float32
        assert result.device == device
        assert type(result.data) is type(x.data)
        (gradient,) = tg.grad(
            result, x if result.requires_grad and result in results[:9] else scalar, allow_unused=True
        )
    (gradient,) = tg.grad(x.sum() * scalar, scalar)
    assert gradient.shape == ()
    assert type(gradient.data) is type(x.data)
    for result in (x.argmax(), x.any(), x == x, tg.count_nonzero(x), tg.isnan(scalar)):
        assert isinstance(result, tg.Tensor)
        assert type(result.data) is type(x.data)


# -- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [tg.zeros, tg.ones, tg.empty])
def test_a_shape_by_its_name_as_a_tuple_or_one_by_one(make: Any) -> None:
    for new in (make(shape=(2, 3)), make(2, 3), make((2, 3)), make([2, 3], dtype="float32")):
        assert new.shape == (2, 3)
    assert make(shape=2).shape == make(2).shape == (2,)
    assert make(shape=()).shape == make(()).shape == make().shape == ()
    with pytest.raises(TypeError, match="shape"):
        make(2, shape=(2, 3))


def test_reshape_copies_when_asked(device: str) -> None:
    x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], device=device)
    xp = backend.namespace(x.data)
    assert xp.shares_memory(tg.reshape(x, (3, 2), copy=False).data, x.data)
    assert xp.shares_memory(x.reshape(3, 2).data, x.data)
    for y in (tg.reshape(x, (3, 2), copy=True), x.reshape(3, 2, copy=True), x.T.reshape(6, copy=True)):
        assert not xp.shares_memory(y.data, x.data)
    assert x.T.reshape(6, copy=None).tolist() == [1, 4, 2, 5, 3, 6]
    with pytest.raises(ValueError, match="copy"):
        tg.reshape(x.T, 6, copy=False)
    assert tg.reshape(x[:0], (3, 0), copy=False).shape == (3, 0)
    (gradient,) = tg.grad((x.reshape(6, copy=True) * tg.arange(6, device=device)).sum(), x)
    assert gradient.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_to_another_device_by_the_standards_names(device: str) -> None:
    x = leaf([1.0, 2.0], "float32")
    for there in (x.to_device(device), tg.astype(x, "float64", device=device), x.astype("float32", device=device)):
        assert there.device == device
        (gradient,) = tg.grad(there.sum(), x)
        assert (gradient.device, gradient.dtype, gradient.tolist()) == ("cpu", np.float32, [1, 1])
    assert x.astype("float32", copy=False) is x.astype("float32", copy=False, device="cpu") is x.to_device("cpu") is x
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)


def test_linalg_has_what_the_standard_has_of_it() -> None:
    for name in ["diagonal", "matmul", "matrix_transpose", "outer", "tensordot", "trace", "vecdot", "vector_norm"]:
        assert name in tg.linalg.__all__
        assert getattr(tg.linalg, name) is getattr(tg, name)


ALONG_AXES = sorted(name for name, function in FUNCTIONS.items() if "axis" in inspect.signature(function).parameters)


@pytest.mark.parametrize("name", ALONG_AXES)
def test_pytorchs_names_of_axis_and_keepdims(name: str) -> None:
    function, x = FUNCTIONS[name], leaf([[[1.0, 2.0], [4.0, 3.0]]])
    indices = tg.zeros((1, 2, 2), dtype="int64")
    arguments: dict[str, tuple[Any, ...]] = {
        **dict.fromkeys(("concat", "stack"), ((x, x),)),
        **dict.fromkeys(("repeat", "split", "roll"), (x, 1)),
        **dict.fromkeys(("take", "take_along_axis"), (x, indices)),
        **dict.fromkeys(("cosine_similarity", "vecdot"), (x, x)),
        "glu": (tg.concat([x, x]),),
    }
    given = arguments.get(name, (x,))
    for options, aliases in [({"axis": 0}, {"dim": 0}), ({"axis": 0, "keepdims": True}, {"dim": 0, "keepdim": True})]:
        if options.keys() <= inspect.signature(function).parameters.keys():
            expected, found = function(*given, **options), function(*given, **aliases)
            assert [y.tolist() for y in tuple(found)] == [y.tolist() for y in tuple(expected)]
            assert getattr(found, "shape", None) == getattr(expected, "shape", None)
    if not hasattr(function, "op"):
        with pytest.raises(TypeError, match=f"{name}.*'axis' and 'dim'"):
            function(*given, axis=0, dim=0)
    with pytest.raises(TypeError, match="sideways"):
        function(*given, sideways=0)


# -- options ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda x: tg.sum(x, axis=2), (IndexError, ValueError), "axis"),
        (lambda x: tg.sum(x, axis=(0, 0)), ValueError, "axis"),
        (lambda x: tg.reshape(x, (4, 2)), ValueError, "reshape"),
        (lambda x: tg.permute_dims(x, (0, 0)), ValueError, "repeated|twice"),
        (lambda x: tg.squeeze(x, 0), ValueError, "squeeze"),
        (lambda x: tg.concat([x, x[:, :1]]), ValueError, "dimension|shape"),
        (lambda x: tg.stack([x, x[:1]]), ValueError, "one shape"),
        (lambda x: tg.stack([]), ValueError, "at least one"),
        (lambda x: x.view(4, -1), ValueError, r"shape \(2, 3\), 6 elements, to \(4, -1\): .* another number"),
        (lambda x: x.reshape(-1, -1), ValueError, r"to \(-1, -1\): .* more than one -1"),
        (lambda x: tg.matmul(x, x), ValueError, "mismatch|shape"),
        (lambda x: x @ 2.0, ValueError, "axis"),
        (lambda x: tg.matmul(x, x), ValueError, r"\(2, 3\) and \(2, 3\).* 3 .* 2 "),
        (lambda x: tg.matmul(x, tg.ones(2)), ValueError, r"\(2, 3\) and \(2,\).* 3 .* 2 "),
        (lambda x: tg.matmul(x, 2.0), ValueError, "one axis or more"),
        (lambda x: tg.matmul(x[[0, 1, 1]][:, None], tg.ones((2, 3, 1))), ValueError, "do not broadcast"),
        (lambda x: tg.linear(x, x[:, :2]), ValueError, r"\(2, 3\).*\(2, 2\).*in_features"),
        (lambda x: tg.linear(x, x, tg.ones(3)), ValueError, r"bias \(3,\).*out_features"),
        (lambda x: tg.einsum("ij,jk", x), ValueError, "operands"),
        (lambda x: tg.einsum(x), TypeError, "subscripts"),
        (lambda x: tg.einsum("ij->ik", x), ValueError, "k"),
        (lambda x: tg.max(x[:0]), ValueError, "zero-size|empty"),
        (lambda x: x[5], IndexError, "bounds"),
        (lambda x: x[[0, 9]], IndexError, "bounds"),
        (lambda x: x[1.0], IndexError, "index"),
        (lambda x: x["a"], IndexError, "index"),
        (lambda x: tg.split(x, 2, axis=1), ValueError, "equal"),
        (lambda x: tg.pad(x, ((1, 1),)), ValueError, "pair"),
        (lambda x: tg.pad(x, 1, mode="mirror"), ValueError, "mirror"),
        (lambda x: tg.cumulative_sum(x), ValueError, "axis"),
        (lambda x: tg.add(x), TypeError, "x2"),
        (lambda x: tg.exp(x, axis=1), TypeError, "axis"),
        (lambda x: tg.conv2d(x[None], tg.ones((1, 2, 1, 1))), ValueError, "channels"),
        (lambda x: tg.max_pool2d(x[None], 2, padding=2), ValueError, "half"),
        (lambda x: tg.conv2d(x[None], tg.ones((1, 1, 1, 1)), padding="some"), ValueError, "same"),
        (lambda x: tg.conv2d(x[None], tg.ones((1, 1, 2, 2)), stride=2, padding="same"), ValueError, "stride"),
        (lambda x: tg.adaptive_avg_pool2d(x[None], (1, 2, 3)), ValueError, "adaptive_avg_pool2d.*2 of them"),
        (lambda x: tg.cumulative_sum(x[0, 0], include_initial=True), ValueError, "include_initial"),
    ],
)
def test_bad_input_is_named(function: Any, error: Any, words: str) -> None:
    x = leaf(np.ones((2, 3)))
    before = copy.deepcopy(x)
    with pytest.raises(error, match=words):
        function(x)
    assert x.tolist() == before.tolist()
    assert x.grad is None
