"""The functions of networks on NumPy arrays, as plainly as they can be written: loops over positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Size = int | tuple[int, int]


def relu(x: np.ndarray) -> np.ndarray:
    """The positive part."""
    return np.maximum(x, 0.0)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Exponentials that sum to one along an axis."""
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def logsumexp(x: np.ndarray, axis: int | None = None) -> np.ndarray:
    """The logarithm of the sum of exponentials, without overflow."""
    peak = x.max(axis=axis, keepdims=True)
    return np.squeeze(np.log(np.exp(x - peak).sum(axis=axis, keepdims=True)) + peak, axis=axis)


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _windows(
    x: np.ndarray, kernel: Size, stride: Size, padding: Size, dilation: Size, fill: float
) -> tuple[np.ndarray, int, int]:
    """All windows of images (N, C, H, W), one after the other: (positions, N, C, kernel height, kernel width)."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = map(_pair, (kernel, stride, padding, dilation))
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    high, wide = dh * (kh - 1) + 1, dw * (kw - 1) + 1
    rows, columns = (x.shape[2] - high) // sh + 1, (x.shape[3] - wide) // sw + 1
    found = [
        x[:, :, i * sh : i * sh + high : dh, j * sw : j * sw + wide : dw] for i in range(rows) for j in range(columns)
    ]
    return np.stack(found), rows, columns


def _image(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """(positions, N, C) as images (N, C, rows, columns)."""
    return np.moveaxis(values, 0, -1).reshape(*values.shape[1:], rows, columns)


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlation of images (N, C, H, W) with kernels (O, C / groups, KH, KW), as networks have it."""
    parts = []
    for images, kernels in zip(np.split(x, groups, axis=1), np.split(w, groups, axis=0), strict=True):
        windows, rows, columns = _windows(images, kernels.shape[2:], stride, padding, dilation, 0.0)
        parts.append(_image(np.einsum("pnchw,ochw->pno", windows, kernels), rows, columns))
    return np.concatenate(parts, axis=1)


def _pool(
    reduce: Callable[..., Any], x: np.ndarray, kernel: Size, stride: Size | None, padding: Size, fill: float
) -> np.ndarray:
    windows, rows, columns = _windows(x, kernel, kernel if stride is None else stride, padding, 1, fill)
    return _image(reduce(windows, axis=(-2, -1)), rows, columns)


def max_pool2d(x: np.ndarray, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> np.ndarray:
    """The largest value of each window; padding never wins."""
    return _pool(np.max, x, kernel_size, stride, padding, -np.inf)


def avg_pool2d(x: np.ndarray, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> np.ndarray:
    """The mean of each window; zeros of the padding count."""
    return _pool(np.mean, x, kernel_size, stride, padding, 0.0)
