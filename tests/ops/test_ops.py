"""Properties that every op has, from the records of ``specs.py``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import backend
from tensorgrad.testing import gradcheck
from tests.ops.spec import FUNCTIONS, Spec
from tests.ops.specs import SPECS, WITHOUT_RECORD
from tests.ops.strategies import Sample, Strategy
from tests.strict import count_transfers

TOLERANCE = {"float64": 1e-11, "float32": 1e-5, "float16": 1e-2}
"""Of a result or gradient, relative to its largest value or 1."""
LAYOUTS = ["plain", "fortran", "backwards", "gaps", "broadcast"]

every_op = pytest.mark.parametrize("spec", SPECS, ids=str)
differentiable_op = pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.differentiable], ids=str)


def for_all(*drawn: Strategy[Any], share: float) -> Callable[[Callable[..., None]], None]:
    """A decorator that tries a function at once, on so large a share of the profile's number of examples."""

    def run(check: Callable[..., None]) -> None:
        examples = max(1, int(settings.default.max_examples * share))
        settings(max_examples=examples)(given(*drawn)(check))()

    return run


# -- calling an op ---------------------------------------------------------------------------------------------


def cast(array: np.ndarray, dtype: str) -> np.ndarray:
    """The values of a sample in a dtype; as integers none of them becomes zero that was not."""
    if array.dtype != np.float64:
        return array
    if dtype.startswith("float"):
        return array.astype(dtype)
    if dtype == "bool":
        return np.asarray(array > 0)
    whole = np.ceil(np.abs(array)) * (1 if dtype.startswith("u") else np.sign(array))
    return np.asarray(whole, dtype)


def arranged(array: Any, layout: str) -> Any:
    """A device's array in another memory order, or all of it a view of its first row."""
    xp = backend.namespace(array)
    if array.ndim == 0 or layout == "plain":
        return array
    if layout == "fortran":
        return xp.ascontiguousarray(array.T).T
    if layout == "backwards":
        return xp.ascontiguousarray(array[..., ::-1])[..., ::-1]
    if layout == "gaps":
        return xp.repeat(array, 2, axis=-1)[..., ::2]
    return xp.broadcast_to(array[:1], array.shape) if len(array) else array


def placed(value: Any, device: str) -> Any:
    """Options with their arrays on a device."""
    if isinstance(value, np.ndarray):
        return tg.tensor(value, device=device)
    if isinstance(value, tuple):
        return tuple(placed(item, device) for item in value)
    if isinstance(value, dict):
        return {name: placed(item, device) for name, item in value.items()}
    return value


def listed(result: Any) -> list[Any]:
    """The outputs of an op that has one or several."""
    return [*result] if isinstance(result, (tuple, list)) else [result]


def frozen(array: Any) -> Any:
    """A NumPy array that refuses to be written to."""
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    return array


class Call:
    """One call of an op, with the tensors that went in and came out."""

    def __init__(
        self, spec: Spec, sample: Sample, dtype: str, device: str, layout: str = "plain", gradients: bool = False
    ) -> None:
        self.spec, self.device = spec, device
        self.given = [cast(array, dtype) for array in sample.arrays]
        # Indices and the like keep their values.
        layouts = [layout if array.dtype == np.float64 else "plain" for array in sample.arrays]
        if layout == "broadcast":
            self.given = [np.asarray(arranged(*each)) for each in zip(self.given, layouts, strict=True)]
        bare = [
            frozen(arranged(backend.transfer(array.copy(), device), each))
            for array, each in zip(self.given, layouts, strict=True)
        ]
        self.inputs = [
            tg.Tensor(array, requires_grad=gradients and source.dtype == np.float64)
            for array, source in zip(bare, sample.arrays, strict=True)
        ]
        self.options = placed(sample.options, device)
        if spec.creates:
            self.options["device"] = device
        self.wanted = [tensor for tensor in self.inputs if tensor.requires_grad]
        self.unchanged = list(zip(self.inputs, self.given, strict=True))

    def run(self) -> list[Any]:
        """The outputs."""
        self.outputs = listed(self.spec.function(*self.inputs, **self.options))
        return self.outputs

    def pull(self, cotangents: list[np.ndarray], **options: Any) -> list[Any]:
        """The gradients of the inputs that have one."""
        outputs = [output for output in self.outputs if output.requires_grad]
        given = [frozen(each.astype(output.dtype)) for output, each in zip(outputs, cotangents, strict=True)]
        self.cotangents = [tg.Tensor(backend.transfer(cotangent, self.device)) for cotangent in given]
        self.unchanged += zip(self.cotangents, given, strict=True)
        if not outputs:
            return [None] * len(self.wanted)
        return list(tg.grad(outputs, self.wanted, self.cotangents, allow_unused=True, **options))

    def assert_unchanged(self) -> None:
        """That nothing was written to what was given: inputs and cotangents."""
        for tensor, source in self.unchanged:
            np.testing.assert_array_equal(tensor.numpy(), source)


def assert_close(found: Any, expected: np.ndarray, dtype: Any, slack: float = 1.0) -> None:
    """Values that agree to the rounding of a dtype."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    if np.dtype(dtype).kind != "f":
        np.testing.assert_array_equal(found, expected)
        return
    finite = np.abs(expected[np.isfinite(expected)], dtype=np.float64)
    tolerance = slack * TOLERANCE[str(np.dtype(dtype))] * max(1.0, finite.max(initial=0.0))
    np.testing.assert_allclose(found.astype(np.float64), expected, rtol=0, atol=tolerance)


def expected_outputs(spec: Spec, sample: Sample, arrays: list[np.ndarray], dtype: str) -> list[tuple[np.ndarray, Any]]:
    """What the reference gives, computed in float64, and the dtypes that the op should give."""
    floating = dtype.startswith("float")
    exact = [array.astype("float64") if array.dtype == dtype and floating else array for array in arrays]
    with warnings.catch_warnings():
        # What the reference warns of (0 / 0, the mean of nothing) the op may give without a word.
        warnings.simplefilter("ignore")
        results = listed(spec.reference(*exact, **sample.options))
    results = [np.asarray(result) for result in results]
    kept = floating and sample.options.get("dtype") is None
    return [(result, dtype if kept and result.dtype == "float64" else result.dtype) for result in results]


# -- the properties --------------------------------------------------------------------------------------------


def test_every_public_op_has_a_record() -> None:
    recorded = {spec.name for spec in SPECS} | {*WITHOUT_RECORD}
    missing, unknown = {*FUNCTIONS} - recorded, recorded - {*FUNCTIONS}
    assert not missing, f"give these a record in array_specs.py, creation_specs.py or network_specs.py: {missing}"
    assert not unknown, f"these records are of no public op: {unknown}"


@pytest.mark.parametrize("spec", [spec for spec in SPECS if not spec.creates], ids=str)
def test_samples_include_empty_arrays_and_full_ones(spec: Spec) -> None:
    def find(wanted: Callable[[Sample], bool]) -> None:
        hypothesis.find(spec.samples, wanted, settings=settings(phases=[Phase.generate], max_examples=500))

    find(lambda sample: all(array.size > 1 for array in sample.arrays))
    if not spec.nonempty:
        find(lambda sample: any(array.size == 0 for array in sample.arrays))


@every_op
def test_forward(spec: Spec, device: str) -> None:
    if device not in spec.devices:
        pytest.skip(f"{spec.name} does not work on {device}")

    @for_all(spec.samples, st.sampled_from(spec.dtypes), st.sampled_from(LAYOUTS), share=1.5)
    def _(sample: Sample, dtype: str, layout: str) -> None:
        call = Call(spec, sample, dtype, device, layout)
        with count_transfers() as count:
            outputs = call.run()
        assert spec.host or count.to_host == {}
        expected = expected_outputs(spec, sample, call.given, dtype)
        assert len(outputs) == len(expected)
        for output, (values, wanted) in zip(outputs, expected, strict=True):
            assert isinstance(output, tg.Tensor)
            assert (output.device, output.dtype, output.requires_grad) == (device, wanted, False)
            assert_close(output.numpy(), values, wanted, spec.slack)
        call.assert_unchanged()


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.differentiable and spec.order], ids=str)
def test_derivatives(spec: Spec) -> None:
    full = spec.samples.filter(lambda sample: all(array.size for array in sample.arrays))

    @for_all(full, share=0.5)
    def _(sample: Sample) -> None:
        # Bent a little, so that the second derivative of a linear op is not zero.
        def bent(*tensors: Any) -> list[Any]:
            return [y * (1 + 0.5 * y) for y in listed(spec.function(*tensors, **placed(sample.options, "cpu")))]

        report = gradcheck(bent, *sample.arrays, order=spec.order, rtol=2e-8 * spec.slack, atol=2e-9 * spec.slack)
        assert report, str(report)


@differentiable_op
def test_gradients_are_like_their_data(spec: Spec, device: str) -> None:
    if device not in spec.devices:
        pytest.skip(f"{spec.name} does not work on {device}")
    dtypes = [dtype for dtype in spec.dtypes if dtype.startswith("float")]

    @for_all(spec.samples, st.sampled_from(dtypes), st.sampled_from(LAYOUTS), share=1)
    def _(sample: Sample, dtype: str, layout: str) -> None:
        call = Call(spec, sample, dtype, device, layout, gradients=True)
        with count_transfers() as count:
            call.run()
        rng = np.random.default_rng(0)
        cotangents = [rng.uniform(0.5, 1.5, output.shape) for output in call.outputs if output.requires_grad]
        for output in call.outputs:
            assert output.requires_grad == (output.dtype.kind == "f" and bool(call.wanted))
        with count_transfers() as count_backward:
            gradients = call.pull(cotangents, retain_graph=True)
        assert spec.host or (count.to_host, count_backward.to_host) == ({}, {})

        # The same on the CPU, from copies in plain order, in float64.
        exact = Sample(tuple(a.astype("float64") if a.dtype == dtype else a for a in call.given), sample.options)
        plain = Call(spec, exact, "float64", "cpu", gradients=True)
        plain.run()
        # Cotangents as the low precision sees them.
        rounded = [c.astype(o.dtype) for c, o in zip(cotangents, call.outputs, strict=False)]
        expected = plain.pull([c.astype("float64") for c in rounded])
        recorded = call.pull(cotangents, create_graph=True)

        memory = [tensor.data for tensor in [*call.inputs, *call.cotangents, *call.outputs]]
        for tensor, gradient, again, reference in zip(call.wanted, gradients, recorded, expected, strict=True):
            if gradient is None:
                assert again is reference is None
                continue
            assert (gradient.shape, gradient.dtype, gradient.device) == (tensor.shape, tensor.dtype, tensor.device)
            assert (again.shape, again.dtype, again.device) == (tensor.shape, tensor.dtype, tensor.device)
            assert_close(gradient.numpy(), reference.numpy(), dtype, spec.slack)
            assert_close(again.numpy(), reference.numpy(), dtype, spec.slack)
            assert not any(share_memory(gradient.data, other) for other in memory)
            memory.append(gradient.data)
        call.assert_unchanged()


def share_memory(a: Any, b: Any) -> bool:
    """Whether two arrays of one library look at the same memory."""
    xp = backend.namespace(a)
    return bool(xp.shares_memory(a, b)) if a.size and b.size else False


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.numbers], ids=str)
def test_numbers_are_weak(spec: Spec, device: str) -> None:
    numbers = st.sampled_from([1, 2, 1.5, np.float64(1.5), np.float32(2.0), np.int64(2)])
    floats = [dtype for dtype in spec.dtypes if dtype.startswith("float")]

    @for_all(spec.samples, st.sampled_from(floats), numbers, st.integers(0, 2), share=0.5)
    def _(sample: Sample, dtype: str, number: Any, place: int) -> None:
        if len(sample.arrays) < 2:
            return
        place %= len(sample.arrays)
        arrays = [*sample.arrays]
        arrays[place] = np.asarray(number, "float64")
        expected = Call(spec, Sample(tuple(arrays), sample.options), dtype, device).run()
        call = Call(spec, sample, dtype, device)
        call.inputs[place] = number
        for output, wanted in zip(call.run(), expected, strict=True):
            assert output.dtype == wanted.dtype
            assert_close(output.numpy(), wanted.numpy(), wanted.dtype)
