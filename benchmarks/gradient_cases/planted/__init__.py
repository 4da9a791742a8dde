"""Gradients that are wrong on purpose."""

from benchmarks.gradient_cases.planted import (
    blocks,
    complex_numbers,
    cotangents,
    digits,
    elementwise,
    excuses,
    jumps,
    kinks,
    layers,
    matrices,
    networks,
    reductions,
    scales,
    several_inputs,
    shapes,
)

ROOMS = (
    elementwise,
    several_inputs,
    scales,
    digits,
    cotangents,
    reductions,
    shapes,
    matrices,
    complex_numbers,
    networks,
    layers,
    kinks,
    jumps,
    excuses,
    blocks,
)

CASES = [case for room in ROOMS for case in room.CASES]
