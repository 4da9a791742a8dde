"""Level 7: second order. Gradients that are differentiated again."""

from __future__ import annotations

import numpy as np

from tensorgrad.testing.conformance.check import Level, Positive

level = Level(7, "second order")


def _slope(m, f, x):
    """The gradient of a function of one input."""
    (gradient,) = m.gradient(f, x)
    return gradient


@level.check(x=3.0)
def second_derivative_of_a_cube(m, x):
    """d2/dx2 of x ** 3: 6 * x.

    Rules that compute with bare numbers, and not with tensors, end here.
    """
    return _slope(m, lambda t: t**3, x)


@level.check(x=3.0)
def second_derivative_of_a_product(m, x):
    """d2/dx2 of x * x * x, made of products."""
    return _slope(m, lambda t: t * t * t, x)


@level.check(x=3.0)
def third_derivative(m, x):
    """d3/dx3 of x ** 4: 24 * x."""
    return _slope(m, lambda t: _slope(m, lambda s: s**4, t), x)


@level.check(x=2.0, y=3.0)
def mixed_derivative(m, x, y):
    """d/dy of d/dx of x ** 2 * y ** 3."""
    slope, _ = m.gradient(lambda s, t: s**2 * t**3, x, y)
    return slope


@level.check(x=3.0, expected=lambda x: (2.0,))
def gradient_of_a_linear_function(m, x):
    """d/dx of x * (d/dx of 2 * x): the inner gradient is the constant 2, and that is no error."""
    return x * _slope(m, lambda t: t * 2, x)


@level.check(x=2.0, y=4.0)
def second_derivative_of_a_quotient(m, x, y):
    """d/dy of x / y, differentiated again."""
    _, slope = m.gradient(lambda s, t: s / t, x, y)
    return slope


@level.check(x=0.7)
def second_derivative_of_an_exponential(m, x):
    """d2/dx2 of exp(x * x).

    Rules that reuse the output must reuse the tensor, not its number.
    """
    return _slope(m, lambda t: m.exp(t * t), x)


@level.check(x=0.7)
def second_derivative_of_tanh(m, x):
    """d2/dx2 of tanh(x).

    1 - tanh ** 2 with the stored output: constant, if that is a bare array.
    """
    return _slope(m, m.tanh, x)


@level.check(x=Positive((3,)))
def second_derivative_of_a_logarithm(m, x):
    """The gradient of the gradient of sum(log(x))."""
    return _slope(m, lambda t: m.sum(m.log(t)), x)


@level.check(x=(3,))
def second_derivative_of_relu(m, x):
    """The gradient of sum(relu(x) ** 3), differentiated again: a mask that is not differentiated itself."""
    return _slope(m, lambda t: m.sum(m.relu(t) ** 3), x)


@level.check(x=(2, 3))
def hessian_times_vector(m, x):
    """The Hessian of sum(x ** 4) / 4 times a vector, as the gradient of <gradient, vector>."""
    return _slope(m, lambda t: m.sum(t**4) / 4, x)


@level.check(x=(3,))
def gradient_penalty(m, x):
    """sum(g ** 2) with g the gradient of sum(tanh(x)): a loss that contains a gradient."""
    gradient = _slope(m, lambda t: m.sum(m.tanh(t)), x)
    return m.sum(gradient**2)


@level.check(x=(3, 1), y=(1, 2))
def second_derivatives_with_broadcasting(m, x, y):
    """The gradient of sum((x * y) ** 2), shapes (3, 1) and (1, 2), differentiated again."""
    slope, _ = m.gradient(lambda s, t: m.sum((s * t) ** 2), x, y)
    return slope


@level.check(x=(2, 2))
def second_derivative_of_reductions(m, x):
    """The gradient of mean(sum(x, axis=0) ** 3), differentiated again."""
    return _slope(m, lambda t: m.mean(m.sum(t, axis=0) ** 3), x)


@level.check(x=(2, 2), y=(2, 2))
def second_derivatives_of_matmul(m, x, y):
    """The gradient of sum((x @ y) ** 2) with respect to y, differentiated again."""
    _, slope = m.gradient(lambda s, t: m.sum(m.matmul(s, t) ** 2), x, y)
    return slope


@level.check(x=(3, 2))
def second_derivative_of_indexing(m, x):
    """The gradient of sum(x[[0, 2, 2]] ** 3), differentiated again: a row twice, a row never."""
    return _slope(m, lambda t: m.sum(m.getitem(t, np.array([0, 2, 2])) ** 3), x)


@level.check(x=(4,))
def second_derivative_of_softmax(m, x):
    """The gradient of softmax(x)[1], differentiated again."""
    return _slope(m, lambda t: m.getitem(m.softmax(t, axis=-1), 1), x)


@level.check(x=(3,))
def second_derivative_of_the_largest(m, x):
    """The gradient of max(x) ** 3, differentiated again."""
    return _slope(m, lambda t: m.max(t) ** 3, x)


@level.check(x=(1, 1, 3, 3), w=(1, 1, 2, 2))
def second_derivatives_of_convolution_by_weight(m, x, w):
    """The weight gradient of sum(conv2d(x, w) ** 2), differentiated again.

    The weight gradient is a convolution in its own right, and often not made of operations that can be differentiated.
    """
    _, slope = m.gradient(lambda s, t: m.sum(m.conv2d(s, t) ** 2), x, w)
    return slope


@level.check(x=(1, 1, 3, 3), w=(1, 1, 2, 2))
def second_derivatives_of_convolution_by_image(m, x, w):
    """The image gradient of sum(conv2d(x, w) ** 2), differentiated again."""
    slope, _ = m.gradient(lambda s, t: m.sum(m.conv2d(s, t) ** 2), x, w)
    return slope


@level.check(x=(1, 1, 2, 4))
def second_derivative_of_max_pooling(m, x):
    """The gradient of sum(max_pool2d(x, 2) ** 3), differentiated again."""
    return _slope(m, lambda t: m.sum(m.max_pool2d(t, 2) ** 3), x)


@level.check(x=1.0, expected=lambda x: (2.0,))
def first_derivative_is_not_disturbed(m, x):
    """d/dx of x * x at 1 after a second derivative of x ** 3 was taken: 2, and nothing is added to it."""
    _slope(m, lambda t: t**3, x)
    return x * x
