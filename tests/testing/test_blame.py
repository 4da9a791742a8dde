"""blame(): the culprit is found and named, the innocent are left alone, and what cannot be told is said."""

from __future__ import annotations

import gc
import re
import textwrap
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.autograd.graph import Bundle, Node
from tensorgrad.nn import functional as F
from tensorgrad.ops.windows import max_pool
from tensorgrad.testing.blaming import blame
from tensorgrad.testing.blaming.flow import pulled, vertices_of
from tensorgrad.testing.records import SPECS
from tensorgrad.testing.trial import listed, placed


def leaf(*values, dtype="float64"):
    return tg.tensor(list(values), dtype=dtype, requires_grad=True)


def data(seed, *shape, dtype="float32"):
    return tg.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


def op_with(rule, *inputs):
    """An op, ``x**3`` or ``x**2 * y``, with a rule of its own."""
    if len(inputs) == 2:

        @tg.op
        def planted(x, y):
            return x * x * y

    else:

        @tg.op
        def planted(x):
            return x * x * x

    planted.vjp(*(inputs or "x"))(rule)
    return planted


halved = op_with(lambda g, x: 1.5 * g * x * x)


@contextmanager
def broken(op) -> Iterator[None]:
    """The rules of an op, made to give 1.5 times what they should."""
    right = dict(op.rules)

    def break_(function):
        def wrong(*args, **options):
            result = function(*args, **options)
            if isinstance(result, (tuple, list)):
                return [None if part is None else part * 1.5 for part in result]
            return result * 1.5

        return wrong

    rules = {id(rule): rule._replace(function=break_(rule.function)) for rule in right.values()}
    op.rules.update({name: rules[id(rule)] for name, rule in right.items()})
    op._plans.clear()
    try:
        yield
    finally:
        op.rules.update(right)
        op._plans.clear()


class TestACulprit:
    """Planted in the middle of a network, and found there."""

    def test_in_a_perceptron_is_named_with_its_line(self):
        first, second = nn.Linear(4, 6), nn.Linear(6, 3)
        x, target = data(0, 5, 4), tg.tensor([0, 1, 2, 1, 0])

        def loss():
            h = tg.tanh(first(x))
            h = halved(h)  # the culprit
            return F.cross_entropy(second(h), target)

        report = blame(loss)
        assert not report
        culprit = report.culprit
        assert (culprit.kind, culprit.op, culprit.inputs) == ("wrong", "planted", ("x",))
        assert culprit.where.file == __file__
        assert culprit.where.text == "h = halved(h)  # the culprit"
        assert culprit.number == 3
        assert culprit.report.ratio == pytest.approx(0.5)
        assert report.findings == (culprit,)
        assert report.checked == report.nodes == 6
        text = str(report)
        assert "blame: the gradient of 'planted' for 'x' is wrong, node 3 of 6 in the forward pass." in text
        assert "h = halved(h)  # the culprit" in text
        assert "x       float32 (5, 6)" in text
        assert "half of what it should be" in text
        assert "with respect to 'x', entry [" in text
        assert max(map(len, text.splitlines())) <= 100
        assert textwrap.indent(str(culprit.report), "  ") in text  # in the lines that it has, not broken anew

    def test_in_a_convolutional_network(self):
        model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(1, 2))
        x = data(1, 2, 1, 4, 4)

        def loss():
            return tg.mean(model(x) ** 2)

        assert blame(loss)
        relu = tg.relu.op
        with broken(relu):
            report = blame(loss)
        assert [(found.kind, found.op) for found in report.findings] == [("wrong", "relu")]
        assert report.culprit.where.text == "return tg.mean(model(x) ** 2)"

    def test_of_each_of_several_is_found(self):
        x = leaf(1.0, 2.0)

        def loss():
            y = tg.exp(halved(x))
            return halved(tg.sum(y))

        report = blame(loss)
        assert [found.number for found in report.of("wrong")] == [1, 4]
        assert report.culprit.where.text == "y = tg.exp(halved(x))"
        assert "Also:\n  wrong: planted for 'x' (node 4)" in str(report)

    @pytest.mark.parametrize(
        ("rule", "cause"),
        [
            (lambda g, x, y: (-2 * g * x * y, -g * x * x), "sign"),
            (lambda g, x, y: (g * x * x, 2 * g * x * y), "swapped"),
            (lambda g, x, y: (2 * x * y, x * x), "not linear"),
            (lambda g, x, y: (g * y * 0, g * y * 0), "zero"),
        ],
    )
    def test_has_a_cause_in_the_names_of_the_op(self, rule, cause):
        planted = op_with(rule, "x", "y")
        report = blame(lambda: tg.sum(planted(leaf(0.5, 2.0), leaf(3.0, -1.0))))
        assert report.culprit.inputs == ("x", "y")
        assert cause in report.culprit.report.cause
        assert "input 0" not in str(report)

    def test_that_refuses_float64(self):
        def single(rule):
            @tg.op
            def narrow(x):
                if x.dtype != np.float32:
                    raise TypeError(f"no {x.dtype} here")
                return x * x

            narrow.vjp("x")(rule)
            return lambda: tg.sum(narrow(leaf(1.0, 2.0, dtype="float32")))

        assert blame(single(lambda g, x: 2 * g * x))
        assert blame(single(lambda g, x: 3 * g * x)).culprit.op == "narrow"

    def test_is_one_input_of_two(self):
        planted = op_with(lambda g, x, y: (2 * g * x * y, 2 * g * x * x), "x", "y")
        assert blame(lambda: tg.sum(planted(leaf(0.5, 2.0), leaf(3.0, -1.0)))).culprit.inputs == ("y",)
        # The wrong one is not asked for.
        assert blame(lambda: tg.sum(planted(leaf(0.5, 2.0), leaf(3.0, -1.0).detach())))

    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            (lambda g, x: 1 / 0, "its rule failed: ZeroDivisionError: division by zero"),
            (lambda g, x: g[:1], r"its rule failed: GradientError: .*of shape \(1,\) for an input of shape \(2,\)"),
            (lambda g, x: 3 * g * x**4 / x**2, "has 1 NaN value of 2, but differences give a slope of about"),
        ],
    )
    def test_that_fails(self, rule, why):
        report = blame(lambda: tg.sum(op_with(rule)(leaf(0.0, 2.0))))
        assert report.culprit.kind == "wrong"
        assert report.culprit.op == "planted"
        assert re.search(why, report.culprit.why)


class TestTheInnocent:
    def test_a_network_of_everything(self):
        model = nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1),
            nn.BatchNorm2d(2),
            nn.GELU(),
            nn.Dropout(0.5),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.LayerNorm(8),
            nn.Linear(8, 3),
        )
        x = data(2, 3, 1, 4, 4)
        report = blame(lambda: F.cross_entropy(model(x), tg.tensor([0, 2, 1])))
        assert report
        assert report.findings == ()
        assert report.culprit is None
        assert "nothing is wrong or" in str(report)

    def test_at_a_kink(self):
        for function in (tg.relu, tg.abs, lambda x: tg.max(x), lambda x: tg.maximum(x, x.detach())):
            assert blame(lambda function=function: tg.sum(function(leaf(0.0, 0.0, 1.0)))), function

    def test_a_large_one_with_thousands_of_ties(self):
        x = data(0, 2, 4, 24, 24)

        def loss():
            return tg.sum(tg.max_pool2d(tg.relu(x.detach().requires_grad_()), 2))

        report = blame(loss)
        assert report
        assert report.findings == ()
        with broken(max_pool.op):
            report = blame(loss)
        assert (report.culprit.kind, report.culprit.op, report.culprit.inputs) == ("wrong", "max_pool", ("x",))
        assert len(report.culprit.report.index) == 4
        assert "some were looked at that are not" in " ".join(str(report).split())

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: x * 1e12,
            lambda x: x / 1e-12,
            lambda x: tg.relu(-tg.abs(x)),
            lambda x: tg.clip(x, 5.0, 7.0),
            lambda x: tg.round(x),
            lambda x: x * 0.0,
            lambda x: x - x.detach(),
            lambda x: tg.softmax(tg.where(tg.tensor([True, False, True]), x, -np.inf)) ** 2,
            lambda x: tg.softmax(x[:1]),
            lambda x: tg.astype(x, "float32"),
            lambda x: tg.sum(x, dtype="float32"),
            lambda x: tg.concat([x, x * 2.0, tg.zeros(2, dtype="float64")]),
            lambda x: x[[0, 0, 2]],
            lambda x: tg.index_put(x, (np.array([1]),), leaf(5.0)),
            lambda x: tg.take(x, np.array([2, 0]), axis=0),
        ],
    )
    def test_ops_that_look_suspicious(self, function):
        report = blame(lambda: tg.sum(function(leaf(1.5, -2.5, 0.25))))
        assert report, str(report)

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_of_every_dtype(self, dtype):
        x = data(3, 4, 5, dtype=dtype).requires_grad_()
        w = data(4, 3, 5, dtype=dtype).requires_grad_()
        assert blame(lambda: tg.mean(tg.sigmoid(tg.linear(x, w))))

    def test_empty_arrays(self):
        assert blame(lambda: tg.sum(tg.exp(tg.zeros((0, 3)).requires_grad_())))


class TestIllConditioned:
    @pytest.mark.parametrize(
        ("function", "op", "why"),
        [
            (lambda: tg.log(leaf(1e-300, 1.0)), "log", "its slope is .*e.299, and has no bound close by"),
            (lambda: tg.sqrt(leaf(1e-30)), "sqrt", "its slope is .*e.14"),
            (lambda: 1 / leaf(1e-12), "divide", "its slope"),
            (lambda: leaf(1.0) - leaf(1.0 + 1e-12), "subtract", "its condition number is 1.*e.12"),
            (lambda: leaf(1.0, dtype="float32") - leaf(1.000001, dtype="float32"), "subtract", "condition number"),
            (lambda: tg.sin(leaf(1e10)), "sin", "condition number"),
            (lambda: tg.softmax(leaf(0.0, 50.0))[0], "softmax", "saturated"),
            (lambda: tg.softmax(leaf(0.0, 1000.0))[1], "softmax", "saturated: its slope is 0"),
            (lambda: tg.tanh(leaf(30.0, -40.0)), "tanh", "saturated"),
            (lambda: tg.sigmoid(leaf(100.0)), "sigmoid", "saturated"),
            (lambda: tg.var(leaf(1e4, 1e4 + 0.01, dtype="float32")), "var", "condition number"),
        ],
    )
    def test_named(self, function, op, why):
        report = blame(lambda: tg.sum(function()))
        assert not report
        assert (report.culprit.kind, report.culprit.op) == ("ill-conditioned", op)
        assert re.search(why, report.culprit.why), report.culprit.why

    @pytest.mark.parametrize(
        ("function", "op", "why"),
        [
            (lambda: tg.log(leaf(0.0, 1.0)), "log", "its output has 1 infinite value of 2, though"),
            (lambda: tg.exp(leaf(1e3)), "exp", "its output has 1 infinite value"),
            (lambda: tg.sqrt(leaf(0.0, 1.0)), "sqrt", "its gradient with respect to 'x' has 1 infinite value of 2"),
            (lambda: tg.where(np.array([False, True]), tg.sqrt(leaf(0.0, 1.0)), 0.0), "sqrt", "infinite"),
            (
                lambda: tg.tensor(np.float32(1e30)) * (leaf(1e20, dtype="float32") * 1e10) * 1e-30,
                "multiply",
                "infinite",
            ),
        ],
    )
    def test_what_leaves_the_finite_numbers(self, function, op, why):
        with np.errstate(all="ignore"):
            report = blame(lambda: tg.sum(function()))
        assert (report.culprit.kind, report.culprit.op) == ("not finite", op)
        assert re.search(why, report.culprit.why), report.culprit.why

    def test_a_gradient_that_overflows_on_its_way(self):
        def loss():
            y = leaf(1.0, dtype="float32") * 1e-30
            y = y * 1e25
            return tg.sum(y * 1e25)

        report = blame(loss)
        assert report.culprit.kind == "not finite"
        assert report.culprit.where.text == "y = y * 1e25"
        assert "though every value, and the gradient that came in, is finite" in report.culprit.why

    def test_digits_lost_in_a_rule(self):
        @tg.op
        def wasteful(x):
            return x * x

        @wasteful.vjp("x")
        def _(g, x):
            return g * ((2 * x + 1e6) - 1e6)

        report = blame(lambda: tg.sum(wasteful(leaf(0.3, 0.7, dtype="float32"))))
        assert report.culprit.kind == "ill-conditioned"
        assert "in float32 its gradient with respect to 'x' is off by" in report.culprit.why

    def test_a_wrong_one_comes_first(self):
        def loss():
            return tg.sum(halved(tg.sqrt(leaf(1e-30, 1.0))))

        report = blame(loss)
        assert report.culprit.op == "planted"
        assert [found.op for found in report.of("ill-conditioned")] == ["sqrt"]
        assert "  ill-conditioned: sqrt (node 1)" in str(report)


class Cube(tg.Function):
    """Right."""

    @staticmethod
    def forward(ctx, x, scale=1.0):
        ctx.save_for_backward(x)
        ctx.scale = scale
        return x * x * x * scale

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return (3 * g * x * x * ctx.scale, None)[: len(ctx.needs_input_grad)]


class TestFunctions:
    def test_a_right_one(self):
        assert blame(lambda: tg.sum(Cube.apply(leaf(1.0, 2.0), 2.0)))
        assert blame(lambda: tg.sum(Cube.apply(leaf(1.0, 2.0, dtype="float32"))))

    def test_a_wrong_one(self):
        class Bad(Cube):
            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return g * x * x

        report = blame(lambda: tg.sum(Bad.apply(tg.exp(leaf(1.0, 2.0)))))
        assert (report.culprit.kind, report.culprit.op, report.culprit.inputs) == ("wrong", "Bad", ("argument 0",))
        assert report.culprit.where.text == "report = blame(lambda: tg.sum(Bad.apply(tg.exp(leaf(1.0, 2.0)))))"

    def test_one_that_keeps_its_input_outside_of_ctx(self):
        class Careless(tg.Function):
            @staticmethod
            def forward(ctx, x):
                Careless.x = x
                return x * x

            @staticmethod
            def backward(ctx, g):
                return 2 * g * Careless.x

        x, y = leaf(1.0, 2.0), leaf(3.0, 5.0)
        with tg.detect_anomaly():
            loss = tg.sum(Careless.apply(x)) + tg.sum(Careless.apply(y))
        report = blame(loss)
        assert [(found.kind, found.number) for found in report.findings] == [("wrong", 1)]
        assert "is shared with other calls" in report.culprit.why

    def test_several_outputs(self):
        class Both(tg.Function):
            @staticmethod
            def forward(ctx, x, y):
                ctx.save_for_backward(x, y)
                return x * y, x + y, x > y

            @staticmethod
            def backward(ctx, g, h, _):
                x, y = ctx.saved_tensors
                return g * y + h, g * x + h

        def product():
            return Both.apply(leaf(1.0, 2.0), leaf(3.0, -1.0))[0]

        assert blame(lambda: tg.sum(product()))
        Both.backward = staticmethod(lambda ctx, g, h, _: (h, h))
        assert blame(lambda: tg.sum(product())).culprit.op == "Both"


class TestRandomNumbers:
    def masked(self):
        class Masked(tg.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.mask = tg.bernoulli(0.5, size=x.shape, dtype=x.dtype)
                return x * ctx.mask

            @staticmethod
            def backward(ctx, g):
                return g * ctx.mask

        return Masked

    def test_are_those_of_the_forward_pass(self):
        x = leaf(*range(1, 21))
        with tg.detect_anomaly():
            loss = tg.sum(self.masked().apply(tg.dropout(x)))
        state = tg.random.get_rng_state()
        report = blame(loss)
        assert report, str(report)
        assert report.findings == ()
        assert tg.random.get_rng_state() == state

    def test_of_a_generator_of_ones_own(self):
        @tg.op
        def masked(x, /, generator):
            return x * (generator.uniform(x.shape, "float64") < 0.5)

        @masked.vjp("x")
        def _(g, x, out):
            return g * (out != 0)

        generator = tg.random.Generator(1)
        x = leaf(*range(1, 21))
        report = blame(lambda: tg.sum(masked(x, generator)))
        assert report
        assert [found.kind for found in report.findings] == ["not checked"]
        assert "other values than in the forward pass" in report.findings[0].why
        once = tg.random.Generator(1)
        once.uniform(20, "float64")
        assert generator.get_state() == once.get_state(), "copies of it were drawn from"

    def test_that_nobody_can_repeat(self):
        @tg.op
        def noisy(x):
            return x + np.random.default_rng().uniform(size=x.shape)

        @noisy.vjp("x")
        def _(g):
            return g

        report = blame(lambda: tg.sum(noisy(leaf(1.0, 2.0))))
        assert report
        assert "it is not deterministic" in report.of("not checked")[0].why
        assert "Not checked:\n  noisy (node 1)" in str(report)
        assert "1 of 2 nodes checked" in str(report)


class TestChangesAfterTheForwardPass:
    def test_of_an_input_are_told(self):
        x = leaf(1.0, 2.0)
        with tg.detect_anomaly():
            y = tg.exp(x) * 2.0
            loss = tg.sum(y * x)
        with tg.no_grad():
            x += 1.0  # an optimizer's step
        report = blame(loss)
        assert report, "nothing can be said against anybody"
        assert {found.op for found in report.of("not checked")} == {"exp", "multiply"}
        assert "changed in place afterwards, by '+='" in report.findings[0].why
        assert "x += 1.0  # an optimizer's step" in report.findings[0].why

    def test_behind_the_library_s_back_are_told(self):
        x = leaf(1.0, 2.0)
        with tg.detect_anomaly():
            loss = tg.sum(tg.exp(x))
        x.data[:] = 5.0
        report = blame(loss)
        assert report
        assert "other values than in the forward pass" in report.of("not checked")[0].why

    def test_of_an_output_matter_to_those_who_need_it(self):
        x = leaf(1.0, 2.0)
        with tg.detect_anomaly():
            y = tg.sin(x)
            loss = tg.sum(y * 2.0)
        memory = y.data
        memory += 1.0
        assert blame(loss)


class TestTheGraph:
    def test_is_neither_freed_nor_changed(self):
        x = leaf(1.0, 2.0)
        with tg.detect_anomaly():
            loss = tg.sum(x**3)
        assert blame(loss)
        assert blame(loss)
        assert x.grad is None
        loss.backward()
        assert x.grad.tolist() == [3.0, 12.0]

    def test_hooks_are_not_run_and_that_is_said(self):
        x = leaf(1.0, 2.0)
        calls = []
        with tg.detect_anomaly():
            y = x * 2.0
            y.register_hook(calls.append)
            loss = tg.sum(y)
        report = blame(loss)
        assert report
        assert calls == []
        assert "There are hooks on 1 tensor: they were not run" in " ".join(str(report).split())

    def test_of_a_gradient(self):
        x = leaf(1.0, 2.0)

        def loss():
            (slope,) = tg.grad(tg.sum(tg.exp(x) * x), x, create_graph=True)
            return tg.sum(slope**2)

        assert blame(loss)

    def test_partly_made_outside_the_mode(self):
        x = leaf(1.0, 2.0)
        y = halved(x)
        with tg.detect_anomaly():
            loss = tg.sum(halved(y))
        report = blame(loss)
        assert [(found.kind, found.number) for found in report.findings] == [("wrong", 2), ("not checked", 1)]
        assert "outside detect_anomaly()" in str(report)

    def test_with_many_nodes_is_summarised(self):
        def loss():
            y = leaf(1.5)
            for _ in range(30):
                y = halved(y) ** 0.25
            return tg.sum(y)

        report = blame(loss, max_nodes=10)
        assert (report.nodes, report.checked) == (61, 10)
        assert {found.op for found in report.findings} == {"planted"}
        assert [found.number for found in report.findings] == [1, 3, 5, 7, 9]
        text = str(report)
        assert "The same at 4 more nodes of this line: 3, 5, 7, 9." in text
        assert "51 were left out by max_nodes=10" in " ".join(text.split())

    def test_rare_ops_are_looked_at_first(self):
        def loss():
            y = leaf(1.5)
            for _ in range(50):
                y = y * 1.01
            return halved(y)

        assert blame(loss, max_nodes=3).culprit.op == "planted"

    def test_may_be_called_inside_the_mode(self):
        with tg.detect_anomaly(), np.errstate(all="ignore"):
            loss = tg.sum(tg.sqrt(leaf(0.0, 1.0)))
            assert blame(loss).culprit.kind == "not finite"

    def test_on_another_device(self, device):
        x = tg.tensor([[1.0, -2.0], [0.5, 3.0]], device=device, requires_grad=True)
        assert blame(lambda: tg.sum(tg.softmax(x @ x) * tg.relu(x)))
        assert blame(lambda: tg.sum(halved(x))).culprit.op == "planted"

    def test_is_let_go_of(self):
        gc.collect()
        gc.disable()
        try:
            x = leaf(1.0, 2.0)
            with tg.detect_anomaly():
                y = Cube.apply(tg.exp(x))
                loss = tg.sum(tg.concat([y, y]))
            references = [weakref.ref(loss), weakref.ref(loss._node), weakref.ref(y._node.bundle), weakref.ref(y.data)]
            report = blame(loss)
            del loss, y
            assert [reference() for reference in references] == [None] * 4
            assert report
        finally:
            gc.enable()


class TestWrongArguments:
    @pytest.mark.parametrize("given", [3.0, None, np.ones(2), [1.0]])
    def test_no_tensor(self, given):
        with pytest.raises(TypeError, match="blame\\(\\) takes a loss, a Tensor, or a function"):
            blame(given)

    def test_a_function_of_something(self):
        with pytest.raises(TypeError, match=r"needs arguments: write blame\(lambda: loss_of\(model, x\)\)"):
            blame(lambda x: x)
        with pytest.raises(TypeError, match="this Linear needs arguments"):
            blame(nn.Linear(2, 2))

    def test_a_function_that_returns_something_else(self):
        with pytest.raises(TypeError, match="a function that returns the loss, a Tensor, not tuple"):
            blame(lambda: (leaf(1.0), 2))

    def test_no_graph(self):
        with pytest.raises(tg.GradientError, match="was not computed from tensors that require a gradient"):
            blame(tg.ones(3))
        with pytest.raises(tg.GradientError, match="was computed by no op"):
            blame(leaf(1.0))
        with tg.no_grad():
            loss = tg.sum(leaf(1.0))
        with pytest.raises(tg.GradientError, match="there is no graph"):
            blame(loss)

    def test_made_without_the_mode(self):
        with pytest.raises(tg.GradientError, match=r"made without detect_anomaly.*Write 'with tg.detect_anomaly"):
            blame(tg.sum(leaf(1.0) * 2.0))

    def test_freed(self):
        with tg.detect_anomaly():
            x = leaf(1.0)
            y = tg.exp(x)
            loss = tg.sum(y)
            y.backward()
        with pytest.raises(tg.GradientError, match=r"the graph was freed by a backward pass \(at the node of 'exp'"):
            blame(loss)

    @pytest.mark.parametrize("max_nodes", [0, -1, 2.0, True])
    def test_max_nodes(self, max_nodes):
        with pytest.raises(ValueError, match="max_nodes is how many nodes"):
            blame(tg.sum(leaf(1.0)), max_nodes=max_nodes)

    def test_no_such_kind(self):
        report = blame(lambda: tg.sum(leaf(1.0) * 2.0))
        with pytest.raises(ValueError, match="findings are 'wrong', 'not finite'"):
            report.of("nonsense")


# -- over the records of the library ---------------------------------------------------------------------------


def total(spec, sample, dtype):
    """The sum of an op's outputs, each entry with a weight of its own; None if no gradient flows."""
    inputs = [
        tg.tensor(array.astype(dtype), requires_grad=True) if array.dtype == np.float64 else tg.tensor(array)
        for array in sample.arrays
    ]
    result = None
    for output in listed(spec(*inputs, **placed(sample.options, "cpu"))):
        if output.requires_grad:
            weights = np.linspace(0.5, 1.5, output.size).reshape(output.shape).astype(output.dtype)
            part = tg.sum(output * tg.tensor(weights))
            result = part if result is None else result + part
    return result


def for_some(spec, count):
    """A decorator that tries a function with samples of a record and a dtype, at once."""
    dtypes = [dtype for dtype in spec.dtypes if dtype.startswith("float")]

    def run(check):
        seen = []
        quick = settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        quick(given(spec.samples())(lambda sample: check(sample, dtypes[len(seen) % len(dtypes)], seen)))()

    return run


differentiable = pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.differentiable], ids=str)


@differentiable
def test_no_op_of_the_library_is_blamed(spec):
    @for_some(spec, 3)
    def _(sample, dtype, seen):
        seen.append(sample)
        with tg.detect_anomaly(), np.errstate(all="ignore"):
            loss = total(spec, sample, dtype)
        if loss is not None and loss.requires_grad:
            report = blame(loss)
            assert not report.of("wrong"), str(report)
            assert report.checked == report.nodes
            assert "not deterministic" not in str(report)


HANDY = {"clone", "getitem", "multiply", "permute_dims", "reshape", "sum"}
"""Ops that many functions are made with."""

SOME = {
    "atan2",
    "batch_norm",
    "concat",
    "conv2d",
    "cross_entropy",
    "cumulative_sum",
    "dropout",
    "einsum",
    "index_put",
    "layer_norm",
    "linear",
    "max",
    "max_pool2d",
    "prelu",
    "reshape",
    "softmax",
    "take",
    "where",
}
"""Some of each kind: with several inputs or outputs, integers among them, a joint rule. --thorough tries all."""


FLAT = {"asarray", "ceil", "floor", "round", "sign", "trunc"}
"""Those that pass no gradient on, right or wrong."""


def pytest_generate_tests(metafunc):
    if "broken_spec" in metafunc.fixturenames:
        every = metafunc.config.getoption("thorough")
        tried = [spec for spec in SPECS if spec.differentiable and (every or spec.name in SOME)]
        metafunc.parametrize("broken_spec", tried, ids=str)


def first_op(loss):
    """The first op of a record's own, if there is one, that passes some gradient on; None if none does."""
    found, rng = [], np.random.default_rng(0)
    for node in vertices_of(loss):
        if isinstance(node, Node) and node.where.text.startswith("for output in"):
            # Cotangents that are all alike are nothing to softmax.
            drawn = [np.asarray(rng.normal(size=y.shape)).astype(y.dtype) for y in node.call.outputs]
            slots = [u if u.dtype.kind == "f" else None for u in drawn]
            if any(part.any() for _, part, _ in pulled(node, slots if isinstance(node, Bundle) else slots[0])):
                found.append(node.call.again.__self__)
    return min(found, key=lambda op: op.name in HANDY, default=None)


def test_a_broken_op_of_the_library_is_blamed(broken_spec):
    spec, found = broken_spec, []

    @for_some(spec, 10)
    def _(sample, dtype, seen):
        seen.append(sample)
        if found or not all(array.size for array in sample.arrays):
            return
        with tg.detect_anomaly():
            loss = total(spec, sample, "float32" if spec.name == "to" else "float64")
        op = None if loss is None else first_op(loss)
        if op is not None:
            found.append(op.name)
            with broken(op):
                report = blame(loss, max_nodes=50)
            assert {wrong.op for wrong in report.of("wrong")} == {op.name}, str(report)
            assert report.culprit.where.text.startswith("for output in") or op.name in HANDY

    assert found or spec.name in FLAT
