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
        with pytest.raises(tg.DeviceError, match="unknown device 'float33'"):
            x.to("float33")
        with pytest.raises(TypeError, match="expected a dtype"):
            x.to(3.5)

    def test_iteration_unpacking_and_length(self):
        a, b = tg.tensor([1.0, 2.0], requires_grad=True)
        assert (a.item(), b.item()) == (1.0, 2.0)
        assert len(tg.ones((3, 2))) == 3
        assert [row.shape for row in tg.ones((3, 2))] == [(2,)] * 3


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
