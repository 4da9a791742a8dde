"""What the examples share: options, figures, progress."""

from __future__ import annotations

import argparse
import errno
import io
import os
import re
import sys
from pathlib import Path

import common
import digits
import evaluation
import mnist
import numpy as np
import plots
import pytest
import report
from progress import Progress

import tensorgrad as tg
from tensorgrad.data import DataLoader, TensorDataset

COMMON = ("--help", "--epochs", "--batch-size", "--lr", "--seed", "--device", "--validation", "--out", "--no-plots")


@pytest.mark.parametrize(
    ("example", "options", "defaults"),
    [
        (digits, COMMON, ("30", "64", "0.002", "0", "cpu", "0.0", "runs/digits")),
        (
            mnist,
            (*COMMON, "--model", "--fashion", "--data"),
            ("5 for softmax, 10 for mlp, 5 for cnn, 20 for deep", "128", "0", "cpu", "0.0", "cnn"),
        ),
    ],
)
def test_help_explains_every_option_with_its_default(example, options, defaults, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as end:
        example.main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", text, re.MULTILINE)) == set(options)
    for default in defaults:
        assert f"(default: {default})" in text.replace("\\", "/")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epochs", "0"], "argument --epochs: expected a whole number from 1 on, got '0'"),
        (["--batch-size", "many"], "argument --batch-size: expected a whole number from 1 on, got 'many'"),
        (["--lr", "-1"], "argument --lr: expected a number above 0, got '-1'"),
        (["--lr", "nan"], "argument --lr: expected a number above 0, got 'nan'"),
        (["--seed", "-1"], "argument --seed: expected a whole number from 0 on, got '-1'"),
        (["--validation", "1"], "argument --validation: expected a number from 0 to below 1, got '1'"),
        (["--device", "tpu"], "argument --device: unknown device 'tpu'"),
        (["--device", "cuda:99"], "argument --device: device 'cuda"),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["digits"], "unrecognized arguments: digits"),
    ],
)
def test_a_bad_argument_is_answered_in_one_line(options, words, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        digits.main(["--out", str(tmp_path / "out"), *options])
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert f"error: {words}" in said.err
    assert said.err.endswith("(--help explains the options)\n")
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SystemExit) as end:
        digits.main(["--out", str(tmp_path / "file")])
    assert f"error: argument --out: cannot write into {str(tmp_path / 'file')!r}: " in end.value.code
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder that nobody can write into")
def test_an_output_folder_that_cannot_be_written_into(capsys):
    with pytest.raises(SystemExit) as end:
        digits.main(["--epochs", "1", "--out", "/proc"])
    assert "error: argument --out: cannot write into '/proc': " in end.value.code
    assert "\n" not in end.value.code
    assert capsys.readouterr().out == ""


def test_an_output_folder_is_left_as_it_was_found(tmp_path):
    common.prepare_folder(tmp_path / "new" / "folder")
    common.prepare_folder(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


@pytest.mark.parametrize(("module", "name"), [(tg, "save"), (plots, "save")], ids=["checkpoint", "pictures"])
def test_a_disk_that_is_full_at_the_end(module, name, tmp_path, capsys, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, name, fail)
    with pytest.raises(SystemExit) as end:
        digits.main(["--epochs", "1", "--out", str(tmp_path)])
    reason = os.strerror(errno.ENOSPC)
    assert end.value.code.endswith(f"error: argument --out: cannot write into {str(tmp_path)!r}: {reason}")
    said = capsys.readouterr().out
    assert "of 450 images recognised" in said
    assert (f"wrote {tmp_path / 'checkpoint.npz'}" in said) == (module is plots)


@pytest.mark.parametrize("missing", [["tqdm"], ["tqdm", "matplotlib"]])
def test_what_is_not_installed_is_named(missing, tmp_path, capsys, monkeypatch):
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit) as end:
        digits.main(["--out", str(tmp_path)])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert f"{' and '.join(missing)} not installed" in said
    assert 'pip install -e ".[examples]"' in said


def test_without_plots_matplotlib_is_not_needed(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] in ("matplotlib", "plots")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert digits.main(["--epochs", "1", "--no-plots", "--out", str(tmp_path)]) == 0


def results(predicted, labels, sure=0.9):
    probabilities = np.full((len(labels), 10), (1 - sure) / 9, np.float32)
    probabilities[np.arange(len(labels)), predicted] = sure
    return evaluation.Results(probabilities, np.array(labels))


def test_the_figures_of_the_table():
    # Of three ones, one is taken for a seven; of one two, none is.
    seen = results([1, 1, 7, 7, 7], [1, 1, 1, 7, 2])
    assert (seen.correct, seen.accuracy) == (3, 0.6)
    assert seen.loss == pytest.approx(-(3 * np.log(0.9) + 2 * np.log(0.1 / 9)) / 5)
    counts = seen.confusion()
    assert counts.sum() == 5
    assert counts[1].tolist() == [0, 2, 0, 0, 0, 0, 0, 1, 0, 0]
    lines = seen.table().splitlines()
    assert lines[3].split() == ["1", "100.00%", "66.67%", "80.00%", "3"]
    assert lines[4].split() == ["2", "0.00%", "0.00%", "0.00%", "1"]
    assert lines[9].split() == ["7", "33.33%", "100.00%", "50.00%", "1"]
    assert lines[-1] == "accuracy 60.00%: 3 of 5 images recognised"


def test_evaluation_leaves_the_network_as_it_was():
    model = digits.make_model()
    images = tg.rand(7, 1, 8, 8)
    before = {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}
    seen = evaluation.evaluate(model, TensorDataset(images, np.arange(7)), batch_size=3)
    assert seen.probabilities.shape == (7, 10)
    assert seen.probabilities.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-5)
    assert seen.labels.tolist() == list(range(7))
    assert model.training
    assert all(np.array_equal(before[name], tensor.numpy()) for name, tensor in model.state_dict().items())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_there_is_a_bar(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    progress = Progress(argparse.Namespace(epochs=2, validation=0.0))
    loader = DataLoader(TensorDataset(np.zeros((10, 3), np.float32), np.zeros(10, np.int64)), batch_size=4)
    with progress:
        for _ in progress.epochs():
            for values, labels in progress.batches(loader):
                progress.count(tg.tensor(0.5), values, labels)
            progress.finish_epoch(results([1] * 4, [1, 1, 1, 2]))
    *lines, rest = [line.split("\r") for line in screen.getvalue().split("\n")]
    assert rest == [""]
    for number, (*bars, last) in enumerate(lines, 1):
        assert bars[1].startswith(f"epoch {number}/2 ")
        assert "  0 %" in bars[1]
        assert bars[-1].strip() == ""
        pattern = rf"epoch {number}/2: loss 0.5000, accuracy 100.00%, test 75.00%, [\d,]+ images/s"
        assert re.fullmatch(pattern, last)
    assert progress.completed == 2
    assert [epoch.images for epoch in progress.history] == [10, 10]
    assert progress.history[0].train_loss == 0.5
    assert progress.summary().startswith("2 epochs in ")
    del progress.history[1]
    assert progress.summary().startswith("1 epoch in ")


def test_a_checkpoint_that_is_not_as_good_is_noticed(tmp_path):
    model = digits.make_model()
    optimizer = tg.optim.SGD(model.named_parameters(), lr=0.1)
    args = argparse.Namespace(epochs=1)
    report.save_checkpoint(tmp_path / "checkpoint.npz", model, optimizer, 1, 0.5, args)
    dataset = TensorDataset(np.zeros((1, 1, 8, 8), np.float32), np.zeros(1, np.int64))
    with pytest.raises(SystemExit, match="loaded back, the network recognises"):
        report.verify_checkpoint(tmp_path / "checkpoint.npz", digits.make_model(), dataset)


def test_ctrl_c_elsewhere_ends_the_program_with_a_line(capsys):
    def main():
        raise KeyboardInterrupt

    assert common.end_on_interrupt(main) == 130
    assert capsys.readouterr().err == "Stopped by Ctrl-C.\n"
