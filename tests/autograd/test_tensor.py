"""Tensor: how it is made, shown, converted, copied."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tensorgrad as tg


class TestMaking:
    @pytest.mark.parametrize(
        ("data", "dtype"),
        [
            (1.5, "float32"),
            (1, "int64"),
            (True, "bool"),
            (1j, "complex64"),
            ([1, 2.0], "float32"),
            ([[1], [2]], "int64"),
            ([], "float32"),
            (np.float64(1.5), "float64"),
            ([np.float64(1.5)], "float64"),
            (np.ones(2), "float64"),
            (np.ones(2, "float16"), "float16"),
            (np.ones(2, ">f4"), "float32"),
            (range(3), "int64"),
        ],
    )
    def test_dtype(self, data, dtype):
        assert tg.tensor(data).dtype == dtype
        assert tg.asarray(data).dtype == dtype
        assert tg.tensor(data, dtype="float64" if dtype != "complex64" else None).dtype in ("float64", "complex64")

    def test_tensor_copies_and_asarray_does_not(self):
        array = np.ones(2)
        copied, shared = tg.tensor(array), tg.asarray(array)
        array[0] = 5
        assert copied.tolist() == [1.0, 1.0]
        assert shared.tolist() == [5.0, 1.0]
        assert tg.from_numpy(array).numpy() is array

    def test_asarray_of_a_tensor_is_itself_on_its_graph(self):
        x = tg.tensor([1.0], requires_grad=True)
        y = x * 2
        assert tg.asarray(y) is y
        z = tg.asarray(y, dtype="float64")
        z.sum().backward()
        assert x.grad.dtype == np.float32
        assert tg.asarray(y.detach(), copy=True).data is not y.data
        with pytest.raises(ValueError, match="needs a copy"):
            tg.asarray(np.ones(2), dtype="float32", copy=False)

    def test_of_a_tensor_is_a_detached_copy(self):
        x = tg.tensor([1.0], requires_grad=True)
        y = tg.tensor(x * 2)
        assert not y.requires_grad
        assert not np.shares_memory(x.data, tg.tensor(x).data)

    def test_of_tensors_in_a_list(self):
        assert tg.tensor([tg.tensor(1.0), tg.tensor(2.0)]).tolist() == [1.0, 2.0]

    def test_on_a_device(self, device):
        x = tg.Tensor([1.0, 2.0], device=device, requires_grad=True)
        assert x.device == device
        (x * x).sum().backward()
        assert x.grad.device == device
        assert x.grad.tolist() == [2.0, 4.0]

    @pytest.mark.parametrize(
        ("make", "shape", "dtype"),
        [
            (lambda d: tg.zeros(2, 3, device=d), (2, 3), "float32"),
            (lambda d: tg.zeros((2, 3), device=d, dtype="int64"), (2, 3), "int64"),
            (lambda d: tg.ones((), device=d), (), "float32"),
            (lambda d: tg.full((2,), 3, device=d), (2,), "int64"),
            (lambda d: tg.full((2,), 0.5, device=d), (2,), "float32"),
            (lambda d: tg.arange(5, device=d), (5,), "int64"),
            (lambda d: tg.arange(0, 1, 0.25, device=d), (4,), "float32"),
            (lambda d: tg.linspace(0, 1, 3, device=d), (3,), "float32"),
            (lambda d: tg.eye(2, 3, device=d), (2, 3), "float32"),
            (lambda d: tg.zeros_like(tg.ones(2, device=d, dtype="float64")), (2,), "float64"),
            (lambda d: tg.full_like(tg.ones(2, device=d), 2), (2,), "float32"),
            (lambda d: tg.empty((0, 2), device=d), (0, 2), "float32"),
        ],
    )
    def test_filled(self, make, shape, dtype, device):
        x = make(device)
        assert (x.shape, x.dtype, x.device) == (shape, dtype, device)


class TestShowing:
    def test_repr(self):
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        assert repr(x) == "Tensor([1., 2.], dtype=float32, device='cpu', requires_grad=True)"
        assert repr(x * 2) == "Tensor([2., 4.], dtype=float32, device='cpu', op=multiply)"
        assert repr(tg.tensor([[1, 2], [3, 4]])) == "Tensor([[1, 2],\n        [3, 4]], dtype=int64, device='cpu')"
        assert repr(tg.zeros((0, 2))) == "Tensor([], shape=(0, 2), dtype=float32, device='cpu')"
        assert repr(tg.tensor(1.5)) == "Tensor(1.5, dtype=float32, device='cpu')"

    def test_format(self):
        assert f"{tg.tensor(1.23456):.2f}" == "1.23"
        assert f"{tg.tensor([1.0])}" == str(tg.tensor([1.0]))


class TestConverting:
    def test_numbers(self):
        x = tg.tensor(2.5)
        assert (x.item(), float(x), int(x), complex(x), bool(x)) == (2.5, 2.5, 2, 2.5 + 0j, True)
        assert [10, 20, 30][tg.tensor(1)] == 20
        with pytest.raises(TypeError, match="0-d integer"):
            [10, 20][tg.tensor(1.0)]

    def test_numpy_protocols(self):
        x = tg.tensor([1.0, 2.0])
        assert np.asarray(x) is x.data
        assert np.asarray(x, dtype="float64").dtype == np.float64
        assert isinstance(np.exp(x), tg.Tensor)
        assert isinstance(np.ones(2, "float32") + x, tg.Tensor)
        assert isinstance(np.concatenate([x, x]), tg.Tensor)
        assert np.sum(x, axis=0).item() == 3.0
        assert np.from_dlpack(x).tolist() == [1.0, 2.0]

    def test_numpy_functions_without_a_counterpart(self, tmp_path):
        x = tg.tensor([1.0, 2.0])
        assert np.allclose(x, [1.0, 2.0])
        assert np.median(x) == 1.5
        assert np.add.reduce(x) == 3.0
        array = np.ones(2, "float32")
        array += x
        assert array.tolist() == [2.0, 3.0]
        np.save(tmp_path / "x.npy", x)
        assert np.load(tmp_path / "x.npy").tolist() == [1.0, 2.0]
        assert np.trace(tg.ones((2, 2, 3))).shape == (3,)
        with pytest.raises(TypeError, match=r"median\(\) has no counterpart.*x\.detach\(\)"):
            np.median(tg.tensor([1.0], requires_grad=True))

    def test_gradients_through_numpy_functions(self):
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        np.multiply(np.ones(2, "float32"), np.square(x)).sum().backward()
        assert x.grad.tolist() == [2.0, 4.0]

    @pytest.mark.parametrize(
        ("function", "args", "options"),
        [
            (np.concatenate, ["pair", 1], {}),
            (np.concatenate, ["pair"], {"axis": None}),
            (np.concatenate, ["pair"], {"dtype": "float64"}),
            (np.stack, ["pair", 1], {}),
            (np.vstack, ["pair"], {}),
            (np.hstack, ["pair"], {}),
            (np.flip, ["x", 0], {}),
            (np.roll, ["x", 1, 1], {}),
            (np.repeat, ["x", 2, 1], {}),
            (np.cumsum, ["x", 1], {}),
            (np.cumsum, ["x"], {}),
            (np.cumprod, ["x", 0], {}),
            (np.sort, ["x", 0], {"kind": "stable"}),
            (np.sort, ["x"], {"axis": None}),
            (np.argsort, ["x", 0], {}),
            (np.take, ["x", [1, 0], 1], {}),
            (np.take_along_axis, ["x", np.array([[0], [1]]), 1], {}),
            (np.tensordot, ["x", "x", 1], {}),
            (np.split, ["x", 2, 1], {}),
            (np.squeeze, ["x"], {}),
            (np.reshape, ["x", (4,)], {}),
            (np.reshape, ["x", (4,)], {"order": "F"}),
            (np.ravel, ["x"], {}),
            (np.moveaxis, ["x", 0, 1], {}),
            (np.expand_dims, ["x", 1], {}),
            (np.transpose, ["x", (1, 0)], {}),
            (np.pad, ["x", 1], {"constant_values": 5}),
            (np.pad, ["x", 1, "edge"], {}),
            (np.clip, ["x", 2, 3], {}),
            (np.clip, ["x", None, 3], {}),
            (np.clip, ["x", 2, None], {}),
            (np.around, ["x", 1], {}),
            (np.tril, ["x", -1], {}),
            (np.var, ["x"], {"ddof": 1}),
            (np.std, ["x", 0, None, None, 1], {}),
            (np.mean, ["x"], {"dtype": "float64"}),
            (np.sum, ["x", 0, None, None, True], {}),
            (np.sum, ["x"], {"where": [[True], [False]]}),
            (np.sum, ["x"], {"initial": 3}),
            (np.max, ["x", 1], {"initial": 2}),
            (np.where, [[[True], [False]], "x", 0], {}),
            (np.where, ["x"], {}),
            (np.full_like, ["x", 7], {}),
            (np.meshgrid, ["row", "row"], {"indexing": "ij"}),
            (np.meshgrid, ["row", "row"], {"sparse": True}),
            (np.einsum, ["ij,jk", "x", "x"], {"optimize": True}),
            (np.dot, ["x", "x"], {}),
            (np.dot, ["row", "x"], {}),
            (np.dot, ["x", 2.0], {}),
            (np.dot, ["cube", "cube"], {}),
            (np.linalg.norm, ["x"], {}),
            (np.linalg.norm, ["x", 1, 0], {}),
            (np.linalg.norm, ["x", 1], {}),
            (np.linalg.norm, ["row", 3], {"keepdims": True}),
            (np.linalg.norm, ["x"], {"axis": (0, 1)}),
            (np.linalg.inv, ["x"], {}),
            (np.linalg.trace, ["cube"], {}),
            (np.trace, ["cube"], {}),
            (np.diagonal, ["cube"], {}),
            (np.outer, ["row", "row"], {}),
            (np.fft.fft, ["row"], {}),
            (np.add, ["x", 1], {"dtype": "float64"}),
            (np.linspace, [0, 1, 3], {}),
        ],
        ids=lambda value: getattr(value, "__name__", None),
    )
    def test_numpy_functions_are_called_as_numpy_does(self, function, args, options):
        data = {"x": [[4.0, 2.0], [1.0, 3.0]], "row": [2.0, 3.0], "cube": [[[1.0, 2.0], [3.0, 4.0]]] * 2}
        arrays = {name: np.array(values, dtype="float32") for name, values in data.items()}
        arrays["pair"] = [arrays["x"], arrays["x"]]
        tensors = {name: tg.tensor(array) for name, array in arrays.items() if name != "pair"}
        tensors["pair"] = [tensors["x"], tensors["x"]]

        def call(those):
            return function(*(those[arg] if isinstance(arg, str) and arg in those else arg for arg in args), **options)

        expected, found = call(arrays), call(tensors)
        several = isinstance(expected, (list, tuple))
        for one, other in zip(expected if several else [expected], found if several else [found], strict=True):
            np.testing.assert_allclose(np.asarray(other), one, rtol=1e-6)

    def test_gradients_through_numpy_functions_called_as_numpy_does(self):
        x = tg.tensor([[4.0, 2.0], [1.0, 3.0]], requires_grad=True)
        results = [np.concatenate([x, x], 1), np.flip(x, 0), np.cumsum(x), np.var(x, ddof=1), np.linalg.norm(x)]
        results += [np.vstack([x[0], x]), np.hstack([x, x]), np.dot(x, x), np.sort(x, None), np.sum(x, 0, None, None)]
        for result in results:
            assert isinstance(result, tg.Tensor)
            assert result.requires_grad
        for refused in (
            lambda: np.mean(x, dtype="float64"),
            lambda: np.linalg.norm(x, 2),
            lambda: np.sum(x, where=[True, False]),
            lambda: np.linalg.inv(x),
        ):
            with pytest.raises(TypeError, match=r"(mean|norm|sum|inv)\(\).*x\.detach\(\)"):
                refused()
        array = np.ones((2, 2), "float32")
        with pytest.raises(TypeError, match=r"NumPy's add\(\)"):
            array += x
        with pytest.raises(TypeError, match=r"NumPy's add\.reduce\(\)"):
            np.add.reduce(x)

    def test_numpy_functions_that_nothing_is_differentiated_of(self):
        x = tg.tensor([[1.0, 2.0]], requires_grad=True)
        assert np.shape(x) == (1, 2)
        assert np.ndim(x) == np.size(x) == np.size(x, axis=1) == 2
        assert np.allclose(x, x)
        assert np.isclose(x, 1).tolist() == [[True, False]]
        assert np.array_equal(x, x)
        assert np.unique(x).tolist() == [1.0, 2.0]
        assert np.argwhere(x).tolist() == [[0, 0], [0, 1]]
        assert np.shares_memory(x, x.data)
        assert np.result_type(x, np.float32) == np.float32

    def test_numpy_functions_of_tensors_elsewhere(self, device):
        x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], device=device)
        assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 2), 2, 4)
        for result in (np.dot(x, x), np.linalg.norm(x, axis=0), np.cumsum(x), np.vstack([x, x[0]]), x.T.contiguous()):
            assert result.device == device

    def test_numpy_does_not_write_into_tensors(self):
        # The change would not be counted, and the gradients of what was kept silently be wrong.
        x, w = tg.ones(3), tg.ones(3, requires_grad=True)
        y = (x * w).sum()
        for write in (
            lambda: np.add(x, 1, out=x),
            lambda: np.add(np.ones(3), 1, out=x),
            lambda: np.sum(np.ones((2, 3)), axis=0, out=x),
            lambda: np.add.reduce(np.ones((2, 3)), out=x),
            lambda: np.add.at(x, 0, 2),
        ):
            with pytest.raises(TypeError, match=r"into a Tensor.*x\[\.\.\.\] = "):
                write()
        for write in (
            lambda: np.copyto(x, 2),
            lambda: np.put(x, 0, 2),
            lambda: np.fill_diagonal(tg.ones((2, 2)), 2),
        ):
            with pytest.raises(ValueError, match="read-only"):
                write()
        y.backward()
        assert w.grad.tolist() == x.tolist() == [1.0, 1.0, 1.0]

    def test_numbers_in_tensors(self):
        one = tg.tensor(1.0)
        for made in (tg.linspace(0, one, 3), np.linspace(one - 1, one, 3), tg.linspace(0, np.ones(()), 3)):
            assert (made.tolist(), made.dtype) == ([0.0, 0.5, 1.0], np.float32)
        assert tg.arange(tg.tensor(3)).tolist() == [0, 1, 2]
        assert tg.arange(0, one, 0.5).dtype == np.float32
        assert tg.full(tg.tensor(2), tg.tensor(5)).tolist() == [5, 5]
        assert tg.full_like(one, tg.tensor([3.0])).item() == 3.0
        assert tg.zeros(tg.tensor(2), 1).shape == (2, 1)

    def test_namespace(self):
        assert tg.ones(1).__array_namespace__() is tg

    def test_to(self, device):
        x = tg.tensor([1.0], requires_grad=True)
        y = x.to(device, "float64")
        assert (y.device, y.dtype) == (device, np.float64)
        y.sum().backward()
        assert (x.grad.device, x.grad.dtype) == ("cpu", np.float32)
        assert x.to("cpu") is x
        assert x.to(y.detach()).dtype == np.float64
        assert x.double().dtype == np.float64
        assert y.cpu().device == "cpu"
        with pytest.raises(tg.DeviceError, match="'float33' is neither a dtype nor a device"):
            x.to("float33")
        with pytest.raises(tg.DeviceError, match=r"'cpu:1'.*there is 1 'cpu' device"):
            x.to("cpu:1")
        assert x.to("cpu:0") is x
        with pytest.raises(TypeError, match="expected a dtype"):
            x.to(3.5)

    def test_gradients_of_gradients_come_back_from_a_device(self, device):
        x = tg.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
        (slope,) = tg.grad((x**3).to(device).sum(), x, create_graph=True)
        (curvature,) = tg.grad(slope.sum(), x)
        assert (slope.device, slope.tolist(), curvature.tolist()) == ("cpu", [3.0, 12.0], [6.0, 12.0])

    def test_iteration_unpacking_and_length(self):
        a, b = tg.tensor([1.0, 2.0], requires_grad=True)
        assert (a.item(), b.item()) == (1.0, 2.0)
        assert len(tg.ones((3, 2))) == 3
        assert [row.shape for row in tg.ones((3, 2))] == [(2,)] * 3


class Ours:
    """What knows how to be added to a Tensor."""

    def __radd__(self, other):
        return "theirs"

    __rdivmod__ = __rmatmul__ = __radd__


class TestMethods:
    def test_the_other_operand_has_its_turn(self):
        x = tg.tensor([1.0])
        assert x + Ours() == x @ Ours() == divmod(x, Ours()) == "theirs"
        y = x
        y += Ours()
        assert y == "theirs"
        with pytest.raises(TypeError, match="unsupported operand"):
            x + object()
        assert (x == object()) is False
        assert (x + range(1)).tolist() == x.__add__((0,)).tolist() == (x + np.float64(0)).tolist() == [1.0]

    def test_round_and_divmod(self):
        assert round(tg.tensor([1.26, 2.5])).tolist() == [1.0, 2.0]
        assert round(tg.tensor(1.26, dtype="float64"), 1).item() == 1.3
        assert [part.item() for part in divmod(tg.tensor(-7.0), 2)] == [-4.0, 1.0]
        assert [part.item() for part in divmod(-7, tg.tensor(2))] == [-4, 1]

    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            (lambda x: x.add(1), [[2.0, 3.0], [4.0, 5.0]]),
            (lambda x: x.remainder(2), [[1.0, 0.0], [1.0, 0.0]]),
            (lambda x: x.mm(x), [[7.0, 10.0], [15.0, 22.0]]),
            (lambda x: x.t(), [[1.0, 3.0], [2.0, 4.0]]),
            (lambda x: x[0].t(), [1.0, 2.0]),
            (lambda x: x.cumsum(1), [[1.0, 3.0], [3.0, 7.0]]),
            (lambda x: x.cumprod(axis=0), [[1.0, 2.0], [3.0, 8.0]]),
            (lambda x: x[0].cumsum(), [1.0, 3.0]),
            (lambda x: x.flip(0), [[3.0, 4.0], [1.0, 2.0]]),
            (lambda x: x.roll(1, 1), [[2.0, 1.0], [4.0, 3.0]]),
            (lambda x: x.take([1], 0), [[3.0, 4.0]]),
            (lambda x: x.argsort(0), [[0, 0], [1, 1]]),
            (lambda x: x.softmax(-1).sum(-1).round(), [1.0, 1.0]),
            (lambda x: x[:, :1].expand(-1, 2), [[1.0, 1.0], [3.0, 3.0]]),
            (lambda x: x[0].expand((1, -1)), [[1.0, 2.0]]),
            (lambda x: x.repeat(2, axis=1)[0], [1.0, 1.0, 2.0, 2.0]),
            (lambda x: x.masked_fill(x > 2, 0), [[1.0, 2.0], [0.0, 0.0]]),
            (lambda x: x.le(2), [[True, True], [False, False]]),
            (lambda x: x.logical_not(), [[False, False], [False, False]]),
            (lambda x: x.exp2(), [[2.0, 4.0], [8.0, 16.0]]),
            (lambda x: x.view_as(tg.ones(4)), [1.0, 2.0, 3.0, 4.0]),
            (lambda x: x.type_as(tg.tensor(1)), [[1, 2], [3, 4]]),
            (lambda x: x[0].expand_as(x), [[1.0, 2.0], [1.0, 2.0]]),
            (lambda x: x.norm(1), 10.0),
            (lambda x: x.norm(p=1, dim=0), [4.0, 6.0]),
            (lambda x: x.norm(float("inf"), 1, keepdim=True), [[2.0], [4.0]]),
            (lambda x: x.norm("fro") ** 2 - x.norm() ** 2, 0.0),
            (lambda x: x.norm(ord=0, axis=1), [2.0, 2.0]),
            (lambda x: x.gather(1, tg.tensor([[1], [0]])), [[2.0], [3.0]]),
            (lambda x: x.gather(dim=0, index=tg.tensor([[1]])), [[3.0]]),
            (lambda x: x.index_select(1, tg.tensor([1, 1])), [[2.0, 2.0], [4.0, 4.0]]),
            (lambda x: x.unbind(1)[1], [2.0, 4.0]),
            (lambda x: x.topk(1).values, [[2.0], [4.0]]),
            (lambda x: x.topk(2, dim=0).indices, [[1, 1], [0, 0]]),
            (lambda x: x.topk(1, 1, False, True)[0], [[1.0], [3.0]]),
            (lambda x: x.topk(0, 0)[1], []),
        ],
    )
    def test_methods_as_people_type_them(self, call, expected):
        assert call(tg.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist() == expected

    def test_what_is_picked_gets_its_gradient(self):
        x = tg.tensor([[1.0, 3.0, 2.0], [6.0, 5.0, 4.0]], requires_grad=True)
        (x.topk(2).values.sum() + 10 * x.gather(1, tg.tensor([[2], [2]])).sum()).backward()
        assert x.grad.tolist() == [[0.0, 1.0, 11.0], [1.0, 1.0, 10.0]]

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda x: x.topk(3), r"0 to 2 elements along axis 1 of \(2, 2\), not 3"),
            (lambda x: x.gather(1, tg.tensor([0])), r"index with as many axes, .* got \(1,\)"),
            (lambda x: x.gather(1, tg.tensor([[0], [0], [0]])), r"none but that one longer; got \(3, 1\)"),
        ],
    )
    def test_what_cannot_be_picked(self, call, words):
        with pytest.raises(ValueError, match=words):
            call(tg.ones((2, 2)))

    def test_contiguous(self):
        x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        assert x.contiguous() is x
        y = x.T.contiguous()
        assert y.data.flags.c_contiguous
        assert y.requires_grad


class TestCopying:
    def test_deepcopy(self):
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        x.sum().backward()
        y = copy.deepcopy(x)
        assert y.requires_grad
        assert y.grad.tolist() == [1.0, 1.0]
        assert not np.shares_memory(x.data, y.data)
        assert not np.shares_memory(x.grad.data, y.grad.data)
        with pytest.raises(tg.GradientError, match=r"detach\(\)"):
            copy.deepcopy(x * 2)

    def test_pickle(self):
        x = tg.tensor([1.0, 2.0], requires_grad=True)
        y = pickle.loads(pickle.dumps(x))
        assert y.tolist() == [1.0, 2.0]
        assert y.requires_grad

    def test_clone_is_on_the_graph(self):
        x = tg.tensor([1.0], requires_grad=True)
        y = x.clone()
        assert not np.shares_memory(x.data, y.data)
        y.sum().backward()
        assert x.grad.item() == 1.0

    def test_detach_shares_memory(self):
        x = tg.tensor([1.0], requires_grad=True)
        y = x.detach()
        assert not y.requires_grad
        assert y.data is x.data


class TestData:
    def test_replacing_the_data_of_a_leaf(self):
        x = tg.tensor([1.0], requires_grad=True)
        x.data = np.ones(3, "float64")
        (x * 2).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0, 2.0]
        assert x.grad.dtype == np.float64
        with pytest.raises(tg.GradientError):
            x.data = np.ones(3, "int64")
        with pytest.raises(tg.GradientError, match=r"made by 'multiply'.*detach"):
            (x * 2).data = np.ones(3)

    def test_hashable_by_identity(self):
        x, y = tg.tensor([1.0]), tg.tensor([1.0])
        assert len({x, y, x}) == 2
        assert (x == y).tolist() == [True]

    def test_comparison_with_what_is_no_array(self):
        x = tg.tensor([1.0])
        assert (x == None) is False  # noqa: E711
        assert x != "abc"
        with pytest.raises(TypeError):
            assert x < None
