"""In-place updates: as NumPy outside a graph, out of place or refused inside."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg

UPDATES = {
    "+=": lambda x, y: x.__iadd__(y),
    "-=": lambda x, y: x.__isub__(y),
    "*=": lambda x, y: x.__imul__(y),
    "/=": lambda x, y: x.__itruediv__(y),
    "//=": lambda x, y: x.__ifloordiv__(y),
    "%=": lambda x, y: x.__imod__(y),
    "**=": lambda x, y: x.__ipow__(y),
}


@pytest.mark.parametrize("symbol", UPDATES)
@pytest.mark.parametrize("other", [2, 2.5, [2.0, 3.0], np.array([2.0, 3.0], dtype="float32")])
def test_outside_a_graph_as_numpy(symbol, other, device):
    x = tg.tensor([7.0, 5.0], device=device)
    expected = UPDATES[symbol](np.array([7.0, 5.0], dtype="float32"), other)
    given = tg.tensor(other, device=device) if isinstance(other, np.ndarray) else other
    memory = x.data
    result = UPDATES[symbol](x, given)
    assert result is x
    assert x.data is memory
    assert x.dtype == "float32"
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-6)
    assert x.version == 1


def test_bits_and_integers():
    x = tg.tensor([6, 3])
    x &= 5
    x |= 8
    x ^= 1
    x <<= 2
    x >>= 1
    assert x.tolist() == [((v & 5 | 8) ^ 1) << 2 >> 1 for v in (6, 3)]
    with pytest.raises(TypeError, match="same_kind"):
        x += 0.5


def test_a_float32_stays_float32():
    x = tg.ones(2)
    x += tg.ones(2, dtype="float64")
    assert x.dtype == np.float32


@pytest.mark.parametrize(
    ("key", "value"),
    [(0, 5.0), (slice(1, None), [7.0, 8.0]), ([0, 2], 1.5), ([True, False, True], 3), (..., 0), (-1, np.float64(2))],
)
def test_items_outside_a_graph_as_numpy(key, value, device):
    x = tg.tensor([1.0, 2.0, 3.0], device=device)
    expected = x.numpy().copy()
    expected[key] = value
    x[key] = value
    assert x.tolist() == expected.tolist()
    assert x.dtype == "float32"
    assert x.version == 1


def test_items_by_tensors():
    x = tg.zeros((2, 3))
    x[tg.tensor([1, 0]), 1] = tg.tensor([5.0, 6.0])
    assert x.tolist() == [[0.0, 6.0, 0.0], [0.0, 5.0, 0.0]]
    x[x > 5.5] = -1.0
    assert x[0, 1].item() == -1.0


def test_views_share_memory_as_in_numpy():
    x = tg.zeros(4)
    view = x[1:3]
    view += 1
    assert x.tolist() == [0.0, 1.0, 1.0, 0.0]


def test_inside_a_graph_it_is_out_of_place():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    before = y
    y += 5
    assert y is not before
    assert before.tolist() == [1.0, 2.0]
    y *= y
    y.sum().backward()
    assert x.grad.tolist() == [12.0, 14.0]


def test_a_plain_tensor_joins_a_graph_out_of_place():
    x = tg.tensor([1.0], requires_grad=True)
    total = tg.zeros(1)
    for _ in range(3):
        total += x
    total.backward()
    assert x.grad.tolist() == [3.0]


def test_items_inside_a_graph_are_refused_with_the_way_out():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    with pytest.raises(tg.GradientError, match=r"x = tg\.index_put\(x, i, v\)"):
        y[0] = 1.0
    with pytest.raises(tg.GradientError, match=r"tg\.index_put"):
        tg.zeros(2)[0] = x[0]
    y = tg.index_put(y, 0, 1.0)
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("change", [lambda x: x.__iadd__(1), lambda x: x.__setitem__(0, 9.0), lambda x: x.zero_()])
def test_a_leaf_that_requires_a_gradient_refuses(change):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(tg.GradientError, match=r"leaf that requires a gradient.*tg\.no_grad\(\)"):
        change(x)
    assert x.tolist() == [1.0, 2.0]
    with tg.no_grad():
        change(x)
    assert x.tolist() != [1.0, 2.0]
    assert x.requires_grad
    assert x.is_leaf
    assert x.version == 1


def test_fill_zero_copy():
    x = tg.ones(2)
    assert x.fill_(3).tolist() == [3.0, 3.0]
    assert x.zero_().tolist() == [0.0, 0.0]
    assert x.copy_(tg.tensor([1, 2])).tolist() == [1.0, 2.0]


def test_arithmetic_by_its_names():
    """A moving average, as it is written by hand."""
    x, y = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 5.0])
    memory = x.data
    assert x.mul_(0.5).add_(y, alpha=2).tolist() == [6.5, 11.0]
    assert x.sub_(tg.tensor(1), alpha=0.5).div_([2, 4]).tolist() == [3.0, 2.625]
    assert x.clamp_(max=2.75).clamp_(2.7, 3).tolist() == [2.75, np.float32(2.7)]
    assert x.data is memory
    with pytest.raises(TypeError):
        tg.tensor([1, 2]).add_(0.5)


@pytest.mark.parametrize(
    ("change", "form", "way_out"),
    [
        (lambda x: x.fill_(3), "fill_", "tg.full_like"),
        (lambda x: x.zero_(), "zero_", "x.grad = None"),
        (lambda x: x.copy_(1), "copy_", "no_grad"),
        (lambda x: x.add_(1), "add_", r"x \+ y"),
        (lambda x: x.sub_(1), "sub_", "x - y"),
        (lambda x: x.mul_(2), "mul_", r"x \* y"),
        (lambda x: x.div_(2), "div_", "x / y"),
        (lambda x: x.clamp_(2), "clamp_", "x.clamp"),
    ],
)
def test_methods_are_called_by_their_names(change, form, way_out):
    x, w = tg.ones(2), tg.ones(2, requires_grad=True)
    y = (x * w).sum()
    with pytest.raises(tg.GradientError, match=rf"leaf .* by {form}\(\)"):
        change(w)
    with pytest.raises(tg.GradientError, match=rf"^{form}\(\) .*{way_out}"):
        change(w * 2)
    change(x)
    with pytest.raises(tg.GradientError, match=rf"by '{form}\(\)'"):
        y.backward()


def test_a_recorded_gradient_is_cleared_as_the_message_says():
    x = tg.tensor(2.0, requires_grad=True)
    (x**3).backward(create_graph=True)
    with pytest.raises(tg.GradientError, match=r"x\.grad = None"):
        x.grad.zero_()
    x.grad = None


def test_what_changes_nothing_is_a_copy(device):
    x = tg.ones(3, device=device)
    for y in (x.clip(), tg.sort(x[0]), tg.repeat(x, 1), tg.tile(x, 1), tg.tile(x, (1, 1)), tg.pad(x, 0, mode="edge")):
        y += 1
    assert x.tolist() == [1.0, 1.0, 1.0]


def test_what_does_not_fit_raises_and_changes_nothing():
    x = tg.ones(2)
    with pytest.raises(ValueError, match="broadcast"):
        x += tg.ones(3)
    with pytest.raises(IndexError):
        x[5] = 1.0
    assert x.tolist() == [1.0, 1.0]
    assert x.version == 0
