"""Hypothesis strategies for tests of array code: shapes, arrays, axes, indices, windows, matrices.

All of them shrink to something small and simple, and all arrays have float64 unless another dtype is named.

Example:
    >>> from hypothesis import given
    >>> @given(broadcastable_arrays(2))
    ... def test(pair):
    ...     x, y = pair
    ...     assert (x + y).shape == np.broadcast_shapes(x.shape, y.shape)
    >>> test()
"""

from tensorgrad.testing.strategies.arrays import (
    arrays,
    broadcastable_arrays,
    filled,
    separated,
    separated_arrays,
)
from tensorgrad.testing.strategies.axes import (
    along_axis,
    an_axis,
    any_axes,
    axes,
    reductions,
)
from tensorgrad.testing.strategies.domains import (
    ABOVE_MINUS_ONE,
    ABOVE_ONE,
    FEW,
    INTERESTING,
    MASK,
    POSITIVE,
    PROBABILITIES,
    REAL,
    SPECIAL,
    UNIT,
    Domain,
)
from tensorgrad.testing.strategies.indexing import indices, integer_arrays
from tensorgrad.testing.strategies.matrices import (
    orthogonal,
    positive_definite,
    well_conditioned,
)
from tensorgrad.testing.strategies.sample import Config, Sample
from tensorgrad.testing.strategies.shapes import (
    Shape,
    Strategy,
    broadcastable_shapes,
    shapes,
)
from tensorgrad.testing.strategies.windows import conv_configs, pool_configs

__all__ = [
    "ABOVE_MINUS_ONE",
    "ABOVE_ONE",
    "Config",
    "Domain",
    "FEW",
    "INTERESTING",
    "MASK",
    "POSITIVE",
    "PROBABILITIES",
    "REAL",
    "SPECIAL",
    "Sample",
    "Shape",
    "Strategy",
    "UNIT",
    "along_axis",
    "an_axis",
    "any_axes",
    "arrays",
    "axes",
    "broadcastable_arrays",
    "broadcastable_shapes",
    "conv_configs",
    "filled",
    "indices",
    "integer_arrays",
    "orthogonal",
    "pool_configs",
    "positive_definite",
    "reductions",
    "separated",
    "separated_arrays",
    "shapes",
    "well_conditioned",
]
