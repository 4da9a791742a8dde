"""Level 3: shared values and graphs. A gradient is the sum over all paths, and each node is done once, in order."""

# ruff: noqa: D403 (x is a variable)

from __future__ import annotations

import gc

import numpy as np

from tensorgrad.testing.conformance.check import Level
from tensorgrad.testing.conformance.errors import Fault

level = Level(3, "shared values and graphs")


@level.check(x=3.0)
def product_with_itself(m, x):
    """x * x.

    A gradient that is assigned, and not added to, counts one factor only.
    """
    a, b = m.uses(x, 2)
    return a * b


@level.check(x=3.0)
def sum_with_itself(m, x):
    """x + x."""
    a, b = m.uses(x, 2)
    return a + b


@level.check(x=3.0)
def difference_with_itself(m, x):
    """x - x, whose gradient is 0."""
    a, b = m.uses(x, 2)
    return a - b


@level.check(x=3.0)
def quotient_with_itself(m, x):
    """x / x, whose gradient is 0."""
    a, b = m.uses(x, 2)
    return a / b


@level.check(x=3.0, y=2.0)
def diamond(m, x, y):
    """(a + y) * (a * 3) with a = 2 * x: two paths that meet again.

    A node that passes its gradient on before the second path has arrived passes on too little, or too much.
    """
    a, b = m.uses(2 * x, 2)
    return (a + y) * (b * 3)


@level.check(x=1.5)
def diamonds_in_a_row(m, x):
    """Three times b = (a + 1) * (a - 2), one after the other."""
    for _ in range(3):
        first, second = m.uses(x, 2)
        x = (first + 1) * (second - 2) * 0.5
    return x


@level.check(x=2.0, y=3.0)
def intermediate_used_three_times(m, x, y):
    """a * a * y + a with a = x * y."""
    a, b, c = m.uses(x * y, 3)
    return a * b * y + c


@level.check(x=2.0)
def input_used_at_two_depths(m, x):
    """x + 3 * (2 * x) ** 2: a skip connection."""
    a, b = m.uses(x, 2)
    return a + 3 * (2 * b) ** 2


@level.check(x=0.9)
def short_path_before_a_long_one(m, x):
    """a * (((a + 1) * 2 - 3) * 4 + 5) with a = x * x + 1: the paths from a differ in length.

    Breadth-first order reaches a by the short path, and leaves it before the long one has arrived.
    """
    first, second = m.uses(x, 2)
    a, b = m.uses(first * second + 1, 2)
    return a * (((b + 1) * 2 - 3) * 4 + 5)


@level.check(x=0.9)
def long_path_before_a_short_one(m, x):
    """(((a + 1) * 2 - 3) * 4 + 5) * a with a = x * x + 1: the same, with the operands exchanged."""
    first, second = m.uses(x, 2)
    a, b = m.uses(first * second + 1, 2)
    return (((a + 1) * 2 - 3) * 4 + 5) * b


@level.check(x=1.0, y=2.0)
def fibonacci_ladder(m, x, y):
    """Twenty times (x, y) = (y, (x + y) / 2): 10,946 paths through 40 nodes."""
    for _ in range(20):
        a, b = m.uses(y, 2)
        x, y = a, (x + b) * 0.5
    return y


@level.check(x=0.3, w=0.8, u=-0.5)
def weights_shared_over_time(m, x, w, u):
    """h = (h * w + x * u) / (1 + h ** 2), five steps with the same weights."""
    h = x * u
    for _ in range(5):
        a, b = m.uses(h, 2)
        h = (a * w + x * u) / (1 + b**2)
    return h


@level.check(x=3.0)
def used_ten_times(m, x):
    """x * x + x + ... + x: ten uses of one input."""
    first, second, *others = m.uses(x, 10)
    total = first * second
    for other in others:
        total = total + other
    return total


@level.check(x=3.0, y=5.0)
def unused_input(m, x, y):
    """x * 2, which does not depend on y: no gradient of y, or 0, and no error."""
    return x * 2


@level.check(x=3.0)
def branch_that_leads_nowhere(m, x):
    """x * 2, after x ** 3 was computed and thrown away."""
    a, b = m.uses(x, 2)
    _ = a**3
    return b * 2


@level.check(x=3.0, expected=lambda x: (1.0,))
def input_as_result(m, x):
    """x itself: its gradient is 1."""
    return x


@level.check(x=3.0)
def constant_in_the_middle(m, x):
    """(x * c + c) * x with a constant tensor c = 4: c has no gradient, and disturbs none."""
    c = m.constant(np.array(4.0))
    a, b = m.uses(x, 2)
    return (a * c + c) * b


def _value(array) -> float:
    return np.nan if array is None else float(np.asarray(array))


@level.probe()
def second_graph_on_the_same_input(m):
    """backward() of x * 2, then of x * x, both from one x: the gradients add up, or the last one stands.

    That is every training loop. Something else (such as 2 * 2 + 6) means that the first gradient was used again.
    """
    x = m.variable(3.0)
    m.tape.backward(m.call(lambda m, x: x * 2, x))
    first = _value(m.gradient_of(x))
    m.tape.backward(m.call(lambda m, x: x * x, x))
    second = _value(m.gradient_of(x))
    if not np.isclose(first, 2.0):
        raise Fault(f"the first gradient: got {first:g}, expected 2")
    if not (np.isclose(second, 8.0) or np.isclose(second, 6.0)):
        raise Fault(f"after both: got {second:g}, expected 8 (the sum) or 6 (the last)")


@level.probe()
def backward_twice_on_one_graph(m):
    """backward() of (2 * x) ** 2 twice at x = 3: twice the gradient, or the gradient, or an error.

    An engine that adds to the gradients of inner nodes and does not clear them gives three times the gradient.
    """
    x = m.variable(3.0)
    loss = m.call(lambda m, x: (2 * x) ** 2, x)
    m.tape.backward(loss)
    try:
        m.tape.backward(loss)
    except Exception:
        return
    got = _value(m.gradient_of(x))
    if not (np.isclose(got, 48.0) or np.isclose(got, 24.0)):
        cause = "inner nodes keep the gradient of the first pass" if np.isclose(got, 72.0) else ""
        raise Fault(f"got {got:g}, expected 48 (the sum), 24 (the last), or an error", cause)


@level.probe()
def two_results_of_one_graph(m):
    """backward() of a * 3, then of a * 5, with a = x * x in common, at x = 2: 12, and then 32 or 20, or an error."""
    x = m.variable(2.0)
    a = m.call(lambda m, x: x * x, x)
    one, other = m.call(lambda m, a: (a * 3, a * 5), a)
    m.tape.backward(one)
    first = _value(m.gradient_of(x))
    if not np.isclose(first, 12.0):
        raise Fault(f"the first gradient: got {first:g}, expected 12")
    try:
        m.tape.backward(other)
    except Exception:
        return
    second = _value(m.gradient_of(x))
    if not (np.isclose(second, 32.0) or np.isclose(second, 20.0)):
        cause = "inner nodes keep the gradient of the first pass" if np.isclose(second, 44.0) else ""
        if np.isclose(second, first):
            cause = "the graph is forgotten after the first pass, and nobody is told"
        raise Fault(f"after both: got {second:g}, expected 32 (the sum) or 20 (the last)", cause)


def _chain(length: int):
    def f(m, x):
        y = x
        for _ in range(length):
            y = y * 0.99 + x
        return y

    return f


@level.probe()
def no_reference_cycles(m):
    """A graph that is let go of is freed at once, without the garbage collector.

    Nodes that hold a function that holds the node (closures over their own output) keep every graph alive until the
    collector runs: with large arrays, that is out of memory.
    """

    def garbage_of(length: int) -> int:
        gc.collect()
        gc.disable()
        try:
            m.differentiate(_chain(length), [np.array(1.0)], np.ones(()))
            return gc.collect()
        finally:
            gc.enable()

    garbage_of(10)
    few, many = garbage_of(10), garbage_of(200)
    if many - few >= 190:
        raise Fault(
            f"{many - few} objects of a graph of 400 nodes were left to the garbage collector",
            "reference cycles: nodes and their functions hold each other, or a recursive inner function holds itself",
        )


@level.probe()
def no_graph_is_kept_for_ever(m):
    """Fifty training steps from one input leave nothing behind that grows.

    Inputs that remember all that was ever computed from them, and global tapes that are not cleared, do.
    """
    one_step = _chain(50)
    variable = m.variable(1.0) if hasattr(m.adapter, "variable") else None

    def steps(count: int) -> int:
        for _ in range(count):
            if variable is None:
                m.differentiate(one_step, [np.array(1.0)], np.ones(()))
            else:
                m.tape.backward(m.call(one_step, variable))
        gc.collect()
        return len(gc.get_objects())

    steps(10)
    before, after = steps(1), steps(50)
    if after - before > 50 * 100:
        raise Fault(
            f"{after - before} objects more after 50 steps of 100 nodes each",
            "the input, or a global tape, holds on to every graph",
        )
