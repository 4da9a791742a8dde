"""Convolution and its two transposes on bare arrays."""

from __future__ import annotations

import importlib
import tracemalloc
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import kernels
from tensorgrad.kernels import reference
from tensorgrad.kernels.numpy import columns, planner, winograd
from tests.kernels.cases import Case, cases, every_family, inner, more_examples, other_families, places

PLAIN = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
IMAGE = np.asarray([[4, 2, 0, 2], [3, 2, 3, 8], [2, 1, 8, 5], [4, 6, 8, 2]]).reshape(1, 1, 4, 4)
KERNEL = np.arange(1, 10).reshape(1, 1, 3, 3)
# The module's own name in its package is the function's.
quick = importlib.import_module("tensorgrad.kernels.numpy.convolution")
WHOLE = kernels.settings.current().workspace


@pytest.fixture(scope="module")
def number_of_threads():
    """Sets it; afterwards it is what it was."""
    before = tg.get_num_threads()
    yield tg.set_num_threads
    tg.set_num_threads(before)


def naive_convolution(case: Case, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    y = np.zeros(case.y_shape)
    ins, outs = case.channels // case.groups, case.outputs // case.groups
    for n, o, *out in np.ndindex(*case.y_shape):
        for tap, place in places(case, tuple(out)):
            for c in range(ins):
                if place is not None:
                    y[(n, o, *out)] += weight[(o, c, *tap)] * x[(n, o // outs * ins + c, *place)]
    return y


@every_family
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8"])
def test_the_documents_worked_example(family, dtype):
    y = family.convolution(IMAGE.astype(dtype), KERNEL.astype(dtype), **PLAIN)
    assert y.dtype == dtype
    assert y.tolist() == [[[[142, 195], [225, 230]]]]


@every_family
def test_the_documents_worked_example_as_printed(family):
    """It prints 189 for 195: what comes out if the image's upper right corner is 0 and not 2."""
    image = IMAGE.copy()
    image[0, 0, 0, 3] = 0
    assert family.convolution(image, KERNEL, **PLAIN).tolist() == [[[[142, 189], [225, 230]]]]


@every_family
def test_the_documents_shapes(family):
    def shape(x, weight, stride, padding):
        options = {"stride": (stride,) * 2, "padding": ((padding, padding),) * 2, "dilation": (1, 1), "groups": 1}
        return family.convolution(np.ones(x), np.ones(weight), **options).shape

    assert shape((1, 3, 5, 5), (2, 3, 3, 3), stride=2, padding=1) == (1, 2, 3, 3)
    assert shape((1, 1, 5, 5), (1, 1, 3, 3), stride=2, padding=1) == (1, 1, 3, 3)
    assert shape((1, 1, 28, 28), (32, 1, 5, 5), stride=1, padding=2) == (1, 32, 28, 28)


@given(case=cases(axes=2, largest=2), dtype=st.sampled_from(["float32", "float64", "int64"]))
def test_the_reference_follows_the_definition(case, dtype):
    x, weight = case.array(case.x_shape, dtype), case.array(case.weight_shape, dtype, salt=1)
    y = reference.convolution(x, weight, **case.options, groups=case.groups)
    np.testing.assert_array_equal(y, naive_convolution(case, x, weight))


@other_families
@more_examples
@given(
    case=cases(),
    dtypes=st.tuples(*[st.sampled_from(["float16", "float32", "float64"])] * 2),
    workspace=st.sampled_from([1, 1600, WHOLE]),
    idle=st.sampled_from([0, columns.IDLE, 100]),
    far=st.sampled_from([0, columns.FAR]),
    threads=st.sampled_from([1, 2, 3]),
)
def test_every_family_agrees_with_the_reference(family, case, dtypes, workspace, idle, far, threads, number_of_threads):
    number_of_threads(threads)
    x, y = case.array(case.x_shape, dtypes[0]), case.array(case.y_shape, dtypes[0], salt=1)
    weight = case.array(case.weight_shape, dtypes[1], salt=2)
    options = {**case.options, "groups": case.groups}
    calls = [
        ("convolution", (x, weight), {}),
        ("convolution_input", (y, weight), {"spatial": case.spatial}),
        ("convolution_weight", (x, y), {"kernel": case.kernel}),
    ]
    columns._layout.cache_clear()
    columns._cut_up.cache_clear()
    few = {"COLUMNS": min(columns.COLUMNS, workspace // 160), "SMALL": 50, "NARROW": 5, "IDLE": idle, "FAR": far}
    with kernels.use(workspace=workspace), mock.patch.multiple(columns, **few):
        for name, arrays, more in calls:
            result = getattr(family, name)(*arrays, **options, **more)
            expected = getattr(reference, name)(*arrays, **options, **more)
            np.testing.assert_array_equal(result, expected, strict=True, err_msg=name)
            assert result.dtype == np.result_type(*arrays)
            assert result.flags.writeable
            assert not any(np.shares_memory(result, array) for array in arrays)


@every_family
@more_examples
@given(case=cases())
def test_each_is_the_transpose_of_the_others(family, case):
    x, y = case.real_array(case.x_shape), case.real_array(case.y_shape, salt=1)
    weight = case.real_array(case.weight_shape, salt=2)
    options = {**case.options, "groups": case.groups}
    product = inner(family.convolution(x, weight, **options), y)
    via_x = inner(x, family.convolution_input(y, weight, spatial=case.spatial, **options))
    via_weight = inner(weight, family.convolution_weight(x, y, kernel=case.kernel, **options))
    assert via_x == pytest.approx(product, rel=1e-10, abs=1e-10)
    assert via_weight == pytest.approx(product, rel=1e-10, abs=1e-10)


def three(family, case, x, y, weight):
    """A convolution and its two transposes."""
    options = {**case.options, "groups": case.groups}
    return {
        "convolution": family.convolution(x, weight, **options),
        "convolution_input": family.convolution_input(y, weight, spatial=case.spatial, **options),
        "convolution_weight": family.convolution_weight(x, y, kernel=case.kernel, **options),
    }


@more_examples
@given(
    case=cases(axes=2, fewest=2, largest=2, taps=7),
    small=st.sets(st.sampled_from(["ALONG", "TILES", "SUMMED", "ELEMENTS", "WIDE", "CHANNELS"])),
    period=st.sampled_from([1, columns.PERIOD]),
    threads=st.sampled_from([1, 2, 3]),
)
def test_winograds_algorithm_agrees_to_its_tolerance(case, small, period, threads, number_of_threads):
    number_of_threads(threads)
    case = replace(case, kernel=tuple(max(2, taps) for taps in case.kernel), stride=(1, 1), dilation=(1, 1), groups=1)
    case = replace(case, spatial=tuple(n + 4 for n in case.spatial))
    x, weight = (case.real_array(shape, salt) for salt, shape in enumerate([case.x_shape, case.weight_shape]))
    y = case.real_array(case.y_shape, salt=2)
    expected = three(reference, case, x, y, weight)
    planner._planned.cache_clear()
    # With small rooms, small images are cut up like large ones.
    rooms = {"TILES": winograd.TILES, **dict.fromkeys(small, 1)}
    patched = mock.patch.multiple(winograd, **rooms), mock.patch.object(columns, "PERIOD", period)
    with patched[0], patched[1], kernels.use(convolution="winograd"):
        found = three(quick, case, *(array.astype("float32") for array in (x, y, weight)))
    for name, array in found.items():
        assert array.dtype == "float32"
        assert array.flags.c_contiguous
        largest = np.max(np.abs(expected[name]), initial=1.0)
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=5e-5 * largest, err_msg=name)


def test_winograds_algorithm_of_no_images():
    x, y = np.zeros((0, 2, 6, 6), "float32"), np.zeros((0, 3, 6, 6), "float32")
    weight = winograd.convolution_weight(x, y, kernel=(3, 3), padding=((1, 1), (1, 1)))
    assert weight.shape == (3, 2, 3, 3)
    assert not weight.any()


@pytest.mark.parametrize(
    ("x", "weight"), [((64, 16, 64), (64, 16, 64)), ((64, 16, 4, 4), (64, 16, 3, 3)), ((64, 1, 9, 9), (4, 1, 3, 3))]
)
def test_products_over_few_positions_are_not_made_one_by_one(x, weight):
    kernel = weight[2:]
    y = (x[0], weight[0], *(n + 1 - k for n, k in zip(x[2:], kernel, strict=True)))
    options = {"kernel": kernel, "stride": (1,) * len(kernel), "padding": ((0, 0),) * len(kernel), "groups": 1}
    with mock.patch.object(columns, "_by_taps", side_effect=AssertionError):
        columns.convolution_weight(np.ones(x), np.ones(y), dilation=(1,) * len(kernel), **options)


@pytest.mark.parametrize("taps", range(2, winograd.TAPS + 1))
def test_winograds_transforms_are_exact(taps):
    """A tile of whole numbers along one axis."""
    draw = np.random.default_rng(0).integers
    x, weight = draw(-9, 9, winograd.places(taps)), draw(-9, 9, taps)
    kernel, tile, outputs = winograd.transforms(taps)
    found = outputs @ ((kernel @ weight) * (tile @ x))
    np.testing.assert_allclose(found, np.correlate(x, weight), rtol=0, atol=1e-11)


class TestWhichAlgorithm:
    LARGE = (32, 64, 56, 56), (64, 64, 3, 3)

    def test_winograd_where_it_saves_much(self):
        assert {*kernels.plan(*self.LARGE, padding=1)} == {"winograd"}

    @pytest.mark.parametrize(
        ("x", "weight", "options"),
        [
            ((8, 1, 28, 28), (32, 1, 5, 5), {}),
            ((32, 16, 32, 32), (16, 16, 3, 3), {"padding": 1}),
            (*LARGE, {"stride": 2}),
            (*LARGE, {"dilation": 2}),
            ((32, 64, 56, 56), (64, 1, 3, 3), {"groups": 64}),
            ((32, 64, 56, 56), (64, 64, 8, 8), {}),
            ((32, 64, 500), (64, 64, 3), {}),
            (*LARGE, {"dtype": "float64"}),
            ((2, 64, 16, 16, 16), (64, 64, 3, 3, 3), {}),
        ],
    )
    def test_columns_elsewhere(self, x, weight, options):
        assert {*kernels.plan(x, weight, **options)} == {"columns"}

    def test_neither_for_points(self):
        assert kernels.plan((8, 64, 7, 7), (64, 64, 1, 1))[:2] == ("pointwise", "pointwise")

    def test_highest_precision_is_sums_of_products_only(self):
        with tg.set_float32_precision("highest"):
            assert tg.get_float32_precision() == "highest"
            assert {*kernels.plan(*self.LARGE, padding=1)} == {"columns"}
            with kernels.use(convolution="winograd"):
                assert {*kernels.plan(*self.LARGE, padding=1)} == {"columns"}
        assert tg.get_float32_precision() == "high"

    def test_what_is_said_is_done(self):
        for name in ("columns", "winograd"):
            with kernels.use(convolution=name):
                assert {*kernels.plan(*self.LARGE, padding=1)} == {name}

    @pytest.mark.parametrize("taps", [2, 3, 5, 7])
    def test_the_precision_is_what_the_docstring_says(self, taps):
        draw = np.random.default_rng(0).standard_normal
        x, weight, y = draw((2, 64, 18, 18)), draw((64, 64, taps, taps)), draw((2, 64, 19 - taps, 19 - taps))
        calls = {
            "convolution": ((x, weight), {}),
            "convolution_input": ((y, weight), {"spatial": (18, 18)}),
            "convolution_weight": ((x, y), {"kernel": (taps, taps)}),
        }
        for name, (arrays, more) in calls.items():
            exact = getattr(reference, name)(*arrays, **more, **PLAIN)
            for precision, bound in (("high", 3e-5), ("highest", 2e-6)):
                with tg.set_float32_precision(precision), kernels.use(convolution="winograd"):
                    found = getattr(quick, name)(*(array.astype("float32") for array in arrays), **more, **PLAIN)
                error = np.max(np.abs(found - exact)) / np.max(np.abs(exact))
                assert error < bound
                assert precision == "highest" or error > 1e-6

    def test_measured_once_and_remembered(self):
        x, weight = np.ones((1, 4, 12, 12), "float32"), np.ones((4, 4, 3, 3), "float32")
        planner._measured.clear()
        with kernels.use(convolution="measured"):
            with mock.patch.object(planner.time, "perf_counter", side_effect=iter([0, 5, 5, 9, 9, 10, 10, 13])):
                y = quick.convolution(x, weight, **PLAIN)  # the clock is asked twice a try, and there are four
            assert kernels.plan(x.shape, weight.shape).convolution == "winograd"
            with mock.patch.object(planner.time, "perf_counter", side_effect=AssertionError):
                np.testing.assert_array_equal(quick.convolution(x, weight, **PLAIN), y)
            for size in range(planner.REMEMBERED + 5):
                planner._measured["convolution", size, None] = "columns"
            quick.convolution(x[..., 1:], weight, **PLAIN)
            assert len(planner._measured) <= planner.REMEMBERED + 6
        assert kernels.plan(x.shape, weight.shape).convolution == "columns"
        planner._measured.clear()

    def test_the_reference_by_name(self):
        with kernels.use("reference"):
            assert kernels.of(np.zeros(1)) is reference
        assert kernels.of(np.zeros(1)) is not reference

    def test_wrong_words(self):
        for call, message in [
            (lambda: kernels.use("plain"), "family one of 'quick', 'reference', got 'plain'"),
            (lambda: kernels.use(convolution="fft"), "'columns', 'winograd', got 'fft'"),
            (lambda: kernels.use(workspace=0), "1 byte or more, got 0"),
            (lambda: tg.set_float32_precision("medium"), "'high', 'highest', got 'medium'"),
        ]:
            with pytest.raises(ValueError, match=message):
                call()


@every_family
@given(case=cases(), dtypes=st.tuples(*[st.sampled_from(["bool", "uint8", "int64", "float32"])] * 2))
def test_integers_and_booleans_follow_numpys_promotion(family, case, dtypes):
    x, weight = case.array(case.x_shape, dtypes[0]), case.array(case.weight_shape, dtypes[1], salt=1)
    y = family.convolution(x, weight, **case.options, groups=case.groups)
    assert y.dtype == np.result_type(x, weight)
    exact = reference.convolution(x.astype("int64"), weight.astype("int64"), **case.options, groups=case.groups)
    np.testing.assert_array_equal(y, exact.astype(y.dtype))


@every_family
def test_half_precision_is_summed_in_single(family):
    x, weight = np.ones((1, 1, 3000), "float16"), np.ones((1, 1, 3000), "float16")
    y = family.convolution(x, weight, stride=(1,), padding=((0, 0),), dilation=(1,), groups=1)
    assert y.dtype == "float16"
    assert y.item() == 3000  # adding ones in float16 gets no further than 2048


@every_family
def test_a_dilated_kernel_that_just_fits(family):
    x = np.arange(5.0).reshape(1, 1, 5)
    weight = np.ones((1, 1, 3))
    y = family.convolution(x, weight, stride=(1,), padding=((0, 0),), dilation=(2,), groups=1)
    assert y.tolist() == [[[0 + 2 + 4]]]
    with pytest.raises(ValueError, match="size 3, which spans 7 with dilation 3, does not fit into an input of size 5"):
        family.convolution(x, weight, stride=(1,), padding=((0, 0),), dilation=(3,), groups=1)


@every_family
@pytest.mark.parametrize(
    ("x", "weight", "groups", "message"),
    [
        ((1, 3, 8, 8), (4, 2, 3, 3), 1, r"takes 2 input channels, got an input of shape \(1, 3, 8, 8\)"),
        ((1, 4, 8, 8), (4, 4, 3, 3), 2, "takes 8 input channels"),
        ((1, 4, 8, 8), (3, 2, 3, 3), 2, "3 channels cannot be divided into 2 groups"),
        ((4, 8, 8), (4, 4, 3, 3), 1, r"same number of axes, at least 3, got shapes \(4, 8, 8\)"),
        ((1, 4, 8, 8), (4, 4, 9, 3), 1, "size 9 does not fit into an input of size 8"),
        ((1, 4, 8), (4, 4, 3), 1, r"needs as many numbers for stride, got 2: \(1, 1\)"),
    ],
)
def test_shapes_that_do_not_go_together(family, x, weight, groups, message):
    with pytest.raises(ValueError, match=message):
        family.convolution(np.ones(x), np.ones(weight), **{**PLAIN, "groups": groups})


@every_family
def test_an_output_of_another_shape_is_refused_by_the_transposes(family):
    x, y, weight = np.ones((1, 1, 5, 5)), np.ones((1, 1, 4, 3)), np.ones((1, 1, 3, 3))
    message = r"y has shape \(1, 1, 4, 3\), but these options lead to \(1, 1, 3, 3\)"
    with pytest.raises(ValueError, match=message):
        family.convolution_input(y, weight, spatial=(5, 5), **PLAIN)
    with pytest.raises(ValueError, match=message):
        family.convolution_weight(x, y, kernel=(3, 3), **PLAIN)


@every_family
@pytest.mark.parametrize("groups", [0, 2])
def test_channels_that_cannot_be_divided(family, groups):
    options = {**PLAIN, "groups": groups}
    x, y, weight = np.ones((1, 3, 5, 5)), np.ones((1, 3, 3, 3)), np.ones((3, 1, 3, 3))
    for name, arrays, more in [
        ("convolution", (x, weight), {}),
        ("convolution_input", (y, weight), {"spatial": (5, 5)}),
        ("convolution_weight", (x, y), {"kernel": (3, 3)}),
    ]:
        with pytest.raises(ValueError, match=f"3 channels cannot be divided into {groups} groups"):
            getattr(family, name)(*arrays, **options, **more)


def test_memory_stays_bounded():
    x, weight = np.ones((1, 3, 300, 300), "float32"), np.ones((4, 3, 7, 7), "float32")
    unrolled = 3 * 49 * 294 * 294 * x.itemsize
    y = quick.convolution(x, weight, **PLAIN)
    for kernel, arrays, more in [
        (quick.convolution, (x, weight), {}),
        (quick.convolution_input, (y, weight), {"spatial": (300, 300)}),
        (quick.convolution_weight, (x, y), {"kernel": (7, 7)}),
    ]:
        tracemalloc.start()
        kernel(*arrays, **PLAIN, **more)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < WHOLE < unrolled / 5
