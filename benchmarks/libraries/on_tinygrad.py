"""tinygrad: each step is captured by its TinyJit, on its CPU device, which needs clang.

It has a cell of an LSTM, but a loop of 32 of them takes many minutes to compile.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from tinygrad import Context, Device, Tensor, TinyJit, nn
from tinygrad.helpers import NUM_CPU_THREADS

from benchmarks.libraries.base import Library, NotOffered, cotangent


class Tinygrad(Library):
    name = "tinygrad"
    version = version("tinygrad")

    tanh = staticmethod(Tensor.tanh)
    exp = staticmethod(Tensor.exp)
    sigmoid = staticmethod(Tensor.sigmoid)
    relu = staticmethod(Tensor.relu)
    max_pool = staticmethod(Tensor.max_pool2d)
    average_pool = staticmethod(Tensor.avg_pool2d)
    cross_entropy = staticmethod(Tensor.sparse_categorical_crossentropy)

    def set_threads(self, count):
        NUM_CPU_THREADS.value = count

    def linear(self, x, weight, bias):
        return x.linear(weight.T, bias)

    def convolution(self, x, weight, bias=None, stride=1, padding=0, groups=1):
        return x.conv2d(weight, bias, groups, stride, padding=padding)

    def batch_norm(self, x, weight, bias):
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        return x.batchnorm(weight, bias, mean, (variance + 1e-5).rsqrt())

    def layer_norm(self, x, weight, bias):
        return x.layernorm() * weight + bias

    def flatten(self, x):
        return x.flatten(1)

    def mean_over_space(self, x):
        return x.mean((2, 3))

    def embedding(self, indices, weight):
        layer = nn.Embedding(*weight.shape)
        layer.weight = weight
        # Without, the gradient is a product with a one-hot matrix.
        with Context(USE_ATOMICS=1):
            return layer(indices)

    def gradients(self, function, arrays, constants):
        inputs = [Tensor(array).clone().realize() for array in arrays]
        rest = [Tensor(array).clone().realize() for array in constants]
        out = function(*inputs, *rest)
        if len(out.uop.toposort()) > 1000:
            raise NotOffered("so many operations in one kernel take many minutes to compile")
        seed = Tensor(cotangent(out.shape)).clone().realize()

        @TinyJit
        def both():
            out = function(*inputs, *rest)
            results = [out, *out.gradient(*inputs, gradient=seed)]
            Tensor.realize(*results)
            return results

        return lambda: self._finished(both())

    def training(self, loss, parameters, data, optimizer):
        tensors = {name: Tensor(array).clone().realize() for name, array in parameters.items()}
        batch = [Tensor(array).clone().realize() for array in data]
        if optimizer == "adam":
            update: Any = nn.optim.Adam([*tensors.values()], lr=0.001)
        else:
            update = nn.optim.SGD([*tensors.values()], lr=0.01, momentum=0.9)

        @TinyJit
        @Context(TRAINING=1)
        def train():
            update.zero_grad()
            value = loss(tensors, *batch)
            value.backward()
            Tensor.realize(value, *update.schedule_step())
            return value

        return lambda: self._finished(train())

    def _finished(self, results):
        Device[Device.DEFAULT].synchronize()
        return results

    def to_numpy(self, value):
        return value.numpy()


LIBRARY = Tinygrad
