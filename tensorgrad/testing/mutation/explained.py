"""Mutants of tensorgrad's own rules that survive, and why that is no fault of the tests.

A test looks whether each of them still exists, and a whole run whether each of them still survives.
"""

from __future__ import annotations

GROUPS: list[tuple[str, dict[str, list[str]]]] = [
    (
        "the rule runs only where an array goes to another device, and the tests of a record stay on one: "
        "tests/autograd/test_tensor.py moves arrays and their gradients",
        {"casting.to_device(x)": ["gradient of x: doubled when recorded"]},
    ),
]
"""A reason, and the mutants that it explains: their names, by their rules."""

EXPLAINED: dict[tuple[str, str], str] = {
    (rule, mutant): reason for reason, rules in GROUPS for rule, mutants in rules.items() for mutant in mutants
}
"""The reason for each survivor, by its rule and its name."""
