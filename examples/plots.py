"""The pictures of the examples: learning curves, confusion matrix, filters, mistakes.

Every function writes one PNG file, without a display. The colours (Okabe and Ito's, and matplotlib's viridis and
PuOr) can be told apart by colour-blind readers and in print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from common import Epoch, Results

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#5F6368"
RIGHT = LinearSegmentedColormap.from_list("right", ["#F3F8FB", "#6BAED6"])
WRONG = LinearSegmentedColormap.from_list("wrong", ["#FDE3CF", ORANGE])
MOST_MISTAKES = 40
"""As many are shown, the surest first: more would be too small to see."""


def draw_learning_curves(path: Path, history: Sequence[Epoch], name: str) -> None:
    """Loss and accuracy by epoch, on the training images and on those set aside.

    Args:
        path: the PNG file to write.
        history: the figures of each epoch.
        name: what the images set aside are called: ``"test"`` or ``"validation"``.
    """
    epochs = range(1, len(history) + 1)
    marker = "o" if len(history) <= 10 else ""
    figure = _figure(10, 4.4, f"Learning curves: {name} accuracy {history[-1].test_accuracy:.2%} at the end")
    loss, accuracy = figure.subplots(1, 2)
    loss.plot(epochs, [epoch.train_loss for epoch in history], "--", color=GREY, marker=marker, label="training")
    loss.plot(epochs, [epoch.test_loss for epoch in history], color=BLUE, marker=marker, label=name, linewidth=2)
    loss.set(xlabel="epoch", ylabel="cross-entropy (logarithmic scale)", yscale="log", title="Loss: lower is better")
    loss.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    loss.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:.0e}"[0] in "25" else ""))
    train = [100 * epoch.train_accuracy for epoch in history]
    test = [100 * epoch.test_accuracy for epoch in history]
    accuracy.plot(epochs, train, "--", color=GREY, marker=marker, label="training")
    accuracy.plot(epochs, test, color=BLUE, marker=marker, label=name, linewidth=2)
    accuracy.set(xlabel="epoch", ylabel="right answers [%]", title="Accuracy: higher is better")
    # The first epochs would squeeze what happens later into a line.
    low = min(min(test[1:] or test), 97.0)
    accuracy.set_ylim(low - 0.1 * (100 - low), 100 + 0.05 * (100 - low))
    for axes in (loss, accuracy):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3, which="both")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    figure.text(
        0.99, 0.005, "training figures are averages over the epoch, with dropout", ha="right", size=8, color=GREY
    )
    _save(figure, path)


def draw_confusion_matrix(path: Path, results: Results, name: str) -> None:
    """Which digit was taken for which.

    Args:
        path: the PNG file to write.
        results: what the network said.
        name: what the images are called.
    """
    counts = results.confusion()
    wrong = int(counts.sum() - np.trace(counts))
    figure = _figure(
        7.2, 7.2, f"Confusion matrix: {wrong} of {counts.sum():,} {name} images {'was' if wrong == 1 else 'were'} misread"
    )
    axes = figure.subplots()
    diagonal = np.eye(len(counts), dtype=bool)
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.ma.masked_array(counts / total, ~diagonal), cmap=RIGHT, vmin=0, vmax=1)
    axes.imshow(np.ma.masked_array(counts, diagonal | (counts == 0)), cmap=WRONG, vmin=0, vmax=max(4, _most(counts)))
    for true, row in enumerate(counts):
        for predicted, count in enumerate(row):
            is_right = true == predicted
            if count or is_right:
                axes.text(
                    predicted, true, f"{count:,}", ha="center", va="center", weight="normal" if is_right else "bold"
                )
    axes.set(xlabel="the network's answer", ylabel="the true digit", xticks=range(10), yticks=range(10))
    axes.set_xticks(np.arange(11) - 0.5, minor=True)
    axes.set_yticks(np.arange(11) - 0.5, minor=True)
    axes.grid(which="minor", color="#DADCE0", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.set_title("blue: read rightly    orange: misread    empty: never", size=10, color=GREY)
    _save(figure, path)


def _most(counts: np.ndarray) -> int:
    return int((counts * (1 - np.eye(len(counts), dtype=counts.dtype))).max())


def draw_filters(path: Path, image: np.ndarray, filters: np.ndarray, maps: np.ndarray, title: str, what: str) -> None:
    """The filters of the first layer, each above what it makes of one image.

    Args:
        path: the PNG file to write.
        image: the image, of shape (H, W).
        filters: of shape (N, h, w).
        maps: what comes out, of shape (N, H', W').
        title: the title.
        what: what the maps are, in a few words.
    """
    columns = min(8, len(filters))
    rows = math.ceil(len(filters) / columns)
    figure = _figure(2.6 + 1.05 * columns, 0.9 + 2.15 * rows, title)
    left, right = figure.subfigures(1, 2, width_ratios=[2.2, 1.05 * columns])
    axes = left.subplots()
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    axes.set_title("the image", size=11)
    _bare(axes)
    grid = right.subplots(2 * rows, columns, squeeze=False)
    signed = maps.min() < 0
    reach, top = float(np.abs(filters).max()), float(np.abs(maps).max()) or 1.0
    for axes in grid.flat:
        axes.set_visible(False)
    for number, (kernel, seen) in enumerate(zip(filters, maps, strict=True)):
        row, column = divmod(number, columns)
        above, below = grid[2 * row, column], grid[2 * row + 1, column]
        weights = above.imshow(kernel, cmap="PuOr_r", vmin=-reach, vmax=reach)
        shown = below.imshow(seen, cmap="PuOr_r" if signed else "viridis", vmin=-top if signed else 0, vmax=top)
        above.set_title(f"{number}", size=9, pad=2)
        for axes in (above, below):
            axes.set_visible(True)
            _bare(axes)
    left.colorbar(weights, ax=left.axes, location="bottom", label="weight in a filter (upper of each pair)", pad=0.03)
    left.colorbar(shown, ax=left.axes, location="bottom", label=f"{what} (lower of each pair)", pad=0.03)
    _save(figure, path)


def draw_mistakes(path: Path, images: np.ndarray, results: Results, name: str) -> None:
    """The images that were misread, the surest mistakes first; or if there are none, those that came closest.

    Args:
        path: the PNG file to write.
        images: of shape (N, H, W), in the order of the results.
        results: what the network said.
        name: what the images are called.
    """
    wrong = np.flatnonzero(results.predicted != results.labels)
    chosen = wrong[np.argsort(-results.confidence[wrong], kind="stable")][:MOST_MISTAKES]
    if len(wrong) > MOST_MISTAKES:
        title = f"{len(wrong)} of {len(images):,} {name} images were misread; the {MOST_MISTAKES} surest mistakes"
    elif len(wrong):
        title = f"The {name} images that were misread: {len(wrong)} of {len(images):,}"
    else:
        title = f"No mistakes! All {len(images):,} {name} images were read rightly; these were the least sure"
        chosen = np.argsort(results.confidence, kind="stable")[:10]
    columns = min(10 if len(chosen) > 10 else 5, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    figure = _figure(max(7.5, 1.35 * columns), 0.8 + 1.95 * rows, title)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for axes, i in zip(grid.flat, chosen, strict=False):
        axes.set_visible(True)
        axes.imshow(images[i], cmap="gray_r", vmin=0, vmax=1)
        _bare(axes)
        true, predicted = int(results.labels[i]), int(results.predicted[i])
        colour = BLUE if true == predicted else ORANGE
        axes.set_title(f"a {true}, read as {predicted}", size=10, color=colour, pad=4)
        axes.set_xlabel(_certainty(results, int(i)), size=8.5, color=GREY, labelpad=3)
    _save(figure, path)


def _certainty(results: Results, i: int) -> str:
    true, predicted = int(results.labels[i]), int(results.predicted[i])
    said = f"{predicted}: {results.probabilities[i, predicted]:.0%}"
    return said if true == predicted else f"{said}, {true}: {results.probabilities[i, true]:.0%}"


def _figure(width: float, height: float, title: str) -> Figure:
    figure = Figure((width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, size=13, weight="bold")
    return figure


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_color("#DADCE0")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=130, facecolor="white")
