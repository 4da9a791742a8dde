"""PyTorch, by its functions."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from benchmarks.libraries.base import Library, cotangent


class Torch(Library):
    name = "torch"
    version = torch.__version__

    tanh = staticmethod(torch.tanh)
    exp = staticmethod(torch.exp)
    sigmoid = staticmethod(torch.sigmoid)
    relu = staticmethod(torch.relu)
    linear = staticmethod(F.linear)
    cross_entropy = staticmethod(F.cross_entropy)
    embedding = staticmethod(F.embedding)
    max_pool = staticmethod(F.max_pool2d)
    average_pool = staticmethod(F.avg_pool2d)

    def __init__(self) -> None:
        self._statistics: dict[int, tuple[Any, Any]] = {}

    def set_threads(self, count):
        torch.set_num_threads(count)

    def convolution(self, x, weight, bias=None, stride=1, padding=0, groups=1):
        conv = F.conv1d if weight.ndim == 3 else F.conv2d
        return conv(x, weight, bias, stride, padding, 1, groups)

    def batch_norm(self, x, weight, bias):
        if id(weight) not in self._statistics:
            self._statistics[id(weight)] = torch.zeros(len(weight)), torch.ones(len(weight))
        return F.batch_norm(x, *self._statistics[id(weight)], weight, bias, training=True)

    def layer_norm(self, x, weight, bias):
        return F.layer_norm(x, weight.shape, weight, bias)

    def flatten(self, x):
        return x.flatten(1)

    def mean_over_space(self, x):
        return x.mean(dim=(2, 3))

    def lstm(self, x, w_ih, w_hh, b_ih, b_hh):
        zeros = x.new_zeros(1, x.shape[1], w_hh.shape[1])
        return torch.lstm(x, (zeros, zeros), [w_ih, w_hh, b_ih, b_hh], True, 1, 0.0, True, False, False)[0]

    def gradients(self, function, arrays, constants):
        inputs = [torch.tensor(array, requires_grad=True) for array in arrays]
        rest = [torch.tensor(array) for array in constants]
        seed = torch.tensor(cotangent(function(*inputs, *rest).shape))

        def step():
            for tensor in inputs:
                tensor.grad = None
            out = function(*inputs, *rest)
            out.backward(seed)
            return [out, *(tensor.grad for tensor in inputs)]

        return step

    def training(self, loss, parameters, data, optimizer):
        tensors = {name: torch.nn.Parameter(torch.tensor(array)) for name, array in parameters.items()}
        batch = [torch.tensor(array) for array in data]
        if optimizer == "adam":
            update: Any = torch.optim.Adam(tensors.values(), lr=0.001)
        else:
            update = torch.optim.SGD(tensors.values(), lr=0.01, momentum=0.9)

        def step():
            update.zero_grad()
            value = loss(tensors, *batch)
            value.backward()
            update.step()
            return value

        return step

    def to_numpy(self, value):
        return value.detach().numpy()


LIBRARY = Torch
