"""Transposed convolution, and what is cut out of images and put together again: convolutions backwards.

Each is the derivative of a convolution, and computed by the same three ops.
"""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops.arguments import as_operands
from tensorgrad.ops.arrangement import pad
from tensorgrad.ops.convolution import Size, convolution, convolution_input
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.geometry import Pairs, Shape, pairs, sizes
from tensorgrad.ops.memory_order import either_order
from tensorgrad.ops.shape import reshape

__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "fold", "unfold"]


@either_order(channels=-2)
def conv_transpose1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Transposed convolution over one axis. As :func:`conv_transpose2d`, with (N, C, L) and (C, O / groups, k).

    Example:
        >>> tg.conv_transpose1d(tg.tensor([[[1.0, 2.0]]]), tg.tensor([[[1.0, 10.0]]]), stride=2)
        Tensor([[[ 1., 10.,  2., 20.]]], dtype=float32, device='cpu')
    """
    return _transposed(1, x, weight, bias, stride, padding, output_padding, groups, dilation)


@either_order(channels=-3)
def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Transposed convolution over two axes: each pixel is painted as a kernel, ``stride`` pixels from the next.

    It is the derivative of :func:`conv2d` with respect to its input, with the same stride, padding and dilation.

    Source: Zeiler et al., *Deconvolutional networks* (2010).

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        weight: shape (C, O / groups, kH, kW).
        bias: shape (O,), or None.
        stride: how far apart the kernels are painted; a number, or one for each axis.
        padding: how many pixels are cut off on all sides: a number, one for each axis, or a pair (before, after) for
            each axis.
        output_padding: how many are added at the end: a convolution with a stride makes the same of inputs of several
            sizes; below the stride or the dilation.
        groups: into how many groups the channels are split, each with kernels of its own.
        dilation: how far apart the kernel's elements are.

    Returns:
        Shape (N, O, H', W') with
        ``H' = (H - 1) * stride - padding + dilation * (kH - 1) + output_padding + 1``, both sides' padding counted.

    Raises:
        ValueError: for shapes or options that do not fit, naming them.

    Example:
        >>> x = tg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
        >>> tg.conv_transpose2d(x, tg.ones((1, 1, 2, 2))).squeeze()
        Tensor([[ 1.,  3.,  2.],
                [ 4., 10.,  6.],
                [ 3.,  7.,  4.]], dtype=float32, device='cpu')
    """
    return _transposed(2, x, weight, bias, stride, padding, output_padding, groups, dilation)


@either_order(channels=-4)
def conv_transpose3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """Transposed convolution over three axes. As :func:`conv_transpose2d`, with (N, C, D, H, W).

    Example:
        >>> tg.conv_transpose3d(tg.ones((1, 1, 2, 2, 2)), tg.ones((1, 1, 2, 2, 2)), stride=2).shape
        (1, 1, 4, 4, 4)
    """
    return _transposed(3, x, weight, bias, stride, padding, output_padding, groups, dilation)


def _transposed(
    d: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Size,
    padding: Any,
    output_padding: Size,
    groups: int,
    dilation: Size,
) -> Tensor:
    name = f"conv_transpose{d}d"
    x, weight = asarray(x), asarray(weight)
    if weight.ndim != d + 2:
        raise ValueError(f"{name}() needs a weight with {d + 2} axes (C, O / groups, *kernel), got {weight.shape}.")
    if x.ndim not in (d + 1, d + 2):
        raise ValueError(f"{name}() needs an input with {d + 2} axes (N, C, *spatial) or {d + 1}, got {x.shape}.")
    if groups < 1 or weight.shape[0] % groups or x.shape[-d - 1] != weight.shape[0]:
        raise ValueError(
            f"{name}(): {x.shape[-d - 1]} input channels (input {x.shape}), a weight of shape {weight.shape} and "
            f"groups={groups} do not go together: the weight's first axis is channels, a multiple of groups."
        )
    outputs = (weight.shape[1] * groups,)
    bias = None if bias is None else asarray(as_operands([x, bias])[1])
    if bias is not None and bias.shape != outputs:
        raise ValueError(f"{name}() needs a bias of shape {outputs}, got {bias.shape}.")
    steps, spread = sizes(stride, d, f"{name}() stride"), sizes(dilation, d, f"{name}() dilation")
    cut, more = pairs(padding, d, f"{name}() padding"), sizes(output_padding, d, f"{name}() output_padding")
    if min(*steps, *spread) < 1 or min(more) < 0:
        raise ValueError(f"{name}(): strides and dilations are 1 or more, output_padding 0 or more.")
    if any(n >= max(s, e) for n, s, e in zip(more, steps, spread, strict=True)):
        raise ValueError(f"{name}(): output_padding {more} is to be below stride {steps} or dilation {spread}.")
    batched = x if x.ndim == d + 2 else x.expand_dims(0)
    out = _painted(name, batched, weight, steps, cut, more, spread, groups)
    if bias is not None:
        out = out + bias.reshape(bias.shape + (1,) * d)
    return out if x.ndim == d + 2 else out.squeeze(0)


def _painted(
    name: str, x: Tensor, weight: Tensor, stride: Shape, cut: Pairs, more: Shape, dilation: Shape, groups: int
) -> Tensor:
    # What is added at the end is first what would be cut off there, and beyond that zeros.
    kept = tuple((p, max(q - a, 0)) for (p, q), a in zip(cut, more, strict=True))
    zeros = [(0, max(a - q, 0)) for (_, q), a in zip(cut, more, strict=True)]
    axes = zip(x.shape[2:], weight.shape[2:], stride, kept, dilation, strict=True)
    lengths = [(n - 1) * s - p - q + e * (k - 1) + 1 for n, k, s, (p, q), e in axes]
    wanted = [n + extra for n, (_, extra) in zip(lengths, zeros, strict=True)]
    if min(wanted) < 1 or 0 in x.shape[2:]:
        raise ValueError(f"{name}() of an input of shape {x.shape} has an output of {wanted}: cut off less.")
    if min(lengths) < 1:
        # All that is painted is cut off, and what is left are zeros.
        out = _painted(name, x, weight, stride, ((0, 0),) * len(cut), more, dilation, groups)
        return out[(..., *(slice(p, p + n) for (p, _), n in zip(cut, wanted, strict=True)))]
    out = convolution_input(
        x,
        weight,
        spatial=tuple(lengths),
        stride=stride,
        padding=kept,
        dilation=dilation,
        groups=groups,
    )
    return pad(out, [(0, 0), (0, 0), *zeros]) if any(map(any, zeros)) else out


# -- patches ---------------------------------------------------------------------------------------------------


def _apart(x: Tensor, channels: int, kernel: Shape) -> Tensor:
    """Kernels that each see one pixel of one channel: shape (channels * kH * kW, 1, kH, kW)."""
    xp, count = backend.namespace(x.data), math.prod(kernel)
    one = xp.eye(count, dtype=x.dtype).reshape((count, 1, *kernel))
    return Tensor(xp.concatenate([one] * channels) if channels else one[:0])


def unfold(x: Any, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """The patches of images, each as a column: what a convolution multiplies its kernels with.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        kernel_size: the height and the width of a patch.
        dilation: how far apart its pixels are.
        padding: zeros around the image.
        stride: how far apart the patches are.

    Returns:
        Shape (N, C * kH * kW, L), where L is how many patches there are, row by row.

    Raises:
        ValueError: for shapes or options that do not fit.

    Example:
        >>> tg.unfold(tg.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), 2)
        Tensor([[1., 2.],
                [2., 3.],
                [4., 5.],
                [5., 6.]], dtype=float32, device='cpu')
    """
    x = asarray(x)
    if x.ndim not in (3, 4):
        raise ValueError(f"unfold() takes images (N, C, H, W), or (C, H, W) for one, got {x.shape}.")
    kernel, spread, around, steps = _patches("unfold", kernel_size, dilation, padding, stride)
    batched = x if x.ndim == 4 else x.expand_dims(0)
    weight = _apart(batched, batched.shape[1], kernel)
    options: dict[str, Any] = {"stride": steps, "padding": tuple((n, n) for n in around), "dilation": spread}
    out = convolution(batched, weight, groups=batched.shape[1], **options)
    out = reshape(out, (*out.shape[:2], math.prod(out.shape[2:])))
    return out if x.ndim == 4 else out.squeeze(0)


def fold(
    x: Any, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """Images from their patches, which are added where they overlap; the derivative of :func:`unfold`.

    Args:
        x: patches, shape (N, C * kH * kW, L), or (C * kH * kW, L) for one image.
        output_size: the height and the width of the images.
        kernel_size, dilation, padding, stride: as of :func:`unfold`.

    Returns:
        Shape (N, C, H, W).

    Raises:
        ValueError: for shapes or options that do not fit.

    Example:
        >>> patches = tg.unfold(tg.tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
        >>> tg.fold(patches, (1, 3), (1, 2))
        Tensor([[[1., 4., 3.]]], dtype=float32, device='cpu')
    """
    x = asarray(x)
    if x.ndim not in (2, 3):
        raise ValueError(f"fold() takes patches (N, C * kH * kW, L), or without N for one image, got {x.shape}.")
    kernel, spread, around, steps = _patches("fold", kernel_size, dilation, padding, stride)
    lengths = sizes(output_size, 2, "fold() output_size")
    batched = x if x.ndim == 3 else x.expand_dims(0)
    counts = [
        (n + 2 * p - e * (k - 1) - 1) // s + 1
        for n, p, e, k, s in zip(lengths, around, spread, kernel, steps, strict=True)
    ]
    if min(counts) < 1 or batched.shape[2] != math.prod(counts) or batched.shape[1] % math.prod(kernel):
        raise ValueError(
            f"fold() to {lengths} takes {math.prod(kernel)} rows for each channel and {' x '.join(map(str, counts))} "
            f"patches, got shape {x.shape}."
        )
    channels = batched.shape[1] // math.prod(kernel)
    out: Tensor = convolution_input(
        reshape(batched, (*batched.shape[:2], *counts)),
        _apart(batched, channels, kernel),
        spatial=lengths,
        stride=steps,
        padding=tuple((n, n) for n in around),
        dilation=spread,
        groups=channels,
    )
    return out if x.ndim == 3 else out.squeeze(0)


def _patches(name: str, kernel: Size, dilation: Size, padding: Size, stride: Size) -> tuple[Shape, Shape, Shape, Shape]:
    parts = {"kernel_size": kernel, "dilation": dilation, "padding": padding, "stride": stride}
    kernel_, dilation_, padding_, stride_ = (sizes(part, 2, f"{name}() {what}") for what, part in parts.items())
    if min(*kernel_, *dilation_, *stride_) < 1 or min(padding_) < 0:
        raise ValueError(f"{name}(): sizes, dilations and strides are 1 or more, paddings 0 or more, got {parts}.")
    return kernel_, dilation_, padding_, stride_
