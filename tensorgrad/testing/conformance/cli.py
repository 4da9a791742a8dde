"""The command line: ``python -m tensorgrad.testing.conformance my_engine:adapter``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tensorgrad.testing.conformance.check import Check
from tensorgrad.testing.conformance.errors import AdapterError
from tensorgrad.testing.conformance.examine import Result, describe
from tensorgrad.testing.conformance.grading import chosen, grade
from tensorgrad.testing.conformance.levels import LEVELS
from tensorgrad.testing.conformance.runner import Limits

PASSED, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130


def levels_of(text: str) -> list[int]:
    """Numbers of levels from words such as ``"1,3-5"``.

    Args:
        text: numbers and ranges, separated by commas.

    Raises:
        argparse.ArgumentTypeError: if there is no such level.

    Example:
        >>> levels_of("1,3-5")
        [1, 3, 4, 5]
    """
    numbers: list[int] = []
    known = range(1, len(LEVELS) + 1)
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            found = list(range(int(first), int(last or first) + 1))
        except ValueError:
            found = []
        if not found or any(number not in known for number in found):
            raise argparse.ArgumentTypeError(f"{text!r}: levels are 1 to {len(LEVELS)}, such as 3, or 1,3-5")
        numbers += found
    return numbers


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    found = argparse.ArgumentParser(
        prog="python -m tensorgrad.testing.conformance",
        description="Grades an automatic differentiation engine on eight levels.",
        epilog="exit status: 0 if all that is offered passed, 1 if something failed (or nothing is offered), "
        "2 if the arguments are wrong or the adapter cannot be used, 130 after Ctrl-C",
    )
    found.add_argument("engine", nargs="?", help="module:adapter or path/to/file.py:adapter")
    found.add_argument("--level", "--levels", type=levels_of, metavar="1,3-5", help="only these levels")
    found.add_argument(
        "--only", action="append", default=[], metavar="WORD", help="only checks with this in their names"
    )
    found.add_argument("--scalars", action="store_true", help="the engine computes with single numbers")
    found.add_argument("--dtype", choices=["float64", "float32", "float16"], help="what the engine computes in")
    found.add_argument("--seconds", type=float, default=10.0, help="time limit of a check (default: 10)")
    found.add_argument("--memory", type=float, default=8.0, metavar="GIB", help="memory limit (default: 8; 0: none)")
    found.add_argument("--json", type=Path, metavar="FILE", help="write the card as JSON")
    found.add_argument("--markdown", type=Path, metavar="FILE", help="write the card as Markdown")
    found.add_argument("--list", action="store_true", help="list the checks")
    found.add_argument("--explain", metavar="CHECK", help="show what a check does, and why engines fail there")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: of the command line; those of the process, if not given.

    Returns:
        The exit status.
    """
    options = parser().parse_args(arguments)
    checks = {check.name: check for check in chosen(options.level, options.only)}
    if options.explain:
        if options.explain not in checks:
            return _wrong(f"There is no check {options.explain!r}; --list shows all.")
        print(describe(checks[options.explain]), end="")
        return PASSED
    if options.list:
        for check in checks.values():
            print(f"{check.level}  {check.name}: {check.what}")
        return PASSED
    if not options.engine:
        return _wrong("Which engine? Give module:adapter or path/to/file.py:adapter.")
    if not checks:
        return _wrong("No check has that in its name; --list shows all.")
    for file in (options.json, options.markdown):
        if file is not None and not file.resolve().parent.is_dir():
            return _wrong(f"There is no folder {file.parent} to write {file.name} to.")
    if options.seconds <= 0 or options.memory < 0:
        return _wrong("--seconds must be positive, and --memory not negative.")
    attributes = {key: getattr(options, key) for key in ("scalars", "dtype") if getattr(options, key)}
    try:
        limits = Limits(options.seconds, options.memory)
        card = grade(options.engine, options.level, options.only, limits, attributes, _progress())
    except AdapterError as error:
        return _wrong(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    print(card)
    if options.json is not None:
        options.json.write_text(card.json(), encoding="utf-8")
    if options.markdown is not None:
        options.markdown.write_text(card.markdown(), encoding="utf-8")
    if not card.complete:
        return INTERRUPTED
    return PASSED if card.ok else FAILED


def _wrong(words: str) -> int:
    print(words, file=sys.stderr)
    return WRONG


def _progress():
    """Shows on a terminal which check is being put; elsewhere, nothing."""
    if not sys.stderr.isatty():
        return None

    def watch(check: Check, result: Result | None) -> None:
        line = f"level {check.level}: {check.name} ..." if result is None else ""
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()

    return watch
