"""The eight levels, in order."""

from __future__ import annotations

from tensorgrad.testing.conformance.check import Check, Level
from tensorgrad.testing.conformance.levels import (
    arrays,
    broadcasting,
    depth,
    images,
    scalars,
    second_order,
    sharing,
    storage,
)

LEVELS: tuple[Level, ...] = tuple(
    room.level for room in (scalars, broadcasting, sharing, depth, arrays, images, second_order, storage)
)

CHECKS: dict[str, Check] = {check.name: check for level in LEVELS for check in level}
