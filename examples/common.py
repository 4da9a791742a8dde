"""What the examples share: their options, their folder, their first lines and their last."""

from __future__ import annotations

import os

# Before NumPy is imported: with matrices as small as these, BLAS gains little by several threads; and where the machine
# does other things too, they spend their time waiting for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import contextlib
import importlib.util
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import tensorgrad as tg

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as shells know it."""


# -- options ---------------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    """The options that all examples have, each with its default in ``--help``, and errors in one line."""

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (--help explains the options)\n")

    def add_common(self, *, epochs: Any, out: Any) -> None:
        """Adds those that every example has.

        Args:
            epochs, out: their defaults; or in words, where they depend on other options: then the option is None unless
                it is given. Without epochs (None) there is nothing to train, and no such option.
        """
        if epochs is not None:
            self.add("--epochs", _positive, epochs, "N", "how often everything there is to learn from is seen")
        self.add("--seed", _seed, 0, "N", "the seed of all random numbers: the same seed gives the same result")
        self.add("--device", str, "cpu", "NAME", "where to compute: cpu, cuda (the first GPU), cuda:1, ...")
        self.add("--out", Path, out, "FOLDER", "where the pictures and the results go")
        self.add_argument("--no-plots", action="store_true", help="draw no pictures; matplotlib is then not needed")

    def add_training(self, *, batch_size: Any, lr: Any) -> None:
        """Adds those for looking for a better recipe; defaults as of :meth:`add_common`."""
        self.add("--batch-size", _positive, batch_size, "N", "how many images make a batch")
        self.add("--lr", _rate, lr, "X", "the highest learning rate")
        self.add("--validation", _fraction, 0.0, "X", VALIDATION_HELP)

    def add(self, name: str, kind: Callable[[str], Any], default: Any, metavar: str, explained: str) -> None:
        """Adds one option; a ``default`` in words, where a number or path is expected, is for ``--help`` only."""
        in_words = isinstance(default, str) and kind is not str
        explained = f"{explained} (default: {default})".replace("%", "%%")
        self.add_argument(name, type=kind, default=None if in_words else default, metavar=metavar, help=explained)

    def require_usable(self, args: argparse.Namespace, *packages: str) -> None:
        """Ends the program unless these packages are there, matplotlib if pictures are wanted, and the device."""
        wanted = [*packages] if args.no_plots else [*packages, "matplotlib"]
        missing = [name for name in wanted if importlib.util.find_spec(name) is None]
        if missing:
            self.exit(1, f"{self.prog}: {' and '.join(missing)} not installed: {INSTALL}\n")
        try:
            tg.zeros(1, device=args.device)
        except tg.DeviceError as error:
            self.error(f"argument --device: {error}")


INSTALL = 'run  pip install -e ".[examples]"  in the folder of the project.'
VALIDATION_HELP = (
    "part of the training images, such as 0.2, to set aside and to report on in place of the test images: for "
    "choosing among settings, which the test images are not for"
)


def _number(text: str, kind: type, wanted: str, fits: Any) -> Any:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not fits(value):
        raise argparse.ArgumentTypeError(f"expected {wanted}, got {text!r}")
    return value


def _positive(text: str) -> int:
    return _number(text, int, "a whole number from 1 on", lambda n: n >= 1)


def _seed(text: str) -> int:
    return _number(text, int, "a whole number from 0 on", lambda n: n >= 0)


def _rate(text: str) -> float:
    return _number(text, float, "a number above 0", lambda x: 0 < x < math.inf)


def _fraction(text: str) -> float:
    return _number(text, float, "a number from 0 to below 1", lambda x: 0 <= x < 1)


# -- the folder for the results --------------------------------------------------------------------------------


@contextlib.contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Ends the program with one line if a file cannot be written within the block."""
    try:
        yield
    except OSError as error:
        program = Path(sys.argv[0]).name
        sys.exit(f"{program}: error: argument --out: cannot write into {str(folder)!r}: {error.strerror or error}")


def prepare_folder(folder: Path) -> None:
    """Makes a folder, and ends the program if it cannot be written into: better before the training than after it."""
    with writing_into(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def write_pictures(args: argparse.Namespace, drawings: Mapping[str, Callable[[Path], None]]) -> None:
    """Draws each picture into the file of its name, unless none are wanted."""
    for name, draw in {} if args.no_plots else drawings.items():
        path = args.out / f"{name}.png"
        with writing_into(args.out):
            draw(path)
        print(f"wrote {path}", flush=True)


# -- how the examples begin and end ----------------------------------------------------------------------------


def start(argv: Sequence[str] | None, about: str | None, name: str, *, epochs: int | None = None) -> argparse.Namespace:
    """Begins a small example: reads its options, makes its folder, and sets the seed.

    Args:
        argv: the command line; None for the program's own.
        about: what ``--help`` says of the example: its docstring.
        name: the results go to ``runs/<name>``.
        epochs: how many there are unless the options say otherwise; None where nothing is trained.

    Returns:
        The options: ``epochs``, ``seed``, ``device``, ``out``, ``no_plots``; and in ``began`` the time.
    """
    began = time.perf_counter()
    parser = Parser(about)
    parser.add_common(epochs=epochs, out=Path("runs") / name)
    args = parser.parse_args(argv)
    parser.require_usable(args)
    prepare_folder(args.out)
    tg.manual_seed(args.seed)
    args.began = began
    return args


def finish(args: argparse.Namespace, found: Mapping[str, float], **drawings: Callable[[Path], None]) -> int:
    """Ends a small example: says what was found, keeps it in ``found.json``, and draws the pictures.

    Args:
        args: the options, from :func:`start`.
        found: the figures that matter, by what they are.
        drawings: the pictures by name: functions that take the file to write.

    Returns:
        The exit code.
    """
    width = max(map(len, found))
    print("\nFound:")
    for what, value in found.items():
        print(f"  {what:<{width}}  {value:9.4g}")
    with writing_into(args.out):
        (args.out / "found.json").write_text(json.dumps(dict(found), indent=2) + "\n", encoding="utf-8")
    write_pictures(args, drawings)
    print(f"All in all {time.perf_counter() - args.began:.1f} s.")
    return 0


def end_on_interrupt(main: Callable[[], int]) -> int:
    """Runs a program to its exit code; Ctrl-C, where the program does not see to it itself, ends it with one line."""
    try:
        return main()
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C.", file=sys.stderr)
        return INTERRUPTED
