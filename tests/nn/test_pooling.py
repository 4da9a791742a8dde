"""Poolings: the way back from a maximum, norms, windows that cover an image, all numbers of axes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import assert_gradients

RNG = np.random.default_rng(0)
LENGTHS = {1: (7,), 2: (5, 6), 3: (4, 5, 3)}
DIMENSIONS = pytest.mark.parametrize("d", [1, 2, 3])


def layer(name: str, d: int):
    return getattr(nn, f"{name}{d}d")


@DIMENSIONS
@pytest.mark.parametrize(
    ("name", "reduce"), [("MinPool", np.min), ("MaxPool", np.max), ("MedianPool", np.median), ("SumPool", np.sum)]
)
def test_every_window(name: str, reduce, d: int, device: str) -> None:
    x = RNG.normal(size=(2, 3, *LENGTHS[d]))
    y = layer(name, d)(2, 1)(tg.tensor(x, device=device)).numpy()
    seen = np.lib.stride_tricks.sliding_window_view(x, (2,) * d, axis=tuple(range(2, d + 2)))
    np.testing.assert_allclose(y, reduce(seen, axis=tuple(range(-d, 0))))


@DIMENSIONS
def test_one_number_for_each_channel(d: int) -> None:
    axes = tuple(range(2, d + 2))
    x = RNG.normal(size=(2, 3, *LENGTHS[d]))
    for name, wanted in (("Avg", x.mean(axes, keepdims=True)), ("Max", x.max(axes, keepdims=True))):
        for pool in (layer(f"Global{name}Pool", d)(), layer(f"Adaptive{name}Pool", d)(1)):
            np.testing.assert_allclose(pool(x).numpy(), wanted)
            np.testing.assert_allclose(pool(x[0]).numpy(), wanted[0])
    y = layer("AdaptiveConcatPool", d)()(x).numpy()
    np.testing.assert_allclose(y, np.concatenate([x.max(axes, keepdims=True), x.mean(axes, keepdims=True)], 1))
    with pytest.raises(ValueError, match=rf"GlobalMaxPool{d}d\(\) takes .* \(N, C, .*\), got \(3,\)"):
        layer("GlobalMaxPool", d)()(np.ones(3))


# -- where the largest stood -----------------------------------------------------------------------------------


@DIMENSIONS
@pytest.mark.parametrize("kind", ["windows", "adaptive"])
def test_indices_are_places_in_the_flattened_image(kind: str, d: int, device: str) -> None:
    x = RNG.normal(size=(2, 3, *LENGTHS[d]))
    pool = layer("MaxPool", d)(3, 2, 1, return_indices=True)
    if kind == "adaptive":
        pool = layer("AdaptiveMaxPool", d)(2, return_indices=True)
    for given in (x, x[0]):
        values, indices = pool(tg.tensor(given, device=device))
        assert indices.dtype == "int64"
        assert indices.device == device
        flat = given.reshape(*given.shape[:-d], -1)
        picked = np.take_along_axis(flat, indices.numpy().reshape(*given.shape[:-d], -1), axis=-1)
        np.testing.assert_array_equal(picked.reshape(values.shape), values.numpy())


@DIMENSIONS
def test_the_way_there_and_back(d: int, device: str) -> None:
    x = tg.tensor(RNG.normal(size=(2, 3, *LENGTHS[d])) + 10, device=device, requires_grad=True)
    values, indices = layer("MaxPool", d)(2, return_indices=True)(x)
    unpool = layer("MaxUnpool", d)(2)
    y = unpool(values, indices, output_size=LENGTHS[d])
    assert y.shape == unpool(values, indices, output_size=x.shape).shape == x.shape
    largest = y.numpy() != 0
    np.testing.assert_array_equal(y.numpy(), np.where(largest, x.numpy(), 0))
    assert largest.sum() == values.size
    g = RNG.normal(size=x.shape)
    y.backward(tg.tensor(g, device=device))
    np.testing.assert_array_equal(x.grad.numpy(), np.where(largest, g, 0))


def test_the_last_of_several_values_for_one_place_counts(device: str) -> None:
    x = tg.tensor([[[1.0, 2.0, 3.0, 4.0]]], device=device, requires_grad=True)
    indices = tg.tensor([[[2, 0, 2, 1]]], device=device)
    y = tg.max_unpool1d(x, indices, 1)
    assert y.tolist() == [[[2.0, 4.0, 3.0, 0.0]]]
    y.backward(tg.tensor([[[1.0, 10.0, 100.0, 1000.0]]], device=device))
    assert x.grad.tolist() == [[[0.0, 1.0, 100.0, 10.0]]]
    assert_gradients(lambda x: tg.max_unpool1d(x, np.array([[[2, 0, 2, 1]]]), 1), RNG.normal(size=(1, 1, 4)))


def test_sizes_of_the_way_back() -> None:
    values, indices = tg.max_pool2d(tg.ones((1, 1, 5, 8)), 3, 2, 1, return_indices=True)
    unpool = nn.MaxUnpool2d(3, 2, 1)
    assert unpool(values, indices).shape == (1, 1, 5, 7)
    assert unpool(values, indices, (5, 8)).shape == (1, 1, 5, 8)
    assert nn.MaxUnpool2d(2)(tg.ones((1, 2, 2)), tg.zeros((1, 2, 2), dtype="int64"), 5).shape == (1, 5, 5)
    for size in ((5, 9), (5, 5)):
        with pytest.raises(
            ValueError, match=r"of \(3, 4\) makes \(5, 7\), or lengths that differ by less than \(2, 2\)"
        ):
            unpool(values, indices, size)
    with pytest.raises(ValueError, match="expected a number or 2 of them"):
        unpool(values, indices, (5, 8, 1))
    with pytest.raises(IndexError, match=r"the index 49, but an output of \(4, 7\) has places 0 to 27"):
        unpool(values, indices + 20, (4, 7))
    assert nn.MaxUnpool2d(2)(tg.ones((0, 3, 2, 2)), tg.zeros((0, 3, 2, 2), dtype="int64")).shape == (0, 3, 4, 4)


# -- norms -----------------------------------------------------------------------------------------------------


@DIMENSIONS
@pytest.mark.parametrize("p", [1, 2, 3, 2.5, math.inf, -math.inf])
def test_norms_of_windows(p: float, d: int) -> None:
    x = RNG.uniform(0.1, 2, size=(2, *LENGTHS[d]))
    seen = np.lib.stride_tricks.sliding_window_view(x, (2,) * d, axis=tuple(range(1, d + 1)))
    wanted = np.linalg.norm(seen.reshape(*seen.shape[: d + 1], -1), p, axis=-1)
    np.testing.assert_allclose(layer("LPPool", d)(p, 2, 1)(x).numpy(), wanted)
    np.testing.assert_allclose(layer("LPPool", d)(p, 2)(x).numpy(), wanted[(..., *[slice(None, None, 2)] * d)])


def test_a_norm_of_nothing_has_no_slope(device: str) -> None:
    x = tg.tensor([[[0.0, 0.0, 3.0, 4.0]]], device=device, requires_grad=True)
    y = tg.lp_pool1d(x, 2, 2)
    assert y.tolist() == [[[0.0, 5.0]]]
    (grad,) = tg.grad(y.sum(), x, create_graph=True)
    np.testing.assert_allclose(grad.numpy(), [[[0.0, 0.0, 0.6, 0.8]]], rtol=1e-6)
    (second,) = tg.grad(grad[..., 2], x)
    np.testing.assert_allclose(second.numpy(), [[[0.0, 0.0, 0.128, -0.096]]], rtol=1e-5)


def test_a_last_window_counts_as_if_it_were_full() -> None:
    assert tg.lp_pool1d(np.array([[3.0, 4.0, 5.0]]), 2, 2, ceil_mode=True).numpy() == pytest.approx(
        np.array([[5.0, math.sqrt(50)]])
    )


@pytest.mark.parametrize("make", [nn.LPPool1d, nn.LPPool2d, nn.LPPool3d])
def test_no_exponent_of_zero(make) -> None:
    with pytest.raises(ValueError, match="no norm_type 0: it divides by it"):
        make(0, 2)
    with pytest.raises(ValueError, match="kernel_size is 1 or more"):
        make(2, 0)
    with pytest.raises(TypeError, match="padding"):
        make(2, 2, padding=1)


LINES = {
    "LPPool2d(norm_type=2, kernel_size=3, stride=3, ceil_mode=False)": lambda: nn.LPPool2d(2, 3),
    "MaxUnpool1d(kernel_size=3, stride=2, padding=1)": lambda: nn.MaxUnpool1d(3, 2, 1),
    "AdaptiveMaxPool3d(output_size=(2, None, 1))": lambda: nn.AdaptiveMaxPool3d((2, None, 1), True),
    "MinPool1d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)": lambda: nn.MinPool1d(2),
    "GlobalAvgPool1d()": lambda: nn.GlobalAvgPool1d(),
}


@pytest.mark.parametrize("line", LINES)
def test_lines(line: str) -> None:
    assert repr(LINES[line]()) == line


# -- depthwise and separable convolution -----------------------------------------------------------------------


@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_each_channel_of_a_depthwise_convolution_by_itself(multiplier: int, device: str) -> None:
    channels = 4
    conv = nn.Conv2d(channels, channels * multiplier, 3, padding=1, groups=channels, device=device).double()
    x = RNG.normal(size=(2, channels, 5, 6))
    y = conv(tg.tensor(x, device=device)).numpy()
    for c in range(channels):
        own = slice(c * multiplier, (c + 1) * multiplier)
        weight, bias = conv.weight.numpy()[own], conv.bias.numpy()[own]
        np.testing.assert_allclose(y[:, own], tg.conv2d(x[:, c : c + 1], weight, bias, padding=1).numpy(), atol=1e-12)
    assert_gradients(
        lambda x, w: tg.conv2d(x, w, groups=channels),
        RNG.normal(size=(1, channels, 3, 3)),
        RNG.normal(size=(channels * multiplier, 1, 2, 2)),
        order=2,
    )


@pytest.mark.parametrize(
    ("make", "full", "d"), [(nn.SeparableConv1d, tg.conv1d, 1), (nn.SeparableConv2d, tg.conv2d, 2)]
)
def test_a_separable_convolution_is_one_whose_kernels_are_products(make, full, d: int) -> None:
    layer = make(3, 4, 3, stride=2, padding=1, depth_multiplier=2).double()
    names = ["depthwise.weight", "pointwise.weight", "pointwise.bias"]
    assert [*layer.state_dict()] == names
    depth, point, bias = (layer.state_dict()[name].numpy() for name in names)
    weight = np.einsum("ocm,cm...->oc...", point.reshape(4, 3, 2), depth.reshape(3, 2, *[3] * d))
    x = RNG.normal(size=(2, 3, *[7] * d))
    np.testing.assert_allclose(layer(x).numpy(), full(x, weight, bias, 2, 1).numpy(), atol=1e-12)
    np.testing.assert_allclose(layer(x[0]).numpy(), full(x[0], weight, bias, 2, 1).numpy(), atol=1e-12)
    layer(x).sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())
    assert [row.split()[0] for row in str(nn.summary(layer, x.shape[1:], dtype="float64")).splitlines()][3:5] == [
        "depthwise",
        "pointwise",
    ]


def test_what_a_separable_convolution_refuses() -> None:
    with pytest.raises(ValueError, match="depth_multiplier is 1 or more, got 0"):
        nn.SeparableConv2d(3, 4, 3, depth_multiplier=0)
    with pytest.raises(ValueError, match="goes with stride 1 only"):
        nn.SeparableConv2d(3, 4, 3, stride=2, padding="same")
