"""What the pytest plugin does when it is used: ``--thorough``, and a test for each property of an op.

Example:
    In a file of tests, ``pytest`` makes of this one test for each property of the op, and ``pytest --thorough`` tries
    more samples, and others each time::

        import pytest
        from tensorgrad.testing import OpSpec

        CUBE = OpSpec("cube", cube, lambda x: x**3, domain=(-2, 2))


        @pytest.mark.op_spec(CUBE)
        def test_cube(op_property):
            op_property()
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings

from tensorgrad.backend import canonical_device, names_device
from tensorgrad.errors import DeviceError
from tensorgrad.testing.checks import PROPERTIES, Property
from tensorgrad.testing.opspec import OpSpec
from tensorgrad.testing.properties import DEFAULTS, Defaults, applies, check_property, names_of

THOROUGH = 15
"""How many times more examples ``--thorough`` tries."""
SEED = "tensorgrad_seed"


@dataclass(frozen=True)
class OpProperty:
    """One property of one op on one device, as the fixture ``op_property`` gives it: it is tested when it is called."""

    spec: OpSpec
    property: Property
    device: str

    def __call__(self) -> None:
        """Tests it.

        Raises:
            AssertionError: if the op does not have the property.
        """
        check_property(self.spec, self.property, device=self.device)

    def __str__(self) -> str:
        return f"{self.spec}-{self.property.name}-{self.device}"


def op_properties(
    specs: Iterable[OpSpec], devices: Sequence[str] = ("cpu",), only: Iterable[str] | None = None
) -> Iterator[OpProperty]:
    """All properties that apply to ops; on devices behind the first of each op only those that may differ there.

    Args:
        specs: of the ops.
        devices: to try them on.
        only: the names of some properties; by default all.

    Example:
        >>> spec = OpSpec("double", lambda x: 2 * x)
        >>> [str(each) for each in op_properties([spec], only=["dtypes", "errors"])]
        ['double-dtypes-cpu', 'double-errors-cpu']
    """
    for spec in specs:
        first = True
        for device in devices:
            if spec.devices is not None and device.partition(":")[0] not in spec.devices:
                continue
            for name in PROPERTIES if only is None else only:
                found = PROPERTIES[name]
                if applies(spec, found, device) and (first or found.where != "once"):
                    yield OpProperty(spec, found, device)
            first = False


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Makes a test for each property of the ops that a test function is marked with."""
    marks = [*metafunc.definition.iter_markers("op_spec")]
    if not marks:
        raise pytest.UsageError(
            f"{metafunc.definition.nodeid} uses op_property, but is not marked with @pytest.mark.op_spec(spec, ...)."
        )
    params: list[Any] = []
    for mark in marks:
        devices = _devices_of(mark, metafunc.definition.nodeid)
        missing = {device: why for device in devices if (why := _missing(device))}
        there = [device for device in devices if device not in missing]
        found = op_properties(mark.args, there, names_of(mark.kwargs.get("only")))
        params += [pytest.param(each, id=str(each)) for each in found]
        params += [pytest.param(None, id=device, marks=pytest.mark.skip(reason=why)) for device, why in missing.items()]
    metafunc.parametrize("op_property", params, indirect=True)


def _devices_of(mark: pytest.Mark, test: str) -> Sequence[str]:
    """The devices that a marker names.

    Raises:
        pytest.UsageError: for a marker that says something else than it takes.
    """
    wanted = "op_spec takes OpSpecs, and devices=('cpu', ...) and only=('slopes', ...) by keyword"
    if not mark.args or not all(isinstance(spec, OpSpec) for spec in mark.args) or {*mark.kwargs} - {"devices", "only"}:
        given = [*map(repr, mark.args), *(f"{name}={value!r}" for name, value in mark.kwargs.items())]
        raise pytest.UsageError(f"{test}: {wanted}; it was given {', '.join(given) or 'nothing'}.")
    try:
        names_of(mark.kwargs.get("only"))
    except ValueError as error:
        raise pytest.UsageError(f"{test}: {error}") from None
    devices = mark.kwargs.get("devices", ("cpu",))
    devices = (devices,) if isinstance(devices, str) else devices
    for device in devices:
        if not names_device(device):
            raise pytest.UsageError(f"{test}: {device!r} is no device: they are 'cpu', 'cuda', 'cuda:1' and so on.")
    return tuple(devices)


def _missing(device: str) -> str:
    """Why a device is not there; empty, if it is."""
    try:
        canonical_device(device)
    except DeviceError as error:
        return str(error)
    return ""


def configure(config: pytest.Config) -> None:
    """Follows ``--thorough`` and Hypothesis' ``--hypothesis-seed``, for properties of ops and other tests alike."""
    thorough, given = config.getoption("thorough"), config.getoption("hypothesis_seed", None)
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        DEFAULTS.seed = worker[SEED]
    elif given is not None:
        DEFAULTS.seed = int(given) if given.isdigit() else zlib.crc32(given.encode())
    else:
        DEFAULTS.seed = random.randrange(2**32)
    usual = settings.default
    assert usual is not None
    factor = THOROUGH if thorough else 1
    DEFAULTS.examples *= factor
    settings.register_profile("tensorgrad", usual, derandomize=False, max_examples=factor * usual.max_examples)
    settings.load_profile("tensorgrad")


def header() -> str:
    """The line that pytest prints at the start, from which a run can be repeated."""
    more = "--thorough " if DEFAULTS.examples > Defaults.examples else ""
    seed = DEFAULTS.seed
    return f"tensorgrad: {DEFAULTS.examples} examples, seed {seed} (again: {more}--hypothesis-seed={seed})"


def to_worker(workerinput: dict[str, Any]) -> None:
    """Tells a worker of pytest-xdist the seed, which must be the same in all."""
    workerinput[SEED] = DEFAULTS.seed
