"""``python -m tensorgrad.testing check``: the gradient check from the command line."""

from __future__ import annotations

import argparse
import difflib
import importlib
import math
import os
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from tensorgrad.testing.checking.gradcheck import gradcheck
from tensorgrad.testing.engines import pair
from tensorgrad.testing.engines.pair import CALLS

COMMAND = "python -m tensorgrad.testing"
AGREE, DISAGREE, WRONG_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130

EXAMPLES = f"""
examples:
  {COMMAND} check my_module:loss --shape 3,4 --shape 4
      the function loss(x, y) of my_module.py in the current folder, at a random x of shape (3, 4) and y of shape (4,)
  {COMMAND} check my_module:loss --shape scalar --order 2 --engine jax
      first and second derivatives of a function of one number, written in JAX
  {COMMAND} check layers:affine --backward affine_backward --takes cache --shape 5,3 --shape 3,2
      a function and its gradient written by hand: out, cache = affine(x, w); dx, dw = affine_backward(dout, cache)

exit status: 0 if the gradients are right, 1 if they are not, 2 if the arguments are wrong or the function fails.
"""


class UsageError(Exception):
    """Arguments that name nothing that can be checked."""


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong, and where to read more."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_ARGUMENTS, f"error: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: the arguments behind the command's name; by default those of the process.

    Returns:
        The exit status: 0 if the gradients are right, 1 if they are not, 2 for wrong arguments, 130 after Ctrl-C.
    """
    try:
        arguments = parser().parse_args(argv)
        return check(arguments)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_ARGUMENTS
    except KeyboardInterrupt:
        print("interrupted: nothing was found wrong so far, and nothing right.", file=sys.stderr)
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """The parser of the arguments."""
    top = Parser(prog=COMMAND, description="Checks gradients.")
    commands = top.add_subparsers(title="commands", metavar="command", required=True)
    found = commands.add_parser(
        "check",
        help="compare the gradient of a function with finite differences of it",
        description="Compares the gradient of a function, at random inputs, with finite differences of its values.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("target", metavar="MODULE:FUNCTION", help="a function, or a Module or pair that is already made")
    found.add_argument(
        "--shape",
        dest="shapes",
        action="append",
        default=[],
        type=shape,
        metavar="N,M,...",
        help="the shape of an input, once for each, in order; '' or scalar for a number",
    )
    found.add_argument("--order", type=int, default=1, help="of the highest derivative that is checked (default: 1)")
    found.add_argument("--engine", help="tensorgrad, pytorch, jax, autograd or mygrad (default: what FUNCTION uses)")
    found.add_argument("--backward", metavar="[MODULE:]FUNCTION", help="the gradient, for a function of plain NumPy")
    found.add_argument(
        "--takes", choices=CALLS, default="inputs", help="what backward takes besides the gradient of the output"
    )
    found.add_argument("--low", type=float, default=-1.0, help="the least value of an input (default: -1)")
    found.add_argument("--high", type=float, default=1.0, help="the greatest (default: 1)")
    found.add_argument(
        "--dtype",
        choices=("float64", "float32", "float16", "complex128", "complex64"),
        default="float64",
        help="of the inputs (default: float64)",
    )
    found.add_argument("--seed", type=int, default=0, help="of the inputs and of the check (default: 0)")
    found.add_argument("--rtol", type=float, help="the relative difference that is let pass")
    found.add_argument("--atol", type=float, help="the absolute difference that is let pass")
    return top


def shape(text: str) -> tuple[int, ...]:
    """The shape that ``text`` names.

    Raises:
        argparse.ArgumentTypeError: if it names none.

    Example:
        >>> shape("3,4"), shape("5"), shape("scalar")
        ((3, 4), (5,), ())
    """
    inner = text.strip().strip("()[]").strip()
    if inner in ("", "scalar"):
        return ()
    try:
        lengths = tuple(int(length) for length in inner.rstrip(",").split(","))
    except ValueError:
        lengths = (-1,)
    if min(lengths) < 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no shape: give lengths with commas between them, such as 3,4, or scalar for a number"
        )
    return lengths


def separated(
    shapes: Sequence[tuple[int, ...]], low: float, high: float, dtype: str, rng: np.random.Generator
) -> list[np.ndarray]:
    """Arrays of random numbers, no two of which are close to each other, so that nothing is tied.

    Args:
        shapes: of the arrays.
        low: the least value.
        high: the greatest value, above ``low``.
        dtype: a floating point or complex one; for this, the real and the imaginary parts are between low and high.
        rng: where the numbers come from.

    Example:
        >>> x, y = separated([(2, 2), ()], 0.0, 1.0, "float64", np.random.default_rng(0))
        >>> x.shape, y.shape
        ((2, 2), ())
    """
    total = sum(map(math.prod, shapes))

    def numbers() -> np.ndarray:
        places = rng.permutation(total) + rng.uniform(0.2, 0.8, total)
        return low + (high - low) * places / max(total, 1)

    values = numbers() + 1j * numbers() if dtype.startswith("complex") else numbers()
    pieces = np.split(values, np.cumsum([math.prod(shape) for shape in shapes])[:-1])
    return [piece.reshape(shape).astype(dtype) for piece, shape in zip(pieces, shapes, strict=True)]


def check(arguments: argparse.Namespace) -> int:
    """The command ``check``.

    Raises:
        UsageError: if there is nothing to check by these names, or the function cannot be called so.
    """
    if not arguments.low < arguments.high < math.inf or arguments.low == -math.inf:
        raise UsageError(f"--low must be below --high, and both finite; got {arguments.low} and {arguments.high}")
    if arguments.seed < 0:
        raise UsageError(f"--seed must be 0 or greater, got {arguments.seed}")
    function = find(arguments.target)
    if arguments.backward is not None:
        module = arguments.target.partition(":")[0]
        name = arguments.backward if ":" in arguments.backward else f"{module}:{arguments.backward}"
        function = pair(function, find(name), takes=arguments.takes)
    elif arguments.takes != "inputs":
        raise UsageError("--takes belongs to --backward: name the gradient, too")
    rng = np.random.default_rng(arguments.seed)
    try:
        inputs = (
            separated(arguments.shapes, arguments.low, arguments.high, arguments.dtype, rng) if arguments.shapes else []
        )
    except (MemoryError, ValueError) as error:
        raise UsageError(f"inputs of these shapes cannot be made: {_one_line(error)}") from error
    options = {name: value for name in ("rtol", "atol") if (value := getattr(arguments, name)) is not None}
    try:
        report = gradcheck(
            function, *inputs, order=arguments.order, engine=arguments.engine, seed=arguments.seed, **options
        )
    except Exception as error:
        raise UsageError(_told(error, arguments.target)) from error
    print(f"{arguments.target}: {report}")
    print(f"again: {again(arguments)}")
    return AGREE if report else DISAGREE


def find(target: str) -> Any:
    """What ``module:name`` names; the current folder is among those that modules are looked for in.

    Raises:
        UsageError: if there is no such thing, or it cannot be called.

    Example:
        >>> find("math:sqrt")
        <built-in function sqrt>
    """
    name, colon, path = target.partition(":")
    if not (name and colon and path):
        raise UsageError(f"{target!r} names no function: write it as module:function, such as my_module:loss")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    found: Any
    try:
        found = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise UsageError(f"module {name!r} needs {error.name!r}, which is not installed here") from error
        hint = f"; without .py it is {name.removesuffix('.py')!r}" if name.endswith(".py") else ""
        raise UsageError(f"there is no module {name!r} in {os.getcwd()}, nor among those installed{hint}") from error
    except Exception as error:
        raise UsageError(f"module {name!r} cannot be imported: {_one_line(error)}") from error
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            raise _missing(found, attribute)
        found = getattr(found, attribute)
    if isinstance(found, type):
        raise UsageError(f"{target} is a class: name a function, or an instance that is made in the module")
    if not callable(found) and not isinstance(found, tuple):
        raise UsageError(f"{target} is no function, but of type {type(found).__name__}: name a function of the module")
    return found


def again(arguments: argparse.Namespace) -> str:
    """The command that does the same."""

    def words() -> Iterator[str]:
        yield from ("check", arguments.target)
        for lengths in arguments.shapes:
            yield from ("--shape", ",".join(map(str, lengths)) or "scalar")
        for option, default in DEFAULTS.items():
            value = getattr(arguments, option)
            if value != default or option == "seed":
                yield from (f"--{option}", str(value))

    return f"{COMMAND} {shlex.join(words())}"


DEFAULTS = {
    "order": 1,
    "engine": None,
    "backward": None,
    "takes": "inputs",
    "low": -1.0,
    "high": 1.0,
    "dtype": "float64",
    "seed": 0,
    "rtol": None,
    "atol": None,
}


def _missing(owner: Any, attribute: str) -> UsageError:
    members = getattr(owner, "__dict__", {})
    names = [name for name, value in members.items() if callable(value) and not name.startswith("_")]
    near = difflib.get_close_matches(attribute, names, 1)
    has = f": perhaps {near[0]}" if near else f"; it has {', '.join(names[:20])}" if names else ""
    return UsageError(f"{getattr(owner, '__name__', type(owner).__name__)} has no {attribute!r}{has}")


def _told(error: Exception, target: str) -> str:
    """What went wrong in a check, and in which line of the user's."""
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [
        frame for frame in frames if not frame.filename.startswith(ours) and "site-packages" not in frame.filename
    ]
    where = f", in {theirs[-1].filename}, line {theirs[-1].lineno}" if theirs else ""
    notes = "".join(f"\n  {note}" for note in getattr(error, "__notes__", ()))
    return f"{target} cannot be checked so: {_one_line(error).removesuffix('.')}{where}{notes}"


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
