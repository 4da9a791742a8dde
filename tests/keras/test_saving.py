"""Models are saved whole: they give the same, and training goes on where it was."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import keras, nn
from tensorgrad.errors import CheckpointError
from tensorgrad.keras import Input, Model, Sequential, layers, models, optimizers, saving
from tensorgrad.keras.layers import Layer

RNG = np.random.default_rng(0)
X = RNG.standard_normal((20, 8, 8, 1)).astype(np.float32)
Y = np.eye(3, dtype=np.float32)[RNG.integers(0, 3, 20)]


def everything():
    return Sequential(
        [
            Input((8, 8, 1)),
            layers.Conv2D(4, (3, 3), padding="same", activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(momentum=0.9),
            layers.MaxPooling2D((2, 2)),
            layers.SeparableConv2D(3, 2, activation=layers.LeakyReLU(0.1)),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", kernel_initializer=keras.initializers.HeNormal(seed=3)),
        ]
    )


def test_a_model_comes_back_and_goes_on(tmp_path):
    model = everything()
    model.layers[0].trainable = False
    optimizer = optimizers.SGD(lr=0.1, decay=0.1, momentum=0.9)
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy", keras.metrics.AUC(name="area")])
    model.fit(X, Y, batch_size=7, epochs=2, shuffle=False, verbose=0)
    model.optimizer.learning_rate = 0.05
    model.save(tmp_path / "model.keras")
    again = models.load_model(tmp_path / "model.keras")
    assert np.array_equal(model.predict(X), again.predict(X))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert [layer.trainable for layer in again.layers] == [layer.trainable for layer in model.layers]
    assert again.metrics_names == ["loss", "accuracy", "area"]
    assert (again.optimizer.iterations, again.optimizer.rate_now()) == (6, model.optimizer.rate_now())
    first, second = (m.fit(X, Y, shuffle=False, verbose=0).history for m in (model, again))
    assert first == second
    assert all((a == b).all() for a, b in zip(model.get_weights(), again.get_weights(), strict=True))


def test_without_being_compiled(tmp_path):
    model = everything()
    model.save(tmp_path / "model.keras")
    assert not models.load_model(tmp_path / "model.keras").compiled
    model.compile("adam", lambda y, p: tg.mean(p))
    model.save(tmp_path / "model.keras")
    assert not models.load_model(tmp_path / "model.keras", compile=False).compiled
    with pytest.raises(ValueError, match="custom_objects"):
        models.load_model(tmp_path / "model.keras")
    with pytest.raises(FileExistsError, match="overwrite"):
        model.save(tmp_path / "model.keras", overwrite=False)
    unbuilt = Sequential([layers.Dense(3)])
    unbuilt.save(tmp_path / "unbuilt.keras")
    assert not models.load_model(tmp_path / "unbuilt.keras").built
    late = Sequential([layers.Dense(3)])
    late(tg.ones((2, 5)))
    late.save(tmp_path / "late.keras")
    assert models.load_model(tmp_path / "late.keras").output_shape == (None, 3)


class Scale(Layer):
    """A layer that this package does not have."""

    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, inputs):
        return inputs * self.by


class Net(Model):
    """A model that this package does not have."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.out = layers.Dense(units), nn.Linear(units, 1)

    def call(self, inputs):
        return self.out(self.hidden(inputs))


def squared(y_true, y_pred):
    """A loss that this package does not have."""
    return (y_true - y_pred) ** 2


def test_ones_own_objects(tmp_path):
    model = Sequential([Input((3,)), Scale(by=3.0), layers.Lambda(squared, arguments={"y_pred": 1.0}), layers.Dense(1)])
    model.compile("adam", squared, metrics=[squared])
    model.save(tmp_path / "model.keras")
    own = {"Scale": Scale, "squared": squared}
    again = models.load_model(tmp_path / "model.keras", custom_objects=own)
    assert np.array_equal(again.predict(np.ones((2, 3))), model.predict(np.ones((2, 3))))
    with pytest.raises(ValueError, match="there is no layer 'Scale'"):
        models.load_model(tmp_path / "model.keras")
    with saving.custom_object_scope(own):
        assert models.load_model(tmp_path / "model.keras").layers[0].by == 3
    saving.register_keras_serializable()(Net)
    net = Net(units=5)
    net(tg.ones((2, 3)))
    net.save(tmp_path / "net.keras")
    assert np.array_equal(
        models.load_model(tmp_path / "net.keras").predict(np.ones((2, 3))), net.predict(np.ones((2, 3)))
    )
    with pytest.raises(TypeError, match="save_weights"):
        Sequential([nn.Linear(3, 2)]).save(tmp_path / "plain.keras")


def test_weights_alone(tmp_path):
    model, other = everything(), everything()
    model.save_weights(tmp_path / "w.weights.npz")
    other.load_weights(tmp_path / "w.weights.npz")
    assert np.array_equal(model.predict(X), other.predict(X))
    model.save(tmp_path / "whole.keras")
    everything().load_weights(tmp_path / "whole.keras")
    before = other.get_weights()
    wrong = Sequential([Input((3,)), layers.Dense(2)])
    with pytest.raises(CheckpointError, match="unexpected"):
        wrong.load_weights(tmp_path / "w.weights.npz")
    tg.save([1, 2], tmp_path / "list.npz")
    with pytest.raises(CheckpointError, match="no weights"):
        other.load_weights(tmp_path / "list.npz")
    assert all((a == b).all() for a, b in zip(before, other.get_weights(), strict=True))
    with pytest.raises(ValueError, match="not built"):
        Sequential([layers.Dense(2)]).load_weights(tmp_path / "w.weights.npz")


def test_files_that_are_no_models(tmp_path):
    (tmp_path / "text.keras").write_text("no model")
    everything().save_weights(tmp_path / "w.npz")
    for name in ("text.keras", "w.npz"):
        with pytest.raises(CheckpointError):
            models.load_model(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        models.load_model(tmp_path / "nothing.keras")


def test_json():
    model = everything()
    config = json.loads(model.to_json())
    assert config["class_name"] == "Sequential"
    assert config["config"]["layers"][1] == {
        "class_name": "Conv2D",
        "config": {
            "name": "conv2d",
            "filters": 4,
            "kernel_size": [3, 3],
            "padding": "same",
            "activation": "relu",
            "kernel_regularizer": "l2",
            "trainable": True,
        },
    }
    again = models.model_from_json(model.to_json())
    assert [layer.output_shape for layer in again.layers] == [layer.output_shape for layer in model.layers]
    assert models.clone_model(model).to_json() == model.to_json()
    nested = Sequential([model, layers.Dense(2)])
    assert models.model_from_json(nested.to_json()).output_shape == (None, 2)


def test_the_json_of_keras_3():
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    glorot = {
        "module": "keras.initializers",
        "class_name": "GlorotUniform",
        "config": {"seed": None, "input_axes": None},
    }
    zeros = {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None}
    dense = {"name": "d", "trainable": True, "dtype": policy, "units": 3, "activation": "relu", "use_bias": True}
    dense |= {"kernel_initializer": glorot, "bias_initializer": zeros, "kernel_constraint": None}
    given = {"batch_shape": [None, 4], "dtype": "float32", "sparse": False, "ragged": False, "name": "in"}
    parts = [{"class_name": "InputLayer", "config": given}, {"class_name": "Dense", "config": dense}]
    config = {"name": "s", "trainable": True, "dtype": policy, "layers": parts, "build_input_shape": [None, 4]}
    text = json.dumps({"module": "keras", "class_name": "Sequential", "config": config})
    model = models.model_from_json(text)
    assert (model.name, model.output_shape, model.count_params()) == ("s", (None, 3), 15)
    constrained = json.loads(text)
    constrained["config"]["layers"][1]["config"]["kernel_constraint"] = {"class_name": "MaxNorm", "config": {}}
    with pytest.raises(TypeError, match="kernel_constraint"):
        models.model_from_config(constrained)
