"""The largest of each window, or the smallest, and back again."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.ops.creation import asarray, zeros
from tensorgrad.ops.geometry import Shape, sizes
from tensorgrad.ops.indexing import index_put
from tensorgrad.ops.memory_order import either_order
from tensorgrad.ops.shape import reshape
from tensorgrad.ops.windows import Size, Windows, max_pool

__all__ = [
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "min_pool1d",
    "min_pool2d",
    "min_pool3d",
]


def largest(windows: Windows, return_indices: bool = False) -> Any:
    """The largest of each window, and where it stood in the flattened image if that is asked for."""
    values, positions = max_pool(windows.x, **windows.options)
    if not return_indices:
        return windows.result(values)
    return windows.result(values), windows.result(_flat_indices(windows, positions))


def _flat_indices(windows: Windows, positions: Tensor) -> Tensor:
    """Positions inside windows as positions in the flattened input plane, as PyTorch counts them."""
    bare = positions.data
    xp = backend.namespace(bare)
    rest, flat, place = bare.astype("int64"), 0, 1
    d = len(windows.kernel)
    for axis in reversed(range(d)):
        k, (lo, _) = windows.kernel[axis], windows.padding[axis]
        starts = xp.arange(bare.shape[2 + axis]).reshape((-1,) + (1,) * (d - 1 - axis)) * windows.stride[axis] - lo
        flat = flat + (starts + rest % k * windows.dilation[axis]) * place
        rest, place = rest // k, place * windows.spatial[axis]
    return Tensor(flat)


@either_order(channels=-2)
def max_pool1d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window of (N, C, L). As :func:`max_pool2d`.

    Example:
        >>> tg.max_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
        Tensor([[[3., 2.]]], dtype=float32, device='cpu')
    """
    return largest(Windows("max_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode), return_indices)


@either_order(channels=-3)
def max_pool2d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window. Of several equal ones, the first has the gradient.

    Args:
        x: images, shape (N, C, H, W), or (C, H, W) for one.
        kernel_size: of the window, in pixels: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: around the image, counted as -inf: a number, one for each axis, or a pair for each axis.
        dilation: how far apart the elements of a window are.
        ceil_mode: whether a last window that does not fit counts.
        return_indices: whether to return also where each stood in the flattened image.

    Returns:
        Shape (N, C, H', W'); with ``return_indices`` a pair of such.

    Raises:
        ValueError: for shapes or options that do not fit, naming them.

    Example:
        >>> tg.max_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]]), 2)
        Tensor([[[5.]]], dtype=float32, device='cpu')
    """
    return largest(Windows("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode), return_indices)


@either_order(channels=-4)
def max_pool3d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of each window of (N, C, D, H, W). As :func:`max_pool2d`.

    Example:
        >>> tg.max_pool3d(tg.ones((1, 1, 4, 4, 4)), 2).shape
        (1, 1, 2, 2, 2)
    """
    return largest(Windows("max_pool3d", 3, x, kernel_size, stride, padding, dilation, ceil_mode), return_indices)


def smallest(name: str, d: int, x: Any, *options: Any) -> Tensor:
    """The smallest of each window of ``d`` axes; the options are those of :class:`Windows`."""
    x = asarray(x)
    # Of integers ~x turns the order round, unsigned ones too; -x does not.
    found = largest(Windows(name, d, -x if x.dtype.kind == "f" else ~x, *options))
    return -found if x.dtype.kind == "f" else ~found


@either_order(channels=-2)
def min_pool1d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The smallest of each window of (N, C, L); padding counts as +inf. As :func:`max_pool2d`.

    Example:
        >>> tg.min_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2)
        Tensor([[[1., 0.]]], dtype=float32, device='cpu')
    """
    return smallest("min_pool1d", 1, x, kernel_size, stride, padding, dilation, ceil_mode)


@either_order(channels=-3)
def min_pool2d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The smallest of each window; padding counts as +inf. As :func:`max_pool2d`.

    Example:
        >>> tg.min_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]]), 2)
        Tensor([[[1.]]], dtype=float32, device='cpu')
    """
    return smallest("min_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode)


@either_order(channels=-4)
def min_pool3d(
    x: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Any = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The smallest of each window of (N, C, D, H, W); padding counts as +inf. As :func:`max_pool2d`.

    Example:
        >>> tg.min_pool3d(tg.ones((1, 1, 4, 4, 4)), 2).shape
        (1, 1, 2, 2, 2)
    """
    return smallest("min_pool3d", 3, x, kernel_size, stride, padding, dilation, ceil_mode)


# -- backwards -------------------------------------------------------------------------------------------------


def _unpool(
    name: str,
    d: int,
    x: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Size | None,
) -> Tensor:
    x, indices = asarray(x), asarray(indices)
    if x.ndim not in (d + 1, d + 2) or indices.shape != x.shape:
        raise ValueError(
            f"{name}() takes values with {d + 2} axes (N, C, *spatial) or {d + 1} and indices of their shape, got "
            f"{x.shape} and {indices.shape}."
        )
    if indices.dtype.kind not in "iu":
        raise TypeError(f"{name}() takes the indices that pooling returned, integers, got dtype {indices.dtype}.")
    if isinstance(output_size, (tuple, list)) and len(output_size) == x.ndim:
        output_size = output_size[-d:]
    out = _unpooled_shape(name, x.shape[-d:], kernel_size, stride, padding, output_size)
    bare, size = indices.data, math.prod(out)
    if backend.can_look(bare) and bare.size and not (bare.min() >= 0 and bare.max() < size):
        bad = bare.min() if bare.min() < 0 else bare.max()
        raise IndexError(f"{name}() was given the index {bad}, but an output of {out} has places 0 to {size - 1}.")
    lead, count = x.shape[:-d], math.prod(x.shape[:-d])
    rows = backend.namespace(bare).arange(count).reshape(-1, 1)
    values = reshape(x, (count, math.prod(x.shape[-d:])))
    empty = zeros((count, size), dtype=x.dtype, device=x.device)
    return reshape(index_put(empty, (rows, reshape(indices, values.shape)), values), (*lead, *out))


def _unpooled_shape(
    name: str, spatial: Shape, kernel_size: Size, stride: Size | None, padding: Size, output_size: Any
) -> Shape:
    d = len(spatial)
    kernel = sizes(kernel_size, d, f"{name}() kernel_size")
    steps = kernel if stride is None else sizes(stride, d, f"{name}() stride")
    around = sizes(padding, d, f"{name}() padding")
    usual = tuple((n - 1) * s + k - 2 * p for n, k, s, p in zip(spatial, kernel, steps, around, strict=True))
    wanted = usual
    if output_size is not None:
        wanted = sizes(output_size, d, f"{name}() output_size")
    if any(abs(n - m) >= s or n < 1 for n, m, s in zip(wanted, usual, steps, strict=True)):
        raise ValueError(
            f"{name}() of {spatial} makes {usual}, or lengths that differ by less than {steps}: not {wanted}."
        )
    return wanted


@either_order(channels=-2, inputs=2, shape="output_size")
def max_unpool1d(
    x: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Size | None = None,
) -> Tensor:
    """The largest of each window back where they stood, (N, C, L). As :func:`max_unpool2d`.

    Example:
        >>> values, indices = tg.max_pool1d(tg.tensor([[[1.0, 3.0, 2.0, 0.0]]]), 2, return_indices=True)
        >>> tg.max_unpool1d(values, indices, 2)
        Tensor([[[0., 3., 2., 0.]]], dtype=float32, device='cpu')
    """
    return _unpool("max_unpool1d", 1, x, indices, kernel_size, stride, padding, output_size)


@either_order(channels=-3, inputs=2, shape="output_size")
def max_unpool2d(
    x: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Size | None = None,
) -> Tensor:
    """The largest of each window back where they stood, with zeros around them: :func:`max_pool2d` backwards.

    Where an index occurs twice, as it does if windows overlap, the last of its values counts, and it alone has the
    gradient.

    Source: Zeiler and Fergus, *Visualizing and understanding convolutional networks* (2014).

    Args:
        x: values, shape (N, C, H, W), or (C, H, W) for one image.
        indices: where each of them goes in the flattened image, as :func:`max_pool2d` with ``return_indices`` tells.
        kernel_size: of the window, in pixels: a number, or one for each axis.
        stride: from one window to the next; the kernel size, if None.
        padding: what the pooling had around the image: a number, or one for each axis.
        output_size: H' and W', or the whole shape, where the pooling made the same of images of several sizes.

    Returns:
        Shape (N, C, H', W'); without an ``output_size``, ``H' = (H - 1) * stride + kH - 2 * padding``.

    Raises:
        ValueError: for shapes or options that do not fit, or an output size that is a stride or more from the usual.
        TypeError: for indices that are no integers.
        IndexError: for an index outside of the output.

    Example:
        >>> values, indices = tg.max_pool2d(tg.tensor([[[1.0, 2.0], [5.0, 3.0]]]), 2, return_indices=True)
        >>> tg.max_unpool2d(values, indices, 2)
        Tensor([[[0., 0.],
                 [5., 0.]]], dtype=float32, device='cpu')
    """
    return _unpool("max_unpool2d", 2, x, indices, kernel_size, stride, padding, output_size)


@either_order(channels=-4, inputs=2, shape="output_size")
def max_unpool3d(
    x: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Size | None = None,
) -> Tensor:
    """The largest of each window back where they stood, (N, C, D, H, W). As :func:`max_unpool2d`.

    Example:
        >>> values, indices = tg.max_pool3d(tg.ones((1, 1, 4, 4, 4)), 2, return_indices=True)
        >>> tg.max_unpool3d(values, indices, 2).sum().item()
        8.0
    """
    return _unpool("max_unpool3d", 3, x, indices, kernel_size, stride, padding, output_size)
