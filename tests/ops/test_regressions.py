"""Traps: what went wrong in other engines, or here once, and the conventions at kinks and ties."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
import tensorgrad.nn.functional as F
from tensorgrad.testing import assert_gradients, gradcheck

INF, NAN = math.inf, math.nan


def leaf(data: Any, dtype: str = "float64", device: str = "cpu") -> tg.Tensor:
    return tg.tensor(data, dtype=dtype, device=device, requires_grad=True)


def slope(function: Any, *data: Any, device: str = "cpu") -> Any:
    """The gradients of the sum of a function, as lists: of its only argument, or of all."""
    tensors = [leaf(each, device=device) for each in data]
    gradients = [gradient.tolist() for gradient in tg.grad(function(*tensors).sum(), tensors)]
    return gradients[0] if len(gradients) == 1 else gradients


# -- the graph -------------------------------------------------------------------------------------------------


def test_sixty_doublings_take_no_time() -> None:
    x = y = leaf(1.0)
    start = time.perf_counter()
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60
    assert time.perf_counter() - start < 1


def test_one_tensor_in_several_places() -> None:
    assert slope(lambda x: x * x * x, 2.0) == 12
    assert slope(lambda x: tg.concat([x, x, x]), [1.0, 2.0]) == [3, 3]
    assert slope(lambda x: tg.matmul(x, x), [[1.0, 2.0], [3.0, 4.0]]) == [[7, 11], [9, 13]]
    assert slope(lambda x: tg.where(x > 1, x, x * 10), [1.0, 2.0]) == [10, 1]


def test_gradients_are_not_shared_with_each_other() -> None:
    # Weight decay on one of two gradients that are one array would change the other too.
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (x + y).sum().backward()
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    x.grad += 1
    assert y.grad.tolist() == [1, 1]


def test_accumulating_does_not_change_a_gradient_that_somebody_holds() -> None:
    x = leaf([1.0, 2.0])
    (x * 2).sum().backward()
    held = x.grad.numpy().copy()
    before = x.grad
    (x * 2).sum().backward()
    assert before.tolist() == held.tolist()
    assert x.grad.tolist() == [4, 4]


def test_several_outputs_kept_by_one_rule_and_used_twice() -> None:
    # Each use was a vertex of its own once, and the last one overwrote the others.
    @tg.op(outputs=("y", "z"))
    def both(x):
        return x * x, x * x * x

    @both.vjp("x")
    def _(gs, x, y, z):
        return 2 * gs[0] * x * (y / y) + 3 * gs[1] * y * (z / z)

    assert_gradients(lambda x: both(x)[0] * both(x)[1] + sum(both(x)), [0.5, 2.0], order=3)
    assert_gradients(lambda x: F.batch_norm(x, training=True), np.arange(6.0).reshape(3, 2) ** 2)


def test_third_derivatives() -> None:
    # The rules of the ops that are themselves the gradients of others, recorded in their turn.
    line = [[[0.5, -1.0, 2.0]]]
    functions = {
        "convolution": (lambda x, weight: tg.conv1d(x, weight) ** 3, line, [[[1.5, -0.5]]]),
        "max pooling": (lambda x: tg.max_pool1d(x * x, 2, stride=1) ** 2, line),
        "average pooling": (lambda x: tg.avg_pool1d(x * x, 2, stride=1) ** 2, line),
        "median pooling": (lambda x: tg.median_pool2d(x * x, 2, stride=1) ** 2, [[[0.5, -1.0, 2.0], [1.5, 3.0, -0.3]]]),
        "indexing": (lambda x: (x * x)[[0, 0, 2]] ** 2, line[0][0]),
        "running product": (lambda x: tg.cumulative_prod(x * x) ** 2, line[0][0]),
        "contraction": (lambda x, y: tg.einsum("ij,j->i", x, y) ** 3, [[0.5, -1.0]], [2.0, 1.5]),
        "normalisation": (lambda x: F.layer_norm(x, 3), line),
    }
    for name, (function, *inputs) in functions.items():
        report = gradcheck(function, *inputs, order=3, rtol=1e-7)
        assert report, f"{name}: {report}"


def test_gradients_come_back_to_the_device_of_their_data(device: str) -> None:
    x = leaf([1.0, 2.0])
    (first,) = tg.grad((x.to(device) ** 3).to("cpu").sum(), x, create_graph=True)
    assert (first.tolist(), first.device) == ([3, 12], "cpu")
    (second,) = tg.grad((first.to(device) * tg.tensor([1.0, 2.0], dtype="float64", device=device)).sum(), x)
    assert (second.tolist(), second.device) == ([6, 24], "cpu")


# -- indexing --------------------------------------------------------------------------------------------------


def test_repeated_indices_add_up(device: str) -> None:
    def counts(key: Any) -> Any:
        return slope(lambda x: x[key], [1.0, 2.0, 3.0], device=device)

    assert counts([0, 0, 2]) == [2, 0, 1]
    assert counts([0, -3, -1]) == [2, 0, 1]
    assert counts([[0, 0], [0, 1]]) == [3, 1, 0]
    assert counts(tg.tensor([1, 1, 1], device=device)) == [0, 3, 0]
    assert slope(lambda x: tg.take(x, [1, 1], axis=1), [[1.0, 2.0]], device=device) == [[0, 2]]
    index = tg.tensor([[0, 0, 0]], device=device)
    assert slope(lambda x: tg.take_along_axis(x, index, axis=1), [[1.0, 2.0]], device=device) == [[3, 0]]


def test_index_that_changes_after_its_use() -> None:
    x, index = leaf([1.0, 2.0, 3.0]), np.array([0, 1])
    y = x[index]
    index[:] = 2
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 0]


def test_index_array_in_a_gradient_of_a_gradient(device: str) -> None:
    # The bare index array was once taken for an input of the graph.
    index = tg.tensor([0, 0, 2], device=device)
    for key in (index, (index,), index.data, [0, 0, 2]):
        x = leaf([1.0, 2.0, 3.0], device=device)
        (first,) = tg.grad((x[key] ** 3).sum(), x, create_graph=True)
        (second,) = tg.grad(first.sum(), x)
        assert second.tolist() == [12, 0, 18]


def test_booleans_of_numpy_are_masks() -> None:
    x = tg.tensor([1.0, 2.0])
    assert x[np.True_].tolist() == [[1, 2]]
    assert x[np.False_].shape == (0, 2)
    assert x[x.data[0] > 0].shape == (1, 2)


def test_of_values_put_at_one_place_the_last_stays(device: str) -> None:
    x = leaf([0.0, 0.0, 0.0], device=device)
    values = leaf([1.0, 2.0, 3.0], device=device)
    y = tg.index_put(x, [1, 1, 0], values)
    assert y.tolist() == [3, 2, 0]
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 1]
    assert values.grad.tolist() == [0, 1, 1]
    assert tg.index_put(x, ([0, 0], slice(None)) if x.ndim > 1 else [0, 0], 7.0).tolist() == [7, 0, 0]


def test_keys_that_numpy_takes(device: str) -> None:
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], device=device)
    array = x.numpy()
    for key in (range(3), range(0), (range(2), 0), ((0, 1),), ((0, 1), [1, 0]), (slice(None), (1, 0))):
        assert x[key].tolist() == array[key].tolist(), key
    assert tg.take_along_axis(x, [[1], [0], [1]]).tolist() == [[2], [3], [6]]
    assert tg.take_along_axis([3.0, 4.0], [1]).tolist() == [4]


def test_counts_and_shifts_are_integers(device: str) -> None:
    x = tg.tensor([1.0, 2.0], device=device)
    for two in (2, np.int64(2), tg.tensor(2), np.array(2)):
        assert tg.repeat(x, two).tolist() == [1, 1, 2, 2]
        assert tg.tile(x, two).tolist() == [1, 2, 1, 2]
        assert tg.roll(x, two).tolist() == [1, 2]
    for counts in ([2, 1], (2, 1), np.array([2, 1]), tg.tensor([2, 1])):
        assert tg.repeat(x, counts).tolist() == [1, 1, 2]
        assert tg.tile(x, counts).tolist() == [[1, 2], [1, 2]]
    assert [piece.shape for piece in tg.split(x, np.array([1]))] == [(1,), (1,)]
    assert slope(lambda x: tg.roll(x, np.array([1]), axis=(0,)) * x, [1.0, 2.0, 4.0]) == [6, 5, 3]
    for function in (tg.roll, tg.repeat, tg.tile):
        with pytest.raises(TypeError, match="integer"):
            function(x, 1.5)
    for function in (tg.repeat, tg.tile):
        for counts in (-1, [-1, 2]):
            with pytest.raises(ValueError, match="0 or more"):
                function(x, counts)


# -- windows ---------------------------------------------------------------------------------------------------


def test_padding_of_max_pooling_is_below_every_number(device: str) -> None:
    # Padded with zeros, windows of negative numbers pooled to 0.
    x = leaf([[[-1.0, -2.0], [-3.0, -4.0]]], device=device)
    pooled = tg.max_pool2d(x, 2, stride=1, padding=1)
    assert pooled.tolist() == [[[-1, -1, -2], [-1, -1, -2], [-3, -3, -4]]]
    pooled.sum().backward()
    assert x.grad.tolist() == [[[4, 2], [2, 1]]]
    assert tg.min_pool2d(-x, 2, stride=1, padding=1).tolist() == (-pooled).tolist()
    assert tg.median_pool2d(x, 2, stride=1, padding=1).numpy()[0, 0].tolist() == [-1, -1.5, -2]


def test_dilated_kernel_that_just_fits(device: str) -> None:
    x = tg.ones((1, 5, 5), device=device)
    assert tg.conv2d(x, tg.ones((1, 1, 3, 3), device=device), dilation=2).tolist() == [[[9]]]
    assert tg.max_pool2d(x, 3, dilation=2).tolist() == [[[1]]]
    with pytest.raises(ValueError, match="5"):
        tg.conv2d(x[:, :4], tg.ones((1, 1, 3, 3), device=device), dilation=2)


@pytest.mark.parametrize(("outputs", "channels"), [(0, 3), (2, 0), (0, 0)])
@pytest.mark.parametrize("kernel", [1, 3])
def test_convolution_of_no_channels_or_into_none(outputs: int, channels: int, kernel: int, device: str) -> None:
    x, weight = (
        leaf(np.ones((2, channels, 5, 5)), device=device),
        leaf(np.ones((outputs, channels, kernel, kernel)), device=device),
    )
    bias = leaf(np.ones(outputs), device=device)
    out = tg.conv2d(x, weight, bias)
    np.testing.assert_array_equal(out.numpy(), np.ones((2, outputs, 6 - kernel, 6 - kernel)))
    for tensor, gradient in zip((x, weight), tg.grad(out.sum(), [x, weight], create_graph=True), strict=True):
        np.testing.assert_array_equal(gradient.numpy(), np.zeros(tensor.shape))


def test_averages_of_bytes_do_not_overflow(device: str) -> None:
    x = tg.full((1, 2, 2), 200, dtype="uint8", device=device)
    for pool in (tg.avg_pool2d, tg.median_pool2d, tg.adaptive_avg_pool2d):
        assert pool(x, 2).tolist()[0][0][0] == 200
    assert tg.global_avg_pool2d(x).item() == 200
    assert tg.sum_pool2d(x, 2).item() == 800


def test_not_a_number_is_not_lost_by_max_pooling(device: str) -> None:
    pooled = tg.max_pool2d(tg.tensor([[[NAN, 1.0], [2.0, 3.0]]], device=device), 2)
    assert math.isnan(pooled.item())


# -- ties ------------------------------------------------------------------------------------------------------


def test_equal_ones_share_the_gradient_of_a_maximum(device: str) -> None:
    assert slope(tg.max, [3.0, 1.0, 3.0], device=device) == [0.5, 0, 0.5]
    assert slope(tg.min, [3.0, 1.0, 1.0, 1.0], device=device) == [0, 1 / 3, 1 / 3, 1 / 3]
    assert slope(lambda x: tg.max(x, axis=1), [[2.0, 2.0], [1.0, 2.0]], device=device) == [[0.5, 0.5], [0, 1]]
    assert slope(tg.maximum, [1.0, 2.0], [1.0, 0.0], device=device) == [[0.5, 1], [0.5, 0]]
    assert slope(tg.minimum, [1.0, 2.0], [1.0, 0.0], device=device) == [[0.5, 0], [0.5, 1]]
    assert slope(lambda x: tg.vector_norm(x, ord=INF), [2.0, -2.0], device=device) == [0.5, -0.5]


def test_the_first_of_equal_ones_has_the_gradient_of_max_pooling(device: str) -> None:
    ones = np.ones((1, 2, 4))
    first = [[[1, 0, 1, 0], [0, 0, 0, 0]]]
    assert slope(lambda x: tg.max_pool2d(x, 2), ones, device=device) == first
    assert slope(lambda x: tg.min_pool2d(x, 2), ones, device=device) == first
    assert slope(lambda x: tg.adaptive_max_pool2d(x, (1, 2)), ones, device=device) == first
    assert slope(tg.global_max_pool2d, np.zeros((1, 2, 2)), device=device) == [[[1, 0], [0, 0]]]
    values, where = tg.max_pool2d(tg.tensor(ones, device=device), 2, return_indices=True)
    assert values.tolist() == [[[1, 1]]]
    assert where.tolist() == [[[0, 2]]]


def test_sorting_is_stable(device: str) -> None:
    x = tg.tensor([2, 1, 2, 1], device=device)
    assert tg.argsort(x).tolist() == [1, 3, 0, 2]
    assert tg.argsort(x, descending=True).tolist() == [0, 2, 1, 3]
    assert tg.argmax(x).item() == 0
    assert tg.argmin(x).item() == 1


# -- kinks -----------------------------------------------------------------------------------------------------


def test_derivatives_at_kinks(device: str) -> None:
    at_zero = {
        "relu": tg.relu,
        "abs": tg.abs,
        "sign": tg.sign,
        "floor": tg.floor,
        "clip from above": lambda x: tg.clip(x, 1, 2),
        "norm": tg.vector_norm,
        "norm of one order": lambda x: tg.vector_norm(x, ord=1),
        "hypot": lambda x: tg.hypot(x, 0.0),
        "copysign": lambda x: tg.copysign(x, 1.0),
        "std": tg.std,
    }
    for name, function in at_zero.items():
        assert slope(function, [0.0], device=device) == [0], name
    assert slope(lambda x: tg.clip(x, 0, 1), [0.0, 1.0], device=device) == [1, 1]
    with np.errstate(divide="ignore"):
        assert slope(tg.sqrt, [0.0], device=device) == [INF]
        assert slope(tg.cbrt, [0.0], device=device) == [INF]
    assert slope(tg.vector_norm, [0.0, 0.0], device=device) == [0, 0]
    assert slope(tg.std, [2.0, 2.0, 2.0], device=device) == [0, 0, 0]


def test_equivalent_formulas_have_the_same_kinks() -> None:
    x = [-1.0, 0.0, 2.0]
    assert slope(tg.relu, x) == slope(lambda x: x * (x > 0), x) == slope(lambda x: tg.where(x > 0, x, 0), x)
    assert slope(tg.abs, x) == slope(lambda x: x * tg.sign(x), x) == slope(abs, x)


def test_slopes_on_the_negative_side_hold_at_zero() -> None:
    assert slope(lambda x: F.leaky_relu(x, 0.25), [0.0]) == slope(lambda x: F.prelu(x, leaf([0.25])), [0.0]) == [0.25]
    assert slope(lambda x: F.prelu(x, leaf([0.25])), 0.0) == 0.25
    assert slope(lambda x: F.elu(x, 0.25), [0.0]) == [0.25]
    assert F.prelu(leaf([INF, -INF]), leaf([0.25])).tolist() == [INF, -INF]


def test_powers_at_zero(device: str) -> None:
    def powers(base: float, exponent: float) -> list[float]:
        with np.errstate(divide="ignore"):
            return slope(lambda x, y: x**y, base, exponent, device=device)

    assert powers(0.0, 0.0) == [0, 0]
    assert powers(0.0, 1.0) == [1, 0]
    assert powers(0.0, 2.0) == [0, 0]
    assert powers(5.0, 0.0) == [0, math.log(5)]
    assert powers(0.0, 0.5)[0] == INF
    assert slope(lambda x: x**0, [0.0, 2.0], device=device) == [0, 0]
    assert slope(lambda x: x**1, [0.0, 2.0], device=device) == [1, 1]
    assert slope(lambda x: x**2, [0.0, -2.0], device=device) == [0, -4]
    assert slope(lambda x: x**3, [0.0, -2.0], device=device) == [0, 12]
    assert slope(lambda y: 0**y, [0.0, 2.0], device=device) == [0, 0]
    assert slope(lambda y: 2**y, [0.0, 1.0], device=device) == [math.log(2), 2 * math.log(2)]


def test_second_derivatives_of_powers_at_zero() -> None:
    for exponent, expected in ((0, 0), (1, 0), (2, 2), (3, 0)):
        x = leaf(0.0)
        (first,) = tg.grad(x**exponent, x, create_graph=True)
        (second,) = tg.grad(first, x)
        assert second.item() == expected, exponent


# -- zeros, infinities, not a number ---------------------------------------------------------------------------


def test_products_with_zeros(device: str) -> None:
    assert slope(tg.prod, [2.0, 0.0, 3.0], device=device) == [0, 6, 0]
    assert slope(tg.prod, [2.0, 0.0, 0.0], device=device) == [0, 0, 0]
    assert slope(tg.cumulative_prod, [2.0, 0.0, 3.0], device=device) == [1, 8, 0]
    assert slope(lambda x: tg.prod(x, axis=()), [2.0, 0.0], device=device) == [1, 1]
    assert tg.prod(tg.zeros(0, device=device)).item() == 1


def test_logsumexp_of_infinities(device: str) -> None:
    x = leaf([[-INF, -INF], [0.0, -INF], [1e4, 1e4]], device=device)
    out = tg.logsumexp(x, axis=1)
    assert out.tolist() == [-INF, 0, 1e4 + math.log(2)]
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0, 0], [1, 0], [0.5, 0.5]], rtol=1e-12)
    with np.errstate(invalid="ignore"):
        assert tg.logsumexp(tg.tensor([INF, 0.0], device=device)).item() == INF


def test_softmax_where_some_are_ruled_out(device: str) -> None:
    x = leaf([0.0, -INF, 0.0], device=device)
    out = tg.softmax(x)
    assert out.tolist() == [0.5, 0, 0.5]
    (out * tg.tensor([1.0, 2.0, 3.0], device=device)).sum().backward()
    assert x.grad.tolist() == [-0.5, 0, 0.5]
    assert slope(lambda x: tg.log_softmax(x)[0], [0.0, -INF, 0.0], device=device) == [0.5, 0, -0.5]


def test_what_was_not_chosen_has_no_say(device: str) -> None:
    # Exactly zero is handed on, not 0 * NaN.
    a, b = leaf([1.0, 2.0], device=device), leaf([NAN, INF], device=device)
    tg.where(tg.tensor([True, True], device=device), a, b).sum().backward()
    assert a.grad.tolist() == [1, 1]
    assert b.grad.tolist() == [0, 0]
    with np.errstate(invalid="ignore"):
        assert slope(lambda x: tg.where(x > 0, tg.log(x), 0), [-1.0, 2.0], device=device) == [0, 0.5]
        assert slope(lambda x: tg.where(x > 0, tg.log(tg.where(x > 0, x, 1)), 0), [0.0, 2.0], device=device) == [0, 0.5]
    assert slope(lambda x: tg.maximum(x, 0), [-INF, INF], device=device) == [0, 1]
    assert slope(lambda x: tg.where(True, x, 0), [3.0], device=device) == [1]


def test_logaddexp_far_apart_and_infinite(device: str) -> None:
    assert slope(tg.logaddexp, [-INF, 0.0], [-INF, -INF], device=device) == [[0.5, 1], [0.5, 0]]
    assert slope(tg.logaddexp, [INF, 1e4], [INF, -1e4], device=device) == [[0.5, 1], [0.5, 0]]
    assert slope(lambda x: tg.logaddexp(x, 1e4), [0.0], device=device) == [0]


def test_second_derivative_of_logaddexp_at_a_tie() -> None:
    # A mask for infinities, where both are equal, had made it 0 for finite ones too.
    assert_gradients(tg.logaddexp, [1.0, 2.0], [1.0, 2.0])


# -- products --------------------------------------------------------------------------------------------------


def test_diagonals_and_ellipsis_in_einsum(device: str) -> None:
    square = [[1.0, 2.0], [3.0, 4.0]]
    assert slope(lambda x: tg.einsum("ii", x), square, device=device) == [[1, 0], [0, 1]]
    assert slope(lambda x: tg.einsum("ii->i", x), square, device=device) == [[1, 0], [0, 1]]
    assert slope(lambda x: tg.einsum("ij->j", x), square, device=device) == [[1, 1], [1, 1]]
    assert slope(lambda x: tg.einsum("i,i,i->", x, x, x), [2.0], device=device) == [12]
    x, y = leaf(np.ones((2, 1, 2, 3)), device=device), leaf(np.ones((4, 3, 2)), device=device)
    product = tg.einsum("...ij,...jk->...ik", x, y)
    assert product.shape == (2, 4, 2, 2)
    product.sum().backward()
    assert x.grad.tolist() == np.full(x.shape, 8.0).tolist()
    assert y.grad.tolist() == np.full(y.shape, 4.0).tolist()
    assert tg.einsum("ij->", tg.ones((2, 3), dtype="uint8", device=device)).dtype == np.uint8


def test_layers_without_features(device: str) -> None:
    # A -1 in a reshape does not tell how long an axis is beside one of length 0.
    x, weight = leaf(np.ones((2, 3, 0)), device=device), leaf(np.ones((4, 0)), device=device)
    tg.linear(x, weight).sum().backward()
    assert x.grad.shape == (2, 3, 0)
    assert weight.grad.shape == (4, 0)
    weight = leaf(np.ones((0, 4)), device=device)
    (x @ weight).sum().backward()
    assert weight.grad.shape == (0, 4)


def test_reductions_of_an_array_without_axes(device: str) -> None:
    # Forwards NumPy lets 0 and -1 stand for no axis, as PyTorch does; backwards that failed.
    for function in (tg.cumulative_sum, tg.cumulative_prod, tg.sort, tg.softmax, tg.log_softmax):
        assert function(tg.tensor(2.0, device=device), axis=0).shape == ()
    assert slope(tg.cumulative_sum, 2.0, device=device) == slope(tg.sort, 2.0, device=device) == 1
    assert tg.argsort(tg.tensor(2.0, device=device), descending=True).item() == 0
    functions = [tg.sum, tg.mean, tg.max, tg.min, tg.prod, tg.logsumexp, tg.vector_norm]
    for axis in (None, 0, -1, (0,), ()):
        for keepdims in (False, True):
            for function in functions:
                x = leaf(2.0, device=device)
                out = function(x, axis=axis, keepdims=keepdims)
                assert (out.shape, out.item(), tg.grad(out, x)[0].item()) == ((), 2, 1)
            for function in (tg.var, tg.std):
                assert slope(lambda x, f=function: f(x, axis=axis, keepdims=keepdims), 2.0, device=device) == 0  # noqa: B023
    for function in (tg.argmax, tg.argmin, tg.count_nonzero, tg.any, tg.all):
        assert function(tg.tensor(2.0, device=device), axis=0, keepdims=True).shape == ()
    for function in (*functions, tg.argmax):
        with pytest.raises((IndexError, ValueError), match="out of bounds"):
            function(leaf(2.0, device=device), axis=1)


def test_axes_may_be_a_list(device: str) -> None:
    assert tg.sum(tg.ones((2, 3, 4), device=device), axis=[0, -1]).tolist() == [8, 8, 8]


def test_norms_of_large_numbers_and_of_zeros(device: str) -> None:
    for ord in (2, 3, 6):
        big = tg.vector_norm(tg.tensor([3e4, 0.0], dtype="float16", device=device), ord=ord)
        assert (big.item(), big.dtype) == (30000, np.float16)
        assert slope(lambda x, ord=ord: tg.vector_norm(x, ord=ord), [0.0, 0.0], device=device) == [0, 0]
    assert slope(lambda x: tg.vector_norm(x, ord=0.5), [4.0, 0.0], device=device) == [1, 0]
    assert slope(lambda x: tg.vector_norm(x, ord=0), [4.0, 0.0], device=device) == [0, 0]


def test_reciprocals_of_integers_are_fractions(device: str) -> None:
    assert tg.reciprocal(tg.tensor([2, 4], device=device)).tolist() == [0.5, 0.25]


# -- broadcasting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "other"),
    [
        ((), (2, 3)),
        ((1,), (2, 3)),
        ((3,), (2, 3)),
        ((1, 1), (2, 3)),
        ((2, 1), (2, 3)),
        ((2, 1), (1, 3)),
        ((1, 3), (0, 3)),
        ((1,), (0,)),
        ((), (0, 2)),
        ((2, 0, 1), (1, 3)),
        ((1, 1, 1), ()),
        ((0, 1), (1, 0)),
    ],
)
def test_gradients_of_what_was_broadcast(shape: tuple, other: tuple, device: str) -> None:
    x, y = leaf(np.full(shape, 2.0), device=device), leaf(np.full(other, 3.0), device=device)
    whole = np.broadcast_shapes(shape, other)
    for function, of_x, of_y in [(tg.add, 1, 1), (tg.multiply, 3, 2), (tg.maximum, 0, 1)]:
        gradients = tg.grad(function(x, y).sum(), [x, y])
        for tensor, gradient, one in zip((x, y), gradients, (of_x, of_y), strict=True):
            assert gradient.shape == tensor.shape
            expected = one * math.prod(whole) / max(tensor.size, 1)
            np.testing.assert_array_equal(gradient.numpy(), np.full(tensor.shape, expected))


def test_padding_of_a_number() -> None:
    # There is nothing to pad around an array without axes.
    assert tg.pad(tg.tensor(1.0), 2).item() == 1


def test_shapes_together() -> None:
    assert tg.broadcast_shapes((3, 1), (2,), ()) == (3, 2)
    assert tg.broadcast_shapes() == ()
    with pytest.raises(ValueError, match="shape"):
        tg.broadcast_shapes((3,), (2,))


@pytest.mark.parametrize("size", [2, 16])
def test_average_pooling_of_float16_does_not_overflow_where_the_mean_does_not(size):
    x = tg.full((1, 1, 16, 16), 300.0, dtype="float16", requires_grad=True)
    y = tg.avg_pool2d(x, size)
    assert y.dtype == "float16"
    assert (y == 300.0).all()
    y.sum().backward()
    assert x.grad.dtype == "float16"


def test_cross_entropy_of_many_float16_scores_with_one_ignored():
    scores = tg.randn(40000, 10).astype("float16")
    target = np.zeros(40000, dtype="int64")
    expected = tg.cross_entropy(scores, target).item()
    target[0] = -100
    loss = tg.cross_entropy(scores, target)
    assert loss.dtype == "float16"
    assert loss.item() == pytest.approx(expected, rel=1e-2)
    weighted = tg.cross_entropy(scores, target, weight=tg.ones(10, dtype="float16"))
    assert weighted.item() == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize("key", [slice(0, 2), [0, 1], np.array([True, True, False])])
def test_index_put_of_values_with_more_axes_of_length_1_than_there_is_room_for(key):
    v = tg.tensor([[1.0, 2.0]], requires_grad=True)
    y = tg.index_put(tg.zeros(3), key, v)
    assert y.tolist() == [1.0, 2.0, 0.0]
    (y * tg.tensor([10.0, 20.0, 30.0])).sum().backward()
    assert v.grad.tolist() == [[10.0, 20.0]]
