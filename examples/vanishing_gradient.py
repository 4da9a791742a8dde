"""Shows the gradient vanish: how much of it reaches the first layers of a deep network, by activation and depth.

On its way back through a layer the gradient is multiplied by the weights and by the derivative of the activation. That
of a sigmoid is never above 1/4, so from layer to layer the gradient shrinks, and the first layers of a deep network
hardly learn. That of ReLU is 1 for every unit that is on; with first weights to match (Glorot and Bengio, 2010; He et
al., 2015), the gradient arrives as it set out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np
from evaluation import evaluate

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset, load_digits
from tensorgrad.nn import functional as F
from tensorgrad.optim import SGD

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
DEPTHS = (2, 4, 8, 16, 32)
TRAINED = 8
"""How many hidden layers the networks have that are trained."""
WIDTH = 64


def make_model(activation: str, depth: int) -> nn.Sequential:
    """A network of ``depth`` hidden layers, its first weights such as this activation needs."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        linear = nn.Linear(WIDTH, WIDTH)  # an image of 8x8 pixels has 64, too
        nn.init.xavier_normal_(linear.weight, gain=nn.init.calculate_gain(activation))
        nn.init.zeros_(linear.bias)
        layers += [linear, ACTIVATIONS[activation]()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 10))


def gradient_norms(model: nn.Module, images: tg.Tensor, labels: tg.Tensor) -> list[float]:
    """The length of the gradient with respect to the weights of each hidden layer, from the first one on."""
    F.cross_entropy(model(images), labels).backward()
    *hidden, _ = (layer for layer in model if isinstance(layer, nn.Linear))
    return [float((layer.weight.grad**2).sum() ** 0.5) for layer in hidden]


def train(model: nn.Module, train_set: TensorDataset, args: argparse.Namespace) -> list[float]:
    """Trains a network by plain gradient descent; returns the mean loss of every epoch."""
    loader = DataLoader(train_set, batch_size=32, shuffle=True)
    optimizer = SGD(model.parameters(), lr=0.02)
    history = []
    for _ in range(args.epochs):
        losses = []
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history.append(float(np.mean(losses)))
    return history


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "vanishing_gradient", epochs=15)
    mean = load_digits("train", flatten=True)[0].mean(axis=0)  # what all images share does not tell them apart
    train_set, test_set = (
        TensorDataset(tg.tensor(images - mean, device=args.device), tg.tensor(labels, device=args.device))
        for images, labels in (load_digits(split, flatten=True) for split in ("train", "test"))
    )
    norms: dict[str, dict[int, list[float]]] = {}
    histories, found = {}, {}
    for name in ACTIVATIONS:
        norms[name] = {
            depth: gradient_norms(make_model(name, depth).to(args.device), *train_set[:256]) for depth in DEPTHS
        }
        for depth, by_layer in norms[name].items():
            print(f"{name:7} {depth:2} layers: gradient {by_layer[0]:.1e} in the first, {by_layer[-1]:.1e} in the last")
        model = make_model(name, TRAINED).to(args.device)
        histories[name] = train(model, train_set, args)
        accuracy = evaluate(model, test_set).accuracy
        print(f"{name:7} {TRAINED:2} layers, trained: loss {histories[name][-1]:.4f}, test accuracy {accuracy:.2%}")
        found[f"{name}: gradient of the first of {DEPTHS[-1]} layers, over the last"] = by_layer[0] / by_layer[-1]
        found[f"{name}: test accuracy with {TRAINED} layers, %"] = 100 * accuracy
    return common.finish(args, found, gradients=partial(draw, norms, histories))


def draw(norms: dict[str, dict[int, list[float]]], histories: dict[str, list[float]], file: Path) -> None:
    """Draws the gradient by layer and by depth, and how the networks learn."""
    import plots

    figure = plots.new_figure(14, 4.6, "The vanishing gradient")
    by_layer, by_depth, learning = figure.subplots(1, 3)
    styles = {"sigmoid": (plots.ORANGE, "o"), "tanh": (plots.BLUE, "s"), "relu": (plots.GREEN, "^")}
    for name, (color, marker) in styles.items():
        style = {"color": color, "marker": marker, "markersize": 4, "label": name}
        deepest = norms[name][DEPTHS[-1]]
        by_layer.plot(range(1, DEPTHS[-1] + 1), deepest, **style)
        by_depth.plot(DEPTHS, [norms[name][depth][0] for depth in DEPTHS], **style)
        learning.plot(range(1, len(histories[name]) + 1), histories[name], **style)
    by_layer.set(
        title=f"In a network of {DEPTHS[-1]} layers", xlabel="layer", ylabel="length of the gradient", yscale="log"
    )
    by_depth.set(title="Of the first layer", xlabel="depth of the network", xscale="log", yscale="log")
    by_depth.set_xticks(DEPTHS, [f"{depth}" for depth in DEPTHS])
    by_depth.minorticks_off()
    learning.set(title=f"Learning, with {TRAINED} layers", ylabel="cross-entropy", ylim=(0, None))
    plots.count_epochs(learning, len(histories["relu"]))
    for axes in (by_layer, by_depth, learning):
        plots.open_frame(axes)
    figure.legend(*learning.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
