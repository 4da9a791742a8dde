"""Where windows lie."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorgrad.kernels import geometry
from tests.kernels.cases import cases, places


@given(
    size=st.integers(0, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 4),
)
def test_output_size_counts_the_windows_that_fit(size, kernel, stride, padding, dilation):
    padded = sum(padding) + size
    starts = range(0, padded, stride)
    fitting = sum(start + (kernel - 1) * dilation < padded for start in starts)
    if fitting:
        assert geometry.output_size(size, kernel, stride, padding, dilation) == fitting
    else:
        with pytest.raises(ValueError, match=f"kernel of size {kernel}.* does not fit into an input of size {padded}"):
            geometry.output_size(size, kernel, stride, padding, dilation)


@given(case=cases())
def test_taps_meet_the_input_where_the_definition_says(case):
    met = {
        (tap.kernel[1:], output, place)
        for tap in geometry.taps(case.spatial, **case.windows)
        for output, place in zip(indices(case.out, tap.outputs), indices(case.spatial, tap.inputs), strict=True)
    }
    assert met == {
        (tap, output, place)
        for output in np.ndindex(*case.out)
        for tap, place in places(case, output)
        if place is not None
    }


def indices(shape: tuple[int, ...], index: tuple[Any, ...]) -> list[tuple[int, ...]]:
    """The indices of the elements that ``index`` takes from an array of this shape."""
    return list(product(*(range(n)[part] for n, part in zip(shape, index[1:], strict=True))))


@pytest.mark.parametrize("option", [{"kernel": 0}, {"stride": 0}, {"dilation": 0}, {"padding": (-1, 0)}])
def test_options_out_of_range(option):
    options = {"kernel": 1, "stride": 1, "dilation": 1, "padding": (0, 0), **option}
    with pytest.raises(ValueError, match="expected kernel size, stride and dilation of at least 1"):
        geometry.output_size(5, **options)


def test_an_error_names_the_padded_size():
    with pytest.raises(ValueError, match=r"input of size 6 \(size 3 with padding 1 and 2\)"):
        geometry.output_size(3, kernel=7, stride=1, padding=(1, 2), dilation=1)


@pytest.mark.parametrize(("taps", "dtype"), [(255, "uint8"), (256, "uint16"), (65535, "uint16"), (65536, "uint32")])
def test_position_dtype_has_room_for_nowhere(taps, dtype):
    assert geometry.position_dtype((taps,)) == dtype
