"""The public strategies keep what they promise, and shrink to something small."""

from __future__ import annotations

import math
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

import tensorgrad as tg
from tensorgrad.testing import strategies as ts
from tensorgrad.testing.strategies.sample import code


def drawn(strategy: Any, condition: Any) -> Any:
    """Something that is drawn, however large."""
    options = hypothesis.settings(max_examples=3000, phases=[hypothesis.Phase.generate], database=None)
    return hypothesis.find(strategy, condition, settings=options)


def smallest(strategy: Any, condition: Any = lambda drawn: True) -> Any:
    return hypothesis.find(strategy, condition, settings=hypothesis.settings(max_examples=500, database=None))


# -- shapes ----------------------------------------------------------------------------------------------------


@given(st.data(), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
def test_shapes_are_within_their_bounds(data: Any, dims: int, more: int, side: int, longer: int) -> None:
    shape = data.draw(ts.shapes(dims, dims + more, side, side + longer))
    assert dims <= len(shape) <= dims + more
    assert all(side <= n <= side + longer for n in shape)


def test_shapes_of_all_kinds_are_drawn() -> None:
    for condition in (
        lambda shape: shape == (),
        lambda shape: 0 in shape,
        lambda shape: 1 in shape and 3 in shape,
        lambda shape: len(shape) == 3 and min(shape) > 1,
    ):
        drawn(ts.shapes(), condition)
    assert smallest(ts.shapes()) == ()
    assert smallest(ts.shapes(min_dims=2)) == (1, 1)
    with pytest.raises(InvalidArgument, match="min_dims=3, max_dims=2"):
        smallest(ts.shapes(3, 2))


@given(st.integers(1, 4).flatmap(ts.broadcastable_shapes))
def test_shapes_broadcast(several: tuple[ts.Shape, ...]) -> None:
    np.broadcast_shapes(*several)


def test_broadcasting_of_all_kinds_is_drawn() -> None:
    for condition in (
        lambda pair: len(pair[0]) > len(pair[1]) > 0,
        lambda pair: any(a == 1 < b for a, b in zip(*pair, strict=False)),
        lambda pair: pair[0] == pair[1] != (),
        lambda pair: 0 in pair[0] and 1 in pair[1],
    ):
        drawn(ts.broadcastable_shapes(2), condition)
    assert smallest(ts.broadcastable_shapes(3)) == ((), (), ())


# -- arrays ----------------------------------------------------------------------------------------------------


@given(ts.arrays())
def test_arrays_are_double(x: np.ndarray) -> None:
    assert x.dtype == np.float64
    assert np.isfinite(x).all()


def test_values_of_all_kinds_are_drawn() -> None:
    for condition in (
        lambda x: (x == 0).any() and (x == 1).any(),
        lambda x: x.size > 1 and len(np.unique(x)) < x.size,
        lambda x: (x == 1e-3).any(),
        lambda x: ((x < -1) & (x > -3)).any(),
    ):
        drawn(ts.arrays(), condition)
    special = drawn(ts.arrays((3,), ts.SPECIAL), lambda x: np.isnan(x).any() and np.isinf(x).any())
    assert special.shape == (3,)


def test_arrays_shrink_to_simple_values() -> None:
    assert smallest(ts.arrays((2,))).tolist() == [1, 1]
    one = smallest(ts.arrays(ts.shapes(), (-2, 2)), lambda x: x.size and x.max() > 1)
    two = smallest(ts.arrays((2,), (-2, 2)), lambda x: x.sum() < 0)
    assert one.shape == ()
    assert not (one % 0.5).any()
    assert not (two % 0.5).any()
    assert smallest(ts.separated((3,), domain=(1, 4))).tolist() == [1, 2, 3]


DOMAINS = [(-2, 2), (0.0, 1e-3), (5, 1000), ts.REAL, ts.UNIT, ts.Domain(((-1, 0), (3, 3.5), (7, 9)))]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@given(data=st.data())
def test_values_are_in_their_domain(domain: Any, data: Any) -> None:
    intervals = ts.Domain.of(domain).intervals
    for x in (data.draw(ts.arrays(domain=domain)), data.draw(ts.separated(domain=domain))):
        assert np.all(np.any([(low <= x) & (x <= high) for low, high in intervals], axis=0))


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@given(data=st.data())
def test_separated_values_are_apart(domain: Any, data: Any) -> None:
    several = data.draw(ts.separated_arrays(ts.broadcastable_shapes(2), domain=domain))
    flat = np.sort(np.concatenate([x.ravel() for x in several]))
    if flat.size > 1:
        step = ts.Domain.of(domain).length / flat.size
        assert np.diff(flat).min() >= 0.4 * step * (1 - 1e-9)


@given(st.integers(1, 9), st.floats(0.01, 1), st.data())
def test_separated_values_are_as_far_apart_as_asked_for(n: int, part: float, data: Any) -> None:
    gap = part * 6 / n
    x = np.sort(data.draw(ts.separated((n,), gap, (-3, 3))))
    assert n == 1 or np.diff(x).min() >= gap * (1 - 1e-9)


def test_values_that_do_not_fit() -> None:
    with pytest.raises(InvalidArgument, match=r"7 values, each 1 or more from the others, do not fit into \[-3, 3\]"):
        smallest(ts.separated((7,), 1, (-3, 3)))
    with pytest.raises(InvalidArgument, match="do not fit"):
        smallest(ts.separated((2,), domain=ts.FEW))


@given(ts.broadcastable_arrays(3, [ts.POSITIVE, ts.UNIT, ts.MASK]))
def test_arrays_of_domains_of_their_own(several: tuple[np.ndarray, ...]) -> None:
    x, y, mask = several
    np.broadcast_arrays(*several)
    assert (x > 0).all()
    assert (np.abs(y) < 1).all()
    assert mask.dtype == bool


def test_domains() -> None:
    assert str(ts.Domain.of((-2, 2)).without([0])) == "[-2, -0.1] or [0.1, 2]"
    assert str(ts.Domain.of((-2, 2)).without([5])) == "[-2, 2]"
    assert ts.FEW.without([0]).values == (1, -1, 2, -2)
    for bad in (((1, 0),), ((0, 2), (1, 3)), ((0, 1, 2),)):
        with pytest.raises(ValueError, match=r"pairs \(low, high\) that rise"):
            ts.Domain(bad)
    with pytest.raises(ValueError, match="needs intervals"):
        ts.Domain()
    with pytest.raises(TypeError, match=r"a pair of numbers \(low, high\), not 3"):
        ts.Domain.of(3)


# -- matrices --------------------------------------------------------------------------------------------------


@given(st.data(), st.integers(0, 4), st.sampled_from([1.5, 10.0, 1e6]), st.sampled_from([(), (2,), (0,)]))
def test_condition_numbers_are_bounded(data: Any, n: int, condition: float, batch: ts.Shape) -> None:
    x = data.draw(ts.well_conditioned(n, condition, batch))
    assert x.shape == (*batch, n, n)
    if x.size:
        assert np.linalg.cond(x).max() <= condition
        values = np.linalg.svd(x, compute_uv=False)
        assert n == 1 or np.diff(values).max() < 0
        assert values.min() >= 1 - 1e-9


@given(st.data(), st.integers(0, 4), st.sampled_from([1.5, 10.0, 1e6]), st.sampled_from([(), (2,), (0,)]))
def test_eigenvalues_are_bounded(data: Any, n: int, condition: float, batch: ts.Shape) -> None:
    x = data.draw(ts.positive_definite(n, condition, batch))
    assert x.shape == (*batch, n, n)
    np.testing.assert_array_equal(x, x.mT)
    if x.size:
        values = np.linalg.eigvalsh(x)
        assert values.min() > 0
        assert (values[..., -1] / values[..., 0]).max() <= condition


@given(st.integers(1, 4).flatmap(ts.orthogonal))
def test_orthogonal_matrices(q: np.ndarray) -> None:
    np.testing.assert_allclose(q @ q.T, np.eye(len(q)), atol=1e-12)


def test_matrices_shrink_to_diagonal_ones() -> None:
    np.testing.assert_allclose(smallest(ts.well_conditioned(2, 3)), np.diag([1.002, 2.001]), atol=2e-2)
    assert smallest(ts.positive_definite(2, 3))[0, 1] == 0
    assert smallest(ts.positive_definite(2), lambda x: x[0, 1] > 1)[0, 1] > 1
    with pytest.raises(InvalidArgument, match="must be above 1, got 1"):
        smallest(ts.well_conditioned(2, 1))


# -- axes and indices ------------------------------------------------------------------------------------------


@given(st.data(), st.integers(1, 4))
def test_axes_are_different_ones(data: Any, ndim: int) -> None:
    chosen = data.draw(ts.axes(ndim))
    assert len({axis % ndim for axis in chosen}) == len(chosen)
    assert -ndim <= data.draw(ts.an_axis(ndim)) < ndim
    assert len(data.draw(ts.axes(ndim, min_size=ndim))) == ndim
    axis = data.draw(ts.any_axes(ndim))
    np.ones((1,) * ndim).sum(axis=axis)


@given(ts.reductions(empty=False))
def test_reductions_of_something(config: ts.Config) -> None:
    np.max(np.ones(config.shapes[0]), **config.options)


@given(ts.along_axis())
def test_an_axis_is_left_out_where_there_is_one(config: ts.Config) -> None:
    assert config.options or len(config.shapes[0]) == 1


@given(st.data(), ts.shapes(), st.booleans())
def test_indices_are_in_bounds(data: Any, shape: ts.Shape, mask: bool) -> None:
    x = np.arange(math.prod(shape)).reshape(shape)
    key = data.draw(ts.indices(shape, mask=mask))
    np.testing.assert_array_equal(tg.tensor(x)[key].numpy(), x[key])


def test_indices_of_all_kinds_are_drawn() -> None:
    def has(kind: Any) -> Any:
        return lambda key: isinstance(key, tuple) and any(isinstance(part, kind) for part in key) and len(key) > 1

    for kind in (slice, int, type(None), type(...), np.ndarray, list):
        drawn(ts.indices((3, 2)), has(kind))
    mask = drawn(ts.indices((3, 2), mask=True), lambda key: getattr(key, "dtype", None) == "bool")
    assert mask.any() or not mask.all()
    assert smallest(ts.indices((3, 2))) == ()


@given(ts.indices((3, 2), arrays=False))
def test_basic_indices_have_no_arrays(key: Any) -> None:
    assert not any(isinstance(part, (list, np.ndarray)) for part in (key if isinstance(key, tuple) else (key,)))


@given(st.data(), st.integers(-5, 5), st.integers(0, 5))
def test_integers_are_within_their_bounds(data: Any, low: int, more: int) -> None:
    index = data.draw(ts.integer_arrays((3, 2), low, low + more))
    assert index.dtype == np.int64
    assert low <= index.min() <= index.max() <= low + more


# -- windows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3])
@given(data=st.data())
def test_convolutions_fit(d: int, data: Any) -> None:
    config = data.draw(ts.conv_configs(d))
    x, weight, *bias = (tg.ones(shape) for shape in config.shapes)
    out = getattr(tg, f"conv{d}d")(x, weight, *bias, **config.options)
    assert out.ndim == x.ndim
    assert all(n > 0 for n in out.shape[-d:])


@pytest.mark.parametrize("d", [1, 2, 3])
@given(data=st.data())
def test_pooling_fits(d: int, data: Any) -> None:
    config = data.draw(ts.pool_configs(d, dilated=True))
    out = getattr(tg, f"max_pool{d}d")(tg.ones(config.shapes[0]), **config.options)
    assert all(n > 0 for n in out.shape[-d:])


def test_windows_of_all_kinds_are_drawn() -> None:
    for condition in (
        lambda config: config.options["padding"] == "same",
        lambda config: config.options["padding"] == "valid",
        lambda config: config.options["groups"] == 2 and config.options["stride"] == (2, 1),
        lambda config: len(config.shapes) == 2,
        lambda config: config.shapes[0][0] == 0,
        lambda config: len(config.shapes[0]) == 3,
    ):
        drawn(ts.conv_configs(2), condition)
    assert smallest(ts.conv_configs(2)).shapes == ((1, 1, 1), (1, 1, 1, 1), (1,))
    assert smallest(ts.pool_configs(2)).shapes == ((1, 1, 1),)
    drawn(
        ts.pool_configs(2), lambda config: config.options["ceil_mode"] and isinstance(config.options["padding"], tuple)
    )


# -- code ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.0, -np.inf], [np.nan, 0.1]]),
        np.array(2.5),
        np.zeros((0, 3)),
        np.array([1, 2]),
        np.array([True]),
        np.array([1, 2], "uint8"),
        (1, (np.float32(2.0),), [None, ...]),
        {"key": slice(None, 2), "nan": float("inf")},
    ],
    ids=code,
)
def test_code_gives_the_value_back(value: Any) -> None:
    again = eval(code(value), {"np": np})
    np.testing.assert_equal(again, value)
    assert getattr(again, "dtype", None) == getattr(value, "dtype", None)
