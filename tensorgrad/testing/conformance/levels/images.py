"""Level 6: convolution and pooling, on images (batch, channels, height, width)."""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.conformance.check import Level
from tensorgrad.testing.conformance.errors import Fault

level = Level(6, "convolution and pooling")

IMAGE = [[[[4.0, 2.0, 0.0, 2.0], [3.0, 2.0, 3.0, 8.0], [2.0, 1.0, 8.0, 5.0], [4.0, 6.0, 8.0, 2.0]]]]
KERNEL = [[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]]]


def _flipped(m, x, w):
    return m.conv2d(x, w[:, :, ::-1, ::-1])


FLIPPED = {"the kernel is flipped: networks correlate, they do not convolve": _flipped}


@level.check(x=IMAGE, w=KERNEL, values=FLIPPED)
def convolution_by_hand(m, x, w):
    """conv2d of a 4x4 image with the kernel 1 ... 9: [[142, 189], [225, 230]].

    Signal processing flips the kernel; networks do not.
    """
    return m.conv2d(x, w)


@level.check(x=(2, 3, 4, 5), w=(2, 3, 3, 2), values=FLIPPED)
def convolution_with_channels(m, x, w):
    """conv2d of shapes (2, 3, 4, 5) and (2, 3, 3, 2): a batch, channels, and a kernel that is not square."""
    return m.conv2d(x, w)


@level.check(x=(1, 2, 3, 3), w=(3, 2, 1, 1))
def convolution_with_kernel_one(m, x, w):
    """conv2d with kernels of 1x1: a matrix product for each pixel."""
    return m.conv2d(x, w)


@level.check(x=(1, 1, 5, 5), w=(1, 1, 3, 3))
def convolution_with_stride(m, x, w):
    """conv2d with stride 2."""
    return m.conv2d(x, w, stride=2)


@level.check(x=(1, 1, 6, 5), w=(1, 1, 3, 2))
def stride_that_leaves_a_rest(m, x, w):
    """conv2d with stride 2 of a 6x5 image: the last row and column are in no window.

    Their gradient is 0, but it has to be there: the transposed convolution comes out too small.
    """
    return m.conv2d(x, w, stride=2)


@level.check(x=(1, 2, 3, 4), w=(2, 2, 3, 3))
def convolution_with_padding(m, x, w):
    """conv2d with padding 1.

    The gradient has the padding's border unless it is cut off.
    """
    return m.conv2d(x, w, padding=1)


@level.check(x=(1, 1, 5, 5), w=(1, 1, 3, 3))
def convolution_with_stride_and_padding(m, x, w):
    """conv2d with stride 2 and padding 1: 5x5 becomes 3x3."""
    return m.conv2d(x, w, stride=2, padding=1)


@level.check(x=(1, 1, 6, 6), w=(1, 1, 2, 2))
def convolution_with_dilation(m, x, w):
    """conv2d with dilation 2."""
    return m.conv2d(x, w, dilation=2)


@level.check(x=(1, 1, 5, 5), w=(1, 1, 3, 3))
def dilated_kernel_that_just_fits(m, x, w):
    """conv2d of a 5x5 image with a 3x3 kernel of dilation 2: one position.

    Engines count the kernel as 6x6 and refuse.
    """
    return m.conv2d(x, w, dilation=2)


@level.check(x=(1, 4, 3, 3), w=(4, 2, 2, 2))
def convolution_in_groups(m, x, w):
    """conv2d with groups=2."""
    return m.conv2d(x, w, groups=2)


@level.check(x=(2, 3, 3, 3), w=(3, 1, 2, 2))
def convolution_of_each_channel(m, x, w):
    """conv2d with groups=3, one kernel for each channel (depthwise)."""
    return m.conv2d(x, w, groups=3)


@level.check(x=(2, 1, 3, 3), w=(2, 1, 2, 2), b=(2, 1, 1))
def convolution_with_bias(m, x, w, b):
    """conv2d(x, w) + b, one bias for each channel: its gradient is the sum over batch, rows and columns."""
    return m.conv2d(x, w) + b


@level.check(x=(1, 1, 4, 4), w=(1, 1, 3, 3))
def one_kernel_used_twice(m, x, w):
    """conv2d(conv2d(x, w, padding=1), w): the kernel is shared by two layers."""
    a, b = m.uses(w, 2)
    return m.conv2d(m.conv2d(x, a, padding=1), b)


@level.check(x=(2, 2, 4, 4))
def max_pooling(m, x):
    """max_pool2d(x, 2)."""
    return m.max_pool2d(x, 2)


@level.check(x=(1, 1, 5, 5))
def max_pooling_that_overlaps(m, x):
    """max_pool2d(x, 3, stride=1): one entry is the largest of several windows.

    Its gradients add up; engines that assign them keep one.
    """
    return m.max_pool2d(x, 3, stride=1)


@level.check(x=(1, 1, 5, 5))
def max_pooling_that_leaves_a_rest(m, x):
    """max_pool2d(x, 2) of a 5x5 image: the last row and column are in no window."""
    return m.max_pool2d(x, 2)


def _zeros(m, x):
    return m.max_pool2d(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), 2)


NEGATIVE = -np.array([5.0, 4.0, 9.0, 2.0, 7.0, 1.0, 3.0, 8.0, 6.0, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]).reshape(
    1, 1, 4, 4
)


@level.check(x=NEGATIVE, values={"padding with zeros, which are larger than negative numbers": _zeros})
def max_pooling_of_negative_numbers_with_padding(m, x):
    """max_pool2d(x, 2, padding=1) of negative numbers: padding never wins.

    Padded with zeros, windows at the border give 0, and the gradient is lost.
    """
    return m.max_pool2d(x, 2, padding=1)


def _one_winner(gradients, x):
    got = gradients[0]
    if abs(got.sum() - 1) > 1e-5 or np.any(got < -1e-6):
        cause = "equals are given the whole gradient each" if np.all(got == 1) else ""
        raise Fault(f"gradient: got {got.ravel().tolist()}, expected shares that add up to 1", cause)


@level.check(x=np.ones((1, 1, 2, 2)), judge=_one_winner)
def max_pooling_of_equals(m, x):
    """sum(max_pool2d(x, 2)) of four equal numbers: shares of one gradient that add up to 1."""
    return m.sum(m.max_pool2d(x, 2))


@level.check(x=(1, 2, 4, 4))
def average_pooling(m, x):
    """avg_pool2d(x, 2)."""
    return m.avg_pool2d(x, 2)


@level.check(x=(1, 1, 5, 5))
def average_pooling_that_overlaps(m, x):
    """avg_pool2d(x, 3, stride=2): windows that share a row."""
    return m.avg_pool2d(x, 3, stride=2)


@level.check(x=(1, 1, 6, 6), w=(2, 1, 3, 3), v=(2, 2))
def small_network(m, x, w, v):
    """relu(max_pool2d(conv2d(x, w), 2)), flattened, times a vector: a network of one layer each."""
    hidden = m.relu(m.max_pool2d(m.conv2d(x, w), 2))
    return m.sum(m.reshape(hidden, (1, 8)) * m.reshape(m.broadcast_to(m.reshape(v, (1, 4)), (2, 4)), (1, 8)))
