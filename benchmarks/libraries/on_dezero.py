"""DeZero, by its functions. Its convolutions are two-dimensional and have no groups, its LSTM is a layer alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.libraries.base import Library, NotOffered, cotangent

# DeZero names it as it is imported, and NumPy has it no more.
if not hasattr(np, "int"):
    np.int = int  # type: ignore[attr-defined]

import dezero
from dezero import functions as F


class DeZero(Library):
    name = "dezero"
    version = dezero.__version__

    tanh = staticmethod(F.tanh)
    exp = staticmethod(F.exp)
    sigmoid = staticmethod(F.sigmoid)
    relu = staticmethod(F.relu)
    max_pool = staticmethod(F.pooling)
    average_pool = staticmethod(F.average_pooling)
    flatten = staticmethod(F.flatten)
    cross_entropy = staticmethod(F.softmax_cross_entropy)

    def __init__(self) -> None:
        self._statistics: dict[int, tuple[Any, Any]] = {}

    def linear(self, x, weight, bias):
        return F.linear(x, weight.T, bias)

    def convolution(self, x, weight, bias=None, stride=1, padding=0, groups=1):
        if weight.ndim != 4 or groups > 1:
            raise NotOffered("convolutions are two-dimensional and have no groups")
        return F.conv2d(x, weight, bias, stride, padding)

    def batch_norm(self, x, weight, bias):
        if id(weight) not in self._statistics:
            count = len(weight)
            self._statistics[id(weight)] = np.zeros(count, np.float32), np.ones(count, np.float32)
        return F.batch_nrom(x, weight, bias, *self._statistics[id(weight)], eps=1e-5)

    def layer_norm(self, x, weight, bias):
        x = x - self._mean(x, -1, True)
        return x / (self._mean(x * x, -1, True) + np.float32(1e-5)) ** 0.5 * weight + bias

    def mean_over_space(self, x):
        return self._mean(x.reshape(*x.shape[:2], -1), 2)

    def _mean(self, x, axis, keepdims=False):
        return F.sum(x, axis, keepdims) / np.float32(x.shape[axis])

    def embedding(self, indices, weight):
        return F.embed_id(indices.data, weight)

    def gradients(self, function, arrays, constants):
        inputs = [dezero.Variable(np.asarray(array)) for array in arrays]
        rest = [dezero.Variable(array) for array in constants]
        seed = np.asarray(cotangent(function(*inputs, *rest).shape))

        def step():
            for tensor in inputs:
                tensor.cleargrad()
            out = function(*inputs, *rest)
            out.grad = dezero.Variable(seed)
            out.backward()
            return [out, *(tensor.grad for tensor in inputs)]

        return step

    def training(self, loss, parameters, data, optimizer):
        tensors = {name: dezero.Parameter(array.copy()) for name, array in parameters.items()}
        batch = [dezero.Variable(array) for array in data]
        layer = dezero.Layer()
        for name, tensor in tensors.items():
            setattr(layer, name, tensor)
        if optimizer == "adam":
            update: Any = dezero.optimizers.Adam(alpha=0.001)
        else:
            update = dezero.optimizers.MomentumSGD(lr=0.01, momentum=0.9)
        update.setup(layer)

        def step():
            layer.cleargrads()
            value = loss(tensors, *batch)
            value.backward()
            update.update()
            return value

        return step

    def to_numpy(self, value):
        return value.data


LIBRARY = DeZero
