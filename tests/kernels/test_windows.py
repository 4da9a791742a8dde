"""Unfolding into windows, and folding back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorgrad.kernels import reference
from tests.kernels.cases import cases, every_family, inner, other_families, places


@given(case=cases(axes=2, largest=2))
def test_the_reference_follows_the_definition(case):
    x = case.array(case.x_shape)
    windows = reference.unfold(x, **case.windows)
    assert windows.shape == (*case.x_shape[:2], *case.out, *case.kernel)
    for n, c, *out in np.ndindex(*case.pooled_shape):
        for tap, place in places(case, tuple(out)):
            assert windows[(n, c, *out, *tap)] == (0 if place is None else x[(n, c, *place)])


@every_family
@given(case=cases(), dtype=st.sampled_from(["float16", "float32", "float64", "int32", "bool"]))
def test_unfold_gives_a_fresh_array_of_the_same_dtype(family, case, dtype):
    x = case.array(case.x_shape, dtype)
    windows = family.unfold(x, **case.windows)
    np.testing.assert_array_equal(windows, reference.unfold(x, **case.windows), strict=True)
    assert windows.dtype == dtype
    assert windows.flags.writeable
    assert not np.shares_memory(windows, x)


@every_family
@given(case=cases(), dtype=st.sampled_from(["float16", "float32", "float64"]))
def test_fold_is_the_transpose_of_unfold(family, case, dtype):
    x = case.array(case.x_shape, dtype)
    windows = case.array((*case.x_shape[:2], *case.out, *case.kernel), dtype, salt=1)
    folded = family.fold(windows, spatial=case.spatial, **case.options)
    assert folded.dtype == dtype
    unfolded = family.unfold(x.astype("float64"), **case.windows)
    assert inner(x.astype("float64"), folded.astype("float64")) == inner(unfolded, windows.astype("float64"))


@other_families
@given(case=cases())
def test_fold_agrees_with_the_reference(family, case):
    windows = case.array((*case.x_shape[:2], *case.out, *case.kernel))
    folded = family.fold(windows, spatial=case.spatial, **case.options)
    np.testing.assert_array_equal(folded, reference.fold(windows, spatial=case.spatial, **case.options), strict=True)


@every_family
def test_windows_of_another_input_are_refused(family):
    with pytest.raises(ValueError, match=r"windows has shape \(1, 1, 3, 2\), but these options lead to \(1, 1, 4, 2\)"):
        family.fold(np.ones((1, 1, 3, 2)), spatial=(5,), stride=(1,), padding=((0, 0),), dilation=(1,))
