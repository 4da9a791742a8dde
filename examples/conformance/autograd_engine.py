"""HIPS autograd 1.9.1 (https://github.com/HIPS/autograd), 2026-11-20."""

from importlib.metadata import version

import autograd
import autograd.numpy as anp
from autograd.scipy.signal import convolve
from autograd.scipy.special import expit, logsumexp

from tensorgrad.testing.conformance import Functional, NotOffered


class Autograd(Functional):
    """Functions of NumPy arrays, differentiated by grad. Convolution and pooling as in its examples/convnet.py."""

    name = "HIPS autograd"
    version = version("autograd")
    functions = anp
    sigmoid = staticmethod(expit)

    def gradient(self, f, arrays):
        return autograd.grad(f, tuple(range(len(arrays))))(*arrays)

    def conv2d(self, x, w, stride=1, padding=0, dilation=1, groups=1):
        if (stride, padding, dilation, groups) != (1, 0, 1, 1):
            raise NotOffered("convolve has no stride, padding, dilation or groups")
        kernels = anp.permute_dims(w, (1, 0, 2, 3))[:, :, ::-1, ::-1]  # It convolves: kernels are flipped first.
        return convolve(x, kernels, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid")

    def max_pool2d(self, x, size, stride=None, padding=0):
        n, c, h, w = x.shape
        if stride not in (None, size) or padding or h % size or w % size:
            raise NotOffered("no pooling; by reshaping, windows tile the image")
        windows = anp.reshape(x, (n, c, h // size, size, w // size, size))
        return anp.max(anp.max(windows, axis=3), axis=4)

    def avg_pool2d(self, x, size, stride=None, padding=0):
        n, c, h, w = x.shape
        if stride not in (None, size) or padding or h % size or w % size:
            raise NotOffered("no pooling; by reshaping, windows tile the image")
        return anp.mean(anp.reshape(x, (n, c, h // size, size, w // size, size)), axis=(3, 5))

    def broadcast_to(self, x, shape):
        if len(shape) > x.ndim:
            raise NotOffered("broadcast_to has no gradient for extra leading axes")
        return anp.broadcast_to(x, shape)

    def relu(self, x):
        return anp.maximum(x, 0)

    def softmax(self, x, axis=-1):
        return anp.exp(x - logsumexp(x, axis=axis, keepdims=True))


adapter = Autograd()
