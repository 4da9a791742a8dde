"""Convolves a picture with kernels made by hand: identity, edges, sharpening, blur. Nothing is trained.

First by numbers: what one kernel makes of an image of 4x4 pixels. Then by eye: what seven famous kernels make of a
picture, and how padding and stride decide on the size of what comes out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import common
import numpy as np

import tensorgrad as tg
from tensorgrad.data import load_digits
from tensorgrad.nn import functional as F

KERNELS = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "box blur": [[1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "edge detection": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "Sobel, across": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "Sobel, down": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "top edges": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
}
WINDOWS = {
    "valid: no padding": {"padding": "valid"},
    "same: padding 1": {"padding": "same"},
    "wide: padding 2": {"padding": 2},
    "padding 1, stride 2": {"padding": 1, "stride": 2},
}
"""Ways to move a kernel of 3x3 over an image."""


def make_picture(size: int = 96) -> np.ndarray:
    """A house in the sun: shape (size, size), from 0 (black) to 1 (white)."""
    y, x = np.mgrid[0 : 1 : size * 1j, 0 : 1 : size * 1j]
    picture = np.full((size, size), 0.7, np.float32)
    picture[(x - 0.82) ** 2 + (y - 0.18) ** 2 < 0.1**2] = 1.0
    grass = y > 0.8
    picture[grass] = 0.35 + 0.15 * tg.rand(int(grass.sum())).numpy()
    picture[(np.abs(x - 0.4) < 0.24) & (y > 0.45) & (y < 0.86)] = 0.9
    picture[(y > 0.2) & (y < 0.45) & (np.abs(x - 0.4) < 1.25 * (y - 0.2))] = 0.2
    picture[(np.abs(x - 0.3) < 0.06) & (np.abs(y - 0.6) < 0.06)] = 0.45
    picture[(np.abs(x - 0.5) < 0.06) & (y > 0.62) & (y < 0.86)] = 0.1
    return picture


def convolve(image: np.ndarray, kernel: Sequence[Sequence[float]], device: str, **how: int | str) -> np.ndarray:
    """A kernel laid over an image at each place: there, the sum of the pixels, each times its weight.

    Args:
        image: shape (H, W).
        kernel: shape (h, w).
        device: where to compute.
        how: padding and stride.
    """
    images = tg.tensor(image[None, None], device=device)  # (H, W) -> (1, 1, H, W): one image with one channel
    weight = tg.tensor([[kernel]], dtype=images.dtype, device=device)  # -> (1, 1, h, w): one kernel over one channel
    return F.conv2d(images, weight, **how)[0, 0].numpy()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the example; returns the exit code."""
    args = common.start(argv, __doc__, "kernels")

    image = np.array([[4, 2, 0, 2], [3, 2, 3, 8], [2, 1, 8, 5], [4, 6, 8, 2]], np.float32)
    kernel = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    result = convolve(image, kernel, args.device)
    print(f"The image\n{image}\nconvolved with the kernel\n{np.array(kernel)}\ngives\n{result}")
    print("Top left: 1*4 + 2*2 + 3*0 + 4*3 + 5*2 + 6*3 + 7*2 + 8*1 + 9*8 = 142.")

    picture = make_picture()
    seen = {name: convolve(picture, kernel, args.device) for name, kernel in KERNELS.items()}
    digit = load_digits("test")[0][1, 0]
    windows = {name: convolve(digit, KERNELS["box blur"], args.device, **how) for name, how in WINDOWS.items()}

    inner = picture[1:-1, 1:-1]
    found = {
        "identity changes a pixel by, at most": float(np.abs(seen["identity"] - inner).max()),
        "edge detection gives nothing (less than 0.001) on, % of the picture": 100
        * float((np.abs(seen["edge detection"]) < 1e-3).mean()),
        "contrast (standard deviation) of the picture": float(inner.std()),
        "contrast after sharpening": float(seen["sharpen"].std()),
        "contrast after the blur": float(seen["box blur"].std()),
        **{f"8x8 pixels, {name}: pixels a side": len(result) for name, result in windows.items()},
    }
    return common.finish(
        args, found, kernels=partial(draw_kernels, picture, seen), windows=partial(draw_windows, digit, windows)
    )


def draw_kernels(picture: np.ndarray, seen: dict[str, np.ndarray], file: Path) -> None:
    """Draws the picture, and what each kernel makes of it."""
    import plots

    figure = plots.new_figure(11, 7.7, "Kernels made by hand, and what each makes of a picture")
    first, *panels = figure.subplots(2, 4).flat
    first.imshow(picture, cmap="gray", vmin=0, vmax=1)
    first.set_title("the picture")
    plots.bare(first)
    for axes, (name, result) in zip(panels, seen.items(), strict=True):
        if np.sum(KERNELS[name]) == 0:
            reach = float(np.abs(result).max())
            axes.imshow(result, cmap="PuOr_r", vmin=-reach, vmax=reach)
        else:
            axes.imshow(result, cmap="gray", vmin=0, vmax=1)
        rows = [["1/9" if 0 < weight < 1 else f"{weight:g}" for weight in row] for row in KERNELS[name]]
        axes.set_xlabel("\n".join(" ".join(f"{text:>3}" for text in row) for row in rows), family="monospace", size=10)
        axes.set_title(name)
        plots.bare(axes)
    figure.supxlabel("Below, where a kernel's weights add up to 0: orange above 0, purple below it", size=10)
    plots.save(figure, file)


def draw_windows(digit: np.ndarray, windows: dict[str, np.ndarray], file: Path) -> None:
    """Draws a digit and its blurred images, all pixels in one scale."""
    import plots

    figure = plots.new_figure(13, 3.6, "How padding and stride decide on the size: a box blur of 3x3")
    for axes, (name, image) in zip(figure.subplots(1, 5), {"the image": digit, **windows}.items(), strict=True):
        side = len(image)
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=(-side / 2, side / 2, -side / 2, side / 2))
        axes.set(xlim=(-5.2, 5.2), ylim=(-5.2, 5.2), title=name, xlabel=f"{side} x {side}")
        plots.bare(axes)
        axes.spines[:].set_visible(False)
        axes.plot(*np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]).T * side / 2, color=plots.BLUE, linewidth=1)
    plots.save(figure, file)


if __name__ == "__main__":
    sys.exit(common.end_on_interrupt(main))
