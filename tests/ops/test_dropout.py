"""Dropout: which values are kept, by how much they grow, and that the gradient knows."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_expectation_stays(p: float, device: str) -> None:
    x = tg.ones((200, 500), device=device)
    y = tg.dropout(x, p).numpy()
    kept = y != 0
    assert kept.mean() == pytest.approx(1 - p, abs=0.01)
    np.testing.assert_allclose(y[kept], 1 / (1 - p), rtol=1e-6)
    assert y.dtype == "float32"


def test_the_gradient_goes_where_the_values_went(device: str) -> None:
    x = tg.tensor(np.arange(1.0, 101.0), device=device, requires_grad=True)
    y = tg.dropout(x, 0.25)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy() * np.arange(1.0, 101.0), y.numpy())


def test_one_seed_drops_the_same_everywhere() -> None:
    kept = []
    for device in ("cpu", "strict", "cpu"):
        tg.manual_seed(5)
        kept.append(tg.dropout(tg.ones(50, device=device)).tolist())
    assert kept[0] == kept[1] == kept[2] != tg.dropout(tg.ones(50)).tolist()


@pytest.mark.parametrize("function", [tg.dropout, tg.dropout2d])
def test_the_ends(function) -> None:
    x = tg.tensor(np.ones((2, 3, 4)), requires_grad=True)
    assert function(x, 0.0) is x
    assert function(x, 0.7, training=False) is x
    y = function(x, 1.0)
    y.sum().backward()
    assert not y.numpy().any()
    assert not x.grad.numpy().any()


@pytest.mark.parametrize("shape", [(20, 10, 3, 2), (200, 3, 2)])
def test_whole_channels(shape: tuple[int, ...]) -> None:
    y = tg.dropout2d(tg.ones(shape), 0.5).numpy().reshape(200, -1)
    assert set(np.unique(y)) == {0, 2}
    assert (y == y[:, :1]).all()
    assert 60 < (y[:, 0] == 0).sum() < 140


def test_other_numbers_of_axes() -> None:
    assert tg.dropout1d(tg.ones((2, 3, 4))).shape == (2, 3, 4)
    assert tg.dropout3d(tg.ones((2, 3, 4, 5, 6))).shape == (2, 3, 4, 5, 6)
    with pytest.raises(ValueError, match=r"dropout2d\(\) takes 4 axes .* or 3, got shape \(2, 3\)"):
        tg.dropout2d(tg.ones((2, 3)))


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability(p: float) -> None:
    with pytest.raises(ValueError, match=f"dropout.* needs a probability p from 0 to 1, got {p}"):
        tg.dropout(tg.ones(3), p)
    with pytest.raises(ValueError, match="Dropout needs a probability"):
        tg.nn.Dropout(p)
    # Nothing is checked less strictly where nothing would be dropped.
    with pytest.raises(ValueError, match="probability"):
        tg.dropout(tg.ones(3), p, training=False)


@pytest.mark.parametrize("function", [tg.dropout, tg.dropout1d])
@pytest.mark.parametrize("training", [False, True])
def test_integers_are_refused(function, training: bool) -> None:
    with pytest.raises(TypeError, match=r"dropout(1d)?\(\) takes floating point numbers, got dtype int64"):
        function(tg.arange(4).reshape(2, 2), 0.5, training)
