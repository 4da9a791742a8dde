"""What the kernel tests draw: shapes with options that fit, arrays of any memory order, and the families to test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from tensorgrad import backend, kernels
from tensorgrad.kernels import reference
from tensorgrad.kernels.geometry import Pairs, Sizes, extent, output_shape


class OnDevice:
    """A family whose arrays are not NumPy's, called with NumPy arrays."""

    def __init__(self, device: str) -> None:
        self.device = device

    def __getattr__(self, name: str) -> Any:
        def call(*arrays: np.ndarray, **options: Any) -> Any:
            there = [backend.transfer(array, self.device) for array in arrays]
            result = getattr(kernels.of(there[0]), name)(*there, **options)
            if isinstance(result, tuple):
                return tuple(backend.transfer(each, "cpu") for each in result)
            return backend.transfer(result, "cpu")

        return call


FAMILIES = [
    pytest.param(reference, id="reference"),
    pytest.param(kernels.of(np.zeros(())), id="numpy"),
    pytest.param(OnDevice("strict"), id="strict"),
    pytest.param(OnDevice("cuda"), id="cupy", marks=pytest.mark.gpu),
]
every_family = pytest.mark.parametrize("family", FAMILIES)
other_families = pytest.mark.parametrize("family", FAMILIES[1:])
"""Those that are compared with the reference."""

more_examples = settings(max_examples=5 * settings().max_examples)
"""Few of the shapes are special, and a case is quickly tried."""


@dataclass(frozen=True)
class Case:
    """An input shape with windows that fit, and the seed of what is in the arrays."""

    batch: int
    channels: int
    spatial: Sizes
    kernel: Sizes
    stride: Sizes
    padding: Pairs
    dilation: Sizes
    groups: int
    outputs: int
    seed: int
    order: str

    @property
    def options(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    @property
    def windows(self) -> dict[str, Any]:
        return {"kernel": self.kernel, **self.options}

    @property
    def out(self) -> Sizes:
        return output_shape(self.spatial, self.kernel, self.stride, self.padding, self.dilation)

    @property
    def x_shape(self) -> Sizes:
        return (self.batch, self.channels, *self.spatial)

    @property
    def weight_shape(self) -> Sizes:
        return (self.outputs, self.channels // self.groups, *self.kernel)

    @property
    def y_shape(self) -> Sizes:
        return (self.batch, self.outputs, *self.out)

    @property
    def pooled_shape(self) -> Sizes:
        return (self.batch, self.channels, *self.out)

    def array(self, shape: Sizes, dtype: str = "float64", salt: int = 0) -> np.ndarray:
        """Small whole numbers: every order of summation gives the same. Ties are frequent."""
        rng = np.random.default_rng((self.seed, salt))
        low = 0 if dtype == "bool" or dtype.startswith("u") else -3
        return arranged(rng.integers(low, 4, shape).astype(dtype), self.order)

    def real_array(self, shape: Sizes, salt: int = 0) -> np.ndarray:
        return arranged(np.random.default_rng((self.seed, salt)).standard_normal(shape), self.order)


def arranged(array: np.ndarray, order: str) -> np.ndarray:
    """The same values in another memory order, read-only, so that a kernel that writes to its input is found out."""
    if order == "fortran":
        array = np.asfortranarray(array)
    elif order == "backwards":
        array = np.ascontiguousarray(array[::-1, ..., ::-1])[::-1, ..., ::-1]
    elif order == "gaps":
        array = np.repeat(array, 2, axis=-1)[..., ::2]
    elif order == "channels last":
        array = np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)
    array.flags.writeable = False
    return array


@st.composite
def cases(draw: st.DrawFn, axes: int = 3, largest: int = 3, taps: int | None = None, fewest: int = 1) -> Case:
    """A case with ``fewest`` to ``axes`` spatial axes; ``largest`` bounds the options, ``taps`` the kernel's size."""
    d = draw(st.integers(fewest, axes))
    small = st.integers(1, largest)

    def per_axis(numbers: st.SearchStrategy[int]) -> Sizes:
        return tuple(draw(numbers) for _ in range(d))

    kernel = per_axis(st.integers(1, taps or largest))
    stride, dilation = per_axis(small), per_axis(small)
    padding = tuple(zip(per_axis(st.integers(0, largest)), per_axis(st.integers(0, largest)), strict=True))
    spare = per_axis(st.integers(0, 5 if d < 3 else 2))
    needed = [extent(k, e) - sum(p) for k, e, p in zip(kernel, dilation, padding, strict=True)]
    groups = draw(st.integers(1, 3))
    return Case(
        batch=draw(st.integers(0, 3)),
        channels=groups * draw(st.integers(0, 2)),
        spatial=tuple(max(n, 1) + s for n, s in zip(needed, spare, strict=True)),
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        outputs=groups * draw(st.integers(0, 2)),
        seed=draw(st.integers(0, 2**32 - 1)),
        order=draw(st.sampled_from(["plain", "fortran", "backwards", "gaps", "channels last"])),
    )


def places(case: Case, output: Sizes) -> list[tuple[Sizes, Sizes | None]]:
    """The taps of one output's window, and where in the input each lies (None: in the padding), by definition."""
    found: list[tuple[Sizes, Sizes | None]] = []
    for tap in np.ndindex(*case.kernel):
        place = tuple(
            o * s + t * e - lo
            for o, s, t, e, (lo, _) in zip(output, case.stride, tap, case.dilation, case.padding, strict=True)
        )
        inside = all(0 <= p < size for p, size in zip(place, case.spatial, strict=True))
        found.append((tap, place if inside else None))
    return found


def inner(a: np.ndarray, b: np.ndarray) -> float:
    """The inner product of two arrays of one shape."""
    assert a.shape == b.shape
    return float(np.vdot(a, b))
