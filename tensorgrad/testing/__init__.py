"""Tools to check gradients with, for tensorgrad's own ops and for anybody's.

What is here is imported when it is asked for: whoever trains a network does not wait for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorgrad.testing import conformance as conformance
    from tensorgrad.testing import engines as engines
    from tensorgrad.testing import mutation as mutation
    from tensorgrad.testing import strategies as strategies
    from tensorgrad.testing.blaming import Blame as Blame
    from tensorgrad.testing.blaming import blame as blame
    from tensorgrad.testing.checking.gradcheck import assert_gradients as assert_gradients
    from tensorgrad.testing.checking.gradcheck import gradcheck as gradcheck
    from tensorgrad.testing.checking.report import GradientReport as GradientReport
    from tensorgrad.testing.contracts import bad_call as bad_call
    from tensorgrad.testing.opspec import Kink as Kink
    from tensorgrad.testing.opspec import OpSpec as OpSpec
    from tensorgrad.testing.properties import check_op as check_op
    from tensorgrad.testing.strategies import Sample as Sample

_ROOMS = {
    "Blame": "blaming",
    "GradientReport": "checking.report",
    "Kink": "opspec",
    "OpSpec": "opspec",
    "Sample": "strategies",
    "assert_gradients": "checking.gradcheck",
    "bad_call": "contracts",
    "blame": "blaming",
    "check_op": "properties",
    "conformance": "conformance",
    "engines": "engines",
    "gradcheck": "checking.gradcheck",
    "mutation": "mutation",
    "strategies": "strategies",
}
"""Where each name is from; some are rooms themselves."""

__all__ = [
    "Blame",
    "GradientReport",
    "Kink",
    "OpSpec",
    "Sample",
    "assert_gradients",
    "bad_call",
    "blame",
    "check_op",
    "conformance",
    "engines",
    "gradcheck",
    "mutation",
    "strategies",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        room = importlib.import_module(f"{__name__}.{_ROOMS[name]}")
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ImportError(f"tensorgrad.testing.{name} needs hypothesis: pip install hypothesis.") from error
    return room if name == _ROOMS[name] else getattr(room, name)


def __dir__() -> list[str]:
    return __all__
