"""Records of anybody's ops: what they give for a few words, and that every property finds the bug that it is for."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import hypothesis
import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import Kink, OpSpec, Sample, bad_call, check_op, strategies
from tensorgrad.testing.checks import PROPERTIES
from tensorgrad.testing.contracts import CONTRACTS
from tensorgrad.testing.properties import DEFAULTS


def cube(x: Any) -> Any:
    """The third power."""
    return x * x * x


def root(x: Any) -> Any:
    """The square root, for numbers that have one."""
    if not isinstance(x, tg.Tensor):
        raise ValueError(f"root() takes a Tensor, not {x!r}.")
    if x.size and x.min().item() < 0:
        raise ValueError(f"root() of a number below 0, got {x.min().item():g}.")
    return tg.sqrt(x)


def op(forward: Any, rule: Any) -> Any:
    """An op of one array with a rule of (g, x)."""
    function = tg.op(forward)

    @function.vjp("x")
    def _(g, x):
        return rule(g, x)

    return function


# -- right ones ------------------------------------------------------------------------------------------------

RIGHT = {
    "one array": OpSpec("cube", cube, lambda x: x**3, domain=(-2, 2)),
    "two arrays": OpSpec("distance", lambda x, y: (x - y) ** 2, lambda x, y: (x - y) ** 2),
    "no reference": OpSpec("cube", cube),
    "a reduction": OpSpec(
        "energy", lambda x, **axes: (x * x).sum(**axes), lambda x, **axes: (x * x).sum(**axes), shapes="reduction"
    ),
    "along an axis": OpSpec(
        "center",
        lambda x, axis=0: x - x.mean(axis=axis, keepdims=True),
        lambda x, axis=0: x - x.mean(axis=axis, keepdims=True),
        shapes=strategies.along_axis(shape=strategies.shapes(min_dims=1, min_side=1)),
        nonempty="the mean of nothing",
    ),
    "matrices": OpSpec("gram", lambda x: x.mT @ x, lambda x: x.mT @ x, shapes="matrix"),
    "products": OpSpec("product", lambda x, y: tg.matmul(x, y), np.matmul, shapes="matmul"),
    "squares": OpSpec("trace", lambda x: tg.einsum("...ii->...", x), lambda x: np.trace(x, 0, -2, -1), shapes="square"),
    "one shape": OpSpec("sum", lambda x, y, z: x * y + z, lambda x, y, z: x * y + z, shapes="same"),
    "given shapes": OpSpec("outer", tg.outer, np.outer, shapes=[[(2,), (3,)], [(0,), (1,)]]),
    "arrays of a strategy": OpSpec(
        "energy",
        lambda x: tg.einsum("ij,ij->", x, x),
        lambda x: (x * x).sum(),
        shapes=strategies.positive_definite(2),
        nonempty="they have two rows",
    ),
    "samples of a strategy": OpSpec(
        "pick",
        lambda x, i: x[i],
        lambda x, i: x[i],
        shapes=strategies.separated((3,)).map(lambda x: Sample((x, np.array([0, 2])))),
        nonempty="there are three",
    ),
    "options": OpSpec(
        "scale",
        lambda x, by: x * by,
        lambda x, by: x * by,
        options={"by": hypothesis.strategies.sampled_from([2.0, -1.0])},
    ),
    "random numbers": OpSpec(
        "noise", lambda x: tg.dropout(x * x, 0.5) + tg.rand(*x.shape, device=x.device, dtype=x.dtype)
    ),
    "two outputs": OpSpec("both", lambda x: (x * x, tg.exp(x)), lambda x: (x * x, np.exp(x))),
    "kinks": OpSpec("abs", abs, np.abs, domain=(-2, 2), kinks={0: 0}),
    "a tie": OpSpec(
        "larger",
        lambda x, y: tg.maximum(x, y),
        np.maximum,
        kinks=[Kink(([1.0], [1.0]), ([0.5], [0.5]), words="half each")],
    ),
    "an error": OpSpec(
        "root",
        root,
        np.sqrt,
        domain=(0.5, 2),
        errors=[bad_call("below 0, got -1", np.array(-1.0)), bad_call("Tensor", "abc")],
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_ones_have_all_properties(name: str) -> None:
    check_op(RIGHT[name], examples=10)


@pytest.mark.parametrize("name", RIGHT)
def test_right_ones_have_them_on_another_device(name: str) -> None:
    check_op(RIGHT[name], examples=4, device="strict")


# -- wrong ones ------------------------------------------------------------------------------------------------


@tg.op
def shared(x, y):
    return x + y


@shared.vjp("x", "y")
def _(g, needs):
    both = g * 1.0
    return both, both


@tg.op
def twice_in_one(x, y):
    return x + y


@twice_in_one.vjp("x")
def _(g):
    g = np.asarray(g)
    g.flags.writeable = True
    g *= 1.5
    return g


@twice_in_one.vjp("y")
def _(g):
    return g


def in_memory_order(x: Any) -> Any:
    return tg.from_numpy(x.data.ravel(order="K").copy())


def double(x: Any) -> Any:
    return x if isinstance(x, tg.Tensor) else tg.tensor(x, dtype="float64")


def elsewhere_double(x: Any) -> Any:
    return x * 2 if x.device == "cpu" else x * 2.001


def no_second(x: Any) -> Any:
    return op(lambda x: x**3, lambda g, x: 3 * g * (tg.tensor(x.data**2) if isinstance(x, tg.Tensor) else x**2))(x)


def no_second_in_single(x: Any) -> Any:
    def rule(g: Any, x: Any) -> Any:
        return (3.01 if isinstance(x, tg.Tensor) and x.dtype == "float32" else 3) * g * x**2

    return op(lambda x: x**3, rule)(x)


def second_in_single(x: Any) -> Any:
    def rule(g: Any, x: Any) -> Any:
        return (3 * g * x**2).to("float32").to(g.dtype) if isinstance(x, tg.Tensor) else 3 * g * x**2

    return op(lambda x: x**3, rule)(x)


def refuses(kind: str) -> Any:
    def function(x: Any) -> Any:
        if (kind == "empty" and x.size == 0) or (kind == "scalars" and x.ndim == 0):
            raise ValueError("no")
        return x * 1.0

    return function


same: dict[str, Any] = {"reference": lambda x: x * 1.0}
WRONG = {
    "forward": OpSpec("cube", cube, lambda x: x**2),
    "forward: dtype": OpSpec("widened", lambda x: x.to("float64"), **same),
    "forward: count": OpSpec("one", lambda x: (x * 1.0, x * 1.0), **same),
    "forward: no Tensor": OpSpec("bare", lambda x: x.numpy() * 1.0, **same),
    "empty": OpSpec("full", refuses("empty"), **same),
    "scalars": OpSpec("axes", refuses("scalars"), **same),
    "numbers": OpSpec("sum", lambda x, y: double(x) + double(y), np.add, numbers=True),
    "derivatives": OpSpec("factor", op(lambda x: x * x, lambda g, x: 2.00001 * g * x)),
    "derivatives: second": OpSpec("no second", no_second),
    "slopes": OpSpec("factor", op(lambda x: x * x, lambda g, x: 1.5 * g * x)),
    "dtypes": OpSpec("widened", lambda x: x.to("float64") * 2),
    "rules": OpSpec("not linear", op(lambda x: x * 1.0, lambda g, x: g * g)),
    "rules: recorded": OpSpec(
        "two rules", op(lambda x: x * x, lambda g, x: (2 if isinstance(g, np.ndarray) else 3) * g * x)
    ),
    "curvature": OpSpec("in single precision", no_second_in_single),
    "curvature: linear": OpSpec("rounded", second_in_single),
    "layouts": OpSpec("memory", in_memory_order),
    "unchanged": OpSpec("writes", twice_in_one, np.add),
    "aliasing": OpSpec("shared", shared, np.add, shapes="same"),
    "parity": OpSpec("elsewhere", elsewhere_double),
    "kinks": OpSpec("abs", abs, np.abs, kinks={0: 1}),
    "errors": OpSpec("anything", cube, errors=[bad_call("shape", np.ones(3))]),
    "errors: words": OpSpec("dull", tg.add, errors=[bad_call("please", np.ones(2), np.ones(3))]),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_property_finds_its_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, spec = name.partition(":")[0], WRONG[name]
    if found == "aliasing":
        # The engine copies what is not a gradient's own, whatever a rule gives.
        monkeypatch.setattr("tensorgrad.autograd.gradient.claim", lambda held: held.pop())
    device = "strict" if found == "parity" else "cpu"
    with pytest.raises(AssertionError, match=f"does not have the property '{found}' on {device}"):
        check_op(spec, only=found, device=device, examples=40, seed=0)


def test_every_property_has_a_bug_and_words() -> None:
    tried = {name.partition(":")[0] for name in WRONG}
    assert {*PROPERTIES} <= {*tried, "together"}
    for found in PROPERTIES.values():
        assert found.words.endswith("."), found.name


# -- what is said ----------------------------------------------------------------------------------------------


def wrong_from_three_on(x: Any) -> Any:
    return x * (2.0 if x.size >= 3 else 1.0)


def test_a_failure_says_what_where_and_how_to_see_it_again() -> None:
    spec = OpSpec("sometimes", wrong_from_three_on, lambda x: x * 1.0)
    with pytest.raises(AssertionError) as caught:
        check_op(spec, seed=0)
    text = str(caught.value)
    assert text.startswith(
        "sometimes does not have the property 'forward' on cpu.\nwanted: The outputs have the values"
    )
    assert "found: output 0 is 2.0 instead of 1.0, in entry [0]" in text
    smallest = text.partition("(seed 0): ")[2].partition("\n")[0]
    sample = eval(smallest, {"Sample": Sample, "np": np})
    assert sample.arrays[0].size == 3
    line = text.partition("to see it again: ")[2]
    with pytest.raises(AssertionError, match=r"output 0 is 2\.0 instead of 1\.0"):
        exec(line, {"check_op": check_op, "spec": spec, "Sample": Sample, "np": np})


def test_the_first_failure_may_be_enough() -> None:
    sizes = []

    def counted(x: Any) -> Any:
        sizes.append(x.size)
        return wrong_from_three_on(x)

    for shrink in (True, False):
        sizes.clear()
        with pytest.raises(AssertionError):
            check_op(OpSpec("sometimes", counted, lambda x: x * 1.0), only="forward", shrink=shrink, seed=0)
        count = len(sizes)
    assert count <= 25


def test_what_raises_is_told() -> None:
    with pytest.raises(AssertionError, match="found: ZeroDivisionError: oh"):
        check_op(OpSpec("fails", lambda x: (_ for _ in ()).throw(ZeroDivisionError("oh")), lambda x: x))


def test_a_seed_gives_the_same_samples() -> None:
    def drawn(**options: Any) -> list[Any]:
        seen: list[Any] = []

        def noting(x: Any) -> Any:
            seen.append(x.tolist())
            return x * 1.0

        check_op(OpSpec("noting", noting, lambda x: x * 1.0), only="forward", examples=10, **options)
        return seen

    assert drawn() == drawn() == drawn(seed=DEFAULTS.seed)
    assert drawn(seed=1) == drawn(seed=1) != drawn(seed=2)


def test_what_is_no_record() -> None:
    with pytest.raises(ValueError, match=r"'boardcast'; the contracts are any, same, broadcast"):
        OpSpec("add", tg.add, shapes="boardcast")
    with pytest.raises(ValueError, match="there are 2: give a list of Kink"):
        OpSpec("add", tg.add, kinks={0: 0})
    with pytest.raises(ValueError, match=r"no property 'fwd': they are forward, empty"):
        check_op(OpSpec("cube", cube), only="fwd")
    with pytest.raises(AssertionError, match=r"drawn as a Config, a Sample, an array or a tuple of them, not as 3"):
        check_op(OpSpec("cube", cube, shapes=hypothesis.strategies.just(3)), only="dtypes")
    with pytest.raises(AssertionError, match=r"there are \(almost\) none to test 'empty' with"):
        check_op(OpSpec("cube", cube, lambda x: x**3, shapes=[[(2,)]]), only="empty")


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_contract_is_told_and_tried(name: str) -> None:
    spec = OpSpec("f", lambda *arrays, **options: arrays[0], shapes=name, arity=2 if name == "matmul" else 1)
    assert f"| {CONTRACTS[name].words} |" in spec.line()
    assert hypothesis.find(spec.samples(), lambda sample: sample.arrays[0].size > 1)
    if CONTRACTS[name].scalars:
        assert hypothesis.find(spec.samples(), lambda sample: sample.arrays[0].ndim == 0)


def test_samples_keep_away_from_kinks() -> None:
    spec = OpSpec("abs", abs, domain=(-1, 1), kinks={0: 0, 1: 1})

    @hypothesis.given(spec.samples())
    def check(sample: Sample) -> None:
        x = sample.arrays[0]
        assert (np.abs(x) >= 0.1).all()
        assert (x <= 0.9).all()

    check()


def test_a_line_of_documentation() -> None:
    def f(x, /, y, *, slope=0.5):
        """Something | other, see :func:`cube`.

        More.
        """

    spec = OpSpec("f", f, domain=[(0, 1), strategies.POSITIVE], kinks=[Kink((), (), words="0 at ties")], order=1)
    assert (
        spec.line()
        == r"| `f(x, y, *, slope=0.5)` | Something \| other, see `cube`. | broadcast | [0, 1]; x > 0 | 0 at ties | 1 |"
    )
    assert OpSpec("abs", abs, kinks={0: 0, 1: 0}).line().endswith("| 0 at x = 0, 1 | 1, 2 |")


def test_without_hypothesis_it_is_said_what_to_install() -> None:
    code = """
import sys
sys.modules["hypothesis"] = None
import tensorgrad.testing
assert tensorgrad.testing.gradcheck(lambda x: x * x, [1.0])
try:
    from tensorgrad.testing import OpSpec
except ImportError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install hypothesis" in said
