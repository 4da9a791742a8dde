"""One call of an op on one sample: what goes in, what comes out, and what the two have to do with each other.

PYTEST_DONT_REWRITE: to what these assertions say pytest has nothing to add.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor, grad
from tensorgrad.ops.creation import tensor
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.strategies import Sample

TOLERANCE = {"float64": 1e-11, "float32": 1e-5, "float16": 1e-2}
"""Of a result or gradient, relative to its largest value or 1."""
LAYOUTS = ("plain", "fortran", "backwards", "gaps", "broadcast")
"""Rows one after the other; columns one after the other; the last axis reversed; every second element; one row, again
and again."""


class Trial:
    """One call of an op, once it is told to run.

    Args:
        spec: of the op.
        sample: of which the values take the dtype and the layout that it names.
        device: where to call the op.
        gradients: whether the values require gradients.

    Attributes:
        given: the inputs as NumPy arrays, as they were before the call.
        inputs: the Tensors (and numbers) that the op is called with.
        options: likewise.
        wanted: the inputs that require a gradient.
        outputs: what came out of :meth:`run`, as a list.
    """

    def __init__(self, spec: OpSpec, sample: Sample, device: str, gradients: bool = False) -> None:
        self.spec, self.device = spec, device
        self.given: list[Any] = []
        self.inputs: list[Any] = []
        for source in sample.arrays:
            if not isinstance(source, np.ndarray):
                self.given.append(source)
                self.inputs.append(source)
                continue
            # Indices and the like keep their values and their order.
            layout = sample.layout if source.dtype == np.float64 else "plain"
            array = arranged(backend.transfer(cast(source, sample.dtype), device), layout)
            self.inputs.append(Tensor(frozen(array), requires_grad=gradients and source.dtype == np.float64))
            self.given.append(self.inputs[-1].numpy().copy())
        self.options = placed(sample.options, device)
        if spec.creates:
            self.options["device"] = device
        self.wanted = [each for each in self.inputs if isinstance(each, Tensor) and each.requires_grad]
        self._unchanged = list(zip(self.inputs, self.given, strict=True))

    def run(self) -> Trial:
        """Calls the op."""
        self.outputs = listed(self.spec(*self.inputs, **self.options))
        return self

    def pull(self, cotangents: list[np.ndarray], **options: Any) -> list[Any]:
        """The gradients of the inputs that have one."""
        outputs = [output for output in self.outputs if output.requires_grad]
        given = [frozen(each.astype(output.dtype)) for output, each in zip(outputs, cotangents, strict=True)]
        self.cotangents = [Tensor(backend.transfer(cotangent, self.device)) for cotangent in given]
        self._unchanged += zip(self.cotangents, given, strict=True)
        if not outputs:
            return [None] * len(self.wanted)
        return list(grad(outputs, self.wanted, self.cotangents, allow_unused=True, **options))

    def pull_twice(self, wanted: list[Tensor], a: float = 1, b: float = 0) -> list[Any]:
        """The gradients of the gradients of some inputs, by these and by the cotangents that they were pulled from.

        Args:
            wanted: the inputs.
            a: how often one cotangent of the gradients is taken, each of them being a certain random one.
            b: how often another.
        """
        rng = np.random.default_rng(0)
        outputs = [output for output in self.outputs if output.requires_grad]
        cotangents = self._tensors([rng.uniform(0.5, 1.5, y.shape) for y in outputs], outputs, requires_grad=True)
        found = grad(outputs, wanted, cotangents, allow_unused=True, create_graph=True) if outputs else []
        slopes = [slope for slope in found if slope is not None and slope.requires_grad]
        sources = [*wanted, *cotangents]
        if not slopes:
            return [None] * len(sources)
        pairs = [rng.uniform(0.5, 1.5, (2, *slope.shape)) for slope in slopes]
        given = self._tensors([a * one + b * other for one, other in pairs], slopes)
        return list(grad(slopes, sources, given, allow_unused=True, retain_graph=True))

    def _tensors(self, arrays: list[np.ndarray], like: list[Tensor], requires_grad: bool = False) -> list[Tensor]:
        pairs = zip(arrays, like, strict=True)
        return [
            Tensor(backend.transfer(array.astype(each.dtype), self.device), requires_grad=requires_grad)
            for array, each in pairs
        ]

    def cotangents_like(self, seed: int = 0) -> list[np.ndarray]:
        """Cotangents for the outputs that have gradients: from 0.5 to 1.5, in steps that every dtype holds."""
        rng = np.random.default_rng(seed)
        shapes = [output.shape for output in self.outputs if output.requires_grad]
        return [rng.integers(8, 25, shape) / 16 for shape in shapes]

    def assert_unchanged(self) -> None:
        """That nothing was written to what was given: inputs and cotangents."""
        for i, (each, source) in enumerate(self._unchanged):
            if isinstance(each, Tensor):
                what = f"input {i}" if i < len(self.inputs) else f"cotangent {i - len(self.inputs)}"
                assert np.array_equal(each.numpy(), source, equal_nan=source.dtype.kind == "f"), f"{what} was changed"


def reference_outputs(spec: OpSpec, trial: Trial, sample: Sample) -> list[tuple[np.ndarray, Any]]:
    """What the reference gives for the inputs of a call, computed in float64, and the dtypes that are to come out."""
    assert spec.reference is not None
    floating = sample.dtype.startswith("float")
    exact = [
        array.astype("float64") if floating and np.asarray(array).dtype == sample.dtype else array
        for array in trial.given
    ]
    with warnings.catch_warnings():
        # What the reference warns of (0 / 0, the mean of nothing) the op may give without a word.
        warnings.simplefilter("ignore")
        results = [np.asarray(result) for result in listed(spec.reference(*exact, **sample.options))]
    kept = floating and sample.options.get("dtype") is None
    return [(result, sample.dtype if kept and result.dtype == "float64" else result.dtype) for result in results]


def plain(sample: Sample, trial: Trial, dtype: str) -> Sample:
    """The sample of the values that a call was given, rounded as they were there, in contiguous order and a dtype."""
    arrays = tuple(
        given.astype("float64") if isinstance(given, np.ndarray) and given.dtype.kind == "f" else given
        for given in trial.given
    )
    return replace(sample, arrays=arrays, dtype=dtype, layout="plain")


def cast(array: np.ndarray, dtype: str) -> np.ndarray:
    """The values of a sample in a dtype, as a copy; as integers none of them becomes zero that was not."""
    if array.dtype != np.float64 or dtype.startswith("float"):
        return array.astype(dtype if array.dtype == np.float64 else array.dtype)
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
        return tensor(value, device=device)
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


def share_memory(a: Any, b: Any) -> bool:
    """Whether two arrays of one library look at the same memory."""
    xp = backend.namespace(a)
    return bool(xp.shares_memory(a, b)) if a.size and b.size else False


def assert_close(what: str, found: np.ndarray, expected: np.ndarray, dtype: Any, slack: float = 1.0) -> None:
    """That values agree to the rounding of a dtype, relative to the largest of them or 1."""
    assert found.shape == expected.shape, f"{what} has shape {found.shape} instead of {expected.shape}"
    if np.dtype(dtype).kind != "f":
        assert np.array_equal(found, expected), f"{what} is {found.tolist()} instead of {expected.tolist()}"
        return
    found, expected = found.astype("float64"), expected.astype("float64")
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
    close = np.isclose(found, expected, rtol=0, atol=slack * TOLERANCE[str(np.dtype(dtype))] * largest, equal_nan=True)
    if not close.all():
        index = tuple(map(int, np.argwhere(~close)[0]))
        raise AssertionError(f"{what} is {found[index]} instead of {expected[index]}, in entry {list(index)}")
