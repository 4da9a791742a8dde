"""The worked examples of the course material that the library was made for, as far as they are about ops."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
import tensorgrad.nn.functional as F

IMAGE = [[4, 2, 0, 2], [3, 2, 3, 8], [2, 1, 8, 5], [4, 6, 8, 2]]


def filtered(image: np.ndarray, kernel: list[list[float]], padding: int | str = 0) -> np.ndarray:
    """A grey image after a kernel made by hand."""
    x, weight = (tg.tensor(np.asarray(each, "float32")[None, None]) for each in (image, kernel))
    return tg.conv2d(x, weight, padding=padding).numpy()[0, 0]


# -- convolution -----------------------------------------------------------------------------------------------


def test_convolution_of_a_small_image() -> None:
    kernel = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    # The material says 189 for the 195: it was worked out with a 0 in the upper right corner.
    assert filtered(IMAGE, kernel).tolist() == [[142, 195], [225, 230]]
    assert filtered([[4, 2, 0, 0], *IMAGE[1:]], kernel).tolist() == [[142, 189], [225, 230]]


@pytest.mark.parametrize(
    ("image", "kernels", "options", "output"),
    [
        ((3, 5, 5), (2, 3, 3, 3), {"stride": 2, "padding": 1}, (2, 3, 3)),
        ((1, 4, 4), (1, 1, 3, 3), {}, (1, 2, 2)),
        ((1, 5, 5), (1, 1, 3, 3), {"stride": 2, "padding": 1}, (1, 3, 3)),
        ((1, 28, 28), (32, 1, 5, 5), {"padding": "same"}, (32, 28, 28)),
        ((1, 28, 28), (32, 1, 5, 5), {"padding": "valid"}, (32, 24, 24)),
        ((1, 28, 28), (32, 1, 4, 4), {"padding": "same"}, (32, 28, 28)),
    ],
)
def test_shapes_of_convolutions(image: tuple, kernels: tuple, options: dict, output: tuple) -> None:
    assert tg.conv2d(tg.zeros(image), tg.zeros(kernels), **options).shape == output


def test_padding_that_is_written_out_gives_the_same() -> None:
    rng = np.random.default_rng(0)
    x, weight = tg.tensor(rng.normal(size=(1, 3, 5, 5))), tg.tensor(rng.normal(size=(2, 3, 3, 3)))
    wide = tg.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert wide.shape == (1, 3, 7, 7)
    np.testing.assert_allclose(
        tg.conv2d(wide, weight, stride=2).numpy(), tg.conv2d(x, weight, stride=2, padding=1).numpy(), rtol=1e-12
    )


def test_stride_and_pooling_leave_a_quarter_of_the_positions() -> None:
    x = tg.zeros((1, 1, 28, 28))
    positions = math.prod(x.shape)
    assert 4 * tg.conv2d(x, tg.zeros((1, 1, 3, 3)), stride=2, padding=1).size == positions
    assert 4 * tg.max_pool2d(x, 2).size == positions


def test_kernels_slide_over_the_whole_image() -> None:
    # The same object further to the right is found further to the right: the kernel is shared.
    image = np.zeros((6, 8), "float32")
    image[1:3, 1:3] = 1
    kernel = [[1, 1], [1, 1]]
    there, shifted = filtered(image, kernel), filtered(np.roll(image, 3, axis=1), kernel)
    assert there.argmax() + 3 == shifted.argmax()
    assert there.max() == shifted.max() == 4


# -- kernels made by hand --------------------------------------------------------------------------------------

STEP = np.array([[0, 0, 10, 10]] * 4)
"""Dark on the left, bright on the right."""


def test_identity_kernel() -> None:
    assert filtered(IMAGE, [[0, 0, 0], [0, 1, 0], [0, 0, 0]], "same").tolist() == IMAGE


def test_edge_kernel_is_silent_where_nothing_changes() -> None:
    kernel = [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]
    assert filtered(np.full((5, 5), 7), kernel).tolist() == np.zeros((3, 3)).tolist()
    assert filtered(STEP, kernel).tolist() == [[-30, 30]] * 2
    dot = np.zeros((3, 3))
    dot[1, 1] = 1
    assert filtered(dot, kernel).item() == 8


def test_sharpening_keeps_surfaces_and_lifts_edges() -> None:
    kernel = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    assert filtered(np.full((3, 3), 7), kernel).item() == 7
    assert filtered(STEP, kernel).tolist() == [[-10, 20]] * 2


def test_box_blur_is_the_mean_of_nine() -> None:
    blurred = filtered(IMAGE, np.full((3, 3), 1 / 9))
    np.testing.assert_allclose(blurred, [[25 / 9, 31 / 9], [37 / 9, 43 / 9]], rtol=1e-6)
    average = tg.avg_pool2d(tg.tensor(IMAGE, dtype="float32").reshape(1, 1, 4, 4), 3, stride=1)
    np.testing.assert_allclose(blurred, average.numpy()[0, 0], rtol=1e-6)


def test_sobel_kernels_see_their_own_direction() -> None:
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    assert filtered(STEP, sobel).tolist() == [[40, 40]] * 2
    assert filtered(STEP, sobel.T).tolist() == [[0, 0]] * 2
    assert filtered(STEP.T, sobel.T).tolist() == [[40, 40]] * 2
    gx, gy = filtered(IMAGE, sobel), filtered(IMAGE, sobel.T)
    assert gx.tolist() == [[2, 16], [16, 10]]
    assert gy.tolist() == [[4, 18], [14, 8]]


def test_top_edge_kernel() -> None:
    top = [[-1, -1, -1], [1, 1, 1], [0, 0, 0]]
    bar = np.zeros((5, 5))
    bar[2:4] = 1
    assert filtered(bar, top).tolist() == [[0] * 3, [3] * 3, [0] * 3]


# -- pooling ---------------------------------------------------------------------------------------------------


def test_poolings_of_one_image() -> None:
    x = tg.tensor(IMAGE, dtype="float32").reshape(1, 4, 4)
    assert tg.max_pool2d(x, 2).numpy()[0].tolist() == [[4, 8], [6, 8]]
    assert tg.min_pool2d(x, 2).numpy()[0].tolist() == [[2, 0], [1, 2]]
    assert tg.sum_pool2d(x, 2).numpy()[0].tolist() == [[11, 13], [13, 23]]
    assert tg.avg_pool2d(x, 2).numpy()[0].tolist() == [[2.75, 3.25], [3.25, 5.75]]
    assert tg.median_pool2d(x, 2).numpy()[0].tolist() == [[2.5, 2.5], [3, 6.5]]
    assert tg.max_pool2d(x, 3, stride=1).numpy()[0].tolist() == [[8, 8], [8, 8]]
    assert tg.global_avg_pool2d(x).numpy().tolist() == [[[3.75]]]


def test_max_pooling_finds_a_tiny_object_that_average_pooling_loses() -> None:
    image = np.zeros((1, 16, 16), "float32")
    image[0, 5, 10] = 1
    x = tg.tensor(image)
    assert tg.max_pool2d(x, 8).numpy().max() == 1
    assert tg.avg_pool2d(x, 8).numpy().max() == 1 / 64
    # Side by side both are kept.
    both = tg.concat([tg.global_max_pool2d(x), tg.global_avg_pool2d(x)])
    assert both.numpy().ravel().tolist() == [1, 1 / 256]


def test_max_pooling_forgets_a_shift_within_a_window_but_not_beyond() -> None:
    image = np.zeros((1, 4, 4), "float32")
    image[0, 0, 0] = 1
    pooled, inside, beyond = (tg.max_pool2d(tg.tensor(np.roll(image, n, axis=2)), 2).numpy() for n in (0, 1, 2))
    np.testing.assert_array_equal(pooled, inside)
    assert (pooled != beyond).any()


# -- sizes -----------------------------------------------------------------------------------------------------


def test_flatten_and_reshape() -> None:
    assert tg.flatten(tg.zeros((64, 32, 32))).shape == (65_536,)
    assert tg.zeros(12).reshape(3, 4).shape == (3, 4)
    assert tg.flatten(tg.zeros((200, 200, 3))).shape == (120_000,)
    with pytest.raises(ValueError, match="13"):
        tg.zeros(13).reshape(3, 4)


def test_a_fully_connected_layer_needs_more_than_ten_billion_weights() -> None:
    inputs = math.prod((224, 224, 3))
    assert inputs == 150_528
    assert inputs * (inputs // 2) == 11_329_339_392
    # The convolution that looks at the same image shares its weights: 64 kernels of 7x7, as in a ResNet.
    assert math.prod((64, 3, 7, 7)) == 9_408


# -- outputs and losses ----------------------------------------------------------------------------------------

TARGET = [0.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(("output", "error"), [([0.2, 0.4, 0.1, 0.3], 0.55), ([0.1, 0.1, 0.7, 0.1], 0.06)])
def test_total_error_is_half_the_sum_of_squares(output: list[float], error: float) -> None:
    output = tg.tensor(output, requires_grad=True)
    total = F.half_squared_error(output, tg.tensor(TARGET))
    assert total.item() == pytest.approx(error, rel=1e-6)
    total.backward()
    np.testing.assert_allclose(output.grad.numpy(), output.numpy() - TARGET, rtol=1e-6)


def test_gradient_descent_on_one_image_lowers_the_total_error() -> None:
    logits = tg.tensor(np.log([0.2, 0.4, 0.1, 0.3]), requires_grad=True)
    errors = []
    for _ in range(40):
        error = F.half_squared_error(tg.softmax(logits), tg.tensor(TARGET, dtype="float64"))
        errors.append(error.item())
        (slope,) = tg.grad(error, logits)
        logits = (logits - slope).detach().requires_grad_()
    assert errors[0] == pytest.approx(0.55)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.06


def test_sigmoid_is_the_two_class_softmax() -> None:
    z = tg.linspace(-30, 30, 61, dtype="float64")
    two = tg.softmax(tg.stack([z, tg.zeros_like(z)], axis=-1), axis=-1)
    np.testing.assert_allclose(tg.sigmoid(z).numpy(), two.numpy()[:, 0], rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_softmax_of_huge_scores(dtype: str) -> None:
    scores = tg.tensor([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, -1e4]], dtype=dtype, requires_grad=True)
    out = tg.softmax(scores)
    assert (out.numpy() >= 0).all()
    np.testing.assert_allclose(out.numpy(), [[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]], rtol=1e-3)
    np.testing.assert_allclose(out.numpy().sum(axis=-1), 1, rtol=1e-3)
    out.sum().backward()
    np.testing.assert_allclose(scores.grad.numpy(), np.zeros((3, 3)), atol=1e-3)


def test_one_hot_labels() -> None:
    labels = tg.one_hot(tg.tensor([3, 0, 9]), 10)
    assert labels.shape == (3, 10)
    assert labels.numpy().sum(axis=1).tolist() == [1, 1, 1]
    assert tg.argmax(labels, axis=1).tolist() == [3, 0, 9]
    scores = tg.tensor(np.random.default_rng(0).normal(size=(3, 10)))
    by_class = F.cross_entropy(scores, tg.tensor([3, 0, 9]))
    by_vector = F.cross_entropy(scores, labels.to(scores.dtype))
    assert by_class.item() == pytest.approx(by_vector.item(), rel=1e-12)
