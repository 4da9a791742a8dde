"""Both splits of a data set of :mod:`tensorgrad.data`, in Keras's shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Split = tuple[np.ndarray, np.ndarray]


def both(load: Callable[..., Split], shape: tuple[int, ...], label_shape: tuple[int, ...], **options: Any) -> Any:
    """What ``load`` gives for ``"train"`` and ``"test"``: pixels from 0 to 255, the channels last.

    Args:
        load: a function of tensorgrad.data, which gives images (N, C, H, W).
        shape: of an image.
        label_shape: of a label.
        options: of ``load``.
    """

    def split(name: str) -> Split:
        images, classes = load(name, dtype=np.uint8, **options)
        pixels = np.moveaxis(images, 1, -1).reshape(-1, *shape)
        return np.ascontiguousarray(pixels), classes.astype(np.uint8).reshape(-1, *label_shape)

    return split("train"), split("test")
