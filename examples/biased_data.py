"""A data set with a bias: the network learns the background instead of the object, and no like images tell.

The digits are painted on coloured backgrounds. In the biased images nearly every 0 is on one colour, every 1 on
another, and so on; and colours are easier to learn than digits. As long as it is tested with images of the same kind,
the network looks excellent. Shown any digit on any colour, it often names the digit that the colour belonged to. The
remedy is in the data: images in which the colour says nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np
from evaluation import Results, evaluate

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset, load_digits
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam

COLORS = [
    [0.85, 0.37, 0.01],
    [0.00, 0.45, 0.70],
    [0.00, 0.62, 0.45],
    [0.80, 0.47, 0.65],
    [0.94, 0.89, 0.26],
    [0.34, 0.71, 0.91],
    [0.90, 0.62, 0.00],
    [0.55, 0.55, 0.55],
    [0.75, 0.20, 0.25],
    [0.55, 0.40, 0.80],
]
"""The background, in red, green and blue, that belongs to each digit."""
BIAS = 0.98
"""Which part of the biased images are on the colour of their digit; the others are on any."""


def paint(images: np.ndarray, labels: np.ndarray, bias: float) -> tuple[np.ndarray, np.ndarray]:
    """Puts digits on coloured backgrounds.

    Args:
        images: shape (N, 1, 8, 8), from 0 (background) to 1 (ink).
        labels: the digits, shape (N,).
        bias: which part is on the colour of the digit; the others are on that of any digit.

    Returns:
        Images in red, green and blue, shape (N, 3, 8, 8): ink is black; and of which digit the colour is, shape (N,).
    """
    count = len(labels)
    any_digit = tg.randint(0, 10, (count,)).numpy()
    owners = np.where(tg.rand(count).numpy() < bias, labels, any_digit)
    backgrounds = np.array(COLORS, dtype=np.float32)[owners]
    return (1 - images) * backgrounds[:, :, None, None], owners


def make_model() -> nn.Sequential:
    """A small convolutional network."""
    return nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=3, padding=1),  # (N, 3, 8, 8) -> (N, 16, 8, 8)
        nn.ReLU(),
        nn.Conv2d(16, 32, kernel_size=3, padding=1),  # -> (N, 32, 8, 8)
        nn.ReLU(),
        nn.MaxPool2d(2),  # -> (N, 32, 4, 4)
        nn.Flatten(),  # -> (N, 512)
        nn.Linear(512, 10),
    )


def train(model: nn.Module, train_set: TensorDataset, args: argparse.Namespace) -> None:
    """Trains a network to read the digits."""
    loader = DataLoader(train_set, batch_size=64, shuffle=True)
    optimizer = Adam(model.parameters(), lr=3e-3)
    for _ in range(args.epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "biased_data", epochs=20)

    def painted(split: str, bias: float) -> tuple[TensorDataset, np.ndarray]:
        images, labels = load_digits(split)
        images, owners = paint(images, labels, bias)
        return TensorDataset(*(tg.tensor(array, device=args.device) for array in (images, labels))), owners

    biased, _ = painted("test", BIAS)
    fair, owners = painted("test", 0.0)
    found, answers = {}, {}
    for name, bias in (("biased", BIAS), ("fair", 0.0)):
        model = make_model().to(args.device)
        train(model, painted("train", bias)[0], args)
        answers[name] = evaluate(model, fair)
        found[f"trained on {name} images: accuracy on biased test images, %"] = 100 * evaluate(model, biased).accuracy
        found[f"trained on {name} images: accuracy on fair test images, %"] = 100 * answers[name].accuracy
    wrong = answers["biased"].predicted != fair.tensors[1].numpy()
    by_color = wrong & (answers["biased"].predicted == owners)
    share = float(by_color.sum() / max(wrong.sum(), 1))
    found["trained on biased images: mistakes that name the digit of the colour, %"] = 100 * share
    return common.finish(args, found, backgrounds=partial(draw, biased, fair, answers, list(found.values())))


def draw(
    biased: TensorDataset, fair: TensorDataset, answers: dict[str, Results], accuracies: list[float], file: Path
) -> None:
    """Draws images of both kinds, what the networks answer to the fair ones, and how often they are right."""
    import plots

    figure = plots.new_figure(14, 3.9, "A network that learned the background")
    left, right = figure.subfigures(1, 2, width_ratios=[10, 4])
    above, below = left.subfigures(2, 1, height_ratios=[1.55, 2])
    (images, labels), (fair_images, _) = ([values.numpy() for values in kind.tensors] for kind in (biased, fair))
    shown = [int(np.flatnonzero(labels == digit)[0]) for digit in range(10)]
    above.suptitle("Biased images: each digit on its own colour", size=11)
    below.suptitle("Fair images: any digit on any colour, and what the networks read", size=11)
    for panels, kind in ((above.subplots(1, 10), images), (below.subplots(1, 10), fair_images)):
        for axes, index in zip(panels, shown, strict=True):
            axes.imshow(kind[index].transpose(1, 2, 0))  # (3, H, W) -> (H, W, 3)
            plots.bare(axes)
            if kind is fair_images:
                said = {name: results.predicted[index] for name, results in answers.items()}
                is_right = said["biased"] == labels[index]
                axes.set_title(f"biased: {said['biased']}", size=10, color=plots.BLUE if is_right else plots.ORANGE)
                axes.set_xlabel(f"fair: {said['fair']}", size=10)

    axes = right.subplots()
    for place, (name, color) in enumerate((("biased", plots.ORANGE), ("fair", plots.BLUE))):
        heights = accuracies[2 * place : 2 * place + 2]
        bars = axes.bar(np.arange(2) + 0.4 * place, heights, width=0.36, color=color, label=f"trained on {name} images")
        axes.bar_label(bars, fmt="%.0f %%", size=10)
    axes.set(ylabel="right answers in %", ylim=(0, 132), yticks=range(0, 101, 20))
    axes.set_xticks([0.2, 1.2], ["biased test images", "fair test images"])
    axes.legend(loc="upper center", frameon=False)
    plots.open_frame(axes)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
