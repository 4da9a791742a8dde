"""The lecture's Keras program, a convolutional network on MNIST, with nothing changed but the import.

Images are rows of 784 numbers from 0 to 1, labels are one-hot rows of 10; Sequential, add, compile, fit, evaluate and
predict are Keras's. Where MNIST is not on this machine it trains on the 1,797 digits of 8x8 pixels that come with
tensorgrad, and says so; --download fetches MNIST (11 MB).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np

from tensorgrad import keras
from tensorgrad.data import load_digits, load_mnist
from tensorgrad.keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Reshape
from tensorgrad.keras.models import Sequential


def make_model(side: int) -> Sequential:
    """The network, for images of so many pixels a side."""
    model = Sequential()
    model.add(Reshape((side, side, 1), input_shape=(side * side,)))
    model.add(Conv2D(32, (3, 3), activation="relu", padding="same"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Conv2D(64, (3, 3), activation="relu"))
    model.add(MaxPooling2D(pool_size=(2, 2), padding="same"))
    model.add(Flatten())
    model.add(Dropout(0.5))
    model.add(Dense(128, activation="relu"))
    model.add(Dense(10, activation="softmax"))
    return model


def certainty(y_true, y_pred):
    """A metric of our own: how sure the network is of what it says."""
    return keras.ops.mean(keras.ops.max(y_pred, axis=-1))


def load(split: str, args: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Images as rows of numbers from 0 to 1, and their digits."""
    if args.data != "digits":
        try:
            return load_mnist(split, args.folder, download=args.download, flatten=True)
        except FileNotFoundError as error:
            if args.download:
                sys.exit(f"keras_mnist.py: error: {error}")
            args.data = "digits"
            print(
                "MNIST is not on this machine (--download fetches it): here are the digits of 8x8 pixels.", flush=True
            )
        except ValueError as error:
            sys.exit(f"keras_mnist.py: error: {error}")
    images, digits = load_digits(split)
    return images.reshape(len(images), -1), digits


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = common.Parser(__doc__)
    parser.add_argument("--data", choices=("mnist", "digits"), default="mnist", help="which images (default: mnist)")
    parser.add("--folder", Path, "the usual places", "FOLDER", "where to look for MNIST first")
    parser.add_argument("--download", action="store_true", help="fetch MNIST if it is not on this machine")
    parser.add_common(epochs="3 for MNIST, 15 for the small digits", out=Path("runs/keras_mnist"))
    args = parser.parse_args(argv)
    parser.require_usable(args)
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = parse(argv)
    args.began = time.perf_counter()
    common.prepare_folder(args.out)
    keras.utils.set_random_seed(args.seed)
    x_train, digits = load("train", args)
    x_test, digits_test = load("test", args)
    y_train, y_test = (keras.utils.to_categorical(labels, 10) for labels in (digits, digits_test))
    side = round(x_train.shape[1] ** 0.5)

    model = make_model(side)
    model.to(args.device)
    model.summary()
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy", certainty])
    history = model.fit(
        x_train,
        y_train,
        batch_size=128 if side == 28 else 32,
        epochs=args.epochs or (3 if side == 28 else 15),
        validation_split=0.1,
    )
    loss, accuracy, sure = model.evaluate(x_test, y_test)
    probabilities = model.predict(x_test)

    path = args.out / "model.keras"
    with common.writing_into(args.out):
        model.save(path)
    again = keras.models.load_model(path, custom_objects={"certainty": certainty})
    found = {
        "test loss": loss,
        "test accuracy, %": 100 * accuracy,
        "certainty (the metric of our own)": sure,
        "validation accuracy after the last epoch, %": 100 * history.history["val_accuracy"][-1],
        "the saved model's outputs differ by": float(np.abs(again.predict(x_test[:100]) - probabilities[:100]).max()),
    }
    drawing = partial(draw, model, history.history, x_test.reshape(-1, side, side), digits_test, probabilities)
    return common.finish(args, found, learned=drawing)


def draw(
    model: Sequential,
    history: dict[str, list[float]],
    images: np.ndarray,
    digits: np.ndarray,
    probabilities: np.ndarray,
    file: Path,
) -> None:
    """Draws the course of training, the filters of the first convolution, and the images that were hardest to read."""
    import plots

    figure = plots.new_figure(12, 7, "A network in Keras's way: how it learned, and what it cannot read")
    left, right = figure.subfigures(1, 2, width_ratios=[2, 3])
    above, below = left.subplots(2, 1)
    epochs = range(1, len(history["loss"]) + 1)
    for axes, name in ((above, "accuracy"), (below, "loss")):
        axes.plot(epochs, history[name], "o-", label="training (with dropout)")
        axes.plot(epochs, history[f"val_{name}"], "s--", label="validation")
        axes.set(xlabel="epoch", ylabel=name, xticks=list(epochs) if len(epochs) <= 20 else [])
        axes.legend(frameon=False)

    kernels = model.get_layer(index=1).get_weights()[0][:, :, 0]  # (3, 3, 1, 32) in Keras's order
    filters, hardest = right.subfigures(2, 1, height_ratios=[2, 3])
    filters.suptitle("The 32 kernels of the first convolution", size=11)
    most = np.abs(kernels).max()
    for axes, kernel in zip(filters.subplots(4, 8).flat, np.moveaxis(kernels, -1, 0), strict=True):
        axes.imshow(kernel, cmap="PuOr", vmin=-most, vmax=most)
        plots.bare(axes)
    hardest.suptitle("The test images of whose digit it was least sure", size=11)
    of_truth = probabilities[np.arange(len(digits)), digits]
    for axes, index in zip(hardest.subplots(2, 5).flat, np.argsort(of_truth)[:10], strict=True):
        axes.imshow(images[index], cmap="gray_r")
        said, sure = probabilities[index].argmax(), probabilities[index].max()
        axes.set_title(f"{digits[index]}, taken for {said} ({sure:.0%})", size=8)
        plots.bare(axes)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
