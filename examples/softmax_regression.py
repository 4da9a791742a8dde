"""Softmax regression on the bundled digits: one weight for each pixel and digit, and the weights can be looked at.

The score of a digit is the sum of the pixels, each times its weight; softmax makes probabilities of the ten scores:
Y = softmax(W x + b). Where ink speaks for a digit its weight is positive, and negative where it speaks against it.
"""

from __future__ import annotations

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
from tensorgrad.optim import SGD


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "softmax_regression", epochs=60)
    train_set, test_set = (
        TensorDataset(*(tg.tensor(array, device=args.device) for array in load_digits(split, flatten=True)))
        for split in ("train", "test")
    )
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    model = nn.Linear(64, 10).to(args.device)  # (N, 64) pixels -> (N, 10) scores
    optimizer = SGD(model.parameters(), lr=0.2)

    for epoch in range(1, args.epochs + 1):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)  # of softmax and logarithm, in one
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch}: loss {loss.item():.4f}, test accuracy {evaluate(model, test_set).accuracy:.2%}")

    results = evaluate(model, test_set)
    images, labels = load_digits("test")
    found = {
        "test accuracy, %": 100 * results.accuracy,
        "the ten probabilities add up to 1, but for": float(np.abs(results.probabilities.sum(axis=1) - 1).max()),
        "weights": float(model.weight.size),
    }
    weights = model.weight.detach().numpy().reshape(10, 8, 8)
    return common.finish(args, found, weights=partial(draw, weights, images[:, 0], labels, results))


def draw(weights: np.ndarray, images: np.ndarray, labels: np.ndarray, results: Results, file: Path) -> None:
    """Draws for each digit its mean image, its weights, and what it makes of one and the same image."""
    import plots

    chosen = int(np.flatnonzero((labels == 3) & (results.predicted == 3))[0])
    image, probabilities = images[chosen], results.probabilities[chosen]
    figure = plots.new_figure(12.5, 4.9, f"Softmax regression: {results.accuracy:.1%} of the test images recognised")
    grid = figure.subplots(3, 11, width_ratios=[1] * 10 + [0.12])
    reach = np.abs(weights).max()
    evidence = weights * image
    strongest = np.abs(evidence).max()
    for digit in range(10):
        mean, weight, seen = grid[:, digit]
        mean.imshow(images[labels == digit].mean(axis=0), cmap="gray_r", vmin=0, vmax=1)
        mean.set_title(f"{digit}", size=12)
        of_weights = weight.imshow(weights[digit], cmap="PuOr_r", vmin=-reach, vmax=reach)
        of_evidence = seen.imshow(evidence[digit], cmap="PuOr_r", vmin=-strongest, vmax=strongest)
        seen.set_xlabel(f"sum {evidence[digit].sum():.1f}\n{probabilities[digit]:.0%}", size=9)
        for axes in (mean, weight, seen):
            plots.bare(axes)
    grid[0, 10].set_axis_off()
    figure.colorbar(of_weights, cax=grid[1, 10])
    figure.colorbar(of_evidence, cax=grid[2, 10])
    for axes, text in zip(grid[:, 0], ("mean image", "weights", "weights x\nan image of a 3"), strict=True):
        axes.set_ylabel(text, size=10)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
