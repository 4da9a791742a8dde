"""Formulas that several cases share, each for arrays of floats and of exact numbers alike."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

_erf = np.vectorize(math.erf, otypes=[float])


def erf(x: np.ndarray) -> np.ndarray:
    """The error function, elementwise."""
    if np.asarray(x).dtype == object:
        return np.frompyfunc(lambda value: value.erf(), 1, 1)(x)
    return _erf(x)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), elementwise."""
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """exp(x) divided by its sum along an axis."""
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def softmax_gradient(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The gradient of :func:`softmax` along the last axis."""
    s = softmax(x)
    return s * (g - (g * s).sum(-1, keepdims=True))


def logsumexp(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """The logarithm of the sum of exp(x) along an axis."""
    top = x.max(axis, keepdims=True)
    return (np.log(np.exp(x - top).sum(axis, keepdims=True)) + top).squeeze(axis)


def relu(x: np.ndarray) -> np.ndarray:
    """max(x, 0), elementwise."""
    return np.where(x > 0, x, 0 * x)


def step(at_zero: float) -> Callable[[np.ndarray], np.ndarray]:
    """The derivative of :func:`relu`, with a choice of its value at 0."""
    return lambda x: np.where(x == 0, at_zero, np.where(x > 0, 1.0, 0.0))


def length(x: np.ndarray) -> np.ndarray:
    """The Euclidean norm of all entries."""
    return np.sqrt((x * x).sum())


def swap(x: np.ndarray) -> np.ndarray:
    """The last two axes swapped."""
    return np.swapaxes(x, -1, -2)


def positions(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> np.ndarray:
    """Of every window of a line, where its entries are: (windows, kernel)."""
    count = (size - dilation * (kernel - 1) - 1) // stride + 1
    return stride * np.arange(count)[:, None] + dilation * np.arange(kernel)


def pad(x: np.ndarray, width: int, axes: int = 1) -> np.ndarray:
    """Zeros around the last axes."""
    return np.pad(x, [(0, 0)] * (x.ndim - axes) + [(width, width)] * axes) if width else x


def unpad(x: np.ndarray, width: int, axes: int = 1) -> np.ndarray:
    """What is left without the border of the last axes."""
    return x[(..., *[slice(width, -width)] * axes)] if width else x


def convolve1d(x: np.ndarray, w: np.ndarray, stride: int = 1, padding: int = 0, dilation: int = 1) -> np.ndarray:
    """Cross-correlation of a line (n,) with a kernel (k,)."""
    x = pad(x, padding)
    return x[positions(len(x), len(w), stride, dilation)] @ w


def convolve1d_gradients(g, x, w, stride=1, padding=0, dilation=1):
    """The gradients of :func:`convolve1d` with respect to the line and the kernel."""
    padded = pad(x, padding)
    where = positions(len(padded), len(w), stride, dilation)
    gx = np.zeros_like(padded)
    np.add.at(gx, where, g[:, None] * w)
    return unpad(gx, padding), g @ padded[where]


def patches(x: np.ndarray, kernel: int, stride: int = 1) -> tuple[np.ndarray, tuple]:
    """Every window of an image (c, h, w): (c, rows, columns, kernel, kernel), and the index that gave them."""
    rows, columns = (positions(size, kernel, stride) for size in x.shape[1:])
    index = (slice(None), rows[:, None, :, None], columns[None, :, None, :])
    return x[index], index


def convolve2d(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int = 1, padding: int = 0) -> np.ndarray:
    """Cross-correlation of an image (c, h, w) with kernels (o, c, k, k), plus a bias (o,)."""
    windows, _ = patches(pad(x, padding, 2), w.shape[-1], stride)
    return np.tensordot(w, windows, ((1, 2, 3), (0, 3, 4))) + b[:, None, None]


def convolve2d_gradients(g, x, w, b, stride=1, padding=0):
    """The gradients of :func:`convolve2d` with respect to image, kernels and bias."""
    padded = pad(x, padding, 2)
    windows, index = patches(padded, w.shape[-1], stride)
    gx = np.zeros_like(padded)
    np.add.at(gx, index, np.einsum("oyx,ockl->cyxkl", g, w))
    return unpad(gx, padding, 2), np.einsum("oyx,cyxkl->ockl", g, windows), g.sum((1, 2))


def max_pool1d(x: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    """The largest entry of each window of a line."""
    return x[positions(len(x), kernel, stride)].max(1)


def max_pool1d_gradient(g, x, kernel, stride, share=False):
    """The gradient of :func:`max_pool1d`: for the first of the largest, or shared by them equally."""
    where = positions(len(x), kernel, stride)
    windows = x[where]
    if share:
        weights = (windows == windows.max(1, keepdims=True)).astype(float)
        weights /= weights.sum(1, keepdims=True)
    else:
        weights = np.eye(kernel)[windows.argmax(1)]
    gx = np.zeros_like(x)
    np.add.at(gx, where, g[:, None] * weights)
    return gx


def standardise(x: np.ndarray, axis: int, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Values less their mean, over their standard deviation (with eps), along an axis; and 1 over the latter."""
    centred = x - x.mean(axis, keepdims=True)
    inverse = 1 / np.sqrt((centred * centred).mean(axis, keepdims=True) + eps)
    return centred * inverse, inverse


def standardise_gradient(g: np.ndarray, x: np.ndarray, axis: int, eps: float) -> np.ndarray:
    """The gradient of :func:`standardise`."""
    normed, inverse = standardise(x, axis, eps)
    return inverse * (g - g.mean(axis, keepdims=True) - normed * (g * normed).mean(axis, keepdims=True))
