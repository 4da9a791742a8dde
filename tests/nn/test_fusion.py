"""Batch normalisation taken into the layer before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval

RNG = np.random.default_rng(0)

CASES: list[tuple[Any, Any, tuple[int, ...]]] = [
    (lambda: nn.Conv1d(4, 6, 2, groups=2), nn.BatchNorm1d, (2, 4, 5)),
    (lambda: nn.Conv2d(3, 4, 2, bias=False), nn.BatchNorm2d, (2, 3, 4, 4)),
    (lambda: nn.Conv3d(1, 2, 2, padding=1), nn.BatchNorm3d, (1, 1, 2, 3, 3)),
    (lambda: nn.ConvTranspose1d(4, 6, 2, groups=2), nn.BatchNorm1d, (2, 4, 5)),
    (lambda: nn.ConvTranspose2d(3, 4, 2, stride=2, bias=False), nn.BatchNorm2d, (2, 3, 4, 4)),
    (lambda: nn.Linear(3, 4), nn.BatchNorm1d, (5, 3)),
    (lambda: nn.Linear(3, 4, bias=False), nn.BatchNorm1d, (5, 3)),
]


def normalisation(kind: Any, features: int, affine: bool) -> Any:
    bn = kind(features, affine=affine).double()
    for tensor in [*bn.parameters(), bn.running_mean, bn.running_var]:
        tensor.data[...] = RNG.uniform(0.5, 2, features)
    return bn.eval()


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("make", "kind", "shape"), CASES)
def test_one_layer_does_what_two_did(make, kind, shape: tuple, affine: bool) -> None:
    layer = make().double().eval()
    before = {name: value.numpy().copy() for name, value in layer.state_dict().items()}
    outputs = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
    bn = normalisation(kind, outputs, affine)
    fused = (fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval)(layer, bn)
    x = tg.tensor(RNG.normal(size=shape))
    np.testing.assert_allclose(fused(x).detach().numpy(), bn(layer(x)).detach().numpy(), rtol=1e-12, atol=1e-12)
    assert type(fused) is type(layer)
    assert list(fused.state_dict()) == ["weight", "bias"]
    assert [type(p) for p in fused.parameters()] == [nn.Parameter] * 2
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


def test_the_dtype_and_what_is_frozen_stay() -> None:
    layer = nn.Conv2d(1, 2, 1, bias=False).eval().requires_grad_(False)
    fused = fuse_conv_bn_eval(layer, nn.BatchNorm2d(2).eval())
    assert {str(p.dtype) for p in fused.parameters()} == {"float32"}
    assert not any(p.requires_grad for p in fused.parameters())


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: fuse_conv_bn_eval(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2).eval()), ValueError, r"call eval\(\) on both"),
        (lambda: fuse_conv_bn_eval(nn.Linear(1, 2), nn.BatchNorm2d(2)), TypeError, "takes a convolution .* got Linear"),
        (lambda: fuse_linear_bn_eval(nn.Linear(1, 2), nn.LayerNorm(2)), TypeError, "got Linear and LayerNorm"),
        (
            lambda: fuse_linear_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(3).eval()),
            ValueError,
            "of 3 features, the layer makes 2",
        ),
        (
            lambda: fuse_linear_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(2, track_running_stats=False).eval()),
            ValueError,
            "no running statistics",
        ),
    ],
)
def test_what_is_refused(call, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call()
