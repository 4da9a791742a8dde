"""Callbacks of ``fit`` do what Keras's do."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest

from tensorgrad.keras import Sequential, callbacks, layers, models, progress

X, Y = np.ones((8, 1)), np.zeros((8, 1))


def model():
    made = Sequential([layers.Dense(1, input_dim=1, kernel_initializer="ones", use_bias=False)])
    made.compile("sgd", "mse")
    return made


class Figures(callbacks.Callback):
    """Puts figures in the place of those that there are, and sets the weight to the number of the epoch."""

    def __init__(self, *values, name="val_loss"):
        self.values, self.name = values, name

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]
        self.model.set_weights([[[float(epoch)]]])


def epochs(watching, *values, name="val_loss", count=None):
    made = model()
    history = made.fit(X, Y, epochs=count or len(values), verbose=0, callbacks=[Figures(*values, name=name), watching])
    return made, history


def test_moments():
    told = []

    class Tell(callbacks.Callback):
        def __getattribute__(self, name):
            if name.startswith("on_") and not name.startswith("on_batch"):
                return lambda *arguments: told.append((name, *arguments[:-1]))
            return super().__getattribute__(name)

    made, tell = model(), Tell()
    made.fit(X, Y, batch_size=4, validation_data=(X, Y), verbose=0, callbacks=[tell])
    made.predict(X, callbacks=[tell])
    assert told == [
        ("on_train_begin",),
        ("on_epoch_begin", 0),
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
        ("on_train_batch_begin", 1),
        ("on_train_batch_end", 1),
        ("on_test_begin",),
        ("on_test_batch_begin", 0),
        ("on_test_batch_end", 0),
        ("on_test_batch_begin", 1),
        ("on_test_batch_end", 1),
        ("on_test_end",),
        ("on_epoch_end", 0),
        ("on_train_end",),
        ("on_predict_begin",),
        ("on_predict_end",),
    ]
    assert tell.params == {"verbose": 0, "epochs": 1, "steps": 2}
    assert tell.model is made


def test_running_figures():
    seen = []
    made = Sequential([layers.Dense(1, input_dim=1, kernel_initializer="zeros")])
    made.compile("sgd", "mse", metrics=["mae"])
    watch = callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(dict(logs)), on_train_begin=None)
    made.optimizer.learning_rate = 0.0
    made.fit(X[:4], np.array([1.0, 1.0, 3.0, 3.0]), batch_size=2, shuffle=False, verbose=0, callbacks=[watch])
    assert seen == [{"loss": 1.0, "mae": 1.0}, {"loss": 5.0, "mae": 2.0}]
    with pytest.raises(TypeError, match="on_epoch_end"):
        callbacks.LambdaCallback(on_epoch=print)


@pytest.mark.parametrize(
    ("options", "figures", "ends", "weight"),
    [
        ({"patience": 0}, (3, 2, 2.5, 1), 3, 2),
        ({"patience": 2}, (3, 2, 2.5, 2.5, 1), 4, 3),
        ({"patience": 1, "min_delta": 0.5}, (3, 2.6, 1), 2, 1),
        ({"patience": 2, "restore_best_weights": True}, (3, 1, 2, 2, 0), 4, 1),
        ({"patience": 9, "restore_best_weights": True}, (3, 1, 2), 3, 1),
        ({"patience": 1, "mode": "max"}, (1, 2, 1.5, 9), 3, 2),
        ({"patience": 2, "baseline": 0.5}, (3, 2, 1), 2, 1),
        ({"patience": 2, "baseline": 2.5}, (3, 2, 2, 1, 1, 1), 6, 5),
        ({"patience": 1, "start_from_epoch": 2}, (1, 2, 3, 2, 2, 0), 5, 4),
    ],
)
def test_early_stopping(options, figures, ends, weight):
    made, history = epochs(callbacks.EarlyStopping(**options), *figures)
    assert len(history.epoch) == ends
    assert made.get_weights()[0].item() == weight
    assert made.fit(X, Y, verbose=0).epoch == [0]


def test_early_stopping_goes_by_the_name_of_the_figure(capsys):
    _, history = epochs(
        callbacks.EarlyStopping("val_accuracy", patience=1, verbose=1), 0.1, 0.2, 0.15, 0.9, name="val_accuracy"
    )
    assert history.epoch == [0, 1, 2]
    assert "Epoch 3: early stopping" in capsys.readouterr().out
    with pytest.raises(KeyError, match="val_acc"):
        epochs(callbacks.EarlyStopping("val_acc"), 1.0)


def test_checkpoints(tmp_path):
    path = tmp_path / "{epoch:02d}-{val_loss:.2f}.keras"
    made, _ = epochs(callbacks.ModelCheckpoint(path, save_best_only=True), 3.0, 2.0, 2.5, 1.0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["01-3.00.keras", "02-2.00.keras", "04-1.00.keras"]
    assert models.load_model(tmp_path / "02-2.00.keras").get_weights()[0].item() == 1
    weights = tmp_path / "w.weights.npz"
    epochs(callbacks.ModelCheckpoint(weights, save_weights_only=True), 1.0, 2.0)
    made.load_weights(weights)
    assert made.get_weights()[0].item() == 1
    often = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{loss:.0f}.often", save_freq=2)
    model().fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[often])
    assert len(list(tmp_path.glob("1-*.often"))) == 1
    with pytest.raises(KeyError, match="there is no figure"):
        epochs(callbacks.ModelCheckpoint(tmp_path / "{nothing}"), 1.0)
    with pytest.raises(ValueError, match="every"):
        callbacks.ModelCheckpoint(path, save_freq="often")


@pytest.mark.parametrize(
    ("options", "figures", "wanted"),
    [
        ({"patience": 1}, (3, 3, 3, 2), [1, 1, 0.1, 0.01]),
        ({"patience": 2}, (3, 3, 3, 3, 3), [1, 1, 1, 0.1, 0.1]),
        ({"patience": 1, "cooldown": 2}, (3, 3, 3, 3, 3), [1, 1, 0.1, 0.1, 0.01]),
        ({"patience": 1, "min_lr": 0.05}, (3, 3, 3, 3), [1, 1, 0.1, 0.05]),
        ({"patience": 1, "factor": 0.5, "min_delta": 1.0}, (3, 2.5, 2.0), [1, 1, 0.5]),
    ],
)
def test_plateaus(options, figures, wanted):
    made = model()
    made.optimizer.learning_rate = 1.0
    plateau = callbacks.ReduceLROnPlateau(**options)
    history = made.fit(X, Y, epochs=len(figures), verbose=0, callbacks=[Figures(*figures), plateau])
    assert history.history["learning_rate"] == pytest.approx(wanted)


def test_schedules():
    made = model()
    made.fit(X, Y, epochs=3, verbose=0, callbacks=callbacks.LearningRateScheduler(lambda epoch, lr: lr / 2))
    assert made.optimizer.learning_rate == 0.01 / 8
    history = made.fit(
        X, Y, epochs=2, verbose=0, callbacks=callbacks.LearningRateScheduler(lambda epoch: 0.5 - epoch / 10)
    )
    assert history.history["learning_rate"] == [0.5, 0.4]
    with pytest.raises(ZeroDivisionError):
        made.fit(X, Y, verbose=0, callbacks=callbacks.LearningRateScheduler(lambda epoch: 1 / 0))


def test_tables(tmp_path):
    path = tmp_path / "log.csv"
    for append in (False, True):
        epochs(callbacks.CSVLogger(path, append=append), 3.0, 2.0)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["epoch"], row["val_loss"]) for row in rows] == [("0", "3.0"), ("1", "2.0")] * 2
    epochs(callbacks.CSVLogger(path, separator=";"), 3.0)
    assert path.read_text().startswith("epoch;loss;val_loss\n0;")


def test_stopping(capsys):
    class Stop(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    assert model().fit(X, Y, epochs=5, callbacks=Stop()).epoch == [0]
    assert re.match(r"Epoch 1/5\n1/1 - \d+s - ", capsys.readouterr().out)
    model().fit(X, Y, verbose=0)
    assert capsys.readouterr().out == ""
    model().evaluate(X, Y)
    assert " - loss: 1.0000\n" in capsys.readouterr().out


def test_lines():
    assert progress.line(5, 5, 10.0, {"loss": 1e-5, "val_loss": 12.0}) == (
        "5/5 - 10s - 2s/step - loss: 1.0000e-05 - val_loss: 12.0000"
    )
    assert progress.line(5, None, 0.0005, {"b": 0.0, "a": [1]}) == "5/5 - 0s - 100us/step - a: [1] - b: 0.0000"


def test_modes():
    assert callbacks.direction("val_accuracy", "auto") == callbacks.direction("auc", "auto") == "max"
    assert callbacks.direction("val_loss", "auto") == callbacks.direction("mae", "auto") == "min"
    with pytest.raises(ValueError, match="'auto'"):
        callbacks.EarlyStopping(mode="best")
