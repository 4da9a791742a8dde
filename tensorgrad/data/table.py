"""Tables of numbers in text files."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.data.dataset import TensorDataset


class CSVDataset(TensorDataset):
    r"""A table in a text file: sample ``i`` is the numbers of row ``i``, and what stands in one of its columns.

    Args:
        path: the file, in UTF-8.
        target: the column of what is to be predicted, by its name or its number (negative ones from the end); None:
            there is none, and samples have one part.
        features: the columns of the other numbers, by name or number; by default all but the target.
        header: whether the first row has the names.
        delimiter: what stands between columns.

    Attributes:
        names: of the features; without a header their numbers.
        classes: what the target's numbers stand for, where the column has words (in alphabetical order); else None.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for an empty file, a row of another length, a column that is not there, or what is no number; says
            where.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "flowers.csv")
        >>> _ = path.write_text("length,width,kind\n1.5,2,rose\n3,4,lily\n")
        >>> flowers = CSVDataset(path, target="kind")
        >>> flowers.names, flowers.classes, flowers[0][0].tolist(), flowers[0][1].item()
        (['length', 'width'], ['lily', 'rose'], [1.5, 2.0], 1)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        target: str | int | None = -1,
        features: Sequence[str | int] | None = None,
        header: bool = True,
        delimiter: str = ",",
    ) -> None:
        called = os.fspath(path)
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=delimiter)
            rows = [(reader.line_num, row) for row in reader if row]
        if len(rows) <= header:
            raise ValueError(f"{called} has no rows.")
        names = [name.strip() for name in rows.pop(0)[1]] if header else [str(i) for i in range(len(rows[0][1]))]
        for line, row in rows:
            if len(row) != len(names):
                raise ValueError(f"{called}, line {line}: {len(row)} columns, where there are {len(names)}.")
        last = None if target is None else _place(called, target, names)
        chosen = [i for i in range(len(names)) if i != last] if features is None else None
        places = [_place(called, column, names) for column in features or ()] if chosen is None else chosen
        self.names = [names[i] for i in places]
        self.classes: list[str] | None = None
        table = np.array([[_number(called, line, row, i, names) for i in places] for line, row in rows], np.float32)
        parts: list[Any] = [table.reshape(len(rows), len(places))]
        if last is not None:
            parts.append(self._target([row[last].strip() for _, row in rows], called, names[last]))
        super().__init__(*parts)

    def _target(self, words: list[str], called: str, name: str) -> np.ndarray:
        """Integers as int64, other numbers as float32, words as the numbers of their classes."""
        if "" in words:
            raise ValueError(f"{called}: the target {name!r} is missing in {words.count('')} rows.")
        for dtype, kind in ((np.int64, int), (np.float32, float)):
            try:
                return np.array([kind(word) for word in words], dtype)
            except ValueError:
                continue
        self.classes, numbers = sorted(set(words)), {word: i for i, word in enumerate(sorted(set(words)))}
        return np.array([numbers[word] for word in words], np.int64)


def _place(called: str, column: str | int, names: list[str]) -> int:
    if isinstance(column, str):
        if names.count(column) != 1:
            raise ValueError(f"{called} has {names.count(column)} columns {column!r}; it has {', '.join(names)}.")
        return names.index(column)
    if not -len(names) <= column < len(names):
        raise ValueError(f"{called} has no column {column}; it has {len(names)}.")
    return column % len(names)


def _number(called: str, line: int, row: list[str], i: int, names: list[str]) -> float:
    try:
        return float(row[i])
    except ValueError:
        raise ValueError(
            f"{called}, line {line}: {names[i]!r} is {row[i]!r}, which is no number. Leave the column out by features=."
        ) from None
