"""A recurrent network adds two numbers, of fifty that it reads one after the other: the two that are marked.

It says the sum at the end, so it must keep a number in mind while others, which do not matter, go by. A simple
recurrent network does not learn to: what an early step should have done otherwise hardly comes back through so many
later ones. An LSTM and a GRU, whose gates let a state stay as it is, do. The pictures show how all three learn, and
what the LSTM would say after each step: nobody asked it before the last, but it has the best guess in mind.

The task is that of Hochreiter and Schmidhuber, *Long short-term memory*, 1997.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.nn import functional as F
from tensorgrad.optim import Adam

TRAIN, TEST, STEPS = 5000, 1000, 50


def make_sequences(count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Numbers from 0 to 1, and marks: one in the first half, one in the second.

    Returns:
        Numbers and marks, shape (count, STEPS, 2), and the sums of the two marked numbers, shape (count,).
    """
    numbers, marks = random.random((count, STEPS)), np.zeros((count, STEPS))
    for half in (0, STEPS // 2):
        marks[np.arange(count), half + random.integers(STEPS // 2, size=count)] = 1
    return np.stack([numbers, marks], axis=-1).astype("float32"), (numbers * marks).sum(axis=1).astype("float32")


class Adder(nn.Module):
    """Reads a sequence, and says a number after each step.

    Args:
        layer: the recurrent layer's kind: ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``.
        hidden: how many numbers its state has.
    """

    def __init__(self, layer: Callable[..., nn.Module], hidden: int = 32) -> None:
        super().__init__()
        self.layer = layer(2, hidden, batch_first=True)
        self.answer = nn.Linear(hidden, 1)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        """Sequences (N, T, 2) -> answers (N, T), each from the state after that step."""
        states, _ = self.layer(x)  # -> (N, T, hidden)
        return self.answer(states).squeeze(-1)


def train(model: Adder, train_set: TensorDataset, test_set: TensorDataset, args: argparse.Namespace) -> list[float]:
    """Trains a network; returns the mean squared error on the test sequences after each epoch."""
    loader = DataLoader(train_set, batch_size=50, shuffle=True)
    optimizer = Adam(model.parameters(), lr=1e-2)
    errors = []
    for epoch in range(1, args.epochs + 1):
        for x, y in loader:
            optimizer.zero_grad()
            # The last answer counts, when all has been read.
            F.mse_loss(model(x)[:, -1], y).backward()
            # Through many steps a gradient may also grow beyond all bounds: then its direction alone counts.
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
        with tg.no_grad():
            x, y = test_set.tensors
            errors.append(F.mse_loss(model(x)[:, -1], y).item())
        print(f"{type(model.layer).__name__}, epoch {epoch:2}: error {errors[-1]:.4f}", flush=True)
    return errors


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "sequence", epochs=8)
    random = np.random.default_rng(args.seed)
    train_set, test_set = (
        TensorDataset(*(tg.tensor(each, device=args.device) for each in make_sequences(count, random)))
        for count in (TRAIN, TEST)
    )
    errors, models = {}, {}
    for kind in (nn.LSTM, nn.GRU, nn.RNN):
        models[kind] = Adder(kind).to(args.device)
        errors[kind.__name__] = train(models[kind], train_set, test_set, args)

    with tg.no_grad():
        said = models[nn.LSTM](test_set.tensors[0]).numpy()
    x, y = (each.numpy() for each in test_set.tensors)
    expected = best_guesses(x)
    guess = float(y.var())
    found = {
        "error of whoever always says the mean": guess,
        "error of the LSTM": errors["LSTM"][-1],
        "error of the GRU": errors["GRU"][-1],
        "error of the simple RNN": errors["RNN"][-1],
        "correlation of what the LSTM says on the way with the best guess": correlation(said, expected),
    }
    return common.finish(
        args,
        found,
        learning=partial(draw_errors, errors, guess),
        memory=partial(draw_memory, x[:3], expected[:3], said[:3]),
    )


def best_guesses(x: np.ndarray) -> np.ndarray:
    """The sum that is to be expected after each step (N, T): what was marked so far, and 1/2 for each mark to come."""
    numbers, marks = np.moveaxis(x, -1, 0)
    return np.cumsum(numbers * marks, axis=1) + (2 - np.cumsum(marks, axis=1)) / 2


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """How alike two arrays are: 1 if one is the other, but for the scale and the zero."""
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def draw_errors(errors: dict[str, list[float]], guess: float, file: Path) -> None:
    """Draws how the networks learn."""
    import plots

    figure = plots.new_figure(8, 4.6, "Who learns to add two numbers that come many steps apart")
    axes = figure.subplots()
    axes.axhline(guess, color=plots.GREY, linestyle="--", label="always saying the mean")
    for (name, values), color in zip(errors.items(), (plots.BLUE, plots.GREEN, plots.ORANGE), strict=True):
        axes.plot(range(1, len(values) + 1), values, color=color, linewidth=2, marker="o", markersize=4, label=name)
    axes.set(xlabel="epoch", ylabel="mean squared error on new sequences", yscale="log")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    plots.open_frame(axes)
    plots.save(figure, file)


def draw_memory(x: np.ndarray, expected: np.ndarray, said: np.ndarray, file: Path) -> None:
    """Draws what goes by in a few sequences, and what the network would say on the way."""
    import plots

    figure = plots.new_figure(9, 7.4, f"What the LSTM has in mind while {STEPS} numbers go by")
    steps = np.arange(1, STEPS + 1)
    rows = figure.subplots(len(x), 1, sharex=True)
    for axes, (values, marks), best, answers in zip(rows, np.moveaxis(x, -1, 1), expected, said, strict=True):
        marked = marks == 1
        axes.scatter(steps[~marked], values[~marked], s=14, color="#BDC1C6", label="a number")
        axes.scatter(steps[marked], values[marked], s=60, color=plots.ORANGE, zorder=3, label="a marked one")
        axes.step(steps, best, where="post", color=plots.GREY, linestyle="--", label="the best guess of the sum")
        axes.step(steps, answers, where="post", color=plots.BLUE, linewidth=2, label="what it would say")
        axes.set(xlim=(0.5, STEPS + 0.5), ylim=(-0.2, 2.1))
        plots.open_frame(axes)
    rows[-1].set_xlabel("step")
    figure.legend(*rows[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
