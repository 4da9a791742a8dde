"""Both splits of a data set of :mod:`tensorgrad.data`, in Keras's shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Split = tuple[np.ndarray, np.ndarray]


def both(load: Callable[..., Split], shape: tuple[int, ...], labels: tuple[int, ...], **options: Any) -> Any:
    """What ``load`` gives for ``"train"`` and ``"test"``: pixels from 0 to 255, the channels last.

    Args:
        load: a function of tensorgrad.data, which gives images (N, C, H, W).
        shape: of an image.
        labels: the axes of a label, besides that of the samples.
        options: of ``load``.
    """

    def split(name: str) -> Split:
        images, classes = load(name, dtype=np.uint8, **options)
        pixels = np.moveaxis(images, 1, -1).reshape(-1, *shape)
        return np.ascontiguousarray(pixels), classes.astype(np.uint8).reshape(-1, *labels)

    return split("train"), split("test")
