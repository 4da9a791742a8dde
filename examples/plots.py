"""The pictures of the examples: learning curves, confusion matrix, filters, mistakes.

Every function writes one PNG file, without a display. The colours (Okabe and Ito's, and matplotlib's viridis and
PuOr) can be told apart by colour-blind readers and in print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from evaluation import Results
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from progress import Epoch

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#5F6368"
RIGHT = LinearSegmentedColormap.from_list("right", ["#F3F8FB", "#6BAED6"])
WRONG = LinearSegmentedColormap.from_list("wrong", ["#FDE3CF", ORANGE])
TEN = ["#000000", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#B8860B", "#56B4E9", "#7A0403", "#5F6368", "#6A3D9A"]
"""For the ten digits, where the digit is written too."""
SIDES = LinearSegmentedColormap.from_list("sides", [ORANGE, "white", BLUE])
MOST_MISTAKES = 40
"""No more are shown: they would be too small to see."""
FEWEST_SHOWN = 10


def draw_learning_curves(path: Path, history: Sequence[Epoch], name: str) -> None:
    """Loss and accuracy by epoch, on the training images and on those set aside.

    Args:
        path: the PNG file to write.
        history: the figures of each epoch.
        name: what the images set aside are called: ``"test"`` or ``"validation"``.
    """
    epochs = range(1, len(history) + 1)
    training = {
        "color": GREY,
        "linestyle": "--",
        "marker": "o",
        "markersize": 3,
        "label": "training (during the epoch)",
    }
    aside = {"color": BLUE, "linewidth": 2, "marker": "o", "markersize": 4, "label": f"{name} (after the epoch)"}
    figure = new_figure(10.5, 4.6, f"Learning curves: {name} accuracy {history[-1].test_accuracy:.2%} at the end")
    loss, accuracy = figure.subplots(1, 2)
    loss.plot(epochs, [epoch.train_loss for epoch in history], **training)
    loss.plot(epochs, [epoch.test_loss for epoch in history], **aside)
    loss.set(title="Loss", ylabel="cross-entropy (lower is better)", yscale="log")
    loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    loss.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    accuracy.plot(epochs, [_missing(epoch.train_accuracy) for epoch in history], **training)
    accuracy.plot(epochs, [_missing(epoch.test_accuracy) for epoch in history], **aside)
    accuracy.set(title="Accuracy", ylabel="right answers in % (higher is better)", yscale="log")
    # By what is missing to 100 %: or else all that happens after the first epochs would be a line along the top.
    accuracy.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    accuracy.yaxis.set_major_formatter(FuncFormatter(lambda missing, _: f"{100 - missing:.4g}"))
    accuracy.invert_yaxis()
    for axes in (loss, accuracy):
        count_epochs(axes, len(history))
        axes.yaxis.set_minor_formatter(NullFormatter())
        open_frame(axes)
    figure.legend(*loss.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    save(figure, path)


def _missing(accuracy: float) -> float:
    """What is missing to 100 %, in %; a little where nothing is, for the logarithm."""
    return max(100 * (1 - accuracy), 0.01)


def draw_confusion_matrix(path: Path, results: Results, name: str) -> None:
    """Which class was taken for which.

    Args:
        path: the PNG file to write.
        results: what the network said.
        name: what the images are called.
    """
    counts = results.confusion()
    wrong = int(counts.sum() - np.trace(counts))
    figure = new_figure(
        7.2,
        7.2,
        f"Confusion matrix: {wrong} of {counts.sum():,} {name} images mistaken",
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
    axes.set(xlabel="the network's answer", ylabel="the true class")
    axes.set_xticks(range(len(counts)), results.names, rotation=0 if max(map(len, results.names)) < 4 else 45)
    axes.set_yticks(range(len(counts)), results.names)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(np.arange(len(counts) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#DADCE0", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.set_title("blue: right     orange: wrong     empty: never", size=10, color=GREY)
    save(figure, path)


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
    columns = min(16, len(filters))
    rows = math.ceil(len(filters) / columns)
    size = min(12.8 / columns, 1.28)
    figure = new_figure(2.8 + size * columns, max(0.6 + rows * (2 * size + 0.15), 3.6), title)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[2.8, size * columns])[0]
    original, upper, lower = left.subplots(3, 1, height_ratios=[12, 1, 1])
    original.imshow(image, cmap="gray_r", vmin=0, vmax=1)
    original.set_title("the image", size=10)
    bare(original)
    signed = bool(maps.min() < 0)
    reach, top = float(np.abs(filters).max()), float(np.abs(maps).max()) or 1.0
    # A thin empty row after each pair of rows keeps the pairs apart.
    grid = right.subplots(3 * rows, columns, squeeze=False, height_ratios=[1, 1, 0.06] * rows)
    for axes in grid.flat:
        axes.set_axis_off()
    for number, (kernel, seen) in enumerate(zip(filters, maps, strict=True)):
        row, column = divmod(number, columns)
        above, below = grid[3 * row, column], grid[3 * row + 1, column]
        weights = above.imshow(kernel, cmap="PuOr_r", vmin=-reach, vmax=reach)
        shown = below.imshow(seen, cmap="PuOr_r" if signed else "viridis", vmin=-top if signed else 0, vmax=top)
        above.set_title(f"{number}", size=9, pad=2)
        for axes in (above, below):
            axes.set_axis_on()
            bare(axes)
    figure.colorbar(weights, cax=upper, orientation="horizontal").set_label("above: weight", size=9)
    figure.colorbar(shown, cax=lower, orientation="horizontal").set_label(f"below: {what}", size=9)
    save(figure, path)


def draw_mistakes(path: Path, images: np.ndarray, results: Results, name: str) -> None:
    """The images that were mistaken, the surest mistakes first; where they are few, then those that came closest to it.

    Args:
        path: the PNG file to write.
        images: of shape (N, H, W), in the order of the results.
        results: what the network said.
        name: what the images are called.
    """
    is_wrong = results.predicted != results.labels
    wrong = np.flatnonzero(is_wrong)
    wrong = wrong[np.argsort(-results.confidence[wrong], kind="stable")]
    right = np.flatnonzero(~is_wrong)
    right = right[np.argsort(results.confidence[right], kind="stable")]
    if len(wrong) > MOST_MISTAKES:
        title = f"{len(wrong)} of {len(images):,} {name} images mistaken: the {MOST_MISTAKES} surest mistakes"
    elif len(wrong) >= FEWEST_SHOWN:
        title = f"{len(wrong)} of {len(images):,} {name} images mistaken, the surest mistakes first"
    elif len(wrong):
        title = (
            f"{len(wrong)} of {len(images):,} {name} images mistaken (orange), and the least sure of the others (blue)"
        )
    else:
        title = f"No mistakes: all {len(images):,} {name} images recognised. These were the least sure"
    chosen = np.concatenate([wrong[:MOST_MISTAKES], right[: max(FEWEST_SHOWN - len(wrong), 0)]])
    columns = 5 if len(chosen) <= FEWEST_SHOWN else 10
    rows = math.ceil(len(chosen) / columns)
    width = 13.0 if columns == 10 else 9.5
    lines = 0.45 if max(map(len, results.names)) < 4 else 0.8
    figure = new_figure(width, 0.5 + rows * (width / columns + lines), title)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, i in zip(grid.flat, chosen.tolist(), strict=False):
        axes.set_axis_on()
        axes.imshow(images[i], cmap="gray_r", vmin=0, vmax=1)
        bare(axes)
        true, said = int(results.labels[i]), int(results.predicted[i])
        names = results.names[true], results.names[said]
        long = max(map(len, results.names)) > 3
        title = f"{names[0]},\ntaken for {names[1]}" if long else f"{names[0]}, taken for {names[1]}"
        axes.set_title(title, size=8 if long else 10, color=ORANGE if is_wrong[i] else BLUE, pad=4)
        sure = f"{names[1]}: {results.probabilities[i, said]:.0%}"
        also = f"{names[0]}: {results.probabilities[i, true]:.0%}" if is_wrong[i] else ""
        axes.set_xlabel(("\n" if long else ", ").join(filter(None, [sure, also])), size=8.5, color=GREY)
    save(figure, path)


def new_figure(width: float, height: float, title: str) -> Figure:
    """An empty figure, its size in inches."""
    figure = Figure((width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, size=13, weight="bold")
    return figure


def bare(axes: Axes) -> None:
    """Takes the ticks from an image, and makes its frame faint."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_color("#DADCE0")


def open_frame(axes: Axes) -> None:
    """Leaves of the frame of a diagram the two axes, and a faint grid."""
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def count_epochs(axes: Axes, epochs: int) -> None:
    """Makes the x axis that of so many epochs."""
    axes.set(xlabel="epoch", xlim=(0.5, epochs + 0.5))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def save(figure: Figure, path: Path) -> None:
    """Writes a figure into a PNG file."""
    figure.savefig(path, dpi=130, facecolor="white")
