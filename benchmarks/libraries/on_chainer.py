"""Chainer, by its functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.libraries.base import Library, cotangent

# Chainer looks types up there, and NumPy 2 has it no more.
if not hasattr(np, "sctypes"):
    np.sctypes = {  # type: ignore[attr-defined]
        "int": [np.int8, np.int16, np.int32, np.int64],
        "float": [np.float16, np.float32, np.float64],
    }

import chainer
from chainer import functions as F


class Chainer(Library):
    name = "chainer"
    version = chainer.__version__

    tanh = staticmethod(F.tanh)
    exp = staticmethod(F.exp)
    sigmoid = staticmethod(F.sigmoid)
    relu = staticmethod(F.relu)
    linear = staticmethod(F.linear)
    cross_entropy = staticmethod(F.softmax_cross_entropy)
    embedding = staticmethod(F.embed_id)
    average_pool = staticmethod(F.average_pooling_2d)

    def __init__(self) -> None:
        self._statistics: dict[int, tuple[Any, Any]] = {}

    def convolution(self, x, weight, bias=None, stride=1, padding=0, groups=1):
        conv = F.convolution_1d if weight.ndim == 3 else F.convolution_2d
        return conv(x, weight, bias, stride, padding, groups=groups)

    def max_pool(self, x, size, stride):
        return F.max_pooling_2d(x, size, stride, cover_all=False)

    def batch_norm(self, x, weight, bias):
        if id(weight) not in self._statistics:
            count = len(weight)
            self._statistics[id(weight)] = np.zeros(count, np.float32), np.ones(count, np.float32)
        mean, variance = self._statistics[id(weight)]
        return F.batch_normalization(x, weight, bias, eps=1e-5, running_mean=mean, running_var=variance)

    def layer_norm(self, x, weight, bias):
        return F.layer_normalization(x.reshape(-1, x.shape[-1]), weight, bias).reshape(x.shape)

    def flatten(self, x):
        return x.reshape(len(x), -1)

    def mean_over_space(self, x):
        return F.mean(x, (2, 3))

    def lstm(self, x, w_ih, w_hh, b_ih, b_hh):
        zeros = np.zeros((1, x.shape[1], w_hh.shape[1]), np.float32)
        weights, biases = ([*F.split_axis(a, 4, 0), *F.split_axis(b, 4, 0)] for a, b in ((w_ih, w_hh), (b_ih, b_hh)))
        return F.stack(F.n_step_lstm(1, 0.0, zeros, zeros, [weights], [biases], [*x])[2])

    def gradients(self, function, arrays, constants):
        inputs = [chainer.Variable(np.asarray(array)) for array in arrays]
        seed = np.asarray(cotangent(function(*inputs, *constants).shape))

        def step():
            for tensor in inputs:
                tensor.cleargrad()
            out = function(*inputs, *constants)
            out.grad = seed
            out.backward()
            return [out.array, *(tensor.grad for tensor in inputs)]

        return step

    def training(self, loss, parameters, data, optimizer):
        tensors = {name: chainer.Parameter(array.copy()) for name, array in parameters.items()}
        link = chainer.Link()
        with link.init_scope():
            for name, tensor in tensors.items():
                setattr(link, name, tensor)
        if optimizer == "adam":
            update: Any = chainer.optimizers.Adam(alpha=0.001)
        else:
            update = chainer.optimizers.MomentumSGD(lr=0.01, momentum=0.9)
        update.setup(link)

        def step():
            link.cleargrads()
            value = loss(tensors, *data)
            value.backward()
            update.update()
            return value.array

        return step


LIBRARY = Chainer
