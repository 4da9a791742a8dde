"""Tables: what is picked, what is trained, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

TABLE = np.arange(12.0).reshape(4, 3)


def test_a_row_for_padding_stays_zero() -> None:
    tg.manual_seed(0)
    layer = nn.Embedding(5, 3, padding_idx=-2)
    assert layer.padding_idx == 3
    optimizer = tg.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    before = layer.weight.numpy().copy()
    for _ in range(2):
        optimizer.zero_grad()
        (layer(tg.tensor([[0, 3], [3, 4]])) + 1).square().sum().backward()
        optimizer.step()
    after = layer.weight.numpy()
    assert after[3].tolist() == [0, 0, 0]
    assert (after[[0, 4]] != before[[0, 4]]).all()
    assert (after[[1, 2]] == before[[1, 2]]).all()


def test_rows_used_twice_get_both_gradients() -> None:
    table = tg.tensor(TABLE, requires_grad=True)
    nn.functional.embedding(tg.tensor([1, 1, 0]), table).sum().backward()
    assert table.grad[:, 0].tolist() == [1, 2, 0, 0]


def test_long_rows_are_made_shorter_in_place_where_they_are_used() -> None:
    layer = nn.Embedding.from_pretrained(TABLE, max_norm=1.0)
    out = layer(tg.tensor([1, 3, 1]))
    norms = np.linalg.norm(layer.weight.numpy(), axis=1)
    np.testing.assert_allclose(norms, [np.linalg.norm(TABLE[0]), 1, np.linalg.norm(TABLE[2]), 1], rtol=1e-6)
    np.testing.assert_array_equal(out.numpy(), layer.weight.numpy()[[1, 3, 1]])
    assert TABLE[1, 2] == 5


def test_a_change_in_place_that_a_gradient_needs_is_noticed() -> None:
    table = tg.tensor(TABLE, requires_grad=True)
    product = (table * table).sum()
    nn.functional.embedding(tg.tensor([3]), table.detach(), max_norm=1.0)
    with pytest.raises(tg.GradientError, match="max_norm"):
        product.backward()


@pytest.mark.parametrize("freeze", [True, False])
def test_given_tables_are_copied(freeze: bool) -> None:
    layer = nn.Embedding.from_pretrained(TABLE, freeze=freeze, padding_idx=1)
    assert (layer.num_embeddings, layer.embedding_dim, layer.padding_idx) == (4, 3, 1)
    assert layer.weight.numpy().tolist() == TABLE.tolist()
    assert layer.weight.dtype == "float64"
    assert layer.weight.requires_grad != freeze
    with pytest.raises(ValueError, match=r"takes a table \(V, D\), got shape \(4,\)"):
        nn.Embedding.from_pretrained(np.ones(4))


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(mode: str) -> None:
    layer = nn.EmbeddingBag.from_pretrained(TABLE, mode=mode)
    expected = [getattr(np, mode)(TABLE[[1, 3, 3]], axis=0).tolist(), [0, 0, 0], TABLE[2].tolist()]
    rows = tg.tensor([1, 3, 3, 2])
    assert layer(rows, tg.tensor([0, 3, 3])).tolist() == expected
    layer.include_last_offset = True
    assert layer(rows, [0, 3, 3, 4]).tolist() == expected
    assert layer(tg.tensor([[1, 3, 3], [2, 2, 2]])).tolist()[0] == expected[0]


@pytest.mark.parametrize(("mode", "expected"), [("sum", [3, 4, 5]), ("mean", [3, 4, 5]), ("max", [3, 4, 5])])
def test_padding_does_not_count_in_bags(mode: str, expected: list[float]) -> None:
    layer = nn.EmbeddingBag.from_pretrained(TABLE, mode=mode, padding_idx=0)
    assert layer(tg.tensor([[0, 1, 0], [0, 0, 0]])).tolist() == [expected, [0, 0, 0]]


def test_weights_in_bags() -> None:
    layer = nn.EmbeddingBag.from_pretrained(TABLE, mode="sum")
    weights = tg.tensor([1.0, -1.0, 2.0], dtype="float64", requires_grad=True)
    out = layer(tg.tensor([1, 0, 2]), tg.tensor([0, 2]), weights)
    out.sum().backward()
    assert out.tolist() == [[3, 3, 3], [12, 14, 16]]
    assert weights.grad.tolist() == [12, 3, 21]


def test_names_and_lines() -> None:
    assert list(nn.Embedding(3, 2).state_dict()) == list(nn.EmbeddingBag(3, 2).state_dict()) == ["weight"]
    assert repr(nn.Embedding(3, 2, padding_idx=0)) == "Embedding(3, 2, padding_idx=0)"
    assert repr(nn.EmbeddingBag(3, 2, max_norm=2.0)) == "EmbeddingBag(3, 2, max_norm=2.0, mode='mean')"
    with pytest.raises(ValueError, match="has no row 3 for padding, of 3"):
        nn.Embedding(3, 2, padding_idx=3)
