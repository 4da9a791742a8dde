"""Level 8: dtypes, and who may write where."""

# ruff: noqa: D403 (x is a variable)

from __future__ import annotations

import numpy as np

from tensorgrad.testing.conformance.check import Level
from tensorgrad.testing.conformance.errors import AdapterError, Fault, NotOffered

level = Level(8, "dtypes and mutation")


def _single(m, f, *arrays) -> None:
    """Runs ``f`` in float32, and complains of any other dtype that comes out."""
    if m.adapter.scalars:
        raise NotOffered("the engine computes with single numbers")
    before, m.dtype = m.dtype, np.dtype(np.float32)
    try:
        kept = m.numpy(m.constant(np.ones(3))).dtype
        if kept != np.float32:
            raise NotOffered(f"tensors of float32 become {kept}")
        answer = m.differentiate(f, [np.asarray(array, np.float32) for array in arrays], np.ones(()))
    finally:
        m.dtype = before
    if answer.value.dtype != np.float32:
        raise Fault(f"the value of float32 inputs is {answer.value.dtype}", "float64 creeps in, in the forward pass")
    for gradient in answer.gradients:
        if gradient is None:
            raise Fault("no gradient of a float32 input")
        if gradient.dtype != np.float32:
            raise Fault(f"the gradient of a float32 input is {gradient.dtype}", "float64 creeps in, in a rule")


ROW = np.array([0.5, -1.5, 2.0])


@level.probe()
def float32_in_float32_out(m):
    """sum(x * x + x) in float32: its value and its gradient are float32."""
    _single(m, lambda m, x: m.sum(x * x + x), ROW)


@level.probe()
def float32_with_python_numbers(m):
    """sum(2 * x + 1 - x / 3) in float32: Python numbers do not widen.

    A number that becomes an array becomes one of float64.
    """
    _single(m, lambda m, x: m.sum(2 * x + 1 - x / 3), ROW)


@level.probe()
def float32_powers(m):
    """sum(x ** 3 + (x * x) ** 0.5) in float32."""
    _single(m, lambda m, x: m.sum(x**3 + (x * x) ** 0.5), ROW)


@level.probe()
def float32_means(m):
    """mean(x) * mean(x, axis=0) in float32: the factor 1 / n is a float64 number in NumPy."""
    _single(m, lambda m, x: m.sum(m.mean(x) * m.mean(x, axis=0)), np.stack([ROW, ROW]))


@level.probe()
def float32_functions(m):
    """sum(tanh(x) * exp(x)) in float32."""
    _single(m, lambda m, x: m.sum(m.tanh(x) * m.exp(x)), ROW)


@level.probe()
def float32_masks(m):
    """sum(relu(x)) in float32: masks are of float64 or of bool, and must not decide."""
    _single(m, lambda m, x: m.sum(m.relu(x)), ROW)


@level.probe()
def float32_rows_picked(m):
    """sum(x[[0, 0, 1]]) in float32: the array that collects the gradient has the input's dtype."""
    _single(m, lambda m, x: m.sum(m.getitem(x, np.array([0, 0, 1]))), np.stack([ROW, ROW]))


@level.probe()
def float32_matmul(m):
    """sum(x @ x) of vectors in float32."""
    _single(m, lambda m, x, y: m.matmul(x, y), ROW, 2 * ROW)


@level.probe()
def integer_input(m):
    """x ** 3 / 2 for the integer x = 3: the gradient is 13.5, no whole number; or integers have none, or are refused.

    An engine that makes the gradient like the data, of integers, cuts it off.
    """
    try:
        answer = m.differentiate(lambda m, x: x**3 / 2, [np.array(3)], np.ones(()))
    except (Fault, NotOffered, AdapterError):
        raise
    except Exception:
        return
    got = answer.gradients[0]
    if got is not None and abs(float(got) - 13.5) > 1e-3:
        raise Fault(f"gradient: got {_list(got)}, expected 13.5", "gradients are stored in the integers of the data")


@level.probe()
def gradient_has_the_shape_of_its_input(m):
    """Gradients of shapes (), (1,), (2, 1) are arrays of these shapes, whatever they were broadcast with."""
    for shape in ((), (1,), (2, 1)):
        answer = m.differentiate(lambda m, x: m.sum(x * m.constant(np.ones((2, 3)))), [np.ones(shape)], np.ones(()))
        got = answer.gradients[0]
        if got is None or got.shape != shape:
            raise Fault(
                f"the gradient of an input of shape {shape} has shape {None if got is None else got.shape}",
                "broadcasting not undone",
            )


def _list(got):
    return None if got is None else got.tolist()


def _view(m, x) -> np.ndarray:
    """The gradient as the engine keeps it, if it can be written to."""
    found = m.tape.gradient(x)
    if found is None:
        raise Fault("no gradient")
    array = found if isinstance(found, np.ndarray) else m.numpy(found)
    if not (isinstance(array, np.ndarray) and array.ndim and array.flags.writeable):
        raise NotOffered("gradients cannot be written to")
    return array


@level.probe()
def gradients_are_not_one_array(m):
    """After backward() of sum(x + y), the gradient of x is changed in place: that of y does not change.

    Addition passes one array on to both; weight decay in place then decays twice.
    """
    x, y = m.variable(np.ones(3)), m.variable(np.ones(3))
    m.tape.backward(m.call(lambda m, x, y: m.sum(x + y), x, y))
    _view(m, x)[...] *= 3.0
    got = m.gradient_of(y)
    if got is None or not np.allclose(got, 1.0):
        raise Fault(f"got {_list(got)}, expected [1, 1, 1]", "aliased gradients: copy when they are stored")


@level.probe()
def gradient_is_no_input(m):
    """After backward() of sum(x * y), the gradient of x is changed in place: y does not change."""
    x, y = m.variable(np.full(3, 2.0)), m.variable(np.full(3, 5.0))
    m.tape.backward(m.call(lambda m, x, y: m.sum(x * y), x, y))
    _view(m, x)[...] *= 3.0
    if not np.allclose(m.numpy(y), 5.0):
        raise Fault(f"y became {m.numpy(y).tolist()}", "the gradient is the other factor's array itself")


@level.probe()
def second_pass_leaves_other_gradients_alone(m):
    """backward() of sum(x + y), then of sum(x * 2): the gradient of y is still 1.

    If x and y were given one array, adding to it in place for x changes y.
    """
    x, y = m.variable(np.ones(3)), m.variable(np.ones(3))
    m.tape.backward(m.call(lambda m, x, y: m.sum(x + y), x, y))
    m.tape.backward(m.call(lambda m, x: m.sum(x * 2), x))
    got = m.gradient_of(y)
    if got is None or not np.allclose(got, 1.0):
        raise Fault(f"got {_list(got)}, expected [1, 1, 1]", "aliased gradients: copy before adding in place")


@level.probe()
def array_changed_after_the_forward_pass(m):
    """sum(x * x) of an array that its owner overwrites before backward(): the gradient is that of the values used.

    An engine that keeps the caller's array, and no copy, differentiates at values that were never seen.
    """
    given = m.native(np.full(3, 3.0))
    x = m.tape.variable(given)
    loss = m.call(lambda m, x: m.sum(x * x), x)
    given[...] = 100.0
    m.tape.backward(loss)
    got = m.gradient_of(x)
    if got is None or not np.allclose(got, 6.0):
        shared = got is not None and np.allclose(got, 200.0)
        raise Fault(f"got {_list(got)}, expected [6, 6, 6]", "the engine shares the caller's array" if shared else "")


def _right_or_refused(m, plain, changed, cause: str) -> None:
    """Complains if a function that changes tensors in place has another gradient at 3 than one that does not."""
    x = m.variable(3.0)
    m.tape.backward(m.call(plain, x))
    before = m.gradient_of(x)
    try:
        x = m.variable(3.0)
        m.tape.backward(m.call(changed, x))
    except NotOffered:
        raise
    except Exception:
        return
    after = m.gradient_of(x)
    if after is None or before is None or not np.isclose(float(after), float(before)):
        raise Fault(f"gradient: got {_list(after)}, expected {_list(before)} or an error", cause)


def _square_of_double(m, x):
    a = x * 2
    return a * a


@level.probe()
def value_changed_in_place_after_its_use(m):
    """a += 1 after b = a * a: the gradient of b at the old a, or an error.

    A rule that reads a again reads the new one.
    """

    def changed(m, x):
        a = x * 2
        b = a * a
        a += 1
        return b

    _right_or_refused(m, _square_of_double, changed, "the rule reads a value that was overwritten")


@level.probe()
def value_scaled_in_place_after_its_use(m):
    """a *= 3 after b = a * a: the gradient of b at the old a, or an error."""

    def changed(m, x):
        a = x * 2
        b = a * a
        a *= 3
        return b

    _right_or_refused(m, _square_of_double, changed, "the rule reads a value that was overwritten")


@level.probe()
def changed_in_place_before_its_use(m):
    """a = 2 * x; a += x; a *= x: the gradient of 3 * x ** 2, or an error."""

    def plain(m, x):
        a = x * 2
        a = a + x
        a = a * x
        return a * 1

    def changed(m, x):
        a = x * 2
        a += x
        a *= x
        return a * 1

    _right_or_refused(m, plain, changed, "operators in place are not recorded")


@level.probe()
def layouts_of_arrays(m):
    """sum(x * x) of a transposed, a reversed, a strided and a read-only array: the same gradients as of a plain one."""
    plain = np.arange(1.0, 13.0).reshape(3, 4).astype(m.dtype)
    frozen = plain.copy()
    frozen.setflags(write=False)
    if m.adapter.scalars:
        raise NotOffered("the engine computes with single numbers")
    for words, array in {
        "plain": plain,
        "transposed": plain.T,
        "reversed": plain[::-1],
        "strided": plain[:, ::2],
        "read-only": frozen,
    }.items():
        answer = m.differentiate(lambda m, x: m.sum(x * x), [array], np.ones(()), copy=False)
        if not np.allclose(answer.gradients[0], 2 * array):
            cause = "" if words == "plain" else "the layout in memory is ignored"
            raise Fault(f"the gradient of a {words} array is wrong", cause)


@level.check(x=(2, 3), y=(3,))
def inputs_stay_as_they_are(m, x, y):
    """sum((x * y + y) * x): the caller's arrays are not written to."""
    a, b = m.uses(x, 2)
    c, d = m.uses(y, 2)
    return m.sum((a * c + d) * b)
