"""Images in another size: worked examples, layers, and what is refused. Records compare with NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

SQUARE = tg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])


def test_each_pixel_twice() -> None:
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    for layer in (nn.Upsample(scale_factor=2), nn.Upsample(4), nn.UpsamplingNearest2d(scale_factor=(2, 2))):
        assert layer(SQUARE)[0, 0].tolist() == expected


def test_between_pixels() -> None:
    outer = nn.Upsample(scale_factor=2, mode="bilinear")(SQUARE)[0, 0]
    assert outer[0].tolist() == [1, 1.25, 1.75, 2]
    assert outer[:, 0].tolist() == [1, 1.5, 2.5, 3]
    corners = nn.UpsamplingBilinear2d(size=(3, 3))(SQUARE)[0, 0]
    assert corners.tolist() == [[1, 1.5, 2], [2, 2.5, 3], [3, 3.5, 4]]


def test_means_of_areas() -> None:
    x = tg.tensor([[[1.0, 2.0, 3.0, 4.0, 6.0]]])
    assert nn.functional.interpolate(x, 2, mode="area")[0, 0].tolist() == [2, pytest.approx(13 / 3)]


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_the_same_size_is_the_same_image(mode: str) -> None:
    x = tg.tensor(np.random.default_rng(0).normal(size=(1, 2, 4, 5)))
    for corners in (False, True):
        same = nn.functional.interpolate(x, (4, 5), mode=mode, align_corners=corners)
        np.testing.assert_allclose(same.numpy(), x.numpy(), atol=1e-14)


def test_a_factor_that_is_rounded() -> None:
    x = tg.tensor([[[0.0, 1.0, 2.0]]])
    # Two pixels, 1.5 apart or, in the steps of 1 / 0.8, 1.25.
    recomputed = nn.functional.interpolate(x, scale_factor=0.8, mode="linear", recompute_scale_factor=True)
    np.testing.assert_allclose(recomputed.numpy()[0, 0], [0.25, 1.75])
    np.testing.assert_allclose(
        nn.functional.interpolate(x, scale_factor=0.8, mode="linear")[0, 0].numpy(), [0.125, 1.375]
    )


def test_channels_and_pixels() -> None:
    x = tg.tensor(np.random.default_rng(0).normal(size=(2, 8, 3, 4)))
    up = nn.PixelShuffle(2)(x)
    assert up.shape == (2, 2, 6, 8)
    assert up[0, 0, :2, :2].flatten().tolist() == x[0, :4, 0, 0].tolist()
    assert nn.PixelUnshuffle(2)(up).tolist() == x.tolist()
    shuffled = nn.ChannelShuffle(4)(x)
    assert shuffled[0, :, 0, 0].tolist() == x[0, [0, 2, 4, 6, 1, 3, 5, 7], 0, 0].tolist()
    with pytest.raises(ValueError, match="an upscale_factor of 1 or more"):
        nn.PixelShuffle(0)(x)


def test_lines() -> None:
    assert repr(nn.Upsample(scale_factor=2.0, mode="bilinear")) == "Upsample(scale_factor=2.0, mode='bilinear')"
    assert repr(nn.UpsamplingNearest2d(4)) == "UpsamplingNearest2d(size=4, mode='nearest')"
    assert repr(nn.PixelShuffle(3)) == "PixelShuffle(upscale_factor=3)"
