"""JAX 0.10.2 (https://github.com/jax-ml/jax), on the CPU, in float64, 2026-11-20."""

import jax
import jax.numpy as jnp
from jax import lax

from tensorgrad.testing.conformance import Functional

jax.config.update("jax_enable_x64", True)


class Jax(Functional):
    """Functions of arrays, differentiated by jax.grad. Convolution and pooling by jax.lax."""

    name = "JAX"
    version = jax.__version__
    notes = "jax_enable_x64; nothing is compiled by jit; the loops of 100,000 and of a million steps are lax.scan"
    functions = (jnp, jax.nn)

    def gradient(self, f, arrays):
        return jax.grad(f, tuple(range(len(arrays))))(*arrays)

    def constant(self, array):
        return jnp.array(array)

    def repeat_step(self, step, x, count):
        return lax.scan(lambda y, _: (step(y), None), x, length=count)[0]

    def conv2d(self, x, w, stride=1, padding=0, dilation=1, groups=1):
        return lax.conv_general_dilated(
            x, w, (stride,) * 2, [(padding,) * 2] * 2, rhs_dilation=(dilation,) * 2, feature_group_count=groups
        )

    def max_pool2d(self, x, size, stride=None, padding=0):
        strides, pads = (1, 1) + (stride or size,) * 2, [(0, 0)] * 2 + [(padding,) * 2] * 2
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, size, size), strides, pads)

    def avg_pool2d(self, x, size, stride=None, padding=0):
        strides, pads = (1, 1) + (stride or size,) * 2, [(0, 0)] * 2 + [(padding,) * 2] * 2
        return lax.reduce_window(x, 0.0, lax.add, (1, 1, size, size), strides, pads) / size**2


adapter = Jax()
