"""Layers that pad: their order of axes, their modes, what they take away, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

MODES = {"Zero": "constant", "Reflection": "reflect", "Replication": "edge", "Circular": "wrap"}
X = np.random.default_rng(0).normal(size=(2, 3, 4, 5, 6))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", MODES)
def test_the_last_axis_comes_first(kind: str, rank: int) -> None:
    layer = getattr(nn, f"{kind}Pad{rank}d")
    x = X[(0,) * (3 - rank)]
    widths = (1, 2, 3, 0, 2, 1)[: 2 * rank]
    pairs = [(0, 0), (0, 0), *[widths[i : i + 2] for i in range(2 * rank - 2, -1, -2)]]
    expected = np.pad(x, pairs, mode=MODES[kind])
    np.testing.assert_array_equal(layer(widths)(x).numpy(), expected)
    np.testing.assert_array_equal(layer(widths)(x[0]).numpy(), expected[0])
    assert layer(2).padding == (2,) * 2 * rank
    with pytest.raises(ValueError, match=f"takes one number or {2 * rank}, got"):
        layer((1,) * (2 * rank + 1))
    with pytest.raises(ValueError, match=r"takes an input of shape \(N, C, .*\) or \(C, .*\), got \(3,\)"):
        layer(1)(np.ones(3))


def test_a_constant() -> None:
    layer = nn.ConstantPad2d((1, -1, 0, 1), 2.5)
    assert layer(np.ones((1, 1, 2))).tolist() == [[[2.5, 1], [2.5, 2.5]]]
    assert repr(layer) == "ConstantPad2d(padding=(1, -1, 0, 1), value=2.5)"
    assert repr(nn.ZeroPad1d(1)) == "ZeroPad1d((1, 1))"


@pytest.mark.parametrize(
    ("widths", "mode", "words"),
    [
        ((1,), "constant", r"a pair of numbers for each of the last axes, got \[1\]"),
        ((1, 1, 1, 1, 1, 1), "constant", "a pair of numbers for each"),
        ((1, 1), "mirror", "no mode 'mirror': use constant, reflect, replicate, circular"),
        ((3, 0), "reflect", "does not go with shape"),
        ((4, 0), "circular", "no more than once"),
        ((-2, -2), "constant", "does not go with shape"),
    ],
)
def test_what_is_refused(widths: tuple[int, ...], mode: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        nn.functional.pad(tg.ones((2, 3)), widths, mode)


def test_the_gradient_of_what_is_taken_away_is_zero() -> None:
    x = tg.ones((1, 4), requires_grad=True)
    nn.functional.pad(x, (-1, 2), value=3.0).sum().backward()
    assert x.grad.tolist() == [[0, 1, 1, 1]]
