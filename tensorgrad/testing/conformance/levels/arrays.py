"""Level 5: reductions, shapes, indexing, and products of matrices."""

# ruff: noqa: D403 (x is a variable)

from __future__ import annotations

import numpy as np

from tensorgrad.testing.conformance.check import Level, Positive, weights
from tensorgrad.testing.conformance.errors import Fault

level = Level(5, "reductions, indexing, matmul")


@level.check(x=(2, 3))
def sum_along_an_axis(m, x):
    """sum(x, axis=0)."""
    return m.sum(x, axis=0)


SPREAD = "the gradient is not spread along the axis that is gone: expand_dims first"


@level.check(x=(2, 3), raised=SPREAD)
def sum_along_the_last_axis(m, x):
    """sum(x, axis=1): the gradient has to be spread along the axis that is gone.

    (2,) does not broadcast to (2, 3) by itself; for a square matrix it would, along the wrong axis.
    """
    return m.sum(x, axis=1)


@level.check(x=(3, 3), hints={"spread along the wrong axis": lambda x: (np.tile(weights((3,)), (3, 1)),)})
def sum_of_rows_of_a_square_matrix(m, x):
    """sum(x, axis=1) of a square matrix, where the wrong axis fits too."""
    return m.sum(x, axis=1)


@level.check(x=(2, 3, 4), raised=SPREAD)
def sum_along_a_negative_axis(m, x):
    """sum(x, axis=-2)."""
    return m.sum(x, axis=-2)


@level.check(x=(2, 3, 4), raised=SPREAD)
def sum_along_several_axes(m, x):
    """sum(x, axis=(0, 2))."""
    return m.sum(x, axis=(0, 2))


@level.check(x=(2, 3))
def sum_that_keeps_its_axis(m, x):
    """x / sum(x, axis=1, keepdims=True): rows that are normalised."""
    a, b = m.uses(x, 2)
    return a / (5 + m.sum(b, axis=1, keepdims=True))


def _mean_over(count):
    return lambda x: (np.tile(weights((4,)) / count, (3, 1)),)


@level.check(
    x=(3, 4),
    hints={
        "divided by the number of all entries, not by the length of the axis": _mean_over(12),
        "divided by the number of results, not by the length of the axis": _mean_over(4),
    },
)
def mean_along_an_axis(m, x):
    """mean(x, axis=0): the factor is 1 over the length of that axis, not of the array.

    Engines divide by the number of all entries, or of the result's.
    """
    return m.mean(x, axis=0)


@level.check(x=(3, 4))
def deviation_from_the_mean(m, x):
    """(x - mean(x, axis=0, keepdims=True)) ** 2."""
    a, b = m.uses(x, 2)
    return (a - m.mean(b, axis=0, keepdims=True)) ** 2


@level.check(x=(3, 4))
def largest_of_all(m, x):
    """max(x): the gradient goes to one entry."""
    return m.max(x)


@level.check(x=(3, 4))
def largest_along_an_axis(m, x):
    """max(x, axis=0)."""
    return m.max(x, axis=0)


@level.check(x=(3, 4))
def largest_that_keeps_its_axis(m, x):
    """x - max(x, axis=1, keepdims=True)."""
    a, b = m.uses(x, 2)
    return a - m.max(b, axis=1, keepdims=True)


@level.check(x=(3, 4))
def smallest_along_an_axis(m, x):
    """min(x, axis=-1)."""
    return m.min(x, axis=-1)


def _shares(gradients, x):
    got = gradients[0]
    if np.any(got < -1e-6) or np.any(got[x < 2] != 0) or abs(got.sum() - 1) > 1e-5:
        cause = "equals are given the whole gradient each" if np.array_equal(got, x == x.max()) else ""
        raise Fault(f"gradient: got {got.tolist()}, expected shares of entries 1 and 2 that add up to 1", cause)


@level.check(x=[1.0, 2.0, 2.0], judge=_shares)
def largest_of_equals(m, x):
    """max([1, 2, 2]): any way to share one gradient among the two that tie.

    Engines that compare with the maximum give each of them the whole.
    """
    return m.max(x)


@level.check(x=(2, 3))
def product_along_an_axis(m, x):
    """prod(x, axis=1)."""
    return m.prod(x, axis=1)


@level.check(x=[2.0, 0.0, 3.0])
def product_with_a_zero(m, x):
    """prod([2, 0, 3]): its gradient is [0, 6, 0].

    The product divided by the entry is 0 / 0.
    """
    return m.prod(x)


@level.check(x=(2, 4))
def running_sum(m, x):
    """cumsum(x, axis=1)."""
    return m.cumsum(x, axis=1)


@level.check(x=(2, 3))
def softmax_along_an_axis(m, x):
    """softmax(x, axis=-1).

    Its Jacobian is no diagonal.
    """
    return m.softmax(x, axis=-1)


@level.check(x=[1000.0, 1000.5, -1000.0])
def softmax_of_large_numbers(m, x):
    """softmax([1000, 1000.5, -1000]): exponentials that overflow unless the maximum is taken off."""
    return m.softmax(x, axis=-1)


@level.check(x=(2, 3))
def cross_entropy_by_hand(m, x):
    """-log(exp(x) / sum(exp(x))) of one entry in each row."""
    e = m.exp(x)
    return -m.log(m.getitem(e / m.sum(e, axis=1, keepdims=True), (np.array([0, 1]), np.array([2, 0]))))


@level.check(x=(2, 6))
def reshaped(m, x):
    """reshape(x, (3, 4))."""
    return m.reshape(x, (3, 4))


@level.check(x=(2, 3))
def transposed(m, x):
    """permute_dims(x, (1, 0))."""
    return m.permute_dims(x, (1, 0))


@level.check(x=(2, 3, 4), raised="the gradient is permuted by the same axes, instead of back")
def permuted(m, x):
    """permute_dims(x, (2, 0, 1)): a permutation that is not its own inverse.

    Engines permute the gradient by the same axes, instead of back.
    """
    return m.permute_dims(x, (2, 0, 1))


@level.check(x=(2, 3))
def axis_added_and_taken_away(m, x):
    """squeeze(expand_dims(x, 1), 1) + expand_dims(x, 0): axes of length 1."""
    a, b = m.uses(x, 2)
    return m.squeeze(m.expand_dims(a, 1), 1) + m.expand_dims(b, 0)


@level.check(x=(2, 3), y=(4, 3), z=(1, 3))
def concatenated(m, x, y, z):
    """concat([x, y, z, x], axis=0): each gets its own part of the gradient, x two of them."""
    a, b = m.uses(x, 2)
    return m.concat([a, y, z, b], axis=0)


@level.check(x=(2, 3), y=(2, 3))
def stacked(m, x, y):
    """stack([x, y, x], axis=1)."""
    a, b = m.uses(x, 2)
    return m.stack([a, y, b], axis=1)


@level.check(x=(3, 4))
def one_row(m, x):
    """x[1]: zeros everywhere else."""
    return m.getitem(x, 1)


@level.check(x=(3, 4))
def one_entry_and_a_negative_index(m, x):
    """x[0, 2] * x[-1, -1]."""
    a, b = m.uses(x, 2)
    return m.getitem(a, (0, 2)) * m.getitem(b, (-1, -1))


@level.check(x=(5, 7))
def slices_with_steps(m, x):
    """x[::2, 1:6:3]."""
    return m.getitem(x, (slice(None, None, 2), slice(1, 6, 3)))


@level.check(x=(5,))
def backwards(m, x):
    """x[::-1] * x: a negative step."""
    a, b = m.uses(x, 2)
    return m.getitem(a, slice(None, None, -1)) * b


@level.check(x=(6,))
def neighbours(m, x):
    """(x[1:] - x[:-1]) ** 2: slices that overlap."""
    a, b = m.uses(x, 2)
    return (m.getitem(a, slice(1, None)) - m.getitem(b, slice(None, -1))) ** 2


@level.check(x=(2, 3, 4))
def ellipsis_and_new_axis(m, x):
    """x[..., None, 1]."""
    return m.getitem(x, (Ellipsis, None, 1))


ROWS = np.array([0, 2, 2, 0])
ENTRIES = np.array([0, 2, 2]), np.array([1, 3, 3])


def _overwritten(key):
    def hint(x):
        gradient = np.zeros(x.shape)
        gradient[key] = weights(x[key].shape)
        return (gradient,)

    return {"repeated indices overwrite each other instead of adding up": hint}


@level.check(x=(3, 2), hints=_overwritten(ROWS))
def rows_picked_more_than_once(m, x):
    """x[[0, 2, 2, 0]]: the gradients of a row that is picked twice add up.

    gradient[index] += g adds only one of them: numpy.add.at is needed. Embeddings are this.
    """
    return m.getitem(x, ROWS)


@level.check(x=(3, 4), hints=_overwritten(ENTRIES))
def entries_picked_by_two_lists(m, x):
    """x[[0, 2, 2], [1, 3, 3]]: pairs of indices, one of them twice."""
    return m.getitem(x, ENTRIES)


@level.check(x=(2, 3))
def entries_picked_by_a_mask(m, x):
    """x[mask] with a mask of booleans."""
    return m.getitem(x, np.array([[True, False, True], [False, True, False]]))


@level.check(x=Positive((2, 3)))
def sorted_along_an_axis(m, x):
    """sort(x, axis=1): the gradient finds its way back."""
    return m.sort(x, axis=1)


TWO_MATRICES = "the rule of the product is for two matrices: vectors and batches need more than a transpose"


@level.check(x=(2, 3), y=(3, 4))
def matrix_times_matrix(m, x, y):
    """x @ y for shapes (2, 3) and (3, 4)."""
    return m.matmul(x, y)


@level.check(x=(3, 3), y=(3, 3))
def square_matrices(m, x, y):
    """x @ y for square matrices, where a forgotten transpose fits."""
    return m.matmul(x, y)


@level.check(x=(3,), y=(3,), raised=TWO_MATRICES)
def vector_times_vector(m, x, y):
    """x @ y for shapes (3,) and (3,)."""
    return m.matmul(x, y)


@level.check(x=(2, 3), y=(3,), raised=TWO_MATRICES)
def matrix_times_vector(m, x, y):
    """x @ y for shapes (2, 3) and (3,).

    The gradient of x is an outer product; x.T @ g is the other's.
    """
    return m.matmul(x, y)


@level.check(x=(3,), y=(3, 4), raised=TWO_MATRICES)
def vector_times_matrix(m, x, y):
    """x @ y for shapes (3,) and (3, 4)."""
    return m.matmul(x, y)


@level.check(x=(5, 2, 3), y=(5, 3, 4), raised=TWO_MATRICES)
def batches_of_matrices(m, x, y):
    """x @ y for shapes (5, 2, 3) and (5, 3, 4).

    .T transposes the batch too.
    """
    return m.matmul(x, y)


@level.check(x=(2, 1, 2, 3), y=(4, 3, 2), raised=TWO_MATRICES)
def batches_that_broadcast(m, x, y):
    """x @ y for shapes (2, 1, 2, 3) and (4, 3, 2)."""
    return m.matmul(x, y)


@level.check(x=(4, 2, 3), w=(3, 2), raised=TWO_MATRICES)
def batch_times_one_matrix(m, x, w):
    """x @ w for shapes (4, 2, 3) and (3, 2): a layer applied to sequences; its gradient is summed over the batch."""
    return m.matmul(x, w)


@level.check(x=(3, 3))
def matrix_times_itself(m, x):
    """x @ x."""
    a, b = m.uses(x, 2)
    return m.matmul(a, b)


@level.check(x=(2, 3))
def matrix_times_its_transpose(m, x):
    """x @ x.T."""
    a, b = m.uses(x, 2)
    return m.matmul(a, m.permute_dims(b, (1, 0)))


@level.check(x=(4, 3), w=(3, 2), b=(2,))
def linear_layer(m, x, w, b):
    """relu(x @ w + b): the layer of every course."""
    return m.relu(m.matmul(x, w) + b)
