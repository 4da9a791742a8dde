"""How a command of this package ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

UNREAD = 141
"""The exit status of a command whose reader has gone, as a shell gives it."""


def leave_with(main: Callable[[], int]) -> NoReturn:
    """Runs a command and leaves with its exit status; quietly where nobody reads any more, as after ``| head``."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would try once more to write what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = UNREAD
    sys.exit(status)
