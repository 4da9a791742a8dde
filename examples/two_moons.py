"""Separates two moons that no straight line can separate, and draws where the networks see the boundary.

The same training, twice: of softmax regression, whose boundary is a straight line, and of a multilayer perceptron with
two hidden layers, whose boundary bends.
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

NOISE = 0.15


def make_moons(count: int) -> tuple[tg.Tensor, tg.Tensor]:
    """Points (N, 2) on two half circles that reach into each other, with normal noise; and which of the two, (N,)."""
    labels = tg.arange(count) % 2
    angle = tg.pi * tg.rand(count)
    upper = tg.stack([tg.cos(angle), tg.sin(angle)], axis=1)
    lower = tg.stack([1 - tg.cos(angle), 0.5 - tg.sin(angle)], axis=1)
    return tg.where(labels[:, None] == 0, upper, lower) + NOISE * tg.randn(count, 2), labels


def make_line() -> nn.Sequential:
    """Softmax regression."""
    return nn.Sequential(nn.Linear(2, 2))


def make_mlp() -> nn.Sequential:
    """A multilayer perceptron."""
    return nn.Sequential(
        nn.Linear(2, 32),
        nn.ReLU(),
        nn.Linear(32, 32),
        nn.ReLU(),
        nn.Linear(32, 2),  # -> (N, 2): a score for each moon
    )


def train(model: nn.Module, train_set: TensorDataset, args: argparse.Namespace) -> None:
    """Trains a network to tell the moons apart."""
    loader = DataLoader(train_set, batch_size=50, shuffle=True)
    optimizer = Adam(model.parameters(), lr=5e-3)
    for epoch in range(1, args.epochs + 1):
        for points, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(points), labels)
            loss.backward()
            optimizer.step()
        if epoch % 20 == 0:
            print(f"epoch {epoch:3}: loss {loss.item():.4f}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "two_moons", epochs=80)
    train_set, test_set = (
        TensorDataset(*(values.to(args.device) for values in make_moons(count))) for count in (400, 1000)
    )
    models, accuracies = {"softmax regression": make_line(), "multilayer perceptron": make_mlp()}, {}
    for name, model in models.items():
        print(name)
        train(model.to(args.device), train_set, args)
        accuracies[name] = evaluate(model, test_set).accuracy
    found = {f"test accuracy of the {name}, %": 100 * accuracy for name, accuracy in accuracies.items()}
    return common.finish(args, found, boundary=partial(draw, models, accuracies, train_set))


@tg.no_grad()
def draw(models: dict[str, nn.Module], accuracies: dict[str, float], train_set: TensorDataset, file: Path) -> None:
    """Draws how sure each network is of the second moon at every place, and the points that it learned from."""
    import plots

    points, labels = (values.numpy() for values in train_set.tensors)
    across, up = np.meshgrid(np.linspace(-1.7, 2.7, 221), np.linspace(-1.2, 1.7, 146))
    places = np.stack([across.ravel(), up.ravel()], axis=1).astype(np.float32)
    places = tg.tensor(places, device=train_set.tensors[0].device)
    figure = plots.new_figure(11, 4.0, "Two moons: a line cannot separate them")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (name, model) in zip(panels, models.items(), strict=True):
        sure = F.softmax(model(places), dim=1)[:, 1].numpy().reshape(across.shape)
        shown = axes.contourf(across, up, sure, levels=np.linspace(0, 1, 21), cmap=plots.SIDES, alpha=0.6)
        axes.contour(across, up, sure, levels=[0.5], colors="black", linewidths=1.8)
        for moon, (color, marker) in enumerate(((plots.ORANGE, "o"), (plots.BLUE, "^"))):
            axes.scatter(*points[labels == moon].T, s=16, marker=marker, color=color, edgecolor="white", linewidth=0.4)
        axes.set(title=f"{name}: {accuracies[name]:.1%} of the test points", aspect="equal")
        plots.bare(axes)
    figure.colorbar(shown, ax=panels, ticks=[0, 0.5, 1], shrink=0.8).set_label("probability of the lower moon")
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
