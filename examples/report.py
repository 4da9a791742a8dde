"""What the examples leave behind: a checkpoint, pictures, and a table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from common import INTERRUPTED, write_pictures, writing_into
from evaluation import DIGITS, evaluate
from progress import Progress

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, Dataset


def report(
    args: argparse.Namespace,
    model: nn.Module,
    untrained: nn.Module,
    optimizer: tg.optim.Optimizer,
    progress: Progress,
    dataset: Dataset,
    draw_filters: Callable[[Path, np.ndarray], None],
    names: Sequence[str] = DIGITS,
) -> int:
    """Evaluates a trained network, prints the table, and writes all there is to write.

    Args:
        args: the options.
        model: the network.
        untrained: another of its kind, to load the checkpoint into.
        optimizer: what trained it.
        progress: how the training went.
        dataset: the images to evaluate it with.
        draw_filters: draws the picture of the first layer: takes a file and an image.
        names: of the classes.

    Returns:
        The exit code.
    """
    results = evaluate(model, dataset, names=names)
    print(f"\n{results.table()}\n{progress.summary()}\n")
    checkpoint = args.out / "checkpoint.npz"
    with writing_into(args.out):
        save_checkpoint(checkpoint, model, optimizer, progress.completed, results.accuracy, args)
    verify_checkpoint(checkpoint, untrained, dataset)
    print(f"wrote {checkpoint}", flush=True)
    if not args.no_plots:
        # Here, because matplotlib need not be there.
        import plots

        images, _ = next(iter(DataLoader(dataset, len(dataset))))
        images = images.numpy()[:, 0]
        drawings: dict[str, Callable[[Path], None]] = {
            "learning_curves": lambda path: plots.draw_learning_curves(path, progress.history, progress.name),
            "confusion_matrix": lambda path: plots.draw_confusion_matrix(path, results, progress.name),
            "mistakes": lambda path: plots.draw_mistakes(path, images, results, progress.name),
            "filters": lambda path: draw_filters(path, images[0]),
        }
        write_pictures(args, drawings)
    seconds = time.perf_counter() - progress.began
    print(f"The checkpoint was loaded back, and gives the same accuracy. All in all {seconds:.1f} s.")
    return INTERRUPTED if progress.stopped else 0


def save_checkpoint(
    path: Path, model: nn.Module, optimizer: tg.optim.Optimizer, epoch: int, accuracy: float, args: argparse.Namespace
) -> None:
    """Writes all that is needed to use the network, or to go on training it.

    Args:
        path: the ``.npz`` file to write.
        model: the network.
        optimizer: what trained it.
        epoch: how many epochs it was trained.
        accuracy: what part of the test (or validation) images it recognises.
        args: the options that it was trained with.
    """
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": epoch,
        "accuracy": accuracy,
        "arguments": {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()},
    }
    tg.save(content, path)


def verify_checkpoint(path: Path, model: nn.Module, dataset: Dataset) -> None:
    """Loads a checkpoint, and ends the program if the network in it is not as good as the one that was saved.

    Args:
        path: the checkpoint.
        model: a new network of the same kind.
        dataset: the images that the accuracy in the checkpoint was measured on.
    """
    saved = tg.load(path)
    model.load_state_dict(saved["model"])
    accuracy = evaluate(model, dataset).accuracy
    if accuracy != saved["accuracy"]:
        sys.exit(f"{path}: loaded back, the network recognises {accuracy:.2%}, not {saved['accuracy']:.2%}.")
