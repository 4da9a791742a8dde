"""HIPS autograd: NumPy's functions, and formulas made of them. It has no convolutions and no pooling."""

from __future__ import annotations

from importlib.metadata import version

import autograd
from autograd import numpy as anp
from autograd.scipy.special import expit, logsumexp

from benchmarks.libraries.base import Library, cotangent
from benchmarks.libraries.updates import STATES, update


class Autograd(Library):
    name = "autograd"
    version = version("autograd")

    tanh = staticmethod(anp.tanh)
    exp = staticmethod(anp.exp)
    sigmoid = staticmethod(expit)

    def relu(self, x):
        # The gradient of its maximum is float64.
        return x * (x > 0)

    def linear(self, x, weight, bias):
        return x @ weight.T + bias

    def batch_norm(self, x, weight, bias):
        return self._standardize(x, (0, 2, 3)) * weight.reshape(-1, 1, 1) + bias.reshape(-1, 1, 1)

    def layer_norm(self, x, weight, bias):
        return self._standardize(x, -1) * weight + bias

    def _standardize(self, x, axis):
        x = x - anp.mean(x, axis, keepdims=True)
        return x / anp.sqrt(anp.mean(x * x, axis, keepdims=True) + 1e-5)

    def flatten(self, x):
        return x.reshape(len(x), -1)

    def mean_over_space(self, x):
        return anp.mean(x, (2, 3))

    def cross_entropy(self, logits, labels):
        return anp.mean(logsumexp(logits, axis=1) - logits[anp.arange(len(labels)), labels])

    def embedding(self, indices, weight):
        return weight[indices]

    def lstm(self, x, w_ih, w_hh, b_ih, b_hh):
        h = c = anp.zeros((x.shape[1], w_hh.shape[1]), x.dtype)
        rows = []
        for gates in x @ w_ih.T + (b_ih + b_hh):
            i, f, g, o = anp.split(gates + h @ w_hh.T, 4, 1)
            c = expit(f) * c + expit(i) * anp.tanh(g)
            h = expit(o) * anp.tanh(c)
            rows.append(h)
        return anp.stack(rows)

    def gradients(self, function, arrays, constants):
        seed = cotangent(function(*arrays, *constants).shape)
        differentiate = autograd.make_vjp(function, tuple(range(len(arrays))))

        def step():
            pull, out = differentiate(*arrays, *constants)
            return [out, *pull(seed)]

        return step

    def training(self, loss, parameters, data, optimizer):
        tensors = dict(parameters)
        states = dict.fromkeys(tensors, (0.0,) * STATES[optimizer])
        differentiate = autograd.value_and_grad(loss)
        count = 0

        def step():
            nonlocal count
            count += 1
            value, gradients = differentiate(tensors, *data)
            for name, gradient in gradients.items():
                tensors[name], states[name] = update(optimizer, tensors[name], gradient, states[name], count)
            return value

        return step


LIBRARY = Autograd
