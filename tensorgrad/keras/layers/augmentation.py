"""Augmentation of images while training: the transforms of :mod:`tensorgrad.data`, as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.data import transforms
from tensorgrad.keras.config import standardize_data_format
from tensorgrad.keras.layers.base import Layer
from tensorgrad.ops.shape import moveaxis

FLIPS = {
    "horizontal": (transforms.RandomHorizontalFlip(),),
    "vertical": (transforms.RandomVerticalFlip(),),
    "horizontal_and_vertical": (transforms.RandomHorizontalFlip(), transforms.RandomVerticalFlip()),
}


class _Augmentation(Layer):
    """What changes images (N, height, width, channels) at random while training; no gradients pass."""

    def __init__(self, *steps: Any, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format, self.steps = standardize_data_format(data_format), steps

    def call(self, inputs: Any) -> Any:
        if not self.training:
            return inputs
        last = self.data_format == "channels_last"
        x = moveaxis(inputs, -1, 1) if last else inputs
        for step in self.steps:
            x = step(x)
        return moveaxis(x, 1, -1) if last else x


class RandomFlip(_Augmentation):
    """Images flipped, half of them.

    Args:
        mode: ``"horizontal"``, ``"vertical"`` or ``"horizontal_and_vertical"``.
        kwargs: ``data_format``; others as of :class:`Layer`.

    Example:
        >>> RandomFlip("horizontal")(tg.ones((2, 4, 4, 3)), training=True).shape
        (2, 4, 4, 3)
    """

    def __init__(self, mode: str = "horizontal_and_vertical", **kwargs: Any) -> None:
        if mode not in FLIPS:
            raise ValueError(f"RandomFlip has the modes {', '.join(map(repr, FLIPS))}, not {mode!r}.")
        super().__init__(*FLIPS[mode], **kwargs)


def _range(factor: float | Sequence[float]) -> tuple[float, float]:
    return (-factor, factor) if isinstance(factor, (int, float)) else (factor[0], factor[1])


def _require_constant(layer: str, mode: str) -> None:
    if mode != "constant":
        raise NotImplementedError(f"{layer} fills what is outside with fill_value: fill_mode must be 'constant'.")


class RandomRotation(_Augmentation):
    """Images rotated about their centre.

    Args:
        factor: the largest rotation, as a part of the whole circle; or a pair, the least and the largest.
        fill_mode: ``"constant"``, which is all there is.
        fill_value: what is outside of an image.
        kwargs: ``data_format``; others as of :class:`Layer`.
    """

    def __init__(self, factor: Any, fill_mode: str = "constant", fill_value: float = 0.0, **kwargs: Any) -> None:
        _require_constant("RandomRotation", fill_mode)
        low, high = _range(factor)
        super().__init__(transforms.RandomRotation((360 * low, 360 * high), fill=fill_value), **kwargs)


class RandomTranslation(_Augmentation):
    """Images shifted, by whole pixels.

    Args:
        height_factor: the largest shift up and down, as a part of the height.
        width_factor: and to the sides, as a part of the width.
        fill_mode: ``"constant"``, which is all there is.
        fill_value: what is outside of an image.
        kwargs: ``data_format``; others as of :class:`Layer`.
    """

    def __init__(
        self,
        height_factor: float,
        width_factor: float,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        _require_constant("RandomTranslation", fill_mode)
        super().__init__(transforms.RandomShift(width_factor, height_factor, fill=fill_value), **kwargs)


class RandomZoom(_Augmentation):
    """Images enlarged or made smaller about their centre.

    Args:
        height_factor: by how much at most: 0.2 shows from 20 % less to 20 % more of it; or a pair.
        width_factor: must be None: the proportions stay.
        fill_mode: ``"constant"``, which is all there is.
        fill_value: what is outside of an image.
        kwargs: ``data_format``; others as of :class:`Layer`.
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        _require_constant("RandomZoom", fill_mode)
        if width_factor is not None:
            raise NotImplementedError("RandomZoom keeps the proportions: width_factor must be None.")
        low, high = _range(height_factor)
        super().__init__(transforms.RandomAffine(scale=(1 / (1 + high), 1 / (1 + low)), fill=fill_value), **kwargs)
