"""Whose memory a gradient is: nobody's but its tensor's, and no copy is made where that is so anyway."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg


@pytest.fixture
def rule():
    """An op, and where in memory the results of its rule were."""
    made = []

    @tg.op
    def double(x):
        return x * 2

    @double.vjp("x")
    def _(g):
        out = g * 2
        made.append(out.__array_interface__["data"][0])
        return out

    return double, made


def address(tensor):
    return tensor.data.__array_interface__["data"][0]


def test_what_a_rule_made_is_not_copied(rule):
    double, made = rule
    x = tg.ones(3, requires_grad=True)
    double(x).backward(tg.ones(3))
    assert made[0] == address(x.grad)
    (slope,) = tg.grad(double(x), x, tg.ones(3))
    assert made[1] == address(slope)


def test_all_of_what_a_rule_made_in_another_shape_is_not_copied(rule):
    double, made = rule
    x = tg.ones((2, 3), requires_grad=True)
    double(x.reshape(3, 2)).backward(tg.ones((3, 2)))
    assert made[0] == address(x.grad)
    double(x[:1].reshape(3, 1)).backward(tg.ones((3, 1)))
    assert x.grad.numpy().tolist() == [[4.0] * 3, [2.0] * 3]


def test_a_view_of_what_another_input_has_is(rule):
    kept = []

    @tg.op
    def add(x, y, /):
        return x + y

    @add.vjp("x", "y")
    def _(g):
        both = np.stack([g, g])
        kept.append(both)
        return both[0], both[1]

    x, y = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True)
    add(x, y).backward(tg.ones(3))
    assert not np.shares_memory(x.grad.data, kept[0])

    # All of a base that somebody holds.
    @tg.op
    def same(x, /):
        return x * 1

    @same.vjp("x")
    def _(g):
        kept.append(g * 2)
        return kept[-1].reshape(3)

    (slope,) = tg.grad(same(x), x, tg.ones(3))
    assert not np.shares_memory(slope.data, kept[-1])


@pytest.mark.parametrize("how", ["backward", "grad"])
def test_what_others_hold_is(rule, how):
    double, _ = rule
    x, y, seed = tg.ones(3, requires_grad=True), tg.ones(3, requires_grad=True), tg.ones(3)

    def gradients(out, *inputs):
        if how == "grad":
            return tg.grad(out, inputs, seed)
        for tensor in inputs:
            tensor.grad = None
        out.backward(seed)
        return [tensor.grad for tensor in inputs]

    # The cotangent itself, which the caller holds.
    (one,) = gradients(x + 0, x)
    assert not np.shares_memory(one.data, seed.data)
    # One cotangent for two.
    one, other = gradients(double(x + y), x, y)
    assert not np.shares_memory(one.data, other.data)
    # A view of another's memory.
    (one,) = gradients(double(x).reshape(3, 1).reshape(3), x)
    assert not np.shares_memory(one.data, seed.data)


def test_the_gradient_in_the_middle_is_its_own(rule):
    double, _ = rule
    x = tg.ones(3, requires_grad=True)
    middle = x + 0
    middle.retain_grad()
    double(middle).backward(tg.ones(3))
    assert not np.shares_memory(middle.grad.data, x.grad.data)


def test_an_input_that_is_named_twice(rule):
    double, _ = rule
    x = tg.ones(3, requires_grad=True)
    one, other = tg.grad(double(x), [x, x], tg.ones(3))
    assert not np.shares_memory(one.data, other.data)
    assert one.numpy().tolist() == other.numpy().tolist() == [2, 2, 2]


@pytest.fixture
def any_is_large(monkeypatch):
    monkeypatch.setattr("tensorgrad.autograd.graph.LARGE", 1)


@pytest.mark.usefixtures("any_is_large")
class TestSums:
    """Gradients of what is used more than once."""

    def test_are_added_up_in_place(self, rule):
        double, made = rule
        x = tg.ones(3, requires_grad=True)
        y = double(x)
        (double(y) + double(y)).backward(tg.ones(3))
        assert x.grad.numpy().tolist() == [8.0] * 3
        # The last of the three rules that ran was given the sum of the first two, where the first had put its own.
        z = tg.ones(3, requires_grad=True)
        made.clear()
        (double(z) + double(z)).backward(tg.ones(3))
        assert address(z.grad) == made[0]

    def test_leave_alone_what_others_hold(self):
        seen = []
        x = tg.ones(3, requires_grad=True)
        y = x * 1
        one, other = y * 2, y * 3
        one.register_hook(lambda g: seen.append(g))
        seed = tg.ones(3)
        (one + other + y).backward(seed)
        assert seed.numpy().tolist() == [1.0] * 3
        assert seen[0].numpy().tolist() == [1.0] * 3
        assert x.grad.numpy().tolist() == [6.0] * 3

    def test_of_one_rule_for_two_inputs_that_are_one(self):
        @tg.op
        def add(x, y, /):
            return x + y

        @add.vjp("x", "y")
        def _(g):
            both = g * 2
            return both, both

        x = tg.ones(3, requires_grad=True)
        add(x, x).backward(tg.ones(3))
        assert x.grad.numpy().tolist() == [4.0] * 3

    def test_of_several_backward_passes(self):
        x = tg.ones(3, requires_grad=True)
        (x * 2).backward(tg.ones(3))
        first, values = x.grad, x.grad.data
        (x * 3).backward(tg.ones(3))
        assert first.numpy().tolist() == values.tolist() == [2.0] * 3
        assert x.grad.numpy().tolist() == [5.0] * 3
