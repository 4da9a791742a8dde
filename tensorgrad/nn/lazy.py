"""Layers that find out from their first input how many features or channels come in, and are ordinary ones then."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

from tensorgrad.nn.convolution import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import BUFFER, PARAMETER, Module
from tensorgrad.nn.normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from tensorgrad.nn.parameter import Uninitialized, UninitializedBuffer, UninitializedParameter
from tensorgrad.ops.creation import asarray


class Lazy(Module):
    """Makes a layer lazy: ``class LazyLinear(Lazy, Linear)`` takes Linear's arguments but for the first.

    With its first input, or with a state that is loaded, it becomes the layer that stands behind it in the list of
    bases: its tensors get the values that this layer has when it is made at this moment. They stay the same objects,
    so an optimizer made before has them; hooks, the mode, the dtype, the device, and what was frozen stay, too.
    """

    size: ClassVar[str]
    """The first argument of the ordinary layer, and its attribute, that is found out."""
    state_axis: ClassVar[int] = 0
    """The axis of the weight, or of the running mean, that has this length; axis 1 has that of one group."""

    defaults: ClassVar[dict[str, Any]] = {}
    """Of arguments whose defaults are not the ordinary layer's."""

    @property
    def input_axis(self) -> int:
        """The axis of the input that has this length."""
        return 1

    @classmethod
    def ordinary(cls) -> Any:
        """What it becomes."""
        return next(base for base in cls.__mro__ if not issubclass(base, Lazy))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        signature = inspect.signature(cls.ordinary())
        parameters = [
            parameter.replace(default=cls.defaults.get(name, parameter.default))
            for name, parameter in signature.parameters.items()
            if name != cls.size
        ]
        cls.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Once with a size that is none, so that wrong options are refused now.
        given = {**self.defaults, **inspect.signature(type(self)).bind(*args, **kwargs).arguments}
        super().__init__(given.get("groups", 1), **given)  # type: ignore[call-arg]
        self._given = given
        setattr(self, self.size, None)
        for role, kind in ((PARAMETER, UninitializedParameter), (BUFFER, UninitializedBuffer)):
            for name, tensor in self._members(role):
                self._set(name, kind(device=tensor.device, dtype=tensor.dtype), role)

    def reset_parameters(self) -> None:
        """Does nothing: there are no values yet."""

    def forward(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        x = asarray(x)
        axis = -1 if getattr(self, "data_format", None) == "channels_last" else self.input_axis
        if not -x.ndim <= axis < x.ndim:
            count = axis + 1 if axis > 0 else -axis
            raise ValueError(f"{self!r} takes an input with {count} axes or more, got shape {x.shape}.")
        kind, given, waiting = type(self), self._given, self._waiting()
        self._become(self._made(x.shape[axis]))
        try:
            return self.forward(x, *args, **kwargs)
        except Exception:
            # What the ordinary layer refuses has told nothing: another input may come first.
            for tensor, before in waiting:
                tensor.data = tensor.data.reshape(-1)[:0].copy()
                tensor.__class__ = before
            self.__class__ = kind
            self._given = given
            setattr(self, self.size, None)
            raise

    def _waiting(self) -> list[tuple[Any, type]]:
        tensors = [tensor for _, tensor in self._members(PARAMETER, BUFFER)]
        return [(tensor, type(tensor)) for tensor in tensors if isinstance(tensor, Uninitialized)]

    def _made(self, size: int) -> Module:
        """The ordinary layer, of the dtype and on the device that this one is to have by now."""
        floating = [tensor for _, tensor in self._members(PARAMETER, BUFFER) if tensor.dtype.kind == "f"]
        where = {"device": floating[0].device, "dtype": floating[0].dtype} if floating else {}
        taken = {name: value for name, value in where.items() if name in inspect.signature(type(self)).parameters}
        made: Module = self.ordinary()(size, **{**self._given, **taken})
        return made.to(**where) if where else made

    def _ready_for(self, state: Mapping[str, Any], path: str) -> Module:
        for name in ("weight", "running_mean"):
            shape = getattr(state.get(f"{path}.{name}" if path else name), "shape", ())
            if len(shape) > self.state_axis:
                return self._made(shape[self.state_axis] * (getattr(self, "groups", 1) if self.state_axis else 1))
        return self

    def _become(self, made: Module) -> None:
        for name, tensor in made._members(PARAMETER, BUFFER):
            own = getattr(self, name)
            if isinstance(own, Uninitialized):
                own.materialize(tensor.data)
        setattr(self, self.size, getattr(made, self.size))
        del self._given
        self.__class__ = type(made)  # type: ignore[assignment]


class LazyLinear(Lazy, Linear):
    """:class:`Linear` that takes ``in_features`` from its first input, and is a Linear from then on.

    Until then its parameters have no values: it must be called once, or a state be loaded, before it is saved. It may
    be moved and be given to an optimizer before.

    Example:
        >>> model = tg.nn.Sequential(tg.nn.Flatten(), tg.nn.LazyLinear(8), tg.nn.ReLU(), tg.nn.LazyLinear(2))
        >>> model[1]
        LazyLinear(in_features=None, out_features=8, bias=True)
        >>> model(tg.ones((5, 3, 4))).shape
        (5, 2)
        >>> model[1]
        Linear(in_features=12, out_features=8, bias=True)
    """

    size = "in_features"
    state_axis = 1

    @property
    def input_axis(self) -> int:
        return -1


class _LazyConv(Lazy):
    axes: ClassVar[str]

    size = "in_channels"
    state_axis = 1

    @property
    def input_axis(self) -> int:
        return -1 - len(self.axes)


class LazyConv1d(_LazyConv, Conv1d):
    """:class:`Conv1d` that takes ``in_channels`` from its first input; see :class:`LazyLinear`."""


class LazyConv2d(_LazyConv, Conv2d):
    """:class:`Conv2d` that takes ``in_channels`` from its first input; see :class:`LazyLinear`.

    Example:
        >>> layer = tg.nn.LazyConv2d(8, kernel_size=3, padding="same")
        >>> layer(tg.ones((2, 3, 5, 5))).shape
        (2, 8, 5, 5)
        >>> layer
        Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding='same')
    """


class LazyConv3d(_LazyConv, Conv3d):
    """:class:`Conv3d` that takes ``in_channels`` from its first input; see :class:`LazyLinear`."""


class _LazyConvTranspose(_LazyConv):
    state_axis = 0


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """:class:`ConvTranspose1d` that takes ``in_channels`` from its first input; see :class:`LazyLinear`."""


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """:class:`ConvTranspose2d` that takes ``in_channels`` from its first input; see :class:`LazyLinear`."""


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """:class:`ConvTranspose3d` that takes ``in_channels`` from its first input; see :class:`LazyLinear`."""


class _LazyNorm(Lazy):
    size = "num_features"


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """:class:`BatchNorm1d` that takes ``num_features`` from its first input; see :class:`LazyLinear`."""


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """:class:`BatchNorm2d` that takes ``num_features`` from its first input; see :class:`LazyLinear`."""


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """:class:`BatchNorm3d` that takes ``num_features`` from its first input; see :class:`LazyLinear`."""


class _LazyInstanceNorm(_LazyNorm):
    defaults: ClassVar[dict[str, Any]] = {"affine": True, "track_running_stats": True}


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    """As :class:`LazyInstanceNorm2d`, for (N, C, L)."""


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    """:class:`InstanceNorm2d` that takes ``num_features`` from its first input; see :class:`LazyLinear`.

    As in PyTorch, ``affine`` and ``track_running_stats`` are True by default, other than those of InstanceNorm2d.
    """


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    """As :class:`LazyInstanceNorm2d`, for (N, C, D, H, W)."""
