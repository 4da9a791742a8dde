"""The matrix product."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import threads
from tensorgrad.kernels.numpy import products
from tests.kernels.cases import every_family, more_examples

sizes = st.integers(0, 9)


@more_examples
@given(
    seed=st.integers(0, 2**32 - 1),
    n=sizes,
    k=sizes,
    m=st.integers(0, 40),
    batches=st.sampled_from(
        [((), ()), ((3,), ()), ((), (3,)), ((3,), (3,)), ((2, 3), (3,)), ((1, 3), (2, 1)), ((0,), ())]
    ),
    dtypes=st.sampled_from(
        [("float64",) * 2, ("float32",) * 2, ("float32", "float64"), ("int64", "int64"), ("float16", "float32")]
    ),
    orders=st.tuples(st.booleans(), st.booleans()),
    large=st.sampled_from([0, 20, products.LARGE]),
    face=st.sampled_from([0, 64, products.FACE]),
)
def test_parts_make_the_whole(seed, n, k, m, batches, dtypes, orders, large, face):
    rng = np.random.default_rng(seed)
    a, b = (
        rng.integers(-5, 6, (*batch, *((q, p) if turned else (p, q)))).astype(dtype)
        for batch, p, q, dtype, turned in zip(batches, (n, k), (k, m), dtypes, orders, strict=True)
    )
    a, b = (array.mT if turned else array for array, turned in zip((a, b), orders, strict=True))
    sizes = {"FEW": 0, "ALONE": 0, "LARGE": large, "NARROW": 1, "FACE": face, "SMALL": 10 * face, "BLOCKS": (16, 8)}
    with mock.patch.multiple(products, **sizes), mock.patch.object(threads, "small_products", return_value=True):
        found = products.matmul(a, b)
    np.testing.assert_array_equal(found, np.matmul(a, b), strict=True)


@every_family
def test_single_axes(family):
    row, matrix = np.asarray([1.0, 2.0]), np.asarray([[3.0, 4.0], [5.0, 6.0]])
    assert family.matmul(row, matrix).tolist() == [13, 16]
    assert family.matmul(matrix, row).tolist() == [11, 17]
    assert family.matmul(row, row) == 5


@pytest.mark.parametrize("large", [False, True])
def test_shapes_that_do_not_go_together(large):
    with mock.patch.multiple(products, FEW=0, ALONE=0, LARGE=1 if large else products.LARGE, NARROW=1):
        for shapes in [((4, 3), (2, 4)), ((2, 4, 3), (3, 3, 4))]:
            with pytest.raises(ValueError):
                products.matmul(*map(np.ones, shapes))


def test_blas_has_one_thread_meanwhile_and_its_own_before_and_after(monkeypatch):
    blas = threads._blas()
    if blas is None:
        pytest.skip("not NumPy's own OpenBLAS")
    get, put = blas
    seen, before = [], get()
    real = np.matmul
    monkeypatch.setattr(np, "matmul", lambda *args, **options: seen.append(get()) or real(*args, **options))
    put(2)
    try:
        tg.matmul(tg.ones((100, 100)), tg.ones((100, 100)))
        assert get() == 2
    finally:
        put(before)
    assert seen == [1]


def test_the_same_bits_on_any_number_of_threads():
    rng, found, before = np.random.default_rng(0), [], tg.get_num_threads()
    a, b = (rng.standard_normal((400, 400)).astype("float32") for _ in range(2))
    try:
        for count in (1, 2, 3):
            tg.set_num_threads(count)
            found.append(products.matmul(a, b).tobytes())
    finally:
        tg.set_num_threads(before)
    assert len({*found}) == 1
