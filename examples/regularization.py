"""Dropout and augmentation compared: the same network, on 100 digits only, without either, with each, and with both.

So few images the network soon knows by heart. Dropout makes that harder: at each step half of the activations are
missing, and none can rely on another. Augmentation shows every image at nine places, a pixel this way or that.
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
from tensorgrad.data.transforms import RandomShift
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR

PER_DIGIT = 10
WAYS = {
    "neither": {"dropout": 0.0, "augment": False},
    "dropout": {"dropout": 0.5, "augment": False},
    "augmentation": {"dropout": 0.0, "augment": True},
    "both": {"dropout": 0.5, "augment": True},
}


def make_model(dropout: float) -> nn.Sequential:
    """A small convolutional network."""
    return nn.Sequential(
        nn.Conv2d(1, 8, kernel_size=3, padding=1),  # (N, 1, 8, 8) -> (N, 8, 8, 8)
        nn.ReLU(),
        nn.Conv2d(8, 16, kernel_size=3, padding=1),  # -> (N, 16, 8, 8)
        nn.ReLU(),
        nn.MaxPool2d(2),  # -> (N, 16, 4, 4)
        nn.Flatten(),  # -> (N, 256)
        nn.Dropout(dropout),
        nn.Linear(256, 10),
    )


AUGMENT = RandomShift(1 / 8, 1 / 8)


def few_of_each(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """So many images of each digit, drawn at random."""
    order = tg.randperm(len(labels)).numpy()
    chosen = np.concatenate([order[labels[order] == digit][:PER_DIGIT] for digit in range(10)])
    return images[chosen], labels[chosen]


def train(
    model: nn.Module, train_set: TensorDataset, test_set: TensorDataset, augment: bool, args: argparse.Namespace
) -> list[tuple[int, float, float]]:
    """Trains a network; returns, of every fourth epoch, its number, and the accuracies in training and in the test."""
    loader = DataLoader(train_set, batch_size=20, shuffle=True)
    optimizer = Adam(model.parameters(), lr=5e-3)
    schedule = CosineAnnealingLR(optimizer, T_max=args.epochs * len(loader))
    history = []
    for epoch in range(1, args.epochs + 1):
        model.train()
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(AUGMENT(images) if augment else images), labels)
            loss.backward()
            optimizer.step()
            schedule.step()
        if epoch % 4 == 0 or epoch == args.epochs:
            history.append((epoch, evaluate(model, train_set).accuracy, evaluate(model, test_set).accuracy))
    return history


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "regularization", epochs=160)
    train_set, test_set = (
        TensorDataset(*(tg.tensor(array, device=args.device) for array in arrays))
        for arrays in (few_of_each(*load_digits("train")), load_digits("test"))
    )
    histories = {}
    for name, way in WAYS.items():
        tg.manual_seed(args.seed)  # the same first weights for all
        model = make_model(way["dropout"]).to(args.device)
        histories[name] = train(model, train_set, test_set, way["augment"], args)
        _, of_train, of_test = histories[name][-1]
        print(f"{name:12}: accuracy {of_train:.2%} on the {len(train_set)} images, {of_test:.2%} on the test images")
    found = {f"test accuracy with {name}, %": 100 * history[-1][2] for name, history in histories.items()}
    return common.finish(args, found, learning_curves=partial(draw, histories, train_set))


def draw(histories: dict[str, list[tuple[int, float, float]]], train_set: TensorDataset, file: Path) -> None:
    """Draws how accuracy grows, and some augmented images."""
    import plots

    figure = plots.new_figure(13, 5.0, f"The same network on {len(train_set)} digits, with dropout and augmentation")
    left, right = figure.subfigures(1, 2, width_ratios=[4, 9])
    images, _ = train_set[:: 2 * PER_DIGIT]
    rows = [images, *(AUGMENT(images) for _ in range(4))]
    grid = left.subplots(5, 5)
    for row, batch in zip(grid, rows, strict=True):
        for axes, image in zip(row, batch.numpy()[:, 0], strict=True):
            axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
            plots.bare(axes)
    left.suptitle("Five images, and below them augmented", size=11)

    of_train, of_test = right.subplots(1, 2, sharey=True)
    styles = {
        "neither": (plots.GREY, ":"),
        "dropout": (plots.ORANGE, "--"),
        "augmentation": (plots.BLUE, "-"),
        "both": (plots.GREEN, "-."),
    }
    for name, history in histories.items():
        color, line = styles[name]
        epochs, train_accuracy, test_accuracy = np.array(history).T
        of_train.plot(epochs, 100 * train_accuracy, line, color=color, linewidth=2)
        label = f"{name}: {test_accuracy[-1]:.1%}"
        of_test.plot(epochs, 100 * test_accuracy, line, color=color, linewidth=2, label=label)
    of_train.set(title=f"On the {len(train_set)} digits", ylabel="right answers in %", ylim=(70, 101))
    of_test.set_title("On the test images")
    of_test.legend(loc="lower right", title="at the end")
    for axes in (of_train, of_test):
        plots.count_epochs(axes, int(epochs[-1]))
        plots.open_frame(axes)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
