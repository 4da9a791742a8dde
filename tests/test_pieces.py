"""Array code on large arrays, piece by piece: the same as on the whole, to the bit, on any number of threads."""

from __future__ import annotations

import time
from unittest import mock

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import pieces
from tensorgrad.testing.records import FUNCTIONS

ELEMENTWISE = sorted(
    name for name, function in FUNCTIONS.items() if getattr(function, "op", None) and function.op.elementwise
)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    before = tg.get_num_threads()
    for module in ("pieces", "autograd.operation", "autograd.rules"):
        monkeypatch.setattr(f"tensorgrad.{module}.LARGE", 16)
    monkeypatch.setattr(pieces, "PIECE", 8)
    monkeypatch.setattr(pieces, "LARGER", 16)
    yield
    tg.set_num_threads(before)


def counted(monkeypatch):
    """Counts how often arrays are cut."""
    cut = mock.Mock(wraps=pieces._in_pieces)
    monkeypatch.setattr(pieces, "_in_pieces", cut)
    return cut


SHAPES = [
    [(40,)] * 2,
    [(5, 9), (5, 9)],
    [(5, 9), (9,)],
    [(5, 9), (5, 1)],
    [(5, 9), (1, 9)],
    [(6, 7), ()],
    [(5,), (9, 5)],
]


def test_there_are_many():
    assert len(ELEMENTWISE) > 10


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_elementwise_ops_and_their_rules(name, dtype, monkeypatch):
    function = FUNCTIONS[name]
    count = 2 if "x2" in function.op.index else 1
    rng = np.random.default_rng(0)
    cut = counted(monkeypatch)
    for shapes in SHAPES:
        arrays = [rng.uniform(0.1, 0.9, shape).astype(dtype) for shape in shapes[:count]]
        if name == "acosh":
            arrays = [array + 1 for array in arrays]

        def everything(arrays=arrays):
            inputs = [tg.tensor(array, requires_grad=True) for array in arrays]
            out = function(*inputs)
            yield out
            if out.requires_grad:
                cotangent = np.random.default_rng(1).standard_normal(out.shape).astype(out.dtype)
                out.backward(tg.tensor(cotangent))
                yield from (tensor.grad for tensor in inputs if tensor.grad is not None)

        tg.set_num_threads(1)
        before = cut.call_count
        whole = [tensor.numpy() for tensor in everything()]
        assert cut.call_count == before
        for threads in (2, 3):
            tg.set_num_threads(threads)
            for one, other in zip(everything(), whole, strict=True):
                np.testing.assert_array_equal(one.numpy(), other, strict=True)
    assert cut.called


@pytest.mark.parametrize("shape", [(4, 6, 5), (9, 2, 3)])
@pytest.mark.parametrize("weight", [True, False])
@pytest.mark.parametrize(
    "function",
    [
        lambda x, *more: tg.batch_norm(x, None, None, *more, training=True),
        lambda x, *more: tg.layer_norm(x.permute(0, 2, 1), x.shape[1], *more),
        lambda x, *more: tg.instance_norm(x, weight=more[0] if more else None),
        lambda x, *more: tg.cross_entropy(
            x, tg.tensor(np.arange(x.shape[0] * x.shape[2]).reshape(-1, x.shape[2]) % x.shape[1])
        ),
    ],
    ids=["batch_norm", "layer_norm", "instance_norm", "cross_entropy"],
)
def test_normalisations_and_losses(function, shape, weight, monkeypatch):
    rng = np.random.default_rng(0)
    arrays = [
        rng.standard_normal(shape),
        *([rng.standard_normal(shape[1]), rng.standard_normal(shape[1])] if weight else []),
    ]

    def everything():
        inputs = [tg.tensor(array, requires_grad=True) for array in arrays]
        out = function(*inputs)
        cotangent = np.random.default_rng(1).standard_normal(out.shape)
        out.backward(tg.tensor(cotangent), create_graph=False)
        return [out.numpy(), *(tensor.grad.numpy() for tensor in inputs if tensor.grad is not None)]

    with monkeypatch.context() as patch:
        patch.setattr(pieces, "LARGER", 10**9)
        whole = everything()
    cut = counted(monkeypatch)
    found = {}
    for threads in (1, 2, 3):
        tg.set_num_threads(threads)
        found[threads] = everything()
        assert cut.called
        for one, other, first in zip(found[threads], whole, found[1], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
            assert one.tobytes() == first.tobytes()


@pytest.mark.parametrize("name", ["layer_norm", "instance_norm", "cross_entropy"])
def test_the_same_bits_whoever_comes_first_in_any_memory_order(name):
    rng = np.random.default_rng(0)
    array = rng.standard_normal((40, 60, 31)).astype("float32")
    x = tg.tensor(array, requires_grad=True)
    functions = {
        "layer_norm": lambda: tg.layer_norm(x.permute(2, 1, 0), 40),
        "instance_norm": lambda: tg.instance_norm(x.permute(0, 2, 1)),
        "cross_entropy": lambda: tg.cross_entropy(
            x.permute(0, 2, 1), tg.tensor(np.arange(40 * 60).reshape(40, 60) % 31), reduction="none"
        ),
    }

    def bits():
        x.grad = None
        out = functions[name]()
        out.backward(tg.ones(out.shape))
        return out.numpy().tobytes() + x.grad.numpy().tobytes()

    found = set()
    for threads in (1, 3, 3, 3, 3):
        tg.set_num_threads(threads)
        found.add(bits())
    assert len(found) == 1


def test_a_piece_that_begins_while_the_first_one_ends(monkeypatch):
    make = pieces._whole

    def slowly(*arguments):
        time.sleep(0.01)
        return make(*arguments)

    monkeypatch.setattr(pieces, "_whole", slowly)
    tg.set_num_threads(3)
    x = np.random.default_rng(0).standard_normal((64, 5))
    for _ in range(5):
        y = tg.layer_norm(tg.tensor(x), 5).numpy()
        np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-12)


def test_what_is_summed_and_what_is_left_out():
    @pieces.in_pieces(x=0, pair=(1, None), gives=(0, "sum", 1, "sum"))
    def function(x, pair, option, needs=True):
        assert len(pair[1]) == 3
        return x * option, x.sum() if needs else None, pair[0] + 1, pair[1]

    x, y = np.arange(20.0), np.arange(60.0).reshape(3, 20)
    one, total, two, repeated = function(x, (y, np.ones(3)), 2)
    assert one.tolist() == (2 * x).tolist()
    assert total == x.sum()
    assert two.tolist() == (y + 1).tolist()
    assert repeated.tolist() == [2.0] * 3  # from two pieces
    assert function(x, (y, np.ones(3)), 2, needs=False)[1] is None


def test_an_exception_in_a_piece_is_raised():
    @pieces.in_pieces(x=0, gives=(0,))
    def function(x):
        if x[0]:
            raise ArithmeticError("in the second piece")
        return x

    with pytest.raises(ArithmeticError, match="second piece"):
        function(np.arange(20.0))


def test_tensors_are_not_cut(monkeypatch):
    cut = counted(monkeypatch)
    x = tg.ones((40,), requires_grad=True)
    tg.set_num_threads(2)
    (slope,) = tg.grad((tg.pow(x, 3.0) * x).sum(), x, create_graph=True)
    before = cut.call_count
    slope.sum().backward()
    assert cut.call_count > before
    np.testing.assert_allclose(x.grad.numpy(), 12.0, rtol=1e-5)
