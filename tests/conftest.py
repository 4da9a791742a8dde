"""Fixtures of all tests: hypothesis' profile, and the devices that every op is tried on."""

from __future__ import annotations

import os
import signal

# Workers share the cores among them: BLAS threads on top of that wait for each other, for a hundred times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

import tensorgrad as tg
from tests.strict.backend import register_strict

pytest_plugins = ["pytest_tensorgrad"]

# No deadline: a busy machine is no failure. The same examples each time, so that a red run is red again.
settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    max_examples=20,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("default")

register_strict()

# A shell without job control has what it puts into the background ignore Ctrl-C, and all children: some are sent it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

DEVICES = [
    "cpu",
    pytest.param("strict", id="strict"),
    pytest.param("cuda", marks=pytest.mark.gpu),
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if getattr(_parameters(item).get("op_property"), "device", "") == "cuda":
            item.add_marker(pytest.mark.gpu)
    if any(item.get_closest_marker("gpu") for item in items) and not tg.cuda_is_available():
        skip = pytest.mark.skip(reason="no CUDA device, or no CuPy")
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(skip)


def _parameters(item: pytest.Item) -> dict[str, object]:
    return item.callspec.params if hasattr(item, "callspec") else {}


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    """Each device that tests run on: NumPy, the strict stand-in for CuPy, and CuPy where there is a GPU."""
    return request.param


@pytest.fixture(autouse=True)
def _seeded() -> None:
    tg.manual_seed(0)
