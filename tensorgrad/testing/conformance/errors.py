"""What a check can end with other than success."""

from __future__ import annotations


class AdapterError(Exception):
    """The adapter cannot be found, or is none: nothing can be graded."""


class NotOffered(Exception):
    """The engine lacks what a check asks for. That is no failure."""


class Fault(Exception):
    """A check found something wrong.

    Args:
        finding: what was got and what was expected, in one line.
        cause: the likely cause, if it can be guessed.
    """

    def __init__(self, finding: str, cause: str = "") -> None:
        super().__init__(finding)
        self.finding, self.cause = finding, cause
