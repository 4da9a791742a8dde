"""Recurrent layers and cells: stacks, directions, shapes, names, several lengths. Records compare single layers."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn.utils.rnn import PackedSequence, pack_sequence, pad_packed_sequence, unpack_sequence
from tensorgrad.testing import assert_gradients

RNG = np.random.default_rng(0)
KINDS = [nn.RNN, nn.LSTM, nn.GRU]
CELLS = [(nn.RNN, nn.RNNCell), (nn.LSTM, nn.LSTMCell), (nn.GRU, nn.GRUCell)]


def numbered(module: nn.Module) -> Any:
    """The module with the sines of 0, 1, 2, ... as its parameters."""
    count = 0
    with tg.no_grad():
        for parameter in module.parameters():
            parameter[...] = tg.sin(tg.arange(count, count + parameter.size, dtype="float64")).reshape(parameter.shape)
            count += parameter.size
    return module


def listed(state: Any) -> list[tg.Tensor]:
    return [*state] if isinstance(state, tuple) else [state]


def some(*shape: int) -> tg.Tensor:
    return tg.tensor(RNG.normal(size=shape))


@pytest.mark.parametrize(
    ("kind", "options", "sums", "lasts"),
    [
        (nn.RNN, {}, [4.79843658, -2.83801224, 0.43922607], [3.60317345]),
        (nn.RNN, {"nonlinearity": "relu"}, [4.95126368, 0.89389602, 2.01463837], [9.74425732]),
        (nn.GRU, {}, [-0.36566613, 0.55626103, 0.64115813], [-0.14436369]),
        (nn.LSTM, {}, [0.36006079, 0.14340004, 0.48961829], [-0.14335426, 5.35510181]),
        (nn.LSTM, {"proj_size": 1}, [0.19970015, 0.32760765, 0.23291331], [0.64338255, -4.81893983]),
    ],
)
def test_figures_of_pytorch(kind: Any, options: dict[str, Any], sums: list[float], lasts: list[float]) -> None:
    hidden = 2 if "proj_size" in options else 3
    layer = numbered(kind(2, hidden, num_layers=2, bidirectional=True, dtype="float64", **options))
    output, state = layer(tg.cos(tg.arange(12, dtype="float64")).reshape((3, 2, 2)))
    np.testing.assert_allclose(output[:, 1].sum(axis=1).numpy(), sums, atol=1e-8)
    np.testing.assert_allclose([each.sum().item() for each in listed(state)], lasts, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [(3, 3, 3, 3, 3), (4, 3, 3, 1, 1)])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}])
def test_halves_of_the_sequences_side_by_side(
    kind: Any, lengths: tuple[int, ...], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads share the sequences, three of five and the other two, some of which end earlier."""
    monkeypatch.setattr("tensorgrad.pieces.HALF", 1)
    monkeypatch.setattr("tensorgrad.pieces.LONG", 0)
    layer = numbered(kind(2, 3, dtype="float64", **options))
    sequences = [some(length, 2) for length in lengths]
    found, before = [], tg.get_num_threads()
    try:
        for count in (1, 2):
            tg.set_num_threads(count)
            inputs = [sequence.detach().clone().requires_grad_() for sequence in sequences]
            layer.zero_grad()
            output, state = layer(pack_sequence(inputs))
            together = sum(((each * each).sum() for each in [output.data, *listed(state)]), start=tg.tensor(0.0))
            together.backward()
            parameters = [*inputs, *layer.parameters()]
            found.append([output.data, *listed(state), *(parameter.grad for parameter in parameters)])
    finally:
        tg.set_num_threads(before)
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(two.numpy(), one.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_reads_what_the_layer_below_says_in_both_directions(kind: Any) -> None:
    stack = kind(2, 3, num_layers=2, bidirectional=True, dtype="float64")
    x = some(4, 5, 2)
    output, state = stack(x)
    below, lasts = x, []
    for layer in range(2):
        sides = []
        for suffix in ("", "_reverse"):
            one = kind(below.shape[-1], 3, dtype="float64")
            one.load_state_dict({k: getattr(stack, k[:-1] + f"{layer}{suffix}") for k in one.state_dict()})
            side, last = one(below.flip(0) if suffix else below)
            sides.append(side.flip(0) if suffix else side)
            lasts.append(listed(last))
        below = tg.concat(sides, axis=-1)
    np.testing.assert_allclose(output.numpy(), below.numpy())
    for found, expected in zip(listed(state), zip(*lasts, strict=True), strict=True):
        np.testing.assert_allclose(found.numpy(), tg.concat(list(expected)).numpy())


@pytest.mark.parametrize(("kind", "cell"), CELLS)
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_is_its_cell_step_by_step(kind: Any, cell: Any, bias: bool) -> None:
    layer, one = kind(2, 3, bias=bias, dtype="float64"), cell(2, 3, bias=bias, dtype="float64")
    one.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, state, outputs = some(4, 5, 2), None, []
    for step in x:
        state = one(step, state)
        outputs.append(listed(state)[0])
    output, last = layer(x)
    np.testing.assert_allclose(output.numpy(), tg.stack(outputs).numpy())
    for found, expected in zip(listed(last), listed(state), strict=True):
        np.testing.assert_allclose(found[0].numpy(), expected.numpy())
    # A single sequence, and a single step, have no axis for the batch.
    alone, _ = layer(x[:, 2])
    np.testing.assert_allclose(alone.numpy(), output[:, 2].numpy())
    np.testing.assert_allclose(listed(one(x[0, 2]))[0].numpy(), output[0, 2].numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_goes_on_where_it_stopped(kind: Any) -> None:
    layer = kind(2, 3, num_layers=2, batch_first=True, dtype="float64")
    x = some(5, 4, 2)
    output, last = layer(x)
    first, state = layer(x[:, :1])
    rest, end = layer(x[:, 1:], state)
    np.testing.assert_allclose(tg.concat([first, rest], axis=1).numpy(), output.numpy())
    for found, expected in zip(listed(end), listed(last), strict=True):
        assert found.shape == (2, 5, 3)
        np.testing.assert_allclose(found.numpy(), expected.numpy())
    alone, _ = layer(x[3, 1:], tuple(each[:, 3] for each in state) if kind is nn.LSTM else state[:, 3])
    np.testing.assert_allclose(alone.numpy(), rest[3].numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_gradients_through_a_stack(kind: Any) -> None:
    layer = kind(1, 1, num_layers=2, bidirectional=True, dtype="float64")

    assert_gradients(lambda x: layer(x)[0], some(2, 1, 1), order=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_packed_sequences_are_read_as_each_one_alone(kind: Any, bidirectional: bool) -> None:
    layer = kind(2, 3, num_layers=2, bidirectional=bidirectional, dtype="float64")
    sequences = [some(length, 2).requires_grad_() for length in (2, 4, 1, 4)]
    firsts = [some(len(layer.suffixes), 4, 3) for _ in range(1 + (kind is nn.LSTM))]
    packed = pack_sequence(sequences, enforce_sorted=False)
    output, last = layer(packed, tuple(firsts) if kind is nn.LSTM else firsts[0])
    assert isinstance(output, PackedSequence)
    assert output.batch_sizes.tolist() == [4, 3, 2, 2]
    outputs = unpack_sequence(output)
    sum((each * each).sum() for each in [*outputs, *listed(last)]).backward()
    gradients = [each.grad for each in sequences]
    for n, sequence in enumerate(sequences):
        sequence.grad = None
        hx = tuple(each[:, n] for each in firsts)
        alone, state = layer(sequence, hx if kind is nn.LSTM else hx[0])
        np.testing.assert_allclose(outputs[n].numpy(), alone.numpy())
        for found, expected in zip(listed(last), listed(state), strict=True):
            np.testing.assert_allclose(found[:, n].numpy(), expected.numpy())
        sum((each * each).sum() for each in [alone, *listed(state)]).backward()
        np.testing.assert_allclose(gradients[n].numpy(), sequence.grad.numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_on_another_device(kind: Any) -> None:
    layer = kind(2, 3, num_layers=2, bidirectional=True)
    sequences = [tg.ones((length, 2)) for length in (2, 4, 1)]
    here, _ = layer(pack_sequence(sequences, enforce_sorted=False))
    moved = pack_sequence([each.to("strict") for each in sequences], enforce_sorted=False)
    there, last = copy.deepcopy(layer).to("strict")(moved)
    padded, _ = pad_packed_sequence(there)
    padded.sum().backward()
    assert {each.device for each in [*listed(last), padded, there.sorted_indices]} == {"strict"}
    np.testing.assert_allclose(padded.numpy(), pad_packed_sequence(here)[0].numpy(), rtol=1e-5)


def test_packed_and_padded_agree_where_there_is_something() -> None:
    layer = nn.LSTM(2, 3, dtype="float64")
    sequences = [some(3, 2), some(1, 2)]
    padded, lengths = pad_packed_sequence(layer(pack_sequence(sequences))[0], batch_first=True)
    assert (padded.shape, lengths.tolist()) == ((2, 3, 3), [3, 1])
    assert not padded[1, 1:].numpy().any()


def test_dropout_is_between_layers_and_only_in_training() -> None:
    layer = nn.GRU(2, 50, num_layers=2, dropout=1.0)
    x = tg.ones((3, 1, 2))
    output, state = layer(x)
    assert state[0].numpy().any()
    # The second layer saw nothing: what comes out is of its biases alone.
    other, _ = layer(2 * x)
    np.testing.assert_array_equal(other.numpy(), output.numpy())
    assert (layer.eval()(x)[0].numpy() != output.numpy()).any()
    half = nn.GRU(2, 50, num_layers=2, dropout=0.5)
    first, second = (tg.manual_seed(3) and half(x)[0] for _ in range(2))
    np.testing.assert_array_equal(first.numpy(), second.numpy())
    assert (half(x)[0].numpy() != first.numpy()).any()


def test_names_and_first_values() -> None:
    tg.manual_seed(0)
    layer = nn.LSTM(20, 25, num_layers=2, bidirectional=True, proj_size=3)
    own = ["weight_ih_l{}", "weight_hh_l{}", "bias_ih_l{}", "bias_hh_l{}", "weight_hr_l{}"]
    names = [name.format(suffix) for suffix in ("0", "0_reverse", "1", "1_reverse") for name in own]
    assert [*layer.state_dict()] == names
    assert [p.shape for p in layer.all_weights[2]] == [(100, 6), (100, 3), (100,), (100,), (3, 25)]
    values = np.concatenate([p.numpy().ravel() for p in layer.parameters()])
    assert np.abs(values).max() <= 0.2
    assert abs(values.std() - 0.2 / 3**0.5) < 0.003
    assert [*nn.GRUCell(2, 3).state_dict()] == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    assert [*nn.RNN(2, 3, bias=False).state_dict()] == ["weight_ih_l0", "weight_hh_l0"]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("kind", KINDS)
def test_precision_stays(kind: Any, dtype: str) -> None:
    layer = kind(2, 3, num_layers=2, bidirectional=True, dropout=0.5, dtype=dtype)
    x = tg.ones((4, 2, 2), dtype=dtype, requires_grad=True)
    output, last = layer(x)
    output.sum().backward()
    tensors = [output, *listed(last), x.grad, *(parameter.grad for parameter in layer.parameters())]
    assert {str(tensor.dtype) for tensor in tensors} == {dtype}


def test_a_state_of_higher_precision_counts() -> None:
    output, last = nn.GRU(2, 3)(tg.ones((4, 1, 2)), tg.zeros((1, 1, 3), dtype="float64"))
    assert (output.dtype, last.dtype) == (np.float64, np.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_no_sequences(kind: Any) -> None:
    layer = kind(2, 3, bidirectional=True)
    output, last = layer(tg.ones((4, 0, 2)))
    output.sum().backward()
    assert output.shape == (4, 0, 6)
    assert listed(last)[0].shape == (2, 0, 3)
    assert not layer.weight_hh_l0.grad.numpy().any()


def test_lines() -> None:
    assert repr(nn.RNN(2, 3)) == "RNN(2, 3)"
    assert repr(nn.LSTM(2, 3, 2, False, True, 0.5, True, 1)) == (
        "LSTM(2, 3, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True, proj_size=1)"
    )
    assert repr(nn.LSTMCell(2, 3, bias=False)) == "LSTMCell(2, 3, bias=False)"
    assert repr(nn.RNNCell(2, 3, nonlinearity="relu")) == "RNNCell(2, 3, nonlinearity='relu')"
    assert repr(nn.RNN(2, 3, nonlinearity="relu")) == "RNN(2, 3, nonlinearity='relu')"


@pytest.mark.parametrize("module", [nn.RNN(2, 3, nonlinearity="relu"), nn.LSTM(2, 3, num_layers=2), nn.GRUCell(2, 3)])
def test_copies(module: nn.Module) -> None:
    x = tg.ones((4, 2))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        for found, expected in zip(listed(other(x)), listed(module(x)), strict=True):
            np.testing.assert_array_equal(listed(found)[0].numpy(), listed(expected)[0].numpy())


def test_what_is_refused() -> None:
    for make, words in [
        (lambda: nn.LSTM(0, 3), "LSTM needs an input_size and a hidden_size of 1 or more, got 0 and 3"),
        (lambda: nn.GRU(2, 3, num_layers=0), "GRU needs num_layers of 1 or more, got 0"),
        (lambda: nn.GRU(2, 3, 2, dropout=1.5), "GRU needs a probability dropout from 0 to 1, got 1.5"),
        (lambda: nn.LSTM(2, 3, proj_size=3), "a proj_size from 0 to less than hidden_size=3, got 3"),
        (lambda: nn.RNN(2, 3, nonlinearity="elu"), "'tanh' and 'relu', not 'elu'"),
        (lambda: nn.RNNCell(2, 3, nonlinearity="elu"), "'tanh' and 'relu', not 'elu'"),
        (lambda: nn.GRU(2, 3)(tg.ones((4, 5, 3))), r"GRU\(2, 3\) takes an input of shape .*, got \(4, 5, 3\)"),
        (lambda: nn.GRU(2, 3)(tg.ones(2)), r"takes an input of shape .*, got \(2,\)"),
        (lambda: nn.GRU(2, 3)(tg.ones((0, 5, 2))), "at least one step"),
        (lambda: nn.GRU(2, 3)(tg.ones((4, 5, 2)), tg.ones((5, 3))), r"shape \(1, 5, 3\), got \(5, 3\)"),
        (lambda: nn.LSTMCell(2, 3)(tg.ones((4, 2)), (tg.ones((4, 3)), tg.ones(3))), r"and \(4, 3\), got .* and \(3,\)"),
        (lambda: nn.LSTMCell(2, 3)(tg.ones((4, 5, 2))), r"shape \(N, 2\) or \(2,\), got \(4, 5, 2\)"),
    ]:
        with pytest.raises(ValueError, match=words):
            make()
    with pytest.raises(TypeError, match=r"a pair \(h, c\) or None, not Tensor"):
        nn.LSTM(2, 3)(tg.ones((4, 5, 2)), tg.ones((1, 5, 3)))
    with pytest.raises(TypeError, match="floating point"):
        nn.GRU(2, 3)(tg.ones((4, 5, 2), dtype="int64"))
    with pytest.warns(UserWarning, match="with one layer dropout=0.5 changes nothing"):
        nn.GRU(2, 3, dropout=0.5)
