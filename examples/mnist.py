"""Trains networks, from softmax regression to a deep one, on MNIST, 70,000 handwritten digits of 28x28 pixels.

--fashion takes Fashion-MNIST in its place: as many pieces of clothing, harder to tell apart. The files are looked for
in --data, in $TENSORGRAD_DATA and where torchvision and Keras keep them, and downloaded (11 or 30 MB) if they are
nowhere. Shows progress and a table, and writes pictures and a checkpoint.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import common
import numpy as np
from evaluation import DIGITS, evaluate, load_splits
from progress import Progress
from report import report

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import FASHION_MNIST_CLASSES, DataLoader, load_fashion_mnist, load_mnist
from tensorgrad.data.transforms import Compose, RandomCrop, RandomHorizontalFlip
from tensorgrad.nn import functional as F
from tensorgrad.optim import AdamW
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


def make_deep() -> nn.Sequential:
    """Four convolutions of 3x3 with batch normalisation, as in VGG: each pooling halves the image."""

    def convolution(before: int, after: int) -> tuple[nn.Module, ...]:
        return nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()

    return nn.Sequential(
        *convolution(1, 32),  # (N, 1, 28, 28) -> (N, 32, 28, 28)
        nn.MaxPool2d(2),  # -> (N, 32, 14, 14)
        *convolution(32, 64),
        *convolution(64, 64),  # -> (N, 64, 14, 14)
        nn.MaxPool2d(2),  # -> (N, 64, 7, 7)
        *convolution(64, 128),  # -> (N, 128, 7, 7)
        nn.MaxPool2d(2),  # -> (N, 128, 3, 3)
        nn.Flatten(),  # -> (N, 1152)
        nn.Dropout(0.3),
        nn.Linear(1152, 10),  # -> (N, 10): a score for each digit
    )


class Recipe(NamedTuple):
    """A network, and how it is trained unless the options say otherwise."""

    make: Callable[[], nn.Sequential]
    epochs: int
    lr: float
    weight_decay: float = 0.0
    augment: bool = False


RECIPES = {
    "softmax": Recipe(make_softmax, epochs=5, lr=5e-3),
    "mlp": Recipe(make_mlp, epochs=10, lr=2e-3),
    "cnn": Recipe(make_cnn, epochs=5, lr=2e-3),
    "deep": Recipe(make_deep, epochs=20, lr=5e-3, weight_decay=1e-2, augment=True),
}


class Images(NamedTuple):
    """A data set: where it is from, what is in it, and what makes other images of the same class of its images."""

    load: Callable[..., tuple[np.ndarray, np.ndarray]]
    names: Sequence[str]
    augment: Callable[[tg.Tensor], tg.Tensor]


MNIST = Images(load_mnist, DIGITS, RandomCrop(28, padding=2))
FASHION = Images(
    load_fashion_mnist, FASHION_MNIST_CLASSES, Compose([RandomHorizontalFlip(), RandomCrop(28, padding=1)])
)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = common.Parser(__doc__)
    parser.add_argument("--model", choices=RECIPES, default="cnn", help="the network (default: cnn)")
    parser.add_argument("--fashion", action="store_true", help="Fashion-MNIST in the place of MNIST")
    parser.add("--data", Path, "see above", "FOLDER", "where to look for the files first, and to download them to")
    parser.add_common(
        epochs=", ".join(f"{recipe.epochs} for {name}" for name, recipe in RECIPES.items()),
        out="runs/mnist/MODEL, or runs/fashion/MODEL",
    )
    parser.add_training(batch_size=128, lr=", ".join(f"{recipe.lr:g} for {name}" for name, recipe in RECIPES.items()))
    args = parser.parse_args(argv)
    recipe = RECIPES[args.model]
    args.epochs = args.epochs or recipe.epochs
    args.lr = args.lr or recipe.lr
    args.out = args.out or Path("runs", "fashion" if args.fashion else "mnist", args.model)
    parser.require_usable(args, "tqdm")
    return args


def load(split: str, images: Images, root: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels; ends the program if they are nowhere."""

    def report(name: str, done: int, total: int) -> None:
        if done == total:
            print(f"downloaded {name}, {total:,} bytes", file=sys.stderr)

    try:
        return images.load(split, root, progress=report)
    except (OSError, ValueError) as error:
        sys.exit(f"mnist.py: error: {error}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = parse(argv)
    progress = Progress(args)
    tg.manual_seed(args.seed)
    source, recipe = FASHION if args.fashion else MNIST, RECIPES[args.model]
    train_set, test_set = load_splits(partial(load, images=source, root=args.data), args)
    common.prepare_folder(args.out)
    loader = DataLoader(train_set, args.batch_size, shuffle=True)

    model = recipe.make().to(args.device)
    optimizer = AdamW(model.named_parameters(), lr=args.lr, weight_decay=recipe.weight_decay)
    schedule = OneCycleLR(optimizer, max_lr=args.lr, total_steps=args.epochs * len(loader))
    print(nn.summary(model, (1, 28, 28)), flush=True)

    with progress:
        for _ in progress.epochs():
            model.train()
            for images, labels in progress.batches(loader):
                optimizer.zero_grad()
                logits = model(source.augment(images) if recipe.augment else images)
                loss = F.cross_entropy(logits, labels)
                loss.backward()
                optimizer.step()
                schedule.step()
                progress.count(loss, logits, labels)
            progress.finish_epoch(evaluate(model, test_set))

    untrained = recipe.make().to(args.device)
    return report(args, model, untrained, optimizer, progress, test_set, partial(draw_filters, model), source.names)


@tg.no_grad()
def draw_filters(model: nn.Sequential, path: Path, image: np.ndarray) -> None:
    """Draws the filters of the first layer, and what they make of an image."""
    import plots

    model.eval()
    if isinstance(model[0], nn.Conv2d):
        batch = tg.tensor(image[None, None], device=model[0].weight.device)
        first = next(number for number, layer in enumerate(model) if isinstance(layer, nn.ReLU))
        filters, seen = model[0].weight.numpy()[:, 0], model[: first + 1](batch).numpy()[0]
        title = f"The {len(filters)} filters of the first layer, and what each makes of one image"
        plots.draw_filters(path, image, filters, seen, title, "output, after ReLU")
    else:
        filters = model[1].weight.numpy()[:32].reshape(-1, 28, 28)
        title = "The weights of the 10 classes, and what each finds in one image"
        if len(filters) > 10:
            title = f"The weights of {len(filters)} units of the first layer, and what each finds in one image"
        plots.draw_filters(path, image, filters, filters * image, title, "weight times pixel")


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
