"""Trains a small convolutional network on the handwritten digits that come with tensorgrad.

1,347 images of 8x8 pixels to learn from, 450 others to test it with; nothing is downloaded. Shows progress and a table,
and writes pictures (learning curves, confusion matrix, filters, mistakes) and a checkpoint.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np
from evaluation import evaluate, load_splits
from progress import Progress
from report import report

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, load_digits
from tensorgrad.nn import functional as F
from tensorgrad.optim import AdamW
from tensorgrad.optim.lr_scheduler import CosineAnnealingLR


def make_model() -> nn.Sequential:
    """The network: convolutions look for strokes, a fully connected layer tells by them which digit it is."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3, padding=1),  # (N, 1, 8, 8) -> (N, 32, 8, 8)
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, kernel_size=3, padding=1),  # -> (N, 64, 8, 8)
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),  # -> (N, 64, 4, 4)
        nn.Dropout(0.5),
        nn.Flatten(),  # -> (N, 1024)
        nn.Linear(1024, 10),  # -> (N, 10): a score for each digit
    )


def shift(images: tg.Tensor) -> tg.Tensor:
    """Moves every image by up to one pixel up or down and left or right, half of them not at all in each direction.

    So the network sees each image in nine places, and learns that a pixel this way or that does not matter.

    Args:
        images: shape (N, 1, H, W).
    """
    count, _, height, width = images.shape
    # The sum of two coins: 0, 1 or 2, with chances 1/4, 1/2, 1/4.
    down, right = tg.randint(0, 2, (2, 2, count, 1, 1), device=images.device).sum(axis=0)
    rows = down + tg.arange(height, device=images.device)[:, None]
    columns = right + tg.arange(width, device=images.device)
    image = tg.arange(count, device=images.device)[:, None, None]
    padded = tg.pad(images[:, 0], ((0, 0), (1, 1), (1, 1)))
    return padded[image, rows, columns][:, None]


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = common.Parser(__doc__)
    parser.add_common(epochs=30, out=Path("runs/digits"))
    parser.add_training(batch_size=64, lr=2e-3)
    args = parser.parse_args(argv)
    parser.require_usable(args, "tqdm")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = parse(argv)
    progress = Progress(args)
    tg.manual_seed(args.seed)
    train_set, test_set = load_splits(load_digits, args)
    common.prepare_folder(args.out)
    loader = DataLoader(train_set, args.batch_size, shuffle=True)

    model = make_model().to(args.device)
    optimizer = AdamW(model.named_parameters(), lr=args.lr)
    schedule = CosineAnnealingLR(optimizer, T_max=args.epochs * len(loader))
    print(nn.summary(model, (1, 8, 8)), flush=True)

    with progress:
        for _ in progress.epochs():
            model.train()
            for images, labels in progress.batches(loader):
                optimizer.zero_grad()
                logits = model(shift(images))
                loss = F.cross_entropy(logits, labels)
                loss.backward()
                optimizer.step()
                schedule.step()
                progress.count(loss, logits, labels)
            progress.finish_epoch(evaluate(model, test_set))

    untrained = make_model().to(args.device)
    return report(args, model, untrained, optimizer, progress, test_set, partial(draw_filters, model))


@tg.no_grad()
def draw_filters(model: nn.Sequential, path: Path, image: np.ndarray) -> None:
    """Draws the filters of the first layer, and what they see in an image."""
    import plots

    model.eval()
    batch = tg.tensor(image[None, None], device=model[0].weight.device)
    filters, seen = model[0].weight.numpy()[:, 0], model[:3](batch).numpy()[0]
    title = f"The {len(filters)} filters of the first layer, and what each makes of one image"
    plots.draw_filters(path, image, filters, seen, title, "output, after batch norm and ReLU")


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
