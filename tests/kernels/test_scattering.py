"""Values put back where they were picked from."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorgrad.kernels import reference
from tensorgrad.kernels.numpy import scattering
from tests.kernels.cases import every_family, more_examples


@every_family
def test_what_meets_is_added_up(family):
    x = family.scatter(np.asarray([1.0, 10.0, 100.0]), np.asarray([2, 0, 2]), shape=(4,))
    assert x.tolist() == [10, 0, 101, 0]


@more_examples
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 6),
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=2).map(tuple),
    rest=st.sampled_from([(16,), (4, 5), (3,), (0,)]),
    dtype=st.sampled_from(["float32", "float64", "float16"]),
    rounds=st.sampled_from([0, 1, 3, scattering.ROUNDS]),
    in_a_tuple=st.booleans(),
)
def test_whole_rows_to_the_bit(seed, count, shape, rest, dtype, rounds, in_a_tuple):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-count, count, shape)
    values = rng.standard_normal((*shape, *rest)).astype(dtype)
    key = (rows,) if in_a_tuple else rows
    expected = reference.scatter(values, key, shape=(count, *rest))
    with mock.patch.object(scattering, "ROUNDS", rounds):
        found = scattering.scatter(values, key, shape=(count, *rest))
    np.testing.assert_array_equal(found, expected, strict=True)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    "key", [(slice(None), np.asarray([0, 0])), (np.asarray([1, 1]), np.asarray([2, 2])), np.ones(4, bool)]
)
def test_other_keys_are_the_references(key):
    values = np.ones_like(np.ones((4, 20))[key])
    np.testing.assert_array_equal(
        scattering.scatter(values, key, shape=(4, 20)), reference.scatter(values, key, shape=(4, 20)), strict=True
    )


def test_booleans_and_negative_zeros():
    rows = np.asarray([1, 0, 1])
    for values in (np.ones((3, 20), bool), np.full((3, 20), -0.0)):
        found, expected = (family.scatter(values, rows, shape=(3, 20)) for family in (scattering, reference))
        assert found.dtype == values.dtype
        assert found.tobytes() == expected.tobytes()
