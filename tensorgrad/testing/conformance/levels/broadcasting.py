"""Level 2: arrays. Elementwise operations, and broadcasting, which the backward pass has to undo."""

# ruff: noqa: D403 (x is a variable)

from __future__ import annotations

import numpy as np

from tensorgrad.testing.conformance.check import Level, Positive
from tensorgrad.testing.conformance.errors import Fault

level = Level(2, "arrays and broadcasting")


@level.check(x=(2, 3), y=(2, 3))
def arrays_of_one_shape(m, x, y):
    """x * y + x / y for arrays of one shape."""
    a, b = m.uses(x, 2)
    return a * y + b / y


@level.check(x=(2, 3))
def sum_of_all(m, x):
    """sum(x) of a matrix."""
    return m.sum(x)


@level.check(x=(2, 3))
def mean_of_all(m, x):
    """mean(x) of a matrix.

    The factor 1 / n is what is forgotten.
    """
    return m.mean(x)


@level.check(x=(2, 3))
def python_numbers_and_arrays(m, x):
    """3 - 2 * x / 4 for an array, with Python numbers."""
    return 3 - 2 * x / 4


@level.check(x=(3,))
def numpy_number_on_the_left(m, x):
    """numpy.float64(2) * x.

    NumPy's number tries first; an engine without __array_priority__ or __array_ufunc__ gets an array of objects.
    """
    return np.float64(2.0) * x


@level.check(x=1.5, y=(3,))
def zero_dimensions_with_one(m, x, y):
    """x * y for shapes () and (3,)."""
    return x * y


@level.check(x=(1,), y=(3,))
def one_entry_with_three(m, x, y):
    """x * y for shapes (1,) and (3,).

    The axis of length 1 has to be summed over and kept.
    """
    return x * y


@level.check(x=(3, 1), y=(1, 4))
def both_broadcast(m, x, y):
    """x * y for shapes (3, 1) and (1, 4): both sides are broadcast."""
    return x * y


@level.check(x=(4,), y=(2, 3, 4))
def missing_leading_axes(m, x, y):
    """x * y for shapes (4,) and (2, 3, 4): axes that one side does not have."""
    return x * y


@level.check(x=(2, 1, 4), y=(3, 1))
def leading_and_inner_axes(m, x, y):
    """x + y * 2 for shapes (2, 1, 4) and (3, 1): an inner axis of each, and a leading one."""
    return x + y * 2


@level.check(x=(3, 1), y=Positive((1, 4)))
def quotient_with_broadcasting(m, x, y):
    """x / y for shapes (3, 1) and (1, 4)."""
    return x / y


@level.check(x=(1, 4), y=(3, 1))
def difference_with_broadcasting(m, x, y):
    """x - y for shapes (1, 4) and (3, 1)."""
    return x - y


@level.check(x=Positive((3, 1)), y=(4,))
def power_with_broadcasting(m, x, y):
    """x ** y for shapes (3, 1) and (4,)."""
    return m.power(x, y)


@level.check(x=(1, 1), y=(1, 1))
def nothing_to_broadcast(m, x, y):
    """x * y for shapes (1, 1): axes of length 1 that must not go away."""
    return x * y


@level.check(x=(3, 1))
def broadcast_to_a_shape(m, x):
    """broadcast_to(x, (2, 3, 4)) of shape (3, 1)."""
    return m.broadcast_to(x, (2, 3, 4))


@level.check(x=(3,))
def one_array_along_two_axes(m, x):
    """x[:, None] * x[None, :]: one variable, broadcast in two ways."""
    a, b = m.uses(x, 2)
    return m.reshape(a, (3, 1)) * m.reshape(b, (1, 3))


@level.check(x=(2, 3))
def functions_of_arrays(m, x):
    """exp(x) - tanh(x) of an array."""
    a, b = m.uses(x, 2)
    return m.exp(a) - m.tanh(b)


@level.check(x=(2, 5))
def relu_of_an_array(m, x):
    """relu(x) of an array with entries of both signs."""
    return m.relu(x)


@level.check(x=(3, 1), y=(1, 4))
def maximum_of_two(m, x, y):
    """maximum(x, y + 0.1) for shapes (3, 1) and (1, 4)."""
    return m.maximum(x, y + 0.1)


@level.check(x=(3, 1), y=(4,))
def minimum_of_two(m, x, y):
    """minimum(x, y + 0.1) for shapes (3, 1) and (4,)."""
    return m.minimum(x, y + 0.1)


def _shares(gradients, x, y):
    """Clarke's generalised gradient of the maximum at a tie: (t, 1 - t) with t from 0 to 1."""
    a, b = (float(gradient[0]) for gradient in gradients)
    if min(a, b) < -1e-6 or abs(a + b - 1) > 1e-5:
        causes = {1.0: "equals are given the whole gradient each", 0.0: "equals are given no gradient"}
        cause = causes.get(a, "") if a == b else ""
        raise Fault(f"gradients: got {a:g} and {b:g}, expected shares from 0 to 1 that add up to 1", cause)


@level.check(x=[2.0], y=[2.0], judge=_shares)
def maximum_of_equals(m, x, y):
    """maximum(x, y) of equal numbers: any way to share one gradient between the two."""
    return m.maximum(x, y)


MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, False, False]])


@level.check(x=(3, 1), y=(4,))
def where_with_broadcasting(m, x, y):
    """where(mask, x, y) for shapes (3, 4), (3, 1) and (4,)."""
    return m.where(MASK, x, y)


@level.check(x=(2, 6))
def clipping(m, x):
    """clip(x, -1, 1): no gradient outside."""
    return m.clip(x, -1.0, 1.0)


@level.check(x=(4, 3), w=(3,), b=(3,))
def rows_scaled_and_shifted(m, x, w, b):
    """x * w + b, summed over a batch of rows: the gradients of w and b are sums over the batch."""
    return x * w + b


@level.check(x=(0, 3), y=(3,))
def no_rows_at_all(m, x, y):
    """x * y for shapes (0, 3) and (3,): gradients of shape (0, 3), and zeros."""
    return x * y
