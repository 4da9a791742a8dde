"""Parameter: a Tensor that a module learns; and tensors of modules that do not know their shape yet."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn, Self

import numpy as np

from tensorgrad import backend
from tensorgrad.autograd import Tensor
from tensorgrad.autograd.conversion import to_array
from tensorgrad.autograd.graph import Leaf
from tensorgrad.backend import Array


class Parameter(Tensor):
    """A Tensor that becomes a parameter of the :class:`Module` that it is assigned to.

    Args:
        data: a Tensor or array (whose memory is shared), a number, or a nested sequence of numbers.
        requires_grad: whether gradients with respect to it are wanted; False for a frozen one.

    Raises:
        GradientError: for ``requires_grad`` on what is not floating point.

    Example:
        >>> tg.nn.Parameter([1.0, 2.0])
        Parameter([1., 2.], dtype=float32, device='cpu', requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __reduce__(self) -> Any:
        return type(self), (self.detach(), self.requires_grad)

    def described(self) -> str:
        """What it is, without its values."""
        where = "" if self.device == "cpu" else f" on {self.device!r}"
        return f"{type(self).__name__} of shape {self.shape}, {self.dtype}{where}"


class Uninitialized(Tensor):
    """A tensor of a lazy layer, without a shape until that is called for the first time.

    It has a dtype and a device, can be asked for gradients, be copied and be given to an optimizer. All else needs
    values and is refused. :meth:`materialize` gives it an array and makes it an ordinary tensor, the same object.
    """

    __slots__ = ()

    ordinary: ClassVar[type[Tensor]]
    """What it becomes."""

    _nothing: Array = Tensor.__dict__["_data"]
    """The slot of the array, under a name that no op knows: it holds one without elements, of the dtype and device."""

    def __init__(self, requires_grad: bool, device: str | None, dtype: Any) -> None:
        self._nothing = to_array(np.empty(0, "float32"), dtype, device)
        self._node = self._grad = None
        self.requires_grad_(requires_grad)

    @property
    def _data(self) -> NoReturn:
        raise ValueError(
            "this tensor has no shape and no values yet, for the lazy layer that has it was not called so far: call "
            "the model once with a batch (tg.nn.summary(model, input_shape) does), or load a state dict, first."
        )

    def materialize(self, array: Array) -> None:
        """Becomes an ordinary tensor of these values; hooks and whether a gradient is wanted stay as they are."""
        self.__class__ = self.ordinary  # type: ignore[assignment]
        self.data = array

    def convert(self, dtype: Any, device: str | None) -> None:
        """Brings what there is to a device, and if it is floating point to a dtype; either may be None."""
        self._nothing = to_array(self._nothing, dtype if self.dtype.kind == "f" else None, device)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that the elements will have."""
        dtype: np.dtype[Any] = self._nothing.dtype
        return dtype

    @property
    def device(self) -> str:
        """Where it will be."""
        return backend.device_of(self._nothing)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Asks for gradients with respect to this tensor, or stops asking; returns the tensor itself."""
        self._node = None
        if requires_grad:
            self._node = self._leaf = getattr(self, "_leaf", None) or Leaf(self, (0,), self.dtype)
        return self

    def detach(self) -> Self:
        """This tensor: a state may be looked through before there is anything to save."""
        return self

    def __copy__(self) -> Self:
        copy, arguments = self.__reduce__()
        made: Self = copy(*arguments)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        memo[id(self)] = copy = self.__copy__()
        return copy

    def __reduce__(self) -> Any:
        return type(self), (self.requires_grad, self.device, self.dtype.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dtype={self.dtype}, device={self.device!r}, requires_grad={self.requires_grad})"


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter of a lazy layer, before that has been called.

    Args:
        requires_grad: whether gradients with respect to it will be wanted.
        device: where it will be.
        dtype: which it will have, float32 by default.

    Raises:
        ValueError: for all that needs values.

    Example:
        >>> layer = tg.nn.LazyLinear(2)
        >>> layer.weight
        UninitializedParameter(dtype=float32, device='cpu', requires_grad=True)
        >>> weight = layer.weight
        >>> _ = layer(tg.ones((5, 3)))
        >>> weight is layer.weight, weight.shape
        (True, (2, 3))
    """

    __slots__ = ()

    ordinary = Parameter
    described = Uninitialized.__repr__

    def __init__(self, requires_grad: bool = True, device: str | None = None, dtype: Any = None) -> None:
        super().__init__(requires_grad, device, dtype)


class UninitializedBuffer(Uninitialized):
    """A buffer of a lazy layer, before that has been called; arguments as of :class:`UninitializedParameter`."""

    __slots__ = ()

    ordinary = Tensor

    def __init__(self, requires_grad: bool = False, device: str | None = None, dtype: Any = None) -> None:
        super().__init__(requires_grad, device, dtype)
