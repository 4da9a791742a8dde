"""The table of ``model.summary()``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.keras.layers.base import Layer

RULES = (("┏", "━", "┳", "┓"), ("┡", "━", "╇", "┩"), ("├", "─", "┼", "┤"), ("└", "─", "┴", "┘"))
"""The lines over the head, below it, between rows and below them."""
PLAIN = str.maketrans("┏━┳┓┡╇┩├─┼┤└┴┘│┃", "+-++++++-+++++||")
LEAST = (27, 22, 13, 9)
"""How wide the columns are at least."""


def table(model: Any, line_length: int | None = None, expand_nested: bool = False, show_trainable: bool = False) -> str:
    """The layers with the shapes of their outputs and the numbers of their weights, and the totals.

    Args:
        model: what has layers.
        line_length: accepted; the table is as wide as it needs to be.
        expand_nested: whether the layers of models within are shown.
        show_trainable: whether there is a column that says so.
    """
    head = ["Layer (type)", "Output Shape", "Param #"] + ["Trainable"] * show_trainable
    rows = [_cells(layer, depth, show_trainable) for layer, depth in _listed(model, expand_nested)]
    columns = zip(LEAST, head, *rows, strict=False)
    widths = [max(least, *map(len, cells)) for least, *cells in columns]
    lines = [f'Model: "{model.name}"', _rule(widths, 0), _row(head, widths, "┃"), _rule(widths, 1)]
    for i, row in enumerate(rows):
        lines += [_rule(widths, 2)] * (i > 0) + [_row(row, widths, "│")]
    lines.append(_rule(widths, 3))
    return "\n".join(lines + _totals(model))


def _listed(model: Any, expand_nested: bool, depth: int = 0) -> list[tuple[Layer, int]]:
    found: list[tuple[Layer, int]] = []
    for layer in model.layers:
        found.append((layer, depth))
        if expand_nested and hasattr(layer, "layers"):
            found += _listed(layer, True, depth + 1)
    return found


def _cells(layer: Layer, depth: int, show_trainable: bool) -> list[str]:
    name = f"{'    ' * depth}{layer.name} ({type(layer).__name__})"
    shape = "?" if layer._shapes is None else str(layer._shapes[1])
    count = f"{sum(weight.size for weight in layer.weights):,}" if layer.built else "0 (unbuilt)"
    return [name, shape, count] + ["Y" if layer.trainable_weights else "N" if layer.weights else "-"] * show_trainable


def _row(cells: list[str], widths: list[int], bar: str) -> str:
    padded = [
        f" {cell:>{width}} " if i == 2 else f" {cell:<{width}} "
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return bar + bar.join(padded) + bar


def _rule(widths: list[int], kind: int) -> str:
    left, fill, middle, right = RULES[kind]
    return left + middle.join(fill * (width + 2) for width in widths) + right


def _totals(model: Any) -> list[str]:
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    parts = {"Total": trainable + frozen, "Trainable": trainable, "Non-trainable": frozen}
    return [f" {name} params: {_count(weights)}" for name, weights in parts.items()]


def _count(weights: list[Any]) -> str:
    count = sum(weight.size for weight in weights)
    size = float(sum(weight.size * np.dtype(weight.dtype).itemsize for weight in weights))
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    return f"{count:,} ({size:.2f} {unit})"


def show(text: str, print_fn: Callable[[str], Any] | None = None) -> None:
    """Prints a table, without box characters where they cannot be written."""
    if print_fn is not None:
        print_fn(text)
        return
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        text = text.translate(PLAIN)
    print(text)
