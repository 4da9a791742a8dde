"""A student's engine of a hundred lines, as a teacher receives it: it trains a small network, and has mistakes in it.

    python -m tensorgrad.testing.conformance examples/conformance/toy.py:Tensor

Its tensors have ``data``, ``grad`` and ``backward()``, so it needs no adapter. The report card in ``cards/toy.md``
finds what is wrong: the walk through the graph is recursive, broadcasting is undone for missing axes but not for axes
of length 1, equal maxima get the whole gradient each, rows that are picked twice get the gradient of one, products are
right for matrices only, and a second backward pass through a graph uses gradients of the first.
"""

from __future__ import annotations

import numpy as np


def unbroadcast(gradient, shape):
    """Sums over the axes that a smaller array was repeated along."""
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    return gradient


class Tensor:
    """An array, its gradient, and how it was made."""

    def __init__(self, data, parents=()):
        self.data = np.array(data, dtype=float)
        self.grad = np.zeros(self.data.shape)
        self.parents = parents
        self.pull = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data + other.data, (self, other))

        def pull():
            self.grad = self.grad + unbroadcast(out.grad, self.data.shape)
            other.grad = other.grad + unbroadcast(out.grad, other.data.shape)

        out.pull = pull
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = Tensor(self.data * other.data, (self, other))

        def pull():
            self.grad = self.grad + unbroadcast(out.grad * other.data, self.data.shape)
            other.grad = other.grad + unbroadcast(out.grad * self.data, other.data.shape)

        out.pull = pull
        return out

    def __pow__(self, n):
        return self._function(self.data**n, lambda: n * self.data ** (n - 1))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * other**-1

    __radd__, __rmul__ = __add__, __mul__

    def _function(self, data, slope):
        """An elementwise function, from its values and a function that gives its derivative."""
        out = Tensor(data, (self,))

        def pull():
            self.grad = self.grad + out.grad * slope()

        out.pull = pull
        return out

    def exp(self):
        return self._function(np.exp(self.data), lambda: np.exp(self.data))

    def log(self):
        return self._function(np.log(self.data), lambda: 1 / self.data)

    def tanh(self):
        return self._function(np.tanh(self.data), lambda: 1 - np.tanh(self.data) ** 2)

    def relu(self):
        return self._function(np.maximum(self.data, 0), lambda: self.data > 0)

    def _reduction(self, data, axis, share):
        out = Tensor(data, (self,))

        def pull():
            gradient = out.grad if axis is None else np.expand_dims(out.grad, axis)
            self.grad = self.grad + gradient * share

        out.pull = pull
        return out

    def sum(self, axis=None):
        return self._reduction(self.data.sum(axis=axis), axis, np.ones(self.data.shape))

    def max(self, axis=None):
        return self._reduction(self.data.max(axis=axis), axis, self.data == self.data.max(axis=axis, keepdims=True))

    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))

        def pull():
            self.grad = self.grad + out.grad @ other.data.T
            other.grad = other.grad + self.data.T @ out.grad

        out.pull = pull
        return out

    def __getitem__(self, key):
        out = Tensor(self.data[key], (self,))

        def pull():
            self.grad[key] += out.grad

        out.pull = pull
        return out

    def backward(self):
        """Fills in the gradients of everything that this tensor was made of."""
        order, seen = [], set()

        def visit(tensor):
            if tensor not in seen:
                seen.add(tensor)
                for parent in tensor.parents:
                    visit(parent)
                order.append(tensor)

        visit(self)
        self.grad = np.ones(self.data.shape)
        for tensor in reversed(order):
            tensor.pull()
