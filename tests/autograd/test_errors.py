"""What goes wrong is said in words that help: what was given, what was wanted, what to do."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import backend


def leaf(*values, dtype="float32"):
    return tg.tensor(list(values), dtype=dtype, requires_grad=True)


class TestBackward:
    def test_without_a_gradient_from_many_elements(self):
        with pytest.raises(tg.GradientError, match=r"shape \(2,\) needs the gradient.*loss\.sum\(\) or loss\.mean\(\)"):
            (leaf(1.0, 2.0) * 2).backward()

    def test_gradient_of_the_wrong_shape(self):
        with pytest.raises(tg.GradientError, match=r"has shape \(3,\), but the tensor has shape \(2,\)"):
            (leaf(1.0, 2.0) * 2).backward(tg.ones(3))

    def test_gradient_of_the_wrong_dtype(self):
        with pytest.raises(
            tg.GradientError, match=r"has dtype float64, but the tensor has dtype float32.*\.to\('float32'\)"
        ):
            (leaf(1.0, 2.0) * 2).backward(np.ones(2))

    def test_gradient_on_the_wrong_device(self):
        with pytest.raises(tg.GradientError, match=r"has device strict, but the tensor has device cpu.*\.to\('cpu'\)"):
            (leaf(1.0, 2.0) * 2).backward(tg.ones(2, device="strict"))

    def test_twice(self):
        x = leaf(1.0)
        y = tg.exp(x).sum()
        y.backward()
        with pytest.raises(tg.GradientError, match=r"a second time.*retain_graph=True"):
            y.backward()

    def test_twice_through_a_shared_part(self):
        x = leaf(1.0)
        shared = tg.exp(x)
        shared.sum().backward()
        with pytest.raises(tg.GradientError, match=r"'exp' a second time.*retain_graph=True"):
            (shared * 2).sum().backward()

    def test_without_a_graph(self):
        with pytest.raises(tg.GradientError, match=r"requires_grad=True.*does not require a gradient"):
            tg.tensor(1.0).backward()

    def test_inputs_that_require_no_gradient(self):
        with pytest.raises(tg.GradientError, match=r"inputs\[1\].*does not require a gradient"):
            tg.grad(leaf(1.0) * 2, [leaf(1.0), tg.ones(1)])

    def test_inputs_that_are_no_tensors(self):
        with pytest.raises(TypeError, match="inputs must be a Tensor or a sequence of Tensors, not NoneType"):
            tg.grad(leaf(1.0) * 2, None)
        with pytest.raises(TypeError, match=r"inputs\[0\] is no Tensor but ndarray"):
            tg.grad(leaf(1.0) * 2, [np.ones(1)])

    def test_assigned_gradient_of_the_wrong_shape(self):
        x = leaf(1.0, 2.0)
        with pytest.raises(tg.GradientError, match=r"a gradient has shape \(3,\)"):
            x.grad = tg.ones(3)
        assert x.grad is None

    def test_nothing_is_changed_by_a_failure(self):
        x, y = leaf(1.0), leaf(1.0)
        product = tg.exp(x) * tg.exp(y)
        with tg.no_grad():
            y += 1
        first = tg.exp(x)
        with tg.no_grad():
            first += 1
        with pytest.raises(tg.GradientError):
            (product + first).sum().backward()
        assert x.grad is None
        assert y.grad is None


class TestRequiresGrad:
    @pytest.mark.parametrize("dtype", ["int64", "bool", "uint8"])
    def test_of_integers_and_booleans(self, dtype):
        with pytest.raises(tg.GradientError, match=f"requires_grad=True on a tensor of dtype {dtype}.*floating point"):
            tg.tensor([0, 1], dtype=dtype, requires_grad=True)
        with pytest.raises(tg.GradientError, match="floating point"):
            tg.tensor([0, 1], dtype=dtype).requires_grad_()

    def test_of_complex_numbers(self):
        with pytest.raises(tg.GradientError, match="complex gradients are not supported"):
            tg.tensor([1j], requires_grad=True)

    def test_cannot_be_taken_from_a_result(self):
        y = leaf(1.0) * 2
        with pytest.raises(tg.GradientError, match=r"made by 'multiply' cannot be told to stop.*detach\(\)"):
            y.requires_grad = False


class TestChangedInPlace:
    def test_says_who_needed_it_who_changed_it_and_where(self):
        x, w = tg.ones(3), leaf(1.0, 2.0, 3.0)
        y = w * x
        x += 1
        with pytest.raises(
            tg.GradientError, match=r"shape \(3,\) that 'multiply' kept.*by '\+=' at .*test_errors\.py:\d+"
        ):
            y.sum().backward()

    def test_by_an_item(self):
        x, w = tg.ones(3), leaf(1.0, 2.0, 3.0)
        y = w * x
        x[0] = 5.0
        with pytest.raises(tg.GradientError, match=r"by 'x\[i\] = v'"):
            y.sum().backward()

    def test_an_output_that_was_kept(self):
        y = tg.exp(leaf(1.0))
        with tg.no_grad():
            y *= 2
        with pytest.raises(tg.GradientError, match="'exp' kept"):
            y.sum().backward()

    def test_a_parameter(self):
        w = leaf(1.0)
        y = w * w
        with tg.no_grad():
            w -= 0.1
        with pytest.raises(tg.GradientError, match="'-='"):
            y.sum().backward()

    def test_through_a_view(self):
        x, w = tg.ones(4), leaf(1.0, 2.0)
        y = w * x[:2]
        x.reshape(2, 2)[0] = 7.0
        with pytest.raises(tg.GradientError, match="kept for its gradient was changed"):
            y.sum().backward()

    def test_through_detach(self):
        w = leaf(1.0)
        y = tg.exp(w)
        y.detach()[...] = 0.0
        with pytest.raises(tg.GradientError, match="'exp' kept"):
            y.sum().backward()

    def test_an_index(self):
        index = tg.tensor([0, 1])
        y = leaf(1.0, 2.0)[index]
        index += 0
        with pytest.raises(tg.GradientError, match="'getitem' kept"):
            y.sum().backward()

    def test_in_a_recorded_backward(self):
        x, w = tg.ones(1), leaf(1.0)
        y = (w * x).sum()
        x += 1
        with pytest.raises(tg.GradientError, match="'multiply' kept"):
            tg.grad(y, w, create_graph=True)

    def test_another_part_of_the_same_memory_may_change(self):
        raw = np.ones((10, 4), "float32")
        train, test = tg.from_numpy(raw[:5]), tg.from_numpy(raw[5:])
        w = leaf(1.0, 2.0, 3.0, 4.0)
        y = (train * w).sum()
        test += 1
        y.backward()
        assert w.grad.tolist() == [5.0] * 4
        buffer = tg.zeros(100)
        w = leaf(1.0)
        y = w * buffer[:1]
        for i in range(1, 100):
            buffer[i] = float(i)
        y.sum().backward()
        y = w * buffer[50:51]
        for i in range(100):
            buffer[i] = 0.0
        with pytest.raises(tg.GradientError, match=r"by 'x\[i\] = v'"):
            y.sum().backward()

    def test_what_nobody_kept_may_change(self):
        x, w = tg.ones(1), leaf(1.0)
        y = w + x
        x += 1
        y.sum().backward()
        assert w.grad.item() == 1.0

    def test_what_changed_before_is_fine(self):
        x, w = tg.ones(1), leaf(1.0)
        x += 1
        (w * x).sum().backward()
        assert w.grad.item() == 2.0

    def test_counts(self):
        x = tg.ones(3)
        assert x.version == 0
        x += 1
        x[0] = 2.0
        x.reshape(3, 1)[1] = 0.0
        assert x.version == 3
        assert tg.ones(3).version == 0

    def test_the_count_goes_with_the_memory(self):
        from tensorgrad.autograd import versions

        before = len(versions._memories)
        for _ in range(10):
            x = tg.ones(3)
            x += 1
        del x
        assert len(versions._memories) == before


class TestDevices:
    def test_mixed(self):
        with pytest.raises(tg.DeviceError, match=r"add\(\).*'cpu' and 'strict'.*x\.to\('cpu'\)"):
            tg.ones(2) + tg.ones(2, device="strict")

    def test_a_numpy_array_beside_a_device_tensor(self):
        with pytest.raises(tg.DeviceError, match=r"'strict' and 'cpu'.*tg\.tensor\(array, device='strict'\)"):
            tg.ones(2, device="strict") * np.ones(2)

    def test_in_place(self):
        x = tg.ones(2, device="strict")
        with pytest.raises(tg.DeviceError, match=r"values on 'cpu' for a tensor on 'strict'"):
            x += tg.ones(2)
        with pytest.raises(tg.DeviceError, match=r"values on 'cpu'"):
            x[0] = tg.ones(())

    def test_index_on_another_device(self):
        with pytest.raises(tg.DeviceError, match="index array on 'cpu' for a tensor on 'strict'"):
            tg.ones(2, device="strict")[tg.tensor([0])]

    def test_no_silent_copy_to_the_host(self):
        with pytest.raises(tg.DeviceError, match=r"\.numpy\(\) or \.cpu\(\)"):
            np.asarray(tg.ones(2, device="strict"))

    @pytest.mark.skipif(tg.cuda_is_available(), reason="there is a GPU")
    def test_cuda_where_there_is_none(self):
        with pytest.raises(tg.DeviceError, match=r"CuPy.*the extra cuda13.*cupy-cuda13x\[ctk\]"):
            tg.ones(2, device="cuda")
        with pytest.raises(tg.DeviceError, match="CuPy"):
            tg.ones(2).cuda()

    def test_cupy_without_a_gpu(self, monkeypatch):
        import sys
        import types

        cupy = types.ModuleType("cupy")
        cupy.is_available = lambda: False
        monkeypatch.setitem(sys.modules, "cupy", cupy)
        monkeypatch.delitem(backend._backends, "cuda", raising=False)
        with pytest.raises(tg.DeviceError, match=r"finds no CUDA device.*nvidia-smi"):
            tg.ones(2, device="cuda")

    @pytest.mark.parametrize("name", ["gpu", "tpu:0", "", "cpu:x", 3])
    def test_unknown(self, name):
        with pytest.raises(tg.DeviceError, match="unknown device"):
            tg.ones(2, device=name)


class TestValues:
    def test_bool_of_many(self):
        with pytest.raises(ValueError, match=r"shape \(2,\) is ambiguous.*tg\.any\(x\) or tg\.all\(x\)"):
            bool(tg.ones(2) > 0)
        with pytest.raises(ValueError, match="ambiguous"):
            bool(tg.zeros(0))

    def test_item_of_many(self):
        with pytest.raises(ValueError, match=r"item\(\) takes a tensor with one element"):
            tg.ones(2).item()

    def test_length_of_0d(self):
        with pytest.raises(TypeError, match="0-d tensor has no length"):
            len(tg.tensor(1.0))
        with pytest.raises(TypeError, match="cannot be iterated"):
            iter(tg.tensor(1.0))

    def test_ragged_rows(self):
        with pytest.raises(ValueError, match="rows of the same length"):
            tg.tensor([[1.0], [1.0, 2.0]])

    def test_a_list_of_tensors_that_would_lose_their_gradient(self):
        x = leaf(1.0)
        with pytest.raises(tg.GradientError, match=r"tg\.stack"):
            tg.tensor([x.sum(), x.sum()])
        with tg.no_grad():
            assert tg.tensor([x.sum(), x.sum()]).tolist() == [1.0, 1.0]

    @pytest.mark.parametrize("data", ["abc", None, object(), {"a": 1}, ["x"]])
    def test_no_numbers(self, data):
        with pytest.raises(TypeError, match="expected numbers"):
            tg.tensor(data)

    @pytest.mark.parametrize(
        "names", [["setosa", "virginica"], np.array(["a", "b"]), np.array([b"a"]), np.array(["a"], dtype=object)]
    )
    def test_names_of_classes(self, names):
        with pytest.raises(TypeError, match=r"become numbers with np\.unique\(names, return_inverse=True\)"):
            tg.tensor(names)

    def test_wrong_dtype_name(self):
        with pytest.raises(TypeError, match="expected a dtype such as 'float32'"):
            tg.ones(2, dtype="float33")

    def test_an_index_that_is_none(self):
        with pytest.raises(IndexError, match="index"):
            tg.ones(2)[1.5]
        with pytest.raises(IndexError, match="must hold integers or booleans"):
            tg.ones(2)[tg.ones(2)]


class TestAnomaly:
    def test_names_the_forward_line(self):
        x = leaf(0.0, 1.0)
        with tg.detect_anomaly(), np.errstate(divide="ignore"):
            y = tg.sqrt(x)
            with pytest.raises(
                tg.GradientError,
                match=r"'sqrt' for 'x' gave a gradient with 1 infinite.*test_errors\.py:\d+, in test_names",
            ):
                y.sum().backward()

    def test_nan(self):
        x = leaf(0.0)
        with tg.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(tg.GradientError, match="1 NaN"):
            (tg.sqrt(x) * 0).sum().backward()

    def test_a_failing_rule(self):
        @tg.op
        def failing(x):
            return x * 2

        @failing.vjp("x")
        def _(g):
            raise ZeroDivisionError("oh")

        with tg.detect_anomaly():
            y = failing(leaf(1.0))
        with pytest.raises(ZeroDivisionError) as caught:
            y.sum().backward()
        assert "test_errors.py" in caught.value.__notes__[0]

    def test_a_hook(self):
        x = leaf(1.0)
        y = x * 2
        y.register_hook(lambda g: g * float("nan"))
        with tg.detect_anomaly(), pytest.raises(tg.GradientError, match=r"a hook.*1 NaN"):
            y.sum().backward()

    def test_remembers_what_ops_were_called_with(self):
        x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
        before = tg.random.get_rng_state()
        with tg.detect_anomaly():
            single = tg.sum(x * 2.0, axis=0, keepdims=True)._node
            joined = tg.concat([x, y.detach()])._node
        called = single.parents[0].call
        assert called.items[0] is x.data
        assert called.items[1] == 2.0
        assert called.names == ("x1", "x2")
        assert called.outputs[0].tolist() == [2.0, 4.0]
        assert called.randomness == before
        assert single.call.options == {"axis": 0, "dtype": None, "keepdims": True}
        assert single.call.again(single.call.items, single.call.options).tolist() == [6.0]
        assert joined.call.names == ("arrays[0]", "arrays[1]")
        assert joined.call.again(joined.call.items, joined.call.options).tolist() == [1.0, 2.0, 3.0, 4.0]
        assert called.where.text == "single = tg.sum(x * 2.0, axis=0, keepdims=True)._node"
        assert "test_errors.py" in str(single.where)

    def test_remembers_what_functions_were_called_with(self):
        class Scale(tg.Function):
            @staticmethod
            def forward(ctx, x, by, *, shift):
                return x * by + shift

            @staticmethod
            def backward(ctx, g):
                return g, None

        x = leaf(1.0, 2.0)
        with tg.detect_anomaly():
            call = Scale.apply(x, 3.0, shift=1.0)._node.bundle.call
        assert not call.items[0].requires_grad
        assert call.items[0].data is x.data
        assert call.again(call.items, call.options).tolist() == [4.0, 7.0]

    def test_remembers_nothing_otherwise(self):
        node = (leaf(1.0) * 2.0)._node
        assert node.call is None
        assert node.where is None
        with tg.detect_anomaly(), tg.no_grad():
            assert (leaf(1.0) * 2.0)._node is None

    def test_is_off_otherwise(self):
        x = leaf(0.0)
        with np.errstate(divide="ignore"):
            tg.sqrt(x).sum().backward()
        assert x.grad.item() == float("inf")
