"""Planted errors in convolution, pooling, dropout, attention, recurrent and ReLU networks."""

from __future__ import annotations

import numpy as np

from benchmarks.gradient_cases.case import normal, planted
from benchmarks.gradient_cases.formulas import (
    convolve1d,
    convolve1d_gradients,
    convolve2d,
    convolve2d_gradients,
    max_pool1d,
    max_pool1d_gradient,
    positions,
    relu,
    sigmoid,
    softmax,
    softmax_gradient,
)

LOGITS = normal(4, 5)
LINE = normal(9)
KERNEL = normal(3, seed=1)
IMAGE = normal(2, 5, 5)
KERNELS = normal(3, 2, 3, 3, seed=1)
BIAS = normal(3, seed=2)
QUERY, KEY, VALUE = (normal(3, 4, seed=seed) for seed in range(3))
MASK = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])


def _line(name, about, wrong, **options):
    """A case of a one-dimensional convolution with options."""
    return planted(
        name,
        about,
        lambda x, w: convolve1d(x, w, **options),
        lambda g, x, w: convolve1d_gradients(g, x, w, **options),
        wrong,
        LINE,
        KERNEL,
    )


def _flipped(g, x, w):
    return np.convolve(g, w[::-1]), convolve1d_gradients(g, x, w)[1]


def _weight_flipped(g, x, w):
    gx, gw = convolve1d_gradients(g, x, w)
    return gx, gw[::-1]


def _unit_stride(g, x, w):
    gx, gw = convolve1d_gradients(np.append(g, np.zeros(3)), x, w, stride=1)
    return gx, gw


def _border_dropped(g, x, w):
    gx, gw = convolve1d_gradients(g, x, w, padding=1)
    gx[0] = g[1] * w[0]
    return gx, gw


def _border_valid_weight(g, x, w):
    return convolve1d_gradients(g, x, w, padding=1)[0], convolve1d_gradients(g[1:-1], x, w)[1]


def _undilated(g, x, w):
    return convolve1d_gradients(np.append(g, np.zeros(2)), x, w)[0], convolve1d_gradients(g, x, w, dilation=2)[1]


def _image(name, about, change, **options):
    """A case of a two-dimensional convolution: the right gradients, changed."""

    def wrong(g, x, w, b):
        return change(g, x, w, b, *convolve2d_gradients(g, x, w, b, **options))

    return planted(
        name,
        about,
        lambda x, w, b: convolve2d(x, w, b, **options),
        lambda g, x, w, b: convolve2d_gradients(g, x, w, b, **options),
        wrong,
        IMAGE,
        KERNELS,
        BIAS,
    )


def _first_channel(g, x, w, b, gx, gw, gb):
    gx[1] = 0
    return gx, gw, gb


def _pool(name, about, wrong, kernel=3, stride=1, x=LINE):
    return planted(
        name,
        about,
        lambda x: max_pool1d(x, kernel, stride),
        lambda g, x: max_pool1d_gradient(g, x, kernel, stride),
        wrong,
        x,
    )


def _last_wins(g, x):
    where = positions(len(x), 3)
    windows = x[where]
    gx = np.zeros_like(x)
    gx[where[np.arange(len(where)), windows.argmax(1)]] = g
    return gx


def _first_window_only(g, x):
    where = positions(len(x), 3)
    gx = np.zeros_like(x)
    gx[where[:, 0]] = g
    return gx


def _average_pool(counted: bool):
    """Average pooling with a border of one zero, which is counted or not."""

    def forward(x):
        where = positions(len(x) + 2, 3, 2)
        sums = np.pad(x, 1)[where].sum(1)
        return sums / (3 if counted else np.pad(np.ones(len(x)), 1)[where].sum(1))

    return forward


def _average_pool_gradient(counted: bool):
    def backward(g, x):
        where = positions(len(x) + 2, 3, 2)
        each = g / (3 if counted else np.pad(np.ones(len(x)), 1)[where].sum(1))
        gx = np.zeros(len(x) + 2)
        np.add.at(gx, where, each[:, None] * np.ones(3))
        return gx[1:-1]

    return backward


def _attention(q, k, v):
    return softmax(q @ k.T / 2) @ v


def _attention_gradients(scale: float = 0.5, transposed: bool = False):
    def backward(g, q, k, v):
        weights = softmax(q @ k.T / 2)
        inner = g @ v.T
        scores = scale * weights * (inner - (inner * weights).sum(-1, keepdims=True))
        return scores @ k, (scores if transposed else scores.T) @ q, weights.T @ g

    return backward


def _recurrent(x, w, u):
    h = np.zeros(2, x.dtype)
    for step in x:
        h = np.tanh(w @ h + u @ step)
    return h


def _recurrent_gradients(steps: int):
    def backward(g, x, w, u):
        states = [np.zeros(2)]
        for step in x:
            states.append(np.tanh(w @ states[-1] + u @ step))
        gx, gw, gu = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u)
        for t in reversed(range(len(x) - steps, len(x))):
            inner = g * (1 - states[t + 1] ** 2)
            gx[t], gw, gu = u.T @ inner, gw + np.outer(inner, states[t]), gu + np.outer(inner, x[t])
            g = w.T @ inner
        return gx, gw, gu

    return backward


def _cell(c, i, f, o):
    return sigmoid(o) * np.tanh(sigmoid(f) * c + sigmoid(i) * np.tanh(c))


def _cell_gradients(through: float):
    def backward(g, c, i, f, o):
        si, sf, so, t = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(c)
        out = np.tanh(sf * c + si * t)
        inner = g * so * (1 - out**2)
        gc = inner * (sf + through * si * (1 - t**2))
        return gc, inner * t * si * (1 - si), inner * c * sf * (1 - sf), g * out * so * (1 - so)

    return backward


def _mlp(x, w1, b1, w2):
    return relu(x @ w1 + b1) @ w2


def _mlp_gradients(mask):
    def backward(g, x, w1, b1, w2):
        pre = x @ w1 + b1
        inner = (g @ w2.T) * mask(pre)
        return inner @ w1.T, x.T @ inner, inner.sum(0), relu(pre).T @ g

    return backward


MLP = normal(3, 4), normal(4, 5, seed=1), normal(5, seed=2), normal(5, 2, seed=3)

CASES = [
    _line("convolution, flipped", "the kernel is flipped where it should not be", _flipped),
    _line("convolution, the kernel's gradient", "is flipped", _weight_flipped),
    _line("convolution, stride", "forgotten", _unit_stride, stride=2),
    _line("convolution, the border", "one term of the first entry is missing", _border_dropped, padding=1),
    _line(
        "convolution, the kernel at the border",
        "the border's windows do not count for the kernel",
        _border_valid_weight,
        padding=1,
    ),
    _line("convolution, dilation", "forgotten for the input", _undilated, dilation=2),
    _image("2-D convolution, kernels", "transposed", lambda g, x, w, b, gx, gw, gb: (gx, np.swapaxes(gw, -1, -2), gb)),
    _image(
        "2-D convolution, image",
        "transposed",
        lambda g, x, w, b, gx, gw, gb: (np.swapaxes(gx, -1, -2), gw, gb),
        padding=1,
    ),
    _image("2-D convolution, bias", "averaged", lambda g, x, w, b, gx, gw, gb: (gx, gw, g.mean((1, 2)))),
    _image("2-D convolution, one channel", "no gradient for the second", _first_channel, stride=2),
    _image(
        "2-D convolution, 1e-5",
        "the kernels' gradient is 1e-5 too large",
        lambda g, x, w, b, gx, gw, gb: (gx, gw * (1 + 1.01e-5), gb),
        padding=1,
    ),
    _image(
        "2-D convolution, shifted",
        "the image's gradient by one pixel",
        lambda g, x, w, b, gx, gw, gb: (np.roll(gx, 1, -1), gw, gb),
        padding=1,
    ),
    _pool("max pooling, the last wins", "where windows overlap it is assigned for added", _last_wins),
    _pool("max pooling, the first of each window", "whatever the largest", _first_window_only),
    _pool("max pooling, shared", "as in average pooling", lambda g, x: np.repeat(g, 3) / 3, 3, 3),
    planted(
        "average pooling, the border",
        "counted in the gradient only",
        _average_pool(False),
        _average_pool_gradient(False),
        _average_pool_gradient(True),
        LINE,
    ),
    planted(
        "average pooling, a sum",
        "1 / 3 forgotten",
        _average_pool(True),
        _average_pool_gradient(True),
        lambda g, x: 3 * _average_pool_gradient(True)(g, x),
        LINE,
    ),
    planted(
        "dropout, not scaled",
        "1 / (1 - p) forgotten",
        lambda x: x * MASK * 1.5,
        lambda g, x: g * MASK * 1.5,
        lambda g, x: g * MASK,
        LINE[:6],
    ),
    planted(
        "dropout, another mask",
        "than the one used",
        lambda x: x * MASK * 1.5,
        lambda g, x: g * MASK * 1.5,
        lambda g, x: g * np.roll(MASK, 1) * 1.5,
        LINE[:6],
    ),
    planted(
        "dropout, as in evaluation",
        "no mask",
        lambda x: x * MASK * 1.5,
        lambda g, x: g * MASK * 1.5,
        lambda g, x: g.copy(),
        LINE[:6],
    ),
    planted(
        "attention, scale",
        "1 / sqrt(d) forgotten",
        _attention,
        _attention_gradients(),
        _attention_gradients(1.0),
        QUERY,
        KEY,
        VALUE,
    ),
    planted(
        "attention, keys",
        "scores not transposed",
        _attention,
        _attention_gradients(),
        _attention_gradients(transposed=True),
        QUERY,
        KEY,
        VALUE,
    ),
    planted(
        "recurrent, truncated",
        "the gradient goes back through one step only",
        _recurrent,
        _recurrent_gradients(3),
        _recurrent_gradients(1),
        normal(3, 3),
        normal(2, 2, seed=1),
        normal(2, 3, seed=2),
    ),
    planted(
        "LSTM cell",
        "the candidate's path is forgotten",
        _cell,
        _cell_gradients(1.0),
        _cell_gradients(0.0),
        *[normal(4, seed=seed) for seed in range(4)],
    ),
    planted(
        "ReLU network, no mask",
        "ReLU taken for the identity",
        _mlp,
        _mlp_gradients(lambda pre: pre > 0),
        _mlp_gradients(np.ones_like),
        *MLP,
    ),
    planted(
        "ReLU network, mask of the sign",
        "-1 where it should be 0",
        _mlp,
        _mlp_gradients(lambda pre: pre > 0),
        _mlp_gradients(np.sign),
        *MLP,
    ),
    planted(
        "ReLU network, leak",
        "0.01 where it should be 0",
        _mlp,
        _mlp_gradients(lambda pre: pre > 0),
        _mlp_gradients(lambda pre: np.where(pre > 0, 1, 0.01)),
        *MLP,
    ),
    planted(
        "positional encoding",
        "the frequency forgotten in one half",
        lambda x: np.concatenate([np.sin(4 * x), np.cos(4 * x)]),
        *[lambda g, x, c=c: 4 * g[:5] * np.cos(4 * x) - c * g[5:] * np.sin(4 * x) for c in (4, 1)],
        LINE[:5],
    ),
    planted(
        "temperature",
        "the logits' gradient not divided by it",
        lambda x: softmax(x / 0.7),
        lambda g, x: softmax_gradient(g, x / 0.7) / 0.7,
        lambda g, x: softmax_gradient(g, x / 0.7),
        LOGITS,
    ),
    planted(
        "weight decay, twice",
        "lambda w**2 for lambda w**2 / 2 in the gradient",
        lambda w: np.sin(w).sum() + 0.05 * (w * w).sum(),
        lambda g, w: g * (np.cos(w) + 0.1 * w),
        lambda g, w: g * (np.cos(w) + 0.2 * w),
        LINE,
    ),
]
