"""Both memory orders: with channels last all is as with channels first, but for where the channels are."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F
from tensorgrad.testing import assert_gradients

RNG = np.random.default_rng(0)
LENGTHS = {1: (6,), 2: (5, 6), 3: (4, 5, 3)}

# Layers by how many axes of space they take; all take 4 channels.
LAYERS = {
    1: [
        lambda **order: nn.Conv1d(4, 6, 3, padding="same", **order),
        lambda **order: nn.ConvTranspose1d(4, 6, 3, 2, **order),
        lambda **order: nn.MaxPool1d(2, **order),
        lambda **order: nn.AvgPool1d(3, 2, 1, **order),
        lambda **order: nn.BatchNorm1d(4, **order),
        lambda **order: nn.InstanceNorm1d(4, track_running_stats=True, **order),
        lambda **order: nn.Dropout1d(**order),
        lambda **order: nn.Upsample(scale_factor=2, mode="linear", **order),
        lambda **order: nn.ReflectionPad1d((1, 2), **order),
        lambda **order: nn.FeatureAlphaDropout(**order),
        lambda **order: nn.MinPool1d(2, **order),
        lambda **order: nn.LPPool1d(2, 3, 1, **order),
        lambda **order: nn.AdaptiveConcatPool1d(2, **order),
        lambda **order: nn.GlobalMaxPool1d(**order),
    ],
    2: [
        lambda **order: nn.Conv2d(4, 6, (3, 2), stride=2, padding=((1, 0), (0, 1)), groups=2, **order),
        lambda **order: nn.Conv2d(4, 6, 3, padding=(1, 2), padding_mode="circular", bias=False, **order),
        lambda **order: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2, **order),
        lambda **order: nn.MaxPool2d(3, 2, 1, **order),
        lambda **order: nn.MaxPool2d((2, 3), return_indices=True, **order),
        lambda **order: nn.AvgPool2d(2, ceil_mode=True, **order),
        lambda **order: nn.MinPool2d(2, 1, dilation=2, **order),
        lambda **order: nn.MedianPool2d(2, **order),
        lambda **order: nn.SumPool2d(2, 1, **order),
        lambda **order: nn.LPPool2d(2, (2, 3), **order),
        lambda **order: nn.AdaptiveMaxPool2d(2, return_indices=True, **order),
        lambda **order: nn.AdaptiveAvgPool2d((2, 3), **order),
        lambda **order: nn.AdaptiveMaxPool2d((2, None), **order),
        lambda **order: nn.AdaptiveConcatPool2d(2, **order),
        lambda **order: nn.GlobalAvgPool2d(**order),
        lambda **order: nn.GlobalMaxPool2d(**order),
        lambda **order: nn.BatchNorm2d(4, **order),
        lambda **order: nn.GroupNorm(2, 4, **order),
        lambda **order: nn.InstanceNorm2d(4, affine=True, **order),
        lambda **order: nn.LocalResponseNorm(3, alpha=1.0, **order),
        lambda **order: nn.Dropout2d(**order),
        lambda **order: nn.UpsamplingNearest2d((7, 3), **order),
        lambda **order: nn.UpsamplingBilinear2d(scale_factor=2, **order),
        lambda **order: nn.PixelShuffle(2, **order),
        lambda **order: nn.ChannelShuffle(2, **order),
        lambda **order: nn.ZeroPad2d((1, -1, 0, 2), **order),
        lambda **order: nn.ConstantPad2d(1, 3.5, **order),
        lambda **order: nn.ReplicationPad2d(1, **order),
        lambda **order: nn.CircularPad2d((0, 1, 2, 1), **order),
    ],
    3: [
        lambda **order: nn.Conv3d(4, 6, 2, dilation=2, **order),
        lambda **order: nn.ConvTranspose3d(4, 6, 2, **order),
        lambda **order: nn.MaxPool3d(2, 1, **order),
        lambda **order: nn.AvgPool3d(2, **order),
        lambda **order: nn.MedianPool3d(2, 1, **order),
        lambda **order: nn.SumPool3d(2, **order),
        lambda **order: nn.AdaptiveAvgPool3d((2, 1, None), **order),
        lambda **order: nn.AdaptiveConcatPool3d(**order),
        lambda **order: nn.GlobalAvgPool3d(**order),
        lambda **order: nn.BatchNorm3d(4, affine=False, **order),
        lambda **order: nn.InstanceNorm3d(4, **order),
        lambda **order: nn.Dropout3d(**order),
    ],
}
CASES = [(make, d) for d, makers in LAYERS.items() for make in makers]
UNBATCHED = {"BatchNorm", "GroupNorm", "LocalResponseNorm", "Upsample", "Upsampling", "ChannelShuffle", "FeatureAlpha"}
"""Those that take no single image."""


def name(value) -> str | None:
    return type(value(data_format="channels_first")).__name__ if callable(value) else None


def outcome(layer: nn.Module, x: np.ndarray, last: bool) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Outputs, all with channels first; and the gradients of the input and the parameters, the same."""
    if last:
        x = np.moveaxis(x, layer.channels, -1)
    given = tg.tensor(x, requires_grad=True)
    tg.manual_seed(7)
    out = layer(given)
    outs = list(out) if isinstance(out, tuple) else [out]
    outs = [np.moveaxis(y.numpy(), -1, layer.channels) if last else y.numpy() for y in outs]
    values = out[0] if isinstance(out, tuple) else out
    weights = np.cos(np.arange(outs[0].size)).reshape(outs[0].shape)
    values.backward(tg.tensor(np.moveaxis(weights, layer.channels, -1) if last else weights))
    by_x = given.grad.numpy()
    return outs, [
        np.moveaxis(by_x, -1, layer.channels) if last else by_x,
        *(p.grad.numpy() for p in layer.parameters()),
    ]


def pair(make, d: int) -> tuple[nn.Module, nn.Module]:
    """A layer for each order, with the same parameters."""
    first, last = (make(data_format=order).double() for order in ("channels_first", "channels_last"))
    last.load_state_dict(first.state_dict())
    first.channels = last.channels = -d - 1
    return first, last


@pytest.mark.parametrize(("make", "d"), CASES, ids=name)
def test_values_and_gradients_are_the_same(make, d: int) -> None:
    shapes = [(3, 4, *LENGTHS[d]), (0, 4, *LENGTHS[d])]
    if not any(word in name(make) for word in UNBATCHED):
        shapes.append((4, *LENGTHS[d]))
    for shape in shapes:
        layers = pair(make, d)
        if shape[0] == 0 and "BatchNorm" in name(make):
            continue
        x = RNG.normal(size=shape)
        (outs, grads), (outs_last, grads_last) = (outcome(layer, x, bool(i)) for i, layer in enumerate(layers))
        for a, b in zip((*outs, *grads), (*outs_last, *grads_last), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        for a, b in zip(layers[0].buffers(), layers[1].buffers(), strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


@pytest.mark.parametrize(("make", "d"), CASES, ids=name)
def test_the_order_is_told_where_it_is_not_the_usual_one(make, d: int) -> None:
    first, last = pair(make, d)
    assert "data_format" not in repr(first)
    assert repr(last).endswith("data_format='channels_last')")
    assert repr(last).replace("data_format='channels_last'", "").replace(", )", ")") == repr(first)
    assert [*first.state_dict()] == [*last.state_dict()]


@pytest.mark.parametrize(("make", "d"), CASES, ids=name)
def test_another_order_is_refused(make, d: int) -> None:
    with pytest.raises(
        ValueError, match=name(make) + r": data_format is 'channels_first' or 'channels_last', not 'NHWC'"
    ):
        make(data_format="NHWC")
    with pytest.raises(TypeError):
        make(layout="NHWC")


FUNCTIONS = [
    (F.conv1d, (2, 6, 4), (np.ones((2, 4, 3)),), (2, 4, 2)),
    (F.conv2d, (5, 6, 4), (np.ones((2, 4, 3, 3)),), (3, 4, 2)),
    (F.conv3d, (1, 3, 3, 3, 4), (np.ones((2, 4, 2, 2, 2)),), (1, 2, 2, 2, 2)),
    (F.conv_transpose1d, (2, 6, 4), (np.ones((4, 2, 3)),), (2, 8, 2)),
    (F.conv_transpose2d, (2, 5, 6, 4), (np.ones((4, 2, 3, 3)),), (2, 7, 8, 2)),
    (F.conv_transpose3d, (1, 2, 2, 2, 4), (np.ones((4, 2, 2, 2, 2)),), (1, 3, 3, 3, 2)),
    (F.max_pool2d, (2, 6, 6, 4), (2,), (2, 3, 3, 4)),
    (F.dropout2d, (2, 6, 6, 4), (0.5, True, False), (2, 6, 6, 4)),
    (F.batch_norm, (5, 4), (np.zeros(4), np.ones(4)), (5, 4)),
    (F.local_response_norm, (2, 6, 6, 4), (2,), (2, 6, 6, 4)),
    (F.interpolate, (2, 6, 6, 4), (3,), (2, 3, 3, 4)),
    (F.pixel_shuffle, (2, 6, 5, 4), (2,), (2, 12, 10, 1)),
    (F.pixel_unshuffle, (6, 4, 1), (2,), (3, 2, 4)),
    (F.pad, (2, 6, 5, 4), ((1, 0, 2, 0),), (2, 8, 6, 4)),
]


@pytest.mark.parametrize(("function", "given", "more", "wanted"), FUNCTIONS, ids=lambda v: getattr(v, "__name__", None))
def test_functions(function, given: tuple, more: tuple, wanted: tuple) -> None:
    x = RNG.normal(size=given)
    y = function(x, *more, data_format="channels_last")
    assert y.shape == wanted
    assert (
        function(
            x=x.tolist(), **dict(zip(parameters(function)[1:], more, strict=False)), data_format="channels_last"
        ).shape
        == wanted
    )
    with pytest.raises(ValueError, match="data_format is 'channels_first' or 'channels_last', not None"):
        function(x, *more, data_format=None)


def parameters(function) -> list[str]:
    return [*inspect.signature(function).parameters]


def test_nothing_is_copied_to_move_the_channels() -> None:
    x = tg.zeros((1, 4, 4, 2))
    y = nn.Dropout2d(data_format="channels_last").eval()(x)
    assert np.shares_memory(x.data, y.data)


def test_second_derivatives() -> None:
    x, weight = RNG.normal(size=(1, 3, 3, 2)), RNG.normal(size=(2, 2, 2, 2))
    assert_gradients(lambda x, w: F.conv2d(x, w, data_format="channels_last"), x, weight, order=2)


def test_what_does_not_fit_is_refused_in_its_own_order() -> None:
    layer = nn.Conv2d(3, 2, 3, data_format="channels_last")
    with pytest.raises(ValueError, match=r"\(N, H, W, 3\) or \(H, W, 3\), got \(2, 3, 8, 8\)"):
        layer(tg.ones((2, 3, 8, 8)))
    with pytest.raises(ValueError, match=r"\(N, ..., 4\), got \(2, 4, 8\)"):
        nn.GroupNorm(2, 4, data_format="channels_last")(tg.ones((2, 4, 8)))
    with pytest.raises(ValueError, match="needs an input with 4 axes") as caught:
        F.conv2d(tg.ones((8, 8)), tg.ones((1, 1, 2, 2)), data_format="channels_last")
    with pytest.raises(ValueError, match="input channels") as caught:
        F.conv2d(tg.ones((8, 8, 3)), tg.ones((1, 1, 2, 2)), data_format="channels_last")
    assert "channels last" in caught.value.__notes__[0]
    with pytest.raises(TypeError, match="weight"):
        F.conv2d(tg.ones((8, 8, 3)), data_format="channels_last")


def test_outputs_of_a_transposed_convolution_with_channels_last() -> None:
    up = nn.ConvTranspose2d(8, 3, 3, stride=2, padding=1, data_format="channels_last")
    assert up(tg.ones((1, 6, 5, 8)), output_size=(12, 9)).shape == (1, 12, 9, 3)
    assert up(tg.ones((1, 6, 5, 8)), output_size=(1, 12, 9, 3)).shape == (1, 12, 9, 3)
    assert up(tg.ones((6, 5, 8)), output_size=[12, 9, 3]).shape == (12, 9, 3)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_way_back_from_a_maximum(d: int) -> None:
    order = {"data_format": "channels_last"}
    pool, unpool = (getattr(nn, f"{name}{d}d") for name in ("MaxPool", "MaxUnpool"))
    x = RNG.normal(size=(2, 3, *LENGTHS[d]))
    last = np.moveaxis(x, 1, -1)
    values, indices = pool(2, return_indices=True)(x)
    values_last, indices_last = pool(2, return_indices=True, **order)(last)
    y = np.moveaxis(unpool(2)(values, indices, LENGTHS[d]).numpy(), 1, -1)
    for size in (LENGTHS[d], last.shape, list(last.shape)):
        np.testing.assert_array_equal(unpool(2, **order)(values_last, indices_last, size).numpy(), y)
    y = unpool(2, **order)(values_last[0], indices_last[0], last.shape[1:])
    assert y.shape == last.shape[1:]


def test_separable_convolutions() -> None:
    first = nn.SeparableConv2d(3, 5, 3, stride=2, padding=1, depth_multiplier=2)
    last = nn.SeparableConv2d(3, 5, 3, stride=2, padding=1, depth_multiplier=2, data_format="channels_last")
    last.load_state_dict(first.state_dict())
    x = RNG.normal(size=(2, 3, 6, 7)).astype("float32")
    y = last(np.moveaxis(x, 1, -1))
    np.testing.assert_allclose(np.moveaxis(y.numpy(), -1, 1), first(x).numpy(), rtol=1e-5, atol=1e-6)


def test_a_model_of_both() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, data_format="channels_last"),
        nn.BatchNorm2d(4, data_format="channels_last"),
        nn.MaxPool2d(2, data_format="channels_last"),
    )
    rows = {row[0]: row for row in map(str.split, str(nn.summary(model, (8, 8, 3))).splitlines())}
    assert " ".join(rows["2"][2:6]) == "(1, 3, 3, 4)"


# -- Keras's padding -------------------------------------------------------------------------------------------

SAME = [*itertools.product((1, 4, 5, 7), (1, 2, 3, 4), (1, 2, 3), (1, 2))]


@pytest.mark.parametrize(("n", "k", "stride", "dilation"), SAME)
def test_as_many_windows_as_strides_fit(n: int, k: int, stride: int, dilation: int) -> None:
    ((before, after),) = padding = F.same_padding(n, k, stride, dilation)
    assert after - before in (0, 1)
    count = -(-n // stride)
    y = tg.conv1d(np.ones((1, 1, n)), np.ones((1, 1, k)), None, stride, padding, dilation)
    assert y.shape == (1, 1, count)
    # None of the padding could be left out.
    assert before + after == max(0, (count - 1) * stride + dilation * (k - 1) + 1 - n)
    if dilation == 1:
        assert tg.max_pool1d(np.ones((1, 1, n)), k, stride, padding).shape == (1, 1, count)


def test_same_padding_of_a_transposed_convolution_is_that_of_its_output() -> None:
    x, weight = RNG.normal(size=(1, 2, 8, 6)), RNG.normal(size=(3, 2, 3, 4))
    padding = F.same_padding((8, 6), (3, 4), 2)
    assert padding == ((0, 1), (1, 1))
    x = tg.tensor(x, requires_grad=True)
    y = tg.conv2d(x, weight, stride=2, padding=padding)
    g = RNG.normal(size=y.shape)
    y.backward(tg.tensor(g))
    np.testing.assert_allclose(tg.conv_transpose2d(g, weight, stride=2, padding=padding).numpy(), x.grad.numpy())


@pytest.mark.parametrize("given", [((4, 4), (1, 2, 3)), (4, 0), (4, 1, 0), (-1, 2), ((4, 4), 2, 1, 0)])
def test_same_padding_of_what_is_no_window(given: tuple) -> None:
    with pytest.raises(ValueError, match="same_padding"):
        F.same_padding(*given)
