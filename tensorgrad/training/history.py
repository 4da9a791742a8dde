"""What training has come to, epoch by epoch."""

from __future__ import annotations

from typing import Any


def short(value: Any) -> str:
    """A figure in a few digits; nothing for None."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class History(list[dict[str, Any]]):
    """A row of figures for each epoch; by a name, a column.

    Example:
        >>> history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0, "valid_loss": 3.0}])
        >>> history["loss"], history["valid_loss"], history[-1]["epoch"]
        ([2.0, 1.0], [None, 3.0], 2)
        >>> print(history)
        epoch  loss  valid_loss
            1     2
            2     1           3
    """

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return super().__getitem__(key)
        if not any(key in row for row in self):
            raise KeyError(f"there is no figure {key!r} in this history; it has {self.columns}.")
        return [row.get(key) for row in self]

    def __str__(self) -> str:
        """The figures as a table; those that are tables themselves are left out."""
        names = [name for name in self.columns if not any(isinstance(row.get(name), list) for row in self)]
        cells = [names, *([short(row.get(name)) for name in names] for row in self)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join("  ".join(map(str.rjust, line, widths)) for line in cells)

    @property
    def columns(self) -> list[str]:
        """The names of all figures, in the order in which they came."""
        return list(dict.fromkeys(name for row in self for name in row))

    def best(self, monitor: str = "valid_loss", mode: str = "min") -> dict[str, Any]:
        """The row in which a figure is the smallest, or with ``mode="max"`` the largest; the first of equals."""
        rows = [row for row in self if row.get(monitor) is not None]
        if not rows:
            raise KeyError(f"there is no figure {monitor!r} in this history; it has {self.columns}.")
        return min(rows, key=lambda row: row[monitor] if mode == "min" else -row[monitor])
