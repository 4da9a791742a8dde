"""The pytest plugin of tensorgrad.testing, which it brings in when it is used.

A module of its own, because to import ``tensorgrad.testing.plugin`` at every start of pytest would be to import NumPy
and tensorgrad in projects that have only installed them.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest


def _plugin() -> Any:
    return importlib.import_module("tensorgrad.testing.plugin")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tensorgrad", "tests of gradients (tensorgrad)")
    group.addoption("--thorough", action="store_true", help="more examples for each property, and other ones each time")
    group.addoption("--engine", metavar="MODULE:ADAPTER", help="grade this engine: one test for each conformance check")
    group.addoption("--engine-levels", metavar="1,3-5", help="only these levels (default: all)")
    group.addoption("--engine-seconds", type=float, metavar="S", help="limit of a conformance check (default: 10)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "op_spec(*specs, devices=('cpu',), only=None): one test for each property of these OpSpecs"
    )
    if config.getoption("thorough") or config.getoption("hypothesis_seed", None) is not None:
        config.pluginmanager.register(_Changed(config), "tensorgrad_changed")
    if config.getoption("engine"):
        engine = importlib.import_module("tensorgrad.testing.conformance.pytest_engine")
        config.pluginmanager.register(engine, "tensorgrad_engine")
    elif config.getoption("engine_levels") is not None or config.getoption("engine_seconds") is not None:
        raise pytest.UsageError("--engine-levels and --engine-seconds go with --engine=module:adapter")


class _Changed:
    """The hooks that are needed where samples are not the usual ones."""

    def __init__(self, config: pytest.Config) -> None:
        self.plugin = _plugin()
        self.plugin.configure(config)

    def pytest_report_header(self) -> str:
        return self.plugin.header()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        self.plugin.to_worker(node.workerinput)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "op_property" in metafunc.fixturenames:
        _plugin().parametrize(metafunc)
    elif metafunc.definition.get_closest_marker("op_spec"):
        raise pytest.UsageError(
            f"{metafunc.definition.nodeid} is marked with op_spec, but tests nothing of it: give it the parameter "
            f"op_property, and call that."
        )


@pytest.fixture
def op_property(request: pytest.FixtureRequest) -> Any:
    """One property of one op: call it to test it. See the marker ``op_spec``."""
    return request.param
