"""Attention as a layer, against NumPy; its masks; what is refused."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F
from tensorgrad.testing import assert_gradients
from tests.nn.references import attention

RNG = np.random.default_rng(0)


def drawn(*args, **options):
    """A layer all of whose parameters are random numbers, biases too."""
    layer = nn.MultiheadAttention(*args, **options, dtype="float64")
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    return layer


LAYERS = [
    {},
    {"bias": False, "add_zero_attn": True},
    {"kdim": 3, "vdim": 5, "add_bias_kv": True},
    {"kdim": 3, "bias": False, "add_bias_kv": True, "add_zero_attn": True},
]
HIDDEN = RNG.random((4, 5)) < 0.3
MASKS = [
    (None, None),
    (HIDDEN, None),
    (HIDDEN, RNG.random((2, 5)) < 0.3),
    (RNG.normal(size=(6, 4, 5)), RNG.random((2, 5)) < 0.3),
    (RNG.random((6, 4, 5)) < 0.3, RNG.normal(size=(2, 5))),
    (None, np.array([[True] * 5, [False] * 5])),
]


@pytest.mark.parametrize("options", LAYERS, ids=str)
@pytest.mark.parametrize("masks", MASKS, ids=lambda masks: "-".join("" if m is None else str(m.shape) for m in masks))
def test_it_is_every_head_by_itself(options: dict, masks: tuple, device: str) -> None:
    tg.manual_seed(0)
    layer = drawn(6, 3, **options)
    query = RNG.normal(size=(2, 4, 6))
    key, value = RNG.normal(size=(2, 5, layer.kdim)), RNG.normal(size=(2, 5, layer.vdim))
    expected, expected_weights = attention(layer, query, key, value, *masks)
    layer.to(device)
    hidden, padding = (None if mask is None else tg.tensor(mask, device=device) for mask in masks)
    for batch_first in (True, False):
        layer.batch_first = batch_first
        given = (x if batch_first else x.swapaxes(0, 1) for x in (query, key, value))
        out, weights = layer(
            *(tg.tensor(x, device=device) for x in given),
            key_padding_mask=padding,
            attn_mask=hidden,
            average_attn_weights=False,
        )
        found = out.detach().numpy()
        np.testing.assert_allclose(found if batch_first else found.swapaxes(0, 1), expected, atol=1e-12)
        np.testing.assert_allclose(weights.detach().numpy(), expected_weights, atol=1e-12)


def test_without_a_batch_and_without_weights() -> None:
    layer = drawn(4, 2, batch_first=True)
    query, key, padding = RNG.normal(size=(3, 4)), RNG.normal(size=(5, 4)), np.array([False, True, False, False, True])
    for batch_first in (True, False):
        layer.batch_first = batch_first
        out, weights = layer(query, key, key, padding)
        expected, each = attention(layer, query[None], key[None], key[None], padding=padding[None])
        np.testing.assert_allclose(out.detach().numpy(), expected[0], atol=1e-12)
        np.testing.assert_allclose(weights.detach().numpy(), each[0].mean(0), atol=1e-12)
        assert layer(query, key, key, average_attn_weights=False)[1].shape == (2, 3, 5)
        alone, nothing = layer(query, key, key, padding, need_weights=False)
        assert nothing is None
        assert alone.tolist() == out.tolist()


def test_no_query_sees_what_comes_after_it() -> None:
    layer = drawn(4, 2, batch_first=True)
    x = RNG.normal(size=(2, 5, 4))
    later = np.triu(np.full((5, 5), -np.inf), 1)
    out, weights = layer(x, x, x, is_causal=True)
    assert (np.triu(weights.detach().numpy(), 1) == 0).all()
    for more in ({"attn_mask": later}, {"attn_mask": later, "is_causal": True}, {"attn_mask": np.isinf(later)}):
        np.testing.assert_allclose(layer(x, x, x, **more)[0].detach().numpy(), out.detach().numpy(), atol=1e-12)
    changed = x.copy()
    changed[:, 3:] += 1
    np.testing.assert_allclose(
        layer(changed, changed, changed, is_causal=True)[0].detach().numpy()[:, :3], out.detach().numpy()[:, :3]
    )


@pytest.mark.parametrize("options", [{"add_bias_kv": True}, {"kdim": 2, "vdim": 1, "add_zero_attn": True}], ids=str)
def test_gradients_of_everything(options: dict) -> None:
    layer = drawn(4, 2, batch_first=True, **options)
    arrays = [RNG.normal(size=(2, 2, n)) for n in (4, layer.kdim, layer.vdim)]
    padding = np.array([[False, True], [True, True]])
    names = [name for name, _ in layer.named_parameters()]

    def call(query, key, value, *parameters):
        given = {name.replace(".", "_"): parameter for name, parameter in zip(names, parameters)}
        separate = layer.in_proj_weight is None
        out, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            4,
            2,
            given.pop("in_proj_weight", None),
            given.pop("in_proj_bias"),
            given.pop("bias_k", None),
            given.pop("bias_v", None),
            layer.add_zero_attn,
            0.0,
            key_padding_mask=padding,
            use_separate_proj_weight=separate,
            batch_first=True,
            **given,
        )
        return out.sum() + (weights * weights).sum() + (out * out).sum()

    assert_gradients(call, *arrays, *(parameter.numpy() for parameter in layer.parameters()), order=1)


def test_self_attention_is_attention_to_three_equals() -> None:
    layer = drawn(4, 2)
    x = tg.tensor(RNG.normal(size=(3, 2, 4)), requires_grad=True)
    one, other = layer(x, x, x)[0], layer(x, x.clone(), x.clone())[0]
    np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), atol=1e-12)
    parameters = [x, *layer.parameters()]
    for a, b in zip(tg.grad(one.square().sum(), parameters), tg.grad(other.square().sum(), parameters)):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-11)


def test_dropout_while_training() -> None:
    tg.manual_seed(0)
    layer = nn.MultiheadAttention(4, 2, dropout=0.5, batch_first=True)
    x = tg.randn((8, 10, 4))
    weights = layer(x, x, x, average_attn_weights=False)[1].detach().numpy()
    assert (weights == 0).mean() == pytest.approx(0.5, abs=0.05)
    assert weights.sum() / (8 * 2 * 10) == pytest.approx(1, abs=0.1)
    weights = layer.eval()(x, x, x)[1].detach().numpy()
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)


def test_static_keys_and_values() -> None:
    query, keys, values = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(4, 5, 2)), RNG.normal(size=(4, 5, 2))
    eye = np.eye(4)
    out, _ = F.multi_head_attention_forward(
        query,
        query[:, :0],
        query[:, :0],
        4,
        2,
        np.concatenate([eye, eye, eye]),
        None,
        None,
        None,
        False,
        0.0,
        eye,
        None,
        static_k=keys,
        static_v=values,
        batch_first=True,
    )
    heads = tg.scaled_dot_product_attention(
        query.reshape(2, 3, 2, 2).swapaxes(1, 2), keys.reshape(2, 2, 5, 2), values.reshape(2, 2, 5, 2)
    )
    np.testing.assert_allclose(out.numpy(), heads.numpy().swapaxes(1, 2).reshape(2, 3, 4))


def test_names_shapes_and_first_values() -> None:
    tg.manual_seed(0)
    layer = nn.MultiheadAttention(40, 4, add_bias_kv=True)
    assert {name: tuple(value.shape) for name, value in layer.state_dict().items()} == {
        "in_proj_weight": (120, 40),
        "in_proj_bias": (120,),
        "bias_k": (1, 1, 40),
        "bias_v": (1, 1, 40),
        "out_proj.weight": (40, 40),
        "out_proj.bias": (40,),
    }
    bound = np.sqrt(6 / 160)
    values = np.abs(layer.in_proj_weight.numpy())
    assert 0.95 * bound < values.max() <= bound
    assert np.abs(layer.out_proj.weight.numpy()).max() <= 40**-0.5
    assert not layer.in_proj_bias.numpy().any()
    assert not layer.out_proj.bias.numpy().any()
    assert layer.bias_k.numpy().std() == pytest.approx(np.sqrt(2 / 80), rel=0.4)
    before = layer.out_proj.weight.tolist()
    layer.reset_parameters()
    assert layer.out_proj.weight.tolist() != before
    names = ["q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj.weight"]
    assert list(nn.MultiheadAttention(4, 2, kdim=3, bias=False).state_dict()) == names
    assert repr(layer).splitlines()[0] == "MultiheadAttention("
    assert "(out_proj): Linear(in_features=40, out_features=40, bias=True)" in repr(layer)
    other = copy.deepcopy(layer)
    assert other.in_proj_weight is not layer.in_proj_weight
    assert other.in_proj_weight.tolist() == layer.in_proj_weight.tolist()


def test_single_precision_stays() -> None:
    layer = nn.MultiheadAttention(4, 2, add_zero_attn=True)
    x = tg.randn((3, 2, 4), requires_grad=True)
    out, weights = layer(x, x, x, attn_mask=np.zeros((3, 3)), key_padding_mask=[[False, True, False]] * 2)
    assert out.dtype == weights.dtype == "float32"
    (out.sum() + weights.sum()).backward()
    assert all(tensor.grad.dtype == "float32" for tensor in (x, *layer.parameters()))


def test_nothing_to_look_at() -> None:
    layer = nn.MultiheadAttention(4, 2, batch_first=True)
    out, weights = layer(tg.ones((2, 3, 4)), tg.ones((2, 0, 4)), tg.ones((2, 0, 4)))
    assert not out.detach().numpy().any()
    assert weights.shape == (2, 3, 0)
    empty = tg.ones((0, 3, 4))
    assert layer(empty, empty, empty)[0].shape == (0, 3, 4)


Q, K = np.ones((3, 2, 4)), np.ones((5, 2, 4))


@pytest.mark.parametrize(
    ("arrays", "options", "words"),
    [
        ((Q, K[:4], K), {}, r"\(L, N, 4\), \(S, N, K\), \(S, N, V\), all with N .*, got \(3, 2, 4\), \(4, 2, 4\)"),
        ((Q, K[:, :1], K[:, :1]), {}, r"got \(3, 2, 4\), \(5, 1, 4\)"),
        ((Q[..., :3], K, K), {}, r"got \(3, 2, 3\)"),
        ((Q, K[:, 0], K[:, 0]), {}, r"got \(3, 2, 4\), \(5, 4\)"),
        ((Q[0, 0], K, K), {}, r"got \(4,\)"),
        ((Q, K[..., :3], K), {}, r"linear\(\) of x \(5, 2, 3\)"),
        ((Q, K, K), {"attn_mask": np.ones((5, 3))}, r"attn_mask has the shape \(3, 5\) or \(4, 3, 5\), not \(5, 3\)"),
        ((Q, K, K), {"key_padding_mask": np.ones((5, 2))}, r"key_padding_mask has the shape \(2, 5\), not \(5, 2\)"),
    ],
)
def test_shapes_that_do_not_go_together(arrays: tuple, options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        nn.MultiheadAttention(4, 2, dtype="float64")(*arrays, **options)


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="embed_dim=4 and num_heads=3"):
        nn.MultiheadAttention(4, 3)
    with pytest.raises(ValueError, match="dropout from 0 to 1, got 2"):
        nn.MultiheadAttention(4, 2, dropout=2)
    with pytest.raises(TypeError, match=r"key_padding_mask: a mask is of booleans or of floating point .* int64"):
        nn.MultiheadAttention(4, 2)(Q, K, K, key_padding_mask=np.ones((2, 5), int))
