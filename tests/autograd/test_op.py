"""Ops that users write: by rules, and as a Function."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import assert_gradients


def leaf(*values, dtype="float64"):
    return tg.tensor(list(values), dtype=dtype, requires_grad=True)


@tg.op
def scaled_sine(x, /, scale=1.0, *, xp):
    """Sine, scaled."""
    return scale * xp.sin(x)


@scaled_sine.vjp("x")
def _(g, x, scale, xp):
    return g * scale * xp.cos(x)


@tg.op
def moments(x, *, xp):
    """Two outputs: the mean and the mean square."""
    return xp.mean(x), xp.mean(x * x)


@moments.vjp("x")
def _(gs, x, x_shape, xp):
    return xp.broadcast_to((gs[0] + gs[1] * 2 * x) / x.size, x_shape)


@tg.op
def affine(x, weight, bias):
    """A joint rule for three inputs."""
    return x * weight + bias


@affine.vjp("x", "weight", "bias")
def _(g, x, weight, needs):
    return (g * weight if needs[0] else None, g * x if needs[1] else None, g if needs[2] else None)


@tg.op
def total(*arrays, weight=1.0):
    """A sequence of arrays."""
    result = arrays[0] * weight
    for array in arrays[1:]:
        result = result + array * weight
    return result


@total.vjp("arrays")
def _(g, arrays_shape, weight):
    return [g * weight for _ in arrays_shape]


class TestOp:
    def test_options_and_derivatives(self):
        assert_gradients(lambda x: scaled_sine(x, 3.0), [0.1, 0.7], order=3)
        assert_gradients(lambda x: scaled_sine(x, scale=3.0), [0.1, 0.7], order=2)

    def test_several_outputs(self):
        x = leaf(1.0, 2.0)
        mean, square = moments(x)
        assert (mean.item(), square.item()) == (1.5, 2.5)
        square.backward()
        assert x.grad.tolist() == [1.0, 2.0]
        assert_gradients(lambda x: moments(x), [1.0, 2.0, 4.0])
        assert_gradients(lambda x: moments(x)[1] * moments(x)[0], [1.0, 2.0, 4.0])

    def test_joint_rule(self):
        assert_gradients(affine, [1.0, 2.0], [3.0, 4.0], [0.5])
        x = leaf(2.0)
        affine(x, tg.tensor([3.0], dtype="float64"), 1.0).sum().backward()
        assert x.grad.tolist() == [3.0]

    def test_sequence_of_arrays(self):
        assert_gradients(lambda x, y, z: total(x, y, z, weight=2.0) ** 2, [1.0, 2.0], [3.0], [[1.0], [2.0]])

    def test_arrays_in_arrays_out(self):
        result = scaled_sine(np.zeros(2))
        assert isinstance(result, np.ndarray)

    def test_numbers_in_tensor_out(self):
        result = scaled_sine(0.0)
        assert isinstance(result, tg.Tensor)
        assert result.dtype == np.float32

    def test_keeps_name_doc_and_signature(self):
        import inspect

        assert scaled_sine.__name__ == "scaled_sine"
        assert scaled_sine.__doc__ == "Sine, scaled."
        assert str(inspect.signature(scaled_sine)) == "(x, /, scale=1.0)"

    def test_named_outputs(self):
        @tg.op(outputs=("top", "where"))
        def top(x, *, xp):
            return xp.max(x), xp.argmax(x)

        @top.vjp("x")
        def _(gs, where, x_shape, xp):
            return tg.index_put(xp.zeros_like(gs[0] * np.ones(x_shape)), where, gs[0])

        x = leaf(1.0, 5.0, 2.0)
        value, index = top(x)
        assert index.item() == 1
        assert not index.requires_grad
        value.backward()
        assert x.grad.tolist() == [0.0, 1.0, 0.0]

    def test_an_integer_result_requires_no_gradient(self):
        @tg.op
        def truncate(x):
            return x.astype("int64")

        @truncate.vjp("x")
        def _(g):
            return g

        assert not truncate(leaf(1.5)).requires_grad

    def test_missing_rule(self):
        @tg.op
        def half(x, y):
            return x * y

        @half.vjp("x")
        def _(g, y):
            return g * y

        half(leaf(1.0), 2.0).sum().backward()
        with pytest.raises(tg.GradientError, match=r"half\(\) has no vjp rule for 'y'.*y\.detach\(\)"):
            half(1.0, leaf(1.0))

    def test_wrong_shape_from_a_rule(self):
        @tg.op
        def broken(x):
            return x * 2

        @broken.vjp("x")
        def _(g):
            return g[:1]

        with pytest.raises(tg.GradientError, match=r"'broken' for 'x' gave a gradient of shape \(1,\).*\(3,\)"):
            broken(leaf(1.0, 2.0, 3.0)).sum().backward()

    def test_an_error_in_a_rule_names_the_op(self):
        @tg.op
        def failing(x):
            return x * 2

        @failing.vjp("x")
        def _(g):
            raise ZeroDivisionError("oh")

        with pytest.raises(ZeroDivisionError) as caught:
            failing(leaf(1.0)).sum().backward()
        assert "in the vjp rule of 'failing' for 'x'" in caught.value.__notes__[0]

    def test_an_error_in_a_forward_names_the_op(self):
        with pytest.raises(ValueError, match="broadcast") as caught:
            tg.add(tg.ones(2), tg.ones(3))
        assert "add(float32[2], float32[3])" in caught.value.__notes__[0]

    @pytest.mark.parametrize(
        ("inputs", "rule", "words"),
        [
            (("z",), lambda g: g, "no array parameter 'z'; it has x, y"),
            (("x",), lambda g, w: g, "asks for 'w'"),
            (("x",), lambda g, z_shape: g, "asks for 'z_shape'"),
        ],
    )
    def test_a_rule_that_does_not_fit_is_refused_at_once(self, inputs, rule, words):
        @tg.op
        def two(x, y):
            return x * y

        with pytest.raises(TypeError, match=words):
            two.vjp(*inputs)(rule)

    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            (lambda g: None, r"'broken' for 'x' returned None"),
            (lambda g: 2.0, r"'broken' for 'x' returned float"),
            (lambda g: [g], r"'broken' for 'x' returned list"),
            (lambda g: g * 1j, r"'broken' for 'x' gave a gradient of dtype complex128"),
        ],
    )
    def test_a_rule_must_give_a_gradient(self, rule, words):
        @tg.op
        def broken(x):
            return x * 2

        broken.vjp("x")(rule)
        x = leaf(1.0)
        with pytest.raises(tg.GradientError, match=words):
            (broken(x) + x).sum().backward()
        assert x.grad is None

    @pytest.mark.parametrize(
        ("rule", "words"),
        [
            (lambda g: (g,), r"for 'x', 'y' returned 1 gradients for 2 inputs"),
            (lambda g: (g, None), r"for 'y' returned None"),
            (lambda g: None, r"for 'x', 'y' returned None"),
        ],
    )
    def test_a_joint_rule_must_give_all_gradients(self, rule, words):
        @tg.op
        def broken(x, y):
            return x * y

        broken.vjp("x", "y")(rule)
        with pytest.raises(tg.GradientError, match=words):
            broken(leaf(1.0), leaf(1.0)).sum().backward()

    def test_a_tensor_from_a_rule_is_taken_for_its_array(self):
        @tg.op
        def same(x):
            return x * 1

        @same.vjp("x")
        def _(g):
            return tg.tensor(g)

        x = leaf(2.0)
        same(x).sum().backward()
        assert x.grad.tolist() == [1.0]

    def test_which_outputs_are_used(self):
        told = []

        @tg.op
        def parts(x):
            return x[:2] * 1, x[2:] * 1

        @parts.vjp("x")
        def _(gs, used, xp):
            told.append(used)
            assert all(used) or not xp.any(gs[used.index(False)])
            return xp.concat(gs)

        x = leaf(1.0, 2.0, 3.0)
        parts(x)[0].sum().backward()
        assert told == [(True, False)]
        assert x.grad.tolist() == [1.0, 1.0, 0.0]
        first, second = parts(x)
        (slope,) = tg.grad((first.sum() + second.sum()) ** 2, x, create_graph=True)
        slope.sum().backward()
        assert told[1:] == [(True, True)] * 2

    @pytest.mark.parametrize("name", ["out", "needs", "used"])
    def test_a_parameter_with_a_name_that_rules_use_otherwise(self, name):
        namespace = {}
        exec(f"def f(x, {name}):\n    return x", namespace)
        with pytest.raises(TypeError, match=f"parameter {name!r} means something else to its rules"):
            tg.op(namespace["f"])

    def test_a_forward_that_gives_no_array(self):
        @tg.op
        def nothing(x):
            pass

        with pytest.raises(
            TypeError, match=r"nothing\(\) must return an array or a tuple of them, it returned NoneType"
        ):
            nothing(leaf(1.0))

    def test_a_tensor_as_an_option(self):
        assert scaled_sine(leaf(1.0), tg.tensor(2.0)).item() == scaled_sine(leaf(1.0), 2.0).item()
        with pytest.raises(tg.GradientError, match=r"scaled_sine\(\) has no gradient for its option 'scale'"):
            scaled_sine(leaf(1.0), leaf(2.0))

    def test_an_option_in_the_place_of_an_array(self):
        @tg.op
        def mode_first(x, mode="a", *, xp):
            return x

        with pytest.raises(TypeError, match=r"takes an array for 'mode', not 'b'.*options come after a slash"):
            mode_first(leaf(1.0), "b")
        with pytest.raises(TypeError, match="takes an array for 'arrays', not 'b'"):
            total(leaf(1.0), "b")

    def test_the_names_that_pytorch_has_for_axis_and_keepdims(self):
        assert tg.sum(tg.ones((2, 3)), dim=1, keepdim=True).shape == (2, 1)
        with pytest.raises(TypeError, match="two values for 'dim'"):
            tg.sum(tg.ones((2, 3)), axis=0, dim=1)

    def test_a_rule_is_called_after_its_op(self):
        import traceback

        @tg.op
        def failing(x):
            return x * 2

        @failing.vjp("x")
        def _(g):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError) as caught:
            failing(leaf(1.0)).sum().backward()
        assert "failing.vjp('x')" in "".join(traceback.format_tb(caught.tb))

    def test_a_second_rule_is_refused(self):
        with pytest.raises(TypeError, match="has a vjp rule for 'x' already"):
            scaled_sine.vjp("x")

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: scaled_sine(), "needs a value for 'x'"),
            (lambda: scaled_sine(1.0, 2.0, 3.0), "3 positional"),
            (lambda: scaled_sine(1.0, size=2.0), "no parameter 'size'"),
            (lambda: scaled_sine(1.0, x=2.0), "two values for 'x'"),
        ],
    )
    def test_wrong_calls(self, call, words):
        with pytest.raises(TypeError, match=words):
            call()


class Cube(tg.Function):
    @staticmethod
    def forward(ctx, x, factor=1.0):
        assert not tg.is_grad_enabled()
        ctx.save_for_backward(x)
        ctx.factor = factor
        return x * x * x * factor

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * ctx.factor * g * x * x, None


class TestFunction:
    def test_gradients_of_any_order(self):
        assert_gradients(lambda x: Cube.apply(x, 2.0), [1.0, 2.0], order=3)

    def test_a_saved_output(self):
        class Exp(tg.Function):
            @staticmethod
            def forward(ctx, x):
                y = tg.exp(x)
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, g):
                return g * ctx.saved_tensors[0]

        assert_gradients(Exp.apply, [0.1, 0.5], order=3)

    def test_several_outputs_and_needs(self):
        class SumAndProduct(tg.Function):
            @staticmethod
            def forward(ctx, x, y):
                ctx.save_for_backward(x, y)
                return x + y, x * y

            @staticmethod
            def backward(ctx, gs, gp):
                x, y = ctx.saved_tensors
                first = gs + gp * y if ctx.needs_input_grad[0] else None
                second = gs + gp * x if ctx.needs_input_grad[1] else None
                return first, second

        assert_gradients(SumAndProduct.apply, [1.0, 2.0], [3.0, 4.0])
        x = leaf(2.0)
        _, product = SumAndProduct.apply(x, tg.tensor([5.0], dtype="float64"))
        product.sum().backward()
        assert x.grad.tolist() == [5.0]

    def test_gradients_of_unused_outputs_can_be_written_to(self):
        class Twice(tg.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1, x * 2

            @staticmethod
            def backward(ctx, first, second):
                second.data[...] += 1
                return first + second

        x = leaf(2.0, 3.0)
        Twice.apply(x)[0].sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]

    def test_broadcasting_is_undone(self):
        class Add(tg.Function):
            @staticmethod
            def forward(ctx, x, y):
                return x + y

            @staticmethod
            def backward(ctx, g):
                return g, g

        assert_gradients(Add.apply, [[1.0], [2.0]], [3.0, 4.0])

    def test_wrong_count(self):
        class Short(tg.Function):
            @staticmethod
            def forward(ctx, x, y):
                return x * y

            @staticmethod
            def backward(ctx, g):
                return g

        with pytest.raises(TypeError, match="returned 1 gradients for 2 arguments"):
            Short.apply(leaf(1.0), leaf(1.0)).sum().backward()

    def test_tensors_that_would_lose_their_gradient(self):
        with pytest.raises(tg.GradientError, match="by position"):
            Cube.apply(leaf(1.0), factor=leaf(2.0))

    def test_saves_tensors_only(self):
        class Bad(tg.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(np.ones(2))
                return x

        with pytest.raises(TypeError, match=r"save_for_backward.*Tensors.*ndarray"):
            Bad.apply(leaf(1.0))

    def test_must_return_tensors(self):
        class Bad(tg.Function):
            @staticmethod
            def forward(ctx, x):
                return 1.0

        with pytest.raises(TypeError, match=r"Bad\.forward\(\) must return Tensors"):
            Bad.apply(leaf(1.0))

    def test_without_gradients_nothing_is_recorded(self):
        assert not Cube.apply(tg.tensor([1.0])).requires_grad
        with tg.no_grad():
            assert not Cube.apply(leaf(1.0)).requires_grad


class TestScalarsOfNumPy:
    def test_alone_they_are_bare_arrays(self):
        assert not isinstance(scaled_sine(np.float32(0.5)), tg.Tensor)
        assert scaled_sine(np.float64(0.5)).dtype == np.float64

    def test_a_rule_on_a_0d_array_may_call_an_op(self):
        @tg.op
        def double(x):
            return 2 * x

        @double.vjp("x")
        def _(g):
            result = scaled_sine(g) / scaled_sine(g) * 2
            assert not isinstance(result, tg.Tensor)
            return result

        x = tg.tensor(1.0, requires_grad=True)
        double(x * 1).backward()
        assert x.grad.item() == 2.0
        assert x.grad.dtype == np.float32


class TestNumbersAndLists:
    @pytest.mark.parametrize(
        ("args", "dtype"),
        [
            ((1.0, 2), "float32"),
            ((1, 2), "int64"),
            (([1.0, 2.0], 3), "float32"),
            (([1, 2], [0.5, 1.5]), "float32"),
            (([True], [2]), "int64"),
            ((np.float64(1.0), 2), "float64"),
        ],
    )
    def test_alone(self, args, dtype):
        assert tg.add(*args).dtype == dtype
        assert tg.add(*args[::-1]).dtype == dtype
