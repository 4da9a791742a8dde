"""Tests of tests: vjp rules are broken on purpose, one way at a time, and an op's tests have to notice.

:func:`score` does this to an op of one's own; ``python -m tensorgrad.testing.mutation`` to all of tensorgrad's.
"""

from tensorgrad.testing.mutation.mutants import KINDS
from tensorgrad.testing.mutation.scoring import Result, Score, score

__all__ = ["KINDS", "Result", "Score", "score"]
