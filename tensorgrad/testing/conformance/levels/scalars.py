"""Level 1: single numbers. One operation at a time, Python numbers on either side, and the points where rules break."""

# ruff: noqa: D403 (x is a variable)

from __future__ import annotations

import numpy as np

from tensorgrad.testing.conformance.check import Level
from tensorgrad.testing.conformance.errors import Fault

level = Level(1, "scalars")


@level.check(x=3.0, y=-2.0)
def sum_of_two(m, x, y):
    """x + y."""
    return x + y


@level.check(x=3.0, y=-2.0)
def difference_of_two(m, x, y):
    """x - y.

    The second gradient has the other sign; engines that build it from negation and addition lose one of the two.
    """
    return x - y


@level.check(x=3.0, y=-2.0)
def product_of_two(m, x, y):
    """x * y.

    Each gradient is the other factor: rules that take their own factor are swapped.
    """
    return x * y


@level.check(x=3.0, y=-2.0, hints={"the square of the denominator is left out": lambda x, y: (1 / y, -x / y)})
def quotient_of_two(m, x, y):
    """x / y.

    The gradient of the denominator is -x / y**2: the sign and the square are what goes wrong.
    """
    return x / y


@level.check(x=3.0)
def negation(m, x):
    """-x."""
    return -x


@level.check(x=3.0)
def number_on_the_right(m, x):
    """((x + 2) * 5 - 1) / 4, with Python numbers."""
    return ((x + 2) * 5 - 1) / 4


@level.check(x=3.0)
def number_on_the_left_of_plus_and_times(m, x):
    """2 + x and 5 * x, with Python numbers.

    It takes __radd__ and __rmul__; without them, sum([...]) fails too.
    """
    return 5 * (2 + x)


@level.check(x=3.0, values={"__rsub__ computes x - 2": lambda m, x: x - 2})
def number_minus_x(m, x):
    """2 - x, with a Python number.

    An engine with __rsub__ = __sub__ computes x - 2.
    """
    return 2 - x


@level.check(x=4.0, values={"__rtruediv__ computes x / 2": lambda m, x: x / 2})
def number_divided_by_x(m, x):
    """2 / x, with a Python number.

    An engine with __rtruediv__ = __truediv__ computes x / 2.
    """
    return 2 / x


@level.check(x=1.5, values={"__rpow__ computes x ** 2": lambda m, x: x**2})
def number_to_the_power_of_x(m, x):
    """2 ** x, with a Python number.

    The derivative has the logarithm of the base; engines with __rpow__ = __pow__ compute x ** 2.
    """
    return 2**x


@level.check(x=3.0, hints={"the exponent is not lowered": lambda x: (2 * x**2,)})
def square(m, x):
    """x ** 2."""
    return x**2


@level.check(x=-2.0)
def cube_of_a_negative_number(m, x):
    """x ** 3 at a negative x.

    Powers computed as exp(n * log(x)) are not a number here.
    """
    return x**3


@level.check(x=4.0)
def reciprocal(m, x):
    """x ** -1.

    Engines check for positive exponents, or lose the sign of the exponent in the rule.
    """
    return x**-1


@level.check(x=-2.0)
def negative_power_of_a_negative_number(m, x):
    """x ** -3 at a negative x."""
    return x**-3


@level.check(x=4.0)
def square_root_as_a_power(m, x):
    """x ** 0.5."""
    return x**0.5


@level.check(x=0.0)
def square_at_zero(m, x):
    """x ** 2 at 0.

    Its gradient is 0. Rules that divide by x, or take its logarithm, give not-a-number.
    """
    return x**2


@level.check(x=0.0, expected=lambda x: (1.0,))
def first_power_at_zero(m, x):
    """x ** 1 at 0.

    The gradient is 1 * 0 ** 0 = 1.
    """
    return x**1


@level.check(x=3.0, y=0.7)
def power_with_a_variable_exponent(m, x, y):
    """x ** y, both variables.

    The gradient of y is x ** y * log(x); engines that know only constant exponents treat y as one.
    """
    return m.power(x, y)


@level.check(x=0.7)
def exponential(m, x):
    """exp(x)."""
    return m.exp(x)


@level.check(x=0.7)
def logarithm(m, x):
    """log(x)."""
    return m.log(x)


@level.check(x=0.7)
def square_root(m, x):
    """sqrt(x)."""
    return m.sqrt(x)


@level.check(x=0.7)
def sine(m, x):
    """sin(x)."""
    return m.sin(x)


@level.check(x=0.7)
def cosine(m, x):
    """cos(x).

    The sign of the derivative is what goes wrong.
    """
    return m.cos(x)


@level.check(x=0.7, hints={"the square in 1 - tanh(x) ** 2 is left out": lambda x: (1 - np.tanh(x),)})
def hyperbolic_tangent(m, x):
    """tanh(x)."""
    return m.tanh(x)


@level.check(
    x=-0.7,
    hints={
        "x * (1 - x) of the input, and not of the output": lambda x: (x * (1 - x),),
        "the factor 1 - s is left out": lambda x: (1 / (1 + np.exp(-x)),),
    },
)
def logistic(m, x):
    """sigmoid(x)."""
    return m.sigmoid(x)


@level.check(x=-2.0)
def absolute_value(m, x):
    """abs(x) at a negative x."""
    return m.abs(x)


@level.check(x=1.5, y=-1.5)
def relu_on_both_sides(m, x, y):
    """relu(x) - 3 * relu(y) at a positive x and a negative y."""
    return m.relu(x) - 3 * m.relu(y)


def _between(low: float, high: float):
    def judge(gradients, *inputs):
        got = float(gradients[0])
        if not low <= got <= high:
            raise Fault(f"gradient: got {got:.6g}, expected a value from {low:g} to {high:g}")

    return judge


@level.check(x=0.0, judge=_between(0.0, 1.0))
def relu_at_zero(m, x):
    """relu(x) at 0, where any gradient from 0 to 1 is right.

    Those made of sqrt(x ** 2), or of x / abs(x), are not a number here.
    """
    return m.relu(x)


@level.check(x=0.0, judge=_between(-1.0, 1.0))
def absolute_value_at_zero(m, x):
    """abs(x) at 0, where any gradient from -1 to 1 is right."""
    return m.abs(x)


@level.check(x=1000.0, expected=lambda x: (0.0,))
def hyperbolic_tangent_far_out(m, x):
    """tanh(1000): 1, with the gradient 0.

    Made of exponentials, it overflows to not-a-number.
    """
    return m.tanh(x)


@level.check(x=-1000.0, y=1000.0, expected=lambda x, y: (0.0, 0.0))
def logistic_far_out(m, x, y):
    """sigmoid(-1000) + sigmoid(1000): the gradients are 0.

    1 / (1 + exp(-x)) overflows; some rules then give not-a-number.
    """
    return m.sigmoid(x) + m.sigmoid(y)


@level.check(x=0.5)
def chain_of_functions(m, x):
    """tanh(exp(x)) / 3: the chain rule."""
    return m.tanh(m.exp(x)) / 3


@level.check(x=2.0, y=-3.0, z=10.0)
def polynomial(m, x, y, z):
    """(x * y + z) ** 2 / 5 - y: three inputs in one expression."""
    a, b = m.uses(y, 2)
    return (x * a + z) ** 2 / 5 - b
