"""Level 4: depth and size. Graphs of ten thousand and of a million nodes; time and memory in proportion to them."""

# ruff: noqa: D403 (x is a variable)

from __future__ import annotations

import numpy as np

from tensorgrad.testing.conformance.check import Level
from tensorgrad.testing.conformance.errors import Fault
from tensorgrad.testing.conformance.measure import seconds

level = Level(4, "depth 10,000 and a million")

FACTOR = 1 + 2.0**-13
"""Exact in float32, so that a chain of thousands of products is known to its last digits."""

PATHS = "one walk for every path: the time is exponential in the depth"


def _power(n: int):
    return lambda x: (FACTOR**n,)


@level.check(x=1.0, expected=_power(1_000))
def chain_of_a_thousand(m, x):
    """y = y * c, 1,000 times.

    Python allows 1,000 calls in each other: an engine that recurses ends here.
    """
    for _ in range(1_000):
        x = x * FACTOR
    return x


@level.check(x=1.0, expected=_power(10_000))
def chain_of_ten_thousand(m, x):
    """y = y * c, 10,000 times."""
    for _ in range(10_000):
        x = x * FACTOR
    return x


@level.check(x=0.5, expected=lambda x: (2.0,))
def recurrence_of_ten_thousand(m, x):
    """y = y * 0.5 + x, 10,000 times: the input is used in every step."""
    y = x
    for _ in range(10_000):
        y = y * 0.5 + x
    return y


@level.check(x=0.75, expected=lambda x: ((-1.0) ** 4_000,))
def mixed_chain(m, x):
    """y = 3 - (y + 3) / 2 * 2, 4,000 times: operations of several kinds, 20,000 in all."""
    for _ in range(4_000):
        x = -((x + 3) * 0.5) * 2 + 3
    return x


@level.check(x=1.0, expected=lambda x: (100_001.0,), patience=6)
def chain_of_a_hundred_thousand(m, x):
    """y = y + x, 100,000 times.

    What still recurses, in C or with the recursion limit set high, overruns the stack here.
    """
    return m.repeat_step(lambda y: y + x, x, 100_000)


@level.check(x=1.0, expected=lambda x: (1_000_001.0,), patience=12)
def chain_of_a_million(m, x):
    """y = y + x, 1,000,000 times, in the engine's own loop if it has one."""
    return m.repeat_step(lambda y: y + x, x, 1_000_000)


@level.check(x=1.0, expected=lambda x: (4_096.0,))
def tree_of_four_thousand_leaves(m, x):
    """x + x + ... of 4,096 terms, added up in pairs: wide, and 12 deep."""
    row = [x] * 4_096
    while len(row) > 1:
        row = [row[k] + row[k + 1] for k in range(0, len(row), 2)]
    return row[0]


@level.probe(late=PATHS)
def doubling_sixty_times(m):
    """y = y + y, 60 times: 2 ** 60 paths through 60 nodes.

    Engines that walk every path (a recursive backward() without an order) take for ever. A few doublings show it.
    """

    def doublings(count: int) -> float:
        def f(m, x):
            for _ in range(count):
                x = x + x
            return x

        answer = m.differentiate(f, [np.array(1.0)], np.ones(()))
        if answer.gradients[0] is None:
            raise Fault("got no gradient", "")
        return float(answer.gradients[0])

    doublings(2)
    few, more = seconds(lambda: doublings(8)), seconds(lambda: doublings(16), repeats=1)
    if more > 0.02 and more > 30 * few:
        raise Fault(f"16 doublings take {more / few:.0f} times as long as 8", PATHS)
    got = doublings(60)
    if abs(got / 2.0**60 - 1) > 1e-6:
        raise Fault(f"gradient: got {got:.6g}, expected {2.0**60:.6g}", "values that are used twice")


@level.check(x=1.0, y=1.0, late=PATHS, expected=lambda x, y: (0.3333333333333333, 0.6666666666666666))
def ladder_of_two_hundred(m, x, y):
    """(x, y) = (y, (x + y) / 2), 200 times: 10 ** 41 paths through 400 nodes."""
    for _ in range(200):
        x, y = y, (x + y) * 0.5
    return y


@level.check(x=1.0, expected=lambda x: (2.0,), late=PATHS)
def diamonds_sixty_deep(m, x):
    """y = (y * 0.5) + (y * 0.5), 60 times, and y + y at last: every node has two ways in."""
    for _ in range(60):
        x = x * 0.5 + x * 0.5
    return x + x


@level.probe(late="time that grows with the square of the graph, or worse")
def time_grows_with_the_graph(m):
    """A tree of 4,096 leaves takes about eight times as long as one of 512.

    A list of visited nodes, searched for every node, takes 64 times as long.
    """

    def tree(count: int) -> None:
        def f(m, x):
            row = [x * (1 + k / count) for k in range(count)]
            while len(row) > 1:
                row = [row[k] + row[k + 1] for k in range(0, len(row), 2)]
            return row[0]

        m.differentiate(f, [np.array(1.0)], np.ones(()))

    tree(64)
    short, long = seconds(lambda: tree(512), repeats=3), seconds(lambda: tree(4_096), repeats=1)
    if long > 0.2 and long > 30 * short:
        raise Fault(
            f"a tree of 8,192 nodes takes {long / short:.0f} times as long as one of 1,024",
            "time grows with the square of the graph: a list that is searched for every node",
        )


@level.probe(patience=3)
def long_chain_thrown_away(m):
    """A chain of 200,000 nodes that is never differentiated is let go of.

    Freeing a chain, each node frees the next: engines in C overrun the stack, unless they take care.
    """

    def build() -> None:
        x = m.variable(1.0)
        m.call(lambda m, x: m.repeat_step(lambda y: y + x, x, 200_000), x)

    build()
