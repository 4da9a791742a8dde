"""MyGrad, by its functions. It has no optimizers, no average pooling, no LSTM and no groups in convolutions.

The windows of its convolutions and pools must fill the image exactly.
"""

from __future__ import annotations

import mygrad
import numpy as np
from mygrad.nnet import activations, layers, losses

from benchmarks.libraries.base import Library, NotOffered, cotangent
from benchmarks.libraries.updates import STATES, update

# Its documentation says that this makes it quicker.
mygrad.turn_memory_guarding_off()


class MyGrad(Library):
    name = "mygrad"
    version = mygrad.__version__

    tanh = staticmethod(mygrad.tanh)
    exp = staticmethod(mygrad.exp)
    sigmoid = staticmethod(activations.sigmoid)
    relu = staticmethod(activations.relu)
    cross_entropy = staticmethod(losses.softmax_crossentropy)

    def linear(self, x, weight, bias):
        return mygrad.matmul(x, weight.T) + bias

    def convolution(self, x, weight, bias=None, stride=1, padding=0, groups=1):
        if groups > 1:
            raise NotOffered("convolutions have no groups")
        y = layers.conv_nd(x, weight, stride=stride, padding=padding)
        return y if bias is None else y + bias.reshape(-1, *(1,) * (weight.ndim - 2))

    def max_pool(self, x, size, stride):
        return layers.max_pool(x, (size, size), stride)

    def batch_norm(self, x, weight, bias):
        return layers.batchnorm(x, gamma=weight, beta=bias, eps=1e-5)

    def layer_norm(self, x, weight, bias):
        scale = mygrad.sqrt(mygrad.var(x, -1, keepdims=True) + np.float32(1e-5))
        return (x - mygrad.mean(x, -1, keepdims=True)) / scale * weight + bias

    def flatten(self, x):
        return x.reshape(len(x), -1)

    def mean_over_space(self, x):
        return mygrad.mean(x, (2, 3))

    def embedding(self, indices, weight):
        return weight[indices]

    def gradients(self, function, arrays, constants):
        inputs = [mygrad.tensor(array) for array in arrays]
        seed = cotangent(function(*inputs, *constants).shape)

        def step():
            for tensor in inputs:
                tensor.null_grad()
            out = function(*inputs, *constants)
            out.backward(seed)
            return [out, *(tensor.grad for tensor in inputs)]

        return step

    def training(self, loss, parameters, data, optimizer):
        tensors = {name: mygrad.tensor(array) for name, array in parameters.items()}
        states = dict.fromkeys(tensors, (0.0,) * STATES[optimizer])
        count = 0

        def step():
            nonlocal count
            count += 1
            value = loss(tensors, *data)
            value.backward()
            for name, tensor in tensors.items():
                tensor.data, states[name] = update(optimizer, tensor.data, tensor.grad, states[name], count)
                tensor.null_grad()
            return value

        return step


LIBRARY = MyGrad
