"""Pooling, picking and placing on bare arrays."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorgrad.kernels import reference
from tests.kernels.cases import Case, arranged, cases, every_family, inner, more_examples, other_families, places

HALVES = {"kernel": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}


def by_definition(case: Case, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Maximum, its position, and sum of every window."""
    values, positions, sums = np.empty(case.pooled_shape), np.empty(case.pooled_shape, int), np.empty(case.pooled_shape)
    for n, c, *out in np.ndindex(*case.pooled_shape):
        seen = [-np.inf if place is None else x[(n, c, *place)] for _, place in places(case, tuple(out))]
        real = [i for i, (_, place) in enumerate(places(case, tuple(out))) if place is not None]
        values[(n, c, *out)] = np.max(seen)
        positions[(n, c, *out)] = real[np.argmax([seen[i] for i in real])] if real else math.prod(case.kernel)
        sums[(n, c, *out)] = sum(seen[i] for i in real)
    return values, positions, sums


def with_specials(case: Case, x: np.ndarray) -> np.ndarray:
    """``x`` with NaN, infinity and minus infinity here and there."""
    rng = np.random.default_rng(case.seed)
    specials = rng.choice(np.asarray([np.nan, np.inf, -np.inf], x.dtype), x.shape)
    return arranged(np.where(rng.random(x.shape) < 0.2, specials, x), case.order)


@given(case=cases(axes=2), special=st.booleans())
def test_the_reference_follows_the_definition(case, special):
    x = case.array(case.x_shape)
    _, _, sums = by_definition(case, x)
    np.testing.assert_array_equal(reference.sum_pool(x, **case.windows), sums)
    x = with_specials(case, x) if special else x
    with np.errstate(invalid="ignore"):
        # Of the sums, which are not looked at here.
        values, positions, _ = by_definition(case, x)
    found_values, found_positions = reference.max_pool(x, **case.windows)
    np.testing.assert_array_equal(found_values, values)
    np.testing.assert_array_equal(found_positions, positions)


@other_families
@more_examples
@given(
    case=cases(),
    dtype=st.sampled_from(["float16", "float32", "float64", "int8", "uint8", "int64", "bool"]),
    special=st.booleans(),
)
def test_max_pool_agrees_with_the_reference(family, case, dtype, special):
    x = case.array(case.x_shape, dtype)
    if special and dtype.startswith("float"):
        x = with_specials(case, x)
    elif dtype != "bool":
        x = arranged(x + np.asarray(np.iinfo(dtype).min + 3 if "int" in dtype else -9, dtype), case.order)
    values, positions = family.max_pool(x, **case.windows)
    expected = reference.max_pool(x, **case.windows)
    np.testing.assert_array_equal(values, expected[0], strict=True)
    np.testing.assert_array_equal(positions, expected[1], strict=True)
    assert values.dtype == dtype
    assert positions.dtype == "uint8"


@every_family
@more_examples
@given(case=cases(), dtype=st.sampled_from(["float16", "float32", "float64", "int32"]))
def test_pick_finds_what_max_pool_took(family, case, dtype):
    x = case.array(case.x_shape, dtype)
    values, positions = family.max_pool(x, **case.windows)
    picked = family.pick(x, positions, **case.windows)
    nowhere = positions == math.prod(case.kernel)
    np.testing.assert_array_equal(picked, np.where(nowhere, np.zeros_like(values), values), strict=True)
    assert not np.shares_memory(picked, x)


@every_family
@more_examples
@given(case=cases(), dtype=st.sampled_from(["float16", "float32", "float64"]))
def test_place_and_spread_are_transposes(family, case, dtype):
    x, y = case.array(case.x_shape, dtype), case.array(case.pooled_shape, dtype, salt=1)
    _, positions = family.max_pool(case.real_array(case.x_shape, salt=2), **case.windows)
    placed = family.place(y, positions, spatial=case.spatial, **case.windows)
    spread = family.spread(y, spatial=case.spatial, **case.windows)
    assert placed.dtype == spread.dtype == dtype
    exact_x, exact_y = x.astype("float64"), y.astype("float64")
    assert inner(exact_x, placed.astype("float64")) == inner(family.pick(exact_x, positions, **case.windows), exact_y)
    assert inner(exact_x, spread.astype("float64")) == inner(family.sum_pool(exact_x, **case.windows), exact_y)


@other_families
@given(case=cases(), dtype=st.sampled_from(["float16", "float32", "float64", "int64"]))
def test_sums_agree_with_the_reference(family, case, dtype):
    x, y = case.array(case.x_shape, dtype), case.array(case.pooled_shape, dtype, salt=1)
    _, positions = reference.max_pool(x, **case.windows)
    for name, arrays, more in [
        ("sum_pool", (x,), {}),
        ("spread", (y,), {"spatial": case.spatial}),
        ("place", (y, positions), {"spatial": case.spatial}),
        ("pick", (x, positions), {}),
    ]:
        result = getattr(family, name)(*arrays, **case.windows, **more)
        expected = getattr(reference, name)(*arrays, **case.windows, **more)
        np.testing.assert_array_equal(result, expected, strict=True, err_msg=name)


@every_family
@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_window_of_negative_numbers_next_to_padding(family, dtype):
    x = np.asarray([[-1, -2], [-3, -4]], dtype).reshape(1, 1, 2, 2)
    values, positions = family.max_pool(x, **{**HALVES, "padding": ((1, 1), (1, 1))})
    assert values.tolist() == [[[[-1, -2], [-3, -4]]]]
    assert positions.tolist() == [[[[3, 2], [1, 0]]]]


@every_family
def test_padding_never_wins_from_minus_infinity(family):
    """Or the gradient of a window that holds nothing else would be lost in the padding."""
    for x in (np.full((1, 1, 2), -np.inf), np.full((1, 1, 2), -128, "int8")):
        _, positions = family.max_pool(x, kernel=(3,), stride=(1,), padding=((1, 1),), dilation=(1,))
        assert positions.tolist() == [[[1, 0]]]


@every_family
def test_a_window_in_the_padding_alone(family):
    x = np.asarray([[[3.0]]])
    options = {"kernel": (2,), "stride": (2,), "padding": ((2, 3),), "dilation": (1,)}
    values, positions = family.max_pool(x, **options)
    assert values.tolist() == [[[-np.inf, 3, -np.inf]]]
    assert positions.tolist() == [[[2, 0, 2]]]
    assert family.pick(x, positions, **options).tolist() == [[[0, 3, 0]]]
    assert family.place(np.asarray([[[5.0, 7, 9]]]), positions, spatial=(1,), **options).tolist() == [[[7]]]


@every_family
def test_a_tie_goes_to_the_first_and_nan_wins(family):
    x = np.asarray([[1, 5], [5, 2], [9, np.nan], [9, np.nan]]).reshape(1, 1, 4, 2)
    values, positions = family.max_pool(x, **HALVES)
    np.testing.assert_array_equal(values, [[[[5], [np.nan]]]])
    assert positions.tolist() == [[[[1], [1]]]]


@every_family
def test_overlapping_windows_add_up(family):
    options = {"kernel": (3,), "stride": (1,), "padding": ((0, 0),), "dilation": (1,)}
    _, positions = family.max_pool(np.asarray([[[0.0, 1, 2, 1, 0]]]), **options)
    y = np.asarray([[[1.0, 10, 100]]])
    assert family.place(y, positions, spatial=(5,), **options).tolist() == [[[0, 0, 111, 0, 0]]]
    assert family.spread(y, spatial=(5,), **options).tolist() == [[[1, 11, 111, 110, 100]]]


@every_family
def test_infinities_stay_where_they_are_placed(family):
    y = np.asarray([[[[np.inf, np.nan]]]])
    positions = np.asarray([[[[1, 2]]]], "uint8")
    placed = family.place(y, positions, spatial=(2, 4), **HALVES)
    np.testing.assert_array_equal(placed, [[[[0, np.inf, 0, 0], [0, 0, np.nan, 0]]]])


@every_family
def test_half_precision_is_summed_in_single(family):
    """In float16, 2048 + 1 is 2048."""
    options = {"kernel": (9,), "stride": (1,), "padding": ((0, 0),), "dilation": (1,)}
    y = np.asarray([[[*[1] * 4, 2048, *[1] * 4]]], "float16")
    the_ninth = np.arange(8, -1, -1, "uint8").reshape(1, 1, 9)
    windows = np.broadcast_to(y[..., None], (1, 1, 9, 9))
    for summed in [
        family.sum_pool(y, **options),
        family.spread(y, spatial=(17,), **options)[..., 8],
        family.place(y, the_ninth, spatial=(17,), **options)[..., 8],
        family.fold(windows, spatial=(17,), stride=(1,), padding=((0, 0),), dilation=(1,))[..., 8],
    ]:
        assert summed.dtype == "float16"
        assert summed.item() == 2056


@every_family
@pytest.mark.parametrize(("kernel", "dtype"), [(16, "uint16"), (15, "uint8")])
def test_positions_in_large_windows(family, kernel, dtype):
    x = np.zeros((1, 1, kernel, kernel))
    x[0, 0, -1, -1] = 1
    _, positions = family.max_pool(x, **{**HALVES, "kernel": (kernel, kernel)})
    assert positions.dtype == dtype
    assert positions.item() == kernel**2 - 1


@every_family
def test_what_does_not_fit_is_refused(family):
    x, y = np.ones((1, 1, 3, 4)), np.ones((1, 1, 1, 2))
    positions = np.zeros((1, 1, 2, 2), "uint8")
    for name in ("max_pool", "sum_pool", "unfold"):
        with pytest.raises(ValueError, match="size 5 does not fit into an input of size 4"):
            getattr(family, name)(x, **{**HALVES, "kernel": (2, 5)})
    with pytest.raises(
        ValueError, match=r"positions has shape \(1, 1, 2, 2\), but these options lead to \(1, 1, 1, 2\)"
    ):
        family.pick(x, positions, **HALVES)
    with pytest.raises(ValueError, match="positions has shape"):
        family.place(y, positions, spatial=(3, 4), **HALVES)
    for name, more in [("place", (y.astype("uint8"),)), ("spread", ())]:
        with pytest.raises(ValueError, match=r"y has shape \(1, 1, 1, 2\), but these options lead to \(1, 1, 2, 2\)"):
            getattr(family, name)(y, *more, spatial=(4, 4), **HALVES)
