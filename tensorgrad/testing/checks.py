"""What is true of every op, each tested from its record alone.

PYTEST_DONT_REWRITE: to what these assertions say pytest has nothing to add.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.autograd import Tensor, grad
from tensorgrad.ops.creation import tensor
from tensorgrad.testing import gradcheck
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.strategies import Sample, Shape, Strategy
from tensorgrad.testing.trial import (
    LAYOUTS,
    Trial,
    assert_close,
    listed,
    placed,
    plain,
    reference_outputs,
    share_memory,
)


@dataclass(frozen=True)
class Property:
    """Something that is true of every op, or of some kind of them.

    Attributes:
        name: what it is called.
        check: raises AssertionError unless it is true of the op of a spec, at a sample, on a device.
        holds_for: the specs that it is for.
        samples: draws samples for a spec, or lists them all.
        share: of the number of examples, how large a part is enough.
        where: "once", if it is enough to try it on one device; "everywhere"; or "elsewhere", on all but the CPU.
    """

    name: str
    check: Callable[[OpSpec, Any, str], None]
    holds_for: Callable[[OpSpec], Any]
    samples: Callable[[OpSpec], Strategy[Any] | list[Any]]
    share: float
    where: str

    @property
    def words(self) -> str:
        """The property in a sentence."""
        return (self.check.__doc__ or "").strip()


PLAIN = LAYOUTS[:1]
NUMBERS: tuple[Any, ...] = (1, 2, 1.5, np.float64(1.5), np.float32(2.0), np.int64(2))
"""Stand for an array without axes."""

PROPERTIES: dict[str, Property] = {}
"""All properties by name, in the order in which they are tried."""


def register(
    holds_for: Callable[[OpSpec], Any],
    samples: Callable[[OpSpec], Strategy[Any] | list[Any]],
    share: float = 0.5,
    where: str = "once",
) -> Callable[[Callable[[OpSpec, Any, str], None]], Callable[[OpSpec, Any, str], None]]:
    """A decorator: the function of a spec, a sample and a device becomes a property of its name.

    Args:
        holds_for: the specs that it is for.
        samples: draws samples for a spec, or lists them all.
        share: of the number of examples, how large a part is enough.
        where: as for :class:`Property`.
    """

    def add(check: Callable[[OpSpec, Any, str], None]) -> Callable[[OpSpec, Any, str], None]:
        name = check.__name__.replace("_", " ")
        PROPERTIES[name] = Property(name, check, holds_for, samples, share, where)
        return check

    return add


# -- which specs, which samples --------------------------------------------------------------------------------


def _floats(spec: OpSpec) -> list[str]:
    return [dtype for dtype in spec.dtypes if dtype.startswith("float")]


def _drawn(
    dtypes: Callable[[OpSpec], Any] = _floats,
    layouts: tuple[str, ...] = LAYOUTS,
    accept: Callable[[Sequence[Shape]], bool] | None = None,
) -> Callable[[OpSpec], Strategy[Sample]]:
    """Samples in any of some dtypes and layouts, of shapes that are accepted."""

    def samples(spec: OpSpec) -> Strategy[Sample]:
        drawn = st.tuples(spec.samples(accept), st.sampled_from(dtypes(spec)), st.sampled_from(layouts))
        return drawn.map(lambda each: replace(each[0], dtype=each[1], layout=each[2]))

    return samples


def _all_dtypes(spec: OpSpec) -> Any:
    return spec.dtypes


def _has_gradients(spec: OpSpec) -> bool:
    return spec.differentiable and bool(_floats(spec))


# -- values ----------------------------------------------------------------------------------------------------


@register(lambda spec: spec.reference, _drawn(_all_dtypes, PLAIN), share=1)
def forward(spec: OpSpec, sample: Sample, device: str) -> None:
    """The outputs have the values, the shapes and the dtypes that the reference gives."""
    trial = Trial(spec, sample, device).run()
    expected = reference_outputs(spec, trial, sample)
    assert len(trial.outputs) == len(expected), f"there are {len(trial.outputs)} outputs instead of {len(expected)}"
    for i, (output, (values, dtype)) in enumerate(zip(trial.outputs, expected, strict=True)):
        assert isinstance(output, Tensor), f"output {i} is no Tensor but {type(output).__name__}"
        assert output.device == device, f"output {i} is on {output.device}"
        assert output.dtype == dtype, f"output {i} has dtype {output.dtype} instead of {dtype}"
        assert not output.requires_grad, f"output {i} requires a gradient, though no input does"
        assert_close(f"output {i}", output.numpy(), values, dtype, spec.slack)


@register(
    lambda spec: spec.reference and not spec.nonempty and not spec.creates,
    _drawn(_all_dtypes, PLAIN, lambda shapes: any(0 in shape for shape in shapes)),
    share=0.2,
)
def empty(spec: OpSpec, sample: Sample, device: str) -> None:
    """Arrays without elements are taken, and their gradients have their shapes."""
    forward(spec, sample, device)
    if _has_gradients(spec) and sample.dtype in _floats(spec):
        dtypes(spec, sample, device)


@register(
    lambda spec: spec.reference and spec.takes_scalars,
    _drawn(_all_dtypes, PLAIN, lambda shapes: () in shapes),
    share=0.2,
)
def scalars(spec: OpSpec, sample: Sample, device: str) -> None:
    """Arrays without axes are taken, and have gradients without axes."""
    forward(spec, sample, device)
    if _has_gradients(spec) and sample.dtype in _floats(spec):
        dtypes(spec, sample, device)


@register(
    lambda spec: spec.numbers,
    lambda spec: st.tuples(_drawn(layouts=PLAIN)(spec), st.sampled_from(NUMBERS), st.integers(0, 2)).map(
        lambda drawn: with_number(*drawn)
    ),
    where="everywhere",
)
def numbers(spec: OpSpec, sample: Sample, device: str) -> None:
    """A number in place of an array gives what an array without axes gives, and widens no dtype."""
    arrays = tuple(each if isinstance(each, np.ndarray) else np.asarray(float(each)) for each in sample.arrays)
    expected = Trial(spec, replace(sample, arrays=arrays), device).run().outputs
    for output, wanted in zip(Trial(spec, sample, device).run().outputs, expected, strict=True):
        assert output.dtype == wanted.dtype, f"the output has dtype {output.dtype} instead of {wanted.dtype}"
        assert_close("the output", output.numpy(), wanted.numpy(), wanted.dtype)


def with_number(sample: Sample, number: Any, place: int) -> Sample:
    """A sample with a number in one place, if there are two arrays or more."""
    arrays = [*sample.arrays]
    if len(arrays) > 1:
        arrays[place % len(arrays)] = number
    return replace(sample, arrays=tuple(arrays))


# -- derivatives -----------------------------------------------------------------------------------------------


@register(
    lambda spec: spec.differentiable and spec.order,
    lambda spec: spec.samples(lambda shapes: all(0 not in shape for shape in shapes)),
    share=0.3,
)
def derivatives(spec: OpSpec, sample: Sample, device: str) -> None:
    """The derivatives agree with finite differences, up to the order of the record."""
    options = placed(sample.options, device)

    # Bent a little, so that the second derivative of a linear op is not zero, and nowhere level.
    def bent(*tensors: Any) -> list[Any]:
        return [y * (1 + 0.1 * y * y) for y in listed(spec(*tensors, **options))]

    tensors = [tensor(array, device=device) for array in sample.arrays]
    report = gradcheck(bent, *tensors, order=spec.order)
    assert report, str(report)


@register(_has_gradients, _drawn(layouts=PLAIN))
def dtypes(spec: OpSpec, sample: Sample, device: str) -> None:
    """Outputs keep the dtype of floating point inputs; gradients have the shape, dtype and device of their inputs."""
    trial = Trial(spec, sample, device, gradients=True).run()
    for i, output in enumerate(trial.outputs):
        floating = output.dtype.kind == "f"
        assert output.requires_grad == (floating and bool(trial.wanted)), f"requires_grad of output {i} is not right"
        if floating and trial.wanted and sample.options.get("dtype") is None:
            assert output.dtype == sample.dtype, f"output {i} has dtype {output.dtype} instead of {sample.dtype}"
    exact = Trial(spec, plain(sample, trial, "float64"), device, gradients=True).run()
    cotangents = trial.cotangents_like()
    found, expected = trial.pull(cotangents), exact.pull(cotangents)
    _assert_same_gradients(spec, trial, found, expected, sample.dtype)


def _assert_same_gradients(spec: OpSpec, trial: Trial, found: list[Any], expected: list[Any], dtype: str) -> None:
    """That gradients are like the inputs of a call, and have the values of others."""
    for i, (source, gradient, wanted) in enumerate(zip(trial.wanted, found, expected, strict=True)):
        assert (gradient is None) == (wanted is None), f"input {i} has a gradient in only one of two calls"
        if gradient is not None:
            have, need = ((t.shape, t.dtype, t.device) for t in (gradient, source))
            assert have == need, f"the gradient of input {i} has shape, dtype and device {have} instead of {need}"
            assert_close(f"the gradient of input {i}", gradient.numpy(), wanted.numpy(), dtype, spec.slack)


@register(_has_gradients, _drawn(layouts=PLAIN))
def rules(spec: OpSpec, sample: Sample, device: str) -> None:
    """Gradients are linear in what they are pulled from, and the same when they are recorded."""
    trial = Trial(spec, sample, device, gradients=True).run()
    one, other = trial.cotangents_like(1), trial.cotangents_like(2)
    mixed = [2 * a - 0.5 * b for a, b in zip(one, other, strict=True)]
    first, second, both = (trial.pull(each, retain_graph=True) for each in (one, other, mixed))
    _assert_same_gradients(spec, trial, trial.pull(mixed, create_graph=True), both, sample.dtype)
    for i, parts in enumerate(zip(first, second, both, strict=True)):
        if parts[0] is not None:
            a, b, c = (part.numpy().astype("float64") for part in parts)
            # The parts may cancel each other: their rounding does not.
            slack = spec.slack * max(1.0, *(np.abs(2 * part).max(initial=0) for part in (a, b)))
            with np.errstate(invalid="ignore"):
                assert_close(f"the gradient of input {i} by a sum", c, 2 * a - 0.5 * b, sample.dtype, slack)


@register(
    lambda spec: spec.differentiable and {"float32", "float64"} <= {*spec.dtypes},
    _drawn(lambda spec: ["float32"], PLAIN),
)
def curvature(spec: OpSpec, sample: Sample, device: str) -> None:
    """Gradients of gradients, of one input or of all, are linear, and in single precision what they are in double."""
    trial = Trial(spec, replace(sample, dtype="float32"), device, gradients=True).run()
    exact = Trial(spec, plain(sample, trial, "float64"), device, gradients=True).run()
    count = len(trial.wanted)
    for chosen in {tuple(range(count)), *((i,) for i in range(count))}:
        sources, doubles = ([each.wanted[i] for i in chosen] for each in (trial, exact))
        found, again = trial.pull_twice(sources), trial.pull_twice(sources, 0, 1)
        first, second, both = (exact.pull_twice(doubles, *weights) for weights in ((1, 0), (0, 1), (2, -0.5)))
        for i, parts in enumerate(zip(found, again, first, second, both, strict=True)):
            what = f"the gradient of input {chosen[i]}" if i < len(chosen) else f"that of cotangent {i - len(chosen)}"
            what += ", of gradients,"
            assert len({part is None for part in parts}) == 1, f"{what} is there in only one of two calls"
            if parts[0] is not None:
                single, next_one, one, other, mixed = parts
                assert single.dtype == "float32", f"{what} has dtype {single.dtype}"
                assert not share_memory(single.data, next_one.data), f"{what} shares memory with that of the next call"
                # It is rounded twice, and by more than once where terms cancel.
                assert_close(what, single.numpy(), one.numpy(), "float32", 100 * spec.slack)
                expected = 2 * one.numpy() - 0.5 * other.numpy()
                assert_close(f"{what} by a sum", mixed.numpy(), expected, "float64", spec.slack)


# -- memory ----------------------------------------------------------------------------------------------------


@register(lambda spec: not spec.creates, _drawn(_all_dtypes, LAYOUTS[1:]))
def layouts(spec: OpSpec, sample: Sample, device: str) -> None:
    """Arrays that are not contiguous give what their contiguous copies give, outputs and gradients."""
    _same_in(spec, sample, device, device)


@register(lambda spec: not spec.creates, _drawn(_all_dtypes), where="everywhere")
def unchanged(spec: OpSpec, sample: Sample, device: str) -> None:
    """Inputs and cotangents are what they were, after the call, its gradients, and their recorded gradients."""
    gradients = _has_gradients(spec) and sample.dtype in _floats(spec)
    trial = Trial(spec, sample, device, gradients=gradients).run()
    trial.assert_unchanged()
    if gradients:
        trial.pull(trial.cotangents_like(), retain_graph=True)
        trial.assert_unchanged()
        trial.pull(trial.cotangents_like(), create_graph=True)
        trial.assert_unchanged()


@register(_has_gradients, _drawn(), where="everywhere")
def aliasing(spec: OpSpec, sample: Sample, device: str) -> None:
    """Gradients share no memory with each other, nor with inputs, outputs or cotangents."""
    trial = Trial(spec, sample, device, gradients=True).run()
    gradients = trial.pull(trial.cotangents_like())
    memory = [(f"output {i}", output.data) for i, output in enumerate(trial.outputs)]
    memory += [(f"input {i}", t.data) for i, t in enumerate(trial.inputs) if isinstance(t, Tensor)]
    memory += [(f"cotangent {i}", cotangent.data) for i, cotangent in enumerate(trial.cotangents)]
    for i, gradient in enumerate(gradients):
        if gradient is not None:
            for name, other in memory:
                assert not share_memory(gradient.data, other), f"the gradient of input {i} shares memory with {name}"
            memory.append((f"the gradient of input {i}", gradient.data))


# -- devices ---------------------------------------------------------------------------------------------------


@register(lambda spec: spec.devices is None or "cpu" in spec.devices, _drawn(_all_dtypes), share=1, where="elsewhere")
def parity(spec: OpSpec, sample: Sample, device: str) -> None:
    """On every device outputs and gradients are what they are on the CPU."""
    _same_in(spec, sample, device, "cpu")


def _same_in(spec: OpSpec, sample: Sample, device: str, plain_device: str) -> None:
    """That a call gives what a call of contiguous arrays gives on another device or the same."""
    gradients = _has_gradients(spec) and sample.dtype in _floats(spec)
    trial = Trial(spec, sample, device, gradients=gradients).run()
    other = Trial(spec, plain(sample, trial, sample.dtype), plain_device, gradients=gradients).run()
    for i, (output, expected) in enumerate(zip(trial.outputs, other.outputs, strict=True)):
        assert isinstance(output, Tensor), f"output {i} is no Tensor but {type(output).__name__}"
        have, need = (output.dtype, output.device), (expected.dtype, device)
        assert have == need, f"output {i} has dtype and device {have} instead of {need}"
        assert_close(f"output {i}", output.numpy(), expected.numpy(), output.dtype, spec.slack)
    if gradients:
        cotangents = other.cotangents_like()
        expected_gradients = other.pull(cotangents)
        _assert_same_gradients(spec, trial, trial.pull(cotangents, retain_graph=True), expected_gradients, sample.dtype)
        _assert_same_gradients(spec, trial, trial.pull(cotangents, create_graph=True), expected_gradients, sample.dtype)


# -- what is written -------------------------------------------------------------------------------------------


@register(lambda spec: spec.at_kinks(), lambda spec: spec.at_kinks(), where="everywhere")
def kinks(spec: OpSpec, sample: Any, device: str) -> None:
    """Where there is no derivative, the gradient is what the record states; if that is finite, its own is no NaN."""
    wanted = [tensor(np.asarray(a, "float64"), device=device, requires_grad=True) for a in sample.arrays]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = [y for y in listed(spec(*wanted, **placed(sample.options, device))) if y.requires_grad]
    cotangents = [tensor(np.ones(y.shape), device=device) for y in outputs]
    finite = all(each is None or np.isfinite(np.asarray(each, "float64")).all() for each in sample.gradients)
    with np.errstate() if finite else np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("error")
        found = _or_none(outputs, wanted, cotangents, create_graph=True)
    for i, (gradient, stated, x) in enumerate(zip(found, sample.gradients, wanted, strict=True)):
        if stated is not None:
            have = np.zeros(x.shape) if gradient is None else gradient.numpy()
            assert np.array_equal(have, np.asarray(stated, "float64"), equal_nan=True), (
                f"the gradient of input {i} is {have.tolist()} instead of {np.asarray(stated).tolist()}"
            )
    slopes = [each for each in found if each is not None and each.requires_grad] if finite else []
    with np.errstate(all="ignore"):
        bends = _or_none(slopes, wanted, [tensor(np.ones(each.shape), device=device) for each in slopes])
    for i, bend in enumerate(bends):
        if bend is not None:
            assert not np.isnan(bend.numpy()).any(), f"the gradient of input {i}, of gradients, is {bend.tolist()}"


def _or_none(outputs: list[Any], inputs: list[Any], cotangents: list[Any], **options: Any) -> Sequence[Any]:
    """Gradients; None for all inputs if there is no output that has any."""
    return grad(outputs, inputs, cotangents, allow_unused=True, **options) if outputs else [None] * len(inputs)


@register(lambda spec: spec.bad_calls(), lambda spec: spec.bad_calls())
def errors(spec: OpSpec, sample: Any, device: str) -> None:
    """Bad calls are refused, in words that help."""
    given = placed(sample.args, device)
    try:
        result = spec.function(*given, **placed(sample.options, device))
    except sample.error as error:
        message = str(error)
    else:
        raise AssertionError(f"it was not refused, but gave {result}")
    assert re.search(sample.words, message), f"the message lacks {sample.words!r}: {message}"
