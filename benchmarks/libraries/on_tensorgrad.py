"""tensorgrad, by its functions."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

import tensorgrad as tg
from benchmarks.libraries.base import Library, cotangent
from tensorgrad.nn import functional as F

PRECISION = "BENCHMARKS_FLOAT32_PRECISION"
"""The variable that tells how exact convolutions are to be."""


class Tensorgrad(Library):
    name = "tensorgrad"
    version = version("tensorgrad")

    tanh = staticmethod(tg.tanh)
    exp = staticmethod(tg.exp)
    sigmoid = staticmethod(tg.sigmoid)
    relu = staticmethod(tg.relu)
    linear = staticmethod(F.linear)
    cross_entropy = staticmethod(F.cross_entropy)
    embedding = staticmethod(F.embedding)

    def __init__(self) -> None:
        tg.set_float32_precision(os.environ.get(PRECISION, "high"))
        self._statistics: dict[int, tuple[Any, Any]] = {}

    def set_threads(self, count):
        tg.set_num_threads(count)

    def convolution(self, x, weight, bias=None, stride=1, padding=0, groups=1):
        conv = F.conv1d if weight.ndim == 3 else F.conv2d
        return conv(x, weight, bias, stride=stride, padding=padding, groups=groups)

    def max_pool(self, x, size, stride):
        return F.max_pool2d(x, size, stride)

    def average_pool(self, x, size, stride):
        return F.avg_pool2d(x, size, stride)

    def batch_norm(self, x, weight, bias):
        # The weight's own array tells whose statistics these are.
        if id(weight) not in self._statistics:
            self._statistics[id(weight)] = tg.zeros(len(weight)), tg.ones(len(weight))
        return F.batch_norm(x, *self._statistics[id(weight)], weight, bias, training=True)

    def layer_norm(self, x, weight, bias):
        return F.layer_norm(x, weight.shape, weight, bias)

    def flatten(self, x):
        return x.flatten(1)

    def mean_over_space(self, x):
        return x.mean(axis=(2, 3))

    def lstm(self, x, w_ih, w_hh, b_ih, b_hh):
        return tg.lstm(x, None, w_ih, w_hh, b_ih, b_hh)[0]

    def gradients(self, function, arrays, constants):
        inputs = [tg.tensor(array, requires_grad=True) for array in arrays]
        rest = [tg.tensor(array) for array in constants]
        seed = tg.tensor(cotangent(function(*inputs, *rest).shape))

        def step():
            for tensor in inputs:
                tensor.grad = None
            out = function(*inputs, *rest)
            out.backward(seed)
            return [out, *(tensor.grad for tensor in inputs)]

        return step

    def training(self, loss, parameters, data, optimizer):
        tensors = {name: tg.nn.Parameter(array.copy()) for name, array in parameters.items()}
        batch = [tg.tensor(array) for array in data]
        if optimizer == "adam":
            update: Any = tg.optim.Adam(tensors.values(), lr=0.001)
        else:
            update = tg.optim.SGD(tensors.values(), lr=0.01, momentum=0.9)

        def step():
            update.zero_grad()
            value = loss(tensors, *batch)
            value.backward()
            update.step()
            return value

        return step

    def to_numpy(self, value):
        return value.numpy()


LIBRARY = Tensorgrad
