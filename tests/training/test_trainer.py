"""The training loop: the same as one by hand, right on short batches, and the same bits after any interruption."""

from __future__ import annotations

import csv
import json
import math
import os
import signal
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, MapDataset, TensorDataset, WeightedRandomSampler
from tensorgrad.errors import CheckpointError
from tensorgrad.training import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    JSONLogger,
    LambdaCallback,
    ModelCheckpoint,
    ProgressBar,
    TensorBoardLogger,
    Trainer,
)
from tensorgrad.training.metrics import Accuracy, ConfusionMatrix, F1Score, MeanSquaredError
from tests.data import samples

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 6)).astype("float32")
Y = (X[:, :3].sum(axis=1) > 0).astype("int64")


def model():
    tg.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))


def loader(**options):
    return DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True, **options)


def trainer(net=None, **options):
    net = net or model()
    options.setdefault("metrics", [Accuracy()])
    optimizer = options.pop("optimizer", None) or tg.optim.Adam(net.parameters(), lr=0.01)
    return Trainer(net, optimizer, nn.CrossEntropyLoss(), **options)


def weights(net):
    return {name: value.numpy().tolist() for name, value in net.state_dict().items()}


# -- the loop --------------------------------------------------------------------------------------------------


def test_the_same_as_by_hand() -> None:
    net = model()
    optimizer, criterion = tg.optim.Adam(net.parameters(), lr=0.01), nn.CrossEntropyLoss()
    for _ in range(3):
        for x, y in loader(seed=5):
            optimizer.zero_grad()
            criterion(net(x), y).backward()
            optimizer.step()
    other = model()
    # A loader with a seed begins anew when it is made anew.
    for epoch in range(1, 4):
        if epoch == 1:
            run = trainer(other)
        run.fit(loader(seed=5), epochs=epoch)
    assert weights(other) == weights(net)
    assert (run.epoch, run.batch, run.step) == (3, 0, 12)
    assert run.history["epoch"] == [1, 2, 3]


def test_the_figures_are_those_of_all_samples() -> None:
    run = trainer(metrics=[Accuracy(), ConfusionMatrix(2)])
    history = run.fit(loader(), 2, valid=DataLoader(TensorDataset(X[:21], Y[:21]), 16))
    assert list(history[0]) == [
        "epoch",
        "loss",
        "accuracy",
        "confusion_matrix",
        "lr",
        "valid_loss",
        "valid_accuracy",
        "valid_confusion_matrix",
        "seconds",
    ]
    run.model.eval()
    out = run.model(tg.tensor(X[:21]))
    assert history[-1]["valid_accuracy"] == (out.numpy().argmax(axis=1) == Y[:21]).mean()
    assert history[-1]["valid_loss"] == pytest.approx(
        nn.functional.cross_entropy(out, tg.tensor(Y[:21])).item(), rel=1e-6
    )
    assert np.sum(history[-1]["valid_confusion_matrix"]) == 21
    assert np.sum(history[-1]["confusion_matrix"]) == 50
    assert run.evaluate(DataLoader(TensorDataset(X[:21], Y[:21]), 7))["loss"] == pytest.approx(
        history[-1]["valid_loss"]
    )


@pytest.mark.parametrize("size", [5, 7, 50])
def test_gradients_that_are_accumulated_are_those_of_one_batch(size: int) -> None:
    def plain():
        tg.manual_seed(1)
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))

    whole, parts = plain(), plain()
    for net, batch, accumulate in ((whole, 50, 1), (parts, size, -(-50 // size))):
        optimizer = tg.optim.SGD(net.parameters(), lr=0.1)
        run = Trainer(net, optimizer, nn.CrossEntropyLoss(), accumulate=accumulate)
        run.fit(DataLoader(TensorDataset(X, Y), batch), 2)
        assert run.step == 2
    for name, value in whole.state_dict().items():
        np.testing.assert_allclose(parts.state_dict()[name].numpy(), value.numpy(), rtol=1e-4, atol=1e-6)


def test_the_last_group_of_batches_may_be_short() -> None:
    run = trainer(accumulate=3)
    run.fit(loader(), 1)
    assert run.step == 2


@pytest.mark.parametrize("options", [{"clip_norm": 1e-3}, {"clip_value": 1e-4}])
def test_clipping(options: dict) -> None:
    sizes = []
    net = model()
    optimizer = tg.optim.SGD(net.parameters(), lr=1.0)
    step = optimizer.step

    def looked_at():
        gradients = [parameter.grad.numpy() for parameter in net.parameters()]
        sizes.append((math.sqrt(sum((g**2).sum() for g in gradients)), max(np.abs(g).max() for g in gradients)))
        step()

    optimizer.step = looked_at
    trainer(net, optimizer=optimizer, **options).fit(loader(), 1)
    which, bound = (0, 1e-3) if "clip_norm" in options else (1, 1e-4)
    assert all(size[which] <= bound * 1.001 for size in sizes)


class Scaler:
    """As PyTorch's GradScaler, with a factor that is exact."""

    def __init__(self):
        self.factor = 1024.0

    def scale(self, loss):
        return loss * self.factor

    def unscale_(self, optimizer):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = parameter.grad / self.factor

    def step(self, optimizer):
        optimizer.step()

    def update(self):
        self.factor *= 2

    def state_dict(self):
        return {"factor": self.factor}

    def load_state_dict(self, state_dict):
        self.factor = state_dict["factor"]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_scaled_losses_are_a_seam(tmp_path, accumulate: int) -> None:
    options = {"accumulate": accumulate, "clip_norm": 0.1}
    plain = trainer(**options)
    plain.fit(loader(seed=1), 3)
    scaled = trainer(scaler=Scaler(), checkpoint=tmp_path / "c.npz", **options)
    scaled.fit(loader(seed=1), 2)
    again = trainer(scaler=Scaler(), checkpoint=tmp_path / "c.npz", **options)
    again.fit(loader(seed=1), 3, resume=True)
    assert weights(again.model) == weights(plain.model)
    assert again.scaler.factor == 1024.0 * 2**again.step
    again.scaler = None
    again.save()
    with pytest.raises(CheckpointError, match=r"\['scaler'\] missing"):
        scaled.fit(loader(seed=1), 3, resume=True)


def test_schedules() -> None:
    rates = []
    for by, expected in (("epoch", [0.01, 0.005, 0.0025]), ("batch", [0.01 / 16, 0.01 / 256, 0.01 / 4096])):
        net = model()
        optimizer = tg.optim.SGD(net.parameters(), lr=0.01)
        schedule = tg.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        rates = trainer(net, optimizer=optimizer, scheduler=schedule, schedule_by=by).fit(loader(), 3)["lr"]
        assert rates == pytest.approx(expected)
    net = model()
    optimizer = tg.optim.SGD(net.parameters(), lr=0.0)
    plateau = tg.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)
    run = trainer(net, optimizer=optimizer, scheduler=plateau, monitor="loss")
    run.fit(loader(), 2)
    with pytest.raises(KeyError, match="looks at 'valid_loss', but an epoch has epoch, loss, accuracy"):
        trainer(net, optimizer=optimizer, scheduler=plateau).fit(loader(), 1)


def test_several_inputs_and_a_loss_of_ones_own() -> None:
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(6, 1)

        def forward(self, a, b):
            return (self.linear(a) + self.linear(b)).squeeze(1)

    class Own(Trainer):
        def compute_loss(self, inputs, target):
            output = self.model(*inputs)
            return self.criterion(output, target) + 1, output

    tg.manual_seed(0)
    net = Sum()
    data = DataLoader(TensorDataset(X, X[::-1].copy(), Y.astype("float32")), 10)
    run = Own(net, tg.optim.SGD(net.parameters(), lr=0.01), nn.MSELoss(), metrics={"error": MeanSquaredError()})
    history = run.fit(data, 2)
    assert history["loss"] == pytest.approx([value + 1 for value in history["error"]], rel=1e-5)


def test_prediction() -> None:
    run = trainer()
    run.model.train()
    tg.manual_seed(0)
    before, random = weights(run.model), tg.random.get_rng_state()
    whole = run.predict(X)
    assert whole.shape == (50, 2)
    assert not whole.requires_grad
    for data in (tg.tensor(X), loader().dataset, DataLoader(TensorDataset(X, Y), 16), [X[:20], X[20:]]):
        if isinstance(data, TensorDataset):
            continue
        np.testing.assert_allclose(run.predict(data).numpy(), whole.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run.predict(X, batch_size=7).numpy(), whole.numpy(), rtol=1e-5, atol=1e-6)
    assert run.model.training
    assert weights(run.model) == before
    assert tg.random.get_rng_state() == random


def test_prediction_from_several_inputs() -> None:
    """Batches as for fit(), with the target in the last place."""
    run = trainer(nn.Bilinear(6, 6, 2), metrics=())
    batches = DataLoader(TensorDataset(X, X[::-1].copy(), Y), batch_size=16)
    run.fit(batches, 1)
    with tg.no_grad():
        expected = run.model(tg.tensor(X), tg.tensor(X[::-1].copy()))
    np.testing.assert_allclose(run.predict(batches).numpy(), expected.numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schedule_by": "step"}, "by 'epoch' or by 'batch', not by 'step'"),
        ({"accumulate": 0}, "accumulate is 1 or more, got 0"),
        ({"checkpoint_every": 0, "checkpoint": "x"}, "checkpoint_every is 1 or more, got 0"),
        ({"checkpoint_every": 2}, "needs to know where to"),
        ({"checkpoint": "x.pt"}, r"\.pt files are PyTorch's, .* save as"),
        ({"checkpoint": "x.safetensors"}, r"is nested, 'x.safetensors' cannot hold it: name it .npz"),
        ({"metrics": [Accuracy(), Accuracy()]}, "two metrics have one name"),
    ],
)
def test_options_that_make_no_sense(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        trainer(**options)


def test_data_that_make_no_sense() -> None:
    run = trainer()
    for data, words in (([], "no batches"), ([X], "a batch is an input"), ([(X,)], "a batch is an input")):
        with pytest.raises(ValueError, match=words):
            run.fit(data, 1)
    with pytest.raises(ValueError, match="no batches"):
        run.predict([])
    with pytest.raises(ValueError, match="from where: give the Trainer a checkpoint"):
        run.fit(loader(), 1, resume=True)
    with pytest.raises(ValueError, match="a path, or the Trainer a checkpoint"):
        run.save()
    with pytest.raises(ValueError, match=r"an input .* and a target, got tuple of 1"):
        run.fit(DataLoader(TensorDataset(X), batch_size=4), 1)


def test_a_dataset_gives_no_batches() -> None:
    run, dataset = trainer(), TensorDataset(X, Y)
    before = weights(run.model)
    words = r"a TensorDataset gives samples one by one: put it into a DataLoader\(dataset, batch_size\)"
    for use in (lambda: run.fit(dataset, 1), lambda: run.evaluate(dataset), lambda: run.predict(dataset)):
        with pytest.raises(TypeError, match=words):
            use()
    assert weights(run.model) == before

    class Batches(TensorDataset):
        def __iter__(self):
            yield self[:25]
            yield self[25:]

    assert len(run.fit(Batches(X, Y), 1)) == 1
    assert run.step == 2


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.full((2, 6), np.nan, "float32"), Y[:2], "the batch's input holds NaN or infinity already"),
        (X[:2], np.full((2, 2), np.inf, "float32"), "the batch's target holds NaN or infinity already"),
        (np.full((2, 6), 3e38, "float32"), Y[:2], "is the learning rate too large"),
    ],
)
def test_a_loss_that_is_no_number(x: np.ndarray, y: np.ndarray, words: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=f"in epoch 1, batch 1: .*{words}"):
        trainer(metrics=()).fit([(x, y)], 1)


def test_losses_that_make_no_sense() -> None:
    net = model()
    optimizer = tg.optim.SGD(net.parameters())
    with pytest.raises(ValueError, match=r"one number for a batch, got a loss of shape \(16,\): take its mean"):
        Trainer(net, optimizer, nn.CrossEntropyLoss(reduction="none")).fit(loader(), 1)
    with pytest.raises(TypeError, match="the loss as a Tensor, for gradients; got float"):
        Trainer(net, optimizer, lambda output, target: 1.0).fit(loader(), 1)


def test_names_are_no_optimizers_and_losses() -> None:
    net = model()
    with pytest.raises(TypeError, match=r"an optimizer is made first, .* got 'adam'"):
        Trainer(net, "adam", nn.CrossEntropyLoss()).fit(loader(), 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"a criterion is called .* got 'mse'"):
        Trainer(net, tg.optim.SGD(net.parameters()), "mse")  # type: ignore[arg-type]


def test_the_optimizer_of_another_model() -> None:
    net, criterion = model(), nn.CrossEntropyLoss()
    with pytest.raises(ValueError, match="none of the optimizer's parameters is one of Sequential's"):
        Trainer(net, tg.optim.SGD(model().parameters()), criterion).fit(loader(), 1)
    # A part of the model is enough.
    Trainer(net, tg.optim.SGD(net[0].parameters()), criterion).fit(loader(), 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metrics": ["accuracy"]}, "metrics are a list of objects of Metric's subclasses, got"),
        ({"metrics": Accuracy()}, "metrics are a list"),
        ({"metrics": {"a": Accuracy}}, "metrics are a list"),
        ({"callbacks": [EarlyStopping]}, "callbacks are a list of objects of Callback's subclasses, got"),
        ({"callbacks": ProgressBar()}, "callbacks are a list"),
    ],
)
def test_what_is_no_metric_or_callback(options: dict, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        trainer(**options)


def test_numbers_of_epochs() -> None:
    assert trainer().fit(loader(), 0) == []
    with pytest.raises(ValueError, match="epochs are 0 or more, got -1"):
        trainer().fit(loader(), -1)
    for epochs, given in (("2", "'2'"), (1.5, "1.5"), (Y, "ndarray")):
        with pytest.raises(TypeError, match=f"epochs is a whole number, got {given}"):
            trainer().fit(loader(), epochs)


def test_validation_data_that_are_used_up() -> None:
    with pytest.raises(ValueError, match=r"evaluate\(\) got no batches. Was an iterator used up"):
        trainer().fit(loader(), 2, valid=iter([(X, Y)]))


def test_a_figure_that_is_not_there() -> None:
    with pytest.raises(KeyError, match=r"EarlyStopping watches 'valid_loss', but an epoch has .* Give fit\(\) valid="):
        trainer(callbacks=[EarlyStopping()]).fit(loader(), 1)
    with pytest.raises(KeyError, match="watches 'accuracy', but an epoch has epoch, loss, lr, seconds"):
        trainer(metrics=(), callbacks=[EarlyStopping("accuracy")]).fit(loader(), 1)


def test_folders_are_made_before_training(tmp_path) -> None:
    callbacks = [
        ModelCheckpoint(tmp_path / "a" / "best.npz", "loss"),
        CSVLogger(tmp_path / "b" / "c" / "log.csv"),
        JSONLogger(tmp_path / "d" / "log.jsonl"),
    ]
    trainer(callbacks=callbacks, checkpoint=tmp_path / "e" / "c.npz").fit(loader(), 1)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"a/best.npz", "b/c/log.csv", "d/log.jsonl", "e/c.npz"}
    run = trainer(callbacks=[CSVLogger(tmp_path / "a" / "best.npz" / "log.csv")])
    with pytest.raises(OSError):
        run.fit(loader(), 1)
    assert run.step == 0


def test_history() -> None:
    history = History([{"epoch": 1, "valid_loss": 2.0}, {"epoch": 2, "valid_loss": 1.0}, {"epoch": 3}])
    assert history["valid_loss"] == [2.0, 1.0, None]
    assert history[1:][0] == {"epoch": 2, "valid_loss": 1.0}
    assert (history.best()["epoch"], history.best(mode="max")["epoch"]) == (2, 1)
    with pytest.raises(KeyError, match="no figure 'loss'"):
        history["loss"]
    with pytest.raises(KeyError, match="no figure 'loss'"):
        history.best("loss")


# -- callbacks -------------------------------------------------------------------------------------------------


class Given(Callback):
    """Gives epochs a figure."""

    def __init__(self, values):
        self.values = values

    def on_epoch_end(self, trainer, row):
        row["figure"] = self.values[row["epoch"] - 1]


def test_history_as_a_table() -> None:
    history = trainer(metrics=[Accuracy(), ConfusionMatrix(2)]).fit(loader(), 12)
    head, *rows = str(history).splitlines()
    assert head.split() == ["epoch", "loss", "accuracy", "lr", "seconds"]
    assert [row.split()[:2] for row in rows] == [[str(row["epoch"]), f"{row['loss']:.4g}"] for row in history]
    assert {len(row) for row in rows} == {len(head)}
    assert str(History()) == ""


def test_stopping_early() -> None:
    kept = []
    stopping = EarlyStopping("figure", patience=2, min_delta=0.1, restore_best=True)
    note = LambdaCallback(on_epoch_end=lambda run, row: kept.append(weights(run.model)))
    run = trainer(callbacks=[Given([3.0, 2.0, 1.95, 2.5, 1.0]), note, stopping])
    run.fit(loader(), 5)
    assert run.epoch == 4
    assert run.stopped == "figure did not become better than 2 for 2 epochs"
    assert weights(run.model) == kept[1]
    with pytest.raises(KeyError, match="watches 'valid_loss', but an epoch has epoch, loss"):
        trainer(callbacks=[EarlyStopping()]).fit(loader(), 1)
    for make in (
        lambda: EarlyStopping(patience=0),
        lambda: EarlyStopping(mode="best"),
        lambda: EarlyStopping(min_delta=-1),
    ):
        with pytest.raises(ValueError, match="EarlyStopping"):
            make()


def test_saving_the_best(tmp_path) -> None:
    with pytest.raises(ValueError, match="are PyTorch's"):
        ModelCheckpoint(tmp_path / "best.pth")
    best = ModelCheckpoint(tmp_path / "best.npz", "figure", "max")
    some = ModelCheckpoint(tmp_path / "{epoch}.npz", monitor=None, every=2)
    kept = []
    note = LambdaCallback(on_epoch_end=lambda run, row: kept.append(weights(run.model)))
    trainer(callbacks=[Given([1.0, 3.0, 2.0, 2.5]), note, best, some]).fit(loader(), 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.npz", "4.npz", "best.npz"]
    saved = {name: value.numpy().tolist() for name, value in tg.load(tmp_path / "best.npz").items()}
    assert saved == kept[1]


def test_tables(tmp_path) -> None:
    run = trainer(callbacks=[CSVLogger(tmp_path / "log.csv"), JSONLogger(tmp_path / "log.jsonl")])
    history = run.fit(loader(), 2, valid=loader())
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["valid_loss"]) for row in rows] == history["valid_loss"]
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == list(history)
    assert len(list(tmp_path.iterdir())) == 2


def test_progress_in_a_file_is_a_line_for_each_epoch(capsys) -> None:
    trainer(callbacks=[ProgressBar()]).fit(loader(), 2)
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["epoch 1", "epoch 2"]
    assert "accuracy" in lines[0]


def test_progress_is_told_without_tables(capsys) -> None:
    trainer(callbacks=[ProgressBar()], metrics=[Accuracy(), ConfusionMatrix(2)]).fit(loader(), 1)
    text = capsys.readouterr().err
    assert "accuracy" in text
    assert "confusion" not in text


def test_progress_as_a_bar(capsys) -> None:
    pytest.importorskip("tqdm")
    bar = ProgressBar(bar=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer(callbacks=[bar]).fit(loader(), 1)
    assert "epoch 1: 100%" in capsys.readouterr().err.replace("\r", "\n") or bar.bar is None


def test_what_is_missing_is_said(monkeypatch) -> None:
    for name in ("tqdm", "tqdm.auto", "tensorboardX"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="pip install tensorboardX"):
        TensorBoardLogger("somewhere")
    with pytest.raises(ImportError, match="pip install tqdm"):
        trainer(callbacks=[ProgressBar(bar=True)]).fit(loader(), 1)
    with pytest.raises(TypeError, match=r"LambdaCallback knows on_fit_begin.*, not 'on_train'"):
        LambdaCallback(on_train=print)


# -- going on --------------------------------------------------------------------------------------------------


def noisy(seed=None, **options):
    """Data that draw random numbers: for their order, and for each sample."""
    sampler = WeightedRandomSampler(1 + Y, 40, seed=3) if seed is not None else None
    dataset = MapDataset(TensorDataset(X, Y), samples.noisy, at=0)
    return DataLoader(dataset, 16, shuffle=sampler is None, sampler=sampler, seed=seed, **options)


def session(folder, seed=None, **options):
    """A training with everything that has a state, and its data."""
    tg.manual_seed(7)
    net = model()
    optimizer = tg.optim.Adam(net.parameters(), lr=0.02)
    run = Trainer(
        net,
        optimizer,
        nn.CrossEntropyLoss(),
        metrics=[Accuracy()],
        scheduler=tg.optim.lr_scheduler.ExponentialLR(optimizer, 0.9),
        schedule_by="batch",
        callbacks=[EarlyStopping("loss", patience=50, restore_best=True), *options.pop("callbacks", [])],
        clip_norm=1.0,
        checkpoint=folder / "last.npz",
        checkpoint_every=1,
        **options,
    )
    return run, noisy(seed, prefetch=1)


def outcome(run):
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in run.history]
    return weights(run.model), rows, tg.random.get_rng_state(), run.step


class Lightning(Exception):
    pass


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_same_bits_after_an_interruption_at_any_batch(tmp_path, seed: int | None, accumulate: int) -> None:
    run, data = session(tmp_path, seed, accumulate=accumulate)
    run.fit(data, 3, valid=loader(seed=1))
    expected = outcome(run)
    for strike in range(1, 11, 2):
        (tmp_path / "last.npz").unlink(missing_ok=True)
        seen = 0

        def on_batch_end(run, loss, strike=strike):
            nonlocal seen
            seen += 1
            if seen == strike:
                raise Lightning

        for _ in range(12):
            seen = 0
            run, data = session(
                tmp_path, seed, accumulate=accumulate, callbacks=[LambdaCallback(on_batch_end=on_batch_end)]
            )
            if (tmp_path / "last.npz").exists():
                tg.manual_seed(99)
            try:
                run.fit(data, 3, valid=loader(seed=1), resume=True)
                break
            except Lightning:
                if strike <= accumulate:
                    # It never gets through a step.
                    break
        else:
            raise AssertionError("it did not come to an end")
        if strike > accumulate:
            assert outcome(run) == expected


@pytest.mark.parametrize("seed", [None, 5])
def test_the_same_bits_with_workers_and_an_interruption(tmp_path, seed: int | None) -> None:
    run, data = session(tmp_path, seed)
    run.checkpoint = run.checkpoint_every = None
    run.fit(data, 3, valid=loader(seed=1))
    expected = outcome(run)

    def lightning(run, loss):
        if run.step == 5:
            raise Lightning

    run, _ = session(tmp_path, seed, callbacks=[LambdaCallback(on_batch_end=lightning)])
    with pytest.raises(Lightning):
        run.fit(noisy(seed, num_workers=2), 3, valid=loader(seed=1))
    run, _ = session(tmp_path, seed, callbacks=[Callback()])
    tg.manual_seed(99)
    run.fit(noisy(seed, num_workers=2, persistent_workers=True), 3, valid=loader(seed=1), resume=True)
    assert outcome(run) == expected


def test_batches_that_were_used_are_not_made_again(tmp_path) -> None:
    asked = []

    def note(x):
        asked.append(x)
        return x

    def begin(**options):
        run = trainer(checkpoint=tmp_path / "c.npz", checkpoint_every=1, **options)
        return run, DataLoader(MapDataset(TensorDataset(X, Y), note, at=0), 10, prefetch=0)

    def lightning(run, loss):
        if run.step == 4:
            raise Lightning

    run, data = begin(callbacks=[LambdaCallback(on_batch_end=lightning)])
    with pytest.raises(Lightning):
        run.fit(data, 1)
    asked.clear()
    run, data = begin(callbacks=[Callback()])
    assert run.fit(data, 1, resume=True)[-1]["epoch"] == 1
    # Three of five were done with.
    assert len(asked) == 20


def test_ctrl_c_at_the_last_batch_of_an_epoch(tmp_path, capsys) -> None:
    def press(run, loss):
        if run.step == 4:
            os.kill(os.getpid(), signal.SIGINT)

    run = trainer(checkpoint=tmp_path / "c.npz", callbacks=[LambdaCallback(on_batch_end=press)])
    with pytest.raises(KeyboardInterrupt):
        run.fit(loader(seed=1), 2)
    again = trainer(checkpoint=tmp_path / "c.npz", callbacks=[Callback()])
    again.fit(loader(seed=1), 2, resume=True)
    whole = trainer()
    whole.fit(loader(seed=1), 2)
    assert weights(again.model) == weights(whole.model)
    assert again.step == whole.step == 8


def test_a_training_that_ended_stays_ended(tmp_path) -> None:
    run = trainer(
        callbacks=[Given([1.0, 2.0, 0.5]), EarlyStopping("figure", patience=1)], checkpoint=tmp_path / "c.npz"
    )
    run.fit(loader(), 3)
    assert run.epoch == 2
    again = trainer(
        callbacks=[Given([1.0, 2.0, 0.5]), EarlyStopping("figure", patience=1)], checkpoint=tmp_path / "c.npz"
    )
    assert again.fit(loader(), 3, resume=True)["figure"] == [1.0, 2.0]
    assert again.fit(loader(), 3)["figure"] == [1.0, 2.0, 0.5]


def test_checkpoints_of_other_trainings(tmp_path) -> None:
    run = trainer(checkpoint=tmp_path / "c.npz")
    run.fit(loader(seed=1), 1)
    with pytest.raises(CheckpointError, match="it had 0 callbacks and no schedule, this one has 1 and no schedule"):
        trainer(checkpoint=tmp_path / "c.npz", callbacks=[Callback()]).fit(loader(seed=1), 2, resume=True)
    with pytest.raises(CheckpointError, match=r"1 generators of random numbers of their own .* have 0"):
        trainer(checkpoint=tmp_path / "c.npz").fit(loader(), 2, resume=True)
    tg.save({"weight": 1}, tmp_path / "c.npz")
    with pytest.raises(CheckpointError, match="not the state of a training"):
        trainer(checkpoint=tmp_path / "c.npz").fit(loader(), 2, resume=True)


def everything(run):
    state = run.state_dict()
    return weights(run.model), repr(state["optimizer"]), state["epoch"], state["history"], state["rng"]


OTHERS = {
    "another optimizer": lambda: {
        "net": (net := model()),
        "optimizer": tg.optim.SGD(net.parameters(), lr=0.1, momentum=0.9),
    },
    "other metrics": lambda: {"metrics": [F1Score(2)]},
    "a metric of another kind": lambda: {"metrics": {"accuracy": ConfusionMatrix(3)}},
    "another model": lambda: {"net": nn.Linear(6, 2)},
}


@pytest.mark.parametrize("options", OTHERS.values(), ids=OTHERS)
def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path, options) -> None:
    trainer(checkpoint=tmp_path / "c.npz").fit(loader(seed=1), 1)
    run = trainer(checkpoint=tmp_path / "c.npz", **options())
    before = everything(run)
    with pytest.raises(CheckpointError):
        run.fit(loader(seed=1), 2, resume=True)
    assert everything(run) == before


def test_a_checkpoint_for_other_data_changes_nothing(tmp_path) -> None:
    trainer(checkpoint=tmp_path / "c.npz").fit(loader(seed=1), 1)
    run = trainer(checkpoint=tmp_path / "c.npz")
    before = everything(run)
    with pytest.raises(CheckpointError, match="had 1 generators"):
        run.fit(loader(), 2, resume=True)
    assert everything(run) == before


@pytest.mark.parametrize("part", [0.0, 0.3, 0.999])
def test_a_checkpoint_that_was_cut_short_changes_nothing(tmp_path, part: float) -> None:
    trainer(checkpoint=tmp_path / "c.npz").fit(loader(seed=1), 1)
    data = (tmp_path / "c.npz").read_bytes()
    (tmp_path / "c.npz").write_bytes(data[: int(part * len(data))])
    run = trainer(checkpoint=tmp_path / "c.npz")
    before = everything(run)
    with pytest.raises(CheckpointError):
        run.fit(loader(seed=1), 2, resume=True)
    assert everything(run) == before


def test_ctrl_c_ends_the_step_and_saves(tmp_path, capsys) -> None:
    def press(run, loss):
        if run.step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    run, data = session(tmp_path, callbacks=[LambdaCallback(on_batch_end=press)])
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run.fit(data, 3)
    assert run.interrupted
    assert "interrupted in epoch 2, after batch 2, saved in " in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before
    whole, data = session(tmp_path / "..", callbacks=[LambdaCallback()])
    whole.checkpoint = whole.checkpoint_every = None
    whole.fit(data, 3)
    expected = outcome(whole)
    run, data = session(tmp_path, callbacks=[LambdaCallback()])
    run.fit(data, 3, resume=True)
    assert outcome(run) == expected


def test_ctrl_c_while_looking_at_validation_data_is_not_lost(capsys) -> None:
    run = trainer()

    def batches():
        os.kill(os.getpid(), signal.SIGINT)
        yield X, Y

    class Valid:
        def __iter__(self):
            return batches()

    with pytest.raises(KeyboardInterrupt):
        run.fit(loader(), 1, valid=Valid())
    assert run.epoch == 1
    assert capsys.readouterr().err == "interrupted after epoch 1.\n"


def test_in_a_thread_of_its_own() -> None:
    run, done = trainer(), []
    thread = threading.Thread(target=lambda: done.append(run.fit(loader(), 1)))
    thread.start()
    thread.join()
    assert len(done) == 1


KILLED = """
import os, random, signal, sys, threading
import numpy as np
import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.training import LambdaCallback, Trainer

folder, killed = sys.argv[1], sys.argv[2] == "killed"
rng = np.random.default_rng(0)
x = rng.normal(size=(64, 6)).astype("float32")
y = (x.sum(axis=1) > 0).astype("int64")
tg.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2))
optimizer = tg.optim.Adam(model.parameters())
left = random.randrange(9) if killed else -1

def strike(trainer, loss):
    # Some batches after the beginning, and then at any moment.
    global left
    if left == 0:
        threading.Timer(random.uniform(0.0, 0.004), os.kill, (os.getpid(), signal.SIGKILL)).start()
    left -= 1

trainer = Trainer(
    model,
    optimizer,
    nn.CrossEntropyLoss(),
    callbacks=[LambdaCallback(on_batch_end=strike)],
    checkpoint=f"{folder}/last.npz",
    checkpoint_every=3,
)
trainer.fit(DataLoader(TensorDataset(x, y), 8, shuffle=True), 80, resume=True)
tg.save(model.state_dict(), f"{folder}/done.npz")
os._exit(0)
"""


def test_killed_fifty_times(tmp_path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    subprocess.run([sys.executable, "-c", KILLED, str(whole), "alone"], check=True)
    deaths = 0
    while not (killed / "done.npz").exists():
        how = "killed" if deaths < 50 else "alone"
        run = subprocess.run([sys.executable, "-c", KILLED, str(killed), how], stderr=subprocess.PIPE)
        assert run.returncode in (0, -signal.SIGKILL), run.stderr.decode()
        deaths += run.returncode != 0
    assert deaths == 50
    one, other = tg.load(whole / "done.npz"), tg.load(killed / "done.npz")
    assert {name: value.tolist() for name, value in one.items()} == {name: v.tolist() for name, v in other.items()}
