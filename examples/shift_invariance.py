"""Measures how far an image may be shifted before it is misread: by a perceptron, and by two convolutional networks.

All learn from digits in the middle of the image, and are tested with digits that are shifted to the left or right. A
perceptron has a weight of its own for every pixel, and nothing that it has learned holds for the pixel beside it. A
convolution finds a stroke wherever it is, but a fully connected layer after it asks where; global pooling does not.
Even so, invariance has its limits: pooling in steps of two sees an image that is shifted by one pixel otherwise than
one shifted by two (Zhang, 2019), and what leaves the image is gone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np
from evaluation import evaluate

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset, load_digits
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR

SIDE = 20
"""Images are so many pixels high and wide; the digit in the middle takes 8."""
SHIFTS = range(-10, 11)


def place(images: np.ndarray, shift: int) -> np.ndarray:
    """Digits (N, 1, 8, 8) in the middle of larger images (N, 1, SIDE, SIDE), shifted to the right by so many pixels."""
    around = SIDE // 2 - 4
    room = np.pad(images, ((0, 0), (0, 0), (around, around), (SIDE, SIDE)))
    left = SIDE - around - shift
    return room[..., left : left + SIDE]


def make_mlp() -> nn.Sequential:
    """A multilayer perceptron."""
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 128), nn.ReLU(), nn.Linear(128, 10))


def make_features() -> list[nn.Module]:
    """The convolutional layers of both convolutional networks."""
    return [
        nn.Conv2d(1, 8, kernel_size=3, padding=1),  # (N, 1, 20, 20) -> (N, 8, 20, 20)
        nn.ReLU(),
        nn.MaxPool2d(2),  # -> (N, 8, 10, 10)
        nn.Conv2d(8, 16, kernel_size=3, padding=1),  # -> (N, 16, 10, 10)
        nn.ReLU(),
        nn.Conv2d(16, 32, kernel_size=3, padding=1),  # -> (N, 32, 10, 10)
        nn.ReLU(),
    ]


def make_cnn() -> nn.Sequential:
    """After the convolutions a fully connected layer, with a weight for each place."""
    return nn.Sequential(
        *make_features(),
        nn.MaxPool2d(2),  # -> (N, 32, 5, 5)
        nn.Flatten(),  # -> (N, 800)
        nn.Linear(800, 10),
    )


def make_global() -> nn.Sequential:
    """After the convolutions global pooling: what counts is how strong a feature is anywhere."""
    return nn.Sequential(
        *make_features(),
        nn.GlobalMaxPool2d(),  # -> (N, 32, 1, 1)
        nn.Flatten(),  # -> (N, 32)
        nn.Linear(32, 10),
    )


MODELS = {
    "perceptron": make_mlp,
    "convolutions, then fully connected": make_cnn,
    "convolutions, then global pooling": make_global,
}


def train(model: nn.Module, train_set: TensorDataset, args: argparse.Namespace) -> None:
    """Trains a network on digits in the middle."""
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = Adam(model.parameters(), lr=5e-3)
    schedule = CosineAnnealingLR(optimizer, T_max=args.epochs * len(loader))
    for _ in range(args.epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            schedule.step()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "shift_invariance", epochs=15)

    def shifted(split: str, shift: int) -> TensorDataset:
        images, labels = load_digits(split)
        return TensorDataset(*(tg.tensor(array, device=args.device) for array in (place(images, shift), labels)))

    train_set, test_sets = shifted("train", 0), {shift: shifted("test", shift) for shift in SHIFTS}
    accuracies, found = {}, {}
    for name, make in MODELS.items():
        model = make().to(args.device)
        train(model, train_set, args)
        accuracies[name] = {shift: 100 * evaluate(model, test_set).accuracy for shift, test_set in test_sets.items()}
        for shift in (0, 1, 2, 4, 6, 9):
            print(f"{name}, shifted by {shift}: {accuracies[name][shift]:.1f} % right")
            found[f"{name}: test accuracy, shifted by {shift}, %"] = accuracies[name][shift]
    return common.finish(args, found, shifts=partial(draw, accuracies))


def draw(accuracies: dict[str, dict[int, float]], file: Path) -> None:
    """Draws accuracy by shift, with a shifted digit below."""
    import plots

    figure = plots.new_figure(11, 6.2, "Trained on digits in the middle, tested on shifted ones")
    above, below = figure.subfigures(2, 1, height_ratios=[5, 1.1])
    axes = above.subplots()
    styles = zip(accuracies.items(), ((plots.ORANGE, "s"), (plots.BLUE, "^"), (plots.GREEN, "o")), strict=True)
    for (name, by_shift), (color, marker) in styles:
        axes.plot(by_shift.keys(), by_shift.values(), color=color, marker=marker, label=name)
    axes.axvspan(-10.5, -6.5, color="#EEEEEE")
    axes.axvspan(6.5, 10.5, color="#EEEEEE", label="the digit leaves the image")
    axes.axhline(10, color=plots.GREY, linestyle=":", linewidth=1)
    axes.text(0, 11, "guessing", color=plots.GREY, size=9, ha="center")
    axes.set(xlim=(-10.5, 10.5), ylim=(0, 101), xticks=SHIFTS)
    axes.set(xlabel="shift to the right, in pixels", ylabel="right answers in %")
    plots.open_frame(axes)
    above.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=9)
    images, _ = load_digits("test")
    chosen = range(-10, 11, 2)
    for small, shift in zip(below.subplots(1, len(chosen)), chosen, strict=True):
        small.imshow(place(images[:1], shift)[0, 0], cmap="gray_r", vmin=0, vmax=1)
        small.set_title(f"{shift}", size=9, pad=2)
        plots.bare(small)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
