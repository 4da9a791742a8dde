"""Average against maximum pooling: a tiny object that the one loses and the other finds.

Each image is noise; half of them have an object in it, a small white square somewhere. Two networks that differ in
nothing but their pooling are to tell which. The average of a window is that of the object and of all the noise about
it: the smaller the object, the less is left of it. The maximum keeps it, however large the window.
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
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR

SIDE = 32
SIZES = (1, 2, 3, 4)
"""How many pixels high and wide the objects are."""
NOISE = 0.15
TRAIN, TEST = 1000, 500


def make_images(count: int, size: int) -> tuple[tg.Tensor, tg.Tensor]:
    """Noisy images (N, 1, 32, 32), and whether there is an object in them, (N,): a white square of that size."""
    labels = tg.randint(0, 2, (count,))
    top, left = tg.randint(0, SIDE - size + 1, (2, count, 1, 1))
    y, x = tg.arange(SIDE)[:, None], tg.arange(SIDE)
    is_object = (y >= top) & (y < top + size) & (x >= left) & (x < left + size) & (labels[:, None, None] == 1)
    images = tg.where(is_object, 1.0, 0.0) + NOISE * tg.randn(count, SIDE, SIDE)
    return images[:, None], labels


def make_model(pool: type[nn.Module]) -> nn.Sequential:
    """A small convolutional network that pools the whole image in the end, by the same kind of pooling everywhere."""
    return nn.Sequential(
        nn.Conv2d(1, 8, kernel_size=3, padding=1),  # (N, 1, 32, 32) -> (N, 8, 32, 32)
        nn.ReLU(),
        pool(4),  # -> (N, 8, 8, 8)
        nn.Conv2d(8, 8, kernel_size=3, padding=1),  # -> (N, 8, 8, 8)
        nn.ReLU(),
        pool(8),  # -> (N, 8, 1, 1)
        nn.Flatten(),
        nn.Linear(8, 2),
    )


POOLS = {"average": nn.AvgPool2d, "maximum": nn.MaxPool2d}


def train(model: nn.Module, train_set: TensorDataset, args: argparse.Namespace) -> None:
    """Trains a network to tell whether there is an object."""
    loader = DataLoader(train_set, batch_size=50, shuffle=True)
    optimizer = Adam(model.parameters(), lr=1e-2)
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
    args = common.start(argv, __doc__, "tiny_objects", epochs=10)
    accuracies = {name: [] for name in POOLS}
    found = {}
    for size in SIZES:
        train_set, test_set = (
            TensorDataset(*(values.to(args.device) for values in make_images(count, size))) for count in (TRAIN, TEST)
        )
        for name, pool in POOLS.items():
            tg.manual_seed(args.seed)
            model = make_model(pool).to(args.device)
            train(model, train_set, args)
            accuracies[name].append(100 * evaluate(model, test_set).accuracy)
            print(f"objects of {size}x{size} pixels, {name} pooling: {accuracies[name][-1]:.1f} % right", flush=True)
            found[f"{name} pooling, objects of {size}x{size} pixels: test accuracy, %"] = accuracies[name][-1]
    return common.finish(args, found, pooling=partial(draw, accuracies))


def draw(accuracies: dict[str, list[float]], file: Path) -> None:
    """Draws an image with an object and one without, both of them pooled; and accuracy by the size of the object."""
    import plots

    figure = plots.new_figure(13, 5.4, "Average pooling loses a tiny object, maximum pooling finds it")
    left, right = figure.subfigures(1, 2, width_ratios=[8, 5])
    shown = {"the image": nn.Identity(), "average of 4x4": nn.AvgPool2d(4), "maximum of 4x4": nn.MaxPool2d(4)}
    images, labels = make_images(20, 1)
    for row, is_object in zip(left.subplots(2, 3), (1, 0), strict=True):
        image = images[int(labels.numpy().argmax() if is_object else labels.numpy().argmin())]
        for axes, (name, pool) in zip(row, shown.items(), strict=True):
            pooled = pool(image)[0].numpy()
            axes.imshow(pooled, cmap="gray", vmin=-0.3, vmax=1.2)
            axes.set_title(name, size=11)
            plots.bare(axes)
            if is_object:
                place = np.array(divmod(int(image.argmax()), SIDE)) * len(pooled) // SIDE
                axes.plot(*place[::-1], "o", color=plots.ORANGE, markersize=22, markerfacecolor="none", mew=2)
        row[0].set_ylabel("with an object of one pixel" if is_object else "without an object")

    axes = right.subplots()
    for name, color, marker in (("maximum", plots.BLUE, "o"), ("average", plots.ORANGE, "s")):
        axes.plot(SIZES, accuracies[name], color=color, marker=marker, linewidth=2, label=f"{name} pooling")
    axes.axhline(50, color=plots.GREY, linestyle=":", linewidth=1, label="guessing")
    axes.set(xlabel="height and width of the object, in pixels", ylabel="right answers in %", ylim=(40, 102))
    axes.set_title("Two trained networks", size=11)
    axes.set_xticks(SIZES)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.2), frameon=False)
    plots.open_frame(axes)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
