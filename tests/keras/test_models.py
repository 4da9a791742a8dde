"""Sequential and models of one's own: compiled, fitted, evaluated, as Keras's are."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import keras, nn
from tensorgrad.data import DataLoader, TensorDataset, load_digits
from tensorgrad.keras import Input, Model, Sequential, callbacks, layers, ops, utils
from tensorgrad.keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Reshape

IMAGES, CLASSES = load_digits("train")
X, Y = IMAGES.reshape(-1, 64)[:300], utils.to_categorical(CLASSES, 10)[:300]


def small(**options):
    model = Sequential([Input((64,)), Dense(16, activation="relu"), Dense(10, activation="softmax")])
    model.compile(**{"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["accuracy"], **options})
    return model


def test_the_lectures_program(capsys):
    model = Sequential()
    model.add(Reshape((8, 8, 1), input_shape=(64,)))
    model.add(Conv2D(8, (3, 3), activation="relu", padding="same"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.1))
    model.add(Flatten())
    model.add(Dense(32))
    model.add(Activation("relu"))
    model.add(Dense(10, activation="softmax"))

    def mean_pred(y_true, y_pred):
        return keras.backend.mean(y_pred)

    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy", mean_pred])
    images, targets = IMAGES.reshape(-1, 64), utils.to_categorical(CLASSES, 10)
    history = model.fit(images, targets, batch_size=32, epochs=3, validation_split=0.1, verbose=2)
    assert sorted(history.history) == sorted(
        ["loss", "accuracy", "mean_pred", "val_loss", "val_accuracy", "val_mean_pred"]
    )
    assert history.epoch == [0, 1, 2]
    assert history.history["val_accuracy"][-1] > 0.7
    assert history.history["mean_pred"] == pytest.approx([0.1] * 3)
    said = capsys.readouterr().out.splitlines()
    assert [text for text in said if text.startswith("Epoch")] == ["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]
    assert re.match(r"38/38 - \d+s - ", said[1])  # a busy machine may take a second
    assert " - accuracy: 0." in said[1]
    assert " - val_loss: " in said[1]
    loss, accuracy, mean = model.evaluate(images, targets, verbose=0)
    probabilities = model.predict(images)
    assert probabilities.shape == (1347, 10)
    assert probabilities.sum(1) == pytest.approx(np.ones(1347), abs=1e-5)
    assert accuracy == pytest.approx((probabilities.argmax(1) == CLASSES).mean())
    picked = probabilities[np.arange(1347), CLASSES]
    assert loss == pytest.approx(-np.log(np.clip(picked, 1e-7, 1 - 1e-7)).mean(), rel=1e-4)
    assert mean == pytest.approx(0.1)


def test_names_of_classes_are_no_numbers():
    model = Sequential([Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(TypeError, match=r"y is an array of numbers .* np\.unique\(names, return_inverse=True\)"):
        model.fit(np.ones((2, 3)), np.array(["ant", "bee"], dtype=object))


def test_a_last_axis_of_length_1_may_be_missing():
    """The first program of many courses: one number in, one out."""
    x = np.array([-1.0, 0.0, 1.0, 2.0])
    model = Sequential([Dense(1, input_shape=[1])])
    model.compile("sgd", "mse")
    model.fit(x, 2 * x - 1, epochs=2, verbose=0)
    assert np.array_equal(model.predict(x, verbose=0), model.predict(x[:, None], verbose=0))
    embedding = Sequential([Input((3,)), layers.Embedding(5, 2)])
    assert embedding(np.ones((2, 3, 1), int)).shape == (2, 3, 2)
    with pytest.raises(ValueError, match=r"an input of shape \(None, 3\), got \(4,\)"):
        Sequential([Input((3,)), Dense(1)])(x)


def test_features_in_between_come_from_some_of_the_layers():
    model = Sequential([Input((3,)), Dense(4), Dense(2)])
    for part in (model, model.layers[0]):
        with pytest.raises(AttributeError, match=r"which is not there.*Sequential\(model\.layers\[:2\]\)"):
            part.output  # noqa: B018
    assert not hasattr(model, "inputs")
    x = np.ones((1, 3))
    assert np.array_equal(Sequential(model.layers[:1])(x).numpy(), model.layers[0](x).numpy())


def test_metrics_come_by_their_name():
    with pytest.raises(NotImplementedError, match=r"no loss_weights: .* metrics=\["):
        Sequential([Dense(1)]).compile("sgd", "mse", ["mae"])


def test_one_layer_is_no_list_of_layers():
    with pytest.raises(TypeError, match=r"takes a list of layers, as \[Dense\(...\)\], got one alone"):
        keras.Sequential(layers.Dense(2))


def test_fit_is_a_loop_over_the_same_layers_losses_and_optimizers():
    model = small(optimizer="sgd")
    plain = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    for mine, its in zip((model.layers[0], model.layers[1]), (plain[0], plain[2]), strict=True):
        its.load_state_dict(mine.module.state_dict())
    optimizer = tg.optim.SGD(plain.parameters(), lr=0.01)
    losses = []
    for start in range(0, 300, 32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(plain(tg.tensor(X[start : start + 32])), tg.tensor(Y[start : start + 32]))
        loss.backward()
        optimizer.step()
        losses.append((loss.item(), len(X[start : start + 32])))
    history = model.fit(X, Y, shuffle=False, verbose=0)
    assert history.history["loss"] == pytest.approx([sum(a * n for a, n in losses) / 300], rel=1e-5)
    assert np.allclose(model.get_weights()[0], plain[0].weight.numpy().T, atol=1e-6)


def test_a_seed_gives_the_same_numbers():
    found = []
    for _ in range(2):
        utils.set_random_seed(7)
        model = Sequential([Dense(8, activation="relu"), Dropout(0.5), Dense(10)])
        model.compile("adam", "mse")
        found.append(model.fit(X, Y, epochs=2, verbose=0).history["loss"])
    assert found[0] == found[1]


def test_what_is_shuffled_and_what_is_split_off():
    seen = []

    class Watch(layers.Layer):
        def call(self, inputs, training=None):
            if len(inputs):
                seen.append((training, inputs.numpy()[:, 0].tolist()))
            return inputs

    model = Sequential([Watch(), Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(10.0)[:, None]
    model.build((None, 1))
    seen.clear()
    model.fit(x, x, batch_size=4, epochs=2, validation_split=0.25, verbose=0)
    trained = [part for training, batch in seen if training for part in batch]
    assert sorted(trained[:7]) == sorted(trained[7:]) == list(range(7))
    assert trained[:7] != trained[7:]
    assert [batch for training, batch in seen if not training] == [[7, 8, 9]] * 2
    seen.clear()
    model.fit(x, x, batch_size=4, shuffle=False, verbose=0, validation_data=(x[:2], x[:2]))
    assert [batch for _, batch in seen] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1]]


@pytest.mark.parametrize(
    "kind",
    ["arrays", "lists", "tensors", "loader", "iterator", "generator", "dataset", "numbered"],
)
def test_data_of_many_kinds(kind):
    x, y = X[:40], Y[:40]

    class Numbered(utils.Sequence):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return x[32 * index :][:32], y[32 * index :][:32]

    given = {
        "arrays": (x.astype(np.float64), y.astype(np.int64)),
        "lists": (x.tolist(), y.tolist()),
        "tensors": (tg.tensor(x), tg.tensor(y)),
        "loader": (DataLoader(TensorDataset(x, y), batch_size=32), None),
        "iterator": (iter([(x[:32], y[:32]), (x[32:], y[32:])]), None),
        "numbered": (Numbered(), None),
        "generator": (((x[i : i + 32], y[i : i + 32]) for i in (0, 32)), None),
        "dataset": (TensorDataset(x, y), None),
    }[kind]
    model, other = small(), small()
    other.set_weights(model.get_weights())
    history = model.fit(*given, shuffle=False, verbose=0)
    wanted = other.fit(x, y, shuffle=False, verbose=0)
    assert history.history["loss"] == pytest.approx(wanted.history["loss"], rel=1e-6)
    assert np.allclose(model.get_weights()[0], other.get_weights()[0], atol=1e-6)


def test_the_batch_that_builds_a_model_is_not_lost():
    for given in (iter([(X[:4], Y[:4]), (X[4:8], Y[4:8])]), ((X[i : i + 4], Y[i : i + 4]) for i in (0, 4))):
        model, seen = Sequential([Dense(10)]), []
        model.compile("sgd", "mse")
        model.fit(given, verbose=0, callbacks=callbacks.LambdaCallback(on_batch_end=lambda i, logs: seen.append(i)))  # noqa: B023
        assert seen == [0, 1]
    utils.set_random_seed(3)
    late = Sequential([Dense(10, kernel_initializer="zeros")])
    late.compile("sgd", "mse")
    first = late.fit(X, Y, batch_size=7, verbose=0).history
    utils.set_random_seed(3)
    early = Sequential([Dense(10, kernel_initializer="zeros", input_dim=64)])
    early.compile("sgd", "mse")
    assert early.fit(X, Y, batch_size=7, verbose=0).history == first
    assert Sequential([Dense(2)]).predict(iter([X[:3], X[3:5]])).shape == (5, 2)


def test_a_frozen_model_can_be_looked_at():
    model = small()
    model.trainable = False
    assert len(model.evaluate(X, Y, verbose=0)) == 2


def test_integers_become_fractions_unless_they_are_looked_up():
    pixels = (IMAGES[:8] * 16).astype(np.uint8).reshape(8, 8, 8, 1)
    model = Sequential([Input((8, 8, 1)), layers.Rescaling(1 / 16), Flatten(), Dense(2)])
    assert np.allclose(model.predict(pixels), model.predict(pixels.astype(np.float64)))
    words = Sequential([Input((5,)), layers.Embedding(300, 4), layers.GlobalAveragePooling1D(), Dense(1)])
    words.compile("sgd", "mse")
    words.fit(np.full((4, 5), 299), np.zeros(4), verbose=0)
    assert words.predict(np.full((4, 5), 299, np.int16)).shape == (4, 1)


def test_steps_of_an_epoch_go_on_where_the_last_ones_ended():
    seen = []

    class Watch(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    def endless():
        while True:
            yield X[:4], Y[:4]

    small().fit(endless(), epochs=2, steps_per_epoch=3, verbose=0, callbacks=Watch())
    assert seen == [0, 1, 2] * 2
    model = Sequential([Dense(1, input_dim=1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    x = np.arange(6.0)[:, None]
    history = model.fit(x, x, batch_size=2, epochs=2, steps_per_epoch=2, shuffle=False, verbose=0)
    assert len(history.history["loss"]) == 2
    assert history.history["loss"][1] > 5


def test_weights_of_samples_and_classes():
    x, y = np.ones((4, 1)), np.array([0.0, 1.0, 2.0, 3.0])
    model = Sequential([Dense(1, input_dim=1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    found = model.evaluate(x, y, sample_weight=np.array([0.0, 0.0, 1.0, 0.0]), verbose=0, return_dict=True)
    assert found == {"loss": 1.0, "mae": 1.5, "mse": 4.0}
    first = model.get_weights()
    history = model.fit(x, y, sample_weight=[1, 1, 0, 0], class_weight={1: 4.0}, verbose=0)
    assert history.history["loss"] == [1.0]
    assert history.history["mse"] == pytest.approx([0.8])
    model.set_weights(first)
    one_hot = Sequential([Dense(2, input_dim=1, kernel_initializer="zeros")])
    one_hot.compile("sgd", "mse")
    assert one_hot.fit(x, np.eye(2)[[0, 0, 0, 1]], class_weight={0: 2.0}, verbose=0).history["loss"] == [7 / 8]
    validated = model.fit(x, y, class_weight={0: 0.0, 1: 0.0}, validation_split=0.5, verbose=0)
    assert validated.history["loss"] == [0.0]
    assert validated.history["val_loss"] == [6.5]


def test_one_batch_at_a_time():
    model = small()
    loss, accuracy = model.test_on_batch(X, Y)
    steps = [model.train_on_batch(X, Y) for _ in range(20)]
    assert steps[0] == pytest.approx([loss, accuracy], rel=1e-5)
    assert steps[-1][0] < steps[0][0]
    assert model.optimizer.iterations == 20
    assert set(model.train_on_batch(X, Y, return_dict=True)) == {"loss", "accuracy"}
    assert np.allclose(model.predict_on_batch(X), model.predict(X, batch_size=7), atol=1e-6)
    assert not model.training


def test_a_second_fit_goes_on():
    model, whole = small(), small()
    whole.set_weights(model.get_weights())
    model.fit(X, Y, shuffle=False, epochs=2, verbose=0)
    history = model.fit(X, Y, shuffle=False, epochs=4, initial_epoch=2, verbose=0)
    wanted = whole.fit(X, Y, shuffle=False, epochs=4, verbose=0)
    assert history.epoch == [2, 3]
    assert history.history["loss"] == wanted.history["loss"][2:]
    assert model.optimizer.iterations == 40


def test_figures_are_exact_on_the_last_short_batch():
    model = small(metrics=["accuracy", "mse"])
    whole = model.evaluate(X, Y, batch_size=300, verbose=0)
    assert model.evaluate(X, Y, batch_size=7, verbose=0) == pytest.approx(whole, rel=1e-5)
    assert model.metrics_names == ["loss", "accuracy", "mse"]
    plain = small(metrics=None)
    assert isinstance(plain.evaluate(X, Y, verbose=0), float)


def test_penalties_are_part_of_the_loss():
    model = Sequential([Dense(1, input_dim=1, kernel_regularizer="l2", use_bias=False)])
    model.set_weights([[[3.0]]])
    model.compile("sgd", "mse")
    assert model.evaluate(np.ones((4, 1)), np.zeros(4), verbose=0) == pytest.approx(9.09)
    model.fit(np.ones((4, 1)), np.zeros(4), verbose=0)
    assert model.get_weights()[0].item() == pytest.approx(3 - 0.01 * (6 + 0.06))


def test_transfer_learning():
    base = small()
    base.fit(X, Y, verbose=0)
    base.trainable = False
    model = Sequential([*base.layers[:-1], Dense(10, activation="softmax", name="new")])
    assert model.get_layer("new").trainable
    assert [w.path for w in model.trainable_weights] == ["new/kernel", "new/bias"]
    before = base.get_weights()
    model.compile("adam", "categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    assert all((old == new).all() for old, new in zip(before, base.get_weights(), strict=True))
    # Thawed, its weights are learned from the next fit on.
    model.get_layer("dense").trainable = True
    model.fit(X, Y, verbose=0)
    assert (before[0] != base.get_weights()[0]).any()
    nested = Sequential([base, Dense(2)])
    assert nested.output_shape == (None, 2)
    assert [layer.name for layer in nested.layers] == ["sequential", "dense_2"]
    assert len(nested.weights) == 6


def test_building():
    late = Sequential([Dense(4, activation="relu"), Dense(2)])
    assert not late.built
    with pytest.raises(ValueError, match="not built"):
        _ = late.output_shape
    late(tg.ones((3, 5)))
    assert (late.input_shape, late.output_shape, late.count_params()) == ((None, 5), (None, 2), 34)
    told = Sequential([Dense(4), Dense(2)])
    told.build((None, 5))
    assert told.count_params() == 34
    popped = told.pop()
    assert (popped.units, told.output_shape, len(told.layers)) == (2, (None, 4), 1)
    told.add(Dense(7))
    assert told.output_shape == (None, 7)
    for first in (Dense(3, input_dim=6), Dense(3, input_shape=(6,)), Dense(3, batch_input_shape=(None, 6))):
        assert Sequential([first]).input_shape == (None, 6)
    assert Sequential([layers.Embedding(10, 3, input_length=7)]).output_shape == (None, 7, 3)
    mixed = Sequential([Input((4,)), nn.Linear(4, 3), nn.BatchNorm1d(3), Dense(2)])
    mixed.compile("sgd", "mse")
    mixed.fit(np.ones((6, 4)), np.ones((6, 2)), verbose=0)
    assert mixed.count_params() == 15 + 6 + 8
    assert Sequential([Input((4,)), Dense(2)], name="mine").name == "mine"


def test_a_model_of_ones_own():
    class Net(Model):
        def __init__(self):
            super().__init__()
            self.inside = Sequential([Dense(8, activation="relu"), Dropout(0.2)])
            self.plain = nn.Linear(8, 3)
            self.out = Dense(10)

        def call(self, inputs, training=None):
            return self.out(self.plain(self.inside(inputs, training=training)))

    model = Net()
    model.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(X, Y, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert len(model.weights) == 6
    assert model.count_params() == 64 * 8 + 8 + 27 + 40
    still = model(tg.tensor(X))
    assert (still == model(tg.tensor(X))).all()
    assert (still != model(tg.tensor(X), training=True)).any()
    text = []
    model.summary(print_fn=text.append)
    assert "inside" not in text[0]
    assert "sequential (Sequential)" in text[0]


def test_the_summary(capsys):
    model = Sequential(
        [Input((28, 28, 1)), Conv2D(32, 3, activation="relu"), layers.BatchNormalization(), Flatten(), Dense(10)]
    )
    model.layers[0].trainable = False
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'Model: "sequential"'
    assert len({len(text) for text in lines[1:-3]}) == 1
    rows = [[cell.strip() for cell in text.strip("│").split("│")] for text in lines if text.startswith("│")]
    assert rows == [
        ["conv2d (Conv2D)", "(None, 26, 26, 32)", "320"],
        ["batch_normalization (BatchNormalization)", "(None, 26, 26, 32)", "128"],
        ["flatten (Flatten)", "(None, 21632)", "0"],
        ["dense (Dense)", "(None, 10)", "216,330"],
    ]
    assert lines[-3:] == [
        " Total params: 216,778 (846.79 KB)",
        " Trainable params: 216,394 (845.29 KB)",
        " Non-trainable params: 384 (1.50 KB)",
    ]
    Sequential([Dense(3)]).summary()
    assert "│ ?                      │   0 (unbuilt) │" in capsys.readouterr().out
    outer = Sequential([model, Dense(2)])
    outer.summary(expand_nested=True, show_trainable=True)
    assert "│     conv2d (Conv2D)" in (said := capsys.readouterr().out)
    assert "│ N         │" in said


def test_names():
    assert [Dense(1).name, Dense(1).name, MaxPooling2D().name] == ["dense", "dense_1", "max_pooling2d"]
    model = Sequential([Dense(1, name="a"), Dense(1, name="b")])
    assert model.get_layer("b") is model.get_layer(index=1) is model.layers[-1]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: Sequential([Dense(1)]).fit(X, Y), RuntimeError, "must be compiled first"),
        (lambda: Sequential([Dense(1)]).evaluate(X, Y), RuntimeError, "must be compiled first"),
        (lambda: small(loss=None).fit(X, Y), RuntimeError, "without a loss"),
        (lambda: small(loss="crossentropy"), ValueError, "Known are"),
        (lambda: small(optimizer="adem"), ValueError, "Do you mean 'adam'"),
        (lambda: small(metrics=["accuracy", "accuracy"]), ValueError, "different names"),
        (lambda: small(metric=["accuracy"]), TypeError, "takes no metric"),
        (lambda: small(loss_weights=[1.0]), NotImplementedError, "one output"),
        (lambda: small().fit(X, Y[:5]), ValueError, "x has 300, y has 5"),
        (lambda: small().fit(X[:, :5], Y, verbose=0), ValueError, r"\(None, 64\), got \(32, 5\)"),
        (lambda: small().fit(X, CLASSES[:300], verbose=0), ValueError, "sparse_categorical_crossentropy"),
        (lambda: small().fit(X, verbose=0), ValueError, "targets"),
        (lambda: small().fit(), ValueError, "give x"),
        (lambda: small().fit([[1.0], [1.0, 2.0]], Y), (ValueError, TypeError), "length|inhomogeneous"),
        (lambda: small().fit(np.array(["a", "b"]), Y[:2]), TypeError, "array of numbers"),
        (lambda: small().fit(X, Y, validation_split=1.5), ValueError, "between 0 and 1"),
        (lambda: small().fit(X[:1], Y[:1], validation_split=0.1), ValueError, "empty"),
        (lambda: small().fit(X, Y, batch_size=0), ValueError, "batch_size"),
        (lambda: small().fit(iter([]), verbose=0), ValueError, "no batches"),
        (lambda: small().fit(X[:0], Y[:0], verbose=0), ValueError, "no batches"),
        (lambda: small().fit(DataLoader(TensorDataset(X, Y)), Y), ValueError, "its targets with it"),
        (lambda: small().fit(X, Y, validation_data=(X,)), ValueError, "validation_data"),
        (lambda: Sequential().fit(X, Y), RuntimeError, "compiled"),
        (lambda: Sequential()(tg.ones((1, 2))), ValueError, "has no layers"),
        (lambda: Sequential([Dense(1)]).build(), ValueError, "is not known"),
        (lambda: Sequential([3]), TypeError, "takes layers"),
        (lambda: Sequential([Dense(1), Input((3,))]), ValueError, "comes first"),
        (lambda: Sequential([Dense(1, name="a"), Dense(1, name="a")]), ValueError, "unique"),
        (lambda: Sequential([Input((784,)), Conv2D(3, 3)]), ValueError, r"conv2d \(Conv2D\) in sequential"),
        (lambda: Sequential([Input((7,)), Reshape((2, 3))]), ValueError, "6"),
        (lambda: Sequential().pop(), ValueError, "no layers"),
        (lambda: small().get_layer("nothing"), ValueError, "it has|has: dense"),
        (lambda: small().get_layer(index=9), ValueError, "no layer 9"),
        (lambda: Model(Input((3,)), Input((3,))), NotImplementedError, "functional API"),
    ],
)  # fmt: skip
def test_what_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_what_is_refused_changes_nothing():
    model = small()
    with pytest.raises(ValueError, match="Known are"):
        model.compile("sgd", "nothing")
    assert type(model.optimizer).__name__ == "Adam"
    with pytest.raises(ValueError, match="Conv2D"):
        model.add(Conv2D(3, 3))
    assert (len(model.layers), model.output_shape) == (2, (None, 10))
    frozen = small()
    frozen.trainable = False
    with pytest.raises(ValueError, match="frozen"):
        frozen.fit(X, Y, verbose=0)


def test_to_categorical():
    assert utils.to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert utils.to_categorical(np.array([[1], [0]], np.uint8), 2).dtype == np.float32
    with pytest.raises(ValueError, match="2 classes"):
        utils.to_categorical([3], 2)


def test_pad_sequences():
    given = [[1, 2, 3], [4], []]
    assert utils.pad_sequences(given).tolist() == [[1, 2, 3], [0, 0, 4], [0, 0, 0]]
    assert utils.pad_sequences(given, 2, padding="post", value=9).tolist() == [[2, 3], [4, 9], [9, 9]]
    assert utils.pad_sequences(given, 2, truncating="post").tolist() == [[1, 2], [0, 4], [0, 0]]
    assert utils.pad_sequences([[[1.0, 2.0]], []], dtype="float32").shape == (2, 1, 2)
    assert utils.normalize([[3.0, 4.0], [0.0, 0.0]]).tolist() == [[0.6, 0.8], [0.0, 0.0]]
    with pytest.raises(ValueError, match="'post'"):
        utils.pad_sequences(given, padding="left")


def test_functions_for_code_of_ones_own():
    x = tg.tensor([[1.0, 2.0]])
    assert keras.backend.cast([1, 2], "float32").dtype == np.float32
    assert ops.concatenate([x, x], axis=1).shape == ops.shape(ops.stack([x, x], axis=1).reshape((1, 4))) == (1, 4)
    assert keras.backend.epsilon() == 1e-7
    kernel = small().layers[0].kernel
    keras.backend.set_value(kernel, np.ones((64, 16)))
    assert keras.backend.get_value(kernel).sum() == 64 * 16
    assert keras.backend.get_value(0.5) == 0.5
    assert keras.backend.image_data_format() == "channels_last"


def test_training_on_every_device(device):
    images, targets = IMAGES[:48].reshape(-1, 64), Y[:48]

    def trained(where):
        utils.set_random_seed(1)
        model = Sequential(
            [
                Reshape((8, 8, 1), input_shape=(64,)),
                Conv2D(4, 3, strides=2, padding="same", activation="relu", kernel_regularizer="l2"),
                layers.BatchNormalization(),
                MaxPooling2D(padding="same"),
                Flatten(),
                Dropout(0.2),
                Dense(10, activation="softmax"),
            ]
        )
        model.to(where)
        model.compile(keras.optimizers.RMSprop(1e-2, clipnorm=1.0), "categorical_crossentropy", metrics=["accuracy"])
        options = {"validation_split": 0.25, "verbose": 0, "callbacks": [callbacks.ReduceLROnPlateau(patience=1)]}
        history = model.fit(images, targets, epochs=3, class_weight={3: 2.0}, **options)
        assert {weight.tensor.device for weight in model.weights} == {where}
        return history.history, model.predict(images), model.get_weights()

    mine, wanted = trained(device), trained("cpu")
    for name, values in wanted[0].items():
        assert mine[0][name] == pytest.approx(values, rel=1e-3, abs=1e-5)
    assert np.allclose(mine[1], wanted[1], atol=1e-4)
    assert isinstance(mine[1], np.ndarray)
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(mine[2], wanted[2], strict=True))
