"""What was compared, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tensorgrad.testing.checking.differences import Rows

Vector = np.ndarray

HULL, ROUNDING = "hull of the gradients close by", "differences over many steps of rounding"
"""Oracles that are asked by name."""


@dataclass
class Entry:
    """One derivative that was compared.

    Attributes:
        row: the number of the combination of outputs.
        direction: (n,) along which; a unit vector for a single input.
        claimed: what the rule gives.
        found: what the oracle gives.
        tolerance: how much they may differ.
        status: "agrees", "kink", "jump", "singular", "ill-conditioned", "rounded", "unverified" or "wrong".
        oracle: who says so.
        error: what the oracle takes its error to be; NaN where a hull was asked.
    """

    row: int
    direction: Vector
    claimed: float
    found: float
    tolerance: float
    status: str = "agrees"
    oracle: str = "central differences"
    error: float = float("nan")

    @property
    def column(self) -> int | None:
        """The number of the input, if it is a single one."""
        moving = np.flatnonzero(self.direction)
        return int(moving[0]) if len(moving) == 1 else None

    @property
    def excess(self) -> float:
        """The difference, in units of the tolerance."""
        gap = abs(self.claimed - self.found)
        if not np.isfinite(gap):
            return float("inf")
        return gap / self.tolerance if self.tolerance else (float("inf") if gap else 0.0)


@dataclass
class Examination:
    """All that was found out about one function at one point.

    Attributes:
        rows: the combinations of outputs that were compared.
        columns: (c, n) the directions.
        claimed: (r, n) what the rules give: the gradient of each combination.
        quick: (r, c) what the first differences gave.
        entries: those that were looked at closely, the wrong one last.
        worst: the entry that agrees least, or the wrong one.
        whole: whether all of the Jacobian was compared.
        skipped: how many outputs are not finite at the point.
        kinked: (r, c) where the slopes of the two sides differ.
    """

    rows: Rows
    columns: Vector
    claimed: Vector
    quick: Vector
    kinked: Vector
    entries: list[Entry] = field(default_factory=list)
    worst: Entry | None = None
    whole: bool = True
    skipped: int = 0

    def extend(self, rows: Rows, claimed: Vector) -> None:
        """Takes in combinations that were looked at later."""
        more = np.zeros((len(rows) - len(self.rows), len(self.columns)))
        self.rows, self.claimed = rows, claimed
        self.quick, self.kinked = np.concatenate([self.quick, more]), np.concatenate([self.kinked, more != 0])

    @property
    def wrong(self) -> Entry | None:
        """The entry that is wrong, if there is one."""
        return next((entry for entry in self.entries if entry.status == "wrong"), None)

    def count(self, status: str) -> int:
        """How many entries were found to be so."""
        return sum(entry.status == status for entry in self.entries)

    @property
    def verified(self) -> bool:
        """Whether an oracle could tell at least one of those that were compared; so it is if there were none."""
        return self.count("unverified") < self.quick.size or not self.quick.size
