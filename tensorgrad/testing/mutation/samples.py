"""What rules are given and give at samples of the records; which records a rule belongs to."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import Phase, given, seed, settings

from tensorgrad.autograd import Tensor, grad
from tensorgrad.testing.mutation.sites import RuleSite, Seen, Site, watched
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.properties import SETTINGS
from tensorgrad.testing.strategies import Sample
from tensorgrad.testing.trial import listed, placed


def draw(spec: OpSpec, count: int) -> list[Sample]:
    """Some samples of a record, the same in every run."""
    drawn: list[Sample] = []
    options = settings(SETTINGS, max_examples=count, phases=[Phase.generate])

    def collect(sample: Sample) -> None:
        drawn.append(sample)

    seed(0)(options(given(spec.samples())(collect)))()
    return drawn


def is_values(value: Any) -> bool:
    """Whether something in a sample is an array of values, rather than of indices, say."""
    return isinstance(value, np.ndarray) and value.dtype == np.float64


def special(sample: Sample) -> list[Sample]:
    """A sample with whole numbers only, and with few: zeros, ties and kinks that records may keep away from."""
    changes = (lambda x: np.rint(x), lambda x: np.sign(np.rint(x / 2)))
    return [
        replace(sample, arrays=tuple(change(x) if is_values(x) else x for x in sample.arrays)) for change in changes
    ]


def lower(spec: OpSpec, sample: Sample) -> list[Sample]:
    """A sample in the lower precisions that a record knows."""
    return [replace(sample, dtype=dtype) for dtype in ("float32", "float16") if dtype in spec.dtypes]


def gradients(spec: OpSpec, sample: Sample) -> list[Any]:
    """Gradients of first and second order (and of higher ones that the record asks for) at a sample, in its dtype.

    Returns:
        Arrays, and None for what something does not depend on; or the text of the error.
    """
    arrays = [_tensor(x, sample.dtype, spec.differentiable) if isinstance(x, np.ndarray) else x for x in sample.arrays]
    wanted = [x for x in arrays if isinstance(x, Tensor) and x.requires_grad]
    found: list[Any] = []
    try:
        outputs = [y for y in listed(spec(*arrays, **placed(sample.options, "cpu"))) if y.requires_grad]
        rng = np.random.default_rng(0)
        for order in range(1, max(2, spec.order) + 1):
            if not (outputs and wanted):
                break
            given = [rng.uniform(0.5, 1.5, y.shape).astype(y.dtype) for y in outputs]
            cotangents = [Tensor(u, requires_grad=True) for u in given]
            if order == 1:
                found += grad(outputs, wanted, cotangents, allow_unused=True, retain_graph=True)
            slopes = grad(outputs, wanted, cotangents, allow_unused=True, create_graph=True)
            found += slopes
            # What does not depend on the cotangent has no second derivative.
            outputs = [slope for slope in slopes if slope is not None and slope.requires_grad]
            wanted += cotangents
        return [None if each is None else each.numpy() for each in found]
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def _tensor(array: np.ndarray, dtype: str, differentiable: bool) -> Tensor:
    if not is_values(array):
        return Tensor(array.copy())
    return Tensor(array.astype(dtype), requires_grad=differentiable)


def difference(found: Sequence[Any], expected: Sequence[Any]) -> float:
    """The largest difference, relative to the largest entry of its array; infinite if one is of another kind."""
    if len(found) != len(expected):
        return np.inf
    return max((_difference(a, b) for a, b in zip(found, expected, strict=True)), default=0.0)


def _difference(a: Any, b: Any) -> float:
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        # None is a zero that need not be computed.
        zeros = [value is None or (isinstance(value, np.ndarray) and not value.any()) for value in (a, b)]
        return 0.0 if all(zeros) or (isinstance(a, str) and isinstance(b, str) and a == b) else np.inf
    if a.shape != b.shape or a.dtype != b.dtype:
        return np.inf
    if np.array_equal(a, b, equal_nan=True):
        return 0.0
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return np.inf
    scale = np.abs(b[np.isfinite(b)]).max(initial=0.0)
    with np.errstate(invalid="ignore"):
        error = np.nanmax(np.where(a == b, 0.0, np.abs(a - b)))
    return float(error / scale) if scale else np.inf


def seen_at(site: Site, specs: Iterable[OpSpec], count: int = 12) -> Seen:
    """What a rule is given, and gives, at some samples of its records."""
    with watched([site]) as seen, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for spec in specs:
            for sample in draw(spec, count):
                gradients(spec, sample)
    return seen[site.name]


def records_of(sites: Sequence[Site], specs: Sequence[OpSpec]) -> dict[str, list[OpSpec]]:
    """For each rule, by its name, the records whose tests it is up to: its op's own.

    An op that is not public is tested through the functions of its module that use it, or by whatever uses it.
    """
    found: dict[str, list[OpSpec]] = {}
    left: list[Site] = []
    for site in sites:
        own = [spec for spec in specs if isinstance(site, RuleSite) and getattr(spec.function, "op", None) is site.op]
        found[site.name] = own
        if not own:
            left.append(site)
    for near in (True, False):
        modules = {site.module for site in left}
        for spec in specs:
            if not left or not spec.differentiable or (spec.function.__module__ in modules) != near:
                continue
            with watched(left) as seen, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for sample in draw(spec, 8):
                    gradients(spec, sample)
            for site in left:
                if seen[site.name].runs and (not near or site.module == spec.function.__module__):
                    found[site.name].append(spec)
        left = [site for site in left if not found[site.name]]
    return found
