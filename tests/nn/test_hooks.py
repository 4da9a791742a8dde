"""Hooks of modules: before and after forward, and at the gradients."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


class Product(nn.Module):
    def forward(self, x, y, scale=1.0):
        return x * y * scale


def leaf(*values: float) -> tg.Tensor:
    return tg.tensor(list(values), requires_grad=True)


def test_before_forward() -> None:
    seen = []
    module = Product()
    with module.register_forward_pre_hook(lambda m, args: seen.append((m, args))):
        x, y = leaf(2.0), leaf(3.0)
        assert module(x, y, scale=2).item() == 12
        assert seen == [(module, (x, y))]
    module(x, y)
    assert len(seen) == 1
    module.register_forward_pre_hook(lambda m, args: (args[0] + 1, args[1]))
    assert module(x, y).item() == 9
    single = nn.ReLU()
    single.register_forward_pre_hook(lambda m, args: -args[0])
    assert single(leaf(-2.0)).item() == 2


def test_after_forward() -> None:
    module, seen = Product(), []
    handle = module.register_forward_hook(lambda m, args, out: seen.append(out.item()))
    module.register_forward_hook(lambda m, args, out: out + 100)
    module.register_forward_hook(lambda m, args, out: out * 2)
    assert module(leaf(2.0), leaf(3.0)).item() == 212
    handle.remove()
    handle.remove()
    module(leaf(2.0), leaf(3.0))
    assert seen == [6]


def test_gradients_that_pass() -> None:
    module, seen = Product(), []
    module.register_full_backward_hook(lambda m, given, came: seen.append((m, given, came)))
    x, y, z = leaf(2.0), leaf(3.0), leaf(5.0)
    (module(x * 1, y.detach(), scale=1.0) * z).backward()
    ((found, (by_x, by_y), (by_out,)),) = seen
    assert found is module
    assert (by_x.item(), by_y, by_out.item()) == (15, None, 5)
    assert x.grad.item() == 15


def test_a_hook_changes_the_gradient() -> None:
    module = nn.Tanh()
    module.register_full_backward_hook(lambda m, given, came: (given[0] * 10,))
    module.register_full_backward_hook(lambda m, given, came: given[0] + 1)
    x = leaf(0.0)
    module(x).backward()
    assert x.grad.item() == 11


def test_inputs_without_a_gradient() -> None:
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda m, given, came: seen.append((given, came[0].tolist())))
    layer(tg.ones((1, 2))).sum().backward()
    assert seen == [((None,), [[1]])]
    assert layer.weight.grad is not None


def test_several_outputs() -> None:
    class Both(nn.Module):
        def forward(self, x):
            return x * 2, x * 3

    module, seen = Both(), []
    module.register_full_backward_hook(lambda m, given, came: seen.append([g.item() for g in (*given, *came)]))
    x = leaf(1.0)
    first, second = module(x)
    (first + second * 5).backward()
    assert seen == [[17, 1, 5]]
    assert x.grad.item() == 17


def test_nothing_is_called_where_nothing_is_recorded() -> None:
    module, seen = nn.Tanh(), []
    module.register_full_backward_hook(lambda *args: seen.append(args))
    with tg.no_grad():
        module(leaf(1.0))
    module(tg.ones(1))
    assert seen == []


def test_second_derivatives_pass_through() -> None:
    module = nn.Tanh()
    module.register_full_backward_hook(lambda m, given, came: None)
    x = tg.tensor(0.7, dtype="float64", requires_grad=True)
    (slope,) = tg.grad(module(x), x, create_graph=True)
    (curvature,) = tg.grad(slope, x)
    t = np.tanh(0.7)
    assert curvature.item() == pytest.approx(-2 * t * (1 - t * t))


def test_a_graph_of_gradients_that_passed_is_gone_at_once() -> None:
    gc.collect()
    gc.disable()
    try:
        module = nn.Tanh()
        module.register_full_backward_hook(lambda m, given, came: None)
        x = leaf(0.5)
        y = module(x)
        (slope,) = tg.grad(y * y, x, create_graph=True)
        ends = [weakref.ref(y), weakref.ref(slope), weakref.ref(slope._node)]
        del y, slope
        assert [end() for end in ends] == [None] * 3
    finally:
        gc.enable()


def test_what_a_hook_must_not_return() -> None:
    module = nn.Tanh()
    module.register_full_backward_hook(lambda m, given, came: (given[0], given[0]))
    with pytest.raises(ValueError, match="returned 2 gradients for 1 inputs"):
        module(leaf(1.0)).backward()


def test_outputs_that_hooks_cannot_watch() -> None:
    module = nn.Lambda(lambda x: {"out": x})
    module.register_full_backward_hook(lambda *args: None)
    with pytest.raises(TypeError, match="Lambda returned dict"):
        module(leaf(1.0))
