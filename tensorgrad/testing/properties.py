"""Runs the properties of an op: the hypothesis behind :func:`check_op`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable

from tensorgrad.backend import canonical_device
from tensorgrad.testing.checks import Property
from tensorgrad.testing.contracts import BadCall
from tensorgrad.testing.opspec import Kink, OpSpec
from tensorgrad.testing.slopes import PROPERTIES as PROPERTIES
from tensorgrad.testing.strategies import Sample, Strategy

SETTINGS = settings(
    deadline=None,
    derandomize=False,
    database=None,
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=[*HealthCheck],
)
"""No deadline, since a busy machine is no failure; each run is given a seed."""


ROUND = 10
"""After so many examples hypothesis would go on with variations of them, which are much alike: a new seed is better."""


@dataclass
class Defaults:
    """What :func:`check_op` does unless it is told otherwise. (``pytest --thorough`` changes it.)

    Attributes:
        examples: how many samples to draw for a property.
        seed: of the samples: the same ones each time, so that a red run is red again.
    """

    examples: int = 20
    seed: int = 0


DEFAULTS = Defaults()


def check_op(
    spec: OpSpec,
    *,
    only: str | Iterable[str] | None = None,
    examples: int | None = None,
    device: str = "cpu",
    seed: int | None = None,
    sample: Any = None,
    shrink: bool = True,
) -> None:
    """Tests that an op has all properties of :data:`PROPERTIES`.

    Args:
        spec: the record of the op.
        only: the name of a property, or several; by default all that apply.
        examples: how many samples to draw for a property (some need a part of them); 20 by default.
        device: where to call the op.
        seed: of the samples. By default they are the same each time.
        sample: the only sample to try, as a failure prints it.
        shrink: whether to look for the smallest sample that fails, rather than to stop at the first.

    Raises:
        AssertionError: if a property does not hold. Says which, what is wrong, at which sample, and a line to paste
            that shows it again.
        TypeError: for what is no record, or no sample.
        ValueError: if there is no property of a name.
        DeviceError: if there is no such device.

    Example:
        >>> from tensorgrad.testing import OpSpec, check_op
        >>> check_op(OpSpec("cube", lambda x: x * x * x, lambda x: x**3, domain=(-2, 2)), examples=5)
    """
    __tracebackhide__ = True
    if not isinstance(spec, OpSpec):
        raise TypeError(f"check_op() takes the record of an op: write OpSpec('name', op, reference) for {spec!r}.")
    if examples is not None and (not isinstance(examples, int) or examples < 1):
        raise ValueError(f"check_op() takes for examples how many to draw, 1 or more, not {examples!r}.")
    canonical_device(device)
    names = names_of(only)
    if sample is not None:
        wanted = [kind for kind in (*OF_THEIR_OWN.values(), Sample) if isinstance(sample, kind)]
        if not wanted:
            raise TypeError(f"check_op() takes for sample a Sample, a Kink or a BadCall, not {type(sample).__name__}.")
        names = [name for name in names if isinstance(sample, OF_THEIR_OWN.get(name, Sample))]
    for name in names:
        check_property(spec, PROPERTIES[name], examples, device, seed, sample, shrink)


OF_THEIR_OWN: dict[str, type] = {"kinks": Kink, "errors": BadCall}
"""The properties that are not tried on a Sample, and what they are tried on."""


def names_of(only: str | Iterable[str] | None) -> list[str]:
    """The names of some properties; None means all.

    Raises:
        ValueError: if there is no property of a name, or no name.
    """
    names = [*PROPERTIES] if only is None else [only] if isinstance(only, str) else [*only]
    for name in names:
        if name not in PROPERTIES:
            raise ValueError(f"there is no property {name!r}: they are {', '.join(PROPERTIES)}.")
    if not names:
        raise ValueError(f"only={only!r} names no property: they are {', '.join(PROPERTIES)}.")
    return names


def applies(spec: OpSpec, found: Property, device: str) -> bool:
    """Whether a property says something about the op of a spec on a device."""
    there = spec.devices is None or device.partition(":")[0] in spec.devices
    return there and not (device == "cpu" and found.where == "elsewhere") and bool(found.holds_for(spec))


def check_property(
    spec: OpSpec,
    found: Property,
    examples: int | None = None,
    device: str = "cpu",
    seed: int | None = None,
    sample: Any = None,
    shrink: bool = True,
) -> None:
    """Tests one property of an op, if it applies; arguments and errors as of :func:`check_op`."""
    __tracebackhide__ = True
    if not applies(spec, found, device):
        return
    seed = DEFAULTS.seed if seed is None else seed
    samples = [sample] if sample is not None else found.samples(spec)
    last: Any = None

    def check(drawn: Any) -> None:
        nonlocal last
        last = drawn
        found.check(spec, drawn, device)

    try:
        if isinstance(samples, list):
            for each in samples:
                check(each)
        else:
            # Another stream of samples for each op and property, and the same for each device.
            count = found.share * (DEFAULTS.examples if examples is None else examples)
            _for_all(samples, check, f"{spec} {found.name} {seed}", round(count), shrink)
    except Unsatisfiable as error:
        raise AssertionError(
            f"{spec}: among the samples of this record there are (almost) none to test {found.name!r} with."
        ) from error
    except Exception as error:
        raise AssertionError(_report(spec, found, device, last, error, seed)) from error


def _for_all(samples: Strategy[Any], check: Callable[[Any], None], stream: str, examples: int, shrink: bool) -> None:
    """Lets hypothesis draw samples and look for one that fails; the last one tried is the smallest that did."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    for start in range(0, max(1, examples), ROUND):
        count = max(1, min(ROUND, examples - start))
        run = settings(SETTINGS, max_examples=count, phases=phases)(given(samples)(check))
        seeded(zlib.crc32(f"{stream} {start}".encode()))(run)()


def _report(spec: OpSpec, found: Property, device: str, sample: Any, error: Exception, seed: int) -> str:
    what = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    again = f"check_op(spec, only={found.name!r}, device={device!r}, sample={sample!r})"
    return (
        f"{spec} does not have the property {found.name!r} on {device}.\n"
        f"wanted: {found.words}\nfound: {what}\nsmallest sample that fails (seed {seed}): {sample!r}\n"
        f"to see it again: {again}"
    )
