"""Fits a line to points by gradient descent, with nothing but Tensors, and shows the way down the surface of the loss.

100 points are generated about a known line. The loss is the mean squared distance from the line, up and down; the
gradient tells which way it grows, and each step goes a little against it. The end is compared with the exact solution.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np

import tensorgrad as tg

POINTS = 100
SLOPE, INTERCEPT, NOISE = 1.5, -1.0, 0.5
START = (-1.0, 2.5)
"""The slope and the intercept to begin with."""
LR = 0.1


def make_points() -> tuple[tg.Tensor, tg.Tensor]:
    """Points about the line y = 1.5 x - 1: x from 0 to 3, and y with normal noise."""
    x = 3 * tg.rand(POINTS)
    return x, SLOPE * x + INTERCEPT + NOISE * tg.randn(POINTS)


def mean_squared_error(slope: tg.Tensor, intercept: tg.Tensor, x: tg.Tensor, y: tg.Tensor) -> tg.Tensor:
    """How far the points are from the line, squared and averaged."""
    return ((slope * x + intercept - y) ** 2).mean()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "linear_regression", epochs=200)
    x, y = (values.to(args.device) for values in make_points())
    slope, intercept = (tg.tensor(value, device=args.device, requires_grad=True) for value in START)

    path = [START]
    for epoch in range(1, args.epochs + 1):
        loss = mean_squared_error(slope, intercept, x, y)
        loss.backward()  # d loss / d slope into slope.grad, d loss / d intercept into intercept.grad
        with tg.no_grad():
            slope -= LR * slope.grad
            intercept -= LR * intercept.grad
        slope.grad = intercept.grad = None
        path.append((slope.item(), intercept.item()))
        if epoch in (1, 2, 5, 10, 20, 50, 100) or epoch == args.epochs:
            print(f"step {epoch:3}: loss {loss.item():.4f}, y = {path[-1][0]:.3f} x {path[-1][1]:+.3f}")

    x, y = x.numpy(), y.numpy()
    exact = np.polyfit(x.astype(np.float64), y.astype(np.float64), 1)
    found = {
        "slope": path[-1][0],
        "intercept": path[-1][1],
        "distance from the exact solution": float(np.hypot(*(path[-1] - exact))),
        "loss at the start": float(mean_squared_error(*START, x, y)),
        "loss at the end": float(mean_squared_error(*path[-1], x, y)),
    }
    return common.finish(args, found, descent=partial(draw, x, y, np.array(path), exact))


def draw(x: np.ndarray, y: np.ndarray, path: np.ndarray, exact: np.ndarray, file: Path) -> None:
    """Draws the points with the line, and the loss of all lines with the path of gradient descent."""
    import plots

    figure = plots.new_figure(11, 4.8, f"Linear regression: {len(path) - 1} steps of gradient descent")
    points, surface = figure.subplots(1, 2)

    ends = np.array([0.0, 3.0])
    steps = [step for step in (0, 1, 2, 5, 20) if step < len(path) - 1]
    points.scatter(x, y, s=14, color=plots.GREY, alpha=0.6, label="the points")
    for step in steps:
        slope, intercept = path[step]
        points.plot(ends, slope * ends + intercept, color=plots.ORANGE, alpha=0.6, linewidth=1.2)
        points.text(3.03, slope * 3 + intercept, f"{step}", va="center", size=9)
    slope, intercept = path[-1]
    points.plot([], [], color=plots.ORANGE, alpha=0.6, label="the line after so many steps")
    points.plot(ends, slope * ends + intercept, color=plots.BLUE, linewidth=2.5, label="the line at the end")
    points.set(title=f"y = {slope:.2f} x {intercept:+.2f}", xlabel="x", ylabel="y", xlim=(-0.1, 3.3))
    points.legend(frameon=False, loc="upper left")
    plots.open_frame(points)

    slopes, intercepts = np.meshgrid(np.linspace(-1.4, 3.4, 121), np.linspace(-3.4, 3.0, 121))
    away = slopes[..., None] * x + intercepts[..., None] - y
    losses = (away**2).mean(axis=-1)
    levels = np.geomspace(losses.min(), losses.max(), 16)
    shown = surface.contourf(slopes, intercepts, losses, levels=levels, cmap="viridis", norm="log")
    surface.plot(*path.T, "o-", color="white", linewidth=1.2, markersize=3.5, label="the path of gradient descent")
    surface.plot(*path[0], "o", color=plots.ORANGE, markersize=8, label="the start")
    surface.plot(*exact, "*", color="white", markeredgecolor="black", markersize=14, label="the exact solution")
    surface.set(title="The loss of every line", xlabel="slope", ylabel="intercept")
    surface.legend(loc="lower left", fontsize=9, facecolor="#31688E", labelcolor="white", framealpha=0.9)
    figure.colorbar(shown, ax=surface, format="%.2g").set_label("mean squared error (logarithmic)")
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
