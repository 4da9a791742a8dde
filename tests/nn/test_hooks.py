"""Hooks of modules: before and after forward, and at the gradients."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict
from typing import Any, NamedTuple

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


@pytest.mark.parametrize("wanted", ["all", "input", "weight"])
@pytest.mark.parametrize("frozen_input", [False, True])
def test_hooks_make_no_reference_cycle(wanted: str, frozen_input: bool) -> None:
    gc.collect()
    gc.disable()
    try:
        layer = nn.Linear(2, 1)
        layer.register_full_backward_hook(lambda m, given, came: None)
        x = tg.ones((3, 2), requires_grad=not frozen_input)
        y = layer(x)
        ends = [weakref.ref(y._node), weakref.ref(layer)]
        if wanted == "all":
            y.square().sum().backward(create_graph=True)
        elif wanted == "weight" or not frozen_input:
            tg.grad(y.square().sum(), layer.weight if wanted == "weight" else x, create_graph=True)
        del layer, x, y
        assert [end() for end in ends] == [None] * 2
    finally:
        gc.enable()


def test_the_hooks_of_a_module_that_only_the_graph_holds() -> None:
    seen = []

    def result(x: tg.Tensor) -> tg.Tensor:
        module = nn.Tanh()
        module.register_full_backward_hook(lambda m, given, came: seen.append(type(m)))
        return module(x)

    result(leaf(1.0)).backward()
    assert seen == [nn.Tanh]


def test_the_gradient_that_came_can_be_differentiated() -> None:
    layer, seen = nn.Linear(1, 1), []
    layer.register_full_backward_hook(lambda m, given, came: seen.append(came[0]))
    x = leaf(3.0)
    out = layer(x)
    out.square().sum().backward(create_graph=True)
    (again,) = tg.grad(seen[0].sum(), x)
    assert again.item() == pytest.approx(2 * layer.weight.item())


def test_what_a_hook_must_not_return() -> None:
    module = nn.Tanh()
    module.register_full_backward_hook(lambda m, given, came: (given[0], given[0]))
    with pytest.raises(ValueError, match="returned 2 gradients for 1 inputs"):
        module(leaf(1.0)).backward()


class Pair(NamedTuple):
    a: Any
    b: Any


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda a, b: (a, b), tuple),
        (lambda a, b: [a, b], tuple),
        (Pair, tuple),
        (lambda a, b: {"a": a, "b": b}, lambda out: tuple(out.values())),
        (lambda a, b: OrderedDict(a=a, b=b), lambda out: tuple(out.values())),
        (lambda a, b: (a, {"b": [b, None]}), lambda out: (out[0], out[1]["b"][0])),
    ],
)
def test_outputs_in_a_structure(make, parts) -> None:
    module, seen = nn.Lambda(lambda x: make(x * 2, x * 3)), []
    module.register_full_backward_hook(lambda m, given, came: seen.append([g.item() for g in (*given, *came)]))
    x = leaf(1.0)
    out = module(x)
    assert type(out) is type(make(x, x))
    first, second = parts(out)
    (first + second * 5).backward()
    assert seen == [[17, 1, 5]]
    assert x.grad.item() == 17


def test_outputs_that_hooks_cannot_watch() -> None:
    module = nn.Lambda(lambda x: {"out": "text"})
    module.register_full_backward_hook(lambda *args: None)
    with pytest.raises(TypeError, match="Lambda returned dict"):
        module(leaf(1.0))
