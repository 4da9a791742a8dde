"""Recurrent layers are those of ``tensorgrad.nn``, with Keras's weights."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.keras import Input, Sequential, layers, models

X = np.random.default_rng(0).standard_normal((3, 6, 4)).astype(np.float32)
KINDS = [(layers.SimpleRNN, nn.RNN, (0,)), (layers.LSTM, nn.LSTM, (0, 1, 2, 3)), (layers.GRU, nn.GRU, (1, 0, 2))]


def rows(kernel, order):
    """Columns of gates as rows of them, in another order."""
    parts = np.split(kernel, len(order), axis=-1)
    return np.concatenate([parts[i] for i in order], axis=-1).T


@pytest.mark.parametrize(("kind", "plain", "order"), KINDS)
@pytest.mark.parametrize("backwards", [False, True])
def test_values(kind, plain, order, backwards):
    layer = kind(5, return_sequences=True, return_state=True, go_backwards=backwards)
    layer(X)
    layer.set_weights([np.random.default_rng(1).standard_normal(w.shape) for w in layer.weights])
    kernel, recurrent, bias = layer.get_weights()
    biases = bias if bias.ndim == 2 else (bias, 0 * bias)
    module = plain(4, 5, batch_first=True)
    state = [rows(kernel, order), rows(recurrent, order), rows(biases[0], order), rows(biases[1], order)]
    module.load_state_dict(dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), state, strict=True)))
    wanted, last = module(tg.tensor(X[:, ::-1].copy() if backwards else X))
    outputs, *states = layer(X)
    assert np.allclose(outputs.numpy(), wanted.numpy(), atol=1e-6)
    lasts = last if isinstance(last, tuple) else (last,)
    assert all(np.allclose(a.numpy(), b.numpy()[0], atol=1e-6) for a, b in zip(states, lasts, strict=True))
    short = kind(5, go_backwards=backwards)
    short(X)
    short.set_weights(layer.get_weights())
    assert np.allclose(short(X).numpy(), wanted.numpy()[:, -1], atol=1e-6)
    assert layer.output_shape == (None, 6, 5)
    assert short.output_shape == (None, 5)


def test_weights():
    layer = layers.LSTM(2)
    layer(X)
    _, recurrent, bias = layer.get_weights()
    assert bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert np.allclose(recurrent @ recurrent.T, np.eye(2), atol=1e-5)
    assert [w.name for w in layer.weights] == ["kernel", "recurrent_kernel", "bias"]
    assert layers.LSTM(2, use_bias=False, unit_forget_bias=False)(X).shape == (3, 2)
    first = layer(X, initial_state=[tg.ones((3, 2)), tg.ones((3, 2))])
    assert (first != layer(X)).any()


def test_dropout_leaves_out_the_same_inputs_at_all_steps():
    layer = layers.SimpleRNN(4, activation="relu", dropout=0.5, return_sequences=True, use_bias=False)
    layer.build_for((None, 6, 4))
    layer.set_weights([np.eye(4), np.zeros((4, 4))])
    seen = layer(np.ones((3, 6, 4)), training=True).numpy()
    assert set(np.unique(seen)) == {0, 2}
    assert (seen == seen[:, :1]).all()


def test_both_directions_and_each_step():
    layer = layers.Bidirectional(layers.GRU(3, return_sequences=True))
    y = layer(X).numpy()
    assert y.shape == (3, 6, 6)
    assert np.allclose(y[:, ::-1, 3:], layer.backward_layer(X).numpy(), atol=1e-6)
    assert np.allclose(y[..., :3], layer.layer(X).numpy(), atol=1e-6)
    assert len(layer.weights) == 6
    added = layers.Bidirectional(layers.LSTM(3), merge_mode="sum")
    assert np.allclose(added(X).numpy(), added.layer(X).numpy() + added.backward_layer(X).numpy(), atol=1e-6)
    dense = layers.Dense(2)
    each = layers.TimeDistributed(dense)
    assert np.allclose(each(X).numpy(), dense(X).numpy(), atol=1e-6)


def test_a_model_of_words(device):
    model = Sequential(
        [
            Input((7,)),
            layers.Embedding(20, 8),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(3)),
            layers.GRU(5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.to(device)
    assert model.count_params() == 160 + 416 + 27 + 150 + 6
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    words = np.random.default_rng(0).integers(0, 20, (60, 7))
    targets = (words == 3).any(1)
    losses = model.fit(words, targets, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    again = models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(words), model.predict(words))
    assert Sequential([Input((None, 4)), layers.LSTM(2, return_sequences=True)]).output_shape == (None, None, 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: layers.LSTM(0), "units"),
        (lambda: layers.LSTM(3, activation="relu"), "'tanh'"),
        (lambda: layers.LSTM(3, recurrent_activation="tanh"), "'sigmoid'"),
        (lambda: layers.GRU(3, reset_after=False), "reset_after"),
        (lambda: layers.LSTM(3, stateful=True), "stateful"),
        (lambda: layers.LSTM(3, recurrent_dropout=0.1), "recurrent_dropout"),
        (lambda: layers.LSTM(3)(np.ones((2, 3))), "length, features"),
        (lambda: layers.Bidirectional(layers.Dense(3)), "recurrent layer"),
        (lambda: layers.Bidirectional(layers.LSTM(3), merge_mode="max"), "'concat'"),
        (lambda: layers.TimeDistributed(3), "takes a layer"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=words):
        call()
