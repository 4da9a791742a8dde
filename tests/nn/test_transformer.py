"""Transformers against NumPy; names, copies, masks; what is refused."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.testing import assert_gradients
from tests.nn.references import decoder_layer, encoder_layer, layer_norm

RNG = np.random.default_rng(0)


def random_parameters(module):
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


def relu(x):
    return np.maximum(x, 0)


OPTIONS = [
    {},
    {"norm_first": True, "activation": "relu", "bias": False},
    {"batch_first": True, "activation": np.tanh, "layer_norm_eps": 0.1},
]


def make(layer, options):
    activation = options.get("activation", "relu")
    given = options | {"activation": tg.tanh if activation is np.tanh else activation}
    return random_parameters(
        layer(4, 2, 5, 0.0, **given, dtype="float64")
    ), relu if activation == "relu" else activation


def turned(layer, x):
    """Batch-first arrays as the layer takes them, or what it gives as batch-first arrays."""
    return x if layer.self_attn.batch_first else np.swapaxes(x, 0, 1)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_an_encoder_layer(options: dict, device: str) -> None:
    tg.manual_seed(0)
    layer, activation = make(nn.TransformerEncoderLayer, options)
    x, mask, padding = RNG.normal(size=(2, 3, 4)), RNG.random((3, 3)) < 0.3, RNG.random((2, 3)) < 0.3
    expected = encoder_layer(layer, activation, x, mask, padding)
    layer.to(device)
    out = layer(*(tg.tensor(given, device=device) for given in (turned(layer, x), mask, padding)))
    np.testing.assert_allclose(turned(layer, out.detach().numpy()), expected, atol=1e-10)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_decoder_layer(options: dict, device: str) -> None:
    tg.manual_seed(0)
    layer, activation = make(nn.TransformerDecoderLayer, options)
    x, memory = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4))
    masks = RNG.random((3, 3)) < 0.3, RNG.normal(size=(3, 5))
    paddings = RNG.random((2, 3)) < 0.3, RNG.random((2, 5)) < 0.3
    expected = decoder_layer(layer, activation, x, memory, masks, paddings)
    layer.to(device)
    given = (turned(layer, x), turned(layer, memory), *masks, *paddings)
    out = layer(*(tg.tensor(each, device=device) for each in given))
    np.testing.assert_allclose(turned(layer, out.detach().numpy()), expected, atol=1e-10)


def test_a_whole_transformer() -> None:
    tg.manual_seed(0)
    options = {"dim_feedforward": 5, "batch_first": True, "norm_first": True, "dtype": "float64"}
    model = random_parameters(nn.Transformer(4, 2, 2, 3, **options)).eval()
    source, target = RNG.normal(size=(2, 5, 4)), RNG.normal(size=(2, 3, 4))
    padding = np.array([[False, False, True, False, True], [False] * 5])
    later = np.triu(np.ones((3, 3), bool), 1)
    memory = source
    for layer in model.encoder.layers:
        memory = encoder_layer(layer, relu, memory, padding=padding)
    memory, expected = layer_norm(model.encoder.norm, memory), target
    for layer in model.decoder.layers:
        expected = decoder_layer(layer, relu, expected, memory, (later, None), (None, padding))
    expected = layer_norm(model.decoder.norm, expected)
    paddings = {"src_key_padding_mask": padding, "memory_key_padding_mask": padding}
    for mask in ({"tgt_mask": later}, {"tgt_is_causal": True}):
        out = model(source, target, **mask, **paddings)
        np.testing.assert_allclose(out.detach().numpy(), expected, atol=1e-10)
    alone = model(source[0], target[0], tgt_is_causal=True, **{name: given[0] for name, given in paddings.items()})
    np.testing.assert_allclose(alone.detach().numpy(), expected[0], atol=1e-10)


@pytest.mark.parametrize("norm_first", [True, False])
def test_gradients(norm_first: bool) -> None:
    tg.manual_seed(0)
    options = {"activation": tg.tanh, "norm_first": norm_first, "batch_first": True, "dtype": "float64"}
    model = nn.Transformer(4, 2, 1, 1, 3, 0.0, **options)
    call = lambda source, target: model(source, target, tgt_is_causal=True)  # noqa: E731
    assert_gradients(call, RNG.normal(size=(2, 2, 4)), RNG.normal(size=(2, 2, 4)), order=1)


def test_dropout_is_in_every_block() -> None:
    tg.manual_seed(0)
    layer = nn.TransformerEncoderLayer(4, 2, 5, dropout=1.0, norm_first=True)
    x = tg.randn((3, 2, 4))
    assert layer(x).tolist() == x.tolist()
    assert layer.eval()(x).tolist() != x.tolist()
    drops = [module.p for module in layer.modules() if isinstance(module, nn.Dropout)]
    assert drops == [1.0] * 3
    assert layer.self_attn.dropout == 1.0


def test_names_are_pytorchs() -> None:
    block = "in_proj_weight in_proj_bias out_proj.weight out_proj.bias"
    ends = "linear1.weight linear1.bias linear2.weight linear2.bias"
    norms = [f"norm{i}.{name}" for i in (1, 2, 3) for name in ("weight", "bias")]
    encoder = [*(f"self_attn.{name}" for name in block.split()), *ends.split(), *norms[:4]]
    decoder = [f"{part}.{name}" for part in ("self_attn", "multihead_attn") for name in block.split()]
    decoder += [*ends.split(), *norms]
    model = nn.Transformer(4, 2, 2, 1, 3)
    expected = [f"encoder.layers.{i}.{name}" for i in (0, 1) for name in encoder]
    expected += ["encoder.norm.weight", "encoder.norm.bias"]
    expected += [*(f"decoder.layers.0.{name}" for name in decoder), "decoder.norm.weight", "decoder.norm.bias"]
    assert list(model.state_dict()) == expected
    assert not [name for name in nn.Transformer(4, 2, 1, 1, 3, bias=False).state_dict() if "bias" in name]


def test_first_values() -> None:
    tg.manual_seed(0)
    model = nn.Transformer(16, 2, 1, 1, 32)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            bound = np.sqrt(6 / sum(parameter.shape))
            assert 0.9 * bound < np.abs(parameter.numpy()).max() <= bound, name
    before = model.encoder.layers[0].linear1.weight.tolist()
    model.reset_parameters()
    assert model.encoder.layers[0].linear1.weight.tolist() != before


def test_layers_of_a_stack_are_copies() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 5, activation=nn.PReLU())
    stack = nn.TransformerEncoder(layer, 3, nn.LayerNorm(4))
    assert len(stack.layers) == stack.num_layers == 3
    one, other = stack.layers[0], stack.layers[1]
    assert len({id(parameter) for parameter in (*layer.parameters(), *stack.parameters())}) == 4 * 13 + 2
    assert one.linear1.weight.tolist() == other.linear1.weight.tolist() == layer.linear1.weight.tolist()
    with tg.no_grad():
        one.linear1.weight += 1
    assert one.linear1.weight.tolist() != other.linear1.weight.tolist()
    x = tg.randn((3, 2, 4))
    assert copy.deepcopy(stack).eval()(x).tolist() == stack.eval()(x).tolist()
    assert list(nn.TransformerEncoder(layer, 0).parameters()) == []
    assert nn.TransformerEncoder(layer, 0)(x) is x


def test_parts_of_ones_own() -> None:
    class Double(nn.Module):
        def forward(self, x, memory=None, **masks):
            return 2 * x if memory is None else x + memory

    model = nn.Transformer(4, custom_encoder=Double(), custom_decoder=Double())
    assert model(tg.ones((3, 2, 4)), tg.ones((3, 2, 4)))[0, 0].tolist() == [3] * 4


def test_the_mask_of_what_comes_later() -> None:
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    assert mask.tolist() == [[0, -np.inf, -np.inf], [0, 0, -np.inf], [0, 0, 0]]
    assert mask.dtype == "float32"
    assert nn.Transformer.generate_square_subsequent_mask(2, "strict", "float64").device == "strict"


def test_single_precision_stays_and_half_works() -> None:
    model = nn.Transformer(4, 2, 1, 1, 3, activation="gelu")
    for dtype in ("float32", "float16"):
        x = tg.randn((3, 2, 4)).to(dtype).requires_grad_()
        out = model.to(dtype)(x, x, tgt_mask=model.generate_square_subsequent_mask(3))
        assert out.dtype == dtype
        model.zero_grad()
        out.sum().backward()
        assert all(tensor.grad.dtype == dtype for tensor in (x, *model.parameters()))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.TransformerEncoderLayer(4, 3), "embed_dim=4 and num_heads=3"),
        (lambda: nn.TransformerDecoderLayer(4, 2, activation="elu"), "'relu' or 'gelu' or a function, not 'elu'"),
        (lambda: nn.Transformer(4, 2, 1, 1, 3)(np.ones((3, 2, 5)), np.ones((3, 2, 4))), r"src of shape \(L, N, 4\) or"),
        (
            lambda: nn.Transformer(4, 2, 1, 1, 3, batch_first=True)(np.ones((3, 2, 4)), np.ones((3, 2, 1, 4))),
            r"tgt of shape \(N, L, 4\) or \(L, 4\), got \(3, 2, 1, 4\)",
        ),
        (
            lambda: nn.Transformer(4, 2, 1, 1, 3)(np.ones((3, 2, 4)), np.ones((3, 1, 4))),
            r"got \(3, 1, 4\), \(3, 2, 4\)",
        ),
    ],
)
def test_what_does_not_go_together(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
