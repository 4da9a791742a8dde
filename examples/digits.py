"""Trains a small convolutional network on the handwritten digits that come with tensorgrad.

1,347 images of 8x8 pixels to learn from, 450 others to test it with; nothing is downloaded. Shows progress and a table,
and writes pictures (learning curves, confusion matrix, filters, mistakes) and a checkpoint.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import tensorgrad as tg
from common import (
    INTERRUPTED,
    Epoch,
    Parser,
    Progress,
    Results,
    all_images,
    end_on_interrupt,
    evaluate,
    load_splits,
    save_checkpoint,
    verify_checkpoint,
)
from tensorgrad import nn
from tensorgrad.data import DataLoader, Dataset, load_digits
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

    The network never sees the same image twice then, and learns that the place does not matter.

    Args:
        images: shape (N, 1, H, W).
    """
    count, _, height, width = images.shape
    # The sum of two coins: 0, 1 or 2, with chances 1/4, 1/2, 1/4.
    down, right = tg.randint(0, 2, (2, 2, count, 1, 1), device=images.device).sum(axis=0)
    rows = down + tg.arange(height, device=images.device)[:, None]
    columns = right + tg.arange(width, device=images.device)
    image = tg.arange(count, device=images.device)[:, None, None]
    return tg.pad(images, 1)[image, 0, rows, columns][:, None]


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = Parser(__doc__)
    parser.add_epochs(30, "times that every training image is seen")
    parser.add_common(batch_size=64, lr=2e-3, out="runs/digits")
    return parser.parse(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    began = time.perf_counter()
    args = parse(argv)
    tg.manual_seed(args.seed)
    train_set, test_set, name = load_splits(load_digits, args)
    loader = DataLoader(train_set, args.batch_size, shuffle=True)

    model = make_model().to(args.device)
    optimizer = AdamW(model.named_parameters(), lr=args.lr)
    schedule = CosineAnnealingLR(optimizer, T_max=args.epochs * len(loader))
    print(nn.summary(model, (1, 8, 8)))

    with Progress(args.epochs, name) as progress:
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

    results = evaluate(model, test_set)
    checkpoint = args.out / "checkpoint.npz"
    save_checkpoint(checkpoint, model, optimizer, progress.completed, results.accuracy, args)
    verify_checkpoint(checkpoint, make_model().to(args.device), test_set)
    if not args.no_plots:
        draw(args.out, model, test_set, progress.history, results, name)
    print(f"\n{results.table()}")
    print(f"{progress.summary()}; all in all {time.perf_counter() - began:.1f} s")
    print(f"In {args.out}: {', '.join(sorted(file.name for file in args.out.iterdir()))}")
    return INTERRUPTED if progress.stopped else 0


@tg.no_grad()
def draw(
    folder: Path, model: nn.Sequential, test_set: Dataset, history: list[Epoch], results: Results, name: str
) -> None:
    """Draws the pictures."""
    import plots

    images = all_images(test_set)
    plots.draw_learning_curves(folder / "learning_curves.png", history, name)
    plots.draw_confusion_matrix(folder / "confusion_matrix.png", results, name)
    plots.draw_mistakes(folder / "mistakes.png", images, results, name)
    model.eval()
    first = tg.tensor(images[:1, None], device=model[0].weight.device)
    plots.draw_filters(
        folder / "filters.png",
        images[0],
        model[0].weight.numpy()[:, 0],
        model[:3](first).numpy()[0],
        "The 32 filters of the first layer, and what each sees in one image",
        "after batch norm and ReLU",
    )


if __name__ == "__main__":
    sys.exit(end_on_interrupt(main))
