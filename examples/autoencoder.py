"""An autoencoder on the bundled digits: 64 pixels through two numbers, and back to 64 pixels.

The network has to give its input back, but in its middle there are no more than two numbers: the code. It is never told
which digit an image shows; yet the codes of one digit come to lie together, because that is how they tell most. Two
straight directions in its place (principal component analysis) tell far less.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, load_digits
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR


def make_encoder() -> nn.Sequential:
    """From an image to its code."""
    return nn.Sequential(
        nn.Linear(64, 128),
        nn.Tanh(),
        nn.Linear(128, 64),
        nn.Tanh(),
        nn.Linear(64, 2),
        nn.Tanh(),  # so that all codes lie in a square
    )


def make_decoder() -> nn.Sequential:
    """From a code back to an image: the encoder in the mirror. The sigmoid keeps pixels between 0 and 1."""
    return nn.Sequential(
        nn.Linear(2, 64),
        nn.Tanh(),
        nn.Linear(64, 128),
        nn.Tanh(),
        nn.Linear(128, 64),
        nn.Sigmoid(),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "autoencoder", epochs=120)
    images, _ = load_digits("train", flatten=True)
    test_images, test_labels = load_digits("test", flatten=True)
    loader = DataLoader(tg.tensor(images, device=args.device), batch_size=32, shuffle=True)
    autoencoder = nn.Sequential(make_encoder(), make_decoder()).to(args.device)
    optimizer = Adam(autoencoder.parameters(), lr=3e-3)
    schedule = CosineAnnealingLR(optimizer, T_max=args.epochs * len(loader))

    for epoch in range(1, args.epochs + 1):
        for batch in loader:
            optimizer.zero_grad()
            loss = F.mse_loss(autoencoder(batch), batch)  # the target is the input
            loss.backward()
            optimizer.step()
            schedule.step()
        if epoch % 20 == 0:
            print(f"epoch {epoch:3}: mean squared error {loss.item():.4f}")

    encoder, decoder = autoencoder
    with tg.no_grad():
        codes = encoder(tg.tensor(test_images, device=args.device))
        restored = decoder(codes).numpy()
    by_lines, line_codes = principal_components(images, test_images)
    codes = codes.numpy()
    found = {
        "mean squared error with every image taken for the mean": error(images.mean(axis=0), test_images),
        "mean squared error with two principal components": error(by_lines, test_images),
        "mean squared error of the autoencoder": error(restored, test_images),
        "nearest other code is of the same digit, by components, %": 100 * neighbours_agree(line_codes, test_labels),
        "nearest other code is of the same digit, by the autoencoder, %": 100 * neighbours_agree(codes, test_labels),
    }
    return common.finish(
        args,
        found,
        reconstructions=partial(draw_reconstructions, test_images, test_labels, restored, by_lines),
        code=partial(draw_code, codes, test_labels, decoder),
    )


def principal_components(images: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Other images, restored from their codes along the two directions in which images differ most; and the codes."""
    mean = images.mean(axis=0)
    directions = np.linalg.svd(images - mean, full_matrices=False)[2][:2]
    codes = (others - mean) @ directions.T
    return codes @ directions + mean, codes


def error(restored: np.ndarray, images: np.ndarray) -> float:
    """The mean squared error."""
    return float(((restored - images) ** 2).mean())


def neighbours_agree(codes: np.ndarray, labels: np.ndarray) -> float:
    """For which part of the images the one with the nearest code shows the same digit."""
    distances = ((codes[:, None] - codes) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((labels[distances.argmin(axis=1)] == labels).mean())


def draw_reconstructions(
    images: np.ndarray, labels: np.ndarray, restored: np.ndarray, by_lines: np.ndarray, file: Path
) -> None:
    """Draws two images of each digit, and what comes back of them."""
    import plots

    figure = plots.new_figure(13, 2.5, "What two numbers can tell of an image")
    chosen = [index for digit in range(10) for index in np.flatnonzero(labels == digit)[:2]]
    grid = figure.subplots(3, len(chosen))
    rows = {"the image": images, "autoencoder": restored, "two principal\ncomponents": by_lines}
    for row, (name, what) in zip(grid, rows.items(), strict=True):
        for axes, index in zip(row, chosen, strict=True):
            axes.imshow(what[index].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            plots.bare(axes)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    plots.save(figure, file)


@tg.no_grad()
def draw_code(codes: np.ndarray, labels: np.ndarray, decoder: nn.Module, file: Path) -> None:
    """Draws where the digits lie in the plane of codes, and the images that the decoder paints there."""
    import plots

    figure = plots.new_figure(13, 6.4, "The code: two numbers for every image")
    places, painted = figure.subplots(1, 2)
    for digit, color in enumerate(plots.TEN):
        for x, y in codes[labels == digit]:
            places.text(x, y, f"{digit}", color=color, size=9, weight="bold", ha="center", va="center", clip_on=True)
    places.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xlabel="first number", ylabel="second number")
    places.set_title("Where the test images lie; the network was not told which digit they show", size=11)
    plots.open_frame(places)

    side = 16
    first, second = np.meshgrid(np.linspace(-1, 1, side), np.linspace(1, -1, side))
    grid = np.stack([first.ravel(), second.ravel()], axis=1).astype(np.float32)
    tiles = decoder(tg.tensor(grid, device=decoder[0].weight.device)).numpy().reshape(side, side, 8, 8)
    tiles = np.pad(tiles, ((0, 0), (0, 0), (1, 1), (1, 1))).transpose(0, 2, 1, 3).reshape(10 * side, 10 * side)
    painted.imshow(tiles, cmap="gray_r", vmin=0, vmax=1, extent=(-1.05, 1.05, -1.05, 1.05), aspect="auto")
    painted.set(xlabel="first number", ylabel="second number")
    painted.set_title("What the decoder paints at each place", size=11)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
