"""Padding as layers have it: the last axes first. :func:`tensorgrad.pad` is NumPy's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorgrad.autograd import Tensor
from tensorgrad.ops.arrangement import pad
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.memory_order import CHANNELS_FIRST, channels_are_last

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's names, and NumPy's."""


def pad_last_axes(
    x: Any,
    widths: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
    *,
    data_format: str = CHANNELS_FIRST,
) -> Tensor:
    """``x`` with more elements around it, or fewer, along the last axes; PyTorch's ``functional.pad``.

    Args:
        x: an array of any shape.
        widths: how many before and after on the last axis, before and after on the one before it, ...; negative
            numbers take so many away.
        mode: ``"constant"``, ``"reflect"`` (mirrors, the outermost once), ``"replicate"`` (repeats the outermost) or
            ``"circular"`` (goes round).
        value: the number to pad with, for ``"constant"``; 0, if it is not given.
        data_format: ``"channels_last"`` leaves the last axis as it is, and pads those before it.

    Raises:
        ValueError: for another mode, or widths that do not go with the shape.

    Example:
        >>> pad_last_axes(tg.tensor([[1.0, 2.0, 3.0]]), (2, 0), "reflect")
        Tensor([[3., 2., 1., 2., 3.]], dtype=float32, device='cpu')
    """
    x, widths = asarray(x), [*[0, 0] * channels_are_last(data_format, "pad()"), *widths]
    if mode not in MODES:
        raise ValueError(f"pad() has no mode {mode!r}: use {', '.join(MODES)}.")
    if len(widths) % 2 or len(widths) > 2 * x.ndim:
        raise ValueError(f"pad() takes a pair of numbers for each of the last axes, got {widths} for shape {x.shape}.")
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + [*zip(widths[-2::-2], widths[::-2], strict=True)]
    for n, (before, after) in zip(x.shape, pairs, strict=True):
        most = max(before, after)
        if n + min(before, 0) + min(after, 0) < 0 or (mode == "reflect" and most >= max(n, 1)):
            raise ValueError(f"pad() in the mode {mode!r} by {widths} does not go with shape {x.shape}.")
        if mode == "circular" and most > n:
            raise ValueError(f"pad() goes round no more than once, got {widths} for shape {x.shape}.")
    if any(min(pair) < 0 for pair in pairs):
        x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, pairs, strict=True))]
    more = [(max(a, 0), max(b, 0)) for a, b in pairs]
    result: Tensor = pad(x, more, MODES[mode], 0 if value is None else value)
    return result
