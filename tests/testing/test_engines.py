"""The libraries whose gradients can be checked: found, asked and understood; those not installed are skipped."""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import engines
from tensorgrad.testing.checking.problem import Problem
from tensorgrad.testing.engines import Engine, find, pair
from tests.testing.test_problem import A, B, jacobian, kinds, names, right, slopes

PACKAGES = {"pytorch": "torch", "jax": "jax", "autograd": "autograd", "mygrad": "mygrad"}
Z = A[:2] + 1j * A[1:]


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch")
    # Threads that wait for each other on a busy machine take a hundred times as long.
    torch.set_num_threads(1)
    return torch


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


def written_with(name):
    """The library's functions, under the names of NumPy's."""
    if name == "tensorgrad":
        return tg
    library = pytest.importorskip(PACKAGES[name])
    return library if name in ("pytorch", "mygrad") else importlib.import_module(f"{name}.numpy")


@pytest.fixture(params=["tensorgrad", *PACKAGES])
def engine(request):
    return request.param


@pytest.fixture
def xp(engine):
    return written_with(engine)


class TestFinding:
    def test_by_what_the_function_mentions(self, engine, xp):
        def helper(x):
            return xp.sin(x)

        def outer(x):
            return helper(x) * 2

        class Layer:
            def __call__(self, x):
                return xp.sin(x)

            def method(self, x):
                return outer(x)

        functions = (
            helper,
            outer,
            lambda x: [xp.sin(x) for _ in range(2)],
            functools.partial(outer),
            functools.wraps(outer)(lambda *inputs: outer(*inputs)),
            Layer(),
            Layer().method,
            xp.sin,
        )
        for f in functions:
            assert find(f, [A]).name == engine

    def test_by_a_module_that_the_function_imports(self, engine, xp):
        scope: dict = {}
        exec(f"def f(x):\n    import {PACKAGES.get(engine, engine)}.numpy\n", scope)
        assert find(scope["f"], [A]).name == engine

    def test_by_what_the_function_closes_over(self, torch):
        class Net(torch.nn.Module):
            pass

        class Own(nn.Module):
            pass

        def closed_over(value):
            return lambda x: value

        for value, name in ((Net(), "pytorch"), (torch.ones(2), "pytorch"), (Own(), "tensorgrad"), (A, "tensorgrad")):
            assert find(closed_over(value), [A]).name == name

    def test_by_the_inputs(self, torch):
        assert find(lambda x: x, [torch.ones(2)]).name == "pytorch"
        assert find(lambda x: x, [A, {"a": [torch.ones(2)]}]).name == "pytorch"
        assert find(torch.nn.Linear(1, 1), [A]).name == "pytorch"
        assert find(lambda x: torch.sin(x), [tg.ones(2)]).name == "tensorgrad"

    def test_of_tensorgrad_if_nothing_tells(self):
        for f in (lambda x: x * x, np.sin, lambda x: np.sin(x), len, nn.Linear(1, 1)):
            assert find(f, [A, 1.0]).name == "tensorgrad"

    def test_jitted_functions(self, jax):
        assert find(jax.jit(lambda x: x), [A]).name == "jax"
        assert find(jax.grad(lambda x: x), [A]).name == "jax"
        assert find(lambda x: x, [jax.numpy.ones(2)]).name == "jax"

    def test_by_name(self, torch):
        assert find(lambda x: x, [A], "pytorch").name == find(lambda x: x, [A], "torch").name == "pytorch"
        own = find(lambda x: x, [A])
        assert find(lambda x: x, [torch.ones(1)], own) is own

    def test_pairs(self, torch):
        for inputs, native in (([A], None), ([tg.ones(2)], "tensorgrad"), ([torch.ones(2)], "pytorch")):
            found = find(pair(len, len), inputs)
            assert found.name == "pair"
            assert getattr(found.native, "name", None) == native
        assert find(pair(len, len), [A], "pytorch").native.name == "pytorch"
        assert find(pair(len, len), [A], "pair").native is None

    def test_several(self, torch):
        with pytest.raises(ValueError, match="several libraries, pytorch and tensorgrad"):
            find(lambda x, y: x, [tg.ones(1), torch.ones(1)])

    @pytest.mark.parametrize("name", ["numpy", "", 3, Engine])
    def test_no_such_engine(self, name):
        with pytest.raises(
            ValueError, match=r"there is no engine.*'tensorgrad', 'pytorch', 'jax', 'autograd', 'mygrad'"
        ):
            find(len, [A], name)

    def test_a_pair_is_wanted(self):
        with pytest.raises(ValueError, match="takes two functions"):
            find(len, [A], "pair")

    @pytest.mark.parametrize("name", PACKAGES)
    def test_not_installed(self, name, monkeypatch):
        monkeypatch.setitem(sys.modules, PACKAGES[name], None)
        with pytest.raises(ImportError, match=f"engine='{name}' needs {PACKAGES[name]}.*pip install {PACKAGES[name]}"):
            find(len, [A], name)

    def test_nothing_is_imported_that_nobody_asked_for(self):
        code = (
            "import sys, tensorgrad.testing as t; t.gradcheck(lambda x: x * x, [1.0]); "
            f"print([name for name in {['hypothesis', 'cupy', *PACKAGES.values()]} if name in sys.modules])"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "[]"


class TestEveryEngine:
    def orders(self, engine):
        return 1 if engine == "mygrad" else 3

    def test_gradients(self, engine, xp):
        def f(x, y, settings):
            assert settings == "text"
            return xp.matmul(xp.sin(x), y["y"]), {"a": (x * x).sum(), "n": None, "i": np.arange(3)}

        problem = Problem(f, (A, {"y": B}, "text"))
        assert problem.engine.name == engine
        for order in range(1, self.orders(engine) + 1):
            problem = problem if order == 1 else problem.derivative(order)
            right(problem)
            assert (problem.order, problem.faults, problem.notes, problem.low_precision) == (order, [], [], None)
        assert problem.x.size == (16 if engine == "mygrad" else 36)

    def test_numbers_and_float32(self, engine, xp):
        problem = right(Problem(lambda x, y, z: xp.exp(x) * y * z, (A.astype("float32"), 2.0, [1.0, 2.0, 3.0, 4.0])))
        assert [part.dtype for part in problem.inputs] == ["float64"] * 3
        assert (problem.low_precision, problem.notes) == (None, [])

    def test_an_output_that_does_not_depend_on_an_input(self, engine, xp):
        problem = right(Problem(lambda x, y: (xp.exp(x), 3.0), (A, B), engine=engine))
        assert not jacobian(problem)[:, 12:].any()
        if engine != "mygrad":
            right(problem.derivative(0))

    def test_nothing_depends_on_anything(self, engine, xp):
        problem = Problem(lambda x: xp.ones(2), (A,))
        assert not jacobian(problem).any()

    def test_complex(self, engine, xp):
        if engine in ("tensorgrad", "mygrad"):
            with pytest.raises(ValueError, match=f"{engine} has no gradients with respect to complex numbers"):
                Problem(lambda z: xp.exp(z), (Z,))
            return
        functions = (
            lambda z, x: xp.exp(z) * x * xp.conj(z),
            lambda z, x: xp.abs(z * x),
            lambda z, x: xp.imag(z) ** 2 * x if engine != "pytorch" else z.imag**2 * x,
        )
        for f in functions:
            for dtype in ("complex128", "complex64"):
                problem = right(Problem(f, (Z.astype(dtype), A[:2])))
                assert [part.complex for part in problem.inputs] == [True, False]
                assert kinds(problem) == []
                assert problem.value_complex(problem.x + 0j) is None
            second = right(problem.derivative(0))
            n, v = problem.x.size, np.random.default_rng(0).normal(size=problem.x.size)
            # Gradients with respect to cotangents are J v; both are of pairs of reals, whatever the convention.
            np.testing.assert_allclose(second.pull(second.x, v)[n:], jacobian(problem) @ v)
            np.testing.assert_allclose(second.value(second.x), problem.pull(problem.x, second.x[n:]))
            right(second.derivative(1))

    def test_the_complex_step(self, engine, xp):
        problem = Problem(lambda x: xp.sin(x) * x, (A,))
        found = problem.value_complex(problem.x + 1e-20j)
        if engine == "mygrad":
            assert found is None
        else:
            np.testing.assert_allclose(found.imag / 1e-20, slopes(problem).sum(axis=1), rtol=1e-8)

    def test_extended_precision(self, engine, xp):
        problem = Problem(lambda x: xp.exp(x) * x, (A,))
        found = problem.value_extended(problem.x)
        assert (found is not None) == (
            engine in ("tensorgrad", "autograd") and np.finfo(np.longdouble).eps < np.finfo(np.float64).eps
        )
        assert found is None or found.dtype == np.longdouble

    def test_random_numbers(self, engine, xp):
        if engine not in ("tensorgrad", "pytorch"):
            pytest.skip("has no generator of its own that is shared")
        problem = right(Problem(lambda x: x * xp.rand(4), (A,), engine=engine))
        assert problem.faults == []


class TestPyTorch:
    def test_modules(self, torch):
        net = torch.nn.Sequential(
            torch.nn.Linear(4, 4),
            torch.nn.BatchNorm1d(4),
            torch.nn.Dropout(0.5),
            torch.nn.Tanh(),
            torch.nn.Linear(4, 4),
        )
        net[4].weight = net[0].weight
        net[4].bias.requires_grad_(False)
        before = {name: value.clone() for name, value in net.state_dict().items()}
        state = torch.get_rng_state()
        problem = right(Problem(net, (A,)))
        assert names(problem.inputs) == [
            *("parameter 0.weight", "parameter 0.bias", "parameter 1.weight", "parameter 1.bias"),
            "input 0",
        ]
        assert problem.notes[-1] == "frozen, and not checked: parameter 4.bias"
        right(problem.derivative(0))
        right(Problem(lambda model, x: (model(x) ** 2).sum(), (net, torch.tensor(A))))
        assert net.training
        assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
        assert torch.equal(state, torch.get_rng_state())

    def test_recurrent_modules(self, torch):
        torch.manual_seed(0)
        problem = right(Problem(torch.nn.LSTM(4, 2), (A[:, None],)))
        assert names(problem.outputs) == ["output 0", "output 1[0]", "output 1[1]"]

    def test_float64_refused(self, torch):
        problem = Problem(lambda x: x @ torch.ones(4, 2), (A.astype("float32"),))
        assert problem.low_precision == np.float32
        assert "because with float64 it raised RuntimeError: expected" in problem.notes[0]

    def test_too_few_bits(self, torch):
        with pytest.raises(TypeError, match="bfloat16 has too few bits"):
            Problem(lambda x: x.to(torch.bfloat16), (torch.tensor(A),))

    def test_under_no_grad(self, torch):
        with torch.no_grad():
            right(Problem(torch.sin, (A,)))

    def test_outside_the_domain(self, torch):
        problem = Problem(torch.linalg.cholesky, (np.eye(2),))
        assert np.isnan(problem.value(-problem.x)).all()

    def test_one_gradient_for_two_inputs_is_no_fault(self, torch):
        assert Problem(lambda x, y: x + y, (torch.ones(2), torch.ones(2))).faults == []


class TestJAX:
    def test_double_precision_for_the_length_of_the_check(self, jax):
        before = jax.config.jax_enable_x64
        inputs = (jax.numpy.ones(3), jax.numpy.array([0, 1]))
        problem = right(Problem(jax.jit(lambda x, i: x[i] * x.sum()), inputs))
        assert (problem.low_precision, problem.notes) == (None, [])
        assert jax.config.jax_enable_x64 == before

    def test_less_than_double(self, jax):
        problem = Problem(lambda x: jax.numpy.asarray(x, "float32") * 2, (A,))
        assert problem.low_precision == np.float32
        with pytest.raises(TypeError, match="bfloat16 has too few bits"):
            Problem(lambda x: x.astype("bfloat16"), (jax.numpy.ones(3),))


class TestPairs:
    """The forms that backward may have, and what it may return."""

    def test_a_cache(self):
        def affine_forward(x, w, b):
            return x @ w + b, (x, w)

        def affine_backward(dout, cache):
            x, w = cache
            return dout @ w.T, x.T @ dout, dout.sum(axis=0)

        problem = right(Problem(pair(affine_forward, affine_backward, takes="cache"), (A, A.T, B[:3])))
        assert (len(problem.outputs), problem.faults) == (1, [])

    def test_a_layer_that_remembers(self):
        class Layer:
            def forward(self, x):
                self.x = x
                return x**2

            def backward(self, dout):
                return 2 * self.x * dout

        layer = Layer()
        right(Problem(pair(layer.forward, layer.backward, takes="cotangent"), (A,)))

    def test_a_mask_in_the_cache(self):
        def forward(x):
            mask = np.random.default_rng(0).random(x.shape) < 0.5
            return x * mask, mask

        assert right(Problem(pair(forward, lambda g, mask: g * mask, takes="cache"), (A,))).faults == []

    def test_no_cache(self):
        with pytest.raises(TypeError, match=r"wants a forward that returns \(output, cache\); it returned ndarray"):
            Problem(pair(np.sin, np.cos, takes="cache"), (A,))

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ((np.sin, 3), TypeError, "backward is int"),
            ((None, np.sin), TypeError, "forward is NoneType"),
            ((np.sin, np.cos, "output"), ValueError, "'inputs', 'cache', 'cotangent', not 'output'"),
        ],
    )
    def test_bad_arguments(self, arguments, error, message):
        with pytest.raises(error, match=message):
            pair(*arguments)

    def test_called_it_gives_the_output(self):
        assert pair(lambda x: (x + 1, x), lambda g, cache: g, takes="cache")(2) == 3

    def test_several_outputs(self):
        def forward(x):
            return x * 2, {"square": x**2, "where": x > 0}, np.arange(3)

        def backward(g, x):
            first, second, third = g
            assert third is None
            assert second["where"] is None
            return 2 * first + 2 * x * second["square"]

        right(Problem((forward, backward), (A,)))

    @pytest.mark.parametrize(
        "result",
        [
            lambda dx, dy: (dx, dy, None),
            lambda dx, dy: [dx, dy, None],
            lambda dx, dy: (dx, dy),
            lambda dx, dy: (dx, dy, np.zeros(3)),
        ],
    )
    def test_inputs_that_are_not_checked(self, result):
        def backward(g, x, y, i):
            return result(g * y, (g * x).sum(axis=0))

        assert right(Problem((lambda x, y, i: x * y, backward), (A, B, np.arange(3)))).faults == []

    @pytest.mark.parametrize(
        "result",
        [
            lambda dw, db: ({"w": dw, "b": db}, None),
            lambda dw, db: ({"b": db, "w": dw}, None),
            lambda dw, db: (dw, db),
        ],
    )
    def test_containers(self, result):
        def forward(parameters, n):
            return parameters["w"] * parameters["b"] * n

        def backward(g, parameters, n):
            return result(n * g * parameters["b"], (n * g * parameters["w"]).sum(axis=0))

        right(Problem((forward, backward), ({"w": A, "b": B, "k": 3}, 3)))

    def test_one_container(self):
        forward, inputs = (lambda p: p[0] * p[1]["a"]), ((A, {"a": 2.0}),)
        right(Problem((forward, lambda g, p: (g * 2, {"a": (g * A).sum()})), inputs))
        right(Problem((forward, lambda g, p: ((g * 2, {"a": (g * A).sum()}),)), inputs))
        right(Problem((forward, lambda g, p: (g * 2, (g * A).sum())), inputs))
        assert not jacobian(Problem((forward, lambda g, p: (g * 2, {})), inputs))[:, 12:].any()

    def test_lists_and_numbers_as_gradients(self):
        right(Problem((lambda x: x @ B, lambda g, x: [float(b) * g for b in B]), (B,)))
        right(Problem((lambda x, y: x * y, lambda g, x, y: (float(g * y), float(g * x))), (2.0, 3.0)))
        problem = right(Problem((lambda x: x.sum(), lambda g, x: g), (A,)))
        assert kinds(problem) == ["shape"]

    @pytest.mark.parametrize(
        ("result", "message"),
        [
            (None, "returned None: is a return missing"),
            (
                (A,),
                "returned 1 gradients; it must return one gradient for each of the 3 inputs, or one for each of the 2",
            ),
            (A, "returned one ndarray"),
            ((A, B, None, None), "returned 4 gradients"),
            ((A, (B, B), None), "returned 3 gradients"),
            ((A, "text", None), "expected an array or a number, got str"),
        ],
    )
    def test_what_is_not_understood(self, result, message):
        with pytest.raises(TypeError, match=message):
            Problem((lambda x, y, n: x * y, lambda g, x, y, n: result), (A, B, 3))

    def test_complex_conventions(self):
        square, inputs = (lambda z: z * z), (Z,)
        right(Problem(pair(square, lambda g, z: 2 * g * np.conj(z)), inputs))
        right(Problem(pair(square, lambda g, z: 2 * g * z, conjugate=True), inputs))
        wrong = Problem(pair(square, lambda g, z: 2 * g * z), inputs)
        assert not np.allclose(jacobian(wrong), slopes(wrong))

    def test_a_complex_gradient_of_a_real_input(self):
        problem = Problem((lambda x: x * 1j, lambda g, x: g * -1j), (B,))
        assert [fault.text for fault in problem.faults] == [
            "the gradient of input 0 is complex128, but input 0 is float64."
        ]
        right(problem)

    def test_arrays_of_another_library(self, torch):
        seen = []

        def forward(x):
            seen.append(x)
            return x**2

        right(Problem((forward, lambda g, x: 2 * g * x), (torch.tensor(A),)))
        assert all(isinstance(x, torch.Tensor) and not x.requires_grad for x in seen)


def test_an_engine_of_ones_own():
    class Dual:
        """A number and, for each thing it was made of, how fast it changes with it."""

        def __init__(self, value, slopes=()):
            self.value, self.slopes = float(value), dict(slopes)

        def __mul__(self, other):
            slopes = {key: slope * other.value for key, slope in self.slopes.items()}
            for key, slope in other.slopes.items():
                slopes[key] = slopes.get(key, 0.0) + slope * self.value
            return Dual(self.value * other.value, slopes)

    class DualEngine(Engine):
        name = "dual"

        def array(self, value, like):
            return Dual(value.item())

        def numpy(self, native):
            return np.array(native.value) if isinstance(native, Dual) else super().numpy(native)

        def pull(self, call, leaves, wanted, cotangents):
            for i in wanted:
                leaves[i].slopes[i] = 1.0
            pairs = list(zip(call(*leaves), cotangents, strict=True))
            return [sum(output.slopes.get(i, 0.0) * g.value for output, g in pairs) for i in wanted]

    problem = right(Problem(lambda x, y: (x * x * y, y * y), (2.0, 3.0), engine=DualEngine()))
    assert jacobian(problem).tolist() == [[12.0, 4.0], [0.0, 6.0]]
    with pytest.raises(ValueError, match="gradients of dual cannot be differentiated again: check order=1"):
        problem.derivative(0)


def test_the_public_names():
    assert engines.pair is pair
    assert {"Engine", "find", "pair"} <= set(engines.__all__)
