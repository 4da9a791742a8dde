"""The records of transposed convolution and of patches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ops import transposed_convolution
from tensorgrad.testing.contracts import bad_call
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.records.kinds import record
from tensorgrad.testing.records.network_references import per_side
from tensorgrad.testing.strategies import Config

Array = np.ndarray
AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


def _painted(x: Array, weight: Array, stride: Any, dilation: Any, groups: int) -> Array:
    """Each number painted as a kernel, one after the other."""
    d = weight.ndim - 2
    spread = [e * (k - 1) + 1 for k, e in zip(weight.shape[2:], dilation, strict=True)]
    whole = [(n - 1) * s + m for n, s, m in zip(x.shape[2:], stride, spread, strict=True)]
    each = x.shape[1] // groups
    out = np.zeros((x.shape[0], weight.shape[1] * groups, *whole))
    for place in np.ndindex(x.shape[2:]):
        there = tuple(slice(i * s, i * s + m, e) for i, s, m, e in zip(place, stride, spread, dilation, strict=True))
        for g in range(groups):
            values = x[(slice(None), slice(g * each, (g + 1) * each), *place)]
            kernels = weight[g * each : (g + 1) * each]
            channels = slice(g * weight.shape[1], (g + 1) * weight.shape[1])
            out[(slice(None), channels, *there)] += np.tensordot(values, kernels, (1, 0))
    assert d == len(whole)
    return out


def transposed(x: Array, weight: Array, bias: Array | None = None, **options: Any) -> Array:
    """Painted, then cut off and added to."""
    d = weight.ndim - 2
    single = x.ndim == d + 1
    cut, more = options["padding"], options["output_padding"]
    out = _painted(x[None] if single else x, weight, options["stride"], options["dilation"], options["groups"])
    out = np.pad(out, [(0, 0), (0, 0), *((0, a) for a in more)])
    inner: Any = (..., *(slice(p, n - q) for (p, q), n in zip(per_side(cut, d), out.shape[2:], strict=True)))
    out = out[inner]
    if bias is not None:
        out = out + bias.reshape(-1, *[1] * d)
    return out[0] if single else out


@st.composite
def painted(draw: st.DrawFn, d: int) -> Config:
    """Shapes and options of transposed convolutions over ``d`` axes, whose outputs have at least one place."""
    small, more = st.integers(1, 2), 2 if d < 3 else 1

    def each(numbers: Any) -> tuple[int, ...]:
        return tuple(draw(numbers) for _ in range(d))

    kernel, stride, dilation = each(st.integers(1, more + 1)), each(small), each(small)
    spatial = each(st.integers(1, more + 1))
    added = tuple(draw(st.integers(0, max(s, e) - 1)) for s, e in zip(stride, dilation, strict=True))
    lengths = [
        (n - 1) * s + e * (k - 1) + a + 1
        for n, s, e, k, a in zip(spatial, stride, dilation, kernel, added, strict=True)
    ]
    cut: Any = tuple(draw(st.integers(0, min(2, (n - 1) // 2))) for n in lengths)
    if draw(st.booleans()):
        cut = tuple((n, draw(st.integers(0, n))) for n in cut)
    batch = draw(st.sampled_from([(), (1,), (2,), (0,)]))
    groups, channels, outputs = draw(small), draw(small), draw(small)
    given = [(*batch, groups * channels, *spatial), (groups * channels, outputs, *kernel), (groups * outputs,)]
    options = {"stride": stride, "padding": cut, "output_padding": added, "dilation": dilation, "groups": groups}
    return Config(tuple(given[: draw(st.sampled_from([3, 2]))]), options)


def transposed_of(d: int) -> OpSpec:
    """The record of the transposed convolution over ``d`` axes."""
    x, weight = np.ones((1, 2, *[3] * d)), np.ones((2, 4, *[2] * d))
    return record(
        getattr(transposed_convolution, f"conv_transpose{d}d"),
        transposed,
        shapes=painted(d),
        contract=f"x (N, C, {AXES[d]}), weight (C, O / groups, *kernel), bias (O)",
        errors=[
            bad_call("channels", x[:, :1], weight),
            bad_call("groups", x, weight, groups=3),
            bad_call("output_padding .* below stride", x, weight, output_padding=1),
            bad_call("numbers of 0 or more", x, weight, padding=-1),
            bad_call("cut off less", x, weight, padding=2),
            bad_call("bias of shape", x, weight, np.ones(3)),
        ],
    )


# -- patches ---------------------------------------------------------------------------------------------------


def _places(spatial: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> list[list[int]]:
    """Where the patches begin along each axis."""
    return [
        list(range(-p, n + p - e * (k - 1), s))
        for n, k, e, p, s in zip(spatial, kernel, dilation, padding, stride, strict=True)
    ]


def unfold(x: Array, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Array:
    """Patch by patch."""
    (top, left), (k, m) = padding, kernel_size
    around = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(top, top), (left, left)])
    rows, columns = _places(x.shape[-2:], kernel_size, dilation, padding, stride)
    patches = [
        around[..., i + top : i + top + dilation[0] * (k - 1) + 1 : dilation[0], :][
            ..., j + left : j + left + dilation[1] * (m - 1) + 1 : dilation[1]
        ].reshape(*x.shape[:-3], x.shape[-3] * k * m)
        for i in rows
        for j in columns
    ]
    return np.stack(patches, axis=-1)


def fold(x: Array, output_size: Any, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> Array:
    """Pixel by pixel."""
    k, m = kernel_size
    channels = x.shape[-2] // (k * m)
    out = np.zeros((*x.shape[:-2], channels, *output_size))
    rows, columns = _places(output_size, kernel_size, dilation, padding, stride)
    patches = x.reshape(*x.shape[:-2], channels, k, m, len(rows), len(columns))
    for (r, i), (c, j) in ((a, b) for a in enumerate(rows) for b in enumerate(columns)):
        for u in range(k):
            for v in range(m):
                y, z = i + u * dilation[0], j + v * dilation[1]
                if 0 <= y < output_size[0] and 0 <= z < output_size[1]:
                    out[..., y, z] += patches[..., u, v, r, c]
    return out


@st.composite
def patched(draw: st.DrawFn, folded: bool = False) -> Config:
    """Images, or their patches, and how these are cut."""

    def each(low: int, high: int) -> tuple[int, int]:
        return draw(st.integers(low, high)), draw(st.integers(low, high))

    kernel, dilation, padding, stride = each(1, 2), each(1, 2), each(0, 1), each(1, 2)
    spatial = tuple(
        max(e * (k - 1) + 1 - 2 * p, 1) + draw(st.integers(0, 2))
        for k, e, p in zip(kernel, dilation, padding, strict=True)
    )
    batch, channels = draw(st.sampled_from([(), (2,), (1,), (0,)])), draw(st.integers(1, 2))
    options: dict[str, Any] = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    if not folded:
        return Config(((*batch, channels, *spatial),), options)
    count = math.prod(map(len, _places(spatial, kernel, dilation, padding, stride)))
    return Config(((*batch, channels * math.prod(kernel), count),), {"output_size": spatial, **options})


IMAGE = np.ones((1, 2, 3, 3))

TRANSPOSED = [
    *(transposed_of(d) for d in (1, 2, 3)),
    record(
        transposed_convolution.fold,
        fold,
        shapes=patched(folded=True),
        contract="(N, C kH kW, L)",
        errors=[
            bad_call(
                r"takes 4 rows for each channel and 2 x 2 patches, got shape \(1, 8, 3\)", np.ones((1, 8, 3)), 3, 2
            ),
            bad_call("axes|patches", np.ones(3), 3, 2),
        ],
    ),
    record(
        transposed_convolution.unfold,
        unfold,
        shapes=patched(),
        contract="(N, C, H, W)",
        errors=[
            bad_call("kernel|window|fit", IMAGE, 4),
            bad_call("strides are 1 or more", IMAGE, 2, stride=0),
            bad_call(r"images \(N, C, H, W\)", np.ones(3), 2),
        ],
    ),
]
