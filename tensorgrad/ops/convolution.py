"""Convolution in one, two and three dimensions, as cross-correlation: the kernel is not flipped.

Three ops, each linear in both of its arguments, and each the derivative of the other two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad import kernels
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.arguments import as_operands
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.geometry import Pairs, Shape, pairs, same_padding, sizes
from tensorgrad.ops.memory_order import either_order

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
]

Size = int | Sequence[int]


@op
def convolution(x, weight, *, stride, padding, dilation, groups):
    return kernels.of(x).convolution(x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)


@convolution.vjp("x")
def _(g, weight, x_shape, stride, padding, dilation, groups):
    return convolution_input(
        g, weight, spatial=x_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@convolution.vjp("weight")
def _(g, x, weight_shape, stride, padding, dilation, groups):
    return convolution_weight(
        x, g, kernel=weight_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@op
def convolution_input(y, weight, *, spatial, stride, padding, dilation, groups):
    return kernels.of(y).convolution_input(
        y, weight, spatial=spatial, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@convolution_input.vjp("y")
def _(g, weight, stride, padding, dilation, groups):
    return convolution(g, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)


@convolution_input.vjp("weight")
def _(g, y, weight_shape, stride, padding, dilation, groups):
    return convolution_weight(
        g, y, kernel=weight_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@op
def convolution_weight(x, y, *, kernel, stride, padding, dilation, groups):
    return kernels.of(x).convolution_weight(
        x, y, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@convolution_weight.vjp("x")
def _(g, y, x_shape, stride, padding, dilation, groups):
    return convolution_input(
        y, g, spatial=x_shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@convolution_weight.vjp("y")
def _(g, x, stride, padding, dilation, groups):
    return convolution(x, g, stride=stride, padding=padding, dilation=dilation, groups=groups)


@either_order(channels=-2)
def conv1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over one axis, of sound or text. As :func:`conv2d`, with (N, C, L) and (O, C / groups, k).

    Example:
        >>> tg.conv1d(tg.tensor([[[1.0, 2.0, 4.0]]]), tg.tensor([[[1.0, 1.0]]]))
        Tensor([[[3., 6.]]], dtype=float32, device='cpu')
    """
    return _conv(1, x, weight, bias, stride, padding, dilation, groups)


@either_order(channels=-3)
def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over two axes, of images.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        weight: O kernels, shape (O, C / groups, kH, kW).
        bias: shape (O,), or None.
        stride: by how many pixels the kernel moves; a number, or one for each axis.
        padding: zeros around the image: a number, one for each axis, a pair (before, after) for each axis,
            ``"valid"`` (none) or ``"same"`` (the output is as large as the input; for stride 1. With others,
            :func:`tensorgrad.nn.functional.same_padding` gives the pairs that Keras and TensorFlow pad with).
        dilation: how far apart the kernel's elements are.
        groups: into how many groups the channels are split, each with kernels of its own.

    Returns:
        Shape (N, O, H', W') with ``H' = (H + padding - dilation * (kH - 1) - 1) // stride + 1``, both sides' padding
        counted.

    Raises:
        ValueError: for shapes or options that do not fit, naming them.

    Example:
        >>> image = tg.tensor([[4, 2, 0, 2], [3, 2, 3, 8], [2, 1, 8, 5], [4, 6, 8, 2]], dtype="float32")
        >>> kernel = tg.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]], dtype="float32")
        >>> tg.conv2d(image.reshape(1, 1, 4, 4), kernel.reshape(1, 1, 3, 3)).squeeze()
        Tensor([[142., 195.],
                [225., 230.]], dtype=float32, device='cpu')
    """
    return _conv(2, x, weight, bias, stride, padding, dilation, groups)


@either_order(channels=-4)
def conv3d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Any = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution over three axes, of volumes or videos. As :func:`conv2d`, with (N, C, D, H, W).

    Example:
        >>> tg.conv3d(tg.ones((1, 1, 3, 3, 3)), tg.ones((1, 1, 2, 2, 2))).shape
        (1, 1, 2, 2, 2)
    """
    return _conv(3, x, weight, bias, stride, padding, dilation, groups)


def _conv(d: int, x: Any, weight: Any, bias: Any, stride: Size, padding: Any, dilation: Size, groups: int) -> Tensor:
    name = f"conv{d}d"
    x, weight = asarray(x), asarray(weight)
    if weight.ndim != d + 2:
        raise ValueError(f"{name}() needs a weight with {d + 2} axes (O, C / groups, *kernel), got {weight.shape}.")
    if x.ndim not in (d + 1, d + 2):
        raise ValueError(f"{name}() needs an input with {d + 2} axes (N, C, *spatial) or {d + 1}, got {x.shape}.")
    if groups < 1 or weight.shape[0] % groups or x.shape[-d - 1] != weight.shape[1] * groups:
        raise ValueError(
            f"{name}(): {x.shape[-d - 1]} input channels (input {x.shape}), a weight of shape {weight.shape} and "
            f"groups={groups} do not go together: the weight's second axis is channels / groups, and its first a "
            f"multiple of groups."
        )
    bias = None if bias is None else asarray(as_operands([x, bias])[1])
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"{name}() needs a bias of shape {weight.shape[:1]}, got {bias.shape}.")
    steps, spread = sizes(stride, d, f"{name}() stride"), sizes(dilation, d, f"{name}() dilation")
    around = conv_padding(padding, weight.shape[2:], steps, spread, name)
    batched = x if x.ndim == d + 2 else x.expand_dims(0)
    out = convolution(batched, weight, stride=steps, padding=around, dilation=spread, groups=groups)
    if bias is not None:
        out = out + bias.reshape(bias.shape + (1,) * d)
    return out if x.ndim == d + 2 else out.squeeze(0)


def conv_padding(padding: Any, kernel: Shape, stride: Shape, dilation: Shape, name: str) -> Pairs:
    """A convolution's padding as a pair (before, after) for each axis."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if any(step != 1 for step in stride):
            raise ValueError(f"{name}(): padding='same' goes with stride 1 only, not {stride}: give numbers.")
        return same_padding((1,) * len(kernel), kernel, 1, dilation)
    if isinstance(padding, str):
        raise ValueError(f"{name}(): padding is 'same', 'valid' or numbers, not {padding!r}.")
    return pairs(padding, len(kernel), f"{name}() padding")
