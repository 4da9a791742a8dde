"""``examples/digits.py``: at a small size in this process, and once as a user runs it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading

import digits
import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import load_digits
from tests.examples.conftest import EXAMPLES

PICTURES = ["confusion_matrix.png", "filters.png", "learning_curves.png", "mistakes.png"]


def run(folder, *options):
    return digits.main(["--epochs", "1", "--no-plots", "--out", str(folder), *options])


def printed_accuracy(text):
    return float(re.search(r"^accuracy ([\d.]+)%", text, re.MULTILINE)[1]) / 100


def test_what_it_leaves_behind(tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert digits.main(["--epochs", "2", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint.npz", *PICTURES]
    for name in PICTURES:
        data = (out / name).read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert len(data) > 10_000
        assert f"wrote {out / name}" in said.out

    assert "29,258 parameters" in said.out
    rows = re.findall(r"^ +(\d) +([\d.]+)% +([\d.]+)% +([\d.]+)% +(\d+)$", said.out, re.MULTILINE)
    assert [row[0] for row in rows] == list("0123456789")
    assert [row[4] for row in rows] == ["45"] * 10
    assert "The checkpoint was loaded back, and gives the same accuracy." in said.out
    lines = said.err.splitlines()
    assert [line[:10] for line in lines] == ["epoch 1/2:", "epoch 2/2:"]
    for line in lines:
        assert re.search(r": loss [\d.]+, accuracy +[\d.]+%, test +[\d.]+%, [\d,]+ images/s$", line)

    saved = tg.load(out / "checkpoint.npz")
    model = digits.make_model()
    model.load_state_dict(saved["model"])
    optimizer = digits.AdamW(model.named_parameters())
    optimizer.load_state_dict(saved["optimizer"])
    assert {state["step"] for state in optimizer.state.values()} == {2 * 22}
    assert saved["epoch"] == 2
    assert saved["arguments"]["out"] == str(out)
    assert saved["arguments"]["lr"] == 2e-3
    images, labels = load_digits("test")
    with tg.no_grad():
        predicted = model.eval()(tg.tensor(images)).numpy().argmax(axis=1)
    assert saved["accuracy"] == (predicted == labels).mean() > 0.5
    assert printed_accuracy(said.out) == pytest.approx(saved["accuracy"], abs=1e-4)


def test_a_second_run_overwrites_the_first(tmp_path):
    for seed in "12":
        assert run(tmp_path, "--seed", seed) == 0
        assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]
        assert tg.load(tmp_path / "checkpoint.npz")["arguments"]["seed"] == int(seed)


def test_the_seed_decides_everything(tmp_path):
    saved = []
    for folder, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        # Whoever used the default generator before, it makes no difference.
        tg.randn(3)
        run(tmp_path / folder, "--seed", seed)
        saved.append(tg.load(tmp_path / folder / "checkpoint.npz"))
    first, same, other = (content["model"] for content in saved)
    assert saved[0]["accuracy"] == saved[1]["accuracy"]
    assert all(np.array_equal(first[name].numpy(), same[name].numpy()) for name in first)
    assert not any(np.array_equal(first[name].numpy(), other[name].numpy()) for name in first if "weight" in name)


def test_another_array_library_computes_the_same(tmp_path):
    results = []
    for device in ("cpu", "strict"):
        run(tmp_path / device, "--device", device)
        results.append(tg.load(tmp_path / device / "checkpoint.npz"))
    assert results[0]["accuracy"] == pytest.approx(results[1]["accuracy"], abs=0.02)


def test_validation_leaves_the_test_images_alone(tmp_path, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(digits, "load_digits", lambda split: asked.append(split) or load_digits(split))
    run(tmp_path, "--validation", "0.2")
    said = capsys.readouterr()
    assert asked == ["train"]
    assert re.search(r", validation +[\d.]+%, ", said.err)
    assert "of 269 images recognised" in said.out


def test_ctrl_c_ends_the_training_and_not_the_program(tmp_path, capsys, monkeypatch):
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread alone")
    before = signal.getsignal(signal.SIGINT)
    calls = []

    def shift(images):
        calls.append(len(images))
        if len(calls) == 22 + 3:
            signal.raise_signal(signal.SIGINT)
        return images

    monkeypatch.setattr(digits, "shift", shift)
    assert digits.main(["--epochs", "9", "--out", str(tmp_path)]) == 130
    assert len(calls) == 22 + 3
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr().out
    assert "Stopped by Ctrl-C in epoch 2 of 9." in said
    assert "of 450 images recognised" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", *PICTURES]
    assert tg.load(tmp_path / "checkpoint.npz")["epoch"] == 1


@pytest.mark.parametrize("place", [(0, 0), (3, 5), (7, 7)])
def test_shift_moves_every_image_by_itself(place):
    images = np.zeros((4000, 1, 8, 8), np.float32)
    images[:, 0, place[0], place[1]] = np.arange(1, 4001)
    shifted = digits.shift(tg.tensor(images)).numpy()
    assert (shifted.shape, shifted.dtype) == (images.shape, np.float32)
    number, _, row, column = np.nonzero(shifted)
    assert np.array_equal(shifted[number, 0, row, column], number + 1)
    down, right = row - place[0], column - place[1]
    for move in (down, right):
        assert set(move) <= {-1, 0, 1}
        if place == (3, 5):
            assert len(move) == 4000
            assert np.bincount(move + 1) / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.1


def test_the_readme_shows_how_to_use_the_network(tmp_path):
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    code = re.search(r"```python\n(.*?)```", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    for command in (["examples/digits.py", "--epochs", "5", "--no-plots"], ["-c", code]):
        result = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Tensor([")


def on_a_terminal(columns, *command, **options):
    """What a program writes to a terminal of that many columns."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    # The bar is drawn after every batch, however fast the machine.
    environment["TQDM_MININTERVAL"] = "0"
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment, **options)
    os.close(its)
    written = b""
    # Once the program has ended, Linux answers with an error, other systems with nothing.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 1 << 16):
            written += piece
    os.close(ours)
    assert process.wait() == 0
    return written.decode("utf-8").replace("\r\n", "\n")


@pytest.mark.parametrize("options", [["--epochs", "2"], ["--epochs", "10", "--validation", "0.2"]])
def test_all_figures_are_seen_on_80_columns(options, tmp_path):
    screen = on_a_terminal(80, sys.executable, str(EXAMPLES / "digits.py"), "--no-plots", *options, cwd=tmp_path)
    shown = [text for text in re.split(r"[\r\n]", screen) if text.startswith("epoch ")]
    assert max(map(len, shown)) <= 80
    running = [text for text in shown if " %" in text and "loss" in text]
    assert running
    for text in running:
        assert re.search(r" %, loss [\d.]+, accuracy +[\d.]+%, [\d,]+ images/s *$", text)
    name = "validation" if "--validation" in options else "test"
    finished = [text for text in shown if "%" in text and " %" not in text]
    assert len(finished) == int(options[1])
    for text in finished:
        pattern = rf"epoch +\d+/\d+: loss [\d.]+, accuracy +[\d.]+%, {name} +[\d.]+%, [\d,]+ images/s"
        assert re.fullmatch(pattern, text)


def test_in_full_size_it_reads_at_least_98_5_percent(tmp_path):
    command = [sys.executable, str(EXAMPLES / "digits.py"), "--no-plots"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert printed_accuracy(result.stdout) >= 0.985
    assert (tmp_path / "runs" / "digits" / "checkpoint.npz").is_file()
    assert len(result.stderr.splitlines()) == 30
