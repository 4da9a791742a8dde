"""A conformance kit: grades anybody's automatic differentiation engine, on eight levels, from a small adapter."""

from __future__ import annotations

from tensorgrad.testing.conformance.adapters import Adapter, Functional, Tape, load
from tensorgrad.testing.conformance.card import Card
from tensorgrad.testing.conformance.errors import AdapterError, NotOffered
from tensorgrad.testing.conformance.examine import Result
from tensorgrad.testing.conformance.grading import grade
from tensorgrad.testing.conformance.levels import CHECKS, LEVELS
from tensorgrad.testing.conformance.runner import Limits

__all__ = [
    "CHECKS",
    "LEVELS",
    "Adapter",
    "AdapterError",
    "Card",
    "Functional",
    "Limits",
    "NotOffered",
    "Result",
    "Tape",
    "grade",
    "load",
]
