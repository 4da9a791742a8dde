"""Trains softmax regression, a multilayer perceptron, or LeNet on MNIST, 70,000 handwritten digits of 28x28 pixels.

The files are looked for in --data, in $TENSORGRAD_DATA and where torchvision and Keras keep them, and downloaded (11 MB)
if they are nowhere. Shows progress and a table, and writes pictures and a checkpoint.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
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
from tensorgrad.data import DataLoader, Dataset, load_mnist
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam
from tensorgrad.optim.lr_scheduler import OneCycleLR


def make_softmax() -> nn.Sequential:
    """Softmax regression: for each digit a weight for every pixel. Y = softmax(W x + b)."""
    return nn.Sequential(
        nn.Flatten(),  # (N, 1, 28, 28) -> (N, 784)
        nn.Linear(784, 10),  # -> (N, 10): a score for each digit
    )


def make_mlp() -> nn.Sequential:
    """A multilayer perceptron: two hidden layers, which know nothing of neighbourhood."""
    return nn.Sequential(
        nn.Flatten(),  # (N, 1, 28, 28) -> (N, 784)
        nn.Linear(784, 256),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(256, 256),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(256, 10),
    )


def make_cnn() -> nn.Sequential:
    """LeNet-5's shape, with today's parts: ReLU for sigmoids, max pooling for averages, and dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=5),  # (N, 1, 28, 28) -> (N, 32, 24, 24)
        nn.ReLU(),
        nn.MaxPool2d(2),  # -> (N, 32, 12, 12)
        nn.Conv2d(32, 64, kernel_size=5),  # -> (N, 64, 8, 8)
        nn.ReLU(),
        nn.MaxPool2d(2),  # -> (N, 64, 4, 4)
        nn.Flatten(),  # -> (N, 1024)
        nn.Linear(1024, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, 10),  # -> (N, 10): a score for each digit
    )


class Recipe(NamedTuple):
    """A network, and how it is trained unless the options say otherwise."""

    make: Callable[[], nn.Sequential]
    epochs: int
    lr: float


RECIPES = {
    "softmax": Recipe(make_softmax, epochs=5, lr=5e-3),
    "mlp": Recipe(make_mlp, epochs=10, lr=2e-3),
    "cnn": Recipe(make_cnn, epochs=5, lr=2e-3),
}


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = Parser(__doc__)
    parser.add_argument("--model", choices=RECIPES, default="cnn", help="the network")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where to look for the files first, or put them")
    epochs = ", ".join(f"{recipe.epochs} for {name}" for name, recipe in RECIPES.items())
    rates = ", ".join(f"{recipe.lr:g} for {name}" for name, recipe in RECIPES.items())
    parser.add_common(batch_size=128, epochs=epochs, lr=rates, out="runs/mnist")
    args = parser.parse(argv)
    recipe = RECIPES[args.model]
    args.epochs = args.epochs or recipe.epochs
    args.lr = args.lr or recipe.lr
    return args


def load(split: str, root: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's images and labels; ends the program if they are nowhere."""

    def report(name: str, done: int, total: int) -> None:
        if done == total:
            print(f"downloaded {name}, {total:,} bytes", file=sys.stderr)

    try:
        return load_mnist(split, root, progress=report)
    except (OSError, ValueError) as error:
        sys.exit(f"mnist.py: error: {error}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    began = time.perf_counter()
    args = parse(argv)
    tg.manual_seed(args.seed)
    train_set, test_set, name = load_splits(partial(load, root=args.data), args)
    loader = DataLoader(train_set, args.batch_size, shuffle=True)

    make_model = RECIPES[args.model].make
    model = make_model().to(args.device)
    optimizer = Adam(model.named_parameters(), lr=args.lr)
    schedule = OneCycleLR(optimizer, max_lr=args.lr, total_steps=args.epochs * len(loader))
    print(nn.summary(model, (1, 28, 28)))

    with Progress(args.epochs, name) as progress:
        for _ in progress.epochs():
            model.train()
            for images, labels in progress.batches(loader):
                optimizer.zero_grad()
                logits = model(images)
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
        draw(args, model, test_set, progress.history, results, name)
    print(f"\n{results.table()}")
    print(f"{progress.summary()}; all in all {time.perf_counter() - began:.1f} s")
    print(f"In {args.out}: {', '.join(sorted(file.name for file in args.out.iterdir()))}")
    return INTERRUPTED if progress.stopped else 0
