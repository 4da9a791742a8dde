"""JAX: each step is compiled as a whole, in float32."""

from __future__ import annotations

import os

import jax
from jax import lax
from jax import numpy as jnp

from benchmarks.libraries.base import Library, cotangent
from benchmarks.libraries.updates import STATES, update


class Jax(Library):
    name = "jax"
    version = jax.__version__

    tanh = staticmethod(jnp.tanh)
    exp = staticmethod(jnp.exp)
    sigmoid = staticmethod(jax.nn.sigmoid)
    relu = staticmethod(jax.nn.relu)

    def set_threads(self, count):
        # XLA looks at it when the first array is made.
        os.environ["NPROC"] = str(count)

    def linear(self, x, weight, bias):
        return x @ weight.T + bias

    def convolution(self, x, weight, bias=None, stride=1, padding=0, groups=1):
        space = weight.ndim - 2
        strides, paddings = (stride,) * space, ((padding, padding),) * space
        y = lax.conv_general_dilated(x, weight, strides, paddings, feature_group_count=groups)
        return y if bias is None else y + bias.reshape(-1, *(1,) * space)

    def max_pool(self, x, size, stride):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, size, size), (1, 1, stride, stride), "VALID")

    def average_pool(self, x, size, stride):
        return lax.reduce_window(x, 0.0, lax.add, (1, 1, size, size), (1, 1, stride, stride), "VALID") / size**2

    def batch_norm(self, x, weight, bias):
        x = jax.nn.standardize(x, (0, 2, 3), epsilon=1e-5)
        return x * weight.reshape(-1, 1, 1) + bias.reshape(-1, 1, 1)

    def layer_norm(self, x, weight, bias):
        return jax.nn.standardize(x, -1, epsilon=1e-5) * weight + bias

    def flatten(self, x):
        return x.reshape(len(x), -1)

    def mean_over_space(self, x):
        return x.mean((2, 3))

    def cross_entropy(self, logits, labels):
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()

    def embedding(self, indices, weight):
        return weight[indices]

    def lstm(self, x, w_ih, w_hh, b_ih, b_hh):
        def cell(state, gates):
            h, c = state
            i, f, g, o = jnp.split(gates + h @ w_hh.T, 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((x.shape[1], w_hh.shape[1]))
        return lax.scan(cell, (zeros, zeros), x @ w_ih.T + (b_ih + b_hh))[1]

    def gradients(self, function, arrays, constants):
        inputs = [jnp.asarray(array) for array in arrays]
        rest = [jnp.asarray(array) for array in constants]
        seed = jnp.asarray(cotangent(jax.eval_shape(function, *inputs, *rest).shape))

        @jax.jit
        def both(inputs, rest, seed):
            out, pull = jax.vjp(lambda *inputs: function(*inputs, *rest), *inputs)
            return [out, *pull(seed)]

        return lambda: jax.block_until_ready(both(inputs, rest, seed))

    def training(self, loss, parameters, data, optimizer):
        tensors = {name: jnp.array(array) for name, array in parameters.items()}
        states = {name: (jnp.zeros_like(t),) * STATES[optimizer] for name, t in tensors.items()}
        batch = [jnp.asarray(array) for array in data]
        count = 0

        @jax.jit
        def train(tensors, states, count, batch):
            value, gradients = jax.value_and_grad(loss)(tensors, *batch)
            pairs = {name: update(optimizer, tensors[name], gradients[name], states[name], count) for name in tensors}
            return (
                value,
                {name: pair[0] for name, pair in pairs.items()},
                {name: pair[1] for name, pair in pairs.items()},
            )

        def step():
            nonlocal tensors, states, count
            count += 1
            value, tensors, states = jax.block_until_ready(train(tensors, states, count, batch))
            return value

        return step


LIBRARY = Jax
