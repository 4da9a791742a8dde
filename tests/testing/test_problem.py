"""What the checker asks of a function: which inputs it finds, what it gives the function, what it notices."""

from __future__ import annotations

import math
import random
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing.checking.problem import Problem
from tensorgrad.testing.engines import pair

A = np.arange(12.0).reshape(3, 4) / 10 + 0.05
B = np.array([0.3, -0.7, 1.1, 0.2])


def names(parts):
    return [part.name for part in parts]


def kinds(problem):
    return [fault.kind for fault in problem.faults]


def slopes(problem, x=None):
    """The Jacobian by differences, rows for outputs."""
    x, h = problem.x if x is None else x, 1e-6
    columns = [(problem.value(x + h * e) - problem.value(x - h * e)) / (2 * h) for e in np.eye(len(x))]
    return np.array(columns).T


def jacobian(problem, x=None):
    """The Jacobian that is claimed."""
    x = problem.x if x is None else x
    return np.array([problem.pull(x, u) for u in np.eye(len(problem.value(x)))])


def right(problem):
    np.testing.assert_allclose(jacobian(problem), slopes(problem), atol=1e-6)
    return problem


class Net(nn.Module):
    """A module with everything: a parameter of its own, tied ones, a frozen one, a buffer, a list of parameters."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.norm = nn.BatchNorm1d(4)
        self.scale = nn.Parameter([2.0])
        self.frozen = nn.Parameter([3.0], requires_grad=False)
        self.favourites = [self.scale]

    def forward(self, x):
        y = self.norm(self.second(self.first(x).tanh()))
        return nn.functional.dropout(y, 0.5, self.training) * self.favourites[0] + self.frozen


class TestInputs:
    def test_containers_and_what_is_in_them(self):
        Point = namedtuple("Point", "x y")
        seen = []

        def f(array, numbers, nested, point, ordered, *others):
            seen.append((array, numbers, nested, point, ordered, others))
            total = array.sum() + numbers.sum() + nested["w"][0] * nested["w"][1].sum() + point.x * point.y
            return total + ordered["a"]

        others = ("text", None, 3, True, [1, 2], np.float32, object())
        inputs = (A, [1.0, 2], {"w": (0.5, [[1.0], [2.0]]), "k": 3}, Point(2.0, tg.tensor(3.0)), OrderedDict(a=1.5))
        problem = right(Problem(f, (*inputs, *others)))
        assert names(problem.inputs) == [
            "input 0",
            "input 1",
            "input 2['w'][0]",
            "input 2['w'][1]",
            "input 3[0]",
            "input 3[1]",
            "input 4['a']",
        ]
        array, numbers, nested, point, ordered, rest = seen[0]
        assert rest == others
        assert all(a is b for a, b in zip(rest, others, strict=True) if not isinstance(a, list))
        assert (type(point), type(ordered), type(nested["w"]), nested["k"]) == (Point, OrderedDict, tuple, 3)
        assert numbers.tolist() == [1.0, 2.0]
        assert {value.dtype for value in (array, numbers, point.x, point.y, ordered["a"])} == {np.dtype("float64")}

    def test_where_an_entry_is(self):
        problem = Problem((lambda z, x: z.sum() * x, lambda g, z, x: (z * 0, x)), (A + 0j, [1.0, 2.0]))
        first, second = problem.inputs
        assert (first.slice, second.slice, first.complex, second.complex) == (slice(0, 24), slice(24, 26), True, False)
        assert first.entry(13) == ((1, 2), "imaginary")
        assert second.entry(25) == ((1,), "")
        np.testing.assert_array_equal(first.array(problem.x), A + 0j)

    def test_integers_are_passed_on_as_new_arrays(self):
        index, seen = np.array([0, 2]), []

        def f(x, i, j):
            seen.append((i, j))
            return x[i] * j

        right(Problem(f, (B, index, tg.tensor([2, 3]))))
        assert type(seen[0][0]) is np.ndarray
        assert type(seen[0][1]) is tg.Tensor
        assert len({id(i) for i, _ in seen}) == len(seen)
        assert not any(np.shares_memory(i, index) for i, _ in seen)

    @pytest.mark.parametrize("inputs", [(), (1, 2), ([1, 2],), (np.arange(3), "x", None), ({"a": True},)])
    def test_nothing_to_check(self, inputs):
        with pytest.raises(ValueError, match="nothing to check: no input is floating point"):
            Problem(lambda *values: tg.tensor(1.0), inputs)

    def test_empty_arrays(self):
        problem = Problem(lambda x, y: x * 2, ([], np.zeros((0, 3))))
        assert problem.x.shape == (0,)
        assert problem.pull(problem.x, problem.value(problem.x)).shape == (0,)

    @pytest.mark.parametrize("f", [3, None, "f", (len,), (len, len, len)])
    def test_what_is_no_function(self, f):
        with pytest.raises(TypeError, match="function"):
            Problem(f, ([1.0],))

    def test_tensorgrad_has_no_complex_gradients(self):
        with pytest.raises(ValueError, match=r"no gradients with respect to complex numbers, and input 1 is complex"):
            Problem(lambda x, z: x, ([1.0], [1.0 + 2.0j]))
        with pytest.raises(ValueError, match="no gradients of complex numbers, and output 0 is complex"):
            Problem(lambda x: tg.tensor([1j]), ([1.0],))


class TestOutputs:
    def test_several(self):
        def f(x):
            return {"a": x * 2, "rest": [(x**2).sum(), None, x > 0, 3, "text", (x, tg.tensor([1, 2]))]}

        problem = right(Problem(f, (B,)))
        assert names(problem.outputs) == ["output['a']", "output['rest'][0]", "output['rest'][5][0]"]

    def test_names(self):
        assert names(Problem(lambda x: x, (B,)).outputs) == ["output 0"]
        assert names(Problem(lambda x: (x, [x]), (B,)).outputs) == ["output 0", "output 1[0]"]

    def test_numbers_have_no_graph(self):
        problem = Problem(lambda x: (x.sum(), float(x.sum())), (B,))
        assert jacobian(problem)[1].tolist() == [0.0] * 4
        assert problem.notes == ["output 1 is of type float: no gradient flows through it"]

    @pytest.mark.parametrize("result", [None, 3, "text", [], {"a": True}, np.arange(3)])
    def test_no_floating_point_output(self, result):
        with pytest.raises(ValueError, match=f"no output is floating point.*returned {type(result).__name__}"):
            Problem(lambda x: result, (B,))

    def test_an_output_that_does_not_depend_on_the_inputs(self):
        problem = right(Problem(lambda x, y: (tg.ones(2), x * 1.0), (B, 3.0)))
        assert not jacobian(problem)[:2].any()
        problem = right(Problem(lambda x: tg.ones(2), (B,)))
        right(problem.derivative(0))

    def test_a_shape_that_depends_on_values(self):
        problem = Problem(lambda x: x[x > 0], (B,))
        assert np.isnan(problem.value(-problem.x)).all()


class TestModules:
    def test_parameters_and_inputs(self):
        net = Net()
        before = {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}
        problem = right(Problem(net, (A.astype("float32"),)))
        assert names(problem.inputs) == [
            "parameter scale",
            "parameter first.weight",
            "parameter first.bias",
            "parameter second.bias",
            "parameter norm.weight",
            "parameter norm.bias",
            "input 0",
        ]
        assert problem.notes[-1] == "frozen, and not checked: parameter frozen"
        assert problem.low_precision is None
        assert all(part.dtype == "float64" for part in problem.inputs)
        right(problem.derivative(0))
        for name, tensor in net.state_dict().items():
            np.testing.assert_array_equal(tensor.numpy(), before[name])
            assert tensor.dtype == before[name].dtype
        assert net.training
        assert net.scale.grad is None
        assert isinstance(net.scale, nn.Parameter)

    def test_as_an_input(self):
        net = nn.Linear(4, 2).eval()
        problem = right(Problem(lambda model, x: (model(x) ** 2).sum() + 0 * model.training, (net, A)))
        assert names(problem.inputs) == ["parameter weight", "parameter bias", "input 1"]

    def test_several_that_share_a_parameter(self):
        one, other = nn.Linear(4, 4), nn.Linear(4, 4)
        other.weight = one.weight
        problem = right(Problem(lambda models, x: models[1](models[0](x)), ([one, other], A)))
        assert names(problem.inputs) == [
            "parameter weight of input 0[0]",
            "parameter bias of input 0[0]",
            "parameter bias of input 0[1]",
            "input 1",
        ]

    def test_the_same_one_twice(self):
        net = nn.Linear(4, 4)
        problem = right(Problem(lambda f, g, x: f(g(x)) if f is g else None, (net, net, A)))
        assert names(problem.inputs) == ["parameter weight", "parameter bias", "input 2"]

    def test_changes_to_its_state_do_not_last(self):
        class Counting(nn.Module):
            def __init__(self):
                super().__init__()
                self.calls = 0

            def forward(self, x):
                self.calls += 1
                return x * self.calls

        net = Counting()
        problem = right(Problem(net, (B,)))
        assert (kinds(problem), net.calls) == ([], 0)


class TestPrecision:
    @pytest.mark.parametrize("dtype", ["float32", "float16"])
    def test_cast_up(self, dtype):
        problem = right(Problem(lambda x: x.exp(), (A.astype(dtype),)))
        assert (problem.low_precision, problem.notes) == (None, [])
        np.testing.assert_array_equal(problem.x, A.astype(dtype).ravel().astype("float64"))

    def test_refused(self):
        def f(x):
            if x.dtype != np.float32:
                raise TypeError("float32 only, please")
            return x * 2

        problem = Problem(f, (A.astype("float32"),))
        assert problem.low_precision == np.float32
        assert problem.notes == ["computed in float32, because with float64 it raised TypeError: float32 only, please"]
        assert problem.pull(problem.x, np.ones(12)).tolist() == [2.0] * 12
        assert problem.value_extended(problem.x) is None
        with pytest.raises(TypeError, match="float32 only"):
            Problem(f, (A,))

    def test_outputs_of_less(self):
        problem = Problem(lambda x, y: (x.astype("float32"), y * 2), (A, B))
        assert problem.low_precision == np.float32
        assert problem.notes == ["output 0 came out as float32 although all inputs were float64"]
        assert kinds(problem) == []


class TestPoints:
    def test_outside_the_domain(self):
        problem = Problem((lambda x: math.sqrt(x), lambda g, x: g / (2 * math.sqrt(x))), (2.0,))
        assert np.isnan(problem.value(np.array([-1.0]))).all()
        assert np.isnan(problem.pull(np.array([-1.0]), np.ones(1))).all()
        right(problem)

    @pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, FloatingPointError, OverflowError])
    def test_an_error_at_the_point_itself(self, error):
        def f(x, y):
            raise error("no")

        with pytest.raises(error, match="no") as caught:
            Problem(f, (A, 1.0))
        (note,) = caught.value.__notes__
        assert note == (
            "This was raised while tensorgrad.testing was calling the function at input 0: float64 of shape (3, 4), "
            "input 1: float64 of shape ()."
        )

    def test_an_error_in_the_gradient(self):
        with pytest.raises(TypeError) as caught:
            Problem((lambda x: x, lambda g: g), (A,))
        assert "going back through the function, with engine 'pair'" in caught.value.__notes__[0]

    def test_other_errors_are_not_the_domain(self):
        def f(x):
            if (x < 0).any():
                raise KeyError("lost")
            return x * 2

        problem = Problem((f, lambda g, x: 2 * g), (A,))
        with pytest.raises(KeyError):
            problem.value(-problem.x)

    def test_warnings_elsewhere_are_silent(self):
        problem = Problem((np.log, lambda g, x: g / x), (A,))
        assert np.isnan(problem.value(-problem.x)).all()
        problem.pull(0 * problem.x, np.ones(12))
        with pytest.warns(RuntimeWarning, match="invalid value"):
            np.log(-A)

    def test_complex_and_extended_inputs(self):
        problem = Problem(lambda x: tg.exp(x) * x, (A,))
        z = problem.x + 1e-20j
        np.testing.assert_allclose(problem.value_complex(z).imag / 1e-20, slopes(problem).sum(axis=1), rtol=1e-8)
        wide = problem.value_extended(problem.x)
        if wide is not None:
            assert wide.dtype == np.longdouble
            np.testing.assert_allclose(wide.astype("float64"), problem.value(problem.x), rtol=1e-15)

    def test_functions_that_do_not_take_them(self):
        for f in (
            lambda x: tg.tensor([1.0]).to("float64") * x.abs(),
            lambda x: tg.tensor(np.asarray(x.detach(), "float64")),
            abs,
        ):
            assert Problem(f, (A,)).value_complex(Problem(f, (A,)).x + 1j) is None
        cast = Problem((lambda x: x.astype("float64"), lambda g, x: g), (A,))
        assert cast.value_extended(cast.x) is None
        assert cast.value_complex(cast.x + 1j) is None


class TestFaults:
    def test_none(self):
        for f in (lambda x, y: x @ y, Net().forward, (lambda x, y: x + 1, lambda g, x, y: (g, None))):
            inputs = (A,) if getattr(f, "__name__", "") == "forward" else (A, B)
            assert Problem(f, inputs).faults == []

    def test_an_input_that_is_changed(self):
        def f(x, y):
            x *= 2
            return x

        problem = Problem((f, lambda g, x, y: (2 * g, None)), (A, B))
        assert [(fault.kind, fault.part) for fault in problem.faults] == [("input changed", "input 0")]
        assert problem.faults[0].text == "the function changed input 0 in place."

        def backward(g, x, y):
            y[0] = 0
            return g, None

        problem = Problem((lambda x, y: x * 1, backward), (A, B))
        assert [fault.text for fault in problem.faults] == ["the backward pass changed input 1 in place."]

    def test_an_integer_input_that_is_changed(self):
        def f(x, i):
            i[0] = 7
            return x * 1

        assert kinds(Problem((f, lambda g, x, i: g), (A, np.arange(3)))) == ["input changed"]

    def test_a_tensor_that_is_changed(self):
        def f(x):
            x.data[0] = 0.0
            return x * 2

        assert kinds(Problem(f, (A,))) == ["input changed"]

    def test_a_cotangent_that_is_changed(self):
        def backward(g, x):
            g *= 2
            return g

        problem = Problem((lambda x: 2 * x, backward), (A,))
        assert [(fault.kind, fault.part) for fault in problem.faults] == [("cotangent changed", "output 0")]
        assert Problem((lambda x: (2 * x).sum(), backward), (np.float64(3.0),)).faults == []

        @tg.op
        def twice(x):
            return x * 2

        @twice.vjp("x")
        def _(g):
            g *= 2
            return g

        assert kinds(Problem(twice, (A,))) == ["cotangent changed"]

    def test_a_function_that_is_not_deterministic(self):
        generator = np.random.default_rng(0)
        problem = Problem(lambda x: x * generator.random(), (A,))
        assert set(kinds(problem)) == {"non-deterministic"}
        assert "the function gave two results at the same inputs, for output 0" in problem.faults[0].text
        problem = Problem((lambda x: x, lambda g, x: g * generator.random()), (A,))
        assert [(fault.kind, fault.part) for fault in problem.faults] == [("non-deterministic", "input 0")]

    def test_last_digits_may_differ(self):
        factors = iter(1 + 1e-13 * np.arange(100))
        problem = Problem((lambda x: x * next(factors), lambda g, x: g), (A,))
        assert problem.faults == []
        assert "differs from run to run" in problem.notes[0]

    @pytest.mark.parametrize("noise", [lambda: tg.rand(4), lambda: tg.rand(()).item()])
    def test_the_library_s_generator_is_held_still(self, noise):
        before = tg.get_rng_state()
        problem = right(Problem(lambda x: x * noise(), (A,)))
        assert problem.faults == []
        assert "same random numbers at each call" in problem.notes[0]
        assert before == tg.get_rng_state()

    @pytest.mark.parametrize("noise", [lambda: np.random.rand(4), lambda: random.random()])
    def test_other_generators_are_not(self, noise):
        problem = Problem(lambda x: x * noise(), (A,))
        assert {fault.kind for fault in problem.faults} == {"non-deterministic"}

    @pytest.mark.parametrize(
        ("backward", "text"),
        [
            (lambda g, x, b: (g, g), "the gradient of input 1 has shape (3, 4), but input 1 has shape (4,)."),
            (
                lambda g, x, b: (g.T, g.sum(0)),
                "the gradient of input 0 has shape (4, 3), but input 0 has shape (3, 4).",
            ),
            (lambda g, x, b: (g, g.sum()), "the gradient of input 1 has shape (), but input 1 has shape (4,)."),
            (lambda g, x, b: (g, g[:, :3]), "the gradient of input 1 has shape (3, 3), but input 1 has shape (4,)."),
        ],
    )
    def test_shapes(self, backward, text):
        problem = Problem((lambda x, b: x + b, backward), (A, B))
        assert [fault.text for fault in problem.faults if fault.kind == "shape"] == [text]
        assert problem.pull(problem.x, np.ones(12)).shape == (16,)

    def test_a_sum_that_is_missing_is_added_for_the_sake_of_the_numbers(self):
        right(Problem((lambda x, b: x + b, lambda g, x, b: (g.copy(), g)), (A, B)))

    @pytest.mark.parametrize(("dtype", "lost"), [("float32", True), ("float64", False), ("int64", False)])
    def test_dtypes(self, dtype, lost):
        problem = Problem((lambda x: x + 1, lambda g, x: np.ones(x.shape, dtype)), (A,))
        assert kinds(problem) == (["dtype lost"] if lost else [])
        if lost:
            assert problem.faults[0].text == "the gradient of input 0 is float32, but input 0 is float64."

    @pytest.mark.parametrize(
        "backward",
        [lambda g, x, y: (g, g), lambda g, x, y: (g[:2], g[1:]), lambda g, x, y: (g[::2], g[::-1][::2])],
    )
    def test_gradients_that_share_memory(self, backward):
        size = backward(np.zeros(3), 0, 0)[0].size
        problem = Problem((lambda x, y: np.zeros(3) + x.sum() + y.sum(), backward), (np.ones(size), np.ones(size)))
        assert kinds(problem) == ["aliased"]
        assert "input 0 and input 1 share memory" in problem.faults[0].text

    def test_gradients_that_do_not(self):
        problem = Problem((lambda x, y: x + y, lambda g, x, y: (g[:2], g[2:])), (np.ones(2), np.ones(2)))
        assert "aliased" not in kinds(problem)


class TestDerivatives:
    def test_names_and_orders(self):
        problem = Problem(lambda x, y: (x * y, (x**3).sum()), (B, 2.0))
        second = right(problem.derivative(0))
        assert second.order == 2
        assert names(second.inputs) == ["input 0", "input 1", "cotangent 0", "cotangent 1"]
        assert names(second.outputs) == ["gradient of input 0", "gradient of input 1"]
        third = right(second.derivative(1))
        assert names(third.inputs)[4:] == ["cotangent of gradient of input 0", "cotangent of gradient of input 1"]
        assert third.outputs[2].name == "gradient of cotangent 0"

    def test_the_seed_gives_the_cotangents(self):
        problem = Problem(lambda x: x**2, (B,))
        one, same, other = (problem.derivative(seed).x for seed in (1, 1, 2))
        assert one.tolist() == same.tolist() != other.tolist()

    def test_functions_that_differentiate(self):
        def slope(x):
            return tg.grad((x**3).sum(), x, create_graph=True)[0]

        problem = right(Problem(slope, (B,)))
        right(problem.derivative(0))

    def test_under_no_grad(self):
        with tg.no_grad():
            right(Problem(lambda x: x**2, (B,)))

    def test_pairs_have_one_order_only(self):
        problem = Problem((lambda x: x, lambda g, x: g), (A,))
        with pytest.raises(ValueError, match=r"order 1 only.*check backward as a forward"):
            problem.derivative(0)


class TestDevices:
    def test_tensors_stay_where_they_are(self, device):
        seen = []

        def f(x, i, plain):
            seen.append((x.device, i.device))
            return x[i] * x.sum(), {"more": x.exp()}

        x = tg.tensor(B, device=device)
        problem = right(Problem(f, (x, tg.tensor([0, 2], device=device), "text")))
        assert set(seen) == {(device, device)}
        right(problem.derivative(0))
        assert problem.faults == []

    def test_modules(self, device):
        net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Tanh()).to(device)
        right(Problem(net, (tg.tensor(A, device=device),)))
        assert net[0].weight.device == device

    def test_bare_arrays(self, device):
        x, y = (tg.tensor(value, device=device).data for value in (A, B))
        seen = []

        def forward(x, y):
            seen.append((type(x), type(y)))
            return x * y

        problem = right(Problem((forward, lambda g, x, y: (g * y, (g * x).sum(axis=0))), (x, y)))
        assert set(seen) == {(type(x), type(y))}
        assert problem.faults == []
        right(Problem(lambda x, y: x.reshape(12) * y.sum() if x.device == device else None, (x, y)))


def test_a_pair_with_tensors():
    problem = right(Problem(pair(lambda x: x * x, lambda g, x: 2 * g * x), (tg.tensor([1.0, 2.0]),)))
    assert problem.engine.name == "pair"
