"""Convolution on the CPU and its two transposes, by the algorithms of :mod:`tensorgrad.kernels.numpy.planner`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.backend import Array
from tensorgrad.kernels.dtypes import promote
from tensorgrad.kernels.geometry import Pairs, Sizes, channels_per_group, convolution_shape, expect_shape
from tensorgrad.kernels.numpy import columns, products, winograd
from tensorgrad.kernels.numpy.planner import Run, Shapes, choose, rolls_up, turned_padding
from tensorgrad.kernels.reference.convolution import by_group
from tensorgrad.threads import OneBlasThread


def convolution(x: Array, weight: Array, *, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int) -> Array:
    """The convolution of ``x`` and ``weight`` (:func:`tensorgrad.kernels.reference.convolution`)."""
    y_shape = convolution_shape(x.shape, weight.shape, stride, padding, dilation, groups)
    x, weight, dtype = promote(np, x, weight)
    shapes = Shapes(x.shape, weight.shape, y_shape, stride, padding, dilation, groups, x.dtype.name)

    def candidates() -> dict[str, Run]:
        return {
            "pointwise": lambda: _mix(by_group(weight.reshape(weight.shape[:2]), groups), x[_every(stride)]),
            "columns": lambda: columns.convolution(
                x, weight, stride=stride, padding=padding, dilation=dilation, groups=groups
            ),
            "winograd": lambda: winograd.convolution(x, weight, padding=padding),
        }

    return _run("convolution", shapes, candidates).astype(dtype, copy=False)


def convolution_input(
    y: Array, weight: Array, *, spatial: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Array:
    """The transpose of the convolution in ``x`` (:func:`tensorgrad.kernels.reference.convolution_input`)."""
    x_shape = (len(y), weight.shape[1] * groups, *spatial)
    expect_shape("y", y.shape, convolution_shape(x_shape, weight.shape, stride, padding, dilation, groups))
    y, weight, dtype = promote(np, y, weight)
    shapes = Shapes(x_shape, weight.shape, y.shape, stride, padding, dilation, groups, y.dtype.name)

    def roll_up() -> Array:
        return columns.convolution_input(
            y, weight, spatial=spatial, stride=stride, padding=padding, dilation=dilation, groups=groups
        )

    def turned(algorithm: Any, **options: Any) -> Array:
        # With stride 1, it is a convolution with the kernels turned around and their channels exchanged.
        return algorithm(y, _turned(weight, groups), padding=turned_padding(kernel, padding, dilation), **options)

    def candidates() -> dict[str, Run]:
        return {
            "pointwise": lambda: _spread(
                _mix(by_group(weight.reshape(weight.shape[:2]), groups).mT, y), x_shape, stride
            ),
            "columns": lambda: (
                roll_up()
                if rolls_up(shapes)
                else turned(columns.convolution, stride=stride, dilation=dilation, groups=groups)
            ),
            "winograd": lambda: (
                winograd.convolution_input(y, weight, spatial=spatial, padding=padding)
                if winograd.small(y.shape[2:], kernel)
                else turned(winograd.convolution)
            ),
        }

    kernel = weight.shape[2:]
    return _run("convolution_input", shapes, candidates).astype(dtype, copy=False)


def convolution_weight(
    x: Array, y: Array, *, kernel: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes, groups: int
) -> Array:
    """The transpose of the convolution in ``weight`` (:func:`tensorgrad.kernels.reference.convolution_weight`)."""
    weight_shape = (y.shape[1], channels_per_group(x.shape[1], groups), *kernel)
    expect_shape("y", y.shape, convolution_shape(x.shape, weight_shape, stride, padding, dilation, groups))
    x, y, dtype = promote(np, x, y)
    shapes = Shapes(x.shape, weight_shape, y.shape, stride, padding, dilation, groups, x.dtype.name)
    if shapes.pointwise:
        x, stride = x[_every(stride)], (1,) * len(stride)

    def candidates() -> dict[str, Run]:
        return {
            "columns": lambda: columns.convolution_weight(
                x, y, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups
            ),
            "winograd": lambda: winograd.convolution_weight(x, y, kernel=kernel, padding=padding),
        }

    return _run("convolution_weight", shapes, candidates).astype(dtype, copy=False)


def _run(what: str, shapes: Shapes, candidates: Callable[[], dict[str, Run]]) -> Array:
    with OneBlasThread():
        return candidates()[choose(what, shapes, candidates)]()


def _every(stride: Sizes) -> tuple[Any, ...]:
    """The index of the inputs that kernels of one tap see."""
    return (..., *(slice(None, None, step) for step in stride))


def _spread(seen: Array, shape: Sizes, stride: Sizes) -> Array:
    """The transpose of taking every so many."""
    if max(stride) == 1:
        return seen
    x = np.zeros(shape, dtype=seen.dtype)
    x[_every(stride)] = seen
    return x


def _mix(matrices: Array, x: Array) -> Array:
    """Each group's matrix applied to the channels of ``x`` at every position."""
    rows = x.reshape(len(x), len(matrices), matrices.shape[2], math.prod(x.shape[2:]))
    mixed = products.matmul(matrices, rows)
    return mixed.reshape(len(x), mixed.shape[1] * mixed.shape[2], *x.shape[2:])


def _turned(weight: Array, groups: int) -> Array:
    """(O, C / groups, *kernel) as (C, O / groups, *kernel), each kernel from its end."""
    outputs, channels, *kernel = weight.shape
    split = weight.reshape(groups, outputs // groups, channels, *kernel)
    turned = np.flip(split, axis=tuple(range(3, split.ndim))).swapaxes(1, 2)
    return turned.reshape(groups * channels, outputs // groups, *kernel)
