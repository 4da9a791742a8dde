"""Gradients that are right, where it is hard to see."""

from benchmarks.gradient_cases.right import (
    algebra,
    boundaries,
    complex_numbers,
    curves,
    kinks,
    scales,
    special,
    structure,
    ties,
)

ROOMS = (kinks, ties, boundaries, scales, curves, algebra, structure, complex_numbers, special)

CASES = [case for room in ROOMS for case in room.CASES]
