"""Square matrices of a bounded condition number."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tensorgrad.testing.strategies.arrays import arrays, separated_arrays
from tensorgrad.testing.strategies.shapes import Shape, Strategy


@st.composite
def orthogonal(draw: st.DrawFn, n: int, batch: Shape = ()) -> np.ndarray:
    """Orthogonal matrices, by Cayley's transform ``(1 - A) (1 + A)^-1`` of antisymmetric ones; the simplest is 1.

    Args:
        draw: Hypothesis' own; not an argument of the caller's.
        n: the number of rows and of columns.
        batch: the lengths of further axes in front.

    Returns:
        A strategy of arrays of shape ``(*batch, n, n)`` and of determinant 1.

    Example:
        >>> from hypothesis import find
        >>> find(orthogonal(2), lambda q: True)
        array([[1., 0.],
               [0., 1.]])
    """
    above = np.triu(draw(arrays((*batch, n, n), (1.0, 3.0))) - 1.0, 1)
    a, one = above - above.mT, np.eye(n)
    return np.linalg.solve(one + a.mT, (one - a).mT).mT


def well_conditioned(n: int, condition: float = 10.0, batch: Shape = ()) -> Strategy[np.ndarray]:
    """Invertible matrices whose condition number, the largest singular value divided by the smallest, is bounded.

    No two singular values are close, so that decompositions have derivatives.

    Args:
        n: the number of rows and of columns.
        condition: the bound of the condition number in the 2-norm, above 1.
        batch: the lengths of further axes in front.

    Returns:
        A strategy of arrays of shape ``(*batch, n, n)``, singular values from 1 to ``condition``.

    Example:
        >>> from hypothesis import find
        >>> x = find(well_conditioned(3, condition=4), lambda x: np.linalg.det(x) > 2)
        >>> bool(np.linalg.cond(x) < 4)
        True
    """
    parts = st.tuples(orthogonal(n, batch), _scales(n, condition, batch), orthogonal(n, batch))
    return parts.map(lambda drawn: drawn[0] * drawn[1][..., None, :] @ drawn[2])


def positive_definite(n: int, condition: float = 10.0, batch: Shape = ()) -> Strategy[np.ndarray]:
    """Symmetric matrices with positive eigenvalues, the largest of which is a bounded multiple of the smallest.

    No two eigenvalues are close, so that decompositions have derivatives.

    Args:
        n: the number of rows and of columns.
        condition: the bound of the condition number, above 1.
        batch: the lengths of further axes in front.

    Returns:
        A strategy of arrays of shape ``(*batch, n, n)``, exactly symmetric, eigenvalues from 1 to ``condition``.

    Example:
        >>> from hypothesis import find
        >>> x = find(positive_definite(3, condition=4), lambda x: x[0, 1] > 0.1)
        >>> low, _, high = np.linalg.eigvalsh(x)
        >>> bool(0 < high < 4 * low)
        True
    """

    def joined(drawn: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        q, scales = drawn
        product = q * scales[..., None, :] @ q.mT
        return (product + product.mT) / 2

    return st.tuples(orthogonal(n, batch), _scales(n, condition, batch)).map(joined)


@st.composite
def _scales(draw: st.DrawFn, n: int, condition: float, batch: Shape) -> np.ndarray:
    """For each matrix, n numbers well apart, inside of 1 and the bound: their quotient leaves room for rounding."""
    if not condition > 1:
        raise InvalidArgument(f"the bound of the condition number must be above 1, got {condition}.")
    inside = (1 + 1e-3 * (condition - 1), condition - 1e-3 * (condition - 1))
    rows = [draw(separated_arrays([(n,)], domain=inside))[0] for _ in range(int(np.prod(batch)))]
    return np.array(rows).reshape(*batch, n)
