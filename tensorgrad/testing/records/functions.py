"""The public ops of the library, by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from tensorgrad import ops as families

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(module, name)
    for module in (importlib.import_module(f"tensorgrad.ops.{m.name}") for m in pkgutil.iter_modules(families.__path__))
    for name in getattr(module, "__all__", ())
}
"""Every public op by its name."""
