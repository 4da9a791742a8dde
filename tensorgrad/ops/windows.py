"""What all poolings are made of: windows, and the ops that take their largest element or their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad import kernels
from tensorgrad.autograd import Tensor, op
from tensorgrad.ops.creation import asarray
from tensorgrad.ops.geometry import Pairs, Shape, pairs, sizes

Size = int | Sequence[int]

# -- the ops: each of the pairs is the derivative of the other -------------------------------------------------


@op(outputs=("values", "positions"))
def max_pool(x, *, kernel, stride, padding, dilation):
    return kernels.of(x).max_pool(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@max_pool.vjp("x")
def _(gs, positions, x_shape, kernel, stride, padding, dilation):
    return place(
        gs[0], positions, spatial=x_shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )


@op
def pick(x, positions, /, kernel, stride, padding, dilation):
    return kernels.of(x).pick(x, positions, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@pick.vjp("x")
def _(g, positions, x_shape, kernel, stride, padding, dilation):
    return place(g, positions, spatial=x_shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def place(y, positions, /, spatial, kernel, stride, padding, dilation):
    return kernels.of(y).place(
        y, positions, spatial=spatial, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )


@place.vjp("y")
def _(g, positions, kernel, stride, padding, dilation):
    return pick(g, positions, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def sum_pool(x, /, kernel, stride, padding, dilation):
    return kernels.of(x).sum_pool(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@sum_pool.vjp("x")
def _(g, x_shape, kernel, stride, padding, dilation):
    return spread(g, spatial=x_shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def spread(y, /, spatial, kernel, stride, padding, dilation):
    return kernels.of(y).spread(y, spatial=spatial, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@spread.vjp("y")
def _(g, kernel, stride, padding, dilation):
    return sum_pool(g, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op
def unfold(x, /, kernel, stride, padding, dilation):
    return kernels.of(x).unfold(x, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@unfold.vjp("x")
def _(g, x_shape, stride, padding, dilation):
    return fold(g, spatial=x_shape[2:], stride=stride, padding=padding, dilation=dilation)


@op
def fold(windows, /, spatial, stride, padding, dilation):
    return kernels.of(windows).fold(windows, spatial=spatial, stride=stride, padding=padding, dilation=dilation)


@fold.vjp("windows")
def _(g, windows_shape, spatial, stride, padding, dilation):
    return unfold(g, kernel=windows_shape[-len(spatial) :], stride=stride, padding=padding, dilation=dilation)


# -- windows ---------------------------------------------------------------------------------------------------


def pool_padding(padding: Any, kernel: Shape, name: str) -> Pairs:
    """A pooling's padding as a pair (before, after) for each axis.

    Raises:
        ValueError: for another count, or more than half of the kernel; ``name`` says whose.
    """
    given = pairs(padding, len(kernel), f"{name} padding")
    if any(max(pair) > k // 2 for k, pair in zip(kernel, given, strict=True)):
        raise ValueError(
            f"{name}: padding {padding} is more than half of the kernel {kernel}: some windows would lie in the "
            f"padding alone."
        )
    return given


class Windows:
    """The windows of one pooling: its options, checked, and the padding that rounding up needs."""

    def __init__(
        self,
        name: str,
        d: int,
        x: Any,
        kernel_size: Size,
        stride: Size | None,
        padding: Any = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        x = asarray(x)
        if x.ndim not in (d + 1, d + 2):
            raise ValueError(f"{name}() needs an input with {d + 2} axes (N, C, *spatial) or {d + 1}, got {x.shape}.")
        self.batched = x.ndim == d + 2
        self.x = x if self.batched else x.expand_dims(0)
        self.spatial = self.x.shape[2:]
        self.name = name
        self.kernel = sizes(kernel_size, d, f"{name}() kernel_size")
        self.stride = self.kernel if stride is None else sizes(stride, d, f"{name}() stride")
        self.dilation = sizes(dilation, d, f"{name}() dilation")
        self.asked = pool_padding(padding, self.kernel, f"{name}()")
        self.padding: Pairs = self.asked
        if ceil_mode:
            self.padding = tuple(map(self._rounded_up, range(d)))

    def _rounded_up(self, axis: int) -> tuple[int, int]:
        """The padding with which a last, incomplete window counts, if it starts inside the input or left padding."""
        (lo, hi), n, step = self.asked[axis], self.spatial[axis], self.stride[axis]
        extent = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        count = -(-(n + lo + hi - extent) // step) + 1
        if (count - 1) * step >= n + lo:
            count -= 1
        return lo, max(hi, (count - 1) * step + extent - n - lo)

    @property
    def options(self) -> dict[str, Any]:
        return {"kernel": self.kernel, "stride": self.stride, "padding": self.padding, "dilation": self.dilation}

    def counts(self, include_padding: bool) -> np.ndarray:
        """How many elements each window has, shape (*out,); the padding of rounding up never counts."""
        total = np.ones((), dtype=np.int64)
        for n, k, step, (lo, hi), (low, high) in zip(
            self.spatial, self.kernel, self.stride, self.asked, self.padding, strict=True
        ):
            starts = np.arange((n + low + high - k) // step + 1) * step - lo
            first, last = (-lo, n + hi) if include_padding else (0, n)
            along = np.minimum(starts + k, last) - np.maximum(starts, first)
            total = total[..., None] * along
        return total

    def result(self, y: Tensor) -> Tensor:
        return y if self.batched else y.squeeze(0)
