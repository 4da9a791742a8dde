"""The engine: what is recorded, how the walk back goes, and what is left behind."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd.graph import Node


def leaf(*values, dtype="float64"):
    return tg.tensor(list(values), dtype=dtype, requires_grad=True)


class TestBackward:
    def test_sum_over_paths(self):
        x = leaf(2.0, 3.0)
        y = x * x + 3 * x
        y.sum().backward()
        assert x.grad.tolist() == [7.0, 9.0]

    def test_accumulates_over_calls(self):
        x = leaf(2.0)
        for _ in range(3):
            (x * x).sum().backward()
        assert x.grad.tolist() == [12.0]

    def test_given_gradient(self):
        x = leaf(1.0, 2.0)
        (x * 2).backward(np.array([1.0, 10.0]))
        assert x.grad.tolist() == [2.0, 20.0]
        x.grad = None
        (x * 2).backward(tg.tensor([1.0, 10.0], dtype="float64"))
        assert x.grad.tolist() == [2.0, 20.0]

    def test_a_number_is_a_gradient_for_one_element(self):
        x = leaf(3.0)
        (x * x).backward(2.0)
        assert x.grad.tolist() == [12.0]

    def test_from_a_leaf_itself(self):
        x = tg.tensor(3.0, requires_grad=True)
        x.backward()
        assert x.grad.item() == 1.0

    def test_inputs_restricts_who_gets_a_gradient(self):
        x, y = leaf(2.0), leaf(3.0)
        z = x * y
        (z * z).sum().backward(inputs=[x, z])
        assert x.grad.tolist() == [36.0]
        assert z.grad.tolist() == [12.0]
        assert y.grad is None

    def test_inputs_do_not_run_rules_that_nobody_needs(self):
        calls = []

        @tg.op
        def product(x, y):
            return x * y

        @product.vjp("x")
        def _(g, y):
            calls.append("x")
            return g * y

        @product.vjp("y")
        def _(g, x):
            calls.append("y")
            return g * x

        x, y = leaf(2.0), leaf(3.0)
        tg.grad(product(x, y), x)
        assert calls == ["x"]

    def test_retain_graph(self):
        x = leaf(2.0)
        y = (x * x).sum()
        y.backward(retain_graph=True)
        y.backward()
        assert x.grad.tolist() == [8.0]

    def test_retain_grad(self):
        x = leaf(2.0)
        y = x * x
        y.retain_grad()
        (y * y).sum().backward()
        assert y.grad.tolist() == [8.0]

    def test_two_losses_on_a_shared_part(self):
        x = leaf(2.0)
        shared = x * x
        shared.sum().backward(retain_graph=True)
        (3 * shared).sum().backward()
        assert x.grad.tolist() == [16.0]

    def test_through_detach_nothing_flows(self):
        x = leaf(2.0)
        (x * x.detach()).sum().backward()
        assert x.grad.tolist() == [2.0]

    def test_frozen_and_thawed_between_forward_and_backward(self):
        x = leaf(1.0, 2.0)
        x.register_hook(lambda g: g * 10)
        y = (x * x).sum()
        x.requires_grad_(False)
        (x * 3).sum()
        x.requires_grad_(True)
        y.backward()
        assert x.grad.tolist() == [20.0, 40.0]

    def test_a_frozen_leaf_gets_no_gradient(self):
        x = leaf(1.0)
        y = (x * x).sum()
        x.requires_grad_(False)
        y.backward()
        assert x.grad is None

    @pytest.mark.parametrize("data", [np.ones(3), np.ones(1, "float32")])
    def test_data_replaced_by_another_kind_between_forward_and_backward(self, data):
        x, w = leaf(1.0), leaf(1.0)
        y = (x * w).sum()
        x.data = data
        with pytest.raises(tg.GradientError, match=r"was replaced .* after the forward pass"):
            y.backward()
        assert w.grad is None

    def test_retained_and_asked_for(self):
        x = leaf(1.0)
        y = x * x
        y.retain_grad()
        y.sum().backward(inputs=[y])
        assert y.grad.tolist() == [1.0]
        z = x * x
        z.retain_grad()
        tg.grad(z.sum(), x)
        assert z.grad is None, "grad() touches no tensor's grad"

    def test_a_list_as_gradient_has_the_dtype_of_the_tensor(self):
        x = leaf(1.0, 2.0)
        (x * 2).backward([1.0, 10.0])
        assert x.grad.tolist() == [2.0, 20.0]

    def test_create_graph_under_no_grad(self):
        x = leaf(2.0)
        y = (x**3).sum()
        with tg.no_grad():
            y.backward(create_graph=True)
        assert x.grad.requires_grad

    def test_unused_leaf_has_no_gradient(self):
        x, y = leaf(2.0), leaf(3.0)
        (x * 2).sum().backward()
        assert y.grad is None

    def test_float32_gradient_of_a_float64_result(self):
        x = leaf(2.0, dtype="float32")
        (x * tg.tensor([3.0], dtype="float64")).sum().backward()
        assert x.grad.dtype == np.float32

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_gradient_has_the_dtype_of_its_data(self, dtype):
        x = leaf(1.0, 2.0, dtype=dtype)
        tg.mean(tg.exp(x) * 2.0 / 3).backward()
        assert x.grad.dtype == dtype

    def test_no_alias_between_gradients(self):
        x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
        seed = np.ones(2)
        (x + y).backward(seed)
        assert not np.shares_memory(x.grad.data, y.grad.data)
        assert not np.shares_memory(x.grad.data, seed)
        x.grad *= 10
        assert y.grad.tolist() == [1.0, 1.0]
        assert seed.tolist() == [1.0, 1.0]

    def test_gradient_of_a_sum_is_writable(self):
        x = leaf(1.0, 2.0)
        x.sum().backward()
        x.grad += 1
        assert x.grad.tolist() == [2.0, 2.0]

    def test_an_accumulated_gradient_leaves_the_earlier_one_alone(self):
        x = leaf(1.0)
        x.sum().backward()
        before = x.grad
        x.sum().backward()
        assert before.tolist() == [1.0]
        assert x.grad.tolist() == [2.0]

    def test_in_several_threads(self):
        def work(results, i):
            x = leaf(float(i))
            for _ in range(50):
                x.grad = None
                (x * x * x).sum().backward()
            results[i] = x.grad.item()

        results = {}
        threads = [threading.Thread(target=work, args=(results, i)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {i: 3.0 * i * i for i in range(4)}


class TestGrad:
    def test_leaves_no_trace(self):
        x = leaf(2.0)
        (g,) = tg.grad((x * x).sum(), x)
        assert g.tolist() == [4.0]
        assert x.grad is None

    def test_of_an_intermediate(self):
        x = leaf(2.0)
        y = x * x
        gx, gy = tg.grad((y * 3).sum(), [x, y])
        assert (gx.item(), gy.item()) == (12.0, 3.0)

    def test_of_several_outputs(self):
        x = leaf(2.0)
        (g,) = tg.grad([x * x, x * 3], x, grad_outputs=[tg.tensor([10.0], dtype="float64"), None])
        assert g.item() == 43.0

    def test_unused_input(self):
        x, y = leaf(2.0), leaf(3.0)
        assert tg.grad(x * 1, y, allow_unused=True) == (None,)
        with pytest.raises(tg.GradientError, match=r"do not depend on inputs\[0\].*allow_unused"):
            tg.grad(x * 1, y)

    def test_of_an_intermediate_whose_own_graph_is_gone_or_stale(self):
        x, w = leaf(2.0), tg.tensor([3.0], dtype="float64")
        y = x * w
        y.sum().backward()
        assert tg.grad((y * 3).sum(), y)[0].item() == 3.0
        y = x * w
        w += 1
        assert tg.grad((y * 3).sum(), y)[0].item() == 3.0
        y, _ = tg.split(x * tg.ones(2, dtype="float64"), 2)
        y.sum().backward()
        assert tg.grad((y * 3).sum(), y)[0].item() == 3.0

    def test_through_a_freed_graph(self):
        x = leaf(2.0)
        y = tg.exp(x)
        y.sum().backward()
        with pytest.raises(tg.GradientError, match=r"'exp' a second time.*retain_graph"):
            tg.grad((y * 3).sum(), x)

    @pytest.mark.parametrize("create_graph", [False, True])
    def test_results_are_not_shared(self, create_graph):
        x, y = leaf(1.0), leaf(2.0)
        seed = tg.ones(1, dtype="float64")
        gx, gy = tg.grad(x + y, [x, y], grad_outputs=seed, create_graph=create_graph)
        with tg.no_grad():
            gx += 1
        assert gy.item() == 1.0
        assert seed.item() == 1.0


class TestHigherOrder:
    def test_powers(self):
        x = tg.tensor(2.0, dtype="float64", requires_grad=True)
        y = x**5
        for expected in (80.0, 160.0, 240.0, 240.0, 120.0, 0.0):
            (y,) = tg.grad(y, x, create_graph=True)
            assert y.item() == expected

    def test_gradient_penalty(self):
        x = leaf(1.0, 2.0)
        w = leaf(3.0, 4.0)
        (g,) = tg.grad(tg.tanh(x * w).sum(), x, create_graph=True)
        (g * g).sum().backward()
        t = np.tanh([3.0, 8.0])
        slope = np.array([3.0, 4.0]) * (1 - t * t)
        expected = 2 * slope * ((1 - t * t) + np.array([3.0, 4.0]) * (-2 * t * (1 - t * t)) * np.array([1.0, 2.0]))
        np.testing.assert_allclose(w.grad.numpy(), expected, rtol=1e-12)

    def test_backward_with_create_graph(self):
        x = leaf(2.0)
        (x**3).sum().backward(create_graph=True)
        first = x.grad
        assert first.requires_grad
        x.grad = None
        first.sum().backward()
        assert x.grad.tolist() == [12.0]

    def test_inside_no_grad_it_is_recorded_all_the_same(self):
        x = leaf(2.0)
        y = (x**3).sum()
        with tg.no_grad():
            (g,) = tg.grad(y, x, create_graph=True)
        assert tg.grad(g.sum(), x)[0].item() == 12.0


class TestScale:
    def test_a_million_additions(self):
        x = tg.tensor(1.0, dtype="float64", requires_grad=True)
        y = x
        for _ in range(1_000_000):
            y = y + 1
        assert y.item() == 1_000_001
        y.backward()
        assert x.grad.item() == 1.0

    def test_a_million_additions_are_freed_without_recursion(self):
        x = tg.tensor(1.0, requires_grad=True)
        y = x
        for _ in range(1_000_000):
            y = y + 1
        reference = weakref.ref(y._node)
        del y
        assert reference() is None

    def test_memory_per_node_is_flat(self):
        def peak(n):
            x = tg.tensor(1.0, requires_grad=True)
            tracemalloc.start()
            y = x
            for _ in range(n):
                y = y * 1.0
            used = tracemalloc.get_traced_memory()[0]
            y.backward()
            total = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return used / n, total / n

        small, large = peak(10_000), peak(100_000)
        assert large[0] < 1.1 * small[0]
        assert large[1] < 1.1 * small[1]
        assert large[1] < 1.3 * large[0], "backward needs little beyond the graph itself"

    def test_a_diamond_repeated_60_times(self):
        x = tg.tensor(1.0, dtype="float64", requires_grad=True)
        y = x
        for _ in range(60):
            y = y + y
        start = time.perf_counter()
        y.backward()
        assert time.perf_counter() - start < 1, "2**60 steps would never end"
        assert x.grad.item() == 2.0**60


class TestMemory:
    @pytest.fixture(autouse=True)
    def _no_collector(self):
        gc.collect()
        gc.disable()
        yield
        gc.enable()

    def graph(self, x):
        y = tg.exp(x) * tg.tanh(x)
        z = tg.max_pool2d(y.reshape(1, 1, 2, 2), 2)
        return tg.concat([z.reshape(-1), y[:1], tg.softmax(y)])

    @pytest.mark.parametrize("backward", ["never", "plain", "create_graph", "retain_graph", "grad", "failed"])
    def test_a_dropped_graph_is_gone_at_once(self, backward):
        x = leaf(1.0, 2.0, 3.0, 4.0)
        y = self.graph(x)
        node = weakref.ref(y._node)
        array = weakref.ref(y.data)
        tensor = weakref.ref(y)
        if backward == "plain":
            y.sum().backward()
        elif backward == "create_graph":
            y.sum().backward(create_graph=True)
            grad = weakref.ref(x.grad)
        elif backward == "retain_graph":
            y.sum().backward(retain_graph=True)
        elif backward == "grad":
            tg.grad(y.sum(), x, create_graph=True)
        elif backward == "failed":
            with pytest.raises(tg.GradientError):
                y.backward()
        del y
        if backward == "create_graph":
            del x
            assert grad() is None
        assert (tensor(), node(), array()) == (None, None, None)

    @pytest.mark.parametrize("backward", ["never", "plain", "create_graph", "retain_graph"])
    def test_under_detect_anomaly_a_graph_is_gone_at_once_with_what_is_remembered(self, backward):
        class Square(tg.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, g):
                return 2 * g * ctx.saved_tensors[0]

        with tg.detect_anomaly():
            x = leaf(1.0, 2.0, 3.0, 4.0)
            inside = tg.exp(x)
            y = Square.apply(self.graph(inside))
        references = [weakref.ref(each) for each in (y, y._node.bundle, y.data, inside.data, inside._node)]
        if backward != "never":
            y.sum().backward(create_graph=backward == "create_graph", retain_graph=backward != "plain")
        del y, inside
        if backward == "create_graph":
            del x
        assert [reference() for reference in references] == [None] * 5

    def test_of_a_function_and_of_hooks(self):
        class Square(tg.Function):
            @staticmethod
            def forward(ctx, x):
                y = x * x
                ctx.save_for_backward(x, y)
                return y

            @staticmethod
            def backward(ctx, g):
                x, _ = ctx.saved_tensors
                return 2 * g * x

        x = leaf(1.0, 2.0)
        y = Square.apply(x)
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        references = [weakref.ref(y), weakref.ref(y._node.bundle)]
        y.sum().backward()
        del y
        assert [reference() for reference in references] == [None, None]

    def test_what_was_kept_is_let_go_during_backward(self):
        x = leaf(1.0, 2.0)
        kept = tg.exp(x)
        reference = weakref.ref(kept.data)
        y = kept.sum()
        del kept
        assert reference() is not None
        y.backward()
        assert reference() is None, "although y is still held"

    def test_what_is_remembered_under_detect_anomaly_is_let_go_during_backward(self):
        x = leaf(1.0, 2.0)
        with tg.detect_anomaly():
            middle = x * 2.0
            reference = weakref.ref(middle.data)
            y = (middle + 1.0).sum()
        del middle
        assert reference() is not None
        y.backward()
        assert reference() is None, "although y is still held"

    def test_only_what_the_rules_ask_for_is_kept(self):
        x, y = leaf(1.0, 2.0), tg.tensor([3.0, 4.0], dtype="float64")
        summed = x + y
        assert list(summed._node.kept) == []
        product = x * y
        assert [kept is y.data for kept in product._node.kept] == [True], "x needs no y-rule, so x is not kept"
        curve = tg.tanh(x)
        assert [kept is curve.data for kept in curve._node.kept] == [True]
        total = x.sum()
        assert not any(isinstance(kept, np.ndarray) for kept in total._node.kept)

    def test_an_untracked_result_has_no_node(self):
        x = tg.tensor([1.0])
        assert (x * 2)._node is None
        with tg.no_grad():
            assert (leaf(1.0) * 2)._node is None

    def test_a_gradient_for_a_dropped_leaf_is_nobodys(self):
        y = leaf(1.0) * 2
        y.sum().backward()

    def test_nodes_do_not_hold_tensors(self):
        y = tg.exp(leaf(1.0))
        assert isinstance(y._node, Node)
        tensor = weakref.ref(y)
        node = y._node
        del y
        assert tensor() is None
        assert node.kept is not None


class TestHooks:
    def test_sees_and_replaces_the_gradient(self):
        x = leaf(1.0, 2.0)
        y = x * 3
        seen = []
        handle = y.register_hook(lambda g: seen.append(g.tolist()))
        y.register_hook(lambda g: g * 10)
        y.sum().backward()
        assert seen == [[1.0, 1.0]]
        assert x.grad.tolist() == [30.0, 30.0]
        handle.remove()
        handle.remove()

    def test_of_a_leaf_runs_once_with_the_whole_gradient(self):
        x = leaf(1.0)
        seen = []
        x.register_hook(lambda g: seen.append(g.item()))
        (x * 2 + x * 3).sum().backward()
        assert seen == [5.0]

    def test_changing_its_argument_changes_nothing_else(self):
        x, y = leaf(1.0), leaf(1.0)

        def vandal(g):
            g *= 100

        x.register_hook(vandal)
        (x + y).sum().backward()
        assert y.grad.item() == 1.0
        assert x.grad.item() == 1.0

    def test_after_accumulation(self):
        x = leaf(1.0)
        seen = []
        handle = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.item()))
        x.sum().backward()
        x.sum().backward()
        handle.remove()
        x.sum().backward()
        assert seen == [1.0, 2.0]

    def test_in_a_recorded_backward_it_is_recorded(self):
        x = leaf(3.0)
        x.register_hook(lambda g: g * g)
        (g,) = tg.grad((x * x).sum(), x, create_graph=True)
        assert g.item() == 36.0, "the square of 2 x"
        assert tg.grad(g.sum(), x)[0].item() == pytest.approx(24.0 * 24.0), "8 x, squared by the hook again"

    @pytest.mark.parametrize(
        ("hook", "words"),
        [
            (lambda g: g.sum(), r"a hook returned a gradient of shape \(\)"),
            (lambda g: g.to("float32"), "dtype float32"),
            (lambda g: g.to("strict"), "on 'strict'"),
            (lambda g: 2.0, "must return a Tensor or None, not float"),
            (lambda g: g.numpy(), "not ndarray"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, hook, words):
        x = leaf(1.0, 2.0)
        x.register_hook(hook)
        with pytest.raises(tg.GradientError, match=words):
            x.sum().backward()
        assert x.grad is None

    def test_must_be_callable(self):
        with pytest.raises(TypeError, match="a hook is a function, not int"):
            leaf(1.0).register_hook(3)

    def test_survives_another_dtype_of_the_data(self):
        x = leaf(1.0, dtype="float32")
        x.register_hook(lambda g: g * 2)
        x.data = np.ones(2)
        x.sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]
