"""The derivatives of a whole sample in one number: quick enough to be tried on many shapes, options and layouts.

PYTEST_DONT_REWRITE: to what these assertions say pytest has nothing to add.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.autograd import Tensor, grad
from tensorgrad.testing.checks import PROPERTIES as PROPERTIES
from tensorgrad.testing.checks import register
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.strategies import Sample, Strategy
from tensorgrad.testing.trial import LAYOUTS, arranged, assert_close, frozen, listed, placed

STEP = 1e-4
"""Of the differences: smaller than the gaps between values, so that no kink is crossed."""
TOLERANCE = 1e-7
"""How much a slope may differ from the differences, relative to the sum of the sizes of what it is the sum of."""
NOTHING = 1e-8
"""How much a slope may be where it is the sum of nothing: of a product of zeros, say, what the steps leave."""

Arrays = list[np.ndarray]


def slopes(spec: OpSpec, sample: Sample, device: str) -> None:
    """The slope in a random direction agrees with finite differences, of the op and of its gradients, in any layout."""
    values = [each for each in sample.arrays if _is_values(each)]
    _check(_One(spec, sample, device), values, sample.layout, max(1, spec.order), spec.slack)


def together(spec: OpSpec, sample: Sample, device: str) -> None:
    """Two calls in one graph, with other values each, have the gradients of both."""
    values = [each for each in sample.arrays if _is_values(each)]
    # Of all inputs, or of one alone, as the sample has it: then nothing is added to what comes back to that.
    which = sum(each.size for each in values) % (len(values) + 1)
    moving = slice(None) if which == 0 else slice(which - 1, which)
    # Turned round along all axes: the same shapes and the same domain, and what belongs together stays so.
    others = [np.flip(each).copy() for each in values]
    two = _Two(_One(spec, sample, device), values, others, moving)
    with np.errstate(all="ignore"):
        # What is infinite cannot be bent.
        _check(two, [*values[moving], *others[moving]], sample.layout, max(1, min(2, spec.order)), spec.slack)


def _is_values(each: Any) -> bool:
    return isinstance(each, np.ndarray) and each.dtype == np.float64


class _One:
    """The outputs of one call that are in double precision, as a function of the values of a sample."""

    def __init__(self, spec: OpSpec, sample: Sample, device: str) -> None:
        self.spec, self.sample, self.device = spec, sample, device
        self.options = placed(sample.options, device)

    def __call__(self, values: Sequence[Tensor]) -> list[Tensor]:
        left = iter(values)
        inputs = [next(left) if _is_values(each) else each for each in self.sample.arrays]
        inputs = [Tensor(each) if isinstance(each, np.ndarray) else each for each in inputs]
        return [y for y in listed(self.spec(*inputs, **self.options)) if y.dtype == np.float64]


class _Two:
    """The outputs of two calls, bent, as a function of some inputs of each."""

    def __init__(self, one: _One, first: Arrays, second: Arrays, moving: slice) -> None:
        self.one, self.calls, self.moving = one, (first, second), moving

    def __call__(self, values: Sequence[Tensor]) -> list[Tensor]:
        # What stands before and after both calls makes that what is pulled back through one is still there when the
        # other's turn comes.
        left, outputs = iter([1 * value for value in values]), list[Tensor]()
        for fixed in self.calls:
            inputs: list[Any] = [Tensor(each) for each in fixed]
            inputs[self.moving] = [next(left) for _ in inputs[self.moving]]
            outputs += self.one(inputs)
        return [y * (1 + 0.1 * y) for y in outputs]


def _check(
    f: Callable[[Sequence[Tensor]], list[Tensor]], values: Arrays, layout: str, orders: int, slack: float
) -> None:
    rng = np.random.default_rng(0)
    # Cotangents lie in memory in another way than inputs do.
    layouts = (layout, LAYOUTS[(LAYOUTS.index(layout) + 1) % len(LAYOUTS)])
    cotangents: list[Arrays] = []
    undefined = False
    for order in range(1, orders + 1):
        leaves, outputs = _pulled(f, values, cotangents, layouts)
        if not (outputs and leaves):
            return
        # The mean of nothing is no number, and has no slope that could be compared.
        finite = [np.isfinite(y.numpy()) for y in outputs]
        undefined = undefined or not all(each.all() for each in finite)
        given = [_signed(rng, y.shape) * each for y, each in zip(outputs, finite, strict=True)]
        ways = [_signed(rng, x.shape) for x in leaves]
        with np.errstate(all="ignore"):
            laid = [_laid(u, layouts[1]) for u in given]
            found = _gradients(outputs, leaves, laid, retain_graph=True)
            if order == orders:
                # Those of lower orders are recorded in any case.
                _assert_same(order, found, _gradients(outputs, leaves, laid, create_graph=True), slack)
            terms = [np.zeros(d.shape) if g is None else g.numpy() * d for g, d in zip(found, ways, strict=True)]
            ahead, size = _differences(f, values, cotangents, ways, given)
        claimed = float(sum(term.sum() for term in terms))
        size = max(size, float(sum(np.abs(term).sum() for term in terms)))
        if not np.isfinite(claimed - ahead) and (undefined or not all(x.size for x in values)):
            return
        assert abs(claimed - ahead) <= slack * (TOLERANCE * size + NOTHING), (
            f"a slope of order {order} is {claimed:.10g} instead of {ahead:.10g}, {_ratio(claimed, ahead)} times that"
        )
        cotangents.append(given)


def _signed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape))


def _pulled(
    f: Callable[[Sequence[Tensor]], list[Tensor]], values: Arrays, cotangents: list[Arrays], layouts: tuple[str, str]
) -> tuple[list[Tensor], list[Tensor]]:
    """All inputs, cotangents among them, and the gradients of gradients that they lead to, to be pulled again."""
    leaves = [_laid(x, layouts[0]).requires_grad_() for x in values]
    outputs = f(leaves)
    for given in cotangents:
        pulled = [_laid(u, layouts[1]).requires_grad_() for u in given]
        outputs = [slope for slope in _gradients(outputs, leaves, pulled, create_graph=True) if slope is not None]
        leaves += pulled
    return leaves, outputs


def _gradients(
    outputs: list[Tensor], leaves: list[Tensor], cotangents: list[Tensor], **options: bool
) -> Sequence[Tensor | None]:
    """The gradients of what has some; the others say that they depend on nothing."""
    pairs = [(y, u) for y, u in zip(outputs, cotangents, strict=True) if y.requires_grad]
    if not pairs:
        return [None] * len(leaves)
    return grad([y for y, _ in pairs], leaves, [u for _, u in pairs], allow_unused=True, **options)


def _assert_same(order: int, found: Sequence[Tensor | None], recorded: Sequence[Tensor | None], slack: float) -> None:
    for one, other in zip(found, recorded, strict=True):
        assert (one is None) == (other is None), f"of order {order} there is a gradient only if it is not recorded"
        if one is not None and other is not None:
            assert_close(f"a gradient of order {order} that is recorded", other.numpy(), one.numpy(), "float64", slack)


def _laid(values: np.ndarray, layout: str) -> Tensor:
    """A Tensor of these values whose elements lie in memory in some way."""
    same = np.array_equal(values, np.broadcast_to(values[:1], values.shape)) if values.ndim else True
    array = values.copy() if layout == "broadcast" and not same else arranged(values.copy(), layout)
    return Tensor(frozen(array))


def _differences(
    f: Callable[[Sequence[Tensor]], list[Tensor]],
    values: Arrays,
    cotangents: list[Arrays],
    ways: Arrays,
    given: Arrays,
) -> tuple[float, float]:
    """The slope of the outputs, each times its cotangent, and the sum of the sizes of what that is the sum of."""

    def at(step: float) -> Arrays:
        moved = [x + step * d for x, d in zip(_flat(values, cotangents), ways, strict=True)]
        first, rest = moved[: len(values)], moved[len(values) :]
        groups = []
        for group in cotangents:
            groups.append(rest[: len(group)])
            rest = rest[len(group) :]
        return [y.numpy() for y in _pulled(f, first, groups, ("plain", "plain"))[1]]

    total = size = 0.0
    near = [at(step) for step in (STEP, -STEP, 2 * STEP, -2 * STEP)]
    for u, one, back, two, far in zip(given, *near, strict=True):
        # Richardson's extrapolation of the central differences of two steps.
        terms = np.where(u == 0, 0.0, u * (8 * (one - back) - (two - far)) / (12 * STEP))
        total += float(terms.sum())
        size += float(np.abs(terms).sum())
    return total, size


def _flat(values: Arrays, cotangents: list[Arrays]) -> Arrays:
    return [*values, *(u for group in cotangents for u in group)]


def _ratio(a: float, b: float) -> str:
    return f"{a / b:.6g}" if b else "undefined"


def _samples(spec: OpSpec) -> Strategy[Sample]:
    """Samples in double precision, in any layout that has no ties; of single numbers, only a few."""
    layouts = st.sampled_from(("plain", "fortran", "backwards", "fortran", "gaps"))
    drawn = st.tuples(spec.samples(), layouts, st.integers(0, 3)).filter(
        lambda each: each[2] == 3 or any(array.size != 1 for array in each[0].arrays if _is_values(array))
    )
    return drawn.map(lambda each: replace(each[0], layout=each[1]))


for _share, _slope in ((2.0, slopes), (1.0, together)):
    register(lambda spec: spec.differentiable and "float64" in spec.dtypes, _samples, _share)(_slope)
