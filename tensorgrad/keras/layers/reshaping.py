"""Layers that change the shape, the place or the size of what passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tensorgrad import nn
from tensorgrad.keras.config import standardize_data_format
from tensorgrad.keras.layers.base import Layer
from tensorgrad.keras.layers.convolution import spatial
from tensorgrad.nn import functional as F
from tensorgrad.ops.arrangement import pad, repeat, tile
from tensorgrad.ops.geometry import pairs, sizes
from tensorgrad.ops.shape import expand_dims, moveaxis, permute_dims


class Flatten(Layer):
    """Each sample as one row.

    Args:
        data_format: with ``"channels_first"`` the channels are brought to the end before.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Flatten()(tg.ones((1, 64, 32, 32))).shape
        (1, 65536)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.module = nn.Flatten()

    def call(self, inputs: Any) -> Any:
        if len(inputs.shape) == 1:
            return expand_dims(inputs, -1)
        if self.data_format == "channels_first" and len(inputs.shape) > 2:
            inputs = moveaxis(inputs, 1, -1)
        return self.module(inputs)


class Reshape(Layer):
    """Each sample in another shape, :class:`tensorgrad.nn.Reshape`.

    Args:
        target_shape: without the batch axis; one length may be -1.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Reshape((28, 28, 1))(tg.ones((2, 784))).shape
        (2, 28, 28, 1)
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        self.module = nn.Reshape(self.target_shape)

    def call(self, inputs: Any) -> Any:
        return self.module(inputs)


class Permute(Layer):
    """Axes in another order.

    Args:
        dims: the axes, counted from 1; the batch axis is not among them.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Permute((2, 1))(tg.ones((5, 10, 64))).shape
        (5, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute takes the numbers from 1 to that of the axes in some order, got {self.dims}.")

    def call(self, inputs: Any) -> Any:
        return permute_dims(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Each sample ``n`` times: (N, features) becomes (N, n, features).

    Args:
        n: how often.
        kwargs: as of :class:`Layer`.
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = n

    def call(self, inputs: Any) -> Any:
        return tile(expand_dims(inputs, 1), (1, self.n, 1))


class _OfSpace(Layer):
    """What works on the axes of space."""

    axes: ClassVar[int] = 2

    def _all(self, pairs: Any, rank: int) -> list[tuple[int, int]]:
        """A pair for each axis."""
        first = 1 if self.data_format == "channels_last" else 2
        if rank != self.axes + 2:
            raise ValueError(f"{self.name} takes {self.axes + 2} axes, got {rank}.")
        return [pairs[i - first] if first <= i < first + self.axes else (0, 0) for i in range(rank)]

    data_format: str


class ZeroPadding2D(_OfSpace):
    """Zeros around images.

    Args:
        padding: how many: a number, one for height and width, or ``((top, bottom), (left, right))``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        kwargs: as of :class:`Layer`.

    Example:
        >>> ZeroPadding2D(((1, 0), (2, 2)))(tg.ones((1, 4, 4, 3))).shape
        (1, 5, 8, 3)
    """

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = pairs(padding, self.axes, f"{type(self).__name__} padding")
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        return pad(inputs, self._all(self.padding, len(inputs.shape)))


class ZeroPadding1D(ZeroPadding2D):
    """Zeros around sequences: (N, length, channels). ``padding`` is a number or a pair."""

    axes = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding if isinstance(padding, int) else (tuple(padding),), data_format, **kwargs)


class ZeroPadding3D(ZeroPadding2D):
    """Zeros around volumes. Arguments as of :class:`ZeroPadding2D`, with three axes."""

    axes = 3


class Cropping2D(_OfSpace):
    """Images without their edges.

    Args:
        cropping: how many pixels: a number, one for height and width, or ``((top, bottom), (left, right))``.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Cropping2D(1)(tg.ones((1, 5, 6, 3))).shape
        (1, 3, 4, 3)
    """

    def __init__(self, cropping: Any = 0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = pairs(cropping, self.axes, f"{type(self).__name__} cropping")
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        cuts = self._all(self.cropping, len(inputs.shape))
        if any(sum(cut) >= n > 0 for cut, n in zip(cuts[1:], inputs.shape[1:], strict=True)):
            raise ValueError(f"{self.name} would leave nothing of {inputs.shape}.")
        return inputs[tuple(slice(cut[0], n - cut[1]) for cut, n in zip(cuts, inputs.shape, strict=True))]


class Cropping1D(Cropping2D):
    """Sequences without their ends. ``cropping`` is a number or a pair."""

    axes = 1

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping if isinstance(cropping, int) else (tuple(cropping),), data_format, **kwargs)


class UpSampling2D(_OfSpace):
    """Images so many times as high and wide, :func:`tensorgrad.interpolate`.

    Args:
        size: how many times: a number, or one for height and width.
        data_format: ``"channels_last"`` or ``"channels_first"``.
        interpolation: ``"nearest"``, ``"bilinear"`` or ``"bicubic"``.
        kwargs: as of :class:`Layer`.

    Example:
        >>> UpSampling2D((2, 3))(tg.ones((1, 4, 4, 3))).shape
        (1, 8, 12, 3)
    """

    def __init__(
        self, size: Any = 2, data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = sizes(size, self.axes, f"{type(self).__name__} size")
        self.data_format = standardize_data_format(data_format)
        if interpolation not in ("nearest", "bilinear", "bicubic"):
            raise ValueError(f"{type(self).__name__} has no interpolation {interpolation!r}.")
        self.interpolation = interpolation

    def call(self, inputs: Any) -> Any:
        wanted = tuple(n * k for n, k in zip(spatial(inputs, self.axes, self.data_format), self.size, strict=True))
        return F.interpolate(inputs, wanted, mode=self.interpolation, data_format=self.data_format)


class UpSampling1D(Layer):
    """Each step of (N, length, channels) repeated.

    Args:
        size: how often.
        kwargs: as of :class:`Layer`.
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs: Any) -> Any:
        return repeat(inputs, self.size, axis=1)


class Rescaling(Layer):
    """``inputs * scale + offset``: such as pixels of 0 to 255 brought to 0 to 1.

    Args:
        scale: the factor.
        offset: what is added.
        kwargs: as of :class:`Layer`.

    Example:
        >>> Rescaling(1 / 255)(tg.full((1, 2), 255.0)).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale + self.offset
